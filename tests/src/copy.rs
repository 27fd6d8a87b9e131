//! The second copy, as an import puts it together.

use crate::Result;
use koct_core::{
    Entry,
    desks::{
        backup::{self, Header, Line},
        copy::{
            kept::FOLDER,
            together::{Piece, has_end, putting_together, sets},
        },
    },
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What an import would find in the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copy {
    /// The transactions of each set that counts, one after the other.
    pub entries: Vec<Entry>,
    /// How many files there are.
    pub files: usize,
    /// Whether something of a set is missing or cut off.
    pub lacks: bool,
    /// Whether a commit was running when the last file of a set was written.
    pub is_committing: bool,
}

/// The files of copies in a download folder, by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn files(downloads: &Path) -> Result<Vec<PathBuf>> {
    let folder = downloads.join(FOLDER);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    files.sort();
    Ok(files)
}

/// Puts the files in a download folder together.
///
/// # Errors
/// When the folder cannot be read.
pub fn read(downloads: &Path) -> Result<Copy> {
    // One that is just being removed is as good as gone.
    let contents: Vec<Vec<u8>> = files(downloads)?.iter().filter_map(|path| fs::read(path).ok()).collect();
    let piece = |bytes: &Vec<u8>| Some(Piece { part: Header::from_file(bytes).ok()?.copy?, has_end: has_end(bytes) });
    let pieces: Vec<Option<Piece>> = contents.iter().map(piece).collect();
    let mut copy = Copy { files: contents.len(), ..Copy::default() };
    for set in sets(pieces.iter().map(Option::as_ref)).into_iter().filter(|set| !set.is_replaced && !set.is_gone) {
        let bytes: Vec<Vec<u8>> = set.files.iter().map(|place| contents[*place].clone()).collect();
        let together = putting_together(&bytes).at_once();
        copy.lacks |= !set.missing.is_empty() || !together.cut.is_empty();
        copy.is_committing |= Header::from_file(&together.bytes).is_ok_and(|header| header.running.is_some());
        let text = String::from_utf8(together.bytes)?;
        copy.entries.extend(text.lines().skip(1).filter_map(|line| match backup::read(line) {
            Ok(Line::Transaction(entry)) => Some(*entry),
            _ => None,
        }));
    }
    Ok(copy)
}
