//! A patron as they stand by now: what is to be known of them, what they have, and what waits for them.

use super::{
    aside,
    block_store::BlockStore,
    desk_view::{DeskView, LogEntries, key_of},
    holder::{self, LoanLine, PatronAtDesk},
    record::{Hold, HoldState, Patron, Set},
    warning,
};
use crate::{
    desk::amount::{Amount, Cents},
    log::{Entry, warned::Warning},
    ordered,
};
use std::collections::HashMap;

/// Of this number of items without a title, the title is looked for.
const TITLED: usize = 60;

/// What is known of a patron.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatronFound {
    /// Their cardnumber, or what was typed where they are not known.
    pub card: String,
    /// With what they owe by now.
    pub patron: Option<Patron>,
    /// What a person must know of them.
    pub warnings: Vec<Warning>,
    /// What they have.
    pub loans: Vec<LoanLine>,
    /// What stands on the hold shelf for them.
    pub waiting: Vec<WaitingLine>,
    /// What of their debts they have paid here, in hundredths.
    pub paid: Cents,
}

/// Something that waits for a patron.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitingLine {
    /// The title, or the barcode where no title is known; empty where neither is.
    pub what: String,
    /// The branch code of the library where it stands.
    pub pickup: String,
}

impl PatronFound {
    /// The name, or the card where no name is known.
    pub fn name(&self) -> String {
        self.patron.as_ref().map_or_else(|| self.card.clone(), Patron::name)
    }

    /// Why they are restricted, where that is known and a warning says that they are.
    pub fn restriction(&self) -> Option<&str> {
        let is_warned_of = self.warnings.iter().any(|warning| matches!(warning, Warning::Restricted { .. }));
        let comment = self.patron.as_ref().map(|patron| patron.restriction_comment.as_str());
        comment.filter(|comment| is_warned_of && !comment.is_empty())
    }

    /// What they owe, where no warning says so.
    pub fn owes(&self) -> Option<Amount> {
        let is_warned_of = self.warnings.iter().any(|warning| matches!(warning, Warning::Debts { .. }));
        let owes = self.patron.as_ref().and_then(|patron| patron.owes);
        owes.filter(|_| !is_warned_of).and_then(Amount::from_cents)
    }
}

/// A patron, and what the log has of them.
pub(super) struct PatronNow {
    /// With what they owe by now.
    pub(super) patron: Option<Patron>,
    /// What of their debts they have paid here.
    paid: Cents,
    entries: Vec<Entry>,
}

impl<S: BlockStore, L: LogEntries> DeskView<'_, S, L>
where
    L::Error: From<S::Error>,
{
    pub(super) fn at_desk<'a>(&self, code: &'a str, patron: Option<&'a Patron>) -> PatronAtDesk<'a> {
        PatronAtDesk { code, patron, knows_patrons: self.records.has(Set::Patrons) }
    }

    pub(super) fn warnings_of(&self, patron: Option<&Patron>) -> Vec<Warning> {
        let Some(now) = self.now else { return Vec::new() };
        warning::of_patron(patron, self.records.has(Set::Patrons), now.local().date(), self.debt_limit)
    }

    pub(super) async fn patron_now(&self, code: &str) -> Result<PatronNow, L::Error> {
        let mut patron = self.records.patron_by_code(code).await?;
        let codes = self.at_desk(code, patron.as_ref()).codes();
        let entries = self.log.of_cards(&codes).await?;
        let mut paid = 0;
        if let Some(owes) = patron.as_mut().and_then(|patron| patron.owes.as_mut()) {
            paid = holder::paid(&entries, &self.later.debts);
            *owes = owes.saturating_sub(paid);
        }
        Ok(PatronNow { patron, paid, entries })
    }

    /// What is known of the patron with this card or user name.
    ///
    /// # Errors
    /// When the records or the log cannot be read.
    pub async fn patron(&self, typed: &str) -> Result<PatronFound, L::Error> {
        let typed = typed.trim();
        let PatronNow { patron, paid, entries } = self.patron_now(typed).await?;
        let (downloaded, holds) = match &patron {
            Some(patron) => (self.downloaded_loans(patron.id).await?, self.promised(patron.id).await?),
            None => (Vec::new(), Vec::new()),
        };
        let recorded = entries.iter().filter_map(|entry| entry.transaction.action.item_key());
        let lent = downloaded.iter().filter_map(|loan| key_of(&loan.barcode));
        let promised = holds.iter().flat_map(|(_, barcodes)| barcodes).filter_map(|barcode| key_of(barcode));
        let keys = ordered::texts(recorded.chain(lent).chain(promised));
        let by_item = aside::by_item(self.log.of_items(&keys).await?);

        let mut loans = holder::loans(downloaded, &by_item, &self.later.loans, &self.at_desk(typed, patron.as_ref()));
        for loan in loans.iter_mut().filter(|loan| loan.title.is_empty() && !loan.barcode.is_empty()).take(TITLED) {
            loan.title = self.title_of(&loan.barcode).await?;
        }
        let waiting = self.waiting(holds, &by_item).await?;
        let card = patron.as_ref().map(|patron| patron.cardnumber.clone()).filter(|card| !card.is_empty());
        let warnings = self.warnings_of(patron.as_ref());
        Ok(PatronFound { card: card.unwrap_or_else(|| typed.to_owned()), patron, warnings, loans, waiting, paid })
    }

    async fn title_of(&self, barcode: &str) -> Result<String, L::Error> {
        Ok(self.records.item_by_barcode(barcode).await?.map(|item| item.title).unwrap_or_default())
    }

    async fn downloaded_loans(&self, patron: u32) -> Result<Vec<LoanLine>, L::Error> {
        let mut lines = Vec::new();
        for loan in self.records.loans_of(patron).await? {
            let item = match loan.item {
                Some(item) => self.records.item(item).await?,
                None => None,
            };
            lines.push(LoanLine::downloaded(&loan, item.as_ref()));
        }
        Ok(lines)
    }

    /// The holds of a patron, each with the barcodes of the items that were set aside for it: here, and in Koha.
    async fn promised(&self, patron: u32) -> Result<Vec<(Hold, Vec<String>)>, L::Error> {
        let holds = self.records.holds_of(patron).await?;
        let ids: Vec<u32> = holds.iter().map(|hold| hold.id).collect();
        let here = self.log.of_holds(&ids).await?;
        let mut promised = Vec::new();
        for hold in holds {
            let of_hold = here.iter().filter(|entry| entry.set_aside().is_some_and(|(id, _)| id == hold.id));
            let barcodes = of_hold.filter_map(|entry| entry.transaction.action.barcode());
            let mut barcodes: Vec<String> = barcodes.map(ToString::to_string).collect();
            if let Some(item) = hold.item.filter(|_| hold.state == HoldState::Waiting) {
                barcodes.extend(self.records.item(item).await?.map(|item| item.barcode));
            }
            promised.push((hold, barcodes));
        }
        Ok(promised)
    }

    /// What waits for a patron: in Koha or set aside here, unless somebody has taken it since.
    async fn waiting(
        &self,
        promised: Vec<(Hold, Vec<String>)>,
        by_item: &HashMap<String, Vec<Entry>>,
    ) -> Result<Vec<WaitingLine>, L::Error> {
        let mut waiting = Vec::new();
        for (hold, barcodes) in promised {
            let waits = |barcode: &&String| {
                let entries = key_of(barcode).and_then(|key| by_item.get(&key)).map(Vec::as_slice);
                aside::waits(&hold, entries.unwrap_or_default(), &self.later.loans)
            };
            match barcodes.iter().find(waits) {
                Some(barcode) => {
                    let title = self.title_of(barcode).await?;
                    let what = if title.is_empty() { barcode.clone() } else { title };
                    waiting.push(WaitingLine { what, pickup: hold.pickup });
                }
                // Koha says so, but which item it is is not known.
                None if hold.state == HoldState::Waiting && barcodes.is_empty() => {
                    waiting.push(WaitingLine { what: String::new(), pickup: hold.pickup });
                }
                None => {}
            }
        }
        Ok(waiting)
    }
}

#[cfg(test)]
mod tests;
