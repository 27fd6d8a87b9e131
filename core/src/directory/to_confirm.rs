//! What a person at the desk was warned of and has not confirmed yet.
//!
//! The warnings about a patron are confirmed once for all that the patron takes: while they are shown, there
//! ([`ShownPatron`]); when the next patron comes, in a list ([`OpenWarning`]). Each warning about an item is in the list.

use super::patron_now::PatronFound;
use crate::{
    Moment, TransactionId,
    desk::barcode::same_code,
    log::{event::LogEvent, warned::Warning},
};

/// The patron who is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShownPatron {
    found: PatronFound,
    /// When a person confirmed what they were warned of.
    confirmed: Option<Moment>,
    /// What was recorded for the patron and not confirmed; nothing while all is confirmed.
    open: Vec<TransactionId>,
}

impl ShownPatron {
    /// A patron who has just come.
    pub fn new(found: PatronFound) -> Self {
        Self { found, ..Self::default() }
    }

    /// What is known of the patron.
    pub fn found(&self) -> &PatronFound {
        &self.found
    }

    /// Whether it is the patron with this card.
    pub fn has_card(&self, card: &str) -> bool {
        same_code(&self.found.card, card)
    }

    /// When a person confirmed all that is warned of.
    pub fn confirmed(&self) -> Option<Moment> {
        self.confirmed
    }

    /// Looked up once more. What was confirmed stays confirmed, unless something is new among the warnings.
    pub fn refresh(&mut self, found: PatronFound) {
        let is_covered = |new: &Warning| self.found.warnings.iter().any(|known| known.covers(new));
        if !found.warnings.iter().all(is_covered) {
            self.confirmed = None;
        }
        self.found = found;
    }

    /// This was recorded for the patron, and is to be confirmed with their warnings. Returns when that was done already.
    pub fn wait_for(&mut self, id: TransactionId) -> Option<Moment> {
        if self.confirmed.is_none() {
            self.open.push(id);
        }
        self.confirmed
    }

    /// What was recorded for the patron and not confirmed.
    pub fn open(&self) -> &[TransactionId] {
        &self.open
    }

    /// The log has changed: what was confirmed, corrected, taken back or cleared does not wait any more.
    pub fn follow(&mut self, event: &LogEvent) {
        self.open.retain(|id| event.still_awaits(*id, true));
    }

    /// A person confirms what is warned of. Returns for which transactions that is to be kept; `None` where there is
    /// nothing to confirm.
    pub fn confirm(&mut self, now: Moment) -> Option<Vec<TransactionId>> {
        if self.found.warnings.is_empty() || self.confirmed.is_some() {
            return None;
        }
        self.confirmed = Some(now);
        Some(std::mem::take(&mut self.open))
    }

    /// The next patron has come: what was not confirmed goes to the list.
    pub fn leave(self) -> Option<OpenWarning> {
        let Self { found, open, .. } = self;
        let is_open = !open.is_empty();
        is_open.then_some(OpenWarning { card: Some(found.card), ids: open, warnings: found.warnings })
    }
}

/// A line of the list of what is to be confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenWarning {
    /// The card, where it is about a patron.
    card: Option<String>,
    ids: Vec<TransactionId>,
    warnings: Vec<Warning>,
}

impl OpenWarning {
    /// What is warned of about a patron who is not shown any more.
    pub fn of_patron(card: &str, id: TransactionId, warnings: Vec<Warning>) -> Self {
        Self { card: Some(card.to_owned()), ids: vec![id], warnings }
    }

    /// What is warned of about the item of a transaction.
    pub fn of_item(id: TransactionId, warnings: Vec<Warning>) -> Self {
        Self { card: None, ids: vec![id], warnings }
    }

    /// The card, where it is about a patron.
    pub fn card(&self) -> Option<&str> {
        self.card.as_deref()
    }

    /// The transactions.
    pub fn ids(&self) -> &[TransactionId] {
        &self.ids
    }

    /// Of what is warned.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The transaction that may be taken back in the list. Things that a patron has at home by now are not taken back by one
    /// button.
    pub fn may_take_back(&self) -> Option<TransactionId> {
        self.ids.first().copied().filter(|_| self.card.is_none())
    }

    /// Whether this takes the place of another line: the same transaction, looked up once more after a correction, or the
    /// same patron, whose transactions it takes over.
    #[must_use]
    pub fn take_over(&mut self, other: &Self) -> bool {
        match (&self.card, &other.card) {
            (Some(card), Some(before)) if same_code(card, before) => {
                let new = std::mem::replace(&mut self.ids, other.ids.clone());
                self.ids.extend(new.into_iter().filter(|id| !other.ids.contains(id)));
                true
            }
            (None, None) => self.ids == other.ids,
            _ => false,
        }
    }

    /// The log has changed: what was confirmed, corrected, taken back or cleared, here or in another window, is not to be
    /// confirmed any more. Returns whether anything is left.
    #[must_use]
    pub fn follow(&mut self, event: &LogEvent) -> bool {
        let about_patron = self.card.is_some();
        self.ids.retain(|id| event.still_awaits(*id, about_patron));
        !self.ids.is_empty()
    }

    /// Whether this warning is confirmed with the line.
    pub fn confirms(&self, warning: &Warning) -> bool {
        warning.is_of_patron() == self.card.is_some()
    }
}

#[cfg(test)]
mod tests;
