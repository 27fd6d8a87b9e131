//! What was recorded in this sitting, under the fields: the checkouts of the patron whose card is there, and the checkins.

use crate::{
    dom::{self, elements},
    i18n::text_with,
    locale,
    popup::{Desk, Panel},
    wording,
};
use koct_core::{
    Entry,
    log::{
        event::LogEvent,
        sitting::{is_checkin, is_checkout_of},
    },
};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use web_sys::{Element, HtmlElement, HtmlInputElement};

/// The number that are listed: the table has all.
const LISTED: usize = 60;

elements! {
    pub(crate) struct SittingLists(desk: Rc<Desk>) {
        cardnumber: HtmlInputElement = "checkout-patron",
        /// Where a patron who is known is shown.
        patron: HtmlElement = "patron-panel",
        ;
        checkouts: List = List::new("patron-items")?,
        checkins: List = List::new("checkin-items")?,
    }
}

struct List {
    panel: HtmlElement,
    title: Element,
    items: Element,
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

impl Panel for SittingLists {
    /// One that was recorded just now is shown at once, everything else at the next drawing.
    fn follow(self: Rc<Self>, event: &LogEvent) {
        match event {
            LogEvent::Recorded(entry) => self.add(entry),
            LogEvent::Reload(_) => self.draw(),
            LogEvent::Changed(_) | LogEvent::Committed => {}
        }
    }

    fn draw(self: Rc<Self>) {
        if self.desk.sitting_changed.get() {
            self.show();
        }
    }
}

impl SittingLists {
    /// A patron who is known is shown with all that they have.
    fn hide_if_known(&self) {
        if !self.patron.hidden() {
            self.checkouts.panel.set_hidden(true);
        }
    }

    /// The patron, or what was recorded in this sitting, has changed.
    pub(crate) fn show(&self) {
        self.desk.sitting_changed.set(false);
        let sitting = self.desk.sitting.borrow();
        let of_patron = sitting.checkouts_of(&self.cardnumber.value());
        self.checkouts.show(&of_patron, &title("patronItems", of_patron.len()));
        self.hide_if_known();
        let checkins = sitting.checkins();
        self.checkins.show(&checkins, &title("checkinItems", checkins.len()));
    }

    fn add(&self, entry: &Entry) {
        let sitting = self.desk.sitting.borrow();
        let card = self.cardnumber.value();
        if is_checkout_of(entry, &card) {
            self.checkouts.add(entry, &title("patronItems", sitting.checkouts_of(&card).len()));
            self.hide_if_known();
        } else if is_checkin(entry) {
            self.checkins.add(entry, &title("checkinItems", sitting.checkins().len()));
        }
    }
}

fn title(key: &str, number: usize) -> String {
    text_with(key, &[&locale::number(number)])
}
