//! Reads back what Koha made of what was applied: each checkout's loan, and the end of each checkin's; and what is to be done by
//! hand about it, which Koha's offline processing leaves undone.
//!
//! ```text
//! a hundred items: their numbers ──► their open loans ──► their returned loans ──► the patrons ──► the holds ──► the next …
//!                                                                        ──► who has more loans than they may ──► Report
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
mod patrons;
mod terms;
mod work;

use super::{
    Failure, Request, Response,
    rest::{self, Checkout, Item, RestCredentials},
};
use crate::{
    desk::{barcode::same_code, transaction::TransactionId},
    directory::record::Hold,
    koha::records::Listed,
    log::{
        Entry,
        audited::{Audited, Odd},
        fresh::{Fresh, Part},
        status::{NOT_ISSUED, Status},
        todo,
        warned::Warning,
    },
    ordered::{self, Gather},
    settings::form::Settings,
};
use by_patron::ByPatron;
use judge::{Expected, Judgement};
use pages::{Pages, Read};
use patrons::{Patrons, RawPatron};
use std::collections::{HashMap, HashSet, VecDeque};
pub use terms::Terms;
use work::Work;

/// The number of items that are asked about at once.
const AT_ONCE: usize = 100;

/// Their barcodes, and the cards of their patrons, go into an address, of which servers take 8 KiB.
const MOST_SIGNS: usize = 6_000;

/// The number of patrons, of that many items and in all, of whom it is asked one by one whether they have more loans than they may:
/// those who took most.
const LIMITS_ASKED: usize = 4;
const MOST_LIMITS_ASKED: usize = 20;

type RawHold = <Hold as Listed>::Raw;

/// What follows an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub enum AuditStep {
    /// Make this request.
    Request(Request),
    /// That is all.
    Done(Report),
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What is not as it should be, how many were looked at, and what is to be done.
    pub audited: Audited,
    /// Checkins that Koha refused the second time, and had processed the first.
    pub processed: Vec<TransactionId>,
    /// Whether it was broken off, by a server that does not answer: another day may tell more.
    pub is_broken_off: bool,
}

#[derive(Debug, Clone)]
enum AuditStage {
    Items(Pages<Item>),
    Open(Pages<Checkout>),
    Returned(Pages<Checkout>),
    Patrons(Pages<RawPatron>),
    Holds(Pages<RawHold>),
    Limits(u32),
    ByPatron(Box<ByPatron>),
}

/// What was read of the items that are looked at.
#[derive(Debug, Clone, Default)]
struct Chunk {
    rows: Vec<Vec<Entry>>,
    items: Vec<Item>,
    loans: Vec<Checkout>,
}

/// What a patron took, to ask for their limit.
#[derive(Debug, Clone, Copy)]
struct Taken {
    number: usize,
    last: TransactionId,
}

/// One audit.
#[derive(Debug, Clone)]
pub struct Audit {
    settings: Settings,
    credentials: RestCredentials,
    terms: Terms,
    /// What is to be looked at, by item.
    left: VecDeque<Vec<Entry>>,
    /// What is being looked at.
    now: Chunk,
    stage: AuditStage,
    patrons: Patrons,
    /// Holds for which an item of this commit is there.
    served: HashSet<u32>,
    taken: HashMap<u32, Taken>,
    /// Some items, with whoever has them on loan.
    holders: Vec<(u64, Option<u64>)>,
    to_limit: VecDeque<u32>,
    /// How often items were asked about.
    chunks: usize,
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

/// A page of a list was answered.
enum Page<T> {
    /// The next is to be asked for.
    More(Pages<T>, u32),
    Whole(Vec<T>),
    /// Koha does not give it to this account.
    Refused,
}

fn page<T: serde::de::DeserializeOwned>(mut pages: Pages<T>, response: &Response) -> Page<T> {
    match pages.add(response) {
        Some(Read::More(page)) => Page::More(pages, page),
        Some(Read::Whole(rows)) => Page::Whole(rows),
        None => Page::Refused,
    }
}

impl Audit {
    /// Begins to look at these, in the order in which they were applied. `None` where there is nothing to ask.
    pub fn start(
        settings: Settings,
        credentials: RestCredentials,
        terms: Terms,
        entries: impl IntoIterator<Item = Entry>,
    ) -> Option<(Self, Request)> {
        let mut by_item: HashMap<String, Vec<Entry>> = HashMap::new();
        // Several commits may have had one of them to send.
        let mut known = HashSet::new();
        let mut terms = terms;
        let with_queued = terms.with_queued;
        let is_asked = |entry: &Entry| can_tell(entry) || (with_queued && entry.status == Status::Added);
        for entry in entries.into_iter().filter(|entry| is_asked(entry) && known.insert(entry.id)) {
            terms.note(&entry, &settings.branchcode);
            if let Some(item) = entry.transaction.action.item_key() {
                by_item.entry(item).or_default().push(entry);
            }
        }
        let mut by_item: Vec<_> = by_item.into_iter().collect();
        ordered::sort_by_text(&mut by_item, |(item, _)| item.clone());
        let mut audit = Self {
            settings,
            credentials,
            terms,
            left: by_item.into_iter().map(|(_, entries)| entries).collect(),
            now: Chunk::default(),
            stage: AuditStage::Items(Pages::default()),
            patrons: Patrons::default(),
            served: HashSet::new(),
            taken: HashMap::new(),
            holders: Vec::new(),
            to_limit: VecDeque::new(),
            chunks: 0,
            report: Report::default(),
        };
        if audit.left.is_empty() {
            return None;
        }
        match audit.next_items() {
            AuditStep::Request(request) => Some((audit, request)),
            AuditStep::Done(_) => None,
        }
    }

    /// Takes the answer to the request that was made last.
    pub fn handle(&mut self, answer: Result<Response, Failure>) -> AuditStep {
        let Ok(response) = answer else { return self.break_off() };
        // A hold or a limit that cannot be told is no reason to end.
        let is_of_use = matches!(self.stage, AuditStage::Patrons(_) | AuditStage::Holds(_) | AuditStage::Limits(_));
        if (response.status >= 500 && !(is_of_use && response.status == 500)) || response.status == 429 {
            return self.break_off();
        }
        match std::mem::replace(&mut self.stage, AuditStage::Items(Pages::default())) {
            AuditStage::Items(_) if response.status == 404 => self.by_patron(),
            AuditStage::ByPatron(mut by_patron) => {
                let mut told = by_patron::Told::default();
                let next = by_patron.handle(&response, &self.settings, &self.credentials, &self.terms, &mut told);
                self.take(told.judged);
                self.report.audited.fresh.extend(told.fresh);
                self.go_on_by_patron(by_patron, next)
            }
            AuditStage::Items(pages) => match page(pages, &response) {
                Page::More(pages, number) => {
                    self.stage = AuditStage::Items(pages);
                    self.items_request(number)
                }
                Page::Whole(items) => {
                    self.now.items = items;
                    self.stage = AuditStage::Open(Pages::default());
                    self.loans_request(1)
                }
                // What the account may not see once, it may not see again.
                Page::Refused => self.refused(Part::Items),
            },
            AuditStage::Open(pages) => match page(pages, &response) {
                Page::More(pages, number) => {
                    self.stage = AuditStage::Open(pages);
                    self.loans_request(number)
                }
                Page::Whole(open) => {
                    self.now.loans = open;
                    self.stage = AuditStage::Returned(Pages::default());
                    self.loans_request(1)
                }
                Page::Refused => self.refused(Part::Loans),
            },
            AuditStage::Returned(pages) => match page(pages, &response) {
                Page::More(pages, number) => {
                    self.stage = AuditStage::Returned(pages);
                    self.loans_request(number)
                }
                // A server that gives the open ones instead: the absence of others proves nothing.
                Page::Whole(loans) if loans.iter().all(|loan| loan.checkin_date.is_some()) => {
                    self.now.loans.extend(loans);
                    self.ask_patrons(1)
                }
                Page::Whole(_) | Page::Refused => self.refused(Part::Loans),
            },
            AuditStage::Patrons(pages) => match page(pages, &response) {
                Page::More(pages, number) => {
                    self.stage = AuditStage::Patrons(pages);
                    self.patrons_request(number)
                }
                Page::Whole(rows) => {
                    if self.patrons.add(rows) {
                        self.stage = AuditStage::Patrons(Pages::default());
                        return self.patrons_request(1);
                    }
                    self.ask_holds()
                }
                Page::Refused if self.patrons.ask_for_less(&response) => self.ask_patrons(1),
                Page::Refused => {
                    self.report.audited.is_silent_about(Part::Patrons);
                    self.patrons.give_up();
                    self.ask_holds()
                }
            },
            AuditStage::Holds(pages) => match page(pages, &response) {
                Page::More(pages, number) => {
                    self.stage = AuditStage::Holds(pages);
                    self.holds_request(number)
                }
                Page::Whole(rows) => {
                    let holds: Vec<Hold> =
                        rows.into_iter().filter_map(|row| Hold::read(row).map(|(hold, _)| hold)).collect();
                    self.judge(Some(&holds));
                    self.next_items()
                }
                Page::Refused => {
                    self.report.audited.is_silent_about(Part::Holds);
                    self.judge(None);
                    self.next_items()
                }
            },
            AuditStage::Limits(patron) => {
                let Some(limit) = rest::read_limit(&response) else { return self.refused(Part::Limits) };
                self.take_limit(patron, limit);
                self.next_limit()
            }
        }
    }

    fn break_off(&mut self) -> AuditStep {
        self.report.is_broken_off = true;
        self.done()
    }

    fn refused(&mut self, part: Part) -> AuditStep {
        self.report.audited.is_silent_about(part);
        self.done()
    }

    fn done(&mut self) -> AuditStep {
        let unread = self.now.rows.drain(..).chain(self.left.drain(..)).flatten().count();
        let unjudged = if let AuditStage::ByPatron(by_patron) = &self.stage { by_patron.unjudged() } else { 0 };
        self.count_unread(unread + unjudged);
        ordered::sort(&mut self.report.audited.fresh, |fresh| fresh.id.rank());
        AuditStep::Done(std::mem::take(&mut self.report))
    }

    fn count_unread(&mut self, number: usize) {
        let unread = &mut self.report.audited.unread;
        *unread = unread.saturating_add(u32::try_from(number).unwrap_or(u32::MAX));
    }

    fn next_items(&mut self) -> AuditStep {
        let mut signs = [0, 0];
        let mut fits = |rows: &Vec<Entry>| {
            signs[0] +=
                rows.first().and_then(|row| row.transaction.action.barcode()).map_or(0, |code| signs_of(code.as_str()));
            let cards = rows.iter().filter_map(|row| row.transaction.action.cardnumber());
            signs[1] += cards.map(|card| signs_of(card.as_str())).sum::<usize>();
            signs.iter().all(|signs| *signs <= MOST_SIGNS)
        };
        // One at least, however long its codes are.
        let number = self.left.iter().take(AT_ONCE).take_while(|rows| fits(rows)).count().max(1);
        let rows = self.left.drain(..number.min(self.left.len())).collect();
        self.chunks += 1;
        self.now = Chunk { rows, ..Chunk::default() };
        if self.now.rows.is_empty() {
            return self.first_limit();
        }
        self.stage = AuditStage::Items(Pages::default());
        self.items_request(1)
    }

    fn items_request(&self, page: u32) -> AuditStep {
        let barcodes: Vec<_> = self.now.rows.iter().filter_map(|rows| barcode(rows)).collect();
        AuditStep::Request(rest::items_of(&self.settings, &self.credentials, &barcodes, page))
    }

    fn loans_request(&mut self, page: u32) -> AuditStep {
        if self.now.items.is_empty() {
            self.judge(None);
            return self.next_items();
        }
        let returned = matches!(self.stage, AuditStage::Returned(_));
        let numbers: Vec<u64> = self.now.items.iter().map(|item| item.item_id).collect();
        AuditStep::Request(rest::checkouts_of(&self.settings, &self.credentials, &numbers, returned, page))
    }

    /// Asks for the patrons who are not known yet.
    fn ask_patrons(&mut self, page: u32) -> AuditStep {
        let cards = self.now.rows.iter().flatten().filter_map(|row| row.transaction.action.cardnumber());
        if self.patrons.want(cards) {
            self.stage = AuditStage::Patrons(Pages::default());
            return self.patrons_request(page);
        }
        self.ask_holds()
    }

    fn patrons_request(&self, page: u32) -> AuditStep {
        AuditStep::Request(self.patrons.request(&self.settings, &self.credentials, page))
    }

    fn ask_holds(&mut self) -> AuditStep {
        let is_silent = self.report.audited.silent.contains(&Part::Holds);
        if is_silent || self.biblios().is_empty() {
            self.judge(None);
            return self.next_items();
        }
        self.stage = AuditStage::Holds(Pages::default());
        self.holds_request(1)
    }

    fn biblios(&self) -> Vec<u32> {
        self.now.items.iter().filter_map(|item| item.biblio_id).into_list()
    }

    fn holds_request(&self, page: u32) -> AuditStep {
        AuditStep::Request(rest::holds_of(&self.settings, &self.credentials, &self.biblios(), page))
    }

    /// Every loan that these items ever had is known.
    fn judge(&mut self, holds: Option<&[Hold]>) {
        let Chunk { rows, items, loans } = std::mem::take(&mut self.now);
        for rows in rows {
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
            let expected = |row: &Entry| Expected {
                patron: self.patrons.of(row).map(|patron| patron.id),
                library: self.terms.booked_at(row.id),
            };
            let judged = judge::judge(&rows, &its, &expected);
            let work = Work {
                item,
                loans: &its,
                holds,
                patrons: &self.patrons,
                here: &self.settings.branchcode,
                debt_limit: self.terms.debt_limit,
            };
            let fresh = work.of(&rows, &mut self.served);
            let holder = its.iter().find(|loan| loan.checkin_date.is_none()).and_then(|loan| loan.patron_id);
            self.holders.push((item.item_id, holder));
            for (row, fresh) in rows.iter().zip(fresh) {
                if let (Some(patron), true) = (fresh.numbers.patron, row.transaction.action.cardnumber().is_some()) {
                    let taken = self.taken.entry(patron).or_insert(Taken { number: 0, last: row.id });
                    *taken = Taken { number: taken.number + 1, last: row.id };
                }
                let is_odd = judged.iter().any(|(id, judged)| *id == row.id && matches!(judged, Judgement::Odd(_)));
                if fresh.says_something() || is_odd || todo::is_candidate(row) {
                    self.report.audited.fresh.push(fresh);
                }
            }
            self.take(judged);
        }
        if self.patrons.lacks_debts() {
            self.report.audited.is_silent_about(Part::Debts);
        }
    }

    /// All is read: who took most is asked about first.
    fn first_limit(&mut self) -> AuditStep {
        let mut taken: Vec<(u32, usize)> = self.taken.iter().map(|(patron, taken)| (*patron, taken.number)).collect();
        ordered::sort(&mut taken, |(patron, number)| (-i64::try_from(*number).unwrap_or(i64::MAX), u64::from(*patron)));
        let number = (self.chunks.saturating_sub(1) * LIMITS_ASKED).min(MOST_LIMITS_ASKED);
        self.to_limit = taken.into_iter().map(|(patron, _)| patron).take(number).collect();
        self.next_limit()
    }

    /// Asks whether the next patron may have one more. Of an item that they have themselves Koha says nothing of limits.
    fn next_limit(&mut self) -> AuditStep {
        while let Some(patron) = self.to_limit.pop_front() {
            let other = self.holders.iter().find(|(_, holder)| *holder != Some(u64::from(patron)));
            if let Some((item, _)) = other {
                self.stage = AuditStage::Limits(patron);
                return AuditStep::Request(rest::availability(&self.settings, &self.credentials, patron, *item));
            }
        }
        self.done()
    }

    fn take_limit(&mut self, patron: u32, limit: Option<(u32, u32)>) {
        let Some((loans, limit)) = limit.filter(|(loans, limit)| loans > limit) else { return };
        let Some(taken) = self.taken.get(&patron) else { return };
        let fresh = &mut self.report.audited.fresh;
        let place = fresh.iter().position(|fresh| fresh.id == taken.last).unwrap_or_else(|| {
            let mut of_patron = Fresh::of(taken.last);
            of_patron.numbers.patron = Some(patron);
            fresh.push(of_patron);
            fresh.len() - 1
        });
        fresh[place].warnings.push(Warning::OverLimit { loans, limit });
    }

    /// This Koha tells of no items.
    fn by_patron(&mut self) -> AuditStep {
        self.report.audited.is_silent_about(Part::Items);
        self.report.audited.is_silent_about(Part::Debts);
        self.report.audited.is_silent_about(Part::Holds);
        let entries: Vec<Entry> = self.now.rows.drain(..).chain(self.left.drain(..)).flatten().collect();
        let mut by_patron = Box::new(ByPatron::start(&entries));
        let next = by_patron.next(&self.settings, &self.credentials);
        self.go_on_by_patron(by_patron, next)
    }

    fn go_on_by_patron(&mut self, by_patron: Box<ByPatron>, next: by_patron::PatronStep) -> AuditStep {
        self.stage = AuditStage::ByPatron(by_patron);
        match next {
            by_patron::PatronStep::Request(request) => AuditStep::Request(request),
            by_patron::PatronStep::Refused(part) => self.refused(part),
            by_patron::PatronStep::Done => self.done(),
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

/// How many signs a code takes within an address, with what stands between it and the next.
fn signs_of(code: &str) -> usize {
    let between = "%22%2C%22".len();
    between + code.bytes().map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 3 }).sum::<usize>()
}

fn barcode(rows: &[Entry]) -> Option<&str> {
    Some(rows.first()?.transaction.action.barcode()?.as_str())
}

#[cfg(test)]
mod tests;
