//! The page “Is this desk ready?”, and its line in the window.

use crate::{desk, koha, wait};
use fake_koha::Era;
use koct_tests::{
    axe::{axe, axe_of_colours},
    desk::Settings,
    page::Page,
    settings_page::save,
};
use serde_json::{Value, json};

/// The grade of each line.
fn grades(page: &Page) -> Value {
    let lines = "Object.fromEntries([...document.querySelectorAll('#ready-lines > li')].map(line => [line.dataset.line, line.dataset.grade]))";
    page.eval(lines).unwrap()
}

/// Waits until these lines have these grades, and no line that is `null` is there.
fn wait_for_grades(page: &Page, expected: &Value) {
    let expected = expected.as_object().unwrap();
    wait(&format!("not {expected:?}"), || {
        let found = grades(page);
        expected.iter().all(|(line, grade)| found[line] == *grade).then_some(())
    });
}

fn found_on(page: &Page, line: &str) -> String {
    page.text(&format!("#ready-lines [data-line={line}] [data-field=found]")).unwrap()
}

#[test]
fn a_desk_says_whether_it_is_ready_and_what_is_to_be_done() {
    let koha = koha(Era::From2405);
    let desk = desk();
    // Nothing is set up: the window says so already, and the page says what.
    desk.page.wait_hidden("#ready-line").unwrap();
    desk.page.click("#open-menu").unwrap();
    desk.page.click("#open-ready").unwrap();
    let page = desk.firefox.wait_for_page("options/ready.html").unwrap();
    page.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    let zone = "['UTC', 'GMT', 'Etc/'].some(start => Intl.DateTimeFormat().resolvedOptions().timeZone.startsWith(start)) ? 'careful' : 'good'";
    let zone = page.eval(zone).unwrap();
    wait_for_grades(
        &page,
        &json!({"settings": "stop", "permission": "stop", "connection": "careful", "branch": "note", "records": null,
            "log": "good", "room": "good", "clock": "note", "zone": zone, "version": "good", "profile": "note"}),
    );
    let room = found_on(&page, "room");
    let number = [" GB are left", " MB are left"].iter().find_map(|unit| Some(room.split_once(unit)?.0));
    assert!(number.is_some_and(|number| number.len() <= 4), "{room}");
    assert!(page.text("#ready-summary").unwrap().ends_with("to be done before the next outage."));
    assert_eq!(page.eval("document.getElementById('ready-test').disabled").unwrap(), true);
    assert_eq!(axe(&page).unwrap(), Vec::<String>::new());

    // It is set up and tested, and the page follows.
    let settings = desk.configure(&Settings::of(&koha.url(), "send")).unwrap();
    let good =
        json!({"settings": "good", "permission": "good", "connection": "good", "branch": "good", "clock": "good"});
    wait_for_grades(&page, &good);
    assert!(found_on(&page, "connection").starts_with("Tested: "), "{}", found_on(&page, "connection"));

    // Koha's clock is ahead by more than half a minute: this computer's is behind.
    koha.library(|library| library.clock_shift_seconds = 43);
    page.activate().unwrap();
    page.reload().unwrap();
    wait_for_grades(&page, &json!({"clock": "careful"}));
    let found = found_on(&page, "clock");
    assert!(found.starts_with("0:00:4") && found.contains("behind Koha’s"), "{found}");
    if zone == "good" {
        desk.page.wait_text("#ready-line", "Not ready: Clock").unwrap();
    } else {
        desk.page.wait_visible("#ready-line").unwrap();
    }

    // What it recorded meanwhile can be moved by as much, and is not by itself.
    desk.page.activate().unwrap();
    desk.check_in("39999000000001").unwrap();
    desk.page.run("document.getElementById('show-review').click()").unwrap();
    desk.page.wait_contains("#review-suggestions [data-field=words]", "its clock was 0:00:4").unwrap();
    desk.page.wait_hidden("#review-store").unwrap();
    desk.page.click("#review-suggestions [data-field=move]").unwrap();
    desk.page.wait_contains("#review-desks [data-field=moves]", "1 transaction will move:").unwrap();
    desk.page.click("#review-store").unwrap();
    desk.page.wait_hidden("#review-store").unwrap();
    desk.page.wait("document.getElementById('review-suggestions').childElementCount === 0").unwrap();
    desk.page.click("#review-cancel").unwrap();
    page.activate().unwrap();

    // What worked does not any more, and the page says why when it is tested there.
    koha.library(|library| library.clock_shift_seconds = 0);
    page.click("#ready-settings").unwrap();
    settings.wait("document.visibilityState === 'visible'").unwrap();
    settings.fill("#password", "mistyped").unwrap();
    settings.fill("#branchcode", "XYZ").unwrap();
    save(&settings).unwrap();
    wait_for_grades(&page, &json!({"connection": "stop", "branch": "note"}));
    desk.page.wait_text("#ready-line", "Not ready: Connection and account").unwrap();
    settings.fill("#password", "koha").unwrap();
    save(&settings).unwrap();
    wait_for_grades(&page, &json!({"connection": "good", "branch": "stop"}));
    settings.fill("#branchcode", "CPL").unwrap();
    settings.eval("document.querySelectorAll('.fold').forEach(fold => fold.open = true)").unwrap();
    settings.click("#lookup").unwrap();
    save(&settings).unwrap();
    wait_for_grades(&page, &json!({"connection": "good", "branch": "good", "records": "careful"}));
    // A file of another desk was written by a newer version.
    let folder = koct_tests::keeper::folder().unwrap();
    let newer = folder.path().join("Bus.koc");
    std::fs::write(&newer, "Version=1.0\tGenerator=koct\tGeneratorVersion=9999.0.0\n").unwrap();
    desk.page.activate().unwrap();
    desk.page.click("#import-koc").unwrap();
    desk.page.choose_files("#import-files", &[&newer]).unwrap();
    wait_for_grades(&page, &json!({"version": "careful"}));
    assert!(found_on(&page, "version").contains("The library has 9999.0.0"), "{}", found_on(&page, "version"));
    desk.page.click("#import-close").unwrap();
    page.eval("browser.storage.local.remove('newestSeen')").unwrap();
    // Another Firefox of this profile has found what this one has kept.
    page.eval("browser.storage.local.set({ starts: { first: Date.now() - 86400000, count: 1 } })").unwrap();
    wait_for_grades(&page, &json!({"profile": "good"}));
    page.activate().unwrap();
    page.reload().unwrap();
    wait_for_grades(&page, &json!({"clock": "good", "profile": "good"}));
    let stopped = koha.stop();
    page.wait("document.body.hasAttribute('data-ready')").unwrap();
    page.click("#ready-test").unwrap();
    wait_for_grades(&page, &json!({"connection": "stop"}));
    page.wait_contains("#ready-said", "Koha cannot be reached").unwrap();
    assert_eq!(axe(&page).unwrap(), Vec::<String>::new());
    desk.firefox.set_dark(true).unwrap();
    page.wait("matchMedia('(prefers-color-scheme: dark)').matches && !document.getAnimations().length").unwrap();
    assert_eq!(axe_of_colours(&page).unwrap(), Vec::<String>::new());
    desk.firefox.set_dark(false).unwrap();
    // It is back.
    let _koha = stopped.start().unwrap();
    page.click("#ready-test").unwrap();
    wait_for_grades(&page, &json!({"connection": "good"}));
    if zone == "good" {
        desk.page.wait_hidden("#ready-line").unwrap();
    }
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}
