//! What is remembered of the second copy from one window, and one run of Firefox, to the next.

use crate::{
    desk::{clock::DeskTime, name::DeskName, transaction::TransactionId},
    desks::{backup::part::SetId, koc},
};
use serde::{Deserialize, Serialize};

/// The folder, in that of Firefox's downloads.
pub const FOLDER: &str = "KOCT";

/// How the copy stands. Earlier versions' is read for ever.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// The files that hold the log now.
    pub current: Option<Current>,
    /// Those that shall hold it next: the first of them may be there, wholly or in part.
    pub begun: Option<FileSet>,
    /// Those that are to be removed.
    pub old: Vec<FileSet>,
    /// As of when everything was copied last.
    pub copied: Option<DeskTime>,
    /// Why the last try failed; nothing where it did not.
    pub problem: Option<Problem>,
    /// Sets of which nothing is left but the file that closes them: it tells whoever goes on from an image of this profile that somebody
    /// went on before. The last few stay.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<FileSet>,
    /// When it was found that somebody else has gone on with this log's copy: the folder tells of what this log does not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others: Option<DeskTime>,
}

/// The files that hold the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// Which they are.
    pub files: FileSet,
    /// The highest number in them.
    pub last: TransactionId,
    /// The day on which it was, in days since 1970 in UTC.
    pub day: i64,
}

/// Files that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSet {
    /// What they have in common.
    pub id: SetId,
    /// The desk, as it was called when the first was written.
    pub desk: DeskName,
    /// The run of Firefox in which they were begun.
    pub run: String,
    /// The number of the last.
    pub parts: u32,
    /// Whether the file after the last is there and [closes](crate::desks::backup::part::Part::closes) it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_closed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Why something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// Firefox does not let KOCT write files.
    NotAllowed,
    /// A file could not be written: no room, a folder that is locked, a drive that is away.
    NotWritten,
    /// The log could not be read, or what is kept here could not be stored.
    NotRead,
}

impl FileSet {
    /// The name of its file of this number, with its folder.
    pub fn name(&self, number: u32) -> String {
        let part = if number == 0 { String::new() } else { format!("_{number:03}") };
        format!("{FOLDER}/koct_copy_{}_{}{part}.jsonl", koc::safe_in_names(self.desk.as_str()), self.id)
    }
}
