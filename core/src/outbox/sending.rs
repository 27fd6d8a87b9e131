//! What is sent next: durable first, then asked.

use super::{CommitStage, InFlight, Outbox, checking_in::CheckingIn, protocol::Output, summary::CommitError};
use crate::{
    desk::transaction::TransactionId,
    koha::{plugin, rest::RestCredentials, service},
    log::{
        Entry,
        status::{Attempt, Status},
    },
    settings::form::CommitType,
};

/// The number of transactions that may be under way at once into Koha's queue.
pub(super) const QUEUED_AT_ONCE: usize = 4;

impl Outbox {
    /// Who gives to the plugin, where it is there.
    pub(super) fn plugin(&self) -> Option<&RestCredentials> {
        self.ready.as_ref().filter(|_| self.has_plugin == Some(true))?.reading.as_ref()
    }

    /// Asks what must be known before anything is sent: about those in doubt, and about the payments' cards.
    pub(super) fn ask_koha(&mut self) {
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
    pub(super) fn persist(&mut self) {
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
    pub(super) fn persisting_now(&mut self, stage: CommitStage) {
        for (_, flight) in &mut self.in_flight {
            if flight.stage == CommitStage::Persisting {
                flight.stage = stage;
            }
        }
    }

    /// Asks Koha about those that are durable as `Sending`.
    pub(super) fn ask(&mut self) {
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
        for flight in self.in_flight.iter_mut().map(|(_, flight)| flight).filter(is_next) {
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
        for (_, flight) in &mut self.in_flight {
            flight.stage = CommitStage::Asked(ticket);
        }
        self.outputs.push_back(Output::Request(ticket, request));
    }

    /// The log cannot be written, or not so. What Koha answered is tried once more without anything new; if that fails too, the
    /// transactions stay durable as `Sending` and are in doubt at the next start, which is safe.
    pub(super) fn not_persisted(&mut self, why: CommitError) {
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
}
