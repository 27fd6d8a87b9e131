//! Installs what is missing, or says in one line how.

use crate::project::{Result, run, succeeds};
use std::process::Command;

/// What the add-on is compiled for.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// The target that the add-on is compiled for.
pub(crate) fn wasm() -> Result {
    let installed = Command::new("rustup").args(["target", "list", "--installed"]).output();
    match installed {
        Ok(output) if String::from_utf8_lossy(&output.stdout).lines().any(|line| line == WASM) => Ok(()),
        Ok(_) => run(Command::new("rustup").args(["target", "add", WASM])),
        // Without rustup the target may still be there; cargo tells if not.
        Err(_) => Ok(()),
    }
}

/// Firefox, for the tests and the demo. KOCT itself runs in older ones: `strict_min_version` in the manifest.
pub(crate) fn firefox() -> Result {
    if koct_tests::firefox::binary().is_some() {
        return Ok(());
    }
    // One that is older is replaced, too; one that was named is nobody's but the person's.
    let is_named = std::env::var_os("FIREFOX").is_some();
    if is_named || apt("firefox-esr").is_err() || koct_tests::firefox::binary().is_none() {
        return Err(format!(
            "Firefox is missing or too old: install Firefox ESR {} or later, or name its binary in the variable FIREFOX",
            koct_tests::firefox::OLDEST
        ));
    }
    Ok(())
}

/// npm, for the tools that check the add-on. It is needed for no build.
pub(crate) fn npm() -> Result {
    let works = || succeeds(Command::new("npm").arg("--version"));
    if works() || (apt("npm").is_ok() && works()) {
        return Ok(());
    }
    Err("npm is missing: install Node.js 20 or later with npm (Debian: apt-get install npm)".into())
}

/// Installs a package of Debian, where that can be done without asking.
fn apt(package: &str) -> Result {
    println!("{package} is missing, or too old: trying apt-get install {package}");
    let apt = |arguments: &[&str]| {
        let as_root = succeeds(Command::new("sh").args(["-c", "test \"$(id -u)\" = 0"]));
        let mut command = if as_root { Command::new("apt-get") } else { Command::new("sudo") };
        if !as_root {
            command.args(["-n", "apt-get"]);
        }
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut command)
    };
    apt(&["update", "-qq"]).and_then(|()| apt(&["install", "-y", "-qq", package]))
}

/// Everything.
pub(crate) fn all() -> Result {
    wasm()?;
    firefox()
}
