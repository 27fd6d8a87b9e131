//! What Koha tells, after a commit, of what is to be done by hand. It names nobody: it has Koha's own numbers, and nothing that was
//! not asked for because of a transaction of the log.

use crate::{desk::transaction::TransactionId, log::warned::Warning};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Koha's numbers of what a transaction is about, as far as they are known: its pages are found by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Numbers {
    /// The patron; of a checkin whoever brought it late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patron: Option<u32>,
    /// The item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// The title that the item is a copy of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub biblio: Option<u32>,
}

/// Whether somebody waits for an item that came back, by Koha's list of holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
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

/// What Koha tells of one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fresh {
    /// Which.
    #[serde(rename = "seq")]
    pub id: TransactionId,
    /// What it is about.
    #[serde(flatten)]
    pub numbers: Numbers,
    /// Of what came back. Absent where the holds could not be read, or it is on loan again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldNow>,
    /// The branch code of its home library, where what came back belongs elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// How late it came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Late>,
    /// Whether the checkout ended another patron's loan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_over: Option<TakenOver>,
    /// What a person would have been warned of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
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
