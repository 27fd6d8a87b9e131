//! Logins, tokens and transactions from 24.05 (from Koha's sources).

use fake_koha::{Amount, Config, Era, FakeKoha, HoldEnd, Library};

use crate::client::*;

fn koha() -> FakeKoha {
    start(Era::From2405)
}

/// The way KOCT logs in: ask for a token, then log in with it.
fn log_in(koha: &FakeKoha, userid: &str, password: &str) -> (Answer, String, String) {
    let before = get(koha, AUTHENTICATION, &[]);
    let (session, token) = (before.session().unwrap(), before.header("csrf-token").unwrap().to_owned());
    let login = [("login_userid", userid), ("login_password", password), ("branch", "MPL")];
    let answer = post_with_token(koha, AUTHENTICATION, &login, &session, &token);
    let (session, token) = (answer.session().unwrap(), answer.header("csrf-token").unwrap().to_owned());
    (answer, session, token)
}

const ISSUE: [(&str, &str); 5] = [
    ("action", "issue"),
    ("cardnumber", CARD),
    ("barcode", ITEM),
    ("timestamp", "2026-11-23T10:00:00Z"),
    ("userid", "koha"),
];

#[test]
fn the_whole_way_of_a_login_and_a_transaction() {
    let koha = koha();
    let (answer, session, token) = log_in(&koha, "koha", "koha");
    assert!(answer.body.contains("<status>ok</status>"));
    assert!(answer.header("set-cookie").unwrap().ends_with("; path=/; HttpOnly; SameSite=Lax"));
    assert_eq!(post_with_token(&koha, SERVICE, &ISSUE, &session, &token).says(), (200, "Success."));
    koha.library(|library| {
        let loan = library.loan_of(ITEM).unwrap();
        assert_eq!((loan.branch.as_str(), loan.issued_at.as_str()), ("MPL", "2026-11-23 11:00:00"));
    });
    let queued = [&ISSUE[..], &[("pending", "true"), ("branchcode", "CPL")]].concat();
    assert_eq!(post_with_token(&koha, SERVICE, &queued, &session, &token).says(), (200, "Added."));
    // The token as a parameter does as well.
    let parameters = [&ISSUE[..], &[("csrf_token", token.as_str())]].concat();
    assert_eq!(post_with_session(&koha, SERVICE, &parameters, &session).says(), (200, "Success."));
}

#[test]
fn a_post_without_a_fitting_token_is_a_403_page() {
    let koha = koha();
    let (_, session, token) = log_in(&koha, "koha", "koha");
    let (_, other_session, _) = log_in(&koha, "koha", "koha");
    let refused = [
        post(&koha, SERVICE, &ISSUE),
        post_with_session(&koha, SERVICE, &ISSUE, &session),
        post_with_token(&koha, SERVICE, &ISSUE, &session, "wrong,token,1"),
        post_with_token(&koha, SERVICE, &ISSUE, &other_session, &token),
        post_with_token(&koha, SERVICE, &ISSUE, "", &token),
        post_with_token(&koha, SERVICE, &[&ISSUE[..], &[("op", "send")]].concat(), &session, &token),
        get_with_session(&koha, SERVICE, &[&ISSUE[..], &[("op", "cud-send")]].concat(), &session),
        post(&koha, AUTHENTICATION, &[("login_userid", "koha"), ("login_password", "koha")]),
        ask(&koha, "PUT", SERVICE, &[], b""),
    ];
    for (index, answer) in refused.iter().enumerate() {
        assert_eq!(answer.status, 403);
        // The eighth is svc/authentication.
        assert!(answer.kind().starts_with(if index == 7 { "text/plain" } else { "text/html" }));
    }
    assert!(koha.library(|library| library.effects.is_empty()));
}

#[test]
fn tokens_age_and_can_be_fetched_anew() {
    let koha = koha();
    let (_, session, token) = log_in(&koha, "koha", "koha");
    koha.library(Library::expire_csrf_tokens);
    assert_eq!(post_with_token(&koha, SERVICE, &ISSUE, &session, &token).status, 403);
    let fresh = get_with_session(&koha, AUTHENTICATION, &[], &session);
    let token = fresh.header("csrf-token").unwrap().to_owned();
    assert_eq!(fresh.session().as_deref(), Some(session.as_str()));
    assert_eq!(post_with_token(&koha, SERVICE, &ISSUE, &session, &token).status, 200);
    koha.library(|library| library.clock_shift_seconds = 8 * 60 * 60 + 2);
    assert_eq!(post_with_token(&koha, SERVICE, &ISSUE, &session, &token).status, 403);
}

#[test]
fn bug_38826_spoils_the_token_of_an_old_session_only() {
    let koha = with(Config { era: Era::From2405, bug_38826: true, ..Config::default() });
    let (_, session, token) = log_in(&koha, "koha", "koha");
    assert_eq!(post_with_token(&koha, SERVICE, &ISSUE, &session, &token).status, 200);
    let again = get_with_session(&koha, AUTHENTICATION, &[], &session);
    assert!(again.body.contains("<status>ok</status>"));
    let token = again.header("csrf-token").unwrap();
    assert_eq!(post_with_token(&koha, SERVICE, &ISSUE, &session, token).status, 403);
}

#[test]
fn a_failed_login_gets_an_anonymous_session() {
    let koha = koha();
    for (userid, password) in [("koha", "x"), ("circ", "circ"), ("circonly", "circonly"), ("patron1", "patron1")] {
        let (answer, session, token) = log_in(&koha, userid, password);
        assert_eq!(answer.status, 200);
        assert!(answer.body.contains("<status>failed</status>"), "{userid}");
        let refused = post_with_token(&koha, SERVICE, &ISSUE, &session, &token);
        assert_eq!(refused.status, 401, "{userid}");
        assert!(refused.kind().starts_with("text/html"), "the middleware's page");
        let anonymous = get_with_session(&koha, AUTHENTICATION, &[], &session);
        assert!(anonymous.body.contains("<status>anon</status>"));
    }
    // The old parameters are no login.
    let old = get(&koha, AUTHENTICATION, &[("userid", "koha"), ("password", "koha")]);
    assert!(old.body.contains("<status>failed</status>"));
}

#[test]
fn a_desk_account_uses_its_own_session_and_the_token_of_a_page() {
    let koha = koha();
    let session = session(&koha, "circ", "FPL");
    let page = get_with_session(&koha, MAIN, &[], &session).body;
    let token = page.split("name=\"csrf-token\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(post_with_token(&koha, SERVICE, &ISSUE, &session, token).says(), (200, "Success."));
    koha.library(|library| assert_eq!(library.loan_of(ITEM).unwrap().branch, "FPL"));
}

#[test]
fn get_needs_no_token() {
    let koha = koha();
    let login = [("login_userid", "circ"), ("login_password", "circ"), ("nocookie", "1")];
    let login = [&ISSUE[..], &login].concat();
    assert_eq!(get(&koha, SERVICE, &login).says(), (200, "Success."));
    let wrong = [&ISSUE[..], &[("login_userid", "circ"), ("login_password", "x")]].concat();
    assert_eq!(get(&koha, SERVICE, &wrong).status, 401);
    // `userid` is only what is recorded.
    let session = session(&koha, "circ", "CPL");
    let parameters = [&ISSUE[..], &[("password", "x"), ("pending", "true")]].concat();
    assert_eq!(get_with_session(&koha, SERVICE, &parameters, &session).says(), (200, "Added."));
    koha.library(|library| assert_eq!(library.pending[0].userid, "koha"));
    // `login_userid` sets the cookie aside, and service.pl falls back on it.
    let parameters = [&ISSUE[..], &[("login_userid", "koha")]].concat();
    assert_eq!(get_with_session(&koha, SERVICE, &parameters, &session).status, 200);
}

/// A transaction by GET.
fn send(koha: &FakeKoha, parameters: &[(&str, &str)]) -> Answer {
    let login = [("login_userid", "koha"), ("login_password", "koha"), ("branchcode", "CPL")];
    get(koha, SERVICE, &[parameters, &login].concat())
}

#[test]
fn holds_of_others_stay_and_the_own_is_filled() {
    let koha = koha();
    let issue = |card, barcode| send(&koha, &[("action", "issue"), ("cardnumber", card), ("barcode", barcode)]);
    assert_eq!(issue(CARD, "39999000000010").says(), (200, "Success."));
    koha.library(|library| assert!(library.old_holds.is_empty()));
    issue("23529001223611", "39999000000011");
    koha.library(|library| assert_eq!(library.old_holds[0].end, HoldEnd::Filled));
}

#[test]
fn a_userid_does_for_a_cardnumber() {
    let koha = koha();
    let parameters = [("action", "issue"), ("cardnumber", "patron1"), ("barcode", ITEM)];
    assert_eq!(send(&koha, &parameters).says(), (200, "Success."));
    koha.library(|library| assert_eq!(library.holder_of(ITEM), Some("23529001223601")));
    assert_eq!(send(&koha, &[("action", "return"), ("barcode", ITEM)]).says(), (200, "Success."));
    koha.library(|library| assert!(library.item(ITEM).unwrap().last_seen.is_some()));
}

#[test]
fn the_database_is_strict() {
    let koha = koha();
    let long = "1".repeat(33);
    for (name, value) in [
        ("barcode", &long[..21]),
        ("cardnumber", &long),
        ("action", "abcdefghijk"),
        ("branchcode", "BRANCHCODEX"),
        ("userid", &long[..31]),
        ("amount", "3,50"),
        ("amount", "abc"),
        ("timestamp", "9999-12-31 10:00:00"),
        ("timestamp", "2026-11-23T10:00:00.000Z"),
    ] {
        let answer = send(&koha, &[(name, value), ("pending", "true")]);
        assert_eq!(answer.status, 500, "{name}");
        assert!(answer.kind().starts_with("text/html"));
    }
    assert!(koha.library(|library| library.pending.is_empty()));
    let parameters = [("action", "payment"), ("cardnumber", CARD), ("amount", "3.50"), ("pending", "true")];
    assert_eq!(send(&koha, &parameters).says(), (200, "Added."));
    koha.library(|library| assert_eq!(library.pending[0].amount, Amount::cents(350)));
}
