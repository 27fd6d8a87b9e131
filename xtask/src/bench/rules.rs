//! A scan as the person meets it, from Enter to the row that is on the disk: with ten rules for codes, and with none.

use super::{median, page::scan};
use koct_tests::{Result, desk::Desk, firefox::Options};
use std::path::Path;

const ROUNDS: usize = 9;
const SCANS: usize = 40;

/// Each of them looks at every code of the bench, and two change it.
const RULES: [&str; 10] = [
    "aim",
    "whitespace",
    "plain-digits",
    "start-stop",
    "drop-first 1 of 30",
    "drop-last 1 of 30",
    "replace S* 3999900*",
    "pad 14 2352",
    "EAN13",
    "cuecat",
];

/// # Errors
/// When something that is measured does not work.
pub(super) fn bench(addon: &Path) -> Result {
    let with = |rules: &[&str]| -> Result<Desk> {
        let desk = Desk::with_addon(&Options::default(), addon)?;
        let stored = serde_json::json!({ "habits": { "itemRules": rules.join("\n"), "sounds": false } });
        desk.page.eval(&format!("browser.storage.local.set({stored})"))?;
        desk.page.reload()?;
        desk.page.wait("document.body && document.body.hasAttribute('data-ready')")?;
        Ok(desk)
    };
    let desks = [with(&[])?, with(&RULES)?];
    let mut times = [Vec::new(), Vec::new()];
    // In turn, and each first as often as the other: the machine may be busier now than then.
    for round in 0..=ROUNDS {
        for place in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            desks[place].page.activate()?;
            let time = scan(&desks[place], SCANS)?;
            // The first of a window is not as the others.
            times[place].extend((round > 0).then_some(time));
        }
    }
    let [without, with] = times.map(median);
    println!("a scan, from Enter to the durable row (median of {ROUNDS} medians of {SCANS}):");
    println!(
        "  without rules {without:.2} ms, with {} rules {with:.2} ms: {:.2} times as long",
        RULES.len(),
        with / without
    );
    Ok(())
}
