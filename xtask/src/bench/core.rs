//! The rules by themselves: the same code natively and in Firefox, both as small as the add-on is built.

use crate::{
    project::{self, Result, cargo, run},
    wasm_runner,
};
use koct_tests::firefox::{Firefox, Options};
use serde_json::Value;
use std::time::Duration;

/// The page that measures in Firefox: `ENTRY` is a function of koct-speed.
const PAGE: &str = r#"<!DOCTYPE html><meta charset="utf-8"><title>speed</title>
<script type="module">
  import init, { ENTRY } from "./koct_test.js";
  try { await init(); window.measured = await ENTRY(); } catch (error) { window.measured = String(error); }
</script>
"#;
const TIME_LIMIT: Duration = Duration::from_mins(10);

/// # Errors
/// When it cannot be built or run.
pub(super) fn bench() -> Result {
    println!("the rules, native and in WebAssembly:");
    for (native, wasm) in natively(&[])?.iter().zip(&in_firefox("measure_here")?) {
        println!("  {:<24} {:>9} transactions: {}", what(native), native["number"], compared(native, wasm));
    }
    Ok(())
}

/// The directory of a very large library, with a store in memory and with the add-on's own.
///
/// # Errors
/// As [`bench`].
pub(super) fn directory() -> Result {
    println!("the directory of 1,000,000 patrons, 2,000,000 items and 300,000 loans, in a store in memory:");
    for (native, wasm) in natively(&["directory"])?.iter().zip(&in_firefox("measure_directory_here")?) {
        let number = native["number"].as_f64().unwrap_or(f64::NAN);
        let value = match native["bytes"].as_f64() {
            Some(bytes) => format!("{:7.1} MB, {:.1} bytes each", bytes / 1e6, bytes / number),
            None => compared(native, wasm),
        };
        println!("  {:<50} {number:>8} {value}", what(native));
    }
    println!("the same on the disk, encrypted, in Firefox:");
    for measured in in_firefox("measure_disk_here")? {
        if let (Some(millis), None) = (measured["millis"].as_f64(), measured["bytes"].as_f64()) {
            println!("  {:<50} {:>8} WebAssembly {millis:9.2} ms", what(&measured), measured["number"]);
        }
    }
    Ok(())
}

fn what(measured: &Value) -> &str {
    measured["what"].as_str().unwrap_or_default()
}

fn compared(native: &Value, wasm: &Value) -> String {
    let number = native["number"].as_f64().unwrap_or(f64::NAN);
    let millis = |value: &Value| value["millis"].as_f64().unwrap_or(f64::NAN);
    let (native, wasm) = (millis(native), millis(wasm));
    let each = |millis: f64| if number > 1.0 { format!(" ({:>6.0} a ms)", number / millis) } else { String::new() };
    format!(
        "native {native:9.2} ms{}, WebAssembly {wasm:9.2} ms{}, {:.1} times as long",
        each(native),
        each(wasm),
        wasm / native
    )
}

fn read(json: &str) -> Result<Vec<Value>> {
    serde_json::from_str(json).map_err(|_| format!("the measurements failed: {json}"))
}

fn natively(arguments: &[&str]) -> Result<Vec<Value>> {
    let mut command = cargo(&["run", "--quiet", "--release", "--package", "koct-speed", "--"]);
    let output = command.args(arguments).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    read(&String::from_utf8_lossy(&output.stdout))
}

fn in_firefox(entry: &str) -> Result<Vec<Value>> {
    let target = "wasm32-unknown-unknown";
    run(&mut cargo(&["build", "--quiet", "--release", "--target", target, "--package", "koct-speed", "--lib"]))?;
    let wasm = project::target().join(target).join("release/koct_speed.wasm");
    let url = wasm_runner::served(&wasm, &PAGE.replace("ENTRY", entry))?;
    let measured = || -> koct_tests::Result<Value> {
        let firefox = Firefox::start(&Options::default())?;
        let page = firefox.open(&url)?;
        page.wait_for("window.measured", TIME_LIMIT)
    };
    read(measured().map_err(|error| error.to_string())?.as_str().unwrap_or_default())
}
