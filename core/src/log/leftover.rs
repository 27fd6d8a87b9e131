//! What an earlier sitting has left to be sent, and whether the person is asked about it when the window is opened anew.

use crate::{
    desk::transaction::Moment,
    log::{Counts, status::State},
};
use std::time::Duration;

/// Whoever closes the window and opens it within this time is still at the same outage.
const SAME_SITTING: Duration = Duration::from_hours(4);

/// From when to when it was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leftover {
    /// The earliest moment.
    pub from: Moment,
    /// The latest.
    pub to: Moment,
}

/// How the person hears of it when the window is opened anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mention {
    /// They are asked what to do with it.
    Asked,
    /// It is only said.
    Said,
}

impl Leftover {
    /// Of what was recorded at these moments; `None` where there are none.
    pub fn of(moments: impl IntoIterator<Item = Moment>) -> Option<Self> {
        moments.into_iter().map(|moment| Self { from: moment, to: moment }).reduce(|all, next| Self {
            from: if next.from.time() < all.from.time() { next.from } else { all.from },
            to: if next.to.time() > all.to.time() { next.to } else { all.to },
        })
    }

    /// How the person hears of it in a log with these `counts`, `now` by a clock that may tell nothing. `None` where it needs no word:
    /// of the same sitting, when something is in doubt, of which more is said.
    pub fn mention(&self, counts: Counts, now: Option<Moment>) -> Option<Mention> {
        if now.is_none_or(|now| self.is_of_another_sitting(now)) {
            return Some(Mention::Asked);
        }
        (counts.of(State::InDoubt) == 0).then_some(Mention::Said)
    }

    /// Whether the person is asked: the last of it is some hours old, or of another day.
    fn is_of_another_sitting(&self, now: Moment) -> bool {
        let is_old = now.time().minus(SAME_SITTING) >= self.to.time();
        is_old || now.local().date() != self.to.local().date()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    /// The 27th of November 2026 in Berlin, this number of minutes after midnight.
    fn at(minutes: i64) -> Moment {
        let midnight = Moment::from_local("2026-11-27T00:00:00".parse().unwrap(), 60).unwrap();
        midnight.shifted(TimeDelta::minutes(minutes)).unwrap()
    }

    #[test]
    fn it_reaches_from_the_first_to_the_last_in_whatever_order() {
        let leftover = Leftover::of([at(20), at(5), at(10)]).unwrap();
        assert_eq!((leftover.from, leftover.to), (at(5), at(20)));
        assert_eq!(Leftover::of([]), None);
    }

    #[test]
    fn it_is_asked_about_after_four_hours_or_a_midnight() {
        let asks =
            |recorded: i64, now: i64| Leftover::of([at(0), at(recorded)]).unwrap().is_of_another_sitting(at(now));
        assert!(!asks(600, 601));
        assert!(!asks(600, 600 + 239));
        assert!(asks(600, 600 + 240));
        // Minutes after it, but on the next day, whose sitting is another.
        assert!(!asks(24 * 60 - 10, 24 * 60 - 5));
        assert!(asks(24 * 60 - 10, 24 * 60 + 5));
        // A clock that was set back: on the same day it may have been a moment ago.
        assert!(!asks(600, 500));
    }

    #[test]
    fn what_is_left_of_this_sitting_is_said_unless_doubts_are_told_of() {
        let leftover = Leftover::of([at(600)]).unwrap();
        let waiting = Counts::from_states([(State::Local, 3)]);
        let in_doubt = Counts::from_states([(State::Local, 3), (State::InDoubt, 1)]);
        let of = |counts, minutes| leftover.mention(counts, Some(at(minutes)));
        assert_eq!((of(waiting, 601), of(in_doubt, 601)), (Some(Mention::Said), None));
        assert_eq!((of(waiting, 840), of(in_doubt, 840)), (Some(Mention::Asked), Some(Mention::Asked)));
        assert_eq!(leftover.mention(in_doubt, None), Some(Mention::Asked), "no clock says that it is of today");
    }
}
