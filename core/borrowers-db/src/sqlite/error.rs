//! What can be wrong with a file.

use serde::{Deserialize, Serialize};
use thiserror::Error;

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
