//! Records keep themselves fresh: downloads that nobody asks for, in the event page.

use crate::{
    koha,
    records::{self, BRISK},
    wait,
};
use fake_koha::{Era, FakeKoha, Fault, FaultKind};
use koct_core::settings::key_kept::KeyKept;
use koct_tests::{
    desk::{Desk, Settings, addon},
    firefox::{Firefox, Options},
    page::Page,
    records::aged,
    settings_page,
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

/// Koha rests for a moment where it would rest for two seconds and more: when, is core's matter.
fn brisk(page: &Page) {
    page.eval(&format!("browser.runtime.getBackgroundPage().then(({{ performance }}) => {BRISK}(performance))"))
        .unwrap();
}

/// From now on the ten seconds of each step in which a page of Koha's is waited for pass when [`pass_a_step`] says so.
fn hold_steps(page: &Page) {
    page.eval(
        "browser.runtime.getBackgroundPage().then(it => { const real = it.setTimeout; window.steps = []; \
         it.setTimeout = (call, after, ...rest) => after === 10000 ? -window.steps.push(call) : real(call, after, ...rest); })",
    )
    .unwrap();
}

/// Ten seconds are over, in which a page was waited for once more.
fn pass_a_step(page: &Page, number: u32) {
    page.wait(&format!("window.steps.length === {number}")).unwrap();
    page.eval("void window.steps.at(-1)()").unwrap();
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
        brisk(&page);
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
    brisk(&page);
    // Meanwhile a person waits for a page of Koha's: after half a minute that is noticed, at the end.
    hold_steps(&page);
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
    pass_a_step(&page, 1);
    pass_a_step(&page, 2);
    let asked =
        "browser.storage.session.get('outage').then(({ outage }) => /suspected.*\"badly\":true/.test(outage ?? ''))";
    assert_eq!(page.eval(asked).unwrap(), false, "a page may take its time");
    pass_a_step(&page, 3);
    page.wait_for(asked, LIMIT).unwrap();
    window.wait_text("#reachable", "Koha answers badly").unwrap();
    window.wait_text("#offline-now", "Offline now").unwrap();
    assert_eq!(firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn what_is_saved_while_it_is_decided_when_they_come_is_what_counts() {
    let koha = koha(Era::From2405);
    let desk = crate::configured(&koha, "send");
    let page = lever(&desk.firefox);
    // In the middle of all desks: half an hour passes until anything comes.
    page.eval("localStorage.setItem('koct-refreshes', JSON.stringify({ place: 32768 }))").unwrap();
    // Whoever decides has read that no records are wanted, and does not get on.
    page.eval(
        "browser.runtime.getBackgroundPage().then(({ browser: { storage: { managed } } }) => { const real = managed.get; \
         managed.get = (...of) => { managed.get = real; window.isDeciding = true; \
         return new Promise(done => { window.goOn = () => done(real(...of)); }); }; })",
    )
    .unwrap();
    ring(&page);
    page.wait("window.isDeciding").unwrap();
    settings_page::unfold(&page, "lookup").unwrap();
    page.click("#lookup").unwrap();
    assert!(settings_page::save(&page).unwrap().starts_with("Saved. Koha answers"));
    page.eval("window.goOn()").unwrap();
    page.wait("browser.alarms.get('koct-records').then(alarm => alarm && alarm.scheduledTime > Date.now() + 1200000)")
        .unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}
