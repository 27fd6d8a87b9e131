//! A set that is read to its end is made ready to be looked up.

use crate::{
    desk::clock::DeskTime,
    directory::{
        self, Held, Unfinished,
        block_store::BlockStore,
        record::{Hold, Item, Loan, Patron, Record, Restriction, Set},
    },
};

/// What is to be made ready. The work is long, and can be done again after any break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preparation {
    /// The set.
    pub set: Set,
    pub(super) written: Unfinished,
    /// Where changes were read: what they are changes of, and the number of the run in which both are brought together.
    pub(super) changes_of: Option<(Held, u32)>,
    /// The numbers of those that are gone since, in rising order.
    pub(super) gone: Vec<u32>,
    pub(super) desk_began: DeskTime,
}

impl Preparation {
    /// Makes it ready.
    ///
    /// # Errors
    /// When the blocks cannot be read or written.
    pub async fn run<S: BlockStore>(&self, store: &S) -> Result<Held, S::Error> {
        match self.set {
            Set::Patrons => self.of::<Patron, S>(store).await,
            Set::Items => self.of::<Item, S>(store).await,
            Set::Loans => self.of::<Loan, S>(store).await,
            Set::Holds => self.of::<Hold, S>(store).await,
            Set::Restrictions => self.of::<Restriction, S>(store).await,
        }
    }

    async fn of<R: Record, S: BlockStore>(&self, store: &S) -> Result<Held, S::Error> {
        match &self.changes_of {
            Some((held, into)) => {
                directory::finish_changes::<R, S>(store, held, self.written, &self.gone, *into, self.desk_began).await
            }
            None => directory::finish::<R, S>(store, self.written, self.desk_began).await,
        }
    }
}
