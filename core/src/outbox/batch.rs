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

/// The batch that is under way, and how large the next may be.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch {
    /// Its transactions, in the order in which they are given.
    pub(super) order: Vec<TransactionId>,
    /// One of a batch brought the server down. Which it was is found out one by one.
    pub(super) goes_singly: bool,
}

/// What an answer of the plugin's makes of a transaction.
pub(super) enum End {
    /// It has this end.
    Settled(Status),
    /// It had it before: by an attempt that got no answer, or by somebody who had it from here.
    Before(Status),
    /// It is in doubt, and these are the words.
    InDoubt(String),
}

impl End {
    pub(super) fn of(told: Told) -> Self {
        match told {
            Told::Processed => Self::Settled(Status::Success),
            Told::Queued => Self::Settled(Status::Added),
            Told::WasProcessed => Self::Before(Status::Success),
            Told::WasQueued => Self::Before(Status::Added),
            Told::Refused(message) => Self::Settled(Status::Rejected { message }),
            Told::Strange(words) => Self::InDoubt(words),
        }
    }
}

impl Batch {
    /// Takes out what goes next, up to what goes in another way or is of another library; `own` is this desk's. `looks` tells whether it is still to be looked at where the first
    /// checkout is booked: before there is a second.
    pub(super) fn take(
        &mut self,
        queue: &mut Queue,
        own: &str,
        looks: bool,
        is_other: impl Fn(&Entry) -> bool,
    ) -> Vec<Entry> {
        let most = if self.goes_singly { 1 } else { plugin::MOST_AT_ONCE };
        let entries = queue.take_together(most, own, is_other, |entry| {
            let brought_it_down = matches!(entry.status, Status::InDoubt { reason: Doubt::ServerError, .. });
            brought_it_down || looks && matches!(entry.transaction.action, Action::Issue { .. })
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
