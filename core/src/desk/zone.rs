//! The time zone of a desk: what its clock on the wall shows, and what that is in UTC.

use chrono::NaiveDateTime;

/// The time zone of a desk: how far local time is ahead of UTC, in minutes.
pub trait Zone {
    /// The offset when the clock on the wall shows this.
    fn offset_at_local(&self, local: NaiveDateTime) -> i16;
    /// The offset at an instant, in UTC milliseconds since 1970.
    fn offset_at_utc(&self, utc_millis: i64) -> i16;
}

/// A zone without daylight saving, by its offset in minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedZone(pub i16);

impl Zone for FixedZone {
    fn offset_at_local(&self, _: NaiveDateTime) -> i16 {
        self.0
    }
    fn offset_at_utc(&self, _: i64) -> i16 {
        self.0
    }
}
