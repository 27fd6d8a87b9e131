//! Scans that could not be recorded: shown with their values until somebody deals with them.

use super::{Problem, Unrecorded};
use crate::{dom, i18n::text, popup::Desk};
use koct_core::desk::scan::{Typed, TypedError};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::JsValue;
use web_sys::{Event, HtmlElement, HtmlInputElement};

/// The list of them.
pub(crate) struct Attention {
    list: HtmlElement,
    /// The row of the last card that was taken for the next patron's: there is one such row at most.
    next_patron: RefCell<Option<HtmlElement>>,
}

impl Attention {
    /// # Errors
    /// When the page has no list for them.
    pub(crate) fn new() -> Result<Self, JsValue> {
        Ok(Self { list: dom::by_id("attention")?, next_patron: RefCell::default() })
    }

    /// Adds a scan that was not recorded.
    pub(crate) fn add(&self, desk: &Rc<Desk>, unrecorded: &Unrecorded) {
        // The page is checked at start; without the template the message line still tells.
        let Ok(row) = dom::from_template("attention-template") else { return };
        dom::set_field(&row, "scan", &unrecorded.describe());
        dom::set_field(&row, "reason", &unrecorded.reason());
        dom::set_field(&row, "retry", &unrecorded.retry_label());
        dom::set_field(&row, "dismiss", &text("attentionDismiss"));
        if unrecorded.is_a_question() {
            let _ = row.set_attribute("data-question", "");
        }
        if matches!(unrecorded, Unrecorded::Scan(_, Problem::NextPatron(_)))
            && let Some(before) = self.next_patron.replace(Some(row.clone()))
        {
            before.remove();
        }
        for name in ["retry", "dismiss"] {
            let Some(button) = dom::field(&row, name) else { continue };
            let (desk, row, unrecorded) = (desk.clone(), row.clone(), unrecorded.clone());
            dom::on::<Event>(&button, "click", move |_| {
                row.remove();
                desk.attention.hide_if_empty();
                desk.focus.back();
                if name == "retry" {
                    retry(&desk, &unrecorded);
                }
            });
        }
        let _ = self.list.append_with_node_1(&row);
        self.list.set_hidden(false);
    }

    /// The last card that was taken for the next patron's was taken back.
    pub(crate) fn remove_card(&self) {
        if let Some(row) = self.next_patron.take() {
            row.remove();
            self.hide_if_empty();
        }
    }

    fn hide_if_empty(&self) {
        self.list.set_hidden(self.list.child_element_count() == 0);
    }
}

fn retry(desk: &Rc<Desk>, unrecorded: &Unrecorded) {
    match unrecorded.clone() {
        Unrecorded::Typed(typed, error) => put_back(desk, &typed, &error),
        Unrecorded::Scan(scan, Problem::Odd(_)) => desk.scan_as_meant(scan),
        Unrecorded::Scan(scan, Problem::NextPatron(switch)) => desk.was_item(switch, scan),
        Unrecorded::Scan(scan, Problem::Store(_) | Problem::Clock) => desk.scan_again(scan),
    }
}

/// Puts the values back into their fields, to be corrected.
fn put_back(desk: &Desk, typed: &Typed, error: &TypedError) {
    let put = |id: &str, value: &str, focus: bool| {
        let Ok(input) = dom::by_id::<HtmlInputElement>(id) else { return };
        input.set_value(value);
        if focus {
            let _ = input.focus();
            input.select();
        }
    };
    let patron_is_wrong = matches!(error, TypedError::Cardnumber(_));
    let (patron, id, value) = match typed {
        Typed::Checkin { item } => return put("checkin-item", item, true),
        Typed::Checkout { patron, item } => (patron, "checkout-item", item),
        Typed::Payment { patron, amount } => (patron, "checkout-amount", amount),
    };
    desk.begin_visit();
    put("checkout-patron", patron, patron_is_wrong);
    put(id, value, !patron_is_wrong);
}
