//! What the rows are called: titles and names, looked up once each, and only for those that are drawn.

use crate::popup::known::{
    found::Found,
    labels::Labels,
    lookup::{Lookups, name_and_card},
    records::RecordsPanel,
};
use koct_core::{
    directory::item_now,
    log::todo::{NamedBy, Row, What},
};
use std::rc::Rc;

/// What a row is called; empty where nothing is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Name {
    /// The item's title.
    pub(super) title: String,
    /// The patron: who took it, who had it, or who waits for it.
    pub(super) who: String,
    /// Another patron, whose loan was ended.
    pub(super) other: String,
}

/// The names of all rows, and the records that they come from.
pub(crate) struct Names {
    pub(super) records: Rc<RecordsPanel>,
    lookups: Rc<Lookups>,
    labels: Rc<Labels>,
    found: Found<NamedBy, Name>,
}

impl Names {
    pub(crate) fn new(records: Rc<RecordsPanel>, lookups: Rc<Lookups>, labels: Rc<Labels>) -> Self {
        Self { records, lookups, labels, found: Found::default() }
    }

    /// What is known of it. `None` where nobody has looked yet.
    pub(super) fn of(&self, row: &Row) -> Option<Name> {
        self.found.get(&row.named_by(), &row.entry.transaction)
    }

    /// The records are others, or none.
    pub(super) fn forget(&self) {
        self.found.forget();
    }

    /// Looks it up. What cannot be read is as good with its numbers.
    pub(super) async fn look_up(&self, row: &Row) {
        let Some(known) = self.records.get() else { return };
        let of_records = self.found.records();
        self.labels.look_up(&row.entry).await;
        let label = self.labels.of(&row.entry).unwrap_or_default();
        let mut name = Name { title: label.title, who: label.patron, other: String::new() };
        let by_koha = match row.patron_by_koha() {
            Some(patron) => known.patron(patron).await.ok().flatten(),
            None => None,
        };
        match (&row.what, by_koha) {
            (What::Loan(..), from) => name.other = from.as_ref().map(name_and_card).unwrap_or_default(),
            (_, Some(patron)) => name.who = name_and_card(&patron),
            (What::SetAside { .. }, None) => {
                let lines = item_now::aside_lines(std::slice::from_ref(&row.entry), Some(&*known)).await;
                name.who = lines.into_iter().next().map(|line| line.who).unwrap_or_default();
            }
            (What::Late { .. }, None) => {
                name.who = self.lookups.who_had(&row.entry).await.as_ref().map(name_and_card).unwrap_or_default();
            }
            _ => {}
        }
        self.found.keep(of_records, row.named_by(), &row.entry.transaction, name);
    }
}
