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

/// Gives the log the room, or the panes: what is left to do after a commit is seen, and what asks for an answer in a pane.
pub(crate) fn give_room(to_log: bool) {
    let main = dom::document().ok().and_then(|page| page.query_selector("main").ok()?);
    if let (Some(main), Ok(button)) =
        (main.filter(|main| main.has_attribute("data-tall") != to_log), dom::by_id("tall"))
    {
        set(&main, &button, to_log);
    }
}

fn set(main: &Element, button: &HtmlElement, is_tall: bool) {
    let _ = main.toggle_attribute_with_force("data-tall", is_tall);
    dom::set_flag(button, "aria-pressed", is_tall);
    // The table draws what is seen.
    if let (Ok(window), Ok(event)) = (dom::window(), Event::new("resize")) {
        let _ = window.dispatch_event(&event);
    }
}
