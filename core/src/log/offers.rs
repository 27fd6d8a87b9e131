//! What a person is offered to do with a transaction.

use crate::{
    desk::transaction::{Action, Moment},
    log::{
        Entry,
        revision::Change,
        status::{Decision, NOT_ISSUED, State, Status},
    },
};

/// What the row of a transaction offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offers {
    /// To say that it is in Koha.
    pub is_in_koha: bool,
    /// To send it again.
    pub send_again: bool,
    /// To settle it, where nothing is to be done about it.
    pub settle: bool,
    /// To open it. `None` where there is no more to see than in the row.
    pub opens: Option<Opens>,
}

/// What a transaction is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opens {
    /// To correct or delete it.
    Correction,
    /// To bring it back: it is deleted.
    Restoration,
    /// To see what was changed and warned of. Nothing can be done about it any more, or not here.
    History,
}

impl State {
    /// Whether what somebody has typed to correct it may be saved, or may be in a moment: a commit may leave it refused. Of what stays
    /// as it is it is shown what it is.
    pub fn keeps_typed(self) -> bool {
        self.is_correctable() || self == Self::Sending
    }
}

impl Offers {
    /// What is offered for this one.
    pub fn from_entry(entry: &Entry) -> Self {
        let offers = |decision| entry.status.decided(decision).is_some();
        let has_told = entry.checkin.as_ref().is_some_and(|told| told.to_tell().next().is_some());
        let has_history = !entry.history.is_empty() || !entry.warnings.is_empty() || has_told;
        let opens = match Opens::from_state(entry.status.state()) {
            Opens::History => has_history.then_some(Opens::History),
            other => Some(other),
        };
        let settle = entry.was_not_on_loan();
        // Sent again, it would be refused again.
        let send_again = offers(Decision::SendAgain) && !settle;
        Self { is_in_koha: offers(Decision::IsInKoha), send_again, settle, opens }
    }
}

impl Opens {
    /// What one in this state is opened for.
    pub fn from_state(state: State) -> Self {
        match state {
            State::Deleted => Self::Restoration,
            _ if state.is_correctable() => Self::Correction,
            _ => Self::History,
        }
    }
}

impl Entry {
    /// Whether it can be taken back by one press where it is listed. Where it asks for an answer, to take it back is one of those.
    pub fn offers_take_back(&self) -> bool {
        Opens::from_state(self.status.state()) == Opens::Correction && !self.is_stopped()
    }

    /// Whether it is a checkin that Koha refused since the item was not on loan there. Nothing is to be done about it.
    pub fn was_not_on_loan(&self) -> bool {
        let is_checkin = matches!(self.transaction.action, Action::Return { .. });
        is_checkin && matches!(&self.status, Status::Rejected { message } if message == NOT_ISSUED)
    }

    /// Whether it was settled, and not taken back: the item is there all the same.
    pub fn was_settled(&self) -> bool {
        let is_checkin = matches!(self.transaction.action, Action::Return { .. });
        let last = self.history.last().filter(|last| last.change == Change::Deleted);
        let was_not_on_loan = last.is_some_and(|last| last.refused.as_deref() == Some(NOT_ISSUED));
        is_checkin && self.status == Status::Deleted && was_not_on_loan
    }

    /// Settled by a person: it stays to be seen, and is not sent. `None` where something is to be done about it.
    pub fn settled(&self, at: Moment) -> Option<Self> {
        if self.was_not_on_loan() { self.deleted(at) } else { None }
    }

    /// With what a person decided about it. `None` where there is nothing to decide.
    pub fn with_decision(&self, decision: Decision) -> Option<Self> {
        Some(Self { status: self.status.decided(decision)?, ..self.clone() })
    }

    /// What becomes of it when a person decides about all that are in doubt at once. `None` where it is not among them: a
    /// payment that is sent twice is money taken twice, so each is decided about by itself.
    pub fn decided_among_all(&self, decision: Decision) -> Option<Status> {
        let is_payment = matches!(self.transaction.action, Action::Payment { .. });
        let is_apart = is_payment && decision == Decision::SendAgain;
        let is_in_doubt = self.status.state() == State::InDoubt;
        if is_in_doubt && !is_apart { self.status.decided(decision) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            amount::Amount,
            barcode::{Barcode, Cardnumber},
            transaction::{Moment, Transaction, TransactionId},
        },
        log::{
            status::{Attempt, Doubt},
            warned::{Warned, Warning},
        },
        settings::form::{CommitType, ServerUrl},
    };
    use chrono::TimeDelta;

    fn now() -> Moment {
        Moment::new(1_795_428_000_000, 60).unwrap()
    }

    fn statuses() -> [Status; 7] {
        let server = ServerUrl::parse("https://koha.example.org").unwrap();
        let attempt = Attempt::new(CommitType::Apply, &server);
        [
            Status::Local,
            Status::Sending { attempt: attempt.clone() },
            Status::Added,
            Status::Success,
            Status::Rejected { message: "Borrower not found.".into() },
            Status::InDoubt { reason: Doubt::TimedOut, attempt },
            Status::Deleted,
        ]
    }

    fn entry(action: Action, status: Status) -> Entry {
        Entry { status, ..Entry::recorded(TransactionId(1), Transaction { moment: now(), action }) }
    }

    fn returned(status: Status) -> Entry {
        entry(Action::Return { barcode: Barcode::parse("B").unwrap() }, status)
    }

    #[test]
    fn a_row_offers_what_its_state_allows_and_no_more() {
        use Opens::{Correction, Restoration};
        let offered = statuses().map(|status| {
            let Offers { is_in_koha, send_again, settle, opens } = Offers::from_entry(&returned(status));
            assert!(!settle);
            (is_in_koha, send_again, opens)
        });
        let expected = [
            (false, false, Some(Correction)),
            (false, false, None),
            (false, false, None),
            (false, false, None),
            (false, true, Some(Correction)),
            (true, true, None),
            (false, false, Some(Restoration)),
        ];
        assert_eq!(offered, expected);
    }

    #[test]
    fn what_is_correctable_is_taken_back_by_one_press_or_by_an_answer() {
        for status in statuses() {
            let entry = returned(status);
            assert_eq!(entry.offers_take_back(), entry.deleted(now()).is_some(), "{entry:?}");
        }
        let warned = |warning| returned(Status::Local).warned(&[Warned { warning, confirmed: None, as_of: None }]);
        assert!(warned(Warning::OnLoan).offers_take_back() && !warned(Warning::Waiting).offers_take_back());
        assert!(warned(Warning::Waiting).confirmed(now(), Warning::is_stop).offers_take_back());
    }

    #[test]
    fn a_checkin_of_what_was_not_on_loan_is_settled_and_never_sent_again() {
        let refused = || Status::Rejected { message: NOT_ISSUED.into() };
        let offers = Offers::from_entry(&returned(refused()));
        assert!(offers.settle && !offers.send_again && offers.opens == Some(Opens::Correction));
        let settled = returned(refused()).settled(now()).unwrap();
        assert_eq!(settled.status, Status::Deleted);
        assert!(settled.settled(now()).is_none());
        assert!(settled.was_settled() && !returned(refused()).was_settled());
        let taken_back = returned(Status::Local).deleted(now()).unwrap();
        assert!(!taken_back.was_settled() && !settled.restored(now()).unwrap().was_settled());
        let unknown = Status::Rejected { message: "Item not found.".into() };
        assert!(returned(unknown).settled(now()).is_none());
        let (cardnumber, barcode) = (Cardnumber::parse("P").unwrap(), Barcode::parse("B").unwrap());
        assert!(entry(Action::Issue { cardnumber, barcode }, refused()).settled(now()).is_none());
    }

    #[test]
    fn what_was_changed_or_warned_of_can_be_seen_for_ever() {
        let changed = returned(Status::Local).shifted(TimeDelta::seconds(1), now()).unwrap();
        let warned =
            returned(Status::Local).warned(&[Warned { warning: Warning::OnLoan, confirmed: None, as_of: None }]);
        for entry in [changed, warned] {
            for status in statuses() {
                let plain = Offers::from_entry(&returned(status.clone()));
                let offers = Offers::from_entry(&Entry { status, ..entry.clone() });
                assert_eq!(offers, Offers { opens: plain.opens.or(Some(Opens::History)), ..plain });
            }
        }
    }

    #[test]
    fn a_row_offers_to_correct_and_restore_exactly_what_can_be() {
        for status in statuses() {
            let entry = returned(status);
            let opens = Offers::from_entry(&entry).opens;
            assert_eq!(entry.deleted(now()).is_some(), opens == Some(Opens::Correction), "{entry:?}");
            assert_eq!(entry.restored(now()).is_some(), opens == Some(Opens::Restoration), "{entry:?}");
        }
    }

    #[test]
    fn all_in_doubt_are_decided_at_once_except_money_that_would_be_taken_twice() {
        let cardnumber = Cardnumber::parse("P").unwrap();
        let paid = Action::Payment { cardnumber, amount: Amount::parse("3.50").unwrap() };
        for status in statuses() {
            let is_in_doubt = status.state() == State::InDoubt;
            let decided = |entry: Entry| {
                [Decision::IsInKoha, Decision::SendAgain].map(|decision| entry.decided_among_all(decision))
            };
            let all = [is_in_doubt.then_some(Status::Success), is_in_doubt.then_some(Status::Local)];
            assert_eq!(decided(returned(status.clone())), all, "what Koha refused is not meant: {status:?}");
            assert_eq!(decided(entry(paid.clone(), status)), [all[0].clone(), None]);
        }
    }

    #[test]
    fn what_is_typed_stays_while_it_may_be_saved_in_a_moment() {
        let keeps = State::which(State::keeps_typed);
        assert_eq!(keeps, [State::Local, State::Sending, State::Rejected]);
    }
}
