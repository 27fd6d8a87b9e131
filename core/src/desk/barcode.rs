//! Barcodes of items and cardnumbers of patrons: parsed once, valid ever after.

use crate::desk::{digits, letters::base_letters, signs};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a scanned or typed code cannot be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CodeError {
    /// Nothing is left after trimming.
    #[error("it is empty")]
    Empty,
    /// A control character (tab, line end, escape …) stands inside the code.
    #[error("it holds the control character U+{0:04X}")]
    ControlCharacter(u32),
    /// A character that nobody sees stands inside the code that was scanned or typed.
    #[error("it holds the invisible character U+{:04X}", u32::from(*.0))]
    Invisible(char),
    /// A spreadsheet has written a long number so: its digits are lost.
    #[error("a spreadsheet has written it, and its digits are lost")]
    Spreadsheet,
    /// Koha's column would cut the code.
    #[error("it has {length} characters, and Koha keeps at most {limit}")]
    TooLong {
        /// Characters in the code.
        length: usize,
        /// Characters in Koha's column.
        limit: usize,
    },
}

/// Trims as service.pl does (Perl's `\s` at both ends, bug 9263) and refuses what Koha would cut or a .koc line cannot
/// hold.
pub(crate) fn parse(raw: &str, limit: usize) -> Result<String, CodeError> {
    let code = raw.trim();
    if code.is_empty() {
        return Err(CodeError::Empty);
    }
    if let Some(control) = code.chars().find(|c| c.is_control()) {
        return Err(CodeError::ControlCharacter(u32::from(control)));
    }
    let length = code.chars().count();
    if length > limit {
        return Err(CodeError::TooLong { length, limit });
    }
    Ok(code.to_owned())
}

/// As [`parse`], for what is scanned or typed now: what nobody sees is dropped at both ends, and refused inside. What is stored
/// already stays as it is.
pub(crate) fn scanned(raw: &str, limit: usize) -> Result<String, CodeError> {
    let code = signs::trimmed(raw);
    if digits::is_exponential(code) {
        return Err(CodeError::Spreadsheet);
    }
    match code.chars().find(|sign| signs::is_invisible(*sign)) {
        Some(sign) => Err(CodeError::Invisible(sign)),
        None => parse(code, limit),
    }
}

macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $limit:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The most characters taken.
            pub const LIMIT: usize = $limit;

            /// Trims the text at both ends and checks it.
            ///
            /// # Errors
            /// When nothing is left, a control character stands inside, or it is longer than [`Self::LIMIT`].
            pub fn parse(raw: &str) -> Result<Self, $crate::desk::barcode::CodeError> {
                $crate::desk::barcode::parse(raw, Self::LIMIT).map(Self)
            }

            /// As [`Self::parse`], of what is scanned or typed.
            ///
            /// # Errors
            /// As [`Self::parse`], and when a character that nobody sees stands inside.
            pub fn scanned(raw: &str) -> Result<Self, $crate::desk::barcode::CodeError> {
                $crate::desk::barcode::scanned(raw, Self::LIMIT).map(Self)
            }

            /// The text, trimmed.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::desk::barcode::CodeError;
            fn try_from(raw: String) -> Result<Self, Self::Error> {
                Self::parse(&raw)
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> Self {
                code.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use code;

// The limits are the columns of `pending_offline_operations`.
code! {
    /// The barcode of an item.
    ///
    /// ```
    /// use koct_core::desk::barcode::Barcode;
    /// assert_eq!(Barcode::parse(" 39999000001310\t").unwrap().as_str(), "39999000001310");
    /// assert!(Barcode::parse("39999\t000001310").is_err());
    /// ```
    Barcode, 20
}

code! {
    /// The cardnumber of a patron (from Koha 23.11 also their user name: bug 34529).
    Cardnumber, 32
}

impl Barcode {
    /// The same for all spellings that Koha's database takes for the same item: its collation ignores case, accents and
    /// blanks at the end.
    pub fn item_key(&self) -> String {
        folded(&self.0)
    }
}

/// The same for all spellings that differ in case or accents only.
pub(crate) fn folded(code: &str) -> String {
    if code.is_ascii() {
        return code.to_ascii_lowercase();
    }
    base_letters(code).chars().flat_map(char::to_lowercase).collect()
}

/// Whether Koha's database takes two codes for the same: see [`Barcode::item_key`].
pub fn same_code(one: &str, other: &str) -> bool {
    folded(one.trim()) == folded(other.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_nobody_sees_is_dropped_around_a_scan_and_refused_within() {
        assert_eq!(Barcode::scanned("\u{feff} 39999\u{200b}\u{200e}\n").unwrap().as_str(), "39999");
        assert_eq!(Barcode::scanned("2.3529E+13"), Err(CodeError::Spreadsheet));
        assert_eq!(Barcode::parse("2.3529E+13").unwrap().as_str(), "2.3529E+13", "recorded before");
        assert_eq!(Barcode::scanned("399\u{200b}99"), Err(CodeError::Invisible('\u{200b}')));
        assert_eq!(Cardnumber::scanned("\u{202e}"), Err(CodeError::Empty));
        // What an earlier version has recorded is read.
        assert_eq!(Barcode::parse("399\u{200b}99").unwrap().as_str(), "399\u{200b}99");
    }

    #[test]
    fn trims_as_koha_does() {
        for raw in ["A1", " A1", "A1 ", "\tA1\r\n", "\u{a0}A1\u{2003}"] {
            assert_eq!(Barcode::parse(raw).unwrap().as_str(), "A1", "{raw:?}");
        }
        assert_eq!(Barcode::parse("BC WITH SPACE").unwrap().as_str(), "BC WITH SPACE");
    }

    #[test]
    fn refuses_with_a_reason() {
        assert_eq!(Barcode::parse(" \t"), Err(CodeError::Empty));
        assert_eq!(Barcode::parse("a\tb"), Err(CodeError::ControlCharacter(9)));
        assert_eq!(Barcode::parse("a\u{0}b"), Err(CodeError::ControlCharacter(0)));
        assert_eq!(Barcode::parse("a\u{85}b"), Err(CodeError::ControlCharacter(0x85)));
        let error = Barcode::parse(&"9".repeat(200)).unwrap_err();
        assert_eq!(error, CodeError::TooLong { length: 200, limit: 20 });
        assert!(error.to_string().contains("20"), "the message names the limit");
        assert!(Cardnumber::parse(&"9".repeat(32)).is_ok());
        assert!(Cardnumber::parse(&"9".repeat(33)).is_err());
    }

    #[test]
    fn the_limit_counts_characters_and_not_bytes() {
        assert!(Barcode::parse(&"é".repeat(20)).is_ok());
        assert!(Barcode::parse(&"📚".repeat(21)).is_err());
    }

    #[test]
    fn one_item_has_one_key_however_it_is_spelled() {
        let key = |raw| Barcode::parse(raw).unwrap().item_key();
        assert_eq!(key("CÓDIGO-É60"), key("codigo-e60"));
        assert_ne!(key("A1"), key("A2"));
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_done_after_once(raw in "[ \t\r\n\\x00-\\x1f]{0,2}\\PC{0,24}[ \n]{0,2}") {
            if let Ok(barcode) = Barcode::parse(&raw) {
                prop_assert_eq!(Barcode::parse(barcode.as_str()).unwrap(), barcode.clone());
                prop_assert!(barcode.as_str().chars().count() <= Barcode::LIMIT);
            }
        }
    }
}
