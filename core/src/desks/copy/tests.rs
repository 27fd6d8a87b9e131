use super::{
    together::{Piece, has_end, putting_together, sets},
    *,
};
use crate::{
    desk::{
        barcode::Barcode,
        transaction::{Action, Moment, Transaction},
    },
    desks::backup::{self, Header, Line, Writer},
    log::Entry,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

mod images;

/// Noon: within a minute it is the same day.
const START: DeskTime = DeskTime::from_millis(1_795_428_000_000);
const MINUTE: Duration = Duration::from_mins(1);

fn desk(name: &str) -> DeskName {
    DeskName::parse(name).unwrap()
}

fn id(number: u32) -> TransactionId {
    TransactionId(number)
}

fn moment(time: DeskTime) -> Moment {
    Moment::new(time.millis(), 60).unwrap()
}

/// A row of the log: when it was recorded, and how often it was changed since, which its history tells.
fn entry(number: u32, time: DeskTime, changes: usize) -> Entry {
    let action = Action::Return { barcode: Barcode::parse(&format!("B{number}")).unwrap() };
    let entry = Entry::recorded(id(number), Transaction { moment: moment(time), action });
    (0..changes).fold(entry, |entry, change| {
        let action = Action::Return { barcode: Barcode::parse(&format!("B{number}-{change}")).unwrap() };
        entry.edited(action, moment(time)).unwrap()
    })
}

/// How a write goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disk {
    Works,
    /// Nothing is written.
    Refuses,
    /// Half of a file is written, and then there is no room.
    Full,
    /// Files are written and cannot be removed.
    Holds,
}

/// A computer with a profile, a folder outside it, and a copier while somebody writes.
struct Computer {
    now: DeskTime,
    log: BTreeMap<u32, Entry>,
    last: u32,
    folder: BTreeMap<String, String>,
    kept: Kept,
    run: u64,
    /// The run in which the one before has ended in good order, with all changes copied.
    settled: Option<String>,
    /// What stands in Firefox's list of downloads: the files that it has written, or begun to, and nobody has taken note of yet.
    /// Whether each is whole.
    list: BTreeMap<String, bool>,
    /// The one that was written last.
    written: Option<String>,
    /// What was ever written into a file, by the codes.
    ever: BTreeSet<String>,
    /// How often somebody has begun to write.
    begun: usize,
    /// How often Firefox was killed.
    kills: usize,
    drawn: u64,
    copier: Option<Copier>,
    disk: Disk,
    /// What the log was at each time at which it changed.
    past: Vec<(DeskTime, BTreeMap<u32, Entry>)>,
    /// The highest number of files that were there at once.
    most_files: usize,
}

fn code(transaction: &Transaction) -> String {
    transaction.action.barcode().unwrap().to_string()
}

/// The transactions in the lines after the first.
fn entries(text: &str) -> Vec<Entry> {
    let line = |line: &str| match backup::read(line) {
        Ok(Line::Transaction(entry)) => Some(*entry),
        _ => None,
    };
    text.lines().skip(1).filter_map(line).collect()
}

fn set_of(text: &str) -> Option<SetId> {
    Some(Header::from_file(text.as_bytes()).ok()?.copy?.of)
}

/// Nothing is to be done for this time, or until something happens.
struct Rest(Option<Duration>);

impl Computer {
    fn new() -> Self {
        Self {
            now: START,
            log: BTreeMap::new(),
            last: 0,
            folder: BTreeMap::new(),
            kept: Kept::default(),
            run: 0,
            settled: None,
            list: BTreeMap::new(),
            written: None,
            ever: BTreeSet::new(),
            begun: 0,
            kills: 0,
            drawn: 0,
            copier: None,
            disk: Disk::Works,
            past: vec![(START, BTreeMap::new())],
            most_files: 0,
        }
    }

    fn begin(&mut self) {
        let last = self.log.keys().max().copied().unwrap_or_default();
        let kept = serde_json::from_str(&serde_json::to_string(&self.kept).unwrap()).unwrap();
        self.written = None;
        self.begun += 1;
        let settled = self.settled.take();
        let (run, desk) = (self.run.to_string(), desk("Bus 2"));
        self.copier = Some(Copier::begin(kept, settled, &run, desk, id(last), self.now));
    }

    /// The window is closed, and another goes on, or the event page.
    fn go_on(&mut self) {
        let is_settled = self.copier.as_ref().is_some_and(Copier::is_settled);
        self.settled = Some(self.run.to_string()).filter(|_| is_settled);
        self.begin();
    }

    /// Firefox is killed, and starts again.
    fn crash(&mut self) {
        self.kills += 1;
        self.start();
        self.begin();
    }

    /// Firefox starts: it forgets its list.
    fn start(&mut self) {
        self.drawn += 1_000_000;
        self.run = self.drawn;
        self.list.clear();
    }

    /// Writes a file as Firefox does, in this run.
    fn put(&mut self, name: String, text: String, run: u64) -> bool {
        let is_taken = self.folder.contains_key(&name) && !(self.list.contains_key(&name) && run == self.run);
        if !is_taken {
            if run == self.run {
                self.list.insert(name.clone(), self.disk != Disk::Full);
            }
            self.ever.extend(entries(&text).iter().map(|entry| code(&entry.transaction)));
            self.folder.insert(name, text);
        }
        !is_taken
    }

    fn note(&mut self) {
        self.past.push((self.now, self.log.clone()));
    }

    fn record(&mut self) {
        self.record_several(1);
    }

    /// At the same time, one after the other.
    fn record_several(&mut self, number: u32) {
        for _ in 0..number {
            self.last += 1;
            self.log.insert(self.last, entry(self.last, self.now, 0));
            if let Some(copier) = &mut self.copier {
                copier.changed([id(self.last)], self.now);
            }
        }
        self.note();
    }

    fn change(&mut self, place: usize) {
        let Some(number) = self.log.keys().nth(place % self.log.len().max(1)).copied() else { return };
        let changes = self.log[&number].history.len() + 1;
        let time = DeskTime::from_millis(self.log[&number].original().moment.utc_millis());
        self.log.insert(number, entry(number, time, changes));
        self.note();
        if let Some(copier) = &mut self.copier {
            copier.changed([id(number)], self.now);
        }
    }

    fn clear(&mut self, every: u32) {
        self.log.retain(|number, _| number % every != 0);
        self.note();
        if let Some(copier) = &mut self.copier {
            copier.changed_at_large(self.now);
        }
    }

    fn text(&self, file: &File) -> Result<(String, TransactionId), Input> {
        let entries: Vec<&Entry> = match &file.rows {
            Rows::All => self.log.values().collect(),
            Rows::None => Vec::new(),
            Rows::Some { after, changed } => {
                let changed = changed.iter().filter_map(|id| self.log.get(&id.0));
                changed.chain(self.log.range(after.0 + 1..).map(|(_, entry)| entry)).collect()
            }
        };
        if matches!(file.rows, Rows::Some { .. }) && entries.len() > MOST_ROWS {
            return Err(Input::TooMany);
        }
        let last = entries.iter().map(|entry| entry.id).max().unwrap_or(TransactionId(0));
        let (mut writer, mut text) =
            Writer::begin(&Header::new(file.desk.clone(), moment(self.now)).with(Some(file.part.clone()), None));
        text += &writer.add(entries.into_iter().cloned().map(Box::new).map(Line::Transaction));
        Ok((text + &writer.end().0, last))
    }

    /// Does one step, and whatever else happens while it is done. Returns how long nothing is to be done, where that is so.
    fn step(&mut self, meanwhile: impl FnOnce(&mut Self)) -> Option<Rest> {
        self.drawn += 1;
        let step = self.copier.as_mut()?.poll(self.now, self.drawn);
        let (run, begun) = (self.run, self.begun);
        let input = match step {
            CopyStep::Rest(left) => {
                meanwhile(self);
                return Some(Rest(left));
            }
            CopyStep::Keep(kept) => {
                self.kept = kept;
                meanwhile(self);
                self.list.retain(|name, _| Some(name) != self.written.as_ref());
                Input::Kept
            }
            CopyStep::Write(file) => {
                let text = self.text(&file);
                meanwhile(self);
                match (text, self.disk) {
                    _ if file.part.closes && self.list.get(&file.name) == Some(&true) && run == self.run => {
                        Input::Known
                    }
                    (Err(input), _) => input,
                    (Ok(_), Disk::Refuses) => Input::Failed(Problem::NotAllowed),
                    (Ok((text, _)), Disk::Full) => {
                        let is_begun = self.put(file.name, text[..text.len() / 2].to_owned(), run);
                        if is_begun { Input::Failed(Problem::NotWritten) } else { Input::Taken }
                    }
                    (Ok((text, last)), Disk::Works | Disk::Holds) => {
                        // Who has begun meanwhile has not written it.
                        self.written = Some(file.name.clone()).filter(|_| begun == self.begun);
                        if self.put(file.name, text, run) { Input::Written(last) } else { Input::Taken }
                    }
                }
            }
            CopyStep::Remove(file) => {
                meanwhile(self);
                if self.disk == Disk::Holds {
                    let text = self.text(&file).unwrap().0;
                    self.folder.insert(file.name, text);
                    Input::Failed(Problem::NotWritten)
                } else if self.disk == Disk::Works {
                    // Killed between the two, it is empty and there.
                    let text = self.text(&file).unwrap().0;
                    if self.copier.as_ref().is_some_and(|copier| copier.doing.is_some()) {
                        self.folder.remove(&file.name);
                    } else {
                        self.folder.insert(file.name, text);
                    }
                    Input::Removed
                } else {
                    Input::Failed(Problem::NotWritten)
                }
            }
        };
        self.most_files = self.most_files.max(self.folder.len());
        if let Some(copier) = &mut self.copier {
            copier.handle(input, self.now);
        }
        None
    }

    /// Lets what is to be done be done, until nothing is.
    fn settle(&mut self) -> Option<Duration> {
        for _ in 0..10_000 {
            if let Some(Rest(left)) = self.step(|_| ()) {
                return left;
            }
        }
        panic!("it never rests");
    }

    /// Lets time pass.
    fn pass(&mut self, time: Duration) {
        let end = self.now.plus(time);
        while self.copier.is_some() {
            let left = self.settle();
            let next = left.map_or(end, |left| self.now.plus(left));
            if next >= end {
                break;
            }
            self.now = next;
        }
        self.now = end;
    }

    /// The log as an import of all files puts it together, and what it says is missing.
    fn restored(&self) -> (BTreeMap<u32, Entry>, bool) {
        Self::restored_of(&self.folder.values().collect::<Vec<_>>())
    }

    /// The same of what is left alone no more by anybody: without what a killed Firefox has left.
    fn restored_of_known(&self) -> (BTreeMap<u32, Entry>, bool) {
        let known = self.known();
        let files: Vec<&String> =
            self.folder.values().filter(|text| set_of(text).is_some_and(|id| known.contains(&id))).collect();
        Self::restored_of(&files)
    }

    /// The sets that are known.
    fn known(&self) -> BTreeSet<SetId> {
        let sets = |kept: &Kept| {
            let current = kept.current.iter().map(|current| &current.files);
            let sets = current.chain(&kept.begun).chain(&kept.old).chain(&kept.marks);
            sets.map(|set| set.id.clone()).collect::<Vec<_>>()
        };
        [&self.kept, self.state()].into_iter().flat_map(sets).collect()
    }

    /// How many files hold something of the log, or did.
    fn files(&self) -> usize {
        let closes = |text: &&String| {
            Header::from_file(text.as_bytes()).is_ok_and(|header| header.copy.is_some_and(|part| part.closes))
        };
        self.folder.values().filter(|text| !closes(text)).count()
    }

    fn restored_of(files: &[&String]) -> (BTreeMap<u32, Entry>, bool) {
        let piece = |text: &&String| {
            let part = Header::from_file(text.as_bytes()).ok()?.copy?;
            Some(Piece { part, has_end: has_end(text.as_bytes()) })
        };
        let pieces: Vec<Option<Piece>> = files.iter().map(piece).collect();
        let mut restored = BTreeMap::new();
        let mut lacks = false;
        for set in sets(pieces.iter().map(Option::as_ref)).into_iter().filter(|set| !set.is_replaced && !set.is_gone) {
            let bytes: Vec<Vec<u8>> = set.files.iter().map(|place| files[*place].clone().into_bytes()).collect();
            let together = putting_together(&bytes).at_once();
            lacks |= !set.missing.is_empty() || !together.cut.is_empty();
            for entry in entries(&String::from_utf8(together.bytes).unwrap()) {
                // Of two sets, what was changed more often came later.
                let known = restored.get(&entry.id.0).map_or(0, |known: &Entry| known.history.len());
                if !restored.contains_key(&entry.id.0) || entry.history.len() > known {
                    restored.insert(entry.id.0, entry);
                }
            }
        }
        (restored, lacks)
    }

    /// Whether the log held this within the last minute.
    fn held_lately(&self, number: u32) -> bool {
        let lately = self.past.iter().rev().take_while(|(time, _)| *time > self.now.minus(MINUTE));
        self.minute_ago().contains_key(&number) || lately.into_iter().any(|(_, log)| log.contains_key(&number))
    }

    /// What the log was a minute ago.
    fn minute_ago(&self) -> &BTreeMap<u32, Entry> {
        let then = self.now.minus(MINUTE);
        &self.past.iter().rev().find(|(time, _)| *time <= then).unwrap_or(&self.past[0]).1
    }

    fn state(&self) -> &Kept {
        self.copier.as_ref().unwrap().kept()
    }
}

#[test]
fn nothing_is_written_of_an_empty_log_and_the_first_scan_begins_a_set_within_the_minute() {
    let mut computer = Computer::new();
    computer.begin();
    assert_eq!(computer.settle(), None);
    computer.record();
    assert_eq!(computer.settle(), Some(SOON));
    computer.pass(MINUTE);
    assert_eq!(computer.folder.len(), 1);
    assert_eq!(computer.restored(), (computer.log.clone(), false));
    assert_eq!(computer.state().copied, Some(START.plus(SOON)));
    assert_eq!(computer.settle(), None, "and then it rests");
}

#[test]
fn parts_follow_after_some_scans_or_a_minute_and_hold_what_is_new_or_changed_alone() {
    let mut computer = Computer::new();
    computer.begin();
    (0..30).for_each(|_| computer.record());
    computer.settle();
    assert_eq!(computer.folder.len(), 1, "many at once do not wait for the minute");
    (1..ROWS).for_each(|_| computer.record());
    computer.settle();
    assert_eq!(computer.folder.len(), 1);
    computer.record();
    computer.settle();
    computer.change(3);
    computer.record();
    computer.pass(MINUTE);
    let names: Vec<&str> = computer.folder.keys().map(String::as_str).collect();
    let stem = names[0].trim_end_matches(".jsonl");
    assert!(stem.strip_prefix("KOCT/koct_copy_Bus_2_").is_some_and(|id| id.len() == 12), "{names:?}");
    assert_eq!(names, [format!("{stem}.jsonl"), format!("{stem}_001.jsonl"), format!("{stem}_002.jsonl")]);
    let part = computer.folder.values().last().unwrap();
    let seqs: Vec<_> =
        part.lines().filter(|line| line.starts_with("{\"transaction\":")).map(|line| line[15..26].to_owned()).collect();
    assert_eq!((seqs.len(), part.lines().count()), (2, 4), "{part}");
    assert_eq!(computer.restored(), (computer.log.clone(), false));
}

#[test]
fn the_whole_log_is_written_when_there_are_many_parts_when_a_day_begins_and_when_something_was_cleared() {
    let mut computer = Computer::new();
    computer.begin();
    computer.record();
    computer.pass(MINUTE);
    for _ in 0..PARTS {
        computer.record();
        computer.pass(MINUTE);
    }
    assert_eq!(computer.folder.len(), 1 + usize::try_from(PARTS).unwrap());
    computer.record();
    computer.pass(MINUTE);
    assert_eq!(computer.folder.len(), 1, "and the parts are gone");
    let first = computer.folder.keys().next().cloned();
    computer.record();
    computer.pass(MINUTE);
    assert_eq!(computer.folder.len(), 2);
    computer.pass(Duration::from_hours(24));
    assert_eq!(computer.folder.len(), 2, "nobody has done anything");
    computer.record();
    computer.pass(MINUTE);
    assert_eq!(computer.folder.len(), 1);
    assert_ne!(computer.folder.keys().next().cloned(), first, "a new set never has the name of another");
    computer.record();
    computer.pass(MINUTE);
    computer.clear(2);
    computer.settle();
    assert_eq!(computer.folder.len(), 1);
    assert!(computer.folder.values().all(|text| !text.contains("\"B2\"")), "what was cleared stands nowhere");
    assert_eq!(computer.restored(), (computer.log.clone(), false));
}

#[test]
fn what_koha_has_got_is_copied_at_once() {
    let mut computer = Computer::new();
    computer.begin();
    computer.record();
    computer.pass(MINUTE);
    let waiting = computer.restored();
    let entry = computer.log.values_mut().next().unwrap();
    entry.status = crate::log::status::Status::Success;
    let (id, now) = (entry.id, computer.now);
    let copier = computer.copier.as_mut().unwrap();
    copier.changed([id], now);
    copier.changed_at_large(now);
    computer.settle();
    assert_ne!(computer.restored(), waiting, "who brings it back would send it again");
    assert_eq!(computer.restored(), (computer.log.clone(), false));
}

#[test]
fn who_goes_on_writes_what_is_left_and_all_of_it_where_nobody_knows_what_that_is() {
    let mut computer = Computer::new();
    computer.begin();
    computer.record();
    computer.pass(MINUTE);
    // A window is closed with a scan that is not copied: the next one, or the event page, does that at once.
    computer.record();
    computer.go_on();
    computer.settle();
    assert_eq!(computer.folder.len(), 2);
    // The same with a change: which it was, nobody knows any more.
    computer.change(0);
    computer.go_on();
    computer.settle();
    assert_eq!((computer.folder.len(), computer.restored()), (1, (computer.log.clone(), false)));
    // Nothing is left: nothing is done.
    let before = computer.folder.clone();
    computer.go_on();
    assert_eq!((computer.settle(), computer.folder == before), (None, true));
    // The window did not end in good order.
    computer.begin();
    computer.settle();
    assert_ne!(computer.folder.keys().next(), before.keys().next());
    // Firefox was killed, or is another one.
    let before = computer.folder.clone();
    computer.crash();
    computer.settle();
    assert_eq!((computer.files(), computer.folder == before), (1, false));
}

#[test]
fn a_row_that_is_changed_as_the_window_closes_is_copied_by_whoever_goes_on() {
    let mut computer = Computer::new();
    computer.begin();
    computer.record();
    computer.pass(MINUTE);
    let left = |computer: &Computer, is_changing| computer.copier.as_ref().unwrap().leave(is_changing);
    assert_eq!(left(&computer, false), Left { is_settled: true, has_more: false });
    // It is in the log, and the copier has not heard of it when the window goes.
    let changed = entry(1, START, 1);
    computer.log.insert(1, changed);
    computer.note();
    let at_end = left(&computer, true);
    assert_eq!(at_end, Left { is_settled: false, has_more: true }, "the event page is woken");
    computer.settled = Some(computer.run.to_string()).filter(|_| at_end.is_settled);
    computer.begin();
    computer.settle();
    assert_eq!(computer.restored(), (computer.log.clone(), false));
    // It has heard of it, and has no time any more.
    computer.change(0);
    assert_eq!(left(&computer, false), Left { is_settled: false, has_more: true });
    // A scan is found by its number; but somebody must look.
    computer.pass(MINUTE);
    computer.record();
    assert_eq!(left(&computer, false), Left { is_settled: true, has_more: true });
}

#[test]
fn what_is_old_when_the_window_closes_is_removed_by_the_event_page() {
    let mut computer = Computer::new();
    computer.begin();
    computer.record();
    computer.record();
    computer.pass(MINUTE);
    computer.clear(2);
    while computer.state().old.is_empty() || computer.copier.as_ref().unwrap().kept != computer.kept {
        assert!(computer.step(|_| ()).is_none());
    }
    assert_eq!(computer.copier.as_ref().unwrap().leave(false), Left { is_settled: true, has_more: true });
    computer.go_on();
    computer.settle();
    assert_eq!(computer.folder.len(), 1);
    assert_eq!(computer.copier.as_ref().unwrap().leave(false), Left { is_settled: true, has_more: false });
}

#[test]
fn what_firefox_permits_now_is_written_at_once() {
    let mut computer = Computer::new();
    computer.disk = Disk::Refuses;
    computer.begin();
    computer.record();
    computer.pass(MINUTE * 10);
    assert!(computer.folder.is_empty());
    computer.disk = Disk::Works;
    computer.copier.as_mut().unwrap().permitted();
    computer.settle();
    assert_eq!((computer.restored(), computer.kept.problem), ((computer.log.clone(), false), None));
}

#[test]
fn what_changes_while_a_file_is_written_is_in_the_next() {
    let mut computer = Computer::new();
    computer.begin();
    (0..ROWS).for_each(|_| computer.record());
    // It is kept that a set is begun; then it is written.
    assert!(computer.step(|_| ()).is_none() && computer.kept.begun.is_some() && computer.folder.is_empty());
    computer.step(|computer| {
        computer.change(2);
        computer.record();
    });
    computer.settle();
    assert_ne!(computer.restored().0, computer.log);
    computer.pass(MINUTE);
    assert_eq!((computer.folder.len(), computer.restored()), (2, (computer.log.clone(), false)));
}

#[test]
fn where_writing_fails_it_is_said_and_tried_again_ever_more_seldom() {
    for disk in [Disk::Refuses, Disk::Full] {
        let mut computer = Computer::new();
        computer.begin();
        computer.record();
        computer.pass(MINUTE);
        computer.disk = disk;
        (0..ROWS).for_each(|_| computer.record());
        let waits: Vec<_> = (0..5)
            .map(|_| {
                let left = computer.settle().unwrap();
                computer.now = computer.now.plus(left);
                left
            })
            .collect();
        assert_eq!(waits, [AGAIN[0], AGAIN[1], AGAIN[2], AGAIN[3], AGAIN[3]]);
        let problem = if disk == Disk::Full { Problem::NotWritten } else { Problem::NotAllowed };
        assert_eq!(computer.kept.problem, Some(problem), "a new window knows it");
        let restored = computer.restored().0;
        assert!(restored.contains_key(&1), "what was there before is there still");
        computer.disk = Disk::Works;
        computer.pass(AGAIN[3]);
        assert_eq!((computer.restored(), computer.kept.problem), ((computer.log.clone(), false), None));
    }
}

#[test]
fn a_drive_that_is_away_for_a_night_leaves_no_heap_of_sets() {
    let mut computer = Computer::new();
    computer.begin();
    computer.record();
    computer.pass(MINUTE);
    computer.disk = Disk::Full;
    for _ in 0..600 {
        // The event page begins anew each minute.
        computer.record();
        computer.begin();
        computer.pass(Duration::from_secs(1));
    }
    assert!(computer.kept.old.len() <= 1 && computer.folder.len() <= 3, "{:?}", computer.kept);
    computer.disk = Disk::Works;
    computer.begin();
    computer.pass(MINUTE);
    assert_eq!((computer.restored(), computer.folder.len()), ((computer.log.clone(), false), 1));
}

#[test]
fn a_file_that_cannot_be_removed_hinders_no_writing_and_counts_no_more() {
    let mut computer = Computer::new();
    computer.begin();
    (0..4).for_each(|_| computer.record());
    computer.pass(MINUTE);
    computer.clear(2);
    // The new set is there when the disk fails.
    while computer.state().old.is_empty() {
        assert!(computer.step(|_| ()).is_none());
    }
    computer.step(|_| ());
    computer.disk = Disk::Full;
    computer.settle();
    assert_eq!((computer.files(), computer.kept.problem), (2, Some(Problem::NotWritten)));
    assert_eq!(computer.restored(), (computer.log.clone(), false), "what was cleared does not come back");
    computer.disk = Disk::Works;
    computer.record();
    computer.pass(Duration::from_mins(2));
    assert_eq!((computer.kept.problem, computer.folder.len()), (None, 2));
    assert_eq!(computer.restored(), (computer.log.clone(), false));
}

#[test]
fn a_profile_that_is_set_back_or_new_touches_nothing_of_the_lost_one() {
    let mut computer = Computer::new();
    computer.begin();
    computer.record();
    computer.pass(MINUTE);
    let image = (computer.kept.clone(), computer.log.clone(), computer.last);
    // A day is worked, and the profile goes back to what it was; its random numbers are others.
    computer.crash();
    (0..5).for_each(|_| computer.record());
    computer.pass(MINUTE);
    let lost: BTreeSet<String> = computer.folder.keys().cloned().collect();
    let texts = computer.folder.clone();
    for kept in [image.0, Kept::default()] {
        (computer.kept, computer.log, computer.last) = (kept, image.1.clone(), image.2);
        computer.start();
        computer.begin();
        computer.record();
        computer.pass(MINUTE);
        assert!(lost.iter().all(|name| computer.folder.get(name) == texts.get(name)));
    }
}

#[test]
fn a_window_that_is_closed_before_it_is_kept_what_was_written_leaves_no_change_out() {
    let mut computer = Computer::new();
    computer.begin();
    computer.record();
    computer.pass(MINUTE);
    computer.change(0);
    (0..ROWS).for_each(|_| computer.record());
    assert!(computer.step(|_| ()).is_none());
    assert_eq!(computer.folder.len(), 2, "the part is there, and the next step is to keep that it is");
    computer.go_on();
    computer.pass(MINUTE);
    assert_eq!(computer.restored(), (computer.log.clone(), false));
}

#[test]
fn files_that_cannot_be_removed_do_not_become_more_and_none_stays_full() {
    let mut computer = Computer::new();
    computer.begin();
    computer.record();
    computer.pass(MINUTE);
    computer.disk = Disk::Holds;
    // Two sets are old, and the event page is woken again and again.
    for _ in 0..2 {
        computer.clear(100);
        computer.settle();
    }
    for _ in 0..10 {
        computer.go_on();
        computer.pass(MINUTE * 5);
    }
    assert_eq!((computer.files(), computer.state().old.len()), (3, 2));
    let full = computer.folder.values().filter(|text| text.contains("{\"transaction\":")).count();
    assert_eq!((full, computer.state().problem), (1, Some(Problem::NotWritten)));
    computer.disk = Disk::Works;
    computer.pass(MINUTE * 10);
    assert_eq!((computer.folder.len(), computer.state().problem), (1, None));
}

#[test]
fn a_mark_that_could_not_be_removed_for_a_while_is_no_problem_any_more_once_it_is() {
    let mut computer = Computer::new();
    for _ in 0..=MARKS {
        computer.crash();
        computer.record();
        computer.pass(MINUTE);
    }
    assert_eq!(computer.state().marks.len(), MARKS);
    computer.crash();
    while computer.state().marks.len() == MARKS || *computer.state() != computer.kept {
        assert!(computer.step(|_| ()).is_none());
    }
    computer.disk = Disk::Refuses;
    computer.settle();
    assert_eq!(computer.kept.problem, Some(Problem::NotWritten));
    computer.disk = Disk::Works;
    computer.pass(AGAIN[0] + MINUTE);
    assert_eq!((computer.state().marks.len(), computer.kept.problem), (MARKS, None), "nothing else is to be written");
}

#[test]
fn whoever_goes_on_where_it_does_not_work_tries_once_and_waits_long() {
    let mut computer = Computer::new();
    computer.disk = Disk::Refuses;
    computer.begin();
    computer.record();
    computer.pass(SOON);
    assert_eq!(computer.settle(), Some(AGAIN[0]));
    computer.go_on();
    assert_eq!(computer.settle(), Some(AGAIN[AGAIN.len() - 1]));
    computer.disk = Disk::Works;
    computer.pass(AGAIN[AGAIN.len() - 1]);
    computer.settle();
    assert_eq!(computer.restored(), (computer.log.clone(), false));
    computer.disk = Disk::Refuses;
    computer.record();
    computer.pass(SOON);
    assert_eq!(computer.settle(), Some(AGAIN[0]), "it has worked since");
}

#[test]
fn a_clock_that_is_set_back_keeps_nothing_waiting() {
    let mut computer = Computer::new();
    computer.begin();
    computer.record();
    computer.settle();
    computer.now = computer.now.minus(Duration::from_hours(3));
    computer.settle();
    assert_eq!(computer.folder.len(), 1);
}

#[test]
fn a_desk_that_is_called_otherwise_begins_a_new_set() {
    let mut computer = Computer::new();
    computer.begin();
    computer.record();
    computer.pass(MINUTE);
    let now = computer.now;
    computer.copier.as_mut().unwrap().named(desk("CON/../Bücher"), now);
    computer.pass(MINUTE);
    let name = computer.folder.keys().next().unwrap();
    assert!(name.starts_with("KOCT/koct_copy_CON____Bücher_") && computer.folder.len() == 1, "{name}");
}

#[test]
fn too_many_rows_for_a_part_are_written_as_the_whole() {
    let mut computer = Computer::new();
    computer.begin();
    computer.record();
    computer.pass(MINUTE);
    computer.record_several(u32::try_from(MOST_ROWS).unwrap() + 1);
    computer.settle();
    assert_eq!((computer.folder.len(), computer.restored()), (1, (computer.log.clone(), false)));
}

#[test]
fn a_place_where_nothing_can_be_kept_stops_the_copy_and_is_said() {
    let mut copier = Copier::begin(Kept::default(), None, "1", desk("Bus"), id(5), START);
    let CopyStep::Keep(_) = copier.poll(START, 1) else { panic!() };
    copier.handle(Input::Failed(Problem::NotRead), START);
    assert_eq!(copier.poll(START, 2), CopyStep::Rest(Some(AGAIN[0])));
    assert_eq!(copier.kept().problem, Some(Problem::NotRead));
    let later = START.plus(AGAIN[0]);
    let CopyStep::Keep(_) = copier.poll(later, 3) else { panic!() };
    copier.handle(Input::Kept, later);
    assert_eq!(copier.kept().problem, None);
}

#[test]
fn what_is_kept_is_read_by_later_versions() {
    let kept = r#"{"current":{"files":{"id":"0123456789ab","desk":"Bus 2","run":"x","parts":3},"last":42,"day":20780},"begun":null,"old":[{"id":"ba9876543210","desk":"Bus 2","run":"w","parts":1}],"copied":1795428000000,"problem":"not-written"}"#;
    let read: Kept = serde_json::from_str(kept).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), kept);
    assert_eq!(serde_json::from_str::<Kept>("{}").unwrap(), Kept::default());
}

#[derive(Debug, Clone)]
enum Act {
    Record(u8),
    Change(usize),
    Clear(u32),
    Pass(u8),
    /// A few steps, and nothing else.
    Steps(u8),
    /// The window is closed, and another goes on, or the event page.
    GoOn,
    /// The window breaks down, and another goes on.
    Break,
    Crash,
    Disk(Disk),
}

fn acts() -> impl Strategy<Value = Vec<(Act, bool)>> {
    let act = prop_oneof![
        6 => (1_u8..40).prop_map(Act::Record),
        4 => any::<usize>().prop_map(Act::Change),
        1 => (2_u32..5).prop_map(Act::Clear),
        6 => (1_u8..90).prop_map(Act::Pass),
        4 => (1_u8..9).prop_map(Act::Steps),
        2 => Just(Act::GoOn),
        1 => Just(Act::Break),
        2 => Just(Act::Crash),
        1 => prop_oneof![Just(Disk::Refuses), Just(Disk::Full), Just(Disk::Holds)].prop_map(Act::Disk),
        2 => Just(Act::Disk(Disk::Works)),
    ];
    prop::collection::vec((act, any::<bool>()), 1..60)
}

/// What an act does to the log or the copier. Some can come while a file is being written.
fn act(computer: &mut Computer, act: &Act) {
    match act {
        Act::Record(number) => computer.record_several((*number).into()),
        Act::Change(place) => computer.change(*place),
        Act::Clear(every) => computer.clear(*every),
        Act::Pass(seconds) => computer.pass(Duration::from_secs((*seconds).into())),
        Act::Steps(number) => (0..*number).for_each(|_| _ = computer.step(|_| ())),
        Act::GoOn => computer.go_on(),
        Act::Break => computer.begin(),
        Act::Crash => computer.crash(),
        Act::Disk(disk) => computer.disk = *disk,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_happens_the_files_hold_the_log_but_for_the_last_minute(acts in acts()) {
        let mut computer = Computer::new();
        computer.begin();
        // Since when nothing has hindered writing.
        let mut works_since = START;
        for (what, is_meanwhile) in &acts {
            if *is_meanwhile && !matches!(what, Act::Pass(_) | Act::Steps(_)) {
                let _ = computer.step(|computer| act(computer, what));
            } else {
                act(&mut computer, what);
            }
            if computer.disk != Disk::Works || matches!(what, Act::Disk(_)) {
                works_since = computer.now.max(works_since);
            }
            // The profile may be lost now, in the middle of whatever is done.
            let (restored, _) = computer.restored();
            if computer.disk == Disk::Works && computer.now > works_since.plus(AGAIN[3]) {
                let then = computer.minute_ago();
                for (number, entry) in &computer.restored_of_known().0 {
                    prop_assert!(computer.held_lately(*number), "{number} was cleared and comes back: {entry:?}");
                }
                for (number, entry) in then {
                    let found = restored.get(number).map(|entry| entry.history.len());
                    let is_there = found.is_some_and(|found| found >= entry.history.len());
                    prop_assert!(is_there || !computer.log.contains_key(number), "{number} is lost, or was changed");
                }
            }
            // Nothing comes from nowhere.
            prop_assert!(restored.keys().all(|number| *number <= computer.last));
        }
        computer.disk = Disk::Works;
        computer.pass(AGAIN[3]);
        computer.pass(MINUTE);
        prop_assert!(computer.restored_of_known() == (computer.log.clone(), false), "{:?}", computer.kept);
        let (known, left): (Vec<_>, Vec<_>) =
            computer.folder.values().filter_map(|text| set_of(text)).partition(|id| computer.known().contains(id));
        prop_assert!(known.len() <= 1 + MARKS + usize::try_from(PARTS).unwrap(), "what is old is gone");
        let left: BTreeSet<_> = left.into_iter().collect();
        prop_assert!(left.len() <= computer.kills, "only a kill leaves something behind");
        prop_assert_eq!(computer.kept.others, None, "there is nobody else");
        prop_assert!(computer.copier.as_ref().is_some_and(Copier::is_settled));
        prop_assert!(computer.kept.problem.is_none());
        // Of an empty log there is no copy, and what was begun of one goes with the first that there is.
        let is_empty = computer.kept.current.is_none() && computer.log.is_empty();
        prop_assert!(computer.kept.old.is_empty() || is_empty, "{:?}", computer.kept);
        if let Some(text) = computer.folder.values().next() {
            prop_assert!(text.starts_with("{\"koct\":\"log\",\"version\":1,"), "every version reads it as a backup");
        }
    }
}

#[test]
fn that_a_commit_runs_is_copied_at_once_and_once() {
    let mut computer = Computer::new();
    computer.begin();
    computer.record();
    computer.pass(MINUTE);
    assert!(!computer.copier.as_ref().unwrap().is_behind());
    let sending = |number: u32| {
        let attempt = crate::log::status::Attempt::unknown(crate::settings::form::CommitType::Apply);
        let status = crate::log::status::Status::Sending { attempt };
        LogEvent::Changed(vec![Entry { status, ..entry(number, START, 0) }])
    };
    let mut is_written_at_once = |event: &LogEvent, after: Duration| {
        computer.now = computer.now.plus(after);
        let now = computer.now;
        let copier = computer.copier.as_mut().unwrap();
        copier.follow(event, now);
        let is_at_once = copier.due(now).is_some();
        computer.settle();
        is_at_once
    };
    let second = Duration::from_secs(1);
    assert!(is_written_at_once(&sending(1), second));
    assert!(!is_written_at_once(&sending(1), second), "the copy knows of this commit");
    assert!(!is_written_at_once(&LogEvent::Changed(vec![entry(1, START, 1)]), second));
    assert!(is_written_at_once(&LogEvent::Committed, second));
    assert!(is_written_at_once(&sending(1), second), "the next one");
    assert!(is_written_at_once(&sending(1), 2 * MINUTE), "its window was killed, and this is another");
}

#[test]
fn a_commit_that_begins_while_a_file_is_written_is_told_by_the_next_at_once() {
    let mut computer = Computer::new();
    computer.begin();
    computer.record();
    let attempt = crate::log::status::Attempt::unknown(crate::settings::form::CommitType::Apply);
    let status = crate::log::status::Status::Sending { attempt };
    let event = LogEvent::Changed(vec![Entry { status, ..entry(1, START, 0) }]);
    computer.now = computer.now.plus(MINUTE);
    let now = computer.now;
    let copier = computer.copier.as_mut().unwrap();
    loop {
        match copier.poll(now, 7) {
            CopyStep::Keep(_) => copier.handle(Input::Kept, now),
            CopyStep::Write(_) => break,
            step => panic!("{step:?}"),
        }
    }
    copier.follow(&event, now);
    copier.handle(Input::Failed(Problem::NotRead), now);
    let later = now.plus(MINUTE);
    assert!(matches!(copier.poll(later, 7), CopyStep::Keep(_)));
    copier.handle(Input::Kept, later);
    assert!(matches!(copier.poll(later, 7), CopyStep::Write(_)), "it is tried again, and tells of it");
    copier.handle(Input::Written(id(1)), later);
    assert!(matches!(copier.poll(later, 7), CopyStep::Keep(_)));
    copier.handle(Input::Kept, later);
    assert!(copier.due(later).is_none(), "that is told");
    let much_later = later.plus(2 * MINUTE);
    copier.changed([id(1)], much_later);
    let then = much_later.plus(MINUTE);
    assert!(matches!(copier.poll(then, 7), CopyStep::Write(_)));
    copier.follow(&event, then);
    copier.handle(Input::Written(id(1)), then);
    assert!(copier.due(then).is_some(), "the file may have been written before it");
}

#[test]
fn so_many_rows_are_read_as_show_that_there_are_too_many() {
    let read = usize::try_from(ROWS_READ).unwrap();
    assert!(is_too_much(read) && !is_too_much(read - 1));
}

#[test]
fn a_file_that_is_not_there_is_looked_for_ever_more_seldom_and_for_two_minutes() {
    let waits: Vec<_> = (0..).map_while(looks_again_after).collect();
    assert!(waits.is_sorted() && waits[0] < Duration::from_millis(50), "most are there at once");
    assert!((100..130).contains(&waits.iter().sum::<Duration>().as_secs()));
}
