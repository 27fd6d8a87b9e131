//! What is scanned and typed: the fields, the queue to the log, and what could not be recorded.

pub(crate) mod answers;
pub(crate) mod attention;
pub(crate) mod checkin;
pub(crate) mod checkout;
pub(crate) mod codes;
pub(crate) mod moving;
pub(crate) mod open;
pub(crate) mod rows;
pub(crate) mod scans;
pub(crate) mod sitting;

use crate::{
    i18n::{text, text_with},
    locale, wording,
};
use koct_core::{
    Action, Barcode, Cardnumber, Moment,
    desk::{
        codes::Scanned,
        guard::Concern,
        scan::{Entered, Typed, TypedError},
        shape::Oddity,
        visit::{Switch, Visit},
    },
};
use open::Answer;

/// What is to be recorded.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    action: Action,
    /// What was scanned, where something else was meant.
    scanned: Scanned,
    /// What the item's code would be as a card, where that is something else.
    as_card: Option<String>,
    /// `None`: the computer's clock is out of all bounds.
    at: Option<Moment>,
    /// Where it is not settled yet for whom it is.
    visit: Option<Visit>,
    /// The person has said already that it is meant, odd as it looks.
    is_meant: bool,
}

impl Scan {
    /// For this patron: what was scanned as the other's card says nothing of theirs.
    fn give_to(&mut self, patron: Cardnumber) {
        if self.action.cardnumber().is_some_and(|before| *before != patron) {
            self.scanned.cardnumber = None;
            self.action = self.action.clone().by(patron);
        }
    }

    /// What the item's code would be as a card.
    fn as_card(&self) -> Option<&str> {
        self.as_card.as_deref().or_else(|| self.action.barcode().map(Barcode::as_str))
    }
}

/// Why a scan was not recorded.
#[derive(Debug, Clone)]
pub(crate) enum Problem {
    /// The log could not be written.
    Store(String),
    /// The computer's clock is out of all bounds.
    Clock,
    /// It is odd: a person must say that it is meant.
    Odd(Concern),
    /// It is taken for the next patron's card.
    NextPatron(Switch),
}

/// What was not recorded.
#[derive(Debug, Clone)]
pub(crate) enum Unrecorded {
    /// What stood in the fields is no scan.
    Typed(Typed, TypedError),
    /// It is one.
    Scan(Scan, Problem),
    /// Its keys, on a US keyboard, would be this code.
    Keyboard(String, OtherReading),
}

/// What is asked about where the keys of a scan are something else than what they typed.
#[derive(Debug, Clone)]
pub(crate) enum OtherReading {
    /// A scan, as it was typed and by its keys.
    Scan(Box<Entered>, Box<Entered>),
    /// A card, as it was typed: it was taken by its keys.
    Card(String),
}

impl Unrecorded {
    /// Whether a person is asked, and nothing is wrong.
    fn is_a_question(&self) -> bool {
        matches!(
            self,
            Self::Scan(_, Problem::Odd(_) | Problem::NextPatron(_))
                | Self::Keyboard(..)
                | Self::Typed(_, TypedError::Two(..))
        )
    }

    /// Whether nothing is wrong with it, but with where it was to be kept.
    fn is_as_it_was(&self) -> bool {
        matches!(self, Self::Scan(_, Problem::Store(_) | Problem::Clock))
    }

    /// Whether it is asked what a code looks like.
    fn is_of_look(&self) -> bool {
        matches!(self, Self::Scan(_, Problem::Odd(Concern::Shape(..))))
    }

    /// What was scanned; word for word, where it is no scan.
    fn describe(&self) -> String {
        let checkout = |item: &str, patron: &str| text_with("attentionCheckout", &[item, patron]);
        let checkin = |item: &str| text_with("attentionCheckin", &[item]);
        let payment = |amount: &str, patron: &str| text_with("attentionPayment", &[amount, patron]);
        let action = |action: &Action| match action {
            Action::Issue { cardnumber, barcode } => checkout(barcode.as_str(), cardnumber.as_str()),
            Action::Return { barcode } => checkin(barcode.as_str()),
            Action::Payment { cardnumber, amount } => payment(&locale::amount(*amount), cardnumber.as_str()),
        };
        match self {
            Self::Typed(Typed::Checkout { patron, item }, _) => checkout(item, patron),
            Self::Typed(Typed::Checkin { item }, _) => checkin(item),
            Self::Typed(Typed::Payment { patron, amount }, _) => payment(amount, patron),
            Self::Scan(scan, _) => action(&scan.action),
            Self::Keyboard(_, OtherReading::Card(typed)) => typed.clone(),
            Self::Keyboard(_, OtherReading::Scan(as_typed, _)) => match &**as_typed {
                Entered::Scan(meant) => action(&meant.action),
                Entered::Refused(typed, error) => Self::Typed(typed.clone(), error.clone()).describe(),
                _ => String::new(),
            },
        }
    }

    /// Whether it was checked in: it is shown there.
    fn is_checkin(&self) -> bool {
        match self {
            Self::Typed(typed, _) => matches!(typed, Typed::Checkin { .. }),
            Self::Scan(scan, _) => matches!(scan.action, Action::Return { .. }),
            Self::Keyboard(_, OtherReading::Card(_)) => false,
            Self::Keyboard(_, OtherReading::Scan(_, by_keys)) => match &**by_keys {
                Entered::Scan(meant) => matches!(meant.action, Action::Return { .. }),
                Entered::Refused(typed, _) => matches!(typed, Typed::Checkin { .. }),
                _ => false,
            },
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Typed(_, TypedError::Barcode(error)) => text_with("attentionBarcode", &[&wording::code_error(error)]),
            Self::Typed(_, TypedError::Cardnumber(error)) => {
                text_with("attentionCardnumber", &[&wording::code_error(error)])
            }
            Self::Typed(_, TypedError::Amount(error)) => {
                text_with("attentionAmount", &[&wording::amount_error(*error)])
            }
            Self::Typed(_, TypedError::Two(one, other)) => text_with("attentionTwo", &[one, other]),
            Self::Scan(_, Problem::Odd(Concern::Shape(code, Oddity::Length(length)))) => {
                text_with("attentionLength", &[code, &locale::number(*length)])
            }
            Self::Scan(_, Problem::Odd(Concern::Shape(code, Oddity::CheckDigit))) => {
                text_with("attentionCheckDigit", &[code])
            }
            Self::Scan(_, Problem::Odd(Concern::Shape(code, Oddity::Unlike))) => text_with("attentionUnlike", &[code]),
            Self::Typed(_, TypedError::Left) => text("attentionLeft"),
            Self::Keyboard(code, _) => text_with("attentionKeyboard", &[code]),
            Self::Scan(_, Problem::Store(error)) => text_with("attentionStore", &[error]),
            Self::Scan(_, Problem::Clock) => text("attentionClock"),
            Self::Scan(_, Problem::Odd(Concern::SameAgain)) => text("attentionSameAgain"),
            Self::Scan(_, Problem::Odd(Concern::PatronCard)) => text("attentionPatronCard"),
            Self::Scan(_, Problem::Odd(Concern::CardOrItem)) => text("attentionCardOrItem"),
            Self::Scan(_, Problem::Odd(Concern::Lookalike(sign))) => {
                let code_point = format!("U+{:04X}", u32::from(*sign));
                text_with("attentionLookalike", &[&sign.to_string(), &code_point])
            }
            Self::Scan(_, Problem::NextPatron(_)) => text("attentionKnownCard"),
        }
    }

    /// The answers that it offers, with their labels.
    fn answers(&self) -> Vec<(Answer, String)> {
        let retry = (Answer::Retry, self.retry_label());
        match self {
            Self::Keyboard(..) => {
                let no = (Answer::AsTyped, text("attentionKeyboardNo"));
                vec![retry, (Answer::Always, text("attentionKeyboardAlways")), no]
            }
            Self::Typed(_, TypedError::Two(..)) => {
                let edit = (Answer::Edit, text("attentionEdit"));
                vec![retry, edit, (Answer::Dismiss, text("attentionDismiss"))]
            }
            // A wrong check digit says nothing of other codes.
            Self::Scan(_, Problem::Odd(Concern::Shape(_, Oddity::Length(_) | Oddity::Unlike))) => {
                let teach = (Answer::Teach, text("attentionTeach"));
                vec![retry, teach, (Answer::Dismiss, text("attentionDismiss"))]
            }
            _ => vec![retry, (Answer::Dismiss, text("attentionDismiss"))],
        }
    }

    /// The label of the button that deals with it.
    fn retry_label(&self) -> String {
        text(match self {
            Self::Keyboard(..) => "attentionKeyboardYes",
            Self::Typed(_, TypedError::Two(..)) => "attentionBoth",
            Self::Typed(..) => "attentionEdit",
            Self::Scan(_, Problem::Odd(Concern::SameAgain)) => "attentionAgain",
            Self::Scan(_, Problem::Odd(Concern::Lookalike(_) | Concern::Shape(..))) => "attentionIsRight",
            Self::Scan(_, Problem::Odd(Concern::PatronCard | Concern::CardOrItem) | Problem::NextPatron(_)) => {
                "attentionIsItem"
            }
            Self::Scan(_, Problem::Store(_) | Problem::Clock) => "attentionRetry",
        })
    }
}
