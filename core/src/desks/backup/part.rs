//! What makes files of a second copy belong together: a set of them holds one log.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Which files belong together. Drawn anew for each set, so that no desk, and no new profile of a desk, writes into another's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SetId(String);

impl SetId {
    /// From a random number.
    pub fn drawn(random: u64) -> Self {
        Self(format!("{:012x}", random & 0xffff_ffff_ffff))
    }
}

impl fmt::Display for SetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which file of a set it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The set.
    pub of: SetId,
    /// 0 where it holds the whole log; from 1 on what was recorded or changed since the one before.
    pub number: u32,
    /// Earlier sets of the same log that may still be there. What was cleared since stands in them: nothing of them counts any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<SetId>,
    /// Whether nothing follows: a file that holds nothing, and has the name that the next one would have had.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closes: bool,
}
