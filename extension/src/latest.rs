//! Answers that come late: only the one to what was asked last counts.

use std::cell::Cell;

/// Counts what was asked.
#[derive(Debug, Default)]
pub(crate) struct Latest(Cell<u32>);

/// Something that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked(u32);

impl Latest {
    /// Something is asked. Whatever was asked before is late from now on.
    pub(crate) fn ask(&self) -> Asked {
        self.0.set(self.0.get().wrapping_add(1));
        self.last()
    }

    /// Whatever is under way is late from now on.
    pub(crate) fn give_up(&self) {
        self.ask();
    }

    /// What was asked last.
    pub(crate) fn last(&self) -> Asked {
        Asked(self.0.get())
    }

    /// Whether nothing was asked since.
    pub(crate) fn is(&self, asked: Asked) -> bool {
        self.last() == asked
    }
}
