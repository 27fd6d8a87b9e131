//! One set being read, whatever its rows are: from the answers into blocks that are to be written.

use crate::{
    directory::{RowWriter, Unfinished, block_store::BlockId},
    koha::{
        Failure, Request, Response,
        records::{Point, ReadError, ReadStep, RestCredentials, Source},
    },
    settings::form::Settings,
};
use std::time::Duration;

/// What follows an answer.
#[derive(Debug)]
pub(super) enum SetStep {
    /// Rows were read; the number of those to come, as far as Koha tells.
    Rows(Option<u32>),
    /// All of them are read.
    Done,
    /// The same is to be asked again, after this time.
    Again(Duration),
    /// New credentials are needed before the same is asked again.
    CredentialsEnded,
    /// It cannot be read.
    Failed(ReadError),
}

/// A set that is being read.
pub(super) trait ReadSet {
    /// How far it is read.
    fn point(&self) -> &Point;
    /// The number of rows that were read.
    fn rows(&self) -> u32;
    /// The number of bytes of rows that are not written yet.
    fn unwritten(&self) -> usize;
    /// The request for the next rows.
    fn request(&self, settings: &Settings, credentials: &RestCredentials) -> Request;
    /// Takes the answer to the request.
    fn handle(&mut self, answer: Result<Response, Failure>) -> SetStep;
    /// Koha must be asked in another way, from the start: forgets the rows and goes on in a run of this number.
    fn restart(&mut self, run: u32);
    /// The numbers of those that are gone, in rising order.
    fn gone(&self) -> &[u32];
    /// The blocks that are to be written, and how far the run is written with them.
    fn take(&mut self) -> (Vec<(BlockId, Vec<u8>)>, Unfinished);
}

pub(super) struct SetRows<S: Source> {
    source: S,
    writer: RowWriter<S::Row>,
    rows: u32,
}

impl<S: Source> SetRows<S> {
    /// Goes on where writing had stopped.
    pub(super) fn new(source: S, written: Unfinished) -> Self {
        Self { source, writer: RowWriter::resume(written), rows: written.rows }
    }

    fn push(&mut self, rows: &[S::Row]) {
        for row in rows {
            // They rise, the reading sees to it; only what is read again after a break may be there already.
            self.rows += u32::from(self.writer.push(row).is_ok());
        }
    }
}

impl<S: Source> ReadSet for SetRows<S> {
    fn point(&self) -> &Point {
        self.source.point()
    }

    fn rows(&self) -> u32 {
        self.rows
    }

    fn unwritten(&self) -> usize {
        self.writer.written()
    }

    fn request(&self, settings: &Settings, credentials: &RestCredentials) -> Request {
        self.source.request(settings, credentials)
    }

    fn handle(&mut self, answer: Result<Response, Failure>) -> SetStep {
        match self.source.handle(answer) {
            ReadStep::Rows { rows, left } => {
                self.push(&rows);
                SetStep::Rows(left)
            }
            ReadStep::Done(rows) => {
                self.push(&rows);
                SetStep::Done
            }
            ReadStep::Again(time) => SetStep::Again(time),
            ReadStep::CredentialsEnded => SetStep::CredentialsEnded,
            ReadStep::Stopped(error) => SetStep::Failed(error),
        }
    }

    fn restart(&mut self, run: u32) {
        (self.writer, self.rows) = (RowWriter::resume(Unfinished::new(run)), 0);
    }

    fn gone(&self) -> &[u32] {
        self.source.gone()
    }

    fn take(&mut self) -> (Vec<(BlockId, Vec<u8>)>, Unfinished) {
        self.writer.take(true)
    }
}
