use super::*;
use crate::{
    desk::{
        barcode::Barcode,
        clock::KohaTime,
        transaction::{Action, Moment, Transaction, TransactionId},
    },
    koha::NotSent,
    log::status::Status,
    settings::form::Secret,
};

const NOON: i64 = 1_795_428_000_000;

fn settings() -> Settings {
    Settings::for_tests(CommitType::Send)
}

/// A Koha before 24.05, with rows of these numbers in its queue, each a checkin of an item of that number.
struct Koha {
    queue: Vec<u64>,
    /// What it answers next to a row, in place of its word; and whether it has processed it all the same.
    faults: VecDeque<(Result<Response, Failure>, bool)>,
    now: i64,
    asked: Vec<String>,
}

fn answer(status: u16, content_type: &str, body: &str) -> Response {
    Response { status, content_type: content_type.into(), body: body.into(), ..Response::default() }
}

impl Koha {
    fn with(queue: &[u64]) -> Self {
        Self { queue: queue.to_vec(), faults: VecDeque::new(), now: NOON, asked: Vec::new() }
    }

    fn answer(&mut self, request: &Request) -> Result<Response, Failure> {
        let path = request.url.rsplit('/').next().unwrap();
        let value = |key: &str| request.form.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone());
        self.asked
            .push([Some(path.to_owned()), value("operationid")].into_iter().flatten().collect::<Vec<_>>().join(" "));
        let date = Some(KohaTime::from_millis(self.now));
        let response = match path {
            "authentication" => answer(200, "text/xml", "<response><status>failed</status></response>"),
            "service.pl" => answer(200, "text/plain", ""),
            "list.pl" => {
                let row = |number: &u64| {
                    format!(
                        "<tr class=\"oc-return\"><td><input name=\"operationid\" value=\"{number}\"></td>\
                         <td>2026-11-23 11:00:00</td><td>Check in</td><td>B{number}</td><td></td><td>0</td></tr>"
                    )
                };
                let rows: String = self.queue.iter().map(row).collect();
                let page = format!(
                    "<!DOCTYPE html><body id=\"ocirc_list\"><b class=\"loggedinusername\">desk</b>\
                     <b class=\"logged-in-branch-code\">CPL</b>{rows}"
                );
                Response { session_cookie: Some(Secret::new("made")), ..answer(200, "text/html", &page) }
            }
            "process.pl" => {
                let number: u64 = value("operationid").unwrap().parse().unwrap();
                let was_there = self.queue.contains(&number);
                let fault = self.faults.pop_front();
                if fault.as_ref().is_none_or(|(_, is_processed)| *is_processed) {
                    self.queue.retain(|other| *other != number);
                }
                if let Some((answer, _)) = fault {
                    return answer;
                }
                answer(200, "text/plain", if was_there { "Success." } else { "" })
            }
            _ => answer(404, "text/html", "<html>"),
        };
        Ok(Response { date, ..response })
    }
}

fn row(number: u64) -> Pending {
    let time = "2026-11-23 11:00:00".to_owned();
    Pending { number, time, action: "return".into(), barcode: format!("B{number}"), ..Pending::default() }
}

fn chosen(number: u64) -> Chosen {
    Chosen { row: row(number), own: None }
}

/// What is stored.
#[derive(Default)]
struct Record(Vec<Handled>);

impl Record {
    fn store(&mut self, notes: Vec<Note>) {
        for Note { handled, .. } in notes {
            self.0.retain(|row| row.number != handled.number);
            self.0.push(handled);
        }
    }

    fn ends(&self) -> Vec<(u64, Option<Outcome>)> {
        self.0.iter().map(|row| (row.number, row.outcome.clone())).collect()
    }
}

fn begin(numbers: &[u64], record: &Record) -> Processing {
    let unended = record.0.iter().filter(|row| row.outcome.is_none());
    let unended = unended.map(|row| Unended { run: 1, handled: row.clone(), own: None }).collect::<Vec<_>>();
    let left = record.0.iter().filter(|row| matches!(row.outcome, Some(Outcome::Left { .. }))).cloned();
    Processing::new(
        settings(),
        2,
        Deed::Process,
        numbers.iter().copied().map(chosen),
        unended,
        left.collect::<Vec<_>>(),
    )
}

/// Does what it says, to its end; `is_stored` says what becomes of each note.
fn drive(
    run: &mut Processing,
    koha: &mut Koha,
    record: &mut Record,
    mut is_stored: impl FnMut(&[Note], &mut Processing) -> bool,
) -> Report {
    for _ in 0..200 {
        let now = DeskTime::from_millis(koha.now);
        let input = match run.poll().expect("it says what is to be done") {
            Output::Note(noted) if is_stored(&noted, run) => {
                record.store(noted);
                Input::Noted
            }
            Output::Note(_) => Input::NotNoted,
            Output::Request(request) => Input::Answer(koha.answer(&request)),
            Output::Finished(report) => return report,
        };
        run.handle(input, now);
    }
    panic!("it does not end");
}

fn run(numbers: &[u64], koha: &mut Koha, record: &mut Record) -> Report {
    drive(&mut begin(numbers, record), koha, record, |_, _| true)
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with what may be none")]
fn left(reason: Doubt) -> Option<Outcome> {
    Some(Outcome::Left { reason })
}

#[test]
fn each_row_is_noted_before_it_is_asked_about_and_its_end_before_the_next() {
    let mut koha = Koha::with(&[3, 1, 2]);
    let mut record = Record::default();
    let mut seen = Vec::new();
    let mut processing = begin(&[1, 2, 9], &record);
    assert_eq!(processing.progress(), (0, 3));
    let report = drive(&mut processing, &mut koha, &mut record, |notes, _| {
        seen.push(notes.iter().map(|note| (note.handled.number, note.handled.outcome.clone())).collect::<Vec<_>>());
        true
    });
    let success = Some(Outcome::Success);
    let expected =
        [vec![(1, None)], vec![(1, success.clone()), (2, None)], vec![(2, success), (9, Some(Outcome::Gone))]];
    assert_eq!(seen, expected, "and what is not there any more is not asked about");
    assert_eq!(koha.queue, [3]);
    assert_eq!((report.stop, processing.progress()), (None, (3, 3)));
    assert_eq!(koha.asked.last().unwrap(), "mainpage.pl?logout.x=1", "its own session is ended");
}

#[test]
fn without_a_word_the_queue_tells() {
    let error = || Ok(answer(500, "text/plain", "Internal Server Error"));
    for (fault, reason) in [(Err(Failure::Lost), Doubt::ConnectionLost), (error(), Doubt::ServerError)] {
        for is_processed in [true, false] {
            let mut koha = Koha::with(&[1, 2]);
            koha.faults.push_back((fault.clone(), is_processed));
            let mut record = Record::default();
            let report = run(&[1, 2], &mut koha, &mut record);
            let first = if is_processed { Some(Outcome::Unseen) } else { left(reason) };
            assert_eq!(record.ends(), [(1, first), (2, Some(Outcome::Success))], "{fault:?}");
            assert_eq!((report.stop, report.waiting), (None, vec![]));
        }
    }
    let mut koha = Koha::with(&[1]);
    koha.faults.push_back((Ok(answer(200, "text/plain", "")), true));
    let mut record = Record::default();
    run(&[1], &mut koha, &mut record);
    assert_eq!(record.ends(), [(1, Some(Outcome::Gone))], "somebody else was quicker");
}

#[test]
fn what_was_left_is_asked_about_again_when_no_server_can_be_at_it_any_more() {
    let mut koha = Koha::with(&[1]);
    koha.faults.push_back((Err(Failure::TimedOut), false));
    let mut record = Record::default();
    run(&[1], &mut koha, &mut record);
    assert_eq!(record.ends(), [(1, left(Doubt::TimedOut))]);
    koha.now += 599_000;
    assert_eq!(run(&[1], &mut koha, &mut record).too_early, [1]);
    koha.now += 2_000;
    assert_eq!(run(&[1], &mut koha, &mut record).too_early, [] as [u64; 0]);
    assert_eq!((record.ends(), koha.queue.len()), (vec![(1, Some(Outcome::Success))], 0));
}

#[test]
fn what_was_interrupted_is_resolved_the_next_time_and_never_asked_twice() {
    for is_processed in [true, false] {
        let mut koha = Koha::with(&[1, 2]);
        let mut record = Record::default();
        // Killed when the request had left.
        let mut processing = begin(&[1, 2], &record);
        loop {
            match processing.poll().unwrap() {
                Output::Note(notes) => {
                    record.store(notes);
                    processing.handle(Input::Noted, DeskTime::from_millis(koha.now));
                }
                Output::Request(request) if request.url.ends_with("process.pl") => break,
                Output::Request(request) => {
                    let answer = koha.answer(&request);
                    processing.handle(Input::Answer(answer), DeskTime::from_millis(koha.now));
                }
                Output::Finished(_) => panic!("it has begun"),
            }
        }
        assert_eq!(record.ends(), [(1, None)]);
        if is_processed {
            koha.queue.remove(0);
        }
        koha.asked.clear();
        // It is enough to look.
        let report = run(&[], &mut koha, &mut record);
        let end = if is_processed { Some(Outcome::Unseen) } else { left(Doubt::Interrupted) };
        assert_eq!(record.ends(), [(1, end)]);
        assert_eq!(report.page.unwrap().rows.len(), koha.queue.len());
        let report = run(&[1, 2], &mut koha, &mut record);
        assert_eq!(report.too_early, if is_processed { vec![] } else { vec![1] });
        assert!(!koha.asked.contains(&"process.pl 1".to_owned()), "{:?}", koha.asked);
        koha.now += 601_000;
        run(&[1], &mut koha, &mut record);
        assert!(koha.queue.is_empty());
    }
}

#[test]
fn when_the_queue_cannot_be_read_either_it_ends_and_the_next_one_finds_out() {
    struct Gone(bool);
    let mut koha = Koha::with(&[1, 2]);
    koha.faults.push_back((Err(Failure::Lost), true));
    let mut record = Record::default();
    let mut processing = begin(&[1, 2], &record);
    let mut gone = Gone(false);
    let report = loop {
        let now = DeskTime::from_millis(koha.now);
        let input = match processing.poll().unwrap() {
            Output::Note(notes) => {
                record.store(notes);
                Input::Noted
            }
            Output::Request(_) if gone.0 => Input::Answer(Err(Failure::NotSent(NotSent::Refused))),
            Output::Request(request) => {
                let answer = koha.answer(&request);
                gone.0 = answer.is_err();
                Input::Answer(answer)
            }
            Output::Finished(report) => break report,
        };
        processing.handle(input, now);
    };
    assert_eq!((record.ends(), &report.in_doubt), (vec![(1, None)], &vec![1]));
    assert!(record.0[0].attempt.over.is_some(), "when it was over is kept");
    assert!(matches!(report.stop, Some(ProcessingError::Commit(CommitError::ConnectionLost(Failure::NotSent(_))))));
    run(&[], &mut koha, &mut record);
    assert_eq!(record.ends(), [(1, Some(Outcome::Unseen))]);
}

#[test]
fn a_refused_token_is_no_answer_and_is_tried_once_more() {
    let refused = || (Ok(answer(403, "text/plain", "Wrong CSRF token")), false);
    let mut koha = Koha::with(&[1]);
    koha.faults.push_back(refused());
    let mut record = Record::default();
    run(&[1], &mut koha, &mut record);
    assert_eq!((record.ends(), koha.queue.len()), (vec![(1, Some(Outcome::Success))], 0));
    let mut koha = Koha::with(&[1]);
    koha.faults.extend([refused(), refused()]);
    let mut record = Record::default();
    let report = run(&[1], &mut koha, &mut record);
    assert_eq!(record.ends(), [(1, Some(Outcome::NotAsked))]);
    assert_eq!(report.stop, Some(ProcessingError::Commit(CommitError::Connection(ConnectionError::TokenRefused))));
    assert_eq!(koha.queue, [1]);
}

#[test]
fn nothing_is_asked_that_is_not_noted_and_a_stop_lets_what_has_left_come_back() {
    let mut koha = Koha::with(&[1, 2]);
    let mut record = Record::default();
    let mut number = 0;
    let report = drive(&mut begin(&[1, 2], &record), &mut koha, &mut record, |_, _| {
        number += 1;
        number != 2
    });
    assert_eq!(report.stop, Some(ProcessingError::Commit(CommitError::NotPersisted)));
    assert_eq!(
        (record.ends(), koha.queue),
        (vec![(1, Some(Outcome::Success))], vec![2]),
        "its word is tried once more"
    );

    let mut koha = Koha::with(&[1, 2]);
    let mut record = Record::default();
    let mut processing = begin(&[1, 2], &record);
    loop {
        let now = DeskTime::from_millis(koha.now);
        let input = match processing.poll().unwrap() {
            Output::Note(notes) => {
                record.store(notes);
                Input::Noted
            }
            Output::Request(request) => {
                if request.url.ends_with("process.pl") {
                    processing.handle(Input::Stop, now);
                }
                Input::Answer(koha.answer(&request))
            }
            Output::Finished(report) => {
                assert_eq!(report.stop, Some(ProcessingError::Commit(CommitError::Cancelled)));
                break;
            }
        };
        processing.handle(input, now);
    }
    assert_eq!((record.ends(), koha.queue), (vec![(1, Some(Outcome::Success))], vec![2]));
}

#[test]
fn rows_of_one_item_do_not_overtake_each_other_and_errors_end_it() {
    let mut koha = Koha::with(&[1, 2, 3, 4, 5]);
    let same = |number: u64| Chosen { row: Pending { number, ..row(1) }, own: None };
    koha.faults.extend((0..3).map(|_| (Ok(answer(500, "text/html", "<html>")), false)));
    let mut record = Record::default();
    let of_one = [chosen(1), same(2)];
    let all = of_one.into_iter().chain([3, 4, 5].map(chosen));
    let mut processing = Processing::new(settings(), 2, Deed::Process, all, [], []);
    let report = drive(&mut processing, &mut koha, &mut record, |_, _| true);
    assert_eq!(report.waiting, [2]);
    assert_eq!(record.ends().iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 3, 4]);
    assert_eq!(report.stop, Some(ProcessingError::Commit(CommitError::ServerErrors(500))));
    assert_eq!(koha.queue.len(), 5);
}

#[test]
fn the_queue_of_another_library_is_left_alone() {
    let mut koha = Koha::with(&[1]);
    let mut record = Record::default();
    let elsewhere = Settings { branchcode: "MPL".into(), ..settings() };
    let mut processing = Processing::new(elsewhere, 2, Deed::Process, [chosen(1)], [], []);
    let report = drive(&mut processing, &mut koha, &mut record, |_, _| true);
    assert_eq!(report.stop, Some(ProcessingError::NotRead(NotRead::Elsewhere("CPL".into()))));
    assert_eq!((koha.queue.len(), record.0.len()), (1, 0));
    assert_eq!(koha.asked.last().unwrap(), "mainpage.pl?logout.x=1");
}

#[test]
fn an_end_is_for_the_log_where_the_row_is_its_own() {
    let action = Action::Return { barcode: Barcode::parse("B1").unwrap() };
    let transaction = Transaction { moment: Moment::new(NOON, 60).unwrap(), action };
    let entry = Entry { status: Status::Added, ..Entry::recorded(TransactionId(7), transaction) };
    let mut koha = Koha::with(&[1]);
    let mut record = Record::default();
    let own = Chosen { row: row(1), own: Some(entry) };
    let mut processing = Processing::new(settings(), 2, Deed::Process, [own], [], []);
    drive(&mut processing, &mut koha, &mut record, |_, _| true);
    assert_eq!(record.0[0].own, Some(TransactionId(7)));
    assert_eq!(record.0[0].shown, Shown::default(), "nothing is left to look at");
}
