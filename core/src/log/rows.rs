//! What is stored of the log, row by row: a row that this version cannot read is left as it is, and stops nothing else.
//!
//! A newer version that was taken back, or a damaged disk, leaves such rows. They are counted, kept raw in backups, and cleared
//! only where a person says so of them. Nothing of them is guessed, and nothing is written because they could not be read.

use crate::{
    desk::transaction::{Moment, TransactionId},
    log::{Entry, commit::Batch},
};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;

/// How many numbers must be free behind the number that is given next, where the log cannot give one by itself.
const ROOM: u32 = 1_000_000;

/// What could be read of some rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// The entries, in the order of the rows.
    pub entries: Vec<Entry>,
    /// The places of the rows that are none for this version.
    pub unreadable: Vec<usize>,
}

/// Reads `number` rows: `all` is the JSON text of a list of them, where there is one, and `row` gives that of each.
pub fn read(all: Option<&str>, number: usize, row: impl Fn(usize) -> Option<String>) -> Rows {
    // In one go where all is well, which is quicker.
    let at_once = all.and_then(|all| serde_json::from_str::<Vec<Entry>>(all).ok());
    if let Some(entries) = at_once.filter(|entries| entries.len() == number && entries.iter().all(has_number)) {
        return Rows { entries, unreadable: Vec::new() };
    }
    let mut rows = Rows::default();
    for place in 0..number {
        match row(place).as_deref().and_then(read_one) {
            Some(entry) => rows.entries.push(entry),
            None => rows.unreadable.push(place),
        }
    }
    rows
}

/// Reads a row from its JSON text, if it is an entry for this version.
pub fn read_one(row: &str) -> Option<Entry> {
    serde_json::from_str(row).ok().filter(has_number)
}

/// When a row was recorded, where this desk did it. Nothing else of the row is read: of a row that is none for this version, its
/// time is no guess either.
pub fn own_moment(row: &str) -> Option<Moment> {
    #[derive(Deserialize)]
    struct Head {
        moment: Moment,
        #[serde(default)]
        desk: Option<IgnoredAny>,
    }
    serde_json::from_str(row).ok().filter(|head: &Head| head.desk.is_none()).map(|head| head.moment)
}

fn has_number(entry: &Entry) -> bool {
    entry.id.0 > 0
}

/// The number of the entry that has this key. `None` where the log gives no such key.
pub fn number(key: f64) -> Option<TransactionId> {
    let is_number = (1.0..=f64::from(u32::MAX)).contains(&key) && key.fract() == 0.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole, and between the bounds")]
    is_number.then_some(TransactionId(key as u32))
}

/// Whether enough numbers are left behind this one for a log to go on.
pub fn has_room(number: TransactionId) -> bool {
    number.0 <= u32::MAX - ROOM
}

/// The number to give next, where the log cannot give one by itself because a key is too large. `keys` are those that are
/// numbers and no larger than a number of the log can be, the largest first. It lies behind them all but those at whose end
/// there is no room. `None` where there is none anywhere.
pub fn next_number(keys: impl IntoIterator<Item = f64>) -> Option<TransactionId> {
    let mut end = f64::from(u32::MAX);
    for key in keys {
        let next = key.floor().max(0.0) + 1.0;
        if next + f64::from(ROOM) <= end {
            return number(next);
        }
        end = key.min(end);
    }
    number(1.0).filter(|_| 1.0 + f64::from(ROOM) <= end)
}

/// Where a row is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RawPlace {
    /// Among the transactions.
    Transactions,
    /// Among the records of commits.
    Commits,
}

/// A row that could not be read, as it is. What JSON has no word for stands in an object with one key that begins with `$`;
/// docs/backup.md lists them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raw {
    /// Where it is stored.
    pub of: RawPlace,
    /// Its key.
    pub key: Value,
    /// Its value.
    pub value: Value,
}

impl Raw {
    /// The transaction that this version reads in it, though the one that kept it could not.
    pub fn entry(&self) -> Option<Entry> {
        (self.of == RawPlace::Transactions).then(|| read_one(&self.value.to_string()))?
    }

    /// The same of the record of a commit.
    pub fn batch(&self) -> Option<Batch> {
        (self.of == RawPlace::Commits).then(|| serde_json::from_str(&self.value.to_string()).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::transaction::arbitrary;
    use proptest::prelude::*;
    use serde_json::json;

    fn read_values(rows: &[Value]) -> Rows {
        let all = serde_json::to_string(rows).unwrap();
        read(Some(&all), rows.len(), |place| Some(rows[place].to_string()))
    }

    fn good(number: u32) -> Value {
        json!({"seq": number, "moment": {"utc": 1_795_428_000_000_i64, "offset": 60}, "action": "return", "barcode": "B",
            "status": {"state": "local"}, "part": 0, "itemKey": "B"})
    }

    #[test]
    fn each_kind_of_odd_row_is_left_out_alone() {
        let with = |key: &str, value: Value| {
            let mut row = good(2);
            row[key] = value;
            row
        };
        let mut without_status = good(2);
        without_status.as_object_mut().unwrap().remove("status");
        for odd in [
            with("status", json!({"state": "posted"})),
            with("status", json!("local")),
            without_status,
            with("action", json!("renew")),
            with("moment", json!({"utc": "yesterday", "offset": 60})),
            with("moment", json!({"utc": 1e300, "offset": 60})),
            with("barcode", json!("1".repeat(4_000))),
            with("barcode", json!("a\u{7}b")),
            with("seq", json!(0)),
            with("seq", json!(-1)),
            with("seq", json!(2.5)),
            with("seq", json!("2")),
            with("seq", json!(4_294_967_296_u64)),
            with("warnings", json!({})),
            with("history", json!([1])),
            json!([]),
            json!(null),
            json!({}),
            json!("nonsense"),
        ] {
            let rows = read_values(&[good(1), odd.clone(), good(3)]);
            assert_eq!(rows.entries.iter().map(|entry| entry.id.0).collect::<Vec<_>>(), [1, 3], "{odd}");
            assert_eq!(rows.unreadable, [1], "{odd}");
        }
    }

    #[test]
    fn what_has_no_text_together_or_alone_harms_nothing() {
        let rows = [good(1).to_string(), "{\"barcode\":\"\\ud800\"}".to_owned(), good(3).to_string()];
        let all = format!("[{}]", rows.join(","));
        let text = |place: usize| (place != 2).then(|| rows[place].clone());
        let read_of = |all| read(all, 3, text).unreadable;
        assert_eq!([read_of(Some(all.as_str())), read_of(None)], [[1, 2], [1, 2]]);
    }

    #[test]
    fn only_whole_numbers_of_the_log_are_keys() {
        let odd = [0.0, -1.0, 0.5, 2.5, 4_294_967_296.0, 1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
        assert!(odd.into_iter().all(|key| number(key).is_none()));
        assert_eq!([1.0, 4_294_967_295.0].map(number), [Some(TransactionId(1)), Some(TransactionId(u32::MAX))]);
    }

    #[test]
    fn the_next_number_lies_behind_those_that_leave_room() {
        let last = f64::from(u32::MAX);
        for (keys, next) in [
            (vec![], 1),
            (vec![7.0, 3.0], 8),
            (vec![7.5, 7.0], 8),
            (vec![-3.0], 1),
            (vec![f64::NEG_INFINITY], 1),
            (vec![last, 7.0], 8),
            (vec![last, last - 1.0, last - 1_000_005.0], 4_293_967_291),
            (vec![last, 900_000.0], 900_001),
            (vec![last - 5.0], 1),
        ] {
            assert_eq!(next_number(keys.iter().copied()), Some(TransactionId(next)), "{keys:?}");
        }
        assert_eq!(next_number((0..5_000).rev().map(|place| f64::from(place) * 900_000.0)), None);
    }

    proptest! {
        #[test]
        fn a_number_that_is_given_is_free_and_has_room(
            keys in prop::collection::vec(prop_oneof![-10.0_f64..1e7, 0.0..4_294_967_295.0, (1_u32..100).prop_map(f64::from), Just(4_294_967_295.0)], 0..50),
        ) {
            let mut keys: Vec<f64> = keys;
            keys.sort_by(|one, other| other.total_cmp(one));
            let next = f64::from(next_number(keys.iter().copied()).unwrap().0);
            prop_assert!(keys.iter().all(|key| *key < next || *key >= next + f64::from(ROOM)), "{keys:?} {next}");
        }

        #[test]
        fn a_row_that_an_earlier_version_kept_raw_is_read_by_the_one_that_can(transaction in arbitrary::transaction(0_i16..60)) {
            let entry = Entry::recorded(TransactionId(7), transaction);
            let raw = Raw { of: RawPlace::Transactions, key: json!(7), value: serde_json::to_value(&entry).unwrap() };
            prop_assert_eq!(raw.entry(), Some(entry));
            prop_assert_eq!(raw.batch(), None);
        }
    }
}
