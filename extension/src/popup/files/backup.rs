//! The whole log as a file, and such a file brought into this log.

use super::{
    export,
    import::{Knowledge, Outcome},
};
use crate::{
    clock, dom,
    http::sleep,
    i18n::{plural, text, text_with},
    popup::{
        Desk, Tone, Topic,
        window::question::{self, Question, Reply},
    },
    preferences,
    store::StoreError,
    wording,
};
use koct_core::{
    DeskName, Entry, Moment, Status, TransactionId,
    desks::backup::{self, BackupError, Header, Line, Totals},
    log::commit::Batch,
};
use std::{collections::HashMap, rc::Rc, time::Duration};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event};

/// So many entries are read or written at once.
const CHUNK: u32 = 2_000;

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let desk = desk.clone();
    dom::on::<Event>(dom::by_id::<Element>("backup")?.as_ref(), "click", move |_| {
        let desk = desk.clone();
        spawn_local(async move {
            match desk.write_backup().await {
                Ok((name, number)) => {
                    desk.message.about(Topic::Backup).show(Tone::Good, &plural("backupDone", number, &[&name]));
                }
                Err(error) => desk.message.about(Topic::Backup).show(Tone::Bad, &text_with("backupFailed", &[&error])),
            }
        });
    });
    Ok(())
}

/// Whether a file looks like a backup: a .koc file never begins so.
pub(crate) fn is_one(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    bytes.first() == Some(&b'{')
}

/// What a backup says about itself, or why it cannot be used.
///
/// # Errors
/// The words to show.
pub(crate) fn about(bytes: &[u8]) -> Result<String, String> {
    let header = header(bytes)?;
    Ok(text_with("importBackupAbout", &[header.desk.as_str(), &wording::moment(header.written)]))
}

fn header(bytes: &[u8]) -> Result<Header, String> {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Header::read(&String::from_utf8_lossy(first)).map_err(|error| match error {
        BackupError::TooNew(_) => text("backupTooNew"),
        BackupError::NotABackup | BackupError::Line(_) => text("importNotKoc"),
    })
}

impl Desk {
    /// Downloads the whole log. Returns the file's name and how many transactions it holds.
    async fn write_backup(&self) -> Result<(String, u32), String> {
        let now = clock::now().ok_or_else(|| text("attentionClock"))?;
        let desk = self.preferences.borrow().desk_name();
        let name = backup::file_name(&desk, now);
        let (parts, totals) = self.backup(desk, now).await.map_err(|error| error.to_string())?;
        export::download(&name, &parts).map_err(|error| format!("{error:?}"))?;
        Ok((name, totals.transactions))
    }

    async fn backup(&self, desk: DeskName, now: Moment) -> Result<(Vec<String>, Totals), StoreError> {
        let mut parts = vec![backup::write(&Header::new(desk, now))];
        let mut totals = Totals::default();
        let mut add = |lines: Vec<Line>| {
            for line in &lines {
                totals.count(line);
            }
            parts.push(lines.iter().map(backup::write).collect());
        };
        let mut last = TransactionId(0);
        loop {
            let entries = self.store.after(last, CHUNK).await?;
            let Some(newest) = entries.last() else { break };
            last = newest.id;
            add(entries.into_iter().map(|entry| Line::Transaction(Box::new(entry))).collect());
            sleep(Duration::ZERO).await;
        }
        let mut batches = self.store.batches().await?;
        batches.reverse();
        add(batches.into_iter().map(Line::Commit).collect());
        add(self.store.cleared().await?.into_iter().map(Line::Cleared).collect());
        parts.push(backup::write(&Line::End(totals)));
        Ok((parts, totals))
    }

    /// Brings a backup into the log.
    pub(crate) async fn import_backup(&self, bytes: &[u8], knowledge: &mut Knowledge) -> Outcome {
        let header = match header(bytes) {
            Ok(header) => header,
            Err(reason) => return Outcome::failed(reason),
        };
        if knowledge.is_empty() && header.desk != *knowledge.own() && adopts_name(&header.desk).await {
            if let Err(error) = preferences::save_desk_name(header.desk.as_str()).await {
                return Outcome::failed(format!("{error:?}"));
            }
            knowledge.call_own(header.desk.clone());
        }
        let mut outcome = Outcome::default();
        let mut reading = Adoption { desk: self, header, knowledge, numbers: HashMap::new(), waiting: Vec::new() };
        match reading.all(bytes, &mut outcome).await {
            Ok(()) => {}
            Err(error) => outcome.failed = Some(error.to_string()),
        }
        outcome
    }
}

async fn adopts_name(desk: &DeskName) -> bool {
    let desk = desk.as_str();
    let (title, yes) = (text_with("backupAdoptTitle", &[desk]), text_with("backupAdoptYes", &[desk]));
    let (body, other) = (text("backupAdoptText"), text("backupAdoptNo"));
    let question = Question { title: &title, text: &body, yes: &yes, other: Some(&other), ..Question::default() };
    question::ask(question).await == Ok(Reply::Yes)
}

/// A backup that is being brought into the log.
struct Adoption<'a> {
    desk: &'a Desk,
    header: Header,
    knowledge: &'a mut Knowledge,
    /// The numbers that transactions had there, and have here.
    numbers: HashMap<TransactionId, TransactionId>,
    waiting: Vec<Entry>,
}

impl Adoption<'_> {
    async fn all(&mut self, bytes: &[u8], outcome: &mut Outcome) -> Result<(), StoreError> {
        let mut totals = Totals::default();
        let mut end = None;
        let (mut batches, mut cleared) = (Vec::new(), Vec::new());
        let lines = (1..).zip(bytes.split(|byte| *byte == b'\n')).skip(1);
        for (number, line) in lines.filter(|(_, line)| !line.iter().all(u8::is_ascii_whitespace)) {
            let Some(line) = std::str::from_utf8(line).ok().and_then(|line| backup::read(line).ok()) else {
                outcome.refused.push((number, text("backupLine")));
                continue;
            };
            totals.count(&line);
            match line {
                Line::Transaction(entry) => {
                    self.waiting.push(*entry);
                    if self.waiting.len() >= usize::try_from(CHUNK).unwrap_or(usize::MAX) {
                        self.write(outcome).await?;
                    }
                }
                Line::Commit(batch) => batches.push(batch),
                Line::Cleared(key) => cleared.push(key),
                Line::End(stated) => end = Some(stated),
            }
        }
        self.write(outcome).await?;
        let batches: Vec<Batch> = batches.into_iter().map(|batch| self.renumbered(batch)).collect();
        self.desk.store.adopt_batches(&batches).await?;
        if let Some(now) = clock::now() {
            self.desk.store.adopt_cleared(&cleared, now).await?;
        }
        if end != Some(totals) {
            outcome.notes.push(text("backupCut"));
        }
        Ok(())
    }

    /// Writes what waits: what is new is added, and what is known takes the status that has seen more of Koha.
    async fn write(&mut self, outcome: &mut Outcome) -> Result<(), StoreError> {
        let (mut new, mut numbers) = (Vec::new(), Vec::new());
        let mut known: HashMap<TransactionId, Entry> = HashMap::new();
        for entry in std::mem::take(&mut self.waiting) {
            let number = entry.id;
            let entry = backup::adopted(entry, &self.header.desk, self.knowledge.own());
            if let Some(place) = self.knowledge.place(&entry) {
                self.numbers.insert(number, place);
                outcome.already_there += 1;
                known.insert(place, entry);
            } else {
                numbers.push(number);
                new.push(entry);
            }
        }
        let ids: Vec<TransactionId> = known.keys().copied().collect();
        let here = self.desk.store.get(&ids).await?;
        let further: HashMap<TransactionId, Status> =
            here.iter().filter_map(|here| Some((here.id, backup::further(here, known.get(&here.id)?)?))).collect();
        let ids: Vec<TransactionId> = further.keys().copied().collect();
        self.desk
            .store
            .change(&ids, |entry| Some(Entry { status: further.get(&entry.id)?.clone(), ..entry.clone() }))
            .await?;
        let added = self.desk.store.add(new).await?;
        outcome.imported += added.len();
        for (number, entry) in numbers.into_iter().zip(&added) {
            self.numbers.insert(number, entry.id);
            self.knowledge.take(entry);
        }
        Ok(())
    }

    fn renumbered(&self, batch: Batch) -> Batch {
        let transactions = batch.transactions.iter().filter_map(|id| self.numbers.get(id).copied()).collect();
        Batch { transactions, ..batch }
    }
}
