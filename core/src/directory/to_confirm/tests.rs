use super::*;
use crate::{
    Entry,
    directory::testing::{Log, at},
    log::{status::Status, warned::Warned},
};

fn changed(entry: &Entry) -> LogEvent {
    LogEvent::Changed(vec![entry.clone()])
}

fn found(card: &str, warnings: &[Warning]) -> PatronFound {
    PatronFound { card: card.into(), warnings: warnings.to_vec(), ..PatronFound::default() }
}

const LOST: Warning = Warning::LostCard;

fn ids(open: &OpenWarning) -> Vec<u32> {
    open.ids().iter().map(|id| id.0).collect()
}

fn id(id: u32) -> TransactionId {
    TransactionId(id)
}

#[test]
fn a_confirmation_holds_for_what_came_before_and_what_comes_after() {
    let mut shown = ShownPatron::new(found("P1", &[LOST]));
    assert_eq!(shown.wait_for(id(1)), None);
    assert_eq!(shown.confirm(at(5)), Some(vec![id(1)]));
    assert_eq!((shown.confirmed(), shown.confirm(at(6))), (Some(at(5)), None), "once");
    assert_eq!(shown.wait_for(id(2)), Some(at(5)), "it is confirmed with the same moment");
    assert_eq!(shown.leave(), None);
    let mut fine = ShownPatron::new(found("P1", &[]));
    assert_eq!((fine.confirm(at(5)), fine.confirmed()), (None, None), "there is nothing to confirm");
}

#[test]
fn what_is_new_among_the_warnings_is_not_confirmed() {
    let debts = |cents| Warning::Debts { cents };
    let stays_confirmed = |before: &[Warning], now: &[Warning]| {
        let mut shown = ShownPatron::new(found("P1", before));
        shown.confirm(at(5)).unwrap();
        shown.refresh(found("P1", now));
        assert_eq!(shown.found().warnings, now);
        shown.confirmed().is_some()
    };
    assert!(stays_confirmed(&[LOST], &[LOST]));
    assert!(stays_confirmed(&[LOST, debts(900)], &[debts(600)]), "less is owed, and the card was found");
    assert!(!stays_confirmed(&[debts(600)], &[debts(900)]));
    assert!(!stays_confirmed(&[LOST], &[LOST, Warning::WrongAddress]));
}

#[test]
fn what_was_not_confirmed_goes_to_the_list_when_the_patron_leaves() {
    let log = Log::default();
    let entries = ["A", "B", "C"].map(|barcode| {
        let entry = log.issue("P1", barcode);
        log.warn(&entry, LOST)
    });
    let mut shown = ShownPatron::new(found("P1", &[LOST]));
    for entry in &entries {
        shown.wait_for(entry.id);
    }
    shown.follow(&changed(&entries[0]));
    shown.follow(&changed(&Entry { status: Status::Deleted, ..entries[1].clone() }));
    shown.follow(&changed(&entries[2].confirmed(at(9), Warning::is_of_patron)));
    let open = shown.leave().unwrap();
    assert_eq!((open.card(), ids(&open), open.warnings()), (Some("P1"), vec![1], &[LOST][..]));
    assert_eq!(open.may_take_back(), None, "the patron has the things at home");
    assert_eq!(ShownPatron::new(found("P1", &[LOST])).leave(), None, "nothing was recorded");
}

#[test]
fn a_line_takes_the_place_of_that_of_the_same_patron_or_the_same_scan() {
    let patron = |card, id| OpenWarning::of_patron(card, TransactionId(id), vec![LOST]);
    let item = |id| OpenWarning::of_item(TransactionId(id), vec![Warning::OnLoan]);
    let mut again = patron("p1", 2);
    assert!(again.take_over(&patron("P1", 1)) && again.take_over(&patron("P1", 2)));
    assert_eq!(ids(&again), [2, 1], "each once");
    let mut again = patron("P1", 3);
    assert!(!again.take_over(&patron("P2", 1)) && !again.take_over(&item(3)));
    assert_eq!(ids(&again), [3]);
    let mut corrected = item(3);
    assert!(corrected.take_over(&item(3)) && !corrected.take_over(&item(4)) && !corrected.take_over(&patron("P1", 3)));
    assert_eq!((ids(&corrected), corrected.may_take_back()), (vec![3], Some(id(3))));
}

#[test]
fn a_line_goes_with_the_last_of_what_it_is_about() {
    let log = Log::default();
    let entries = ["A", "B"].map(|barcode| {
        let entry = log.issue("P1", barcode);
        log.change(&entry, |entry| {
            entry.warnings = [LOST, Warning::OnLoan].map(|warning| Warned { warning, confirmed: None }).into();
        })
    });
    let mut patron = OpenWarning::of_patron("P1", id(1), vec![LOST]);
    assert!(patron.take_over(&OpenWarning::of_patron("P1", id(2), vec![LOST])));
    let mut item = OpenWarning::of_item(id(1), vec![Warning::OnLoan]);
    assert!(patron.follow(&changed(&entries[0])) && item.follow(&changed(&entries[0])));
    let confirmed = entries[0].confirmed(at(9), |warning| patron.confirms(warning));
    assert!(patron.follow(&changed(&confirmed)), "the other is open");
    assert_eq!(ids(&patron), [2]);
    assert!(item.follow(&changed(&confirmed)), "the item is confirmed by itself");
    assert!(!item.follow(&changed(&entries[0].confirmed(at(9), |warning| item.confirms(warning)))));
    assert!(!patron.follow(&changed(&Entry { status: Status::Deleted, ..entries[1].clone() })));
}
