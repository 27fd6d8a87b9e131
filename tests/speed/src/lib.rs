//! Measures the rules of core. The same code runs natively and, behind a page that `cargo xtask bench` serves, in Firefox.

pub mod directory;

use koct_core::{
    Action, Barcode, Cardnumber, DeskName, Entry, Moment, Transaction, TransactionId,
    desk::{clock::DeskTime, codes::Codes, rules::Rules, scan, zone::FixedZone},
    desks::{
        backup::{self, Line},
        conflict,
        import::{self, Known},
        koc,
    },
    log::{
        order::{self, Ordered},
        search::{Filter, Index},
    },
};
use std::{collections::HashSet, hint::black_box};

/// Monday, 23 November 2026, 8 o'clock in UTC, in milliseconds.
const START: i64 = 1_795_420_800_000;
/// Between one transaction and the next, in milliseconds.
const STEP: i64 = 25;
const DESKS: usize = 100;
const EACH: usize = 10_000;
const ITEMS: usize = 400_000;
const PATRONS: usize = 20_000;
const LINES: usize = 100_000;
/// More rules than any library has.
const TEN_RULES: &str = "aim\nstart-stop\nwhitespace\nplain-digits\ncuecat\nEAN13\ndrop-first 1 of 15\ndrop-last 1 of 16\npad 14 \
                         2352\nreplace LIB-###* ###*";
/// How often each measurement is made; the median counts.
const TIMES: usize = 3;

/// What was measured, as a JSON array of `{what, number, millis}`: `millis` for `number` transactions.
pub fn measure(now: &dyn Fn() -> f64) -> String {
    let log = history();
    let lines: Vec<Transaction> = log.iter().take(LINES).map(|entry| entry.transaction.clone()).collect();
    let entries: Vec<Entry> = (1..)
        .zip(&lines)
        .map(|(id, transaction)| Entry { desk: desk(1), ..Entry::recorded(TransactionId(id), transaction.clone()) })
        .collect();
    let file = koc::write(&lines, None);
    let backed_up: Vec<Line> = entries.iter().map(|entry| Line::Transaction(Box::new(entry.clone()))).collect();
    let backup: Vec<String> = backed_up.iter().map(backup::write).collect();
    let index = index(&entries);
    let (bus, known) = (DeskName::suggested(1), Known::default());
    let mut results = Vec::new();
    let mut take = |what: &str, number: usize, action: &dyn Fn()| {
        let mut times: Vec<f64> = (0..TIMES)
            .map(|_| {
                let began = now();
                action();
                now() - began
            })
            .collect();
        times.sort_by(f64::total_cmp);
        results.push(serde_json::json!({"what": what, "number": number, "millis": times[TIMES / 2]}));
    };
    take("merge of 100 desks", log.len(), &|| {
        black_box(order::merge(&log));
    });
    let ordered = Ordered::from(log);
    take("their conflict review", ordered.len(), &|| {
        black_box(conflict::review(&ordered, &[], DeskTime::from_millis(START + 86_400_000)));
    });
    take(".koc writer", LINES, &|| {
        black_box(koc::write(&lines, None));
    });
    take(".koc reader", LINES, &|| {
        black_box(koc::read(file.as_bytes(), &FixedZone(60), None));
    });
    take("plan of an import", LINES, &|| {
        black_box(import::plan(&bus, lines.clone(), &known, &HashSet::new()));
    });
    take("backup writer", LINES, &|| {
        black_box(backed_up.iter().map(backup::write).map(|line| line.len()).sum::<usize>());
    });
    take("backup reader", LINES, &|| {
        black_box(backup.iter().filter_map(|line| backup::read(line).ok()).count());
    });
    take("index for searches", LINES, &|| {
        black_box(self::index(&entries));
    });
    for (what, text) in [("search that finds all", "2026"), ("search that finds one", "item-399999")] {
        let filter = Filter { text: text.into(), ..Filter::default() };
        take(what, LINES, &|| {
            black_box(index.find(&filter));
        });
    }
    for (what, rules) in [("codes read by no rule", ""), ("codes read by ten rules", TEN_RULES)] {
        let codes = Codes { item_rules: Rules::parse(rules).unwrap_or_default(), ..Codes::default() };
        take(what, LINES, &|| {
            let read = lines.iter().filter_map(|line| line.action.barcode());
            black_box(read.map(|barcode| scan::checkin(barcode.as_str(), &codes)).collect::<Vec<_>>());
        });
    }
    serde_json::Value::Array(results).to_string()
}

fn index(entries: &[Entry]) -> Index {
    let mut index = Index::default();
    for entry in entries {
        index.put(entry);
    }
    index
}

fn desk(number: usize) -> Option<DeskName> {
    DeskName::parse(&format!("Desk {number}")).ok()
}

/// A day of many desks, desk by desk, as their files come: every item goes out and comes back, at any desk.
fn history() -> Vec<Entry> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut is_out = vec![false; ITEMS];
    let mut desks: Vec<Vec<Transaction>> = (0..DESKS).map(|_| Vec::with_capacity(EACH)).collect();
    let mut at = START;
    for step in 0..DESKS * EACH {
        let item = random.usize(..ITEMS);
        at += STEP;
        let moment = Moment::new(at, 60);
        let barcode = Barcode::parse(&format!("Item-{item:06}"));
        let cardnumber = Cardnumber::parse(&format!("Patron-{:06}", random.usize(..PATRONS)));
        let (Ok(moment), Ok(barcode), Ok(cardnumber)) = (moment, barcode, cardnumber) else { continue };
        is_out[item] = !is_out[item];
        let action = if is_out[item] { Action::Issue { cardnumber, barcode } } else { Action::Return { barcode } };
        desks[(step * 7 + item) % DESKS].push(Transaction { moment, action });
    }
    let named = (0..).zip(desks).flat_map(|(number, transactions)| {
        let desk = desk(number);
        transactions.into_iter().map(move |transaction| (desk.clone(), transaction))
    });
    (1..)
        .zip(named)
        .map(|(id, (desk, transaction))| Entry { desk, ..Entry::recorded(TransactionId(id), transaction) })
        .collect()
}

/// [`measure`] by the page's clock.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn measure_here() -> String {
    measure(&js_sys::Date::now)
}

/// [`directory::measure`] by the page's clock.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn measure_directory_here() -> String {
    directory::measure(&js_sys::Date::now, directory::LARGE)
}

/// The same with the extension's own store: encrypted, in `IndexedDB`.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub async fn measure_disk_here() -> String {
    let measured = async {
        let disk = koct_extension::directory::Disk::open("koct-speed", &[7; 32]).await?;
        directory::measure_on(disk, &js_sys::Date::now, directory::LARGE).await
    };
    measured.await.unwrap_or_else(|error| format!("{error:?}"))
}
