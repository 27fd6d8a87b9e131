//! What came back: its title, who had it, whether it is late, what belongs to it, and who waits for it.

use super::lookup::ReturnFound;
use crate::{
    dom::{self, elements},
    i18n::{plural, text, text_with},
    popup::Desk,
    wording,
};
use koct_core::{Entry, State, TransactionId, log::event::LogEvent};
use std::{cell::RefCell, rc::Rc};
use web_sys::{Element, HtmlElement};

elements! {
    pub(crate) struct Returned {
        panel: HtmlElement = "checkin-panel",
        hold: HtmlElement = "returned-hold",
        title: Element = "returned-title",
        facts: Element = "returned-facts",
        ;
        /// The checkin that is shown.
        shown: RefCell<Option<Entry>>,
    }
}

/// What was taken back, cleared, or turned out to be another item is not shown.
pub(crate) fn follow(desk: &Rc<Desk>, event: &LogEvent) {
    let is_other = |shown: &Entry| {
        let now = event.entries().iter().find(|entry| entry.id == shown.id);
        let is_same = |now: &Entry| now.transaction.action == shown.transaction.action;
        event.is_gone(shown.id) || now.is_some_and(|now| !is_same(now) || now.status.state() == State::Deleted)
    };
    let hides = desk.returned.shown.borrow().as_ref().is_some_and(is_other);
    if hides {
        desk.returned.hide();
    }
}

impl Returned {
    /// Shows nothing; no name stays in the page.
    pub(crate) fn hide(&self) {
        *self.shown.borrow_mut() = None;
        self.panel.set_hidden(true);
        for part in [&self.title, &self.facts, self.hold.as_ref()] {
            part.set_text_content(None);
        }
    }

    /// The checkin that is shown, if one is.
    pub(crate) fn kept(&self) -> Option<TransactionId> {
        self.shown.borrow().as_ref().map(|entry| entry.id)
    }

    /// Shows this, in place of what came back before.
    pub(crate) fn show(&self, entry: &Entry, found: &ReturnFound) {
        *self.shown.borrow_mut() = Some(entry.clone());
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
