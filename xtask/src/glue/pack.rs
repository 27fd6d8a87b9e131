//! Puts the pieces of the parts into one file for each part.
//!
//! wasm-split gives each set of parts that share code a file of its own, and each file costs the page that asks for it time in which
//! nothing else is done there. The loader's text says of each file where it is fetched; here, that becomes a place in a pack.

use crate::project::{Result, at};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// What gives a piece of a pack.
const PIECE: &str = include_str!("pack.js");
/// How the loader instantiates what it has fetched, and how a piece is.
const STREAMED: &str = "(WebAssembly.instantiateStreaming(src, imports))";
const INSTANTIATED: &str = "WebAssembly.instantiate(await src, imports)";

/// Packs the files that each part needs, which the list names without their endings. A file that several parts need is in the pack of
/// the first. `order` are parts that come before all others, in that order.
///
/// # Errors
/// When a file cannot be read or written, or the loader does not fetch each file once, and as it is known to do.
pub(super) fn pack(folder: &Path, loader: &Path, needs: &BTreeMap<String, Vec<String>>, order: &[&str]) -> Result {
    let mut text = at(loader, fs::read_to_string(loader))?;
    let mut packed = BTreeSet::new();
    let others = needs.keys().map(String::as_str).filter(|part| !order.contains(part));
    for part in order.iter().copied().chain(others) {
        let name = format!("{part}.parts");
        let mut bytes: Vec<u8> = Vec::new();
        for file in needs.get(part).into_iter().flatten() {
            if !packed.insert(file) {
                continue;
            }
            let path = folder.join(format!("{file}.wasm"));
            let piece = at(&path, fs::read(&path))?;
            text = fetched_from(&text, file, &format!("piece(\"./{name}\", {}, {})", bytes.len(), piece.len()))?;
            bytes.extend(piece);
            at(&path, fs::remove_file(&path))?;
        }
        let path = folder.join(&name);
        if !bytes.is_empty() {
            at(&path, fs::write(&path, bytes))?;
        }
    }
    if text.matches(STREAMED).count() != packed.len() || text.contains("fetch(") {
        return Err("wasm-split writes its loader in another way".to_owned());
    }
    at(loader, fs::write(loader, format!("{PIECE}{}", text.replace(STREAMED, INSTANTIATED))))
}

/// The loader with another place from which a file comes.
fn fetched_from(loader: &str, file: &str, place: &str) -> Result<String> {
    let fetched = format!("fetch(new URL(\"./{file}.wasm\", import.meta.url))");
    match loader.matches(&fetched).count() {
        1 => Ok(loader.replace(&fetched, place)),
        number => Err(format!("wasm-split's loader fetches {file} {number} times")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOADER: &str = "const __chunk_1 = makeLoad(() => {
    const src = fetch(new URL(\"./chunk_1.wasm\", import.meta.url));
    return async (imports) => (WebAssembly.instantiateStreaming(src, imports));
}, []);
export const load_late = makeLoad(() => {
    const src = fetch(new URL(\"./split_late.wasm\", import.meta.url));
    return async (imports) => (WebAssembly.instantiateStreaming(src, imports));
}, [__chunk_1]);
";

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("split.js", LOADER), ("chunk_1.wasm", "shared"), ("split_late.wasm", "late")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn needs(late: &[&str]) -> BTreeMap<String, Vec<String>> {
        let list = |files: &[&str]| files.iter().map(|file| (*file).to_owned()).collect();
        [("early".to_owned(), list(&["chunk_1"])), ("late".to_owned(), list(late))].into()
    }

    #[test]
    fn each_file_is_in_the_pack_of_the_first_part_that_needs_it() {
        let folder = folder();
        let loader = folder.path().join("split.js");
        pack(folder.path(), &loader, &needs(&["chunk_1", "split_late"]), &["late"]).unwrap();
        assert_eq!(fs::read(folder.path().join("late.parts")).unwrap(), b"sharedlate");
        assert!(!folder.path().join("early.parts").exists(), "it needs nothing else");
        let text = fs::read_to_string(loader).unwrap();
        assert!(text.contains("src = piece(\"./late.parts\", 0, 6);"), "{text}");
        assert!(text.contains("src = piece(\"./late.parts\", 6, 4);"), "{text}");
        assert!(!folder.path().join("chunk_1.wasm").exists());
    }

    #[test]
    fn a_loader_that_is_not_understood_is_refused() {
        let refusal = |late: &str| {
            let folder = folder();
            fs::write(folder.path().join("chunk_2.wasm"), "nobody fetches it").unwrap();
            pack(folder.path(), &folder.path().join("split.js"), &needs(&[late]), &[]).unwrap_err()
        };
        assert!(refusal("chunk_2").contains("fetches chunk_2 0 times"), "{}", refusal("chunk_2"));
        assert!(refusal("chunk_1").contains("another way"), "what is not packed is fetched: {}", refusal("chunk_1"));
    }
}
