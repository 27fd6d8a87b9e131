//! Whose card, or which item it is that Koha does not know: looked for by name or title among the records, or scanned once more.
//! The answer is a change like any other, of all that was refused because of that code.

use crate::{
    anew::Anew,
    directory::{DiskError, Records},
    dom::{self, elements},
    i18n::{text, text_with},
    latest::{Asked, Latest},
    locale,
    popup::{
        Desk,
        change::NotChanged,
        known::{queue::LookupQueue, records::RecordsPanel},
        window::press::let_go,
    },
    wording,
};
use koct_core::{
    Barcode, Cardnumber, Entry, Moment, TransactionId,
    directory::{
        Hits, may_be_name,
        record::{Item, Patron},
    },
    log::{event::LogEvent, seen},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlDialogElement, HtmlElement, HtmlInputElement, KeyboardEvent};

/// The number of patrons or items that are listed.
const LISTED: usize = 12;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Sought {
    /// The patron of a card.
    #[default]
    Patron,
    /// The item of a barcode.
    Item,
}

/// What it is changed to.
enum Code {
    Card(Cardnumber),
    Barcode(Barcode),
}

/// Somebody or something that was found.
struct Line {
    name: String,
    code: String,
    about: String,
}

/// Which code Koha does not know, and how many bear it. `None` where none does.
fn about(sought: Sought, entries: &[Entry]) -> Option<String> {
    let action = &entries.first()?.transaction.action;
    let (key, code) = match sought {
        Sought::Patron => ("whoseText", action.cardnumber()?.to_string()),
        Sought::Item => ("whichText", action.barcode()?.to_string()),
    };
    Some(text_with(key, &[&code, &locale::number(entries.len())]))
}

elements! {
    pub(crate) struct Whose(desk: Rc<Desk>, records: Rc<RecordsPanel>, lookups: Rc<LookupQueue>) {
        dialog: HtmlDialogElement = "whose-dialog",
        title: Element = "whose-title",
        label: Element = "whose-label",
        about: Element = "whose-text",
        typed: HtmlInputElement = "whose-typed",
        list: HtmlElement = "whose-list",
        state: Element = "whose-state",
        ;
        sought: Cell<Sought>,
        /// What is to be changed, as far as it still is as it was when it was asked about.
        entries: RefCell<Vec<Entry>>,
        following: Rc<Anew>,
        /// Counts what was typed, to know what is late.
        searched: Latest,
        /// What was typed when that was looked for which is listed.
        listed: RefCell<String>,
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
            let line = dom::target_in(&event, "[data-code]");
            if let Some(card) = line.and_then(|line| line.get_attribute("data-code")) {
                let this = this.clone();
                spawn_local(async move { this.set(&card).await });
            }
        });
        // No name stays in the page.
        dom::bind(&self.dialog, "close", self, |this| this.clear());
        Ok(())
    }

    /// Asks for the patron, or the item, of these, which bear the same code.
    pub(crate) fn ask(&self, sought: Sought, entries: Vec<Entry>) {
        let Some(about) = about(sought, &entries) else { return };
        let [title, label] = match sought {
            Sought::Patron => ["whoseTitle", "whoseTyped"],
            Sought::Item => ["whichTitle", "whichTyped"],
        };
        self.sought.set(sought);
        self.title.set_text_content(Some(&text(title)));
        self.label.set_text_content(Some(&text(label)));
        self.about.set_text_content(Some(&about));
        self.clear();
        *self.entries.borrow_mut() = entries;
        if self.dialog.show_modal().is_ok() {
            let _ = self.typed.focus();
        }
    }

    /// Those that are to be changed.
    pub(crate) fn asked(&self) -> Vec<TransactionId> {
        self.entries.borrow().iter().map(|entry| entry.id).collect()
    }

    /// What stands otherwise by now is not asked about any more.
    pub(crate) fn follow(self: &Rc<Self>, event: &LogEvent) {
        if seen::follow(&mut self.entries.borrow_mut(), event) {
            let this = self.clone();
            self.following.go(async move || {
                let_go(&this.dialog).await;
                this.show_about();
            });
        }
    }

    /// Says how many are to be changed, or asks no more where there is none.
    fn show_about(&self) {
        if !self.dialog.open() {
            return;
        }
        let about = about(self.sought.get(), &self.entries.borrow());
        if about.is_none() {
            self.dialog.close();
            self.desk.not_changed("editFailed", &NotChanged::Gone);
        }
        self.about.set_text_content(about.as_deref());
    }

    /// Names that were found in the records before are not shown any more.
    pub(crate) fn records_changed(&self) {
        self.searched.give_up();
        self.state.set_text_content(None);
        self.show(&[]);
    }

    fn clear(&self) {
        self.entries.borrow_mut().clear();
        self.typed.set_value("");
        self.records_changed();
    }

    async fn search(self: Rc<Self>) {
        let asked = self.searched.ask();
        let typed = self.typed.value();
        let records = self.records.get().filter(|_| may_be_name(&typed));
        let found = match (&records, self.sought.get()) {
            (None, _) => Ok((Vec::new(), 0)),
            (Some(records), Sought::Patron) => self.patrons(records, &typed).await,
            (Some(records), Sought::Item) => self.items(records, &typed, asked).await,
        };
        if !self.searched.is(asked) {
            return;
        }
        let (lines, state) = match found {
            Ok((lines, total)) => {
                let numbers = [lines.len(), total].map(locale::number);
                let more = (total > lines.len()).then(|| text_with("suggestionsOf", &[&numbers[0], &numbers[1]]));
                let none = (total == 0 && may_be_name(&typed)).then(|| text(self.none()));
                (lines, more.or(none))
            }
            Err(error) => (Vec::new(), Some(wording::disk(&error))),
        };
        self.state.set_text_content(state.as_deref());
        self.listed.replace(typed);
        self.show(&lines);
    }

    fn none(&self) -> &'static str {
        match self.sought.get() {
            Sought::Patron => "whoseNone",
            Sought::Item => "whichNone",
        }
    }

    /// The first patrons of such a name, and how many there are.
    async fn patrons(&self, records: &Records, typed: &str) -> Result<(Vec<Line>, usize), DiskError> {
        let Hits { patrons, total } = records.search(typed, LISTED).await?;
        let line = |patron: Patron| {
            let about = wording::joined([&patron.category, &self.records.library_name(&patron.library)]);
            Line { name: patron.name(), code: patron.cardnumber, about }
        };
        Ok((patrons.into_iter().map(line).collect(), total))
    }

    /// The first items of such a title. All are read for it: whoever goes on typing does not wait for the search before.
    async fn items(&self, records: &Records, typed: &str, asked: Asked) -> Result<(Vec<Line>, usize), DiskError> {
        self.state.set_text_content(Some(&text("whichSearching")));
        let goes_on = || self.searched.is(asked);
        let items = records.items_by_title(typed, LISTED, |_| true, goes_on).await?;
        let line = |item: Item| {
            let about = wording::joined([&item.author, &item.call_number, &self.records.library_name(&item.library)]);
            Line { name: item.title, code: item.barcode, about }
        };
        let lines: Vec<Line> = items.into_iter().map(line).collect();
        let total = lines.len();
        Ok((lines, total))
    }

    fn show(&self, lines: &[Line]) {
        self.list.set_hidden(lines.is_empty());
        dom::fill_list(&self.list, lines, |found| {
            let line = dom::from_template("whose-template")?;
            dom::set_field(&line, "name", &found.name);
            dom::set_field(&line, "code", &found.code);
            dom::set_field(&line, "about", &found.about);
            line.set_attribute("data-code", &found.code)?;
            Ok(line)
        });
    }

    /// Goes on or back from the field to the patrons and among them.
    fn step(&self, by: i32) {
        let lines = self.list.children();
        let number = i32::try_from(lines.length()).unwrap_or_default();
        let active = dom::active();
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

    /// The code of whoever, or whatever, has this one.
    async fn by_code(&self, records: &Records, typed: &str) -> Result<Option<String>, DiskError> {
        let codes = self.desk.codes();
        Ok(match self.sought.get() {
            Sought::Patron => records.patron_by_code(codes.card(typed).trim()).await?.map(|patron| patron.cardnumber),
            Sought::Item => records.item_by_barcode(codes.item(typed).trim()).await?.map(|item| item.barcode),
        })
    }

    /// A code was typed or scanned, or the only one that was found is meant.
    async fn entered(self: Rc<Self>) {
        let typed = self.typed.value();
        let Some(records) = self.records.get() else { return };
        let by_code = match self.by_code(&records, &typed).await {
            Ok(by_code) => by_code,
            // Nor is the only one meant then that is listed: whose code it is, is not known.
            Err(error) => return self.state.set_text_content(Some(&wording::disk(&error))),
        };
        // A scanner's Enter comes before anything is found by what it typed: who is listed then is not meant.
        let is_found = *self.listed.borrow() == typed && self.list.child_element_count() == 1;
        let only = is_found.then(|| self.list.first_element_child()).flatten();
        let only = only.and_then(|line| line.get_attribute("data-code"));
        match by_code.or(only) {
            Some(code) => self.set(&code).await,
            None => self.state.set_text_content(Some(&text(self.none()))),
        }
    }

    async fn set(&self, code: &str) {
        // It was answered, or given up, while this was looked up.
        if !self.dialog.open() {
            return;
        }
        let code = match self.sought.get() {
            Sought::Patron => Cardnumber::parse(code).ok().map(Code::Card),
            Sought::Item => Barcode::parse(code).ok().map(Code::Barcode),
        };
        let Some(code) = code else {
            return self.state.set_text_content(Some(&text("suggestionNoCard")));
        };
        let entries = self.entries.borrow().clone();
        self.dialog.close();
        let rule = |entry: &Entry, now: Moment| {
            let action = entry.transaction.action.clone();
            let action = match &code {
                Code::Card(card) => action.by(card.clone()),
                Code::Barcode(barcode) => action.of_item(barcode.clone()),
            };
            entry.edited(action, now)
        };
        let words = |entries: &[Entry]| {
            let all: Vec<String> = entries.iter().take(3).map(wording::entry).collect();
            text_with("editSaved", &[&all.join("; ")])
        };
        for entry in self.desk.decide(&entries, &rule, words).await {
            // Another patron or item: something else may be to be warned of.
            self.lookups.look_up(entry);
        }
    }
}
