//! The Checkin section: item after item.

use super::{codes::on_code, scans::Scans};
use crate::{
    dom::{self, elements},
    i18n::text,
    popup::{Desk, Tone},
};
use koct_core::desk::{
    keyboard::Meaning,
    scan::{self, Entered, Typed},
};
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
        let left = self.scans.clone();
        let complete = move |meaning| this.record(&meaning);
        on_code(&self.desk, &self.item, complete, move |item| left.left(Typed::Checkin { item }));
        dom::on_submit("checkin-form", self, |this| this.record(&Meaning::AsTyped))
    }

    fn record(&self, meaning: &Meaning) {
        let (typed, codes) = (self.item.value(), self.desk.codes());
        let by_keys = |keys: &str| scan::checkin(keys, &*codes).typed_as(&typed);
        let entered = match meaning {
            Meaning::Keys(keys) => by_keys(keys),
            Meaning::AsTyped | Meaning::Ask(_) => scan::checkin(&typed, &*codes),
        };
        match (meaning, entered) {
            (Meaning::Ask(keys), entered) => {
                self.item.set_value("");
                self.scans.ask_keyboard(keys.clone(), entered, by_keys(keys));
            }
            (_, Entered::Missing(_)) => self.desk.message.answer(Tone::Bad, &text("itemMissing")),
            (_, entered) => {
                // In one tick: a scanner may be typing the next code already.
                self.item.set_value("");
                self.scans.scan(entered);
            }
        }
        let _ = self.item.focus();
    }
}
