//! When something goes wrong in the middle: nothing is lost, nothing is sent twice unseen.

use crate::{ERAS, configured, desk, koha, reopen, transactions, wait, windows::second_window};
use fake_koha::{Era, Fault, FaultKind};
use koct_core::State;
use koct_tests::{
    desk::Settings,
    matrix::{BEFORE_TRANSACTIONS, PATRONS, check_applied, in_mid_run, second_meets},
};

/// Where a connection that was used before breaks, Firefox could send a request again by itself. What each fault in the middle of a run
/// proves, in both eras, is tested without a browser in `tests/src/matrix.rs`, and what is said of it in `matrix.rs`.
#[test]
fn a_connection_that_breaks_in_mid_run_leaves_what_that_proves() {
    let breaks = |fault: &FaultKind| {
        [FaultKind::ResetBefore, FaultKind::ResetAfter, FaultKind::CutHeaders, FaultKind::Status(500)].contains(fault)
    };
    let faults: Vec<_> = in_mid_run().into_iter().filter(|(fault, ..)| breaks(fault)).collect();
    assert_eq!(faults.len(), 4);
    for (first, era) in ERAS.into_iter().enumerate() {
        let koha = koha(era);
        let desk = configured(&koha, "apply");
        for (fault, states, says) in faults.iter().skip(first).step_by(ERAS.len()).cloned() {
            let case = format!("{era:?} {fault:?}");
            let before = koha.library(|library| library.effects.len());
            for (number, card) in (1..).zip(PATRONS) {
                desk.check_out(card, &format!("3999900000000{number}")).unwrap();
            }
            second_meets(&koha, fault);
            let message = desk.commit().unwrap();
            assert_eq!(desk.states().unwrap(), states.map(State::name), "{case}: {message}");
            assert!(message.contains(says), "{case}: {message}");
            assert!(!message.contains("Done"), "{message}");
            check_applied(&koha, before, &states, &case);
            // Firefox sends a POST again by itself where a reused connection is closed without an answer: not here.
            let mut items: Vec<_> = transactions(&koha).iter().map(|request| request.form.clone()).collect();
            let sent = items.len();
            items.dedup();
            assert_eq!(items.len(), sent, "{case}: a transaction reached Koha twice");
            koha.clear_requests();
            koha.clear_faults();
            // Start afresh.
            desk.page.click("#clear").unwrap();
            desk.page.click("#clear-confirm").unwrap();
            desk.page.click("#clear-unsent-confirm").unwrap();
            desk.page.click("#clear-ok").unwrap();
            desk.wait_for_total(0).unwrap();
        }
    }
}

#[test]
fn a_wrong_password_stops_it_at_the_first_try() {
    let koha = koha(Era::Before2405);
    let desk = desk();
    desk.set_up(&Settings { password: "wrong".into(), ..Settings::of(&koha.url(), "apply") }).unwrap();
    desk.check_in("39999000000001").unwrap();
    desk.check_in("39999000000002").unwrap();
    let message = desk.commit().unwrap();
    assert!(message.contains("password"), "{message}");
    assert_eq!(transactions(&koha).len(), 0);
    assert_eq!(
        koha.library(|library| library.account("koha").unwrap().login_attempts),
        1,
        "an account may lock after a few"
    );
    desk.wait_for_states(&["local", "local"]).unwrap();
}

#[test]
fn a_server_that_is_down_loses_nothing_and_leaves_no_doubt() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "send");
    desk.check_in("39999000000001").unwrap();
    let stopped = koha.stop();
    // Nobody has tested these settings: the address may be wrong.
    let message = desk.commit().unwrap();
    assert!(message.contains("nothing answers at this address") && message.ends_with("Waiting: 1."), "{message}");
    desk.page.wait("document.getElementById('message').className === 'message-bad'").unwrap();
    desk.wait_for_states(&["local"]).unwrap();
    let koha = stopped.start().unwrap();
    drop(desk.configure(&Settings::of(&koha.url(), "send")).unwrap());
    let stopped = koha.stop();
    // They have worked: it is an outage, and no error.
    assert_eq!(desk.commit().unwrap(), "Koha is still down. Your 1 transaction is safe here.");
    desk.page.wait("document.getElementById('message').className === 'message-doubt'").unwrap();
    // How a commit went is not lost while scanning goes on.
    desk.check_in("39999000000002").unwrap();
    desk.page.wait_contains("#message", "39999000000002").unwrap();
    assert!(desk.page.text("#errors").unwrap().contains("Koha is still down"));
    desk.wait_for_states(&["local", "local"]).unwrap();
    let koha = stopped.start().unwrap();
    assert!(desk.commit().unwrap().starts_with("Done: 2"));
    assert_eq!(koha.library(|library| library.pending.len()), 2);
}

#[test]
fn a_session_that_ends_in_mid_run_is_renewed() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    for item in ["39999000000001", "39999000000002", "39999000000003"] {
        desk.check_out("23529001223601", item).unwrap();
    }
    koha.fault(Fault::on("service.pl", FaultKind::ExpireSession).skip(BEFORE_TRANSACTIONS + 1).times(1));
    let message = desk.commit().unwrap();
    assert!(message.starts_with("Done: 3"), "{message}");
    assert_eq!(koha.library(|library| library.effects.len()), 3);
    // And a refused token: 403.
    desk.check_in("39999000000001").unwrap();
    koha.fault(Fault::on("service.pl", FaultKind::Status(403)).skip(BEFORE_TRANSACTIONS).times(1));
    assert!(desk.commit().unwrap().starts_with("Done: 1"));
    koha.fault(Fault::on("service.pl", FaultKind::Status(403)).skip(BEFORE_TRANSACTIONS));
    desk.check_in("39999000000002").unwrap();
    assert!(desk.commit().unwrap().contains("403"));
    assert_eq!(desk.states().unwrap().last().unwrap(), "local");
}

#[test]
fn a_window_closed_in_mid_run_leaves_a_doubt_that_koha_resolves() {
    let koha = koha(Era::From2405);
    let mut desk = configured(&koha, "apply");
    for item in ["39999000000001", "39999000000002", "39999000000003"] {
        desk.check_out("23529001223601", item).unwrap();
    }
    koha.fault(Fault::on("service.pl", FaultKind::HoldAfter).skip(BEFORE_TRANSACTIONS + 1));
    desk.page.click("#commit").unwrap();
    desk.page.wait("document.querySelector(\"tr[data-seq='2']\").dataset.status === 'sending'").unwrap();
    wait("it does not reach Koha", || (koha.library(|library| library.loans.len()) == 2).then_some(()));
    reopen(&mut desk);
    koha.clear_faults();
    desk.wait_for_states(&["success", "in-doubt", "local"]).unwrap();
    assert!(desk.rows().unwrap()[1].status.contains("KOCT was closed"), "{:?}", desk.rows());
    let message = desk.commit().unwrap();
    assert!(message.contains("1 that was in doubt is in Koha"), "{message}");
    desk.wait_for_states(&["success"; 3]).unwrap();
    assert_eq!(koha.library(|library| (library.loans.len(), library.effects.len())), (3, 3), "nothing twice");
    desk.page.wait("document.getElementById('tab-todo-count').hidden").unwrap();
}

#[test]
fn a_window_closed_in_mid_run_leaves_its_doubt_to_one_that_was_open_all_along() {
    let koha = koha(Era::From2405);
    let mut desk = configured(&koha, "apply");
    desk.check_out("23529001223601", "39999000000001").unwrap();
    let other = second_window(&desk);
    koha.fault(Fault::on("service.pl", FaultKind::HoldAfter).skip(BEFORE_TRANSACTIONS));
    desk.page.click("#commit").unwrap();
    wait("it does not reach Koha", || (koha.library(|library| library.loans.len()) == 1).then_some(()));
    std::mem::replace(&mut desk.page, other).close().unwrap();
    koha.clear_faults();
    // Firefox gives back what a page held once that is gone.
    desk.page.wait("(await navigator.locks.query()).held.every(lock => lock.name !== 'koct-sender')").unwrap();
    desk.wait_for_states(&["sending"]).unwrap();
    let message = desk.commit().unwrap();
    assert!(message.contains("1 that was in doubt is in Koha"), "{message}");
    desk.wait_for_states(&["success"]).unwrap();
    assert_eq!(koha.library(|library| (library.loans.len(), library.effects.len())), (1, 1), "nothing twice");
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "send");
    desk.check_in("B1").unwrap();
    // Firefox's own clock is not waited for: what it would say after the time that KOCT gives it, it says now.
    desk.page
        .eval(
            "void (window.limits = [], AbortSignal.timeout = time => { const limit = new AbortController(); \
             window.limits.push([time, () => limit.abort(new DOMException('', 'TimeoutError'))]); return limit.signal; })",
        )
        .unwrap();
    koha.fault(Fault::on("service.pl", FaultKind::HoldAfter).skip(BEFORE_TRANSACTIONS));
    desk.page.click("#commit").unwrap();
    wait("it does not reach Koha", || (koha.library(|library| library.pending.len()) == 1).then_some(()));
    assert_eq!(desk.page.eval("window.limits.at(-1)[0]").unwrap(), 30_000);
    desk.page.eval("window.limits.at(-1)[1]()").unwrap();
    let message = desk.wait_for_commit().unwrap();
    assert!(message.starts_with("Koha went away."), "{message}");
    desk.wait_for_states(&["in-doubt"]).unwrap();
}
