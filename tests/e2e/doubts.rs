//! Transactions in doubt: proof where Koha gives it, else a person's decision. And the other things that a person is told
//! before and after a commit: old transactions, past commits, the badge, that Koha is back.

use crate::BEFORE_TRANSACTIONS;
use crate::{configured, desk, koha, transactions};
use fake_koha::{Effect, Era, FakeKoha, Fault, FaultKind, Plugin};
use koct_tests::desk::{Desk, Settings};

const PATRON: &str = "23529001223601";
const ITEM: &str = "39999000000001";

/// Changes every entry of the log behind the window's back: what time would do.
const CHANGE: &str = "(async change => { const db = await new Promise((done, fail) => { const o = indexedDB.open('koct'); \
    o.onsuccess = () => done(o.result); o.onerror = fail; }); const t = db.transaction('transactions', 'readwrite'); \
    const s = t.objectStore('transactions'); s.getAll().onsuccess = e => { for (const entry of e.target.result) { change(entry); s.put(entry); } }; \
    await new Promise((done, fail) => { t.oncomplete = done; t.onerror = fail; }); db.close(); })";

pub(crate) fn change(desk: &Desk, change: &str) {
    desk.page.eval(&format!("{CHANGE}(entry => {{ {change} }})")).unwrap();
}

fn issued(koha: &FakeKoha) -> usize {
    let is_loan = |effect: &&Effect| matches!(effect, Effect::Issued { .. } | Effect::Renewed { .. });
    koha.library(|library| library.effects.iter().filter(is_loan).count())
}

/// A desk with one checkout in doubt because of this fault.
fn in_doubt(koha: &FakeKoha, commit_type: &str, fault: FaultKind) -> Desk {
    let desk = configured(koha, commit_type);
    desk.check_out(PATRON, ITEM).unwrap();
    koha.fault(Fault::on("service.pl", fault).skip(BEFORE_TRANSACTIONS).times(1));
    desk.commit().unwrap();
    desk.wait_for_states(&["in-doubt"]).unwrap();
    koha.clear_faults();
    desk
}

#[test]
fn what_koha_has_no_trace_of_is_sent_again_but_not_too_early() {
    let koha = koha(Era::From2405);
    let desk = in_doubt(&koha, "apply", FaultKind::ResetBefore);
    let message = desk.commit().unwrap();
    desk.wait_for_states(&["in-doubt"]).unwrap();
    assert!(message.contains("still in doubt") && message.contains("ten minutes"), "{message}");
    assert_eq!(issued(&koha), 0);
    change(&desk, "entry.status.attempt.over -= 3600000;");
    let message = desk.commit().unwrap();
    desk.wait_for_states(&["success"]).unwrap();
    assert!(message.contains("not in Koha"), "{message}");
    assert_eq!(issued(&koha), 1);
}

#[test]
fn the_plugin_that_remembers_is_asked_again() {
    let desk = desk();
    for (era, commit_type, state) in [(Era::Before2405, "apply", "success"), (Era::From2405, "send", "added")] {
        let koha = koha(era);
        koha.library(|library| {
            library.plugin = Some(Plugin::default());
            library.lend_before(PATRON, "39999000000002", "2020-01-31 10:00:00");
        });
        desk.set_up(&Settings::of(&koha.url(), commit_type)).unwrap();
        desk.check_in("39999000000002").unwrap();
        desk.check_out(PATRON, ITEM).unwrap();
        let given = || koha.requests().into_iter().filter(|request| request.path.contains("/contrib/")).count();
        koha.fault(Fault::on("/contrib/", FaultKind::ResetAfter).skip(1).times(1));
        desk.commit().unwrap();
        desk.wait_for_states(&["in-doubt"; 2]).unwrap();
        koha.clear_faults();
        change(&desk, "entry.status.attempt.over -= 3600000;");
        let message = desk.commit().unwrap();
        desk.wait_for_states(&[state; 2]).unwrap();
        assert!(message.contains("2 had reached Koha before"), "{message}");
        // Looked for by each commit, and given twice.
        assert_eq!((given(), transactions(&koha).len()), (4, 0));
        koha.library(|library| {
            let ended = |effect: &Effect| matches!(effect, Effect::HoldEnded { .. });
            assert_eq!(library.count_effects(|effect| !ended(effect)), 2, "{:?}", library.effects);
        });
        desk.clear_committed().unwrap();
        desk.wait_for_total(0).unwrap();
    }
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn where_koha_shows_nothing_a_person_decides() {
    // 19.06 has no list of items.
    let koha = koha(Era::Before2405);
    let desk = in_doubt(&koha, "apply", FaultKind::ResetAfter);
    let message = desk.commit().unwrap();
    desk.wait_for_states(&["in-doubt"]).unwrap();
    assert!(message.contains("does not let this account read"), "{message}");
    desk.open_log().unwrap();
    desk.page.click("tr[data-seq='1'] [data-decision=is-in-koha]").unwrap();
    desk.page.wait("document.querySelector(\"tr[data-seq='1']\").dataset.status === 'success'").unwrap();
    assert_eq!(issued(&koha), 1);
}

#[test]
fn all_that_were_queued_in_doubt_are_decided_at_once() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "send");
    for item in ["A1", "A2", "A3"] {
        desk.check_in(item).unwrap();
    }
    koha.fault(Fault::on("service.pl", FaultKind::ResetAfter).skip(BEFORE_TRANSACTIONS));
    desk.commit().unwrap();
    koha.clear_faults();
    desk.wait_for_states(&["in-doubt"; 3]).unwrap();
    desk.open_todo().unwrap();
    desk.page.wait_text("[data-group=in-doubt] [data-field=count]", "3").unwrap();
    let link = desk.page.eval("document.getElementById('doubts-link').href").unwrap();
    assert_eq!(link, format!("{}/cgi-bin/koha/offline_circ/list.pl", koha.url()));
    // The queue, which would prove it, cannot be seen.
    koha.fault(Fault::on("list.pl", FaultKind::Status(403)));
    let message = desk.commit().unwrap();
    assert!(message.starts_with("3 are still in doubt.") && message.contains("Look in Koha, then decide"), "{message}");
    // Enter, as a scanner sends it, decides nothing.
    desk.page.click("#doubts-send-again").unwrap();
    desk.page.wait("document.getElementById('question').open").unwrap();
    desk.page.press(&['\u{E007}']).unwrap();
    desk.page.wait("!document.getElementById('question').open").unwrap();
    desk.wait_for_states(&["in-doubt"; 3]).unwrap();
    desk.page.click("#doubts-in-koha").unwrap();
    desk.page.wait("document.getElementById('question').open").unwrap();
    desk.page.click("#question-yes").unwrap();
    desk.page.wait("document.querySelector('[data-group=in-doubt]').hidden").unwrap();
    desk.wait_for_states(&["success"; 3]).unwrap();
    assert_eq!(koha.library(|library| library.pending_at("CPL").len()), 3);
}

#[test]
fn sending_all_again_needs_a_yes() {
    let koha = koha(Era::From2405);
    let desk = in_doubt(&koha, "send", FaultKind::ResetBefore);
    desk.open_todo().unwrap();
    desk.page.click("#doubts-send-again").unwrap();
    desk.page.wait("document.getElementById('question').open").unwrap();
    desk.page.click("#question-yes").unwrap();
    desk.page.wait("document.querySelector('[data-group=in-doubt]').hidden").unwrap();
    desk.wait_for_states(&["local"]).unwrap();
    desk.commit().unwrap();
    desk.wait_for_states(&["added"]).unwrap();
    assert_eq!(koha.library(|library| library.pending_at("CPL").len()), 1);
}

#[test]
fn old_transactions_are_not_applied_without_a_question_and_are_where_the_person_says_so() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    desk.check_out(PATRON, ITEM).unwrap();
    desk.check_out(PATRON, "39999000000002").unwrap();
    change(&desk, "if (entry.seq === 1) entry.moment.utc -= 25 * 3600000;");
    koha.library(|library| {
        let item = library.items.iter_mut().find(|item| item.barcode == ITEM).unwrap();
        item.last_seen = Some("2099-01-31 10:00:00".to_owned());
    });
    desk.page.click("#commit").unwrap();
    desk.page.wait("document.getElementById('question').open").unwrap();
    assert!(desk.page.text("#question-title").unwrap().starts_with("1 transaction is old"));
    let list = desk.page.text("#question-list").unwrap();
    assert!(list.contains(ITEM) && list.contains("Koha saw it on 2099-01-31"), "{list}");
    desk.page.wait_focused("question-cancel").unwrap();
    desk.page.click("#question-cancel").unwrap();
    desk.page.wait("document.getElementById('commit').getAttribute('aria-disabled') === 'false'").unwrap();
    assert_eq!((transactions(&koha).len(), desk.states().unwrap()), (0, vec!["local".to_owned(); 2]));
    desk.page.click("#commit").unwrap();
    desk.page.wait("document.getElementById('question').open").unwrap();
    desk.page.click("#question-yes").unwrap();
    desk.wait_for_commit().unwrap();
    desk.wait_for_states(&["added"; 2]).unwrap();
    assert_eq!((koha.library(|library| library.pending_at("CPL").len()), issued(&koha)), (2, 0));
    // Another one, which they know about.
    desk.check_out(PATRON, "39999000000003").unwrap();
    change(&desk, "if (entry.seq === 3) entry.moment.utc -= 25 * 3600000;");
    desk.page.click("#commit").unwrap();
    desk.page.wait("document.getElementById('question').open").unwrap();
    desk.page.click("#question-other").unwrap();
    desk.wait_for_commit().unwrap();
    assert_eq!((desk.states().unwrap(), issued(&koha)), (["added", "added", "success"].map(str::to_owned).to_vec(), 1));
}

#[test]
fn past_commits_and_their_transactions_are_found_again() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "send");
    for item in ["A1", "A2"] {
        desk.check_in(item).unwrap();
    }
    desk.commit().unwrap();
    desk.check_in("A3").unwrap();
    desk.commit().unwrap();
    desk.page.click("#show-batches").unwrap();
    desk.page.wait("document.querySelectorAll('#batches-list li').length === 2").unwrap();
    let text = desk.page.text("#batches-list").unwrap();
    assert!(text.contains("Send data to Koha · CPL") && text.contains("Done: 2"), "{text}");
    desk.page.click("#batches-list li:nth-child(2) button").unwrap();
    desk.page.wait("document.querySelectorAll('#transactions-rows tr[data-seq]').length === 2").unwrap();
    desk.page.wait_visible("#filter").unwrap();
    desk.page.click("#show-all").unwrap();
    desk.page.wait("document.querySelectorAll('#transactions-rows tr[data-seq]').length === 3").unwrap();
    // A scan is seen, whatever is shown.
    desk.page.click("#show-batches").unwrap();
    desk.page.wait("document.getElementById('batches-dialog').open").unwrap();
    desk.page.click("#batches-list li:nth-child(1) button").unwrap();
    desk.page.wait("document.querySelectorAll('#transactions-rows tr[data-seq]').length === 1").unwrap();
    desk.page.fill("#checkin-item", "A4").unwrap();
    desk.page.press(&['\u{E007}']).unwrap();
    desk.page.wait("document.querySelectorAll('#transactions-rows tr[data-seq]').length === 4").unwrap();
}

#[test]
fn the_badge_counts_and_the_window_says_that_koha_is_back() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "send");
    let wait_for_badge = |text: &str| {
        desk.page.wait(&format!("browser.action.getBadgeText({{}}).then(text => text === '{text}')")).unwrap();
    };
    wait_for_badge("");
    desk.check_in("A1").unwrap();
    desk.check_in("A2").unwrap();
    wait_for_badge("2");
    desk.page.reload().unwrap();
    desk.page.wait("document.getElementById('reachable')?.dataset.state === 'online'").unwrap();
    // Sending is what to do next.
    desk.page.wait("document.getElementById('commit').hasAttribute('data-next')").unwrap();
    assert!(transactions(&koha).is_empty(), "nothing is sent without a person");
    assert!(koha.requests().iter().all(|request| request.cookie.is_none() || request.path.contains("svc")));
    desk.commit().unwrap();
    wait_for_badge("");
    desk.page.wait_text("#reachable", "Koha is up").unwrap();
    desk.page.wait("!document.getElementById('commit').hasAttribute('data-next')").unwrap();
}

#[test]
fn while_koha_is_away_nothing_says_that_it_is_back() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "send");
    desk.check_in("A1").unwrap();
    let stopped = koha.stop();
    desk.page.reload().unwrap();
    desk.page.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    desk.page.wait("document.getElementById('reachable').dataset.state === 'offline'").unwrap();
    desk.page.wait_contains("#reachable", "Koha is down since ").unwrap();
    drop(stopped);
}
