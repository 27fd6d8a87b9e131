//! A list that comes in pages.

use crate::koha::{Response, rest};
use serde::de::DeserializeOwned;

/// No list has more pages than this: a hundred items have some hundred loans, or thousands, and a page holds a thousand.
const MOST_PAGES: u32 = 40;

/// What was read of it.
#[derive(Debug, Clone)]
pub(super) struct Pages<T> {
    rows: Vec<T>,
    pages: u32,
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), pages: 0 }
    }
}

/// What follows a page.
pub(super) enum Read<T> {
    /// There are more: ask for this one.
    More(u32),
    /// That was the last.
    Whole(Vec<T>),
}

impl<T: DeserializeOwned> Pages<T> {
    /// Takes a page. `None` where it is none, or where there is no end of them.
    pub(super) fn add(&mut self, response: &Response) -> Option<Read<T>> {
        let (rows, is_last) = rest::read_page(response, self.rows.len())?;
        let is_empty = rows.is_empty();
        self.rows.extend(rows);
        self.pages += 1;
        match (is_last || is_empty, self.pages < MOST_PAGES) {
            // Fewer than were announced: rows moved meanwhile, and one may have been missed.
            (false, false) => None,
            (false, true) => Some(Read::More(self.pages + 1)),
            (true, _) => Some(Read::Whole(std::mem::take(&mut self.rows))),
        }
    }
}
