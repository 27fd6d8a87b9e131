//! Where the scanner types: the field that had the focus last gets it back after every click elsewhere, and when a dialog or
//! an error is closed. What is scanned next must not go to a button, where Enter presses it.

use crate::dom::{self, active, target, target_in};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, FocusEvent, FocusOptions, HtmlElement, HtmlInputElement, MouseEvent};

/// The fields that are scanned into.
pub(crate) const SCANNED_INTO: &str = "#checkout-form input, #checkin-form input";
/// What is typed into.
pub(crate) const TYPED_INTO: &str = "input:not([type=checkbox], [type=radio], [type=file], [type=button], [type=submit]):read-write, textarea:read-write";
/// What a click is meant for, whatever is marked elsewhere.
const CLICKED: &str = "button, a, label, input, select, summary, [role=option]";

#[derive(Default)]
pub(crate) struct Focus {
    last: RefCell<Option<HtmlElement>>,
    /// Whether a person went from there to the search.
    was_search: Cell<bool>,
    is_returning: Cell<bool>,
    /// Whether the last that was used is the mouse.
    is_by_mouse: Cell<bool>,
}

impl Focus {
    /// Follows the focus from now on.
    ///
    /// # Errors
    /// Outside a page.
    pub(crate) fn new() -> Result<Rc<Self>, JsValue> {
        let focus = Rc::new(Self::default());
        let page = dom::document()?;
        let this = focus.clone();
        dom::on::<FocusEvent>(&page, "focusin", move |event| {
            // Nor is it a person who goes there when Firefox gives the focus back from a dialog.
            let from = event.related_target().and_then(|from| from.dyn_into::<Element>().ok());
            let is_returned = from.is_some_and(|from| from.closest("dialog").ok().flatten().is_some());
            let Some(field) = target(&event).filter(|_| !is_returned && !this.is_returning.get()) else { return };
            if field.matches(SCANNED_INTO).unwrap_or(false) {
                this.was_search.set(false);
                *this.last.borrow_mut() = field.dyn_into().ok();
            } else if field.id() == "find-text" {
                this.was_search.set(true);
            }
        });
        for (name, is_by_mouse) in [("mousedown", true), ("keydown", false)] {
            let this = focus.clone();
            dom::on_first::<Event>(&page, name, move |_| this.is_by_mouse.set(is_by_mouse));
        }
        // Before the click, so that a dialog that it opens gives the focus back to the field; and after it, since a label
        // gives it to its box.
        for name in ["mouseup", "click"] {
            let this = focus.clone();
            dom::on::<MouseEvent>(&page, name, move |event| this.clicked(&event));
        }
        let this = focus.clone();
        dom::on::<Event>(&page, "change", move |event| {
            // Something was chosen. A field that is typed into says so while the focus is on its way elsewhere.
            if target(&event).is_some_and(|target| !target.matches(TYPED_INTO).unwrap_or(false)) {
                this.after_mouse();
            }
        });
        let this = focus.clone();
        dom::on_first::<Event>(&page, "close", move |_| {
            // Firefox gives the focus back to what had it before, if that is there still.
            if this.is_by_mouse.get() || active().is_none_or(|active| active.tag_name() == "BODY") {
                this.back();
            }
        });
        Ok(focus)
    }

    /// Gives the focus back: to the search, while something is searched there, or to the scan field.
    pub(crate) fn back(&self) {
        if is_dialog_open() {
            return;
        }
        let search = dom::by_id::<HtmlInputElement>("find-text").ok();
        match search.filter(|search| self.was_search.get() && !search.value().is_empty()) {
            Some(search) => drop(search.focus()),
            None => drop(self.to_scan_field()),
        }
    }

    /// Gives the focus to the field that was scanned into last, and nothing is scrolled. Returns the field.
    pub(crate) fn to_scan_field(&self) -> Option<HtmlInputElement> {
        let last = self.last.borrow().clone().filter(|field| field.is_connected());
        let field = last.or_else(|| dom::by_id("checkout-patron").ok())?;
        self.is_returning.set(true);
        let options = FocusOptions::new();
        options.set_prevent_scroll(true);
        let _ = field.focus_with_options(&options);
        self.is_returning.set(false);
        field.dyn_into().ok()
    }

    fn clicked(&self, event: &MouseEvent) {
        let is_on = |selector| target_in(event, selector).is_some();
        // What was marked is to be copied: it stays until something else is clicked, and keys go to the field even so.
        let is_marked = dom::window().ok().and_then(|window| window.get_selection().ok()?);
        let is_marked = is_marked.is_some_and(|marked| !marked.is_collapsed());
        // A list is open until something is chosen.
        if !is_on("select") && (is_on(CLICKED) || !is_marked) {
            self.after_mouse();
        }
    }

    fn after_mouse(&self) {
        let is_typed_into = active().is_some_and(|active| active.matches(TYPED_INTO).unwrap_or(false));
        if self.is_by_mouse.get() && !is_typed_into && !is_dialog_open() {
            self.to_scan_field();
        }
    }
}

/// Whether a dialog is open.
pub(crate) fn is_dialog_open() -> bool {
    dom::document().ok().and_then(|page| page.query_selector("dialog[open]").ok()?).is_some()
}
