//! Tables as they may be, and files that are none of these.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a failed unwrap is the failure report")]

mod common;

use chrono::NaiveDate;
use common::read;
use koct_borrowers_db::{FileError, Report, sqlite::SqliteError};
use koct_borrowers_tests::{bytes, koha};
use koct_core::directory::record::{Loan, Patron};
use rusqlite::Connection;
use std::fs;

const BORROWERS: &str = "CREATE TABLE borrowers(borrowernumber, cardnumber, surname);";
const ISSUES: &str = "CREATE TABLE issues(borrowernumber, title);";

fn made(sql: &str) -> Vec<u8> {
    let mut file = Connection::open_in_memory().unwrap();
    file.execute_batch(sql).unwrap();
    bytes(&mut file).unwrap()
}

fn error(sql: &str) -> FileError {
    read(made(sql), 10).unwrap_err()
}

fn is(expected: SqliteError) -> FileError {
    FileError::Sqlite(expected)
}

#[test]
fn columns_by_name_in_any_order_and_case() {
    let (patrons, loans, report) = read(
        made(
            "CREATE TABLE \"Borrowers\"([SurName] TEXT, `x, y` INT, \"CARDNUMBER\" TEXT, Total_Fines, BorrowerNumber TEXT);
             INSERT INTO borrowers VALUES ('Zeller', 1, 'C2', '3.50', '2');
             CREATE TABLE ISSUES(Title, BORROWERNUMBER REAL);
             INSERT INTO issues VALUES ('Soups', 2);",
        ),
        10,
    )
    .unwrap();
    let zeller =
        Patron { id: 2, cardnumber: "C2".into(), surname: "Zeller".into(), owes: Some(350), ..Patron::default() };
    assert_eq!(patrons, [zeller]);
    assert_eq!(loans, [Loan { id: 1, patron: 2, title: "Soups".into(), ..Loan::default() }]);
    assert_eq!(report, Report { patrons: 1, loans: 1, ..Report::default() });
}

#[test]
fn what_a_file_does_not_tell_is_not_known() {
    let (patrons, loans, _) = read(
        made(&format!(
            "{BORROWERS}{ISSUES} INSERT INTO borrowers VALUES (1, 'C', 'S'); INSERT INTO issues VALUES (1, 'T');"
        )),
        10,
    )
    .unwrap();
    let Patron { owes, restricted, card_lost, wrong_address, expires, .. } = patrons[0];
    assert_eq!((owes, restricted, card_lost, wrong_address, expires), (None, None, None, None, None));
    assert_eq!((loans[0].due, loans[0].item), (None, None));
}

#[test]
fn more_is_read_where_a_file_has_more() {
    let (patrons, loans, report) = read(
        made(
            "CREATE TABLE borrowers(borrowernumber INTEGER PRIMARY KEY, cardnumber, surname, userid, othernames,
                 preferred_name, categorycode, branchcode, dateexpiry, debarred, debarredcomment, lost, gonenoaddress,
                 borrowernotes, password);
             INSERT INTO borrowers VALUES (7, 'C', 'S', 'zeller', 'Maria', 'Mimi', 'PT', 'CPL', '2027-01-31', NULL, NULL, 1, 0,
                 'Ask for the key', '$2a$08$x');
             INSERT INTO borrowers VALUES (8, 'D', 'T', NULL, '', NULL, NULL, NULL, '0000-00-00', '9999-12-31', 'Lost an atlas',
                 NULL, 1, NULL, '');
             INSERT INTO borrowers VALUES (9, 'E', 'U', NULL, NULL, NULL, NULL, NULL, NULL, '2027-02-01', NULL, NULL, NULL, NULL, NULL);
             CREATE TABLE issues(borrowernumber, itemnumber, title, issuedate, date_due);
             INSERT INTO issues VALUES (7, 55, 'T', '2026-11-01 10:00:00', '2026-11-30');",
        ),
        10,
    )
    .unwrap();
    let first = Patron {
        id: 7,
        cardnumber: "C".into(),
        userid: "zeller".into(),
        surname: "S".into(),
        other_names: "Maria Mimi".into(),
        category: "PT".into(),
        library: "CPL".into(),
        expires: NaiveDate::from_ymd_opt(2027, 1, 31),
        restricted: Some(false),
        card_lost: Some(true),
        wrong_address: Some(false),
        staff_note: "Ask for the key".into(),
        ..Patron::default()
    };
    assert_eq!(patrons[0], first);
    assert_eq!((patrons[1].restricted, patrons[1].wrong_address, patrons[1].expires), (Some(true), Some(true), None));
    assert_eq!((patrons[1].restricted_until, patrons[1].restriction_comment.as_str()), (None, "Lost an atlas"));
    assert_eq!((patrons[2].restricted, patrons[2].restricted_until), (Some(true), NaiveDate::from_ymd_opt(2027, 2, 1)));
    assert_eq!(loans[0].item, Some(55));
    assert_eq!(loans[0].since.unwrap().to_rfc3339(), "2026-11-01T09:00:00+00:00");
    assert_eq!(loans[0].due.unwrap().to_rfc3339(), "2026-11-30T22:59:00+00:00");
    assert_eq!(report.unclear_dates, 0);
}

#[test]
fn every_row_is_given_out_or_counted() {
    let (patrons, loans, report) = read(
        made(
            "CREATE TABLE borrowers(borrowernumber, cardnumber, surname, total_fines);
             INSERT INTO borrowers VALUES (9, 'C9', 'Nine', 'much'), ('3', 'C3', 'Three', 1), (NULL, 'C', 'Nobody', 1),
                 ('x', 'C', 'Nobody', 1), (9, 'C9b', 'Nine again', NULL), (4, 'C4', 'Four', 'much'), (0, 'C', 'Nobody', 1), (9.0, 'C9c', 'Nine last', 2);
             CREATE TABLE issues(borrowernumber, title, date_due);
             INSERT INTO issues VALUES (9, 'First', 'soon'), (3, 'Third', '2026-11-23T10:00:00'), (9, 'Second', NULL),
                 (NULL, 'Whose?', NULL);",
        ),
        2,
    )
    .unwrap();
    assert_eq!(
        patrons.iter().map(|patron| patron.surname.as_str()).collect::<Vec<_>>(),
        ["Three", "Four", "Nine last"]
    );
    assert_eq!(loans.iter().map(|loan| loan.title.as_str()).collect::<Vec<_>>(), ["Third", "First", "Second"]);
    let expected = Report {
        patrons: 3,
        loans: 3,
        repeated_patrons: 2,
        unnumbered_patrons: 3,
        unnumbered_loans: 1,
        unclear_amounts: 1,
        unclear_dates: 1,
    };
    assert_eq!(report, expected);
}

#[test]
fn a_file_without_rows() {
    assert_eq!(read(made(&format!("{BORROWERS}{ISSUES}")), 10), Ok((vec![], vec![], Report::default())));
}

#[test]
fn what_is_missing_is_named() {
    assert_eq!(error(ISSUES), is(SqliteError::NoTable { table: "borrowers".into() }));
    assert_eq!(error(BORROWERS), is(SqliteError::NoTable { table: "issues".into() }));
    assert_eq!(error("PRAGMA user_version = 1"), is(SqliteError::NoTable { table: "borrowers".into() }));
    assert_eq!(
        error(&format!("CREATE TABLE borrowers(borrowernumber, name); {ISSUES}")),
        FileError::NoColumns { table: "borrowers".into(), columns: vec!["cardnumber".into(), "surname".into()] }
    );
    assert_eq!(
        error(&format!("{BORROWERS} CREATE TABLE issues(borrowernumber, title AS (1))")),
        FileError::NoColumns { table: "issues".into(), columns: vec!["title".into()] }
    );
}

#[test]
fn tables_of_another_kind_are_told() {
    for borrowers in [
        "CREATE TABLE borrowers(borrowernumber PRIMARY KEY, cardnumber, surname) WITHOUT ROWID;",
        "CREATE VIRTUAL TABLE borrowers USING fts5(borrowernumber, cardnumber, surname);",
    ] {
        let expected = is(SqliteError::OtherTable { table: "borrowers".into() });
        assert_eq!(error(&format!("{borrowers}{ISSUES}")), expected, "{borrowers}");
    }
    let view = "CREATE VIEW borrowers AS SELECT 1 AS borrowernumber, 2 AS cardnumber, 3 AS surname;";
    assert_eq!(error(&format!("{view}{ISSUES}")), is(SqliteError::NoTable { table: "borrowers".into() }));
}

#[test]
fn files_of_another_kind_are_told() {
    let koha = koha().unwrap();
    let with = |at: usize, byte: u8| {
        let mut file = koha.clone();
        file[at] = byte;
        file
    };
    for (file, expected) in [
        (vec![], SqliteError::Empty),
        (b"cardnumber;surname\n".to_vec(), SqliteError::NotSqlite),
        (vec![0x5a; 8192], SqliteError::NotSqlite),
        (b"** This file contains an SQLite 2.1 database **\0\0\0\0".to_vec(), SqliteError::Version2),
        (koha[..50].to_vec(), SqliteError::Cut),
        (koha[..4096].to_vec(), SqliteError::Cut),
        (koha[..koha.len() - 1].to_vec(), SqliteError::Cut),
        (with(19, 3), SqliteError::TooNew),
        (with(16, 3), SqliteError::Damaged { page: 1 }),
        (with(59, 9), SqliteError::Damaged { page: 1 }),
    ] {
        let length = file.len();
        assert_eq!(read(file, 10), Err(is(expected)), "{length} bytes");
    }
    assert_eq!(read(with(18, 9), 10), read(koha.clone(), 10), "later versions may read it, and write it otherwise");
}

#[test]
fn a_file_with_a_write_ahead_log_is_read_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("borrowers.db");
    let file = Connection::open(&path).unwrap();
    file.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; {BORROWERS}{ISSUES}
         INSERT INTO borrowers VALUES (1, 'C', 'In the file'); PRAGMA wal_checkpoint(TRUNCATE);
         INSERT INTO borrowers VALUES (2, 'D', 'In the log');"
    ))
    .unwrap();
    let (patrons, ..) = read(fs::read(&path).unwrap(), 10).unwrap();
    assert_eq!(patrons.len(), 1);
    // Closed by its writer, it is whole.
    file.close().unwrap();
    let (patrons, ..) = read(fs::read(&path).unwrap(), 10).unwrap();
    assert_eq!(patrons.len(), 2);
}

#[test]
fn texts_that_are_no_unicode_are_read_as_latin_1() {
    let mut file = made(&format!("{BORROWERS}{ISSUES} INSERT INTO borrowers VALUES (1, 'C', 'M*ller');"));
    let at = file.windows(6).position(|part| part == b"M*ller").unwrap();
    file[at + 1] = 0xfc;
    assert_eq!(read(file, 10).unwrap().0[0].surname, "Müller");
}
