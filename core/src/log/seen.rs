//! What a person saw when they decided. A window waits for a lock, and meanwhile another one may correct, decide about or
//! record something: a decision holds for what was seen, as it was seen, and for nothing else.

use crate::{
    desk::transaction::TransactionId,
    log::{Entry, event::LogEvent},
};
use std::collections::HashMap;

/// The entries that a decision is about, as they were seen.
#[derive(Debug, Clone, Default)]
pub struct Seen(HashMap<TransactionId, Entry>);

impl Seen {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this entry was seen, and stands now where it stood then: the same transaction, with the same status. What it
    /// was warned of does not count, since that comes by itself.
    pub fn is(&self, entry: &Entry) -> bool {
        let seen = self.0.get(&entry.id);
        seen.is_some_and(|seen| is_as_seen(seen, entry))
    }
}

/// Whether an entry stands now where it stood when it was seen.
pub fn is_as_seen(seen: &Entry, now: &Entry) -> bool {
    seen.transaction == now.transaction && seen.status == now.status
}

/// Why something was not taken back as it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotTakenBack {
    /// Another window was faster, and has taken back this: it is done.
    Already(Box<Entry>),
    /// It is in Koha, or on its way there.
    TooLate,
    /// Another window has made this of it: that is not what is meant.
    Changed(Box<Entry>),
    /// It is not in the log any more.
    Gone,
    /// It stands here as it was shown: what another window made of it cannot be read, or it has made that undone.
    AsShown,
}

impl NotTakenBack {
    /// What was shown stood otherwise when it was to be taken back. `now`: as the log has been read since.
    pub fn new(shown: &Entry, now: Option<&Entry>) -> Self {
        match now {
            None => Self::Gone,
            Some(now) if now.status.state().is_taken_back() => Self::Already(Box::new(now.clone())),
            Some(now) if !now.status.state().is_correctable() => Self::TooLate,
            Some(now) if is_as_seen(shown, now) => Self::AsShown,
            Some(now) => Self::Changed(Box::new(now.clone())),
        }
    }
}

/// Follows a change of the log: of what was seen, what stands otherwise since or is gone is not kept. Returns whether some was not.
pub fn follow(seen: &mut Vec<Entry>, event: &LogEvent) -> bool {
    let before = seen.len();
    let now = |seen: &Entry| event.entries().iter().find(|now| now.id == seen.id);
    seen.retain(|seen| !event.is_gone(seen.id) && now(seen).is_none_or(|now| is_as_seen(seen, now)));
    seen.len() != before
}

impl FromIterator<Entry> for Seen {
    fn from_iter<T: IntoIterator<Item = Entry>>(entries: T) -> Self {
        Self(entries.into_iter().map(|entry| (entry.id, entry)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::Barcode,
            transaction::{Action, Moment, Transaction},
        },
        log::{
            event::Reread,
            status::Status,
            warned::{Warned, Warning},
        },
    };
    use chrono::TimeDelta;

    #[test]
    fn a_decision_holds_for_what_was_seen_and_as_it_was_seen() {
        let now = Moment::new(1_795_428_000_000, 60).unwrap();
        let action = |code| Action::Return { barcode: Barcode::parse(code).unwrap() };
        let of = |number| Entry::recorded(TransactionId(number), Transaction { moment: now, action: action("A") });
        let seen: Seen = [of(1), of(2)].into_iter().collect();
        assert_eq!((seen.len(), seen.is_empty()), (2, false));
        assert!(seen.is(&of(1)) && !seen.is(&of(3)), "one that came since");
        let warned = of(1).warned(&[Warned { warning: Warning::OnLoan, confirmed: None, as_of: None }]);
        assert!(seen.is(&warned), "a warning comes by itself");
        assert!(!seen.is(&of(1).edited(action("B"), now).unwrap()), "corrected");
        assert!(!seen.is(&of(1).deleted(now).unwrap()), "taken back");
        assert!(!seen.is(&of(1).shifted(TimeDelta::minutes(1), now).unwrap()), "moved");
        let refused = |message: &str| Entry { status: Status::Rejected { message: message.into() }, ..of(1) };
        assert!(!seen.is(&refused("Item not found.")));
        let seen: Seen = [refused("Item not found.")].into_iter().collect();
        assert!(seen.is(&refused("Item not found.")) && !seen.is(&refused("Borrower not found.")));
    }

    #[test]
    fn what_cannot_be_taken_back_as_it_was_shown_is_told_as_it_is() {
        let now = Moment::new(1_795_428_000_000, 60).unwrap();
        let action = |code| Action::Return { barcode: Barcode::parse(code).unwrap() };
        let shown = Entry::recorded(TransactionId(1), Transaction { moment: now, action: action("A") });
        let told = |now: &Entry| NotTakenBack::new(&shown, Some(now));
        let taken_back = shown.deleted(now).unwrap();
        assert_eq!(told(&taken_back), NotTakenBack::Already(Box::new(taken_back.clone())));
        // Corrected before it was taken back: it is taken back all the same.
        let corrected = shown.edited(action("B"), now).unwrap();
        let both = corrected.deleted(now).unwrap();
        assert_eq!(told(&both), NotTakenBack::Already(Box::new(both.clone())));
        assert_eq!(told(&corrected), NotTakenBack::Changed(Box::new(corrected.clone())));
        let refused = Entry { status: Status::Rejected { message: "Item not found.".into() }, ..shown.clone() };
        assert_eq!(told(&refused), NotTakenBack::Changed(Box::new(refused.clone())));
        for status in [Status::Success, Status::Added] {
            assert_eq!(told(&Entry { status, ..corrected.clone() }), NotTakenBack::TooLate);
        }
        assert_eq!(NotTakenBack::new(&shown, None), NotTakenBack::Gone);
        // What it is by now could not be read, and that is not nothing.
        assert_eq!(told(&shown), NotTakenBack::AsShown);
    }

    #[test]
    fn what_stands_otherwise_or_is_gone_is_asked_about_no_more() {
        let now = Moment::new(1_795_428_000_000, 60).unwrap();
        let of = |number| {
            let action = Action::Return { barcode: Barcode::parse("A").unwrap() };
            Entry::recorded(TransactionId(number), Transaction { moment: now, action })
        };
        let mut seen = vec![of(1), of(2), of(3)];
        let ids = |seen: &[Entry]| seen.iter().map(|entry| entry.id.0).collect::<Vec<_>>();
        let warned = of(1).warned(&[Warned { warning: Warning::OnLoan, confirmed: None, as_of: None }]);
        assert!(!follow(&mut seen, &LogEvent::Changed(vec![warned, of(9)])), "nothing that counts");
        assert!(!follow(&mut seen, &LogEvent::Committed));
        assert!(!follow(&mut seen, &LogEvent::Reload(Reread::default())), "nobody has read them");
        assert!(follow(&mut seen, &LogEvent::Changed(vec![of(2).deleted(now).unwrap()])));
        assert_eq!(ids(&seen), [1, 3]);
        let asked = [1, 3].map(TransactionId);
        assert!(follow(&mut seen, &LogEvent::Reload(Reread::new(&asked, vec![of(3)]))));
        assert_eq!(ids(&seen), [3]);
    }
}
