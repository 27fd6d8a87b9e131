//! A file with its tables.

use super::{
    create,
    error::SqliteError,
    pages::{Pages, Seen},
    record::Value,
    source::Source,
    table::Table,
    tree::{self, Row, RowOffset, Scan},
};

/// An SQLite file.
#[derive(Debug)]
pub struct Database<S> {
    pages: Pages<S>,
    tables: Vec<Entry>,
}

/// What `sqlite_schema` says of a table.
#[derive(Debug)]
struct Entry {
    name: String,
    root: u32,
    sql: String,
}

impl<S: Source> Database<S> {
    /// Opens a file: looks at its header and its list of tables.
    ///
    /// # Errors
    /// When it is no SQLite 3 file, or is cut or damaged.
    pub fn open(source: S) -> Result<Self, SqliteError> {
        let mut database = Self { pages: Pages::open(source)?, tables: Vec::new() };
        // type, name, tbl_name, rootpage, sql: it is not listed in itself.
        let schema = Table { columns: create::plain_columns(5), root: 1 };
        let (mut scan, mut seen) = (database.scan(&schema), Seen::default());
        while let Some(place) = scan.next(&database)? {
            let row = database.row(place, &mut seen)?;
            let text = |column| Ok(row.value(&schema, column)?.text().unwrap_or_default());
            if text(0)? == "table" {
                let root = match row.value(&schema, 3)? {
                    Value::Integer(root) => u32::try_from(root).unwrap_or_default(),
                    _ => 0,
                };
                let entry = Entry { name: text(1)?, root, sql: text(4)? };
                database.tables.push(entry);
            }
        }
        Ok(database)
    }

    /// The table of this name, in whatever case it is written.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn table(&self, name: &str) -> Result<Table, SqliteError> {
        let entry = self.tables.iter().find(|entry| entry.name.eq_ignore_ascii_case(name));
        let entry = entry.ok_or_else(|| SqliteError::NoTable { table: name.to_owned() })?;
        match create::columns(&entry.sql) {
            // A virtual table has no page of its own.
            Some(columns) if entry.root > 0 => Ok(Table { columns, root: entry.root }),
            _ => Err(SqliteError::OtherTable { table: name.to_owned() }),
        }
    }

    /// How many pages the file has.
    pub fn pages(&self) -> u32 {
        self.pages.count()
    }

    /// Goes through this table.
    pub fn scan(&self, table: &Table) -> Scan {
        Scan::begin(table)
    }

    /// The row in this place. Rows are long by pages of their own: `seen` are those of the rows read before.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn row(&self, place: RowOffset, seen: &mut Seen) -> Result<Row, SqliteError> {
        tree::row(&self.pages, place, seen)
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
        tree::peek(&self.pages, place, (table, column), seen, take)
    }
}

impl Scan {
    /// The place of the next row; `None` after the last.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn next<S: Source>(&mut self, database: &Database<S>) -> Result<Option<RowOffset>, SqliteError> {
        self.next_on(&database.pages)
    }
}
