//! The Checkout section: patron, then item after item, or a payment; the patron stays until cleared or changed.

use super::{codes::on_code, scans::Scans, sitting::SittingLists};
use crate::{
    dom::{self, elements},
    i18n::{text, text_with},
    later::later,
    locale,
    popup::{
        Desk, Tone,
        known::{patron::PatronPanel, suggest::Suggestions},
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
use web_sys::{HtmlElement, HtmlInputElement};

elements! {
    pub(crate) struct Checkout(
        desk: Rc<Desk>, scans: Rc<Scans>, panel: Rc<PatronPanel>, sitting_lists: Rc<SittingLists>,
        suggestions: Rc<Suggestions>,
    ) {
        patron: HtmlInputElement = "checkout-patron",
        item: HtmlInputElement = "checkout-item",
        amount: HtmlInputElement = "checkout-amount",
        payment: HtmlElement = "checkout-payment",
        open_payment: HtmlElement = "checkout-pay-open",
    }
}

impl Checkout {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        // Before the field's own keys: in an open list, Enter chooses.
        let this = self.clone();
        self.suggestions.bind(move || this.patron_entered());
        let this = self.clone();
        on_code(&self.desk, &self.patron, move || this.patron_entered());
        let this = self.clone();
        on_code(&self.desk, &self.item, move || this.record());
        dom::on_submit("checkout-form", self, |this| this.record())?;
        let this = self.clone();
        on_enter(&self.amount, move || this.pay());
        dom::on_click("checkout-pay", self, Self::pay)?;
        dom::bind(&self.open_payment, "click", self, |this| {
            this.show_payment(this.payment.hidden());
            let _ = if this.payment.hidden() { &this.item } else { &this.amount }.focus();
        });
        dom::bind(&self.patron, "input", self, |this| this.patron_changed());
        // The next patron's card replaces the last one's.
        dom::bind(&self.patron, "focus", self, |this| this.patron.select());
        dom::on_click("checkout-clear-patron", self, |this| this.clear_patron())
    }

    /// Opens the row for a payment, over the list, or closes it. An amount that was left there is nobody else's.
    fn show_payment(&self, shown: bool) {
        self.amount.set_value("");
        self.payment.set_hidden(!shown);
        let _ = self.open_payment.set_attribute("aria-expanded", if shown { "true" } else { "false" });
    }

    fn patron_changed(&self) {
        self.show_payment(false);
        self.scans.begin_visit();
        self.panel.changed();
        self.sitting_lists.show();
    }

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
        self.show_payment(false);
        self.scans.begin_visit();
        let _ = self.item.focus();
        self.panel.show_in_form(cardnumber);
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
                self.scans.scan(entered);
            }
        }
    }

    /// Reads who pays what in the tick of Enter: the next patron may be there a moment later, and a second Enter pays nothing.
    fn pay(self: &Rc<Self>) {
        let (patron, typed) = (self.patron.value(), self.amount.value());
        self.amount.set_value("");
        spawn_local(pay(self.clone(), patron, typed));
    }

    fn pay_typed(self: &Rc<Self>, patron: &str, typed: String) {
        let say = |text: &str| self.desk.message.answer(Tone::Bad, text);
        match scan::payment(patron, &typed) {
            Entered::Missing(Field::Patron) => {
                say(&text("amountPatronMissing"));
                self.amount.set_value(&typed);
                let _ = self.patron.focus();
            }
            Entered::Missing(_) => {
                say(&text("amountMissing"));
                let _ = self.amount.focus();
            }
            Entered::Refused(_, TypedError::Amount(error)) => {
                say(&text_with("attentionAmount", &[&wording::amount_error(error)]));
                self.amount.set_value(&typed);
                let _ = self.amount.focus();
                self.amount.select();
            }
            Entered::Unusual(action, amount) => spawn_local(self.clone().pay_if_meant(typed, action, amount)),
            entered => self.take_payment(entered),
        }
    }

    fn take_payment(&self, entered: Entered) {
        self.scans.scan(entered);
        if !self.payment.hidden() {
            self.show_payment(false);
            let _ = self.item.focus();
        }
    }

    /// A barcode that came into the field of the amount must not become money.
    async fn pay_if_meant(self: Rc<Self>, typed: String, action: Action, amount: Amount) {
        let amount = locale::amount(amount);
        let (title, yes) = (text_with("amountUnusualTitle", &[&amount]), text_with("amountUnusualYes", &[&amount]));
        let body = text("amountUnusualText");
        let question = Question { title: &title, text: &body, yes: &yes, ..Question::default() };
        if question::ask(question).await == Ok(Reply::Yes) {
            self.take_payment(Entered::Scan(action));
        } else if !self.payment.hidden() {
            self.amount.set_value(&typed);
            let _ = self.amount.focus();
            self.amount.select();
        }
    }

    fn clear_patron(&self) {
        self.patron.set_value("");
        self.patron_changed();
        self.desk.message.show(Tone::Good, &text("patronCleared"));
        let _ = self.patron.focus();
    }
}

later! {
    /// Amounts are typed by hand, and seldom: what asks about them need not be there at first.
    async fn pay(checkout: Rc<Checkout>, patron: String, typed: String) {
        checkout.pay_typed(&patron, typed);
    }
}
