//! What of the log goes into a .koc file.

use crate::{
    desk::{
        name::DeskName,
        transaction::{Moment, TransactionId},
    },
    desks::koc,
    log::{
        Entry,
        order::{self, Ordered},
        status::State,
    },
    ordered::{self, Gather},
    slices::{CHUNK, Sliced},
};
use std::collections::HashMap;

/// A .koc file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Its text.
    pub text: String,
    /// The number of transactions in it.
    pub number: usize,
    /// Of those, the number that may be in Koha: whoever hands the file to Koha would do them twice.
    pub in_doubt: usize,
    /// The number of transactions whose time is before that of an earlier one of their item, since a clock was wrong: Koha's
    /// queue would do them the other way round.
    pub out_of_order: usize,
}

/// The states of what a file holds: all that is not in Koha for sure, and that too where it is asked for. What was taken
/// back is in none.
pub fn states(with_committed: bool) -> Vec<State> {
    State::which(|state| state.is_open() || (with_committed && state.is_committed()))
}

/// The desk that recorded all of these, where one did: a file of several desks is that of none. `own` is this desk's name.
fn desk_of(entries: &[Entry], own: &DeskName) -> Option<DeskName> {
    let first = entries.first()?.desk.as_ref();
    let is_of_one = entries.iter().all(|entry| entry.desk.as_ref() == first);
    is_of_one.then(|| first.unwrap_or(own).clone())
}

/// The codes of the libraries at which these were recorded. `own` is what this desk is set to.
pub fn branches<'a>(entries: &'a [Entry], own: &'a str) -> Vec<&'a str> {
    entries.iter().map(|entry| entry.branch_or(own)).into_list()
}

/// These by the libraries at which they were recorded, in the order of their codes: Koha's page for such files books all of one at
/// the library where the person is who uploads it. `own` is the code of the library that this desk is set to.
fn by_branch(entries: Ordered, own: &str) -> Vec<(String, Ordered)> {
    // Nearly always: then their order is known already.
    if let [one] = branches(&entries, own)[..] {
        return vec![(one.to_owned(), entries)];
    }
    let mut of_branches: HashMap<String, Vec<Entry>> = HashMap::new();
    for entry in entries.into_entries() {
        of_branches.entry(entry.branch_or(own).to_owned()).or_default().push(entry);
    }
    let mut of_branches: Vec<_> = of_branches.into_iter().collect();
    ordered::sort_by_text(&mut of_branches, |(branch, _)| branch.clone());
    of_branches.into_iter().map(|(branch, entries)| (branch, entries.into())).collect()
}

/// What goes into one file.
#[derive(Debug)]
pub struct Part {
    /// The code of the library in its name.
    pub in_name: String,
    /// The library at which all of it was recorded; a file of several libraries is that of none.
    pub branch: Option<String>,
    /// What it holds.
    pub entries: Ordered,
}

/// What goes into which file: one for all, or one for each library. `own` is the code of the library that this desk is set to.
pub fn parts(entries: Ordered, own: &str, each_branch: bool) -> Vec<Part> {
    if !each_branch && branches(&entries, own).len() != 1 {
        return vec![Part { in_name: own.to_owned(), branch: None, entries }];
    }
    let parts = by_branch(entries, own).into_iter();
    parts.map(|(branch, entries)| Part { in_name: branch.clone(), branch: Some(branch), entries }).collect()
}

/// Writes these in slices, as the file of the library with this code where all are of one. `None` where there are none.
pub fn exporting<'a>(entries: Ordered, own: &'a DeskName, branch: Option<&'a str>) -> Sliced<'a, Option<Export>> {
    Sliced::new(move |pace| async move {
        if entries.is_empty() {
            return None;
        }
        let desk = desk_of(&entries, own);
        // Koha keeps whole seconds: so does the file, where two desks had one item.
        let moved = order::separating(&entries).within(&pace).await;
        let moved: HashMap<TransactionId, Moment> = moved.into_iter().collect();
        let mut entries = entries.into_entries();
        for entry in &mut entries {
            entry.transaction.moment = moved.get(&entry.id).copied().unwrap_or(entry.transaction.moment);
        }
        let offset = entries.last().map(|last| last.transaction.moment.offset_minutes());
        let mut text = koc::header(offset, desk.as_ref(), branch);
        for chunk in entries.chunks(CHUNK) {
            for entry in chunk {
                koc::add(&mut text, &entry.transaction, offset);
            }
            pace.spend(chunk.len()).await;
        }
        let mut out_of_order = 0;
        let mut before = HashMap::new();
        for chunk in entries.chunks(CHUNK) {
            for entry in chunk {
                let Some(item) = entry.transaction.action.item_key() else { continue };
                let first = before.insert(item, entry);
                out_of_order += usize::from(first.is_some_and(|first| order::is_backwards(first, entry)));
            }
            pace.spend(chunk.len()).await;
        }
        let in_doubt = entries.iter().filter(|entry| entry.status.state().is_doubtful()).count();
        Some(Export { text, number: entries.len(), in_doubt, out_of_order })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::Barcode,
            transaction::{Action, Transaction, arbitrary},
            zone::FixedZone,
        },
        desks::import::{Known, plan},
        log::status::{Attempt, Doubt, Status},
        settings::form::{CommitType, ServerUrl},
        slices::in_slices,
    };
    use proptest::prelude::*;

    fn main() -> DeskName {
        DeskName::parse("Main").unwrap()
    }

    fn returned(id: u32, desk: Option<&str>, item: &str, second: i64) -> Entry {
        let moment = Moment::new(1_795_428_000_000 + second * 1000, 60).unwrap();
        let action = Action::Return { barcode: Barcode::parse(item).unwrap() };
        let desk = desk.map(|name| DeskName::parse(name).unwrap());
        Entry { desk, ..Entry::recorded(TransactionId(id), Transaction { moment, action }) }
    }

    fn export(entries: &[Entry]) -> Export {
        exporting(entries.to_vec().into(), &main(), None).at_once().unwrap()
    }

    #[test]
    fn holds_what_is_not_in_koha_and_the_rest_if_asked_but_never_what_was_taken_back() {
        use State::{Added, InDoubt, Local, Rejected, Sending, Success};
        assert_eq!(states(false), [Local, Sending, Rejected, InDoubt]);
        assert_eq!(states(true), [Local, Sending, Added, Success, Rejected, InDoubt]);
        assert_eq!(exporting(Vec::new().into(), &main(), None).at_once(), None);
    }

    #[test]
    fn a_file_of_several_desks_is_that_of_none() {
        let [own, bus, van] = [None, Some("Bus"), Some("Van")].map(|desk| returned(1, desk, "A", 0));
        let desk = |entries: &[Entry]| koc::read(export(entries).text.as_bytes(), &FixedZone(60), None).desk;
        assert_eq!(desk(std::slice::from_ref(&own)), Some(main()));
        assert_eq!(desk(&[bus.clone(), bus.clone()]), DeskName::parse("Bus").ok());
        assert_eq!(desk(&[own.clone(), bus.clone()]), None);
        assert_eq!(desk(&[bus, van]), None);
        // The name that this desk has, and gave itself in a file that came back.
        assert_eq!(desk(&[own, returned(2, Some("Main"), "B", 1)]), None);
    }

    #[test]
    fn each_library_has_a_file_of_its_own_that_says_so() {
        let at = |id, code: Option<&str>, second| {
            let branch = code.map(|code| crate::desk::branch::BranchCode::parse(code).unwrap());
            Entry { branch, ..returned(id, None, "A", second) }
        };
        let log = [at(1, Some("MPL"), 0), at(2, None, 10), at(3, Some("CPL"), 20), at(4, Some("MPL"), 30)];
        let files: Vec<_> = parts(log.to_vec().into(), "CPL", true)
            .into_iter()
            .map(|Part { in_name, branch, entries }| {
                let branch = branch.filter(|branch| *branch == in_name).unwrap();
                let ids: Vec<u32> = entries.iter().map(|entry| entry.id.0).collect();
                let export = exporting(entries, &main(), Some(&branch)).at_once().unwrap();
                let reading = koc::read(export.text.as_bytes(), &FixedZone(0), None);
                assert_eq!(reading.branch.map(String::from), Some(branch.clone()));
                (branch, ids)
            })
            .collect();
        assert_eq!(files, [("CPL".to_owned(), vec![2, 3]), ("MPL".to_owned(), vec![1, 4])]);
        let all = parts(log.to_vec().into(), "CPL", false);
        assert_eq!(
            (all.len(), all[0].in_name.as_str(), all[0].branch.as_deref(), all[0].entries.len()),
            (1, "CPL", None, 4)
        );
        for each_branch in [true, false] {
            let one = parts(log[..1].to_vec().into(), "CPL", each_branch);
            assert_eq!((one.len(), one[0].in_name.as_str(), one[0].branch.as_deref()), (1, "MPL", Some("MPL")));
            assert!(parts(Ordered::default(), "CPL", true).is_empty());
        }
        assert_eq!(koc::read(export(&log).text.as_bytes(), &FixedZone(0), None).branch, None);
    }

    #[test]
    fn two_desks_with_one_item_in_one_second_stand_in_seconds_of_their_own() {
        let text = export(&[returned(1, None, "A", 0), returned(2, Some("Bus"), "a", 0)]).text;
        let times: Vec<_> = text.lines().skip(1).map(|line| line.split('\t').next().unwrap()).collect();
        assert_eq!(times, ["2026-11-23 11:00:00 000", "2026-11-23 11:00:01 000"]);
    }

    #[test]
    fn several_desks_come_out_in_one_order_in_which_each_keeps_its_own() {
        // The second of the bus has a time a little before its first.
        let bus = [(2, "B", 600), (3, "B", 570), (4, "C", 1_200)]
            .map(|(id, item, second)| returned(id, Some("Bus"), item, second));
        let own =
            [(5, "A", 0), (6, "C", 1_200), (7, "A", 1_230)].map(|(id, item, second)| returned(id, None, item, second));
        let text = export(&[bus, own].concat()).text;
        let lines: Vec<_> =
            text.lines().skip(1).map(|line| (line.rsplit('\t').next().unwrap(), &line[11..23])).collect();
        let times = ["11:00:00 000", "11:10:00 000", "11:10:01 000", "11:20:00 000", "11:20:01 000", "11:20:30 000"];
        assert_eq!(lines, std::iter::zip(["A", "B", "B", "C", "C", "A"], times).collect::<Vec<_>>());
    }

    #[test]
    fn says_what_koha_would_do_the_other_way_round() {
        let export = export(&[returned(1, None, "A", 9_000), returned(2, None, "a", 0), returned(3, None, "B", 1)]);
        let items: Vec<_> = export.text.lines().skip(1).map(|line| line.rsplit('\t').next().unwrap()).collect();
        assert_eq!((items, export.out_of_order), (vec!["A", "a", "B"], 1), "the order of the numbers");
        assert_eq!(self::export(&[returned(1, None, "A", 0), returned(2, None, "A", 0)]).out_of_order, 0);
    }

    #[test]
    fn says_what_may_be_in_koha_already() {
        let server = ServerUrl::parse("https://koha.example.org").unwrap();
        let attempt = Attempt::new(CommitType::Apply, &server);
        let status = |status, id| Entry { status, ..returned(id, None, "A", id.into()) };
        let export = export(&[
            status(Status::Local, 1),
            status(Status::Rejected { message: "no".into() }, 2),
            status(Status::Sending { attempt: attempt.clone() }, 3),
            status(Status::InDoubt { reason: Doubt::TimedOut, attempt }, 4),
            status(Status::Success, 5),
        ]);
        assert_eq!((export.number, export.in_doubt), (5, 2));
    }

    proptest! {
        /// Whatever a correction or a shift brought to one second, or a little back.
        #[test]
        fn what_was_kept_apart_in_the_log_first_comes_back_as_nothing_new(
            scans in prop::collection::vec((0..3_usize, -400_000..400_000_i64, prop::sample::select(vec![60_i16, 120, -300, 330])), 1..20),
        ) {
            let entry = |(id, (item, millis, offset)): (u32, (usize, i64, i16))| {
                let moment = Moment::new(1_795_428_000_000 + millis, offset).unwrap();
                let action = Action::Return { barcode: Barcode::parse(["A", "a", "B"][item]).unwrap() };
                Entry::recorded(TransactionId(id), Transaction { moment, action })
            };
            let mut log = Ordered::from((1..).zip(scans).map(entry).collect::<Vec<_>>());
            let number = log.iter().map(|entry| (entry.transaction.moment.utc_millis(), &entry.transaction.action)).collect::<std::collections::HashSet<_>>().len();
            prop_assume!(number == log.len());
            let moved: HashMap<_, _> = order::separate(&log).into_iter().collect();
            let kept: Vec<Entry> = log.iter().filter_map(|entry| entry.separated(*moved.get(&entry.id)?, entry.transaction.moment)).collect();
            prop_assert_eq!(kept.len(), moved.len());
            log.update(kept);
            let text = export(&log).text;
            let mut known = Known::default();
            log.iter().for_each(|entry| known.take(entry));
            let lines = koc::read(text.as_bytes(), &FixedZone(0), None).into_lines();
            let plan = plan(&main(), lines, &known, &std::collections::HashSet::new());
            prop_assert_eq!((plan.new, plan.already_there as usize), (Vec::new(), log.len()), "{}", text);
        }

        #[test]
        fn is_the_file_that_is_written_at_once(
            transactions in prop::collection::vec(arbitrary::transaction(Just(60_i16)), 1..20),
            budget in 1..2_000_usize,
        ) {
            let entry = |(id, transaction)| Entry::recorded(TransactionId(id), transaction);
            let mut entries: Vec<Entry> = (1..).zip(transactions).map(entry).collect();
            let (export, _) = in_slices(exporting(entries.clone().into(), &main(), None), budget);
            let moved = order::separate(&entries.clone().into());
            for entry in &mut entries {
                if let Some((_, moment)) = moved.iter().find(|(id, _)| *id == entry.id) {
                    entry.transaction.moment = *moment;
                }
            }
            let text = koc::write(entries.iter().map(|entry| &entry.transaction), Some(&main()));
            let export = export.unwrap();
            prop_assert_eq!((export.text, export.number, export.in_doubt), (text, entries.len(), 0));
        }
    }
}
