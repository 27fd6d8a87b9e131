//! What a person was warned of: whoever goes on has seen it, and the log keeps that; and its words for the table and the history.

use crate::{
    clock,
    dom::{self, elements},
    i18n::{text, text_with},
    later::later,
    popup::{Desk, Panel, Topic},
    wording,
};
use koct_core::{
    Entry, Moment, TransactionId,
    log::{event::LogEvent, seen_warnings::SeenWarnings, warned::Warned},
};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;

elements! {
    pub(crate) struct Warnings(desk: Rc<Desk>) {
        ;
        /// What is before the person's eyes.
        shown: RefCell<SeenWarnings>,
    }
}

impl Warnings {
    /// What this one warns of is shown.
    pub(super) fn shown(&self, entry: &Entry) {
        self.shown.borrow_mut().see(entry, |warning| !warning.is_stop());
    }

    /// The person goes on: what was shown is seen.
    pub(crate) fn go_on(self: &Rc<Self>) {
        let seen = self.shown.take();
        if let Some(now) = clock::now().filter(|_| !seen.is_empty()) {
            let this = self.clone();
            spawn_local(async move {
                keep_confirmed(this, seen, now).await;
            });
        }
    }

    /// Keeps in the log that a person has confirmed these, as they have seen them. Returns whether it is kept; where it
    /// is not, that is said.
    pub(crate) async fn keep_confirmed(self: Rc<Self>, seen: SeenWarnings, now: Moment) -> bool {
        keep_confirmed(self, seen, now).await
    }
}

later! {
    async fn keep_confirmed(warnings: Rc<Warnings>, seen: SeenWarnings, now: Moment) -> bool {
        match warnings.desk.store.warn(&seen.ids(), |entry| seen.confirm(entry, now)).await {
            Ok(entries) => {
                warnings.desk.log_changed(&LogEvent::Changed(entries));
                true
            }
            Err(error) => {
                warnings.desk.failed(Topic::Other, "editFailed", &error);
                false
            }
        }
    }
}

impl Panel for Warnings {
    fn follow(self: Rc<Self>, event: &LogEvent) {
        self.shown.borrow_mut().follow(event);
    }

    fn kept(&self) -> Vec<TransactionId> {
        self.shown.borrow().ids()
    }
}

/// What was warned of, in one line, without names: for the table.
pub(crate) fn in_short(warnings: &[Warned]) -> String {
    let words = warnings.iter().map(|warned| wording::warning(&warned.warning, "", &str::to_owned));
    let as_of = Warned::oldest(warnings).map(wording::as_of);
    wording::joined([words.collect::<Vec<_>>().join(" ")].into_iter().chain(as_of))
}

/// What was warned of and when it was confirmed, a line each: for the history.
pub(crate) fn in_full(list: &Element, warnings: &[Warned]) -> Result<(), JsValue> {
    for warned in warnings {
        let words = wording::warning(&warned.warning, "", &str::to_owned);
        let words = wording::joined([words].into_iter().chain(warned.as_of.map(wording::as_of)));
        let confirmed = match warned.confirmed {
            Some(moment) => text_with("warningConfirmed", &[&wording::moment(moment)]),
            None => text("warningNotConfirmed"),
        };
        list.append_with_node_1(&*dom::line(&format!("{words} {confirmed}"))?)?;
    }
    Ok(())
}
