//! More room for the log: the panes are their heads and fields then.

use crate::{dom, popup::Desk};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use web_sys::{Element, Event, HtmlElement};

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let button: HtmlElement = dom::by_id("tall")?;
    let main = dom::document()?.query_selector("main")?.ok_or("a page without its main part")?;
    let this = button.clone();
    dom::bind(&button, "click", desk, move |desk| {
        set(&main, &this, !main.has_attribute("data-tall"));
        desk.focus.back();
    });
    Ok(())
}

/// What is left to do after a commit has the room.
pub(crate) fn give_room() {
    let main = dom::document().ok().and_then(|page| page.query_selector("main").ok()?);
    if let (Some(main), Ok(button)) = (main, dom::by_id("tall")) {
        set(&main, &button, true);
    }
}

/// Something asks for an answer in a pane: it is seen.
pub(crate) fn give_way() {
    let main = dom::document().ok().and_then(|page| page.query_selector("main[data-tall]").ok()?);
    if let (Some(main), Ok(button)) = (main, dom::by_id("tall")) {
        set(&main, &button, false);
    }
}

fn set(main: &Element, button: &HtmlElement, is_tall: bool) {
    let _ = main.toggle_attribute_with_force("data-tall", is_tall);
    let _ = button.set_attribute("aria-pressed", if is_tall { "true" } else { "false" });
    // The table draws what is seen.
    if let (Ok(window), Ok(event)) = (dom::window(), Event::new("resize")) {
        let _ = window.dispatch_event(&event);
    }
}
