//! Blocks: sorted rows, or sorted pairs of a key and a number, in few bytes.
//!
//! What stands in a block is near to its neighbours, so it is written as the difference to the one before, and the whole is
//! deflated.

use super::record::Record;
use serde::Serialize;

/// A block is closed when it holds this number of bytes before it is deflated: small enough that to find one row in it takes less
/// than reading it, large enough to deflate well.
pub(super) const SIZE: usize = 32 * 1024;

/// How hard deflating tries: beyond it blocks hardly get smaller, but take much longer.
const LEVEL: u8 = 5;
/// No block is larger when it is inflated: one that claims to be is damaged.
const LARGEST: usize = 16 * SIZE;

const STORED: u8 = 0;
const DEFLATED: u8 = 1;

/// As it is put into the store.
pub(super) fn packed(bytes: &[u8]) -> Vec<u8> {
    let deflated = miniz_oxide::deflate::compress_to_vec(bytes, LEVEL);
    let (kind, content) = if deflated.len() < bytes.len() { (DEFLATED, &deflated[..]) } else { (STORED, bytes) };
    let mut packed = Vec::with_capacity(content.len() + 1);
    packed.push(kind);
    packed.extend_from_slice(content);
    packed
}

/// What was packed; `None` where it is damaged.
pub(super) fn unpacked(packed: &[u8]) -> Option<Vec<u8>> {
    match packed.split_first()? {
        (&STORED, content) => Some(content.to_vec()),
        (&DEFLATED, content) => miniz_oxide::inflate::decompress_to_vec_with_limit(content, LARGEST).ok(),
        _ => None,
    }
}

/// Appends a number: small ones take one byte.
pub(super) fn put_number(bytes: &mut Vec<u8>, number: u32) {
    let mut rest = number;
    loop {
        let low = (rest & 0x7f) as u8;
        rest >>= 7;
        if rest == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

/// Takes a number off the front; `None` at the end, or where what stands there is none.
pub(super) fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for shift in (0..35).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Appends a row to a block whose last row has the number `last`.
pub(super) fn put_row(bytes: &mut Vec<u8>, last: u32, id: u32, row: &[u8]) {
    put_number(bytes, id.wrapping_sub(last));
    put_number(bytes, u32::try_from(row.len()).unwrap_or(u32::MAX));
    bytes.extend_from_slice(row);
}

/// The rows of a block: their numbers and what [`row`] makes rows of.
pub(super) struct Rows<'a> {
    bytes: &'a [u8],
    last: u32,
}

impl<'a> Rows<'a> {
    pub(super) fn from_bytes(bytes: &'a [u8]) -> Self {
        Self { bytes, last: 0 }
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.last = self.last.wrapping_add(take_number(&mut self.bytes)?);
        let length = usize::try_from(take_number(&mut self.bytes)?).ok()?;
        let (row, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some((self.last, row))
    }
}

/// A row as bytes.
pub(super) fn row_bytes(row: &impl Serialize) -> Vec<u8> {
    // Rows hold nothing that has no form in bytes.
    postcard::to_allocvec(row).unwrap_or_default()
}

/// The row of these bytes; `None` where they are none. What an earlier version wrote lacks the last texts: they are empty.
pub(super) fn row<R: Record>(bytes: &[u8]) -> Option<R> {
    if let Ok(row) = postcard::from_bytes(bytes) {
        return Some(row);
    }
    (1..=R::LATER_TEXTS).find_map(|missing| {
        // An empty text is its length.
        let longer = [bytes, &[0].repeat(missing)].concat();
        postcard::from_bytes(&longer).ok()
    })
}

/// A key and a number, so that pairs sort by the key first.
pub(super) fn pair(key: u32, number: u32) -> u64 {
    u64::from(key) << 32 | u64::from(number)
}

/// The two parts of a [`pair`].
#[expect(clippy::cast_possible_truncation, reason = "the two halves")]
pub(super) fn parts(pair: u64) -> (u32, u32) {
    ((pair >> 32) as u32, pair as u32)
}

/// Appends a pair to a block whose last pair has the key `last`.
pub(super) fn put_pair(bytes: &mut Vec<u8>, last: u32, key: u32, number: u32) {
    put_number(bytes, key.wrapping_sub(last));
    put_number(bytes, number);
}

/// The pairs of a block.
pub(super) struct Pairs<'a> {
    bytes: &'a [u8],
    last: u32,
}

impl<'a> Pairs<'a> {
    pub(super) fn from_bytes(bytes: &'a [u8]) -> Self {
        Self { bytes, last: 0 }
    }
}

impl Iterator for Pairs<'_> {
    type Item = (u32, u32);

    fn next(&mut self) -> Option<Self::Item> {
        self.last = self.last.wrapping_add(take_number(&mut self.bytes)?);
        Some((self.last, take_number(&mut self.bytes)?))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::record::{Item, Marks, Patron},
        *,
    };
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_item_of_an_earlier_version_is_read_without_what_it_lacks(
            title in "\\PC{0,20}", materials in "\\PC{0,20}", library in "\\PC{0,20}",
            lost: bool, withdrawn: bool, not_for_loan: bool,
        ) {
            let item = Item { id: 7, barcode: "B".into(), title, materials, ..Item::default() };
            let now = row_bytes(&item);
            // Each empty text at its end is one byte.
            prop_assert_eq!(row::<Item>(&now[..now.len() - 2]), Some(item.clone()), "without its library");
            prop_assert_eq!(row::<Item>(&now), Some(item.clone()));
            prop_assert_eq!(row::<Item>(&now[..3]), None);
            let there = Item { library, ..item };
            let now = row_bytes(&there);
            prop_assert_eq!(row::<Item>(&now[..now.len() - 1]), Some(there.clone()), "without its marks");
            let marked = Item { marks: Marks { lost, withdrawn, not_for_loan }, ..there };
            prop_assert_eq!(row::<Item>(&row_bytes(&marked)), Some(marked));
        }

        #[test]
        fn what_is_packed_comes_out(bytes in prop::collection::vec(any::<u8>(), 0..5_000)) {
            prop_assert_eq!(unpacked(&packed(&bytes)), Some(bytes));
        }

        #[test]
        fn numbers_come_out(numbers in prop::collection::vec(any::<u32>(), 0..100)) {
            let mut bytes = Vec::new();
            for number in &numbers {
                put_number(&mut bytes, *number);
            }
            let mut rest = &bytes[..];
            let read: Vec<u32> = std::iter::from_fn(|| take_number(&mut rest)).collect();
            prop_assert_eq!(read, numbers);
        }

        #[test]
        fn what_stands_before_the_damage_is_read_as_it_was(
            names in prop::collection::vec("[a-zé]{0,12}", 1..12), place in any::<prop::sample::Index>(), with in any::<u8>(),
        ) {
            let patron = |surname: &String| Patron { id: 7, surname: surname.clone(), ..Patron::default() };
            let patrons: Vec<Patron> = names.iter().map(patron).collect();
            let numbers: Vec<u32> = (1..).step_by(300).take(patrons.len()).collect();
            let (mut rows, mut pairs, mut ends) = (Vec::new(), Vec::new(), Vec::new());
            let mut last = 0;
            for (number, patron) in numbers.iter().zip(&patrons) {
                put_row(&mut rows, last, *number, &row_bytes(patron));
                put_pair(&mut pairs, last, *number, 70_000);
                ends.push((rows.len(), pairs.len()));
                last = *number;
            }
            let damaged = |bytes: &[u8]| {
                let (mut damaged, place) = (bytes.to_vec(), place.index(bytes.len()));
                damaged[place] = with;
                (damaged, place)
            };

            let (damaged_rows, at) = damaged(&rows);
            let whole = ends.iter().take_while(|(end, _)| *end <= at).count();
            let read: Vec<_> = Rows::from_bytes(&damaged_rows).collect();
            prop_assert!(read.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() <= rows.len());
            let read: Vec<_> = read.into_iter().map(|(number, bytes)| (number, row::<Patron>(bytes))).collect();
            let expected = numbers.iter().copied().zip(patrons.into_iter().map(Some));
            prop_assert!(read.iter().take(whole).cloned().eq(expected.take(whole)), "{read:?}");

            let (damaged_pairs, at) = damaged(&pairs);
            let whole = ends.iter().take_while(|(_, end)| *end <= at).count();
            let read: Vec<_> = Pairs::from_bytes(&damaged_pairs).collect();
            prop_assert!(read.iter().take(whole).eq(numbers.iter().map(|number| (*number, 70_000)).collect::<Vec<_>>().iter().take(whole)), "{read:?}");
        }

        #[test]
        fn a_packed_block_that_is_cut_or_damaged_is_none_or_no_larger_than_a_block_may_be(
            bytes in "[a-d]{0,600}", place in any::<prop::sample::Index>(), with in any::<u8>(),
        ) {
            let whole = packed(bytes.as_bytes());
            let place = place.index(whole.len());
            let cut = unpacked(&whole[..place]);
            prop_assert!(cut.is_none_or(|cut| whole[0] == STORED && bytes.as_bytes().starts_with(&cut)));
            let mut damaged = whole.clone();
            damaged[place] = with;
            if let Some(read) = unpacked(&damaged) {
                prop_assert!(read.len() <= LARGEST);
                // What is stored as it is has no other length.
                prop_assert!(damaged[0] != STORED || read == damaged[1..]);
            }
        }
    }
}
