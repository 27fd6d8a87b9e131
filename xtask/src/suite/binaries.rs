//! Tests, built once, looked at by clippy in the same go, and run by name.

use crate::project::{Result, cargo, run, succeeds};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// `cargo test`, where all that it compiles of ours is looked at by clippy, if that is there.
pub(super) fn test(arguments: &[&str]) -> Command {
    let mut command = cargo(&["test"]);
    command.args(arguments);
    if succeeds(Command::new(CLIPPY).arg("--version")) {
        command.env("RUSTC_WORKSPACE_WRAPPER", CLIPPY);
    }
    command
}

/// Programs that cargo made of tests, and the number of warnings that were given then.
pub(crate) struct Binaries {
    tests: Vec<Binary>,
    warnings: usize,
}

struct Binary {
    /// What cargo calls its target.
    name: String,
    /// Whether it is a file of tests, and not a library or a program with tests in it.
    is_test_file: bool,
    program: PathBuf,
    /// The folder of its package, in which cargo runs it too.
    folder: PathBuf,
}

/// Compiles our own crates in rustc's place, and looks at them: what they need is compiled once for both.
const CLIPPY: &str = "clippy-driver";

/// The target of the end-to-end tests.
const END_TO_END: &str = "e2e";

impl Binaries {
    /// Builds those of a selection, as cargo takes it.
    ///
    /// # Errors
    /// When one does not compile.
    pub(crate) fn build(selection: &[&str]) -> Result<Self> {
        let mut command = test(&["--no-run", "--message-format", "json"]);
        command.args(selection).stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = command.output().map_err(|error| format!("cannot start {command:?}: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let said: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        // The same file is compiled several times, with its tests and without them.
        let rendered: BTreeSet<&str> = said.iter().filter_map(rendered).collect();
        for rendered in &rendered {
            eprintln!("{rendered}");
        }
        if !output.status.success() {
            return Err(format!("{command:?} failed ({})", output.status));
        }
        Ok(Self { tests: said.iter().filter_map(read).collect(), warnings: rendered.len() })
    }

    /// Checks that nothing was warned of.
    ///
    /// # Errors
    /// When something was.
    pub(crate) fn without_warnings(&self) -> Result {
        if self.warnings == 0 { Ok(()) } else { Err(format!("{} warnings", self.warnings)) }
    }

    /// Runs all but the end-to-end tests.
    ///
    /// # Errors
    /// When one fails; all are run.
    pub(crate) fn run_native(&self) -> Result {
        self.run(
            |_| true,
            |binary| {
                let mut command = binary.command(&binary.program);
                command.arg("--quiet");
                command
            },
        )
    }

    /// Runs the files of tests in a page of Firefox.
    ///
    /// # Errors
    /// When one fails; all are run.
    pub(crate) fn run_in_browser(&self) -> Result {
        let runner = std::env::current_exe().map_err(|error| error.to_string())?;
        self.run(
            |binary| binary.is_test_file,
            |binary| {
                let mut command = binary.command(&runner);
                command.arg("wasm-runner").arg(&binary.program);
                command
            },
        )
    }

    fn run(&self, is_run: impl Fn(&Binary) -> bool, command: impl Fn(&Binary) -> Command) -> Result {
        let mut failed = Vec::new();
        for binary in self.tests.iter().filter(|binary| binary.name != END_TO_END && is_run(binary)) {
            let folder = binary.folder.file_name().unwrap_or_default().display();
            println!("\n{folder}, {}", binary.name);
            if let Err(error) = run(&mut command(binary)) {
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
        let binary = self.tests.iter().find(|binary| binary.name == END_TO_END);
        let binary = binary.ok_or("there are no end-to-end tests")?;
        Ok(binary.command(&binary.program))
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
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        command
    }
}

/// What a line of cargo's says is wrong.
fn rendered(line: &Value) -> Option<&str> {
    // The compiler's count of what it has said has no code, and stands nowhere.
    let is_count = line["message"]["spans"].as_array().is_some_and(Vec::is_empty);
    line["message"]["rendered"].as_str().filter(|_| line["reason"] == "compiler-message" && !is_count)
}

/// What a line of cargo's says was made, where that is a test.
fn read(line: &Value) -> Option<Binary> {
    if line["profile"]["test"] != true {
        return None;
    }
    Some(Binary {
        name: line["target"]["name"].as_str()?.to_owned(),
        is_test_file: line["target"]["kind"][0] == "test",
        program: line["executable"].as_str()?.into(),
        folder: PathBuf::from(line["manifest_path"].as_str()?).parent()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::NATIVE;

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
    fn what_the_compiler_warns_of_is_told_from_its_count() {
        let line = |reason: &str, spans: serde_json::Value| serde_json::json!({"reason": reason, "message": {"rendered": "warning: needless", "spans": spans}});
        let span = serde_json::json!([{"file_name": "core/src/lib.rs"}]);
        assert_eq!(rendered(&line("compiler-message", span.clone())), Some("warning: needless"));
        assert_eq!(rendered(&line("compiler-message", serde_json::json!([]))), None);
        assert_eq!(rendered(&line("compiler-artifact", span)), None);
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
