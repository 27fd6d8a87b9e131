//! What is sorted, in one form for all, and what is kept sorted.
//!
//! A sort of the standard library comes as some twenty functions for each type that is sorted, and a `collect` into a sorted
//! set or map brings one, too, since it sorts before it builds. A browser compiles all of them before a window opens. So
//! numbers and texts alone are sorted here, and what they rank is put into their order; and sets and maps are filled one by
//! one. A sorted tree of the standard library is some fifty functions for each pair of types: what is small is kept in a flat
//! list or [`LiteMap`], and what is only looked up in a hash map. Where hundreds of thousands of plain numbers are sorted, the standard library does that better.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{collections::BTreeSet, fmt, marker::PhantomData};

/// A map that is a sorted list: for some hundred keys. To put one between others moves all behind it, so it never holds what
/// grows with the log.
pub use litemap::LiteMap;

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

/// These in rising order, each once, however many they are.
pub fn texts(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    sort_by_text(&mut texts, Clone::clone);
    texts.dedup();
    texts
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

/// Puts this into a sorted list that has everything once. Returns whether it is new there. As [`LiteMap`], for some hundred.
pub fn put<T: Ord>(list: &mut Vec<T>, one: T) -> bool {
    let place = list.binary_search(&one).err();
    if let Some(place) = place {
        list.insert(place, one);
    }
    place.is_some()
}

/// Into what is sorted, without a sort of its own.
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

    /// All of them, each once: where they are some hundred.
    fn into_list(self) -> Vec<Self::Item>
    where
        Self::Item: Ord,
    {
        let mut list = Vec::new();
        for one in self {
            put(&mut list, one);
        }
        list
    }

    /// All by their keys; of one key, the last. Where they are some hundred.
    fn into_map<K: Ord, V>(self) -> LiteMap<K, V>
    where
        Self: Iterator<Item = (K, V)>,
    {
        let mut map = LiteMap::new_vec();
        for (key, value) in self {
            map.insert(key, value);
        }
        map
    }
}

impl<I: Iterator> Gather for I {}

/// A [`LiteMap`] as it is stored: as any map is. Its own form of an empty one is a list.
pub mod as_map {
    use super::{Deserialize, Deserializer, LiteMap, PhantomData, Serialize, Serializer, de, fmt};

    /// # Errors
    /// Those of what it is written to.
    pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(map: &LiteMap<K, V>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(map)
    }

    /// # Errors
    /// Those of what it is read from, and where that is no such map.
    pub fn deserialize<'de, K, V, D>(from: D) -> Result<LiteMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        from.deserialize_map(Read(PhantomData))
    }

    struct Read<K, V>(PhantomData<(K, V)>);

    impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> de::Visitor<'de> for Read<K, V> {
        type Value = LiteMap<K, V>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a map")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
            let mut map = LiteMap::new();
            while let Some((key, value)) = access.next_entry()? {
                map.insert(key, value);
            }
            Ok(map)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

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
            let set: BTreeSet<_> = list.iter().copied().collect();
            prop_assert_eq!(list.iter().copied().into_list(), set.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(list.iter().copied().into_set(), set);
        }

        #[test]
        fn texts_stand_once_in_order(list in prop::collection::vec("[ab]{0,2}", 0..40)) {
            prop_assert_eq!(texts(list.iter().cloned()), list.into_iter().into_list());
        }

        #[test]
        fn is_stored_as_any_map(list in prop::collection::vec(("[ab]{0,2}", 0..9_u32), 0..9)) {
            #[derive(Debug, PartialEq, Serialize, Deserialize)]
            struct Stored(#[serde(with = "as_map")] LiteMap<String, u32>);
            let tree: BTreeMap<_, _> = list.iter().cloned().collect();
            let (text, map) = (serde_json::to_string(&tree).unwrap(), Stored(list.into_iter().into_map()));
            prop_assert_eq!(serde_json::to_string(&map).unwrap(), text.as_str());
            prop_assert_eq!(serde_json::from_str::<Stored>(&text).unwrap(), map);
        }
    }
}
