//! Rows of the log that this version cannot read, beside good ones; and a log that another version holds.

use crate::{configured, desk, downloaded, koha, reopen};
use fake_koha::Era;
use koct_tests::{
    desk::{Desk, Settings, addon, open_window},
    firefox::{Firefox, Options},
};
use serde_json::Value;
use std::fs;

/// Odd rows in all: cheaper for Firefox in a few goes than in as many as there are rows.
const ROWS: usize = 200;
const ROUNDS: usize = 2;

/// Puts odd rows into the log, behind the window's back: each a good one with a part that is missing or of any other kind, or
/// nothing of one, under keys of every kind. `[seed, number, server]`; the first time with a good one that was being sent.
const PUT: &str = "(async (seed, number, server) => { \
    const random = limit => (seed = (seed * 1103515245 + 12345) % 2147483648) % limit; \
    const wrong = [undefined, null, [], {}, -1, 0.5, NaN, -0, 12n, new Date(5), new Map([[1, {}]]), 'y'.repeat(4000), '', '\\u0007', \
        '\\ud800', {state: 'posted'}, {utc: 'yesterday', offset: 60}, new Uint8Array([1, 2]).buffer, [[[]]], true]; \
    const moment = {utc: Date.now() - 60000, offset: 60}; \
    const good = () => ({moment, action: 'return', barcode: 'ODD', itemKey: 'odd', status: {state: 'local'}}); \
    const rows = Array.from({length: number}, (_, place) => { \
        const at = random(1000000) * 1000 + place; \
        const seq = [2000 + at, 2000 + at, at + 0.5, -1 - at, 'key' + at, new Date(at), [at], 5e9 + at][random(8)]; \
        const part = ['moment', 'action', 'barcode', 'status'][random(4)]; \
        const value = wrong[random(wrong.length)]; \
        const row = random(8) === 0 ? Object.assign([[], {}][random(2)], {odd: value}) : {...good(), [part]: value}; \
        if (random(4) === 0 && part !== 'status' && row.status) row.status = {state: ['sending', 'success', 'in-doubt'][random(3)]}; \
        return Object.assign(row, {seq}); }); \
    const db = await new Promise((done, fail) => { const o = indexedDB.open('koct'); o.onsuccess = () => done(o.result); o.onerror = fail; }); \
    await new Promise((done, fail) => { const t = db.transaction('transactions', 'readwrite'); const s = t.objectStore('transactions'); \
        if (server) s.put({...good(), seq: 4, barcode: '39999000000009', itemKey: '39999000000009', part: 0, \
            status: {state: 'sending', attempt: {commitType: 'apply', server}}}); \
        for (const row of rows) s.add(row); t.oncomplete = done; t.onabort = () => fail(t.error); }); db.close(); })";

/// All keys and values of the log but those of good rows, as text.
const ODD: &str = "(async () => { const db = await new Promise(done => { const o = indexedDB.open('koct'); o.onsuccess = () => done(o.result); }); \
    const s = db.transaction('transactions').objectStore('transactions'); \
    const all = await new Promise(done => { const asked = s.getAll(); asked.onsuccess = () => done(asked.result); }); db.close(); \
    const shown = value => typeof value === 'bigint' ? value + 'n' : Object.is(value, -0) ? '-0' : value instanceof Date ? 'D' + value.getTime() \
        : value instanceof Map ? ['M', ...value].map(shown) : value instanceof ArrayBuffer ? ['B', ...new Uint8Array(value)] \
        : value && typeof value === 'object' ? Object.keys(value).sort().map(key => [key, shown(value[key])]) : JSON.stringify(value) ?? String(value); \
    return all.filter(row => row.barcode === 'ODD' || !row.action || !String(row.barcode).startsWith('39')).map(row => JSON.stringify(shown(row))).sort(); })()";

fn put(desk: &Desk, round: usize, server: &str) {
    let number = ROWS / ROUNDS;
    desk.page.eval(&format!("{PUT}({}, {number}, '{server}')", round * 7919 + 17)).unwrap();
}

fn says_unreadable(desk: &Desk, number: usize) {
    let words = format!("{number} transactions cannot be read by this version; they are left as they are.");
    desk.page.wait_text("#unreadable", &words).unwrap();
}

fn odd(desk: &Desk) -> Vec<Value> {
    desk.page.eval(ODD).unwrap().as_array().unwrap().clone()
}

#[test]
fn rows_that_cannot_be_read_stop_nothing_and_are_left_as_they_are() {
    let koha = koha(Era::From2405);
    let folder = koct_tests::keeper::folder().unwrap();
    let mut desk = Desk::open(&Options { downloads: Some(folder.path().to_owned()), ..Options::default() }).unwrap();
    desk.configure(&Settings::of(&koha.url(), "send")).unwrap();
    desk.page.wait_hidden("#unreadable").unwrap();
    for item in ["39999000000001", "39999000000002", "39999000000003"] {
        desk.check_in(item).unwrap();
    }
    let mut states = vec!["local", "local", "local", "in-doubt"];
    for round in 0..ROUNDS {
        put(&desk, round, if round == 0 { koha.url() } else { String::new() }.as_str());
        reopen(&mut desk);
        says_unreadable(&desk, (round + 1) * ROWS / ROUNDS);
        // Scanning goes on; what was interrupted is in doubt.
        desk.check_in(&format!("3999900000001{round}")).unwrap();
        states.push("local");
        desk.wait_for_states(&states).unwrap();
        // The one in doubt does not wait: it is asked about.
        desk.page.wait_text("#count-unsent", &(states.len() - 1).to_string()).unwrap();
        assert_eq!(odd(&desk).len(), (round + 1) * ROWS / ROUNDS);
    }
    let before = odd(&desk);

    desk.page.fill("#find-text", "39999000000002").unwrap();
    desk.page.wait("document.querySelectorAll('tr[data-seq]').length === 1").unwrap();
    desk.page.click("#show-all").unwrap();
    desk.wait_for_states(&states).unwrap();

    desk.export(false).unwrap();
    let exported = fs::read_to_string(downloaded(folder.path(), "koc")).unwrap();
    assert_eq!(exported.lines().filter(|line| line.contains("\treturn\t")).count(), states.len(), "{exported}");
    assert!(!exported.contains("ODD"), "{exported}");
    desk.page.click("#backup").unwrap();
    let backup = downloaded(folder.path(), "jsonl");
    let text = fs::read_to_string(&backup).unwrap();
    let lines = |kind: &str| text.lines().filter(|line| line.starts_with(&format!("{{\"{kind}\":"))).count();
    assert_eq!((lines("raw"), lines("transaction")), (ROWS, states.len()));

    let message = desk.commit().unwrap();
    assert!(!message.contains("could not be read"), "{message}");
    desk.page.wait("!document.querySelector('tr[data-status=local]')").unwrap();
    assert!(desk.states().unwrap().iter().filter(|state| *state == "added").count() == states.len() - 1, "{message}");
    desk.page.click("#show-batches").unwrap();
    desk.page.wait("document.querySelectorAll('#batches-list li').length === 1").unwrap();
    desk.page.click("#batches-close").unwrap();
    assert_eq!(odd(&desk), before, "nothing of them was changed");

    // They are cleared with the second box alone, and only where it is ticked.
    desk.clear_committed().unwrap();
    desk.page.wait("!document.querySelector('tr[data-status=added]')").unwrap();
    says_unreadable(&desk, ROWS);
    assert_eq!(odd(&desk), before);
    desk.page.click("#clear").unwrap();
    desk.page.click("#clear-confirm").unwrap();
    desk.page.wait_contains("#clear-unsent-text", &format!("{ROWS} transactions cannot be read")).unwrap();
    desk.page.click("#clear-ok").unwrap();
    desk.page.wait_contains("#clear-note", "Nothing was deleted yet").unwrap();
    assert_eq!(odd(&desk), before);
    desk.page.click("#clear-unsent-confirm").unwrap();
    desk.page.click("#clear-ok").unwrap();
    desk.page.wait_hidden("#unreadable").unwrap();
    desk.wait_for_total(0).unwrap();
    assert_eq!(odd(&desk), Vec::<Value>::new());

    // Another computer has them again from the backup, and nothing twice.
    let new = configured(&koha, "send");
    new.page.click("#import-koc").unwrap();
    new.page.choose_files("#import-files", &[&backup]).unwrap();
    new.page.wait("!document.getElementById('import-go').disabled").unwrap();
    new.page.click("#import-go").unwrap();
    new.page.wait("document.getElementById('question').open").unwrap();
    new.page.click("#question-yes").unwrap();
    let said = new.wait_for_import().unwrap();
    let all = ROWS + states.len();
    assert!(said.contains(&format!("Imported: {all}. Already there: 0. Refused: 0.")), "{said}");
    new.page.click("#import-close").unwrap();
    says_unreadable(&new, ROWS);
    assert_eq!(odd(&new), before, "under their keys, as they were");
    let said = new.import(&[&backup]).unwrap();
    assert!(said.contains(&format!("Imported: 0. Already there: {all}.")), "{said}");
    new.page.click("#import-close").unwrap();
    new.check_in("39999000000004").unwrap();
    new.wait_for_total(states.len() as u64 + 1).unwrap();
    assert_eq!(odd(&new), before);
}

#[test]
fn a_log_of_a_newer_version_is_named_wherever_it_is_needed() {
    let mut desk = desk();
    desk.check_in("39999000000001").unwrap();
    let settings = desk.open_settings().unwrap();
    settings
        .eval("new Promise((done, fail) => { const o = indexedDB.open('koct', 99); o.onsuccess = () => { o.result.close(); done(); }; o.onerror = fail; })")
        .unwrap();
    // The window that was open gives way, and says so.
    desk.page.wait_contains("#message", "This window has no log any more").unwrap();
    desk.page.click("#backup").unwrap();
    desk.page.wait_contains("#message", "The backup could not be written: This window has no log any more").unwrap();
    reopen_unready(&mut desk);
    for button in ["#export-koc", "#backup", "#import-koc", "#clear", "#show-batches"] {
        desk.page.wait_contains("#message", "A newer version of KOCT has used this log").unwrap();
        let said = desk.page.text("#message").unwrap();
        assert!(!said.contains("Error") && !said.contains("IDB") && !said.contains("JsValue"), "{said}");
        desk.page.click("#message-close").unwrap();
        desk.page.wait_text("#message", "").unwrap();
        desk.page.click(button).unwrap();
    }
}

#[test]
fn a_window_that_holds_an_older_version_open_is_named() {
    // The background page has looked at the log when the add-on was installed, and stands in no queue for it.
    let firefox = Firefox::ready(&Options::default()).unwrap();
    firefox.install(&addon().unwrap()).unwrap();
    let page = open_window(&firefox).unwrap();
    let mut desk = Desk { firefox, page };
    let settings = desk.open_settings().unwrap();
    desk.page.close().unwrap();
    // As the first version left it.
    settings
        .eval(
            "new Promise((done, fail) => { const gone = indexedDB.deleteDatabase('koct'); gone.onerror = fail; gone.onsuccess = () => { \
             const o = indexedDB.open('koct', 1); o.onupgradeneeded = () => { const s = o.result.createObjectStore('transactions', {keyPath: 'seq', \
             autoIncrement: true}); s.createIndex('item', 'itemKey'); s.createIndex('state', 'status.state'); }; \
             o.onsuccess = () => { window.older = o.result; done(); }; o.onerror = fail; }; })",
        )
        .unwrap();
    desk.firefox.click_toolbar_button().unwrap();
    desk.page = desk.firefox.wait_for_page("popup/popup.html").unwrap();
    desk.page.wait_contains("#message", "open in an older version and holds the log").unwrap();
    settings.eval("void window.older.close()").unwrap();
    desk.page.wait("document.body.hasAttribute('data-ready')").unwrap();
    desk.page.wait_text("#message", "").unwrap();
    desk.check_in("39999000000001").unwrap();
}

/// Closes the window and opens it again, where it cannot be ready.
fn reopen_unready(desk: &mut Desk) {
    desk.page.close().unwrap();
    desk.firefox.click_toolbar_button().unwrap();
    desk.page = desk.firefox.wait_for_page("popup/popup.html").unwrap();
}
