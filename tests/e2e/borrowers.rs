//! The reader of `borrowers.db`, in the add-on as it is built: a module of its own, under the add-on's own policy.

use crate::desk;
use data_encoding::BASE64;
use serde_json::json;
use std::{fs, path::Path};

/// The files that the page has loaded of it.
const LOADED: &str =
    "performance.getEntriesByType('resource').map(entry => entry.name).filter(name => name.includes('borrowers_db'))";

/// Reads a file to its end: what was said of each step, and how many bytes of rows came.
const READ: &str = "(async () => {
    const module = await import('/pkg/koct_borrowers_db.js');
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
