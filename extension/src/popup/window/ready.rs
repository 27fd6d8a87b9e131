//! The line in the bar that says what keeps this desk from being ready, and the ways to the page that says it all.

use crate::{
    dom::{self, elements},
    i18n::text_with,
    latest::Latest,
    popup::{Desk, Panel, known::records::RecordsPanel},
    ready::{self, Held, words},
    webext,
};
use koct_core::koha::ready::in_window;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlElement;

const PAGE: &str = "options/ready.html";

elements! {
    pub(crate) struct ReadyLine(desk: Rc<Desk>, records: Rc<RecordsPanel>) {
        line: HtmlElement = "ready-line",
        ;
        /// Counts how often it was looked: only the last counts.
        asked: Latest,
    }
}

impl Panel for ReadyLine {
    /// Tests and what Koha's clock shows are kept where the settings are.
    fn show_settings(self: Rc<Self>) {
        self.look();
    }
}

impl ReadyLine {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        for id in ["open-ready", "ready-line"] {
            dom::on_click(id, self, |this| {
                this.desk.focus.back();
                spawn_local(async {
                    let _ = webext::open_tab(&webext::get_url(PAGE)).await;
                });
            })?;
        }
        Ok(())
    }

    /// What this window knows of what is kept. There is no window without a log.
    pub(crate) fn held(&self) -> Held {
        let (records, records_as_of) = self.records.standing();
        Held { records, records_as_of, has_log: true }
    }

    pub(crate) fn look(self: Rc<Self>) {
        let asked = self.asked.ask();
        spawn_local(async move {
            let preferences = self.desk.preferences.borrow().clone();
            let worst = in_window(&ready::verdicts(&preferences, self.held()).await);
            if !self.asked.is(asked) {
                return;
            }
            let words = worst.map(|worst| text_with("readyLine", &[&words::line(worst.line)])).unwrap_or_default();
            let why = worst.map(|worst| words::finding(worst.finding)).unwrap_or_default();
            self.line.set_hidden(worst.is_none());
            if self.line.text_content().as_deref() != Some(&words) {
                self.line.set_text_content(Some(&words));
            }
            self.line.set_title(&why);
        });
    }
}
