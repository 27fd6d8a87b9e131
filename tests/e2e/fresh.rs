//! Tests share what runs of Firefox. None finds what another left.

use crate::koha;
use fake_koha::{Era, FakeKoha};
use koct_tests::{
    desk::{Desk, Settings, addon, open_window},
    firefox::{Firefox, Options},
    page::Page,
};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// What a page of the add-on finds in every store that it can write to, and what it may do.
const STORED: &str = "(async () => ({
    local: Object.keys(await browser.storage.local.get()), session: Object.keys(await browser.storage.session.get()).sort(),
    bases: (await Promise.all((await indexedDB.databases()).map(async ({name}) => {
        const base = await new Promise((done, fail) => { const o = indexedDB.open(name); o.onsuccess = () => done(o.result); o.onerror = fail; });
        const count = store => new Promise((done, fail) => { const r = base.transaction(store).objectStore(store).count(); r.onsuccess = () => done(r.result); r.onerror = fail; });
        const counts = await Promise.all([...base.objectStoreNames].map(count));
        base.close();
        return counts;
    }))).flat().reduce((sum, count) => sum + count, 0),
    origins: (await browser.permissions.getAll()).origins, dark: matchMedia('(prefers-color-scheme: dark)').matches,
    language: document.documentElement.lang, number: localStorage.length + sessionStorage.length,
    badge: await browser.action.getBadgeText({}), size: [innerWidth, innerHeight], focus: [document.hasFocus(), document.activeElement.id],
}))()";

/// What is remembered of pages and kept by Firefox itself.
const REMEMBERED: &str = "(async () => ({
    cookies: Services.cookies.cookies.length, windows: [...Services.wm.getEnumerator('navigator:browser')].length,
    tabs: gBrowser.tabs.length, at: gBrowser.currentURI.spec,
    permissions: Services.perms.all.map(permission => permission.type).filter(type => type !== 'persistent-storage' && !type.startsWith('WebExtensions')).sort(),
    visited: await PlacesUtils.history.hasVisits(URL), stored: (await PlacesUtils.withConnectionWrapper('test', base => base.execute('SELECT count(*) FROM moz_places WHERE visit_count > 0')))[0].getResultByIndex(0),
    downloads: (await (await (({Downloads}) => Downloads.getList(Downloads.ALL))(ChromeUtils.importESModule('resource://gre/modules/Downloads.sys.mjs'))).getAll()).length,
    fonts: Services.prefs.prefHasUserValue('browser.display.use_document_fonts'),
}))()";

fn stored(page: &Page) -> Value {
    // The event page has done by then what it does once.
    page.wait("(await browser.storage.session.get('awake')).awake").unwrap();
    page.eval(STORED).unwrap()
}

fn remembered(firefox: &Firefox, url: &str) -> Value {
    firefox.in_chrome(&REMEMBERED.replace("URL", &json!(url).to_string())).unwrap()
}

/// A window of the add-on in a Firefox, with what it and Firefox know.
fn seen(firefox: &Firefox, url: &str) -> (Page, Value, Value) {
    firefox.install(&addon().unwrap()).unwrap();
    let remembered = remembered(firefox, url);
    let page = open_window(firefox).unwrap();
    let stored = stored(&page);
    (page, stored, remembered)
}

/// Does what a test can do: settings, leave to ask the server, scans, a file, errors, another size, pages of the server.
fn leave(desk: &Desk, koha: &FakeKoha, site: &str, folder: &Path) {
    desk.configure(&Settings::of(&koha.url(), "send")).unwrap();
    desk.check_in("39999000000001").unwrap();
    desk.export(false).unwrap();
    crate::downloaded(folder, "koc");
    desk.page.eval("localStorage.setItem('left', 'behind')").unwrap();
    desk.page.eval("void setTimeout(() => { throw new Error('left behind') })").unwrap();
    crate::wait("the error is not seen", || (!desk.firefox.console_errors().unwrap().is_empty()).then_some(()));
    let tab = desk.firefox.open(site).unwrap();
    tab.eval("(document.cookie = 'left=behind; max-age=9999', localStorage.setItem('left', 'behind'))").unwrap();
    desk.page.set_viewport(1_200, 1_400).unwrap();
}

#[test]
fn what_a_test_leaves_does_not_reach_the_next() {
    let koha = koha(Era::From2405);
    let site = format!("{}/cgi-bin/koha/mainpage.pl", koha.url());
    let folder = koct_tests::keeper::folder().unwrap();
    let options = Options {
        dark: true,
        locale: Some("de"),
        presets: Some(json!({"notice": "Call 1234."})),
        prefs: vec![("browser.display.use_document_fonts".into(), 0.into())],
        downloads: Some(folder.path().to_owned()),
        ..Options::default()
    };
    let firefox = Firefox::ready(&Options::default()).unwrap().again(&options).unwrap();
    firefox.install(&addon().unwrap()).unwrap();
    let page = open_window(&firefox).unwrap();
    page.wait_visible("#notice").unwrap();
    let desk = Desk { firefox, page };
    let address = desk.firefox.addon_url("");
    leave(&desk, &koha, &site, folder.path());
    // All of it can be seen.
    let left = stored(&desk.page);
    assert_eq!(
        (&left["origins"], &left["dark"], &left["language"]),
        (&json!(["http://127.0.0.1/*"]), &json!(true), &json!("de"))
    );
    assert!(
        left["bases"].as_u64() > Some(0)
            && left["local"].as_array().map(Vec::len) > Some(1)
            && left["number"].as_u64() > Some(0),
        "{left}"
    );
    let left = remembered(&desk.firefox, &site);
    assert!(left["windows"].as_u64() > Some(2) && left["visited"] == true && left["fonts"] == true, "{left}");
    assert!(left["cookies"].as_u64() > Some(0) && left["downloads"] == 1, "{left}");

    let firefox = desk.firefox.again(&Options::default()).unwrap();
    assert_ne!(firefox.addon_url(""), address, "what is late from before goes elsewhere");
    assert_eq!(firefox.console_errors().unwrap(), Vec::<String>::new());
    let new = Firefox::start(&Options::default()).unwrap();
    let (page, found, kept) = seen(&firefox, &site);
    let (_, expected_stored, expected) = seen(&new, &site);
    assert_eq!(found, expected_stored, "as in a Firefox that was just started");
    assert_eq!(kept, expected);
    page.wait_hidden("#notice").unwrap();
    koha.clear_requests();
    let tab = firefox.open(&site).unwrap();
    assert_eq!(tab.eval("[document.cookie, localStorage.length]").unwrap(), json!(["", 0]));
    assert_eq!(koha.requests()[0].cookie, None);
    // Leave to ask the server is asked for anew.
    let desk = Desk { firefox, page };
    desk.check_in("39999000000002").unwrap();
    desk.page.eval("void (document.getElementById('message').textContent = '')").unwrap();
    assert!(desk.commit().unwrap().contains("Open Settings"));

    // Where nothing was asked for that is read when the add-on is installed, it stays with its window: like a new one all the same.
    let plain = Options { downloads: Some(folder.path().to_owned()), ..Options::default() };
    let desk = desk.anew(&plain).unwrap();
    let address = desk.firefox.addon_url("");
    fs::remove_file(crate::downloaded(folder.path(), "koc")).unwrap();
    leave(&desk, &koha, &site, folder.path());
    let left = stored(&desk.page);
    assert!(
        left["bases"].as_u64() > Some(0) && left["badge"] == "1" && left["size"] == json!([1_200, 1_400]),
        "{left}"
    );
    // Windows that another test may open and leave: of the add-on, not by its button.
    desk.firefox.open(&format!("{address}popup/popup.html")).unwrap();
    let desk = desk.anew(&Options::default()).unwrap();
    assert_eq!(desk.firefox.addon_url(""), address, "it is the same installation");
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
    assert_eq!(stored(&desk.page), expected_stored);
    let mut expected = expected;
    expected["windows"] = json!(2);
    assert_eq!(remembered(&desk.firefox, &site), expected);
    // The button brings this window to the front, and opens no other.
    desk.firefox.click_toolbar_button().unwrap();
    assert_eq!(open_window(&desk.firefox).unwrap().eval("window.isHere = true").unwrap(), true);
    assert_eq!(desk.page.eval("window.isHere").unwrap(), true);
    // Closed and opened again, it is kept as well.
    desk.page.close().unwrap();
    let page = open_window(&desk.firefox).unwrap();
    page.eval("localStorage.setItem('left', 'behind')").unwrap();
    let desk = desk.anew(&Options::default()).unwrap();
    assert_eq!((stored(&desk.page), desk.firefox.addon_url("")), (expected_stored, address));
}
