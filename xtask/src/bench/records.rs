//! Records for look-up in the window: downloaded from a stand-in of Koha, encrypted on the disk, looked up.

use super::{
    median,
    page::{self, number, numbers},
};
use fake_koha::{Config, Era, FakeKoha, Library, Size};
use koct_tests::{
    desk::{Desk, Settings, enter, open_window},
    firefox::Options,
    settings_page::save,
};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

/// A town’s library.
pub(super) const SMALL: Size = Size { patrons: 20_000, items: 40_000, loans: 6_000, holds: 2_000 };
const LARGE: Size = Size { patrons: 1_000_000, items: 2_000_000, loans: 300_000, holds: 50_000 };
const LIMIT: Duration = Duration::from_hours(1);
const TIMES: usize = 41;

/// Enters codes into a field; gives the milliseconds from Enter until a text of the page is another.
const ENTER: &str = "(async (field, shown, codes) => { const input = document.getElementById(field); const target = document.getElementById(shown); \
    const times = []; for (const code of codes) { const before = target.textContent; input.focus(); input.value = code; \
    input.dispatchEvent(new Event('input', {bubbles: true})); const began = performance.now(); \
    input.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true})); \
    await new Promise(done => { const look = () => target.textContent !== before ? (watch.disconnect(), done()) : null; \
    const watch = new MutationObserver(look); watch.observe(target, {childList: true, characterData: true, subtree: true}); setTimeout(() => { watch.disconnect(); done(); }, 5000); }); \
    times.push(performance.now() - began); await new Promise(done => setTimeout(done, 150)); } return times; })";

/// Types names letter by letter, at the pace of a fast typist; gives the milliseconds from each letter but the first until the
/// list shows what it finds.
const TYPE: &str = "(async names => { const input = document.getElementById('checkout-patron'); const list = document.getElementById('patron-suggestions'); \
    input.focus(); const times = []; const pause = () => new Promise(done => setTimeout(done, 90)); \
    for (const name of names) { input.value = name[0]; input.dispatchEvent(new Event('input', {bubbles: true})); await pause(); for (let length = 2; length <= name.length; length++) { input.value = name.slice(0, length); const began = performance.now(); \
    const drawn = new Promise(done => { const watch = new MutationObserver(() => { watch.disconnect(); done(true); }); watch.observe(list, {childList: true}); setTimeout(() => { watch.disconnect(); done(false); }, 3000); }); \
    input.dispatchEvent(new Event('input', {bubbles: true})); if (await drawn) times.push(performance.now() - began); await pause(); } } \
    input.value = ''; input.dispatchEvent(new Event('input', {bubbles: true})); return times; })";

/// # Errors
/// When something that is measured does not work.
pub(super) fn bench(addon: &Path, full: bool) -> koct_tests::Result {
    let size = if full { LARGE } else { SMALL };
    let library = Library::generate_sized(7, &size);
    let koha = FakeKoha::start(Config { era: Era::From2405, library, ..Config::default() })?;
    let mut desk = Desk::with_addon(&Options::default(), addon)?;
    println!(
        "records of {} patrons, {} items, {} loans and {} holds (medians and the slowest):",
        size.patrons, size.items, size.loans, size.holds
    );
    let opened = |desk: &Desk| number(desk, "performance.getEntriesByName('koct-ready')[0].startTime");
    println!("  without records: ready to scan after {:.0} ms; {}", opened(&desk)?, page::memory(&desk)?);
    let before = on_disk(desk.firefox.profile());
    want(&desk, &koha)?;
    let began = Instant::now();
    let said = download(&desk)?;
    println!("  downloaded in {:.0} s: {said}; {}", began.elapsed().as_secs_f64(), page::memory(&desk)?);
    println!("  on the disk {:.1} MB", (on_disk(desk.firefox.profile()) - before) / 1e6);
    desk.page.close()?;
    desk.page = open_window(&desk.firefox)?;
    desk.page
        .wait("document.getElementById('records-line').hidden && !document.getElementById('open-records').hidden")?;
    println!("  a window opened then: ready to scan after {:.0} ms; {}", opened(&desk)?, page::memory(&desk)?);
    let codes = |first: char, of: usize| -> String {
        let codes = (0..TIMES).map(|n| format!("'{first}{:013}'", 1 + (n * 7_919 * 13) % of));
        codes.collect::<Vec<_>>().join(", ")
    };
    let enter =
        |field: &str, shown: &str, codes: &str| numbers(&desk, &format!("{ENTER}('{field}', '{shown}', [{codes}])"));
    tell("a patron, from Enter to the panel", enter("checkout-patron", "patron-about", &codes('2', size.patrons))?);
    tell(
        "a checkin, from Enter to the title (the scan is recorded first)",
        enter("checkin-item", "returned-title", &codes('3', size.items))?,
    );
    let first = numbers(&desk, &format!("{TYPE}(['mu'])"))?;
    tell("the second letter of a name (the index is read with the first)", first);
    tell(
        "a letter of a name (25 ms are waited for a scanner)",
        numbers(&desk, &format!("{TYPE}(['martin', 'anna sm', 'garcia', 'no', 'kova', 'maria s'])"))?,
    );
    println!("  {}", page::memory(&desk)?);
    Ok(())
}

/// Downloads them by the dialog, which stays open. Returns what it says.
///
/// # Errors
/// When that does not end.
pub(super) fn download(desk: &Desk) -> koct_tests::Result<String> {
    desk.page.click("#open-records")?;
    desk.page.wait("document.getElementById('records-dialog').open")?;
    desk.page.click("#records-download")?;
    let said = desk.page.wait_for(
        "document.querySelector('#records-state:is(.message-good, .message-bad, .message-doubt)')?.innerText",
        LIMIT,
    )?;
    Ok(said.as_str().unwrap_or_default().to_owned())
}

fn tell(what: &str, times: Vec<f64>) {
    let slowest = times.iter().copied().fold(f64::NAN, f64::max);
    println!("  {what}: {:.1} ms, {slowest:.1} ms", median(times));
}

/// Wants records for look-up, of this Koha.
///
/// # Errors
/// When the settings are not saved.
pub(super) fn want(desk: &Desk, koha: &FakeKoha) -> koct_tests::Result {
    let page = desk.open_settings()?;
    enter(&page, &Settings::of(&koha.url(), "send"))?;
    page.eval("document.getElementById('lookup').click()")?;
    save(&page)?;
    page.close()?;
    desk.page.activate()?;
    desk.page.wait("!document.getElementById('open-records').hidden")?;
    Ok(())
}

/// The bytes of the storage of the profile.
#[expect(clippy::cast_precision_loss, reason = "a disk is far below 2^53 bytes")]
fn on_disk(profile: &Path) -> f64 {
    fn size(path: &Path) -> u64 {
        let Ok(metadata) = fs::symlink_metadata(path) else { return 0 };
        if !metadata.is_dir() {
            return metadata.len();
        }
        fs::read_dir(path).into_iter().flatten().flatten().map(|entry| size(&entry.path())).sum()
    }
    size(&profile.join("storage")) as f64
}
