//! What may be cleared from the log, and what is remembered of it: a few bytes each, so that a file that holds one does not
//! bring it back to be committed twice.

use crate::{
    desk::{
        name::DeskName,
        transaction::{Moment, Transaction, TransactionId},
    },
    log::{Counts, Entry, status::State},
    ordered,
};
use serde::Serialize;
use std::collections::HashSet;

/// For how many days a cleared transaction is remembered: nobody imports a file that is older.
const REMEMBERED_DAYS: u32 = 400;

/// The log as a person is asked about it before it is cleared. What is recorded or changed afterwards was not asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// How many stood in each state.
    pub counts: Counts,
    consent: Consent,
}

/// What a person has said yes to: nothing else may be removed. There is none but by [`Asked`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    last: TransactionId,
    /// In rising order.
    open: Vec<(TransactionId, State)>,
    /// The keys of rows that cannot be read.
    unreadable: HashSet<String>,
}

impl Asked {
    /// A log whose last number is this one, in which these are open, each in its state, and that has this number of
    /// settled ones in each state, and rows with these keys that cannot be read.
    pub fn new(
        last: TransactionId,
        mut open: Vec<(TransactionId, State)>,
        settled: Counts,
        unreadable: HashSet<String>,
    ) -> Self {
        ordered::sort(&mut open, |(id, state)| (i64::from(id.0), *state as u64));
        let mut counts = settled;
        for (_, state) in &open {
            counts.add(*state, 1);
        }
        Self { counts, consent: Consent { last, open, unreadable } }
    }

    /// The number of rows that cannot be read.
    pub fn unreadable(&self) -> usize {
        self.consent.unreadable.len()
    }

    /// Whether something may be lost: what is open, and what nobody can read.
    pub fn may_lose(&self) -> bool {
        !self.consent.open.is_empty() || !self.consent.unreadable.is_empty()
    }

    /// Yes to what nobody has to do anything about any more: nothing is lost by it.
    #[must_use]
    pub fn settled(self) -> Consent {
        Consent { open: Vec::new(), unreadable: HashSet::new(), ..self.consent }
    }

    /// Yes to all of it. `None` where something may be lost by it, unless a person has said yes to that too.
    #[must_use]
    pub fn all(self, also_what_may_be_lost: bool) -> Option<Consent> {
        (also_what_may_be_lost || !self.may_lose()).then_some(self.consent)
    }
}

impl Consent {
    /// Those that were open when they were asked about. They may stand elsewhere now.
    pub fn open(&self) -> &[(TransactionId, State)] {
        &self.open
    }

    /// The keys of the rows that cannot be read.
    pub fn unreadable(&self) -> &HashSet<String> {
        &self.unreadable
    }

    /// Whether this entry may be removed, as it is now. One that is settled loses nothing. One that is open may go only if
    /// it was asked about, and stood then where it stands now: what was recorded, restored or to be sent again since stays.
    pub fn allows(&self, entry: &Entry) -> bool {
        let state = entry.status.state();
        let was_open = || self.open.binary_search(&(entry.id, state)).is_ok();
        entry.id <= self.last && (state.is_settled() || was_open())
    }
}

/// What is kept beside the key of a cleared transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Remembered {
    /// When it was cleared, in days since 1970 in UTC.
    pub day: u32,
}

impl Remembered {
    /// Of what is cleared now.
    pub fn since(now: Moment) -> Self {
        // No moment lies before 1970, and no day after them all.
        Self { day: u32::try_from(now.time().day()).unwrap_or_default() }
    }

    /// The first day of which everything is still remembered when the log is cleared on this one.
    #[must_use]
    pub fn oldest(self) -> Self {
        Self { day: self.day.saturating_sub(REMEMBERED_DAYS) }
    }
}

/// What is remembered of an entry that is cleared from the log of the desk `own`. `None` where nothing is: it is not in
/// Koha, and a file may bring it back.
pub fn remembered_key(entry: &Entry, own: &DeskName) -> Option<String> {
    let is_settled = entry.status.state().is_settled();
    is_settled.then(|| cleared_key(entry.desk.as_ref().unwrap_or(own), entry.original()))
}

/// What is remembered of a transaction when it is cleared from the log: enough to know it again.
///
/// The keys of one desk begin with its name.
pub fn cleared_key(desk: &DeskName, original: &Transaction) -> String {
    format!("{}{:032x}", cleared_keys_of(desk), fingerprint(original))
}

/// How the [`cleared_key`]s of this desk begin. No other desk's do: a name holds no control character.
fn cleared_keys_of(desk: &DeskName) -> String {
    format!("{desk}\t")
}

/// The desk and the fingerprint that a [`cleared_key`] is made of. `None` where it is none.
pub(super) fn read_key(key: &str) -> Option<(DeskName, u128)> {
    let (desk, print) = key.rsplit_once('\t')?;
    Some((DeskName::parse(desk).ok()?, u128::from_str_radix(print, 16).ok()?))
}

/// A number that no two transactions share: FNV-1a with 128 bits. Of a million transactions, the chance that any two meet is
/// about 1 in 10^27.
pub(super) fn fingerprint(transaction: &Transaction) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let action = &transaction.action;
    let mut hash = OFFSET;
    let mut take = |bytes: &[u8]| {
        // A code is never this byte, so neighbours stay apart.
        for byte in bytes.iter().chain(&[0xff]) {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(PRIME);
        }
    };
    take(&transaction.moment.utc_millis().to_le_bytes());
    take(action.word().as_bytes());
    take(action.cardnumber().map(|cardnumber| cardnumber.as_str().as_bytes()).unwrap_or_default());
    take(action.barcode().map(|barcode| barcode.as_str().as_bytes()).unwrap_or_default());
    take(action.amount().map(|amount| amount.to_string()).unwrap_or_default().as_bytes());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::Barcode,
            transaction::{Action, arbitrary},
        },
        log::status::Status,
    };
    use chrono::TimeDelta;
    use proptest::prelude::*;

    fn bus() -> DeskName {
        DeskName::parse("Bus").unwrap()
    }

    fn now() -> Moment {
        Moment::new(1_795_428_000_000, 60).unwrap()
    }

    fn returned(status: Status) -> Entry {
        let action = Action::Return { barcode: Barcode::parse("B").unwrap() };
        Entry { status, ..Entry::recorded(TransactionId(1), Transaction { moment: now(), action }) }
    }

    #[test]
    fn the_key_is_the_one_that_older_logs_and_backups_hold() {
        let key = cleared_key(&bus(), &returned(Status::Local).transaction);
        assert_eq!(key, "Bus\tf66d6f956543f0fa182f5b6eec45b5ac");
        assert_eq!(read_key(&key), Some((bus(), fingerprint(&returned(Status::Local).transaction))));
        assert_eq!((read_key("Bus"), read_key("Bus\tx")), (None, None));
        let other = DeskName::parse("Bus2").unwrap();
        assert!(!cleared_key(&other, &returned(Status::Local).transaction).starts_with(&cleared_keys_of(&bus())));
    }

    #[test]
    fn what_koha_has_or_a_person_took_back_is_remembered_and_nothing_else() {
        let refused = Status::Rejected { message: "Borrower not found.".into() };
        for (status, is_remembered) in [
            (Status::Local, false),
            (refused, false),
            (Status::Added, true),
            (Status::Success, true),
            (Status::Deleted, true),
        ] {
            let entry = returned(status);
            let key = cleared_key(&bus(), &entry.transaction);
            assert_eq!(remembered_key(&entry, &bus()), is_remembered.then_some(key), "{entry:?}");
        }
    }

    #[test]
    fn it_is_known_by_its_own_desk_and_by_what_was_recorded_at_first() {
        let mut entry = returned(Status::Local).shifted(TimeDelta::hours(1), now()).unwrap();
        entry.status = Status::Success;
        entry.desk = DeskName::parse("Van").ok();
        let original = returned(Status::Local).transaction;
        assert_eq!(remembered_key(&entry, &bus()), Some(cleared_key(&DeskName::parse("Van").unwrap(), &original)));
    }

    #[test]
    fn only_what_was_asked_about_may_go() {
        let refused = || Status::Rejected { message: "Borrower not found.".into() };
        let of = |number, status| Entry { id: TransactionId(number), ..returned(status) };
        let open = vec![(TransactionId(3), State::Rejected), (TransactionId(2), State::Local)];
        let mut settled = Counts::default();
        settled.add(State::Added, 2);
        let asked = Asked::new(TransactionId(4), open, settled, HashSet::new());
        assert_eq!((asked.counts.total(), asked.counts.uncommitted()), (4, 2));
        assert_eq!(asked.clone().all(false), None, "the second box is not ticked");
        let all = asked.clone().all(true).unwrap();
        for (number, status, may_go) in [
            (1, Status::Added, true),
            (2, Status::Local, true),
            // Committed since: remembered, so nothing is lost.
            (2, Status::Success, true),
            (3, refused(), true),
            // To be sent again since.
            (3, Status::Local, false),
            // Restored since.
            (4, Status::Local, false),
            // Recorded since, by another window.
            (5, Status::Local, false),
            (5, Status::Deleted, false),
        ] {
            let entry = of(number, status);
            assert_eq!(all.allows(&entry), may_go, "{entry:?}");
            let is_settled = entry.status.state().is_settled();
            assert_eq!(asked.clone().settled().allows(&entry), may_go && is_settled, "{entry:?}");
        }
        // All committed when it was asked: one box is enough, and what comes until the answer stays.
        let asked = Asked::new(TransactionId(1), Vec::new(), settled, HashSet::new());
        assert!(!asked.all(false).unwrap().allows(&of(2, Status::Local)));
        // What nobody can read may be a transaction: it needs the second box too.
        let odd = HashSet::from(["7.5".to_owned()]);
        let asked = Asked::new(TransactionId(1), Vec::new(), settled, odd.clone());
        assert_eq!(asked.clone().all(false), None);
        assert_eq!(asked.clone().all(true).unwrap().unreadable(), &odd);
        assert!(asked.settled().unreadable().is_empty());
    }

    #[test]
    fn is_forgotten_after_more_than_a_year() {
        let day = |millis| Remembered::since(Moment::new(millis, 0).unwrap());
        assert_eq!(day(1_795_428_000_000), Remembered { day: 20_780 });
        assert_eq!(day(1_795_428_000_000).oldest(), Remembered { day: 20_380 });
        assert_eq!(day(0).oldest(), Remembered { day: 0 });
        assert_eq!(serde_json::to_string(&day(0)).unwrap(), "{\"day\":0}");
    }

    proptest! {
        #[test]
        fn keys_differ_where_transactions_do(one in arbitrary::transaction(Just(0_i16)), other in arbitrary::transaction(Just(0_i16))) {
            prop_assert_eq!(cleared_key(&bus(), &one) == cleared_key(&bus(), &other), one == other);
        }
    }
}
