//! What a desk knows of Koha's patrons, items, loans and holds while Koha cannot be reached.

pub mod record;
pub mod shelf;

use record::{Hold, Item, Loan, Patron, Set};
use serde::{Deserialize, Serialize};
use shelf::Shelf;
use std::collections::BTreeMap;

/// What the directory holds, without any record: safe to be kept in the clear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Contents {
    /// The number of the next run.
    pub next_run: u32,
    /// What is there of each set. Absent: nothing.
    pub sets: BTreeMap<Set, Held>,
    /// The names of the libraries, by branch code.
    pub libraries: BTreeMap<String, String>,
}

/// What is there of one set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Held {
    /// How many records.
    pub rows: u32,
    /// As of when: the beginning of the last download, in milliseconds since 1970 in UTC.
    pub as_of: i64,
}

/// The directory.
#[derive(Debug)]
pub struct Directory<S> {
    shelf: S,
    contents: Contents,
}

/// What a search by name has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hits {
    /// The first of them: those whose names begin as typed before the others, each by name.
    pub patrons: Vec<Patron>,
    /// How many there are in all.
    pub total: usize,
}

#[expect(clippy::unused_async, reason = "the look-ups come with the store")]
impl<S: Shelf> Directory<S> {
    /// The directory that lies on this shelf.
    pub fn new(shelf: S, contents: Contents) -> Self {
        Self { shelf, contents }
    }

    /// What it holds.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Whether anything is known of this set: only then does it mean something that a record is not there.
    pub fn has(&self, set: Set) -> bool {
        self.contents.sets.contains_key(&set)
    }

    /// The patron with this cardnumber or, failing that, this user name.
    ///
    /// # Errors
    /// As all look-ups: when the shelf cannot be read.
    pub async fn patron_by_code(&self, code: &str) -> Result<Option<Patron>, S::Error> {
        let _ = (&self.shelf, code);
        Ok(None)
    }

    /// The patron of this number.
    ///
    /// # Errors
    /// When the shelf cannot be read.
    pub async fn patron(&self, id: u32) -> Result<Option<Patron>, S::Error> {
        let _ = id;
        Ok(None)
    }

    /// The item with this barcode.
    ///
    /// # Errors
    /// When the shelf cannot be read.
    pub async fn item_by_barcode(&self, barcode: &str) -> Result<Option<Item>, S::Error> {
        let _ = barcode;
        Ok(None)
    }

    /// The item of this number.
    ///
    /// # Errors
    /// When the shelf cannot be read.
    pub async fn item(&self, id: u32) -> Result<Option<Item>, S::Error> {
        let _ = id;
        Ok(None)
    }

    /// The open loan of this item.
    ///
    /// # Errors
    /// When the shelf cannot be read.
    pub async fn loan_of(&self, item: u32) -> Result<Option<Loan>, S::Error> {
        let _ = item;
        Ok(None)
    }

    /// The open loans of this patron.
    ///
    /// # Errors
    /// When the shelf cannot be read.
    pub async fn loans_of(&self, patron: u32) -> Result<Vec<Loan>, S::Error> {
        let _ = patron;
        Ok(Vec::new())
    }

    /// The holds on the title of this number, by priority: those set aside first.
    ///
    /// # Errors
    /// When the shelf cannot be read.
    pub async fn holds_on(&self, biblio: u32) -> Result<Vec<Hold>, S::Error> {
        let _ = biblio;
        Ok(Vec::new())
    }

    /// The holds of this patron.
    ///
    /// # Errors
    /// When the shelf cannot be read.
    pub async fn holds_of(&self, patron: u32) -> Result<Vec<Hold>, S::Error> {
        let _ = patron;
        Ok(Vec::new())
    }

    /// The patrons in whose names every word typed stands, in whatever case, with or without accents.
    ///
    /// # Errors
    /// When the shelf cannot be read.
    pub async fn search(&self, typed: &str, limit: usize) -> Result<Hits, S::Error> {
        let _ = (typed, limit);
        Ok(Hits::default())
    }
}
