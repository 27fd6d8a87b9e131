//! A row of what is left to do, and what it offers.

use super::group::Group;
use crate::{
    desk::transaction::TransactionId,
    log::{
        Entry,
        audited::Oddity,
        status::{NO_ITEM, NO_PATRON, Status},
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
    /// Something else.
    Other,
}

impl Refusal {
    /// Why this one was refused. `None` where it was not.
    pub fn of(entry: &Entry) -> Option<Self> {
        let Status::Rejected { message } = &entry.status else { return None };
        let has_card = entry.transaction.action.cardnumber().is_some();
        let has_barcode = entry.transaction.action.barcode().is_some();
        Some(match message.as_str() {
            NO_PATRON if has_card => Self::NoPatron,
            message if has_barcode && NO_ITEM.contains(&message) => Self::NoItem,
            _ if entry.was_not_on_loan() => Self::NotOnLoan,
            _ => Self::Other,
        })
    }
}

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It may or may not be in Koha.
    InDoubt,
    /// Koha refused it.
    Refused(Refusal),
    /// It is set aside for a hold.
    SetAside,
    /// There were these warnings of the patron.
    Patron(Vec<Warning>),
    /// It came back this number of days late.
    Late(u32),
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
}

impl Offer {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::IsInKoha,
        Self::NotInKoha,
        Self::FindPatron,
        Self::Change,
        Self::Settle,
        Self::TryAgain,
        Self::Drop,
        Self::CopyBarcode,
    ];

    /// Its name in `data-offer`.
    pub fn name(self) -> &'static str {
        match self {
            Self::IsInKoha => "is-in-koha",
            Self::NotInKoha => "not-in-koha",
            Self::FindPatron => "find-patron",
            Self::Change => "change",
            Self::Settle => "settle",
            Self::TryAgain => "try-again",
            Self::Drop => "drop",
            Self::CopyBarcode => "copy-barcode",
        }
    }

    /// The offer of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|offer| offer.name() == name)
    }
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
    /// Whether a person has ticked it off.
    pub is_ticked: bool,
}

impl Row {
    /// How much it matters.
    pub fn grade(&self) -> Grade {
        match &self.what {
            What::Refused(Refusal::NotOnLoan) | What::Late(_) | What::Payment => Grade::Note,
            What::Refused(_) => Grade::Stop,
            What::SetAside => Grade::Do,
            What::InDoubt | What::Patron(_) | What::ReadBack(_) => Grade::Careful,
        }
    }

    /// What it offers, what helps most first. Nobody is looked for where no patron is known.
    pub fn offers(&self, knows_patrons: bool) -> &'static [Offer] {
        match &self.what {
            What::InDoubt => &[Offer::IsInKoha, Offer::NotInKoha],
            What::Refused(Refusal::NoPatron) if knows_patrons => &[Offer::FindPatron, Offer::Drop],
            What::Refused(Refusal::NoPatron | Refusal::NoItem) => &[Offer::Change, Offer::Drop],
            What::Refused(Refusal::NotOnLoan) => &[Offer::Settle, Offer::Change],
            What::Refused(Refusal::Other) => &[Offer::Change, Offer::TryAgain],
            What::SetAside if !self.is_ticked => &[Offer::CopyBarcode],
            What::SetAside | What::Patron(_) | What::Late(_) | What::ReadBack(_) | What::Payment => &[],
        }
    }
}
