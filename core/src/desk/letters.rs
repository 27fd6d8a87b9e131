//! Letters without what stands on them.
//!
//! It takes Unicode's tables to know them. A browser has these tables, and with a second copy the window would start with a
//! third more; so whoever runs the rules can give a function of its own.

use std::sync::OnceLock;

/// A text in compatibility decomposition (NFKD), without combining marks.
pub type BaseLetters = fn(&str) -> String;

static GIVEN: OnceLock<BaseLetters> = OnceLock::new();

/// From now on letters are known by this function. Where one was given already, that one stays.
pub fn know_by(base_letters: BaseLetters) {
    // The same codes must be the same ever after, whoever gives another one.
    let _ = GIVEN.set(base_letters);
}

/// The text in compatibility decomposition, without combining marks.
pub(crate) fn base_letters(text: &str) -> String {
    GIVEN.get().map_or_else(|| by_tables(text), |given| given(text))
}

/// By tables that are compiled in.
#[cfg(feature = "unicode-tables")]
pub fn by_tables(text: &str) -> String {
    use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
    text.nfkd().filter(|c| !is_combining_mark(*c)).collect()
}

/// Where there are none, and none were given, letters stay as they are.
#[cfg(not(feature = "unicode-tables"))]
fn by_tables(text: &str) -> String {
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_on_letters_is_left_out() {
        for (text, plain) in [
            ("Éa", "Ea"),
            ("İ", "I"),
            ("\u{e9}", "e"),
            ("e\u{301}", "e"),
            ("ﬁ①", "fi1"),
            ("Ａ１", "A1"),
            ("ｶﾞ", "カ"),
            ("각", "\u{1100}\u{1161}\u{11a8}"),
            ("أ", "ا"),
        ] {
            assert_eq!(by_tables(text), plain, "{text}");
        }
    }
}
