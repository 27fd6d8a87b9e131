//! What goes wrong where Firefox keeps things, told apart by what a person can do about it. What Firefox itself says of it is for
//! its console: no person can do anything with it.

use crate::webext;
use indexed_db_futures::error::{Error, OpenDbError};
use wasm_bindgen::JsValue;

/// Why something could not be read, kept or shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageError {
    /// A newer version of KOCT has used it, and was taken back.
    NewerVersion,
    /// It was closed under this window: a newer version came, or the data of the profile was cleared.
    Closed,
    /// There is no more room.
    Full,
    /// Anything else.
    Broken,
}

impl From<&JsValue> for StorageError {
    fn from(error: &JsValue) -> Self {
        web_sys::console::error_1(error);
        match webext::text_property(error, "name").as_deref() {
            Some("VersionError") => Self::NewerVersion,
            Some("InvalidStateError") => Self::Closed,
            Some("QuotaExceededError") => Self::Full,
            _ => Self::Broken,
        }
    }
}

impl From<JsValue> for StorageError {
    fn from(error: JsValue) -> Self {
        Self::from(&error)
    }
}

impl From<Error> for StorageError {
    fn from(error: Error) -> Self {
        match error {
            Error::DomException(error) => Self::from(error.as_ref()),
            Error::Unknown(error) => Self::from(error.as_ref()),
            Error::Serialisation(_) | Error::MissingData(_) => Self::Broken,
        }
    }
}

impl From<OpenDbError> for StorageError {
    fn from(error: OpenDbError) -> Self {
        match error {
            // What was never open was not closed.
            OpenDbError::Base(error) => {
                Some(Self::from(error)).filter(|it| *it != Self::Closed).unwrap_or(Self::Broken)
            }
            _ => Self::Broken,
        }
    }
}
