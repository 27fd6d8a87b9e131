//! How long the window takes to open: with an empty log and with a long one, and beside an older add-on where one is named.

use super::{median, page::number};
use koct_tests::{Result, desk::Desk, firefox::Options};
use serde_json::json;
use std::path::{Path, PathBuf};

/// How often it is opened.
const TIMES: usize = 15;
/// What is looked at, with the script that tells when it was, in milliseconds since the window was asked for.
const MOMENTS: [(&str, &str); 8] = [
    ("first paint", "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"),
    ("the page is parsed", "performance.getEntriesByType('navigation')[0].domContentLoadedEventStart"),
    ("the first module runs", "performance.getEntriesByName('koct-runs')[0]?.startTime"),
    ("ready to scan", "performance.getEntriesByName('koct-ready')[0].startTime"),
    ("the newest are shown", "performance.getEntriesByName('koct-shown')[0].startTime"),
    ("the log is counted", "performance.getEntriesByName('koct-counted')[0]?.startTime"),
    ("everything is there", "performance.getEntriesByName('koct-whole')[0]?.startTime"),
    ("a dialog asked for when ready", "window.opened"),
];

/// Asks for a dialog from the moment in which the desk is ready, and notes when it is open.
const ASKS: &str = "void new PerformanceObserver((list, observer) => {
    if (!list.getEntriesByName('koct-ready').length) return;
    observer.disconnect();
    const look = () => {
        if (document.getElementById('help-dialog').open) return window.opened = performance.now();
        // An older add-on does not keep what is pressed too early.
        document.getElementById('open-help').click();
        requestAnimationFrame(look);
    };
    look();
}).observe({ type: 'mark', buffered: true })";

/// An add-on that is measured.
struct Measured {
    name: &'static str,
    desk: Desk,
    times: [Vec<f64>; MOMENTS.len()],
}

/// The variable `KOCT_BEFORE` names the folder of an older add-on, which is opened in turn with this one.
///
/// # Errors
/// When something that is measured does not work.
pub(super) fn bench(addon: &Path) -> Result {
    let before = std::env::var_os("KOCT_BEFORE").map(PathBuf::from);
    let addons = before.as_deref().map(|before| ("before", before)).into_iter().chain([("now", addon)]);
    let addons: Vec<_> = addons.collect();
    for filled in [0, 100_000] {
        println!("the window is opened, {filled} transactions in the log (medians of {TIMES}, in ms):");
        let mut measured = Vec::new();
        for (name, folder) in &addons {
            // As at a desk, where Firefox compiles well what runs often.
            let options = Options {
                prefs: vec![("javascript.options.wasm_optimizingjit".into(), json!(true))],
                ..Options::default()
            };
            let desk = Desk::with_addon(&options, folder)?;
            desk.fill(filled)?;
            measured.push(Measured { name, desk, times: Default::default() });
        }
        for _ in 0..TIMES {
            for Measured { desk, times, .. } in &mut measured {
                desk.page.begin_reload()?;
                desk.page.eval(ASKS)?;
                desk.page.wait("document.body?.hasAttribute('data-ready') && window.opened")?;
                for ((_, script), times) in MOMENTS.iter().zip(times) {
                    times.push(number(desk, script)?);
                }
            }
        }
        for (place, (what, _)) in MOMENTS.iter().enumerate() {
            let medians = measured
                .iter()
                .map(|Measured { name, times, .. }| format!("{name} {:6.1}", median(times[place].clone())));
            println!("  {what:<24} {}", medians.collect::<Vec<_>>().join("   "));
        }
    }
    Ok(())
}
