//! Where the plugin is there.

use super::*;
use crate::{
    desk::branch::BranchCode,
    koha::{inquiry::Trace, plugin::MOST_AT_ONCE},
};

/// A model of it: what it was given, it remembers.
#[derive(Debug, Clone, Default)]
pub(super) struct Plugin {
    /// What became of each, in the words in which it was given.
    memory: BTreeMap<String, &'static str>,
    fates: VecDeque<Given>,
    /// The numbers of the transactions of each request.
    given: Vec<Vec<u32>>,
    /// Once it was given anything, nobody gets a session any more.
    locks: bool,
    /// It remembers what it refused too.
    pub(super) remembers_refusals: bool,
}

impl Plugin {
    /// With what it remembers, and these fates to come.
    pub(super) fn with(self, fates: Vec<Given>) -> Self {
        Self { fates: fates.into(), given: Vec::new(), ..self }
    }

    pub(super) fn is_locked(&self) -> bool {
        self.locks && !self.given.is_empty()
    }
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    Fine,
    /// This number of them is processed, then the answer is lost.
    Lost(usize),
    TimedOut(usize),
    /// This number is processed, then the server dies.
    Died(usize),
    /// All are processed, and somebody puts their page in place of the answer.
    Page,
    /// All are processed, and the last is not told of.
    Short,
    /// Of this one it says so, and does nothing.
    Says(usize, &'static str, &'static str),
    NotSent,
    /// Nobody is known there any more.
    Unknown,
    Busy,
    /// Somebody took it away.
    Gone,
}

impl Run {
    pub(super) fn plugin(&mut self, request: &Request) -> Result<Response, Failure> {
        let Some(plugin) = &mut self.plugin else { return Ok(response(404, "text/html", "<html>Error 404")) };
        let body: serde_json::Value = serde_json::from_str(&request.body().unwrap()).unwrap();
        let rows = body["transactions"].as_array().unwrap();
        let json = |results: &[serde_json::Value]| {
            response(200, "application/json", &serde_json::json!({"results": results}).to_string())
        };
        if rows.is_empty() {
            return Ok(json(&[]));
        }
        assert!(rows.len() <= MOST_AT_ONCE);
        let second = |row: &serde_json::Value| row["timestamp"].as_str().unwrap()[..19].replace('T', " ");
        let id = |row: &serde_json::Value| {
            let seconds = (1..1_000).find(|id| entry(*id, "A").transaction.moment.service_timestamp() == second(row));
            seconds.unwrap()
        };
        let ids: Vec<u32> = rows.iter().map(id).collect();
        for id in &ids {
            let status = &self.store[id];
            assert!(
                matches!(status, Status::Sending { attempt } if attempt.plugin.as_deref() == body["branchcode"].as_str()),
                "{status:?}"
            );
        }
        plugin.given.push(ids);
        let fate = plugin.fates.pop_front().unwrap_or(Given::Fine);
        let processed = match fate {
            Given::NotSent | Given::Unknown | Given::Busy | Given::Gone => 0,
            Given::Lost(number) | Given::TimedOut(number) | Given::Died(number) => number,
            _ => rows.len(),
        };
        let done = if body["pending"] == true { "queued" } else { "processed" };
        let mut results = Vec::new();
        for (number, row) in rows.iter().enumerate().take(processed) {
            let words = format!("{} {row}", body["branchcode"]);
            results.push(match (fate, plugin.memory.get(&words)) {
                (_, Some(before)) => {
                    serde_json::json!({"status": "skipped", "message": format!("Already processed: {before}")})
                }
                (Given::Says(of, status, message), None) if of == number => {
                    if plugin.remembers_refusals && status == "error" {
                        plugin.memory.insert(words, "error");
                    }
                    serde_json::json!({"status": status, "message": message})
                }
                (_, None) => {
                    plugin.memory.insert(words, done);
                    self.booked.push((second(row), body["branchcode"].as_str().unwrap().to_owned()));
                    *self.effects.entry(second(row)).or_default() += 1;
                    serde_json::json!({"status": done, "message": "Done"})
                }
            });
        }
        match fate {
            Given::Fine | Given::Says(..) => Ok(json(&results)),
            Given::Short => Ok(json(&results[1..])),
            Given::Lost(_) => Err(Failure::Lost),
            Given::TimedOut(_) => Err(Failure::TimedOut),
            Given::Died(_) => Ok(response(500, "text/html", "<html>Error 500")),
            Given::Page => Ok(response(200, "text/html", "<html><title>Welcome</title>")),
            Given::NotSent => Err(Failure::NotSent(NotSent::Refused)),
            Given::Unknown => Ok(response(401, "application/json", "{\"error\":\"Authentication failure.\"}")),
            Given::Busy => Ok(busy(30)),
            Given::Gone => Ok(response(404, "text/html", "<html>Error 404")),
        }
    }

    pub(super) fn with_plugin(commit_type: CommitType, entries: &[Entry], fates: &[Given]) -> Self {
        let mut run = Self::of(commit_type, false, entries, vec![]);
        run.plugin = Some(Plugin { fates: fates.iter().copied().collect(), ..Plugin::default() });
        run
    }

    pub(super) fn given(&self) -> &[Vec<u32>] {
        &self.plugin.as_ref().unwrap().given
    }

    /// The next commit, after this time, with the plugin as it is.
    pub(super) fn next(self, entries: &[Entry], after: Duration) -> Self {
        let entries: Vec<Entry> =
            entries.iter().map(|entry| Entry { status: self.store[&entry.id.0].clone(), ..entry.clone() }).collect();
        let mut next = Self::of(self.commit_type, self.era_from_2405, &entries, vec![]);
        next.plugin = self.plugin.map(|plugin| Plugin { given: Vec::new(), ..plugin });
        (next.effects, next.loans) = (self.effects, self.loans);
        next.passed = self.passed + after;
        next.desk_now = DeskTime::from_millis(self.desk_now.millis() + i64::try_from(after.as_millis()).unwrap());
        next
    }
}

fn many(number: u32) -> Vec<Entry> {
    (1..=number).map(|id| entry(id, &format!("B{id}"))).collect()
}

pub(super) fn once(run: &Run) -> bool {
    run.effects.values().all(|times| *times == 1)
}

#[test]
fn gives_a_hundred_at_once_in_their_order() {
    let entries = many(250);
    let to = |from: u32, to: u32| (from..=to).collect::<Vec<_>>();
    for (commit_type, state, given) in [
        (CommitType::Send, "added", vec![to(1, 100), to(101, 200), to(201, 250)]),
        // Where the first checkout is booked is looked at before there is a second.
        (CommitType::Apply, "success", vec![to(1, 1), to(2, 101), to(102, 201), to(202, 250)]),
    ] {
        for era in [false, true] {
            let mut run = Run::of(commit_type, era, &entries, vec![]);
            run.plugin = Some(Plugin::default());
            let run = run.finish();
            assert_eq!((run.given(), run.requests), (&given[..], 0));
            assert!(run.states().iter().all(|other| *other == state) && once(&run));
            assert_eq!((run.summary().committed(), run.stop(), run.sessions), (250, None, 0));
            assert_eq!(run.outbox.progress(), (250, 250));
            assert_eq!(run.summary().settled, entries.iter().map(|entry| entry.id).collect::<Vec<_>>());
        }
    }
}

#[test]
fn two_of_one_item_never_go_together() {
    let entries = [entry(1, "A"), entry(2, "B"), entry(3, "a"), entry(4, "C"), entry(5, "B")];
    for (commit_type, given) in [
        (CommitType::Send, vec![vec![1, 2], vec![3, 4, 5]]),
        (CommitType::Apply, vec![vec![1], vec![2, 3, 4], vec![5]]),
    ] {
        assert_eq!(Run::with_plugin(commit_type, &entries, &[]).finish().given(), given);
    }
}

#[test]
fn what_is_of_another_library_goes_with_that_librarys_name() {
    let at = |entry: Entry, code: &str| Entry { branch: Some(BranchCode::parse(code).unwrap()), ..entry };
    let entries =
        [entry(1, "A"), at(entry(2, "B"), "CPL"), at(entry(3, "C"), "MPL"), at(entry(4, "D"), "MPL"), entry(5, "E")];
    let libraries = r#"[{"library_id":"CPL","name":"Centerville"},{"library_id":"MPL","name":"Midway"}]"#;
    let mut run = Run::with_plugin(CommitType::Send, &entries, &[Given::Fine, Given::Lost(1)]);
    run.libraries = libraries;
    let run = run.finish();
    assert_eq!(run.given(), [vec![1, 2], vec![3, 4]]);
    for id in [3, 4] {
        let at_mpl = |attempt: &Attempt| attempt.plugin.as_deref() == Some("MPL");
        assert!(matches!(&run.store[&id], Status::InDoubt { attempt, .. } if at_mpl(attempt)), "{:?}", run.store[&id]);
    }
    // It is asked again in the same words.
    let mut run = run.next(&entries, Duration::from_secs(1_201));
    run.libraries = libraries;
    let run = run.finish();
    assert_eq!(run.given(), [vec![3, 4], vec![5]]);
    assert!(run.states().iter().all(|state| *state == "added") && once(&run));
}

#[test]
fn what_was_given_and_is_not_told_of_is_in_doubt_as_a_whole_and_nothing_more_is_given() {
    use Given::*;
    let entries = [entry(1, "A"), entry(2, "B"), entry(3, "A")];
    let lost = |failure| Some(CommitError::ConnectionLost(failure));
    let not_koha = |words: &str| Some(CommitError::NotKoha { front: Front::Other, words: words.into() });
    let in_doubt = vec!["in-doubt", "in-doubt", "local"];
    for (fate, states, stop) in [
        (Lost(0), in_doubt.clone(), lost(Failure::Lost)),
        (Lost(1), in_doubt.clone(), lost(Failure::Lost)),
        (TimedOut(2), in_doubt.clone(), lost(Failure::TimedOut)),
        (Page, in_doubt.clone(), not_koha("200 Welcome")),
        (Short, in_doubt.clone(), not_koha("200 {\"results\":[{\"message\":\"Done\",\"status\":\"queued\"}]}")),
        (Gone, in_doubt.clone(), not_koha("404 Error 404")),
        // It goes on when it may, but not with what is of an item in doubt.
        (Busy, in_doubt.clone(), None),
        (Died(1), in_doubt, None),
        // Nothing was given.
        (Unknown, vec!["added"; 3], None),
        (NotSent, vec!["added"; 3], None),
        (Says(1, "error", "Item not found."), vec!["added", "rejected", "added"], None),
        (Says(0, "error", "It died"), vec!["in-doubt", "added", "local"], None),
    ] {
        let run = Run::with_plugin(CommitType::Send, &entries, &[fate]).finish();
        assert_eq!((run.states(), run.stop()), (states, stop.as_ref()), "{fate:?}");
        assert!(once(&run) && run.requests == 0, "{fate:?}");
    }
    let gone = Run::with_plugin(CommitType::Send, &entries, &[NotSent; 9]).finish();
    assert_eq!((gone.states(), gone.pauses.len()), (vec!["local"; 3], 4));
    let unknown = Run::with_plugin(CommitType::Send, &entries, &[Unknown; 2]).finish();
    assert_eq!(unknown.states(), ["local"; 3]);
    assert_eq!(unknown.stop(), Some(&CommitError::Connection(ConnectionError::WrongCredentials)));
    let mut locked = Run::of(CommitType::Send, true, &entries, vec![]);
    locked.plugin = Some(Plugin { fates: [Unknown].into(), locks: true, ..Plugin::default() });
    let locked = locked.finish();
    assert_eq!((locked.states(), locked.requests), (vec!["local"; 3], 0));
    assert_eq!(locked.stop(), Some(&CommitError::Connection(ConnectionError::NotReadable)));
}

#[test]
fn what_it_did_not_answer_it_is_asked_about_again() {
    let entries = [entry(1, "A"), entry(2, "B"), entry(3, "C"), entry(4, "A")];
    for commit_type in CommitType::ALL {
        for processed in 0..=3 {
            let mut first = Run::with_plugin(commit_type, &entries, &[Given::Lost(processed)]);
            (first.loans, first.returned) = ("<html>", "<html>");
            let first = first.finish();
            let doubts = first.given()[0].len();
            let early = first.next(&entries, Duration::from_secs(599)).finish();
            let told = &early.summary().findings;
            assert!(told.iter().all(|(_, finding)| *finding == Finding::Unclear(Unclear::TooEarly)), "{told:?}");
            assert_eq!(told.len(), doubts);
            assert_eq!(early.summary().waiting, 1, "what is of an item in doubt waits");
            let again = early.next(&entries, Duration::from_secs(601)).finish();
            assert!(again.states().iter().all(|state| matches!(*state, "added" | "success")), "{:?}", again.states());
            assert!(once(&again) && again.effects.len() == 4 && again.requests == 0);
            let remembered: Vec<_> = (1..=3).take(processed.min(doubts)).map(TransactionId).collect();
            let found: Vec<_> = remembered.into_iter().map(|id| (id, Finding::Found(Trace::Remembered))).collect();
            assert_eq!(again.summary().findings, found);
            assert!(again.summary().is_complete(), "{:?}", again.summary());
        }
    }
}

#[test]
fn only_what_it_was_given_in_the_same_words_is_it_asked_about_again() {
    let attempt = |commit_type| Attempt { plugin: Some("CPL".into()), ..attempt(commit_type) };
    let asked = |attempt: Attempt, others: &[Entry]| {
        let doubt = Entry { status: Status::InDoubt { reason: Doubt::ConnectionLost, attempt }, ..entry(1, "A") };
        let entries: Vec<Entry> = std::iter::once(doubt).chain(others.iter().cloned()).collect();
        let mut run = Run::with_plugin(CommitType::Apply, &entries, &[]);
        run.loans = "<html>";
        let run = run.finish();
        (run.given().concat(), run.states())
    };
    let same = attempt(CommitType::Apply);
    assert_eq!(asked(same.clone(), &[]), (vec![1], vec!["success"]));
    for other in [
        Attempt { plugin: None, ..same.clone() },
        Attempt { plugin: Some("MPL".into()), ..same.clone() },
        Attempt { server: "https://koha2.example.org".into(), ..same.clone() },
        Attempt { over: Some(DESK_NOW), ..same.clone() },
        Attempt { over: None, ..same.clone() },
        attempt(CommitType::Send),
    ] {
        assert_eq!(asked(other.clone(), &[]), (vec![], vec!["in-doubt"]), "{other:?}");
    }
    // What else of the item is in doubt may come before or behind it.
    let others = Entry { status: in_doubt(CommitType::Apply), ..entry(2, "A") };
    assert_eq!(asked(same.clone(), std::slice::from_ref(&others)), (vec![], vec!["in-doubt"; 2]));
    let doubt = Status::InDoubt { reason: Doubt::TimedOut, attempt: same.clone() };
    let mut run = Run::with_plugin(CommitType::Apply, &[Entry { status: doubt, ..entry(1, "A") }, others.clone()], &[]);
    run.loans = r#"[{"patron_id":1,"item_id":1,"checkout_date":"2026-11-23T10:00:01Z"}]"#;
    assert_eq!(run.finish().states(), ["success", "in-doubt"], "the loans are asked for instead");
    let also = Status::InDoubt { reason: Doubt::TimedOut, attempt: same.clone() };
    assert_eq!(asked(same, &[Entry { status: also, ..others }]), (vec![1, 2], vec!["success"; 2]));
}

#[test]
fn an_attempt_whose_end_nobody_saw_is_dated_and_asked_about_later() {
    let attempt =
        Attempt { plugin: Some("CPL".into()), over: Some(DESK_NOW), ahead: None, ..attempt(CommitType::Apply) };
    let action = Action::Payment { cardnumber: Cardnumber::parse("P1").unwrap(), amount: Amount::parse("1").unwrap() };
    let status = Status::InDoubt { reason: Doubt::Interrupted, attempt };
    let payment = Entry { transaction: Transaction { action, ..entry(1, "A").transaction }, status, ..entry(1, "A") };
    let entries = [payment];
    let run = Run::with_plugin(CommitType::Apply, &entries, &[]).finish();
    assert_eq!(run.summary().findings, [(TransactionId(1), Finding::Unclear(Unclear::TooEarly))]);
    let run = run.next(&entries, SETTLED_AFTER).finish();
    assert_eq!((run.states(), run.given().len()), (vec!["success"], 1), "nothing else proves a payment");
}

#[test]
fn what_is_known_before_the_plugin_is_asked_again_needs_no_asking() {
    let entries = [entry(1, "A")];
    let mut run = Run::with_plugin(CommitType::Apply, &entries, &[Given::Lost(1)]).finish();
    run.loans = r#"[{"patron_id":1,"item_id":1,"checkout_date":"2026-11-23T10:00:01Z"}]"#;
    let run = run.next(&entries, Duration::from_secs(1)).finish();
    assert_eq!((run.states(), run.given().len()), (vec!["success"], 0));
    assert_eq!(run.summary().findings, [(TransactionId(1), Finding::Found(Trace::Loan))]);
}

#[test]
fn where_the_plugin_is_gone_its_doubts_are_proved_as_all_others() {
    let entries = [entry(1, "A"), entry(2, "B")];
    for (loans, states) in [("[]", ["success"; 2]), ("<html>", ["in-doubt", "success"])] {
        let mut run = Run::with_plugin(CommitType::Apply, &entries, &[Given::Lost(0)]).finish();
        (run.plugin, run.loans) = (None, loans);
        let run = run.next(&entries, SETTLED_AFTER).finish();
        assert_eq!((run.states(), run.requests > 0), (states.to_vec(), true));
        // A doubt of Koha's is not given to the plugin when that is there again.
        let mut koha = Run::new(&entries, vec![Fate::LostBefore]).finish();
        (koha.plugin, koha.loans) = (Some(Plugin::default()), "<html>");
        let koha = koha.next(&entries, SETTLED_AFTER).finish();
        assert_eq!((koha.states(), koha.given().concat()), (vec!["in-doubt", "success"], vec![2]));
    }
}

#[test]
fn what_brings_the_server_down_is_found_one_by_one_and_given_no_third_time() {
    let entries = [&many(3)[..], &[entry(4, "B4"), entry(5, "B5")]].concat();
    let run = Run::with_plugin(CommitType::Send, &entries[..3], &[Given::Died(1)]).finish();
    assert_eq!(run.states(), ["in-doubt"; 3]);
    let mut run = run;
    for entry in &entries[3..] {
        run.store.insert(entry.id.0, Status::Local);
    }
    let mut run = run.next(&entries, SETTLED_AFTER);
    run.plugin.as_mut().unwrap().fates = [Given::Fine, Given::Died(0)].into();
    let run = run.finish();
    assert_eq!(run.given(), [vec![1], vec![2], vec![3], vec![4], vec![5]]);
    assert_eq!(run.states(), ["added", "in-doubt", "added", "added", "added"]);
    let run = run.next(&entries, SETTLED_AFTER).finish();
    assert!(run.given().is_empty(), "it is for a person");
    let died = Run::with_plugin(CommitType::Send, &many(20), &[Given::Died(0); 20]).finish();
    assert_eq!((died.stop(), died.given().len()), (None, 1), "all that was to be sent was in it");
}

#[test]
fn what_somebody_else_gave_it_before_is_committed_and_told() {
    let entries = [entry(1, "A"), entry(2, "B")];
    for commit_type in CommitType::ALL {
        let first = Run::with_plugin(commit_type, &entries[..1], &[]).finish();
        let mut other = first.next(&entries[..1], SETTLED_AFTER);
        other.outbox = Outbox::new(settings(commit_type), entries.to_vec().into());
        other.store = entries.iter().map(|entry| (entry.id.0, Status::Local)).collect();
        let other = other.finish();
        assert!(once(&other) && other.summary().is_complete());
        assert_eq!((other.summary().committed(), other.summary().found()), (2, 1));
    }
}

#[test]
fn a_log_that_cannot_be_written_leaves_what_was_in_doubt_in_doubt() {
    let attempt = Attempt { plugin: Some("CPL".into()), ..attempt(CommitType::Send) };
    let doubt = Status::InDoubt { reason: Doubt::TimedOut, attempt };
    let entries = [Entry { status: doubt, ..entry(1, "A") }, entry(2, "B")];
    let mut full = Run::with_plugin(CommitType::Send, &entries, &[]);
    full.fail_persist_at = Some(1);
    let full = full.finish();
    assert_eq!((full.states(), full.summary().left), (vec!["in-doubt", "local"], 1));
    // Nor does it become unsent where no server was reached.
    let gone = Run::with_plugin(CommitType::Send, &entries, &[Given::NotSent; 9]).finish();
    assert_eq!((gone.states(), gone.summary().left), (vec!["in-doubt", "local"], 1));
}

pub(super) fn given() -> impl Strategy<Value = Given> {
    prop_oneof![
        6 => Just(Given::Fine),
        2 => (0..6_usize).prop_map(Given::Lost),
        1 => (0..6_usize).prop_map(Given::TimedOut),
        1 => (0..6_usize).prop_map(Given::Died),
        1 => Just(Given::Page),
        1 => Just(Given::Short),
        1 => (0..4_usize).prop_map(|number| Given::Says(number, "error", "Item not found.")),
        1 => (0..4_usize).prop_map(|number| Given::Says(number, "error", "It died")),
        1 => Just(Given::NotSent),
        1 => Just(Given::Unknown),
        1 => Just(Given::Busy),
        1 => Just(Given::Gone),
    ]
}

proptest! {
    /// As with Koha alone; the plugin comes and goes, and what it remembers stays.
    #[test]
    fn no_crash_and_no_fault_makes_anything_happen_twice_with_the_plugin(
        items in prop::collection::vec(0..5_u8, 1..12),
        luck in any::<u64>(),
        runs in prop::collection::vec(
            (prop::collection::vec(given(), 0..6), prop::collection::vec(fate(), 0..6), 0..60_u32, prop::option::weighted(0.2, 1..10_u32), 0..1_200_u64, prop::bool::weighted(0.7)),
            1..7,
        ),
    ) {
        let mut entries: Vec<_> = (1..).zip(&items).map(|(id, item)| entry(id, &format!("B{item}"))).collect();
        let mut effects: BTreeMap<String, u32> = BTreeMap::new();
        let mut plugin = Plugin::default();
        let mut passed = Duration::ZERO;
        for (given, fates, steps, fail_persist_at, seconds, is_there) in runs {
            let commit_type = if luck & 1 == 0 { CommitType::Apply } else { CommitType::Send };
            passed += Duration::from_secs(seconds);
            let mut run = Run::of(commit_type, luck & 2 == 0, &entries, fates);
            run.luck = Some(fastrand::Rng::with_seed(luck));
            // Nothing but the plugin proves anything.
            (run.loans, run.returned) = ("<html>", "<html>");
            run.effects = std::mem::take(&mut effects);
            run.fail_persist_at = fail_persist_at;
            run.passed = passed;
            run.desk_now = DeskTime::from_millis(DESK_NOW.millis() + i64::try_from(passed.as_millis()).unwrap());
            plugin.fates = given.into();
            run.plugin = is_there.then(|| plugin.clone());
            for _ in 0..steps {
                if !run.step() {
                    break;
                }
            }
            for entry in &mut entries {
                entry.status = run.store[&entry.id.0].clone().after_restart(Some(run.desk_now));
            }
            plugin = run.plugin.unwrap_or(plugin);
            effects = run.effects;
            check(&entries, &effects)?;
        }
    }
}
