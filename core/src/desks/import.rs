//! What of a desk's file is new to the log. Every line is accounted for, and none is taken twice: not while it is in the
//! log, and not after it was committed and cleared from it.

use crate::{
    desk::{
        name::DeskName,
        transaction::{Transaction, TransactionId},
    },
    desks::cleared::{cleared_key, fingerprint},
    log::Entry,
    slices::{CHUNK, Sliced},
};
use std::collections::{BTreeSet, HashMap, HashSet};

pub mod file;
pub mod knowledge;

/// What becomes of the lines of a file that could be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// To be added to the log, in this order.
    pub new: Vec<Transaction>,
    /// The sequence of the desk that they belong to.
    pub part: u32,
    /// Lines whose transaction is in the log already, or stands in the file twice.
    pub already_there: u32,
    /// Lines whose transaction was in the log, was committed or deleted there, and was cleared.
    pub cleared: u32,
}

/// What the log holds of a desk, as far as an import must know it.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// By the fingerprint of what was recorded.
    places: HashMap<u128, (TransactionId, u32)>,
    /// The last of each sequence.
    ends: HashMap<u32, TransactionId>,
}

impl Known {
    /// Takes in an entry of the desk.
    pub fn take(&mut self, entry: &Entry) {
        self.places.insert(fingerprint(entry.original()), (entry.id, entry.part));
        let end = self.ends.entry(entry.part).or_insert(entry.id);
        *end = entry.id.max(*end);
    }

    /// Where a transaction is that its desk recorded so, if the log holds it.
    pub fn place(&self, original: &Transaction) -> Option<TransactionId> {
        self.places.get(&fingerprint(original)).map(|(id, _)| *id)
    }
}

impl Plan {
    /// What is to be added to the log, as entries of this desk. The log gives them their numbers.
    pub fn into_entries(self, desk: &DeskName) -> impl Iterator<Item = Entry> {
        let part = self.part;
        let entry = move |transaction| Entry {
            desk: Some(desk.clone()),
            part,
            ..Entry::recorded(TransactionId(0), transaction)
        };
        self.new.into_iter().map(entry)
    }
}

/// Plans an import. `cleared` are the [`cleared_key`]s of that desk.
pub fn plan(desk: &DeskName, lines: Vec<Transaction>, known: &Known, cleared: &BTreeSet<String>) -> Plan {
    planning(desk, lines, known, cleared).at_once()
}

/// As [`plan`], in slices.
pub fn planning<'a>(
    desk: &'a DeskName,
    lines: Vec<Transaction>,
    known: &'a Known,
    cleared: &'a BTreeSet<String>,
) -> Sliced<'a, Plan> {
    Sliced::new(move |pace| async move {
        let mut plan = Plan::default();
        let mut seen: HashSet<u128> = HashSet::with_capacity(lines.len());
        let mut last_known = None;
        let mut continues = true;
        for (number, transaction) in (1..).zip(lines) {
            let print = fingerprint(&transaction);
            if let Some(place) = known.places.get(&print) {
                plan.already_there += 1;
                continues &= plan.new.is_empty();
                last_known = Some(*place);
            } else if !cleared.is_empty() && cleared.contains(&cleared_key(desk, &transaction)) {
                plan.cleared += 1;
            } else if seen.insert(print) {
                plan.new.push(transaction);
            } else {
                plan.already_there += 1;
            }
            if number % CHUNK == 0 {
                pace.spend(CHUNK).await;
            }
        }
        // A longer file of the same desk goes on where the log's sequence ends. Anything else is a sequence of its own,
        // whose place among the others only the clock can tell.
        let goes_on = last_known.filter(|(id, part)| continues && known.ends.get(part) == Some(id));
        plan.part = goes_on.map_or_else(|| known.ends.keys().max().map_or(0, |part| part + 1), |(_, part)| part);
        plan
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::Barcode,
            transaction::{Action, Moment, arbitrary},
        },
        log::order,
        slices::in_slices,
    };
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
        let plan = plan(&bus(), lines.to_vec(), &known(&log), &BTreeSet::new());
        for entry in plan.clone().into_entries(&bus()) {
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
        log[0] = log[0].shifted(-3_600_000, now).unwrap().shifted(60_000, now).unwrap();
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
        let cleared = BTreeSet::from([cleared_key(&bus(), &file[0])]);
        let plan = plan(&bus(), file.to_vec(), &Known::default(), &cleared);
        assert_eq!((plan.new.len(), plan.cleared, plan.already_there), (1, 2, 0));
    }

    #[test]
    fn a_long_file_is_planned_in_slices_that_give_what_one_call_gives() {
        let lines: Vec<_> = (0..3_000).map(|second| returned("A", second % 2_000)).collect();
        let (known, cleared) = (Known::default(), BTreeSet::from([cleared_key(&bus(), &lines[5])]));
        let (planned, slices) = in_slices(planning(&bus(), lines.clone(), &known, &cleared), CHUNK);
        assert_eq!(planned, plan(&bus(), lines, &known, &cleared));
        assert_eq!((planned.new.len(), planned.cleared, slices), (1_999, 2, 6));
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
