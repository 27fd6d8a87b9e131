//! The Checkout section: patron, then item after item; the patron stays until cleared or changed.

use super::{Desk, Tone, on_enter, scans::Scan, take};
use crate::{dom, i18n::text, i18n::text_with, wording};
use koct_core::barcode::Cardnumber;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use web_sys::{Element, Event, HtmlInputElement};

#[derive(Clone)]
struct Checkout {
    desk: Rc<Desk>,
    patron: HtmlInputElement,
    item: HtmlInputElement,
}

/// # Errors
/// When the page lacks an element.
pub(super) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let checkout =
        Checkout { desk: desk.clone(), patron: dom::by_id("checkout-patron")?, item: dom::by_id("checkout-item")? };
    let this = checkout.clone();
    on_enter(&checkout.patron, move || this.patron_entered());
    let this = checkout.clone();
    on_enter(&checkout.item, move || this.record());
    let this = checkout.clone();
    dom::on::<Event>(dom::by_id::<Element>("checkout-form")?.as_ref(), "submit", move |event| {
        event.prevent_default();
        this.record();
    });
    // The next patron's card replaces the last one's.
    let this = checkout.clone();
    dom::on::<Event>(checkout.patron.as_ref(), "focus", move |_| this.patron.select());
    dom::on::<Event>(dom::by_id::<Element>("checkout-clear-patron")?.as_ref(), "click", move |_| {
        checkout.clear_patron();
    });
    Ok(())
}

impl Checkout {
    fn patron_entered(&self) {
        match Cardnumber::parse(&self.patron.value()) {
            Ok(cardnumber) => {
                self.patron.set_value(cardnumber.as_str());
                self.desk.message.show(Tone::Good, &text_with("patronReady", &[cardnumber.as_str()]));
                let _ = self.item.focus();
            }
            Err(error) => {
                self.desk.message.show(Tone::Bad, &text_with("attentionCardnumber", &[&wording::code_error(&error)]));
                self.patron.select();
            }
        }
    }

    fn record(&self) {
        if self.patron.value().trim().is_empty() {
            self.desk.message.show(Tone::Bad, &text("patronMissing"));
            let _ = self.patron.focus();
        } else if self.item.value().trim().is_empty() {
            self.desk.message.show(Tone::Bad, &text("itemMissing"));
            let _ = self.item.focus();
        } else {
            let scan = Scan::Checkout { patron: self.patron.value(), item: take(&self.item) };
            let _ = self.item.focus();
            self.desk.scan(scan);
        }
    }

    fn clear_patron(&self) {
        self.patron.set_value("");
        self.desk.message.show(Tone::Good, &text("patronCleared"));
        let _ = self.patron.focus();
    }
}
