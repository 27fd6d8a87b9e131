//! Patrons by name, as typed: a list below the patron's field, never in the way of a scanner.
//!
//! Enter without a chosen line takes what was typed, as ever. What a scanner types is gone from the field before a list could
//! come up; what comes up late is dropped.

use crate::{
    dom::{self, elements},
    i18n::{text, text_with},
    locale,
    popup::{Desk, Tone},
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
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement, HtmlInputElement, KeyboardEvent, MouseEvent};

/// The number that are listed.
const LISTED: usize = 12;
/// Scanners type their next character earlier than this.
const PAUSE: Duration = Duration::from_millis(25);

elements! {
    pub(crate) struct Suggestions {
        field: HtmlInputElement = "checkout-patron",
        list: HtmlElement = "patron-suggestions",
        more: HtmlElement = "patron-more",
        ;
        shown: RefCell<Vec<(Patron, HtmlElement)>>,
        chosen: Cell<Option<usize>>,
        /// Counts what was typed, to know what is late.
        typed: Cell<u32>,
        /// One search at a time: the first reads the index, and what is late meanwhile is never begun.
        turn: Mutex<()>,
    }
}

impl Suggestions {
    fn is_open(&self) -> bool {
        !self.list.hidden()
    }

    /// Shows nothing, and nothing that comes late.
    pub(crate) fn close(&self) {
        self.typed.set(self.typed.get().wrapping_add(1));
        self.list.set_text_content(None);
        self.shown.borrow_mut().clear();
        self.list.set_hidden(true);
        self.more.set_hidden(true);
        self.chosen.set(None);
        let _ = self.field.set_attribute("aria-expanded", "false");
        let _ = self.field.remove_attribute("aria-activedescendant");
    }

    fn choose(&self, place: Option<usize>) {
        self.chosen.set(place);
        let shown = self.shown.borrow();
        for (number, (_, line)) in shown.iter().enumerate() {
            let _ = line.set_attribute("aria-selected", if place == Some(number) { "true" } else { "false" });
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

/// Binds the list. `entered` is called when a patron was chosen and the cardnumber stands in the field.
pub(crate) fn bind(desk: &Rc<Desk>, entered: impl Fn() + Clone + 'static) {
    let field = desk.suggestions.field.clone();
    dom::bind(&field, "input", desk, Desk::suggest);
    dom::bind(&field, "blur", desk, |desk| desk.suggestions.close());
    let take = entered.clone();
    dom::bind_event(&field, "keydown", desk, move |desk, event: KeyboardEvent| {
        let list = &desk.suggestions;
        if event.is_composing() || !list.is_open() {
            return;
        }
        match event.key().as_str() {
            "ArrowDown" => list.step(1),
            "ArrowUp" => list.step(-1),
            "Escape" => list.close(),
            "Enter" => match list.chosen.get() {
                Some(place) => desk.take_suggested(place, &take),
                None => return list.close(),
            },
            _ => return,
        }
        event.prevent_default();
        // Enter would take what was typed, and Escape clear it.
        event.stop_immediate_propagation();
    });
    // Before the field loses the focus, which closes the list.
    dom::bind_event(&desk.suggestions.list, "mousedown", desk, move |desk, event: MouseEvent| {
        event.prevent_default();
        let line = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let line = line.and_then(|line| line.closest("[role=option]").ok().flatten());
        let place = line.and_then(|line| line.get_attribute("data-place")?.parse().ok());
        if let Some(place) = place {
            desk.take_suggested(place, &entered);
        }
    });
}

impl Desk {
    fn suggest(self: &Rc<Self>) {
        let list = &self.suggestions;
        let typed = list.field.value();
        let is_searched = may_be_name(&typed);
        if !is_searched || self.records.get().is_none() {
            list.close();
        }
        if !may_begin_name(&typed) {
            return;
        }
        let number = list.typed.get().wrapping_add(1);
        list.typed.set(number);
        let desk = self.clone();
        spawn_local(async move {
            sleep(PAUSE).await;
            let is_late = || desk.suggestions.typed.get() != number;
            if is_late() {
                return;
            }
            let _turn = desk.suggestions.turn.lock().await;
            let Some(records) = desk.records.get().filter(|_| !is_late()) else { return };
            // A search that fails is told when the patron is looked up.
            if !is_searched {
                let _ = records.prepare_search().await;
            } else if let Ok(hits) = records.search(&typed, LISTED).await
                && !is_late()
            {
                desk.show_suggestions(&hits);
            }
        });
    }

    fn show_suggestions(&self, hits: &Hits) {
        let list = &self.suggestions;
        list.list.set_text_content(None);
        list.chosen.set(None);
        let mut shown = Vec::new();
        for (place, patron) in hits.patrons.iter().enumerate() {
            let Ok(line) = dom::from_template("suggestion-template") else { continue };
            line.set_id(&format!("patron-suggestion-{place}"));
            let _ = line.set_attribute("data-place", &place.to_string());
            dom::set_field(&line, "name", &patron.name());
            dom::set_field(&line, "card", &patron.cardnumber);
            let about = [&patron.category, &self.library_name(&patron.library)];
            dom::set_field(&line, "about", &wording::joined(about));
            let _ = list.list.append_with_node_1(&line);
            shown.push((patron.clone(), line));
        }
        list.shown.replace(shown);
        let number = [hits.patrons.len(), hits.total].map(locale::number);
        let more = (hits.total > hits.patrons.len()).then(|| text_with("suggestionsOf", &[&number[0], &number[1]]));
        list.more.set_hidden(more.is_none());
        list.more.set_text_content(more.as_deref());
        list.list.set_hidden(hits.patrons.is_empty());
        let _ = list.field.set_attribute("aria-expanded", if hits.patrons.is_empty() { "false" } else { "true" });
    }

    fn take_suggested(&self, place: usize, entered: &impl Fn()) {
        let Some(patron) = self.suggestions.at(place) else { return };
        self.suggestions.close();
        if patron.cardnumber.is_empty() {
            return self.message.answer(Tone::Bad, &text("suggestionNoCard"));
        }
        self.suggestions.field.set_value(&patron.cardnumber);
        entered();
    }
}
