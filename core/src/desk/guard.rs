//! What is asked about a scan before it is recorded.

use crate::desk::{
    barcode::{Barcode, Cardnumber, same_code},
    codes::Reads,
    scan::Scan,
    shape::Oddity,
    signs,
    transaction::Action,
};
use std::time::Duration;

/// For how long a scan waits for what the records tell of it ([`Ahead`]). No other timer of the window has this time: tests know it by that.
pub const AHEAD_TIMEOUT: Duration = Duration::from_millis(240);

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

/// A patron's card that came where an item's code belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCard {
    /// The card, as the records have it.
    pub card: Cardnumber,
    /// Koha's number of the patron.
    pub patron: u32,
    /// An item has this code too.
    pub is_item: bool,
}

/// What the records told of a scan before it is recorded; nothing where there are none, or they did not answer in time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ahead {
    /// The cardnumber of whoever has what was typed as a user name.
    pub patron: Option<Cardnumber>,
    /// The patron's card that the item's code is.
    pub card: Option<KnownCard>,
    /// The codes that are like none that they know.
    pub unlike: Vec<String>,
}

/// What comes next with a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It is recorded.
    Record,
    /// It is not: it is the next patron's card.
    NextPatron(Cardnumber),
    /// It is not, until a person has said that it is meant.
    Ask(Concern),
    /// The log is asked whether it has this code of this action, taken as it is. If so, the code is right; if not, a person is asked
    /// about it.
    LookBack(String, Oddity),
}

/// What comes next with a scan: what the records know goes before what codes look like, and what a code is before how it is made. `last` is
/// what this window recorded just before and nobody took back; `is_right` says of which codes it is known that they are meant.
pub fn next(
    scan: &Scan,
    ahead: &Ahead,
    last: Option<&Action>,
    codes: &dyn Reads,
    is_right: &dyn Fn(&str) -> bool,
) -> Next {
    if scan.is_meant {
        return Next::Record;
    }
    match (by_records(&scan.action, ahead.card.as_ref()), &ahead.card) {
        (Known::NextPatron, Some(known)) => return Next::NextPatron(known.card.clone()),
        (Known::Odd(concern), _) => return Next::Ask(concern),
        _ => {}
    }
    if let Some(concern) = concern(&scan.action, scan.as_card(), last, codes) {
        return Next::Ask(concern);
    }
    match codes.first_oddity(&scan.action, &ahead.unlike, is_right) {
        Some((code, oddity)) => Next::LookBack(code, oddity),
        None => Next::Record,
    }
}

/// What a code in the item's field is, by the records for look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    /// What it is taken for.
    Item,
    /// The next patron's card.
    NextPatron,
    /// A person must say what it is.
    Odd(Concern),
}

/// Looks at what the records know of the item's code. A patron's card is the next patron; at a checkin nobody can tell what is
/// meant by one, and of a code that both have nobody can tell anywhere.
fn by_records(action: &Action, card: Option<&KnownCard>) -> Known {
    match (action, card) {
        (_, None) | (Action::Payment { .. }, _) => Known::Item,
        (_, Some(card)) if card.is_item => Known::Odd(Concern::CardOrItem),
        (Action::Issue { .. }, Some(_)) => Known::NextPatron,
        (Action::Return { .. }, Some(_)) => Known::Odd(Concern::PatronCard),
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
    use crate::desk::{
        amount::Amount,
        codes::{Codes, Scanned},
        pattern::CardPattern,
        scan::Meant,
        shape::Shape,
    };

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

    fn scan(action: Action) -> Scan {
        Scan::new(Meant { action, scanned: Scanned::default(), as_card: None }, None, None)
    }

    /// What comes next where the records know this of the card that is scanned for an item.
    fn by_records(action: &Action, is_card: bool, is_item: bool) -> Next {
        let known = KnownCard { card: Cardnumber::parse("C1").unwrap(), patron: 1, is_item };
        let ahead = Ahead { card: is_card.then_some(known), ..Ahead::default() };
        next(&scan(action.clone()), &ahead, None, &Codes::default(), &|_| false)
    }

    #[test]
    fn a_known_card_is_the_next_patron_and_what_is_not_clear_is_asked() {
        for action in [issue("P1", "C1"), checkin("C1")] {
            assert_eq!(by_records(&action, false, false), Next::Record);
            assert_eq!(by_records(&action, true, true), Next::Ask(Concern::CardOrItem));
        }
        let card = Cardnumber::parse("C1").unwrap();
        assert_eq!(by_records(&issue("P1", "C1"), true, false), Next::NextPatron(card));
        assert_eq!(by_records(&checkin("C1"), true, false), Next::Ask(Concern::PatronCard));
    }

    #[test]
    fn what_a_code_is_is_asked_before_what_it_looks_like() {
        // All at once: a known card that fits the pattern of cards, was recorded just before, has a sign that looks like another, a length
        // that no item has, and is like none that the records know.
        let action = checkin("А12");
        let codes = Codes {
            cards: CardPattern::parse("А*").ok(),
            items: Shape::parse("14", false).unwrap(),
            ..Codes::default()
        };
        let known = KnownCard { card: Cardnumber::parse("А12").unwrap(), patron: 1, is_item: true };
        let mut ahead = Ahead { card: Some(known), unlike: vec!["А12".into()], ..Ahead::default() };
        let after = |ahead: &Ahead, last: Option<&Action>, codes: &Codes, right: &[&str]| {
            next(&scan(action.clone()), ahead, last, codes, &|code| right.contains(&code))
        };
        assert_eq!(after(&ahead, Some(&action), &codes, &[]), Next::Ask(Concern::CardOrItem));
        ahead.card = None;
        assert_eq!(after(&ahead, Some(&action), &codes, &[]), Next::Ask(Concern::PatronCard));
        let codes = Codes { cards: None, ..codes };
        assert_eq!(after(&ahead, Some(&action), &codes, &[]), Next::Ask(Concern::SameAgain));
        assert_eq!(after(&ahead, None, &codes, &[]), Next::Ask(Concern::Lookalike('А')));
        // It is meant, whatever else could be asked.
        let meant = Scan { is_meant: true, ..scan(action.clone()) };
        assert_eq!(next(&meant, &ahead, Some(&action), &codes, &|_| false), Next::Record);
    }

    #[test]
    fn codes_that_look_odd_are_asked_one_after_the_other() {
        let codes = Codes { patrons: Shape::parse("14", false).unwrap(), ..Codes::default() };
        let ahead = Ahead { unlike: vec!["A1".into(), "P1".into()], ..Ahead::default() };
        let after =
            |right: &[&str]| next(&scan(issue("P1", "A1")), &ahead, None, &codes, &|code| right.contains(&code));
        assert_eq!(
            after(&[]),
            Next::LookBack("P1".into(), Oddity::Length(2)),
            "what is set goes before what was learned"
        );
        assert_eq!(after(&["P1"]), Next::LookBack("A1".into(), Oddity::Unlike));
        assert_eq!(after(&["P1", "A1"]), Next::Record);
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
