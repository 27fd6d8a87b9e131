//! The queue as it is shown and processed: in true order, with what of it is this log's own, and what stands in it twice.

use crate::{
    desk::transaction::TransactionId,
    koha::{
        own_rows,
        pending::{Likeness, Pending},
        shown_time,
    },
    log::{Entry, commit::Queued, warned::Grade},
};
use std::collections::{HashMap, HashSet};

/// A row as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// The row.
    pub row: Pending,
    /// The transaction of this log that it is, where it is one.
    pub own: Option<TransactionId>,
    /// The desk that recorded that: its name, or nothing for this one.
    pub desk: Option<String>,
    /// Koha shows times to the minute, and another row of the same item in that minute may have come before it: it does not tell.
    pub is_unsure: bool,
    /// It is just like the row before it of the same item: a front, or the browser, sent that twice.
    pub is_double: bool,
}

/// What is to be looked at before a row is processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caution {
    /// It stands in the queue twice.
    Double,
    /// Koha has seen the item since.
    SeenSince,
    /// Another row of the item may have come before it.
    Unsure,
    /// Koha has no such item, or no such patron.
    Unknown,
}

impl Caution {
    /// How much it asks of a person.
    pub fn grade(self) -> Grade {
        if self == Self::Double { Grade::Stop } else { Grade::Careful }
    }
}

impl Line {
    /// The gravest of what is to be looked at.
    pub fn caution(&self) -> Option<Caution> {
        let all = [
            (self.is_double, Caution::Double),
            (self.row.is_seen_since, Caution::SeenSince),
            (self.is_unsure, Caution::Unsure),
            (self.row.is_unknown, Caution::Unknown),
        ];
        all.into_iter().find_map(|(is_so, caution)| is_so.then_some(caution))
    }
}

/// Rows whose numbers are no further apart than this were sent one after the other, by one desk most likely.
const NEAR: u64 = 4;

/// The rows of a page in the order in which they happened. `entries` are those of the log that may stand in the queue, and `queued`
/// under which numbers some of them were seen there.
///
/// Koha sorts the page by time, to the second, and puts rows of one second in any order; most often the last comes first. So rows of
/// one second are put in the order in which they were queued, and else the page is right.
///
/// Where it shows times to the minute, it does not tell seconds. A desk sends in the order of time, so of two rows that it sent one
/// after the other the second comes before the first only within one second; those are told by their numbers. What has a number
/// far off was sent by another desk, before or long after, and there the page is right: an item goes from one desk to the next in
/// less than a minute.
pub fn list(rows: &[Pending], entries: &[Entry], queued: &[Queued]) -> Vec<Line> {
    let own = own_rows::own(rows, entries, queued, |_, _| false);
    let entries: HashMap<TransactionId, &Entry> = entries.iter().map(|entry| (entry.id, entry)).collect();
    let own_entry = |row: &Pending| own.get(&row.number).and_then(|id| entries.get(id));
    let second = |row: &Pending| own_entry(row).map(|entry| entry.transaction.moment.utc_seconds());
    let may_be_of_one_second = |one: &Pending, next: &Pending| {
        let are_two = second(one).zip(second(next)).is_some_and(|(one, next)| one != next);
        let is_near = shown_time::has_seconds(&one.time) || one.number.saturating_sub(next.number) <= NEAR;
        one.time == next.time && one.number > next.number && is_near && !are_two
    };
    let mut lines: Vec<Line> = Vec::with_capacity(rows.len());
    for mut run in rows.chunk_by(may_be_of_one_second).map(<[Pending]>::to_vec) {
        run.reverse();
        let mut differing: HashMap<String, HashSet<Likeness>> = HashMap::new();
        if run.len() > 1 && !shown_time::has_seconds(&run[0].time) {
            for row in &run {
                differing.entry(row.subject()).or_default().insert(row.likeness());
            }
        }
        lines.extend(run.into_iter().map(|row| {
            let is_unsure = differing.get(&row.subject()).is_some_and(|rows| rows.len() > 1);
            let desk_of = |entry: &&Entry| entry.desk.as_ref().map_or("", |desk| desk.as_str()).to_owned();
            let (own, desk) = (own.get(&row.number).copied(), own_entry(&row).map(desk_of));
            Line { own, desk, is_unsure, is_double: false, row }
        }));
    }
    mark_doubles(&mut lines);
    lines
}

/// What comes twice is the same in all that the page shows, with nothing of the same item in between. Where this log knows both,
/// they are two.
fn mark_doubles(lines: &mut [Line]) {
    let mut last: HashMap<String, usize> = HashMap::new();
    for place in 0..lines.len() {
        let subject = lines[place].row.subject();
        if let Some(before) = last.insert(subject, place) {
            let (one, other) = (&lines[before], &lines[place]);
            let are_two = one.own.is_some() && other.own.is_some();
            lines[place].is_double =
                one.row.time == other.row.time && one.row.likeness() == other.row.likeness() && !are_two;
        }
    }
}

#[cfg(test)]
mod tests;
