//! The guide of the first run: what is to be done before this desk can send.

use crate::{dom, preferences::Preferences};
use koct_core::settings::guide::{self, SetupStep};
use std::cell::Cell;
use wasm_bindgen::JsValue;
use web_sys::{Element, HtmlElement};

/// The steps, in their order, with the ids of their lines.
const STEPS: [(SetupStep, &str); 3] =
    [(SetupStep::Configure, "guide-configure"), (SetupStep::Test, "guide-test"), (SetupStep::Ready, "guide-ready")];

pub(crate) struct Guide {
    panel: HtmlElement,
    /// It was there in this window, so that it may say that all is done.
    shown: Cell<bool>,
    done: Cell<bool>,
}

impl Guide {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn new() -> Result<Self, JsValue> {
        Ok(Self { panel: dom::by_id("guide")?, shown: Cell::new(false), done: Cell::new(false) })
    }

    /// Shows how far it is.
    pub(crate) fn show(&self, preferences: &Preferences) {
        let next = guide::next(&preferences.form, preferences.saved, preferences.tested.as_deref());
        for (step, id) in STEPS {
            let Ok(line) = dom::by_id::<Element>(id) else { continue };
            let state = match step.cmp(&next) {
                std::cmp::Ordering::Less => "done",
                std::cmp::Ordering::Equal if next == SetupStep::Ready => "done",
                std::cmp::Ordering::Equal => "next",
                std::cmp::Ordering::Greater => "later",
            };
            let _ = line.set_attribute("data-step", state);
            let _ = if state == "next" {
                line.set_attribute("aria-current", "step")
            } else {
                line.remove_attribute("aria-current")
            };
        }
        self.done.set(next == SetupStep::Ready);
        self.shown.set(self.shown.get() || next != SetupStep::Ready);
        self.panel.set_hidden(!self.shown.get());
    }

    /// Something was recorded: once all is done, the guide is in the way.
    pub(crate) fn scanned(&self) {
        if self.done.get() {
            self.close();
        }
    }

    /// Puts it away for this window.
    pub(crate) fn close(&self) {
        self.shown.set(false);
        self.panel.set_hidden(true);
    }
}
