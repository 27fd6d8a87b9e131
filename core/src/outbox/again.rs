//! What was given to the plugin and got no answer is given to it again: it remembers, and says so.
//!
//! Only the plugin does. What went to Koha itself is never given to it so; and what was, only with the library and in the way (queued
//! or applied) that it was given first, since by what the plugin knows it again is not told. Nor before a server can be at it no more:
//! it might be at the first of them still, and have looked into its memory before.

use super::{
    auditing::Auditing,
    koha_clock::{Age, KohaClock},
    proving::Proving,
    queue::Queue,
};
use crate::{
    desk::{clock::DeskTime, transaction::TransactionId},
    koha::inquiry::{Finding, Unclear},
    log::{
        Entry,
        status::{Attempt, Status},
    },
    ordered::LiteMap,
    settings::form::Settings,
};
use std::collections::HashSet;

/// Those of one commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Again {
    /// The plugin may remember these.
    may_ask: Vec<(Entry, Attempt)>,
    /// These are among what is to be sent; as they were before.
    to_ask: LiteMap<TransactionId, Status>,
    /// The plugin is there, but it may still be at these.
    too_early: Vec<TransactionId>,
}

impl Again {
    /// This is in doubt.
    pub(super) fn doubt(&mut self, entry: &Entry, attempt: &Attempt, settings: &Settings) {
        let is_same = attempt.plugin.as_deref() == Some(entry.branch_or(&settings.branchcode))
            && attempt.commit_type == settings.commit_type
            && attempt.server == settings.server.as_str();
        if is_same {
            self.may_ask.push((entry.clone(), attempt.clone()));
        }
    }

    /// Whether this one is among what is to be sent.
    pub(super) fn is_to_ask(&self, id: TransactionId) -> bool {
        self.to_ask.contains_key(&id)
    }

    /// This one is about to be sent. What it was before, where it is asked about again.
    pub(super) fn take(&mut self, id: TransactionId) -> Option<Status> {
        self.to_ask.remove(&id)
    }

    /// The plugin is there: what it may remember is sent with the others, in its place, and not asked about in another way. Gives
    /// what is to be stored of those for which it is too early.
    pub(super) fn ask(
        &mut self,
        clock: KohaClock,
        now: DeskTime,
        queue: &mut Queue,
        proving: &mut Proving,
        auditing: &mut Auditing,
    ) -> Vec<(TransactionId, Status)> {
        let (mut settled, mut askable, mut dated) = (HashSet::new(), Vec::new(), Vec::new());
        for (entry, attempt) in std::mem::take(&mut self.may_ask) {
            let age = clock.age(&attempt);
            if age == Age::Settled {
                settled.insert(entry.id);
                askable.push(entry);
                continue;
            }
            self.too_early.push(entry.id);
            if let (Age::Unknown, Status::InDoubt { reason, .. }) = (age, &entry.status) {
                // The next commit can tell how long ago that is.
                dated.push((entry.id, Status::InDoubt { reason: *reason, attempt: clock.over(attempt, now) }));
            }
        }
        // What else is in doubt of an item may come before or behind it, and nobody knows whether it did.
        askable.retain(|entry| !queue.doubts_others(entry, &settled));
        for entry in askable {
            queue.settle(entry.id);
            proving.remove(entry.id);
            auditing.doubt_no_more(entry.id);
            self.to_ask.insert(entry.id, entry.status.clone());
            queue.add(entry);
        }
        queue.arrange();
        dated
    }

    /// What was not asked about again is in doubt as before.
    pub(super) fn give_up(&mut self, queue: &mut Queue) {
        for (id, _) in std::mem::take(&mut self.to_ask) {
            if let Some(entry) = queue.remove(id) {
                queue.doubt(&entry);
            }
        }
        queue.arrange();
    }

    /// Says of those for which it was too early, and which nothing else proved, that it was.
    pub(super) fn tell(&mut self, findings: &mut Vec<(TransactionId, Finding)>) {
        let too_early = Finding::Unclear(Unclear::TooEarly);
        for id in std::mem::take(&mut self.too_early) {
            match findings.iter_mut().find(|(other, _)| *other == id) {
                None => findings.push((id, too_early)),
                Some((_, finding)) if matches!(finding, Finding::Unclear(_)) => *finding = too_early,
                Some(_) => {}
            }
        }
    }
}
