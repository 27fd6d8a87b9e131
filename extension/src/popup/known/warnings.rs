//! The list of what a person was warned of and has not confirmed: in place, and in nobody's way.

use crate::{
    clock,
    dom::{self, elements},
    i18n::{plural, text, text_with},
    later::later,
    popup::{Desk, Panel, Tone, Topic},
    wording,
};
use koct_core::{
    Moment, TransactionId,
    directory::to_confirm::OpenWarning,
    log::{
        event::LogEvent,
        warned::{Warned, Warning},
    },
};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement};

/// Something that is to be confirmed, and its line.
struct Row {
    open: OpenWarning,
    element: HtmlElement,
}

elements! {
    pub(crate) struct Warnings(desk: Rc<Desk>) {
        list: HtmlElement = "warnings",
        ;
        rows: RefCell<Vec<Row>>,
    }
}

impl Warnings {
    /// Adds a line. `what` says what it is about, by the number of transactions.
    pub(super) fn add(self: &Rc<Self>, mut open: OpenWarning, what: impl Fn(usize) -> String, reason: &str) {
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
            let line = element.clone();
            dom::bind(&button_element, "click", self, move |this| {
                if button == "confirm" {
                    this.confirm_rows(|row| row.element == line);
                } else if let Some(id) = taken_back {
                    spawn_local(this.desk.clone().take_back(id));
                }
                this.desk.focus.back();
            });
        }
        let _ = self.list.append_with_node_1(&element);
        self.rows.borrow_mut().push(Row { open, element });
        self.list.set_hidden(false);
        // What has just been scanned is seen, however long the list is.
        self.list.set_scroll_top(self.list.scroll_height());
    }

    /// What was recorded for a patron, who was warned of and is gone. The name is empty where it is not known.
    pub(crate) fn add_patron(self: &Rc<Self>, open: OpenWarning, name: &str) {
        let who = wording::joined([name, open.card().unwrap_or_default()]);
        let reason = in_words(open.warnings());
        self.add(open, |number| plural("warningsOfPatron", number, &[&who]), &reason);
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

    /// Confirms everything in the list.
    pub(crate) fn confirm_all(self: &Rc<Self>) {
        self.confirm_rows(|_| true);
    }

    fn confirm_rows(self: &Rc<Self>, is_confirmed: impl Fn(&Row) -> bool) {
        let Some(now) = clock::now() else { return };
        let mut confirmed = Vec::new();
        self.retain(|row| {
            let is_kept = !is_confirmed(row);
            if !is_kept {
                confirmed.push(row.open.clone());
            }
            is_kept
        });
        for open in confirmed {
            self.desk.message.show(Tone::Good, &text("warningsConfirmed"));
            let ids = open.ids().to_vec();
            spawn_local(self.clone().keep_confirmed(ids, now, move |warning| open.confirms(warning)));
        }
    }

    /// Keeps in the log that a person has confirmed these.
    pub(crate) async fn keep_confirmed(
        self: Rc<Self>,
        ids: Vec<TransactionId>,
        now: Moment,
        which: impl Fn(&Warning) -> bool + 'static,
    ) {
        if !ids.is_empty() {
            keep_confirmed(self, ids, now, Box::new(which)).await;
        }
    }
}

later! {
    async fn keep_confirmed(
        warnings: Rc<Warnings>,
        ids: Vec<TransactionId>,
        now: Moment,
        which: Box<dyn Fn(&Warning) -> bool>,
    ) {
        match warnings.desk.store.warn(&ids, |entry| entry.confirmed(now, &which)).await {
            Ok(entries) => warnings.desk.log_changed(&LogEvent::Changed(entries)),
            Err(error) => warnings.desk.failed(Topic::Other, "editFailed", &error),
        }
    }
}

impl Panel for Warnings {
    /// What was confirmed, corrected, taken back or cleared, here or in another window, is not to be confirmed any more.
    fn follow(self: Rc<Self>, event: &LogEvent) {
        self.retain(|row| row.open.follow(event));
    }

    /// What waits to be confirmed.
    fn kept(&self) -> Vec<TransactionId> {
        self.rows.borrow().iter().flat_map(|row| row.open.ids().iter().copied()).collect()
    }

    /// Without the records, what is to be confirmed stays, without names.
    fn records_changed(self: Rc<Self>, are_there: bool) {
        if !are_there {
            for Row { open, element } in &*self.rows.borrow() {
                dom::set_field(element, "reason", &in_words(open.warnings()));
                if let Some(card) = open.card() {
                    dom::set_field(element, "what", &plural("warningsOfPatron", open.ids().len(), &[card]));
                }
            }
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
        let words = wording::warning(&warned.warning, "", &str::to_owned);
        let confirmed = match warned.confirmed {
            Some(moment) => text_with("warningConfirmed", &[&wording::moment(moment)]),
            None => text("warningNotConfirmed"),
        };
        list.append_with_node_1(&*dom::line(&format!("{words} {confirmed}"))?)?;
    }
    Ok(())
}
