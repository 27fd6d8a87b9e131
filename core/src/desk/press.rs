//! What is done leaves its place to the next row: the second press of a double click, or a key that is held, is not meant for that.
//! Nor is a press meant for what has just come under it from elsewhere.

use crate::desk::event_time::since;
use std::time::Duration;

/// Two presses that are nearer to each other than this, in time and in CSS pixels, are one.
const APART: Duration = Duration::from_millis(400);
const NEAR: u32 = 6;
/// For this long nobody has seen what is shown in place of something else.
const UNSEEN: Duration = Duration::from_secs(1);

/// When and where something was pressed, by the page's clock. Keys have no place.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Press {
    /// When, as the event tells it.
    pub at: f64,
    /// Where, in CSS pixels.
    pub place: (i32, i32),
}

impl Press {
    /// Whether it comes right after another one, at the same place.
    pub fn is_second_of(self, before: Self) -> bool {
        let [(x, y), (left, top)] = [self.place, before.place];
        let is_soon = since(before.at, self.at).is_none_or(|passed| passed < APART);
        is_soon && x.abs_diff(left) < NEAR && y.abs_diff(top) < NEAR
    }
}

/// Whether what came in place of something else at the first time can be what is meant at the second, by the page's clock.
pub fn is_seen(shown_at: f64, at: f64) -> bool {
    since(shown_at, at).is_none_or(|shown| shown >= UNSEEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_one_is_near_in_time_and_place() {
        let first = Press { at: 1_000.0, place: (300, 200) };
        let then = |at, x, y| Press { at, place: (x, y) }.is_second_of(first);
        assert!(then(1_000.0, 300, 200) && then(1_399.0, 305, 195));
        assert!(!then(1_400.0, 300, 200) && !then(1_100.0, 306, 200) && !then(1_100.0, 300, 194));
        assert!(!is_seen(5_000.0, 5_999.0) && is_seen(5_000.0, 6_000.0));
        assert!(!Press { at: 100.0, place: (i32::MIN, 0) }.is_second_of(Press { at: 0.0, place: (i32::MAX, 0) }));
    }
}
