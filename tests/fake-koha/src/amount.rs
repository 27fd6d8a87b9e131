//! Money as the database keeps it: decimal(28,6), never a float.

use std::fmt;

/// An exact amount of money in millionths of the currency unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(pub i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Whole cents: `Amount::cents(1575)` is 15.75.
    pub fn cents(cents: i64) -> Self {
        Self(cents.saturating_mul(10_000))
    }

    /// Reads a number as Perl and a lenient `MariaDB` do: the longest number at the start counts and the rest is
    /// ignored, so `3,50` is 3 and `abc` is 0.
    pub fn lenient(text: &str) -> Self {
        Self::read(text).0
    }

    /// Reads a whole number or fails, as strict SQL mode does (Koha from 24.05 in the queue).
    pub fn strict(text: &str) -> Option<Self> {
        match Self::read(text) {
            (amount, "") => Some(amount),
            _ => None,
        }
    }

    /// The amount at the start of the text, and what follows it (the whole text if it starts with no number).
    fn read(text: &str) -> (Self, &str) {
        let trimmed = text.trim();
        let (negative, unsigned) = match trimmed.as_bytes().first() {
            Some(b'-') => (true, &trimmed[1..]),
            Some(b'+') => (false, &trimmed[1..]),
            _ => (false, trimmed),
        };
        let whole_end = digits(unsigned);
        let mut fraction = "";
        let mut rest = &unsigned[whole_end..];
        if let Some(after_dot) = rest.strip_prefix('.') {
            let end = digits(after_dot);
            fraction = &after_dot[..end];
            rest = &after_dot[end..];
        }
        if whole_end == 0 && fraction.is_empty() {
            return (Self::ZERO, if trimmed.is_empty() { "not a number" } else { trimmed });
        }
        let mut micros: i64 = 0;
        let digit_at = |index: usize| i64::from(fraction.as_bytes().get(index).map_or(0, |digit| digit - b'0'));
        for digit in unsigned[..whole_end].bytes() {
            micros = micros.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
        }
        for index in 0..6 {
            micros = micros.saturating_mul(10).saturating_add(digit_at(index));
        }
        if digit_at(6) >= 5 {
            micros = micros.saturating_add(1);
        }
        (Self(if negative { -micros } else { micros }), rest)
    }
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

impl fmt::Display for Amount {
    /// Six decimals, as the database prints it: `15.750000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::Amount;

    #[test]
    fn reads_as_perl_does() {
        for (text, printed) in [
            ("5.00", "5.000000"),
            ("3,50", "3.000000"),
            ("abc", "0.000000"),
            ("", "0.000000"),
            ("-5", "-5.000000"),
            (" 1.1", "1.100000"),
            (".5", "0.500000"),
            ("0.1234567", "0.123457"),
        ] {
            assert_eq!(Amount::lenient(text).to_string(), printed, "{text:?}");
        }
        assert_eq!(Amount::strict("3,50"), None);
        assert_eq!(Amount::strict("abc"), None);
        assert_eq!(Amount::strict("15.75"), Some(Amount::cents(1575)));
    }
}
