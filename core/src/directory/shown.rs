//! The patron who is shown, and what a person has answered about them.
//!
//! What is to be answered about a patron ([`Warning::is_stop`]) is answered once for all that they take. What is only to be looked
//! at needs no answer: it was shown, and whoever scans on has seen it.

use super::patron_now::PatronFound;
use crate::{
    desk::{barcode::same_code, clock::DeskTime, transaction::Moment},
    log::{
        Entry,
        event::LogEvent,
        sitting::is_checkout_of,
        warned::{Grade, Warning},
    },
};

/// The patron who is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShownPatron {
    found: PatronFound,
    since: DeskTime,
    answered: Option<Moment>,
}

impl ShownPatron {
    /// A patron who has come at this time.
    pub fn new(found: PatronFound, since: DeskTime) -> Self {
        Self { found, since, answered: None }
    }

    /// What is known of the patron.
    pub fn found(&self) -> &PatronFound {
        &self.found
    }

    /// Whether it is the patron with this card.
    pub fn has_card(&self, card: &str) -> bool {
        same_code(&self.found.card, card)
    }

    /// When a person said that they may have things all the same.
    pub fn answered(&self) -> Option<Moment> {
        self.answered
    }

    /// Follows a change of the log: a person says so of something that the patron takes, in whichever window, and since they are shown
    /// here. Returns whether there was anything to answer, and all of it is.
    pub fn follow(&mut self, event: &LogEvent) -> bool {
        let answers = || event.entries().iter().filter(|entry| is_checkout_of(entry, &self.found.card));
        let answer_to = |stop: &Warning| answers().find_map(|entry| self.answer_in(entry, stop));
        let mut stops = self.found.warnings.iter().filter(|warning| warning.is_stop());
        let first = stops.next().and_then(answer_to);
        let is_answer = self.answered.is_none() && first.is_some() && stops.all(|stop| answer_to(stop).is_some());
        if is_answer {
            self.answered = first;
        }
        is_answer
    }

    /// When this was answered in that entry, where it was while the patron is shown.
    fn answer_in(&self, entry: &Entry, stop: &Warning) -> Option<Moment> {
        let mut covering = entry.warnings.iter().filter(|warned| warned.warning.covers(stop));
        covering.find_map(|warned| warned.confirmed.filter(|answered| answered.time() >= self.since))
    }

    /// Looked up once more. What was answered stays answered, unless something new is to be.
    pub fn refresh(&mut self, found: PatronFound) {
        let is_covered = |new: &Warning| self.found.warnings.iter().any(|known| known.covers(new));
        if !found.warnings.iter().filter(|warning| warning.is_stop()).all(is_covered) {
            self.answered = None;
        }
        self.found = found;
    }

    /// The gravest grade of what is warned of and not answered.
    pub fn grade(&self) -> Option<Grade> {
        let open = self.found.warnings.iter().filter(|warning| self.answered.is_none() || !warning.is_stop());
        open.map(Warning::grade).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Entry,
        directory::testing::{Log, at},
        log::warned::Warned,
    };

    fn found(warnings: &[Warning]) -> PatronFound {
        PatronFound { card: "P1".into(), warnings: warnings.to_vec(), ..PatronFound::default() }
    }

    const LOST: Warning = Warning::LostCard;

    fn shown(warnings: &[Warning]) -> ShownPatron {
        ShownPatron::new(found(warnings), at(4).time())
    }

    /// A checkout that is stopped for these, and was answered at this second.
    fn answered(card: &str, stops: &[Warning], second: i64) -> Entry {
        let warned = |warning: &Warning| Warned { warning: warning.clone(), confirmed: Some(at(second)), as_of: None };
        Log::default().issue(card, "A").warned(&stops.iter().map(warned).collect::<Vec<_>>())
    }

    fn answer(shown: &mut ShownPatron, entry: Entry) -> bool {
        shown.follow(&LogEvent::Changed(vec![entry]))
    }

    #[test]
    fn a_person_answers_once_for_all_that_the_patron_takes() {
        let mut shown = shown(&[LOST, Warning::WrongAddress]);
        assert!(shown.has_card("p1") && !shown.has_card("P2"));
        assert_eq!((shown.answered(), shown.grade()), (None, Some(Grade::Stop)));
        let [first, second] = [5, 6].map(|second| answered("p1", &[LOST], second));
        assert!(answer(&mut shown, first) && !answer(&mut shown, second));
        assert_eq!((shown.answered(), shown.grade()), (Some(at(5)), Some(Grade::Note)));
        let mut careful = super::tests::shown(&[Warning::UnknownCard]);
        assert!(!answer(&mut careful, answered("P1", &[Warning::UnknownCard], 5)), "it needs no answer");
        assert_eq!((careful.answered(), careful.grade()), (None, Some(Grade::Careful)));
        assert_eq!(super::tests::shown(&[]).grade(), None);
    }

    #[test]
    fn what_was_answered_of_others_before_or_in_part_is_no_answer() {
        let restricted = Warning::Restricted { until: None };
        let is_answer = |entry: Entry| answer(&mut shown(&[LOST, restricted.clone()]), entry);
        let both = [LOST, restricted.clone()];
        assert!(is_answer(answered("P1", &both, 4)));
        assert!(!is_answer(answered("P2", &both, 4)), "of another patron");
        assert!(!is_answer(answered("P1", &both, 3)), "of an earlier visit: the entry was sent just now");
        assert!(!is_answer(answered("P1", &[LOST], 5)), "one of two");
        let open = |warning: Warning| Warned { warning, confirmed: None, as_of: None };
        assert!(!is_answer(Log::default().issue("P1", "A").warned(&both.map(open))), "asked, not answered");
    }

    #[test]
    fn what_is_new_and_to_be_answered_is_not_answered() {
        let debts = |cents| Warning::Debts { cents };
        let stays_answered = |now: &[Warning]| {
            let mut shown = shown(&[LOST, debts(600)]);
            assert!(answer(&mut shown, answered("P1", &[LOST], 5)));
            shown.refresh(found(now));
            assert_eq!(shown.found().warnings, now);
            shown.answered().is_some()
        };
        assert!(stays_answered(&[LOST, debts(900)]), "that more is owed needs no answer");
        assert!(stays_answered(&[]), "the card was found");
        assert!(!stays_answered(&[LOST, Warning::Restricted { until: None }]));
    }
}
