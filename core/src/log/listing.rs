//! Which entries a table shows, while the log goes on.

use crate::desk::transaction::TransactionId;

/// The numbers of the entries that a table shows, in rising order while it shows the whole log. The last is on top.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    ids: Vec<TransactionId>,
    /// While the log is read anew, what was recorded meanwhile: it may have been read before.
    since: Option<Vec<TransactionId>>,
}

impl Listing {
    /// The numbers that are shown.
    pub fn ids(&self) -> &[TransactionId] {
        &self.ids
    }

    /// The whole log is being read, to be shown by [`Listing::show_log`].
    pub fn begin_reading(&mut self) {
        self.since = Some(Vec::new());
    }

    /// Shows the whole log as it was read, and what was recorded meanwhile.
    pub fn show_log(&mut self, ids: Vec<TransactionId>) {
        self.ids = ids;
        for id in self.since.take().unwrap_or_default() {
            self.insert(id);
        }
    }

    /// Shows these, whatever is in the log besides.
    pub fn show(&mut self, ids: Vec<TransactionId>) {
        *self = Self { ids, since: None };
    }

    /// Shows this one too, where the whole log is shown. Returns whether it is new.
    pub fn insert(&mut self, id: TransactionId) -> bool {
        self.since.iter_mut().for_each(|since| since.push(id));
        // Another window's entries may have come in between.
        let place = self.ids.binary_search(&id);
        if let Err(place) = place {
            self.ids.insert(place, id);
        }
        place.is_err()
    }

    /// Keeps those of which this is true.
    pub fn retain(&mut self, is_kept: impl Fn(TransactionId) -> bool) {
        self.ids.retain(|id| is_kept(*id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: &[u32]) -> Vec<TransactionId> {
        numbers.iter().copied().map(TransactionId).collect()
    }

    #[test]
    fn what_is_recorded_while_the_log_is_read_is_shown() {
        let mut listing = Listing::default();
        listing.begin_reading();
        let read = ids(&[1, 2, 3]);
        // Recorded after that was read, and before it is shown; one of them was read already.
        assert!(
            listing.insert(TransactionId(3)) && listing.insert(TransactionId(5)) && listing.insert(TransactionId(4))
        );
        listing.show_log(read);
        assert_eq!(listing.ids(), ids(&[1, 2, 3, 4, 5]));
        // It is not kept for another time.
        listing.begin_reading();
        listing.show_log(ids(&[2]));
        assert_eq!(listing.ids(), ids(&[2]), "the others were cleared");
    }

    #[test]
    fn what_is_found_is_shown_alone() {
        let mut listing = Listing::default();
        listing.begin_reading();
        listing.insert(TransactionId(9));
        listing.show(ids(&[7, 3]));
        assert_eq!(listing.ids(), ids(&[7, 3]));
        listing.show_log(ids(&[1]));
        assert_eq!(listing.ids(), ids(&[1]), "what was recorded before it was read is in it");
    }

    #[test]
    fn each_is_shown_once_and_in_order() {
        let mut listing = Listing::default();
        assert_eq!([4, 2, 4].map(|id| listing.insert(TransactionId(id))), [true, true, false]);
        assert_eq!(listing.ids(), ids(&[2, 4]));
        listing.retain(|id| id.0 > 2);
        assert_eq!(listing.ids(), ids(&[4]));
    }
}
