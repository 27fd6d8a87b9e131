//! Scrolling in a long log whose rows speak in titles and names, beside an older add-on where one is named. Titles are looked up only
//! for the rows that are seen.

use super::{
    large::SCROLL,
    median,
    page::numbers,
    records::{SMALL, download, want},
};
use fake_koha::{Config, Era, FakeKoha, Library};
use koct_tests::{Result, desk::Desk, firefox::Options};
use std::path::{Path, PathBuf};

const ROWS: usize = 100_000;
const ROUNDS: usize = 5;
const JUMPS: usize = 21;
const FRAMES: usize = 120;

/// Fills the log with checkouts of items and patrons that the records know.
const FILL: &str = "(async (count, items, patrons) => { const db = await new Promise((done, fail) => { const o = indexedDB.open('koct'); \
    o.onsuccess = () => done(o.result); o.onerror = fail; }); const ends = Date.now() - 60_000; for (let made = 0; made < count; made += 1000) { \
    await new Promise((done, fail) => { const t = db.transaction('transactions', 'readwrite'); const s = t.objectStore('transactions'); \
    for (let n = made; n < made + 1000; n++) { const barcode = '3' + String(1 + n * 7919 % items).padStart(13, '0'); \
    s.add({moment: {utc: ends - (count - n) * 50, offset: 0}, action: 'issue', cardnumber: '2' + String(1 + n * 104729 % patrons).padStart(13, '0'), \
    barcode, itemKey: barcode, part: 0, status: {state: 'local'}}); } t.oncomplete = done; t.onerror = fail; }); } db.close(); })";

/// Scrolls by two rows with each frame, as a wheel does, from a place anywhere; gives the milliseconds of each frame.
const WHEEL: &str = "(async count => { const box = document.getElementById('transactions-scroll'); \
    box.scrollTop = Math.floor((box.scrollHeight - box.clientHeight) * Math.random() * .9); \
    let before = await new Promise(requestAnimationFrame); const times = []; for (let i = 0; i < count; i++) { box.scrollTop += 60; \
    const now = await new Promise(requestAnimationFrame); times.push(now - before); before = now; } return times; })";

/// Goes to places anywhere; gives the milliseconds until every row that is seen has its title.
const NAMED: &str = "(async count => { const box = document.getElementById('transactions-scroll'); const named = () => { \
    const frame = box.getBoundingClientRect(); const rows = [...document.querySelectorAll('#transactions-rows tr[data-seq]')].filter(row => { \
    const { top, bottom } = row.getBoundingClientRect(); return bottom > frame.top && top < frame.bottom; }); \
    return rows.length > 3 && rows.every(row => row.querySelector('[data-field=title]')?.textContent); }; const times = []; \
    for (let i = 0; i < count; i++) { const began = performance.now(); box.scrollTop = Math.floor((box.scrollHeight - box.clientHeight) * Math.random()); \
    do { await new Promise(requestAnimationFrame); } while (!named() && performance.now() < began + 10000); times.push(performance.now() - began); } return times; })";

struct Measured {
    name: &'static str,
    desk: Desk,
    speaks: bool,
    jumps: Vec<f64>,
    frames: Vec<f64>,
    named: Vec<f64>,
}

/// The variable `KOCT_BEFORE` names the folder of an older add-on, which is scrolled in turn with this one.
///
/// # Errors
/// When something that is measured does not work.
pub(super) fn bench(addon: &Path) -> Result {
    let library = Library::generate_sized(7, &SMALL);
    let koha = FakeKoha::start(Config { era: Era::From2405, library, ..Config::default() })?;
    let before = std::env::var_os("KOCT_BEFORE").map(PathBuf::from);
    let addons = before.as_deref().map(|before| ("before", before)).into_iter().chain([("now", addon)]);
    let mut measured = Vec::new();
    for (name, folder) in addons {
        let desk = Desk::with_addon(&Options::default(), folder)?;
        want(&desk, &koha)?;
        download(&desk)?;
        desk.page.eval(&format!("{FILL}({ROWS}, {}, {})", SMALL.items, SMALL.patrons))?;
        desk.page.reload()?;
        desk.page.wait("document.body && document.body.hasAttribute('data-ready')")?;
        desk.page.eval("document.getElementById('clear-dialog').close()")?;
        let has_titles = "!!document.getElementById('row-template').content.querySelector('[data-field=title]')";
        let speaks = desk.page.eval(has_titles)? == true;
        if speaks {
            desk.page.wait("document.querySelector('#transactions-rows [data-field=title]')?.textContent")?;
        }
        measured.push(Measured { name, desk, speaks, jumps: vec![], frames: vec![], named: vec![] });
    }
    for _ in 0..ROUNDS {
        for Measured { desk, speaks, jumps, frames, named, .. } in &mut measured {
            desk.page.activate()?;
            jumps.extend(numbers(desk, &format!("{SCROLL}({JUMPS})"))?);
            frames.extend(numbers(desk, &format!("{WHEEL}({FRAMES})"))?);
            if *speaks {
                named.extend(numbers(desk, &format!("{NAMED}({JUMPS})"))?);
            }
        }
    }
    println!("scrolling in {ROWS} transactions, titles known (medians, in ms):");
    for (what, of) in [
        ("a jump, until the rows are seen", (|all| &all.jumps) as fn(&Measured) -> &Vec<f64>),
        ("a frame while a wheel is turned", |all| &all.frames),
        ("a jump, until the titles are there", |all| &all.named),
    ] {
        // An add-on whose rows do not speak has no titles to wait for.
        let timed = measured.iter().filter(|all| !of(all).is_empty());
        let medians: Vec<(&str, f64)> = timed.map(|all| (all.name, median(of(all).clone()))).collect();
        let told = medians.iter().map(|(name, millis)| format!("{name} {millis:6.2}"));
        let ratio = match medians[..] {
            [(_, before), (_, now)] if before > 0.0 => format!("   ({:.2})", now / before),
            _ => String::new(),
        };
        println!("  {what:<36} {}{ratio}", told.collect::<Vec<_>>().join("   "));
    }
    Ok(())
}
