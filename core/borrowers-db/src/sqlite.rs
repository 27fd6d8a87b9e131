//! Reads the tables of an SQLite 3 file: all rows of a table, in the order of their rowids, and nothing else.
//!
//! The format is documented, stable and, for tables that are only read, small. The readers in pure Rust are not maintained or
//! whole database engines, and SQLite itself is C, which needs clang to become WebAssembly: a fresh machine with Rust lacks
//! it. So this is one of our own:
//!
//! - it reads what the file holds. What a program has written but not yet brought into it, and what it would take back, stand
//!   in files of their own (`-wal`, `-journal`) that are not looked at: the writer should have closed its file;
//! - indexes, views, free pages and tables `WITHOUT ROWID` are not read;
//! - the file may be cut, damaged or made to do harm: each page is visited at most once in a scan, so no cycle and no page
//!   claimed twice can make it long, and nothing is allocated that the file does not fill. What does not fit is an error
//!   and never skipped: who reads half of a file should know.
//!
//! Pages are fetched from a [`Source`] when they are needed, so the file need not lie in this program's memory.

mod create;
mod pages;
mod record;
mod tree;

pub use pages::Seen;
pub use record::Value;
pub use tree::{Row, RowOffset, Scan};

use pages::Pages;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where the file lies.
pub trait Source {
    /// How many bytes it has.
    fn size(&self) -> u64;

    /// Fills the buffer with what stands from there on. Called only within the size.
    fn read(&self, at: u64, into: &mut [u8]);
}

impl Source for Vec<u8> {
    fn size(&self) -> u64 {
        u64::try_from(self.len()).unwrap_or(u64::MAX)
    }

    fn read(&self, at: u64, into: &mut [u8]) {
        let from = usize::try_from(at).ok().and_then(|at| self.get(at..at.checked_add(into.len())?));
        if let Some(from) = from {
            into.copy_from_slice(from);
        }
    }
}

/// Why a file or a table in it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SqliteError {
    /// There is nothing in the file.
    #[error("the file is empty")]
    Empty,
    /// It is of another kind, or encrypted.
    #[error("this is no SQLite file, or it is encrypted")]
    NotSqlite,
    /// It is of SQLite 2, whose files are altogether different.
    #[error("this is a file of SQLite 2, made before 2004 or for programs from then")]
    Version2,
    /// It says that only later versions of SQLite may read it.
    #[error("this file is of a later version of SQLite")]
    TooNew,
    /// It has more than 4 GiB.
    #[error("the file is too large")]
    TooLarge,
    /// It should be longer than it is.
    #[error("the end of the file is missing")]
    Cut,
    /// What stands on a page is not what should stand there.
    #[error("the file is damaged (page {page})")]
    Damaged {
        /// Where it was noticed, from 1.
        page: u32,
    },
    /// It has no such table.
    #[error("the file has no table {table}")]
    NoTable {
        /// Its name.
        table: String,
    },
    /// The table is none that has rowids.
    #[error("the table {table} is WITHOUT ROWID, virtual or defined in an unknown way")]
    OtherTable {
        /// Its name.
        table: String,
    },
}

/// A table, as `CREATE TABLE` has defined it.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    columns: Vec<create::Column>,
    root: u32,
}

impl Table {
    /// The names of its columns, in their order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// The place of this column, in whatever case it is written. `None` where there is none, or its values are computed and
    /// not stored.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|column| column.name.eq_ignore_ascii_case(name) && column.kind != create::Kind::Computed)
    }
}

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
}
