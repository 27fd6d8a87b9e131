//! Corrections before a commit. Nothing is overwritten in silence: what a transaction was before stays in its history.

use super::revision::{Change, Revision};
use crate::{
    desk::{
        barcode::{Cardnumber, same_code},
        transaction::{Action, Moment, Transaction},
    },
    log::{
        Entry,
        status::{State, Status},
        warned::About,
    },
};
use chrono::TimeDelta;

/// What becomes of an entry when what was recorded for a patron is another's: the wrong card was scanned, or an item was taken for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// It is the other's now, to be sent. What Koha has refused was refused to the wrong patron.
    Given(Box<Entry>),
    /// It stays: it was taken back, or is not the patron's, since somebody has corrected it.
    Stays,
    /// It is the patron's, and Koha has it, or may have it: only Koha can give it to the other.
    InKoha,
}

impl Entry {
    /// Whether this was recorded for the patron with this card, and can still be given to another.
    pub fn can_be_given(&self, by: &str) -> bool {
        self.is_by(by) && self.status.state().is_correctable()
    }

    /// Given to another patron than the one with this card, `by`, for whom it was recorded.
    pub fn given(&self, by: &str, to: &Cardnumber, at: Moment) -> Given {
        if !self.is_by(by) || self.status.state() == State::Deleted {
            return Given::Stays;
        }
        match self.edited(self.transaction.action.clone().by(to.clone()), at) {
            Some(given) => Given::Given(Box::new(given)),
            None => Given::InKoha,
        }
    }

    /// The same of what was recorded for the patron that it was shown with: what somebody has corrected since stays as well.
    pub fn given_as_shown(&self, shown: &Self, to: &Cardnumber, at: Moment) -> Given {
        let action = &shown.transaction.action;
        let by = action.cardnumber().filter(|_| self.transaction.action == *action);
        by.map_or(Given::Stays, |by| self.given(by.as_str(), to, at))
    }

    /// Whether it names the patron with this card.
    pub(super) fn is_by(&self, card: &str) -> bool {
        self.transaction.action.cardnumber().is_some_and(|theirs| same_code(theirs.as_str(), card))
    }

    pub(super) fn changed(&self, change: Change, at: Moment, transaction: Transaction, status: Status) -> Self {
        let refused = match &self.status {
            Status::Rejected { message } => Some(message.clone()),
            _ => None,
        };
        let mut entry = self.clone();
        entry.history.push(Revision { at, change, was: self.transaction.clone(), refused });
        Self { transaction, status, ..entry }
    }

    /// Whether a person has corrected the patron, the item or the amount.
    pub fn is_corrected(&self) -> bool {
        self.history.iter().any(|revision| revision.change == Change::Edited)
    }

    /// Whether this action is what is to be sent already.
    pub fn is_unchanged_by(&self, action: &Action) -> bool {
        *action == self.transaction.action && self.status == Status::Local
    }

    /// With another patron, item or amount, to be sent. `None` where it may not be changed: it is or may be in Koha, or it
    /// would become another kind of action.
    pub fn edited(&self, action: Action, at: Moment) -> Option<Self> {
        let same_kind = std::mem::discriminant(&action) == std::mem::discriminant(&self.transaction.action);
        if !self.status.state().is_correctable() || !same_kind {
            return None;
        }
        let transaction = Transaction { moment: self.transaction.moment, action };
        if self.is_unchanged_by(&transaction.action) {
            return Some(self.clone());
        }
        let mut entry = self.changed(Change::Edited, at, transaction, Status::Local);
        let (before, now) = (&self.transaction.action, &entry.transaction.action);
        let same_patron = before.cardnumber() == now.cardnumber();
        let same_item = before.item_key() == now.item_key();
        // A warning of another patron or item says nothing of this one.
        entry.warnings.retain(|warned| match warned.warning.about() {
            About::Patron => same_patron,
            About::Item => same_item,
            About::Both => same_patron && same_item,
        });
        entry.late = entry.late.filter(|_| same_item);
        entry.late_as_of = entry.late_as_of.filter(|_| same_item);
        entry.checkin = entry.checkin.filter(|_| same_item);
        Some(entry.with_ticks_of(same_patron, same_item))
    }

    /// Taken back. `None` where it may not be: it is or may be in Koha.
    pub fn deleted(&self, at: Moment) -> Option<Self> {
        let is_correctable = self.status.state().is_correctable();
        is_correctable.then(|| self.changed(Change::Deleted, at, self.transaction.clone(), Status::Deleted))
    }

    /// Brought back, to be sent. `None` where it is not deleted.
    pub fn restored(&self, at: Moment) -> Option<Self> {
        let is_deleted = self.status.state() == State::Deleted;
        is_deleted.then(|| self.changed(Change::Restored, at, self.transaction.clone(), Status::Local))
    }

    /// At another time, since the clock of its desk was wrong by this span. `None` where it may not be changed,
    /// or no calendar holds the time.
    pub fn shifted(&self, by: TimeDelta, at: Moment) -> Option<Self> {
        let moment = self.transaction.moment.shifted(by)?;
        self.moved(Change::Shifted, moment, at)
    }

    /// At another moment, to keep it apart from another transaction of its item. `None` where it may not be changed.
    pub fn separated(&self, moment: Moment, at: Moment) -> Option<Self> {
        self.moved(Change::Separated, moment, at)
    }

    fn moved(&self, change: Change, moment: Moment, at: Moment) -> Option<Self> {
        if !self.status.state().is_correctable() {
            return None;
        }
        let transaction = Transaction { moment, action: self.transaction.action.clone() };
        let refused_stays = self.status.clone();
        Some(self.changed(change, at, transaction, refused_stays))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::{Barcode, Cardnumber},
            transaction::{TransactionId, arbitrary},
        },
        log::{
            status::{Attempt, Doubt},
            warned::{Warned, Warning},
        },
        settings::form::{CommitType, ServerUrl},
    };
    use proptest::prelude::*;

    fn moment(millis: i64) -> Moment {
        Moment::new(1_795_428_000_000 + millis, 60).unwrap()
    }

    fn issue(patron: &str, item: &str) -> Action {
        Action::Issue { cardnumber: Cardnumber::parse(patron).unwrap(), barcode: Barcode::parse(item).unwrap() }
    }

    fn entry(status: Status) -> Entry {
        let transaction = Transaction { moment: moment(0), action: issue("P1", "B1") };
        Entry { status, ..Entry::recorded(TransactionId(1), transaction) }
    }

    fn attempt() -> Attempt {
        let server = ServerUrl::parse("https://koha.example.org").unwrap();
        Attempt::new(CommitType::Apply, &server)
    }

    #[test]
    fn what_is_or_may_be_in_koha_is_never_changed() {
        for status in [
            Status::Added,
            Status::Success,
            Status::Sending { attempt: attempt() },
            Status::InDoubt { reason: Doubt::TimedOut, attempt: attempt() },
        ] {
            let entry = entry(status);
            let now = moment(5_000);
            assert_eq!(entry.edited(issue("P2", "B1"), now), None);
            assert_eq!(entry.deleted(now), None);
            assert_eq!(entry.restored(now), None);
            assert_eq!(entry.shifted(TimeDelta::seconds(1), now), None);
            assert_eq!(entry.separated(now, now), None);
        }
    }

    #[test]
    fn a_refused_one_is_corrected_and_its_refusal_remembered() {
        let refused = entry(Status::Rejected { message: "Borrower not found.".into() });
        let edited = refused.edited(issue("P2", "B1"), moment(5_000)).unwrap();
        assert_eq!(edited.status, Status::Local);
        assert_eq!(edited.transaction.action, issue("P2", "B1"));
        assert_eq!(edited.transaction.moment, moment(0), "when it happened does not change");
        assert_eq!(edited.history[0].refused.as_deref(), Some("Borrower not found."));
        assert_eq!(edited.original().action, issue("P1", "B1"));
        let stored = serde_json::to_string(&edited).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&stored).unwrap(), edited);
        let shifted = refused.shifted(TimeDelta::seconds(-1), moment(0)).unwrap();
        assert_eq!(shifted.status, refused.status, "another time is no decision to send it again");
    }

    #[test]
    fn what_was_deleted_can_be_restored_and_both_are_remembered() {
        let deleted = entry(Status::Local).deleted(moment(1)).unwrap();
        assert_eq!(deleted.status, Status::Deleted);
        assert_eq!(deleted.edited(issue("P2", "B2"), moment(2)), None);
        let restored = deleted.restored(moment(2)).unwrap();
        assert_eq!(restored.status, Status::Local);
        let changes: Vec<_> = restored.history.iter().map(|revision| revision.change).collect();
        assert_eq!(changes, [Change::Deleted, Change::Restored]);
    }

    #[test]
    fn a_correction_takes_the_warnings_of_what_was_corrected() {
        let kinds = [
            Warning::LostCard,
            Warning::Debts { cents: 1 },
            Warning::PatronCard,
            Warning::Hold { hold: 7, pickup: "MPL".into() },
            Warning::OnLoan,
        ];
        let warnings = kinds.map(|warning| Warned { warning, confirmed: None, as_of: None }).to_vec();
        let warned = Entry { warnings, ..entry(Status::Local) };
        let left = |entry: Option<Entry>| {
            entry.unwrap().warnings.into_iter().map(|warned| warned.warning.about()).collect::<Vec<_>>()
        };
        assert_eq!(left(warned.edited(issue("P1", "B2"), moment(1))), [About::Patron; 2]);
        assert_eq!(left(warned.edited(issue("P2", "b1"), moment(1))), [About::Item; 2]);
        assert_eq!(left(warned.edited(issue("P2", "B2"), moment(1))), []);
        for kept in [warned.deleted(moment(1)), warned.shifted(TimeDelta::seconds(1), moment(1))] {
            assert_eq!(kept.unwrap().warnings, warned.warnings);
        }
    }

    #[test]
    fn what_was_recorded_for_the_wrong_patron_is_given_to_the_right_one() {
        let (right, now) = (Cardnumber::parse("P2").unwrap(), moment(5_000));
        let refused = || Status::Rejected { message: "Borrower not found.".into() };
        for status in [Status::Local, refused()] {
            let wrong = entry(status.clone());
            // Koha takes no notice of capitals either.
            for by in ["P1", "p1"] {
                assert!(wrong.can_be_given(by));
                let Given::Given(given) = wrong.given(by, &right, now) else { panic!("{status:?}") };
                assert_eq!((&given.status, &given.transaction.action), (&Status::Local, &issue("P2", "B1")));
                assert_eq!((given.history.len(), given.history[0].at), (1, now));
                assert_eq!(given.history[0].refused.is_some(), status != Status::Local, "that it was refused is kept");
            }
            assert_eq!(
                (wrong.can_be_given("P3"), wrong.given("P3", &right, now)),
                (false, Given::Stays),
                "a third one's"
            );
        }
        let deleted = entry(Status::Deleted);
        assert_eq!((deleted.can_be_given("P1"), deleted.given("P1", &right, now)), (false, Given::Stays));
        for status in [
            Status::Added,
            Status::Success,
            Status::Sending { attempt: attempt() },
            Status::InDoubt { reason: Doubt::TimedOut, attempt: attempt() },
        ] {
            let sent = entry(status);
            assert_eq!((sent.can_be_given("P1"), sent.given("P1", &right, now)), (false, Given::InKoha));
            assert_eq!(sent.given("P3", &right, now), Given::Stays);
        }
        // Another item by now is no longer what was shown.
        let shown = entry(Status::Local);
        assert!(matches!(shown.given_as_shown(&shown, &right, now), Given::Given(_)));
        assert_eq!(entry(Status::Success).given_as_shown(&shown, &right, now), Given::InKoha);
        let corrected = shown.edited(issue("P1", "B2"), now).unwrap();
        assert_eq!(corrected.given_as_shown(&shown, &right, now), Given::Stays);
        let barcode = Barcode::parse("B1").unwrap();
        let transaction = Transaction { moment: moment(0), action: Action::Return { barcode } };
        let checkin = Entry::recorded(TransactionId(1), transaction);
        assert_eq!(checkin.given_as_shown(&checkin, &right, now), Given::Stays);
        assert_eq!((checkin.can_be_given(""), checkin.given("P1", &right, now)), (false, Given::Stays));
    }

    #[test]
    fn saving_without_a_change_leaves_no_trace() {
        let entry = entry(Status::Local);
        assert_eq!(entry.edited(issue("P1", "B1"), moment(1)), Some(entry.clone()));
        assert_eq!(entry.edited(Action::Return { barcode: Barcode::parse("B1").unwrap() }, moment(1)), None);
    }

    proptest! {
        #[test]
        fn shifting_back_gives_the_same_moment(transaction in arbitrary::transaction(Just(60_i16)), by in -1_000_000_000..1_000_000_000_i64) {
            let entry = Entry::recorded(TransactionId(1), transaction);
            if let Some(shifted) = entry.shifted(TimeDelta::milliseconds(by), moment(0)) {
                prop_assert_eq!(shifted.transaction.moment.utc_millis() - entry.transaction.moment.utc_millis(), by);
                let back = shifted.shifted(TimeDelta::milliseconds(-by), moment(0)).unwrap();
                prop_assert_eq!(&back.transaction, &entry.transaction);
                prop_assert_eq!(back.original(), &entry.transaction);
            }
        }
    }
}
