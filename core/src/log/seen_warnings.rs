//! Warnings as a person saw them: what they confirm is those, and not whatever is warned of by the time that is written. Another
//! window may correct the same transaction meanwhile, and what it is warned of then was seen there.

use crate::{
    desk::transaction::{Action, Moment, TransactionId},
    log::{Entry, event::LogEvent, status::Status, warned::Warning},
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
    /// Whether this is what was seen, as far as it stands for the same, and was not taken back.
    fn is(&self, entry: &Entry) -> bool {
        self.id == entry.id && self.action == entry.transaction.action && entry.status != Status::Deleted
    }
}

/// What came of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// It is kept.
    Now,
    /// Another window was faster: the same was answered there.
    Before,
    /// This is not any more what was answered.
    Otherwise(Box<Entry>),
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

    /// This one as it stands in the log by now, with what was seen of it confirmed.
    #[must_use]
    pub fn confirm(&self, entry: &Entry, now: Moment) -> Entry {
        let seen = self.of(entry).map(|seen| seen.warnings.as_slice()).unwrap_or_default();
        entry.confirmed(now, |warning| seen.contains(warning))
    }

    /// What was seen of this one, where it is that still.
    fn of(&self, entry: &Entry) -> Option<&OfOne> {
        self.0.iter().find(|seen| seen.is(entry))
    }

    /// What came of the answer to these, as [`SeenWarnings::confirm`] has made them. Where nothing was to be answered any more when
    /// it was answered, that is told of the entry that stood there.
    pub fn answered(&self, entries: &[Entry], now: Moment) -> Answered {
        let is_now = |entry: &Entry| entry.warnings.iter().any(|warned| warned.confirmed == Some(now));
        if entries.iter().any(|entry| self.of(entry).is_some() && is_now(entry)) {
            return Answered::Now;
        }
        let other = entries.iter().find(|entry| !self.was_answered(entry));
        other.map_or(Answered::Before, |entry| Answered::Otherwise(Box::new(entry.clone())))
    }

    /// Whether all is confirmed that was seen of it; where nothing was, all that was to be answered.
    fn was_answered(&self, entry: &Entry) -> bool {
        let is_seen =
            |warning: &Warning| self.of(entry).map_or(warning.is_stop(), |seen| seen.warnings.contains(warning));
        let is_other = self.of(entry).is_none() && self.0.iter().any(|seen| seen.id == entry.id);
        let mut asked = entry.warnings.iter().filter(|warned| is_seen(&warned.warning)).peekable();
        !is_other
            && entry.status != Status::Deleted
            && asked.peek().is_some()
            && asked.all(|warned| warned.confirmed.is_some())
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
        log::{event::Reread, warned::Warned},
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
        assert_eq!(seen.answered(&[kept], now()), Answered::Now);
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
        assert_eq!(seen.answered(std::slice::from_ref(&kept), now()), Answered::Otherwise(Box::new(kept)));
        // Seen as it is now, it is.
        seen.see(&corrected, is_careful);
        assert_eq!(confirmed(&seen.confirm(&corrected, now())), [&Warning::OnLoan]);
    }

    #[test]
    fn what_another_window_has_answered_is_answered_and_nothing_else() {
        let later = Moment::new(1_795_428_009_000, 60).unwrap();
        let stopped = |id| entry(id, Warning::Waiting);
        let mut seen = SeenWarnings::default();
        for id in [1, 2] {
            seen.see(&stopped(id), Warning::is_stop);
        }
        let answer = |before: [Entry; 2]| {
            let kept: Vec<Entry> = before.iter().map(|entry| seen.confirm(entry, later)).collect();
            seen.answered(&kept, later)
        };
        let elsewhere = |id| stopped(id).confirmed(now(), Warning::is_stop);
        let corrected = |id| elsewhere(id).edited(out("B"), now()).unwrap();
        assert_eq!(answer([stopped(1), stopped(2)]), Answered::Now);
        assert_eq!(answer([elsewhere(1), stopped(2)]), Answered::Now, "the other one is");
        assert_eq!(answer([elsewhere(1), elsewhere(2)]), Answered::Before);
        let other = |entry: Entry| Answered::Otherwise(Box::new(entry));
        assert_eq!(answer([elsewhere(1), corrected(2)]), other(corrected(2)));
        // What was taken back is not lent all the same.
        let taken_back = stopped(2).deleted(now()).unwrap();
        assert_eq!(answer([elsewhere(1), taken_back.clone()]), other(taken_back));
        // What it was warned of is not known any more.
        let unwarned = Entry { warnings: Vec::new(), ..stopped(2) };
        assert_eq!(answer([elsewhere(1), unwarned.clone()]), other(unwarned));
    }

    #[test]
    fn where_nothing_is_asked_any_more_it_is_told_why() {
        let nothing = SeenWarnings::default();
        let told = |entry: &Entry| nothing.answered(std::slice::from_ref(entry), now());
        let before = Moment::new(1_795_427_000_000, 60).unwrap();
        let answered = entry(1, Warning::Waiting).confirmed(before, Warning::is_stop);
        assert_eq!(told(&answered), Answered::Before);
        for other in [answered.deleted(now()).unwrap(), entry(1, Warning::OnLoan)] {
            assert_eq!(told(&other), Answered::Otherwise(Box::new(other.clone())));
        }
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
