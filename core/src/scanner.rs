//! How a scanner is told from a person, where it ends its codes with nothing.

use serde::{Deserialize, Serialize};

/// What the scanners of a desk type after a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScannerEnd {
    /// Enter, as they are delivered mostly. Enter ends a code in every setting.
    #[default]
    Enter,
    /// Tab: in a field that holds a code it ends it, in an empty one it goes on to the next.
    Tab,
    /// Nothing: a code is over when the keys stop that came faster than anybody types.
    Nothing,
}

impl ScannerEnd {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Enter, Self::Tab, Self::Nothing];

    /// The value in the page and in a policy.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enter => "enter",
            Self::Tab => "tab",
            Self::Nothing => "nothing",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.name() == name)
    }
}

/// Keys of a scanner follow each other within so many milliseconds; the fastest typists need about twice that.
const GAP: f64 = 45.0;
/// So long nothing must come, in milliseconds, for a code to be over.
pub const SILENCE: f64 = 120.0;
/// Fewer characters are no code: two fingers can fall on the keys together.
const LEAST: u32 = 4;
/// One in so many characters may be late: a radio link or a busy computer halts a scanner for a moment, never most of the time.
const LATE: u32 = 5;

/// The characters that have come into a field without silence between them. Times are milliseconds of any one clock.
///
/// ```
/// use koct_core::scanner::Burst;
/// let mut burst = Burst::default();
/// for key in 0..14 {
///     burst.key(1_000.0 + 5.0 * f64::from(key));
/// }
/// assert!(!burst.is_code(1_100.0), "more may come");
/// assert!(burst.is_code(1_200.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Burst {
    keys: u32,
    /// How many of them came later than a scanner types.
    late: u32,
    last: f64,
}

impl Burst {
    /// A character came.
    pub fn key(&mut self, now: f64) {
        let gap = now - self.last;
        *self = if self.keys > 0 && (0.0..SILENCE).contains(&gap) {
            Self { keys: self.keys + 1, late: self.late + u32::from(gap > GAP), last: now }
        } else {
            Self { keys: 1, late: 0, last: now }
        };
    }

    /// When the last character came.
    pub fn last(&self) -> f64 {
        self.last
    }

    /// Whether what came is a code, and over.
    pub fn is_code(&self, now: f64) -> bool {
        self.keys >= LEAST && self.late * LATE <= self.keys && now - self.last >= SILENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burst(gaps: &[f64]) -> (Burst, f64) {
        let (mut burst, mut now) = (Burst::default(), 5_000.0);
        burst.key(now);
        for gap in gaps {
            now += gap;
            burst.key(now);
        }
        (burst, now)
    }

    #[test]
    fn a_person_is_no_scanner() {
        let (typed, last) = burst(&[90.0; 13]);
        assert!(!typed.is_code(last + 1_000.0));
        // A fast roll of three keys at the end of what was typed.
        let (rolled, last) = burst(&[150.0, 150.0, 30.0, 30.0]);
        assert!(!rolled.is_code(last + 1_000.0));
        // Fast, but as people type: some keys together, most not.
        let (fast, last) = burst(&[30.0, 80.0, 70.0, 30.0, 90.0, 60.0, 30.0, 80.0]);
        assert!(!fast.is_code(last + 1_000.0));
    }

    #[test]
    fn a_scanner_may_halt_for_a_moment_also_near_the_end() {
        for place in 0..13 {
            let mut gaps = [4.0; 13];
            gaps[place] = 100.0;
            let (scanned, last) = burst(&gaps);
            assert!(scanned.is_code(last + SILENCE), "{place}");
        }
        let (short, last) = burst(&[5.0, 100.0, 5.0]);
        assert!(!short.is_code(last + SILENCE), "four keys prove little");
    }

    #[test]
    fn a_code_is_over_when_nothing_more_comes() {
        let (scanned, last) = burst(&[2.0, 11.0, 0.0, 40.0]);
        assert!(!scanned.is_code(last + SILENCE - 1.0));
        assert!(scanned.is_code(last + SILENCE));
        assert!(!Burst::default().is_code(last));
    }

    #[test]
    fn names_lead_back() {
        for end in ScannerEnd::ALL {
            assert_eq!(ScannerEnd::from_name(end.name()), Some(end));
            assert_eq!(serde_json::to_value(end).unwrap(), end.name());
        }
        assert_eq!(ScannerEnd::from_name("Enter"), None);
    }
}
