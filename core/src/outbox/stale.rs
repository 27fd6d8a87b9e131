//! What is so old that a person is asked before it is applied: Koha does not compare the times, so a checkin could close, and a
//! checkout override, a newer loan.

use crate::{
    desk::clock::DeskTime,
    koha::movement::Movements,
    log::{Entry, status::State},
    settings::form::{CommitType, Settings},
};
use chrono::{DateTime, FixedOffset};
use std::time::Duration;

/// The number of those that are named.
const NAMED: usize = 50;

/// The old ones among those that a commit is about. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// How many there are.
    pub number: usize,
    /// The first of them: Koha is asked what it knows of these, and these are named.
    pub named: Vec<Entry>,
}

impl Stale {
    /// Of what is committed with these settings. `None` where nobody needs to be asked: nothing is old, or a person looks at Koha's
    /// queue anyhow.
    pub fn among(uncommitted: &[Entry], settings: &Settings, now: DeskTime) -> Option<Self> {
        let limit = now.minus(Duration::from_hours(settings.stale_hours.into()));
        let is_old = |entry: &&Entry| entry.status.state() == State::Local && entry.transaction.moment.time() < limit;
        let number = uncommitted.iter().filter(is_old).count();
        let named = uncommitted.iter().filter(is_old).take(NAMED).cloned().collect();
        (number > 0 && settings.commit_type == CommitType::Apply).then_some(Self { number, named })
    }

    /// How many are not named.
    pub fn others(&self) -> usize {
        self.number - self.named.len()
    }

    /// Those that are named, and when Koha has seen their items since; those that it has seen come first.
    pub fn in_order<'a>(&'a self, movements: &Movements) -> Vec<(&'a Entry, Option<DateTime<FixedOffset>>)> {
        let seen = |entry: &Entry| movements.moved.iter().find(|(id, _)| *id == entry.id).map(|(_, seen)| *seen);
        let (moved, still): (Vec<_>, Vec<_>) =
            self.named.iter().map(|entry| (entry, seen(entry))).partition(|(_, seen)| seen.is_some());
        moved.into_iter().chain(still).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::Barcode,
            transaction::{Action, Moment, Transaction, TransactionId},
        },
        log::status::Status,
    };

    const NOW: i64 = 1_795_428_000_000;

    fn entry(number: u32, utc: i64) -> Entry {
        let action = Action::Return { barcode: Barcode::parse("B").unwrap() };
        let moment = Moment::new(utc, 60).unwrap();
        Entry::recorded(TransactionId(number), Transaction { moment, action })
    }

    fn among(entries: &[Entry], hours: u32, now: i64) -> Option<Stale> {
        let settings = Settings { stale_hours: hours, ..Settings::for_tests(CommitType::Apply) };
        Stale::among(entries, &settings, DeskTime::from_millis(now))
    }

    #[test]
    fn tells_what_was_recorded_long_ago() {
        let entries = [entry(1, NOW - 86_400_001), entry(2, NOW - 86_400_000), entry(3, NOW + 1)];
        assert_eq!(among(&entries, 24, NOW).unwrap().named, [entries[0].clone()]);
        assert_eq!(among(&entries, 25, NOW), None);
        let refused = Entry { status: Status::Rejected { message: "Item not found.".into() }, ..entry(1, 0) };
        assert_eq!(among(&[refused], 24, NOW), None, "it is not to be sent");
        assert_eq!(among(&entries, u32::MAX, i64::MIN), None);
        let queues = Settings { stale_hours: 24, ..Settings::for_tests(CommitType::Send) };
        assert_eq!(Stale::among(&entries, &queues, DeskTime::from_millis(NOW)), None, "Koha shows each with its time");
    }

    #[test]
    fn who_has_moved_since_is_named_first_and_of_many_the_first_alone() {
        let entries: Vec<Entry> = (1..=60).map(|number| entry(number, 0)).collect();
        let stale = among(&entries, 24, NOW).unwrap();
        assert_eq!((stale.number, stale.named.len(), stale.others()), (60, 50, 10));
        let seen = DateTime::parse_from_rfc3339("2026-11-23T10:00:00+01:00").unwrap();
        let moved = [3, 2, 55].map(|number| (TransactionId(number), seen)).to_vec();
        let named = stale.in_order(&Movements { moved, complete: true });
        let first: Vec<_> = named.iter().take(4).map(|(entry, seen)| (entry.id.0, seen.is_some())).collect();
        assert_eq!((first, named.len()), (vec![(2, true), (3, true), (1, false), (4, false)], 50));
    }
}
