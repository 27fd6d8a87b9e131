//! The patron under the fields: who it is, what is to be known, what she has.

use super::lookup::PatronFound;
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
        record::Patron,
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

/// Who is shown.
struct Shown {
    found: PatronFound,
    /// When a person confirmed what she was warned of.
    confirmed: Option<Moment>,
    /// What was recorded for the patron and not confirmed.
    open: Vec<TransactionId>,
}

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
        shown: RefCell<Option<Shown>>,
        refreshing: Cell<bool>,
        /// Counts what may have changed what is shown, to know whether something came while a patron was looked up.
        changes: Cell<u32>,
    }
}

impl PatronPanel {
    /// When a person confirmed the warnings of the patron with this card, if that is the one who is shown.
    pub(crate) fn confirmed_for(&self, card: &str) -> Option<Moment> {
        self.shown.borrow().as_ref().filter(|shown| same_code(&shown.found.card, card))?.confirmed
    }

    /// Whether the patron with this card is shown.
    pub(crate) fn shows(&self, card: &str) -> bool {
        self.shown.borrow().as_ref().is_some_and(|shown| same_code(&shown.found.card, card))
    }

    /// Whether anybody is shown.
    pub(crate) fn is_shown(&self) -> bool {
        self.shown.borrow().is_some()
    }

    /// This was recorded for the patron who is shown, and is to be confirmed with her warnings.
    pub(crate) fn wait_for(&self, id: TransactionId) {
        if let Some(shown) = &mut *self.shown.borrow_mut() {
            shown.open.push(id);
        }
    }

    /// What waits to be confirmed with her warnings.
    pub(crate) fn kept(&self) -> Vec<TransactionId> {
        self.shown.borrow().as_ref().map(|shown| shown.open.clone()).unwrap_or_default()
    }

    /// Shows what has changed, once in a while: a scanner is faster than anybody reads.
    pub(crate) fn refresh_soon(&self, desk: &Rc<Desk>) {
        self.changes.set(self.changes.get().wrapping_add(1));
        if self.is_shown() && !self.refreshing.replace(true) {
            let desk = desk.clone();
            spawn_local(async move {
                crate::http::sleep(crate::popup::DRAWING_LAG).await;
                desk.patron.refreshing.set(false);
                desk.refresh_patron().await;
            });
        }
    }

    fn draw(&self) {
        let shown = self.shown.borrow();
        self.panel.set_hidden(shown.is_none());
        let Some(Shown { found, confirmed, .. }) = &*shown else {
            // No name stays in the page.
            for part in [&self.name, &self.about, &self.facts, self.warnings.as_ref(), self.loans.as_ref()] {
                part.set_text_content(None);
            }
            return;
        };
        let patron = found.patron.as_ref();
        self.name.set_text_content(Some(&patron.map_or_else(|| found.card.clone(), Patron::name)));
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

/// What was confirmed, corrected, taken back or cleared does not wait any more; and she may have other things now.
pub(crate) fn follow(desk: &Rc<Desk>, event: &LogEvent) {
    if let Some(shown) = &mut *desk.patron.shown.borrow_mut() {
        shown.open.retain(|id| event.still_awaits(*id, true));
    }
    // What was recorded just now is looked up, and then she is.
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
            let name = found.patron.as_ref().map_or_else(|| found.card.clone(), Patron::name);
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
        let is_same = self.patron.shows(&found.card);
        if is_same {
            if let Some(shown) = &mut *self.patron.shown.borrow_mut() {
                // What was confirmed is not what is warned of now.
                if found.warnings.iter().any(|new| !shown.found.warnings.iter().any(|known| known.covers(new))) {
                    shown.confirmed = None;
                }
                shown.found = found;
            }
        } else {
            self.leave_patron();
            self.patron.shown.replace(Some(Shown { found, confirmed: None, open: Vec::new() }));
        }
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
        let left = self.patron.shown.take();
        if let Some(shown) = left.filter(|shown| shown.confirmed.is_none() && !shown.open.is_empty()) {
            let who = shown.found.patron.as_ref().map(Patron::name);
            self.warnings.add_patron(self, &shown.found.card, who, &shown.found.warnings, shown.open);
        }
    }

    async fn refresh_patron(self: Rc<Self>) {
        let card = self.patron.shown.borrow().as_ref().map(|shown| shown.found.card.clone());
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
        let Some(Shown { found, .. }) = &*shown else { return };
        let about = found.patron.as_ref().map(|patron| {
            let expires = patron.expires.map(|day| text_with("patronExpires", &[&locale::day(day)]));
            let library = self.library_name(&patron.library);
            wording::joined([&patron.cardnumber, &patron.category, &library, &expires.unwrap_or_default()])
        });
        panel.about.set_text_content(about.as_deref());
        panel.facts.set_text_content(None);
        if let Some(patron) = &found.patron {
            let is_restricted = found.warnings.iter().any(|warning| matches!(warning, Warning::Restricted { .. }));
            if is_restricted && !patron.restriction_comment.is_empty() {
                line(&panel.facts, &text_with("patronRestriction", &[&patron.restriction_comment]));
            }
            let is_warned_of = found.warnings.iter().any(|warning| matches!(warning, Warning::Debts { .. }));
            if let Some(owed) = patron.owes.and_then(Amount::from_cents).filter(|_| !is_warned_of) {
                line(&panel.facts, &text_with("patronOwes", &[&locale::amount(owed)]));
            }
            if let Some(paid) = Amount::from_cents(found.paid) {
                line(&panel.facts, &text_with("patronPaid", &[&locale::amount(paid)]));
            }
            if !patron.staff_note.is_empty() {
                line(&panel.facts, &text_with("patronNote", &[&patron.staff_note]));
            }
        }
        for (what, pickup) in &found.waiting {
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
        let open = {
            let mut shown = self.patron.shown.borrow_mut();
            let Some(shown) = &mut *shown else { return };
            if shown.found.warnings.is_empty() || shown.confirmed.is_some() {
                return;
            }
            shown.confirmed = Some(now);
            std::mem::take(&mut shown.open)
        };
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
