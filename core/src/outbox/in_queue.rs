//! What became of transactions that were to be queued and got no answer: the queue tells.
//!
//! One that stands there is committed. One that does not was not sent only where nothing can have taken it away: where every row
//! that was queued since is there still. Koha gives its numbers in turn, so between the last one before the commit and one that came
//! long after the request there must be no gap.

use super::{
    koha_clock::{Age, KohaClock},
    summary::count,
};
use crate::{
    desk::transaction::TransactionId,
    koha::{
        inquiry::{Finding, Gap, Trace, Unclear},
        own_rows,
        pending::{self, Pending},
        shown_time::{self, Fit},
    },
    log::{
        Entry,
        audited::{Odd, Oddity},
        commit::Queued,
        status::Attempt,
    },
    settings::form::CommitType,
};

#[derive(Debug, Clone)]
struct Doubtful {
    entry: Entry,
    attempt: Attempt,
    /// How long the request was over when the queue was looked at before anything was sent.
    age: Age,
    is_of_earlier: bool,
}

/// What the queue tells.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The numbers of what was sent.
    pub(super) numbers: Vec<Queued>,
    /// What became of those in doubt.
    pub(super) proved: Vec<(Entry, Finding)>,
    /// Those of them that are there more than once.
    pub(super) odd: Vec<Odd>,
}

/// What is known, of one commit.
#[derive(Debug, Clone, Default)]
pub(super) struct InQueue {
    doubts: Vec<Doubtful>,
    /// What else of this log may stand in the queue.
    known: Vec<Entry>,
}

impl InQueue {
    pub(super) fn doubt(&mut self, entry: &Entry, attempt: &Attempt, age: Age) {
        if attempt.commit_type == CommitType::Send {
            let is_of_earlier = age == Age::Unknown;
            self.doubts.push(Doubtful { entry: entry.clone(), attempt: attempt.clone(), age, is_of_earlier });
        }
    }

    /// It is found out in another way.
    pub(super) fn remove(&mut self, id: TransactionId) {
        self.doubts.retain(|doubtful| doubtful.entry.id != id);
    }

    pub(super) fn know(&mut self, entries: impl IntoIterator<Item = Entry>) {
        self.known.extend(entries);
    }

    pub(super) fn has_doubts(&self) -> bool {
        !self.doubts.is_empty()
    }

    /// The queue is about to be looked at before anything is sent.
    pub(super) fn date(&mut self, clock: KohaClock) {
        for doubtful in &mut self.doubts {
            doubtful.age = clock.age(&doubtful.attempt);
        }
    }

    /// What these rows tell, with what was `sent` since the queue was looked at `before`, by its highest number then. What they tell
    /// of is in doubt no more.
    pub(super) fn prove(&mut self, rows: &[Pending], sent: &[Entry], before: u64) -> Told {
        let doubts = self.doubts.iter().map(|doubtful| &doubtful.entry);
        let all: Vec<Entry> = self.known.iter().chain(sent).chain(doubts).cloned().collect();
        let has_come = |number: u64, id: TransactionId| number > before && sent.iter().any(|entry| entry.id == id);
        let own = own_rows::own(rows, &all, &[], has_come);
        let number_of = |id: TransactionId| own.iter().find(|(_, other)| **other == id).map(|(number, _)| *number);
        let number = |entry: &Entry| Some(Queued { id: entry.id, number: number_of(entry.id)? });
        let numbers: Vec<Queued> = sent.iter().filter_map(number).collect();
        let last_sent = numbers.iter().map(|queued| queued.number).max();
        let (mut proved, mut left, mut odd) = (Vec::new(), Vec::new(), Vec::new());
        for doubtful in std::mem::take(&mut self.doubts) {
            // A lone one is for a person: which zone the server shows no other tells.
            if let Some(number) = number_of(doubtful.entry.id).filter(|_| own.len() > 1) {
                let is_it = |row: &&Pending| row.number == number;
                let is_free = |row: &&Pending| row.number == number || !own.contains_key(&row.number);
                let times = rows.iter().find(is_it).map_or(0, |it| {
                    let is_like = |row: &&Pending| row.time == it.time && row.likeness() == it.likeness();
                    rows.iter().filter(is_free).filter(is_like).count()
                });
                if times > 1 {
                    odd.push(Odd { id: doubtful.entry.id, oddity: Oddity::Queued { times: count(times) } });
                }
                proved.push((doubtful.entry.clone(), Finding::Found(Trace::Queued)));
                self.known.push(doubtful.entry);
            } else if last_sent.is_some_and(|last| doubtful.is_missing(rows, last)) {
                proved.push((doubtful.entry, Finding::Missing(Gap::NotQueued)));
            } else {
                left.push(doubtful);
            }
        }
        self.doubts = left;
        Told { numbers, proved, odd }
    }

    /// Those of earlier commits, and why nothing is known of them.
    pub(super) fn unclear(&self, is_read: bool) -> Vec<(TransactionId, Unclear)> {
        let why = if is_read { Unclear::NotInQueue } else { Unclear::NotReadable };
        self.doubts.iter().filter(|doubtful| doubtful.is_of_earlier).map(|doubtful| (doubtful.entry.id, why)).collect()
    }
}

impl Doubtful {
    /// Whether it never came into the queue. `last` is the number of a row that was queued when this one could not be any more.
    fn is_missing(&self, rows: &[Pending], last: u64) -> bool {
        let Some(before) = self.attempt.last_in_queue.filter(|_| self.age == Age::Settled) else { return false };
        let may_be = |row: &&Pending| {
            let fit = shown_time::fit(&row.time, self.entry.transaction.moment);
            row.likeness() == pending::likeness(&self.entry.transaction) && fit != Fit::No
        };
        let since = rows.iter().filter(|row| row.number > before && row.number <= last).count();
        let is_whole = u64::try_from(since).is_ok_and(|since| since == last.saturating_sub(before));
        is_whole && !rows.iter().any(|row| may_be(&row))
    }
}
