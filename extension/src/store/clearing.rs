//! Clearing the log. What was committed or deleted is remembered in a few bytes, so that a file that holds it does not bring
//! it back to be committed twice.

use super::{BATCHES, BY_DAY, BY_STATE, CHUNK, CLEARED, DESKS, LOG, Result, Store, id, numbers, to_js};
use crate::ground;
use indexed_db_futures::{
    Build, BuildPrimitive, KeyRange, cursor::CursorDirection, query_source::QuerySource, transaction::TransactionMode,
};
use koct_core::{
    DeskName, Moment, State, TransactionId,
    desks::cleared::{Asked, Consent, Remembered, remembered_key},
    log::{Counts, rows},
};
use serde::Serialize;
use wasm_bindgen::JsValue;

/// What fills the pages that are left of a log that was cleared, in some twenty milliseconds: the characters of a row's texts, and
/// the number of such rows. What is left of a full page is smaller than one more row, and lies where the list of its rows ends:
/// with small rows behind a long list, with large ones behind a short one. So what one length leaves, another overwrites.
const FILLERS: [(usize, u32); 3] = [(1, 300), (16, 200), (60, 100)];

/// What entries are overwritten with, found by the same indexes.
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

/// A text of this many characters, which cannot be compressed.
fn filling(characters: usize) -> String {
    let mut digits = String::new();
    while digits.len() < characters {
        digits.push_str(js_sys::Math::random().to_string().trim_start_matches("0."));
    }
    digits.truncate(characters);
    digits
}

impl Store {
    /// Empties the log of practice, and what is kept beside it. Never the desk's.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) async fn empty(&self) -> Result<()> {
        if !ground::is_practice() {
            return Ok(());
        }
        let all = [LOG, BATCHES, CLEARED, DESKS];
        let writing = self.writing_to(&all)?;
        for name in all {
            writing.object_store(name)?.clear()?.await?;
        }
        Ok(writing.commit().await?)
    }

    /// The log as it stands, for a person to be asked about.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn asked(&self) -> Result<Asked> {
        let reading = self.reading()?;
        let log = reading.object_store(LOG)?;
        let index = log.index(BY_STATE)?;
        // Asked in one go, so that it is the log of one moment.
        let last =
            log.open_key_cursor().with_query::<f64, _>(numbers()).with_direction(CursorDirection::Prev).primitive()?;
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
            settled.add(state, number.await?.saturating_sub(self.unreadable_in(state)));
        }
        let (odd, _) = self.unreadable_numbers();
        let mut open = Vec::new();
        for (state, keys) in open_asked {
            for key in keys.await? {
                open.extend(id(&key?).filter(|id| !odd.contains(id)).map(|id| (id, state)));
            }
        }
        // A key with a fraction is no number of the log, but those before it are.
        let last = last.and_then(|last| rows::number(last.as_f64()?.floor())).unwrap_or(TransactionId(0));
        Ok(Asked::new(last, open, settled, self.unreadable_keys()))
    }

    /// Removes what a person has said yes to, as far as it still stands so. `own` is this desk's name. Done bit by bit, so
    /// that scans go in between. Returns how many there were, when they are gone for good.
    ///
    /// # Errors
    /// When the log cannot be written: then some may be removed, each of them remembered where it must be.
    pub async fn remove(&self, consent: &Consent, own: &DeskName, now: Moment) -> Result<u32> {
        let _changing = self.changing();
        let settled = State::which(State::is_settled);
        let mut ids = self.ids_under(BY_STATE, settled.iter().map(|state| state.name())).await?;
        ids.extend(consent.open().iter().map(|(id, _)| *id));
        // One that was settled since it was asked about stands in both.
        let ids = TransactionId::in_order(ids);
        let mut removed = 0;
        for ids in ids.chunks(CHUNK) {
            removed += self.remove_some(ids, consent, own, now).await?;
        }
        removed += self.remove_unreadable(consent.unreadable()).await?;
        self.forget_old(now).await?;
        if removed > 0 {
            self.forget_told().await?;
            // Where it does not work, they are removed all the same.
            let _ = self.overwrite().await;
        }
        Ok(removed)
    }

    /// Removes those of these entries that may go, all or none. Returns how many.
    async fn remove_some(&self, ids: &[TransactionId], consent: &Consent, own: &DeskName, now: Moment) -> Result<u32> {
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
        for entry in self.entries(values.into_iter())?.iter().filter(|entry| consent.allows(entry)) {
            if let Some(key) = remembered_key(entry, own) {
                cleared.put(to_js(&Remembered::since(now))?).with_key(key).primitive()?;
            }
            log.delete(entry.id.0).primitive()?;
            removed += 1;
        }
        writing.commit().await?;
        Ok(removed)
    }

    /// Overwrites what the database's file still holds of entries that were removed: their bytes stay in its pages until
    /// something else is written there. What is written here is gone again when the transaction ends, so nobody ever sees
    /// it, and its keys lie below all numbers, so none is used up. Where somebody else's rows lie there, they stay as they are.
    async fn overwrite(&self) -> Result<()> {
        let writing = self.writing()?;
        let log = writing.object_store(LOG)?;
        let range = || KeyRange::Bound(0.0, true, f64::MIN_POSITIVE * 1_000.0, true);
        if log.count().with_query::<f64, _>(range()).primitive()?.await? > 0 {
            return Ok(());
        }
        for (length, number) in FILLERS {
            for place in 1..=number {
                let filler = Filler {
                    seq: f64::MIN_POSITIVE * f64::from(place),
                    status: FillerStatus { state: filling(length) },
                    cardnumber: filling(length),
                    item_key: filling(length),
                    hold: place,
                };
                log.put(to_js(&filler)?).primitive()?;
            }
            log.delete::<f64, _>(range()).primitive()?;
        }
        Ok(writing.commit().await?)
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
