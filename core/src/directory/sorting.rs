//! Sorts millions bit by bit: each call does little, so that others can do something in between.

use std::{cmp::Reverse, collections::BinaryHeap};

/// The number that are sorted at once: a few milliseconds.
const AT_ONCE: usize = 8 * 1024;

/// Takes in anything, gives it out sorted.
#[derive(Debug)]
pub(super) struct Sorter<T> {
    sorted: Vec<Vec<T>>,
    open: Vec<T>,
}

impl<T: Ord + Copy> Default for Sorter<T> {
    fn default() -> Self {
        Self { sorted: Vec::new(), open: Vec::new() }
    }
}

impl<T: Ord + Copy> Sorter<T> {
    /// Takes one in.
    pub(super) fn push(&mut self, value: T) {
        self.open.push(value);
        if self.open.len() >= AT_ONCE {
            self.close();
        }
    }

    fn close(&mut self) {
        let mut open = std::mem::take(&mut self.open);
        open.sort_unstable();
        self.sorted.push(open);
    }

    /// All of them, smallest first.
    pub(super) fn sorted(mut self) -> impl Iterator<Item = T> {
        self.close();
        let mut heads: BinaryHeap<Reverse<(T, usize)>> = BinaryHeap::new();
        let mut parts: Vec<std::vec::IntoIter<T>> = self.sorted.into_iter().map(Vec::into_iter).collect();
        for (place, part) in parts.iter_mut().enumerate() {
            heads.extend(part.next().map(|value| Reverse((value, place))));
        }
        std::iter::from_fn(move || {
            let mut head = heads.peek_mut()?;
            let Reverse((value, place)) = *head;
            match parts[place].next() {
                Some(next) => *head = Reverse((next, place)),
                None => drop(std::collections::binary_heap::PeekMut::pop(head)),
            }
            Some(value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sorts_more_than_is_sorted_at_once() {
        let mut sorter = Sorter::default();
        let many = u32::try_from(AT_ONCE * 5 / 2).unwrap();
        let spread = |number: u32| number.wrapping_mul(0x9e37_79b9);
        (0..many).for_each(|number| sorter.push(spread(number)));
        let mut expected: Vec<u32> = (0..many).map(spread).collect();
        expected.sort_unstable();
        assert!(sorter.sorted().eq(expected));
    }

    proptest! {
        #[test]
        fn sorts(mut values in prop::collection::vec(any::<u16>(), 0..50)) {
            let mut sorter = Sorter::default();
            for value in &values {
                sorter.push(*value);
            }
            values.sort_unstable();
            prop_assert!(sorter.sorted().eq(values));
        }
    }
}
