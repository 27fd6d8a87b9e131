//! Reads back what Koha made of what was applied: each checkout's loan, and the end of each checkin's.
//!
//! ```text
//! fifty items: their numbers ──► their open loans ──► their returned loans ──► the next fifty … ──► Report
//! ```
//! Where Koha tells of no items, it goes by the patrons and what they have on loan.
//!
//! Firefox, or a server in front of Koha, may send a request twice and give out one answer, and nothing tells. Koha takes the
//! second checkout for a renewal and dates it like the loan; so a loan that was renewed more often than was asked for shows
//! it. A checkin that arrives twice is refused the second time, and that is the answer that is seen: its loan ended in its own
//! second all the same.

mod by_patron;
mod judge;
mod pages;

use super::{
    Failure, Request, Response,
    rest::{self, Checkout, Item, RestCredentials},
};
use crate::{
    desk::{barcode::same_code, transaction::TransactionId},
    log::{
        Entry,
        audited::{Audited, Odd},
        status::{NOT_ISSUED, Status},
    },
    settings::form::Settings,
};
use by_patron::ByPatron;
use judge::Judgement;
use pages::{Pages, Read};
use std::collections::{BTreeMap, HashSet, VecDeque};

/// The number of items that are asked about at once. Their barcodes go into an address, of which servers take 8 KiB.
const AT_ONCE: usize = 50;

/// What follows an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Make this request.
    Request(Request),
    /// That is all.
    Done(Report),
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What is not as it should be, and how many were looked at.
    pub audited: Audited,
    /// Checkins that Koha refused the second time, and had processed the first.
    pub processed: Vec<TransactionId>,
    /// Whether it was broken off, by a server that does not answer: another day may tell more.
    pub is_broken_off: bool,
}

#[derive(Debug, Clone)]
enum AuditStage {
    Items(Pages<Item>),
    Open { items: Vec<Item>, loans: Pages<Checkout> },
    Returned { items: Vec<Item>, open: Vec<Checkout>, loans: Pages<Checkout> },
    ByPatron(ByPatron),
}

/// One audit.
#[derive(Debug, Clone)]
pub struct Audit {
    settings: Settings,
    credentials: RestCredentials,
    /// What is to be looked at, by item.
    left: VecDeque<Vec<Entry>>,
    /// What is being looked at.
    now: Vec<Vec<Entry>>,
    stage: AuditStage,
    report: Report,
}

/// Whether an audit can tell anything about it: Koha said yes to it, or it is a checkin that may have arrived twice. Payments are
/// booked under Koha's own time, and leave nothing by which they are known.
pub fn can_tell(entry: &Entry) -> bool {
    match &entry.status {
        _ if entry.transaction.action.item_key().is_none() => false,
        Status::Success => true,
        Status::Rejected { message } => message == NOT_ISSUED,
        _ => false,
    }
}

impl Audit {
    /// Begins to look at these, in the order in which they were applied. `None` where there is nothing to ask.
    pub fn start(
        settings: Settings,
        credentials: RestCredentials,
        entries: impl IntoIterator<Item = Entry>,
    ) -> Option<(Self, Request)> {
        let mut by_item: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        // Several commits may have had one of them to send.
        let mut known = HashSet::new();
        for entry in entries.into_iter().filter(|entry| can_tell(entry) && known.insert(entry.id)) {
            if let Some(item) = entry.transaction.action.item_key() {
                by_item.entry(item).or_default().push(entry);
            }
        }
        let left = by_item.into_values().collect();
        let stage = AuditStage::Items(Pages::default());
        let mut audit = Self { settings, credentials, left, now: Vec::new(), stage, report: Report::default() };
        match audit.next_items() {
            Next::Request(request) => Some((audit, request)),
            Next::Done(_) => None,
        }
    }

    /// Takes the answer to the request that was made last.
    pub fn handle(&mut self, answer: Result<Response, Failure>) -> Next {
        let Ok(response) = answer else { return self.break_off() };
        if response.status >= 500 || response.status == 429 {
            return self.break_off();
        }
        let read = match std::mem::replace(&mut self.stage, AuditStage::Items(Pages::default())) {
            AuditStage::Items(_) if response.status == 404 => Some(self.by_patron()),
            AuditStage::ByPatron(mut by_patron) => {
                let mut judged = Vec::new();
                let next = by_patron.handle(&response, &self.settings, &self.credentials, &mut judged);
                self.take(judged);
                Some(self.go_on_by_patron(by_patron, next))
            }
            AuditStage::Items(mut items) => match items.add(&response) {
                Some(Read::More(page)) => {
                    self.stage = AuditStage::Items(items);
                    Some(self.items_request(page))
                }
                Some(Read::Whole(items)) => {
                    self.stage = AuditStage::Open { items, loans: Pages::default() };
                    Some(self.loans_request(false, 1))
                }
                None => None,
            },
            AuditStage::Open { items, mut loans } => match loans.add(&response) {
                Some(Read::More(page)) => {
                    self.stage = AuditStage::Open { items, loans };
                    Some(self.loans_request(false, page))
                }
                Some(Read::Whole(open)) => {
                    self.stage = AuditStage::Returned { items, open, loans: Pages::default() };
                    Some(self.loans_request(true, 1))
                }
                None => None,
            },
            AuditStage::Returned { items, open, mut loans } => match loans.add(&response) {
                Some(Read::More(page)) => {
                    self.stage = AuditStage::Returned { items, open, loans };
                    Some(self.loans_request(true, page))
                }
                Some(Read::Whole(mut loans)) => {
                    // A server that gives the open ones instead: the absence of others proves nothing.
                    let is_list_of_returned = loans.iter().all(|loan| loan.checkin_date.is_some());
                    loans.extend(open);
                    is_list_of_returned.then(|| {
                        self.judge(&items, &loans);
                        self.next_items()
                    })
                }
                None => None,
            },
        };
        // What the account may not see once, it may not see again.
        read.unwrap_or_else(|| self.done())
    }

    fn break_off(&mut self) -> Next {
        self.report.is_broken_off = true;
        self.done()
    }

    fn done(&mut self) -> Next {
        let unread = self.now.drain(..).chain(self.left.drain(..)).flatten().count();
        let unjudged = if let AuditStage::ByPatron(by_patron) = &self.stage { by_patron.unjudged() } else { 0 };
        self.count_unread(unread + unjudged);
        Next::Done(std::mem::take(&mut self.report))
    }

    fn count_unread(&mut self, number: usize) {
        let unread = &mut self.report.audited.unread;
        *unread = unread.saturating_add(u32::try_from(number).unwrap_or(u32::MAX));
    }

    fn next_items(&mut self) -> Next {
        self.now = self.left.drain(..self.left.len().min(AT_ONCE)).collect();
        if self.now.is_empty() {
            return self.done();
        }
        self.stage = AuditStage::Items(Pages::default());
        self.items_request(1)
    }

    fn items_request(&self, page: u32) -> Next {
        let barcodes: Vec<_> = self.now.iter().filter_map(|rows| barcode(rows)).collect();
        Next::Request(rest::items_of(&self.settings, &self.credentials, &barcodes, page))
    }

    fn loans_request(&mut self, returned: bool, page: u32) -> Next {
        let items = match &self.stage {
            AuditStage::Items(_) | AuditStage::ByPatron(_) => return self.done(),
            AuditStage::Open { items, .. } | AuditStage::Returned { items, .. } => items,
        };
        if items.is_empty() {
            self.judge(&[], &[]);
            return self.next_items();
        }
        let numbers: Vec<u64> = items.iter().map(|item| item.item_id).collect();
        Next::Request(rest::checkouts_of(&self.settings, &self.credentials, &numbers, returned, page))
    }

    /// Every loan that these items ever had is known.
    fn judge(&mut self, items: &[Item], loans: &[Checkout]) {
        for rows in std::mem::take(&mut self.now) {
            let is_it = |item: &&Item| {
                let (id, barcode) = (item.external_id.as_deref(), barcode(&rows));
                id.zip(barcode).is_some_and(|(id, barcode)| same_code(id, barcode))
            };
            let mut same = items.iter().filter(is_it);
            // Two items by one barcode, or an item that was deleted since: nothing can be told.
            let (Some(item), None) = (same.next(), same.next()) else {
                self.count_unread(rows.len());
                continue;
            };
            let its: Vec<_> = loans.iter().filter(|loan| loan.item_id == Some(item.item_id)).cloned().collect();
            self.take(judge::judge(&rows, &its));
        }
    }

    /// This Koha tells of no items.
    fn by_patron(&mut self) -> Next {
        let entries: Vec<Entry> = self.now.drain(..).chain(self.left.drain(..)).flatten().collect();
        let mut by_patron = ByPatron::start(&entries);
        let next = by_patron.next(&self.settings, &self.credentials);
        self.go_on_by_patron(by_patron, next)
    }

    fn go_on_by_patron(&mut self, by_patron: ByPatron, next: by_patron::Next) -> Next {
        self.stage = AuditStage::ByPatron(by_patron);
        match next {
            by_patron::Next::Request(request) => Next::Request(request),
            by_patron::Next::Done => self.done(),
        }
    }

    fn take(&mut self, judged: Vec<(TransactionId, Judgement)>) {
        for (id, judgement) in judged {
            match judgement {
                Judgement::Right => {}
                Judgement::Refused => continue,
                Judgement::Odd(oddity) => self.report.audited.odd.push(Odd { id, oddity }),
                Judgement::Processed => self.report.processed.push(id),
                Judgement::Unclear => {
                    self.report.audited.unread += 1;
                    continue;
                }
            }
            self.report.audited.checked += 1;
        }
    }
}

fn barcode(rows: &[Entry]) -> Option<&str> {
    Some(rows.first()?.transaction.action.barcode()?.as_str())
}

#[cfg(test)]
mod tests;
