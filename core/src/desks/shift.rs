//! By how much the clock of a desk was wrong, as a person writes it: `-1:00`, `+0:07:30`, `-1d 2:00`.

use crate::{
    desk::{name::DeskName, transaction::Moment},
    log::{Entry, status::State},
};
use std::{collections::BTreeMap, fmt};
use thiserror::Error;

/// A span of time, forwards or backwards, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shift(pub i64);

/// The text is no span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "write hours and minutes with a sign, as in -1:00 or +0:07, with days before them where needed, as in -1d 2:00"
)]
pub struct ShiftError;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A clock whose battery is dead begins in 1970 or at the year it was made.
const MOST_DAYS: i64 = 80 * 366;

impl Shift {
    /// Reads a text. Nothing, and zero, are no shift.
    ///
    /// # Errors
    /// When it is not `[+|-][Nd ]H:MM[:SS]`, or more than eighty years.
    pub fn parse(raw: &str) -> Result<Self, ShiftError> {
        let raw = raw.trim();
        if raw.is_empty() {
            return Ok(Self(0));
        }
        let (sign, rest) = match raw.strip_prefix(['-', '−', '–']) {
            Some(rest) => (-1, rest),
            None => (1, raw.strip_prefix('+').unwrap_or(raw)),
        };
        let (days, clock) = match rest.split_once(['d', 'D']) {
            Some((days, clock)) => (number(days.trim(), MOST_DAYS)?, clock.trim()),
            None => (0, rest.trim()),
        };
        let parts: Vec<&str> = clock.split(':').collect();
        let (hours, minutes, seconds) = match parts[..] {
            [""] if rest.contains(['d', 'D']) => (0, 0, 0),
            [hours, minutes] => (number(hours, 99_999)?, number(minutes, 59)?, 0),
            [hours, minutes, seconds] => (number(hours, 99_999)?, number(minutes, 59)?, number(seconds, 59)?),
            _ => return Err(ShiftError),
        };
        Ok(Self(sign * (days * DAY + hours * HOUR + minutes * MINUTE + seconds * SECOND)))
    }
}

fn number(digits: &str, most: i64) -> Result<i64, ShiftError> {
    let is_number = !digits.is_empty() && digits.len() <= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|number| is_number && *number <= most);
    number.ok_or(ShiftError)
}

impl fmt::Display for Shift {
    /// Whole seconds, in the form that [`Shift::parse`] reads; nothing for no shift.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = self.0.saturating_abs();
        if span < SECOND {
            return Ok(());
        }
        f.write_str(if self.0 < 0 { "-" } else { "+" })?;
        if span >= DAY {
            write!(f, "{}d ", span / DAY)?;
        }
        write!(f, "{}:{:02}", span % DAY / HOUR, span % HOUR / MINUTE)?;
        let seconds = span % MINUTE / SECOND;
        if seconds > 0 { write!(f, ":{seconds:02}") } else { Ok(()) }
    }
}

/// How far the clock of each desk is set right; `None` is this desk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shifts(BTreeMap<Option<DeskName>, Shift>);

impl Shifts {
    /// That of a desk.
    pub fn of(&self, desk: Option<&DeskName>) -> Shift {
        self.0.iter().find_map(|(known, shift)| (known.as_ref() == desk).then_some(*shift)).unwrap_or_default()
    }

    /// Sets that of a desk. Returns whether it is another than before.
    pub fn set(&mut self, desk: Option<DeskName>, shift: Shift) -> bool {
        self.0.insert(desk, shift).unwrap_or_default() != shift
    }

    /// Whether they move nothing.
    pub fn is_none(&self) -> bool {
        self.0.values().all(|shift| shift.0 == 0)
    }

    /// The states of what they move: also what Koha refused, so that it is right when it is sent again.
    pub fn states() -> Vec<State> {
        State::which(State::is_correctable)
    }

    /// Whether they move this entry.
    pub fn concern(&self, entry: &Entry) -> bool {
        entry.status.state().is_correctable() && self.of(entry.desk.as_ref()).0 != 0
    }

    /// The entry as it is to be stored. `None` where it may not be moved, or no calendar holds the time.
    pub fn moved(&self, entry: &Entry, at: Moment) -> Option<Entry> {
        entry.shifted(self.of(entry.desk.as_ref()).0, at)
    }

    /// Tries these on entries on which others were tried before: what follows can be looked at, and nothing is stored. What
    /// no calendar holds stays where it is.
    pub fn try_on(&self, entries: &mut [Entry], before: &Self) {
        for (desk, shift) in &self.0 {
            let by = shift.0 - before.of(desk.as_ref()).0;
            let concerned = |entry: &&mut Entry| entry.desk == *desk && entry.status.state().is_correctable();
            for entry in entries.iter_mut().filter(|_| by != 0).filter(concerned) {
                if let Some(moment) = entry.transaction.moment.shifted(by) {
                    entry.transaction.moment = moment;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::Barcode,
            transaction::{Action, Transaction, TransactionId},
        },
        log::status::{Attempt, Doubt, Status},
        settings::form::{CommitType, ServerUrl},
    };
    use proptest::prelude::*;

    fn entry(desk: Option<&str>, status: Status) -> Entry {
        let moment = Moment::new(1_795_428_000_000, 60).unwrap();
        let action = Action::Return { barcode: Barcode::parse("B").unwrap() };
        let desk = desk.map(|name| DeskName::parse(name).unwrap());
        Entry { status, desk, ..Entry::recorded(TransactionId(1), Transaction { moment, action }) }
    }

    #[test]
    fn a_shift_moves_what_its_desk_may_still_change_and_nothing_else() {
        let server = ServerUrl::parse("https://koha.example.org").unwrap();
        let attempt = Attempt::new(CommitType::Apply, server);
        let refused = Status::Rejected { message: "no".into() };
        let in_doubt = Status::InDoubt { reason: Doubt::TimedOut, attempt };
        let mut shifts = Shifts::default();
        assert!(shifts.is_none());
        assert!(shifts.set(DeskName::parse("Van").ok(), Shift(HOUR)));
        assert!(!shifts.set(DeskName::parse("Van").ok(), Shift(HOUR)));
        assert!(!shifts.set(None, Shift(0)), "no shift is what it was before");
        assert!(!shifts.is_none());
        let now = Moment::new(1_795_428_000_000, 60).unwrap();
        for (desk, status, is_moved) in [
            (Some("Van"), Status::Local, true),
            (Some("Van"), refused, true),
            (Some("Van"), in_doubt, false),
            (Some("Van"), Status::Success, false),
            (Some("Van"), Status::Deleted, false),
            (Some("Bus"), Status::Local, false),
            (None, Status::Local, false),
        ] {
            let entry = entry(desk, status);
            let by = if is_moved { HOUR } else { 0 };
            assert_eq!(shifts.concern(&entry), is_moved, "{entry:?}");
            assert!(!is_moved || Shifts::states().contains(&entry.status.state()));
            let mut tried = [entry.clone()];
            shifts.try_on(&mut tried, &Shifts::default());
            assert_eq!(tried[0].transaction.moment.utc_millis(), 1_795_428_000_000 + by, "{entry:?}");
            if is_moved {
                let stored = shifts.moved(&entry, now).unwrap();
                assert_eq!(stored.transaction, tried[0].transaction);
                assert_eq!((stored.history.len(), stored.status), (1, entry.status));
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_was_tried_before_the_last_one_counts(tried in prop::collection::vec(-100_000_i64..100_000, 1..8)) {
            let mut entries = [entry(None, Status::Local)];
            let mut before = Shifts::default();
            for seconds in &tried {
                let mut shifts = before.clone();
                shifts.set(None, Shift(seconds * SECOND));
                shifts.try_on(&mut entries, &before);
                before = shifts;
            }
            let at = 1_795_428_000_000 + tried.last().unwrap() * SECOND;
            prop_assert_eq!(entries[0].transaction.moment.utc_millis(), at);
        }
    }

    #[test]
    fn reads_what_people_write() {
        for (raw, millis) in [
            ("", 0),
            ("0:00", 0),
            ("1:00", HOUR),
            ("+1:30", HOUR + 30 * MINUTE),
            ("-0:07:30", -(7 * MINUTE + 30 * SECOND)),
            ("−2:00", -2 * HOUR),
            ("-1d 2:00", -(DAY + 2 * HOUR)),
            ("+3 d", 3 * DAY),
            (" 36:00 ", 36 * HOUR),
        ] {
            assert_eq!(Shift::parse(raw), Ok(Shift(millis)), "{raw}");
        }
        for raw in ["1", "-", "1:60", "1:00:60", "a:00", "1:2:3:4", ":", "1d x", "--1:00", "99999d", "d 1:00"] {
            assert_eq!(Shift::parse(raw), Err(ShiftError), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn is_read_as_it_is_written(seconds in -2_000_000_000..2_000_000_000_i64) {
            let shift = Shift(seconds * SECOND);
            prop_assert_eq!(Shift::parse(&shift.to_string()), Ok(shift));
        }

        #[test]
        fn what_is_typed_is_read_as_it_is_written(raw in "[+−-]?([0-9]{1,3} ?d ?)?([0-9]{1,2}(:[0-9]{1,2}){0,3})?|\\PC{0,12}") {
            if let Ok(shift) = Shift::parse(&raw) {
                prop_assert_eq!(Shift::parse(&shift.to_string()), Ok(shift));
                prop_assert_eq!(shift.0 < 0, shift.0 != 0 && raw.trim_start().starts_with(['-', '−']));
            }
        }
    }
}
