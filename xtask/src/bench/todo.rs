//! What is left to do, where all of a long log is left to do: half of it refused for its patron, half not on loan.

use super::{
    median,
    page::{self, number},
};
use koct_tests::{Result, desk::Desk, firefox::Options};
use std::{path::Path, time::Duration};

const FILL: &str = "(async count => { const db = await new Promise((done, fail) => { const o = indexedDB.open('koct'); \
    o.onsuccess = () => done(o.result); o.onerror = fail; }); const ends = Date.now() - 60_000; for (let made = 0; made < count; made += 1000) { \
    await new Promise((done, fail) => { const t = db.transaction('transactions', 'readwrite'); const s = t.objectStore('transactions'); \
    for (let n = made; n < made + 1000; n++) { const barcode = 'F' + n; const row = {moment: {utc: ends - (count - n) * 50, offset: 0}, barcode, itemKey: barcode.toLowerCase(), part: 0}; \
    s.add(n % 2 ? {...row, action: 'return', status: {state: 'rejected', message: 'Item not issued.'}} \
    : {...row, action: 'issue', cardnumber: 'P1', status: {state: 'rejected', message: 'Borrower not found.'}}); } t.oncomplete = done; t.onerror = fail; }); } db.close(); })";

/// Does something; gives the milliseconds until a condition holds.
const UNTIL: &str = "(async (act, condition) => { const began = performance.now(); act(); const until = began + 120000; \
    while (!condition() && performance.now() < until) await new Promise(requestAnimationFrame); return performance.now() - began; })";

/// # Errors
/// When something that is measured does not work.
pub(super) fn bench(addon: &Path) -> Result {
    println!("what is left to do (medians, in ms):");
    for filled in [1_000, 100_000] {
        let desk = Desk::with_addon(&Options::default(), addon)?;
        desk.page.eval(&format!("{FILL}({filled})"))?;
        desk.page.reload()?;
        desk.page.wait_for("document.body && document.body.hasAttribute('data-ready')", Duration::from_mins(2))?;
        let known = "performance.now(), [...document.getElementById('tab-todo-count').textContent].filter(c => c >= '0' && c <= '9').join('')";
        desk.page.wait_for(
            &format!("(({known}) === '{filled}') && (window.known = performance.now())"),
            Duration::from_mins(2),
        )?;
        desk.page.eval("document.getElementById('clear-dialog').close()")?;
        println!("  {filled} rows: {}", page::memory(&desk)?);
        let time = |act: &str, condition: &str| number(&desk, &format!("{UNTIL}(() => {act}, () => {condition})"));
        let tell = |what: &str, millis: f64| println!("    {what:<44} {millis:8.2} ms");
        tell("known after (looked at twenty times a second)", number(&desk, "window.known")?);
        let opens = (0..9).map(|_| {
            let opened = time(
                "document.getElementById('tab-todo').click()",
                "document.querySelectorAll('[data-group=refused] li').length === 50",
            )?;
            desk.open_log()?;
            Ok(opened)
        });
        tell("opened", median(opens.collect::<Result<Vec<_>>>()?));
        desk.open_todo()?;
        tell("a scan while it is open", page::scan(&desk, 21)?);
        tell(
            "500 more rows",
            time(
                "document.querySelector('[data-group=refused] > [data-field=more]').click()",
                "document.querySelectorAll('[data-group=refused] li').length === 550",
            )?,
        );
        tell("one row settled or dropped", {
            let gone = "(row => { window.gone = row; row.querySelector('[data-offer=drop]').click(); })(document.querySelector('[data-group=refused] li'))";
            time(gone, "!window.gone.isConnected")?
        });
        tell(
            "all settled",
            time("document.getElementById('settle-all').click()", "document.getElementById('settle-all').hidden")?,
        );
    }
    Ok(())
}
