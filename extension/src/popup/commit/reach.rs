//! The sign that says whether Koha can be reached. Nothing is sent without a person.

use crate::{
    dom::elements,
    http::Http,
    i18n::{text, text_with},
    locale,
    popup::{Desk, Panel},
    preferences,
    timer::sleep,
    webext,
};
use koct_core::{State, koha::rest, log::Counts};
use std::{cell::Cell, rc::Rc, time::Duration};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlElement;

/// How often Koha is looked for while it is missed or transactions wait, and how often else: seldom enough that many desks
/// together are no load for it.
const EVERY: Duration = Duration::from_secs(30);
const SELDOM: Duration = Duration::from_mins(2);

elements! {
    pub(crate) struct Reach(desk: Rc<Desk>) {
        sign: HtmlElement = "reachable",
        ;
        /// What was found last; `None` where Koha may not be asked.
        is_there: Cell<Option<bool>>,
    }
}

impl Panel for Reach {
    fn show_counts(&self, _counts: Counts) {
        self.show();
    }

    fn settings_changed(self: Rc<Self>) {
        // A server that does not answer must not keep the settings from being followed.
        spawn_local(async move { self.look().await });
    }
}

impl Reach {
    /// Looks for Koha as long as the window lives.
    pub(crate) fn bind(self: &Rc<Self>) {
        let this = self.clone();
        spawn_local(async move {
            loop {
                this.look().await;
                let waits = this.desk.counts.get().of(State::Local) > 0;
                sleep(if this.is_there.get() != Some(true) || waits { EVERY } else { SELDOM }).await;
            }
        });
    }

    /// Looks for Koha now, and says what was found.
    async fn look(&self) {
        // A commit sees for itself.
        if !self.desk.committing.get() {
            self.is_there.set(self.koha_is_there().await);
            self.show();
        }
    }

    /// Whether Koha's staff client answers, asked without logging in, so that Koha keeps no session for it. `None` where it
    /// may not be asked.
    async fn koha_is_there(&self) -> Option<bool> {
        let settings = self.desk.settings()?;
        let pattern = settings.server.permission_pattern();
        let allowed = webext::contains_permissions(&preferences::origins(&pattern)).await;
        if !allowed.is_ok_and(|allowed| allowed.is_truthy()) {
            return None;
        }
        let http = Http::isolated(&pattern);
        Some(http.send(&rest::anyone_there(&settings)).await.is_ok_and(|response| rest::is_koha(&response)))
    }

    /// The sign keeps its place whatever it says, so that nothing moves below a hand that is about to press a button.
    fn show(&self) {
        let waiting = self.desk.counts.get().of(State::Local);
        let (state, words) = match self.is_there.get() {
            None => ("", String::new()),
            Some(false) => ("offline", text("unreachable")),
            Some(true) if waiting == 0 => ("online", text("reachable")),
            Some(true) => ("online", text_with("reachableWaiting", &[&locale::number(waiting)])),
        };
        let sign = &self.sign;
        // Said at each scan, and painted only when it differs.
        if sign.text_content().as_deref() == Some(&words) {
            return;
        }
        sign.set_text_content(Some(&words));
        sign.set_title(&words);
        let _ = sign.set_attribute("data-state", state);
    }
}
