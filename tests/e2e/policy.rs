//! What a library has preset, read by Firefox from where an administrator puts it.

use crate::{koha, transactions};
use fake_koha::Era;
use koct_tests::{
    desk::{Desk, Settings, enter},
    firefox::Options,
    page::Page,
    settings_page,
};
use serde_json::{Value, json};

fn desk(presets: Value) -> Desk {
    Desk::open(&Options { presets: Some(presets), ..Options::default() }).unwrap()
}

fn is(page: &Page, id: &str, property: &str) -> bool {
    page.eval(&format!("document.getElementById('{id}').{property}")).unwrap() == json!(true)
}

#[test]
fn a_desk_with_presets_needs_a_password_and_no_more() {
    let koha = koha(Era::From2405);
    let desk = desk(json!({
        "server": koha.url(), "username": "koha", "branchcode": "CPL", "commitType": "apply", "keepPassword": false,
        "libraryName": "Centerville", "notice": "Koha does not answer? <b>Call</b> 1234.",
        "lookup": true, "lookupPassphrase": true, "lookupDebtLimit": 10, "lookupDays": 7, "lookupRestrictionsReport": 3,
        "locked": ["server", "commitType", "keepPassword", "libraryName", "lookup", "lookupPassphrase", "lookupDays", "lookupRestrictionsReport"]
    }));
    desk.page.wait("document.getElementById('commit').textContent === 'Apply directly to Koha'").unwrap();
    desk.page.wait_text("#notice", "Koha does not answer? <b>Call</b> 1234.").unwrap();
    let page = desk.open_settings().unwrap();
    assert_eq!(page.value("#server").unwrap(), koha.url());
    assert_eq!(page.value("#library-name").unwrap(), "Centerville");
    assert!(is(&page, "server", "readOnly") && is(&page, "library-name", "readOnly"));
    for id in ["commit-send", "commit-apply", "keep-password", "lookup", "lookup-passphrase"] {
        assert!(is(&page, id, "disabled"), "{id}");
    }
    assert!(is(&page, "lookup", "checked") && is(&page, "lookup-passphrase", "checked"));
    assert_eq!((page.value("#wipe-days").unwrap(), page.value("#debt-limit").unwrap()), ("7".into(), "10".into()));
    assert!(is(&page, "wipe-days", "readOnly") && is(&page, "restrictions-report", "readOnly"));
    assert!(!is(&page, "branchcode", "readOnly") && !is(&page, "debt-limit", "readOnly"), "preset, and not locked");
    for id in ["library-name", "lookup", "restrictions-report"] {
        settings_page::unfold(&page, id).unwrap();
    }
    for id in [
        "server",
        "commit-send",
        "keep-password",
        "library-name",
        "lookup",
        "lookup-memory",
        "wipe-days",
        "restrictions-report",
    ] {
        assert_eq!(page.text(&format!("#{id}-locked")).unwrap(), "Set by your library.");
    }
    let locks = "[...document.querySelectorAll('.fold .icon-lock:not([hidden])')].map(lock => [lock.closest('.fold').id, lock.ariaLabel])";
    let part = "In part set by your library.";
    assert_eq!(page.eval(locks).unwrap(), json!([["fold-records", part], ["fold-slips", part]]));
    page.wait_hidden("#policy").unwrap();
    page.fill("#password", "koha").unwrap();
    page.fill("#branchcode", "MPL").unwrap();
    assert!(settings_page::save(&page).unwrap().starts_with("Saved"));
    desk.page.activate().unwrap();
    desk.check_in("39999000000001").unwrap();
    desk.commit().unwrap();
    let sent = transactions(&koha);
    assert_eq!(sent.len(), 1);
    let stored = page.eval("browser.storage.local.get().then(JSON.stringify)").unwrap().to_string();
    assert!(stored.contains("MPL"), "{stored}");
    page.reload().unwrap();
    page.wait("document.body.hasAttribute('data-ready')").unwrap();
    assert_eq!(page.value("#branchcode").unwrap(), "MPL", "their own");
}

#[test]
fn mistakes_in_the_presets_are_said_and_the_rest_is_used() {
    let desk = desk(json!({
        "server": "ftp://koha.example.org", "branchcode": "CPL", "sounds": "no", "Password": "s3cret", "colour": 1, "locked": true
    }));
    desk.page.wait_hidden("#notice").unwrap();
    let page = desk.open_settings().unwrap();
    let said = page.text("#policy-problems").unwrap();
    for part in
        ["“server”: The address must begin with", "“sounds” must be true or false", "“colour” is not", "password"]
    {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("s3cret"));
    assert_eq!(page.eval("document.querySelectorAll('#policy-problems li').length").unwrap(), 4);
    assert!(is(&page, "branchcode", "readOnly") && !is(&page, "server", "readOnly"));
    assert_eq!(page.value("#server").unwrap(), "");
}

#[test]
fn keeping_the_password_can_be_forbidden_later() {
    let first = desk(json!({}));
    let page = first.open_settings().unwrap();
    enter(&page, &Settings { password: "s3cret".into(), ..Settings::of("http://127.0.0.1:1", "send") }).unwrap();
    page.click("#keep-password").unwrap();
    assert!(settings_page::save(&page).unwrap().starts_with("Saved"));
    let kept = "browser.storage.local.get().then(all => 'password' in all)";
    assert_eq!(page.eval(kept).unwrap(), true);
    let presets = json!({"keepPassword": false, "branchcode": "FPL", "locked": ["keepPassword"]});
    let second = first.preset(&presets).unwrap();
    let page = second.open_settings().unwrap();
    assert_eq!(page.eval(kept).unwrap(), false);
    assert!(is(&page, "keep-password", "disabled") && !is(&page, "keep-password", "checked"));
    let in_session = "browser.storage.session.get('password').then(all => all.password)";
    assert_eq!(page.eval(in_session).unwrap(), "s3cret", "until Firefox is closed");
    assert_eq!(page.value("#branchcode").unwrap(), "CPL", "their own, not locked");
}

#[test]
fn what_is_locked_shows_so_and_cannot_be_changed_by_keyboard_or_list() {
    let koha = koha(Era::From2405);
    let desk = desk(json!({
        "server": koha.url(), "login": "account", "username": "koha", "branchcode": "CPL", "commitType": "send", "keepPassword": false,
        "scannerEnd": "tab", "cardPattern": "2352*", "sounds": true, "libraryName": "Centerville", "loanDays": 21, "staleHours": 48,
        "scannerKeyboard": "us", "itemRules": ["aim"], "kohaCheckin": false, "lookup": false, "locked": true
    }));
    let page = desk.open_settings().unwrap();
    let locks = "[...document.querySelectorAll('.fold .icon-lock:not([hidden])')].map(lock => [lock.closest('.fold').id, lock.ariaLabel])";
    let [all, part] = ["Set by your library.", "In part set by your library."];
    assert_eq!(
        page.eval(locks).unwrap(),
        json!([
            ["fold-records", part],
            ["fold-scanning", all],
            ["fold-codes", part],
            ["fold-slips", all],
            ["fold-old", all]
        ])
    );
    // One line below each question, and it is this one.
    let below = "[...document.querySelectorAll('.questions .answer')].map(answer => [...answer.querySelectorAll(':scope > p')] \
        .filter(line => line.checkVisibility()).map(line => line.innerText).filter(text => text).join('|'))";
    assert_eq!(page.eval(below).unwrap(), json!([all, all, all, "", all, all, all]));
    // Only the password is asked, and one stands there; the list of libraries is seen, and is not to be chosen from.
    page.wait_focused("password").unwrap();
    page.type_text("koha\n").unwrap();
    page.wait("document.querySelector('#settings-message.message-good')?.textContent").unwrap();
    assert!(is(&page, "branch-choice", "disabled") && page.value("#branch-choice").unwrap() == "CPL");
    page.wait_hidden("#to-lookup").unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn a_policy_that_names_another_server_does_not_get_the_password() {
    let (koha, other) = (koha(Era::From2405), koha(Era::From2405));
    let first = desk(json!({}));
    let page = first.open_settings().unwrap();
    enter(&page, &Settings::of(&koha.url(), "send")).unwrap();
    page.click("#keep-password").unwrap();
    assert!(settings_page::save(&page).unwrap().starts_with("Saved"));
    let second = first.preset(&json!({"server": other.url(), "locked": ["server"]})).unwrap();
    let page = second.open_settings().unwrap();
    assert_eq!(page.value("#server").unwrap(), other.url());
    page.wait_visible("#secrets-forgotten").unwrap();
    assert!(settings_page::test_only(&page).unwrap().starts_with("Not saved"));
    page.wait_visible("#password-error").unwrap();
    // A commit does not send it either.
    second.page.activate().unwrap();
    second.check_in("39999000000001").unwrap();
    let message = second.commit().unwrap();
    assert!(message.contains("settings"), "{message}");
    assert_eq!(other.requests().len(), 0);
    // Typed for this one, it is used.
    page.activate().unwrap();
    page.fill("#password", "koha").unwrap();
    assert!(settings_page::save(&page).unwrap().starts_with("Saved"));
    page.wait_hidden("#secrets-forgotten").unwrap();
    second.page.activate().unwrap();
    second.commit().unwrap();
    assert_eq!(transactions(&other).len(), 1);
}
