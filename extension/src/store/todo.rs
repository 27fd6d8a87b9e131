//! What may be left to do of the log, found by its indexes: however long it is, no more is read than that.

use super::{BY_AMOUNT, BY_LATE, BY_STATE, BY_WARNINGS, CHUNK, LOG, Result, Store, id};
use indexed_db_futures::{BuildPrimitive, query_source::QuerySource};
use koct_core::{Entry, State, TransactionId, log::todo, ordered::Gather};
use std::collections::{BTreeSet, HashSet};
use wasm_bindgen::JsValue;

impl Store {
    /// The entries about which something may be left to do, in the order of their numbers, and these besides. Read bit by
    /// bit, so that scans go in between.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn left_to_do(&self, besides: impl Iterator<Item = TransactionId>) -> Result<Vec<Entry>> {
        let refused = [State::Rejected, State::InDoubt];
        let mut ids: BTreeSet<TransactionId> =
            self.ids_under(BY_STATE, refused.iter().map(|state| state.name())).await?.into_iter().into_set();
        for index in [BY_WARNINGS, BY_LATE, BY_AMOUNT] {
            ids.extend(self.ids_in(index).await?);
        }
        let besides: HashSet<TransactionId> = besides.collect();
        ids.extend(&besides);
        let ids: Vec<TransactionId> = ids.into_iter().collect();
        let mut found = Vec::new();
        for chunk in ids.chunks(CHUNK) {
            let read = self.get(chunk).await?;
            found.extend(read.into_iter().filter(|entry| todo::is_candidate(entry) || besides.contains(&entry.id)));
        }
        Ok(found)
    }

    /// The numbers of all entries that an index has.
    async fn ids_in(&self, index: &str) -> Result<Vec<TransactionId>> {
        let reading = self.reading()?;
        let log = reading.object_store(LOG)?;
        let mut ids = Vec::new();
        for key in log.index(index)?.get_all_keys::<JsValue>().primitive()?.await? {
            ids.extend(id(&key?));
        }
        Ok(ids)
    }
}
