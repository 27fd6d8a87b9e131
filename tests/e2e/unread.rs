//! What cannot be read is not told as if it were not there.

use crate::{
    desk,
    knowing::{ZOE, item, knowing, library},
    records::{download, wanting},
};
use fake_koha::{Config, Era, FakeKoha};
use koct_core::CommitType;
use koct_tests::records::DAMAGED;

/// What is said of records of which a part is damaged.
const SAID: &str = "A part of them is damaged. Delete the records and download them again.";

#[test]
fn records_that_are_damaged_do_not_say_that_nobody_has_a_name_or_a_card() {
    let koha = FakeKoha::start(Config { era: Era::From2405, library: library(), ..Config::default() }).unwrap();
    let desk = wanting(&koha, |preferences| preferences.form.commit_type = CommitType::Apply);
    assert_eq!(download(&desk), "All records are here.");
    desk.check_out("23529999999999", &item(5)).unwrap();
    desk.commit().unwrap();
    assert_ne!(desk.page.eval(DAMAGED).unwrap(), 0);
    desk.page.reload().unwrap();
    desk.page.wait("!document.getElementById('records-line').hidden").unwrap();

    // Whose card it is.
    desk.open_todo().unwrap();
    desk.page.click("[data-group=refused] [data-offer=find-patron]").unwrap();
    desk.page.wait_focused("whose-typed").unwrap();
    desk.page.fill("#whose-typed", "smith").unwrap();
    desk.page.wait_contains("#whose-state", SAID).unwrap();
    desk.page.fill("#whose-typed", ZOE).unwrap();
    desk.page.wait("document.getElementById('whose-state').textContent === ''").unwrap();
    desk.page.eval("document.getElementById('whose-form').requestSubmit()").unwrap();
    desk.page.wait_contains("#whose-state", SAID).unwrap();
    assert_eq!(desk.page.eval("document.getElementById('whose-dialog').open").unwrap(), true);
    desk.page.click("#whose-cancel").unwrap();

    // What of the log a name means.
    desk.open_log().unwrap();
    desk.page.fill("#find-text", "smith").unwrap();
    desk.page.wait_contains("#filter-text", SAID).unwrap();
    assert!(desk.page.text("#filter-text").unwrap().starts_with("Shown: 0 of 1."));
    // There the line has no room for it.
    desk.page.wait_contains("#transactions-empty-text", SAID).unwrap();
    desk.page.wait_hidden("#guide").unwrap();
}

#[test]
fn records_of_which_nobody_knows_whether_there_are_any_are_not_called_none() {
    let (_koha, desk) = knowing();
    let page = desk.open_settings().unwrap();
    desk.page.close().unwrap();
    // As a newer version leaves them.
    let newer = "new Promise((done, fail) => { const o = indexedDB.open('koct-directory', 99); \
        o.onsuccess = () => { o.result.close(); done(); }; o.onerror = fail; })";
    page.eval(newer).unwrap();
    let window = desk.firefox.open(&desk.firefox.addon_url("popup/popup.html")).unwrap();
    window.wait("document.getElementById('records-line-text')?.innerText === 'Records cannot be read'").unwrap();
    window.wait("document.getElementById('records-line').dataset.grade === 'careful'").unwrap();
    window.wait_visible("#records-line").unwrap();
    window.wait_contains("#message", "The records cannot be read or kept: ").unwrap();
    window.press(&[koct_tests::page::key::ESCAPE]).unwrap();
    window.eval("document.getElementById('records-line').click()").unwrap();
    window.wait_contains("#records-state", "The records cannot be read or kept: ").unwrap();
    let ready = desk.firefox.open(&desk.firefox.addon_url("options/ready.html")).unwrap();
    let found = "document.querySelector('#ready-lines [data-line=records] [data-field=found]')?.textContent";
    ready.wait(&format!("{found} === 'They cannot be read. Open the window: it says why.'")).unwrap();
}

#[test]
fn no_file_is_brought_in_of_which_it_could_not_be_asked_whose_it_is() {
    let desk = desk();
    desk.check_in("A1").unwrap();
    let folder = koct_tests::keeper::folder().unwrap();
    let file = folder.path().join("Bus.koc");
    std::fs::write(&file, "Version=1.0\tGenerator=x\tDesk=Bus\tUtcOffset=0\n2026-11-23 11:00:00\treturn\tBus-1\n")
        .unwrap();
    desk.page.click("#import-koc").unwrap();
    // What it holds cannot be read, once.
    desk.page
        .eval(
            "(real => { IDBObjectStore.prototype.getAll = function (...of) { if (this.name !== 'transactions') return real.apply(this, of); \
             IDBObjectStore.prototype.getAll = real; throw new DOMException('', 'UnknownError'); }; })(IDBObjectStore.prototype.getAll)",
        )
        .unwrap();
    desk.page.choose_files("#import-files", &[&file]).unwrap();
    desk.page.wait_contains("#import-state", "The log could not be read: ").unwrap();
    assert_eq!(desk.page.text("#import-list").unwrap(), "", "nothing that could be taken for the same file");
    assert_eq!(desk.page.eval("document.getElementById('import-go').disabled").unwrap(), true);
    // Chosen once more, by a click that opens no window here.
    let click = "(input => { input.addEventListener('click', event => event.preventDefault(), { once: true }); input.click(); })";
    desk.page.eval(&format!("{click}(document.getElementById('import-files'))")).unwrap();
    desk.page.choose_files("#import-files", &[&file]).unwrap();
    desk.page.wait("!document.getElementById('import-go').disabled").unwrap();
    desk.page.click("#import-go").unwrap();
    desk.page.click("#import-close").unwrap();
    desk.wait_for_total(2).unwrap();
}
