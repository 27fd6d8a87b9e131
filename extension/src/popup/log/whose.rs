//! Whose card it is that Koha does not know: looked for by name among the records, or scanned once more. The answer is a change
//! like any other, of all that was refused because of that card.

use super::decide;
use crate::{
    dom::{self, elements},
    i18n::{text, text_with},
    locale,
    popup::{
        Desk,
        known::{queue::LookupQueue, records::Records},
    },
    store::Change,
    wording,
};
use koct_core::{
    Cardnumber, Entry,
    directory::{Hits, may_be_name, record::Patron},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlDialogElement, HtmlElement, HtmlInputElement, KeyboardEvent};

/// The number of patrons that are listed.
const LISTED: usize = 12;

elements! {
    pub(crate) struct Whose(desk: Rc<Desk>, records: Rc<Records>, lookups: Rc<LookupQueue>) {
        dialog: HtmlDialogElement = "whose-dialog",
        about: Element = "whose-text",
        typed: HtmlInputElement = "whose-typed",
        list: HtmlElement = "whose-list",
        state: Element = "whose-state",
        ;
        /// What is to be changed.
        entries: RefCell<Vec<Entry>>,
        /// Counts what was typed, to know what is late.
        searched: Cell<u32>,
    }
}

impl Whose {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::bind(&self.typed, "input", self, |this| spawn_local(this.clone().search()));
        dom::on_submit("whose-form", self, |this| spawn_local(this.clone().entered()))?;
        dom::on_click("whose-cancel", self, |this| this.dialog.close())?;
        dom::bind_event(&self.dialog, "keydown", self, |this, event: KeyboardEvent| {
            let by = match event.key().as_str() {
                "ArrowDown" => 1,
                "ArrowUp" => -1,
                _ => return,
            };
            event.prevent_default();
            this.step(by);
        });
        dom::bind_event(&self.list, "click", self, |this, event: Event| {
            let line = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let line = line.and_then(|target| target.closest("[data-card]").ok().flatten());
            if let Some(card) = line.and_then(|line| line.get_attribute("data-card")) {
                let this = this.clone();
                spawn_local(async move { this.set(&card).await });
            }
        });
        // No name stays in the page.
        dom::bind(&self.dialog, "close", self, |this| this.clear());
        Ok(())
    }

    /// Asks for the patron of these, which bear the same card.
    pub(crate) fn ask(&self, entries: Vec<Entry>) {
        let Some(card) = entries.first().and_then(|entry| entry.transaction.action.cardnumber()) else { return };
        let number = locale::number(entries.len());
        self.about.set_text_content(Some(&text_with("whoseText", &[card.as_str(), &number])));
        self.clear();
        *self.entries.borrow_mut() = entries;
        if self.dialog.show_modal().is_ok() {
            let _ = self.typed.focus();
        }
    }

    /// Names that were found in the records before are not shown any more.
    pub(crate) fn records_changed(&self) {
        self.searched.set(self.searched.get().wrapping_add(1));
        self.state.set_text_content(None);
        self.show(&[]);
    }

    fn clear(&self) {
        self.entries.borrow_mut().clear();
        self.typed.set_value("");
        self.records_changed();
    }

    async fn search(self: Rc<Self>) {
        let number = self.searched.get().wrapping_add(1);
        self.searched.set(number);
        let typed = self.typed.value();
        let found = match self.records.get() {
            Some(records) if may_be_name(&typed) => records.search(&typed, LISTED).await.unwrap_or_default(),
            _ => Hits::default(),
        };
        if self.searched.get() != number {
            return;
        }
        let numbers = [found.patrons.len(), found.total].map(locale::number);
        let more = (found.total > found.patrons.len()).then(|| text_with("suggestionsOf", &[&numbers[0], &numbers[1]]));
        let none = (found.total == 0 && may_be_name(&typed)).then(|| text("whoseNone"));
        self.state.set_text_content(more.or(none).as_deref());
        self.show(&found.patrons);
    }

    fn show(&self, patrons: &[Patron]) {
        self.list.set_hidden(patrons.is_empty());
        dom::fill_list(&self.list, patrons, |patron| {
            let line = dom::from_template("whose-template")?;
            dom::set_field(&line, "name", &patron.name());
            dom::set_field(&line, "card", &patron.cardnumber);
            let about = [&patron.category, &self.records.library_name(&patron.library)];
            dom::set_field(&line, "about", &wording::joined(about));
            line.set_attribute("data-card", &patron.cardnumber)?;
            Ok(line)
        });
    }

    /// Goes on or back from the field to the patrons and among them.
    fn step(&self, by: i32) {
        let lines = self.list.children();
        let number = i32::try_from(lines.length()).unwrap_or_default();
        let active = dom::document().ok().and_then(|page| page.active_element());
        let here = (0..number).find(|place| {
            let line = lines.item(place.unsigned_abs());
            line.is_some_and(|line| line.contains(active.as_deref()))
        });
        let to = here.unwrap_or(-1) + by;
        let line = u32::try_from(to).ok().and_then(|to| lines.item(to));
        let button = line.and_then(|line| line.first_element_child()).map(JsCast::unchecked_into::<HtmlElement>);
        let _ = match button {
            Some(button) => button.focus(),
            None if to < 0 => self.typed.focus(),
            None => Ok(()),
        };
    }

    /// A card was typed or scanned, or the only patron is meant.
    async fn entered(self: Rc<Self>) {
        let typed = self.typed.value();
        let Some(records) = self.records.get() else { return };
        let by_code = records.patron_by_code(typed.trim()).await.ok().flatten().map(|patron| patron.cardnumber);
        let only = (self.list.child_element_count() == 1).then(|| self.list.first_element_child()).flatten();
        let only = only.and_then(|line| line.get_attribute("data-card"));
        match by_code.or(only) {
            Some(card) => self.set(&card).await,
            None => self.state.set_text_content(Some(&text("whoseNone"))),
        }
    }

    async fn set(&self, card: &str) {
        let Ok(card) = Cardnumber::parse(card) else {
            return self.state.set_text_content(Some(&text("suggestionNoCard")));
        };
        let entries = self.entries.borrow().clone();
        self.dialog.close();
        let rule = |entry: &Entry, now| entry.edited(entry.transaction.action.clone().by(card.clone()), now);
        let words = |changes: &[Change]| {
            let all: Vec<String> = changes.iter().take(3).map(|change| wording::entry(&change.entry)).collect();
            text_with("editSaved", &[&all.join("; ")])
        };
        for entry in decide::change(&self.desk, &entries, rule, words).await {
            // Another patron: something else may be to be warned of.
            self.lookups.look_up(entry);
        }
    }
}
