//! What ends every Firefox of this process and deletes every folder made for them, however the process itself ends.
//!
//! A test that panics, an interrupt from the keyboard, a `kill -9`: nothing of Rust runs then, but the kernel closes this
//! process's end of a pipe. A small shell script holds the other end, in a process group of its own, and cleans up when it
//! reads the end of the pipe.

use crate::Result;
use std::{
    io::Write,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
};
use tempfile::TempDir;

/// `+GROUP` is a process group to end, `-GROUP` one that has ended. What is killed may still be writing for a moment.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
groups=
while read -r line; do
    case $line in
        +*) groups="$groups ${line#+}" ;;
        -*)
            left=
            for group in $groups; do [ "$group" = "${line#-}" ] || left="$left $group"; done
            groups=$left
            ;;
    esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
tries=0
until rm -rf -- "$1" && [ ! -e "$1" ] || [ "$tries" -ge 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
"#;

/// Waits to be told that its group is known, and becomes the program: no moment is left in which that would not be ended.
const BEGIN: &str = r#"read -r _ && exec "$@" </dev/null"#;

struct Keeper {
    folder: PathBuf,
    pipe: Mutex<ChildStdin>,
}

impl Keeper {
    fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("koct-tests-").tempdir()?.keep();
        let mut script = Command::new("sh")
            .args(["-c", SCRIPT, "keeper"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // An interrupt from the keyboard goes to the group of this process.
            .process_group(0)
            .spawn()?;
        let pipe = script.stdin.take().ok_or("the keeper has no input")?;
        Ok(Self { folder, pipe: Mutex::new(pipe) })
    }

    fn tell(&self, line: &str) -> Result {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(writeln!(pipe, "{line}")?)
    }
}

fn keeper() -> Result<&'static Keeper> {
    static KEEPER: OnceLock<std::result::Result<Keeper, String>> = OnceLock::new();
    let keeper = KEEPER.get_or_init(|| Keeper::start().map_err(|error| error.to_string()));
    keeper.as_ref().map_err(|error| error.clone().into())
}

/// A folder that is deleted when it is dropped, and at the latest when this process ends.
///
/// # Errors
/// When it cannot be made.
pub fn folder() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("koct-").tempdir_in(&keeper()?.folder)?)
}

/// Starts a program as a process group of its own, which [`end`] ends, or at the latest the end of this process.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn spawn(program: &Path, prepare: impl FnOnce(&mut Command)) -> Result<Child> {
    let mut command = Command::new("sh");
    command.args(["-c", BEGIN, "begin"]).arg(program);
    prepare(&mut command);
    let mut child = command.stdin(Stdio::piped()).process_group(0).spawn()?;
    let mut begin = child.stdin.take().ok_or("the program has no input")?;
    keeper()?.tell(&format!("+{}", child.id()))?;
    writeln!(begin)?;
    Ok(child)
}

/// Ends a process group, as a power cut would.
pub(crate) fn kill(group: u32) {
    let _ = Command::new("kill").args(["-s", "KILL", "--", &format!("-{group}")]).stderr(Stdio::null()).status();
}

/// Ends a process that [`spawn`] started, with its whole group.
pub(crate) fn end(child: &mut Child) {
    kill(child.id());
    // Before it is waited for: until then its number belongs to nothing else.
    if let Ok(keeper) = keeper() {
        let _ = keeper.tell(&format!("-{}", child.id()));
    }
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{BufRead, BufReader},
        time::{Duration, Instant},
    };

    fn until(what: &str, is: impl Fn() -> bool) {
        let began = Instant::now();
        while !is() {
            assert!(began.elapsed() < Duration::from_mins(1), "{what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether a process runs; one that has ended and is not waited for yet does not.
    fn runs(id: u32) -> bool {
        let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        state.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    }

    #[test]
    fn a_process_that_is_killed_leaves_nothing_behind() {
        let keeper = Keeper::start().unwrap();
        let folder = keeper.folder.clone();
        std::fs::write(folder.join("file"), "").unwrap();
        // A group of two, as Firefox with its content process.
        let mut group = Command::new("sh")
            .args(["-c", "sleep 600 & echo $!; wait"])
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut other = String::new();
        BufReader::new(group.stdout.take().unwrap()).read_line(&mut other).unwrap();
        let other: u32 = other.trim().parse().unwrap();
        let mut ended = Command::new("sleep").arg("600").process_group(0).spawn().unwrap();
        for line in [format!("+{}", ended.id()), format!("+{}", group.id()), format!("-{}", ended.id())] {
            keeper.tell(&line).unwrap();
        }
        assert!(runs(other) && folder.exists());
        // As at the end of a process, whatever its reason.
        drop(keeper);
        until("the group is left", || !runs(group.id()) && !runs(other));
        group.wait().unwrap();
        until("the folder is left", || !folder.exists());
        assert!(runs(ended.id()), "its number could belong to something else");
        ended.kill().unwrap();
        ended.wait().unwrap();
    }

    #[test]
    fn what_is_ended_is_ended_with_its_group_and_a_folder_goes_when_it_is_dropped() {
        let kept = folder().unwrap();
        let path = kept.path().join("group");
        let mut child = spawn(Path::new("sh"), |command| {
            command
                .args(["-c", &format!("sleep 600 & echo $! >'{0}.new' && mv '{0}.new' '{0}'; wait", path.display())]);
        })
        .unwrap();
        until("it has not begun", || path.exists());
        let other: u32 = std::fs::read_to_string(&path).unwrap().trim().parse().unwrap();
        end(&mut child);
        until("the other process of the group is left", || !runs(other));
        let path = kept.path().to_owned();
        drop(kept);
        assert!(!path.exists());
    }
}
