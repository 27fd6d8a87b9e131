//! The index of names: every word that stands in a name, and whose.
//!
//! Patrons are numbered by their *rank*: their place when sorted by name. For each word the ranks of those who bear it are
//! kept, as differences. A word typed may stand anywhere in a word of a name, so the words are looked through from end to
//! end: they are few (some hundred thousand for a million people) and lie in a row. What is found comes out by name, since
//! ranks are.

use super::{
    block::{put_number, take_number},
    fold,
    sorting::Sorter,
};
use memchr::memmem::Finder;
use std::collections::HashMap;

/// Between two words.
const END: u8 = b'\n';

/// Collects names until all are known.
#[derive(Debug, Default)]
pub(super) struct NamesBuilder {
    /// All names, folded, one after another.
    text: String,
    /// Where each begins in the text, where it ends, and whose it is.
    places: Vec<(u32, u32, u32)>,
}

/// A name among others.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Named<'a> {
    name: &'a str,
    id: u32,
}

impl Ord for Named<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name.cmp(other.name).then(self.id.cmp(&other.id))
    }
}

impl PartialOrd for Named<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl NamesBuilder {
    /// This is the name of that patron.
    pub(super) fn put(&mut self, name: &str, id: u32) {
        let begin = place(self.text.as_bytes());
        self.text.push_str(&fold::folded(name));
        self.places.push((begin, place(self.text.as_bytes()), id));
    }

    /// Gives the numbers of the patrons by rank, and the index. `rest` is awaited again and again.
    pub(super) async fn finish<F: Future<Output = ()>>(self, rest: impl Fn() -> F) -> (Vec<u32>, Names) {
        let mut sorter = Sorter::default();
        for (number, (begin, end, id)) in self.places.iter().enumerate() {
            let name = self.text.get(index(*begin)..index(*end)).unwrap_or_default();
            sorter.push(Named { name, id: *id });
            if number % 4096 == 0 {
                rest().await;
            }
        }
        let mut ranks = Vec::with_capacity(self.places.len());
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut words = String::new();
        let mut pairs = Sorter::default();
        for (rank, named) in (0_u32..).zip(sorter.sorted()) {
            ranks.push(named.id);
            for word in fold::words(named.name) {
                let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                let number = *numbers.entry(word).or_insert_with(|| {
                    words.push_str(word);
                    words.push(char::from(END));
                    next
                });
                pairs.push(super::block::pair(number, rank));
            }
            if rank % 4096 == 0 {
                rest().await;
            }
        }
        drop(numbers);
        let (mut bearers, mut ends) = (Vec::new(), Vec::new());
        let mut last: Option<(u32, u32)> = None;
        for (count, pair) in pairs.sorted().enumerate() {
            let (word, rank) = super::block::parts(pair);
            // Words are numbered as they come, so none is left out.
            let before = last.and_then(|(last_word, last)| (last_word == word).then_some(last));
            if before.is_none() && last.is_some() {
                ends.push(place(&bearers));
            }
            // Who bears a word twice is listed once.
            if before != Some(rank) {
                put_number(&mut bearers, rank - before.map_or(0, |before| before + 1));
            }
            last = Some((word, rank));
            if count % 8192 == 0 {
                rest().await;
            }
        }
        ends.extend(last.map(|_| place(&bearers)));
        (ranks, Names::new(words.into_bytes(), ends, bearers))
    }
}

/// Four gigabytes are more than there are names for.
fn place(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// The index, ready to be searched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// The words, each with [`END`] behind it.
    words: Vec<u8>,
    /// Where each word begins.
    begins: Vec<u32>,
    /// The ranks of those who bear the first word, then of the second, and so on: each as the difference to the one before,
    /// less one.
    bearers: Vec<u8>,
    /// Where the ranks of each word end.
    ends: Vec<u32>,
}

impl Names {
    fn new(words: Vec<u8>, ends: Vec<u32>, bearers: Vec<u8>) -> Self {
        let ends_of_words = memchr::memchr_iter(END, &words).map(|place| place + 1);
        let begins = std::iter::once(0).chain(ends_of_words).filter(|place| *place < words.len());
        let begins = begins.map(|place| u32::try_from(place).unwrap_or(u32::MAX)).collect();
        Self { words, begins, bearers, ends }
    }

    /// As bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.words.len() + self.bearers.len() + self.ends.len() * 2 + 10);
        put_number(&mut bytes, place(&self.words));
        bytes.extend_from_slice(&self.words);
        let mut last = 0;
        for end in &self.ends {
            put_number(&mut bytes, end - last);
            last = *end;
        }
        bytes.extend_from_slice(&self.bearers);
        bytes
    }

    /// From what [`Names::to_bytes`] gave; `None` where it is damaged.
    pub(super) fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let length = index(take_number(&mut bytes)?);
        let (words, mut bytes) = bytes.split_at_checked(length)?;
        let number = memchr::memchr_iter(END, words).count();
        let (mut ends, mut end) = (Vec::with_capacity(number), 0_u32);
        for _ in 0..number {
            end = end.checked_add(take_number(&mut bytes)?)?;
            ends.push(end);
        }
        (index(end) == bytes.len()).then(|| Self::new(words.to_vec(), ends, bytes.to_vec()))
    }

    /// How many bytes it takes in memory.
    pub(super) fn size(&self) -> usize {
        self.words.len() + self.bearers.len() + 4 * (self.begins.len() + self.ends.len())
    }

    /// The ranks of those whose names hold every word typed: first those in whose names a word begins with each, then the
    /// others; each by name. `people` is how many ranks there are.
    pub(super) fn find(&self, people: u32, typed: &str) -> Vec<u32> {
        let typed = fold::folded(typed);
        let mut all: Option<(Ranks, Ranks)> = None;
        for word in fold::words(&typed) {
            let (begin, hold) = self.bearers_of(people, word);
            match &mut all {
                None => all = Some((begin, hold)),
                Some((all_begin, all_hold)) => {
                    all_begin.keep(&begin);
                    all_hold.keep(&hold);
                }
            }
        }
        let Some((begin, mut hold)) = all else { return Vec::new() };
        let mut found = begin.list();
        hold.remove(&begin);
        found.append(&mut hold.list());
        found
    }

    /// Those in whose names a word begins with this one, and those in whose names it stands anywhere.
    fn bearers_of(&self, people: u32, word: &str) -> (Ranks, Ranks) {
        let (mut begin, mut hold) = (Ranks::none(people), Ranks::none(people));
        let finder = Finder::new(word.as_bytes());
        let mut from = 0;
        while let Some(found) = self.words.get(from..).and_then(|rest| finder.find(rest)) {
            let place = u32::try_from(from + found).unwrap_or(u32::MAX);
            let number = self.begins.partition_point(|begin| *begin <= place).saturating_sub(1);
            self.each_bearer(number, |rank| {
                hold.set(rank);
                if self.begins[number] == place {
                    begin.set(rank);
                }
            });
            let Some(next) = self.begins.get(number + 1) else { break };
            from = index(*next);
        }
        (begin, hold)
    }

    fn each_bearer(&self, number: usize, mut tell: impl FnMut(u32)) {
        let begin = number.checked_sub(1).map_or(0, |before| self.ends.get(before).copied().unwrap_or_default());
        let end = self.ends.get(number).copied().unwrap_or_default();
        let mut list = self.bearers.get(index(begin)..index(end)).unwrap_or_default();
        let mut next = 0_u32;
        while let Some(step) = take_number(&mut list) {
            let Some(rank) = next.checked_add(step) else { return };
            tell(rank);
            next = rank.saturating_add(1);
        }
    }
}

/// A set of ranks.
struct Ranks(Vec<u64>);

impl Ranks {
    fn none(people: u32) -> Self {
        Self(vec![0; index(people).div_ceil(64)])
    }

    fn set(&mut self, rank: u32) {
        if let Some(word) = self.0.get_mut(index(rank / 64)) {
            *word |= 1 << (rank % 64);
        }
    }

    fn keep(&mut self, others: &Self) {
        self.0.iter_mut().zip(&others.0).for_each(|(word, other)| *word &= other);
    }

    fn remove(&mut self, others: &Self) {
        self.0.iter_mut().zip(&others.0).for_each(|(word, other)| *word &= !other);
    }

    fn list(&self) -> Vec<u32> {
        let mut list = Vec::new();
        for (place, word) in (0_u32..).zip(&self.0) {
            let mut rest = *word;
            while rest != 0 {
                list.push(place * 64 + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::testing::at_once;
    use proptest::prelude::*;

    fn names(list: &[&str]) -> (Vec<u32>, Names) {
        let mut builder = NamesBuilder::default();
        for (id, name) in (1..).zip(list) {
            builder.put(name, id);
        }
        at_once(builder.finish(|| std::future::ready(())))
    }

    fn found<'a>(list: &[&'a str], typed: &str) -> Vec<&'a str> {
        let (ranks, names) = names(list);
        let read = Names::from_bytes(&names.to_bytes()).unwrap();
        assert_eq!(read, names);
        let people = u32::try_from(ranks.len()).unwrap();
        read.find(people, typed).into_iter().map(|rank| list[index(ranks[index(rank)]) - 1]).collect()
    }

    #[test]
    fn finds_any_part_of_a_name_beginnings_first_then_by_name() {
        let list = ["Meyer Anna", "Hanson Per", "Anders Zoë", "Šanda Jan", "Ödön Ann-Marie", "Smith John"];
        assert_eq!(found(&list, "an"), ["Anders Zoë", "Meyer Anna", "Ödön Ann-Marie", "Hanson Per", "Šanda Jan"]);
        assert_eq!(found(&list, "ANN me"), ["Meyer Anna"]);
        assert_eq!(found(&list, "zoe"), ["Anders Zoë"]);
        assert_eq!(found(&list, "Marie Odon"), ["Ödön Ann-Marie"]);
        assert_eq!(found(&list, "ann-marie"), ["Ödön Ann-Marie"]);
        assert!(found(&list, "anx").is_empty() && found(&list, " - ").is_empty() && found(&[], "a").is_empty());
        assert_eq!(found(&["Lee Lee", "Lee"], "lee"), ["Lee", "Lee Lee"], "who bears a word twice is found once");
    }

    proptest! {
        #[test]
        fn finds_what_holds_every_word(list in prop::collection::vec("[abAé]{1,3}( [abcñ]{1,3}){0,2}", 0..30), typed in "[abcé]{1,2}( [ab]{1,2})?") {
            let list: Vec<&str> = list.iter().map(String::as_str).collect();
            let mut found = found(&list, &typed);
            let folded = fold::folded(&typed);
            let holds = |name: &&&str| fold::words(&folded).all(|typed| fold::words(&fold::folded(name)).any(|word| word.contains(typed)));
            let mut expected: Vec<&str> = list.iter().filter(holds).copied().collect();
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn damage_never_panics(
            list in prop::collection::vec("[abAé]{1,3}( [abcñ]{1,3}){0,2}", 1..30),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
            cut in prop::option::of(any::<prop::sample::Index>()),
            people in 0..100_u32,
        ) {
            let (_, names) = names(&list.iter().map(String::as_str).collect::<Vec<_>>());
            let mut bytes = names.to_bytes();
            for (place, byte) in damage {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len())));
            if let Some(names) = Names::from_bytes(&bytes) {
                let ranks = ["a", "b ac", "é"].map(|typed| names.find(people, typed));
                // Whoever is found is looked up by their rank.
                let below = people.div_ceil(64) * 64;
                prop_assert!(ranks.iter().flatten().all(|rank| *rank < below), "{:?} of {}", ranks, people);
            }
        }
    }
}
