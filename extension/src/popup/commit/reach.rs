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
    koha::{outage::Outage, sight::Sight},
    log::Counts,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
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
        /// A person goes on without Koha, or says that it works.
        turn: HtmlElement = "offline-now",
        ;
        seen: Cell<Sight>,
        /// What pages in tabs have shown.
        outage: RefCell<Option<Outage>>,
        /// With what Koha was looked for last.
        looked_with: RefCell<Option<Settings>>,
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
            spawn_local(if reach.is_out() { Said::Online } else { Said::Offline }.tell());
            reach.desk.focus.back();
        });
        let this = self.clone();
        spawn_local(async move {
            loop {
                this.look().await;
                let waits = this.desk.counts.get().of(State::Local) > 0;
                sleep(if this.seen.get().is_there() && !waits { SELDOM } else { EVERY }).await;
            }
        });
    }

    /// What is kept has changed. Koha is asked only where that says something of it: much else is kept there, also what its clock
    /// showed, and where two servers with different clocks answer in its place, each look would lead to the next.
    async fn follow_settings(&self) {
        if self.desk.committing.get() {
            return;
        }
        let settings = self.desk.settings();
        let outage = self.outage.borrow().clone();
        self.heed(settings.as_ref()).await;
        let is_other = *self.looked_with.borrow() != settings || *self.outage.borrow() != outage;
        if is_other || self.seen.get() == Sight::Unknown {
            self.look().await;
        }
    }

    /// Looks for Koha now, and says what was found.
    async fn look(&self) {
        // A commit sees for itself.
        if !self.desk.committing.get() {
            let settings = self.desk.settings();
            self.looked_with.replace(settings.clone());
            self.heed(settings.as_ref()).await;
            let is_there = ready::koha_is_there(settings.as_ref().map(|settings| &settings.server)).await;
            let before = self.seen.get();
            let lasts = self.outage.borrow().as_ref().is_some_and(Outage::outlasts_an_answer);
            if !lasts {
                self.seen.set(before.after(is_there, clock::time()));
            }
            let waiting = self.desk.counts.get().of(State::Local);
            if matches!((before, self.seen.get()), (Sight::Down { .. }, Sight::Back)) && waiting > 0 {
                self.desk.message.show_besides(Tone::Good, &plural("kohaBack", waiting, &[]));
            }
            self.show();
            if self.is_out() && is_there == Some(true) && !lasts {
                Said::Answered.tell().await;
            }
        }
    }

    /// Whether Koha is out, as pages in tabs have shown or a person says.
    fn is_out(&self) -> bool {
        self.outage.borrow().as_ref().is_some_and(|outage| outage.since().is_some())
    }

    /// Takes what pages in tabs have shown since.
    async fn heed(&self, settings: Option<&Settings>) {
        let outage = match settings {
            Some(settings) => Some(outage::now(&settings.server).await),
            None => None,
        };
        let since = outage.as_ref().and_then(Outage::since);
        let was_known = badge::set_outage(since.is_some());
        if let Some(outage) = &outage {
            self.seen.set(self.seen.get().knowing(outage));
            if !was_known && since.is_some() && !outage.is_said() {
                self.desk.message.show_besides(Tone::Doubt, &text("outageGone"));
            }
        }
        self.outage.replace(outage);
        if !was_known {
            badge::show(self.desk.counts.get());
        }
        self.show();
    }

    /// An outage is never red: there is nothing wrong with going on. Sending is what to do next only while Koha is there and
    /// something waits.
    fn show(&self) {
        let waits = self.desk.counts.get().of(State::Local) > 0;
        if !waits {
            self.seen.set(self.seen.get().with_nothing_waiting());
        }
        let seen = self.seen.get();
        let is_out = self.is_out();
        let outage = self.outage.borrow();
        let is_said = outage.as_ref().is_some_and(Outage::is_said);
        let asks = outage.as_ref().is_some_and(|outage| outage.asks(clock::time()));
        let is_unclear = outage.as_ref().is_some_and(Outage::is_unclear);
        let _ = self.send.toggle_attribute_with_force("data-next", seen.is_there() && waits);
        let (state, words) = match seen {
            Sight::Unknown => ("", String::new()),
            Sight::Down { .. } if is_unclear => ("poor", text("outageUnclear")),
            Sight::Down { since } if is_said => ("offline", text_with("offlineSaid", &[&wording::time(since)])),
            Sight::Down { since } => ("offline", text_with("unreachable", &[&wording::time(since)])),
            Sight::Back | Sight::Up if asks => ("poor", text("outageBadly")),
            Sight::Back => ("back", text("reachableBack")),
            Sight::Up => ("online", text("reachable")),
        };
        self.turn.set_hidden(!is_out && !asks);
        let turn = text(if is_out { "onlineAgain" } else { "offlineNow" });
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
