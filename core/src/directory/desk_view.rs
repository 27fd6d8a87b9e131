//! What a desk sees of patrons and items: the records as they were downloaded, and over them what its log tells since.
//!
//! [`patron_now`](super::patron_now) tells of a patron, [`item_now`](super::item_now) of an item that was just scanned.

use super::{
    Contents, Directory,
    block_store::BlockStore,
    holder::{ChangesSinceDownload, Whom},
    record::{Patron, Set},
};
use crate::{
    desk::{amount::Cents, barcode::Barcode, transaction::Moment},
    log::{Entry, commit::Batch},
};
use std::future::Future;

/// The entries of the log by what a look-up knows: an item, a patron, a hold. In whatever order, also those that were taken
/// back.
pub trait LogEntries {
    /// Why a look-up failed: the log could not be read, or the records.
    type Error;

    /// The entries of these items, by [`Barcode::item_key`].
    ///
    /// # Errors
    /// When the log cannot be read.
    fn of_items(&self, keys: &[String]) -> impl Future<Output = Result<Vec<Entry>, Self::Error>>;

    /// The entries that bear one of these cardnumbers, letter by letter.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn of_cards(&self, cards: &[String]) -> impl Future<Output = Result<Vec<Entry>, Self::Error>>;

    /// The entries whose items were set aside for these holds.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn of_holds(&self, holds: &[u32]) -> impl Future<Output = Result<Vec<Entry>, Self::Error>>;
}

/// What the log knows that the records cannot know yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaterChanges {
    /// Of who has what.
    pub loans: ChangesSinceDownload,
    /// Of what is owed.
    pub debts: ChangesSinceDownload,
}

impl LaterChanges {
    /// Since these records were downloaded, given the commits that are remembered.
    pub fn new(contents: &Contents, batches: &[Batch]) -> Self {
        let since = |set| ChangesSinceDownload::new(contents.sets.get(&set).map(|held| held.as_of), batches);
        Self { loans: since(Set::Loans), debts: since(Set::Patrons) }
    }
}

/// What a look-up goes by.
#[derive(Debug)]
pub struct DeskView<'a, S, L> {
    /// The records.
    pub records: &'a Directory<S>,
    /// The log.
    pub log: L,
    /// What the log knows that the records cannot know yet.
    pub later: &'a LaterChanges,
    /// What the desk's clock shows; `None` where it shows a time that no calendar holds: then no patron is warned of.
    pub now: Option<Moment>,
    /// What a patron may owe before a warning, in hundredths; `None` where none shall come.
    pub debt_limit: Option<Cents>,
}

/// The key of an item by its barcode, as the records have it. `None` where no item at the desk can have it.
pub(super) fn key_of(barcode: &str) -> Option<String> {
    Some(Barcode::parse(barcode).ok()?.item_key())
}

impl<S: BlockStore, L: LogEntries> DeskView<'_, S, L>
where
    L::Error: From<S::Error>,
{
    /// Who that is, as far as it is known.
    pub(super) async fn named(&self, whom: Whom<'_>) -> Result<Option<Patron>, L::Error> {
        Ok(match whom {
            Whom::Nobody => None,
            Whom::Patron(id) => self.records.patron(id).await?,
            Whom::Card(card) => {
                let known = self.records.patron_by_code(card.as_str()).await?;
                Some(known.unwrap_or_else(|| Patron { cardnumber: card.to_string(), ..Patron::default() }))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        directory::{
            Held,
            testing::{Log, at},
        },
        log::status::Status,
    };

    #[test]
    fn what_is_owed_and_who_has_what_are_of_different_downloads() {
        let held = |as_of| Held { as_of, ..Held::default() };
        let sets = [(Set::Patrons, held(at(0).time())), (Set::Loans, held(at(60).time()))].into_iter().collect();
        let later = LaterChanges::new(&Contents { sets, ..Contents::default() }, &[]);
        let log = Log::default();
        let entry = log.back("A");
        let entry = log.change(&entry, |entry| entry.status = Status::Success);
        assert_eq!((later.debts.counts(&entry), later.loans.counts(&entry)), (true, false));
        let later = LaterChanges::new(&Contents::default(), &[]);
        assert_eq!((later.debts.counts(&entry), later.loans.counts(&entry)), (false, false), "nothing was downloaded");
    }
}
