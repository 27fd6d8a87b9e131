use super::*;
use crate::{
    desk::{
        barcode::Barcode,
        name::DeskName,
        transaction::{Action, Moment, Transaction, arbitrary},
    },
    desks::backup::{
        Writer,
        running::Running,
        testing::{batch, desk, now, statuses},
        write,
    },
    log::{
        rows::RawPlace,
        status::{State, Status},
    },
    settings::form::CommitType,
};
use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::{Value, json};

fn returned(item: &str, second: i64) -> Transaction {
    let moment = Moment::new(1_795_428_000_000 + second * 1000, 60).unwrap();
    Transaction { moment, action: Action::Return { barcode: Barcode::parse(item).unwrap() } }
}

/// A desk's log, as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Desk {
    name: DeskName,
    log: Vec<Entry>,
    batches: Vec<Batch>,
    cleared: Vec<String>,
    raw: Vec<Raw>,
}

impl Desk {
    fn new(name: &str, log: Vec<Entry>) -> Self {
        let nothing = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut desk =
            Self { name: desk(name), log: nothing.0, batches: nothing.1, cleared: nothing.2, raw: nothing.3 };
        desk.add(log);
        desk
    }

    fn add(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let from = self.log.len();
        for entry in entries {
            let id = TransactionId(u32::try_from(self.log.len()).unwrap() + 1);
            self.log.push(Entry { id, ..entry });
        }
        self.log[from..].to_vec()
    }

    fn backup(&self) -> String {
        let (mut writer, mut text) = Writer::begin(&Header::new(self.name.clone(), now()));
        text += &writer.add(self.raw.iter().cloned().map(Line::Raw));
        text += &writer.add(self.log.iter().cloned().map(Box::new).map(Line::Transaction));
        text += &writer.add(self.batches.iter().cloned().map(Box::new).map(Line::Commit));
        text += &writer.add(self.cleared.iter().cloned().map(Line::Cleared));
        text + &writer.end().0
    }

    /// Takes in a backup. Where the number of steps is given, it is broken off after them.
    fn restore(&mut self, bytes: &[u8], takes_name: bool, steps: Option<usize>) -> Adopted {
        let header = Header::from_file(bytes).unwrap();
        let mut knowledge = Knowledge::new(self.name.clone());
        for entry in &self.log {
            knowledge.take(entry);
        }
        if takes_name && knowledge.may_become(&header.desk) {
            self.name = header.desk.clone();
            knowledge.become_desk(header.desk.clone());
        }
        let (mut adoption, mut step) = Adoption::start(bytes, header, &mut knowledge);
        for _ in 0..steps.unwrap_or(usize::MAX) {
            let done = match step {
                AdoptionStep::Keep(rows) => {
                    let keep = |row: Raw| match () {
                        () if row.value == json!("nothing that can be stored") => Kept::Refused,
                        () if self.raw.contains(&row) => Kept::There,
                        () => {
                            self.raw.push(row);
                            Kept::Put
                        }
                    };
                    Input::Kept(rows.into_iter().map(keep).collect())
                }
                AdoptionStep::Read(ids) => {
                    Input::Here(self.log.iter().filter(|here| ids.contains(&here.id)).cloned().collect())
                }
                AdoptionStep::Write(known, new) => {
                    let mut left = known.len();
                    for here in &mut self.log {
                        if let Some(there) = known.get(&here.id) {
                            *here = merged(here, there).unwrap();
                            left -= 1;
                        }
                    }
                    assert_eq!(left, 0, "what is not there cannot be changed");
                    Input::Written(self.add(new))
                }
                AdoptionStep::Remember(batches, cleared) => {
                    let known = self.batches.clone();
                    self.batches.extend(batches.into_iter().filter(|batch| !known.contains(batch)));
                    self.cleared.extend(cleared);
                    self.cleared.sort();
                    self.cleared.dedup();
                    Input::Remembered
                }
                AdoptionStep::Rest => Input::Rested,
                AdoptionStep::Finish => break,
            };
            step = adoption.handle(done);
        }
        adoption.into_outcome()
    }

    fn states(&self) -> Vec<State> {
        self.log.iter().map(|entry| entry.status.state()).collect()
    }
}

/// A desk that has done a bit of everything.
fn bus() -> Desk {
    let entry = |number: usize, status: &Status| Entry {
        status: status.clone(),
        ..Entry::recorded(TransactionId(0), returned("A", i64::try_from(number).unwrap()))
    };
    let mut log: Vec<Entry> = statuses().iter().enumerate().map(|(number, status)| entry(number, status)).collect();
    log[0] = log[0].shifted(TimeDelta::hours(1), now()).unwrap();
    log.push(Entry { desk: Some(desk("Van")), part: 2, ..Entry::recorded(TransactionId(0), returned("A", 0)) });
    let mut bus = Desk::new("Bus", log);
    bus.batches = vec![batch(&[4, 5, 6]), batch(&[99])];
    bus.cleared = vec!["Bus\t0123".into(), "Van\t4567".into()];
    bus
}

#[test]
fn a_million_bad_lines_let_others_go_on_in_between() {
    let header = Header::new(desk("Bus"), now());
    let file = format!("{}{}", write(&header), "nonsense\n".repeat(10 * LINES_AT_ONCE));
    let mut knowledge = Knowledge::new(desk("Van"));
    let (mut adoption, mut step) = Adoption::start(file.as_bytes(), header, &mut knowledge);
    let mut rests = 0;
    while step == AdoptionStep::Rest {
        rests += 1;
        step = adoption.handle(Input::Rested);
    }
    assert_eq!((rests, step), (10, AdoptionStep::Remember(Vec::new(), Vec::new())));
    assert_eq!(adoption.into_outcome().refused, (2..=10 * LINES_AT_ONCE + 1).collect::<Vec<_>>());
}

/// As it is on another computer: what was being sent may have arrived.
fn moved(desk: &Desk) -> Desk {
    let mut moved = desk.clone();
    for entry in &mut moved.log {
        entry.status = entry.status.clone().after_restart(None);
    }
    // The commit of what was cleared is remembered without it.
    moved.batches[1] = batch(&[]);
    moved
}

#[test]
fn a_desk_is_moved_whole_with_its_name() {
    let mut new = Desk::new("Desk-1", Vec::new());
    let outcome = new.restore(bus().backup().as_bytes(), true, None);
    assert_eq!(outcome, Adopted { imported: 8, ..Adopted::default() });
    assert_eq!(new, moved(&bus()));
}

#[test]
fn without_its_name_what_it_recorded_is_another_desks() {
    let mut new = Desk::new("Main", Vec::new());
    new.restore(bus().backup().as_bytes(), false, None);
    let desks: Vec<_> = new.log.iter().map(|entry| entry.desk.as_ref().unwrap().as_str()).collect();
    assert_eq!(desks, ["Bus", "Bus", "Bus", "Bus", "Bus", "Bus", "Bus", "Van"]);
    assert_eq!(new.states(), moved(&bus()).states());
    // A log that has something keeps its name, whatever is wanted.
    let mut other = Desk::new("Main", vec![Entry::recorded(TransactionId(0), returned("Z", 0))]);
    other.restore(bus().backup().as_bytes(), true, None);
    assert_eq!(
        (other.name, other.log[0].desk.clone(), other.log[1].desk.clone()),
        (desk("Main"), None, Some(desk("Bus")))
    );
}

#[test]
fn restored_twice_it_brings_nothing() {
    for takes_name in [true, false] {
        let mut new = Desk::new("Desk-1", Vec::new());
        new.restore(bus().backup().as_bytes(), takes_name, None);
        let before = new.clone();
        let again = new.restore(bus().backup().as_bytes(), takes_name, None);
        assert_eq!(again, Adopted { already_there: 8, ..Adopted::default() });
        assert_eq!(new, before);
    }
}

#[test]
fn back_into_its_own_log_it_changes_nothing_but_what_had_seen_less() {
    use State::{Added, Deleted, InDoubt, Local, Rejected, Sending, Success};
    let mut bus = bus();
    let backup = bus.backup();
    // Since then two were committed, of which the backup knows less. Of one it knows more, as that of another computer may.
    bus.log[0].status = Status::Success;
    bus.log[4].status = Status::Added;
    bus.log[5].status = Status::Local;
    bus.restore(backup.as_bytes(), false, None);
    assert_eq!(bus.states(), [Success, Deleted, Rejected, Sending, Added, Added, Success, Local]);
    assert!(!bus.states().contains(&InDoubt), "what is being sent here is not changed");
    assert_eq!(bus.log.len(), 8);
}

#[test]
fn cut_at_any_byte_it_says_so_and_keeps_what_is_whole() {
    let backup = bus().backup();
    let whole = moved(&bus());
    let header = backup.find('\n').unwrap();
    for cut in 0..backup.len() {
        let bytes = &backup.as_bytes()[..cut];
        if cut < header {
            assert!(Header::from_file(bytes).is_err(), "cut at {cut}");
            continue;
        }
        let mut new = Desk::new("Desk-1", Vec::new());
        let outcome = new.restore(bytes, true, None);
        let is_whole = cut == backup.len() - 1;
        assert_eq!(outcome.is_cut, !is_whole, "cut at {cut}");
        // A line is whole without the line feed at its end; the first is the header.
        let lines = backup.match_indices('\n').filter(|(end, _)| *end <= cut).count() - 1;
        assert_eq!(new.log, whole.log[..lines.min(8)], "cut at {cut}");
        assert!(outcome.refused.len() <= 1);
        // The whole file brings the rest.
        new.restore(backup.as_bytes(), true, None);
        assert_eq!(new, whole, "cut at {cut}");
    }
}

#[test]
fn broken_off_at_any_step_it_goes_on_the_next_time() {
    let backup = bus().backup();
    for steps in 0.. {
        let mut new = Desk::new("Desk-1", Vec::new());
        new.restore(backup.as_bytes(), true, Some(steps));
        let is_done = new == moved(&bus());
        new.restore(backup.as_bytes(), true, None);
        assert_eq!(new, moved(&bus()), "broken off after {steps} steps");
        if is_done {
            assert_eq!(steps, 4, "three times some entries, and what is remembered");
            return;
        }
    }
}

#[test]
fn a_line_of_a_later_version_is_refused_by_its_number_and_the_others_are_taken() {
    let backup = bus().backup();
    let mut lines: Vec<&str> = backup.lines().collect();
    lines.insert(2, "{\"patron\":{\"cardnumber\":\"P1\"}}");
    lines.insert(5, "");
    lines.insert(7, "{\"transaction\":{\"seq\":1,\"moment\":{\"utc\":0,\"offset\":0},\"action\":\"renew\"}}");
    let mut new = Desk::new("Desk-1", Vec::new());
    let outcome = new.restore(lines.join("\r\n").as_bytes(), true, None);
    assert_eq!(outcome, Adopted { imported: 8, refused: vec![3, 8], ..Adopted::default() });
    assert_eq!(new, moved(&bus()));
    // Not UTF-8, and one lost.
    let mut bytes = backup.clone().into_bytes();
    let place = backup.match_indices('\n').nth(1).unwrap().0 - 4;
    bytes[place] = 0xff;
    let mut new = Desk::new("Desk-1", Vec::new());
    let outcome = new.restore(&bytes, true, None);
    assert_eq!((outcome.imported, outcome.refused, outcome.is_cut), (7, vec![2], true));
}

fn raw(of: RawPlace, key: u32, value: Value) -> Raw {
    Raw { of, key: json!(key), value }
}

#[test]
fn what_could_not_be_read_is_put_back_as_it_was_and_once() {
    let mut bus = bus();
    let odd = |key: u32| raw(RawPlace::Transactions, key, json!({"seq": key, "status": {"state": "posted"}}));
    // More than are taken at once.
    bus.raw = (20..29).map(odd).collect();
    bus.raw.push(raw(RawPlace::Commits, 1, json!(["nobody", {"$date": {"$number": "NaN"}}])));
    let backup = bus.backup();
    assert!(backup.contains(
        "\n{\"raw\":{\"of\":\"transactions\",\"key\":20,\"value\":{\"seq\":20,\"status\":{\"state\":\"posted\"}}}}\n"
    ));
    assert!(backup.ends_with("\n{\"end\":{\"transactions\":8,\"commits\":2,\"cleared\":2,\"raw\":10}}\n"), "{backup}");
    let mut new = Desk::new("Desk-1", Vec::new());
    let outcome = new.restore(backup.as_bytes(), true, None);
    assert_eq!(outcome, Adopted { imported: 18, ..Adopted::default() });
    assert_eq!(new, moved(&bus));
    let again = new.restore(backup.as_bytes(), true, None);
    assert_eq!(again, Adopted { already_there: 18, ..Adopted::default() });
    assert_eq!(new, moved(&bus));
    // Wherever it stands in the file, and whatever cannot be stored: the others are taken.
    let mut lines: Vec<String> = bus.backup().lines().map(str::to_owned).collect();
    lines.swap(1, 12);
    lines.insert(3, write(&Line::Raw(raw(RawPlace::Commits, 9, json!("nothing that can be stored")))));
    let mut new = Desk::new("Desk-1", Vec::new());
    let outcome = new.restore(lines.join("\n").as_bytes(), true, None);
    assert_eq!((outcome.imported, outcome.refused, new.raw.len(), new.log.len()), (18, vec![4], 10, 8));
}

#[test]
fn what_this_version_can_read_of_it_is_a_transaction_or_a_commit_like_any_other() {
    let mut old = Desk::new("Bus", Vec::new());
    let entry = Entry::recorded(TransactionId(3), returned("A", 0));
    old.raw = vec![
        raw(RawPlace::Transactions, 3, serde_json::to_value(&entry).unwrap()),
        raw(RawPlace::Commits, 1, serde_json::to_value(batch(&[3])).unwrap()),
    ];
    let mut new = Desk::new("Bus", vec![Entry::recorded(TransactionId(0), returned("A", 0))]);
    let outcome = new.restore(old.backup().as_bytes(), false, None);
    assert_eq!(outcome, Adopted { already_there: 1, ..Adopted::default() });
    assert_eq!((new.log.len(), new.batches, new.raw), (1, vec![batch(&[1])], vec![]));
}

#[test]
fn a_backup_of_before_such_lines_is_read_as_ever() {
    let old = "{\"koct\":\"log\",\"version\":1,\"desk\":\"Bus 2\",\"written\":{\"utc\":1795428000000,\"offset\":60},\"generator\":\"0.1.0\"}\n\
        {\"transaction\":{\"seq\":1,\"moment\":{\"utc\":1795427000547,\"offset\":60},\"action\":\"return\",\"barcode\":\"B\",\"status\":{\"state\":\"local\"}}}\n\
        {\"cleared\":\"Bus 2\\t0f3c\"}\n{\"end\":{\"transactions\":1,\"commits\":0,\"cleared\":1}}\n";
    let mut new = Desk::new("Main", Vec::new());
    assert_eq!(new.restore(old.as_bytes(), true, None), Adopted { imported: 1, ..Adopted::default() });
    assert_eq!(new.backup().lines().skip(1).collect::<Vec<_>>(), old.lines().skip(1).collect::<Vec<_>>());
}

#[test]
fn a_line_that_stands_twice_comes_once_with_the_status_that_has_seen_more() {
    let line = |id, status| {
        let entry = Entry { status, ..Entry::recorded(TransactionId(id), returned("A", 0)) };
        write(&Line::Transaction(Box::new(entry)))
    };
    let header = write(&Header::new(desk("Bus"), now()));
    let commit = write(&Line::Commit(Box::new(batch(&[1, 2, 3]))));
    for order in [[Status::Local, Status::Success, Status::Local], [Status::Success, Status::Local, Status::Added]] {
        let lines: String = (1..).zip(order).map(|(id, status)| line(id, status)).collect();
        let mut new = Desk::new("Bus", Vec::new());
        let outcome = new.restore(format!("{header}{lines}{commit}").as_bytes(), false, None);
        assert_eq!((outcome.imported, outcome.already_there), (1, 2));
        assert_eq!(new.states(), [State::Success]);
        assert_eq!(new.batches, [batch(&[1, 1, 1])]);
    }
}

#[test]
fn what_was_corrected_and_deleted_in_a_later_backup_comes_with_it_and_an_older_one_takes_nothing_back() {
    let log: Vec<Entry> = (0..4).map(|second| Entry::recorded(TransactionId(0), returned("A", second))).collect();
    let older = Desk::new("Bus", log);
    let mut later = older.clone();
    later.log[0] = later.log[0].edited(returned("C", 0).action, now()).unwrap();
    later.log[1] = later.log[1].deleted(now()).unwrap();
    later.log[2].status = Status::Success;
    for order in [[&older, &later], [&later, &older]] {
        let mut new = Desk::new("Bus", Vec::new());
        for backup in order {
            new.restore(backup.backup().as_bytes(), false, None);
        }
        assert_eq!(new.log, later.log);
    }
}

proptest! {
    /// Backups of desks that have some of each other's transactions, each as far as that desk has seen: in whatever order
    /// they come, each transaction is there once, and is where the one that has seen most of Koha has it.
    #[test]
    fn whatever_comes_in_whatever_order_each_is_there_once_and_nothing_is_forgotten(
        transactions in prop::collection::hash_set(arbitrary::transaction(Just(60_i16)), 1..10),
        held in prop::collection::vec(prop::collection::vec((any::<bool>(), 0..7_usize), 10), 1..4),
        again in any::<prop::sample::Index>(),
    ) {
        let transactions: Vec<_> = transactions.into_iter().collect();
        let mut seen: HashMap<Transaction, Vec<Status>> = HashMap::new();
        let logs: Vec<String> = held
            .iter()
            .map(|held| {
                let log = transactions.iter().zip(held).filter(|(_, (is_held, _))| *is_held).map(|(transaction, (_, place))| {
                    let status = statuses()[*place].clone();
                    seen.entry(transaction.clone()).or_default().push(status.clone());
                    Entry { status, ..Entry::recorded(TransactionId(0), transaction.clone()) }
                });
                Desk::new("Bus", log.collect()).backup()
            })
            .collect();
        let mut new = Desk::new("Main", Vec::new());
        for backup in logs.iter().chain([again.get(&logs)]) {
            new.restore(backup.as_bytes(), false, None);
        }
        let held: Vec<_> = new.log.iter().map(|entry| entry.transaction.clone()).collect();
        prop_assert_eq!(held.len(), seen.len(), "each once");
        for entry in &new.log {
            let seen: Vec<State> = seen[&entry.transaction].iter().map(Status::state).collect();
            let state = entry.status.state();
            prop_assert_eq!(state.is_committed(), seen.iter().any(|state| state.is_committed()));
            prop_assert!(state != State::Local || seen.iter().all(|state| state.is_to_send()));
            if seen.iter().any(|state| state.is_doubtful()) {
                prop_assert!(state.is_committed() || state == State::InDoubt, "a doubt is never forgotten");
            }
        }
    }

    #[test]
    fn never_panics_on_any_lines(lines in prop::collection::vec("\\PC{0,30}|\\{\"(end|commit|cleared|transaction)\":.{0,30}", 0..10)) {
        let text = format!("{}{}", write(&Header::new(desk("Bus"), now())), lines.join("\n"));
        let outcome = Desk::new("Main", Vec::new()).restore(text.as_bytes(), true, None);
        prop_assert!(outcome.refused.len() <= lines.len());
    }
}

#[test]
fn what_a_running_commit_may_have_sent_since_comes_back_in_doubt() {
    let entry = |id, status| Entry { status, ..Entry::recorded(TransactionId(id), returned("B", i64::from(id))) };
    let lost = Desk::new("Bus", vec![entry(1, Status::Success), entry(2, Status::Local), entry(3, Status::Local)]);
    let running = Running { up_to: TransactionId(2), commit_type: CommitType::Apply, server: "https://koha".into() };
    let (_, first) = Writer::begin(&Header::new(lost.name.clone(), now()).with(None, Some(running)));
    let told = |desk: &Desk| {
        let text = desk.backup();
        format!("{first}{}", &text[text.find('\n').unwrap() + 1..])
    };
    let mut log = Desk::new("Main", Vec::new());
    log.restore(told(&lost).as_bytes(), false, None);
    let states = [State::Success, State::InDoubt, State::Local];
    assert_eq!(log.states(), states, "the third was recorded after it had begun");
    // Where an older state of the log is there, with what was corrected since.
    let mut log = Desk::new("Bus", vec![entry(1, Status::Local), entry(2, Status::Local), entry(3, Status::Local)]);
    let mut later = lost.clone();
    for place in [1, 2] {
        later.log[place] = later.log[place].edited(returned("C", 0).action, now()).unwrap();
    }
    log.restore(told(&later).as_bytes(), false, None);
    assert_eq!(log.states(), states);
    let contents = |desk: &Desk| desk.log.iter().map(|entry| entry.transaction.clone()).collect::<Vec<_>>();
    assert_eq!(contents(&log), contents(&later));
}
