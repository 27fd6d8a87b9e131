//! Records keep themselves fresh: downloads that nobody asks for, in the event page.

use crate::{koha, records, wait};
use fake_koha::{Era, FakeKoha, Fault, FaultKind};
use koct_core::settings::key_kept::KeyKept;
use koct_tests::{
    desk::{Desk, Settings, addon},
    firefox::{Firefox, Options},
    page::Page,
    records::aged,
};
use std::time::Duration;

/// Koha rests longer where it answers slowly, and so a download takes its time on a busy computer.
const LIMIT: Duration = Duration::from_mins(3);

/// A page of the add-on that is no window of KOCT: from here its alarms can be seen and rung.
fn lever(firefox: &Firefox) -> Page {
    let page = firefox.open(&firefox.addon_url("options/options.html")).unwrap();
    page.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    page
}

/// As if the time of the alarm had come.
fn ring(page: &Page) {
    page.eval("void browser.alarms.create('koct-records', { when: Date.now() })").unwrap();
}

/// Waits until a download has ended since this time of Firefox's clock, and says how.
fn ended(page: &Page, since: &serde_json::Value) -> String {
    let last = format!(
        "(({{ last }}) => last && last.at >= {since} && last.how)(JSON.parse(localStorage.getItem('koct-refreshes') ?? '{{}}'))"
    );
    page.wait_for(&last, LIMIT).unwrap().as_str().unwrap().to_owned()
}

fn now(page: &Page) -> serde_json::Value {
    page.eval("Date.now()").unwrap()
}

/// The lists that were asked for, in order.
fn lists(koha: &FakeKoha) -> Vec<String> {
    let requests = koha.requests();
    let path = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let is_list = |path: &String| ["patrons", "items", "checkouts", "holds"].contains(&path.as_str());
    requests.iter().map(|request| path(&request.path)).filter(is_list).collect()
}

#[test]
fn they_come_by_alarm_and_at_start_without_a_window_and_never_while_somebody_commits() {
    let koha = koha(Era::From2405);
    let profile = koct_tests::keeper::folder().unwrap();
    let options = Options { profile: Some(profile.path().to_owned()), ..Options::default() };
    let wanted = ["patrons", "items", "checkouts", "holds"];
    {
        let desk = Desk::open(&options).unwrap();
        records::want(&desk, &Settings::of(&koha.url(), "send"), |preferences| {
            preferences.keep_password = true;
            preferences.records.key_kept = KeyKept::Computer;
        });
        let page = lever(&desk.firefox);
        desk.page.close().unwrap();
        let since = now(&page);
        // Its place among all desks is drawn; here it is the first.
        page.eval("localStorage.setItem('koct-refreshes', JSON.stringify({ place: 0 }))").unwrap();
        ring(&page);
        assert_eq!(ended(&page, &since), "done");
        assert_eq!(lists(&koha), wanted, "each once, one after another");
        assert!(desk.firefox.pages_at("popup.html").unwrap().is_empty(), "no window was opened");
        // In the next period: the alarm that watches over a download is replaced.
        page.wait(
            "browser.alarms.get('koct-records').then(alarm => alarm && alarm.scheduledTime > Date.now() + 3000000)",
        )
        .unwrap();
    }
    let firefox = Firefox::ready(&options).unwrap();
    firefox.install(&addon().unwrap()).unwrap();
    let page = lever(&firefox);
    page.wait("browser.alarms.get('koct-records').then(alarm => alarm && alarm.scheduledTime < Date.now() + 61000)")
        .unwrap();
    // As if it had been five hours ago.
    page.eval(&aged(5.0 / 24.0)).unwrap();
    // From here on it rings when this test says so.
    page.eval("browser.alarms.create('koct-records', { delayInMinutes: 60 })").unwrap();
    // What a person has allowed a temporary installation ends with Firefox.
    firefox.allow("http://127.0.0.1/*").unwrap();
    page.eval("localStorage.setItem('koct-refreshes', JSON.stringify({ place: 0 }))").unwrap();
    // Meanwhile a person waits for a page of Koha's: after half a minute that is noticed, at the end.
    koha.fault(Fault::on("/circ/", FaultKind::Hold));
    let waited_for = format!("{}/cgi-bin/koha/circ/circulation-home.pl", koha.url());
    page.eval(&format!("void browser.tabs.create({{ url: '{waited_for}', active: false }})")).unwrap();
    wait("no page of Koha's is asked for", || {
        koha.requests().iter().any(|it| it.path.contains("/circ/")).then_some(())
    });
    // Somebody commits: it waits.
    page.eval("new Promise(held => navigator.locks.request('koct-sender', () => new Promise(release => { window.release = release; held(); })))").unwrap();
    koha.clear_requests();
    // How often the download looks whether somebody commits is counted from its beginning.
    page.eval(
        "(real => { window.looks = 0; real.query = (...given) => { window.looks++; return LockManager.prototype.query.call(real, ...given); }; })\
         (browser.extension.getBackgroundPage().navigator.locks)",
    )
    .unwrap();
    let since = now(&page);
    ring(&page);
    // The page watches over a download that has begun.
    page.wait_for("JSON.parse(localStorage.getItem('koct-refreshes')).planned > Date.now() + 200000", LIMIT).unwrap();
    ring(&page);
    page.wait_for("window.looks > 2", LIMIT).unwrap_or_else(|_| {
        let found = page.eval(
            "browser.alarms.getAll().then(async alarms => JSON.stringify([window.looks, Date.now(), { ...localStorage }, alarms, await navigator.locks.query()]))",
        );
        panic!("it does not look: {found:?}, asked: {:?}", koha.requests())
    });
    assert!(koha.requests().is_empty(), "a commit goes first");
    page.eval("release()").unwrap();
    assert_eq!(ended(&page, &since), "done");
    assert_eq!(lists(&koha), wanted);
    let patrons = koha.requests().into_iter().find(|request| request.path.ends_with("/patrons")).unwrap();
    assert!(patrons.query.contains("updated_on"), "only what has changed: {}", patrons.query);

    // The window says it.
    firefox.click_toolbar_button().unwrap();
    let window = firefox.wait_for_page("popup/popup.html").unwrap();
    window.wait("document.getElementById('records-line').dataset.grade === 'note'").unwrap();
    window.click("#open-records").unwrap();
    window.wait_contains("#records-by-itself", "all is here. The next comes by itself, about").unwrap();
    let asked =
        "browser.storage.session.get('outage').then(({ outage }) => /suspected.*\"badly\":true/.test(outage ?? ''))";
    page.wait_for(asked, LIMIT).unwrap();
    window.wait_text("#reachable", "Koha answers badly").unwrap();
    window.wait_text("#offline-now", "Offline now").unwrap();
    assert_eq!(firefox.console_errors().unwrap(), Vec::<String>::new());
}
