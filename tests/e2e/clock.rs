//! A computer's clock that is wrong for some scans.

use crate::{configured, koha, transactions};
use fake_koha::Era;
use koct_tests::desk::Desk;

/// The page's clock is ahead of the computer's by `window.skew` from now on.
pub(crate) const SKEWED: &str = "(Real => { window.skew = 0; window.Date = class extends Real { \
    constructor(...given) { if (given.length) super(...given); else super(Real.now() + window.skew); } \
    static now() { return Real.now() + window.skew; } }; })(Date)";

pub(crate) fn set_ahead(desk: &Desk, minutes: i64) {
    desk.page.run(&format!("window.skew = {minutes} * 60000")).unwrap();
}

/// The times of the log as they are stored, in the order of the numbers.
pub(crate) fn stored(desk: &Desk) -> Vec<i64> {
    let times = desk.page.eval(
        "(async () => { const db = await new Promise((done, fail) => { const o = indexedDB.open('koct'); o.onsuccess = () => done(o.result); o.onerror = fail; }); \
         const all = await new Promise((done, fail) => { const r = db.transaction('transactions').objectStore('transactions').getAll(); \
         r.onsuccess = () => done(r.result); r.onerror = fail; }); db.close(); return all.map(row => row.moment.utc); })()",
    );
    serde_json::from_value(times.unwrap()).unwrap()
}

#[test]
fn a_jump_of_the_clock_is_said_at_the_scan_and_stays_until_somebody_has_seen_it() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    desk.page.run(SKEWED).unwrap();
    desk.check_in("39999000000001").unwrap();
    desk.page.wait_contains("#message", "39999000000001").unwrap();
    set_ahead(&desk, 810);
    desk.check_in("39999000000002").unwrap();
    // Put right: the next scan is before the one before it.
    set_ahead(&desk, 0);
    desk.check_in("39999000000003").unwrap();
    desk.page.wait_contains("#message", "jumped by -13:").unwrap();
    let said = desk.message().unwrap();
    assert!(said.contains("39999000000003") && said.contains("Check the order of the desks…"), "{said}");
    // Work goes on, and the words stay.
    desk.check_in("39999000000004").unwrap();
    desk.page.wait_contains("#message", "39999000000004").unwrap();
    desk.page.wait_contains("#errors", "jumped by -13:").unwrap();
    assert!(!desk.message().unwrap().contains("jumped"));
    // A window that is opened later goes by the log.
    let mut desk = desk;
    crate::reopen(&mut desk);
    desk.page.run(SKEWED).unwrap();
    set_ahead(&desk, -60);
    desk.check_in("39999000000005").unwrap();
    desk.page.wait_contains("#message", "jumped by -1:").unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn one_scan_of_a_wrong_clock_is_moved_alone_and_what_no_calendar_holds_is_shown_as_refused() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    desk.page.run(SKEWED).unwrap();
    for number in 1..=3 {
        desk.check_in(&format!("3999900000000{number}")).unwrap();
    }
    set_ahead(&desk, 810);
    desk.check_out("23529001223601", "39999000000002").unwrap();
    set_ahead(&desk, 0);
    desk.check_in("39999000000002").unwrap();
    let before = stored(&desk);
    assert!(before[4] - before[3] < -12 * 3_600_000, "the item's time is what the clock shows: {before:?}");

    // Not committed unseen; and one scan is offered to be moved, not the desk.
    desk.page.click("#commit").unwrap();
    desk.page.wait("document.getElementById('review-dialog').open").unwrap();
    desk.page.wait_visible("#review-conflicts [data-kind=OutOfOrder]").unwrap();
    let suggestion = desk.page.text("#review-suggestions [data-field=words]").unwrap();
    assert!(suggestion.contains("its clock was 13:") && suggestion.contains("fast for 1 scan"), "{suggestion}");
    desk.page.click("#review-suggestions [data-field=move]").unwrap();
    desk.page.wait_contains("#review-desks [data-field=moves]", "1 transaction will move:").unwrap();
    let moves = desk.page.text("#review-desks [data-field=moves]").unwrap();
    assert!(moves.contains("Checkout") && moves.contains("39999000000002") && moves.contains('→'), "{moves}");
    desk.page.wait("document.getElementById('review-conflicts').childElementCount === 0").unwrap();
    assert_eq!(stored(&desk), before, "nothing is stored yet");

    // So far back that there is no such day.
    let typed = "(field => { field.value = '+29000d'; field.dispatchEvent(new Event('change')); })";
    desk.page.run(&format!("{typed}(document.querySelector('#review-desks [data-field=shift]'))")).unwrap();
    desk.page.wait_contains("#review-desks [data-field=refused]", "1 transaction cannot be moved that far").unwrap();
    desk.page.wait_hidden("#review-desks [data-field=moves]").unwrap();
    desk.page.click("#review-store").unwrap();
    desk.page.wait_hidden("#review-store").unwrap();
    assert_eq!(stored(&desk), before, "as it was shown");

    desk.page.click("#review-suggestions [data-field=move]").unwrap();
    desk.page.wait_contains("#review-desks [data-field=moves]", "1 transaction will move:").unwrap();
    desk.send_in_this_order().unwrap();
    // Three of the items were not checked out.
    let message = desk.wait_for_commit().unwrap();
    assert!(message.contains("2 of 5 are in Koha. Koha refused 3."), "{message}");
    let after = stored(&desk);
    assert_eq!(after[..3], before[..3], "the right ones are where they were");
    assert!(
        (0..3_000).contains(&(after[4] - before[4])),
        "in a later second than the one before it: {before:?} {after:?}"
    );
    assert!(after.is_sorted(), "{after:?}");
    assert_eq!(transactions(&koha).len(), 5);
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}
