//! What a scan takes while records come in the background, and while a second copy is written, too.

use super::{copying, median, page, records::SMALL};
use fake_koha::{Config, Era, FakeKoha, Library};
use koct_core::settings::key_kept::KeyKept;
use koct_tests::{
    desk::{Desk, Settings},
    firefox::Options,
};
use std::{path::Path, time::Duration};

/// Scans in a row. A download that nobody has asked for is gentle with Koha, and lasts longer than all of them.
const SCANS: usize = 100;
const TURNS: usize = 5;
const LOG: usize = 5_000;

/// What goes on beside the scans, by turns.
const BESIDE: [(bool, bool, &str); 3] =
    [(false, false, "with neither"), (true, false, "with a download"), (true, true, "with a download and a copy")];

/// Has the event page download everything, as if its time had come.
const BEGIN: &str = "(localStorage.setItem('koct-refreshes', JSON.stringify({ place: 0 })), \
    browser.alarms.create('koct-records', { when: Date.now() }))";

/// # Errors
/// When something that is measured does not work.
pub(super) fn bench(addon: &Path) -> koct_tests::Result {
    let koha = FakeKoha::start(Config {
        era: Era::From2405,
        library: Library::generate_sized(7, &SMALL),
        ..Config::default()
    })?;
    let mut desk = Desk::with_addon(&Options::default(), addon)?;
    desk.set_up_with(&Settings::of(&koha.url(), "send"), |preferences| {
        preferences.keep_password = true;
        preferences.records.enabled = true;
        preferences.records.key_kept = KeyKept::Computer;
    })?;
    desk.fill(LOG)?;
    println!("beside a scan, in a log of {LOG} (medians of {SCANS} scans, {TURNS} times by turns):");
    let mut times = BESIDE.map(|_| Vec::new());
    for turn in 0..BESIDE.len() * TURNS {
        let (download, copy, _) = BESIDE[turn % BESIDE.len()];
        copying::open(&mut desk, copy)?;
        if download {
            koha.clear_requests();
            desk.page.eval(BEGIN)?;
            while !koha.requests().iter().any(|request| request.path.ends_with("/patrons")) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let median = page::scan_as(&desk, SCANS, &format!("T{turn}-"))?;
        if download {
            // It is still there, and goes on where it is stopped, in another turn.
            desk.page.click("#open-records")?;
            desk.page.wait("!document.getElementById('records-stop').hidden")?;
            desk.page.click("#records-stop")?;
            desk.page.wait("document.getElementById('records-stop').hidden")?;
        }
        times[turn % BESIDE.len()].push(median);
    }
    let [neither, ..] = times.each_ref().map(|times| median(times.clone()));
    for ((_, _, name), times) in BESIDE.into_iter().zip(times) {
        let scan = median(times);
        println!("  {name}: {scan:.1} ms, {:.2} times", scan / neither);
    }
    Ok(())
}
