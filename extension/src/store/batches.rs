//! The record of commits.

use super::{BATCHES, Result, Store, id, next_number, to_js};
use indexed_db_futures::{BuildPrimitive, query_source::QuerySource};
use koct_core::{TransactionId, log::commit::Batch};
use std::collections::HashSet;
use wasm_bindgen::JsValue;

/// The number of commits that are remembered; older ones are forgotten one by one.
const BATCHES_KEPT: usize = 500;

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
        for old in keys.iter().take((keys.len() + 1).saturating_sub(BATCHES_KEPT)) {
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

    /// The commits that are remembered, newest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn batches(&self) -> Result<Vec<Batch>> {
        Ok(self.batch_rows().await?.0.into_iter().rev().map(|(_, batch)| batch).collect())
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
                self.set_batch(number, &batch.forgetting_others(&there)).await?;
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
