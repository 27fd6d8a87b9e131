//! The header of the file, and its pages.

use super::{error::SqliteError, record::Encoding, source::Source};
use std::{cell::RefCell, rc::Rc};

/// What the file begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// What a file of SQLite 2 begins with.
const MAGIC_2: &[u8] = b"** This file contains an SQLite 2";
const HEADER: usize = 100;
/// The number of pages that are kept: of rows that lie side by side, most lie on the same.
const KEPT: usize = 64;

/// The pages of a file.
#[derive(Debug)]
pub(super) struct Pages<S> {
    source: S,
    size: usize,
    usable: usize,
    count: u32,
    encoding: Encoding,
    kept: RefCell<Vec<Kept>>,
}

/// A page that was read, with its number.
type Kept = Option<(u32, Rc<[u8]>)>;

impl<S: Source> Pages<S> {
    /// Reads the header.
    pub(super) fn open(source: S) -> Result<Self, SqliteError> {
        let length = source.size();
        let mut header = [0; HEADER];
        let there = usize::try_from(length).unwrap_or(HEADER).min(HEADER);
        source.read(0, &mut header[..there]);
        if length == 0 {
            return Err(SqliteError::Empty);
        }
        if header.starts_with(MAGIC_2) {
            return Err(SqliteError::Version2);
        }
        if !header.starts_with(MAGIC) {
            return Err(SqliteError::NotSqlite);
        }
        if there < HEADER {
            return Err(SqliteError::Cut);
        }
        // A reader may not touch what it does not know; 2 is a file whose changes come by a write-ahead log.
        if header[19] > 2 {
            return Err(SqliteError::TooNew);
        }
        // Places of rows are 32 bits.
        if length > u64::from(u32::MAX) {
            return Err(SqliteError::TooLarge);
        }
        let damaged = SqliteError::Damaged { page: 1 };
        let size = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65_536,
            size => usize::from(size),
        };
        let usable = size.saturating_sub(usize::from(header[20]));
        // 480 is the least that SQLite itself takes.
        if !size.is_power_of_two() || size < 512 || usable < 480 || header[21..24] != [64, 32, 32] {
            return Err(damaged);
        }
        let Some(encoding) = Encoding::from_number(number(&header, 56).unwrap_or_default()) else {
            return Err(damaged);
        };
        let whole = u32::try_from(length / u64::try_from(size).unwrap_or(u64::MAX)).unwrap_or_default();
        // Old versions of SQLite write no count, or leave an older one; then the counters differ.
        let counted = number(&header, 28).filter(|_| header[24..28] == header[92..96]).unwrap_or_default();
        if whole == 0 || counted > whole {
            return Err(SqliteError::Cut);
        }
        Ok(Self { source, size, usable, count: whole, encoding, kept: RefCell::new(vec![None; KEPT]) })
    }

    /// The page of this number, from 1.
    pub(super) fn page(&self, number: u32) -> Result<Rc<[u8]>, SqliteError> {
        if number == 0 || number > self.count {
            return Err(SqliteError::Damaged { page: number });
        }
        let index = usize::try_from(number).unwrap_or_default();
        let mut kept = self.kept.borrow_mut();
        let slot = &mut kept[index % KEPT];
        match slot {
            Some((held, page)) if *held == number => Ok(page.clone()),
            _ => {
                let mut bytes = vec![0; self.size];
                let at = (index - 1).saturating_mul(self.size);
                self.source.read(u64::try_from(at).unwrap_or(u64::MAX), &mut bytes);
                let page: Rc<[u8]> = bytes.into();
                *slot = Some((number, page.clone()));
                Ok(page)
            }
        }
    }

    /// How many bytes of a page are used: some programs keep a few at the end for themselves.
    pub(super) fn usable(&self) -> usize {
        self.usable
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }
}

/// The 32 bits that stand there.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

/// The 16 bits that stand there.
pub(super) fn short(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..)?.first_chunk().copied().map(|bytes| usize::from(u16::from_be_bytes(bytes)))
}

/// Where content begins on a page: the first has the header before.
pub(super) fn begin(page: u32) -> usize {
    if page == 1 { HEADER } else { 0 }
}

/// Which pages were visited.
#[derive(Debug, Default)]
pub struct Seen {
    bits: Vec<u64>,
    count: u32,
}

impl Seen {
    /// # Errors
    /// Where it was visited before: a page belongs to one place of one table.
    pub(super) fn visit(&mut self, page: u32) -> Result<(), SqliteError> {
        let (word, bit) = (usize::try_from(page / 64).unwrap_or_default(), 1 << (page % 64));
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        if self.bits[word] & bit != 0 {
            return Err(SqliteError::Damaged { page });
        }
        self.bits[word] |= bit;
        self.count += 1;
        Ok(())
    }

    /// How many.
    pub(super) fn count(&self) -> u32 {
        self.count
    }
}
