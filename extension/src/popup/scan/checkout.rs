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
    Amount, Cardnumber,
    desk::{
        barcode::CodeError,
        codes::Reads,
        keyboard::Meaning,
        scan::{self, Card, Entered, Field, Meant, PatronText, Typed, TypedError},
    },
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
        self.suggestions.bind(move |card| this.patron_chosen(card));
        let this = self.clone();
        // What was left of a name is no scan.
        on_code(&self.desk, &self.patron, move |meaning| this.patron_entered(&meaning), |_| {});
        let this = self.clone();
        let (left, patron) = (self.scans.clone(), self.patron.clone());
        let left = move |item| left.left(Typed::Checkout { patron: patron.value(), item });
        on_code(&self.desk, &self.item, move |meaning| this.record(&meaning), left);
        dom::on_submit("checkout-form", self, |this| this.record(&Meaning::AsTyped))?;
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
        dom::set_flag(&self.open_payment, "aria-expanded", shown);
    }

    fn patron_changed(&self) {
        self.panel.forget_read();
        self.show_payment(false);
        self.scans.begin_visit();
        self.panel.changed();
        self.sitting_lists.show();
    }

    /// A patron was chosen of those that are known.
    fn patron_chosen(&self, card: &str) {
        self.patron_read(Cardnumber::scanned(card).map(Card::from));
    }

    fn patron_entered(&self, meaning: &Meaning) {
        let typed = self.patron.value();
        self.patron_read(match meaning {
            Meaning::AsTyped => self.with_patron(|patron, codes| patron.card(codes)),
            Meaning::Keys(keys) | Meaning::Ask(keys) => Card::from_keys(keys, &typed, &*self.desk.codes()),
        });
        if let Meaning::Ask(keys) = meaning {
            // Whoever scans does not wait: what comes next is theirs.
            self.scans.ask_keyboard_of_card(keys.clone(), typed);
        }
    }

    fn patron_read(&self, read: Result<Card, CodeError>) {
        match read {
            Ok(card) => {
                self.take_card(&card);
                self.desk.message.show(Tone::Good, &text_with("patronReady", &[card.cardnumber.as_str()]));
            }
            Err(error) => {
                self.desk.message.answer(Tone::Bad, &text_with("attentionCardnumber", &[&wording::code_error(&error)]));
                self.patron.select();
            }
        }
    }

    fn take_card(&self, card: &Card) {
        self.show_payment(false);
        self.scans.begin_visit();
        let _ = self.item.focus();
        self.panel.show_in_form(card.clone());
    }

    /// Reads the patron's field.
    fn with_patron<T>(&self, read: impl Fn(PatronText<'_>, &dyn Reads) -> T) -> T {
        let codes = self.desk.codes();
        match self.panel.read() {
            Some(card) => read(PatronText::Read(&card), &*codes),
            None => read(PatronText::Raw(&self.patron.value()), &*codes),
        }
    }

    fn record(&self, meaning: &Meaning) {
        let typed = self.item.value();
        let as_typed = || self.with_patron(|patron, codes| scan::checkout(patron, &typed, codes));
        let by_keys =
            |keys: &str| self.with_patron(|patron, codes| scan::checkout(patron, keys, codes)).typed_as(&typed);
        let entered = match meaning {
            Meaning::AsTyped => as_typed(),
            Meaning::Keys(keys) | Meaning::Ask(keys) => by_keys(keys),
        };
        match (meaning, entered) {
            // The next patron's card, and nothing that is missing, is as clear as it can be.
            (Meaning::Ask(keys), by_keys @ (Entered::Scan(_) | Entered::Refused(..))) => {
                self.item.set_value("");
                let _ = self.item.focus();
                self.scans.ask_keyboard(keys.clone(), as_typed(), by_keys);
            }
            (_, entered) => self.take(entered),
        }
    }

    fn take(&self, entered: Entered) {
        match entered {
            Entered::NextPatron(card) => {
                // The next items are the next patron's, and a scanner may be at the first of them already.
                self.item.set_value("");
                self.take_card(&card);
                self.desk.message.answer(Tone::Doubt, &text_with("patronSwitched", &[card.cardnumber.as_str()]));
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
        let typed = self.amount.value();
        let entered = self.with_patron(|patron, codes| scan::payment(patron, &typed, codes));
        self.amount.set_value("");
        spawn_local(pay(self.clone(), entered, typed));
    }

    fn pay_typed(self: &Rc<Self>, entered: Entered, typed: String) {
        let say = |text: &str| self.desk.message.answer(Tone::Bad, text);
        match entered {
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
            Entered::Unusual(meant, amount) => spawn_local(self.clone().pay_if_meant(typed, meant, amount)),
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
    async fn pay_if_meant(self: Rc<Self>, typed: String, meant: Meant, amount: Amount) {
        let amount = locale::amount(amount);
        let (title, yes) = (text_with("amountUnusualTitle", &[&amount]), text_with("amountUnusualYes", &[&amount]));
        let body = text("amountUnusualText");
        let question = Question { title: &title, text: &body, yes: &yes, ..Question::default() };
        if question::ask(question).await == Ok(Reply::Yes) {
            self.take_payment(Entered::Scan(meant));
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
    async fn pay(checkout: Rc<Checkout>, entered: Entered, typed: String) {
        checkout.pay_typed(entered, typed);
    }
}
