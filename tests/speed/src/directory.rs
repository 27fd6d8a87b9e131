//! Measures the directory: a library of any size is written to a store, and records are looked for.

mod made;

use fastrand::Rng;
use futures_util::FutureExt;
use koct_core::directory::{
    self, Contents, Directory, RowWriter, Unfinished,
    block_store::{BlockId, BlockStore, DamagedBlockError},
    record::{Hold, HoldState, Loan, Record, Set},
};
use made::Words;
use serde_json::{Value, json};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

/// How many records of each set.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Patrons.
    pub patrons: u32,
    /// Items.
    pub items: u32,
    /// Open loans.
    pub loans: u32,
    /// Holds.
    pub holds: u32,
}

/// The size that the largest libraries have.
pub const LARGE: Size = Size { patrons: 1_000_000, items: 2_000_000, loans: 300_000, holds: 50_000 };
/// How often each look-up is made.
const LOOKUPS: u32 = 401;
/// As typed, letter by letter.
const TYPED: [&str; 10] = ["ma", "mar", "mari", "maria", "maria k", "maria ka", "an", "ber", "s", "o e"];

/// A store in memory, and how long the longest step with it took.
struct Memory<'a> {
    blocks: RefCell<BTreeMap<BlockId, Rc<[u8]>>>,
    now: &'a dyn Fn() -> f64,
    /// The longest that was done without a rest, in milliseconds.
    longest: Cell<f64>,
    rested: Cell<f64>,
}

impl BlockStore for &Memory<'_> {
    type Error = DamagedBlockError;

    async fn read(&self, place: BlockId) -> Result<Option<Rc<[u8]>>, DamagedBlockError> {
        Ok(self.blocks.borrow().get(&place).cloned())
    }

    async fn write(&self, blocks: Vec<(BlockId, Vec<u8>)>) -> Result<(), DamagedBlockError> {
        self.blocks.borrow_mut().extend(blocks.into_iter().map(|(place, bytes)| (place, bytes.into())));
        Ok(())
    }

    async fn rest(&self) {
        let now = (self.now)();
        self.longest.set(self.longest.get().max(now - self.rested.get()));
        self.rested.set(now);
    }
}

impl Memory<'_> {
    /// The bytes of the rows of a run, or of its indexes.
    fn bytes(&self, run: u32, rows: bool) -> usize {
        let blocks = self.blocks.borrow();
        let of = blocks.iter().filter(|(place, _)| place.run == run && (place.part == 0) == rows);
        of.map(|(_, block)| block.len()).sum()
    }
}

/// What was measured with a store in memory, as a JSON array of `{what, number, millis}` and `{what, number, bytes}`.
///
/// # Panics
/// When a record that was written is not found.
pub fn measure(now: &dyn Fn() -> f64, size: Size) -> String {
    let blocks = RefCell::default();
    let memory = Memory { blocks, now, longest: Cell::default(), rested: Cell::new(now()) };
    let measured = async {
        let (contents, mut results) = fill(&&memory, now, size).await?;
        for (set, held) in &contents.sets {
            for (what, rows) in [("rows", true), ("indexes", false)] {
                let (what, bytes) = (format!("{}: {what}", name(*set)), memory.bytes(held.run, rows));
                results.push(json!({ "what": what, "number": held.rows, "bytes": bytes }));
            }
        }
        results.push(json!({"what": "longest step", "number": 1, "millis": memory.longest.get()}));
        results.extend(look_up(Directory::new(&memory, contents), now, size).await?);
        Ok::<_, DamagedBlockError>(Value::Array(results).to_string())
    };
    measured.now_or_never().expect("a store in memory never waits").expect("nothing is damaged")
}

/// The same with a store that may wait.
///
/// # Errors
/// When it cannot be read or written.
///
/// # Panics
/// As [`measure`].
pub async fn measure_on<S: BlockStore>(store: S, now: &dyn Fn() -> f64, size: Size) -> Result<String, S::Error> {
    let (contents, mut results) = fill(&store, now, size).await?;
    results.extend(look_up(Directory::new(store, contents), now, size).await?);
    Ok(Value::Array(results).to_string())
}

async fn fill<S: BlockStore>(store: &S, now: &dyn Fn() -> f64, size: Size) -> Result<(Contents, Vec<Value>), S::Error> {
    let mut contents = Contents::default();
    let mut results = Vec::new();
    let mut random = Rng::with_seed(1);
    let words = Words::new(&mut random);
    let patrons = (1..=size.patrons).map(|n| made::patron(n, &words, &mut random));
    set(store, now, &mut contents, &mut results, patrons).await?;
    let mut title = (0, String::new(), String::new());
    let items = (1..=size.items).map(|n| made::item(n, &words, &mut random, &mut title));
    set(store, now, &mut contents, &mut results, items).await?;
    let stride = (size.items / size.loans.max(1)).max(1);
    let loans = (1..=size.loans).map(|n| Loan {
        id: n,
        patron: 1 + random.u32(..size.patrons),
        item: Some(n * stride),
        due: made::time(1_795_000_000 + i64::from(random.u32(..3_000_000))),
        since: made::time(1_793_000_000 + i64::from(random.u32(..2_000_000))),
        ..Loan::default()
    });
    set(store, now, &mut contents, &mut results, loans).await?;
    let holds = (1..=size.holds).map(|n| Hold {
        id: n,
        patron: 1 + random.u32(..size.patrons),
        biblio: 1 + random.u32(..size.items / 2),
        item: None,
        pickup: made::branch(&mut random),
        priority: 1 + random.u32(..3),
        state: HoldState::Placed,
        suspended: false,
    });
    set(store, now, &mut contents, &mut results, holds).await?;
    Ok((contents, results))
}

async fn set<R: Record, S: BlockStore>(
    store: &S,
    now: &dyn Fn() -> f64,
    contents: &mut Contents,
    results: &mut Vec<Value>,
    rows: impl Iterator<Item = R>,
) -> Result<(), S::Error> {
    let run = contents.new_run();
    let began = now();
    let mut writer = RowWriter::resume(Unfinished::new(run));
    for (number, row) in rows.enumerate() {
        let _ = writer.push(&row);
        if number % 500 == 499 {
            store.write(writer.take(false).0).await?;
            store.rest().await;
        }
    }
    let (blocks, at) = writer.take(true);
    store.write(blocks).await?;
    let written = now();
    let held = directory::finish::<R, _>(store, at, koct_core::desk::clock::DeskTime::from_millis(1)).await?;
    let name = name(R::SET);
    results.extend([
        json!({"what": format!("{name}: writing"), "number": held.rows, "millis": written - began}),
        json!({"what": format!("{name}: indexing"), "number": held.rows, "millis": now() - written}),
    ]);
    contents.sets.insert(R::SET, held);
    Ok(())
}

fn name(set: Set) -> String {
    format!("{set:?}").to_lowercase()
}

async fn look_up<S: BlockStore>(
    directory: Directory<S>,
    now: &dyn Fn() -> f64,
    size: Size,
) -> Result<Vec<Value>, S::Error> {
    let mut results = Vec::new();
    let began = now();
    directory.prepare_search().await?;
    results.push(json!({"what": "reading the index of names", "number": 1, "millis": now() - began}));
    let bytes = directory.names_in_memory();
    results.push(json!({"what": "index of names, in memory", "number": size.patrons, "bytes": bytes}));
    let mut random = Rng::with_seed(7);
    let mut times = Vec::new();
    for _ in 0..LOOKUPS {
        let card = made::card(1 + random.u32(..size.patrons));
        let began = now();
        assert!(directory.patron_by_code(&card).await?.is_some(), "{card} is not found");
        times.push(now() - began);
    }
    tell(&mut results, "a patron by card", std::mem::take(&mut times));
    for _ in 0..LOOKUPS {
        let barcode = format!("3{:013}", 1 + random.u32(..size.items));
        let began = now();
        let item = directory.item_by_barcode(&barcode).await?;
        let item = item.expect("what was written is found");
        let _ = (directory.loan_of(item.id).await?, directory.holds_on(item.biblio).await?);
        times.push(now() - began);
    }
    tell(&mut results, "an item by barcode, its loan and holds", std::mem::take(&mut times));
    for _ in 0..LOOKUPS {
        let began = now();
        directory.loans_of(1 + random.u32(..size.patrons)).await?;
        times.push(now() - began);
    }
    tell(&mut results, "the loans of a patron", std::mem::take(&mut times));
    for typed in TYPED.iter().cycle().take(usize::try_from(LOOKUPS).unwrap_or_default()) {
        let began = now();
        directory.search(typed, 12).await?;
        times.push(now() - began);
    }
    tell(&mut results, "a letter of a name", times);
    Ok(results)
}

fn tell(results: &mut Vec<Value>, what: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let average = times.iter().sum::<f64>() / f64::from(LOOKUPS);
    results.push(json!({"what": format!("{what}, on average"), "number": 1, "millis": average}));
    results.push(json!({"what": format!("{what}, slowest"), "number": 1, "millis": times.last()}));
}
