//! Changes to many transactions at once: each read, changed by a rule of core and written in one go, so that nothing that happened
//! in between is overwritten.

use super::{CHUNK, Change, LOG, Result, Store, StoreError, many_to_js};
use indexed_db_futures::{BuildPrimitive, KeyRange, object_store::ObjectStore, query_source::QuerySource};
use koct_core::{Entry, TransactionId, log::stored::StoredRow};
use std::collections::HashMap;
use wasm_bindgen::JsValue;

/// What lies in between is cheaper read than left out, up to this number of times what is asked for.
const DENSE: usize = 4;

impl Store {
    /// Changes these entries as the rule says, all at once or not at all. Returns the changes when they are durable.
    ///
    /// # Errors
    /// When one is gone or the rule gives none for it, or when they cannot be written: then nothing is changed.
    pub async fn change(&self, ids: &[TransactionId], rule: impl Fn(&Entry) -> Option<Entry>) -> Result<Vec<Change>> {
        self.change_these(ids, rule, |id| Err(StoreError::NotOpen(id))).await
    }

    /// As [`Store::change`], but what is gone and what the rule gives none for stays as it is.
    ///
    /// # Errors
    /// When they cannot be written: then nothing is changed.
    pub async fn change_where(
        &self,
        ids: &[TransactionId],
        rule: impl Fn(&Entry) -> Option<Entry>,
    ) -> Result<Vec<Change>> {
        self.change_these(ids, rule, |_| Ok(())).await
    }

    async fn change_these(
        &self,
        ids: &[TransactionId],
        rule: impl Fn(&Entry) -> Option<Entry>,
        leave: impl Fn(TransactionId) -> Result<()>,
    ) -> Result<Vec<Change>> {
        let _changing = self.changing();
        let writing = self.writing()?;
        let log = writing.object_store(LOG)?;
        let mut changed = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let read = self.read_from(&log, chunk).await?;
            let read: HashMap<TransactionId, &Entry> = read.iter().map(|entry| (entry.id, entry)).collect();
            let first = changed.len();
            for id in chunk {
                let old = read.get(id);
                match old.and_then(|old| Some(Change { from: old.status.state(), entry: rule(old)? })) {
                    Some(change) => changed.push(change),
                    // What was put before goes back with the transaction, which ends without being committed.
                    None => leave(*id)?,
                }
            }
            let stored = changed[first..].iter().map(|Change { entry, .. }| StoredRow::in_log(entry, Some(entry.id)));
            for value in many_to_js(stored)? {
                // A put that fails takes the whole transaction back, and committing it tells.
                log.put(value).primitive()?;
            }
        }
        writing.commit().await?;
        Ok(changed)
    }

    /// The entries of these numbers, no more than [`CHUNK`] of them, as far as they are there, in this order.
    pub(super) async fn read_from(&self, log: &ObjectStore<'_>, ids: &[TransactionId]) -> Result<Vec<Entry>> {
        let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) else { return Ok(Vec::new()) };
        let span = usize::try_from(last.0 - first.0).unwrap_or(usize::MAX);
        if span <= ids.len().saturating_mul(DENSE) {
            let range = KeyRange::Bound(first.0, false, last.0, false);
            let entries = self.entries(log.get_all::<JsValue>().with_query::<u32, _>(range).primitive()?.await?)?;
            let mut entries: HashMap<TransactionId, Entry> =
                entries.into_iter().map(|entry| (entry.id, entry)).collect();
            return Ok(ids.iter().filter_map(|id| entries.remove(id)).collect());
        }
        let asked = ids.iter().map(|id| log.get::<JsValue, _, _>(id.0).primitive());
        let asked = asked.collect::<std::result::Result<Vec<_>, _>>()?;
        let mut values = Vec::with_capacity(ids.len());
        for value in asked {
            values.extend(value.await?.map(Ok));
        }
        self.entries(values.into_iter())
    }
}
