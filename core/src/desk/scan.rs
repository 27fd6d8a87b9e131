//! What stands in the fields becomes a scan: parsed once, when the code is complete.

use crate::desk::{
    amount::{Amount, AmountError},
    barcode::{Barcode, Cardnumber, CodeError},
    guard,
    pattern::CardPattern,
    signs,
    transaction::Action,
};

/// What stood in the fields, word for word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A checkout.
    Checkout {
        /// The patron's field.
        patron: String,
        /// The item's field.
        item: String,
    },
    /// A checkin.
    Checkin {
        /// The item's field.
        item: String,
    },
    /// A payment.
    Payment {
        /// The patron's field.
        patron: String,
        /// The amount's field.
        amount: String,
    },
}

/// Why it is no scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypedError {
    /// The item's code.
    Barcode(CodeError),
    /// The patron's code.
    Cardnumber(CodeError),
    /// The amount.
    Amount(AmountError),
}

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The patron's.
    Patron,
    /// The item's.
    Item,
    /// The amount's.
    Amount,
}

/// What the fields mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// To be recorded.
    Scan(Action),
    /// To be recorded if the person says that so much money is meant: a barcode can have come into the field.
    Unusual(Action, Amount),
    /// The next patron: the card came into the item's field.
    NextPatron(Cardnumber),
    /// Nothing stands in this field.
    Missing(Field),
    /// What stands there cannot be recorded.
    Refused(Typed, TypedError),
}

/// Reads the fields of a checkout. `cards`: what the library's cards look like, where that is known.
///
/// ```
/// use koct_core::desk::scan::{Entered, Field, checkout};
/// assert!(matches!(checkout("P1", " B1 ", None), Entered::Scan(action) if action.barcode().unwrap().as_str() == "B1"));
/// assert_eq!(checkout(" ", "B1", None), Entered::Missing(Field::Patron));
/// ```
pub fn checkout(patron: &str, item: &str, cards: Option<&CardPattern>) -> Entered {
    let barcode = Barcode::scanned(item);
    if barcode.as_ref().is_ok_and(|barcode| guard::is_card(barcode, cards))
        && let Ok(card) = Cardnumber::scanned(item)
    {
        return Entered::NextPatron(card);
    }
    if let Some(missing) = missing([(patron, Field::Patron), (item, Field::Item)]) {
        return missing;
    }
    let action = Cardnumber::scanned(patron).map_err(TypedError::Cardnumber).and_then(|cardnumber| {
        barcode.map_err(TypedError::Barcode).map(|barcode| Action::Issue { cardnumber, barcode })
    });
    entered(action, || Typed::Checkout { patron: patron.to_owned(), item: item.to_owned() })
}

/// Reads the field of a checkin.
pub fn checkin(item: &str) -> Entered {
    if let Some(missing) = missing([(item, Field::Item)]) {
        return missing;
    }
    let action = Barcode::scanned(item).map_err(TypedError::Barcode).map(|barcode| Action::Return { barcode });
    entered(action, || Typed::Checkin { item: item.to_owned() })
}

/// Reads the fields of a payment.
pub fn payment(patron: &str, amount: &str) -> Entered {
    if let Some(missing) = missing([(patron, Field::Patron), (amount, Field::Amount)]) {
        return missing;
    }
    let action = Amount::typed(amount).map_err(TypedError::Amount).and_then(|amount| {
        let cardnumber = Cardnumber::scanned(patron).map_err(TypedError::Cardnumber)?;
        Ok(Action::Payment { cardnumber, amount })
    });
    match entered(action, || Typed::Payment { patron: patron.to_owned(), amount: amount.to_owned() }) {
        Entered::Scan(action @ Action::Payment { amount, .. }) if amount >= Amount::UNUSUAL => {
            Entered::Unusual(action, amount)
        }
        other => other,
    }
}

fn missing<const N: usize>(fields: [(&str, Field); N]) -> Option<Entered> {
    fields.into_iter().find(|(text, _)| signs::trimmed(text).is_empty()).map(|(_, field)| Entered::Missing(field))
}

fn entered(action: Result<Action, TypedError>, typed: impl FnOnce() -> Typed) -> Entered {
    match action {
        Ok(action) => Entered::Scan(action),
        Err(error) => Entered::Refused(typed(), error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(code: &str) -> Cardnumber {
        Cardnumber::parse(code).unwrap()
    }

    #[test]
    fn what_nobody_sees_is_no_code() {
        assert_eq!(checkin("\u{feff}\u{200b}"), Entered::Missing(Field::Item));
        let refused = Entered::Refused(
            Typed::Checkin { item: "B\u{200b}1".into() },
            TypedError::Barcode(CodeError::Invisible('\u{200b}')),
        );
        assert_eq!(checkin("B\u{200b}1"), refused);
        assert!(matches!(checkout("P1\u{200e}", "\u{feff}B1", None), Entered::Scan(_)));
    }

    #[test]
    fn a_checkout_has_both_codes() {
        let barcode = Barcode::parse("B1").unwrap();
        assert_eq!(
            checkout(" P1", "B1\t", None),
            Entered::Scan(Action::Issue { cardnumber: card("P1"), barcode: barcode.clone() })
        );
        assert_eq!(checkin("B1 "), Entered::Scan(Action::Return { barcode }));
        for (patron, item, field) in [("", "B1", Field::Patron), ("\t", "", Field::Patron), ("P1", " ", Field::Item)] {
            assert_eq!(checkout(patron, item, None), Entered::Missing(field), "{patron:?} {item:?}");
        }
        assert_eq!(checkin(" "), Entered::Missing(Field::Item));
    }

    #[test]
    fn what_is_refused_is_kept_word_for_word() {
        let long = format!(" {} ", "9".repeat(21));
        let too_long = CodeError::TooLong { length: 21, limit: 20 };
        assert_eq!(
            checkout(" P1", &long, None),
            Entered::Refused(
                Typed::Checkout { patron: " P1".to_owned(), item: long.clone() },
                TypedError::Barcode(too_long.clone())
            )
        );
        assert_eq!(checkin(&long), Entered::Refused(Typed::Checkin { item: long }, TypedError::Barcode(too_long)));
        // Both are wrong: the patron comes first.
        let refused = checkout("P\t1", "B\t1", None);
        assert!(matches!(refused, Entered::Refused(_, TypedError::Cardnumber(CodeError::ControlCharacter(9)))));
    }

    #[test]
    fn a_card_in_the_field_of_the_item_is_the_next_patron_also_where_none_was() {
        let cards = CardPattern::parse("23529#########").unwrap();
        for patron in ["", "P1"] {
            assert_eq!(
                checkout(patron, "23529001223601 ", Some(&cards)),
                Entered::NextPatron(card("23529001223601")),
                "{patron:?}"
            );
        }
        assert_eq!(checkout("", "39999000000001", Some(&cards)), Entered::Missing(Field::Patron));
    }

    #[test]
    fn so_much_money_is_asked_about() {
        let amount = Amount::typed("3.50").unwrap();
        assert_eq!(payment("P1", "3.50"), Entered::Scan(Action::Payment { cardnumber: card("P1"), amount }));
        assert!(matches!(payment("P1", "5000"), Entered::Unusual(..)));
        assert_eq!(payment("P1", ""), Entered::Missing(Field::Amount));
        assert_eq!(payment("", ""), Entered::Missing(Field::Patron));
        assert!(matches!(payment("P1", "x"), Entered::Refused(_, TypedError::Amount(_))));
        assert!(matches!(payment("P\t1", "x"), Entered::Refused(_, TypedError::Amount(_))), "the amount is told first");
        assert!(matches!(payment("P\t1", "3.50"), Entered::Refused(_, TypedError::Cardnumber(_))));
    }
}
