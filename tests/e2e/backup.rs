//! The whole log, moved to another computer.

use crate::BEFORE_TRANSACTIONS;
use crate::{configured, downloaded, koha, transactions};
use fake_koha::{Era, Fault, FaultKind};
use koct_tests::{
    desk::{Desk, Settings},
    firefox::Options,
};
use std::fs;

#[test]
fn a_desk_is_moved_with_its_statuses_and_nothing_is_committed_twice() {
    let koha = koha(Era::From2405);
    let folder = koct_tests::keeper::folder().unwrap();
    let options = Options { downloads: Some(folder.path().to_owned()), ..Options::default() };
    let old = Desk::open(&options).unwrap();
    old.configure(&Settings::of(&koha.url(), "send")).unwrap();
    old.check_in("39999000000001").unwrap();
    old.commit().unwrap();
    old.check_in("39999000000002").unwrap();
    koha.fault(Fault::on("service.pl", FaultKind::ResetAfter).skip(BEFORE_TRANSACTIONS).times(1));
    old.commit().unwrap();
    old.check_out("23529001223601", "Bücher 📚").unwrap();
    old.page.click("tr[data-seq='3'] [data-edit]").unwrap();
    old.page.wait("document.getElementById('edit-dialog').open").unwrap();
    old.page.fill("#edit-barcode", "39999000000003\n").unwrap();
    old.page.wait("!document.getElementById('edit-dialog').open").unwrap();
    old.wait_for_states(&["added", "in-doubt", "local"]).unwrap();
    old.page.click("#backup").unwrap();
    let file = downloaded(folder.path(), "jsonl");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("{\"koct\":\"log\",\"version\":1,"), "{text}");
    assert_eq!(text.lines().count(), 1 + 3 + 2 + 1, "{text}");
    assert!(!text.contains("password") && text.contains("Bücher"), "history, and no secret");

    let new = configured(&koha, "send");
    new.page.click("#import-koc").unwrap();
    new.page.choose_files("#import-files", &[&file]).unwrap();
    new.page.wait("!document.getElementById('import-go').disabled").unwrap();
    new.page.click("#import-go").unwrap();
    new.page.wait("document.getElementById('question').open").unwrap();
    new.page.click("#question-yes").unwrap();
    let said = new.wait_for_import().unwrap();
    assert!(said.contains("Imported: 3. Already there: 0. Refused: 0."), "{said}");
    new.page.click("#import-close").unwrap();
    new.wait_for_states(&["added", "in-doubt", "local"]).unwrap();
    assert!(new.rows().unwrap().iter().all(|row| row.desk.is_empty()), "it is this desk now");
    assert_eq!(new.rows().unwrap()[0].barcode, "39999000000003");
    new.page.click("#show-batches").unwrap();
    new.page.wait("document.querySelectorAll('#batches-list li').length === 2").unwrap();
    new.page.click("#batches-close").unwrap();
    // Once more brings nothing.
    let said = new.import(&[&file]).unwrap();
    assert!(said.contains("Imported: 0. Already there: 3."), "{said}");
    new.page.click("#import-close").unwrap();
    // The one whose answer was lost stands in Koha's queue: that proves it, here too.
    let message = new.commit().unwrap();
    assert!(message.contains("Done: 2") && message.contains("stands in Koha’s queue"), "{message}");
    assert_eq!(transactions(&koha).len(), 3);
    // The backup is older than that commit: it takes nothing back.
    new.import(&[&file]).unwrap();
    new.page.click("#import-close").unwrap();
    new.wait_for_states(&["added"; 3]).unwrap();

    // Cut short, it says so, and what is there is kept.
    let cut = folder.path().join("cut.jsonl");
    let lines: Vec<&str> = text.lines().collect();
    fs::write(&cut, format!("{}\n{}\n{}", lines[0], lines[1], &lines[2][..20])).unwrap();
    new.page.click("#import-koc").unwrap();
    new.page.choose_files("#import-files", &[&cut]).unwrap();
    new.finish_import(1).unwrap();
    let list = new.page.text("#import-list").unwrap();
    assert!(list.contains("The backup is cut") && list.contains("1 line cannot be read"), "{list}");
    new.page.click("#import-close").unwrap();
    // A number beyond what a log can give is refused with its line, and the others are taken as they are.
    let beyond = folder.path().join("beyond.jsonl");
    let changed = text.replacen("\"seq\":1,", "\"seq\":4294967296,", 1);
    assert_ne!(changed, text);
    fs::write(&beyond, changed).unwrap();
    let said = new.import(&[&beyond]).unwrap();
    assert!(said.contains("Already there: 2. Refused: 1."), "{said}");
    new.page.click("#import-list summary").unwrap();
    new.page.wait_contains("#import-list", "Line 2: the line cannot be read").unwrap();
}
