//! The record of one commit: what was brought into Koha when, where and how, and which transactions it was.

use crate::{
    desk::{
        clock::DeskTime,
        transaction::{Moment, TransactionId},
    },
    log::{
        Entry,
        audited::{Audited, Odd, Oddity},
        fresh::Part,
        handled::Handled,
        order::Ordered,
        status::State,
    },
    ordered,
    settings::form::{CommitType, Settings},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// One commit, from the press of the button to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Batch {
    /// When the button was pressed.
    pub started: Moment,
    /// How it ended. Absent while it runs, and for ever where KOCT was closed before.
    pub end: Option<BatchEnd>,
    /// How the transactions came into Koha.
    pub commit_type: CommitType,
    /// The server's address.
    pub server: String,
    /// The library.
    pub branchcode: String,
    /// Those that got an answer or came into doubt; while it runs, those that are to be sent or asked about.
    pub transactions: Vec<TransactionId>,
    /// What Koha was found to hold of them. Absent until it was asked, and for commits of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Audited>,
    /// Under which numbers some of them were seen in Koha's queue.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queued: Vec<Queued>,
    /// The rows of Koha's queue that were processed or deleted. Absent where it was a commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handled: Option<Vec<Handled>>,
}

/// A transaction that was seen in Koha's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// Which.
    #[serde(rename = "seq")]
    pub id: TransactionId,
    /// Koha's number for its row.
    pub number: u64,
}

/// For how long what a commit applied may still be read back with a later one. After that too many reasons for a renewal are
/// there to tell which was ours.
const AUDIT_WITHIN: Duration = Duration::from_hours(24);

/// The number of commits that are remembered; older ones are forgotten one by one.
const REMEMBERED: usize = 500;

/// Of the records with these numbers, in rising order, those that are forgotten when one more begins.
pub fn forgotten(numbers: &[u32]) -> &[u32] {
    &numbers[..(numbers.len() + 1).saturating_sub(REMEMBERED)]
}

/// How a commit ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchEnd {
    /// When.
    pub at: Moment,
    /// Queued or processed, and those found in Koha that had been in doubt.
    pub committed: u32,
    /// Refused by Koha.
    pub rejected: u32,
    /// In doubt since.
    pub in_doubt: u32,
    /// Not sent.
    pub left: u32,
    /// What the person was told.
    pub message: String,
}

impl Batch {
    /// The record of a commit that begins with what is uncommitted: it is to send what is in `Local`, and to ask about what is in
    /// doubt.
    pub fn begin(settings: &Settings, started: Moment, uncommitted: &Ordered) -> Self {
        let may_end = |entry: &&Entry| entry.status.state() == State::Local || entry.status.state().is_doubtful();
        let to_send = uncommitted.iter().filter(may_end);
        Self {
            started,
            end: None,
            commit_type: settings.commit_type,
            server: settings.server.as_str().to_owned(),
            branchcode: settings.branchcode.clone(),
            transactions: to_send.map(|entry| entry.id).collect(),
            audit: None,
            queued: Vec::new(),
            handled: None,
        }
    }

    /// Whether what it applied is to be read back with the next commit, by these settings: it ended before that could be done.
    pub fn wants_audit(&self, settings: &Settings, now: DeskTime) -> bool {
        self.audit.is_none()
            && self.commit_type == CommitType::Apply
            && self.server == settings.server.as_str()
            && self.started.time() >= now.minus(AUDIT_WITHIN)
    }

    /// With what a later commit found of its transactions.
    #[must_use]
    pub fn audited_later(self, audited: &Audited) -> Self {
        let audit = Audited { checked: 0, unread: 0, ..audited.among(&self.transactions) };
        Self { audit: Some(audit), ..self }
    }

    /// Whether Koha can be asked about it by these settings.
    pub fn may_be_asked_about(&self, settings: &Settings) -> bool {
        self.end.is_some() && !self.transactions.is_empty() && self.server == settings.server.as_str()
    }

    /// The library where its loans must be booked, when Koha is asked anew. Of what was applied nobody can say: it is booked at the
    /// library of the session, to which a person may have agreed.
    pub fn must_be_booked_at(&self) -> Option<&str> {
        (self.commit_type == CommitType::Send).then_some(self.branchcode.as_str())
    }

    /// With what Koha told when it was asked anew. Of an older commit nothing is judged any more, of payments, the queue and the
    /// library of what was applied nothing is told but at its end, and what Koha does not tell this time holds as it was told.
    #[must_use]
    pub fn told_again(self, told: &Audited, now: DeskTime) -> Self {
        let before = self.audit.clone().unwrap_or_default();
        let Audited { checked, unread, odd, fresh, silent } = told.among(&self.transactions);
        let is_silent = silent.iter().any(|part| matches!(part, Part::Items | Part::Loans));
        let is_applied = self.commit_type == CommitType::Apply;
        let is_kept = |old: &&Odd| match old.oddity {
            Oddity::Paid { .. } | Oddity::Queued { .. } => true,
            Oddity::OtherLibrary { .. } if is_applied => true,
            _ => is_silent && !odd.contains(old),
        };
        let mut by_id: HashMap<_, _> = fresh.into_iter().map(|fresh| (fresh.id, fresh)).collect();
        for old in before.fresh {
            let new = by_id.remove(&old.id);
            if let Some(now) = old.told_again(new, &silent) {
                by_id.insert(now.id, now);
            }
        }
        let mut fresh: Vec<_> = by_id.into_values().collect();
        ordered::sort(&mut fresh, |fresh| fresh.id.rank());
        let is_recent = self.started.time() >= now.minus(AUDIT_WITHIN);
        let audit = if is_recent {
            let odd = before.odd.iter().filter(is_kept).cloned().chain(odd.iter().cloned()).collect();
            Audited { checked, unread, odd, fresh, silent }
        } else {
            Audited { checked: before.checked, unread: before.unread, odd: before.odd, fresh, silent }
        };
        Self { audit: Some(audit), ..self }
    }

    /// Those of which Koha has told something.
    pub fn told_of(&self) -> Vec<TransactionId> {
        self.audit.iter().flat_map(|audit| &audit.fresh).map(|fresh| fresh.id).collect()
    }

    /// Without what Koha has told of others than these: they are not in the log any more, and no number of a patron outlives them.
    #[must_use]
    pub fn forgetting_others(mut self, there: &HashSet<TransactionId>) -> Self {
        if let Some(audit) = &mut self.audit {
            audit.fresh.retain(|fresh| there.contains(&fresh.id));
        }
        self
    }

    /// Whether it is the record of the same commit, or run: what it applied may have been read back since, and the end of a row that
    /// a run had left without one may have been found out by another.
    pub fn is_of_the_same(&self, other: &Self) -> bool {
        self.as_it_ended() == other.as_it_ended()
    }

    /// Without what may change after it has ended.
    fn as_it_ended(&self) -> Self {
        let is_run = self.handled.is_some();
        let transactions = if is_run { Vec::new() } else { self.transactions.clone() };
        Self { audit: None, transactions, handled: is_run.then(Vec::new), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::fresh::Fresh;
    use std::iter;

    fn batch() -> Batch {
        let settings = Settings::for_tests(CommitType::Apply);
        Batch::begin(&settings, Moment::new(1_795_428_000_000, 60).unwrap(), &Ordered::default())
    }

    #[test]
    fn what_was_broken_off_is_read_back_within_a_day_at_the_same_server() {
        let settings = Settings::for_tests(CommitType::Apply);
        let now = batch().started.time();
        let day = Duration::from_hours(24);
        assert!(batch().wants_audit(&settings, now.plus(day)));
        assert!(!batch().wants_audit(&settings, now.plus(day).plus(Duration::from_secs(1))));
        assert!(!Batch { commit_type: CommitType::Send, ..batch() }.wants_audit(&settings, now));
        assert!(!Batch { server: "https://other.example.org".into(), ..batch() }.wants_audit(&settings, now));
        let odd = [1, 2].map(|id| Odd { id: TransactionId(id), oddity: Oddity::NoTrace }).to_vec();
        let audited = Audited { checked: 7, odd, ..Audited::default() };
        let with = Batch { transactions: iter::once(TransactionId(2)).collect(), ..batch() };
        let later = with.clone().audited_later(&audited);
        assert!(!later.wants_audit(&settings, now) && later.is_of_the_same(&with) && !later.is_of_the_same(&batch()));
        assert_eq!(later.audit.unwrap().odd.iter().map(|odd| odd.id.0).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn what_koha_tells_anew_takes_the_place_of_what_it_told_and_goes_with_the_transactions() {
        let now = batch().started.time();
        let odd = |id, oddity| Odd { id: TransactionId(id), oddity };
        let late = |id| {
            let due = chrono::NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
            Fresh { late: Some(crate::log::fresh::Late { days: 3, due }), ..Fresh::of(TransactionId(id)) }
        };
        let before = Audited {
            checked: 4,
            odd: vec![odd(1, Oddity::NoTrace), odd(2, Oddity::Paid { cents: 100 })],
            fresh: vec![late(1), Fresh::of(TransactionId(2))],
            ..Audited::default()
        };
        let transactions = (1..=3).map(TransactionId).collect();
        let with = Batch { audit: Some(before), transactions, ..batch() };
        let told = Audited {
            checked: 2,
            odd: vec![odd(3, Oddity::NoTrace)],
            fresh: vec![late(3), late(9)],
            ..Audited::default()
        };
        let ids = |batch: &Batch| batch.told_of().into_iter().map(|id| id.0).collect::<Vec<_>>();
        let odds =
            |batch: &Batch| batch.audit.iter().flat_map(|audit| &audit.odd).map(|odd| odd.id.0).collect::<Vec<_>>();
        let anew = with.clone().told_again(&told, now);
        assert_eq!((ids(&anew), odds(&anew)), (vec![2, 3], vec![2, 3]));
        let after_days = with.told_again(&told, now.plus(Duration::from_hours(25)));
        assert_eq!((ids(&after_days), odds(&after_days)), (vec![2, 3], vec![1, 2]));
        assert_eq!(after_days.audit.as_ref().map(|audit| audit.checked), Some(4));
        // The account may read no items any more: what it was told is as it was.
        let silent = Audited { silent: vec![Part::Items], ..Audited::default() };
        let unread = anew.clone().told_again(&silent, now);
        assert_eq!((ids(&unread), odds(&unread)), (ids(&anew), odds(&anew)));
        let cleared = after_days.forgetting_others(&iter::once(TransactionId(2)).collect());
        assert_eq!((ids(&cleared), odds(&cleared)), (vec![2], vec![1, 2]));
        let settings = Settings::for_tests(CommitType::Apply);
        assert!(!cleared.may_be_asked_about(&settings), "it has no end");
    }

    #[test]
    fn the_oldest_is_forgotten_when_there_are_too_many() {
        let numbers: Vec<u32> = (3..).take(REMEMBERED + 1).collect();
        assert_eq!((forgotten(&numbers[..REMEMBERED - 1]), forgotten(&[])), (&[][..], &[][..]));
        assert_eq!((forgotten(&numbers[..REMEMBERED]), forgotten(&numbers)), (&[3][..], &[3, 4][..]));
    }

    #[test]
    fn where_it_was_booked_is_judged_at_its_end_alone() {
        let now = batch().started.time();
        let elsewhere = Odd { id: TransactionId(1), oddity: Oddity::OtherLibrary { library: "MPL".into() } };
        let before = Audited { odd: vec![elsewhere], ..Audited::default() };
        let applied = Batch { audit: Some(before), transactions: vec![TransactionId(1)], ..batch() };
        let queued = Batch { commit_type: CommitType::Send, ..applied.clone() };
        // Whoever applied may have agreed to it.
        assert_eq!((applied.must_be_booked_at(), queued.must_be_booked_at()), (None, Some("CPL")));
        let odds = |batch: Batch| batch.told_again(&Audited::default(), now).audit.unwrap().odd.len();
        assert_eq!((odds(applied), odds(queued)), (1, 0));
    }

    #[test]
    fn the_record_of_an_earlier_version_is_read() {
        let stored = r#"{"started":[1795428000000,60],"end":null,"commitType":"send","server":"https://koha.example.org",
            "branchcode":"CPL","transactions":[1]}"#;
        let started = serde_json::to_string(&batch().started).unwrap();
        let read: Batch = serde_json::from_str(&stored.replace("[1795428000000,60]", &started)).unwrap();
        assert_eq!((read.audit, read.transactions), (None, vec![TransactionId(1)]));
        assert_eq!((read.queued, read.handled), (Vec::new(), None));
    }
}
