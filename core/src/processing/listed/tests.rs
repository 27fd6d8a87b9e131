use super::*;
use crate::{
    desk::{
        barcode::{Barcode, Cardnumber},
        name::DeskName,
        transaction::{Action, Moment, Transaction},
    },
    log::status::Status,
};

/// 2026-11-23 10:00:00 UTC, an hour ahead.
const NOON: i64 = 1_795_428_000_000;

fn row(number: u64, time: &str, card: &str, barcode: &str) -> Pending {
    let action = if card.is_empty() { "return" } else { "issue" };
    Pending {
        number,
        time: time.into(),
        action: action.into(),
        barcode: barcode.into(),
        cardnumber: card.into(),
        ..Pending::default()
    }
}

fn entry(id: u32, seconds: i64, card: &str, barcode: &str) -> Entry {
    let barcode = Barcode::parse(barcode).unwrap();
    let action = match Cardnumber::parse(card) {
        Ok(cardnumber) => Action::Issue { cardnumber, barcode },
        Err(_) => Action::Return { barcode },
    };
    let moment = Moment::new(NOON + seconds * 1000, 60).unwrap();
    Entry { status: Status::Added, ..Entry::recorded(TransactionId(id), Transaction { moment, action }) }
}

fn numbers(lines: &[Line]) -> Vec<u64> {
    lines.iter().map(|line| line.row.number).collect()
}

fn own_of(lines: &[Line]) -> Vec<(u64, u32)> {
    lines.iter().filter_map(|line| Some((line.row.number, line.own?.0))).collect()
}

const MINUTE: &str = "11/23/2026 11:00";
const SECOND: &str = "2026-11-23 11:00:00";

#[test]
fn rows_of_one_second_are_put_in_the_order_in_which_they_were_queued() {
    let rows = |time: &str| vec![row(9, time, "", "A"), row(8, time, "P", "A"), row(7, time, "P", "B")];
    for time in [SECOND, MINUTE] {
        let lines = list(&rows(time), &[], &[]);
        assert_eq!(numbers(&lines), [7, 8, 9], "{time}");
        let unsure: Vec<_> = lines.iter().filter(|line| line.is_unsure).map(|line| line.row.number).collect();
        assert_eq!(unsure, if time == SECOND { vec![] } else { vec![8, 9] }, "to the minute, it cannot be known");
    }
}

#[test]
fn the_time_comes_before_the_number_where_the_page_tells_it() {
    let later = "2026-11-23 11:00:01";
    let lines = list(&[row(9, SECOND, "", "A"), row(7, later, "P", "A"), row(8, later, "P", "B")], &[], &[]);
    assert_eq!(numbers(&lines), [9, 7, 8]);
    // Sent late by another desk: numbers that rise and fall are of more than one second.
    let rows = vec![row(1, MINUTE, "P", "A"), row(7, MINUTE, "", "A"), row(2, "11/23/2026 11:01", "P", "A")];
    assert_eq!(numbers(&list(&rows, &[], &[])), [1, 7, 2]);
    let lines = list(&[row(9, MINUTE, "P", "A"), row(2, MINUTE, "", "A")], &[], &[]);
    assert_eq!((numbers(&lines), lines.iter().any(|line| line.is_unsure)), (vec![9, 2], false));
    // What this log knows of two seconds is as the page has it.
    let rows = vec![row(3, MINUTE, "", "A"), row(2, MINUTE, "P", "A")];
    let entries = [entry(1, 10, "", "A"), entry(2, 20, "P", "A")];
    let lines = list(&rows, &entries, &[]);
    assert_eq!((numbers(&lines), lines.iter().any(|line| line.is_unsure)), (vec![3, 2], false));
    assert_eq!(own_of(&lines), [(3, 1), (2, 2)]);
}

#[test]
fn what_was_sent_twice_is_a_double_and_what_came_back_in_between_is_none() {
    let lines = list(&[row(8, SECOND, "P", "A"), row(7, SECOND, "P", "a")], &[entry(1, 0, "p", "A")], &[]);
    let seen: Vec<_> = lines.iter().map(|line| (line.row.number, line.own.is_some(), line.is_double)).collect();
    assert_eq!(seen, [(7, true, false), (8, false, true)]);
    let rows = vec![row(1, MINUTE, "P", "A"), row(2, MINUTE, "", "A"), row(3, MINUTE, "P", "A")];
    assert!(list(&rows, &[], &[]).iter().all(|line| !line.is_double), "lent twice");
    let two = [entry(1, 10, "P", "A"), entry(2, 40, "P", "A")];
    let lines = list(&[row(1, MINUTE, "P", "A"), row(2, MINUTE, "P", "A")], &two, &[]);
    assert!(lines.iter().all(|line| !line.is_double), "this log has both");
    assert_eq!(own_of(&lines), [(1, 1), (2, 2)], "in their order");
}

#[test]
fn one_of_this_log_is_known_by_its_number_first_and_by_what_it_is_then() {
    let queued = |id, number| Queued { id: TransactionId(id), number };
    let rows = || vec![row(5, MINUTE, "P", "A"), row(6, MINUTE, "P", "A")];
    let two = [entry(1, 10, "P", "A"), entry(2, 40, "P", "A")];
    assert_eq!(own_of(&list(&rows(), &two, &[queued(2, 5), queued(1, 6)])), [(5, 2), (6, 1)]);
    // The number is another row's by now, in a database that was set back.
    let other = vec![row(5, MINUTE, "P", "B")];
    assert_eq!(own_of(&list(&other, &two, &[queued(2, 5)])), []);
    // One of several alike was processed: nothing tells which.
    assert_eq!(own_of(&list(&[row(6, MINUTE, "P", "A")], &two, &[])), []);
    assert_eq!(own_of(&list(&[row(6, MINUTE, "P", "A")], &two, &[queued(1, 5)])), [(6, 2)], "unless it is known");
    // Another time, another zone.
    for (time, own) in [("11/23/2026 11:01", false), ("11/23/2026 04:00 am", true), (SECOND, true)] {
        let lines = list(&[row(6, time, "P", "A")], &[entry(1, 0, "P", "A")], &[]);
        assert_eq!(lines[0].own.is_some(), own, "{time}");
    }
    // All that a server shows is in one zone: beside others of ours, what would be in another is none.
    let three = [entry(1, 0, "P", "A"), entry(2, 60, "P", "B"), entry(3, 120, "P", "C")];
    let one_later =
        [row(6, MINUTE, "P", "A"), row(7, "11/23/2026 11:01", "P", "B"), row(8, "11/23/2026 12:02", "P", "C")];
    assert_eq!(own_of(&list(&one_later, &three, &[])), [(6, 1), (7, 2)]);
    // The desk's own zone counts before all others: an hour later, the same was lent once more.
    let hour_apart = [entry(1, 0, "P", "A"), entry(2, 3600, "P", "A")];
    let lines = list(&[row(6, "11/23/2026 12:00", "P", "A")], &hour_apart, &[]);
    assert_eq!(own_of(&lines), [(6, 2)]);
}

#[test]
fn the_gravest_is_told_of_a_row_and_which_desk_recorded_it() {
    let mut line = Line::default();
    assert_eq!(line.caution(), None);
    line.row.is_unknown = true;
    assert_eq!(line.caution(), Some(Caution::Unknown));
    line.is_unsure = true;
    assert_eq!(line.caution(), Some(Caution::Unsure));
    line.row.is_seen_since = true;
    assert_eq!(line.caution(), Some(Caution::SeenSince));
    line.is_double = true;
    assert_eq!(line.caution(), Some(Caution::Double));
    assert_eq!((Caution::Double.grade(), Caution::SeenSince.grade()), (Grade::Stop, Grade::Careful));

    let of_bus = Entry { desk: Some(DeskName::parse("Bus").unwrap()), ..entry(2, 0, "", "B") };
    let rows = [row(7, SECOND, "", "A"), row(8, SECOND, "", "B"), row(9, SECOND, "", "C")];
    let lines = list(&rows, &[entry(1, 0, "", "A"), of_bus], &[]);
    let desks: Vec<_> = lines.iter().map(|line| (line.row.number, line.desk.as_deref())).collect();
    assert_eq!(desks, [(7, Some("")), (8, Some("Bus")), (9, None)]);
}
