//! What the tests share.

use koct_borrowers_db::{FileError, Reader, Report, Step, sqlite::Source};
use koct_core::directory::record::{Loan, Patron};

/// Everything in a file, read in steps of this number of rows.
pub(crate) fn read(file: impl Source, rows: usize) -> Result<(Vec<Patron>, Vec<Loan>, Report), FileError> {
    // Each row takes some bytes, and each step some rows, of each of the tables twice at most.
    let most = file.size() * 4 + 10;
    let mut reader = Reader::open(file)?;
    let (mut patrons, mut loans, mut progress) = (Vec::new(), Vec::new(), reader.progress());
    for _ in 0..most {
        match reader.step(rows, &|_| 60)? {
            Step::Looking => {}
            Step::Patrons(more) => {
                assert!(!more.is_empty() && more.len() <= rows && loans.is_empty());
                patrons.extend(more);
            }
            Step::Loans(more) => {
                assert!(!more.is_empty() && more.len() <= rows);
                loans.extend(more);
            }
            Step::Done(report) => {
                assert!(patrons.is_sorted_by(|one, next| one.id < next.id), "the numbers rise");
                assert_eq!(
                    loans.iter().map(|loan| loan.id).collect::<Vec<_>>(),
                    (1..=report.loans).collect::<Vec<_>>()
                );
                assert!(loans.is_sorted_by_key(|loan| loan.patron));
                assert_eq!(u32::try_from(patrons.len()), Ok(report.patrons));
                assert_eq!(reader.progress(), 1000);
                return Ok((patrons, loans, report));
            }
        }
        assert!(reader.progress() >= progress, "progress only rises");
        progress = reader.progress();
    }
    panic!("it does not end");
}
