//! What a person answers where something was recorded that asks for an answer: to lend it all the same, or to take it back.

use super::{open::OpenScans, sitting::SittingLists};
use crate::{
    clock,
    dom::{self, elements},
    i18n::{text, text_with},
    later::later,
    popup::{
        Desk, Tone,
        known::{labels::Labels, warnings::Warnings},
        window::press::Presses,
    },
    wording,
};
use koct_core::{
    Action, Entry, TransactionId,
    directory::labels::Label,
    log::{seen_warnings::SeenWarnings, sitting::is_checkout_of},
};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlInputElement, MouseEvent};

elements! {
    pub(crate) struct Answers(
        desk: Rc<Desk>, labels: Rc<Labels>, warnings: Rc<Warnings>, lists: Rc<SittingLists>, open: Rc<OpenScans>,
    ) {
        checkouts: Element = "patron-items-list",
        checkins: Element = "checkin-items-list",
        card: HtmlInputElement = "checkout-patron",
        ;
        presses: Presses,
    }
}

/// The transaction and the answer whose button was clicked.
fn answer(event: &Event) -> Option<(TransactionId, String)> {
    let button = dom::target_in(event, "[data-answer]")?;
    let id = button.closest("[data-seq]").ok()??.get_attribute("data-seq")?.parse().ok()?;
    Some((TransactionId(id), button.get_attribute("data-answer")?))
}

later! {
    async fn lend(answers: Rc<Answers>, id: TransactionId, seen: SeenWarnings) {
        answers.lend(id, seen).await;
    }

    async fn take_back(answers: Rc<Answers>, shown: Entry) {
        answers.take_back(shown).await;
    }

    /// Says by title and name what was recorded, once they are looked up.
    pub(crate) async fn name_recorded(answers: Rc<Answers>, entry: Entry, said: String) {
        answers.name(&entry, &said, wording::recorded).await;
    }
}

impl Answers {
    pub(crate) fn bind(self: &Rc<Self>) {
        self.lists.bind();
        for list in [&self.checkouts, &self.checkins] {
            dom::bind_event(list, "click", self, |this, event: MouseEvent| {
                let Some((id, answer)) = answer(&event) else { return };
                if this.presses.is_second_click(&event) {
                    return;
                }
                // As it is shown when it is clicked.
                let (seen, shown) = {
                    let sitting = this.desk.sitting.borrow();
                    ((answer == "lend").then(|| sitting.answer_to(id)), sitting.entry(id).cloned())
                };
                let this = this.clone();
                spawn_local(async move {
                    match (seen, shown) {
                        (Some(seen), _) => lend(this.clone(), id, seen).await,
                        (None, Some(shown)) => take_back(this.clone(), shown).await,
                        (None, None) => {}
                    }
                    this.desk.focus.back();
                });
            });
        }
    }

    /// The newest that asks is meant as its keys are, or lent all the same.
    pub(crate) fn answer_newest(self: &Rc<Self>) {
        if self.open.answer_newest_of_keyboard() {
            return;
        }
        // Nobody answers what they do not see.
        let card = self.card.value();
        let sitting = self.desk.sitting.borrow();
        match sitting.stopped().find(|entry| is_checkout_of(entry, &card)) {
            Some(entry) => spawn_local(lend(self.clone(), entry.id, sitting.answer_to(entry.id))),
            None => self.desk.message.show(Tone::Good, &text("answerNothing")),
        }
    }

    /// This one is lent all the same, and what is answered with it: kept in the log, as it was seen.
    async fn lend(&self, id: TransactionId, seen: SeenWarnings) {
        let Some(now) = clock::now() else { return };
        // Where nothing was seen it asks no more, and is not drawn so yet.
        if !seen.is_empty() && !self.warnings.clone().keep_confirmed(seen.clone(), now).await {
            return;
        }
        let Some(entry) = self.desk.sitting.borrow().entry(id).cloned() else { return };
        if seen.is_answered(&entry) {
            self.desk.message.show(Tone::Good, &text("answered"));
        } else {
            self.desk.message.answer(Tone::Doubt, &wording::changed(&entry));
        }
    }

    /// It is taken back, and the message says what that was by its names.
    pub(crate) async fn take_back(&self, shown: Entry) {
        if let Some(entry) = self.desk.clone().take_back(shown).await {
            let said = text_with("undone", &[&wording::entry(&entry)]);
            self.name(&entry, &said, |action, label| text_with("undone", &[&wording::names(action, label)])).await;
        }
    }

    /// Says by title and name what was said by numbers, once they are looked up.
    async fn name(&self, entry: &Entry, said: &str, words: impl Fn(&Action, &Label) -> String) {
        self.labels.look_up(entry).await;
        let label = self.labels.of(entry).unwrap_or_default();
        self.desk.message.refine(said, &words(&entry.transaction.action, &label));
    }

    /// The person goes on: what was shown is seen.
    pub(crate) fn go_on(&self) {
        self.warnings.go_on();
    }
}
