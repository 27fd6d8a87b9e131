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
//! # use koct_core::{Action, Barcode, CommitType, Entry, Moment, ServerUrl, Settings, Status, Transaction, TransactionId};
//! # let server = ServerUrl::parse("https://koha.example.org")?;
//! # let settings = Settings { commit_type: CommitType::Apply, ..Settings::at(server, "desk", "letmein", "CPL") };
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
mod answers;
mod auditing;
mod batch;
mod booking;
mod checking_in;
mod connecting;
mod in_queue;
pub(crate) mod koha_clock;
mod paid;
mod payers;
mod protocol;
mod proving;
mod queue;
mod sending;
pub mod stale;
pub mod summary;
mod verdict;

use crate::{
    desk::{amount::Cents, barcode::Cardnumber, clock::DeskTime, transaction::TransactionId},
    koha::{
        Failure, Response,
        connection::{Connection, Ready},
        inquiry::Finding,
    },
    log::{
        Entry,
        order::Ordered,
        status::{Attempt, NO_PATRON, State, Status},
    },
    ordered::LiteMap,
    settings::form::{CommitType, Settings},
};
use again::Again;
use auditing::Auditing;
use batch::Batch;
use booking::{Booked, Booking};
use checking_in::CheckingIn;
use koha_clock::KohaClock;
pub use koha_clock::SETTLED_AFTER;
use payers::{Checked, Payers};
use protocol::Tickets;
pub use protocol::{Input, Output, Ticket};
use proving::{Proved, Proving};
use queue::Queue;
use std::collections::{HashMap, VecDeque};
use summary::{CommitError, Summary, count};

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
    in_flight: LiteMap<TransactionId, InFlight>,
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
            in_flight: LiteMap::new(),
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
