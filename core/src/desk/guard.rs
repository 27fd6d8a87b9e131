//! What is asked about a scan before it is recorded.

use crate::desk::{
    barcode::{Barcode, Cardnumber, same_code},
    codes::Reads,
    shape::Oddity,
    signs,
    transaction::Action,
};

/// What is odd about a scan. The person at the desk decides; nothing is recorded until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concern {
    /// The very same was recorded just before: the scanner read twice, or somebody did.
    SameAgain,
    /// The item's code looks like a patron's card, or is known as one.
    PatronCard,
    /// The item's code is known as that of an item, and as a patron's card too.
    CardOrItem,
    /// A sign of a code looks like a letter or a digit of ours, and is another: Koha would not find it.
    Lookalike(char),
    /// This code does not look as codes here do.
    Shape(String, Oddity),
}

/// What a code in the item's field is, by the records for look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// What it is taken for.
    Item,
    /// The next patron's card.
    NextPatron,
    /// A person must say what it is.
    Odd(Concern),
}

/// Looks at what the records know of the item's code. A patron's card is the next patron; at a checkin nobody can tell what is
/// meant by one, and of a code that both have nobody can tell anywhere.
pub fn by_records(action: &Action, is_card: bool, is_item: bool) -> Known {
    match action {
        _ if !is_card => Known::Item,
        Action::Issue { .. } | Action::Return { .. } if is_item => Known::Odd(Concern::CardOrItem),
        Action::Issue { .. } => Known::NextPatron,
        Action::Return { .. } => Known::Odd(Concern::PatronCard),
        Action::Payment { .. } => Known::Item,
    }
}

/// Looks at what is about to be recorded. `last` is what this window recorded just before and nobody took back; `as_card` is what the
/// item's code would be as a card, where that is something else.
///
/// ```
/// use koct_core::desk::{barcode::Barcode, codes::Codes, guard::{Concern, concern}, transaction::Action};
/// let (checkin, codes) = (|code| Action::Return { barcode: Barcode::parse(code).unwrap() }, Codes::default());
/// assert_eq!(concern(&checkin("a1"), None, Some(&checkin("A1")), &codes), Some(Concern::SameAgain));
/// assert_eq!(concern(&checkin("A2"), None, Some(&checkin("A1")), &codes), None);
/// ```
pub fn concern(action: &Action, as_card: Option<&str>, last: Option<&Action>, codes: &dyn Reads) -> Option<Concern> {
    if action.barcode().is_some_and(|barcode| codes.looks_like_card(as_card.unwrap_or(barcode.as_str()))) {
        return Some(Concern::PatronCard);
    }
    if last.is_some_and(|last| is_same(action, last)) {
        return Some(Concern::SameAgain);
    }
    let codes = [action.cardnumber().map(Cardnumber::as_str), action.barcode().map(Barcode::as_str)];
    codes.into_iter().flatten().find_map(signs::lookalike).map(Concern::Lookalike)
}

/// The same item, by the same patron. Two equal payments in a row are ordinary.
fn is_same(one: &Action, other: &Action) -> bool {
    match (one, other) {
        (
            Action::Issue { cardnumber, barcode },
            Action::Issue { cardnumber: other_cardnumber, barcode: other_barcode },
        ) => {
            same_code(cardnumber.as_str(), other_cardnumber.as_str())
                && same_code(barcode.as_str(), other_barcode.as_str())
        }
        (Action::Return { barcode }, Action::Return { barcode: other }) => same_code(barcode.as_str(), other.as_str()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::codes::Codes;
    use crate::desk::{amount::Amount, pattern::CardPattern};

    fn concern(action: &Action, last: Option<&Action>, cards: Option<&CardPattern>) -> Option<Concern> {
        super::concern(action, None, last, &Codes { cards: cards.cloned(), ..Codes::default() })
    }

    fn issue(patron: &str, item: &str) -> Action {
        Action::Issue { cardnumber: Cardnumber::parse(patron).unwrap(), barcode: Barcode::parse(item).unwrap() }
    }

    fn checkin(item: &str) -> Action {
        Action::Return { barcode: Barcode::parse(item).unwrap() }
    }

    #[test]
    fn only_the_very_same_is_asked_about() {
        let last = issue("P1", "A1");
        assert_eq!(concern(&issue("p1", "a1"), Some(&last), None), Some(Concern::SameAgain));
        for other in [issue("P2", "A1"), issue("P1", "A2"), checkin("A1")] {
            assert_eq!(concern(&other, Some(&last), None), None, "{other:?}");
        }
        assert_eq!(concern(&last, None, None), None);
        let payment =
            Action::Payment { cardnumber: Cardnumber::parse("P1").unwrap(), amount: Amount::parse("1.00").unwrap() };
        assert_eq!(concern(&payment, Some(&payment), None), None);
    }

    #[test]
    fn what_looks_like_another_code_is_asked_about() {
        assert_eq!(concern(&checkin("А12"), None, None), Some(Concern::Lookalike('А')), "Cyrillic");
        assert_eq!(concern(&issue("Р1", "A1"), None, None), Some(Concern::Lookalike('Р')));
        assert_eq!(concern(&issue("P1", "A1"), None, None), None);
    }

    #[test]
    fn a_known_card_is_the_next_patron_and_what_is_not_clear_is_asked() {
        for action in [issue("P1", "C1"), checkin("C1")] {
            assert_eq!(by_records(&action, false, false), Known::Item);
            assert_eq!(by_records(&action, false, true), Known::Item);
            assert_eq!(by_records(&action, true, true), Known::Odd(Concern::CardOrItem));
        }
        assert_eq!(by_records(&issue("P1", "C1"), true, false), Known::NextPatron);
        assert_eq!(by_records(&checkin("C1"), true, false), Known::Odd(Concern::PatronCard));
    }

    #[test]
    fn a_card_is_noticed_where_cards_are_known() {
        let cards = CardPattern::parse("2352*").unwrap();
        assert_eq!(concern(&checkin("23529001"), None, Some(&cards)), Some(Concern::PatronCard));
        assert_eq!(concern(&issue("23529001", "39999001"), None, Some(&cards)), None, "in its own field it is right");
        assert_eq!(concern(&issue("23529001", "23529001"), None, Some(&cards)), Some(Concern::PatronCard));
        assert_eq!(concern(&checkin("23529001"), None, None), None);
        // The rules for items have made something else of it.
        let codes = Codes { cards: Some(cards), ..Codes::default() };
        assert_eq!(super::concern(&checkin("T23529001"), Some("23529001"), None, &codes), Some(Concern::PatronCard));
    }
}
