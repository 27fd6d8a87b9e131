//! Rows of several libraries, with the plugin, Koha's own check-in, and people who change something meanwhile.

use super::{
    plugin::{Given, Plugin, given, once},
    *,
};
use crate::{desk::branch::BranchCode, koha::inquiry::Trace};

const BOTH: &str = r#"[{"library_id":"CPL","name":"Centerville"},{"library_id":"MPL","name":"Midway"}]"#;

fn at(entry: Entry, code: &str) -> Entry {
    Entry { branch: Some(BranchCode::parse(code).unwrap()), ..entry }
}

fn back(id: u32, barcode: &str) -> Entry {
    let action = Action::Return { barcode: Barcode::parse(barcode).unwrap() };
    Entry { transaction: Transaction { action, ..entry(id, barcode).transaction }, ..entry(id, barcode) }
}

fn with_plugin(commit_type: CommitType, entries: &[Entry], fates: &[Given]) -> Run {
    let mut run = Run::with_plugin(commit_type, entries, fates);
    run.libraries = BOTH;
    run
}

/// Given to the plugin for MPL, without an answer; long enough ago.
fn given_for_mpl(commit_type: CommitType) -> Status {
    let attempt = Attempt { plugin: Some("MPL".into()), ..attempt(commit_type) };
    Status::InDoubt { reason: Doubt::ConnectionLost, attempt }
}

#[test]
fn a_doubt_of_the_plugins_is_asked_again_at_its_own_library_alone_wherever_the_desk_is_now() {
    for commit_type in CommitType::ALL {
        for (branch, given, state) in [
            (Some("MPL"), vec![vec![1]], commit_type_state(commit_type)),
            // It was recorded without a library, and the desk was at MPL then.
            (None, vec![], "in-doubt"),
            (Some("CPL"), vec![], "in-doubt"),
        ] {
            let doubt = Entry { status: given_for_mpl(commit_type), ..entry(1, "A") };
            let doubt = branch.map_or(doubt.clone(), |code| at(doubt, code));
            let mut run = with_plugin(commit_type, &[doubt], &[]);
            run.loans = "<html>";
            let run = run.finish();
            assert_eq!((run.given(), run.states()), (&given[..], vec![state]), "{branch:?}");
            assert!(once(&run) && run.requests == 0);
            assert!(state != "in-doubt" || run.summary().findings.len() == 1, "somebody is told: {:?}", run.summary());
        }
    }
}

fn commit_type_state(commit_type: CommitType) -> &'static str {
    if commit_type == CommitType::Send { "added" } else { "success" }
}

#[test]
fn where_each_librarys_first_checkout_is_booked_is_looked_at() {
    let entries = [entry(1, "A"), entry(2, "B"), at(entry(3, "C"), "MPL"), at(entry(4, "D"), "MPL")];
    let loan = |second: u32, library: &str| {
        format!(
            r#"{{"patron_id":1,"item_id":1,"library_id":"{library}","checkout_date":"2026-11-23T10:00:0{second}Z"}}"#
        )
    };
    for has_plugin in [false, true] {
        for (of_third, states, stop) in [
            ("MPL", ["success"; 4], None),
            // A rule of the server's books all that comes from this desk at its own library.
            (
                "CPL",
                ["success", "success", "success", "local"],
                Some(CommitError::BookedElsewhere { at: "CPL".into(), not_at: "MPL".into() }),
            ),
        ] {
            let mut run = Run::of(CommitType::Apply, true, &entries, vec![]);
            run.libraries = BOTH;
            run.plugin = has_plugin.then(Default::default);
            run.loans = format!("[{},{}]", loan(1, "CPL"), loan(3, of_third)).leak();
            let run = run.finish();
            assert_eq!((run.states(), run.stop()), (states.to_vec(), stop.as_ref()), "{has_plugin}");
            if has_plugin {
                let given = [vec![1], vec![2], vec![3], vec![4]];
                assert_eq!(run.given(), &given[..if stop.is_some() { 3 } else { 4 }]);
            } else {
                assert_eq!(run.branches, &["CPL", "CPL", "MPL", "MPL"][..if stop.is_some() { 3 } else { 4 }]);
            }
        }
    }
}

#[test]
fn one_item_goes_through_the_plugin_and_kohas_own_check_in_in_its_order_each_at_its_library() {
    let entries = [
        at(entry(1, "A"), "MPL"),
        at(back(2, "A"), "CPL"),
        entry(3, "A"),
        at(back(4, "A"), "MPL"),
        at(back(5, "B"), "MPL"),
        entry(6, "C"),
    ];
    let settings = Settings { koha_checkin: true, ..settings(CommitType::Apply) };
    for unusable in [false, true] {
        let mut run = with_plugin(CommitType::Apply, &entries, &[]);
        run.outbox = Outbox::new(settings.clone(), entries.to_vec().into());
        run.checkins = Some(if unusable { VecDeque::from([Checkin::NoDates]) } else { VecDeque::new() });
        let run = run.finish();
        assert_eq!(run.states(), ["success"; 6]);
        assert!(run.requests == 0 && once(&run) && run.effects.len() == 6, "{:?}", run.effects);
        if unusable {
            // From its first refusal on all goes to the plugin.
            assert_eq!(run.checked_in, ["A at CPL"]);
            assert_eq!(run.given(), [vec![1], vec![2], vec![3], vec![4, 5], vec![6]]);
        } else {
            assert_eq!(run.checked_in, ["A at CPL", "A at MPL", "B at MPL"]);
            assert_eq!(run.given(), [vec![1], vec![3], vec![6]]);
        }
    }
}

#[test]
fn what_was_in_doubt_is_not_sent_for_a_library_that_koha_does_not_have_any_more() {
    let other = entry(2, "B");
    let unknown = |run: &Run| matches!(run.stop(), Some(CommitError::BranchUnknown { branch, .. }) if branch == "MPL");
    for commit_type in CommitType::ALL {
        let doubt = Entry { status: given_for_mpl(commit_type), ..at(entry(1, "A"), "MPL") };
        let run = Run::with_plugin(commit_type, &[doubt, other.clone()], &[]).finish();
        assert_eq!((run.states(), run.given().len()), (vec!["in-doubt", "local"], 0));
        assert!(unknown(&run), "{:?}", run.stop());
    }
    // Koha's loans say that it is not there.
    let doubt = Entry { status: in_doubt(CommitType::Apply), ..at(entry(1, "A"), "MPL") };
    let run = Run::new(&[doubt, other], vec![]).finish();
    assert_eq!((run.states(), run.requests), (vec!["local"; 2], 0));
    assert!(unknown(&run), "{:?}", run.stop());
}

#[test]
fn what_is_put_at_another_library_meanwhile_is_not_sent_for_the_first() {
    let mut run = Run::new(&[at(entry(1, "A"), "CPL"), entry(2, "B")], vec![]);
    while run.persists == 0 {
        run.step();
    }
    let sends = |entry: Entry| run.outbox.sends(&entry);
    assert!(sends(at(entry(1, "A"), "CPL")));
    assert!(!sends(at(entry(1, "A"), "MPL")), "a person has put it there");
    assert!(!sends(entry(1, "A")), "it would be the desk's, whatever that is set to");
}

#[test]
fn what_is_corrected_after_its_refusal_does_not_become_processed_when_the_audit_finds_the_loan_that_it_ended() {
    let refused = |id| Entry { status: Status::Rejected { message: "Item not issued.".into() }, ..back(id, "A") };
    let mut run = Run::new(&[back(1, "A")], vec![Fate::No("Item not issued.")]);
    run.outbox = run.outbox.auditing_too([refused(2)]);
    let run = run.finish();
    for id in [1, 2] {
        assert!(run.outbox.sends(&refused(id)));
        assert!(!run.outbox.sends(&Entry { status: Status::Local, ..back(id, "B") }), "it was to be of another item");
    }
}

#[test]
fn the_queue_of_the_desks_library_tells_nothing_of_anothers() {
    // Both look alike, but for their seconds; the desk's own came twice.
    let entries = [entry(1, "A"), at(entry(2, "A"), "MPL")];
    let mut run = Run::of(CommitType::Send, true, &entries, vec![]);
    run.libraries = BOTH;
    let before = queued(7, 0, "X");
    let after = [queued(7, 0, "X"), queued(8, 1, "A"), queued(9, 1, "A")].concat();
    run.queue = vec![before.leak(), after.leak()];
    let run = run.finish();
    assert_eq!(run.states(), ["added"; 2]);
    assert_eq!(odd(&run), [(1, Oddity::Queued { times: 2 })]);
    assert_eq!((run.summary().audited.checked, run.summary().audited.unread), (1, 1));
    assert!(run.summary().queued.iter().all(|queued| queued.id.0 == 1), "{:?}", run.summary().queued);
    // Nor is one of them there since one like it stands in the desk's; a person is told.
    let mut doubt = at(entry(2, "A"), "MPL");
    doubt.status = in_doubt(CommitType::Send);
    let mut run = Run::of(CommitType::Send, true, &[entry(1, "B"), doubt], vec![]);
    run.libraries = BOTH;
    let rows = [queued(7, 0, "X"), queued(8, 2, "A")].concat();
    let after = [rows.as_str(), &queued(9, 1, "B")].concat();
    run.queue = vec![rows.leak(), after.leak()];
    let run = run.finish();
    assert_eq!(run.states(), ["added", "in-doubt"]);
    assert_eq!(run.summary().findings, [(TransactionId(2), Finding::Unclear(Unclear::NotReadable))]);
}

#[test]
fn what_the_plugin_remembers_as_refused_goes_to_koha_itself_and_is_not_refused_for_ever() {
    let mpl = at(entry(1, "A"), "MPL");
    let entries = [mpl.clone(), entry(2, "B")];
    for commit_type in CommitType::ALL {
        for words in ["Already processed: error", "Already processed: Borrower not found."] {
            let mut run = with_plugin(commit_type, &entries, &[Given::Says(0, "skipped", words)]);
            run.fates = [Fate::Ok].into();
            let run = run.finish();
            assert_eq!(run.states(), [commit_type_state(commit_type); 2]);
            assert_eq!((run.branches.as_slice(), run.requests), (&["MPL".to_owned()][..], 1), "at its own library");
            assert!(once(&run) && run.effects.len() == 2);
        }
        // Koha says what it says now.
        let mut run = with_plugin(commit_type, &entries, &[Given::Says(0, "skipped", "Already processed: error")]);
        run.fates = [Fate::No("Borrower not found.")].into();
        let run = run.finish();
        assert_eq!(run.store[&1], Status::Rejected { message: "Borrower not found.".into() });
        // What it is asked about again was refused by then: a person decides.
        let doubt = Entry { status: given_for_mpl(commit_type), ..mpl.clone() };
        let run = with_plugin(commit_type, &[doubt], &[Given::Says(0, "skipped", "Already processed: error")]).finish();
        assert_eq!((run.states(), run.requests), (vec!["rejected"], 0));
    }
}

#[test]
fn a_corrected_one_is_not_taken_for_what_it_was_when_the_plugin_was_given_that() {
    let was = entry(1, "A");
    let new = Action::Issue { cardnumber: Cardnumber::parse("P2").unwrap(), barcode: Barcode::parse("A").unwrap() };
    let corrected = was.edited(new, was.transaction.moment).unwrap();
    for (commit_type, before) in [(CommitType::Send, "queued"), (CommitType::Apply, "processed")] {
        let words: &'static str = format!("Already processed: {before}").leak();
        let entries = [corrected.clone(), entry(2, "B")];
        let run = with_plugin(commit_type, &entries, &[Given::Says(0, "skipped", words)]).finish();
        let Status::InDoubt { attempt, .. } = &run.store[&1] else { panic!("{:?}", run.store[&1]) };
        assert_eq!((attempt.plugin.as_ref(), attempt.answer.clone()), (None, Some(format!("skipped {words}"))));
        assert_eq!(run.store[&2].state().name(), commit_type_state(commit_type));
        if commit_type == CommitType::Apply {
            // Koha has no such loan: it goes to Koha itself, since the plugin would say the same for ever.
            let run = run.next(&entries, SETTLED_AFTER).finish();
            assert_eq!((run.states(), run.requests, run.given().len()), (vec!["success"; 2], 1, 0));
        }
        // What was corrected before it was given the first time, and got no answer, is asked about again as ever.
        let mut run = with_plugin(commit_type, &entries[..1], &[Given::Lost(1)]);
        run.loans = "<html>";
        let mut run = run.finish().next(&entries[..1], SETTLED_AFTER);
        run.loans = "<html>";
        let run = run.finish();
        assert_eq!(run.states(), [commit_type_state(commit_type)]);
        assert_eq!(run.summary().findings, [(TransactionId(1), Finding::Found(Trace::Remembered))]);
    }
}

#[test]
fn whoever_processes_the_queue_is_told_of_each_library_whose_rows_were_found_to_be_in_it() {
    let doubt = Entry { status: given_for_mpl(CommitType::Send), ..at(entry(1, "A"), "MPL") };
    let run =
        with_plugin(CommitType::Send, &[doubt], &[Given::Says(0, "skipped", "Already processed: queued")]).finish();
    assert_eq!(
        (run.states(), run.summary().queued_at.iter().map(String::as_str).collect()),
        (vec!["added"], vec!["MPL"])
    );
}

/// In which session a run is made, and by which library's staff.
#[derive(Debug, Clone)]
enum By {
    Account,
    Persons(Vec<Option<(&'static str, &'static str)>>),
}

fn by() -> impl Strategy<Value = By> {
    let who = prop_oneof![Just(Some(("anna", "CPL"))), Just(Some(("berta", "MPL"))), Just(None)];
    let last = prop_oneof![Just(Some(("anna", "CPL"))), Just(Some(("berta", "MPL")))];
    let persons = (prop::collection::vec(who, 0..3), last)
        .prop_map(|(first, last)| By::Persons(first.into_iter().chain([last]).collect()));
    prop_oneof![2 => Just(By::Account), 1 => persons]
}

fn checkin() -> impl Strategy<Value = Checkin> {
    prop_oneof![
        5 => Just(Checkin::Done),
        1 => Just(Checkin::NoDates),
        2 => Just(Checkin::Confirm),
        1 => Just(Checkin::Lost),
        1 => Just(Checkin::Died),
        1 => Just(Checkin::NotSent),
        1 => Just(Checkin::Unknown),
    ]
}

#[derive(Debug, Clone)]
struct Plan {
    by: By,
    /// The plugin, and Koha's own check-in, are there.
    plugin: Option<Vec<Given>>,
    checkins: Option<Vec<Checkin>>,
    wants_checkin: bool,
    fates: Vec<Fate>,
    steps: usize,
    fail_persist_at: Option<u32>,
    seconds: u64,
    is_at_mpl: bool,
    agrees: bool,
    commit_type: CommitType,
    /// Which of those that wait or were refused is corrected, or sent again, before it.
    corrected: Vec<(usize, Option<u8>)>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let there = (
        by(),
        prop::option::weighted(0.7, prop::collection::vec(given(), 0..6)),
        prop::option::weighted(0.7, prop::collection::vec(checkin(), 0..6)),
        prop::bool::weighted(0.7),
        prop::collection::vec(fate(), 0..6),
    );
    let how = (
        prop_oneof![0..80_usize, Just(5_000)],
        prop::option::weighted(0.2, 1..10_u32),
        0..1_200_u64,
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.7),
        prop_oneof![Just(CommitType::Apply), Just(CommitType::Send)],
        prop::collection::vec((0..10_usize, prop::option::of(0..4_u8)), 0..4),
    );
    (there, how).prop_map(
        |(
            (by, plugin, checkins, wants_checkin, fates),
            (steps, fail_persist_at, seconds, is_at_mpl, agrees, commit_type, corrected),
        )| Plan {
            by,
            plugin,
            checkins,
            wants_checkin,
            fates,
            steps,
            fail_persist_at,
            seconds,
            is_at_mpl,
            agrees,
            commit_type,
            corrected,
        },
    )
}

/// Between two commits a person corrects the item of some of these, or sends again what was refused.
fn correct(entries: &mut [Entry], corrected: &[(usize, Option<u8>)]) {
    for (place, item) in corrected {
        let Some(entry) = entries.get_mut(*place) else { continue };
        let row = |barcode: &str| match entry.transaction.action {
            Action::Return { .. } => back(entry.id.0, barcode),
            _ => super::entry(entry.id.0, barcode),
        };
        if entry.status.state() == State::Rejected && item.is_none() {
            entry.status = Status::Local;
        } else if let Some(edited) =
            item.and_then(|item| entry.edited(row(&format!("B{item}")).transaction.action, entry.transaction.moment))
        {
            *entry = edited;
        }
    }
}

proptest! {
    /// Commits follow each other, by the account or in sessions that change, with and without the plugin and Koha's own check-in, at a
    /// desk that is set to one library and the other, each cut off by a crash or ended. Each is booked once at most, at its own
    /// library; and once all is well, each has an end, or somebody is told why not.
    #[test]
    fn each_comes_to_its_own_library_once_whatever_is_there(
        rows in prop::collection::vec((0..4_u8, prop::sample::select(vec![None, Some("CPL"), Some("MPL")]), any::<bool>()), 1..10),
        era in any::<bool>(),
        luck in any::<u64>(),
        plans in prop::collection::vec(plan(), 1..6),
    ) {
        let mut entries: Vec<_> = (1..).zip(&rows).map(|(id, (item, branch, is_back))| {
            let barcode = format!("B{item}");
            let row = if *is_back { back(id, &barcode) } else { entry(id, &barcode) };
            branch.map_or(row.clone(), |code| at(row, code))
        }).collect();
        let mut effects = BTreeMap::new();
        let mut memory = Plugin::default();
        memory.remembers_refusals = luck & 2 == 0;
        let mut passed = Duration::ZERO;
        let mut is_corrected = false;
        let well = Plan {
            by: By::Account, plugin: Some(vec![]), checkins: Some(vec![]), wants_checkin: true, fates: vec![], steps: 5_000,
            fail_persist_at: None, seconds: 1_300, is_at_mpl: false, agrees: true, commit_type: CommitType::Send, corrected: vec![],
        };
        let number = plans.len();
        for (place, plan) in plans.into_iter().chain([well.clone(), Plan { commit_type: CommitType::Apply, ..well.clone() }, well]).enumerate() {
            let commit_type = plan.commit_type;
            is_corrected |= !plan.corrected.is_empty();
            correct(&mut entries, &plan.corrected);
            let is_well = place >= number;
            passed += Duration::from_secs(plan.seconds);
            let own = if plan.is_at_mpl { "MPL" } else { "CPL" };
            let mut run = Run::of(commit_type, era, &entries, plan.fates);
            let login = if matches!(plan.by, By::Account) { Login::Account } else { Login::OpenKoha };
            let settings = Settings { login, koha_checkin: plan.wants_checkin, branchcode: own.into(), ..settings(commit_type) };
            run.outbox = Outbox::new(settings, entries.clone().into());
            run.libraries = BOTH;
            // Nothing but the plugin proves anything.
            (run.loans, run.returned) = ("<html>", "<html>");
            (run.luck, run.fail_persist_at, run.passed, run.agrees) = (Some(fastrand::Rng::with_seed(luck)), plan.fail_persist_at, passed, plan.agrees);
            run.desk_now = DeskTime::from_millis(DESK_NOW.millis() + i64::try_from(passed.as_millis()).unwrap());
            run.effects = std::mem::take(&mut effects);
            let is_account = matches!(plan.by, By::Account);
            if let By::Persons(there) = plan.by {
                run.there = there.into();
            }
            run.checkins = plan.checkins.map(Into::into);
            run.plugin = plan.plugin.map(|fates| memory.clone().with(fates));
            let mut steps = 0;
            while steps < plan.steps && run.step() {
                steps += 1;
            }
            prop_assert!(steps < 5_000, "it goes on for ever");
            prop_assert!(plan.steps < 5_000 || run.summary.is_some(), "it hangs");
            for (second, library) in &run.booked {
                let of = |entry: &&Entry| entry.transaction.moment.service_timestamp() == *second;
                let row = entries.iter().find(of).unwrap();
                let is_agreed = !is_account && plan.agrees && row.branch_or(own) == own && commit_type == CommitType::Apply;
                prop_assert!(row.branch_or(own) == library || is_agreed, "{row:?} at {library}");
            }
            for entry in &mut entries {
                entry.status = run.store[&entry.id.0].clone().after_restart(Some(run.desk_now));
            }
            memory = run.plugin.unwrap_or(memory);
            effects = run.effects;
            check_effects(&entries, &effects)?;
            // What was refused once, and is sent again later, comes late.
            if !is_corrected {
                check_order(&entries)?;
            }
            if let Some(summary) = run.summary.filter(|_| is_well) {
                prop_assert_eq!(summary.stop, None);
                let is = |entry: &&Entry, state: State| entry.status.state() == state;
                let left: Vec<_> = entries.iter().filter(|entry| is(entry, State::Local)).collect();
                let doubts = entries.iter().filter(|entry| is(entry, State::InDoubt)).count();
                prop_assert_eq!(usize::try_from(summary.left).unwrap(), left.len());
                prop_assert!(left.is_empty() || doubts > 0, "{left:?} wait for nothing");
                let told = summary.findings.iter().filter(|(_, finding)| matches!(finding, Finding::Unclear(_))).count();
                prop_assert!(told + usize::try_from(summary.in_doubt).unwrap() >= doubts, "{doubts} and told of {told}");
            }
        }
    }
}
