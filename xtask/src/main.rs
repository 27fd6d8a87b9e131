//! KOCT's automation. `cargo xtask` lists what it does.

mod addon;
mod project;
mod setup;

use project::Result;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND

  build             build the add-on into target/addon/
  package           build target/koct-VERSION.xpi, the same bytes each time
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
        ["build"] => addon::build().map(|path| addon::report(&path)),
        ["package"] => addon::package().map(|path| addon::report(&path)),
        ["setup"] => setup::all(),
        _ => Err(USAGE.to_owned()),
    }
}
