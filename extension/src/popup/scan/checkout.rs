//! The Checkout section: patron, then item after item, or a payment; the patron stays until cleared or changed.

use super::codes::on_code;
use crate::{
    dom,
    i18n::{text, text_with},
    locale,
    popup::{
        Desk, Tone,
        known::suggest,
        on_enter,
        window::question::{self, Question, Reply},
    },
    wording,
};
use koct_core::{
    Action, Amount, Cardnumber,
    desk::scan::{self, Entered, Field, TypedError},
};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlInputElement};

#[derive(Clone)]
struct Checkout {
    desk: Rc<Desk>,
    patron: HtmlInputElement,
    item: HtmlInputElement,
    amount: HtmlInputElement,
}

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let checkout = Checkout {
        desk: desk.clone(),
        patron: dom::by_id("checkout-patron")?,
        item: dom::by_id("checkout-item")?,
        amount: dom::by_id("checkout-amount")?,
    };
    // Before the field's own keys: in an open list, Enter chooses.
    let this = checkout.clone();
    suggest::bind(desk, move || this.patron_entered());
    let this = checkout.clone();
    on_code(desk, &checkout.patron, move || this.patron_entered());
    let this = checkout.clone();
    on_code(desk, &checkout.item, move || this.record());
    let this = checkout.clone();
    dom::on::<Event>(dom::by_id::<Element>("checkout-form")?.as_ref(), "submit", move |event| {
        event.prevent_default();
        this.record();
    });
    let this = checkout.clone();
    on_enter(&checkout.amount, move || this.pay());
    let this = checkout.clone();
    dom::on::<Event>(dom::by_id::<Element>("checkout-pay")?.as_ref(), "click", move |_| this.pay());
    let this = desk.clone();
    dom::on::<Event>(checkout.patron.as_ref(), "input", move |_| {
        this.begin_visit();
        this.patron_changed();
        this.show_sitting();
    });
    // The next patron's card replaces the last one's.
    let this = checkout.clone();
    dom::on::<Event>(checkout.patron.as_ref(), "focus", move |_| this.patron.select());
    dom::on::<Event>(dom::by_id::<Element>("checkout-clear-patron")?.as_ref(), "click", move |_| {
        checkout.clear_patron();
    });
    Ok(())
}

impl Checkout {
    fn patron_entered(&self) {
        match Cardnumber::parse(&self.patron.value()) {
            Ok(cardnumber) => {
                self.take_card(&cardnumber);
                self.desk.message.show(Tone::Good, &text_with("patronReady", &[cardnumber.as_str()]));
            }
            Err(error) => {
                self.desk.message.answer(Tone::Bad, &text_with("attentionCardnumber", &[&wording::code_error(&error)]));
                self.patron.select();
            }
        }
    }

    fn take_card(&self, cardnumber: &Cardnumber) {
        self.desk.begin_visit();
        let _ = self.item.focus();
        self.desk.show_in_form(cardnumber);
    }

    fn record(&self) {
        let cards = self.desk.preferences.borrow().cards();
        match scan::checkout(&self.patron.value(), &self.item.value(), cards.as_ref()) {
            Entered::NextPatron(cardnumber) => {
                // The next items are the next patron's, and a scanner may be at the first of them already.
                self.item.set_value("");
                self.take_card(&cardnumber);
                self.desk.message.answer(Tone::Doubt, &text_with("patronSwitched", &[cardnumber.as_str()]));
            }
            Entered::Missing(Field::Patron) => {
                self.desk.message.answer(Tone::Bad, &text("patronMissing"));
                let _ = self.patron.focus();
            }
            Entered::Missing(_) => {
                self.desk.message.answer(Tone::Bad, &text("itemMissing"));
                let _ = self.item.focus();
            }
            entered => {
                self.item.set_value("");
                let _ = self.item.focus();
                self.desk.scan(entered);
            }
        }
    }

    fn pay(&self) {
        let say = |text: &str| self.desk.message.answer(Tone::Bad, text);
        let typed = self.amount.value();
        let entered = scan::payment(&self.patron.value(), &typed);
        if entered == Entered::Missing(Field::Patron) {
            say(&text("amountPatronMissing"));
            let _ = self.patron.focus();
            return;
        }
        let _ = self.amount.focus();
        match entered {
            Entered::Missing(_) => say(&text("amountMissing")),
            Entered::Refused(_, TypedError::Amount(error)) => {
                say(&text_with("attentionAmount", &[&wording::amount_error(error)]));
                self.amount.select();
            }
            Entered::Unusual(action, amount) => {
                self.amount.set_value("");
                spawn_local(self.clone().pay_if_meant(typed, action, amount));
            }
            entered => {
                self.amount.set_value("");
                self.desk.scan(entered);
            }
        }
    }

    /// A barcode that came into the field of the amount must not become money.
    async fn pay_if_meant(self, typed: String, action: Action, amount: Amount) {
        let amount = locale::amount(amount);
        let (title, yes) = (text_with("amountUnusualTitle", &[&amount]), text_with("amountUnusualYes", &[&amount]));
        let body = text("amountUnusualText");
        let question = Question { title: &title, text: &body, yes: &yes, ..Question::default() };
        if question::ask(question).await == Ok(Reply::Yes) {
            self.desk.scan(Entered::Scan(action));
        } else {
            self.amount.set_value(&typed);
            let _ = self.amount.focus();
            self.amount.select();
        }
    }

    fn clear_patron(&self) {
        self.desk.begin_visit();
        self.patron.set_value("");
        self.desk.patron_changed();
        self.desk.show_sitting();
        self.desk.message.show(Tone::Good, &text("patronCleared"));
        let _ = self.patron.focus();
    }
}

impl Desk {
    /// Shows another patron in the form.
    pub(crate) fn show_in_form(self: &Rc<Self>, cardnumber: &Cardnumber) {
        let Ok(field) = dom::by_id::<HtmlInputElement>("checkout-patron") else { return };
        field.set_value(cardnumber.as_str());
        if dom::document().ok().and_then(|page| page.active_element()).is_some_and(|active| active == **field) {
            // The next card replaces this one.
            field.select();
        }
        self.patron_changed();
        self.show_sitting();
        self.patron_entered(cardnumber.to_string());
    }
}
