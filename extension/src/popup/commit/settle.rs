//! Checkins that Koha refused since the item was not on loan there: nothing is to be done about them, and they are settled one by
//! one or all at once.

use crate::{
    clock,
    dom::{self, elements},
    i18n::{text, text_with},
    locale,
    popup::{Desk, Panel, Tone, Topic},
    store::StoreError,
    timer::sleep,
};
use koct_core::{
    Entry, State, TransactionId,
    log::{event::LogEvent, seen::Seen},
};
use std::{cell::Cell, rc::Rc, time::Duration};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement};

/// After what time a change is looked at: a commit makes hundreds a second.
const PAUSE: Duration = Duration::from_millis(500);

elements! {
    pub(crate) struct Settling(desk: Rc<Desk>) {
        panel: HtmlElement = "settle",
        text: Element = "settle-text",
        ;
        /// Whether a change will be looked at.
        is_due: Cell<bool>,
    }
}

impl Panel for Settling {
    fn follow(self: Rc<Self>, event: &LogEvent) {
        if !matches!(event, LogEvent::Recorded(_)) && !self.is_due.replace(true) {
            spawn_local(self.look());
        }
    }
}

/// Those about which nothing is to be done.
async fn harmless(desk: &Desk) -> Result<Vec<Entry>, StoreError> {
    let refused = desk.store.in_states(&[State::Rejected]).await?.into_entries();
    Ok(refused.into_iter().filter(Entry::was_not_on_loan).collect())
}

impl Settling {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::on_click("settle-all", self, |this| spawn_local(this.clone().settle_all()))
    }

    /// Shows how many there are; hides itself where there are none.
    async fn look(self: Rc<Self>) {
        sleep(PAUSE).await;
        self.is_due.set(false);
        let number = match self.desk.counts.get().of(State::Rejected) {
            0 => 0,
            // Whatever else reads the log says that it cannot be read.
            _ => harmless(&self.desk).await.map(|entries| entries.len()).unwrap_or_default(),
        };
        self.panel.set_hidden(number == 0);
        self.text.set_text_content(Some(&text_with("settleText", &[&locale::number(number)])));
    }

    async fn settle_all(self: Rc<Self>) {
        match harmless(&self.desk).await {
            Ok(entries) => settle(&self.desk, &entries).await,
            Err(error) => self.desk.failed(Topic::Change, "decideFailed", &error),
        }
    }
}

/// Settles these, as far as they are still as they were seen.
pub(crate) async fn settle(desk: &Rc<Desk>, entries: &[Entry]) {
    let (Some(now), Some(first)) = (clock::now(), entries.first()) else { return };
    let Some(_permit) = desk.may_change(first.id).await else { return };
    let seen: Seen = entries.iter().cloned().collect();
    let ids: Vec<TransactionId> = entries.iter().map(|entry| entry.id).collect();
    let rule = |entry: &Entry| if seen.is(entry) { entry.settled(now) } else { None };
    match desk.store.change(&ids, rule).await {
        Ok(changes) if changes.is_empty() => {
            desk.failed(Topic::Change, "decideFailed", &text("editGone"));
            desk.reload_log();
        }
        Ok(changes) => {
            let words = text_with("settledAll", &[&locale::number(changes.len())]);
            desk.apply(changes);
            desk.message.about(Topic::Change).show(Tone::Good, &words);
        }
        Err(error) => desk.failed(Topic::Change, "decideFailed", &error),
    }
}
