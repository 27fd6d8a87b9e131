//! `cargo xtask screenshots`: every page and state of the real add-on as a picture, in light, dark, narrow and large print.

use crate::{
    addon,
    project::{self, Result, at},
    setup,
};
use fake_koha::{Amount, Checkins, Config, DateFormat, Era, FakeKoha, Fault, FaultKind, Front, Library, RetryAfter};
use koct_tests::{
    desk::{Desk, Settings, enter},
    firefox::Options,
    page::{Page, key},
    records::aged,
    settings_page::{save, test_only, unfold},
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// A way of looking at the add-on.
struct Look {
    name: &'static str,
    width: u32,
    height: u32,
    dark: bool,
    language: Option<&'static str>,
    /// Preferences of Firefox; the values as JSON.
    prefs: &'static [(&'static str, &'static str)],
}

/// As KOCT's window opens.
const LIGHT: Look = Look { name: "light", width: 1060, height: 780, dark: false, language: None, prefs: &[] };

const LOOKS: [Look; 11] = [
    LIGHT,
    Look { name: "dark", dark: true, ..LIGHT },
    Look { name: "narrow", width: 480, height: 800, ..LIGHT },
    Look { name: "small", width: 800, height: 600, ..LIGHT },
    Look { name: "laptop", width: 1366, height: 768, ..LIGHT },
    Look { name: "wide", width: 1440, height: 900, ..LIGHT },
    // Text half as large again leaves two thirds of the window's width and height.
    Look { name: "large-text", width: 707, height: 520, prefs: &[("layout.css.devPixelsPerPx", "\"1.5\"")], ..LIGHT },
    Look { name: "high-contrast", prefs: &[("browser.display.document_color_use", "2")], ..LIGHT },
    Look { name: "german", language: Some("de"), ..LIGHT },
    Look { name: "arabic", language: Some("ar"), ..LIGHT },
    Look { name: "chinese", language: Some("zh-TW"), dark: true, ..LIGHT },
];

/// The pictures of the user guide, in docs/guide/.
const GUIDE: [&str; 16] = [
    "settings-saved",
    "desk-first-run",
    "desk-checkout",
    "desk-attention",
    "import-files",
    "review-dialog",
    "edit-dialog",
    "desk-committed",
    "batches-dialog",
    "queue-dialog",
    "records-dialog-done",
    "desk-patron",
    "desk-on-hold",
    "todo-aside",
    "todo-told",
    "practice",
];

const PATRON: &str = "23529001223601";

/// A list as somebody has scanned it, after it was in a spreadsheet.
const LIST: &str = "Card;Item\n23529001223601;39999000000061\n23529001223601;39999000000062\n23529001223602;3.9999E+13\n\
    22.07.2026 10:15;39999000000064\n39999000000065\n23529001223603;39999000000066\n";

/// As if this computer's clock was found an hour ahead of Koha's, after it was right in the morning.
const WRONG_CLOCK: &str = "(found => browser.storage.local.set({ clock: { ...found, wrong: { found, after: Date.now() - 36e5 } } })) \
    ({ ahead: 3600000, at: Date.now() })";

/// Makes the pictures, or only those of the look with this name.
///
/// # Errors
/// When a state cannot be reached.
pub(crate) fn screenshots(only: Option<&str>) -> Result {
    setup::all()?;
    let addon = addon::build()?;
    let folder = project::target().join("screenshots");
    let looks: Vec<&Look> = LOOKS.iter().filter(|look| only.is_none_or(|name| name == look.name)).collect();
    if looks.is_empty() {
        let names: Vec<&str> = LOOKS.iter().map(|look| look.name).collect();
        return Err(format!("there is no such look; there are {}", names.join(", ")));
    }
    for look in looks {
        let folder = folder.join(look.name);
        if folder.exists() {
            at(&folder, fs::remove_dir_all(&folder))?;
        }
        at(&folder, fs::create_dir_all(&folder))?;
        Album { look, folder, addon: &addon }.fill().map_err(|error| format!("{}: {error}", look.name))?;
        println!("{}", project::target().join("screenshots").join(look.name).display());
    }
    Ok(())
}

/// Makes the pictures of the user guide anew.
///
/// # Errors
/// When a state cannot be reached.
pub(crate) fn guide() -> Result {
    screenshots(Some(LIGHT.name))?;
    let (from, to) = (project::target().join("screenshots").join(LIGHT.name), project::root().join("docs/guide"));
    at(&to, fs::create_dir_all(&to))?;
    for name in GUIDE {
        let file = format!("{name}.png");
        at(&to, fs::copy(from.join(&file), to.join(&file)))?;
    }
    Ok(())
}

struct Album<'a> {
    look: &'a Look,
    folder: PathBuf,
    addon: &'a Path,
}

impl Album<'_> {
    fn fill(&self) -> koct_tests::Result {
        let koha = FakeKoha::start(Config::default())?;
        let desk = self.desk()?;
        self.take(&desk.page, "desk-first-run")?;
        self.ready(&desk, "ready-new")?;
        self.settings(&desk, &koha)?;
        koha.library(|library| library.clock_shift_seconds = 75);
        self.ready(&desk, "ready-clock")?;
        koha.library(|library| library.clock_shift_seconds = 0);
        self.take(&desk.page, "desk-not-ready")?;
        self.ready(&desk, "ready")?;
        // A second copy is wanted, and Firefox lets KOCT write no files yet.
        let want = |is_wanted: bool| {
            let set = "browser.storage.local.set({ habits: { ...habits, secondCopy: WANTED } })";
            desk.page.eval(&format!(
                "browser.storage.local.get('habits').then(({{ habits }}) => {})",
                set.replace("WANTED", if is_wanted { "true" } else { "false" })
            ))
        };
        want(true)?;
        self.ready(&desk, "ready-copy")?;
        want(false)?;
        self.outage(&desk, &koha)?;
        self.size(&desk.page)?;
        self.take(&desk.page, "desk-empty")?;
        self.work(&desk)?;
        self.dialogs(&desk)?;
        self.commits(&desk, &koha)?;
        self.practice(&desk)?;
        drop(desk);
        self.copies()?;
        self.codes()?;
        self.fronts()?;
        self.read_back()?;
        self.told()?;
        self.own_checkin()?;
        self.queue()?;
        let koha = FakeKoha::start(Config { era: Era::From2405, library: known(), ..Config::default() })?;
        let desk = self.desk()?;
        self.records(&desk, &koha)?;
        self.look_ups(&desk)
    }

    fn desk(&self) -> koct_tests::Result<Desk> {
        let read = |(name, value): &(&str, &str)| Ok(((*name).to_owned(), serde_json::from_str(value)?));
        let prefs = self.look.prefs.iter().map(read).collect::<koct_tests::Result<Vec<_>>>()?;
        let desk = Desk::with_addon(
            &Options { dark: self.look.dark, locale: self.look.language, prefs, ..Options::default() },
            self.addon,
        )?;
        self.size(&desk.page)?;
        Ok(desk)
    }

    fn size(&self, page: &Page) -> koct_tests::Result {
        page.set_viewport(self.look.width, self.look.height)
    }

    fn take(&self, page: &Page, name: &str) -> koct_tests::Result {
        page.screenshot(&self.folder.join(format!("{name}.png")))
    }

    /// Whether the desk is ready, as the page says it.
    fn ready(&self, desk: &Desk, name: &str) -> koct_tests::Result {
        let page = desk.firefox.open(&desk.firefox.addon_url("options/ready.html"))?;
        page.wait("document.body && document.body.hasAttribute('data-ready')")?;
        self.size(&page)?;
        self.take(&page, name)?;
        page.close()?;
        desk.page.activate()
    }

    /// What pages of Koha in tabs have shown.
    fn outage(&self, desk: &Desk, koha: &FakeKoha) -> koct_tests::Result {
        for (standing, sign, name) in [
            ("{ suspected: { load: '1', at: Date.now(), badly: true } }", "poor", "desk-answers-badly"),
            ("{ out: { since: Date.now(), said: false, badly: true } }", "offline", "desk-outage"),
            ("{ out: { since: Date.now(), said: false, badly: true, unclear: true } }", "poor", "desk-page-came"),
        ] {
            let (server, page) = (koha.url(), &desk.page);
            page.eval(&format!(
                "browser.storage.session.set({{ outage: JSON.stringify({{ server: '{server}', standing: {standing} }}) }})"
            ))?;
            page.wait(&format!("document.getElementById('reachable').dataset.state === '{sign}'"))?;
            self.take(page, name)?;
        }
        desk.page.eval("browser.storage.session.remove('outage')")?;
        desk.page.wait("document.getElementById('reachable').dataset.state !== 'poor'").map(|_| ())
    }

    fn settings(&self, desk: &Desk, koha: &FakeKoha) -> koct_tests::Result {
        let page = desk.open_settings()?;
        page.set_viewport(self.look.width, 1400)?;
        self.take(&page, "settings-empty")?;
        unfold(&page, "card-pattern")?;
        page.fill("#server", "koha")?;
        page.fill("#card-pattern", "*")?;
        page.click("#fold-scanning > summary")?;
        save(&page)?;
        self.take(&page, "settings-errors")?;
        page.fill("#card-pattern", "23529#########")?;
        page.click("#fold-scanning > summary")?;
        self.size(&page)?;
        enter(&page, &Settings { password: "mistyped".into(), ..Settings::of(&koha.url(), "send") })?;
        save(&page)?;
        self.take(&page, "settings-wrong-password")?;
        enter(&page, &Settings { branchcode: "XYZ".into(), ..Settings::of(&koha.url(), "send") })?;
        test_only(&page)?;
        self.take(&page, "settings-branch-unknown")?;
        page.fill("#branchcode", "CPL")?;
        save(&page)?;
        page.eval("scrollTo(0, 0)")?;
        self.take(&page, "settings-saved")?;
        page.eval("document.querySelectorAll('.fold').forEach(fold => fold.open = true)")?;
        page.set_viewport(self.look.width, 2300)?;
        self.take(&page, "settings-unfolded")?;
        page.eval("document.querySelectorAll('.fold').forEach(fold => fold.open = fold.id === 'fold-codes')")?;
        page.eval(
            "['T-prefix', 'drop-last'].forEach((kind) => { const add = document.getElementById('item-rules-add'); \
             add.value = kind; add.dispatchEvent(new Event('change')); })",
        )?;
        page.click("#try-code")?;
        page.type_text("T32")?;
        self.size(&page)?;
        page.eval("document.getElementById('fold-codes').scrollIntoView()")?;
        self.take(&page, "settings-codes")?;
        page.close()?;
        desk.page.activate()
    }

    /// A code that does not look right, and Koha's own rule, which is offered.
    fn codes(&self) -> koct_tests::Result {
        let mut library = Library::standard();
        library.preferences.item_barcode_input_filter = "T-prefix";
        let koha = FakeKoha::start(Config { era: Era::From2405, newest: true, library, ..Config::default() })?;
        let desk = self.desk()?;
        let settings = Settings::of(&koha.url(), "send");
        desk.set_up_with(&settings, |preferences| preferences.desk.item_lengths = "14".into())?;
        desk.page.reload()?;
        desk.page.wait("document.body && document.body.hasAttribute('data-ready')")?;
        desk.page.type_text(&format!("{PATRON}\n3999900000004\n39999000000005\n"))?;
        desk.wait_for_total(1)?;
        self.take(&desk.page, "desk-odd-code")?;
        let page = desk.open_settings()?;
        self.size(&page)?;
        enter(&page, &settings)?;
        save(&page)?;
        page.wait_visible("#koha-filter")?;
        self.take(&page, "settings-koha-filter")
    }

    fn work(&self, desk: &Desk) -> koct_tests::Result {
        for item in ["39999000000001", "39999000000002", "39999000000003"] {
            desk.check_out(PATRON, item)?;
        }
        self.take(&desk.page, "desk-checkout")?;
        desk.check_in("39999000000011")?;
        desk.pay(PATRON, "2.50")?;
        desk.page.click("#checkout-item")?;
        desk.page.type_text("39999000000004\n39999000000004\nthis-is-far-too-long-for-a-barcode\n")?;
        desk.page.wait("document.querySelectorAll('#checkout .attention li').length === 2")?;
        self.take(&desk.page, "desk-attention")?;
        while desk.page.eval("!!document.querySelector('.attention li')")? == true {
            desk.page.click(".attention [data-field=dismiss]")?;
        }
        desk.page.press(&[key::F3])?;
        desk.page.type_text("0000002")?;
        desk.wait_for_total(1)?;
        self.take(&desk.page, "desk-search")?;
        desk.page.press(&[key::ESCAPE])?;
        desk.wait_for_total(6)
    }

    fn dialogs(&self, desk: &Desk) -> koct_tests::Result {
        let page = &desk.page;
        self.dialog(page, "#clear", "clear-dialog", "#clear-cancel")?;
        self.dialog(page, "tr[data-seq='3'] [data-edit]", "edit-dialog", "#edit-cancel")?;
        page.click("#open-help")?;
        page.wait("document.getElementById('help-dialog').open")?;
        self.take(page, "help-dialog")?;
        page.click("#help-tab-words")?;
        self.take(page, "help-dialog-words")?;
        page.click("#help-close")?;
        self.dialog(page, "#menu-slip", "slip-dialog", "#slip-cancel")?;
        let bus = "Version=1.0\tGenerator=koct\tDesk=Bus\tUtcOffset=0\n2026-11-23 11:00:00 000\treturn\t39999000000055\n\
                   2026-11-23 11:00:02 000\trenew\t39999000000055\n";
        page.drop_files(
            "body",
            &[
                ("bus.koc", bus),
                ("van.koc", "Version=1.0\tGenerator=kolt\n2026-11-23 12:00:00\treturn\t39999000000056\n"),
                ("notes.txt", "call Mrs Miller"),
                ("by hand.csv", LIST),
            ],
        )?;
        page.wait("document.querySelectorAll('#import-list > li').length === 4 && document.getElementById('import-state').textContent === ''")?;
        self.take(page, "import-files")?;
        page.click("#import-list li:last-child [data-field=look]")?;
        page.fill("#list-cards", "23529#########")?;
        page.wait("document.querySelectorAll('#list-lines [data-kind=refused]').length === 3")?;
        self.take(page, "list-dialog")?;
        page.click("#list-cancel")?;
        page.click("#import-go")?;
        desk.wait_for_import()?;
        self.take(page, "import-done")?;
        page.click("#import-close")?;
        // The same again, grown and under another name.
        let grown = format!("{bus}2026-11-23 11:00:09 000\treturn\t39999000000057\n").replace("\tDesk=Bus", "");
        page.drop_files("body", &[("monday.koc", &grown)])?;
        page.wait("document.querySelectorAll('#import-list > li').length === 1 && document.getElementById('import-state').textContent === ''")?;
        self.take(page, "import-known-again")?;
        page.click("#import-close")?;
        desk.check_out(PATRON, "39999000000005")?;
        desk.check_out(PATRON, "39999000000006")?;
        desk.check_out("23529001223602", "39999000000005")?;
        page.click("#show-review")?;
        page.wait_visible("#review-conflicts li")?;
        self.take(page, "review-dialog")?;
        page.click("#review-cancel")?;
        // The clock of this computer was wrong beside Koha's while these were recorded.
        page.eval(WRONG_CLOCK)?;
        page.click("#show-review")?;
        page.wait_visible("#review-suggestions li")?;
        self.take(page, "review-clock")?;
        page.click("#review-cancel")?;
        page.eval("browser.storage.local.remove('clock')").map(|_| ())
    }

    /// Files of a second copy, of which one is missing.
    fn copies(&self) -> koct_tests::Result {
        let desk = self.desk()?;
        let page = &desk.page;
        let part = |number: u32, seq: u32| {
            let moment = format!(r#"{{"utc":{},"offset":60}}"#, 1_795_427_000_000_u64 + 60_000 * u64::from(seq));
            let header = format!(
                r#"{{"koct":"log","version":1,"desk":"Bus 2","written":{moment},"generator":"0.1.0","copy":{{"of":"5f3a9c21b07e","number":{number}}}}}"#
            );
            let row = format!(
                r#"{{"transaction":{{"seq":{seq},"moment":{moment},"action":"return","barcode":"3999900000009{seq}","status":{{"state":"local"}}}}}}"#
            );
            format!("{header}\n{row}\n{{\"end\":{{\"transactions\":1,\"commits\":0,\"cleared\":0}}}}\n")
        };
        let (whole, second) = (part(0, 1), part(2, 3));
        page.drop_files(
            "body",
            &[("koct_log_Bus_2_5f3a9c21b07e_000.jsonl", &whole), ("koct_log_Bus_2_5f3a9c21b07e_002.jsonl", &second)],
        )?;
        page.wait("document.querySelectorAll('#import-list > li').length === 2 && document.getElementById('import-state').textContent === ''")?;
        page.click("#import-go")?;
        page.wait("document.getElementById('question').open")?;
        self.take(page, "import-part-missing")?;
        page.click("#question-yes")?;
        desk.wait_for_import()?;
        self.take(page, "import-copies")
    }

    /// Practice, beside the desk.
    fn practice(&self, desk: &Desk) -> koct_tests::Result {
        desk.page.click("#open-practice")?;
        let page = desk.firefox.wait_for_page("popup/practice.html")?;
        self.size(&page)?;
        page.wait("document.body && document.body.hasAttribute('data-ready')")?;
        page.activate()?;
        page.click("#open-menu")?;
        self.take(&page, "practice-menu")?;
        page.press(&[key::ESCAPE])?;
        self.dialog(&page, "#practice-codes", "practice-dialog", "#practice-close")?;
        page.type_text(&format!("{}9001\n1001\n1006\n{}1007\n1005\n1009\n1999\n1003\n", key::F2, key::F4))?;
        page.wait("document.getElementById('count-unsent').textContent === '7' && document.querySelectorAll('#checkin-items-list .chip:not([hidden])').length > 3")?;
        self.take(&page, "practice")?;
        page.press(&[key::F9])?;
        page.wait("document.getElementById('count-unsent').textContent === '0'")?;
        page.wait("document.getElementById('commit').getAttribute('aria-disabled') === 'false'")?;
        page.press(&[key::F7])?;
        self.take(&page, "practice-sent")?;
        // Items that are lost, withdrawn, and not for loan.
        page.type_text(&format!("{}9001\n1011\n1012\n1013\n{}1011\n", key::F2, key::F4))?;
        page.wait("document.querySelectorAll('#patron-items-list .chip:not([hidden])').length >= 3 && document.querySelector('#checkin-items-list li:first-child .chip:not([hidden])')")?;
        self.take(&page, "practice-lost")?;
        page.close()?;
        desk.page.activate()
    }

    fn dialog(&self, page: &Page, opens: &str, id: &str, closes: &str) -> koct_tests::Result {
        page.click(opens)?;
        page.wait(&format!("document.getElementById('{id}').open"))?;
        self.take(page, id)?;
        page.click(closes)?;
        page.wait(&format!("!document.getElementById('{id}').open")).map(|_| ())
    }

    fn commits(&self, desk: &Desk, koha: &FakeKoha) -> koct_tests::Result {
        let page = &desk.page;
        koha.fault(Fault::on("service.pl", FaultKind::ResetAfter).skip(5).times(1));
        page.click("#commit")?;
        desk.send_in_this_order()?;
        desk.wait_for_commit()?;
        self.take(page, "desk-committed")?;
        desk.check_in("39999000000012")?;
        self.take(page, "desk-error-kept")?;
        page.click("#show-batches")?;
        page.wait("document.getElementById('batches-dialog').open")?;
        self.take(page, "batches-dialog")?;
        page.click("#batches-close")
    }

    /// Who stands between the desk and Koha, and whose session it may be.
    fn fronts(&self) -> koct_tests::Result {
        let koha = FakeKoha::start(Config { era: Era::From2405, ..Config::default() })?;
        let desk = self.desk()?;
        let tab = desk.firefox.open(&format!("{}/cgi-bin/koha/mainpage.pl", koha.url()))?;
        tab.fill("input[name=login_userid]", "koha")?;
        tab.fill("input[name=login_password]", "koha\n")?;
        tab.wait_contains("body", "Logged in as koha")?;
        koha.library(|library| library.sessions.values_mut().for_each(|session| "MPL".clone_into(&mut session.branch)));
        let page = desk.open_settings()?;
        self.size(&page)?;
        page.click("#find-koha")?;
        page.click("#koha-found button")?;
        page.wait("document.getElementById('branchcode').value")?;
        page.click("#login-open-koha")?;
        page.click("#commit-apply")?;
        page.eval("scrollTo(0, 0)")?;
        self.take(&page, "settings-open-koha")?;
        page.fill("#branchcode", "CPL")?;
        save(&page)?;
        page.close()?;
        let page = &desk.page;
        page.activate()?;
        for item in ["39999000000001", "39999000000002", "39999000000003"] {
            desk.check_out(PATRON, item)?;
        }
        page.click("#commit")?;
        page.wait_visible("#question")?;
        self.take(page, "desk-another-library")?;
        page.type_text("39999000000004\n")?;
        page.wait("document.querySelector('#question [data-field=scanned]')?.textContent")?;
        self.take(page, "desk-scan-refused")?;
        page.click("#question-cancel")?;
        desk.wait_for_commit()?;
        desk.set_up(&Settings::of(&koha.url(), "apply"))?;
        koha.fault(Fault::on("service.pl", FaultKind::FrontAfter(Front::Page(403))).skip(2).times(1));
        desk.commit()?;
        self.take(page, "desk-foreign-words")?;
        koha.clear_faults();
        let busy = Front::Busy { status: 429, retry_after: RetryAfter::Seconds(75) };
        koha.fault(Fault::on("service.pl", FaultKind::FrontBefore(busy)));
        page.click("#commit")?;
        page.wait_contains("#progress-text", "1:")?;
        self.take(page, "desk-waiting")
    }

    /// What is to be looked at after a commit: a checkout and a payment that arrived twice, and checkins of what was not on loan.
    fn read_back(&self) -> koct_tests::Result {
        let koha = FakeKoha::start(Config { era: Era::From2405, ..Config::default() })?;
        let desk = self.desk()?;
        desk.set_up(&Settings::of(&koha.url(), "apply"))?;
        desk.check_out(PATRON, "39999000000001")?;
        desk.pay(PATRON, "2.50")?;
        // The credentials are checked there first.
        koha.fault(Fault::on("service.pl", FaultKind::SentAgain).skip(1).times(2));
        desk.commit()?;
        self.take(&desk.page, "desk-sent-twice")?;
        koha.clear_faults();
        for item in ["39999000000011", "39999000000012", "no such item"] {
            desk.check_in(item)?;
        }
        desk.commit()?;
        desk.page.wait_visible("#settle-all")?;
        self.take(&desk.page, "todo-refused")?;
        desk.page.click("#show-batches")?;
        desk.page.wait("document.getElementById('batches-dialog').open")?;
        self.take(&desk.page, "batches-read-back")?;
        desk.page.click("#batches-close")?;
        self.going_on(&desk, &koha)
    }

    /// What an earlier sitting has left, and a commit under way.
    fn going_on(&self, desk: &Desk, koha: &FakeKoha) -> koct_tests::Result {
        let page = &desk.page;
        for item in ["39999000000021", "39999000000022", "39999000000023"] {
            desk.check_out(PATRON, item)?;
        }
        desk.make_older()?;
        page.reload()?;
        page.wait("document.getElementById('clear-dialog')?.open")?;
        self.take(page, "leftovers")?;
        page.click("#clear-ok")?;
        koha.fault(Fault::on("service.pl", FaultKind::Delay(Duration::from_secs(4))).skip(2).times(1));
        page.click("#commit")?;
        page.wait("document.getElementById('progress').value === 1")?;
        self.take(page, "committing")?;
        desk.wait_for_commit().map(|_| ())
    }

    /// What Koha's own check-in says at once; and that another Koha has none.
    fn own_checkin(&self) -> koct_tests::Result {
        let mut library = known();
        for item in ["39999000000001", "39999000000016", "39999000000010"] {
            library.lend_before(PATRON, item, "2026-11-01 10:00:00");
        }
        library.item_mut("39999000000016").ok_or("no such item")?.materials = "1 CD".into();
        library.preferences.date_format = DateFormat::Iso;
        let wants = |set: &mut koct_core::settings::table::Preferences| set.form.koha_checkin = true;
        let koha = FakeKoha::start(Config {
            era: Era::From2405,
            checkins: Some(Checkins::default()),
            library: library.clone(),
            ..Config::default()
        })?;
        let desk = self.desk()?;
        desk.set_up_with(&Settings::of(&koha.url(), "apply"), wants)?;
        for item in ["39999000000001", "39999000000016", "39999000000010"] {
            desk.check_in(item)?;
        }
        desk.commit()?;
        desk.page.wait_visible("[data-group=refused] li")?;
        self.take(&desk.page, "todo-own-checkin")?;
        desk.open_log()?;
        desk.page.click("tr[data-seq='3'] [data-edit]")?;
        desk.page.wait_visible("#edit-history")?;
        self.take(&desk.page, "edit-own-checkin")?;
        desk.page.click("#edit-cancel")?;
        let other = FakeKoha::start(Config { era: Era::From2405, library, ..Config::default() })?;
        desk.set_up_with(&Settings::of(&other.url(), "apply"), wants)?;
        desk.check_in("39999000000001")?;
        desk.commit()?;
        self.take(&desk.page, "desk-no-own-checkin")
    }

    /// What Koha tells after a commit of what is to be done by hand.
    fn told(&self) -> koct_tests::Result {
        let mut library = known();
        library.preferences.most_loans = Some(2);
        library.lend_until("23529001223612", "39999000000020", "2099-12-01 23:59:00");
        let koha = FakeKoha::start(Config { era: Era::From2405, library, ..Config::default() })?;
        let desk = self.desk()?;
        desk.set_up(&Settings::of(&koha.url(), "apply"))?;
        for item in ["39999000000001", "39999000000016", "39999000000010"] {
            desk.check_in(item)?;
        }
        for (card, item) in [
            ("23529001223603", "39999000000005"),
            (PATRON, "39999000000013"),
            ("23529001223609", "39999000000020"),
            ("23529001223609", "39999000000021"),
            ("23529001223602", "NO-SUCH-ITEM"),
        ] {
            desk.check_out(card, item)?;
        }
        desk.commit()?;
        desk.page.wait_visible("[data-group=loans] li")?;
        self.take(&desk.page, "todo-told")
    }

    /// Koha's queue: one that was sent twice, one that Koha does not know, and what became of them.
    fn queue(&self) -> koct_tests::Result {
        let koha = FakeKoha::start(Config { era: Era::From2405, newest: true, ..Config::default() })?;
        let desk = self.desk()?;
        let page = &desk.page;
        desk.set_up(&Settings::of(&koha.url(), "send"))?;
        for item in ["39999000000001", "39999000000002", "39999000000003"] {
            desk.check_out(PATRON, item)?;
        }
        desk.check_in("39999000000011")?;
        desk.check_in("no such item")?;
        desk.pay(PATRON, "2.50")?;
        koha.fault(Fault::on("service.pl", FaultKind::SentAgain).skip(1).times(1));
        desk.commit()?;
        koha.clear_faults();
        page.click("#open-queue")?;
        page.wait("document.querySelectorAll('#queue-rows tr').length === 7 && !document.getElementById('queue-refresh').disabled")?;
        page.click("#queue-all")?;
        self.take(page, "queue-dialog")?;
        page.click("#queue-process")?;
        page.wait(
            "document.getElementById('queue-stop').hidden && !document.getElementById('queue-refresh').disabled",
        )?;
        self.take(page, "queue-processed")?;
        page.click("#queue-close")
    }

    fn records(&self, desk: &Desk, koha: &FakeKoha) -> koct_tests::Result {
        let settings = desk.open_settings()?;
        settings.set_viewport(self.look.width, 900)?;
        enter(&settings, &Settings::of(&koha.url(), "send"))?;
        unfold(&settings, "lookup")?;
        settings.click("#lookup")?;
        settings.click("#lookup-passphrase")?;
        settings.eval("document.getElementById('lookup').scrollIntoView()")?;
        self.take(&settings, "settings-key")?;
        unfold(&settings, "restrictions-sql")?;
        settings.fill("#wipe-days", "31")?;
        save(&settings)?;
        self.take(&settings, "settings-records")?;
        settings.fill("#wipe-days", "30")?;
        settings.fill("#restrictions-report", "1")?;
        save(&settings)?;
        settings.click("#lookup")?;
        self.take(&settings, "settings-records-off")?;
        settings.close()?;
        let page = &desk.page;
        page.activate()?;
        page.wait("!document.getElementById('records-line').hidden")?;
        self.take(page, "desk-no-records")?;
        page.click("#open-records")?;
        page.wait("document.getElementById('records-dialog').open")?;
        page.fill("#records-new", "correct horse")?;
        page.fill("#records-again", "correct hose")?;
        page.click("#records-download")?;
        page.wait("document.querySelector('#records-state.message-bad')?.textContent")?;
        self.take(page, "records-dialog-passphrase")?;
        page.fill("#records-again", "correct horse")?;
        koha.fault(Fault::on("/items", FaultKind::Delay(Duration::from_secs(4))).times(1));
        koha.fault(Fault::on("/holds", FaultKind::Status(404)));
        page.click("#records-download")?;
        page.wait("document.getElementById('records-state').textContent.includes('0')")?;
        self.take(page, "records-dialog-reading")?;
        page.wait("document.getElementById('records-stop').hidden")?;
        self.take(page, "records-dialog-done")?;
        koha.clear_faults();
        page.click("#records-download")?;
        page.wait("document.querySelector('#records-state.message-good')?.textContent")?;
        page.click("#records-close")?;
        // As after Firefox was closed.
        page.eval("browser.storage.session.remove('directoryKey')")?;
        page.reload()?;
        page.wait("document.body && document.body.hasAttribute('data-ready') && !document.getElementById('records-line').hidden")?;
        page.click("#open-records")?;
        page.wait("document.getElementById('records-dialog').open")?;
        self.take(page, "records-dialog-locked")?;
        page.fill("#records-passphrase", "correct horse\n")?;
        page.wait("document.getElementById('records-state').classList.contains('message-good')")?;
        page.click("#records-close")
    }

    fn look_ups(&self, desk: &Desk) -> koct_tests::Result {
        let page = &desk.page;
        page.click("#checkout-patron")?;
        page.type_text("m")?;
        page.type_text("ü")?;
        page.wait("document.querySelectorAll('#patron-suggestions > *').length === 2")?;
        page.press(&[key::DOWN])?;
        page.press(&[key::DOWN])?;
        self.take(page, "desk-suggestions")?;
        page.type_text("\n")?;
        page.wait("document.querySelectorAll('#patron-loans > *').length === 3")?;
        self.take(page, "desk-patron")?;
        page.type_text("39999000000005\n39999000000015\nA-9\n")?;
        page.wait("document.querySelectorAll('#patron-items-list li[data-grade=stop]').length === 3")?;
        self.take(page, "desk-warnings")?;
        page.press(&[key::CONTROL, key::ENTER])?;
        page.wait("!document.querySelector('#patron-items-list li[data-grade=stop]')")?;
        desk.check_in("39999000000016")?;
        page.wait("document.getElementById('returned-title').textContent")?;
        self.take(page, "desk-returned")?;
        desk.check_in("39999000000010")?;
        page.wait("document.getElementById('checkin-panel').dataset.grade === 'do'")?;
        self.take(page, "desk-on-hold")?;
        desk.check_in("39999000000011")?;
        page.wait("document.querySelectorAll('#checkin-items-list [data-grade=do]').length === 3")?;
        page.click("#show-aside")?;
        page.wait_visible("[data-group=set-aside] li")?;
        self.take(page, "todo-aside")?;
        self.named(desk)?;
        // The records are of some days ago: what they say of an item stands in To do with that day.
        page.eval(&aged(7.0))?;
        page.reload()?;
        page.wait("document.body && document.body.hasAttribute('data-ready')")?;
        desk.check_in("39999000000016")?;
        desk.check_in("39999000000010")?;
        desk.open_todo()?;
        page.wait("document.querySelector('[data-group=late] li')")?;
        self.take(page, "todo-aged")
    }

    /// Dialogs that speak in titles and names.
    fn named(&self, desk: &Desk) -> koct_tests::Result {
        let page = &desk.page;
        desk.open_log()?;
        page.click("tr[data-seq='1'] [data-edit]")?;
        page.wait("document.getElementById('edit-barcode-name').textContent")?;
        page.fill("#edit-cardnumber", "2352900122360")?;
        page.wait("document.querySelector('#edit-cardnumber-name[data-grade=careful]')?.textContent")?;
        self.take(page, "edit-dialog-named")?;
        page.click("#edit-cancel")?;
        desk.check_out("23529001223602", "39999000000005")?;
        let van = "Version=1.0\tGenerator=kolt\n2026-11-23 11:00:00\treturn\t39999000000016\n\
                   2026-11-23 12:00:00\treturn\t39999000000005\n";
        page.drop_files("body", &[("van.koc", van)])?;
        desk.finish_import(1)?;
        page.click("#import-close")?;
        page.click("#show-review")?;
        page.wait("document.querySelector('#review-conflicts [data-field=title]')?.textContent")?;
        page.click("#review-desks li:last-child [data-field=set]")?;
        page.type_by_hand("-1:00\n")?;
        page.wait("document.getElementById('review-store').checkVisibility()")?;
        self.take(page, "review-dialog-named")?;
        page.click("#review-cancel")
    }
}

/// Patrons with loans, debts and restrictions, and who waits for what.
fn known() -> Library {
    let mut library = Library::standard();
    for (card, surname, firstname) in
        [(PATRON, "Müller-Őze", "Zoë"), ("23529001223602", "Mühlbauer", "Kim"), ("23529001223609", "Smith", "Anna")]
    {
        if let Some(patron) = library.patron_mut(card) {
            (patron.surname, patron.firstname) = (surname.into(), firstname.into());
        }
    }
    if let Some(patron) = library.patron_mut(PATRON) {
        patron.staff_note = "Calls before coming.".into();
        patron.restricted_until = Some("2099-12-31".into());
        patron.restriction_comment = "Lost an atlas".into();
    }
    library.owe(PATRON, Amount::cents(1250));
    for (card, barcode, due) in [
        (PATRON, "39999000000001", "2026-11-01 23:59:00"),
        (PATRON, "39999000000002", "2099-12-01 23:59:00"),
        (PATRON, "39999000000003", "2099-12-01 23:59:00"),
        ("23529001223609", "39999000000015", "2099-12-01 23:59:00"),
        ("23529001223602", "39999000000016", "2026-11-10 23:59:00"),
    ] {
        library.lend_until(card, barcode, due);
    }
    if let Some(item) = library.item_mut("39999000000016") {
        item.materials = "2 discs".into();
        item.call_number = "823 BUR".into();
    }
    library
}
