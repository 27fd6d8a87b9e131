//! What came back: its title, who had it, whether it is late, what belongs to it, and who waits for it.

use super::lookup::ReturnFound;
use crate::{
    clock, dom,
    i18n::{plural, text, text_with},
    wording,
};
use wasm_bindgen::JsValue;
use web_sys::{Element, HtmlElement};

const DAY: i64 = 86_400_000;

pub(crate) struct Returned {
    panel: HtmlElement,
    hold: HtmlElement,
    title: Element,
    facts: Element,
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
        })
    }

    pub(super) fn hide(&self) {
        self.panel.set_hidden(true);
    }

    /// Shows this, in place of what came back before.
    pub(super) fn show(&self, found: &ReturnFound) {
        let item = found.item.as_ref();
        let title = item.map(|item| item.title.clone()).filter(|title| !title.is_empty());
        let heading = match &title {
            Some(title) => format!("{title} · {}", found.barcode),
            None => found.barcode.clone(),
        };
        self.title.set_text_content(Some(&heading));
        let mut facts = Vec::new();
        if let Some(item) = item {
            let place = [&*item.author, &*item.call_number];
            let place = place.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
            facts.push((place, ""));
        } else {
            facts.push((text("warningUnknownItem"), "warned"));
        }
        facts.push(match &found.had {
            Some(had) => (text_with("returnedHad", &[had]), ""),
            None => (text("returnedNobody"), ""),
        });
        if let Some(due) = found.due.filter(|due| *due < clock::millis()) {
            let days = (clock::millis() - due) / DAY;
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
