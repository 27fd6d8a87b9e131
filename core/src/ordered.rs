//! What is sorted, in one form for all.
//!
//! A sort of the standard library comes as some twenty functions for each type that is sorted, and a `collect` into a sorted
//! set or map brings one, too, since it sorts before it builds. A browser compiles all of them before a window opens. So
//! numbers and texts alone are sorted here, and what they rank is put into their order; and sets and maps are filled one by
//! one. Where hundreds of thousands of plain numbers are sorted, the standard library does that better.

use std::collections::{BTreeMap, BTreeSet};

/// What something is sorted by: a time, a grade or a number, and what decides where those are the same.
pub type Rank = (i64, u64);

/// Sorts by rank; what has the same one stays in its order.
pub fn sort<T>(list: &mut [T], rank: impl Fn(&T) -> Rank) {
    let mut ranks: Vec<(Rank, usize)> = list.iter().map(rank).zip(0..).collect();
    // The place is in it, so no two are the same, and what is not stable does not show.
    ranks.sort_unstable();
    arrange(list, &mut ranks.into_iter().map(|(_, place)| place).collect::<Vec<_>>());
}

/// Sorts by a text; what has the same one stays in its order.
pub fn sort_by_text<T>(list: &mut [T], text: impl Fn(&T) -> String) {
    let mut texts: Vec<(String, usize)> = list.iter().map(text).zip(0..).collect();
    texts.sort_unstable();
    arrange(list, &mut texts.into_iter().map(|(_, place)| place).collect::<Vec<_>>());
}

/// Brings to each place what stood at the one that is told for it.
fn arrange<T>(list: &mut [T], from: &mut [usize]) {
    for place in 0..list.len() {
        let mut at = from[place];
        // What stood there was moved already, to where that place was filled from.
        while at < place {
            at = from[at];
        }
        from[place] = at;
        list.swap(place, at);
    }
}

/// Into a set or a map that is sorted, without a sort of its own.
pub trait Gather: Iterator + Sized {
    /// All of them, each once.
    fn into_set(self) -> BTreeSet<Self::Item>
    where
        Self::Item: Ord,
    {
        let mut set = BTreeSet::new();
        set.extend(self);
        set
    }

    /// All by their keys; of one key, the last.
    fn into_map<K: Ord, V>(self) -> BTreeMap<K, V>
    where
        Self: Iterator<Item = (K, V)>,
    {
        let mut map = BTreeMap::new();
        map.extend(self);
        map
    }
}

impl<I: Iterator> Gather for I {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_a_stable_sort(list in prop::collection::vec((-3..3_i64, 0..3_u64), 0..40)) {
            let numbered = || list.iter().copied().zip(0_usize..).collect::<Vec<_>>();
            let (mut sorted, mut expected) = (numbered(), numbered());
            sort(&mut sorted, |(rank, _)| *rank);
            expected.sort_by_key(|(rank, _)| *rank);
            prop_assert_eq!(sorted, expected);
        }

        #[test]
        fn texts_as_a_stable_sort(list in prop::collection::vec("[ab]{0,2}", 0..40)) {
            let numbered = || list.iter().cloned().zip(0_usize..).collect::<Vec<_>>();
            let (mut sorted, mut expected) = (numbered(), numbered());
            sort_by_text(&mut sorted, |(text, _)| text.clone());
            expected.sort_by(|one, other| one.0.cmp(&other.0));
            prop_assert_eq!(sorted, expected);
        }

        #[test]
        fn as_collected(list in prop::collection::vec((0..9_u32, 0..9_u32), 0..40)) {
            prop_assert_eq!(list.iter().copied().into_map(), list.iter().copied().collect());
            prop_assert_eq!(list.iter().copied().into_set(), list.iter().copied().collect());
        }
    }
}
