//! By how much the clock of a desk was wrong, as a person writes it: `-1:00`, `+0:07:30`, `-1d 2:00`.

use std::fmt;
use thiserror::Error;

/// A span of time, forwards or backwards, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shift(pub i64);

/// The text is no span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "write hours and minutes with a sign, as in -1:00 or +0:07, with days before them where needed, as in -1d 2:00"
)]
pub struct ShiftError;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A clock whose battery is dead begins in 1970 or at the year it was made.
const MOST_DAYS: i64 = 80 * 366;

impl Shift {
    /// Reads a text. Nothing, and zero, are no shift.
    ///
    /// # Errors
    /// When it is not `[+|-][Nd ]H:MM[:SS]`, or more than eighty years.
    pub fn parse(raw: &str) -> Result<Self, ShiftError> {
        let raw = raw.trim();
        if raw.is_empty() {
            return Ok(Self(0));
        }
        let (sign, rest) = match raw.strip_prefix(['-', '−', '–']) {
            Some(rest) => (-1, rest),
            None => (1, raw.strip_prefix('+').unwrap_or(raw)),
        };
        let (days, clock) = match rest.split_once(['d', 'D']) {
            Some((days, clock)) => (number(days.trim(), MOST_DAYS)?, clock.trim()),
            None => (0, rest.trim()),
        };
        let parts: Vec<&str> = clock.split(':').collect();
        let (hours, minutes, seconds) = match parts[..] {
            [""] if rest.contains(['d', 'D']) => (0, 0, 0),
            [hours, minutes] => (number(hours, 99_999)?, number(minutes, 59)?, 0),
            [hours, minutes, seconds] => (number(hours, 99_999)?, number(minutes, 59)?, number(seconds, 59)?),
            _ => return Err(ShiftError),
        };
        Ok(Self(sign * (days * DAY + hours * HOUR + minutes * MINUTE + seconds * SECOND)))
    }
}

fn number(digits: &str, most: i64) -> Result<i64, ShiftError> {
    let is_number = !digits.is_empty() && digits.len() <= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|number| is_number && *number <= most);
    number.ok_or(ShiftError)
}

impl fmt::Display for Shift {
    /// Whole seconds, in the form that [`Shift::parse`] reads; nothing for no shift.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = self.0.saturating_abs();
        if span < SECOND {
            return Ok(());
        }
        f.write_str(if self.0 < 0 { "-" } else { "+" })?;
        if span >= DAY {
            write!(f, "{}d ", span / DAY)?;
        }
        write!(f, "{}:{:02}", span % DAY / HOUR, span % HOUR / MINUTE)?;
        let seconds = span % MINUTE / SECOND;
        if seconds > 0 { write!(f, ":{seconds:02}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write() {
        for (raw, millis) in [
            ("", 0),
            ("0:00", 0),
            ("1:00", HOUR),
            ("+1:30", HOUR + 30 * MINUTE),
            ("-0:07:30", -(7 * MINUTE + 30 * SECOND)),
            ("−2:00", -2 * HOUR),
            ("-1d 2:00", -(DAY + 2 * HOUR)),
            ("+3 d", 3 * DAY),
            (" 36:00 ", 36 * HOUR),
        ] {
            assert_eq!(Shift::parse(raw), Ok(Shift(millis)), "{raw}");
        }
        for raw in ["1", "-", "1:60", "1:00:60", "a:00", "1:2:3:4", ":", "1d x", "--1:00", "99999d", "d 1:00"] {
            assert_eq!(Shift::parse(raw), Err(ShiftError), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn is_read_as_it_is_written(seconds in -2_000_000_000..2_000_000_000_i64) {
            let shift = Shift(seconds * SECOND);
            prop_assert_eq!(Shift::parse(&shift.to_string()), Ok(shift));
        }

        #[test]
        fn what_is_typed_is_read_as_it_is_written(raw in "[+−-]?([0-9]{1,3} ?d ?)?([0-9]{1,2}(:[0-9]{1,2}){0,3})?|\\PC{0,12}") {
            if let Ok(shift) = Shift::parse(&raw) {
                prop_assert_eq!(Shift::parse(&shift.to_string()), Ok(shift));
                prop_assert_eq!(shift.0 < 0, shift.0 != 0 && raw.trim_start().starts_with(['-', '−']));
            }
        }
    }
}
