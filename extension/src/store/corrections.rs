//! Changes to transactions that are not in Koha: each read, changed by a rule of core and written in one go, so that
//! nothing that happened in between is overwritten.

use super::{Change, LOG, Result, Store, StoreError, entry, stored};
use indexed_db_futures::{BuildPrimitive, query_source::QuerySource};
use koct_core::{Entry, TransactionId};
use wasm_bindgen::JsValue;

impl Store {
    /// Changes these entries as the rule says, all at once or not at all. Returns the changes when they are durable.
    ///
    /// # Errors
    /// When one is gone or the rule gives none for it, or when they cannot be written: then nothing is changed.
    pub async fn change(&self, ids: &[TransactionId], rule: impl Fn(&Entry) -> Option<Entry>) -> Result<Vec<Change>> {
        let writing = self.writing()?;
        let log = writing.object_store(LOG)?;
        let mut reading = Vec::with_capacity(ids.len());
        for id in ids {
            reading.push(log.get::<JsValue, _, _>(id.0).primitive()?);
        }
        let mut changed = Vec::with_capacity(ids.len());
        for (id, stored_entry) in ids.iter().zip(reading) {
            let old = stored_entry.await?.as_ref().and_then(entry).ok_or(StoreError::NotOpen(*id))?;
            // What was put before goes back with the transaction, which ends without being committed.
            let new = rule(&old).ok_or(StoreError::NotOpen(*id))?;
            // A put that fails takes the whole transaction back, and committing it tells.
            log.put(stored(&new)?).primitive()?;
            changed.push(Change { from: old.status.state(), entry: new });
        }
        writing.commit().await?;
        Ok(changed)
    }
}
