//! Transactions of other desks.

use super::{DESKS, LOG, Result, Store, Stored, id, is_full, many_to_js};
use indexed_db_futures::{Build, BuildPrimitive, query_source::QuerySource, transaction::TransactionMode};
use koct_core::{DeskName, Entry, TransactionId};
use wasm_bindgen::JsValue;

impl Store {
    /// Adds these entries at the end, all or none, and gives each the next number, whatever number it has. Returns them as
    /// they are now, when they are durable.
    ///
    /// # Errors
    /// When they cannot be written: then nothing of them is.
    pub async fn add(&self, mut entries: Vec<Entry>) -> Result<Vec<Entry>> {
        let writing = self.writing_to(&[LOG, DESKS])?;
        let log = writing.object_store(LOG)?;
        let desks = writing.object_store(DESKS)?;
        let mut last_desk = None;
        let mut first = None;
        let values = many_to_js(entries.iter().map(|entry| Stored::from_entry(entry, None)))?;
        for (entry, value) in entries.iter().zip(values) {
            if let Some(desk) = entry.desk.as_ref().filter(|desk| last_desk != Some(*desk)) {
                last_desk = Some(desk);
                desks.put(JsValue::TRUE).with_key(desk.to_string()).primitive()?;
            }
            let adding = log.add(value).with_key_type::<JsValue>().primitive()?;
            // Nobody else writes before this transaction is over, so the numbers follow the first.
            first.get_or_insert(adding);
        }
        let first = match first {
            Some(adding) => id(&adding.await?),
            None => return Ok(entries),
        };
        let TransactionId(first) = first.ok_or_else(is_full)?;
        let others = u32::try_from(entries.len()).map_err(|_| is_full())?.saturating_sub(1);
        // Where the numbers do not suffice, the transaction ends without being committed.
        let last = first.checked_add(others).ok_or_else(is_full)?;
        writing.commit().await?;
        for (entry, number) in entries.iter_mut().zip(first..=last) {
            entry.id = TransactionId(number);
        }
        Ok(entries)
    }

    /// The other desks whose transactions are, or were, in the log, by name.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn desks(&self) -> Result<Vec<DeskName>> {
        let reading = self.database.transaction(DESKS).with_mode(TransactionMode::Readonly).build()?;
        let names = reading.object_store(DESKS)?.get_all_keys::<String>().primitive()?.await?;
        let names = names.collect::<std::result::Result<Vec<String>, _>>()?;
        Ok(names.iter().filter_map(|name| DeskName::parse(name).ok()).collect())
    }
}
