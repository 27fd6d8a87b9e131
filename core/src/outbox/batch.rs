//! Where the plugin is there, it is given what is to be sent, many at once.
//!
//! All of a batch is durable as `Sending` before its request leaves, and each answer before the next. No two of one item go together:
//! what became of the first decides whether the second may go. An answer that does not tell of each puts all of them in doubt; the
//! plugin is asked about these [again](super::again).

use super::queue::Queue;
use crate::{
    desk::transaction::{Action, TransactionId},
    koha::{
        Response, front,
        plugin::{self, Told},
    },
    log::{
        Entry,
        status::{Attempt, Doubt, Status},
    },
};
use std::collections::HashSet;

/// The batch that is under way, and how large the next may be.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch {
    /// Its transactions, in the order in which they are given.
    pub(super) order: Vec<TransactionId>,
    /// One of a batch brought the server down. Which it was is found out one by one.
    pub(super) goes_singly: bool,
    /// These go to Koha itself.
    to_koha: HashSet<TransactionId>,
}

/// What an answer of the plugin's makes of a transaction.
pub(super) enum End {
    /// It has this end.
    Settled(Status),
    /// It had it before: by an attempt that got no answer, or by somebody who had it from here.
    Before(Status),
    /// The plugin did nothing, and never will: it remembers that Koha refused it once. It goes to Koha itself.
    ToKoha,
    /// It is in doubt, and these are the words.
    InDoubt(String),
}

impl End {
    /// `is_new` where it is not asked about again but given: it is provably not in Koha, or a person has said so. `is_corrected` where
    /// a person has changed it.
    pub(super) fn of(told: Told, is_new: bool, is_corrected: bool) -> Self {
        match told {
            // By what the plugin knows it again is not told: it may have been given what it was before.
            Told::WasProcessed | Told::WasQueued if is_new && is_corrected => Self::InDoubt(told.words()),
            Told::WasRefused(_) if is_new => Self::ToKoha,
            Told::Processed => Self::Settled(Status::Success),
            Told::Queued => Self::Settled(Status::Added),
            Told::WasProcessed => Self::Before(Status::Success),
            Told::WasQueued => Self::Before(Status::Added),
            Told::Refused(message) | Told::WasRefused(message) => Self::Settled(Status::Rejected { message }),
            Told::Strange(words) => Self::InDoubt(words),
        }
    }
}

impl Batch {
    /// This one goes to Koha itself: the plugin does nothing about it, or Koha's own answers have just proved that it is not there,
    /// and what the plugin may remember of it is less.
    pub(super) fn goes_to_koha(&mut self, id: TransactionId) {
        self.to_koha.insert(id);
    }

    /// Takes out what goes next, up to what goes in another way or is of another library; `own` is this desk's. `looks` tells of a
    /// library whether it is still to be looked at where its first checkout is booked: before there is a second.
    pub(super) fn take(
        &mut self,
        queue: &mut Queue,
        own: &str,
        looks: impl Fn(&str) -> bool,
        is_other: impl Fn(&Entry) -> bool,
    ) -> Vec<Entry> {
        let most = if self.goes_singly { 1 } else { plugin::MOST_AT_ONCE };
        let to_koha = &self.to_koha;
        let is_other = |entry: &Entry| to_koha.contains(&entry.id) || is_other(entry);
        let entries = queue.take_together(most, own, is_other, |entry| {
            let brought_it_down = matches!(entry.status, Status::InDoubt { reason: Doubt::ServerError, .. });
            brought_it_down || matches!(entry.transaction.action, Action::Issue { .. }) && looks(entry.branch_or(own))
        });
        self.order = entries.iter().map(|entry| entry.id).collect();
        entries
    }

    /// An attempt of which this answer does not tell whether it was processed.
    pub(super) fn doubted(&self, attempt: Attempt, entry: &Entry, reason: Doubt, answer: Option<&Response>) -> Attempt {
        let answer = answer.filter(|response| !response.body.trim().is_empty()).map(front::words);
        let attempt = Attempt { answer, ..attempt };
        // What brought the server down may have done half, and would do that half again; Koha was seen to with a payment.
        let is_sure_to_be_it = self.order.len() == 1 || entry.transaction.action.amount().is_some();
        if reason == Doubt::ServerError && is_sure_to_be_it { Attempt { plugin: None, ..attempt } } else { attempt }
    }
}
