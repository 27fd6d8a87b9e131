//! That the log has changed, as everybody hears it who shows something of it.

use crate::{desk::transaction::TransactionId, log::Entry};
use std::collections::HashSet;

/// What happened to the log: in this window, or in another one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time, and it is told by reference")]
pub enum LogEvent {
    /// This window recorded it just now.
    Recorded(Entry),
    /// These have changed, or another window recorded them: as they are now.
    Changed(Vec<Entry>),
    /// A commit is over, and its record is written.
    Committed,
    /// Nobody says what has changed: whatever is shown is to be read anew. With what became of the entries that somebody
    /// keeps.
    Reload(Reread),
}

/// Entries that somebody keeps, read anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reread {
    entries: Vec<Entry>,
    gone: HashSet<TransactionId>,
}

impl Reread {
    /// What was asked for, and what was found of it.
    pub fn new(asked: &[TransactionId], entries: Vec<Entry>) -> Self {
        let found: HashSet<_> = entries.iter().map(|entry| entry.id).collect();
        Self { entries, gone: asked.iter().copied().filter(|id| !found.contains(id)).collect() }
    }
}

impl LogEvent {
    /// The entries that it tells of, as they are now.
    pub fn entries(&self) -> &[Entry] {
        match self {
            Self::Recorded(entry) => std::slice::from_ref(entry),
            Self::Changed(entries) | Self::Reload(Reread { entries, .. }) => entries,
            Self::Committed => &[],
        }
    }

    /// Whether this one is not in the log any more.
    pub fn is_gone(&self, id: TransactionId) -> bool {
        matches!(self, Self::Reload(reread) if reread.gone.contains(&id))
    }
}
