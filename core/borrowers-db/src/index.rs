//! Brings rows into the order of their patrons' numbers, without a long pause: parts are put in order as they come, and
//! woven into one as they are read.

use super::sqlite::RowOffset;
use std::{cmp::Reverse, collections::BinaryHeap};

/// The number of rows that are put in order at once: some milliseconds.
const PART: usize = 1 << 16;

/// The number of each row's patron, and where the row stands.
#[derive(Debug, Default)]
pub(super) struct Index {
    full: Vec<Vec<(u32, RowOffset)>>,
    last: Vec<(u32, RowOffset)>,
}

impl Index {
    pub(super) fn put(&mut self, number: u32, place: RowOffset) {
        self.last.push((number, place));
        if self.last.len() == PART {
            self.close();
        }
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.full.iter().map(Vec::len).sum::<usize>() + self.last.len()).unwrap_or(u32::MAX)
    }

    fn close(&mut self) {
        let mut part = std::mem::take(&mut self.last);
        // Rows of one number stay in the order of the file.
        part.sort_by_key(|(number, _)| *number);
        self.full.push(part);
    }

    pub(super) fn ordered(mut self) -> Ordered {
        self.close();
        let parts = self.full;
        let firsts = parts.iter().enumerate();
        let heap = firsts.filter_map(|(part, rows)| Some(Reverse((rows.first()?.0, part, 0)))).collect();
        Ordered { parts, heap }
    }
}

/// The rows in their order.
#[derive(Debug)]
pub(super) struct Ordered {
    parts: Vec<Vec<(u32, RowOffset)>>,
    /// The next of each part: its number, the part, and where in it.
    heap: BinaryHeap<Reverse<(u32, usize, usize)>>,
}

impl Ordered {
    /// The number of the next row.
    pub(super) fn peek(&self) -> Option<u32> {
        self.heap.peek().map(|Reverse((number, ..))| *number)
    }
}

impl Iterator for Ordered {
    type Item = (u32, RowOffset);

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((_, part, at)) = self.heap.pop()?;
        let rows = self.parts.get(part)?;
        if let Some((number, _)) = rows.get(at + 1) {
            self.heap.push(Reverse((*number, part, at + 1)));
        }
        rows.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ordered(numbers: &[u32]) -> Vec<(u32, u32)> {
        let mut index = Index::default();
        for (place, number) in (0..).zip(numbers) {
            index.put(*number, RowOffset(place));
        }
        assert_eq!(usize::try_from(index.len()), Ok(numbers.len()));
        index.ordered().map(|(number, place)| (number, place.0)).collect()
    }

    #[test]
    fn many_rows_of_few_numbers_come_in_order_and_each_once() {
        let numbers: Vec<u32> = (0..=u32::try_from(3 * PART).unwrap()).map(|row| row * 7919 % 1000).collect();
        let mut expected: Vec<(u32, u32)> = numbers.iter().copied().zip(0..).collect();
        expected.sort_unstable();
        assert_eq!(ordered(&numbers), expected);
        assert_eq!(ordered(&[]), []);
    }

    proptest! {
        #[test]
        fn as_a_stable_sort(numbers in prop::collection::vec(0..20_u32, 0..50)) {
            let mut expected: Vec<(u32, u32)> = numbers.iter().copied().zip(0..).collect();
            expected.sort_unstable();
            prop_assert_eq!(ordered(&numbers), expected);
        }
    }
}
