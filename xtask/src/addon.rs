//! Builds the add-on: `target/addon/`. The same sources give the same bytes, wherever they lie.

use crate::{
    glue, notices, practice,
    project::{self, Result, VERSION, at, cargo, names, run},
    setup,
};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};

/// What goes into the add-on besides the compiled core.
const PARTS: [&str; 6] = ["manifest.json", "LICENSE", "_locales", "icons", "options", "popup"];
/// What is compiled, each into a module of its own in the add-on's folder `pkg`: the add-on, and the parts of it that are
/// loaded only when they are used.
pub(crate) const PACKAGES: [&str; 2] = ["koct-extension", "koct-borrowers-module"];

/// A copy of the sources, and where it is built.
pub(crate) struct SourceTree {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
}

impl SourceTree {
    /// This repository.
    pub(crate) fn here() -> Self {
        Self { root: project::root(), target: project::target() }
    }

    /// Where the archive of the sources is built, to compare.
    pub(crate) fn elsewhere() -> Self {
        let folder = project::target().join("check");
        Self { root: folder.join(format!("koct-{VERSION}")), target: folder.join("target") }
    }
}

/// Builds the unpacked add-on. Returns its folder.
///
/// # Errors
/// When something does not compile, or versions differ.
pub(crate) fn build() -> Result<PathBuf> {
    build_at(&SourceTree::here(), &[])
}

/// As [`build`], of this tree of sources, with more arguments for cargo.
///
/// # Errors
/// As [`build`].
pub(crate) fn build_at(tree: &SourceTree, arguments: &[&str]) -> Result<PathBuf> {
    setup::wasm()?;
    check_version()?;
    run(cargo(&["build", "--quiet", "--release", "--target", setup::WASM, "--lib"])
        .args(PACKAGES.iter().flat_map(|package| ["--package", package]))
        .args(arguments)
        .current_dir(&tree.root)
        .env("CARGO_TARGET_DIR", &tree.target)
        .env("CARGO_ENCODED_RUSTFLAGS", nameless_paths()?))?;
    let addon = tree.target.join("addon");
    // Made of the same by the same tool, and as it was then, it stays: several steps of the suite use it beside each other.
    let (made_of, sources) = (tree.target.join("addon.made-of"), sources(tree)?);
    let stamp =
        || Ok::<_, String>(format!("{sources:016x} {:016x}", digest(vec![addon.clone()], DefaultHasher::new())?));
    if addon.exists() {
        if fs::read_to_string(&made_of).is_ok_and(|before| stamp().is_ok_and(|now| now == before)) {
            return Ok(addon);
        }
        at(&addon, fs::remove_dir_all(&addon))?;
    }
    let package = addon.join("pkg");
    at(&package, fs::create_dir_all(&package))?;
    for name in PACKAGES {
        glue::generate(&compiled(tree, name), &package, &module(name), |bindgen| {
            bindgen.remove_name_section(true).remove_producers_section(true);
        })?;
    }
    for part in PARTS {
        copy(&tree.root.join(part), &addon.join(part))?;
    }
    let read = |name: &str| {
        let path = tree.root.join("popup").join(name);
        at(&path, fs::read_to_string(&path))
    };
    let path = addon.join("popup/practice.html");
    at(&path, fs::write(&path, practice::page(&read("popup.html")?, &read("practice.html")?)?))?;
    let path = addon.join("NOTICES.txt");
    at(&path, fs::write(&path, notices::text(&tree.root, &PACKAGES, arguments)?))?;
    at(&made_of, fs::write(&made_of, stamp()?))?;
    Ok(addon)
}

/// The file that rustc has made of a package.
pub(crate) fn compiled(tree: &SourceTree, package: &str) -> PathBuf {
    tree.target.join(setup::WASM).join("release").join(format!("{}.wasm", module(package)))
}

/// Says what an add-on is made of, and by what: the same only where that is the same.
fn sources(tree: &SourceTree) -> Result<u64> {
    let tool = std::env::current_exe().map_err(|error| error.to_string())?;
    let data = at(&tool, fs::metadata(&tool))?;
    let mut hasher = DefaultHasher::new();
    (tool, data.len(), data.modified().ok()).hash(&mut hasher);
    let compiled = PACKAGES.iter().map(|package| compiled(tree, package));
    digest(compiled.chain(PARTS.iter().chain(&["Cargo.lock"]).map(|part| tree.root.join(part))).collect(), hasher)
}

/// Of these files, and all in these folders.
fn digest(mut paths: Vec<PathBuf>, mut hasher: DefaultHasher) -> Result<u64> {
    while let Some(path) = paths.pop() {
        path.hash(&mut hasher);
        if path.is_dir() {
            paths.extend(names(&path)?.into_iter().map(|name| path.join(name)));
        } else {
            at(&path, fs::read(&path))?.hash(&mut hasher);
        }
    }
    Ok(hasher.finish())
}

/// What cargo and wasm-bindgen call the module of a package.
fn module(package: &str) -> String {
    package.replace('-', "_")
}

/// Panics name the file they come from. These flags for rustc, as cargo wants them, make those names the same in every
/// folder and on every computer. Flags of the person's own are left out, for the same reason. They are the same wherever the
/// sources lie that are built, since cargo compiles a crate again when its flags change.
fn nameless_paths() -> Result<String> {
    let (here, elsewhere) = (SourceTree::here(), SourceTree::elsewhere());
    let rustc = |arguments: &[&str]| -> Result<String> {
        let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        let output = command.args(arguments).current_dir(&here.root).output();
        let output = output.map_err(|error| format!("cannot start {command:?}: {error}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let version = rustc(&["-vV"])?;
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown");
    let library = Path::new(&rustc(&["--print", "sysroot"])?).join("lib/rustlib/src/rust");
    // Where several fit, rustc takes the last.
    let names = [
        (here.root.clone(), "/koct".to_owned()),
        (here.target, "/koct/target".to_owned()),
        (elsewhere.root, "/koct".to_owned()),
        (elsewhere.target, "/koct/target".to_owned()),
        (project::cargo_home(), "/cargo".to_owned()),
        // Where the sources of the standard library are installed, rustc would name them there.
        (library, format!("/rustc/{commit}")),
    ];
    let flag = |(path, name): &(PathBuf, String)| format!("--remap-path-prefix={}={name}", path.display());
    Ok(names.iter().map(flag).collect::<Vec<_>>().join("\u{1f}"))
}

/// Firefox shows the manifest's version, .koc files the workspace's.
fn check_version() -> Result {
    let path = project::root().join("manifest.json");
    let manifest: serde_json::Value = serde_json::from_str(&at(&path, fs::read_to_string(&path))?)
        .map_err(|error| format!("manifest.json: {error}"))?;
    match manifest["version"].as_str() {
        Some(VERSION) => Ok(()),
        other => Err(format!("manifest.json has version {other:?}, Cargo.toml has {VERSION}: make them equal")),
    }
}

fn copy(from: &Path, to: &Path) -> Result {
    if from.is_dir() {
        at(to, fs::create_dir_all(to))?;
        for name in names(from)? {
            copy(&from.join(&name), &to.join(&name))?;
        }
        return Ok(());
    }
    at(from, fs::copy(from, to)).map(|_| ())
}

/// Says what was made and how large it is.
pub(crate) fn report(addon: &Path) {
    let size = |package: &&str| {
        let wasm = format!("{}_bg.wasm", module(package));
        format!("{wasm} {} KiB", project::kibibytes(&addon.join("pkg").join(&wasm)))
    };
    println!("{} ({})", addon.display(), PACKAGES.iter().map(size).collect::<Vec<_>>().join(", "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_is_explained() {
        let read = |name: &str| fs::read_to_string(project::root().join(name)).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&read("manifest.json")).unwrap();
        let readme = read("README.md");
        let (_, table) = readme.split_once("| permission | why |").unwrap();
        for permission in manifest["permissions"].as_array().unwrap() {
            assert!(table.contains(&format!("`{}`", permission.as_str().unwrap())), "{permission}");
        }
        assert!(manifest.get("host_permissions").is_none(), "access to servers is asked for, one at a time");
        let gecko = &manifest["browser_specific_settings"]["gecko"];
        assert_eq!(gecko["data_collection_permissions"], serde_json::json!({"required": ["none"]}));
    }

    #[test]
    fn the_versions_agree() {
        assert_eq!(check_version(), Ok(()));
    }
}
