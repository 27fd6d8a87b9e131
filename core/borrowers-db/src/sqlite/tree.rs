//! The rows of a table: a tree of pages, whose leaves hold the rows, with long ones going on elsewhere.

use super::{
    Database, Source, SqliteError, Table,
    create::Kind,
    pages::{Pages, Seen, begin, number, short},
    record::{Encoding, Value, value, varint},
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
    path: Vec<Step>,
    /// Where it goes on when the path is empty.
    root: Option<u32>,
    last: Option<i64>,
    seen: Seen,
}

#[derive(Debug)]
struct Step {
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

impl Step {
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

impl<S: Source> Database<S> {
    /// Goes through this table.
    pub fn scan(&self, table: &Table) -> Scan {
        Scan { path: Vec::new(), root: Some(table.root), last: None, seen: Seen::default() }
    }

    /// The row in this place. Rows are long by pages of their own: `seen` are those of the rows read before.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn row(&self, place: RowOffset, seen: &mut Seen) -> Result<Row, SqliteError> {
        let (page, cell) = self.cell(place)?;
        cell.whole(&self.pages, page, seen)
    }

    /// One value of the row in this place, without reading more of a long row than is needed.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn peek<T>(
        &self,
        place: RowOffset,
        table: &Table,
        column: usize,
        seen: &mut Seen,
        take: impl Fn(Value<'_>) -> T,
    ) -> Result<T, SqliteError> {
        let (page, cell) = self.cell(place)?;
        if cell.overflow.is_some() {
            let range = cell.local.clone();
            let beginning = cell.row(&self.pages, Record::On { page: page.clone(), range });
            if let Ok(value) = beginning.value(table, column) {
                return Ok(take(value));
            }
        }
        let row = cell.whole(&self.pages, page, seen)?;
        row.value(table, column).map(take)
    }

    fn cell(&self, place: RowOffset) -> Result<(Rc<[u8]>, Cell), SqliteError> {
        let at = usize::try_from(place.0).unwrap_or_default();
        let number = u32::try_from(at / self.pages.size()).unwrap_or_default() + 1;
        let page = self.pages.page(number)?;
        let cell = Cell::read(&page, number, at % self.pages.size(), &self.pages)?;
        Ok((page, cell))
    }
}

impl Scan {
    /// The place of the next row; `None` after the last.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn next<S: Source>(&mut self, database: &Database<S>) -> Result<Option<RowOffset>, SqliteError> {
        let pages = &database.pages;
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
        self.path.push(Step { number, page, next: 0 });
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
