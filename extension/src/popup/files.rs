//! Files in and out.

pub(crate) mod backup;
pub(crate) mod copying;
pub(crate) mod export;
pub(crate) mod import;
