//! What is set aside for holds while Koha cannot be reached.

use crate::knowing::{ZOE, item, knowing, knowing_of, library, lines, wait_for_text};
use koct_tests::{desk::Desk, page::key};

/// Who waits for item 10, in this order.
const FIRST: &str = "23529001223609";
const SECOND: &str = "23529001223610";

/// What the log keeps of the holds of checkins: barcode and number of the hold, in the order recorded.
fn holds(desk: &Desk) -> Vec<(String, u64)> {
    let read = "(async () => { const base = await new Promise(done => { const o = indexedDB.open('koct'); o.onsuccess = () => done(o.result); }); \
        const all = await new Promise(done => { const r = base.transaction('transactions').objectStore('transactions').getAll(); r.onsuccess = () => done(r.result); }); \
        base.close(); return all.flatMap(entry => (entry.warnings ?? []).filter(warned => warned.kind === 'hold').map(warned => [entry.barcode, warned.hold])); })()";
    let found = desk.page.eval(read).unwrap();
    let pair = |pair: &serde_json::Value| (pair[0].as_str().unwrap().to_owned(), pair[1].as_u64().unwrap());
    found.as_array().unwrap().iter().map(pair).collect()
}

/// What the log keeps of the holds once all that was scanned so far is looked up. Scans are looked up in turn: when a later one
/// is through, those before are.
fn holds_in_the_end(desk: &Desk) -> Vec<(String, u64)> {
    let later = item(50);
    desk.check_in(&later).unwrap();
    desk.page.wait(&format!("document.getElementById('returned-title').innerText.includes('{later}')")).unwrap();
    holds(desk)
}

/// Waits until the panel says that the item is to be set aside for the patron with this card.
fn hold_shown(desk: &Desk, card: &str) {
    let name = library().patron_mut(card).unwrap().surname.clone();
    let waits = "document.getElementById('checkin-panel').dataset.grade === 'do' && document.getElementById('returned-where').innerText";
    desk.page.wait(&format!("({waits} || '').includes('{name}')")).unwrap();
}

#[test]
fn copies_that_come_in_together_are_for_different_holds() {
    let mut library = library();
    for number in [40, 41, 42] {
        library.item_mut(&item(number)).unwrap().biblio_id = 10;
    }
    let (_koha, desk) = knowing_of(library);
    desk.page.click("#checkin-item").unwrap();
    desk.page.type_text(&format!("{}\n{}\n{}\n{}\n", item(40), item(41), item(42), item(10))).unwrap();
    desk.wait_for_total(4).unwrap();
    let kept = holds_in_the_end(&desk);
    assert_eq!(kept.len(), 2, "two wait for the title: {kept:?}");
    assert_eq!((&kept[0].0, &kept[1].0), (&item(40), &item(41)), "the first who came in");
    assert_ne!(kept[0].1, kept[1].1);
    wait_for_text(&desk, "show-aside", "2 items");
}

#[test]
fn an_item_that_is_scanned_twice_is_for_the_same_patron() {
    let (_koha, desk) = knowing();
    desk.check_in(&item(10)).unwrap();
    hold_shown(&desk, FIRST);
    desk.check_in(&item(5)).unwrap();
    desk.page.wait("document.getElementById('returned-title').innerText.includes('39999000000005')").unwrap();
    desk.check_in(&item(10)).unwrap();
    hold_shown(&desk, FIRST);
    let kept = holds_in_the_end(&desk);
    assert_eq!((kept.len(), kept[0].1), (2, kept[1].1));
    // It is one item.
    wait_for_text(&desk, "show-aside", "1 item ");
    // Taken back, it is none.
    for _ in 0..4 {
        desk.page.press(&[key::F8]).unwrap();
    }
    desk.page.wait("document.getElementById('show-aside').hidden").unwrap();
    desk.page.wait("document.getElementById('returned-title').textContent === ''").unwrap();
}

#[test]
fn a_hold_is_over_when_its_patron_has_come() {
    let (_koha, desk) = knowing();
    desk.check_in(&item(10)).unwrap();
    hold_shown(&desk, FIRST);
    // The panel of the patron says what waits, and stops when it is taken.
    crate::knowing::enter_patron(&desk, FIRST);
    wait_for_text(&desk, "patron-facts", "Ready for pickup");
    desk.page.type_text(&format!("{}\n", item(10))).unwrap();
    desk.wait_for_total(2).unwrap();
    desk.page.wait("document.getElementById('show-aside').hidden").unwrap();
    desk.page.wait("!document.getElementById('patron-facts').innerText.includes('Ready for pickup')").unwrap();
    // It comes back: for the next one.
    desk.check_in(&item(10)).unwrap();
    hold_shown(&desk, SECOND);
    // What Koha had set aside for Zoë: they take it, and bring it back.
    desk.check_out(ZOE, &item(22)).unwrap();
    desk.check_in(&item(22)).unwrap();
    desk.page.wait("document.getElementById('returned-title').innerText.includes('39999000000022')").unwrap();
    desk.page.wait("document.getElementById('returned-where').innerText.startsWith('Send to ')").unwrap();
    assert_eq!(holds_in_the_end(&desk).len(), 2);
}

#[test]
fn a_hold_is_open_again_when_the_item_was_given_to_another() {
    let mut library = library();
    library.item_mut(&item(40)).unwrap().biblio_id = 10;
    let (_koha, desk) = knowing_of(library);
    desk.check_in(&item(10)).unwrap();
    hold_shown(&desk, FIRST);
    desk.check_out(ZOE, &item(10)).unwrap();
    wait_for_text(&desk, "message", "On the hold shelf for");
    desk.check_in(&item(40)).unwrap();
    hold_shown(&desk, FIRST);
    wait_for_text(&desk, "message", &item(40));
    wait_for_text(&desk, "show-aside", "1 item ");
    desk.page.click("#show-aside").unwrap();
    desk.page.wait_visible("[data-group=set-aside] li").unwrap();
    let rows = lines(&desk, "[data-group=set-aside] li");
    assert!(rows.len() == 1 && rows[0].contains(&item(40)), "{rows:?}");
}
