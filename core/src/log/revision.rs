//! What was changed in a transaction after it was recorded, as the log keeps it.

use crate::desk::transaction::{Moment, Transaction};
use serde::{Deserialize, Serialize};

/// What was done to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// A person corrected the patron, the item or the amount.
    Edited,
    /// A person took it back.
    Deleted,
    /// A person brought back what was deleted.
    Restored,
    /// The clock of its desk was wrong, and a person said by how much.
    Shifted,
    /// It came from another desk in the same second as another transaction of its item, so it was put a second later.
    Separated,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Revision {
    /// When it was changed.
    pub at: Moment,
    /// What was done.
    pub change: Change,
    /// What it was before.
    pub was: Transaction,
    /// What Koha had answered before, where it had refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}
