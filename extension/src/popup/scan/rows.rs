//! The rows of this visit and of this cart by keyboard. A list is one stop of Tab, however long it is: the arrow keys go from row to
//! row, from the field above it too, and Delete takes back.

use crate::{dom, popup::Desk};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Element, Event, HtmlElement, HtmlInputElement, KeyboardEvent, MutationObserver, MutationObserverInit};

/// What takes a row back.
const TAKES_BACK: &str = ".take-back:not([hidden]), .why:not([hidden]) [data-answer=take-back]";

struct Rows {
    desk: Rc<Desk>,
    list: Element,
    field: HtmlInputElement,
}

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    for (list, field) in [("patron-items-list", "checkout-item"), ("checkin-items-list", "checkin-item")] {
        let rows = Rc::new(Rows { desk: desk.clone(), list: dom::by_id(list)?, field: dom::by_id(field)? });
        dom::bind_event(&rows.list, "keydown", &rows, |rows, event: KeyboardEvent| {
            if is_plain(&event) && rows.pressed(&event) {
                event.prevent_default();
                // Escape in the form is the next patron.
                event.stop_propagation();
            }
        });
        dom::bind_event(&rows.field, "keydown", &rows, |rows, event: KeyboardEvent| {
            if is_plain(&event) && event.key() == "ArrowDown" && rows.go_to(rows.list.first_element_child()) {
                event.prevent_default();
            }
        });
        dom::bind_event(&rows.list, "focusin", &rows, |rows, event: Event| {
            if let Some(row) = rows.row_of(&event) {
                rows.stop_at(&row);
            }
        });
        rows.follow()?;
    }
    Ok(())
}

fn is_plain(event: &KeyboardEvent) -> bool {
    !(event.ctrl_key() || event.alt_key() || event.meta_key() || event.shift_key() || event.is_composing())
}

impl Rows {
    /// There is one stop in the list, whatever comes into it and goes.
    fn follow(self: &Rc<Self>) -> Result<(), JsValue> {
        let this = self.clone();
        let changed = Closure::<dyn Fn()>::new(move || {
            let stop = this.list.query_selector("li[tabindex='0']").ok().flatten();
            if let Some(first) = this.list.first_element_child().filter(|_| stop.is_none()) {
                this.stop_at(&first);
            }
        });
        let observer = MutationObserver::new(changed.as_ref().unchecked_ref())?;
        changed.forget();
        let children = MutationObserverInit::new();
        children.set_child_list(true);
        observer.observe_with_options(&self.list, &children)
    }

    /// Tab comes to this row, and to no other.
    fn stop_at(&self, row: &Element) {
        if let Some(before) = self.list.query_selector("li[tabindex='0']").ok().flatten() {
            let _ = before.set_attribute("tabindex", "-1");
        }
        let _ = row.set_attribute("tabindex", "0");
    }

    fn row_of(&self, event: &Event) -> Option<Element> {
        let row = dom::target_in(event, "li")?;
        self.list.contains(Some(&row)).then_some(row)
    }

    fn go_to(&self, row: Option<Element>) -> bool {
        let Some(row) = row else { return false };
        self.stop_at(&row);
        row.unchecked_into::<HtmlElement>().focus().is_ok()
    }

    /// A key in the list. Returns whether it was one of its own.
    fn pressed(&self, event: &KeyboardEvent) -> bool {
        let Some(row) = self.row_of(event) else { return false };
        match event.key().as_str() {
            "ArrowDown" => {
                self.go_to(row.next_element_sibling());
                true
            }
            // Above the first is the field.
            "ArrowUp" => self.go_to(row.previous_element_sibling()) || self.field.focus().is_ok(),
            "Home" => self.go_to(self.list.first_element_child()),
            "End" => self.go_to(self.list.last_element_child()),
            "Escape" => self.desk.focus.to_scan_field().is_some(),
            "Delete" => {
                // Held down it is pressed once.
                if let (false, Ok(Some(button))) = (event.repeat(), row.query_selector(TAKES_BACK)) {
                    button.unchecked_into::<HtmlElement>().click();
                }
                true
            }
            _ => false,
        }
    }
}
