//! A desk with a long log: everything that a person does in the window must stay as quick as with none.

use super::{
    median,
    page::{self, number, numbers},
};
use koct_tests::{desk::Desk, firefox::Options};
use std::path::Path;

const SCANS: usize = 41;
const JUMPS: usize = 31;

/// Goes to places anywhere in the table; gives the milliseconds until the rows there are seen.
pub(super) const SCROLL: &str = "(async count => { const box = document.getElementById('transactions-scroll'); \
    const seen = () => { const frame = box.getBoundingClientRect(); return [0.3, 0.6, 0.9].every(part => \
    document.elementFromPoint(frame.x + 20, frame.y + frame.height * part)?.closest('[data-seq], .day')); }; const times = []; \
    for (let i = 0; i < count; i++) { const began = performance.now(); \
    box.scrollTop = Math.floor((box.scrollHeight - box.clientHeight) * Math.random()); \
    const until = performance.now() + 10000; do { await new Promise(requestAnimationFrame); } while (!seen() && performance.now() < until); \
    times.push(performance.now() - began); } box.scrollTop = 0; await new Promise(requestAnimationFrame); return times; })";

/// Adds a row as another window does, and says so; gives the milliseconds until it is shown.
const ELSEWHERE: &str = "(async count => { const table = document.getElementById('transactions-table'); const channel = new BroadcastChannel('koct-log'); \
    const db = await new Promise((done, fail) => { const o = indexedDB.open('koct'); o.onsuccess = () => done(o.result); o.onerror = fail; }); \
    const times = []; for (let i = 0; i < count; i++) { const before = table.getAttribute('aria-rowcount'); \
    await new Promise((done, fail) => { const t = db.transaction('transactions', 'readwrite'); \
    t.objectStore('transactions').add({moment: {utc: 1795428000000, offset: 0}, action: 'return', barcode: 'E' + i, itemKey: 'e' + i, part: 0, status: {state: 'local'}}); \
    t.oncomplete = done; t.onerror = fail; }); const began = performance.now(); channel.postMessage(null); \
    await new Promise(done => new MutationObserver((_, o) => { if (table.getAttribute('aria-rowcount') !== before) { o.disconnect(); done(); } }) \
    .observe(table, {attributes: true})); times.push(performance.now() - began); } db.close(); channel.close(); return times; })";

/// # Errors
/// When something that is measured does not work.
pub(super) fn bench(addon: &Path) -> koct_tests::Result {
    println!("the window with a long log (medians; in brackets the ratio to an empty log):");
    let mut empty: Vec<f64> = Vec::new();
    for filled in [0, 1_000, 20_000, 100_000] {
        let desk = Desk::with_addon(&Options::default(), addon)?;
        desk.fill(filled)?;
        let results = measure(&desk)?;
        if filled == 0 {
            empty = results.iter().map(|(_, millis)| *millis).collect();
        }
        println!("  {filled} transactions: {}", page::memory(&desk)?);
        for ((what, millis), empty) in results.iter().zip(&empty) {
            println!("    {what:<44} {millis:8.2} ms ({:.2})", millis / empty);
        }
    }
    Ok(())
}

fn measure(desk: &Desk) -> koct_tests::Result<Vec<(&'static str, f64)>> {
    let mark = |name: &str| number(desk, &format!("performance.getEntriesByName('{name}')[0].startTime"));
    let look_for = |id: &str, value: &str| page::look_for(desk, id, value);
    let mut results = vec![("ready to scan after", mark("koct-ready")?), ("log shown after", mark("koct-shown")?)];
    results.push(("a scan, from Enter to its durable row", page::scan(desk, SCANS)?));
    results.push(("a jump to another place of the table", median(numbers(desk, &format!("{SCROLL}({JUMPS})"))?)));
    results.push(("a scan shown in another window", median(numbers(desk, &format!("{ELSEWHERE}(9)"))?)));
    results.push(("the first filter (makes the index)", look_for("find-action", "issue")?));
    results.push(("the next filter", look_for("find-action", "")?));
    for (what, value) in [("a letter in the search", "s"), ("the next letter", "s1"), ("one more", "s12")] {
        results.push((what, look_for("find-text", value)?));
    }
    results.push(("a scan while something is looked for", page::scan(desk, 1)?));
    Ok(results)
}
