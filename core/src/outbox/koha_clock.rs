//! What Koha's clock shows, and whether a slow server may still be at an earlier request.

use crate::{
    desk::clock::{ClockDifference, DeskTime, KohaTime},
    log::status::Attempt,
};
use std::time::Duration;

/// For how long after a request left a slow server might still process it: until then its absence proves nothing. Web
/// servers in front of Koha give up after five minutes (Apache's `Timeout` in Koha's packages); this is twice as long.
pub const SETTLED_AFTER: Duration = Duration::from_mins(10);

/// Koha's clock, as the answers of this commit showed it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KohaClock {
    /// What it showed last, and by how much that was ahead of the desk's.
    last: Option<(KohaTime, ClockDifference)>,
}

/// How long ago an attempt was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    /// Long enough ago that no server can be at it any more.
    Settled,
    /// More recently.
    Fresh,
    /// Nothing tells: it was not seen to end, or a clock was set since.
    Unknown,
}

impl KohaClock {
    /// Koha itself answered, with this header Date. What somebody else answers for it tells only their clock.
    pub(crate) fn saw(&mut self, date: Option<KohaTime>, now: DeskTime) {
        self.last = date.map(|date| (date, ClockDifference::between(date, now))).or(self.last);
    }

    /// How far it is ahead of the desk's.
    pub(crate) fn ahead(&self) -> Option<ClockDifference> {
        self.last.map(|(_, ahead)| ahead)
    }

    /// An attempt that is over by now.
    pub(crate) fn over(&self, attempt: Attempt, now: DeskTime) -> Attempt {
        Attempt { over: Some(now), ahead: self.ahead(), ..attempt }
    }

    /// How long before the last answer of Koha's this attempt was over. What is asked from now on is answered later still.
    pub(crate) fn age(&self, attempt: &Attempt) -> Age {
        let Some((((now, ahead), over), ahead_then)) = self.last.zip(attempt.over).zip(attempt.ahead) else {
            return Age::Unknown;
        };
        if !ahead.agrees_with(ahead_then) {
            return Age::Unknown;
        }
        let since = now.since(ahead_then.koha_at(over));
        if since.to_std().is_ok_and(|since| since >= SETTLED_AFTER) { Age::Settled } else { Age::Fresh }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::form::{CommitType, ServerUrl};

    /// 2026-11-23 10:00:00 UTC.
    const NOON: i64 = 1_795_428_000_000;
    const SETTLED: i64 = 600_000;

    fn desk(millis: i64) -> DeskTime {
        DeskTime::from_millis(NOON + millis)
    }

    /// Koha's clock is an hour ahead.
    fn koha(millis: i64) -> KohaTime {
        KohaTime::from_millis(NOON + 3_600_000 + millis)
    }

    fn seen(millis: i64) -> KohaClock {
        let mut clock = KohaClock::default();
        clock.saw(Some(koha(millis)), desk(millis));
        clock
    }

    fn attempt() -> Attempt {
        let server = ServerUrl::parse("https://koha.example.org").unwrap();
        Attempt::new(CommitType::Apply, &server)
    }

    #[test]
    fn an_attempt_is_settled_by_its_end_and_not_by_the_answer_before_it() {
        // The answer before came at noon; the computer slept, and it was over half an hour later.
        let over = seen(0).over(attempt(), desk(1_800_000));
        assert_eq!(seen(SETTLED).age(&over), Age::Fresh);
        assert_eq!(seen(1_800_000 + SETTLED - 1).age(&over), Age::Fresh);
        assert_eq!(seen(1_800_000 + SETTLED).age(&over), Age::Settled);
    }

    #[test]
    fn a_clock_that_was_set_tells_nothing() {
        let over = seen(0).over(attempt(), desk(0));
        let mut clock = KohaClock::default();
        assert_eq!(clock.age(&over), Age::Unknown, "Koha has shown no time yet");
        clock.saw(Some(koha(1_000)), desk(2 * SETTLED));
        assert_eq!(clock.age(&over), Age::Unknown, "the desk's was set forward");
        clock.saw(Some(koha(2 * SETTLED)), desk(1_000));
        assert_eq!(clock.age(&over), Age::Unknown, "Koha's was");
        clock.saw(None, desk(3 * SETTLED));
        assert_eq!(clock.age(&over), Age::Unknown, "an answer without a date tells no time");
        clock.saw(Some(koha(2 * SETTLED)), desk(2 * SETTLED));
        assert_eq!(clock.age(&over), Age::Settled);
        assert_eq!(clock.age(&attempt()), Age::Unknown, "nobody saw its end");
        assert_eq!(
            clock.age(&KohaClock::default().over(attempt(), desk(0))),
            Age::Unknown,
            "nothing told the difference"
        );
    }
}
