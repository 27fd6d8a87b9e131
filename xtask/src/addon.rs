//! Builds the add-on: `target/addon/`, and from it the .xpi.

use crate::{
    project::{self, Result, VERSION, at, cargo, run, succeeds},
    setup,
};
use std::{
    ffi::OsStr,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// What goes into the add-on besides the compiled core.
const PARTS: [&str; 6] = ["manifest.json", "LICENSE", "_locales", "icons", "options", "popup"];
const GLUE: &str = "koct_extension";
/// What rustc's wasm32-unknown-unknown uses beyond the first version of WebAssembly.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Builds the unpacked add-on. Returns its folder.
///
/// # Errors
/// When something does not compile, or versions differ.
pub(crate) fn build() -> Result<PathBuf> {
    setup::wasm()?;
    check_version()?;
    run(&mut cargo(&[
        "build",
        "--quiet",
        "--release",
        "--target",
        "wasm32-unknown-unknown",
        "--package",
        "koct-extension",
    ]))?;
    let addon = project::addon();
    if addon.exists() {
        at(&addon, fs::remove_dir_all(&addon))?;
    }
    let package = addon.join("pkg");
    at(&package, fs::create_dir_all(&package))?;
    let compiled = project::target().join("wasm32-unknown-unknown/release").join(format!("{GLUE}.wasm"));
    // The very wasm-bindgen of Cargo.lock, as a library: the glue must come from the same version as the crate.
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(&compiled)
        .web(true)
        .map_err(|error| error.to_string())?
        .omit_default_module_path(false)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&package)
        .map_err(|error| format!("wasm-bindgen: {error:#}"))?;
    optimise(&package.join(format!("{GLUE}_bg.wasm")))?;
    for part in PARTS {
        copy(&project::root().join(part), &addon.join(part))?;
    }
    Ok(addon)
}

/// Makes the wasm smaller, where wasm-opt is installed.
fn optimise(wasm: &Path) -> Result {
    let tool = std::env::var_os("WASM_OPT").unwrap_or_else(|| "wasm-opt".into());
    if !succeeds(Command::new(&tool).arg("--version")) {
        return Ok(());
    }
    run(Command::new(&tool).arg("-Oz").args(WASM_FEATURES).arg(wasm).arg("-o").arg(wasm))
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

/// The names in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<std::ffi::OsString>> {
    let mut names = at(folder, fs::read_dir(folder))?
        .map(|entry| at(folder, entry).map(|entry| entry.file_name()))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// The files below a folder, by their paths from there, sorted.
fn files(folder: &Path, below: &str, found: &mut Vec<String>) -> Result {
    for name in names(folder)? {
        let path = folder.join(&name);
        let name = format!("{below}{}", name.to_string_lossy());
        if path.is_dir() { files(&path, &format!("{name}/"), found)? } else { found.push(name) }
    }
    Ok(())
}

/// Builds `target/koct-VERSION.xpi`, byte for byte the same each time.
///
/// # Errors
/// As [`build`], or when the file cannot be written.
pub(crate) fn package() -> Result<PathBuf> {
    let addon = build()?;
    let path = project::target().join(format!("koct-{VERSION}.xpi"));
    at(&path, fs::write(&path, pack(&addon)?))?;
    Ok(path)
}

fn pack(folder: &Path) -> Result<Vec<u8>> {
    let mut names = Vec::new();
    files(folder, "", &mut names)?;
    // Nothing of when and where it was packed may get in.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in names {
        let path = folder.join(&name);
        let content = at(&path, fs::read(&path))?;
        archive.start_file(&name, options).map_err(|error| error.to_string())?;
        at(&path, archive.write_all(&content))?;
    }
    Ok(archive.finish().map_err(|error| error.to_string())?.into_inner())
}

/// Says what was made and how large it is.
pub(crate) fn report(path: &Path) {
    let size = |path: &Path| fs::metadata(path).map(|data| data.len() / 1024).unwrap_or_default();
    if path.extension() == Some(OsStr::new("xpi")) {
        println!("{} ({} KiB)", path.display(), size(path));
    } else {
        let wasm = path.join("pkg").join(format!("{GLUE}_bg.wasm"));
        println!("{} (wasm {} KiB)", path.display(), size(&wasm));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_the_same_each_time() {
        let folder = project::root().join("icons");
        let first = pack(&folder).unwrap();
        assert_eq!(first, pack(&folder).unwrap());
        assert!(first.starts_with(b"PK"));
    }

    #[test]
    fn the_versions_agree() {
        assert_eq!(check_version(), Ok(()));
    }
}
