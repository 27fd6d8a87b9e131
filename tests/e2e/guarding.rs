//! Scans that are asked about, and scanners of all kinds.

use crate::desk;
use koct_tests::{desk::Desk, page::key};

/// Changes settings of the desk itself, as a person does, without a Koha.
fn set(desk: &Desk, pattern: &str, end: &str) {
    let settings = desk.open_settings().unwrap();
    settings.fill("#card-pattern", pattern).unwrap();
    settings.eval(&format!("document.getElementById('scanner-end').value = '{end}'")).unwrap();
    settings.click("#save").unwrap();
    settings.wait("document.getElementById('settings-message').textContent.startsWith('Saved.')").unwrap();
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
    let asked = desk.page.text("#attention").unwrap();
    assert!(asked.contains("B1") && asked.contains("meant twice"), "{asked}");
    desk.page.click("#attention [data-field=retry]").unwrap();
    desk.wait_for_total(3).unwrap();
    assert!(!desk.page.visible("#attention").unwrap());
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
    desk.page.wait("document.getElementById('attention').innerText.includes('like a patron’s card')").unwrap();
    assert_eq!(desk.total().unwrap(), 3);
    desk.page.click("#attention [data-field=retry]").unwrap();
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
    assert_eq!(desk.page.focused().unwrap(), "checkin-item");
    // In an empty field Tab goes on, as ever.
    desk.page.press(&[key::TAB]).unwrap();
    assert_eq!(desk.page.focused().unwrap(), "checkin-submit");
}

/// Types as a scanner does. A busy machine can halt between two keys for longer than any scanner: then once more.
fn scan_without_end(desk: &Desk, code: &str) {
    let listen = "(window.keyTimes = [], window.keysAreTimed ??= (document.addEventListener('keydown', event => \
                  window.keyTimes.push(event.timeStamp), true), true), null)";
    let longest = "Math.max(...window.keyTimes.slice(1).map((time, place) => time - window.keyTimes[place]))";
    for _ in 0..5 {
        desk.page.eval(listen).unwrap();
        desk.page.type_text(code).unwrap();
        if desk.page.eval(longest).unwrap().as_f64().is_some_and(|gap| gap < 110.0) {
            return;
        }
        desk.page.press(&[key::ESCAPE]).unwrap();
    }
    panic!("this machine is too busy to type like a scanner");
}

#[test]
fn scanners_that_end_with_nothing() {
    let desk = desk();
    set(&desk, "", "nothing");
    desk.page.press(&[key::F2]).unwrap();
    scan_without_end(&desk, "23529001223601");
    desk.page.wait("document.activeElement.id === 'checkout-item'").unwrap();
    for (number, code) in (1..).zip(["39999000000001", "39999000000002"]) {
        scan_without_end(&desk, code);
        desk.wait_for_total(number).unwrap();
    }
    assert_eq!(barcodes(&desk), ["39999000000001", "39999000000002"]);
    // Typed by hand, it waits for Enter.
    for digit in ["3", "9", "9", "9", "1"] {
        desk.page.type_text(digit).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(60));
    }
    std::thread::sleep(std::time::Duration::from_millis(400));
    assert_eq!((desk.total().unwrap(), desk.page.value("#checkout-item").unwrap().as_str()), (2, "39991"));
    desk.page.type_text("\n").unwrap();
    desk.wait_for_total(3).unwrap();
}
