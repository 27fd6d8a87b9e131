//! Asks Koha about the transactions in doubt, one after the other.

use super::{
    koha_clock::{Age, KohaClock},
    protocol::{Asked, Ticket, Tickets},
};
use crate::{
    desk::transaction::TransactionId,
    koha::{
        Failure, Request, Response,
        inquiry::{Finding, Inquiry, InquiryStep},
        rest::RestCredentials,
    },
    log::{Entry, status::Attempt},
    settings::form::Settings,
};
use std::collections::VecDeque;

/// The questions of one commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Proving {
    /// Koha may be asked about these, in that order.
    to_ask: VecDeque<(Entry, Attempt)>,
    asking: Asked<Asking>,
}

/// The transaction that is asked about.
#[derive(Debug, Clone)]
struct Asking {
    entry: Entry,
    attempt: Attempt,
    /// How old the attempt was before the first question: each of the answers is later than that.
    age: Age,
    inquiry: Inquiry,
}

/// What follows an answer.
pub(super) enum Proved {
    /// Make this request.
    Request(Ticket, Request),
    /// That is what Koha holds of this one, whose attempt was this old when it was begun to be asked about.
    Finding(Box<(Entry, Attempt)>, Age, Finding),
}

impl Proving {
    /// Asks about this one too, when those before it are done.
    pub(super) fn add(&mut self, entry: Entry, attempt: Attempt) {
        self.to_ask.push_back((entry, attempt));
    }

    /// Does not ask about this one.
    pub(super) fn remove(&mut self, id: TransactionId) {
        self.to_ask.retain(|(entry, _)| entry.id != id);
    }

    pub(super) fn is_asking(&self) -> bool {
        self.asking.is_open()
    }

    /// Whether nothing is asked, or to be asked.
    pub(super) fn is_over(&self) -> bool {
        self.to_ask.is_empty() && !self.asking.is_open()
    }

    /// Asks about no more of them. The answer under way is still waited for.
    pub(super) fn end(&mut self) {
        self.to_ask.clear();
    }

    /// Waits for no answer any more.
    pub(super) fn give_up(&mut self) {
        self.end();
        self.asking.give_up();
    }

    /// The first question about the next one, unless one is being asked about.
    pub(super) fn next(
        &mut self,
        settings: &Settings,
        credentials: &RestCredentials,
        clock: KohaClock,
        tickets: &mut Tickets,
    ) -> Option<(Ticket, Request)> {
        while !self.asking.is_open() {
            let (entry, attempt) = self.to_ask.pop_front()?;
            let started = Inquiry::start(settings.clone(), credentials.clone(), entry.transaction.clone());
            if let Some((inquiry, request)) = started {
                let age = clock.age(&attempt);
                return Some(self.asking.ask(Asking { entry, attempt, age, inquiry }, request, tickets));
            }
        }
        None
    }

    /// Takes an answer. `None` where it is to no question of these.
    pub(super) fn handle(
        &mut self,
        ticket: Ticket,
        answer: Result<Response, Failure>,
        tickets: &mut Tickets,
    ) -> Option<Proved> {
        let mut asking = self.asking.answered(ticket)?;
        Some(match asking.inquiry.handle(answer) {
            InquiryStep::Request(request) => {
                let (ticket, request) = self.asking.ask(asking, request, tickets);
                Proved::Request(ticket, request)
            }
            InquiryStep::Finding(finding) => {
                Proved::Finding(Box::new((asking.entry, asking.attempt)), asking.age, finding)
            }
        })
    }
}
