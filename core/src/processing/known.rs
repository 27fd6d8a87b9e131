//! What of the log is known of Koha's queue.

use super::{Chosen, Processing, Unended, listed::Line};
use crate::{
    log::{
        Entry,
        commit::{Batch, Queued},
        handled::{Deed, Handled},
        status::State,
    },
    settings::form::Settings,
};

/// What of the log may stand in the queue of these settings, and what earlier runs have left open there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The transactions that may stand in it.
    pub entries: Vec<Entry>,
    /// Under which numbers some of them were seen there.
    pub queued: Vec<Queued>,
    unended: Vec<Unended>,
    left: Vec<Handled>,
}

impl Known {
    /// The states in which a transaction may stand in the queue.
    pub const STATES: [State; 2] = [State::Added, State::InDoubt];

    /// From the log's entries in those states, and the records of all commits and runs with their numbers.
    pub fn new(mut entries: Vec<Entry>, batches: &[(u32, Batch)], settings: &Settings) -> Self {
        entries.retain(|entry| entry.may_be_queued_at(&settings.branchcode));
        let mut known = Self { entries, ..Self::default() };
        for (run, batch) in batches.iter().filter(|(_, batch)| batch.server == settings.server.as_str()) {
            known.queued.extend(&batch.queued);
            known.left.extend(batch.left_in_queue(settings).cloned());
            let unended = batch.unended(settings).map(|row| Unended {
                run: *run,
                own: row.own.and_then(|id| known.entries.iter().find(|entry| entry.id == id)).cloned(),
                handled: row.clone(),
            });
            known.unended.extend(unended);
        }
        known
    }

    /// What is settled by who only looks: while somebody else sends, nothing is noted, and what has no end waits for the next time.
    pub fn settled_by_a_look(&self, has_turn: bool) -> Vec<Unended> {
        if has_turn { self.unended.clone() } else { Vec::new() }
    }

    /// The run, whose record has this number, that does this with these rows.
    pub fn run(self, settings: Settings, run: u32, deed: Deed, lines: &[Line]) -> Processing {
        let own = |line: &Line| self.entries.iter().find(|entry| Some(entry.id) == line.own).cloned();
        let chosen: Vec<_> = lines.iter().map(|line| Chosen { row: line.row.clone(), own: own(line) }).collect();
        Processing::new(settings, run, deed, chosen, self.unended, self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::Barcode,
            branch::BranchCode,
            transaction::{Action, Moment, Transaction, TransactionId},
        },
        koha::pending::Pending,
        log::{
            handled::{Outcome, Shown},
            status::{Attempt, Doubt, Status},
        },
        settings::form::CommitType,
    };

    fn entry(id: u32, status: Status) -> Entry {
        let moment = Moment::new(1_795_428_000_000, 60).unwrap();
        let action = Action::Return { barcode: Barcode::parse(&format!("B{id}")).unwrap() };
        Entry { status, ..Entry::recorded(TransactionId(id), Transaction { moment, action }) }
    }

    fn row(number: u64, own: Option<u32>, outcome: Option<Outcome>) -> Handled {
        let attempt = Attempt::new(CommitType::Send, &Settings::for_tests(CommitType::Send).server);
        let (own, shown) = (own.map(TransactionId), Shown::default());
        Handled { number, own, deed: Deed::Process, outcome, shown, attempt }
    }

    fn batch(settings: &Settings, rows: &[Handled]) -> Batch {
        let begun = Batch::begin_processing(settings, Moment::new(1_795_428_000_000, 60).unwrap());
        rows.iter().cloned().fold(begun, Batch::with_handled)
    }

    #[test]
    fn what_may_stand_in_the_queue_of_this_library_is_known_with_what_was_left_there() {
        let settings = Settings::for_tests(CommitType::Send);
        let elsewhere = Settings { branchcode: "MPL".into(), ..settings.clone() };
        let of_other = Entry { branch: Some(BranchCode::parse("MPL").unwrap()), ..entry(2, Status::Added) };
        let left = Outcome::Left { reason: Doubt::ServerError };
        let mut other_server = batch(&settings, &[row(9, None, None)]);
        other_server.server = "https://other.example.org".into();
        other_server.queued = vec![Queued { number: 90, id: TransactionId(1) }];
        let mut here = batch(&settings, &[row(5, Some(1), None), row(6, None, Some(left)), row(7, Some(2), None)]);
        here.queued = vec![Queued { number: 5, id: TransactionId(1) }];
        let batches = [(1, other_server), (3, here.clone()), (4, batch(&elsewhere, &[row(8, None, None)]))];
        let known = Known::new(vec![entry(1, Status::Added), of_other], &batches, &settings);
        assert_eq!(known.entries.iter().map(|entry| entry.id.0).collect::<Vec<_>>(), [1]);
        assert_eq!(known.queued, here.queued);
        assert_eq!(known.left.iter().map(|row| row.number).collect::<Vec<_>>(), [6]);
        let unended = known.settled_by_a_look(true);
        let told: Vec<_> =
            unended.iter().map(|row| (row.run, row.handled.number, row.own.as_ref().map(|own| own.id.0))).collect();
        assert_eq!(told, [(3, 5, Some(1)), (3, 7, None)], "a transaction of another library is none of this queue");
        assert_eq!(known.settled_by_a_look(false), []);
    }

    #[test]
    fn a_run_has_what_was_chosen_with_its_own_transactions() {
        let settings = Settings::for_tests(CommitType::Send);
        let known = Known::new(vec![entry(1, Status::Added)], &[], &settings);
        let line = |number, own: Option<u32>| Line {
            row: Pending { number, ..Pending::default() },
            own: own.map(TransactionId),
            ..Line::default()
        };
        let processing = known.run(settings, 3, Deed::Process, &[line(5, Some(1)), line(6, None)]);
        assert_eq!(processing.progress(), (0, 2));
        let chosen: Vec<_> =
            processing.chosen.iter().map(|row| (row.row.number, row.own.as_ref().map(|own| own.id.0))).collect();
        assert_eq!(chosen, [(5, Some(1)), (6, None)]);
    }
}
