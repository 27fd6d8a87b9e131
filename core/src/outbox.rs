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

use crate::{
    koha::{
        Failure, Request, Response,
        connection::{Connection, Next, Trouble},
        rest::Library,
        service::{self, Access, Answer},
    },
    log::Entry,
    order,
    settings::{CommitType, Settings},
    status::{Doubt, State, Status},
    transaction::TransactionId,
};
use std::collections::{BTreeMap, HashSet, VecDeque};

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
    /// The person wants it to stop. A request that has left is still waited for.
    Cancel,
}

/// Why a commit ended before everything was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The person cancelled it.
    Cancelled,
    /// No connection to Koha could be made, or Koha did not let us in.
    Trouble(Trouble),
    /// The configured branch code does not exist in Koha.
    BranchUnknown {
        /// Those that do.
        libraries: Vec<Library>,
    },
    /// The connection was lost in mid-run.
    ConnectionLost(Failure),
    /// Koha refused a request with this HTTP status.
    Refused(u16),
    /// Koha answered with server errors several times in a row; the last was this.
    ServerErrors(u16),
    /// An answer came that is not Koha's, as from a captive portal.
    StrangeAnswer,
    /// The log could not be written.
    NotPersisted,
}

/// How a commit went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Queued for review in this run.
    pub added: u32,
    /// Processed in this run.
    pub success: u32,
    /// Refused by Koha in this run.
    pub rejected: u32,
    /// In doubt since this run.
    pub in_doubt: u32,
    /// Held back, since an earlier transaction of the same item is in doubt.
    pub waiting: u32,
    /// Still to be sent, those held back included.
    pub left: u32,
    /// Whether Koha confirmed the branch code.
    pub branch_checked: bool,
    /// Why it ended early.
    pub stop: Option<Stop>,
}

impl Summary {
    /// Whether everything that was to be sent is in Koha now.
    pub fn is_complete(&self) -> bool {
        self.stop.is_none() && self.rejected == 0 && self.in_doubt == 0 && self.left == 0
    }
}

/// So many transactions may be under way at once on their way into Koha's queue.
const QUEUED_AT_ONCE: usize = 4;

/// So far ahead the next transaction is looked for that may go now.
const LOOK_AHEAD: usize = 64;

/// So many server errors in a row end a commit: going on would only put more in doubt.
const SERVER_ERRORS_IN_A_ROW: u32 = 3;

/// A transaction that is durable as `Sending`, or is about to be.
#[derive(Debug, Clone)]
struct InFlight {
    entry: Entry,
    /// The connection was made anew for it once; a second refusal is final.
    renewed: bool,
    stage: Stage,
}

/// Where a transaction in flight is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
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
    /// The connection that is being made, at first or anew, and the request of it that is under way.
    connecting: Option<(Connection, Ticket)>,
    /// How requests show who sends them; absent until there is a connection, and while it must be made anew.
    access: Option<Access>,
    /// To be sent, in the desk's order.
    queue: VecDeque<Entry>,
    in_flight: BTreeMap<TransactionId, InFlight>,
    /// Items of which an earlier transaction is in doubt: what comes later must not overtake it.
    held_items: HashSet<String>,
    /// What Koha answered and is not durable yet.
    answered: Vec<(TransactionId, Status)>,
    /// How many of `answered` are being made durable, if anything is.
    persisting: Option<usize>,
    outputs: VecDeque<Output>,
    finished: bool,
    server_errors: u32,
    tickets: u32,
    done: u32,
    total: u32,
    summary: Summary,
}

impl Outbox {
    /// A commit of the log's uncommitted entries. Only those in `Local` are sent: what is in doubt or refused waits for a
    /// person.
    pub fn new(settings: Settings, mut uncommitted: Vec<Entry>) -> Self {
        order::sort(&mut uncommitted);
        let mut outbox = Self {
            settings,
            connecting: None,
            access: None,
            queue: VecDeque::new(),
            in_flight: BTreeMap::new(),
            held_items: HashSet::new(),
            answered: Vec::new(),
            persisting: None,
            outputs: VecDeque::new(),
            finished: false,
            server_errors: 0,
            tickets: 0,
            done: 0,
            total: 0,
            summary: Summary::default(),
        };
        for entry in uncommitted {
            match entry.status.state() {
                State::Local => outbox.queue_or_hold(entry),
                State::InDoubt | State::Sending => outbox.held_items.extend(entry.transaction.action.item_key()),
                State::Added | State::Success | State::Rejected => {}
            }
        }
        outbox.total = u32::try_from(outbox.queue.len()).unwrap_or(u32::MAX);
        outbox.connect();
        outbox
    }

    /// What is to be done next, or `None` until something is reported.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How many of how many transactions have an answer.
    pub fn progress(&self) -> (u32, u32) {
        (self.done, self.total)
    }

    /// Takes what happened.
    pub fn handle(&mut self, input: Input) {
        match input {
            Input::Cancel => {
                self.stop(Stop::Cancelled);
                // An answer to the connection's request is not waited for: no transaction depends on it.
                self.connecting = None;
            }
            Input::Answer(ticket, answer) => {
                let asked = self.in_flight.values().find(|flight| flight.stage == Stage::Asked(ticket));
                if let Some(id) = asked.map(|flight| flight.entry.id) {
                    self.answer(id, answer);
                } else if let Some((connection, _)) = self.connecting.take_if(|(_, expected)| *expected == ticket) {
                    self.connection_answered(connection, answer);
                }
            }
            Input::Persisted => {
                if let Some(answers) = self.persisting.take() {
                    self.answered.drain(..answers);
                    self.persisting_now(Stage::Ready);
                }
            }
            Input::NotPersisted => self.not_persisted(),
        }
        self.advance();
    }

    fn queue_or_hold(&mut self, entry: Entry) {
        if entry.transaction.action.item_key().is_some_and(|item| self.held_items.contains(&item)) {
            self.summary.waiting += 1;
            self.summary.left += 1;
        } else {
            self.queue.push_back(entry);
        }
    }

    /// Ends the commit as soon as nothing is under way. The first reason stays.
    fn stop(&mut self, stop: Stop) {
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
                    self.stop(Stop::BranchUnknown { libraries });
                }
            }
            Next::Failed(trouble) => self.stop(Stop::Trouble(trouble)),
        }
    }

    /// The transaction was provably not processed.
    fn give_back(&mut self, id: TransactionId) {
        if let Some(flight) = self.in_flight.remove(&id) {
            self.answered.push((id, Status::Local));
            let place = self.queue.partition_point(|entry| entry.id < id);
            self.queue.insert(place, flight.entry);
        }
    }

    /// Koha's answer about a transaction.
    fn answer(&mut self, id: TransactionId, answer: Result<Response, Failure>) {
        let verdict = match answer {
            Ok(response) => self.judge(id, service::read(&response)),
            Err(failure) => {
                let status = match failure {
                    Failure::NotSent(_) | Failure::Redirected { .. } => None,
                    Failure::Lost => Some(Status::InDoubt { reason: Doubt::ConnectionLost }),
                    Failure::TimedOut => Some(Status::InDoubt { reason: Doubt::TimedOut }),
                };
                self.stop(Stop::ConnectionLost(failure));
                Verdict::Status(status)
            }
        };
        match verdict {
            Verdict::Renew => {
                self.access = None;
                if let Some(flight) = self.in_flight.get_mut(&id) {
                    flight.renewed = true;
                    flight.stage = Stage::Ready;
                }
            }
            Verdict::Status(None) => self.give_back(id),
            Verdict::Status(Some(status)) => self.settle(id, status),
        }
    }

    fn judge(&mut self, id: TransactionId, answer: Answer) -> Verdict {
        let server_errors = std::mem::take(&mut self.server_errors);
        match answer {
            Answer::Added => Verdict::Status(Some(Status::Added)),
            Answer::Success => Verdict::Status(Some(Status::Success)),
            Answer::Rejected(message) => Verdict::Status(Some(Status::Rejected { message })),
            Answer::AuthenticationFailed | Answer::TokenRefused => self.entry_refused(id, &answer),
            Answer::Refused(status) => {
                self.stop(Stop::Refused(status));
                Verdict::Status(None)
            }
            Answer::ServerError(status) => {
                self.server_errors = server_errors + 1;
                if self.server_errors >= SERVER_ERRORS_IN_A_ROW {
                    self.stop(Stop::ServerErrors(status));
                }
                Verdict::Status(Some(Status::InDoubt { reason: Doubt::ServerError }))
            }
            // Firefox gives out an answer that was cut within its headers as an empty one.
            Answer::Empty => {
                self.stop(Stop::ConnectionLost(Failure::Lost));
                Verdict::Status(Some(Status::InDoubt { reason: Doubt::StrangeAnswer }))
            }
            Answer::Strange => {
                self.stop(Stop::StrangeAnswer);
                Verdict::Status(Some(Status::InDoubt { reason: Doubt::StrangeAnswer }))
            }
        }
    }

    /// 401 or 403: nothing was processed. A session or its token may be over in mid-run, so a new one is fetched once.
    fn entry_refused(&mut self, id: TransactionId, answer: &Answer) -> Verdict {
        let has_session = self.settings_have_session();
        let trouble = match answer {
            Answer::TokenRefused => Trouble::TokenRefused,
            _ if has_session => Trouble::LoginRefused,
            _ => Trouble::WrongCredentials,
        };
        let may_renew = has_session || *answer == Answer::TokenRefused;
        let renewed = self.in_flight.get(&id).is_none_or(|flight| flight.renewed);
        if may_renew && !renewed && self.summary.stop.is_none() {
            Verdict::Renew
        } else {
            self.stop(Stop::Trouble(trouble));
            Verdict::Status(None)
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
                if let Some(item) = flight.entry.transaction.action.item_key() {
                    self.held_items.insert(item);
                    for later in std::mem::take(&mut self.queue) {
                        self.queue_or_hold(later);
                    }
                }
            }
            Status::Local | Status::Sending => {}
        }
        self.done += 1;
        self.answered.push((id, status));
    }

    /// Gives out what can be done now. Called after everything that happens.
    fn advance(&mut self) {
        if self.finished {
            return;
        }
        if self.summary.stop.is_some() && self.persisting.is_none() {
            // Those that were not asked about are not in Koha.
            let unasked = self.in_flight.values().filter(|flight| flight.stage == Stage::Ready);
            for id in unasked.map(|flight| flight.entry.id).collect::<Vec<_>>() {
                self.give_back(id);
            }
        }
        let asking = self.in_flight.values().any(|flight| matches!(flight.stage, Stage::Asked(_)));
        if self.access.is_none() && self.connecting.is_none() && self.summary.stop.is_none() && !asking {
            self.connect();
        }
        self.ask();
        if self.persisting.is_none() && self.connecting.is_none() {
            self.persist();
        }
        if self.in_flight.is_empty()
            && self.persisting.is_none()
            && self.connecting.is_none()
            && self.answered.is_empty()
        {
            self.finish();
        }
    }

    /// Makes durable what was answered, together with `Sending` for those that go next.
    fn persist(&mut self) {
        let mut statuses = self.answered.clone();
        if self.summary.stop.is_none() && self.access.is_some() {
            let at_once = match self.settings.commit_type {
                CommitType::Send => QUEUED_AT_ONCE,
                CommitType::Apply => 1,
            };
            while self.in_flight.len() < at_once
                && let Some(entry) = self.next()
            {
                statuses.push((entry.id, Status::Sending));
                self.in_flight.insert(entry.id, InFlight { entry, renewed: false, stage: Stage::Persisting });
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
    fn persisting_now(&mut self, stage: Stage) {
        for flight in self.in_flight.values_mut().filter(|flight| flight.stage == Stage::Persisting) {
            flight.stage = stage;
        }
    }

    /// Asks Koha about those that are durable as `Sending`.
    fn ask(&mut self) {
        let Some(access) = self.access.clone() else { return };
        if self.summary.stop.is_some() {
            return;
        }
        let mut tickets = self.tickets;
        for flight in self.in_flight.values_mut().filter(|flight| flight.stage == Stage::Ready) {
            tickets += 1;
            flight.stage = Stage::Asked(Ticket(tickets));
            let request = service::commit(&self.settings, &access, &flight.entry.transaction);
            self.outputs.push_back(Output::Request(Ticket(tickets), request));
        }
        self.tickets = tickets;
    }

    /// The log cannot be written. What Koha answered is tried once more without anything new; if that fails too, the
    /// transactions stay durable as `Sending` and are in doubt at the next start, which is safe.
    fn not_persisted(&mut self) {
        let Some(answers) = self.persisting.take() else { return };
        self.stop(Stop::NotPersisted);
        let unstarted = self.in_flight.values().filter(|flight| flight.stage == Stage::Persisting);
        let unstarted: Vec<_> = unstarted.map(|flight| flight.entry.id).collect();
        if unstarted.is_empty() {
            self.answered.drain(..answers);
        }
        for id in unstarted {
            // Its `Sending` was not stored: it is durable as Local still.
            if let Some(flight) = self.in_flight.remove(&id) {
                let place = self.queue.partition_point(|entry| entry.id < id);
                self.queue.insert(place, flight.entry);
            }
        }
    }

    fn finish(&mut self) {
        self.finished = true;
        self.summary.left += u32::try_from(self.queue.len()).unwrap_or(u32::MAX);
        self.outputs.push_back(Output::Finished(self.summary.clone()));
    }
}

/// What to do with a transaction that was asked about.
enum Verdict {
    /// It gets this status; `None`: it was provably not processed.
    Status(Option<Status>),
    /// Make the connection anew and ask again.
    Renew,
}

#[cfg(test)]
mod tests;
