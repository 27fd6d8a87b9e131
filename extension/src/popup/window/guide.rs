//! The guide of the first run: what is to be done before this desk can send.

use crate::{
    dom::{self, elements},
    popup::{Desk, Panel},
};
use koct_core::{
    log::event::LogEvent,
    settings::guide::{self, SetupStep},
};
use std::{cell::Cell, rc::Rc};
use wasm_bindgen::JsValue;
use web_sys::{Element, HtmlElement};

/// The steps that are to be done, with the ids of their lines: to set up, which includes the test, and to scan.
const STEPS: [(SetupStep, &str); 2] = [(SetupStep::Test, "guide-configure"), (SetupStep::Ready, "guide-ready")];

elements! {
    pub(crate) struct Guide(desk: Rc<Desk>) {
        panel: HtmlElement = "guide",
        set_up: HtmlElement = "guide-settings",
        ;
        /// It was there in this window, so that it may say that all is done.
        shown: Cell<bool>,
    }
}

impl Panel for Guide {
    /// Once something was recorded, it is in the way.
    fn follow(self: Rc<Self>, event: &LogEvent) {
        if matches!(event, LogEvent::Recorded(_)) {
            self.close();
        }
    }

    /// Shows how far it is.
    fn show_settings(self: Rc<Self>) {
        let preferences = self.desk.preferences.borrow();
        let next = guide::next(&preferences.form, preferences.saved, preferences.tested.as_deref());
        for (step, id) in STEPS {
            let Ok(line) = dom::by_id::<Element>(id) else { continue };
            let state = match (step, next == SetupStep::Ready) {
                (SetupStep::Ready, true) | (SetupStep::Configure | SetupStep::Test, false) => "next",
                (SetupStep::Ready, false) => "later",
                (SetupStep::Configure | SetupStep::Test, true) => "done",
            };
            let _ = line.set_attribute("data-step", state);
            let _ = if state == "next" {
                line.set_attribute("aria-current", "step")
            } else {
                line.remove_attribute("aria-current")
            };
        }
        self.set_up.set_hidden(next == SetupStep::Ready);
        self.shown.set(self.shown.get() || next != SetupStep::Ready);
        self.panel.set_hidden(!self.shown.get());
    }
}

impl Guide {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::on_click("guide-close", self, |this| this.close())
    }

    /// Puts it away for this window.
    fn close(&self) {
        self.shown.set(false);
        self.panel.set_hidden(true);
    }
}
