//! Reads `borrowers.db`: the patrons and loans that Koha's `create_koc_db.pl` or the desktop tool has written for a desk.
//!
//! It is an SQLite file with two tables. Columns are found by their names, since Koha's script writes them in whatever order
//! Perl's hashes have:
//!
//! | table | needed | read where it is there |
//! | --- | --- | --- |
//! | `borrowers` | `borrowernumber`, `cardnumber`, `surname` | `firstname`, `total_fines`; from files made otherwise `userid`, `othernames`, `middle_name`, `preferred_name`, `categorycode`, `branchcode`, `dateexpiry`, `debarred`, `lost`, `gonenoaddress`, `borrowernotes` |
//! | `issues` | `borrowernumber`, `title` | `date_due`, `itemcallnumber`; `itemnumber`, `issuedate` |
//!
//! Addresses, phone numbers and days of birth are in the file too, and never leave it.
//!
//! Times are on the clock of the server, or of the computer with the desktop tool, and say no more: they are taken for the
//! desk's own. A loan without a time of day is due at the end of its day.
//!
//! A [`Reader`] first looks through both tables for the numbers of the patrons, then gives the rows out in rising order of
//! their numbers, as [`koct_core::directory`] wants them. It does so step by step and holds a few bytes for each row, so a file
//! of any size can be read while other things go on. What it has given out counts once it is [`Step::Done`]: until then the
//! file may turn out to be damaged.
//!
//! ```
//! use koct_borrowers_db::{Reader, Step};
//!
//! # fn read(file: Vec<u8>) -> Result<(), koct_borrowers_db::FileError> {
//! let mut reader = Reader::open(file)?;
//! let report = loop {
//!     match reader.step(1000, &|_| 60)? {
//!         Step::Looking => {}
//!         Step::Patrons(patrons) => println!("{} patrons", patrons.len()),
//!         Step::Loans(loans) => println!("{} loans", loans.len()),
//!         Step::Done(report) => break report,
//!     }
//! };
//! println!("{} patrons in all", report.patrons);
//! # Ok(())
//! # }
//! # assert!(read(Vec::new()).is_err());
//! ```

pub mod sqlite;

mod index;
mod report;
mod rows;

pub use report::{Offset, Report};

use index::{Index, Ordered};
use koct_core::directory::record::{Loan, Patron};
use rows::{LoanColumns, PatronColumns};
use serde::{Deserialize, Serialize};
use sqlite::{Database, Scan, Seen, Source, SqliteError, Table};
use thiserror::Error;

const BORROWERS: &str = "borrowers";
const ISSUES: &str = "issues";

/// Why a file cannot be read as `borrowers.db`.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FileError {
    /// It cannot be read at all, or has not the tables.
    #[error(transparent)]
    Sqlite(#[from] SqliteError),
    /// A table lacks columns that are needed.
    #[error("the table {table} has no {}", columns.join(", "))]
    NoColumns {
        /// Its name.
        table: String,
        /// The names of those that are not there.
        columns: Vec<String>,
    },
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It is still looked through.
    Looking,
    /// The next patrons, in rising order of their numbers.
    Patrons(Vec<Patron>),
    /// The next loans, numbered from 1 in the order of their patrons' numbers and then of the file.
    Loans(Vec<Loan>),
    /// That was all.
    Done(Report),
}

/// What came of a step and how much is done, in thousandths, without the rows: for where these go apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Told {
    /// As [`Step::Looking`].
    Looking(u16),
    /// As [`Step::Patrons`].
    Patrons(u16),
    /// As [`Step::Loans`].
    Loans(u16),
    /// As [`Step::Done`].
    Done(Report),
}

/// Reads a file.
#[derive(Debug)]
pub struct Reader<S> {
    database: Database<S>,
    borrowers: Table,
    issues: Table,
    patron_columns: PatronColumns,
    loan_columns: LoanColumns,
    stage: ReadingStage,
    report: Report,
    /// How much was looked through, in pages, and was given out, in rows.
    looked: u32,
    given: u32,
    rows: u32,
}

#[derive(Debug)]
enum ReadingStage {
    Patrons(Looking),
    Loans(Looking, Index),
    Giving { patrons: Ordered, loans: Ordered, seen: Seen },
}

/// A table that is looked through.
#[derive(Debug)]
struct Looking {
    scan: Scan,
    /// The pages of long rows.
    seen: Seen,
    index: Index,
}

impl Looking {
    fn at<S: Source>(database: &Database<S>, table: &Table) -> Self {
        Self { scan: database.scan(table), seen: Seen::default(), index: Index::default() }
    }

    /// Looks at some rows: how many of them have no number, and whether that was the end.
    fn step<S: Source>(
        &mut self,
        rows: usize,
        database: &Database<S>,
        table: &Table,
        number: usize,
    ) -> Result<(u32, bool), SqliteError> {
        let mut unnumbered = 0;
        for _ in 0..rows {
            let Some(place) = self.scan.next(database)? else { return Ok((unnumbered, true)) };
            match database.peek(place, table, number, &mut self.seen, |value| rows::number(&value))? {
                Some(number) => self.index.put(number, place),
                None => unnumbered += 1,
            }
        }
        Ok((unnumbered, false))
    }
}

impl<S: Source> Reader<S> {
    /// Opens a file.
    ///
    /// # Errors
    /// When it is none of these files.
    pub fn open(file: S) -> Result<Self, FileError> {
        let database = Database::open(file)?;
        let (borrowers, issues) = (database.table(BORROWERS)?, database.table(ISSUES)?);
        let patron_columns = PatronColumns::from_table(&borrowers).map_err(|columns| no_columns(BORROWERS, columns))?;
        let loan_columns = LoanColumns::from_table(&issues).map_err(|columns| no_columns(ISSUES, columns))?;
        let stage = ReadingStage::Patrons(Looking::at(&database, &borrowers));
        let report = Report::default();
        Ok(Self {
            database,
            borrowers,
            issues,
            patron_columns,
            loan_columns,
            stage,
            report,
            looked: 0,
            given: 0,
            rows: 0,
        })
    }

    /// Does a step: looks at this number of rows, or gives out as many.
    ///
    /// # Errors
    /// When the file turns out to be damaged: then nothing that was given out counts.
    pub fn step(&mut self, rows: usize, offset: Offset<'_>) -> Result<Step, FileError> {
        let rows = rows.max(1);
        match &mut self.stage {
            ReadingStage::Patrons(looking) => {
                let column = self.patron_columns.number();
                let (unnumbered, is_over) = looking.step(rows, &self.database, &self.borrowers, column)?;
                self.report.unnumbered_patrons += unnumbered;
                self.looked = looking.scan.pages();
                if is_over {
                    let index = std::mem::take(&mut looking.index);
                    self.stage = ReadingStage::Loans(Looking::at(&self.database, &self.issues), index);
                }
                Ok(Step::Looking)
            }
            ReadingStage::Loans(looking, patrons) => {
                let column = self.loan_columns.number();
                let before = looking.scan.pages();
                let (unnumbered, is_over) = looking.step(rows, &self.database, &self.issues, column)?;
                self.report.unnumbered_loans += unnumbered;
                self.looked += looking.scan.pages() - before;
                if is_over {
                    let (patrons, loans) = (std::mem::take(patrons), std::mem::take(&mut looking.index));
                    self.rows = patrons.len().saturating_add(loans.len());
                    let (patrons, loans) = (patrons.ordered(), loans.ordered());
                    self.stage = ReadingStage::Giving { patrons, loans, seen: Seen::default() };
                }
                Ok(Step::Looking)
            }
            ReadingStage::Giving { .. } => self.give(rows, offset),
        }
    }

    fn give(&mut self, rows: usize, offset: Offset<'_>) -> Result<Step, FileError> {
        let ReadingStage::Giving { patrons, loans, seen } = &mut self.stage else { return Ok(Step::Looking) };
        let mut found = Vec::new();
        while found.len() < rows
            && let Some((number, place)) = patrons.next()
        {
            self.given += 1;
            if patrons.peek() == Some(number) {
                self.report.repeated_patrons += 1;
                continue;
            }
            let row = self.database.row(place, seen)?;
            found.push(self.patron_columns.patron(number, &row, &self.borrowers, &mut self.report)?);
        }
        if !found.is_empty() {
            self.report.patrons += u32::try_from(found.len()).unwrap_or_default();
            return Ok(Step::Patrons(found));
        }
        let mut found = Vec::new();
        while found.len() < rows
            && let Some((number, place)) = loans.next()
        {
            self.given += 1;
            self.report.loans += 1;
            let row = self.database.row(place, seen)?;
            found.push(self.loan_columns.loan(
                self.report.loans,
                number,
                &row,
                &self.issues,
                offset,
                &mut self.report,
            )?);
        }
        Ok(if found.is_empty() { Step::Done(self.report) } else { Step::Loans(found) })
    }

    /// How much is done, in thousandths: it only rises.
    pub fn progress(&self) -> u16 {
        /// Looking takes about this share of the time.
        const LOOKING: u64 = 200;
        let share = |done: u32, all: u32, of: u64| (u64::from(done) * of).checked_div(u64::from(all)).unwrap_or(of);
        let thousandths = match &self.stage {
            // Most of a file are these two tables; some of it may be others, or free.
            ReadingStage::Patrons(_) | ReadingStage::Loans(..) => {
                share(self.looked, self.database.pages(), LOOKING).min(LOOKING)
            }
            ReadingStage::Giving { .. } => LOOKING + share(self.given, self.rows, 1000 - LOOKING),
        };
        u16::try_from(thousandths).unwrap_or(1000)
    }
}

fn no_columns(table: &str, columns: Vec<String>) -> FileError {
    FileError::NoColumns { table: table.to_owned(), columns }
}
