//! The patron beside their card: who it is, what is unusual about them, and behind a button what else is known and what they have.

use crate::{
    clock::{self, DeskZone},
    dom::{self, elements},
    i18n::{plural, text, text_with},
    later::later,
    latest::Latest,
    locale,
    popup::{
        DRAWING_LAG, Desk, Panel, Tone,
        known::{lookup::Lookups, records::RecordsPanel},
        scan::sitting::SittingLists,
    },
    timer::sleep,
    wording,
};
use koct_core::{
    Amount, Cardnumber, Moment,
    desk::{barcode::same_code, scan::Card},
    directory::{
        holder::{self, LoanLine},
        patron_now::{PatronFound, WaitingLine},
        shown::ShownPatron,
    },
    log::{
        event::LogEvent,
        warned::{Grade, Warning},
    },
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement, HtmlInputElement};

/// The number of chips that have room; what else there is, is behind a button.
const CHIPS: usize = 2;

elements! {
    pub(crate) struct PatronPanel(
        desk: Rc<Desk>, records: Rc<RecordsPanel>, lookups: Rc<Lookups>, sitting_lists: Rc<SittingLists>,
    ) {
        pane: Element = "checkout",
        field: HtmlInputElement = "checkout-patron",
        panel: HtmlElement = "patron-panel",
        name: HtmlElement = "patron-name",
        about: Element = "patron-about",
        as_of: Element = "patron-as-of",
        chips: HtmlElement = "patron-warnings",
        open: HtmlElement = "patron-details-open",
        details: HtmlElement = "patron-details",
        items: HtmlElement = "patron-items-list",
        items_empty: HtmlElement = "patron-items-empty",
        move_visit: HtmlElement = "patron-move",
        pay: HtmlElement = "checkout-pay-open",
        slip: HtmlElement = "print-slip",
        next: HtmlElement = "checkout-clear-patron",
        facts: Element = "patron-facts",
        loans_title: HtmlElement = "patron-loans-title",
        loans: HtmlElement = "patron-loans",
        ;
        shown: RefCell<Option<ShownPatron>>,
        /// The card in the field, where it was read already: rules for codes are not followed twice.
        read: RefCell<Option<Card>>,
        refreshing: Cell<bool>,
        /// Counts what may have changed what is shown, to know whether something came while a patron was looked up.
        changes: Latest,
    }
}

impl PatronPanel {
    /// Whether the patron with this card is shown.
    pub(crate) fn shows(&self, card: &str) -> bool {
        self.shown.borrow().as_ref().is_some_and(|shown| shown.has_card(card))
    }

    /// Whether anybody is shown.
    pub(crate) fn is_shown(&self) -> bool {
        self.shown.borrow().is_some()
    }

    /// When a person answered what is to be answered about the patron with this card, if that is the one who is shown.
    pub(crate) fn answered_for(&self, card: &str) -> Option<Moment> {
        self.shown.borrow().as_ref().filter(|shown| shown.has_card(card))?.answered()
    }

    /// Shows what has changed, once in a while: a scanner is faster than anybody reads.
    pub(crate) fn refresh_soon(self: &Rc<Self>) {
        self.changes.give_up();
        if self.is_shown() && !self.refreshing.replace(true) {
            let this = self.clone();
            spawn_local(async move {
                sleep(DRAWING_LAG).await;
                this.refreshing.set(false);
                this.refresh().await;
            });
        }
    }
}

impl Panel for PatronPanel {
    /// The patron may have other things now.
    fn follow(self: Rc<Self>, event: &LogEvent) {
        if matches!(event, LogEvent::Recorded(_)) {
            // What was just scanned is seen.
            self.show_details(false);
        }
        // A person says, in whichever window, that whoever is shown may have things all the same.
        if self.shown.borrow_mut().as_mut().is_some_and(|shown| shown.follow(event)) {
            self.draw_grade();
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
        for opens in [&self.open, &self.chips] {
            dom::bind(opens, "click", self, |this| {
                this.show_details(this.details.hidden());
                this.desk.focus.back();
            });
        }
    }

    /// What the field holds, where that was read already.
    pub(crate) fn read(&self) -> Option<Card> {
        let value = self.field.value();
        self.read.borrow().clone().filter(|card| card.cardnumber.as_str() == value)
    }

    /// Somebody types into the field.
    pub(crate) fn forget_read(&self) {
        self.read.take();
    }

    /// The field holds a card that was read already.
    fn hold(&self, card: Card) {
        self.field.set_value(card.cardnumber.as_str());
        self.read.replace(Some(card));
    }

    /// Shows the patron with this card in the form.
    pub(crate) fn show_in_form(self: &Rc<Self>, card: Card) {
        let typed = card.cardnumber.to_string();
        self.hold(card);
        if dom::active().is_some_and(|active| active == **self.field) {
            // The next card replaces this one.
            self.field.select();
        }
        self.changed();
        self.sitting_lists.show();
        self.entered(typed);
    }

    /// A card or user name was entered.
    fn entered(self: &Rc<Self>, typed: String) {
        let this = self.clone();
        spawn_local(async move {
            let before = this.changes.last();
            let Some(found) = this.lookups.find_patron(&typed).await else { return };
            // The next patron may stand there already.
            if !same_code(&this.field.value(), &typed) {
                return;
            }
            if found.patron.is_some() && !same_code(&found.card, &typed) {
                match Cardnumber::scanned(&found.card) {
                    Ok(card) => this.hold(card.into()),
                    // It is refused when something is to be recorded for it.
                    Err(_) => this.field.set_value(&found.card),
                }
            }
            let (name, is_known) = (found.name(), found.patron.is_some());
            let warnings: Vec<String> =
                found.warnings.iter().map(|warning| wording::warning(warning, "", &str::to_owned)).collect();
            let grade = found.warnings.iter().map(Warning::grade).min();
            this.show(found);
            if !this.changes.is(before) {
                // A scanner was faster than the look-up.
                this.refresh_soon();
            }
            let ready = text_with("patronReady", &[&typed]);
            match grade {
                Some(grade @ (Grade::Stop | Grade::Careful)) => {
                    let words = text_with("patronWarned", &[&name, &warnings.join(" ")]);
                    let words = wording::joined([words, this.records.as_of()]);
                    this.desk.message.answer(if grade == Grade::Stop { Tone::Bad } else { Tone::Doubt }, &words);
                }
                _ if is_known => this.desk.message.refine(&ready, &text_with("patronReady", &[&name])),
                _ => {}
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
            None => *shown = Some(ShownPatron::new(found, clock::time())),
        }
        drop(shown);
        self.draw_patron();
    }

    /// What stands in the patron's field has changed: whoever was shown may be gone.
    pub(crate) fn changed(self: &Rc<Self>) {
        let is_empty = self.field.value().trim().is_empty();
        for button in [&self.pay, &self.slip, &self.next] {
            button.set_hidden(is_empty);
        }
        if self.is_shown() && !self.shows(&self.field.value()) {
            self.leave();
            self.draw_patron();
        }
    }

    fn leave(&self) {
        self.shown.take();
        self.show_details(false);
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

    /// Shows what else is known and what they have, in place of this visit, or the visit again.
    fn show_details(&self, shown: bool) {
        dom::set_flag(&self.open, "aria-expanded", shown);
        self.details.set_hidden(!shown);
        self.items.set_hidden(shown);
        self.items_empty.set_hidden(shown || self.items.child_element_count() > 0);
        self.move_visit.set_hidden(shown || self.items.child_element_count() == 0);
    }

    fn draw_grade(&self) {
        let grade = self.shown.borrow().as_ref().and_then(ShownPatron::grade);
        let _ = self.pane.set_attribute("data-grade", grade.map_or("", Grade::name));
    }

    fn draw_patron(self: &Rc<Self>) {
        self.draw_grade();
        self.sitting_lists.show();
        let shown = self.shown.borrow();
        self.panel.set_hidden(shown.is_none());
        self.open.set_hidden(shown.is_none());
        let Some(found) = shown.as_ref().map(ShownPatron::found) else {
            // No name stays in the page.
            for part in
                [&self.about, &self.as_of, &self.facts, self.name.as_ref(), self.chips.as_ref(), self.loans.as_ref()]
            {
                part.set_text_content(None);
            }
            self.name.set_title("");
            self.chips.set_title("");
            self.show_details(false);
            return;
        };
        let name = wording::harmless(&found.name());
        self.name.set_text_content(Some(&name));
        self.name.set_title(&name);
        let about = found
            .patron
            .as_ref()
            .map(|patron| wording::joined([&patron.category, &self.records.library_name(&patron.library)]));
        self.about.set_text_content(about.as_deref());
        self.as_of.set_text_content(found.patron.is_some().then(|| self.records.as_of()).as_deref());
        spawn_local(draw_facts(self.clone()));
        self.show_details(!self.details.hidden());
    }

    /// The gravest facts, as far as there is room.
    fn draw_chips(&self, found: &PatronFound) {
        let facts = clock::now().map(|now| found.facts(now, &DeskZone)).unwrap_or_default();
        let chips = facts.iter().take(CHIPS).map(|fact| (fact.grade().name(), wording::patron_fact(fact)));
        let more = facts.len().saturating_sub(CHIPS);
        let more = (more > 0).then(|| (Grade::Note.name(), format!("+{}", locale::number(more))));
        dom::fill_list(&self.chips, chips.chain(more), |(grade, words)| {
            let chip = dom::line(&words)?;
            chip.set_class_name("chip");
            chip.set_attribute("data-grade", grade)?;
            Ok(chip)
        });
        let all: Vec<String> = facts.iter().map(wording::patron_fact).collect();
        self.chips.set_title(&all.join("\n"));
    }

    fn draw_details(&self, found: &PatronFound) {
        let note = found.patron.as_ref().map(|patron| &patron.staff_note).filter(|note| !note.is_empty());
        let warned = found.warnings.iter().map(|warning| wording::warning(warning, "", &str::to_owned));
        let facts = [
            found.restriction().map(|comment| text_with("patronRestriction", &[comment])),
            found.owes().map(|owed| text_with("patronOwes", &[&locale::amount(owed)])),
            Amount::from_cents(found.paid).map(|paid| text_with("patronPaid", &[&locale::amount(paid)])),
            note.map(|note| text_with("patronNote", &[note])),
        ];
        let waiting = found.waiting.iter().map(|WaitingLine { what, pickup }| {
            text_with("patronWaiting", &[what, &self.records.library_name(pickup)])
        });
        let card = found.patron.as_ref().map(|patron| {
            let expires = patron.expires.map(|day| text_with("patronExpires", &[&locale::day(day)]));
            wording::joined([&patron.cardnumber, &expires.unwrap_or_default()])
        });
        let facts = warned.chain(waiting).chain(facts.into_iter().flatten()).chain(card);
        dom::fill_list(&self.facts, facts, |words| dom::line(&words));
        let before: Vec<&LoanLine> = found.loans.iter().filter(|loan| loan.here.is_none()).collect();
        let next = before.iter().filter_map(|loan| loan.due).min();
        let words = match (before.len(), next) {
            (0, _) => text("patronDetails"),
            (number, Some(due)) => plural("patronLoansDue", number, &[&wording::due_day(due)]),
            (number, None) => plural("patronLoans", number, &[]),
        };
        self.open.set_text_content(Some(&words));
        self.open.set_title(&words);
        self.loans.set_hidden(found.loans.is_empty());
        self.loans_title.set_hidden(found.loans.is_empty());
        self.loans_title.set_text_content(Some(&plural("patronLoans", found.loans.len(), &[])));
        // What was taken last is looked for first.
        dom::fill_list(&self.loans, found.loans.iter().rev(), |lent| {
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
}

/// How far a loan is, for the eye and in words.
fn due(lent: &LoanLine) -> (&'static str, String) {
    if let Some(moment) = lent.here {
        return ("here", wording::time_of_day(moment));
    }
    let Some(due) = lent.due else { return ("lent", String::new()) };
    let is_overdue = clock::now().is_some_and(|now| holder::overdue(lent.due, now, &DeskZone).is_some());
    let (kind, key) = if is_overdue { ("overdue", "lentOverdue") } else { ("lent", "lentDue") };
    (kind, text_with(key, &[&wording::due(due)]))
}

later! {
    /// Shows what is known of the patron, beside the name.
    async fn draw_facts(panel: Rc<PatronPanel>) {
        if let Some(found) = panel.shown.borrow().as_ref().map(ShownPatron::found) {
            panel.draw_chips(found);
            panel.draw_details(found);
        }
    }
}
