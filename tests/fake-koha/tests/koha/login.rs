//! Who gets into service.pl, before 24.05 (observed on 19.06).

use fake_koha::{Config, Era, FakeKoha};

use crate::client::*;

fn koha() -> FakeKoha {
    start(Era::Before2405)
}

const RETURN: [(&str, &str); 2] = [("action", "return"), ("barcode", "39999000000001")];

fn login(koha: &FakeKoha, userid: &str, password: &str) -> Answer {
    transaction(koha, &[&RETURN[..], &[("userid", userid), ("password", password)]].concat())
}

#[test]
fn any_account_with_a_password_will_do() {
    let koha = koha();
    for (userid, password) in [
        ("koha", "koha"),
        ("KOHA", "koha"),
        ("koha ", "koha"),
        ("STAFF001", "koha"),
        ("circ", "circ"),
        ("circonly", "circonly"),
        ("noperm", "noperm"),
        ("patron1", "patron1"),
    ] {
        assert_eq!(login(&koha, userid, password).says(), (200, "Item not issued."), "{userid}");
    }
    assert_eq!(koha.library(|library| library.sessions.len()), 8, "one session for each request");
}

#[test]
fn a_failed_login_is_an_empty_401() {
    let koha = koha();
    for (userid, password) in [("koha", "x"), ("koha", ""), ("", "koha"), ("nobody", "x"), (" koha", "koha"), ("", "")]
    {
        let answer = login(&koha, userid, password);
        assert_eq!(answer.says(), (401, ""), "{userid:?}");
        assert_eq!(answer.kind(), "text/plain; charset=utf-8");
        assert_eq!(answer.header("www-authenticate"), None);
    }
    assert!(koha.library(|library| library.sessions.is_empty()));
}

#[test]
fn before_18_05_a_failed_login_is_told_in_the_body() {
    let koha = with(Config { before_18_05: true, ..Config::default() });
    assert_eq!(login(&koha, "koha", "x").says(), (200, "Authentication failed."));
}

#[test]
fn too_many_wrong_passwords_lock_the_account() {
    let koha = koha();
    koha.library(|library| library.preferences.failed_login_attempts = Some(3));
    for _ in 0..3 {
        assert_eq!(login(&koha, "koha", "x").status, 401);
    }
    assert_eq!(login(&koha, "koha", "koha").status, 401);
    koha.library(|library| library.patron_mut("STAFF001").unwrap().login_attempts = 0);
    assert_eq!(login(&koha, "koha", "koha").status, 200);
}

#[test]
fn nobody_gets_in_during_maintenance() {
    let koha = koha();
    koha.library(|library| library.preferences.maintenance = true);
    assert_eq!(login(&koha, "koha", "koha").says(), (401, ""));
}

#[test]
fn the_cookie_counts_and_is_fallen_back_on() {
    let koha = koha();
    let session = session(&koha, "circ", "CPL");
    let none = &[][..];
    let no_cookie = &[("nocookie", "true")][..];
    let name = &[("userid", "koha")][..];
    let wrong = &[("userid", "koha"), ("password", "x")][..];
    for (more, status) in [
        (none.to_vec(), 200),
        (no_cookie.to_vec(), 200),
        (name.to_vec(), 200),
        ([name, no_cookie].concat(), 401),
        (wrong.to_vec(), 200),
        ([wrong, no_cookie].concat(), 401),
    ] {
        let parameters = [&RETURN[..], &more].concat();
        assert_eq!(post_with_session(&koha, SERVICE, &parameters, &session).status, status, "{more:?}");
    }
    // As a parameter.
    let parameters = [&RETURN[..], &[("CGISESSID", session.as_str())]].concat();
    assert_eq!(post(&koha, SERVICE, &parameters).status, 200);
    assert_eq!(post(&koha, SERVICE, &[&parameters[..], no_cookie].concat()).status, 401);
    // Bogus, timed out.
    assert_eq!(post_with_session(&koha, SERVICE, &RETURN, "bogus").says(), (401, ""));
    koha.library(fake_koha::Library::expire_sessions);
    assert_eq!(post_with_session(&koha, SERVICE, &RETURN, &session).says(), (401, ""));
}
