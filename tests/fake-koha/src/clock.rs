//! The server's time: its zone, and how Koha reads the timestamps it is sent.

use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime};

use crate::circulation::Died;
use crate::state::Era;

/// What `MariaDB` stores for a time that a TIMESTAMP column cannot hold.
pub(crate) const ZERO_DATE: &str = "0000-00-00 00:00:00";

/// The zone that the server keeps its times in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Zone {
    /// Minutes east of UTC, in winter where there is summer time.
    pub offset_minutes: i32,
    /// Is there summer time by the rule of the European Union (one hour more from the last Sunday of March to the
    /// last Sunday of October, changing at 01:00 UTC)?
    pub eu_summer_time: bool,
}

impl Zone {
    /// The wall-clock time here at a UTC time.
    pub fn local(self, utc: NaiveDateTime) -> NaiveDateTime {
        let summer = self.eu_summer_time
            && match (change(utc.year(), 3), change(utc.year(), 10)) {
                (Some(start), Some(end)) => start <= utc && utc < end,
                _ => false,
            };
        let minutes = i64::from(self.offset_minutes) + if summer { 60 } else { 0 };
        utc.checked_add_signed(Duration::minutes(minutes)).unwrap_or(utc)
    }

    /// Minutes east of UTC at a wall-clock time here; in the hour that comes twice, those of the summer.
    pub(crate) fn offset_at(self, local: NaiveDateTime) -> i32 {
        let summer = self.offset_minutes + 60;
        let utc = local.checked_sub_signed(Duration::minutes(i64::from(summer)));
        if self.eu_summer_time && utc.is_some_and(|utc| self.local(utc) == local) {
            summer
        } else {
            self.offset_minutes
        }
    }
}

/// 01:00 UTC on the last Sunday of a month of 31 days.
fn change(year: i32, month: u32) -> Option<NaiveDateTime> {
    let last = NaiveDate::from_ymd_opt(year, month, 31)?;
    let back = i64::from(last.weekday().num_days_from_sunday());
    last.checked_sub_signed(Duration::days(back))?.and_hms_opt(1, 0, 0)
}

/// Prints a time as the database does.
pub(crate) fn stamp(time: NaiveDateTime) -> String {
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Reads the `timestamp` of a request to service.pl: UTC in, server-local out.
///
/// Koha: `offline_circ/service.pl` and Koha/DateUtils.pm `dt_from_string`. Before 24.05 (observed on 19.06) the pattern
/// is not anchored and knows no `T`, so an ISO time with a `T` loses its time of day and what follows the seconds is
/// ignored. From 24.05 it is anchored, takes `T` and a zone, and refuses fractions of a second.
pub(crate) fn read_service_time(
    era: Era,
    zone: Zone,
    now_utc: NaiveDateTime,
    text: &str,
) -> Result<NaiveDateTime, Died> {
    if text.is_empty() {
        return Ok(zone.local(now_utc));
    }
    let utc = match era {
        Era::Before2405 => read_unanchored(text),
        Era::From2405 => read_anchored(text),
    };
    let utc = utc.ok_or_else(|| Died(format!("The given date ({text}) does not match the date format (iso)")))?;
    Ok(zone.local(utc))
}

/// Reads the `return_date` of a check-in: server-local out. Only where the preference `dateformat` is `iso` does Koha look at
/// the zone; else it falls back to a pattern that leaves it out (Koha/DateUtils.pm).
pub(crate) fn read_return_date(zone: Zone, reads_zone: bool, text: &str) -> Option<NaiveDateTime> {
    let (_, rest) = date(text)?;
    let (_, offset) = time(rest.strip_prefix('T').unwrap_or_else(|| rest.trim_start()))?;
    let local = read_anchored(&text[..text.len() - offset.len()])?;
    let east = offset_minutes(offset)?;
    if reads_zone && !offset.is_empty() {
        return Some(zone.local(local.checked_sub_signed(Duration::minutes(east))?));
    }
    Some(local)
}

fn read_unanchored(text: &str) -> Option<NaiveDateTime> {
    let starts = || text.char_indices().filter_map(|(at, _)| date(&text[at..]));
    if let Some((date, time)) = starts().find_map(|(date, rest)| time(rest.trim_start()).map(|(time, _)| (date, time)))
    {
        return build(date, time);
    }
    build(starts().next()?.0, (0, 0, 0))
}

fn read_anchored(text: &str) -> Option<NaiveDateTime> {
    let (date, rest) = date(text)?;
    if rest.is_empty() {
        return build(date, (0, 0, 0));
    }
    let rest = rest.strip_prefix('T').unwrap_or_else(|| rest.trim_start());
    let (time, zone) = time(rest)?;
    let east = offset_minutes(zone)?;
    build(date, time)?.checked_sub_signed(Duration::minutes(east))
}

/// `Z`, `+02`, `+0200` or `+02:00` in minutes; nothing is UTC.
fn offset_minutes(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone == "Z" {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = number(&zone[1..], 2)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let minutes = if rest.is_empty() {
        0
    } else {
        let (minutes, end) = number(rest, 2)?;
        if !end.is_empty() {
            return None;
        }
        minutes
    };
    Some(sign * i64::from(hours * 60 + minutes))
}

type Parts = (u32, u32, u32);

fn build((year, month, day): Parts, (hour, minute, second): Parts) -> Option<NaiveDateTime> {
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?.and_hms_opt(hour, minute, second)
}

/// `YYYY-MM-DD` at the start of the text.
fn date(text: &str) -> Option<(Parts, &str)> {
    let (year, rest) = number(text, 4)?;
    let (month, rest) = number(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = number(rest.strip_prefix('-')?, 2)?;
    Some(((year, month, day), rest))
}

/// `HH:MM` or `HH:MM:SS` at the start of the text.
fn time(text: &str) -> Option<(Parts, &str)> {
    let (hour, rest) = number(text, 2)?;
    let (minute, rest) = number(rest.strip_prefix(':')?, 2)?;
    match rest.strip_prefix(':').and_then(|rest| number(rest, 2)) {
        Some((second, rest)) => Some(((hour, minute, second), rest)),
        None => Some(((hour, minute, 0), rest)),
    }
}

fn number(text: &str, digits: usize) -> Option<(u32, &str)> {
    let head = text.get(..digits)?;
    if !head.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((head.parse().ok()?, &text[digits..]))
}

/// Reads a time as `MariaDB` does when it stores one: any separators, missing parts are zero, what follows is ignored.
pub(crate) fn read_lenient(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim_start();
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut numbers =
        text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).map(|part| part.parse::<u32>().ok());
    let mut next = || numbers.next();
    let date = (next()??, next()??, next()??);
    let time = (next().unwrap_or(Some(0))?, next().unwrap_or(Some(0))?, next().unwrap_or(Some(0))?);
    build(date, time)
}

/// Can a TIMESTAMP column hold this server-local time?
pub(crate) fn fits_timestamp_column(zone: Zone, local: NaiveDateTime) -> bool {
    let utc = local.and_utc().timestamp() - i64::from(zone.offset_minutes) * 60;
    utc > 0 && utc <= i64::from(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARIS: Zone = Zone { offset_minutes: 60, eu_summer_time: true };

    fn read(era: Era, text: &str) -> Option<String> {
        let now = build((2026, 12, 1), (8, 30, 0)).unwrap();
        read_service_time(era, PARIS, now, text).ok().map(stamp)
    }

    #[test]
    fn before_24_05_as_observed() {
        for (sent, stored) in [
            ("2026-11-23 10:00:00", "2026-11-23 11:00:00"),
            ("2026-07-01 10:00:00", "2026-07-01 12:00:00"),
            ("2026-11-23 23:30:00", "2026-11-24 00:30:00"),
            ("2026-11-23T10:00:00", "2026-11-23 01:00:00"),
            ("2026-11-23T10:00:00Z", "2026-11-23 01:00:00"),
            ("2026-11-23T10:00:00.000Z", "2026-11-23 01:00:00"),
            ("2026-11-23 10:00:00.123Z", "2026-11-23 11:00:00"),
            ("2026-11-23 10:00:00+05:00", "2026-11-23 11:00:00"),
            ("2026-11-23 10:00:00 PM", "2026-11-23 11:00:00"),
            ("2026-11-23 10:00", "2026-11-23 11:00:00"),
            ("2026-11-2310:00:00", "2026-11-23 11:00:00"),
            ("2026-11-23  10:00:00", "2026-11-23 11:00:00"),
            ("2026-11-23", "2026-11-23 01:00:00"),
            ("", "2026-12-01 09:30:00"),
            ("2026-10-25 00:30:00", "2026-10-25 02:30:00"),
            ("2026-10-25 01:30:00", "2026-10-25 02:30:00"),
            ("2026-03-29 01:30:00", "2026-03-29 03:30:00"),
            ("2027-07-01 22:30:00", "2027-07-02 00:30:00"),
        ] {
            assert_eq!(read(Era::Before2405, sent).as_deref(), Some(stored), "{sent:?}");
        }
        for sent in [
            "garbage",
            "20261123100000",
            "1795428000",
            "11/23/2026 10:00:00",
            "2026-1-3 9:5:0",
            "2026-02-30 10:00:00",
            "2026-11-23 25:00:00",
            "0000-00-00 00:00:00",
        ] {
            assert_eq!(read(Era::Before2405, sent), None, "{sent:?}");
        }
    }

    #[test]
    fn from_24_05_anchored_with_zone() {
        for (sent, stored) in [
            ("2026-11-23 10:00:00", "2026-11-23 11:00:00"),
            ("2026-11-23T10:00:00Z", "2026-11-23 11:00:00"),
            ("2026-11-23T10:00", "2026-11-23 11:00:00"),
            ("2026-11-23 10:00:00+05:00", "2026-11-23 06:00:00"),
            ("2026-11-23 10:00:00+0500", "2026-11-23 06:00:00"),
            ("2026-11-23 10:00:00-05", "2026-11-23 16:00:00"),
            ("2026-11-23", "2026-11-23 01:00:00"),
            ("", "2026-12-01 09:30:00"),
        ] {
            assert_eq!(read(Era::From2405, sent).as_deref(), Some(stored), "{sent:?}");
        }
        for sent in ["2026-11-23T10:00:00.000Z", "2026-11-23 10:00:00 PM", "x2026-11-23", "garbage"] {
            assert_eq!(read(Era::From2405, sent), None, "{sent:?}");
        }
    }

    #[test]
    fn the_database_is_lenient() {
        let read = |text| read_lenient(text).map(stamp);
        assert_eq!(read("2026-07-22 10-15-30").as_deref(), Some("2026-07-22 10:15:30"));
        assert_eq!(read("2026-11-23T10:00:00Z ").as_deref(), Some("2026-11-23 10:00:00"));
        assert_eq!(read("2026-11-23 ").as_deref(), Some("2026-11-23 00:00:00"));
        assert_eq!(read("garbage"), None);
    }
}
