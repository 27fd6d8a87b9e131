//! Which desk's clock seems to be off, and by how much.
//!
//! Where the scans of a desk contradict themselves, that shows which of them its clock showed wrongly
//! ([`jumps`](super::jumps)). Where they do not, the clock was steady, and the evidence is in the items that two desks had: an item cannot be lent twice without coming back. Where one shift of one
//! desk makes nearly all such contradictions go away, its clock was most likely off by that much.

use crate::{
    desk::{clock::DeskTime, name::DeskName, transaction::Moment},
    desks::{
        conflict::{
            items::{Items, MINUTE, ONE_SITTING, SECOND, STEP, is_issue, same_patron, time},
            jumps::Jump,
            report::{ClockOff, DeskReport},
        },
        shift::{Shift, Span},
    },
    log::Entry,
    ordered::{self, Gather, LiteMap},
    slices::Pace,
};
use chrono::TimeDelta;
use std::cmp::Reverse;

/// Fewer contradictions than this prove nothing about a clock.
const EVIDENCE: usize = 3;
/// The number of items that are looked at, and of exact spans that are tried, per desk.
const ITEMS: usize = 400;
const SPANS: usize = 60;
/// Round shifts are tried up to this number of steps: fourteen hours.
const STEPS: i32 = 28;

type Desk<'a> = Option<&'a DeskName>;

/// The desks whose clocks seem to be off.
pub(super) async fn off<'a>(
    items: &Items<'a>,
    desks: &LiteMap<Desk<'a>, DeskReport>,
    jumps: &LiteMap<Desk<'a>, Jump>,
    pace: &Pace,
) -> Vec<(Desk<'a>, ClockOff)> {
    let mut of_desks: LiteMap<Desk, Vec<&[&Entry]>> = LiteMap::new();
    for item in (0..items.len()).map(|number| items.get(number)) {
        pace.spend(item.len()).await;
        if item.iter().all(|entry| entry.desk == item[0].desk) {
            continue;
        }
        for desk in item.iter().map(|entry| entry.desk.as_ref()).into_list() {
            let items = of_desks.entry(desk).or_default();
            if items.len() < ITEMS {
                items.push(item);
            }
        }
    }
    let own = |(desk, jump): (&Desk<'a>, &Jump)| {
        let Jump { span, shift, number, .. } = *jump;
        (*desk, ClockOff { span, number, shift, settles: 0, of: 0 })
    };
    let mut found: Vec<_> = jumps.iter().filter(|(_, jump)| !jump.is_all).map(own).collect();
    // What such a desk has contradicts others by those scans.
    let mut shifts = found.iter().map(|(desk, _)| (*desk, TimeDelta::zero())).into_map();
    // One desk after the other: beside a desk that is off, those that are right look wrong as well.
    while let Some((desk, clock)) = worst(&of_desks, desks, &shifts, pace).await {
        shifts.insert(desk, clock.shift.0);
        found.push((desk, clock));
    }
    found.extend(jumps.iter().filter(|(desk, _)| !shifts.contains_key(*desk)).map(own));
    found
}

/// The desk, of those not shifted yet, whose clock was most likely off. What a shift of one desk settles, the opposite shift
/// of another often settles as well; then it is the one after which the desks worked at the same time.
async fn worst<'a>(
    of_desks: &LiteMap<Desk<'a>, Vec<&[&Entry]>>,
    desks: &LiteMap<Desk<'a>, DeskReport>,
    shifts: &LiteMap<Desk<'a>, TimeDelta>,
    pace: &Pace,
) -> Option<(Desk<'a>, ClockOff)> {
    let mut candidates = Vec::new();
    for (desk, items) in of_desks.iter().filter(|(desk, _)| !shifts.contains_key(*desk)) {
        let number = desks.get(desk).map_or(0, |report| report.movable);
        candidates.extend(best_shift(items, *desk, shifts).map(|clock| (*desk, ClockOff { number, ..clock })));
        pace.spend(items.len() * SPANS).await;
    }
    // Of two desks that can only be compared with each other, this computer is taken to be right.
    candidates.into_iter().min_by_key(|(desk, clock)| {
        let others_seem_right = desk.is_none();
        (span(desks, shifts, (*desk, clock.shift.0)), Reverse(clock.settles), others_seem_right, clock.shift.0.abs())
    })
}

/// From the first moment of any desk to the last, with the shifts so far and one more.
fn span(desks: &LiteMap<Desk, DeskReport>, shifts: &LiteMap<Desk, TimeDelta>, more: (Desk, TimeDelta)) -> TimeDelta {
    let moved = |desk: &Desk, moment: Moment| {
        let shift = if *desk == more.0 { more.1 } else { shifts.get(desk).copied().unwrap_or_default() };
        moment.time().shifted(shift)
    };
    let first = desks.iter().map(|(desk, report)| moved(desk, report.first)).min();
    let last = desks.iter().map(|(desk, report)| moved(desk, report.last)).max();
    last.zip(first).map_or(TimeDelta::zero(), |(last, first)| last.since(first))
}

fn best_shift(items: &[&[&Entry]], desk: Desk, shifts: &LiteMap<Desk, TimeDelta>) -> Option<ClockOff> {
    let with = |shift: TimeDelta| -> usize {
        let moved = |entry: &Entry| {
            let of = entry.desk.as_ref();
            time(entry).shifted(if of == desk { shift } else { shifts.get(&of).copied().unwrap_or_default() })
        };
        items.iter().map(|item| contradictions(item, desk, &moved)).sum()
    };
    let before = with(TimeDelta::zero());
    if before < EVIDENCE {
        return None;
    }
    let round = (1..=STEPS).flat_map(|steps| [STEP * steps, STEP * -steps]);
    let exact = items.iter().flat_map(|item| spans(item, desk)).take(SPANS).into_list();
    let tried = round.chain(exact).map(|shift| (with(shift), shift));
    // The fewest contradictions; then a round number; then the smallest.
    let (left, shift) =
        tried.min_by_key(|(left, shift)| (*left, shift.num_minutes() % STEP.num_minutes() != 0, shift.abs()))?;
    // Every shift may make it worse.
    let settled = before.saturating_sub(left);
    let is_clear = settled >= EVIDENCE && left * 5 <= before;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    is_clear.then(|| ClockOff {
        span: Span::ALL,
        number: 0,
        shift: Shift(shift),
        settles: count(settled),
        of: count(before),
    })
}

/// Shifts that would just bring one of the desk's transactions past one of another desk.
fn spans(item: &[&Entry], desk: Desk) -> Vec<TimeDelta> {
    let mut spans = Vec::new();
    for own in item.iter().filter(|entry| entry.desk.as_ref() == desk) {
        for other in item.iter().filter(|entry| entry.desk.as_ref() != desk) {
            let span = time(other).since(time(own));
            // Up to the next minute.
            let minutes = TimeDelta::minutes(span.num_milliseconds().div_euclid(MINUTE.num_milliseconds()));
            spans.push(if span > TimeDelta::zero() { minutes + MINUTE } else { minutes });
        }
    }
    spans
}

/// How often an item does, at this desk and another, what cannot follow.
fn contradictions(item: &[&Entry], desk: Desk, moved: &dyn Fn(&Entry) -> DeskTime) -> usize {
    let mut sequence: Vec<(DeskTime, &Entry)> = item.iter().map(|entry| (moved(entry), *entry)).collect();
    // Stable: the sequence of one desk stays, as long as its clock was steady.
    ordered::sort(&mut sequence, |(at, _)| (at.millis(), 0));
    let mut number = 0;
    for (place, neighbours) in sequence.windows(2).enumerate() {
        let [(at, first), (then, second)] = neighbours else { continue };
        let of_desk = [first, second].iter().filter(|entry| entry.desk.as_ref() == desk).count();
        if of_desk != 1 {
            continue;
        }
        let wrong = match (is_issue(first), is_issue(second)) {
            (true, true) => !same_patron(first, second),
            (false, false) => then.since(*at) > SECOND,
            (true, false) => false,
            (false, true) => {
                let closes_nothing = place == 0 || !is_issue(sequence[place - 1].1);
                let stays_open = sequence.get(place + 2).is_none_or(|(_, next)| is_issue(next));
                closes_nothing && stays_open && then.since(*at) <= ONE_SITTING
            }
        };
        number += usize::from(wrong);
    }
    number
}
