//! `cargo xtask test`: everything that must hold.

use crate::{
    addon, npm, package,
    project::{Result, cargo, run, succeeds},
    setup,
};
use std::time::Instant;

/// Runs all tests, or only the end-to-end tests whose names contain the filter.
///
/// # Errors
/// When something does not hold; every step is run all the same.
pub(crate) fn test(filter: Option<&str>) -> Result {
    setup::all()?;
    let mut failed = Vec::new();
    let mut lines = Vec::new();
    let mut step = |name: &str, action: &dyn Fn() -> Result| {
        println!("\n── {name}");
        let began = Instant::now();
        let result = action();
        let seconds = began.elapsed().as_secs();
        if let Err(error) = &result {
            eprintln!("{error}");
            failed.push(name.to_owned());
        }
        lines.push(format!("{:>5} s  {}  {name}", seconds, if result.is_ok() { "ok    " } else { "FAILED" }));
    };
    if filter.is_none() {
        if succeeds(&mut cargo(&["fmt", "--version"])) {
            step("formatting", &|| run(&mut cargo(&["fmt", "--all", "--check"])));
        }
        if succeeds(&mut cargo(&["clippy", "--version"])) {
            step("clippy, native", &|| {
                run(&mut cargo(&[
                    "clippy",
                    "--quiet",
                    "--workspace",
                    "--exclude",
                    "koct-extension",
                    "--all-targets",
                    "--",
                    "-D",
                    "warnings",
                ]))
            });
            step("clippy, wasm", &|| {
                run(&mut cargo(&[
                    "clippy",
                    "--quiet",
                    "--target",
                    "wasm32-unknown-unknown",
                    "-p",
                    "koct-extension",
                    "-p",
                    "koct-borrowers-module",
                    "-p",
                    "koct-speed",
                    "--all-targets",
                    "--",
                    "-D",
                    "warnings",
                ]))
            });
        }
        step("native tests", &|| {
            run(&mut cargo(&[
                "test",
                "-p",
                "koct-core",
                "-p",
                "koct-borrowers-tests",
                "-p",
                "koct-fuzz",
                "-p",
                "fake-koha",
                "-p",
                "xtask",
            ]))
        });
        step("browser tests", &browser_tests);
    }
    step("build of the add-on", &|| addon::build().map(|path| addon::report(&path)));
    if filter.is_none() {
        step("addons-linter", &|| npm::lint(&package::package()?));
        step("package, built elsewhere", &package::check);
    }
    step("end-to-end tests", &|| end_to_end(filter));
    println!("\n{}", lines.join("\n"));
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
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
    run(cargo(&["test", "-p", "koct-tests", "--test", "e2e", "--", "killing", "--nocapture"])
        .env("KOCT_ADDON", crate::project::addon())
        .env("KOCT_KILL_ROUNDS", rounds))
}

fn browser_tests() -> Result {
    let runner = std::env::current_exe().map_err(|error| error.to_string())?;
    run(cargo(&["test", "-p", "koct-extension", "--target", "wasm32-unknown-unknown", "--test", "*"])
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", format!("{} wasm-runner", runner.display())))
}

fn end_to_end(filter: Option<&str>) -> Result {
    let mut arguments = vec!["test", "-p", "koct-tests", "--test", "e2e", "--"];
    arguments.extend(filter);
    let mut command = cargo(&arguments);
    match npm::axe() {
        Ok(axe) => command.env("KOCT_AXE", axe),
        // The tests that need it fail, and say so; the others do not.
        Err(error) => {
            eprintln!("{error}");
            command.env_remove("KOCT_AXE")
        }
    };
    run(command.env("KOCT_ADDON", crate::project::addon()))
}
