//! What the codes of a library are like, learned from all that it has: lengths, letters or digits, and how they begin. A code that is
//! like none of them may have been misread, cut, or be no code of this library.
//!
//! What is learned is small and names no record: only what many codes share is kept.

use crate::ordered::LiteMap;
use serde::{Deserialize, Serialize};

/// Fewer codes say nothing about the library.
const LEAST: u32 = 200;
/// From this number of codes on a kind, or a beginning, is the library's…
const FEW: u32 = 5;
/// …if it is not that of less than one in this number.
const RARE: u32 = 200;
/// What is the library's holds for all but one of this number of codes: otherwise anything is possible there.
const STRAYS: u32 = 20;
/// The number of beginnings that are kept of a kind: where there are more, any is possible.
const BEGINNINGS: usize = 16;
/// The number of characters of a beginning.
const BEGINNING: usize = 4;
/// Shorter numbers are counted from 1 on: their beginnings say nothing.
const LONG: usize = 10;
/// The number of beginnings that are counted before it is given up.
const COUNTED: usize = 1_000;
/// The most characters that a code has in Koha, which is a card's.
const LONGEST: usize = 32;

/// What a code is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Signs {
    Digits,
    /// Letters, perhaps with digits.
    Letters,
    /// Something else is in it: a hyphen, a blank.
    Other,
}

impl Signs {
    fn of(code: &str) -> Self {
        if code.chars().all(|sign| sign.is_ascii_digit()) {
            Self::Digits
        } else if code.chars().all(|sign| sign.is_ascii_alphanumeric()) {
            Self::Letters
        } else {
            Self::Other
        }
    }
}

/// How a code begins, as far as that says something: the letters before its number, or the first digits of a long number. In capitals, as
/// Koha does not tell them from small letters.
fn beginning(code: &str) -> String {
    let digits = if Signs::of(code) == Signs::Digits && code.len() >= LONG { BEGINNING } else { 0 };
    let letters = code.chars().take_while(|sign| !sign.is_ascii_digit()).count().min(BEGINNING);
    code.chars().take(digits.max(letters)).map(|sign| sign.to_ascii_uppercase()).collect()
}

/// Codes of one length, made of the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kind {
    length: usize,
    signs: Signs,
    /// How they begin; empty where anything is possible.
    #[serde(default)]
    beginnings: Vec<String>,
}

/// The kinds of codes that a library has; none where nothing could be learned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kinds(Vec<Kind>);

impl Kinds {
    /// Whether a code is like those of the library. All are where nothing was learned.
    pub fn has(&self, code: &str) -> bool {
        let (length, signs) = (code.chars().count(), Signs::of(code));
        let is_like = |kind: &Kind| {
            let begins = || kind.beginnings.is_empty() || kind.beginnings.contains(&beginning(code));
            kind.length == length && kind.signs == signs && begins()
        };
        self.0.is_empty() || self.0.iter().any(is_like)
    }

    /// Whether nothing could be learned.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lengths of codes that are numbers.
    pub fn lengths_of_numbers(&self) -> impl Iterator<Item = usize> {
        self.0.iter().filter(|kind| kind.signs == Signs::Digits).map(|kind| kind.length)
    }
}

/// Counts codes. What it keeps does not grow with their number.
///
/// ```
/// use koct_core::desk::kinds::Count;
/// let mut count = Count::default();
/// for number in 0..200 {
///     count.take(&format!("39999{number:09}"));
/// }
/// let kinds = count.kinds();
/// assert!(kinds.has("39999000001310"));
/// assert!(!kinds.has("3999900000131") && !kinds.has("23529000001310") && !kinds.has("3999900000131O"));
/// ```
#[derive(Debug, Default)]
pub struct Count {
    all: u32,
    kinds: LiteMap<(usize, Signs), Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    number: u32,
    beginnings: LiteMap<String, u32>,
    /// There are too many beginnings to say something.
    is_any: bool,
}

impl Count {
    /// Takes in a code. Empty ones are none.
    pub fn take(&mut self, code: &str) {
        let code = code.trim();
        let length = code.chars().count();
        if !(1..=LONGEST).contains(&length) {
            return;
        }
        self.all = self.all.saturating_add(1);
        let counted = self.kinds.entry((length, Signs::of(code))).or_default();
        counted.number = counted.number.saturating_add(1);
        if counted.is_any {
            return;
        }
        *counted.beginnings.entry(beginning(code)).or_default() += 1;
        if counted.beginnings.len() > COUNTED {
            counted.is_any = true;
            counted.beginnings.clear();
        }
    }

    /// What can be learned from them.
    pub fn kinds(&self) -> Kinds {
        let usual: Vec<_> = self.kinds.iter().filter(|(_, counted)| is_usual(counted.number, self.all)).collect();
        let number = usual.iter().map(|(_, counted)| counted.number).sum();
        if self.all < LEAST || !is_most(number, self.all) {
            return Kinds::default();
        }
        let kind = |(&(length, signs), counted): (&(usize, Signs), &Counted)| Kind {
            length,
            signs,
            beginnings: counted.usual_beginnings(),
        };
        Kinds(usual.into_iter().map(kind).collect())
    }
}

impl Counted {
    fn usual_beginnings(&self) -> Vec<String> {
        let usual: Vec<_> = self.beginnings.iter().filter(|(_, number)| is_usual(**number, self.number)).collect();
        let number = usual.iter().map(|(_, number)| **number).sum();
        if self.is_any || usual.len() > BEGINNINGS || !is_most(number, self.number) {
            return Vec::new();
        }
        usual.into_iter().map(|(beginning, _)| beginning.clone()).collect()
    }
}

fn is_usual(number: u32, all: u32) -> bool {
    number >= FEW && u64::from(number) * u64::from(RARE) >= u64::from(all)
}

fn is_most(number: u32, all: u32) -> bool {
    u64::from(all - number) * u64::from(STRAYS) <= u64::from(all)
}

/// A pattern that fits this code and all of its kind, for a [`CardPattern`](super::pattern::CardPattern): what it begins with, and behind
/// that `#` for each digit and `?` for whatever else.
///
/// ```
/// use koct_core::desk::kinds::pattern;
/// assert_eq!(pattern("40000000001310"), "4000##########");
/// assert_eq!((pattern("ILL-17"), pattern("117")), ("ILL-##".to_owned(), "###".to_owned()));
/// ```
pub fn pattern(code: &str) -> String {
    let beginning = beginning(code).chars().count();
    let sign = |(place, sign): (usize, char)| match sign {
        // What stands for itself in a pattern.
        _ if place < beginning && (sign.is_ascii_alphanumeric() || "-./$+%_:".contains(sign)) => sign,
        _ if sign.is_ascii_digit() => '#',
        _ => '?',
    };
    code.chars().enumerate().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::pattern::CardPattern;
    use proptest::prelude::*;

    fn kinds<'a>(codes: impl IntoIterator<Item = &'a str>) -> Kinds {
        let mut count = Count::default();
        codes.into_iter().for_each(|code| count.take(code));
        count.kinds()
    }

    fn numbered(number: u32, code: impl Fn(u32) -> String) -> Vec<String> {
        (0..number).map(code).collect()
    }

    fn learned(codes: &[Vec<String>]) -> Kinds {
        kinds(codes.iter().flatten().map(String::as_str))
    }

    #[test]
    fn what_nearly_all_share_is_the_librarys_and_the_rest_is_none_of_it() {
        let of_library = [
            numbered(600, |number| format!("39999{number:09}")),
            numbered(300, |number| format!("31111{number:09}")),
            numbered(50, |number| format!("cd{number:05}")),
            // Slips of somebody who typed them, which are still in the catalogue.
            vec!["3999900000017".into(), "x".into(), "n/a".into(), "23529000000010".into()],
        ];
        let kinds = learned(&of_library);
        for code in ["39999123456789", "31110000000001", "CD12345", "cd00000"] {
            assert!(kinds.has(code), "{code}");
        }
        for code in ["3999900000017", "399991234567890", "23529000000010", "CD1234", "DC12345", "39999-12345678", ""] {
            assert!(!kinds.has(code), "{code}");
        }
        assert_eq!(kinds.lengths_of_numbers().collect::<Vec<_>>(), [14]);
    }

    #[test]
    fn numbers_that_are_counted_on_may_begin_with_anything() {
        let kinds = learned(&[numbered(20_000, |number| (number + 1).to_string())]);
        assert!(kinds.has("20001") && kinds.has("777") && kinds.has("99999"));
        assert!(!kinds.has("200011234"));
        let kinds = learned(&[numbered(5_000, |number| format!("{:013}", u64::from(number) * 1_999_999_973))]);
        assert!(kinds.has("9780000000000"), "they begin with more than can be kept");
        assert!(!kinds.has("978000000000"));
    }

    #[test]
    fn where_there_are_few_or_all_sorts_nothing_is_learned() {
        assert_eq!(learned(&[numbered(199, |number| format!("39999{number:09}"))]), Kinds::default());
        let all_sorts = numbered(400, |number| "7".repeat(usize::try_from(number % 32).unwrap() + 1));
        assert!(learned(std::slice::from_ref(&all_sorts)).has("77"), "each of many");
        let mixed = [numbered(300, |number| format!("39999{number:09}")), all_sorts[..32].to_vec()];
        assert_eq!(learned(&mixed), Kinds::default(), "one in ten is of another kind");
        assert!(Kinds::default().has("anything"));
    }

    #[test]
    fn what_was_learned_is_stored_in_few_bytes_and_names_no_code() {
        let codes = numbered(30_000, |number| format!("3999{}{number:09}", number % 10));
        let kinds = learned(&[codes]);
        let json = serde_json::to_string(&kinds).unwrap();
        assert_eq!(json, r#"[{"length":14,"signs":"digits","beginnings":["3999"]}]"#);
        assert_eq!(serde_json::from_str::<Kinds>(&json).unwrap(), kinds);
        let without = serde_json::from_str::<Kinds>(r#"[{"length":8,"signs":"other"}]"#).unwrap();
        assert!(without.has("A-123456") && !without.has("A1234567"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_code_fits_its_pattern_and_its_kind_does(code in "[A-Za-z]{0,5}[0-9]{1,14}|[0-9]{1,16}|[A-Z]{1,3}[- .*#?,][0-9]{1,8}") {
            if let Ok(pattern) = CardPattern::parse(&pattern(&code)) {
                prop_assert!(pattern.fits(&code));
            }
            let other: String = code.chars().map(|sign| if sign.is_ascii_digit() { '7' } else { sign }).collect();
            let same_beginning = beginning(&other) == beginning(&code);
            prop_assert_eq!(CardPattern::parse(&pattern(&code)).map(|pattern| pattern.fits(&other)), Ok(same_beginning));
        }

        /// Whatever there is, nothing of what nearly all have is asked about.
        #[test]
        fn few_of_the_codes_that_it_was_learned_from_are_asked_about(codes in prop::collection::vec("[0-9]{1,3}|3999[0-9]{10}|[A-C][0-9]{4}|\\PC{0,6}", 0..600)) {
            let kinds = kinds(codes.iter().map(String::as_str));
            let codes: Vec<_> = codes.iter().map(|code| code.trim()).filter(|code| !code.is_empty()).collect();
            let asked = codes.iter().filter(|code| !kinds.has(code)).count();
            prop_assert!(asked * 10 <= codes.len(), "{} of {}", asked, codes.len());
        }
    }
}
