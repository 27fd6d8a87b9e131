//! Looks where the first checkout of a commit was booked, of each library. Koha says nothing where that is another than it was for: an
//! address that stands for a library, or a rule for the computer's network, can overrule what was asked for.

use super::protocol::{Asked, Ticket, Tickets};
use crate::{
    desk::{
        clock::DeskTime,
        transaction::{Action, Transaction},
    },
    koha::{
        Failure, Request, Response,
        rest::{self, Checkout, RestCredentials},
    },
    settings::form::Settings,
};

/// The question of one commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Booking {
    /// The libraries of which a checkout was asked about; one of each is enough.
    asked: Vec<String>,
    /// The library of the one that was asked about last.
    at: Option<String>,
    asking: Asked<Asking>,
}

#[derive(Debug, Clone)]
struct Asking {
    /// The second of the checkout in Koha's list of loans.
    second: DeskTime,
    stage: BookingStage,
}

#[derive(Debug, Clone, Copy)]
enum BookingStage {
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

    /// Whether the next checkout of this library that is applied would be asked about.
    pub(super) fn is_to_ask(&self, branch: &str) -> bool {
        !self.asked.iter().any(|asked| asked == branch)
    }

    /// Waits for no answer.
    pub(super) fn give_up(&mut self) {
        self.asking.give_up();
    }

    /// The library of the one that is asked about.
    pub(super) fn at(&self) -> Option<&str> {
        self.at.as_deref()
    }

    /// This was applied, for this library. Gives the question about it, where it is the first of it that can be asked about.
    pub(super) fn applied(
        &mut self,
        transaction: &Transaction,
        branch: &str,
        settings: &Settings,
        credentials: Option<&RestCredentials>,
        tickets: &mut Tickets,
    ) -> Option<(Ticket, Request)> {
        let Action::Issue { barcode, .. } = &transaction.action else { return None };
        let credentials = credentials.filter(|_| self.is_to_ask(branch) && !self.is_asking())?;
        self.asked.push(branch.to_owned());
        self.at = Some(branch.to_owned());
        let asking = Asking { second: transaction.moment.time().whole_second(), stage: BookingStage::Item };
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
                BookingStage::Item => {
                    let [item] = &rest::read_items(response)?[..] else { return None };
                    Some((Some(item.item_id), None))
                }
                BookingStage::Loans => {
                    let is_it =
                        |loan: &Checkout| loan.checkout_date.taken_for_desk_time().whole_second() == asking.second;
                    let loan = rest::read_checkouts(response)?.into_iter().find(is_it)?;
                    Some((None, loan.library_id))
                }
            }
        };
        Some(match (read(), credentials) {
            (Some((Some(item_id), _)), Some(credentials)) => {
                let request = rest::checkouts(settings, credentials, item_id, false);
                let (ticket, request) =
                    self.asking.ask(Asking { stage: BookingStage::Loans, ..asking }, request, tickets);
                Booked::Request(ticket, request)
            }
            (Some((_, Some(library))), _) => Booked::At(library),
            _ => Booked::Unknown,
        })
    }
}
