//! Clearing the log. What was committed or deleted is remembered in a few bytes, so that a file that holds it does not bring
//! it back to be committed twice.

use super::{BY_DAY, BY_STATE, CLEARED, DESKS, LOG, Result, Store, entry, to_js};
use indexed_db_futures::{Build, BuildPrimitive, KeyRange, query_source::QuerySource, transaction::TransactionMode};
use koct_core::{
    desk::DeskName,
    import::{cleared_key, cleared_keys_of},
    log::Entry,
    status::State,
    transaction::Moment,
};
use serde::Serialize;
use std::collections::BTreeSet;
use wasm_bindgen::JsValue;

/// So many entries are read at once.
const CHUNK: u32 = 2_000;
/// What was cleared so many days ago is forgotten: nobody imports a file that is older.
const REMEMBERED_DAYS: u32 = 400;

#[derive(Serialize)]
struct Remembered {
    /// Days since 1970.
    day: u32,
}

fn day(now: Moment) -> u32 {
    u32::try_from(now.utc_seconds().div_euclid(86_400)).unwrap_or_default()
}

impl Store {
    /// Removes the entries of these states. `own` is this desk's name. Returns how many there were, when they are gone for
    /// good.
    ///
    /// # Errors
    /// When the log cannot be written: then nothing is removed.
    pub async fn remove(&self, states: &[State], own: &DeskName, now: Moment) -> Result<u32> {
        let writing = self.writing_to(&[LOG, CLEARED, DESKS])?;
        let log = writing.object_store(LOG)?;
        let index = log.index(BY_STATE)?;
        let cleared = writing.object_store(CLEARED)?;
        let remembered = to_js(&Remembered { day: day(now) })?;
        let mut removed = 0;
        for state in states {
            loop {
                let query = index.get_all::<JsValue>().with_query(state.name().to_owned()).with_limit(CHUNK);
                let values: Vec<Entry> = query.primitive()?.await?.map(|value| entry(value?)).collect::<Result<_>>()?;
                if values.is_empty() {
                    break;
                }
                for entry in &values {
                    if !state.is_open() {
                        let key = cleared_key(entry.desk.as_ref().unwrap_or(own), entry.original());
                        cleared.put(remembered.clone()).with_key(key).primitive()?;
                    }
                    log.delete(entry.id.0).primitive()?;
                    removed += 1;
                }
            }
        }
        let old = KeyRange::UpperBound(day(now).saturating_sub(REMEMBERED_DAYS), true);
        let by_day = cleared.index(BY_DAY)?;
        for key in by_day.get_all_keys::<String>().with_query::<u32, _>(old).primitive()?.await? {
            cleared.delete(key?).primitive()?;
        }
        if log.count().primitive()?.await? == 0 {
            writing.object_store(DESKS)?.clear()?.await?;
        }
        writing.commit().await?;
        Ok(removed)
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
        let remembered = to_js(&Remembered { day: day(now) })?;
        for key in keys {
            cleared.put(remembered.clone()).with_key(key.clone()).primitive()?;
        }
        Ok(writing.commit().await?)
    }
}
