//! What the window keeps of the log, and the one way by which everybody hears who shows something of it.
//!
//! A change of the log is a [`LogEvent`], made here ([`Desk::log_changed`]) or heard from another window, whose message holds
//! numbers only: the entries are read anew, and the same event is raised. What the window itself keeps, the counts and
//! the sitting, follows first; then the listeners are told, one after the other.

use crate::{
    badge,
    i18n::text_with,
    locale,
    popup::{DRAWING_LAG, Desk, Topic, known, log, scan, window},
    store::Change,
    timer::sleep,
};
use koct_core::{
    State, TransactionId,
    log::event::{LogEvent, Reread},
};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

/// Everybody who shows something of the log, in the order in which they hear.
const LISTENERS: [fn(&Rc<Desk>, &LogEvent); 9] = [
    log::find::follow,
    log::table::follow,
    scan::sitting::follow,
    known::warnings::follow,
    known::returned::follow,
    known::aside::follow,
    known::patron::follow,
    window::guide::follow,
    follow_records,
];

/// What the log tells more than the records follows from the record of commits.
fn follow_records(desk: &Rc<Desk>, event: &LogEvent) {
    if matches!(event, LogEvent::Committed | LogEvent::Reload(_)) {
        let desk = desk.clone();
        spawn_local(async move {
            desk.reload_since().await;
            desk.patron.refresh_soon(&desk);
        });
    }
}

impl Desk {
    /// This window has changed the log: everybody is told, here and in the other windows.
    pub(crate) fn log_changed(self: &Rc<Self>, event: &LogEvent) {
        self.tell_others(event);
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
        self.tell_others(&LogEvent::Reload(Reread::default()));
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
        for listener in LISTENERS {
            listener(self, event);
        }
    }

    /// Reads anew what is kept and shown of the log, and shows it.
    pub(crate) async fn reread_log(self: Rc<Self>) {
        match self.store.counts().await {
            Ok(counts) => self.counts.set(counts),
            Err(error) => self.failed(Topic::Other, "openFailed", &error),
        }
        let kept = self.kept();
        // What cannot be read is not gone.
        let reread = self.store.get(&kept).await.map(|entries| Reread::new(&kept, entries)).unwrap_or_default();
        self.follow(&LogEvent::Reload(reread));
        self.show_sitting_if_changed();
        self.show_counts();
        self.offer_desks().await;
        self.show_found().await;
    }

    /// The entries that somebody here keeps, and would not hear of by a reload.
    fn kept(&self) -> Vec<TransactionId> {
        let mut kept: Vec<_> = self.sitting.borrow().ids().collect();
        kept.extend(self.warnings.kept());
        kept.extend(self.patron.kept());
        kept.extend(self.returned.kept());
        kept.sort_unstable();
        kept.dedup();
        kept
    }

    fn show_counts(&self) {
        let counts = self.counts.get();
        badge::show(counts);
        self.doubts.show(counts.of(State::InDoubt));
        self.count_unsent.set_text_content(Some(&locale::number(counts.uncommitted())));
        self.count_total.set_text_content(Some(&text_with("countTotal", &[&locale::number(counts.total())])));
        self.show_reachable();
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
        self.show_sitting_if_changed();
        if self.find.is_active() {
            // What changed may not be what is looked for any more.
            spawn_local(self.clone().show_found());
        } else {
            self.find.show_counts(self.counts.get(), None);
            self.draw_table();
        }
    }
}
