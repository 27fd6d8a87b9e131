//! What is kept of Koha's patrons, items, loans and holds: the fields that are shown or that a warning needs, and no others.
//!
//! Where a source does not tell something (an older Koha, an account without the permission, a `borrowers.db`), it is
//! `None`: unknown is never taken for no.

use crate::desk::{amount::Cents, barcode::folded};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The sets of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Set {
    /// People.
    Patrons,
    /// Copies.
    Items,
    /// What is on loan.
    Loans,
    /// Who waits for what.
    Holds,
    /// Until when patrons are restricted, and why.
    Restrictions,
}

impl Set {
    /// All of them, in the order in which they are downloaded: what changes fastest comes last, and so is newest.
    pub const ALL: [Self; 5] = [Self::Patrons, Self::Items, Self::Loans, Self::Holds, Self::Restrictions];
}

/// A patron.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patron {
    /// Koha's number for them.
    pub id: u32,
    /// The number on the card; empty where there is none.
    pub cardnumber: String,
    /// The name for logging in; empty where it is not known.
    pub userid: String,
    /// The family name.
    pub surname: String,
    /// The first name.
    pub firstname: String,
    /// Other names by which they may be looked for: middle name, preferred name.
    pub other_names: String,
    /// The code of the category.
    pub category: String,
    /// The branch code of their library.
    pub library: String,
    /// The last day on which the card is good.
    #[serde(with = "day")]
    pub expires: Option<NaiveDate>,
    /// Whether a restriction holds. Koha's REST API does not say why or until when: a [`Restriction`] may.
    pub restricted: Option<bool>,
    /// The day on which the restriction is over; `None` where it has no end or none is known.
    #[serde(with = "day")]
    pub restricted_until: Option<NaiveDate>,
    /// Why there is a restriction; empty where that is not known.
    pub restriction_comment: String,
    /// Whether the card was reported lost.
    pub card_lost: Option<bool>,
    /// Whether the address is in doubt.
    pub wrong_address: Option<bool>,
    /// What they owe in all; below zero they have credit.
    pub owes: Option<Cents>,
    /// The note for staff.
    pub staff_note: String,
}

impl Patron {
    /// Whether a restriction holds today, as far as is known. On its last day it is over (Koha: `Koha::Patron`, `is_debarred`).
    pub fn is_restricted(&self, today: NaiveDate) -> bool {
        self.restricted == Some(true) && self.restricted_until.is_none_or(|until| until > today)
    }

    /// The name as it is shown: the family name first, as lists have it.
    pub fn name(&self) -> String {
        let name = [&*self.surname, &*self.firstname];
        name.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(", ")
    }
}

/// An item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Koha's number for it.
    pub id: u32,
    /// Its barcode; empty where it has none.
    pub barcode: String,
    /// Koha's number for the title.
    pub biblio: u32,
    /// The title; empty where it is not known.
    pub title: String,
    /// The author.
    pub author: String,
    /// Where it stands.
    pub call_number: String,
    /// What belongs to it: discs, a map.
    pub materials: String,
    /// The branch code of its home library; empty where it is not known, as in rows of earlier versions.
    pub library: String,
    /// What Koha has marked it as; nothing where that is not known, as in rows of earlier versions.
    pub marks: Marks,
}

/// What Koha has marked an item as. A mark that is not here is not known, or not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Marks {
    /// It is lost (`itemlost`).
    pub lost: bool,
    /// It is withdrawn (`withdrawn`).
    pub withdrawn: bool,
    /// It is not for loan, by itself or by its type (`notforloan`).
    pub not_for_loan: bool,
}

impl Marks {
    const LOST: char = 'l';
    const WITHDRAWN: char = 'w';
    const NOT_FOR_LOAN: char = 'n';
}

/// A row of an earlier version ends before them, and only a text can be missing there.
impl From<Marks> for String {
    fn from(marks: Marks) -> Self {
        let letters =
            [(marks.lost, Marks::LOST), (marks.withdrawn, Marks::WITHDRAWN), (marks.not_for_loan, Marks::NOT_FOR_LOAN)];
        letters.into_iter().filter(|(is_marked, _)| *is_marked).map(|(_, letter)| letter).collect()
    }
}

impl From<String> for Marks {
    fn from(letters: String) -> Self {
        Self {
            lost: letters.contains(Self::LOST),
            withdrawn: letters.contains(Self::WITHDRAWN),
            not_for_loan: letters.contains(Self::NOT_FOR_LOAN),
        }
    }
}

/// An open loan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loan {
    /// Koha's number for it, or its place in a file.
    pub id: u32,
    /// Who has it.
    pub patron: u32,
    /// Which item; `None` where a file tells only its title.
    pub item: Option<u32>,
    /// Until when.
    #[serde(with = "second")]
    pub due: Option<DateTime<Utc>>,
    /// Since when.
    #[serde(with = "second")]
    pub since: Option<DateTime<Utc>>,
    /// The title, where no record of the item has it.
    pub title: String,
    /// The call number, likewise.
    pub call_number: String,
}

/// A hold that is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Koha's number for it.
    pub id: u32,
    /// Who waits.
    pub patron: u32,
    /// For which title.
    pub biblio: u32,
    /// For this item alone, or with this item set aside or on its way.
    pub item: Option<u32>,
    /// The branch code of the library where it will be picked up.
    pub pickup: String,
    /// The place in the queue, from 1; 0 once an item is set aside.
    pub priority: u32,
    /// How far it is.
    pub state: HoldState,
    /// Whether it does not count at present.
    pub suspended: bool,
}

/// How far a hold is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HoldState {
    /// No item is set aside yet.
    Placed,
    /// The item stands on the hold shelf.
    Waiting,
    /// The item is on its way to the library of pickup.
    InTransit,
}

/// A restriction, in words of Koha's staff.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restriction {
    /// Whose.
    pub patron: u32,
    /// The day on which it is over; `None` where it has no end.
    #[serde(with = "day")]
    pub until: Option<NaiveDate>,
    /// Why.
    pub comment: String,
}

/// The day on which a restriction is over: Koha writes a day of the year 9999 where it has no end.
pub fn end(day: NaiveDate) -> Option<NaiveDate> {
    (day.year() < 9999).then_some(day)
}

/// By what rows are found besides Koha's number. Keys are 32 bits: a number of Koha's as it is, a code as [`code_key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A patron's cardnumber or user name, or an item's barcode.
    Code,
    /// The patron of a loan or hold.
    Patron,
    /// The item of a loan.
    Item,
    /// The title of a hold.
    Biblio,
}

/// A kind of record.
pub trait Record: Serialize + DeserializeOwned + Clone + 'static {
    /// The set it belongs to.
    const SET: Set;
    /// By what it is found.
    const KEYS: &'static [Key];
    /// The number of texts at its end that rows of earlier versions lack.
    const LATER_TEXTS: usize = 0;

    /// Koha's number for it.
    fn id(&self) -> u32;

    /// Tells each key of [`Record::KEYS`] that it has, perhaps several of a kind.
    fn keys(&self, tell: &mut dyn FnMut(Key, u32));

    /// The code of which the [kinds](crate::desk::kinds) are learned: that on a card or a label.
    fn code(&self) -> Option<&str> {
        None
    }

    /// What it can be found by as a name: the family name first. Empty where names are not looked for.
    fn name(&self) -> Option<String> {
        None
    }
}

/// The key of a cardnumber, user name or barcode: the same for all spellings that Koha takes for the same. Different codes may
/// share a key, so whoever finds a row by it looks at the row.
pub fn code_key(code: &str) -> u32 {
    // FNV-1a: spreads short codes well, and is the same on every machine.
    folded(code.trim()).bytes().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl Record for Patron {
    const SET: Set = Set::Patrons;
    const KEYS: &'static [Key] = &[Key::Code];

    fn id(&self) -> u32 {
        self.id
    }

    fn keys(&self, tell: &mut dyn FnMut(Key, u32)) {
        for code in [&self.cardnumber, &self.userid] {
            if !code.is_empty() {
                tell(Key::Code, code_key(code));
            }
        }
    }

    fn code(&self) -> Option<&str> {
        Some(&self.cardnumber)
    }

    fn name(&self) -> Option<String> {
        Some(format!("{} {} {}", self.surname, self.firstname, self.other_names))
    }
}

impl Record for Item {
    const SET: Set = Set::Items;
    const KEYS: &'static [Key] = &[Key::Code];
    const LATER_TEXTS: usize = 2;

    fn id(&self) -> u32 {
        self.id
    }

    fn keys(&self, tell: &mut dyn FnMut(Key, u32)) {
        if !self.barcode.is_empty() {
            tell(Key::Code, code_key(&self.barcode));
        }
    }

    fn code(&self) -> Option<&str> {
        Some(&self.barcode)
    }
}

impl Record for Loan {
    const SET: Set = Set::Loans;
    const KEYS: &'static [Key] = &[Key::Item, Key::Patron];

    fn id(&self) -> u32 {
        self.id
    }

    fn keys(&self, tell: &mut dyn FnMut(Key, u32)) {
        if let Some(item) = self.item {
            tell(Key::Item, item);
        }
        tell(Key::Patron, self.patron);
    }
}

impl Record for Hold {
    const SET: Set = Set::Holds;
    const KEYS: &'static [Key] = &[Key::Biblio, Key::Patron];

    fn id(&self) -> u32 {
        self.id
    }

    fn keys(&self, tell: &mut dyn FnMut(Key, u32)) {
        tell(Key::Biblio, self.biblio);
        tell(Key::Patron, self.patron);
    }
}

impl Record for Restriction {
    const SET: Set = Set::Restrictions;
    const KEYS: &'static [Key] = &[];

    /// A patron has one.
    fn id(&self) -> u32 {
        self.patron
    }

    fn keys(&self, _: &mut dyn FnMut(Key, u32)) {}
}

/// A day as its number, in few bytes.
mod day {
    use chrono::{Datelike, NaiveDate};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(day: &Option<NaiveDate>, serializer: S) -> Result<S::Ok, S::Error> {
        day.map(|day| day.num_days_from_ce()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
        Ok(Option::deserialize(deserializer)?.and_then(NaiveDate::from_num_days_from_ce_opt))
    }
}

/// A time as whole seconds since 1970.
mod second {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        time.map(|time| time.timestamp()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        Ok(Option::deserialize(deserializer)?.and_then(|second| DateTime::from_timestamp(second, 0)))
    }
}
