//! Warnings as a person saw them: what they confirm is those, and not whatever is warned of by the time that is written. Another
//! window may correct the same transaction meanwhile, and what it is warned of then was seen there.

use crate::{
    desk::transaction::{Action, Moment, TransactionId},
    log::{Entry, event::LogEvent, warned::Warning},
};

/// Warnings that a person has seen and not confirmed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenWarnings(Vec<OfOne>);

/// Those of one transaction, as it was then.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OfOne {
    id: TransactionId,
    action: Action,
    warnings: Vec<Warning>,
}

impl OfOne {
    /// Whether this is what was seen still.
    fn is(&self, entry: &Entry) -> bool {
        self.id == entry.id && self.action == entry.transaction.action
    }
}

impl SeenWarnings {
    /// Of what this one is warned of, that is seen now of which this is true, in place of what was seen of it before.
    pub fn see(&mut self, entry: &Entry, which: impl Fn(&Warning) -> bool) {
        self.0.retain(|seen| seen.id != entry.id);
        let open = entry.warnings.iter().filter(|warned| warned.confirmed.is_none());
        let warnings: Vec<Warning> =
            open.map(|warned| &warned.warning).filter(|warning| which(warning)).cloned().collect();
        if !warnings.is_empty() {
            self.0.push(OfOne { id: entry.id, action: entry.transaction.action.clone(), warnings });
        }
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The transactions that are warned of.
    pub fn ids(&self) -> Vec<TransactionId> {
        TransactionId::in_order(self.0.iter().map(|seen| seen.id))
    }

    /// What was cleared is nobody's to see.
    pub fn follow(&mut self, event: &LogEvent) {
        self.0.retain(|seen| !event.is_gone(seen.id));
    }

    /// This one as it stands in the log by now, with what was seen of it confirmed. What was taken back or refused meanwhile is not lent.
    #[must_use]
    pub fn confirm(&self, entry: &Entry, now: Moment) -> Entry {
        let seen = self.0.iter().find(|seen| seen.is(entry));
        let seen = seen.map(|seen| seen.warnings.as_slice()).unwrap_or_default();
        let may_be = |warning: &Warning| !warning.is_stop() || entry.status.state().has_happened();
        entry.confirmed(now, |warning| seen.contains(warning) && may_be(warning))
    }

    /// Whether this one, as it stands in the log by now, is lent all the same: all is confirmed that was seen of it, here or in another
    /// window; where nothing was, because it asks no more, all that it was stopped for.
    pub fn is_answered(&self, entry: &Entry) -> bool {
        let seen = self.0.iter().find(|seen| seen.id == entry.id);
        let is_asked = |warning: &Warning| seen.map_or(warning.is_stop(), |seen| seen.warnings.contains(warning));
        let mut asked = entry.warnings.iter().filter(|warned| is_asked(&warned.warning)).peekable();
        let is_same = seen.is_none_or(|seen| seen.is(entry)) && entry.status.state().has_happened();
        is_same && asked.peek().is_some() && asked.all(|warned| warned.confirmed.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::{Barcode, Cardnumber},
            transaction::Transaction,
        },
        log::{event::Reread, status::Status, warned::Warned},
    };

    fn now() -> Moment {
        Moment::new(1_795_428_000_000, 60).unwrap()
    }

    fn out(item: &str) -> Action {
        Action::Issue { cardnumber: Cardnumber::parse("P1").unwrap(), barcode: Barcode::parse(item).unwrap() }
    }

    fn warned(entry: &Entry, warning: Warning) -> Entry {
        entry.warned(&[Warned { warning, confirmed: None, as_of: None }])
    }

    fn entry(id: u32, warning: Warning) -> Entry {
        warned(&Entry::recorded(TransactionId(id), Transaction { moment: now(), action: out("A") }), warning)
    }

    fn confirmed(entry: &Entry) -> Vec<&Warning> {
        let confirmed = entry.warnings.iter().filter(|warned| warned.confirmed.is_some());
        confirmed.map(|warned| &warned.warning).collect()
    }

    fn is_careful(warning: &Warning) -> bool {
        !warning.is_stop()
    }

    #[test]
    fn what_was_seen_is_confirmed_and_nothing_that_came_since() {
        let shown = warned(&entry(1, Warning::OnLoan), Warning::Waiting);
        let mut seen = SeenWarnings::default();
        seen.see(&shown, is_careful);
        let since = warned(&shown, Warning::LostItem);
        let kept = seen.confirm(&since, now());
        assert_eq!(confirmed(&kept), [&Warning::OnLoan], "neither what is to be answered nor what came since");
        assert!(seen.is_answered(&kept));
        assert_eq!(
            seen.confirm(&entry(2, Warning::OnLoan), now()),
            entry(2, Warning::OnLoan),
            "of that nothing was seen"
        );
    }

    #[test]
    fn what_was_seen_of_an_item_is_not_confirmed_of_another() {
        let mut seen = SeenWarnings::default();
        seen.see(&entry(1, Warning::OnLoan), is_careful);
        let corrected = entry(1, Warning::OnLoan).edited(out("B"), now()).unwrap();
        let corrected = warned(&corrected, Warning::OnLoan);
        let kept = seen.confirm(&corrected, now());
        assert_eq!(confirmed(&kept), [] as [&Warning; 0]);
        assert!(!seen.is_answered(&kept));
        // Seen as it is now, it is.
        seen.see(&corrected, is_careful);
        assert_eq!(confirmed(&seen.confirm(&corrected, now())), [&Warning::OnLoan]);
    }

    #[test]
    fn what_another_window_has_answered_is_answered_and_nothing_else() {
        let later = Moment::new(1_795_428_009_000, 60).unwrap();
        let stopped = entry(1, Warning::Waiting);
        let mut seen = SeenWarnings::default();
        seen.see(&stopped, Warning::is_stop);
        let is_answered = |before: &Entry| seen.is_answered(&seen.confirm(before, later));
        assert!(is_answered(&stopped));
        let elsewhere = stopped.confirmed(now(), Warning::is_stop);
        assert!(is_answered(&elsewhere));
        assert!(!is_answered(&elsewhere.edited(out("B"), now()).unwrap()), "another item");
        let taken_back = stopped.deleted(now()).unwrap();
        assert!(!is_answered(&taken_back), "what was taken back is not lent");
        assert_eq!(seen.confirm(&taken_back, later), taken_back, "nor when it is restored");
        assert!(!is_answered(&elsewhere.deleted(now()).unwrap()));
        let refused = Status::Rejected { message: "Item not found.".into() };
        let refused = Entry { status: refused, ..stopped.clone() };
        assert!(!is_answered(&refused) && seen.confirm(&refused, later) == refused, "Koha has not taken it");
        assert!(
            !is_answered(&Entry { warnings: Vec::new(), ..stopped }),
            "what it was warned of is not known any more"
        );
    }

    #[test]
    fn what_is_told_and_was_seen_is_confirmed_also_of_what_was_taken_back() {
        let told = entry(1, Warning::OnLoan);
        let mut seen = SeenWarnings::default();
        seen.see(&told, is_careful);
        assert_eq!(confirmed(&seen.confirm(&told.deleted(now()).unwrap(), now())), [&Warning::OnLoan]);
    }

    #[test]
    fn where_nothing_is_asked_any_more_it_is_told_why() {
        let nothing = SeenWarnings::default();
        let answered = entry(1, Warning::Waiting).confirmed(now(), Warning::is_stop);
        assert!(nothing.is_answered(&answered));
        assert!(!nothing.is_answered(&answered.deleted(now()).unwrap()));
        assert!(!nothing.is_answered(&entry(1, Warning::OnLoan)), "it is stopped for nothing");
    }

    #[test]
    fn what_is_confirmed_or_gone_is_not_waited_for() {
        let mut seen = SeenWarnings::default();
        seen.see(&entry(1, Warning::Waiting), is_careful);
        seen.see(&entry(2, Warning::OnLoan).confirmed(now(), |_| true), is_careful);
        assert!(seen.is_empty());
        for id in [3, 4] {
            seen.see(&entry(id, Warning::OnLoan), is_careful);
        }
        let gone = Reread::new(&[TransactionId(3)], Vec::new());
        seen.follow(&LogEvent::Reload(gone));
        assert_eq!(seen.ids(), [TransactionId(4)]);
        // Somebody has confirmed it in another window.
        seen.see(&entry(4, Warning::OnLoan).confirmed(now(), |_| true), is_careful);
        assert!(seen.is_empty());
    }
}
