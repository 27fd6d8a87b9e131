//! What Koha said when it checked something in by its own check-in, as the log keeps it. What offline processing says fits in a
//! status; this tells more, and tells it once.

use serde::{Deserialize, Serialize};

/// The most that is kept: Koha has some thirty messages, of which a checkin brings a few.
const MOST: usize = 20;
const LONGEST: usize = 60;

/// What Koha said, by its own keys: those that no version of KOCT knows yet are kept too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CheckedIn {
    /// In Koha's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<String>,
    /// The branch code of the library where the item is to go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl CheckedIn {
    /// Somebody waits for it.
    pub const HOLD: &str = "hold_found";
    /// Somebody has called it back.
    pub const RECALL: &str = "recall_found";
    /// Koha has noted that it goes to another library.
    pub const TRANSFERRED: &str = "transferred";
    /// It is to go to another library, and Koha has not noted that.
    pub const NEEDS_TRANSFER: &str = "needs_transfer";
    /// It was on its way to another library than this.
    pub const WRONG_TRANSFER: &str = "wrong_transfer";
    /// It was lost.
    pub const WAS_LOST: &str = "was_lost";
    /// It is withdrawn.
    pub const WITHDRAWN: &str = "withdrawn";
    /// Whoever brought it is restricted since, since it was late.
    pub const RESTRICTED: &str = "debarred";
    /// It counts as used within the library.
    pub const LOCAL_USE: &str = "local_use";

    /// What goes without saying, or is said by the status.
    const UNTOLD: [&str; 3] = ["was_returned", "not_issued", Self::LOCAL_USE];

    /// With these keys, and that library.
    pub fn of(said: Vec<String>, to: Option<String>) -> Self {
        let short = |text: String| text.chars().filter(|sign| !sign.is_control()).take(LONGEST).collect::<String>();
        Self { said: said.into_iter().take(MOST).map(short).collect(), to: to.map(short) }
    }

    /// What a person wants to know.
    pub fn to_tell(&self) -> impl Iterator<Item = &str> {
        self.said.iter().map(String::as_str).filter(|key| !Self::UNTOLD.contains(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::Barcode,
            transaction::{Action, Moment, Transaction, TransactionId},
        },
        log::{Entry, status::Status},
    };

    fn entry() -> Entry {
        let action = Action::Return { barcode: Barcode::parse("B").unwrap() };
        let moment = Moment::new(1_795_428_000_000, 60).unwrap();
        Entry { status: Status::Success, ..Entry::recorded(TransactionId(1), Transaction { moment, action }) }
    }

    #[test]
    fn is_stored_with_the_entry_and_an_entry_of_before_has_none() {
        let stored = serde_json::to_value(entry()).unwrap();
        assert!(stored.get("checkin").is_none(), "as earlier versions wrote it");
        assert_eq!(serde_json::from_value::<Entry>(stored).unwrap().checkin, None);
        let told = CheckedIn::of(vec!["hold_found".into(), "new_word".into()], Some("MPL".into()));
        let told = entry().checked_in(told, Some((5, "MPL".into())));
        let read: Entry = serde_json::from_value(serde_json::to_value(&told).unwrap()).unwrap();
        assert_eq!((&read, read.set_aside()), (&told, Some((5, "MPL"))));
        assert_eq!(read.checkin.as_ref().unwrap().to_tell().collect::<Vec<_>>(), ["hold_found", "new_word"]);
        assert_eq!(read.told_at_checkin().unwrap().home.as_deref(), Some("MPL"));
        // The hold that is found now is the one that counts.
        let later = told.checked_in(CheckedIn::default(), Some((6, "CPL".into())));
        assert_eq!((later.set_aside(), later.warnings.len()), (Some((6, "CPL")), 1));
    }

    #[test]
    fn no_server_fills_the_disk() {
        let told = CheckedIn::of(vec!["é\n".repeat(500); 500], None);
        assert_eq!((told.said.len(), told.said[0].chars().count()), (MOST, LONGEST));
        assert_eq!(CheckedIn::of(vec!["was_returned".into()], None).to_tell().count(), 0);
    }
}
