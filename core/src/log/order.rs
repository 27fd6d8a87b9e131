//! The order of one desk, and the merge of many.
//!
//! A desk's own sequence is certain: it is the order in which it recorded, whatever its clock did. Between desks there is
//! nothing but the clocks. So the merge takes, again and again, the earliest of what each desk has next:
//!
//! - it never breaks the sequence of a desk, and a clock that was wrong for some scans of it puts no others out of their place;
//! - it does not depend on the order in which the desks' files came;
//! - every entry has its place.

use crate::{
    desk::{
        clock::{DeskTime, NEAR},
        transaction::{Moment, TransactionId},
    },
    log::{Entry, status::State},
    ordered,
    slices::{CHUNK, Pace, Sliced},
};
use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, HashMap, HashSet},
};

/// What the merge must know of a transaction.
pub trait Placed {
    /// Its number in the log, which rises within a sequence.
    fn id(&self) -> TransactionId;
    /// When.
    fn time(&self) -> DeskTime;
    /// The sequence it belongs to: the desk (`None` is this one) and the part of it.
    fn sequence(&self) -> (Option<&str>, u32);
    /// Decides between transactions of one millisecond and one desk by what they are: their numbers depend on the order
    /// in which files came.
    fn compare_content(&self, other: &Self) -> Ordering;
}

impl Placed for Entry {
    fn id(&self) -> TransactionId {
        self.id
    }

    fn time(&self) -> DeskTime {
        self.transaction.moment.time()
    }

    fn sequence(&self) -> (Option<&str>, u32) {
        (self.desk.as_ref().map(crate::desk::name::DeskName::as_str), self.part)
    }

    fn compare_content(&self, other: &Self) -> Ordering {
        let content = |entry: &Self| {
            let action = &entry.transaction.action;
            (action.word(), action.barcode().cloned(), action.cardnumber().cloned(), action.amount())
        };
        content(self).cmp(&content(other))
    }
}

/// What a sequence has next. The earliest is the greatest, as the heap wants it.
struct Head<'a, T> {
    item: &'a T,
    /// When, as far as its sequence goes by it.
    at: DeskTime,
    sequence: usize,
}

impl<T: Placed> Head<'_, T> {
    fn compare(&self, other: &Self) -> Ordering {
        let by_desk = || self.item.sequence().0.cmp(&other.item.sequence().0);
        let by_content = || self.item.compare_content(other.item);
        let by_part = || self.item.sequence().1.cmp(&other.item.sequence().1);
        let by_shown_time = || self.item.time().cmp(&other.item.time());
        let by_time = self.at.cmp(&other.at);
        by_time.then_with(by_desk).then_with(by_shown_time).then_with(by_content).then_with(by_part)
    }
}

impl<T: Placed> PartialEq for Head<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.compare(other) == Ordering::Equal
    }
}
impl<T: Placed> Eq for Head<'_, T> {}
impl<T: Placed> PartialOrd for Head<'_, T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T: Placed> Ord for Head<'_, T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(other)
    }
}

/// Of the times of a sequence, which are in order: as many as can be, and of as many the earliest. The others were shown by
/// a wrong clock.
async fn steady(times: &[DeskTime], pace: &Pace) -> Vec<bool> {
    // The last of the best sequence of each length, and what each follows in its.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(times.len());
    for (number, chunk) in times.chunks(CHUNK).enumerate() {
        for (place, time) in (number * CHUNK..).zip(chunk) {
            let length = ends.partition_point(|end| times[*end] <= *time);
            before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
            match ends.get_mut(length) {
                Some(end) => *end = place,
                None => ends.push(place),
            }
        }
        pace.spend(chunk.len()).await;
    }
    let mut is_steady = vec![false; times.len()];
    let mut next = ends.last().copied();
    while let Some(place) = next {
        is_steady[place] = true;
        next = before[place];
    }
    is_steady
}

/// The times by which a sequence is merged: one that is not steady counts as the one before it.
async fn merging_times(mut times: Vec<DeskTime>, pace: &Pace) -> Vec<DeskTime> {
    if times.is_sorted() {
        return times;
    }
    let is_steady = steady(&times, pace).await;
    let mut last = is_steady.iter().position(|steady| *steady).map(|place| times[place]);
    for (time, is_steady) in times.iter_mut().zip(is_steady) {
        if is_steady {
            last = Some(*time);
        }
        *time = last.unwrap_or(*time);
    }
    times
}

/// The places of the items in the order in which Koha must see them.
pub fn merge<T: Placed>(items: &[T]) -> Vec<usize> {
    Sliced::new(|pace| async move { merging(items, &pace).await }).at_once()
}

async fn merging<T: Placed>(items: &[T], pace: &Pace) -> Vec<usize> {
    let mut sequences: Vec<Vec<usize>> = Vec::new();
    let mut known: HashMap<(Option<&str>, u32), usize> = HashMap::new();
    // The items of a file lie side by side, so most are of the same sequence as the one before.
    let mut last = None;
    for (number, chunk) in items.chunks(CHUNK).enumerate() {
        for (place, item) in (number * CHUNK..).zip(chunk) {
            let key = item.sequence();
            let sequence = match last {
                Some((last_key, sequence)) if last_key == key => sequence,
                _ => *known.entry(key).or_insert_with(|| {
                    sequences.push(Vec::new());
                    sequences.len() - 1
                }),
            };
            last = Some((key, sequence));
            sequences[sequence].push(place);
        }
        pace.spend(chunk.len()).await;
    }
    for sequence in &mut sequences {
        if !sequence.is_sorted_by_key(|place| items[*place].id()) {
            ordered::sort(sequence, |place| items[*place].id().rank());
        }
        pace.spend(sequence.len()).await;
    }
    if sequences.len() < 2 {
        return sequences.pop().unwrap_or_default();
    }
    let mut waiting = Vec::with_capacity(sequences.len());
    for places in sequences {
        let times = merging_times(places.iter().map(|place| items[*place].time()).collect(), pace).await;
        pace.spend(places.len()).await;
        waiting.push(places.into_iter().zip(times).peekable());
    }
    let mut heads = BinaryHeap::with_capacity(waiting.len());
    for (sequence, rest) in waiting.iter_mut().enumerate() {
        heads.extend(rest.peek().map(|(place, at)| Reverse(Head { item: &items[*place], at: *at, sequence })));
    }
    let mut merged = Vec::with_capacity(items.len());
    while let Some(Reverse(Head { sequence, .. })) = heads.pop() {
        let rest = &mut waiting[sequence];
        merged.extend(rest.next().map(|(place, _)| place));
        heads.extend(rest.peek().map(|(place, at)| Reverse(Head { item: &items[*place], at: *at, sequence })));
        if merged.len() % CHUNK == 0 {
            pace.spend(CHUNK).await;
        }
    }
    merged
}

/// Entries in the order in which Koha must see them. Whoever is handed one need not sort, and cannot forget to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ordered(Vec<Entry>);

impl Ordered {
    /// The entries, for those who change what their order hangs on.
    pub fn into_entries(self) -> Vec<Entry> {
        self.0
    }

    /// The highest number among them, or 0.
    pub fn last_id(&self) -> TransactionId {
        self.0.iter().map(|entry| entry.id).max().unwrap_or(TransactionId(0))
    }

    /// Whether another desk's transactions are here that came after this number: nobody has looked at them beside the others.
    pub fn has_imported_since(&self, last: TransactionId) -> bool {
        self.0.iter().any(|entry| entry.id > last && entry.desk.is_some())
    }

    /// Puts changed entries in the place of what they were. Their places stay: these are changes like those of [`separate`].
    pub fn update(&mut self, changed: impl IntoIterator<Item = Entry>) {
        let mut changed: HashMap<TransactionId, Entry> = changed.into_iter().map(|entry| (entry.id, entry)).collect();
        for entry in &mut self.0 {
            if let Some(now) = changed.remove(&entry.id) {
                *entry = now;
            }
        }
    }
}

impl std::ops::Deref for Ordered {
    type Target = [Entry];
    fn deref(&self) -> &[Entry] {
        &self.0
    }
}

impl From<Vec<Entry>> for Ordered {
    fn from(entries: Vec<Entry>) -> Self {
        sorting(entries).at_once()
    }
}

/// Puts entries into the order in which Koha must see them.
pub fn sort(entries: &mut Vec<Entry>) {
    *entries = sorting(std::mem::take(entries)).at_once().0;
}

/// As [`sort`], in slices.
pub fn sorting(entries: Vec<Entry>) -> Sliced<'static, Ordered> {
    Sliced::new(|pace| async move {
        let order = merging(&entries, &pace).await;
        if order.is_sorted() {
            return Ordered(entries);
        }
        let mut unsorted: Vec<_> = entries.into_iter().map(Some).collect();
        let mut sorted = Vec::with_capacity(unsorted.len());
        for places in order.chunks(CHUNK) {
            sorted.extend(places.iter().filter_map(|place| unsorted[*place].take()));
            pace.spend(places.len()).await;
        }
        Ordered(sorted)
    })
}

/// Adds what was recorded since these were looked at, but of no item whose order and times contradict each other since then
/// ([`is_backwards`]): nobody has seen that.
pub fn joining(known: Ordered, recorded: Vec<Entry>) -> Sliced<'static, Ordered> {
    Sliced::new(|pace| async move {
        let last = known.last_id();
        let mut entries = known.into_entries();
        entries.extend(recorded);
        let Ordered(mut entries) = sorting(entries).within(&pace).await;
        let mut before: HashMap<String, &Entry> = HashMap::new();
        let mut unseen: HashSet<String> = HashSet::new();
        for chunk in entries.chunks(CHUNK) {
            for entry in chunk {
                let Some(item) = entry.transaction.action.item_key() else { continue };
                if let Some(first) = before.insert(item, entry)
                    && first.id.max(entry.id) > last
                    && is_backwards(first, entry)
                {
                    unseen.extend(entry.transaction.action.item_key());
                }
            }
            pace.spend(chunk.len()).await;
        }
        if !unseen.is_empty() {
            let is_unseen =
                |entry: &Entry| entry.transaction.action.item_key().is_some_and(|item| unseen.contains(&item));
            entries.retain(|entry| entry.id <= last || !is_unseen(entry));
        }
        Ordered(entries)
    })
}

/// Whether the second of two of one item, in their order, is so far before the first by the clock that they are not
/// [separated](separate). Koha's queue goes by the times, and would do them the other way round.
pub fn is_backwards(first: &Entry, second: &Entry) -> bool {
    let earlier = first.transaction.moment;
    second.transaction.moment.kept_apart_from(Some(earlier)).utc_seconds() <= earlier.utc_seconds()
}

/// The new moments of those that would share a second with an earlier one of their item, or come before it by as little as
/// a clock is set when it is kept right. Koha's queue knows whole seconds and nothing else. Only what may still be changed is
/// moved.
pub fn separate(ordered: &Ordered) -> Vec<(TransactionId, Moment)> {
    separating(ordered).at_once()
}

/// As [`separate`], in slices.
pub fn separating(ordered: &Ordered) -> Sliced<'_, Vec<(TransactionId, Moment)>> {
    Sliced::new(|pace| async move {
        let mut last: HashMap<String, Moment> = HashMap::with_capacity(ordered.len());
        let mut moved = Vec::new();
        for chunk in ordered.chunks(CHUNK) {
            for entry in chunk {
                let Some(item) = entry.transaction.action.item_key() else { continue };
                let mut moment = entry.transaction.moment;
                let earlier = last.get(&item).copied();
                if entry.status.state() == State::Local {
                    moment = moment.kept_apart_from(earlier);
                    if moment != entry.transaction.moment {
                        moved.push((entry.id, moment));
                    }
                }
                // After a wrong clock it goes on from what the clock showed then.
                let is_far = |earlier: &Moment| earlier.time().since(moment.time()) > NEAR;
                if earlier.is_none_or(|earlier| earlier.utc_seconds() < moment.utc_seconds() || is_far(&earlier)) {
                    last.insert(item, moment);
                }
            }
            pace.spend(chunk.len()).await;
        }
        moved
    })
}

/// The first two entries of one item, in the order given, whose whole seconds do not strictly increase: Koha's queue
/// would not keep them apart. `None` for every log that was written through [`log::record`](crate::log::record), and for
/// every merge that was [`separate`]d, as far as none [is backwards](is_backwards).
pub fn indistinct<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Option<(&'a Entry, &'a Entry)> {
    let mut last: HashMap<String, &Entry> = HashMap::new();
    let seconds = |moment: Moment| moment.utc_seconds();
    for entry in entries {
        let Some(item) = entry.transaction.action.item_key() else { continue };
        if let Some(earlier) = last.insert(item, entry)
            && seconds(earlier.transaction.moment) >= seconds(entry.transaction.moment)
        {
            return Some((earlier, entry));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::{Barcode, Cardnumber},
            name::DeskName,
            transaction::{Action, Transaction, arbitrary},
        },
        log,
    };
    use chrono::TimeDelta;
    use proptest::prelude::*;

    const START: i64 = 1_795_428_000_000;

    fn steady_of(times: &[i64]) -> Vec<bool> {
        let times: Vec<DeskTime> = times.iter().copied().map(DeskTime::from_millis).collect();
        Sliced::new(|pace| async move { steady(&times, &pace).await }).at_once()
    }

    fn moment(millis: i64) -> Moment {
        Moment::new(START + millis, 60).unwrap()
    }

    fn action(item: usize, issue: bool) -> Action {
        let barcode = Barcode::parse(["A1", "a1", "É2", "e2", "B3"][item]).unwrap();
        if issue {
            Action::Issue { cardnumber: Cardnumber::parse("P1").unwrap(), barcode }
        } else {
            Action::Return { barcode }
        }
    }

    /// A log as the desk writes it: any clock, few items, so that they meet often.
    fn recorded() -> impl Strategy<Value = Vec<Entry>> {
        let scan = (0..4_usize, 0..5_000_i64, any::<bool>());
        prop::collection::vec(scan, 0..60).prop_map(|scans| {
            let mut last: HashMap<String, Moment> = HashMap::new();
            let mut entries = Vec::new();
            for ((item, millis, issue), id) in scans.into_iter().zip(1..) {
                let action = action(item, issue);
                let key = action.item_key().unwrap();
                let transaction = log::record(action, moment(millis), last.get(&key).copied());
                last.insert(key, transaction.moment);
                entries.push(Entry::recorded(TransactionId(id), transaction));
            }
            entries
        })
    }

    fn desk(number: usize) -> Option<DeskName> {
        (number > 0).then(|| DeskName::parse(&format!("Desk {number}")).unwrap())
    }

    /// A true history: every moment later than the one before, each recorded at one of five desks.
    fn history() -> impl Strategy<Value = Vec<(usize, Transaction)>> {
        prop::collection::vec((0..5_usize, 1..3_000_i64, 0..5_usize, any::<bool>()), 0..80).prop_map(|steps| {
            let mut now = 0;
            let mut history = Vec::new();
            for (desk, wait, item, issue) in steps {
                now += wait;
                history.push((desk, Transaction { moment: moment(now), action: action(item, issue) }));
            }
            history
        })
    }

    /// What desks recorded, whatever their clocks did: per desk its sequence.
    fn desks() -> impl Strategy<Value = Vec<Vec<Transaction>>> {
        let scan = (-20_000..20_000_i64, 0..5_usize, any::<bool>())
            .prop_map(|(millis, item, issue)| Transaction { moment: moment(millis), action: action(item, issue) });
        prop::collection::vec(prop::collection::vec(scan, 0..25), 0..5)
    }

    /// The log after the desks' sequences came in this order. One desk may come in several parts.
    fn log_of(desks: &[Vec<Transaction>], order: &[usize]) -> Vec<Entry> {
        let mut log: Vec<Entry> = Vec::new();
        for number in order {
            for transaction in &desks[*number] {
                let id = TransactionId(u32::try_from(log.len()).unwrap() + 1);
                let part = u32::from(*number == 3);
                // The third is a later part of the second.
                let entry = Entry::recorded(id, transaction.clone());
                log.push(Entry { desk: desk(if part > 0 { 2 } else { *number }), part, ..entry });
            }
        }
        log
    }

    fn content(log: &[Entry]) -> Vec<(Option<DeskName>, u32, Transaction)> {
        log.iter().map(|entry| (entry.desk.clone(), entry.part, entry.transaction.clone())).collect()
    }

    fn log_of_one(desk: usize, times: &[(i64, usize)], first: u32) -> Vec<Entry> {
        let entry = |(id, (seconds, item)): (u32, &(i64, usize))| {
            let transaction = Transaction { moment: moment(seconds * 1000), action: action(*item, false) };
            Entry { desk: self::desk(desk), ..Entry::recorded(TransactionId(id), transaction) }
        };
        (first..).zip(times).map(entry).collect()
    }

    const YEARS: i64 = 73 * 365 * 86_400;

    #[test]
    fn a_clock_that_was_wrong_for_one_scan_puts_no_other_out_of_its_place() {
        for wrong in [YEARS, -YEARS / 3] {
            // The second scan of the one desk; the other is where its clock puts it.
            let one = log_of_one(1, &[(0, 0), (wrong, 2), (20, 4), (40, 0)], 1);
            let other = log_of_one(2, &[(10, 4), (30, 0), (50, 4)], 11);
            let ids: Vec<_> = Ordered::from([one, other].concat()).iter().map(|entry| entry.id.0).collect();
            assert_eq!(ids, [1, 2, 11, 3, 12, 4, 13]);
        }
        assert_eq!(steady_of(&[1, 9, 2, 2, 0, 3]), [true, false, true, true, false, true]);
        assert_eq!(steady_of(&[9, 1]), [false, true], "of two, nobody knows: the later one");
        assert!(steady_of(&[]).is_empty());
    }

    #[test]
    fn after_a_wrong_clock_one_item_is_separated_by_seconds_and_the_contradiction_stays_to_be_seen() {
        let log = Ordered::from(log_of_one(0, &[(YEARS, 0), (0, 0), (0, 0), (1, 0), (1, 1)], 1));
        let moved: Vec<_> = separate(&log).into_iter().map(|(id, moment)| (id.0, moment.utc_seconds())).collect();
        assert_eq!(moved, [(3, START / 1000 + 1), (4, START / 1000 + 2), (5, START / 1000 + 3)]);
        let backwards: Vec<bool> = log.windows(2).map(|pair| is_backwards(&pair[0], &pair[1])).collect();
        assert_eq!(backwards, [true, false, false, false]);
    }

    #[test]
    fn what_was_scanned_since_goes_along_unless_nobody_has_seen_that_its_time_contradicts_its_order() {
        let known = Ordered::from(log_of_one(0, &[(YEARS, 0), (0, 2)], 1));
        let since = log_of_one(0, &[(5, 0), (6, 2), (7, 4), (8, 0), (7 - YEARS / 3, 4)], 3);
        let ids: Vec<_> = joining(known, since).at_once().iter().map(|entry| entry.id.0).collect();
        assert_eq!(ids, [1, 2, 4]);
        // What was seen before goes as a person said.
        let known = Ordered::from(log_of_one(0, &[(YEARS, 0), (0, 0)], 1));
        let ids: Vec<_> =
            joining(known, log_of_one(0, &[(9, 0)], 3)).at_once().iter().map(|entry| entry.id.0).collect();
        assert_eq!(ids, [1, 2, 3]);
    }

    proptest! {
        #[test]
        fn as_many_as_can_be_are_steady(times in prop::collection::vec(0..12_i64, 0..10)) {
            let is_steady = steady_of(&times);
            let kept = |mask: u32| -> Vec<i64> {
                times.iter().enumerate().filter(|(place, _)| mask >> place & 1 == 1).map(|(_, time)| *time).collect()
            };
            let best = (0..1_u32 << times.len()).map(kept).filter(|kept| kept.is_sorted()).map(|kept| kept.len()).max();
            let found: Vec<i64> = times.iter().zip(&is_steady).filter(|(_, steady)| **steady).map(|(time, _)| *time).collect();
            prop_assert!(found.is_sorted());
            prop_assert_eq!(Some(found.len()), best);
        }

        #[test]
        fn a_separation_moves_by_seconds_whatever_the_clocks_did(
            times in prop::collection::vec((prop_oneof![0..50_i64, Just(YEARS), Just(-YEARS / 3)], 0..5_usize), 0..40),
        ) {
            let log = Ordered::from(log_of_one(0, &times, 1));
            for (id, moment) in separate(&log) {
                let was = log.iter().find(|entry| entry.id == id).unwrap().transaction.moment;
                prop_assert!((TimeDelta::milliseconds(1)..=NEAR).contains(&moment.time().since(was.time())));
            }
        }

        #[test]
        fn seconds_of_one_item_strictly_increase(entries in recorded()) {
            prop_assert_eq!(indistinct(&entries), None);
            prop_assert_eq!(separate(&Ordered(entries)), vec![]);
        }

        #[test]
        fn one_desk_keeps_its_order_however_it_is_shuffled(entries in recorded().prop_flat_map(|entries| (Just(entries.clone()), Just(entries).prop_shuffle()))) {
            let (entries, mut shuffled) = entries;
            sort(&mut shuffled);
            prop_assert_eq!(&shuffled, &entries);
            sort(&mut shuffled);
            prop_assert_eq!(&shuffled, &entries);
        }

        #[test]
        fn any_split_of_a_history_comes_back_in_order(history in history()) {
            let mut log: Vec<Entry> = Vec::new();
            for number in [3, 0, 4, 1, 2] {
                for (_, transaction) in history.iter().filter(|(desk, _)| *desk == number) {
                    let id = TransactionId(u32::try_from(log.len()).unwrap() + 1);
                    log.push(Entry { desk: desk(number), ..Entry::recorded(id, transaction.clone()) });
                }
            }
            sort(&mut log);
            let merged: Vec<_> = log.into_iter().map(|entry| (entry.desk, entry.transaction)).collect();
            let expected: Vec<_> = history.into_iter().map(|(number, transaction)| (desk(number), transaction)).collect();
            prop_assert_eq!(merged, expected);
        }

        #[test]
        fn the_order_of_the_files_changes_nothing(desks in desks(), order in Just([0_usize, 1, 2, 3, 4]).prop_shuffle()) {
            let among = |order: &[usize]| order.iter().copied().filter(|number| *number < desks.len()).collect::<Vec<_>>();
            let mut one = log_of(&desks, &among(&[0, 1, 2, 3, 4]));
            let mut other = log_of(&desks, &among(&order));
            sort(&mut one);
            sort(&mut other);
            prop_assert_eq!(content(&one), content(&other));
        }

        #[test]
        fn any_split_comes_back_in_whatever_order_its_files_come(history in history(), order in Just([0_usize, 1, 2, 3, 4]).prop_shuffle()) {
            let mut log: Vec<Entry> = Vec::new();
            for number in order {
                for (_, transaction) in history.iter().filter(|(desk, _)| *desk == number) {
                    let id = TransactionId(u32::try_from(log.len()).unwrap() + 1);
                    log.push(Entry { desk: desk(number), ..Entry::recorded(id, transaction.clone()) });
                }
            }
            sort(&mut log);
            let merged: Vec<_> = log.into_iter().map(|entry| entry.transaction).collect();
            let expected: Vec<_> = history.into_iter().map(|(_, transaction)| transaction).collect();
            prop_assert_eq!(merged, expected);
        }

        /// Clocks that show whole seconds only, and parts of a desk that are numbered as their files come.
        #[test]
        fn where_times_are_equal_the_order_of_the_files_changes_nothing(
            files in prop::collection::vec(prop::collection::vec((0..4_i64, 0..5_usize, any::<bool>()), 0..8), 6),
            order in Just([0_usize, 1, 2, 3, 4, 5]).prop_shuffle(),
        ) {
            let log_in = |order: &[usize]| {
                let mut log: Vec<Entry> = Vec::new();
                for number in order {
                    // Two files a desk.
                    let of = desk(number / 2);
                    let part = u32::from(log.iter().any(|entry| entry.desk == of));
                    for (second, item, issue) in &files[*number] {
                        // No file has what another of the desk has: that is not imported again.
                        let millis = second * 1000 + i64::try_from(number % 2).unwrap();
                        let transaction = Transaction { moment: moment(millis), action: action(*item, *issue) };
                        let id = TransactionId(u32::try_from(log.len()).unwrap() + 1);
                        log.push(Entry { desk: of.clone(), part, ..Entry::recorded(id, transaction) });
                    }
                }
                sort(&mut log);
                log.into_iter().map(|entry| (entry.desk, entry.transaction)).collect::<Vec<_>>()
            };
            prop_assert_eq!(log_in(&[0, 1, 2, 3, 4, 5]), log_in(&order));
        }

        #[test]
        fn every_place_is_there_once(desks in desks(), order in Just([0_usize, 1, 2, 3, 4]).prop_shuffle(), shuffle in any::<prop::sample::Index>()) {
            let order: Vec<_> = order.into_iter().filter(|number| *number < desks.len()).collect();
            let mut log = log_of(&desks, &order);
            // Not as it lies in the store either.
            let middle = shuffle.index(log.len() + 1);
            log.rotate_left(middle);
            let mut places = merge(&log);
            let merged: Vec<TransactionId> = places.iter().map(|place| log[*place].id).collect();
            places.sort_unstable();
            prop_assert_eq!(places, (0..log.len()).collect::<Vec<_>>());
            log.rotate_right(middle);
            let straight: Vec<TransactionId> = merge(&log).into_iter().map(|place| log[place].id).collect();
            prop_assert_eq!(merged, straight);
        }

        #[test]
        fn no_sequence_is_broken_and_nothing_lost(desks in desks()) {
            let order: Vec<_> = (0..desks.len()).collect();
            let log = log_of(&desks, &order);
            let mut merged = log.clone();
            sort(&mut merged);
            prop_assert_eq!(merged.len(), log.len());
            for number in 0..5 {
                for part in 0..2 {
                    let of = |log: &[Entry]| -> Vec<TransactionId> {
                        log.iter().filter(|entry| entry.desk == desk(number) && entry.part == part).map(|entry| entry.id).collect()
                    };
                    prop_assert_eq!(of(&merged), of(&log));
                }
            }
        }

        #[test]
        fn what_is_separated_is_distinct_and_stays_in_order(desks in desks()) {
            let order: Vec<_> = (0..desks.len()).collect();
            let mut merged = Ordered::from(log_of(&desks, &order));
            let before: Vec<_> = merged.iter().map(|entry| entry.id).collect();
            let moved: HashMap<_, _> = separate(&merged).into_iter().collect();
            let separated = |entry: &Entry| moved.get(&entry.id).map(|moment| entry.separated(*moment, *moment).unwrap());
            let changed: Vec<Entry> = merged.iter().filter_map(separated).collect();
            for entry in &changed {
                let was = merged.iter().find(|was| was.id == entry.id).unwrap().transaction.moment;
                prop_assert!(entry.transaction.moment.utc_seconds() > was.utc_seconds());
            }
            merged.update(changed);
            prop_assert_eq!(indistinct(&*merged), None);
            prop_assert_eq!(separate(&merged), vec![]);
            prop_assert_eq!(merged.iter().map(|entry| entry.id).collect::<Vec<_>>(), before);
        }

        #[test]
        fn two_in_one_second_are_found(moment in arbitrary::moment(Just(0_i16)), barcode in arbitrary::barcode()) {
            let entry = |id| {
                let action = Action::Return { barcode: barcode.clone() };
                Entry::recorded(TransactionId(id), Transaction { moment, action })
            };
            prop_assert!(indistinct(&[entry(1), entry(2)]).is_some());
            prop_assert_eq!(separate(&Ordered::from(vec![entry(1), entry(2)])).len(), 1);
        }
    }
}
