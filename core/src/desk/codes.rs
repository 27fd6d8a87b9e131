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

/// Reads codes as a library has said.
pub trait Reads {
    /// The patron's code that is meant.
    fn card(&self, raw: &str) -> String;

    /// The item's code that is meant.
    fn item(&self, raw: &str) -> String;

    /// Whether what is meant by it looks like a patron's card.
    fn looks_like_card(&self, meant: &str) -> bool;

    /// The first code of this action that does not look as codes here do: see [`Codes::oddity`].
    fn oddity(&self, action: &Action, is_right: &dyn Fn(&str) -> bool) -> Option<(String, Oddity)>;

    /// The same, and after that those codes that are like none that the records know.
    fn first_oddity(
        &self,
        action: &Action,
        unlike: &[String],
        is_right: &dyn Fn(&str) -> bool,
    ) -> Option<(String, Oddity)> {
        let unlike = || unlike.iter().find(|code| !is_right(code)).map(|code| (code.clone(), Oddity::Unlike));
        self.oddity(action, is_right).or_else(unlike)
    }
}

/// How codes are read where a library has said no more of them than what cards look like: as they stand. It is a type of its own so
/// that a window without rules need not load those that read rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlainCodes {
    /// What cardnumbers look like, where that is known.
    pub cards: Option<CardPattern>,
}

impl Reads for PlainCodes {
    fn card(&self, raw: &str) -> String {
        signs::trimmed(raw).to_owned()
    }

    fn item(&self, raw: &str) -> String {
        signs::trimmed(raw).to_owned()
    }

    fn looks_like_card(&self, meant: &str) -> bool {
        self.cards.as_ref().is_some_and(|cards| cards.fits(meant))
    }

    fn oddity(&self, _action: &Action, _is_right: &dyn Fn(&str) -> bool) -> Option<(String, Oddity)> {
        None
    }
}

impl Reads for Codes {
    fn card(&self, raw: &str) -> String {
        self.card(raw)
    }

    fn item(&self, raw: &str) -> String {
        self.item(raw)
    }

    fn looks_like_card(&self, meant: &str) -> bool {
        self.looks_like_card(meant)
    }

    fn oddity(&self, action: &Action, is_right: &dyn Fn(&str) -> bool) -> Option<(String, Oddity)> {
        self.oddity(action, is_right)
    }
}

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
    fn where_nothing_is_said_but_what_cards_look_like_codes_are_read_alike() {
        let cards = CardPattern::parse("23529#########").ok();
        let (plain, all) = (PlainCodes { cards: cards.clone() }, Codes { cards, ..Codes::default() });
        let (plain, all): (&dyn Reads, &dyn Reads) = (&plain, &all);
        for code in ["", " 39999000001310\t", "23529001223601", "\u{feff}a b\u{200b}", "]C1*é*"] {
            assert_eq!((plain.card(code), plain.item(code)), (all.card(code), all.item(code)), "{code:?}");
            assert_eq!(plain.looks_like_card(code), all.looks_like_card(code), "{code:?}");
        }
        let action = Action::Return { barcode: Barcode::parse("1").unwrap() };
        assert_eq!(plain.oddity(&action, &|_| false), all.oddity(&action, &|_| false));
    }

    #[test]
    fn that_one_code_is_right_says_nothing_of_the_other() {
        let action =
            Action::Issue { cardnumber: Cardnumber::parse("P1").unwrap(), barcode: Barcode::parse("39999").unwrap() };
        let items = Codes { items: Shape::parse("14", false).unwrap(), ..Codes::default() };
        let codes: [(&dyn Reads, Oddity); 2] = [(&items, Oddity::Length(5)), (&PlainCodes::default(), Oddity::Unlike)];
        for (codes, oddity) in codes {
            let first = |right: &[&str]| {
                codes.first_oddity(&action, &["P1".into(), "39999".into()], &|code| right.contains(&code))
            };
            assert_eq!(first(&["P1"]), Some(("39999".into(), oddity)));
            assert_eq!(first(&["39999"]), Some(("P1".into(), Oddity::Unlike)));
            assert_eq!(first(&["P1", "39999"]), None);
        }
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
