//! Files that came in one: what a mail program packs, and what a file manager makes of a folder. Read is the directory at
//! the end of a ZIP file (APPNOTE.TXT of PKWARE); whoever drives this unpacks what is deflated, and gives it back to be checked.

use std::ops::Range;
use thiserror::Error;

/// The most bytes that one file in it may have when it is unpacked: far more than a desk writes, and too few to fill a
/// computer's memory.
pub const MOST_BYTES: u32 = 64 << 20;

/// The most files that are taken out of one.
const MOST_FILES: usize = 1_000;

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
/// The bytes of each record before what has no fixed length.
const LOCAL_LENGTH: usize = 30;
const CENTRAL_LENGTH: usize = 46;
const END_LENGTH: usize = 22;
/// The longest comment behind the end.
const LONGEST_COMMENT: usize = 0xffff;

/// A file in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its folders and its name, with slashes between.
    pub path: String,
    /// How it is packed.
    pub packing: Packing,
    /// Where its packed bytes stand.
    pub place: Range<usize>,
    /// The number of bytes that it has when it is unpacked.
    pub length: u32,
    crc: u32,
}

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Stored,
    /// By DEFLATE, without a header: `deflate-raw` of the browser.
    Deflated,
}

/// Why nothing can be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ZipError {
    /// It is cut, or damaged.
    #[error("the ZIP file is damaged or not complete")]
    Damaged,
    /// A password is needed.
    #[error("the ZIP file is locked with a password")]
    Locked,
    /// It is packed in a way that is not known here.
    #[error("the ZIP file is packed in a way that KOCT does not know")]
    Unknown,
    /// It holds more than a desk writes.
    #[error("the ZIP file holds too much")]
    TooLarge,
    /// It is a document of a spreadsheet program, which is a ZIP file too.
    #[error("this is a document of a spreadsheet program")]
    Spreadsheet,
}

/// Whether a file begins as these do.
pub fn looks_like_one(bytes: &[u8]) -> bool {
    bytes.starts_with(LOCAL) || bytes.starts_with(END)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// The files in it, in their order. What only computers read (folders by themselves, what macOS adds) is left out.
///
/// # Errors
/// When it cannot be read, and when one of them cannot be unpacked: half a parcel is none.
pub fn members(bytes: &[u8]) -> Result<Vec<Member>, ZipError> {
    let earliest = bytes.len().saturating_sub(END_LENGTH + LONGEST_COMMENT);
    let is_end = |at: &usize| {
        let comment = u16_at(bytes, at + 20).map(usize::from);
        bytes[*at..].starts_with(END) && comment.is_some_and(|length| at + END_LENGTH + length == bytes.len())
    };
    let end = (earliest..bytes.len()).rev().find(is_end).ok_or(ZipError::Damaged)?;
    let number = usize::from(u16_at(bytes, end + 10).ok_or(ZipError::Damaged)?);
    let mut at = usize::try_from(u32_at(bytes, end + 16).ok_or(ZipError::Damaged)?).map_err(|_| ZipError::Damaged)?;
    if number > MOST_FILES {
        return Err(ZipError::TooLarge);
    }
    let mut found = Vec::new();
    for place in 0..number {
        let (member, next) = member(bytes, at)?;
        at = next;
        if member.path == "[Content_Types].xml" || (place == 0 && member.path == "mimetype") {
            return Err(ZipError::Spreadsheet);
        }
        if !is_hidden(&member.path) {
            found.push(member);
        }
    }
    Ok(found)
}

/// The file whose record in the directory stands here, and where the next one stands.
fn member(bytes: &[u8], at: usize) -> Result<(Member, usize), ZipError> {
    let read = || {
        let record = bytes.get(at..).filter(|rest| rest.starts_with(CENTRAL))?;
        let name_length = usize::from(u16_at(record, 28)?);
        let rest = usize::from(u16_at(record, 30)?) + usize::from(u16_at(record, 32)?);
        let name = record.get(CENTRAL_LENGTH..CENTRAL_LENGTH + name_length)?;
        let packed = usize::try_from(u32_at(record, 20)?).ok()?;
        let local_at = usize::try_from(u32_at(record, 42)?).ok()?;
        let local = bytes.get(local_at..).filter(|rest| rest.starts_with(LOCAL))?;
        let before = LOCAL_LENGTH + usize::from(u16_at(local, 26)?) + usize::from(u16_at(local, 28)?);
        let start = local_at.checked_add(before)?;
        let place = start..start.checked_add(packed)?;
        bytes.get(place.clone())?;
        let (flags, method) = (u16_at(record, 8)?, u16_at(record, 10)?);
        let path = String::from_utf8_lossy(name).replace('\\', "/");
        let next = at + CENTRAL_LENGTH + name_length + rest;
        Some((flags, method, path, place, u32_at(record, 24)?, u32_at(record, 16)?, next))
    };
    let (flags, method, path, place, length, crc, next) = read().ok_or(ZipError::Damaged)?;
    let packing = match method {
        _ if flags & 1 != 0 => return Err(ZipError::Locked),
        0 => Packing::Stored,
        8 => Packing::Deflated,
        _ => return Err(ZipError::Unknown),
    };
    if length > MOST_BYTES {
        return Err(ZipError::TooLarge);
    }
    Ok((Member { path, packing, place, length, crc }, next))
}

/// Whether only computers read what has this path: a folder by itself, and what file managers leave beside a person's files.
pub fn is_hidden(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_made_by_machine = |part: &str| part.starts_with('.') || part == "__MACOSX";
    let is_of_windows = ["thumbs.db", "desktop.ini"].iter().any(|other| name.eq_ignore_ascii_case(other));
    name.is_empty() || is_of_windows || path.split('/').any(is_made_by_machine)
}

impl Member {
    /// Whether this is what was packed.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(&self, unpacked: &[u8]) -> Result<(), ZipError> {
        let is_it = u32::try_from(unpacked.len()) == Ok(self.length) && crc(unpacked) == self.crc;
        if is_it { Ok(()) } else { Err(ZipError::Damaged) }
    }
}

/// The check sum of ZIP files: CRC-32 of IEEE 802.3.
fn crc(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut byte = 0_u32;
        while byte < 256 {
            let mut rest = byte;
            let mut bit = 0;
            while bit < 8 {
                rest = if rest & 1 == 1 { (rest >> 1) ^ 0xedb8_8320 } else { rest >> 1 };
                bit += 1;
            }
            table[byte as usize] = rest;
            byte += 1;
        }
        table
    };
    let step = |rest: u32, byte: &u8| (rest >> 8) ^ TABLE[((rest ^ u32::from(*byte)) & 0xff) as usize];
    !bytes.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Its path, its flags, how it is packed, packed and plain.
    type Packed<'a> = (&'a str, u16, u16, &'a [u8], &'a [u8]);

    /// A ZIP file as a program would write it.
    fn zip(files: &[Packed<'_>], comment: &[u8]) -> Vec<u8> {
        let (mut bytes, mut directory) = (Vec::new(), Vec::new());
        for (name, flags, method, packed, plain) in files {
            let at = u32::try_from(bytes.len()).unwrap();
            let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
            let sums = [&crc(plain).to_le_bytes()[..], &length(packed), &length(plain)].concat();
            let name_length = u16::try_from(name.len()).unwrap().to_le_bytes();
            let how = [flags.to_le_bytes(), method.to_le_bytes()].concat();
            bytes.extend(
                [LOCAL, &[20, 0], &how, &[0; 4], &sums, &name_length, &[2, 0], name.as_bytes(), b"xx", packed].concat(),
            );
            directory.extend(
                [
                    CENTRAL,
                    &[20, 0, 20, 0],
                    &how,
                    &[0; 4],
                    &sums,
                    &name_length,
                    &[0; 4],
                    &[0; 8],
                    &at.to_le_bytes(),
                    name.as_bytes(),
                ]
                .concat(),
            );
        }
        let number = u16::try_from(files.len()).unwrap().to_le_bytes();
        let at = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let length = u32::try_from(directory.len()).unwrap().to_le_bytes();
        let comment_length = u16::try_from(comment.len()).unwrap().to_le_bytes();
        bytes.extend(directory);
        bytes.extend([END, &[0; 4], &number, &number, &length, &at, &comment_length, comment].concat());
        bytes
    }

    #[test]
    fn the_files_in_it_are_found_with_their_folders_and_checked() {
        let koc = b"2026-11-28 09:05:00 000\treturn\t39999000000031\n";
        let bytes = zip(
            &[
                ("CPL/", 0, 0, b"", b""),
                ("CPL/desk1.koc", 0, 0, koc, koc),
                ("__MACOSX/CPL/._desk1.koc", 0, 0, b"x", b"x"),
                ("MPL\\desk1.koc", 0x0800, 8, b"packed", koc),
                (".DS_Store", 0, 0, b"", b""),
            ],
            b"PK\x05\x06 in a comment",
        );
        assert!(looks_like_one(&bytes));
        let found = members(&bytes).unwrap();
        let paths: Vec<_> = found.iter().map(|member| member.path.as_str()).collect();
        assert_eq!(paths, ["CPL/desk1.koc", "MPL/desk1.koc"]);
        assert_eq!((&bytes[found[0].place.clone()], found[0].packing), (&koc[..], Packing::Stored));
        assert_eq!((&bytes[found[1].place.clone()], found[1].packing), (&b"packed"[..], Packing::Deflated));
        assert_eq!((found[0].check(koc), found[1].check(koc)), (Ok(()), Ok(())));
        assert_eq!(found[0].check(&koc[1..]), Err(ZipError::Damaged));
        let mut other = koc.to_vec();
        other[45] ^= 1;
        assert_eq!(found[0].check(&other), Err(ZipError::Damaged), "of the same length");
        assert_eq!(crc(b"123456789"), 0xcbf4_3926, "the check value of the algorithm");
    }

    #[test]
    fn what_cannot_be_unpacked_is_named() {
        let one = |name, flags, method| members(&zip(&[(name, flags, method, b"x", b"x")], b""));
        assert_eq!(one("a.koc", 1, 8), Err(ZipError::Locked));
        assert_eq!(one("a.koc", 0, 12), Err(ZipError::Unknown));
        assert_eq!(one("[Content_Types].xml", 0, 8), Err(ZipError::Spreadsheet));
        assert_eq!(one("mimetype", 0, 0), Err(ZipError::Spreadsheet));
        let whole = zip(&[("a.koc", 0, 0, b"x", b"x")], b"");
        for cut in 1..whole.len() {
            assert_eq!(members(&whole[..cut]), Err(ZipError::Damaged), "cut at {cut}");
        }
        let mut large = whole;
        let at = large.windows(4).position(|four| four == CENTRAL).unwrap();
        large[at + 24..at + 28].copy_from_slice(&(MOST_BYTES + 1).to_le_bytes());
        assert_eq!(members(&large), Err(ZipError::TooLarge));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), change in any::<(usize, u8)>()) {
            let _ = members(&bytes);
            let mut whole = zip(&[("CPL/a.koc", 0, 8, b"xyz", b"x"), ("b", 0, 0, b"x", b"x")], b"");
            let place = change.0 % whole.len();
            whole[place] = change.1;
            if let Ok(members) = members(&whole) {
                for member in members {
                    let _ = member.check(&whole[member.place.clone()]);
                }
            }
        }
    }
}
