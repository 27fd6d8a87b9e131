//! Measures the directory: a library of any size is written on a shelf in memory, and records are looked for.

use futures_util::FutureExt;
use koct_core::directory::{
    self, Contents, Directory, RowWriter, Unfinished,
    record::{Hold, HoldState, Item, Loan, Patron, Row},
    shelf::{Damaged, Place, Shelf},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::Future,
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
/// Each look-up is made so often.
const LOOKUPS: u32 = 401;
/// As typed, letter by letter.
const TYPED: [&str; 10] = ["ma", "mar", "mari", "maria", "maria k", "maria ka", "an", "ber", "s", "o e"];

#[derive(Debug, Default)]
struct Memory {
    blocks: RefCell<BTreeMap<Place, Rc<[u8]>>>,
    /// The longest that was done without a rest, in milliseconds.
    longest: Cell<f64>,
    rested: Cell<f64>,
}

struct Measured<'a> {
    memory: &'a Memory,
    now: &'a dyn Fn() -> f64,
}

impl Shelf for Measured<'_> {
    type Error = Damaged;

    async fn read(&self, place: Place) -> Result<Option<Rc<[u8]>>, Damaged> {
        Ok(self.memory.blocks.borrow().get(&place).cloned())
    }

    async fn write(&self, blocks: Vec<(Place, Vec<u8>)>) -> Result<(), Damaged> {
        self.memory.blocks.borrow_mut().extend(blocks.into_iter().map(|(place, bytes)| (place, bytes.into())));
        Ok(())
    }

    async fn rest(&self) {
        let now = (self.now)();
        self.memory.longest.set(self.memory.longest.get().max(now - self.memory.rested.get()));
        self.memory.rested.set(now);
    }
}

fn at_once<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never().expect("a shelf in memory never waits")
}

/// What was measured, as a JSON array of `{what, number, millis}` and `{what, number, bytes}`.
///
/// # Panics
/// When a record that was written is not found.
pub fn measure(now: &dyn Fn() -> f64, size: Size) -> String {
    let memory = Memory::default();
    let shelf = Measured { memory: &memory, now };
    let mut contents = Contents::default();
    let mut results = Vec::new();
    let mut random = Random(1);
    let words = Words::new(&mut random);
    let patrons = (1..=size.patrons).map(|n| patron(n, &words, &mut random));
    set(&shelf, &mut contents, &mut results, patrons);
    let mut title = (0, String::new(), String::new());
    let items = (1..=size.items).map(|n| item(n, &words, &mut random, &mut title));
    set(&shelf, &mut contents, &mut results, items);
    let stride = (size.items / size.loans.max(1)).max(1);
    let loans = (1..=size.loans).map(|n| Loan {
        id: n,
        patron: 1 + random.below(size.patrons),
        item: Some(n * stride),
        due: chrono_at(1_795_000_000 + i64::from(random.below(3_000_000))),
        since: chrono_at(1_793_000_000 + i64::from(random.below(2_000_000))),
        ..Loan::default()
    });
    set(&shelf, &mut contents, &mut results, loans);
    let holds = (1..=size.holds).map(|n| Hold {
        id: n,
        patron: 1 + random.below(size.patrons),
        biblio: 1 + random.below(size.items / 2),
        item: None,
        pickup: branch(&mut random),
        priority: 1 + random.below(3),
        state: HoldState::Placed,
        suspended: false,
    });
    set(&shelf, &mut contents, &mut results, holds);
    results.push(serde_json::json!({"what": "longest step", "number": 1, "millis": memory.longest.get()}));

    let directory = Directory::new(shelf, contents);
    let began = now();
    let _ = at_once(directory.search("zz", 12));
    results
        .push(serde_json::json!({"what": "the first search (reads the index)", "number": 1, "millis": now() - began}));
    results.push(serde_json::json!({"what": "index of names, in memory", "number": size.patrons, "bytes": directory.names_in_memory()}));
    let mut look = |what: &str, action: &mut dyn FnMut(u32)| {
        let mut times: Vec<f64> = (0..LOOKUPS)
            .map(|n| {
                let began = now();
                action(n);
                now() - began
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let total: f64 = times.iter().sum();
        results.push(serde_json::json!({"what": format!("{what}, on average"), "number": 1, "millis": total / f64::from(LOOKUPS)}));
        results.push(serde_json::json!({"what": format!("{what}, slowest"), "number": 1, "millis": times.last()}));
    };
    let mut random = Random(7);
    look("a patron by card", &mut |_| {
        let card = card(1 + random.below(size.patrons));
        assert!(at_once(directory.patron_by_code(&card)).is_ok_and(|patron| patron.is_some()));
    });
    look("an item by barcode, its loan and holds", &mut |_| {
        let barcode = format!("3{:013}", 1 + random.below(size.items));
        let item = at_once(directory.item_by_barcode(&barcode)).ok().flatten();
        assert!(item.is_some_and(
            |item| at_once(directory.loan_of(item.id)).is_ok() && at_once(directory.holds_on(item.biblio)).is_ok()
        ));
    });
    look("the loans of a patron", &mut |_| {
        let _ = at_once(directory.loans_of(1 + random.below(size.patrons)));
    });
    look("a letter of a name", &mut |n| {
        let typed = TYPED[usize::try_from(n).unwrap_or_default() % TYPED.len()];
        let _ = at_once(directory.search(typed, 12));
    });
    serde_json::Value::Array(results).to_string()
}

fn set<R: Row>(
    shelf: &Measured<'_>,
    contents: &mut Contents,
    results: &mut Vec<serde_json::Value>,
    rows: impl Iterator<Item = R>,
) {
    let run = contents.new_run();
    let began = (shelf.now)();
    shelf.memory.rested.set(began);
    let mut writer = RowWriter::resume(Unfinished::new(run));
    for (number, row) in rows.enumerate() {
        let _ = writer.push(&row);
        if number % 500 == 499 {
            let _ = at_once(shelf.write(writer.take(false).0));
            at_once(shelf.rest());
        }
    }
    let (blocks, at) = writer.take(true);
    let _ = at_once(shelf.write(blocks));
    let written = (shelf.now)();
    let Ok(held) = at_once(directory::finish::<R, _>(shelf, at, 1)) else { return };
    let name = format!("{:?}", R::SET).to_lowercase();
    let bytes = |rows: bool| -> usize {
        let blocks = shelf.memory.blocks.borrow();
        let of = blocks.iter().filter(|(place, _)| place.run == run && (place.part == 0) == rows);
        of.map(|(_, block)| block.len()).sum()
    };
    let done = (shelf.now)();
    results.extend([
        serde_json::json!({"what": format!("{name}: writing"), "number": held.rows, "millis": written - began}),
        serde_json::json!({"what": format!("{name}: indexing"), "number": held.rows, "millis": done - written}),
        serde_json::json!({"what": format!("{name}: rows"), "number": held.rows, "bytes": bytes(true)}),
        serde_json::json!({"what": format!("{name}: indexes"), "number": held.rows, "bytes": bytes(false)}),
    ]);
    contents.sets.insert(R::SET, held);
}

/// Numerical Recipes' linear congruential generator: the same library each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(limit.max(1))).unwrap_or_default()
    }

    /// Small numbers are far more frequent, as with names.
    fn frequent(&mut self, limit: u32) -> usize {
        let share = f64::from(self.below(1 << 20)) / f64::from(1 << 20);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the limit")]
        let place = (share.powi(4) * f64::from(limit)) as usize;
        place
    }
}

/// Words of many syllables: as many different ones as a large town has.
struct Words {
    surnames: Vec<String>,
    firstnames: Vec<String>,
    others: Vec<String>,
}

impl Words {
    fn new(random: &mut Random) -> Self {
        let syllables: Vec<String> = "b d f g h j k l m n p r s t v w z br kr sch st tr"
            .split(' ')
            .flat_map(|head| ["a", "e", "i", "o", "u", "er", "an", "ö", "ai"].map(|tail| format!("{head}{tail}")))
            .collect();
        let many = |count: u32, longest: u32, random: &mut Random| -> Vec<String> {
            (0..count)
                .map(|_| {
                    let length = 2 + random.below(longest - 1);
                    let word: String =
                        (0..length).map(|_| &*syllables[random.below(198) as usize % syllables.len()]).collect();
                    let mut letters = word.chars();
                    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
                })
                .collect()
        };
        let mut firstnames = many(20_000, 3, random);
        "Maria".clone_into(&mut firstnames[0]);
        Self { surnames: many(150_000, 4, random), firstnames, others: many(30_000, 4, random) }
    }

    fn text(&self, words: u32, random: &mut Random) -> String {
        (0..words).map(|_| &*self.others[random.frequent(30_000)]).collect::<Vec<_>>().join(" ")
    }
}

fn branch(random: &mut Random) -> String {
    ["CPL", "MPL", "FPL", "FFL", "IPT"][random.below(5) as usize].to_owned()
}

fn card(number: u32) -> String {
    // In the order in which people came, with gaps.
    format!("2{:013}", u64::from(number) * 7 + u64::from(number.wrapping_mul(0x9e37_79b9) >> 30))
}

fn chrono_at(second: i64) -> Option<chrono::DateTime<chrono::Utc>> {
    chrono::DateTime::from_timestamp(second, 0)
}

fn patron(id: u32, words: &Words, random: &mut Random) -> Patron {
    let surname = words.surnames[random.frequent(150_000)].clone();
    let firstname = words.firstnames[random.frequent(20_000)].clone();
    let some = |one_in: u32, random: &mut Random| random.below(one_in) == 0;
    Patron {
        id,
        cardnumber: card(id),
        userid: format!("{}.{}{}", firstname.to_lowercase(), surname.to_lowercase(), random.below(100)),
        other_names: if some(6, random) { words.firstnames[random.frequent(20_000)].clone() } else { String::new() },
        surname,
        firstname,
        category: ["PT", "J", "YA", "ST", "S", "B"][random.frequent(6)].to_owned(),
        library: branch(random),
        expires: chrono::NaiveDate::from_num_days_from_ce_opt(
            739_000 + i32::try_from(random.below(1_500)).unwrap_or(0),
        ),
        restricted: Some(some(33, random)),
        card_lost: Some(some(50, random)),
        wrong_address: Some(some(33, random)),
        owes: Some(if some(7, random) { i64::from(random.below(5_000)) } else { 0 }),
        restricted_until: None,
        restriction_comment: String::new(),
        staff_note: if some(12, random) { words.text(8, random) } else { String::new() },
    }
}

fn item(id: u32, words: &Words, random: &mut Random, title: &mut (u32, String, String)) -> Item {
    if random.below(3) != 0 {
        let author =
            format!("{}, {}", words.surnames[random.frequent(150_000)], words.firstnames[random.frequent(20_000)]);
        let length = 2 + random.below(6);
        *title = (title.0 + 1, words.text(length, random), author);
    }
    Item {
        id,
        barcode: format!("3{id:013}"),
        biblio: title.0,
        title: title.1.clone(),
        call_number: format!("{:03}.{} {}", random.below(1000), random.below(100), title.2.get(..3).unwrap_or("XYZ")),
        author: title.2.clone(),
        materials: if random.below(25) == 0 { "1 disc in pocket".to_owned() } else { String::new() },
    }
}
