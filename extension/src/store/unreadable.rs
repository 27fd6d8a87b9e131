//! Rows that this version cannot read: known as soon as they are met, kept as they are. The rule is `koct_core::log::rows`.

use super::{BATCHES, CHUNK_LIMIT, LOG, Result, Store, entry, id, next_number, raw};
use crate::webext::{property, text_property};
use indexed_db_futures::{
    Build, BuildPrimitive, KeyRange, object_store::ObjectStore, query_source::QuerySource, transaction::TransactionMode,
};
use koct_core::{
    Entry, State, TransactionId,
    desks::backup::adoption::Kept,
    log::{
        commit::Batch,
        rows::{self, Raw, RawPlace},
    },
};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use wasm_bindgen::JsValue;

/// A row that cannot be read.
#[derive(Debug)]
pub(super) struct Unreadable {
    key: JsValue,
    /// The state in which the indexes have it, where they have it in one.
    state: Option<State>,
}

/// Those that were met, by their keys as text.
pub(super) type Met = HashMap<String, Unreadable>;

/// Some rows of the log.
pub(super) struct Page {
    pub(super) entries: Vec<Entry>,
    pub(super) unreadable: Vec<JsValue>,
    /// The last key. `None` where there is no row any more.
    pub(super) last: Option<f64>,
}

fn key_of(row: &JsValue) -> JsValue {
    property(row, "seq")
}

/// Right before the first number that the log gives.
pub(super) const BEFORE_FIRST: f64 = 1.0_f64.next_down();

/// Where keys lie that the log does not give.
fn outside() -> [KeyRange<f64>; 2] {
    [KeyRange::UpperBound(1.0, true), KeyRange::LowerBound(f64::from(u32::MAX), true)]
}

impl Store {
    /// Remembers that this row of the log cannot be read.
    pub(super) fn meet(&self, row: &JsValue) {
        let key = key_of(row);
        let state = text_property(&property(row, "status"), "state").and_then(|name| State::from_name(&name));
        self.unreadable.borrow_mut().insert(raw::encode(&key).to_string(), Unreadable { key, state });
    }

    /// The number of rows of the log that were met and cannot be read.
    pub fn number_unreadable(&self) -> usize {
        self.unreadable.borrow().len()
    }

    /// Those that were met, to be asked about and cleared: see [`Store::remove_unreadable`].
    pub fn unreadable_keys(&self) -> HashSet<String> {
        self.unreadable.borrow().keys().cloned().collect()
    }

    /// Of those that were met, the number that the index has in this state.
    pub(super) fn unreadable_in(&self, state: State) -> u32 {
        let number = self.unreadable.borrow().values().filter(|row| row.state == Some(state)).count();
        number.try_into().unwrap_or(u32::MAX)
    }

    /// Of those that were met, the ones whose key is a number of the log, and whether there are any with a fraction.
    pub(super) fn unreadable_numbers(&self) -> (HashSet<TransactionId>, bool) {
        let met = self.unreadable.borrow();
        let keys = || met.values().filter_map(|row| row.key.as_f64());
        (keys().filter_map(rows::number).collect(), keys().any(|key| key.fract() != 0.0))
    }

    /// Looks at the whole log for such rows, bit by bit.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn look_through(&self) -> Result<()> {
        self.rows_outside().await?;
        let mut last = BEFORE_FIRST;
        while let Some(key) = self.page(last, CHUNK_LIMIT).await?.last {
            last = key;
            crate::timer::sleep(std::time::Duration::ZERO).await;
        }
        Ok(())
    }

    /// Looks at those that were met: another window may have cleared some.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn meet_again(&self) -> Result<()> {
        let keys: Vec<_> = self.unreadable.borrow().values().map(|row| row.key.clone()).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let reading = self.reading()?;
        let log = reading.object_store(LOG)?;
        for key in keys {
            let row: Option<JsValue> = log.get(key.clone()).primitive()?.await?;
            if row.is_none_or(|row| entry(&row).is_some()) {
                self.unreadable.borrow_mut().remove(&raw::encode(&key).to_string());
            }
        }
        Ok(())
    }

    /// The next rows after this key whose keys are numbers that the log could give, no more than the limit.
    pub(super) async fn page(&self, last: f64, limit: u32) -> Result<Page> {
        let reading = self.reading()?;
        let log = reading.object_store(LOG)?;
        let bound = f64::from(u32::MAX);
        if last >= bound {
            return Ok(Page { entries: Vec::new(), unreadable: Vec::new(), last: None });
        }
        let range = KeyRange::Bound(last, true, bound, false);
        let rows = log.get_all::<JsValue>().with_query::<f64, _>(range).with_limit(limit).primitive()?.await?;
        let rows = rows.collect::<std::result::Result<js_sys::Array, _>>()?;
        let (entries, unreadable) = self.read(&rows);
        let last = rows.length().checked_sub(1).and_then(|place| key_of(&rows.get(place)).as_f64());
        Ok(Page { entries, unreadable, last })
    }

    /// The rows whose keys are no numbers that the log could give.
    async fn rows_outside(&self) -> Result<Vec<JsValue>> {
        let reading = self.reading()?;
        let log = reading.object_store(LOG)?;
        let mut outside_rows = Vec::new();
        for range in outside() {
            for row in log.get_all::<JsValue>().with_query::<f64, _>(range).primitive()?.await? {
                let row = row?;
                self.meet(&row);
                outside_rows.push(row);
            }
        }
        Ok(outside_rows)
    }

    /// The next entries after this key, no more than the limit, with the rows among them that cannot be read, and the key to go
    /// on from: `None` at the end.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn rows_after(&self, last: Option<f64>, limit: u32) -> Result<(Vec<Entry>, Vec<Raw>, Option<f64>)> {
        let raw_of =
            |row: &JsValue| Raw { of: RawPlace::Transactions, key: raw::encode(&key_of(row)), value: raw::encode(row) };
        let mut raw = Vec::new();
        if last.is_none() {
            raw.extend(self.rows_outside().await?.iter().map(raw_of));
        }
        let page = self.page(last.unwrap_or(BEFORE_FIRST), limit).await?;
        raw.extend(page.unreadable.iter().map(raw_of));
        Ok((page.entries, raw, page.last))
    }

    /// The records of commits that cannot be read.
    ///
    /// # Errors
    /// When the records cannot be read at all.
    pub async fn raw_batches(&self) -> Result<Vec<Raw>> {
        Ok(self.batch_rows().await?.1)
    }

    /// The records of commits, oldest first, with their numbers, and those that cannot be read.
    pub(super) async fn batch_rows(&self) -> Result<(Vec<(Option<u32>, Batch)>, Vec<Raw>)> {
        let reading = self.database.transaction(BATCHES).with_mode(TransactionMode::Readonly).build()?;
        let store = reading.object_store(BATCHES)?;
        let (keys, values) = (store.get_all_keys::<JsValue>().primitive()?, store.get_all::<JsValue>().primitive()?);
        let (mut batches, mut unreadable) = (Vec::new(), Vec::new());
        for (key, value) in keys.await?.zip(values.await?) {
            let (key, value) = (key?, value?);
            match super::text(&value).and_then(|text| serde_json::from_str(&text).ok()) {
                Some(batch) => batches.push((id(&key).map(|id| id.0), batch)),
                None => {
                    unreadable.push(Raw { of: RawPlace::Commits, key: raw::encode(&key), value: raw::encode(&value) });
                }
            }
        }
        Ok((batches, unreadable))
    }

    /// Puts such rows where they were, unless they are there already. Where another has the key, they get the next number.
    /// Returns what became of each when it is durable.
    ///
    /// # Errors
    /// When they cannot be written: then nothing of them is.
    pub async fn keep(&self, kept: &[Raw]) -> Result<Vec<Kept>> {
        let mut known = self.raw_batches().await?;
        let (mut last, mut is_first) = (None, true);
        while is_first || last.is_some() {
            let (_, raw, key) = self.rows_after(last, CHUNK_LIMIT).await?;
            known.extend(raw);
            (last, is_first) = (key, false);
        }
        let known: HashSet<_> = known.iter().map(without_key).collect();
        let writing = self.writing_to(&[LOG, BATCHES])?;
        let (log, batches) = (writing.object_store(LOG)?, writing.object_store(BATCHES)?);
        let mut done = Vec::with_capacity(kept.len());
        for row in kept {
            let (store, in_line) = match row.of {
                RawPlace::Transactions => (&log, true),
                RawPlace::Commits => (&batches, false),
            };
            done.push(keep_one(store, in_line, row, known.contains(&without_key(row))).await?);
        }
        writing.commit().await?;
        self.numbering.take();
        Ok(done)
    }

    /// Removes these of the rows that cannot be read, as [`Store::unreadable_keys`] gave them. Returns their number when they are
    /// gone.
    ///
    /// # Errors
    /// When the log cannot be written: then none is removed.
    pub async fn remove_unreadable(&self, asked: &HashSet<String>) -> Result<u32> {
        let keys: Vec<_> = {
            let met = self.unreadable.borrow();
            met.iter().filter(|(key, _)| asked.contains(*key)).map(|(_, row)| row.key.clone()).collect()
        };
        let writing = self.writing()?;
        let log = writing.object_store(LOG)?;
        let mut removed = 0;
        for key in keys {
            let row: Option<JsValue> = log.get(key.clone()).primitive()?.await?;
            if row.is_some_and(|row| entry(&row).is_none()) {
                log.delete(key).primitive()?;
                removed += 1;
            }
        }
        writing.commit().await?;
        self.meet_again().await?;
        Ok(removed)
    }
}

/// A row as text, whatever key it has.
fn without_key(row: &Raw) -> String {
    let mut row = row.clone();
    row.key = Value::Null;
    if let (RawPlace::Transactions, Some(value)) = (row.of, row.value.as_object_mut()) {
        value.remove("seq");
    }
    serde_json::to_string(&row).unwrap_or_default()
}

/// Puts a row into the store, whose keys stand in its values where `in_line`.
async fn keep_one(store: &ObjectStore<'_>, in_line: bool, row: &Raw, is_elsewhere: bool) -> Result<Kept> {
    let (Some(key), Some(value)) = (raw::decode(&row.key), raw::decode(&row.value)) else { return Ok(Kept::Refused) };
    if in_line && raw::encode(&key_of(&value)) != row.key {
        return Ok(Kept::Refused);
    }
    // What is no key at all is refused at once. What stands under one may be nothing, so it is counted.
    let Ok(asked) = store.get::<JsValue, _, _>(key.clone()).primitive() else { return Ok(Kept::Refused) };
    let counted = store.count().with_query(key.clone()).primitive()?;
    let here = asked.await?;
    let here = here.map_or(Value::Null, |here| raw::encode(&here));
    let add = |key: JsValue| {
        if in_line {
            store.add(value.clone()).primitive()
        } else {
            store.add(value.clone()).with_key(key).without_key_type().primitive()
        }
    };
    if counted.await? == 0 {
        add(key)?.await?;
    } else if here == row.value || is_elsewhere {
        return Ok(Kept::There);
    } else {
        let next = JsValue::from_f64(next_number(store).await?.0.into());
        if in_line && !js_sys::Reflect::set(&value, &"seq".into(), &next).is_ok_and(|done| done) {
            return Ok(Kept::Refused);
        }
        add(next)?.await?;
    }
    Ok(Kept::Put)
}
