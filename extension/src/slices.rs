//! Does long work of core a slice at a time, so that scans and clicks go in between.

use crate::{clock, timer::sleep};
use koct_core::{desk::clock::DeskTime, slices::Sliced};
use std::time::Duration;

/// How much is done between two looks at the clock: a few milliseconds.
const BUDGET: usize = 5_000;

/// For how long nothing else is done while long work is.
const LONG_WORK: Duration = Duration::from_millis(50);

/// A slice of work: others come when it is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice {
    began: DeskTime,
    length: Duration,
}

impl Slice {
    /// One of this length begins.
    pub(crate) fn begin(length: Duration) -> Self {
        Self { began: clock::time(), length }
    }

    /// Whether it is over. A clock that is set back meanwhile must not make it long.
    pub(crate) fn is_over(&self) -> bool {
        !clock::time().since(self.began).to_std().is_ok_and(|spent| spent < self.length)
    }
}

impl Default for Slice {
    fn default() -> Self {
        Self::begin(LONG_WORK)
    }
}

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
#[derive(Default)]
pub(crate) struct Rests(Slice);

impl Rests {
    /// Rests where a slice is spent.
    pub(crate) async fn rest(&mut self) {
        if self.0.is_over() {
            sleep(Duration::ZERO).await;
            *self = Self::default();
        }
    }
}

fn slice<T>(mut work: Sliced<'_, T>) -> Result<T, Sliced<'_, T>> {
    let slice = Slice::default();
    loop {
        work = match work.step(BUDGET) {
            Ok(done) => return Ok(done),
            Err(rest) if slice.is_over() => return Err(rest),
            Err(rest) => rest,
        };
    }
}
