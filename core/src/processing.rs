//! Processes or deletes rows of Koha's queue, one after the other: a state machine without any I/O. Without any chosen it only
//! looks.
//!
//! ```text
//! connect ──► the queue ──► rows in doubt from earlier ──► for each chosen row:
//!             ▲     note it ──► ask Koha ──► its word, noted with the next row
//!             └──────────────────── no word ◄──┘
//! ```
//! Whoever drives it does what [`Processing::poll`] gives out and reports back through [`Processing::handle`].
//!
//! Koha takes a row out of the queue whatever it says of it, and knows of no row that is gone. So a row is never processed twice by
//! asking twice, unless Koha is still at it. Where no answer of its own was seen, the queue is read anew: a row that is there still
//! was not processed, and is asked about again no sooner than any server may be at it; of one that is gone Koha's loans may tell
//! what became of it, and else a person looks.
//!
//! A row is noted durably before Koha is asked about it, and its end before the next. What is found without an end is resolved
//! the next time. Rows of one item, or of one payer, never overtake each other.

pub mod choice;
pub mod end;
pub mod known;
pub mod listed;
mod session;

use crate::{
    desk::clock::DeskTime,
    koha::{
        Failure, Request, Response,
        connection::ConnectionError,
        front::{self, Front},
        inquiry::{self, Finding, Inquiry},
        pending::{NotRead, Page, Pending},
        process::{self, ProcessAnswer},
    },
    log::{
        Entry,
        handled::{Deed, Handled, Outcome, Shown},
        status::{Attempt, Doubt},
    },
    outbox::{
        koha_clock::{Age, KohaClock},
        summary::CommitError,
    },
    settings::form::{CommitType, Settings},
};
use session::{SessionStep, Way};
use std::collections::{HashSet, VecDeque};

/// The number of rows in a row without an answer that ends it.
const DOUBTS_IN_A_ROW: u32 = 3;

/// A row that a person has chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// As it was shown to them.
    pub row: Pending,
    /// The transaction of this log that it is, where it is one.
    pub own: Option<Entry>,
}

/// A row of an earlier run that has no end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unended {
    /// The number of that run's record.
    pub run: u32,
    /// The row.
    pub handled: Handled,
    /// The transaction of this log that it is, where it is one.
    pub own: Option<Entry>,
}

/// What is to be stored durably: this row in the record of this run, and what follows for the log ([`Entry::handled`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The number of the run's record.
    pub run: u32,
    /// The row.
    pub handled: Handled,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Store these durably and all at once, then report [`Input::Noted`] or [`Input::NotNoted`].
    Note(Vec<Note>),
    /// Make this request and report [`Input::Answer`].
    Request(Request),
    /// It is over.
    Finished(Report),
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The last [`Output::Note`] is durable.
    Noted,
    /// It is not, and nothing of it was stored.
    NotNoted,
    /// What became of the last request.
    Answer(Result<Response, Failure>),
    /// The person wants it to stop. What has left is still waited for.
    Stop,
}

/// Why it ended before everything was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessingError {
    /// As a commit does.
    Commit(CommitError),
    /// The queue cannot be read.
    NotRead(NotRead),
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The queue as it was read last; absent where it was not.
    pub page: Option<Page>,
    /// What became of each row that had an end, in that order.
    pub ended: Vec<(u64, Outcome)>,
    /// Rows whose end could not be found out: the next run does.
    pub in_doubt: Vec<u64>,
    /// Rows that were not asked about, since an earlier one of the same item has no end.
    pub waiting: Vec<u64>,
    /// Rows that were not asked about, since Koha may still be at them: it was asked a short time ago.
    pub too_early: Vec<u64>,
    /// Why it ended early.
    pub stop: Option<ProcessingError>,
}

impl Report {
    /// The number of those that were `chosen` that are in the queue still.
    pub fn left(&self, chosen: usize) -> u32 {
        let over = self.ended.iter().filter(|(_, outcome)| !outcome.is_left()).count() + self.in_doubt.len();
        u32::try_from(chosen.saturating_sub(over)).unwrap_or(u32::MAX)
    }
}

/// What is being done.
#[derive(Debug, Clone)]
enum RunStage {
    Session(Way),
    Looking,
    Noting {
        asks: Option<Box<Chosen>>,
    },
    Asking(Box<Chosen>),
    Proving(Box<Inquiry>, Box<Doubtful>),
    /// A session that does not work any more is ended, before another is made.
    Leaving,
    LoggingOut,
    Over,
}

/// A row whose end is to be found out.
#[derive(Debug, Clone)]
struct Doubtful {
    row: Unended,
    reason: Doubt,
    /// Koha said, or seemed to say, that it has no such row.
    seems_gone: bool,
}

/// One run through the queue. See the [module](self).
#[derive(Debug, Clone)]
pub struct Processing {
    settings: Settings,
    run: u32,
    deed: Deed,
    /// What is left to do, in order.
    chosen: VecDeque<Chosen>,
    /// What was left in the queue by earlier runs although Koha was asked.
    left: Vec<Handled>,
    /// Rows whose end is found out next time the queue was read.
    doubtful: VecDeque<Doubtful>,
    koha_clock: KohaClock,
    session: Option<session::QueueSession>,
    /// The session was made anew since the last row had an end.
    renewed: bool,
    stage: RunStage,
    /// What no later row may overtake.
    held: HashSet<String>,
    doubts_in_a_row: u32,
    unnoted: Vec<Note>,
    outputs: VecDeque<Output>,
    total: usize,
    report: Report,
}

impl Processing {
    /// A run whose record has this number: does this with these rows, in this order, after it has resolved what earlier runs left
    /// without an end.
    pub fn new(
        settings: Settings,
        run: u32,
        deed: Deed,
        chosen: impl IntoIterator<Item = Chosen>,
        unended: impl IntoIterator<Item = Unended>,
        left: impl IntoIterator<Item = Handled>,
    ) -> Self {
        let chosen: VecDeque<Chosen> = chosen.into_iter().collect();
        let (way, request) = Way::start(&settings);
        let doubtful = |row| Doubtful { row, reason: Doubt::Interrupted, seems_gone: false };
        Self {
            settings,
            run,
            deed,
            total: chosen.len(),
            chosen,
            left: left.into_iter().collect(),
            doubtful: unended.into_iter().map(doubtful).collect(),
            koha_clock: KohaClock::default(),
            session: None,
            renewed: false,
            stage: RunStage::Session(way),
            held: HashSet::new(),
            doubts_in_a_row: 0,
            unnoted: Vec::new(),
            outputs: [Output::Request(request)].into(),
            report: Report::default(),
        }
    }

    /// What is to be done next, or `None` until something is reported.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The number of rows that are over, and of all.
    pub fn progress(&self) -> (usize, usize) {
        let is_under_way = matches!(self.stage, RunStage::Asking(_) | RunStage::Noting { asks: Some(_) });
        let open = self.chosen.len() + usize::from(is_under_way);
        (self.total.saturating_sub(open), self.total)
    }

    /// Takes what happened, at this time by the desk's clock.
    pub fn handle(&mut self, input: Input, now: DeskTime) {
        match (input, std::mem::replace(&mut self.stage, RunStage::Over)) {
            (Input::Stop, stage) => {
                self.stop(ProcessingError::Commit(CommitError::Cancelled));
                self.stage = stage;
            }
            (Input::Noted, RunStage::Noting { asks: Some(chosen) }) => self.ask(chosen),
            (Input::Noted, RunStage::Noting { asks: None }) => {
                self.unnoted.clear();
                self.go_on();
            }
            (Input::NotNoted, RunStage::Noting { asks }) => self.not_noted(asks.is_some()),
            (Input::Answer(answer), stage) => self.answered(answer, stage, now),
            (_, stage) => self.stage = stage,
        }
    }

    fn answered(&mut self, answer: Result<Response, Failure>, stage: RunStage, now: DeskTime) {
        match stage {
            RunStage::Session(way) => self.connected(way, answer, now),
            RunStage::Looking => self.looked(answer, now),
            RunStage::Asking(chosen) => self.told(*chosen, answer, now),
            RunStage::Proving(mut inquiry, doubtful) => match inquiry.handle(answer) {
                inquiry::InquiryStep::Request(request) => self.request(request, RunStage::Proving(inquiry, doubtful)),
                inquiry::InquiryStep::Finding(finding) => self.proved(*doubtful, finding, now),
            },
            RunStage::Leaving => self.connect(),
            RunStage::LoggingOut => self.finish(),
            stage @ (RunStage::Noting { .. } | RunStage::Over) => self.stage = stage,
        }
    }

    fn request(&mut self, request: Request, stage: RunStage) {
        self.stage = stage;
        self.outputs.push_back(Output::Request(request));
    }

    /// Ends it as soon as nothing is under way. The first reason stays.
    fn stop(&mut self, reason: ProcessingError) {
        self.report.stop.get_or_insert(reason);
    }

    fn connected(&mut self, mut way: Way, answer: Result<Response, Failure>, now: DeskTime) {
        let date = answer.as_ref().ok().and_then(|response| response.date);
        match way.handle(answer) {
            SessionStep::Request(request) => {
                self.koha_clock.saw(date, now);
                self.request(request, RunStage::Session(way));
            }
            SessionStep::Ready(session) => {
                self.koha_clock.saw(date, now);
                self.session = Some(*session);
                if self.report.stop.is_some() { self.go_on() } else { self.look() }
            }
            SessionStep::Failed(error) => {
                self.stop(ProcessingError::Commit(CommitError::Connection(error)));
                self.go_on();
            }
        }
    }

    /// The page with the queue has come, or has not.
    fn looked(&mut self, answer: Result<Response, Failure>, now: DeskTime) {
        let Some(session) = &mut self.session else { return self.finish() };
        let response = match answer {
            Ok(response) => response,
            Err(failure) => {
                self.stop(ProcessingError::Commit(CommitError::ConnectionLost(failure)));
                return self.leave_in_doubt();
            }
        };
        match session.read(&response, &self.settings.branchcode) {
            Ok(page) => {
                self.koha_clock.saw(response.date, now);
                self.report.page = Some(page);
                self.resolve(now);
            }
            // It has ended since.
            Err(NotRead::NotLetIn) if self.report.page.is_some() && !self.renewed => self.connect_anew(),
            Err(not_read) => {
                self.stop(ProcessingError::NotRead(not_read));
                self.leave_in_doubt();
            }
        }
    }

    fn look(&mut self) {
        match &self.session {
            Some(session) => {
                let request = session.visit.request(&self.settings);
                self.request(request, RunStage::Looking);
            }
            None => self.go_on(),
        }
    }

    fn connect_anew(&mut self) {
        self.renewed = true;
        match self.session.take().and_then(|session| session.log_out(&self.settings)) {
            Some(request) => self.request(request, RunStage::Leaving),
            None => self.connect(),
        }
    }

    fn connect(&mut self) {
        let (way, request) = Way::start(&self.settings);
        self.request(request, RunStage::Session(way));
    }

    /// The queue cannot be asked about them now: that is noted, with when they were over, and found out the next time.
    fn leave_in_doubt(&mut self) {
        for Doubtful { row, .. } in std::mem::take(&mut self.doubtful) {
            self.report.in_doubt.push(row.handled.number);
            self.unnoted.push(Note { run: row.run, handled: row.handled });
        }
        self.go_on();
    }

    /// The row of this number in the queue as it was read last.
    fn in_queue(&self, number: u64) -> Option<&Pending> {
        self.report.page.as_ref()?.rows.iter().find(|row| row.number == number)
    }

    /// Finds out what became of the rows that are in doubt, now that the queue was read; then goes on.
    fn resolve(&mut self, now: DeskTime) {
        while let Some(mut doubtful) = self.doubtful.pop_front() {
            let handled = &mut doubtful.row.handled;
            if handled.attempt.over.is_none() || self.koha_clock.age(&handled.attempt) == Age::Unknown {
                handled.attempt = self.koha_clock.over(handled.attempt.clone(), now);
            }
            // Another row may have its number by now.
            if self.in_queue(handled.number).is_some_and(|row| row.likeness() == as_row(&handled.shown).likeness()) {
                let reason = doubtful.reason;
                self.conclude(doubtful.row, Outcome::Left { reason });
            } else if handled.deed == Deed::Delete {
                self.conclude(doubtful.row, Outcome::Deleted);
            } else {
                let inquiry = self
                    .session
                    .as_ref()
                    .and_then(|session| session.reading.clone())
                    .zip(doubtful.row.own.as_ref().map(|entry| entry.transaction.clone()));
                let inquiry = inquiry
                    .and_then(|(reading, transaction)| Inquiry::start(self.settings.clone(), reading, transaction));
                let Some((inquiry, request)) = inquiry else {
                    self.conclude_gone(doubtful);
                    continue;
                };
                return self.request(request, RunStage::Proving(Box::new(inquiry), Box::new(doubtful)));
            }
        }
        self.go_on();
    }

    fn proved(&mut self, doubtful: Doubtful, finding: Finding, now: DeskTime) {
        match finding {
            Finding::Found(_) => self.conclude(doubtful.row, Outcome::Success),
            // Koha refused it, or somebody deleted it.
            Finding::Missing(_) | Finding::Unclear(_) => self.conclude_gone(doubtful),
        }
        self.resolve(now);
    }

    fn conclude_gone(&mut self, doubtful: Doubtful) {
        let outcome = if doubtful.seems_gone { Outcome::Gone } else { Outcome::Unseen };
        self.conclude(doubtful.row, outcome);
    }

    fn conclude(&mut self, row: Unended, outcome: Outcome) {
        let is_of_this_run = row.run == self.run;
        if matches!(outcome, Outcome::Left { .. }) {
            self.held.insert(as_row(&row.handled.shown).subject());
            if !is_of_this_run {
                self.left.push(row.handled.clone().ended(outcome.clone()));
            }
        }
        self.report.ended.push((row.handled.number, outcome.clone()));
        self.unnoted.push(Note { run: row.run, handled: row.handled.ended(outcome) });
    }

    /// Takes the next row, or ends.
    fn go_on(&mut self) {
        while self.report.stop.is_none()
            && let Some(chosen) = self.chosen.pop_front()
        {
            let number = chosen.row.number;
            let subject = chosen.row.subject();
            if self.held.contains(&subject) {
                self.report.waiting.push(number);
                continue;
            }
            let earlier = self.left.iter().rev().find(|left| left.number == number);
            if earlier.is_some_and(|left| self.koha_clock.age(&left.attempt) != Age::Settled) {
                self.report.too_early.push(number);
                self.held.insert(subject);
                continue;
            }
            let handled = self.begun(&chosen);
            // Another row may have this number by now, where a database was set back.
            if self.in_queue(number).is_none_or(|row| row.likeness() != chosen.row.likeness()) {
                self.conclude(Unended { run: self.run, handled, own: chosen.own }, Outcome::Gone);
                continue;
            }
            self.unnoted.push(Note { run: self.run, handled });
            return self.note(Some(Box::new(chosen)));
        }
        if !self.unnoted.is_empty() {
            return self.note(None);
        }
        match self.session.as_ref().and_then(|session| session.log_out(&self.settings)) {
            Some(request) => self.request(request, RunStage::LoggingOut),
            None => self.finish(),
        }
    }

    fn note(&mut self, asks: Option<Box<Chosen>>) {
        self.outputs.push_back(Output::Note(self.unnoted.clone()));
        self.stage = RunStage::Noting { asks };
    }

    /// A row that is about to be asked about.
    fn begun(&self, chosen: &Chosen) -> Handled {
        let Pending { number, time, action, barcode, cardnumber, amount, .. } = chosen.row.clone();
        let attempt = Attempt::new(CommitType::Apply, &self.settings.server);
        Handled {
            number,
            deed: self.deed,
            own: chosen.own.as_ref().map(|entry| entry.id),
            shown: Shown { time, action, barcode, cardnumber, amount },
            attempt: Attempt { ahead: self.koha_clock.ahead(), ..attempt },
            outcome: None,
        }
    }

    fn ask(&mut self, chosen: Box<Chosen>) {
        self.unnoted.clear();
        match self.session.as_ref().and_then(session::QueueSession::session) {
            Some(session) if self.report.stop.is_none() => {
                let request = process::request(&self.settings, session, self.deed, chosen.row.number);
                self.request(request, RunStage::Asking(chosen));
            }
            // Stopped while it was noted.
            _ => {
                let row = Unended { run: self.run, handled: self.begun(&chosen), own: None };
                self.conclude(row, Outcome::NotAsked);
                self.go_on();
            }
        }
    }

    /// The record cannot be written. What Koha has said is tried once more without anything new; if that fails too, it is found
    /// out anew the next time.
    fn not_noted(&mut self, asks: bool) {
        self.stop(ProcessingError::Commit(CommitError::NotPersisted));
        if asks {
            self.unnoted.pop();
        } else {
            self.unnoted.clear();
        }
        self.go_on();
    }

    /// What came back for a row.
    fn told(&mut self, chosen: Chosen, answer: Result<Response, Failure>, now: DeskTime) {
        let row = Unended { run: self.run, handled: self.begun(&chosen), own: chosen.own.clone() };
        let response = match answer {
            Ok(response) => response,
            Err(failure @ Failure::NotSent(_)) => {
                self.stop(ProcessingError::Commit(CommitError::ConnectionLost(failure)));
                self.conclude(row, Outcome::NotAsked);
                return self.go_on();
            }
            Err(failure) => {
                let reason = match failure {
                    Failure::Lost | Failure::NotSent(_) => Doubt::ConnectionLost,
                    Failure::TimedOut => Doubt::TimedOut,
                    Failure::Redirected { .. } | Failure::TooLong => Doubt::StrangeAnswer,
                };
                return self.doubt(row, reason, None, now);
            }
        };
        let outcome = match process::read(&response) {
            ProcessAnswer::Success => Outcome::Success,
            ProcessAnswer::Refused(words) => Outcome::Refused { message: words.to_owned() },
            ProcessAnswer::Deleted if self.deed == Deed::Delete => Outcome::Deleted,
            ProcessAnswer::TokenRefused => return self.token_refused(chosen, row),
            ProcessAnswer::Busy(after) => {
                self.stop(ProcessingError::Commit(CommitError::Busy(after)));
                self.put_in_doubt(row, Doubt::StrangeAnswer, Some(&response), now);
                return self.leave_in_doubt();
            }
            ProcessAnswer::ServerError(_) => return self.doubt(row, Doubt::ServerError, Some(&response), now),
            ProcessAnswer::Empty | ProcessAnswer::Deleted | ProcessAnswer::Strange => {
                return self.doubt(row, Doubt::StrangeAnswer, Some(&response), now);
            }
        };
        self.koha_clock.saw(response.date, now);
        self.doubts_in_a_row = 0;
        self.renewed = false;
        self.conclude(row, outcome);
        self.go_on();
    }

    /// Nothing was done: the session has ended, or its token.
    fn token_refused(&mut self, chosen: Chosen, row: Unended) {
        if self.renewed {
            self.stop(ProcessingError::Commit(CommitError::Connection(ConnectionError::TokenRefused)));
            self.conclude(row, Outcome::NotAsked);
            return self.go_on();
        }
        self.chosen.push_front(chosen);
        self.connect_anew();
    }

    /// It may have been done: the queue tells.
    fn doubt(&mut self, row: Unended, reason: Doubt, response: Option<&Response>, now: DeskTime) {
        self.put_in_doubt(row, reason, response, now);
        self.doubts_in_a_row += 1;
        if self.doubts_in_a_row >= DOUBTS_IN_A_ROW {
            self.stop(ProcessingError::Commit(match response {
                Some(response) if response.status >= 500 => CommitError::ServerErrors(response.status),
                Some(response) if !response.body.trim().is_empty() => {
                    CommitError::NotKoha { front: Front::of(response), words: front::words(response) }
                }
                _ => CommitError::ConnectionLost(Failure::Lost),
            }));
        }
        self.look();
    }

    fn put_in_doubt(&mut self, row: Unended, reason: Doubt, response: Option<&Response>, now: DeskTime) {
        let seems_gone = response.is_some_and(|response| process::read(response) == ProcessAnswer::Empty);
        // An empty answer has nothing to be read.
        let answer = response.filter(|response| !response.body.trim().is_empty() || response.status != 200);
        let attempt = self.koha_clock.over(row.handled.attempt, now);
        let attempt = Attempt { answer: answer.map(front::words), ..attempt };
        let handled = Handled { attempt, ..row.handled };
        self.doubtful.push_back(Doubtful { row: Unended { handled, ..row }, reason, seems_gone });
    }

    fn finish(&mut self) {
        self.stage = RunStage::Over;
        self.outputs.push_back(Output::Finished(self.report.clone()));
    }
}

/// A row as it was shown, to be compared with others.
fn as_row(shown: &Shown) -> Pending {
    let Shown { time, action, barcode, cardnumber, amount } = shown.clone();
    Pending { time, action, barcode, cardnumber, amount, ..Pending::default() }
}

#[cfg(test)]
mod tests;
