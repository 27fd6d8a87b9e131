//! The log, the record of commits, and what is remembered of cleared transactions, in IndexedDB.
//!
//! Every write is a transaction of its own with durability `strict`: when it is reported done, it is on the disk. The
//! store keeps what core gives it and decides nothing but how it is found again: by number, by item, by state.

use crate::{clock, ground, slices, storage::StorageError, webext::property};
use indexed_db_futures::{
    Build, BuildPrimitive, KeyRange,
    cursor::CursorDirection,
    database::{Database, VersionChangeEvent},
    error::{DomException, Error},
    internals::SystemRepr,
    object_store::ObjectStore,
    query_source::QuerySource,
    transaction::{Transaction, TransactionDurability, TransactionMode, TransactionOptions},
};
use koct_core::{
    Action, Entry, Moment, State, Status, TransactionId,
    desk::{branch::BranchCode, codes::Scanned},
    desks::conflict::LatestOfItems,
    log::{
        self, Counts,
        order::{self, Ordered},
        rows,
        stored::StoredRow,
    },
};
use serde::Serialize;
use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
};
use unreadable::{BEFORE_FIRST, Met};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

mod batches;
mod clearing;
mod corrections;
mod imports;
mod raw;
mod todo;
mod unreadable;
mod warnings;

/// The database's name in a desk's profile.
const DATABASE: &str = "koct";
const VERSION: u32 = 5;
const LOG: &str = "transactions";
const BATCHES: &str = "batches";
/// What is remembered of transactions that were cleared: `koct_core::desks::cleared::cleared_key`, with the day.
const CLEARED: &str = "cleared";
/// The other desks whose transactions are in the log.
const DESKS: &str = "desks";
/// Finds the entries of an item: `itemKey` is [`Action::item_key`].
const BY_ITEM: &str = "item";
/// Finds the entries of a state: `status.state` is [`State::name`].
const BY_STATE: &str = "state";
/// Finds the entries of a patron, by the cardnumber as it was typed.
const BY_CARD: &str = "card";
/// Finds the entries whose items were set aside for a hold: `hold` is its number.
const BY_HOLD: &str = "hold";
/// Finds the entries with warnings, by their number. An entry without any has no such list.
const BY_WARNINGS: &str = "warnings";
/// Finds what came back late, by the days.
const BY_LATE: &str = "late";
/// Finds the payments: nothing else has an amount.
const BY_AMOUNT: &str = "amount";
/// Finds what was cleared on a day.
const BY_DAY: &str = "day";

/// The number of entries that are read or written in one go: some ten milliseconds for which a scan may have to wait.
const CHUNK_LIMIT: u32 = 1_000;
const CHUNK: usize = 1_000;
/// How many numbers are read in one go.
const KEYS_AT_ONCE: u32 = 20_000;

/// Why the log could not be read or written. A person is told by `wording::store`.
#[derive(Debug)]
pub enum StoreError {
    /// Firefox could not do it.
    Storage(StorageError),
    /// The change would touch an entry that is gone, or one that may not be changed so.
    NotOpen(TransactionId),
}

impl<E: Into<StorageError>> From<E> for StoreError {
    fn from(error: E) -> Self {
        Self::Storage(error.into())
    }
}

type Result<T> = std::result::Result<T, StoreError>;

/// The desk's log.
#[derive(Debug)]
pub struct Store {
    database: Database,
    /// The rows that were met and cannot be read.
    unreadable: RefCell<Met>,
    numbering: Cell<Numbering>,
    /// The library that this desk is set to, which each that it records keeps.
    branch: RefCell<Option<BranchCode>>,
    /// How many scans and changes of the log are under way.
    changing: Cell<usize>,
}

/// A change that is under way, until this is dropped.
struct Changing<'a>(&'a Cell<usize>);

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// Who gives the next number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Numbering {
    /// Not known yet.
    #[default]
    Unknown,
    /// IndexedDB, which gives each once.
    Log,
    /// KOCT: some key is, or was, so large that IndexedDB has no number for the log behind it.
    Own,
}

/// The name of the database.
pub(crate) fn database() -> String {
    ground::name(DATABASE)
}

/// An entry whose status was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The state that it left.
    pub from: State,
    /// As it is now.
    pub entry: Entry,
}

fn stored(entry: &Entry) -> Result<JsValue> {
    to_js(&StoredRow::in_log(entry, Some(entry.id)))
}

fn to_js(value: &impl Serialize) -> Result<JsValue> {
    // Plain objects: IndexedDB finds its keys in properties, not in Maps.
    let value = value.serialize(&serde_wasm_bindgen::Serializer::json_compatible());
    Ok(value.map_err(JsValue::from)?)
}

/// Many values as JavaScript's own: Firefox reads JSON far quicker than properties can be set one by one.
fn many_to_js<'a>(stored: impl Iterator<Item = StoredRow<'a>>) -> Result<js_sys::Array> {
    let json = serde_json::to_string(&stored.collect::<Vec<_>>()).map_err(|_| StorageError::Broken)?;
    Ok(js_sys::JSON::parse(&json)?.unchecked_into())
}

/// A value as JSON, where it has such a form.
fn text(value: &JsValue) -> Option<String> {
    JsValue::from(js_sys::JSON::stringify(value).ok()?).as_string()
}

/// An entry that was stored, where this version can read it.
fn entry(value: &JsValue) -> Option<Entry> {
    rows::read_one(&text(value)?)
}

/// When a row that is stored was recorded by this desk. For each scan: so it reads no more than that.
fn own_moment(value: &JsValue) -> Option<Moment> {
    rows::own_moment(&text(value)?)
}

fn id(key: &JsValue) -> Option<TransactionId> {
    rows::number(key.as_f64()?)
}

/// All keys that are numbers which the log could give.
fn numbers() -> KeyRange<f64> {
    KeyRange::Bound(1.0, false, f64::from(u32::MAX), false)
}

/// The next number, where IndexedDB gives none.
async fn next_number(store: &ObjectStore<'_>) -> Result<TransactionId> {
    let range = KeyRange::UpperBound(f64::from(u32::MAX), false);
    let keys = store.get_all_keys::<f64>().with_query::<f64, _>(range).primitive()?.await?;
    let mut keys = keys.collect::<std::result::Result<Vec<_>, _>>()?;
    keys.reverse();
    Ok(rows::next_number(keys).ok_or(StorageError::Full)?)
}

/// The last number of the log; of a key between two numbers, the one below.
async fn last_number(log: &ObjectStore<'_>) -> Result<Option<TransactionId>> {
    let last = log.open_key_cursor().with_query::<f64, _>(numbers()).with_direction(CursorDirection::Prev);
    let key: Option<JsValue> = last.primitive()?.await?.and_then(|last| last.primary_key().transpose()).transpose()?;
    Ok(key.and_then(|key| rows::number(key.as_f64()?.floor())))
}

impl Store {
    /// Opens the log of this profile, and makes it if there is none.
    ///
    /// # Errors
    /// When Firefox cannot open it: no disk, a damaged profile, a newer version of KOCT has changed it.
    pub async fn open(name: &str) -> Result<Self> {
        Self::open_or_wait(name, || ()).await
    }

    /// As [`Store::open`]. `waits` is called when it waits for a window that holds an older version open.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_or_wait(name: &str, waits: impl Fn() + 'static) -> Result<Self> {
        let database = Database::open(name)
            .with_version(VERSION)
            .with_on_blocked(move |_: VersionChangeEvent| {
                waits();
                Ok(())
            })
            .with_on_upgrade_needed(|event, database| {
                if event.old_version() < 1.0 {
                    let log = database
                        .create_object_store(LOG)
                        .with_key_path("seq".into())
                        .with_auto_increment(true)
                        .build()?;
                    log.create_index(BY_ITEM, "itemKey".into()).build()?;
                    log.create_index(BY_STATE, "status.state".into()).build()?;
                }
                if event.old_version() < 2.0 {
                    database.create_object_store(BATCHES).with_auto_increment(true).build()?;
                }
                if event.old_version() < 3.0 {
                    database.create_object_store(CLEARED).build()?.create_index(BY_DAY, "day".into()).build()?;
                    database.create_object_store(DESKS).build()?;
                }
                if event.old_version() < 5.0 {
                    // The way to the log in this transaction goes by a store that was made in it.
                    const MADE: &str = "made";
                    let made = database.create_object_store(MADE).build()?;
                    let log = made.transaction().object_store(LOG)?;
                    if event.old_version() < 4.0 {
                        log.create_index(BY_CARD, "cardnumber".into()).build()?;
                        log.create_index(BY_HOLD, "hold".into()).build()?;
                    }
                    log.create_index(BY_WARNINGS, "warnings.length".into()).build()?;
                    log.create_index(BY_LATE, "late".into()).build()?;
                    log.create_index(BY_AMOUNT, "amount".into()).build()?;
                    database.delete_object_store(MADE)?;
                }
                Ok(())
            })
            .await?;
        let (unreadable, branch) = (RefCell::default(), RefCell::default());
        Ok(Self { database, unreadable, numbering: Cell::default(), branch, changing: Cell::default() })
    }

    /// What is recorded from now on is recorded at this library.
    pub(crate) fn be_at(&self, branch: Option<BranchCode>) {
        self.branch.replace(branch);
    }

    /// Closes it, so that it stands in nobody's way.
    pub fn close(self) {
        self.database.close();
    }

    /// Gives way to a newer version that wants to open the log, and says so then. Nothing is recorded here any more.
    pub fn give_way(&self, said: impl Fn() + 'static) {
        let database = self.database.clone();
        let gives_way = Closure::<dyn Fn(JsValue)>::new(move |event: JsValue| {
            // Without a version, the log is to be deleted.
            if !property(&event, "newVersion").is_null() {
                database.clone().close();
                said();
            }
        });
        let target: &web_sys::EventTarget = self.database.as_sys().unchecked_ref();
        let _ = target.add_event_listener_with_callback("versionchange", gives_way.as_ref().unchecked_ref());
        gives_way.forget();
    }

    /// Reads rows of the log. Remembers those that cannot be read, and gives them.
    fn read(&self, values: &js_sys::Array) -> (Vec<Entry>, Vec<JsValue>) {
        let row = |place: usize| values.get(place.try_into().unwrap_or(u32::MAX));
        let number = usize::try_from(values.length()).unwrap_or_default();
        // By way of JSON, which Firefox writes far quicker than properties can be read one by one.
        let read = rows::read(text(values).as_deref(), number, |place| text(&row(place)));
        let unreadable: Vec<JsValue> = read.unreadable.into_iter().map(row).collect();
        for row in &unreadable {
            self.meet(row);
        }
        (read.entries, unreadable)
    }

    /// The entries among these rows.
    fn entries(&self, values: impl Iterator<Item = std::result::Result<JsValue, Error>>) -> Result<Vec<Entry>> {
        Ok(self.read(&values.collect::<std::result::Result<js_sys::Array, _>>()?).0)
    }

    /// Whether a scan is just being recorded, or something that is in the log changed or removed, and nobody has heard of it yet.
    pub(crate) fn is_changing(&self) -> bool {
        self.changing.get() > 0
    }

    fn changing(&self) -> Changing<'_> {
        self.changing.set(self.changing.get() + 1);
        Changing(&self.changing)
    }

    fn reading(&self) -> Result<Transaction<'_>> {
        Ok(self.database.transaction(LOG).with_mode(TransactionMode::Readonly).build()?)
    }

    fn writing(&self) -> Result<Transaction<'_>> {
        self.writing_to(&[LOG])
    }

    fn writing_to(&self, names: &[&str]) -> Result<Transaction<'_>> {
        Ok(self
            .database
            .transaction(names)
            .with_mode(TransactionMode::Readwrite)
            .with_options(TransactionOptions::new().with_durability(TransactionDurability::Strict))
            .build()?)
    }

    /// Records what was scanned `now`. Returns when it is durable.
    ///
    /// # Errors
    /// When it is not: then nothing of it is stored.
    pub async fn record(&self, action: Action, scanned: Scanned, now: Moment) -> Result<Entry> {
        loop {
            let numbering = self.numbering.get();
            let recorded = self.try_record(action.clone(), scanned.clone(), now, numbering).await;
            match (recorded, numbering) {
                (Ok(Some(entry)), _) => return Ok(entry),
                (Err(error), Numbering::Unknown | Numbering::Own) => return Err(error),
                // Now it is known.
                (Ok(None), Numbering::Unknown) => self.numbering.set(Numbering::Own),
                (Ok(None), Numbering::Own) => return Err(StorageError::Full.into()),
                // Looked at more closely, since nothing of it is stored.
                (_, Numbering::Log) => self.numbering.set(Numbering::Unknown),
            }
        }
    }

    /// `None`, and nothing is stored, where there is no number for it.
    async fn try_record(
        &self,
        action: Action,
        scanned: Scanned,
        now: Moment,
        numbering: Numbering,
    ) -> Result<Option<Entry>> {
        let _changing = self.changing();
        let writing = self.writing()?;
        let log = writing.object_store(LOG)?;
        let last_of_item = last_moment(&log, action.item_key()).await?;
        let number = if numbering == Numbering::Own { Some(next_number(&log).await?) } else { None };
        let recorded = Entry::recorded(TransactionId(0), log::record(action, now, last_of_item));
        let entry = Entry { scanned, branch: self.branch.borrow().clone(), ..recorded };
        // Requests go out when they are built: waiting only for the end saves a round trip to the disk's process.
        let adding = log.add(to_js(&StoredRow::in_log(&entry, number))?).with_key_type::<JsValue>().primitive()?;
        let key: JsValue = if numbering == Numbering::Log {
            writing.commit().await?;
            adding.await?
        } else {
            let Some(key) = numbered(adding.await)? else { return Ok(None) };
            if !id(&key).is_some_and(rows::has_room) {
                // Left without being committed, nothing is stored.
                return Ok(None);
            }
            writing.commit().await?;
            if numbering == Numbering::Unknown {
                self.numbering.set(Numbering::Log);
            }
            key
        };
        if let Some(id) = id(&key) {
            return Ok(Some(Entry { id, ..entry }));
        }
        // Another window has just put back a row with a large key: under that number nobody would read it.
        let writing = self.writing()?;
        writing.object_store(LOG)?.delete(key).primitive()?;
        writing.commit().await?;
        Ok(None)
    }

    /// The last number of the log, or 0 where it is empty.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn last(&self) -> Result<TransactionId> {
        let reading = self.reading()?;
        Ok(last_number(&reading.object_store(LOG)?).await?.unwrap_or(TransactionId(0)))
    }

    /// When this desk scanned last, as far as that is near the end of the log.
    pub async fn last_scan(&self) -> Option<Moment> {
        let reading = self.reading().ok()?;
        let log = reading.object_store(LOG).ok()?;
        let cursor = log.open_cursor().with_query::<f64, _>(numbers()).with_direction(CursorDirection::Prev);
        let mut cursor = cursor.primitive().ok()?.await.ok()??;
        for _ in 0..CHUNK_LIMIT {
            let row = cursor.next_record::<JsValue>().await.ok()??;
            if let Some(moment) = own_moment(&row) {
                return Some(moment);
            }
        }
        None
    }

    /// Changes statuses, all at once or not at all. Returns the changes when they are durable.
    ///
    /// # Errors
    /// When one is gone, committed or deleted, or when they cannot be written: then nothing is changed.
    pub async fn set_statuses(&self, statuses: &[(TransactionId, Status)]) -> Result<Vec<Change>> {
        self.set_statuses_where(statuses, |_| true, |entry| entry).await
    }

    /// As [`Store::set_statuses`], where each entry is what it is taken for; with what else is to be kept with its status.
    ///
    /// # Errors
    /// As [`Store::set_statuses`], and when one is not: then nothing is changed.
    pub async fn set_statuses_where(
        &self,
        statuses: &[(TransactionId, Status)],
        is_as_known: impl Fn(&Entry) -> bool,
        with_it: impl Fn(Entry) -> Entry,
    ) -> Result<Vec<Change>> {
        let ids: Vec<TransactionId> = statuses.iter().map(|(id, _)| *id).collect();
        let new: HashMap<TransactionId, &Status> = statuses.iter().map(|(id, status)| (*id, status)).collect();
        let rule = |entry: &Entry| {
            let status = (*new.get(&entry.id)?).clone();
            let is_open = entry.status.state().is_open() && is_as_known(entry);
            is_open.then(|| with_it(Entry { status, ..entry.clone() }))
        };
        self.change(&ids, rule).await
    }

    /// The numbers of all entries, rising. `counted` is the number of rows with a state, where they have just been counted: in a long
    /// log that takes longer than all else here.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn ids(&self, counted: Option<u32>) -> Result<Vec<TransactionId>> {
        let (first, last, number) = {
            let reading = self.reading()?;
            let log = reading.object_store(LOG)?;
            // Of the whole log, Firefox counts an index in a third of the time. Who has no state is not counted, and looked for.
            let counting = match counted {
                Some(_) => None,
                None => Some(log.index(BY_STATE)?.count().primitive()?),
            };
            let first = log.get_all_keys::<JsValue>().with_limit(1).primitive()?;
            let last = log.open_key_cursor().with_direction(CursorDirection::Prev);
            let last = last.primitive()?.await?;
            let last: Option<JsValue> = last.and_then(|last| last.primary_key().transpose()).transpose()?;
            let first = first.await?.next().transpose()?;
            let key = |key: Option<JsValue>| key.and_then(|key| key.as_f64()).and_then(rows::number);
            let number = match counting {
                Some(counting) => counting.await?,
                None => counted.unwrap_or_default(),
            };
            (key(first), key(last), number)
        };
        let (unreadable, has_fractions) = self.unreadable_numbers();
        let is_readable = |id: &TransactionId| !unreadable.contains(id);
        // Where nothing was cleared, they need not be read: every window does so at every change elsewhere.
        if let (Some(first), Some(last)) = (first, last)
            && u64::from(last.0 - first.0) + 1 == u64::from(number)
            && !has_fractions
        {
            return Ok((first.0..=last.0).map(TransactionId).filter(is_readable).collect());
        }
        let mut ids = Vec::with_capacity(usize::try_from(number).unwrap_or_default());
        let mut from = BEFORE_FIRST;
        let last = f64::from(u32::MAX);
        while from < last {
            let reading = self.reading()?;
            let log = reading.object_store(LOG)?;
            let range = KeyRange::Bound(from, true, last, false);
            let keys = log.get_all_keys::<f64>().with_query::<f64, _>(range).with_limit(KEYS_AT_ONCE).primitive()?;
            // What was cleared meanwhile is not waited for.
            from = last;
            let mut number = 0;
            for key in keys.await? {
                let key = key?;
                number += 1;
                if number == KEYS_AT_ONCE {
                    from = key;
                }
                ids.extend(rows::number(key).filter(is_readable));
            }
        }
        Ok(ids)
    }

    /// The entries from one number to another, both included.
    ///
    /// # Errors
    /// When the log cannot be read. What this version cannot read of it is left out, and counted: see
    /// [`Store::number_unreadable`].
    pub async fn range(&self, from: TransactionId, to: TransactionId) -> Result<Vec<Entry>> {
        let reading = self.reading()?;
        let range = KeyRange::Bound(from.0, false, to.0, false);
        let log = reading.object_store(LOG)?;
        let values = log.get_all::<JsValue>().with_query::<u32, _>(range).primitive()?.await?;
        self.entries(values)
    }

    /// The newest rows as they are stored, for [`Store::entries_in`], in rising order: no more than this number of numbers back from the
    /// last. What reads them need not be loaded yet.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn newest(&self, limit: u32) -> Result<js_sys::Array> {
        let reading = self.reading()?;
        let log = reading.object_store(LOG)?;
        let Some(TransactionId(last)) = last_number(&log).await? else { return Ok(js_sys::Array::new()) };
        let range = KeyRange::Bound(last.saturating_sub(limit - 1), false, last, false);
        let values = log.get_all::<JsValue>().with_query::<u32, _>(range).primitive()?.await?;
        Ok(values.collect::<std::result::Result<_, _>>()?)
    }

    /// The entries in these rows. What this version cannot read of them is left out, and counted.
    pub fn entries_in(&self, rows: &js_sys::Array) -> Vec<Entry> {
        self.read(rows).0
    }

    /// The entries of these numbers, as far as they are there.
    ///
    /// # Errors
    /// As [`Store::range`].
    pub async fn get(&self, ids: &[TransactionId]) -> Result<Vec<Entry>> {
        let reading = self.reading()?;
        let log = reading.object_store(LOG)?;
        let mut entries = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            entries.extend(self.read_from(&log, chunk).await?);
        }
        Ok(entries)
    }

    /// The next entries after this number, no more than the limit: a long log is read bit by bit, so that scans go in between.
    ///
    /// # Errors
    /// As [`Store::range`].
    pub async fn after(&self, last: TransactionId, limit: u32) -> Result<Vec<Entry>> {
        let mut last = f64::from(last.0).max(BEFORE_FIRST);
        loop {
            let page = self.page(last, limit).await?;
            match page.last {
                // Whoever sees none takes it for the end.
                Some(key) if page.entries.is_empty() => last = key,
                _ => return Ok(page.entries),
            }
        }
    }

    /// The entries of these states, in the order in which Koha must see them. Read bit by bit, so that scans go in between:
    /// what is recorded meanwhile may be among them or not.
    ///
    /// # Errors
    /// As [`Store::range`].
    pub async fn in_states(&self, states: &[State]) -> Result<Ordered> {
        Ok(slices::through(order::sorting(self.in_states_by_number(states).await?)).await)
    }

    /// The same in the order of their numbers, for whoever needs no other: nothing is sorted.
    ///
    /// # Errors
    /// As [`Store::range`].
    pub async fn in_states_by_number(&self, states: &[State]) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        self.read_states(states, |read| entries.extend(read)).await?;
        Ok(entries)
    }

    /// Reads the entries of these states bit by bit, in the order of their numbers.
    async fn read_states(&self, states: &[State], mut take: impl FnMut(Vec<Entry>)) -> Result<()> {
        let ids = self.ids_under(BY_STATE, states.iter().map(|state| state.name())).await?;
        for chunk in ids.chunks(CHUNK) {
            let mut read = self.get(chunk).await?;
            read.retain(|entry| states.contains(&entry.status.state()));
            take(read);
        }
        Ok(())
    }

    /// The entries in `Local` behind this number, however many others there are: last ones first.
    ///
    /// # Errors
    /// As [`Store::range`].
    pub async fn recorded_since(&self, last: TransactionId) -> Result<Vec<Entry>> {
        let reading = self.reading()?;
        let log = reading.object_store(LOG)?;
        let index = log.index(BY_STATE)?;
        let local = State::Local.name().to_owned();
        let cursor = index.open_cursor().with_query(local).with_direction(CursorDirection::Prev).primitive()?.await?;
        let mut recorded = Vec::new();
        let Some(mut cursor) = cursor else { return Ok(recorded) };
        while let Some(value) = cursor.next_record::<JsValue>().await? {
            let Some(entry) = entry(&value) else { continue };
            if entry.id <= last {
                break;
            }
            recorded.push(entry);
        }
        Ok(recorded)
    }

    /// When the first and the last of those in each of these states were recorded, however many there are.
    ///
    /// # Errors
    /// As [`Store::range`].
    pub async fn ends_of(&self, states: &[State]) -> Result<Vec<Moment>> {
        let reading = self.reading()?;
        let log = reading.object_store(LOG)?;
        let index = log.index(BY_STATE)?;
        let mut moments = Vec::new();
        for state in states {
            for direction in [CursorDirection::Next, CursorDirection::Prev] {
                let name = state.name().to_owned();
                let cursor = index.open_cursor().with_query(name).with_direction(direction).primitive()?.await?;
                let Some(mut cursor) = cursor else { break };
                let value = cursor.next_record::<JsValue>().await?;
                moments.extend(value.as_ref().and_then(entry).map(|entry| entry.transaction.moment));
            }
        }
        Ok(moments)
    }

    /// The ids of the entries that an index has under one of these, in rising order.
    async fn ids_under(&self, index: &str, keys: impl Iterator<Item = &str>) -> Result<Vec<TransactionId>> {
        let reading = self.reading()?;
        let log = reading.object_store(LOG)?;
        let index = log.index(index)?;
        let asked = keys
            .map(|key| index.get_all_keys::<JsValue>().with_query(key.to_owned()).primitive())
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let mut ids = Vec::new();
        for keys in asked {
            for key in keys.await? {
                ids.extend(id(&key?));
            }
        }
        Ok(TransactionId::in_order(ids))
    }

    /// The latest entry in Koha of each of these items, as far as there is one. Of a long log no more is kept in memory.
    ///
    /// # Errors
    /// As [`Store::range`].
    pub async fn latest_committed(&self, items: &HashSet<String>) -> Result<Vec<Entry>> {
        let committed = State::which(State::is_committed);
        let counts = self.counts().await?;
        let number: u32 = committed.iter().map(|state| counts.of(*state)).sum();
        let mut latest = LatestOfItems::with_capacity(0);
        let is_asked = |entry: &Entry| {
            let is_of_these = entry.transaction.action.item_key().is_some_and(|key| items.contains(&key));
            is_of_these && entry.status.state().is_committed()
        };
        let mut take = |entries: Vec<Entry>| entries.into_iter().filter(is_asked).for_each(|entry| latest.put(entry));
        if number == 0 {
            return Ok(Vec::new());
        }
        if usize::try_from(number).unwrap_or(usize::MAX) / 2 > items.len() {
            for keys in items.iter().collect::<Vec<_>>().chunks(CHUNK) {
                let reading = self.reading()?;
                let log = reading.object_store(LOG)?;
                let index = log.index(BY_ITEM)?;
                let asked = keys
                    .iter()
                    .map(|key| index.get_all::<JsValue>().with_query((*key).clone()).primitive())
                    .collect::<std::result::Result<Vec<_>, _>>()?;
                let mut values = Vec::new();
                for found in asked {
                    values.extend(found.await?);
                }
                take(self.entries(values.into_iter())?);
            }
        } else {
            self.read_states(&committed, take).await?;
        }
        Ok(latest.into_entries())
    }

    /// Every entry, in the order of the desk.
    ///
    /// # Errors
    /// As [`Store::range`].
    pub async fn all(&self) -> Result<Vec<Entry>> {
        self.range(TransactionId(0), TransactionId(u32::MAX)).await
    }

    /// How many entries stand in each state, without those that were met and cannot be read.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn counts(&self) -> Result<Counts> {
        Ok(self.count().await?.0)
    }

    /// The same, and the number of all rows with a state, for [`Store::ids`].
    ///
    /// # Errors
    /// As [`Store::counts`].
    pub async fn count(&self) -> Result<(Counts, u32)> {
        let reading = self.reading()?;
        let log = reading.object_store(LOG)?;
        let index = log.index(BY_STATE)?;
        let (mut counts, mut rows) = (Counts::default(), 0);
        // All asked at once: one way there and back instead of seven.
        let asked = State::ALL
            .iter()
            .map(|state| index.count().with_query(state.name().to_owned()).primitive())
            .collect::<std::result::Result<Vec<_>, _>>()?;
        for (state, number) in State::ALL.into_iter().zip(asked) {
            let number = number.await?;
            rows += number;
            counts.add(state, number.saturating_sub(self.unreadable_in(state)));
        }
        Ok((counts, rows))
    }

    /// Puts every interrupted request in doubt. Only to be called while no commit runs in any window.
    ///
    /// # Errors
    /// As [`Store::set_statuses`].
    pub async fn recover(&self) -> Result<Vec<Change>> {
        let interrupted = self.in_states_by_number(&[State::Sending]).await?;
        let statuses: Vec<_> = interrupted
            .iter()
            .map(|entry| (entry.id, entry.status.clone().after_restart(Some(clock::time()))))
            .collect();
        if statuses.is_empty() { Ok(Vec::new()) } else { self.set_statuses(&statuses).await }
    }
}

/// What the log gave as a number, or `None` where it has none behind its largest key.
fn numbered(added: std::result::Result<JsValue, Error>) -> Result<Option<JsValue>> {
    match added {
        Err(Error::DomException(DomException::ConstraintError(_))) => Ok(None),
        added => Ok(Some(added?)),
    }
}

/// The moment of the last entry of an item that this desk recorded. Other desks' clocks do not touch its own.
async fn last_moment(log: &ObjectStore<'_>, item_key: Option<String>) -> Result<Option<Moment>> {
    let Some(item_key) = item_key else { return Ok(None) };
    let index = log.index(BY_ITEM)?;
    // Entries of one key are in the order of their numbers, so the last comes first from behind.
    let cursor = index.open_cursor().with_query(item_key).with_direction(CursorDirection::Prev).primitive()?.await?;
    let Some(mut cursor) = cursor else { return Ok(None) };
    while let Some(value) = cursor.next_record::<JsValue>().await? {
        if let Some(moment) = own_moment(&value) {
            return Ok(Some(moment));
        }
    }
    Ok(None)
}

/// Asks Firefox never to evict the log. Returns whether it promises that.
pub async fn persist() -> bool {
    let Some(window) = web_sys::window() else { return false };
    let Ok(asked) = window.navigator().storage().persist() else { return false };
    wasm_bindgen_futures::JsFuture::from(asked.unchecked_into::<js_sys::Promise>())
        .await
        .is_ok_and(|granted| granted.is_truthy())
}
