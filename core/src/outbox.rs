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
//! - an answer is durable before the next request is given out.
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
    settings::Settings,
    status::{Doubt, State, Status},
    transaction::TransactionId,
};
use std::collections::{HashSet, VecDeque};

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

/// So many server errors in a row end a commit: going on would only put more in doubt.
const SERVER_ERRORS_IN_A_ROW: u32 = 3;

#[derive(Debug, Clone)]
enum Phase {
    /// Making the connection, at first or anew.
    Connecting { connection: Connection, ticket: Ticket },
    /// Waiting until what was given out in [`Output::Persist`] is durable.
    Persisting,
    /// Waiting for Koha's answer about the transaction in flight.
    Asking { ticket: Ticket },
    /// Nothing under way.
    Idle,
    /// Over.
    Finished,
}

/// A transaction that is durable as `Sending`, or is about to be.
#[derive(Debug, Clone)]
struct InFlight {
    entry: Entry,
    /// The connection was made anew for it once; a second refusal is final.
    renewed: bool,
}

/// One commit. See the [module](self).
#[derive(Debug, Clone)]
pub struct Outbox {
    settings: Settings,
    access: Option<Access>,
    phase: Phase,
    /// To be sent, in the desk's order.
    queue: VecDeque<Entry>,
    in_flight: Option<InFlight>,
    /// Items of which an earlier transaction is in doubt: what comes later must not overtake it.
    held_items: HashSet<String>,
    /// What Koha answered and is not durable yet.
    answered: Option<(TransactionId, Status)>,
    outputs: VecDeque<Output>,
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
        let (connection, request) = Connection::start(settings.clone());
        let ticket = Ticket(0);
        let mut outbox = Self {
            settings,
            access: None,
            phase: Phase::Connecting { connection, ticket },
            queue: VecDeque::new(),
            in_flight: None,
            held_items: HashSet::new(),
            answered: None,
            outputs: VecDeque::new(),
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
        outbox.outputs.push_back(Output::Request(ticket, request));
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
        match (input, self.phase.clone()) {
            (_, Phase::Finished) => {}
            (Input::Cancel, phase) => {
                self.stop(Stop::Cancelled);
                if let Phase::Connecting { .. } = phase {
                    self.give_back();
                    self.advance();
                }
            }
            (Input::Answer(ticket, answer), Phase::Connecting { connection, ticket: expected })
                if ticket == expected =>
            {
                self.connecting(connection, answer);
            }
            (Input::Answer(ticket, answer), Phase::Asking { ticket: expected }) if ticket == expected => {
                self.phase = Phase::Idle;
                self.answer(answer);
            }
            (Input::Persisted, Phase::Persisting) => {
                self.answered = None;
                self.phase = Phase::Idle;
                self.ask();
            }
            (Input::NotPersisted, Phase::Persisting) => self.not_persisted(),
            // A report that nobody waits for: an answer to a request of a connection that was given up.
            (Input::Answer(..) | Input::Persisted | Input::NotPersisted, _) => {}
        }
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
        self.phase = Phase::Connecting { connection, ticket };
        self.outputs.push_back(Output::Request(ticket, request));
    }

    fn connecting(&mut self, mut connection: Connection, answer: Result<Response, Failure>) {
        match connection.handle(answer) {
            Next::Request(request) => self.request_connecting(connection, request),
            Next::Ready(ready) => {
                self.phase = Phase::Idle;
                let known = ready.libraries.as_ref().and_then(|libraries| libraries.knows(&self.settings.branchcode));
                self.summary.branch_checked = known == Some(true);
                self.access = Some(ready.access);
                if known == Some(false) {
                    let libraries = ready.libraries.map(|libraries| libraries.list).unwrap_or_default();
                    self.stop(Stop::BranchUnknown { libraries });
                    self.give_back();
                    self.advance();
                } else if self.in_flight.is_some() {
                    // It is durable as Sending already.
                    self.ask();
                } else {
                    self.advance();
                }
            }
            Next::Failed(trouble) => {
                self.phase = Phase::Idle;
                self.stop(Stop::Trouble(trouble));
                self.give_back();
                self.advance();
            }
        }
    }

    /// The transaction in flight was provably not processed.
    fn give_back(&mut self) {
        if let Some(InFlight { entry, .. }) = self.in_flight.take() {
            self.answered = Some((entry.id, Status::Local));
            self.queue.push_front(entry);
        }
    }

    /// Koha's answer about the transaction in flight.
    fn answer(&mut self, answer: Result<Response, Failure>) {
        let status = match answer {
            Ok(response) => self.judge(service::read(&response)),
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
        match status {
            Verdict::Renew => self.connect(),
            Verdict::Status(None) => {
                self.give_back();
                self.advance();
            }
            Verdict::Status(Some(status)) => {
                self.settle(status);
                self.advance();
            }
        }
    }

    fn judge(&mut self, answer: Answer) -> Verdict {
        let server_errors = std::mem::take(&mut self.server_errors);
        match answer {
            Answer::Added => Verdict::Status(Some(Status::Added)),
            Answer::Success => Verdict::Status(Some(Status::Success)),
            Answer::Rejected(message) => Verdict::Status(Some(Status::Rejected { message })),
            Answer::AuthenticationFailed | Answer::TokenRefused => self.refused_entry(&answer),
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
    fn refused_entry(&mut self, answer: &Answer) -> Verdict {
        let has_session = matches!(self.access, Some(Access::Session(_)));
        let trouble = match answer {
            Answer::TokenRefused => Trouble::TokenRefused,
            _ if has_session => Trouble::LoginRefused,
            _ => Trouble::WrongCredentials,
        };
        match &mut self.in_flight {
            Some(in_flight)
                if !in_flight.renewed
                    && self.summary.stop.is_none()
                    && (has_session || *answer == Answer::TokenRefused) =>
            {
                in_flight.renewed = true;
                Verdict::Renew
            }
            _ => {
                self.stop(Stop::Trouble(trouble));
                Verdict::Status(None)
            }
        }
    }

    /// The transaction in flight ends in this status.
    fn settle(&mut self, status: Status) {
        let Some(InFlight { entry, .. }) = self.in_flight.take() else { return };
        match status {
            Status::Added => self.summary.added += 1,
            Status::Success => self.summary.success += 1,
            Status::Rejected { .. } => self.summary.rejected += 1,
            Status::InDoubt { .. } => {
                self.summary.in_doubt += 1;
                if let Some(item) = entry.transaction.action.item_key() {
                    self.held_items.insert(item);
                    for later in std::mem::take(&mut self.queue) {
                        self.queue_or_hold(later);
                    }
                }
            }
            Status::Local | Status::Sending => {}
        }
        self.done += 1;
        self.answered = Some((entry.id, status));
    }

    /// Makes durable what was answered together with `Sending` for the next one, or finishes.
    fn advance(&mut self) {
        let mut statuses: Vec<_> = self.answered.iter().cloned().collect();
        if self.summary.stop.is_none()
            && let Some(entry) = self.queue.pop_front()
        {
            statuses.push((entry.id, Status::Sending));
            self.in_flight = Some(InFlight { entry, renewed: false });
        }
        if statuses.is_empty() {
            self.finish();
        } else {
            self.phase = Phase::Persisting;
            self.outputs.push_back(Output::Persist(statuses));
        }
    }

    /// Asks Koha about the transaction in flight, which is durable as `Sending`.
    fn ask(&mut self) {
        match (&self.in_flight, &self.access) {
            (Some(in_flight), Some(access)) if self.summary.stop.is_none() => {
                let request = service::commit(&self.settings, access, &in_flight.entry.transaction);
                let ticket = self.ticket();
                self.phase = Phase::Asking { ticket };
                self.outputs.push_back(Output::Request(ticket, request));
            }
            _ => {
                self.give_back();
                self.advance();
            }
        }
    }

    /// The log cannot be written. What Koha answered last is tried once more without anything new; if that fails too, the
    /// transaction stays durable as `Sending` and is in doubt at the next start, which is safe.
    fn not_persisted(&mut self) {
        let had_next = self.in_flight.is_some();
        if let Some(InFlight { entry, .. }) = self.in_flight.take() {
            // Its `Sending` was not stored: it is durable as Local still.
            self.queue.push_front(entry);
        }
        self.stop(Stop::NotPersisted);
        if !had_next {
            self.answered = None;
        }
        self.advance();
    }

    fn finish(&mut self) {
        self.phase = Phase::Finished;
        self.summary.left += u32::try_from(self.queue.len()).unwrap_or(u32::MAX);
        self.outputs.push_back(Output::Finished(self.summary.clone()));
    }
}

/// What to do with the transaction in flight.
enum Verdict {
    /// It gets this status; `None`: it was provably not processed.
    Status(Option<Status>),
    /// Make the connection anew and ask again.
    Renew,
}

#[cfg(test)]
mod tests;
