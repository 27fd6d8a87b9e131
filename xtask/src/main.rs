//! KOCT's automation. `cargo xtask` lists what it does.

mod addon;
mod archive;
mod bench;
mod demo;
mod locales;
mod npm;
mod package;
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
  test [NAME]       run all tests, or the end-to-end tests whose names contain NAME
  simulate [--seeds N]
                    play desks, faults and crashes through in N seeded runs (100000 unless told)
  killing [--rounds N]
                    end Firefox at random moments of scanning and committing, N times (100 unless told)
  bench             measure scans and commits
  screenshots [LOOK | --guide]
                    every page and state as a picture in target/screenshots/; with --guide, those of docs/guide/
  run [--era ...]   open a fresh Firefox with the add-on and a stand-in Koha
  build             build the add-on into target/addon/
  package [--check] build target/koct-VERSION.xpi and the archive of its sources, the same bytes each time;
                    --check builds that archive in another folder and compares
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
        ["test"] => suite::test(None),
        ["test", filter] => suite::test(Some(filter)),
        ["simulate"] => suite::simulate("100000"),
        ["simulate", "--seeds", seeds] => suite::simulate(seeds),
        ["killing"] => suite::killing("100"),
        ["killing", "--rounds", rounds] => suite::killing(rounds),
        ["bench"] => bench::bench(),
        // Called by cargo for the tests of the extension.
        ["wasm-runner", wasm, ..] => wasm_runner::run(std::path::Path::new(wasm)),
        ["screenshots"] => screenshots::screenshots(None),
        ["screenshots", "--guide"] => screenshots::guide(),
        ["screenshots", look] => screenshots::screenshots(Some(look)),
        ["build"] => addon::build().map(|path| addon::report(&path)),
        ["package"] => package::package().map(|_| ()),
        ["package", "--check"] => package::check(),
        ["locales"] => locales::check(),
        ["setup"] => setup::all(),
        _ => Err(USAGE.to_owned()),
    }
}
