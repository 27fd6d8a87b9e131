//! Under the patron's card: what this patron has checked out in this sitting.

use super::Desk;
use crate::{dom, i18n::text_with, wording};
use koct_core::{barcode::same_code, log::Entry, transaction::Action};
use wasm_bindgen::JsValue;
use web_sys::{Element, HtmlElement, HtmlInputElement};

pub(crate) struct Patron {
    cardnumber: HtmlInputElement,
    panel: HtmlElement,
    title: Element,
    items: Element,
}

impl Patron {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn new() -> Result<Self, JsValue> {
        Ok(Self {
            cardnumber: dom::by_id("checkout-patron")?,
            panel: dom::by_id("patron-items")?,
            title: dom::by_id("patron-items-title")?,
            items: dom::by_id("patron-items-list")?,
        })
    }

    /// Whether this is a checkout of the patron whose card is in the field.
    fn has(&self, entry: &Entry) -> bool {
        let Action::Issue { cardnumber, .. } = &entry.transaction.action else { return false };
        same_code(cardnumber.as_str(), &self.cardnumber.value())
    }

    /// Shows these, the newest first.
    fn show(&self, sitting: &[Entry]) {
        self.items.set_text_content(None);
        let entries: Vec<&Entry> = sitting.iter().filter(|entry| self.has(entry)).collect();
        for entry in &entries {
            self.put(entry);
        }
        self.count(entries.len());
    }

    /// Shows one more at the top.
    fn add(&self, entry: &Entry) {
        if self.has(entry) {
            self.put(entry);
            self.count(usize::try_from(self.items.child_element_count()).unwrap_or_default());
        }
    }

    fn put(&self, entry: &Entry) {
        let Ok(line) = dom::from_template("patron-item-template") else { return };
        let barcode = entry.transaction.action.barcode().map(ToString::to_string).unwrap_or_default();
        dom::set_field(&line, "barcode", &barcode);
        dom::set_field(&line, "time", &wording::time_of_day(entry.transaction.moment));
        let _ = self.items.prepend_with_node_1(&line);
    }

    fn count(&self, number: usize) {
        let cardnumber = self.cardnumber.value();
        self.title.set_text_content(Some(&text_with("patronItems", &[cardnumber.trim(), &number.to_string()])));
        self.panel.set_hidden(number == 0);
    }
}

impl Desk {
    /// The patron, or what was recorded in this sitting, has changed.
    pub(super) fn show_patron(&self) {
        self.patron.show(&self.scans.sitting());
    }

    /// This was recorded.
    pub(super) fn add_to_patron(&self, entry: &Entry) {
        self.patron.add(entry);
    }
}
