//! The line in the bar that says what keeps this desk from being ready, and the ways to the page that says it all.

use crate::{
    dom::{self, elements},
    i18n::text_with,
    popup::{Desk, Panel},
    ready::{self, words},
    webext,
};
use koct_core::koha::ready::in_window;
use std::{cell::Cell, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlElement;

const PAGE: &str = "options/ready.html";

elements! {
    pub(crate) struct ReadyLine(desk: Rc<Desk>) {
        line: HtmlElement = "ready-line",
        ;
        is_looking: Cell<bool>,
    }
}

impl Panel for ReadyLine {
    /// Tests and what Koha's clock shows are kept where the settings are.
    fn settings_changed(self: Rc<Self>) {
        self.look();
    }

    fn records_changed(self: Rc<Self>, _are_there: bool) {
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
        self.clone().look();
        Ok(())
    }

    fn look(self: Rc<Self>) {
        if self.is_looking.replace(true) {
            return;
        }
        spawn_local(async move {
            let worst = in_window(&ready::verdicts().await);
            self.is_looking.set(false);
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
