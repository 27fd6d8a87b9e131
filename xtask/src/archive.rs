//! Zip archives of which nothing tells when and where they were packed.

use crate::project::{Result, at, names};
use std::{
    fs,
    io::{Cursor, Write},
    path::Path,
};
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter, write::SimpleFileOptions};

/// A file in an archive.
pub(crate) struct Packed {
    /// Where it is to be found.
    pub(crate) name: String,
    /// What it holds.
    pub(crate) content: Vec<u8>,
    /// Whether it is a program.
    pub(crate) executable: bool,
}

/// The archive of these files, in their order.
pub(crate) fn pack(files: &[Packed]) -> Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(if file.executable { 0o755 } else { 0o644 });
        archive.start_file(&file.name, options).map_err(|error| error.to_string())?;
        archive.write_all(&file.content).map_err(|error| error.to_string())?;
    }
    Ok(archive.finish().map_err(|error| error.to_string())?.into_inner())
}

/// Unpacks an archive into a folder.
pub(crate) fn unpack(archive: Vec<u8>, folder: &Path) -> Result {
    let archive = ZipArchive::new(Cursor::new(archive));
    archive.and_then(|mut archive| archive.extract(folder)).map_err(|error| format!("{}: {error}", folder.display()))
}

/// All files below a folder, sorted by their paths from there.
pub(crate) fn files(folder: &Path) -> Result<Vec<Packed>> {
    let mut found = Vec::new();
    collect(folder, "", &mut found)?;
    Ok(found)
}

fn collect(folder: &Path, below: &str, found: &mut Vec<Packed>) -> Result {
    for name in names(folder)? {
        let path = folder.join(&name);
        let name = format!("{below}{}", name.to_string_lossy());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), found)?;
        } else {
            found.push(Packed { name, content: at(&path, fs::read(&path))?, executable: false });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_the_same_each_time_and_gives_back_what_went_in() {
        let folder = crate::project::root().join("icons");
        let packed = pack(&files(&folder).unwrap()).unwrap();
        assert_eq!(packed, pack(&files(&folder).unwrap()).unwrap());
        let there = std::env::temp_dir().join(format!("koct-archive-{}", std::process::id()));
        unpack(packed.clone(), &there).unwrap();
        let again = pack(&files(&there).unwrap());
        fs::remove_dir_all(&there).unwrap();
        assert_eq!(again.unwrap(), packed);
    }
}
