//! What stands in the fields becomes a scan: parsed once, when the code is complete.

use crate::desk::{
    amount::{Amount, AmountError},
    barcode::{Barcode, Cardnumber, CodeError},
    codes::{Codes, Reads, Scanned, unlike},
    shape, signs,
    transaction::{Action, Moment},
    visit::Visit,
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
    /// It was left in the field when the next code came.
    Left,
    /// Two codes have run together.
    Two(String, String),
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

/// What is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meant {
    /// As it is meant.
    pub action: Action,
    /// What was scanned, where that is something else.
    pub scanned: Scanned,
    /// What the item's code would be as a patron's card, where that is something else.
    pub as_card: Option<String>,
}

/// What waits to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// As it is meant.
    pub action: Action,
    /// What was scanned, where that is something else.
    pub scanned: Scanned,
    /// What the item's code would be as a patron's card, where that is something else.
    pub as_card: Option<String>,
    /// When it was scanned. `None`: the computer's clock is out of all bounds.
    pub at: Option<Moment>,
    /// Where it is not settled yet for whom it is.
    pub visit: Option<Visit>,
    /// A person has said that it is meant, odd as it looks.
    pub is_meant: bool,
    /// A person has said that it is an item, much as its code is a card.
    pub is_item: bool,
}

impl Scan {
    /// One of which nobody has said anything yet.
    pub fn new(meant: Meant, at: Option<Moment>, visit: Option<Visit>) -> Self {
        let Meant { action, scanned, as_card } = meant;
        Self { action, scanned, as_card, at, visit, is_meant: false, is_item: false }
    }

    /// For this patron: what was scanned as the other's card says nothing of theirs.
    pub fn give_to(&mut self, patron: Cardnumber) {
        if self.action.cardnumber().is_some_and(|before| *before != patron) {
            self.scanned.cardnumber = None;
            self.action = self.action.clone().by(patron);
        }
    }

    /// What the item's code would be as a card.
    pub fn as_card(&self) -> Option<&str> {
        self.as_card.as_deref().or_else(|| self.action.barcode().map(Barcode::as_str))
    }
}

/// A patron's card, and what was scanned where that is something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// As it is meant.
    pub cardnumber: Cardnumber,
    /// What was scanned, where that is something else.
    pub scanned: Option<String>,
}

impl Card {
    /// The card that these keys mean by the rules for codes, where the field has come to hold `typed`.
    ///
    /// # Errors
    /// When what is meant cannot be recorded.
    pub fn from_keys(keys: &str, typed: &str, codes: &dyn Reads) -> Result<Self, CodeError> {
        let cardnumber = Cardnumber::scanned(&codes.card(keys))?;
        Ok(Self { scanned: unlike(typed, cardnumber.as_str()).filter(|typed| !typed.is_empty()), cardnumber })
    }
}

impl From<Cardnumber> for Card {
    fn from(cardnumber: Cardnumber) -> Self {
        Self { cardnumber, scanned: None }
    }
}

/// The patron's field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatronText<'a> {
    /// As it was scanned or typed.
    Raw(&'a str),
    /// It was read before.
    Read(&'a Card),
}

impl PatronText<'_> {
    /// What stands in the field.
    pub fn text(&self) -> &str {
        match self {
            Self::Raw(text) => text,
            Self::Read(card) => card.cardnumber.as_str(),
        }
    }

    /// The card.
    ///
    /// # Errors
    /// When what is meant cannot be recorded.
    pub fn card(&self, codes: &dyn Reads) -> Result<Card, CodeError> {
        match self {
            Self::Raw(text) => Card::from_keys(text, text, codes),
            Self::Read(card) => Ok((*card).clone()),
        }
    }
}

/// What the fields mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// To be recorded.
    Scan(Meant),
    /// To be recorded if the person says that this amount is meant: a barcode can have come into the field.
    Unusual(Meant, Amount),
    /// The next patron: the card came into the item's field.
    NextPatron(Card),
    /// Nothing stands in this field.
    Missing(Field),
    /// What stands there cannot be recorded.
    Refused(Typed, TypedError),
}

/// Reads the fields of a checkout.
///
/// ```
/// use koct_core::desk::{codes::Codes, scan::{Entered, Field, PatronText::Raw, checkout}};
/// let codes = Codes::default();
/// assert!(matches!(checkout(Raw("P1"), " B1 ", &codes), Entered::Scan(meant) if meant.action.barcode().unwrap().as_str() == "B1"));
/// assert_eq!(checkout(Raw(" "), "B1", &codes), Entered::Missing(Field::Patron));
/// ```
pub fn checkout(patron: PatronText<'_>, item: &str, codes: &dyn Reads) -> Entered {
    // Rules for items say nothing of cards.
    let as_card = codes.card(item);
    if codes.looks_like_card(&as_card)
        && let Ok(cardnumber) = Cardnumber::scanned(&as_card)
    {
        return Entered::NextPatron(Card { scanned: unlike(item, cardnumber.as_str()), cardnumber });
    }
    if let Some(missing) = missing([(patron.text(), Field::Patron), (item, Field::Item)]) {
        return missing;
    }
    let meant = patron.card(codes).map_err(TypedError::Cardnumber).and_then(|card| {
        let barcode = barcode(item, codes)?;
        let scanned = Scanned { cardnumber: card.scanned, barcode: unlike(item, barcode.as_str()) };
        let as_card = Some(as_card).filter(|as_card| as_card != barcode.as_str());
        Ok(Meant { action: Action::Issue { cardnumber: card.cardnumber, barcode }, scanned, as_card })
    });
    entered(meant, || Typed::Checkout { patron: patron.text().to_owned(), item: item.to_owned() })
}

/// Reads the field of a checkin.
pub fn checkin(item: &str, codes: &dyn Reads) -> Entered {
    if let Some(missing) = missing([(item, Field::Item)]) {
        return missing;
    }
    let meant = barcode(item, codes).map(|barcode| {
        let scanned = Scanned { cardnumber: None, barcode: unlike(item, barcode.as_str()) };
        let as_card = Some(codes.card(item)).filter(|as_card| as_card != barcode.as_str());
        Meant { action: Action::Return { barcode }, scanned, as_card }
    });
    entered(meant, || Typed::Checkin { item: item.to_owned() })
}

/// Reads the fields of a payment.
pub fn payment(patron: PatronText<'_>, amount: &str, codes: &dyn Reads) -> Entered {
    if let Some(missing) = missing([(patron.text(), Field::Patron), (amount, Field::Amount)]) {
        return missing;
    }
    let meant = Amount::typed(amount).map_err(TypedError::Amount).and_then(|amount| {
        let Card { cardnumber, scanned } = patron.card(codes).map_err(TypedError::Cardnumber)?;
        let scanned = Scanned { cardnumber: scanned, barcode: None };
        Ok(Meant { action: Action::Payment { cardnumber, amount }, scanned, as_card: None })
    });
    match entered(meant, || Typed::Payment { patron: patron.text().to_owned(), amount: amount.to_owned() }) {
        Entered::Scan(meant) => match meant.action.amount() {
            Some(amount) if amount >= Amount::UNUSUAL => Entered::Unusual(meant, amount),
            _ => Entered::Scan(meant),
        },
        other => other,
    }
}

/// What stands in the fields in which a recorded action is corrected; those that it has not are not looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Corrected<'a> {
    /// The patron's.
    pub cardnumber: &'a str,
    /// The item's.
    pub barcode: &'a str,
    /// The amount's.
    pub amount: &'a str,
}

impl Corrected<'_> {
    /// The action as it is meant now. Codes that were not changed are as they were: read by the rules once more, they could become others.
    ///
    /// # Errors
    /// What is wrong first: the patron's code, then the item's; of a payment the amount, then the patron's code.
    pub fn action(&self, of: &Action, codes: &Codes) -> Result<Action, TypedError> {
        let cardnumber = || {
            let meant = codes.card_instead(of.cardnumber(), self.cardnumber);
            Cardnumber::parse(&meant).map_err(TypedError::Cardnumber)
        };
        let barcode = || {
            let meant = codes.item_instead(of.barcode(), self.barcode);
            Barcode::parse(&meant).map_err(TypedError::Barcode)
        };
        Ok(match of {
            Action::Issue { .. } => Action::Issue { cardnumber: cardnumber()?, barcode: barcode()? },
            Action::Return { .. } => Action::Return { barcode: barcode()? },
            Action::Payment { .. } => {
                let amount = Amount::typed(self.amount).map_err(TypedError::Amount)?;
                Action::Payment { cardnumber: cardnumber()?, amount }
            }
        })
    }
}

impl Entered {
    /// The same, where this was typed for the item.
    #[must_use]
    pub fn typed_as(mut self, typed: &str) -> Self {
        match &mut self {
            Self::Scan(meant) | Self::Unusual(meant, _) => {
                let barcode = meant.action.barcode().map(Barcode::as_str).unwrap_or_default();
                meant.scanned.barcode = unlike(typed, barcode).filter(|typed| !typed.is_empty());
            }
            Self::NextPatron(card) => {
                card.scanned = unlike(typed, card.cardnumber.as_str()).filter(|typed| !typed.is_empty());
            }
            Self::Missing(_) | Self::Refused(..) => {}
        }
        self
    }
}

fn barcode(raw: &str, codes: &dyn Reads) -> Result<Barcode, TypedError> {
    // Each half is read by the rules when it is taken.
    Barcode::scanned(&codes.item(raw)).map_err(|error| match (&error, shape::halves(signs::trimmed(raw))) {
        (CodeError::TooLong { .. }, Some((one, other))) if one.len() <= Barcode::LIMIT => {
            TypedError::Two(one.to_owned(), other.to_owned())
        }
        _ => TypedError::Barcode(error),
    })
}

fn missing<const N: usize>(fields: [(&str, Field); N]) -> Option<Entered> {
    fields.into_iter().find(|(text, _)| signs::trimmed(text).is_empty()).map(|(_, field)| Entered::Missing(field))
}

fn entered(meant: Result<Meant, TypedError>, typed: impl FnOnce() -> Typed) -> Entered {
    match meant {
        Ok(meant) => Entered::Scan(meant),
        Err(error) => Entered::Refused(typed(), error),
    }
}

#[cfg(test)]
mod tests {
    use super::{PatronText::Raw, *};
    use crate::desk::{codes::Codes, pattern::CardPattern, rules::Rules};

    fn card(code: &str) -> Cardnumber {
        Cardnumber::parse(code).unwrap()
    }

    fn as_it_is(action: Action) -> Entered {
        Entered::Scan(Meant { action, scanned: Scanned::default(), as_card: None })
    }

    fn checkout(patron: &str, item: &str, cards: Option<&CardPattern>) -> Entered {
        super::checkout(Raw(patron), item, &Codes { cards: cards.cloned(), ..Codes::default() })
    }

    fn checkin(item: &str) -> Entered {
        super::checkin(item, &Codes::default())
    }

    fn payment(patron: &str, amount: &str) -> Entered {
        super::payment(Raw(patron), amount, &Codes::default())
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
            as_it_is(Action::Issue { cardnumber: card("P1"), barcode: barcode.clone() })
        );
        assert_eq!(checkin("B1 "), as_it_is(Action::Return { barcode }));
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
                Entered::NextPatron(Card { cardnumber: card("23529001223601"), scanned: None }),
                "{patron:?}"
            );
        }
        assert_eq!(checkout("", "39999000000001", Some(&cards)), Entered::Missing(Field::Patron));
    }

    #[test]
    fn so_much_money_is_asked_about() {
        let amount = Amount::typed("3.50").unwrap();
        assert_eq!(payment("P1", "3.50"), as_it_is(Action::Payment { cardnumber: card("P1"), amount }));
        assert!(matches!(payment("P1", "5000"), Entered::Unusual(..)));
        assert_eq!(payment("P1", ""), Entered::Missing(Field::Amount));
        assert_eq!(payment("", ""), Entered::Missing(Field::Patron));
        assert!(matches!(payment("P1", "x"), Entered::Refused(_, TypedError::Amount(_))));
        assert!(matches!(payment("P\t1", "x"), Entered::Refused(_, TypedError::Amount(_))), "the amount is told first");
        assert!(matches!(payment("P\t1", "3.50"), Entered::Refused(_, TypedError::Cardnumber(_))));
    }

    fn codes() -> Codes {
        Codes {
            cards: CardPattern::parse("23529#########").ok(),
            card_rules: Rules::parse("start-stop").unwrap(),
            item_rules: Rules::parse("T-prefix\ncuecat").unwrap(),
            branch: "CPL".into(),
            ..Codes::default()
        }
    }

    #[test]
    fn what_is_meant_is_recorded_and_what_was_scanned_is_kept() {
        let Entered::Scan(meant) = super::checkout(Raw("A23529001223601B"), "T32", &codes()) else { panic!() };
        let barcode = Barcode::parse("T0000002").unwrap();
        assert_eq!(meant.action, Action::Issue { cardnumber: card("23529001223601"), barcode: barcode.clone() });
        let scanned = Scanned { cardnumber: Some("A23529001223601B".into()), barcode: Some("T32".into()) };
        assert_eq!((meant.scanned, meant.as_card.as_deref()), (scanned, Some("T32")));
        // What was read before is not read again.
        let read = Card { cardnumber: card("A1B"), scanned: Some("AA1BB".into()) };
        let Entered::Scan(meant) = super::checkout(PatronText::Read(&read), "T0000002", &codes()) else { panic!() };
        assert_eq!(meant.action, Action::Issue { cardnumber: card("A1B"), barcode });
        assert_eq!(meant.scanned.all().collect::<Vec<_>>(), ["AA1BB"]);
        let Entered::Scan(meant) = super::payment(Raw("A1B "), "3.50", &codes()) else { panic!() };
        assert_eq!((meant.action.cardnumber(), meant.scanned.all().next()), (Some(&card("1")), Some("A1B")));
        // The keys of another keyboard mean it.
        let by_keys = |typed| Card::from_keys("A1B", typed, &codes()).unwrap();
        assert_eq!(by_keys("Q1B"), Card { cardnumber: card("1"), scanned: Some("Q1B".into()) });
        assert_eq!((by_keys("").scanned, by_keys("1").scanned), (None, None));
    }

    #[test]
    fn a_card_is_known_by_the_rules_for_cards_whatever_those_for_items_make_of_it() {
        let next =
            Entered::NextPatron(Card { cardnumber: card("23529001223601"), scanned: Some("a23529001223601b".into()) });
        assert_eq!(super::checkout(Raw("P1"), "a23529001223601b", &codes()), next);
        let Entered::Scan(meant) = super::checkin("23529001223601", &codes()) else { panic!() };
        assert_eq!(meant.action.barcode().unwrap().as_str(), "T23529001223601");
        assert_eq!(meant.as_card.as_deref(), Some("23529001223601"));
    }

    #[test]
    fn two_codes_that_ran_together_are_offered() {
        let two = TypedError::Two("39999000001311".into(), "39999000001310".into());
        let typed = Typed::Checkin { item: "3999900000131139999000001310".into() };
        assert_eq!(checkin("3999900000131139999000001310"), Entered::Refused(typed.clone(), two.clone()));
        assert_eq!(super::checkin("3999900000131139999000001310", &codes()), Entered::Refused(typed, two));
        let more = Entered::Refused(
            Typed::Checkin { item: "9".repeat(42) },
            TypedError::Barcode(CodeError::TooLong { length: 42, limit: 20 }),
        );
        assert_eq!(checkin(&"9".repeat(42)), more, "two such are no codes either");
    }

    #[test]
    fn what_the_keys_give_keeps_what_was_typed() {
        let Entered::Scan(meant) = super::checkin("T32", &codes()).typed_as("T\"é") else { panic!() };
        assert_eq!(
            (meant.action.barcode().unwrap().as_str(), meant.scanned.barcode.as_deref()),
            ("T0000002", Some("T\"é"))
        );
        let Entered::Scan(meant) = super::checkin("T32", &codes()).typed_as(" ") else { panic!() };
        assert_eq!(meant.scanned, Scanned::default(), "the computer made nothing of its keys");
    }

    #[test]
    fn a_correction_is_read_by_the_rules_but_what_was_not_changed_is_not() {
        let barcode = |code| Barcode::parse(code).unwrap();
        let issue = |patron, item| Action::Issue { cardnumber: card(patron), barcode: barcode(item) };
        let typed = |cardnumber, barcode| Corrected { cardnumber, barcode, amount: "x" };
        // Each of them would be read as something else.
        let was = issue("A1B", "32");
        assert_eq!(typed(" A1B", "32 ").action(&was, &codes()), Ok(was.clone()));
        assert_eq!(typed("A2B", "T33").action(&was, &codes()), Ok(issue("2", "T0000003")));
        let refused = |typed: Corrected<'_>, was: &Action| typed.action(was, &codes()).unwrap_err();
        let control = || CodeError::ControlCharacter(9);
        assert_eq!(refused(typed("P\t1", "B\t1"), &was), TypedError::Cardnumber(control()), "the patron comes first");
        assert_eq!(refused(typed("P1", "B\t1"), &was), TypedError::Barcode(control()));
        let checkin = Action::Return { barcode: barcode("32") };
        assert_eq!(
            typed("P\t1", "T33").action(&checkin, &codes()),
            Ok(Action::Return { barcode: barcode("T0000003") })
        );
        assert_eq!(refused(typed("", " "), &checkin), TypedError::Barcode(CodeError::Empty));
        let amount = |text| Amount::typed(text).unwrap();
        let payment = Action::Payment { cardnumber: card("P1"), amount: amount("3.50") };
        let paid = |amount| Corrected { cardnumber: "P2", barcode: "B\t1", amount };
        let expected = Action::Payment { cardnumber: card("P2"), amount: amount("5000") };
        assert_eq!(paid("5000").action(&payment, &codes()), Ok(expected));
        assert!(matches!(refused(paid("x"), &payment), TypedError::Amount(_)));
        assert!(matches!(refused(Corrected { cardnumber: "", ..paid("x") }, &payment), TypedError::Amount(_)));
    }

    #[test]
    fn who_gets_a_scan_after_all_was_not_scanned_for_it() {
        let Entered::Scan(meant) = super::checkout(Raw("A1B"), "T32", &codes()) else { panic!() };
        let scan = Scan::new(meant, None, None);
        assert_eq!(scan.as_card(), Some("T32"));
        let mut same = scan.clone();
        same.give_to(card("1"));
        assert_eq!(same, scan);
        let mut given = scan.clone();
        given.give_to(card("2"));
        assert_eq!(given.action.cardnumber(), Some(&card("2")));
        assert_eq!(given.scanned.all().collect::<Vec<_>>(), ["T32"], "the item is what it was");
        let Entered::Scan(meant) = checkin("B1") else { panic!() };
        let mut checkin = Scan::new(meant, None, None);
        let before = checkin.clone();
        checkin.give_to(card("2"));
        assert_eq!((&checkin, checkin.as_card()), (&before, Some("B1")));
    }

    #[test]
    fn the_limit_holds_for_what_is_meant() {
        let cuecat = ".C3nZC3nZC3nYD3b6ENnZCNnY.fHmc.C3D1Dxr2C3nZE3n7.";
        let Entered::Scan(meant) = super::checkin(cuecat, &codes()) else { panic!() };
        assert_eq!(meant.action.barcode().unwrap().as_str(), "046675000808");
        assert_eq!(meant.scanned.barcode.as_deref(), Some(cuecat));
        assert!(matches!(checkin(cuecat), Entered::Refused(_, TypedError::Barcode(CodeError::TooLong { .. }))));
    }
}
