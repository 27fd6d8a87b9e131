//! What a person does before the window is ready.

use crate::{desk, wait};
use koct_tests::{desk::Desk, page::Page};
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
    for (end, setting) in [('\n', "enter"), ('\t', "tab")] {
        desk.page.eval(&format!("browser.storage.local.set({{habits: {{scannerEnd: '{setting}'}}}})")).unwrap();
        let holder = opening(&desk);
        desk.page.type_text(&format!("P1{end}I1{end}I2{end}")).unwrap();
        desk.page.click("#checkin-item").unwrap();
        desk.page.type_text(&format!("I3{end}I4")).unwrap();
        let_go(&desk, &holder);
        desk.page.type_text("5\n").unwrap();
        desk.wait_for_total(4).unwrap();
        let expected = [["issue", "P1", "I1"], ["issue", "P1", "I2"], ["return", "", "I3"], ["return", "", "I45"]];
        let rows = wait("they are not drawn", || Some(recorded(&desk)).filter(|rows| rows.len() == expected.len()));
        assert_eq!(rows, expected, "each once, in their order");
        holder.close().unwrap();
    }
}

#[test]
fn a_button_that_is_clicked_before_the_window_is_ready_is_pressed_once() {
    let desk = desk();
    let holder = opening(&desk);
    desk.page.click("#open-help").unwrap();
    assert_eq!(desk.page.eval("document.getElementById('help-dialog').open").unwrap(), json!(false));
    let_go(&desk, &holder);
    desk.page.wait("document.getElementById('help-dialog').open").unwrap();
}
