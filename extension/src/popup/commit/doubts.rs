//! All transactions in doubt at once: what to look at in Koha, and the person's decision.

use super::QUEUE;
use crate::{
    dom::{self, elements},
    i18n::{plural, text, text_with},
    locale, lock,
    popup::{
        Desk, Panel, Tone, Topic,
        window::question::{self, Question, Reply},
    },
    store::StoreError,
    wording::Explained as _,
};
use koct_core::{
    Entry, State, Status, TransactionId,
    log::{Counts, seen::Seen, status::Decision},
};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlAnchorElement, HtmlElement};

elements! {
    pub(crate) struct Doubts(desk: Rc<Desk>) {
        panel: HtmlElement = "doubts",
        text: Element = "doubts-text",
        link: HtmlAnchorElement = "doubts-link",
    }
}

impl Panel for Doubts {
    /// Shows how many there are; hides itself where there are none.
    fn show_counts(&self, counts: Counts) {
        let number = counts.of(State::InDoubt);
        self.panel.set_hidden(number == 0);
        self.text.set_text_content(Some(&plural("doubtsText", number, &[])));
    }

    /// Shows where Koha shows its queue.
    fn show_settings(self: Rc<Self>) {
        let settings = self.desk.settings();
        self.link.set_hidden(settings.is_none());
        self.link.set_href(&settings.map(|settings| settings.server.join(QUEUE)).unwrap_or_default());
    }
}

impl Doubts {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        for (id, decision) in [("doubts-in-koha", Decision::IsInKoha), ("doubts-send-again", Decision::SendAgain)] {
            dom::on_click(id, self, move |this| spawn_local(this.clone().decide_all(decision)))?;
        }
        Ok(())
    }

    /// Those in doubt that are decided about together.
    async fn to_decide(&self, decision: Decision) -> Result<Seen, StoreError> {
        let entries = self.desk.store.in_states(&[State::InDoubt]).await?.into_entries();
        Ok(entries.into_iter().filter(|entry| entry.decided_among_all(decision).is_some()).collect())
    }

    /// What becomes of those that were asked about and are still as they were then: another window may have decided
    /// meanwhile, and what came into doubt since was not asked about.
    async fn all_decided(&self, asked: &Seen, decision: Decision) -> Result<Vec<(TransactionId, Status)>, StoreError> {
        let entries = self.desk.store.in_states(&[State::InDoubt]).await?;
        let decided = |entry: &Entry| Some((entry.id, entry.decided_among_all(decision)?));
        Ok(entries.iter().filter(|entry| asked.is(entry)).filter_map(decided).collect())
    }

    async fn decide_all(self: Rc<Self>, decision: Decision) {
        let message = self.desk.message.about(Topic::Change);
        let failed = |error: StoreError| message.show(Tone::Bad, &text_with("decideFailed", &[&error.explained()]));
        let asked = match self.to_decide(decision).await {
            Ok(asked) => asked,
            Err(error) => return failed(error),
        };
        let [title, body, yes] = match decision {
            Decision::IsInKoha => ["doubtsInKohaTitle", "doubtsInKohaText", "doubtsInKohaYes"],
            Decision::SendAgain => ["doubtsAgainTitle", "doubtsAgainText", "doubtsAgainYes"],
        };
        let (title, body, yes) = (plural(title, asked.len(), &[]), text(body), text(yes));
        let question = Question { title: &title, text: &body, yes: &yes, ..Question::default() };
        if question::ask(question).await != Ok(Reply::Yes) {
            return;
        }
        let Some(_lock) = lock::lock().await else { return message.show(Tone::Bad, &text("commitBusy")) };
        let decided = match self.all_decided(&asked, decision).await {
            Ok(decided) => decided,
            Err(error) => return failed(error),
        };
        match self.desk.store.set_statuses(&decided).await {
            Ok(changes) => {
                self.desk.apply(changes);
                self.desk
                    .message
                    .about(Topic::Change)
                    .show(Tone::Good, &text_with("decidedAll", &[&locale::number(decided.len())]));
            }
            Err(error) => self.desk.failed(Topic::Change, "decideFailed", &error),
        }
    }
}
