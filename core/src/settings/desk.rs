//! How this desk works, whatever Koha does: its scanner, its sounds, its slips.

use crate::{
    desk::{
        codes::{Codes, PlainCodes},
        keyboard::ScannerKeyboard,
        kinds,
        pattern::CardPattern,
        rules::Rules,
        scanner::ScannerEnd,
        shape::Shape,
    },
    settings::form::FieldError,
};
use serde::{Deserialize, Serialize};

/// The keys that the look of codes which are right besides is stored under: of items', and of patrons'.
pub const ITEM_ALSO: &str = "itemAlso";
/// See [`ITEM_ALSO`].
pub const CARD_ALSO: &str = "cardAlso";

/// The longest name of a library and the longest notice that are kept, in characters.
const NAME_LIMIT: usize = 80;
const NOTICE_LIMIT: usize = 300;
/// The longest loan, in days, that a slip can name.
const LOAN_DAYS_LIMIT: u16 = 999;

with_defaults! {
    /// The settings of the desk, as typed. None of them hinders a commit.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    pub struct DeskSettings {
        /// What scanners type after a code.
        pub scanner_end: ScannerEnd = ScannerEnd::default(),
        /// Which keyboard they are set to. Stored apart: a person answers it in the window too.
        #[serde(skip)]
        pub scanner_keyboard: ScannerKeyboard = ScannerKeyboard::default(),
        /// What cardnumbers look like; empty where nobody has said.
        pub card_pattern: String = String::new(),
        /// What is meant by an item's code: rules, one in a line.
        pub item_rules: String = String::new(),
        /// What is meant by a patron's code.
        pub card_rules: String = String::new(),
        /// How many characters items' codes have; empty where nobody has said.
        pub item_lengths: String = String::new(),
        /// Whether items' codes end with a check digit.
        pub item_check_digit: bool = false,
        /// What items' codes look like that are right besides. Stored apart: a person says it in the window too.
        #[serde(skip)]
        pub item_also: String = String::new(),
        /// How many characters patrons' codes have.
        pub card_lengths: String = String::new(),
        /// Whether patrons' codes end with a check digit.
        pub card_check_digit: bool = false,
        /// The same of patrons' codes.
        #[serde(skip)]
        pub card_also: String = String::new(),
        /// Whether scans are heard.
        pub sounds: bool = true,
        /// The library's name, for slips.
        pub library_name: String = String::new(),
        /// For how many days things are lent, for the date on slips; empty where slips shall name none.
        pub loan_days: String = String::new(),
        /// Whether Firefox shows a notification when Koha does not answer, and when it is back.
        pub notify: bool = false,
        /// Whether what is recorded is written into files outside the profile, too.
        pub second_copy: bool = false,
        /// What the library wants to be read in the window, for example whom to call.
        pub notice: String = String::new(),
    }
}

fn at_most(text: &str, limit: usize) -> Result<&str, FieldError> {
    let text = text.trim();
    if let Some(control) = text.chars().find(|c| c.is_control()) {
        return Err(FieldError::ControlCharacter(u32::from(control)));
    }
    let length = text.chars().count();
    if length > limit { Err(FieldError::TooLong { length, limit }) } else { Ok(text) }
}

fn pattern(typed: &str) -> Result<Option<CardPattern>, FieldError> {
    if typed.trim().is_empty() {
        return Ok(None);
    }
    CardPattern::parse(typed).map(Some).map_err(|_| FieldError::Pattern)
}

impl DeskSettings {
    /// What cardnumbers look like, or `None` where nobody has said.
    ///
    /// # Errors
    /// When the pattern says nothing.
    pub fn cards(&self) -> Result<Option<CardPattern>, FieldError> {
        pattern(&self.card_pattern)
    }

    /// What is meant by an item's code.
    ///
    /// # Errors
    /// When a rule cannot be read.
    pub fn item_rules(&self) -> Result<Rules, FieldError> {
        Rules::parse(&self.item_rules).map_err(|error| FieldError::Rule(error.0))
    }

    /// What is meant by a patron's code.
    ///
    /// # Errors
    /// When a rule cannot be read.
    pub fn card_rules(&self) -> Result<Rules, FieldError> {
        Rules::parse(&self.card_rules).map_err(|error| FieldError::Rule(error.0))
    }

    /// What items' codes look like.
    ///
    /// # Errors
    /// When the lengths cannot be read.
    pub fn items(&self) -> Result<Shape, FieldError> {
        Shape::parse(&self.item_lengths, self.item_check_digit).map_err(|_| FieldError::Lengths)
    }

    /// What items' codes look like that are right besides.
    ///
    /// # Errors
    /// When the pattern says nothing.
    pub fn also_items(&self) -> Result<Option<CardPattern>, FieldError> {
        pattern(&self.item_also)
    }

    /// What patrons' codes look like.
    ///
    /// # Errors
    /// When the lengths cannot be read.
    pub fn patrons(&self) -> Result<Shape, FieldError> {
        Shape::parse(&self.card_lengths, self.card_check_digit).map_err(|_| FieldError::Lengths)
    }

    /// What patrons' codes look like that are right besides.
    ///
    /// # Errors
    /// When the pattern says nothing.
    pub fn also_patrons(&self) -> Result<Option<CardPattern>, FieldError> {
        pattern(&self.card_also)
    }

    /// A person has said that all codes are right which are like this one, a card's or an item's. Returns what is to be stored now, and
    /// under which key; `None` where that says nothing new.
    pub fn teach(&mut self, code: &str, is_card: bool) -> Option<(&'static str, &str)> {
        let (key, also) = if is_card { (CARD_ALSO, &mut self.card_also) } else { (ITEM_ALSO, &mut self.item_also) };
        let taught = kinds::pattern(code);
        let is_new = pattern(also).is_ok_and(|also| also.is_none_or(|also| !also.fits(code)));
        CardPattern::parse(&taught).ok().filter(|_| is_new)?;
        if !also.trim().is_empty() {
            also.push_str(", ");
        }
        also.push_str(&taught);
        Some((key, also))
    }

    /// How codes are read in the library of this code. What cannot be used does nothing.
    pub fn codes(&self, branch: &str) -> Codes {
        Codes {
            cards: self.cards().ok().flatten(),
            card_rules: self.card_rules().unwrap_or_default(),
            item_rules: self.item_rules().unwrap_or_default(),
            items: self.items().unwrap_or_default().and_also(self.also_items().ok().flatten()),
            patrons: self.patrons().unwrap_or_default().and_also(self.also_patrons().ok().flatten()),
            branch: branch.trim().to_owned(),
        }
    }

    /// The same, where nothing is said but what cards look like; else `None`.
    pub fn plain_codes(&self) -> Option<PlainCodes> {
        let said = [&self.item_rules, &self.card_rules, &self.item_lengths, &self.card_lengths];
        let is_plain =
            said.iter().all(|said| said.trim().is_empty()) && !self.item_check_digit && !self.card_check_digit;
        is_plain.then(|| PlainCodes { cards: self.cards().ok().flatten() })
    }

    /// For how many days things are lent, or `None` where slips name no date.
    ///
    /// # Errors
    /// When it is no number of days.
    pub fn loan_days(&self) -> Result<Option<u16>, FieldError> {
        let typed = self.loan_days.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        let days = typed.parse().ok().filter(|days| (1..=LOAN_DAYS_LIMIT).contains(days));
        days.map(Some).ok_or(FieldError::Days(LOAN_DAYS_LIMIT))
    }

    /// The library's name.
    ///
    /// # Errors
    /// When it holds control characters or is too long.
    pub fn library_name(&self) -> Result<&str, FieldError> {
        at_most(&self.library_name, NAME_LIMIT)
    }

    /// What the library wants to be read in the window.
    ///
    /// # Errors
    /// When it holds control characters or is too long.
    pub fn notice(&self) -> Result<&str, FieldError> {
        at_most(&self.notice, NOTICE_LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{
        form::Form,
        table::{Field, Preferences},
    };

    fn errors(desk: &DeskSettings) -> Vec<(Field, FieldError)> {
        let form = Form { desk_name: "Bus 2".into(), ..Form::default() };
        Preferences { form, desk: desk.clone(), ..Preferences::default() }.errors(false)
    }

    #[test]
    fn nothing_said_is_in_order() {
        let desk = DeskSettings::default();
        assert!(errors(&desk).is_empty());
        assert_eq!((desk.cards(), desk.loan_days()), (Ok(None), Ok(None)));
        assert_eq!(serde_json::from_str::<DeskSettings>("{}").unwrap(), desk, "what an earlier version stored");
    }

    #[test]
    fn codes_are_plain_where_nothing_is_said_but_what_cards_look_like() {
        let cards = DeskSettings { card_pattern: "23529#".into(), item_rules: " \n".into(), ..DeskSettings::default() };
        assert_eq!(cards.plain_codes().unwrap().cards, cards.codes("CPL").cards);
        let said: [fn(&mut DeskSettings); 6] = [
            |desk| desk.item_rules = "whitespace".into(),
            |desk| desk.card_rules = "whitespace".into(),
            |desk| desk.item_lengths = "14".into(),
            |desk| desk.card_lengths = "14".into(),
            |desk| desk.item_check_digit = true,
            |desk| desk.card_check_digit = true,
        ];
        for say in said {
            let mut desk = cards.clone();
            say(&mut desk);
            assert_eq!(desk.plain_codes(), None, "{desk:?}");
        }
    }

    #[test]
    fn each_field_says_what_is_wrong_with_it() {
        let desk = DeskSettings {
            card_pattern: "*".into(),
            item_rules: "whitespace\npad".into(),
            card_rules: "?".into(),
            item_lengths: "fourteen".into(),
            item_also: "?".into(),
            card_lengths: "0".into(),
            card_also: "*".into(),
            library_name: "x".repeat(81),
            loan_days: "0".into(),
            notice: "a\u{7}b".into(),
            ..DeskSettings::default()
        };
        assert_eq!(
            errors(&desk),
            [
                (Field::CardPattern, FieldError::Pattern),
                (Field::ItemRules, FieldError::Rule(2)),
                (Field::ItemLengths, FieldError::Lengths),
                (Field::ItemAlso, FieldError::Pattern),
                (Field::CardRules, FieldError::Rule(1)),
                (Field::CardLengths, FieldError::Lengths),
                (Field::CardAlso, FieldError::Pattern),
                (Field::LibraryName, FieldError::TooLong { length: 81, limit: 80 }),
                (Field::LoanDays, FieldError::Days(999)),
                (Field::Notice, FieldError::ControlCharacter(7)),
            ]
        );
        assert_eq!(desk.codes("CPL"), Codes { branch: "CPL".into(), ..Codes::default() }, "what is wrong does nothing");
        assert_eq!(DeskSettings { loan_days: " 21 ".into(), ..desk }.loan_days(), Ok(Some(21)));
    }

    #[test]
    fn what_a_person_calls_right_is_right_with_all_of_its_kind() {
        let mut desk = DeskSettings { item_lengths: "14".into(), ..DeskSettings::default() };
        let odd = |desk: &DeskSettings, code: &str| desk.codes("").items.oddity(code).is_some();
        assert!(odd(&desk, "ILL-17"));
        assert_eq!(desk.teach("ILL-17", false), Some((ITEM_ALSO, "ILL-##")));
        assert!(!odd(&desk, "ill-23") && odd(&desk, "ILL-123") && odd(&desk, "117"));
        assert_eq!(desk.teach("117", false), Some((ITEM_ALSO, "ILL-##, ###")));
        for nothing_new in ["ILL-99", "230", "**", "   "] {
            assert_eq!(desk.teach(nothing_new, false), None, "{nothing_new}");
        }
        assert_eq!(desk.teach("P-1", true), Some((CARD_ALSO, "P-#")));
        assert!(!odd(&desk, "ILL-17") && odd(&desk, "P-1"), "a card says nothing of items");
        // What somebody wrote there and cannot be used stays theirs.
        let mut wrong = DeskSettings { item_also: "*".into(), ..DeskSettings::default() };
        assert_eq!(wrong.teach("117", false), None);
        assert_eq!(wrong.item_also, "*");
    }
}
