//! The audit where Koha tells of no items (before 20.05): a patron at a time, by what they have on loan now.

use super::judge::{self, Judgement};
use crate::{
    desk::{
        barcode::{Cardnumber, same_code},
        transaction::TransactionId,
    },
    koha::{
        Request, Response,
        rest::{self, RestCredentials},
    },
    log::{Entry, status::Status},
    settings::form::Settings,
};
use std::collections::{BTreeMap, VecDeque};

/// The checkouts of a patron.
#[derive(Debug, Clone)]
struct Patron {
    card: Cardnumber,
    checkouts: Vec<Entry>,
}

/// One audit.
#[derive(Debug, Clone)]
pub(super) struct ByPatron {
    left: VecDeque<Patron>,
    now: Option<Patron>,
    /// Whether their loans were asked for, and not their number.
    asks_loans: bool,
    /// All that was applied, by item.
    rows: BTreeMap<String, Vec<Entry>>,
    /// The number of those that nothing is known of yet.
    unjudged: usize,
}

/// What follows an answer.
pub(super) enum Next {
    Request(Request),
    /// Everything was asked, or nothing more can be.
    Done,
}

impl ByPatron {
    /// Begins to look at these.
    pub(super) fn start(entries: &[Entry]) -> Self {
        let mut by_card: BTreeMap<String, Patron> = BTreeMap::new();
        let mut rows: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.status == Status::Success) {
            let action = &entry.transaction.action;
            let (Some(item), Some(card)) = (action.item_key(), action.cardnumber()) else { continue };
            rows.entry(item).or_default().push(entry.clone());
            let patron = by_card.entry(card.as_str().to_owned());
            let patron = patron.or_insert_with(|| Patron { card: card.clone(), checkouts: Vec::new() });
            patron.checkouts.push(entry.clone());
        }
        let left = by_card.into_values().collect();
        Self { left, now: None, asks_loans: false, rows, unjudged: entries.len() }
    }

    /// The number of those that were not judged: what leaves no trace that can be read there is among them.
    pub(super) fn unjudged(&self) -> usize {
        self.unjudged
    }

    /// The question about the next patron.
    pub(super) fn next(&mut self, settings: &Settings, credentials: &RestCredentials) -> Next {
        self.now = self.left.pop_front();
        self.asks_loans = false;
        match &self.now {
            Some(patron) => Next::Request(rest::patrons(settings, credentials, patron.card.as_str())),
            None => Next::Done,
        }
    }

    /// Takes an answer, and adds what it tells.
    pub(super) fn handle(
        &mut self,
        response: &Response,
        settings: &Settings,
        credentials: &RestCredentials,
        judged: &mut Vec<(TransactionId, Judgement)>,
    ) -> Next {
        let Some(patron) = &self.now else { return Next::Done };
        if !self.asks_loans {
            // An account that may not see patrons: further questions are of no use.
            let Some(patrons) = rest::read_patrons(response) else { return Next::Done };
            let is_it = |found: &&rest::Patron| {
                found.cardnumber.as_deref().is_some_and(|card| same_code(card, patron.card.as_str()))
            };
            return match patrons.iter().find(is_it) {
                Some(found) => {
                    self.asks_loans = true;
                    Next::Request(rest::checkouts_of_patron(settings, credentials, found.patron_id))
                }
                None => self.next(settings, credentials),
            };
        }
        let Some(loans) = rest::read_checkouts(response) else { return Next::Done };
        self.unjudged -= patron.checkouts.len();
        for checkout in &patron.checkouts {
            let item = checkout.transaction.action.item_key().unwrap_or_default();
            let rows = self.rows.get(&item).map(Vec::as_slice).unwrap_or_default();
            judged.push((checkout.id, judge::judge_by_patron(checkout, &patron.card, rows, &loans)));
        }
        self.next(settings, credentials)
    }
}
