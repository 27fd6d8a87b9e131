//! Long work in slices: whoever wants its result can do something else in between.
//!
//! The work is written as if it were done at once. It tells how much it has done, and rests where a slice is spent; it waits
//! for nothing else, so slices give what doing it at once gives.

use std::{
    cell::Cell,
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

/// The number of a kind that are done between two looks at the slice.
pub(crate) const CHUNK: usize = 512;

/// Work that is done in slices.
pub struct Sliced<'a, T> {
    work: Pin<Box<dyn Future<Output = T> + 'a>>,
    pace: Pace,
}

impl<T> fmt::Debug for Sliced<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sliced").finish_non_exhaustive()
    }
}

/// How much of the slice is left, for the work.
#[derive(Clone, Default)]
pub(crate) struct Pace(Rc<Cell<usize>>);

impl Pace {
    /// This number was done, each about the work that one transaction is. Rests where that was the last of the slice.
    pub(crate) async fn spend(&self, number: usize) {
        let left = self.0.get().saturating_sub(number);
        self.0.set(left);
        let mut is_rested = left > 0;
        poll_fn(|_| if std::mem::replace(&mut is_rested, true) { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

impl<'a, T> Sliced<'a, T> {
    pub(crate) fn new<F: Future<Output = T> + 'a>(work: impl FnOnce(Pace) -> F) -> Self {
        let pace = Pace::default();
        Self { work: Box::pin(work(pace.clone())), pace }
    }

    /// Does a slice: this number of transactions are looked at, or a few more. A review looks at each some eight times.
    ///
    /// # Errors
    /// Where it is not done yet: then this is the rest of the work.
    pub fn step(mut self, budget: usize) -> Result<T, Self> {
        self.pace.0.set(budget);
        match self.work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => Ok(done),
            Poll::Pending => Err(self),
        }
    }

    /// Does it as a part of other work.
    pub(crate) async fn within(mut self, pace: &Pace) -> T {
        loop {
            match self.step(CHUNK) {
                Ok(done) => return done,
                Err(rest) => self = rest,
            }
            pace.spend(CHUNK).await;
        }
    }

    /// Does all of it at once.
    pub fn at_once(mut self) -> T {
        loop {
            match self.step(usize::MAX) {
                Ok(done) => return done,
                Err(rest) => self = rest,
            }
        }
    }
}

/// What work gives that is done in slices of this size, and how many they were.
#[cfg(test)]
pub(crate) fn in_slices<T>(mut work: Sliced<'_, T>, budget: usize) -> (T, usize) {
    let mut slices = 1;
    loop {
        match work.step(budget) {
            Ok(done) => return (done, slices),
            Err(rest) => work = rest,
        }
        slices += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(to: usize) -> Sliced<'static, usize> {
        Sliced::new(|pace| async move {
            let mut done = 0;
            while done < to {
                done += 1;
                pace.spend(1).await;
            }
            done
        })
    }

    #[test]
    fn rests_where_a_slice_is_spent_and_goes_on_from_there() {
        assert_eq!(in_slices(counting(10), 3), (10, 4));
        assert_eq!(in_slices(counting(10), 100), (10, 1), "little work takes one slice");
        assert_eq!(in_slices(counting(10), 0), (10, 11), "it goes on even where a slice is nothing");
        assert_eq!(counting(10).at_once(), 10);
        let around = Sliced::new(|pace| async move { counting(3 * CHUNK).within(&pace).await + 1 });
        assert_eq!(in_slices(around, CHUNK), (3 * CHUNK + 1, 4), "work within work rests with it");
    }
}
