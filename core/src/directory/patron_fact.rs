//! What stands beside the name of the patron who is shown: what is unusual, the gravest first, and nothing else.

use super::{holder, patron_now::PatronFound};
use crate::{
    desk::{amount::Amount, transaction::Moment, zone::Zone},
    log::warned::{Grade, Warning},
    ordered,
};
use chrono::NaiveDate;

/// A card that expires within this number of days is worth a word.
const SOON: i64 = 30;

/// Something unusual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatronFact {
    /// What is warned of.
    Warned(Warning),
    /// This number of things waits on the hold shelf for them.
    ToPickUp(usize),
    /// The card expires on this day, soon.
    Expires(NaiveDate),
    /// They owe this much, which is no reason for a warning here.
    Owes(Amount),
    /// This number of the things that they have is late.
    Late(usize),
    /// Staff have left a note.
    StaffNote,
}

impl PatronFact {
    /// What it asks for.
    pub fn grade(&self) -> Grade {
        match self {
            Self::Warned(warning) => warning.grade(),
            Self::ToPickUp(_) => Grade::Do,
            Self::Expires(_) | Self::Owes(_) | Self::Late(_) | Self::StaffNote => Grade::Note,
        }
    }
}

impl PatronFound {
    /// What is unusual about the patron, the gravest first.
    pub fn facts(&self, now: Moment, zone: &impl Zone) -> Vec<PatronFact> {
        let is_late = |due| holder::overdue(due, now, zone).is_some();
        let late = self.loans.iter().filter(|loan| loan.here.is_none() && is_late(loan.due)).count();
        let number = |number: usize| Some(number).filter(|number| *number > 0);
        let patron = self.patron.as_ref();
        let today = now.local().date();
        let is_soon = |day: &NaiveDate| (0..=SOON).contains(&day.signed_duration_since(today).num_days());
        let others = [
            number(self.waiting.len()).map(PatronFact::ToPickUp),
            number(late).map(PatronFact::Late),
            self.owes().map(PatronFact::Owes),
            patron.and_then(|patron| patron.expires).filter(is_soon).map(PatronFact::Expires),
            patron.filter(|patron| !patron.staff_note.is_empty()).map(|_| PatronFact::StaffNote),
        ];
        let warned = self.warnings.iter().cloned().map(PatronFact::Warned);
        let mut facts: Vec<PatronFact> = warned.chain(others.into_iter().flatten()).collect();
        ordered::sort(&mut facts, |fact| (fact.grade() as i64, 0));
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::zone::FixedZone,
        directory::{holder::LoanLine, patron_now::WaitingLine, record::Patron, testing::at},
    };
    use chrono::TimeDelta;

    const ZONE: FixedZone = FixedZone(60);

    #[test]
    fn only_what_is_unusual_is_said_and_the_gravest_first() {
        let now = at(0);
        let today = now.local().date();
        let day = |days| today + TimeDelta::days(days);
        let usual = PatronFound {
            patron: Some(Patron { expires: Some(day(SOON + 1)), owes: Some(0), ..Patron::default() }),
            loans: vec![LoanLine::default()],
            ..PatronFound::default()
        };
        assert_eq!(usual.facts(now, &ZONE), []);
        let due = Some((now.local() - TimeDelta::days(40)).and_utc());
        let odd = PatronFound {
            patron: Some(Patron {
                expires: Some(day(SOON)),
                owes: Some(250),
                staff_note: "deaf".into(),
                ..Patron::default()
            }),
            warnings: vec![Warning::WrongAddress, Warning::UnknownCard, Warning::LostCard],
            loans: vec![
                LoanLine { due, ..LoanLine::default() },
                LoanLine { due, here: Some(now), ..LoanLine::default() },
            ],
            waiting: vec![WaitingLine::default()],
            ..PatronFound::default()
        };
        let owes = Amount::from_cents(250).unwrap();
        let expected = [
            PatronFact::Warned(Warning::LostCard),
            PatronFact::Warned(Warning::UnknownCard),
            PatronFact::ToPickUp(1),
            PatronFact::Warned(Warning::WrongAddress),
            PatronFact::Late(1),
            PatronFact::Owes(owes),
            PatronFact::Expires(day(SOON)),
            PatronFact::StaffNote,
        ];
        assert_eq!(odd.facts(now, &ZONE), expected);
        let gone = Patron { expires: Some(day(-1)), ..Patron::default() };
        let expired = PatronFound { patron: Some(gone), ..PatronFound::default() };
        assert_eq!(expired.facts(now, &ZONE), [], "the warning says so");
    }
}
