//! The sign that says whether Koha can be reached. Nothing is sent without a person.

use crate::{
    clock,
    dom::elements,
    http::Http,
    i18n::{plural, text, text_with},
    popup::{Desk, Panel, Tone},
    preferences,
    timer::sleep,
    wording,
};
use koct_core::{
    State,
    koha::{rest, sight::Sight},
    log::Counts,
};
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
        send: HtmlElement = "commit",
        ;
        seen: Cell<Sight>,
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
                sleep(if this.seen.get().is_there() && !waits { SELDOM } else { EVERY }).await;
            }
        });
    }

    /// Looks for Koha now, and says what was found.
    async fn look(&self) {
        // A commit sees for itself.
        if !self.desk.committing.get() {
            let before = self.seen.get();
            self.seen.set(before.after(self.koha_is_there().await, clock::time()));
            let waiting = self.desk.counts.get().of(State::Local);
            if matches!((before, self.seen.get()), (Sight::Down { .. }, Sight::Back)) && waiting > 0 {
                self.desk.message.show(Tone::Good, &plural("kohaBack", waiting, &[]));
            }
            self.show();
        }
    }

    /// Whether Koha's staff client answers, asked without logging in, so that Koha keeps no session for it. `None` where it
    /// may not be asked.
    async fn koha_is_there(&self) -> Option<bool> {
        let settings = self.desk.settings()?;
        if !preferences::may_ask(&settings.server).await {
            return None;
        }
        let http = Http::isolated(&settings.server.permission_pattern());
        Some(http.send(&rest::anyone_there(&settings)).await.is_ok_and(|response| rest::is_koha(&response)))
    }

    /// An outage is never red: there is nothing wrong with going on. Sending is what to do next only while Koha is there and
    /// something waits.
    fn show(&self) {
        let waits = self.desk.counts.get().of(State::Local) > 0;
        if !waits {
            self.seen.set(self.seen.get().with_nothing_waiting());
        }
        let seen = self.seen.get();
        let _ = self.send.toggle_attribute_with_force("data-next", seen.is_there() && waits);
        let (state, words) = match seen {
            Sight::Unknown => ("", String::new()),
            Sight::Down { since } => ("offline", text_with("unreachable", &[&wording::time(since)])),
            Sight::Back => ("back", text("reachableBack")),
            Sight::Up => ("online", text("reachable")),
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
