//! The scans that are not recorded and wait for somebody: what each asks, what can be answered, and what an answer says of the others.

use crate::desk::{
    guard::Concern,
    scan::{Entered, Scan, Typed, TypedError},
    shape::Oddity,
    transaction::Action,
    visit::Switch,
};

/// Why a scan was not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The log could not be written, for this reason.
    Store(String),
    /// The computer's clock is out of all bounds.
    Clock,
    /// It is odd: a person must say that it is meant.
    Odd(Concern),
    /// It is taken for the next patron's card.
    NextPatron(Switch),
}

/// What was not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unrecorded {
    /// What stood in the fields is no scan.
    Typed(Typed, TypedError),
    /// It is one.
    Scan(Scan, Problem),
    /// Its keys, on a US keyboard, would be this code.
    Keyboard(String, OtherReading),
}

/// What is asked about where the keys of a scan are something else than what they typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OtherReading {
    /// A scan, as it was typed and by its keys.
    Scan(Box<Entered>, Box<Entered>),
    /// A card, as it was typed: it was taken by its keys.
    Card(String),
}

/// What a person answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is meant, or tried again.
    Retry,
    /// It is corrected in its field.
    Edit,
    /// It is not to be recorded.
    Dismiss,
    /// It is meant, and so are all that are like it.
    Always,
    /// It is right as it was typed, and so are all that are like it.
    AsTyped,
    /// It is right, and so are all codes that are like it, from now on.
    Teach,
    /// Nobody answered it: it is looked at anew, since something was said of another.
    Ask,
}

impl Answer {
    /// All of them.
    const ALL: [Self; 7] =
        [Self::Retry, Self::Edit, Self::Dismiss, Self::Always, Self::AsTyped, Self::Teach, Self::Ask];

    /// The name of its button.
    pub fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Edit => "edit",
            Self::Dismiss => "dismiss",
            Self::Always => "always",
            Self::AsTyped => "as-typed",
            Self::Teach => "teach",
            Self::Ask => "ask",
        }
    }

    /// The one whose button has this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|answer| answer.name() == name)
    }
}

impl Scan {
    /// It is meant, odd as it is for this reason.
    #[must_use]
    pub fn meant(self, concern: &Concern) -> Self {
        let is_item = self.is_item || matches!(concern, Concern::PatronCard | Concern::CardOrItem);
        Self { is_meant: true, is_item, ..self }
    }
}

impl Unrecorded {
    /// Whether a person is asked, and nothing is wrong.
    pub fn is_a_question(&self) -> bool {
        matches!(
            self,
            Self::Scan(_, Problem::Odd(_) | Problem::NextPatron(_))
                | Self::Keyboard(..)
                | Self::Typed(_, TypedError::Two(..))
        )
    }

    /// Whether nothing is wrong with it, but with where it was to be kept: tried again as it is, it may be recorded.
    pub fn is_as_it_was(&self) -> bool {
        matches!(self, Self::Scan(_, Problem::Store(_) | Problem::Clock))
    }

    /// Whether it is asked what a code looks like.
    fn is_of_look(&self) -> bool {
        matches!(self, Self::Scan(_, Problem::Odd(Concern::Shape(..))))
    }

    /// Whether it was checked in: it is shown there.
    pub fn is_checkin(&self) -> bool {
        let is_typed = |typed: &Typed| matches!(typed, Typed::Checkin { .. });
        let is_return = |action: &Action| matches!(action, Action::Return { .. });
        match self {
            Self::Typed(typed, _) => is_typed(typed),
            Self::Scan(scan, _) => is_return(&scan.action),
            Self::Keyboard(_, OtherReading::Card(_)) => false,
            Self::Keyboard(_, OtherReading::Scan(_, by_keys)) => match &**by_keys {
                Entered::Scan(meant) => is_return(&meant.action),
                Entered::Refused(typed, _) => is_typed(typed),
                _ => false,
            },
        }
    }

    /// What can be answered, the first in the order of what most mean.
    pub fn answers(&self) -> &'static [Answer] {
        match self {
            Self::Keyboard(..) => &[Answer::Retry, Answer::Always, Answer::AsTyped],
            Self::Typed(_, TypedError::Two(..)) => &[Answer::Retry, Answer::Edit, Answer::Dismiss],
            // A wrong check digit says nothing of other codes.
            Self::Scan(_, Problem::Odd(Concern::Shape(_, Oddity::Length(_) | Oddity::Unlike))) => {
                &[Answer::Retry, Answer::Teach, Answer::Dismiss]
            }
            _ => &[Answer::Retry, Answer::Dismiss],
        }
    }

    /// What becomes of another that waits when this one was answered so. `None` where it says nothing of that: it waits on.
    ///
    /// What is asked about the same is answered once. Where a code was said to be right, all others of which it is asked what they look like
    /// are looked at anew: the same code may be among them, or one that is like it.
    pub fn settles(&self, answer: Answer, other: &Self) -> Option<Answer> {
        let is_right = self.is_of_look() && matches!(answer, Answer::Retry | Answer::Teach);
        let is_for_all = matches!(answer, Answer::Always | Answer::AsTyped);
        if is_right && other.is_of_look() {
            Some(Answer::Ask)
        } else if is_for_all && other.answers().contains(&answer) {
            Some(answer)
        } else {
            None
        }
    }

    /// Whether it is asked which keyboard the scanner is set to.
    pub fn asks_keyboard(&self) -> bool {
        matches!(self, Self::Keyboard(..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::{
        barcode::{Barcode, Cardnumber, CodeError},
        codes::{Codes, Scanned},
        scan::{Meant, PatronText::Raw, checkin, checkout},
        visit::Visits,
    };

    fn scan(problem: Problem) -> Unrecorded {
        let action = Action::Return { barcode: Barcode::parse("B1").unwrap() };
        let meant = Meant { action, scanned: Scanned::default(), as_card: None };
        Unrecorded::Scan(Scan::new(meant, None, None), problem)
    }

    fn of_look(oddity: Oddity) -> Unrecorded {
        scan(Problem::Odd(Concern::Shape("B1".into(), oddity)))
    }

    fn keyboard() -> Unrecorded {
        let entered = || Box::new(checkin("B1", &Codes::default()));
        Unrecorded::Keyboard("B1".into(), OtherReading::Scan(entered(), entered()))
    }

    fn typed(error: TypedError) -> Unrecorded {
        Unrecorded::Typed(Typed::Checkin { item: "B\t1".into() }, error)
    }

    fn next_patron() -> Unrecorded {
        let card = |code| Cardnumber::parse(code).unwrap();
        let mut visits = Visits::default();
        scan(Problem::NextPatron(visits.switch(visits.now(), card("P1"), card("P2"))))
    }

    /// One of each kind, with what it offers.
    fn each() -> Vec<(Unrecorded, &'static [Answer])> {
        const PLAIN: &[Answer] = &[Answer::Retry, Answer::Dismiss];
        const TEACH: &[Answer] = &[Answer::Retry, Answer::Teach, Answer::Dismiss];
        vec![
            (typed(TypedError::Barcode(CodeError::ControlCharacter(9))), PLAIN),
            (typed(TypedError::Left), PLAIN),
            (typed(TypedError::Two("A".into(), "B".into())), &[Answer::Retry, Answer::Edit, Answer::Dismiss]),
            (scan(Problem::Store("The disk is full.".into())), PLAIN),
            (scan(Problem::Clock), PLAIN),
            (scan(Problem::Odd(Concern::SameAgain)), PLAIN),
            (scan(Problem::Odd(Concern::PatronCard)), PLAIN),
            (scan(Problem::Odd(Concern::CardOrItem)), PLAIN),
            (scan(Problem::Odd(Concern::Lookalike('А'))), PLAIN),
            (of_look(Oddity::Length(2)), TEACH),
            (of_look(Oddity::Unlike), TEACH),
            (of_look(Oddity::CheckDigit), PLAIN),
            (next_patron(), PLAIN),
            (keyboard(), &[Answer::Retry, Answer::Always, Answer::AsTyped]),
            (
                Unrecorded::Keyboard("1".into(), OtherReading::Card("&".into())),
                &[Answer::Retry, Answer::Always, Answer::AsTyped],
            ),
        ]
    }

    #[test]
    fn each_offers_what_can_be_done_with_it() {
        for (unrecorded, answers) in each() {
            assert_eq!(unrecorded.answers(), answers, "{unrecorded:?}");
            assert_eq!(unrecorded.asks_keyboard(), answers.contains(&Answer::AsTyped), "{unrecorded:?}");
            for answer in answers {
                assert_eq!(Answer::from_name(answer.name()), Some(*answer));
            }
        }
        assert_eq!(Answer::from_name("nothing"), None);
    }

    #[test]
    fn a_question_is_no_fault_and_what_the_disk_refused_is_as_it_was() {
        let which = |is: fn(&Unrecorded) -> bool| {
            each().iter().map(|(unrecorded, _)| if is(unrecorded) { 'x' } else { '.' }).collect::<String>()
        };
        assert_eq!(which(Unrecorded::is_a_question), "..x..xxxxxxxxxx");
        assert_eq!(which(Unrecorded::is_as_it_was), "...xx..........");
        assert_eq!(which(Unrecorded::is_checkin), "xxxxxxxxxxxxxx.");
    }

    #[test]
    fn what_is_meant_twice_is_not_said_to_be_an_item() {
        let Unrecorded::Scan(scan, _) = scan(Problem::Clock) else { panic!() };
        let meant = |concern| scan.clone().meant(&concern);
        let again = meant(Concern::SameAgain);
        assert_eq!((again.is_meant, again.is_item), (true, false));
        for concern in [Concern::PatronCard, Concern::CardOrItem] {
            assert!(meant(concern).meant(&Concern::SameAgain).is_item);
        }
    }

    #[test]
    fn it_waits_where_it_was_scanned() {
        let codes = Codes::default();
        let by_keys = |entered: Entered| {
            let as_typed = Box::new(checkin("é", &codes));
            Unrecorded::Keyboard("2".into(), OtherReading::Scan(as_typed, Box::new(entered))).is_checkin()
        };
        assert!(by_keys(checkin("2", &codes)) && by_keys(checkin("2\t2", &codes)));
        assert!(!by_keys(checkout(Raw("P1"), "2", &codes)) && !by_keys(checkout(Raw("P1"), "2\t2", &codes)));
        let typed = Typed::Checkout { patron: "P1".into(), item: "2".into() };
        assert!(!Unrecorded::Typed(typed, TypedError::Left).is_checkin());
    }

    #[test]
    fn one_answer_holds_for_all_that_are_asked_about_the_same_and_for_nothing_else() {
        for (other, _) in each() {
            for answer in keyboard().answers() {
                let is_for_all = matches!(answer, Answer::Always | Answer::AsTyped) && other.asks_keyboard();
                let expected = is_for_all.then_some(*answer);
                assert_eq!(keyboard().settles(*answer, &other), expected, "{answer:?}: {other:?}");
            }
            for asked in [Oddity::Length(2), Oddity::CheckDigit, Oddity::Unlike].map(of_look) {
                for answer in asked.answers() {
                    let is_anew = matches!(answer, Answer::Retry | Answer::Teach) && other.is_of_look();
                    let expected = is_anew.then_some(Answer::Ask);
                    assert_eq!(asked.settles(*answer, &other), expected, "{answer:?}: {other:?}");
                }
            }
            let again = scan(Problem::Odd(Concern::SameAgain));
            assert_eq!(again.settles(Answer::Retry, &other), None, "{other:?}");
            assert_eq!(next_patron().settles(Answer::Retry, &other), None, "{other:?}");
        }
    }
}
