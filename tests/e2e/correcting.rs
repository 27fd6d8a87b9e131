//! Undo, corrections and deletions before a commit.

use crate::BEFORE_TRANSACTIONS;
use crate::{configured, koha, koha_at_home, transactions};
use fake_koha::{Era, Fault, FaultKind};
use koct_tests::page::key::{self, F8};

#[test]
fn one_key_takes_back_the_last_scan_and_again_the_one_before() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    for item in ["39999000000001", "39999000000002", "39999000000003"] {
        desk.check_out("23529001223601", item).unwrap();
    }
    // Any of them by keyboard, from the field that has the focus; the list is one stop of Tab. It can be restored.
    let row = |seq: u32| format!("document.activeElement.matches(\"#patron-items-list [data-seq='{seq}']\")");
    desk.page.press(&[key::DOWN]).unwrap();
    desk.page.wait(&row(3)).unwrap();
    desk.page.press(&[key::DOWN]).unwrap();
    desk.page.press(&[key::END]).unwrap();
    desk.page.wait(&row(1)).unwrap();
    desk.page.press(&[key::UP]).unwrap();
    desk.page.wait(&row(2)).unwrap();
    assert_eq!(desk.page.eval("document.querySelectorAll('#patron-items-list [tabindex=\"0\"]').length").unwrap(), 1);
    desk.page.press(&[key::DELETE]).unwrap();
    desk.page.wait("document.querySelector(\"tr[data-seq='2']\").dataset.status === 'deleted'").unwrap();
    desk.page.wait_focused("checkout-item").unwrap();
    desk.page.click("tr[data-seq='2'] [data-edit]").unwrap();
    desk.page.click("#edit-restore").unwrap();
    desk.page.wait("document.querySelector(\"tr[data-seq='2']\").dataset.status === 'local'").unwrap();
    desk.page.press(&[F8]).unwrap();
    desk.page.wait("document.querySelector(\"tr[data-seq='3']\").dataset.status === 'deleted'").unwrap();
    desk.page.wait_contains("#message", "Taken back: ").unwrap();
    desk.page.press(&[F8]).unwrap();
    desk.page.wait("document.querySelector(\"tr[data-seq='2']\").dataset.status === 'deleted'").unwrap();
    desk.page.wait_text("#count-unsent", "1").unwrap();
    // Typed and undone without a pause: it is that scan which is taken back, not the one before.
    desk.page.click("#checkin-item").unwrap();
    desk.page.type_text(&format!("39999000000004\n{F8}")).unwrap();
    desk.page.wait("document.querySelector(\"tr[data-seq='4']\")?.dataset.status === 'deleted'").unwrap();
    desk.wait_for_states(&["local", "deleted", "deleted", "deleted"]).unwrap();
    assert!(desk.commit().unwrap().starts_with("Done: 1"));
    assert_eq!(transactions(&koha).len(), 1);
    // What is in Koha is not undone.
    desk.page.press(&[F8]).unwrap();
    desk.page.wait("document.getElementById('message').textContent.includes('cannot be undone')").unwrap();
    assert_eq!(desk.states().unwrap()[0], "success");
    // Restored, it is sent.
    desk.page.click("tr[data-seq='2'] [data-edit]").unwrap();
    desk.page.click("#edit-restore").unwrap();
    desk.page.wait("document.querySelector(\"tr[data-seq='2']\").dataset.status === 'local'").unwrap();
    assert!(desk.commit().unwrap().starts_with("Done: 1"));
    let holder = koha.library(|library| library.holder_of("39999000000002").map(str::to_owned));
    assert_eq!(holder.as_deref(), Some("23529001223601"));
}

#[test]
fn a_mistyped_patron_is_corrected_and_what_it_was_stays_to_be_seen() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    desk.check_out("99999", "39999000000001").unwrap();
    desk.check_out("23529001223601", "39999000000002").unwrap();
    let message = desk.commit().unwrap();
    assert!(message.contains("Koha refused 1"), "{message}");
    desk.wait_for_states(&["rejected", "success"]).unwrap();
    desk.open_log().unwrap();
    // By keyboard alone.
    desk.page.eval("document.querySelector(\"tr[data-seq='1'] [data-edit]\").focus()").unwrap();
    desk.page.press(&[key::ENTER]).unwrap();
    desk.page.wait("document.getElementById('edit-dialog').open").unwrap();
    desk.page.wait_contains("#edit-about", "Borrower not found.").unwrap();
    desk.page.fill("#edit-cardnumber", "23529\t").unwrap();
    desk.page.fill("#edit-barcode", "1234567890123456789012345").unwrap();
    desk.page.press(&[key::ENTER]).unwrap();
    desk.page.wait("document.getElementById('edit-error').textContent.includes('characters: 25')").unwrap();
    desk.page.fill("#edit-cardnumber", "23529001223603").unwrap();
    desk.page.fill("#edit-barcode", "39999000000001\n").unwrap();
    desk.page.wait("document.querySelector(\"tr[data-seq='1']\").dataset.status === 'local'").unwrap();
    desk.page.wait_hidden("#edit-dialog").unwrap();
    let row = desk.rows().unwrap().into_iter().find(|row| row.seq == 1).unwrap();
    assert_eq!(row.cardnumber, "23529001223603");
    assert!(desk.commit().unwrap().starts_with("Done: 1"));
    let holder = koha.library(|library| library.holder_of("39999000000001").map(str::to_owned));
    assert_eq!(holder.as_deref(), Some("23529001223603"));
    desk.page.click("tr[data-seq='1'] [data-edit]").unwrap();
    desk.page.wait("document.getElementById('edit-dialog').open").unwrap();
    let history = desk.page.text("#edit-history").unwrap();
    assert!(history.contains("99999") && history.contains("Borrower not found."), "{history}");
    // What is committed can be looked at, and no more.
    assert!(!desk.page.visible("#edit-save").unwrap() && !desk.page.visible("#edit-delete").unwrap());
    desk.page.press(&[key::ENTER]).unwrap();
    desk.page.press(&[key::ESCAPE]).unwrap();
    desk.page.wait("!document.getElementById('edit-dialog').open").unwrap();
    // What Enter had changed would be in the log before the next scan is.
    desk.check_in("39999000000003").unwrap();
    desk.wait_for_states(&["success", "success", "local"]).unwrap();
}

#[test]
fn while_a_commit_runs_only_what_it_does_not_hold_can_be_changed() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    for number in 1..=4 {
        desk.check_out("23529001223601", &format!("3999900000000{number}")).unwrap();
    }
    koha.fault(Fault::on("service.pl", FaultKind::Hold).skip(BEFORE_TRANSACTIONS + 1));
    desk.page.click("#commit").unwrap();
    desk.page.wait("document.querySelector('tr[data-status=success]')").unwrap();
    desk.page.click("tr[data-seq='4'] [data-edit]").unwrap();
    desk.page.click("#edit-delete").unwrap();
    desk.page.wait("document.getElementById('edit-error').textContent.includes('on its way')").unwrap();
    desk.page.click("#edit-cancel").unwrap();
    desk.check_out("23529001223601", "39999000000005").unwrap();
    desk.page.press(&[F8]).unwrap();
    desk.page.wait("document.querySelector(\"tr[data-seq='5']\").dataset.status === 'deleted'").unwrap();
    koha.clear_faults();
    desk.wait_for_commit().unwrap();
    desk.wait_for_states(&["success", "success", "success", "success", "deleted"]).unwrap();
    assert_eq!(transactions(&koha).len(), 4);
}

/// Half of all checkins after an outage: the item was back already, or was used within the library.
#[test]
fn what_was_not_on_loan_is_settled_one_by_one_or_all_at_once() {
    let koha = koha_at_home();
    let desk = configured(&koha, "apply");
    for number in 1..=4 {
        desk.check_in(&format!("3999900000000{number}")).unwrap();
    }
    desk.check_in("no such item").unwrap();
    let message = desk.commit().unwrap();
    assert!(message.contains("Koha refused 5") && !message.contains("In doubt"), "{message}");
    // What is left is shown by itself, once.
    desk.page.wait_visible("#todo").unwrap();
    desk.page.wait_text("#settle-all", "All settled (4)").unwrap();
    assert!(desk.page.text("[data-group=refused] li:last-child").unwrap().contains("nothing to do"));
    // In its row.
    desk.open_log().unwrap();
    let row = |seq: u32| format!("#transactions-rows tr[data-seq='{seq}']");
    assert!(!desk.page.visible(&format!("{} [data-decision=send-again]", row(2))).unwrap());
    desk.page.click(&format!("{} [data-settle]", row(2))).unwrap();
    desk.page.wait(&format!("document.querySelector(\"{}\").dataset.status === 'deleted'", row(2))).unwrap();
    desk.page.wait_text("#tab-todo-count", "4").unwrap();
    // All at once; a second window follows.
    let other = desk.firefox.open(&desk.firefox.addon_url("popup/popup.html")).unwrap();
    other.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    other.eval("document.getElementById('clear-dialog').close()").unwrap();
    other.click("#tab-todo").unwrap();
    other.wait_text("#settle-all", "All settled (3)").unwrap();
    desk.page.activate().unwrap();
    desk.open_todo().unwrap();
    desk.page.click("#settle-all").unwrap();
    desk.page.wait("document.getElementById('settle-all').hidden").unwrap();
    other.wait("document.getElementById('settle-all').hidden").unwrap();
    assert_eq!(desk.page.text("#tab-todo-count").unwrap(), "1");
    assert_eq!(desk.states().unwrap(), ["deleted", "deleted", "deleted", "deleted", "rejected"]);
    assert_eq!(desk.page.text("#count-unsent").unwrap(), "0", "what Koha refused does not wait");
    // The scanner is where it was.
    desk.page.type_text("39999000000005\n").unwrap();
    desk.wait_for_total(6).unwrap();
}
