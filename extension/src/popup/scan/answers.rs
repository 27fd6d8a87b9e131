//! What a person answers where something was recorded that asks for an answer: to lend it all the same, or to take it back.

use super::{open::OpenScans, sitting::SittingLists};
use crate::{
    clock,
    dom::{self, elements},
    i18n::{text, text_with},
    later::later,
    popup::{
        Desk, Tone,
        known::{labels::Labels, patron::PatronPanel, warnings::Warnings},
        window::press::Presses,
    },
    wording,
};
use koct_core::{
    Action, Entry, TransactionId,
    directory::labels::Label,
    log::{seen_warnings::SeenWarnings, sitting::is_checkout_of, warned::Warning},
};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlInputElement, MouseEvent};

elements! {
    pub(crate) struct Answers(
        desk: Rc<Desk>, labels: Rc<Labels>, warnings: Rc<Warnings>, patron: Rc<PatronPanel>, lists: Rc<SittingLists>,
        open: Rc<OpenScans>,
    ) {
        checkouts: Element = "patron-items-list",
        checkins: Element = "checkin-items-list",
        card: HtmlInputElement = "checkout-patron",
        ;
        presses: Presses,
    }
}

/// That something is lent all the same.
struct Answer {
    /// What it is said to.
    seen: SeenWarnings,
    /// Whether it is said about the patron who is shown.
    is_about_shown: bool,
}

/// The transaction and the answer whose button was clicked.
fn answer(event: &Event) -> Option<(TransactionId, String)> {
    let button = dom::target_in(event, "[data-answer]")?;
    let id = button.closest("[data-seq]").ok()??.get_attribute("data-seq")?.parse().ok()?;
    Some((TransactionId(id), button.get_attribute("data-answer")?))
}

later! {
    async fn lend(answers: Rc<Answers>, answer: Answer) {
        answers.lend(answer).await;
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
                let lent = (answer == "lend").then(|| this.answer_to(id));
                // As it is shown when it is clicked.
                let shown = this.desk.sitting.borrow().entry(id).cloned();
                let this = this.clone();
                spawn_local(async move {
                    match (lent, shown) {
                        (Some(answer), _) => lend(this.clone(), answer).await,
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
        let newest =
            self.desk.sitting.borrow().stopped().find(|entry| is_checkout_of(entry, &card)).map(|entry| entry.id);
        match newest {
            Some(id) => spawn_local(lend(self.clone(), self.answer_to(id))),
            None => self.desk.message.show(Tone::Good, &text("answerNothing")),
        }
    }

    /// What is answered with the answer to this one, as it is before the person's eyes now.
    fn answer_to(&self, id: TransactionId) -> Answer {
        let sitting = self.desk.sitting.borrow();
        let entry = sitting.entry(id);
        let card = entry.filter(|entry| entry.open_stops().any(Warning::is_of_patron));
        let card = card.and_then(|entry| entry.transaction.action.cardnumber());
        let is_about_shown = card.is_some_and(|card| self.patron.shows(card.as_str()));
        Answer { seen: sitting.answer_to(id), is_about_shown }
    }

    /// It is lent all the same: kept in the log. What is about the patron is answered for all that they take.
    async fn lend(&self, Answer { seen, is_about_shown }: Answer) {
        let Some(now) = clock::now() else { return };
        let asked = seen.ids().first().copied();
        match self.warnings.clone().keep_confirmed(seen, now).await {
            Some(true) => {
                if is_about_shown {
                    self.patron.answer(now);
                }
                self.desk.message.show(Tone::Good, &text("answered"));
            }
            // Another window has corrected or answered it.
            Some(false) => {
                let now = asked.and_then(|id| self.desk.sitting.borrow().entry(id).cloned());
                if let Some(now) = now {
                    self.desk.message.answer(Tone::Doubt, &wording::changed(&now));
                }
            }
            None => {}
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
