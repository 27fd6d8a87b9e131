//! What an offline transaction does to the library when it is processed.
//!
//! Koha: C4/Circulation.pm `ProcessOfflineOperation` and its three parts. None of them asks whether the patron may
//! borrow or the item may be lent.

use chrono::Duration;
use thiserror::Error;

use crate::amount::Amount;
use crate::clock::{ZERO_DATE, read_lenient, stamp};
use crate::state::{AccountLine, Effect, Era, HoldEnd, Library, Loan, OldHold, OldLoan, Operation, Patron, Payment};

/// Length of every loan and renewal.
const LOAN_DAYS: i64 = 21;

/// The Perl code died: the person sees a 500. What was done before stays done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Died(pub String);

impl Library {
    /// Processes one operation for a login at `branch` and says what Koha says; an unknown action gives no text.
    ///
    /// Koha: `ProcessOfflineOperation`. A row of the queue is deleted whatever the answer, unless the code dies first.
    ///
    /// # Errors
    ///
    /// When Koha's code would die: a payment of an unknown patron or at an unknown branch.
    pub fn process_operation(&mut self, operation: &Operation, branch: &str) -> Result<&'static str, Died> {
        let answer = match operation.action.as_str() {
            "issue" => self.process_issue(operation, branch),
            "return" => self.process_return(operation, branch),
            "payment" => self.process_payment(operation)?,
            _ => "",
        };
        if let Some(id) = operation.id {
            self.pending.retain(|row| row.id != Some(id));
            self.effects.push(Effect::Processed { id, answer: answer.to_owned() });
        }
        Ok(answer)
    }

    /// Koha: `ProcessOfflineIssue`, then `AddIssue` whose own answer is ignored.
    fn process_issue(&mut self, operation: &Operation, branch: &str) -> &'static str {
        let Some(patron) = self.find_patron(&operation.cardnumber) else { return "Borrower not found." };
        let patron_id = patron.id;
        let Some(item) = self.item(&operation.barcode) else { return "Barcode not found." };
        let (item_id, barcode) = (item.id, item.barcode.clone());
        let at = if operation.timestamp == ZERO_DATE { self.now_local() } else { operation.timestamp.clone() };
        match self.loans.iter().position(|loan| loan.item_id == item_id) {
            Some(index) if self.loans[index].patron_id == patron_id => self.renew(index, &at),
            other => {
                if let Some(index) = other {
                    self.close_loan(index, &at, branch);
                }
                self.lend(patron_id, item_id, &at, branch);
                self.end_hold(patron_id, item_id, &barcode);
            }
        }
        "Success."
    }

    /// Koha: `Koha::Patrons->find({cardnumber})`; since 23.11 `find_by_identifier`, which also takes the userid.
    pub(crate) fn find_patron(&self, identifier: &str) -> Option<&Patron> {
        let by_card = self.patron(identifier);
        match self.era {
            Era::Before2405 => by_card,
            Era::From2405 => by_card.or_else(|| self.account(identifier)),
        }
    }

    /// Koha: `AddRenewal`. The limit of renewals is not asked for; the new due date counts from the old one.
    fn renew(&mut self, index: usize, at: &str) {
        let loan = &mut self.loans[index];
        loan.renewals += 1;
        loan.due_at = due_after(&loan.due_at);
        loan.last_renewed_at = Some(at.to_owned());
        let (patron_id, item_id, due) = (loan.patron_id, loan.item_id, loan.due_at.clone());
        self.set_on_loan(item_id, Some(due));
        let (cardnumber, barcode) = (self.card(patron_id), self.barcode(item_id));
        self.effects.push(Effect::Renewed { cardnumber, barcode, at: at.to_owned() });
    }

    fn lend(&mut self, patron_id: u64, item_id: u64, at: &str, branch: &str) {
        let due_at = due_after(at);
        let loan = Loan {
            id: self.next_id(),
            patron_id,
            item_id,
            branch: branch.to_owned(),
            issued_at: at.to_owned(),
            due_at: due_at.clone(),
            renewals: 0,
            last_renewed_at: None,
        };
        self.loans.push(loan);
        // A login at an unknown branch gets the loan half-way: the item does not hear of it.
        if self.branch(branch).is_some() {
            self.set_on_loan(item_id, Some(due_at));
            if let Some(item) = self.items.iter_mut().find(|item| item.id == item_id) {
                item.lost = 0;
            }
        }
        let (cardnumber, barcode) = (self.card(patron_id), self.barcode(item_id));
        self.effects.push(Effect::Issued { cardnumber, barcode, at: at.to_owned(), branch: branch.to_owned() });
    }

    /// Koha: `MoveReserve`. The patron's own hold is filled; else, until bug 30114 (22.05), the next patron's hold was
    /// cancelled without a word.
    fn end_hold(&mut self, patron_id: u64, item_id: u64, barcode: &str) {
        let biblio = self.item_by_id(item_id).map(|item| item.biblio_id);
        let mut fitting: Vec<usize> = (0..self.holds.len())
            .filter(|&index| {
                let hold = &self.holds[index];
                hold.item_id.map_or(Some(hold.biblio_id) == biblio, |wanted| wanted == item_id)
            })
            .collect();
        fitting.sort_by_key(|&index| self.holds[index].priority);
        let own = fitting.iter().copied().find(|&index| self.holds[index].patron_id == patron_id);
        let ended = match (own, self.era) {
            (Some(index), _) => Some((index, HoldEnd::Filled)),
            (None, Era::Before2405) => fitting.first().map(|&index| (index, HoldEnd::Cancelled)),
            (None, Era::From2405) => None,
        };
        let Some((index, end)) = ended else { return };
        let hold = self.holds.remove(index);
        for behind in &mut self.holds {
            if behind.biblio_id == hold.biblio_id && behind.priority > hold.priority {
                behind.priority -= 1;
            }
        }
        self.effects.push(Effect::HoldEnded {
            cardnumber: self.card(hold.patron_id),
            barcode: barcode.to_owned(),
            end,
        });
        self.old_holds.push(OldHold { hold, end });
    }

    /// Koha: `ProcessOfflineReturn`, not `AddReturn`: no hold is captured, no transfer made, no fine computed, and the
    /// loan may be younger than the return.
    fn process_return(&mut self, operation: &Operation, branch: &str) -> &'static str {
        let Some(item) = self.item(&operation.barcode) else { return "Item not found." };
        let item_id = item.id;
        let Some(index) = self.loans.iter().position(|loan| loan.item_id == item_id) else {
            return "Item not issued.";
        };
        if self.era == Era::From2405 {
            let now = self.now_local();
            if let Some(item) = self.items.iter_mut().find(|item| item.id == item_id) {
                item.last_seen = Some(now);
            }
        }
        self.close_loan(index, &operation.timestamp, branch);
        "Success."
    }

    /// Koha: `MarkIssueReturned`.
    pub(crate) fn close_loan(&mut self, index: usize, at: &str, branch: &str) {
        let loan = self.loans.remove(index);
        self.set_on_loan(loan.item_id, None);
        let (cardnumber, barcode) = (self.card(loan.patron_id), self.barcode(loan.item_id));
        self.effects.push(Effect::Returned { cardnumber, barcode, at: at.to_owned() });
        self.old_loans.push(OldLoan { loan, returned_at: at.to_owned(), checkin_branch: branch.to_owned() });
    }

    /// Koha: `ProcessOfflinePayment`, `Koha::Account->pay`. The oldest debts are lowered first and only then the
    /// payment is booked; at an unknown branch that fails half-way, each time it is tried.
    fn process_payment(&mut self, operation: &Operation) -> Result<&'static str, Died> {
        let Some(patron) = self.find_patron(&operation.cardnumber) else {
            return Err(Died("Can't call method \"account\" on an undefined value".to_owned()));
        };
        let (patron_id, cardnumber) = (patron.id, patron.cardnumber.clone());
        let mut left = operation.amount;
        let mut lowered = Amount::ZERO;
        for line in &mut self.account_lines {
            if left.0 > 0 && line.patron_id == patron_id && line.outstanding.0 > 0 {
                let part = Amount(left.0.min(line.outstanding.0));
                line.outstanding.0 -= part.0;
                left.0 -= part.0;
                lowered.0 += part.0;
            }
        }
        if self.branch(&operation.branch).is_none() {
            if lowered != Amount::ZERO {
                self.effects.push(Effect::DebtLowered { cardnumber, by: lowered });
            }
            return Err(Died("Cannot add or update a child row: a foreign key constraint fails".to_owned()));
        }
        self.account_lines.push(AccountLine {
            patron_id,
            kind: "Pay".into(),
            date: self.now_local()[..10].to_owned().into(),
            amount: Amount(-operation.amount.0),
            outstanding: Amount(-left.0),
        });
        let booked_at = self.now_local();
        self.payments.push(Payment {
            patron_id,
            amount: operation.amount,
            branch: operation.branch.clone(),
            booked_at,
        });
        self.effects.push(Effect::Paid { cardnumber, amount: operation.amount });
        Ok("Success.")
    }

    fn set_on_loan(&mut self, item_id: u64, due: Option<String>) {
        if let Some(item) = self.items.iter_mut().find(|item| item.id == item_id) {
            item.on_loan = due;
        }
    }

    pub(crate) fn card(&self, patron_id: u64) -> String {
        self.patron_by_id(patron_id).map(|patron| patron.cardnumber.clone()).unwrap_or_default()
    }

    pub(crate) fn barcode(&self, item_id: u64) -> String {
        self.item_by_id(item_id).map(|item| item.barcode.clone()).unwrap_or_default()
    }

    /// Puts an item in a patron's hands as if it had been lent before the test began, without an effect.
    ///
    /// Does nothing if either is unknown.
    pub fn lend_before(&mut self, cardnumber: &str, barcode: &str, issued_at: &str) {
        let effects = self.effects.len();
        let ids = (self.patron(cardnumber).map(|p| (p.id, p.branch.clone())), self.item(barcode).map(|i| i.id));
        if let (Some((patron, branch)), Some(item)) = ids {
            self.loans.retain(|loan| loan.item_id != item);
            self.lend(patron, item, issued_at, &branch);
            self.effects.truncate(effects);
        }
    }
}

/// The end of the day, a loan's length after the given time.
pub(crate) fn due_after(time: &str) -> String {
    let due = read_lenient(time)
        .and_then(|time| time.date().checked_add_signed(Duration::days(LOAN_DAYS)))
        .and_then(|date| date.and_hms_opt(23, 59, 0));
    due.map_or_else(|| ZERO_DATE.to_owned(), stamp)
}
