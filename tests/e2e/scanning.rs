//! Recording: by keyboard, at the speed of a scanner, durably.

use crate::{outage::end_event_page, wait};
use koct_tests::{
    desk::{Desk, open_window},
    firefox::Options,
    page::key::{self, F2, F3, F4, F9},
};

/// Whether KOCT's window is in front, or Firefox's own.
fn in_front(desk: &Desk, which: &str) -> bool {
    let front =
        "Services.focus.activeWindow === window ? 'browser' : Services.focus.activeWindow?.gBrowser ? 'koct' : 'none'";
    desk.firefox.in_chrome(front).unwrap() == which
}

#[test]
fn the_button_and_a_key_open_one_window() {
    let desk = Desk::open(&Options::default()).unwrap();
    desk.firefox.in_chrome("void (window.opened = 0, window.count = (_, topic) => window.opened += topic === 'domwindowopened', Services.ww.registerNotification(window.count))").unwrap();
    // Twice together, and once when those are through: what they bring to the front, or open, is there by then.
    desk.firefox.click_toolbar_button().unwrap();
    for _ in 0..2 {
        // What the first click brings to the front may come after the browser's window was brought there.
        wait("the window stays in front", || {
            desk.firefox.in_chrome("void window.focus()").unwrap();
            in_front(&desk, "browser").then_some(())
        });
        desk.firefox.click_toolbar_button().unwrap();
        wait("KOCT does not come to the front", || in_front(&desk, "koct").then_some(()));
    }
    let opened = || desk.firefox.in_chrome("window.opened").unwrap();
    assert_eq!(opened(), 0);
    assert_eq!(desk.firefox.pages_at("popup/popup.html").unwrap().len(), 1);
    // Closed, it is opened anew, and once although another click comes meanwhile: what a later one finds there is all.
    desk.page.close().unwrap();
    desk.firefox.click_toolbar_button().unwrap();
    let page = open_window(&desk.firefox).unwrap();
    assert_eq!(page.focused().unwrap(), "checkout-patron");
    wait("the window stays in front", || {
        desk.firefox.in_chrome("void window.focus()").unwrap();
        in_front(&desk, "browser").then_some(())
    });
    desk.firefox.click_toolbar_button().unwrap();
    wait("KOCT does not come to the front", || in_front(&desk, "koct").then_some(()));
    assert_eq!(opened(), 1);
    // A key opens it from any tab, and wakes what sleeps.
    page.close().unwrap();
    end_event_page(&desk);
    desk.firefox.press_opening_key().unwrap();
    let page = desk.firefox.wait_for_page("popup/popup.html").unwrap();
    page.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    assert_eq!(page.focused().unwrap(), "checkout-patron");
    assert_eq!(opened(), 2);
    desk.firefox.in_chrome("void Services.ww.unregisterNotification(window.count)").unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn a_hundred_codes_without_a_pause_arrive_whole_and_in_order() {
    let desk = Desk::open(&Options::default()).unwrap();
    desk.page.type_text("23529001223601\n").unwrap();
    assert_eq!(desk.page.focused().unwrap(), "checkout-item");
    let codes: Vec<String> = (1..=100).map(|number| format!("ITEM{number:010}")).collect();
    desk.page.type_text(&format!("{}\n", codes.join("\n"))).unwrap();
    desk.wait_for_total(100).unwrap();
    assert_eq!(desk.page.value("#checkout-patron").unwrap(), "23529001223601");
    assert_eq!(desk.page.value("#checkout-item").unwrap(), "");
    let stored = desk
        .page
        .eval(
            "new Promise((done, fail) => { const opening = indexedDB.open('koct'); opening.onsuccess = () => { const all = \
             opening.result.transaction('transactions').objectStore('transactions').getAll(); all.onsuccess = () => \
             done(all.result.map(t => t.barcode)); }; opening.onerror = fail; })",
        )
        .unwrap();
    let stored: Vec<&str> = stored.as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    assert_eq!(stored, codes);
    // Only what is seen is drawn.
    assert!(desk.rows().unwrap().len() < 60);
}

#[test]
fn everything_can_be_done_by_keyboard_alone() {
    let desk = Desk::open(&Options::default()).unwrap();
    desk.page.type_text("P1\nB1\nB2\n").unwrap();
    desk.wait_for_total(2).unwrap();
    desk.page.type_text(&format!("{F4}B1\n")).unwrap();
    desk.wait_for_total(3).unwrap();
    let rows = desk.rows().unwrap();
    assert_eq!((rows[0].action.as_str(), rows[0].barcode.as_str()), ("return", "B1"));
    assert_eq!(
        (rows[2].cardnumber.as_str(), rows[2].barcode.as_str(), rows[2].status.as_str()),
        ("P1", "B1", "Local.")
    );
    desk.page.wait_text("#count-unsent", "3").unwrap();
    // The list of the visit is one stop.
    desk.page.press(&[key::SHIFT, key::TAB]).unwrap();
    assert_eq!(desk.page.eval("document.activeElement.closest('#patron-items-list') !== null").unwrap(), true);
    desk.page.press(&[key::SHIFT, key::TAB]).unwrap();
    assert_eq!(desk.page.focused().unwrap(), "patron-move");
    // The next patron, the search, and back.
    desk.page.type_text(&format!("{F2}P2\nB3\n")).unwrap();
    desk.wait_for_total(4).unwrap();
    assert_eq!(desk.rows().unwrap()[0].cardnumber, "P2");
    desk.page.press(&[key::ESCAPE]).unwrap();
    assert_eq!(desk.page.value("#checkout-patron").unwrap(), "");
    assert_eq!(desk.page.focused().unwrap(), "checkout-patron");
    desk.page.type_text(&format!("{F3}b3")).unwrap();
    desk.wait_for_total(1).unwrap();
    desk.page.press(&[key::ESCAPE]).unwrap();
    desk.wait_for_total(4).unwrap();
    // Not set up yet: the key says so and nothing is sent.
    desk.page.press(&[F9]).unwrap();
    desk.page.wait("document.getElementById('message').textContent.includes('settings are not complete')").unwrap();
}

#[test]
fn hostile_texts_stay_text() {
    let desk = Desk::open(&Options::default()).unwrap();
    // The driver's keys for these signs are those of no keyboard.
    desk.page.eval("browser.storage.local.set({ scannerKeyboard: 'as-typed' })").unwrap();
    desk.page.reload().unwrap();
    desk.page.wait("document.body.hasAttribute('data-ready')").unwrap();
    let codes = ["<img src=x onerror=1>", "\"'&amp;", "📚 ä", "$1 $2 %s"];
    for (number, code) in (1..).zip(codes) {
        // A longer one than Koha's barcodes goes into the cardnumber.
        desk.check_out(code, &format!("B{number}")).unwrap();
    }
    let shown: Vec<String> = desk.rows().unwrap().into_iter().rev().map(|row| row.cardnumber).collect();
    assert_eq!(shown, codes);
    assert_eq!(desk.page.eval("document.querySelectorAll('main img, main script').length").unwrap(), 0);
    desk.page.wait_contains("#message", "to $1 $2 %s").unwrap();
}

#[test]
fn a_code_that_koha_would_cut_is_shown_until_dealt_with() {
    let desk = Desk::open(&Options::default()).unwrap();
    let long = "9".repeat(200);
    desk.page.type_text(&format!("P1\n{long}\nB2\n")).unwrap();
    desk.wait_for_total(1).unwrap();
    let shown = desk.page.text(".attention:not(:empty)").unwrap();
    assert!(shown.contains(&long) && shown.contains("characters: 200") && shown.contains("at most 20"), "{shown}");
    // Corrected and recorded.
    desk.page.click(".attention [data-field=retry]").unwrap();
    assert_eq!(desk.page.value("#checkout-item").unwrap(), long);
    assert_eq!(desk.page.focused().unwrap(), "checkout-item");
    desk.page.fill("#checkout-item", "B3").unwrap();
    desk.page.type_text("\n").unwrap();
    desk.wait_for_total(2).unwrap();
    desk.page.wait("!document.querySelector('.attention li')").unwrap();
    assert_eq!(desk.rows().unwrap()[0].barcode, "B3");
}

#[test]
fn a_scan_that_cannot_be_written_stays_on_screen() {
    let desk = Desk::open(&Options::default()).unwrap();
    // The disk is full: every write fails.
    desk.page
        .eval("(window.add = IDBObjectStore.prototype.add, IDBObjectStore.prototype.add = function () { throw new DOMException('the disk is full', 'QuotaExceededError'); }, 0)")
        .unwrap();
    desk.page.type_text("P1\nB1\n").unwrap();
    desk.page.wait("document.querySelector('.attention li')").unwrap();
    let shown = desk.page.text(".attention:not(:empty)").unwrap();
    assert!(shown.contains("B1") && shown.contains("P1") && shown.contains("disk"), "{shown}");
    assert_eq!(desk.total().unwrap(), 0, "what is not durable is not in the table");
    desk.page.wait_contains("#message", "NOT recorded").unwrap();
    // A second one, and one with which something is wrong; then there is room again: the two are tried again all at once, in order.
    desk.page.type_text("B2\na-barcode-that-is-far-too-long-for-koha\n").unwrap();
    desk.page.wait("document.querySelectorAll('.attention li').length === 3").unwrap();
    desk.page.eval("(IDBObjectStore.prototype.add = window.add, 0)").unwrap();
    desk.open_todo().unwrap();
    desk.page.click("#retry-all").unwrap();
    desk.page.wait("document.querySelectorAll('.attention li').length === 1").unwrap();
    desk.page.wait_hidden("#retry-all").unwrap();
    desk.open_log().unwrap();
    desk.wait_for_total(2).unwrap();
    let barcodes: Vec<String> = desk.rows().unwrap().into_iter().map(|row| row.barcode).collect();
    assert_eq!(barcodes, ["B2", "B1"]);
}

#[test]
fn the_patron_comes_first_and_the_item_is_kept() {
    let desk = Desk::open(&Options::default()).unwrap();
    desk.page.click("#checkout-item").unwrap();
    desk.page.type_text("B1\n").unwrap();
    assert_eq!(desk.page.focused().unwrap(), "checkout-patron");
    assert_eq!(desk.page.value("#checkout-item").unwrap(), "B1");
    desk.page.type_text("P1\n\n").unwrap();
    desk.wait_for_total(1).unwrap();
    desk.page.click("#checkout-clear-patron").unwrap();
    assert_eq!(
        (desk.page.value("#checkout-patron").unwrap().as_str(), desk.page.focused().unwrap().as_str()),
        ("", "checkout-patron")
    );
}

#[test]
fn an_error_in_a_page_would_be_seen() {
    let desk = crate::desk();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
    // The window started again without an element that it needs.
    let again = "(() => { document.getElementById('message').remove(); const again = document.createElement('script'); \
                 again.type = 'module'; again.src = 'popup.js?again'; document.body.append(again); return true; })()";
    desk.page.eval(again).unwrap();
    wait("the error was not seen", || (!desk.firefox.console_errors().unwrap().is_empty()).then_some(()));
}
