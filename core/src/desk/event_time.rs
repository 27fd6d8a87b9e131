//! The times of a page's events, by a clock that nobody can set: milliseconds, with fractions, since the page was opened.

use std::time::Duration;

/// How much later one was than another, or `None` where it was not: then two pages were mixed up.
pub(crate) fn since(earlier: f64, later: f64) -> Option<Duration> {
    Duration::try_from_secs_f64((later - earlier) / 1000.0).ok()
}
