//! A `borrowers.db` that was chosen, read by the module that the add-on loads for it: here it is a part of this one.

use js_sys::{Array, Function, Uint8Array};
use koct_borrowers_db::{FileError, Report, sqlite::SqliteError};
use koct_core::{
    desk::zone::Zone,
    directory::record::{Loan, Patron},
};
use koct_extension::{
    clock::DeskZone,
    directory::borrowers::{Failure, Sink, load_with, read_borrowers_db},
};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::File;

// So that it is there.
use koct_borrowers_module as _;

const KOHA: &[u8] = include_bytes!("../../../tests/borrowers-db/koha.db");
const DESKTOP: &[u8] = include_bytes!("../../../tests/borrowers-db/desktop.db");

#[derive(Default)]
struct Kept {
    patrons: Vec<Patron>,
    loans: Vec<Loan>,
    progress: Vec<u16>,
    is_stopped: bool,
    is_full: bool,
}

impl Sink for Kept {
    type Error = &'static str;

    async fn patrons(&mut self, rows: Vec<Patron>) -> Result<(), Self::Error> {
        self.patrons.extend(rows);
        if self.is_full { Err("full") } else { Ok(()) }
    }

    async fn loans(&mut self, rows: Vec<Loan>) -> Result<(), Self::Error> {
        self.loans.extend(rows);
        Ok(())
    }

    fn progress(&mut self, thousandths: u16) {
        self.progress.push(thousandths);
    }

    fn is_wanted(&self) -> bool {
        !self.is_stopped
    }
}

fn loader(address: &str) {
    load_with(Function::new_no_args(&format!("return import('{address}')")));
}

async fn read(content: &[u8], kept: &mut Kept) -> Result<Report, Failure<&'static str>> {
    loader("/koct_test.js");
    let parts = Array::of1(&Uint8Array::from(content));
    read_borrowers_db(&File::new_with_u8_array_sequence(&parts, "borrowers.db").unwrap(), kept).await
}

#[wasm_bindgen_test]
async fn a_borrowers_db_is_read_whole() {
    for content in [KOHA, DESKTOP] {
        let mut kept = Kept::default();
        let report = read(content, &mut kept).await.unwrap();
        assert_eq!(report, Report { patrons: 7, loans: 6, ..Report::default() });
        assert_eq!(kept.patrons.iter().map(|patron| patron.id).collect::<Vec<_>>(), [2, 5, 19, 20, 51, 700, 1200]);
        assert_eq!((kept.patrons[3].surname.as_str(), kept.patrons[3].owes), ("田中", Some(-300)));
        let due = kept.loans[2].due.unwrap();
        let offset = DeskZone.offset_at_utc(due.timestamp_millis());
        let local = due.naive_utc() + chrono::Duration::minutes(offset.into());
        assert_eq!(local.to_string(), "2026-11-23 17:30:00", "at the desk's time");
        assert!(kept.progress.is_sorted() && kept.progress.last() == Some(&1000), "{:?}", kept.progress);
    }
}

#[wasm_bindgen_test]
async fn what_is_no_borrowers_db_says_why() {
    let mut kept = Kept::default();
    let result = read(b"cardnumber;surname", &mut kept).await;
    assert!(matches!(result, Err(Failure::File(FileError::Sqlite(SqliteError::NotSqlite)))), "{result:?}");
    let mut damaged = KOHA.to_vec();
    // The kind of the page with the patrons.
    damaged[4096] = 99;
    let result = read(&damaged, &mut kept).await;
    assert!(matches!(result, Err(Failure::File(FileError::Sqlite(SqliteError::Damaged { page: 2 })))), "{result:?}");
    assert!(kept.patrons.is_empty());
}

#[wasm_bindgen_test]
async fn reading_a_borrowers_db_stops_where_it_is_not_wanted() {
    let mut kept = Kept { is_stopped: true, ..Kept::default() };
    assert!(matches!(read(KOHA, &mut kept).await, Err(Failure::Stopped)));
    let mut kept = Kept { is_full: true, ..Kept::default() };
    assert!(matches!(read(KOHA, &mut kept).await, Err(Failure::Sink("full"))));
    assert!(kept.loans.is_empty());
}

#[wasm_bindgen_test]
async fn a_reader_that_cannot_be_loaded_is_told() {
    loader("/nowhere.js");
    let file = File::new_with_u8_array_sequence(&Array::new(), "borrowers.db").unwrap();
    let result = read_borrowers_db(&file, &mut Kept::default()).await;
    assert!(matches!(&result, Err(Failure::Reader(reason)) if !reason.is_empty()), "{result:?}");
}
