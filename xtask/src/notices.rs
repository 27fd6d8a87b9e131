//! The licences of all crates that are compiled into the add-on, as a text that goes with it: most ask for no more than that.

use crate::{
    project::{Result, at, cargo, names},
    setup,
};
use serde_json::Value;
use spdx::{Expression, Licensee, ParseMode};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
    process::Stdio,
};

/// Licences whose works may be part of one under GPL-3.0-or-later (<https://www.gnu.org/licenses/license-list.html>).
const COMPATIBLE: [&str; 13] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "0BSD",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// How the names of the files begin that hold a licence.
const FILES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];
/// Where one of several licences may be chosen, it is MIT: these say the same at greater length.
const NOT_CHOSEN: [&str; 5] = ["APACHE", "ZLIB", "0BSD", "COPYING", "BOOST"];

const MIT: &str = include_str!("notices/MIT.txt");

const HEAD: &str = "KOCT is free software under GPL-3.0-or-later: see LICENSE.\n\nCompiled into it are Rust's standard library, with the \
                    crates that come with it (cfg-if, compiler_builtins, dlmalloc, hashbrown, memchr and rustc-demangle): MIT OR Apache-2.0, \
                    Copyright (c) The Rust Project Contributors and the crates' authors; parts of compiler_builtins: Apache-2.0 WITH \
                    LLVM-exception. Besides it the crates below.\n";

/// The text, of what is compiled of these packages in this folder.
///
/// Which crates those are, cargo says, and what an expression of licences means, the crate `spdx`. Tools that do all of it name
/// crates that only run while others are compiled, do not ask for which target it is, and take minutes to be compiled themselves.
///
/// # Errors
/// When a crate has no licence, or one that KOCT's does not allow, or when cargo cannot tell.
pub(crate) fn text(root: &Path, packages: &[&str], arguments: &[&str]) -> Result<String> {
    let mut by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let known: Value = serde_json::from_str(&said(
        root,
        &["metadata", "--format-version", "1", "--filter-platform", setup::WASM],
        arguments,
    )?)
    .map_err(|error| format!("cargo metadata: {error}"))?;
    for (name, version) in compiled(root, packages, arguments)? {
        let mut all = known["packages"].as_array().into_iter().flatten();
        let package = all.find(|package| package["name"] == *name && package["version"] == *version);
        let package = package.ok_or_else(|| format!("cargo does not say where {name} {version} is"))?;
        // Ours have no source.
        if package["source"].is_null() {
            continue;
        }
        let title = format!("{name} {version} ({})", word(&package["license"]));
        if !is_compatible(word(&package["license"])) {
            return Err(format!(
                "{title}: its licence does not go with GPL-3.0-or-later, or is not known to (xtask/src/notices.rs)"
            ));
        }
        let folder = Path::new(word(&package["manifest_path"])).parent().ok_or("a package without a folder")?;
        for text in texts(folder, package).map_err(|error| format!("{title}: {error}"))? {
            by_text.entry(text).or_default().push(title.clone());
        }
    }
    let mut notices = HEAD.to_owned();
    let mut parts: Vec<(Vec<String>, String)> = by_text.into_iter().map(|(text, of)| (of, text)).collect();
    parts.sort();
    for (of, text) in parts {
        // Writing into a text cannot fail.
        let _ = write!(notices, "\n{}\n{}\n\n{text}\n", "-".repeat(72), of.join("\n"));
    }
    Ok(notices)
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What cargo says in a folder.
fn said(root: &Path, command: &[&str], arguments: &[&str]) -> Result<String> {
    let mut command = cargo(command);
    command.arg("--quiet").args(arguments).current_dir(root).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?} failed ({})", output.status));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{command:?}: {error}"))
}

/// The name and version of each crate whose code ends up in these packages, theirs too. What only runs while they are compiled
/// does not.
fn compiled(root: &Path, packages: &[&str], arguments: &[&str]) -> Result<BTreeSet<(String, String)>> {
    let edges = "normal,no-proc-macro";
    let mut command = vec!["tree", "--target", setup::WASM, "--edges", edges, "--prefix", "none", "--format", "{p}"];
    command.extend(packages.iter().flat_map(|package| ["--package", package]));
    let listed = said(root, &command, arguments)?;
    // NAME vVERSION, and where it was shown before or lies, in brackets. Packages stand apart by an empty line.
    let lines = listed.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let mut words = line.split(' ');
            match (words.next(), words.next().and_then(|version| version.strip_prefix('v'))) {
                (Some(name), Some(version)) => Ok((name.to_owned(), version.to_owned())),
                _ => Err(format!("cargo tree says {line:?}")),
            }
        })
        .collect()
}

/// Whether one of the licences between which may be chosen is compatible, for each part that has its own.
fn is_compatible(expression: &str) -> bool {
    let compatible: Vec<Licensee> = COMPATIBLE.iter().filter_map(|name| Licensee::parse(name).ok()).collect();
    // As older crates write it, too: MIT/Apache-2.0.
    Expression::parse_mode(expression, ParseMode::LAX)
        .is_ok_and(|expression| expression.evaluate(|asked| compatible.iter().any(|one| one.satisfies(asked))))
}

/// What the files of a package say of its licence. Where there is none and MIT may be chosen, that of its authors.
fn texts(folder: &Path, package: &Value) -> Result<Vec<String>> {
    let names: Vec<String> = names(folder)?.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    let is_one = |name: &&String| {
        FILES.iter().any(|start| name.to_uppercase().starts_with(start)) && folder.join(name).is_file()
    };
    let mut files: Vec<&String> = names.iter().filter(is_one).collect();
    if files.iter().any(|name| name.to_uppercase().contains("MIT")) {
        files.retain(|name| !NOT_CHOSEN.iter().any(|part| name.to_uppercase().contains(part)));
    }
    files.sort();
    if files.is_empty() {
        let authors: Vec<&str> = package["authors"].as_array().into_iter().flatten().map(word).collect();
        if !word(&package["license"]).split(" OR ").any(|choice| choice == "MIT") || authors.is_empty() {
            return Err("there is no text of its licence".into());
        }
        return Ok(vec![MIT.trim_end().replace("AUTHORS", &authors.join(", "))]);
    }
    let read = |name: &String| {
        let path = folder.join(name);
        // Line ends, so that the same text stands there once.
        Ok(at(&path, fs::read_to_string(&path))?.replace('\r', "").trim().to_owned())
    };
    files.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{addon::PACKAGES, project};

    #[test]
    fn each_crate_in_the_add_on_is_named_with_its_licence() {
        let notices = text(&project::root(), &PACKAGES, &[]).unwrap();
        for name in ["\nwasm-bindgen 0.2", "\nchrono ", "\nindexed_db_futures ", "\nserde_json ", "\nminiz_oxide "] {
            assert!(notices.contains(name), "{name}");
        }
        // What only runs while it is compiled, or natively, or is asked for by a feature that the add-on does not have.
        for name in ["\nsyn ", "\nthiserror-impl ", "\nproptest ", "\nrusqlite ", "\nhyper ", "\nmio ", "\nkoct"] {
            assert!(!notices.contains(name), "{name}");
        }
        for folder in [project::root(), project::cargo_home()] {
            assert!(!notices.contains(&*folder.to_string_lossy()), "it names {}", folder.display());
        }
    }

    #[test]
    fn licences_that_do_not_go_together_are_told() {
        for name in COMPATIBLE {
            assert!(is_compatible(name), "{name}");
        }
        for fine in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "(MIT OR GPL-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(is_compatible(fine), "{fine}");
        }
        for wrong in ["", "GPL-2.0", "MIT AND SSPL-1.0", "Proprietary", "Apache-2.0 WITH Proprietary", "MIT OR"] {
            assert!(!is_compatible(wrong), "{wrong}");
        }
        let folder = tempfile::tempdir().unwrap();
        let package = |license: &str, authors: &[&str]| serde_json::json!({"license": license, "authors": authors});
        assert!(texts(folder.path(), &package("MIT", &[])).is_err());
        assert!(texts(folder.path(), &package("Apache-2.0", &["Anna"])).is_err());
        assert!(texts(folder.path(), &package("MIT", &["Anna"])).unwrap()[0].contains("Copyright (c) Anna\n"));
        fs::write(folder.path().join("LICENSE-MIT"), "one\r\n").unwrap();
        fs::write(folder.path().join("LICENSE-APACHE"), "other").unwrap();
        assert_eq!(texts(folder.path(), &package("MIT OR Apache-2.0", &[])).unwrap(), ["one"]);
    }
}
