//! What stays on the disk of what was typed, scanned and cleared.

use crate::koha;
use aho_corasick::AhoCorasick;
use fake_koha::Era;
use koct_tests::{
    desk::{Desk, Settings},
    firefox::Options,
    page::Page,
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Gives every field of the page that can be typed into a text of its own, also those of dialogs that are closed and of rows
/// that come from templates; and one more field, which Firefox may keep. Returns which field has which text.
const TYPE_EVERYWHERE: &str = "((canaries) => {
    for (const template of document.querySelectorAll('template')) document.body.append(template.content.cloneNode(true));
    const kept = document.body.appendChild(document.createElement('input'));
    kept.id = 'kept';
    const none = ['checkbox', 'radio', 'file', 'button', 'submit', 'date'];
    const fields = [...document.querySelectorAll('input, textarea')].filter(field => !none.includes(field.type));
    return Object.fromEntries(fields.map((field, place) => {
        field.value = canaries[place];
        return [field.id || field.dataset.field, canaries[place]];
    }));
})";

/// Writes to the disk what Firefox would restore after a crash.
const SAVE_SESSION: &str = "(async () => {
    const from = name => ChromeUtils.importESModule(`resource:///modules/sessionstore/${name}.sys.mjs`)[name];
    for (const window of Services.wm.getEnumerator('navigator:browser')) await from('TabStateFlusher').flushWindow(window);
    await from('SessionSaver').run();
})()";

/// Eight letters that no other number gives and no text holds: what Firefox compresses holds them as they are when they come
/// first, since no part of them came before.
fn canary(number: u64) -> String {
    const LETTERS: &[u8] = b"bcdfghjkmnpqrstvwxz";
    let mut dice = fastrand::Rng::with_seed(number);
    (0..8).map(|_| char::from(LETTERS[dice.usize(..LETTERS.len())])).collect()
}

/// In which files below the folder each of these canaries stands: as it is, in UTF-16, or as a key of an index, where each
/// letter is the next one. Capitals count as small ones.
fn files_with(folder: &Path, canaries: &[&str]) -> BTreeMap<String, Vec<PathBuf>> {
    let key = |letters: String| letters.bytes().map(|letter| letter + 1).collect::<Vec<_>>();
    let ways = |canary: &&str| {
        let apart = canary.bytes().flat_map(|letter| [letter, 0]).take(2 * canary.len() - 1).collect();
        [canary.as_bytes().to_vec(), apart, key(canary.to_ascii_lowercase()), key(canary.to_ascii_uppercase())]
    };
    let wanted: Vec<Vec<u8>> = canaries.iter().flat_map(ways).collect();
    let of_each = wanted.len() / canaries.len();
    let finder = AhoCorasick::builder().ascii_case_insensitive(true).build(wanted).unwrap();
    let mut found: BTreeMap<_, Vec<PathBuf>> =
        canaries.iter().map(|canary| ((*canary).to_owned(), Vec::new())).collect();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            // One that is gone by now holds nothing.
            let Ok(bytes) = fs::read(&path) else { continue };
            for place in finder.find_overlapping_iter(&bytes) {
                let files = found.get_mut(canaries[place.pattern().as_usize() / of_each]).unwrap();
                if files.last() != Some(&path) {
                    files.push(path.clone());
                }
            }
        }
    }
    found
}

/// Types everywhere in a page, and looks for it in what Firefox would restore.
fn type_everywhere(desk: &Desk, page: &Page, first: u64) {
    let canaries: Vec<String> = (first..first + 80).map(canary).collect();
    let typed = page.eval(&format!("{TYPE_EVERYWHERE}({})", json!(canaries))).unwrap();
    let typed: BTreeMap<String, String> = serde_json::from_value(typed).unwrap();
    assert!(typed.len() > 8, "{typed:?}");
    desk.firefox.in_chrome(SAVE_SESSION).unwrap();
    let texts: Vec<&str> = typed.values().map(String::as_str).collect();
    let found = files_with(desk.firefox.profile(), &texts);
    for (field, text) in &typed {
        let found = &found[text];
        let is_in_session = found.iter().any(|path| path.to_string_lossy().contains("sessionstore"));
        assert_eq!(is_in_session, field == "kept", "{field}: {found:?}");
        assert!(found.iter().all(|path| path.to_string_lossy().contains("sessionstore")), "{field}: {found:?}");
    }
}

#[test]
fn what_is_typed_is_in_no_session_that_firefox_would_restore() {
    let desk = Desk::open(&Options::default()).unwrap();
    type_everywhere(&desk, &desk.page, 100);
    let page = desk.open_settings().unwrap();
    page.eval("void (document.getElementById('lookup-fields').hidden = false)").unwrap();
    type_everywhere(&desk, &page, 200);
}

#[test]
fn what_was_scanned_and_cleared_is_nowhere_in_the_profile() {
    let koha = koha(Era::Before2405);
    let profile = koct_tests::keeper::folder().unwrap();
    let options = Options {
        profile: Some(profile.path().to_owned()),
        // What the add-on has stored stays, although Firefox takes a temporary one away when it ends.
        prefs: vec![("extensions.webextensions.keepStorageOnUninstall".into(), true.into())],
        ..Options::default()
    };
    let mut desk = Desk::open(&options).unwrap();
    let [card, item, returned, corrected, looked_for, account, password] = [1, 2, 3, 4, 5, 6, 7].map(canary);
    let settings =
        Settings { username: account.clone(), password: password.clone(), ..Settings::of(&koha.url(), "send") };
    desk.configure(&settings).unwrap().close().unwrap();
    desk.page.activate().unwrap();
    desk.check_out(&card, &item).unwrap();
    desk.check_in(&returned).unwrap();
    desk.page.fill("#find-text", &looked_for).unwrap();
    desk.page.click("#show-all").unwrap();
    desk.page.click("tr[data-seq='2'] [data-edit]").unwrap();
    desk.page.fill("#edit-barcode", &format!("{corrected}\n")).unwrap();
    desk.page.wait("!document.getElementById('edit-dialog').open").unwrap();
    // Many more, half of them in Koha: their fingerprints and the record of the commit stay.
    let many: Vec<String> = (1_000..1_120).map(canary).collect();
    let (committed, open) = many.split_at(60);
    for (part, total) in [(committed, 62), (open, 122)] {
        desk.page.click("#checkin-item").unwrap();
        desk.page.type_text(&format!("{}\n", part.join("\n"))).unwrap();
        desk.wait_for_total(total).unwrap();
        if total == 62 {
            desk.commit().unwrap();
        }
    }
    let in_storage = |files: &[PathBuf]| !files.is_empty() && files.iter().all(|path| is_storage(path));
    let mut scanned = [&card, &item, &returned, &corrected].map(String::as_str).to_vec();
    scanned.extend(many.iter().map(String::as_str));
    for (text, files) in files_with(profile.path(), &scanned) {
        assert!(in_storage(&files), "the log holds it, and nothing else: {text} {files:?}");
    }
    for id in ["#clear", "#clear-confirm", "#clear-unsent-confirm", "#clear-ok"] {
        desk.page.click(id).unwrap();
    }
    desk.wait_for_total(0).unwrap();
    desk.firefox.in_chrome(SAVE_SESSION).unwrap();
    // An end in order: the answer does not come any more.
    let _ = desk.firefox.in_chrome("void setTimeout(() => Services.startup.quit(Ci.nsIAppStartup.eForceQuit))");
    desk.firefox.wait_until_closed().unwrap();
    let mut found = files_with(profile.path(), &[&scanned[..], &[&looked_for, &password, &account]].concat());
    let settings = found.remove(&account).unwrap();
    assert!(in_storage(&settings), "the settings are kept: {settings:?}");
    assert!(found.values().all(Vec::is_empty), "{found:?}");
}

/// Whether this is a file of what the add-on stores.
fn is_storage(path: &Path) -> bool {
    path.to_string_lossy().contains("storage/default/moz-extension")
}
