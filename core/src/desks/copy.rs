//! The second copy: what the log holds, in files outside the profile, so that a profile that is lost loses no more than a minute.
//!
//! A *set* of files holds the log: one with all of it, and parts, each with what was recorded or changed since the one before. Now and
//! then a new set is begun with the whole log, and the files of the old one are emptied and removed: what was cleared stays in none.
//! A set has a name that was drawn, so nobody writes into what another profile has left.
//!
//! A profile may be set back to an image, or be there twice, and nothing in it tells so: all that it stores was set back with it. But
//! Firefox tells whether the name of a file is taken. So no file is written over one that is there, and a set is *closed* before
//! anything replaces it: a file that holds nothing is written under the name of the next part. Where that name is free, nobody has
//! gone on with the set, and what is in it is in this log; and whoever wants to go on with it later finds the name taken. Where it is
//! taken, somebody else did go on, and the set is left alone for ever.
//!
//! [`Copier`] says what is to be written and when. It is polled for the next [`CopyStep`], which is done and answered by an [`Input`]; what
//! it must know after an end in the middle is [`Kept`], durable before a file that depends on it is begun. One copier runs at a time.

use crate::{
    desk::{clock::DeskTime, name::DeskName, transaction::TransactionId},
    desks::backup::part::{Part, SetId},
    log::{event::LogEvent, status::State},
};
use kept::{Current, FileSet, Kept, Problem};
use std::{collections::BTreeSet, time::Duration};

pub mod alarm;
pub mod handover;
pub mod kept;
pub mod together;

/// From this number of new rows on a part is written at once.
const ROWS: usize = 25;
/// How long after the first that is not copied it is written: what it takes to do so is within the minute too.
const SOON: Duration = Duration::from_secs(45);
/// From this number of parts on the next is a new set.
const PARTS: u32 = 60;
/// Of a commit that sends nothing for this time it is not known that it runs still.
const COMMIT_PAUSE: Duration = Duration::from_mins(1);
/// How many rows a part may hold. Of more, the whole log is written.
const MOST_ROWS: usize = 2_000;
/// How many are read, to see whether there are more than a part may hold.
pub const ROWS_READ: u32 = 2_001;
/// Where a copy cannot be begun, it is tried again after this time.
pub const BEGUN_ANEW_AFTER: Duration = Duration::from_mins(3);
/// How long is waited after a failure, and the next ones.
const AGAIN: [Duration; 4] =
    [Duration::from_secs(15), Duration::from_secs(30), Duration::from_mins(1), Duration::from_mins(3)];
/// See [`looks_again_after`]: nearly all are there at once, and a disk of a network may take two minutes.
const LOOKS: [Duration; 4] =
    [Duration::from_millis(10), Duration::from_millis(30), Duration::from_millis(100), Duration::from_millis(500)];
const MOST_LOOKS: usize = 240;
/// The number of files that stay and only say that a set was closed. More starts of Firefox than these between two images are not noticed.
const MARKS: usize = 4;

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyStep {
    /// Nothing, until this time has passed or something happens.
    Rest(Option<Duration>),
    /// Keep this, durably: [`Input::Kept`].
    Keep(Kept),
    /// Write this file, where its name is free, or what has the name was written by this very Firefox since it was started:
    /// [`Input::Written`], [`Input::TooMany`], [`Input::Taken`]. One that closes a set is written over none: [`Input::Known`].
    Write(File),
    /// Write this file, which holds nothing, over the one that has its name, which may not be there, and then remove it: so nothing is
    /// left of that one where files cannot be removed. [`Input::Removed`].
    Remove(File),
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, with its folder.
    pub name: String,
    /// The desk whose log it is.
    pub desk: DeskName,
    /// Where it belongs.
    pub part: Part,
    /// What it holds.
    pub rows: Rows,
}

impl File {
    /// The end of its name, which no other file has: before it, Firefox may write what a desk is called in its own way.
    pub fn ending(&self) -> &str {
        let id = self.part.of.to_string();
        self.name.rfind(&id).and_then(|place| self.name.get(place..)).unwrap_or(&self.name)
    }
}

/// What a page that ends leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// What [`Copier::begin`] is told of this run.
    pub is_settled: bool,
    /// Whether the event page is to be woken: something is not copied, or not removed.
    pub has_more: bool,
}

/// Whether this is more than a part may hold: [`Input::TooMany`].
pub fn is_too_much(rows: usize) -> bool {
    rows > MOST_ROWS
}

/// After how long it is looked again whether a file is there that is being written; `None` where it is given up. `looks` tells how
/// often it was looked already.
pub fn looks_again_after(looks: usize) -> Option<Duration> {
    let wait = LOOKS.get(looks).or(LOOKS.last())?;
    (looks < MOST_LOOKS).then_some(*wait)
}

/// What a file holds of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    /// All that a backup holds.
    All,
    /// Nothing.
    None,
    /// The rows after a number, and these as far as they are there still; together not [too many](is_too_much).
    Some {
        /// The number.
        after: TransactionId,
        /// The others.
        changed: Vec<TransactionId>,
    },
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// It is kept.
    Kept,
    /// The file is there. The highest number in it, or 0.
    Written(TransactionId),
    /// There are more rows than a part may hold.
    TooMany,
    /// Somebody else's file has its name, and is as it was.
    Taken,
    /// The file that was to close a set is not written: this very Firefox has written one of its name, and nobody has kept that.
    Known,
    /// Nothing is left of it.
    Removed,
    /// It did not work.
    Failed(Problem),
}

/// Something that is due some time after it came up, and at once where the clock was set back.
#[derive(Debug, Clone, Copy)]
struct Due {
    since: DeskTime,
    wait: Duration,
}

impl Due {
    fn left(self, now: DeskTime) -> Duration {
        let end = self.since.plus(self.wait);
        if now < self.since { Duration::ZERO } else { end.since(now).to_std().unwrap_or_default() }
    }

    fn is_over(self, now: DeskTime) -> bool {
        self.left(now).is_zero()
    }
}

/// How often something has failed, and when it may be tried again.
#[derive(Debug, Clone, Copy, Default)]
struct Tries {
    failures: usize,
    again: Option<Due>,
}

impl Tries {
    /// `before` is the number of failures that were before all of these.
    fn failed(&mut self, before: usize, now: DeskTime) {
        let wait = AGAIN[(before + self.failures).min(AGAIN.len() - 1)];
        *self = Self { failures: self.failures + 1, again: Some(Due { since: now, wait }) };
    }

    fn left(self, now: DeskTime) -> Duration {
        self.again.map_or(Duration::ZERO, |again| again.left(now))
    }

    fn may(self, now: DeskTime) -> bool {
        self.left(now).is_zero()
    }
}

/// What is to be written next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Planned {
    Whole,
    Part,
}

/// What was given out and is not answered yet.
#[derive(Debug, Clone)]
enum Doing {
    Keeping(Box<Kept>),
    Writing(Planned, DeskTime),
    /// What replaces the set is written next.
    Closing(SetId),
    Removing,
}

/// Says what is to be written of the second copy, and when.
#[derive(Debug)]
pub struct Copier {
    kept: Kept,
    /// As it was kept last.
    stored: Kept,
    /// Which run of Firefox this is.
    run: String,
    /// The run in which the one before ended in good order.
    settled: Option<String>,
    desk: DeskName,
    /// Rows that were copied and have changed since.
    changed: BTreeSet<TransactionId>,
    /// The number of rows that were not copied yet.
    new: usize,
    /// When one of either must be written.
    rows_due: Option<Due>,
    /// When the whole log must be.
    whole_due: Option<Due>,
    planned: Option<Planned>,
    doing: Option<Doing>,
    /// What has changed while a file is being written: it may hold it as it was before.
    meanwhile: BTreeSet<TransactionId>,
    /// The next file to be removed of the first set that is old.
    to_remove: u32,
    /// When a row was being sent last.
    sending: Option<DeskTime>,
    /// Whether a commit has begun since the last file was, and whether that one tells of one.
    announces: bool,
    announcing: bool,
    /// How often it counts as failed before: who goes on where another has failed does not begin with short waits again.
    failures_before: usize,
    keeping: Tries,
    writing: Tries,
    removing: Tries,
}

/// A file of a set that holds nothing.
fn empty(set: &FileSet, number: u32, closes: bool) -> File {
    let part = Part { of: set.id.clone(), number, replaces: Vec::new(), closes };
    File { name: set.name(number), desk: set.desk.clone(), part, rows: Rows::None }
}

impl Copier {
    /// Begins with what was kept, in this run of Firefox, at this desk, whose log ends with this number; 0 where it is empty.
    /// `settled` is the run in which the one before ended in good order and [`Copier::is_settled`]; `None` where it did not.
    pub fn begin(
        kept: Kept,
        settled: Option<String>,
        run: &str,
        desk: DeskName,
        last: TransactionId,
        now: DeskTime,
    ) -> Self {
        let failures_before = if kept.problem.is_some() { AGAIN.len() } else { 0 };
        let mut copier = Self {
            stored: kept.clone(),
            kept,
            run: run.to_owned(),
            settled,
            desk,
            changed: BTreeSet::new(),
            new: 0,
            rows_due: None,
            whole_due: None,
            planned: None,
            doing: None,
            meanwhile: BTreeSet::new(),
            to_remove: 0,
            sending: None,
            announces: false,
            announcing: false,
            failures_before,
            keeping: Tries::default(),
            writing: Tries::default(),
            removing: Tries::default(),
        };
        // It may be there, wholly or in part. One of this run is written again under its name; with another the profile may have been
        // set back meanwhile, and what has that name now may hold what is lost here: it is left alone.
        copier.kept.begun.take_if(|set| set.run != run);
        let is_settled = copier.settled.as_deref() == Some(run);
        let at_once = Some(Due { since: now, wait: Duration::ZERO });
        match &copier.kept.current {
            None if last.0 > 0 => copier.whole_due = at_once,
            // Who wrote last did not live to say that all was copied; or a day has begun.
            Some(current) if !is_settled || copier.is_outdated(current, now) => copier.whole_due = at_once,
            Some(current) if last > current.last => {
                copier.new = 1;
                copier.rows_due = at_once;
            }
            // Of an empty log there is no copy that could fail.
            None => copier.kept.problem = None,
            // Nothing is to be copied.
            Some(_) => {}
        }
        copier
    }

    /// What is known of the copy.
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Whether every change of what was copied is copied too, and that is kept: else whoever goes on writes over the part that holds it.
    /// New rows are known by their numbers: whoever goes on finds them.
    pub fn is_settled(&self) -> bool {
        self.changed.is_empty() && self.whole_due.is_none() && self.planned.is_none() && self.kept == self.stored
    }

    /// What a page must leave behind that ends now, in good order. `is_changing` is whether the log is just being changed, of which
    /// nothing is known here yet.
    pub fn leave(&self, is_changing: bool) -> Left {
        let is_settled = self.is_settled() && !is_changing;
        Left { is_settled, has_more: !is_settled || self.is_behind() || self.old().is_some() }
    }

    /// Firefox lets files be written now: what failed is tried again at once.
    pub fn permitted(&mut self) {
        self.writing = Tries::default();
        self.removing = Tries::default();
        self.failures_before = 0;
    }

    /// Whether something is not copied yet.
    pub fn is_behind(&self) -> bool {
        self.rows_due.is_some() || self.whole_due.is_some() || self.planned.is_some()
    }

    /// This was done to the log.
    pub fn follow(&mut self, event: &LogEvent, now: DeskTime) {
        match event {
            LogEvent::Recorded(_) | LogEvent::Changed(_) => {
                self.changed(event.entries().iter().map(|entry| entry.id), now);
                if event.entries().iter().any(|entry| entry.status.state() == State::Sending) {
                    self.sends(now);
                }
            }
            LogEvent::Committed | LogEvent::Reload(_) => self.changed_at_large(now),
        }
    }

    /// A commit sends something. That one is running must stand in the copy at once: whoever brings back what waited as it began
    /// would send it again.
    fn sends(&mut self, now: DeskTime) {
        let pause = self.sending.replace(now).map(|last| now.since(last).to_std());
        if !pause.is_some_and(|pause| pause.is_ok_and(|pause| pause < COMMIT_PAUSE)) {
            self.announces = true;
            self.rows_due = Some(Due { since: now, wait: Duration::ZERO });
        }
    }

    /// These were recorded or have changed.
    pub fn changed(&mut self, ids: impl IntoIterator<Item = TransactionId>, now: DeskTime) {
        if matches!(self.doing, Some(Doing::Writing(..))) {
            self.meanwhile.extend(ids);
        } else {
            self.sort_in(ids, now);
        }
    }

    fn sort_in(&mut self, ids: impl IntoIterator<Item = TransactionId>, now: DeskTime) {
        let last = self.kept.current.as_ref().map(|current| current.last);
        for id in ids {
            self.rows_due.get_or_insert(Due { since: now, wait: SOON });
            if last.is_some_and(|last| id <= last) {
                self.changed.insert(id);
            } else {
                self.new += 1;
            }
        }
    }

    /// More has changed than is told here: the log is written anew at once. Rows may be gone, which are to be in no file any more; or
    /// Koha has got some, which whoever brings the log back as it was before would send again.
    pub fn changed_at_large(&mut self, now: DeskTime) {
        self.sending = None;
        self.whole_due = Some(Due { since: now, wait: Duration::ZERO });
    }

    /// The desk has this name.
    pub fn named(&mut self, desk: DeskName, now: DeskTime) {
        if self.desk != desk {
            self.desk = desk;
            if self.kept.current.is_some() {
                self.whole_due.get_or_insert(Due { since: now, wait: SOON });
            }
        }
    }

    fn is_outdated(&self, current: &Current, now: DeskTime) -> bool {
        current.day != now.day() || current.files.run != self.run || current.files.desk != self.desk
    }

    /// What is to be done next. `random` is a random number.
    pub fn poll(&mut self, now: DeskTime, random: u64) -> CopyStep {
        if self.kept != self.stored && self.keeping.may(now) {
            self.doing = Some(Doing::Keeping(Box::new(self.kept.clone())));
            return CopyStep::Keep(self.kept.clone());
        }
        if self.planned.is_none() && self.keeping.may(now) {
            self.planned = self.due(now);
            if self.planned.is_some() {
                self.plan(random);
                return self.poll(now, random);
            }
        }
        if let Some(planned) = self.planned.filter(|_| self.kept == self.stored && self.writing.may(now)) {
            return self.write(planned, now);
        }
        if self.may_remove(now) {
            let old = self.old().map(|set| empty(set, self.to_remove, self.to_remove > set.parts));
            let mark = || Some(self.old_mark()?).map(|set| empty(set, set.parts.saturating_add(1), true));
            if let Some(file) = old.or_else(mark) {
                self.doing = Some(Doing::Removing);
                return CopyStep::Remove(file);
            }
        }
        CopyStep::Rest(self.left(now))
    }

    /// What is to be removed next.
    fn old(&self) -> Option<&FileSet> {
        // Those of earlier versions are not closed: that is done before the next whole log is written.
        self.kept.old.first().filter(|set| set.is_closed)
    }

    /// What is old goes once what replaces it is there.
    fn may_remove(&self, now: DeskTime) -> bool {
        self.planned.is_none() && self.kept == self.stored && self.kept.current.is_some() && self.removing.may(now)
    }

    fn due(&self, now: DeskTime) -> Option<Planned> {
        if self.whole_due.is_some_and(|due| due.is_over(now)) {
            return Some(Planned::Whole);
        }
        let due = self.rows_due?;
        if self.new < ROWS && !due.is_over(now) {
            return None;
        }
        let goes_on = |current: &Current| {
            current.files.parts < PARTS && !current.files.is_closed && !self.is_outdated(current, now)
        };
        let has_part = self.kept.current.as_ref().is_some_and(goes_on);
        Some(if has_part { Planned::Part } else { Planned::Whole })
    }

    /// Before a set is begun it is kept that its first file may be there.
    fn plan(&mut self, random: u64) {
        if self.planned == Some(Planned::Whole) && self.kept.begun.as_ref().is_none_or(|set| set.desk != self.desk) {
            // One that was begun under another name of the desk may be there.
            let before = self.kept.begun.take();
            self.kept.old.extend(before);
            let (desk, run) = (self.desk.clone(), self.run.clone());
            self.kept.begun = Some(FileSet { id: SetId::drawn(random), desk, run, parts: 0, is_closed: false });
        }
    }

    /// The mark that is to be removed next.
    fn old_mark(&self) -> Option<&FileSet> {
        self.kept.marks.first().filter(|_| self.kept.marks.len() > MARKS)
    }

    /// The first set that is to be replaced and not closed yet.
    fn unclosed(&mut self) -> Option<&mut FileSet> {
        let current = self.kept.current.iter_mut().map(|current| &mut current.files);
        current.chain(&mut self.kept.old).find(|set| !set.is_closed)
    }

    fn write(&mut self, planned: Planned, now: DeskTime) -> CopyStep {
        if planned == Planned::Whole
            && let Some(set) = self.unclosed()
        {
            let (id, file) = (set.id.clone(), empty(set, set.parts.saturating_add(1), true));
            self.doing = Some(Doing::Closing(id));
            return CopyStep::Write(file);
        }
        let file = match (planned, &self.kept.begun, &self.kept.current) {
            (Planned::Whole, Some(set), current) => {
                let before = current.iter().map(|current| &current.files).chain(&self.kept.old);
                let replaces = before.map(|set| set.id.clone()).collect();
                let part = Part { of: set.id.clone(), number: 0, replaces, closes: false };
                File { name: set.name(0), desk: set.desk.clone(), part, rows: Rows::All }
            }
            (Planned::Part, _, Some(Current { files: set, last, .. })) => {
                let number = set.parts.saturating_add(1);
                let part = Part { of: set.id.clone(), number, replaces: Vec::new(), closes: false };
                let rows = Rows::Some { after: *last, changed: self.changed.iter().copied().collect() };
                File { name: set.name(number), desk: set.desk.clone(), part, rows }
            }
            // Planned without what it needs: it is planned anew.
            _ => {
                self.planned = None;
                self.whole_due = Some(Due { since: now, wait: SOON });
                return CopyStep::Rest(Some(SOON));
            }
        };
        self.doing = Some(Doing::Writing(planned, now));
        self.announcing = std::mem::take(&mut self.announces);
        self.meanwhile.clear();
        if planned == Planned::Whole {
            self.whole_due = None;
        }
        CopyStep::Write(file)
    }

    /// Goes on from what was done.
    pub fn handle(&mut self, input: Input, now: DeskTime) {
        match (self.doing.take(), input) {
            (Some(Doing::Keeping(kept)), Input::Kept) => {
                self.stored = *kept;
                if std::mem::take(&mut self.keeping).failures > 0 && self.kept.problem == Some(Problem::NotRead) {
                    self.kept.problem = None;
                }
            }
            (Some(Doing::Keeping(_)), Input::Failed(problem)) => {
                self.keeping.failed(self.failures_before, now);
                self.kept.problem = Some(problem);
            }
            (Some(Doing::Writing(planned, began)), Input::Written(last)) => self.written(planned, last, began, now),
            (Some(Doing::Writing(planned, _)), Input::TooMany | Input::Taken) => {
                self.announces |= self.announcing;
                self.planned = None;
                self.whole_due = Some(Due { since: now, wait: Duration::ZERO });
                if input == Input::Taken {
                    match planned {
                        // The next one has another name.
                        Planned::Whole => {
                            self.kept.begun = None;
                            self.writing.failed(self.failures_before, now);
                        }
                        Planned::Part => self.leave_current(now),
                    }
                }
                let meanwhile = std::mem::take(&mut self.meanwhile);
                self.sort_in(meanwhile, now);
            }
            (Some(Doing::Closing(id)), Input::Written(_)) => {
                if let Some(set) = self.unclosed().filter(|set| set.id == id) {
                    set.is_closed = true;
                }
                self.writing = Tries::default();
            }
            // It was a part, most likely.
            (Some(Doing::Closing(id)), Input::Known) => {
                if let Some(set) = self.unclosed().filter(|set| set.id == id) {
                    set.parts = set.parts.saturating_add(1);
                }
            }
            (Some(Doing::Closing(id)), Input::Taken) => {
                if self.kept.current.as_ref().is_some_and(|current| current.files.id == id) {
                    self.leave_current(now);
                } else {
                    self.kept.old.retain(|set| set.id != id);
                }
            }
            (Some(Doing::Closing(_)), Input::Failed(problem)) => {
                self.writing.failed(self.failures_before, now);
                self.kept.problem = Some(problem);
            }
            (Some(Doing::Writing(..)), Input::Failed(problem)) => {
                self.announces |= self.announcing;
                self.writing.failed(self.failures_before, now);
                self.kept.problem = Some(problem);
                let meanwhile = std::mem::take(&mut self.meanwhile);
                self.sort_in(meanwhile, now);
            }
            (Some(Doing::Removing), Input::Removed) => self.removed(),
            (Some(Doing::Removing), Input::Failed(problem)) => {
                self.removing.failed(self.failures_before, now);
                self.kept.problem = Some(problem);
                // One that cannot be removed leaves no other one full.
                if !self.kept.old.is_empty() {
                    self.kept.old.rotate_left(1);
                }
                self.to_remove = 0;
            }
            // Whoever answers what was not asked is not followed.
            (doing, _) => self.doing = doing,
        }
    }

    fn written(&mut self, planned: Planned, last: TransactionId, began: DeskTime, now: DeskTime) {
        self.planned = None;
        match planned {
            Planned::Whole => {
                if let Some(files) = self.kept.begun.take() {
                    let current = Current { files, last, day: began.day() };
                    self.kept.old.extend(self.kept.current.replace(current).map(|before| before.files));
                }
            }
            Planned::Part => {
                if let Some(current) = &mut self.kept.current {
                    current.files.parts = current.files.parts.saturating_add(1);
                    current.last = last.max(current.last);
                }
            }
        }
        self.changed.clear();
        self.new = 0;
        self.rows_due = None;
        let meanwhile = std::mem::take(&mut self.meanwhile);
        self.sort_in(meanwhile, now);
        if self.announces {
            self.rows_due = Some(Due { since: now, wait: Duration::ZERO });
        }
        self.kept.copied = Some(began);
        self.kept.problem = None;
        self.writing = Tries::default();
        self.failures_before = 0;
    }

    /// Somebody else has gone on with the set that holds the log: it is theirs now. The whole log is written anew.
    fn leave_current(&mut self, now: DeskTime) {
        let Some(Current { files, .. }) = self.kept.current.take() else { return };
        // Where Firefox was killed while a part was written, it may be that one.
        if files.run == self.run || self.settled.as_ref() == Some(&files.run) {
            self.kept.others = Some(now);
        }
    }

    fn removed(&mut self) {
        self.removing = Tries::default();
        let Some(set) = self.old() else {
            if self.old_mark().is_some() {
                self.kept.marks.remove(0);
                self.forgive();
            }
            return;
        };
        // Those that an image of this profile may end with.
        let is_mark = set.run != self.run;
        let last = set.parts.saturating_add(u32::from(!is_mark));
        self.to_remove += 1;
        if self.to_remove > last {
            let set = self.kept.old.remove(0);
            self.kept.marks.extend(Some(set).filter(|_| is_mark));
            self.to_remove = 0;
            self.forgive();
        }
    }

    /// Something is removed: a failure before was of this.
    fn forgive(&mut self) {
        self.kept.problem = self.kept.problem.filter(|_| self.writing.failures > 0);
    }

    /// How long nothing is to be done.
    fn left(&self, now: DeskTime) -> Option<Duration> {
        let keeping = (self.kept != self.stored).then(|| self.keeping.left(now));
        let writing = self.planned.map(|_| self.writing.left(now));
        let due =
            [self.whole_due, self.rows_due].into_iter().flatten().map(|due| due.left(now).max(self.keeping.left(now)));
        let due = due.min().filter(|_| self.planned.is_none());
        let removes = self.kept.current.is_some() && (self.old().is_some() || self.old_mark().is_some());
        let removing = removes.then(|| self.removing.left(now));
        // What waits for something else of these is no reason to look again at once.
        let left = match (keeping, writing, due) {
            (Some(keeping), ..) => Some(keeping),
            (None, Some(writing), _) => Some(writing),
            (None, None, due) => [due, removing].into_iter().flatten().min(),
        };
        left.map(|left| left.max(Duration::from_millis(100)))
    }
}

#[cfg(test)]
mod tests;
