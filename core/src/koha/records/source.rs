//! What all that is read row by row has in common: the steps, what can go wrong, how often it is tried.

use super::point::Point;
use crate::{
    directory::record::Record,
    koha::{Failure, Request, Response, rest::RestCredentials},
    ordered,
    settings::form::Settings,
};
use std::time::Duration;

/// The number of times in a row that a page is asked for without an answer.
pub(super) const MOST_TRIES: u32 = 5;

/// What follows an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadStep<R> {
    /// These rows were read; `left` more are to come, as far as Koha tells.
    Rows {
        /// In rising order of their numbers.
        rows: Vec<R>,
        /// How many are to come.
        left: Option<u32>,
    },
    /// The list is read to its end; these rows are the last.
    Done(Vec<R>),
    /// The same is to be asked again, after this time.
    Again(Duration),
    /// The session or token is not good any more: a new one is needed before the same is asked again.
    CredentialsEnded,
    /// It cannot be read.
    Stopped(ReadError),
}

/// Why a list cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// The account lacks these permissions, in Koha's own words for them.
    Refused(String),
    /// Koha does not let in who asks.
    NotLetIn,
    /// This version of Koha has no such list.
    Absent,
    /// Koha is being updated.
    Maintenance,
    /// No answer, several times in a row. What was read is kept.
    NoAnswer(Failure),
    /// A web page of somebody else's in place of the rows, several times in a row: a captive portal, a proxy.
    NotKoha(u16),
    /// An answer of this status that cannot be understood.
    Strange(u16),
    /// The same rows come again and again, and there are others.
    SameRows,
}

/// What gives the rows of a set in rising order of their numbers, answer by answer.
pub trait Source {
    /// What it gives.
    type Row: Record;

    /// How far it is read.
    fn point(&self) -> &Point;

    /// The request for the next rows.
    fn request(&self, settings: &Settings, credentials: &RestCredentials) -> Request;

    /// Takes the answer to [`Source::request`].
    fn handle(&mut self, answer: Result<Response, Failure>) -> ReadStep<Self::Row>;

    /// The numbers of those that were asked for and are gone, in rising order.
    fn gone(&self) -> &[u32] {
        &[]
    }
}

/// What went wrong since the last answer that was good.
#[derive(Debug, Clone, Default)]
pub(super) struct Tries {
    /// The number of failures in a row.
    pub(super) failures: u32,
    /// Whether new credentials were asked for.
    refreshed: bool,
}

impl Tries {
    /// The same once more, but not for ever.
    pub(super) fn failed<R>(&mut self, stop: ReadError) -> ReadStep<R> {
        self.failures += 1;
        if self.failures >= MOST_TRIES {
            ReadStep::Stopped(stop)
        } else {
            ReadStep::Again(Duration::from_millis(500 << self.failures.min(5)))
        }
    }

    pub(super) fn no_answer<R>(&mut self, failure: Failure) -> ReadStep<R> {
        match failure {
            Failure::NotSent(_) | Failure::Redirected { .. } => ReadStep::Stopped(ReadError::NoAnswer(failure)),
            Failure::Lost | Failure::TimedOut | Failure::TooLong => self.failed(ReadError::NoAnswer(failure)),
        }
    }

    /// A session or token can end at any time: only a new one that is refused too is the last word.
    pub(super) fn not_let_in<R>(&mut self, stop: ReadError) -> ReadStep<R> {
        if std::mem::replace(&mut self.refreshed, true) { ReadStep::Stopped(stop) } else { ReadStep::CredentialsEnded }
    }
}

/// The rows that can be read and come after `last`, each once, in rising order.
pub(super) fn in_order<R: Record>(rows: Vec<Option<R>>, last: Option<u32>) -> Vec<R> {
    let mut rows: Vec<R> = rows.into_iter().flatten().filter(|row| Some(row.id()) > last).collect();
    ordered::sort(&mut rows, |row| (0, u64::from(row.id())));
    rows.dedup_by_key(|row| row.id());
    rows
}
