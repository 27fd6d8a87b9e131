//! The list of what a person was warned of and has not confirmed: in place, and in nobody's way.

use crate::{
    clock,
    dom::{self, elements},
    i18n::{plural, text, text_with},
    popup::{Desk, Tone, Topic},
    store::StoreError,
    wording,
};
use koct_core::{
    Entry, Moment, TransactionId,
    directory::{holder, item_now::ItemWarning, to_confirm::OpenWarning},
    log::{
        event::LogEvent,
        warned::{Warned, Warning},
    },
};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlElement};

/// Something that is to be confirmed, and its line.
struct Row {
    open: OpenWarning,
    element: HtmlElement,
}

elements! {
    pub(crate) struct Warnings {
        list: HtmlElement = "warnings",
        ;
        rows: RefCell<Vec<Row>>,
    }
}

impl Warnings {
    /// Adds a line. `what` says what it is about, by the number of transactions.
    fn add(&self, desk: &Rc<Desk>, mut open: OpenWarning, what: impl Fn(usize) -> String, reason: &str) {
        self.retain(|row| !open.take_over(&row.open));
        // The page is checked at start; without the template the message line still tells.
        let Ok(element) = dom::from_template("warning-template") else { return };
        dom::set_field(&element, "what", &what(open.ids().len()));
        dom::set_field(&element, "reason", reason);
        for (button, label) in [("confirm", "warningConfirm"), ("take-back", "warningTakeBack")] {
            let Some(button_element) = dom::field(&element, button) else { continue };
            dom::set_field(&element, button, &text(label));
            let taken_back = open.may_take_back();
            button_element.set_hidden(button == "take-back" && taken_back.is_none());
            let (desk, line) = (desk.clone(), element.clone());
            dom::on::<Event>(&button_element, "click", move |_| {
                if button == "confirm" {
                    desk.confirm_rows(|row| row.element == line);
                } else if let Some(id) = taken_back {
                    spawn_local(desk.clone().take_back(id));
                }
                desk.focus.back();
            });
        }
        let _ = self.list.append_with_node_1(&element);
        self.rows.borrow_mut().push(Row { open, element });
        self.list.set_hidden(false);
        // What has just been scanned is seen, however long the list is.
        self.list.set_scroll_top(self.list.scroll_height());
    }

    /// What was recorded for a patron, who was warned of and is gone. The name is empty where it is not known.
    pub(crate) fn add_patron(&self, desk: &Rc<Desk>, open: OpenWarning, name: &str) {
        let who = wording::joined([name, open.card().unwrap_or_default()]);
        let reason = in_words(open.warnings());
        self.add(desk, open, |number| plural("warningsOfPatron", number, &[&who]), &reason);
    }

    /// Keeps the lines of which this is true.
    fn retain(&self, mut is_kept: impl FnMut(&mut Row) -> bool) {
        self.rows.borrow_mut().retain_mut(|row| {
            let is_kept = is_kept(row);
            if !is_kept {
                row.element.remove();
            }
            is_kept
        });
        self.list.set_hidden(self.rows.borrow().is_empty());
    }

    /// What waits to be confirmed.
    pub(crate) fn kept(&self) -> Vec<TransactionId> {
        self.rows.borrow().iter().flat_map(|row| row.open.ids().iter().copied()).collect()
    }

    /// The records are gone: what is to be confirmed stays, without names.
    pub(crate) fn forget_names(&self) {
        for Row { open, element } in &*self.rows.borrow() {
            dom::set_field(element, "reason", &in_words(open.warnings()));
            if let Some(card) = open.card() {
                dom::set_field(element, "what", &plural("warningsOfPatron", open.ids().len(), &[card]));
            }
        }
    }
}

/// What was confirmed, corrected, taken back or cleared, here or in another window, is not to be confirmed any more.
pub(crate) fn follow(desk: &Rc<Desk>, event: &LogEvent) {
    desk.warnings.retain(|row| row.open.follow(event));
}

impl Desk {
    /// Keeps with a transaction what the person is warned of, and says so. `of_item` is what of it is about the item.
    pub(crate) async fn warn(self: &Rc<Self>, entry: &Entry, warned: &[Warned], of_item: &[ItemWarning]) {
        if warned.is_empty() {
            return;
        }
        let rule = |now: &Entry| if holder::is_up_to_date(entry, now) { now.warned(warned) } else { now.clone() };
        let kept = match self.store.warn(&[entry.id], rule).await {
            Ok(kept) => kept,
            // Cleared meanwhile.
            Err(StoreError::NotOpen(_)) => return,
            Err(error) => return self.failed(Topic::Other, "editFailed", &error),
        };
        let is_up_to_date = kept.iter().all(|now| holder::is_up_to_date(entry, now));
        self.log_changed(&LogEvent::Changed(kept));
        if !is_up_to_date {
            return;
        }
        let action = &entry.transaction.action;
        let of_patron = warned.iter().filter(|warned| warned.warning.is_of_patron() && warned.confirmed.is_none());
        let of_patron: Vec<Warning> = of_patron.map(|warned| warned.warning.clone()).collect();
        if let Some(card) = action.cardnumber().filter(|_| !of_patron.is_empty()) {
            if !self.patron.shows(card.as_str()) {
                // A scanner was faster than the look-up.
                let name = self.name_of(card.as_str()).await.unwrap_or_default();
                self.warnings.add_patron(self, OpenWarning::of_patron(card.as_str(), entry.id, of_patron), &name);
            } else if let Some(confirmed) = self.patron.wait_for(entry.id) {
                self.clone().keep_confirmed(vec![entry.id], confirmed, Warning::is_of_patron).await;
            }
        }
        if !of_item.is_empty() {
            let barcode = action.barcode().map(ToString::to_string).unwrap_or_default();
            let reason = of_item.iter().map(|about| self.words_of(about)).collect::<Vec<_>>().join(" ");
            let warnings = of_item.iter().map(|about| about.warning.clone()).collect();
            self.warnings.add(self, OpenWarning::of_item(entry.id, warnings), |_| barcode.clone(), &reason);
            self.message.answer(Tone::Doubt, &text_with("itemWarned", &[&barcode, &reason]));
        }
    }

    async fn name_of(&self, card: &str) -> Option<String> {
        Some(self.records.get()?.patron_by_code(card).await.ok()??.name())
    }

    fn confirm_rows(self: &Rc<Self>, is_confirmed: impl Fn(&Row) -> bool) {
        let Some(now) = clock::now() else { return };
        let mut confirmed = Vec::new();
        self.warnings.retain(|row| {
            let is_kept = !is_confirmed(row);
            if !is_kept {
                confirmed.push(row.open.clone());
            }
            is_kept
        });
        for open in confirmed {
            self.message.show(Tone::Good, &text("warningsConfirmed"));
            let ids = open.ids().to_vec();
            spawn_local(self.clone().keep_confirmed(ids, now, move |warning| open.confirms(warning)));
        }
    }

    /// Confirms everything that the person is warned of.
    pub(crate) fn confirm_all(self: &Rc<Self>) {
        self.confirm_patron();
        self.confirm_rows(|_| true);
        self.focus.back();
    }

    /// Keeps in the log that a person has confirmed these.
    pub(crate) async fn keep_confirmed(
        self: Rc<Self>,
        ids: Vec<TransactionId>,
        now: Moment,
        which: impl Fn(&Warning) -> bool,
    ) {
        if ids.is_empty() {
            return;
        }
        match self.store.warn(&ids, |entry| entry.confirmed(now, &which)).await {
            Ok(entries) => self.log_changed(&LogEvent::Changed(entries)),
            Err(error) => self.failed(Topic::Other, "editFailed", &error),
        }
    }
}

/// Warnings in one line, without names.
fn in_words<'a>(warnings: impl IntoIterator<Item = &'a Warning>) -> String {
    let words = warnings.into_iter().map(|warning| wording::warning(warning, "", &str::to_owned));
    words.collect::<Vec<_>>().join(" ")
}

/// What was warned of, in one line: for the table.
pub(crate) fn in_short(warnings: &[Warned]) -> String {
    in_words(warnings.iter().map(|warned| &warned.warning))
}

/// What was warned of and when it was confirmed, a line each: for the history.
pub(crate) fn in_full(list: &Element, warnings: &[Warned]) -> Result<(), JsValue> {
    for warned in warnings {
        let line = dom::document()?.create_element("li")?;
        let words = wording::warning(&warned.warning, "", &str::to_owned);
        let confirmed = match warned.confirmed {
            Some(moment) => text_with("warningConfirmed", &[&wording::moment(moment)]),
            None => text("warningNotConfirmed"),
        };
        line.set_text_content(Some(&format!("{words} {confirmed}")));
        list.append_with_node_1(&line)?;
    }
    Ok(())
}
