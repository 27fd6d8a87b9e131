//! The keys of the window: everything that is done all day is one key away, whatever has the focus.
//!
//! Function keys, since no scanner sends them and no keyboard layout moves them. Firefox leaves those used here to the page
//! (F6, F7, F10, F11 and F12 are its own). The buttons and the help show them.

use super::{Desk, commit};
use crate::dom;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement, HtmlInputElement, KeyboardEvent};

/// # Errors
/// Outside a page.
pub(super) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let desk = desk.clone();
    dom::on::<KeyboardEvent>(dom::document()?.as_ref(), "keydown", move |event| {
        let is_plain = !(event.ctrl_key() || event.alt_key() || event.meta_key() || event.shift_key());
        // A dialog is dealt with first; Escape closes it.
        if is_plain && !event.is_composing() && !dialog_is_open() && pressed(&desk, &event) {
            event.prevent_default();
        }
    });
    Ok(())
}

fn dialog_is_open() -> bool {
    dom::document().ok().and_then(|page| page.query_selector("dialog[open]").ok()?).is_some()
}

/// Does what the key stands for. Returns whether it stands for anything.
fn pressed(desk: &Rc<Desk>, event: &KeyboardEvent) -> bool {
    // A key that is held down repeats itself: what it does once is enough.
    let once = !event.repeat();
    match event.key().as_str() {
        "F2" => focus("checkout-patron"),
        "F3" => focus("find-text"),
        "F4" => focus("checkin-item"),
        "F8" if once => desk.undo_last(),
        "F9" if once => commit::press(desk),
        "Escape" if is_within(event, "#checkout") => click("checkout-clear-patron"),
        "Escape" if is_within(event, "#find") => click("show-all"),
        "F8" | "F9" => {}
        _ => return false,
    }
    true
}

fn focus(id: &str) {
    if let Ok(field) = dom::by_id::<HtmlInputElement>(id) {
        let _ = field.focus();
        field.select();
    }
}

fn click(id: &str) {
    if let Ok(button) = dom::by_id::<HtmlElement>(id) {
        button.click();
    }
}

fn is_within(event: &KeyboardEvent, selector: &str) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|target| target.closest(selector).ok().flatten().is_some())
}
