//! Versions of KOCT, by which desks are told from newer ones.

use crate::desk::clock::DeskTime;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// How long it counts that a file named a version: it may come from anywhere, and who wrote it may have gone back since.
const COUNTS: Duration = Duration::from_hours(14 * 24);

/// Numbers with dots between them, at most four: `0.1.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version([u16; 4]);

/// The text is no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version is numbers with dots between them")]
pub struct VersionError;

impl Version {
    /// This one.
    pub fn own() -> Self {
        env!("CARGO_PKG_VERSION").parse().unwrap_or(Self([0; 4]))
    }

    /// The newest of these that is newer than this one.
    pub fn newer(seen: impl IntoIterator<Item = Self>) -> Option<Self> {
        seen.into_iter().max().filter(|newest| *newest > Self::own())
    }
}

/// The newest version that a file of another desk named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    version: String,
    at: DeskTime,
}

impl Seen {
    /// What is known once a file has named this version, where that was known before. `None` where it is no news: it is not newer than
    /// this one, or one that is newer still is known.
    pub fn with(before: Option<&Self>, version: Version, now: DeskTime) -> Option<Self> {
        let known = before.and_then(|before| before.version_at(now));
        let newest = Version::newer([version].into_iter().chain(known));
        (newest == Some(version)).then(|| Self { version: version.to_string(), at: now })
    }

    /// The version, as long as that counts.
    pub fn version_at(&self, now: DeskTime) -> Option<Version> {
        self.version.parse().ok().filter(|_| self.at.is_within(COUNTS, now))
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let mut parts = [0; 4];
        let mut places = parts.iter_mut();
        for part in text.trim().split('.') {
            let is_number = part.bytes().all(|digit| digit.is_ascii_digit());
            let number = part.parse().ok().filter(|_| is_number).ok_or(VersionError)?;
            *places.next().ok_or(VersionError)? = number;
        }
        Ok(Self(parts))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch, more] = self.0;
        write!(f, "{major}.{minor}.{patch}")?;
        if more > 0 { write!(f, ".{more}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn what_a_file_named_is_forgotten_after_a_while() {
        let now = DeskTime::from_millis(1_795_428_000_000);
        assert_eq!(Seen::with(None, Version::own(), now), None);
        let seen = Seen::with(None, version("9999.0.0"), now).unwrap();
        assert_eq!(serde_json::to_string(&seen).unwrap(), r#"{"version":"9999.0.0","at":1795428000000}"#);
        let later = now.plus(COUNTS);
        assert_eq!(seen.version_at(later), Some(version("9999.0.0")));
        assert_eq!(Seen::with(Some(&seen), version("9998.0.0"), later), None, "one is known that is newer still");
        let after = later.plus(Duration::from_secs(1));
        assert_eq!(seen.version_at(after), None);
        let other = Seen::with(Some(&seen), version("9998.0.0"), after).unwrap();
        assert_eq!(other.version_at(after), Some(version("9998.0.0")));
        assert_eq!(seen.version_at(now.minus(COUNTS * 2)), None, "a clock that was years ahead keeps it no longer");
        let nonsense: Seen = serde_json::from_str(r#"{"version":"x","at":1795428000000}"#).unwrap();
        assert_eq!(nonsense.version_at(now), None);
    }

    #[test]
    fn later_ones_are_greater_and_each_is_shown_as_it_is_written() {
        let all = ["0.1.0", "0.1.9", "0.1.10", "0.1.10.1", "0.2.0", "1.0.0", "10.0.0"];
        assert!(all.map(version).is_sorted());
        assert_eq!(all.map(|text| version(text).to_string()), all);
        assert_eq!((version(" 1.2 "), version("1.2").to_string()), (version("1.2.0"), "1.2.0".to_owned()));
        for wrong in ["", "1.", ".1", "1.2.3.4.5", "1.0-beta", "+1", "70000", "one"] {
            assert_eq!(wrong.parse::<Version>(), Err(VersionError), "{wrong}");
        }
    }

    #[test]
    fn only_what_is_newer_than_this_one_is_newer() {
        assert_eq!(Version::own().to_string(), env!("CARGO_PKG_VERSION"));
        assert_eq!(Version::newer([Version::own(), version("0.0.1")]), None);
        assert_eq!(Version::newer([version("9999.1"), version("9999.0.7")]), Some(version("9999.1")));
        assert_eq!(Version::newer([]), None);
    }
}
