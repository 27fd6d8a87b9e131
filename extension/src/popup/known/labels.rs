//! Titles and names for the rows of the log that are seen, one after the other, and only while they are seen.

use super::found::Found;
use crate::{
    dom::{self, elements},
    later::later,
    popup::{Desk, Panel, known::records::RecordsPanel},
};
use futures_util::lock::Mutex;
use koct_core::{
    Entry, TransactionId,
    desk::signs,
    directory::{
        labels::{Label, label, name, title},
        record::Set,
    },
};
use std::rc::Rc;
use web_sys::Element;

elements! {
    pub(crate) struct Labels(desk: Rc<Desk>, records: Rc<RecordsPanel>) {
        table: Element = "transactions-table",
        ;
        found: Found<TransactionId, Label>,
        /// One at a time: the message, the visit and the log ask for the same scan at once, and it is looked up for all of them.
        turn: Mutex<()>,
    }
}

impl Panel for Labels {
    fn records_changed(self: Rc<Self>, are_there: bool) {
        // The columns have room for them only then.
        let _ = self.table.toggle_attribute_with_force("data-labels", are_there);
        self.found.forget();
        self.desk.draw_now();
    }
}

impl Labels {
    /// What is known of it. `None` where nobody has looked yet, and somebody can.
    pub(crate) fn of(&self, entry: &Entry) -> Option<Label> {
        if self.records.get().is_none() {
            return Some(Label::default());
        }
        self.found.get(&entry.id, &entry.transaction)
    }

    /// Looks it up.
    pub(crate) async fn look_up(self: &Rc<Self>, entry: &Entry) {
        look_up(self.clone(), entry.clone()).await;
    }

    async fn look_up_now(&self, entry: &Entry) {
        let _turn = self.turn.lock().await;
        let (Some(records), None) = (self.records.get(), self.of(entry)) else { return };
        let of_records = self.found.records();
        let label = label(&entry.transaction, &records).await;
        self.found.keep(of_records, entry.id, &entry.transaction, label);
    }
}

/// Shows in a row what it is called, beside its numbers.
pub(crate) fn show(row: &Element, label: &Label) {
    for (field, text) in [("title", &label.title), ("patron", &label.patron)] {
        if let Some(element) = dom::field(row, field) {
            let text = signs::harmless(text);
            element.set_text_content(Some(&text));
            element.set_title(&text);
            element.set_hidden(text.is_empty());
        }
    }
    // Beside a name there is room for the end of a number.
    for field in ["cardnumber", "barcode"] {
        if let Some(element) = dom::field(row, field) {
            element.set_title(&element.text_content().unwrap_or_default());
        }
    }
}

later! {
    /// The title of the item whose barcode is being typed; empty where there is none. `None` where nobody can know, or it cannot be read.
    pub(crate) async fn title_typed(labels: Rc<Labels>, barcode: String) -> Option<String> {
        let records = labels.records.get().filter(|records| records.has(Set::Items))?;
        title(&barcode, &records).await.ok()
    }

    /// The same of the patron's name by the card.
    pub(crate) async fn name_typed(labels: Rc<Labels>, card: String) -> Option<String> {
        let records = labels.records.get().filter(|records| records.has(Set::Patrons))?;
        name(&card, &records).await.ok()
    }

    async fn look_up(labels: Rc<Labels>, entry: Entry) {
        labels.look_up_now(&entry).await;
    }
}
