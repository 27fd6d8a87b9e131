//! Recording: by keyboard, at the speed of a scanner, durably.

use koct_tests::{
    desk::{Desk, open_window},
    firefox::Options,
    page::key,
};

#[test]
fn the_button_opens_one_window() {
    let desk = Desk::open(&Options::default()).unwrap();
    desk.firefox.click_toolbar_button().unwrap();
    desk.firefox.click_toolbar_button().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert_eq!(desk.firefox.pages_at("popup/popup.html").unwrap().len(), 1);
    // Closed and opened again, it is a new one.
    desk.page.close().unwrap();
    let page = open_window(&desk.firefox).unwrap();
    assert_eq!(page.focused().unwrap(), "checkout-patron");
    assert_eq!(desk.firefox.console_errors(), Vec::<String>::new());
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
    // From the item field on: the button beside it, then the checkin field.
    desk.page.type_text("\t\tB1\n").unwrap();
    desk.wait_for_total(3).unwrap();
    let rows = desk.rows().unwrap();
    assert_eq!((rows[0].action.as_str(), rows[0].barcode.as_str()), ("return", "B1"));
    assert_eq!(
        (rows[2].cardnumber.as_str(), rows[2].barcode.as_str(), rows[2].status.as_str()),
        ("P1", "B1", "Local.")
    );
    assert_eq!(desk.page.text("#count-unsent").unwrap(), "3");
    desk.page.press(&[key::SHIFT, key::TAB]).unwrap();
    assert_eq!(desk.page.focused().unwrap(), "checkout-submit");
}
