//! A backup brought into a log that may hold some of it already.
//!
//! It goes on line by line and writes some entries at a time: wherever it is broken off, what was written stays, and the
//! same file brings the rest later and nothing twice.

use super::{Header, Line, Totals, adopted, merging::merged, read};
use crate::{
    desk::transaction::TransactionId,
    desks::import::knowledge::Knowledge,
    log::{
        Entry,
        audited::{Audited, Odd},
        commit::{Batch, Queued},
        fresh::Fresh,
        handled::Handled,
        rows::Raw,
    },
};
use std::collections::{HashMap, HashSet};

/// How many entries are compared and written at once.
const CHUNK: usize = if cfg!(test) { 3 } else { 2_000 };
/// The most lines that are read at once, where few of them are transactions that can be read.
const LINES_AT_ONCE: usize = if cfg!(test) { 4 } else { 8_000 };

/// A backup that is being brought into the log.
pub struct Adoption<'a> {
    /// Those after the first, with their numbers.
    lines: Box<dyn Iterator<Item = (usize, &'a [u8])> + 'a>,
    header: Header,
    knowledge: &'a mut Knowledge,
    /// What was read and is not written yet, with the numbers of the file; and the same to be looked up.
    waiting: Vec<Entry>,
    waiting_known: Knowledge,
    /// Of what waited: what the log has, by its place there, and what is new to it.
    known: HashMap<TransactionId, Entry>,
    new: Vec<Entry>,
    /// The same transaction as one that waits: it must find that one in the log.
    held: Option<Entry>,
    /// The numbers that transactions have in the file, and in the log.
    numbers: HashMap<TransactionId, TransactionId>,
    /// Of those that are being added, the numbers in the file.
    adding: Vec<TransactionId>,
    batches: Vec<Batch>,
    cleared: Vec<String>,
    /// What this version cannot read either, and the numbers of their lines.
    raw: Vec<Raw>,
    raw_lines: Vec<usize>,
    counted: Totals,
    stated: Option<Totals>,
    outcome: Adopted,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adopted {
    /// The number of transactions that were added to the log.
    pub imported: usize,
    /// The number of those that the log had already.
    pub already_there: u32,
    /// The numbers of the lines that could not be read, counted from 1.
    pub refused: Vec<usize>,
    /// Whether the file does not hold what it should: it was cut, or lines of it were lost.
    pub is_cut: bool,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdoptionStep {
    /// Put these rows where they were, unless they are there already; [`Input::Kept`] is the answer.
    Keep(Vec<Raw>),
    /// Read these entries of the log; [`Input::Here`] is the answer.
    Read(Vec<TransactionId>),
    /// Make of these entries of the log, as they are then, what [`merged`] makes of them with what the file has under each number,
    /// and add those to the log; [`Input::Written`] is the answer.
    Write(HashMap<TransactionId, Entry>, Vec<Entry>),
    /// Remember these commits, unless the log remembers them already, and these keys of cleared transactions;
    /// [`Input::Remembered`] is the answer.
    Remember(Vec<Batch>, Vec<String>),
    /// Nothing but to let others go on; [`Input::Rested`] is the answer.
    Rest,
    /// Nothing any more.
    Finish,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// It is durable: what became of each.
    Kept(Vec<Kept>),
    /// The entries that were to be read, as far as they are there.
    Here(Vec<Entry>),
    /// It is durable. These were added, in the same order, and have the numbers that the log gave them.
    Written(Vec<Entry>),
    /// It is durable.
    Remembered,
    /// Others went on.
    Rested,
}

/// What became of a row that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is there now.
    Put,
    /// It was there already.
    There,
    /// It is none that can be stored.
    Refused,
}

impl<'a> Adoption<'a> {
    /// Begins with the file of this header. `knowledge` is what the log holds; it follows what is added.
    pub fn start(bytes: &'a [u8], header: Header, knowledge: &'a mut Knowledge) -> (Self, AdoptionStep) {
        let lines = (1..).zip(bytes.split(|byte| *byte == b'\n')).skip(1);
        let mut adoption = Self {
            lines: Box::new(lines.filter(|(_, line)| !line.trim_ascii().is_empty())),
            header,
            waiting_known: Knowledge::new(knowledge.own().clone()),
            knowledge,
            waiting: Vec::new(),
            known: HashMap::new(),
            new: Vec::new(),
            held: None,
            numbers: HashMap::new(),
            adding: Vec::new(),
            batches: Vec::new(),
            cleared: Vec::new(),
            raw: Vec::new(),
            raw_lines: Vec::new(),
            counted: Totals::default(),
            stated: None,
            outcome: Adopted::default(),
        };
        let step = adoption.go_on();
        (adoption, step)
    }

    /// Goes on from what was done.
    pub fn handle(&mut self, input: Input) -> AdoptionStep {
        match input {
            Input::Kept(kept) => {
                for (line, kept) in std::mem::take(&mut self.raw_lines).into_iter().zip(kept) {
                    match kept {
                        Kept::Put => self.outcome.imported += 1,
                        Kept::There => self.outcome.already_there += 1,
                        Kept::Refused => self.outcome.refused.push(line),
                    }
                }
                // Nothing but such rows may have been read.
                if self.waiting.is_empty() { self.go_on() } else { self.compare() }
            }
            Input::Here(entries) => self.write(&entries),
            Input::Written(added) => {
                self.outcome.imported += added.len();
                for (number, entry) in std::mem::take(&mut self.adding).into_iter().zip(&added) {
                    self.numbers.insert(number, entry.id);
                    self.knowledge.take(entry);
                }
                self.go_on()
            }
            Input::Rested => self.go_on(),
            Input::Remembered => {
                self.outcome.is_cut = self.stated != Some(self.counted);
                AdoptionStep::Finish
            }
        }
    }

    /// What has come of it so far.
    pub fn into_outcome(self) -> Adopted {
        self.outcome
    }

    fn go_on(&mut self) -> AdoptionStep {
        let is_read = self.read_lines();
        if !self.raw.is_empty() {
            AdoptionStep::Keep(std::mem::take(&mut self.raw))
        } else if self.waiting.is_empty() && !is_read {
            AdoptionStep::Rest
        } else {
            self.compare()
        }
    }

    /// Looks for what was read in the log.
    fn compare(&mut self) -> AdoptionStep {
        if self.waiting.is_empty() {
            let batches = std::mem::take(&mut self.batches).into_iter().map(|batch| self.renumbered(batch)).collect();
            return AdoptionStep::Remember(batches, std::mem::take(&mut self.cleared));
        }
        self.waiting_known = Knowledge::new(self.knowledge.own().clone());
        for entry in std::mem::take(&mut self.waiting) {
            if let Some(place) = self.knowledge.place(&entry) {
                self.numbers.insert(entry.id, place);
                self.outcome.already_there += 1;
                self.known.insert(place, entry);
            } else {
                self.new.push(entry);
            }
        }
        if self.known.is_empty() {
            return self.write(&[]);
        }
        AdoptionStep::Read(TransactionId::in_order(self.known.keys().copied()))
    }

    /// What is new is added, and what is known is merged.
    fn write(&mut self, here: &[Entry]) -> AdoptionStep {
        let mut known = std::mem::take(&mut self.known);
        let differs =
            |here: &Entry| Some(here.id).filter(|id| known.get(id).is_some_and(|it| merged(here, it).is_some()));
        let others: HashSet<_> = here.iter().filter_map(differs).collect();
        known.retain(|id, _| others.contains(id));
        let new = std::mem::take(&mut self.new);
        if known.is_empty() && new.is_empty() {
            return self.go_on();
        }
        self.adding = new.iter().map(|entry| entry.id).collect();
        AdoptionStep::Write(known, new)
    }

    /// Reads until enough waits, or for long enough, or to the end. Returns whether that is reached.
    fn read_lines(&mut self) -> bool {
        let mut lines = 0;
        if let Some(held) = self.held.take() {
            self.wait(held);
        }
        while self.waiting.len() + self.raw.len() < CHUNK && self.held.is_none() && lines < LINES_AT_ONCE {
            let Some((number, line)) = self.lines.next() else { return true };
            lines += 1;
            let Some(line) = std::str::from_utf8(line).ok().and_then(|line| read(line).ok()) else {
                self.outcome.refused.push(number);
                continue;
            };
            self.counted.count(&line);
            match line {
                Line::Transaction(entry) => self.wait(adopted(*entry, &self.header, self.knowledge.own())),
                Line::Commit(batch) => self.batches.push(*batch),
                Line::Cleared(key) => self.cleared.push(key),
                // This version may read what the one that wrote it could not.
                Line::Raw(raw) => match (raw.entry(), raw.batch()) {
                    (Some(entry), _) => self.wait(adopted(entry, &self.header, self.knowledge.own())),
                    (_, Some(batch)) => self.batches.push(batch),
                    _ => {
                        self.raw.push(raw);
                        self.raw_lines.push(number);
                    }
                },
                Line::End(stated) => self.stated = Some(stated),
            }
        }
        false
    }

    fn wait(&mut self, entry: Entry) {
        if self.waiting_known.place(&entry).is_some() {
            self.held = Some(entry);
        } else {
            self.waiting_known.take(&entry);
            self.waiting.push(entry);
        }
    }

    /// With the numbers of the log. What had been cleared before the backup was written has none.
    fn renumbered(&self, batch: Batch) -> Batch {
        let number = |id: TransactionId| self.numbers.get(&id).copied();
        let transactions = batch.transactions.iter().filter_map(|id| number(*id)).collect();
        let audit = batch.audit.map(|audit| {
            let odd = audit.odd.into_iter().filter_map(|odd| Some(Odd { id: number(odd.id)?, ..odd })).collect();
            let fresh = audit.fresh.into_iter();
            let fresh = fresh.filter_map(|fresh| Some(Fresh { id: number(fresh.id)?, ..fresh })).collect();
            Audited { odd, fresh, ..audit }
        });
        let queued =
            batch.queued.iter().filter_map(|queued| Some(Queued { id: number(queued.id)?, ..*queued })).collect();
        let handled = batch
            .handled
            .map(|rows| rows.into_iter().map(|row| Handled { own: row.own.and_then(number), ..row }).collect());
        Batch { transactions, audit, queued, handled, ..batch }
    }
}

#[cfg(test)]
mod tests;
