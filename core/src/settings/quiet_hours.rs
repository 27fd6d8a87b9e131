//! The hours of the night in which a library's Koha has little to do.

/// Hours of the day by the desk's clock, from the one to the other, perhaps over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    from: u32,
    to: u32,
}

/// The minutes of an hour.
const HOUR: u32 = 60;
/// The minutes of a day.
const DAY: u32 = 24 * HOUR;

impl QuietHours {
    /// As people write them: `22-6`, `22–6`, `22 - 06`. `None` where these are no two different hours.
    pub fn typed(typed: &str) -> Option<Self> {
        let (from, to) = typed.split_once(['-', '–'])?;
        let hour = |typed: &str| typed.trim().parse().ok().filter(|hour| *hour <= 24).map(|hour: u32| hour % 24);
        let (from, to) = (hour(from)?, hour(to)?);
        (from != to).then_some(Self { from, to })
    }

    /// How many minutes they last.
    pub fn minutes(self) -> u32 {
        ((self.to + 24 - self.from) % 24) * HOUR
    }

    /// How many minutes there are from this minute of the day to their beginning.
    pub fn until(self, minute: u32) -> u32 {
        (self.from * HOUR + DAY - minute % DAY) % DAY
    }

    /// How many minutes of them are over at this minute of the day; `None` outside of them.
    pub fn passed(self, minute: u32) -> Option<u32> {
        let passed = (minute + DAY - self.from * HOUR) % DAY;
        (passed < self.minutes()).then_some(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(hours.map(|hours| (hours.from, hours.to)), expected, "{typed}");
        }
    }

    #[test]
    fn tells_how_much_of_them_is_over_also_beyond_midnight() {
        let night = QuietHours::typed("22-6").unwrap();
        assert_eq!(night.minutes(), 8 * 60);
        let passed = [21 * 60 + 59, 22 * 60, 0, 5 * 60 + 59, 6 * 60].map(|minute| night.passed(minute));
        assert_eq!(passed, [None, Some(0), Some(120), Some(479), None]);
        assert_eq!([21 * 60, 22 * 60, 23 * 60].map(|minute| night.until(minute)), [60, 0, 23 * 60]);
        let early = QuietHours::typed("1-5").unwrap();
        assert_eq!([0, 60, 299, 300].map(|minute| early.passed(minute)), [None, Some(0), Some(239), None]);
    }
}
