//! Finds out, before payments are applied, whose cards Koha does not know. It dies of them with a server error, which leaves
//! each payment in doubt and looks like a server in trouble.

use super::protocol::{Asked, Ticket, Tickets};
use crate::{
    desk::barcode::Cardnumber,
    koha::{
        Failure, Request, Response,
        rest::{self, RestCredentials},
    },
    settings::form::Settings,
};
use std::collections::VecDeque;

/// The questions of one commit, a card each.
#[derive(Debug, Clone, Default)]
pub(super) struct Payers {
    to_ask: VecDeque<Cardnumber>,
    asking: Asked<Asking>,
}

#[derive(Debug, Clone)]
struct Asking {
    card: Cardnumber,
    /// Koha has no such card; it may be a user name, which newer versions take for one.
    is_no_card: bool,
}

/// What follows an answer.
pub(super) enum Checked {
    /// Make this request.
    Request(Ticket, Request),
    /// Koha knows nobody by this.
    Unknown(Cardnumber),
    /// It knows just this patron.
    Known(Cardnumber, u64),
    /// It cannot be told, or there are several.
    Unclear,
}

impl Payers {
    /// Asks about each of these once.
    pub(super) fn new<'a>(cards: impl IntoIterator<Item = &'a Cardnumber>) -> Self {
        let mut to_ask = VecDeque::new();
        for card in cards {
            if !to_ask.contains(card) {
                to_ask.push_back(card.clone());
            }
        }
        Self { to_ask, asking: Asked::default() }
    }

    pub(super) fn is_asking(&self) -> bool {
        self.asking.is_open()
    }

    /// Asks about no more of them, and waits for no answer.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// The question about the next card, unless one is being asked about.
    pub(super) fn next(
        &mut self,
        settings: &Settings,
        credentials: &RestCredentials,
        tickets: &mut Tickets,
    ) -> Option<(Ticket, Request)> {
        if self.asking.is_open() {
            return None;
        }
        let card = self.to_ask.pop_front()?;
        let request = rest::patrons(settings, credentials, card.as_str());
        Some(self.asking.ask(Asking { card, is_no_card: false }, request, tickets))
    }

    /// Takes an answer. `None` where it is to no question of these.
    pub(super) fn handle(
        &mut self,
        ticket: Ticket,
        answer: &Result<Response, Failure>,
        settings: &Settings,
        credentials: Option<&RestCredentials>,
        tickets: &mut Tickets,
    ) -> Option<Checked> {
        let asking = self.asking.answered(ticket)?;
        let patrons = answer.as_ref().ok().and_then(rest::read_patrons);
        let (Some(patrons), Some(credentials)) = (patrons, credentials) else {
            // An account that may not read patrons, which further questions do not change.
            self.end();
            return Some(Checked::Unclear);
        };
        Some(match (patrons.is_empty(), asking.is_no_card) {
            (false, _) => match &patrons[..] {
                [patron] => Checked::Known(asking.card, patron.patron_id),
                _ => Checked::Unclear,
            },
            (true, true) => Checked::Unknown(asking.card),
            (true, false) => {
                let request = rest::patrons_by_userid(settings, credentials, asking.card.as_str());
                let (ticket, request) = self.asking.ask(Asking { is_no_card: true, ..asking }, request, tickets);
                Checked::Request(ticket, request)
            }
        })
    }
}
