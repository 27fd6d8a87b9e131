//! Two windows of one profile: each shows the log as it is, whoever changed it.

use crate::{configured, desk, koha};
use fake_koha::Era;
use koct_tests::{
    desk::Desk,
    page::{Page, key},
};
use serde_json::Value;

/// What a window shows of the log: the rows, how many there are, and the counts.
const SHOWN: &str = "({rows: [...document.querySelectorAll('#transactions-rows tr[data-seq]')].map(row => \
    [row.dataset.seq, row.dataset.status, ...[...row.querySelectorAll('[data-field]')].map(field => field.textContent)]), \
    total: document.getElementById('transactions-table').getAttribute('aria-rowcount'), \
    unsent: document.getElementById('count-unsent').textContent, all: document.getElementById('count-total').textContent})";

/// The barcodes that a window shows, oldest first, in the order of the table.
const BARCODES: &str = "[...document.querySelectorAll('#transactions-rows [data-field=barcode]')].map(field => field.textContent).reverse()";

/// A window of the same profile, in a tab, as wide and high as the first.
fn second_window(desk: &Desk) -> Page {
    let page = desk.firefox.open(&desk.firefox.addon_url("popup/popup.html")).unwrap();
    page.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    page.eval("document.getElementById('clear-dialog').close()").unwrap();
    for page in [&desk.page, &page] {
        page.set_viewport(1_200, 1_400).unwrap();
    }
    page
}

/// Waits until both windows show so many rows, and the same.
fn same_in_both(desk: &Desk, other: &Page, total: u64) {
    desk.wait_for_total(total).unwrap();
    let shown = crate::wait("they do not come to show the same", || {
        let [first, second] = [&desk.page, other].map(|page| page.eval(SHOWN).unwrap());
        (first == second).then_some(first)
    });
    let rows = shown["rows"].as_array().unwrap();
    assert_eq!(u64::try_from(rows.len()).unwrap(), total, "nothing is shown twice: {rows:?}");
}

fn barcodes(page: &Page) -> Vec<String> {
    let barcodes = page.eval(BARCODES).unwrap();
    barcodes.as_array().unwrap().iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn type_into(page: &Page, field: &str, text: &str) {
    page.activate().unwrap();
    page.click(field).unwrap();
    page.type_text(text).unwrap();
}

/// Brings the change of a row, by its dialog, to an end.
fn correct(page: &Page, seq: u32, barcode: &str) {
    page.activate().unwrap();
    page.click(&format!("tr[data-seq='{seq}'] [data-edit]")).unwrap();
    page.wait("document.getElementById('edit-dialog').open").unwrap();
    page.fill("#edit-barcode", &format!("{barcode}\n")).unwrap();
    page.wait("!document.getElementById('edit-dialog').open").unwrap();
}

#[test]
fn what_is_done_in_one_window_is_shown_in_the_other() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    let other = second_window(&desk);
    desk.check_out("23529001223601", "39999000000001").unwrap();
    same_in_both(&desk, &other, 1);
    type_into(&other, "#checkin-item", "39999000000002\n39999000000003\n");
    same_in_both(&desk, &other, 3);
    desk.page.activate().unwrap();
    desk.check_out("23529001223602", "39999000000004").unwrap();
    same_in_both(&desk, &other, 4);

    // Each takes back its own last scan.
    for (page, seq) in [(&desk.page, 4), (&other, 3)] {
        page.activate().unwrap();
        page.press(&[key::F8]).unwrap();
        desk.page
            .wait(&format!("document.querySelector(\"tr[data-seq='{seq}']\").dataset.status === 'deleted'"))
            .unwrap();
        same_in_both(&desk, &other, 4);
    }
    other.wait_text("#count-unsent", "2").unwrap();

    // Either corrects what the other recorded.
    correct(&other, 1, "39999000000005");
    desk.page.wait(&format!("{BARCODES}[0] === '39999000000005'")).unwrap();
    same_in_both(&desk, &other, 4);
    correct(&desk.page, 2, "39999000000006");
    other.wait(&format!("{BARCODES}[1] === '39999000000006'")).unwrap();
    same_in_both(&desk, &other, 4);

    desk.page.activate().unwrap();
    desk.commit().unwrap();
    same_in_both(&desk, &other, 4);
    assert_eq!(desk.states().unwrap()[0], "success");
    other.wait("document.getElementById('commit').getAttribute('aria-disabled') !== 'true'").unwrap();

    // What Koha refused stays.
    desk.page.click("#clear-committed").unwrap();
    same_in_both(&desk, &other, 1);
    desk.wait_for_states(&["rejected"]).unwrap();
    // It can go on.
    type_into(&other, "#checkin-item", "39999000000007\n");
    same_in_both(&desk, &other, 2);
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn what_is_looked_for_in_one_window_follows_what_the_other_does() {
    let desk = desk();
    desk.check_in("A1").unwrap();
    desk.check_in("B2").unwrap();
    let other = second_window(&desk);
    other.activate().unwrap();
    other.fill("#find-text", "a").unwrap();
    let shows = |number: usize, all: usize| {
        other
            .wait(&format!("document.getElementById('filter-text').textContent === 'Shown: {number} of {all}.'"))
            .unwrap();
        let barcodes = barcodes(&other);
        assert_eq!(barcodes.len(), number, "{barcodes:?}");
        barcodes
    };
    assert_eq!(shows(1, 2), ["A1"]);
    desk.page.activate().unwrap();
    desk.check_in("B3").unwrap();
    assert_eq!(shows(1, 3), ["A1"], "not what is looked for");
    desk.check_in("A4").unwrap();
    assert_eq!(shows(2, 4), ["A1", "A4"]);
    correct(&desk.page, 1, "C1");
    assert_eq!(shows(1, 4), ["A4"]);
    correct(&desk.page, 2, "A2");
    assert_eq!(shows(2, 4), ["A2", "A4"]);
    // What is taken back is still there, and shown so.
    desk.page.press(&[key::F8]).unwrap();
    other.wait("document.querySelector(\"tr[data-seq='4']\").dataset.status === 'deleted'").unwrap();
    other.wait_text("#count-unsent", "3").unwrap();
    assert_eq!(shows(2, 4), ["A2", "A4"]);
    desk.page.click("#clear").unwrap();
    desk.page.click("#clear-confirm").unwrap();
    desk.page.click("#clear-unsent-confirm").unwrap();
    desk.page.click("#clear-ok").unwrap();
    shows(0, 0);
    other.wait_text("#count-unsent", "0").unwrap();
    other.activate().unwrap();
    other.click("#show-all").unwrap();
    desk.page.activate().unwrap();
    desk.check_in("B5").unwrap();
    same_in_both(&desk, &other, 1);
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn scans_of_the_same_moment_in_both_windows_keep_their_order_and_are_there_once() {
    const EACH: usize = 25;
    // Both begin at the same time, and neither waits for what it has scanned.
    let scanning = |name: &str, at: &Value| {
        format!(
            "(async () => {{ const field = document.getElementById('checkin-item'); \
             await new Promise(done => setTimeout(done, {at} - Date.now())); \
             for (let i = 0; i < {EACH}; i++) {{ field.value = '{name}' + i; \
             field.dispatchEvent(new KeyboardEvent('keydown', {{key: 'Enter', bubbles: true, cancelable: true}})); \
             if (i % 4 === 3) await new Promise(done => setTimeout(done, 1)); }} }})()"
        )
    };
    let desk = desk();
    let other = second_window(&desk);
    for page in [&desk.page, &other] {
        page.set_viewport(1_200, 3_000).unwrap();
    }
    let at = desk.page.eval("Date.now() + 300").unwrap();
    desk.page.run(&scanning("A", &at)).unwrap();
    other.run(&scanning("B", &at)).unwrap();
    let all = u64::try_from(2 * EACH).unwrap();
    same_in_both(&desk, &other, all);
    for page in [&desk.page, &other] {
        let barcodes = barcodes(page);
        for name in ["A", "B"] {
            let own: Vec<&String> = barcodes.iter().filter(|barcode| barcode.starts_with(name)).collect();
            let expected: Vec<String> = (0..EACH).map(|number| format!("{name}{number}")).collect();
            assert_eq!(own, expected.iter().collect::<Vec<_>>());
        }
    }
    let rows = desk.rows().unwrap();
    assert!(rows.windows(2).all(|pair| pair[1].seq + 1 == pair[0].seq), "in the order of their numbers");
    assert_eq!(other.text("#count-unsent").unwrap(), all.to_string());
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}
