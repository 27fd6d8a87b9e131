//! KOCT's automation. `cargo xtask` lists what it does.

mod addon;
mod archive;
mod bench;
mod demo;
mod glue;
mod locales;
mod notices;
mod npm;
mod package;
mod practice;
mod project;
mod screenshots;
mod setup;
mod suite;
mod wasm_runner;

use project::Result;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND

  demo [--headless] [--era before-24.05|from-24.05]
                    show the main job in Firefox; by itself where there is no display
  test [--quick | NAME [--repeat N]]
                    run all tests; those that are quick, and of the end-to-end tests one for each story; or the
                    end-to-end tests whose names contain NAME, N times
  simulate [--seeds N]
                    play desks, faults and crashes through in N seeded runs (100000 unless told)
  killing [--rounds N]
                    end Firefox at random moments of scanning, committing and copying, N times (20 unless told)
  bench [NAME] [--full]
                    measure core, commits, large logs and files; --full imports a million transactions
  screenshots [LOOK | --guide]
                    every page and state as a picture in target/screenshots/; with --guide, those of docs/guide/
  run [--era ...]   open a fresh Firefox with the add-on and a stand-in Koha
  build             build the add-on into target/addon/
  package [--check] build target/koct-VERSION.xpi and the archive of its sources, the same bytes each time;
                    --check, for a release, builds that archive in another folder and compares
  lint              what addons.mozilla.org would say to the package
  locales           check that every language in _locales is complete
  setup             install what is missing";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[&str]) -> Result {
    match arguments {
        ["demo", rest @ ..] => demo::demo(rest),
        ["run", rest @ ..] => demo::by_person(rest),
        ["test"] => suite::test(),
        ["test", "--quick"] => suite::quick(),
        ["test", filter] if !filter.starts_with('-') => suite::named(filter, 1),
        ["test", filter, "--repeat", times] => times
            .parse()
            .map_err(|_| format!("{times} is no number of times"))
            .and_then(|times| suite::named(filter, times)),
        ["simulate"] => suite::simulate("100000"),
        ["simulate", "--seeds", seeds] => suite::simulate(seeds),
        ["killing"] => suite::killing("20"),
        ["killing", "--rounds", rounds] => suite::killing(rounds),
        ["bench", rest @ ..] => bench::bench(rest),
        // Called by cargo for the tests of the extension.
        ["wasm-runner", wasm, ..] => wasm_runner::run(std::path::Path::new(wasm)),
        ["screenshots"] => screenshots::screenshots(None),
        ["screenshots", "--guide"] => screenshots::guide(),
        ["screenshots", look] => screenshots::screenshots(Some(look)),
        ["build"] => addon::build().map(|path| addon::report(&path)),
        ["package"] => package::package().map(|_| ()),
        ["package", "--check"] => package::check(),
        ["lint"] => package::package().and_then(|xpi| npm::lint(&xpi)),
        ["locales"] => locales::check(),
        ["setup"] => setup::all(),
        _ => Err(USAGE.to_owned()),
    }
}
