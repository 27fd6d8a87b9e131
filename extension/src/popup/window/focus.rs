//! Where the scanner types: the field that had the focus last gets it back when a dialog or an error is closed. What is
//! scanned next must not go to a button, where Enter presses it.

use crate::dom;
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, FocusEvent, HtmlElement};

/// The fields that are typed into all day.
const FIELDS: &str = ".desk-forms input, #find-text";

#[derive(Default)]
pub(crate) struct Focus(RefCell<Option<HtmlElement>>);

impl Focus {
    /// Follows the focus from now on.
    ///
    /// # Errors
    /// Outside a page.
    pub(crate) fn new() -> Result<Rc<Self>, JsValue> {
        let focus = Rc::new(Self::default());
        let this = focus.clone();
        dom::on::<FocusEvent>(dom::document()?.as_ref(), "focusin", move |event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            if let Some(field) = target.filter(|target| target.matches(FIELDS).unwrap_or(false)) {
                *this.0.borrow_mut() = field.dyn_into().ok();
            }
        });
        Ok(focus)
    }

    /// Gives the focus back.
    pub(crate) fn back(&self) {
        let last = self.0.borrow().clone();
        let field = last.filter(|field| field.is_connected()).or_else(|| dom::by_id("checkout-patron").ok());
        if let Some(field) = field {
            let _ = field.focus();
        }
    }
}
