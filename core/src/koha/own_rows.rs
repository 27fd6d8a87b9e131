//! Which rows of Koha's queue are transactions of this log.

use super::{
    pending::{self, Likeness, Pending},
    shown_time::{self, Fit},
};
use crate::{
    desk::transaction::TransactionId,
    log::{Entry, commit::Queued},
    ordered,
};
use chrono::TimeDelta;
use std::collections::{HashMap, HashSet};

/// Which rows are which transactions of this log.
///
/// By the number under which one was seen in the queue; else by likeness and time. Several that are alike in all of that are told
/// apart by their order, and only where all of them are there.
///
/// Which zone the server shows is not said: to a row of another desk, hours later to the second, one of ours may be alike. So what
/// is known by its time is ours only in the zone of another of ours, where there is another. `is_sure` says which need none.
pub fn own(
    rows: &[Pending],
    entries: &[Entry],
    queued: &[Queued],
    is_sure: impl Fn(u64, TransactionId) -> bool,
) -> HashMap<u64, TransactionId> {
    let mut own = alike(rows, entries, queued);
    let is_lone = own.len() == 1;
    let by_number: HashSet<_> = queued.iter().map(|queued| (queued.number, queued.id)).collect();
    let is_sure = |number: u64, id: TransactionId| by_number.contains(&(number, id)) || is_sure(number, id);
    let rows: HashMap<u64, &Pending> = rows.iter().map(|row| (row.number, row)).collect();
    let entries: HashMap<TransactionId, &Entry> = entries.iter().map(|entry| (entry.id, entry)).collect();
    let zones = |number: u64, id: TransactionId| {
        let both = rows.get(&number).zip(entries.get(&id));
        both.map(|(row, entry)| shown_time::ahead(&row.time, entry.transaction.moment)).unwrap_or_default()
    };
    // Two that are not sure are for each other what one is that is.
    let mut witnesses: HashMap<TimeDelta, u32> = HashMap::new();
    let weighed = own.iter().flat_map(|(number, id)| {
        let weight = if is_sure(*number, *id) { 2 } else { 1 };
        zones(*number, *id).into_iter().map(move |zone| (zone, weight))
    });
    for (zone, weight) in weighed {
        *witnesses.entry(zone).or_default() += weight;
    }
    own.retain(|number, id| {
        let is_witnessed = |zone: &TimeDelta| witnesses.get(zone).is_some_and(|all| *all > 1);
        is_lone || is_sure(*number, *id) || zones(*number, *id).iter().any(is_witnessed)
    });
    own
}

/// Which rows are like which transactions, and no others.
fn alike(rows: &[Pending], entries: &[Entry], queued: &[Queued]) -> HashMap<u64, TransactionId> {
    let by_number: HashMap<u64, TransactionId> = queued.iter().map(|queued| (queued.number, queued.id)).collect();
    let mut open: HashMap<TransactionId, &Entry> = entries.iter().map(|entry| (entry.id, entry)).collect();
    let mut own = HashMap::new();
    let mut rest: Vec<&Pending> = Vec::new();
    for row in rows {
        let seen = by_number.get(&row.number).and_then(|id| open.get(id));
        let seen = seen.filter(|entry| pending::likeness(&entry.transaction) == row.likeness());
        match seen.map(|entry| entry.id) {
            Some(id) => {
                open.remove(&id);
                own.insert(row.number, id);
            }
            None => rest.push(row),
        }
    }
    // What is known by its number is in the queue once, whatever is like it.
    let known: HashSet<TransactionId> = queued.iter().map(|queued| queued.id).collect();
    let mut alike: HashMap<Likeness, (Vec<&Pending>, Vec<&Entry>)> = HashMap::new();
    for row in rest {
        alike.entry(row.likeness()).or_default().0.push(row);
    }
    let mut open: Vec<&Entry> = open.into_values().filter(|entry| !known.contains(&entry.id)).collect();
    ordered::sort(&mut open, |entry| entry.id.rank());
    for entry in open {
        if let Some((_, entries)) = alike.get_mut(&pending::likeness(&entry.transaction)) {
            entries.push(entry);
        }
    }
    own.extend(alike.into_values().flat_map(|(rows, entries)| {
        let found = [Fit::Exact, Fit::OtherZone].map(|fit| by_time(&rows, &entries, fit));
        found.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
    }));
    own
}

/// Those that may be each other by their times. Rows and entries that may be one another form a heap; as many rows as entries in it
/// are taken in their order.
fn by_time(rows: &[&Pending], entries: &[&Entry], fit: Fit) -> Vec<(u64, TransactionId)> {
    let fits = |row: &Pending, entry: &Entry| shown_time::fit(&row.time, entry.transaction.moment) >= fit;
    let mut left: Vec<&Pending> = rows.to_vec();
    let mut found = Vec::new();
    while let Some(first) = left.first().copied() {
        let mine: Vec<&&Entry> = entries.iter().filter(|entry| fits(first, entry)).collect();
        let is_of_heap = |row: &&Pending| row.number == first.number || mine.iter().any(|entry| fits(row, entry));
        let (mut heap, others): (Vec<&Pending>, Vec<&Pending>) = left.into_iter().partition(is_of_heap);
        left = others;
        ordered::sort(&mut heap, |row| (0, row.number));
        let mut mine: Vec<(i64, TransactionId)> =
            mine.into_iter().map(|entry| (entry.transaction.moment.utc_seconds(), entry.id)).collect();
        ordered::sort(&mut mine, |(at, id)| (*at, u64::from(id.0)));
        let is_whole = heap.len() == mine.len() && heap.iter().all(|row| fits_all(row, entries, &mine, fit));
        // The first of what came twice is ours, and the other one too much.
        let is_doubled = mine.len() == 1 && heap.iter().all(|row| fits_all(row, entries, &mine, fit));
        if is_whole || is_doubled {
            found.extend(heap.iter().map(|row| row.number).zip(mine.into_iter().map(|(_, id)| id)));
        }
    }
    found
}

fn fits_all(row: &Pending, entries: &[&Entry], mine: &[(i64, TransactionId)], fit: Fit) -> bool {
    let ids: HashSet<_> = mine.iter().map(|(_, id)| *id).collect();
    let theirs = entries.iter().filter(|entry| shown_time::fit(&row.time, entry.transaction.moment) >= fit);
    theirs.map(|entry| entry.id).collect::<HashSet<_>>() == ids
}
