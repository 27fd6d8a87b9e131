//! axe-core has nothing to object to, in whatever state the pages are, in light and in dark.

use crate::BEFORE_TRANSACTIONS;
use crate::{
    knowing::{ZOE, enter_patron, item, library, wait_for_text},
    koha,
    records::{download, want},
};
use fake_koha::{Config, Era, FakeKoha, Fault, FaultKind};
use koct_tests::{
    axe::{axe, axe_of_colours},
    desk::{Desk, Settings, enter},
    firefox::{Firefox, Options},
    page::{Page, key},
    settings_page::{save, test_only, unfold},
};
use serde_json::json;
use std::fs;

/// Gives the first transactions of the log one status each.
const ALL_STATES: &str = "(async () => { const db = await new Promise((done, fail) => { const o = indexedDB.open('koct'); \
    o.onsuccess = () => done(o.result); o.onerror = fail; }); const t = db.transaction('transactions', 'readwrite'); \
    const s = t.objectStore('transactions'); const attempt = {commitType: 'apply', server: 'https://koha.example.org', at: null}; \
    const states = [{state: 'added'}, {state: 'success'}, {state: 'rejected', message: 'Borrower not found.'}, \
    {state: 'in-doubt', reason: 'timed-out', attempt}, {state: 'in-doubt', reason: 'interrupted', attempt}, {state: 'deleted'}]; \
    s.getAll().onsuccess = e => { for (const entry of e.target.result) { const status = states[entry.seq - 1]; \
    if (status) s.put({...entry, status}); } }; \
    await new Promise((done, fail) => { t.oncomplete = done; t.onerror = fail; }); db.close(); })()";

/// What was found, with the state of the page in which it was found.
struct Found<'a> {
    firefox: &'a Firefox,
    is_dark: bool,
    lines: Vec<String>,
}

impl<'a> Found<'a> {
    fn in_pages_of(desk: &'a Desk) -> Self {
        Self { firefox: &desk.firefox, is_dark: false, lines: Vec::new() }
    }

    /// Looks at a page in light and in dark. Only colours differ. It stays as it was looked at last: each change paints all of Firefox.
    fn look(&mut self, page: &Page, state: &str) {
        self.add(axe(page).unwrap(), state);
        self.is_dark = !self.is_dark;
        set_dark(self.firefox, page, self.is_dark);
        self.add(axe_of_colours(page).unwrap(), state);
    }

    fn add(&mut self, lines: Vec<String>, state: &str) {
        let scheme = if self.is_dark { "dark" } else { "light" };
        self.lines.extend(lines.into_iter().map(|line| format!("{state}, {scheme}: {line}")));
    }

    /// # Panics
    /// When there is anything.
    fn nothing(self) {
        assert!(self.lines.is_empty(), "\n{}", self.lines.join("\n"));
    }
}

fn set_dark(firefox: &Firefox, page: &Page, dark: bool) {
    firefox.set_dark(dark).unwrap();
    // Colours that change bit by bit are waited for.
    let is_shown = "matchMedia('(prefers-color-scheme: dark)').matches";
    page.wait(&format!("{is_shown} === {dark} && !document.getAnimations().length")).unwrap();
}

fn open(page: &Page, button: &str, dialog: &str) {
    page.click(button).unwrap();
    page.wait(&format!("document.getElementById('{dialog}').open")).unwrap();
}

fn close(page: &Page, dialog: &str) {
    page.eval(&format!("document.getElementById('{dialog}').close()")).unwrap();
}

#[test]
fn the_window() {
    let koha = koha(Era::From2405);
    let presets = json!({"notice": "If Koha does not answer, call 1234."});
    let desk = Desk::open(&Options { presets: Some(presets), ..Options::default() }).unwrap();
    let mut found = Found::in_pages_of(&desk);
    let page = &desk.page;
    page.wait_visible("#notice").unwrap();
    found.look(page, "empty");
    page.press(&[key::F9]).unwrap();
    page.wait("!document.getElementById('message-close').hidden").unwrap();
    found.look(page, "an error");
    desk.set_up(&Settings::of(&koha.url(), "apply")).unwrap();
    desk.check_in("39999000000001").unwrap();
    page.wait_visible("#message-more").unwrap();
    desk.check_in("39999000000002").unwrap();
    found.look(page, "recorded");
    over_the_page(page, &mut found);
    koha.fault(Fault::on("service.pl", FaultKind::Hold).skip(BEFORE_TRANSACTIONS));
    page.click("#commit").unwrap();
    page.wait("document.querySelector('tr[data-status=sending]')").unwrap();
    found.look(page, "sending");
    page.click("#cancel-commit").unwrap();
    koha.clear_faults();
    desk.wait_for_commit().unwrap();
    found.look(page, "after a commit");
    files(&desk, &mut found);
    for item in 3..=8 {
        desk.check_out("23529001223601", &format!("3999900000000{item}")).unwrap();
    }
    desk.pay("23529001223601", "3.50").unwrap();
    for_a_patron(page, &mut found);
    page.type_text("a-barcode-that-is-far-too-long-for-koha\n").unwrap();
    page.eval(ALL_STATES).unwrap();
    desk.make_older().unwrap();
    page.reload().unwrap();
    page.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    found.look(page, "clear-dialog");
    page.click("#clear-confirm").unwrap();
    page.click("#clear-ok").unwrap();
    page.wait("document.getElementById('clear-note').textContent !== ''").unwrap();
    found.look(page, "clear-dialog, second box");
    page.click("#clear-cancel").unwrap();
    page.fill("#checkin-item", "a-barcode-that-is-far-too-long-for-koha\n").unwrap();
    page.wait("document.querySelector('.attention li')").unwrap();
    assert!(page.visible(".desk-column").unwrap());
    for state in ["added", "success", "rejected", "in-doubt", "deleted", "local"] {
        page.wait_visible(&format!("tr[data-status={state}]")).unwrap();
    }
    found.look(page, "every status, attention");
    page.fill("#find-text", "nothing like it").unwrap();
    desk.wait_for_total(0).unwrap();
    found.look(page, "nothing found");
    page.click("#show-all").unwrap();
    desk.open_todo().unwrap();
    for group in ["not-recorded", "in-doubt", "refused"] {
        page.wait_visible(&format!("[data-group={group}] li")).unwrap();
    }
    found.look(page, "to do");
    open(page, "#doubts-in-koha", "question");
    found.look(page, "question");
    close(page, "question");
    desk.open_log().unwrap();
    for seq in [3, 6, 7] {
        open(page, &format!("tr[data-seq='{seq}'] [data-edit]"), "edit-dialog");
        found.look(page, &format!("edit-dialog {seq}"));
        close(page, "edit-dialog");
    }
    open(page, "tr[data-seq='7'] [data-edit]", "edit-dialog");
    page.fill("#edit-barcode", "39999000000009\n").unwrap();
    page.wait("!document.getElementById('edit-dialog').open").unwrap();
    open(page, "tr[data-seq='7'] [data-edit]", "edit-dialog");
    page.click("#edit-history-box > summary").unwrap();
    page.wait_visible("#edit-history").unwrap();
    found.look(page, "edit-dialog, history");
    close(page, "edit-dialog");
    open(page, "#show-review", "review-dialog");
    page.click("#review-order-box > summary").unwrap();
    page.wait("document.querySelector('#review-order li')").unwrap();
    page.click("#review-desks [data-field=set]").unwrap();
    found.look(page, "review-dialog");
    close(page, "review-dialog");
    open(page, "#show-batches", "batches-dialog");
    found.look(page, "batches-dialog");
    close(page, "batches-dialog");
    open(page, "#print-log", "slip-dialog");
    found.look(page, "slip-dialog");
    close(page, "slip-dialog");
    open(page, "#open-help", "help-dialog");
    found.look(page, "help-dialog");
    page.click("#help-tab-words").unwrap();
    found.look(page, "help-dialog, keys and words");
    close(page, "help-dialog");
    found.nothing();
}

/// What opens over the page: all that was said, the menu, what can be looked for.
fn over_the_page(page: &Page, found: &mut Found<'_>) {
    page.click("#message-more").unwrap();
    page.wait_visible("#errors").unwrap();
    found.look(page, "all that was said");
    page.click("#open-menu").unwrap();
    page.wait_visible("#menu").unwrap();
    found.look(page, "the menu");
    page.press(&[key::ESCAPE]).unwrap();
    page.click("#find-more").unwrap();
    page.wait_visible("#find-choices").unwrap();
    found.look(page, "what can be looked for");
    page.click("#find-more").unwrap();
}

/// What is offered while a patron is there.
fn for_a_patron(page: &Page, found: &mut Found<'_>) {
    page.click("#checkout-pay-open").unwrap();
    page.wait_visible("#checkout-payment").unwrap();
    found.look(page, "a payment");
    page.press(&[key::ESCAPE]).unwrap();
    open(page, "#patron-move", "move-dialog");
    found.look(page, "move-dialog");
    close(page, "move-dialog");
    open(page, "#export-koc", "export-dialog");
    found.look(page, "export-dialog");
    close(page, "export-dialog");
}

/// What is known of patrons and items, and what is warned of.
#[test]
fn what_is_known() {
    let koha = FakeKoha::start(Config { era: Era::From2405, library: library(), ..Config::default() }).unwrap();
    let desk = crate::desk();
    want(&desk, &Settings::of(&koha.url(), "send"), |_| {});
    let (mut found, page) = (Found::in_pages_of(&desk), &desk.page);
    open(page, "#open-records", "records-dialog");
    found.look(page, "records-dialog, empty");
    close(page, "records-dialog");
    assert_eq!(download(&desk), "All records are here.");
    open(page, "#open-records", "records-dialog");
    found.look(page, "records-dialog");
    close(page, "records-dialog");
    page.fill("#checkout-patron", "er").unwrap();
    page.wait("!document.getElementById('patron-suggestions').hidden").unwrap();
    page.press(&[key::DOWN]).unwrap();
    found.look(page, "suggestions, one of them chosen");
    enter_patron(&desk, "23529001223603");
    wait_for_text(&desk, "patron-warnings", "Expired");
    found.look(page, "a patron with a warning");
    page.type_text(&format!("{}\nNO-SUCH-ITEM\n", item(3))).unwrap();
    wait_for_text(&desk, "patron-items-list", "Unknown barcode");
    desk.check_out("23529001223604", &item(20)).unwrap();
    page.wait("document.querySelector('#patron-items-list [data-answer=lend]')?.checkVisibility()").unwrap();
    found.look(page, "what must be answered");
    enter_patron(&desk, ZOE);
    wait_for_text(&desk, "patron-loans", "overdue");
    desk.check_in(&item(1)).unwrap();
    page.wait("document.getElementById('checkin-panel').dataset.grade === 'do'").unwrap();
    page.click("#patron-details-open").unwrap();
    found.look(page, "a patron with loans, an item that is late");
    desk.check_in(&item(10)).unwrap();
    wait_for_text(&desk, "message", "Set aside: ");
    wait_for_text(&desk, "show-aside", "1 item ");
    found.look(page, "an item on hold");
    page.click("#show-aside").unwrap();
    for group in ["set-aside", "patrons", "late"] {
        page.wait_visible(&format!("[data-group={group}] li")).unwrap();
    }
    page.click("[data-group=patrons] input").unwrap();
    page.wait_visible("[data-group=patrons] li[data-ticked]").unwrap();
    found.look(page, "to do, set aside, patrons, late");
    desk.open_log().unwrap();
    open(page, "tr[data-seq='2'] [data-edit]", "edit-dialog");
    found.look(page, "edit-dialog, warnings");
    close(page, "edit-dialog");
    found.nothing();
}

/// The dialog with files: before, chosen, imported.
fn files(desk: &Desk, found: &mut Found<'_>) {
    let page = &desk.page;
    open(page, "#import-koc", "import-dialog");
    found.look(page, "import-dialog, empty");
    let folder = koct_tests::keeper::folder().unwrap();
    let file = folder.path().join("van.koc");
    let text = "Version=1.0\tGenerator=kolt\tGeneratorVersion=0.1\n2026-11-23 11:00:00\treturn\tA1\nnot a line\n";
    fs::write(&file, text).unwrap();
    page.choose_files("#import-files", &[&file]).unwrap();
    page.wait(
        "document.querySelectorAll('#import-list > li').length === 1 && !document.getElementById('import-go').disabled",
    )
    .unwrap();
    found.look(page, "import-dialog, chosen");
    let list = folder.path().join("list.csv");
    fs::write(&list, include_str!("../../core/tests/cases/card-and-item.csv")).unwrap();
    page.choose_files("#import-files", &[&list]).unwrap();
    page.wait_visible("#import-list li:nth-child(2) [data-field=look]").unwrap();
    page.click("#import-list li:nth-child(2) [data-field=look]").unwrap();
    page.wait("document.querySelectorAll('#list-lines tr').length === 2").unwrap();
    found.look(page, "list-dialog");
    page.click("#list-cancel").unwrap();
    page.click("#import-list li:nth-child(2) [data-field=leave-out]").unwrap();
    desk.finish_import(1).unwrap();
    page.eval("document.querySelector('#import-list details').open = true").unwrap();
    found.look(page, "import-dialog, done");
    page.click("#import-close").unwrap();
}

#[test]
fn the_settings() {
    let koha = koha(Era::From2405);
    let presets = json!({
        "libraryName": "Centerville", "keepPassword": false, "scannerEnd": "tab", "colour": 1, "sounds": "no",
        "locked": ["libraryName", "keepPassword", "scannerEnd"]
    });
    let desk = Desk::open(&Options { presets: Some(presets), ..Options::default() }).unwrap();
    let page = desk.open_settings().unwrap();
    let mut found = Found::in_pages_of(&desk);
    page.wait_visible("#policy").unwrap();
    found.look(&page, "empty, with presets");
    page.fill("#server", "koha.example.test").unwrap();
    assert!(save(&page).unwrap().starts_with("Not saved"));
    found.look(&page, "errors");
    enter(&page, &Settings::of("http://koha.example.test", "send")).unwrap();
    page.wait_visible("#server-warning").unwrap();
    found.look(&page, "http");
    enter(&page, &Settings { password: "mistyped".into(), ..Settings::of(&koha.url(), "send") }).unwrap();
    assert!(save(&page).unwrap().starts_with("Saved, but"));
    found.look(&page, "a wrong password");
    enter(&page, &Settings::of(&koha.url(), "send")).unwrap();
    assert!(test_only(&page).unwrap().starts_with("Koha answers"));
    found.look(&page, "tested");
    assert!(save(&page).unwrap().starts_with("Saved. Koha answers"));
    page.wait_visible("#settings-next").unwrap();
    found.look(&page, "saved");
    page.click("#login-open-koha").unwrap();
    page.eval("document.querySelectorAll('details').forEach(fold => fold.open = true)").unwrap();
    found.look(&page, "all unfolded, a person's session");
    page.click("#login-account").unwrap();
    page.click("#lookup").unwrap();
    page.fill("#debt-limit", "a lot").unwrap();
    page.fill("#restrictions-report", "all").unwrap();
    page.fill("#client-id", "key").unwrap();
    assert!(save(&page).unwrap().starts_with("Not saved"));
    page.wait_visible("#client-secret-error").unwrap();
    found.look(&page, "records wanted, errors");
    page.eval("document.querySelectorAll('details').forEach(fold => fold.open = false)").unwrap();
    found.look(&page, "errors folded away");
    for id in ["debt-limit", "client-id"] {
        unfold(&page, id).unwrap();
    }
    page.fill("#debt-limit", "5.00").unwrap();
    page.fill("#restrictions-report", "").unwrap();
    page.fill("#client-id", "").unwrap();
    assert!(save(&page).unwrap().starts_with("Saved"));
    page.click("#lookup").unwrap();
    page.wait_visible("#lookup-off").unwrap();
    found.look(&page, "records not wanted any more");
    found.nothing();
}

/// The dialog of the records: before, while they come, after, locked.
#[test]
fn the_records() {
    let koha = koha(Era::Before2405);
    let desk = crate::desk();
    crate::records::want(&desk, &Settings::of(&koha.url(), "send"), |preferences| {
        preferences.records.key_kept = koct_core::settings::key_kept::KeyKept::Passphrase;
    });
    let mut found = Found::in_pages_of(&desk);
    let page = &desk.page;
    page.wait("!document.getElementById('records-line').hidden").unwrap();
    found.look(page, "no records");
    open(page, "#open-records", "records-dialog");
    page.fill("#records-new", "short\n").unwrap();
    page.wait("document.querySelector('#records-state.message-bad')?.textContent").unwrap();
    found.look(page, "records-dialog, a passphrase is wanted");
    page.fill("#records-new", "correct horse").unwrap();
    koha.fault(Fault::on("/patrons", FaultKind::Hold));
    page.fill("#records-again", "correct horse\n").unwrap();
    page.wait("document.getElementById('records-state').textContent.startsWith('Patrons')").unwrap();
    found.look(page, "records-dialog, reading");
    koha.clear_faults();
    page.wait("document.getElementById('records-stop').hidden").unwrap();
    page.click("#records-more > summary").unwrap();
    page.wait_visible("#records-delete").unwrap();
    found.look(page, "records-dialog, done in part");
    open(page, "#records-delete", "question");
    found.look(page, "records-dialog, delete?");
    close(page, "question");
    page.eval("browser.storage.session.remove('directoryKey')").unwrap();
    page.reload().unwrap();
    page.wait(
        "document.body && document.body.hasAttribute('data-ready') && !document.getElementById('records-line').hidden",
    )
    .unwrap();
    found.look(page, "records locked");
    open(page, "#open-records", "records-dialog");
    page.type_text("correct hose\n").unwrap();
    page.wait("document.querySelector('#records-state.message-bad')?.textContent").unwrap();
    found.look(page, "records-dialog, locked");
    found.nothing();
}

#[test]
fn axe_finds_what_is_wrong() {
    let desk = crate::desk();
    let add = "((name, text, colour) => { const added = document.createElement(name); added.textContent = text; added.style.color = colour; \
        document.querySelector('main').append(added); })";
    desk.page.eval(&format!("void ({add}('button', '', ''), {add}('p', 'Dark', '#222'))")).unwrap();
    let found = axe(&desk.page).unwrap();
    assert!(found.len() == 1 && found[0].starts_with("button-name: main > button"), "{found:?}");
    set_dark(&desk.firefox, &desk.page, true);
    let found = axe_of_colours(&desk.page).unwrap();
    assert!(found.len() == 1 && found[0].starts_with("color-contrast: "), "{found:?}");
    // In a dialog too, which is then all that is looked at.
    desk.page.eval("void (dialog => { dialog.append(document.createElement('button')); dialog.showModal(); })(document.getElementById('help-dialog'))").unwrap();
    let found = axe(&desk.page).unwrap();
    assert!(found.len() == 1 && found[0].starts_with("button-name: #help-dialog > button"), "{found:?}");
}
