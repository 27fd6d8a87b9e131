use super::*;
use crate::{
    desk::{
        amount::Amount,
        barcode::{Barcode, Cardnumber},
        transaction::{Action, Moment, Transaction, arbitrary},
    },
    desks::shift::{Shift, Shifts, Span},
    log::{order, status::Status},
    slices::in_slices,
};
use proptest::prelude::*;

const NOW: i64 = 1_795_428_000_000;

struct Log(Vec<Entry>);

impl Log {
    fn add(&mut self, desk: &str, millis: i64, action: Action) -> &mut Self {
        let moment = Moment::new(NOW + millis, 60).unwrap();
        let id = TransactionId(u32::try_from(self.0.len()).unwrap() + 1);
        let desk = DeskName::parse(desk).ok();
        self.0.push(Entry { desk, ..Entry::recorded(id, Transaction { moment, action }) });
        self
    }

    fn issue(&mut self, desk: &str, seconds: i64, patron: &str, item: &str) -> &mut Self {
        let (cardnumber, barcode) = (Cardnumber::parse(patron).unwrap(), Barcode::parse(item).unwrap());
        self.add(desk, seconds * 1_000, Action::Issue { cardnumber, barcode })
    }

    fn check_in(&mut self, desk: &str, seconds: i64, item: &str) -> &mut Self {
        self.add(desk, seconds * 1_000, Action::Return { barcode: Barcode::parse(item).unwrap() })
    }

    fn pay(&mut self, desk: &str, seconds: i64, patron: &str, amount: &str) -> &mut Self {
        let (cardnumber, amount) = (Cardnumber::parse(patron).unwrap(), Amount::parse(amount).unwrap());
        self.add(desk, seconds * 1_000, Action::Payment { cardnumber, amount })
    }

    fn review(&self, committed: &[Entry]) -> Review {
        review(&self.0.clone().into(), committed, DeskTime::from_millis(NOW))
    }

    fn found(&self) -> Vec<(Kind, u32, Option<u32>)> {
        let review = self.review(&[]);
        review
            .conflicts
            .iter()
            .map(|conflict| (conflict.kind, conflict.first.0, conflict.second.map(|id| id.0)))
            .collect()
    }
}

fn log() -> Log {
    Log(Vec::new())
}

#[test]
fn an_ordinary_day_at_several_desks_is_quiet() {
    let mut log = log();
    log.issue("", -9000, "P1", "A").check_in("Bus", -8000, "A").issue("Bus", -7000, "P2", "A").check_in("", -6000, "A");
    // Came back from a loan that Koha knows, and was lent at once at the same desk.
    log.check_in("", -5000, "B").issue("", -4990, "P1", "B");
    // A renewal, later.
    log.issue("", -3000, "P1", "B");
    log.pay("", -2000, "P1", "1.50").pay("", -1000, "P1", "1.50").pay("Bus", -995, "P2", "1.50");
    assert_eq!(log.found(), []);
}

#[test]
fn a_return_before_its_issue_is_found() {
    let mut log = log();
    log.issue("Main", -3000, "P1", "A").check_in("Bus", -6000, "a");
    assert_eq!(log.found(), [(Kind::ReturnBeforeIssue, 2, Some(1))]);
    // Not where the same desk did both, nor where it came back later.
    let mut other = self::log();
    other.check_in("Bus", -6000, "A").issue("Bus", -3000, "P1", "A");
    other.check_in("Bus", -6000, "B").issue("Main", -3000, "P1", "B").check_in("Main", -2000, "B");
    // Nor days apart.
    other.check_in("Bus", -200_000, "C").issue("Main", -3000, "P1", "C");
    assert_eq!(other.found(), []);
}

#[test]
fn two_patrons_without_a_return_are_found() {
    let mut log = log();
    log.issue("", -3000, "P1", "A").issue("", -2000, "P2", "A").issue("", -1000, "p2 ", "A");
    assert_eq!(log.found(), [(Kind::TwoPatrons, 1, Some(2))]);
}

#[test]
fn the_same_scan_within_seconds_is_found() {
    let mut log = log();
    log.issue("", -3000, "P1", "A").issue("", -2995, "P1", "A");
    log.check_in("", -3000, "B").check_in("", -2990, "B").check_in("", -2900, "B");
    log.pay("", -3000, "P1", "2.00").pay("", -2992, "P1", "2.00").pay("", -2991, "P1", "3.00");
    let found = [(Kind::Repeated, 1, Some(2)), (Kind::Repeated, 3, Some(4)), (Kind::Repeated, 6, Some(7))];
    assert_eq!(log.found(), found);
}

#[test]
fn one_file_under_two_names_is_found() {
    let mut log = log();
    log.issue("Bus", -3000, "P1", "A").pay("Bus", -2000, "P1", "2.00");
    log.issue("Bus 1", -3000, "P1", "A").pay("Bus 1", -2000, "P1", "2.00");
    assert_eq!(log.found(), [(Kind::OnTwoDesks, 1, Some(3)), (Kind::OnTwoDesks, 2, Some(4))]);
}

#[test]
fn two_desks_in_one_second_are_found() {
    let mut log = log();
    log.issue("Bus", -3000, "P1", "A").check_in("Main", -3000, "A");
    assert_eq!(log.found(), [(Kind::SameSecond, 1, Some(2))]);
}

#[test]
fn moments_out_of_bounds_are_found_once_per_desk() {
    let mut log = log();
    for (number, item) in ["A", "B", "C"].into_iter().enumerate() {
        log.check_in("Bus", 301 + i64::try_from(number).unwrap(), item);
    }
    log.check_in("", -30 * 86_400 - 1, "F").check_in("", -30 * 86_400, "E").check_in("", 300, "D");
    let review = log.review(&[]);
    let found: Vec<_> = review.conflicts.iter().map(|c| (c.kind, c.first.0, c.number)).collect();
    assert_eq!(found, [(Kind::Future, 1, 3), (Kind::LongPast, 4, 1)]);
    let clocks: Vec<_> = review.desks.iter().map(|desk| desk.clock.map(|clock| clock.shift.to_string())).collect();
    assert_eq!(clocks, [None, Some("-0:30".into())]);
}

#[test]
fn what_koha_has_seen_since_is_found() {
    let mut earlier = log();
    earlier.check_in("Bus", -3000, "A").check_in("Bus", -3000, "B");
    let mut committed = log();
    committed.issue("", -2000, "P1", "a").issue("", -4000, "P1", "B");
    for entry in &mut committed.0 {
        entry.id = TransactionId(entry.id.0 + 100);
        entry.status = Status::Success;
    }
    let review = earlier.review(&committed.0);
    let found: Vec<_> = review.conflicts.iter().map(|c| (c.kind, c.first.0, c.second.map(|id| id.0))).collect();
    assert_eq!(found, [(Kind::LaterCommitted, 1, Some(101))]);
}

#[test]
fn after_a_wrong_clock_the_order_of_an_item_is_that_of_its_numbers_and_the_contradiction_is_found() {
    let mut log = log();
    log.issue("", 73 * 365 * 86_400, "P1", "A").check_in("", -3000, "A").issue("", -2000, "P2", "A");
    assert_eq!(log.found(), [(Kind::OutOfOrder, 1, Some(2)), (Kind::Future, 1, None)]);
    let clock = log.review(&[]).desks[0].clock.unwrap();
    assert_eq!((clock.span.first.0, clock.span.last.0, clock.number), (1, 1, 1));
    // One that Koha has: by the number it came later, whatever its time.
    let mut committed = self::log();
    committed.check_in("", -9000, "A");
    committed.0[0].id = TransactionId(9);
    committed.0[0].status = Status::Success;
    let mut earlier = self::log();
    earlier.issue("", -100, "P1", "A");
    let found: Vec<_> =
        earlier.review(&committed.0).conflicts.iter().map(|c| (c.kind, c.second.map(|id| id.0))).collect();
    assert_eq!(found, [(Kind::LaterCommitted, Some(9))]);
    committed.0[0].id = TransactionId(1);
    earlier.0[0].id = TransactionId(2);
    assert_eq!(earlier.review(&committed.0).conflicts, []);
}

#[test]
fn one_wrong_scan_among_right_ones_is_moved_alone_and_no_desk_is_moved_for_the_sake_of_another() {
    let mut log = log();
    log.check_in("", -90, "A").check_in("", -80, "B").check_in("", -70, "C").check_in("", 48_600 - 60, "D");
    let clock =
        |log: &Log| log.review(&[]).desks[0].clock.map(|clock| (clock.span.first.0, clock.span.last.0, clock.shift));
    assert_eq!(clock(&log), Some((4, 4, Shift(TimeDelta::seconds(-48_600)))));
    // As it was moved, nothing stands out.
    let mut shifts = Shifts::default();
    let (span, by) = log.review(&[]).desks[0].suggested(None).unwrap();
    shifts.set(None, span, by);
    shifts.plan(&log.0.clone()).try_on(&mut log.0);
    assert!(!log.review(&[]).stands_out());
    let seconds: Vec<_> = log.0.iter().map(|entry| entry.transaction.moment.utc_seconds() - NOW / 1_000).collect();
    assert_eq!(seconds, [-90, -80, -70, -60]);
    // What may not be moved is not offered.
    let mut committing = self::log();
    committing.check_in("", 48_600, "D");
    let server = crate::settings::form::ServerUrl::parse("https://koha.example.org").unwrap();
    let attempt = crate::log::status::Attempt::new(crate::settings::form::CommitType::Apply, &server);
    committing.0[0].status = Status::Sending { attempt };
    assert_eq!(clock(&committing), None);
    assert!(committing.review(&[]).stands_out(), "but it is shown");
}

#[test]
fn a_part_that_came_between_is_not_moved_with_the_scans_around_it() {
    let mut log = log();
    log.check_in("Bus", 5_000, "A").check_in("Bus", -400, "B").check_in("Bus", 5_100, "C").check_in("Bus", -200, "D");
    for (entry, part) in log.0.iter_mut().zip([1, 0, 1, 1]) {
        entry.part = part;
    }
    let mut shifts = Shifts::default();
    let (span, by) = log.review(&[]).desks[0].suggested(None).unwrap();
    shifts.set(DeskName::parse("Bus").ok(), span, by);
    assert_eq!(shifts.plan(&log.0).portions(usize::MAX), [[3, 1].map(TransactionId)], "back from the last");
}

/// Loans that go out at the main desk and come back at the bus, whose clock is off by this number of seconds.
fn skewed(seconds: i64) -> Log {
    let mut log = log();
    for number in 0..12 {
        let began = -40_000 + number * 1_000;
        log.issue("Main", began, "P1", &format!("A{number}"));
        log.check_in("Bus", began + 600 + 130 * number + seconds, &format!("A{number}"));
    }
    // Most items never leave their desk.
    for number in 0..12 {
        log.check_in("Third", -35_000 + number, &format!("B{number}"));
    }
    log
}

fn clocks(log: &Log) -> Vec<(String, String)> {
    let review = log.review(&[]);
    let name = |desk: &DeskReport| desk.desk.as_ref().map(ToString::to_string).unwrap_or_default();
    review.desks.iter().filter_map(|desk| Some((name(desk), desk.clock?.shift.to_string()))).collect()
}

#[test]
fn a_clock_that_is_off_is_found_and_its_shift_offered() {
    assert_eq!(clocks(&skewed(0)), []);
    let log = skewed(-2 * 3600);
    assert_eq!(log.found().iter().filter(|(kind, _, _)| *kind == Kind::ReturnBeforeIssue).count(), 12);
    let clocks = clocks(&log);
    assert_eq!(clocks.len(), 1, "{clocks:?}");
    // A shift that sets all of them right; the smallest round one.
    let shift = Shift::parse(&clocks[0].1).unwrap();
    let mut shifted: Vec<Entry> = log.0.clone();
    for entry in shifted.iter_mut().filter(|entry| entry.desk.as_ref().is_some_and(|desk| desk.as_str() == clocks[0].0))
    {
        *entry = entry.shifted(shift.0, Moment::new(NOW, 60).unwrap()).unwrap();
    }
    assert_eq!(Log(shifted).found(), []);
}

#[test]
fn one_odd_pair_accuses_no_clock() {
    let mut log = log();
    log.issue("Main", -3000, "P1", "A").check_in("Bus", -6000, "A");
    assert_eq!(clocks(&log), []);
}

#[test]
fn the_desk_that_contradicts_most_others_is_the_one_that_is_off() {
    let mut log = log();
    for number in 0..6 {
        let began = -40_000 + number * 700;
        for (other, item) in [("Main", format!("A{number}")), ("Third", format!("B{number}"))] {
            log.issue(other, began, "P1", &item);
            log.check_in("Bus", began + 900 - 3600, &item);
        }
        log.issue("Main", began, "P1", &format!("C{number}")).check_in("Third", began + 100, &format!("C{number}"));
    }
    let clocks = clocks(&log);
    assert_eq!(clocks, [("Bus".to_owned(), "+1:00".to_owned())]);
}

proptest! {
    #[test]
    fn every_log_can_be_looked_through(
        transactions in prop::collection::vec((0..4_u32, arbitrary::transaction(Just(60_i16))), 0..30),
    ) {
        let entries: Vec<Entry> = (1..).zip(transactions).map(|(id, (desk, transaction))| {
            let name = DeskName::parse(&desk.to_string()).ok().filter(|_| desk > 0);
            Entry { desk: name, ..Entry::recorded(TransactionId(id), transaction) }
        }).collect();
        let review = Log(entries.clone()).review(&entries);
        let number: u32 = review.desks.iter().map(|desk| desk.number).sum();
        prop_assert_eq!(usize::try_from(number).unwrap(), entries.len());
    }

    #[test]
    fn slices_give_what_one_call_gives(
        steps in prop::collection::vec((0..4_u32, -50_000..50_000_i64, 0..6_u32, 0..3_u32), 0..200),
        budget in 0..500_usize,
    ) {
        let mut log = log();
        for (desk, seconds, item, patron) in steps {
            let desk = if desk > 0 { format!("Desk {desk}") } else { String::new() };
            match (item, patron) {
                (0, _) => log.pay(&desk, seconds, &format!("P{patron}"), "1.00"),
                (_, 0) => log.check_in(&desk, seconds, &format!("A{item}")),
                _ => log.issue(&desk, seconds, &format!("P{patron}"), &format!("A{item}")),
            };
        }
        let committed = &log.0[..log.0.len() / 3];
        let sorted = Ordered::from(log.0.clone());
        prop_assert_eq!(&in_slices(order::sorting(log.0.clone()), budget).0, &sorted);
        let (sliced, slices) = in_slices(reviewing(&sorted, committed, DeskTime::from_millis(NOW)), budget);
        prop_assert!(slices > 1 || log.0.is_empty() || budget > 6 * log.0.len());
        prop_assert_eq!(log.review(committed), sliced);
        prop_assert_eq!(in_slices(order::separating(&sorted), budget).0, order::separate(&sorted));
    }
}

#[test]
fn of_two_shifts_that_settle_all_the_one_is_offered_after_which_the_desks_worked_at_the_same_time() {
    let mut log = log();
    for number in 0..8 {
        let (began, item) = (-20_000 + number * 400, format!("A{number}"));
        // Shifting the main desk would settle more: it comes into contradiction with two others.
        log.issue("Main", began, "P1", &item).check_in("Van", began + 150 - 5400, &item);
        if number % 2 == 0 {
            log.issue("Bus", began + 260, "P2", &item);
        }
    }
    assert_eq!(clocks(&log), [("Van".to_owned(), "+1:30".to_owned())]);
}

#[test]
fn what_stands_out_is_shown_before_a_commit_and_many_of_a_desk_by_their_first() {
    let look = |log: &Log| review(&log.0.clone().into(), &[], DeskTime::from_millis(NOW));
    let mut log = log();
    assert!(!look(&log).stands_out());
    log.check_in("", -10, "A");
    assert!(!look(&log).stands_out());
    // One is shown as it is, and of several the first.
    log.check_in("Bus", 90_000, "B");
    let one = look(&log);
    assert!(one.stands_out());
    assert_eq!((one.conflicts[0].kind, one.conflicts[0].is_about_many()), (Kind::Future, false));
    log.check_in("Bus", 90_001, "C");
    let two = look(&log);
    assert!(two.conflicts[0].is_about_many());
    assert_eq!(two.conflicts[0].shown().collect::<Vec<_>>(), [TransactionId(2)]);
    // Of a pair both are.
    let pair = pair(Kind::Repeated, &log.0[0], &log.0[1]);
    assert!(!pair.is_about_many());
    assert_eq!(pair.shown().collect::<Vec<_>>(), [TransactionId(1), TransactionId(2)]);
    // A clock that may be wrong stands out by itself.
    let desks: Vec<_> = two.desks.into_iter().filter(|desk| desk.clock.is_some()).collect();
    let quiet = Review { conflicts: Vec::new(), ..one };
    // What is tried already is part of what is offered next.
    let off = desks[0].clock.unwrap().shift;
    let span = desks[0].clock.unwrap().span;
    assert_eq!(desks[0].suggested(None), Some((span, off)));
    let second = TimeDelta::seconds(1);
    assert_eq!(desks[0].suggested(Some((span, Shift(second)))), Some((span, Shift(off.0 + second))));
    assert_eq!(desks[0].suggested(Some((Span::ALL, Shift(second)))), None, "of other scans: one after the other");
    assert!(Review { desks, ..quiet.clone() }.stands_out());
    assert!(!Review { desks: Vec::new(), ..quiet }.stands_out());
}

#[test]
fn a_shift_that_breaks_off_in_the_middle_contradicts_itself_and_is_shown() {
    for by in [TimeDelta::hours(1), TimeDelta::hours(-1), TimeDelta::days(25 * 365)].map(Shift) {
        let mut log = log();
        // So long ago that it is no later than now in the end.
        for minutes in 0..12 {
            log.check_in("", (minutes - 240) * 60 - by.0.num_seconds().max(0), &format!("A{minutes}"));
        }
        let mut shifts = Shifts::default();
        shifts.set(None, Span::ALL, by);
        let plan = shifts.plan(&log.0);
        let now = Moment::new(NOW, 60).unwrap();
        let portions = plan.portions(5);
        let sizes: Vec<usize> = portions.iter().map(Vec::len).collect();
        assert_eq!(sizes, [5, 5, 2]);
        for (place, ids) in portions.iter().enumerate() {
            for entry in log.0.iter_mut().filter(|entry| ids.contains(&entry.id)) {
                *entry = plan.moved(entry, now).unwrap();
            }
            let review = log.review(&[]);
            let is_broken_off = place + 1 < portions.len();
            assert_eq!(review.desks[0].clock.is_some(), is_broken_off, "{by:?}: {place}");
        }
        assert!(log.0.iter().all(|entry| entry.history.len() == 1), "each once");
    }
}
