//! Koha's queue, processed by core over real connections: three desks' rows in true order, and every fault in the middle.

use crate::{client, matrix::Desk as _, native::Native};
use fake_koha::{Config, DateFormat, Effect, Era, FakeKoha, Fault, FaultKind, Front, Operation, RetryAfter};
use koct_core::{
    CommitType, Entry, Moment, Secret, State, Status, TransactionId,
    desk::clock::DeskTime,
    log::{
        commit::{Batch, Queued},
        handled::{Deed, Outcome},
    },
    processing::{
        Chosen, Input, Output, Processing, Report, Unended,
        listed::{self, Line},
    },
};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};

/// When it is now, by the desk's clock. Koha's own runs with it.
fn now() -> DeskTime {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    DeskTime::from_millis(i64::try_from(now.as_millis()).unwrap())
}

fn moment() -> Moment {
    Moment::new(now().millis(), 60).unwrap()
}

/// A desk with the records of its runs.
struct Desk {
    native: Native,
    runs: Vec<Batch>,
    queued: Vec<Queued>,
}

impl Desk {
    fn new(koha: &FakeKoha) -> Self {
        Self { native: Native::new(koha, CommitType::Send), runs: Vec::new(), queued: Vec::new() }
    }

    /// Does this with these rows, and stores what it is told to; not any more after this number of notes, as if it were killed.
    fn run(&mut self, deed: Deed, chosen: Vec<Chosen>, mut writes: usize) -> Option<Report> {
        let settings = self.native.settings.clone();
        let unended: Vec<Unended> = (0..)
            .zip(&self.runs)
            .flat_map(|(run, batch)| batch.unended(&settings).map(move |row| (run, row.clone())).collect::<Vec<_>>())
            .map(|(run, handled)| {
                let own = handled.own.and_then(|id| self.native.log.iter().find(|entry| entry.id == id)).cloned();
                Unended { run, handled, own }
            })
            .collect();
        let left: Vec<_> = self.runs.iter().flat_map(|batch| batch.left_in_queue(&settings)).cloned().collect();
        let number = u32::try_from(self.runs.len()).unwrap();
        self.runs.push(Batch::begin_processing(&settings, moment()));
        let mut processing = Processing::new(settings, number, deed, chosen, unended, left);
        loop {
            let input = match processing.poll().unwrap() {
                Output::Note(_) if writes == 0 => return None,
                Output::Note(noted) => {
                    writes -= 1;
                    for note in noted {
                        let run = &mut self.runs[note.run as usize];
                        *run = run.clone().with_handled(note.handled.clone());
                        let own = self.native.log.iter_mut().find(|entry| Some(entry.id) == note.handled.own);
                        if let Some((entry, outcome)) = own.zip(note.handled.outcome) {
                            *entry = entry.handled(&outcome, moment()).unwrap_or_else(|| entry.clone());
                        }
                    }
                    Input::Noted
                }
                Output::Request(request) => Input::Answer(client::send(&request)),
                Output::Finished(report) => return Some(report),
            };
            processing.handle(input, now());
        }
    }

    fn look(&mut self) -> Vec<Line> {
        let report = self.run(Deed::Process, Vec::new(), usize::MAX).unwrap();
        let page = report.page.unwrap_or_else(|| panic!("{:?}", report.stop));
        let entries: Vec<Entry> = self.native.log.iter().filter(|entry| entry.may_be_queued()).cloned().collect();
        listed::list(&page.rows, &entries, &self.queued)
    }

    fn chosen(&self, lines: &[Line]) -> Vec<Chosen> {
        let own = |id: Option<TransactionId>| self.native.log.iter().find(|entry| Some(entry.id) == id).cloned();
        lines.iter().map(|line| Chosen { row: line.row.clone(), own: own(line.own) }).collect()
    }

    fn process(&mut self, lines: &[Line]) -> Report {
        let chosen = self.chosen(lines);
        self.run(Deed::Process, chosen, usize::MAX).unwrap()
    }

    fn states(&self) -> Vec<State> {
        self.native.log.iter().map(|entry| entry.status.state()).collect()
    }
}

fn koha(era: Era, newest: bool) -> FakeKoha {
    FakeKoha::start(Config { era, newest, ..Config::default() }).unwrap()
}

/// Every Koha that shows its queue differently.
fn kohas() -> Vec<(String, FakeKoha)> {
    let mut all = vec![("before 24.05".to_owned(), koha(Era::Before2405, false))];
    for (newest, format) in
        [(false, DateFormat::Us), (true, DateFormat::Metric), (false, DateFormat::Iso), (true, DateFormat::Dotted)]
    {
        let koha = koha(Era::From2405, newest);
        koha.library(|library| library.preferences.date_format = format);
        all.push((format!("from 24.05, newest: {newest}, {format:?}"), koha));
    }
    all
}

fn item(number: usize) -> String {
    format!("399990000000{number:02}")
}

fn patron(number: usize) -> String {
    format!("2352900122360{number}")
}

/// What was done at a desk: at this second, with this item; lent to a patron, or checked in.
type Done = (i64, usize, Option<usize>);

fn entry(seq: u32, (second, book, who): Done) -> Entry {
    let barcode = item(book);
    let mut row = json!({
        "seq": seq, "moment": {"utc": 1_795_428_000_000_i64 + second * 1000, "offset": 60},
        "action": if who.is_some() { "issue" } else { "return" },
        "barcode": barcode, "itemKey": barcode, "status": {"state": "local"},
    });
    if let Some(who) = who {
        row["cardnumber"] = json!(patron(who));
    }
    serde_json::from_value(row).unwrap()
}

/// Puts it into the queue, as another program does.
fn queue(koha: &FakeKoha, local: &str, action: &str, card: &str, barcode: &str) {
    koha.library(|library| {
        let operation = Operation {
            userid: "koha".into(),
            branch: "CPL".into(),
            timestamp: local.into(),
            action: action.into(),
            barcode: barcode.into(),
            cardnumber: card.into(),
            ..Operation::default()
        };
        library.queue_operation(operation, if action == "payment" { "3.50" } else { "" }).unwrap();
        library.effects.clear();
    });
}

fn holders(koha: &FakeKoha, books: impl Iterator<Item = usize>) -> BTreeMap<usize, Option<String>> {
    koha.library(|library| books.map(|book| (book, library.holder_of(&item(book)).map(str::to_owned))).collect())
}

/// Three desks' rows: each book goes out at one desk, comes back at another within the minute, and goes out again at the third. They are
/// sent one desk after the other, long after.
fn three_desks() -> [Vec<Done>; 3] {
    let mut desks: [Vec<Done>; 3] = Default::default();
    for book in 0..6_usize {
        let at = i64::try_from(book).unwrap() * 7;
        let book = book + 20;
        desks[2].push((at, book, Some(1)));
        desks[0].push((at + 3, book, None));
        if book % 2 == 0 {
            desks[1].push((at + 5, book, Some(2)));
        }
    }
    desks
}

#[test]
fn three_desks_rows_are_processed_in_true_order() {
    for (case, koha) in kohas() {
        let desks = three_desks();
        let mut truth: Vec<Done> = desks.concat();
        truth.sort_by_key(|(second, ..)| *second);
        let truth: BTreeMap<usize, Option<String>> =
            truth.into_iter().map(|(_, book, who)| (book, who.map(patron))).collect();
        let mut last = Desk::new(&koha);
        for done in desks {
            let mut desk = Desk::new(&koha);
            desk.native.log = (1..).zip(done).map(|(seq, done)| entry(seq, done)).collect();
            desk.native.commit();
            assert!(desk.states().iter().all(|state| *state == State::Added), "{case}");
            last = desk;
        }
        // Rows of one second, of one item too: they stand in the page the wrong way round.
        for (action, card) in [("issue", patron(3)), ("return", String::new()), ("issue", patron(4))] {
            queue(&koha, "2026-11-23 12:00:00", action, &card, &item(30));
        }
        let lines = last.look();
        assert_eq!(lines.len(), 18, "{case}");
        assert_eq!(lines.iter().filter(|line| line.own.is_some()).count(), last.native.log.len(), "{case}");
        let report = last.process(&lines);
        assert_eq!((report.stop, report.waiting), (None, vec![]), "{case}");
        assert_eq!(
            report.ended.iter().filter(|(_, end)| *end == Outcome::Success).count(),
            18,
            "{case}: {:?}",
            report.ended
        );
        let seen = holders(&koha, 20..26);
        assert_eq!(seen, truth, "{case}");
        assert_eq!(holders(&koha, 30..31)[&30], Some(patron(4)), "{case}");
        // What this desk had sent has Koha's word.
        assert!(last.states().iter().all(|state| *state == State::Success), "{case}");
        assert!(koha.library(|library| library.pending.is_empty()), "{case}");
        koha.library(|library| {
            let renewed = library.count_effects(|effect| matches!(effect, Effect::Renewed { .. }));
            assert_eq!(renewed, 0, "{case}");
        });
    }
}

#[test]
fn koha_says_no_in_its_words_and_a_double_is_deleted() {
    for (case, koha) in kohas() {
        let mut desk = Desk::new(&koha);
        let unknown = json!({"seq": 3, "moment": {"utc": 1_795_428_020_000_i64, "offset": 60}, "action": "return",
            "barcode": "nothing", "itemKey": "nothing", "status": {"state": "local"}});
        desk.native.log =
            vec![entry(1, (0, 20, Some(1))), entry(2, (10, 21, None)), serde_json::from_value(unknown).unwrap()];
        koha.fault(Fault::on("service.pl", FaultKind::SentAgain).skip(1).times(1));
        desk.native.commit();
        koha.clear_faults();
        queue(&koha, "2026-11-23 11:00:30", "issue", "nobody", &item(22));
        let lines = desk.look();
        let doubles: Vec<_> = lines.iter().filter(|line| line.is_double).cloned().collect();
        assert_eq!((lines.len(), doubles.len()), (5, 1), "{case}");
        assert!(doubles[0].own.is_none() && lines.iter().filter(|line| line.own.is_some()).count() == 3, "{case}");
        let chosen = desk.chosen(&doubles);
        let report = desk.run(Deed::Delete, chosen, usize::MAX).unwrap();
        assert_eq!(report.ended, [(doubles[0].row.number, Outcome::Deleted)], "{case}");
        let lines = desk.look();
        assert!(lines.iter().all(|line| !line.is_double));
        let report = desk.process(&lines);
        let words: Vec<_> = report.ended.into_iter().map(|(_, end)| end).collect();
        let refused = |message: &str| Outcome::Refused { message: message.into() };
        let expected =
            [Outcome::Success, refused("Item not issued."), refused("Item not found."), refused("Borrower not found.")];
        assert_eq!(words, expected, "{case}");
        assert_eq!(desk.states(), [State::Success, State::Rejected, State::Rejected], "{case}");
        assert!(matches!(&desk.native.log[1].status, Status::Rejected { message } if message == "Item not issued."));
        koha.library(|library| {
            let renewed = library.count_effects(|effect| matches!(effect, Effect::Renewed { .. }));
            assert_eq!(renewed, 0, "{case}: lent once");
        });
    }
}

/// Each fault that the second of three rows meets, and whether Koha did it.
fn faults() -> Vec<(FaultKind, bool)> {
    let busy = Front::Busy { status: 429, retry_after: RetryAfter::Seconds(1) };
    vec![
        (FaultKind::ResetBefore, false),
        (FaultKind::ResetAfter, true),
        (FaultKind::CutHeaders, true),
        (FaultKind::Status(500), false),
        (FaultKind::Status500After, true),
        (FaultKind::Status(401), false),
        (FaultKind::HtmlLogin, false),
        (FaultKind::Redirect("https://example.invalid/".into()), false),
        (FaultKind::Endless("Success. "), true),
        (FaultKind::SentAgain, true),
        (FaultKind::FrontBefore(Front::Page(403)), false),
        (FaultKind::FrontAfter(Front::Page(403)), true),
        (FaultKind::FrontAfter(Front::LoginPage), true),
        (FaultKind::FrontBefore(busy.clone()), false),
        (FaultKind::FrontAfter(busy), true),
    ]
}

#[test]
fn whatever_happens_to_an_answer_nothing_is_processed_twice_and_the_next_run_ends_it() {
    for era in [Era::Before2405, Era::From2405] {
        for (fault, is_done) in faults() {
            for own in [true, false] {
                let case = format!("{era:?} {fault:?}, own: {own}");
                let koha = koha(era, false);
                let mut desk = Desk::new(&koha);
                let mut sender = Desk::new(&koha);
                let log: Vec<Entry> = (1..4).map(|seq| entry(seq, (seq.into(), 20 + seq as usize, Some(1)))).collect();
                sender.native.log.clone_from(&log);
                sender.native.commit();
                if own {
                    desk.native.log = sender.native.log;
                }
                koha.library(|library| library.effects.clear());
                let lines = desk.look();
                koha.fault(Fault::on("process.pl", fault.clone()).skip(1).times(1));
                let report = desk.process(&lines);
                koha.clear_faults();
                let renewed = |koha: &FakeKoha| {
                    koha.library(|library| library.count_effects(|effect| matches!(effect, Effect::Renewed { .. })))
                };
                let issued = |koha: &FakeKoha| {
                    koha.library(|library| library.count_effects(|effect| matches!(effect, Effect::Issued { .. })))
                };
                // Looking resolves what has no end.
                let lines = desk.look();
                let mut rows = desk.runs.iter().rev().flat_map(|run| run.handled.iter().flatten());
                let end = rows.find(|row| row.number == 2).unwrap().outcome.clone();
                // Loans tell what became of our own, from 24.05.
                let proved = era == Era::From2405 && own;
                match (is_done, &end) {
                    (true, Some(Outcome::Success)) if proved => {}
                    (true, Some(Outcome::Unseen | Outcome::Gone)) if !proved => {}
                    (false, Some(Outcome::Left { .. })) => {
                        assert!(lines.iter().any(|line| line.row.number == 2), "{case}");
                    }
                    other => panic!("{case}: {other:?} {:?}", report.stop),
                }
                // Koha may be at it still.
                let report = desk.process(&lines);
                assert_eq!(report.too_early, if is_done { vec![] } else { vec![2] }, "{case}");
                assert_eq!((issued(&koha), renewed(&koha)), (if is_done { 3 } else { 2 }, 0), "{case}");
                for run in &mut desk.runs {
                    for row in run.handled.iter_mut().flatten() {
                        row.attempt.over = row.attempt.over.map(|over| over.minus(Duration::from_secs(601)));
                    }
                }
                let lines = desk.look();
                desk.process(&lines);
                assert_eq!((issued(&koha), renewed(&koha)), (3, 0), "{case}");
            }
        }
    }
}

#[test]
fn killed_at_any_note_nothing_is_processed_twice_and_all_of_it_comes_to_an_end() {
    for era in [Era::Before2405, Era::From2405] {
        for notes in 0..6 {
            let koha = koha(era, false);
            let mut desk = Desk::new(&koha);
            desk.native.log = (1..5).map(|seq| entry(seq, (seq.into(), 20 + seq as usize, Some(1)))).collect();
            desk.native.commit();
            let lines = desk.look();
            let chosen = desk.chosen(&lines);
            desk.run(Deed::Process, chosen, notes);
            let lines = desk.look();
            let report = desk.process(&lines);
            assert_eq!((report.stop, report.waiting, report.too_early), (None, vec![], vec![]), "{notes}");
            koha.library(|library| {
                let issued = library.count_effects(|effect| matches!(effect, Effect::Issued { .. }));
                let renewed = library.count_effects(|effect| matches!(effect, Effect::Renewed { .. }));
                assert_eq!((issued, renewed, library.pending.len()), (4, 0, 0), "{era:?} {notes}");
            });
            // Where no loan can be read, the one that was under way says that a person must look.
            let open = desk.states().iter().filter(|state| **state == State::Added).count();
            assert!(open <= usize::from(era == Era::Before2405), "{era:?} {notes}: {:?}", desk.states());
        }
    }
}

#[test]
fn who_may_not_see_the_queue_and_whose_library_is_another_are_told_and_nothing_is_done() {
    for era in [Era::Before2405, Era::From2405] {
        let koha = koha(era, false);
        queue(&koha, "2026-11-23 11:00:00", "return", "", &item(20));
        for (account, branch, reads) in [
            ("koha", "CPL", true),
            ("circ", "CPL", true),
            ("circonly", "MPL", true),
            ("noperm", "CPL", false),
            ("circ", "MPL", era == Era::Before2405),
        ] {
            let mut desk = Desk::new(&koha);
            desk.native.settings.username = account.into();
            desk.native.settings.password = Secret::new(account);
            desk.native.settings.branchcode = branch.into();
            let report = desk.run(Deed::Process, Vec::new(), usize::MAX).unwrap();
            assert_eq!(report.page.is_some(), reads, "{era:?} {account} {branch}: {:?}", report.stop);
            assert_eq!(report.stop.is_none(), reads, "{era:?} {account} {branch}");
            // The session is ended; before that, service.pl makes one for each look at a password, of which nobody is told.
            let sessions = koha
                .library(|library| library.sessions.keys().filter(|id| library.session_account(id).is_some()).count());
            koha.library(|library| library.sessions.clear());
            assert!(!reads || sessions <= 1, "{era:?} {account}: {sessions}");
        }
        assert_eq!(koha.library(|library| library.pending.len()), 1);
    }
}

/// As it is ten minutes later: what is in doubt was over long ago.
fn later(desk: &mut Native) {
    for entry in &mut desk.log {
        if let Status::InDoubt { attempt, .. } = &mut entry.status {
            attempt.over = attempt.over.map(|over| over.minus(Duration::from_secs(601)));
        }
    }
}

#[test]
fn a_lost_answer_of_a_send_is_proved_both_ways() {
    for (case, koha) in kohas() {
        let queued = || koha.library(|library| library.count_effects(|effect| matches!(effect, Effect::Queued(_))));
        let states = |desk: &Native| desk.log.iter().map(|entry| entry.status.state()).collect::<Vec<State>>();
        // It arrived. Which zone the page shows, the one before it tells.
        let mut desk = Native::new(&koha, CommitType::Send);
        desk.log = vec![entry(1, (0, 19, Some(1)))];
        desk.commit();
        desk.log.push(entry(2, (10, 20, Some(1))));
        koha.fault(Fault::on("service.pl", FaultKind::ResetAfter).skip(1).times(1));
        desk.commit();
        koha.clear_faults();
        assert_eq!(states(&desk), [State::Added, State::InDoubt], "{case}");
        let said = desk.commit();
        assert_eq!((states(&desk), queued()), (vec![State::Added; 2], 2), "{case}: {said}");
        // It did not. What is sent next comes behind the last that was there, with nothing in between.
        let mut desk = Native::new(&koha, CommitType::Send);
        desk.log = vec![entry(1, (60, 21, Some(1)))];
        koha.fault(Fault::on("service.pl", FaultKind::ResetBefore).skip(1).times(1));
        desk.commit();
        koha.clear_faults();
        desk.log.push(entry(2, (70, 22, None)));
        let mut early = Native::new(&koha, CommitType::Send);
        early.log = vec![desk.log[0].clone()];
        let said = early.commit();
        assert_eq!((early.state(), queued()), (State::InDoubt, 2), "{case}: {said}");
        later(&mut desk);
        let said = desk.commit();
        assert_eq!((states(&desk), queued()), (vec![State::Added; 2], 4), "{case}: {said}");
        // It arrived twice, and is told.
        let mut desk = Native::new(&koha, CommitType::Send);
        desk.log = vec![entry(1, (110, 24, Some(1)))];
        desk.commit();
        desk.log.push(entry(2, (120, 23, Some(1))));
        for fault in [FaultKind::SentAgain, FaultKind::ResetAfter] {
            koha.fault(Fault::on("service.pl", fault).skip(1).times(1));
        }
        desk.commit();
        koha.clear_faults();
        assert_eq!(states(&desk), [State::Added, State::InDoubt], "{case}");
        let said = desk.commit();
        assert!(said.contains("Queued { times: 2 }"), "{case}: {said}");
        assert_eq!(states(&desk), [State::Added; 2], "{case}");
        let mut looking = Desk::new(&koha);
        looking.native.log = desk.log;
        let doubles: Vec<_> = looking.look().into_iter().filter(|line| line.is_double).collect();
        assert_eq!(doubles.len(), 1, "{case}");
    }
}
