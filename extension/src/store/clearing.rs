//! Clearing the log. What was committed or deleted is remembered in a few bytes, so that a file that holds it does not bring
//! it back to be committed twice.

use super::{BY_DAY, BY_STATE, CHUNK_LIMIT, CLEARED, DESKS, LOG, Result, Store, entries, to_js};
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
        let last = self.ids().await?.last().copied();
        let mut removed = 0;
        if let Some(last) = last {
            for state in states {
                loop {
                    match self.remove_some(*state, last, own, now).await? {
                        0 => break,
                        number => removed += number,
                    }
                }
            }
        }
        self.forget_old(now).await?;
        Ok(removed)
    }

    /// Removes some entries of a state up to this number, all or none. Returns how many.
    async fn remove_some(&self, state: State, last: TransactionId, own: &DeskName, now: Moment) -> Result<u32> {
        let writing = self.writing_to(&[LOG, CLEARED])?;
        let log = writing.object_store(LOG)?;
        let index = log.index(BY_STATE)?;
        let cleared = writing.object_store(CLEARED)?;
        let query = index.get_all::<JsValue>().with_query(state.name().to_owned()).with_limit(CHUNK_LIMIT);
        let mut removed = 0;
        // Entries of one state are in the order of their numbers.
        for entry in entries(query.primitive()?.await?)?.iter().take_while(|entry| entry.id <= last) {
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
        for key in by_day.get_all_keys::<String>().with_query::<u32, _>(old).primitive()?.await? {
            cleared.delete(key?).primitive()?;
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
        let keys = reading.object_store(CLEARED)?.get_all_keys::<String>().primitive()?.await?;
        keys.map(|key| Ok(key?)).collect()
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
