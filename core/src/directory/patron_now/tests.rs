use super::*;
use crate::{
    directory::{
        record::{Hold, Item, Loan, Restriction},
        testing::{Failed, Library, START, at},
    },
    log::status::Status,
};
use chrono::{DateTime, NaiveDate, Utc};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn due(days: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(START + days * 86_400_000)
}

fn anna() -> Patron {
    let text = str::to_owned;
    Patron {
        id: 1,
        cardnumber: text("P1"),
        userid: text("ann"),
        surname: text("Meyer"),
        firstname: text("Anna"),
        ..Patron::default()
    }
}

fn item(id: u32, barcode: &str, title: &str) -> Item {
    Item { id, barcode: barcode.into(), biblio: id * 10, title: title.into(), ..Item::default() }
}

fn hold(id: u32, item: Option<u32>, state: HoldState) -> Hold {
    Hold { id, patron: 1, biblio: 10, item, pickup: "CPL".into(), priority: 1, state, suspended: false }
}

/// Anna has items 1 and 2; item 3 waits for them.
fn library() -> Library {
    let loan = |id, item, days| Loan { id, patron: 1, item: Some(item), due: due(days), ..Loan::default() };
    Library::default()
        .with(&[anna(), Patron { id: 2, cardnumber: "P2".into(), ..Patron::default() }])
        .with(&[item(1, "A", "Atlas"), item(2, "B", ""), item(3, "C", "Cod"), item(4, "D", "Dune")])
        .with(&[loan(1, 1, 9), loan(2, 2, 2)])
        .with(&[hold(7, Some(3), HoldState::Waiting), hold(8, None, HoldState::Placed)])
}

fn barcodes(found: &PatronFound) -> Vec<(&str, bool)> {
    found.loans.iter().map(|loan| (&*loan.barcode, loan.here.is_some())).collect()
}

fn waiting(library: &Library) -> Vec<String> {
    library.patron("P1").unwrap().waiting.into_iter().map(|line| line.what).collect()
}

#[test]
fn a_patron_is_known_by_card_and_user_name_with_all_they_have() {
    let library = library();
    let found = library.patron(" p1 ").unwrap();
    assert_eq!((&*found.card, &*found.name()), ("P1", "Meyer, Anna"));
    assert_eq!(barcodes(&found), [("B", false), ("A", false)], "the earliest due comes first");
    assert_eq!(found.loans[1].title, "Atlas");
    assert_eq!(found.waiting, [WaitingLine { what: "Cod".into(), pickup: "CPL".into() }]);
    assert_eq!(library.patron("ANN").unwrap(), found);
    assert_eq!(found.warnings, []);
}

#[test]
fn the_log_lies_over_the_loans() {
    let library = library();
    library.log.back("a");
    library.log.issue("ANN", "D");
    library.log.issue("P1", "UNKNOWN");
    library.log.issue("P2", "E");
    let found = library.patron("P1").unwrap();
    assert_eq!(barcodes(&found), [("B", false), ("D", true), ("UNKNOWN", true)]);
    assert_eq!(found.loans[1].title, "Dune", "the title is looked for");
    assert_eq!(barcodes(&library.patron("P2").unwrap()), [("E", true)]);
    let nobody = library.patron(" P9 ").unwrap();
    assert_eq!((&*nobody.card, nobody.patron, &*nobody.warnings), ("P9", None, &[Warning::UnknownCard][..]));
}

#[test]
fn what_was_taken_back_or_is_in_the_records_changes_nothing() {
    let library = library();
    let undone = library.log.back("A");
    library.log.change(&undone, |entry| entry.status = Status::Deleted);
    let refused = library.log.issue("P1", "D");
    library.log.change(&refused, |entry| entry.status = Status::Rejected { message: "no".into() });
    let before = library.log.back("B");
    library.log.change(&before, |entry| {
        entry.status = Status::Success;
        entry.transaction.moment = at(-60);
    });
    assert_eq!(barcodes(&library.patron("P1").unwrap()), [("B", false), ("A", false)]);
}

#[test]
fn each_warning_is_given_with_what_the_log_knows() {
    let warnings = |patron: Patron| Library::default().with(&[patron]).patron("P1").unwrap().warnings;
    assert_eq!(warnings(anna()), []);
    let expired = Patron { expires: Some(day("2026-11-22")), ..anna() };
    assert_eq!(warnings(expired), [Warning::Expired { on: day("2026-11-22") }]);
    let restricted = Patron { restricted: Some(true), ..anna() };
    assert_eq!(warnings(restricted.clone()), [Warning::Restricted { until: None }]);
    assert_eq!(warnings(Patron { card_lost: Some(true), ..anna() }), [Warning::LostCard]);
    assert_eq!(warnings(Patron { wrong_address: Some(true), ..anna() }), [Warning::WrongAddress]);
    assert_eq!(warnings(Patron { owes: Some(501), ..anna() }), [Warning::Debts { cents: 501 }]);

    let until = Some(day("2027-01-31"));
    let comment = "Lost an atlas".to_owned();
    let library = Library::default().with(&[restricted]).with(&[Restriction { patron: 1, until, comment }]);
    let found = library.patron("P1").unwrap();
    assert_eq!(found.warnings, [Warning::Restricted { until }]);
    assert_eq!(found.restriction(), Some("Lost an atlas"));
    let over = PatronFound { warnings: Vec::new(), ..found };
    assert_eq!(over.restriction(), None, "a restriction that is over needs no reason");
}

#[test]
fn what_was_paid_here_is_taken_off_the_debts() {
    let library = Library::default().with(&[Patron { owes: Some(1_575), ..anna() }]);
    let told = || {
        let found = library.patron("P1").unwrap();
        (found.warnings.clone(), found.owes().map(|owes| owes.to_string()), found.paid)
    };
    assert_eq!(told(), (vec![Warning::Debts { cents: 1_575 }], None, 0));
    library.log.pay("ann", "3.75");
    assert_eq!(told(), (vec![Warning::Debts { cents: 1_200 }], None, 375));
    let second = library.log.pay("P1", "11.00");
    assert_eq!(told(), (vec![], Some("1.00".into()), 1_475), "not warned of, but said");
    library.log.change(&second, |entry| entry.status = Status::Deleted);
    assert_eq!(told().0, [Warning::Debts { cents: 1_200 }]);

    let unknown = Library::default().with(&[anna()]);
    unknown.log.pay("P1", "3.75");
    let found = unknown.patron("P1").unwrap();
    assert_eq!((found.owes(), found.paid), (None, 0), "of debts that are not known nothing is paid");
}

#[test]
fn what_waits_is_told_until_somebody_takes_it() {
    let library = library();
    assert_eq!(waiting(&library), ["Cod"]);
    library.log.aside("D", 8);
    assert_eq!(waiting(&library), ["Cod", "Dune"], "set aside in Koha, and here");
    let taken = library.log.issue("P2", "C");
    assert_eq!(waiting(&library), ["Dune"]);
    library.log.change(&taken, |entry| entry.status = Status::Deleted);
    assert_eq!(waiting(&library), ["Cod", "Dune"]);
    library.log.issue("P1", "D");
    assert_eq!(waiting(&library), ["Cod"]);
    // A second copy for the hold whose first was given away.
    library.log.aside("UNKNOWN", 8);
    assert_eq!(waiting(&library), ["Cod", "UNKNOWN"], "the barcode where no title is known");
}

#[test]
fn a_hold_waits_though_its_item_is_not_known() {
    let library = library().with(&[hold(7, Some(99), HoldState::Waiting), hold(8, Some(98), HoldState::InTransit)]);
    assert_eq!(waiting(&library), [""]);
}

#[test]
fn what_was_not_downloaded_is_not_told() {
    let nothing = Library::default();
    nothing.log.issue("P1", "A");
    let found = nothing.patron("P1").unwrap();
    assert_eq!((&*found.card, found.patron.is_none(), &*found.warnings), ("P1", true, &[][..]));
    assert_eq!(barcodes(&found), [("A", true)], "the log is known all the same");
    for set in [Set::Items, Set::Loans, Set::Holds] {
        let mut library = library();
        library.contents.sets.remove(&set);
        let found = library.patron("P1").unwrap();
        assert_eq!(found.name(), "Meyer, Anna");
        assert_eq!(found.loans.is_empty(), set == Set::Loans, "{set:?}");
        assert_eq!(found.waiting.is_empty(), set == Set::Holds, "{set:?}");
    }
}

#[test]
fn a_patron_is_not_warned_of_by_a_clock_that_is_out_of_all_bounds() {
    let library = Library::default().with(&[Patron { card_lost: Some(true), ..anna() }]);
    assert_eq!(library.patron_at(None, "P1").unwrap().warnings, []);
    assert_eq!(library.patron_at(Some(at(0)), "P1").unwrap().warnings, [Warning::LostCard]);
}

#[test]
fn a_damaged_block_is_told() {
    for set in [Set::Patrons, Set::Items, Set::Loans, Set::Holds] {
        let library = library();
        library.damage(set);
        let run = library.contents.sets[&set].run;
        let failed = library.patron("P1");
        assert!(matches!(failed, Err(Failed::Records(place)) if place.run == run), "{set:?}: {failed:?}");
    }
}

#[test]
fn a_log_that_cannot_be_read_is_told_and_not_taken_for_an_empty_one() {
    let library = library();
    let needed = (0..10).find(|reads| {
        library.log.reads_left.set(Some(*reads));
        let found = library.patron("P1");
        assert!(found.is_ok() || found == Err(Failed::Log));
        found.is_ok()
    });
    assert_eq!(needed, Some(3), "of the patron, of their holds, and of all items at once");
}
