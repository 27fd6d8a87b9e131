//! The rows of a table: a tree of pages, whose leaves hold the rows, with long ones going on elsewhere.

use super::{
    create::Kind,
    error::SqliteError,
    pages::{Pages, Seen, begin, number, short},
    record::{Encoding, Value, value, varint},
    source::Source,
    table::Table,
};
use std::{ops::Range, rc::Rc};

const INTERIOR: u8 = 5;
const LEAF: u8 = 13;
/// SQLite itself goes no deeper.
const DEEPEST: usize = 20;

/// Where a row stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowOffset(pub u32);

/// Goes through a table, row by row, in the order of the rowids.
#[derive(Debug)]
pub struct Scan {
    /// The page that is read, the last, and those that lead to it.
    path: Vec<PathStep>,
    /// Where it goes on when the path is empty.
    root: Option<u32>,
    last: Option<i64>,
    seen: Seen,
}

/// A page on the way to a row.
#[derive(Debug)]
struct PathStep {
    number: u32,
    page: Rc<[u8]>,
    /// Of its cells, the next.
    next: usize,
}

/// What comes next on a page.
enum Part {
    /// A row, and where it stands.
    Row(usize),
    /// A page of the tree.
    Page(u32),
    End,
}

impl PathStep {
    /// `None` where what comes next lies beyond the page.
    fn next(&mut self, usable: usize) -> Option<Part> {
        let page = self.page.get(..usable)?;
        let header = begin(self.number);
        let is_leaf = page[header] == LEAF;
        // A page of the tree tells here which lies on its very right.
        let cells_at = header + if is_leaf { 8 } else { 12 };
        let cells = short(page, header + 3)?;
        let index = self.next;
        self.next += 1;
        if index < cells {
            let at = short(page, cells_at + 2 * index).filter(|at| *at >= cells_at + 2 * cells)?;
            return if is_leaf { Some(Part::Row(at)) } else { number(page, at).map(Part::Page) };
        }
        if index == cells && !is_leaf { number(page, header + 8).map(Part::Page) } else { Some(Part::End) }
    }
}

/// A row, or the beginning of one.
#[derive(Debug)]
pub struct Row {
    rowid: i64,
    page: u32,
    encoding: Encoding,
    record: Record,
}

#[derive(Debug)]
enum Record {
    On { page: Rc<[u8]>, range: Range<usize> },
    Gathered(Vec<u8>),
}

/// The row in this place: [`Database::row`](super::Database::row).
pub(super) fn row<S: Source>(pages: &Pages<S>, place: RowOffset, seen: &mut Seen) -> Result<Row, SqliteError> {
    let (page, cell) = cell(pages, place)?;
    cell.whole(pages, page, seen)
}

/// One value of it: [`Database::peek`](super::Database::peek).
pub(super) fn peek<S: Source, T>(
    pages: &Pages<S>,
    place: RowOffset,
    (table, column): (&Table, usize),
    seen: &mut Seen,
    take: impl Fn(Value<'_>) -> T,
) -> Result<T, SqliteError> {
    let (page, cell) = cell(pages, place)?;
    if cell.overflow.is_some() {
        let range = cell.local.clone();
        let beginning = cell.row(pages, Record::On { page: page.clone(), range });
        if let Ok(value) = beginning.value(table, column) {
            return Ok(take(value));
        }
    }
    let row = cell.whole(pages, page, seen)?;
    row.value(table, column).map(take)
}

fn cell<S: Source>(pages: &Pages<S>, place: RowOffset) -> Result<(Rc<[u8]>, Cell), SqliteError> {
    let at = usize::try_from(place.0).unwrap_or_default();
    let number = u32::try_from(at / pages.size()).unwrap_or_default() + 1;
    let page = pages.page(number)?;
    let cell = Cell::read(&page, number, at % pages.size(), pages)?;
    Ok((page, cell))
}

impl Scan {
    /// Before the first row of a table.
    pub(super) fn begin(table: &Table) -> Self {
        Self { path: Vec::new(), root: Some(table.root), last: None, seen: Seen::default() }
    }

    /// The place of the next row; `None` after the last.
    pub(super) fn next_on<S: Source>(&mut self, pages: &Pages<S>) -> Result<Option<RowOffset>, SqliteError> {
        if let Some(root) = self.root.take() {
            self.enter(root, pages)?;
        }
        while let Some(step) = self.path.last_mut() {
            let damaged = SqliteError::Damaged { page: step.number };
            match step.next(pages.usable()).ok_or_else(|| damaged.clone())? {
                Part::Row(at) => {
                    let cell = Cell::read(&step.page, step.number, at, pages)?;
                    if self.last.is_some_and(|last| last >= cell.rowid) {
                        return Err(damaged);
                    }
                    self.last = Some(cell.rowid);
                    let before = usize::try_from(step.number - 1).unwrap_or_default().saturating_mul(pages.size());
                    return u32::try_from(before.saturating_add(at)).map(|at| Some(RowOffset(at))).map_err(|_| damaged);
                }
                Part::Page(number) => self.enter(number, pages)?,
                Part::End => drop(self.path.pop()),
            }
        }
        Ok(None)
    }

    /// How many pages it has been on so far.
    pub fn pages(&self) -> u32 {
        self.seen.count()
    }

    fn enter<S: Source>(&mut self, number: u32, pages: &Pages<S>) -> Result<(), SqliteError> {
        let page = pages.page(number)?;
        self.seen.visit(number)?;
        if self.path.len() >= DEEPEST || ![INTERIOR, LEAF].contains(&page[begin(number)]) {
            return Err(SqliteError::Damaged { page: number });
        }
        self.path.push(PathStep { number, page, next: 0 });
        Ok(())
    }
}

/// Where a row stands on its page.
struct Cell {
    page: u32,
    rowid: i64,
    /// The bytes of the row, wherever they are.
    size: usize,
    /// Those that stand here.
    local: Range<usize>,
    /// The page on which it goes on.
    overflow: Option<u32>,
}

impl Cell {
    fn read<S: Source>(bytes: &[u8], page: u32, at: usize, pages: &Pages<S>) -> Result<Self, SqliteError> {
        Self::on(bytes.get(..pages.usable()).unwrap_or_default(), page, at, pages.count())
            .ok_or(SqliteError::Damaged { page })
    }

    fn on(usable: &[u8], page: u32, at: usize, pages: u32) -> Option<Self> {
        let (size, length) = varint(usable.get(at..)?)?;
        let begin = at + length;
        let (rowid, length) = varint(usable.get(begin..)?)?;
        let begin = begin + length;
        let size = usize::try_from(size).ok()?;
        let longest = usable.len() - 35;
        if size <= longest {
            let local = begin..begin.checked_add(size)?;
            usable.get(local.clone())?;
            return Some(Self { page, rowid: rowid.cast_signed(), size, local, overflow: None });
        }
        // It cannot be longer than the file.
        if u64::try_from(size).ok()? > u64::from(pages) * u64::try_from(usable.len()).ok()? {
            return None;
        }
        let least = (usable.len() - 12) * 32 / 255 - 23;
        let fitting = least + (size - least) % (usable.len() - 4);
        let local = begin..begin + if fitting <= longest { fitting } else { least };
        let overflow = number(usable, local.end)?;
        Some(Self { page, rowid: rowid.cast_signed(), size, local, overflow: Some(overflow) })
    }

    fn row<S: Source>(&self, pages: &Pages<S>, record: Record) -> Row {
        Row { rowid: self.rowid, page: self.page, encoding: pages.encoding(), record }
    }

    /// The row with all its bytes.
    fn whole<S: Source>(&self, pages: &Pages<S>, page: Rc<[u8]>, seen: &mut Seen) -> Result<Row, SqliteError> {
        let Some(mut next) = self.overflow else {
            return Ok(self.row(pages, Record::On { page, range: self.local.clone() }));
        };
        let mut record = page[self.local.clone()].to_vec();
        while record.len() < self.size {
            let page = pages.page(next)?;
            seen.visit(next)?;
            let content = &page[4..pages.usable()];
            record.extend_from_slice(&content[..content.len().min(self.size - record.len())]);
            next = number(&page, 0).unwrap_or_default();
        }
        Ok(self.row(pages, Record::Gathered(record)))
    }
}

impl Row {
    /// Its number in the table.
    pub fn rowid(&self) -> i64 {
        self.rowid
    }

    /// The value in this column of its table.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn value<'a>(&'a self, table: &'a Table, column: usize) -> Result<Value<'a>, SqliteError> {
        let bytes = match &self.record {
            Record::On { page, range } => &page[range.clone()],
            Record::Gathered(bytes) => bytes,
        };
        let Some(column) = table.columns.get(column) else { return Ok(Value::Null) };
        let place = match column.kind {
            Kind::Rowid => return Ok(Value::Integer(self.rowid)),
            Kind::Computed => return Ok(Value::Null),
            Kind::Stored(place) => place,
        };
        let value = value(bytes, place, self.encoding).map_err(|_| SqliteError::Damaged { page: self.page })?;
        Ok(value.unwrap_or_else(|| column.default.clone()))
    }
}
