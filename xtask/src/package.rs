//! `cargo xtask package`: the .xpi, and the sources from which anybody can build the same .xpi.

use crate::{
    addon::{self, SourceTree},
    archive::{self, Packed},
    project::{self, Result, VERSION, at, kibibytes},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The Rust that releases are built with. Another one makes an add-on that works as well, of other bytes.
const TOOLCHAIN: &str = "1.95.0";

/// The module that the window starts with, and how large it may be, compressed as it lies in the .xpi. Firefox compiles it each time
/// the window opens; what more there is belongs into the parts that are loaded later (`extension/src/later.rs`).
const START: &str = "pkg/koct_extension_bg.wasm";
const START_LIMIT: usize = 250_000;

/// How many sorts of the standard library the add-on may hold: some twenty functions each, for each type that is sorted
/// anew. There were 60; what is left are those of crates, and of plain numbers (core/src/ordered.rs).
const SORTS_LIMIT: usize = 20;

/// The names of the functions of which each such sort has one: the stable one and the other.
const SORTS: [&[u8]; 2] = [b"driftsort_main", b"ipnsort"];

/// How many names of sorted trees of the standard library the add-on may hold: two stand in the module for each pair of
/// types, which is some fifty functions. There were 107; what is left are the numbers of transactions, and JSON's.
const TREES_LIMIT: usize = 6;

/// The name of the function by which a tree grows, of which each such pair has one.
const TREES: [&[u8]; 1] = [b"insert_recursing"];

/// Writes `target/koct-VERSION.xpi`, if nothing in it tells where it was built, and, where git is at hand,
/// `target/koct-VERSION-source.zip`. Returns the former.
///
/// # Errors
/// As [`addon::build`], or when a file cannot be written.
pub(crate) fn package() -> Result<PathBuf> {
    let addon = addon::build_at(&SourceTree::here(), &["--locked"])?;
    within(
        "bytes of the module that the window starts with",
        start(&addon)?,
        START_LIMIT,
        "it belongs into a later part",
    )?;
    within(
        "sorts",
        named(&SORTS)?,
        SORTS_LIMIT,
        "lists are sorted by core/src/ordered.rs: a sort for itself is twenty functions",
    )?;
    let instead = "a BTreeMap or BTreeSet of other types is fifty functions: ARCHITECTURE.md says what to use instead";
    within("names of sorted trees", named(&TREES)?, TREES_LIMIT, instead)?;
    let files = archive::files(&addon)?;
    let places = [project::root(), project::target(), project::cargo_home()];
    let naming = naming(&files, &places);
    if !naming.is_empty() {
        return Err(format!("these files name a folder of this computer: {}", naming.join(", ")));
    }
    let xpi = project::target().join(format!("koct-{VERSION}.xpi"));
    at(&xpi, fs::write(&xpi, archive::pack(&files)?))?;
    println!("{} ({} KiB)", xpi.display(), kibibytes(&xpi));
    match source()? {
        Some(files) => {
            let path = source_path();
            at(&path, fs::write(&path, archive::pack(&files)?))?;
            println!("{} ({} KiB)", path.display(), kibibytes(&path));
        }
        None => println!("this is no git repository, so no archive of the sources was written"),
    }
    let rustc = Command::new("rustc").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let rustc = String::from_utf8_lossy(&rustc);
    if !rustc.starts_with(&format!("rustc {TOOLCHAIN} ")) {
        println!("note: built with {}; releases are built with {TOOLCHAIN}", rustc.trim());
    }
    Ok(xpi)
}

/// Says what there is of something, and checks that it is no more than this.
fn within(what: &str, found: usize, limit: usize, instead: &str) -> Result {
    println!("{what}: {found} of at most {limit}");
    match found {
        // The standard library has its own, always.
        0 => Err(format!("{what}: none was found, so what is counted has another name now")),
        _ if found > limit => Err(format!("{what}: {found}, and at most {limit} may be: {instead}")),
        _ => Ok(()),
    }
}

/// The size of the module that the window starts with, compressed.
fn start(addon: &Path) -> Result<usize> {
    let path = addon.join(START);
    let module = Packed { name: START.to_owned(), content: at(&path, fs::read(&path))?, executable: false };
    Ok(archive::pack(&[module])?.len())
}

/// How often these names of functions stand in the modules as they were compiled: those of the add-on have no names any more.
fn named(names: &[&[u8]]) -> Result<usize> {
    let count =
        |module: &[u8]| names.iter().map(|name| module.windows(name.len()).filter(|at| at == name).count()).sum();
    let modules = addon::PACKAGES.iter().map(|name| addon::compiled(&SourceTree::here(), name));
    modules.map(|path| at(&path, fs::read(&path)).map(|module| -> usize { count(&module) })).sum()
}

/// Packages, builds the archive of the sources in another folder, and compares. For a release: it compiles everything once more.
///
/// # Errors
/// As [`package`], or when the two differ.
pub(crate) fn check() -> Result {
    let first = package()?;
    if !source_path().exists() {
        return Err("there is no archive of the sources to check".into());
    }
    let elsewhere = SourceTree::elsewhere();
    let folder = project::target().join("check");
    if folder.exists() {
        at(&folder, fs::remove_dir_all(&folder))?;
    }
    archive::unpack(at(&source_path(), fs::read(source_path()))?, &folder)?;
    let addon = addon::build_at(&elsewhere, &["--locked", "--offline"])?;
    let differing = differences(&archive::files(&project::addon())?, &archive::files(&addon)?);
    if !differing.is_empty() {
        return Err(format!("built elsewhere, these files differ: {}", differing.join(", ")));
    }
    let again = archive::pack(&archive::files(&addon)?)?;
    if at(&first, fs::read(&first))? != again {
        return Err(format!("{} differs, although its files do not", first.display()));
    }
    println!("the sources, built in {}, give the same .xpi", folder.display());
    Ok(())
}

/// The names of the files that hold the path of one of these folders.
fn naming(files: &[Packed], places: &[PathBuf]) -> Vec<String> {
    let holds = |content: &[u8], place: &PathBuf| {
        let path = place.to_string_lossy();
        content.windows(path.len()).any(|part| part == path.as_bytes())
    };
    let named = files.iter().filter(|file| places.iter().any(|place| holds(&file.content, place)));
    named.map(|file| file.name.clone()).collect()
}

/// The names of the files that are not the same in both.
fn differences(one: &[Packed], other: &[Packed]) -> Vec<String> {
    let lacks = |files: &[Packed], file: &Packed| {
        !files.iter().any(|candidate| candidate.name == file.name && candidate.content == file.content)
    };
    let mut names: Vec<String> = one.iter().filter(|file| lacks(other, file)).map(|file| file.name.clone()).collect();
    names.extend(other.iter().filter(|file| lacks(one, file)).map(|file| file.name.clone()));
    names.sort();
    names.dedup();
    names
}

fn source_path() -> PathBuf {
    project::target().join(format!("koct-{VERSION}-source.zip"))
}

/// The files that git tracks, as they are here, below a folder of their own. `None` outside a repository, as in an unpacked
/// archive.
fn source() -> Result<Option<Vec<Packed>>> {
    let git = |arguments: &[&str]| Command::new("git").args(arguments).current_dir(project::root()).output();
    let Ok(top) = git(&["rev-parse", "--show-toplevel"]) else { return Ok(None) };
    // An unpacked archive can lie within another repository.
    let top = String::from_utf8_lossy(&top.stdout).trim().to_owned();
    if top.is_empty() || fs::canonicalize(&top).ok() != fs::canonicalize(project::root()).ok() {
        return Ok(None);
    }
    let listed = git(&["ls-files", "--stage", "-z"]).map_err(|error| error.to_string())?;
    let listed = String::from_utf8(listed.stdout).map_err(|_| "git tracks a file whose name is not UTF-8")?;
    let mut files = Vec::new();
    for line in listed.split_terminator('\0') {
        let (mode, name) = line.split_once('\t').ok_or("git lists its files in another way")?;
        let path = project::root().join(name);
        // Deleted, and git not told yet.
        if path.exists() {
            let name = format!("koct-{VERSION}/{name}");
            files.push(Packed { name, content: at(&path, fs::read(&path))?, executable: mode.starts_with("100755") });
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Some(files))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_are_complete_and_nothing_else() {
        let Some(files) = source().unwrap() else { return };
        let has = |name: &str| files.iter().any(|file| file.name == format!("koct-{VERSION}/{name}"));
        for name in ["Cargo.lock", "manifest.json", "core/src/lib.rs", "xtask/src/main.rs", ".cargo/config.toml"] {
            assert!(has(name), "{name}");
        }
        assert!(!files.iter().any(|file| file.name.contains("/target/") || file.name.contains("/.git/")));
        assert!(files.is_sorted_by(|one, next| one.name < next.name));
    }

    fn file(name: &str, content: &str) -> Packed {
        Packed { name: name.into(), content: content.as_bytes().to_vec(), executable: false }
    }

    #[test]
    fn a_path_of_this_computer_is_found() {
        let files = [file("a", "at /home/me/koct/core/src/lib.rs:1"), file("b", "at core/src/lib.rs:1"), file("c", "")];
        assert_eq!(naming(&files, &[PathBuf::from("/elsewhere"), PathBuf::from("/home/me/koct")]), ["a"]);
    }

    #[test]
    fn more_than_may_be_and_nothing_where_something_always_is_are_refused() {
        assert!(within("sorts", 20, 20, "").is_ok());
        assert!(within("sorts", 21, 20, "sort otherwise").unwrap_err().ends_with("sort otherwise"));
        assert!(within("sorts", 0, 20, "").is_err());
    }

    #[test]
    fn files_that_differ_are_named() {
        let one = [file("a", "1"), file("b", "1"), file("c", "1")];
        let other = [file("a", "1"), file("b", "2"), file("d", "1")];
        assert_eq!(differences(&one, &other), ["b", "c", "d"]);
    }
}
