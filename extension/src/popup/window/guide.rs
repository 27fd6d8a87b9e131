//! The guide of the first run: what is to be done before this desk can send.

use crate::{
    dom::{self, elements},
    popup::Desk,
    preferences::Preferences,
};
use koct_core::{
    log::event::LogEvent,
    settings::guide::{self, SetupStep},
};
use std::{cell::Cell, rc::Rc};
use wasm_bindgen::JsValue;
use web_sys::{Element, HtmlElement};

/// The steps, in their order, with the ids of their lines.
const STEPS: [(SetupStep, &str); 3] =
    [(SetupStep::Configure, "guide-configure"), (SetupStep::Test, "guide-test"), (SetupStep::Ready, "guide-ready")];

elements! {
    pub(crate) struct Guide {
        panel: HtmlElement = "guide",
        ;
        /// It was there in this window, so that it may say that all is done.
        shown: Cell<bool>,
        done: Cell<bool>,
    }
}

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    dom::on_click("guide-close", desk, |desk| desk.guide.close())
}

/// Once all is done and something was recorded, it is in the way.
pub(crate) fn follow(desk: &Rc<Desk>, event: &LogEvent) {
    if matches!(event, LogEvent::Recorded(_)) && desk.guide.done.get() {
        desk.guide.close();
    }
}

impl Guide {
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

    /// Puts it away for this window.
    fn close(&self) {
        self.shown.set(false);
        self.panel.set_hidden(true);
    }
}
