//! What was looked up of transactions: as long as they, and the records, are those in which it was looked up.

use koct_core::Transaction;
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    hash::Hash,
};

/// More than this is not kept in memory.
const KEPT: usize = 2_000;

/// What was found, by what it is about.
pub(crate) struct Found<K, V> {
    /// With the transaction: it may have been corrected since.
    by_key: RefCell<HashMap<K, (Transaction, V)>>,
    /// Counts the changes of the records: what was looked up in the ones before is not theirs.
    records: Cell<u32>,
}

/// The records in which something is looked up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct OfRecords(u32);

impl<K, V> Default for Found<K, V> {
    fn default() -> Self {
        Self { by_key: RefCell::default(), records: Cell::default() }
    }
}

impl<K: Eq + Hash, V: Clone> Found<K, V> {
    /// What was found of this transaction.
    pub(crate) fn get(&self, key: &K, transaction: &Transaction) -> Option<V> {
        let found = self.by_key.borrow();
        found.get(key).filter(|(of, _)| of == transaction).map(|(_, value)| value.clone())
    }

    /// The records as they are, to be told with what is found in them.
    pub(crate) fn records(&self) -> OfRecords {
        OfRecords(self.records.get())
    }

    /// Keeps what was found, unless the records are others by now.
    pub(crate) fn keep(&self, records: OfRecords, key: K, transaction: &Transaction, value: V) {
        if records != self.records() {
            return;
        }
        let mut found = self.by_key.borrow_mut();
        if found.len() >= KEPT {
            found.clear();
        }
        found.insert(key, (transaction.clone(), value));
    }

    /// The records are others, or none: no name stays.
    pub(crate) fn forget(&self) {
        self.by_key.borrow_mut().clear();
        self.records.set(self.records.get().wrapping_add(1));
    }
}
