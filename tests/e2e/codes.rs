//! Codes as they are meant: rules, scanners that are set to another keyboard, and the times of keys.

use crate::{
    desk,
    records::{download, wait_for_records, want},
    reopen, wait,
};
use fake_koha::{Config, Era, FakeKoha, Library};
use koct_tests::{
    desk::{Desk, Settings},
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

/// A patron's card of the library, with the sign that the scanners put behind it.
fn card(number: u32) -> String {
    format!("2{number:013}x")
}

#[test]
fn what_is_like_no_code_of_the_library_is_asked_about_until_it_is_taught_and_corrections_are_read_by_the_rules() {
    let mut library = Library::generate(5, 300, 400);
    library.preferences.item_barcode_input_filter = "T-prefix";
    let koha = FakeKoha::start(Config { era: Era::From2405, newest: true, library, ..Config::default() }).unwrap();
    let mut desk = desk();
    want(&desk, &Settings::of(&koha.url(), "apply"), |preferences| {
        preferences.desk.item_rules = "aim".into();
        preferences.desk.card_rules = "drop-last 1 of 15".into();
    });
    assert_eq!(download(&desk), "All records are here.");
    wait_for_records(&desk);
    let page = &desk.page;
    // Two that were cut, and one between them as it should be: that goes on.
    page.type_text(&format!("{}\n3000000000001\n]C130000000000002\n3000000000009\n", card(1))).unwrap();
    desk.wait_for_total(1).unwrap();
    page.wait_contains("#attention-checkout", "3000000000009 is like none of the codes").unwrap();
    page.wait_contains("#attention-checkout", "3000000000001 is like none of the codes").unwrap();
    assert_eq!(barcodes(&desk), ["30000000000002"]);
    // What one answer teaches holds for the other too, and in every window from now on.
    page.click("#attention-checkout [data-field=teach]").unwrap();
    desk.wait_for_total(3).unwrap();
    assert_eq!(attention(page, "checkout"), "");
    let stored = || page.eval("browser.storage.local.get('itemAlso').then(all => all.itemAlso)").unwrap();
    wait("it is not kept", || (stored() == "3000#########").then_some(()));
    // Another kind is another question; what is meant so is not asked about again.
    page.type_text("ILL-1\nILL-1\n").unwrap();
    page.wait("document.querySelectorAll('#attention-checkout [data-field=teach]').length === 2").unwrap();
    page.click("#attention-checkout [data-field=retry]").unwrap();
    desk.wait_for_total(4).unwrap();
    page.wait_contains("#attention-checkout", "It was recorded just before").unwrap();
    page.click("#attention-checkout [data-field=dismiss]").unwrap();
    // What is corrected is read as a scan is.
    page.click("tr[data-seq='1'] [data-edit]").unwrap();
    page.wait_visible("#edit-dialog").unwrap();
    page.fill("#edit-cardnumber", &card(2)).unwrap();
    page.fill("#edit-barcode", "]C130000000000005\n").unwrap();
    page.wait_hidden("#edit-dialog").unwrap();
    let first = || desk.rows().unwrap().into_iter().find(|row| row.seq == 1).unwrap();
    wait("it is not corrected", || (first().barcode == "30000000000005").then_some(()));
    assert_eq!(first().cardnumber, "20000000000002");
    // While a dialog is open, a scanner's control characters do nothing to the window.
    page.press(&[key::F1]).unwrap();
    page.wait("document.querySelector('dialog:modal') !== null").unwrap();
    let goes_to_firefox = |key: &str| {
        let event = format!(
            "new KeyboardEvent('keydown', {{ key: '{key}', code: 'Key{}', ctrlKey: true, bubbles: true, cancelable: true }})",
            key.to_uppercase()
        );
        page.eval(&format!("document.activeElement.dispatchEvent({event})")).unwrap()
    };
    assert_eq!([goes_to_firefox("r"), goes_to_firefox("w"), goes_to_firefox("c")], [false, false, true]);
    page.press(&[key::ESCAPE]).unwrap();
    page.wait("document.querySelector('dialog:modal') === null").unwrap();
    // The desk is at another library now: its rows say where they were recorded, though no other desk is in the log.
    let says_library = "[...document.querySelectorAll('#transactions-rows [data-field=desk]')].filter(cell => cell.checkVisibility() && cell.textContent === 'CPL').length";
    assert_eq!(page.eval(says_library).unwrap(), 0);
    let move_desk = |to: &str| {
        let script = "browser.storage.local.get('settings').then(({settings}) => browser.storage.local.set({settings: {...settings, branchcode: 'TO'}}))";
        page.eval(&script.replace("TO", to)).unwrap();
    };
    move_desk("MPL");
    page.wait(&format!("{says_library} === 4")).unwrap();
    move_desk("CPL");
    page.wait("!document.getElementById('transactions-table').hasAttribute('data-desks')").unwrap();
    // What was taken once is not asked about in the next window either.
    reopen(&mut desk);
    let page = &desk.page;
    page.click("#checkin-item").unwrap();
    page.type_text("ILL-1\n").unwrap();
    desk.wait_for_total(5).unwrap();
    // A card that Koha does not know is looked for: what is scanned there is read by the rules too.
    desk.check_out(&card(99_999), "30000000000006").unwrap();
    desk.commit().unwrap();
    desk.open_todo().unwrap();
    page.wait("document.querySelector('[data-offer=find-patron]') !== null").unwrap();
    page.click("[data-offer=find-patron]").unwrap();
    page.wait_focused("whose-typed").unwrap();
    page.type_text(&format!("{}\n", card(3))).unwrap();
    page.wait("!document.getElementById('whose-dialog').open").unwrap();
    let last = || desk.rows().unwrap().into_iter().find(|row| row.seq == 6).unwrap();
    wait("it is nobody's still", || (last().cardnumber == "20000000000003").then_some(()));
    // Koha's own rule is offered, once.
    let page = desk.open_settings().unwrap();
    assert_eq!(page.value("#item-also").unwrap(), "3000#########");
    // The page is open while a window learns, and somebody has typed in it: it shows both, and saves both.
    unfold(&page, "item-lengths").unwrap();
    page.fill("#item-lengths", "14").unwrap();
    page.eval("browser.storage.local.set({ itemAlso: '3000#########, ILL-#' })").unwrap();
    page.wait("document.getElementById('item-also').value === '3000#########, ILL-#'").unwrap();
    assert_eq!(page.value("#item-lengths").unwrap(), "14");
    save(&page).unwrap();
    let stored =
        page.eval("browser.storage.local.get().then(({ itemAlso, habits }) => [itemAlso, habits.itemLengths])");
    assert_eq!(stored.unwrap(), serde_json::json!(["3000#########, ILL-#", "14"]));
    page.wait_text("#koha-filter-text", "Koha uses: T-prefix. Use it here?").unwrap();
    page.click("#koha-filter-use").unwrap();
    page.wait_contains("#item-rules-list > :nth-child(2)", "T32 → T0000002").unwrap();
    save(&page).unwrap();
    assert!(!page.visible("#koha-filter").unwrap());
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}
