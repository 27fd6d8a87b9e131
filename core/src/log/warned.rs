//! What a person was warned of, as the log keeps it. Who is warned of what is decided in [`directory`](crate::directory).

use crate::{
    desk::{amount::Cents, clock::DeskTime, transaction::Moment},
    stored::Missing,
};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// A warning, as the log keeps it. It names no person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", try_from = "StoredWarning")]
pub enum Warning {
    /// No patron has this card.
    UnknownCard,
    /// The card was good until this day.
    Expired {
        /// Its last day.
        on: NaiveDate,
    },
    /// The patron is restricted.
    Restricted {
        /// The day on which that is over; absent where it has no end or none is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<NaiveDate>,
    },
    /// The card was reported lost.
    LostCard,
    /// The patron owes more than the limit.
    Debts {
        /// How much, in hundredths.
        cents: Cents,
    },
    /// The address is in doubt.
    WrongAddress,
    /// No item has this barcode.
    UnknownItem,
    /// The barcode is a patron's card, and of no item that is known: the card was lent as an item.
    PatronCard,
    /// The item is on loan to another.
    OnLoan,
    /// The patron has more on loan than they may.
    OverLimit {
        /// How many.
        loans: u32,
        /// How many they may have.
        limit: u32,
    },
    /// The item is not for loan.
    NotForLoan,
    /// Koha has marked the item as lost.
    LostItem,
    /// Koha has marked the item as withdrawn.
    Withdrawn,
    /// The item stands on the hold shelf for another.
    Waiting,
    /// The item is on its way to a library where another will pick it up.
    InTransit,
    /// The item that came back is on hold and is to be set aside.
    Hold {
        /// Koha's number of the hold.
        hold: u32,
        /// The branch code of the library where it will be picked up.
        pickup: String,
    },
}

/// How much a warning asks of the person at the desk, the gravest first. Nothing is ever kept from being recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// To be answered: lent all the same, or taken back.
    Stop,
    /// To be looked at. Whoever goes on has seen it.
    Careful,
    /// To be done with what is in the hand.
    Do,
    /// Only said.
    Note,
}

impl Grade {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Stop, Self::Careful, Self::Do, Self::Note];

    /// As the pages mark it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Careful => "careful",
            Self::Do => "do",
            Self::Note => "note",
        }
    }
}

/// What a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The patron, whatever they take.
    Patron,
    /// The item, whoever takes it.
    Item,
    /// This patron and this item.
    Both,
}

impl Warning {
    /// What it is about.
    pub fn about(&self) -> About {
        match self {
            Self::UnknownCard
            | Self::Expired { .. }
            | Self::Restricted { .. }
            | Self::LostCard
            | Self::Debts { .. }
            | Self::OverLimit { .. }
            | Self::WrongAddress => About::Patron,
            Self::UnknownItem
            | Self::PatronCard
            | Self::NotForLoan
            | Self::LostItem
            | Self::Withdrawn
            | Self::Hold { .. } => About::Item,
            Self::OnLoan | Self::Waiting | Self::InTransit => About::Both,
        }
    }

    /// What it asks for.
    pub fn grade(&self) -> Grade {
        match self {
            // What was scanned after a card went to the patron before it.
            Self::LostCard | Self::Restricted { .. } | Self::PatronCard | Self::Waiting | Self::InTransit => {
                Grade::Stop
            }
            Self::UnknownCard
            | Self::Expired { .. }
            | Self::Debts { .. }
            | Self::OverLimit { .. }
            | Self::UnknownItem
            | Self::NotForLoan
            | Self::LostItem
            | Self::Withdrawn
            | Self::OnLoan => Grade::Careful,
            Self::Hold { .. } => Grade::Do,
            Self::WrongAddress => Grade::Note,
        }
    }

    /// Whether a person has to answer it.
    pub fn is_stop(&self) -> bool {
        self.grade() == Grade::Stop
    }

    /// Whether whoever has confirmed this has confirmed the other as well: the same, or less that is owed.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Debts { cents }, Self::Debts { cents: other }) => other <= cents,
            _ => self == other,
        }
    }

    /// Whether it is about the patron: then confirming it once holds for all that they take out.
    pub fn is_of_patron(&self) -> bool {
        self.about() == About::Patron
    }
}

/// As of when something was known that was scanned at this moment, where that is worth a word: of the same day it is fresh.
pub fn age(as_of: Option<DeskTime>, scanned: Moment) -> Option<DeskTime> {
    let day = |millis: i64| Moment::new(millis, scanned.offset_minutes()).ok().map(|moment| moment.local().date());
    as_of.filter(|as_of| day(as_of.millis()) < day(scanned.utc_millis()))
}

/// The name of a warning, as it is stored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    UnknownCard,
    Expired,
    Restricted,
    LostCard,
    Debts,
    WrongAddress,
    UnknownItem,
    PatronCard,
    OnLoan,
    OverLimit,
    NotForLoan,
    LostItem,
    Withdrawn,
    Waiting,
    InTransit,
    Hold,
}

/// A warning as it is stored, with what a [`Warned`] has beside it: one object.
#[derive(Deserialize)]
struct StoredWarning {
    kind: Kind,
    on: Option<NaiveDate>,
    until: Option<NaiveDate>,
    cents: Option<Cents>,
    loans: Option<u32>,
    limit: Option<u32>,
    hold: Option<u32>,
    pickup: Option<String>,
    confirmed: Option<Moment>,
    #[serde(rename = "asOf")]
    as_of: Option<DeskTime>,
}

impl TryFrom<StoredWarning> for Warning {
    type Error = Missing;
    fn try_from(stored: StoredWarning) -> Result<Self, Missing> {
        let StoredWarning { kind, on, until, cents, loans, limit, hold, pickup, .. } = stored;
        Ok(match kind {
            Kind::UnknownCard => Self::UnknownCard,
            Kind::Expired => Self::Expired { on: on.ok_or(Missing("on"))? },
            Kind::Restricted => Self::Restricted { until },
            Kind::LostCard => Self::LostCard,
            Kind::Debts => Self::Debts { cents: cents.ok_or(Missing("cents"))? },
            Kind::WrongAddress => Self::WrongAddress,
            Kind::UnknownItem => Self::UnknownItem,
            Kind::PatronCard => Self::PatronCard,
            Kind::OnLoan => Self::OnLoan,
            Kind::OverLimit => {
                Self::OverLimit { loans: loans.ok_or(Missing("loans"))?, limit: limit.ok_or(Missing("limit"))? }
            }
            Kind::NotForLoan => Self::NotForLoan,
            Kind::LostItem => Self::LostItem,
            Kind::Withdrawn => Self::Withdrawn,
            Kind::Waiting => Self::Waiting,
            Kind::InTransit => Self::InTransit,
            Kind::Hold => Self::Hold { hold: hold.ok_or(Missing("hold"))?, pickup: pickup.ok_or(Missing("pickup"))? },
        })
    }
}

impl TryFrom<StoredWarning> for Warned {
    type Error = Missing;
    fn try_from(stored: StoredWarning) -> Result<Self, Missing> {
        let (confirmed, as_of) = (stored.confirmed, stored.as_of);
        Ok(Self { warning: stored.try_into()?, confirmed, as_of })
    }
}

/// A warning that was given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "StoredWarning")]
pub struct Warned {
    /// Of what.
    #[serde(flatten)]
    pub warning: Warning,
    /// When a person confirmed it: answered it, or went on, where that is enough. Absent while nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Moment>,
    /// As of when that was known, where it was not of the day of the scan: earlier versions did not keep it.
    #[serde(rename = "asOf", skip_serializing_if = "Option::is_none")]
    pub as_of: Option<DeskTime>,
}

impl Warned {
    /// Known as of then, as the [`age`] of it says.
    #[must_use]
    pub fn known_as_of(self, as_of: Option<DeskTime>) -> Self {
        Self { as_of, ..self }
    }

    /// The gravest of these that is more than only said: of those that are as grave, what is about the item, which is in the hand.
    pub fn gravest(warnings: &[Self]) -> Option<&Warning> {
        let all = warnings.iter().map(|warned| &warned.warning);
        let gravest = all.min_by_key(|warning| (warning.grade(), warning.is_of_patron()))?;
        (gravest.grade() != Grade::Note).then_some(gravest)
    }

    /// The age of what is warned of: the oldest, where one is not of the day of its scan.
    pub fn oldest<'a>(warnings: impl IntoIterator<Item = &'a Self>) -> Option<DeskTime> {
        warnings.into_iter().filter_map(|warned| warned.as_of).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn its_age_is_kept_where_it_is_not_of_the_day_of_the_scan() {
        // Half past midnight, by the clock of the desk.
        let scanned = Moment::new(1_795_428_000_000 - 37_800_000, 60).unwrap();
        assert_eq!(scanned.local().to_string(), "2026-11-23 00:30:00");
        let of = |minutes: i64| {
            let as_of = DeskTime::from_millis(scanned.utc_millis() - minutes * 60_000);
            let warned = Warned { warning: Warning::OnLoan, confirmed: None, as_of: None };
            warned.known_as_of(age(Some(as_of), scanned))
        };
        assert_eq!([of(30), of(-600)].map(|warned| warned.as_of), [None; 2]);
        let old = of(31);
        assert!(old.as_of.is_some());
        assert_eq!(Warned::oldest(&[of(5), old.clone(), of(2_000)]), of(2_000).as_of);
        assert_eq!(Warned::oldest(&[of(5)]), None);
        let json = serde_json::to_string(&old).unwrap();
        assert_eq!(serde_json::from_str::<Warned>(&json).unwrap(), old);
    }

    #[test]
    fn the_gravest_is_named_and_of_two_that_of_the_item() {
        let gravest = |warnings: &[Warning]| {
            let of = |warning: &Warning| Warned { warning: warning.clone(), confirmed: None, as_of: None };
            Warned::gravest(&warnings.iter().map(of).collect::<Vec<_>>()).cloned()
        };
        let (owes, card, address) = (Warning::Debts { cents: 500 }, Warning::LostCard, Warning::WrongAddress);
        assert_eq!(gravest(&[owes.clone(), address.clone(), card.clone(), Warning::OnLoan]), Some(card));
        assert_eq!(gravest(&[owes.clone(), Warning::OnLoan]), Some(Warning::OnLoan));
        assert_eq!(gravest(&[owes.clone(), Warning::UnknownCard]), Some(owes), "the first of two that are alike");
        assert_eq!((gravest(&[address]), gravest(&[])), (None, None), "what is only said is no warning");
    }

    #[test]
    fn is_stored_flat() {
        let warned = Warned {
            warning: Warning::Hold { hold: 7, pickup: "MPL".into() },
            confirmed: Some(Moment::new(1_795_428_000_000, 60).unwrap()),
            as_of: None,
        };
        let json = serde_json::to_string(&warned).unwrap();
        assert_eq!(json, r#"{"kind":"hold","hold":7,"pickup":"MPL","confirmed":{"utc":1795428000000,"offset":60}}"#);
        assert_eq!(serde_json::from_str::<Warned>(&json).unwrap(), warned);
        let expired = Warned { warning: Warning::Expired { on: day("2020-01-31") }, confirmed: None, as_of: None };
        assert_eq!(serde_json::to_string(&expired).unwrap(), r#"{"kind":"expired","on":"2020-01-31"}"#);
    }
}
