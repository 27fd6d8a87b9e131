//! What was recorded in this sitting, under the fields: the checkouts of the patron whose card is there, and the checkins.

use crate::{dom, i18n::text_with, locale, popup::Desk, wording};
use koct_core::{Action, Entry, desk::barcode::same_code};
use wasm_bindgen::JsValue;
use web_sys::{Element, HtmlElement, HtmlInputElement};

/// So many are listed: the table has all.
const LISTED: usize = 60;

pub(crate) struct Sitting {
    cardnumber: HtmlInputElement,
    checkouts: List,
    checkins: List,
}

struct List {
    panel: HtmlElement,
    title: Element,
    items: Element,
}

impl Sitting {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn new() -> Result<Self, JsValue> {
        Ok(Self {
            cardnumber: dom::by_id("checkout-patron")?,
            checkouts: List::new("patron-items")?,
            checkins: List::new("checkin-items")?,
        })
    }

    /// Whether this is a checkout of the patron whose card is in the field.
    fn is_of_patron(&self, entry: &Entry) -> bool {
        let Action::Issue { cardnumber, .. } = &entry.transaction.action else { return false };
        same_code(cardnumber.as_str(), &self.cardnumber.value())
    }
}

fn is_checkin(entry: &Entry) -> bool {
    matches!(entry.transaction.action, Action::Return { .. })
}

impl List {
    fn new(id: &str) -> Result<Self, JsValue> {
        Ok(Self {
            panel: dom::by_id(id)?,
            title: dom::by_id(&format!("{id}-title"))?,
            items: dom::by_id(&format!("{id}-list"))?,
        })
    }

    /// Shows these, the newest first, under a title.
    fn show(&self, entries: &[&Entry], title: &str) {
        self.items.set_text_content(None);
        for entry in &entries[entries.len().saturating_sub(LISTED)..] {
            self.put(entry);
        }
        self.title.set_text_content(Some(title));
        self.panel.set_hidden(entries.is_empty());
    }

    /// Shows one more at the top.
    fn add(&self, entry: &Entry, title: &str) {
        self.put(entry);
        if usize::try_from(self.items.child_element_count()).is_ok_and(|number| number > LISTED)
            && let Some(last) = self.items.last_element_child()
        {
            last.remove();
        }
        self.title.set_text_content(Some(title));
        self.panel.set_hidden(false);
    }

    fn put(&self, entry: &Entry) {
        let Ok(line) = dom::from_template("sitting-template") else { return };
        let barcode = entry.transaction.action.barcode().map(ToString::to_string).unwrap_or_default();
        dom::set_field(&line, "barcode", &barcode);
        dom::set_field(&line, "time", &wording::time_of_day(entry.transaction.moment));
        let _ = self.items.prepend_with_node_1(&line);
    }
}

impl Desk {
    /// A patron who is known is shown with all that she has.
    fn hide_if_known(&self) {
        if self.patron.is_shown() {
            self.sitting.checkouts.panel.set_hidden(true);
        }
    }

    /// The patron, or what was recorded in this sitting, has changed.
    pub(crate) fn show_sitting(&self) {
        let entries = self.scans.sitting();
        let of_patron: Vec<&Entry> = entries.iter().filter(|entry| self.sitting.is_of_patron(entry)).collect();
        let checkins: Vec<&Entry> = entries.iter().filter(|entry| is_checkin(entry)).collect();
        self.sitting.checkouts.show(&of_patron, &title("patronItems", of_patron.len()));
        self.hide_if_known();
        self.sitting.checkins.show(&checkins, &title("checkinItems", checkins.len()));
    }

    /// This was recorded just now.
    pub(crate) fn add_to_sitting(&self, entry: &Entry) {
        let entries = self.scans.sitting();
        if self.sitting.is_of_patron(entry) {
            let number = entries.iter().filter(|entry| self.sitting.is_of_patron(entry)).count();
            self.sitting.checkouts.add(entry, &title("patronItems", number));
            self.hide_if_known();
        } else if is_checkin(entry) {
            let number = entries.iter().filter(|entry| is_checkin(entry)).count();
            self.sitting.checkins.add(entry, &title("checkinItems", number));
        }
    }
}

fn title(key: &str, number: usize) -> String {
    text_with(key, &[&locale::number(number)])
}
