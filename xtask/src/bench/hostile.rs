//! Answers without an end, and files with a million bad lines: for how long the window says nothing, and what it holds.

use super::page;
use fake_koha::{Config, Era, FakeKoha, Fault, FaultKind};
use koct_tests::{
    desk::{Desk, Settings},
    firefox::Options,
};
use std::{fs, path::Path, time::Duration};

const LINES: usize = 1_000_000;
const LIMIT: Duration = Duration::from_mins(10);

/// Notes each pause of the window's own clock, until the next call.
const WATCH: &str = "void (clearInterval(window.beat), window.longest = 0, window.before = performance.now(), \
    window.beat = setInterval(() => { const now = performance.now(); longest = Math.max(longest, now - before); before = now; }, 5))";

/// # Errors
/// When something that is measured does not work.
pub(super) fn bench(addon: &Path) -> koct_tests::Result {
    let koha = FakeKoha::start(Config { era: Era::From2405, ..Config::default() })?;
    let desk = Desk::with_addon(&Options::default(), addon)?;
    desk.set_up_with(&Settings::of(&koha.url(), "apply"), |preferences| preferences.records.enabled = true)?;
    println!("hostile sizes; before: {}", page::memory(&desk)?);
    desk.check_in("39999000000001")?;
    // The first question only looks whether name and password are right.
    koha.fault(Fault::on("service.pl", FaultKind::Endless("Success. ")).skip(1));
    measure(&desk, "a transaction answered without an end", || desk.commit().map(|_| ()))?;
    koha.clear_faults();
    for (what, text) in [("rows", "[{\"patron_id\": 1, \"surname\": \"A\"}, "), ("a page", "<html><p>news</p>")] {
        koha.fault(Fault::on("/patrons", FaultKind::Endless(text)));
        measure(&desk, &format!("records answered by {what} without an end"), || {
            desk.page.click("#open-records")?;
            desk.page.click("#records-download")?;
            desk.page.wait_for("document.getElementById('records-stop').hidden", LIMIT)?;
            desk.page.click("#records-close")
        })?;
        koha.clear_faults();
    }
    let folder = tempfile::tempdir()?;
    let bad = |head: &str, line: &str| format!("{head}\n{}", format!("{line}\n").repeat(LINES));
    let koc = bad("Version=1.0\tGenerator=koct\tDesk=Bus\tUtcOffset=0", "2026-11-23 10:00:00 000\trenew\t3999");
    let head =
        r#"{"koct":"log","version":1,"desk":"Bus","written":{"utc":1795428000000,"offset":60},"generator":"0.1.0"}"#;
    let backup = bad(head, r#"{"transaction":{"seq":"x"}}"#);
    for (name, text) in [("bad.koc", koc), ("bad.jsonl", backup)] {
        let path = folder.path().join(name);
        fs::write(&path, text)?;
        measure(&desk, &format!("{name} with {LINES} bad lines"), || {
            desk.page.click("#import-koc")?;
            desk.page.choose_files("#import-files", &[&path])?;
            let looked_at = "document.querySelectorAll('#import-list > li').length === 1 && document.getElementById('import-state').textContent === ''";
            desk.page.wait_for(looked_at, LIMIT)?;
            if desk.page.eval("!document.getElementById('import-go').disabled")? == true {
                desk.page.click("#import-go")?;
                desk.page.wait_for("document.getElementById('import-progress-row').hidden && !document.getElementById('import-go').disabled || !document.getElementById('import-report').hidden", LIMIT)?;
            }
            desk.page.click("#import-close")
        })?;
    }
    Ok(())
}

fn measure(desk: &Desk, what: &str, action: impl FnOnce() -> koct_tests::Result) -> koct_tests::Result {
    desk.page.eval(WATCH)?;
    let began = std::time::Instant::now();
    action()?;
    let took = began.elapsed().as_secs_f64();
    let longest = page::number(desk, "window.longest")?;
    println!("  {what}: {took:.1} s, the window's longest silence {longest:.0} ms; {}", page::memory(desk)?);
    Ok(())
}
