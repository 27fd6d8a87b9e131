//! The sign that says whether Koha can be reached. Nothing is sent without a person.

use crate::{
    dom::elements,
    http::Http,
    i18n::{text, text_with},
    locale,
    popup::Desk,
    preferences,
    timer::sleep,
    webext,
};
use koct_core::{State, koha::rest};
use std::{cell::Cell, rc::Rc, time::Duration};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlElement;

/// How often Koha is looked for while it is missed or transactions wait, and how often else: seldom enough that many desks
/// together are no load for it.
const EVERY: Duration = Duration::from_secs(30);
const SELDOM: Duration = Duration::from_mins(2);

elements! {
    pub(crate) struct Reach {
        sign: HtmlElement = "reachable",
        ;
        /// What was found last; `None` where Koha may not be asked.
        is_there: Cell<Option<bool>>,
    }
}

/// Looks for Koha as long as the window lives.
pub(crate) fn bind(desk: &Rc<Desk>) {
    let desk = desk.clone();
    spawn_local(async move {
        loop {
            desk.look_for_koha().await;
            let is_missed = desk.reach.is_there.get() != Some(true) || desk.counts.get().of(State::Local) > 0;
            sleep(if is_missed { EVERY } else { SELDOM }).await;
        }
    });
}

impl Desk {
    /// Looks for Koha now, and says what was found.
    pub(crate) async fn look_for_koha(&self) {
        // A commit sees for itself.
        if !self.committing.get() {
            self.reach.is_there.set(self.koha_is_there().await);
            self.show_reachable();
        }
    }

    /// Whether Koha's staff client answers, asked without logging in, so that Koha keeps no session for it. `None` where it
    /// may not be asked.
    async fn koha_is_there(&self) -> Option<bool> {
        let settings = self.settings()?;
        let pattern = settings.server.permission_pattern();
        let allowed = webext::contains_permissions(&preferences::origins(&pattern)).await;
        if !allowed.is_ok_and(|allowed| allowed.is_truthy()) {
            return None;
        }
        let http = Http::isolated(&pattern);
        Some(http.send(&rest::anyone_there(&settings)).await.is_ok_and(|response| rest::is_koha(&response)))
    }

    /// The sign keeps its place whatever it says, so that nothing moves below a hand that is about to press a button.
    pub(crate) fn show_reachable(&self) {
        let waiting = self.counts.get().of(State::Local);
        let (state, words) = match self.reach.is_there.get() {
            None => ("", String::new()),
            Some(false) => ("offline", text("unreachable")),
            Some(true) if waiting == 0 => ("online", text("reachable")),
            Some(true) => ("online", text_with("reachableWaiting", &[&locale::number(waiting)])),
        };
        let sign = &self.reach.sign;
        // Said at each scan, and painted only when it differs.
        if sign.text_content().as_deref() == Some(&words) {
            return;
        }
        sign.set_text_content(Some(&words));
        sign.set_title(&words);
        let _ = sign.set_attribute("data-state", state);
    }
}
