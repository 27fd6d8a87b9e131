//! What an answer, or that none came, says about the transaction that was sent.

use super::summary::CommitError;
use crate::{
    koha::{
        Failure, NotSent, Response,
        connection::ConnectionError,
        front::{self, Front},
        plugin::{self, Told},
        service::{self, Answer},
    },
    log::status::{Doubt, Status},
};
use std::time::Duration;

/// What became of a request about a transaction, or about several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict<T = Status> {
    /// Koha answered: this is its end.
    Settled(T),
    /// It may have been processed, and what follows from that.
    InDoubt(Doubt, Then),
    /// It was provably not processed, and the commit ends.
    NotProcessed(CommitError),
    /// No server was reached: it was provably not processed, and may be sent again after a pause.
    Unreachable(NotSent),
    /// It was provably not processed: Koha refused the token or the account. So it does too while it is being updated.
    AccessRefused(ConnectionError),
}

/// What follows for the commit where a transaction is in doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Then {
    /// It ends.
    Stop(CommitError),
    /// It goes on after this time.
    Wait(Duration),
    /// It goes on with other items and patrons, unless nothing but errors comes; this is the status.
    GoOn(u16),
}

impl Verdict {
    /// Reads an answer of Koha's own service.
    pub(super) fn of(answer: Result<&Response, &Failure>) -> Self {
        let response = match answer {
            Ok(response) => response,
            Err(failure) => return Self::unanswered(failure),
        };
        match service::read(response) {
            Answer::Added => Self::Settled(Status::Added),
            Answer::Success => Self::Settled(Status::Success),
            Answer::Rejected(message) => Self::Settled(Status::Rejected { message: message.to_owned() }),
            other => Self::untold(&other, response),
        }
    }
}

impl Verdict<Vec<Told>> {
    /// Reads an answer of the plugin's to this number of transactions.
    pub(super) fn from_batch(answer: Result<&Response, &Failure>, number: usize) -> Self {
        let response = match answer {
            Ok(response) => response,
            Err(failure) => return Self::unanswered(failure),
        };
        match plugin::read(response, number) {
            Some(told) => Self::Settled(told),
            None => Self::untold(&plugin::read_other(response), response),
        }
    }
}

impl<T> Verdict<T> {
    /// Nothing came back.
    fn unanswered(failure: &Failure) -> Self {
        let error = CommitError::ConnectionLost(failure.clone());
        match failure {
            Failure::NotSent(reason @ (NotSent::Offline | NotSent::UnknownHost | NotSent::Refused)) => {
                Self::Unreachable(*reason)
            }
            Failure::NotSent(_) => Self::NotProcessed(error),
            Failure::Lost => Self::InDoubt(Doubt::ConnectionLost, Then::Stop(error)),
            Failure::TimedOut => Self::InDoubt(Doubt::TimedOut, Then::Stop(error)),
            // Koha's scripts do neither. Who did may have done so instead of giving Koha's answer.
            Failure::Redirected { .. } | Failure::TooLong => Self::InDoubt(Doubt::StrangeAnswer, Then::Stop(error)),
        }
    }

    /// What came back tells nothing of the transaction itself.
    fn untold(answer: &Answer, response: &Response) -> Self {
        match *answer {
            Answer::AuthenticationFailed => Self::AccessRefused(ConnectionError::WrongCredentials),
            Answer::TokenRefused => Self::AccessRefused(ConnectionError::TokenRefused),
            Answer::Busy(after) => Self::InDoubt(Doubt::StrangeAnswer, Then::Wait(after)),
            Answer::ServerError(status) => Self::InDoubt(Doubt::ServerError, Then::GoOn(status)),
            // Firefox gives out an answer that was cut within its headers as an empty one.
            Answer::Empty => {
                Self::InDoubt(Doubt::StrangeAnswer, Then::Stop(CommitError::ConnectionLost(Failure::Lost)))
            }
            Answer::Strange | Answer::Added | Answer::Success | Answer::Rejected(_) => {
                let error = CommitError::NotKoha { front: Front::of(response), words: front::words(response) };
                Self::InDoubt(Doubt::StrangeAnswer, Then::Stop(error))
            }
        }
    }
}
