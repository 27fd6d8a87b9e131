//! What came back: its title, who had it, whether it is late, what belongs to it, and who waits for it.

use super::lookup::ReturnFound;
use crate::{
    dom,
    i18n::{plural, text, text_with},
    wording,
};
use koct_core::{Entry, State, TransactionId};
use std::cell::Cell;
use wasm_bindgen::JsValue;
use web_sys::{Element, HtmlElement};

pub(crate) struct Returned {
    panel: HtmlElement,
    hold: HtmlElement,
    title: Element,
    facts: Element,
    /// The checkin that is shown.
    shown: Cell<Option<TransactionId>>,
}

impl Returned {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn new() -> Result<Self, JsValue> {
        Ok(Self {
            panel: dom::by_id("checkin-panel")?,
            hold: dom::by_id("returned-hold")?,
            title: dom::by_id("returned-title")?,
            facts: dom::by_id("returned-facts")?,
            shown: Cell::default(),
        })
    }

    /// Shows nothing; no name stays in the page.
    pub(crate) fn hide(&self) {
        self.shown.set(None);
        self.panel.set_hidden(true);
        for part in [&self.title, &self.facts, self.hold.as_ref()] {
            part.set_text_content(None);
        }
    }

    /// Takes an entry as it is now: what was taken back is not shown.
    pub(crate) fn update(&self, entry: &Entry) {
        if self.shown.get() == Some(entry.id) && entry.status.state() == State::Deleted {
            self.hide();
        }
    }

    /// Shows this, in place of what came back before.
    pub(crate) fn show(&self, id: TransactionId, found: &ReturnFound) {
        self.shown.set(Some(id));
        let item = found.item.as_ref();
        let title = item.map(|item| item.title.clone()).filter(|title| !title.is_empty());
        let heading = match &title {
            Some(title) => format!("{title} · {}", found.barcode),
            None => found.barcode.clone(),
        };
        self.title.set_text_content(Some(&heading));
        let mut facts = Vec::new();
        if let Some(item) = item {
            facts.push((wording::joined([&item.author, &item.call_number]), ""));
        } else {
            facts.push((text("warningUnknownItem"), "warned"));
        }
        facts.push(match (&found.had, &found.since) {
            (Some(had), Some(since)) => (text_with("returnedHadSince", &[had, since]), ""),
            (Some(had), None) => (text_with("returnedHad", &[had]), ""),
            (None, _) => (text("returnedNobody"), ""),
        });
        if let (Some(days), Some(due)) = (found.late, found.due) {
            let when = wording::millis(due);
            let words = if days == 0 {
                text_with("returnedOverdueToday", &[&when])
            } else {
                plural("returnedOverdue", days, &[&when])
            };
            facts.push((words, "overdue"));
        }
        if let Some(materials) = item.map(|item| &item.materials).filter(|materials| !materials.is_empty()) {
            facts.push((text_with("returnedMaterials", &[materials]), "warned"));
        }
        self.facts.set_text_content(None);
        for (words, kind) in facts.into_iter().filter(|(words, _)| !words.is_empty()) {
            let Ok(line) = dom::document().and_then(|page| page.create_element("li")) else { continue };
            line.set_text_content(Some(&words));
            let _ = line.set_attribute("data-kind", kind);
            let _ = self.facts.append_with_node_1(&line);
        }
        self.hold.set_hidden(found.hold.is_none());
        let hold = found.hold.as_ref().map(|(who, pickup)| text_with("warningHoldFor", &[who, pickup]));
        self.hold.set_text_content(hold.as_deref());
        self.panel.set_hidden(false);
    }
}
