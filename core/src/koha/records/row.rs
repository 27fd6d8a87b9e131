//! The four lists of the REST API, and which of their fields are kept.

use super::loose::Loose;
use crate::directory::record::{Hold, HoldState, Item, Loan, Marks, Patron, Record};
use serde::{Deserialize, de::DeserializeOwned};

/// A kind of record that the REST API has a list of.
pub trait Listed: Record {
    /// The list, under `/api/v1/`.
    const LIST: &'static str;
    /// The field with Koha's number.
    const ID: &'static str;
    /// What is asked for besides (header `x-koha-embed`), where this Koha has it.
    const EMBED: Option<&'static str>;
    /// The field that says when the record was changed last; `None` where a list of changes would not tell of what is gone,
    /// as with loans that end every minute.
    const CHANGED: Option<&'static str>;
    /// A row as it comes.
    #[doc(hidden)]
    type Raw: DeserializeOwned;

    /// The record; `None` where the row has no number. Also whether it has what was embedded.
    #[doc(hidden)]
    fn read(raw: Self::Raw) -> Option<(Self, bool)>;
}

macro_rules! raw {
    ($visible:vis $name:ident { $($field:ident),* $(; $nested:ident: $kind:ty)? }) => {
        #[doc(hidden)]
        #[derive(Debug, Clone, Deserialize)]
        #[serde(default)]
        $visible struct $name { $($field: Loose,)* $($nested: Option<$kind>,)? }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: Loose::Nothing,)* $($nested: None,)? }
            }
        }
    };
}

raw!(pub RawPatron {
    patron_id,
    cardnumber,
    userid,
    surname,
    firstname,
    middle_name,
    preferred_name,
    other_name,
    category_id,
    library_id,
    expiry_date,
    restricted,
    patron_card_lost,
    incorrect_address,
    account_balance,
    staff_notes
});

impl Listed for Patron {
    const LIST: &'static str = "patrons";
    const ID: &'static str = "patron_id";
    const EMBED: Option<&'static str> = Some("account_balance");
    const CHANGED: Option<&'static str> = Some("updated_on");
    type Raw = RawPatron;

    fn read(raw: RawPatron) -> Option<(Self, bool)> {
        let firstname = raw.firstname.words();
        let others = [raw.middle_name, raw.preferred_name, raw.other_name].map(Loose::words);
        let others: Vec<String> = others.into_iter().filter(|other| !other.is_empty() && *other != firstname).collect();
        let owes = raw.account_balance.cents();
        let patron = Self {
            id: raw.patron_id.id()?,
            cardnumber: raw.cardnumber.text(),
            userid: raw.userid.text(),
            surname: raw.surname.words(),
            firstname,
            other_names: others.join(" "),
            category: raw.category_id.text(),
            library: raw.library_id.text(),
            expires: raw.expiry_date.day(),
            restricted: raw.restricted.flag(),
            card_lost: raw.patron_card_lost.flag(),
            wrong_address: raw.incorrect_address.flag(),
            owes,
            staff_note: raw.staff_notes.words(),
            ..Self::default()
        };
        Some((patron, owes.is_some()))
    }
}

raw!(RawBiblio { title, subtitle, author });
raw!(pub RawItem {
    item_id,
    external_id,
    biblio_id,
    callnumber,
    materials_notes,
    home_library_id,
    lost_status,
    withdrawn,
    not_for_loan_status,
    effective_not_for_loan_status;
    biblio: RawBiblio
});

impl Listed for Item {
    const LIST: &'static str = "items";
    const ID: &'static str = "item_id";
    const EMBED: Option<&'static str> = Some("biblio");
    const CHANGED: Option<&'static str> = Some("timestamp");
    type Raw = RawItem;

    fn read(raw: RawItem) -> Option<(Self, bool)> {
        let has_title = raw.biblio.is_some();
        let biblio = raw.biblio.unwrap_or_default();
        let (title, subtitle) = (biblio.title.words(), biblio.subtitle.words());
        let item = Self {
            id: raw.item_id.id()?,
            barcode: raw.external_id.text(),
            biblio: raw.biblio_id.id().unwrap_or_default(),
            title: if subtitle.is_empty() { title } else { format!("{title} {subtitle}") },
            author: biblio.author.words(),
            call_number: raw.callnumber.words(),
            materials: raw.materials_notes.words(),
            library: raw.home_library_id.text(),
            marks: Marks {
                lost: raw.lost_status.flag() == Some(true),
                withdrawn: raw.withdrawn.flag() == Some(true),
                // The first by itself, the second also by its type (from 21.11).
                not_for_loan: [raw.not_for_loan_status, raw.effective_not_for_loan_status]
                    .iter()
                    .any(|status| status.flag() == Some(true)),
            },
        };
        Some((item, has_title))
    }
}

raw!(pub RawLoan { checkout_id, patron_id, item_id, due_date, checkout_date });

impl Listed for Loan {
    const LIST: &'static str = "checkouts";
    const ID: &'static str = "checkout_id";
    const EMBED: Option<&'static str> = None;
    const CHANGED: Option<&'static str> = None;
    type Raw = RawLoan;

    fn read(raw: RawLoan) -> Option<(Self, bool)> {
        let loan = Self {
            id: raw.checkout_id.id()?,
            patron: raw.patron_id.id()?,
            item: raw.item_id.id(),
            due: raw.due_date.time(),
            since: raw.checkout_date.time(),
            ..Self::default()
        };
        Some((loan, true))
    }
}

raw!(pub RawHold { hold_id, patron_id, biblio_id, item_id, pickup_library_id, priority, status, suspended });

impl Listed for Hold {
    const LIST: &'static str = "holds";
    const ID: &'static str = "hold_id";
    const EMBED: Option<&'static str> = None;
    const CHANGED: Option<&'static str> = None;
    type Raw = RawHold;

    fn read(raw: RawHold) -> Option<(Self, bool)> {
        let hold = Self {
            id: raw.hold_id.id()?,
            patron: raw.patron_id.id()?,
            biblio: raw.biblio_id.id()?,
            item: raw.item_id.id(),
            pickup: raw.pickup_library_id.text(),
            priority: raw.priority.text().parse().unwrap_or_default(),
            // Koha's column `found`: W waits, T is on its way, P is being processed at the pickup library.
            state: match raw.status.text().as_str() {
                "W" | "P" => HoldState::Waiting,
                "T" => HoldState::InTransit,
                _ => HoldState::Placed,
            },
            suspended: raw.suspended.flag().unwrap_or_default(),
        };
        Some((hold, true))
    }
}
