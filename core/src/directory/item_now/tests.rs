use super::*;
use crate::{
    Cardnumber,
    directory::{
        record::{HoldState, Loan},
        testing::{Failed, Library, START, at},
    },
    log::status::Status,
};

fn patron(id: u32, surname: &str) -> Patron {
    Patron { id, cardnumber: format!("P{id}"), surname: surname.into(), ..Patron::default() }
}

fn item(id: u32, barcode: &str, biblio: u32) -> Item {
    Item { id, barcode: barcode.into(), biblio, ..Item::default() }
}

fn loan(patron: u32, item: u32) -> Loan {
    let time = |days: i64| DateTime::from_timestamp_millis(START + days * 86_400_000);
    Loan { id: item, patron, item: Some(item), since: time(-40), due: time(-3), ..Loan::default() }
}

fn hold(id: u32, patron: u32, item: Option<u32>, priority: u32, state: HoldState) -> Hold {
    Hold { id, patron, biblio: 10, item, pickup: "MPL".into(), priority, state, suspended: false }
}

const PLACED: HoldState = HoldState::Placed;

/// Anna (1), Bert (2) and Cleo (3); items A, A2 and A3 of one title and B of another; these loans and holds.
fn library(loans: &[Loan], holds: &[Hold]) -> Library {
    Library::default()
        .with(&[patron(1, "Anna"), patron(2, "Bert"), patron(3, "Cleo")])
        .with(&[item(1, "A", 10), item(2, "A2", 10), item(3, "A3", 10), item(4, "B", 20)])
        .with(loans)
        .with(holds)
}

/// The warnings about the item, and the names of whom they are about.
fn of_item(warnings: &[ItemWarning]) -> Vec<(Warning, Option<&str>)> {
    warnings.iter().map(|about| (about.warning.clone(), about.who.as_ref().map(|who| &*who.surname))).collect()
}

/// Checks this out, and tells what is warned of about the item.
#[track_caller]
fn warned(library: &Library, card: &str, barcode: &str, expected: &[(Warning, Option<&str>)]) {
    let found = library.checkout(&library.log.issue(card, barcode)).unwrap().unwrap();
    assert_eq!(of_item(&found.of_item), expected);
}

/// Checks this in, keeps what it is warned of, and returns the hold.
fn hold_of(library: &Library, barcode: &str) -> Option<u32> {
    let entry = library.log.back(barcode);
    let found = library.checkin(&entry).unwrap().unwrap();
    library.log.change(&entry, |entry| *entry = entry.warned(&found.warned()));
    found.warnings.iter().find_map(|about| match about.warning {
        Warning::Hold { hold, .. } => Some(hold),
        _ => None,
    })
}

#[test]
fn an_unknown_item_is_warned_of_where_items_are_known() {
    let library = library(&[], &[]);
    warned(&library, "P1", "NO-SUCH", &[(Warning::UnknownItem, None)]);
    warned(&library, "P1", " b ", &[]);
    let found = library.checkin(&library.log.back("NO-SUCH-2")).unwrap().unwrap();
    assert_eq!(of_item(&found.warnings), [(Warning::UnknownItem, None)]);
    let unknown = Library::default();
    warned(&unknown, "P1", "NO-SUCH", &[]);
    assert_eq!(unknown.checkin(&unknown.log.back("A")).unwrap().unwrap().warnings, []);
}

#[test]
fn a_card_that_was_lent_as_an_item_is_told_with_whose_it_is() {
    let library = library(&[], &[]);
    // The records had not answered in time: the scan is in the log.
    let card = (Warning::PatronCard, Some("Bert"));
    warned(&library, "P1", "p2", std::slice::from_ref(&card));
    let entry = library.log.issue("P1", "P2");
    let found = library.checkout(&entry).unwrap().unwrap();
    assert_eq!(of_item(&found.of_item), std::slice::from_ref(&card));
    let told = |is_item| found.warned(None, None, is_item).into_iter().map(|warned| warned.confirmed);
    assert!(told(None).eq([None]));
    let kept = entry.warned(&found.warned(None, None, None));
    assert!(kept.is_stopped());
    // It is answered for the item, whoever has it.
    let said = entry.warned(&found.warned(None, None, Some(at(1))));
    assert!(told(Some(at(1))).eq([Some(at(1))]) && !said.is_stopped());
    let cleo = Cardnumber::parse("P3").unwrap();
    let given = said.edited(said.transaction.action.clone().by(cleo), at(2)).unwrap();
    assert!(!given.warned(&found.warned(None, None, None)).is_stopped());
    // What was scanned, and not what the rules for items made of it, is the card.
    let read = library.log.issue("P1", "X-P2");
    let read = library.log.change(&read, |entry| entry.scanned.barcode = Some("P2".into()));
    assert_eq!(of_item(&library.checkout(&read).unwrap().unwrap().of_item), [card]);
    // An item that is known is one, whoever has the same code.
    warned(&library.with(&[item(9, "P2", 90)]), "P1", "P2", &[]);
}

#[test]
fn an_item_that_another_has_is_warned_of_as_downloaded_and_by_the_log() {
    let library = library(&[loan(2, 1), loan(1, 4)], &[]);
    warned(&library, "P1", "B", &[]);
    warned(&library, "P1", "A", &[(Warning::OnLoan, Some("Bert"))]);
    // From now on Anna has it, and the log says so.
    warned(&library, "P1", "A", &[]);
    warned(&library, "P3", "A", &[(Warning::OnLoan, Some("Anna"))]);
    library.log.back("A");
    warned(&library, "P1", "A", &[]);
    // Lent to a card that nobody is known to have.
    warned(&library, "P9", "A2", &[]);
    let found = library.checkout(&library.log.issue("P1", "A2")).unwrap().unwrap();
    let who = found.of_item[0].who.as_ref().map(|who| (who.id, &*who.cardnumber));
    assert_eq!((&found.of_item[0].warning, who), (&Warning::OnLoan, Some((0, "P9"))));
}

#[test]
fn an_item_on_the_hold_shelf_or_on_its_way_is_warned_of_with_whom_it_is_for() {
    let library = library(
        &[],
        &[
            hold(5, 2, Some(1), 0, HoldState::Waiting),
            hold(6, 3, Some(2), 0, HoldState::InTransit),
            hold(7, 2, None, 1, PLACED),
        ],
    );
    warned(&library, "P1", "A", &[(Warning::Waiting, Some("Bert"))]);
    warned(&library, "P1", "A2", &[(Warning::InTransit, Some("Cleo"))]);
    warned(&library, "P1", "A3", &[]);
    let own = self::library(&[], &[hold(5, 1, Some(1), 0, HoldState::Waiting)]);
    warned(&own, "P1", "A", &[]);
}

#[test]
fn an_item_that_was_set_aside_here_is_warned_of() {
    let library = library(&[], &[hold(7, 2, None, 1, PLACED)]);
    assert_eq!(hold_of(&library, "A"), Some(7));
    let own = library.log.issue("P2", "A");
    assert_eq!(library.checkout(&own).unwrap().unwrap().of_item, [], "it is for them");
    library.log.change(&own, |entry| entry.status = Status::Deleted);
    warned(&library, "P1", "A", &[(Warning::Waiting, Some("Bert"))]);
}

#[test]
fn a_patron_is_warned_of_with_each_checkout_and_confirmed_once() {
    let restricted = Patron { restricted: Some(true), owes: Some(900), ..patron(1, "Anna") };
    let library = Library::default().with(&[restricted]).with(&[item(1, "A", 10)]);
    library.log.pay("P1", "3.00");
    let found = library.checkout(&library.log.issue("P1", "NO-SUCH")).unwrap().unwrap();
    let of_patron = [Warning::Restricted { until: None }, Warning::Debts { cents: 600 }];
    assert_eq!(found.of_patron, of_patron);
    let told = |answered, seen| {
        found.warned(answered, seen, Some(at(2))).into_iter().map(|warned| (warned.warning, warned.confirmed))
    };
    let [restricted, debts] = of_patron;
    let item = (Warning::UnknownItem, None);
    assert!(told(None, None).eq([(restricted.clone(), None), (debts.clone(), None), item.clone()]));
    let (answered, seen) = (Some(at(0)), Some(at(1)));
    assert!(told(None, seen).eq([(restricted.clone(), None), (debts.clone(), seen), item.clone()]));
    assert!(told(answered, seen).eq([(restricted, answered), (debts, seen), item]), "an item is confirmed by itself");
    let unknown = library.checkout(&library.log.issue("P9", "A")).unwrap().unwrap();
    assert_eq!(unknown.of_patron, [Warning::UnknownCard]);
}

#[test]
fn a_hold_goes_by_priority_to_what_can_have_the_item() {
    let by_priority = library(&[], &[hold(5, 3, None, 2, PLACED), hold(6, 2, None, 1, PLACED)]);
    assert_eq!(hold_of(&by_priority, "A"), Some(6));
    let of_another_copy = library(&[], &[hold(5, 3, None, 2, PLACED), hold(6, 2, Some(2), 1, PLACED)]);
    assert_eq!(hold_of(&of_another_copy, "A"), Some(5), "the first wants another copy");
    assert_eq!(hold_of(&of_another_copy, "A2"), Some(6), "this one");
    let suspended = Hold { suspended: true, ..hold(6, 2, None, 1, PLACED) };
    assert_eq!(hold_of(&library(&[], std::slice::from_ref(&suspended)), "A"), None);
    assert_eq!(hold_of(&library(&[], &[suspended, hold(7, 3, None, 2, PLACED)]), "A"), Some(7));
    let arrived = library(&[], &[hold(5, 3, None, 1, PLACED), hold(6, 2, Some(1), 0, HoldState::InTransit)]);
    assert_eq!(hold_of(&arrived, "A"), Some(6));
    assert_eq!(hold_of(&by_priority, "B"), None, "another title");
}

#[test]
fn of_two_copies_the_second_is_for_whoever_waits_next() {
    let library = library(&[], &[hold(5, 2, None, 1, PLACED), hold(6, 3, None, 2, PLACED)]);
    assert_eq!(["A", "A2", "A3"].map(|barcode| hold_of(&library, barcode)), [Some(5), Some(6), None]);
    assert_eq!(hold_of(&library, "A"), Some(5), "scanned once more, it is for the same patron");
}

#[test]
fn a_hold_is_over_when_its_patron_took_a_copy_and_open_when_another_did() {
    let holds = [hold(5, 2, None, 1, PLACED), hold(6, 3, None, 2, PLACED)];
    let taken = library(&[], &holds);
    assert_eq!(hold_of(&taken, "A"), Some(5));
    taken.log.issue("P2", "A");
    assert_eq!(hold_of(&taken, "A"), Some(6), "they came for it and brought it back");

    let by_another_copy = library(&[], &holds);
    assert_eq!(hold_of(&by_another_copy, "A"), Some(5));
    by_another_copy.log.issue("P2", "A");
    assert_eq!(hold_of(&by_another_copy, "A2"), Some(6), "they had another copy");

    let given_away = library(&[], &holds);
    assert_eq!(hold_of(&given_away, "A"), Some(5));
    let wrong = given_away.log.issue("P1", "A");
    assert_eq!(hold_of(&given_away, "A2"), Some(5), "the copy was given to another");
    given_away.log.change(&wrong, |entry| entry.status = Status::Deleted);
    assert_eq!(hold_of(&given_away, "A3"), Some(6), "that was a mistake: both copies are set aside again");

    let undone = library(&[], &holds);
    let aside = undone.log.aside("A", 5);
    undone.log.change(&aside, |entry| entry.status = Status::Deleted);
    assert_eq!(hold_of(&undone, "A2"), Some(5));
}

#[test]
fn what_came_back_says_who_had_it() {
    let library = library(&[loan(2, 1)], &[hold(7, 3, None, 1, PLACED)]);
    let found = library.checkin(&library.log.back("A")).unwrap().unwrap();
    let ended = found.loan.clone().unwrap();
    assert_eq!(ended.who, Some(patron(2, "Bert")));
    assert_eq!((ended.due, ended.late), (loan(2, 1).due, Some(3)));
    assert_eq!((found.barcode.as_str(), found.item), ("A", Some(item(1, "A", 10))));
    assert_eq!(of_item(&found.warnings), [(Warning::Hold { hold: 7, pickup: "MPL".into() }, Some("Cleo"))]);
    let again = library.checkin(&library.log.back("A")).unwrap().unwrap();
    assert_eq!(again.loan, None);
    library.log.issue("P9", "B");
    let ended = library.checkin(&library.log.back("b")).unwrap().unwrap().loan.unwrap();
    assert_eq!(ended.who.map(|who| who.cardnumber), Some("P9".into()));
    assert_eq!((ended.due, ended.late), (None, None));
}

#[test]
fn a_patron_whose_number_is_gone_has_no_name() {
    let library = library(&[loan(98, 1)], &[hold(7, 99, None, 1, PLACED), hold(8, 97, Some(3), 0, HoldState::Waiting)]);
    warned(&library, "P1", "A3", &[(Warning::Waiting, None)]);
    let entry = library.log.back("A");
    let found = library.checkin(&entry).unwrap().unwrap();
    let ended = found.loan.unwrap();
    assert_eq!((ended.who, ended.late), (None, Some(3)), "it was on loan all the same");
    assert_eq!(of_item(&found.warnings), [(Warning::Hold { hold: 7, pickup: "MPL".into() }, None)]);
    library.log.change(&entry, |entry| entry.status = Status::Deleted);
    warned(&library, "P1", "A", &[(Warning::OnLoan, None)]);
}

#[test]
fn of_a_set_that_was_not_downloaded_nothing_is_said() {
    let full = || library(&[loan(2, 1)], &[hold(7, 3, Some(2), 0, HoldState::Waiting)]);
    let without = |set: Set| {
        let mut library = full();
        library.contents.sets.remove(&set);
        library
    };
    warned(&full(), "P1", "A", &[(Warning::OnLoan, Some("Bert"))]);
    warned(&full(), "P1", "A2", &[(Warning::Waiting, Some("Cleo"))]);
    warned(&without(Set::Loans), "P1", "A", &[]);
    warned(&without(Set::Holds), "P1", "A2", &[]);
    for barcode in ["A", "A2", "NO-SUCH"] {
        warned(&without(Set::Items), "P1", barcode, &[]);
    }
    for barcode in ["A", "A2"] {
        let library = without(Set::Patrons);
        warned(&library, "P1", barcode, &[]);
        assert_eq!(library.checkout(&library.log.issue("P1", barcode)).unwrap().unwrap().of_patron, []);
    }
    let library = without(Set::Patrons);
    library.log.issue("P2", "A");
    let found = library.checkout(&library.log.issue("P1", "A")).unwrap().unwrap();
    assert_eq!(found.of_item[0].warning, Warning::OnLoan, "what the log tells is known all the same");
}

#[test]
fn a_look_up_that_was_overtaken_says_nothing() {
    let library = library(&[loan(2, 1)], &[hold(7, 3, None, 1, PLACED)]);
    let (out, back) = (library.log.issue("P1", "A"), library.log.back("A2"));
    let both = || (library.checkout(&out).unwrap().is_some(), library.checkin(&back).unwrap().is_some());
    assert_eq!(both(), (true, true));
    for entry in [&out, &back] {
        library.log.change(entry, |entry| entry.status = Status::Success);
    }
    assert_eq!(both(), (true, true), "a commit changes nothing of what was recorded");
    let action = library.log.issue("P2", "A").transaction.action;
    let corrected = library.log.change(&out, |entry| entry.transaction.action = action);
    library.log.change(&back, |entry| entry.status = Status::Deleted);
    assert_eq!(both(), (false, false), "corrected, and taken back");
    assert_eq!(library.checkout(&corrected).unwrap().map(|found| found.of_item), Some(vec![]), "they renew it");
    library.log.entries.borrow_mut().clear();
    assert_eq!((library.checkout(&corrected), library.checkin(&back)), (Ok(None), Ok(None)), "cleared");
    assert_eq!(library.checkin(&library.log.issue("P1", "A")), Ok(None), "no checkin");
}

#[test]
fn a_damaged_block_is_told() {
    for set in [Set::Patrons, Set::Items, Set::Loans, Set::Holds] {
        let library = library(&[loan(2, 1)], &[hold(7, 3, None, 1, PLACED)]);
        library.damage(set);
        let run = library.contents.sets[&set].run;
        let is_told = |failed: Option<Failed>| matches!(failed, Some(Failed::Records(place)) if place.run == run);
        assert!(is_told(library.checkout(&library.log.issue("P1", "A")).err()), "{set:?}");
        assert!(is_told(library.checkin(&library.log.back("A2")).err()), "{set:?}");
    }
}

#[test]
fn a_log_that_cannot_be_read_is_told_and_not_taken_for_an_empty_one() {
    let library = library(&[loan(2, 1)], &[hold(7, 3, None, 1, PLACED)]);
    let (out, back) = (library.log.issue("P1", "A"), library.log.back("A"));
    let reads_needed = |look: &dyn Fn() -> Option<Failed>| {
        let needed = (0..10).find(|reads| {
            library.log.reads_left.set(Some(*reads));
            let failed = look();
            assert!(matches!(failed, None | Some(Failed::Log)), "{failed:?}");
            failed.is_none()
        });
        needed.unwrap()
    };
    assert_eq!(reads_needed(&|| library.checkout(&out).err()), 4, "the item, its holds, their items, the patron");
    assert_eq!(reads_needed(&|| library.checkin(&back).err()), 3);
}

#[test]
fn the_list_of_what_is_set_aside_is_as_good_without_names() {
    let library = library(&[], &[hold(7, 3, None, 1, PLACED)]);
    library.log.aside("A", 7);
    library.log.aside("UNKNOWN", 8);
    library.log.back("B");
    let list = library.log.entries.borrow().clone();
    let records = Directory::new(&library.store, library.contents.clone());
    let lines = |records| crate::directory::testing::at_once(aside_lines(&list, records));
    let named = lines(Some(&records));
    let shown: Vec<_> = named.iter().map(|line| (line.barcode.as_str(), &*line.who, &*line.pickup)).collect();
    assert_eq!(shown, [("A", "Cleo", "CPL"), ("UNKNOWN", "", "CPL")]);
    assert_eq!(named[0].at, list[0].transaction.moment);
    let nameless: Vec<_> = named.iter().map(|line| AsideLine { who: String::new(), ..line.clone() }).collect();
    assert_eq!(lines(None), nameless);
    library.damage(Set::Holds);
    let records = Directory::new(&library.store, library.contents.clone());
    assert_eq!(lines(Some(&records)), nameless);
}
