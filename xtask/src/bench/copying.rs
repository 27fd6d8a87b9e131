//! What a scan takes with and without a second copy.

use super::{median, page};
use koct_tests::{
    desk::{Desk, open_window},
    firefox::Options,
};
use std::path::Path;

/// Scans in a row: some parts are written meanwhile.
const SCANS: usize = 200;
const TURNS: usize = 5;
const LOG: usize = 5_000;

/// # Errors
/// When something that is measured does not work.
pub(super) fn bench(addon: &Path) -> koct_tests::Result {
    let mut desk = Desk::with_addon(&Options::default(), addon)?;
    desk.fill(LOG)?;
    println!("a second copy, in a log of {LOG} (medians of {SCANS} scans, {TURNS} times by turns):");
    let mut times = [Vec::new(), Vec::new()];
    for turn in 0..2 * TURNS {
        let is_on = turn % 2 == 1;
        open(&mut desk, is_on)?;
        times[usize::from(is_on)].push(page::scan_as(&desk, SCANS, &format!("T{turn}-"))?);
    }
    let [without, with] = times.map(median);
    println!("  a scan: {without:.1} ms without, {with:.1} ms with it: {:.2} times", with / without);
    Ok(())
}

/// Opens a new window, which writes a second copy, or none.
///
/// # Errors
/// When it does not begin to.
pub(super) fn open(desk: &mut Desk, copies: bool) -> koct_tests::Result {
    desk.page.eval(&format!(
        "browser.storage.local.get('habits').then(({{ habits }}) => \
         browser.storage.local.set({{ habits: {{ ...habits, secondCopy: {copies} }} }}))"
    ))?;
    if copies {
        desk.firefox.allow_files()?;
    }
    desk.page.close()?;
    desk.page = open_window(&desk.firefox)?;
    if copies {
        desk.page.wait("navigator.locks.query().then(({ held }) => held.some(({ name }) => name === 'koct-copy'))")?;
    }
    Ok(())
}
