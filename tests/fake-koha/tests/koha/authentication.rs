//! svc/authentication before 24.05 (observed on 19.06).

use fake_koha::{Era, FakeKoha};

use crate::client::*;

fn koha() -> FakeKoha {
    start(Era::Before2405)
}

fn xml(status: &str) -> String {
    format!("<?xml version='1.0' standalone='yes'?>\n<response>\n  <status>{status}</status>\n</response>\n")
}

#[test]
fn a_cataloguer_gets_a_session() {
    let koha = koha();
    for userid in ["koha", "KOHA", "koha "] {
        let answer = post(&koha, AUTHENTICATION, &[("userid", userid), ("password", "koha"), ("branch", "MPL")]);
        assert_eq!(answer.says(), (200, xml("ok").as_str()));
        assert_eq!(answer.kind(), "text/xml; charset=ISO-8859-1");
        let session = answer.session().unwrap();
        assert!(session.len() == 32 && session.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(answer.header("set-cookie").unwrap().ends_with("; path=/; HttpOnly"));
        assert_eq!(answer.header("csrf-token"), None);
        koha.library(|library| assert_eq!(library.sessions[&session].branch, "MPL"));
        // The cookie works, and stays the same.
        let again = get_with_session(&koha, AUTHENTICATION, &[], &session);
        assert_eq!((again.body.clone(), again.session()), (xml("ok"), Some(session)));
    }
    assert_eq!(get(&koha, AUTHENTICATION, &[("userid", "koha"), ("password", "koha")]).body, xml("ok"));
}

#[test]
fn all_others_fail_without_a_cookie() {
    let koha = koha();
    for (userid, password) in [
        ("koha", "x"),
        ("nobody", "x"),
        ("koha", ""),
        ("", "koha"),
        (" koha", "koha"),
        ("circ", "circ"),
        ("circonly", "circonly"),
        ("noperm", "noperm"),
        ("patron1", "patron1"),
        ("STAFF001", "koha"),
    ] {
        let answer = post(&koha, AUTHENTICATION, &[("userid", userid), ("password", password)]);
        assert_eq!((answer.says(), answer.session()), ((200, xml("failed").as_str()), None), "{userid}");
    }
    assert_eq!(post(&koha, AUTHENTICATION, &[]).body, xml("failed"));
    assert_eq!(get(&koha, AUTHENTICATION, &[]).body, xml("failed"));
    let basic = [("Authorization", "Basic a29oYTprb2hh")];
    assert_eq!(ask(&koha, "GET", AUTHENTICATION, &basic, b"").body, xml("failed"));
}

#[test]
fn a_librarian_without_the_permission_is_logged_out() {
    let koha = koha();
    let session = session(&koha, "circ", "CPL");
    assert!(get_with_session(&koha, MAIN, &[], &session).body.contains("Logged in as"));
    assert_eq!(get_with_session(&koha, AUTHENTICATION, &[], &session).body, xml("failed"));
    assert!(get_with_session(&koha, MAIN, &[], &session).body.contains("Log in to Koha"));
}

#[test]
fn wrong_credentials_win_over_a_good_cookie() {
    let koha = koha();
    let session = session(&koha, "koha", "CPL");
    let wrong = [("userid", "koha"), ("password", "x")];
    assert_eq!(post_with_session(&koha, AUTHENTICATION, &wrong, &session).body, xml("failed"));
    assert_eq!(get_with_session(&koha, AUTHENTICATION, &[], &session).body, xml("ok"));
}

#[test]
fn expired_and_maintenance() {
    let koha = koha();
    assert_eq!(get_with_session(&koha, AUTHENTICATION, &[], "bogus").body, xml("expired"));
    let session = session(&koha, "koha", "CPL");
    koha.library(fake_koha::Library::expire_sessions);
    assert_eq!(get_with_session(&koha, AUTHENTICATION, &[], &session).body, xml("expired"));
    koha.library(|library| library.preferences.maintenance = true);
    let login = [("userid", "koha"), ("password", "koha")];
    assert_eq!(post(&koha, AUTHENTICATION, &login).body, xml("maintenance"));
}
