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

            /// Whole seconds since 1970 in UTC.
            pub const fn seconds(self) -> i64 {
                self.0.div_euclid(1000)
            }

            /// How far the clock has come since `earlier`; negative where it was set back meanwhile.
            pub fn since(self, earlier: Self) -> TimeDelta {
                TimeDelta::try_milliseconds(self.0.saturating_sub(earlier.0)).unwrap_or(TimeDelta::MIN)
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
        assert_eq!(KohaTime::from_millis(5_500).minus(Duration::from_secs(6)).seconds(), -1);
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
