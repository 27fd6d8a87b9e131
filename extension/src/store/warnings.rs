//! What a person was warned of and has ticked off, and the transactions of items and patrons that warnings come from.

use super::{BY_CARD, BY_HOLD, BY_ITEM, LOG, Result, Store, StoreError};
use indexed_db_futures::{BuildPrimitive, primitive::TryToJs, query_source::QuerySource};
use koct_core::{Entry, Moment, TransactionId, directory::aside::AsideEntries, log::task::Task};
use wasm_bindgen::JsValue;

/// The number of a patron's latest entries that are read: the card of a school may have thousands.
const LATEST: usize = 1_000;

impl Store {
    /// Changes what entries keep of warnings, and by how many days they were late. As [`Store::tick`].
    ///
    /// # Errors
    /// When one is gone, or they cannot be written: then nothing is changed.
    pub async fn warn(&self, ids: &[TransactionId], rule: impl Fn(&Entry) -> Entry) -> Result<Vec<Entry>> {
        self.note(ids, |old| old.with_findings_of(rule(old))).await
    }

    /// Keeps with entries that a person has ticked something off, or not any more, whatever their state: a commit that is
    /// running does not mind, since it reads an entry and writes it in one go, too. Returns the entries as they are when that
    /// is durable.
    ///
    /// # Errors
    /// When one is gone, or they cannot be written: then nothing is changed.
    pub async fn tick(&self, ids: &[TransactionId], task: Task, is_done: bool, at: Moment) -> Result<Vec<Entry>> {
        self.note(ids, |old| old.ticked(task, is_done, at)).await
    }

    async fn note(&self, ids: &[TransactionId], rule: impl Fn(&Entry) -> Entry) -> Result<Vec<Entry>> {
        let noted = self.change(ids, |old| Some(rule(old))).await?;
        Ok(noted.into_iter().map(|change| change.entry).collect())
    }

    /// The entries of these items, by [`koct_core::desk::barcode::Barcode::item_key`].
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn of_items(&self, keys: &[String]) -> Result<Vec<Entry>> {
        self.by(BY_ITEM, keys).await
    }

    /// The latest entries that bear one of these cardnumbers, as it was typed.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn of_cards(&self, cards: &[String]) -> Result<Vec<Entry>> {
        let ids = self.ids_under(BY_CARD, cards.iter().map(String::as_str)).await?;
        self.get(&ids[ids.len().saturating_sub(LATEST)..]).await
    }

    /// The entries whose items were set aside for these holds, also those that were taken back.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn of_holds(&self, holds: &[u32]) -> Result<Vec<Entry>> {
        self.by(BY_HOLD, holds).await
    }

    /// The entries whose items were set aside for a hold, by the number of the hold.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn set_aside(&self) -> Result<Vec<Entry>> {
        let reading = self.reading()?;
        let log = reading.object_store(LOG)?;
        let values = log.index(BY_HOLD)?.get_all::<JsValue>().primitive()?.await?;
        self.entries(values)
    }

    async fn by<K: Clone + TryToJs>(&self, index: &str, keys: &[K]) -> Result<Vec<Entry>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let reading = self.reading()?;
        let log = reading.object_store(LOG)?;
        let index = log.index(index)?;
        let asked = keys
            .iter()
            .map(|key| index.get_all::<JsValue>().with_query(key.clone()).primitive())
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let mut values = Vec::new();
        for found in asked {
            values.extend(found.await?);
        }
        self.entries(values.into_iter())
    }
}

impl AsideEntries for Store {
    type Error = StoreError;

    async fn of_any_hold(&self) -> Result<Vec<Entry>> {
        self.set_aside().await
    }

    async fn numbered(&self, ids: &[TransactionId]) -> Result<Vec<Entry>> {
        self.get(ids).await
    }

    async fn of_items(&self, keys: &[String]) -> Result<Vec<Entry>> {
        self.of_items(keys).await
    }
}
