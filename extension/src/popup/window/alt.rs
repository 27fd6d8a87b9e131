//! Alt alone opens the menu, as F10 does (`koct_core::desk::alone`).

use super::focus::is_dialog_open;
use crate::dom;
use koct_core::desk::alone::Alone;
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::JsValue;
use web_sys::{Event, HtmlElement, KeyboardEvent};

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind() -> Result<(), JsValue> {
    let alone = Rc::new(RefCell::new(Alone::default()));
    let button: HtmlElement = dom::by_id("open-menu")?;
    let page = dom::document()?;
    let pressed = alone.clone();
    dom::on_first::<KeyboardEvent>(&page, "keydown", move |event| {
        let is_alt = is_alt(&event);
        pressed.borrow_mut().down(is_alt, event.time_stamp());
        // Firefox has a menu of its own for it.
        if is_alt && !is_dialog_open() {
            event.prevent_default();
        }
    });
    let released = alone.clone();
    dom::on_first::<KeyboardEvent>(&page, "keyup", move |event| {
        if released.borrow_mut().up(event.key() == "Alt") && !is_dialog_open() {
            event.prevent_default();
            button.click();
        }
    });
    for name in ["mousedown", "wheel"] {
        let disturbed = alone.clone();
        dom::on_first::<Event>(&page, name, move |_| disturbed.borrow_mut().disturb());
    }
    let left = alone;
    dom::on::<Event>(dom::window()?.as_ref(), "blur", move |_| left.borrow_mut().disturb());
    Ok(())
}

fn is_alt(event: &KeyboardEvent) -> bool {
    event.key() == "Alt" && !(event.ctrl_key() || event.shift_key() || event.meta_key())
}
