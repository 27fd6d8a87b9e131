//! What an answer, or that none came, says about the transaction that was sent.

use super::summary::CommitError;
use crate::{
    koha::{
        Failure, NotSent, Response,
        service::{self, Answer},
    },
    log::status::{Doubt, Status},
};

/// What became of a request about a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Koha answered: this is its end.
    Settled(Status),
    /// It may have been processed. Where there is an error, it ends the commit.
    InDoubt(Doubt, Option<CommitError>),
    /// It may have been processed; the server answered with this status of an error of its own.
    ServerError(u16),
    /// It was provably not processed, and the commit ends.
    NotProcessed(CommitError),
    /// No server was reached: it was provably not processed, and may be sent again after a pause.
    Unreachable(NotSent),
    /// It was provably not processed, since the session or the account was refused, or only the token.
    AccessRefused { only_token: bool },
}

impl Verdict {
    /// Reads an answer.
    pub(super) fn of(answer: Result<Response, Failure>) -> Self {
        let response = match answer {
            Ok(response) => response,
            Err(Failure::NotSent(reason @ (NotSent::Offline | NotSent::UnknownHost | NotSent::Refused))) => {
                return Self::Unreachable(reason);
            }
            Err(failure) => {
                let doubt = match failure {
                    Failure::NotSent(_) | Failure::Redirected { .. } => None,
                    Failure::Lost => Some(Doubt::ConnectionLost),
                    Failure::TimedOut => Some(Doubt::TimedOut),
                };
                let error = CommitError::ConnectionLost(failure);
                return match doubt {
                    Some(doubt) => Self::InDoubt(doubt, Some(error)),
                    None => Self::NotProcessed(error),
                };
            }
        };
        match service::read(&response) {
            Answer::Added => Self::Settled(Status::Added),
            Answer::Success => Self::Settled(Status::Success),
            Answer::Rejected(message) => Self::Settled(Status::Rejected { message }),
            Answer::AuthenticationFailed => Self::AccessRefused { only_token: false },
            Answer::TokenRefused => Self::AccessRefused { only_token: true },
            Answer::Refused(status) => Self::NotProcessed(CommitError::Refused(status)),
            Answer::ServerError(status) => Self::ServerError(status),
            // Firefox gives out an answer that was cut within its headers as an empty one.
            Answer::Empty => Self::InDoubt(Doubt::StrangeAnswer, Some(CommitError::ConnectionLost(Failure::Lost))),
            Answer::Strange => Self::InDoubt(Doubt::StrangeAnswer, Some(CommitError::StrangeAnswer)),
        }
    }
}
