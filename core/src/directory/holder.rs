//! Who has an item: what was downloaded, and over it what was recorded since.

use super::{
    record::{Item, Loan, Patron},
    warning::Warning,
};
use crate::{
    barcode::{Cardnumber, same_code},
    log::Entry,
    order,
    status::State,
    transaction::{Action, Moment, TransactionId},
};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Since when the log tells more than the records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Since {
    /// As of when the loans were downloaded, in milliseconds since 1970 in UTC.
    pub as_of: i64,
    /// What was committed since then, though it was recorded before.
    pub committed: BTreeSet<TransactionId>,
}

impl Since {
    /// Whether the records cannot know of this transaction yet.
    fn counts(&self, entry: &Entry) -> bool {
        let is_recorded_since = entry.transaction.moment.utc_millis() >= self.as_of;
        match entry.status.state() {
            State::Deleted | State::Rejected => false,
            state => state.is_open() || is_recorded_since || self.committed.contains(&entry.id),
        }
    }
}

/// Who has an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Holder {
    /// Nothing is known of it.
    #[default]
    Nobody,
    /// As it was downloaded: on loan, or not.
    AsDownloaded(Option<Loan>),
    /// It was checked out since, to this card.
    CheckedOut(Cardnumber),
    /// It came back since.
    CheckedIn {
        /// The hold for which it was set aside then.
        set_aside: Option<u32>,
    },
}

impl Holder {
    /// After these transactions of the item, in whatever order they are given.
    pub fn after(loan: Option<Loan>, entries: &[Entry], since: &Since) -> Self {
        let mut counting: Vec<Entry> = entries.iter().filter(|entry| since.counts(entry)).cloned().collect();
        order::sort(&mut counting);
        match counting.pop().map(|last| (last.transaction.action, last.warnings)) {
            Some((Action::Issue { cardnumber, .. }, _)) => Self::CheckedOut(cardnumber),
            Some((Action::Return { .. }, warnings)) => Self::CheckedIn {
                set_aside: warnings.iter().find_map(|warned| match warned.warning {
                    Warning::Hold { hold, .. } => Some(hold),
                    _ => None,
                }),
            },
            Some((Action::Payment { .. }, _)) | None => Self::AsDownloaded(loan),
        }
    }

    /// Whether somebody else than this patron has it.
    pub(super) fn is_another(&self, patron: Option<&Patron>, card: &str) -> bool {
        match self {
            Self::Nobody | Self::AsDownloaded(None) | Self::CheckedIn { .. } => false,
            Self::AsDownloaded(Some(loan)) => patron.is_none_or(|patron| patron.id != loan.patron),
            Self::CheckedOut(holder) => !is_card_of(holder, patron, card),
        }
    }

    pub(super) fn set_aside(&self) -> Option<u32> {
        match self {
            Self::CheckedIn { set_aside } => *set_aside,
            _ => None,
        }
    }

    pub(super) fn is_as_downloaded(&self) -> bool {
        matches!(self, Self::Nobody | Self::AsDownloaded(_))
    }
}

fn is_card_of(holder: &Cardnumber, patron: Option<&Patron>, card: &str) -> bool {
    same_code(holder.as_str(), card) || patron.is_some_and(|patron| same_code(holder.as_str(), &patron.cardnumber))
}

/// Something that a patron has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lent {
    /// The barcode; empty where a file tells only the title.
    pub barcode: String,
    /// The title; empty where it is not known.
    pub title: String,
    /// Until when, as Koha has it.
    pub due: Option<DateTime<Utc>>,
    /// When it was checked out while Koha could not be reached.
    pub here: Option<Moment>,
}

impl Lent {
    /// As it was downloaded.
    pub fn downloaded(loan: &Loan, item: Option<&Item>) -> Self {
        let text = |of_item: fn(&Item) -> &str, of_loan: &str| item.map_or(of_loan, of_item).to_owned();
        Self {
            barcode: text(|item| &item.barcode, ""),
            title: text(|item| &item.title, &loan.title),
            due: loan.due,
            here: None,
        }
    }
}

/// What a patron has: what was downloaded, without what came back since or went to somebody else, and what she was lent
/// since. The earliest due comes first, what was lent here last. `entries` are the transactions of all these items, in
/// whatever order.
pub fn loans(
    downloaded: Vec<Lent>,
    entries: &[Entry],
    since: &Since,
    patron: Option<&Patron>,
    card: &str,
) -> Vec<Lent> {
    let mut by_item: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for entry in entries {
        if let Some(key) = entry.transaction.action.item_key() {
            by_item.entry(key).or_default().push(entry.clone());
        }
    }
    let mut lent = Vec::new();
    let mut known = BTreeSet::new();
    for loan in downloaded {
        let key = crate::barcode::folded(&loan.barcode);
        let of_item = by_item.get(&key).map(Vec::as_slice).unwrap_or_default();
        if loan.barcode.is_empty() {
            lent.push(loan);
            continue;
        }
        match Holder::after(None, of_item, since) {
            Holder::Nobody | Holder::AsDownloaded(_) => lent.push(loan),
            // Koha takes that for a renewal.
            Holder::CheckedOut(holder) if is_card_of(&holder, patron, card) => {
                lent.push(Lent { here: last_issue(of_item, since), ..loan });
            }
            Holder::CheckedOut(_) | Holder::CheckedIn { .. } => {}
        }
        known.insert(key);
    }
    lent.sort_by_key(|loan| (loan.due.is_none(), loan.due));
    let mut here = Vec::new();
    for (key, of_item) in &by_item {
        if known.contains(key) {
            continue;
        }
        if let Holder::CheckedOut(holder) = Holder::after(None, of_item, since)
            && is_card_of(&holder, patron, card)
        {
            let barcode = of_item.iter().find_map(|entry| entry.transaction.action.barcode()).map(ToString::to_string);
            let barcode = barcode.unwrap_or_default();
            here.push(Lent { barcode, here: last_issue(of_item, since), ..Lent::default() });
        }
    }
    here.sort_by_key(|loan| loan.here.map(|moment| moment.utc_millis()));
    lent.extend(here);
    lent
}

fn last_issue(entries: &[Entry], since: &Since) -> Option<Moment> {
    let issues = entries.iter().filter(|entry| since.counts(entry));
    let issues = issues.filter(|entry| matches!(entry.transaction.action, Action::Issue { .. }));
    issues.map(|entry| entry.transaction.moment).max_by_key(Moment::utc_millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{barcode::Barcode, directory::warning::Warned, status::Status, transaction::Transaction};
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

    fn since(millis: i64) -> Since {
        Since { as_of: 1_795_428_000_000 + millis, committed: BTreeSet::new() }
    }

    #[test]
    fn what_was_recorded_since_lies_over_what_was_downloaded() {
        let loan = Some(Loan { patron: 2, ..Loan::default() });
        let after = |entries: &[Entry], at: i64| Holder::after(loan.clone(), entries, &since(at));
        let out = |card: &str| Holder::CheckedOut(Cardnumber::parse(card).unwrap());
        assert_eq!(after(&[], 0), Holder::AsDownloaded(loan.clone()));
        let entries = [entry(2, 2_000, issue("P1", "A")), entry(1, 1_000, back("A"))];
        assert_eq!(after(&entries, 0), out("P1"), "whatever order they are given in");
        assert_eq!(after(&entries[1..], 0), Holder::CheckedIn { set_aside: None });

        let with = |state: Status| [Entry { status: state, ..entry(1, 1_000, back("A")) }];
        assert_eq!(after(&with(Status::Deleted), 0), Holder::AsDownloaded(loan.clone()));
        assert_eq!(after(&with(Status::Rejected { message: "no".into() }), 0), Holder::AsDownloaded(loan.clone()));
        assert_eq!(after(&with(Status::Success), 5_000), Holder::AsDownloaded(loan.clone()), "Koha told so");
        assert_eq!(after(&with(Status::Success), 500), Holder::CheckedIn { set_aside: None });
        assert_eq!(after(&with(Status::Local), 5_000), Holder::CheckedIn { set_aside: None }, "not in Koha yet");
        let committed = Since { committed: [TransactionId(1)].into(), ..since(5_000) };
        assert_eq!(
            Holder::after(loan.clone(), &with(Status::Success), &committed),
            Holder::CheckedIn { set_aside: None }
        );
    }

    #[test]
    fn what_was_set_aside_is_remembered() {
        let warning = Warning::Hold { hold: 7, pickup: "CPL".into() };
        let aside = Entry { warnings: vec![Warned { warning, confirmed: None }], ..entry(1, 0, back("A")) };
        assert_eq!(Holder::after(None, &[aside], &since(0)), Holder::CheckedIn { set_aside: Some(7) });
    }

    #[test]
    fn a_patron_has_what_she_was_lent_and_did_not_bring_back() {
        let due = |day: u32| DateTime::from_timestamp(1_795_000_000 + i64::from(day) * 86_400, 0);
        let loan = |barcode: &str, day| Lent { barcode: barcode.into(), due: due(day), ..Lent::default() };
        let downloaded =
            vec![loan("A", 9), loan("B", 2), loan("C", 5), loan("D", 7), Lent { title: "T".into(), ..Lent::default() }];
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
        let has = loans(downloaded, &entries, &since(0), Some(&anna), "ann");
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
            let mut seen = BTreeSet::new();
            for card in ["P1", "P2", "P3"] {
                let downloaded = if card == "P1" { vec![Lent { barcode: "A".into(), ..Lent::default() }] } else { Vec::new() };
                for lent in loans(downloaded, &entries, &since(0), None, card) {
                    prop_assert!(seen.insert(lent.barcode.clone()), "{} twice", lent.barcode);
                    let of_item: Vec<Entry> = entries.iter().filter(|entry| entry.transaction.action.barcode().is_some_and(|barcode| barcode.as_str() == lent.barcode)).cloned().collect();
                    let holder = of_item.last().map(|last| last.transaction.action.cardnumber().map(Cardnumber::as_str));
                    prop_assert_eq!(holder.unwrap_or(Some("P1")), Some(card));
                }
            }
        }
    }
}
