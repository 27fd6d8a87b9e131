//! A row of what is left to do, and what it offers.

use super::group::Group;
use chrono::NaiveDate;

use crate::{
    desk::{
        clock::DeskTime,
        transaction::{Action, TransactionId},
    },
    log::{
        Entry,
        audited::Oddity,
        fresh::{Fresh, HoldNow, TakenOver},
        status::{BLOCKED, NEEDS_PERSON, NO_ITEM, NO_PATRON, Status},
        warned::{Grade, Warning},
    },
};

/// Why Koha refused something, as far as that tells what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Koha has no such card.
    NoPatron,
    /// Koha has no such barcode.
    NoItem,
    /// It was not on loan: nothing is to be done.
    NotOnLoan,
    /// It was not on loan, and so Koha still has it as lost.
    Lost,
    /// Koha does not check it in without somebody who looks at it.
    ByHand,
    /// Something else.
    Other,
}

impl Refusal {
    /// Why this one was refused. `None` where it was not.
    pub fn of(entry: &Entry) -> Option<Self> {
        let Status::Rejected { message } = &entry.status else { return None };
        let has_card = entry.transaction.action.cardnumber().is_some();
        let has_barcode = entry.transaction.action.barcode().is_some();
        let is_lost = entry.warnings.iter().any(|warned| warned.warning == Warning::LostItem);
        Some(match message.as_str() {
            NO_PATRON if has_card => Self::NoPatron,
            message if has_barcode && NO_ITEM.contains(&message) => Self::NoItem,
            // Koha's own check-in would have found it.
            _ if entry.was_not_on_loan() && is_lost && entry.checkin.is_none() => Self::Lost,
            _ if entry.was_not_on_loan() => Self::NotOnLoan,
            message if [BLOCKED, NEEDS_PERSON].iter().any(|words| message.starts_with(words)) => Self::ByHand,
            _ => Self::Other,
        })
    }
}

/// A page of Koha's where something is done about a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KohaPage {
    /// The patron of this number.
    Patron(u32),
    /// Their account.
    Account(u32),
    /// An item.
    Item {
        /// Its number.
        item: u32,
        /// That of its title.
        biblio: u32,
    },
    /// Where items are checked in.
    Checkin,
}

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It may or may not be in Koha.
    InDoubt,
    /// Koha refused it.
    Refused(Refusal),
    /// It is set aside for a hold.
    SetAside {
        /// The branch code of the library where it will be picked up.
        pickup: String,
        /// Koha says that nobody waits for it any more.
        is_over: bool,
    },
    /// It belongs to the library of this branch code.
    Transfer(String),
    /// Koha would not have made this loan because of these, or has ended another patron's for it.
    Loan(Vec<Warning>, Option<TakenOver>),
    /// There were these warnings of the patron.
    Patron(Vec<Warning>),
    /// It came back late.
    Late {
        /// By how many days.
        days: u32,
        /// When it was due, where Koha has told.
        due: Option<NaiveDate>,
    },
    /// This is odd in Koha.
    ReadBack(Vec<Oddity>),
    /// It is in Koha.
    Payment,
}

/// What can be done about a row, apart from ticking it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// To say that it is in Koha.
    IsInKoha,
    /// To say that it is not, and send it again.
    NotInKoha,
    /// To look for the patron by name.
    FindPatron,
    /// To look for the item by its title.
    FindItem,
    /// To correct it.
    Change,
    /// To settle it.
    Settle,
    /// To send it again.
    TryAgain,
    /// To take it back.
    Drop,
    /// To copy the barcode, to be checked in in Koha.
    CopyBarcode,
    /// To look into Koha's queue, where it stands too often.
    OpenQueue,
}

impl Offer {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::IsInKoha,
        Self::NotInKoha,
        Self::FindPatron,
        Self::FindItem,
        Self::Change,
        Self::Settle,
        Self::TryAgain,
        Self::Drop,
        Self::CopyBarcode,
        Self::OpenQueue,
    ];

    /// Its name in `data-offer`.
    pub fn name(self) -> &'static str {
        match self {
            Self::IsInKoha => "is-in-koha",
            Self::NotInKoha => "not-in-koha",
            Self::FindPatron => "find-patron",
            Self::FindItem => "find-item",
            Self::Change => "change",
            Self::Settle => "settle",
            Self::TryAgain => "try-again",
            Self::Drop => "drop",
            Self::CopyBarcode => "copy-barcode",
            Self::OpenQueue => "open-queue",
        }
    }

    /// The offer of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|offer| offer.name() == name)
    }
}

/// Who and what can be looked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Knows {
    /// Patrons.
    pub patrons: bool,
    /// Items.
    pub items: bool,
}

/// What the names of a row follow from: while it is the same, so are they.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NamedBy {
    /// Where it stands.
    pub group: Group,
    /// The first transaction that it is about. Its item and its patron may be corrected.
    pub id: TransactionId,
    /// Whom Koha names.
    pub patron: Option<u32>,
    /// The hold for which the item is set aside.
    pub hold: Option<u32>,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it stands.
    pub group: Group,
    /// The transactions that it is about.
    pub ids: Vec<TransactionId>,
    /// The first of them.
    pub entry: Entry,
    /// What it is about.
    pub what: What,
    /// As of when that was known, where it comes from the records and they were not of the day of the scan. Absent where Koha has
    /// said the same since.
    pub as_of: Option<DeskTime>,
    /// What Koha tells of it.
    pub fresh: Option<Fresh>,
    /// Whether a person has ticked it off.
    pub is_ticked: bool,
}

fn is_in_queue(oddity: &Oddity) -> bool {
    matches!(oddity, Oddity::Queued { .. })
}

impl Row {
    /// How much it matters.
    pub fn grade(&self) -> Grade {
        match &self.what {
            What::Refused(Refusal::NotOnLoan) | What::Late { .. } | What::Payment => Grade::Note,
            What::Refused(_) => Grade::Stop,
            What::SetAside { .. } | What::Transfer(_) => Grade::Do,
            What::InDoubt | What::Patron(_) | What::Loan(..) | What::ReadBack(_) => Grade::Careful,
        }
    }

    /// What it offers, what helps most first. Nothing is looked for where none is known.
    pub fn offers(&self, knows: Knows) -> &'static [Offer] {
        match &self.what {
            What::InDoubt => &[Offer::IsInKoha, Offer::NotInKoha],
            What::Refused(Refusal::NoPatron) if knows.patrons => &[Offer::FindPatron, Offer::Drop],
            What::Refused(Refusal::NoItem) if knows.items => &[Offer::FindItem, Offer::Drop],
            What::Refused(Refusal::NoPatron | Refusal::NoItem) => &[Offer::Change, Offer::Drop],
            What::Refused(Refusal::NotOnLoan) => &[Offer::Settle, Offer::Change],
            What::Refused(Refusal::Lost) => &[Offer::CopyBarcode, Offer::Settle],
            What::Refused(Refusal::ByHand) => &[Offer::CopyBarcode, Offer::Drop, Offer::TryAgain],
            What::Refused(Refusal::Other) => &[Offer::Change, Offer::TryAgain],
            What::SetAside { is_over: false, .. } | What::Transfer(_) if !self.is_ticked => &[Offer::CopyBarcode],
            What::ReadBack(odd) if !self.is_ticked && odd.iter().any(is_in_queue) => &[Offer::OpenQueue],
            What::SetAside { .. }
            | What::Transfer(_)
            | What::Patron(_)
            | What::Loan(..)
            | What::Late { .. }
            | What::ReadBack(_)
            | What::Payment => &[],
        }
    }

    /// Koha's number of the patron whom Koha names for it, which counts more than whom the records have: who waits for an item now,
    /// who brought it late, or whose loan was ended.
    pub fn patron_by_koha(&self) -> Option<u32> {
        let fresh = self.fresh.as_ref();
        match &self.what {
            What::SetAside { .. } => match fresh?.hold.as_ref()? {
                HoldNow::Waits { patron, .. } => Some(*patron),
                HoldNow::Nobody => None,
            },
            What::Late { .. } => fresh?.numbers.patron,
            What::Loan(_, taken_over) => (*taken_over)?.from,
            _ => None,
        }
    }

    /// What its names follow from, beside what was recorded.
    pub fn named_by(&self) -> NamedBy {
        let hold = self.entry.set_aside().map(|(hold, _)| hold);
        NamedBy { group: self.group, id: self.entry.id, patron: self.patron_by_koha(), hold }
    }

    /// The page of Koha's where something is done about it, where it can be found.
    pub fn place(&self) -> Option<KohaPage> {
        let numbers = self.fresh.as_ref().map(|fresh| fresh.numbers).unwrap_or_default();
        let patron = numbers.patron.map(KohaPage::Patron);
        let account = numbers.patron.map(KohaPage::Account);
        let item = numbers.item.zip(numbers.biblio).map(|(item, biblio)| KohaPage::Item { item, biblio });
        match &self.what {
            What::SetAside { .. } | What::Transfer(_) | What::Refused(Refusal::Lost | Refusal::ByHand) => {
                Some(KohaPage::Checkin)
            }
            What::Patron(_) => patron,
            What::Late { .. } | What::Payment => account,
            What::Loan(..) | What::ReadBack(_) if matches!(self.entry.transaction.action, Action::Payment { .. }) => {
                account
            }
            What::Loan(..) | What::ReadBack(_) => item.or(patron),
            What::Refused(Refusal::NotOnLoan) => item,
            What::InDoubt | What::Refused(_) => None,
        }
    }
}
