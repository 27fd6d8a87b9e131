//! Tools of others that check the add-on: addons-linter and axe-core. They are installed into `target/npm/`, in the versions of
//! `xtask/npm/package-lock.json`, and no build needs them.

use crate::{
    project::{self, Result, at, run},
    setup,
};
use std::{fs, path::PathBuf, process::Command};

fn folder() -> PathBuf {
    project::target().join("npm")
}

/// Installs what the lock file names, unless that was done already.
fn install() -> Result {
    let (wanted, there) = (project::root().join("xtask/npm"), folder());
    let lock = at(&wanted, fs::read(wanted.join("package-lock.json")))?;
    let done = there.join("installed-lock.json");
    if fs::read(&done).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    setup::npm()?;
    at(&there, fs::create_dir_all(&there))?;
    for name in ["package.json", "package-lock.json"] {
        at(&wanted, fs::copy(wanted.join(name), there.join(name)))?;
    }
    run(Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(&there))?;
    at(&done, fs::write(&done, lock))
}

/// axe-core, as one script.
///
/// # Errors
/// When it cannot be installed.
pub(crate) fn axe() -> Result<PathBuf> {
    install()?;
    Ok(folder().join("node_modules/axe-core/axe.min.js"))
}

/// Checks the package as addons.mozilla.org does: no error and no warning.
///
/// # Errors
/// When there is one, or the linter cannot be installed.
pub(crate) fn lint(xpi: &std::path::Path) -> Result {
    install()?;
    let mut command = Command::new("node");
    command.arg(folder().join("node_modules/addons-linter/bin/addons-linter")).arg("--warnings-as-errors");
    // An address for updates belongs to an add-on that its makers distribute themselves.
    let manifest = project::root().join("manifest.json");
    if at(&manifest, fs::read_to_string(&manifest))?.contains("\"update_url\"") {
        command.arg("--self-hosted");
    }
    run(command.arg(xpi))
}
