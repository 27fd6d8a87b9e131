//! What Koha tells, after a commit, of what is to be done by hand. It names nobody: it has Koha's own numbers, and nothing that was
//! not asked for because of a transaction of the log.

use crate::{desk::transaction::TransactionId, log::warned::Warning, stored::Missing};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::mem;

/// Koha's numbers of what a transaction is about, as far as they are known: its pages are found by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Numbers {
    /// The patron; of a checkin whoever brought it late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patron: Option<u32>,
    /// The item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// The title that the item is a copy of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub biblio: Option<u32>,
}

/// Whether somebody waits for an item that came back, by Koha's list of holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", try_from = "StoredHold")]
pub enum HoldNow {
    /// Somebody does.
    Waits {
        /// Koha's number of the hold.
        hold: u32,
        /// The patron's.
        patron: u32,
        /// The branch code of the library where it will be picked up.
        pickup: String,
    },
    /// Nobody does, or it has been seen to in Koha already.
    Nobody,
}

/// The name of what is told of a hold, as it is stored.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Waits,
    Nobody,
}

/// What is told of a hold, as it is stored: one object.
#[derive(Deserialize)]
struct StoredHold {
    kind: Kind,
    hold: Option<u32>,
    patron: Option<u32>,
    pickup: Option<String>,
}

impl TryFrom<StoredHold> for HoldNow {
    type Error = Missing;
    fn try_from(stored: StoredHold) -> Result<Self, Missing> {
        let StoredHold { kind, hold, patron, pickup } = stored;
        Ok(match kind {
            Kind::Waits => Self::Waits {
                hold: hold.ok_or(Missing("hold"))?,
                patron: patron.ok_or(Missing("patron"))?,
                pickup: pickup.ok_or(Missing("pickup"))?,
            },
            Kind::Nobody => Self::Nobody,
        })
    }
}

/// How late something came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Late {
    /// By how many days.
    pub days: u32,
    /// When it was due, by Koha's calendar.
    pub due: NaiveDate,
}

/// A checkout ended the loan of another patron.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenOver {
    /// Koha's number of that patron, where it still knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
}

/// What Koha tells of one transaction, as it is stored: one object.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredFresh {
    seq: TransactionId,
    patron: Option<u32>,
    item: Option<u32>,
    biblio: Option<u32>,
    hold: Option<HoldNow>,
    home: Option<String>,
    late: Option<Late>,
    taken_over: Option<TakenOver>,
    #[serde(default)]
    warnings: Vec<Warning>,
}

impl From<StoredFresh> for Fresh {
    fn from(stored: StoredFresh) -> Self {
        let StoredFresh { seq, patron, item, biblio, hold, home, late, taken_over, warnings } = stored;
        Self { id: seq, numbers: Numbers { patron, item, biblio }, hold, home, late, taken_over, warnings }
    }
}

/// What Koha tells of one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "StoredFresh")]
pub struct Fresh {
    /// Which.
    #[serde(rename = "seq")]
    pub id: TransactionId,
    /// What it is about.
    #[serde(flatten)]
    pub numbers: Numbers,
    /// Of what came back. Absent where the holds could not be read, or it is on loan again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldNow>,
    /// The branch code of its home library, where what came back belongs elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// How late it came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<Late>,
    /// Whether the checkout ended another patron's loan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_over: Option<TakenOver>,
    /// What a person would have been warned of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

impl Fresh {
    /// Nothing but which it is.
    pub fn of(id: TransactionId) -> Self {
        let (hold, home, late, taken_over) = (None, None, None, None);
        Self { id, numbers: Numbers::default(), hold, home, late, taken_over, warnings: Vec::new() }
    }

    /// Whether it tells of something to be done, or that it is done.
    pub fn says_something(&self) -> bool {
        let Self { hold, home, late, taken_over, warnings, .. } = self;
        let somebody_waits = matches!(hold, Some(HoldNow::Waits { .. }));
        somebody_waits || home.is_some() || late.is_some() || taken_over.is_some() || !warnings.is_empty()
    }

    /// What holds after Koha was asked anew and told this, if anything: what it does not tell this time is as it was.
    pub(super) fn told_again(self, new: Option<Self>, silent: &[Part]) -> Option<Self> {
        let is_silent = |part| silent.contains(&part);
        if new.is_none() && !self.says_something() {
            // It is here for its numbers.
            return Some(self);
        }
        // With items and loans everything goes.
        let knows_item = new.as_ref().is_some_and(|new| new.numbers.item.is_some());
        let is_whole = (is_silent(Part::Items) || is_silent(Part::Loans)) && !knows_item;
        let is_told = new.is_some();
        let is_unasked = is_whole && !is_told;
        let mut now = new.unwrap_or_else(|| Self { numbers: self.numbers, ..Self::of(self.id) });
        if is_whole {
            (now.home, now.late, now.taken_over) = (self.home, self.late, self.taken_over);
            (now.numbers.item, now.numbers.biblio) = (self.numbers.item, self.numbers.biblio);
            now.numbers.patron = now.numbers.patron.or(self.numbers.patron);
        }
        if is_whole || is_silent(Part::Holds) {
            now.hold = now.hold.or(self.hold);
            // Whoever waits for it gets it here.
            now.home = now.home.filter(|_| !matches!(now.hold, Some(HoldNow::Waits { .. })));
        }
        let is_kept = |warning: &Warning| match warning {
            _ if is_unasked => true,
            Warning::OverLimit { .. } => is_silent(Part::Limits),
            Warning::Debts { .. } => is_silent(Part::Debts) || is_silent(Part::Patrons),
            Warning::Waiting | Warning::InTransit => is_whole || is_silent(Part::Holds),
            warning if warning.is_of_patron() => is_silent(Part::Patrons),
            _ => is_whole,
        };
        let is_said = |known: &Warning, warnings: &[Warning]| {
            warnings.iter().any(|warning| mem::discriminant(warning) == mem::discriminant(known))
        };
        for warning in self.warnings.into_iter().filter(is_kept) {
            if !is_said(&warning, &now.warnings) {
                now.warnings.push(warning);
            }
        }
        // What was told and is not told any more is done.
        (is_told || now.says_something()).then_some(now)
    }

    /// Without Koha's numbers: at another server they are those of others.
    #[must_use]
    pub(super) fn without_numbers(self) -> Self {
        let nobody = 0;
        let hold = self.hold.map(|hold| match hold {
            HoldNow::Waits { hold, pickup, .. } => HoldNow::Waits { hold, patron: nobody, pickup },
            HoldNow::Nobody => HoldNow::Nobody,
        });
        let taken_over = self.taken_over.map(|_| TakenOver { from: None });
        Self { numbers: Numbers::default(), hold, taken_over, ..self }
    }
}

/// What Koha may be asked about, and not tell every account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Items by their barcodes.
    Items,
    /// Loans.
    Loans,
    /// Patrons by their cards.
    Patrons,
    /// What they owe.
    Debts,
    /// Holds.
    Holds,
    /// How many loans a patron may have.
    Limits,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Items, Self::Loans, Self::Patrons, Self::Debts, Self::Holds, Self::Limits];
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn full() -> Fresh {
        let warnings = vec![
            Warning::NotForLoan,
            Warning::LostCard,
            Warning::Debts { cents: 700 },
            Warning::OverLimit { loans: 6, limit: 5 },
            Warning::Waiting,
        ];
        Fresh {
            numbers: Numbers { patron: Some(2), item: Some(3), biblio: Some(4) },
            hold: Some(HoldNow::Waits { hold: 5, patron: 6, pickup: "MPL".into() }),
            home: None,
            late: Some(Late { days: 3, due: NaiveDate::from_ymd_opt(2026, 11, 20).unwrap() }),
            taken_over: Some(TakenOver { from: Some(8) }),
            warnings,
            ..Fresh::of(TransactionId(7))
        }
    }

    #[test]
    fn what_koha_does_not_tell_this_time_is_as_it_was() {
        let item_alone = Numbers { item: Some(3), biblio: Some(4), ..Numbers::default() };
        let new = || Some(Fresh { numbers: item_alone, home: Some("FPL".into()), ..Fresh::of(TransactionId(7)) });
        // The account may read nothing of it any more.
        for part in [Part::Items, Part::Loans] {
            assert_eq!(full().told_again(None, &[part]), Some(full()));
        }
        assert_eq!(full().told_again(None, &[]), None, "it is done");
        assert_eq!(full().told_again(new(), &[]), new(), "what was asked last holds");
        let without_holds = full().told_again(new(), &[Part::Holds]).unwrap();
        assert_eq!((without_holds.hold, without_holds.home), (full().hold, None));
        assert_eq!((without_holds.warnings, without_holds.late), (vec![Warning::Waiting], None));
        let of = |part| full().told_again(None, &[part]).unwrap().warnings;
        assert_eq!(of(Part::Patrons), [Warning::LostCard, Warning::Debts { cents: 700 }]);
        assert_eq!(of(Part::Debts), [Warning::Debts { cents: 700 }]);
        assert_eq!(of(Part::Limits), [Warning::OverLimit { loans: 6, limit: 5 }]);
        // By the patrons and their loans alone.
        let by_patron = Fresh { warnings: vec![Warning::LostCard], ..Fresh::of(TransactionId(7)) };
        let told = full().told_again(Some(by_patron), &[Part::Items, Part::Debts, Part::Holds]).unwrap();
        assert_eq!((told.late, told.hold, told.numbers), (full().late, full().hold, full().numbers));
        assert_eq!(told.warnings.iter().filter(|warning| **warning == Warning::LostCard).count(), 1);
    }

    #[test]
    fn at_another_server_nobody_is_found_by_these_numbers() {
        let elsewhere = full().without_numbers();
        assert_eq!((elsewhere.numbers, elsewhere.late), (Numbers::default(), full().late));
        assert_eq!(elsewhere.taken_over, Some(TakenOver { from: None }));
        assert!(matches!(elsewhere.hold, Some(HoldNow::Waits { patron: 0, .. })));
    }

    proptest! {
        /// Where Koha tells nothing, nothing that is to be done is lost.
        #[test]
        fn silence_takes_nothing_away(is_late: bool, is_home: bool, waits: bool, warned in 0..6_usize) {
            let mut before = full();
            before.late = before.late.filter(|_| is_late);
            before.hold = before.hold.filter(|_| waits);
            before.home = is_home.then(|| "FPL".to_owned());
            before.warnings.truncate(warned);
            let expected = Fresh { home: before.home.clone().filter(|_| !waits), ..before.clone() };
            prop_assert_eq!(before.told_again(None, &Part::ALL), Some(expected));
        }
    }

    #[test]
    fn is_stored_with_what_is_known_alone() {
        let plain = Fresh::of(TransactionId(7));
        assert_eq!(serde_json::to_value(&plain).unwrap(), serde_json::json!({"seq": 7}));
        assert!(!plain.says_something());
        assert_eq!(serde_json::from_str::<Fresh>(r#"{"seq":7}"#).unwrap(), plain);
        let nobody = Fresh { hold: Some(HoldNow::Nobody), ..plain.clone() };
        assert!(!nobody.says_something());
        let full = Fresh {
            numbers: Numbers { patron: Some(2), item: Some(3), biblio: Some(4) },
            hold: Some(HoldNow::Waits { hold: 5, patron: 6, pickup: "MPL".into() }),
            home: Some("MPL".into()),
            late: Some(Late { days: 3, due: NaiveDate::from_ymd_opt(2026, 11, 20).unwrap() }),
            taken_over: Some(TakenOver { from: None }),
            warnings: vec![Warning::NotForLoan],
            ..plain
        };
        let stored = serde_json::to_string(&full).unwrap();
        let expected = r#"{"seq":7,"patron":2,"item":3,"biblio":4,"hold":{"kind":"waits","hold":5,"patron":6,"pickup":"MPL"},"home":"MPL","late":{"days":3,"due":"2026-11-20"},"takenOver":{},"warnings":[{"kind":"notForLoan"}]}"#;
        assert_eq!(stored, expected);
        assert_eq!(serde_json::from_str::<Fresh>(&stored).unwrap(), full);
    }
}
