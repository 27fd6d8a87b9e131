//! Downloads Koha's records: the state machine of one download, without any I/O.
//!
//! Whoever drives it does what [`Download::poll`] gives out, one thing at a time, and reports back through
//! [`Download::handle`]:
//!
//! ```text
//! log in ──► Write (what is left of other times is deleted)
//!            └─► for each set:  Request ──► answer ──► Request … ──► Prepare ──► Write (the set takes its place)
//!                                 ▲  └─ Wait, log in anew ─┘ └─ Write (rows, and how far it is)
//! ```
//! A [`Write`] is stored whole or not at all, and rows are written together with how far reading is. So a download may break
//! off between any two steps: the next one, in whatever window, is made of what was kept ([`Progress`]) and goes on there.
//! Until a set is read to its end and ready to be looked up, what was there of it stays.
//!
//! After the lists those patrons can be asked for once more for whom it matters what Koha reports as no change ([`Owing`]): what
//! they owe, and whether they are gone.
//!
//! A set that Koha does not give is left out, and why is said ([`Gap`]); what can pass by itself ends the download, to be
//! gone on with.

mod login;
pub mod pace;
mod preparation;
mod progress;
mod set;

pub use preparation::Preparation;
pub use progress::Progress;

use super::{
    Failure, Request, Response,
    connection::ConnectionError,
    login as form_login,
    records::{Listed, Owing, Point, ReadError, Reading, Report, RestCredentials, TokenError},
    rest::Libraries,
};
use crate::{
    desk::clock::DeskTime,
    directory::{
        Contents, Gap, Held, Unfinished,
        owing::Round,
        record::{Hold, Item, Loan, Patron, Set},
        refresh::{Ended, Scope},
        write::{CONTENTS, DOWNLOAD, Write},
    },
    ordered::{self, Gather},
    settings::{asker::Asker, form::Settings, records::RecordsSettings},
};
use login::{Login, LoginStep};
use progress::OpenSet;
use set::{ReadSet, SetRows, SetStep};
use std::{collections::VecDeque, time::Duration};

/// Rows of fewer bytes are not worth a write of their own.
const WORTH_WRITING: usize = 16 * 1024;

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Output<E> {
    /// Make this request and report [`Input::Answer`].
    Request(Request),
    /// Let Koha rest for this long, and for as long as somebody commits; then poll again. A stop or other settings may be told
    /// meanwhile.
    Rest(Duration),
    /// Report [`Input::Waited`] after this time.
    Wait(Duration),
    /// Store this whole, and report [`Input::Written`] or [`Input::NotWritten`].
    Write(Write),
    /// Do this and report [`Input::Prepared`] or [`Input::NotPrepared`].
    Prepare(Preparation),
    /// Find the [`Round`] of patrons after this number in what [`Download::contents`] tells, and report [`Input::Found`].
    Find(u32),
    /// Koha was asked about the patrons of a round: up to this number, or about all.
    Owing(Option<u32>),
    /// To be shown: this number of rows of a set are read, and the number of those to come, as far as Koha tells.
    Read(Set, u32, Option<u32>),
    /// What is looked up from now on is what [`Download::contents`] tells; what it does not tell is deleted.
    Changed,
    /// The download is over.
    Finished(Result<(), DownloadError<E>>),
}

/// What happened.
#[derive(Debug)]
pub enum Input<E> {
    /// What became of the request.
    Answer(Result<Response, Failure>),
    /// The time of an [`Output::Wait`] is over.
    Waited,
    /// The last [`Output::Write`] is stored.
    Written,
    /// It is not, and nothing of it was stored.
    NotWritten(E),
    /// The round; an empty one where it could not be found.
    Found(Round),
    /// A set is ready.
    Prepared(Held),
    /// It is not.
    NotPrepared {
        /// Why.
        error: E,
        /// Whether what was written earlier is missing or damaged.
        is_damaged: bool,
    },
    /// The person wants it to stop.
    Stop,
    /// It is known, before a request is made, that other settings hold than those it goes by: [`Download::is_of`].
    Outdated,
}

/// Why a download did not come to its end. What was read is kept, and the next one goes on there.
#[derive(Debug, PartialEq, Eq)]
pub enum DownloadError<E> {
    /// Somebody stopped it.
    Stopped,
    /// Another server, account or library is set meanwhile. What was read of a set that is not read to its end is not kept.
    Outdated,
    /// Koha cannot be used.
    Koha(ConnectionError),
    /// Koha gives no token for the API key.
    KeyRefused,
    /// What was read cannot be kept.
    Disk(E),
}

/// What is being waited for.
enum Doing<E> {
    LoggingIn(Login, Purpose),
    Asking,
    BackingOff,
    Writing(Next<E>),
    Finding,
    Preparing,
    Over,
}

/// What a login is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// The beginning.
    Start,
    /// The report on restrictions, which takes no token.
    Report,
    /// A session or a token has ended.
    Renewal,
}

/// What follows when something is written.
enum Next<E> {
    Set,
    Rows,
    Preparation,
    End(DownloadError<E>),
}

/// The last patron of a round, where there are more.
#[derive(Clone, Copy)]
struct UpTo(Option<u32>);

/// The set that is being read.
struct Current {
    set: Set,
    rows: Box<dyn ReadSet>,
    desk_began: DeskTime,
    /// It is no list but a round of patrons, which ends with this number or with the last.
    round: Option<UpTo>,
}

/// One download. See the [module](self).
pub struct Download<E> {
    settings: Settings,
    records: RecordsSettings,
    asker: Asker,
    credentials: RestCredentials,
    contents: Contents,
    progress: Progress,
    current: Option<Current>,
    /// The set that is read anew as a whole, since what was there of it is damaged.
    damaged: Option<Set>,
    /// Whether lists are read as a whole although changes could be told.
    everything: bool,
    /// The number after whom a round of patrons is to be asked for.
    owing_after: Option<u32>,
    /// Whether Koha did not let in the account that was to read the report.
    is_refused: bool,
    doing: Doing<E>,
    is_stopping: bool,
    /// Where nobody waits for it: Koha gets a rest before each request, and a commit goes first.
    rests: Option<pace::Rests>,
    outputs: VecDeque<Output<E>>,
    desk_time: DeskTime,
}

impl<E> Download<E> {
    /// A download of what has changed since `contents`, or of everything where Koha cannot tell or that was long ago. Goes on
    /// where `earlier` was broken off, unless that was long ago.
    pub fn new(
        settings: Settings,
        records: RecordsSettings,
        mut contents: Contents,
        mut earlier: Option<Progress>,
        desk_time: DeskTime,
    ) -> Self {
        let asker = Asker::of(&settings);
        earlier = earlier.filter(|_| contents.are_of(Some(&settings.server)));
        contents.turn_to(&settings.server);
        contents.drop_old(&records, desk_time);
        let progress = Progress::from_earlier(earlier, &asker, desk_time);
        // The number of a run that is being written is not in the contents yet.
        contents.next_run = progress.runs().fold(contents.next_run, u32::max);
        let mut download = Self {
            settings,
            records,
            asker,
            credentials: RestCredentials::Basic,
            contents,
            progress,
            current: None,
            damaged: None,
            everything: false,
            owing_after: None,
            is_refused: false,
            doing: Doing::Over,
            is_stopping: false,
            rests: None,
            outputs: VecDeque::new(),
            desk_time,
        };
        download.log_in(Purpose::Start);
        download
    }

    /// With this, where it is not only what has changed; a round of patrons begins after this number.
    #[must_use]
    pub fn with(self, scope: Scope, owing_after: u32) -> Self {
        Self { everything: scope.everything, owing_after: scope.owing.then_some(owing_after), ..self }
    }

    /// Whether it asks the Koha of these settings, as they say, and records are wanted still.
    pub fn is_of(&self, settings: &Settings, records: &RecordsSettings) -> bool {
        records.enabled && Asker::of(settings) == self.asker
    }

    /// One that nobody waits for: with an [`Output::Rest`] before each request, and a commit goes first.
    #[must_use]
    pub fn gently(self) -> Self {
        Self { rests: Some(pace::Rests::default()), ..self }
    }

    /// Whether all is done that depends on the settings, and on whether it is wanted: a request that comes still only ends the
    /// session, and is made in any case.
    pub fn is_over(&self) -> bool {
        matches!(self.doing, Doing::Over)
    }

    /// What is to be done next, or `None` until something is reported.
    pub fn poll(&mut self) -> Option<Output<E>> {
        let is_asking = matches!(self.outputs.front(), Some(Output::Request(_))) && !self.is_over();
        let is_reading = self.current.is_some();
        let rest = self.rests.as_mut().filter(|_| is_asking).and_then(|rests| rests.before_request(is_reading));
        rest.map(Output::Rest).or_else(|| self.outputs.pop_front())
    }

    /// Koha took this long for the answer that is reported next: the longer, the longer is the rest after it.
    pub fn took(&mut self, took: Duration) {
        if let Some(rests) = &mut self.rests {
            rests.took = took;
        }
    }

    /// What there is of the records. To be asked for at an [`Output::Changed`].
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// How a download ended that came to its end. Refused also where only the report is missing for that: each login of an account that
    /// Koha does not let in is counted there, and enough of them lock it.
    pub fn came_to(&self) -> Ended {
        if self.is_refused {
            Ended::Refused
        } else if self.contents.gaps.is_empty() {
            Ended::Done
        } else {
            Ended::InPart
        }
    }

    /// Takes what happened; what was not waited for changes nothing.
    pub fn handle(&mut self, input: Input<E>, desk_time: DeskTime) {
        self.desk_time = desk_time;
        match (std::mem::replace(&mut self.doing, Doing::Over), input) {
            (Doing::LoggingIn(login, purpose), Input::Answer(answer)) => self.login_answered(login, purpose, answer),
            (Doing::Asking, Input::Answer(answer)) => self.answered(answer),
            (Doing::BackingOff, Input::Waited) => self.ask(),
            (Doing::Writing(next), Input::Written) => self.written(next),
            (Doing::Writing(_), Input::NotWritten(error)) => self.finish(Err(DownloadError::Disk(error))),
            (Doing::Finding, Input::Found(round)) => self.found(round),
            (Doing::Preparing, Input::Prepared(held)) => self.prepared(&held),
            (Doing::Preparing, Input::NotPrepared { error, is_damaged }) => self.not_prepared(error, is_damaged),
            (Doing::LoggingIn(..) | Doing::Asking | Doing::BackingOff, Input::Stop) => {
                self.outputs.retain(|output| !matches!(output, Output::Request(_) | Output::Wait(_)));
                self.end(DownloadError::Stopped);
            }
            (Doing::LoggingIn(..) | Doing::Asking | Doing::BackingOff, Input::Outdated) => {
                self.outputs.retain(|output| !matches!(output, Output::Request(_) | Output::Wait(_)));
                self.forget();
            }
            // What is being written is written first.
            (doing @ (Doing::Writing(_) | Doing::Finding | Doing::Preparing), Input::Stop) => {
                self.is_stopping = true;
                self.doing = doing;
            }
            (doing, _) => self.doing = doing,
        }
    }

    fn request(&mut self, request: Request, doing: Doing<E>) {
        self.outputs.push_back(Output::Request(request));
        self.doing = doing;
    }

    fn write(&mut self, write: Write, next: Next<E>) {
        self.outputs.push_back(Output::Write(write));
        self.doing = Doing::Writing(next);
    }

    fn finish(&mut self, result: Result<(), DownloadError<E>>) {
        let is_reached = !matches!(result, Err(DownloadError::Koha(ConnectionError::NoAnswer(_))));
        if let (RestCredentials::Session(session), true) = (&self.credentials, is_reached) {
            // Nothing follows from the answer.
            self.outputs.push_back(Output::Request(form_login::log_out(&self.settings, session)));
        }
        self.outputs.push_back(Output::Finished(result));
        self.doing = Doing::Over;
    }

    /// Ends; what was read and is not written yet is written before.
    fn end(&mut self, error: DownloadError<E>) {
        if self.current.as_ref().is_some_and(|current| current.rows.unwritten() > 0) {
            self.write_rows(Next::End(error));
        } else {
            self.finish(Err(error));
        }
    }

    /// Ends, and forgets what was read and is no whole set.
    fn forget(&mut self) {
        self.current = None;
        let write = Write::default().state(DOWNLOAD, &None::<Progress>).only(self.contents.runs());
        self.write(write, Next::End(DownloadError::Outdated));
    }

    fn log_in(&mut self, purpose: Purpose) {
        let is_for_report = self.current.as_ref().is_some_and(|current| current.set == Set::Restrictions);
        // Only the REST API takes tokens.
        let takes_token = purpose != Purpose::Report && !is_for_report;
        let (login, request) = Login::start(&self.settings, takes_token);
        self.request(request, Doing::LoggingIn(login, purpose));
    }

    fn login_answered(&mut self, mut login: Login, purpose: Purpose, answer: Result<Response, Failure>) {
        match login.handle(&self.settings, answer) {
            LoginStep::Request(request) => self.request(request, Doing::LoggingIn(login, purpose)),
            LoginStep::Ready(credentials, libraries) => self.logged_in(credentials, libraries, purpose),
            LoginStep::Failed(TokenError::ConnectionError(error))
                if purpose == Purpose::Report && !may_pass(&error) =>
            {
                self.is_refused = DownloadError::<E>::Koha(error).ended() == Some(Ended::Refused);
                self.leave_out(Set::Restrictions, Gap::Refused(String::new()));
            }
            LoginStep::Failed(TokenError::ConnectionError(error)) => self.end(DownloadError::Koha(error)),
            LoginStep::Failed(TokenError::Refused) => self.end(DownloadError::KeyRefused),
        }
    }

    fn logged_in(&mut self, credentials: RestCredentials, libraries: Option<Libraries>, purpose: Purpose) {
        self.credentials = credentials;
        if let Some(libraries) = libraries {
            let names = libraries.list.into_iter().map(|library| (library.branchcode, library.name));
            self.contents.libraries = names.into_map();
        }
        match purpose {
            Purpose::Start => self.write_contents(),
            Purpose::Report => self.next_set(),
            Purpose::Renewal => self.ask(),
        }
    }

    /// Writes what there is and how far the download is, and deletes what is not in use any more.
    fn write_contents(&mut self) {
        let progress = (!self.progress.is_over()).then_some(&self.progress);
        let write = Write::default().state(CONTENTS, &self.contents).state(DOWNLOAD, &progress);
        let write = write.only(self.contents.runs().chain(self.progress.runs()));
        self.write(write, Next::Set);
    }

    /// Writes the rows that were read and how far reading is.
    fn write_rows(&mut self, next: Next<E>) {
        let Some(Current { set, rows, desk_began, .. }) = &mut self.current else { return };
        let (blocks, written) = rows.take();
        let open = OpenSet { point: rows.point().clone(), written, desk_began: *desk_began };
        self.progress.open.insert(*set, open);
        self.write(Write { blocks, ..Write::default() }.state(DOWNLOAD, &self.progress), next);
    }

    fn written(&mut self, next: Next<E>) {
        match next {
            Next::End(error) => self.finish(Err(error)),
            Next::Set => {
                self.outputs.push_back(Output::Changed);
                self.next_set();
            }
            Next::Rows => self.ask(),
            Next::Preparation => self.prepare(),
        }
    }

    fn next_set(&mut self) {
        let next = self.progress.next_set();
        // The report comes after it, since for that the token of a key is given back.
        if matches!(next, None | Some(Set::Restrictions))
            && let Some(after) = self.owing_after.take()
            && self.contents.sets.get(&Set::Patrons).is_some_and(|held| held.whole_as_of < held.as_of)
        {
            self.outputs.push_back(Output::Find(after));
            self.doing = Doing::Finding;
            return;
        }
        let Some(set) = next else { return self.finish(Ok(())) };
        match set {
            Set::Patrons => self.read_list::<Patron>(),
            Set::Items => self.read_list::<Item>(),
            Set::Loans => self.read_list::<Loan>(),
            Set::Holds => self.read_list::<Hold>(),
            // What was typed and is no number was said where it was typed.
            Set::Restrictions => match (self.records.restrictions_report(), &self.credentials) {
                (Err(_) | Ok(None), _) => {
                    self.contents.sets.remove(&set);
                    self.contents.gaps.remove(&set);
                    self.done(set);
                }
                // It comes last: nothing is asked for with the token after it.
                (Ok(Some(_)), RestCredentials::Token(_)) => self.log_in(Purpose::Report),
                (Ok(Some(number)), _) => {
                    let open = self.open(set, Point::start(None));
                    let rows = SetRows::new(Report::new(number, open.point), open.written);
                    self.read(Current { set, rows: Box::new(rows), desk_began: open.desk_began, round: None });
                }
            },
        }
    }

    fn read_list<R: Listed>(&mut self) {
        let is_kept = self.damaged != Some(R::SET) && !self.everything;
        // To changes belongs what the same account has seen before.
        let held = self.contents.sets.get(&R::SET).filter(|held| is_kept && held.asker.is_as(&self.asker));
        let start = Point::after::<R>(held, self.desk_time);
        let open = self.open(R::SET, start);
        let rows = SetRows::new(Reading::<R>::new(open.point), open.written);
        self.read(Current { set: R::SET, rows: Box::new(rows), desk_began: open.desk_began, round: None });
    }

    /// Asks for the patrons of a round.
    fn found(&mut self, Round { ids, up_to }: Round) {
        if self.is_stopping {
            return self.end(DownloadError::Stopped);
        }
        let Some(held) = self.contents.sets.get(&Set::Patrons).filter(|_| !ids.is_empty()) else {
            self.outputs.push_back(Output::Owing(up_to));
            return self.next_set();
        };
        let point = Point::start(Some(held.koha_as_of.unwrap_or_default()));
        let source = Owing::new(ids, held.has_extras, point);
        let rows = SetRows::new(source, Unfinished::new(self.contents.new_run()));
        let (rows, desk_began) = (Box::new(rows), self.desk_time);
        self.read(Current { set: Set::Patrons, rows, desk_began, round: Some(UpTo(up_to)) });
    }

    /// Where a set was broken off, or its start.
    fn open(&mut self, set: Set, start: Point) -> OpenSet {
        // Changes of what is not there any more are no set.
        let is_good = |open: &&OpenSet| !open.point.is_changes() || self.contents.sets.contains_key(&set);
        self.progress.open.get(&set).filter(is_good).cloned().unwrap_or_else(|| {
            let written = Unfinished::new(self.contents.new_run());
            OpenSet { point: start, written, desk_began: self.desk_time }
        })
    }

    fn read(&mut self, current: Current) {
        self.outputs.push_back(Output::Read(current.set, current.rows.rows(), None));
        self.current = Some(current);
        self.ask();
    }

    /// Asks for the next rows.
    fn ask(&mut self) {
        if self.is_stopping {
            return self.end(DownloadError::Stopped);
        }
        let Some(current) = &self.current else { return };
        let request = current.rows.request(&self.settings, &self.credentials);
        self.request(request, Doing::Asking);
    }

    fn answered(&mut self, answer: Result<Response, Failure>) {
        let Some(Current { set, rows, .. }) = &mut self.current else { return };
        let set = *set;
        match rows.handle(answer) {
            SetStep::Rows(left) => {
                self.outputs.push_back(Output::Read(set, rows.rows(), left));
                if rows.unwritten() >= WORTH_WRITING {
                    self.write_rows(Next::Rows);
                } else {
                    self.ask();
                }
            }
            SetStep::Done => {
                self.outputs.push_back(Output::Read(set, rows.rows(), Some(0)));
                self.write_rows(Next::Preparation);
            }
            SetStep::Again(time) => {
                if rows.point().is_start() && rows.rows() > 0 {
                    rows.restart(self.contents.new_run());
                }
                self.outputs.push_back(Output::Wait(time));
                self.doing = Doing::BackingOff;
            }
            SetStep::CredentialsEnded => self.log_in(Purpose::Renewal),
            SetStep::Failed(error) => match gap(error) {
                // It is no list: what is there of the patrons is as good as before.
                Ok(_) if self.current.as_ref().is_some_and(|current| current.round.is_some()) => self.done(set),
                Ok(gap) => self.leave_out(set, gap),
                Err(error) => self.end(DownloadError::Koha(error)),
            },
        }
    }

    /// A set cannot be read; the others can.
    fn leave_out(&mut self, set: Set, gap: Gap) {
        self.contents.gaps.insert(set, gap);
        self.done(set);
    }

    /// Makes the set ready that was read to its end and written.
    fn prepare(&mut self) {
        let Some(Current { set, rows, desk_began, .. }) = &self.current else { return };
        let (set, desk_began, is_changes) = (*set, *desk_began, rows.point().is_changes());
        let gone = rows.gone().to_vec();
        let Some(OpenSet { written, .. }) = self.progress.open.get(&set).cloned() else { return };
        let held = self.contents.sets.get(&set).filter(|_| is_changes).cloned();
        let changes_of = held.map(|held| (held, self.contents.new_run()));
        self.outputs.push_back(Output::Prepare(Preparation { set, written, changes_of, gone, desk_began }));
        self.doing = Doing::Preparing;
    }

    fn prepared(&mut self, held: &Held) {
        let Some(Current { set, rows, round, .. }) = &self.current else { return };
        let (set, point) = (*set, rows.point());
        let before = self.contents.sets.get(&set).filter(|_| point.is_changes());
        if let (Some(UpTo(up_to)), Some(before)) = (*round, before) {
            // Of all others it is not known since when it is as it is.
            let Held { run, blocks, rows, .. } = *held;
            self.contents.sets.insert(set, Held { run, blocks, rows, ..before.clone() });
            self.outputs.push_back(Output::Owing(up_to));
            return self.done(set);
        }
        let held = Held {
            koha_as_of: point.koha_began(),
            asker: self.asker.clone(),
            has_extras: point.has_extras || before.is_some_and(|before| before.has_extras),
            unreadable: point.unreadable,
            ..held.clone()
        };
        self.contents.sets.insert(set, held);
        self.contents.gaps.remove(&set);
        self.done(set);
    }

    /// Where what was written earlier is damaged, the set is read anew as a whole, once.
    fn not_prepared(&mut self, error: E, is_damaged: bool) {
        let set = self.current.take().map(|current| current.set).filter(|set| is_damaged && self.damaged != Some(*set));
        let Some(set) = set else { return self.finish(Err(DownloadError::Disk(error))) };
        self.damaged = Some(set);
        self.progress.open.remove(&set);
        self.progress.done.retain(|done| *done != set);
        self.next_set();
    }

    /// Nothing more is to be read of this set.
    fn done(&mut self, set: Set) {
        self.current = None;
        self.progress.open.remove(&set);
        ordered::put(&mut self.progress.done, set);
        self.write_contents();
    }
}

impl<E> DownloadError<E> {
    /// How a download ended that ended so. `None` where it counts for nothing: it begins anew with the settings that hold now, and
    /// whoever has saved them has seen to that.
    pub fn ended(&self) -> Option<Ended> {
        Some(match self {
            Self::Outdated => return None,
            Self::Stopped => Ended::Stopped,
            Self::KeyRefused
            | Self::Koha(
                ConnectionError::WrongCredentials | ConnectionError::TokenRefused | ConnectionError::NotReadable,
            ) => Ended::Refused,
            Self::Koha(_) => Ended::Failed,
            Self::Disk(_) => Ended::NotKept,
        })
    }
}

/// Whether waiting may help.
fn may_pass(error: &ConnectionError) -> bool {
    matches!(error, ConnectionError::NoAnswer(_) | ConnectionError::Maintenance | ConnectionError::ServerError { .. })
}

/// Why a set is left out; or why the download ends, where it is not about the set.
fn gap(error: ReadError) -> Result<Gap, ConnectionError> {
    match error {
        ReadError::Refused(permissions) => Ok(Gap::Refused(permissions)),
        ReadError::NotLetIn => Ok(Gap::Refused(String::new())),
        ReadError::Absent => Ok(Gap::Absent),
        ReadError::Strange(status @ (408 | 429 | 502..=504)) => Err(ConnectionError::ServerError { status }),
        ReadError::Strange(status) => Ok(Gap::Strange(status)),
        ReadError::SameRows => Ok(Gap::SameRows),
        ReadError::NotKoha(status) => Err(ConnectionError::NotKoha { status, front: super::front::Front::Other }),
        ReadError::Maintenance => Err(ConnectionError::Maintenance),
        ReadError::NoAnswer(failure) => Err(ConnectionError::NoAnswer(failure)),
    }
}

#[cfg(test)]
mod tests;
