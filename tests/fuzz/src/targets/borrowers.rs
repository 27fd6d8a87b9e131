//! The reader of `borrowers.db`: it ends, whatever the file holds, and gives out the same in steps of any size.

use crate::fuzz::Target;
use koct_borrowers_db::{FileError, Reader, Report, Step, sqlite::SqliteError};
use koct_core::directory::record::{Loan, Patron};

/// An SQLite file. The seeds have pages of 512 bytes.
pub const TARGET: Target = Target {
    name: "borrowers",
    words: &[
        "SQLite format 3\0",
        "** This file contains an SQLite 2.1 database **",
        "\0",
        "\u{1}",
        "\u{2}",
        "\u{3}",
        "\u{5}",
        "\u{d}",
        "\u{7f}",
        "\0\0\0\u{2}",
        "\0\0\0\u{4}",
        "table",
        "borrowers",
        "issues",
        "borrowernumber",
        "cardnumber",
        "title",
        "CREATE TABLE ",
        " INTEGER PRIMARY KEY",
        " WITHOUT ROWID",
        " DEFAULT ",
        " AS (1)",
        "(",
        ")",
        ",",
        "'",
        "\"",
        "[",
        "--",
        "/*",
        "2026-12-01 23:59:00",
        "0000-00-00",
        "-1.5",
        "é",
    ],
    check,
};

/// # Panics
/// When reading does not end, gives out rows in another order, or depends on the size of the steps.
pub fn check(input: &[u8]) -> String {
    let whole = read(input, 1000);
    assert_eq!(read(input, 1), whole, "in single steps it is another file");
    match whole {
        Ok((patrons, loans, report)) => {
            assert!(patrons.is_sorted_by(|one, next| one.id < next.id), "patrons out of order");
            assert!(loans.is_sorted_by_key(|loan| (loan.patron, loan.id)), "loans out of order");
            let numbers = (patrons.len().min(3), loans.len().min(3), report.repeated_patrons.min(1));
            let unclear =
                (report.unnumbered_patrons.min(1), report.unclear_amounts.min(1), report.unclear_dates.min(1));
            format!("{numbers:?} {unclear:?}")
        }
        Err(FileError::Sqlite(SqliteError::Damaged { .. })) => "damaged".into(),
        Err(error) => format!("{error:?}"),
    }
}

fn read(input: &[u8], rows: usize) -> Result<(Vec<Patron>, Vec<Loan>, Report), FileError> {
    let mut reader = Reader::open(input.to_vec())?;
    let (mut patrons, mut loans) = (Vec::new(), Vec::new());
    let mut steps = 0;
    loop {
        match reader.step(rows, &|_| 60)? {
            Step::Looking => {}
            Step::Patrons(more) => patrons.extend(more),
            Step::Loans(more) => loans.extend(more),
            Step::Done(report) => return Ok((patrons, loans, report)),
        }
        steps += 1;
        assert!(steps < input.len() * 4, "it does not end");
    }
}
