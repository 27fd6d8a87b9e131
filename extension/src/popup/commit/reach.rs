//! The sign that says whether Koha can be reached: as the window sees by itself, and as pages of Koha in tabs show. Nothing is sent
//! without a person.

use crate::{
    badge, clock,
    dom::{self, elements},
    i18n::{plural, text, text_with},
    outage::{self, Said},
    popup::{Desk, Panel, Tone},
    ready,
    timer::sleep,
    wording,
};
use koct_core::{
    Settings, State,
    koha::sight::{ReachSign, Watch},
    log::Counts,
};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlElement;

elements! {
    pub(crate) struct Reach(desk: Rc<Desk>) {
        sign: HtmlElement = "reachable",
        send: HtmlElement = "commit",
        /// A person goes on without Koha, or says that it works.
        turn: HtmlElement = "offline-now",
        ;
        watch: RefCell<Watch>,
    }
}

impl Panel for Reach {
    fn show_counts(&self, _counts: Counts) {
        self.show();
    }

    fn settings_changed(self: Rc<Self>) {
        // A server that does not answer must not keep the settings from being followed.
        spawn_local(async move { self.follow_settings().await });
    }
}

impl Reach {
    /// Looks for Koha as long as the window lives.
    pub(crate) fn bind(self: &Rc<Self>) {
        dom::bind(&self.turn, "click", self, |reach| {
            // It comes back as a change of what is kept.
            spawn_local(if reach.watch.borrow().is_out() { Said::Online } else { Said::Offline }.tell());
            reach.desk.focus.back();
        });
        let this = self.clone();
        spawn_local(async move {
            loop {
                this.look().await;
                let pause = this.watch.borrow().looks_again_after(this.waiting());
                sleep(pause).await;
            }
        });
    }

    /// How many transactions wait for Koha.
    fn waiting(&self) -> u32 {
        self.desk.counts.get().of(State::Local)
    }

    /// What is kept has changed.
    async fn follow_settings(&self) {
        if !self.desk.committing.get() && self.heed(self.desk.settings().as_ref()).await {
            self.look().await;
        }
    }

    /// Looks for Koha now, and says what was found.
    async fn look(&self) {
        // A commit sees for itself.
        if self.desk.committing.get() {
            return;
        }
        let settings = self.desk.settings();
        self.watch.borrow_mut().looks(settings.as_ref());
        self.heed(settings.as_ref()).await;
        let is_there = ready::koha_is_there(settings.as_ref().map(|settings| &settings.server)).await;
        let waiting = self.waiting();
        let looked = self.watch.borrow_mut().looked(is_there, waiting, clock::time());
        if looked.news.is_some() {
            self.desk.message.show_besides(Tone::Good, &plural("kohaBack", waiting, &[]));
        }
        self.show();
        if looked.ends_outage {
            Said::Answered.tell().await;
        }
    }

    /// Takes what pages in tabs have shown since. Whether Koha is to be looked for.
    async fn heed(&self, settings: Option<&Settings>) -> bool {
        let outage = match settings {
            Some(settings) => Some(outage::now(&settings.server).await),
            None => None,
        };
        let heeded = self.watch.borrow_mut().heed(settings, outage);
        if let Some(is_out) = heeded.turned {
            badge::set_outage(is_out);
            badge::show(self.desk.counts.get());
        }
        if heeded.news.is_some() {
            self.desk.message.show_besides(Tone::Doubt, &text("outageGone"));
        }
        self.show();
        heeded.looks
    }

    /// An outage is never red: there is nothing wrong with going on.
    fn show(&self) {
        let shown = self.watch.borrow_mut().shown(self.waiting(), clock::time());
        let _ = self.send.toggle_attribute_with_force("data-next", shown.sends_next);
        let (state, words) = match shown.sign {
            ReachSign::Nothing => ("", String::new()),
            ReachSign::There => ("online", text("reachable")),
            ReachSign::Back => ("back", text("reachableBack")),
            ReachSign::Badly => ("poor", text("outageBadly")),
            ReachSign::Unclear => ("poor", text("outageUnclear")),
            ReachSign::Missing { since, is_said } => {
                let key = if is_said { "offlineSaid" } else { "unreachable" };
                ("offline", text_with(key, &[&wording::time(since)]))
            }
        };
        self.turn.set_hidden(!shown.may_turn);
        let turn = text(if shown.is_out { "onlineAgain" } else { "offlineNow" });
        if self.turn.text_content().as_deref() != Some(&turn) {
            self.turn.set_text_content(Some(&turn));
        }
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
