//! The store in IndexedDB: every block encrypted, in a database of its own, so that it never stands in the way of the log.

use super::cipher::Cipher;
use crate::{ground, slices::Slice, storage::StorageError, webext};
use indexed_db_futures::{
    Build, BuildPrimitive, KeyRange,
    database::Database,
    query_source::QuerySource,
    transaction::{Transaction, TransactionDurability, TransactionMode, TransactionOptions},
};
use js_sys::Uint8Array;
use koct_core::directory::{
    block_store::{BlockId, BlockStore, DamagedBlockError},
    write::Write,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{cell::Cell, rc::Rc, time::Duration};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, MessageChannel};

/// The database's name in a desk's profile.
const DATABASE: &str = "koct-directory";
const VERSION: u32 = 1;
const BLOCKS: &str = "blocks";
/// What is known about the blocks, in the clear: how many records there are, as of when, how far a download is.
const STATE: &str = "state";
/// Where the key lies in the store of states, where it is kept on this computer.
const KEY: &str = "key";

/// For how long others wait while records are worked on.
const RECORDS_WORK: Duration = Duration::from_millis(12);

/// Why the records could not be read or written.
#[derive(Debug)]
pub enum DiskError {
    /// Firefox could not do it.
    Storage(StorageError),
    /// Another window is downloading.
    Busy,
    /// A block is missing, or was encrypted with another key.
    DamagedBlockError(DamagedBlockError),
}

impl From<DamagedBlockError> for DiskError {
    fn from(damaged: DamagedBlockError) -> Self {
        Self::DamagedBlockError(damaged)
    }
}

macro_rules! from_browser {
    ($($error:ty),*) => { $(
        impl From<$error> for DiskError {
            fn from(error: $error) -> Self {
                Self::Storage(error.into())
            }
        }
    )* };
}
from_browser!(indexed_db_futures::error::Error, indexed_db_futures::error::OpenDbError, JsValue, StorageError);

type Result<T> = std::result::Result<T, DiskError>;

/// The name of the database.
pub(super) fn database() -> String {
    ground::name(DATABASE)
}

/// The database.
#[derive(Debug, Clone)]
pub(super) struct Base(Rc<Database>);

impl Base {
    /// Opens the database of this profile, and makes it if there is none.
    ///
    /// # Errors
    /// When Firefox cannot open it.
    pub(super) async fn open(name: &str) -> Result<Self> {
        let database = Database::open(name)
            .with_version(VERSION)
            .with_on_upgrade_needed(|_, database| {
                database.create_object_store(BLOCKS).build()?;
                database.create_object_store(STATE).build()?;
                Ok(())
            })
            .await?;
        Ok(Self(Rc::new(database)))
    }

    /// Whether a database of this name was ever made.
    ///
    /// # Errors
    /// When Firefox does not tell.
    pub(super) async fn exists(name: &str) -> Result<bool> {
        let databases: js_sys::Array = webext::get_databases().await?.unchecked_into();
        Ok(databases.iter().any(|database| webext::text_property(&database, "name").as_deref() == Some(name)))
    }

    fn writing(&self) -> Result<Transaction<'_>> {
        Ok(self
            .0
            .transaction([BLOCKS, STATE])
            .with_mode(TransactionMode::Readwrite)
            // Koha has it all: what a crash takes is downloaded again.
            .with_options(TransactionOptions::new().with_durability(TransactionDurability::Relaxed))
            .build()?)
    }

    /// What is known under this name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(super) async fn state<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let reading = self.0.transaction(STATE).with_mode(TransactionMode::Readonly).build()?;
        let found: Option<String> = reading.object_store(STATE)?.get(name).primitive()?.await?;
        // What an earlier version wrote in another way is as good as nothing.
        Ok(found.and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// Remembers something under this name.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub(super) async fn set_state(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let json = serde_json::to_string(value).map_err(|_| StorageError::Broken)?;
        let writing = self.writing()?;
        writing.object_store(STATE)?.put(json).with_key(name).primitive()?.await?;
        Ok(writing.commit().await?)
    }

    /// The key that is kept on this computer.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(super) async fn key(&self) -> Result<Option<CryptoKey>> {
        let reading = self.0.transaction(STATE).with_mode(TransactionMode::Readonly).build()?;
        let found: Option<JsValue> = reading.object_store(STATE)?.get(KEY).primitive()?.await?;
        Ok(found.and_then(|key| key.dyn_into().ok()))
    }

    /// Keeps this key on this computer, beside what is encrypted with it; or none any more.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub(super) async fn set_key(&self, key: Option<&CryptoKey>) -> Result<()> {
        let writing = self.writing()?;
        let store = writing.object_store(STATE)?;
        match key {
            Some(key) => {
                store.put(JsValue::from(key)).with_key(KEY).primitive()?.await?;
            }
            None => store.delete(KEY).primitive()?.await?,
        }
        Ok(writing.commit().await?)
    }

    /// Whether nothing is in it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(super) async fn is_empty(&self) -> Result<bool> {
        let reading = self.0.transaction([BLOCKS, STATE]).with_mode(TransactionMode::Readonly).build()?;
        let blocks = reading.object_store(BLOCKS)?.count().primitive()?;
        let states = reading.object_store(STATE)?.count().primitive()?;
        Ok(blocks.await? == 0 && states.await? == 0)
    }

    /// Writes these blocks and states, and deletes the blocks of all runs but these: all or nothing.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub(super) async fn apply(
        &self,
        encrypted: Vec<(u64, Uint8Array)>,
        states: Vec<(&'static str, String)>,
        only_runs: Option<Vec<u32>>,
    ) -> Result<()> {
        let writing = self.writing()?;
        let store = writing.object_store(BLOCKS)?;
        let mut putting = Vec::with_capacity(encrypted.len());
        for (name, bytes) in encrypted {
            putting.push(store.put(JsValue::from(bytes)).with_key(key(name)).primitive()?);
        }
        for put in putting {
            put.await?;
        }
        for (name, json) in states {
            writing.object_store(STATE)?.put(json).with_key(name).primitive()?.await?;
        }
        if let Some(mut runs) = only_runs {
            runs.sort_unstable();
            let mut from = 0;
            for run in runs.into_iter().chain([LAST_RUN]) {
                if run > from {
                    let range = KeyRange::Bound(first_of(from), false, first_of(run), true);
                    store.delete::<f64, _>(range).primitive()?.await?;
                }
                from = run + 1;
            }
        }
        Ok(writing.commit().await?)
    }

    /// Deletes everything.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub(super) async fn clear(&self) -> Result<()> {
        let writing = self.writing()?;
        writing.object_store(BLOCKS)?.clear()?.await?;
        writing.object_store(STATE)?.clear()?.await?;
        Ok(writing.commit().await?)
    }
}

/// Numbers beyond it would not fit into a number of JavaScript's with what is added to them.
const LAST_RUN: u32 = (1 << 21) - 1;

/// The key of a block: places in order, as a whole number that a number of JavaScript's can hold.
fn name(place: BlockId) -> u64 {
    u64::from(place.run.min(LAST_RUN)) << 32 | u64::from(place.part) << 24 | u64::from(place.block & 0x00ff_ffff)
}

#[expect(clippy::cast_precision_loss, reason = "below 2^53")]
fn key(name: u64) -> f64 {
    name as f64
}

fn first_of(run: u32) -> f64 {
    key(name(BlockId { run, part: 0, block: 0 }))
}

/// The store.
#[derive(Debug, Clone)]
pub struct Disk {
    base: Base,
    cipher: Cipher,
    slice: Rc<Cell<Slice>>,
}

impl Disk {
    pub(super) fn new(base: Base, cipher: Cipher) -> Self {
        Self { base, cipher, slice: Rc::new(Cell::new(Slice::begin(RECORDS_WORK))) }
    }

    /// A store in a database of this name, with this key of 32 bytes.
    ///
    /// # Errors
    /// When Firefox cannot open the database or does not take the key.
    pub async fn open(name: &str, key: &[u8]) -> Result<Self> {
        Ok(Self::new(Base::open(name).await?, Cipher::new(key).await?))
    }

    /// Writes this, all or nothing.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub(super) async fn apply(&self, write: Write) -> Result<()> {
        let mut encrypted = Vec::with_capacity(write.blocks.len());
        for (place, mut bytes) in write.blocks {
            let name = name(place);
            encrypted.push((name, self.cipher.encrypt(name, &mut bytes).await?));
        }
        self.base.apply(encrypted, write.states, write.only_runs).await
    }
}

impl BlockStore for Disk {
    type Error = DiskError;

    async fn read(&self, place: BlockId) -> Result<Option<Rc<[u8]>>> {
        let name = name(place);
        let found: Option<JsValue> = {
            let reading = self.base.0.transaction(BLOCKS).with_mode(TransactionMode::Readonly).build()?;
            reading.object_store(BLOCKS)?.get(key(name)).primitive()?.await?
        };
        let Some(bytes) = found else { return Ok(None) };
        let bytes = bytes.dyn_into::<Uint8Array>().map_err(|_| DamagedBlockError(place))?;
        let decrypted = self.cipher.decrypt(name, &bytes).await.ok_or(DamagedBlockError(place))?;
        Ok(Some(decrypted.into()))
    }

    async fn write(&self, blocks: Vec<(BlockId, Vec<u8>)>) -> Result<()> {
        if blocks.is_empty() { Ok(()) } else { self.apply(Write { blocks, ..Write::default() }).await }
    }

    async fn rest(&self) {
        if self.slice.get().is_over() {
            let_others().await;
            self.slice.set(Slice::begin(RECORDS_WORK));
        }
    }
}

/// Lets whatever waits be done: scans, clicks, drawing. A message comes after them, and at once, also in a window that is not
/// seen, where Firefox lets timers wait for a second.
async fn let_others() {
    let Ok(channel) = MessageChannel::new() else { return };
    let (here, there) = (channel.port1(), channel.port2());
    let came = js_sys::Promise::new(&mut |resolve, _| here.set_onmessage(Some(&resolve)));
    let _ = there.post_message(&JsValue::NULL);
    let _ = JsFuture::from(came).await;
    here.close();
}
