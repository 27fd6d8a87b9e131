//! What Koha was found to hold of what it had said yes to, read back after a commit.

use super::fresh::{Fresh, Part};
use crate::{
    desk::{amount::Cents, transaction::TransactionId},
    ordered,
    stored::Missing,
};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Something that is not as it should be, for a person to look at. Koha said yes to each of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Oddity {
    /// The loan was renewed more often than was asked for: the checkout arrived twice, most likely.
    Renewed {
        /// The day on which it is due now, by Koha's calendar.
        #[serde(skip_serializing_if = "Option::is_none")]
        due: Option<NaiveDate>,
    },
    /// The patron had the item on loan already, and Koha renewed that loan: perhaps once, perhaps more often.
    HadIt {
        /// The day on which it is due now, by Koha's calendar.
        #[serde(skip_serializing_if = "Option::is_none")]
        due: Option<NaiveDate>,
    },
    /// Koha has no such loan, or no such return.
    NoTrace,
    /// The loan is there, and is another patron's.
    OtherPatron,
    /// The loan is there, and is booked at another library.
    OtherLibrary {
        /// Its branch code.
        library: String,
    },
    /// The patron's balance fell by more than was paid: the payment arrived twice, most likely.
    Paid {
        /// By how much more, in hundredths.
        cents: Cents,
    },
    /// It stands in Koha's queue more often than it was sent.
    Queued {
        /// How often.
        times: u32,
    },
}

/// The name of an oddity, as it is stored.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Renewed,
    HadIt,
    NoTrace,
    OtherPatron,
    OtherLibrary,
    Paid,
    Queued,
}

/// An oddity with its transaction, as they are stored: one object.
#[derive(Deserialize)]
struct StoredOdd {
    seq: TransactionId,
    kind: Kind,
    due: Option<NaiveDate>,
    library: Option<String>,
    cents: Option<Cents>,
    times: Option<u32>,
}

impl TryFrom<StoredOdd> for Odd {
    type Error = Missing;
    fn try_from(stored: StoredOdd) -> Result<Self, Missing> {
        let StoredOdd { seq, kind, due, library, cents, times } = stored;
        let oddity = match kind {
            Kind::Renewed => Oddity::Renewed { due },
            Kind::HadIt => Oddity::HadIt { due },
            Kind::NoTrace => Oddity::NoTrace,
            Kind::OtherPatron => Oddity::OtherPatron,
            Kind::OtherLibrary => Oddity::OtherLibrary { library: library.ok_or(Missing("library"))? },
            Kind::Paid => Oddity::Paid { cents: cents.ok_or(Missing("cents"))? },
            Kind::Queued => Oddity::Queued { times: times.ok_or(Missing("times"))? },
        };
        Ok(Self { id: seq, oddity })
    }
}

/// A transaction with what is odd about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredOdd")]
pub struct Odd {
    /// Which.
    #[serde(rename = "seq")]
    pub id: TransactionId,
    /// What.
    #[serde(flatten)]
    pub oddity: Oddity,
}

/// What an audit found: see [`koha::audit`](crate::koha::audit).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Audited {
    /// The number of transactions that were read back.
    pub checked: u32,
    /// The number of those that could not be: payments, and what the account may not see.
    pub unread: u32,
    /// Those that are not as they should be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<Odd>,
    /// What is to be done by hand, as Koha tells it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fresh: Vec<Fresh>,
    /// What Koha does not tell this account, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silent: Vec<Part>,
}

impl Audited {
    /// Of these alone.
    #[must_use]
    pub fn among(&self, ids: &[TransactionId]) -> Self {
        let ids: HashSet<_> = ids.iter().collect();
        let odd = self.odd.iter().filter(|odd| ids.contains(&odd.id)).cloned().collect();
        let fresh = self.fresh.iter().filter(|fresh| ids.contains(&fresh.id)).cloned().collect();
        Self { odd, fresh, ..self.clone() }
    }

    /// With what Koha said when it checked these in. What was read back afterwards is newer.
    pub fn add_said(&mut self, said: &[Fresh]) {
        let is_read =
            |said: &&Fresh| !self.fresh.iter().any(|fresh| fresh.id == said.id && fresh.numbers.item.is_some());
        let unread: Vec<Fresh> = said.iter().filter(is_read).cloned().collect();
        for said in unread {
            match self.fresh.iter_mut().find(|fresh| fresh.id == said.id) {
                Some(fresh) => fresh.home = said.home,
                None => self.fresh.push(said),
            }
        }
        ordered::sort(&mut self.fresh, |fresh| fresh.id.rank());
    }

    /// Koha does not tell this.
    pub fn is_silent_about(&mut self, part: Part) {
        if let Err(place) = self.silent.binary_search(&part) {
            self.silent.insert(place, part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_stored_by_kind_and_number() {
        let due = NaiveDate::from_ymd_opt(2026, 12, 14);
        let odd = [
            Oddity::Renewed { due },
            Oddity::HadIt { due: None },
            Oddity::NoTrace,
            Oddity::Queued { times: 2 },
            Oddity::OtherPatron,
            Oddity::OtherLibrary { library: "MPL".into() },
            Oddity::Paid { cents: 150 },
        ];
        let odd = odd.into_iter().map(|oddity| Odd { id: TransactionId(7), oddity }).collect();
        let audited = Audited { checked: 9, unread: 1, odd, ..Audited::default() };
        let stored = serde_json::to_value(&audited).unwrap();
        assert_eq!(stored["odd"][0], serde_json::json!({"seq": 7, "kind": "renewed", "due": "2026-12-14"}));
        assert_eq!(stored["odd"][1], serde_json::json!({"seq": 7, "kind": "had-it"}));
        assert_eq!(stored["odd"][3], serde_json::json!({"seq": 7, "kind": "queued", "times": 2}));
        assert_eq!(stored["odd"][5], serde_json::json!({"seq": 7, "kind": "other-library", "library": "MPL"}));
        assert!(stored.get("fresh").is_none() && stored.get("silent").is_none(), "as earlier versions wrote it");
        assert_eq!(serde_json::from_value::<Audited>(stored).unwrap(), audited);
    }

    #[test]
    fn what_was_said_at_the_checkin_stands_where_nothing_newer_was_read() {
        let home = |id, item, home: &str| {
            let numbers = crate::log::fresh::Numbers { item, ..Default::default() };
            Fresh {
                numbers,
                home: Some(home.to_owned()).filter(|home| !home.is_empty()),
                ..Fresh::of(TransactionId(id))
            }
        };
        let mut audited = Audited { fresh: vec![home(3, Some(9), ""), home(4, None, "")], ..Audited::default() };
        audited.add_said(&[home(4, None, "MPL"), home(1, None, "FPL"), home(3, None, "MPL")]);
        let homes: Vec<_> = audited.fresh.iter().map(|fresh| (fresh.id.0, fresh.home.as_deref())).collect();
        assert_eq!(homes, [(1, Some("FPL")), (3, None), (4, Some("MPL"))]);
    }
}
