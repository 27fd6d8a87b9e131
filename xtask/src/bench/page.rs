//! What the parts do in KOCT's window.

use super::median;
use koct_tests::{Result, desk::Desk};
use serde_json::Value;

/// Scans, each begun when the one before is in the table; gives the milliseconds from Enter to the row in the table.
const SCAN: &str = "(async (count, name) => { const item = document.getElementById('checkin-item'); const table = document.getElementById('transactions-table'); \
    const times = []; for (let i = 0; i < count; i++) { const before = table.getAttribute('aria-rowcount'); item.value = name + i; \
    const began = performance.now(); item.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true})); \
    await new Promise(done => new MutationObserver((_, o) => { if (table.getAttribute('aria-rowcount') !== before) { o.disconnect(); done(); } }) \
    .observe(table, {attributes: true})); times.push(performance.now() - began); } return times; })";

/// Changes a control of the search; gives the milliseconds until the table shows another number of rows.
const LOOK_FOR: &str = "(async (id, value) => { const control = document.getElementById(id); const table = document.getElementById('transactions-table'); \
    const before = table.getAttribute('aria-rowcount'); const began = performance.now(); control.value = value; \
    control.dispatchEvent(new Event(control.localName === 'select' ? 'change' : 'input')); \
    await new Promise(done => new MutationObserver((_, o) => { if (table.getAttribute('aria-rowcount') !== before) { o.disconnect(); done(); } }) \
    .observe(table, {attributes: true})); return performance.now() - began; })";

/// What the window's process holds, and the memory of its WebAssembly in it.
const WASM_BYTES: &str =
    "(async () => (await (await import('/pkg/koct_extension.js')).default()).memory.buffer.byteLength)()";
const PROCESS_BYTES: &str = "(async () => (await ChromeUtils.requestProcInfo()).children \
    .filter(child => child.type === 'extension').reduce((sum, child) => sum + child.memory, 0))()";

/// A number that a script gives.
pub(super) fn number(desk: &Desk, script: &str) -> Result<f64> {
    Ok(desk.page.eval(script)?.as_f64().unwrap_or(f64::NAN))
}

/// The numbers that a script gives.
pub(super) fn numbers(desk: &Desk, script: &str) -> Result<Vec<f64>> {
    Ok(desk.page.eval(script)?.as_array().into_iter().flatten().filter_map(Value::as_f64).collect())
}

/// The median of this number of scans, from Enter to the durable row in the table, in milliseconds.
pub(super) fn scan(desk: &Desk, count: usize) -> Result<f64> {
    scan_as(desk, count, "S")
}

/// The same, with codes that begin so.
pub(super) fn scan_as(desk: &Desk, count: usize, start: &str) -> Result<f64> {
    Ok(median(numbers(desk, &format!("{SCAN}({count}, '{start}')"))?))
}

/// How long a change of a control of the search takes to be shown, in milliseconds.
pub(super) fn look_for(desk: &Desk, control: &str, value: &str) -> Result<f64> {
    number(desk, &format!("{LOOK_FOR}('{control}', '{value}')"))
}

/// The memory of the window, in words.
pub(super) fn memory(desk: &Desk) -> Result<String> {
    let mebibytes = |bytes: f64| (bytes / 1_048_576.0).round();
    let process = desk.firefox.in_chrome(PROCESS_BYTES)?.as_f64().unwrap_or(f64::NAN);
    let wasm = number(desk, WASM_BYTES)?;
    Ok(format!("WebAssembly {} MiB, whole process {} MiB", mebibytes(wasm), mebibytes(process)))
}
