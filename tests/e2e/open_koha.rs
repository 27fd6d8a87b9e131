//! KOCT in the session of a person's own Koha tab.

use crate::{
    BEFORE_TRANSACTIONS,
    isolation::{log_in, log_in_at},
    koha,
};
use fake_koha::{Era, FakeKoha, Fault, FaultKind, SECOND_FACTOR};
use koct_core::settings::form::{Login, Secret};
use koct_tests::{
    desk::{Desk, Settings, enter},
    firefox::Options,
    page::Page,
    settings_page,
};

/// A desk at Centerville that commits as whoever is logged in.
fn desk_of_a_person(koha: &FakeKoha, commit_type: &str) -> Desk {
    let desk = Desk::open(&Options::default()).unwrap();
    let settings = desk.open_settings().unwrap();
    enter(&settings, &Settings::of(&koha.url(), commit_type)).unwrap();
    settings.click("#login-open-koha").unwrap();
    settings.wait("document.getElementById('account-fields').hidden").unwrap();
    // Nobody is logged in yet.
    assert!(settings_page::save(&settings).unwrap().starts_with("Saved, but"));
    assert!(settings_page::error_at(&settings, "login").unwrap().starts_with("Nobody is logged in"));
    let kept = "browser.storage.local.get().then(async local => JSON.stringify([local.password, await browser.storage.session.get()]))";
    let kept = settings.eval(kept).unwrap();
    assert!(!kept.to_string().contains("koha"), "no password is kept: {kept}");
    desk.page.activate().unwrap();
    desk
}

/// The cookie of the session that this account is logged in with.
fn cookie_of(koha: &FakeKoha, account: &str) -> String {
    koha.library(|library| {
        let theirs = |id: &&String| library.session_account(id).is_some_and(|patron| patron.userid == account);
        let mut sessions = library.sessions.keys().filter(theirs);
        let cookie = sessions.next().expect("they are logged in").clone();
        assert_eq!(sessions.next(), None, "one session");
        cookie
    })
}

/// Whether the tab is logged in still, by the same cookie, and was not brought in danger meanwhile.
fn stays_logged_in(koha: &FakeKoha, tab: &Page, account: &str, cookie: &str) {
    for request in koha.requests() {
        let asked = request.path.ends_with("svc/authentication") || request.query.contains("logout");
        assert!(!asked || request.cookie.is_none(), "{} {}", request.method, request.path);
        assert_eq!(request.header("x-koct-request"), None, "the tag leaves the browser");
    }
    koha.clear_requests();
    tab.activate().unwrap();
    tab.navigate(&format!("{}/cgi-bin/koha/offline_circ/list.pl", koha.url())).unwrap();
    tab.wait_contains("body", &format!("Logged in as {account}")).unwrap();
    let request = koha.requests().into_iter().find(|request| request.path.ends_with("list.pl")).unwrap();
    assert!(request.cookie.unwrap().contains(cookie));
}

#[test]
fn a_persons_own_session_commits_and_stays() {
    // How somebody logs in is the era's matter, and what is sent afterwards that of the commit type.
    for (era, commit_type, state) in [(Era::Before2405, "send", "added"), (Era::From2405, "apply", "success")] {
        let koha = koha(era);
        let desk = desk_of_a_person(&koha, commit_type);
        // A second factor was asked of them, where they logged in.
        koha.library(|library| library.patrons.iter_mut().for_each(|patron| patron.second_factor = true));
        koha.clear_requests();
        desk.check_out("23529001223601", "39999000000001").unwrap();
        desk.page.click("#commit").unwrap();
        // Nobody is logged in yet: Koha comes up, and there they do.
        let tab = desk.firefox.wait_for_page("mainpage.pl").unwrap();
        let name = if era == Era::Before2405 { "" } else { "login_" };
        tab.wait("document.querySelector('#loginform')").unwrap();
        tab.fill(&format!("input[name={name}userid]"), "circ").unwrap();
        tab.fill(&format!("input[name={name}password]"), "circ").unwrap();
        tab.type_text("\n").unwrap();
        tab.wait("document.querySelector('#otp_token')").unwrap();
        tab.fill("#otp_token", SECOND_FACTOR).unwrap();
        tab.type_text("\n").unwrap();
        desk.wait_for_states(&[state]).unwrap();
        assert!(desk.wait_for_commit().unwrap().starts_with("Done: 1"));
        if commit_type == "send" {
            assert_eq!(koha.library(|library| library.pending_at("CPL")[0].userid.clone()), "circ");
        }
        let cookie = cookie_of(&koha, "circ");
        stays_logged_in(&koha, &tab, "circ", &cookie);
    }
}

#[test]
fn a_koha_that_is_open_in_a_tab_is_chosen_with_one_click() {
    let koha = koha(Era::From2405);
    let desk = Desk::open(&Options::default()).unwrap();
    desk.set_up(&Settings::of("https://koha.example.org", "send")).unwrap();
    let page = desk.open_settings().unwrap();
    page.click("#find-koha").unwrap();
    page.wait_contains("#koha-said", "No page of a Koha staff client is open").unwrap();
    // Somebody looks at Koha, and logs in there.
    let tab = desk.firefox.open(&format!("{}/cgi-bin/koha/mainpage.pl", koha.url())).unwrap();
    page.activate().unwrap();
    page.click("#find-koha").unwrap();
    page.click("#koha-found button").unwrap();
    page.wait_contains("#koha-said", "nobody is logged in there").unwrap();
    assert_eq!(page.value("#server").unwrap(), koha.url());
    assert!(page.visible("#secrets-forgotten").unwrap(), "the stored password is the other server's");
    tab.close().unwrap();
    let tab = log_in(&desk.firefox, &koha, "circ");
    let cookie = cookie_of(&koha, "circ");
    page.activate().unwrap();
    koha.clear_requests();
    page.click("#find-koha").unwrap();
    page.wait_text("#koha-found", &koha.url()).unwrap();
    page.click("#koha-found button").unwrap();
    page.wait_contains("#koha-said", "As circ at CPL.").unwrap();
    let values = ["#username", "#branchcode"].map(|field| page.value(field).unwrap());
    assert_eq!(values, ["circ", "CPL"]);
    page.click("#login-open-koha").unwrap();
    assert!(settings_page::save(&page).unwrap().ends_with("As circ at CPL."));
    let allowed = page.eval("browser.permissions.getAll().then(all => all.permissions.includes('tabs'))").unwrap();
    assert_eq!(allowed, false, "it was given back");
    desk.page.activate().unwrap();
    desk.check_out("23529001223601", "39999000000001").unwrap();
    assert!(desk.commit().unwrap().starts_with("Done: 1"));
    stays_logged_in(&koha, &tab, "circ", &cookie);
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn a_person_who_may_only_circulate_tests_and_commits() {
    let koha = koha(Era::From2405);
    let desk = desk_of_a_person(&koha, "send");
    let tab = log_in_at(&desk.firefox, &koha, "circonly", "offline_circ/list.pl");
    let cookie = cookie_of(&koha, "circonly");
    let page = desk.firefox.wait_for_page("options/options.html").unwrap();
    page.activate().unwrap();
    koha.clear_requests();
    assert!(settings_page::test_only(&page).unwrap().ends_with("As circonly at MPL."));
    desk.page.activate().unwrap();
    desk.check_out("23529001223601", "39999000000001").unwrap();
    assert!(desk.commit().unwrap().starts_with("Done: 1"));
    assert_eq!(
        koha.library(|library| library.pending_at("CPL")[0].userid.clone()),
        "circonly",
        "for the desk's library"
    );
    stays_logged_in(&koha, &tab, "circonly", &cookie);
}

#[test]
fn records_are_read_as_the_person_and_a_logout_in_mid_run_is_waited_for() {
    let koha = koha(Era::From2405);
    let desk = desk_of_a_person(&koha, "apply");
    crate::records::want(&desk, &Settings::of(&koha.url(), "apply"), |preferences| {
        preferences.form.login = Login::OpenKoha;
        preferences.form.password = Secret::default();
    });
    let tab = log_in(&desk.firefox, &koha, "circ");
    let cookie = cookie_of(&koha, "circ");
    desk.page.activate().unwrap();
    koha.clear_requests();
    let said = crate::records::download(&desk);
    assert!(said.starts_with("Done.") || said.starts_with("All records"), "{said}");
    // The window asks for the libraries without anybody's session, to see whether Koha is there.
    let is_read = |path: &str| path.contains("/api/") && !path.ends_with("/libraries");
    let read: Vec<_> = koha.requests().into_iter().filter(|request| is_read(&request.path)).collect();
    assert!(!read.is_empty() && read.iter().all(|request| request.header("authorization").is_none()));
    assert!(read.iter().all(|request| request.cookie.as_ref().is_some_and(|sent| sent.contains(&cookie))));
    stays_logged_in(&koha, &tab, "circ", &cookie);
    // They log out while KOCT applies.
    desk.page.activate().unwrap();
    for item in ["39999000000001", "39999000000002", "39999000000003"] {
        desk.check_out("23529001223601", item).unwrap();
    }
    koha.fault(Fault::on("service.pl", FaultKind::ExpireSession).skip(BEFORE_TRANSACTIONS + 1).times(1));
    desk.page.click("#commit").unwrap();
    desk.page.wait_contains("#progress-text", "Log in to Koha").unwrap();
    log_in(&desk.firefox, &koha, "circ");
    desk.wait_for_states(&["success"; 3]).unwrap();
    assert!(desk.wait_for_commit().unwrap().starts_with("Done: 3"));
    assert_eq!(koha.library(|library| library.loans.len()), 3, "nothing twice");
}

#[test]
fn another_library_than_the_desks_is_asked_about() {
    let koha = koha(Era::From2405);
    let desk = desk_of_a_person(&koha, "apply");
    let tab = log_in(&desk.firefox, &koha, "koha");
    let cookie = cookie_of(&koha, "koha");
    koha.library(|library| library.sessions.get_mut(&cookie).unwrap().branch = "MPL".to_owned());
    desk.page.activate().unwrap();
    koha.clear_requests();
    desk.check_out("23529001223601", "39999000000001").unwrap();
    for answer in ["cancel", "yes"] {
        desk.page.click("#commit").unwrap();
        desk.page.wait_visible("#question").unwrap();
        desk.page.wait_text("#question-title", "Apply at MPL instead of CPL?").unwrap();
        desk.page.wait_text("#progress-text", "As koha at MPL.").unwrap();
        desk.page.click(&format!("#question-{answer}")).unwrap();
        let message = desk.wait_for_commit().unwrap();
        assert_eq!(message.starts_with("Done: 1"), answer == "yes", "{message}");
        desk.wait_for_states(&[if answer == "yes" { "success" } else { "local" }]).unwrap();
    }
    let loan = koha.library(|library| library.loans.iter().find(|loan| loan.branch == "MPL").cloned());
    assert!(loan.is_some());
    stays_logged_in(&koha, &tab, "koha", &cookie);
}
