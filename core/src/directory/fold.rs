//! Names as they are looked for: without case and accents, and letters that have no accent as most keyboards have them.

use crate::desk::letters::base_letters;

/// A name without case and accents.
pub(super) fn folded(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(name.len());
    for c in base_letters(name).chars().flat_map(char::to_lowercase) {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
            'ł' => folded.push('l'),
            'ħ' => folded.push('h'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            c => folded.push(c),
        }
    }
    folded
}

/// The words of a folded name: an apostrophe or a hyphen parts them, so that each part is found.
pub(super) fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_what_keyboards_lack() {
        for (name, plain) in [
            ("Müller", "muller"),
            ("WEIß", "weiss"),
            ("Łukasz", "lukasz"),
            ("Søren Ångström", "soren angstrom"),
            ("İbrahim Işık", "ibrahim isik"),
            ("Đorđe", "dorde"),
            ("Nguyễn", "nguyen"),
            ("ΓΙΏΡΓΟΣ", "γιωργοσ"),
            ("Γιώργος", "γιωργοσ"),
            ("أحمد", "احمد"),
            ("張", "張"),
        ] {
            assert_eq!(folded(name), plain);
        }
    }

    #[test]
    fn parts_words() {
        assert!(words("o'brien-smith  van der  berg.").eq(["o", "brien", "smith", "van", "der", "berg"]));
        assert_eq!(words(" - ").count(), 0);
    }
}
