//! What a person decides about transactions that they see: it holds for what was seen, and is stored all at once.

use crate::{
    clock,
    i18n::{text, text_with},
    locale,
    popup::{Desk, Tone, Topic},
    store::Change,
};
use koct_core::{Entry, Moment, TransactionId, log::seen::Seen};
use std::rc::Rc;

/// Changes these as the rule says, as far as they are still as they were seen: another window may have changed some meanwhile.
/// `words` says what was done. Returns those that were changed.
pub(crate) async fn change(
    desk: &Rc<Desk>,
    entries: &[Entry],
    rule: impl Fn(&Entry, Moment) -> Option<Entry>,
    words: impl FnOnce(&[Change]) -> String,
) -> Vec<Entry> {
    let message = desk.message.about(Topic::Change);
    let Some(first) = entries.iter().map(|entry| entry.id).min() else { return Vec::new() };
    let Some(now) = clock::now() else {
        message.show(Tone::Bad, &text("attentionClock"));
        return Vec::new();
    };
    let Some(_permit) = desk.may_change(first).await else { return Vec::new() };
    let seen: Seen = entries.iter().cloned().collect();
    let rule = |entry: &Entry| if seen.is(entry) { rule(entry, now) } else { None };
    let ids: Vec<TransactionId> = entries.iter().map(|entry| entry.id).collect();
    match desk.store.change_where(&ids, rule).await {
        Ok(changes) if changes.is_empty() => {
            desk.failed(Topic::Change, "decideFailed", &text("editGone"));
            desk.reload_log();
            Vec::new()
        }
        Ok(changes) => {
            let words = words(&changes);
            let entries = changes.iter().map(|change| change.entry.clone()).collect();
            desk.apply(changes);
            desk.draw_now();
            message.show(Tone::Good, &words);
            entries
        }
        Err(error) => {
            desk.failed(Topic::Change, "decideFailed", &error);
            Vec::new()
        }
    }
}

/// Settles these: nothing is to be done about them.
pub(crate) async fn settle(desk: &Rc<Desk>, entries: &[Entry]) {
    let words = |changes: &[Change]| text_with("settledAll", &[&locale::number(changes.len())]);
    change(desk, entries, Entry::settled, words).await;
}
