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
    Action,
    desk::{
        guard::Concern,
        scan::{Entered, Typed, TypedError},
        shape::Oddity,
        unrecorded::{Answer, OtherReading, Problem, Unrecorded},
    },
};

/// What was scanned; word for word, where it is no scan.
fn describe(unrecorded: &Unrecorded) -> String {
    match unrecorded {
        Unrecorded::Typed(typed, _) => as_typed(typed),
        Unrecorded::Scan(scan, _) => action(&scan.action),
        Unrecorded::Keyboard(_, OtherReading::Card(typed)) => typed.clone(),
        Unrecorded::Keyboard(_, OtherReading::Scan(read, _)) => match &**read {
            Entered::Scan(meant) => action(&meant.action),
            Entered::Refused(typed, _) => as_typed(typed),
            _ => String::new(),
        },
    }
}

fn as_typed(typed: &Typed) -> String {
    match typed {
        Typed::Checkout { patron, item } => checkout(item, patron),
        Typed::Checkin { item } => checkin(item),
        Typed::Payment { patron, amount } => payment(amount, patron),
    }
}

fn action(action: &Action) -> String {
    match action {
        Action::Issue { cardnumber, barcode } => checkout(barcode.as_str(), cardnumber.as_str()),
        Action::Return { barcode } => checkin(barcode.as_str()),
        Action::Payment { cardnumber, amount } => payment(&locale::amount(*amount), cardnumber.as_str()),
    }
}

fn checkout(item: &str, patron: &str) -> String {
    text_with("attentionCheckout", &[item, patron])
}

fn checkin(item: &str) -> String {
    text_with("attentionCheckin", &[item])
}

fn payment(amount: &str, patron: &str) -> String {
    text_with("attentionPayment", &[amount, patron])
}

/// Why it was not recorded, or what is asked.
fn reason(unrecorded: &Unrecorded) -> String {
    match unrecorded {
        Unrecorded::Typed(_, TypedError::Barcode(error)) => {
            text_with("attentionBarcode", &[&wording::code_error(error)])
        }
        Unrecorded::Typed(_, TypedError::Cardnumber(error)) => {
            text_with("attentionCardnumber", &[&wording::code_error(error)])
        }
        Unrecorded::Typed(_, TypedError::Amount(error)) => {
            text_with("attentionAmount", &[&wording::amount_error(*error)])
        }
        Unrecorded::Typed(_, TypedError::Two(one, other)) => text_with("attentionTwo", &[one, other]),
        Unrecorded::Typed(_, TypedError::Left) => text("attentionLeft"),
        Unrecorded::Keyboard(code, _) => text_with("attentionKeyboard", &[code]),
        Unrecorded::Scan(_, Problem::Store(error)) => text_with("attentionStore", &[error]),
        Unrecorded::Scan(_, Problem::Clock) => text("attentionClock"),
        Unrecorded::Scan(_, Problem::NextPatron(_)) => text("attentionKnownCard"),
        Unrecorded::Scan(_, Problem::Odd(concern)) => asked(concern),
    }
}

fn asked(concern: &Concern) -> String {
    match concern {
        Concern::Shape(code, Oddity::Length(length)) => text_with("attentionLength", &[code, &locale::number(*length)]),
        Concern::Shape(code, Oddity::CheckDigit) => text_with("attentionCheckDigit", &[code]),
        Concern::Shape(code, Oddity::Unlike) => text_with("attentionUnlike", &[code]),
        Concern::SameAgain => text("attentionSameAgain"),
        Concern::PatronCard => text("attentionPatronCard"),
        Concern::CardOrItem => text("attentionCardOrItem"),
        Concern::Lookalike(sign) => {
            let code_point = format!("U+{:04X}", u32::from(*sign));
            text_with("attentionLookalike", &[&sign.to_string(), &code_point])
        }
    }
}

/// The label of the button with this answer.
fn label(unrecorded: &Unrecorded, answer: Answer) -> String {
    text(match answer {
        Answer::Retry => yes(unrecorded),
        Answer::Edit => "attentionEdit",
        // It has no button.
        Answer::Dismiss | Answer::Ask => "attentionDismiss",
        Answer::Always => "attentionKeyboardAlways",
        Answer::AsTyped => "attentionKeyboardNo",
        Answer::Teach => "attentionTeach",
    })
}

/// That of the button that deals with it.
fn yes(unrecorded: &Unrecorded) -> &'static str {
    match unrecorded {
        Unrecorded::Keyboard(..) => "attentionKeyboardYes",
        Unrecorded::Typed(_, TypedError::Two(..)) => "attentionBoth",
        Unrecorded::Typed(..) => "attentionEdit",
        Unrecorded::Scan(_, Problem::Odd(Concern::SameAgain)) => "attentionAgain",
        Unrecorded::Scan(_, Problem::Odd(Concern::Lookalike(_) | Concern::Shape(..))) => "attentionIsRight",
        Unrecorded::Scan(_, Problem::Odd(Concern::PatronCard | Concern::CardOrItem) | Problem::NextPatron(_)) => {
            "attentionIsItem"
        }
        Unrecorded::Scan(_, Problem::Store(_) | Problem::Clock) => "attentionRetry",
    }
}
