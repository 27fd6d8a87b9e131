//! The connection of a commit: made, made anew after a pause, and ended.

use super::{Outbox, protocol::Output, queue::Only, summary::CommitError};
use crate::{
    desk::{clock::DeskTime, transaction::TransactionId},
    koha::{
        Failure, Request, Response,
        connection::{Connection, ConnectionError, ConnectionStep},
        page::LoggedIn,
    },
    settings::form::CommitType,
};
use std::time::Duration;

/// For how long it waits before it tries again after no server was reached; then the commit ends.
const BACKOFF: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

/// After what time it looks again whether somebody has logged in to Koha.
const LOGIN_WATCH: Duration = Duration::from_secs(3);

/// The longest time for which it waits where it is told to, and the number of times in a row.
const LONGEST_WAIT: Duration = Duration::from_mins(15);
const MOST_WAITS: u32 = 10;

impl Outbox {
    pub(super) fn connect(&mut self) {
        let (connection, request) = Connection::start_to_commit(self.settings.clone(), self.has_plugin.is_none());
        self.request_connecting(connection, request);
    }

    fn request_connecting(&mut self, connection: Connection, request: Request) {
        let ticket = self.tickets.next();
        self.connecting = Some((connection, ticket));
        self.outputs.push_back(Output::Request(ticket, request));
    }

    pub(super) fn connection_answered(
        &mut self,
        mut connection: Connection,
        answer: Result<Response, Failure>,
        now: DeskTime,
    ) {
        let date = answer.as_ref().ok().and_then(|response| response.date);
        let next = connection.handle(answer);
        if !matches!(next, ConnectionStep::Failed(_)) {
            self.koha_clock.saw(date, now);
        }
        match next {
            ConnectionStep::Request(request) => self.request_connecting(connection, request),
            ConnectionStep::Ready(ready) => {
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
            ConnectionStep::Failed(ConnectionError::NobodyLoggedIn) => {
                let ticket = self.tickets.next();
                self.pause = Some(ticket);
                self.outputs.push_back(Output::LogIn(ticket, LOGIN_WATCH));
            }
            ConnectionStep::Failed(ConnectionError::Busy(after)) => self.wait_as_told(after),
            ConnectionStep::Failed(error) => self.stop(CommitError::Connection(error)),
        }
    }

    /// Sends nothing where Koha does not have the desk's library, or that of something that is to be sent: nobody would ever see it.
    pub(super) fn stop_at_unknown_branch(&mut self) {
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
    pub(super) fn stay_at_library(&mut self) {
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

    /// Waits before asking again, unless it has often enough. Returns whether it does.
    pub(super) fn back_off(&mut self) -> bool {
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
    pub(super) fn wait_as_told(&mut self, after: Duration) {
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
    pub(super) fn disconnect(&mut self) {
        if let Some(request) = self.ready.take().and_then(|ready| ready.log_out(&self.settings)) {
            let ticket = self.tickets.next();
            self.outputs.push_back(Output::Request(ticket, request));
        }
    }

    /// Nothing was processed. The session or its token may be over in mid-run, or Koha is being updated, so a new connection
    /// is made once, which tells.
    pub(super) fn access_refused(&mut self, id: TransactionId, error: ConnectionError) {
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
}
