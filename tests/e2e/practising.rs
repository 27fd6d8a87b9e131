//! Practice beside the desk: made up, marked, and without a way to Koha or to the desk's own log.

use crate::{
    configured,
    knowing::{enter_patron, lines, wait_for_text},
    koha,
    printing::{open, pretend, print},
};
use fake_koha::Era;
use koct_tests::{
    axe::{axe, axe_of_colours},
    desk::Desk,
    page::{Page, key},
};
use serde_json::Value;
use std::mem;

/// Everything that the desk's window and Firefox's keep, but for what a window's opening leaves and what Koha's clock shows.
///
/// Alarms that ring meanwhile would be none of practice: there are none to begin with.
const KEPT: &str = "(async () => {
    const base = await new Promise(done => { const o = indexedDB.open('koct'); o.onsuccess = () => done(o.result); });
    const rows = await new Promise(done => { const r = base.transaction('transactions').objectStore('transactions').getAll(); r.onsuccess = () => done(r.result); });
    base.close();
    const [{ clock, ...local }, { windowId, practiceId, awake, ...session }] =
        await Promise.all([browser.storage.local.get(), browser.storage.session.get()]);
    return JSON.stringify([rows, local, session, { ...localStorage }, await browser.alarms.getAll(), await browser.action.getBadgeText({})]);
})()";

/// Asks Koha from a page. Whether it was let.
fn fetches(page: &Page, url: &str) -> Value {
    page.eval(&format!("fetch('{url}', {{mode: 'no-cors'}}).then(() => true, () => false)")).unwrap()
}

/// Opens practice by the menu of the desk's window, which is `desk.page`, and goes over to it. Returns the desk's window.
fn practise(desk: &mut Desk) -> Page {
    desk.page.click("#open-practice").unwrap();
    let practice = desk.firefox.wait_for_page("popup/practice.html").unwrap();
    practice.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    practice.activate().unwrap();
    mem::replace(&mut desk.page, practice)
}

#[test]
fn practice_is_a_whole_round_and_touches_nothing_of_the_desk() {
    let koha = koha(Era::From2405);
    let mut desk = configured(&koha, "apply");
    desk.check_out("23529001223601", "39999000000001").unwrap();
    // A rule of the library's, by which 1007 means 007.
    let rule = "browser.storage.local.get('habits').then(({ habits }) => \
        browser.storage.local.set({ habits: { ...habits, itemRules: 'drop-first 1' } }))";
    desk.page.eval(rule).unwrap();
    // As if a commit were under way here.
    desk.page.eval("void navigator.locks.request('koct-sender', () => new Promise(() => {}))").unwrap();
    desk.page.eval("browser.alarms.clearAll()").unwrap();
    let before = desk.page.eval(KEPT).unwrap();
    let own = practise(&mut desk);

    // It can send nowhere, although KOCT may ask this server.
    let url = format!("{}/practice-was-here", koha.url());
    assert_eq!(
        [fetches(&desk.page, &url), fetches(&own, &format!("{url}-not"))],
        [Value::Bool(false), Value::Bool(true)]
    );
    assert_eq!(desk.page.eval("document.title").unwrap(), "Practice – KOCT");
    assert_eq!(desk.page.text("#practice-sign").unwrap(), "Practice");
    desk.page.wait_contains("#message", "Practice: nothing here reaches Koha.").unwrap();
    assert_eq!(desk.total().unwrap(), 0, "the desk's own log is not here");
    for gone in ["export-koc", "import-koc", "backup", "open-queue", "open-records", "open-settings", "save-todo"] {
        assert_eq!(desk.page.eval(&format!("document.getElementById('{gone}')")).unwrap(), Value::Null, "{gone}");
    }

    // What can be scanned, and what each shows; a press puts it into its field.
    desk.page.click("#practice-codes").unwrap();
    desk.page.wait("document.getElementById('practice-dialog').open").unwrap();
    assert_eq!(lines(&desk, "#practice-cards li")[1], "9002 Practice, Ben Restricted.");
    assert_eq!(lines(&desk, "#practice-items li")[6], "1007 Practice book 7 Set aside");
    let mut objections = axe(&desk.page).unwrap();
    desk.page.click("#practice-cards li:nth-child(2) button").unwrap();
    desk.page.wait_focused("checkout-patron").unwrap();
    desk.page.type_text("\n").unwrap();
    wait_for_text(&desk, "patron-name", "Practice, Ben");
    desk.page.wait_contains("#patron-warnings", "Restricted").unwrap();

    // A day at the desk: lent, to be stopped, set aside, late, not known, refused.
    enter_patron(&desk, "9001");
    desk.page.type_text("1001\n1006\n").unwrap();
    desk.page.wait_contains("#patron-items-list", "On the hold shelf for Practice, Gina · 9007.").unwrap();
    desk.page.wait_visible("#patron-items-list [data-answer=lend]").unwrap();
    desk.page.click("#patron-items-list [data-field=take-back]").unwrap();
    desk.page.type_text(&format!("{}1007\n1005\n1009\n1999\n1003\n1011\n", key::F4)).unwrap();
    desk.wait_for_total(8).unwrap();
    desk.page.wait_contains("#checkin-items-list", "Practice branch").unwrap();
    desk.page.wait_contains("#checkin-items-list", "5 days late").unwrap();
    desk.page.wait_contains("#checkin-items-list", "Marked lost").unwrap();
    let barcodes: Vec<String> = desk.rows().unwrap().into_iter().map(|row| row.barcode).collect();
    assert!(barcodes.contains(&"007".to_owned()) && !barcodes.contains(&"1007".to_owned()), "{barcodes:?}");
    objections.extend(axe(&desk.page).unwrap());
    desk.firefox.set_dark(true).unwrap();
    desk.page.wait("matchMedia('(prefers-color-scheme: dark)').matches && !document.getAnimations().length").unwrap();
    objections.extend(axe_of_colours(&desk.page).unwrap());
    desk.firefox.set_dark(false).unwrap();
    pretend(&desk);
    enter_patron(&desk, "9001");
    open(&desk, "#print-slip");
    assert_eq!(print(&desk)[0], "Practice: nothing of this is in Koha.");

    // And what comes after it.
    let message = desk.commit().unwrap();
    assert_eq!(message, "Practice: a made-up Koha has answered. 4 of 7 are in Koha. Koha refused 3.");
    desk.open_todo().unwrap();
    desk.page.wait_text("[data-group=set-aside] [data-field=count]", "1").unwrap();
    desk.page.wait_text("[data-group=refused] [data-field=count]", "3").unwrap();
    desk.page.wait_contains("[data-group=refused]", "Koha still has it as lost: check it in there").unwrap();
    assert_eq!(objections, Vec::<String>::new());

    // The desk is as it was.
    assert_eq!(own.eval(KEPT).unwrap(), before);
    assert_eq!(own.text("#count-unsent").unwrap(), "1");
    assert_eq!(koha.library(|library| library.count_effects(|_| true)), 0);
    let asked = koha.requests();
    assert!(!asked.iter().any(|request| request.path.ends_with("was-here")), "{asked:?}");
    assert!(asked.iter().any(|request| request.path.ends_with("was-here-not")), "the desk's own page may");

    // It begins anew when somebody says so, and whenever nobody practised in between.
    desk.page.click("#practice-again").unwrap();
    desk.page.wait("document.getElementById('question').open").unwrap();
    desk.page.click("#question-yes").unwrap();
    desk.page
        .wait("document.body?.hasAttribute('data-ready') && document.getElementById('count-total').textContent === '0'")
        .unwrap();
    desk.check_in("1004").unwrap();
    desk.page.close().unwrap();
    desk.page = own;
    let own = practise(&mut desk);
    assert_eq!(desk.total().unwrap(), 0);
    desk.check_in("1004").unwrap();
    // Asked for again, it comes to the front as it is.
    own.click("#open-practice").unwrap();
    own.wait(
        "(await browser.windows.getLastFocused()).id === (await browser.storage.session.get('practiceId')).practiceId",
    )
    .unwrap();
    assert_eq!(desk.firefox.pages_at("popup/practice.html").unwrap().len(), 1);
    // Nobody empties what somebody else is at.
    let also = desk.firefox.open(&desk.firefox.addon_url("popup/practice.html")).unwrap();
    also.wait(
        "document.body?.hasAttribute('data-ready') && document.getElementById('count-total').textContent === '1'",
    )
    .unwrap();
    assert_eq!(own.eval(KEPT).unwrap(), before);
}
