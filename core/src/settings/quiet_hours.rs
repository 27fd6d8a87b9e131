//! The hours of the night in which a library's Koha has little to do.

use chrono::{NaiveTime, TimeDelta};
use std::time::Duration;

/// Hours of the day by the desk's clock, from the one to the other, perhaps over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    from: NaiveTime,
    to: NaiveTime,
}

impl QuietHours {
    /// As people write them: `22-6`, `22–6`, `22 - 06`. `None` where these are no two different hours.
    pub fn typed(typed: &str) -> Option<Self> {
        let (from, to) = typed.split_once(['-', '–'])?;
        let hour = |typed: &str| {
            let hour: u32 = typed.trim().parse().ok().filter(|hour| *hour <= 24)?;
            NaiveTime::from_hms_opt(hour % 24, 0, 0)
        };
        let (from, to) = (hour(from)?, hour(to)?);
        (from != to).then_some(Self { from, to })
    }

    /// For how long they last.
    pub fn span(self) -> Duration {
        passed(self.from, self.to)
    }

    /// How long it is from this time of the day to their beginning.
    pub fn until(self, time: NaiveTime) -> Duration {
        passed(time, self.from)
    }

    /// How long ago they began at this time of the day; `None` outside of them.
    pub fn passed(self, time: NaiveTime) -> Option<Duration> {
        let passed = passed(self.from, time);
        (passed < self.span()).then_some(passed)
    }
}

/// How long it is from one time of the day to the next time that it is another.
fn passed(from: NaiveTime, to: NaiveTime) -> Duration {
    let passed = to.signed_duration_since(from);
    let over_midnight = if to < from { TimeDelta::days(1) } else { TimeDelta::zero() };
    (passed + over_midnight).to_std().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(hour: u32, minute: u32) -> NaiveTime {
        NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
    }

    #[test]
    fn reads_hours_as_people_write_them() {
        for (typed, expected) in [
            ("22-6", Some((22, 6))),
            (" 22 – 06 ", Some((22, 6))),
            ("0-24", None),
            ("1-5", Some((1, 5))),
            ("20-24", Some((20, 0))),
            ("22", None),
            ("22-25", None),
            ("-1-5", None),
            ("6-6", None),
            ("", None),
            ("22:30-6", None),
        ] {
            let hours = QuietHours::typed(typed);
            let expected = expected.map(|(from, to)| QuietHours { from: time(from, 0), to: time(to, 0) });
            assert_eq!(hours, expected, "{typed}");
        }
    }

    #[test]
    fn tells_how_much_of_them_is_over_also_beyond_midnight() {
        let night = QuietHours::typed("22-6").unwrap();
        let minutes = |minutes| Duration::from_mins(minutes);
        assert_eq!(night.span(), minutes(8 * 60));
        let passed =
            [(21, 59), (22, 0), (0, 0), (5, 59), (6, 0)].map(|(hour, minute)| night.passed(time(hour, minute)));
        assert_eq!(passed, [None, Some(minutes(0)), Some(minutes(120)), Some(minutes(479)), None]);
        let until = [21, 22, 23].map(|hour| night.until(time(hour, 0)));
        assert_eq!(until, [minutes(60), minutes(0), minutes(23 * 60)]);
        let early = QuietHours::typed("1-5").unwrap();
        let passed = [(0, 0), (1, 0), (4, 59), (5, 0)].map(|(hour, minute)| early.passed(time(hour, minute)));
        assert_eq!(passed, [None, Some(minutes(0)), Some(minutes(239)), None]);
    }
}
