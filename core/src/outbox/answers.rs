//! What became of transactions: what came back for each, and what was found of those in doubt.

use super::{
    CommitStage, InFlight, Outbox,
    batch::{Batch, End},
    koha_clock::Age,
    protocol::{Output, Ticket},
    summary::CommitError,
    verdict::{Then, Verdict},
};
use crate::{
    desk::{clock::DeskTime, transaction::TransactionId},
    koha::{
        Failure, Response, front,
        inquiry::{Finding, Trace, Unclear},
        plugin::Told,
    },
    log::{
        Entry,
        status::{Attempt, Doubt, Status},
    },
    ordered,
};

/// The number of server errors in a row that ends a commit: going on would only put more in doubt. Each is of another item
/// and another patron than those before, so it is not about one of them.
const SERVER_ERRORS_IN_A_ROW: u32 = 10;

impl Outbox {
    /// What Koha was found to hold of one in doubt.
    pub(super) fn found(&mut self, entry: Entry, attempt: Attempt, age: Age, finding: Finding, now: DeskTime) {
        let finding = self.check_finding(&entry, age, finding);
        let id = entry.id;
        self.summary.findings.push((id, finding));
        match finding {
            Finding::Found(_) => {
                self.auditing.note(&entry, &Status::Success);
                self.summary.settled.push(id);
                self.unstored.push((id, Status::Success));
            }
            Finding::Missing(_) => self.send_after_all(entry),
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

    /// What the queue tells of one in doubt.
    pub(super) fn proved_by_queue(&mut self, entry: Entry, finding: Finding) {
        let id = entry.id;
        let finding = match finding {
            Finding::Missing(_) if self.queue.doubts_later(&entry) => Finding::Unclear(Unclear::LaterInDoubt),
            other => other,
        };
        let is_of_this_commit = self.summary.settled.contains(&id);
        if matches!(finding, Finding::Found(_)) {
            ordered::put(&mut self.summary.queued_at, entry.branch_or(&self.settings.branchcode).to_owned());
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
            Finding::Missing(_) => self.send_after_all(entry),
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

    /// It is not in Koha: it goes there in its turn.
    fn send_after_all(&mut self, entry: Entry) {
        self.unstored.push((entry.id, Status::Local));
        self.batch.goes_to_koha(entry.id);
        self.queue.add(Entry { status: Status::Local, ..entry });
        self.stop_at_unknown_branch();
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
    pub(super) fn requeue(&mut self, id: TransactionId) {
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

    /// What came back for a transaction.
    pub(super) fn answered(&mut self, id: TransactionId, answer: &Result<Response, Failure>, now: DeskTime) {
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

    /// Whether this is the request with the batch.
    pub(super) fn is_batch(&self, ticket: Ticket) -> bool {
        let first = self.batch.order.first().and_then(|id| self.in_flight.get(id));
        first.is_some_and(|flight| flight.attempt.plugin.is_some() && flight.stage == CommitStage::Asked(ticket))
    }

    /// What came back for the batch.
    pub(super) fn batch_answered(&mut self, answer: &Result<Response, Failure>, now: DeskTime) {
        let ids = self.batch.order.clone();
        if answer.is_ok() {
            self.failed_connections = 0;
        }
        match Verdict::from_batch(answer.as_ref(), ids.len()) {
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
            ordered::put(&mut self.summary.queued_at, entry.branch_or(&self.settings.branchcode).to_owned());
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
    pub(super) fn ask_again(&mut self, id: TransactionId) {
        if let Some(flight) = self.in_flight.get_mut(&id) {
            flight.stage = CommitStage::Ready;
        }
    }

    /// It may have been processed.
    fn settle_in_doubt(&mut self, id: TransactionId, reason: Doubt, answer: Option<&Response>, now: DeskTime) {
        let Some(flight) = self.in_flight.get(&id) else { return };
        if reason == Doubt::ServerError {
            self.queue.fail_card(&flight.entry);
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
                ordered::put(&mut self.summary.queued_at, flight.entry.branch_or(&self.settings.branchcode).to_owned());
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
}
