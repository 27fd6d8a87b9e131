//! Scans that are asked about, and scanners of all kinds.

use crate::desk;
use koct_tests::{
    desk::{Desk, addon},
    firefox::{Firefox, Options},
    page::key,
    settings_page,
};

/// Changes settings of the desk itself, as a person does, without a Koha.
fn set(desk: &Desk, pattern: &str, end: &str) {
    let settings = desk.open_settings().unwrap();
    settings_page::unfold(&settings, "card-pattern").unwrap();
    settings.fill("#card-pattern", pattern).unwrap();
    settings.eval(&format!("document.getElementById('scanner-end').value = '{end}'")).unwrap();
    assert!(settings_page::save(&settings).unwrap().starts_with("Saved."));
    desk.page.activate().unwrap();
}

fn barcodes(desk: &Desk) -> Vec<String> {
    desk.rows().unwrap().into_iter().rev().map(|row| row.barcode).collect()
}

#[test]
fn the_same_item_twice_in_a_row_is_asked_about_and_scanning_goes_on() {
    let desk = desk();
    desk.page.type_text("P1\nB1\nB1\nB2\n").unwrap();
    desk.wait_for_total(2).unwrap();
    assert_eq!(barcodes(&desk), ["B1", "B2"]);
    let asked = desk.page.text(".attention:not(:empty)").unwrap();
    assert!(asked.contains("B1") && asked.contains("meant twice"), "{asked}");
    desk.page.click(".attention [data-field=retry]").unwrap();
    desk.wait_for_total(3).unwrap();
    desk.page.wait("!document.querySelector('.attention li')").unwrap();
    // Another patron, or a checkin, is something else.
    desk.page.type_text(&format!("{}P2\nB1\n{}B1\n", key::F2, key::F4)).unwrap();
    desk.wait_for_total(5).unwrap();
    // Taken back and scanned again is no repetition.
    desk.page.press(&[key::F8]).unwrap();
    desk.page.wait("document.querySelector(\"tr[data-seq='5']\").dataset.status === 'deleted'").unwrap();
    desk.page.type_text("B1\n").unwrap();
    desk.wait_for_total(6).unwrap();
}

#[test]
fn what_nobody_sees_is_refused_in_a_code_and_what_only_looks_alike_is_asked_about() {
    let desk = desk();
    // Pasted around a code it does no harm. Within, it would be another code.
    desk.page.type_text(&format!("{}\u{feff}B1\u{200e}\nB\u{200b}2\n", key::F4)).unwrap();
    desk.page
        .wait_contains(".attention:not(:empty)", "a character that nobody sees (U+200B ZERO WIDTH SPACE)")
        .unwrap();
    assert_eq!(barcodes(&desk), ["B1"]);
    desk.page.click(".attention [data-field=dismiss]").unwrap();
    desk.page.wait("!document.querySelector('.attention li')").unwrap();
    // A Cyrillic letter.
    desk.page.click("#checkin-item").unwrap();
    desk.page.type_text("\u{410}12\nB3\n").unwrap();
    desk.page.wait_contains(".attention:not(:empty)", "(U+0410) only looks like").unwrap();
    desk.wait_for_total(2).unwrap();
    desk.page.click(".attention [data-field=retry]").unwrap();
    desk.wait_for_total(3).unwrap();
    assert_eq!(barcodes(&desk), ["B1", "B3", "\u{410}12"]);
    // What runs the other way turns nothing around beside it.
    desk.page.click("#checkin-item").unwrap();
    desk.page.type_text("שלום7\n").unwrap();
    desk.wait_for_total(4).unwrap();
    // Not as it is drawn: there the marks are gone.
    desk.page.wait("document.getElementById('message').textContent.includes('\u{2068}שלום7\u{2069}')").unwrap();
    // In a file it is named before anything is imported.
    let file = "Version=1.0\tGenerator=kolt\n2026-11-23 11:00:00\treturn\tB\u{200b}2\n2026-11-23 11:00:01\treturn\tA\u{2011}1\n";
    desk.page.drop_files("#transactions", &[("van.koc", file)]).unwrap();
    desk.page
        .wait_contains("#import-list [data-field=result]", "Line 2: a code holds U+200B ZERO WIDTH SPACE")
        .unwrap();
    desk.page.wait_contains("#import-list [data-field=result]", "Such lines: 2.").unwrap();
}

#[test]
fn a_card_in_the_field_of_the_item_is_the_next_patron() {
    let desk = desk();
    set(&desk, "23529#########", "enter");
    desk.page.type_text(&format!("{}23529001223601\nB1\n23529001223602\nB2\nB3\n", key::F2)).unwrap();
    desk.wait_for_total(3).unwrap();
    let patrons: Vec<String> = desk.rows().unwrap().into_iter().rev().map(|row| row.cardnumber).collect();
    assert_eq!(patrons, ["23529001223601", "23529001223602", "23529001223602"]);
    let listed = "document.getElementById('patron-items-list').innerText";
    let listed = desk.page.eval(listed).unwrap();
    let listed = listed.as_str().unwrap();
    assert!(listed.contains("B3") && listed.contains("B2") && !listed.contains("B1"), "{listed}");
    // Taken back, it leaves the list.
    desk.page.press(&[key::F8]).unwrap();
    desk.page.wait("!document.getElementById('patron-items-list').innerText.includes('B3')").unwrap();
    // At the checkin nobody can tell what is meant.
    desk.page.type_text(&format!("{}23529001223601\n", key::F4)).unwrap();
    desk.page.wait("document.getElementById('attention-checkin').innerText.includes('like a patron’s card')").unwrap();
    assert_eq!(desk.total().unwrap(), 3);
    desk.page.click(".attention [data-field=retry]").unwrap();
    desk.wait_for_total(4).unwrap();
    assert_eq!(desk.rows().unwrap()[0].barcode, "23529001223601");
}

#[test]
fn scanners_that_end_with_tab() {
    let desk = desk();
    set(&desk, "", "tab");
    desk.page.type_text(&format!("{}P1\tB1\tB2\tB3\t{}B1\tB2\t", key::F2, key::F4)).unwrap();
    desk.wait_for_total(5).unwrap();
    assert_eq!(barcodes(&desk), ["B1", "B2", "B3", "B1", "B2"]);
    desk.page.wait_focused("checkin-item").unwrap();
    // In an empty field Tab goes on, as ever.
    desk.page.press(&[key::TAB]).unwrap();
    desk.page.wait_focused("checkin-submit").unwrap();
}

/// Puts characters into a field as key events would, the times between them given, and none between them in truth: what comes of
/// it does not depend on how fast anything is.
fn type_with(desk: &Desk, field: &str, code: &str, gap: f64) {
    let script = format!(
        "(() => {{ const field = document.getElementById('{field}'); field.focus(); let time = performance.now(); \
         for (const character of '{code}') {{ field.value += character; const event = new InputEvent('input', {{data: character, bubbles: true}}); \
         Object.defineProperty(event, 'timeStamp', {{value: time}}); time += {gap}; field.dispatchEvent(event); }} }})()"
    );
    desk.page.eval(&script).unwrap();
}

/// When a code is one is a rule of core, with its tests there. Here it counts that it is asked, with the times of the keys.
#[test]
fn scanners_that_end_with_nothing() {
    const SCANNER: f64 = 4.0;
    const PERSON: f64 = 90.0;
    let desk = desk();
    set(&desk, "", "nothing");
    type_with(&desk, "checkout-patron", "23529001223601", SCANNER);
    desk.page.wait("document.activeElement.id === 'checkout-item'").unwrap();
    for (number, code) in (1..).zip(["39999000000001", "39999000000002"]) {
        type_with(&desk, "checkout-item", code, SCANNER);
        desk.wait_for_total(number).unwrap();
    }
    assert_eq!(barcodes(&desk), ["39999000000001", "39999000000002"]);
    // Typed by hand, it waits for Enter. What is scanned later is looked at later, so that it would have been taken by then.
    type_with(&desk, "checkout-item", "39991", PERSON);
    type_with(&desk, "checkin-item", "39999000000003", SCANNER);
    desk.wait_for_total(3).unwrap();
    assert_eq!(barcodes(&desk).last().unwrap(), "39999000000003");
    assert_eq!(desk.page.value("#checkout-item").unwrap(), "39991");
    desk.page.click("#checkout-item").unwrap();
    desk.page.type_text("\n").unwrap();
    desk.wait_for_total(4).unwrap();
    assert_eq!(barcodes(&desk).last().unwrap(), "39991");
}

#[test]
fn where_firefox_remembers_nothing_it_says_what_to_change() {
    let prefs = vec![("browser.privatebrowsing.autostart".into(), true.into())];
    let firefox = Firefox::ready(&Options { prefs, ..Options::default() }).unwrap();
    firefox.install_for_private_windows(&addon().unwrap()).unwrap();
    firefox.click_toolbar_button().unwrap();
    let page = firefox.wait_for_page("popup/popup.html").unwrap();
    page.wait_contains("#message", "set to never remember history").unwrap();
    page.wait("document.getElementById('checkout-item').disabled").unwrap();
}

#[test]
fn in_a_private_window_it_says_where_to_open_it() {
    let firefox = Firefox::ready(&Options::default()).unwrap();
    firefox.install_for_private_windows(&addon().unwrap()).unwrap();
    let url = serde_json::json!(firefox.addon_url("popup/popup.html"));
    let open = format!(
        "(async () => {{ const opened = OpenBrowserWindow({{private: true}}); \
         await new Promise(done => opened.addEventListener('load', done, {{once: true}})); \
         await opened.delayedStartupPromise; opened.openTrustedLinkIn({url}, 'current'); return true; }})()"
    );
    firefox.in_chrome(&open).unwrap();
    let page = firefox.wait_for_page("popup/popup.html").unwrap();
    page.wait_contains("#message", "This is a private window.").unwrap();
    page.wait("document.getElementById('checkout-item').disabled").unwrap();
    // Whatever else needs the log says the same, also what stands in the menu.
    page.click("#message-close").unwrap();
    page.wait_text("#message", "").unwrap();
    page.click("#export-koc").unwrap();
    page.wait_contains("#message", "This is a private window.").unwrap();
    firefox.in_chrome("(() => { for (const one of Services.wm.getEnumerator('navigator:browser')) if (one.gBrowser.selectedBrowser.loadContext.usePrivateBrowsing) one.close(); return true; })()").unwrap();
}
