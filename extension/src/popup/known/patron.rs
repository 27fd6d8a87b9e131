//! The patron under the fields: who it is, what is to be known, what they have.

use crate::{
    clock::{self, DeskZone},
    dom::{self, elements},
    i18n::{plural, text, text_with},
    locale,
    popup::Desk,
    wording,
};
use koct_core::{
    Amount, Moment, TransactionId,
    desk::barcode::same_code,
    directory::{
        holder::{self, LoanLine},
        patron_now::{PatronFound, WaitingLine},
        record::Patron,
        to_confirm::ShownPatron,
    },
    log::{event::LogEvent, warned::Warning},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement, HtmlInputElement};

elements! {
    pub(crate) struct PatronPanel {
        field: HtmlInputElement = "checkout-patron",
        panel: HtmlElement = "patron-panel",
        name: Element = "patron-name",
        about: Element = "patron-about",
        warnings: HtmlElement = "patron-warnings",
        confirm: HtmlElement = "patron-confirm",
        confirmed: HtmlElement = "patron-confirmed",
        facts: Element = "patron-facts",
        loans_title: HtmlElement = "patron-loans-title",
        loans: HtmlElement = "patron-loans",
        ;
        shown: RefCell<Option<ShownPatron>>,
        refreshing: Cell<bool>,
        /// Counts what may have changed what is shown, to know whether something came while a patron was looked up.
        changes: Cell<u32>,
    }
}

impl PatronPanel {
    /// When a person confirmed the warnings of the patron with this card, if that is the one who is shown.
    pub(crate) fn confirmed_for(&self, card: &str) -> Option<Moment> {
        self.shown.borrow().as_ref().filter(|shown| shown.has_card(card))?.confirmed()
    }

    /// Whether the patron with this card is shown.
    pub(crate) fn shows(&self, card: &str) -> bool {
        self.shown.borrow().as_ref().is_some_and(|shown| shown.has_card(card))
    }

    /// Whether anybody is shown.
    pub(crate) fn is_shown(&self) -> bool {
        self.shown.borrow().is_some()
    }

    /// This was recorded for the patron who is shown, and is to be confirmed with their warnings. Returns when that was done
    /// already.
    pub(crate) fn wait_for(&self, id: TransactionId) -> Option<Moment> {
        self.shown.borrow_mut().as_mut()?.wait_for(id)
    }

    /// What waits to be confirmed with the patron's warnings.
    pub(crate) fn kept(&self) -> Vec<TransactionId> {
        self.shown.borrow().as_ref().map(|shown| shown.open().to_vec()).unwrap_or_default()
    }

    /// Shows what has changed, once in a while: a scanner is faster than anybody reads.
    pub(crate) fn refresh_soon(&self, desk: &Rc<Desk>) {
        self.changes.set(self.changes.get().wrapping_add(1));
        if self.is_shown() && !self.refreshing.replace(true) {
            let desk = desk.clone();
            spawn_local(async move {
                crate::timer::sleep(crate::popup::DRAWING_LAG).await;
                desk.patron.refreshing.set(false);
                desk.refresh_patron().await;
            });
        }
    }

    fn draw(&self) {
        let shown = self.shown.borrow();
        self.panel.set_hidden(shown.is_none());
        let Some(shown) = &*shown else {
            // No name stays in the page.
            for part in [&self.name, &self.about, &self.facts, self.warnings.as_ref(), self.loans.as_ref()] {
                part.set_text_content(None);
            }
            return;
        };
        let (found, confirmed) = (shown.found(), shown.confirmed());
        self.name.set_text_content(Some(&found.name()));
        self.warnings.set_text_content(None);
        for warning in &found.warnings {
            line(&self.warnings, &wording::warning(warning, "", &str::to_owned));
        }
        self.warnings.set_hidden(found.warnings.is_empty());
        self.confirm.set_hidden(found.warnings.is_empty() || confirmed.is_some());
        self.confirmed.set_hidden(confirmed.is_none());
        let when = confirmed.map(|moment| text_with("warningConfirmed", &[&wording::time_of_day(moment)]));
        self.confirmed.set_text_content(when.as_deref());
        let _ = self.panel.set_attribute("data-warned", if found.warnings.is_empty() { "no" } else { "yes" });
    }
}

fn line(list: &Element, words: &str) {
    if let Ok(item) = dom::document().and_then(|page| page.create_element("li")) {
        item.set_text_content(Some(words));
        let _ = list.append_with_node_1(&item);
    }
}

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    dom::on_click("patron-confirm", desk, |desk| {
        desk.confirm_patron();
        desk.focus.back();
    })
}

/// What was confirmed, corrected, taken back or cleared does not wait any more; and the patron may have other things now.
pub(crate) fn follow(desk: &Rc<Desk>, event: &LogEvent) {
    if let Some(shown) = &mut *desk.patron.shown.borrow_mut() {
        shown.follow(event);
    }
    // What was recorded just now is looked up, and then the patron is.
    if !matches!(event, LogEvent::Recorded(_) | LogEvent::Committed) {
        desk.patron.refresh_soon(desk);
    }
}

impl Desk {
    /// A card or user name was entered.
    pub(crate) fn patron_entered(self: &Rc<Self>, typed: String) {
        let desk = self.clone();
        spawn_local(async move {
            let before = desk.patron.changes.get();
            let Some(found) = desk.find_patron(&typed).await else { return };
            // The next patron may stand there already.
            if !same_code(&desk.patron.field.value(), &typed) {
                return;
            }
            if found.patron.is_some() && !same_code(&found.card, &typed) {
                desk.patron.field.set_value(&found.card);
            }
            let heard = !found.warnings.is_empty();
            let warnings: Vec<String> =
                found.warnings.iter().map(|warning| wording::warning(warning, "", &str::to_owned)).collect();
            let name = found.name();
            desk.show_patron(found);
            if desk.patron.changes.get() != before {
                // A scanner was faster than the look-up.
                desk.patron.refresh_soon(&desk);
            }
            if heard {
                let words = text_with("patronWarned", &[&name, &warnings.join(" ")]);
                desk.message.answer(crate::popup::Tone::Doubt, &words);
            }
        });
    }

    fn show_patron(self: &Rc<Self>, found: PatronFound) {
        if !self.patron.shows(&found.card) {
            self.leave_patron();
        }
        let mut shown = self.patron.shown.borrow_mut();
        match &mut *shown {
            Some(shown) => shown.refresh(found),
            None => *shown = Some(ShownPatron::new(found)),
        }
        drop(shown);
        self.draw_patron();
    }

    /// What stands in the patron's field has changed: whoever was shown may be gone.
    pub(crate) fn patron_changed(self: &Rc<Self>) {
        if self.patron.is_shown() && !self.patron.shows(&self.patron.field.value()) {
            self.leave_patron();
            self.draw_patron();
        }
    }

    /// Whoever was shown is not any more. What was not confirmed goes to the list.
    fn leave_patron(self: &Rc<Self>) {
        let Some(shown) = self.patron.shown.take() else { return };
        let name = shown.found().patron.as_ref().map(Patron::name).unwrap_or_default();
        if let Some(open) = shown.leave() {
            self.warnings.add_patron(self, open, &name);
        }
    }

    async fn refresh_patron(self: Rc<Self>) {
        let card = self.patron.shown.borrow().as_ref().map(|shown| shown.found().card.clone());
        let Some(card) = card else { return };
        match self.find_patron(&card).await {
            Some(found) if self.patron.shows(&card) => self.show_patron(found),
            Some(_) => {}
            None => {
                self.leave_patron();
                self.draw_patron();
            }
        }
    }

    /// The records have changed: what is shown of them is looked up anew.
    pub(crate) async fn records_changed(self: &Rc<Self>) {
        self.reload_since().await;
        if self.patron.is_shown() {
            self.clone().refresh_patron().await;
        } else if !self.patron.field.value().trim().is_empty() && self.records.get().is_some() {
            self.patron_entered(self.patron.field.value());
        }
        if self.records.get().is_none() {
            // Nothing of them stays in the page.
            self.returned.hide();
            self.warnings.forget_names();
            self.suggestions.close();
        }
        self.count_aside();
    }

    fn draw_patron(self: &Rc<Self>) {
        let panel = &self.patron;
        panel.draw();
        self.show_sitting();
        let shown = panel.shown.borrow();
        let Some(found) = shown.as_ref().map(ShownPatron::found) else { return };
        let about = found.patron.as_ref().map(|patron| {
            let expires = patron.expires.map(|day| text_with("patronExpires", &[&locale::day(day)]));
            let library = self.library_name(&patron.library);
            wording::joined([&patron.cardnumber, &patron.category, &library, &expires.unwrap_or_default()])
        });
        panel.about.set_text_content(about.as_deref());
        panel.facts.set_text_content(None);
        let note = found.patron.as_ref().map(|patron| &patron.staff_note).filter(|note| !note.is_empty());
        let facts = [
            found.restriction().map(|comment| text_with("patronRestriction", &[comment])),
            found.owes().map(|owed| text_with("patronOwes", &[&locale::amount(owed)])),
            Amount::from_cents(found.paid).map(|paid| text_with("patronPaid", &[&locale::amount(paid)])),
            note.map(|note| text_with("patronNote", &[note])),
        ];
        for words in facts.into_iter().flatten() {
            line(&panel.facts, &words);
        }
        for WaitingLine { what, pickup } in &found.waiting {
            line(&panel.facts, &text_with("patronWaiting", &[what, &self.library_name(pickup)]));
        }
        panel.loans.set_text_content(None);
        panel.loans.set_hidden(found.loans.is_empty());
        panel.loans_title.set_text_content(Some(&plural("patronLoans", found.loans.len(), &[])));
        for lent in &found.loans {
            let Ok(row) = dom::from_template("lent-template") else { continue };
            let [title, barcode] =
                if lent.title.is_empty() { [&lent.barcode, ""] } else { [&*lent.title, &*lent.barcode] };
            dom::set_field(&row, "title", title);
            dom::set_field(&row, "barcode", barcode);
            let (kind, words) = due(lent);
            dom::set_field(&row, "due", &words);
            let _ = row.set_attribute("data-kind", kind);
            let _ = panel.loans.append_with_node_1(&row);
        }
    }

    /// Confirms what the patron who is shown is warned of: for what was recorded, and for what will be.
    pub(crate) fn confirm_patron(self: &Rc<Self>) {
        let Some(now) = clock::now() else { return };
        let open = self.patron.shown.borrow_mut().as_mut().and_then(|shown| shown.confirm(now));
        let Some(open) = open else { return };
        self.patron.draw();
        self.message.show(crate::popup::Tone::Good, &text("warningsConfirmed"));
        spawn_local(self.clone().keep_confirmed(open, now, Warning::is_of_patron));
    }
}

/// How far a loan is, for the eye and in words.
fn due(lent: &LoanLine) -> (&'static str, String) {
    if let Some(moment) = lent.here {
        return ("here", text_with("lentHere", &[&wording::time_of_day(moment)]));
    }
    let Some(due) = lent.due else { return ("lent", String::new()) };
    let is_overdue = clock::now().is_some_and(|now| holder::overdue(lent.due, now, &DeskZone).is_some());
    let (kind, key) = if is_overdue { ("overdue", "lentOverdue") } else { ("lent", "lentDue") };
    (kind, text_with(key, &[&wording::millis(due.timestamp_millis())]))
}
