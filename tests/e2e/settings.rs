//! The settings page.

use crate::{desk, koha};
use fake_koha::{Config, Era, FakeKoha};
use koct_tests::{
    desk::{Desk, Settings, enter},
    firefox::Options,
    page::{Page, key},
};

fn test(page: &Page, settings: &Settings) -> String {
    enter(page, settings).unwrap();
    // What was said of the last time must not be read.
    page.eval("document.getElementById('settings-message').textContent = ''").unwrap();
    page.click("#test-connection").unwrap();
    page.wait("!document.getElementById('test-connection').disabled && document.getElementById('settings-message').innerText !== ''").unwrap();
    page.text("#settings-message").unwrap()
}

/// A port at which nothing listens.
fn unused_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn testing_the_connection_says_precisely_what_is_wrong() {
    for era in crate::ERAS {
        let koha = koha(era);
        let desk = desk();
        let page = desk.open_settings().unwrap();
        let good = Settings::of(&koha.url(), "send");
        let with = |change: &dyn Fn(&mut Settings)| {
            let mut settings = good.clone();
            change(&mut settings);
            test(&page, &settings)
        };
        assert!(with(&|_| {}).starts_with("All is well"), "{era:?}");
        assert_eq!(page.eval("document.getElementById('branch-choice').options.length").unwrap(), 4);
        assert!(with(&|s| s.server = format!("http://127.0.0.1:{}", unused_port())).contains("nothing answers"));
        assert!(with(&|s| s.server = format!("{}/nothing", koha.url())).contains("not a Koha"));
        assert!(with(&|s| s.password = "wrong".into()).contains("does not accept this user name and password"));
        assert!(with(&|s| s.branchcode = "ZZZ".into()).contains("no library with the branch code ZZZ"));
        // Circulation rights alone are enough in both eras.
        let circulation_only = with(&|s| "circonly".clone_into(&mut s.username));
        assert!(circulation_only.contains("does not accept"), "{circulation_only}");
        let circulation_only = with(&|s| {
            "circonly".clone_into(&mut s.username);
            "circonly".clone_into(&mut s.password);
        });
        assert!(circulation_only.contains("could not be checked"), "{circulation_only}");
        koha.library(|library| library.preferences.maintenance = true);
        assert!(with(&|_| {}).contains("being updated"));
    }
}

#[test]
fn fields_are_checked_and_say_what_to_do() {
    let desk = desk();
    let page = desk.open_settings().unwrap();
    page.fill("#server", "koha.example.org").unwrap();
    page.fill("#card-pattern", "*").unwrap();
    page.fill("#loan-days", "x").unwrap();
    page.click("#save").unwrap();
    page.wait("document.getElementById('settings-message').textContent.startsWith('Not saved')").unwrap();
    for field in ["username", "password", "branchcode", "card-pattern", "loan-days"] {
        page.wait_visible(&format!("#{field}-error")).unwrap();
    }
    page.wait_focused("username").unwrap();
    page.fill("#card-pattern", "").unwrap();
    page.fill("#loan-days", "28").unwrap();
    let good = Settings::of("http://127.0.0.1:1/koha/", "send");
    enter(&page, &Settings { server: "https://u:p@koha.example.org".into(), username: "x".repeat(31), ..good.clone() })
        .unwrap();
    page.type_text("\n").unwrap();
    page.wait("document.getElementById('server-error').textContent.includes('out of the address')").unwrap();
    page.wait_contains("#username-error", "30").unwrap();
    enter(&page, &good).unwrap();
    page.click("#save").unwrap();
    page.wait("document.getElementById('settings-message').textContent.startsWith('Saved')").unwrap();
    assert_eq!(page.value("#server").unwrap(), "http://127.0.0.1:1/koha");
}

#[test]
fn saving_takes_effect_in_the_open_window_at_once() {
    let koha = koha(Era::Before2405);
    let desk = desk();
    desk.page.wait_text("#commit", "Send data to Koha").unwrap();
    desk.configure(&Settings::of(&koha.url(), "apply")).unwrap();
    desk.page.wait("document.getElementById('commit').textContent === 'Apply directly to Koha'").unwrap();
    desk.page.wait_contains("#desk", "CPL").unwrap();
    desk.check_out("23529001223601", "39999000000001").unwrap();
    desk.commit().unwrap();
    desk.wait_for_states(&["success"]).unwrap();
}

#[test]
fn the_password_stays_only_where_it_is_to_stay() {
    let desk = desk();
    let page =
        desk.configure(&Settings { password: "s3cret".into(), ..Settings::of("http://127.0.0.1:1", "send") }).unwrap();
    let local = "browser.storage.local.get().then(JSON.stringify)";
    assert!(!page.eval(local).unwrap().to_string().contains("s3cret"));
    page.activate().unwrap();
    page.reload().unwrap();
    page.wait("document.body.hasAttribute('data-ready')").unwrap();
    let in_session = "browser.storage.session.get('password').then(all => all.password)";
    assert_eq!(page.eval(in_session).unwrap(), "s3cret", "for this session");
    assert_eq!((page.value("#password").unwrap(), page.visible("#password-remove").unwrap()), (String::new(), true));
    page.click("#keep-password").unwrap();
    page.click("#save").unwrap();
    page.wait("browser.storage.local.get().then(all => JSON.stringify(all).includes('s3cret'))").unwrap();
    page.click("#keep-password").unwrap();
    page.click("#save").unwrap();
    page.wait("browser.storage.local.get().then(all => !JSON.stringify(all).includes('s3cret'))").unwrap();
}

#[test]
fn only_the_configured_server_is_allowed() {
    let desk = desk();
    desk.configure(&Settings::of("http://127.0.0.1:1", "send")).unwrap();
    let page = desk.configure(&Settings::of("http://localhost:1", "send")).unwrap();
    let origins = page.eval("browser.permissions.getAll().then(all => all.origins)").unwrap();
    assert_eq!(origins, serde_json::json!(["http://localhost/*"]));
}

/// What the page holds: its text, and what stands in its fields.
const IN_PAGE: &str =
    "document.documentElement.outerHTML + [...document.querySelectorAll('input')].map(field => field.value).join()";

#[test]
fn a_stored_secret_is_never_in_the_page_and_never_sent_to_another_server() {
    let (koha, other) = (koha(Era::From2405), koha(Era::From2405));
    let desk = desk();
    let page = desk.open_settings().unwrap();
    enter(&page, &Settings::of(&koha.url(), "send")).unwrap();
    page.click("#lookup").unwrap();
    page.fill("#client-id", "desk-key").unwrap();
    page.fill("#client-secret", "s3cret-of-key").unwrap();
    let save = || {
        page.eval("document.getElementById('settings-message').textContent = ''").unwrap();
        page.click("#save").unwrap();
        page.wait("document.getElementById('settings-message').textContent !== ''").unwrap();
        page.text("#settings-message").unwrap()
    };
    assert!(save().starts_with("Saved"));
    let stored = || {
        let both = "browser.storage.session.get().then(all => [all.password, all.clientSecret])";
        serde_json::from_value::<[String; 2]>(page.eval(both).unwrap()).unwrap()
    };
    let [password, _] = stored();
    assert_eq!(stored()[1], "s3cret-of-key");
    // Nothing of what was stored stays in the page, nor comes into it.
    for reloaded in [false, true] {
        if reloaded {
            page.reload().unwrap();
            page.wait("document.body.hasAttribute('data-ready')").unwrap();
        }
        let in_page = page.eval(IN_PAGE).unwrap().to_string();
        assert!(!in_page.contains("s3cret-of-key"), "{in_page}");
        for id in ["password", "client-secret"] {
            assert_eq!(page.value(&format!("#{id}")).unwrap(), "");
            let placeholder = page.eval(&format!("document.getElementById('{id}').placeholder")).unwrap();
            assert_eq!(placeholder, "Stored. Type to replace it.");
        }
    }
    let test = || {
        page.eval("document.getElementById('settings-message').textContent = ''").unwrap();
        page.click("#test-connection").unwrap();
        page.wait("!document.getElementById('test-connection').disabled && document.getElementById('settings-message').innerText !== ''").unwrap();
        page.text("#settings-message").unwrap()
    };
    assert!(test().starts_with("All is well"), "what is stored is used");

    // Another port is another server.
    page.fill("#server", &other.url()).unwrap();
    page.wait_visible("#secrets-forgotten").unwrap();
    assert_eq!(seen(&page, &["password-remove", "client-secret-remove"]), [false, false]);
    assert!(test().starts_with("Not saved"));
    page.wait_visible("#password-error").unwrap();
    assert_eq!(other.requests().len(), 0);
    // Back again, it is there as before.
    page.fill("#server", &koha.url()).unwrap();
    page.wait_hidden("#secrets-forgotten").unwrap();
    assert!(test().starts_with("All is well"));
    assert_eq!(stored(), [password.as_str(), "s3cret-of-key"]);

    // Typed anew, it may go there; and what was stored is forgotten before there is another server: nobody who reads in between,
    // and nobody who starts after a crash in between, finds the one's secrets with the other.
    page.run(
        "window.stored = []; browser.storage.onChanged.addListener((changes, area) => \
         window.stored.push(...Object.entries(changes).filter(([, {oldValue, newValue}]) => JSON.stringify(oldValue) !== JSON.stringify(newValue)) \
         .map(([key, {newValue}]) => [key, typeof newValue === 'string' ? newValue : null])));",
    )
    .unwrap();
    page.fill("#server", &other.url()).unwrap();
    page.fill("#password", &password).unwrap();
    page.fill("#client-id", "").unwrap();
    assert!(test().starts_with("All is well"));
    assert!(save().starts_with("Saved"));
    page.wait_hidden("#secrets-forgotten").unwrap();
    assert_eq!(stored(), [password.as_str(), ""]);
    assert!(!format!("{:?}", other.requests()).contains("s3cret-of-key"));
    let order = page.eval("window.stored.map(([key, value]) => `${key} ${value ?? ''}`.trim())").unwrap();
    let place = |key: &str| order.as_array().unwrap().iter().position(|stored| stored == key).unwrap();
    assert!(place("clientSecret") < place("settings"), "{order}");

    // Removed; and how long secrets are kept is asked where there is one.
    assert_eq!(seen(&page, &["password-remove", "client-secret-remove", "keep-password-row"]), [true, false, true]);
    page.click("#password-remove").unwrap();
    page.wait_focused("password").unwrap();
    assert!(save().starts_with("Not saved"), "an account needs one");
    page.click("#login-open-koha").unwrap();
    page.wait_hidden("#keep-password-row").unwrap();
    page.fill("#client-id", "desk-key").unwrap();
    page.fill("#client-secret", "another").unwrap();
    page.wait_visible("#keep-password-row").unwrap();
    assert!(save().starts_with("Saved"));
    assert_eq!(stored(), ["", "another"]);
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn permission_for_a_server_that_is_not_in_the_settings_is_given_back() {
    let koha = koha(Era::From2405);
    let by_name = koha.url().replace("127.0.0.1", "localhost");
    let desk = desk();
    let origins = || desk.page.eval("browser.permissions.getAll().then(all => all.origins.sort())").unwrap();
    let wait_for = |expected: &[&str]| {
        crate::wait("the permissions are others", || (origins() == serde_json::json!(expected)).then_some(()));
    };
    let page = desk.configure(&Settings::of(&koha.url(), "send")).unwrap();
    page.activate().unwrap();
    // Tried and not saved.
    assert!(test(&page, &Settings::of(&by_name, "send")).starts_with("All is well"));
    wait_for(&["http://127.0.0.1/*"]);
    // Left over, as after a crash: the background looks when it is woken.
    let left_over = "(async () => {
        const {extension} = WebExtensionPolicy.getByID(ADDON);
        const {ExtensionPermissions} = ChromeUtils.importESModule('resource://gre/modules/ExtensionPermissions.sys.mjs');
        await ExtensionPermissions.add(ADDON, {permissions: [], origins: ['http://localhost/*']}, extension);
        await extension.terminateBackground();
    })()";
    let left_over = left_over.replace("ADDON", &serde_json::json!(koct_tests::firefox::ADDON_ID).to_string());
    // Also where a newer version has the log.
    for newer in [false, true] {
        if newer {
            let open = "new Promise((done, fail) => { const o = indexedDB.open('koct', 99); o.onsuccess = () => { o.result.close(); done(); }; o.onerror = fail; })";
            page.eval(open).unwrap();
        }
        desk.firefox.in_chrome(&left_over).unwrap();
        wait_for(&["http://127.0.0.1/*", "http://localhost/*"]);
        desk.firefox.click_toolbar_button().unwrap();
        wait_for(&["http://127.0.0.1/*"]);
    }
    // Cleared.
    page.activate().unwrap();
    for field in ["#server", "#username"] {
        page.fill(field, "").unwrap();
    }
    page.fill("#password", "").unwrap();
    page.click("#save").unwrap();
    page.wait("document.getElementById('settings-message').textContent.includes('.koc')").unwrap();
    wait_for(&[]);
}

#[test]
fn a_refused_permission_is_said_and_nothing_is_sent() {
    let koha = FakeKoha::start(Config::default()).unwrap();
    // The question is asked, and headless nobody can answer: it is refused by closing it.
    let options = Options {
        prefs: vec![("extensions.webextOptionalPermissionPrompts".into(), true.into())],
        ..Options::default()
    };
    let desk = Desk::open(&options).unwrap();
    let page = desk.open_settings().unwrap();
    enter(&page, &Settings::of(&koha.url(), "send")).unwrap();
    page.click("#save").unwrap();
    // Refuses in the notification that Firefox shows.
    let refuse = "(async () => { for (let i = 0; i < 2000; i++) { for (const w of Services.wm.getEnumerator('navigator:browser')) { \
        const n = w.PopupNotifications?.panel?.firstElementChild; if (n?.secondaryButton) { n.secondaryButton.click(); return true; } } \
        await new Promise(done => w_setTimeout(done)); } return false; function w_setTimeout(done) { \
        Services.wm.getMostRecentWindow('navigator:browser').setTimeout(done, 25); } })()";
    assert_eq!(desk.firefox.in_chrome(refuse).unwrap(), true, "Firefox asks");
    page.wait("document.getElementById('settings-message').textContent.includes('did not allow')").unwrap();
    desk.page.activate().unwrap();
    desk.check_in("39999000000001").unwrap();
    let message = desk.commit().unwrap();
    assert!(message.contains("does not allow"), "{message}");
    assert_eq!(koha.requests().len(), 0);
    desk.wait_for_states(&["local"]).unwrap();
}

#[test]
fn the_guide_leads_from_nothing_to_ready() {
    let koha = koha(Era::From2405);
    let desk = desk();
    let next = "document.querySelector('#guide [data-step=next]')?.id || 'none'";
    assert_eq!(desk.page.eval(next).unwrap(), "guide-configure");
    let settings = desk.configure(&Settings::of(&koha.url(), "send")).unwrap();
    desk.page.wait(&format!("({next}) === 'guide-test'")).unwrap();
    settings.activate().unwrap();
    settings.click("#test-connection").unwrap();
    settings.wait("document.querySelector('#settings-message.message-good')?.textContent").unwrap();
    desk.page.activate().unwrap();
    desk.page.wait(&format!("({next}) === 'none'")).unwrap();
    desk.page.wait_visible("#guide").unwrap();
    desk.check_in("39999000000001").unwrap();
    desk.page.wait_hidden("#guide").unwrap();
    desk.page.reload().unwrap();
    desk.page.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    desk.page.wait_hidden("#guide").unwrap();
}

#[test]
fn a_desk_without_koha_needs_no_guide() {
    let desk = desk();
    let settings = desk.open_settings().unwrap();
    settings.fill("#library-name", "Bücherei am Markt").unwrap();
    settings.click("#save").unwrap();
    settings.wait("document.getElementById('settings-message').textContent.includes('.koc')").unwrap();
    desk.page.activate().unwrap();
    desk.page.reload().unwrap();
    desk.page.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    desk.page.wait_hidden("#guide").unwrap();
    let settings = desk.open_settings().unwrap();
    assert_eq!(settings.value("#library-name").unwrap(), "Bücherei am Markt");
}

/// Whether these are seen.
fn seen(page: &Page, ids: &[&str]) -> Vec<bool> {
    ids.iter().map(|id| page.visible(&format!("#{id}")).unwrap()).collect()
}

#[test]
fn records_for_look_up_are_set_by_keyboard_checked_and_kept() {
    let desk = desk();
    let page = desk.configure(&Settings::of("http://127.0.0.1:1", "send")).unwrap();
    page.activate().unwrap();
    assert_eq!(seen(&page, &["lookup", "lookup-fields", "lookup-off"]), [true, false, false], "off");
    page.eval("document.getElementById('lookup').focus()").unwrap();
    // On; the passphrase; then each field is typed over. The SQL is folded away on the way to the key.
    page.type_text(" \t \ta lot\t0\t31\tall\t\tdesk-key\t\n").unwrap();
    page.wait("document.getElementById('settings-message').textContent.startsWith('Not saved')").unwrap();
    let errors = [
        "debt-limit-error",
        "remind-days-error",
        "wipe-days-error",
        "restrictions-report-error",
        "client-secret-error",
    ];
    assert_eq!(seen(&page, &errors), [true; 5]);
    page.wait_contains("#wipe-days-error", "30").unwrap();
    page.wait_focused("debt-limit").unwrap();
    page.press(&[key::CONTROL, 'a']).unwrap();
    page.type_text("7,50\t2\t14\t12\t\n\t\tdesk-key\ts3cret-of-key\n").unwrap();
    page.wait("document.getElementById('settings-message').textContent.startsWith('Saved')").unwrap();
    assert_eq!(seen(&page, &errors), [false; 5]);
    let sql = page.text("#restrictions-sql").unwrap();
    assert!(sql.starts_with("SELECT borrowernumber, debarred, debarredcomment\nFROM"), "unfolded with Enter: {sql}");
    let local = "browser.storage.local.get().then(JSON.stringify)";
    assert!(!page.eval(local).unwrap().to_string().contains("s3cret-of-key"), "as the password");
    desk.page.activate().unwrap();
    desk.page.wait("!document.getElementById('open-records').hidden").unwrap();

    page.activate().unwrap();
    let reload = || {
        page.reload().unwrap();
        page.wait("document.body.hasAttribute('data-ready')").unwrap();
    };
    reload();
    let shown = ["debt-limit", "remind-days", "wipe-days", "restrictions-report", "client-id", "client-secret"];
    let values = || shown.map(|id| page.value(&format!("#{id}")).unwrap());
    assert_eq!(values(), ["7,50", "2", "14", "12", "desk-key", ""]);
    assert!(page.visible("#client-secret-remove").unwrap(), "a secret is stored");
    let in_session = "browser.storage.session.get('clientSecret').then(all => all.clientSecret)";
    assert_eq!(page.eval(in_session).unwrap(), "s3cret-of-key");
    assert_eq!(page.eval("document.getElementById('lookup-passphrase').checked").unwrap(), true);

    page.eval("document.getElementById('lookup').focus()").unwrap();
    page.type_text(" ").unwrap();
    assert_eq!(seen(&page, &["lookup-fields", "lookup-off"]), [false, true]);
    page.wait_contains("#lookup-off", "deleted").unwrap();
    page.type_text(" ").unwrap();
    assert_eq!(seen(&page, &["lookup-fields", "lookup-off"]), [true, false]);
    page.type_text(" \n").unwrap();
    page.wait("document.getElementById('settings-message').textContent.startsWith('Saved')").unwrap();
    page.wait("document.getElementById('lookup-off').hidden").unwrap();
    reload();
    assert_eq!(seen(&page, &["lookup-fields", "lookup-off"]), [false, false]);
    assert_eq!(values()[2], "14", "as they were, if it is turned on again");
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}
