//! Whether payments arrived once. Koha books them under its own time, so nothing but the patron's balance tells: it is read
//! before and after, where the account may see it, and must have fallen by what was paid.

use super::{
    protocol::{Asked, Ticket, Tickets},
    summary::count,
};
use crate::{
    desk::{
        amount::{Amount, Cents},
        barcode::{Cardnumber, folded},
        transaction::Action,
    },
    koha::{
        Failure, Request, Response,
        rest::{self, RestCredentials},
    },
    log::{
        Entry,
        audited::{Audited, Odd, Oddity},
        fresh::Fresh,
        status::Status,
    },
    ordered::LiteMap,
    settings::form::Settings,
};
use std::collections::HashMap;

/// The accounts of a commit's payers.
#[derive(Debug, Clone, Default)]
pub(super) struct Paid {
    /// What each owed before anything was paid, by card.
    before: HashMap<String, Account>,
    /// What was paid, by card.
    payments: LiteMap<String, Payments>,
    asking: Asked<Asking>,
    /// Whether this account may not see the patrons'.
    is_refused: bool,
}

#[derive(Debug, Clone, Copy)]
struct Account {
    patron_id: u64,
    balance: Cents,
}

#[derive(Debug, Clone, Default)]
struct Payments {
    entries: Vec<Entry>,
    /// Whether one of them is in doubt.
    is_doubtful: bool,
}

#[derive(Debug, Clone)]
enum Asking {
    Before { card: String, patron_id: u64 },
    After { card: String },
}

impl Paid {
    pub(super) fn is_about(&self, ticket: Ticket) -> bool {
        self.asking.has(ticket)
    }

    pub(super) fn is_asking(&self) -> bool {
        self.asking.is_open()
    }

    /// Whether anything is left to ask about.
    pub(super) fn is_over(&self) -> bool {
        self.payments.is_empty()
    }

    /// The number of payments that were applied.
    pub(super) fn number(&self) -> usize {
        self.payments.values().map(|payments| payments.entries.len()).sum()
    }

    /// Asks about nothing more, and waits for no answer.
    pub(super) fn give_up(&mut self) {
        self.payments.clear();
        self.asking.give_up();
    }

    /// This came of it.
    pub(super) fn note(&mut self, entry: &Entry, status: &Status) {
        let Action::Payment { cardnumber, .. } = &entry.transaction.action else { return };
        let payments = self.payments.entry(folded(cardnumber.as_str())).or_default();
        match status {
            Status::Success => payments.entries.push(entry.clone()),
            Status::InDoubt { .. } => payments.is_doubtful = true,
            _ => {}
        }
    }

    /// Asks what this payer owes.
    pub(super) fn look_before(
        &mut self,
        card: &Cardnumber,
        patron_id: u64,
        settings: &Settings,
        credentials: &RestCredentials,
        tickets: &mut Tickets,
    ) -> Option<(Ticket, Request)> {
        if self.is_refused {
            return None;
        }
        let asking = Asking::Before { card: folded(card.as_str()), patron_id };
        Some(self.asking.ask(asking, rest::account(settings, credentials, patron_id), tickets))
    }

    /// Asks what the next payer owes now; those who cannot be asked about are counted.
    pub(super) fn next(
        &mut self,
        settings: &Settings,
        credentials: &RestCredentials,
        tickets: &mut Tickets,
        audited: &mut Audited,
    ) -> Option<(Ticket, Request)> {
        loop {
            let (card, payments) = self.payments.first()?;
            if let Some(account) = self.before.get(card).filter(|_| !payments.is_doubtful)
                && !payments.entries.is_empty()
            {
                let request = rest::account(settings, credentials, account.patron_id);
                return Some(self.asking.ask(Asking::After { card: card.clone() }, request, tickets));
            }
            audited.unread += count(payments.entries.len());
            let card = card.clone();
            self.payments.remove(&card);
        }
    }

    /// Takes an answer. `None` where it is to no question of these.
    pub(super) fn handle(
        &mut self,
        ticket: Ticket,
        answer: &Result<Response, Failure>,
        audited: &mut Audited,
    ) -> Option<()> {
        let asking = self.asking.answered(ticket)?;
        let balance = answer.as_ref().ok().and_then(rest::read_balance);
        match asking {
            Asking::Before { card, patron_id } => match balance {
                Some(balance) => {
                    self.before.insert(card, Account { patron_id, balance });
                }
                None => self.is_refused = true,
            },
            Asking::After { card } => {
                let payments = self.payments.remove(&card).unwrap_or_default();
                let account = self.before.get(&card);
                let patron = account.and_then(|account| u32::try_from(account.patron_id).ok());
                // To find the account by.
                audited.fresh.extend(payments.entries.iter().map(|entry| {
                    let mut fresh = Fresh::of(entry.id);
                    fresh.numbers.patron = patron;
                    fresh
                }));
                let before = account.map(|account| account.balance);
                compare(&payments.entries, before.zip(balance), audited);
            }
        }
        Some(())
    }
}

fn compare(payments: &[Entry], balances: Option<(Cents, Cents)>, audited: &mut Audited) {
    let number = count(payments.len());
    let amounts = payments.iter().filter_map(|entry| entry.transaction.action.amount());
    let paid: Cents = amounts.map(Amount::cents).fold(0, Cents::saturating_add);
    // What is finer than a hundredth is not compared.
    let tolerance = Cents::from(number);
    match balances.map(|(before, after)| before.saturating_sub(after).saturating_sub(paid)) {
        Some(too_much) if too_much > tolerance => {
            audited.checked += number;
            let id = payments.last().map(|entry| entry.id);
            audited.odd.extend(id.map(|id| Odd { id, oddity: Oddity::Paid { cents: too_much } }));
        }
        Some(too_much) if too_much >= -tolerance => audited.checked += number,
        // Something was charged meanwhile, or it cannot be read any more.
        _ => audited.unread += number,
    }
}
