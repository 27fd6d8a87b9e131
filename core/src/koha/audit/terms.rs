//! What an audit compares what it reads with.

use crate::{
    desk::{amount::Cents, transaction::TransactionId},
    log::Entry,
};
use std::collections::{HashMap, HashSet};

/// What is compared.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// From what sum on debts are told, in hundredths. Absent: never.
    pub debt_limit: Option<Cents>,
    /// The branch code of the library where the loans must be booked. Absent: it is not looked at.
    pub booked_at: Option<String>,
    /// Those that may be booked elsewhere.
    pub booked_anywhere: HashSet<TransactionId>,
    /// The branch codes of those that must be booked at another library than the desk's.
    pub of_other_branch: HashMap<TransactionId, String>,
    /// Whether to look at what was queued too: it may have been processed since.
    pub with_queued: bool,
}

impl Terms {
    /// Takes in where this one must be booked. `own` is what the desk is set to.
    pub(super) fn note(&mut self, entry: &Entry, own: &str) {
        let branch = entry.branch_or(own);
        // What was queued stands in its own library's queue, whatever this desk is set to since. What is applied of the desk's own is
        // booked where the session is, to which a person may have agreed.
        if branch != own || self.with_queued && entry.branch.is_some() {
            self.of_other_branch.insert(entry.id, branch.to_owned());
        }
    }

    /// Where this one must be booked, where that is looked at.
    pub(super) fn booked_at(&self, id: TransactionId) -> Option<&str> {
        let at = self.booked_at.as_deref().filter(|_| !self.booked_anywhere.contains(&id))?;
        Some(self.of_other_branch.get(&id).map_or(at, String::as_str))
    }
}
