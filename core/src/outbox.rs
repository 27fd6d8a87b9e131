//! Brings uncommitted transactions into Koha: the state machine of one commit, without any I/O.
//!
//! Whoever drives it does what [`Outbox::poll`] gives out and reports back through [`Outbox::handle`]:
//!
//! ```text
//!          ┌────────── Persist: the last answer, and Sending for the next ──────────┐
//! login ──►│                                                                        │──► Finished
//!          └── Request ──► Response | Failure (Added, Rejected, InDoubt, …) ◄─────────┘
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
//!
//! At the end, what Koha said yes to is read back ([`audit`](crate::koha::audit)): a request may arrive twice, unseen by whoever
//! made it.
//!
//! Where a [plugin](crate::koha::plugin) is there that remembers what it was given, it is given many at once ([`batch`]), and asked
//! [`again`] about what it did not answer.
//!
//! In the session of a person's own Koha tab it says who that is, waits until somebody is logged in, and asks before it applies
//! at another library than the desk's. That session may end, or become another's, at any time: then all this is done anew.
//!
//! One checkin, all the way, with Koha's part played by hand:
//!
//! ```
//! use koct_core::desk::clock::DeskTime;
//! use koct_core::koha::Response;
//! use koct_core::outbox::{Input, Outbox, Output};
//! # use koct_core::{Action, Barcode, CommitType, Entry, Login, Moment, Secret, ServerUrl, Settings, Status, Transaction, TransactionId};
//! # let settings = Settings {
//! #     server: ServerUrl::parse("https://koha.example.org")?,
//! #     login: Login::Account,
//! #     username: "desk".into(),
//! #     password: Secret::new("letmein"),
//! #     branchcode: "CPL".into(),
//! #     commit_type: CommitType::Apply,
//! #     stale_hours: 24,
//! #     koha_checkin: false,
//! #     key: None,
//! # };
//! let action = Action::Return { barcode: Barcode::parse("39999000000001")? };
//! let transaction = Transaction { moment: Moment::new(1_795_428_000_000, 60)?, action };
//! let log = vec![Entry::recorded(TransactionId(1), transaction)];
//! let answer = |body: &str| Ok(Response { status: 200, body: body.into(), ..Response::default() });
//!
//! let now = DeskTime::from_millis(1_795_431_600_000);
//! let mut outbox = Outbox::new(settings, log.into());
//! // Is it Koha, and of which era? Does it take the account? Does it have our library, and the plugin?
//! let libraries = r#"[{"library_id": "CPL", "name": "Centerville"}]"#;
//! for body in ["<response><status>failed</status></response>", "", libraries, "no such page"] {
//!     let Some(Output::Request(ticket, _)) = outbox.poll() else { unreachable!() };
//!     outbox.handle(Input::Answer(ticket, answer(body)), now);
//! }
//! // `Sending` is durable before the request leaves ...
//! let Some(Output::Persist(statuses)) = outbox.poll() else { unreachable!() };
//! assert!(matches!(statuses[..], [(TransactionId(1), Status::Sending { .. })]));
//! outbox.handle(Input::Persisted, now);
//! let Some(Output::Request(ticket, request)) = outbox.poll() else { unreachable!() };
//! assert!(request.form.contains(&("barcode", "39999000000001".into())));
//! outbox.handle(Input::Answer(ticket, answer("Success.")), now);
//! // ... and the answer before anything else is done.
//! assert_eq!(outbox.poll(), Some(Output::Persist(vec![(TransactionId(1), Status::Success)])));
//! outbox.handle(Input::Persisted, now);
//! // At the end Koha is asked what it made of it all; this account may not see that.
//! let Some(Output::Request(ticket, _)) = outbox.poll() else { unreachable!() };
//! outbox.handle(Input::Answer(ticket, Ok(Response { status: 403, ..Response::default() })), now);
//! let Some(Output::Finished(summary)) = outbox.poll() else { unreachable!() };
//! assert!(summary.is_complete());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod again;
mod auditing;
mod batch;
mod booking;
mod checking_in;
mod in_queue;
pub(crate) mod koha_clock;
mod paid;
mod payers;
mod protocol;
mod proving;
mod queue;
pub mod summary;
mod verdict;

use crate::{
    desk::{amount::Cents, barcode::Cardnumber, clock::DeskTime, transaction::TransactionId},
    koha::{
        Failure, Request, Response,
        connection::{Connection, ConnectionError, Next, Ready},
        front,
        inquiry::{Finding, Trace, Unclear},
        page::LoggedIn,
        plugin::{self, Told},
        rest::RestCredentials,
        service,
    },
    log::{
        Entry,
        order::Ordered,
        status::{Attempt, Doubt, NO_PATRON, State, Status},
    },
    settings::form::{CommitType, Settings},
};
use again::Again;
use auditing::Auditing;
use batch::{Batch, End};
use booking::{Booked, Booking};
use checking_in::CheckingIn;
pub use koha_clock::SETTLED_AFTER;
use koha_clock::{Age, KohaClock};
use payers::{Checked, Payers};
use protocol::Tickets;
pub use protocol::{Input, Output, Ticket};
use proving::{Proved, Proving};
use queue::{Only, Queue};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::Duration,
};
use summary::{CommitError, Summary, count};
use verdict::{Then, Verdict};

/// The number of transactions that may be under way at once into Koha's queue.
const QUEUED_AT_ONCE: usize = 4;

/// For how long it waits before it tries again after no server was reached; then the commit ends.
const BACKOFF: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

/// After what time it looks again whether somebody has logged in to Koha.
const LOGIN_WATCH: Duration = Duration::from_secs(3);

/// The number of server errors in a row that ends a commit: going on would only put more in doubt. Each is of another item
/// and another patron than those before, so it is not about one of them.
const SERVER_ERRORS_IN_A_ROW: u32 = 10;

/// The longest time for which it waits where it is told to, and the number of times in a row.
const LONGEST_WAIT: Duration = Duration::from_mins(15);
const MOST_WAITS: u32 = 10;

/// A transaction that is durable as `Sending`, or is about to be.
#[derive(Debug, Clone)]
struct InFlight {
    entry: Entry,
    attempt: Attempt,
    /// What it was in doubt for, where the plugin is asked about it again.
    doubt: Option<Status>,
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
    koha_clock: KohaClock,
    /// The connection that is being made, at first or anew, and the request of it that is under way.
    connecting: Option<(Connection, Ticket)>,
    /// The connection; absent until there is one, and while it must be made anew.
    ready: Option<Ready>,
    /// Whether the plugin is there, once that was looked for.
    has_plugin: Option<bool>,
    /// What it is given, and what it is asked about again.
    batch: Batch,
    again: Again,
    /// The questions about those in doubt.
    proving: Proving,
    /// The questions whose card Koha knows.
    payers: Payers,
    /// The question where the first checkout was booked.
    booking: Booking,
    /// Whether checkins go by Koha's own check-in, and what it said of them.
    checking_in: CheckingIn,
    /// The questions what Koha made of it all.
    auditing: Auditing,
    /// What is to be sent.
    queue: Queue,
    in_flight: BTreeMap<TransactionId, InFlight>,
    /// The pause that is being made, and the number of them since a server was reached.
    pause: Option<Ticket>,
    failed_connections: usize,
    /// The number of times in a row that it was told to wait.
    waits: u32,
    /// The question whether to apply at the library where the person is logged in, and the one that they agreed to.
    elsewhere: Option<(Ticket, String)>,
    agreed: Option<String>,
    /// What came of transactions and is not durable yet.
    unstored: Vec<(TransactionId, Status)>,
    /// The number of `unstored` that are being made durable, if anything is.
    persisting: Option<usize>,
    outputs: VecDeque<Output>,
    finished: bool,
    server_errors: u32,
    tickets: Tickets,
    done: u32,
    summary: Summary,
    /// What was refused, as it was: a person may correct it while this commit goes on.
    refused: HashMap<TransactionId, Entry>,
}

impl Outbox {
    /// A commit of the log's uncommitted entries: those in `Local` are sent, and Koha is asked about those in doubt. What
    /// cannot be found out waits for a person, and so does what Koha refused.
    pub fn new(settings: Settings, uncommitted: Ordered) -> Self {
        let checking_in = CheckingIn::new(&settings);
        let auditing = Auditing::at(&settings.branchcode);
        let mut outbox = Self {
            settings,
            koha_clock: KohaClock::default(),
            connecting: None,
            ready: None,
            has_plugin: None,
            batch: Batch::default(),
            again: Again::default(),
            proving: Proving::default(),
            payers: Payers::default(),
            booking: Booking::default(),
            checking_in,
            auditing,
            queue: Queue::of(uncommitted.iter()),
            in_flight: BTreeMap::new(),
            pause: None,
            failed_connections: 0,
            waits: 0,
            elsewhere: None,
            agreed: None,
            unstored: Vec::new(),
            persisting: None,
            outputs: VecDeque::new(),
            finished: false,
            server_errors: 0,
            tickets: Tickets::default(),
            done: 0,
            summary: Summary::default(),
            refused: HashMap::new(),
        };
        for entry in uncommitted.into_entries() {
            match entry.status.clone() {
                Status::Local => outbox.queue.add(entry),
                Status::InDoubt { attempt, .. } | Status::Sending { attempt } => {
                    outbox.queue.doubt(&entry);
                    if attempt.server != outbox.settings.server.as_str() {
                        continue;
                    }
                    outbox.again.doubt(&entry, &attempt, &outbox.settings);
                    match attempt.commit_type {
                        CommitType::Apply => outbox.proving.add(entry, attempt),
                        CommitType::Send => outbox.auditing.doubt_earlier(&entry, &attempt),
                    }
                }
                Status::Added | Status::Success | Status::Rejected { .. } | Status::Deleted => {}
            }
        }
        if outbox.settings.commit_type == CommitType::Apply {
            outbox.payers = Payers::new(outbox.queue.payers());
        }
        outbox.queue.arrange();
        outbox.connect();
        outbox
    }

    /// Reads back, at the end, these transactions of earlier commits too: those that ended before that could be done.
    #[must_use]
    pub fn auditing_too(mut self, earlier: impl IntoIterator<Item = Entry>) -> Self {
        for entry in earlier {
            self.auditing.note_earlier(&entry);
            if entry.status.state() == State::Rejected {
                self.refused.insert(entry.id, entry);
            }
        }
        self
    }

    /// Tells, at the end, of patrons who owe more than this, in hundredths.
    #[must_use]
    pub fn telling_debts_over(mut self, limit: Option<Cents>) -> Self {
        self.auditing.tell_debts_over(limit);
        self
    }

    /// Knows that these stand in Koha's queue, or were processed since: what is like them is not taken for one that is in doubt.
    #[must_use]
    pub fn knowing_queued(mut self, queued: impl IntoIterator<Item = Entry>) -> Self {
        self.auditing.know_queued(queued);
        self
    }

    /// What is to be done next, or `None` until something is reported.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The number of transactions that have an answer, and of those that are to get one.
    pub fn progress(&self) -> (u32, u32) {
        (self.done, self.done + count(self.queue.len() + self.in_flight.len()))
    }

    /// Whether the log's entry is the one that is sent, or about to be, under its number, or nothing is. One that was
    /// corrected since this commit read it, or put at another library, must not become durable as `Sending`; nor one that was
    /// corrected since it was refused as `Success`, when the audit finds what it was before in Koha.
    pub fn sends(&self, entry: &Entry) -> bool {
        let is_it = |sent: &Entry| sent.transaction == entry.transaction && sent.branch == entry.branch;
        match self.in_flight.get(&entry.id) {
            Some(flight) => is_it(&flight.entry),
            None => self.refused.get(&entry.id).is_none_or(is_it),
        }
    }

    /// The entry with what Koha has said of it in this commit besides its status: to be stored together with that.
    #[must_use]
    pub fn as_answered(&self, entry: Entry) -> Entry {
        self.checking_in.tell(entry)
    }

    /// Takes what happened, at this time by the desk's clock.
    pub fn handle(&mut self, input: Input, now: DeskTime) {
        match input {
            Input::Cancel => {
                self.stop(CommitError::Cancelled);
                // What only reads is not waited for: no transaction depends on it.
                self.connecting = None;
                self.proving.give_up();
                self.payers.end();
                self.booking.give_up();
                self.checking_in.give_up();
                self.auditing.give_up();
            }
            Input::Waited(ticket) => {
                self.pause.take_if(|expected| *expected == ticket);
            }
            Input::Agreed(ticket) => {
                if let Some((_, library)) = self.elsewhere.take_if(|(expected, _)| *expected == ticket) {
                    self.agreed = Some(library);
                }
            }
            Input::Answer(ticket, answer) => {
                if self.is_batch(ticket) {
                    self.batch_answered(&answer, now);
                    return self.advance();
                }
                let asked = self.in_flight.values().find(|flight| flight.stage == CommitStage::Asked(ticket));
                if let Some(id) = asked.map(|flight| flight.entry.id) {
                    self.answered(id, &answer, now);
                } else if let Some((connection, _)) = self.connecting.take_if(|(_, expected)| *expected == ticket) {
                    self.connection_answered(connection, answer, now);
                } else {
                    self.read(ticket, answer, now);
                }
            }
            Input::Persisted => {
                if let Some(stored) = self.persisting.take() {
                    self.unstored.drain(..stored);
                    self.persisting_now(CommitStage::Ready);
                }
            }
            Input::NotPersisted => self.not_persisted(CommitError::NotPersisted),
            Input::Changed => self.not_persisted(CommitError::Changed),
        }
        self.advance();
    }

    /// Takes an answer to a question that changes nothing in Koha.
    fn read(&mut self, ticket: Ticket, answer: Result<Response, Failure>, now: DeskTime) {
        if self.checking_in.handle(ticket, answer.as_ref()) {
            return;
        }
        let reading = self.ready.as_ref().and_then(|ready| ready.reading.as_ref());
        if let Some(checked) = self.payers.handle(ticket, &answer, &self.settings, reading, &mut self.tickets) {
            match checked {
                Checked::Request(ticket, request) => self.outputs.push_back(Output::Request(ticket, request)),
                Checked::Unknown(card) => self.refuse_payments(&card),
                Checked::Known(card, patron_id) => {
                    if let Some(credentials) = &reading.cloned() {
                        let (settings, tickets) = (&self.settings, &mut self.tickets);
                        let question = self.auditing.look_at_account(&card, patron_id, settings, credentials, tickets);
                        self.outputs.extend(question.map(|(ticket, request)| Output::Request(ticket, request)));
                    }
                }
                Checked::Unclear => {}
            }
        } else if let Some(booked) = self.booking.handle(ticket, &answer, &self.settings, reading, &mut self.tickets) {
            match booked {
                Booked::Request(ticket, request) => self.outputs.push_back(Output::Request(ticket, request)),
                Booked::At(library) => {
                    let at_session = self.agreed.as_deref().unwrap_or(&self.settings.branchcode);
                    let of_other = self.booking.at().filter(|at| *at != self.settings.branchcode);
                    let expected = of_other.unwrap_or(at_session);
                    if library != expected {
                        let not_at = expected.to_owned();
                        self.stop(CommitError::BookedElsewhere { at: library, not_at });
                    }
                }
                Booked::Unknown => {}
            }
        } else if self.auditing.is_about(ticket) {
            self.audited(ticket, answer);
        } else {
            match self.proving.handle(ticket, answer, &mut self.tickets) {
                Some(Proved::Request(ticket, request)) => self.outputs.push_back(Output::Request(ticket, request)),
                Some(Proved::Finding(about, age, finding)) => self.found(about.0, about.1, age, finding, now),
                None => {}
            }
        }
    }

    /// What an audit was told.
    fn audited(&mut self, ticket: Ticket, answer: Result<Response, Failure>) {
        let Some(told) = self.auditing.handle(ticket, answer, &self.settings, &mut self.tickets) else { return };
        self.outputs.extend(told.requests.into_iter().map(|(ticket, request)| Output::Request(ticket, request)));
        for id in told.processed {
            if self.summary.settled.contains(&id) {
                self.summary.rejected = self.summary.rejected.saturating_sub(1);
                self.summary.success += 1;
            }
            self.unstored.push((id, Status::Success));
        }
        for (entry, finding) in told.proved {
            self.proved_by_queue(entry, finding);
        }
    }

    /// What the queue tells of one in doubt.
    fn proved_by_queue(&mut self, entry: Entry, finding: Finding) {
        let id = entry.id;
        let finding = match finding {
            Finding::Missing(_) if self.queue.doubts_later(&entry) => Finding::Unclear(Unclear::LaterInDoubt),
            other => other,
        };
        let is_of_this_commit = self.summary.settled.contains(&id);
        if matches!(finding, Finding::Found(_)) {
            self.summary.queued_at.insert(entry.branch_or(&self.settings.branchcode).to_owned());
        }
        match finding {
            Finding::Found(_) if is_of_this_commit => {
                self.summary.in_doubt = self.summary.in_doubt.saturating_sub(1);
                self.summary.added += 1;
                self.unstored.push((id, Status::Added));
            }
            Finding::Found(_) => {
                self.summary.settled.push(id);
                self.unstored.push((id, Status::Added));
            }
            Finding::Missing(_) => {
                self.unstored.push((id, Status::Local));
                self.batch.goes_to_koha(id);
                self.queue.add(Entry { status: Status::Local, ..entry });
                self.stop_at_unknown_branch();
            }
            Finding::Unclear(_) => {}
        }
        if !is_of_this_commit {
            self.summary.findings.push((id, finding));
        }
        if !matches!(finding, Finding::Unclear(_)) {
            self.queue.settle(id);
            self.queue.arrange();
        }
    }

    /// Koha has no such card: it says so of a checkout, and dies of a payment.
    fn refuse_payments(&mut self, card: &Cardnumber) {
        for id in self.queue.take_payments(card) {
            self.summary.rejected += 1;
            self.done += 1;
            self.summary.settled.push(id);
            self.unstored.push((id, Status::Rejected { message: NO_PATRON.to_owned() }));
        }
    }

    /// Ends the commit as soon as nothing is under way. The first reason stays.
    fn stop(&mut self, reason: CommitError) {
        self.summary.stop.get_or_insert(reason);
    }

    fn connect(&mut self) {
        let (connection, request) = Connection::start_to_commit(self.settings.clone(), self.has_plugin.is_none());
        self.request_connecting(connection, request);
    }

    fn request_connecting(&mut self, connection: Connection, request: Request) {
        let ticket = self.tickets.next();
        self.connecting = Some((connection, ticket));
        self.outputs.push_back(Output::Request(ticket, request));
    }

    fn connection_answered(&mut self, mut connection: Connection, answer: Result<Response, Failure>, now: DeskTime) {
        let date = answer.as_ref().ok().and_then(|response| response.date);
        let next = connection.handle(answer);
        if !matches!(next, Next::Failed(_)) {
            self.koha_clock.saw(date, now);
        }
        match next {
            Next::Request(request) => self.request_connecting(connection, request),
            Next::Ready(ready) => {
                let knows = |code: &str| ready.libraries.as_ref().and_then(|libraries| libraries.knows(code));
                let codes = self.queue.branches(&self.settings.branchcode);
                self.summary.branch_checked = codes.into_iter().all(|code| knows(code) == Some(true));
                if let Some(who) = ready.access.person().cloned() {
                    self.goes_on_as(who);
                }
                if ready.reading.is_some() {
                    self.has_plugin.get_or_insert(ready.has_plugin);
                }
                self.ready = Some(ready);
                let has_plugin = self.plugin().is_some();
                if has_plugin {
                    let (queue, proving, auditing) = (&mut self.queue, &mut self.proving, &mut self.auditing);
                    let dated = self.again.ask(self.koha_clock, now, queue, proving, auditing);
                    self.unstored.extend(dated);
                }
                self.stop_at_unknown_branch();
                if !has_plugin {
                    self.again.give_up(&mut self.queue);
                    // What was to be given to the plugin was refused there, and now nobody is let in to give it.
                    if self.in_flight.values().any(|flight| flight.attempt.plugin.is_some()) {
                        self.stop(CommitError::Connection(ConnectionError::NotReadable));
                    }
                }
            }
            Next::Failed(ConnectionError::NobodyLoggedIn) => {
                let ticket = self.tickets.next();
                self.pause = Some(ticket);
                self.outputs.push_back(Output::LogIn(ticket, LOGIN_WATCH));
            }
            Next::Failed(ConnectionError::Busy(after)) => self.wait_as_told(after),
            Next::Failed(error) => self.stop(CommitError::Connection(error)),
        }
    }

    /// Sends nothing where Koha does not have the desk's library, or that of something that is to be sent: nobody would ever see it.
    fn stop_at_unknown_branch(&mut self) {
        let Some(libraries) = self.ready.as_ref().and_then(|ready| ready.libraries.as_ref()) else { return };
        let codes = self.queue.branches(&self.settings.branchcode);
        let unknown = codes.into_iter().find(|code| libraries.knows(code) == Some(false)).map(str::to_owned);
        if let Some(branch) = unknown {
            let libraries = libraries.list.clone();
            self.stop(CommitError::BranchUnknown { branch, libraries });
        }
    }

    /// Says in whose session it goes on, and asks where that would book at a library that is neither the desk's nor agreed to.
    /// What is queued is queued for the desk's library in any session.
    fn goes_on_as(&mut self, who: LoggedIn) {
        let library = who.branchcode.clone();
        self.outputs.push_back(Output::Person(who));
        if library.as_ref() != Some(&self.settings.branchcode) && library == self.agreed {
            return;
        }
        self.agreed = None;
        let is_elsewhere =
            |library: &String| self.settings.commit_type == CommitType::Apply && *library != self.settings.branchcode;
        if let Some(library) = library.filter(is_elsewhere) {
            let ticket = self.tickets.next();
            self.elsewhere = Some((ticket, library.clone()));
            self.outputs.push_back(Output::Elsewhere(ticket, library));
        }
    }

    /// What a person's session applies is booked at its library, whatever is asked for: nothing of another may go then. The account's
    /// requests each name their own.
    fn stay_at_library(&mut self) {
        let Some(ready) = &self.ready else { return };
        let own = &self.settings.branchcode;
        let is_applied = self.settings.commit_type == CommitType::Apply;
        let only = ready.access.person().filter(|_| is_applied).map(|who| {
            let is_own = who.branchcode.is_none() || self.agreed.is_some();
            let at = who.branchcode.iter().chain(is_own.then_some(own)).cloned().collect();
            Only { own: own.clone(), at }
        });
        self.queue.stay_at(only);
    }

    /// What Koha was found to hold of one in doubt.
    fn found(&mut self, entry: Entry, attempt: Attempt, age: Age, finding: Finding, now: DeskTime) {
        let finding = self.check_finding(&entry, age, finding);
        let id = entry.id;
        self.summary.findings.push((id, finding));
        match finding {
            Finding::Found(_) => {
                self.auditing.note(&entry, &Status::Success);
                self.summary.settled.push(id);
                self.unstored.push((id, Status::Success));
            }
            Finding::Missing(_) => {
                self.unstored.push((id, Status::Local));
                self.batch.goes_to_koha(id);
                self.queue.add(Entry { status: Status::Local, ..entry });
                self.stop_at_unknown_branch();
            }
            Finding::Unclear(_) => {
                if age == Age::Unknown {
                    // The next commit can tell how long ago that is.
                    let attempt = self.koha_clock.over(attempt, now);
                    if let Status::InDoubt { reason, .. } = entry.status {
                        self.unstored.push((id, Status::InDoubt { reason, attempt }));
                    }
                }
                return;
            }
        }
        self.queue.settle(id);
        self.queue.arrange();
    }

    /// Whether it is safe to act on what was found.
    fn check_finding(&self, entry: &Entry, age: Age, finding: Finding) -> Finding {
        match finding {
            Finding::Missing(_) if self.queue.doubts_later(entry) => Finding::Unclear(Unclear::LaterInDoubt),
            Finding::Missing(_) if age != Age::Settled => Finding::Unclear(Unclear::TooEarly),
            other => other,
        }
    }

    /// The transaction was provably not processed.
    fn requeue(&mut self, id: TransactionId) {
        let Some(flight) = self.in_flight.remove(&id) else { return };
        match flight.doubt {
            None => {
                self.unstored.push((id, Status::Local));
                self.queue.put_back(flight.entry);
            }
            // Of the attempt before nobody knows more than before.
            Some(doubt) => {
                self.unstored.push((id, doubt));
                self.queue.doubt(&flight.entry);
                self.queue.arrange();
            }
        }
    }

    /// Waits before asking again, unless it has often enough. Returns whether it does.
    fn back_off(&mut self) -> bool {
        if self.summary.stop.is_some() {
            return false;
        }
        if self.pause.is_none() {
            let Some(time) = BACKOFF.get(self.failed_connections) else { return false };
            self.failed_connections += 1;
            let ticket = self.tickets.next();
            self.pause = Some(ticket);
            self.outputs.push_back(Output::Wait(ticket, *time));
        }
        true
    }

    /// Waits for as long as the server asks, and connects anew then: what is refused again is a question, and no
    /// transaction.
    fn wait_as_told(&mut self, after: Duration) {
        if self.summary.stop.is_some() || self.has_nothing_left() {
            return;
        }
        self.waits += 1;
        if after > LONGEST_WAIT || self.waits > MOST_WAITS {
            return self.stop(CommitError::Busy(after));
        }
        self.disconnect();
        let ticket = self.tickets.next();
        self.pause = Some(ticket);
        self.outputs.push_back(Output::Wait(ticket, after.max(BACKOFF[0])));
    }

    /// Ends the connection, and its session in Koha. Nobody waits for the answer.
    fn disconnect(&mut self) {
        if let Some(request) = self.ready.take().and_then(|ready| ready.log_out(&self.settings)) {
            let ticket = self.tickets.next();
            self.outputs.push_back(Output::Request(ticket, request));
        }
    }

    /// What came back for a transaction.
    fn answered(&mut self, id: TransactionId, answer: &Result<Response, Failure>, now: DeskTime) {
        if answer.is_ok() {
            self.failed_connections = 0;
        }
        let Some(verdict) = self.verdict(id, answer.as_ref()) else { return };
        match verdict {
            Verdict::Settled(status) => {
                self.server_errors = 0;
                self.waits = 0;
                self.koha_clock.saw(answer.as_ref().ok().and_then(|response| response.date), now);
                self.settle(id, status);
            }
            Verdict::InDoubt(reason, then) => {
                self.settle_in_doubt(id, reason, answer.as_ref().ok(), now);
                self.go_on(then);
            }
            Verdict::NotProcessed(error) => {
                self.stop(error);
                self.requeue(id);
            }
            Verdict::Unreachable(reason) => {
                if self.back_off() {
                    self.ask_again(id);
                } else {
                    self.stop(CommitError::ConnectionLost(Failure::NotSent(reason)));
                    self.requeue(id);
                }
            }
            Verdict::AccessRefused(error) => self.access_refused(id, error),
        }
    }

    /// What an answer says about it. `None` where nothing was processed, and it goes the other way.
    fn verdict(&mut self, id: TransactionId, answer: Result<&Response, &Failure>) -> Option<Verdict> {
        let Some(flight) = self.in_flight.get(&id).filter(|flight| flight.attempt.own_checkin) else {
            return Some(Verdict::of(answer));
        };
        let verdict = self.checking_in.hear(&flight.entry, answer);
        if verdict.is_none() {
            self.requeue(id);
        }
        verdict
    }

    /// Something is in doubt, and this follows.
    fn go_on(&mut self, then: Then) {
        match then {
            Then::Stop(error) => self.stop(error),
            Then::Wait(after) => self.wait_as_told(after),
            Then::GoOn(status) => {
                self.server_errors += 1;
                if self.server_errors >= SERVER_ERRORS_IN_A_ROW {
                    self.stop(CommitError::ServerErrors(status));
                }
            }
        }
    }

    /// Who gives to the plugin, where it is there.
    fn plugin(&self) -> Option<&RestCredentials> {
        self.ready.as_ref().filter(|_| self.has_plugin == Some(true))?.reading.as_ref()
    }

    /// Whether this is the request with the batch.
    fn is_batch(&self, ticket: Ticket) -> bool {
        let first = self.batch.order.first().and_then(|id| self.in_flight.get(id));
        first.is_some_and(|flight| flight.attempt.plugin.is_some() && flight.stage == CommitStage::Asked(ticket))
    }

    /// What came back for the batch.
    fn batch_answered(&mut self, answer: &Result<Response, Failure>, now: DeskTime) {
        let ids = self.batch.order.clone();
        if answer.is_ok() {
            self.failed_connections = 0;
        }
        match Verdict::of_batch(answer.as_ref(), ids.len()) {
            Verdict::Settled(told) => {
                self.server_errors = 0;
                self.waits = 0;
                self.koha_clock.saw(answer.as_ref().ok().and_then(|response| response.date), now);
                for (id, told) in ids.into_iter().zip(told) {
                    match self.end(id, told) {
                        End::Settled(status) => self.settle(id, status),
                        End::Before(status) => self.settle_remembered(id, status),
                        End::ToKoha => {
                            self.batch.goes_to_koha(id);
                            self.requeue(id);
                        }
                        // It would say the same again, or do again what it did of it.
                        End::InDoubt(words) => self.doubt_of_batch(id, Doubt::StrangeAnswer, now, |attempt, _, _| {
                            Attempt { plugin: None, answer: Some(words), ..attempt }
                        }),
                    }
                }
            }
            Verdict::InDoubt(reason, then) => {
                let answer = answer.as_ref().ok();
                for id in ids {
                    self.doubt_of_batch(id, reason, now, |attempt, batch, entry| {
                        batch.doubted(attempt, entry, reason, answer)
                    });
                }
                self.batch.goes_singly |= reason == Doubt::ServerError;
                self.go_on(then);
            }
            Verdict::NotProcessed(error) => {
                self.stop(error);
                for id in ids {
                    self.requeue(id);
                }
            }
            Verdict::Unreachable(reason) => {
                if self.back_off() {
                    for id in ids {
                        self.ask_again(id);
                    }
                } else {
                    self.stop(CommitError::ConnectionLost(Failure::NotSent(reason)));
                    for id in ids {
                        self.requeue(id);
                    }
                }
            }
            // The first makes the connection anew, for all of them.
            Verdict::AccessRefused(error) => {
                for id in ids {
                    self.access_refused(id, error.clone());
                }
            }
        }
    }

    /// What this word of the plugin's makes of this one.
    fn end(&self, id: TransactionId, told: Told) -> End {
        let flight = self.in_flight.get(&id);
        let is_new = flight.is_some_and(|flight| flight.doubt.is_none());
        let is_corrected = flight.is_some_and(|flight| flight.entry.is_corrected());
        End::of(told, is_new, is_corrected)
    }

    /// Nothing tells whether this one of a batch was processed.
    fn doubt_of_batch(
        &mut self,
        id: TransactionId,
        reason: Doubt,
        now: DeskTime,
        with: impl FnOnce(Attempt, &Batch, &Entry) -> Attempt,
    ) {
        let Some(flight) = self.in_flight.get(&id) else { return };
        let attempt = self.koha_clock.over(flight.attempt.clone(), now);
        let attempt = with(attempt, &self.batch, &flight.entry);
        self.settle(id, Status::InDoubt { reason, attempt });
    }

    /// The plugin was given this one before.
    fn settle_remembered(&mut self, id: TransactionId, status: Status) {
        let Some(InFlight { entry, .. }) = self.in_flight.remove(&id) else { return };
        if status == Status::Added {
            self.summary.queued_at.insert(entry.branch_or(&self.settings.branchcode).to_owned());
            // It is not one of those that came into the queue just now.
            self.auditing.know_queued([entry]);
        } else {
            self.auditing.note(&entry, &status);
        }
        self.done += 1;
        self.summary.findings.push((id, Finding::Found(Trace::Remembered)));
        self.summary.settled.push(id);
        self.unstored.push((id, status));
    }

    /// It is sent again as soon as that is possible. It stays durable as `Sending`.
    fn ask_again(&mut self, id: TransactionId) {
        if let Some(flight) = self.in_flight.get_mut(&id) {
            flight.stage = CommitStage::Ready;
        }
    }

    /// Nothing was processed. The session or its token may be over in mid-run, or Koha is being updated, so a new connection
    /// is made once, which tells.
    fn access_refused(&mut self, id: TransactionId, error: ConnectionError) {
        let renewed = self.in_flight.get(&id).is_none_or(|flight| flight.renewed);
        if renewed || self.summary.stop.is_some() {
            self.stop(CommitError::Connection(error));
            return self.requeue(id);
        }
        self.disconnect();
        if let Some(flight) = self.in_flight.get_mut(&id) {
            flight.renewed = true;
        }
        self.ask_again(id);
    }

    /// It may have been processed.
    fn settle_in_doubt(&mut self, id: TransactionId, reason: Doubt, answer: Option<&Response>, now: DeskTime) {
        let Some(flight) = self.in_flight.get(&id) else { return };
        if reason == Doubt::ServerError {
            self.queue.trouble(&flight.entry);
        }
        let attempt = self.koha_clock.over(flight.attempt.clone(), now);
        // An empty answer has nothing to be read.
        let answer = answer.filter(|response| !response.body.trim().is_empty() || response.status != 200);
        let attempt = Attempt { answer: answer.map(front::words), ..attempt };
        self.settle(id, Status::InDoubt { reason, attempt });
    }

    /// The transaction ends in this status.
    fn settle(&mut self, id: TransactionId, status: Status) {
        let Some(flight) = self.in_flight.remove(&id) else { return };
        self.auditing.note(&self.checking_in.tell(flight.entry.clone()), &status);
        match status {
            Status::Added => {
                self.summary.added += 1;
                self.summary.queued_at.insert(flight.entry.branch_or(&self.settings.branchcode).to_owned());
            }
            Status::Success => {
                self.summary.success += 1;
                let reading = self.ready.as_ref().and_then(|ready| ready.reading.as_ref());
                let at = flight.entry.branch_or(&self.settings.branchcode);
                let transaction = &flight.entry.transaction;
                let question = self.booking.applied(transaction, at, &self.settings, reading, &mut self.tickets);
                self.outputs.extend(question.map(|(ticket, request)| Output::Request(ticket, request)));
            }
            Status::Rejected { .. } => {
                self.summary.rejected += 1;
                self.refused.insert(id, flight.entry.clone());
            }
            Status::InDoubt { .. } => {
                self.summary.in_doubt += 1;
                self.queue.doubt(&flight.entry);
                self.queue.arrange();
            }
            Status::Local | Status::Sending { .. } | Status::Deleted => {}
        }
        self.done += 1;
        self.summary.settled.push(id);
        self.unstored.push((id, status));
    }

    /// Gives out what can be done now. Called after everything that happens.
    fn advance(&mut self) {
        if self.finished {
            return;
        }
        if self.summary.stop.is_some() {
            self.proving.end();
            self.payers.end();
            self.booking.give_up();
            self.checking_in.give_up();
            self.pause = None;
            self.elsewhere = None;
        }
        if self.summary.stop.is_some() && self.persisting.is_none() {
            // Those that were not asked about are not in Koha.
            let unasked = self.in_flight.values().filter(|flight| flight.stage == CommitStage::Ready);
            for id in unasked.map(|flight| flight.entry.id).collect::<Vec<_>>() {
                self.requeue(id);
            }
        }
        if self.has_nothing_left() {
            self.pause = None;
        }
        let asking = self.in_flight.values().any(|flight| matches!(flight.stage, CommitStage::Asked(_)));
        let is_idle = self.connecting.is_none() && self.pause.is_none() && !asking;
        if self.ready.is_none() && is_idle && self.summary.stop.is_none() && !self.has_nothing_left() {
            self.connect();
        }
        self.ask_koha();
        let is_asking = self.proving.is_asking()
            || self.payers.is_asking()
            || self.checking_in.is_asking()
            || self.auditing.is_asking();
        if self.connecting.is_some() || is_asking {
            return;
        }
        self.ask();
        if self.persisting.is_none() {
            self.persist();
        }
        let is_asked = self.is_held_up() || self.booking.is_asking();
        if self.in_flight.is_empty() && self.persisting.is_none() && self.unstored.is_empty() && !is_asked {
            self.audit();
            if !self.auditing.is_asking() {
                self.finish();
            }
        }
    }

    /// Asks what Koha made of it, where it still answers.
    fn audit(&mut self) {
        let is_gone = matches!(
            self.summary.stop,
            Some(
                CommitError::Cancelled
                    | CommitError::Connection(_)
                    | CommitError::ConnectionLost(_)
                    | CommitError::NotPersisted
                    | CommitError::Busy(_)
            )
        );
        let Some(ready) = self.ready.as_ref().filter(|_| !is_gone) else { return self.auditing.give_up() };
        let booked_at = self.agreed.as_ref().unwrap_or(&self.settings.branchcode);
        let question = self.auditing.next(&self.settings, booked_at, ready.reading.as_ref(), &mut self.tickets);
        self.outputs.extend(question.map(|(ticket, request)| Output::Request(ticket, request)));
    }

    /// Whether nothing is to be sent or asked about any more, so that neither a pause nor a connection is needed.
    fn has_nothing_left(&self) -> bool {
        let is_to_look = self.auditing.is_to_look() && self.ready.is_none();
        self.queue.len() == 0 && self.in_flight.is_empty() && self.proving.is_over() && !is_to_look
    }

    /// Whether a pause is made, or the person is asked something.
    fn is_held_up(&self) -> bool {
        self.pause.is_some() || self.elsewhere.is_some()
    }

    /// Asks what must be known before anything is sent: about those in doubt, and about the payments' cards.
    fn ask_koha(&mut self) {
        let Some(ready) = &self.ready else { return };
        let may_look = self.summary.stop.is_none() && self.proving.is_over();
        if may_look && self.checking_in.is_to_look() && self.queue.has_checkins() {
            let reading = ready.reading.as_ref();
            let question = self.checking_in.look(&self.settings, reading, &mut self.tickets);
            self.outputs.extend(question.map(|(ticket, request)| Output::Request(ticket, request)));
        }
        let Some(reading) = ready.reading.as_ref() else { return };
        let mut question = self.proving.next(&self.settings, reading, self.koha_clock, &mut self.tickets);
        // A payer's account is looked at before the next payer is.
        if question.is_none() && !self.proving.is_asking() && !self.auditing.is_asking() {
            question = self.payers.next(&self.settings, reading, &mut self.tickets);
        }
        let sends = self.settings.commit_type == CommitType::Send && self.queue.len() > 0;
        let is_to_look = sends || self.auditing.is_to_look();
        if question.is_none() && is_to_look && !self.proving.is_asking() && self.summary.stop.is_none() {
            question = self.auditing.look_before(&self.settings, reading, self.koha_clock, &mut self.tickets);
        }
        self.outputs.extend(question.map(|(ticket, request)| Output::Request(ticket, request)));
    }

    /// Makes durable what was answered, together with `Sending` for those that go next.
    fn persist(&mut self) {
        let mut statuses = self.unstored.clone();
        let may_send = self.ready.is_some() && !self.is_held_up() && !self.booking.is_asking();
        if may_send && self.summary.stop.is_none() {
            if self.plugin().is_some() {
                let is_applied = self.settings.commit_type == CommitType::Apply;
                let booking = &self.booking;
                let looks = |branch: &str| is_applied && booking.is_to_ask(branch);
                let is_free = self.in_flight.is_empty();
                // Koha's own check-in takes one at a time. What the plugin is asked about again is its.
                let (checking_in, again) = (&self.checking_in, &self.again);
                let is_other = |entry: &Entry| checking_in.takes(&entry.transaction) && !again.is_to_ask(entry.id);
                let own = &self.settings.branchcode;
                let batch = if is_free { self.batch.take(&mut self.queue, own, looks, is_other) } else { Vec::new() };
                let alone = if is_free && batch.is_empty() { self.queue.take([].into_iter()) } else { None };
                for entry in batch {
                    let plugin = Some(entry.branch_or(&self.settings.branchcode).to_owned());
                    self.send(entry, plugin, &mut statuses);
                }
                if let Some(entry) = alone {
                    self.send(entry, None, &mut statuses);
                }
            } else {
                let at_once = match self.settings.commit_type {
                    CommitType::Send => QUEUED_AT_ONCE,
                    CommitType::Apply => 1,
                };
                while self.in_flight.len() < at_once
                    && let Some(entry) = self.queue.take(self.in_flight.values().map(|flight| &flight.entry))
                {
                    self.send(entry, None, &mut statuses);
                }
            }
        }
        if !statuses.is_empty() {
            self.persisting = Some(self.unstored.len());
            self.outputs.push_back(Output::Persist(statuses));
        }
    }

    /// This one goes next: to the plugin with this library, or to Koha itself. Its `Sending` is to be stored with these.
    fn send(&mut self, entry: Entry, plugin: Option<String>, statuses: &mut Vec<(TransactionId, Status)>) {
        let attempt = Attempt {
            ahead: self.koha_clock.ahead(),
            last_in_queue: self.auditing.last_before(),
            own_checkin: plugin.is_none() && self.checking_in.takes(&entry.transaction),
            plugin,
            ..Attempt::new(self.settings.commit_type, &self.settings.server)
        };
        // One that was just found not to be in Koha goes on at once.
        statuses.retain(|(id, _)| *id != entry.id);
        statuses.push((entry.id, Status::Sending { attempt: attempt.clone() }));
        let doubt = self.again.take(entry.id);
        let flight = InFlight { entry, attempt, doubt, renewed: false, stage: CommitStage::Persisting };
        self.in_flight.insert(flight.entry.id, flight);
    }

    /// Moves those whose `Sending` was being made durable on.
    fn persisting_now(&mut self, stage: CommitStage) {
        for flight in self.in_flight.values_mut().filter(|flight| flight.stage == CommitStage::Persisting) {
            flight.stage = stage;
        }
    }

    /// Asks Koha about those that are durable as `Sending`.
    fn ask(&mut self) {
        let Some(ready) = self.ready.clone() else { return };
        if self.summary.stop.is_some() || self.is_held_up() {
            return;
        }
        self.stay_at_library();
        // The session may be at another library than when it was made durable.
        let is_of_other = |flight: &&InFlight| flight.stage == CommitStage::Ready && !self.queue.allows(&flight.entry);
        let of_others: Vec<_> = self.in_flight.values().filter(is_of_other).map(|flight| flight.entry.id).collect();
        if !of_others.is_empty() {
            for id in of_others {
                self.requeue(id);
            }
            self.queue.arrange();
        }
        self.give_batch();
        let own = &self.settings.branchcode;
        let library = self.agreed.as_deref().unwrap_or(own);
        let mut unasked = Vec::new();
        let is_next = |flight: &&mut InFlight| flight.stage == CommitStage::Ready && flight.attempt.plugin.is_none();
        for flight in self.in_flight.values_mut().filter(is_next) {
            let branch = flight.entry.branch_or(own);
            let request = if flight.attempt.own_checkin {
                let at = if branch == own { library } else { branch };
                CheckingIn::request(&self.settings, ready.reading.as_ref(), at, &flight.entry)
            } else {
                Some(service::commit(&self.settings, &ready.access, &flight.entry.transaction, branch))
            };
            let Some(request) = request else {
                unasked.push(flight.entry.id);
                continue;
            };
            let ticket = self.tickets.next();
            flight.stage = CommitStage::Asked(ticket);
            self.outputs.push_back(Output::Request(ticket, request));
        }
        // The connection that was made anew reads nothing any more.
        for id in unasked {
            self.checking_in.cannot_be_asked();
            self.requeue(id);
        }
    }

    /// Gives the plugin the batch that is durable as `Sending`.
    fn give_batch(&mut self) {
        let flight = |id: &TransactionId| self.in_flight.get(id).filter(|flight| flight.stage == CommitStage::Ready);
        let flights: Vec<&InFlight> = self.batch.order.iter().filter_map(flight).collect();
        let Some(first) = flights.first() else { return };
        let Some(credentials) = self.plugin() else { return };
        let transactions = flights.iter().map(|flight| &flight.entry.transaction);
        let branch = first.entry.branch_or(&self.settings.branchcode);
        let request = plugin::give(&self.settings, credentials, branch, transactions);
        let ticket = self.tickets.next();
        for flight in self.in_flight.values_mut() {
            flight.stage = CommitStage::Asked(ticket);
        }
        self.outputs.push_back(Output::Request(ticket, request));
    }

    /// The log cannot be written, or not so. What Koha answered is tried once more without anything new; if that fails too, the
    /// transactions stay durable as `Sending` and are in doubt at the next start, which is safe.
    fn not_persisted(&mut self, why: CommitError) {
        let Some(tried) = self.persisting.take() else { return };
        self.stop(why);
        let unstarted = self.in_flight.values().filter(|flight| flight.stage == CommitStage::Persisting);
        let unstarted: Vec<_> = unstarted.map(|flight| flight.entry.id).collect();
        if unstarted.is_empty() {
            self.unstored.drain(..tried);
        }
        for id in unstarted {
            // Its `Sending` was not stored: it is durable as Local still.
            if let Some(flight) = self.in_flight.remove(&id) {
                match flight.doubt {
                    None => self.queue.put_back(flight.entry),
                    // Or in doubt still.
                    Some(_) => self.queue.doubt(&flight.entry),
                }
            }
        }
        self.queue.arrange();
    }

    fn finish(&mut self) {
        self.finished = true;
        self.again.give_up(&mut self.queue);
        self.disconnect();
        (self.summary.audited, self.summary.is_audited) = self.auditing.result();
        self.summary.queued = self.auditing.numbers();
        self.summary.no_own_checkin = self.checking_in.absence();
        let unclear = self.auditing.still_in_doubt().into_iter().map(|(id, why)| (id, Finding::Unclear(why)));
        let is_told =
            |id: TransactionId, findings: &[(TransactionId, Finding)]| findings.iter().any(|(other, _)| *other == id);
        let unclear: Vec<_> = unclear.filter(|(id, _)| !is_told(*id, &self.summary.findings)).collect();
        self.summary.findings.extend(unclear);
        self.again.tell(&mut self.summary.findings);
        self.summary.waiting = count(self.queue.waiting());
        self.summary.elsewhere = count(self.queue.elsewhere());
        self.summary.left = count(self.queue.len() + self.queue.waiting() + self.queue.elsewhere());
        self.outputs.push_back(Output::Finished(self.summary.clone()));
    }
}

#[cfg(test)]
mod tests;
