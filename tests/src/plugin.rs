//! The plugin of the desktop tool, by core over real connections: every fault that a batch can meet, and what it takes.

use crate::native::{Native, entry};
use fake_koha::{Close, Config, Effect, Era, FakeKoha, Fault, FaultKind, Front, Plugin, RetryAfter};
use koct_core::{
    ApiKey, CommitType, Secret, State, Status,
    koha::inquiry::{Finding, Unclear},
    outbox::SETTLED_AFTER,
};
use serde_json::json;
use std::time::Duration;

const PATH: &str = "/api/v1/contrib/offlinecirc/transactions";

fn start(era: Era) -> FakeKoha {
    let koha = FakeKoha::start(Config { era, ..Config::default() }).unwrap();
    koha.library(|library| {
        library.plugin = Some(Plugin::default());
        library.lend_before("23529001223602", "39999000000002", "2020-01-31 10:00:00");
    });
    koha
}

/// One of each kind; the checkout is the last, so that all go together.
fn desk(koha: &FakeKoha, commit_type: CommitType) -> Native {
    let mut desk = Native::new(koha, commit_type);
    let item = |number: u32| format!("3999900000000{number}");
    let local = json!({"state": "local"});
    desk.log = vec![
        entry(1, json!({"action": "return", "barcode": item(2), "itemKey": item(2), "status": local})),
        entry(2, json!({"action": "payment", "cardnumber": "23529001223606", "amount": "1.50", "status": local})),
        entry(
            3,
            json!({"action": "issue", "cardnumber": "23529001223601", "barcode": item(1), "itemKey": item(1), "status": local}),
        ),
    ];
    desk
}

fn states(desk: &Native) -> Vec<State> {
    desk.log.iter().map(|entry| entry.status.state()).collect()
}

/// What Koha did, each as often as it did it.
fn effects(koha: &FakeKoha) -> Vec<&'static str> {
    let name = |effect: &Effect| match effect {
        Effect::Issued { .. } => "issue",
        Effect::Returned { .. } => "return",
        Effect::Paid { .. } => "payment",
        Effect::Queued(operation) => match operation.action.as_str() {
            "issue" => "issue",
            "return" => "return",
            _ => "payment",
        },
        other => panic!("{other:?}"),
    };
    koha.library(|library| library.effects.iter().map(name).collect())
}

fn given(koha: &FakeKoha) -> usize {
    koha.requests().iter().filter(|request| request.path == PATH).count()
}

/// What is in doubt was over earlier by this time: as if it were later now by as much.
fn pass(desk: &mut Native, time: Duration) {
    for entry in &mut desk.log {
        if let Status::InDoubt { attempt, .. } = &mut entry.status {
            attempt.over = attempt.over.map(|over| over.minus(time));
        }
    }
}

/// What a batch can meet, and whether Koha had done its work.
fn faults() -> Vec<(FaultKind, bool)> {
    let busy = |status| Front::Busy { status, retry_after: RetryAfter::Seconds(1) };
    let mut faults = vec![
        (FaultKind::ResetBefore, false),
        (FaultKind::ResetAfter, true),
        (FaultKind::CutHeaders, true),
        (FaultKind::CutAfter(250), true),
        (FaultKind::Status(500), false),
        (FaultKind::Status500After, true),
        (FaultKind::Endless("{\"results\":[]} "), true),
        (FaultKind::HtmlLogin, false),
        (FaultKind::Status(404), false),
        (FaultKind::Status(401), false),
        (FaultKind::Redirect("https://example.invalid/".into()), false),
    ];
    for front in
        [Front::Page(403), Front::Basic, Front::Text("{\"results\":[]}"), Front::LoginPage, busy(429), busy(503)]
    {
        faults.push((FaultKind::FrontBefore(front.clone()), false));
        faults.push((FaultKind::FrontAfter(front), true));
    }
    faults
}

#[test]
fn what_it_did_not_answer_is_in_doubt_and_is_done_once_when_it_is_asked_again() {
    for era in [Era::Before2405, Era::From2405] {
        for commit_type in CommitType::ALL {
            for (fault, is_done) in faults() {
                let case = format!("{era:?} {} {fault:?}", commit_type.name());
                let is_error = matches!(fault, FaultKind::Status(500) | FaultKind::Status500After);
                let koha = start(era);
                let mut desk = desk(&koha, commit_type);
                koha.fault(Fault::on(PATH, fault.clone()).skip(1).times(1));
                let summary = desk.run();
                let done = effects(&koha).len();
                assert_eq!(done, if is_done { 3 } else { 0 }, "{case}");
                // At the end of a "Send" the queue is looked at, and shows all that came there.
                let is_seen = is_done && commit_type == CommitType::Send && states(&desk) != [State::InDoubt; 3];
                assert_eq!(
                    states(&desk),
                    [if is_seen { State::Added } else { State::InDoubt }; 3],
                    "{case}: {summary:?}"
                );

                // It may still be at it.
                koha.clear_faults();
                pass(&mut desk, Duration::from_mins(9));
                let before = given(&koha);
                let summary = desk.run();
                assert_eq!(given(&koha), before + 1, "{case}: it was only looked for");
                for (id, finding) in &summary.findings {
                    let is_known = desk.log.iter().any(|entry| entry.id == *id && entry.status.state().is_committed());
                    // A payment at which Koha may have died is not the plugin's to prove.
                    let is_its = id.0 != 2 || !is_error;
                    assert!(
                        is_known || !is_its || *finding == Finding::Unclear(Unclear::TooEarly),
                        "{case}: {finding:?}"
                    );
                }
                pass(&mut desk, SETTLED_AFTER);
                let summary = desk.run();
                // What met an error of Koha's own may have done half: a payment is for a person.
                let mut expected = [desk_state(commit_type); 3];
                let mut effected = vec!["issue", "payment", "return"];
                if is_error && states(&desk)[1] == State::InDoubt {
                    expected[1] = State::InDoubt;
                    if !is_done {
                        effected.remove(1);
                    }
                }
                assert_eq!(states(&desk), expected, "{case}: {summary:?}");
                let mut all = effects(&koha);
                all.sort_unstable();
                assert_eq!(all, effected, "{case}");
                assert!(koha.requests().iter().all(|request| request.parameter("action").is_none()), "{case}");
            }
        }
    }
}

fn desk_state(commit_type: CommitType) -> State {
    match commit_type {
        CommitType::Send => State::Added,
        CommitType::Apply => State::Success,
    }
}

#[test]
fn a_session_that_ended_was_given_nothing() {
    for era in [Era::Before2405, Era::From2405] {
        let koha = start(era);
        let mut desk = desk(&koha, CommitType::Apply);
        koha.fault(Fault::on(PATH, FaultKind::ExpireSession).skip(1).times(1));
        let summary = desk.run();
        assert!(summary.is_clean(), "{era:?}: {summary:?}");
        assert_eq!(effects(&koha).len(), 3);
    }
}

#[test]
fn it_takes_an_outage_in_a_few_requests_and_all_of_it_is_read_back() {
    for (era, has_key) in [(Era::Before2405, false), (Era::From2405, false), (Era::From2405, true)] {
        for commit_type in CommitType::ALL {
            let koha = start(era);
            let mut desk = Native::new(&koha, commit_type);
            if has_key {
                let id = koha.library(|library| library.account("koha").unwrap().id);
                let key = fake_koha::ApiKey { client_id: "k".into(), secret: "s".into(), patron_id: id, active: true };
                koha.library(|library| library.api_keys.push(key));
                desk.settings.key = Some(ApiKey { id: "k".into(), secret: Secret::new("s") });
            }
            // Each of fifty items goes out, comes back, and goes out to somebody else.
            let row = |seq: u32| {
                let item = format!("399990000000{:02}", 3 + (seq - 1) % 50);
                let card = format!("235290012236{:02}", 2 + (seq - 1) / 50);
                let mut row =
                    json!({"action": "return", "barcode": item, "itemKey": item, "status": {"state": "local"}});
                if !(51..=100).contains(&seq) {
                    row["action"] = json!("issue");
                    row["cardnumber"] = json!(card);
                }
                entry(seq, row)
            };
            desk.log = (1..=150).map(row).collect();
            let summary = desk.run();
            let case = format!("{era:?} {}", commit_type.name());
            assert!(summary.is_complete(), "{case} {:?}", summary.stop);
            assert_eq!(summary.committed(), 150, "{case}");
            // Looked for; and of what is applied the first checkout goes alone.
            let is_applied = commit_type == CommitType::Apply;
            assert_eq!(given(&koha), if is_applied { 5 } else { 4 }, "{case}");
            let done =
                koha.library(|library| library.count_effects(|effect| !matches!(effect, Effect::HoldEnded { .. })));
            assert_eq!(done, 150, "{case}");
            assert!(summary.is_clean() && summary.is_audited, "{case}");
            // Before 20.05 Koha tells little, and a key shows no page with the queue.
            let is_read = if is_applied { era == Era::From2405 } else { !has_key };
            if is_read {
                assert_eq!((summary.audited.checked, summary.audited.unread), (150, 0), "{case}");
            }
            assert_eq!(summary.queued.len(), if is_read && !is_applied { 150 } else { 0 }, "{case}");
            if is_applied {
                let holder = koha.library(|library| library.holder_of("39999000000003").map(str::to_owned));
                assert_eq!(holder.as_deref(), Some("23529001223604"), "{case}");
            }
        }
    }
}

#[test]
fn what_koha_refuses_is_refused_and_the_rest_goes_on() {
    let koha = start(Era::From2405);
    let mut desk = desk(&koha, CommitType::Apply);
    koha.library(|library| library.loans.clear());
    desk.log[2].transaction = serde_json::from_value(
        json!({"action": "issue", "cardnumber": "nobody", "barcode": "39999000000001", "moment": {"utc": 1_795_428_003_000_u64, "offset": 60}}),
    )
    .unwrap();
    desk.run();
    let refused = |message: &str| Status::Rejected { message: message.into() };
    let statuses: Vec<_> = desk.log.iter().map(|entry| entry.status.clone()).collect();
    assert_eq!(statuses, [refused("Item not issued."), Status::Success, refused("Borrower not found.")]);
}

/// Firefox may send a request again by itself: Koha's service would do it twice, the plugin says that it has it.
#[test]
fn what_is_sent_again_unseen_is_done_once() {
    for fault in [FaultKind::SentAgain, FaultKind::CloseReused(Close::Fin)] {
        for commit_type in CommitType::ALL {
            let koha = start(Era::From2405);
            let mut desk = desk(&koha, commit_type);
            koha.fault(Fault::on(PATH, fault.clone()).skip(1).times(1));
            let summary = desk.run();
            assert!(summary.is_complete(), "{summary:?}");
            assert_eq!(effects(&koha).len(), 3);
        }
    }
}

/// An account without rights, a person's own session, an older plugin: Koha's service takes it as ever.
#[test]
fn where_it_is_not_there_for_the_account_koha_takes_each_by_itself() {
    for (era, fault) in [
        (Era::Before2405, FaultKind::Status(404)),
        (Era::From2405, FaultKind::FrontBefore(Front::Page(403))),
        (Era::From2405, FaultKind::ResetBefore),
    ] {
        let koha = start(era);
        let mut desk = desk(&koha, CommitType::Apply);
        koha.fault(Fault::on(PATH, fault));
        assert!(desk.run().is_clean());
        assert_eq!((given(&koha), crate::matrix::transactions(&koha).len()), (1, 3));
    }
}
