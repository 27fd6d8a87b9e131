//! The audit where Koha tells of no items (before 20.05): a patron at a time, by what they have on loan now.

use super::{
    judge::{self, Expected, Judgement},
    patrons::RawPatron,
    terms::Terms,
    work,
};
use crate::{
    desk::{
        barcode::{Cardnumber, same_code},
        transaction::TransactionId,
    },
    directory::record::Patron,
    koha::{
        Request, Response,
        records::Listed,
        rest::{self, RestCredentials},
    },
    log::{
        Entry,
        fresh::{Fresh, Part},
        todo,
    },
    ordered,
    settings::form::Settings,
};
use std::collections::{HashMap, VecDeque};

/// The checkouts of a patron.
#[derive(Debug, Clone)]
struct PatronToAsk {
    card: Cardnumber,
    checkouts: Vec<Entry>,
}

/// One audit.
#[derive(Debug, Clone)]
pub(super) struct ByPatron {
    left: VecDeque<PatronToAsk>,
    now: Option<PatronToAsk>,
    /// Whoever that is in Koha, where their loans were asked for.
    found: Option<Patron>,
    /// All that was applied, by item.
    rows: HashMap<String, Vec<Entry>>,
    /// The number of those that nothing is known of yet.
    unjudged: usize,
}

/// What follows an answer.
pub(super) enum PatronStep {
    Request(Request),
    /// The account may not see this: further questions are of no use.
    Refused(Part),
    /// Everything was asked.
    Done,
}

/// What an answer told.
#[derive(Default)]
pub(super) struct Told {
    pub(super) judged: Vec<(TransactionId, Judgement)>,
    pub(super) fresh: Vec<Fresh>,
}

impl ByPatron {
    /// Begins to look at these.
    pub(super) fn start(entries: &[Entry]) -> Self {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut left: Vec<PatronToAsk> = Vec::new();
        let mut rows: HashMap<String, Vec<Entry>> = HashMap::new();
        for entry in entries.iter().filter(|entry| entry.status.state().is_committed()) {
            let action = &entry.transaction.action;
            let (Some(item), Some(card)) = (action.item_key(), action.cardnumber()) else { continue };
            rows.entry(item).or_default().push(entry.clone());
            let place = *places.entry(card.as_str().to_owned()).or_insert_with(|| {
                left.push(PatronToAsk { card: card.clone(), checkouts: Vec::new() });
                left.len() - 1
            });
            left[place].checkouts.push(entry.clone());
        }
        ordered::sort_by_text(&mut left, |patron| patron.card.as_str().to_owned());
        Self { left: left.into(), now: None, found: None, rows, unjudged: entries.len() }
    }

    /// The number of those that were not judged: what leaves no trace that can be read there is among them.
    pub(super) fn unjudged(&self) -> usize {
        self.unjudged
    }

    /// The question about the next patron.
    pub(super) fn next(&mut self, settings: &Settings, credentials: &RestCredentials) -> PatronStep {
        self.now = self.left.pop_front();
        self.found = None;
        match &self.now {
            Some(patron) => PatronStep::Request(rest::patrons(settings, credentials, patron.card.as_str())),
            None => PatronStep::Done,
        }
    }

    /// Takes an answer, and adds what it tells.
    pub(super) fn handle(
        &mut self,
        response: &Response,
        settings: &Settings,
        credentials: &RestCredentials,
        terms: &Terms,
        told: &mut Told,
    ) -> PatronStep {
        let Some(patron) = &self.now else { return PatronStep::Done };
        let Some(found) = &self.found else {
            let Some(rows) = rest::read_whole::<RawPatron>(response) else { return PatronStep::Refused(Part::Patrons) };
            let mut patrons = rows.into_iter().filter_map(Patron::read).map(|(found, _)| found);
            self.found = patrons.find(|found| same_code(&found.cardnumber, patron.card.as_str()));
            return match &self.found {
                Some(found) => {
                    PatronStep::Request(rest::checkouts_of_patron(settings, credentials, u64::from(found.id)))
                }
                None => self.next(settings, credentials),
            };
        };
        let Some(loans) = rest::read_checkouts(response) else { return PatronStep::Refused(Part::Loans) };
        self.unjudged -= patron.checkouts.len();
        for checkout in &patron.checkouts {
            let item = checkout.transaction.action.item_key().unwrap_or_default();
            let rows = self.rows.get(&item).map(Vec::as_slice).unwrap_or_default();
            let library = terms.booked_at(checkout.id);
            // Koha was asked for this patron's.
            let expected = Expected { patron: None, library };
            let judgement = judge::judge_by_patron(checkout, &patron.card, rows, &loans, expected);
            let mut fresh = Fresh::of(checkout.id);
            fresh.numbers.patron = Some(found.id);
            if judge::begun(checkout, &loans).is_some() {
                fresh.warnings = work::warnings_of(found, checkout, terms.debt_limit);
            }
            let is_odd = matches!(judgement, Judgement::Odd(_));
            if fresh.says_something() || is_odd || todo::is_candidate(checkout) {
                told.fresh.push(fresh);
            }
            told.judged.push((checkout.id, judgement));
        }
        self.next(settings, credentials)
    }
}
