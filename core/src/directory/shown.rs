//! The patron who is shown, and what a person has answered about them.
//!
//! What is to be answered about a patron ([`Warning::is_stop`]) is answered once for all that they take. What is only to be looked
//! at needs no answer: it was shown, and whoever scans on has seen it.

use super::patron_now::PatronFound;
use crate::{
    desk::{barcode::same_code, transaction::Moment},
    log::warned::{Grade, Warning},
};

/// The patron who is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShownPatron {
    found: PatronFound,
    answered: Option<Moment>,
}

impl ShownPatron {
    /// A patron who has just come.
    pub fn new(found: PatronFound) -> Self {
        Self { found, answered: None }
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

    /// A person says so. Returns whether there was anything to answer.
    pub fn answer(&mut self, now: Moment) -> bool {
        let asks = self.answered.is_none() && self.found.warnings.iter().any(Warning::is_stop);
        if asks {
            self.answered = Some(now);
        }
        asks
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
    use crate::directory::testing::at;

    fn found(warnings: &[Warning]) -> PatronFound {
        PatronFound { card: "P1".into(), warnings: warnings.to_vec(), ..PatronFound::default() }
    }

    const LOST: Warning = Warning::LostCard;

    #[test]
    fn a_person_answers_once_for_all_that_the_patron_takes() {
        let mut shown = ShownPatron::new(found(&[LOST, Warning::WrongAddress]));
        assert!(shown.has_card("p1") && !shown.has_card("P2"));
        assert_eq!((shown.answered(), shown.grade()), (None, Some(Grade::Stop)));
        assert!(shown.answer(at(5)) && !shown.answer(at(6)));
        assert_eq!((shown.answered(), shown.grade()), (Some(at(5)), Some(Grade::Note)));
        let mut careful = ShownPatron::new(found(&[Warning::UnknownCard]));
        assert!(!careful.answer(at(5)), "it needs no answer");
        assert_eq!((careful.answered(), careful.grade()), (None, Some(Grade::Careful)));
        assert_eq!(ShownPatron::new(found(&[])).grade(), None);
    }

    #[test]
    fn what_is_new_and_to_be_answered_is_not_answered() {
        let debts = |cents| Warning::Debts { cents };
        let stays_answered = |now: &[Warning]| {
            let mut shown = ShownPatron::new(found(&[LOST, debts(600)]));
            shown.answer(at(5));
            shown.refresh(found(now));
            assert_eq!(shown.found().warnings, now);
            shown.answered().is_some()
        };
        assert!(stays_answered(&[LOST, debts(900)]), "that more is owed needs no answer");
        assert!(stays_answered(&[]), "the card was found");
        assert!(!stays_answered(&[LOST, Warning::Restricted { until: None }]));
    }
}
