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
    Entry, Moment, State, TransactionId,
    desk::barcode::same_code,
    log::{
        event::LogEvent,
        warned::{Warned, Warning},
    },
};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlElement};

/// Something that is to be confirmed.
#[derive(Clone)]
struct OpenWarning {
    /// The card, where it is about a patron; confirmed are then only the warnings about her.
    card: Option<String>,
    ids: Vec<TransactionId>,
    warnings: Vec<Warning>,
    element: HtmlElement,
}

elements! {
    pub(crate) struct Warnings {
        list: HtmlElement = "warnings",
        ;
        rows: RefCell<Vec<OpenWarning>>,
    }
}

impl Warnings {
    fn add(
        &self,
        desk: &Rc<Desk>,
        card: Option<&str>,
        ids: Vec<TransactionId>,
        warnings: &[Warning],
        words: [&str; 2],
    ) {
        let [what, reason] = words;
        // Looked up once more, after a correction.
        self.remove(|row| row.card.is_none() && card.is_none() && row.ids == ids);
        // The page is checked at start; without the template the message line still tells.
        let Ok(element) = dom::from_template("warning-template") else { return };
        dom::set_field(&element, "what", what);
        dom::set_field(&element, "reason", reason);
        let row = OpenWarning { card: card.map(str::to_owned), ids, warnings: warnings.to_vec(), element };
        for (button, label) in [("confirm", "warningConfirm"), ("take-back", "warningTakeBack")] {
            let Some(button_element) = dom::field(&row.element, button) else { continue };
            dom::set_field(&row.element, button, &text(label));
            // Things that a patron has at home by now are not taken back by one button.
            button_element.set_hidden(button == "take-back" && row.card.is_some());
            let (desk, row) = (desk.clone(), row.clone());
            dom::on::<Event>(&button_element, "click", move |_| {
                if button == "confirm" {
                    desk.confirm_row(&row);
                } else if let Some(id) = row.ids.first() {
                    spawn_local(desk.clone().take_back(*id));
                }
                desk.focus.back();
            });
        }
        let _ = self.list.append_with_node_1(&row.element);
        self.rows.borrow_mut().push(row);
        self.list.set_hidden(false);
        // What has just been scanned is seen, however long the list is.
        self.list.set_scroll_top(self.list.scroll_height());
    }

    /// What was recorded for a patron, who was warned of and is gone.
    pub(crate) fn add_patron(
        &self,
        desk: &Rc<Desk>,
        card: &str,
        name: Option<String>,
        warnings: &[Warning],
        ids: Vec<TransactionId>,
    ) {
        let who = wording::joined([&name.unwrap_or_default(), card]);
        let what = plural("warningsOfPatron", ids.len(), &[&who]);
        let reasons: Vec<String> =
            warnings.iter().map(|warning| wording::warning(warning, "", &|code| desk.library_name(code))).collect();
        self.add(desk, Some(card), ids, warnings, [&what, &reasons.join(" ")]);
    }

    fn remove(&self, is_gone: impl Fn(&OpenWarning) -> bool) {
        self.rows.borrow_mut().retain(|row| {
            let is_gone = is_gone(row);
            if is_gone {
                row.element.remove();
            }
            !is_gone
        });
        self.list.set_hidden(self.rows.borrow().is_empty());
    }

    /// What waits to be confirmed.
    pub(crate) fn kept(&self) -> Vec<TransactionId> {
        self.rows.borrow().iter().flat_map(|row| row.ids.iter().copied()).collect()
    }

    /// The records are gone: what is to be confirmed stays, without names.
    pub(crate) fn forget_names(&self) {
        for row in &*self.rows.borrow() {
            let reasons = row.warnings.iter().map(|warning| wording::warning(warning, "", &str::to_owned));
            dom::set_field(&row.element, "reason", &reasons.collect::<Vec<_>>().join(" "));
            if let Some(card) = &row.card {
                dom::set_field(&row.element, "what", &plural("warningsOfPatron", row.ids.len(), &[card]));
            }
        }
    }
}

/// What was confirmed, corrected, taken back or cleared, here or in another window, is not to be confirmed any more.
pub(crate) fn follow(desk: &Rc<Desk>, event: &LogEvent) {
    for row in &mut *desk.warnings.rows.borrow_mut() {
        row.ids.retain(|id| event.still_awaits(*id, row.card.is_some()));
    }
    desk.warnings.remove(|row| row.ids.is_empty());
}

impl Desk {
    /// Keeps with a transaction what the person is warned of, and says so. `said` is what it is about the item, in words.
    pub(crate) async fn warn(self: &Rc<Self>, entry: &Entry, warned: &[Warned], said: &[String]) {
        if warned.is_empty() {
            return;
        }
        let kept = match self.store.warn(&[entry.id], |entry| entry.warned(warned)).await {
            Ok(kept) => kept,
            // Cleared meanwhile.
            Err(StoreError::NotOpen(_)) => return,
            Err(error) => return self.failed(Topic::Other, "editFailed", &error),
        };
        let is_taken_back = kept.iter().any(|entry| entry.status.state() == State::Deleted);
        self.log_changed(&LogEvent::Changed(kept));
        if is_taken_back {
            return;
        }
        let action = &entry.transaction.action;
        let about = |patron: bool| -> Vec<Warning> {
            let these = warned.iter().filter(|warned| warned.warning.is_of_patron() == patron);
            these.map(|warned| warned.warning.clone()).collect()
        };
        if warned.iter().any(|warned| warned.warning.is_of_patron() && warned.confirmed.is_none())
            && let Some(card) = action.cardnumber()
        {
            if self.patron.shows(card.as_str()) {
                self.patron.wait_for(entry.id);
            } else {
                self.warn_of_patron(card.as_str(), about(true), entry.id).await;
            }
        }
        if !said.is_empty() {
            let barcode = action.barcode().map(ToString::to_string).unwrap_or_default();
            let reason = said.join(" ");
            self.warnings.add(self, None, vec![entry.id], &about(false), [&barcode, &reason]);
            self.message.answer(Tone::Doubt, &text_with("itemWarned", &[&barcode, &reason]));
        }
    }

    /// A patron who is not shown any more: a scanner was faster than the look-up.
    async fn warn_of_patron(self: &Rc<Self>, card: &str, warnings: Vec<Warning>, id: TransactionId) {
        let before = {
            let rows = self.warnings.rows.borrow();
            let is_hers = |row: &&OpenWarning| row.card.as_deref().is_some_and(|other| same_code(other, card));
            rows.iter().find(is_hers).map(|row| row.ids.clone())
        };
        let mut ids = before.unwrap_or_default();
        ids.push(id);
        let name = match self.records.get() {
            Some(records) => records.patron_by_code(card).await.ok().flatten().map(|patron| patron.name()),
            None => None,
        };
        self.warnings.remove(|row| row.card.as_deref().is_some_and(|other| same_code(other, card)));
        self.warnings.add_patron(self, card, name, &warnings, ids);
    }

    fn confirm_row(self: &Rc<Self>, row: &OpenWarning) {
        let Some(now) = clock::now() else { return };
        self.warnings.remove(|other| other.element == row.element);
        self.message.show(Tone::Good, &text("warningsConfirmed"));
        let is_of_patron = row.card.is_some();
        let which = move |warning: &Warning| warning.is_of_patron() == is_of_patron;
        spawn_local(self.clone().keep_confirmed(row.ids.clone(), now, which));
    }

    /// Confirms everything that the person is warned of.
    pub(crate) fn confirm_all(self: &Rc<Self>) {
        self.confirm_patron();
        let rows = self.warnings.rows.borrow().clone();
        for row in rows {
            self.confirm_row(&row);
        }
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

/// What was warned of, in one line: for the table.
pub(crate) fn in_short(warnings: &[Warned]) -> String {
    let words = warnings.iter().map(|warned| wording::warning(&warned.warning, "", &str::to_owned));
    words.collect::<Vec<_>>().join(" ")
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
