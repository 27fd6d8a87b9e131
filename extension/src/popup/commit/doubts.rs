//! All transactions in doubt at once: what to look at in Koha, and the person's decision.

use super::QUEUE;
use crate::{
    dom::{self, elements},
    i18n::{plural, text, text_with},
    locale, lock,
    popup::{
        Desk, Tone, Topic,
        window::question::{self, Question, Reply},
    },
    store::StoreError,
};
use koct_core::{Entry, State, Status, TransactionId, log::status::Decision};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlAnchorElement, HtmlElement};

elements! {
    pub(crate) struct Doubts {
        panel: HtmlElement = "doubts",
        text: Element = "doubts-text",
        link: HtmlAnchorElement = "doubts-link",
    }
}

impl Doubts {
    /// Shows how many there are; hides itself where there are none.
    pub(crate) fn show(&self, number: u32) {
        self.panel.set_hidden(number == 0);
        self.text.set_text_content(Some(&plural("doubtsText", number, &[])));
    }

    /// Where Koha shows its queue.
    pub(crate) fn link_to(&self, server: Option<&koct_core::settings::form::ServerUrl>) {
        self.link.set_hidden(server.is_none());
        self.link.set_href(&server.map(|server| server.join(QUEUE)).unwrap_or_default());
    }
}

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    for (id, decision) in [("doubts-in-koha", Decision::IsInKoha), ("doubts-send-again", Decision::SendAgain)] {
        dom::on_click(id, desk, move |desk| spawn_local(desk.clone().decide_all(decision)))?;
    }
    Ok(())
}

impl Desk {
    /// What becomes of those in doubt that are decided about together.
    async fn all_decided(&self, decision: Decision) -> Result<Vec<(TransactionId, Status)>, StoreError> {
        let entries = self.store.in_states(&[State::InDoubt]).await?;
        let decided = |entry: &Entry| Some((entry.id, entry.decided_among_all(decision)?));
        Ok(entries.iter().filter_map(decided).collect())
    }

    async fn decide_all(self: Rc<Self>, decision: Decision) {
        let message = self.message.about(Topic::Change);
        let failed = |error: StoreError| message.show(Tone::Bad, &text_with("decideFailed", &[&error.to_string()]));
        let number = match self.all_decided(decision).await {
            Ok(decided) => decided.len(),
            Err(error) => return failed(error),
        };
        let [title, body, yes] = match decision {
            Decision::IsInKoha => ["doubtsInKohaTitle", "doubtsInKohaText", "doubtsInKohaYes"],
            Decision::SendAgain => ["doubtsAgainTitle", "doubtsAgainText", "doubtsAgainYes"],
        };
        let (title, body, yes) = (plural(title, number, &[]), text(body), text(yes));
        let question = Question { title: &title, text: &body, yes: &yes, ..Question::default() };
        if question::ask(question).await != Ok(Reply::Yes) {
            return;
        }
        let Some(_lock) = lock::lock().await else { return message.show(Tone::Bad, &text("commitBusy")) };
        // Read anew: another window may have decided meanwhile.
        let decided = match self.all_decided(decision).await {
            Ok(decided) => decided,
            Err(error) => return failed(error),
        };
        match self.store.set_statuses(&decided).await {
            Ok(changes) => {
                self.apply(changes);
                self.message
                    .about(Topic::Change)
                    .show(Tone::Good, &text_with("decidedAll", &[&locale::number(decided.len())]));
            }
            Err(error) => self.failed(Topic::Change, "decideFailed", &error),
        }
    }
}
