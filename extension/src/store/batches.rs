//! The record of commits.

use super::{BATCHES, Change, LOG, Result, Store, entry, id, next_number, numbers, stored, text, to_js};
use crate::{clock, storage::StorageError};
use indexed_db_futures::{
    Build as _, BuildPrimitive, cursor::CursorDirection, object_store::ObjectStore, query_source::QuerySource,
    transaction::TransactionMode,
};
use koct_core::{
    TransactionId,
    log::commit::{Batch, forgotten},
    ordered::LiteMap,
    processing::Note,
};
use std::collections::HashSet;
use wasm_bindgen::JsValue;

impl Store {
    /// Records a commit that begins. Returns its number.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn begin_batch(&self, batch: &Batch) -> Result<u32> {
        let writing = self.writing_to(&[BATCHES])?;
        let batches = writing.object_store(BATCHES)?;
        let keys = batches.get_all_keys::<JsValue>().primitive()?.await?;
        let keys: Vec<u32> = keys.filter_map(|key| key.ok().as_ref().and_then(id)).map(|id| id.0).collect();
        for old in forgotten(&keys) {
            batches.delete(*old).primitive()?.await?;
        }
        // IndexedDB has none behind a key that is too large.
        let number = next_number(&batches).await?.0;
        batches.add(to_js(batch)?).with_key(number).primitive()?;
        writing.commit().await?;
        Ok(number)
    }

    /// Replaces the record of a commit by what it is now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn set_batch(&self, number: u32, batch: &Batch) -> Result<()> {
        let writing = self.writing_to(&[BATCHES])?;
        writing.object_store(BATCHES)?.put(to_js(batch)?).with_key(number).primitive()?.await?;
        writing.commit().await?;
        Ok(())
    }

    /// Changes the record of a commit by this rule, as it is now: what was read of it before may have changed since. One that is gone
    /// stays so.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub async fn change_batch(&self, number: u32, rule: impl FnOnce(Batch) -> Batch) -> Result<()> {
        let writing = self.writing_to(&[BATCHES])?;
        let batches = writing.object_store(BATCHES)?;
        if let Some(batch) = batch(&batches, number).await? {
            batches.put(to_js(&rule(batch))?).with_key(number).primitive()?.await?;
        }
        writing.commit().await?;
        Ok(())
    }

    /// Notes what becomes of rows of Koha's queue: in the records of their runs, and in the entries of the log that they are. Returns
    /// the changes of the log when all of it is durable.
    ///
    /// # Errors
    /// When it cannot be written: then nothing of it is.
    pub async fn note_handled(&self, notes: &[Note]) -> Result<Vec<Change>> {
        let _changing = self.changing();
        let now = clock::now().ok_or(StorageError::Broken)?;
        let writing = self.writing_to(&[LOG, BATCHES])?;
        let (log, batches) = (writing.object_store(LOG)?, writing.object_store(BATCHES)?);
        let mut records: LiteMap<u32, Batch> = LiteMap::new();
        let mut changed = Vec::new();
        for Note { run, handled } in notes {
            let record = match records.remove(run) {
                Some(record) => record,
                None => batch(&batches, *run).await?.ok_or(StorageError::Broken)?,
            };
            records.insert(*run, record.with_handled(handled.clone()));
            let Some((own, outcome)) = handled.own.zip(handled.outcome.as_ref()) else { continue };
            // One that was cleared since needs nothing.
            let Some(old) = log.get::<JsValue, _, _>(own.0).primitive()?.await?.as_ref().and_then(entry) else {
                continue;
            };
            if let Some(new) = old.handled(outcome, now) {
                log.put(stored(&new)?).primitive()?;
                changed.push(Change { from: old.status.state(), entry: new });
            }
        }
        for (number, record) in records {
            batches.put(to_js(&record)?).with_key(number).primitive()?;
        }
        writing.commit().await?;
        Ok(changed)
    }

    /// Forgets the codes of rows of Koha's queue, of which nothing is left to look at once the log is cleared.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn forget_handled(&self) -> Result<()> {
        for (number, _) in self.batches_where(|batch| batch.to_look_at().next().is_some()).await? {
            self.change_batch(number, Batch::without_codes).await?;
        }
        Ok(())
    }

    /// The commits that are remembered, newest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn batches(&self) -> Result<Vec<Batch>> {
        Ok(self.batch_rows().await?.0.into_iter().rev().map(|(_, batch)| batch).collect())
    }

    /// The newest commit that can be read.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn newest_batch(&self) -> Result<Option<Batch>> {
        let reading = self.database.transaction(BATCHES).with_mode(TransactionMode::Readonly).build()?;
        let batches = reading.object_store(BATCHES)?;
        let cursor = batches.open_cursor().with_query::<f64, _>(numbers()).with_direction(CursorDirection::Prev);
        let Some(mut cursor) = cursor.primitive()?.await? else { return Ok(None) };
        while let Some(value) = cursor.next_record::<JsValue>().await? {
            if let Some(batch) = super::text(&value).and_then(|text| serde_json::from_str(&text).ok()) {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// The commits of which this is true, with their numbers.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn batches_where(&self, is_it: impl Fn(&Batch) -> bool) -> Result<Vec<(u32, Batch)>> {
        let batches = self.batch_rows().await?.0.into_iter();
        Ok(batches.filter_map(|(number, batch)| number.zip(Some(batch))).filter(|(_, batch)| is_it(batch)).collect())
    }

    /// Forgets what Koha has told of transactions that are not in the log any more.
    pub(super) async fn forget_told(&self) -> Result<()> {
        for (number, batch) in self.batches_where(|batch| !batch.told_of().is_empty()).await? {
            let told = batch.told_of();
            let there: HashSet<TransactionId> = self.get(&told).await?.into_iter().map(|entry| entry.id).collect();
            if there.len() < told.len() {
                self.change_batch(number, |batch| batch.forgetting_others(&there)).await?;
            }
        }
        Ok(())
    }

    /// Adds the records of commits that another computer made. Returns how many were new.
    ///
    /// # Errors
    /// When they cannot be written.
    pub async fn adopt_batches(&self, adopted: &[Batch]) -> Result<u32> {
        let known = self.batches().await?;
        let writing = self.writing_to(&[BATCHES])?;
        let batches = writing.object_store(BATCHES)?;
        let next = next_number(&batches).await?.0;
        let mut new = 0;
        for batch in adopted.iter().filter(|batch| !known.iter().any(|known| known.is_of_the_same(batch))) {
            batches.add(to_js(batch)?).with_key(next + new).primitive()?;
            new += 1;
        }
        writing.commit().await?;
        Ok(new)
    }
}

/// The record of this number, unless it is gone.
async fn batch(batches: &ObjectStore<'_>, number: u32) -> Result<Option<Batch>> {
    let value: Option<JsValue> = batches.get::<JsValue, _, _>(number).primitive()?.await?;
    let read = |value: JsValue| text(&value).and_then(|text| serde_json::from_str(&text).ok());
    value.map(|value| read(value).ok_or_else(|| StorageError::Broken.into())).transpose()
}
