//! Does long work of core a slice at a time, so that scans and clicks go in between.

use crate::{clock, timer::sleep};
use koct_core::slices::Sliced;
use std::time::Duration;

/// How much is done between two looks at the clock: a few milliseconds.
const BUDGET: usize = 5_000;
/// For how long nothing else is done, in milliseconds.
pub(crate) const SLICE: i64 = 50;

/// Does all of it. What takes less than a slice is done at once.
pub(crate) async fn through<T>(work: Sliced<'_, T>) -> T {
    let mut work = work;
    loop {
        match slice(work) {
            Ok(done) => return done,
            Err(rest) => work = rest,
        }
        sleep(Duration::ZERO).await;
    }
}

/// As [`through`], for as long as it is wanted. `None` where it is not any more.
pub(crate) async fn while_wanted<T>(work: Sliced<'_, T>, is_wanted: impl Fn() -> bool) -> Option<T> {
    let mut work = work;
    loop {
        match slice(work) {
            Ok(done) => return Some(done),
            Err(rest) => work = rest,
        }
        sleep(Duration::ZERO).await;
        if !is_wanted() {
            return None;
        }
    }
}

/// The rests of work that is no rule's, such as putting a million lines into words.
pub(crate) struct Rests(i64);

impl Default for Rests {
    fn default() -> Self {
        Self(clock::millis())
    }
}

impl Rests {
    /// Rests where a slice is spent.
    pub(crate) async fn rest(&mut self) {
        // A clock that is set back meanwhile must not make it long.
        if !(0..SLICE).contains(&(clock::millis() - self.0)) {
            sleep(Duration::ZERO).await;
            *self = Self::default();
        }
    }
}

fn slice<T>(mut work: Sliced<'_, T>) -> Result<T, Sliced<'_, T>> {
    let began = clock::millis();
    loop {
        work = match work.step(BUDGET) {
            Ok(done) => return Ok(done),
            // A clock that is set back meanwhile must not make it long.
            Err(rest) if !(0..SLICE).contains(&(clock::millis() - began)) => return Err(rest),
            Err(rest) => rest,
        };
    }
}
