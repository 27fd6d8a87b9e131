//! Transactions of other desks.

use super::{DESKS, LOG, Numbering, Result, Store, id, many_to_js, next_number, numbered};
use crate::storage::StorageError;
use indexed_db_futures::{Build, BuildPrimitive, query_source::QuerySource, transaction::TransactionMode};
use koct_core::{
    DeskName, Entry, TransactionId,
    log::{rows, stored::StoredRow},
};
use wasm_bindgen::JsValue;

impl Store {
    /// Adds these entries at the end, all or none, and gives each the next number, whatever number it has. Returns them as
    /// they are now, when they are durable.
    ///
    /// # Errors
    /// When they cannot be written: then nothing of them is.
    pub async fn add(&self, mut entries: Vec<Entry>) -> Result<Vec<Entry>> {
        let mut first = self.try_add(&entries, self.numbering.get() == Numbering::Own).await?;
        if first.is_none() {
            self.numbering.set(Numbering::Own);
            first = self.try_add(&entries, true).await?;
        }
        let TransactionId(first) = first.ok_or(StorageError::Full)?;
        for (entry, number) in entries.iter_mut().zip(first..) {
            entry.id = TransactionId(number);
        }
        Ok(entries)
    }

    /// Returns the first number. `None`, and nothing is stored, where there is none for all of them.
    async fn try_add(&self, entries: &[Entry], numbers_itself: bool) -> Result<Option<TransactionId>> {
        let writing = self.writing_to(&[LOG, DESKS])?;
        let log = writing.object_store(LOG)?;
        let desks = writing.object_store(DESKS)?;
        let own = if numbers_itself { Some(next_number(&log).await?) } else { None };
        let number = |place: usize| Some(TransactionId(own?.0.saturating_add(place.try_into().unwrap_or(u32::MAX))));
        let stored = entries.iter().enumerate().map(|(place, entry)| StoredRow::in_log(entry, number(place)));
        let mut last_desk = None;
        let mut first = None;
        for (entry, value) in entries.iter().zip(many_to_js(stored)?) {
            if let Some(desk) = entry.desk.as_ref().filter(|desk| last_desk != Some(*desk)) {
                last_desk = Some(desk);
                desks.put(JsValue::TRUE).with_key(desk.to_string()).primitive()?;
            }
            let adding = log.add(value).with_key_type::<JsValue>().primitive()?;
            // Nobody else writes before this transaction is over, so the numbers follow the first.
            first.get_or_insert(adding);
        }
        let first = match first {
            Some(adding) => numbered(adding.await)?.as_ref().and_then(id),
            None => return Ok(Some(TransactionId(1))),
        };
        let has_room = |first: &TransactionId| {
            let last = u32::try_from(entries.len()).ok().and_then(|number| first.0.checked_add(number));
            last.is_some_and(|last| rows::has_room(TransactionId(last)))
        };
        let Some(first) = first.filter(has_room) else { return Ok(None) };
        writing.commit().await?;
        Ok(Some(first))
    }

    /// The other desks whose transactions are, or were, in the log, by name.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn desks(&self) -> Result<Vec<DeskName>> {
        let reading = self.database.transaction(DESKS).with_mode(TransactionMode::Readonly).build()?;
        let names = reading.object_store(DESKS)?.get_all_keys::<JsValue>().primitive()?.await?;
        let names = names.collect::<std::result::Result<Vec<_>, _>>()?;
        Ok(names.iter().filter_map(|name| DeskName::parse(&name.as_string()?).ok()).collect())
    }
}
