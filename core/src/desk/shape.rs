//! What the codes of a library look like, so that one that was misread, cut or run together with another is asked about.

use crate::desk::{digits::is_number, pattern::CardPattern};
use thiserror::Error;

/// The lengths that codes have, whether they end with a check digit, and which are right besides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    /// Empty where nobody has said.
    lengths: Vec<usize>,
    has_check_digit: bool,
    also: Option<CardPattern>,
}

/// What is odd about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// It has this number of characters, and codes here have others.
    Length(usize),
    /// Its check digit is wrong.
    CheckDigit,
    /// It is like none of those that the records know.
    Unlike,
}

/// What was written are no lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("lengths are numbers from 1 to 40, with commas between them")]
pub struct ShapeError;

impl Shape {
    /// Reads lengths as a person writes them: `14, 10`.
    ///
    /// # Errors
    /// When one is no number from 1 to 40.
    pub fn parse(lengths: &str, has_check_digit: bool) -> Result<Self, ShapeError> {
        let words = lengths.split(|sign: char| sign.is_whitespace() || matches!(sign, ',' | ';' | '،' | '、' | '，'));
        let read = |word: &str| word.parse().ok().filter(|length| (1..=40).contains(length)).ok_or(ShapeError);
        let lengths = words.filter(|word| !word.is_empty()).map(read).collect::<Result<_, _>>()?;
        Ok(Self { lengths, has_check_digit, also: None })
    }

    /// Codes that fit this are right, whatever else is said here.
    #[must_use]
    pub fn and_also(self, also: Option<CardPattern>) -> Self {
        Self { also, ..self }
    }

    /// Whether what was learned of this library's codes says anything of this one: nobody has set what they look like, or that it is right.
    pub fn is_open(&self, code: &str) -> bool {
        self.lengths.is_empty() && !self.is_also(code)
    }

    fn is_also(&self, code: &str) -> bool {
        self.also.as_ref().is_some_and(|also| also.fits(code))
    }

    /// What is odd about a code that is meant so.
    ///
    /// ```
    /// use koct_core::desk::shape::{Oddity, Shape};
    /// let shape = Shape::parse("14", true).unwrap();
    /// assert_eq!(shape.oddity("39999000001311"), None);
    /// assert_eq!(shape.oddity("39999000001310"), Some(Oddity::CheckDigit));
    /// assert_eq!(shape.oddity("3999900000"), Some(Oddity::Length(10)));
    /// ```
    pub fn oddity(&self, code: &str) -> Option<Oddity> {
        if self.is_also(code) {
            return None;
        }
        let length = code.chars().count();
        if !self.lengths.is_empty() && !self.lengths.contains(&length) {
            return Some(Oddity::Length(length));
        }
        (self.has_check_digit && is_number(code) && !is_right(code)).then_some(Oddity::CheckDigit)
    }
}

/// Whether the last digit is the check digit of those before it, modulo 10 (ISO/IEC 7812-1, after Luhn).
fn is_right(digits: &str) -> bool {
    let weighted = digits.bytes().rev().enumerate().map(|(place, digit)| match (place % 2, u32::from(digit - b'0')) {
        (1, digit) if digit > 4 => 2 * digit - 9,
        (1, digit) => 2 * digit,
        (_, digit) => digit,
    });
    weighted.sum::<u32>().is_multiple_of(10)
}

/// Two numbers that have run together: each is a half.
pub fn halves(code: &str) -> Option<(&str, &str)> {
    /// Shorter numbers are no codes.
    const LEAST: usize = 8;
    let is_double = is_number(code) && code.len().is_multiple_of(2) && code.len() >= 2 * LEAST;
    is_double.then(|| code.split_at(code.len() / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_as_people_write_them() {
        let shape = Shape::parse(" 14,10; 8", false).unwrap();
        for (code, oddity) in
            [("39999000001310", None), ("é234567890", None), ("12345678", None), ("1234", Some(Oddity::Length(4)))]
        {
            assert_eq!(shape.oddity(code), oddity, "{code}");
        }
        assert_eq!(Shape::parse("", false).unwrap().oddity("1"), None, "nobody has said");
        for wrong in ["0", "41", "x", "14-16", "1.5"] {
            assert_eq!(Shape::parse(wrong, false), Err(ShapeError), "{wrong}");
        }
    }

    #[test]
    fn what_is_right_besides_is_nowhere_odd_and_what_is_set_goes_before_what_was_learned() {
        let shape = Shape::parse("14", true).unwrap().and_also(CardPattern::parse("ILL-*, ###").ok());
        for (code, oddity) in [("ill-17", None), ("117", None), ("1170", Some(Oddity::Length(4)))] {
            assert_eq!(shape.oddity(code), oddity, "{code}");
            assert!(!shape.is_open(code), "{code}");
        }
        let unset = Shape::parse("", true).unwrap().and_also(CardPattern::parse("###").ok());
        assert!(unset.is_open("1170") && !unset.is_open("117"));
    }

    #[test]
    fn what_is_no_number_has_no_check_digit() {
        let shape = Shape::parse("", true).unwrap();
        assert_eq!(shape.oddity("B000126"), None);
        assert_eq!(shape.oddity("3999900000131"), Some(Oddity::CheckDigit), "it was cut");
    }

    #[test]
    fn two_codes_are_told_apart_and_one_is_no_two() {
        assert_eq!(halves("3999900000131139999000001310"), Some(("39999000001311", "39999000001310")));
        for one in ["39999000001311", "399990000013113999900000131", "A999900000131139999000001310", ""] {
            assert_eq!(halves(one), None, "{one}");
        }
    }

    proptest! {
        /// Each digit that is misread and most pairs that are swapped are noticed: that is what a check digit is for.
        #[test]
        fn a_misread_digit_is_noticed(number in "[0-9]{5,19}", place in 0..5_usize, by in 1..10_u8) {
            let shape = Shape::parse("", true).unwrap();
            let right = (b'0'..=b'9').map(|digit| format!("{number}{}", char::from(digit))).find(|code| shape.oddity(code).is_none());
            let mut wrong = right.unwrap().into_bytes();
            wrong[place] = b'0' + (wrong[place] - b'0' + by) % 10;
            prop_assert_eq!(shape.oddity(std::str::from_utf8(&wrong).unwrap()), Some(Oddity::CheckDigit));
        }
    }
}
