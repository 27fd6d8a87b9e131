//! The Checkin section: item after item.

use super::{codes::on_code, scans::Scans};
use crate::{
    dom::{self, elements},
    i18n::text,
    popup::{Desk, Tone},
};
use koct_core::desk::scan::{self, Entered};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use web_sys::HtmlInputElement;

elements! {
    pub(crate) struct Checkin(desk: Rc<Desk>, scans: Rc<Scans>) {
        item: HtmlInputElement = "checkin-item",
    }
}

impl Checkin {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        let this = self.clone();
        on_code(&self.desk, &self.item, move || this.record());
        dom::on_submit("checkin-form", self, |this| this.record())
    }

    fn record(&self) {
        match scan::checkin(&self.item.value()) {
            Entered::Missing(_) => self.desk.message.answer(Tone::Bad, &text("itemMissing")),
            entered => {
                // In one tick: a scanner may be typing the next code already.
                self.item.set_value("");
                self.scans.scan(entered);
            }
        }
        let _ = self.item.focus();
    }
}
