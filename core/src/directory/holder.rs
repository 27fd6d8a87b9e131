//! Who has an item: what was downloaded, and over it what was recorded since.

use super::record::{Item, Loan, Patron};
use crate::{
    desk::{
        amount::{Amount, Cents},
        barcode::{Cardnumber, same_code},
        clock::DeskTime,
        transaction::{Action, Moment, TransactionId},
        zone::Zone,
    },
    log::{Entry, commit::Batch, order, status::State},
    ordered::{self, Gather},
};
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};

/// What the log knows that Koha's lists did not when they were downloaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangesSinceDownload {
    /// As of when. `None` where nothing was downloaded: then only what is not in Koha yet
    /// counts, as nobody knows what became of the rest.
    as_of: Option<DeskTime>,
    /// What was committed since then, though it was recorded before.
    committed: HashSet<TransactionId>,
}

impl ChangesSinceDownload {
    /// Since a download that began then, given the commits that are remembered.
    pub(super) fn new(as_of: Option<DeskTime>, batches: &[Batch]) -> Self {
        // One that was broken off has no end: when it began is the best that is known.
        let last = |batch: &Batch| batch.end.as_ref().map_or(batch.started, |end| end.at).time();
        let since = batches.iter().filter(|batch| as_of.is_some_and(|as_of| last(batch) >= as_of));
        Self { as_of, committed: since.flat_map(|batch| batch.transactions.iter().copied()).collect() }
    }

    /// Whether the records cannot know of this transaction yet.
    pub(super) fn counts(&self, entry: &Entry) -> bool {
        let is_recorded_since = || self.as_of.is_some_and(|as_of| entry.transaction.moment.time() >= as_of);
        match entry.status.state() {
            State::Deleted | State::Rejected => false,
            state => state.is_open() || is_recorded_since() || self.committed.contains(&entry.id),
        }
    }
}

impl Patron {
    /// Whether this code stands for them: their cardnumber, or their user name.
    pub(super) fn goes_by(&self, code: &str) -> bool {
        [&self.cardnumber, &self.userid].into_iter().any(|own| !own.is_empty() && same_code(own, code))
    }
}

/// Somebody at the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PatronAtDesk<'a> {
    /// The code that was scanned.
    pub(super) code: &'a str,
    /// Whose it is, where it is known.
    pub(super) patron: Option<&'a Patron>,
    /// Whether patrons were downloaded: only then a code that nobody has is nobody's.
    pub(super) knows_patrons: bool,
}

impl PatronAtDesk<'_> {
    /// Whether they are certainly not the patron of this number.
    pub(super) fn is_not(&self, patron: u32) -> bool {
        self.patron.map_or(self.knows_patrons, |known| known.id != patron)
    }

    /// Whether this code stands for them too.
    pub(super) fn goes_by(&self, code: &str) -> bool {
        same_code(self.code, code) || self.patron.is_some_and(|patron| patron.goes_by(code))
    }

    /// The codes under which the log may have them. It is looked up there letter by letter, so both cases are named.
    pub(super) fn codes(&self) -> Vec<String> {
        let own = self.patron.into_iter().flat_map(|patron| [patron.cardnumber.as_str(), patron.userid.as_str()]);
        let codes = own.chain([self.code]).map(str::trim).filter(|code| !code.is_empty());
        codes.flat_map(|code| [code.to_owned(), code.to_uppercase(), code.to_lowercase()]).into_list()
    }
}

/// Whether what is found for a transaction as it was still means it as it is `now` in the log: it was not taken back, and not
/// corrected to another patron or item.
pub fn is_up_to_date(looked_up: &Entry, now: &Entry) -> bool {
    now.status.state() != State::Deleted && now.transaction.action == looked_up.transaction.action
}

/// Of the transactions of an item, in whatever order, those that came before this one, in the order in which Koha must see
/// them. `None` where this one is not there any more as it is looked up: cleared, taken back or corrected.
pub(super) fn before(mut entries: Vec<Entry>, looked_up: &Entry) -> Option<Vec<Entry>> {
    order::sort(&mut entries);
    let place = entries.iter().position(|entry| entry.id == looked_up.id)?;
    is_up_to_date(looked_up, &entries[place]).then(|| {
        entries.truncate(place);
        entries
    })
}

/// By how many days, as the desk's calendar counts them, something is overdue; `None` where it is not. What was due earlier
/// on the same day is overdue by none.
pub fn overdue(due: Option<DateTime<Utc>>, now: Moment, zone: &impl Zone) -> Option<u32> {
    let due = due.filter(|due| due.timestamp_millis() < now.utc_millis())?.timestamp_millis();
    let due = Moment::new(due, zone.offset_at_utc(due)).ok()?;
    let days = now.local().date().signed_duration_since(due.local().date()).num_days();
    Some(u32::try_from(days).unwrap_or_default())
}

/// What a patron has paid that is not in what was downloaded of their debts.
pub(super) fn paid<'a>(entries: impl IntoIterator<Item = &'a Entry>, since: &ChangesSinceDownload) -> Cents {
    let counted = entries.into_iter().filter(|entry| since.counts(entry));
    counted.filter_map(|entry| entry.transaction.action.amount()).map(Amount::cents).sum()
}

/// Somebody whom an item is about: who has it, or waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom<'a> {
    /// No one.
    Nobody,
    /// The patron of this number.
    Patron(u32),
    /// Whoever has this card, or this user name.
    Card(&'a Cardnumber),
}

/// Who has an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Holder {
    /// Nothing is known of it.
    #[default]
    Nobody,
    /// As it was downloaded: on loan, or not.
    AsDownloaded(Option<Loan>),
    /// It was checked out since.
    CheckedOut {
        /// To whom.
        card: Cardnumber,
        /// When.
        at: Moment,
    },
    /// It came back since.
    CheckedIn,
}

impl Holder {
    /// After these transactions of the item, in the order in which Koha must see them.
    pub(super) fn after(loan: Option<Loan>, entries: &[Entry], since: &ChangesSinceDownload) -> Self {
        let Some(last) = entries.iter().rfind(|entry| since.counts(entry)) else { return Self::AsDownloaded(loan) };
        match &last.transaction.action {
            Action::Issue { cardnumber, .. } => {
                Self::CheckedOut { card: cardnumber.clone(), at: last.transaction.moment }
            }
            Action::Return { .. } => Self::CheckedIn,
            Action::Payment { .. } => Self::AsDownloaded(loan),
        }
    }

    /// Who that is.
    pub(super) fn whom(&self) -> Whom<'_> {
        match self {
            Self::AsDownloaded(Some(loan)) => Whom::Patron(loan.patron),
            Self::CheckedOut { card, .. } => Whom::Card(card),
            Self::Nobody | Self::AsDownloaded(None) | Self::CheckedIn => Whom::Nobody,
        }
    }

    /// Whether somebody else has it.
    pub(super) fn is_another(&self, at_desk: &PatronAtDesk<'_>) -> bool {
        match self.whom() {
            Whom::Nobody => false,
            Whom::Patron(patron) => at_desk.is_not(patron),
            Whom::Card(card) => !at_desk.goes_by(card.as_str()),
        }
    }

    /// Whether anybody has it.
    pub(super) fn is_somebody(&self) -> bool {
        self.whom() != Whom::Nobody
    }
}

/// Something that a patron has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoanLine {
    /// The barcode; empty where a file tells only the title.
    pub barcode: String,
    /// The title; empty where it is not known.
    pub title: String,
    /// Until when, as Koha has it.
    pub due: Option<DateTime<Utc>>,
    /// When it was checked out while Koha could not be reached.
    pub here: Option<Moment>,
}

impl LoanLine {
    /// As it was downloaded.
    pub(super) fn downloaded(loan: &Loan, item: Option<&Item>) -> Self {
        let text = |of_item: fn(&Item) -> &str, of_loan: &str| item.map_or(of_loan, of_item).to_owned();
        Self {
            barcode: text(|item| &item.barcode, ""),
            title: text(|item| &item.title, &loan.title),
            due: loan.due,
            here: None,
        }
    }
}

/// What a patron has: what was downloaded, without what came back since or went to somebody else, and what they were lent
/// since. The earliest due comes first, what was lent here last. `by_item` are the transactions of all these items, those of
/// each in the order in which Koha must see them.
pub(super) fn loans(
    downloaded: Vec<LoanLine>,
    by_item: &HashMap<String, Vec<Entry>>,
    since: &ChangesSinceDownload,
    at_desk: &PatronAtDesk<'_>,
) -> Vec<LoanLine> {
    let mut lent = Vec::new();
    let mut known = HashSet::new();
    for loan in downloaded {
        let key = crate::desk::barcode::folded(&loan.barcode);
        let of_item = by_item.get(&key).map(Vec::as_slice).unwrap_or_default();
        if loan.barcode.is_empty() {
            lent.push(loan);
            continue;
        }
        match Holder::after(None, of_item, since) {
            Holder::Nobody | Holder::AsDownloaded(_) => lent.push(loan),
            // Koha takes that for a renewal.
            Holder::CheckedOut { card, at } if at_desk.goes_by(card.as_str()) => {
                lent.push(LoanLine { here: Some(at), ..loan });
            }
            Holder::CheckedOut { .. } | Holder::CheckedIn => {}
        }
        known.insert(key);
    }
    ordered::sort(&mut lent, |loan| (loan.due.map_or(i64::MAX, |due| due.timestamp_millis()), 0));
    let mut here = Vec::new();
    let mut others: Vec<_> = by_item.iter().filter(|(key, _)| !known.contains(*key)).collect();
    ordered::sort_by_text(&mut others, |(key, _)| (*key).clone());
    for (_, of_item) in others {
        if let Holder::CheckedOut { card, at } = Holder::after(None, of_item, since)
            && at_desk.goes_by(card.as_str())
        {
            let barcode = of_item.iter().find_map(|entry| entry.transaction.action.barcode()).map(ToString::to_string);
            let barcode = barcode.unwrap_or_default();
            here.push(LoanLine { barcode, here: Some(at), ..LoanLine::default() });
        }
    }
    ordered::sort(&mut here, |loan| (loan.here.map_or(i64::MIN, |moment| moment.utc_millis()), 0));
    lent.extend(here);
    lent
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{barcode::Barcode, transaction::Transaction},
        log::{commit::BatchEnd, status::Status},
        settings::form::CommitType,
    };
    use proptest::prelude::*;

    fn entry(id: u32, millis: i64, action: Action) -> Entry {
        let moment = Moment::new(1_795_428_000_000 + millis, 60).unwrap();
        Entry::recorded(TransactionId(id), Transaction { moment, action })
    }

    fn issue(card: &str, item: &str) -> Action {
        Action::Issue { cardnumber: Cardnumber::parse(card).unwrap(), barcode: Barcode::parse(item).unwrap() }
    }

    fn back(item: &str) -> Action {
        Action::Return { barcode: Barcode::parse(item).unwrap() }
    }

    fn by_item(entries: &[Entry]) -> HashMap<String, Vec<Entry>> {
        crate::directory::aside::by_item(entries.to_vec())
    }

    fn since(millis: i64) -> ChangesSinceDownload {
        ChangesSinceDownload {
            as_of: Some(DeskTime::from_millis(1_795_428_000_000 + millis)),
            committed: HashSet::new(),
        }
    }

    fn at_desk<'a>(code: &'a str, patron: Option<&'a Patron>) -> PatronAtDesk<'a> {
        PatronAtDesk { code, patron, knows_patrons: true }
    }

    #[test]
    fn what_was_recorded_since_lies_over_what_was_downloaded() {
        let loan = Some(Loan { patron: 2, ..Loan::default() });
        let after = |entries: &[Entry], at: i64| Holder::after(loan.clone(), entries, &since(at));
        let out = |card: &str, at| Holder::CheckedOut { card: Cardnumber::parse(card).unwrap(), at };
        assert_eq!(after(&[], 0), Holder::AsDownloaded(loan.clone()));
        let entries = [entry(1, 1_000, back("A")), entry(2, 2_000, issue("P1", "A"))];
        assert_eq!(after(&entries, 0), out("P1", entries[1].transaction.moment));
        assert_eq!(after(&entries[..1], 0), Holder::CheckedIn);

        let with = |state: Status| [Entry { status: state, ..entry(1, 1_000, back("A")) }];
        assert_eq!(after(&with(Status::Deleted), 0), Holder::AsDownloaded(loan.clone()));
        assert_eq!(after(&with(Status::Rejected { message: "no".into() }), 0), Holder::AsDownloaded(loan.clone()));
        assert_eq!(after(&with(Status::Success), 5_000), Holder::AsDownloaded(loan.clone()), "Koha told so");
        assert_eq!(after(&with(Status::Success), 500), Holder::CheckedIn);
        assert_eq!(after(&with(Status::Local), 5_000), Holder::CheckedIn, "not in Koha yet");
        let committed = ChangesSinceDownload { committed: [TransactionId(1)].into(), ..since(5_000) };
        assert_eq!(Holder::after(loan.clone(), &with(Status::Success), &committed), Holder::CheckedIn);
    }

    #[test]
    fn commits_since_the_download_count_whenever_they_were_recorded() {
        let at = |millis| Moment::new(1_795_428_000_000 + millis, 60).unwrap();
        let batch = |started, end: Option<i64>, id| Batch {
            started: at(started),
            end: end.map(|end| BatchEnd {
                at: at(end),
                committed: 1,
                rejected: 0,
                in_doubt: 0,
                left: 0,
                message: String::new(),
            }),
            commit_type: CommitType::Apply,
            server: String::new(),
            branchcode: String::new(),
            transactions: vec![TransactionId(id)],
            audit: None,
            queued: Vec::new(),
            handled: None,
        };
        let batches = [
            batch(1_000, Some(2_000), 1),
            batch(1_000, Some(5_000), 2),
            // Broken off before, and after.
            batch(1_000, None, 3),
            batch(6_000, None, 4),
        ];
        let committed = |id| Entry { status: Status::Success, ..entry(id, 0, back("A")) };
        let counts = |as_of, id| ChangesSinceDownload::new(as_of, &batches).counts(&committed(id));
        let as_of = Some(DeskTime::from_millis(1_795_428_003_000));
        assert_eq!([1, 2, 3, 4].map(|id| counts(as_of, id)), [false, true, false, true]);
        assert!(!counts(None, 4), "where nothing was downloaded, nobody knows what became of it");
        assert!(
            ChangesSinceDownload::new(None, &batches).counts(&entry(9, 0, back("A"))),
            "what is not in Koha yet is known"
        );
    }

    #[test]
    fn only_what_came_before_says_who_had_an_item() {
        let entries = vec![entry(3, 3_000, back("A")), entry(1, 1_000, issue("P1", "A")), entry(2, 2_000, back("A"))];
        let ids = |looked_up: &Entry| {
            before(entries.clone(), looked_up).map(|before| before.iter().map(|entry| entry.id.0).collect::<Vec<_>>())
        };
        assert_eq!((ids(&entries[1]), ids(&entries[0])), (Some(vec![]), Some(vec![1, 2])));
        assert_eq!(ids(&entry(9, 3_000, back("A"))), None, "it was cleared");
        assert_eq!(ids(&entry(1, 1_000, issue("P2", "A"))), None, "it was corrected to another patron");
        let moved = Entry { status: Status::Success, ..entry(1, 5_000, issue("P1", "A")) };
        assert!(is_up_to_date(&entries[1], &moved), "the time and the state say nothing of patron and item");
        assert!(!is_up_to_date(&entries[1], &Entry { status: Status::Deleted, ..moved }));
    }

    #[test]
    fn nobody_is_another_by_not_being_known() {
        let anna = Patron { id: 1, cardnumber: "P1".into(), userid: "ann".into(), ..Patron::default() };
        let loan = |patron| Holder::AsDownloaded(Some(Loan { patron, ..Loan::default() }));
        assert!(!loan(1).is_another(&at_desk("P1", Some(&anna))) && loan(2).is_another(&at_desk("P1", Some(&anna))));
        assert!(loan(1).is_another(&at_desk("P9", None)), "no patron has this card");
        assert!(!loan(1).is_another(&PatronAtDesk { knows_patrons: false, ..at_desk("P9", None) }));
        let at = Moment::new(1_795_428_000_000, 60).unwrap();
        let out = |card: &str| Holder::CheckedOut { card: Cardnumber::parse(card).unwrap(), at };
        // Recorded while the records were not at hand, with the user name.
        assert!(!out("ANN").is_another(&at_desk("P1", Some(&anna))));
        assert!(out("P2").is_another(&PatronAtDesk { knows_patrons: false, ..at_desk("P1", None) }));
        let codes = at_desk("p1", Some(&anna)).codes();
        assert_eq!(codes.into_iter().collect::<Vec<_>>(), ["ANN", "P1", "ann", "p1"]);
    }

    #[test]
    fn days_are_those_of_the_desk() {
        struct Fixed;
        impl Zone for Fixed {
            fn offset_at_local(&self, _: chrono::NaiveDateTime) -> i16 {
                60
            }
            fn offset_at_utc(&self, _: i64) -> i16 {
                60
            }
        }
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let now = Moment::new(at("2026-11-25T09:00:00Z").timestamp_millis(), 60).unwrap();
        for (due, days) in [
            ("2026-11-25T09:00:00Z", None),
            ("2026-11-26T22:59:00Z", None),
            ("2026-11-25T08:59:00Z", Some(0)),
            ("2026-11-24T22:59:00Z", Some(1)),
            ("2026-11-24T23:01:00Z", Some(0)),
            ("2026-10-25T22:59:00Z", Some(31)),
        ] {
            assert_eq!(overdue(Some(at(due)), now, &Fixed), days, "{due}");
        }
        assert_eq!(overdue(None, now, &Fixed), None);
    }

    #[test]
    fn what_was_paid_here_is_no_debt() {
        let payment = |amount: &str| Action::Payment {
            cardnumber: Cardnumber::parse("P1").unwrap(),
            amount: Amount::parse(amount).unwrap(),
        };
        let with = |status, entry| Entry { status, ..entry };
        let entries = [
            entry(1, 1_000, payment("3.50")),
            with(Status::Success, entry(2, -1_000, payment("1.00"))),
            with(Status::Success, entry(3, 2_000, payment("0.25"))),
            with(Status::Deleted, entry(4, 3_000, payment("9.00"))),
            entry(5, 4_000, issue("P1", "A")),
        ];
        assert_eq!(paid(&entries, &since(0)), 375);
    }

    #[test]
    fn a_patron_has_what_they_were_lent_and_did_not_bring_back() {
        let due = |day: u32| DateTime::from_timestamp(1_795_000_000 + i64::from(day) * 86_400, 0);
        let loan = |barcode: &str, day| LoanLine { barcode: barcode.into(), due: due(day), ..LoanLine::default() };
        let downloaded = vec![
            loan("A", 9),
            loan("B", 2),
            loan("C", 5),
            loan("D", 7),
            LoanLine { title: "T".into(), ..LoanLine::default() },
        ];
        let entries = [
            entry(1, 1_000, back("b")),
            entry(2, 2_000, issue("P2", "C")),
            entry(3, 3_000, issue("p1", "E")),
            entry(4, 4_000, issue("P1", "F")),
            entry(5, 5_000, back("F")),
            entry(6, 6_000, issue("P2", "G")),
            entry(7, 7_000, issue("P1", "d")),
        ];
        let anna = Patron { id: 1, cardnumber: "P1".into(), ..Patron::default() };
        let has = loans(downloaded, &by_item(&entries), &since(0), &at_desk("ann", Some(&anna)));
        let shown: Vec<_> = has.iter().map(|lent| (lent.barcode.as_str(), lent.here.is_some())).collect();
        assert_eq!(shown, [("D", true), ("A", false), ("", false), ("E", true)]);
    }

    proptest! {
        /// Nobody is shown an item that the log gives to another, and nothing is shown twice.
        #[test]
        fn an_item_is_with_one_patron_at_most(steps in prop::collection::vec((0..3_usize, 0..3_usize, any::<bool>()), 0..20)) {
            let entries: Vec<Entry> = (1..).zip(&steps).map(|(id, (card, item, out))| {
                let (card, item) = (["P1", "P2", "P3"][*card], ["A", "B", "C"][*item]);
                entry(id, i64::from(id) * 1_000, if *out { issue(card, item) } else { back(item) })
            }).collect();
            let mut seen = HashSet::new();
            for card in ["P1", "P2", "P3"] {
                let downloaded = if card == "P1" { vec![LoanLine { barcode: "A".into(), ..LoanLine::default() }] } else { Vec::new() };
                for lent in loans(downloaded, &by_item(&entries), &since(0), &at_desk(card, None)) {
                    prop_assert!(seen.insert(lent.barcode.clone()), "{} twice", lent.barcode);
                    let of_item: Vec<Entry> = entries.iter().filter(|entry| entry.transaction.action.barcode().is_some_and(|barcode| barcode.as_str() == lent.barcode)).cloned().collect();
                    let holder = of_item.last().map(|last| last.transaction.action.cardnumber().map(Cardnumber::as_str));
                    prop_assert_eq!(holder.unwrap_or(Some("P1")), Some(card));
                }
            }
        }
    }
}
