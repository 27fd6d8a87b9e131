//! What readers of stored data have in common.

use thiserror::Error;

/// What is stored of something lacks this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("`{0}` is missing")]
pub(crate) struct Missing(pub(crate) &'static str);
