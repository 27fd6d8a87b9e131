//! Checkins by Koha's own check-in ([`checkins`]), where the library wants that, this Koha has it and the account may: else they go
//! as everything does. It is found out once per commit, before the first of them is sent.

use super::{
    protocol::{Asked, Ticket, Tickets},
    summary::CommitError,
    verdict::{Then, Verdict},
};
use crate::{
    desk::transaction::{Action, Transaction, TransactionId},
    koha::{
        Failure, Request, Response,
        checkins::{self, Absence, Checkin, CheckinAnswer},
        connection::ConnectionError,
        front::{self, Front},
        rest::RestCredentials,
    },
    log::{
        Entry,
        checked_in::CheckedIn,
        status::{Doubt, NOT_ISSUED, Status},
    },
    settings::form::{CommitType, Settings},
};
use std::collections::HashMap;

/// The way of one commit's checkins.
#[derive(Debug, Clone)]
pub(super) struct CheckingIn {
    way: Way,
    looking: Asked<()>,
    /// What it said of those that it has checked in.
    told: HashMap<TransactionId, (CheckedIn, Option<(u32, String)>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It is not wanted.
    NotWanted,
    /// Nobody has looked yet.
    Unknown,
    There,
    Absent(Absence),
}

impl CheckingIn {
    pub(super) fn new(settings: &Settings) -> Self {
        let is_wanted = settings.koha_checkin && settings.commit_type == CommitType::Apply;
        let way = if is_wanted { Way::Unknown } else { Way::NotWanted };
        Self { way, looking: Asked::default(), told: HashMap::new() }
    }

    /// Whether it waits to hear whether it is there.
    pub(super) fn is_asking(&self) -> bool {
        self.looking.is_open()
    }

    /// Waits for no answer.
    pub(super) fn give_up(&mut self) {
        self.looking.give_up();
    }

    /// Whether nobody has looked yet, and the library wants it.
    pub(super) fn is_to_look(&self) -> bool {
        self.way == Way::Unknown && !self.is_asking()
    }

    /// The question whether it is there.
    pub(super) fn look(
        &mut self,
        settings: &Settings,
        credentials: Option<&RestCredentials>,
        tickets: &mut Tickets,
    ) -> Option<(Ticket, Request)> {
        let Some(credentials) = credentials else {
            self.way = Way::Absent(Absence::NotAllowed);
            return None;
        };
        Some(self.looking.ask((), checkins::look_for(settings, credentials), tickets))
    }

    /// Takes an answer. Returns whether it was to this question.
    pub(super) fn handle(&mut self, ticket: Ticket, answer: Result<&Response, &Failure>) -> bool {
        let is_ours = self.looking.answered(ticket).is_some();
        if is_ours {
            self.way = checkins::absence(answer).map_or(Way::There, Way::Absent);
        }
        is_ours
    }

    /// Whether this goes by Koha's own check-in.
    pub(super) fn takes(&self, transaction: &Transaction) -> bool {
        self.way == Way::There && matches!(transaction.action, Action::Return { .. })
    }

    /// Why they go the other way, where that was to be otherwise.
    pub(super) fn absence(&self) -> Option<Absence> {
        if let Way::Absent(absence) = self.way { Some(absence) } else { None }
    }

    /// The request about one of them, for this library.
    pub(super) fn request(
        settings: &Settings,
        credentials: Option<&RestCredentials>,
        library: &str,
        entry: &Entry,
    ) -> Option<Request> {
        checkins::check_in(settings, credentials?, library, &entry.transaction)
    }

    /// What the answer to one of them says. `None` where nothing was processed, and this way is none: it goes the other.
    pub(super) fn hear(&mut self, entry: &Entry, answer: Result<&Response, &Failure>) -> Option<Verdict> {
        let Ok(response) = answer else { return Some(Verdict::of(answer)) };
        let in_doubt = |then| Verdict::InDoubt(Doubt::StrangeAnswer, then);
        Some(match checkins::read(response) {
            CheckinAnswer::Done(checkin) => self.done(entry, *checkin),
            CheckinAnswer::Rejected(message) => Verdict::Settled(Status::Rejected { message }),
            CheckinAnswer::Unusable(absence) => {
                self.way = Way::Absent(absence);
                return None;
            }
            CheckinAnswer::AccessRefused => Verdict::AccessRefused(ConnectionError::TokenRefused),
            CheckinAnswer::Busy(after) => in_doubt(Then::Wait(after)),
            CheckinAnswer::ServerError(status) => Verdict::InDoubt(Doubt::ServerError, Then::GoOn(status)),
            CheckinAnswer::Empty => in_doubt(Then::Stop(CommitError::ConnectionLost(Failure::Lost))),
            CheckinAnswer::Strange => {
                let error = CommitError::NotKoha { front: Front::of(response), words: front::words(response) };
                in_doubt(Then::Stop(error))
            }
        })
    }

    /// Nothing of it left: the other way is open.
    pub(super) fn cannot_be_asked(&mut self) {
        self.way = Way::Absent(Absence::NotAllowed);
    }

    fn done(&mut self, entry: &Entry, checkin: Checkin) -> Verdict {
        let status = if checkin.has_ended_loan {
            let then = entry.transaction.moment.time().whole_second();
            if checkin.returned_at.is_some_and(|at| at.taken_for_desk_time().whole_second() != then) {
                // What is done is done, and the audit tells of it; no other is to be dated so. Nor in the hour that comes twice when
                // the clocks go back, of which Koha may tell the other: the other way is right as well.
                self.way = Way::Absent(Absence::OtherTime);
            }
            Status::Success
        } else if checkin.is_not_on_loan {
            // In the words that mean this everywhere else: nothing is to be done about it, or it arrived twice.
            Status::Rejected { message: NOT_ISSUED.to_owned() }
        } else {
            // Koha has looked at the item and ended no loan: it does not say why.
            return Verdict::InDoubt(Doubt::StrangeAnswer, Then::GoOn(200));
        };
        self.told.insert(entry.id, (checkin.told, checkin.hold));
        Verdict::Settled(status)
    }

    /// The entry with what was said of it.
    pub(super) fn tell(&self, entry: Entry) -> Entry {
        match self.told.get(&entry.id) {
            Some((told, hold)) => entry.checked_in(told.clone(), hold.clone()),
            None => entry,
        }
    }
}

#[cfg(test)]
mod tests;
