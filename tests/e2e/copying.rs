//! The second copy: files in the download folder, and what an import makes of them.

use crate::{BEFORE_TRANSACTIONS, koha, wait};
use fake_koha::{Era, Fault, FaultKind};
use koct_core::{desks::copy::kept::FOLDER, koha::ready::state};
use koct_tests::{
    axe::axe,
    copy::{self, Copy},
    desk::{Desk, Settings, open_window},
    firefox::Options,
    page::{Page, key::F4},
    settings_page::{save, unfold},
};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// So many scans make a part.
const SCANS: usize = 25;

/// What stands in the files, once it is all of these codes and nothing is missing.
fn wait_for(folder: &Path, codes: &[String]) -> Copy {
    wait(&format!("the copy does not hold {codes:?}: {:?}", copy::read(folder)), || {
        let copy = copy::read(folder).unwrap();
        let found = copy.entries.iter().filter_map(|entry| entry.transaction.action.barcode());
        (!copy.lacks && found.map(ToString::to_string).eq(codes.iter().cloned())).then_some(copy)
    })
}

fn return_all(desk: &Desk, codes: &[String]) {
    let total = desk.total().unwrap();
    desk.page.type_text(&codes.iter().fold(F4.to_string(), |keys, code| keys + code + "\n")).unwrap();
    desk.wait_for_total(total + u64::try_from(codes.len()).unwrap()).unwrap();
}

fn codes(of: &str) -> Vec<String> {
    (1..=SCANS).map(|number| format!("{of}{number}")).collect()
}

/// The page that says whether the desk is ready, and what it says of the copy.
fn grade_of_copy(desk: &Desk) -> (Page, serde_json::Value) {
    let page = desk.firefox.open(&desk.firefox.addon_url("options/ready.html")).unwrap();
    page.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    let line = "(line => line && [line.dataset.grade, line.querySelector('[data-field=found]').textContent])(document.querySelector('[data-line=copy]'))";
    let found = page.eval(line).unwrap();
    (page, found)
}

/// The names of the files in the folder, with those that are not whole.
fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder.join(FOLDER)).unwrap().flatten();
    let mut names: Vec<String> = files.map(|file| file.file_name().into_string().unwrap()).collect();
    names.retain(|name| !state::is_one(name));
    names.sort();
    names
}

/// Waits until the file that tells how the desk stands says that this number of transactions waits.
fn wait_for_state(folder: &Path, waiting: usize) -> serde_json::Value {
    wait("it is not told how the desk stands", || {
        let mut files = fs::read_dir(folder.join(FOLDER)).ok()?.flatten();
        let file = files.find(|file| state::is_one(&file.file_name().to_string_lossy()))?;
        let text = fs::read_to_string(file.path()).ok()?;
        let state: serde_json::Value = serde_json::from_str(&text).ok()?;
        (state["waiting"] == json!(waiting)).then_some(state)
    })
}

/// Waits until the window says nothing of the copy. A computer without a time zone of a place has that to say.
fn wait_for_silence_of_copy(desk: &Desk) {
    desk.page.wait("!document.getElementById('ready-line').textContent.includes('Second copy')").unwrap();
}

/// Nothing can be written; and then it can.
fn lose_the_folder_for_a_while(desk: &mut Desk, folder: &Path, all: &mut Vec<String>) {
    // The folder is not there: a file has its name. The window says it, and what is scanned is scanned.
    let (copies, aside) = (folder.join(FOLDER), folder.join("aside"));
    fs::rename(&copies, &aside).unwrap();
    fs::write(&copies, "").unwrap();
    return_all(desk, &codes("C"));
    all.extend(codes("C"));
    desk.page.wait_text("#ready-line", "Not ready: Second copy").unwrap();
    let (_, found) = grade_of_copy(desk);
    assert!(found[0] == "careful" && found[1].as_str().unwrap().contains("cannot be written now"), "{found}");
    fs::remove_file(&copies).unwrap();
    fs::rename(&aside, &copies).unwrap();
    desk.page.close().unwrap();
    desk.page = open_window(&desk.firefox).unwrap();
    wait_for(folder, all);
    wait_for_silence_of_copy(desk);
    wait("what is old is not gone", || (names(folder).len() == 1).then_some(()));
}

/// A file cannot be written, again and again: one try stands in Firefox's list, and not each.
fn fail_more_than_once(desk: &mut Desk, folder: &Path, all: &mut Vec<String>) {
    let files = names(folder);
    let next = format!("{}_{:03}.jsonl", files[0].trim_end_matches(".jsonl"), files.len());
    // What Firefox would write into is a folder that is not empty.
    let in_the_way = folder.join(FOLDER).join(format!("{next}.part"));
    fs::create_dir(&in_the_way).unwrap();
    fs::write(in_the_way.join("x"), "").unwrap();
    return_all(desk, &codes("G"));
    all.extend(codes("G"));
    desk.page.wait_text("#ready-line", "Not ready: Second copy").unwrap();
    let list = "browser.downloads.search({}).then(list => list.map(({ id, state }) => [id, state]))";
    let failed = |desk: &Desk| {
        wait("not one that has failed is in the list", || {
            let list = desk.page.eval(list).unwrap();
            let list = list.as_array().unwrap();
            (list.len() == 1 && list[0][1] == "interrupted").then(|| list[0][0].clone())
        })
    };
    let first = failed(desk);
    // A new window tries at once.
    desk.page.close().unwrap();
    desk.page = open_window(&desk.firefox).unwrap();
    wait("it is not tried again", || (failed(desk) != first).then_some(()));
    fs::remove_dir_all(&in_the_way).unwrap();
    desk.page.close().unwrap();
    desk.page = open_window(&desk.firefox).unwrap();
    wait_for(folder, all);
    wait("what is old is not gone", || (names(folder).len() == 1).then_some(()));
    wait("a trace is left in Firefox's downloads", || (desk.page.eval(list).unwrap() == json!([])).then_some(()));
    // What it says of this try is not taken for what it says of the next.
    wait_for_silence_of_copy(desk);
}

/// The window is closed too early.
fn leave_something_to_the_event_page(desk: &mut Desk, folder: &Path, all: &mut Vec<String>) {
    // The window is closed before something is copied: the event page does it when its alarm rings.
    return_all(desk, &["D1".to_owned()]);
    all.push("D1".to_owned());
    let lever = desk.firefox.open(&desk.firefox.addon_url("options/options.html")).unwrap();
    lever.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    lever.wait("browser.alarms.get('koct-copy').then(alarm => alarm !== undefined)").unwrap();
    desk.page.close().unwrap();
    lever.run("browser.alarms.create('koct-copy', { when: Date.now() })").unwrap();
    let copy = wait_for(folder, all);
    assert_eq!(copy.files, 2, "only what was left");
    wait_for_state(folder, all.len());
    assert!(desk.firefox.pages_at("popup.html").unwrap().is_empty(), "no window was opened");
    desk.page = open_window(&desk.firefox).unwrap();
}

/// Somebody else has gone on with the copy: a profile that was set back to an image finds it so.
fn find_what_another_has_written(desk: &Desk, folder: &Path, all: &mut Vec<String>) {
    let mut files = names(folder);
    let next = format!("{}_{:03}.jsonl", files[0].trim_end_matches(".jsonl"), files.len());
    let path = |name: &String| folder.join(FOLDER).join(name);
    fs::write(path(&next), "somebody else's").unwrap();
    files.push(next);
    let before: Vec<String> = files.iter().map(|name| fs::read_to_string(path(name)).unwrap()).collect();
    return_all(desk, &codes("E"));
    all.extend(codes("E"));
    desk.page.wait_text("#ready-line", "Not ready: Second copy").unwrap();
    let after: Vec<String> = files.iter().map(|name| fs::read_to_string(path(name)).unwrap()).collect();
    assert_eq!(after, before, "nothing of it is touched");
    let (_, found) = grade_of_copy(desk);
    assert!(found[1].as_str().unwrap().contains("Somebody else has gone on"), "{found}");
    desk.page.activate().unwrap();
    // The log is in a set of its own. Whoever has brought the others in deletes them.
    for name in &files {
        fs::remove_file(path(name)).unwrap();
    }
    wait_for(folder, all);
    assert_eq!(names(folder).len(), 1, "no second name of Firefox's is left: {:?}", names(folder));
}

/// Another profile, the files in any order: first a part is missing, and then none.
fn import_without_a_part_and_then_with_all(files: &[PathBuf], all: usize) {
    let new = crate::desk();
    // The first part holds what the event page has written, and nothing else.
    let is_first = |file: &&PathBuf| file.to_string_lossy().ends_with("_001.jsonl");
    let some: Vec<&Path> = files.iter().filter(|file| !is_first(file)).map(PathBuf::as_path).collect();
    new.page.click("#import-koc").unwrap();
    new.page.choose_files("#import-files", &some).unwrap();
    let go = "!document.getElementById('import-go').disabled && document.getElementById('import-state').textContent === '' \
        && document.querySelectorAll('#import-list > li').length";
    new.page.wait(&format!("{go} === {}", some.len())).unwrap();
    new.page.click("#import-go").unwrap();
    new.page.wait("document.getElementById('question').open").unwrap();
    new.page.click("#question-yes").unwrap();
    let said = new.wait_for_import().unwrap();
    assert!(said.contains(&format!("Imported: {}.", all - 1)), "{said}");
    new.page.wait_contains("#import-list", "Parts of the copy are missing: 1.").unwrap();
    new.page.wait_contains("#import-list", "the numbers stand there").unwrap();
    assert_eq!(axe(&new.page).unwrap(), Vec::<String>::new());
    new.page.click("#import-close").unwrap();
    // With all of them, what was missing comes, and nothing twice.
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let said = new.import(&files).unwrap();
    assert!(said.contains("Imported: 1.") && said.contains("Refused: 0."), "{said}");
    new.page.click("#import-close").unwrap();
    assert_eq!(new.total().unwrap(), u64::try_from(all).unwrap());
}

#[test]
fn what_is_scanned_stands_in_the_download_folder_and_an_import_brings_it_back() {
    let koha = koha(Era::From2405);
    let folder = koct_tests::keeper::folder().unwrap();
    let options = Options {
        downloads: Some(folder.path().to_owned()),
        prefs: vec![("browser.download.alwaysOpenPanel".into(), json!(true))],
        ..Options::default()
    };
    let mut desk = Desk::open(&options).unwrap();
    desk.set_up(&Settings::of(&koha.url(), "send")).unwrap();
    desk.check_in("A1").unwrap();
    assert_eq!(grade_of_copy(&desk).1, json!(null), "who wants none sees nothing of it");
    // Switched on, and Firefox asks; what is there is written at once.
    let settings = desk.open_settings().unwrap();
    unfold(&settings, "second-copy").unwrap();
    settings.click("#second-copy").unwrap();
    settings.wait("browser.permissions.contains({ permissions: ['downloads'] })").unwrap();
    settings.wait_hidden("#second-copy-allow").unwrap();
    // Whoever wakes the event page meanwhile, by the toolbar's button, does not give it back: that takes this lock alone.
    let free = "navigator.locks.request('koct-permissions', { ifAvailable: true }, lock => lock !== null)";
    assert_eq!(settings.eval(free).unwrap(), json!(false));
    assert!(save(&settings).unwrap().starts_with("Saved"));
    settings.wait_contains("#fold-desks .says", "second copy on").unwrap();
    desk.page.activate().unwrap();
    let mut all = vec!["A1".to_owned()];
    wait_for(folder.path(), &all);
    // Some scans make a part.
    return_all(&desk, &codes("B"));
    all.extend(codes("B"));
    wait_for(folder.path(), &all);
    // Both the event page, since Firefox permits it, and the window may have begun one: what is old goes.
    // Where the scans take longer, they make another part.
    wait("there are not a whole log and its parts alone", || {
        let names = names(folder.path());
        let whole = names.first()?.trim_end_matches(".jsonl");
        (names.get(1)? == &format!("{whole}_001.jsonl") && names.iter().all(|name| name.starts_with(whole)))
            .then_some(())
    });
    let told = wait_for_state(folder.path(), all.len());
    // The zone of this computer is not looked at.
    let to_do = told["toDo"].as_array().unwrap();
    assert!(to_do.iter().all(|it| it["line"] == "zone") && !told.to_string().contains("\"B1\""), "{told}");
    // Nobody at the desk is shown anything of it by Firefox.
    let seen = "(async ({ Downloads }) => [(await (await Downloads.getList(Downloads.ALL)).getAll()).length, \
        document.getElementById('downloadsPanel')?.state ?? 'closed', \
        (await PlacesUtils.withConnectionWrapper('test', base => base.execute(\"SELECT count(*) FROM moz_places WHERE url LIKE 'blob:%' OR url LIKE 'file:%'\")))[0].getResultByIndex(0) \
        ])(ChromeUtils.importESModule('resource://gre/modules/Downloads.sys.mjs'))";
    wait("a trace is left in Firefox's downloads", || {
        (desk.firefox.in_chrome(seen).unwrap() == json!([0, "closed", 0])).then_some(())
    });
    let (page, found) = grade_of_copy(&desk);
    assert_eq!(found[0], "good", "{found}");
    assert!(found[1].as_str().unwrap().starts_with("Everything up to "), "{found}");
    assert_eq!(axe(&page).unwrap(), Vec::<String>::new());
    desk.page.activate().unwrap();

    lose_the_folder_for_a_while(&mut desk, folder.path(), &mut all);
    fail_more_than_once(&mut desk, folder.path(), &mut all);
    find_what_another_has_written(&desk, folder.path(), &mut all);
    leave_something_to_the_event_page(&mut desk, folder.path(), &mut all);
    // A correction is in the next part, as the log has it.
    desk.open_log().unwrap();
    desk.page.eval("document.getElementById('transactions-scroll').scrollTop = 1e9").unwrap();
    desk.page.click("tr[data-seq='1'] [data-edit]").unwrap();
    desk.page.wait("document.getElementById('edit-dialog').open").unwrap();
    desk.page.fill("#edit-barcode", "A1x\n").unwrap();
    desk.page.wait("!document.getElementById('edit-dialog').open").unwrap();
    return_all(&desk, &codes("F"));
    all.extend(codes("F"));
    all[0] = "A1x".to_owned();
    wait_for(folder.path(), &all);

    // Another profile: the files in any order, first with a part missing.
    let saved = koct_tests::keeper::folder().unwrap();
    let files: Vec<PathBuf> = copy::files(folder.path())
        .unwrap()
        .iter()
        .rev()
        .map(|file| {
            let to = saved.path().join(file.file_name().unwrap());
            fs::copy(file, &to).unwrap();
            to
        })
        .collect();
    // That a commit is running is in the files before it ends: whoever loses the profile meanwhile does not send all again.
    koha.fault(Fault::on("service.pl", FaultKind::Hold).skip(BEFORE_TRANSACTIONS));
    desk.page.click("#commit").unwrap();
    wait("nothing tells that a commit runs", || copy::read(folder.path()).unwrap().is_committing.then_some(()));
    koha.clear_faults();
    desk.wait_for_commit().unwrap();
    wait("the copy does not know that it has ended", || {
        let copy = copy::read(folder.path()).unwrap();
        (!copy.is_committing && copy.entries.iter().all(|entry| entry.status.state().is_committed())).then_some(())
    });
    // The log is cleared: what was in it is in no file any more.
    desk.clear_committed().unwrap();
    desk.wait_for_total(0).unwrap();
    wait("the copy of what was cleared is there still", || {
        let files: Vec<String> =
            copy::files(folder.path()).unwrap().iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
        (files.len() == 1 && files.iter().all(|text| !text.contains("\"A1x\"") && !text.contains("\"F1\"")))
            .then_some(())
    });
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
    drop(desk);

    import_without_a_part_and_then_with_all(&files, all.len());
}
