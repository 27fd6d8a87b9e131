//! A person's own Koha tab stays as it was.

use crate::{ERAS, configured, koha};
use fake_koha::Era;
use koct_tests::{desk::Settings, settings_page};

/// Logs a person in at Koha's own page, in a tab of the same Firefox.
pub(crate) fn log_in(
    firefox: &koct_tests::firefox::Firefox,
    koha: &fake_koha::FakeKoha,
    account: &str,
) -> koct_tests::page::Page {
    log_in_at(firefox, koha, account, "mainpage.pl")
}

/// Logs a person in at a page that they may see.
pub(crate) fn log_in_at(
    firefox: &koct_tests::firefox::Firefox,
    koha: &fake_koha::FakeKoha,
    account: &str,
    path: &str,
) -> koct_tests::page::Page {
    let page = firefox.open(&format!("{}/cgi-bin/koha/{path}", koha.url())).unwrap();
    let name = if koha.library(|library| library.era) == Era::Before2405 { "" } else { "login_" };
    page.fill(&format!("input[name={name}userid]"), account).unwrap();
    page.fill(&format!("input[name={name}password]"), account).unwrap();
    page.type_text("\n").unwrap();
    page.wait(&format!("document.body.innerText.includes('Logged in as {account}')")).unwrap();
    // Once more, with the cookie of the login.
    page.navigate(&format!("{}/cgi-bin/koha/{path}", koha.url())).unwrap();
    page
}

#[test]
fn a_persons_session_is_neither_used_nor_replaced_nor_deleted() {
    for era in ERAS {
        let koha = koha(era);
        let desk = configured(&koha, "send");
        // Koha deletes the session of somebody without cataloguing rights who comes to its login service.
        let tab = log_in(&desk.firefox, &koha, "circ");
        let cookie = koha
            .requests()
            .into_iter()
            .filter_map(|request| request.cookie)
            .next_back()
            .expect("the tab has a session");
        koha.clear_requests();
        desk.page.activate().unwrap();
        desk.check_in("39999000000001").unwrap();
        assert!(desk.commit().unwrap().starts_with("Done: 1"));
        let settings = desk.open_settings().unwrap();
        assert!(settings_page::test_only(&settings).unwrap().starts_with("Koha answers, the account works"));
        for request in koha.requests() {
            let ours = request.cookie.as_deref() != Some(cookie.as_str());
            assert!(ours, "the person's cookie was used: {era:?} {} {}", request.method, request.path);
            // The page of the queue makes a session of its own, which is ended.
            if era == Era::Before2405 && request.parameter("logout.x").is_none() {
                assert_eq!(request.cookie, None, "{} {}", request.method, request.path);
            }
            assert_eq!(request.header("x-koct-request"), None, "the tag leaves the browser");
        }
        tab.activate().unwrap();
        tab.navigate(&format!("{}/cgi-bin/koha/mainpage.pl", koha.url())).unwrap();
        tab.wait_contains("body", "Logged in as circ").unwrap();
        // KOCT may be looking for Koha meanwhile.
        let mut of_tab = koha.requests().into_iter().filter(|request| request.path.ends_with("mainpage.pl"));
        assert_eq!(of_tab.next_back().unwrap().cookie.as_deref(), Some(cookie.as_str()));
        let userid = koha.library(|library| library.pending_at("CPL")[0].userid.clone());
        assert_eq!(userid, "koha");
    }
}

#[test]
fn a_named_http_server_is_not_turned_into_https() {
    let koha = koha(Era::From2405);
    let options = koct_tests::firefox::Options {
        prefs: vec![("network.dns.localDomains".into(), "koha.example.test".into())],
        ..koct_tests::firefox::Options::default()
    };
    let desk = koct_tests::desk::Desk::open(&options).unwrap();
    let server = format!("http://koha.example.test:{}", koha.port());
    let settings = desk.configure(&Settings::of(&server, "send")).unwrap();
    settings.wait_visible("#server-warning").unwrap();
    desk.check_in("39999000000001").unwrap();
    assert!(desk.commit().unwrap().starts_with("Done: 1"));
}
