//! Two windows of one profile: each shows the log as it is, whoever changed it.

use crate::{
    configured, desk, doubts,
    finding::choose,
    knowing::{OTHER, ZOE, enter_patron, item, kept, knowing, library, lines, wait_for_kept, wait_for_text},
    koha,
    printing::{open, pretend, print},
    transactions,
};
use fake_koha::{Era, FakeKoha};
use koct_tests::{
    desk::{Desk, Settings},
    page::{Page, key},
};
use serde_json::{Value, json};

/// What a window shows of the log: the rows, how many there are, and the counts.
const SHOWN: &str = "({rows: [...document.querySelectorAll('#transactions-rows tr[data-seq]')].map(row => \
    [row.dataset.seq, row.dataset.status, ...[...row.querySelectorAll('[data-field]')].map(field => field.textContent)]), \
    total: document.getElementById('transactions-table').getAttribute('aria-rowcount'), \
    unsent: document.getElementById('count-unsent').textContent, all: document.getElementById('count-total').textContent})";

/// The barcodes that a window shows, oldest first, in the order of the table.
const BARCODES: &str = "[...document.querySelectorAll('#transactions-rows [data-field=barcode]')].map(field => field.textContent).reverse()";

/// A window of the same profile, in a tab, as wide and high as the first.
pub(crate) fn second_window(desk: &Desk) -> Page {
    let page = desk.firefox.open(&desk.firefox.addon_url("popup/popup.html")).unwrap();
    page.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    page.eval("document.getElementById('clear-dialog').close()").unwrap();
    for page in [&desk.page, &page] {
        page.set_viewport(1_200, 1_400).unwrap();
    }
    page
}

/// Opens a window which has this file of its module only once `window.giveFile()` is called there.
fn open_without(opener: &Page, desk: &Desk, file: &str) -> Page {
    // What is set on it while it is empty stays when it is loaded, since both are of the add-on.
    opener
        .eval(&format!(
            "(() => {{ const page = window.open('/popup/popup.html#{file}'), read = page.fetch; \
             const given = new Promise(done => {{ page.giveFile = done; }}); \
             page.fetch = async (what) => {{ if (String(what).endsWith('/{file}')) await given; return read.call(page, what); }}; }})()"
        ))
        .unwrap();
    desk.firefox.wait_for_page(&format!("popup.html#{file}")).unwrap()
}

/// Waits until both windows show this number of rows, and the same.
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

/// Changes a row by its dialog in `page`: the field, and what is typed there.
fn change(page: &Page, seq: u32, field: &str, value: &str) {
    open_row(page, seq);
    page.fill(field, &format!("{value}\n")).unwrap();
    page.wait("!document.getElementById('edit-dialog').open").unwrap();
}

/// Opens the dialog of a row in `page`.
fn open_row(page: &Page, seq: u32) {
    page.activate().unwrap();
    page.click(&format!("tr[data-seq='{seq}'] [data-edit]")).unwrap();
    page.wait("document.getElementById('edit-dialog').open").unwrap();
}

/// Presses a button of the dialog of a row until it does what it says: what has just come in place of something else is not meant.
fn press_once_seen(page: &Page, button: &str) {
    crate::wait("it is never seen", || {
        let is_open = page.eval("document.getElementById('edit-dialog').open").unwrap();
        if is_open == false {
            return Some(());
        }
        // It may close before the click.
        let _ = page.run(&format!("document.querySelector('{button}').click()"));
        None
    });
}

/// The window as it is when it is opened anew.
fn open_anew(page: &Page) {
    page.reload().unwrap();
    page.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    page.eval("document.getElementById('clear-dialog').close()").unwrap();
}

/// Deletes a row, or brings a deleted one back, by its dialog in `page`.
fn press_in_dialog(page: &Page, seq: u32, button: &str) {
    open_row(page, seq);
    page.click(button).unwrap();
    page.wait("!document.getElementById('edit-dialog').open").unwrap();
}

fn clear_all(page: &Page) {
    page.activate().unwrap();
    for id in ["#clear", "#clear-confirm", "#clear-unsent-confirm", "#clear-ok"] {
        page.click(id).unwrap();
    }
    page.wait("document.getElementById('message').textContent.startsWith('Removed from the log')").unwrap();
}

/// From now on the other windows hear nothing of what this one does, until [`tell`].
fn hush(page: &Page) {
    page.eval(
        "(() => { const [post, kept] = [BroadcastChannel.prototype.postMessage, []]; \
         BroadcastChannel.prototype.postMessage = function (message) { kept.push([this, message]); }; \
         window.tellAll = () => { BroadcastChannel.prototype.postMessage = post; for (const [to, message] of kept) to.postMessage(message); }; })()",
    )
    .unwrap();
}

/// The other windows hear of it all.
fn tell(page: &Page) {
    page.eval("window.tellAll()").unwrap();
}

/// Checks in at once, while another page has the mouse and the keyboard.
fn check_in_behind(page: &Page, item: &str) {
    page.eval(&format!(
        "(field => {{ field.value = '{item}'; \
         field.dispatchEvent(new KeyboardEvent('keydown', {{key: 'Enter', bubbles: true, cancelable: true}})); }})(document.getElementById('checkin-item'))"
    ))
    .unwrap();
}

/// Waits until the list of the patron shows these items, the newest first; and then a slip has the same, the oldest first.
fn lent(desk: &Desk, items: &[&str]) {
    desk.page.activate().unwrap();
    let listed = "JSON.stringify([...document.querySelectorAll('#patron-items-list [data-field=barcode]')].map(line => line.textContent))";
    desk.page.wait(&format!("{listed} === {:?}", serde_json::to_string(items).unwrap())).unwrap();
    if items.is_empty() {
        desk.page.click("#print-slip").unwrap();
        desk.page.wait("document.getElementById('message').textContent.startsWith('There is no slip')").unwrap();
        return;
    }
    open(desk, "#print-slip");
    let printed = print(desk);
    let on_paper: Vec<&str> = printed.iter().filter_map(|line| line.split_once(" | ")).map(|(item, _)| item).collect();
    assert_eq!(on_paper, items.iter().rev().copied().collect::<Vec<_>>(), "{printed:?}");
}

/// Scans an item for the patron of before, and waits until this number of transactions is in the log.
fn check_out_next(desk: &Desk, item: &str, total: u64) {
    desk.page.click("#checkout-item").unwrap();
    desk.page.type_text(&format!("{item}\n")).unwrap();
    desk.wait_for_total(total).unwrap();
}

#[test]
fn what_another_window_deletes_corrects_or_clears_leaves_the_list_the_slip_and_undo() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "send");
    pretend(&desk);
    let other = second_window(&desk);
    desk.page.activate().unwrap();
    desk.check_out("P1", "A1").unwrap();
    check_out_next(&desk, "A2", 2);
    lent(&desk, &["A2", "A1"]);

    // Deleted, and taken back here before anything was heard of it: that is done, and nothing else is taken back.
    hush(&other);
    press_in_dialog(&other, 2, "#edit-delete");
    desk.page.activate().unwrap();
    assert_eq!(desk.page.eval("document.querySelector(\"tr[data-seq='2']\").dataset.status").unwrap(), "local");
    desk.page.press(&[key::F8]).unwrap();
    // The scan of it was said too, and stands there still.
    desk.page.wait("/^Taken back: .*A2/.test(document.getElementById('message').textContent)").unwrap();
    desk.wait_for_states(&["local", "deleted"]).unwrap();
    // It is not the last any more, so the same item is asked about by nobody.
    tell(&other);
    lent(&desk, &["A1"]);
    assert_eq!(desk.page.text("#count-unsent").unwrap(), "1");
    check_out_next(&desk, "A2", 3);
    lent(&desk, &["A2", "A1"]);
    // While the dialog of a slip is open, too: what is printed is what stands then.
    open(&desk, "#print-slip");
    press_in_dialog(&other, 3, "#edit-delete");
    desk.page.activate().unwrap();
    desk.page.wait("document.querySelector(\"tr[data-seq='3']\").dataset.status === 'deleted'").unwrap();
    assert!(!print(&desk).iter().any(|line| line.starts_with("A2 ")));
    // Restored, it is the last again.
    press_in_dialog(&other, 3, "#edit-restore");
    lent(&desk, &["A2", "A1"]);

    // Corrected: another item, which is the one that would be the same again.
    change(&other, 3, "#edit-barcode", "A3");
    lent(&desk, &["A3", "A1"]);
    desk.page.click("#checkout-item").unwrap();
    desk.page.type_text("A3\n").unwrap();
    desk.page.wait("document.querySelector('.attention [data-grade=careful]')").unwrap();
    desk.page.click(".attention [data-field=dismiss]").unwrap();
    desk.page.fill("#find-text", "a3").unwrap();
    desk.wait_for_total(1).unwrap();
    desk.page.click("#show-all").unwrap();
    desk.wait_for_total(3).unwrap();
    // Another patron.
    change(&other, 1, "#edit-cardnumber", "P2");
    lent(&desk, &["A3"]);
    desk.page.fill("#checkout-patron", "P2\n").unwrap();
    lent(&desk, &["A1"]);
    change(&other, 1, "#edit-cardnumber", "P1");
    lent(&desk, &[]);
    desk.page.fill("#checkout-patron", "P1\n").unwrap();
    lent(&desk, &["A3", "A1"]);

    // What the other window scans is not of this sitting, and F8 takes back what this one scanned last.
    type_into(&other, "#checkin-item", "B1\n");
    desk.wait_for_total(4).unwrap();
    assert_eq!(desk.page.text("#checkin-items-title").unwrap(), "");
    desk.page.activate().unwrap();
    for (seq, item) in [(3, "A3"), (1, "A1")] {
        desk.page.press(&[key::F8]).unwrap();
        desk.page
            .wait(&format!("document.querySelector(\"tr[data-seq='{seq}']\").dataset.status === 'deleted'"))
            .unwrap();
        assert!(desk.message().unwrap().contains(item), "{}", desk.message().unwrap());
    }
    lent(&desk, &[]);
    desk.page.press(&[key::F8]).unwrap();
    desk.page.wait("document.getElementById('message').textContent.startsWith('Nothing was scanned')").unwrap();
    assert_eq!(desk.page.text("#count-unsent").unwrap(), "1", "what the other window scanned");

    // Cleared: nothing of it is left to print, to take back or to repeat.
    check_out_next(&desk, "A5", 5);
    desk.check_in("C1").unwrap();
    assert_eq!(desk.page.text("#checkin-items-title").unwrap(), "This cart: 1");
    clear_all(&other);
    desk.wait_for_total(0).unwrap();
    lent(&desk, &[]);
    assert_eq!(desk.page.text("#checkin-items-title").unwrap(), "");
    desk.page.press(&[key::F8]).unwrap();
    desk.page.wait("document.getElementById('message').textContent.startsWith('Nothing was scanned')").unwrap();
    desk.check_in("C1").unwrap();
    same_in_both(&desk, &other, 1);
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn what_another_window_commits_stays_on_the_slip_and_cannot_be_taken_back() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "send");
    pretend(&desk);
    let other = second_window(&desk);
    desk.page.activate().unwrap();
    desk.check_out("23529001223601", "39999000000001").unwrap();
    check_out_next(&desk, "39999000000002", 2);
    // What is looked for by where it stands follows.
    choose(&desk, "find-state", "local");
    desk.page.wait("document.getElementById('filter-text').textContent === 'Shown: 2 of 2.'").unwrap();
    other.activate().unwrap();
    other.click("#commit").unwrap();
    other.wait("document.getElementById('message').innerText.startsWith('Done: 2')").unwrap();
    desk.page.activate().unwrap();
    desk.page.wait("document.getElementById('filter-text').textContent === 'Shown: 0 of 2.'").unwrap();
    choose(&desk, "find-state", "added");
    desk.page.wait("document.getElementById('filter-text').textContent === 'Shown: 2 of 2.'").unwrap();
    desk.page.click("#show-all").unwrap();
    desk.page.wait("document.querySelectorAll('#transactions-rows tr[data-status=added]').length === 2").unwrap();
    assert_eq!(desk.page.text("#count-unsent").unwrap(), "0");
    lent(&desk, &["39999000000002", "39999000000001"]);
    desk.page.press(&[key::F8]).unwrap();
    desk.page.wait("document.getElementById('message').textContent.includes('cannot be undone')").unwrap();
    // The same again is asked about, wherever the first one stands.
    desk.page.click("#checkout-item").unwrap();
    desk.page.type_text("39999000000002\n").unwrap();
    desk.page.wait("document.querySelector('.attention [data-grade=careful]')").unwrap();
    desk.page.click(".attention [data-field=dismiss]").unwrap();
    other.activate().unwrap();
    other.click("#clear").unwrap();
    other.click("#clear-committed").unwrap();
    same_in_both(&desk, &other, 0);
    lent(&desk, &[]);
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn what_is_known_of_patrons_and_items_follows_another_window() {
    let (koha, desk) = knowing();
    let other = second_window(&desk);
    desk.page.activate().unwrap();
    enter_patron(&desk, ZOE);
    wait_for_text(&desk, "patron-loans-title", "2 items");
    check_out_next(&desk, &item(5), 1);
    wait_for_text(&desk, "patron-loans-title", "3 items");
    press_in_dialog(&other, 1, "#edit-delete");
    desk.page.activate().unwrap();
    wait_for_text(&desk, "patron-loans-title", "2 items");
    // Lent to somebody else: a warning, until the other window takes the checkout back.
    check_out_next(&desk, &item(3), 2);
    wait_for_text(&desk, "patron-items-list", "On loan");
    press_in_dialog(&other, 2, "#edit-delete");
    desk.page.activate().unwrap();
    desk.page.wait("!document.getElementById('patron-items-list').innerText.includes('On loan')").unwrap();
    // What was checked in is shown, until it turns out to be another item.
    desk.check_in(&item(1)).unwrap();
    wait_for_text(&desk, "returned-title", &item(1));
    wait_for_text(&desk, "patron-loans-title", "1 item");
    let in_cart = "document.querySelector('#checkin-items-list [data-seq=\"3\"] [data-field=word]')";
    desk.page.wait(&format!("{in_cart}?.textContent === 'Midway'")).unwrap();
    change(&other, 3, "#edit-barcode", &item(10));
    desk.page.activate().unwrap();
    desk.page.wait("document.getElementById('returned-title').textContent === ''").unwrap();
    // The cart says of the other item where it goes, and no more of the first.
    desk.page.wait(&format!("{in_cart}.textContent === 'Set aside'")).unwrap();
    change(&other, 3, "#edit-barcode", &item(7));
    desk.page.activate().unwrap();
    desk.page.wait(&format!("{in_cart}.textContent === 'Midway'")).unwrap();
    wait_for_text(&desk, "patron-loans-title", "2 items");
    // Cleared: no warning waits for what is gone.
    check_out_next(&desk, &item(3), 4);
    wait_for_text(&desk, "patron-items-list", "On loan");
    desk.check_in(&item(1)).unwrap();
    wait_for_text(&desk, "returned-title", &item(1));
    clear_all(&other);
    desk.page.activate().unwrap();
    desk.page
        .wait("document.getElementById('returned-title').textContent === '' && !document.querySelector('#patron-items-list li')")
        .unwrap();
    wait_for_text(&desk, "patron-loans-title", "2 items");
    enter_patron(&desk, OTHER);
    wait_for_text(&desk, "patron-loans-title", "1 item");
    assert!(lines(&desk, "#patron-loans li")[0].contains(&item(3)), "as it was downloaded");
    // Committed: what Koha refused is not on loan, and what it took is.
    let total = desk.total().unwrap();
    check_out_next(&desk, "NO-SUCH-ITEM", total + 1);
    check_out_next(&desk, &item(7), total + 2);
    wait_for_text(&desk, "patron-loans-title", "3 items");
    koha.clear_faults();
    desk.set_up_with(&Settings::of(&koha.url(), "apply"), |preferences| preferences.records.enabled = true).unwrap();
    other.activate().unwrap();
    other.wait("document.getElementById('commit').textContent.startsWith('Apply')").unwrap();
    other.click("#commit").unwrap();
    other.wait("document.getElementById('message').innerText.startsWith('1 of 2 is in Koha')").unwrap();
    desk.page.activate().unwrap();
    wait_for_text(&desk, "patron-loans-title", "2 items");
    let loans = lines(&desk, "#patron-loans li").join(" ");
    assert!(loans.contains(&item(7)) && !loans.contains("NO-SUCH-ITEM"), "{loans}");
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

/// Whoever goes on in one window has seen what was warned of there. What another window warns of since is its own.
#[test]
fn who_goes_on_confirms_what_was_warned_of_in_this_window() {
    let (_koha, desk) = knowing();
    let other = second_window(&desk);
    desk.page.activate().unwrap();
    desk.check_in("NO-SUCH-ITEM").unwrap();
    wait_for_text(&desk, "checkin-items-list", "Unknown barcode");
    change(&other, 1, "#edit-barcode", "NOR-THIS");
    wait_for_kept(&desk, "NOR-THIS", "unknownItem");
    desk.page.activate().unwrap();
    desk.check_in("NOR-THAT").unwrap();
    wait_for_kept(&desk, "NOR-THAT", "unknownItem");
    desk.page.wait("document.getElementById('returned-title').textContent.includes('NOR-THAT')").unwrap();
    desk.check_in(&item(50)).unwrap();
    wait_for_kept(&desk, "NOR-THAT", "unknownItem confirmed");
    assert_eq!(kept(&desk)["NOR-THIS"], json!(["unknownItem"]), "nobody was shown it here");
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn for_whom_an_item_waits_is_not_said_of_another() {
    let (_koha, desk) = knowing();
    let other = second_window(&desk);
    desk.page.activate().unwrap();
    let name = |number| {
        let card = format!("235290012236{number}");
        library().patron_mut(&card).unwrap().surname.clone()
    };
    desk.check_out(ZOE, &item(20)).unwrap();
    wait_for_text(&desk, "patron-items-list", &format!("On the hold shelf for {}", name(14)));
    change(&other, 1, "#edit-barcode", &item(21));
    desk.page.activate().unwrap();
    let reason = wait_for_text(&desk, "patron-items-list", &format!("In transit for a hold of {}", name(15)));
    assert!(!reason.contains(name(14).as_ref()), "{reason}");
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
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
    change(&other, 1, "#edit-barcode", "39999000000005");
    desk.page.wait(&format!("{BARCODES}[0] === '39999000000005'")).unwrap();
    same_in_both(&desk, &other, 4);
    change(&desk.page, 2, "#edit-barcode", "39999000000006");
    other.wait(&format!("{BARCODES}[1] === '39999000000006'")).unwrap();
    same_in_both(&desk, &other, 4);

    desk.page.activate().unwrap();
    desk.commit().unwrap();
    same_in_both(&desk, &other, 4);
    assert_eq!(desk.states().unwrap()[0], "success");
    other.wait("document.getElementById('commit').getAttribute('aria-disabled') !== 'true'").unwrap();

    // What Koha refused stays.
    desk.clear_committed().unwrap();
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
    change(&desk.page, 1, "#edit-barcode", "C1");
    assert_eq!(shows(1, 4), ["A4"]);
    change(&desk.page, 2, "#edit-barcode", "A2");
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
fn what_is_done_while_another_window_opens_is_shown_there() {
    let desk = desk();
    for item in ["A1", "A2", "A3"] {
        desk.check_in(item).unwrap();
    }
    let opener = desk.firefox.open(&desk.firefox.addon_url("options/options.html")).unwrap();
    // Held before it shows the log, of which it has read the newest rows by then; and once it has read all of it.
    for (file, mark) in [("log.parts", "koct-ready"), ("later.parts", "koct-counted")] {
        let other = open_without(&opener, &desk, file);
        other.wait(&format!("performance.getEntriesByName('{mark}').length > 0")).unwrap();
        wait_for_reading(&other);
        let before = desk.total().unwrap();
        desk.page.activate().unwrap();
        // Recorded, corrected and taken back.
        desk.check_in(&format!("B{before}")).unwrap();
        change(&desk.page, 1, "#edit-barcode", &format!("C{before}"));
        press_in_dialog(&desk.page, u32::try_from(before).unwrap(), "#edit-delete");
        assert_eq!(
            other.eval("document.body.hasAttribute('data-ready')").unwrap(),
            false,
            "all that was while it opened"
        );
        other.run("window.giveFile()").unwrap();
        other.wait("document.body.hasAttribute('data-ready')").unwrap();
        other.eval("document.getElementById('clear-dialog').close()").unwrap();
        for page in [&desk.page, &other] {
            page.set_viewport(1_200, 1_400).unwrap();
        }
        same_in_both(&desk, &other, before + 1);
        assert_eq!(barcodes(&other)[0], format!("C{before}"));
        other.close().unwrap();
    }
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

/// The barcodes that have reached service.pl, in the order in which they came.
fn sent(koha: &FakeKoha) -> Vec<String> {
    transactions(koha).iter().filter_map(|request| request.parameter("barcode").map(str::to_owned)).collect()
}

#[test]
fn what_another_window_does_while_a_commit_asks_is_what_is_sent() {
    const PATRON: &str = "23529001223601";
    let item = |number: u32| format!("3999900000000{number}");
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    let other = second_window(&desk);
    for number in [1, 2, 1, 3] {
        desk.check_out(PATRON, &item(number)).unwrap();
    }
    same_in_both(&desk, &other, 4);

    // The review shows the repeated checkout. Meanwhile one is corrected, one deleted, and one scanned.
    desk.page.click("#commit").unwrap();
    desk.page.wait("document.getElementById('review-dialog').open").unwrap();
    change(&other, 2, "#edit-barcode", &item(4));
    other.wait(&format!("{BARCODES}[1] === '{}'", item(4))).unwrap();
    press_in_dialog(&other, 4, "#edit-delete");
    type_into(&other, "#checkin-item", &format!("{}\n", item(4)));
    other.wait(&format!("{BARCODES}.length === 5")).unwrap();
    desk.page.activate().unwrap();
    desk.send_in_this_order().unwrap();
    desk.wait_for_commit().unwrap();
    assert_eq!(sent(&koha), [1, 4, 1, 4].map(item));
    assert_eq!(desk.states().unwrap(), ["success", "success", "success", "deleted", "success"]);

    // While it asks about an old one, nothing can be changed elsewhere, and what is scanned there goes as well.
    koha.clear_requests();
    desk.check_out(PATRON, &item(5)).unwrap();
    doubts::change(&desk, "if (entry.seq === 6) entry.moment.utc -= 25 * 3600000;");
    desk.page.click("#commit").unwrap();
    desk.page.wait("document.getElementById('question').open").unwrap();
    open_row(&other, 6);
    other.click("#edit-delete").unwrap();
    other.wait("document.getElementById('message').textContent.includes('here or in another window')").unwrap();
    other.click("#edit-cancel").unwrap();
    type_into(&other, "#checkin-item", &format!("{}\n", item(5)));
    other.wait(&format!("{BARCODES}.length === 7")).unwrap();
    desk.page.activate().unwrap();
    desk.page.click("#question-other").unwrap();
    desk.wait_for_commit().unwrap();
    assert_eq!(sent(&koha), [5, 5].map(item));
    same_in_both(&desk, &other, 7);
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

/// Ticks the first box of clearing in `page`, and waits until the log was read for it: what another window writes after that
/// was not asked about.
fn tick_first_box(page: &Page) {
    page.activate().unwrap();
    page.click("#clear").unwrap();
    page.click("#clear-confirm").unwrap();
    wait_for_reading(page);
}

/// Waits until what `page` has begun to read of the log is read.
fn wait_for_reading(page: &Page) {
    page.eval(
        "new Promise((done, fail) => { const o = indexedDB.open('koct'); o.onerror = fail; o.onsuccess = () => { \
         const r = o.result.transaction('transactions').objectStore('transactions').count(); \
         r.onerror = fail; r.onsuccess = () => { o.result.close(); done(); }; }; })",
    )
    .unwrap();
}

#[test]
fn what_another_window_records_while_clearing_asks_is_not_cleared() {
    let koha = koha(Era::Before2405);
    let desk = configured(&koha, "send");
    let other = second_window(&desk);
    desk.page.activate().unwrap();
    desk.check_in("39999000000001").unwrap();
    desk.commit().unwrap();

    // All is committed, so one box is asked for.
    tick_first_box(&desk.page);
    assert!(!desk.page.visible("#clear-unsent").unwrap());
    hush(&other);
    type_into(&other, "#checkin-item", "39999000000002\n");
    other.wait(&format!("{BARCODES}.length === 2")).unwrap();
    desk.page.activate().unwrap();
    desk.page.click("#clear-ok").unwrap();
    same_in_both(&desk, &other, 1);
    assert_eq!(barcodes(&desk.page), ["39999000000002"]);

    // With two boxes, only those that they were ticked for.
    tick_first_box(&desk.page);
    desk.page.wait_contains("#clear-text", "Not in Koha: 1.").unwrap();
    type_into(&other, "#checkin-item", "39999000000003\n");
    other.wait(&format!("{BARCODES}.length === 2")).unwrap();
    press_in_dialog(&other, 2, "#edit-delete");
    press_in_dialog(&other, 2, "#edit-restore");
    desk.page.activate().unwrap();
    desk.page.click("#clear-unsent-confirm").unwrap();
    desk.page.click("#clear-ok").unwrap();
    same_in_both(&desk, &other, 1);
    assert_eq!(barcodes(&desk.page), ["39999000000003"]);
    tell(&other);
    koha.clear_requests();
    desk.commit().unwrap();
    assert_eq!(sent(&koha), ["39999000000003"]);
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn what_is_open_shows_what_another_window_does() {
    const PATRON: &str = "23529001223601";
    let item = |number: u32| format!("3999900000000{number}");
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "send");
    let other = second_window(&desk);
    desk.page.activate().unwrap();
    for number in [1, 2, 1] {
        desk.check_out(PATRON, &item(number)).unwrap();
    }
    // The order, with what stands out.
    desk.page.click("#show-review").unwrap();
    desk.page.wait_text("#review-text", "Transactions to send: 3. To look at: 1.").unwrap();
    press_in_dialog(&other, 3, "#edit-delete");
    desk.page.wait_text("#review-text", "Transactions to send: 2. Nothing stands out.").unwrap();
    check_in_behind(&other, &item(3));
    desk.page.wait_contains("#review-text", "Transactions to send: 3.").unwrap();
    desk.page.activate().unwrap();
    desk.page.wait_focused("review-cancel").unwrap();
    desk.page.click("#review-cancel").unwrap();

    // A slip.
    open(&desk, "#print-slip");
    desk.page.wait_contains("#slip-about", "Items: 2.").unwrap();
    press_in_dialog(&other, 2, "#edit-delete");
    desk.page.wait_contains("#slip-about", "Items: 1.").unwrap();
    desk.page.activate().unwrap();
    desk.page.click("#slip-cancel").unwrap();

    // Clearing: who has ticked is asked anew, but nothing goes from under the mouse.
    tick_first_box(&desk.page);
    desk.page.wait_contains("#clear-text", "log: 4. Not in Koha: 2.").unwrap();
    desk.page.click("#clear-unsent-confirm").unwrap();
    check_in_behind(&other, &item(4));
    desk.page.wait_contains("#clear-note", "tick again").unwrap();
    desk.page.wait_contains("#clear-text", "log: 5. Not in Koha: 3.").unwrap();
    let ticked = "['clear-confirm', 'clear-unsent-confirm'].map(id => document.getElementById(id).checked).join()";
    assert_eq!(desk.page.eval(ticked).unwrap(), "false,false");
    assert!(!desk.page.visible("#clear-unsent").unwrap());
    desk.page.click("#clear-confirm").unwrap();
    wait_for_reading(&desk.page);
    desk.page.click("#clear-unsent-confirm").unwrap();
    desk.page.hold("#clear-ok").unwrap();
    check_in_behind(&other, &item(5));
    desk.page.wait_text("#count-total", "6").unwrap();
    wait_for_reading(&desk.page);
    assert_eq!(desk.page.eval(ticked).unwrap(), "true,true");
    desk.page.let_go().unwrap();
    same_in_both(&desk, &other, 1);
    assert_eq!(barcodes(&desk.page), [item(5)], "nobody had seen it");

    // Past commits.
    desk.page.click("#show-batches").unwrap();
    desk.page.wait_visible("#batches-empty").unwrap();
    other.activate().unwrap();
    other.click("#commit").unwrap();
    desk.page.wait_contains("#batches-list", "Done: 1").unwrap();
    assert!(!desk.page.visible("#batches-empty").unwrap());
    desk.page.activate().unwrap();
    desk.page.wait_focused("batches-close").unwrap();
    desk.page.click("#batches-close").unwrap();

    // What an earlier sitting has left.
    desk.check_in(&item(6)).unwrap();
    desk.make_older().unwrap();
    desk.page.reload().unwrap();
    desk.page.wait_text("#clear-title", "1 transaction is not in Koha yet").unwrap();
    check_in_behind(&other, &item(7));
    desk.page.wait_text("#clear-title", "2 transactions are not in Koha yet").unwrap();
    for seq in [7, 8] {
        press_in_dialog(&other, seq, "#edit-delete");
    }
    desk.page.wait_text("#clear-title", "Clear the log?").unwrap();
    assert!(
        desk.page.eval("document.getElementById('clear-dialog').open").unwrap() == true,
        "who looks at it closes it"
    );
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn what_another_window_changes_while_one_asks_is_not_decided_about() {
    const AS_DOUBT: &str = "entry.status = {state: 'in-doubt', reason: 'timed-out', attempt: {commitType: 'send', server: 'http://127.0.0.1'}};";
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "send");
    let other = second_window(&desk);
    desk.page.activate().unwrap();
    for item in ["A1", "A2", "A3"] {
        desk.check_in(item).unwrap();
    }
    // It is shown as it is now, and what somebody has typed stays.
    open_row(&desk.page, 1);
    desk.page.fill("#edit-barcode", "C1").unwrap();
    change(&other, 1, "#edit-barcode", "B1");
    desk.page.wait_contains("#edit-error", "B1").unwrap();
    assert_eq!(desk.page.value("#edit-barcode").unwrap(), "C1");
    desk.page.activate().unwrap();
    press_once_seen(&desk.page, "#edit-save");
    desk.page.wait(&format!("{BARCODES}[0] === 'C1'")).unwrap();
    // Before that was heard, it is not changed, but shown.
    open_row(&desk.page, 1);
    desk.page.wait("document.getElementById('edit-history').textContent.includes('B1')").unwrap();
    hush(&other);
    change(&other, 1, "#edit-barcode", "B2");
    desk.page.activate().unwrap();
    desk.page.click("#edit-delete").unwrap();
    desk.page.wait_contains("#edit-error", "B2").unwrap();
    assert_eq!(desk.page.value("#edit-barcode").unwrap(), "B2");
    tell(&other);
    desk.page.wait(&format!("{BARCODES}[0] === 'B2'")).unwrap();
    desk.wait_for_states(&["local", "local", "local"]).unwrap();
    press_once_seen(&desk.page, "#edit-delete");
    desk.wait_for_states(&["deleted", "local", "local"]).unwrap();
    // What is brought back elsewhere can be corrected here.
    open_row(&desk.page, 1);
    press_in_dialog(&other, 1, "#edit-restore");
    desk.page.wait_visible("#edit-save").unwrap();
    assert!(!desk.page.visible("#edit-restore").unwrap());
    desk.page.activate().unwrap();
    desk.page.fill("#edit-barcode", "A1").unwrap();
    press_once_seen(&desk.page, "#edit-save");
    desk.page.wait(&format!("{BARCODES}[0] === 'A1'")).unwrap();
    desk.wait_for_states(&["local", "local", "local"]).unwrap();

    // All in doubt at once: those that were asked about, as far as they still are.
    doubts::change(&desk, &format!("if (entry.seq < 3) {AS_DOUBT}"));
    [&desk.page, &other].into_iter().for_each(open_anew);
    desk.page.activate().unwrap();
    desk.open_todo().unwrap();
    desk.page.click("#doubts-in-koha").unwrap();
    desk.page.wait_text("#question-title", "Are all 2 transactions in Koha?").unwrap();
    other.activate().unwrap();
    other.click("tr[data-seq='2'] [data-decision=send-again]").unwrap();
    desk.page.wait_text("#question-title", "Is 1 transaction in Koha?").unwrap();
    doubts::change(&desk, &format!("if (entry.seq === 2) {AS_DOUBT}"));
    desk.page.activate().unwrap();
    desk.page.click("#question-yes").unwrap();
    desk.page.wait_contains("#message", "Decided by you: 1.").unwrap();
    [&desk.page, &other].into_iter().for_each(open_anew);
    desk.wait_for_states(&["success", "in-doubt", "local"]).unwrap();
    // Nothing is asked where nothing is left of it.
    desk.page.activate().unwrap();
    desk.open_todo().unwrap();
    desk.page.click("#doubts-in-koha").unwrap();
    desk.page.wait_text("#question-title", "Is 1 transaction in Koha?").unwrap();
    other.activate().unwrap();
    other.click("tr[data-seq='2'] [data-decision=send-again]").unwrap();
    desk.page.wait("!document.getElementById('question').open").unwrap();
    desk.page.wait_contains("#message", "changed in another window").unwrap();
    // A dialog of what was cleared closes.
    desk.page.activate().unwrap();
    desk.open_log().unwrap();
    open_row(&desk.page, 3);
    clear_all(&other);
    desk.page.wait("!document.getElementById('edit-dialog').open").unwrap();
    desk.page.wait_contains("#message", "changed in another window").unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn a_visit_that_another_window_changes_is_moved_as_it_is_then() {
    let desk = desk();
    let other = second_window(&desk);
    desk.page.activate().unwrap();
    desk.check_out("P1", "A1").unwrap();
    check_out_next(&desk, "A2", 2);
    desk.page.click("#patron-move").unwrap();
    desk.page.wait_contains("#move-about", "2 checkouts were recorded").unwrap();
    press_in_dialog(&other, 2, "#edit-delete");
    desk.page.wait_contains("#move-about", "1 checkout was recorded").unwrap();
    desk.page.activate().unwrap();
    desk.page.type_text("P2\n").unwrap();
    desk.page.wait_contains("#message", "Moved 1 checkout to P2.").unwrap();
    let moved: Vec<_> = desk.rows().unwrap().into_iter().map(|row| (row.cardnumber, row.state)).collect();
    assert_eq!(moved, [("P1".into(), "deleted".into()), ("P2".to_owned(), "local".to_owned())]);
    desk.page.click("#patron-move").unwrap();
    desk.page.wait_contains("#move-about", "1 checkout was recorded for P2").unwrap();
    press_in_dialog(&other, 1, "#edit-delete");
    desk.page.wait("!document.getElementById('move-dialog').open").unwrap();
    desk.page.wait_contains("#message", "changed in another window").unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn whose_card_it_is_is_asked_of_those_that_still_bear_it() {
    const AS_REFUSED: &str = "entry.status = {state: 'rejected', message: 'Borrower not found.'};";
    let (_koha, desk) = knowing();
    let other = second_window(&desk);
    desk.page.activate().unwrap();
    desk.check_out("23529999999999", &item(5)).unwrap();
    check_out_next(&desk, &item(6), 2);
    doubts::change(&desk, AS_REFUSED);
    [&desk.page, &other].into_iter().for_each(open_anew);
    desk.page.activate().unwrap();
    desk.open_todo().unwrap();
    desk.page.click("[data-group=refused] li:first-child [data-offer=find-patron]").unwrap();
    desk.page.wait_contains("#whose-text", "23529999999999. Transactions that will be changed: 2.").unwrap();
    press_in_dialog(&other, 1, "#edit-delete");
    desk.page.wait_contains("#whose-text", "23529999999999. Transactions that will be changed: 1.").unwrap();
    change(&other, 2, "#edit-cardnumber", OTHER);
    desk.page.wait("!document.getElementById('whose-dialog').open").unwrap();
    desk.page.wait_contains("#message", "changed in another window").unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn what_another_window_has_corrected_unheard_is_not_taken_back() {
    let desk = desk();
    let other = second_window(&desk);
    desk.page.activate().unwrap();
    desk.check_in("A1").unwrap();
    other.wait(&format!("{BARCODES}.length === 1")).unwrap();
    // By the key, and by the button in the list.
    for (item, by_key) in [("B1", true), ("B2", false)] {
        hush(&other);
        change(&other, 1, "#edit-barcode", item);
        desk.page.activate().unwrap();
        if by_key {
            desk.page.press(&[key::F8]).unwrap();
        } else {
            desk.page.click("#checkin-items-list .take-back").unwrap();
        }
        desk.page.wait_contains("#message", item).unwrap();
        assert!(desk.message().unwrap().starts_with("It has changed meanwhile"), "{}", desk.message().unwrap());
        desk.page.wait(&format!("{BARCODES}[0] === '{item}'")).unwrap();
        desk.wait_for_states(&["local"]).unwrap();
        tell(&other);
        desk.page.press(&[key::F8]).unwrap();
        desk.wait_for_states(&["deleted"]).unwrap();
        assert!(desk.message().unwrap().starts_with("Taken back"), "{}", desk.message().unwrap());
        press_in_dialog(&other, 1, "#edit-restore");
        desk.wait_for_states(&["local"]).unwrap();
    }
    hush(&other);
    clear_all(&other);
    desk.page.activate().unwrap();
    desk.page.press(&[key::F8]).unwrap();
    desk.page.wait_contains("#message", "changed in another window").unwrap();
    desk.wait_for_total(0).unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn what_another_window_imports_while_a_commit_asks_is_looked_at_too() {
    const PATRON: &str = "23529001223601";
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "send");
    let other = second_window(&desk);
    desk.page.activate().unwrap();
    for _ in 0..2 {
        desk.check_out(PATRON, "39999000000001").unwrap();
        desk.check_out(PATRON, "39999000000002").unwrap();
    }
    desk.page.click("#commit").unwrap();
    desk.page.wait("document.getElementById('review-dialog').open").unwrap();
    desk.page.wait_contains("#review-text", "4").unwrap();
    let folder = koct_tests::keeper::folder().unwrap();
    let file = folder.path().join("Bus.koc");
    let line = "Version=1.0\tGenerator=x\tDesk=Bus\tUtcOffset=0\n2026-11-23 11:00:00\treturn\t39999000000003\n";
    std::fs::write(&file, line).unwrap();
    other.activate().unwrap();
    other.click("#import-koc").unwrap();
    other.choose_files("#import-files", &[&file]).unwrap();
    other.wait("!document.getElementById('import-go').disabled").unwrap();
    other.click("#import-go").unwrap();
    other.wait("!document.getElementById('import-report').hidden").unwrap();
    desk.page.activate().unwrap();
    desk.send_in_this_order().unwrap();
    desk.page.wait_contains("#review-text", "5").unwrap();
    assert_eq!(sent(&koha), Vec::<String>::new());
    desk.send_in_this_order().unwrap();
    desk.wait_for_commit().unwrap();
    assert_eq!(sent(&koha).len(), 5);
}

#[test]
fn neither_a_scan_nor_undo_waits_for_an_import() {
    let desk = desk();
    let other = second_window(&desk);
    desk.page.activate().unwrap();
    desk.check_in("A1").unwrap();
    let folder = koct_tests::keeper::folder().unwrap();
    // In another window, and behind the closed dialog of this one.
    for (importing, name, item) in [(&other, "Bus", "A2"), (&desk.page, "Van", "A3")] {
        let file = folder.path().join(format!("{name}.koc"));
        let line =
            format!("Version=1.0\tGenerator=x\tDesk={name}\tUtcOffset=0\n2026-11-23 11:00:00\treturn\t{name}-1\n");
        std::fs::write(&file, line).unwrap();
        importing.activate().unwrap();
        importing.click("#import-koc").unwrap();
        importing.choose_files("#import-files", &[&file]).unwrap();
        importing.wait("!document.getElementById('import-go').disabled").unwrap();
        // The import has begun, and does not get on.
        importing
            .eval(
                "(real => { Blob.prototype.arrayBuffer = async function () { Blob.prototype.arrayBuffer = real; \
                 await new Promise(done => { window.giveFile = done; }); return real.call(this); }; })(Blob.prototype.arrayBuffer)",
            )
            .unwrap();
        importing.click("#import-go").unwrap();
        importing.wait("window.giveFile !== undefined").unwrap();
        importing.click("#import-close").unwrap();

        desk.page.activate().unwrap();
        desk.page.press(&[key::F8]).unwrap();
        desk.page.wait_contains("#message", "Wait until it is done.").unwrap();
        let before = desk.total().unwrap();
        desk.check_in(item).unwrap();
        assert!(desk.states().unwrap().iter().all(|state| state == "local"), "nothing was taken back");

        importing.eval("window.giveFile()").unwrap();
        importing.wait("!document.getElementById('import-report').hidden").unwrap();
        desk.wait_for_total(before + 2).unwrap();
    }
    desk.page.press(&[key::F8]).unwrap();
    desk.page.wait_contains("#message", "Taken back").unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn what_is_answered_about_a_patron_in_one_window_is_not_asked_again_in_the_other() {
    let (_koha, desk) = knowing();
    let restricted = "23529001223604";
    let other = second_window(&desk);
    for page in [&other, &desk.page] {
        page.activate().unwrap();
        page.wait("!document.getElementById('records-line').hidden").unwrap();
        page.fill("#checkout-patron", restricted).unwrap();
        page.type_text("\n").unwrap();
        page.wait("document.getElementById('checkout').dataset.grade === 'stop'").unwrap();
    }
    desk.page.type_text(&format!("{}\n", item(6))).unwrap();
    desk.page.wait("document.querySelector('#patron-items-list li[data-grade=stop] [data-answer=lend]')").unwrap();
    desk.page.click("#patron-items-list li[data-grade=stop] [data-answer=lend]").unwrap();
    wait_for_kept(&desk, &item(6), "restricted confirmed");
    other.activate().unwrap();
    other.wait("document.getElementById('checkout').dataset.grade !== 'stop'").unwrap();
    other.click("#checkout-item").unwrap();
    other.type_text(&format!("{}\n", item(7))).unwrap();
    wait_for_kept(&desk, &item(7), "restricted confirmed");
    other.wait("!document.querySelector('#patron-items-list li[data-grade=stop]')").unwrap();
    // Another visit of theirs is asked about anew.
    for page in [&other, &desk.page] {
        page.activate().unwrap();
        page.fill("#checkout-patron", ZOE).unwrap();
        page.type_text("\n").unwrap();
        page.wait("document.getElementById('patron-name').textContent.includes('Müller')").unwrap();
        page.fill("#checkout-patron", restricted).unwrap();
        page.type_text("\n").unwrap();
        page.wait("document.getElementById('checkout').dataset.grade === 'stop'").unwrap();
    }
}
