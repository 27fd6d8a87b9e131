//! Records for look-up: downloading them, going on after a break, locking and deleting them.

use crate::{desk, koha, pointing::keys_every, reopen, wait};
use fake_koha::{Config, Era, FakeKoha, Fault, FaultKind, Flag, Library, Report, Size};
use koct_core::{
    desk::guard::AHEAD_TIMEOUT,
    settings::{form::Secret, key_kept::KeyKept, table::Preferences},
};
use koct_tests::{
    desk::{Desk, Settings},
    firefox::Options,
    page::Page,
    records::aged,
    settings_page,
};
use std::time::Duration;

const LIMIT: Duration = Duration::from_mins(2);

/// Sets the desk up with records wanted, and with more.
pub(crate) fn wanting(koha: &FakeKoha, more: impl FnOnce(&mut Preferences)) -> Desk {
    let desk = desk();
    want(&desk, &Settings::of(&koha.url(), "send"), more);
    desk
}

pub(crate) fn want(desk: &Desk, settings: &Settings, more: impl FnOnce(&mut Preferences)) {
    // The last of all desks: an hour passes until anything comes by itself.
    desk.page.eval("localStorage.setItem('koct-refreshes', JSON.stringify({ place: 65535 }))").unwrap();
    desk.set_up_with(settings, |preferences| {
        preferences.records.enabled = true;
        more(preferences);
    })
    .unwrap();
    desk.page.wait("!document.getElementById('open-records').hidden").unwrap();
}

fn save(page: &Page) {
    assert!(settings_page::save(page).unwrap().starts_with("Saved. Koha answers"));
}

fn open(desk: &Desk) {
    desk.page.click("#open-records").unwrap();
    desk.page.wait("document.getElementById('records-dialog').open").unwrap();
}

/// Presses the button of the dialog, and waits for what is said at the end.
fn press_and_wait(desk: &Desk) -> String {
    // What was said before is not the end of this one.
    desk.page.eval("document.getElementById('records-state').replaceChildren()").unwrap();
    desk.page.click("#records-download").unwrap();
    ended(desk)
}

fn ended(desk: &Desk) -> String {
    let state = "document.getElementById('records-stop').hidden && (said => said !== 'Unlocking…' && said)(document.querySelector('#records-state:is(.message-good, .message-bad, .message-doubt)')?.innerText)";
    desk.page.wait_for(state, LIMIT).unwrap().as_str().unwrap().to_owned()
}

/// Opens the dialog, downloads, and closes it.
pub(crate) fn download(desk: &Desk) -> String {
    open(desk);
    let said = press_and_wait(desk);
    desk.page.click("#records-close").unwrap();
    said
}

/// Whatever the records need to answer a scan, it is in time: this machine may be busy.
pub(crate) fn wait_for_records(desk: &Desk) {
    let patient = "void (real => { window.setTimeout = (call, after, ...rest) => real(call, after === AHEAD ? 60000 : after, ...rest); })(window.setTimeout)";
    desk.page.eval(&patient.replace("AHEAD", &AHEAD_TIMEOUT.as_millis().to_string())).unwrap();
}

/// Deletes them in the dialog, which stays open.
pub(crate) fn delete(page: &Page) {
    page.click("#open-records").unwrap();
    page.click("#records-more > summary").unwrap();
    page.click("#records-delete").unwrap();
    page.wait("document.getElementById('question').open").unwrap();
    page.click("#question-yes").unwrap();
    page.wait("document.getElementById('records-state').innerText === 'The records are deleted.'").unwrap();
}

/// What the table of the dialog shows: a row each.
fn sets(desk: &Desk) -> Vec<String> {
    let rows = desk.page.eval("[...document.querySelectorAll('#records-sets tr')].map(row => [...row.children].filter((_, place) => place !== 2).map(cell => cell.innerText).join('|'))").unwrap();
    rows.as_array().unwrap().iter().map(|row| row.as_str().unwrap().to_owned()).collect()
}

fn large() -> Library {
    Library::generate_sized(3, &Size { patrons: 2_500, items: 3_200, loans: 400, holds: 120 })
}

fn small() -> Library {
    Library::generate_sized(3, &Size { patrons: 20, items: 30, loans: 10, holds: 5 })
}

fn pages(koha: &FakeKoha, path: &str) -> usize {
    koha.requests().iter().filter(|request| request.path.ends_with(path)).count()
}

/// A script, for the clock of a page: from now on the pauses of a download there, which are core's matter, take a fiftieth of their time.
pub(crate) const BRISK: &str = "(clock => void (clock.now = (real => () => real() * 50)(clock.now.bind(clock))))";

fn brisk(desk: &Desk) {
    desk.page.eval(&format!("{BRISK}(performance)")).unwrap();
}

#[test]
fn nothing_is_asked_for_until_somebody_wants_it() {
    let koha = koha(Era::From2405);
    let desk = crate::configured(&koha, "send");
    // It has followed the settings.
    desk.page.wait_contains("#desk", "CPL").unwrap();
    assert!(!desk.page.visible("#open-records").unwrap() && !desk.page.visible("#records-line").unwrap());
    want(&desk, &Settings::of(&koha.url(), "send"), |_| {});
    desk.page.wait("document.getElementById('records-line-text').innerText.includes('No records')").unwrap();
    assert!(koha.requests().iter().all(|request| !request.path.ends_with("/patrons")));
    assert!(download(&desk).starts_with("All records are here"));
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn everything_comes_with_its_number_and_later_only_what_has_changed() {
    let koha = FakeKoha::start(Config { era: Era::From2405, library: large(), ..Config::default() }).unwrap();
    let desk = wanting(&koha, |_| {});
    open(&desk);
    assert_eq!(press_and_wait(&desk), "All records are here.");
    // Five accounts of the staff are patrons too.
    let staff = koha.library(|library| library.patrons.len()) - 2_500;
    let expected = [
        format!("Patrons|{}|", locale(2_500 + staff)),
        "Items|3,200|".into(),
        "Checkouts|400|".into(),
        "Holds|120|".into(),
    ];
    assert_eq!(sets(&desk), expected);
    assert!(pages(&koha, "/patrons") >= 3, "page by page");

    koha.clear_requests();
    koha.library(|library| {
        let now = library.now_local();
        let patron = library.patron_mut("20000000000007").unwrap();
        patron.surname = "Changed".into();
        patron.updated_on = now.into();
        library.loans.truncate(390);
    });
    assert_eq!(press_and_wait(&desk), "All records are here.");
    assert_eq!(sets(&desk)[0], expected[0]);
    assert_eq!(sets(&desk)[2], "Checkouts|390|");
    let requests = koha.requests();
    let of_patrons = requests.iter().filter(|request| request.path.ends_with("/patrons"));
    let asked: Vec<&str> = of_patrons.map(|request| request.parameter("q").unwrap()).collect();
    assert!(asked[0].contains("updated_on"), "only the changes: {asked:?}");
    assert!(
        asked.len() > 1 && asked[1..].iter().all(|q| q.starts_with(r#"{"me.patron_id":["#)),
        "then who owes: {asked:?}"
    );
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

fn locale(number: usize) -> String {
    format!("{},{:03}", number / 1000, number % 1000)
}

#[test]
fn a_download_that_breaks_goes_on_where_it_was_even_in_another_window() {
    let koha = FakeKoha::start(Config { era: Era::From2405, library: large(), ..Config::default() }).unwrap();
    let mut desk = wanting(&koha, |_| {});
    // The answer breaks off in its middle, again and again.
    koha.fault(Fault::on("/items", FaultKind::CutAfter(30_000)).skip(1));
    brisk(&desk);
    open(&desk);
    let said = press_and_wait(&desk);
    assert!(said.contains("What was read is kept"), "{said}");
    let before = koha.requests().iter().filter(|request| request.path.ends_with("/patrons")).count();
    koha.clear_faults();
    reopen(&mut desk);
    desk.page.wait("!document.getElementById('open-records').hidden").unwrap();
    koha.clear_requests();
    open(&desk);
    assert_eq!(press_and_wait(&desk), "All records are here.");
    assert_eq!(sets(&desk)[1], "Items|3,200|");
    assert_eq!(pages(&koha, "/patrons"), 0, "those were here: {before} pages");
    let first = koha.requests().into_iter().find(|request| request.path.ends_with("/items")).unwrap();
    assert!(!first.parameter("q").unwrap().contains(r#"{">":0}"#), "not from the start");
}

#[test]
fn a_download_can_be_cancelled_and_scans_go_on_meanwhile() {
    let koha = FakeKoha::start(Config { era: Era::From2405, library: large(), ..Config::default() }).unwrap();
    koha.fault(Fault::on("/items", FaultKind::Hold).skip(1));
    let desk = wanting(&koha, |_| {});
    brisk(&desk);
    open(&desk);
    desk.page.click("#records-download").unwrap();
    desk.page.wait("document.getElementById('records-state').innerText.startsWith('Items')").unwrap();
    desk.page.click("#records-close").unwrap();
    desk.check_out("20000000000001", "30000000000002").unwrap();
    assert!(desk.page.text("#records-line-text").unwrap().starts_with("Items"), "it goes on");
    open(&desk);
    desk.page.click("#records-stop").unwrap();
    koha.clear_faults();
    assert!(ended(&desk).starts_with("Cancelled."));
    assert_eq!(press_and_wait(&desk), "All records are here.");

    // While it waits to try again, too: here no such pause ever ends.
    desk.page.eval("void (performance.now = (now => () => now)(performance.now()))").unwrap();
    koha.fault(Fault::on("/items", FaultKind::Status(503)));
    koha.clear_requests();
    desk.page.click("#records-download").unwrap();
    wait("nobody asks for items", || (pages(&koha, "/items") > 0).then_some(()));
    desk.page.click("#records-stop").unwrap();
    assert!(ended(&desk).starts_with("Cancelled."));
    koha.clear_faults();
    desk.page.eval("delete performance.now").unwrap();
    brisk(&desk);

    // Somebody sets another server meanwhile: nothing more is asked of this one, and what it gave is not used for the other.
    let other = crate::koha(Era::From2405);
    koha.fault(Fault::on("/items", FaultKind::Hold));
    desk.page.click("#records-download").unwrap();
    desk.page.wait("document.getElementById('records-state').innerText.startsWith('Items')").unwrap();
    want(&desk, &Settings::of(&other.url(), "send"), |_| {});
    koha.clear_requests();
    koha.clear_faults();
    assert_eq!(ended(&desk), "The settings were changed meanwhile. Download again.");
    // What was held is answered.
    let [items, loans, holds] = ["/items", "/checkouts", "/holds"].map(|list| pages(&koha, list));
    assert!(items <= 1 && loans + holds == 0, "{items} {loans} {holds}");
    desk.page.wait_contains("#records-line-text", "Records of another server: download again").unwrap();
    desk.page.click("#records-close").unwrap();
    open(&desk);
    assert!(desk.page.text("#records-state").unwrap().contains(&koha.url()), "of which");
    assert_eq!(press_and_wait(&desk), "All records are here.");
    assert!(pages(&other, "/patrons") > 0);
}

#[test]
fn what_the_account_may_not_read_is_said_and_the_rest_works() {
    let mut library = small();
    library.add_account("desk", &[Flag::Catalogue, Flag::EditCatalogue, Flag::Circulate]);
    let koha = FakeKoha::start(Config { era: Era::From2405, library, ..Config::default() }).unwrap();
    let desk = desk();
    let mut settings = Settings::of(&koha.url(), "send");
    "desk".clone_into(&mut settings.username);
    "desk".clone_into(&mut settings.password);
    want(&desk, &settings, |_| {});
    open(&desk);
    assert!(press_and_wait(&desk).starts_with("Done. What this account may not read"));
    let sets = sets(&desk);
    assert!(
        sets[0].contains("borrowers: edit_borrowers") && sets[3].contains("reserveforothers: place_holds"),
        "{sets:?}"
    );
    assert!(sets[1].starts_with("Items|30|") && sets[2].starts_with("Checkouts|10|"));
}

#[test]
fn an_older_koha_gives_what_it_has() {
    let koha = FakeKoha::start(Config { era: Era::Before2405, library: small(), ..Config::default() }).unwrap();
    let desk = wanting(&koha, |_| {});
    open(&desk);
    assert!(press_and_wait(&desk).starts_with("Done."));
    let sets = sets(&desk);
    assert!(sets[0].contains("Without debts."), "{sets:?}");
    assert!(sets[1].contains("does not offer them"));
    assert!(sets[2].starts_with("Checkouts|10|") && sets[3].starts_with("Holds|5|"), "{sets:?}");
}

#[test]
fn an_api_key_is_used_where_there_is_one() {
    let mut library = small();
    library.add_api_key("koha", "desk-key", "key-secret");
    let koha = FakeKoha::start(Config { era: Era::From2405, library, ..Config::default() }).unwrap();
    let desk = wanting(&koha, |preferences| {
        preferences.records.client_id = "desk-key".into();
        preferences.records.client_secret = Secret::new("wrong");
    });
    assert!(download(&desk).contains("does not accept the API key"));
    let page = desk.open_settings().unwrap();
    settings_page::unfold(&page, "client-secret").unwrap();
    page.fill("#client-secret", "key-secret").unwrap();
    save(&page);
    page.close().unwrap();
    desk.page.activate().unwrap();
    koha.clear_requests();
    assert_eq!(download(&desk), "All records are here.");
    let requests = koha.requests();
    assert!(requests.iter().all(|request| !request.path.contains("svc/authentication")), "no login");
    assert!(requests.iter().all(|request| !format!("{}{:?}", request.path, request.query).contains("key-secret")));
}

#[test]
fn a_report_on_restrictions_is_read_where_there_is_one() {
    for era in [Era::Before2405, Era::From2405] {
        let mut library = Library::generate_sized(3, &Size { patrons: 200, items: 100, loans: 10, holds: 5 });
        library.add_api_key("koha", "desk-key", "key-secret");
        library.reports.insert(2, Report::RestrictionsWithoutPlaceholder);
        library.reports.insert(3, Report::Wrong);
        let restricted = library
            .patrons
            .iter()
            .filter(|patron| patron.restricted_until.as_deref().is_some_and(|until| until > "2080"));
        let restricted = restricted.count();
        assert!(restricted > 1);
        let koha = FakeKoha::start(Config { era, library, ..Config::default() }).unwrap();
        let desk = wanting(&koha, |preferences| preferences.records.restrictions_report = "1".into());
        open(&desk);
        press_and_wait(&desk);
        assert_eq!(sets(&desk)[4], format!("Restrictions|{restricted}|"), "{era:?}");
        desk.page.click("#records-close").unwrap();
        for (number, key, row) in [
            // The account of the desk reads it, whoever reads the rest.
            ("1", "desk-key", Some("|")),
            ("2", "", Some("|The report does not give what is needed.")),
            ("3", "", Some("|The report does not give what is needed.")),
            ("99", "", Some("|Koha has no report of this number,")),
            ("", "", None),
        ]
        .into_iter()
        // What Koha answers to a report, and what is made of that, is the same in both eras.
        .take(if era == Era::From2405 { 5 } else { 1 })
        {
            want(&desk, &Settings::of(&koha.url(), "send"), |preferences| {
                preferences.records.restrictions_report = number.into();
                preferences.records.client_id = key.into();
                preferences.records.client_secret = Secret::new(if key.is_empty() { "" } else { "key-secret" });
            });
            koha.clear_requests();
            open(&desk);
            let said = press_and_wait(&desk);
            let sets = sets(&desk);
            let expected = row.map(|row| format!("Restrictions|{restricted}{row}"));
            assert!(
                match (&expected, sets.get(4)) {
                    (Some(expected), Some(shown)) => shown.starts_with(expected),
                    (None, None) => true,
                    _ => false,
                },
                "{era:?} {number}: {sets:?}"
            );
            assert!(
                said.starts_with(if era == Era::From2405 && matches!(number, "1" | "") {
                    "All records"
                } else {
                    "Done."
                }),
                "{said}"
            );
            desk.page.click("#records-close").unwrap();
            let addresses = koha.requests().into_iter().map(|request| format!("{}{:?}", request.path, request.query));
            assert!(addresses.into_iter().all(|address| !address.contains("password") && !address.contains("secret")));
        }
        let errors: Vec<_> = desk.firefox.console_errors().unwrap();
        assert_eq!(errors, Vec::<String>::new());
    }
}

#[test]
fn records_end_with_the_session_of_firefox_unless_a_passphrase_opens_them() {
    let koha = koha(Era::From2405);
    let profile = koct_tests::keeper::folder().unwrap();
    let options = Options { profile: Some(profile.path().to_owned()), ..Options::default() };
    let start = || Desk::open(&options).unwrap();
    {
        let desk = start();
        want(&desk, &Settings::of(&koha.url(), "send"), |preferences| preferences.keep_password = true);
        assert_eq!(download(&desk), "All records are here.");
    }
    {
        let desk = start();
        desk.page.wait("document.getElementById('records-line-text').innerText.includes('Records deleted')").unwrap();
        want(&desk, &Settings::of(&koha.url(), "send"), |preferences| {
            preferences.keep_password = true;
            preferences.records.key_kept = KeyKept::Passphrase;
        });
        open(&desk);
        desk.page.fill("#records-new", "short").unwrap();
        assert!(press_and_wait(&desk).contains("at least 8"));
        desk.page.fill("#records-new", "correct horse").unwrap();
        desk.page.fill("#records-again", "correct hose").unwrap();
        assert!(press_and_wait(&desk).contains("not the same"));
        desk.page.fill("#records-again", "correct horse").unwrap();
        assert_eq!(press_and_wait(&desk), "All records are here.");
    }
    let desk = start();
    desk.page.wait("document.getElementById('records-line-text').innerText.includes('locked')").unwrap();
    desk.check_in("39999000000001").unwrap();
    open(&desk);
    assert!(sets(&desk)[0].starts_with("Patrons|24|"), "counts and dates are no secret");
    desk.page.fill("#records-passphrase", "correct hose").unwrap();
    assert!(press_and_wait(&desk).contains("not the passphrase"));
    // A helper types as fast as a scanner, which does not look where it types. Of a code enough is said to know it again.
    keys_every(&desk, 5);
    let scanned = "document.querySelector('#records-dialog [data-field=scanned]')?.innerText ?? ''";
    let said = "Scanned …002. Close this first, then scan again.";
    for (entered, told) in [("correct hose", ""), ("39999000000002", said)] {
        desk.page.eval("document.getElementById('records-state').replaceChildren()").unwrap();
        desk.page.type_text(&format!("{entered}\n")).unwrap();
        assert!(ended(&desk).contains("not the passphrase"), "it was tried");
        assert_eq!(desk.page.eval(scanned).unwrap(), told);
        desk.page.wait_focused("records-passphrase").unwrap();
    }
    assert_eq!(desk.message().unwrap(), said);
    keys_every(&desk, 400);
    desk.page.fill("#records-passphrase", "correct horse").unwrap();
    desk.page.type_text("\n").unwrap();
    desk.page.wait("document.getElementById('records-state').innerText === 'Unlocked.'").unwrap();
    desk.page.wait("document.getElementById('records-line').dataset.grade === 'note'").unwrap();
    // The third way: the key stays on this computer, and nothing is downloaded anew for it.
    desk.page.click("#records-close").unwrap();
    koha.clear_requests();
    want(&desk, &Settings::of(&koha.url(), "send"), |preferences| {
        preferences.keep_password = true;
        preferences.records.key_kept = KeyKept::Computer;
    });
    desk.page.wait(&format!("{KEYS}.then(keys => keys === '[null,true]')")).unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
    drop(desk);
    let desk = start();
    desk.page.wait("document.getElementById('records-line').dataset.grade === 'note'").unwrap();
    assert_eq!(pages(&koha, "/patrons"), 0);
    desk.check_out("23529000035676", "39999000000001").unwrap();
    desk.page.wait("document.getElementById('patron-name').textContent !== ''").unwrap();
    // Forgetting the records forgets the key.
    delete(&desk.page);
    assert_eq!(desk.page.eval(KEYS).unwrap(), "[null,false]");
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

/// What lies on the disk of the key: whether it is locked with a passphrase, and whether it lies there as it is, from which nobody
/// gets its bytes.
const KEYS: &str = "(async () => { const base = await new Promise(done => { const o = indexedDB.open('koct-directory'); o.onsuccess = () => done(o.result); }); \
    const get = name => new Promise(done => { const r = base.transaction('state').objectStore('state').get(name); r.onsuccess = () => done(r.result); }); \
    const [locked, key] = [await get('passphrase'), await get('key')]; base.close(); \
    return JSON.stringify([JSON.parse(locked ?? 'null') && 'locked', key instanceof CryptoKey && !key.extractable]); })()";

/// How many blocks lie in the database.
fn blocks(page: &Page) -> u64 {
    let count = "(async () => { const names = (await indexedDB.databases()).map(base => base.name); if (!names.includes('koct-directory')) return 0; \
        const base = await new Promise((done, fail) => { const o = indexedDB.open('koct-directory'); o.onsuccess = () => done(o.result); o.onerror = fail; }); \
        const number = await new Promise((done, fail) => { const r = base.transaction('blocks').objectStore('blocks').count(); r.onsuccess = () => done(r.result); r.onerror = fail; }); \
        base.close(); return number; })()";
    page.eval(count).unwrap().as_u64().unwrap()
}

#[test]
fn one_button_deletes_them_and_so_do_age_and_turning_it_off() {
    let koha = koha(Era::From2405);
    let desk = wanting(&koha, |_| {});
    download(&desk);
    assert!(blocks(&desk.page) > 4);
    open(&desk);
    desk.page.click("#records-more > summary").unwrap();
    desk.page.click("#records-delete").unwrap();
    desk.page.wait("document.getElementById('question').open").unwrap();
    desk.page.click("#question-yes").unwrap();
    desk.page.wait("document.getElementById('records-state').innerText === 'The records are deleted.'").unwrap();
    assert_eq!(blocks(&desk.page), 0);
    assert_eq!(press_and_wait(&desk), "All records are here.");

    // As if they had been downloaded forty days ago.
    desk.page.eval(&aged(3.0)).unwrap();
    desk.page.reload().unwrap();
    desk.page.wait("document.getElementById('records-line-text').innerText === 'Records: 3 days old'").unwrap();
    // The age stands beside the warning itself.
    desk.check_in("nowhere-1").unwrap();
    desk.page
        .wait("document.querySelector('#checkin-items-list [data-field=word]')?.title.startsWith('as of ')")
        .unwrap();
    desk.page
        .wait("document.querySelector('#transactions-rows [data-field=warned]')?.title.includes(' · as of ')")
        .unwrap();
    desk.page.eval(&aged(40.0)).unwrap();
    desk.page.reload().unwrap();
    desk.page.wait("document.getElementById('records-line-text').innerText.includes('No records')").unwrap();
    assert_eq!(blocks(&desk.page), 0);

    download(&desk);
    assert!(blocks(&desk.page) > 4);
    let page = desk.open_settings().unwrap();
    settings_page::unfold(&page, "lookup").unwrap();
    page.click("#lookup").unwrap();
    save(&page);
    page.close().unwrap();
    desk.page.activate().unwrap();
    desk.page.wait("document.getElementById('open-records').hidden").unwrap();
    crate::wait("they are still there", || (blocks(&desk.page) == 0).then_some(()));
}

#[test]
fn windows_do_not_go_on_telling_each_other_of_what_is_deleted() {
    let koha = koha(Era::From2405);
    let desk = wanting(&koha, |_| {});
    download(&desk);
    let other = desk.firefox.open(&desk.firefox.addon_url("popup/popup.html")).unwrap();
    other.wait("!document.getElementById('open-records').hidden").unwrap();
    desk.page.eval("void (window.told = 0, window.listening = new BroadcastChannel('koct-records'), listening.onmessage = ({ data }) => { if (JSON.parse(data) === 'Changed') window.told++; })").unwrap();
    let page = desk.open_settings().unwrap();
    settings_page::unfold(&page, "lookup").unwrap();
    page.click("#lookup").unwrap();
    save(&page);
    for window in [&desk.page, &other] {
        window.wait("document.getElementById('open-records').hidden").unwrap();
    }
    // A message is passed to and fro between the two, each time behind what a window does at hearing that records are deleted: if
    // one such message brought forth the next, there would be dozens meanwhile.
    desk.page.eval("void (window.rounds = 0)").unwrap();
    let look = "(async () => { for (let times = 0; times < 3; times++) { await browser.storage.local.get(); \
        if ((await indexedDB.databases()).some(base => base.name === 'koct-directory')) { \
        const base = await new Promise((done, fail) => { const o = indexedDB.open('koct-directory'); o.onsuccess = () => done(o.result); o.onerror = fail; }); \
        await new Promise((done, fail) => { const r = base.transaction('blocks').objectStore('blocks').count(); r.onsuccess = done; r.onerror = fail; }); base.close(); } } })()";
    for (page, then) in [(&other, "true"), (&desk.page, "++window.rounds < 30")] {
        page.eval(&format!(
            "void (window.fence = new BroadcastChannel('fence'), fence.onmessage = async () => {{ await {look}; if ({then}) fence.postMessage(null); }})"
        ))
        .unwrap();
    }
    other.eval("void fence.postMessage(null)").unwrap();
    desk.page.wait_for("window.rounds >= 30", LIMIT).unwrap();
    let told = desk.page.eval("window.told").unwrap().as_u64().unwrap();
    assert!(told <= 3, "{told} times");
    assert_eq!(blocks(&desk.page), 0);
}

#[test]
fn turning_it_off_deletes_them_though_no_window_is_open() {
    let koha = koha(Era::From2405);
    let desk = wanting(&koha, |_| {});
    download(&desk);
    let page = desk.open_settings().unwrap();
    desk.page.close().unwrap();
    page.activate().unwrap();
    assert!(blocks(&page) > 4);
    settings_page::unfold(&page, "lookup").unwrap();
    page.click("#lookup").unwrap();
    save(&page);
    assert_eq!(blocks(&page), 0);
}
