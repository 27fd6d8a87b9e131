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
mod database;
mod error;
mod pages;
mod record;
mod source;
mod table;
mod tree;

pub use database::Database;
pub use error::SqliteError;
pub use pages::Seen;
pub use record::Value;
pub use source::Source;
pub use table::Table;
pub use tree::{Row, RowOffset, Scan};
