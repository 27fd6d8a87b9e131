//! The order of one desk: the sequence in which it recorded, whatever its clock did.

use crate::{log::Entry, transaction::Moment};
use std::collections::HashMap;

/// Puts entries into the order in which their desk recorded them, which is the order in which Koha must see them.
pub fn sort(entries: &mut [Entry]) {
    entries.sort_by_key(|entry| entry.id);
}

/// The first two entries of one item, in the order given, whose whole seconds do not strictly increase: Koha's queue
/// would not keep them apart. `None` for every log that was written through [`log::record`](crate::log::record).
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
        log,
        status::Status,
        transaction::{TransactionId, arbitrary},
    };
    use proptest::prelude::*;

    /// A log as the desk writes it: any clock, few items, so that they meet often.
    fn recorded() -> impl Strategy<Value = Vec<Entry>> {
        let scan = (0..4_usize, 1_795_428_000_000_i64..1_795_428_005_000, any::<bool>());
        prop::collection::vec(scan, 0..60).prop_map(|scans| {
            let mut last: HashMap<String, Moment> = HashMap::new();
            let mut entries = Vec::new();
            for ((item, utc, issue), id) in scans.into_iter().zip(1..) {
                let barcode = crate::barcode::Barcode::parse(["A1", "a1", "É2", "e2"][item]).unwrap();
                let action = if issue {
                    let cardnumber = crate::barcode::Cardnumber::parse("P1").unwrap();
                    crate::transaction::Action::Issue { cardnumber, barcode }
                } else {
                    crate::transaction::Action::Return { barcode }
                };
                let key = action.item_key().unwrap();
                let transaction = log::record(action, Moment::new(utc, 60).unwrap(), last.get(&key).copied());
                last.insert(key, transaction.moment);
                entries.push(Entry { id: TransactionId(id), transaction, status: Status::Local });
            }
            entries
        })
    }

    proptest! {
        #[test]
        fn seconds_of_one_item_strictly_increase(entries in recorded()) {
            prop_assert_eq!(indistinct(&entries), None);
        }

        #[test]
        fn order_is_total_and_stable(entries in recorded(), seed in any::<u64>()) {
            let mut shuffled = entries.clone();
            // A small deterministic shuffle.
            let mut state = seed | 1;
            for i in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let j = usize::try_from(state >> 33).unwrap() % (i + 1);
                shuffled.swap(i, j);
            }
            sort(&mut shuffled);
            prop_assert_eq!(&shuffled, &entries);
            sort(&mut shuffled);
            prop_assert_eq!(&shuffled, &entries);
        }

        #[test]
        fn two_in_one_second_are_found(moment in arbitrary::moment(Just(0_i16)), barcode in arbitrary::barcode()) {
            let entry = |id| Entry {
                id: TransactionId(id),
                transaction: crate::transaction::Transaction { moment, action: crate::transaction::Action::Return { barcode: barcode.clone() } },
                status: Status::Local,
            };
            prop_assert!(indistinct(&[entry(1), entry(2)]).is_some());
        }
    }
}
