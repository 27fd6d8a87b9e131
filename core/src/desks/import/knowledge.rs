//! What the log holds already of each desk, so that no file brings anything twice.

use super::{
    Elsewhere, Known, Line, Plan,
    again::{Again, Glance},
    planning,
};
use crate::{
    desk::{barcode::Barcode, branch::BranchCode, digits::is_number, name::DeskName, transaction::TransactionId},
    desks::{
        cleared::{fingerprint, read_key},
        koc::Lines,
    },
    log::Entry,
    ordered::{Gather, LiteMap},
    slices::{CHUNK, Sliced},
};
use std::collections::{HashMap, HashSet};

/// From this number of codes on a length is the library's, if it is not that of less than one in this number.
const FEW: usize = 5;
const RARE: usize = 20;

/// What the log holds of each desk.
#[derive(Debug, Clone)]
pub struct Knowledge {
    own: DeskName,
    desks: HashMap<DeskName, Known>,
    /// Where the last transaction of a desk was recorded.
    branches: HashMap<DeskName, BranchCode>,
    /// How many barcodes that are numbers have each length.
    lengths: LiteMap<usize, usize>,
    /// What was cleared of each desk: the keys, and the fingerprints in them.
    cleared: HashMap<DeskName, Cleared>,
}

#[derive(Debug, Clone, Default)]
struct Cleared {
    keys: HashSet<String>,
    prints: HashSet<u128>,
}

impl Knowledge {
    /// Of an empty log, that of the desk of this name.
    pub fn new(own: DeskName) -> Self {
        Self { own, desks: HashMap::new(), branches: HashMap::new(), lengths: LiteMap::new(), cleared: HashMap::new() }
    }

    /// The name of the desk whose log it is.
    pub fn own(&self) -> &DeskName {
        &self.own
    }

    /// Whether this desk may take that name, and go on as that desk: its log is empty, and the name is another. What a desk
    /// has recorded must not become another's.
    pub fn may_become(&self, desk: &DeskName) -> bool {
        self.desks.is_empty() && *desk != self.own
    }

    /// This desk has taken that name, as it [may](Self::may_become).
    pub fn become_desk(&mut self, desk: DeskName) {
        self.own = desk;
    }

    /// Takes in an entry of the log.
    pub fn take(&mut self, entry: &Entry) {
        let desk = self.desk_of(entry).clone();
        if let Some(branch) = &entry.branch {
            self.branches.insert(desk.clone(), branch.clone());
        }
        let code = entry.original().action.barcode().map(Barcode::as_str);
        if let Some(code) = code.filter(|code| is_number(code)) {
            *self.lengths.entry(code.len()).or_default() += 1;
        }
        self.desks.entry(desk).or_default().take(entry);
    }

    /// Where the transaction of this entry is in the log, if it is there: by what its desk recorded, whatever was changed
    /// since.
    pub fn place(&self, entry: &Entry) -> Option<TransactionId> {
        self.desks.get(self.desk_of(entry))?.place(entry.original())
    }

    /// Takes in what is remembered of a cleared transaction.
    pub fn take_cleared(&mut self, key: String) {
        if let Some((desk, print)) = read_key(&key) {
            let cleared = self.cleared.entry(desk).or_default();
            cleared.prints.insert(print);
            cleared.keys.insert(key);
        }
    }

    /// The library of a desk, where its transactions tell.
    pub fn branch_of(&self, desk: &DeskName) -> Option<&BranchCode> {
        self.branches.get(desk)
    }

    /// The lengths that the library's barcodes have which are numbers, rising. Those that are rare may be slips.
    pub fn lengths(&self) -> Vec<usize> {
        let all: usize = self.lengths.values().sum();
        let is_usual = |number: usize| number >= FEW && number * RARE >= all;
        self.lengths.iter().filter(|(_, number)| is_usual(**number)).map(|(length, _)| *length).collect()
    }

    /// Whether the log holds, or held, something of this desk.
    pub fn has(&self, desk: &DeskName) -> bool {
        *desk == self.own || self.desks.contains_key(desk) || self.cleared.contains_key(desk)
    }

    /// Plans the import of what this desk recorded, in slices.
    pub fn planning<'a>(&'a self, desk: &'a DeskName, lines: impl Into<Lines>) -> Sliced<'a, Plan> {
        let lines = lines.into();
        Sliced::new(move |pace| async move {
            let (no_entries, nothing_cleared) = (Known::default(), HashSet::new());
            let known = self.desks.get(desk).unwrap_or(&no_entries);
            let cleared = self.cleared.get(desk).map_or(&nothing_cleared, |cleared| &cleared.keys);
            let elsewhere = Elsewhere {
                desks: self.desks.iter().filter(|(other, _)| *other != desk).map(|(_, known)| known).collect(),
                cleared: self.cleared.iter().filter(|(other, _)| *other != desk).map(|(_, it)| &it.prints).collect(),
            };
            planning(desk, lines, known, cleared, elsewhere).within(&pace).await
        })
    }

    /// Whose file it seems to be by what it holds, in slices: that of the desk of which the log knows most of it.
    pub fn recognising<'a>(&'a self, file: &'a Glance) -> Sliced<'a, Option<Again>> {
        Sliced::new(move |pace| async move {
            let mut of_desks: LiteMap<&DeskName, usize> = LiteMap::new();
            let (mut new, nothing) = (0, HashSet::new());
            for chunk in file.lines.transactions.chunks(CHUNK) {
                for transaction in chunk {
                    let print = fingerprint(transaction);
                    let line = Line { transaction, print, offset_is_open: file.lines.offsets_are_open };
                    let here = self.desks.iter().filter(|(_, known)| known.find(&line, &nothing).is_some());
                    let gone = self.cleared.iter().filter(|(_, cleared)| cleared.prints.contains(&print));
                    let desks = here.map(|(desk, _)| desk).chain(gone.map(|(desk, _)| desk)).into_list();
                    new += usize::from(desks.is_empty());
                    for desk in desks {
                        *of_desks.entry(desk).or_default() += 1;
                    }
                }
                pace.spend(chunk.len()).await;
            }
            let (desk, _) = of_desks.into_iter().max_by_key(|(_, known)| *known)?;
            Some(Again { desk: desk.clone(), known: file.lines.transactions.len() - new, new })
        })
    }

    fn desk_of<'a>(&'a self, entry: &'a Entry) -> &'a DeskName {
        entry.desk.as_ref().unwrap_or(&self.own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::Barcode,
            transaction::{Action, Moment, Transaction, arbitrary},
        },
        desks::cleared::cleared_key,
    };
    use chrono::TimeDelta;
    use proptest::prelude::*;

    fn desk(name: &str) -> DeskName {
        DeskName::parse(name).unwrap()
    }

    fn returned(id: u32, of: Option<&str>, item: &str, second: i64) -> Entry {
        let moment = Moment::new(1_795_428_000_000 + second * 1000, 60).unwrap();
        let action = Action::Return { barcode: Barcode::parse(item).unwrap() };
        Entry { desk: of.map(desk), ..Entry::recorded(TransactionId(id), Transaction { moment, action }) }
    }

    fn knowledge(log: &[Entry]) -> Knowledge {
        let mut knowledge = Knowledge::new(desk("Main"));
        for entry in log {
            knowledge.take(entry);
        }
        knowledge
    }

    fn plan(knowledge: &Knowledge, of: &str, lines: &[Entry]) -> Plan {
        let lines: Vec<_> = lines.iter().map(|entry| entry.transaction.clone()).collect();
        knowledge.planning(&desk(of), lines).at_once()
    }

    #[test]
    fn desks_are_told_apart_and_what_names_no_desk_is_this_ones() {
        let (own, bus) = (returned(1, None, "A", 0), returned(2, Some("Bus"), "A", 0));
        let knowledge = knowledge(&[own.clone(), bus.clone()]);
        assert_eq!(knowledge.place(&own), Some(TransactionId(1)));
        assert_eq!(knowledge.place(&bus), Some(TransactionId(2)));
        assert_eq!(knowledge.place(&Entry { desk: Some(desk("Main")), ..own.clone() }), Some(TransactionId(1)));
        assert_eq!(knowledge.place(&Entry { desk: Some(desk("Van")), ..own }), None);
    }

    #[test]
    fn a_corrected_one_is_known_again_by_what_was_recorded() {
        let recorded = returned(1, None, "A", 0);
        let now = recorded.transaction.moment;
        let shifted = recorded.shifted(TimeDelta::hours(1), now).unwrap();
        let knowledge = knowledge(std::slice::from_ref(&shifted));
        assert_eq!(knowledge.place(&recorded), Some(TransactionId(1)));
        assert_eq!(knowledge.place(&shifted), Some(TransactionId(1)));
        assert_eq!(knowledge.place(&returned(9, None, "A", 3_600)), None, "another scan at the time it was set to");
    }

    #[test]
    fn what_was_recorded_in_the_same_instant_is_known_by_whatever_name_it_comes() {
        let log = [returned(1, None, "A", 0), returned(2, None, "B", 1)];
        let mut knowledge = knowledge(&log);
        for name in ["Main", "Bus"] {
            assert_eq!((plan(&knowledge, name, &log).already_there, plan(&knowledge, name, &log).new), (2, vec![]));
        }
        let later = returned(9, None, "A", 2);
        let both = [log[0].clone(), later.clone()];
        assert_eq!(plan(&knowledge, "Bus", &both).new, std::slice::from_ref(&later.transaction));
        knowledge.take_cleared(cleared_key(&desk("Van"), &later.transaction));
        let again = plan(&knowledge, "Bus", std::slice::from_ref(&later));
        assert_eq!((again.new, again.cleared), (vec![], 1), "committed by another name, and cleared");
        assert!(knowledge.has(&desk("Van")) && knowledge.has(&desk("Main")) && !knowledge.has(&desk("Bus")));
    }

    #[test]
    fn the_log_tells_where_a_desk_is_and_how_long_codes_are() {
        let branch = BranchCode::parse("MPL").ok();
        let codes = ["39999000000031", "39999000000032", "35", "B7"];
        let entries = (0..12).flat_map(|second| codes.map(|code| returned(1, Some("Bus"), code, second)));
        let entries: Vec<Entry> = entries.map(|entry| Entry { branch: branch.clone(), ..entry }).collect();
        let knowledge = knowledge(&entries);
        assert_eq!((knowledge.branch_of(&desk("Bus")), knowledge.branch_of(&desk("Van"))), (branch.as_ref(), None));
        assert_eq!(knowledge.lengths(), [2, 14]);
        let few: Vec<Entry> = (0..4).map(|second| returned(1, None, "39999000000031", second)).collect();
        assert!(super::Knowledge::lengths(&self::knowledge(&few)).is_empty());
    }

    #[test]
    fn one_file_after_the_other_is_known_as_it_is_written() {
        let file = [returned(0, None, "A", 0), returned(0, None, "B", 1), returned(0, None, "C", 2)];
        let mut knowledge = knowledge(&[]);
        let first = plan(&knowledge, "Bus", &file[..2]);
        for (id, entry) in (1..).zip(first.into_entries(&desk("Bus"), None)) {
            knowledge.take(&Entry { id: TransactionId(id), ..entry });
        }
        let second = plan(&knowledge, "Bus", &file);
        assert_eq!((second.new.len(), second.already_there, second.part), (1, 2, 0), "the longer file goes on");
    }

    #[test]
    fn an_empty_log_may_take_another_name_and_no_other_may() {
        let mut empty = knowledge(&[]);
        assert!(empty.may_become(&desk("Bus")) && !empty.may_become(&desk("Main")));
        empty.become_desk(desk("Bus"));
        assert_eq!((empty.own(), empty.may_become(&desk("Bus"))), (&desk("Bus"), false));
        assert!(!knowledge(&[returned(1, Some("Van"), "A", 0)]).may_become(&desk("Bus")));
    }

    proptest! {
        #[test]
        fn each_of_the_log_is_in_its_place_and_nothing_else_is(
            lines in prop::collection::hash_set(arbitrary::transaction(Just(0_i16)), 1..20),
            known in prop::collection::vec(any::<bool>(), 20),
            desks in prop::collection::vec(prop::sample::select(vec![None, Some("Bus"), Some("Van")]), 20),
        ) {
            let entry = |((id, transaction), of): ((u32, Transaction), Option<&str>)| {
                Entry { desk: of.map(desk), ..Entry::recorded(TransactionId(id), transaction) }
            };
            let entries: Vec<Entry> = (1..).zip(lines).zip(desks).map(entry).collect();
            let log: Vec<Entry> =
                entries.iter().zip(&known).filter(|(_, known)| **known).map(|(entry, _)| entry.clone()).collect();
            let knowledge = knowledge(&log);
            for (entry, known) in entries.iter().zip(known) {
                prop_assert_eq!(knowledge.place(entry), known.then_some(entry.id));
            }
        }
    }
}
