//! The reader of `borrowers.db`, in the add-on as it is built: a module of its own, under the add-on's own policy.

use crate::desk;
use data_encoding::BASE64;
use koct_tests::settings_page;
use serde_json::json;
use std::{fs, path::Path};

/// The files that the page has loaded of it.
const LOADED: &str = "performance.getEntriesByType('resource').map(entry => entry.name).filter(name => name.includes('borrowers_module'))";

/// Reads a file to its end: what was said of each step, and how many bytes of rows came.
const READ: &str = "(async () => {
    const module = await import('/pkg/koct_borrowers_module.js');
    await module.default();
    const file = module.open(Uint8Array.from(atob('CONTENT'), c => c.charCodeAt(0)), () => 60);
    const said = [];
    do said.push({...JSON.parse(file.step()), bytes: file.rows().length}); while (!said.at(-1).done);
    return said;
})()";

#[test]
fn the_reader_of_borrowers_db_is_loaded_when_it_is_used() {
    let desk = desk();
    assert_eq!(desk.page.eval(LOADED).unwrap(), json!([]), "a window that opens does not wait for it");
    for name in ["koha.db", "desktop.db"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("borrowers-db").join(name);
        let content = BASE64.encode(&fs::read(path).unwrap());
        let said = desk.page.eval(&READ.replace("CONTENT", &content)).unwrap();
        let said = said.as_array().unwrap();
        let with = |kind: &str| said.iter().find(|step| step.get(kind).is_some()).unwrap();
        assert!(with("patrons")["bytes"].as_u64().unwrap() > 100, "{said:?}");
        assert!(with("loans")["bytes"].as_u64().unwrap() > 6000, "{said:?}");
        let report = &with("done")["done"];
        assert_eq!((&report["patrons"], &report["loans"]), (&json!(7), &json!(6)), "{name}");
    }
    let errors = desk.firefox.console_errors().unwrap();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn a_borrowers_db_gives_patrons_and_their_loans() {
    let desk = desk();
    let settings = desk.open_settings().unwrap();
    settings_page::unfold(&settings, "lookup").unwrap();
    settings.click("#lookup").unwrap();
    settings_page::save(&settings).unwrap();
    settings.close().unwrap();
    desk.page.activate().unwrap();
    desk.page.wait("!document.getElementById('open-records').hidden").unwrap();
    desk.page.click("#open-records").unwrap();
    desk.page.wait("document.getElementById('records-dialog').open").unwrap();
    desk.page.click("#records-more > summary").unwrap();
    let said = |file: &Path| {
        desk.page.eval("void (document.getElementById('records-state').textContent = '')").unwrap();
        desk.page.choose_files("#records-file", &[file]).unwrap();
        let said =
            "document.querySelector('#records-state:is(.message-good, .message-bad, .message-doubt)')?.innerText";
        desk.page.wait(said).unwrap().as_str().unwrap().to_owned()
    };
    let folder = koct_tests::keeper::folder().unwrap();
    let fixture = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("borrowers-db").join(name);
    // As it was made just now: the fixtures lie here for long.
    let fresh = |name: &str| {
        let path = folder.path().join(name);
        fs::write(&path, fs::read(fixture(name)).unwrap()).unwrap();
        path
    };
    let no_database = folder.path().join("no.db");
    fs::write(&no_database, "<!DOCTYPE html>").unwrap();
    let refused = said(&no_database);
    assert!(!refused.is_empty() && desk.page.visible("#records-line").unwrap(), "{refused}");
    for name in ["koha.db", "desktop.db"] {
        let told = said(&fresh(name));
        assert!(told.starts_with("The file is read."), "{told}");
        let rows = desk
            .page
            .eval("[...document.querySelectorAll('#records-sets tr')].map(row => row.children[1].innerText)")
            .unwrap();
        assert_eq!(rows, json!(["7", "none", "6", "none"]), "{name}");
    }
    // A file that cannot be read takes nothing away.
    said(&no_database);
    let rows = desk
        .page
        .eval("[...document.querySelectorAll('#records-sets tr')].map(row => row.children[1].innerText)")
        .unwrap();
    assert_eq!(rows, json!(["7", "none", "6", "none"]));
    desk.page.click("#records-close").unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}
