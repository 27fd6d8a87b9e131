//! Looks where the first checkout of a commit was booked. Koha says nothing where that is another library than the desk's: an
//! address that stands for a library, or a rule for the computer's network, can overrule what was asked for.

use super::protocol::{Asked, Ticket, Tickets};
use crate::{
    desk::{
        branch::BranchCode,
        transaction::{Action, Transaction},
    },
    koha::{
        Failure, Request, Response,
        rest::{self, RestCredentials},
    },
    settings::form::Settings,
};

/// The question of one commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Booking {
    /// Whether a checkout was asked about; one is enough.
    is_asked: bool,
    /// The library at which that must be booked, where it is another than the desk's.
    of_other_branch: Option<BranchCode>,
    asking: Asked<Asking>,
}

#[derive(Debug, Clone)]
struct Asking {
    /// The second of the checkout in Koha's list of loans.
    second: i64,
    stage: Stage,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Item,
    Loans,
}

/// What follows an answer.
pub(super) enum Booked {
    /// Make this request.
    Request(Ticket, Request),
    /// It was booked at the library of this code.
    At(String),
    /// It cannot be told.
    Unknown,
}

impl Booking {
    pub(super) fn is_asking(&self) -> bool {
        self.asking.is_open()
    }

    /// Whether the next checkout that is applied would be asked about.
    pub(super) fn is_to_ask(&self) -> bool {
        !self.is_asked
    }

    /// Waits for no answer.
    pub(super) fn give_up(&mut self) {
        self.asking.give_up();
    }

    /// The library at which it must be booked, where it is another than the desk's.
    pub(super) fn of_other_branch(&self) -> Option<&str> {
        self.of_other_branch.as_ref().map(BranchCode::as_str)
    }

    /// This was applied, at this library where it is another than the desk's. Gives the question about it, where it is the first
    /// that can be asked about.
    pub(super) fn applied(
        &mut self,
        transaction: &Transaction,
        of_other_branch: Option<&BranchCode>,
        settings: &Settings,
        credentials: Option<&RestCredentials>,
        tickets: &mut Tickets,
    ) -> Option<(Ticket, Request)> {
        let Action::Issue { barcode, .. } = &transaction.action else { return None };
        let credentials = credentials.filter(|_| !self.is_asked)?;
        self.is_asked = true;
        self.of_other_branch = of_other_branch.cloned();
        let asking = Asking { second: transaction.moment.utc_seconds(), stage: Stage::Item };
        Some(self.asking.ask(asking, rest::items(settings, credentials, barcode.as_str()), tickets))
    }

    /// Takes an answer. `None` where it is not to this question.
    pub(super) fn handle(
        &mut self,
        ticket: Ticket,
        answer: &Result<Response, Failure>,
        settings: &Settings,
        credentials: Option<&RestCredentials>,
        tickets: &mut Tickets,
    ) -> Option<Booked> {
        let asking = self.asking.answered(ticket)?;
        let read = || {
            let response = answer.as_ref().ok()?;
            match asking.stage {
                Stage::Item => {
                    let [item] = &rest::read_items(response)?[..] else { return None };
                    Some((Some(item.item_id), None))
                }
                Stage::Loans => {
                    let is_it = |second: i64| second == asking.second;
                    let loans = rest::read_checkouts(response)?;
                    let loan =
                        loans.into_iter().find(|loan| is_it(loan.checkout_date.taken_for_desk_time().seconds()))?;
                    Some((None, loan.library_id))
                }
            }
        };
        Some(match (read(), credentials) {
            (Some((Some(item_id), _)), Some(credentials)) => {
                let request = rest::checkouts(settings, credentials, item_id, false);
                let (ticket, request) = self.asking.ask(Asking { stage: Stage::Loans, ..asking }, request, tickets);
                Booked::Request(ticket, request)
            }
            (Some((_, Some(library))), _) => Booked::At(library),
            _ => Booked::Unknown,
        })
    }
}
