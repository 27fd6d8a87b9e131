//! What an audit compares what it reads with.

use crate::desk::{amount::Cents, transaction::TransactionId};
use std::collections::HashSet;

/// What is compared.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// From what sum on debts are told, in hundredths. Absent: never.
    pub debt_limit: Option<Cents>,
    /// The branch code of the library where the loans must be booked. Absent: it is not looked at.
    pub booked_at: Option<String>,
    /// Those that may be booked elsewhere.
    pub booked_anywhere: HashSet<TransactionId>,
    /// Whether to look at what was queued too: it may have been processed since.
    pub with_queued: bool,
}
