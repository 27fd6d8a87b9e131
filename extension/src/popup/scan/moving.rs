//! Gives all that was checked out in this visit to another patron: the wrong card was scanned.

use crate::{
    clock,
    dom::{self, elements},
    i18n::{plural, text, text_with},
    popup::{
        Desk, Tone, Topic,
        known::{patron::PatronPanel, queue::LookupQueue, records::Records},
        scan::scans::Scans,
    },
    store::StoreError,
    wording,
};
use koct_core::{
    Entry, State, TransactionId,
    desk::{barcode::same_code, scan::PatronText},
};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlDialogElement, HtmlElement, HtmlInputElement};

elements! {
    pub(crate) struct MoveVisit(
        desk: Rc<Desk>, queue: Rc<LookupQueue>, patron: Rc<PatronPanel>, scans: Rc<Scans>, records: Rc<Records>,
    ) {
        button: HtmlElement = "patron-move",
        now: HtmlInputElement = "checkout-patron",
        dialog: HtmlDialogElement = "move-dialog",
        about: Element = "move-about",
        card: HtmlInputElement = "move-cardnumber",
        error: Element = "move-error",
    }
}

impl MoveVisit {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::bind(&self.button, "click", self, |this| this.open());
        dom::on_click("move-cancel", self, |this| this.dialog.close())?;
        dom::on_submit("move-form", self, |this| spawn_local(this.clone().move_visit()))
    }

    /// What of this visit can still be moved.
    fn visit(&self) -> Vec<TransactionId> {
        let sitting = self.desk.sitting.borrow();
        let of_patron = sitting.checkouts_of(&self.now.value());
        of_patron.iter().filter(|entry| entry.status.state() == State::Local).map(|entry| entry.id).collect()
    }

    fn open(&self) {
        let visit = self.visit();
        if visit.is_empty() {
            return self.desk.message.show(Tone::Doubt, &text("moveNothing"));
        }
        self.about.set_text_content(Some(&plural("moveAbout", visit.len(), &[self.now.value().trim()])));
        self.card.set_value("");
        self.error.set_text_content(None);
        if !self.dialog.open() && self.dialog.show_modal().is_ok() {
            let _ = self.card.focus();
        }
    }

    async fn move_visit(self: Rc<Self>) {
        let codes = self.desk.codes();
        let card = match PatronText::Raw(&self.card.value()).card(&*codes).map(|card| card.cardnumber) {
            Ok(card) if same_code(card.as_str(), &self.now.value()) => {
                return self.error.set_text_content(Some(&text("moveSame")));
            }
            Ok(card) => card,
            Err(error) => {
                let words = text_with("attentionCardnumber", &[&wording::code_error(&error)]);
                return self.error.set_text_content(Some(&words));
            }
        };
        let before = self.now.value();
        let Some(card) = self.records.card_of(card).await else {
            self.card.select();
            return self.error.set_text_content(Some(&text("moveIsItem")));
        };
        // The next patron may stand there by now.
        if !self.dialog.open() || self.now.value() != before {
            return self.dialog.close();
        }
        let visit = self.visit();
        self.dialog.close();
        let Some(first) = visit.first() else { return };
        let Some(_permit) = self.desk.may_change(*first).await else { return };
        let Some(now) = clock::now() else {
            return self.desk.message.about(Topic::Change).show(Tone::Bad, &text("attentionClock"));
        };
        // What somebody has corrected, taken back or sent meanwhile stays as it is.
        let rule = |entry: &Entry| {
            let action = &entry.transaction.action;
            let is_theirs = action.cardnumber().is_some_and(|theirs| same_code(theirs.as_str(), &before));
            let moved = || entry.edited(action.clone().by(card.clone()), now);
            if is_theirs && entry.status.state() == State::Local { moved() } else { Some(entry.clone()) }
        };
        match self.desk.store.change(&visit, rule).await {
            Ok(changes) => {
                let moved: Vec<Entry> = changes.iter().map(|change| change.entry.clone()).collect();
                self.desk.apply(changes);
                self.desk.draw_now();
                let words = plural("moved", moved.len(), &[card.as_str()]);
                self.desk.message.about(Topic::Change).show(Tone::Good, &words);
                for entry in moved {
                    self.queue.look_up(entry);
                }
                // What is scanned from now on is theirs.
                self.scans.begin_visit();
                self.patron.show_in_form(&card, None);
            }
            Err(StoreError::NotOpen(_)) => self.desk.failed(Topic::Change, "editFailed", &text("editGone")),
            Err(error) => self.desk.failed(Topic::Change, "editFailed", &error),
        }
    }
}
