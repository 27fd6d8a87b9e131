//! Signs that nobody sees, that turn text around, or that look like others.
//!
//! A code that was pasted, or that a scanner gives, can hold them: two codes look alike then, and Koha knows one of them. In a
//! name they can make the words around it read as something else.

use std::borrow::Cow;

/// The signs without a shape of their own: Unicode's general category Cf, the selectors of variations, and fillers that are
/// blank (Unicode 16, `DerivedGeneralCategory.txt` and `Default_Ignorable_Code_Point`).
const INVISIBLE: [(char, char); 26] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// What those are called that are met.
const NAMES: [(char, &str); 23] = [
    ('\u{a0}', "NO-BREAK SPACE"),
    ('\u{ad}', "SOFT HYPHEN"),
    ('\u{61c}', "ARABIC LETTER MARK"),
    ('\u{200b}', "ZERO WIDTH SPACE"),
    ('\u{200c}', "ZERO WIDTH NON-JOINER"),
    ('\u{200d}', "ZERO WIDTH JOINER"),
    ('\u{200e}', "LEFT-TO-RIGHT MARK"),
    ('\u{200f}', "RIGHT-TO-LEFT MARK"),
    ('\u{2010}', "HYPHEN"),
    ('\u{2011}', "NON-BREAKING HYPHEN"),
    ('\u{2013}', "EN DASH"),
    ('\u{2014}', "EM DASH"),
    ('\u{202a}', "LEFT-TO-RIGHT EMBEDDING"),
    ('\u{202b}', "RIGHT-TO-LEFT EMBEDDING"),
    ('\u{202c}', "POP DIRECTIONAL FORMATTING"),
    ('\u{202d}', "LEFT-TO-RIGHT OVERRIDE"),
    ('\u{202e}', "RIGHT-TO-LEFT OVERRIDE"),
    ('\u{202f}', "NARROW NO-BREAK SPACE"),
    ('\u{2060}', "WORD JOINER"),
    ('\u{2212}', "MINUS SIGN"),
    ('\u{2019}', "RIGHT SINGLE QUOTATION MARK"),
    ('\u{3000}', "IDEOGRAPHIC SPACE"),
    ('\u{feff}', "ZERO WIDTH NO-BREAK SPACE"),
];

/// Letters of other scripts that are drawn as Latin ones, or as digits, are.
const LOOKALIKES: &str = "АВЕЅІЈКМНОРСТУХаеѕіјорсухһԁԛԝӏЗзΑΒΕΖΗΙΚΜΝΟΡΤΥΧοναγρυχΙՕօՍսℹ\u{212a}ⅠⅤⅩⅬⅭⅮⅯⅰⅴⅹⅼⅽⅾⅿ";

/// What word processors and web pages put in place of a blank, a hyphen, an apostrophe or a slash: on no label does it stand as such.
const STAND_INS: [(char, char); 10] = [
    ('\u{a0}', '\u{a0}'),
    ('\u{2bc}', '\u{2bc}'),
    ('\u{2000}', '\u{200a}'),
    ('\u{2010}', '\u{2015}'),
    ('\u{2018}', '\u{201b}'),
    ('\u{202f}', '\u{202f}'),
    ('\u{2043}', '\u{2044}'),
    ('\u{205f}', '\u{205f}'),
    ('\u{2212}', '\u{2215}'),
    ('\u{3000}', '\u{3000}'),
];

/// Whether nobody sees it.
pub fn is_invisible(sign: char) -> bool {
    INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&sign))
}

/// What a sign is called: `U+200B ZERO WIDTH SPACE`.
pub fn name(sign: char) -> String {
    let name = NAMES.iter().find(|(named, _)| *named == sign).map_or("", |(_, name)| name);
    format!("U+{:04X} {name}", u32::from(sign)).trim_end().to_owned()
}

/// Without blanks and what nobody sees at both ends, which pasting and scanners add.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|sign: char| sign.is_whitespace() || is_invisible(sign))
}

/// A sign that looks like one of ours, and is another: a letter of another script where the code seems to be in Latin letters,
/// a wide, bold or otherwise styled letter or digit, or what stands in for a blank or a hyphen. Codes that are wholly in another script
/// are as they are meant.
pub fn lookalike(code: &str) -> Option<char> {
    if code.is_ascii() {
        return None;
    }
    let is_styled = |sign: char| {
        ('\u{ff01}'..='\u{ff5e}').contains(&sign)
            || ('\u{1d400}'..='\u{1d7ff}').contains(&sign)
            || STAND_INS.iter().any(|(first, last)| (*first..=*last).contains(&sign))
    };
    let is_ours = |sign: char| sign.is_ascii() || !sign.is_alphabetic() || is_latin(sign);
    let seems_latin = code.chars().all(|sign| is_ours(sign) || LOOKALIKES.contains(sign) || is_styled(sign));
    code.chars().find(|sign| is_styled(*sign) || (seems_latin && LOOKALIKES.contains(*sign)))
}

/// Whether it is one of the Latin letters with marks, which many languages have.
fn is_latin(letter: char) -> bool {
    ('\u{aa}'..='\u{24f}').contains(&letter) || ('\u{1e00}'..='\u{1eff}').contains(&letter)
}

/// A sign of a code that nobody sees, or that only looks like one of ours.
pub fn odd(code: &str) -> Option<char> {
    // Nearly all are, and a file may have a million.
    if code.is_ascii() {
        return None;
    }
    code.chars().find(|sign| is_invisible(*sign)).or_else(|| lookalike(code))
}

/// A text from outside, to be shown among others: without what turns those around, and without what nobody sees. What joins
/// letters in some scripts stays, and so do pairs that isolate.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut open = 0_i32;
    let is_paired = text.chars().all(|sign| {
        open += match sign {
            '\u{2066}'..='\u{2068}' => 1,
            '\u{2069}' => -1,
            _ => 0,
        };
        open >= 0
    }) && open == 0;
    let stays = |sign: char| match sign {
        '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' => true,
        '\u{2066}'..='\u{2069}' => is_paired,
        _ => !is_invisible(sign),
    };
    if text.chars().all(stays) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().filter(|sign| stays(*sign)).collect())
    }
}

/// Whether a text holds letters that run from right to left: among others they would turn numbers and signs beside them around, so
/// it must be isolated there.
pub fn runs_from_right_to_left(text: &str) -> bool {
    let is_one = |sign: char| matches!(sign, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}');
    !text.is_ascii() && text.chars().any(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_what_nobody_sees() {
        assert_eq!(name('\u{200b}'), "U+200B ZERO WIDTH SPACE");
        assert_eq!(name('\u{e0041}'), "U+E0041");
        for (sign, _) in NAMES {
            assert_eq!(odd(&format!("A{sign}1")), Some(sign), "{sign:?}");
        }
        for sign in "aé9 -١א中👍\u{301}".chars() {
            assert!(!is_invisible(sign), "{sign:?}");
        }
    }

    #[test]
    fn what_looks_like_ours_and_is_another_is_found() {
        for (code, found) in [
            ("39999000000001", None),
            ("А1234", Some('А')),
            ("AB\u{421}1", Some('\u{421}')),
            ("３9999", Some('３')),
            ("é-А1", Some('А')),
            ("Ł7\u{3bf}", Some('\u{3bf}')),
            ("З9999", Some('З')),
            ("𝟑9999", Some('𝟑')),
            ("IMS\u{2011}b\u{2011}126", Some('\u{2011}')),
            ("IMS\u{2013}126", Some('\u{2013}')),
            ("BC\u{a0}1", Some('\u{a0}')),
            ("БР\u{2212}12", Some('\u{2212}')),
            ("BC WITH-SPACE/'1", None),
            // Somebody's own letters.
            ("Щ1234", None),
            ("КНИГА", None),
            ("БР-А12", None),
            ("Ω7", None),
            ("é7", None),
            ("١٢٣", None),
        ] {
            assert_eq!(lookalike(code), found, "{code}");
        }
    }

    #[test]
    fn letters_from_right_to_left_are_known() {
        for text in ["שלום 7", "Anna مرحبا", "\u{fe8f}", "\u{1e900}"] {
            assert!(runs_from_right_to_left(text), "{text}");
        }
        for text in ["", "39999", "Zoë Щ 中 ٣".trim_end_matches('٣'), "\u{feff}", "👍"] {
            assert!(!runs_from_right_to_left(text), "{text}");
        }
    }

    #[test]
    fn nothing_turns_what_stands_around_it() {
        for (text, shown) in [
            ("Zoë Müller", "Zoë Müller"),
            ("Zoë\u{202e} gnp.exe", "Zoë gnp.exe"),
            ("\u{feff}An\u{ad}na\u{200b}é", "Annaé"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("é\u{2069}", "é"),
            ("\u{2068}é\u{2069}", "\u{2068}é\u{2069}"),
            ("\u{2069}é\u{2068}", "é"),
            ("👍\u{fe0f}", "👍\u{fe0f}"),
        ] {
            assert_eq!(harmless(text), shown, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn is_done_once_for_all(text in "(\\PC|[\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}a]){0,12}") {
            let shown = harmless(&text).into_owned();
            prop_assert_eq!(harmless(&shown), shown.as_str());
            let turned = shown.contains('\u{202e}');
            prop_assert!(!turned);
            prop_assert_eq!(trimmed(trimmed(&text)), trimmed(&text));
        }
    }
}
