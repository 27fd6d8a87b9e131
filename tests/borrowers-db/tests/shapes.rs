//! KOCT's reader of SQLite files compared with SQLite, over files of many shapes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a failed unwrap is the failure report")]

use koct_borrowers_db::sqlite::{Database, Seen, Value};
use koct_borrowers_tests::bytes;
use proptest::prelude::*;
use rusqlite::{Connection, params_from_iter, types};

/// A file: how it is laid out, and what was done with its table.
#[derive(Debug, Clone)]
struct Shape {
    page_size: u32,
    encoding: &'static str,
    vacuum: &'static str,
    reserved: u8,
    columns: &'static str,
    deeds: Vec<Deed>,
}

#[derive(Debug, Clone)]
enum Deed {
    Insert(Vec<types::Value>),
    /// A row with a rowid of its own.
    Place(i64, types::Value),
    /// Every row whose rowid leaves this rest.
    Delete(i64),
    Many(u16),
    Update(types::Value),
    AddColumn(usize),
    Vacuum,
}

const COLUMNS: [&str; 6] = [
    "a, b, c",
    "a INTEGER PRIMARY KEY, b TEXT, c REAL",
    "b, c, a INTEGER, PRIMARY KEY(a)",
    "a int, b varchar(16) NOT NULL DEFAULT '', c decimal(28,6) CHECK (c <> 'never')",
    "a INTEGER PRIMARY KEY AUTOINCREMENT, b AS (a + 1), c TEXT COLLATE NOCASE, d",
    "a, b GENERATED ALWAYS AS (a) STORED, c, \"d, e\" TEXT",
];
const ADDED: [&str; 5] =
    ["TEXT", "TEXT DEFAULT 'it''s'", "INTEGER DEFAULT -7", "REAL DEFAULT 2.5", "NOT NULL DEFAULT x'00ff'"];

fn value() -> impl Strategy<Value = types::Value> {
    prop_oneof![
        Just(types::Value::Null),
        any::<i64>().prop_map(types::Value::Integer),
        (-300..300_i64).prop_map(types::Value::Integer),
        any::<i32>().prop_map(|number| types::Value::Integer(number.into())),
        any::<f64>().prop_filter("no number", |number| number.is_finite()).prop_map(types::Value::Real),
        ".{0,20}".prop_map(types::Value::Text),
        (".{1,3}", 1..4000_usize).prop_map(|(text, times)| types::Value::Text(text.repeat(times))),
        prop::collection::vec(any::<u8>(), 0..30).prop_map(types::Value::Blob),
        (300..80_000_usize).prop_map(|length| types::Value::Blob(vec![7; length])),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        8 => prop::collection::vec(value(), 2).prop_map(Deed::Insert),
        2 => (any::<i64>(), value()).prop_map(|(rowid, value)| Deed::Place(rowid, value)),
        1 => (0..5_i64).prop_map(Deed::Delete),
        1 => (0..800_u16).prop_map(Deed::Many),
        1 => value().prop_map(Deed::Update),
        1 => (0..ADDED.len()).prop_map(Deed::AddColumn),
        1 => Just(Deed::Vacuum),
    ]
}

fn shape() -> impl Strategy<Value = Shape> {
    (
        prop::sample::select(&[512, 1024, 4096, 65_536][..]),
        prop::sample::select(&["UTF-8", "UTF-16le", "UTF-16be"][..]),
        prop::sample::select(&["NONE", "FULL"][..]),
        prop::sample::select(&[0, 8, 32][..]),
        prop::sample::select(&COLUMNS[..]),
        prop::collection::vec(deed(), 0..30),
    )
        .prop_map(|(page_size, encoding, vacuum, reserved, columns, deeds)| Shape {
            page_size,
            encoding,
            vacuum,
            reserved,
            columns,
            deeds,
        })
}

/// An empty file on whose pages some bytes are kept free, as encryption does for its sums.
fn opened(shape: &Shape) -> Connection {
    let mut file = Connection::open_in_memory().unwrap();
    file.execute_batch(&format!(
        "PRAGMA page_size = {}; PRAGMA encoding = '{}'; PRAGMA auto_vacuum = {}; PRAGMA user_version = 1;",
        shape.page_size, shape.encoding, shape.vacuum
    ))
    .unwrap();
    let mut empty = bytes(&mut file).unwrap();
    empty[20] = shape.reserved;
    // Where the content of the first page begins: at the end of what is used. 0 means 65536.
    let content = u16::try_from((shape.page_size - u32::from(shape.reserved)) % 65_536).unwrap();
    empty[105..107].copy_from_slice(&content.to_be_bytes());
    file.deserialize_read_exact("main", &empty[..], empty.len(), false).unwrap();
    file
}

/// What is refused, such as a rowid that is there already, is left.
fn done(file: &Connection, deed: &Deed, added: &mut usize) {
    let _ = match deed {
        Deed::Insert(values) => file.execute("INSERT INTO t(a, c) VALUES (?, ?)", params_from_iter(values)),
        Deed::Place(rowid, value) => file.execute("INSERT INTO t(rowid, c) VALUES (?, ?)", (rowid, value)),
        Deed::Delete(rest) => file.execute("DELETE FROM t WHERE rowid % 5 = ?", [rest]),
        Deed::Many(number) => file.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
             INSERT INTO t(c) SELECT 'row ' || i || hex(zeroblob(i % 40)) FROM n",
            [number],
        ),
        Deed::Update(value) => file.execute("UPDATE t SET c = ? WHERE rowid % 3 = 1", [value]),
        Deed::AddColumn(kind) => {
            *added += 1;
            file.execute(&format!("ALTER TABLE t ADD COLUMN added{added} {}", ADDED[*kind]), [])
        }
        Deed::Vacuum => file.execute("VACUUM", []),
    };
}

fn same(ours: &Value<'_>, theirs: types::ValueRef<'_>) -> bool {
    match (ours, theirs) {
        (Value::Null, types::ValueRef::Null) => true,
        (Value::Integer(ours), types::ValueRef::Integer(theirs)) => *ours == theirs,
        (Value::Real(ours), types::ValueRef::Real(theirs)) => ours.to_bits() == theirs.to_bits(),
        // Whole numbers are stored as such, whatever the column's type is.
        (Value::Integer(ours), types::ValueRef::Real(theirs)) => {
            types::Value::Real(theirs) == types::Value::Real(to_real(*ours))
        }
        (Value::Text(ours), types::ValueRef::Text(theirs)) => ours.as_bytes() == theirs,
        (Value::Blob(ours), types::ValueRef::Blob(theirs)) => **ours == *theirs,
        _ => false,
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is what SQLite does")]
fn to_real(number: i64) -> f64 {
    number as f64
}

fn compare(file: &mut Connection) -> u32 {
    let ours = Database::open(bytes(file).unwrap()).unwrap();
    let table = ours.table("T").unwrap();
    let (mut scan, mut seen, mut peeked, mut rows) = (ours.scan(&table), Seen::default(), Seen::default(), 0);
    let names: Vec<&str> = table.columns().collect();
    let mut statement = file.prepare("SELECT rowid, * FROM t ORDER BY rowid").unwrap();
    assert_eq!(statement.column_names().skip(1).collect::<Vec<_>>(), names);
    let mut theirs = statement.query([]).unwrap();
    while let Some(expected) = theirs.next().unwrap() {
        let place = scan.next(&ours).unwrap().expect("a row is missing");
        let row = ours.row(place, &mut seen).unwrap();
        assert_eq!(row.rowid(), expected.get::<_, i64>(0).unwrap());
        for (index, name) in names.iter().enumerate() {
            let Some(column) = table.column(name) else { continue };
            let (value, expected) = (row.value(&table, column).unwrap(), expected.get_ref(index + 1).unwrap());
            assert!(same(&value, expected), "{name}: {value:?} is {expected:?}");
        }
        let first = table.column(names[0]).unwrap();
        let value = row.value(&table, first).unwrap();
        assert!(ours.peek(place, &table, first, &mut peeked, |peeked| peeked == value).unwrap());
        rows += 1;
    }
    assert_eq!(scan.next(&ours), Ok(None), "a row too many");
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_value_is_what_sqlite_reads(shape in shape()) {
        let mut file = opened(&shape);
        file.execute_batch(&format!("CREATE TABLE other(x); CREATE TABLE T({})", shape.columns)).unwrap();
        let mut added = 0;
        for deed in &shape.deeds {
            done(&file, deed, &mut added);
        }
        let whole: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        prop_assert_eq!(whole, "ok");
        compare(&mut file);
    }
}

#[test]
fn trees_of_many_levels() {
    let shape =
        Shape { page_size: 512, encoding: "UTF-8", vacuum: "NONE", reserved: 32, columns: "a, c", deeds: vec![] };
    let mut file = opened(&shape);
    file.execute_batch("CREATE TABLE t(a, c)").unwrap();
    // From the highest to the lowest, so that pages are not in the order of the rows.
    file.execute_batch(
        "WITH RECURSIVE n(i) AS (SELECT 60000 UNION ALL SELECT i - 1 FROM n WHERE i > 1)
         INSERT INTO t(rowid, a, c) SELECT i * 1000000007, i, hex(randomblob(i % 90)) FROM n",
    )
    .unwrap();
    assert_eq!(compare(&mut file), 60_000);
}

#[test]
fn many_tables() {
    let mut file = Connection::open_in_memory().unwrap();
    file.execute_batch("PRAGMA page_size = 512; CREATE TABLE t(a, c); INSERT INTO t VALUES (1, 2)").unwrap();
    for number in 0..300 {
        let sql = format!("CREATE TABLE t{number}(a, b); CREATE INDEX i{number} ON t{number}(a)");
        file.execute_batch(&sql).unwrap();
    }
    assert_eq!(compare(&mut file), 1);
}

#[test]
fn rows_of_every_length() {
    for reserved in [0, 32] {
        let (page_size, columns, deeds) = (512, "a, c", vec![]);
        let mut file = opened(&Shape { page_size, encoding: "UTF-8", vacuum: "NONE", reserved, columns, deeds });
        file.execute_batch(
            "CREATE TABLE t(a, c);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
             INSERT INTO t SELECT i, randomblob(i) FROM n",
        )
        .unwrap();
        assert_eq!(compare(&mut file), 2000);
    }
}
