//! Mouse and scanner at one desk: a scanner presses no button and answers no dialog, and no scan vanishes without a word.

use crate::{
    configured, desk,
    knowing::{OTHER, ZOE, item, knowing, knowing_of, library, wait_for_kept, wait_for_text},
    koha,
    records::wait_for_records,
    reopen,
};
use fake_koha::Era;
use koct_tests::{
    desk::Desk,
    page::key::{self, F1, F2, F4, F8},
};

/// From now on each key comes this number of milliseconds after the one before, however busy the machine is.
pub(crate) fn keys_every(desk: &Desk, gap: u32) {
    let times = format!(
        "(gap => {{ const times = new WeakMap(); Object.defineProperty(Event.prototype, 'timeStamp', {{configurable: true, get() {{ \
         if (!times.has(this)) times.set(this, window.lastKey = (window.lastKey ?? 1e6) + (this.type === 'keydown' ? gap : 0)); \
         return times.get(this); }}}}); }})({gap})"
    );
    desk.page.eval(&times).unwrap();
}

fn barcodes(desk: &Desk) -> Vec<String> {
    desk.rows().unwrap().into_iter().rev().map(|row| row.barcode).collect()
}

fn states(desk: &Desk) -> String {
    desk.states().unwrap().join(" ")
}

/// Types as scanners do: capitals with Shift, which is let go after each.
fn type_with_shift(desk: &Desk, code: &str) {
    for character in code.chars() {
        if character.is_uppercase() {
            desk.page.press(&[key::SHIFT, character]).unwrap();
        } else {
            desk.page.type_text(&character.to_string()).unwrap();
        }
    }
}

fn wait_for_focus(desk: &Desk, id: &str) {
    desk.page.wait(&format!("document.activeElement.id === '{id}'")).unwrap();
}

#[test]
fn after_a_click_on_any_button_a_scan_goes_to_the_scan_field() {
    let desk = desk();
    desk.page.type_text("P1\nA1\nA2\nA3\n").unwrap();
    desk.wait_for_total(3).unwrap();
    // One is taken back: the scan that follows takes back no other.
    desk.page.click("#undo").unwrap();
    desk.page.wait("document.querySelector(\"tr[data-seq='3']\").dataset.status === 'deleted'").unwrap();
    assert_eq!(desk.page.focused().unwrap(), "checkout-item");
    desk.page.type_text("A4\n").unwrap();
    desk.wait_for_total(4).unwrap();
    assert_eq!(states(&desk), "local local deleted local");
    // The others close again what they open; in between nothing is lost.
    let mut total = 4;
    for (button, close) in [
        ("#show-batches", "#batches-close"),
        ("#show-review", "#review-cancel"),
        ("tr[data-seq='4'] [data-edit]", "#edit-cancel"),
        ("#print-slip", "#slip-cancel"),
        ("#print-log", "#slip-cancel"),
        ("#clear", "#clear-cancel"),
        ("#import-koc", "#import-close"),
        ("#open-help", "#help-close"),
    ] {
        desk.page.click(button).unwrap();
        desk.page.wait("document.querySelector('dialog[open]')?.checkVisibility()").unwrap();
        desk.page.click(close).unwrap();
        desk.page.wait("!document.querySelector('dialog[open]')").unwrap();
        wait_for_focus(&desk, "checkout-item");
        total += 1;
        desk.page.type_text(&format!("B{total}\n")).unwrap();
        desk.wait_for_total(total).unwrap();
    }
    // No dialog: an empty place, a box with its label, a list.
    for place in ["#checkout-title", "#count-unsent", "#desk", "#checkin-title", "#tall", "tr[data-seq='1'] time"] {
        desk.page.click(place).unwrap();
        assert_eq!(desk.page.focused().unwrap(), "checkout-item", "{place}");
        total += 1;
        desk.page.type_text(&format!("B{total}\n")).unwrap();
        desk.wait_for_total(total).unwrap();
    }
    desk.clear_committed().unwrap();
    desk.wait_for_total(total - 1).unwrap();
    desk.page.type_text("C1\n").unwrap();
    desk.wait_for_total(total).unwrap();
    wait_for_text(&desk, "patron-items-list", "C1");
    // The field is the one that was scanned into last.
    desk.page.click("#checkin-item").unwrap();
    desk.page.click("#undo").unwrap();
    wait_for_focus(&desk, "checkin-item");
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

/// A row that was taken back leaves its place to the one below it.
#[test]
fn a_double_click_and_a_held_key_take_back_one_row() {
    let desk = desk();
    desk.page.type_text("P1\nA1\nA2\nA3\nA4\n").unwrap();
    desk.wait_for_total(4).unwrap();
    let first = "#patron-items-list li:first-child .take-back";
    let wait_for_rows = |number: usize| {
        desk.page.wait(&format!("document.querySelectorAll('#patron-items-list li').length === {number}")).unwrap();
    };
    // From now on all clicks between two keys come at once.
    keys_every(&desk, 400);
    desk.page.press(&[key::F2]).unwrap();
    desk.page.click(first).unwrap();
    wait_for_rows(3);
    desk.page.click(first).unwrap();
    desk.page.press(&[key::F2]).unwrap();
    desk.page.click(first).unwrap();
    wait_for_rows(2);
    assert_eq!(states(&desk), "local local deleted deleted");
    desk.page.eval("document.getElementById('checkout-item').focus()").unwrap();
    desk.page.press(&[key::DOWN]).unwrap();
    let held = "for (const repeat of [false, true, true]) document.activeElement.dispatchEvent(new KeyboardEvent('keydown', \
                {key: 'Delete', repeat, bubbles: true, cancelable: true}))";
    desk.page.run(held).unwrap();
    wait_for_rows(1);
    desk.page.wait_contains("#message", "Taken back: A2").unwrap();
    assert_eq!(states(&desk), "local deleted deleted deleted");
    // What was not recorded goes one by one, too.
    for number in 1..=2 {
        desk.page.fill("#checkin-item", &format!("a-barcode-that-is-far-too-long-{number}\n")).unwrap();
        desk.page.wait(&format!("document.querySelectorAll('.attention li').length === {number}")).unwrap();
    }
    desk.page.double_click(".attention li:first-child [data-field=dismiss]").unwrap();
    assert_eq!(desk.page.eval("document.querySelectorAll('.attention li').length").unwrap(), 1);
}

#[test]
fn a_scan_while_a_button_has_the_focus_is_recorded_and_presses_nothing() {
    let desk = desk();
    desk.page.type_text("P1\nA1\n").unwrap();
    desk.wait_for_total(1).unwrap();
    let focus = |css: &str| desk.page.eval(&format!("document.querySelector({css:?}).focus()")).unwrap();
    let mut total = 1;
    for css in [
        "#undo",
        "#open-menu",
        "#tall",
        "#transactions-scroll",
        "#find-order",
        "tr[data-seq='1'] [data-edit]",
        "#tab-log",
    ] {
        if css == "#find-order" {
            desk.page.click("#find-more").unwrap();
        }
        focus(css);
        keys_every(&desk, 5);
        total += 1;
        desk.page.type_text(&format!("3999{total}\n")).unwrap();
        desk.wait_for_total(total).unwrap();
        wait_for_focus(&desk, "checkout-item");
        assert_eq!(desk.rows().unwrap()[0].barcode, format!("3999{total}"), "{css}");
    }
    assert_eq!(desk.page.eval("document.getElementById('find-order').value").unwrap(), "");
    assert!(desk.states().unwrap().iter().all(|state| state == "local"));
    // Nothing has it at all.
    desk.page.eval("document.activeElement.blur()").unwrap();
    desk.page.type_text("39999\n").unwrap();
    desk.wait_for_total(total + 1).unwrap();
    // However short a code is, it takes nothing of a list nor of the menu.
    let open_menu = || {
        desk.page.press(&[key::F10]).unwrap();
        desk.page.wait("document.activeElement.getAttribute('role') === 'menuitem'").unwrap();
    };
    desk.page.click("#find-more").unwrap();
    focus("#find-action");
    desk.page.type_text("p\n").unwrap();
    desk.wait_for_total(total + 2).unwrap();
    assert_eq!(desk.page.value("#find-action").unwrap(), "");
    open_menu();
    desk.page.type_text("s7\n").unwrap();
    desk.wait_for_total(total + 3).unwrap();
    assert!(!desk.page.visible("#menu").unwrap());
    wait_for_focus(&desk, "checkout-item");
    assert_eq!(barcodes(&desk)[usize::try_from(total).unwrap() + 1..], ["p", "s7"]);
    // A person presses what has the focus, and it keeps it.
    keys_every(&desk, 400);
    open_menu();
    desk.page.type_text("h\n").unwrap();
    desk.page.wait("document.getElementById('help-dialog').open").unwrap();
    desk.page.press(&[key::ESCAPE]).unwrap();
    desk.page.wait("!document.getElementById('help-dialog').open").unwrap();
    focus("#undo");
    desk.page.press(&[key::ENTER]).unwrap();
    desk.page.wait("document.querySelector('tr[data-seq]').dataset.status === 'deleted'").unwrap();
    desk.page.press(&[key::SPACE]).unwrap();
    desk.page.wait("document.querySelectorAll('tr[data-status=deleted]').length === 2").unwrap();
    assert_eq!(desk.page.focused().unwrap(), "undo");
    focus("#tall");
    desk.page.press(&[key::SPACE]).unwrap();
    desk.page.wait("document.querySelector('main').hasAttribute('data-tall')").unwrap();
    // A list takes the letters of a person. The last scan has closed it.
    desk.page.click("#find-more").unwrap();
    focus("#find-action");
    desk.page.type_text("p").unwrap();
    desk.page.wait("document.getElementById('find-action').value === 'payment'").unwrap();
    assert_eq!(desk.page.focused().unwrap(), "find-action");
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn what_is_marked_with_the_mouse_can_be_copied_and_nothing_is_scrolled() {
    let desk = desk();
    desk.fill(200).unwrap();
    desk.page.set_viewport(900, 420).unwrap();
    let marked = "getSelection().toString()";
    // A double click marks a word.
    desk.page.eval("document.querySelector('#transactions').scrollIntoView()").unwrap();
    let top = desk.page.eval("document.scrollingElement.scrollTop").unwrap();
    assert!(top.as_f64().unwrap() > 50.0, "{top}");
    let cell = "tr[data-seq='200'] [data-field=barcode]";
    desk.page.click(cell).unwrap();
    assert_eq!(desk.page.focused().unwrap(), "checkout-patron");
    assert_eq!(desk.page.eval("document.scrollingElement.scrollTop").unwrap(), top);
    desk.page.double_click(cell).unwrap();
    assert_eq!(desk.page.eval(marked).unwrap(), "F199");
    assert_ne!(desk.page.focused().unwrap(), "checkout-patron");
    // A scan arrives even so.
    desk.page.type_text("P7\n").unwrap();
    assert_eq!(desk.page.value("#checkout-patron").unwrap(), "P7");
    wait_for_focus(&desk, "checkout-item");
}

/// Moves what was recorded to six days, the newest of today: forty rows of each.
const OF_SIX_DAYS: &str = "(async () => { const done = request => new Promise((ok, fail) => { request.onsuccess = () => ok(request.result); \
    request.onerror = fail; }); const db = await done(indexedDB.open('koct')); \
    const log = db.transaction('transactions', 'readwrite').objectStore('transactions'); \
    const [keys, rows] = [await done(log.getAllKeys()), await done(log.getAll())]; for (const [at, row] of rows.entries()) { \
    row.moment.utc = Date.now() - 864e5 * (5 - Math.floor(keys[at] / 40)); await done(log.keyPath === null ? log.put(row, keys[at]) : log.put(row)); } db.close(); })()";
/// What the days are called, without today.
const SIX_DAYS: &str = "(day => ['Yesterday', ...[2, 3, 4, 5].map(day)])(ago => { const day = new Date(Date.now() - 864e5 * ago); \
    const isOfThisYear = day.getFullYear() === new Date().getFullYear(); \
    return day.toLocaleDateString(browser.i18n.getUILanguage(), isOfThisYear ? { weekday: 'long', day: 'numeric', month: 'long' } : { dateStyle: 'full' }); })";
/// The numbers of the rows and the words of the days that are drawn; a null before them where one is not as high as the others or
/// does not stand under the one before, or where they do not fill the box.
const DRAWN: &str = "(drawn => { const places = drawn.map(line => line.getBoundingClientRect()); \
    const isWrong = places.some((place, at) => at && (Math.abs(place.height - places[0].height) > .1 || Math.abs(place.top - places[at - 1].bottom) > .5)); \
    const box = document.getElementById('transactions-scroll').getBoundingClientRect(); \
    const isAway = !places.length || places[0].top > box.top + 2 || places.at(-1).bottom < box.bottom - 2; \
    return [...(isWrong || isAway ? [null] : []), ...drawn.map(line => Number(line.dataset.seq) || line.textContent)]; }) \
    ([...document.querySelectorAll('#transactions-rows tr:not(.spacer)')])";
/// When the end of the log is read, the table is at the top before what was read is there.
const BACK_WHEN_READ: &str = "(() => { const { getAll } = IDBObjectStore.prototype; IDBObjectStore.prototype.getAll = function (...of) { \
    const read = getAll.apply(this, of); if (of[0]?.lower === 1) read.addEventListener('success', () => { \
    document.getElementById('transactions-scroll').scrollTop = 0; window.isBack = true; }, { once: true }); return read; }; })()";
/// The clock of the page goes on by a day.
const TOMORROW: &str = "(() => { const Real = Date; const on = 864e5; globalThis.Date = class extends Real { \
    constructor(...of) { if (of.length) super(...of); else super(Real.now() + on); } static now() { return Real.now() + on; } }; })()";

#[test]
fn the_table_is_gone_through_by_keys_while_the_focus_stays_in_the_scan_field() {
    let desk = desk();
    desk.fill(200).unwrap();
    desk.page.set_viewport(1060, 600).unwrap();
    let table = "document.getElementById('transactions-scroll')";
    let is_at = |place: &str| desk.page.wait(&format!("{table}.scrollTop {place}")).unwrap();
    let end = format!(">= {table}.scrollHeight - {table}.clientHeight - 1");
    let top = || desk.page.eval(&format!("{table}.scrollTop")).unwrap();
    // An empty field has no text to go through.
    desk.page.click("#checkout-item").unwrap();
    desk.page.press(&[key::PAGE_DOWN]).unwrap();
    is_at("> 0");
    desk.page.press(&[key::PAGE_UP]).unwrap();
    is_at("=== 0");
    desk.page.press(&[key::END]).unwrap();
    is_at(&end);
    assert_eq!(desk.page.focused().unwrap(), "checkout-item");
    // After a click into the table the keys are meant for it, whatever the field holds.
    desk.page.click("#checkout-patron").unwrap();
    desk.page.type_text("P1").unwrap();
    desk.page.press(&[key::HOME]).unwrap();
    desk.page.type_text("X").unwrap();
    assert_eq!(desk.page.value("#checkout-patron").unwrap(), "XP1", "in the text");
    is_at(&end);
    desk.page.click("tr[data-seq='1'] time").unwrap();
    wait_for_focus(&desk, "checkout-patron");
    desk.page.press(&[key::HOME]).unwrap();
    is_at("=== 0");
    desk.page.press(&[key::PAGE_DOWN]).unwrap();
    is_at("> 0");
    let page = top();
    // Until something is typed: the next card takes the place of the text.
    desk.page.type_text("Y").unwrap();
    desk.page.press(&[key::END]).unwrap();
    desk.page.type_text("Z\nA1\n").unwrap();
    desk.wait_for_total(201).unwrap();
    assert!(top().as_f64() > page.as_f64(), "what is read stays where it is, as one row has come on top");
    desk.page.press(&[key::HOME]).unwrap();
    is_at("=== 0");
    desk.page.wait("document.querySelector('#transactions-rows [data-seq=\"201\"]')").unwrap();
    let row = desk.rows().unwrap().remove(0);
    assert_eq!((row.barcode.as_str(), row.cardnumber.as_str()), ("A1", "YZ"));

    // Of six days, the newest of today.
    desk.page.eval(OF_SIX_DAYS).unwrap();
    let open_again = || {
        desk.page.reload().unwrap();
        desk.page.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
        desk.page.eval("document.getElementById('clear-dialog').close()").unwrap();
        desk.page.click("#checkout-item").unwrap();
    };
    open_again();
    // Who is back at the top before the end was read stays there, whatever days come above that end.
    desk.page.eval(BACK_WHEN_READ).unwrap();
    desk.page.press(&[key::END]).unwrap();
    desk.page.wait("window.isBack").unwrap();
    desk.page.wait("document.getElementById('transactions-table').getAttribute('aria-rowcount') === '207'").unwrap();
    desk.page.wait(&format!("({DRAWN}).includes(201)")).unwrap();
    is_at("=== 0");
    open_again();
    // The days of those at the end are not known yet. What is seen stays there as they come.
    desk.page.press(&[key::END]).unwrap();
    desk.page.wait(&format!("({DRAWN}).at(-1) === 1")).unwrap();
    is_at(&end);
    desk.page.press(&[key::HOME]).unwrap();
    is_at("=== 0");
    let mut lines: Vec<serde_json::Value> = Vec::new();
    loop {
        let drawn = desk.page.wait(&format!("(lines => lines[0] !== null && lines)({DRAWN})")).unwrap();
        let drawn = drawn.as_array().unwrap();
        // Each page goes on from a line of the one before.
        let from = lines.iter().position(|line| line == &drawn[0]).unwrap_or(lines.len());
        assert!(lines.is_empty() || from < lines.len(), "{drawn:?} after {lines:?}");
        lines.truncate(from);
        lines.extend(drawn.iter().cloned());
        if lines.last().is_some_and(|last| *last == 1) {
            break;
        }
        let before = top();
        desk.page.press(&[key::PAGE_DOWN]).unwrap();
        is_at(&format!("> {before}"));
    }
    let days = desk.page.eval(SIX_DAYS).unwrap();
    let mut expected: Vec<serde_json::Value> = Vec::new();
    for seq in (1..=201_usize).rev() {
        if seq % 40 == 39 {
            expected.push(days[4 - seq / 40].clone());
        }
        expected.push(seq.into());
    }
    assert_eq!(lines, expected);
    let counted =
        desk.page.eval("document.getElementById('transactions-table').getAttribute('aria-rowcount')").unwrap();
    assert_eq!(counted, "207", "with the heading");
    // At midnight, all is a day older.
    desk.page.press(&[key::HOME]).unwrap();
    is_at("=== 0");
    desk.page.eval(TOMORROW).unwrap();
    desk.page.eval("dispatchEvent(new Event('resize'))").unwrap();
    desk.page.wait(&format!("({DRAWN})[0] === 'Yesterday' && ({DRAWN})[1] === 201")).unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn a_scan_does_not_answer_a_dialog() {
    let koha = koha(Era::Before2405);
    let desk = configured(&koha, "send");
    desk.pay("P1", "5").unwrap();
    desk.check_out("P1", "A1").unwrap();
    let open = |button: &str, dialog: &str| {
        desk.page.click(button).unwrap();
        desk.page.wait(&format!("document.getElementById('{dialog}').open")).unwrap();
    };
    for (button, dialog, within, close) in [
        ("#show-batches", "batches-dialog", "#batches-close", "#batches-close"),
        ("#show-review", "review-dialog", "#review-cancel", "#review-cancel"),
        ("#open-help", "help-dialog", "#help-close", "#help-close"),
        ("#print-log", "slip-dialog", "#slip-print", "#slip-cancel"),
        ("#print-log", "slip-dialog", "#slip-due", "#slip-cancel"),
        ("#clear", "clear-dialog", "#clear-ok", "#clear-cancel"),
        ("#clear", "clear-dialog", "#clear-confirm", "#clear-cancel"),
        ("tr[data-seq='2'] [data-edit]", "edit-dialog", "#edit-delete", "#edit-cancel"),
        ("tr[data-seq='1'] [data-edit]", "edit-dialog", "#edit-amount", "#edit-cancel"),
        ("#import-koc", "import-dialog", "#import-close", "#import-close"),
        ("#open-queue", "queue-dialog", "#queue-refresh", "#queue-close"),
    ] {
        open(button, dialog);
        if dialog == "queue-dialog" {
            // Until it is read, its buttons do nothing.
            desk.page.wait("!document.getElementById('queue-refresh').disabled").unwrap();
        }
        desk.page.eval(&format!("document.querySelector('{within}').focus()")).unwrap();
        // A date of which a part was typed has no value.
        let held = format!(
            "(({{value, validity}}) => [value ?? '', validity?.badInput ?? false])(document.querySelector('{within}'))"
        );
        let before = desk.page.eval(&held).unwrap();
        keys_every(&desk, 5);
        let said = format!("document.querySelector('#{dialog} [data-field=scanned]')?.innerText");
        // However short a code is; and CR and LF, or Tab, where scanners end with that.
        for (code, end) in [
            ("39999000000 02", "\n"),
            ("B1", "\n\n"),
            ("12", "\n"),
            ("AB", "\n"),
            ("39999000000003", "\t"),
            ("31", "\t"),
        ] {
            type_with_shift(&desk, code);
            desk.page.type_text(end).unwrap();
            assert!(desk.page.visible(&format!("#{dialog}")).unwrap(), "{within} {code}");
            let words = format!("Scanned {code}. Close this first, then scan again.");
            assert_eq!(desk.page.eval(&said).unwrap(), words, "{within}");
            assert_eq!(desk.message().unwrap(), words);
            let now = desk.page.eval(&held).unwrap();
            assert_eq!(now, before, "{within} {code}");
        }
        // A person closes it by keyboard.
        keys_every(&desk, 400);
        desk.page.eval(&format!("document.querySelector('{close}').focus()")).unwrap();
        desk.page.press(&[key::ENTER]).unwrap();
        desk.page.wait("!document.querySelector('dialog[open]')").unwrap();
        assert_eq!(desk.page.eval("document.querySelectorAll('[data-field=scanned]').length").unwrap(), 0);
        wait_for_focus(&desk, "checkout-item");
    }
    assert_eq!((states(&desk).as_str(), desk.total().unwrap()), ("local local", 2));
    // In the fields that are for codes, a scan is what it always was.
    open("tr[data-seq='2'] [data-edit]", "edit-dialog");
    keys_every(&desk, 5);
    desk.page.fill("#edit-barcode", "39999000000009\n").unwrap();
    desk.page.wait("!document.querySelector('dialog[open]')").unwrap();
    assert_eq!(barcodes(&desk).last().unwrap(), "39999000000009");
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn a_scan_closes_the_dialog_about_what_was_left_over_and_is_recorded() {
    let mut desk = desk();
    desk.page.type_text("P1\nA1\n").unwrap();
    desk.wait_for_total(1).unwrap();
    for is_ticked in [false, true] {
        desk.make_older().unwrap();
        reopen(&mut desk);
        assert!(desk.page.visible("#clear-dialog").unwrap());
        if is_ticked {
            // Nothing is cleared even so.
            desk.page.click("#clear-confirm").unwrap();
            desk.page.click("#clear-unsent-confirm").unwrap();
        }
        keys_every(&desk, 5);
        let number = u8::from(is_ticked);
        desk.page.type_text(&format!("23529001223601\n3999900000000{number}\n")).unwrap();
        desk.wait_for_total(2 + u64::from(is_ticked)).unwrap();
        assert!(!desk.page.visible("#clear-dialog").unwrap());
        let row = &desk.rows().unwrap()[0];
        assert_eq!((row.action.as_str(), row.cardnumber.as_str()), ("issue", "23529001223601"));
    }
    assert_eq!(barcodes(&desk), ["A1", "39999000000000", "39999000000001"]);
    // Asked for, it is answered by a person.
    desk.page.click("#clear").unwrap();
    desk.page.type_text("39999000000004\n").unwrap();
    assert!(desk.page.visible("#clear-dialog").unwrap());
    desk.page.press(&[key::ESCAPE]).unwrap();
    desk.page.wait("!document.getElementById('clear-dialog').open").unwrap();
    desk.page.press(&[F1]).unwrap();
    desk.page.wait("document.getElementById('help-dialog').open").unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn the_status_has_the_room_that_is_left() {
    let desk = desk();
    desk.fill(30).unwrap();
    desk.page.set_viewport(1060, 780).unwrap();
    // From here on rows are left out below, or above once it is scrolled.
    desk.page.wait("document.querySelector('#transactions-rows tr.spacer:not([hidden])')").unwrap();
    let widths = "[...document.querySelectorAll('#transactions-heading th')].filter(th => th.checkVisibility()).map(th => th.getBoundingClientRect().width)";
    for desks in [false, true] {
        desk.page
            .eval(&format!("document.getElementById('transactions-table').toggleAttribute('data-desks', {desks})"))
            .unwrap();
        let widths: Vec<f64> = serde_json::from_value(desk.page.eval(widths).unwrap()).unwrap();
        let status = "document.querySelector('tr[data-seq] td:last-child').getBoundingClientRect()";
        let [left, right] =
            ["left", "right"].map(|side| desk.page.eval(&format!("{status}.{side}")).unwrap().as_f64().unwrap());
        let table =
            desk.page.eval("document.getElementById('transactions-table').getBoundingClientRect().width").unwrap();
        let table = table.as_f64().unwrap();
        assert!((widths.iter().sum::<f64>() - table).abs() < 1.0, "the columns fill the table: {widths:?} of {table}");
        assert!(right - left > 250.0, "{} px, desks: {desks}", right - left);
        // All of the words and the button are seen.
        let button = "document.querySelector('tr[data-seq] [data-edit]').getBoundingClientRect()";
        let button = [format!("{button}.left"), format!("{button}.right")]
            .map(|side| desk.page.eval(&side).unwrap().as_f64().unwrap());
        assert!(left < button[0] && button[1] <= right, "{button:?} in {left}..{right}");
    }
}

fn loans(desk: &Desk) -> Vec<(String, String)> {
    desk.rows().unwrap().into_iter().rev().map(|row| (row.cardnumber, row.barcode)).collect()
}

#[test]
fn a_known_card_in_the_field_of_the_item_is_the_next_patron_also_for_what_is_typed_already() {
    let (_koha, desk) = knowing();
    wait_for_records(&desk);
    let loan = |card: &str, code: &str| (card.to_owned(), code.to_owned());
    // A scanner does not wait until the card is looked up.
    desk.page.type_text(&format!("{F2}{ZOE}\n{}\n{OTHER}\n{}\n{}\n", item(5), item(6), item(7))).unwrap();
    desk.wait_for_total(3).unwrap();
    assert_eq!(loans(&desk), [loan(ZOE, &item(5)), loan(OTHER, &item(6)), loan(OTHER, &item(7))]);
    assert_eq!(desk.page.value("#checkout-patron").unwrap(), OTHER);
    wait_for_text(&desk, "patron-name", "Smith");
    let said = desk.page.text(".attention:not(:empty)").unwrap();
    assert!(said.contains(OTHER) && said.contains("a known patron’s card"), "{said}");
    assert_eq!(desk.page.focused().unwrap(), "checkout-item");
    // It was an item: that and all that followed is the patron's before.
    desk.page.click(".attention [data-field=retry]").unwrap();
    desk.wait_for_total(4).unwrap();
    let all_hers = [loan(ZOE, &item(5)), loan(ZOE, &item(6)), loan(ZOE, &item(7)), loan(ZOE, OTHER)];
    assert_eq!(loans(&desk), all_hers);
    assert_eq!(desk.page.value("#checkout-patron").unwrap(), ZOE);
    assert_eq!(desk.page.eval("document.querySelector('.attention li')").unwrap(), serde_json::Value::Null);
    desk.page.type_text(&format!("{}\n", item(8))).unwrap();
    desk.wait_for_total(5).unwrap();
    assert_eq!(desk.rows().unwrap()[0].cardnumber, ZOE);
    // The key that takes back the last scan takes back the card, and no book.
    desk.page.type_text("23529001223603\n").unwrap();
    desk.page.wait("document.getElementById('checkout-patron').value === '23529001223603'").unwrap();
    desk.page.press(&[F8]).unwrap();
    desk.page.wait(&format!("document.getElementById('checkout-patron').value === '{ZOE}'")).unwrap();
    assert_eq!(desk.page.eval("document.querySelector('.attention li')").unwrap(), serde_json::Value::Null);
    assert_eq!(desk.states().unwrap(), ["local"; 5]);
    // A user name is no card.
    desk.page.type_text("patron1\n").unwrap();
    desk.wait_for_total(6).unwrap();
    assert_eq!(desk.rows().unwrap()[0].barcode, "patron1");
    // At the checkin nobody can tell what is meant.
    desk.page.type_text(&format!("{F4}{OTHER}\n")).unwrap();
    wait_for_text(&desk, "attention-checkin", "like a patron’s card");
    assert_eq!(desk.total().unwrap(), 6);
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn a_code_that_an_item_and_a_patron_have_is_asked_about() {
    let mut library = library();
    library.item_mut(&item(30)).unwrap().barcode = OTHER.into();
    let (_koha, desk) = knowing_of(library);
    wait_for_records(&desk);
    desk.page.type_text(&format!("{F2}{ZOE}\n{OTHER}\n{}\n", item(5))).unwrap();
    desk.wait_for_total(1).unwrap();
    assert_eq!(loans(&desk), [(ZOE.to_owned(), item(5))]);
    let asked = desk.page.text(".attention:not(:empty)").unwrap();
    assert!(asked.contains("Both an item and a patron’s card have this code."), "{asked}");
    desk.page.click(".attention [data-field=retry]").unwrap();
    desk.wait_for_total(2).unwrap();
    assert_eq!(loans(&desk)[1], (ZOE.to_owned(), OTHER.to_owned()));
    assert_eq!(desk.page.value("#checkout-patron").unwrap(), ZOE);
}

#[test]
fn where_the_records_are_late_a_scan_does_not_wait() {
    let (_koha, desk) = knowing();
    // What is read of them stays locked for now.
    let lock = "void (real => { SubtleCrypto.prototype.decrypt = async function (...of) { \
                await new Promise(open => (window.locked ??= []).push(open)); return real.apply(this, of); }; })(SubtleCrypto.prototype.decrypt)";
    desk.page.eval(lock).unwrap();
    desk.page.type_text(&format!("{F2}{ZOE}\n{OTHER}\n{}\n", item(5))).unwrap();
    desk.wait_for_total(2).unwrap();
    assert_eq!(loans(&desk), [(ZOE.to_owned(), OTHER.to_owned()), (ZOE.to_owned(), item(5))]);
    // When they answer, it is told beside the card that was lent, and can be taken back.
    desk.page
        .eval("void setInterval(() => { for (const open of (window.locked ?? []).splice(0)) open(); }, 5)")
        .unwrap();
    let row = "#patron-items-list [data-seq='1'][data-grade=stop]";
    desk.page.wait(&format!("document.querySelector({row:?})?.innerText.includes('Card of Smith, Anna')")).unwrap();
    wait_for_kept(&desk, OTHER, "patronCard");
    desk.page
        .wait(&format!("document.querySelector({:?}).innerText.includes('Patron’s card')", "tr[data-seq='1']"))
        .unwrap();
    desk.page.click(&format!("{row} [data-field=take-back]")).unwrap();
    desk.page.wait("document.querySelector(\"tr[data-seq='1']\").dataset.status === 'deleted'").unwrap();
    desk.page.wait(&format!("!document.querySelector({row:?})")).unwrap();
    // Who said that it is an item is not asked again.
    wait_for_records(&desk);
    desk.page.type_text(&format!("{OTHER}\n")).unwrap();
    desk.page.click(".attention [data-field=retry]").unwrap();
    wait_for_kept(&desk, OTHER, "patronCard confirmed");
    assert_eq!(
        desk.page.eval("document.querySelector('#patron-items-list [data-seq][data-grade=stop]')").unwrap(),
        serde_json::Value::Null
    );
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}
