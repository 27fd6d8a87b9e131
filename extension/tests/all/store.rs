//! The store and the network, in a real Firefox.

use crate::batch;
use chrono::TimeDelta;
use indexed_db_futures::{Build, BuildPrimitive, database::Database, transaction::TransactionMode};
use koct_core::{
    Action, Barcode, Cardnumber, CommitType, DeskName, Entry, Moment, Secret, ServerUrl, Settings, State, Status,
    Transaction, TransactionId,
    desk::{clock::DeskTime, codes::Scanned, letters::by_tables, zone::Zone},
    desks::cleared,
    koha::{Failure, Method, Request, Response, SIZE_LIMIT, Session},
    log::{
        order::{self, Ordered},
        status::{Attempt, Doubt},
        task::Task,
        warned::{Warned, Warning},
    },
    outbox::{
        Input, Outbox, Output,
        summary::{CommitError, Summary},
    },
};
use koct_extension::{
    clock::{self, DeskZone},
    http::Http,
    store::{Store, StoreError},
};
use std::time::Duration;
use wasm_bindgen_test::wasm_bindgen_test;

fn issue(barcode: &str) -> Action {
    Action::Issue { cardnumber: Cardnumber::parse("P1").unwrap(), barcode: Barcode::parse(barcode).unwrap() }
}

fn moment(millis: i64) -> Moment {
    Moment::new(1_795_428_000_000 + millis, 60).unwrap()
}

/// A log of its own for each test.
async fn store(name: &str) -> Store {
    Store::open(&format!("test-{name}-{}", js_sys::Math::random())).await.unwrap()
}

/// Codes were stored in the log by one and are looked for by the other.
#[wasm_bindgen_test]
fn firefox_knows_letters_as_the_tables_do() {
    // Latin to Cherokee, what is written with marks on top in Asia, signs, kana and Hangul, and the forms for compatibility.
    let ranges = [0x00..=0x13ff_u32, 0x1e00..=0x27ff, 0x3040..=0x33ff, 0xac00..=0xd7a3, 0xf900..=0xffef];
    // One of the two may know a newer Unicode.
    let not_assigned = js_sys::RegExp::new(r"\p{Cn}", "u");
    let letters = ranges.into_iter().flatten().filter_map(char::from_u32);
    for letter in letters.filter(|letter| !not_assigned.test(&letter.to_string())) {
        let text = format!("A{letter}\u{301}1");
        assert_eq!(koct_extension::letters::base_letters(&text), by_tables(&text), "U+{:04X}", u32::from(letter));
    }
}

#[wasm_bindgen_test]
async fn what_is_recorded_is_there_after_opening_again() {
    let name = format!("test-again-{}", js_sys::Math::random());
    let written = {
        let store = Store::open(&name).await.unwrap();
        let scanned = Scanned { barcode: Some("*📚 é*".into()), cardnumber: None };
        [
            store.record(issue("A"), Scanned::default(), moment(0)).await.unwrap(),
            store.record(issue("📚 é"), scanned, moment(1)).await.unwrap(),
        ]
    };
    let store = Store::open(&name).await.unwrap();
    assert_eq!(store.all().await.unwrap(), written);
    assert_eq!(store.ids(None).await.unwrap(), [TransactionId(1), TransactionId(2)]);
    assert_eq!(store.counts().await.unwrap().of(State::Local), 2);
}

#[wasm_bindgen_test]
async fn seconds_of_one_item_rise_however_it_is_spelled_and_whatever_the_clock_does() {
    let store = store("seconds").await;
    for (barcode, millis) in [("código", 500), ("CODIGO", 600), ("other", 600), ("Código", -60_000)] {
        store.record(issue(barcode), Scanned::default(), moment(millis)).await.unwrap();
    }
    let entries = store.all().await.unwrap();
    assert_eq!(order::indistinct(&entries), None);
    assert_eq!(entries[2].transaction.moment, moment(600), "another item keeps its own time");
}

fn attempt() -> Attempt {
    let server = ServerUrl::parse("https://koha.example.org").unwrap();
    Attempt::new(CommitType::Apply, &server)
}

fn sending() -> Status {
    Status::Sending { attempt: attempt() }
}

#[wasm_bindgen_test]
async fn commits_are_remembered_newest_first() {
    let store = store("batches").await;
    let first = store.begin_batch(&batch(moment(0))).await.unwrap();
    store.begin_batch(&batch(moment(1))).await.unwrap();
    let ended = batch(moment(0)).ended(moment(2), &Summary { added: 1, ..Summary::default() }, "Done".into());
    store.set_batch(first, &ended).await.unwrap();
    assert_eq!(store.batches().await.unwrap(), [batch(moment(1)), ended]);
}

#[wasm_bindgen_test]
async fn statuses_change_all_at_once_or_not_at_all() {
    let store = store("statuses").await;
    for barcode in ["A", "B", "C"] {
        store.record(issue(barcode), Scanned::default(), moment(0)).await.unwrap();
    }
    let [first, second, third] = [1, 2, 3].map(TransactionId);
    let changes = store.set_statuses(&[(first, Status::Added), (second, sending())]).await.unwrap();
    assert_eq!((changes[1].from, changes[1].entry.status.state()), (State::Local, State::Sending));
    // The first is committed for good, so the third stays as it was.
    let refused = store.set_statuses(&[(third, sending()), (first, Status::Local)]).await;
    assert!(matches!(refused, Err(StoreError::NotOpen(id)) if id == first));
    let refused = store.set_statuses(&[(third, sending()), (TransactionId(9), Status::Local)]).await;
    assert!(matches!(refused, Err(StoreError::NotOpen(_))));
    let states: Vec<_> = store.all().await.unwrap().iter().map(|entry| entry.status.state()).collect();
    assert_eq!(states, [State::Added, State::Sending, State::Local]);
}

/// A commit of what this log holds, up to the first statuses that it wants durable.
async fn commit(store: &Store) -> (Outbox, Vec<(TransactionId, Status)>) {
    let server = ServerUrl::parse("https://koha.example.org").unwrap();
    let settings = Settings { commit_type: CommitType::Apply, ..Settings::at(server, "desk", "letmein", "CPL") };
    let mut outbox = Outbox::new(settings, store.in_states(&State::TO_COMMIT).await.unwrap());
    loop {
        match outbox.poll().unwrap() {
            Output::Persist(statuses) => return (outbox, statuses),
            Output::Request(ticket, request) => {
                let body = if request.url.ends_with("authentication") {
                    "<response><status>failed</status></response>"
                } else {
                    ""
                };
                let answer = Ok(Response { status: 200, body: body.into(), ..Response::default() });
                outbox.handle(Input::Answer(ticket, answer), DeskTime::from_millis(0));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[wasm_bindgen_test]
async fn what_was_corrected_or_deleted_since_a_commit_read_it_is_not_sent() {
    let store = store("since").await;
    store.record(issue("A"), Scanned::default(), moment(0)).await.unwrap();
    let id = TransactionId(1);
    for change in
        [|entry: &Entry| entry.shifted(TimeDelta::seconds(1), moment(0)), |entry: &Entry| entry.deleted(moment(0))]
    {
        let (mut outbox, statuses) = commit(&store).await;
        store.change(&[id], change).await.unwrap();
        let refused = store.set_statuses_where(&statuses, |entry| outbox.sends(entry), |entry| entry).await;
        assert!(matches!(refused, Err(StoreError::NotOpen(refused)) if refused == id));
        outbox.handle(Input::Changed, DeskTime::from_millis(0));
        let ended = outbox.poll();
        assert!(
            matches!(&ended, Some(Output::Finished(summary)) if summary.stop == Some(CommitError::Changed)),
            "nothing is sent, and it is said why: {ended:?}"
        );
        assert_eq!(store.in_states(&[State::Sending]).await.unwrap().len(), 0);
    }
    store.change(&[id], |entry| entry.restored(moment(0))).await.unwrap();
    let (mut outbox, statuses) = commit(&store).await;
    store.set_statuses_where(&statuses, |entry| outbox.sends(entry), |entry| entry).await.unwrap();
    outbox.handle(Input::Persisted, DeskTime::from_millis(0));
    assert!(matches!(outbox.poll(), Some(Output::Request(..))), "read anew, it goes");
}

#[wasm_bindgen_test]
async fn what_was_recorded_since_is_found() {
    let store = store("recorded").await;
    for barcode in ["A", "B", "C", "D"] {
        store.record(issue(barcode), Scanned::default(), moment(0)).await.unwrap();
    }
    store.set_statuses(&[(TransactionId(3), Status::Success)]).await.unwrap();
    let since = async |last| {
        store.recorded_since(TransactionId(last)).await.unwrap().iter().map(|entry| entry.id.0).collect::<Vec<_>>()
    };
    assert_eq!(
        [since(0).await, since(1).await, since(2).await, since(4).await],
        [vec![4, 2, 1], vec![4, 2], vec![4], vec![]]
    );
}

#[wasm_bindgen_test]
async fn the_newest_are_read_by_themselves() {
    let store = store("newest").await;
    let newest = async |limit| {
        let rows = store.newest(limit).await.unwrap();
        store.entries_in(&rows).iter().map(|entry| entry.id.0).collect::<Vec<_>>()
    };
    assert!(newest(3).await.is_empty());
    for barcode in ["A", "B", "C", "D", "E"] {
        store.record(issue(barcode), Scanned::default(), moment(0)).await.unwrap();
    }
    assert_eq!([newest(1).await, newest(3).await, newest(50).await], [vec![5], vec![3, 4, 5], vec![1, 2, 3, 4, 5]]);
}

#[wasm_bindgen_test]
async fn an_interrupted_request_is_in_doubt_at_start() {
    let store = store("recover").await;
    store.record(issue("A"), Scanned::default(), moment(0)).await.unwrap();
    store.record(issue("B"), Scanned::default(), moment(0)).await.unwrap();
    store.set_statuses(&[(TransactionId(1), sending())]).await.unwrap();
    assert_eq!(store.recover().await.unwrap().len(), 1);
    let doubtful = store.in_states(&[State::InDoubt]).await.unwrap();
    // It was over when that was seen at the latest.
    let Status::InDoubt { reason: Doubt::Interrupted, attempt: seen } = doubtful[0].status.clone() else { panic!() };
    assert!(seen.over.is_some());
    assert_eq!(Attempt { over: None, ..seen }, attempt());
    assert_eq!(store.recover().await.unwrap().len(), 0);
}

#[wasm_bindgen_test]
async fn removing_spares_the_other_states_and_numbers_are_never_used_again() {
    let store = store("remove").await;
    for barcode in ["A", "B", "C"] {
        store.record(issue(barcode), Scanned::default(), moment(0)).await.unwrap();
    }
    store.set_statuses(&[(TransactionId(3), Status::Success)]).await.unwrap();
    let asked = store.asked().await.unwrap();
    assert_eq!((asked.counts.total(), asked.counts.uncommitted()), (3, 2));
    assert_eq!(asked.clone().all(false), None);
    let own = DeskName::parse("Main").unwrap();
    assert_eq!(store.remove(&asked.settled(), &own, moment(0)).await.unwrap(), 1);
    assert_eq!(store.ids(None).await.unwrap().len(), 2);
    let asked = store.asked().await.unwrap();
    assert_eq!(store.record(issue("D"), Scanned::default(), moment(0)).await.unwrap().id, TransactionId(4));
    // Since it was asked, one was recorded and one was taken back and restored; one was committed.
    store.change(&[TransactionId(1)], |entry| entry.deleted(moment(0))).await.unwrap();
    store.change(&[TransactionId(1)], |entry| entry.restored(moment(0))).await.unwrap();
    store.set_statuses(&[(TransactionId(2), Status::Added)]).await.unwrap();
    let all = asked.all(true).unwrap();
    assert_eq!(store.remove(&all, &own, moment(0)).await.unwrap(), 2, "what was asked about");
    assert_eq!(store.ids(None).await.unwrap(), [TransactionId(4)], "and not what came since");
    // What was taken back when it was asked, and is to be sent now, stays as well.
    store.change(&[TransactionId(4)], |entry| entry.deleted(moment(0))).await.unwrap();
    let all = store.asked().await.unwrap().all(false).unwrap();
    store.change(&[TransactionId(4)], |entry| entry.restored(moment(0))).await.unwrap();
    assert_eq!(store.remove(&all, &own, moment(0)).await.unwrap(), 0);
}

/// Removes everything.
async fn clear(store: &Store, own: &DeskName, now: Moment) -> u32 {
    let all = store.asked().await.unwrap().all(true).unwrap();
    store.remove(&all, own, now).await.unwrap()
}

fn of_bus(barcode: &str, millis: i64) -> Entry {
    let transaction = Transaction { moment: moment(millis), action: issue(barcode) };
    let desk = DeskName::parse("Bus").ok();
    Entry { desk, part: 2, ..Entry::recorded(TransactionId(0), transaction) }
}

#[wasm_bindgen_test]
async fn what_other_desks_recorded_is_numbered_in_order_and_its_clock_touches_nothing() {
    let store = store("add").await;
    store.record(issue("A"), Scanned::default(), moment(0)).await.unwrap();
    let added = store.add(vec![of_bus("A", 9_000_000), of_bus("B", 1)]).await.unwrap();
    assert_eq!(added.iter().map(|entry| entry.id.0).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(store.after(TransactionId(1), 9).await.unwrap(), added);
    assert_eq!(store.get(&[TransactionId(3), TransactionId(7)]).await.unwrap(), added[1..]);
    assert_eq!(store.desks().await.unwrap(), [DeskName::parse("Bus").unwrap()]);
    // The bus's clock was far ahead: the next scan here keeps its own time.
    let scanned = store.record(issue("A"), Scanned::default(), moment(5_000)).await.unwrap();
    assert_eq!((scanned.id, scanned.transaction.moment), (TransactionId(4), moment(5_000)));
    assert_eq!(store.add(Vec::new()).await.unwrap(), []);
}

#[wasm_bindgen_test]
async fn corrections_are_all_made_or_none_and_never_touch_what_is_in_koha() {
    let store = store("change").await;
    for barcode in ["A", "B", "C"] {
        store.record(issue(barcode), Scanned::default(), moment(0)).await.unwrap();
    }
    let ids = [1, 2, 3].map(TransactionId);
    store.set_statuses(&[(ids[2], Status::Success)]).await.unwrap();
    let refused = store.change(&ids, |entry| entry.shifted(TimeDelta::seconds(1), moment(0))).await;
    assert!(matches!(refused, Err(StoreError::NotOpen(id)) if id == ids[2]));
    assert!(store.all().await.unwrap().iter().all(|entry| entry.history.is_empty()));
    let changes = store.change(&ids[..2], |entry| entry.deleted(moment(0))).await.unwrap();
    assert_eq!(changes.iter().map(|change| change.from).collect::<Vec<_>>(), [State::Local; 2]);
    assert_eq!(store.in_states(&[State::Deleted]).await.unwrap().len(), 2);
    let refused = store.set_statuses(&[(ids[0], sending())]).await;
    assert!(matches!(refused, Err(StoreError::NotOpen(_))), "what is deleted is never sent");
    store.change(&ids[..1], |entry| entry.restored(moment(0))).await.unwrap();
    assert_eq!(store.counts().await.unwrap().uncommitted(), 1);
    // Where what does not fit may stay as it is, the others change.
    let gone = TransactionId(9);
    let deleted = store.change_where(&[ids[2], ids[0], gone, ids[1]], |entry| entry.deleted(moment(0))).await.unwrap();
    assert_eq!(deleted.iter().map(|change| change.entry.id).collect::<Vec<_>>(), [ids[0]]);
    assert_eq!(store.counts().await.unwrap().uncommitted(), 0);
}

#[wasm_bindgen_test]
async fn a_long_log_with_gaps_is_read_whole() {
    let store = store("gaps").await;
    let log: Vec<Entry> = (0..2_500).map(|number| of_bus(&format!("B{number}"), number)).collect();
    store.add(log).await.unwrap();
    assert_eq!(store.ids(None).await.unwrap(), (1..=2_500).map(TransactionId).collect::<Vec<_>>());
    let every_third: Vec<_> = (1..=2_500).step_by(3).map(|id| (TransactionId(id), Status::Success)).collect();
    store.set_statuses(&every_third).await.unwrap();
    let ids = |entries: Ordered| entries.iter().map(|entry| entry.id).collect::<Vec<_>>();
    let local: Vec<_> = (1..=2_500).filter(|id| id % 3 != 1).map(TransactionId).collect();
    assert_eq!(ids(store.in_states(&[State::Local]).await.unwrap()), local);
    let own = DeskName::parse("Main").unwrap();
    store.change(&[TransactionId(2)], |entry| entry.deleted(moment(0))).await.unwrap();
    assert_eq!(ids(store.in_states(&[State::Deleted, State::Local]).await.unwrap()), local);
    let settled = store.asked().await.unwrap().settled();
    assert_eq!(store.remove(&settled, &own, moment(0)).await.unwrap(), 835);
    assert_eq!(store.ids(None).await.unwrap(), local[1..]);
    let (_, rows) = store.count().await.unwrap();
    for counted in [Some(rows), Some(2_500), Some(0)] {
        assert_eq!(store.ids(counted).await.unwrap(), local[1..], "whatever was counted before");
    }
    // Near and far from each other, in any order, with some that are gone.
    let asked: Vec<_> = [2_499, 5, 3, 4, 1_200].map(TransactionId).into();
    let read = store.get(&asked).await.unwrap();
    assert_eq!(read.iter().map(|entry| entry.id.0).collect::<Vec<_>>(), [2_499, 5, 3, 1_200]);
    assert_eq!(ids(store.in_states(&[State::Local]).await.unwrap()), local[1..]);
    assert_eq!(clear(&store, &own, moment(0)).await, 1_665);
    assert_eq!(store.ids(None).await.unwrap(), []);
}

#[wasm_bindgen_test]
async fn of_each_item_asked_for_the_latest_in_koha_is_found() {
    let store = store("latest").await;
    for (barcode, millis) in [("A", 0), ("a", 9_000), ("B", 0), ("C", 0), ("C", 3_000), ("D", 0), ("D", 5_000)] {
        store.record(issue(barcode), Scanned::default(), moment(millis)).await.unwrap();
    }
    let committed: Vec<_> = [1, 2, 3, 4, 6, 7].map(|id| (TransactionId(id), Status::Success)).into();
    store.set_statuses(&committed).await.unwrap();
    let found = async |items: &[&str]| {
        let items = items.iter().map(|item| (*item).to_owned()).collect();
        let mut ids: Vec<_> = store.latest_committed(&items).await.unwrap().iter().map(|entry| entry.id.0).collect();
        ids.sort_unstable();
        ids
    };
    // Few items are looked up; for many the log is read through.
    assert_eq!(found(&["a", "c"]).await, [2, 4]);
    assert_eq!(found(&["a", "c", "d", "x", "y", "z"]).await, [2, 4, 7]);
    assert_eq!(found(&[]).await, Vec::<u32>::new());
}

#[wasm_bindgen_test]
async fn what_was_committed_and_cleared_is_remembered() {
    let store = store("cleared").await;
    let own = DeskName::parse("Main").unwrap();
    store.add(vec![of_bus("A", 0), of_bus("B", 1)]).await.unwrap();
    store.record(issue("C"), Scanned::default(), moment(0)).await.unwrap();
    store.set_statuses(&[(TransactionId(1), Status::Added), (TransactionId(3), Status::Success)]).await.unwrap();
    assert_eq!(clear(&store, &own, moment(0)).await, 3);
    let bus = DeskName::parse("Bus").unwrap();
    let key = cleared::cleared_key(&bus, &of_bus("A", 0).transaction);
    let remembered = store.cleared().await.unwrap();
    assert_eq!((remembered.len(), remembered.contains(&key)), (2, true));
    assert_eq!(store.desks().await.unwrap(), []);
    // More than a year later it is forgotten.
    clear(&store, &own, moment(401 * 86_400_000)).await;
    assert_eq!(store.cleared().await.unwrap(), Vec::<String>::new());
}

#[wasm_bindgen_test]
async fn two_windows_write_into_one_log() {
    let name = format!("test-two-{}", js_sys::Math::random());
    let (one, two) = (Store::open(&name).await.unwrap(), Store::open(&name).await.unwrap());
    for _ in 0..5 {
        one.record(issue("A"), Scanned::default(), moment(0)).await.unwrap();
        two.record(issue("A"), Scanned::default(), moment(0)).await.unwrap();
    }
    let entries = one.all().await.unwrap();
    assert_eq!(entries.len(), 10);
    assert_eq!(order::indistinct(&entries), None);
}

#[wasm_bindgen_test]
fn the_clock_and_the_zone_agree() {
    let now = clock::now().unwrap();
    assert_eq!(DeskZone.offset_at_utc(now.utc_millis()), now.offset_minutes());
    assert_eq!(DeskZone.offset_at_local(now.local()), now.offset_minutes());
}

fn request(path: &str, method: Method) -> Request {
    let origin = web_sys::window().unwrap().location().origin().unwrap();
    Request {
        method,
        url: format!("{origin}{path}"),
        json: None,
        form: vec![("barcode", "a&b é📚".into())],
        session: None,
        in_persons_session: false,
        basic: None,
        bearer: None,
        embed: None,
        time_limit: Duration::from_secs(30),
        size_limit: SIZE_LIMIT,
    }
}

#[wasm_bindgen_test]
async fn a_post_carries_its_form_and_its_token() {
    let session = Session { cookie: Secret::new("c"), csrf_token: Some(Secret::new("t0ken")) };
    let request = Request {
        session: Some(session),
        basic: Some(Box::new(("désk".into(), Secret::new("p")))),
        embed: Some("biblio"),
        ..request("/echo", Method::Post)
    };
    let response = Http::plain().send(&request).await.unwrap();
    assert_eq!(
        (response.status, response.csrf_token, response.total_count),
        (200, Some(Secret::new("token")), Some(42))
    );
    assert!(response.body.starts_with("POST /echo "), "{}", response.body);
    assert!(response.body.ends_with("barcode=a%26b+%C3%A9%F0%9F%93%9A"), "{}", response.body);
    let body = response.body.to_lowercase();
    assert!(body.contains("csrf-token: t0ken"));
    assert!(
        body.contains("authorization: basic zmopc2s6ca==") || response.body.contains("Basic ZMOpc2s6cA=="),
        "{}",
        response.body
    );
    assert!(body.contains("x-koha-embed: biblio"));
    assert!(!body.contains("referer:") && !body.contains("cookie:"));
}

#[wasm_bindgen_test]
async fn a_get_has_no_body() {
    let response = Http::plain().send(&request("/echo", Method::Get)).await.unwrap();
    assert!(response.body.starts_with("GET /echo "));
    assert!(!response.body.contains("barcode"));
}

#[wasm_bindgen_test]
async fn what_went_wrong_is_told_apart() {
    let answer = |path| async move { Http::plain().send(&request(path, Method::Post)).await };
    assert_eq!(answer("/error").await.unwrap().status, 500);
    assert_eq!(answer("/redirect").await, Err(Failure::Redirected { to: None }));
    assert_eq!(answer("/close").await, Err(Failure::Lost));
    assert_eq!(answer("/cut").await, Err(Failure::Lost), "half an answer is no answer");
    assert_eq!(answer("/endless").await, Err(Failure::TooLong));
    let page = answer("/endless-page").await.unwrap();
    assert!(page.body.len() == SIZE_LIMIT && page.body.starts_with("Added. Added."), "{}", page.body.len());
}

#[wasm_bindgen_test]
async fn warnings_are_kept_and_confirmed_whatever_the_state_and_found_by_card_and_hold() {
    let store = store("warnings").await;
    let first = store.record(issue("A"), Scanned::default(), moment(0)).await.unwrap();
    let back = store
        .record(Action::Return { barcode: Barcode::parse("B").unwrap() }, Scanned::default(), moment(1))
        .await
        .unwrap();
    store.set_statuses(&[(first.id, Status::Success)]).await.unwrap();
    let warned = |warning: Warning| vec![Warned { warning, as_of: None, confirmed: None }];
    let entries = store.warn(&[first.id], |entry| entry.warned(&warned(Warning::LostCard))).await.unwrap();
    assert_eq!((entries[0].status.clone(), entries[0].warnings.len()), (Status::Success, 1));
    store.warn(&[first.id], |entry| entry.warned(&warned(Warning::LostCard))).await.unwrap();
    let hold = Warning::Hold { hold: 7, pickup: "MPL".into() };
    store.warn(&[back.id], |entry| entry.warned(&warned(hold.clone()))).await.unwrap();
    let confirmed = store.warn(&[first.id], |entry| entry.confirmed(moment(5), Warning::is_of_patron)).await.unwrap();
    assert_eq!(confirmed[0].warnings, [Warned { warning: Warning::LostCard, as_of: None, confirmed: Some(moment(5)) }]);
    assert_eq!(store.get(&[first.id]).await.unwrap(), confirmed);
    assert_eq!(store.of_cards(&["P1".into(), "p1".into()]).await.unwrap(), confirmed);
    assert_eq!(store.of_items(&["b".into()]).await.unwrap()[0].set_aside(), Some((7, "MPL")));
    let as_of = Some(DeskTime::from_millis(1_795_000_000_000));
    let late =
        store.warn(&[back.id], |entry| Entry { late: Some(3), late_as_of: as_of, ..entry.clone() }).await.unwrap();
    assert_eq!((late[0].late, late[0].late_as_of), (Some(3), as_of));
    let aside = store.set_aside().await.unwrap();
    assert_eq!(aside.iter().map(|entry| entry.id).collect::<Vec<_>>(), [back.id]);
    assert_eq!(store.of_holds(&[6, 7]).await.unwrap(), aside);
    assert_eq!(store.of_holds(&[8]).await.unwrap(), []);
    assert!(matches!(store.warn(&[TransactionId(99)], Clone::clone).await, Err(StoreError::NotOpen(_))));
    assert_eq!(store.counts().await.unwrap().total(), 2);
}

/// A log as versions before wrote it gets the new indexes, and its entries are found by them.
#[wasm_bindgen_test]
async fn a_log_of_a_version_before_is_brought_up_to_date() {
    for version in [3_u32, 4] {
        let name = format!("test-upgrade-{version}-{}", js_sys::Math::random());
        {
            let old = Database::open(&name)
                .with_version(version)
                .with_on_upgrade_needed(move |_, database| {
                    let log = database
                        .create_object_store("transactions")
                        .with_key_path("seq".into())
                        .with_auto_increment(true)
                        .build()?;
                    log.create_index("item", "itemKey".into()).build()?;
                    log.create_index("state", "status.state".into()).build()?;
                    if version == 4 {
                        log.create_index("card", "cardnumber".into()).build()?;
                        log.create_index("hold", "hold".into()).build()?;
                    }
                    for name in ["batches", "cleared", "desks"] {
                        database.create_object_store(name).build()?;
                    }
                    Ok(())
                })
                .await
                .unwrap();
            let writing = old.transaction("transactions").with_mode(TransactionMode::Readwrite).build().unwrap();
            let log = writing.object_store("transactions").unwrap();
            let moment = r#""moment": {"utc": 1795428000000, "offset": 60}, "part": 0"#;
            let added = r#""status": {"state": "added"}"#;
            for row in [
                format!(
                    r#"{{{moment}, "action": "issue", "cardnumber": "P1", "barcode": "A", "itemKey": "a", {added}}}"#
                ),
                format!(
                    r#"{{{moment}, "action": "return", "barcode": "A", "itemKey": "a", {added}, "warnings": [{{"kind": "hold", "hold": 7, "pickup": "MPL"}}], "hold": 7}}"#
                ),
                format!(r#"{{{moment}, "action": "payment", "cardnumber": "P2", "amount": "3.50", {added}}}"#),
            ] {
                log.add(js_sys::JSON::parse(&row).unwrap()).primitive().unwrap().await.unwrap();
            }
            writing.commit().await.unwrap();
            old.close();
        }
        let store = Store::open(&name).await.unwrap();
        let found = store.of_cards(&["P1".into()]).await.unwrap();
        assert_eq!((found.len(), found[0].warnings.len(), found[0].ticks.len()), (1, 0, 0));
        let left = store.left_to_do(std::iter::empty()).await.unwrap();
        assert_eq!(left.iter().map(|entry| entry.id.0).collect::<Vec<_>>(), [2, 3]);
        let ticked = store.tick(&[TransactionId(2)], Task::SetAside, true, moment(5)).await.unwrap();
        assert!(ticked[0].is_ticked(Task::SetAside) && ticked[0].set_aside().is_some());
        assert_eq!(store.get(&[TransactionId(2)]).await.unwrap(), ticked);
        assert_eq!(store.left_to_do([TransactionId(1)].into_iter()).await.unwrap(), store.all().await.unwrap());
    }
}
