//! Titles and names for the rows of the log that are seen, one after the other, and only while they are seen.

use crate::{
    dom::elements,
    later::later,
    popup::{Desk, Panel, known::records::Records},
};
use koct_core::{
    Entry, Transaction, TransactionId,
    directory::labels::{Label, label},
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};
use web_sys::Element;

/// More labels than this are not kept in memory.
const KEPT: usize = 2_000;

elements! {
    pub(crate) struct Labels(desk: Rc<Desk>, records: Rc<Records>) {
        table: Element = "transactions-table",
        ;
        /// What was looked up, and of which transaction: it may have been corrected since.
        found: RefCell<HashMap<TransactionId, (Transaction, Label)>>,
        /// Counts the changes of the records: what was looked up in the ones before is not theirs.
        of_records: Cell<u32>,
    }
}

impl Panel for Labels {
    fn records_changed(self: Rc<Self>, are_there: bool) {
        // The columns have room for them only then.
        let _ = self.table.toggle_attribute_with_force("data-labels", are_there);
        self.found.borrow_mut().clear();
        self.of_records.set(self.of_records.get().wrapping_add(1));
        self.desk.draw_now();
    }
}

impl Labels {
    /// What is known of it. `None` where nobody has looked yet, and somebody can.
    pub(crate) fn of(&self, entry: &Entry) -> Option<Label> {
        if self.records.get().is_none() {
            return Some(Label::default());
        }
        let found = self.found.borrow();
        found.get(&entry.id).filter(|(of, _)| *of == entry.transaction).map(|(_, label)| label.clone())
    }

    /// Looks it up.
    pub(crate) async fn look_up(self: &Rc<Self>, entry: &Entry) {
        look_up(self.clone(), entry.clone()).await;
    }

    async fn look_up_now(&self, entry: &Entry) {
        let Some(records) = self.records.get() else { return };
        let of_records = self.of_records.get();
        let label = label(&entry.transaction, &records).await;
        if of_records == self.of_records.get() {
            let mut found = self.found.borrow_mut();
            if found.len() >= KEPT {
                found.clear();
            }
            found.insert(entry.id, (entry.transaction.clone(), label));
        }
    }
}

later! {
    async fn look_up(labels: Rc<Labels>, entry: Entry) {
        labels.look_up_now(&entry).await;
    }
}
