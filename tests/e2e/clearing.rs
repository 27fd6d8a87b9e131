//! What is left over, and clearing it.

use crate::{configured, desk, koha, reopen};
use fake_koha::Era;

#[test]
fn leftover_transactions_are_kept_unless_both_boxes_are_ticked() {
    let mut desk = desk();
    desk.page.wait_hidden("#clear-dialog").unwrap();
    desk.page.type_text("P1\nB1\nB2\n").unwrap();
    desk.wait_for_total(2).unwrap();
    // A reload keeps everything.
    desk.page.reload().unwrap();
    desk.page.wait("document.body.hasAttribute('data-ready')").unwrap();
    desk.wait_for_total(2).unwrap();
    reopen(&mut desk);
    desk.wait_for_total(2).unwrap();
    // A moment ago: nobody is asked.
    desk.page.wait_contains("#message", "Going on: 2 wait since ").unwrap();
    assert!(!desk.page.visible("#clear-dialog").unwrap());
    desk.make_older().unwrap();
    reopen(&mut desk);
    desk.page.wait_visible("#clear-dialog").unwrap();
    desk.page.wait_text("#clear-title", "2 transactions are not in Koha yet").unwrap();
    desk.page.wait_contains("#clear-text", "Recorded from ").unwrap();
    assert_eq!(desk.page.eval("document.getElementById('clear-confirm').checked").unwrap(), false);
    // The one button keeps them, and Enter presses it.
    desk.page.wait_focused("clear-ok").unwrap();
    desk.page.wait_text("#clear-ok", "Keep them").unwrap();
    assert!(!desk.page.visible("#clear-cancel").unwrap());
    // With a tick it says what it does, and no key presses it by itself.
    desk.page.click("#clear-confirm").unwrap();
    desk.page.wait_text("#clear-ok", "Clear").unwrap();
    assert!(desk.page.visible("#clear-cancel").unwrap());
    assert_eq!(desk.page.eval("document.getElementById('clear-ok').className").unwrap(), "stop");
    desk.page.click("#clear-confirm").unwrap();
    desk.page.wait_text("#clear-ok", "Keep them").unwrap();
    desk.page.click("#clear-ok").unwrap();
    desk.page.wait("!document.getElementById('clear-dialog').open").unwrap();
    assert_eq!(desk.total().unwrap(), 2);
    // Asked for, it is a question, and the safe answer has the focus. OK without a tick keeps everything.
    desk.page.click("#clear").unwrap();
    desk.page.wait_focused("clear-cancel").unwrap();
    desk.page.wait_text("#clear-title", "Clear the log?").unwrap();
    desk.page.wait_contains("#clear-text", "Not in Koha: 2.").unwrap();
    desk.page.click("#clear-ok").unwrap();
    assert_eq!(desk.total().unwrap(), 2);
    // One tick is not enough for what is not in Koha.
    desk.page.click("#clear").unwrap();
    desk.page.click("#clear-confirm").unwrap();
    desk.page.click("#clear-ok").unwrap();
    desk.page.wait_visible("#clear-dialog").unwrap();
    desk.page.wait_contains("#clear-unsent-text", "NOT in Koha").unwrap();
    desk.page.click("#clear-cancel").unwrap();
    assert_eq!(desk.total().unwrap(), 2);
    // Two are.
    desk.page.click("#clear").unwrap();
    desk.page.click("#clear-confirm").unwrap();
    desk.page.click("#clear-unsent-confirm").unwrap();
    desk.page.click("#clear-ok").unwrap();
    desk.wait_for_total(0).unwrap();
    desk.page.wait_text("#count-unsent", "0").unwrap();
}

#[test]
fn clearing_the_committed_ones_spares_the_others() {
    let koha = koha(Era::Before2405);
    let desk = configured(&koha, "send");
    desk.check_in("39999000000001").unwrap();
    desk.commit().unwrap();
    desk.check_in("39999000000002").unwrap();
    desk.clear_committed().unwrap();
    desk.wait_for_total(1).unwrap();
    assert_eq!(desk.rows().unwrap()[0].barcode, "39999000000002");
    desk.page.wait_text("#count-unsent", "1").unwrap();
}
