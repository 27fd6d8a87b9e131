//! The patron under the fields: who it is, what is to be known, what they have.

use crate::{
    clock::{self, DeskZone},
    dom::{self, elements},
    i18n::{plural, text, text_with},
    locale,
    popup::{
        DRAWING_LAG, Desk, Panel, Tone,
        known::{lookup::Lookups, records::Records, warnings::Warnings},
        scan::sitting::SittingLists,
    },
    timer::sleep,
    wording,
};
use koct_core::{
    Amount, Cardnumber, Moment, TransactionId,
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
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement, HtmlInputElement};

elements! {
    pub(crate) struct PatronPanel(
        desk: Rc<Desk>, records: Rc<Records>, lookups: Rc<Lookups>, unconfirmed: Rc<Warnings>,
        sitting_lists: Rc<SittingLists>,
    ) {
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
        /// The list of what was not confirmed before the patron went.
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

    /// Shows what has changed, once in a while: a scanner is faster than anybody reads.
    pub(crate) fn refresh_soon(self: &Rc<Self>) {
        self.changes.set(self.changes.get().wrapping_add(1));
        if self.is_shown() && !self.refreshing.replace(true) {
            let this = self.clone();
            spawn_local(async move {
                sleep(DRAWING_LAG).await;
                this.refreshing.set(false);
                this.refresh().await;
            });
        }
    }

    fn draw_warnings(&self) {
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
        dom::fill_list(&self.warnings, &found.warnings, |warning| {
            dom::line(&wording::warning(warning, "", &str::to_owned))
        });
        self.warnings.set_hidden(found.warnings.is_empty());
        self.confirm.set_hidden(found.warnings.is_empty() || confirmed.is_some());
        self.confirmed.set_hidden(confirmed.is_none());
        let when = confirmed.map(|moment| text_with("warningConfirmed", &[&wording::time_of_day(moment)]));
        self.confirmed.set_text_content(when.as_deref());
        let _ = self.panel.set_attribute("data-warned", if found.warnings.is_empty() { "no" } else { "yes" });
    }
}

impl Panel for PatronPanel {
    /// What was confirmed, corrected, taken back or cleared does not wait any more; and the patron may have other things now.
    fn follow(self: Rc<Self>, event: &LogEvent) {
        if let Some(shown) = &mut *self.shown.borrow_mut() {
            shown.follow(event);
        }
        // What was recorded just now is looked up, and then the patron is.
        if !matches!(event, LogEvent::Recorded(_) | LogEvent::Committed) {
            self.refresh_soon();
        }
        // What the log tells more than the records follows from the record of commits.
        if matches!(event, LogEvent::Committed | LogEvent::Reload(_)) {
            spawn_local(async move {
                self.lookups.reload_since().await;
                self.refresh_soon();
            });
        }
    }

    /// What waits to be confirmed with the patron's warnings.
    fn kept(&self) -> Vec<TransactionId> {
        self.shown.borrow().as_ref().map(|shown| shown.open().to_vec()).unwrap_or_default()
    }

    fn records_changed(self: Rc<Self>, are_there: bool) {
        if !are_there {
            self.leave();
            self.draw_patron();
            return;
        }
        spawn_local(async move {
            self.lookups.reload_since().await;
            if self.is_shown() {
                self.refresh().await;
            } else if !self.field.value().trim().is_empty() {
                self.entered(self.field.value());
            }
        });
    }
}

impl PatronPanel {
    pub(crate) fn bind(self: &Rc<Self>) {
        dom::bind(&self.confirm, "click", self, |this| {
            this.confirm_warnings();
            this.desk.focus.back();
        });
    }

    /// Shows the patron with this card in the form.
    pub(crate) fn show_in_form(self: &Rc<Self>, cardnumber: &Cardnumber) {
        self.field.set_value(cardnumber.as_str());
        if dom::document().ok().and_then(|page| page.active_element()).is_some_and(|active| active == **self.field) {
            // The next card replaces this one.
            self.field.select();
        }
        self.changed();
        self.sitting_lists.show();
        self.entered(cardnumber.to_string());
    }

    /// Confirms everything that the person is warned of.
    pub(crate) fn confirm_all(self: &Rc<Self>) {
        self.confirm_warnings();
        self.unconfirmed.confirm_all();
        self.desk.focus.back();
    }

    /// A card or user name was entered.
    fn entered(self: &Rc<Self>, typed: String) {
        let this = self.clone();
        spawn_local(async move {
            let before = this.changes.get();
            let Some(found) = this.lookups.find_patron(&typed).await else { return };
            // The next patron may stand there already.
            if !same_code(&this.field.value(), &typed) {
                return;
            }
            if found.patron.is_some() && !same_code(&found.card, &typed) {
                this.field.set_value(&found.card);
            }
            let heard = !found.warnings.is_empty();
            let warnings: Vec<String> =
                found.warnings.iter().map(|warning| wording::warning(warning, "", &str::to_owned)).collect();
            let name = found.name();
            this.show(found);
            if this.changes.get() != before {
                // A scanner was faster than the look-up.
                this.refresh_soon();
            }
            if heard {
                let words = text_with("patronWarned", &[&name, &warnings.join(" ")]);
                this.desk.message.answer(Tone::Doubt, &words);
            }
        });
    }

    fn show(self: &Rc<Self>, found: PatronFound) {
        if !self.shows(&found.card) {
            self.leave();
        }
        let mut shown = self.shown.borrow_mut();
        match &mut *shown {
            Some(shown) => shown.refresh(found),
            None => *shown = Some(ShownPatron::new(found)),
        }
        drop(shown);
        self.draw_patron();
    }

    /// What stands in the patron's field has changed: whoever was shown may be gone.
    pub(crate) fn changed(self: &Rc<Self>) {
        if self.is_shown() && !self.shows(&self.field.value()) {
            self.leave();
            self.draw_patron();
        }
    }

    /// Whoever was shown is not any more. What was not confirmed goes to the list.
    fn leave(self: &Rc<Self>) {
        let Some(shown) = self.shown.take() else { return };
        let name = shown.found().patron.as_ref().map(Patron::name).unwrap_or_default();
        if let Some(open) = shown.leave() {
            self.unconfirmed.add_patron(open, &name);
        }
    }

    async fn refresh(self: &Rc<Self>) {
        let card = self.shown.borrow().as_ref().map(|shown| shown.found().card.clone());
        let Some(card) = card else { return };
        match self.lookups.find_patron(&card).await {
            Some(found) if self.shows(&card) => self.show(found),
            Some(_) => {}
            None => {
                self.leave();
                self.draw_patron();
            }
        }
    }

    fn draw_patron(self: &Rc<Self>) {
        self.draw_warnings();
        self.sitting_lists.show();
        let shown = self.shown.borrow();
        let Some(found) = shown.as_ref().map(ShownPatron::found) else { return };
        let about = found.patron.as_ref().map(|patron| {
            let expires = patron.expires.map(|day| text_with("patronExpires", &[&locale::day(day)]));
            let library = self.records.library_name(&patron.library);
            wording::joined([&patron.cardnumber, &patron.category, &library, &expires.unwrap_or_default()])
        });
        self.about.set_text_content(about.as_deref());
        let note = found.patron.as_ref().map(|patron| &patron.staff_note).filter(|note| !note.is_empty());
        let facts = [
            found.restriction().map(|comment| text_with("patronRestriction", &[comment])),
            found.owes().map(|owed| text_with("patronOwes", &[&locale::amount(owed)])),
            Amount::from_cents(found.paid).map(|paid| text_with("patronPaid", &[&locale::amount(paid)])),
            note.map(|note| text_with("patronNote", &[note])),
        ];
        let waiting = found.waiting.iter().map(|WaitingLine { what, pickup }| {
            text_with("patronWaiting", &[what, &self.records.library_name(pickup)])
        });
        dom::fill_list(&self.facts, facts.into_iter().flatten().chain(waiting), |words| dom::line(&words));
        self.loans.set_hidden(found.loans.is_empty());
        self.loans_title.set_text_content(Some(&plural("patronLoans", found.loans.len(), &[])));
        dom::fill_list(&self.loans, &found.loans, |lent| {
            let row = dom::from_template("lent-template")?;
            let [title, barcode] =
                if lent.title.is_empty() { [&lent.barcode, ""] } else { [&*lent.title, &*lent.barcode] };
            dom::set_field(&row, "title", title);
            dom::set_field(&row, "barcode", barcode);
            let (kind, words) = due(lent);
            dom::set_field(&row, "due", &words);
            row.set_attribute("data-kind", kind)?;
            Ok(row)
        });
    }

    /// Confirms what the patron who is shown is warned of: for what was recorded, and for what will be.
    fn confirm_warnings(self: &Rc<Self>) {
        let Some(now) = clock::now() else { return };
        let open = self.shown.borrow_mut().as_mut().and_then(|shown| shown.confirm(now));
        let Some(open) = open else { return };
        self.draw_warnings();
        self.desk.message.show(Tone::Good, &text("warningsConfirmed"));
        spawn_local(self.unconfirmed.clone().keep_confirmed(open, now, Warning::is_of_patron));
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
