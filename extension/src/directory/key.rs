//! The key of the records: random, and in Firefox's memory (`storage.session`), so that it is gone when Firefox is closed.
//! Where the library wants a passphrase, it also lies beside the records, encrypted with a key made of that; and where
//! it wants the key kept on this computer, it lies beside them as it is, as a key whose bytes no page can get.

use super::{
    cipher::{self, Cipher},
    disk::{Base, DiskError},
};
use crate::{
    ground,
    storage::StorageError,
    webext::{object, property},
};
use koct_core::{directory::access::KeyState, settings::key_kept::KeyKept};
use serde::{Deserialize, Serialize};
use web_extensions_sys::browser;

const KEY: &str = "directoryKey";
const PASSPHRASE: &str = "passphrase";
/// The name under which the key is encrypted with the passphrase's: no block has it.
const NAME: u64 = u64::MAX;
const SALT: usize = 16;

/// The key, locked with a passphrase.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Locked {
    salt: Vec<u8>,
    key: Vec<u8>,
}

/// What was found of the key.
pub(super) enum Found {
    /// It is at hand.
    Open(Cipher),
    /// A passphrase gives it.
    Locked,
    /// It lies on this computer, and shall not.
    Unwanted,
    /// There is none; what was encrypted with one cannot be read any more.
    None,
}

impl Found {
    pub(super) fn state(&self) -> KeyState {
        match self {
            Self::Open(_) => KeyState::AtHand,
            Self::Locked => KeyState::Locked,
            Self::Unwanted => KeyState::Unwanted,
            Self::None => KeyState::Gone,
        }
    }
}

async fn in_memory() -> Result<Option<Vec<u8>>, DiskError> {
    let found = property(&browser().storage().session().get(&KEY.into()).await?, KEY).as_string();
    Ok(found.and_then(|json| serde_json::from_str(&json).ok()))
}

async fn remember(key: &[u8]) -> Result<Cipher, DiskError> {
    let json = serde_json::to_string(key).map_err(|_| StorageError::Broken)?;
    ground::store(&browser().storage().session(), &object([(KEY, json.into())])).await?;
    Ok(Cipher::new(key).await?)
}

/// Looks for the key, which is to be kept so.
///
/// # Errors
/// When Firefox cannot read its storage.
pub(super) async fn find(base: &Base, kept: KeyKept) -> Result<Found, DiskError> {
    if let Some(key) = in_memory().await? {
        return Ok(Found::Open(Cipher::new(&key).await?));
    }
    if let Some(key) = base.key().await? {
        return Ok(if kept == KeyKept::Computer { Found::Open(Cipher::of(key)) } else { Found::Unwanted });
    }
    let locked: Option<Locked> = base.state(PASSPHRASE).await?;
    Ok(if locked.is_some() { Found::Locked } else { Found::None })
}

/// Lets the key lie on the disk as it is to be kept from now on, and in no other way. As long as it is not in memory, that
/// cannot be done.
///
/// # Errors
/// When Firefox cannot read or write its storage.
pub(super) async fn keep(base: &Base, kept: KeyKept) -> Result<(), DiskError> {
    let (lies_here, is_locked) = (base.key().await?.is_some(), has_passphrase(base).await?);
    let (shall_lie_here, may_be_locked) = (kept == KeyKept::Computer, kept == KeyKept::Passphrase);
    if lies_here == shall_lie_here && (may_be_locked || !is_locked) {
        return Ok(());
    }
    let Some(key) = in_memory().await? else { return Ok(()) };
    if lies_here != shall_lie_here {
        let cipher = Cipher::new(&key).await?;
        base.set_key(shall_lie_here.then(|| cipher.key())).await?;
    }
    if is_locked && !may_be_locked {
        base.set_state(PASSPHRASE, &None::<Locked>).await?;
    }
    Ok(())
}

/// The key, ready for writing: where there is none, all that was written with an earlier one is deleted, and a new one is
/// made. `None` where a passphrase is needed.
///
/// # Errors
/// When Firefox cannot make it or keep it.
pub(super) async fn ready(base: &Base, kept: KeyKept) -> Result<Option<Cipher>, DiskError> {
    let cipher = made(base, kept).await?;
    keep(base, kept).await?;
    Ok(cipher)
}

async fn made(base: &Base, kept: KeyKept) -> Result<Option<Cipher>, DiskError> {
    match find(base, kept).await? {
        Found::Open(cipher) => Ok(Some(cipher)),
        Found::Locked => Ok(None),
        Found::Unwanted | Found::None => {
            base.clear().await?;
            Ok(Some(remember(&cipher::random(cipher::KEY)?).await?))
        }
    }
}

/// Whether a passphrase gives the key.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn has_passphrase(base: &Base) -> Result<bool, DiskError> {
    Ok(base.state::<Locked>(PASSPHRASE).await?.is_some())
}

/// From now on this passphrase gives the key, or none does.
///
/// # Errors
/// When the key cannot be locked or the database not be written.
pub(super) async fn set_passphrase(base: &Base, passphrase: Option<&str>) -> Result<(), DiskError> {
    let Some(passphrase) = passphrase else { return base.set_state(PASSPHRASE, &None::<Locked>).await };
    made(base, KeyKept::Passphrase).await?;
    let Some(mut key) = in_memory().await? else { return Ok(()) };
    let salt = cipher::random(SALT)?;
    let locked = Cipher::from_passphrase(passphrase, &salt).await?.encrypt(NAME, &mut key).await?.to_vec();
    base.set_state(PASSPHRASE, &Locked { salt, key: locked }).await
}

/// Opens with a passphrase. `None` where it is another.
///
/// # Errors
/// When the database cannot be read, or Firefox not keep the key.
pub(super) async fn unlock(base: &Base, passphrase: &str) -> Result<Option<Cipher>, DiskError> {
    let Some(locked) = base.state::<Locked>(PASSPHRASE).await? else { return Ok(None) };
    let cipher = Cipher::from_passphrase(passphrase, &locked.salt).await?;
    match cipher.decrypt(NAME, &js_sys::Uint8Array::from(&locked.key[..])).await {
        Some(key) => Ok(Some(remember(&key).await?)),
        None => Ok(None),
    }
}

/// Forgets the key: what was encrypted with it can be read with the passphrase only, or never again.
///
/// # Errors
/// When Firefox cannot write its storage.
pub(super) async fn forget() -> Result<(), DiskError> {
    ground::remove(&browser().storage().session(), KEY).await?;
    Ok(())
}
