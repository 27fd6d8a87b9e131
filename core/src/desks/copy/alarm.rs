//! When Firefox wakes the event page for what a window has not copied.

use crate::desk::clock::DeskTime;
use std::time::Duration;

/// The event page looks this long after something came that was not copied: the window is closed then, or hangs.
const LATER: Duration = Duration::from_secs(75);
/// The alarm is set anew where it would ring within this time.
const NEAR: Duration = Duration::from_secs(30);
/// The event page is not woken again sooner than this.
const LEAST: Duration = Duration::from_mins(1);
/// After Firefox was started, and when a copy is wanted, it rings this long after.
const SOON: Duration = Duration::from_mins(1);
/// If the event page ends in the middle, it rings this long after.
const WATCH: Duration = Duration::from_mins(3);
/// The event page sleeps rather than to be woken again, where it is no longer than this.
const SLEEPS: Duration = Duration::from_secs(5);

/// What a window does about the alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// It is right as it is.
    Stays,
    /// None is needed any more.
    Clear,
    /// It is to ring then.
    Set(DeskTime),
}

impl Alarm {
    /// While a window is open. `set` is when the one rings that it has set; `is_behind` is whether something is not copied.
    pub fn from_window(set: Option<DeskTime>, is_behind: bool, now: DeskTime) -> Self {
        let later = now.plus(LATER);
        match set {
            Some(_) if !is_behind => Self::Clear,
            // Where the clock was set back, it would ring too late; or it has rung already, for all that is known here.
            Some(set) if now.plus(NEAR) <= set && set <= later => Self::Stays,
            None if !is_behind => Self::Stays,
            _ => Self::Set(later),
        }
    }

    /// When somebody is to look soon whether something is to be copied.
    pub fn soon(now: DeskTime) -> Self {
        Self::Set(now.plus(SOON))
    }

    /// While the event page writes, which may end in the middle.
    pub fn watching(now: DeskTime) -> Self {
        Self::Set(now.plus(WATCH))
    }

    /// Where the event page could not even begin.
    pub fn not_begun(now: DeskTime) -> Self {
        Self::watching(now)
    }

    /// How long the event page sleeps for what will be due after this time; `None` where it rather ends.
    pub fn sleeps(left: Option<Duration>) -> Option<Duration> {
        left.filter(|left| *left <= SLEEPS)
    }

    /// Where the event page has done what was to be done, and something will be after this time. Where nothing will but somebody has left more
    /// to it meanwhile, what that one has set is not cleared.
    pub fn from_event_page(left: Option<Duration>, has_more: bool, now: DeskTime) -> Self {
        match left {
            Some(left) => Self::Set(now.plus(left.max(LEAST))),
            None if has_more => Self::soon(now),
            None => Self::Clear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DeskTime = DeskTime::from_millis(1_795_428_000_000);

    #[test]
    fn the_event_page_stays_for_what_is_due_in_a_moment_and_is_woken_for_the_rest() {
        assert_eq!(Alarm::sleeps(None), None);
        assert_eq!(Alarm::sleeps(Some(SLEEPS)), Some(SLEEPS));
        let later = SLEEPS + Duration::from_millis(1);
        assert_eq!(Alarm::sleeps(Some(later)), None);
        assert_eq!(Alarm::from_event_page(Some(later), true, NOW), Alarm::Set(NOW.plus(LEAST)));
        assert_eq!(Alarm::from_event_page(None, false, NOW), Alarm::Clear);
        assert_eq!(Alarm::from_event_page(None, true, NOW), Alarm::soon(NOW), "what another has set is not taken away");
        assert_eq!(Alarm::not_begun(NOW), Alarm::watching(NOW), "as where it ends in the middle");
        assert_eq!(Alarm::soon(NOW), Alarm::Set(NOW.plus(Duration::from_mins(1))));
    }

    #[test]
    fn it_rings_soon_after_what_is_not_copied_whatever_the_clock_does() {
        let later = NOW.plus(LATER);
        assert_eq!(Alarm::from_window(None, false, NOW), Alarm::Stays);
        assert_eq!(Alarm::from_window(None, true, NOW), Alarm::Set(later));
        assert_eq!(Alarm::from_window(Some(later), true, NOW), Alarm::Stays);
        assert_eq!(Alarm::from_window(Some(NOW.plus(NEAR)), true, NOW), Alarm::Stays);
        assert_eq!(
            Alarm::from_window(Some(NOW.plus(NEAR / 2)), true, NOW),
            Alarm::Set(later),
            "the window lives still"
        );
        assert_eq!(Alarm::from_window(Some(later), false, NOW), Alarm::Clear);
        let hours_back = NOW.minus(Duration::from_hours(3));
        assert_eq!(Alarm::from_window(Some(later), true, hours_back), Alarm::Set(hours_back.plus(LATER)));
        assert_eq!(Alarm::from_window(Some(later), true, NOW.plus(Duration::from_hours(3))), {
            Alarm::Set(NOW.plus(Duration::from_hours(3)).plus(LATER))
        });
    }

    #[test]
    fn what_cannot_be_written_does_not_wake_the_event_page_every_few_seconds() {
        assert_eq!(Alarm::from_event_page(None, false, NOW), Alarm::Clear);
        assert_eq!(Alarm::from_event_page(Some(Duration::from_secs(15)), false, NOW), Alarm::Set(NOW.plus(LEAST)));
        assert_eq!(Alarm::from_event_page(Some(LEAST * 3), false, NOW), Alarm::Set(NOW.plus(LEAST * 3)));
    }
}
