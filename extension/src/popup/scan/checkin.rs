//! The Checkin section: item after item.

use super::codes::on_code;
use crate::{
    dom,
    i18n::text,
    popup::{Desk, Tone},
};
use koct_core::desk::scan::{self, Entered};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use web_sys::{Element, Event, HtmlInputElement};

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let item: HtmlInputElement = dom::by_id("checkin-item")?;
    let (this, field) = (desk.clone(), item.clone());
    let record = move || {
        match scan::checkin(&field.value()) {
            Entered::Missing(_) => this.message.answer(Tone::Bad, &text("itemMissing")),
            entered => {
                // In one tick: a scanner may be typing the next code already.
                field.set_value("");
                this.scan(entered);
            }
        }
        let _ = field.focus();
    };
    on_code(desk, &item, record.clone());
    dom::on::<Event>(dom::by_id::<Element>("checkin-form")?.as_ref(), "submit", move |event| {
        event.prevent_default();
        record();
    });
    Ok(())
}
