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
    log::{
        event::LogEvent,
        warned::{Warned, Warning},
    },
};
use std::{cell::RefCell, collections::BTreeSet, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;

elements! {
    pub(crate) struct Warnings(desk: Rc<Desk>) {
        ;
        /// Those whose warnings are before the person's eyes.
        shown: RefCell<BTreeSet<TransactionId>>,
    }
}

impl Warnings {
    /// What this one warns of is shown.
    pub(super) fn shown(&self, entry: &Entry) {
        let is_open = |warned: &Warned| warned.confirmed.is_none() && !warned.warning.is_stop();
        if entry.warnings.iter().any(is_open) {
            self.shown.borrow_mut().insert(entry.id);
        }
    }

    /// The person goes on: what was shown is seen.
    pub(crate) fn go_on(self: &Rc<Self>) {
        let seen: Vec<TransactionId> = self.shown.take().into_iter().collect();
        if let Some(now) = clock::now().filter(|_| !seen.is_empty()) {
            spawn_local(self.clone().keep_confirmed(seen, now, |warning| !warning.is_stop()));
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
    /// What was cleared is nobody's to see.
    fn follow(self: Rc<Self>, event: &LogEvent) {
        self.shown.borrow_mut().retain(|id| !event.is_gone(*id));
    }

    fn kept(&self) -> Vec<TransactionId> {
        self.shown.borrow().iter().copied().collect()
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
