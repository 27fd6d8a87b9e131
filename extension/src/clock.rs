//! The desk's clock and time zone.

use chrono::{DateTime, Datelike, NaiveDateTime, NaiveTime, Timelike, Utc};
use js_sys::Date;
use koct_core::{
    Moment,
    desk::{
        clock::{DeskTime, KohaTime},
        zone::Zone,
    },
};
use std::time::Duration;

/// The moment that the clock shows, or `None` where the computer's clock is out of all bounds.
pub fn now() -> Option<Moment> {
    let date = Date::new_0();
    Moment::new(whole(date.get_time())?, offset(&date)).ok()
}

/// Milliseconds since 1970 in UTC, as the clock shows them.
pub fn millis() -> i64 {
    whole(Date::now()).unwrap_or_default()
}

/// The instant that the clock shows.
pub(crate) fn time() -> DeskTime {
    DeskTime::from_millis(millis())
}

/// An instant of the clock with what the clock on the wall shows then, or `None` where no calendar here holds it.
pub(crate) fn moment(time: DeskTime) -> Option<Moment> {
    shown_at(time.millis())
}

/// What the clock on the wall shows when something is due by Koha's calendar, or `None` where no calendar here holds it.
pub(crate) fn local(due: DateTime<Utc>) -> Option<NaiveDateTime> {
    shown_at(due.timestamp_millis()).map(|moment| moment.local())
}

fn shown_at(utc_millis: i64) -> Option<Moment> {
    Moment::new(utc_millis, DeskZone.offset_at_utc(utc_millis)).ok()
}

/// The time of the day that the clock shows.
pub(crate) fn time_of_day() -> NaiveTime {
    let date = Date::new_0();
    let [hour, minute, second, milli] =
        [date.get_hours(), date.get_minutes(), date.get_seconds(), date.get_milliseconds()];
    NaiveTime::from_hms_milli_opt(hour, minute, second, milli).unwrap_or_default()
}

/// For how long this page has run, by a clock that nobody can set.
pub(crate) fn ran() -> Duration {
    let performance = crate::dom::window().ok().and_then(|window| window.performance());
    Duration::try_from_secs_f64(performance.map_or(0.0, |clock| clock.now()) / 1000.0).unwrap_or_default()
}

/// The time in the header Date of an answer.
pub(crate) fn read(header: &str) -> Option<KohaTime> {
    whole(Date::parse(header)).map(KohaTime::from_millis)
}

/// The time zone of the computer.
#[derive(Debug, Clone, Copy)]
pub struct DeskZone;

impl Zone for DeskZone {
    fn offset_at_local(&self, local: NaiveDateTime) -> i16 {
        let part = |number: u32| i32::try_from(number).unwrap_or_default();
        offset(&Date::new_with_year_month_day_hr_min_sec(
            local.year().unsigned_abs(),
            part(local.month0()),
            part(local.day()),
            part(local.hour()),
            part(local.minute()),
            part(local.second()),
        ))
    }

    fn offset_at_utc(&self, utc_millis: i64) -> i16 {
        #[expect(clippy::cast_precision_loss, reason = "a moment's milliseconds are far below 2^53")]
        offset(&Date::new(&(utc_millis as f64).into()))
    }
}

/// Minutes that local time is ahead of UTC.
fn offset(date: &Date) -> i16 {
    whole(-date.get_timezone_offset()).and_then(|minutes| i16::try_from(minutes).ok()).unwrap_or_default()
}

fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "numbers of JavaScript's dates are below 2^53")]
    number.is_finite().then_some(number as i64)
}
