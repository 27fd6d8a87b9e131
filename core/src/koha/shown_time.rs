//! Times as Koha's staff pages show them: in the server's zone, by the system preferences `dateformat` and `TimeFormat`, and in
//! newer versions without seconds.
//!
//! `03/04/2026` is a day of March or of April, by a preference that no page tells. So a text is not read as one time, but asked
//! whether it may be a given one.

use crate::desk::transaction::Moment;
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

/// How far zones are apart from UTC at most, and in what steps.
const ZONES: TimeDelta = TimeDelta::hours(14);
const STEP: TimeDelta = TimeDelta::minutes(15);

/// Whether a text may be the time of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// It is another time.
    No,
    /// It is that time in another zone than the desk's.
    OtherZone,
    /// It is that time as the desk's clock showed it.
    Exact,
}

/// Whether it has seconds.
pub fn has_seconds(text: &str) -> bool {
    numbers(text).len() >= 6
}

/// Whether this may be that moment.
pub fn fit(text: &str, moment: Moment) -> Fit {
    let own = TimeDelta::minutes(moment.offset_minutes().into());
    let fits = ahead(text, moment).into_iter().map(|ahead| if ahead == own { Fit::Exact } else { Fit::OtherZone });
    fits.max().unwrap_or(Fit::No)
}

/// In which zones it may be that moment, by how far each is ahead of UTC. All that a server shows is in one.
pub fn ahead(text: &str, moment: Moment) -> Vec<TimeDelta> {
    let utc = moment.utc_seconds();
    let utc = if has_seconds(text) { utc } else { utc - utc.rem_euclid(60) };
    let ahead = readings(text).into_iter().map(|time| TimeDelta::seconds(time.and_utc().timestamp() - utc));
    ahead.filter(|ahead| ahead.abs() <= ZONES && ahead.num_seconds() % STEP.num_seconds() == 0).collect()
}

/// Every time that it may be.
fn readings(text: &str) -> Vec<NaiveDateTime> {
    let numbers = numbers(text);
    let [first, second, third, hour, minute, ref rest @ ..] = numbers[..] else { return Vec::new() };
    let hour = match half_of_day(text) {
        None => hour,
        Some(half) => hour % 12 + half,
    };
    let days = if first > 31 {
        vec![(first, second, third)]
    } else if text.contains('/') {
        vec![(third, first, second), (third, second, first)]
    } else {
        vec![(third, second, first)]
    };
    let time = |(year, month, day): (u32, u32, u32)| {
        let day = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
        day.and_hms_opt(hour, minute, rest.first().copied().unwrap_or_default())
    };
    days.into_iter().filter_map(time).collect()
}

/// Where a clock of twelve hours begins: at none, or at noon. `None` for one of 24 hours.
fn half_of_day(text: &str) -> Option<u32> {
    let text = text.to_ascii_lowercase();
    let ends = |half: &str| text.trim_end().ends_with(half);
    if ends("am") {
        Some(0)
    } else if ends("pm") {
        Some(12)
    } else {
        None
    }
}

fn numbers(text: &str) -> Vec<u32> {
    text.split(|sign: char| !sign.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2026-11-05 13:00:30.547 UTC, an hour ahead.
    fn moment() -> Moment {
        Moment::new(1_793_883_630_547, 60).unwrap()
    }

    #[test]
    fn knows_a_time_in_every_format() {
        for text in [
            "2026-11-05 14:00:30",
            "11/05/2026 14:00",
            "05/11/2026 14:00",
            "05.11.2026 14:00",
            "2026-11-05 14:00",
            "11/05/2026 02:00 PM",
            "05.11.2026 02:00 pm",
        ] {
            assert_eq!(fit(text, moment()), Fit::Exact, "{text}");
        }
        for text in ["2026-11-05 13:00:30", "11/05/2026 18:30", "11/06/2026 02:00 am"] {
            assert_eq!(fit(text, moment()), Fit::OtherZone, "{text}");
        }
        for text in
            ["2026-11-05 14:00:31", "11/05/2026 14:01", "11/05/2026 14:05", "12/05/2026 14:00", "", "soon", "1 2 3"]
        {
            assert_eq!(fit(text, moment()), Fit::No, "{text}");
        }
        assert!(has_seconds("2026-11-05 14:00:31") && !has_seconds("11/05/2026 02:00 PM"));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail(text in "([0-9]{1,12}|[-/.: ]|am|PM|é){0,16}", utc in 0_i64..253_000_000_000_000) {
            let _ = fit(&text, Moment::new(utc, -720).unwrap());
        }
    }
}
