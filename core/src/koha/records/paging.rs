//! Which page is next where pages are counted.

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// Counted from 1.
    pub(super) number: u32,
    /// How many rows it has, and each one before it.
    pub(super) size: u32,
    /// How many rows lie before it.
    pub(super) start: u32,
}

impl Page {
    fn covering(place: u32, size: u32) -> Self {
        let before = place / size;
        Self { number: before.saturating_add(1), size, start: before.saturating_mul(size) }
    }

    fn end(&self) -> u32 {
        self.start.saturating_add(self.size)
    }

    /// The page that begins with the last of the rows that were read, or a little before it, so that it is seen when rows
    /// have moved meanwhile. Pages lie where their size puts them: among the sizes a little smaller than this, the one that
    /// reaches farthest is taken.
    pub(super) fn after(read: u32, size: u32) -> Self {
        let size = size.max(1);
        let Some(last) = read.checked_sub(1) else { return Self::covering(0, size) };
        let sizes = size - size / 4..=size;
        let farthest = sizes.map(|size| Self::covering(last, size)).max_by_key(Self::end);
        // With a few tiny sizes, none may begin there and reach farther.
        farthest.filter(|page| page.end() > read).unwrap_or_else(|| Self::covering(read, size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn begins_with_the_last_row_read() {
        assert_eq!(Page::after(0, 1000), Page { number: 1, size: 1000, start: 0 });
        assert_eq!(Page::after(1000, 1000), Page { number: 2, size: 999, start: 999 });
        assert_eq!(Page::after(700, 1000), Page { number: 1, size: 1000, start: 0 });
        assert_eq!(Page::after(7, 1), Page { number: 8, size: 1, start: 7 }, "there is no such page");
    }

    proptest! {
        #[test]
        fn reaches_farther_and_repeats_little(read in 1..5_000_000_u32, size in 50..1_001_u32) {
            let page = Page::after(read, size);
            prop_assert_eq!(page.start, (page.number - 1) * page.size);
            prop_assert!(page.start < read && page.end() > read && page.size <= size);
            prop_assert!(page.end() - read >= size / 4, "{} of {} rows are new", page.end() - read, size);
        }

        #[test]
        fn always_reaches_farther(read in any::<u32>(), size in 0..20_u32) {
            let page = Page::after(read.min(u32::MAX - 40), size);
            prop_assert!(page.start <= read && page.end() > read.min(u32::MAX - 40));
        }
    }
}
