//! The native tests, built once and run by name.

use super::NATIVE;
use crate::project::{Result, cargo, run};
use serde_json::Value;
use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

/// Programs that cargo made of tests.
pub(crate) struct Binaries(Vec<Binary>);

struct Binary {
    /// What cargo calls its target.
    name: String,
    program: PathBuf,
    /// The folder of its package, in which cargo runs it too.
    folder: PathBuf,
}

/// The target of the end-to-end tests.
const END_TO_END: &str = "e2e";

impl Binaries {
    /// Builds all of them.
    ///
    /// # Errors
    /// When one does not compile.
    pub(crate) fn build() -> Result<Self> {
        let mut command = cargo(&["test", "--no-run", "--message-format", "json-render-diagnostics"]);
        let output = command.args(NATIVE).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = output.map_err(|error| format!("cannot start {command:?}: {error}"))?;
        if !output.status.success() {
            return Err(format!("{command:?} failed ({})", output.status));
        }
        let said = String::from_utf8_lossy(&output.stdout);
        Ok(Self(said.lines().filter_map(|line| read(&serde_json::from_str(line).ok()?)).collect()))
    }

    /// Runs all but the end-to-end tests.
    ///
    /// # Errors
    /// When one fails; all are run.
    pub(crate) fn run_native(&self) -> Result {
        let mut failed = Vec::new();
        for binary in self.0.iter().filter(|binary| binary.name != END_TO_END) {
            let folder = binary.folder.file_name().unwrap_or_default().display();
            println!("\n{folder}, {}", binary.name);
            if let Err(error) = run(binary.command().arg("--quiet")) {
                failed.push(error);
            }
        }
        if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
    }

    /// The end-to-end tests, to be given names and what they need of the environment.
    ///
    /// # Errors
    /// When there are none.
    pub(crate) fn end_to_end(&self) -> Result<Command> {
        let binary = self.0.iter().find(|binary| binary.name == END_TO_END);
        Ok(binary.ok_or("there are no end-to-end tests")?.command())
    }

    /// Checks that there are end-to-end tests with these names.
    ///
    /// # Errors
    /// When one is missing.
    pub(crate) fn holds_all(&self, names: &[&str]) -> Result {
        let output = self.end_to_end()?.args(["--list", "--format", "terse"]).output();
        let output = output.map_err(|error| error.to_string())?;
        let listed = String::from_utf8_lossy(&output.stdout);
        let is_there = |name: &&&str| listed.lines().any(|line| line == format!("{name}: test"));
        match names.iter().find(|name| !is_there(name)) {
            Some(name) => Err(format!("there is no end-to-end test {name}")),
            None => Ok(()),
        }
    }
}

impl Binary {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        command
    }
}

/// What a line of cargo's says was made, where that is a test.
fn read(line: &Value) -> Option<Binary> {
    if line["profile"]["test"] != true {
        return None;
    }
    Some(Binary {
        name: line["target"]["name"].as_str()?.to_owned(),
        program: line["executable"].as_str()?.into(),
        folder: PathBuf::from(line["manifest_path"].as_str()?).parent()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The crates that a selection of packages needs, with their features, as cargo prints them.
    fn crates(selection: &[&str], edges: &str) -> BTreeSet<String> {
        let mut command =
            cargo(&["tree", "--offline", "--quiet", "--prefix", "none", "--format", "{p} {f}", "--edges", edges]);
        let output = command.args(selection).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).unwrap();
        let lines = printed.lines().map(|line| line.trim_end_matches(" (*)").trim_end().to_owned());
        // Ours stand with their folder.
        lines.filter(|line| !line.contains(" (/")).collect()
    }

    #[test]
    fn each_crate_is_compiled_once() {
        let (own, all) = (crates(&["--package", "xtask"], "normal,build"), crates(&NATIVE, "normal,build,dev"));
        let differing: Vec<&String> = own.difference(&all).collect();
        assert!(
            differing.is_empty(),
            "these have fewer features for `cargo xtask` than for the tests, and are compiled twice: {differing:#?}"
        );
    }

    #[test]
    fn a_test_is_told_from_other_things_that_cargo_makes() {
        let line = |test: bool, executable: Option<&str>| {
            serde_json::json!({"reason": "compiler-artifact", "manifest_path": "/koct/core/Cargo.toml", "target": {"name": "golden"},
                "profile": {"test": test}, "executable": executable})
        };
        let binary = read(&line(true, Some("/koct/target/golden-1"))).unwrap();
        assert_eq!((binary.name.as_str(), binary.folder), ("golden", PathBuf::from("/koct/core")));
        assert!(read(&line(false, Some("/koct/target/koct"))).is_none());
        assert!(read(&line(true, None)).is_none());
        assert!(read(&serde_json::json!({"reason": "build-finished", "success": true})).is_none());
    }
}
