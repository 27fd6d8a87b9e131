//! Files that are damaged, or made to do harm: reading them ends, with an error or without.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a failed unwrap is the failure report")]

mod common;

use common::read;
use koct_borrowers_db::{FileError, sqlite::SqliteError};
use koct_borrowers_tests::{bytes, desktop, koha, large, small};
use proptest::{prelude::*, sample::Index};
use rusqlite::Connection;
use std::sync::LazyLock;

static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut files = vec![koha().unwrap(), desktop().unwrap(), large(3000).unwrap()];
    files.extend(small().unwrap().into_iter().map(|(_, file)| file));
    files
});

fn is_damaged(file: Vec<u8>) -> bool {
    matches!(read(file, 100), Err(FileError::Sqlite(SqliteError::Damaged { .. })))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn bytes_changed_anywhere(file in any::<Index>(), changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..8)) {
        let mut file = file.get(&FILES).clone();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        let _ = read(file, 100);
    }

    /// Where the headers of pages and cells are, changes do most.
    #[test]
    fn bytes_changed_where_pages_begin(
        file in any::<Index>(),
        changes in prop::collection::vec((any::<Index>(), 0..24_usize, any::<u8>()), 1..8),
    ) {
        let mut file = file.get(&FILES).clone();
        let size = usize::from(u16::from_be_bytes([file[16], file[17]]));
        for (page, at, byte) in changes {
            let page = page.index(file.len() / size);
            let at = page * size + at + if page == 0 { 100 } else { 0 };
            file[at] = byte;
        }
        let _ = read(file, 100);
    }

    #[test]
    fn cut_anywhere(file in any::<Index>(), length in any::<Index>()) {
        let file = file.get(&FILES);
        let cut = read(file[..length.index(file.len())].to_vec(), 100);
        prop_assert!(matches!(cut, Err(FileError::Sqlite(SqliteError::Cut | SqliteError::Empty | SqliteError::NotSqlite))));
    }

    /// Without the count in its header, as old versions of SQLite leave it.
    #[test]
    fn cut_anywhere_where_the_file_does_not_tell_its_length(file in any::<Index>(), length in any::<Index>()) {
        let mut file = file.get(&FILES).clone();
        file[28..32].fill(0);
        prop_assert_eq!(read(file.clone(), 100).map(|_| ()), Ok(()));
        file.truncate(length.index(file.len()));
        let _ = read(file, 100);
    }

    #[test]
    fn pages_in_each_others_place(file in any::<Index>(), one in any::<Index>(), other in any::<Index>()) {
        let mut file = file.get(&FILES).clone();
        let size = usize::from(u16::from_be_bytes([file[16], file[17]]));
        let (one, other) = (one.index(file.len() / size) * size, other.index(file.len() / size) * size);
        let page = file[one..one + size].to_vec();
        file[other..other + size].copy_from_slice(&page);
        let _ = read(file, 100);
    }
}

/// The pages of a kind, by the first byte of each; from 0.
fn pages(file: &[u8], kind: u8) -> Vec<usize> {
    (1..file.len() / 512).filter(|page| file[page * 512] == kind).collect()
}

fn with_pages_of_512(sql: &str) -> Vec<u8> {
    let mut file = Connection::open_in_memory().unwrap();
    file.execute_batch("PRAGMA page_size = 512; CREATE TABLE borrowers(borrowernumber, cardnumber, surname);").unwrap();
    file.execute_batch("CREATE TABLE issues(borrowernumber, title);").unwrap();
    file.execute_batch(sql).unwrap();
    bytes(&mut file).unwrap()
}

const MANY: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
    INSERT INTO borrowers SELECT i, 'C' || i, 'Surname' FROM n";

#[test]
fn a_tree_that_bites_its_tail() {
    let file = with_pages_of_512(MANY);
    let interior = pages(&file, 5);
    assert!(!interior.is_empty());
    for page in interior {
        let mut file = file.clone();
        let number = u32::try_from(page + 1).unwrap();
        // The page on the very right.
        file[page * 512 + 8..page * 512 + 12].copy_from_slice(&number.to_be_bytes());
        assert!(is_damaged(file));
    }
}

#[test]
fn a_page_that_is_in_two_places() {
    let file = with_pages_of_512(MANY);
    let page = pages(&file, 5)[0] * 512;
    let first = usize::from(u16::from_be_bytes([file[page + 12], file[page + 13]]));
    let child = file[page + first..page + first + 4].to_vec();
    let mut file = file;
    file[page + 8..page + 12].copy_from_slice(&child);
    assert!(is_damaged(file));
}

#[test]
fn a_tree_that_is_too_deep() {
    let mut file = with_pages_of_512(MANY);
    let leaves = pages(&file, 13);
    let root = pages(&file, 5)[0];
    // A chain of pages with nothing but the page to their right.
    for (page, next) in [root].iter().chain(&leaves).zip(&leaves) {
        file[page * 512..page * 512 + 8].copy_from_slice(&[5, 0, 0, 0, 0, 0, 0, 0]);
        file[page * 512 + 8..page * 512 + 12].copy_from_slice(&u32::try_from(next + 1).unwrap().to_be_bytes());
    }
    assert!(leaves.len() > 20 && is_damaged(file));
}

#[test]
fn a_long_row_that_does_not_end() {
    let file = with_pages_of_512("INSERT INTO borrowers VALUES (1, 'C', hex(zeroblob(3000)))");
    assert_eq!(read(file.clone(), 100).unwrap().0[0].surname.len(), 6000);
    // The pages on which it goes on each begin with the number of the next.
    let on = |page: &usize| u32::from_be_bytes(*file[page * 512..].first_chunk().unwrap());
    let chain: Vec<usize> = (1..file.len() / 512).filter(|page| on(page) == u32::try_from(page + 2).unwrap()).collect();
    assert!(chain.len() > 5);
    for page in chain {
        for next in [0, page + 1, page, 1_000_000] {
            let mut file = file.clone();
            file[page * 512..page * 512 + 4].copy_from_slice(&u32::try_from(next).unwrap().to_be_bytes());
            assert!(is_damaged(file), "from {page} to {next}");
        }
    }
}

#[test]
fn rows_that_share_what_is_long() {
    // Long enough that little of them stands on their own page, and both fit there.
    let mut file =
        with_pages_of_512("INSERT INTO borrowers VALUES (2, 'C', hex(zeroblob(778))), (3, 'D', hex(zeroblob(778)))");
    let (one, other) = {
        let leaf = pages(&file, 13)[0] * 512;
        let cell = |index: usize| {
            leaf + usize::from(u16::from_be_bytes([file[leaf + 8 + 2 * index], file[leaf + 9 + 2 * index]]))
        };
        // The second row lies before the first; the number of the page on which a row goes on is its end.
        (cell(1), cell(0))
    };
    let end = |begin: usize| begin + (other - one) - 4;
    let next = file[end(other)..end(other) + 4].to_vec();
    file[end(one)..end(one) + 4].copy_from_slice(&next);
    assert!(is_damaged(file));
}

#[test]
fn rows_that_are_listed_twice() {
    let mut file = with_pages_of_512("INSERT INTO borrowers VALUES (1, 'C', 'S'), (2, 'D', 'T')");
    let leaf = pages(&file, 13)[0] * 512;
    let first = file[leaf + 8..leaf + 10].to_vec();
    file[leaf + 10..leaf + 12].copy_from_slice(&first);
    assert!(is_damaged(file));
}
