//! What of a desk's file is new to the log. Every line is accounted for, and none is taken twice: not while it is in the
//! log, and not after it was committed and cleared from it.

use crate::{
    desk::{
        branch::BranchCode,
        name::DeskName,
        transaction::{Moment, Transaction, TransactionId},
    },
    desks::{
        cleared::{cleared_key, fingerprint},
        koc::Lines,
    },
    log::Entry,
    ordered,
    slices::{CHUNK, Sliced},
};
use std::collections::{HashMap, HashSet};

pub mod again;
pub mod file;
pub mod knowledge;
pub mod zip;

/// What becomes of the lines of a file that could be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// To be added to the log, in this order.
    pub new: Vec<Transaction>,
    /// The sequence of the desk that they belong to.
    pub part: u32,
    /// Lines whose transaction is in the log already, or stands in the file twice.
    pub already_there: u32,
    /// Those of them that the log has as this desk's.
    pub known: Vec<TransactionId>,
    /// Lines whose transaction was in the log, was committed or deleted there, and was cleared.
    pub cleared: u32,
}

/// What the log holds of a desk, as far as an import must know it.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// By the fingerprint of what was recorded.
    places: HashMap<u128, (TransactionId, u32)>,
    /// By the fingerprint of what it was after a change: so a file of ours may hold it.
    changed: HashMap<u128, (TransactionId, u32)>,
    /// The UTC offsets that its transactions have, in minutes, rising.
    offsets: Vec<i16>,
    /// The last of each sequence.
    ends: HashMap<u32, TransactionId>,
}

impl Known {
    /// Takes in an entry of the desk.
    pub fn take(&mut self, entry: &Entry) {
        let place = (entry.id, entry.part);
        self.places.insert(fingerprint(entry.original()), place);
        if !entry.history.is_empty() {
            let later = entry.history.iter().skip(1).map(|revision| &revision.was).chain([&entry.transaction]);
            self.changed.extend(later.map(|transaction| (fingerprint(transaction), place)));
        }
        ordered::put(&mut self.offsets, entry.original().moment.offset_minutes());
        let end = self.ends.entry(entry.part).or_insert(entry.id);
        *end = entry.id.max(*end);
    }

    /// Where a transaction is that its desk recorded so, if the log holds it.
    pub fn place(&self, original: &Transaction) -> Option<TransactionId> {
        self.places.get(&fingerprint(original)).map(|(id, _)| *id)
    }

    /// What a line may have been whose local time was written at an offset that the file does not state: itself, and the
    /// same at each offset that the desk is known to have had.
    fn read_otherwise<'a>(&'a self, line: &'a Transaction) -> impl Iterator<Item = Transaction> + 'a {
        let local = line.moment.local();
        let others = self.offsets.iter().filter(|offset| **offset != line.moment.offset_minutes());
        others.filter_map(move |offset| {
            let moment = Moment::from_local(local, *offset).ok()?;
            Some(Transaction { moment, action: line.action.clone() })
        })
    }

    /// Where the transaction of a line is, as its desk recorded it, or as it was set to since where the file has it not as it was
    /// recorded: what it has at that time too is another scan.
    fn find(&self, line: &Line<'_>, as_recorded: &HashSet<TransactionId>) -> Option<(TransactionId, u32)> {
        let as_changed = || self.changed.get(&line.print).filter(|(id, _)| !as_recorded.contains(id));
        let otherwise = || {
            let mut others = self.read_otherwise(line.transaction).take_while(|_| line.offset_is_open);
            others.find_map(|other| self.places.get(&fingerprint(&other)))
        };
        self.places.get(&line.print).or_else(as_changed).or_else(otherwise).copied()
    }

    /// The first part that has no transaction of this desk.
    fn new_part(&self) -> u32 {
        let last = self.ends.keys().max().copied();
        let next = last.map_or(Some(0), |last| last.checked_add(1));
        // A backup may say any number. There are fewer parts than numbers.
        next.or_else(|| (0..u32::MAX).find(|part| !self.ends.contains_key(part))).unwrap_or(u32::MAX)
    }
}

/// A line of a file.
struct Line<'a> {
    transaction: &'a Transaction,
    print: u128,
    /// See [`Lines::offsets_are_open`].
    offset_is_open: bool,
}

/// What the log holds of other desks than the one that a file is said to be of.
#[derive(Debug, Clone, Default)]
pub struct Elsewhere<'a> {
    /// Of each of them.
    desks: Vec<&'a Known>,
    /// The fingerprints of what was cleared of them.
    cleared: Vec<&'a HashSet<u128>>,
}

impl Plan {
    /// What is to be added to the log, as entries of this desk, at this library where one is named. The log gives them their numbers.
    pub fn into_entries(self, desk: &DeskName, branch: Option<&BranchCode>) -> impl Iterator<Item = Entry> {
        let part = self.part;
        let entry = move |transaction| Entry {
            desk: Some(desk.clone()),
            branch: branch.cloned(),
            part,
            ..Entry::recorded(TransactionId(0), transaction)
        };
        self.new.into_iter().map(entry)
    }
}

/// Plans an import. `cleared` are the [`cleared_key`]s of that desk.
pub fn plan(desk: &DeskName, lines: impl Into<Lines>, known: &Known, cleared: &HashSet<String>) -> Plan {
    planning(desk, lines, known, cleared, Elsewhere::default()).at_once()
}

/// As [`plan`], in slices. What another desk has recorded to the millisecond is known too, by whatever name it comes again: no
/// two desks scan one item for one patron in the same instant.
pub fn planning<'a>(
    desk: &'a DeskName,
    lines: impl Into<Lines>,
    known: &'a Known,
    cleared: &'a HashSet<String>,
    elsewhere: Elsewhere<'a>,
) -> Sliced<'a, Plan> {
    let Lines { transactions, offsets_are_open: offset_is_open } = lines.into();
    Sliced::new(move |pace| async move {
        let mut plan = Plan::default();
        let mut seen: HashSet<u128> = HashSet::with_capacity(transactions.len());
        let mut last_known = None;
        let mut continues = true;
        // Those that the file has as they were recorded. What it has at the time that one of them was set to is another scan.
        let mut as_recorded: HashSet<TransactionId> = HashSet::new();
        let desks = || elsewhere.desks.iter().copied().chain([known]);
        if desks().any(|known| !known.changed.is_empty()) {
            for chunk in transactions.chunks(CHUNK) {
                let places = |transaction| desks().filter_map(move |known| known.place(transaction));
                as_recorded.extend(chunk.iter().flat_map(places));
                pace.spend(chunk.len()).await;
            }
        }
        for (number, transaction) in (1..).zip(transactions) {
            let print = fingerprint(&transaction);
            let line = Line { transaction: &transaction, print, offset_is_open };
            let is_cleared = |transaction: &Transaction| cleared.contains(&cleared_key(desk, transaction));
            let was_cleared = || {
                !cleared.is_empty()
                    && (is_cleared(&transaction)
                        || (offset_is_open && known.read_otherwise(&transaction).any(|other| is_cleared(&other))))
            };
            if let Some(place) = known.find(&line, &as_recorded) {
                plan.already_there += 1;
                plan.known.push(place.0);
                continues &= plan.new.is_empty();
                last_known = Some(place);
            } else if was_cleared() || elsewhere.cleared.iter().any(|prints| prints.contains(&print)) {
                plan.cleared += 1;
            } else if elsewhere.desks.iter().any(|known| known.find(&line, &as_recorded).is_some())
                || !seen.insert(print)
            {
                plan.already_there += 1;
            } else {
                plan.new.push(transaction);
            }
            if number % CHUNK == 0 {
                pace.spend(CHUNK).await;
            }
        }
        // A longer file of the same desk goes on where the log's sequence ends. Anything else is a sequence of its own,
        // whose place among the others only the clock can tell.
        let goes_on = last_known.filter(|(id, part)| continues && known.ends.get(part) == Some(id));
        plan.part = goes_on.map_or_else(|| known.new_part(), |(_, part)| part);
        plan
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::Barcode,
            transaction::{Action, arbitrary},
            zone::FixedZone,
        },
        desks::{export, koc},
        log::order,
        slices::in_slices,
    };
    use chrono::TimeDelta;
    use proptest::prelude::*;

    fn returned(item: &str, second: i64) -> Transaction {
        let moment = Moment::new(1_795_428_000_000 + second * 1000, 60).unwrap();
        Transaction { moment, action: Action::Return { barcode: Barcode::parse(item).unwrap() } }
    }

    fn bus() -> DeskName {
        DeskName::parse("Bus").unwrap()
    }

    fn known(log: &[Entry]) -> Known {
        let mut known = Known::default();
        for entry in log {
            known.take(entry);
        }
        known
    }

    /// The log after this import.
    fn imported(mut log: Vec<Entry>, lines: &[Transaction]) -> (Vec<Entry>, Plan) {
        let plan = plan(&bus(), lines.to_vec(), &known(&log), &HashSet::new());
        for entry in plan.clone().into_entries(&bus(), None) {
            let id = TransactionId(u32::try_from(log.len()).unwrap() + 1);
            log.push(Entry { id, ..entry });
        }
        (log, plan)
    }

    #[test]
    fn the_same_file_again_adds_nothing() {
        let file = [returned("A", 0), returned("B", 1), returned("A", 0)];
        let (log, first) = imported(Vec::new(), &file);
        assert_eq!((first.new.len(), first.already_there, first.part), (2, 1, 0));
        let (log, again) = imported(log, &file);
        assert_eq!((again.new.len(), again.already_there, log.len()), (0, 3, 2));
    }

    #[test]
    fn what_was_shifted_or_corrected_is_known_again() {
        let file = [returned("A", 0), returned("B", 1)];
        let (mut log, _) = imported(Vec::new(), &file);
        let now = returned("A", 9).moment;
        log[0] = log[0].shifted(TimeDelta::hours(-1), now).unwrap().shifted(TimeDelta::minutes(1), now).unwrap();
        log[1] = log[1].deleted(now).unwrap();
        let (_, again) = imported(log, &file);
        assert_eq!((again.new.len(), again.already_there), (0, 2));
    }

    #[test]
    fn a_longer_file_goes_on_where_the_log_ends_whatever_the_clock_did() {
        let file = [returned("A", 50), returned("A", 60), returned("A", 10), returned("B", 20)];
        let (log, _) = imported(Vec::new(), &file[..2]);
        let (mut log, plan) = imported(log, &file);
        assert_eq!((plan.new.len(), plan.part), (2, 0));
        order::sort(&mut log);
        let order: Vec<_> = log.into_iter().map(|entry| entry.transaction).collect();
        assert_eq!(order, file);
    }

    #[test]
    fn a_file_apart_is_a_sequence_of_its_own() {
        let (log, _) = imported(Vec::new(), &[returned("A", 50), returned("A", 60)]);
        let (mut log, plan) = imported(log, &[returned("A", 10), returned("A", 20)]);
        assert_eq!(plan.part, 1);
        order::sort(&mut log);
        let seconds: Vec<_> = log.iter().map(|entry| entry.transaction.moment.utc_seconds() % 100).collect();
        assert_eq!(seconds, [10, 20, 50, 60], "yesterday's file, brought today");
        // One that was refused at first and mended since stands before known ones.
        let (_, plan) = imported(log, &[returned("C", 5), returned("A", 10), returned("A", 20)]);
        assert_eq!((plan.new.len(), plan.part), (1, 2));
    }

    #[test]
    fn what_was_committed_and_cleared_does_not_come_back() {
        let file = [returned("A", 0), returned("B", 1), returned("A", 0)];
        let cleared = HashSet::from([cleared_key(&bus(), &file[0])]);
        let plan = plan(&bus(), file.to_vec(), &Known::default(), &cleared);
        assert_eq!((plan.new.len(), plan.cleared, plan.already_there), (1, 2, 0));
    }

    #[test]
    fn a_long_file_is_planned_in_slices_that_give_what_one_call_gives() {
        let lines: Vec<_> = (0..3_000).map(|second| returned("A", second % 2_000)).collect();
        let (known, cleared) = (Known::default(), HashSet::from([cleared_key(&bus(), &lines[5])]));
        let (planned, slices) =
            in_slices(planning(&bus(), lines.clone(), &known, &cleared, Elsewhere::default()), CHUNK);
        assert_eq!(planned, plan(&bus(), lines, &known, &cleared));
        assert_eq!((planned.new.len(), planned.cleared, slices), (1_999, 2, 6));
    }

    /// Koha's way from a log to a log: the file, read where another zone is.
    fn exported(log: &[Entry]) -> Lines {
        let file = export::exporting(log.to_vec().into(), &bus(), None).at_once().unwrap();
        koc::read(file.text.as_bytes(), &FixedZone(-330), None).into_lines()
    }

    fn recorded(transactions: Vec<Transaction>) -> Vec<Entry> {
        (1..).zip(transactions).map(|(id, transaction)| Entry::recorded(TransactionId(id), transaction)).collect()
    }

    #[test]
    fn a_file_of_a_changed_log_brings_nothing_but_another_scan_at_a_time_that_one_was_set_to_is_new() {
        let now = returned("A", 9).moment;
        let mut log = recorded(vec![returned("A", 0), returned("B", 1)]);
        log[0] = log[0].shifted(TimeDelta::hours(1), now).unwrap().separated(returned("A", 3_700).moment, now).unwrap();
        for lines in [exported(&log).transactions, vec![returned("A", 3_600)]] {
            assert_eq!(plan(&bus(), lines, &known(&log), &HashSet::new()).new, []);
        }
        let lines = vec![returned("A", 0), returned("A", 3_700)];
        assert_eq!(plan(&bus(), lines, &known(&log), &HashSet::new()).new, [returned("A", 3_700)]);
    }

    #[test]
    fn a_part_at_its_limit_is_followed_by_one_that_is_free() {
        let of =
            |part| Entry { part, ..Entry::recorded(TransactionId(part.saturating_add(1)), returned("A", part.into())) };
        let plan = |log: &[Entry]| plan(&bus(), vec![returned("B", 1)], &known(log), &HashSet::new()).part;
        assert_eq!(plan(&[]), 0);
        assert_eq!(plan(&[of(u32::MAX - 1)]), u32::MAX);
        assert_eq!(plan(&[of(0), of(u32::MAX), of(1)]), 2);
    }

    proptest! {
        #[test]
        fn any_log_comes_back_from_its_file_and_into_itself_nothing(
            transactions in prop::collection::hash_set(arbitrary::transaction(-1439_i16..1440), 1..20),
        ) {
            let log = recorded(transactions.into_iter().collect());
            let lines = exported(&log);
            let (again, _) = imported(Vec::new(), &lines.transactions);
            let instants = |log: &[Entry]| -> Vec<_> {
                log.iter().map(|entry| (entry.transaction.moment.utc_millis(), entry.transaction.action.clone())).collect()
            };
            prop_assert_eq!(instants(&again), instants(&log));
            prop_assert_eq!(plan(&bus(), lines, &known(&log), &HashSet::new()).new, vec![]);
        }

        /// As versions until 0.1.0 wrote it: each local time at its own offset, and none of them stated.
        #[test]
        fn a_file_that_states_no_offset_brings_nothing_that_is_known(
            transactions in prop::collection::vec(arbitrary::transaction(prop::sample::select(vec![60_i16, 120, -570])), 1..20),
            is_cleared in any::<bool>(),
        ) {
            let rows: String = transactions.iter().map(|transaction| {
                koc::write([transaction], None).lines().nth(1).map(|line| format!("{line}\n")).unwrap()
            }).collect();
            let file = format!("Version=1.0\tGenerator=koct\tGeneratorVersion=0.1.0\tDesk=Bus\n{rows}");
            let lines = koc::read(file.as_bytes(), &FixedZone(0), None).into_lines();
            prop_assert!(lines.offsets_are_open);
            let log = recorded(transactions);
            let keys = log.iter().skip(1).map(|entry| cleared_key(&bus(), &entry.transaction));
            let cleared: HashSet<_> = if is_cleared { keys.collect() } else { HashSet::new() };
            let mut known = known(if is_cleared { &log[..1] } else { &log });
            // Some of each are left in the log.
            known.offsets = vec![-570, 60, 120];
            prop_assert_eq!(plan(&bus(), lines, &known, &cleared).new, vec![]);
        }
    }

    proptest! {
        #[test]
        fn every_line_is_accounted_for_and_none_taken_twice(
            lines in prop::collection::vec(arbitrary::transaction(Just(0_i16)), 0..20),
            picks in prop::collection::vec((0..20_usize, 0..3_u8), 0..60),
        ) {
            let file: Vec<_> = picks.iter().filter_map(|(i, _)| lines.get(*i).cloned()).collect();
            let (half, _) = imported(Vec::new(), &file[..file.len() / 2]);
            let before = half.len();
            let (log, plan) = imported(half, &file);
            let counted = plan.new.len() + usize::try_from(plan.already_there + plan.cleared).unwrap();
            prop_assert_eq!(counted, file.len());
            prop_assert_eq!(log.len(), before + plan.new.len());
            let distinct: HashSet<_> = file.iter().collect();
            let held: HashSet<_> = log.iter().map(|entry| &entry.transaction).collect();
            prop_assert_eq!(log.len(), distinct.len());
            prop_assert_eq!(held, distinct);
        }
    }
}
