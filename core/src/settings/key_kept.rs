//! How the key of the records is kept, and so for how long they can be read.

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;

/// How the key of the records is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKept {
    /// In the browser's memory only: the records end with its session.
    #[default]
    Memory,
    /// Also on the disk, locked with a passphrase, which is asked for when the browser was started.
    Passphrase,
    /// Also on the disk, in the profile: nobody is asked for anything, and whoever can copy the profile can read the records.
    Computer,
}

impl KeyKept {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Memory, Self::Passphrase, Self::Computer];

    /// The value in the page and in a policy.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Passphrase => "passphrase",
            Self::Computer => "computer",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kept| kept.name() == name)
    }

    /// As it was told before there were three: whether a passphrase keeps them.
    pub(super) fn from_passphrase(passphrase: bool) -> Self {
        if passphrase { Self::Passphrase } else { Self::Memory }
    }
}

impl<'de> Deserialize<'de> for KeyKept {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Value::deserialize(deserializer)?;
        let kept = match stored.as_bool() {
            Some(passphrase) => Some(Self::from_passphrase(passphrase)),
            None => stored.as_str().and_then(Self::from_name),
        };
        kept.ok_or_else(|| D::Error::custom("no such way to keep a key"))
    }
}
