//! The desk knows patrons and items offline: panels, names, warnings, holds.

use crate::records::{self, download, wait_for_records, wanting};
use fake_koha::{Config, Era, FakeKoha, Fault, FaultKind, Flag, Found, Hold, Library};
use koct_core::settings::form::Secret;
use koct_tests::{desk::Desk, page::key};
use serde_json::json;

pub(crate) const ZOE: &str = "23529001223601";
pub(crate) const OTHER: &str = "23529001223602";

pub(crate) fn item(number: usize) -> String {
    format!("399990000000{number:02}")
}

fn found(library: &mut Library, id: u64, card: &str, number: usize, found: Found) {
    let patron_id = library.patron(card).unwrap().id;
    let (item_id, biblio_id) = library.item(&item(number)).map(|item| (item.id, item.biblio_id)).unwrap();
    library.holds.push(Hold {
        id,
        patron_id,
        biblio_id,
        item_id: Some(item_id),
        branch: "MPL".to_owned(),
        priority: 0,
        placed_on: "2026-10-01".into(),
        found: Some(found),
        waiting_since: None,
    });
}

/// Zoë Müller has two items, one of them late; another patron has one; two items are set aside for others.
pub(crate) fn library() -> Library {
    let mut library = Library::standard();
    let zoe = library.patron_mut(ZOE).unwrap();
    (zoe.surname, zoe.firstname) = ("Müller-Őze".into(), "Zoë".into());
    zoe.staff_note = "Speaks <b>softly</b>.".into();
    let other = library.patron_mut(OTHER).unwrap();
    (other.surname, other.firstname) = ("Smith".into(), "Anna".into());
    library.lend_until(ZOE, &item(1), "2026-11-01 23:59:00");
    library.lend_until(ZOE, &item(2), "2099-12-01 23:59:00");
    library.lend_until(OTHER, &item(3), "2099-12-01 23:59:00");
    library.item_mut(&item(1)).unwrap().materials = "2 discs".into();
    found(&mut library, 9_004, "23529001223614", 20, Found::Waiting);
    found(&mut library, 9_005, "23529001223615", 21, Found::InTransit);
    found(&mut library, 9_006, ZOE, 22, Found::Waiting);
    library
}

pub(crate) fn knowing() -> (FakeKoha, Desk) {
    knowing_of(library())
}

pub(crate) fn knowing_of(library: Library) -> (FakeKoha, Desk) {
    let koha = FakeKoha::start(Config { era: Era::From2405, library, ..Config::default() }).unwrap();
    let desk = wanting(&koha, |_| {});
    assert_eq!(download(&desk), "All records are here.");
    // What follows happens while Koha cannot be reached.
    koha.fault(Fault::on("", FaultKind::ResetBefore));
    (koha, desk)
}

pub(crate) fn enter_patron(desk: &Desk, code: &str) {
    desk.page.fill("#checkout-patron", code).unwrap();
    desk.page.type_text("\n").unwrap();
}

pub(crate) fn wait_for_text(desk: &Desk, id: &str, part: &str) -> String {
    let text = format!(
        "(element => element.innerText.includes({part:?}) && element.innerText)(document.getElementById('{id}'))"
    );
    desk.page.wait(&text).unwrap().as_str().unwrap().to_owned()
}

pub(crate) fn lines(desk: &Desk, css: &str) -> Vec<String> {
    let lines = desk
        .page
        .eval(&format!(
            "[...document.querySelectorAll({css:?})].map(line => line.innerText.replace(/\\s+/g, ' ').trim())"
        ))
        .unwrap();
    lines.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

/// What the log keeps of warnings, by barcode: their kinds, and whether each was confirmed.
const KEPT: &str = "(async () => { const base = await new Promise(done => { const o = indexedDB.open('koct'); o.onsuccess = () => done(o.result); }); \
    const all = await new Promise(done => { const r = base.transaction('transactions').objectStore('transactions').getAll(); r.onsuccess = () => done(r.result); }); \
    base.close(); return Object.fromEntries(all.filter(entry => entry.warnings).map(entry => [entry.barcode, \
    entry.warnings.map(warned => warned.kind + (warned.confirmed ? ' confirmed' : ''))])); })()";

pub(crate) fn kept(desk: &Desk) -> serde_json::Value {
    desk.page.eval(KEPT).unwrap()
}

/// Waits until the log keeps this of the warnings of an item.
pub(crate) fn wait_for_kept(desk: &Desk, barcode: &str, expected: &str) {
    desk.page.wait(&format!("(await {KEPT})[{}]?.includes({})", json!(barcode), json!(expected))).unwrap();
}

#[test]
fn a_patron_is_shown_with_what_they_have() {
    let (_koha, desk) = knowing();
    enter_patron(&desk, ZOE);
    assert_eq!(wait_for_text(&desk, "patron-name", "Müller"), "Müller-Őze, Zoë");
    let about = desk.page.text("#patron-about").unwrap();
    assert_eq!(about, "PT · Centerville");
    // Beside the name only what is unusual; all of it behind the button.
    assert_eq!(lines(&desk, "#patron-warnings li"), ["1 to pick up", "1 late", "+1"]);
    assert!(!desk.page.visible("#patron-details").unwrap());
    desk.page.click("#patron-details-open").unwrap();
    desk.page.wait_visible("#patron-details").unwrap();
    desk.page.wait_focused("checkout-item").unwrap();
    let facts = lines(&desk, "#patron-facts li");
    assert!(facts[0].starts_with("Ready for pickup: ") && facts[0].ends_with("(Midway)"), "{facts:?}");
    assert_eq!(facts[1], "Note: Speaks <b>softly</b>.", "as text");
    assert!(facts[2].starts_with(&format!("{ZOE} · until")), "{facts:?}");
    let loans = lines(&desk, "#patron-loans li");
    assert!(
        loans[1].contains("The Secret Garden") && loans[1].contains(&item(1)) && loans[1].contains("overdue since"),
        "{loans:?}"
    );
    assert!(loans[0].contains("due "), "{loans:?}");

    wait_for_records(&desk);
    // By user name: the cardnumber takes its place, also for a scan that came at once.
    desk.page.fill("#checkout-patron", "PATRON1").unwrap();
    desk.page.type_text(&format!("\n{}\n", item(5))).unwrap();
    desk.wait_for_total(1).unwrap();
    assert_eq!(desk.rows().unwrap()[0].cardnumber, ZOE);
    desk.page.wait(&format!("document.getElementById('checkout-patron').value === '{ZOE}'")).unwrap();
    // What is checked out offline joins the patron's items, what is checked in leaves them.
    wait_for_text(&desk, "patron-loans-title", "3 items");
    // What was scanned is seen again, with its title.
    desk.page.wait_hidden("#patron-details").unwrap();
    desk.page
        .wait(&format!("document.querySelector('#patron-items-list li').innerText.includes('{}')", item(5)))
        .unwrap();
    desk.check_in(&item(1)).unwrap();
    wait_for_text(&desk, "patron-loans-title", "2 items");
    desk.check_out(OTHER, &item(2)).unwrap();
    enter_patron(&desk, ZOE);
    wait_for_text(&desk, "patron-loans-title", "1 item");
    desk.page.press(&[key::ESCAPE]).unwrap();
    desk.page.click("#checkout-patron").unwrap();
    desk.page.press(&[key::ESCAPE]).unwrap();
    desk.page.wait_hidden("#patron-panel").unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn a_patron_is_found_by_any_part_of_the_name_with_the_keyboard_alone() {
    let (_koha, desk) = knowing();
    desk.page.click("#checkout-patron").unwrap();
    desk.page.type_text("oze").unwrap();
    desk.page.wait("document.querySelectorAll('#patron-suggestions li').length === 1").unwrap();
    assert_eq!(lines(&desk, "#patron-suggestions li"), [format!("Müller-Őze, Zoë {ZOE} PT · Centerville")]);
    desk.page.press(&[key::DOWN]).unwrap();
    assert_eq!(
        desk.page.eval("document.activeElement.getAttribute('aria-activedescendant')").unwrap(),
        "patron-suggestion-0"
    );
    desk.page.type_text("\n").unwrap();
    wait_for_text(&desk, "patron-name", "Müller");
    assert_eq!(desk.page.value("#checkout-patron").unwrap(), ZOE);
    desk.page.wait_focused("checkout-item").unwrap();

    // Nothing chosen: Enter takes what was typed, and Escape closes the list alone.
    desk.page.click("#checkout-patron").unwrap();
    desk.page.type_text("smith an").unwrap();
    desk.page.wait("!document.getElementById('patron-suggestions').hidden").unwrap();
    desk.page.press(&[key::ESCAPE]).unwrap();
    desk.page.wait_hidden("#patron-suggestions").unwrap();
    assert_eq!(desk.page.value("#checkout-patron").unwrap(), "smith an");
    desk.page.type_text("n").unwrap();
    desk.page.wait("!document.getElementById('patron-suggestions').hidden").unwrap();
    desk.page.click("#patron-suggestions li").unwrap();
    wait_for_text(&desk, "patron-name", "Smith");
    desk.page.click("#checkout-patron").unwrap();
    desk.page.type_text("st").unwrap();
    desk.page.wait("document.querySelectorAll('#patron-suggestions li').length > 1").unwrap();
    desk.page.type_text("\n").unwrap();
    assert_eq!(desk.page.value("#checkout-patron").unwrap(), "st");
    wait_for_text(&desk, "message", "Unknown card");
}

#[test]
fn each_warning_of_a_patron_is_given_before_anything_is_lent_and_confirmed_once() {
    let (_koha, desk) = knowing();
    for (card, warning, chip) in [
        ("23529001223603", "Card expired on January 31, 2020.", "Expired Jan 31"),
        ("23529001223604", "Restricted.", "Restricted"),
        ("23529001223605", "Card reported lost.", "Card lost"),
        ("23529001223606", "Owes 15.75.", "Owes 15.75"),
        ("P-UNKNOWN", "Unknown card.", "Unknown card"),
    ] {
        enter_patron(&desk, card);
        assert!(wait_for_text(&desk, "message", warning).contains(warning));
        assert_eq!(lines(&desk, "#patron-warnings li"), [chip], "{card}");
        desk.page.wait_focused("checkout-item").unwrap();
    }
    enter_patron(&desk, "23529001223607");
    wait_for_text(&desk, "patron-warnings", "Address in doubt");
    assert!(!desk.message().unwrap().contains("Address"), "only said");
    // What is to be looked at needs no answer: whoever scans on has seen it.
    enter_patron(&desk, "23529001223603");
    wait_for_text(&desk, "patron-warnings", "Expired");
    desk.page.type_text(&format!("{}\n", item(5))).unwrap();
    desk.wait_for_total(1).unwrap();
    wait_for_kept(&desk, &item(5), "expired confirmed");
    // What must be answered asks in its row, and one answer holds for all that the patron takes.
    desk.check_out("23529001223604", &item(6)).unwrap();
    desk.page.type_text(&format!("{}\n", item(7))).unwrap();
    desk.wait_for_total(3).unwrap();
    desk.page
        .wait("document.querySelectorAll('#patron-items-list [data-grade=stop] [data-answer=lend]').length === 2")
        .unwrap();
    wait_for_kept(&desk, &item(7), "restricted");
    desk.page.click("#patron-items-list li[data-grade=stop] [data-answer=lend]").unwrap();
    desk.page.wait("!document.querySelector('#patron-items-list li[data-grade=stop]')").unwrap();
    wait_for_kept(&desk, &item(6), "restricted confirmed");
    wait_for_kept(&desk, &item(7), "restricted confirmed");
    desk.page.wait_focused("checkout-item").unwrap();
    desk.page.type_text(&format!("{}\n", item(9))).unwrap();
    wait_for_kept(&desk, &item(9), "restricted confirmed");
    // Not answered when the next patron comes: the log marks it, and one key answers it.
    desk.check_out("23529001223605", &item(8)).unwrap();
    wait_for_kept(&desk, &item(8), "lostCard");
    enter_patron(&desk, ZOE);
    wait_for_text(&desk, "patron-name", "Müller");
    desk.page.wait("document.querySelector('#transactions-rows [data-field=warned][data-grade=stop]')?.textContent === 'Card lost'").unwrap();
    // Nobody answers it unseen: with its patron there again, one key does.
    enter_patron(&desk, "23529001223605");
    desk.page.wait("document.querySelector('#patron-items-list li[data-grade=stop]')").unwrap();
    desk.page.press(&[key::CONTROL, key::ENTER]).unwrap();
    wait_for_kept(&desk, &item(8), "lostCard confirmed");
    let kept = kept(&desk);
    assert_eq!(kept[item(8)], json!(["lostCard confirmed"]));
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn a_report_of_kohas_says_until_when_a_patron_is_restricted_and_why() {
    let mut library = library();
    let restrict = |library: &mut Library, card: &str, until: String, comment: &'static str| {
        let patron = library.patron_mut(card).unwrap();
        (patron.restricted_until, patron.restriction_comment) = (Some(until.into()), comment.into());
    };
    restrict(&mut library, "23529001223604", "9999-12-31".into(), "Lost <i>three</i> atlases\nCame to blows");
    restrict(&mut library, "23529001223608", "2099-12-31".into(), "");
    let today: chrono::NaiveDate = library.now_local()[..10].parse().unwrap();
    // About midnight it may be tomorrow at the server already, whose zone is another.
    let soon = today + chrono::Days::new(2);
    restrict(&mut library, "23529001223609", soon.to_string(), "");
    let koha = FakeKoha::start(Config { era: Era::From2405, library, ..Config::default() }).unwrap();
    let desk = wanting(&koha, |preferences| preferences.records.restrictions_report = "1".into());
    assert_eq!(download(&desk), "All records are here.");
    koha.fault(Fault::on("", FaultKind::ResetBefore));

    enter_patron(&desk, "23529001223604");
    wait_for_text(&desk, "message", "Restricted.");
    assert_eq!(lines(&desk, "#patron-warnings li"), ["Restricted"]);
    let facts = lines(&desk, "#patron-facts li");
    assert_eq!(facts[..2], ["Restricted.", "Restriction: Lost <i>three</i> atlases; Came to blows"]);
    enter_patron(&desk, "23529001223608");
    wait_for_text(&desk, "message", "Restricted until December 31, 2099.");
    assert_eq!(lines(&desk, "#patron-facts li")[0], "Restricted until December 31, 2099.");
    desk.page.type_text(&format!("{}\n", item(5))).unwrap();
    desk.wait_for_total(1).unwrap();
    wait_for_kept(&desk, &item(5), "restricted");
    enter_patron(&desk, "23529001223609");
    wait_for_text(&desk, "patron-facts", "Restricted until");
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn each_warning_of_an_item_is_given_after_the_scan_and_can_be_taken_back() {
    let (_koha, desk) = knowing();
    for (number, barcode, warning) in [
        (1, "NO-SUCH-ITEM".to_owned(), "Unknown barcode."),
        (2, item(3), "On loan to Smith, Anna · 23529001223602."),
        (3, item(20), "On the hold shelf for"),
        (4, item(21), "In transit for a hold of"),
    ] {
        desk.check_out(ZOE, &barcode).unwrap();
        wait_for_text(&desk, "message", warning);
        desk.wait_for_total(number).unwrap();
        desk.page
            .wait(&format!("document.querySelector('#patron-items-list li').innerText.includes('{barcode}')"))
            .unwrap();
    }
    // Their own hold, their own loan, and what nobody has: nothing to be said.
    for number in [22, 2, 5] {
        desk.check_out(ZOE, &item(number)).unwrap();
    }
    desk.check_in("NO-ITEM-EITHER").unwrap();
    wait_for_text(&desk, "returned-where", "Unknown barcode");
    // Two ask in their rows, by the names of whom they are about; the others need no answer.
    let asks = "[...document.querySelectorAll('#patron-items-list li[data-grade=stop] [data-field=reason]')].map(reason => reason.textContent)";
    let asked = desk.page.eval(asks).unwrap();
    let asked = asked.as_array().unwrap();
    assert!(asked.len() == 2 && asked[0].as_str().unwrap().starts_with("In transit for a hold of"), "{asked:?}");
    desk.page.click("#patron-items-list li[data-grade=stop] [data-answer=take-back].stop").unwrap();
    desk.page.wait("document.querySelectorAll('#patron-items-list li[data-grade=stop]').length === 1").unwrap();
    assert_eq!(desk.rows().unwrap().iter().find(|row| row.barcode == item(21)).unwrap().state, "deleted");
    desk.page.click("#patron-items-list li[data-grade=stop] [data-answer=lend]").unwrap();
    desk.page.wait("!document.querySelector('#patron-items-list li[data-grade=stop]')").unwrap();
    // Any row of the visit has its own way back.
    desk.page.click(&format!("#patron-items-list li[title*='{}'] [data-field=back]", item(3))).unwrap();
    desk.page
        .wait(&format!("!document.querySelector('#patron-items-list').innerText.includes('{}')", item(3)))
        .unwrap();
    wait_for_kept(&desk, "NO-ITEM-EITHER", "unknownItem");
    let expected = json!({"NO-SUCH-ITEM": ["unknownItem confirmed"], "NO-ITEM-EITHER": ["unknownItem"], item(3): ["onLoan confirmed"], item(20): ["waiting confirmed"], item(21): ["inTransit"]});
    assert_eq!(kept(&desk), expected);
    // The table shows those of which somebody was warned.
    desk.page.eval("(select => { select.value = 'warned'; select.dispatchEvent(new Event('change')); })(document.getElementById('find-state'))").unwrap();
    desk.wait_for_total(5).unwrap();
    desk.page.click("#show-all").unwrap();
    desk.wait_for_total(8).unwrap();
    // The history says when.
    desk.page.click("[data-seq='1'] [data-edit]").unwrap();
    desk.page.wait("document.getElementById('edit-dialog').open").unwrap();
    // Whose a number is stands beside it as it is typed.
    desk.page.wait_text("#edit-barcode-name", "Unknown barcode").unwrap();
    assert!(desk.page.text("#edit-title").unwrap().starts_with("Checkout of NO-SUCH-ITEM, "));
    desk.page.fill("#edit-barcode", &item(5)).unwrap();
    desk.page.wait_text("#edit-barcode-name", "Die Verwandlung").unwrap();
    desk.page.click("#edit-history-box > summary").unwrap();
    let history = lines(&desk, "#edit-history li");
    assert!(history[0].starts_with("Unknown barcode. Seen, went on: "), "{history:?}");
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn what_comes_back_says_where_it_goes_and_never_who_had_it() {
    let (_koha, desk) = knowing();
    desk.check_in(&item(1)).unwrap();
    let about = wait_for_text(&desk, "returned-title", &item(1));
    assert!(
        about.starts_with("The Secret Garden") && about.contains("With it: 2 discs") && about.contains("days late"),
        "{about}"
    );
    wait_for_text(&desk, "returned-where", "Send to ");
    desk.page.wait("document.getElementById('checkin-panel').dataset.grade === 'do'").unwrap();
    assert!(!desk.page.text("#checkin").unwrap().contains("Müller"), "the screen faces the public");

    desk.check_in(&item(10)).unwrap();
    wait_for_text(&desk, "returned-where", "Set aside: ");
    let about = wait_for_text(&desk, "returned-title", &item(10));
    assert!(about.starts_with("Pickup: "), "{about}");
    wait_for_text(&desk, "message", "Set aside: ");
    wait_for_text(&desk, "show-aside", "1 item to set aside");
    desk.check_in(&item(11)).unwrap();
    wait_for_text(&desk, "show-aside", "2 items to set aside");
    // The cart shows those alone, and with the next scan all again.
    desk.page.click("#checkin-aside").unwrap();
    desk.page.wait("document.querySelectorAll('#checkin-items-list li').length === 2").unwrap();
    desk.check_in(&item(5)).unwrap();
    desk.page.wait("document.querySelectorAll('#checkin-items-list li').length === 4").unwrap();
    // It waits for that patron now, and for nobody else.
    desk.check_out(ZOE, &item(10)).unwrap();
    wait_for_text(&desk, "message", "On the hold shelf for");
    desk.check_out("23529001223611", &item(11)).unwrap();
    desk.page.press(&[key::CONTROL, key::ENTER]).unwrap();
    desk.page.wait("!document.querySelector('#patron-items-list li[data-grade=stop]')").unwrap();
    // What somebody has taken stands on no shelf; what came back does.
    desk.page.wait("document.getElementById('show-aside').hidden").unwrap();
    desk.check_in(&item(10)).unwrap();
    wait_for_text(&desk, "message", "Set aside: ");
    wait_for_text(&desk, "show-aside", "1 item ");

    // The list at the end of the outage, on screen and on paper; without names where the records are gone.
    desk.page.eval("void (window.print = () => { window.printed = [...document.querySelectorAll('#print tr')].map(row => [...row.cells].slice(0, 4).map(cell => cell.textContent).join('|')); })").unwrap();
    desk.page.click("#show-aside").unwrap();
    desk.page.wait_visible("[data-group=set-aside] li").unwrap();
    assert_eq!(lines(&desk, "[data-group=set-aside] li").len(), 1);
    desk.page.click("#print-todo").unwrap();
    let printed = desk.page.wait("window.printed").unwrap();
    let first = printed[0].as_str().unwrap();
    let cells: Vec<&str> = first.split('|').collect();
    assert!(cells[0] == item(10) && cells[..3].iter().all(|cell| !cell.is_empty()), "{first}");
    records::delete(&desk.page);
    desk.page.click("#records-close").unwrap();
    assert!(lines(&desk, "[data-group=set-aside] li")[0].contains(&item(10)));
    desk.page.wait("document.getElementById('returned-title').textContent === ''").unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn a_scanner_at_full_speed_is_not_slowed_and_every_warning_is_kept() {
    let (_koha, desk) = knowing();
    desk.page.click("#checkout-patron").unwrap();
    let codes = std::iter::once("23529001223603".to_owned()).chain((30..50).map(item));
    let typed: Vec<String> = codes.collect();
    desk.page.type_text(&format!("{}\n", typed.join("\n"))).unwrap();
    desk.wait_for_total(20).unwrap();
    desk.page.wait("document.getElementById('patron-loans-title').innerText.startsWith('20 items')").unwrap();
    let kept = crate::wait("not every warning is kept", || {
        Some(kept(&desk)).filter(|kept| kept.as_object().unwrap().len() == 20)
    });
    assert!(
        (30..50).all(
            |number| kept[item(number)] == json!(["expired"]) || kept[item(number)] == json!(["expired confirmed"])
        ),
        "{kept}"
    );
    let order: Vec<_> = desk.rows().unwrap().into_iter().rev().map(|row| row.barcode).collect();
    assert_eq!(order, (30..50).map(item).collect::<Vec<_>>());
}

#[test]
fn whoever_is_not_known_is_not_taken_for_another() {
    let mut library = library();
    // May read items, loans and holds, but no patrons.
    library.add_account("shelver", &[Flag::Circulate, Flag::Catalogue, Flag::EditCatalogue, Flag::ReserveForOthers]);
    let koha = FakeKoha::start(Config { era: Era::From2405, library, ..Config::default() }).unwrap();
    let desk = wanting(&koha, |preferences| {
        preferences.form.username = "shelver".into();
        preferences.form.password = Secret::new("shelver");
    });
    let said = download(&desk);
    assert!(said.starts_with("Done."), "{said}");
    koha.fault(Fault::on("", FaultKind::ResetBefore));
    // Their own loan, and what waits for them: nobody can tell that they are another.
    for number in [2, 22] {
        desk.check_out(ZOE, &item(number)).unwrap();
    }
    desk.check_out(ZOE, "NO-SUCH-ITEM").unwrap();
    wait_for_kept(&desk, "NO-SUCH-ITEM", "unknownItem");
    assert_eq!(kept(&desk), json!({"NO-SUCH-ITEM": ["unknownItem"]}));
    // What the log tells is known all the same.
    desk.check_out(OTHER, &item(2)).unwrap();
    wait_for_kept(&desk, &item(2), "onLoan");
}

#[test]
fn a_correction_is_looked_up_anew_and_what_is_paid_here_is_no_debt_any_more() {
    let (_koha, desk) = knowing();
    desk.check_out(ZOE, "MISREAD").unwrap();
    wait_for_kept(&desk, "MISREAD", "unknownItem");
    wait_for_text(&desk, "patron-loans", "MISREAD");
    let correct = |barcode: &str| {
        desk.page.click("[data-seq='1'] [data-edit]").unwrap();
        desk.page.wait("document.getElementById('edit-dialog').open").unwrap();
        desk.page.fill("#edit-barcode", &format!("{barcode}\n")).unwrap();
        desk.page.wait("!document.getElementById('edit-dialog').open").unwrap();
    };
    correct(&item(3));
    wait_for_text(&desk, "message", "On loan to Smith, Anna");
    wait_for_text(&desk, "patron-loans", &item(3));
    wait_for_text(&desk, "patron-items-list", "On loan");
    assert_eq!(kept(&desk), json!({item(3): ["onLoan"]}));
    correct(&item(5));
    desk.page.wait("!document.querySelector('#patron-items-list').innerText.includes('On loan')").unwrap();
    assert_eq!(kept(&desk), json!({}), "warnings of what was wrong go");

    enter_patron(&desk, "23529001223606");
    wait_for_text(&desk, "patron-warnings", "Owes 15.75");
    desk.pay("23529001223606", "3.75").unwrap();
    wait_for_text(&desk, "patron-warnings", "Owes 12.00");
    desk.pay("23529001223606", "11.00").unwrap();
    wait_for_text(&desk, "patron-warnings", "Owes 1.00");
    desk.page.press(&[key::F8]).unwrap();
    wait_for_text(&desk, "patron-warnings", "Owes 12.00");
}

#[test]
fn in_a_small_window_nothing_hides_what_is_said_or_what_is_scanned_into() {
    let (_koha, desk) = knowing();
    let in_sight = |id: &str| {
        let look = format!(
            "(() => {{ const r = document.getElementById('{id}').getBoundingClientRect(); \
             return !!document.elementFromPoint(r.x + r.width / 2, r.bottom - 4)?.closest('#{id}') && r.top >= 0; }})()"
        );
        desk.page.wait(&look).unwrap();
    };
    for (width, height) in [(480, 800), (800, 600)] {
        desk.page.set_viewport(width, height).unwrap();
        desk.page.press(&[key::F2]).unwrap();
        enter_patron(&desk, ZOE);
        wait_for_text(&desk, "patron-name", "Müller");
        desk.page.type_text("NOBODYS\n").unwrap();
        wait_for_text(&desk, "message", "Unknown barcode");
        in_sight("message");
        in_sight("checkout-item");
        desk.page.press(&[key::F4]).unwrap();
        in_sight("checkin-item");
        desk.page.type_text(&format!("{}\n", item(10))).unwrap();
        wait_for_text(&desk, "message", "Set aside: ");
        in_sight("message");
        in_sight("checkin-item");
    }
}

/// The words of the newest rows, drawn with their labels: name and card, title and barcode.
fn speaking(desk: &Desk, rows: usize) -> Vec<[String; 4]> {
    let words = "[...document.querySelectorAll('#transactions-rows tr[data-seq]')].map(row => ['patron', 'cardnumber', \
        'title', 'barcode'].map(name => row.querySelector(`[data-field=${name}]`)).map(field => field.hidden ? '' : field.textContent))";
    let words = desk.page.eval(words).unwrap();
    let words: Vec<[String; 4]> = serde_json::from_value(words).unwrap();
    words.into_iter().take(rows).collect()
}

#[test]
fn rows_speak_in_titles_and_names_where_they_are_known() {
    let (koha, desk) = knowing();
    desk.check_out(ZOE, &item(7)).unwrap();
    desk.check_in("no such item").unwrap();
    desk.pay("no such card", "1.50").unwrap();
    desk.page.wait("document.querySelector('#transactions-rows [data-field=title]:not([hidden])')").unwrap();
    let title = koha.library(|library| library.item(&item(7)).unwrap().title.clone());
    let strings = |words: [&str; 4]| words.map(str::to_owned);
    let expected = [
        strings(["", "no such card", "", "1.50"]),
        strings(["", "", "", "no such item"]),
        strings(["Müller-Őze, Zoë", ZOE, &title, &item(7)]),
    ];
    assert_eq!(speaking(&desk, 3), expected);
    // A correction is called by what it is now.
    desk.check_out(OTHER, &item(8)).unwrap();
    desk.page
        .wait("document.querySelectorAll('#transactions-rows [data-field=title]:not([hidden])').length === 2")
        .unwrap();
    assert_eq!(speaking(&desk, 1)[0][0], "Smith, Anna");
    // What a row says is found.
    desk.page.fill("#find-text", &title).unwrap();
    desk.wait_for_total(1).unwrap();
    assert_eq!(speaking(&desk, 1)[0][2], title);
    desk.page.fill("#find-text", "zoe oze").unwrap();
    desk.page.wait_text("#filter-text", "Shown: 1 of 4.").unwrap();
    assert_eq!(speaking(&desk, 1)[0][1], ZOE);
    // The names go with the records.
    records::delete(&desk.page);
    desk.page.wait_text("#filter-text", "Shown: 0 of 4.").unwrap();
    desk.page.click("#records-close").unwrap();
    desk.page.click("#show-all").unwrap();
    desk.wait_for_total(4).unwrap();
    desk.page.wait("!document.querySelector('#transactions-rows [data-field=title]:not([hidden])')").unwrap();
    assert!(speaking(&desk, 4).iter().all(|[patron, _, title, _]| patron.is_empty() && title.is_empty()));
    assert_eq!(speaking(&desk, 4)[3][1], ZOE, "the numbers stay");
}
