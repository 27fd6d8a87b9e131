//! What the cardnumbers of a library look like, so that a card scanned into the field of an item is noticed.

use crate::desk::barcode::folded;
use thiserror::Error;

/// Patterns as a person writes them: `#` is a digit, `?` any character, `*` any number of characters, and all else stands
/// for itself, in upper or lower case. Several are separated by blanks or commas; a code fits if it fits one of them.
///
/// ```
/// use koct_core::desk::pattern::CardPattern;
/// let pattern = CardPattern::parse("23529#########, LIB-*").unwrap();
/// assert!(pattern.fits("23529001223601") && pattern.fits("lib-7"));
/// assert!(!pattern.fits("39999000001310") && !pattern.fits("2352900122360"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardPattern(Vec<Vec<Part>>);

/// What people separate patterns with: commas of several scripts, and semicolons. No cardnumber holds one.
const SEPARATORS: [char; 6] = [',', ';', '،', '؛', '，', '、'];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Digit,
    One,
    Any,
    Literal(char),
}

/// A pattern that every code would fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a pattern needs at least one digit, letter or #")]
pub struct PatternError;

impl CardPattern {
    /// Reads patterns.
    ///
    /// # Errors
    /// When one of them, or all together, say nothing about a code.
    pub fn parse(raw: &str) -> Result<Self, PatternError> {
        let alternatives: Vec<Vec<Part>> = raw
            .split(|c: char| c.is_whitespace() || SEPARATORS.contains(&c))
            .filter(|pattern| !pattern.is_empty())
            .map(|pattern| folded(pattern).chars().map(Part::from_char).collect())
            .collect();
        let says_something = |parts: &Vec<Part>| parts.iter().any(|part| !matches!(part, Part::One | Part::Any));
        if alternatives.is_empty() || !alternatives.iter().all(says_something) {
            return Err(PatternError);
        }
        Ok(Self(alternatives))
    }

    /// Whether a code looks like a cardnumber.
    pub fn fits(&self, code: &str) -> bool {
        let code: Vec<char> = folded(code.trim()).chars().collect();
        self.0.iter().any(|parts| fits(parts, &code))
    }
}

impl Part {
    fn from_char(c: char) -> Self {
        match c {
            '#' => Self::Digit,
            '?' => Self::One,
            '*' => Self::Any,
            other => Self::Literal(other),
        }
    }

    fn is(self, c: char) -> bool {
        match self {
            Self::Digit => c.is_ascii_digit(),
            Self::Literal(literal) => literal == c,
            Self::One | Self::Any => true,
        }
    }
}

/// Goes back to the last star where it fails, and so needs no more than length times length steps.
fn fits(parts: &[Part], code: &[char]) -> bool {
    let (mut part, mut at) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < code.len() {
        match parts.get(part) {
            Some(Part::Any) => {
                star = Some((part, at));
                part += 1;
            }
            Some(other) if other.is(code[at]) => {
                part += 1;
                at += 1;
            }
            _ => match star {
                Some((place, from)) => {
                    star = Some((place, from + 1));
                    part = place + 1;
                    at = from + 1;
                }
                None => return false,
            },
        }
    }
    parts[part..].iter().all(|rest| *rest == Part::Any)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_as_people_write_them() {
        for (pattern, fitting, others) in [
            ("2352*", vec!["2352", "23529001223601", " 2352x "], vec!["12352", "235", ""]),
            ("##########", vec!["0123456789"], vec!["012345678", "01234567890", "a123456789"]),
            ("P??-#*", vec!["pab-1", "PAB-12xyz"], vec!["pab-x", "pa-1"]),
            ("*9", vec!["9", "99", "129"], vec!["91"]),
            ("a*b*c", vec!["abc", "aXbYc", "abbbc"], vec!["ab", "acb"]),
            ("É#", vec!["e1", "É1"], vec!["f1"]),
            ("1##، 2##", vec!["100", "200"], vec!["300"]),
        ] {
            let parsed = CardPattern::parse(pattern).unwrap();
            for code in fitting {
                assert!(parsed.fits(code), "{code:?} fits {pattern}");
            }
            for code in others {
                assert!(!parsed.fits(code), "{code:?} does not fit {pattern}");
            }
        }
    }

    #[test]
    fn a_pattern_that_fits_all_is_refused() {
        for pattern in ["", " , ", "*", "???", "12*, *"] {
            assert_eq!(CardPattern::parse(pattern), Err(PatternError), "{pattern:?}");
        }
    }

    proptest! {
        #[test]
        fn a_code_fits_itself_and_what_a_star_is_put_into(code in "[a-zA-Z0-9-]{1,20}", place in 0usize..20) {
            prop_assert!(CardPattern::parse(&code).unwrap().fits(&code));
            let place = place.min(code.len());
            let starred = format!("{}*{}", &code[..place], &code[place..]);
            prop_assert!(CardPattern::parse(&starred).unwrap().fits(&code));
            let digits = code.replace(|c: char| c.is_ascii_digit(), "#");
            prop_assert!(CardPattern::parse(&digits).unwrap().fits(&code));
        }

        #[test]
        fn letters_count_in_upper_and_lower_case(pattern in "[0-9a-cÀ-ſ#?*, -]{0,12}|\\PC{0,16}", code in "[0-9a-cÀ-ſ -]{0,12}|\\PC{0,16}") {
            if let (Ok(pattern), Ok(upper)) = (CardPattern::parse(&pattern), CardPattern::parse(&pattern.to_ascii_uppercase())) {
                let fits = pattern.fits(&code);
                prop_assert_eq!(upper.fits(&code), fits);
                prop_assert_eq!(pattern.fits(&code.to_ascii_uppercase()), fits);
            }
        }
    }
}
