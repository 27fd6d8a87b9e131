//! Whether a passphrase for the records is taken, and how good it is.
//!
//! What is refused is what anybody tries first. A whole dictionary would be larger than the rest of the add-on, so what is
//! said of the others is a simple count.

use thiserror::Error;

/// The least number of characters of a passphrase.
const SHORTEST: usize = 8;

/// Why a passphrase is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PassphraseError {
    /// It has fewer characters than this.
    #[error("choose at least {0} characters")]
    Short(usize),
    /// It is one of those that are tried first.
    #[error("this passphrase is one of those that are tried first")]
    Common,
    /// It was typed in another way the second time.
    #[error("the two passphrases are not the same")]
    Differs,
}

/// How long a passphrase would hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// It can be guessed.
    Weak,
    /// Better than most.
    Fair,
    /// Several words, or many characters of all kinds.
    Strong,
}

/// The commonest, and what a library would think of first: small letters without blanks, as they are compared. Those that
/// are shorter than a passphrase may be come with digits.
const COMMON: &[&str] = &[
    "abc",
    "abcd",
    "abcdef",
    "access",
    "admin",
    "adminadmin",
    "administrator",
    "asdf",
    "asdfasdf",
    "asdfgh",
    "asdfghjkl",
    "asdfghjk",
    "azerty",
    "azertyuiop",
    "baseball",
    "batman",
    "bibliotek",
    "biblioteca",
    "bibliothek",
    "bibliotheque",
    "bibliothèque",
    "bücherei",
    "changeit",
    "changeme",
    "charlie",
    "computer",
    "contrasena",
    "contraseña",
    "corvette",
    "default",
    "dragon",
    "firefox",
    "football",
    "geheim",
    "guest",
    "hallo",
    "hello",
    "heslo",
    "iloveyou",
    "internet",
    "jennifer",
    "kirjasto",
    "knihovna",
    "koha",
    "kohaadmin",
    "kohakoha",
    "koct",
    "kütüphane",
    "letmein",
    "library",
    "librarian",
    "login",
    "master",
    "mercedes",
    "michael",
    "michelle",
    "monkey",
    "motdepasse",
    "mustang",
    "opac",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "passwort",
    "parola",
    "princess",
    "q1w2e3r4",
    "q1w2e3r4t5",
    "qazwsx",
    "qazwsxedc",
    "qwer",
    "qwert",
    "qwerty",
    "qwertyui",
    "qwertyuiop",
    "qwertz",
    "qwertzui",
    "qwertzuiop",
    "root",
    "salasana",
    "secret",
    "senha",
    "shadow",
    "staff",
    "starwars",
    "sunshine",
    "superman",
    "test",
    "testtest",
    "trustno",
    "user",
    "victoria",
    "welcome",
    "whatever",
    "zaq12wsx",
    "1q2w3e4r",
    "1q2w3e4r5t",
    "1qaz2wsx",
    "1qazxsw2",
    "a1b2c3d4",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "pa55word",
    "密碼",
    "圖書館",
    "مكتبة",
];

/// Checks a new passphrase, which was typed twice.
///
/// # Errors
/// When it is not taken.
pub fn check(typed: &str, again: &str) -> Result<(), PassphraseError> {
    if typed.chars().count() < SHORTEST {
        Err(PassphraseError::Short(SHORTEST))
    } else if is_common(typed) {
        Err(PassphraseError::Common)
    } else if typed == again {
        Ok(())
    } else {
        Err(PassphraseError::Differs)
    }
}

/// How good the passphrase is that is being typed.
pub fn strength(typed: &str) -> Strength {
    if typed.chars().count() < SHORTEST || is_common(typed) {
        return Strength::Weak;
    }
    // In half bits: a letter of a word tells little, since the next can be guessed from it.
    let worth = |character: char| match character {
        letter if letter.is_lowercase() => 5,
        digit if digit.is_ascii_digit() => 6,
        blank if blank.is_whitespace() => 4,
        _ => 8,
    };
    let half_bits: u32 = surprising(typed).map(worth).sum();
    match half_bits {
        0..56 => Strength::Weak,
        56..90 => Strength::Fair,
        _ => Strength::Strong,
    }
}

/// The characters that do not go on from the one before as in `aaa`, `abc` or `321`.
fn surprising(text: &str) -> impl Iterator<Item = char> {
    let before = std::iter::once(None).chain(text.chars().map(Some));
    text.chars().zip(before).filter_map(|(character, before)| {
        let goes_on = before.is_some_and(|before| u32::from(before).abs_diff(u32::from(character)) <= 1);
        (!goes_on).then_some(character)
    })
}

fn is_common(typed: &str) -> bool {
    let small: Vec<char> = typed.to_lowercase().chars().filter(|c| !c.is_whitespace() && !"-_.".contains(*c)).collect();
    let text: String = small.iter().collect();
    // `12345678`, `aaaaaaaa`, `87654321`, `zyxwvuts`.
    let is_run = surprising(&text).count() <= 2;
    // `12121212`, `kohakoha`: nothing but the same one to four characters.
    let repeats = (1..=4).any(|period| small.iter().zip(small.iter().skip(period)).all(|(one, next)| one == next));
    let word = text.trim_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
    is_run || repeats || word.is_empty() || [text.as_str(), word].iter().any(|it| COMMON.contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_tried_first_is_refused_however_it_is_spelled() {
        for common in [
            "12345678",
            "123456789",
            "87654321",
            "00000000",
            "12121212",
            "11111111",
            "password",
            "Password1",
            "PASSWORD123!",
            "Pass word",
            "passw0rd",
            "qwertyuiop",
            "1q2w3e4r",
            "abcdefgh",
            "kohakoha",
            "koha2026",
            "Koha-1234",
            "library1",
            "biblioteca",
            "Bücherei1",
            "29112026",
            "2026-11-29",
            "abababab",
            "        ",
        ] {
            assert_eq!(check(common, common), Err(PassphraseError::Common), "{common}");
            assert_eq!(strength(common), Strength::Weak, "{common}");
        }
    }

    #[test]
    fn others_are_taken_where_both_are_the_same() {
        assert_eq!(check("wäldchen", "wäldchen"), Ok(()));
        assert_eq!(check("wäldche", "wäldche"), Err(PassphraseError::Short(8)));
        assert_eq!(check("wäldchen", "Wäldchen"), Err(PassphraseError::Differs));
    }

    #[test]
    fn more_words_or_more_kinds_are_better() {
        use Strength::{Fair, Strong, Weak};
        for (typed, expected) in [
            ("", Weak),
            ("wäldche", Weak),
            ("wäldchen", Weak),
            ("wald am see", Weak),
            ("grüner wald am see", Fair),
            ("Tr0ub4dor&3", Fair),
            ("correct horse battery staple", Strong),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", Weak),
            ("圖書館的鑰匙在桌上面喔", Fair),
        ] {
            assert_eq!(strength(typed), expected, "{typed}");
        }
    }

    proptest! {
        #[test]
        fn what_is_longer_is_never_weaker(typed in "[ -~äß書]{8,30}", more in "[a-z]{1,9}") {
            // What makes a common one of it is another matter.
            if check(&typed, &typed).is_ok() {
                let longer = format!("{typed} {more}x");
                prop_assert!(strength(&longer) >= strength(&typed), "{}", longer);
            }
        }
    }
}
