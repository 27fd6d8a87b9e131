//! Clearing the log. What was committed or deleted is remembered in a few bytes, so that a file that holds it does not bring
//! it back to be committed twice.

use super::{BY_DAY, BY_STATE, CHUNK, CHUNK_LIMIT, CLEARED, DESKS, LOG, Result, Store, entries, entry_id, to_js};
use indexed_db_futures::{
    Build, BuildPrimitive, KeyRange,
    cursor::CursorDirection,
    query_source::QuerySource,
    transaction::{Transaction, TransactionMode},
};
use koct_core::{
    DeskName, Entry, Moment, State, TransactionId,
    desks::cleared::{Asked, Consent, Remembered, cleared_keys_of, remembered_key},
    log::Counts,
};
use serde::Serialize;
use std::collections::BTreeSet;
use wasm_bindgen::JsValue;

/// Enough to fill the pages that are left of a log that was cleared; some ten milliseconds.
const FILLERS: u32 = 300;

/// What entries are overwritten with: as large as a small one, and found by the same indexes.
#[derive(Serialize)]
struct Filler {
    seq: f64,
    status: FillerStatus,
    cardnumber: String,
    #[serde(rename = "itemKey")]
    item_key: String,
    hold: u32,
}

#[derive(Serialize)]
struct FillerStatus {
    state: String,
}

impl Store {
    /// The log as it stands, for a person to be asked about.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn asked(&self) -> Result<Asked> {
        let reading = self.reading()?;
        let log = reading.object_store(LOG)?;
        let index = log.index(BY_STATE)?;
        // Asked in one go, so that it is the log of one moment.
        let last = log.open_key_cursor().with_direction(CursorDirection::Prev).primitive()?;
        let name = |state: State| state.name().to_owned();
        let mut settled_asked = Vec::new();
        let mut open_asked = Vec::new();
        for state in State::ALL {
            if state.is_open() {
                open_asked.push((state, index.get_all_keys::<JsValue>().with_query(name(state)).primitive()?));
            } else {
                settled_asked.push((state, index.count().with_query(name(state)).primitive()?));
            }
        }
        let last: Option<JsValue> = last.await?.and_then(|last| last.primary_key().transpose()).transpose()?;
        let mut settled = Counts::default();
        for (state, number) in settled_asked {
            settled.add(state, number.await?);
        }
        let mut open = Vec::new();
        for (state, keys) in open_asked {
            for key in keys.await? {
                open.push((entry_id(&key?)?, state));
            }
        }
        let last = last.map_or(Ok(TransactionId(0)), |last| entry_id(&last))?;
        Ok(Asked::new(last, open, settled))
    }

    /// Removes what a person has said yes to, as far as it still stands so. `own` is this desk's name. Done bit by bit, so
    /// that scans go in between. Returns how many there were, when they are gone for good.
    ///
    /// # Errors
    /// When the log cannot be written: then some may be removed, each of them remembered where it must be.
    pub async fn remove(&self, consent: &Consent, own: &DeskName, now: Moment) -> Result<u32> {
        let mut removed = 0;
        for ids in consent.open().chunks(CHUNK) {
            removed += self.remove_open(ids, consent, own, now).await?;
        }
        for state in State::which(State::is_settled) {
            loop {
                match self.remove_some(state, consent, own, now).await? {
                    0 => break,
                    number => removed += number,
                }
            }
        }
        self.forget_old(now).await?;
        if removed > 0 {
            // Where it does not work, they are removed all the same.
            let _ = self.overwrite().await;
        }
        Ok(removed)
    }

    /// Removes some that were open when they were asked about, all or none. Returns how many.
    async fn remove_open(
        &self,
        asked: &[(TransactionId, State)],
        consent: &Consent,
        own: &DeskName,
        now: Moment,
    ) -> Result<u32> {
        let writing = self.writing_to(&[LOG, CLEARED])?;
        let log = writing.object_store(LOG)?;
        let reading = asked
            .iter()
            .map(|(id, _)| log.get::<JsValue, _, _>(id.0).primitive())
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let mut values = Vec::with_capacity(asked.len());
        for value in reading {
            values.extend(value.await?.map(Ok));
        }
        let removed = take_out(&writing, &entries(values.into_iter())?, consent, own, now)?;
        writing.commit().await?;
        Ok(removed)
    }

    /// Removes some entries of a settled state, all or none. Returns how many.
    async fn remove_some(&self, state: State, consent: &Consent, own: &DeskName, now: Moment) -> Result<u32> {
        let writing = self.writing_to(&[LOG, CLEARED])?;
        let log = writing.object_store(LOG)?;
        let index = log.index(BY_STATE)?;
        let query = index.get_all::<JsValue>().with_query(state.name().to_owned()).with_limit(CHUNK_LIMIT);
        // Entries of one state are in the order of their numbers, so those that may go come first.
        let removed = take_out(&writing, &entries(query.primitive()?.await?)?, consent, own, now)?;
        writing.commit().await?;
        Ok(removed)
    }

    /// Overwrites what the database's file still holds of entries that were removed: their bytes stay in its pages until
    /// something else is written there. What is written here is gone again when the transaction ends, so nobody ever sees
    /// it, and its keys lie below all numbers, so none is used up.
    async fn overwrite(&self) -> Result<()> {
        let writing = self.writing()?;
        let log = writing.object_store(LOG)?;
        for place in 1..=FILLERS {
            // Nothing that can be compressed.
            let text = || js_sys::Math::random().to_string();
            let filler = Filler {
                seq: f64::from(place) / f64::from(FILLERS + 1),
                status: FillerStatus { state: text() },
                cardnumber: text(),
                item_key: text(),
                hold: place,
            };
            log.put(to_js(&filler)?).primitive()?;
        }
        log.delete::<f64, _>(KeyRange::Bound(0.0, true, 1.0, true)).primitive()?;
        Ok(writing.commit().await?)
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

/// Removes those of these entries that may go, and remembers them where that must be. Returns how many there are.
fn take_out(
    writing: &Transaction<'_>,
    entries: &[Entry],
    consent: &Consent,
    own: &DeskName,
    now: Moment,
) -> Result<u32> {
    let (log, cleared) = (writing.object_store(LOG)?, writing.object_store(CLEARED)?);
    let mut removed = 0;
    for entry in entries.iter().filter(|entry| consent.allows(entry)) {
        if let Some(key) = remembered_key(entry, own) {
            cleared.put(to_js(&Remembered::since(now))?).with_key(key).primitive()?;
        }
        log.delete(entry.id.0).primitive()?;
        removed += 1;
    }
    Ok(removed)
}
