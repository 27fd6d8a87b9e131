//! Scans that could not be recorded: shown with their values until somebody deals with them.

use super::scans::{Scan, retry_label};
use crate::{
    dom,
    i18n::{text, text_with},
    popup::Desk,
    wording,
};
use koct_core::desk::{amount::AmountError, barcode::CodeError, guard::Concern};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use web_sys::{Event, HtmlElement, HtmlInputElement};

/// Why a scan was not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The item's code.
    Barcode(CodeError),
    /// The patron's code.
    Cardnumber(CodeError),
    /// The amount.
    Amount(AmountError),
    /// The log could not be written.
    Store(String),
    /// The computer's clock is out of all bounds.
    Clock,
    /// It is odd: a person must say that it is meant.
    Odd(Concern),
}

impl Problem {
    /// Whether trying again with the same values is useless.
    pub(crate) fn is_about_the_code(&self) -> bool {
        matches!(self, Self::Barcode(_) | Self::Cardnumber(_) | Self::Amount(_))
    }

    /// Whether a person is asked, and nothing is wrong.
    pub(crate) fn is_a_question(&self) -> bool {
        matches!(self, Self::Odd(_))
    }

    fn reason(&self) -> String {
        match self {
            Self::Barcode(error) => text_with("attentionBarcode", &[&wording::code_error(error)]),
            Self::Cardnumber(error) => text_with("attentionCardnumber", &[&wording::code_error(error)]),
            Self::Amount(error) => text_with("attentionAmount", &[&wording::amount_error(*error)]),
            Self::Store(error) => text_with("attentionStore", &[error]),
            Self::Clock => text("attentionClock"),
            Self::Odd(Concern::SameAgain) => text("attentionSameAgain"),
            Self::Odd(Concern::PatronCard) => text("attentionPatronCard"),
        }
    }
}

/// The list of them.
pub(crate) struct Attention(HtmlElement);

impl Attention {
    /// # Errors
    /// When the page has no list for them.
    pub(crate) fn new() -> Result<Self, JsValue> {
        dom::by_id("attention").map(Self)
    }

    /// Adds a scan that was not recorded.
    pub(crate) fn add(&self, desk: &Rc<Desk>, scan: Scan, problem: Problem) {
        // The page is checked at start; without the template the message line still tells.
        let Ok(row) = dom::from_template("attention-template") else { return };
        dom::set_field(&row, "scan", &scan.describe());
        dom::set_field(&row, "reason", &problem.reason());
        dom::set_field(&row, "retry", &retry_label(&problem));
        dom::set_field(&row, "dismiss", &text("attentionDismiss"));
        if problem.is_a_question() {
            let _ = row.set_attribute("data-question", "");
        }
        if let Some(button) = dom::field(&row, "retry") {
            let (desk, row) = (desk.clone(), row.clone());
            dom::on::<Event>(&button, "click", move |_| {
                row.remove();
                desk.attention.hide_if_empty();
                if problem.is_about_the_code() {
                    put_back(&scan, &problem);
                } else if problem.is_a_question() {
                    desk.scan_as_meant(scan.clone());
                } else {
                    desk.scan(scan.clone());
                    desk.focus.back();
                }
            });
        }
        if let Some(button) = dom::field(&row, "dismiss") {
            let (desk, row) = (desk.clone(), row.clone());
            dom::on::<Event>(&button, "click", move |_| {
                row.remove();
                desk.attention.hide_if_empty();
                desk.focus.back();
            });
        }
        let _ = self.0.append_with_node_1(&row);
        self.0.set_hidden(false);
    }

    fn hide_if_empty(&self) {
        self.0.set_hidden(self.0.child_element_count() == 0);
    }
}

/// Puts the values back into their fields, to be corrected.
fn put_back(scan: &Scan, problem: &Problem) {
    let put = |id: &str, value: &str, focus: bool| {
        let Ok(input) = dom::by_id::<HtmlInputElement>(id) else { return };
        input.set_value(value);
        if focus {
            let _ = input.focus();
            input.select();
        }
    };
    match scan {
        Scan::Checkout { patron, item } => {
            let patron_is_wrong = matches!(problem, Problem::Cardnumber(_));
            put("checkout-patron", patron, patron_is_wrong);
            put("checkout-item", item, !patron_is_wrong);
        }
        Scan::Checkin { item } => put("checkin-item", item, true),
        Scan::Payment { patron, amount } => {
            let patron_is_wrong = matches!(problem, Problem::Cardnumber(_));
            put("checkout-patron", patron, patron_is_wrong);
            put("checkout-amount", amount, !patron_is_wrong);
        }
    }
}
