//! How the codes of a library are read, and what is kept of those that were scanned as something else.

use crate::desk::{
    barcode::{Barcode, Cardnumber},
    pattern::CardPattern,
    rules::Rules,
    shape::{Oddity, Shape},
    signs,
    transaction::Action,
};
use serde::{Deserialize, Serialize};

/// How codes are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Codes {
    /// What cardnumbers look like, where that is known.
    pub cards: Option<CardPattern>,
    /// What is meant by a patron's code.
    pub card_rules: Rules,
    /// What is meant by an item's code.
    pub item_rules: Rules,
    /// What items' codes look like.
    pub items: Shape,
    /// What patrons' codes look like.
    pub patrons: Shape,
    /// The code of the library, empty where nobody has said it.
    pub branch: String,
}

impl Codes {
    /// The patron's code that is meant.
    pub fn card(&self, raw: &str) -> String {
        self.card_rules.read(raw, &self.branch).meant
    }

    /// The item's code that is meant.
    pub fn item(&self, raw: &str) -> String {
        self.item_rules.read(raw, &self.branch).meant
    }

    /// The patron's code that is meant in place of this one: as it stands it was meant once, and is read no second time.
    pub fn card_instead(&self, of: Option<&Cardnumber>, typed: &str) -> String {
        let is_same = of.is_some_and(|card| card.as_str() == typed.trim());
        if is_same { typed.trim().to_owned() } else { self.card(typed) }
    }

    /// The item's code, likewise.
    pub fn item_instead(&self, of: Option<&Barcode>, typed: &str) -> String {
        let is_same = of.is_some_and(|barcode| barcode.as_str() == typed.trim());
        if is_same { typed.trim().to_owned() } else { self.item(typed) }
    }

    /// The first code of this action that does not look as codes here do, and what is odd about it. `is_right` says of which a person has
    /// said already that they are meant.
    pub fn oddity(&self, action: &Action, is_right: impl Fn(&str) -> bool) -> Option<(String, Oddity)> {
        let card = action.cardnumber().map(|card| (card.as_str(), &self.patrons));
        let item = action.barcode().map(|item| (item.as_str(), &self.items));
        let odd = |(code, shape): (&str, &Shape)| shape.oddity(code).map(|oddity| (code.to_owned(), oddity));
        [card, item].into_iter().flatten().filter(|(code, _)| !is_right(code)).find_map(odd)
    }

    /// Whether what is meant by it looks like a patron's card.
    pub fn looks_like_card(&self, meant: &str) -> bool {
        self.cards.as_ref().is_some_and(|cards| cards.fits(meant))
    }
}

/// What was scanned, where something else was meant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Scanned {
    /// In place of the patron's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cardnumber: Option<String>,
    /// In place of the item's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<String>,
}

impl Scanned {
    /// Whether everything was scanned as it was meant.
    pub fn is_as_meant(&self) -> bool {
        *self == Self::default()
    }

    /// All that was scanned otherwise, the patron's code first.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        [&self.cardnumber, &self.barcode].into_iter().flatten().map(String::as_str)
    }
}

/// What was scanned, where it is not what was meant.
pub(crate) fn unlike(raw: &str, meant: &str) -> Option<String> {
    let raw = signs::trimmed(raw);
    (raw != meant).then(|| raw.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_corrected_is_read_as_a_scan_is_and_what_stays_is_not_read_twice() {
        let codes = Codes {
            item_rules: Rules::parse("drop-first 1").unwrap(),
            card_rules: Rules::parse("whitespace").unwrap(),
            ..Codes::default()
        };
        let (item, card) = (Barcode::parse("1234").unwrap(), Cardnumber::parse("P 1").unwrap());
        assert_eq!(codes.item_instead(Some(&item), " 1234 "), "1234");
        assert_eq!(
            (codes.item_instead(Some(&item), "1235"), codes.item_instead(None, "1234")),
            ("235".into(), "234".into())
        );
        assert_eq!(codes.card_instead(Some(&card), "P 1"), "P 1");
        assert_eq!(
            (codes.card_instead(Some(&card), "P 2"), codes.card_instead(None, "P 1")),
            ("P2".into(), "P1".into())
        );
    }

    #[test]
    fn a_code_that_looks_like_none_of_the_library_is_asked_about_until_somebody_has_said_that_it_is_right() {
        let codes = Codes {
            items: Shape::parse("14", true).unwrap(),
            patrons: Shape::parse("14", false).unwrap(),
            ..Codes::default()
        };
        let issue = |card, item| Action::Issue {
            cardnumber: Cardnumber::parse(card).unwrap(),
            barcode: Barcode::parse(item).unwrap(),
        };
        let right = |code: &str| code == "P1";
        assert_eq!(codes.oddity(&issue("23529001223600", "39999000001311"), right), None);
        assert_eq!(codes.oddity(&issue("P1", "39999000001311"), right), None);
        assert_eq!(
            codes.oddity(&issue("P1", "39999000001310"), right),
            Some(("39999000001310".into(), Oddity::CheckDigit))
        );
        assert_eq!(codes.oddity(&issue("P2", "39999000001310"), right), Some(("P2".into(), Oddity::Length(2))));
    }
}
