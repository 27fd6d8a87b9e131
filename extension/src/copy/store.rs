//! Where it is kept how the second copy stands: in a database of its own, so that it never stands in the way of the log.

use super::files;
use crate::{
    ground,
    store::StoreError,
    webext::{object, text_property},
};
use indexed_db_futures::{
    Build, BuildPrimitive,
    database::Database,
    query_source::QuerySource,
    transaction::{TransactionDurability, TransactionMode, TransactionOptions},
};
use koct_core::desks::copy::kept::Kept;
use web_extensions_sys::browser;

const DATABASE: &str = "koct-copy";
const STATE: &str = "state";
const KEY: &str = "kept";
/// The key in `storage.session` that says which run of Firefox this is.
const RUN: &str = "copyRun";

pub(crate) struct CopyStore(Database);

type Result<T> = std::result::Result<T, StoreError>;

impl CopyStore {
    /// # Errors
    /// When Firefox cannot open it.
    pub(crate) async fn open() -> Result<Self> {
        let database = Database::open(&ground::name(DATABASE))
            .with_version(1_u32)
            .with_on_upgrade_needed(|_, database| {
                database.create_object_store(STATE).build()?;
                Ok(())
            })
            .await?;
        Ok(Self(database))
    }

    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn kept(&self) -> Result<Kept> {
        let reading = self.0.transaction(STATE).with_mode(TransactionMode::Readonly).build()?;
        let kept: Option<String> = reading.object_store(STATE)?.get(KEY).primitive()?.await?;
        // What cannot be read is as if nothing had been copied: a new set is begun.
        Ok(kept.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
    }

    /// Returns when it is durable.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) async fn keep(&self, kept: &Kept) -> Result<()> {
        let json = serde_json::to_string(kept).map_err(|_| crate::storage::StorageError::Broken)?;
        let writing = self
            .0
            .transaction(STATE)
            .with_mode(TransactionMode::Readwrite)
            .with_options(TransactionOptions::new().with_durability(TransactionDurability::Strict))
            .build()?;
        writing.object_store(STATE)?.put(json).with_key(KEY).primitive()?.await?;
        Ok(writing.commit().await?)
    }
}

impl Drop for CopyStore {
    fn drop(&mut self) {
        self.0.clone().close();
    }
}

async fn known_run() -> Option<String> {
    let stored = browser().storage().session().get(&RUN.into()).await.ok()?;
    text_property(&stored, RUN)
}

/// Whether somebody has begun to copy in this run of Firefox.
pub(crate) async fn has_begun() -> bool {
    known_run().await.is_some()
}

/// Which run of Firefox this is.
pub(crate) async fn run() -> String {
    if let Some(run) = known_run().await {
        return run;
    }
    // What an earlier one has written is no longer this one's.
    files::forget_all().await;
    let run = format!("{:x}", super::random());
    // Where it cannot be kept, the next one takes this for another run, and writes all.
    let _ = ground::store(&browser().storage().session(), &object([(RUN, run.as_str().into())])).await;
    run
}
