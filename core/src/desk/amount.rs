//! An amount of money: exact, never floating point.

use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// Why a text is not an amount that can be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AmountError {
    /// Not digits with at most one dot. (Koha reads `3,50` as 3.00, so a comma must not pass.)
    #[error("write it as digits with a dot, as in 3.50")]
    NotANumber,
    /// Koha keeps six decimals.
    #[error("Koha keeps at most six decimals")]
    TooPrecise,
    /// Nothing would be paid, or a debt would be made.
    #[error("it must be more than zero")]
    NotPositive,
    /// More than any debt.
    #[error("it is too large")]
    TooLarge,
}

/// A sum of money that may be owed or, below zero, in credit: hundredths of the currency.
pub type Cents = i64;

/// What a patron pays, in millionths: Koha's column is `decimal(28,6)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount(u64);

const MILLION: u64 = 1_000_000;

impl Amount {
    /// The largest amount taken: one beyond it is a barcode that went into the wrong field.
    pub const LIMIT: Self = Self(10_000_000 * MILLION);

    /// Reads `12`, `12.5`, `12.50`.
    ///
    /// # Errors
    /// When it is not a positive decimal with a dot, of at most six decimals and at most [`Amount::LIMIT`].
    pub fn parse(raw: &str) -> Result<Self, AmountError> {
        let raw = raw.trim();
        let (whole, decimals) = raw.split_once('.').unwrap_or((raw, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && decimals.is_empty()) || !digits(whole) || !digits(decimals) {
            return Err(AmountError::NotANumber);
        }
        let decimals = decimals.trim_end_matches('0');
        if decimals.len() > 6 {
            return Err(AmountError::TooPrecise);
        }
        let whole = whole.trim_start_matches('0');
        if whole.len() > 12 {
            return Err(AmountError::TooLarge);
        }
        let number = format!("{whole}{decimals:0<6}");
        let millionths: u64 = number.parse().map_err(|_| AmountError::NotANumber)?;
        match Self(millionths) {
            Self(0) => Err(AmountError::NotPositive),
            amount if amount > Self::LIMIT => Err(AmountError::TooLarge),
            amount => Ok(amount),
        }
    }
}

impl Amount {
    /// From here on a person is asked whether it is meant: it may be a code that went into the wrong field.
    pub const UNUSUAL: Self = Self(1_000 * MILLION);

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Reads what a person types: as [`Amount::parse`], or with a comma before one or two decimals, as many countries
    /// write it. `1,000` and `1.000,50` could mean two things and are refused.
    ///
    /// # Errors
    /// As [`Amount::parse`].
    pub fn typed(raw: &str) -> Result<Self, AmountError> {
        match raw.trim().split_once(',') {
            Some((whole, decimals)) if (1..=2).contains(&decimals.len()) && !whole.contains('.') => {
                Self::parse(&format!("{whole}.{decimals}"))
            }
            _ => Self::parse(raw),
        }
    }
}

impl Amount {
    /// From hundredths of the currency; `None` where that is no amount.
    pub fn from_cents(cents: i64) -> Option<Self> {
        let cents = u64::try_from(cents).ok().filter(|cents| *cents > 0)?;
        cents.checked_mul(MILLION / 100).map(Self).filter(|amount| *amount <= Self::LIMIT)
    }

    /// Whole hundredths of the currency.
    pub fn cents(self) -> i64 {
        i64::try_from(self.0 / (MILLION / 100)).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for Amount {
    /// At least two decimals, more only where they are not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:06}", self.0 % MILLION);
        let kept = decimals.trim_end_matches('0').len().max(2);
        write!(f, "{}.{}", self.0 / MILLION, &decimals[..kept])
    }
}

impl TryFrom<String> for Amount {
    type Error = AmountError;
    fn try_from(raw: String) -> Result<Self, AmountError> {
        Self::parse(&raw)
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_writes() {
        for (raw, text) in [
            ("5", "5.00"),
            ("5.5", "5.50"),
            ("05.500", "5.50"),
            (".5", "0.50"),
            ("0.000001", "0.000001"),
            ("12.345", "12.345"),
            ("10000000", "10000000.00"),
        ] {
            assert_eq!(Amount::parse(raw).unwrap().to_string(), text, "{raw}");
        }
    }

    #[test]
    fn refuses_with_a_reason() {
        for (raw, error) in [
            ("", AmountError::NotANumber),
            (".", AmountError::NotANumber),
            ("3,50", AmountError::NotANumber),
            ("abc", AmountError::NotANumber),
            ("-5", AmountError::NotANumber),
            ("1e3", AmountError::NotANumber),
            ("0.00", AmountError::NotPositive),
            ("0.0000001", AmountError::TooPrecise),
            ("10000000.01", AmountError::TooLarge),
            ("39999000001310", AmountError::TooLarge),
        ] {
            assert_eq!(Amount::parse(raw), Err(error), "{raw}");
        }
    }

    #[test]
    fn a_comma_is_taken_only_where_it_can_mean_one_thing() {
        for (raw, text) in [("3,50", "3.50"), ("3,5", "3.50"), (",5", "0.50"), (" 12 ", "12.00"), ("3.505", "3.505")] {
            assert_eq!(Amount::typed(raw).unwrap().to_string(), text, "{raw}");
        }
        for raw in ["1,000", "1.000,50", "1,000.50", "3,", ",", "3,5,0", "3,-5"] {
            assert_eq!(Amount::typed(raw), Err(AmountError::NotANumber), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(millionths in 1..=Amount::LIMIT.0) {
            let amount = Amount(millionths);
            prop_assert_eq!(Amount::parse(&amount.to_string()), Ok(amount));
        }

        #[test]
        fn what_is_typed_is_read_exactly_or_not_at_all(raw in " ?[0-9]{0,9}[.,]?[0-9]{0,7} ?|[ 0-9.,+-]{0,10}|\\PC{0,12}") {
            prop_assert!(Amount::parse(&raw).is_err() || Amount::parse(&raw) == Amount::typed(&raw));
            if let Ok(amount) = Amount::typed(&raw) {
                let number: f64 = raw.trim().replace(',', ".").parse().unwrap();
                #[expect(clippy::cast_precision_loss, reason = "below the limit of amounts, all are told apart")]
                let read = amount.0 as f64 / 1e6;
                prop_assert!((read - number).abs() < 1e-7, "{raw} is read as {read}");
            }
        }
    }
}
