//! Offers Koha's own rule for items' barcodes, where Koha tells it and it is not among the rules.

use crate::{
    dom,
    i18n::{text, text_with},
};
use koct_core::{desk::rules::Kind, koha::filter};
use std::{cell::Cell, rc::Rc};
use wasm_bindgen::JsValue;
use web_sys::{Event, EventInit, HtmlElement, HtmlInputElement};

pub(super) struct KohaFilter {
    row: HtmlElement,
    words: HtmlElement,
    rules: HtmlInputElement,
    /// What Koha has told.
    told: Cell<Option<Kind>>,
}

impl KohaFilter {
    /// # Errors
    /// When the page lacks an element.
    pub(super) fn new() -> Result<Self, JsValue> {
        Ok(Self {
            row: dom::by_id("koha-filter")?,
            words: dom::by_id("koha-filter-text")?,
            rules: dom::by_id("item-rules")?,
            told: Cell::default(),
        })
    }

    /// Calls `used` when it was put among the rules.
    ///
    /// # Errors
    /// When the page lacks an element.
    pub(super) fn bind(self: &Rc<Self>, used: impl Fn(&str) + 'static) -> Result<(), JsValue> {
        dom::on_click("koha-filter-use", self, move |this| {
            let Some(rules) = this.told.get().and_then(|kind| filter::with_filter(&this.rules.value(), kind)) else {
                return this.hide();
            };
            this.rules.set_value(&rules);
            this.hide();
            let bubbles = EventInit::new();
            bubbles.set_bubbles(true);
            if let Ok(event) = Event::new_with_event_init_dict("input", &bubbles) {
                let _ = this.rules.dispatch_event(&event);
            }
            used(&text("kohaFilterUsed"));
        })
    }

    /// What Koha has told, if anything.
    pub(super) fn set(&self, told: Option<Kind>) {
        self.told.set(told);
    }

    /// Offers it, where a person may take it.
    pub(super) fn offer(&self) {
        let is_new = |kind: &Kind| filter::with_filter(&self.rules.value(), *kind).is_some();
        let offered = self.told.get().filter(|kind| is_new(kind) && !self.rules.has_attribute("disabled"));
        if let Some(kind) = offered {
            self.words.set_text_content(Some(&text_with("kohaFilter", &[kind.name()])));
        }
        self.row.set_hidden(offered.is_none());
    }

    pub(super) fn hide(&self) {
        self.row.set_hidden(true);
    }
}
