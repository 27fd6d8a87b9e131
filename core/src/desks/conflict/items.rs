//! The transactions of each item side by side, and how two of them compare.

use crate::{
    desk::{barcode::same_code, clock::DeskTime, transaction::Action},
    log::{Entry, order::Ordered},
    slices::{CHUNK, Pace},
};
use chrono::TimeDelta;
use std::collections::HashMap;

pub(super) const SECOND: TimeDelta = TimeDelta::seconds(1);
pub(super) const MINUTE: TimeDelta = TimeDelta::minutes(1);
/// Clocks are wrong by a time zone or by summer time most often.
pub(super) const STEP: TimeDelta = TimeDelta::minutes(30);

/// How far ahead of this computer's clock a moment must lie to be in the future.
pub const FUTURE_FROM: TimeDelta = TimeDelta::minutes(5);
/// A moment that is longer ago than this is far in the past: Koha would count a loan from then as overdue.
pub const PAST_FROM: TimeDelta = TimeDelta::days(30);
/// A checkin and a checkout at two desks further apart than this are taken for two loans.
pub(super) const ONE_SITTING: TimeDelta = TimeDelta::days(1);

/// The transactions of each item, in their order.
pub(super) struct Items<'a> {
    /// Item after item.
    entries: Vec<&'a Entry>,
    /// Where each item ends in there.
    ends: Vec<usize>,
}

impl<'a> Items<'a> {
    pub(super) async fn of(entries: &'a Ordered, pace: &Pace) -> Self {
        // As many as there can be: to move a long table would take as long as many slices.
        let mut numbers: HashMap<String, usize> = HashMap::with_capacity(entries.len());
        // The number of its item, for each.
        let mut items: Vec<Option<usize>> = Vec::with_capacity(entries.len());
        let mut ends: Vec<usize> = Vec::new();
        for chunk in entries.chunks(CHUNK) {
            for entry in chunk {
                let item = entry.transaction.action.item_key().map(|key| {
                    let new = numbers.len();
                    *numbers.entry(key).or_insert(new)
                });
                ends.resize(numbers.len(), 0);
                if let Some(item) = item {
                    ends[item] += 1;
                }
                items.push(item);
            }
            pace.spend(chunk.len()).await;
        }
        let mut all = 0;
        for end in &mut ends {
            // Where its next one goes, until all are there: then that is its end.
            all += std::mem::replace(end, all);
        }
        let mut sorted = vec![None; all];
        for (chunk, items) in entries.chunks(CHUNK).zip(items.chunks(CHUNK)) {
            for (entry, item) in chunk.iter().zip(items) {
                let Some(item) = item else { continue };
                sorted[ends[*item]] = Some(entry);
                ends[*item] += 1;
            }
            pace.spend(chunk.len()).await;
        }
        Self { entries: sorted.into_iter().flatten().collect(), ends }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Those of one item.
    pub(super) fn get(&self, number: usize) -> &[&'a Entry] {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.entries[start..self.ends[number]]
    }
}

pub(super) fn time(entry: &Entry) -> DeskTime {
    entry.transaction.moment.time()
}

pub(super) fn is_issue(entry: &Entry) -> bool {
    matches!(entry.transaction.action, Action::Issue { .. })
}

pub(super) fn same_patron(one: &Entry, other: &Entry) -> bool {
    let cardnumber = |entry: &Entry| entry.transaction.action.cardnumber().map(ToString::to_string);
    match (cardnumber(one), cardnumber(other)) {
        (Some(one), Some(other)) => same_code(&one, &other),
        (one, other) => one == other,
    }
}
