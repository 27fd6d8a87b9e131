//! How the codes of a library are read, and what is kept of those that were scanned as something else.

use crate::desk::{pattern::CardPattern, rules::Rules, signs};
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
