//! Slips: what a patron takes home, or a part of the log, on paper.
//!
//! A date on a slip is never sent: Koha computes its own.

use crate::{
    desk::{
        amount::Amount,
        barcode::{Barcode, Cardnumber, same_code},
        transaction::{Action, Moment, Transaction},
    },
    log::{
        Entry,
        status::{State, Status},
    },
};
use chrono::{Days, NaiveDate};
use thiserror::Error;

/// More lines than this are not printed at once: some twenty sheets.
const LIMIT: usize = 1_000;

/// Until when things are lent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The slip names no date.
    Unsaid,
    /// This number of days after the day of each checkout.
    After(u16),
    /// On this day, whenever they were checked out.
    On(NaiveDate),
}

/// Why a date cannot stand on a slip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DueError {
    /// What was typed is no date.
    #[error("this is not a date")]
    NotADate,
    /// Something was checked out later.
    #[error("the date lies before a checkout")]
    BeforeCheckout,
}

impl Due {
    /// The date to offer for what is checked out `today`.
    pub fn offered(loan_days: Option<u16>, today: Moment) -> Option<NaiveDate> {
        Self::After(loan_days?).of(today)
    }

    /// What a person chose, as a field for a date gives it (`YYYY-MM-DD` or nothing). A date that `is_half_typed` reads as nothing,
    /// and would print none. The date that was offered stands for the loan period: what was checked out yesterday is then due
    /// a day earlier.
    ///
    /// # Errors
    /// When it is no date.
    pub fn chosen(typed: &str, is_half_typed: bool, loan_days: Option<u16>, today: Moment) -> Result<Self, DueError> {
        if is_half_typed {
            return Err(DueError::NotADate);
        }
        if typed.trim().is_empty() {
            return Ok(Self::Unsaid);
        }
        let date = NaiveDate::parse_from_str(typed.trim(), "%Y-%m-%d").map_err(|_| DueError::NotADate)?;
        Ok(match loan_days {
            Some(days) if Self::offered(loan_days, today) == Some(date) => Self::After(days),
            _ => Self::On(date),
        })
    }

    /// For what was checked out then, by the calendar of its desk.
    fn of(self, checkout: Moment) -> Option<NaiveDate> {
        match self {
            Self::Unsaid => None,
            Self::After(days) => checkout.local().date().checked_add_days(Days::new(days.into())),
            Self::On(date) => Some(date),
        }
    }
}

/// A line of a slip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What happened, and when.
    pub transaction: Transaction,
    /// Where it stands.
    pub status: Status,
    /// When a checkout is due.
    pub due: Option<NaiveDate>,
}

/// How much there is of each; what was deleted does not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Checkouts.
    pub checkouts: usize,
    /// Checkins.
    pub checkins: usize,
    /// Payments.
    pub payments: usize,
    /// What was paid together.
    pub paid: Option<Amount>,
}

/// What is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// The library's name; may be empty.
    pub library: String,
    /// The patron, where all lines are of one.
    pub patron: Option<Cardnumber>,
    /// In the order given.
    pub lines: Vec<Line>,
    /// The date of all checkouts, where it is the same for all.
    pub due: Option<NaiveDate>,
    /// How much there is.
    pub totals: Totals,
}

impl Slip {
    /// A slip of these.
    ///
    /// # Errors
    /// When a checkout would be due before it was made.
    pub fn new(library: &str, entries: Vec<Entry>, due: Due) -> Result<Self, DueError> {
        let mut lines: Vec<Line> = Vec::with_capacity(entries.len());
        for Entry { transaction, status, .. } in entries {
            let is_counted = status != Status::Deleted;
            let is_checkout = is_counted && matches!(transaction.action, Action::Issue { .. });
            let due = if is_checkout { due.of(transaction.moment) } else { None };
            if due.is_some_and(|due| due < transaction.moment.local().date()) {
                return Err(DueError::BeforeCheckout);
            }
            lines.push(Line { transaction, status, due });
        }
        let dates: Vec<NaiveDate> = lines.iter().filter_map(|line| line.due).collect();
        Ok(Self {
            library: library.trim().to_owned(),
            patron: one_patron(&lines),
            due: dates.first().copied().filter(|first| dates.iter().all(|date| date == first)),
            totals: Totals::from_lines(&lines),
            lines,
        })
    }
}

fn one_patron(lines: &[Line]) -> Option<Cardnumber> {
    let first = lines.first()?.transaction.action.cardnumber()?;
    let is_first = |card: &Cardnumber| same_code(card.as_str(), first.as_str());
    lines.iter().all(|line| line.transaction.action.cardnumber().is_some_and(is_first)).then(|| first.clone())
}

impl Totals {
    fn from_lines(lines: &[Line]) -> Self {
        let mut totals = Self::default();
        for line in lines.iter().filter(|line| line.status != Status::Deleted) {
            match line.transaction.action {
                Action::Issue { .. } => totals.checkouts += 1,
                Action::Return { .. } => totals.checkins += 1,
                Action::Payment { amount, .. } => {
                    totals.payments += 1;
                    totals.paid = Some(totals.paid.map_or(amount, |paid| paid.plus(amount)));
                }
            }
        }
        totals
    }
}

/// What this patron takes home of what was recorded in this order: their checkouts, without those that were taken back,
/// checked in again or checked out to somebody else. An item that was checked out twice stands there once.
pub fn taken_home(entries: &[Entry], patron: &str) -> Vec<Entry> {
    let mut taken: Vec<Entry> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.status.state() != State::Deleted) {
        let Some(barcode) = entry.transaction.action.barcode() else { continue };
        let is_same = |other: &Barcode| other.item_key() == barcode.item_key();
        taken.retain(|before| !before.transaction.action.barcode().is_some_and(is_same));
        if entry.transaction.action.cardnumber().is_some_and(|card| same_code(card.as_str(), patron)) {
            taken.push(entry.clone());
        }
    }
    taken
}

/// Whose slip is meant: that of the patron in the field, or where it was cleared, of who checked out last. May be nobody.
pub fn whose<'a>(typed: &'a str, entries: &'a [Entry]) -> &'a str {
    if !typed.trim().is_empty() {
        return typed;
    }
    let checkouts = entries.iter().rev().filter(|entry| matches!(entry.transaction.action, Action::Issue { .. }));
    let mut counted = checkouts.filter(|entry| entry.status != Status::Deleted);
    counted.find_map(|entry| entry.transaction.action.cardnumber()).map_or("", Cardnumber::as_str)
}

/// Of many, the last that can be printed at once.
pub fn last_of<T>(all: &[T]) -> &[T] {
    &all[all.len().saturating_sub(LIMIT)..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::transaction::TransactionId;
    use proptest::prelude::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// At a time in UTC, this number of minutes ahead of it.
    fn at(utc: &str, offset: i16) -> Moment {
        let utc = chrono::NaiveDateTime::parse_from_str(utc, "%Y-%m-%d %H:%M").unwrap();
        Moment::new(utc.and_utc().timestamp_millis(), offset).unwrap()
    }

    fn entry(number: u32, action: Action) -> Entry {
        let moment = at("2026-11-23 10:00", 60);
        Entry::recorded(TransactionId(number), Transaction { moment, action })
    }

    fn issue(card: &str, item: &str) -> Action {
        Action::Issue { cardnumber: Cardnumber::parse(card).unwrap(), barcode: Barcode::parse(item).unwrap() }
    }

    fn back(item: &str) -> Action {
        Action::Return { barcode: Barcode::parse(item).unwrap() }
    }

    fn payment(card: &str, amount: &str) -> Action {
        Action::Payment { cardnumber: Cardnumber::parse(card).unwrap(), amount: Amount::parse(amount).unwrap() }
    }

    fn entries(actions: impl IntoIterator<Item = Action>) -> Vec<Entry> {
        (1..).zip(actions).map(|(number, action)| entry(number, action)).collect()
    }

    fn items(entries: &[Entry]) -> Vec<&str> {
        entries.iter().filter_map(|entry| entry.transaction.action.barcode()).map(Barcode::as_str).collect()
    }

    #[test]
    fn the_day_is_that_of_the_desk() {
        for (utc, offset, days, due) in [
            ("2026-01-31 12:00", 0, 28, "2026-02-28"),
            ("2028-01-31 12:00", 0, 29, "2028-02-29"),
            ("2026-02-28 12:00", 0, 1, "2026-03-01"),
            ("2026-12-31 12:00", 0, 14, "2027-01-14"),
            // Past midnight at the desk, not yet in UTC; and the other way round.
            ("2026-04-30 23:30", 60, 21, "2026-05-22"),
            ("2026-05-01 03:00", -300, 21, "2026-05-21"),
            // A night in which the clocks change is a day like any other.
            ("2026-03-28 22:30", 60, 1, "2026-03-29"),
            ("9998-12-31 12:00", 0, 999, "+10001-09-25"),
        ] {
            let day = Due::After(days).of(at(utc, offset)).unwrap();
            assert_eq!(day, NaiveDate::parse_from_str(due, "%Y-%m-%d").unwrap(), "{utc} {offset} {days}");
        }
    }

    #[test]
    fn the_date_that_was_offered_stands_for_the_loan_period() {
        let today = at("2026-11-23 23:30", 60);
        assert_eq!(Due::offered(Some(21), today), Some(date("2026-12-15")));
        assert_eq!(Due::offered(None, today), None);
        assert_eq!(Due::chosen("2026-12-15", false, Some(21), today), Ok(Due::After(21)));
        assert_eq!(Due::chosen("2026-12-16", false, Some(21), today), Ok(Due::On(date("2026-12-16"))));
        assert_eq!(Due::chosen("2026-12-15", false, None, today), Ok(Due::On(date("2026-12-15"))));
        assert_eq!(Due::chosen(" ", false, Some(21), today), Ok(Due::Unsaid));
        assert_eq!(
            Due::chosen("", true, Some(21), today),
            Err(DueError::NotADate),
            "half typed, the field gives nothing"
        );
        for wrong in ["tomorrow", "2026-02-30", "2026-12", "39999000000001"] {
            assert_eq!(Due::chosen(wrong, false, Some(21), today), Err(DueError::NotADate), "{wrong}");
        }
    }

    #[test]
    fn nothing_is_due_before_it_is_lent() {
        let lent = || entries([issue("P1", "A")]);
        assert_eq!(Slip::new("", lent(), Due::On(date("2026-11-22"))), Err(DueError::BeforeCheckout));
        assert_eq!(Slip::new("", lent(), Due::On(date("2026-11-23"))).unwrap().due, Some(date("2026-11-23")));
        assert!(Slip::new("", entries([back("A")]), Due::On(date("2020-01-01"))).is_ok(), "a checkin is not due");
    }

    #[test]
    fn a_slip_tells_what_was_done_and_when_it_is_due() {
        let mut given = entries([issue("P1", "A"), issue("p1", "B"), payment("P1", "3.50"), payment("P1", "0.25")]);
        let slip = Slip::new(" Centerville ", given.clone(), Due::After(21)).unwrap();
        assert_eq!(slip.library, "Centerville");
        assert_eq!(slip.patron.as_ref().map(Cardnumber::as_str), Some("P1"));
        assert_eq!(slip.due, Some(date("2026-12-14")));
        assert_eq!(slip.lines.iter().map(|line| line.due.is_some()).collect::<Vec<_>>(), [true, true, false, false]);
        let paid = Some(Amount::parse("3.75").unwrap());
        assert_eq!(slip.totals, Totals { checkouts: 2, checkins: 0, payments: 2, paid });
        // What was deleted is there to be read, but counts for nothing.
        given[1].status = Status::Deleted;
        given.extend(entries([back("C")]));
        let slip = Slip::new("", given, Due::Unsaid).unwrap();
        assert_eq!((slip.patron, slip.due, slip.lines.len()), (None, None, 5));
        assert_eq!(slip.totals, Totals { checkouts: 1, checkins: 1, payments: 2, paid });
    }

    #[test]
    fn dates_that_differ_have_no_common_one() {
        let mut given = entries([issue("P1", "A"), issue("P1", "B")]);
        given[1].transaction.moment = at("2026-11-24 10:00", 60);
        let slip = Slip::new("", given, Due::After(7)).unwrap();
        assert_eq!(slip.due, None);
        assert_eq!(slip.lines[0].due, Some(date("2026-11-30")));
        assert_eq!(slip.lines[1].due, Some(date("2026-12-01")));
    }

    #[test]
    fn a_patron_takes_home_what_did_not_go_elsewhere() {
        let mut given = entries([
            issue("P1", "A"),
            issue("P1", "B"),
            issue("P1", "C"),
            issue("P2", "D"),
            back("a"),
            issue("P2", "B"),
            issue("p1", "E"),
            issue("P1", "C"),
            payment("P1", "1.00"),
            issue("P1", "F"),
        ]);
        given[9].status = Status::Deleted;
        assert_eq!(items(&taken_home(&given, " p1 ")), ["E", "C"]);
        assert_eq!(items(&taken_home(&given, "P2")), ["D", "B"]);
        assert!(taken_home(&given, "").is_empty());
        assert_eq!((whose("", &given), whose(" ", &given)), ("P1", "P1"));
        assert_eq!((whose("P2", &given), whose("", &[])), ("P2", ""), "who stands in the field, and nobody");
    }

    #[test]
    fn a_long_log_is_cut_at_its_beginning() {
        let ids: Vec<TransactionId> = (1..=1_003).map(TransactionId).collect();
        assert_eq!((last_of(&ids).len(), last_of(&ids)[0]), (LIMIT, TransactionId(4)));
        assert_eq!(last_of(&ids[..3]), &ids[..3]);
    }

    proptest! {
        #[test]
        fn a_date_is_the_loan_period_where_it_was_offered_and_itself_elsewhere(later in 0..60_u16, days in prop::option::of(0..60_u16)) {
            let (today, day) = (at("2026-11-23 10:00", 60), date("2026-11-23") + Days::new(later.into()));
            let expected = if days == Some(later) { Due::After(later) } else { Due::On(day) };
            prop_assert_eq!(Due::chosen(&format!(" {day} "), false, days, today), Ok(expected));
        }

        #[test]
        fn what_is_no_date_is_refused(typed in "[0-9]{0,5}-?[0-9]{0,3}-[0-9]{0,3}|\\PC{0,12}", days in any::<Option<u16>>()) {
            match Due::chosen(&typed, false, days, at("2026-11-23 10:00", 60)) {
                Ok(Due::Unsaid) => prop_assert_eq!(typed.trim(), ""),
                Ok(Due::On(day)) => prop_assert_eq!(Ok(day), typed.trim().parse()),
                Ok(Due::After(after)) => prop_assert_eq!(Some(after), days),
                Err(error) => prop_assert_eq!(error, DueError::NotADate),
            }
        }
    }
}
