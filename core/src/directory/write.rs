//! What is written to the database of the records at once: all of it or nothing.

use super::block_store::BlockId;
use serde::Serialize;

/// The name under which the [`Contents`](super::Contents) are kept.
pub const CONTENTS: &str = "contents";
/// The name under which it is kept how far a download is.
pub const DOWNLOAD: &str = "download";

/// One transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Write {
    /// Blocks to be put in their places.
    pub blocks: Vec<(BlockId, Vec<u8>)>,
    /// What is known from now on under these names, as JSON.
    pub states: Vec<(&'static str, String)>,
    /// The only runs whose blocks stay; `None` where no block is deleted.
    pub only_runs: Option<Vec<u32>>,
}

impl Write {
    /// With this under this name.
    #[must_use]
    pub fn state(mut self, name: &'static str, value: &impl Serialize) -> Self {
        // What cannot be told is as good as nothing, and so it is read.
        self.states.push((name, serde_json::to_string(value).unwrap_or_default()));
        self
    }

    /// Deletes all blocks but those of these runs.
    #[must_use]
    pub fn only(self, runs: impl IntoIterator<Item = u32>) -> Self {
        Self { only_runs: Some(runs.into_iter().collect()), ..self }
    }
}
