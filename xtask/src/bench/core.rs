//! The rules by themselves: the same code natively and in Firefox, both as small as the add-on is built.

use crate::{
    project::{self, Result, cargo, run},
    wasm_runner,
};
use koct_tests::firefox::{Firefox, Options};
use serde_json::Value;
use std::time::Duration;

const PAGE: &str = r#"<!DOCTYPE html><meta charset="utf-8"><title>speed</title>
<script type="module">
  import init, { measure_here } from "./koct_test.js";
  try { await init(); window.measured = measure_here(); } catch (error) { window.measured = String(error); }
</script>
"#;
const TIME_LIMIT: Duration = Duration::from_mins(10);

/// # Errors
/// When it cannot be built or run.
pub(super) fn bench() -> Result {
    let native = natively()?;
    let wasm = in_firefox()?;
    println!("the rules, native and in WebAssembly:");
    for (native, wasm) in native.iter().zip(&wasm) {
        let number = native["number"].as_f64().unwrap_or(f64::NAN);
        let millis = |value: &Value| value["millis"].as_f64().unwrap_or(f64::NAN);
        let (native_millis, wasm_millis) = (millis(native), millis(wasm));
        println!(
            "  {:<24} {number:>9} transactions: native {native_millis:7.1} ms ({:>6.0} a ms), WebAssembly {wasm_millis:7.1} ms ({:>6.0} a ms), {:.1} times as long",
            native["what"].as_str().unwrap_or_default(),
            number / native_millis,
            number / wasm_millis,
            wasm_millis / native_millis
        );
    }
    Ok(())
}

fn read(json: &str) -> Result<Vec<Value>> {
    serde_json::from_str(json).map_err(|_| format!("the measurements failed: {json}"))
}

fn natively() -> Result<Vec<Value>> {
    let output = cargo(&["run", "--quiet", "--release", "--package", "koct-speed"]).output();
    let output = output.map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    read(&String::from_utf8_lossy(&output.stdout))
}

fn in_firefox() -> Result<Vec<Value>> {
    let target = "wasm32-unknown-unknown";
    run(&mut cargo(&["build", "--quiet", "--release", "--target", target, "--package", "koct-speed", "--lib"]))?;
    let wasm = project::target().join(target).join("release/koct_speed.wasm");
    let url = wasm_runner::served(&wasm, PAGE)?;
    let measured = || -> koct_tests::Result<Value> {
        let firefox = Firefox::start(&Options::default())?;
        let page = firefox.open(&url)?;
        page.wait_for("window.measured", TIME_LIMIT)
    };
    read(measured().map_err(|error| error.to_string())?.as_str().unwrap_or_default())
}
