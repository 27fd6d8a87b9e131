//! Rows that cannot be read, beside good ones, in a real IndexedDB. The rule is tested natively in `core/src/log/rows.rs` and
//! `core/tests/odd_rows.rs`.

use crate::batch;
use chrono::TimeDelta;
use koct_core::{
    Action, Barcode, CommitType, DeskName, Entry, Moment, ServerUrl, State, Status, TransactionId,
    desk::codes::Scanned,
    desks::{
        backup::{self, Line, adoption::Kept},
        cleared::Asked,
    },
    log::{
        Counts,
        commit::Batch,
        rows::{Raw, RawPlace},
        status::Attempt,
    },
};
use koct_extension::{
    storage::StorageError,
    store::{Store, StoreError},
};
use serde_json::{Value, json};
use std::collections::HashSet;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

/// Odd in its value: each a key and an expression.
const VALUES: [&str; 31] = [
    "{}",
    "{status: {state: 'posted'}}",
    "{...good, status: {state: 'posted'}}",
    "{...good, status: {state: 'rejected'}}",
    "{...good, status: 'local'}",
    "{...good, status: undefined}",
    "{...good, action: 'renew'}",
    "{...good, moment: {utc: 'yesterday', offset: 60}}",
    "{...good, moment: {utc: NaN, offset: -0}}",
    "{...good, moment: {utc: 0.1, offset: 1e21}}",
    "{...good, moment: new Date(0), itemKey: 'good'}",
    "{...good, moment: new Date(NaN)}",
    "{...good, barcode: 'x'.repeat(4000)}",
    "{...good, barcode: '\\ud800'}",
    "{...good, barcode: 12n}",
    "{...good, barcode: new Uint8Array([1, 2, 255]).buffer}",
    "{...good, barcode: null, status: {state: 'sending'}}",
    "{...good, warnings: new Map([[1, {a: 1}], ['b', [undefined]]])}",
    "{...good, history: new Set([1, 'x', -0])}",
    "{...good, action: {$date: 1, b: 2}}",
    "{...good, action: {$date: 1}}",
    "{...good, action: {'\\udc00': 1}}",
    "{...good, action: {toString: 1, valueOf: 2, constructor: 3, toJSON: 4, hasOwnProperty: 5}}",
    "{toString: 1}",
    "{...good, barcode: new Uint8Array([1, 2, 255]).subarray(1)}",
    "{...good, barcode: new Float64Array([0.1, NaN])}",
    "{...good, barcode: new BigInt64Array([-1n])}",
    "{...good, barcode: new DataView(new ArrayBuffer(3), 1)}",
    "{...good, barcode: new Uint16Array()}",
    "Object.assign([1, , 3], {of: 'this'})",
    "Object.assign([], {status: {state: 'local'}})",
];

/// Keys that the log does not give, smaller and larger ones.
const KEYS: [&str; 16] = [
    "-Infinity",
    "-1",
    "0",
    "-0.5",
    "0.5",
    "2.5",
    "4294967296",
    "9007199254740993",
    "1e300",
    "Infinity",
    "'2'",
    "new Date(5)",
    "[1, 'a']",
    "new Uint8Array([7]).buffer",
    "new DataView(new Uint8Array([8]).buffer)",
    "new DataView(new Uint8Array([9]).buffer)",
];

async fn run(script: &str) -> JsValue {
    JsFuture::from(js_sys::Promise::from(js_sys::eval(script).unwrap())).await.unwrap()
}

/// Puts rows into a store of this database, behind the log's back: expressions of keys and values.
async fn put(name: &str, store: &str, rows: &[(String, String)]) {
    let rows: Vec<String> = rows.iter().map(|(key, value)| format!("[{key}, {value}]")).collect();
    let rows = rows.join(",");
    let in_line = store == "transactions";
    run(&format!(
        "(async () => {{ const good = {{moment: {{utc: 1795428000000, offset: 60}}, action: 'return', barcode: 'GOOD', status: {{state: 'local'}}}}; \
         const db = await new Promise((done, fail) => {{ const o = indexedDB.open('{name}'); o.onsuccess = () => done(o.result); o.onerror = fail; }}); \
         await new Promise((done, fail) => {{ const t = db.transaction('{store}', 'readwrite'); const s = t.objectStore('{store}'); \
         for (const [key, value] of [{rows}]) {{ if ({in_line}) {{ value.seq = key; s.put(value); }} else s.put(value, key); }} \
         t.oncomplete = done; t.onabort = fail; }}); db.close(); }})()"
    ))
    .await;
}

async fn open(name: &str) -> (Store, String) {
    let name = format!("test-odd-{name}-{}", js_sys::Math::random());
    (Store::open(&name).await.unwrap(), name)
}

fn item(barcode: &str) -> Action {
    Action::Return { barcode: Barcode::parse(barcode).unwrap() }
}

fn now() -> Moment {
    Moment::new(1_795_428_000_000, 60).unwrap()
}

fn own() -> DeskName {
    DeskName::parse("Main").unwrap()
}

fn odd_values(first: u32) -> Vec<(String, String)> {
    (first..).zip(VALUES).map(|(key, value)| (key.to_string(), value.to_owned())).collect()
}

fn odd_keys() -> Vec<(String, String)> {
    KEYS.map(|key| (key.to_owned(), "{...good}".to_owned())).to_vec()
}

/// All that is in the log and among the records of commits, as a backup has it.
async fn everything(store: &Store) -> (Vec<Entry>, Vec<Raw>) {
    let (mut entries, mut raw, mut last) = (Vec::new(), store.raw_batches().await.unwrap(), None);
    loop {
        let (some, odd, next) = store.rows_after(last, 7).await.unwrap();
        entries.extend(some);
        raw.extend(odd);
        last = next;
        if last.is_none() {
            return (entries, raw);
        }
    }
}

fn ids(entries: &[Entry]) -> Vec<u32> {
    entries.iter().map(|entry| entry.id.0).collect()
}

#[wasm_bindgen_test]
async fn good_rows_are_as_without_the_odd_ones_and_those_stay_as_they_are() {
    let (store, name) = open("beside").await;
    for barcode in ["A", "GOOD", "B"] {
        store.record(item(barcode), Scanned::default(), now()).await.unwrap();
    }
    put(&name, "transactions", &[odd_values(4), odd_keys()].concat()).await;
    let odd = VALUES.len() + KEYS.len();
    store.look_through().await.unwrap();
    assert_eq!(store.number_unreadable(), odd);
    let before = everything(&store).await;
    assert_eq!((ids(&before.0), before.1.len()), (vec![1, 2, 3], odd));

    // Scanning, and scanning the same item.
    let again = store.record(item("GOOD"), Scanned::default(), now()).await.unwrap();
    assert_eq!(again.transaction.moment, now().shifted(TimeDelta::seconds(1)).unwrap());
    let ids_now = [1, 2, 3, again.id.0].map(TransactionId);
    assert_eq!(store.ids(None).await.unwrap(), ids_now);
    assert_eq!((store.all().await.unwrap().len(), store.after(TransactionId(0), 2).await.unwrap().len()), (4, 2));
    assert_eq!((store.counts().await.unwrap().of(State::Local), store.counts().await.unwrap().total()), (4, 4));
    assert_eq!(store.of_items(&["good".into()]).await.unwrap().len(), 2);
    assert_eq!(ids(&store.recorded_since(TransactionId(2)).await.unwrap()), [again.id.0, 3]);
    assert_eq!(ids(&store.entries_in(&store.newest(50).await.unwrap())).last(), Some(&again.id.0));

    // What was interrupted comes into doubt.
    let server = ServerUrl::parse("https://koha.example.org").unwrap();
    let sending = Status::Sending { attempt: Attempt::new(CommitType::Send, &server) };
    store.set_statuses(&[(TransactionId(1), sending)]).await.unwrap();
    assert_eq!(store.recover().await.unwrap().len(), 1);
    let local: Vec<_> = store.in_states(&[State::Local]).await.unwrap().iter().map(|entry| entry.id).collect();
    assert_eq!(local, ids_now[1..]);
    store.set_statuses(&[(TransactionId(2), Status::Success)]).await.unwrap();
    assert_eq!(ids(&store.latest_committed(&["good".into()].into()).await.unwrap()), [2]);
    // Nobody changes one that cannot be read.
    for number in [4, 4 + u32::try_from(VALUES.len()).unwrap() - 1].map(TransactionId) {
        let refused = store.set_statuses(&[(number, Status::Local)]).await;
        assert!(matches!(refused, Err(StoreError::NotOpen(_))), "{refused:?}");
    }

    // All are cleared that can be read, and the others only where they are asked about.
    let settled = store.asked().await.unwrap().settled();
    assert_eq!(store.remove(&settled, &own(), now()).await.unwrap(), 1);
    assert_eq!(everything(&store).await.1, before.1);
    let asked = store.asked().await.unwrap();
    assert_eq!((asked.unreadable(), asked.counts.uncommitted()), (odd, 3));
    assert_eq!(asked.clone().all(false), None);
    put(&name, "transactions", &[("900".into(), "{late: 1}".into())]).await;
    let removed = store.remove(&asked.all(true).unwrap(), &own(), now()).await.unwrap();
    assert_eq!(removed, 3 + u32::try_from(odd).unwrap());
    let left = everything(&store).await;
    assert_eq!((left.0.len(), left.1.len(), store.number_unreadable()), (0, 1, 1));
}

/// Rounds of other odd rows beside good ones, each under a key of any kind.
#[wasm_bindgen_test]
async fn in_fifty_rounds_no_odd_row_stops_a_good_one() {
    let (store, name) = open("rounds").await;
    // The same each time.
    let mut dice = fastrand::Rng::with_seed(17);
    let mut pick = move |number: usize| dice.usize(..number);
    for round in 0..50_usize {
        let (scanned, again) = (format!("A{round}"), format!("B{round}"));
        let [first, second] = [
            store.record(item(&scanned), Scanned::default(), now()).await.unwrap(),
            store.record(item(&again), Scanned::default(), now()).await.unwrap(),
        ];
        let mut rows: Vec<(String, String)> = Vec::new();
        for number in 0..=pick(5) {
            let (value, key) = (VALUES[pick(VALUES.len())], KEYS[pick(KEYS.len())]);
            let row = match pick(3) {
                // A number that the log has not given yet.
                0 => ((u64::from(second.id.0) + 1 + number as u64).to_string(), value.to_owned()),
                1 => (key.to_owned(), "{...good}".to_owned()),
                _ => (key.to_owned(), value.to_owned()),
            };
            // An array and null have no place for a key.
            if rows.iter().all(|(other, _)| *other != row.0) {
                rows.push(row);
            }
        }
        put(&name, "transactions", &rows).await;

        let server = ServerUrl::parse("https://koha.example.org").unwrap();
        let sending = Status::Sending { attempt: Attempt::new(CommitType::Send, &server) };
        store.set_statuses(&[(first.id, sending)]).await.unwrap();
        assert_eq!(store.recover().await.unwrap().len(), 1, "{round}: {rows:?}");
        assert_eq!(ids(&store.in_states(&[State::Local]).await.unwrap()), [second.id.0], "{round}: {rows:?}");
        assert_eq!(ids(&store.of_items(&[again.to_lowercase()]).await.unwrap()), [second.id.0], "{round}: {rows:?}");
        let (good, raw) = everything(&store).await;
        assert_eq!((ids(&good), raw.len()), (vec![first.id.0, second.id.0], rows.len()), "{round}: {rows:?}");
        store.set_statuses(&[(second.id, Status::Success)]).await.unwrap();
        let settled = store.asked().await.unwrap().settled();
        assert_eq!(store.remove(&settled, &own(), now()).await.unwrap(), 1, "{round}: {rows:?}");
        assert_eq!(everything(&store).await.1, raw, "{round}: they are as they were");
        store.look_through().await.unwrap();
        let asked = store.asked().await.unwrap();
        assert_eq!((asked.unreadable(), asked.counts.total()), (rows.len(), 1), "{round}: {rows:?}");
        let all = asked.all(true).unwrap();
        assert_eq!(store.remove(&all, &own(), now()).await.unwrap() as usize, 1 + rows.len(), "{round}: {rows:?}");
        assert_eq!(everything(&store).await, (Vec::new(), Vec::new()), "{round}: {rows:?}");
    }
}

#[wasm_bindgen_test]
async fn each_is_kept_in_a_backup_and_put_back_under_its_key_as_it_was() {
    let (store, name) = open("kept").await;
    store.record(item("A"), Scanned::default(), now()).await.unwrap();
    put(&name, "transactions", &[odd_values(2), odd_keys()].concat()).await;
    put(
        &name,
        "batches",
        &[("1".into(), "{odd: new Date(3)}".into()), ("'x'".into(), "null".into()), ("1e300".into(), "7".into())],
    )
    .await;
    let (_, raw) = everything(&store).await;
    let lines: Vec<String> = raw.iter().map(|raw| backup::write(&Line::Raw(raw.clone()))).collect();
    let read = |line: &String| match backup::read(line) {
        Ok(Line::Raw(raw)) => raw,
        other => panic!("{other:?}"),
    };
    let read: Vec<Raw> = lines.iter().map(read).collect();
    assert_eq!(read, raw);

    let (new, _) = open("new").await;
    assert_eq!(new.keep(&read).await.unwrap(), vec![Kept::Put; raw.len()]);
    assert_eq!(everything(&new).await, (Vec::new(), raw.clone()));
    assert_eq!(new.keep(&read).await.unwrap(), vec![Kept::There; raw.len()]);
    assert_eq!(everything(&new).await.1, raw);
    // And it goes on being used.
    let added =
        new.add(vec![Entry::recorded(TransactionId(0), koct_core::Transaction { moment: now(), action: item("B") })]);
    let (added, recorded) = (added.await.unwrap(), new.record(item("B"), Scanned::default(), now()).await.unwrap());
    assert_eq!(recorded.id.0, added[0].id.0 + 1);
    assert_eq!(new.begin_batch(&batch(now())).await.unwrap(), 2);
    assert_eq!(new.batches().await.unwrap(), [batch(now())]);

    // A good one has the key: it stays, and the other gets the next number, once.
    let (taken, _) = open("taken").await;
    for barcode in ["A", "B", "C"] {
        taken.record(item(barcode), Scanned::default(), now()).await.unwrap();
    }
    let odd = [Raw { of: RawPlace::Transactions, key: json!(2), value: json!({"seq": 2, "odd": true}) }];
    for kept in [Kept::Put, Kept::There] {
        assert_eq!(taken.keep(&odd).await.unwrap(), [kept]);
        let (entries, raw) = everything(&taken).await;
        assert_eq!(ids(&entries), [1, 2, 3]);
        assert_eq!(raw.iter().map(|raw| &raw.value).collect::<Vec<_>>(), [&json!({"seq": 4, "odd": true})]);
    }
    // What nobody can store is refused.
    let none = |key: Value, value: Value| Raw { of: RawPlace::Transactions, key, value };
    let refused = [
        none(json!(9), json!({"seq": 8})),
        none(json!(9), json!("text")),
        none(json!(true), json!({"seq": true})),
        none(json!(null), json!({"seq": null})),
        none(json!(9), json!({"seq": 9, "odd": {"$unknown": "[object Blob]"}})),
        none(json!(9), json!({"seq": 9, "odd": {"$bytes": [256]}})),
    ];
    assert_eq!(taken.keep(&refused).await.unwrap(), vec![Kept::Refused; refused.len()]);
}

#[wasm_bindgen_test]
async fn whatever_keys_there_are_the_next_number_is_free_and_none_is_given_twice() {
    for key in KEYS.into_iter().chain(["4294967295", "1000"]) {
        let (store, name) = open("keys").await;
        store.record(item("A"), Scanned::default(), now()).await.unwrap();
        put(&name, "transactions", &[(key.into(), "{odd: 1}".into())]).await;
        put(&name, "batches", &[(key.into(), "{odd: 1}".into())]).await;
        let first =
            store.record(item("B"), Scanned::default(), now()).await.unwrap_or_else(|error| panic!("{key}: {error:?}"));
        // Another window, which knows nothing of it yet.
        let other = Store::open(&name).await.unwrap();
        let second = other.record(item("C"), Scanned::default(), now()).await.unwrap();
        let third = Entry::recorded(TransactionId(0), second.transaction.clone());
        let third = store.add(vec![third.clone(), third]).await.unwrap();
        let expected = if key == "1000" { [1, 1_001, 1_002, 1_003, 1_004] } else { [1, 2, 3, 4, 5] };
        let given = [1, first.id.0, second.id.0, third[0].id.0, third[1].id.0];
        // Behind 2.5 there is 3.
        let expected = if key == "2.5" { [1, 3, 4, 5, 6] } else { expected };
        assert_eq!(given, expected, "{key}");
        store.look_through().await.unwrap();
        assert_eq!(store.ids(None).await.unwrap(), expected.map(TransactionId), "{key}");
        store.begin_batch(&batch(now())).await.unwrap();
        assert_eq!(store.batches().await.unwrap().len(), 1, "{key}");
        assert_eq!(
            store.adopt_batches(&[Batch { branchcode: "MPL".into(), ..batch(now()) }]).await.unwrap(),
            1,
            "{key}"
        );
        assert_eq!(store.batches().await.unwrap().len(), 2, "{key}");
    }
}

#[wasm_bindgen_test]
async fn a_row_that_holds_itself_twice_has_an_end() {
    let (store, name) = open("cycle").await;
    store.record(item("A"), Scanned::default(), now()).await.unwrap();
    let cycle = "(() => { const row = {...good}; row.action = row.barcode = row; return row; })()";
    put(&name, "transactions", &[("2".into(), cycle.into())]).await;
    let (good, raw) = everything(&store).await;
    assert_eq!((ids(&good), raw.len()), (vec![1], 1));
    // Where it ends it is cut, and nothing that is cut is put back as if it were whole.
    assert_eq!(open("new").await.0.keep(&raw).await.unwrap(), [Kept::Refused]);
}

#[wasm_bindgen_test]
async fn a_key_near_the_end_leaves_the_numbers_before_it() {
    let (store, name) = open("end").await;
    store.record(item("A"), Scanned::default(), now()).await.unwrap();
    put(&name, "transactions", &[("4294967290".into(), "{odd: 1}".into())]).await;
    for number in [2, 3] {
        let store = Store::open(&name).await.unwrap();
        assert_eq!(store.record(item("B"), Scanned::default(), now()).await.unwrap().id.0, number);
    }
    let store = Store::open(&name).await.unwrap();
    let entry = Entry::recorded(TransactionId(0), koct_core::Transaction { moment: now(), action: item("C") });
    assert_eq!(ids(&store.add(vec![entry.clone(), entry]).await.unwrap()), [4, 5]);
}

#[wasm_bindgen_test]
async fn more_odd_rows_than_are_read_at_once_hide_none_behind_them() {
    let (store, name) = open("many").await;
    store.record(item("A"), Scanned::default(), now()).await.unwrap();
    put(&name, "transactions", &[("2500".into(), "{...good}".into())]).await;
    run(&format!(
        "(async () => {{ const db = await new Promise(done => {{ const o = indexedDB.open('{name}'); o.onsuccess = () => done(o.result); }}); \
         await new Promise(done => {{ const t = db.transaction('transactions', 'readwrite'); const s = t.objectStore('transactions'); \
         for (let seq = 2; seq < 2500; seq++) s.put({{seq, status: {{state: 'local'}}}}); t.oncomplete = done; }}); db.close(); }})()"
    ))
    .await;
    assert_eq!(ids(&store.after(TransactionId(1), 100).await.unwrap()), [2_500]);
    assert_eq!(ids(&store.in_states(&[State::Local]).await.unwrap()), [1, 2_500]);
    store.look_through().await.unwrap();
    assert_eq!((store.number_unreadable(), store.counts().await.unwrap().of(State::Local)), (2_498, 2));
    let open = [1, 2_500].map(|number| (TransactionId(number), State::Local));
    let asked = Asked::new(TransactionId(2_500), open.to_vec(), Counts::default(), HashSet::new());
    assert_eq!(store.remove(&asked.all(true).unwrap(), &own(), now()).await.unwrap(), 2);
    assert_eq!(everything(&store).await.1.len(), 2_498);
}

#[wasm_bindgen_test]
async fn a_log_that_a_newer_version_has_used_is_told_apart() {
    let (store, name) = open("newer").await;
    store.give_way(|| ());
    // It gives way, and is closed.
    run(&format!("new Promise((done, fail) => {{ const o = indexedDB.open('{name}', 99); o.onsuccess = () => {{ o.result.close(); done(); }}; o.onblocked = fail; }})")).await;
    let closed = store.record(item("A"), Scanned::default(), now()).await;
    assert!(matches!(closed, Err(StoreError::Storage(StorageError::Closed))), "{closed:?}");
    let newer = Store::open(&name).await;
    assert!(matches!(newer, Err(StoreError::Storage(StorageError::NewerVersion))), "{newer:?}");
}
