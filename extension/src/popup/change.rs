//! How a person's change gets into the log: while nobody sends what it is about, as what was seen still stands, all at once; and
//! everybody is told.

use super::{Desk, Tone, Topic};
use crate::{
    clock,
    i18n::{text, text_with},
    locale,
    wording::Explained,
};
use koct_core::{Entry, Moment, TransactionId, log::seen::Seen};
use std::rc::Rc;

/// What becomes of an entry. `None` where it stays as it is.
type Rule<'a> = &'a dyn Fn(&Entry, Moment) -> Option<Entry>;

/// Why nothing was changed.
pub(crate) enum NotChanged {
    /// Somebody is sending it, as the message line says.
    Sending,
    /// It is gone, or another window has changed it meanwhile.
    Gone,
    /// For this reason.
    Other(String),
}

impl Explained for NotChanged {
    fn explained(&self) -> String {
        match self {
            Self::Sending | Self::Gone => text("editGone"),
            Self::Other(reason) => reason.clone(),
        }
    }
}

impl Desk {
    /// Changes these as the rule says. Returns those that were changed; at least one is.
    ///
    /// # Errors
    /// When none could be changed.
    pub(crate) async fn change(
        self: &Rc<Self>,
        ids: &[TransactionId],
        rule: Rule<'_>,
    ) -> Result<Vec<Entry>, NotChanged> {
        let first = ids.iter().min().ok_or(NotChanged::Gone)?;
        let _permit = self.may_change(*first).await.ok_or(NotChanged::Sending)?;
        let now = clock::now().ok_or_else(|| NotChanged::Other(text("attentionClock")))?;
        let changes = self.store.change_where(ids, |entry| rule(entry, now)).await;
        let changes = changes.map_err(|error| NotChanged::Other(error.explained()))?;
        if changes.is_empty() {
            return Err(NotChanged::Gone);
        }
        let entries = changes.iter().map(|change| change.entry.clone()).collect();
        self.apply(changes);
        self.draw_now();
        Ok(entries)
    }

    /// The same of what a person saw, as far as it is still as they saw it.
    ///
    /// # Errors
    /// As [`Desk::change`].
    pub(crate) async fn change_seen(self: &Rc<Self>, seen: &[Entry], rule: Rule<'_>) -> Result<Vec<Entry>, NotChanged> {
        let ids: Vec<TransactionId> = seen.iter().map(|entry| entry.id).collect();
        let seen: Seen = seen.iter().cloned().collect();
        self.change(&ids, &|entry, now| if seen.is(entry) { rule(entry, now) } else { None }).await
    }

    /// The same, and the message line says how it went; `words` are for what was done. Returns those that were changed.
    pub(crate) async fn decide(
        self: &Rc<Self>,
        seen: &[Entry],
        rule: Rule<'_>,
        words: impl FnOnce(&[Entry]) -> String,
    ) -> Vec<Entry> {
        match self.change_seen(seen, rule).await {
            Ok(entries) => {
                self.message.about(Topic::Change).show(Tone::Good, &words(&entries));
                entries
            }
            Err(error) => {
                self.not_changed("decideFailed", &error);
                if matches!(error, NotChanged::Gone) {
                    self.reload_log();
                }
                Vec::new()
            }
        }
    }

    /// Says that nothing was changed, where that is not said yet.
    pub(crate) fn not_changed(&self, key: &str, error: &NotChanged) {
        if !matches!(error, NotChanged::Sending) {
            self.failed(Topic::Change, key, error);
        }
    }

    /// Settles these: nothing is to be done about them.
    pub(crate) async fn settle(self: &Rc<Self>, entries: &[Entry]) {
        let words = |entries: &[Entry]| text_with("settledAll", &[&locale::number(entries.len())]);
        self.decide(entries, &Entry::settled, words).await;
    }
}
