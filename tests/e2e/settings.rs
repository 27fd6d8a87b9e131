//! The settings page.

use crate::{desk, koha};
use fake_koha::{Config, Era, FakeKoha};
use koct_tests::{
    desk::{Desk, Settings, enter},
    firefox::Options,
    page::{Page, key},
    settings_page::{error_at, save, test_only, unfold},
};

fn test(page: &Page, settings: &Settings) -> String {
    enter(page, settings).unwrap();
    test_only(page).unwrap()
}

/// A port at which nothing listens.
fn unused_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What is wrong with these settings, and the field that says it.
fn faults(koha: &FakeKoha) -> Vec<(Settings, &'static str, &'static str)> {
    let with = |change: &dyn Fn(&mut Settings)| {
        let mut settings = Settings::of(&koha.url(), "send");
        change(&mut settings);
        settings
    };
    vec![
        (with(&|s| s.server = format!("http://127.0.0.1:{}", unused_port())), "server", "nothing answers"),
        (with(&|s| s.server = format!("{}/nothing", koha.url())), "server", "not a Koha"),
        (with(&|s| s.password = "wrong".into()), "password", "does not accept this user name and password"),
        (with(&|s| "circonly".clone_into(&mut s.username)), "password", "does not accept"),
        (with(&|s| s.branchcode = "ZZZ".into()), "branchcode", "no library with the branch code ZZZ"),
    ]
}

/// The only field at which something is said, with what that is, and what the bar says.
fn marked(page: &Page) -> (String, String) {
    let marked =
        "[...document.querySelectorAll('.error:not([hidden])')].map(line => line.id.replace('-error', '')).join()";
    let marked = page.eval(marked).unwrap().as_str().unwrap_or_default().to_owned();
    let said = if marked.is_empty() { String::new() } else { error_at(page, &marked).unwrap() };
    (marked, said)
}

#[test]
fn testing_the_connection_says_precisely_what_is_wrong_at_the_field_that_is() {
    let koha = koha(Era::From2405);
    let desk = desk();
    let page = desk.open_settings().unwrap();
    let good = Settings::of(&koha.url(), "send");
    for (settings, field, says) in faults(&koha) {
        let bar = test(&page, &settings);
        let (marked, said) = marked(&page);
        assert!(marked == field && said.contains(says), "{field}: {marked} {said}");
        assert!(bar.starts_with("It does not work yet: see “"), "{bar}");
        page.wait_focused(field).unwrap();
    }
    assert_eq!(page.eval("browser.storage.local.get('settings').then(all => 'settings' in all)").unwrap(), false);
    // What was wrong is not said any more, and the libraries are there to choose from.
    assert!(test(&page, &good).starts_with("Koha answers, the account works, library CPL exists."));
    assert_eq!(marked(&page).0, "");
    assert_eq!(page.eval("document.getElementById('branch-choice').options.length").unwrap(), 4);
    page.wait_hidden("#settings-next").unwrap();
    // Circulation rights alone are enough.
    let account = "circonly".to_owned();
    let circulation_only = test(&page, &Settings { username: account.clone(), password: account, ..good.clone() });
    assert!(circulation_only.contains("could not be checked"), "{circulation_only}");
    // Nothing that was typed is wrong.
    koha.library(|library| library.preferences.maintenance = true);
    assert!(test(&page, &good).contains("being updated"));
    assert_eq!(marked(&page).0, "");
    let away = test(&page, &Settings { server: format!("http://127.0.0.1:{}", unused_port()), ..good.clone() });
    assert_eq!((away.starts_with("It does not"), marked(&page).0.as_str()), (true, "server"), "it never worked there");
}

#[test]
fn save_and_test_stores_whatever_the_test_shows_and_says_it_once_at_the_field_that_is_wrong() {
    let koha = koha(Era::From2405);
    let desk = desk();
    let page = desk.open_settings().unwrap();
    page.wait_focused("server").unwrap();
    let stored = "Promise.all([browser.storage.local.get('settings'), browser.storage.session.get('password')]) \
        .then(([local, session]) => [local.settings.server, local.settings.username, session.password, local.settings.branchcode])";
    for (settings, field, says) in faults(&koha) {
        enter(&page, &settings).unwrap();
        let bar = save(&page).unwrap();
        let (marked, said) = marked(&page);
        assert!(marked == field && said.contains(says), "{field}: {marked} {said}");
        assert!(bar.starts_with("Saved, but one cannot send yet: see “"), "{bar}");
        page.wait_focused(field).unwrap();
        page.wait_hidden("#settings-next").unwrap();
        let Settings { server, username, password, branchcode, .. } = settings;
        assert_eq!(page.eval(stored).unwrap(), serde_json::json!([server, username, password, branchcode]));
    }
    // Enter saves and tests; then it goes on, to the desk or to what the desk may know offline.
    enter(&page, &Settings::of(&koha.url(), "send")).unwrap();
    page.eval("document.getElementById('branchcode').focus()").unwrap();
    page.type_text("\n").unwrap();
    page.wait_visible("#settings-next").unwrap();
    assert_eq!(page.text("#settings-message").unwrap(), "Saved. Koha answers, the account works, library CPL exists.");
    assert_eq!(marked(&page).0, "");
    page.click("#to-lookup").unwrap();
    page.wait_focused("lookup").unwrap();
    page.type_text(" ").unwrap();
    assert!(save(&page).unwrap().starts_with("Saved. Koha answers"));
    page.wait_hidden("#to-lookup").unwrap();
    page.click("#back-to-desk").unwrap();
    desk.page.wait("document.hasFocus()").unwrap();
    // Where it has worked, nobody is told to look through the address because Koha is away.
    drop(koha);
    page.activate().unwrap();
    let away = save(&page).unwrap();
    assert!(away.starts_with("Saved. Koha does not answer just now."), "{away}");
    assert_eq!(marked(&page).0, "");
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn a_person_who_knows_the_five_answers_is_ready_by_keyboard_alone() {
    let koha = koha(Era::From2405);
    let desk = desk();
    let page = desk.open_settings().unwrap();
    page.wait_focused("server").unwrap();
    // Past the button beside it, and the choice of the account; past what it must be allowed; past the box below the password.
    page.type_text(&format!("{}\t\t\tkoha\t\tkoha\t\tCPL\t", koha.url())).unwrap();
    page.wait_focused("commit-send").unwrap();
    page.press(&[key::DOWN]).unwrap();
    page.type_text("\n").unwrap();
    page.wait_visible("#settings-next").unwrap();
    assert_eq!(page.text("#settings-message").unwrap(), "Saved. Koha answers, the account works, library CPL exists.");
    // It takes effect in the open window at once.
    desk.page.wait("document.getElementById('commit').textContent === 'Apply directly to Koha'").unwrap();
    desk.page.wait_contains("#desk", "CPL").unwrap();
    // What it must be allowed is unfolded by keyboard too.
    page.eval("document.getElementById('username').focus()").unwrap();
    page.type_text("\t ").unwrap();
    page.wait("document.querySelector('details:has(#username-help)').open").unwrap();
}

#[test]
fn whoever_does_not_know_the_branch_code_chooses_their_library_from_the_list() {
    let koha = koha(Era::From2405);
    let desk = desk();
    let page = desk.open_settings().unwrap();
    let stored = "browser.storage.local.get('settings').then(all => all.settings?.branchcode ?? null)";
    assert_eq!(page.eval("document.getElementById('branch-choice').disabled").unwrap(), true);
    // What is wrong besides is said as well.
    let nothing_there = format!("http://127.0.0.1:{}", unused_port());
    enter(&page, &Settings { branchcode: String::new(), ..Settings::of(&nothing_there, "send") }).unwrap();
    assert!(save(&page).unwrap().starts_with("Not saved."));
    assert!(error_at(&page, "server").unwrap().contains("nothing answers"));
    assert_eq!(error_at(&page, "branchcode").unwrap(), "Fill this in.");
    enter(&page, &Settings { branchcode: String::new(), ..Settings::of(&koha.url(), "send") }).unwrap();
    assert!(save(&page).unwrap().starts_with("Not saved."));
    assert_eq!(marked(&page), ("branchcode".into(), "Choose this desk’s library from the list.".into()));
    assert_eq!(page.eval(stored).unwrap(), serde_json::Value::Null);
    // By its first letter.
    page.wait_focused("branch-choice").unwrap();
    page.type_text("M").unwrap();
    page.wait("document.getElementById('branchcode').value === 'MPL'").unwrap();
    assert_eq!(marked(&page).0, "");
    assert!(save(&page).unwrap().starts_with("Saved. Koha answers, the account works, library MPL exists."));
    assert_eq!(page.eval(stored).unwrap(), "MPL");
    assert_eq!(page.value("#branch-choice").unwrap(), "MPL");
}

/// What the lines of the folds say, as they come.
fn lines(page: &Page) -> Vec<String> {
    let lines = page.eval("[...document.querySelectorAll('.fold .says')].map(line => line.textContent)").unwrap();
    serde_json::from_value(lines).unwrap()
}

/// The folds that are open, and those that show that something in them is wrong.
fn folds(page: &Page) -> (Vec<String>, Vec<String>) {
    let which = |css: &str| {
        let ids = format!("[...document.querySelectorAll('{css}')].map(fold => fold.id.replace('fold-', ''))");
        serde_json::from_value(page.eval(&ids).unwrap()).unwrap()
    };
    (which(".fold[open]"), which(".fold[data-state=wrong]"))
}

#[test]
fn each_fold_says_in_a_line_what_is_set_in_it() {
    let desk = desk();
    let page = desk.open_settings().unwrap();
    let named = page.value("#desk-name").unwrap();
    let old = "only where applied directly";
    assert_eq!(
        lines(&page),
        [
            "off",
            "code ends with Enter · any cardnumber · sounds on",
            "as scanned",
            "no library name · no due date",
            &named,
            old
        ]
    );
    assert_eq!(folds(&page), (vec![], vec![]));
    // As it is typed.
    for id in ["lookup", "card-pattern", "library-name", "desk-name", "stale-hours"] {
        unfold(&page, id).unwrap();
    }
    page.click("#lookup").unwrap();
    page.fill("#debt-limit", "7,5").unwrap();
    page.eval("document.getElementById('scanner-end').focus()").unwrap();
    page.type_text("n").unwrap();
    page.fill("#card-pattern", "2352*").unwrap();
    page.click("#sounds").unwrap();
    page.fill("#library-name", "Midway Library").unwrap();
    page.fill("#loan-days", "1").unwrap();
    page.fill("#desk-name", "Bus 2").unwrap();
    page.click("#commit-apply").unwrap();
    page.fill("#stale-hours", "48").unwrap();
    page.click("#koha-checkin").unwrap();
    let expected = [
        "on · until Firefox is closed · debts over 7.50 · remind after 1 day",
        "code ends with nothing · cards 2352* · sounds off",
        "as scanned",
        "Midway Library · 1 day",
        "Bus 2",
        "ask when older than 48 hours · Koha’s own checkin",
    ];
    assert_eq!(lines(&page), expected);
    save(&page).unwrap();
    page.reload().unwrap();
    page.wait("document.body.hasAttribute('data-ready')").unwrap();
    assert_eq!(lines(&page), expected, "as it is stored");
    assert_eq!(folds(&page).0, Vec::<String>::new());
}

/// Puts a code into the field in which a scanner is tried, as key events would that come as fast as a scanner's; and the key that
/// ends it, if one does. What comes of it does not depend on how fast anything is.
fn scan(page: &Page, code: &str, end: &str) {
    let script = format!(
        "(() => {{ const field = document.getElementById('try-scan'); let time = performance.now(); \
         const send = event => {{ Object.defineProperty(event, 'timeStamp', {{value: time += 4}}); field.dispatchEvent(event); }}; \
         for (const character of '{code}') {{ field.value += character; send(new InputEvent('input', {{data: character, bubbles: true}})); }} \
         if ('{end}') send(new KeyboardEvent('keydown', {{key: '{end}', bubbles: true, cancelable: true}})); }})()"
    );
    page.eval(&script).unwrap();
}

#[test]
fn a_scanner_is_tried_without_changing_or_saving_anything() {
    let desk = desk();
    let page = desk.open_settings().unwrap();
    unfold(&page, "try-scan").unwrap();
    let before = lines(&page);
    page.click("#try-scan").unwrap();
    // As it comes: Enter. No cardnumbers are said to look like anything.
    page.type_text("23529001223601\n").unwrap();
    page.wait_text("#try-scan-said", "23529001223601 ends with Enter ✓").unwrap();
    page.fill("#card-pattern", "2352*").unwrap();
    scan(&page, "23529001223602", "Tab");
    page.wait_text("#try-scan-said", "23529001223602 ends with Tab – choose that above · looks like a card").unwrap();
    let set = |end: &str| {
        let script = "(() => { const choice = document.getElementById('scanner-end'); choice.value = 'END'; choice.dispatchEvent(new Event('change', {bubbles: true})); })()";
        page.eval(&script.replace("END", end)).unwrap();
    };
    set("tab");
    scan(&page, "39999000000001", "Tab");
    page.wait_text("#try-scan-said", "39999000000001 ends with Tab ✓ · does not look like a card").unwrap();
    scan(&page, "39999000000002", "");
    let nothing = "39999000000002 ends with nothing – choose that above · does not look like a card";
    page.wait_text("#try-scan-said", nothing).unwrap();
    assert_eq!(page.value("#try-scan").unwrap(), "", "ready for the next one");
    // Tab by hand goes on; and Enter there has saved nothing.
    page.click("#try-scan").unwrap();
    page.type_text("\t").unwrap();
    page.wait_focused("sounds").unwrap();
    page.fill("#card-pattern", "").unwrap();
    set("enter");
    assert_eq!((lines(&page), page.text("#settings-message").unwrap()), (before, String::new()));
    assert_eq!(page.eval("browser.storage.local.get('settings').then(all => 'settings' in all)").unwrap(), false);
}

#[test]
fn a_fold_opens_by_itself_where_something_in_it_is_wrong() {
    let desk = desk();
    let page = desk.open_settings().unwrap();
    let fill = |id: &str, text: &str| {
        unfold(&page, id).unwrap();
        page.fill(&format!("#{id}"), text).unwrap();
    };
    let fold_all = || page.eval("document.querySelectorAll('details').forEach(fold => fold.open = false)").unwrap();
    unfold(&page, "lookup").unwrap();
    page.click("#lookup").unwrap();
    fill("client-id", "key");
    fill("loan-days", "x");
    fill("desk-name", "");
    fold_all();
    assert!(save(&page).unwrap().starts_with("Not saved"));
    let wrong = ["records", "slips", "desks"].map(str::to_owned).to_vec();
    assert_eq!(folds(&page), (wrong.clone(), wrong));
    assert_eq!(lines(&page)[3], "Something in it needs correcting");
    // Also what is folded away in it; and the first that is wrong is where one goes on.
    page.wait_visible("#client-secret-error").unwrap();
    page.wait_focused("client-secret").unwrap();
    fill("client-id", "");
    fill("loan-days", "28");
    assert_eq!(folds(&page).1, ["desks"], "at once");
    fill("desk-name", "Bus 2");
    fold_all();
    save(&page).unwrap();
    assert_eq!(folds(&page), (vec![], vec![]));
    // One that was stored so, by whatever way, is open as soon as the page is.
    let spoil = "browser.storage.local.get('habits').then(({habits}) => browser.storage.local.set({habits: {...habits, loanDays: 'x'}}))";
    page.eval(spoil).unwrap();
    page.reload().unwrap();
    page.wait("document.body.hasAttribute('data-ready')").unwrap();
    assert_eq!(folds(&page), (vec!["slips".to_owned()], vec!["slips".to_owned()]));
}

#[test]
fn fields_are_checked_and_say_what_to_do() {
    let desk = desk();
    let page = desk.open_settings().unwrap();
    page.fill("#server", "koha.example.org").unwrap();
    for (id, text) in [("card-pattern", "*"), ("loan-days", "x")] {
        unfold(&page, id).unwrap();
        page.fill(&format!("#{id}"), text).unwrap();
    }
    assert!(save(&page).unwrap().starts_with("Not saved"));
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
    assert!(save(&page).unwrap().starts_with("Saved"));
    assert_eq!(page.value("#server").unwrap(), "http://127.0.0.1:1/koha");
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

/// What the page holds: its text, and what stands in its fields.
const IN_PAGE: &str =
    "document.documentElement.outerHTML + [...document.querySelectorAll('input')].map(field => field.value).join()";

#[test]
fn a_stored_secret_is_never_in_the_page_and_never_sent_to_another_server() {
    let (koha, other) = (koha(Era::From2405), koha(Era::From2405));
    let desk = desk();
    let page = desk.open_settings().unwrap();
    enter(&page, &Settings::of(&koha.url(), "send")).unwrap();
    unfold(&page, "lookup").unwrap();
    page.click("#lookup").unwrap();
    unfold(&page, "client-id").unwrap();
    page.fill("#client-id", "desk-key").unwrap();
    page.fill("#client-secret", "s3cret-of-key").unwrap();
    let save = || save(&page).unwrap();
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
    let test = || test_only(&page).unwrap();
    assert!(test().starts_with("Koha answers, the account works"), "what is stored is used");

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
    assert!(test().starts_with("Koha answers, the account works"));
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
    assert!(test().starts_with("Koha answers, the account works"));
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
    unfold(&page, "client-id").unwrap();
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
    assert!(test(&page, &Settings::of(&by_name, "send")).starts_with("Koha answers, the account works"));
    wait_for(&["http://127.0.0.1/*"]);
    // Left over, as after a crash: the background looks when it is woken.
    let left_over = "(async () => {
        const {extension} = WebExtensionPolicy.getByID(ADDON);
        const {ExtensionPermissions} = ChromeUtils.importESModule('resource://gre/modules/ExtensionPermissions.sys.mjs');
        await ExtensionPermissions.add(ADDON, {permissions: [], origins: ['http://localhost/*']}, extension);
        await extension.terminateBackground({ disableResetIdleForTest: true });
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
    // Saved for another server: that one alone is allowed.
    page.activate().unwrap();
    enter(&page, &Settings::of(&by_name, "send")).unwrap();
    assert!(save(&page).unwrap().starts_with("Saved"));
    assert_eq!(origins(), serde_json::json!(["http://localhost/*"]));
    // Cleared.
    for field in ["#server", "#username"] {
        page.fill(field, "").unwrap();
    }
    page.fill("#password", "").unwrap();
    assert!(save(&page).unwrap().contains(".koc"));
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
    assert!(desk.page.visible("#set-up").unwrap());
    // What was saved while Koha was away is to be tested.
    let away = Settings::of(&format!("http://127.0.0.1:{}", unused_port()), "send");
    let settings = desk.configure(&away).unwrap();
    desk.page.wait(&format!("({next}) === 'guide-configure'")).unwrap();
    settings.close().unwrap();
    desk.configure(&Settings::of(&koha.url(), "send")).unwrap();
    desk.page.wait(&format!("({next}) === 'guide-ready'")).unwrap();
    assert!(!desk.page.visible("#set-up").unwrap());
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
    unfold(&settings, "library-name").unwrap();
    settings.fill("#library-name", "Bücherei am Markt").unwrap();
    assert!(save(&settings).unwrap().contains(".koc"));
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
    // The fold; on; the second of three ways to keep the key, the passphrase; then each field is typed over. What is for whoever runs Koha is folded away once more, and in
    // it the SQL on the way to the key.
    page.eval("document.querySelector('#fold-records > summary').focus()").unwrap();
    page.type_text("\n").unwrap();
    page.wait_visible("#lookup").unwrap();
    assert_eq!(seen(&page, &["lookup", "lookup-fields", "lookup-off"]), [true, false, false], "off");
    page.type_text("\t \t").unwrap();
    page.press(&[key::DOWN]).unwrap();
    page.type_text("\t6\tnight\ta lot\t0\t31\t\n\tall\t\tdesk-key\t\n").unwrap();
    page.wait("document.getElementById('settings-message').textContent.startsWith('Not saved')").unwrap();
    let errors = [
        "quiet-hours-error",
        "debt-limit-error",
        "remind-days-error",
        "wipe-days-error",
        "restrictions-report-error",
        "client-secret-error",
    ];
    assert_eq!(seen(&page, &errors), [true; 6]);
    page.wait_contains("#wipe-days-error", "30").unwrap();
    page.wait_focused("quiet-hours").unwrap();
    page.press(&[key::CONTROL, 'a']).unwrap();
    page.type_text("22-6\t7,50\t2\t14\t\t12\t\n\t\tdesk-key\ts3cret-of-key\n").unwrap();
    page.wait("document.getElementById('settings-message').textContent.startsWith('Saved')").unwrap();
    assert_eq!(seen(&page, &errors), [false; 6]);
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
    let shown = [
        "refresh-hours",
        "quiet-hours",
        "debt-limit",
        "remind-days",
        "wipe-days",
        "restrictions-report",
        "client-id",
        "client-secret",
    ];
    let values = || shown.map(|id| page.value(&format!("#{id}")).unwrap());
    assert_eq!(values(), ["6", "22-6", "7,50", "2", "14", "12", "desk-key", ""]);
    unfold(&page, "client-secret").unwrap();
    assert!(page.visible("#client-secret-remove").unwrap(), "a secret is stored");
    let in_session = "browser.storage.session.get('clientSecret').then(all => all.clientSecret)";
    assert_eq!(page.eval(in_session).unwrap(), "s3cret-of-key");
    assert_eq!(page.eval("document.getElementById('lookup-passphrase').checked").unwrap(), true);

    unfold(&page, "lookup").unwrap();
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
    assert_eq!(values()[4], "14", "as they were, if it is turned on again");
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}
