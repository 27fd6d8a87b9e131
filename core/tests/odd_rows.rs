//! Rows that cannot be read, among good ones: each good one is read, found, exported, backed up, restored and cleared as without
//! them.

#![allow(clippy::unwrap_used, reason = "in tests a failed unwrap is the failure report")]

use koct_core::{
    DeskName, Entry, Moment, Status, Transaction, TransactionId,
    desk::{
        barcode::{Barcode, Cardnumber},
        transaction::Action,
    },
    desks::{
        backup::{
            Header, Line, Writer,
            adoption::{Adopted, Adoption, AdoptionStep, Input, Kept},
        },
        cleared::remembered_key,
        export,
        import::knowledge::Knowledge,
    },
    log::{
        order,
        rows::{self, Raw, RawPlace},
        search::{Filter, Index},
    },
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn own() -> DeskName {
    DeskName::parse("Bus").unwrap()
}

fn now() -> Moment {
    Moment::new(1_795_428_000_000, 60).unwrap()
}

/// Any value, deeper and deeper, with the words of a row among its own.
fn any_value() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        "[a-z]{0,6}",
        prop::sample::select(vec!["seq", "status", "state", "action", "moment", "utc"]).prop_map(str::to_owned)
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|quarters| Value::from(f64::from(quarters) / 4.0)),
        "\\PC{0,12}|local|sending|success|issue".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..4)
                .prop_map(|pairs| Value::from(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn good(number: u32, of: (usize, usize)) -> Entry {
    let (item, status) = of;
    let barcode = Barcode::parse(&format!("item{item}")).unwrap();
    let action = match item % 2 {
        0 => Action::Return { barcode },
        _ => Action::Issue { cardnumber: Cardnumber::parse("P1").unwrap(), barcode },
    };
    let moment = Moment::new(1_795_428_000_000 + i64::from(number) * 1_000, 60).unwrap();
    let refused = Status::Rejected { message: "Item not issued.".into() };
    let status = [Status::Local, Status::Added, Status::Success, Status::Deleted, refused][status].clone();
    Entry { status, ..Entry::recorded(TransactionId(number), Transaction { moment, action }) }
}

/// An odd row: any value at all, or a good one with one part of it replaced by any, or without it.
fn odd_row() -> impl Strategy<Value = Value> {
    let parts = prop::sample::select(vec![
        "seq", "moment", "action", "barcode", "status", "history", "warnings", "desk", "part",
    ]);
    prop_oneof![
        any_value(),
        (parts, prop::option::of(any_value()), 1_u32..100).prop_map(|(part, value, number)| {
            let mut row = serde_json::to_value(good(number, (2, 0))).unwrap();
            let row_parts = row.as_object_mut().unwrap();
            match value {
                Some(value) => row_parts.insert(part.to_owned(), value),
                None => row_parts.remove(part),
            };
            row
        }),
    ]
}

fn read(rows: &[Value]) -> rows::Rows {
    let all = serde_json::to_string(rows).unwrap();
    rows::read(Some(&all), rows.len(), |place| Some(rows[place].to_string()))
}

/// What a desk does with what it reads: a file, what is found, what is remembered of each when it is cleared.
fn used(entries: &[Entry]) -> (Option<export::Export>, Vec<TransactionId>, Vec<Option<String>>) {
    let states = export::states(true);
    let exported = entries.iter().filter(|entry| states.contains(&entry.status.state())).cloned().collect();
    let ordered = order::sorting(exported).at_once();
    let mut index = Index::default();
    for entry in entries {
        index.put(entry);
    }
    let found = index.find(&Filter { text: "item1".into(), ..Filter::default() }).ids;
    (
        export::exporting(ordered, &own(), None).at_once(),
        found,
        entries.iter().map(|entry| remembered_key(entry, &own())).collect(),
    )
}

fn backup(entries: &[Entry], raw: &[Raw]) -> String {
    let (mut writer, mut text) = Writer::begin(&Header::new(own(), now()));
    text += &writer.add(raw.iter().cloned().map(Line::Raw));
    text += &writer.add(entries.iter().cloned().map(Box::new).map(Line::Transaction));
    text + &writer.end().0
}

/// The backup in an empty log: what came of it, the entries and the raw rows.
fn restored(backup: &str) -> (Adopted, Vec<Entry>, Vec<Raw>) {
    let mut knowledge = Knowledge::new(own());
    let (mut entries, mut raw) = (Vec::new(), Vec::new());
    let header = Header::from_file(backup.as_bytes()).unwrap();
    let (mut adoption, mut step) = Adoption::start(backup.as_bytes(), header, &mut knowledge);
    loop {
        let done = match step {
            AdoptionStep::Rest => Input::Rested,
            AdoptionStep::Keep(rows) => {
                let kept = vec![Kept::Put; rows.len()];
                raw.extend(rows);
                Input::Kept(kept)
            }
            AdoptionStep::Read(_) => unreachable!("each is there once"),
            AdoptionStep::Write(_, new) => {
                entries.extend(new.iter().cloned());
                Input::Written(new)
            }
            AdoptionStep::Remember(..) => Input::Remembered,
            AdoptionStep::Finish => return (adoption.into_outcome(), entries, raw),
        };
        step = adoption.handle(done);
    }
}

proptest! {
    #[test]
    fn every_good_row_is_as_without_the_odd_ones(
        rows in prop::collection::vec(prop_oneof![
            (0_usize..4, 0_usize..5).prop_map(Ok),
            odd_row().prop_map(Err),
        ], 0..20),
    ) {
        // Those that happen to be read are no odd ones.
        let is_odd = |row: &Value| rows::read_one(&row.to_string()).is_none();
        let mut stored = Vec::new();
        let mut odd = Vec::new();
        let mut entries = Vec::new();
        for (number, row) in (1..).zip(rows) {
            match row {
                Ok(of) => {
                    entries.push(good(number, of));
                    stored.push(serde_json::to_value(entries.last().unwrap()).unwrap());
                }
                Err(row) if is_odd(&row) => {
                    odd.push(Raw { of: RawPlace::Transactions, key: json!(number), value: row.clone() });
                    stored.push(row);
                }
                Err(_) => {}
            }
        }
        let read = read(&stored);
        prop_assert_eq!(&read.entries, &entries);
        let values: Vec<&Value> = read.unreadable.iter().map(|place| &stored[*place]).collect();
        prop_assert_eq!(values, odd.iter().map(|raw| &raw.value).collect::<Vec<_>>(), "each is counted, and nothing else");
        prop_assert_eq!(used(&read.entries), used(&entries));
        // Both are in the backup, and come out of it as they were.
        let (outcome, restored, raw) = restored(&backup(&read.entries, &odd));
        prop_assert_eq!(outcome, Adopted { imported: stored.len(), ..Adopted::default() });
        prop_assert_eq!(restored, entries);
        prop_assert_eq!(raw, odd);
    }
}
