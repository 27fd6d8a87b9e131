//! What the window keeps of the log, and the one way by which everybody hears who shows something of it.
//!
//! A change of the log is a [`LogEvent`], made here ([`Desk::log_changed`]) or heard from another window, whose message holds
//! numbers only: the entries are read anew, and the same event is raised. What the window itself keeps, the counts and
//! the sitting, follows first; then the listeners are told, one after the other.

use crate::{
    badge, dom,
    i18n::plural,
    later::{later, part},
    locale,
    popup::{
        DRAWING_LAG, Desk, Panel, Topic,
        window::windows::{HEARING_LAG, Told},
    },
    store::Change,
    timer::sleep,
};
use koct_core::{
    State, TransactionId,
    log::event::{LogEvent, Reread},
};
use std::{collections::BTreeSet, rc::Rc};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::MessageEvent;

/// The number of transactions up to which the log is looked through at each start. In a longer one, what cannot be read is
/// known when it is met.
const LOOKED_THROUGH: u32 = 20_000;

part! {
    log,
    async fn read_told(desk: Rc<Desk>) {
        desk.read_told().await;
    }
}

later! {
    async fn look_through(desk: Rc<Desk>) {
        desk.look_through().await;
    }
}

impl Desk {
    /// This window has changed the log: everybody is told, here and in the other windows.
    pub(crate) fn log_changed(self: &Rc<Self>, event: &LogEvent) {
        self.windows.tell(event);
        self.follow(event);
        match event {
            LogEvent::Recorded(_) => self.show_counts(),
            LogEvent::Changed(_) => self.draw_soon(),
            LogEvent::Committed | LogEvent::Reload(_) => {}
        }
    }

    /// This window has changed these entries, and where they stand.
    pub(crate) fn apply(self: &Rc<Self>, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let mut counts = self.counts.get();
        for Change { from, entry } in &changes {
            counts.moved(*from, entry.status.state());
        }
        self.counts.set(counts);
        self.log_changed(&LogEvent::Changed(changes.into_iter().map(|change| change.entry).collect()));
    }

    /// This window has changed the log in more than a few entries: everybody reads anew what is shown.
    pub(crate) fn reload_log(self: &Rc<Self>) {
        self.windows.tell(&LogEvent::Reload(Reread::default()));
        spawn_local(self.clone().reread_log());
    }

    /// What follows here from a change of the log, whoever made it.
    pub(crate) fn follow(self: &Rc<Self>, event: &LogEvent) {
        let is_other = self.sitting.borrow_mut().follow(event);
        if matches!(event, LogEvent::Recorded(_)) {
            let mut counts = self.counts.get();
            counts.add(State::Local, 1);
            self.counts.set(counts);
        } else if is_other {
            self.sitting_changed.set(true);
        }
        self.panels().for_each(|panel| panel.follow(event));
    }

    /// Reads anew what is kept and shown of the log, and shows it.
    pub(crate) async fn reread_log(self: Rc<Self>) {
        if let Err(error) = self.store.meet_again().await {
            self.failed(Topic::Other, "readFailed", &error);
        }
        match self.store.count().await {
            Ok((counts, rows)) => {
                self.counts.set(counts);
                // Whoever clears some meanwhile says so, and all is read once more.
                self.counted.set(Some(rows));
            }
            Err(error) => self.failed(Topic::Other, "readFailed", &error),
        }
        self.reread_panels().await;
        self.counted.set(None);
        self.show_counts();
        self.show_unreadable();
        if self.counts.get().total() <= LOOKED_THROUGH && !self.looking_through.replace(true) {
            spawn_local(look_through(self));
        }
    }

    async fn reread_panels(self: &Rc<Self>) {
        let kept = self.kept();
        // What cannot be read is not gone.
        let reread = self.store.get(&kept).await.map(|entries| Reread::new(&kept, entries)).unwrap_or_default();
        self.follow(&LogEvent::Reload(reread));
        for panel in self.panels() {
            panel.reread().await;
        }
    }

    /// Looks whether something in the log cannot be read.
    async fn look_through(self: Rc<Self>) {
        // Where that fails, whatever else reads the log says so.
        let _ = self.store.look_through().await;
        self.looking_through.set(false);
        self.met_unreadable();
    }

    /// Rows that cannot be read may have been met: they are neither counted nor listed among the others.
    pub(crate) fn met_unreadable(self: &Rc<Self>) {
        if self.store.number_unreadable() != self.shown_unreadable.get() {
            spawn_local(self.clone().reread_log());
        }
    }

    /// The entries that somebody here keeps, and would not hear of by a reload.
    fn kept(&self) -> Vec<TransactionId> {
        TransactionId::in_order(self.sitting.borrow().ids().chain(self.panels().flat_map(|panel| panel.kept())))
    }

    fn show_counts(&self) {
        let counts = self.counts.get();
        badge::show(counts);
        let waiting = counts.of(State::Local);
        self.count_unsent.set_text_content(Some(&locale::number(waiting)));
        self.count_label.set_text_content(Some(&plural("countWaiting", waiting, &[])));
        self.count_total.set_text_content(Some(&locale::number(counts.total())));
        self.panels().for_each(|panel| panel.show_counts(counts));
    }

    /// Says how many rows cannot be read: only when the log is shown without them.
    fn show_unreadable(&self) {
        let unreadable = self.store.number_unreadable();
        self.shown_unreadable.set(unreadable);
        self.unreadable.set_hidden(unreadable == 0);
        self.unreadable.set_text_content(Some(&plural("unreadable", unreadable, &[])));
    }

    /// Shows what has changed within a moment: a commit changes hundreds of rows a second, and painting each would slow it.
    fn draw_soon(self: &Rc<Self>) {
        if !self.drawing_soon.replace(true) {
            let desk = self.clone();
            spawn_local(async move {
                sleep(DRAWING_LAG).await;
                desk.drawing_soon.set(false);
                desk.draw_now();
            });
        }
    }

    /// Shows what is kept as it is.
    pub(crate) fn draw_now(self: &Rc<Self>) {
        self.show_counts();
        self.panels().for_each(Panel::draw);
    }

    /// Hears from now on what the other windows of this profile tell, before any of the log is read: who tells it does so once. It is
    /// kept until the log is read, since what was read before would be shown over it.
    pub(crate) fn hear_others(self: &Rc<Self>) {
        let this = self.clone();
        dom::on::<MessageEvent>(self.windows.channel.unchecked_ref(), "message", move |event| {
            this.windows.hear(event.data());
            if !this.windows.reading.replace(true) {
                spawn_local(read_told(this.clone()));
            }
        });
    }

    /// Reads the log for the first time, and what was told of it since the window was opened. `counted` is told in between.
    pub(crate) async fn read_log(self: Rc<Self>, counted: impl FnOnce()) {
        self.clone().reread_log().await;
        counted();
        self.read_told().await;
    }

    /// Reads what was told. What is told meanwhile is read in one more go: a window that scans at full speed must not
    /// make the others fall behind.
    async fn read_told(self: Rc<Self>) {
        loop {
            let Told { anything, committed, ids } = self.windows.told();
            if !anything && !committed && ids.is_empty() {
                break;
            }
            if anything || !self.read_changed(ids).await {
                self.clone().reread_log().await;
            } else if committed {
                self.follow(&LogEvent::Committed);
            }
            sleep(HEARING_LAG).await;
        }
        self.windows.reading.set(false);
    }

    /// Reads these. Returns whether they are all there.
    pub(super) async fn read_changed(self: &Rc<Self>, ids: BTreeSet<TransactionId>) -> bool {
        if ids.is_empty() {
            return true;
        }
        let ids: Vec<TransactionId> = ids.into_iter().collect();
        // Each is taken over as soon as it is read, before this window itself can change it.
        let Ok(counts) = self.store.counts().await else { return false };
        self.counts.set(counts);
        let Ok(entries) = self.store.get(&ids).await else { return false };
        let is_whole = entries.len() == ids.len();
        self.follow(&LogEvent::Changed(entries));
        self.draw_now();
        is_whole
    }
}
