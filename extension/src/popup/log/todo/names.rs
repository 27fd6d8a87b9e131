//! What the rows are called: titles and names, looked up once each, and only for those that are drawn.

use crate::popup::known::{
    lookup::{Lookups, name_and_card},
    records::Records,
};
use koct_core::{
    Transaction, TransactionId,
    directory::{item_now, labels},
    log::todo::{Group, Row, What},
};
use std::{cell::RefCell, collections::HashMap, rc::Rc};

/// More than this are not kept in memory.
const KEPT: usize = 2_000;

/// What a row is called; empty where nothing is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Name {
    /// The item's title.
    pub(super) title: String,
    /// The patron: who took it, who had it, or who waits for it.
    pub(super) who: String,
}

/// The names of all rows, and the records that they come from.
pub(crate) struct Names {
    pub(super) records: Rc<Records>,
    lookups: Rc<Lookups>,
    /// What was looked up, and of which transaction: it may have been corrected since.
    found: RefCell<HashMap<(Group, TransactionId), (Transaction, Name)>>,
}

impl Names {
    pub(crate) fn new(records: Rc<Records>, lookups: Rc<Lookups>) -> Self {
        Self { records, lookups, found: RefCell::default() }
    }

    /// What is known of it. `None` where nobody has looked yet.
    pub(super) fn of(&self, row: &Row) -> Option<Name> {
        let found = self.found.borrow();
        let of_row = found.get(&(row.group, row.entry.id))?;
        (of_row.0 == row.entry.transaction).then(|| of_row.1.clone())
    }

    /// The records are others, or none.
    pub(super) fn forget(&self) {
        self.found.borrow_mut().clear();
    }

    /// Looks it up. What cannot be read is as good with its numbers.
    pub(super) async fn look_up(&self, row: &Row) {
        let Some(known) = self.records.get() else { return };
        let label = labels::label(&row.entry.transaction, &known).await;
        let mut name = Name { title: label.title, who: label.patron };
        match row.what {
            What::SetAside => {
                let lines = item_now::aside_lines(std::slice::from_ref(&row.entry), Some(&*known)).await;
                name.who = lines.into_iter().next().map(|line| line.who).unwrap_or_default();
            }
            What::Late(_) => {
                name.who = self.lookups.who_had(&row.entry).await.as_ref().map(name_and_card).unwrap_or_default();
            }
            _ => {}
        }
        let mut found = self.found.borrow_mut();
        if found.len() >= KEPT {
            found.clear();
        }
        found.insert((row.group, row.entry.id), (row.entry.transaction.clone(), name));
    }
}
