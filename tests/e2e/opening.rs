//! What a person does before the window is ready.

use crate::{
    desk,
    knowing::{OTHER, item, kept, knowing, wait_for_kept},
    wait,
};
use koct_tests::{
    desk::Desk,
    page::{Page, key},
};
use serde_json::json;

/// Keeps the log from being opened until the page that holds it lets go: a deletion waits for that page, and whoever opens the
/// log waits for the deletion.
const HOLD: &str = "new Promise((done, fail) => { const o = indexedDB.open('koct'); o.onerror = fail; \
    o.onsuccess = () => { window.held = o.result; indexedDB.deleteDatabase('koct').onblocked = () => done(true); }; })";
const IS_READY: &str = "performance.getEntriesByName('koct-ready').length > 0";

/// Opens the window, which is not ready before the page that is given closes what it holds.
fn opening(desk: &Desk) -> Page {
    let holder = desk.firefox.open(&desk.firefox.addon_url("options/options.html")).unwrap();
    holder.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    desk.page.navigate("about:blank").unwrap();
    holder.eval(HOLD).unwrap();
    desk.page.navigate(&desk.firefox.addon_url("popup/popup.html")).unwrap();
    desk.page.activate().unwrap();
    desk.page.wait("document.activeElement.id === 'checkout-patron'").unwrap();
    holder
}

/// Lets the window become ready.
fn let_go(desk: &Desk, holder: &Page) {
    assert_eq!(desk.page.eval(IS_READY).unwrap(), json!(false), "all that was before the window was ready");
    holder.eval("held.close()").unwrap();
    desk.page.wait(IS_READY).unwrap();
}

fn recorded(desk: &Desk) -> Vec<[String; 3]> {
    let rows = desk.rows().unwrap().into_iter().rev();
    rows.map(|row| [row.action, row.cardnumber, row.barcode]).collect()
}

#[test]
fn what_is_scanned_before_the_window_is_ready_is_recorded() {
    let desk = desk();
    let habits = [
        ('\n', "scannerEnd: 'enter'", "I"),
        ('\t', "scannerEnd: 'tab'", "I"),
        // What reads codes by rules is loaded after all else that a scan needs.
        ('\n', "itemRules: 'drop-first 1'", ""),
    ];
    for (end, habits, prefix) in habits {
        desk.page.eval(&format!("browser.storage.local.set({{habits: {{{habits}}}}})")).unwrap();
        let holder = opening(&desk);
        desk.page.type_text(&format!("P1{end}I1{end}I2{end}")).unwrap();
        desk.page.click("#checkin-item").unwrap();
        desk.page.type_text(&format!("I3{end}I4")).unwrap();
        let_go(&desk, &holder);
        desk.page.type_text("5\n").unwrap();
        desk.wait_for_total(4).unwrap();
        let expected = [("issue", "P1", "1"), ("issue", "P1", "2"), ("return", "", "3"), ("return", "", "45")];
        let expected = expected.map(|(action, card, item)| [action.into(), card.into(), format!("{prefix}{item}")]);
        let rows = wait("they are not drawn", || Some(recorded(&desk)).filter(|rows| rows.len() == expected.len()));
        assert_eq!(rows, expected, "each once, in their order: {habits}");
        holder.close().unwrap();
    }
}

#[test]
fn a_button_that_is_clicked_before_the_window_is_ready_is_pressed_once() {
    let desk = desk();
    let holder = opening(&desk);
    desk.page.click("#open-menu").unwrap();
    assert_eq!(desk.page.eval("document.getElementById('menu').hidden").unwrap(), json!(true));
    let_go(&desk, &holder);
    desk.page.wait("document.body.hasAttribute('data-ready')").unwrap();
    assert_eq!(desk.page.eval("document.getElementById('menu').hidden").unwrap(), json!(false));
}

const IS_WHOLE: &str = "document.body.hasAttribute('data-ready')";

/// Waits until the log holds this, in the order of the scans.
fn holds(desk: &Desk, expected: &[[&str; 4]]) {
    desk.page.wait(IS_WHOLE).unwrap();
    wait(&format!("the log does not come to hold {expected:?}"), || {
        let rows = desk.rows().unwrap().into_iter().rev();
        let rows: Vec<[String; 4]> = rows.map(|row| [row.action, row.cardnumber, row.barcode, row.state]).collect();
        (rows == expected).then_some(())
    });
}

/// Keeps a database from being read or written until the page that is given stops.
fn held(desk: &Desk, database: &str, store: &str) -> Page {
    let holder = desk.firefox.open(&desk.firefox.addon_url("options/options.html")).unwrap();
    holder.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    holder
        .eval(&format!(
            "new Promise((done, fail) => {{ const o = indexedDB.open('{database}'); o.onerror = fail; o.onsuccess = () => {{ \
             const db = o.result; const t = db.transaction([...db.objectStoreNames], 'readwrite'); \
             const s = t.objectStore('{store}'); \
             const go = () => {{ if (!window.stopped) s.count().onsuccess = go; else db.close(); }}; go(); done(true); }}; }})"
        ))
        .unwrap();
    desk.page.navigate(&desk.firefox.addon_url("popup/popup.html")).unwrap();
    desk.page.activate().unwrap();
    desk.page.wait(IS_READY).unwrap();
    holder
}

/// Opens the window, whose desk is ready but whose other parts are not before the page that is given stops: it keeps the log
/// from being read.
fn half_open(desk: &Desk) -> Page {
    held(desk, "koct", "transactions")
}

fn let_all_come(desk: &Desk, holder: &Page) {
    assert_eq!(desk.page.eval(IS_WHOLE).unwrap(), json!(false), "all that was before the window was whole");
    holder.eval("window.stopped = true").unwrap();
    desk.page.wait(IS_WHOLE).unwrap();
}

#[test]
fn keys_and_clicks_before_the_window_is_ready_are_done_in_their_order() {
    let desk = desk();
    let holder = opening(&desk);
    desk.page.type_text("P1\nI1\n").unwrap();
    desk.page.press(&[key::F8]).unwrap();
    desk.page.type_text("I2\n").unwrap();
    desk.page.press(&[key::ESCAPE]).unwrap();
    desk.page.type_text("P2\nI3\n").unwrap();
    desk.page.click("#undo").unwrap();
    desk.page.type_text("I4\n").unwrap();
    let_go(&desk, &holder);
    let expected = [
        ["issue", "P1", "I1", "deleted"],
        ["issue", "P1", "I2", "local"],
        ["issue", "P2", "I3", "deleted"],
        ["issue", "P2", "I4", "local"],
    ];
    holds(&desk, &expected);
}

#[test]
fn keys_and_clicks_before_the_window_is_whole_are_done_in_their_order() {
    let desk = desk();
    let holder = half_open(&desk);
    desk.page.type_text("P1\nI1\n").unwrap();
    desk.page.press(&[key::ESCAPE]).unwrap();
    desk.page.type_text("P2\nI2\n").unwrap();
    desk.page.press(&[key::F8]).unwrap();
    desk.page.type_text("I3\n").unwrap();
    desk.page.click("#checkout-clear-patron").unwrap();
    desk.page.type_text("P3\nI4\n").unwrap();
    desk.page.click("#undo").unwrap();
    desk.page.type_text("I5\n").unwrap();
    let_all_come(&desk, &holder);
    let expected = [
        ["issue", "P1", "I1", "local"],
        ["issue", "P2", "I2", "deleted"],
        ["issue", "P2", "I3", "local"],
        ["issue", "P3", "I4", "deleted"],
        ["issue", "P3", "I5", "local"],
    ];
    holds(&desk, &expected);
}

#[test]
fn what_is_not_loaded_waits_for_it_and_nothing_else_does() {
    let desk = desk();
    let holder = half_open(&desk);
    desk.page.press(&[key::F7]).unwrap();
    desk.page.click("#open-menu").unwrap();
    assert!(desk.page.visible("#menu").unwrap(), "the menu is there");
    desk.page.click("#open-help").unwrap();
    assert!(!desk.page.visible("#todo").unwrap() && !desk.page.visible("#help-dialog").unwrap());
    let_all_come(&desk, &holder);
    assert!(desk.page.visible("#todo").unwrap());
    desk.page.wait_visible("#help-dialog").unwrap();
    assert!(!desk.page.visible("#menu").unwrap());
}

#[test]
fn what_is_scanned_before_the_records_are_open_is_looked_up_once_they_are() {
    let (_koha, desk) = knowing();
    let holder = held(&desk, "koct-directory", "state");
    desk.check_out(OTHER, &item(20)).unwrap();
    desk.page.wait(IS_WHOLE).unwrap();
    assert_eq!(kept(&desk), json!({}), "nothing is known yet");
    holder.eval("window.stopped = true").unwrap();
    wait_for_kept(&desk, &item(20), "waiting");
}

#[test]
fn what_others_tell_before_the_settings_are_read_deletes_no_records() {
    let (_koha, desk) = knowing();
    let holder = half_open(&desk);
    // Until then KOCT goes by what holds where nothing is set: nobody wants records.
    holder
        .eval(
            "void (channel => { window.telling = setInterval(() => channel.postMessage(JSON.stringify('Changed')), 10); })\
             (new BroadcastChannel('koct-records'))",
        )
        .unwrap();
    let_all_come(&desk, &holder);
    holder.eval("clearInterval(window.telling)").unwrap();
    desk.check_out(OTHER, &item(20)).unwrap();
    wait_for_kept(&desk, &item(20), "waiting");
}

#[test]
fn keys_that_edit_do_so_before_the_window_is_ready() {
    let desk = desk();
    let holder = opening(&desk);
    desk.page.type_text("12").unwrap();
    desk.page.press(&[key::BACKSPACE]).unwrap();
    desk.page.press(&[key::HOME]).unwrap();
    desk.page.type_text("P").unwrap();
    desk.page.press(&[key::END]).unwrap();
    desk.page.type_text("3\nI1").unwrap();
    desk.page.press(&[key::SHIFT, key::TAB]).unwrap();
    desk.page.type_text("P14\n\n").unwrap();
    let_go(&desk, &holder);
    // The patron's field was selected when the focus came back.
    holds(&desk, &[["issue", "P14", "I1", "local"]]);
}

#[test]
fn silence_ends_codes_before_the_window_is_ready() {
    let desk = desk();
    desk.page.eval("browser.storage.local.set({habits: {scannerEnd: 'nothing'}})").unwrap();
    let holder = opening(&desk);
    // However fast this computer is: the keys of a code come 5 ms after each other, and each code 300 ms after the one before.
    let times = "(() => { const times = new WeakMap(); let last = 1000, keys = 0; Object.defineProperty(Event.prototype, 'timeStamp', {configurable: true, get() { \
        if (!times.has(this)) times.set(this, last += this.type !== 'keydown' ? 0 : keys++ % 14 ? 5 : 300); return times.get(this); }}); })()";
    desk.page.eval(times).unwrap();
    desk.page.type_text("23529001223601").unwrap();
    desk.page.type_text("39999000000001").unwrap();
    desk.page.click("#checkin-item").unwrap();
    desk.page.type_text("39999000000002").unwrap();
    desk.page.type_text("39999000000003").unwrap();
    let_go(&desk, &holder);
    let expected = [
        ["issue", "23529001223601", "39999000000001", "local"],
        ["return", "", "39999000000002", "local"],
        ["return", "", "39999000000003", "local"],
    ];
    holds(&desk, &expected);
}
