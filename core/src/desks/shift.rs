//! By how much the clock of a desk was wrong, as a person writes it: `-1:00`, `+0:07:30`, `-1d 2:00`. And what is moved by it:
//! [`Shifts::plan`] says that once, and what it says is shown, and stored, and nothing else.

use crate::{
    desk::{
        digits::is_number,
        name::DeskName,
        transaction::{Moment, TransactionId},
    },
    log::{Entry, status::State},
    ordered::{self, LiteMap},
};
use chrono::TimeDelta;
use std::fmt;
use thiserror::Error;

/// A span of time, forwards or backwards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shift(pub TimeDelta);

/// The text is no span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "write hours and minutes with a sign, as in -1:00 or +0:07, with days before them where needed, as in -1d 2:00"
)]
pub struct ShiftError;

/// A clock whose battery is dead begins in 1970 or at the year it was made.
const MOST_DAYS: i64 = 80 * 366;

impl Shift {
    /// No shift.
    pub const NONE: Self = Self(TimeDelta::zero());

    /// Reads a text. Nothing, and zero, are no shift.
    ///
    /// # Errors
    /// When it is not `[+|-][Nd ]H:MM[:SS]`, or more than eighty years.
    pub fn parse(raw: &str) -> Result<Self, ShiftError> {
        let raw = raw.trim();
        if raw.is_empty() {
            return Ok(Self::NONE);
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
        let hours = days * 24 + hours;
        Ok(Self(TimeDelta::seconds(sign * (hours * 3_600 + minutes * 60 + seconds))))
    }

    /// The same span the other way: how far a clock is off, where this says how far its times are to be moved.
    #[must_use]
    pub fn opposite(self) -> Self {
        Self(-self.0)
    }

    /// With its direction, as [`Shift::parse`] reads it, also where there is none: `+0:00`.
    pub fn signed(self) -> String {
        let shift = self.to_string();
        if shift.is_empty() { "+0:00".to_owned() } else { shift }
    }

    /// Without its direction, as in `0:30`.
    pub fn length(self) -> String {
        self.signed().trim_start_matches(['-', '+']).to_owned()
    }
}

fn number(digits: &str, most: i64) -> Result<i64, ShiftError> {
    let is_short = digits.len() <= 6 && is_number(digits);
    let number = digits.parse().ok().filter(|number| is_short && *number <= most);
    number.ok_or(ShiftError)
}

impl fmt::Display for Shift {
    /// Whole seconds, in the form that [`Shift::parse`] reads; nothing for no shift.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = self.0.abs();
        if span.num_seconds() == 0 {
            return Ok(());
        }
        f.write_str(if *self < Self::NONE { "-" } else { "+" })?;
        if span.num_days() > 0 {
            write!(f, "{}d ", span.num_days())?;
        }
        write!(f, "{}:{:02}", span.num_hours() % 24, span.num_minutes() % 60)?;
        let seconds = span.num_seconds() % 60;
        if seconds > 0 { write!(f, ":{seconds:02}") } else { Ok(()) }
    }
}

/// Scans of a desk, from one number to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first.
    pub first: TransactionId,
    /// The last.
    pub last: TransactionId,
    /// The part of the desk's log that they belong to; `None` for all.
    pub part: Option<u32>,
}

impl Span {
    /// All that a desk has.
    pub const ALL: Self = Self { first: TransactionId(0), last: TransactionId(u32::MAX), part: None };

    /// Whether this one of the desk is among them.
    pub fn contains(self, entry: &Entry) -> bool {
        (self.first..=self.last).contains(&entry.id) && self.part.is_none_or(|part| part == entry.part)
    }
}

/// Which scans of each desk are moved, and how far; `None` is this desk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shifts(LiteMap<Option<DeskName>, (Span, Shift)>);

impl Shifts {
    /// That of a desk, where it has one.
    pub fn of(&self, desk: Option<&DeskName>) -> Option<(Span, Shift)> {
        self.0.iter().find_map(|(known, shift)| (known.as_ref() == desk).then_some(*shift))
    }

    /// Sets that of a desk. Returns whether it moves something else than before.
    pub fn set(&mut self, desk: Option<DeskName>, span: Span, shift: Shift) -> bool {
        if shift == Shift::NONE {
            return self.0.remove(&desk).is_some();
        }
        self.0.insert(desk, (span, shift)) != Some((span, shift))
    }

    /// Whether they move nothing.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The states of what they move: also what Koha refused, so that it is right when it is sent again.
    pub fn states() -> Vec<State> {
        State::which(State::is_correctable)
    }

    /// How far they move this entry, where they do.
    fn by(&self, entry: &Entry) -> Option<Shift> {
        let (span, shift) = self.of(entry.desk.as_ref())?;
        (entry.status.state().is_correctable() && span.contains(entry)).then_some(shift)
    }

    /// What they do to these entries, none of which is moved yet.
    pub fn plan<'a>(&self, entries: impl IntoIterator<Item = &'a Entry>) -> Plan {
        let mut plan = Plan::default();
        if self.is_none() {
            return plan;
        }
        for entry in entries {
            let Some(Shift(by)) = self.by(entry) else { continue };
            let of_desk = plan.0.entry(entry.desk.clone()).or_default();
            let from = entry.transaction.moment;
            match from.shifted(by) {
                Some(to) => of_desk.moves.push(Move { id: entry.id, from, to }),
                None => of_desk.refused.push(entry.id),
            }
        }
        for (_, of_desk) in &mut plan.0 {
            ordered::sort(&mut of_desk.moves, |moving| moving.id.rank());
            ordered::sort(&mut of_desk.refused, |id| id.rank());
        }
        plan
    }
}

/// A transaction that is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Which.
    pub id: TransactionId,
    /// Its time as it is stored.
    pub from: Moment,
    /// Its time as it will be.
    pub to: Moment,
}

/// What shifts do to a desk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeskPlan {
    /// By number, rising.
    pub moves: Vec<Move>,
    /// What stays where it is, since no calendar holds the time; rising.
    pub refused: Vec<TransactionId>,
}

/// What shifts do, transaction by transaction: it is shown first, and stored as it was shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan(LiteMap<Option<DeskName>, DeskPlan>);

impl Plan {
    /// What is done to a desk, where something is.
    pub fn of(&self, desk: Option<&DeskName>) -> Option<&DeskPlan> {
        self.0.iter().find_map(|(known, plan)| (known.as_ref() == desk).then_some(plan))
    }

    /// The same in portions, each of which is written by itself, so that no scan waits for all of them. Whatever moves on is moved from
    /// the first, and whatever moves back from the last: where it breaks off, the times contradict themselves at that place, and a
    /// person is shown it before anything is sent. Only of what is less than clocks are set when they are kept right that is not so.
    pub fn portions(&self, size: usize) -> Vec<Vec<TransactionId>> {
        let of_desk = |of_desk: &DeskPlan| {
            let mut ids: Vec<TransactionId> = of_desk.moves.iter().map(|moving| moving.id).collect();
            if of_desk.moves.first().is_some_and(|moving| moving.to.time() < moving.from.time()) {
                ids.reverse();
            }
            ids
        };
        let chunks = |ids: Vec<TransactionId>| ids.chunks(size.max(1)).map(<[_]>::to_vec).collect::<Vec<_>>();
        self.0.values().map(of_desk).flat_map(chunks).collect()
    }

    fn find(&self, entry: &Entry) -> Option<&Move> {
        let moves = &self.of(entry.desk.as_ref())?.moves;
        moves.binary_search_by_key(&entry.id, |moving| moving.id).ok().map(|place| &moves[place])
    }

    /// The entry as it is to be stored. `None` where it is not what was shown: it was changed or sent meanwhile.
    pub fn moved(&self, entry: &Entry, at: Moment) -> Option<Entry> {
        let moving = self.find(entry).filter(|moving| moving.from == entry.transaction.moment)?;
        entry.shifted(moving.to.time().since(moving.from.time()), at)
    }

    /// Puts entries to the times that are planned, so that what follows can be looked at. Nothing is stored.
    pub fn try_on(&self, entries: &mut [Entry]) {
        self.put(entries, |moving| moving.to);
    }

    /// Puts entries on which it was tried back to their times.
    pub fn take_off(&self, entries: &mut [Entry]) {
        self.put(entries, |moving| moving.from);
    }

    fn put(&self, entries: &mut [Entry], to: impl Fn(&Move) -> Moment) {
        if self.0.is_empty() {
            return;
        }
        for entry in entries {
            if let Some(moving) = self.find(entry) {
                entry.transaction.moment = to(moving);
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
    use std::collections::BTreeMap;

    fn entry(desk: Option<&str>, status: Status) -> Entry {
        let moment = Moment::new(1_795_428_000_000, 60).unwrap();
        let action = Action::Return { barcode: Barcode::parse("B").unwrap() };
        let desk = desk.map(|name| DeskName::parse(name).unwrap());
        Entry { status, desk, ..Entry::recorded(TransactionId(1), Transaction { moment, action }) }
    }

    #[test]
    fn a_shift_moves_what_its_desk_may_still_change_and_nothing_else() {
        let server = ServerUrl::parse("https://koha.example.org").unwrap();
        let attempt = Attempt::new(CommitType::Apply, &server);
        let refused = Status::Rejected { message: "no".into() };
        let in_doubt = Status::InDoubt { reason: Doubt::TimedOut, attempt };
        let mut shifts = Shifts::default();
        assert!(shifts.is_none());
        assert!(shifts.set(DeskName::parse("Van").ok(), Span::ALL, Shift(TimeDelta::hours(1))));
        assert!(!shifts.set(DeskName::parse("Van").ok(), Span::ALL, Shift(TimeDelta::hours(1))));
        assert!(!shifts.set(None, Span::ALL, Shift::NONE), "no shift is what it was before");
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
            let by = if is_moved { 3_600_000 } else { 0 };
            let plan = shifts.plan([&entry]);
            assert_eq!(plan.portions(usize::MAX).concat().len(), usize::from(is_moved), "{entry:?}");
            assert!(!is_moved || Shifts::states().contains(&entry.status.state()));
            let mut tried = [entry.clone()];
            plan.try_on(&mut tried);
            assert_eq!(tried[0].transaction.moment.utc_millis(), 1_795_428_000_000 + by, "{entry:?}");
            assert_eq!(plan.moved(&entry, now).is_some(), is_moved);
            if is_moved {
                let stored = plan.moved(&entry, now).unwrap();
                assert_eq!(stored.transaction, tried[0].transaction);
                assert_eq!((stored.history.len(), &stored.status), (1, &entry.status));
                assert_eq!(plan.moved(&stored, now), None, "once");
            }
            plan.take_off(&mut tried);
            assert_eq!(tried[0], entry);
        }
        assert!(shifts.set(DeskName::parse("Van").ok(), Span::ALL, Shift::NONE));
        assert!(shifts.is_none());
    }

    #[test]
    fn only_the_scans_of_a_span_are_moved_and_what_no_calendar_holds_is_refused() {
        let of = |id, years: i64| {
            let moment = Moment::new(1_795_428_000_000 + TimeDelta::days(years * 365).num_milliseconds(), 60).unwrap();
            let mut entry = entry(None, Status::Local);
            (entry.id, entry.transaction.moment) = (TransactionId(id), moment);
            entry
        };
        let log = [of(4, 0), of(3, 60), of(2, 0), of(1, 60)];
        let mut shifts = Shifts::default();
        shifts.set(
            None,
            Span { first: TransactionId(2), last: TransactionId(4), part: None },
            Shift(TimeDelta::days(-60 * 365)),
        );
        let plan = shifts.plan(&log);
        let of_desk = plan.of(None).unwrap();
        assert_eq!(of_desk.moves.iter().map(|moving| moving.id.0).collect::<Vec<_>>(), [3]);
        assert_eq!(of_desk.refused, [TransactionId(2), TransactionId(4)]);
        assert_eq!(plan.of(DeskName::parse("Bus").ok().as_ref()), None);
    }

    proptest! {
        /// Whatever is in the log when it is stored: what was shown is moved to where it was shown, and nothing else.
        #[test]
        fn a_shift_never_moves_what_was_not_shown(
            spans in prop::collection::vec((0..12_u32, 0..12_u32, prop_oneof![-100_000..100_000_i64, any::<i32>().prop_map(|days| i64::from(days) * 86_400)]), 3),
            shown in prop::collection::vec((0..12_u32, 0..4_usize, prop::sample::select(vec![Status::Local, Status::Success, Status::Rejected { message: "no".into() }]), 0..400_i64), 0..12),
            meanwhile in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vec![Status::Local, Status::Success]), -1..2_i64), 0..4),
            new in 0..4_u32,
        ) {
            let desks = [None, Some("Van"), Some("Bus"), Some("Main")];
            let of = |id: u32, number: usize, status: Status, years: i64| {
                let mut entry = entry(desks[number], status);
                entry.id = TransactionId(id);
                entry.transaction.moment = Moment::new(TimeDelta::days(years * 20 * 365).num_milliseconds(), 60).unwrap_or(entry.transaction.moment);
                entry
            };
            let mut shifts = Shifts::default();
            for (number, (one, other, seconds)) in spans.into_iter().enumerate() {
                let span = Span { first: TransactionId(one.min(other)), last: TransactionId(one.max(other)), part: None };
                let desk = desks[number].map(|name| DeskName::parse(name).unwrap());
                shifts.set(desk, span, Shift(TimeDelta::seconds(seconds)));
            }
            let mut log: BTreeMap<TransactionId, Entry> = BTreeMap::new();
            for (id, number, status, years) in shown {
                log.insert(TransactionId(id), of(id, number, status, years));
            }
            let plan = shifts.plan(log.values());
            let mut seen: Vec<Entry> = log.values().cloned().collect();
            let is_moved = |entry: &Entry, was: &Entry| entry.transaction != was.transaction;
            plan.try_on(&mut seen);
            let shown_moved = seen.iter().zip(log.values()).filter(|(entry, was)| is_moved(entry, was)).count();
            let seen: BTreeMap<_, _> = seen.into_iter().map(|entry| (entry.id, entry)).collect();
            let same_time = plan.portions(usize::MAX).concat().len() - shown_moved;
            prop_assert_eq!(same_time, 0, "none is moved to where it is");
            // Somebody changes or sends some, and scans go on.
            let mut now = log.clone();
            let ids: Vec<_> = log.keys().copied().collect();
            for (index, status, seconds) in meanwhile.into_iter().filter(|_| !ids.is_empty()) {
                let entry = now.get_mut(index.get(&ids)).unwrap();
                entry.status = status;
                entry.transaction.moment = entry.transaction.moment.shifted(TimeDelta::milliseconds(seconds)).unwrap_or(entry.transaction.moment);
            }
            now.extend((12..12 + new).map(|id| (TransactionId(id), of(id, 0, Status::Local, 2))));
            let at = Moment::new(1_795_428_000_000, 60).unwrap();
            for entry in now.values() {
                if let Some(stored) = plan.moved(entry, at) {
                    prop_assert_eq!(&stored.transaction, &seen[&entry.id].transaction);
                    prop_assert_eq!(&entry.transaction, &log[&entry.id].transaction);
                    prop_assert!(entry.status.state().is_correctable());
                }
            }
            for was in log.values().filter(|was| shifts.by(was).is_some()) {
                let of_desk = plan.of(was.desk.as_ref()).unwrap();
                let is_refused = of_desk.refused.contains(&was.id);
                prop_assert_eq!(plan.moved(was, at).is_none(), is_refused, "moved, or said to be refused");
            }
        }
    }

    #[test]
    fn reads_what_people_write() {
        for (raw, seconds) in [
            ("", 0),
            ("0:00", 0),
            ("1:00", 3_600),
            ("+1:30", 5_400),
            ("-0:07:30", -450),
            ("−2:00", -7_200),
            ("-1d 2:00", -26 * 3_600),
            ("+3 d", 72 * 3_600),
            (" 36:00 ", 36 * 3_600),
        ] {
            assert_eq!(Shift::parse(raw), Ok(Shift(TimeDelta::seconds(seconds))), "{raw}");
        }
        for raw in ["1", "-", "1:60", "1:00:60", "a:00", "1:2:3:4", ":", "1d x", "--1:00", "99999d", "d 1:00"] {
            assert_eq!(Shift::parse(raw), Err(ShiftError), "{raw}");
        }
    }

    #[test]
    fn how_far_a_clock_is_off_is_how_far_its_times_are_not_to_be_moved() {
        for (shift, signed, opposite, length) in [
            (Shift::NONE, "+0:00", "+0:00", "0:00"),
            (Shift(TimeDelta::minutes(30)), "+0:30", "-0:30", "0:30"),
            (Shift(TimeDelta::hours(-25)), "-1d 1:00", "+1d 1:00", "1d 1:00"),
        ] {
            let told = [shift.signed(), shift.opposite().signed(), shift.length()];
            assert_eq!(told, [signed, opposite, length].map(str::to_owned));
            assert_eq!(Shift::parse(&told[1]).map(Shift::opposite), Ok(shift), "typed as it is told");
        }
    }

    proptest! {
        #[test]
        fn is_read_as_it_is_written(seconds in -2_000_000_000..2_000_000_000_i64) {
            let shift = Shift(TimeDelta::seconds(seconds));
            prop_assert_eq!(Shift::parse(&shift.to_string()), Ok(shift));
        }

        #[test]
        fn what_is_typed_is_read_as_it_is_written(raw in "[+−-]?([0-9]{1,3} ?d ?)?([0-9]{1,2}(:[0-9]{1,2}){0,3})?|\\PC{0,12}") {
            if let Ok(shift) = Shift::parse(&raw) {
                prop_assert_eq!(Shift::parse(&shift.to_string()), Ok(shift));
                prop_assert_eq!(shift < Shift::NONE, shift != Shift::NONE && raw.trim_start().starts_with(['-', '−']));
            }
        }
    }
}
