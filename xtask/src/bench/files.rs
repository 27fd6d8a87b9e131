//! Files of a hundred desks in one go, through the dialog, and scans in between.

use super::{median, page};
use koct_tests::{desk::Desk, firefox::Options};
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const FILES: usize = 100;
const LIMIT: Duration = Duration::from_mins(30);

/// Begins to scan, once in a while, until told to stop: `window.scanned` has the milliseconds of each.
const SCAN_ON: &str = "(() => { window.scanned = []; window.gaps = []; const item = document.getElementById('checkin-item'); \
    const message = document.getElementById('count-unsent'); \
    let last = performance.now(); const beat = setInterval(() => { const now = performance.now(); window.gaps.push(now - last); last = now; }, 10); \
    (async () => { while (!window.enough) { const name = 'S' + window.scanned.length; item.value = name; \
    const began = performance.now(); item.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true})); \
    const confirmed = () => document.getElementById('message').textContent.includes(name + ' ') || document.getElementById('message').textContent.includes(name + '.'); \
    while (!confirmed()) { await new Promise(done => setTimeout(done, 1)); } \
    window.scanned.push(performance.now() - began); await new Promise(done => setTimeout(done, 200)); } clearInterval(beat); })(); })()";

/// # Errors
/// When something that is measured does not work.
pub(super) fn bench(addon: &Path, full: bool) -> koct_tests::Result {
    let each = if full { 10_000 } else { 1_000 };
    let folder = tempfile::tempdir()?;
    let files = write(folder.path(), each)?;
    let desk = Desk::with_addon(&Options::default(), addon)?;
    println!("importing {FILES} files of {each} transactions; before: {}", page::memory(&desk)?);
    desk.page.click("#import-koc")?;
    let began = Instant::now();
    desk.page.choose_files("#import-files", &files.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
    desk.page.wait_for(
        &format!(
            "document.querySelectorAll('#import-list > li').length === {FILES} && document.getElementById('import-state').textContent === ''"
        ),
        LIMIT,
    )?;
    println!("  looked at after {:.1} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    desk.page.click("#import-go")?;
    desk.page.eval(SCAN_ON)?;
    let over = "!document.getElementById('import-report').hidden && document.getElementById('import-progress-row').hidden \
                && document.getElementById('import-state').innerText";
    let said = desk.page.wait_for(over, LIMIT)?;
    let seconds = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a million is far below 2^53")]
    let number = (FILES * each) as f64;
    println!("  imported in {seconds:.1} s, {:.0} a second: {said}", number / seconds);
    println!("  {}", page::memory(&desk)?);
    desk.page.eval("window.enough = true")?;
    for (what, name) in [("scans in between", "scanned"), ("the window's longest silences", "gaps")] {
        let mut times = page::numbers(&desk, &format!("window.{name}"))?;
        times.sort_by(f64::total_cmp);
        let at = |part: usize| times.get(times.len().saturating_sub(1) * part / 100).copied().unwrap_or(f64::NAN);
        println!(
            "  {what}: {}, median {:.1} ms, of a hundred the slowest {:.1} ms, slowest {:.1} ms",
            times.len(),
            median(times.clone()),
            at(99),
            at(100)
        );
    }
    desk.page.eval("document.getElementById('import-close').click()")?;
    println!("  afterwards a scan takes {:.1} ms", page::scan(&desk, 21)?);
    println!("  the first search takes {:.0} ms", page::look_for(&desk, "find-text", "item-0000001")?);
    println!("  the next letter takes {:.0} ms; {}", page::look_for(&desk, "find-text", "s2")?, page::memory(&desk)?);
    Ok(())
}

/// The files, each of a desk of its own.
fn write(folder: &Path, each: usize) -> koct_tests::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for number in 0..FILES {
        let mut text =
            format!("Version=1.0\tGenerator=koct\tGeneratorVersion=0.1.0\tDesk=Desk {number}\tUtcOffset=60\n");
        for line in 0..each {
            let (hour, minute, second) = (8 + line / 3600 % 12, line / 60 % 60, line % 60);
            let time = format!("2026-11-23 {hour:02}:{minute:02}:{second:02} {number:03}");
            let item = line / 2 * FILES + number;
            let what = if line % 2 == 0 { format!("issue\tPatron-{number}") } else { "return".to_owned() };
            writeln!(text, "{time}\t{what}\tItem-{item:07}")?;
        }
        let path = folder.join(format!("desk-{number}.koc"));
        fs::write(&path, text)?;
        files.push(path);
    }
    Ok(files)
}
