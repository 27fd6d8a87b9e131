//! The Checkout section: patron, then item after item, or a payment; the patron stays until cleared or changed.

use super::{codes::on_code, scans::Scan};
use crate::{
    dom,
    i18n::{text, text_with},
    locale,
    popup::{
        Desk, Tone,
        known::suggest,
        on_enter, take,
        window::question::{self, Question, Reply},
    },
    wording,
};
use koct_core::{Amount, Barcode, Cardnumber, desk::guard};
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
        self.patron.set_value(cardnumber.as_str());
        self.desk.patron_changed();
        self.desk.show_sitting();
        let _ = self.item.focus();
        self.desk.patron_entered(cardnumber.to_string());
    }

    /// The card that was scanned into the field of the item, if it is one.
    fn card_in_item(&self) -> Option<Cardnumber> {
        let typed = self.item.value();
        let barcode = Barcode::parse(&typed).ok()?;
        let cards = self.desk.preferences.borrow().cards();
        guard::is_card(&barcode, cards.as_ref()).then(|| Cardnumber::parse(&typed).ok())?
    }

    fn record(&self) {
        if let Some(cardnumber) = self.card_in_item() {
            // The next items are the next patron's, and a scanner may be at the first of them already.
            self.item.set_value("");
            self.take_card(&cardnumber);
            self.desk.message.answer(Tone::Doubt, &text_with("patronSwitched", &[cardnumber.as_str()]));
            return;
        }
        if self.patron.value().trim().is_empty() {
            self.desk.message.answer(Tone::Bad, &text("patronMissing"));
            let _ = self.patron.focus();
        } else if self.item.value().trim().is_empty() {
            self.desk.message.answer(Tone::Bad, &text("itemMissing"));
            let _ = self.item.focus();
        } else {
            let scan = Scan::Checkout { patron: self.patron.value(), item: take(&self.item) };
            let _ = self.item.focus();
            self.desk.scan(scan);
        }
    }

    fn pay(&self) {
        let say = |text: &str| self.desk.message.answer(Tone::Bad, text);
        if self.patron.value().trim().is_empty() {
            say(&text("amountPatronMissing"));
            let _ = self.patron.focus();
            return;
        }
        let _ = self.amount.focus();
        if self.amount.value().trim().is_empty() {
            return say(&text("amountMissing"));
        }
        match Amount::typed(&self.amount.value()) {
            Ok(amount) if amount >= Amount::UNUSUAL => {
                spawn_local(self.clone().pay_if_meant(self.patron.value(), take(&self.amount), amount));
            }
            Ok(_) => self.desk.scan(Scan::Payment { patron: self.patron.value(), amount: take(&self.amount) }),
            Err(error) => {
                say(&text_with("attentionAmount", &[&wording::amount_error(error)]));
                self.amount.select();
            }
        }
    }

    /// A barcode that came into the field of the amount must not become money.
    async fn pay_if_meant(self, patron: String, typed: String, amount: Amount) {
        let amount = locale::amount(amount);
        let (title, yes) = (text_with("amountUnusualTitle", &[&amount]), text_with("amountUnusualYes", &[&amount]));
        let body = text("amountUnusualText");
        let question = Question { title: &title, text: &body, yes: &yes, ..Question::default() };
        if question::ask(question).await == Ok(Reply::Yes) {
            self.desk.scan(Scan::Payment { patron, amount: typed });
        } else {
            self.amount.set_value(&typed);
            let _ = self.amount.focus();
            self.amount.select();
        }
    }

    fn clear_patron(&self) {
        self.patron.set_value("");
        self.desk.patron_changed();
        self.desk.show_sitting();
        self.desk.message.show(Tone::Good, &text("patronCleared"));
        let _ = self.patron.focus();
    }
}
