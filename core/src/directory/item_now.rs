//! An item that was just scanned: who had it before, for whom it waits, and what the person at the desk is warned of.

use super::{
    Directory, aside,
    block_store::BlockStore,
    desk_view::{DeskView, LogEntries},
    holder::{self, Holder, Whom},
    record::{Hold, Item, Patron, Set},
    warning::{self, Checkout},
};
use crate::{
    desk::{
        barcode::Barcode,
        transaction::{Action, Moment},
        zone::Zone,
    },
    log::{
        Entry,
        warned::{Warned, Warning},
    },
    ordered::{self, LiteMap},
};
use chrono::{DateTime, Utc};

/// A warning about an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemWarning {
    /// Of what.
    pub warning: Warning,
    /// The other patron it is about: who has it, or waits for it. `None` where that is nobody, or not known.
    pub who: Option<Patron>,
}

/// What a checkout is warned of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckoutFound {
    /// About the patron.
    pub of_patron: Vec<Warning>,
    /// About the item.
    pub of_item: Vec<ItemWarning>,
}

impl CheckoutFound {
    /// As the log keeps it. `answered` says when a person answered what is to be answered about the patron, which holds for all
    /// that the patron takes; `seen`, when they scanned on with the patron before their eyes; `is_item`, when they said that it is an
    /// item, much as its code is a card. What else is about an item is known only now.
    pub fn warned(&self, answered: Option<Moment>, seen: Option<Moment>, is_item: Option<Moment>) -> Vec<Warned> {
        let of_patron = self.of_patron.iter().map(|warning| {
            let confirmed = if warning.is_stop() { answered } else { seen };
            Warned { warning: warning.clone(), confirmed, as_of: None }
        });
        let of_item = not_confirmed(&self.of_item).map(|warned| {
            let confirmed = is_item.filter(|_| warned.warning == Warning::PatronCard);
            Warned { confirmed, ..warned }
        });
        of_patron.chain(of_item).collect()
    }
}

/// What is known of an item that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnFound {
    /// Its barcode, as it was scanned.
    pub barcode: Barcode,
    /// The item, where it is known.
    pub item: Option<Item>,
    /// The loan that ended; `None` where nobody had it, as far as is known.
    pub loan: Option<LoanEnded>,
    /// That it is not known, or who waits for it.
    pub warnings: Vec<ItemWarning>,
}

/// A loan that ended with a checkin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoanEnded {
    /// Who had it; `None` where that is not known.
    pub who: Option<Patron>,
    /// Until when they were to have it, as Koha has it.
    pub due: Option<DateTime<Utc>>,
    /// By how many days it is late; `None` where it is not.
    pub late: Option<u32>,
}

impl ReturnFound {
    /// As the log keeps it.
    pub fn warned(&self) -> Vec<Warned> {
        not_confirmed(&self.warnings).collect()
    }
}

fn not_confirmed(warnings: &[ItemWarning]) -> impl Iterator<Item = Warned> {
    warnings.iter().map(|about| Warned { warning: about.warning.clone(), confirmed: None, as_of: None })
}

/// An item as it was before it was scanned, as far as it is known.
struct ItemNow {
    item: Option<Item>,
    holder: Holder,
    holds: Vec<Hold>,
    /// The holds that need no item any more.
    over: Vec<u32>,
    /// The hold for which it was set aside here.
    set_aside: Option<u32>,
}

impl<S: BlockStore, L: LogEntries> DeskView<'_, S, L>
where
    L::Error: From<S::Error>,
{
    /// `None` where the look-up is out of date: the transaction is not in the log any more as it is given.
    async fn item_now(&self, entry: &Entry, barcode: &Barcode) -> Result<Option<ItemNow>, L::Error> {
        let key = barcode.item_key();
        let of_item = self.log.of_items(std::slice::from_ref(&key)).await?;
        let Some(before) = holder::before(of_item, entry) else { return Ok(None) };
        let item = self.records.item_by_barcode(barcode.as_str()).await?;
        let (loan, holds) = match &item {
            Some(item) => (self.records.loan_of(item.id).await?, self.records.holds_on(item.biblio).await?),
            None => (None, Vec::new()),
        };
        let ids: Vec<u32> = holds.iter().map(|hold| hold.id).collect();
        let for_holds = self.log.of_holds(&ids).await?;
        let others =
            for_holds.iter().filter_map(|entry| entry.transaction.action.item_key()).filter(|other| *other != key);
        let others = aside::by_item(self.log.of_items(&ordered::texts(others)).await?);
        let mut patrons = LiteMap::new_vec();
        if aside::must_know_patrons(&before, &others) {
            for hold in &holds {
                if let Some(patron) = self.records.patron(hold.patron).await? {
                    patrons.insert(patron.id, patron);
                }
            }
        }
        let is = |hold: &Hold, code: &str| patrons.get(&hold.patron).is_some_and(|patron| patron.goes_by(code));
        Ok(Some(ItemNow {
            holder: Holder::after(loan, &before, &self.later.loans),
            over: aside::over(&holds, &before, &others, &self.later.loans, is),
            set_aside: aside::hold_of(&before),
            item,
            holds,
        }))
    }

    /// What a checkout is warned of. `as_card` is what was scanned for the item, read as a card ([`Entry::item_as_card`]). `None` where the
    /// look-up is out of date: the transaction was cleared, taken back or corrected since. Also where it is no checkout.
    ///
    /// # Errors
    /// When the records or the log cannot be read.
    pub async fn checkout(&self, entry: &Entry, as_card: &str) -> Result<Option<CheckoutFound>, L::Error> {
        let Action::Issue { cardnumber, barcode } = &entry.transaction.action else { return Ok(None) };
        let Some(found) = self.item_now(entry, barcode).await? else { return Ok(None) };
        let patron = self.patron_now(cardnumber.as_str()).await?.patron;
        let card = match found.item {
            Some(_) => None,
            None => self.records.card_for_item(as_card, barcode.as_str()).await?,
        };
        let warnings = warning::of_checkout(&Checkout {
            item: found.item.as_ref(),
            knows_items: self.records.has(Set::Items),
            card_of: card.map(|known| known.patron),
            at_desk: self.at_desk(cardnumber.as_str(), patron.as_ref()),
            holder: &found.holder,
            holds: &found.holds,
            over: &found.over,
            set_aside: found.set_aside,
        });
        let of_item = self.with_names(warnings).await?;
        Ok(Some(CheckoutFound { of_patron: self.warnings_of(patron.as_ref()), of_item }))
    }

    /// What is known of an item that came back. `None` where the look-up is out of date, as with [`Self::checkout`], or it
    /// is no checkin. Days are those of `zone`.
    ///
    /// # Errors
    /// When the records or the log cannot be read.
    pub async fn checkin(&self, entry: &Entry, zone: &impl Zone) -> Result<Option<ReturnFound>, L::Error> {
        let Action::Return { barcode } = &entry.transaction.action else { return Ok(None) };
        let Some(found) = self.item_now(entry, barcode).await? else { return Ok(None) };
        let hold = found.item.as_ref().and_then(|item| warning::hold_for(item, &found.holds, &found.over));
        let warnings = warning::of_checkin(found.item.as_ref(), self.records.has(Set::Items), hold);
        let due = match &found.holder {
            Holder::AsDownloaded(Some(loan)) => loan.due,
            Holder::AsDownloaded(None) | Holder::CheckedOut { .. } | Holder::CheckedIn | Holder::Nobody => None,
        };
        let loan = match found.holder.whom() {
            Whom::Nobody => None,
            whom => Some(LoanEnded {
                who: self.named(whom).await?,
                due,
                late: holder::overdue(due, entry.transaction.moment, zone),
            }),
        };
        let warnings = self.with_names(warnings).await?;
        Ok(Some(ReturnFound { barcode: barcode.clone(), item: found.item, loan, warnings }))
    }

    async fn with_names(
        &self,
        warnings: impl IntoIterator<Item = (Warning, Whom<'_>)>,
    ) -> Result<Vec<ItemWarning>, L::Error> {
        let mut named = Vec::new();
        for (warning, whom) in warnings {
            named.push(ItemWarning { warning, who: self.named(whom).await? });
        }
        Ok(named)
    }
}

/// An item that is set aside, as the list has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsideLine {
    /// When it came back.
    pub at: Moment,
    /// Its barcode.
    pub barcode: Barcode,
    /// The branch code of the library of pickup.
    pub pickup: String,
    /// Its title; empty where it is not known.
    pub title: String,
    /// The name of who waits; empty where it is not known.
    pub who: String,
}

/// The lines of what is set aside ([`aside::find`]). Without records, or with some that cannot be read, the list is as good
/// without names.
pub async fn aside_lines<S: BlockStore>(list: &[Entry], records: Option<&Directory<S>>) -> Vec<AsideLine> {
    let mut lines = Vec::new();
    for entry in list {
        let Some(((hold, pickup), barcode)) = entry.set_aside().zip(entry.transaction.action.barcode()) else {
            continue;
        };
        let (mut title, mut who) = (String::new(), String::new());
        if let Some(records) = records
            && let Ok(Some(item)) = records.item_by_barcode(barcode.as_str()).await
        {
            let holds = records.holds_on(item.biblio).await.unwrap_or_default();
            if let Some(hold) = holds.iter().find(|other| other.id == hold)
                && let Ok(Some(patron)) = records.patron(hold.patron).await
            {
                who = patron.name();
            }
            title = item.title;
        }
        let (at, barcode, pickup) = (entry.transaction.moment, barcode.clone(), pickup.to_owned());
        lines.push(AsideLine { at, barcode, pickup, title, who });
    }
    lines
}

#[cfg(test)]
mod tests;
