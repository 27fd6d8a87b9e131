//! Codes as they are meant: rules, scanners that are set to another keyboard, and the times of keys.

use crate::{desk, wait};
use koct_tests::{
    desk::Desk,
    page::{Page, key},
    settings_page::{save, unfold},
};

/// Gives the page a function that types as a scanner does: keys with their places on the keyboard, at given times. Keys that a driver
/// presses come with the places that a US keyboard has, and at times of its own.
fn add_scanner(page: &Page) {
    page.eval(
        "void (window.scan = (id, keys, start = performance.now()) => { const field = document.getElementById(id); field.focus(); \
         let time = start; for (const [code, key, more] of keys) { time += 4; \
         const at = (event) => Object.defineProperty(event, 'timeStamp', { value: time }); \
         const down = new KeyboardEvent('keydown', { code, key, bubbles: true, cancelable: true, ...more }); \
         const types = field.dispatchEvent(at(down)) && [...key].length === 1 && !more?.ctrlKey; \
         if (types) { field.value += key; field.dispatchEvent(at(new Event('input', { bubbles: true }))); } } return time; }, \
         window.digits = (text) => [...text].map((digit) => ['Digit' + digit, digit]), \
         window.french = (text) => [...text].map((digit) => ['Digit' + digit, 'à&é\"\\'(-è_ç'[digit]]), \
         window.enter = ['Enter', 'Enter'])",
    )
    .unwrap();
}

fn attention(page: &Page, list: &str) -> String {
    page.text(&format!("#attention-{list}")).unwrap()
}

fn barcodes(desk: &Desk) -> Vec<String> {
    desk.rows().unwrap().into_iter().map(|row| row.barcode).collect()
}

#[test]
fn what_is_meant_is_recorded_and_what_was_scanned_is_kept() {
    let desk = desk();
    let page = desk.open_settings().unwrap();
    unfold(&page, "item-rules-add").unwrap();
    let add = |id: &str, kind: &str| {
        let script = "(() => { const add = document.getElementById('ID-add'); add.value = 'KIND'; add.dispatchEvent(new Event('change', { bubbles: true })); })()";
        page.eval(&script.replace("ID", id).replace("KIND", kind)).unwrap();
    };
    for (id, kind) in [("item-rules", "T-prefix"), ("item-rules", "aim"), ("card-rules", "drop-last")] {
        add(id, kind);
    }
    let example = |list: &str, place: u32| {
        page.text(&format!("#{list}-list > :nth-child({place}) [data-field=example]")).unwrap()
    };
    assert_eq!(example("item-rules", 1), "T32 → T0000002");
    assert_eq!(example("card-rules", 1), "012345678901234 → 01234567890123");
    // Typed, the example follows; and nonsense is named.
    page.fill("#card-rules-list [data-field=details]", "1 of").unwrap();
    assert_eq!(example("card-rules", 1), "Write it like this: 1 of 15");
    assert!(save(&page).unwrap().contains("marked"), "{}", page.text("#settings-message").unwrap());
    assert_eq!(page.text("#card-rules-error").unwrap(), "Rule 1 cannot be read.");
    page.fill("#card-rules-list [data-field=details]", "2").unwrap();
    page.fill("#item-lengths", "8").unwrap();
    // The order decides: the identifier has to go first.
    page.click("#try-code").unwrap();
    page.type_text("]C1T32\n").unwrap();
    page.wait_text("#try-code-item", "As an item: T32 · Without AIM identifier").unwrap();
    page.click("#item-rules-list > :nth-child(2) [data-field=up]").unwrap();
    page.wait_focused("").unwrap();
    page.wait_text(
        "#try-code-item",
        "As an item: T0000002 · Without AIM identifier → T and seven digits (Koha: T-prefix)",
    )
    .unwrap();
    page.wait_text("#try-code-card", "As a card: ]C1T · Without the last characters").unwrap();
    page.wait_text("#fold-codes .says", "2 rules for items · 1 rule for cards · lengths or check digits").unwrap();
    save(&page).unwrap();
    // The desk follows, and a window that is opened anew knows them from its first scan on.
    page.close().unwrap();
    desk.page.activate().unwrap();
    desk.page.reload().unwrap();
    desk.page.type_text("P1xx\n]C1T32\n").unwrap();
    desk.wait_for_total(1).unwrap();
    assert_eq!(desk.page.value("#checkout-patron").unwrap(), "P1", "it is read once");
    desk.page.type_text("32\n").unwrap();
    desk.wait_for_total(2).unwrap();
    let rows = desk.rows().unwrap();
    assert_eq!((rows[0].barcode.as_str(), rows[0].cardnumber.as_str()), ("T0000032", "P1"));
    assert_eq!((rows[1].barcode.as_str(), rows[1].cardnumber.as_str()), ("T0000002", "P1"));
    desk.page.click("tr[data-seq='1'] [data-edit]").unwrap();
    desk.page.wait_visible("#edit-dialog").unwrap();
    let history = desk.page.eval("document.getElementById('edit-history').textContent").unwrap();
    assert_eq!(history, "Scanned as: P1xxScanned as: ]C1T32");
    desk.page.press(&[key::ESCAPE]).unwrap();
    desk.page.wait_hidden("#edit-dialog").unwrap();
    // One that is too long is asked about, and the next goes on; once it is right, it is not asked about again.
    desk.page.type_text("123456789\n33\n").unwrap();
    desk.wait_for_total(3).unwrap();
    desk.page.wait_contains("#attention-checkout", "T123456789 has 10 characters").unwrap();
    desk.page.click("#attention-checkout [data-field=retry]").unwrap();
    desk.wait_for_total(4).unwrap();
    desk.page.type_text("34\n").unwrap();
    desk.wait_for_total(5).unwrap();
    desk.page.type_text("123456789\n").unwrap();
    desk.wait_for_total(6).unwrap();
    // Two that ran together are taken as two.
    desk.page.type_text("3999900000131139999000001310\n").unwrap();
    desk.page.click("#attention-checkout [data-field=retry]").unwrap();
    desk.page.wait_contains("#attention-checkout", "T39999000001311 has 15 characters").unwrap();
    desk.page.wait_contains("#attention-checkout", "T39999000001310 has 15 characters").unwrap();
}

#[test]
fn a_scanner_of_another_keyboard_is_asked_about_once_and_does_nothing_to_the_window() {
    let desk = desk();
    let page = &desk.page;
    add_scanner(page);
    // A control character before the code, and one in it.
    page.eval("void scan('checkin-item', [['KeyR', 'r', { ctrlKey: true }], ...french('6130'), ['KeyF', 'f', { ctrlKey: true }], ...french('760003769'), enter])").unwrap();
    page.wait_contains("#attention-checkin", "Meant is 6130760003769?").unwrap();
    assert_eq!((page.focused().unwrap(), page.value("#checkin-item").unwrap()), ("checkin-item".into(), String::new()));
    // The next one goes on, and asks in its turn; one that is as it is typed asks nothing.
    page.eval("void (scan('checkin-item', [...french('39999000001310'), enter]), scan('checkin-item', [...digits('39999000001311'), enter], performance.now() + 500))").unwrap();
    desk.wait_for_total(1).unwrap();
    page.wait_contains("#attention-checkin", "Meant is 39999000001310?").unwrap();
    // One key says yes to the newest.
    page.press(&[key::CONTROL, key::ENTER]).unwrap();
    desk.wait_for_total(2).unwrap();
    assert_eq!(barcodes(&desk), ["39999000001310", "39999000001311"]);
    assert!(attention(page, "checkin").contains("6130760003769"));
    page.click("#attention-checkin [data-field=always]").unwrap();
    desk.wait_for_total(3).unwrap();
    assert_eq!(attention(page, "checkin"), "");
    page.eval("void (scan('checkout-patron', [...french('23529001223601'), enter]), scan('checkout-item', [...french('1234'), enter], performance.now() + 500))").unwrap();
    desk.wait_for_total(4).unwrap();
    let row = desk.rows().unwrap().remove(0);
    assert_eq!((row.cardnumber.as_str(), row.barcode.as_str()), ("23529001223601", "1234"));
    wait("it is not kept", || {
        let stored =
            page.eval("browser.storage.local.get('scannerKeyboard').then(all => all.scannerKeyboard)").unwrap();
        (stored == "us").then_some(())
    });
    page.click("tr[data-seq='4'] [data-edit]").unwrap();
    page.wait("document.getElementById('edit-history').textContent.endsWith('Scanned as: &é\"\\'')").unwrap();
    page.press(&[key::ESCAPE]).unwrap();
    // An input method is at work: its Enter ends what it composes, and the scanner's code.
    page.eval(
        "(() => { const field = document.getElementById('checkin-item'); const typing = { isComposing: true }; \
         scan('checkin-item', [...'5678'].map((digit) => ['Digit' + digit, 'Process', typing]).concat([['Enter', 'Enter', typing]])); \
         field.value = '５６７８'; field.dispatchEvent(new CompositionEvent('compositionend', { bubbles: true })); })()",
    )
    .unwrap();
    desk.wait_for_total(5).unwrap();
    assert_eq!(barcodes(&desk)[0], "5678");
}

#[test]
fn where_a_scanner_ends_with_nothing_no_code_joins_another_however_busy_the_page_is() {
    let desk = desk();
    desk.page.eval("browser.storage.local.set({ habits: { scannerEnd: 'nothing' } })").unwrap();
    desk.page.reload().unwrap();
    let page = &desk.page;
    page.wait("document.body.hasAttribute('data-ready')").unwrap();
    add_scanner(page);
    // All at once, as a page hears of it that was busy: two codes with a silence between them, and a third after something that was
    // left by hand.
    page.eval(
        "(() => { const start = performance.now() - 5000; scan('checkin-item', digits('39999000001310'), start); \
         scan('checkin-item', digits('39999000001311'), start + 300); scan('checkin-item', digits('39'), start + 1000); \
         scan('checkin-item', digits('39999000001312'), start + 2000); })()",
    )
    .unwrap();
    desk.wait_for_total(3).unwrap();
    assert_eq!(barcodes(&desk), ["39999000001312", "39999000001311", "39999000001310"]);
    let left = attention(page, "checkin");
    assert!(left.contains("“39”") && left.contains("left in the field"), "{left}");
    assert_eq!(page.value("#checkin-item").unwrap(), "");
}
