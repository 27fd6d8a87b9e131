//! How a scanner is told from a person, where it ends its codes with nothing.

use crate::desk::event_time::since;
use serde::{Deserialize, Serialize};
use std::time::Duration;

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

    /// Whether a code that ends so is taken where this is set.
    pub fn takes(self, ended: Self) -> bool {
        ended == Self::Enter || ended == self
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.name() == name)
    }
}

/// Keys of a scanner follow each other within this time; the fastest typists need about twice that.
const GAP: Duration = Duration::from_millis(45);
/// For how long nothing must come for a code to be over.
pub const SILENCE: Duration = Duration::from_millis(120);
/// Fewer characters are no code: two fingers can fall on the keys together.
const LEAST: u32 = 4;
/// One in this number of characters may be late: a radio link or a busy computer halts a scanner for a moment, never most of the time.
const LATE: u32 = 5;

/// Whether whoever asked to be called after [`SILENCE`] was called in time. If not, the page was busy, and keys that came long ago may
/// wait still to be told: it is asked once more.
pub fn is_in_time(asked: f64, called: f64) -> bool {
    /// Timers are late by a few milliseconds, always.
    const LATE: Duration = Duration::from_millis(30);
    since(asked, called).is_none_or(|waited| waited <= SILENCE + LATE)
}

/// The characters that have come into a field without silence between them. Times are milliseconds of any one clock.
///
/// Whoever has one waits for [`SILENCE`], and then asks whether it is a code.
///
/// ```
/// use koct_core::desk::scanner::Burst;
/// let mut burst = Burst::default();
/// for key in 0..14 {
///     burst.key(1_000.0 + 5.0 * f64::from(key));
/// }
/// assert!(burst.is_code());
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
        *self = if self.goes_on(now) {
            Self { keys: self.keys + 1, late: self.late + u32::from(!self.came_within(GAP, now)), last: now }
        } else {
            Self { keys: 1, late: 0, last: now }
        };
    }

    /// Whether a key that comes now belongs to it.
    pub fn goes_on(&self, now: f64) -> bool {
        self.keys > 0 && since(self.last, now).is_some_and(|silent| silent < SILENCE)
    }

    /// Whether a key that comes now comes within this time after the last one.
    fn came_within(&self, gap: Duration, now: f64) -> bool {
        since(self.last, now).is_some_and(|silent| silent <= gap)
    }

    /// Whether a code was over before the key that comes now, whether or not somebody has found the time to take it.
    pub fn is_over(&self, now: f64) -> bool {
        self.is_code() && !self.goes_on(now)
    }

    /// What stood in the field before it, and what has come.
    pub fn parts<'a>(&self, held: &'a str) -> (&'a str, &'a str) {
        if self.keys == 0 {
            return (held, "");
        }
        let from = usize::try_from(self.keys)
            .ok()
            .and_then(|keys| keys.checked_sub(1))
            .and_then(|last| held.char_indices().nth_back(last));
        held.split_at(from.map_or(0, |(place, _)| place))
    }

    /// Whether it is one key so far, which nobody's speed can be told by.
    pub fn is_single(&self) -> bool {
        self.keys == 1
    }

    /// Whether Enter or Tab, coming now, is a scanner's: right after what came, which was never late. Of a person's keys no
    /// two in a row are so close, but by accident; so this is for places where nothing is lost by that.
    pub fn is_ended_by_scanner(&self, now: f64) -> bool {
        self.goes_on(now) && self.late == 0 && self.came_within(GAP, now)
    }

    /// Whether Tab, coming now, belongs to a code that a scanner has typed.
    pub fn ends_with_it(&self, now: f64) -> bool {
        self.goes_on(now) && self.is_code()
    }

    /// Whether what came is a code, where nothing more comes. It does not look at a clock: a time with fractions plus a
    /// duration, minus that time again, can be less than the duration.
    pub fn is_code(&self) -> bool {
        self.keys >= LEAST && self.late * LATE <= self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The silence after a code, as events tell their times.
    const SILENCE_MS: f64 = 120.0;

    fn burst_from(start: f64, gaps: &[f64]) -> Burst {
        let (mut burst, mut now) = (Burst::default(), start);
        burst.key(now);
        for gap in gaps {
            now += gap;
            burst.key(now);
        }
        burst
    }

    fn is_code(gaps: &[f64]) -> bool {
        burst_from(5_000.0, gaps).is_code()
    }

    #[test]
    fn a_person_is_no_scanner() {
        assert!(!is_code(&[90.0; 13]));
        assert!(!is_code(&[150.0, 150.0, 30.0, 30.0]), "a fast roll of three keys at the end of what was typed");
        let some_together = [30.0, 80.0, 70.0, 30.0, 90.0, 60.0, 30.0, 80.0];
        assert!(!is_code(&some_together), "fast, but as people type");
    }

    #[test]
    fn a_scanner_is_one_however_it_stumbles() {
        assert!(is_code(&[2.0, 11.0, 0.0, 40.0]));
        for place in 0..13 {
            let mut gaps = [4.0; 13];
            gaps[place] = 100.0;
            assert!(is_code(&gaps), "it halts for a moment at {place}");
        }
        assert!(!is_code(&[5.0, 100.0, 5.0]), "four keys prove little");
        assert!(!Burst::default().is_code());
    }

    proptest! {
        /// A scanner whose keys are late now and then is one, a person who is fast now and then is none: it is the share of late keys
        /// that tells them apart.
        #[test]
        fn the_share_of_late_keys_decides(late in prop::collection::vec(any::<bool>(), 3..30)) {
            let gaps: Vec<f64> = late.iter().map(|is_late| if *is_late { 80.0 } else { 8.0 }).collect();
            let number = late.iter().filter(|is_late| **is_late).count();
            prop_assert_eq!(is_code(&gaps), number * 5 <= gaps.len() + 1);
        }

        /// After a silence something else begins: what came before it makes nothing a code, and keeps nothing from being one.
        #[test]
        fn silence_begins_anew(
            before in prop::collection::vec(0.0..200.0_f64, 0..20),
            silence in SILENCE_MS + 1.0..1e6_f64,
            after in prop::collection::vec(0.0..110.0_f64, 0..20),
        ) {
            let all: Vec<f64> = before.into_iter().chain([silence]).chain(after.iter().copied()).collect();
            prop_assert_eq!(is_code(&all), is_code(&after));
        }

        /// The clock was set back, or two clocks were mixed up: no code comes of keys of before.
        #[test]
        fn a_time_that_runs_backwards_begins_anew(back in 0.1..1e6_f64, after in prop::collection::vec(0.0..44.0_f64, 0..8)) {
            let all: Vec<f64> = [5.0; 9].into_iter().chain([-back]).chain(after.iter().copied()).collect();
            prop_assert_eq!(is_code(&all), is_code(&after));
        }

        /// Browsers tell times with fractions, since whenever the window was opened.
        #[test]
        fn a_scan_is_a_code_at_any_time(start in 0.0..1e9_f64, gaps in prop::collection::vec(0.0..44.0_f64, 3..30)) {
            prop_assert!(burst_from(start, &gaps).is_code());
        }
    }

    #[test]
    fn what_stood_in_the_field_before_a_code_is_told_apart() {
        let burst = burst_from(5_000.0, &[4.0; 4]);
        for (held, left, code) in [
            ("12345", "", "12345"),
            ("é912345", "é9", "12345"),
            ("1234", "", "1234"),
            ("", "", ""),
            ("éééé5", "", "éééé5"),
        ] {
            assert_eq!(burst.parts(held), (left, code));
        }
        assert_eq!(Burst::default().parts("39"), ("39", ""));
    }

    /// A desk whose scanner ends with nothing: each key comes at its time, but the page gets to it only later, and it asks after each
    /// key whether the code is over.
    struct Busy {
        held: String,
        burst: Burst,
        taken: Vec<String>,
        /// When it asked to be called.
        asked: Option<f64>,
    }

    impl Busy {
        fn take(&mut self) {
            let held = std::mem::take(&mut self.held);
            self.taken.push(self.burst.parts(&held).1.to_owned());
            self.burst = Burst::default();
            self.asked = None;
        }

        fn key(&mut self, sign: char, time: f64, handled: f64) {
            if self.burst.is_over(time) {
                self.take();
            }
            self.held.push(sign);
            self.burst.key(time);
            self.asked = Some(handled);
        }

        fn called(&mut self, now: f64) {
            match self.asked {
                Some(asked) if !is_in_time(asked, now) => self.asked = Some(now),
                Some(_) if self.burst.is_code() => self.take(),
                _ => {}
            }
        }
    }

    proptest! {
        /// However late the page gets to the keys, no code has a character of another one; and where it is busy for as long as a code
        /// takes, none is cut.
        #[test]
        fn codes_never_join_however_busy_the_page_is(
            codes in prop::collection::vec((4..20_usize, 125.0..2_000.0_f64, 0.0..900.0_f64), 1..6),
            gap in 1.0..40.0_f64,
        ) {
            let mut busy = Busy { held: String::new(), burst: Burst::default(), taken: Vec::new(), asked: None };
            let (mut time, mut free, mut whole) = (1_000.0, 0.0_f64, Vec::new());
            for ((length, silence, work), sign) in codes.into_iter().zip('a'..) {
                for place in 0..length {
                    // The page is free later than the key came: all keys that came meanwhile are told before it is called.
                    let handled = free.max(time);
                    if let Some(asked) = busy.asked.filter(|asked| asked + SILENCE_MS <= handled) {
                        busy.called((asked + SILENCE_MS).max(free));
                    }
                    busy.key(sign, time, handled);
                    // In the middle of a code the page is busy for some time.
                    free = if place == 2 { handled + work } else { handled };
                    time += gap;
                }
                time += silence;
                whole.push(sign.to_string().repeat(length));
            }
            busy.called(time + 5_000.0);
            busy.called(time + 5_000.0 + SILENCE_MS);
            prop_assert_eq!(busy.taken, whole);
        }
    }

    #[test]
    fn a_tab_right_after_a_code_is_the_scanners() {
        let scanned = burst_from(5_000.0, &[4.0; 13]);
        assert!(scanned.ends_with_it(5_056.0) && !scanned.ends_with_it(5_052.0 + SILENCE_MS));
        assert!(!burst_from(5_000.0, &[90.0; 13]).ends_with_it(6_174.0), "a person who goes on to the next field");
        assert!(!Burst::default().ends_with_it(0.0));
    }

    #[test]
    fn enter_ends_a_code_whatever_is_set_and_nothing_else_does() {
        for set in ScannerEnd::ALL {
            for ended in ScannerEnd::ALL {
                assert_eq!(set.takes(ended), ended == ScannerEnd::Enter || ended == set, "{set:?} {ended:?}");
            }
        }
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
