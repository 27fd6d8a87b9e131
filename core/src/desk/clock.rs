//! Instants by two clocks: the desk's and Koha's. Either may be hours off, or set at any time, so they are two types, which
//! cannot be compared. Who takes the one for the other says so.

use chrono::{DateTime, FixedOffset, TimeDelta};
use serde::{Deserialize, Serialize};
use std::time::Duration;

macro_rules! instants_by_a_clock {
    ($($(#[$doc:meta])* $name:ident)*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// The instant of this number of milliseconds since 1970 in UTC.
            pub const fn from_millis(millis: i64) -> Self {
                Self(millis)
            }

            /// Milliseconds since 1970 in UTC.
            pub const fn millis(self) -> i64 {
                self.0
            }

            /// The number of its day, in days since 1970 in UTC.
            pub const fn day(self) -> i64 {
                self.0.div_euclid(86_400_000)
            }

            /// How far the clock has come since `earlier`; negative where it was set back meanwhile.
            pub fn since(self, earlier: Self) -> TimeDelta {
                TimeDelta::try_milliseconds(self.0.saturating_sub(earlier.0)).unwrap_or(TimeDelta::MIN)
            }

            /// Whether the two lie no further apart than this, whichever comes first.
            pub fn is_within(self, span: Duration, other: Self) -> bool {
                self.since(other).abs().to_std().is_ok_and(|apart| apart <= span)
            }

            /// What the clock shows after this span.
            #[must_use]
            pub fn plus(self, span: Duration) -> Self {
                Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
            }

            /// What the clock showed this long ago.
            #[must_use]
            pub fn minus(self, span: Duration) -> Self {
                Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
            }
        }
    )* };
}

instants_by_a_clock! {
    /// An instant by the desk's clock.
    DeskTime
    /// An instant by Koha's clock: what the header Date of its answers shows, or what it wrote down.
    KohaTime
}

/// A clock that is kept right is set by no more than this. What is further off was shown by a wrong one.
pub const NEAR: TimeDelta = TimeDelta::minutes(5);

/// How far Koha's clock is ahead of the desk's, as an answer showed it: within the seconds that the answer took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClockDifference(i64);

impl ClockDifference {
    /// Differences closer than this are one: answers take their time, and clocks are kept right in small steps.
    const TOLERANCE: Duration = Duration::from_mins(1);

    /// Between what the two clocks showed at once.
    pub fn between(koha: KohaTime, desk: DeskTime) -> Self {
        Self(koha.0.saturating_sub(desk.0))
    }

    /// What Koha's clock showed when the desk's showed this.
    pub fn koha_at(self, desk: DeskTime) -> KohaTime {
        KohaTime(desk.0.saturating_add(self.0))
    }

    /// Whether neither clock was set between the two.
    pub fn agrees_with(self, other: Self) -> bool {
        Duration::from_millis(self.0.abs_diff(other.0)) <= Self::TOLERANCE
    }
}

impl DeskTime {
    /// Later by this span, or earlier where it is negative.
    #[must_use]
    pub fn shifted(self, by: TimeDelta) -> Self {
        Self(self.0.saturating_add(by.num_milliseconds()))
    }

    /// The beginning of its second: Koha keeps no finer time.
    #[must_use]
    pub fn whole_second(self) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(1000)))
    }
}

impl KohaTime {
    /// The instant of a date that Koha gave.
    pub fn from_date(date: DateTime<FixedOffset>) -> Self {
        Self(date.timestamp_millis())
    }

    /// Taken for an instant by the desk's clock. It is one where Koha wrote down when an offline transaction was recorded;
    /// else it is off by as much as the two clocks differ.
    pub fn taken_for_desk_time(self) -> DeskTime {
        DeskTime(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_never_overflow() {
        let [first, last] = [i64::MIN, i64::MAX].map(KohaTime::from_millis);
        assert!(last.since(first) > TimeDelta::zero() && first.since(last) < TimeDelta::zero());
        assert_eq!(first.minus(Duration::MAX), first);
        assert_eq!(KohaTime::from_millis(5_500).minus(Duration::from_secs(6)), KohaTime::from_millis(-500));
        let [first, last] = [i64::MIN, i64::MAX].map(DeskTime::from_millis);
        assert_eq!((first.shifted(TimeDelta::MIN), last.shifted(TimeDelta::MAX)), (first, last));
        assert_eq!(DeskTime::from_millis(-500).whole_second(), DeskTime::from_millis(-1_000));
        assert!(first.whole_second() <= first.plus(Duration::from_secs(1)));
    }

    #[test]
    fn a_clock_that_was_set_shows_in_the_difference() {
        let [koha, desk] = [1_795_428_000_000, 1_795_424_400_000];
        let difference =
            |koha, desk| ClockDifference::between(KohaTime::from_millis(koha), DeskTime::from_millis(desk));
        let hour = difference(koha, desk);
        assert_eq!(hour.koha_at(DeskTime::from_millis(desk + 5)), KohaTime::from_millis(koha + 5));
        assert!(hour.agrees_with(difference(koha + 900_000, desk + 930_000)), "half a minute for an answer");
        assert!(!hour.agrees_with(difference(koha + 900_000, desk)));
        assert!(!hour.agrees_with(difference(koha, desk + 900_000)));
        assert!(!difference(i64::MIN, i64::MAX).agrees_with(difference(i64::MAX, i64::MIN)));
    }

    #[test]
    fn is_stored_as_milliseconds() {
        assert_eq!(serde_json::to_string(&DeskTime::from_millis(1_795_428_000_547)).unwrap(), "1795428000547");
        assert_eq!(
            serde_json::from_str::<KohaTime>("1795428000547").unwrap(),
            KohaTime::from_millis(1_795_428_000_547)
        );
    }
}
