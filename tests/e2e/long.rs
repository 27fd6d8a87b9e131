//! A log whose rows are higher together than a page of Firefox can be.

use crate::{desk, pointing::keys_every};
use koct_tests::{desk::Desk, page::key};
use serde_json::Value;

const ROWS: i64 = 20_000;
/// So high are the rows made here that so few of them are too high, in CSS pixels.
const HIGH: &str = "(() => { const sheet = document.styleSheets[0]; for (const of of ['', ' td']) \
    sheet.insertRule(`#transactions-rows tr:not(.spacer)${of} { height: 1200px; }`, sheet.cssRules.length); dispatchEvent(new Event('resize')); })()";
/// The numbers of the rows that are seen, where rows fill all of the box; nothing while they are being read. So far down a page,
/// Firefox knows a place to a few pixels only.
const SEEN: &str = "(() => { const box = document.getElementById('transactions-scroll'); const frame = box.getBoundingClientRect(); \
    const [top, bottom] = [frame.top + box.clientTop, frame.top + box.clientTop + box.clientHeight]; \
    const rows = [...document.querySelectorAll('#transactions-rows tr[data-seq]')].map(row => [row, row.getBoundingClientRect()]) \
    .filter(([, place]) => place.bottom > top + 8 && place.top < bottom - 8); \
    const isFull = rows.length && rows[0][1].top < top + 8 && rows.at(-1)[1].bottom > bottom - 8; \
    return isFull && rows.map(([row]) => Number(row.dataset.seq)); })()";
const TOP: &str = "document.getElementById('transactions-scroll').scrollTop";

/// The rows that are seen once the table has come to rest after what was done. They lie side by side.
fn seen(desk: &Desk) -> Vec<i64> {
    let frames = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))";
    let (mut top, mut rows) = (Value::Null, Value::Null);
    loop {
        let before = (top, rows);
        desk.page.eval(frames).unwrap();
        rows = desk.page.wait(SEEN).unwrap();
        top = desk.page.eval(TOP).unwrap();
        if (&top, &rows) == (&before.0, &before.1) {
            break;
        }
    }
    let rows: Vec<i64> = rows.as_array().unwrap().iter().filter_map(Value::as_i64).collect();
    assert!(rows.windows(2).all(|pair| pair[1] == pair[0] - 1), "none is lost, none is there twice: {rows:?}");
    rows
}

#[test]
fn every_row_of_a_log_that_is_too_high_for_a_page_can_be_scrolled_to() {
    let mut desk = desk();
    desk.firefox.draw_often().unwrap();
    desk.page.set_viewport(1_100, 3_600).unwrap();
    desk.fill(usize::try_from(ROWS).unwrap()).unwrap();
    desk.page.eval(HIGH).unwrap();
    desk.page.wait("document.querySelector('#transactions-rows tr[data-seq]').offsetHeight >= 1200").unwrap();
    desk.page.wait("document.getElementById('transactions-scroll').scrollHeight < 8100000").unwrap();
    desk.page.eval("document.getElementById('transactions-scroll').focus()").unwrap();
    assert_eq!(seen(&desk)[0], ROWS);

    desk.page.press(&[key::END]).unwrap();
    desk.page.wait(&format!("({SEEN} || []).at(-1) === 1")).unwrap();
    let mut rows = seen(&desk);
    for _ in 0..3 {
        let (before, top) = (rows[0], desk.page.eval(TOP).unwrap());
        desk.page.press(&[key::PAGE_UP]).unwrap();
        desk.page.wait(&format!("{TOP} < {top}")).unwrap();
        rows = seen(&desk);
        assert!(*rows.last().unwrap() <= before + 1, "no row is skipped: {before}, then {rows:?}");
        assert!(rows[0] > before, "it goes on: {before}, then {rows:?}");
    }

    desk.page.press(&[key::HOME]).unwrap();
    desk.page.wait(&format!("{TOP} === 0")).unwrap();
    let mut rows = seen(&desk);
    assert_eq!(rows[0], ROWS);
    for _ in 0..3 {
        let (before, top) = (*rows.last().unwrap(), desk.page.eval(TOP).unwrap());
        desk.page.press(&[key::PAGE_DOWN]).unwrap();
        desk.page.wait(&format!("{TOP} > {top}")).unwrap();
        rows = seen(&desk);
        assert!(rows[0] >= before - 1, "no row is skipped: {before}, then {rows:?}");
        assert!(*rows.last().unwrap() < before, "it goes on: {before}, then {rows:?}");
    }

    for part in [0.0001, 0.001, 0.3, 0.71, 0.999, 0.9999] {
        desk.page
            .eval(&format!("(box => box.scrollTop = Math.round((box.scrollHeight - box.clientHeight) * {part}))(document.getElementById('transactions-scroll'))"))
            .unwrap();
        let rows = seen(&desk);
        // Counted from the newest.
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let place = (ROWS - rows[0]) as f64 / ROWS as f64;
        assert!((place - part).abs() < 0.001, "{part} is at {place}");
        // What is read stays where it is when something is scanned.
        let total = desk.total().unwrap();
        desk.page
            .eval("(field => { field.value = 'NEW' + Date.now(); field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true})); })(document.getElementById('checkin-item'))")
            .unwrap();
        desk.wait_for_total(total + 1).unwrap();
        let after = seen(&desk);
        assert!((after[0] - rows[0]).abs() <= 1, "{rows:?}, then {after:?}");
    }
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn the_order_of_a_long_log_is_looked_through_while_the_window_stays_alive() {
    let desk = desk();
    desk.fill(10_000).unwrap();
    desk.page.click("#show-review").unwrap();
    // The dialog is there at once, and says that it works.
    desk.page.wait("document.getElementById('review-dialog').open").unwrap();
    desk.page.wait_focused("review-cancel").unwrap();
    desk.page.wait("document.getElementById('review-text').textContent.includes('10,000')").unwrap();
    desk.page.wait_hidden("#review-progress").unwrap();
    // Another shift while one is worked out: the last counts. By hand: a scanner's keys are kept from a dialog.
    keys_every(&desk, 400);
    desk.page.click("#review-desks [data-field=set]").unwrap();
    for typed in ["+9:00\n", "-1:00\n"] {
        desk.page.fill("#review-desks [data-field=shift]", typed).unwrap();
    }
    desk.page
        .wait("document.getElementById('review-progress').hidden && document.getElementById('review-store').checkVisibility() \
               && !document.getElementById('review-store').disabled")
        .unwrap();
    // What is scanned while they are moved is not waited for.
    let scanned = "new Promise(done => { document.getElementById('review-store').click(); \
         const [field, list] = ['checkin-item', 'checkin-items-list'].map(id => document.getElementById(id)); field.value = 'B0'; \
         new MutationObserver(() => done(!document.getElementById('review-store').hidden)).observe(list, { childList: true }); \
         field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true })); })";
    assert_eq!(desk.page.eval(scanned).unwrap(), true, "it is in the log before all are moved");
    desk.page.wait("document.getElementById('message').textContent.includes('10,000')").unwrap();
    desk.page.wait("document.getElementById('review-progress').hidden").unwrap();
    // Closed while it works, it stays closed.
    desk.page.press(&[key::ESCAPE]).unwrap();
    desk.page.wait("!document.getElementById('review-dialog').open").unwrap();
    desk.page
        .eval(
            "void (show => { window.shown = 0; HTMLDialogElement.prototype.showModal = function () { \
             window.shown += this.id === 'review-dialog'; return show.call(this); }; })(HTMLDialogElement.prototype.showModal)",
        )
        .unwrap();
    desk.page.click("#show-review").unwrap();
    desk.page.wait("document.getElementById('review-dialog').open").unwrap();
    desk.page.press(&[key::ESCAPE]).unwrap();
    desk.check_in("B1").unwrap();
    desk.page.wait_hidden("#review-dialog").unwrap();
    // What was begun then is at its end before what is begun now.
    desk.page.click("#show-review").unwrap();
    desk.page.wait("document.getElementById('review-text').textContent.includes('10,002')").unwrap();
    desk.page.wait_hidden("#review-progress").unwrap();
    assert_eq!(desk.page.eval("window.shown").unwrap(), 2, "it was opened by the button alone");
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}
