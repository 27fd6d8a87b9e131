//! Whether the clock of this computer jumped between two scans.
//!
//! Nobody can tell a clock that was set ahead from a desk that was shut, or from a computer that slept, for as long. So what is
//! said is what cannot have happened: a scan before the one before it, a rest longer than anybody makes, and a rest between
//! two scans that followed each other at once.

use crate::desk::{clock::NEAR, transaction::Moment};
use chrono::TimeDelta;
use std::time::Duration;

/// Nobody closes a computer, opens it and goes on scanning within this time of its running.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A desk that rests longer has a clock that is wrong: longer than from one summer to the next.
pub(crate) const LONGEST_REST: TimeDelta = TimeDelta::days(400);

/// The last scan: what the clock showed, and for how long the window had run, where it was recorded in this one.
#[derive(Debug, Clone, Copy)]
struct Seen {
    shown: Moment,
    ran: Option<Duration>,
}

/// Watches the clock from scan to scan.
#[derive(Debug, Clone, Default)]
pub struct ClockWatch(Option<Seen>);

/// The clock jumped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockJump {
    /// What it showed at the scan before.
    pub before: Moment,
    /// What it shows now.
    pub now: Moment,
}

impl ClockJump {
    /// How far; negative where it went back.
    pub fn by(self) -> TimeDelta {
        self.now.time().since(self.before.time())
    }

    /// The same in whole minutes, for a person: the scans themselves are some seconds apart.
    pub fn whole_minutes(self) -> TimeDelta {
        TimeDelta::minutes((self.by().num_milliseconds() + 30_000).div_euclid(60_000))
    }
}

impl ClockWatch {
    /// Whether it knows of no scan yet.
    pub fn is_new(&self) -> bool {
        self.0.is_none()
    }

    /// The last scan of the log, from before this window.
    pub fn begin(&mut self, last: Moment) {
        self.0.get_or_insert(Seen { shown: last, ran: None });
    }

    /// Takes a scan: what the clock showed, and for how long the window had run then, by a clock that nobody can set. That one
    /// may stand still while the computer sleeps, and never runs ahead. Returns whether the clock jumped.
    pub fn scan(&mut self, shown: Moment, ran: Duration) -> Option<ClockJump> {
        let last = self.0.replace(Seen { shown, ran: Some(ran) })?;
        let jump = ClockJump { before: last.shown, now: shown };
        let passed = last.ran.map(|before| ran.saturating_sub(before));
        let off = shown.time().minus(passed.unwrap_or_default()).since(last.shown.time());
        let is_at_once = passed.is_some_and(|passed| passed <= AT_ONCE);
        let is_ahead = off > if is_at_once { NEAR } else { LONGEST_REST };
        (off < -NEAR || is_ahead).then_some(jump)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;

    fn moment(millis: i64) -> Moment {
        Moment::new(1_795_428_000_000 + millis, 60).unwrap()
    }

    /// Whether a jump is said, where the clock went on by this much while the window ran for that long.
    fn is_said(by: i64, ran: u64) -> bool {
        let mut watch = ClockWatch::default();
        assert!(watch.is_new());
        assert_eq!(watch.scan(moment(0), Duration::from_secs(90)), None, "the first");
        let jump = watch.scan(moment(by), Duration::from_secs(90 + ran));
        assert!(jump.is_none_or(|jump| jump.by() == TimeDelta::milliseconds(by) && jump.before == moment(0)));
        assert!(jump.is_none_or(|jump| (jump.whole_minutes() - jump.by()).abs() <= TimeDelta::seconds(30)));
        jump.is_some()
    }

    #[test]
    fn what_cannot_have_happened_is_a_jump_and_a_closed_desk_is_none() {
        for (by, ran, expected) in [
            (2_000, 2, false),
            (-4 * MINUTE, 2, false),
            (4 * MINUTE, 2, false),
            (-(13 * HOUR + 30 * MINUTE), 2, true),
            (-6 * MINUTE, 1, true),
            (13 * HOUR + 30 * MINUTE, 2, true),
            // It was put back while the window ran on.
            (MINUTE, 3_600, true),
            // The computer slept: the window stood still.
            (2 * HOUR, 60, false),
            (64 * HOUR, 600, false),
            (300 * DAY, 600, false),
            (73 * 365 * DAY, 600, true),
            // The battery was dead: in 2001 until the network set it, while the window ran on, and once it was just opened.
            (25 * 365 * DAY, 36_000, true),
            (25 * 365 * DAY, 2, true),
            (-25 * 365 * DAY, 60, true),
            // Back by an hour that is no change of summer time: that changes no instant.
            (-HOUR, 2, true),
            (-HOUR + 600_000, 600, true),
        ] {
            assert_eq!(is_said(by, ran), expected, "{by} {ran}");
        }
    }

    #[test]
    fn a_change_of_summer_time_or_of_the_zone_is_no_jump() {
        for offset in [0, 120, -300] {
            let mut watch = ClockWatch::default();
            watch.scan(moment(0), Duration::from_secs(9));
            let now = moment(2_000).at_offset(offset).unwrap();
            assert_eq!(watch.scan(now, Duration::from_secs(11)), None, "{offset}");
        }
    }

    #[test]
    fn a_window_that_has_just_been_opened_goes_by_the_log() {
        for (by, expected) in [(64 * HOUR, false), (-6 * MINUTE, true), (-MINUTE, false), (73 * 365 * DAY, true)] {
            let mut watch = ClockWatch::default();
            watch.begin(moment(0));
            assert_eq!(watch.scan(moment(by), Duration::from_secs(3)).is_some(), expected, "{by}");
        }
    }

    #[test]
    fn a_scan_in_2099_is_said_and_the_right_one_after_it_too_and_then_no_more() {
        let mut watch = ClockWatch::default();
        watch.begin(moment(0));
        let said: Vec<bool> = [(MINUTE, 60), (73 * 365 * DAY, 120), (3 * MINUTE, 180), (4 * MINUTE, 240)]
            .into_iter()
            .map(|(by, ran)| watch.scan(moment(by), Duration::from_secs(ran)).is_some())
            .collect();
        assert_eq!(said, [false, true, true, false]);
    }

    proptest! {
        #[test]
        fn a_clock_that_keeps_step_never_jumps(
            rests in prop::collection::vec((0..40_000_000_u64, 0..200_000_000_u64), 0..20),
        ) {
            let mut watch = ClockWatch::default();
            let (mut shown, mut ran) = (0, 0);
            for (awake, asleep) in rests {
                // Whoever closes the computer and opens it again takes some seconds for that.
                let asleep = if awake < 6_000 { 0 } else { asleep };
                shown += awake + asleep;
                ran += awake;
                let shown = moment(i64::try_from(shown).unwrap());
                prop_assert_eq!(watch.scan(shown, Duration::from_millis(ran)), None);
            }
        }
    }
}
