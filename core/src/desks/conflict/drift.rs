//! What the desk's clock showed while it was found wrong beside Koha's.

use super::report::ClockOff;
use crate::{
    desk::drift::Wrong,
    desks::shift::{Shift, Span},
    log::Entry,
    ordered,
};
use chrono::TimeDelta;

/// The scans of this desk that its clock showed wrongly then, and what sets them right: those in a row that were recorded after it
/// was last found otherwise, up to the last that it surely showed. `None` where none of them may be moved. What was moved
/// already bounds them: whoever has done that knew why.
pub fn shown_wrongly<'a>(entries: impl IntoIterator<Item = &'a Entry>, wrong: &Wrong) -> Option<ClockOff> {
    let mut own: Vec<&Entry> = entries.into_iter().filter(|entry| entry.desk.is_none()).collect();
    ordered::sort(&mut own, |entry| entry.id.rank());
    let recorded = |entry: &Entry| entry.original().moment.time();
    let is_right = |entry: &&&Entry| {
        wrong.after.is_some_and(|after| recorded(entry) <= after) || entry.original().moment != entry.transaction.moment
    };
    let from = own.iter().rposition(|entry| is_right(&entry)).map_or(0, |place| place + 1);
    let meant = &own[from..];
    let is_shown = |entry: &&Entry| !wrong.is_over || recorded(entry) <= wrong.found.at;
    let meant = &meant[..meant.iter().take_while(|entry| is_shown(entry)).count()];
    let movable = || meant.iter().filter(|entry| entry.status.state().is_correctable());
    let (first, last) = (movable().next()?, movable().next_back()?);
    let number = u32::try_from(movable().count()).unwrap_or(u32::MAX);
    // The header Date has whole seconds.
    let shift = Shift(TimeDelta::seconds(wrong.found.off().num_seconds())).opposite();
    Some(ClockOff { span: Span { first: first.id, last: last.id, part: None }, number, shift, settles: 0, of: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            clock::{ClockDifference, DeskTime, KohaTime},
            drift::Drift,
            transaction::{Action, Moment, Transaction, TransactionId},
        },
        log::status::{Attempt, Status},
    };

    const NOW: i64 = 1_795_428_000_000;

    fn entry(id: u32, minutes: i64) -> Entry {
        let moment = Moment::new(NOW + minutes * 60_000, 60).unwrap();
        let action = Action::Return { barcode: crate::Barcode::parse(&format!("A{id}")).unwrap() };
        Entry::recorded(TransactionId(id), Transaction { moment, action })
    }

    /// The clock was slow by seven minutes when it was looked at in the last minute, and was right in the first.
    fn wrong(after: Option<i64>, until: i64, is_over: bool) -> Wrong {
        let at = |minutes: i64| DeskTime::from_millis(NOW + minutes * 60_000);
        let koha = KohaTime::from_millis(at(until).millis() + 7 * 60_000 + 400);
        let found = Drift { ahead: ClockDifference::between(koha, at(until)), at: at(until) };
        Wrong { found, after: after.map(at), is_over }
    }

    fn offered(entries: &[Entry], wrong: &Wrong) -> Option<(u32, u32, u32, i64)> {
        let off = shown_wrongly(entries, wrong)?;
        Some((off.span.first.0, off.span.last.0, off.number, off.shift.0.num_milliseconds()))
    }

    #[test]
    fn what_a_slow_clock_showed_is_offered_and_nothing_before_and_nothing_after() {
        const BY: i64 = 7 * 60_000;
        let entries: Vec<Entry> = (1..=9).map(|id| entry(id, i64::from(id) * 10)).collect();
        assert_eq!(offered(&entries, &wrong(None, 90, false)), Some((1, 9, 9, BY)), "nobody had looked before");
        assert_eq!(offered(&entries, &wrong(Some(30), 60, false)), Some((4, 9, 6, BY)), "it is wrong still");
        assert_eq!(offered(&entries, &wrong(Some(30), 60, true)), Some((4, 6, 3, BY)), "somebody has set it right");
        assert_eq!(offered(&entries, &wrong(Some(90), 95, false)), None);
        assert_eq!(offered(&[], &wrong(None, 95, false)), None);
    }

    #[test]
    fn what_is_in_koha_and_what_another_desk_recorded_is_not_counted() {
        let mut entries: Vec<Entry> = (1..=5).map(|id| entry(id, i64::from(id) * 10)).collect();
        entries[0].status = Status::Sending { attempt: Attempt::unknown(crate::CommitType::Send) };
        entries[2].desk = Some(crate::DeskName::parse("Bus").unwrap());
        assert_eq!(offered(&entries, &wrong(None, 90, false)), Some((2, 5, 3, 7 * 60_000)));
    }

    #[test]
    fn what_was_moved_is_not_offered_again() {
        let mut entries: Vec<Entry> = (1..=4).map(|id| entry(id, i64::from(id) * 10)).collect();
        let wrong = wrong(Some(5), 90, true);
        let off = shown_wrongly(&entries, &wrong).unwrap();
        let now = Moment::new(NOW + 200 * 60_000, 60).unwrap();
        let mut shifts = crate::desks::shift::Shifts::default();
        shifts.set(None, off.span, off.shift);
        let plan = shifts.plan(&entries);
        for entry in &mut entries {
            *entry = plan.moved(entry, now).unwrap_or_else(|| entry.clone());
        }
        assert_eq!(entries[3].transaction.moment.utc_millis(), NOW + 47 * 60_000);
        assert_eq!(offered(&entries, &wrong), None);
    }
}
