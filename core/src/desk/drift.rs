//! The desk's clock beside Koha's: how far it is off, and for how long it was, also once somebody has set it right.

use super::clock::{ClockDifference, DeskTime, KohaTime};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// From here on, a clock that is off is said: what is scanned in an outage is put in order by it.
pub const OFF: TimeDelta = TimeDelta::seconds(30);

/// An answer that took longer tells too little of the time.
const SWIFT: Duration = Duration::from_secs(5);

/// After this time, or where it has changed by more than this, a drift is kept anew; sooner where the clock is wrong, since it is
/// asked later until when it was.
const KEPT_FOR: Duration = Duration::from_hours(1);
const WRONG_KEPT_FOR: Duration = Duration::from_mins(1);
const SAME: TimeDelta = TimeDelta::seconds(5);

/// What Koha's clock showed, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// How far Koha's was ahead.
    pub ahead: ClockDifference,
    /// When that was, by the desk's clock.
    pub at: DeskTime,
}

impl Drift {
    /// From an answer of Koha's own, with the header Date, that was asked for and came at these times. `None` where it took too
    /// long. The header has whole seconds: it was half a second later on the average.
    pub fn of(date: KohaTime, asked: DeskTime, came: DeskTime) -> Option<Self> {
        let took = came.since(asked).to_std().ok().filter(|took| *took <= SWIFT)?;
        let middle = asked.plus(took / 2);
        let ahead = ClockDifference::between(date.plus(Duration::from_millis(500)), middle);
        Some(Self { ahead, at: came })
    }

    /// How far this computer's clock is ahead of Koha's; negative where it is behind.
    pub fn off(self) -> TimeDelta {
        self.at.since(self.ahead.koha_at(self.at).taken_for_desk_time())
    }

    fn is_wrong(self) -> bool {
        self.off().abs() >= OFF
    }

    fn is_as(self, other: Self) -> bool {
        self.off().checked_sub(&other.off()).is_some_and(|apart| apart.abs() <= SAME)
    }
}

/// For a while, the desk's clock was wrong by the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wrong {
    /// How far, and when that was found last.
    pub found: Drift,
    /// When it was last found otherwise, or set right in the log; absent where nobody had looked before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<DeskTime>,
    /// Whether it was found otherwise since.
    #[serde(default)]
    pub is_over: bool,
}

/// What is kept of the desk's clock, as it is stored: one object.
#[derive(Deserialize)]
struct StoredClock {
    ahead: ClockDifference,
    at: DeskTime,
    wrong: Option<Wrong>,
}

impl From<StoredClock> for KeptClock {
    fn from(StoredClock { ahead, at, wrong }: StoredClock) -> Self {
        Self { last: Drift { ahead, at }, wrong }
    }
}

/// What is kept of the desk's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredClock")]
pub struct KeptClock {
    /// What was found last.
    #[serde(flatten)]
    pub last: Drift,
    /// When it was wrong last, as long as that is not set right in the log. Earlier versions did not keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong: Option<Wrong>,
}

impl KeptClock {
    /// After this was found; `None` where nothing of it is to be kept anew.
    pub fn after(before: Option<Self>, found: Drift) -> Option<Self> {
        let kept_for = if found.is_wrong() { WRONG_KEPT_FOR } else { KEPT_FOR };
        if before.is_some_and(|before| found.is_as(before.last) && found.at.is_within(kept_for, before.last.at)) {
            return None;
        }
        let wrong = match before.and_then(|before| before.wrong) {
            Some(wrong) if !wrong.is_over && found.is_as(wrong.found) => Some(Wrong { found, ..wrong }),
            _ if found.is_wrong() => Some(Wrong { found, after: before.map(|before| before.last.at), is_over: false }),
            wrong => wrong.map(|wrong| Wrong { is_over: true, ..wrong }),
        };
        Some(Self { last: found, wrong })
    }

    /// What was recorded until now is set right.
    #[must_use]
    pub fn settled(self, now: DeskTime) -> Self {
        Self { last: Drift { at: now, ..self.last }, wrong: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_428_000_000;
    const MINUTE: i64 = 60;

    /// Found this number of seconds from now, by the desk's clock, which is ahead of Koha's by the other.
    fn found(at: i64, off: i64) -> Drift {
        let at = DeskTime::from_millis(NOW + at * 1_000);
        Drift { ahead: ClockDifference::between(KohaTime::from_millis(at.millis() - off * 1_000), at), at }
    }

    fn at(seconds: i64) -> DeskTime {
        DeskTime::from_millis(NOW + seconds * 1_000)
    }

    #[test]
    fn an_answer_tells_the_time_where_it_came_at_once() {
        let (asked, date) = (at(0), KohaTime::from_millis(NOW + 40_000));
        let seen = Drift::of(date, asked, at(1)).unwrap();
        assert_eq!(seen.off(), TimeDelta::seconds(-40), "in the middle of question and answer, and of the second");
        assert_eq!(Drift::of(date, asked, at(6)), None);
        assert_eq!(Drift::of(date, asked, at(-1)), None, "the clock was set meanwhile");
        let farthest = ClockDifference::between(KohaTime::from_millis(i64::MIN), asked);
        assert_eq!(Drift { ahead: farthest, at: asked }.off(), TimeDelta::MAX, "never panics");
    }

    #[test]
    fn what_is_found_is_kept_where_it_is_new() {
        let kept = KeptClock::after(None, found(0, 1)).unwrap();
        let is_kept = |at, off| KeptClock::after(Some(kept), found(at, off)).is_some();
        assert!(!is_kept(59 * MINUTE, 1) && is_kept(61 * MINUTE, 1) && !is_kept(1, 6) && is_kept(1, 7));
        let wrong = KeptClock::after(None, found(0, 40)).unwrap();
        assert_eq!(KeptClock::after(Some(wrong), found(60, 40)), None);
        assert!(KeptClock::after(Some(wrong), found(61, 40)).is_some());
    }

    #[test]
    fn since_when_and_until_when_it_was_wrong_is_known_once_it_is_set_right() {
        let mut clock = None;
        for (at, off) in [(0, 0), (1_000, -420), (1_090, -421), (1_500, 0), (1_600, 0), (9_000, 3)] {
            clock = KeptClock::after(clock, found(at, off)).or(clock);
        }
        let wrong = Wrong { found: found(1_090, -421), after: Some(at(0)), is_over: true };
        assert_eq!(clock, Some(KeptClock { last: found(9_000, 3), wrong: Some(wrong) }));
        let settled = clock.unwrap().settled(at(9_100));
        assert_eq!(settled.wrong, None);
        // It is wrong again, by as much: of what was set right nothing is meant.
        let again = KeptClock::after(Some(settled), found(9_200, -421)).unwrap().wrong.unwrap();
        assert_eq!((again.after, again.is_over), (Some(at(9_100)), false));
        // By something else: since the last look at the earliest.
        let other = KeptClock::after(KeptClock::after(None, found(0, 60)), found(90, 3_600)).unwrap().wrong.unwrap();
        assert_eq!((other.found, other.after), (found(90, 3_600), Some(at(0))));
    }

    #[test]
    fn what_every_version_has_kept_is_read() {
        let stored = r#"{"ahead":-42000,"at":1795428000000}"#;
        let read: KeptClock = serde_json::from_str(stored).unwrap();
        assert_eq!((read.last.off(), read.wrong), (TimeDelta::seconds(42), None));
        assert_eq!(serde_json::to_string(&read).unwrap(), stored);
        let kept = KeptClock::after(Some(read), found(90, 600)).unwrap();
        let json = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<KeptClock>(&json).unwrap(), kept);
        assert_eq!(serde_json::from_str::<Drift>(&json).unwrap(), kept.last, "an earlier version reads it, too");
    }
}
