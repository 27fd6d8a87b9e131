//! What must be looked at before the logs of several desks go into Koha: where the merged order can hardly be what
//! happened, and where Koha would do something that nobody wants.

use crate::{
    desk::{amount::Amount, barcode::folded, clock::DeskTime, name::DeskName, transaction::TransactionId},
    log::{
        Entry,
        order::{Ordered, Placed, is_backwards},
    },
    ordered::{self, LiteMap},
    slices::{CHUNK, Pace, Sliced},
};
use chrono::TimeDelta;
use std::{
    borrow::Borrow,
    collections::{HashMap, HashSet},
};

mod clocks;
mod drift;
mod items;
mod jumps;
mod report;

pub use drift::shown_wrongly;
pub use items::{FUTURE_FROM, PAST_FROM};
use items::{Items, ONE_SITTING, is_issue, same_patron, time};
use jumps::{Jump, Scan, first_jump};
pub use report::{ClockOff, DeskReport};

/// The same scan within this time was most likely meant once.
pub const REPEATED_WITHIN: TimeDelta = TimeDelta::seconds(10);

/// What is wrong, by what Koha would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The first happened earlier than the second, which is in Koha already. Koha would let it override what came later.
    LaterCommitted,
    /// The second comes after the first in the order, and long before it by its time: a clock was wrong in between. Koha's
    /// queue would do them the other way round.
    OutOfOrder,
    /// A checkin at one desk, then a checkout at another, and none of them has its counterpart: if it was the other way
    /// round, Koha keeps the loan open.
    ReturnBeforeIssue,
    /// An item checked out to two patrons without a checkin between: Koha checks it in from the first, unseen.
    TwoPatrons,
    /// The very same transaction from two desks: a file that came under two names. Koha would do it twice.
    OnTwoDesks,
    /// The same scan twice within seconds: Koha would renew the loan, or take the money twice.
    Repeated,
    /// Two desks had the item in the same second: only their names decide which comes first.
    SameSecond,
    /// Later than this computer's clock. Koha takes the time as it is.
    Future,
    /// Far in the past: what is checked out would be overdue at once.
    LongPast,
}

/// Something to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Conflict {
    /// What is wrong.
    pub kind: Kind,
    /// The transaction, or the first of many.
    pub first: TransactionId,
    /// The other one, or the last of many.
    pub second: Option<TransactionId>,
    /// How many transactions it is about.
    pub number: u32,
}

impl Kind {
    /// As the pages mark it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LaterCommitted => "LaterCommitted",
            Self::OutOfOrder => "OutOfOrder",
            Self::ReturnBeforeIssue => "ReturnBeforeIssue",
            Self::TwoPatrons => "TwoPatrons",
            Self::OnTwoDesks => "OnTwoDesks",
            Self::Repeated => "Repeated",
            Self::SameSecond => "SameSecond",
            Self::Future => "Future",
            Self::LongPast => "LongPast",
        }
    }
}

impl Conflict {
    /// Whether it is about many transactions of a desk, of which the first stands for all.
    pub fn is_about_many(&self) -> bool {
        matches!(self.kind, Kind::Future | Kind::LongPast) && self.number > 1
    }

    /// The transactions to show.
    pub fn shown(&self) -> impl Iterator<Item = TransactionId> {
        let second = self.second.filter(|_| !self.is_about_many());
        std::iter::once(self.first).chain(second)
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Review {
    /// In the order of their kinds, then of the entries.
    pub conflicts: Vec<Conflict>,
    /// This desk first, then by name.
    pub desks: Vec<DeskReport>,
}

impl Review {
    /// Whether a person should see it before it is committed.
    pub fn stands_out(&self) -> bool {
        !self.conflicts.is_empty() || self.desks.iter().any(|desk| desk.clock.is_some())
    }
}

/// Looks through what is to be sent. `committed` are those of the log that Koha has already; `now` is what this
/// computer's clock shows.
pub fn review(entries: &Ordered, committed: &[Entry], now: DeskTime) -> Review {
    reviewing(entries, committed, now).at_once()
}

/// As [`review`], in slices.
pub fn reviewing<'a>(entries: &'a Ordered, committed: &'a [Entry], now: DeskTime) -> Sliced<'a, Review> {
    Sliced::new(move |pace| async move {
        let items = Items::of(entries, &pace).await;
        let mut conflicts = Vec::new();
        look_at_items(&items, &mut conflicts, &pace).await;
        look_at_payments(entries, &mut conflicts, &pace).await;
        look_at_committed(&items, committed, &mut conflicts, &pace).await;
        look_at_times(entries, now, &mut conflicts, &pace).await;
        sort(&mut conflicts, entries, &pace).await;
        let desks = desks(entries, &items, now, &pace).await;
        Review { conflicts, desks }
    })
}

/// The items of these ([`Action::item_key`]).
pub fn items(entries: &[Entry]) -> Sliced<'_, HashSet<String>> {
    Sliced::new(|pace| async move {
        let mut items = HashSet::with_capacity(entries.len());
        for chunk in entries.chunks(CHUNK) {
            items.extend(chunk.iter().filter_map(|entry| entry.transaction.action.item_key()));
            pace.spend(chunk.len()).await;
        }
        items
    })
}

/// Whether the one is later than the other: by their numbers in one sequence of a desk, else by their times.
fn is_later(one: &Entry, other: &Entry) -> bool {
    if one.sequence() == other.sequence() { one.id > other.id } else { time(one) > time(other) }
}

/// Of each item, the latest entries: of each sequence of a desk the one with the highest number, and with the latest time.
#[derive(Debug)]
pub struct LatestOfItems<E>(HashMap<String, Vec<E>>);

impl<E: Borrow<Entry>> LatestOfItems<E> {
    /// With room for this number of items.
    pub fn with_capacity(items: usize) -> Self {
        Self(HashMap::with_capacity(items))
    }

    /// Takes in an entry.
    pub fn put(&mut self, entry: E) {
        let Some(key) = entry.borrow().transaction.action.item_key() else { return };
        let includes = |one: &Entry, other: &Entry| {
            one.sequence() == other.sequence() && one.id >= other.id && time(one) >= time(other)
        };
        let latest = self.0.entry(key).or_default();
        if !latest.iter().any(|known| includes(known.borrow(), entry.borrow())) {
            latest.retain(|known| !includes(entry.borrow(), known.borrow()));
            latest.push(entry);
        }
    }

    /// The latest of those that are later than this one of the same item.
    pub fn later_than(&self, entry: &Entry) -> Option<&E> {
        let latest = self.0.get(&entry.transaction.action.item_key()?)?;
        let later = latest.iter().filter(|known| is_later(Borrow::<Entry>::borrow(*known), entry));
        later.max_by_key(|known| time((*known).borrow()))
    }

    /// All of them.
    pub fn into_entries(self) -> Vec<E> {
        self.0.into_values().flatten().collect()
    }
}

/// Brings what was found into the order of the kinds, then of the entries.
async fn sort(conflicts: &mut [Conflict], entries: &Ordered, pace: &Pace) {
    let mut rank: HashMap<TransactionId, usize> = conflicts.iter().map(|conflict| (conflict.first, 0)).collect();
    if rank.is_empty() {
        return;
    }
    for (number, chunk) in entries.chunks(CHUNK).enumerate() {
        for (place, entry) in (number * CHUNK..).zip(chunk) {
            rank.entry(entry.id).and_modify(|rank| *rank = place);
        }
        pace.spend(chunk.len()).await;
    }
    let rank = |conflict: &Conflict| rank.get(&conflict.first).map_or(0, |rank| *rank as u64);
    ordered::sort(conflicts, |conflict| (conflict.kind as i64, rank(conflict)));
}

fn pair(kind: Kind, first: &Entry, second: &Entry) -> Conflict {
    Conflict { kind, first: first.id, second: Some(second.id), number: 2 }
}

/// What is wrong between two of one item, or of one patron's payments, that follow each other and do the same.
fn repeated(first: &Entry, second: &Entry) -> Option<Kind> {
    let apart = time(second).since(time(first)).abs();
    if first.desk != second.desk && first.original().is_same_as(second.original()) {
        Some(Kind::OnTwoDesks)
    } else if apart <= REPEATED_WITHIN && same_patron(first, second) {
        Some(Kind::Repeated)
    } else {
        None
    }
}

async fn look_at_items(items: &Items<'_>, conflicts: &mut Vec<Conflict>, pace: &Pace) {
    for number in 0..items.len() {
        let item = items.get(number);
        look_at_item(item, conflicts);
        pace.spend(item.len()).await;
    }
}

fn look_at_item(item: &[&Entry], conflicts: &mut Vec<Conflict>) {
    for (place, neighbours) in item.windows(2).enumerate() {
        let [first, second] = neighbours else { continue };
        let kind = if is_issue(first) == is_issue(second) {
            let two_patrons = is_issue(first) && !same_patron(first, second);
            repeated(first, second).or(two_patrons.then_some(Kind::TwoPatrons))
        } else if is_swapped(item, place) {
            Some(Kind::ReturnBeforeIssue)
        } else {
            None
        };
        let same_second = first.desk != second.desk
            && first.transaction.moment.utc_seconds() == second.transaction.moment.utc_seconds();
        let kind = kind.or(same_second.then_some(Kind::SameSecond));
        conflicts.extend(is_backwards(first, second).then(|| pair(Kind::OutOfOrder, first, second)));
        conflicts.extend(kind.map(|kind| pair(kind, first, second)));
    }
}

/// Whether the checkin at this place and the checkout after it look like one loan in the wrong order.
fn is_swapped(item: &[&Entry], place: usize) -> bool {
    let (checkin, checkout) = (item[place], item[place + 1]);
    let is_loan = !is_issue(checkin) && is_issue(checkout) && checkin.desk != checkout.desk;
    let closes_nothing = place == 0 || !is_issue(item[place - 1]);
    let stays_open = item.get(place + 2).is_none_or(|next| is_issue(next));
    is_loan && closes_nothing && stays_open && time(checkout).since(time(checkin)).abs() <= ONE_SITTING
}

async fn look_at_payments(entries: &Ordered, conflicts: &mut Vec<Conflict>, pace: &Pace) {
    let mut last: HashMap<(String, Amount), &Entry> = HashMap::new();
    for chunk in entries.chunks(CHUNK) {
        for entry in chunk {
            let action = &entry.transaction.action;
            let (Some(cardnumber), Some(amount)) = (action.cardnumber(), action.amount()) else { continue };
            if let Some(earlier) = last.insert((folded(cardnumber.as_str()), amount), entry) {
                conflicts.extend(repeated(earlier, entry).map(|kind| pair(kind, earlier, entry)));
            }
        }
        pace.spend(chunk.len()).await;
    }
}

async fn look_at_committed(items: &Items<'_>, committed: &[Entry], conflicts: &mut Vec<Conflict>, pace: &Pace) {
    if committed.is_empty() {
        return;
    }
    let mut latest = LatestOfItems::with_capacity(committed.len());
    for chunk in committed.chunks(CHUNK) {
        for entry in chunk {
            latest.put(entry);
        }
        pace.spend(chunk.len()).await;
    }
    for number in 0..items.len() {
        let Some(entry) = items.get(number).first() else { continue };
        if let Some(later) = latest.later_than(entry) {
            conflicts.push(pair(Kind::LaterCommitted, entry, later));
        }
        pace.spend(1).await;
    }
}

/// One conflict for all of a desk: a clock that is wrong makes all of them wrong.
async fn look_at_times(entries: &Ordered, now: DeskTime, conflicts: &mut Vec<Conflict>, pace: &Pace) {
    let mut found: LiteMap<(Kind, Option<&DeskName>), Conflict> = LiteMap::new();
    for chunk in entries.chunks(CHUNK) {
        for entry in chunk {
            let kind = match time(entry).since(now) {
                ahead if ahead > FUTURE_FROM => Kind::Future,
                ahead if ahead < -PAST_FROM => Kind::LongPast,
                _ => continue,
            };
            found
                .entry((kind, entry.desk.as_ref()))
                .and_modify(|conflict| {
                    conflict.second = Some(entry.id);
                    conflict.number += 1;
                })
                .or_insert(Conflict { kind, first: entry.id, second: None, number: 1 });
        }
        pace.spend(chunk.len()).await;
    }
    conflicts.extend(found.into_iter().map(|(_, conflict)| conflict));
}

async fn desks(entries: &Ordered, items: &Items<'_>, now: DeskTime, pace: &Pace) -> Vec<DeskReport> {
    let mut desks: LiteMap<Option<&DeskName>, DeskReport> = LiteMap::new();
    for chunk in entries.chunks(CHUNK) {
        for entry in chunk {
            let moment = entry.transaction.moment;
            let report = desks.entry(entry.desk.as_ref()).or_insert_with(|| DeskReport {
                desk: entry.desk.clone(),
                number: 0,
                movable: 0,
                first: moment,
                last: moment,
                clock: None,
            });
            report.number += 1;
            report.movable += u32::from(entry.status.state().is_correctable());
            if moment.time() < report.first.time() {
                report.first = moment;
            }
            if moment.time() > report.last.time() {
                report.last = moment;
            }
        }
        pace.spend(chunk.len()).await;
    }
    let jumps = own_jumps(entries, now, pace).await;
    for (desk, clock) in clocks::off(items, &desks, &jumps, pace).await {
        if let Some(report) = desks.get_mut(&desk) {
            report.clock = Some(clock);
        }
    }
    desks.into_iter().map(|(_, report)| report).collect()
}

/// Of each desk, the first scans that contradict others of its own.
async fn own_jumps<'a>(entries: &'a Ordered, now: DeskTime, pace: &Pace) -> LiteMap<Option<&'a DeskName>, Jump> {
    let mut sequences: LiteMap<(Option<&DeskName>, u32), Vec<Scan>> = LiteMap::new();
    for chunk in entries.chunks(CHUNK) {
        for entry in chunk {
            let is_movable = entry.status.state().is_correctable();
            let scan = Scan { id: entry.id, at: time(entry), is_movable };
            // The order of a sequence is that of its numbers.
            sequences.entry((entry.desk.as_ref(), entry.part)).or_default().push(scan);
        }
        pace.spend(chunk.len()).await;
    }
    let mut jumps = LiteMap::new_vec();
    for ((desk, part), scans) in sequences {
        if let Some(mut jump) = first_jump(&scans, now) {
            jump.span.part = Some(part);
            jumps.entry(desk).or_insert(jump);
        }
        pace.spend(scans.len()).await;
    }
    jumps
}

#[cfg(test)]
mod tests;
