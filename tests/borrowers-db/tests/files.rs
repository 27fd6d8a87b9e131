//! The files of both writers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a failed unwrap is the failure report")]

mod common;

use chrono::{DateTime, Utc};
use common::read;
use koct_borrowers_db::Report;
use koct_borrowers_tests::{desktop, koha, large, small};
use koct_core::directory::record::{Loan, Patron};
use std::{fs, path::Path};

fn committed(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn utc(time: &str) -> DateTime<Utc> {
    format!("{time}Z").parse().unwrap()
}

fn patron(id: u32, cardnumber: &str, surname: &str, firstname: &str, owes: i64) -> Patron {
    Patron {
        id,
        cardnumber: cardnumber.into(),
        surname: surname.into(),
        firstname: firstname.into(),
        owes: Some(owes),
        ..Patron::default()
    }
}

fn loan(id: u32, patron: u32, due: &str, call_number: &str, title: &str) -> Loan {
    let due = (!due.is_empty()).then(|| utc(due));
    Loan { id, patron, due, call_number: call_number.into(), title: title.into(), ..Loan::default() }
}

#[test]
fn both_writers_files_say_the_same() {
    let patrons = [
        patron(2, "23529000000021", "Abernathy", "Ruth", 0),
        patron(5, "23529000000054", "Müller-Łódź", "Jürgen", 1250),
        patron(19, "23529000000191", "O'Brien", "Máire", 0),
        patron(20, "23529000000203", "田中", "花子", -300),
        patron(51, "0000051", "Bookmobile 📚", "", 30),
        patron(700, "", "No-Card", "Nora", 701),
        patron(1200, "23529000012005", "Zeller", "Ömer", 123_456),
    ];
    let long =
        "A very long title, of the kind that old books have, in which all of what follows is told at once; ".repeat(60);
    // Their clocks are an hour ahead of UTC.
    let loans = [
        loan(1, 2, "2026-12-14T22:59:00", "RARE 17", long.trim()),
        loan(2, 5, "2026-11-20T22:59:00", "914.38 Łód", "Łódź bei Nacht"),
        loan(3, 5, "2026-11-23T16:30:00", "", "Headphones /"),
        loan(4, 5, "2026-12-24T22:59:00", "641.5", "Soups"),
        loan(5, 20, "", "J 895.6", "ねこ 🐈"),
        loan(6, 1200, "2026-12-01T22:59:00", "FIC Zel", "The Late Train"),
    ];
    for (name, made) in [("koha.db", koha().unwrap()), ("desktop.db", desktop().unwrap())] {
        for rows in [1, 2, 1000] {
            let (found, lent, report) = read(committed(name), rows).unwrap();
            assert_eq!(found, patrons, "{name}");
            assert_eq!(lent, loans, "{name}");
            assert_eq!(report, Report { patrons: 7, loans: 6, ..Report::default() }, "{name}");
            assert_eq!(read(made.clone(), rows).unwrap(), (found, lent, report), "{name} is not what the tool writes");
        }
    }
}

#[test]
fn nothing_that_is_not_kept_is_read() {
    let said = format!("{:?}", read(committed("koha.db"), 10).unwrap());
    for private in ["Elm St", "Springfield", "1990"] {
        assert!(!said.contains(private), "{private}");
    }
}

#[test]
fn the_seeds_for_fuzzing_are_small_and_good() {
    for (name, file) in small().unwrap() {
        assert!(file.len() <= 2048, "{name} would be cut");
        let (patrons, loans, _) = read(file.clone(), 10).unwrap();
        assert_eq!((patrons[0].owes, patrons[1].owes), (Some(150), Some(0)), "{name}");
        assert!(loans[0].title.starts_with("Soups"), "{name}");
        let seed = Path::new("../fuzz/corpus/borrowers").join(name);
        assert_eq!(read(committed(seed.to_str().unwrap()), 10), read(file, 10), "{name}");
    }
}

#[test]
fn a_larger_file_is_read_in_order_and_whole() {
    let (patrons, loans, report) = read(large(20_000).unwrap(), 1000).unwrap();
    assert_eq!(report, Report { patrons: 20_000, loans: 6_000, ..Report::default() });
    assert_eq!((patrons[0].id, patrons[19_999].id), (1, 20_000));
    assert_eq!(patrons[12_344].surname, "Surname12345");
    assert_eq!(patrons[19].owes, Some(2050));
    assert!(loans.windows(2).all(|pair| pair[0].patron < pair[1].patron));
}
