//! Koha's own login form, and what its pages say (observed from 24.05).

use fake_koha::{Config, DateFormat, Era, FakeKoha, Flag, Library, SECOND_FACTOR};

use crate::client::*;

const ACCOUNTS: [&str; 5] = ["koha", "circ", "circonly", "noperm", "patron1"];
const ISSUE: [(&str, &str); 4] =
    [("action", "issue"), ("cardnumber", CARD), ("barcode", ITEM), ("timestamp", "2026-11-23T10:00:00Z")];

fn from_24_05(newest: bool) -> FakeKoha {
    with(Config { era: Era::From2405, newest, ..Config::default() })
}

/// An anonymous session and its token, as svc/authentication gives them.
fn anonymous(koha: &FakeKoha) -> (String, String) {
    let answer = get(koha, AUTHENTICATION, &[]);
    (answer.session().unwrap(), answer.header("csrf-token").unwrap().to_owned())
}

/// The form, sent to this page.
fn form(koha: &FakeKoha, page: &str, newest: bool, userid: &str, password: &str, branch: &str) -> Answer {
    let (session, token) = anonymous(koha);
    let op = if newest { "login_op" } else { "op" };
    let fields = [
        (op, "cud-login"),
        ("koha_login_context", "intranet"),
        ("login_userid", userid),
        ("login_password", password),
        ("branch", branch),
        ("csrf_token", &token),
    ];
    post_with_session(koha, page, &fields, &session)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(found, _)| found.trim())
}

fn title(page: &Answer) -> &str {
    let title = page.body.split_once("<title").unwrap().1.split_once('>').unwrap().1;
    title.split_once("</title").unwrap().0.trim()
}

fn token(page: &Answer) -> &str {
    between(&page.body, "<meta name=\"csrf-token\" content=\"", "\"").unwrap()
}

/// Name and branch in the head of a page.
fn who(page: &Answer) -> Option<(&str, &str)> {
    let name = between(&page.body, "<span class=\"loggedinusername", "</span>")?;
    let name = name.split_once('>')?.1.trim();
    let branch = between(&page.body, "<span class=\"logged-in-branch-code content_hidden\">", "</span>")?;
    Some((name, branch))
}

#[test]
fn every_account_sends_with_its_password_in_an_anonymous_session() {
    for account in ACCOUNTS {
        let koha = from_24_05(false);
        let (session, token) = anonymous(&koha);
        let login = [("login_userid", account), ("login_password", account), ("nocookie", "true"), ("branch", "MPL")];
        let parameters = [&ISSUE[..], &login].concat();
        assert_eq!(post_with_token(&koha, SERVICE, &parameters, &session, &token).says(), (200, "Success."));
        let queued = [&parameters[..], &[("pending", "true")]].concat();
        assert_eq!(post_with_token(&koha, SERVICE, &queued, &session, &token).says(), (200, "Added."));
        koha.library(|library| {
            assert_eq!(library.loan_of(ITEM).unwrap().branch, "MPL", "{account}");
            assert_eq!(library.password_checks, 2);
            assert_eq!(library.sessions_alive(), (2, 1), "one for each request");
        });
        let wrong = [&ISSUE[..], &[("login_userid", account), ("login_password", "x"), ("nocookie", "true")]].concat();
        let refused = post_with_token(&koha, SERVICE, &wrong, &session, &token);
        assert_eq!((refused.status, refused.session()), (401, None));
        assert_eq!(koha.library(|library| library.password_checks), 3);
    }
}

#[test]
fn the_form_gives_a_session_to_whoever_may_see_the_page() {
    for newest in [false, true] {
        for (page, account, asked, branch) in [
            (MAIN, "koha", "MPL", "MPL"),
            (MAIN, "circ", "MPL", "CPL"),
            (MAIN, "noperm", "", "CPL"),
            (LIST, "koha", "FPL", "FPL"),
            (LIST, "circ", "MPL", "CPL"),
            (LIST, "circonly", "CPL", "MPL"),
        ] {
            let koha = from_24_05(newest);
            let answer = form(&koha, page, newest, account, account, asked);
            assert_eq!((answer.status, who(&answer)), (200, Some((account, branch))), "{page} {account}");
            let session = answer.session().unwrap();
            assert_eq!(koha.library(|library| library.sessions_alive()), (1, 1));
            let sent = [&ISSUE[..], &[("userid", account)]].concat();
            assert_eq!(post_with_token(&koha, SERVICE, &sent, &session, token(&answer)).says(), (200, "Success."));
            assert_eq!(koha.library(|library| library.loan_of(ITEM).unwrap().branch.clone()), branch);
            assert_eq!(koha.library(|library| library.password_checks), 1);
            let out = get_with_session(&koha, MAIN, &[("logout.x", "1")], &session);
            assert!(title(&out).contains("Log in to Koha"));
            assert_eq!(koha.library(|library| library.sessions_alive()), (0, 2), "the old anonymous one, and a new");
            assert_eq!(post_with_token(&koha, SERVICE, &sent, &session, token(&answer)).status, 403);
        }
    }
}

#[test]
fn a_branch_is_chosen_with_a_permission_for_it() {
    let mut library = Library::standard();
    library.add_account("roving", &[Flag::Circulate, Flag::LoggedInLibrary]);
    let koha = with(Config { era: Era::From2405, library, ..Config::default() });
    assert_eq!(who(&form(&koha, LIST, false, "roving", "roving", "FPL")), Some(("roving", "FPL")));
}

#[test]
fn a_refused_login_is_a_login_page() {
    for newest in [false, true] {
        let koha = from_24_05(newest);
        koha.library(|library| library.preferences.failed_login_attempts = Some(2));
        let refused = form(&koha, MAIN, newest, "circ", "x", "");
        assert_eq!((refused.status, who(&refused)), (200, None));
        assert!(title(&refused).contains("Log in to Koha") && title(&refused).contains("Invalid username or password"));
        assert!(title(&form(&koha, MAIN, newest, "circ", "x", "")).contains("This account has been locked."));
        assert!(title(&form(&koha, MAIN, newest, "circ", "circ", "")).contains("This account has been locked."));
        assert_eq!(koha.library(|library| library.sessions_alive().0), 0);
        // Right password, wrong page: the page is refused, and the session is there all the same.
        for (page, account) in [(MAIN, "circonly"), (LIST, "noperm"), (MAIN, "patron1")] {
            let denied = form(&koha, page, newest, account, account, "");
            assert_eq!((denied.status, title(&denied), who(&denied)), (200, "Access denied &rsaquo; Koha", None));
            let session = denied.session().unwrap();
            let sent = [&ISSUE[..], &[("pending", "true")]].concat();
            assert_eq!(post_with_token(&koha, SERVICE, &sent, &session, token(&denied)).says(), (200, "Added."));
        }
    }
}

#[test]
fn each_variant_wants_its_own_parameter_by_post() {
    let koha = from_24_05(true);
    assert!(title(&form(&koha, MAIN, false, "koha", "koha", "")).contains("Log in to Koha"));
    let login = [("login_userid", "koha"), ("login_password", "koha")];
    assert!(title(&get(&koha, MAIN, &login)).contains("Log in to Koha"));
    assert_eq!(get(&koha, MAIN, &[("login_op", "cud-login")]).status, 403);
    let koha = from_24_05(false);
    assert!(title(&get(&koha, MAIN, &login)).contains("Log in to Koha"));
    assert_eq!(get(&koha, MAIN, &[("op", "cud-login")]).status, 403);
    assert_eq!(koha.library(|library| library.password_checks), 0);
}

#[test]
fn the_form_within_a_session_logs_in_only_another_person() {
    let koha = from_24_05(false);
    let first = form(&koha, MAIN, false, "koha", "koha", "MPL");
    let (session, old) = (first.session().unwrap(), token(&first));
    let send = |userid: &str, branch: &str| {
        let fields = [
            ("op", "cud-login"),
            ("koha_login_context", "intranet"),
            ("login_userid", userid),
            ("login_password", userid),
            ("branch", branch),
            ("csrf_token", old),
        ];
        post_with_session(&koha, MAIN, &fields, &session)
    };
    let same = send("koha", "FPL");
    assert_eq!((who(&same), same.session()), (Some(("koha", "MPL")), None));
    assert_eq!(koha.library(|library| library.password_checks), 1);
    let other = send("circ", "");
    assert_eq!(who(&other), Some(("circ", "CPL")));
    assert_ne!(other.session().unwrap(), session);
    assert_eq!(koha.library(|library| library.sessions_alive().0), 1, "the first person is logged out");
}

#[test]
fn a_second_factor_is_asked_by_the_form_alone() {
    let koha = from_24_05(false);
    koha.library(|library| library.patron_mut("STAFF002").unwrap().second_factor = true);
    let page = form(&koha, LIST, false, "circ", "circ", "");
    assert!(title(&page).contains("Two-factor authentication"));
    let session = page.session().unwrap();
    let sent = [&ISSUE[..], &[("pending", "true")]].concat();
    assert_eq!(post_with_token(&koha, SERVICE, &sent, &session, token(&page)).status, 401);
    assert!(get_with_session(&koha, AUTHENTICATION, &[], &session).body.contains("additional-auth-needed"));
    assert_eq!(get_with_session(&koha, "/api/v1/checkouts", &[], &session).status, 401);
    for (code, name) in [("1", None), (SECOND_FACTOR, Some(("circ", "CPL")))] {
        let fields = [("op", "cud-login"), ("otp_token", code), ("csrf_token", token(&page))];
        assert_eq!(who(&post_with_session(&koha, LIST, &fields, &session)), name);
    }
    let (anonymous, token) = anonymous(&koha);
    let login = [("login_userid", "circ"), ("login_password", "circ"), ("nocookie", "true")];
    assert_eq!(
        post_with_token(&koha, SERVICE, &[&ISSUE[..], &login].concat(), &anonymous, &token).says(),
        (200, "Success.")
    );
}

#[test]
fn a_session_of_the_form_reads_what_the_account_may() {
    let koha = from_24_05(true);
    for (page, account, expected) in [
        (MAIN, "koha", [200, 200, 200, 200, 200]),
        (LIST, "circ", [200, 200, 200, 403, 403]),
        (LIST, "circonly", [403, 403, 200, 403, 403]),
        (MAIN, "noperm", [200, 200, 403, 403, 403]),
    ] {
        let session = form(&koha, page, true, account, account, "").session().unwrap();
        let status = |what: &str| get_with_session(&koha, &format!("/api/v1/{what}"), &[], &session).status;
        assert_eq!(["libraries", "items", "checkouts", "patrons", "holds"].map(status), expected, "{account}");
    }
}

#[test]
fn basic_authentication_counts_since_the_newest() {
    for newest in [false, true] {
        let koha = from_24_05(newest);
        koha.library(|library| library.preferences.failed_login_attempts = Some(2));
        let basic = |text: &str| {
            let header = format!("Basic {}", base64::Engine::encode(&base64::prelude::BASE64_STANDARD, text));
            ask(&koha, "GET", "/api/v1/libraries", &[("Authorization", &header)], b"").status
        };
        assert_eq!((basic("circ:circ"), basic("STAFF002:circ"), basic("nobody:x")), (200, 200, 403));
        assert_eq!((basic("circ:x"), basic("circ:x")), (403, 403));
        assert_eq!(basic("circ:circ"), if newest { 403 } else { 200 });
        let attempts = koha.library(|library| library.account("circ").unwrap().login_attempts);
        assert_eq!(attempts, if newest { 2 } else { 0 });
        koha.library(|library| library.patron_mut("STAFF001").unwrap().second_factor = true);
        assert_eq!(basic("koha:koha"), if newest { 401 } else { 200 });
    }
}

#[test]
fn svc_authentication_ends_a_session_that_may_not_catalogue() {
    let koha = from_24_05(false);
    let session = form(&koha, MAIN, false, "circ", "circ", "").session().unwrap();
    let answer = get_with_session(&koha, AUTHENTICATION, &[], &session);
    assert!(answer.body.contains("<status>failed</status>"));
    assert_ne!(answer.session().unwrap(), session);
    assert_eq!(koha.library(|library| library.sessions_alive().0), 0);
}

#[test]
fn the_queue_is_a_table_as_in_koha() {
    for newest in [false, true] {
        let koha = from_24_05(newest);
        let session = session(&koha, "circ", "CPL");
        let token = koha.library(|library| library.csrf_token(&session));
        for (action, card, barcode, amount) in
            [("issue", CARD, ITEM, ""), ("return", "", "nothing", ""), ("payment", "nobody", "", "2.50")]
        {
            let fields = [
                ("action", action),
                ("cardnumber", card),
                ("barcode", barcode),
                ("amount", amount),
                ("timestamp", "2026-11-23 10:00:05"),
                ("branchcode", "CPL"),
                ("pending", "true"),
            ];
            assert_eq!(post_with_token(&koha, SERVICE, &fields, &session, &token).says(), (200, "Added."));
        }
        koha.library(|library| {
            library.preferences.date_format = DateFormat::Metric;
            library.item_mut(ITEM).unwrap().last_seen = Some("2026-11-24 09:00:00".to_owned());
        });
        let page = get_with_session(&koha, LIST, &[], &session).body;
        let table = between(&page, "<table id=\"operations\">", "</table>").unwrap();
        let rows: Vec<&str> = table.split("<tr class=\"oc-").skip(1).collect();
        assert_eq!(rows.len(), 3, "of one second, in reverse");
        assert!(rows[0].starts_with("payment\"") && rows[1].starts_with("return\"") && rows[2].starts_with("issue\""));
        let cells = |row: &str| row.matches("<td>").count();
        assert!(rows.iter().all(|row| cells(row) == if newest { 7 } else { 6 }));
        assert!(rows[2].contains(">23/11/2026 11:00</label>"));
        assert!(rows[2].contains("title=\"The Secret Garden\">39999000000001</a>"));
        assert!(rows[2].contains(">23529001223602</a>") && rows[2].contains("<td>0.000000</td>"));
        assert_eq!(rows[2].contains("24/11/2026 09:00"), newest);
        assert!(rows[1].contains("<span class=\"error\">nothing</span>"));
        assert!(rows[0].contains("<span class=\"error\">nobody</span>") && rows[0].contains("<td>2.500000</td>"));
        let id = between(rows[0], " value=\"", "\"").unwrap();
        // The old form does nothing.
        let old = [("action", "delete"), ("operationid", id)];
        assert_eq!(post_with_token(&koha, PROCESS, &old, &session, &token).says(), (200, ""));
        let new = [("op", "cud-delete"), ("operationid", id)];
        assert_eq!(post_with_token(&koha, PROCESS, &new, &session, &token).says(), (200, "Deleted."));
        assert_eq!(koha.library(|library| library.pending.len()), 2);
    }
}

#[test]
fn koha_s_own_errors_are_in_its_own_words() {
    let koha = from_24_05(false);
    let (session, token) = anonymous(&koha);
    let own = |answer: &Answer, status: u16| {
        assert_eq!(answer.status, status);
        assert!(answer.kind().starts_with("text/html"));
        assert_eq!(title(answer), format!("Error {status} &rsaquo; Koha"));
        assert_eq!(answer.session(), None);
    };
    own(&post_with_token(&koha, SERVICE, &ISSUE, &session, &token), 401);
    let none = post_with_session(&koha, SERVICE, &ISSUE, &session);
    own(&none, 403);
    assert!(none.body.contains("No CSRF token passed for POST"));
    let wrong = post_with_token(&koha, SERVICE, &ISSUE, &session, "a,b,1");
    own(&wrong, 403);
    assert!(wrong.body.contains("wrong_csrf_token"));
    for answer in [
        post(&koha, AUTHENTICATION, &[("login_userid", "koha")]),
        post_with_token(&koha, AUTHENTICATION, &[], &session, "a,b,1"),
    ] {
        assert_eq!((answer.says(), answer.kind()), ((403, "Wrong CSRF token"), "text/plain"));
    }
    let login = [("login_userid", "koha"), ("login_password", "koha"), ("timestamp", "2026-11-23T10:00:00.000Z")];
    own(&post_with_token(&koha, SERVICE, &[&login, &ISSUE[..3]].concat(), &session, &token), 500);
    own(&get(&koha, "/cgi-bin/koha/nothing.pl", &[]), 404);
    // Ordered ones are the same.
    for status in [401, 403, 404, 500] {
        koha.fault(fake_koha::Fault::on("service.pl", fake_koha::FaultKind::Status(status)).times(1));
        own(&get(&koha, SERVICE, &[]), status);
    }
    let koha = start(Era::Before2405);
    for (status, body) in [(401, ""), (500, "Internal Server Error")] {
        koha.fault(fake_koha::Fault::on("service.pl", fake_koha::FaultKind::Status(status)).times(1));
        let answer = get(&koha, SERVICE, &[]);
        assert!(answer.kind().starts_with("text/plain"));
        assert_eq!(answer.says(), (status, body));
    }
}
