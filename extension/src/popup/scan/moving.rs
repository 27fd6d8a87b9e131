//! Gives what was recorded for a patron to another: the wrong card was scanned for a visit, or an item was taken for a card.

use crate::{
    anew::Anew,
    dom::{self, elements},
    i18n::{plural, text, text_with},
    locale,
    popup::{
        Desk, Panel, Tone, Topic,
        change::NotChanged,
        known::{patron::PatronPanel, queue::LookupQueue, records::RecordsPanel},
        scan::scans::Scans,
        window::press::let_go,
    },
    wording,
};
use koct_core::{
    Cardnumber, Entry, State, TransactionId,
    desk::{barcode::same_code, scan::PatronText},
    log::{correction::Given, event::LogEvent, sitting::AskedVisit},
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlDialogElement, HtmlElement, HtmlInputElement};

elements! {
    pub(crate) struct MoveVisit(
        desk: Rc<Desk>, queue: Rc<LookupQueue>, patron: Rc<PatronPanel>, scans: Rc<Scans>, records: Rc<RecordsPanel>,
    ) {
        button: HtmlElement = "patron-move",
        now: HtmlInputElement = "checkout-patron",
        dialog: HtmlDialogElement = "move-dialog",
        about: Element = "move-about",
        card: HtmlInputElement = "move-cardnumber",
        error: Element = "move-error",
        ;
        /// Whose visit it is for now: another patron may stand in the field by now.
        card_before: RefCell<String>,
        /// What it was said that is moved. Another window may send or correct it meanwhile.
        asked: RefCell<AskedVisit>,
        following: Anew,
    }
}

impl Panel for MoveVisit {
    fn follow(self: Rc<Self>, _event: &LogEvent) {
        if self.dialog.open() && self.following.ask() {
            spawn_local(self.follow_visit());
        }
    }
}

/// What became of what was to be given to another patron.
pub(super) struct Outcome {
    /// How many of them are the other's now.
    pub(super) given: usize,
    /// How many are the patron's before in Koha, or may be.
    pub(super) in_koha: usize,
}

/// Gives to this patron what of these stands as it was shown. `None` where it could not be done, which is said.
pub(super) async fn give(
    desk: &Rc<Desk>,
    queue: &Rc<LookupQueue>,
    shown: &[Entry],
    to: &Cardnumber,
) -> Option<Outcome> {
    let in_koha = Cell::new(0);
    let shown: HashMap<TransactionId, &Entry> = shown.iter().map(|entry| (entry.id, entry)).collect();
    let ids: Vec<TransactionId> = shown.keys().copied().collect();
    // What somebody has corrected, taken back or sent meanwhile stays as it is.
    let rule = |entry: &Entry, now| match entry.given_as_shown(shown.get(&entry.id)?, to, now) {
        Given::Given(given) => Some(*given),
        Given::Stays => None,
        Given::InKoha => {
            in_koha.set(in_koha.get() + 1);
            None
        }
    };
    let given = match desk.change(&TransactionId::in_order(ids), &rule).await {
        Ok(given) => given,
        Err(NotChanged::Gone) => Vec::new(),
        Err(error) => {
            desk.not_changed("editFailed", &error);
            return None;
        }
    };
    let outcome = Outcome { given: given.len(), in_koha: in_koha.get() };
    for entry in given {
        queue.look_up(entry);
    }
    Some(outcome)
}

/// Says what number of transactions is in Koha for the patron before, or may be.
pub(super) fn in_koha(number: usize) -> String {
    text_with("moveInKoha", &[&locale::number(number)])
}

impl MoveVisit {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::bind(&self.button, "click", self, |this| this.open());
        dom::on_click("move-cancel", self, |this| this.dialog.close())?;
        dom::on_submit("move-form", self, |this| spawn_local(this.clone().move_visit()))
    }

    fn open(&self) {
        self.card_before.replace(self.now.value());
        self.asked.take();
        if !self.tell_about() {
            return self.desk.message.show(Tone::Doubt, &text("moveNothing"));
        }
        self.card.set_value("");
        self.error.set_text_content(None);
        if !self.dialog.open() && self.dialog.show_modal().is_ok() {
            let _ = self.card.focus();
        }
    }

    /// Says what would be moved, as it is now. Returns whether there is any.
    fn tell_about(&self) -> bool {
        let card = self.card_before.borrow();
        let visit = self.desk.sitting.borrow().asked_visit(&card, &self.asked.borrow());
        let has_refused = visit.to_give.iter().any(|entry| entry.status.state() == State::Rejected);
        let about = [
            Some(plural("moveAbout", visit.to_give.len(), &[card.trim()])),
            has_refused.then(|| text("moveRefused")),
            Some(visit.gone_on.len()).filter(|number| *number > 0).map(in_koha),
        ];
        self.about.set_text_content(Some(&about.into_iter().flatten().collect::<Vec<_>>().join(" ")));
        let is_any = !visit.to_give.is_empty();
        self.asked.replace(visit);
        is_any
    }

    /// Whether the patron whose visit it is stands in the field still.
    fn is_at_desk(&self) -> bool {
        same_code(&self.card_before.borrow(), &self.now.value())
    }

    /// The visit has changed while it is asked whose it is.
    async fn follow_visit(self: Rc<Self>) {
        while self.following.goes_on() {
            let_go(&self.dialog).await;
            if !self.dialog.open() {
                continue;
            }
            if !self.is_at_desk() {
                self.dialog.close();
                self.desk.message.show(Tone::Doubt, &text("moveNothing"));
            } else if !self.tell_about() {
                self.dialog.close();
                match self.asked.borrow().gone_on.len() {
                    0 => self.desk.not_changed("editFailed", &NotChanged::Gone),
                    left => self.desk.message.about(Topic::Change).show(Tone::Bad, &in_koha(left)),
                }
            }
        }
    }

    async fn move_visit(self: Rc<Self>) {
        let codes = self.desk.codes();
        let card = match PatronText::Raw(&self.card.value()).card(&*codes).map(|card| card.cardnumber) {
            Ok(card) if same_code(card.as_str(), &self.card_before.borrow()) => {
                return self.error.set_text_content(Some(&text("moveSame")));
            }
            Ok(card) => card,
            Err(error) => {
                let words = text_with("attentionCardnumber", &[&wording::code_error(&error)]);
                return self.error.set_text_content(Some(&words));
            }
        };
        let Some(card) = self.records.card_of(card).await else {
            self.card.select();
            return self.error.set_text_content(Some(&text("moveIsItem")));
        };
        // The next patron may stand there by now.
        if !self.dialog.open() || !self.is_at_desk() {
            return self.dialog.close();
        }
        // What a commit has taken since may be in its hands still: it keeps nobody from moving the others.
        let AskedVisit { to_give, gone_on } = self.asked.take();
        self.dialog.close();
        let Some(outcome) = give(&self.desk, &self.queue, &to_give, &card).await else { return };
        let outcome = Outcome { in_koha: outcome.in_koha + gone_on.len(), ..outcome };
        let (tone, words) = match outcome {
            Outcome { given: 0, in_koha: 0 } => (Tone::Doubt, text("moveNothing")),
            Outcome { given: 0, in_koha: left } => (Tone::Bad, in_koha(left)),
            Outcome { given, in_koha: 0 } => (Tone::Good, plural("moved", given, &[card.as_str()])),
            Outcome { given, in_koha: left } => {
                (Tone::Bad, [plural("moved", given, &[card.as_str()]), in_koha(left)].join(" "))
            }
        };
        self.desk.message.about(Topic::Change).show(tone, &words);
        // What is scanned from now on is theirs.
        self.scans.begin_visit();
        self.patron.show_in_form(card.into());
    }
}
