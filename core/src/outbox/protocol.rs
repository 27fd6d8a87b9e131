//! What a commit wants done, and what it is told.

use super::summary::Summary;
use crate::{
    desk::transaction::TransactionId,
    koha::{Failure, Request, Response, page::LoggedIn},
    log::status::Status,
};
use std::time::Duration;

/// Names a request, so that its answer is not taken for another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(pub(super) u32);

/// Gives out tickets, each once.
#[derive(Debug, Clone, Default)]
pub(super) struct Tickets(u32);

impl Tickets {
    pub(super) fn next(&mut self) -> Ticket {
        self.0 += 1;
        Ticket(self.0)
    }
}

/// The one question of its kind that may be under way, with what must be known of it when its answer comes.
#[derive(Debug, Clone)]
pub(super) struct Asked<T>(Option<(Ticket, T)>);

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Asked<T> {
    /// Whether it is under way.
    pub(super) fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Whether this is its ticket.
    pub(super) fn has(&self, ticket: Ticket) -> bool {
        self.0.as_ref().is_some_and(|(expected, _)| *expected == ticket)
    }

    /// Asks it, in place of one before. Gives what is to be given out.
    pub(super) fn ask(&mut self, about: T, request: Request, tickets: &mut Tickets) -> (Ticket, Request) {
        let ticket = tickets.next();
        self.0 = Some((ticket, about));
        (ticket, request)
    }

    /// What it is about, where this is its ticket: it is answered.
    pub(super) fn answered(&mut self, ticket: Ticket) -> Option<T> {
        self.0.take_if(|(expected, _)| *expected == ticket).map(|(_, about)| about)
    }

    /// Waits for its answer no more. Gives what it was about.
    pub(super) fn give_up(&mut self) -> Option<T> {
        self.0.take().map(|(_, about)| about)
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Store these statuses durably and all at once, then report [`Input::Persisted`], [`Input::NotPersisted`] or [`Input::Changed`].
    Persist(Vec<(TransactionId, Status)>),
    /// Make this request and report [`Input::Answer`].
    Request(Ticket, Request),
    /// Report [`Input::Waited`] after this time.
    Wait(Ticket, Duration),
    /// Nobody is logged in to Koha in this browser: show it to the person, and report [`Input::Waited`] after this time.
    LogIn(Ticket, Duration),
    /// To be shown: in whose session it goes on, and where. Nothing is reported.
    Person(LoggedIn),
    /// What is applied would be booked at this library, where the person is logged in, and not at the desk's. Ask them, and
    /// report [`Input::Agreed`] or [`Input::Cancel`].
    Elsewhere(Ticket, String),
    /// The commit is over.
    Finished(Summary),
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The statuses of the last [`Output::Persist`] are durable.
    Persisted,
    /// They are not, and nothing of them was stored.
    NotPersisted,
    /// They are not, and nothing of them was stored, since one of the entries may not be sent any more as it was read: somebody
    /// has corrected, deleted or settled it.
    Changed,
    /// What became of a request.
    Answer(Ticket, Result<Response, Failure>),
    /// The time of an [`Output::Wait`] is over.
    Waited(Ticket),
    /// The person agrees to an [`Output::Elsewhere`].
    Agreed(Ticket),
    /// The person wants it to stop. A request that has left is still waited for.
    Cancel,
}
