//! Reads back, at the end of a commit, what Koha made of it: of what was applied by [`audit`](crate::koha::audit), of what was
//! paid by the patrons' balances ([`paid`](super::paid)), of what was queued by a look at the queue before and after
//! ([`pending`](crate::koha::pending)). Nothing waits for it but the end of the
//! commit; what cannot be read is counted.

use super::{
    in_queue::InQueue,
    koha_clock::{Age, KohaClock},
    paid::Paid,
    protocol::{Asked, Ticket, Tickets},
};
use crate::{
    desk::{amount::Cents, barcode::Cardnumber, transaction::TransactionId},
    koha::{
        Failure, Request, Response,
        audit::{self, Audit, Report, Terms},
        inquiry::{Finding, Unclear},
        pending::{self, Likeness, Pending, Visit},
        rest::RestCredentials,
    },
    log::{
        Entry,
        audited::{Audited, Odd, Oddity},
        commit::Queued,
        fresh::{Fresh, Part},
        status::{Attempt, Status},
    },
    ordered,
    settings::form::Settings,
};
use std::collections::HashMap;

/// The audit of one commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Auditing {
    /// The library whose queue can be looked at: the one that this desk is set to. Of another's rows it shows nothing.
    own: String,
    /// What was applied, with what came of it.
    applied: Vec<Entry>,
    /// What it is compared with.
    terms: Terms,
    /// What was queued.
    queued: Vec<Entry>,
    /// What may be in the queue without an answer.
    perhaps_queued: Vec<Likeness>,
    /// What was to be queued and is in doubt; the queue may tell.
    in_queue: InQueue,
    /// Or it would be the queue of another library.
    in_other_queues: Vec<TransactionId>,
    /// Under which numbers what was sent stands in the queue.
    numbers: Vec<Queued>,
    /// What the highest number in the queue was before anything was sent; absent where it was not read.
    last_before: Option<u64>,
    /// Whether the queue was looked at before anything was sent, or cannot be.
    looked_before: bool,
    asking: Asked<Asking>,
    paid: Paid,
    /// What Koha said already of what it checked in.
    said: Vec<Fresh>,
    audited: Audited,
    is_broken_off: bool,
}

#[derive(Debug, Clone)]
enum Asking {
    Before(Visit),
    Loans(Box<Audit>),
    After(Visit),
}

/// What follows an answer.
#[derive(Default)]
pub(super) struct Told {
    /// Make these requests.
    pub(super) requests: Vec<(Ticket, Request)>,
    /// Koha refused these the second time, and had processed them the first.
    pub(super) processed: Vec<TransactionId>,
    /// What the queue tells of those in doubt.
    pub(super) proved: Vec<(Entry, Finding)>,
}

impl Auditing {
    /// Of a desk that is set to this library.
    pub(super) fn at(own: &str) -> Self {
        Self { own: own.to_owned(), ..Self::default() }
    }

    /// Whether the queue that can be looked at is the one in which it would stand.
    fn is_of_queue(&self, entry: &Entry) -> bool {
        entry.branch_or(&self.own) == self.own
    }

    /// From what sum on debts are told.
    pub(super) fn tell_debts_over(&mut self, limit: Option<Cents>) {
        self.terms.debt_limit = limit;
    }

    pub(super) fn is_asking(&self) -> bool {
        self.asking.is_open() || self.paid.is_asking()
    }

    /// Whether it waits for this answer.
    pub(super) fn is_about(&self, ticket: Ticket) -> bool {
        self.paid.is_about(ticket) || self.asking.has(ticket)
    }

    /// Waits for no answer; what was not read yet may be another day.
    pub(super) fn give_up(&mut self) {
        let is_over = self.applied.is_empty() && self.queued.is_empty() && self.paid.is_over();
        self.is_broken_off |= self.asking.give_up().is_some() || !is_over;
        self.paid.give_up();
        self.applied.clear();
        self.queued.clear();
    }

    /// This came of it.
    pub(super) fn note(&mut self, entry: &Entry, status: &Status) {
        if *status != Status::Added {
            self.paid.note(entry, status);
        }
        self.said.extend(entry.told_at_checkin());
        match status {
            Status::Added if !self.is_of_queue(entry) => self.count_unread(1),
            Status::Added => self.queued.push(entry.clone()),
            Status::InDoubt { .. } if !self.is_of_queue(entry) => {}
            Status::InDoubt { attempt, .. } => {
                self.perhaps_queued.push(pending::likeness(&entry.transaction));
                self.in_queue.doubt(entry, attempt, Age::Fresh);
            }
            _ => {
                let entry = Entry { status: status.clone(), ..entry.clone() };
                self.applied.extend(Some(entry).filter(audit::can_tell));
            }
        }
    }

    /// This came of it in an earlier commit. What was paid then shows in no balance that is read now.
    pub(super) fn note_earlier(&mut self, entry: &Entry) {
        if entry.transaction.action.amount().is_some() {
            self.audited.unread += u32::from(entry.status == Status::Success);
        } else if matches!(entry.status, Status::Success | Status::Rejected { .. }) {
            // By settings that may have been others.
            self.terms.booked_anywhere.insert(entry.id);
            self.note(entry, &entry.status);
        }
    }

    /// What was to be queued by an earlier commit, and is in doubt since.
    pub(super) fn doubt_earlier(&mut self, entry: &Entry, attempt: &Attempt) {
        if self.is_of_queue(entry) {
            self.in_queue.doubt(entry, attempt, Age::Unknown);
        } else {
            self.in_other_queues.push(entry.id);
        }
    }

    /// What became of this one is found out without the queue.
    pub(super) fn doubt_no_more(&mut self, id: TransactionId) {
        self.in_queue.remove(id);
        self.in_other_queues.retain(|other| *other != id);
    }

    /// These stand in the queue, or were processed since.
    pub(super) fn know_queued(&mut self, entries: impl IntoIterator<Item = Entry>) {
        let entries: Vec<Entry> = entries.into_iter().filter(|entry| self.is_of_queue(entry)).collect();
        self.in_queue.know(entries);
    }

    /// The highest number in the queue before anything was sent, where there was one.
    pub(super) fn last_before(&self) -> Option<u64> {
        self.last_before.filter(|last| *last > 0)
    }

    /// Whether the queue is to be looked at because of those in doubt.
    pub(super) fn is_to_look(&self) -> bool {
        !self.looked_before && self.in_queue.has_doubts()
    }

    /// Those of earlier commits that are in doubt still.
    pub(super) fn still_in_doubt(&self) -> Vec<(TransactionId, Unclear)> {
        let elsewhere = self.in_other_queues.iter().map(|id| (*id, Unclear::NotReadable));
        self.in_queue.unclear(self.last_before.is_some()).into_iter().chain(elsewhere).collect()
    }

    /// Looks at what a payer owes before they pay.
    pub(super) fn look_at_account(
        &mut self,
        card: &Cardnumber,
        patron_id: u64,
        settings: &Settings,
        credentials: &RestCredentials,
        tickets: &mut Tickets,
    ) -> Option<(Ticket, Request)> {
        self.paid.look_before(card, patron_id, settings, credentials, tickets)
    }

    /// Looks at the queue before anything is sent to it, once.
    pub(super) fn look_before(
        &mut self,
        settings: &Settings,
        credentials: &RestCredentials,
        clock: KohaClock,
        tickets: &mut Tickets,
    ) -> Option<(Ticket, Request)> {
        if std::mem::replace(&mut self.looked_before, true) {
            return None;
        }
        self.in_queue.date(clock);
        let visit = Visit::by(credentials)?;
        let request = visit.request(settings);
        Some(self.asking.ask(Asking::Before(visit), request, tickets))
    }

    /// The next question, now that everything has an end. `None` where nothing is left to ask.
    pub(super) fn next(
        &mut self,
        settings: &Settings,
        booked_at: &str,
        credentials: Option<&RestCredentials>,
        tickets: &mut Tickets,
    ) -> Option<(Ticket, Request)> {
        if self.is_asking() {
            return None;
        }
        let applied = std::mem::take(&mut self.applied);
        let Some(credentials) = credentials else {
            if !applied.is_empty() {
                self.audited.silent = Part::ALL.to_vec();
            }
            self.count_unread(applied.len() + self.paid.number() + self.queued.len());
            self.queued.clear();
            self.paid.give_up();
            return None;
        };
        let terms = Terms { booked_at: Some(booked_at.to_owned()), ..self.terms.clone() };
        if let Some((audit, request)) = Audit::start(settings.clone(), credentials.clone(), terms, applied) {
            return Some(self.asking.ask(Asking::Loans(Box::new(audit)), request, tickets));
        }
        if let Some(question) = self.paid.next(settings, credentials, tickets, &mut self.audited) {
            return Some(question);
        }
        if self.queued.is_empty() {
            return None;
        }
        let Some(visit) = Visit::by(credentials).filter(|_| self.last_before.is_some()) else {
            self.count_unread(self.queued.len());
            self.queued.clear();
            return None;
        };
        let request = visit.request(settings);
        Some(self.asking.ask(Asking::After(visit), request, tickets))
    }

    /// Takes an answer. `None` where it is to no question of these.
    pub(super) fn handle(
        &mut self,
        ticket: Ticket,
        answer: Result<Response, Failure>,
        settings: &Settings,
        tickets: &mut Tickets,
    ) -> Option<Told> {
        if self.paid.handle(ticket, &answer, &mut self.audited).is_some() {
            return Some(Told::default());
        }
        let asking = self.asking.answered(ticket)?;
        let mut told = Told::default();
        match asking {
            Asking::Loans(mut audit) => match audit.handle(answer) {
                audit::AuditStep::Request(request) => {
                    told.requests.push(self.asking.ask(Asking::Loans(audit), request, tickets));
                }
                audit::AuditStep::Done(report) => {
                    told.processed.clone_from(&report.processed);
                    self.take(report);
                }
            },
            Asking::Before(visit) => {
                let rows = look(&visit, &answer, settings, tickets, &mut told);
                if let Some(rows) = &rows {
                    let proved = self.in_queue.prove(rows, &[], 0);
                    self.audited.odd.extend(proved.odd);
                    told.proved = proved.proved;
                }
                self.last_before = rows.map(|rows| rows.iter().map(|row| row.number).max().unwrap_or_default());
            }
            Asking::After(visit) => {
                if let Some(rows) = look(&visit, &answer, settings, tickets, &mut told) {
                    let before = self.last_before.unwrap_or_default();
                    let proved = self.in_queue.prove(&rows, &self.queued, before);
                    self.numbers.extend(proved.numbers);
                    self.audited.odd.extend(proved.odd);
                    told.proved = proved.proved;
                    self.in_queue.know(self.queued.iter().cloned());
                    self.compare(&rows);
                }
                self.count_unread(self.queued.len());
                self.queued.clear();
            }
        }
        Some(told)
    }

    fn take(&mut self, report: Report) {
        self.audited.checked += report.audited.checked;
        self.audited.unread += report.audited.unread;
        self.audited.odd.extend(report.audited.odd);
        self.audited.fresh.extend(report.audited.fresh);
        for part in report.audited.silent {
            self.audited.is_silent_about(part);
        }
        self.is_broken_off |= report.is_broken_off;
    }

    fn count_unread(&mut self, number: usize) {
        self.audited.unread += super::summary::count(number);
    }

    /// Compares what was sent with what came into the queue meanwhile.
    fn compare(&mut self, rows: &[Pending]) {
        let before = self.last_before.unwrap_or_default();
        let mut there: HashMap<Likeness, u32> = HashMap::new();
        for row in rows.iter().filter(|row| row.number > before) {
            *there.entry(row.likeness()).or_default() += 1;
        }
        let mut sent: HashMap<Likeness, (u32, TransactionId)> = HashMap::new();
        for entry in self.queued.drain(..) {
            sent.entry(pending::likeness(&entry.transaction)).or_insert((0, entry.id)).0 += 1;
        }
        // In no order: the numbers are added up, and what is odd is sorted.
        let sent: Vec<_> = sent.into_iter().collect();
        for (likeness, (number, id)) in sent {
            let times = there.get(&likeness).copied().unwrap_or_default();
            let perhaps = self.perhaps_queued.iter().filter(|other| **other == likeness).count();
            if times > number + super::summary::count(perhaps) {
                self.audited.odd.push(Odd { id, oddity: Oddity::Queued { times } });
                self.audited.checked += number;
            } else if times == number {
                self.audited.checked += number;
            } else {
                // Fewer: somebody processes the queue, or it was queued for another library. More: what is too much may be one
                // of those in doubt.
                self.audited.unread += number;
            }
        }
        ordered::sort(&mut self.audited.odd, |odd| odd.id.rank());
    }

    /// Under which numbers what was sent stands in the queue.
    pub(super) fn numbers(&self) -> Vec<Queued> {
        self.numbers.clone()
    }

    /// What was found, and whether that is all that can be.
    pub(super) fn result(&self) -> (Audited, bool) {
        let mut audited = self.audited.clone();
        audited.add_said(&self.said);
        (audited, !self.is_broken_off)
    }
}

/// The rows on the page, if they could be read. A session that was made for it is ended.
fn look(
    visit: &Visit,
    answer: &Result<Response, Failure>,
    settings: &Settings,
    tickets: &mut Tickets,
    told: &mut Told,
) -> Option<Vec<Pending>> {
    let response = answer.as_ref().ok()?;
    told.requests.extend(visit.log_out(settings, response).map(|request| (tickets.next(), request)));
    pending::read(response, &settings.branchcode).ok().map(|page| page.rows)
}
