//! Where the clock of a desk was wrong for some of its scans, by the desk's own sequence: its scans were recorded in the order
//! of their numbers, and none of them later than now. Where the times contradict that, the clock jumped, at a scan that
//! can be named: what is offered moves the scans from there on, or up to there, and never those that are right.

use crate::{
    desk::{
        clock::{DeskTime, NEAR},
        jump::LONGEST_REST,
        transaction::TransactionId,
    },
    desks::{
        conflict::items::{FUTURE_FROM, MINUTE, PAST_FROM, SECOND, STEP},
        shift::{Shift, Span},
    },
};
use chrono::TimeDelta;

/// What is known of a scan here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan {
    pub id: TransactionId,
    pub at: DeskTime,
    /// Whether it may still be moved.
    pub is_movable: bool,
}

/// Scans in a row that a wrong clock showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Jump {
    pub span: Span,
    pub shift: Shift,
    /// The number of scans in the span that may be moved.
    pub number: u32,
    /// Whether all of the sequence is meant: then it is no jump, and other desks may show better how far the clock was off.
    pub is_all: bool,
}

/// A way to set right what contradicts itself: these scans, moved by something between the two.
struct Candidate {
    first: usize,
    last: usize,
    least: TimeDelta,
    most: TimeDelta,
    /// Whether they are moved on, and not back.
    is_onward: bool,
    /// Whether the clock jumped to and fro by about as much: that no two jumps of their own, nor a pause, do by chance.
    is_there_and_back: bool,
    /// Whether the scan that would be moved lies where scans to be sent mostly lie: not in the future, nor far in the past.
    is_plausible: bool,
}

/// The first jump of a sequence, whose scans are in the order of their numbers; `now` is what this computer's clock shows.
pub(super) fn first_jump(scans: &[Scan], now: DeskTime) -> Option<Jump> {
    let at = |place: usize| scans[place].at;
    let mut start = 0;
    for end in 0..scans.len() {
        let next = scans.get(end + 1);
        let (bound, allowed) = next.map_or((now, FUTURE_FROM), |next| (next.at, NEAR));
        if at(end).since(bound) <= allowed {
            // Within what clocks are set by when they are kept right, or not later at all.
            match next.filter(|next| is_dead_before(at(end), next.at, now)) {
                Some(next) => return before_the_battery_died(scans, start, end, next.at).into_jump(scans),
                None => continue,
            }
        }
        let before = ahead(scans, start, end, (bound, allowed), now);
        let after = next.and_then(|_| behind(scans, end, now));
        // What lies where no scan can be is wrong; else what a clock showed that jumped there and back; else the fewest scans
        // are, and of as many the earlier: somebody has put the clock right.
        let rank = |candidate: &Candidate| {
            let Candidate { first, last, is_onward, is_there_and_back, is_plausible, .. } = *candidate;
            (is_plausible, !is_there_and_back, last - first, is_onward)
        };
        if let Some(found) = after.into_iter().chain(before).min_by_key(rank) {
            return found.into_jump(scans);
        }
        start = end + 1;
    }
    None
}

fn is_plausible(at: DeskTime, now: DeskTime) -> bool {
    (-PAST_FROM..=FUTURE_FROM).contains(&at.since(now))
}

/// Whether a clock that was right at a scan was so wrong at the one before that nobody has rested for as long: it began in 1970, or
/// in the year in which it was made, since its battery was dead.
fn is_dead_before(last: DeskTime, next: DeskTime, now: DeskTime) -> bool {
    next.since(last) > LONGEST_REST && is_plausible(next, now) && !is_plausible(last, now)
}

/// The first scans up to this one, which come shortly before the next.
fn before_the_battery_died(scans: &[Scan], first: usize, last: usize, next: DeskTime) -> Candidate {
    let gap = next.since(scans[last].at);
    // How shortly, nobody knows.
    Candidate {
        first,
        last,
        least: gap - NEAR,
        most: gap - SECOND,
        is_onward: true,
        is_there_and_back: false,
        is_plausible: false,
    }
}

/// Whether a jump is as far as another, but for the time between two scans.
fn is_about(one: TimeDelta, other: TimeDelta) -> bool {
    one.checked_sub(&other).is_some_and(|apart| apart.abs() <= STEP)
}

/// The last scans up to this one, from where the clock jumped ahead: the gap before them is as long as they are ahead, or so
/// long that it was no pause.
fn ahead(
    scans: &[Scan],
    start: usize,
    end: usize,
    (bound, allowed): (DeskTime, TimeDelta),
    now: DeskTime,
) -> Option<Candidate> {
    let excess = scans[end].at.since(bound);
    let gap =
        |place: usize| Some(scans[place].at.since(scans[place.checked_sub(1).filter(|before| *before >= start)?].at));
    let jumped =
        (start..=end).rev().find(|place| gap(*place).is_some_and(|gap| gap >= (excess - allowed).min(PAST_FROM)));
    let first = jumped.unwrap_or(start);
    let most = jumped.and_then(gap).unwrap_or(TimeDelta::MAX);
    let is_plausible = is_plausible(scans[end].at, now);
    // Not to before 1970.
    (scans[first].at.since(DeskTime::default()) >= excess).then_some(Candidate {
        first,
        last: end,
        least: excess,
        most,
        is_onward: false,
        is_there_and_back: is_about(most, excess),
        is_plausible,
    })
}

/// The first scans after this one, up to where the clock jumped ahead again: they are behind.
fn behind(scans: &[Scan], end: usize, now: DeskTime) -> Option<Candidate> {
    let first = end + 1;
    let excess = scans[end].at.since(scans[first].at);
    let mut last = first;
    let gap = loop {
        match scans.get(last + 1).map(|next| next.at.since(scans[last].at)) {
            Some(gap) if gap >= excess - NEAR => break gap,
            // A jump back is the next thing to be set right.
            Some(gap) if gap >= -NEAR => last += 1,
            _ => break TimeDelta::MAX,
        }
    };
    let most = gap.min(now.since(scans[last].at));
    let is_there_and_back = is_about(gap, excess);
    let is_plausible = is_plausible(scans[first].at, now);
    (most >= excess - NEAR).then_some(Candidate {
        first,
        last,
        least: excess,
        most,
        is_onward: true,
        is_there_and_back,
        is_plausible,
    })
}

impl Candidate {
    fn into_jump(self, scans: &[Scan]) -> Option<Jump> {
        // The roundest that keeps the order: clocks are wrong by a time zone or by summer time most often.
        let rounded = [STEP, MINUTE, SECOND].map(|unit| rounded_up(self.least, unit));
        let by = rounded.into_iter().find(|by| *by <= self.most).unwrap_or(self.least.min(self.most));
        let moved = &scans[self.first..=self.last];
        let number = moved.iter().filter(|scan| scan.is_movable).count();
        let span = Span { first: moved[0].id, last: moved[moved.len() - 1].id, part: None };
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let is_all = moved.len() == scans.len();
        (number > 0).then_some(Jump { span, shift: Shift(if self.is_onward { by } else { -by }), number, is_all })
    }
}

/// To the next whole number of these units.
fn rounded_up(span: TimeDelta, unit: TimeDelta) -> TimeDelta {
    let (span, unit) = (span.num_milliseconds(), unit.num_milliseconds());
    TimeDelta::milliseconds(span.saturating_add(unit - 1).div_euclid(unit) * unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: DeskTime = DeskTime::from_millis(1_795_428_000_000);

    fn scans(minutes: &[i64]) -> Vec<Scan> {
        let scan = |(id, minute): (u32, &i64)| Scan {
            id: TransactionId(id),
            at: NOW.shifted(TimeDelta::minutes(*minute)),
            is_movable: true,
        };
        (1..).zip(minutes).map(scan).collect()
    }

    /// The first and the last number, and by how much.
    fn found(minutes: &[i64]) -> Option<(u32, u32, String)> {
        let jump = first_jump(&scans(minutes), NOW)?;
        assert_eq!(jump.number, jump.span.last.0 - jump.span.first.0 + 1);
        Some((jump.span.first.0, jump.span.last.0, jump.shift.to_string()))
    }

    const DAYS: i64 = 24 * 60;

    #[test]
    fn one_wrong_scan_is_moved_alone() {
        let one = |id, by: &str| Some((id, id, by.to_owned()));
        // Half past thirteen hours ahead, as the last, in the middle, as the first.
        assert_eq!(found(&[-9, -8, -7, 810 - 6]), one(4, "-13:30"));
        assert_eq!(found(&[-9, -8, 810 - 7, -6, -5]), one(3, "-13:30"));
        assert_eq!(found(&[810 - 7, -6, -5, -4]), one(1, "-13:30"));
        // Behind.
        assert_eq!(found(&[-90, -80, -780, -60, -50]), one(3, "+12:00"));
        // In 2099, and in 1990.
        assert_eq!(found(&[-9, -8, 73 * 365 * DAYS, -6, -5]).map(|(first, last, _)| (first, last)), Some((3, 3)));
        assert_eq!(found(&[-9, -36 * 365 * DAYS, -6]).map(|(first, last, _)| (first, last)), Some((2, 2)));
        // No round span keeps the order: minutes do, else seconds.
        assert_eq!(found(&[-9, -8, 795, -6, -5]), one(3, "-13:21"));
        // The second, which was behind, and not the first, which was not ahead.
        assert_eq!(found(&[-6, -207, -4, -3, -2, -1]), one(2, "+3:21"));
    }

    #[test]
    fn from_a_scan_on_or_up_to_one() {
        assert_eq!(found(&[-30, -29, 40, 41, 42]), Some((3, 5, "-1:00".into())), "ahead since");
        assert_eq!(found(&[-90, -80, 10, 15, -50, -40, -30]), Some((3, 4, "-1:30".into())), "ahead for a while");
        assert_eq!(found(&[-30, -20, -150, -140, -130]), Some((1, 2, "-2:30".into())), "ahead until somebody saw it");
        assert_eq!(found(&[-200, -190, -180, -300, -290, -170]), Some((4, 5, "+2:00".into())), "behind for a while");
        assert_eq!(found(&[10, 11]), Some((1, 2, "-0:30".into())), "all are ahead");
    }

    #[test]
    fn what_was_scanned_before_the_clock_was_set_from_2001_comes_before_what_came_after() {
        let (first, last, by) = found(&[-25 * 365 * DAYS, -25 * 365 * DAYS + 20, -60, -50]).unwrap();
        assert_eq!((first, last, by.as_str()), (1, 2, "+9124d 22:35"), "to five minutes before");
        let (first, last, _) = found(&[-25 * 365 * DAYS, -60]).unwrap();
        assert_eq!((first, last), (1, 1));
        // From 2001 to 2026 and back to it, and there again.
        let found = found(&[-60, -25 * 365 * DAYS, -25 * 365 * DAYS + 5, -40]).map(|(first, last, _)| (first, last));
        assert_eq!(found, Some((2, 3)));
    }

    #[test]
    fn a_closed_desk_and_a_small_correction_are_no_jump() {
        assert_eq!(found(&[-3 * DAYS, -3 * DAYS + 5, -9, -8]), None, "a week-end");
        assert_eq!(found(&[-400 * DAYS, -9]), None, "a year");
        assert_eq!(found(&[-9, -8, -12, -11, 4]), None, "five minutes");
        assert_eq!(found(&[]), None);
    }

    proptest! {
        /// At a desk that was busy, and whose clock was wrong for a few scans.
        #[test]
        fn what_a_wrong_clock_showed_is_offered_and_no_right_scan(
            pauses in prop::collection::vec(1..10_i64, 6..16),
            from in any::<prop::sample::Index>(),
            number in 1..5_usize,
            off in prop_oneof![200..5000_i64, -5000..-200_i64, Just(73 * 365 * DAYS), Just(-20 * 365 * DAYS)],
        ) {
            let number = number.min((pauses.len() - 1) / 2);
            // Behind from the beginning, it looks as if the desk had been shut; not by years.
            let least = usize::from((-5000..0).contains(&off));
            let from = least + from.index(pauses.len() - number + 1 - least);
            let mut at = -1 - pauses.iter().sum::<i64>();
            let mut minutes: Vec<i64> = Vec::new();
            for pause in &pauses {
                at += pause;
                minutes.push(at);
            }
            minutes[from..from + number].iter_mut().for_each(|minute| *minute += off);
            let offered = found(&minutes).map(|(first, last, _)| (first, last));
            let [first, last] = [from + 1, from + number].map(|place| u32::try_from(place).unwrap());
            prop_assert_eq!(offered, Some((first, last)), "{:?}", minutes);
        }

        #[test]
        fn what_is_offered_keeps_the_order_at_both_ends_and_is_not_later_than_now(
            minutes in prop::collection::vec(prop_oneof![-300..0_i64, -300..2_000_i64, Just(30_000_000)], 0..12),
        ) {
            let mut scans = scans(&minutes);
            let mut rounds = 0;
            while let Some(jump) = first_jump(&scans, NOW) {
                let is_moved = |scan: &Scan| (jump.span.first..=jump.span.last).contains(&scan.id);
                prop_assert!(scans.iter().any(is_moved));
                for scan in scans.iter_mut().filter(|scan| is_moved(scan)) {
                    let was = scan.at;
                    scan.at = was.shifted(jump.shift.0);
                    prop_assert!(jump.shift < Shift::NONE || scan.at <= NOW.max(was));
                }
                rounds += 1;
                prop_assert!(rounds < 200, "{:?}", minutes);
            }
            // In the end nothing contradicts itself.
            prop_assert!(scans.windows(2).all(|pair| pair[0].at.since(pair[1].at) <= NEAR));
            prop_assert!(scans.iter().all(|scan| scan.at.since(NOW) <= FUTURE_FROM + NEAR * 12));
        }
    }
}
