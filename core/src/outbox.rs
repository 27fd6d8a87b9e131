//! Brings uncommitted transactions into Koha: the state machine of one commit, without any I/O.
//!
//! Whoever drives it does what [`Outbox::poll`] gives out and reports back through [`Outbox::handle`]:
//!
//! ```text
//!          ┌────────── Persist: the last answer, and Sending for the next ──────────┐
//! login ──►│                                                                        │──► Finished
//!          └── Request ──► Response | Failure (Added, Rejected, InDoubt, back …) ◄──┘
//! ```
//! Two invariants make a crash at any step harmless:
//! - a request is given out only after its transaction is durable as `Sending`;
//! - an answer is durable before a request that could depend on it is given out. What is applied goes strictly one after
//!   the other. What is queued is put in order by Koha itself, by its time, so several may be under way at once, but never
//!   two of one item.
//!
//! So whatever is found in `Sending` when KOCT starts may be in Koha, and whatever is found in `Local` is not.
//!
//! Once logged in, and before anything is sent, Koha is asked about those in doubt that were to be applied
//! ([`inquiry`](crate::koha::inquiry)). Only proof takes one out of doubt; everything else is a person's to decide. A
//! failure that proves that no server was reached is tried again after a pause, a few times.

pub mod summary;

use crate::{
    desk::transaction::TransactionId,
    koha::{
        Failure, NotSent, Request, Response,
        connection::{Connection, ConnectionError, Next},
        inquiry::{self, Finding, Inquiry, Unclear},
        service::{self, Access, Answer},
    },
    log::{
        Entry,
        order::Ordered,
        status::{Attempt, Doubt, Status},
    },
    settings::form::{CommitType, Settings},
};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use summary::{CommitError, Summary, count};

/// So many transactions may be under way at once on their way into Koha's queue.
const QUEUED_AT_ONCE: usize = 4;

/// So far ahead the next transaction is looked for that may go now.
const LOOK_AHEAD: usize = 64;

/// The backoff, in milliseconds, before trying again after no server was reached; then the commit ends.
const BACKOFF: [u32; 4] = [1_000, 2_000, 4_000, 8_000];

/// So long after a request left, in milliseconds, a slow server might still process it, so that its absence proves nothing.
/// Web servers in front of Koha give up after five minutes (Apache's `Timeout` in Koha's packages); this is twice as long.
pub const SETTLED_AFTER_MS: i64 = 600_000;

/// So many server errors in a row end a commit: going on would only put more in doubt.
const SERVER_ERRORS_IN_A_ROW: u32 = 3;

/// Names a request, so that its answer is not taken for another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(u32);

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Store these statuses durably and all at once, then report [`Input::Persisted`] or [`Input::NotPersisted`].
    Persist(Vec<(TransactionId, Status)>),
    /// Make this request and report [`Input::Answer`].
    Request(Ticket, Request),
    /// Report [`Input::Waited`] after so many milliseconds.
    Wait(Ticket, u32),
    /// The commit is over.
    Finished(Summary),
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The statuses of the last [`Output::Persist`] are durable.
    Persisted,
    /// They are not, and nothing of them was stored.
    NotPersisted,
    /// What became of a request.
    Answer(Ticket, Result<Response, Failure>),
    /// The time of an [`Output::Wait`] is over.
    Waited(Ticket),
    /// The person wants it to stop. A request that has left is still waited for.
    Cancel,
}

/// A transaction that is durable as `Sending`, or is about to be.
#[derive(Debug, Clone)]
struct InFlight {
    entry: Entry,
    attempt: Attempt,
    /// The connection was made anew for it once; a second refusal is final.
    renewed: bool,
    stage: CommitStage,
}

/// Where a transaction in flight is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CommitStage {
    /// Its `Sending` is being made durable.
    Persisting,
    /// It is durable as `Sending`, and may be asked about when there is a connection.
    Ready,
    /// Koha was asked.
    Asked(Ticket),
}

/// One commit. See the [module](self).
#[derive(Debug, Clone)]
pub struct Outbox {
    settings: Settings,
    /// What the server's clock showed last, in milliseconds since 1970 in UTC.
    server_time: Option<i64>,
    /// The connection that is being made, at first or anew, and the request of it that is under way.
    connecting: Option<(Connection, Ticket)>,
    /// How requests show who sends them; absent until there is a connection, and while it must be made anew.
    access: Option<Access>,
    /// The place of each in the order of all desks.
    ranks: HashMap<TransactionId, usize>,
    /// In doubt, and Koha may be asked about it, in that order.
    to_inquire: VecDeque<(Entry, Attempt)>,
    inquiring: Option<Inquiring>,
    /// To be sent, in that order.
    queue: VecDeque<Entry>,
    in_flight: BTreeMap<TransactionId, InFlight>,
    /// The items of those in doubt: what comes later must not overtake them.
    in_doubt: BTreeMap<TransactionId, Option<String>>,
    /// To be sent, but a transaction of the same item is in doubt.
    blocked: Vec<Entry>,
    /// The pause that is being made, and the number of them since a server was reached.
    resting: Option<Ticket>,
    failed_connections: usize,
    /// What Koha answered and is not durable yet.
    answered: Vec<(TransactionId, Status)>,
    /// How many of `answered` are being made durable, if anything is.
    persisting: Option<usize>,
    outputs: VecDeque<Output>,
    finished: bool,
    server_errors: u32,
    tickets: u32,
    done: u32,
    summary: Summary,
}

/// A question about a transaction in doubt, and its request that is under way.
#[derive(Debug, Clone)]
struct Inquiring {
    entry: Entry,
    attempt: Attempt,
    inquiry: Inquiry,
    ticket: Ticket,
}

impl Outbox {
    /// A commit of the log's uncommitted entries. Those in `Local` are sent; what Koha refused waits for a
    /// person, and so does what is in doubt and cannot be found out.
    pub fn new(settings: Settings, uncommitted: Ordered) -> Self {
        let mut outbox = Self {
            settings,
            server_time: None,
            connecting: None,
            access: None,
            ranks: uncommitted.iter().enumerate().map(|(rank, entry)| (entry.id, rank)).collect(),
            to_inquire: VecDeque::new(),
            inquiring: None,
            queue: VecDeque::new(),
            in_flight: BTreeMap::new(),
            in_doubt: BTreeMap::new(),
            blocked: Vec::new(),
            resting: None,
            failed_connections: 0,
            answered: Vec::new(),
            persisting: None,
            outputs: VecDeque::new(),
            finished: false,
            server_errors: 0,
            tickets: 0,
            done: 0,
            summary: Summary::default(),
        };
        for entry in uncommitted.into_entries() {
            match entry.status.clone() {
                Status::Local => outbox.blocked.push(entry),
                Status::InDoubt { attempt, .. } | Status::Sending { attempt } => {
                    outbox.in_doubt.insert(entry.id, entry.transaction.action.item_key());
                    if attempt.commit_type == CommitType::Apply && attempt.server == outbox.settings.server {
                        outbox.to_inquire.push_back((entry, attempt));
                    }
                }
                Status::Added | Status::Success | Status::Rejected { .. } | Status::Deleted => {}
            }
        }
        outbox.queue_what_may_go();
        outbox.connect();
        outbox
    }

    /// What is to be done next, or `None` until something is reported.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How many of how many transactions have an answer.
    pub fn progress(&self) -> (u32, u32) {
        (self.done, self.done + count(self.queue.len() + self.in_flight.len()))
    }

    /// Whether the log's entry is the one that is sent, or about to be, under its number, or nothing is. One that was
    /// corrected since this commit read it must not become durable as `Sending`.
    pub fn sends(&self, entry: &Entry) -> bool {
        self.in_flight.get(&entry.id).is_none_or(|flight| flight.entry.transaction == entry.transaction)
    }

    /// Takes what happened.
    pub fn handle(&mut self, input: Input) {
        if let Input::Answer(_, Ok(response)) = &input {
            self.server_time = response.date.or(self.server_time);
        }
        match input {
            Input::Cancel => {
                self.stop(CommitError::Cancelled);
                // What only reads is not waited for: no transaction depends on it.
                self.connecting = None;
                self.inquiring = None;
            }
            Input::Waited(ticket) => {
                self.resting.take_if(|expected| *expected == ticket);
            }
            Input::Answer(ticket, answer) => {
                let asked = self.in_flight.values().find(|flight| flight.stage == CommitStage::Asked(ticket));
                if let Some(id) = asked.map(|flight| flight.entry.id) {
                    self.answer(id, answer);
                } else if let Some((connection, _)) = self.connecting.take_if(|(_, expected)| *expected == ticket) {
                    self.connection_answered(connection, answer);
                } else if let Some(inquiring) = self.inquiring.take_if(|inquiring| inquiring.ticket == ticket) {
                    self.inquiry_answered(inquiring, answer);
                }
            }
            Input::Persisted => {
                if let Some(answers) = self.persisting.take() {
                    self.answered.drain(..answers);
                    self.persisting_now(CommitStage::Ready);
                }
            }
            Input::NotPersisted => self.not_persisted(),
        }
        self.advance();
    }

    /// Queues what was blocked and waits for nothing any more, and blocks what is queued and must wait now.
    fn queue_what_may_go(&mut self) {
        let items: HashSet<_> = self.in_doubt.values().flatten().collect();
        let waits = |entry: &Entry| entry.transaction.action.item_key().is_some_and(|item| items.contains(&item));
        let mut entries: Vec<_> = std::mem::take(&mut self.blocked);
        entries.extend(self.queue.drain(..));
        entries.sort_by_key(|entry| self.rank(entry.id));
        let (blocked, queue): (Vec<_>, Vec<_>) = entries.into_iter().partition(waits);
        self.blocked = blocked;
        self.queue = queue.into();
    }

    /// The place in the order of all desks.
    fn rank(&self, id: TransactionId) -> Option<usize> {
        self.ranks.get(&id).copied()
    }

    /// Ends the commit as soon as nothing is under way. The first reason stays.
    fn stop(&mut self, stop: CommitError) {
        self.summary.stop.get_or_insert(stop);
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn connect(&mut self) {
        let (connection, request) = Connection::start(self.settings.clone());
        self.request_connecting(connection, request);
    }

    fn request_connecting(&mut self, connection: Connection, request: Request) {
        let ticket = self.ticket();
        self.connecting = Some((connection, ticket));
        self.outputs.push_back(Output::Request(ticket, request));
    }

    fn connection_answered(&mut self, mut connection: Connection, answer: Result<Response, Failure>) {
        match connection.handle(answer) {
            Next::Request(request) => self.request_connecting(connection, request),
            Next::Ready(ready) => {
                let known = ready.libraries.as_ref().and_then(|libraries| libraries.knows(&self.settings.branchcode));
                self.summary.branch_checked = known == Some(true);
                self.access = Some(ready.access);
                if known == Some(false) {
                    let libraries = ready.libraries.map(|libraries| libraries.list).unwrap_or_default();
                    self.stop(CommitError::BranchUnknown { libraries });
                }
            }
            Next::Failed(trouble) => self.stop(CommitError::Connection(trouble)),
        }
    }

    /// Asks Koha about the next one in doubt.
    fn inquire(&mut self) {
        let Some(access) = self.access.clone() else { return };
        while self.inquiring.is_none()
            && let Some((entry, attempt)) = self.to_inquire.pop_front()
        {
            if let Some((inquiry, request)) =
                Inquiry::start(self.settings.clone(), access.clone(), entry.transaction.clone())
            {
                self.request_inquiring(entry, attempt, inquiry, request);
            }
        }
    }

    fn request_inquiring(&mut self, entry: Entry, attempt: Attempt, inquiry: Inquiry, request: Request) {
        let ticket = self.ticket();
        self.inquiring = Some(Inquiring { entry, attempt, inquiry, ticket });
        self.outputs.push_back(Output::Request(ticket, request));
    }

    fn inquiry_answered(&mut self, inquiring: Inquiring, answer: Result<Response, Failure>) {
        let Inquiring { entry, attempt, mut inquiry, .. } = inquiring;
        let finding = match inquiry.handle(answer) {
            inquiry::Next::Request(request) => return self.request_inquiring(entry, attempt, inquiry, request),
            inquiry::Next::Finding(finding) => self.check_finding(&entry, &attempt, finding),
        };
        let id = entry.id;
        self.summary.findings.push((id, finding));
        match finding {
            Finding::Found(_) => {
                self.summary.settled.push(id);
                self.answered.push((id, Status::Success));
            }
            Finding::Missing(_) => {
                self.answered.push((id, Status::Local));
                self.blocked.push(Entry { status: Status::Local, ..entry });
            }
            Finding::Unclear(_) => return,
        }
        self.in_doubt.remove(&id);
        self.queue_what_may_go();
    }

    /// Whether it is safe to act on what was found.
    fn check_finding(&self, entry: &Entry, attempt: &Attempt, finding: Finding) -> Finding {
        let item = entry.transaction.action.item_key();
        let later =
            |(id, other): (&TransactionId, &Option<String>)| self.rank(*id) > self.rank(entry.id) && *other == item;
        let settled =
            self.server_time.zip(attempt.at).is_some_and(|(now, then)| now.saturating_sub(then) >= SETTLED_AFTER_MS);
        match finding {
            Finding::Missing(_) if self.in_doubt.iter().any(later) => Finding::Unclear(Unclear::LaterInDoubt),
            Finding::Missing(_) if !settled => Finding::Unclear(Unclear::TooEarly),
            other => other,
        }
    }

    /// Puts a transaction back into the queue, in its place.
    fn queue_again(&mut self, entry: Entry) {
        let place = self.queue.partition_point(|other| self.rank(other.id) < self.rank(entry.id));
        self.queue.insert(place, entry);
    }

    /// The transaction was provably not processed.
    fn requeue(&mut self, id: TransactionId) {
        if let Some(flight) = self.in_flight.remove(&id) {
            self.answered.push((id, Status::Local));
            self.queue_again(flight.entry);
        }
    }

    /// Waits before asking again, unless it has often enough. Returns whether it does.
    fn back_off(&mut self) -> bool {
        if self.summary.stop.is_some() {
            return false;
        }
        if self.resting.is_none() {
            let Some(time) = BACKOFF.get(self.failed_connections) else { return false };
            self.failed_connections += 1;
            let ticket = self.ticket();
            self.resting = Some(ticket);
            self.outputs.push_back(Output::Wait(ticket, *time));
        }
        true
    }

    /// Koha's answer about a transaction.
    fn answer(&mut self, id: TransactionId, answer: Result<Response, Failure>) {
        let verdict = match answer {
            Ok(response) => {
                self.failed_connections = 0;
                self.judge(id, service::read(&response))
            }
            Err(Failure::NotSent(NotSent::Offline | NotSent::UnknownHost | NotSent::Refused)) if self.back_off() => {
                Verdict::AskAgain
            }
            Err(failure) => {
                let doubt = match failure {
                    Failure::NotSent(_) | Failure::Redirected { .. } => None,
                    Failure::Lost => Some(Doubt::ConnectionLost),
                    Failure::TimedOut => Some(Doubt::TimedOut),
                };
                self.stop(CommitError::ConnectionLost(failure));
                doubt.map_or(Verdict::NotProcessed, Verdict::InDoubt)
            }
        };
        match verdict {
            Verdict::Renew => {
                self.access = None;
                if let Some(flight) = self.in_flight.get_mut(&id) {
                    flight.renewed = true;
                    flight.stage = CommitStage::Ready;
                }
            }
            Verdict::AskAgain => {
                if let Some(flight) = self.in_flight.get_mut(&id) {
                    flight.stage = CommitStage::Ready;
                }
            }
            Verdict::NotProcessed => self.requeue(id),
            Verdict::InDoubt(reason) => {
                if let Some(attempt) = self.in_flight.get(&id).map(|flight| flight.attempt.clone()) {
                    self.settle(id, Status::InDoubt { reason, attempt });
                }
            }
            Verdict::Status(status) => self.settle(id, status),
        }
    }

    fn judge(&mut self, id: TransactionId, answer: Answer) -> Verdict {
        let server_errors = std::mem::take(&mut self.server_errors);
        match answer {
            Answer::Added => Verdict::Status(Status::Added),
            Answer::Success => Verdict::Status(Status::Success),
            Answer::Rejected(message) => Verdict::Status(Status::Rejected { message }),
            Answer::AuthenticationFailed | Answer::TokenRefused => self.entry_refused(id, &answer),
            Answer::Refused(status) => {
                self.stop(CommitError::Refused(status));
                Verdict::NotProcessed
            }
            Answer::ServerError(status) => {
                self.server_errors = server_errors + 1;
                if self.server_errors >= SERVER_ERRORS_IN_A_ROW {
                    self.stop(CommitError::ServerErrors(status));
                }
                Verdict::InDoubt(Doubt::ServerError)
            }
            // Firefox gives out an answer that was cut within its headers as an empty one.
            Answer::Empty => {
                self.stop(CommitError::ConnectionLost(Failure::Lost));
                Verdict::InDoubt(Doubt::StrangeAnswer)
            }
            Answer::Strange => {
                self.stop(CommitError::StrangeAnswer);
                Verdict::InDoubt(Doubt::StrangeAnswer)
            }
        }
    }

    /// 401 or 403: nothing was processed. A session or its token may be over in mid-run, so a new one is fetched once.
    fn entry_refused(&mut self, id: TransactionId, answer: &Answer) -> Verdict {
        let has_session = self.settings_have_session();
        let trouble = match answer {
            Answer::TokenRefused => ConnectionError::TokenRefused,
            _ if has_session => ConnectionError::LoginRefused,
            _ => ConnectionError::WrongCredentials,
        };
        let may_renew = has_session || *answer == Answer::TokenRefused;
        let renewed = self.in_flight.get(&id).is_none_or(|flight| flight.renewed);
        if may_renew && !renewed && self.summary.stop.is_none() {
            Verdict::Renew
        } else {
            self.stop(CommitError::Connection(trouble));
            Verdict::NotProcessed
        }
    }

    /// Whether a session was used: it is so too while it is being made anew.
    fn settings_have_session(&self) -> bool {
        !matches!(self.access, Some(Access::Credentials))
    }

    /// The transaction ends in this status.
    fn settle(&mut self, id: TransactionId, status: Status) {
        let Some(flight) = self.in_flight.remove(&id) else { return };
        match status {
            Status::Added => self.summary.added += 1,
            Status::Success => self.summary.success += 1,
            Status::Rejected { .. } => self.summary.rejected += 1,
            Status::InDoubt { .. } => {
                self.summary.in_doubt += 1;
                self.in_doubt.insert(id, flight.entry.transaction.action.item_key());
                self.queue_what_may_go();
            }
            Status::Local | Status::Sending { .. } | Status::Deleted => {}
        }
        self.done += 1;
        self.summary.settled.push(id);
        self.answered.push((id, status));
    }

    /// Gives out what can be done now. Called after everything that happens.
    fn advance(&mut self) {
        if self.finished {
            return;
        }
        if self.summary.stop.is_some() {
            self.to_inquire.clear();
            self.resting = None;
        }
        if self.summary.stop.is_some() && self.persisting.is_none() {
            // Those that were not asked about are not in Koha.
            let unasked = self.in_flight.values().filter(|flight| flight.stage == CommitStage::Ready);
            for id in unasked.map(|flight| flight.entry.id).collect::<Vec<_>>() {
                self.requeue(id);
            }
        }
        let asking = self.in_flight.values().any(|flight| matches!(flight.stage, CommitStage::Asked(_)));
        if self.access.is_none() && self.connecting.is_none() && self.summary.stop.is_none() && !asking {
            self.connect();
        }
        self.inquire();
        if self.connecting.is_some() || self.inquiring.is_some() {
            return;
        }
        self.ask();
        if self.persisting.is_none() {
            self.persist();
        }
        if self.in_flight.is_empty() && self.persisting.is_none() && self.answered.is_empty() {
            self.finish();
        }
    }

    /// Makes durable what was answered, together with `Sending` for those that go next.
    fn persist(&mut self) {
        let mut statuses = self.answered.clone();
        if self.summary.stop.is_none() && self.access.is_some() && self.resting.is_none() {
            let at_once = match self.settings.commit_type {
                CommitType::Send => QUEUED_AT_ONCE,
                CommitType::Apply => 1,
            };
            while self.in_flight.len() < at_once
                && let Some(entry) = self.next()
            {
                let attempt = Attempt {
                    commit_type: self.settings.commit_type,
                    server: self.settings.server.clone(),
                    at: self.server_time,
                };
                // One that was just found not to be in Koha goes on at once.
                statuses.retain(|(id, _)| *id != entry.id);
                statuses.push((entry.id, Status::Sending { attempt: attempt.clone() }));
                self.in_flight
                    .insert(entry.id, InFlight { entry, attempt, renewed: false, stage: CommitStage::Persisting });
            }
        }
        if !statuses.is_empty() {
            self.persisting = Some(self.answered.len());
            self.outputs.push_back(Output::Persist(statuses));
        }
    }

    /// The first in the queue whose item has no other transaction under way or before it.
    fn next(&mut self) -> Option<Entry> {
        let item = |entry: &Entry| entry.transaction.action.item_key();
        let mut busy: HashSet<String> = self.in_flight.values().filter_map(|flight| item(&flight.entry)).collect();
        let place =
            self.queue.iter().take(LOOK_AHEAD).position(|entry| item(entry).is_none_or(|item| busy.insert(item)))?;
        self.queue.remove(place)
    }

    /// Moves those whose `Sending` was being made durable on.
    fn persisting_now(&mut self, stage: CommitStage) {
        for flight in self.in_flight.values_mut().filter(|flight| flight.stage == CommitStage::Persisting) {
            flight.stage = stage;
        }
    }

    /// Asks Koha about those that are durable as `Sending`.
    fn ask(&mut self) {
        let Some(access) = self.access.clone() else { return };
        if self.summary.stop.is_some() || self.resting.is_some() {
            return;
        }
        let mut tickets = self.tickets;
        for flight in self.in_flight.values_mut().filter(|flight| flight.stage == CommitStage::Ready) {
            tickets += 1;
            flight.stage = CommitStage::Asked(Ticket(tickets));
            let request = service::commit(&self.settings, &access, &flight.entry.transaction);
            self.outputs.push_back(Output::Request(Ticket(tickets), request));
        }
        self.tickets = tickets;
    }

    /// The log cannot be written. What Koha answered is tried once more without anything new; if that fails too, the
    /// transactions stay durable as `Sending` and are in doubt at the next start, which is safe.
    fn not_persisted(&mut self) {
        let Some(answers) = self.persisting.take() else { return };
        self.stop(CommitError::NotPersisted);
        let unstarted = self.in_flight.values().filter(|flight| flight.stage == CommitStage::Persisting);
        let unstarted: Vec<_> = unstarted.map(|flight| flight.entry.id).collect();
        if unstarted.is_empty() {
            self.answered.drain(..answers);
        }
        for id in unstarted {
            // Its `Sending` was not stored: it is durable as Local still.
            if let Some(flight) = self.in_flight.remove(&id) {
                self.queue_again(flight.entry);
            }
        }
    }

    fn finish(&mut self) {
        self.finished = true;
        self.summary.waiting = count(self.blocked.len());
        self.summary.left = count(self.queue.len() + self.blocked.len());
        self.outputs.push_back(Output::Finished(self.summary.clone()));
    }
}

/// What to do with a transaction that was asked about.
enum Verdict {
    /// Koha answered.
    Status(Status),
    /// It may have been processed.
    InDoubt(Doubt),
    /// It was provably not processed, and the commit ends.
    NotProcessed,
    /// It was provably not processed; ask again after a pause.
    AskAgain,
    /// Make the connection anew and ask again.
    Renew,
}

#[cfg(test)]
mod tests;
