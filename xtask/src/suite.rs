//! `cargo xtask test`: everything that must hold.

mod binaries;

use crate::{
    addon, npm,
    project::{Result, cargo, run, succeeds},
    setup,
};
use binaries::Binaries;
use std::{
    process::{Command, Stdio},
    sync::{Mutex, OnceLock},
    thread,
    time::Instant,
};

/// The packages that are compiled for this computer. Always the same ones, since cargo compiles a crate again where others ask
/// for other features of it.
pub(crate) const NATIVE: [&str; 3] = ["--workspace", "--exclude", "koct-extension"];

/// What is compiled for the browser, with the tests that run there.
const BROWSER: [&str; 11] = [
    "--target",
    setup::WASM,
    "--package",
    "koct-extension",
    "--package",
    "koct-borrowers-module",
    "--package",
    "koct-speed",
    "--lib",
    "--test",
    "*",
];

/// The number of times a second that Firefox draws in the end-to-end tests: nobody looks, and ten cost
/// a tenth of their time.
const FRAMES: &str = "5";

/// How many end-to-end tests go on at a time: a test and its Firefox wait for each other and for what is drawn next, so one more than
/// there are processors.
fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from) + 1
}

/// Of the end-to-end tests, one for each story.
const QUICK: [&str; 14] = [
    "aside::copies_that_come_in_together_are_for_different_holds",
    "clearing::leftover_transactions_are_kept_unless_both_boxes_are_ticked",
    "correcting::one_key_takes_back_the_last_scan_and_again_the_one_before",
    "desks::three_desks_files_go_into_koha_as_it_happened_though_one_clock_was_wrong",
    "doubts::all_that_were_queued_in_doubt_are_decided_at_once",
    "exporting::the_file_holds_what_is_uncommitted_and_all_if_asked",
    "faults::a_session_that_ends_in_mid_run_is_renewed",
    "guarding::the_same_item_twice_in_a_row_is_asked_about_and_scanning_goes_on",
    "isolation::a_named_http_server_is_not_turned_into_https",
    "knowing::a_patron_is_shown_with_what_they_have",
    "languages::where_koct_does_not_speak_the_language_all_of_it_is_english",
    "paying::payments_are_exact_to_the_last_cent",
    "scanning::everything_can_be_done_by_keyboard_alone",
    "settings::the_guide_leads_from_nothing_to_ready",
];

/// What was run, how long it took, and what did not hold.
#[derive(Default)]
struct Report {
    lines: Vec<String>,
    failed: Vec<String>,
}

impl Report {
    fn step(report: &Mutex<Self>, name: &str, action: impl FnOnce() -> Result) {
        println!("\n── {name}");
        let began = Instant::now();
        let result = action();
        let (seconds, ended) = (began.elapsed().as_secs(), if result.is_ok() { "ok    " } else { "FAILED" });
        println!("── {name}: {ended} after {seconds} s");
        if let Err(error) = &result {
            eprintln!("{error}");
        }
        let Ok(mut report) = report.lock() else { return };
        report.lines.push(format!("{seconds:>5} s  {ended}  {name}"));
        if result.is_err() {
            report.failed.push(name.to_owned());
        }
    }

    /// A step that is a command of xtask, beside others: what it prints stands together.
    fn aside(report: &Mutex<Self>, name: &str, arguments: &[&str]) {
        Self::step(report, name, || {
            let program = std::env::current_exe().map_err(|error| error.to_string())?;
            let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
            let output = output.map_err(|error| format!("xtask {arguments:?} cannot be started: {error}"))?;
            let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
            println!("\n── {name} says:\n{said}");
            if output.status.success() { Ok(()) } else { Err(format!("xtask {} failed", arguments.join(" "))) }
        });
    }

    fn end(self, began: Instant) -> Result {
        println!("\n{}", self.lines.join("\n"));
        println!("{:>5} s  in all", began.elapsed().as_secs());
        if self.failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", self.failed.join(", "))) }
    }
}

/// A step and the arguments for xtask, but for the browser tests.
type Step = (&'static str, &'static [&'static str]);
/// What needs the add-on and nothing else, the longest first. What writes the same files stands together, one after the other.
const OF_THE_ADDON: [&[Step]; 3] = [
    &[("package", &["package"]), ("addons-linter", &["lint"])],
    &[(BROWSER_TESTS, &[])],
    &[("demo", &["demo", "--headless"])],
];
const BROWSER_TESTS: &str = "browser tests";

/// Runs all tests. What is compiled for the add-on is compiled beside the rest, since each has moments in which only one of
/// several processors works; whoever has nothing more of their own to do takes the next step that needs the add-on. What is missing
/// is installed meanwhile, which is mostly waiting.
///
/// # Errors
/// When something does not hold; every step is run all the same.
pub(crate) fn test() -> Result {
    let began = Instant::now();
    setup::wasm()?;
    let (report, built, installed) = (Mutex::default(), Built::default(), OnceLock::new());
    let (addon, left) = (OnceLock::new(), Mutex::new(OF_THE_ADDON.into_iter()));
    let next = || left.lock().ok()?.next();
    let go_on = || {
        installed.wait();
        for (name, arguments) in std::iter::from_fn(next).flatten() {
            if *name == BROWSER_TESTS {
                Report::step(&report, name, || there(built.browser.wait().as_ref())?.run_in_browser());
            } else {
                Report::aside(&report, name, arguments);
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            Report::step(&report, "Firefox and npm's tools", || setup::firefox().and(npm::axe().map(|_| ())));
            let _ = installed.set(());
        });
        scope.spawn(|| {
            Report::aside(&report, "build of the add-on", &["build"]);
            let _ = addon.set(());
            go_on();
        });
        checks(&report, &built);
        addon.wait();
        go_on();
    });
    Report::step(&report, "end-to-end tests", || end_to_end(there(built.native.wait().as_ref())?, &[], 1));
    report.into_inner().map_err(|error| error.to_string())?.end(began)
}

/// Runs what takes no longer than a person likes to wait: all but the tests of the glue and most end-to-end tests.
///
/// # Errors
/// When something does not hold; every step is run all the same.
pub(crate) fn quick() -> Result {
    let began = Instant::now();
    setup::all()?;
    let (report, built) = (Mutex::default(), Built::default());
    thread::scope(|scope| {
        scope.spawn(|| Report::aside(&report, "build of the add-on", &["build"]));
        checks(&report, &built);
    });
    let names: Vec<&str> = ["--exact"].into_iter().chain(QUICK).collect();
    Report::step(&report, "end-to-end tests, one for each story", || {
        let binaries = there(built.native.wait().as_ref())?;
        binaries.holds_all(&QUICK)?;
        end_to_end(binaries, &names, 1)
    });
    report.into_inner().map_err(|error| error.to_string())?.end(began)
}

/// The tests, once they are built; `None` where they could not be.
#[derive(Default)]
struct Built {
    native: OnceLock<Option<Binaries>>,
    browser: OnceLock<Option<Binaries>>,
}

fn there(binaries: Option<&Binaries>) -> Result<&Binaries> {
    binaries.ok_or_else(|| "the tests were not built".to_owned())
}

/// Runs the end-to-end tests whose names contain the filter, this number of times.
///
/// # Errors
/// When one fails.
pub(crate) fn named(filter: &str, times: usize) -> Result {
    setup::all()?;
    addon::build().map(|path| addon::report(&path))?;
    end_to_end(&Binaries::build(&NATIVE)?, &[filter], times)
}

/// Formatting, clippy and the native tests. Builds all tests.
fn checks(report: &Mutex<Report>, built: &Built) {
    if succeeds(&mut cargo(&["fmt", "--version"])) {
        Report::step(report, "formatting", || run(&mut cargo(&["fmt", "--all", "--check"])));
    }
    let made = |name, selection: &[&str], place: &OnceLock<Option<Binaries>>| {
        Report::step(report, name, || {
            let binaries = Binaries::build(selection);
            let is_clean = binaries.as_ref().map_or_else(|error| Err(error.clone()), Binaries::without_warnings);
            let _ = place.set(binaries.ok());
            is_clean
        });
    };
    made("clippy and build of the browser tests", &BROWSER, &built.browser);
    made("clippy and build of the native tests", &NATIVE, &built.native);
    Report::step(report, "native tests", || there(built.native.wait().as_ref())?.run_native());
    Report::step(report, "examples in the documentation", || run(binaries::test(&["--quiet", "--doc"]).args(NATIVE)));
}

/// The simulation of core, long.
///
/// # Errors
/// When a run breaks a promise; its seed is printed.
pub(crate) fn simulate(seeds: &str) -> Result {
    if seeds.parse::<u64>().is_err() {
        return Err(format!("{seeds} is no number of runs"));
    }
    run(cargo(&["test", "--release", "-p", "koct-core", "--test", "simulation", "--", "--nocapture"])
        .env("KOCT_SEEDS", seeds))
}

/// Firefox killed at random moments, long.
///
/// # Errors
/// When something confirmed is lost or something is doubled.
pub(crate) fn killing(rounds: &str) -> Result {
    if rounds.parse::<u32>().is_err() {
        return Err(format!("{rounds} is no number of rounds"));
    }
    setup::all()?;
    addon::build()?;
    let binaries = Binaries::build(&NATIVE)?;
    run(binaries
        .end_to_end()?
        .args(["killing", "--nocapture"])
        .env("KOCT_ADDON", crate::project::addon())
        .env("KOCT_KILL_ROUNDS", rounds))
}

fn end_to_end(binaries: &Binaries, arguments: &[&str], times: usize) -> Result {
    // Without it the tests that need it fail, and say so; the others do not.
    let axe = npm::axe().inspect_err(|error| eprintln!("{error}"));
    for round in 1..=times {
        if times > 1 {
            println!("── {round} of {times}");
        }
        let mut command = binaries.end_to_end()?;
        command.args(arguments).env("KOCT_ADDON", crate::project::addon()).env("KOCT_FRAMES", FRAMES);
        command.env("RUST_TEST_THREADS", threads().to_string());
        match &axe {
            Ok(axe) => command.env("KOCT_AXE", axe),
            Err(_) => command.env_remove("KOCT_AXE"),
        };
        run(&mut command)?;
    }
    Ok(())
}
