//! What was looked up of transactions: as long as they, and the records, are those in which it was looked up.

use crate::latest::{Asked, Latest};
use koct_core::Transaction;
use std::{cell::RefCell, collections::HashMap, hash::Hash};

/// More than this is not kept in memory.
const KEPT: usize = 2_000;

/// What was found, by what it is about.
pub(crate) struct Found<K, V> {
    /// With the transaction: it may have been corrected since.
    by_key: RefCell<HashMap<K, (Transaction, V)>>,
    /// Counts the changes of the records: what was looked up in the ones before is not theirs.
    records: Latest,
}

impl<K, V> Default for Found<K, V> {
    fn default() -> Self {
        Self { by_key: RefCell::default(), records: Latest::default() }
    }
}

impl<K: Eq + Hash, V: Clone> Found<K, V> {
    /// What was found of this transaction.
    pub(crate) fn get(&self, key: &K, transaction: &Transaction) -> Option<V> {
        let found = self.by_key.borrow();
        found.get(key).filter(|(of, _)| of == transaction).map(|(_, value)| value.clone())
    }

    /// The records as they are, to be told with what is found in them.
    pub(crate) fn records(&self) -> Asked {
        self.records.last()
    }

    /// Keeps what was found, unless the records are others by now.
    pub(crate) fn keep(&self, records: Asked, key: K, transaction: &Transaction, value: V) {
        if !self.records.is(records) {
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
        self.records.give_up();
    }
}
