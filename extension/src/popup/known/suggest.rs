//! Patrons by name, as typed: a list below the patron's field, never in the way of a scanner.
//!
//! Enter without a chosen line takes what was typed, as ever. What a scanner types is gone from the field before a list could
//! come up; what comes up late is dropped.

use crate::{
    dom::{self, elements},
    i18n::{text, text_with},
    later::later,
    latest::{Asked, Latest},
    locale,
    popup::{Desk, Panel, Tone, known::records::RecordsPanel},
    timer::sleep,
    wording,
};
use futures_util::lock::Mutex;
use koct_core::directory::{Hits, may_be_name, may_begin_name, record::Patron};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, HtmlInputElement, KeyboardEvent, MouseEvent};

/// The number that are listed.
const LISTED: usize = 12;
/// Scanners type their next character earlier than this.
const PAUSE: Duration = Duration::from_millis(25);

elements! {
    pub(crate) struct Suggestions(desk: Rc<Desk>, records: Rc<RecordsPanel>) {
        field: HtmlInputElement = "checkout-patron",
        list: HtmlElement = "patron-suggestions",
        more: HtmlElement = "patron-more",
        ;
        shown: RefCell<Vec<(Patron, HtmlElement)>>,
        chosen: Cell<Option<usize>>,
        /// Counts what was typed, to know what is late.
        typed: Latest,
        /// One search at a time: the first reads the index, and what is late meanwhile is never begun.
        turn: Mutex<()>,
    }
}

impl Suggestions {
    fn is_open(&self) -> bool {
        !self.list.hidden()
    }

    /// Shows nothing, and nothing that comes late.
    fn close(&self) {
        self.typed.give_up();
        self.list.set_text_content(None);
        self.shown.borrow_mut().clear();
        self.list.set_hidden(true);
        self.more.set_hidden(true);
        self.chosen.set(None);
        dom::set_flag(&self.field, "aria-expanded", false);
        let _ = self.field.remove_attribute("aria-activedescendant");
    }

    fn choose(&self, place: Option<usize>) {
        self.chosen.set(place);
        let shown = self.shown.borrow();
        for (number, (_, line)) in shown.iter().enumerate() {
            dom::set_flag(line, "aria-selected", place == Some(number));
        }
        match place.and_then(|place| shown.get(place)) {
            Some((_, line)) => {
                let _ = self.field.set_attribute("aria-activedescendant", &line.id());
                line.scroll_into_view_with_bool(false);
            }
            None => {
                let _ = self.field.remove_attribute("aria-activedescendant");
            }
        }
    }

    fn step(&self, by: isize) {
        let number = isize::try_from(self.shown.borrow().len()).unwrap_or_default();
        if number == 0 {
            return;
        }
        // Past an end, nothing is chosen: what was typed counts.
        let now =
            self.chosen.get().and_then(|place| isize::try_from(place).ok()).unwrap_or(if by > 0 { -1 } else { number });
        self.choose(usize::try_from(now + by).ok().filter(|place| *place < self.shown.borrow().len()));
    }

    fn at(&self, place: usize) -> Option<Patron> {
        self.shown.borrow().get(place).map(|(patron, _)| patron.clone())
    }
}

impl Panel for Suggestions {
    fn records_changed(self: Rc<Self>, are_there: bool) {
        if !are_there {
            self.close();
        }
    }
}

impl Suggestions {
    /// Binds the list. `entered` is called with the cardnumber when a patron was chosen.
    pub(crate) fn bind(self: &Rc<Self>, entered: impl Fn(&str) + Clone + 'static) {
        dom::bind(&self.field, "input", self, Self::suggest);
        dom::bind(&self.field, "blur", self, |this| this.close());
        let take = entered.clone();
        dom::bind_event(&self.field, "keydown", self, move |this, event: KeyboardEvent| {
            if event.is_composing() || !this.is_open() {
                return;
            }
            match event.key().as_str() {
                "ArrowDown" => this.step(1),
                "ArrowUp" => this.step(-1),
                "Escape" => this.close(),
                "Enter" => match this.chosen.get() {
                    Some(place) => this.take(place, &take),
                    None => return this.close(),
                },
                _ => return,
            }
            event.prevent_default();
            // Enter would take what was typed, and Escape clear it.
            event.stop_immediate_propagation();
        });
        // Before the field loses the focus, which closes the list.
        dom::bind_event(&self.list, "mousedown", self, move |this, event: MouseEvent| {
            event.prevent_default();
            let line = dom::target_in(&event, "[role=option]");
            let place = line.and_then(|line| line.get_attribute("data-place")?.parse().ok());
            if let Some(place) = place {
                this.take(place, &entered);
            }
        });
    }

    fn suggest(self: &Rc<Self>) {
        let typed = self.field.value();
        let is_searched = may_be_name(&typed);
        if !is_searched || self.records.get().is_none() {
            self.close();
        }
        if !may_begin_name(&typed) {
            return;
        }
        let asked = self.typed.ask();
        spawn_local(search(self.clone(), typed, asked));
    }

    fn show(&self, hits: &Hits) {
        self.chosen.set(None);
        let mut shown = Vec::new();
        dom::fill_list(&self.list, hits.patrons.iter().enumerate(), |(place, patron)| {
            let line = dom::from_template("suggestion-template")?;
            line.set_id(&format!("patron-suggestion-{place}"));
            line.set_attribute("data-place", &place.to_string())?;
            dom::set_field(&line, "name", &patron.name());
            dom::set_field(&line, "card", &patron.cardnumber);
            let about = [&patron.category, &self.records.library_name(&patron.library)];
            dom::set_field(&line, "about", &wording::joined(about));
            shown.push((patron.clone(), line.clone()));
            Ok(line)
        });
        self.shown.replace(shown);
        let number = [hits.patrons.len(), hits.total].map(locale::number);
        let more = (hits.total > hits.patrons.len()).then(|| text_with("suggestionsOf", &[&number[0], &number[1]]));
        self.more.set_hidden(more.is_none());
        self.more.set_text_content(more.as_deref());
        self.list.set_hidden(hits.patrons.is_empty());
        dom::set_flag(&self.field, "aria-expanded", !hits.patrons.is_empty());
    }

    fn take(&self, place: usize, entered: &impl Fn(&str)) {
        let Some(patron) = self.at(place) else { return };
        self.close();
        if patron.cardnumber.is_empty() {
            return self.desk.message.answer(Tone::Bad, &text("suggestionNoCard"));
        }
        entered(&patron.cardnumber);
    }
}

later! {
    /// Searches for what was typed, and shows what is found, unless more was typed meanwhile.
    async fn search(this: Rc<Suggestions>, typed: String, asked: Asked) {
        sleep(PAUSE).await;
        let is_late = || !this.typed.is(asked);
        if is_late() {
            return;
        }
        let _turn = this.turn.lock().await;
        let Some(records) = this.records.get().filter(|_| !is_late()) else { return };
        if !may_be_name(&typed) {
            let _ = records.prepare_search().await;
            return;
        }
        let hits = records.search(&typed, LISTED).await;
        match hits {
            _ if is_late() => {}
            Ok(hits) => this.show(&hits),
            // That is told when the patron is looked up. Who was found by what was typed before is not meant.
            Err(_) => this.close(),
        }
    }
}
