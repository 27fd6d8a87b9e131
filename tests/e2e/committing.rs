//! Bringing transactions into Koha.

use crate::BEFORE_TRANSACTIONS;
use crate::{ERAS, configured, desk, koha, transactions, wait};
use fake_koha::{Config, Era, FakeKoha, Fault, FaultKind};
use koct_tests::desk::Settings;

#[test]
fn both_commit_types_work_in_both_eras() {
    let desk = desk();
    for era in ERAS {
        for (commit_type, state, word) in [("send", "added", "Added."), ("apply", "success", "Success.")] {
            let koha = koha(era);
            desk.set_up(&Settings::of(&koha.url(), commit_type)).unwrap();
            desk.check_out("23529001223601", "39999000000001").unwrap();
            desk.check_out("23529001223602", "39999000000002").unwrap();
            desk.check_in("39999000000001").unwrap();
            let message = desk.commit().unwrap();
            desk.wait_for_states(&[state; 3]).unwrap();
            assert_eq!(desk.rows().unwrap()[0].status, word);
            assert!(message.starts_with("Done: 3"), "{message}");
            desk.page.wait_text("#count-unsent", "0").unwrap();
            if commit_type == "send" {
                assert_eq!(koha.library(|library| library.pending_at("CPL").len()), 3);
                assert!(message.contains("library CPL"), "{message}");
                let link = desk.page.eval("document.querySelector('#message a').href").unwrap();
                assert_eq!(link, format!("{}/cgi-bin/koha/offline_circ/list.pl", koha.url()));
            } else {
                let holder = |barcode: &str| koha.library(|library| library.holder_of(barcode).map(str::to_owned));
                assert_eq!(holder("39999000000001"), None);
                assert_eq!(holder("39999000000002").as_deref(), Some("23529001223602"));
            }
            let sent = transactions(&koha);
            assert_eq!(sent.len(), 3);
            for request in &sent {
                assert_eq!(request.method, "POST");
                assert_eq!(request.parameter("pending"), Some(if commit_type == "send" { "true" } else { "false" }));
                let timestamp = request.parameter("timestamp").unwrap();
                assert!(timestamp.len() == 19 && timestamp.as_bytes()[10] == b' ', "{timestamp}");
            }
            for request in koha.requests() {
                assert!(!request.query.contains("koha"), "a secret in an address: {request:?}");
            }
            // Pressed again, nothing is sent.
            assert_eq!(desk.commit().unwrap(), "There is nothing to send.");
            assert_eq!(transactions(&koha).len(), 3);
            assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
            desk.clear_committed().unwrap();
            desk.wait_for_total(0).unwrap();
        }
    }
}

#[test]
fn each_answer_is_shown_in_the_documented_words() {
    let koha = koha(Era::Before2405);
    let desk = configured(&koha, "apply");
    desk.check_out("99999", "39999000000001").unwrap();
    desk.check_out("23529001223601", "88888").unwrap();
    desk.check_in("88888").unwrap();
    desk.check_in("39999000000002").unwrap();
    desk.check_out("23529001223601", "39999000000003").unwrap();
    let message = desk.commit().unwrap();
    let shown: Vec<String> = desk.rows().unwrap().into_iter().rev().map(|row| row.status).collect();
    assert_eq!(shown, ["Borrower not found.", "Item not found.", "Item not found.", "Item not issued.", "Success."]);
    assert!(!message.contains("Done"), "it never says that all is done when some failed: {message}");
    assert_eq!(message, "1 of 5 is in Koha. Koha refused 4.", "what there is none of is not said");
    // Refused ones are kept, and not sent again by themselves: they are to do, and do not wait.
    desk.page.wait_text("#count-unsent", "0").unwrap();
    desk.page.wait_text("#tab-todo-count", "4").unwrap();
    assert!(desk.commit().unwrap().contains('4'));
    assert_eq!(transactions(&koha).len(), 5);
    // A person may: the patron is in Koha now.
    koha.library(|library| library.patron_mut("23529001223602").unwrap().cardnumber = "99999".into());
    desk.open_log().unwrap();
    desk.page.click("tr[data-seq='1'] [data-decision=send-again]").unwrap();
    desk.page.wait("document.querySelector(\"tr[data-seq='1']\").dataset.status === 'local'").unwrap();
    desk.commit().unwrap();
    assert_eq!(desk.states().unwrap()[0], "success");
    assert_eq!(transactions(&koha).len(), 6);
}

#[test]
fn a_sub_path_is_kept() {
    let koha = FakeKoha::start(Config { era: Era::From2405, sub_path: "/koha".into(), ..Config::default() }).unwrap();
    let desk = configured(&koha, "send");
    desk.check_in("39999000000001").unwrap();
    assert!(desk.commit().unwrap().starts_with("Done: 1"));
}

#[test]
fn a_second_press_does_nothing_and_stop_stops() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    for number in 1..=5 {
        desk.check_out("23529001223601", &format!("3999900000000{number}")).unwrap();
    }
    koha.fault(Fault::on("service.pl", FaultKind::Hold).skip(BEFORE_TRANSACTIONS + 1));
    desk.page.click("#commit").unwrap();
    desk.page.wait("document.querySelector('tr[data-status=success]')").unwrap();
    wait("the second does not reach Koha", || (transactions(&koha).len() == 2).then_some(()));
    desk.page.wait_visible("#progress").unwrap();
    desk.page.click("#commit").unwrap();
    // Scanning goes on meanwhile.
    desk.check_out("23529001223601", "39999000000006").unwrap();
    desk.page.click("#cancel-commit").unwrap();
    koha.clear_faults();
    let message = desk.wait_for_commit().unwrap();
    assert!(message.contains("Stopped by you"), "{message}");
    assert_eq!(transactions(&koha).len(), 2, "what was under way came to its end, and nothing more was sent");
    desk.wait_for_states(&["success", "success", "local", "local", "local", "local"]).unwrap();
    assert!(desk.commit().unwrap().starts_with("Done"));
    assert_eq!(koha.library(|library| library.effects.len()), 6);
}

#[test]
fn an_unknown_branch_stops_it_before_anything_is_sent() {
    let koha = koha(Era::Before2405);
    let desk = desk();
    desk.set_up(&Settings { branchcode: "ZZZ".into(), ..Settings::of(&koha.url(), "send") }).unwrap();
    desk.check_in("39999000000001").unwrap();
    let message = desk.commit().unwrap();
    assert!(message.contains("ZZZ") && message.contains("CPL"), "{message}");
    assert_eq!(transactions(&koha).len(), 0);
    desk.wait_for_states(&["local"]).unwrap();
}

#[test]
fn without_settings_nothing_is_sent_and_it_says_what_to_do() {
    let desk = desk();
    desk.check_in("39999000000001").unwrap();
    assert!(desk.commit().unwrap().contains("Open Settings"));
    desk.wait_for_states(&["local"]).unwrap();
}

#[test]
fn several_are_queued_at_once_and_all_arrive_once() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "send");
    let codes: String = (1..=8).map(|number| format!("B{number}\n")).collect::<Vec<_>>().concat();
    desk.page.click("#checkin-item").unwrap();
    desk.page.type_text(&codes).unwrap();
    desk.wait_for_total(8).unwrap();
    koha.fault(Fault::on("service.pl", FaultKind::Hold).skip(BEFORE_TRANSACTIONS));
    desk.page.click("#commit").unwrap();
    wait("no four are under way together", || (transactions(&koha).len() == 4).then_some(()));
    desk.wait_for_states(&["sending", "sending", "sending", "sending", "local", "local", "local", "local"]).unwrap();
    koha.clear_faults();
    assert!(desk.wait_for_commit().unwrap().starts_with("Done: 8"));
    let mut queued: Vec<String> =
        koha.library(|library| library.pending_at("CPL").iter().map(|row| row.barcode.clone()).collect());
    queued.sort();
    queued.dedup();
    assert_eq!(queued.len(), 8);
    assert_eq!(transactions(&koha).len(), 8);
}

/// Writes down each time that what waits is read from the log, and each transaction that is sent.
const WRITE_DOWN: &str = "((keys, fetch) => { window.wroteDown = []; \
    IDBIndex.prototype.getAllKeys = function (key, ...of) { \
        if (this.name === 'state' && key === 'local') window.wroteDown.push('read'); return keys.call(this, key, ...of); }; \
    window.fetch = (url, ...of) => { if (String(url).includes('/offline_circ/service.pl')) window.wroteDown.push('sent'); \
        return fetch.call(window, url, ...of); }; })(IDBIndex.prototype.getAllKeys, window.fetch)";

#[test]
fn what_waits_is_read_once_before_it_is_sent() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    desk.check_out("23529001223601", "39999000000001").unwrap();
    desk.check_out("23529001223602", "39999000000002").unwrap();
    desk.page.eval(WRITE_DOWN).unwrap();
    desk.commit().unwrap();
    desk.wait_for_states(&["success"; 2]).unwrap();
    let order = desk.page.eval("window.wroteDown.slice(0, window.wroteDown.indexOf('sent') + 1).join(' ')").unwrap();
    assert_eq!(order, "read sent", "what it was read for goes by what was read");
}
