//! The seeds, read from `corpus/`.

use std::{fs, io, path::Path};

/// A file of the corpus.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seed {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// All seeds of a target, by name: the order of a directory differs between computers, and a run must not.
///
/// # Errors
/// When the directory cannot be read.
pub fn seeds(target: &str) -> io::Result<Vec<Seed>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut seeds = Vec::new();
    for file in fs::read_dir(directory)? {
        let file = file?;
        seeds.push(Seed { name: file.file_name().to_string_lossy().into_owned(), bytes: fs::read(file.path())? });
    }
    seeds.sort();
    Ok(seeds)
}
