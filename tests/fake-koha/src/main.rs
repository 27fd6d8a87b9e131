//! Runs the stand-in Koha server until it is interrupted.

use std::process::ExitCode;

use fake_koha::{Config, Era, FakeKoha, Library, Plugin, Size};

const HELP: &str = "\
A stand-in Koha staff server on 127.0.0.1, for KOCT's demo and tests.

Usage: fake-koha [--era before-24.05|from-24.05] [--port N] [--sub-path /koha] [--patrons N] [--items N] [--plugin]

  --era       which Koha it behaves like (default before-24.05)
  --port      the port (default 8081; 0 takes a free one)
  --sub-path  where Koha lives on the host (default: at its root)
  --patrons   the number of made-up patrons, with the cards 20000000000001 onward (default: the small library)
  --plugin    with the plugin of the desktop tool, which takes many transactions at once and remembers them
  --items     the number of made-up items, with the barcodes 30000000000001 onward; every eighth is on loan

Logins (the password is the name): koha (everything), circ (circulate and catalogue), circonly, noperm, patron1.
The small library has cards 23529001223601 to 23529001223620, barcodes 39999000000001 to 39999000000057. All data is gone at the end.
";

fn main() -> ExitCode {
    let config = match parse(std::env::args().skip(1)) {
        Ok(Some(config)) => config,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("{message}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match FakeKoha::start(config) {
        Ok(koha) => {
            println!("Koha stands in at {url} (log in at {url}/cgi-bin/koha/mainpage.pl)", url = koha.url());
            loop {
                std::thread::park();
            }
        }
        Err(error) => {
            eprintln!("The server does not start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The settings, or none if only help is wanted.
fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Config>, String> {
    let mut config = Config { port: 8081, ..Config::default() };
    let mut size = Size::default();
    let mut has_plugin = false;
    while let Some(argument) = arguments.next() {
        if argument == "--help" || argument == "-h" {
            return Ok(None);
        }
        if argument == "--plugin" {
            has_plugin = true;
            continue;
        }
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--era" => {
                config.era = match value()?.as_str() {
                    "before-24.05" => Era::Before2405,
                    "from-24.05" => Era::From2405,
                    other => return Err(format!("no such era: {other}")),
                }
            }
            "--port" => {
                let port = value()?;
                config.port = port.parse().map_err(|_| format!("not a port: {port}"))?;
            }
            "--patrons" => size.patrons = number(&value()?)?,
            "--items" => size.items = number(&value()?)?,
            "--sub-path" => {
                let path = value()?;
                if !path.is_empty() && !path.starts_with('/') {
                    return Err(format!("a sub-path starts with a slash: {path}"));
                }
                config.sub_path = path;
            }
            other => return Err(format!("no such option: {other}")),
        }
    }
    if size != Size::default() {
        (size.loans, size.holds) = (size.items / 8, size.items / 20);
        config.library = Library::generate_sized(1, &size);
    }
    config.library.plugin = has_plugin.then(Plugin::default);
    Ok(Some(config))
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("not a number: {text}"))
}
