//! Clearing the log. What was committed or deleted is remembered in a few bytes, so that a file that holds it does not bring
//! it back to be committed twice.

use super::{BY_DAY, BY_STATE, CHUNK, CLEARED, DESKS, LOG, Result, Store, to_js};
use indexed_db_futures::{Build, BuildPrimitive, KeyRange, query_source::QuerySource, transaction::TransactionMode};
use koct_core::{
    DeskName, Moment, State, TransactionId,
    desks::cleared::{Remembered, cleared_keys_of, remembered_key},
};
use std::collections::BTreeSet;
use wasm_bindgen::JsValue;

impl Store {
    /// Removes the entries of these states, as far as they are in the log when it begins. `own` is this desk's name. Done
    /// bit by bit, so that scans go in between. Returns how many there were, when they are gone for good.
    ///
    /// # Errors
    /// When the log cannot be written: then some may be removed, each of them remembered where it must be.
    pub async fn remove(&self, states: &[State], own: &DeskName, now: Moment) -> Result<u32> {
        // What is scanned from now on was not meant.
        let ids = self.ids_under(BY_STATE, states.iter().map(|state| state.name())).await?;
        let mut removed = 0;
        for ids in ids.chunks(CHUNK) {
            removed += self.remove_some(ids, states, own, now).await?;
        }
        self.forget_old(now).await?;
        Ok(removed)
    }

    /// Removes those of these entries that stand in one of the states, all or none. Returns how many.
    async fn remove_some(&self, ids: &[TransactionId], states: &[State], own: &DeskName, now: Moment) -> Result<u32> {
        let writing = self.writing_to(&[LOG, CLEARED])?;
        let log = writing.object_store(LOG)?;
        let cleared = writing.object_store(CLEARED)?;
        let asked = ids
            .iter()
            .map(|id| log.get::<JsValue, _, _>(id.0).primitive())
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let mut values = Vec::with_capacity(ids.len());
        for value in asked {
            values.extend(value.await?.map(Ok));
        }
        let mut removed = 0;
        for entry in self.entries(values.into_iter())?.iter().filter(|entry| states.contains(&entry.status.state())) {
            if let Some(key) = remembered_key(entry, own) {
                cleared.put(to_js(&Remembered::since(now))?).with_key(key).primitive()?;
            }
            log.delete(entry.id.0).primitive()?;
            removed += 1;
        }
        writing.commit().await?;
        Ok(removed)
    }

    /// Forgets what was cleared long ago, and the other desks where nothing of them can be left.
    async fn forget_old(&self, now: Moment) -> Result<()> {
        let writing = self.writing_to(&[LOG, CLEARED, DESKS])?;
        let cleared = writing.object_store(CLEARED)?;
        let old = KeyRange::UpperBound(Remembered::since(now).oldest().day, true);
        let by_day = cleared.index(BY_DAY)?;
        for key in by_day.get_all_keys::<JsValue>().with_query::<u32, _>(old).primitive()?.await? {
            if let Some(key) = key?.as_string() {
                cleared.delete(key).primitive()?;
            }
        }
        if writing.object_store(LOG)?.count().primitive()?.await? == 0 {
            writing.object_store(DESKS)?.clear()?.await?;
        }
        Ok(writing.commit().await?)
    }

    /// What is remembered of transactions of this desk that were cleared.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn cleared_of(&self, desk: &DeskName) -> Result<BTreeSet<String>> {
        let beginning = cleared_keys_of(desk);
        let range = KeyRange::Bound(beginning.clone(), false, format!("{beginning}g"), true);
        let reading = self.database.transaction(CLEARED).with_mode(TransactionMode::Readonly).build()?;
        let cleared = reading.object_store(CLEARED)?;
        let keys = cleared.get_all_keys::<String>().with_query::<String, _>(range).primitive()?.await?;
        keys.map(|key| Ok(key?)).collect()
    }

    /// What is remembered of all transactions that were cleared.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn cleared(&self) -> Result<Vec<String>> {
        let reading = self.database.transaction(CLEARED).with_mode(TransactionMode::Readonly).build()?;
        let keys = reading.object_store(CLEARED)?.get_all_keys::<JsValue>().primitive()?.await?;
        // What is no text was never remembered by KOCT.
        keys.filter_map(|key| key.map(|key| key.as_string()).transpose()).map(|key| Ok(key?)).collect()
    }

    /// Remembers what another computer remembered.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn adopt_cleared(&self, keys: &[String], now: Moment) -> Result<()> {
        let writing = self.writing_to(&[CLEARED])?;
        let cleared = writing.object_store(CLEARED)?;
        let remembered = to_js(&Remembered::since(now))?;
        for key in keys {
            cleared.put(remembered.clone()).with_key(key.clone()).primitive()?;
        }
        Ok(writing.commit().await?)
    }
}
