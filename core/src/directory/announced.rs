//! What of the findings about an item is said aloud to the person who has just scanned it.

use super::item_now::ItemWarning;
use crate::log::{Entry, warned::Grade};

/// What is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced<'a> {
    /// The findings, as they were found.
    pub warnings: Vec<&'a ItemWarning>,
    /// How much the gravest asks of the person.
    pub grade: Grade,
}

impl<'a> Announced<'a> {
    /// What is announced of what was found about the item of this one, as it stands in the log now. `None` where that is nothing,
    /// or no more than is said beside it. What a person has answered is not told to them again; what is about the patron was
    /// said when they came.
    pub fn new(of_item: &'a [ItemWarning], now: &Entry) -> Option<Self> {
        let warnings: Vec<&ItemWarning> = of_item.iter().filter(|about| now.is_open(&about.warning)).collect();
        let grade = warnings.iter().map(|about| about.warning.grade()).min()?;
        (grade != Grade::Note).then_some(Self { warnings, grade })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::Barcode,
            transaction::{Action, Moment, Transaction, TransactionId},
        },
        log::warned::{Warned, Warning},
    };

    fn found(warnings: &[Warning]) -> Vec<ItemWarning> {
        warnings.iter().map(|warning| ItemWarning { warning: warning.clone(), who: None }).collect()
    }

    fn kept(warnings: &[Warning]) -> Entry {
        let moment = Moment::new(1_795_428_000_000, 60).unwrap();
        let action = Action::Return { barcode: Barcode::parse("A").unwrap() };
        let warned = |warning: &Warning| Warned { warning: warning.clone(), confirmed: None, as_of: None };
        let warned: Vec<Warned> = warnings.iter().map(warned).collect();
        Entry::recorded(TransactionId(1), Transaction { moment, action }).warned(&warned)
    }

    fn announced(of_item: &[ItemWarning], now: &Entry) -> Option<(Vec<Warning>, Grade)> {
        let announced = Announced::new(of_item, now)?;
        Some((announced.warnings.iter().map(|about| about.warning.clone()).collect(), announced.grade))
    }

    #[test]
    fn the_gravest_gives_the_tone_and_all_is_said() {
        let hold = || Warning::Hold { hold: 7, pickup: "MPL".into() };
        for (warnings, grade) in [
            (vec![Warning::OnLoan, Warning::Waiting], Grade::Stop),
            (vec![hold(), Warning::LostItem], Grade::Careful),
            (vec![hold()], Grade::Do),
        ] {
            assert_eq!(announced(&found(&warnings), &kept(&warnings)), Some((warnings, grade)));
        }
        assert_eq!(announced(&[], &kept(&[Warning::LostCard])), None, "of the patron it was said when they came");
    }

    #[test]
    fn what_is_only_said_beside_it_is_not_announced() {
        let note = [Warning::WrongAddress];
        assert_eq!(announced(&found(&note), &kept(&note)), None);
    }

    #[test]
    fn what_was_answered_is_not_said_again() {
        let warnings = [Warning::PatronCard, Warning::UnknownItem];
        let now = kept(&warnings).confirmed(Moment::new(1_795_428_000_000, 60).unwrap(), Warning::is_stop);
        assert_eq!(
            announced(&found(&warnings), &now),
            Some((vec![Warning::UnknownItem], Grade::Careful)),
            "nor does it give the tone"
        );
        assert_eq!(announced(&found(&warnings), &kept(&[])), None, "what the log does not keep");
    }
}
