//! Whatever account a desk has, and whatever stands between Firefox and Koha.

use crate::BEFORE_TRANSACTIONS;
use crate::{ERAS, configured, desk, transactions};
use fake_koha::{Close, Config, Era, FakeKoha, Fault, FaultKind, Front, Https, RetryAfter, StreamReset, Wall};
use koct_tests::{
    accounts::last_branch,
    desk::{Desk, Settings},
    page::Page,
    settings_page,
};

const PATRON: &str = "23529001223601";

fn item(number: usize) -> String {
    format!("3999900000000{number}")
}

/// Checks these items out.
fn check_out(desk: &Desk, items: std::ops::RangeInclusive<usize>) {
    for number in items {
        desk.check_out(PATRON, &item(number)).unwrap();
    }
}

/// Tests the connection on the settings page. Returns what is said, be it at the address.
fn test_connection(page: &Page) -> String {
    let said = settings_page::test_only(page).unwrap();
    [said, settings_page::error_at(page, "server").unwrap()].join(" ")
}

/// Each of them in both eras and in both ways is tested without a browser in `tests/src/accounts.rs`.
#[test]
fn accounts_commit_in_both_eras_at_the_library_of_the_desk() {
    for (era, commit_type, accounts) in
        [(Era::Before2405, "send", ["circonly", "patron1"]), (Era::From2405, "apply", ["circ", "noperm"])]
    {
        let koha = FakeKoha::start(Config { era, ..Config::default() }).unwrap();
        let desk = desk();
        for (number, account) in (1..).zip(accounts) {
            let settings = Settings::of(&koha.url(), commit_type);
            let settings =
                Settings { username: account.into(), password: account.into(), branchcode: "MPL".into(), ..settings };
            desk.set_up(&settings).unwrap();
            check_out(&desk, number..=number);
            let message = desk.commit().unwrap();
            assert!(message.starts_with("Done: 1"), "{era:?} {account}: {message}");
            assert_eq!(last_branch(&koha).as_deref(), Some("MPL"), "{era:?} {account}");
        }
        // Whatever was read was read in a session of its own, which nobody can use any more.
        let reading: Vec<_> = koha
            .requests()
            .into_iter()
            .filter(|request| request.path.contains("/api/v1/"))
            .filter_map(|request| request.cookie)
            .collect();
        assert_eq!(reading.is_empty(), era == Era::Before2405);
        for id in reading {
            crate::wait("a session is left", || {
                koha.library(|library| library.session_account(&id).is_none()).then_some(())
            });
        }
    }
}

#[test]
fn one_connection_header_goes_over_the_wire_and_no_connection_is_used_again() {
    let koha = FakeKoha::start(Config { era: Era::From2405, starman: true, ..Config::default() }).unwrap();
    let desk = configured(&koha, "apply");
    for (number, (commit_type, close)) in (1..).zip([("apply", Close::Fin), ("send", Close::Rst)]) {
        if number > 1 {
            desk.set_up(&Settings::of(&koha.url(), commit_type)).unwrap();
        }
        check_out(&desk, 4 * number - 3..=4 * number);
        // Were a connection used again, Firefox would send the request once more when this server closes it.
        koha.clear_faults();
        koha.fault(Fault::on("service.pl", FaultKind::CloseReused(close)));
        assert!(desk.commit().unwrap().starts_with("Done: 4"));
        assert_eq!(koha.library(|library| library.effects.len()), 4 * number, "{commit_type}: nothing twice");
    }
    for request in koha.requests() {
        assert_eq!(request.head_lines("connection"), ["Connection: close"], "{} {}", request.method, request.path);
    }
}

#[test]
fn a_wall_is_named_and_passed_once_the_browser_has_passed_it() {
    let koha =
        FakeKoha::start(Config { era: Era::From2405, wall: Some(Wall::default()), ..Config::default() }).unwrap();
    let desk = configured(&koha, "apply");
    check_out(&desk, 1..=2);
    let message = desk.commit().unwrap();
    assert!(message.contains("wall against robots"), "{message}");
    desk.wait_for_states(&["local", "local"]).unwrap();
    // The wall's page sets its cookie, and lets the browser's tab through. A person logs in there.
    let tab = crate::isolation::log_in(&desk.firefox, &koha, "circ");
    let session = koha.requests().into_iter().filter_map(|request| request.cookie).next_back().unwrap();
    desk.page.activate().unwrap();
    let message = desk.commit().unwrap();
    assert!(message.starts_with("Done: 2"), "{message}");
    for request in transactions(&koha) {
        assert_eq!(request.parameter("userid"), Some("koha"));
        let cookies = request.header("cookie").unwrap_or_default().to_owned();
        assert!(cookies.contains("KOHA_INIT=1") && !cookies.contains(&session), "{cookies}");
    }
    tab.activate().unwrap();
    tab.navigate(&format!("{}/cgi-bin/koha/mainpage.pl", koha.url())).unwrap();
    tab.wait_contains("body", "Logged in as circ").unwrap();
}

#[test]
fn everything_arrives_at_two_nodes_that_stick_by_a_cookie() {
    let koha = FakeKoha::start(Config { era: Era::From2405, two_nodes: true, ..Config::default() }).unwrap();
    let desk = configured(&koha, "apply");
    for (number, commit_type) in (1..).zip(["apply", "send"]) {
        if number > 1 {
            desk.set_up(&Settings::of(&koha.url(), commit_type)).unwrap();
        }
        check_out(&desk, 4 * number - 3..=4 * number);
        koha.clear_requests();
        let message = desk.commit().unwrap();
        assert!(message.starts_with("Done: 4"), "{commit_type}: {message}");
        assert_eq!(koha.library(|library| library.effects.len()), 4 * number);
        // The node was kept to.
        let nodes: std::collections::BTreeSet<_> = transactions(&koha).iter().map(|request| request.node).collect();
        assert_eq!(nodes.len(), 1, "{nodes:?}");
    }
    let tab = desk.firefox.open(&format!("{}/cgi-bin/koha/mainpage.pl", koha.url())).unwrap();
    tab.wait_contains("body", "Log in").unwrap();
    let first = koha.requests().into_iter().rfind(|request| request.path.ends_with("mainpage.pl")).unwrap();
    assert_eq!(first.header("cookie"), None, "KOCT's cookies stay out of the jar");
}

#[test]
fn a_server_that_asks_to_wait_is_waited_for_and_everything_else_goes_on() {
    let koha = FakeKoha::start(Config { era: Era::From2405, ..Config::default() }).unwrap();
    let desk = configured(&koha, "apply");
    check_out(&desk, 1..=3);
    let busy = Front::Busy { status: 429, retry_after: RetryAfter::Seconds(7) };
    koha.fault(Fault::on("service.pl", FaultKind::FrontBefore(busy)).skip(BEFORE_TRANSACTIONS + 1).times(1));
    desk.page.click("#commit").unwrap();
    desk.page.wait_contains("#progress-text", "Waiting, as the server asks: 0:0").unwrap();
    // Read out once, and not each second.
    let said = "Waiting, as the server asks: 0:07";
    assert_eq!(desk.page.text("#progress-said").unwrap(), said);
    let shown = "document.getElementById('progress-text').innerText";
    desk.page.wait(&format!("!{shown}.endsWith('0:07') && {shown}")).unwrap();
    assert_eq!(desk.page.text("#progress-said").unwrap(), said);
    desk.wait_for_states(&["success", "in-doubt", "success"]).unwrap();
    let rows = desk.rows().unwrap();
    assert!(rows[1].status.contains("429 Too Many Requests"), "{rows:?}");
    assert_eq!(koha.library(|library| library.effects.len()), 2);
    // Whoever does not want to wait stops it, and nothing is in doubt.
    desk.page.wait("document.getElementById('commit-state').hidden").unwrap();
    check_out(&desk, 4..=4);
    koha.clear_faults();
    let busy = Front::Busy { status: 503, retry_after: RetryAfter::Date(600) };
    koha.fault(Fault::on("svc/authentication", FaultKind::FrontBefore(busy)));
    desk.page.click("#commit").unwrap();
    desk.page.wait_contains("#progress-text", "Waiting, as the server asks: ").unwrap();
    desk.page.click("#cancel-commit").unwrap();
    desk.page.wait_contains("#message", "Stopped by you.").unwrap();
    desk.wait_for_states(&["success", "in-doubt", "success", "local"]).unwrap();
}

#[test]
fn the_test_of_the_connection_says_who_is_in_the_way() {
    let koha = FakeKoha::start(Config { era: Era::From2405, ..Config::default() }).unwrap();
    let desk = configured(&koha, "send");
    let page = desk.open_settings().unwrap();
    let busy = |status, seconds| Front::Busy { status, retry_after: RetryAfter::Seconds(seconds) };
    for (front, says) in [
        (Front::Basic, "asks for a name and a password of its own"),
        (Front::LoginPage, "A login page answers in Koha’s place"),
        (Front::Page(429), "too much is asked"),
        (busy(429, 61), "come back in 2 minutes"),
        (busy(503, 30), "come back in 1 minute"),
        (Front::ApacheMaintenance, "not available for now (HTTP 503)"),
        (Front::KohaMaintenance, "Koha is being updated"),
        (Front::Page(403), "not a Koha staff client (HTTP 403)"),
    ] {
        koha.fault(Fault::on("svc/authentication", FaultKind::FrontBefore(front.clone())));
        let said = test_connection(&page);
        assert!(said.contains(says), "{front:?}: {said}");
        koha.clear_faults();
    }
    assert!(test_connection(&page).starts_with("Koha answers, the account works"));
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

/// What Firefox does with a POST whose stream is reset over HTTP/2, which nothing tells the page: docs/reliability.md says it.
/// Where this changes, so must that.
#[test]
fn over_http_2_only_some_resets_are_sent_again_by_firefox_itself() {
    let koha = FakeKoha::start(Config { era: Era::From2405, https: Some(Https::Http2), ..Config::default() }).unwrap();
    let desk = configured(&koha, "send");
    let resets = [
        (StreamReset::NoError, false),
        (StreamReset::Cancel, false),
        (StreamReset::InternalError, true),
        (StreamReset::ProtocolError, true),
        (StreamReset::EnhanceYourCalm, true),
        (StreamReset::Http11Required, true),
    ];
    for (number, (reset, is_sent_again)) in (1..).zip(resets) {
        check_out(&desk, number..=number);
        koha.library(|library| library.pending.clear());
        koha.fault(Fault::on("service.pl", FaultKind::StreamResetAfter(reset)).skip(BEFORE_TRANSACTIONS).times(1));
        let message = desk.commit().unwrap();
        let queued = koha.library(|library| library.pending.len());
        let state = desk.states().unwrap().pop().unwrap();
        let expected = if is_sent_again { (2, "added") } else { (1, "in-doubt") };
        assert_eq!((queued, state.as_str()), expected, "{reset:?}: {message}");
        assert_eq!(message.contains("queue more often than it was sent"), is_sent_again, "{reset:?}: {message}");
        koha.clear_faults();
    }
}

/// What Firefox sent twice is seen by reading it back: a checkout is a renewal in Koha, a row stands twice in the queue, and a
/// checkin is refused the second time.
#[test]
fn what_firefox_sent_twice_is_told_after_the_commit() {
    for era in ERAS {
        let koha = FakeKoha::start(Config { era, https: Some(Https::Http2), ..Config::default() }).unwrap();
        let send_twice = |number| {
            let fault = Fault::on("service.pl", FaultKind::StreamResetAfter(StreamReset::InternalError));
            koha.fault(fault.skip(BEFORE_TRANSACTIONS).times(number));
        };
        let desk = configured(&koha, "send");
        check_out(&desk, 1..=1);
        send_twice(1);
        let message = desk.commit().unwrap();
        assert!(message.starts_with("Everything is in Koha, but") && message.contains(&item(1)), "{era:?}: {message}");
        assert_eq!(koha.library(|library| library.pending.len()), 2, "{era:?}");
        koha.clear_faults();

        desk.set_up(&Settings::of(&koha.url(), "apply")).unwrap();
        check_out(&desk, 2..=3);
        send_twice(1);
        let message = desk.commit().unwrap();
        let loans = koha.library(|library| library.loans.clone());
        let doubled = loans.iter().find(|loan| loan.renewals == 1).unwrap();
        assert!(message.contains("reached it twice"), "{era:?}: {message}");
        // Before 20.05 nothing tells which of two loans of one second is of which item.
        let tells_apart = era == Era::From2405;
        assert!(message.contains(&item(2)) && !(tells_apart && message.contains(&item(3))), "{era:?}: {message}");
        assert!(!doubled.due_at.is_empty());
        koha.clear_faults();

        desk.check_in(&item(3)).unwrap();
        send_twice(1);
        let message = desk.commit().unwrap();
        // That an item came back is not told before 20.05.
        let (words, state) = match era {
            Era::Before2405 => ("Koha refused 1", "rejected"),
            Era::From2405 => ("Done: 1", "success"),
        };
        assert!(message.contains(words), "{era:?}: {message}");
        assert_eq!(desk.states().unwrap().pop().unwrap(), state, "{era:?}");
        koha.clear_faults();

        desk.pay(PATRON, "1.50").unwrap();
        send_twice(1);
        let message = desk.commit().unwrap();
        assert!(message.contains(PATRON) && message.contains("fell by 1.50 more than"), "{era:?}: {message}");
        koha.clear_faults();

        // The record keeps it.
        desk.page.click("#show-batches").unwrap();
        desk.page.wait("document.querySelectorAll('#batches-list li').length === 4").unwrap();
        let record = desk.page.text("#batches-list li:nth-child(3) [data-field=audit]").unwrap();
        assert!(
            record.contains("Read back from Koha afterwards: 2.") && record.contains(&item(2)),
            "{era:?}: {record}"
        );
        let whole = desk.page.text("#batches-list li:nth-child(3)").unwrap();
        assert_eq!(whole.matches(&item(2)).count(), 1, "{era:?}: nothing is said twice: {whole}");
    }
}
