//! The ground that all panels stand on: the store, the message line, the focus, the settings, and what is kept of the log.

use super::{
    commit::{doubts::Doubts, reach::Reach, review::Review},
    files::import::Import,
    known::{
        aside::Aside, lookup::Lookups, patron::PatronPanel, records::Records, returned::Returned, suggest::Suggestions,
        warnings::Warnings,
    },
    log::{edit::Edit, find::Find, slip::Print, table::Table},
    scan::{attention::Attention, scans::Scans, sitting::SittingLists},
    window::{
        focus::Focus,
        guide::Guide,
        message::{Message, Tone, Topic},
        windows::Windows,
    },
};
use crate::{
    dom::elements,
    i18n::{plural, text, text_with},
    lock,
    preferences::{self, Preferences},
    store::Store,
    wording,
};
use koct_core::{
    Settings, TransactionId,
    log::{Counts, sitting::Sitting},
};
use std::{
    cell::{Cell, RefCell},
    fmt::Display,
    rc::Rc,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement};

elements! {
    /// The ground that all panels share, and the panels that others talk to.
    pub(crate) struct Desk(store: Rc<Store>, message: Rc<Message>, focus: Rc<Focus>) {
        pub(crate) count_unsent: Element = "count-unsent",
        pub(crate) count_total: Element = "count-total",
        status_line: Element = "desk",
        notice: HtmlElement = "notice",
        pub(crate) commit_button: Element = "commit",
        commit_label: Element = "commit-label",
        ;
        pub(crate) store: Rc<Store> = store.clone(),
        pub(crate) message: Rc<Message> = message,
        pub(crate) focus: Rc<Focus> = focus,
        pub(crate) preferences: RefCell<Preferences>,
        settings_changed: Cell<bool>,
        settings_reloading: Cell<bool>,
        pub(crate) counts: Cell<Counts>,
        /// What was recorded in this window.
        pub(crate) sitting: RefCell<Sitting>,
        /// Whether that is not shown yet.
        pub(crate) sitting_changed: Cell<bool>,
        pub(crate) drawing_soon: Cell<bool>,
        /// From the press of the button to its end.
        pub(crate) committing: Cell<bool>,
        /// While this window holds the sender's lock for a commit, and the last transaction that it may send.
        pub(crate) sending: Cell<bool>,
        pub(crate) sends_up_to: Cell<Option<TransactionId>>,
        pub(crate) windows: Windows = Windows::new()?,
        // The panels.
        pub(crate) scans: Scans,
        pub(crate) attention: Attention = Attention::new()?,
        pub(crate) sitting_lists: SittingLists = SittingLists::new()?,
        pub(crate) table: Table = Table::new(store)?,
        pub(crate) find: Find = Find::new()?,
        pub(crate) edit: Edit = Edit::new()?,
        pub(crate) print: Print = Print::new()?,
        pub(crate) doubts: Doubts = Doubts::new()?,
        pub(crate) review: Review = Review::new()?,
        pub(crate) reach: Reach = Reach::new()?,
        pub(crate) import: Import = Import::new()?,
        pub(crate) records: Records = Records::new()?,
        pub(crate) lookups: Lookups,
        pub(crate) patron: PatronPanel = PatronPanel::new()?,
        pub(crate) suggestions: Suggestions = Suggestions::new()?,
        pub(crate) returned: Returned = Returned::new()?,
        pub(crate) warnings: Warnings = Warnings::new()?,
        pub(crate) aside: Aside = Aside::new()?,
        pub(crate) guide: Guide = Guide::new()?,
    }
}

/// See [`Desk::may_change`].
pub(crate) struct Permit(#[expect(dead_code, reason = "held, not read")] Option<lock::Lock>);

impl Desk {
    /// Something did not work: the text of `key`, with the reason.
    pub(crate) fn failed(&self, topic: Topic, key: &str, reason: &dyn Display) {
        self.message.about(topic).show(Tone::Bad, &text_with(key, &[&reason.to_string()]));
    }

    /// Follows the settings from now on.
    pub(crate) fn watch_settings(self: &Rc<Self>) {
        let desk = self.clone();
        preferences::on_change(move || {
            // Saving the settings is several changes: those that come while one is looked at are looked at together.
            if !desk.settings_changed.replace(true) && !desk.settings_reloading.replace(true) {
                spawn_local(desk.clone().follow_settings());
            }
        });
    }

    /// The settings, where they are complete.
    pub(crate) fn settings(&self) -> Option<Settings> {
        self.preferences.borrow().form.validate().ok()
    }

    /// Looks at the settings until they do not change any more.
    async fn follow_settings(self: Rc<Self>) {
        while self.settings_changed.replace(false) {
            self.clone().reload_preferences().await;
        }
        self.settings_reloading.set(false);
        // A server that does not answer must not keep the settings from being followed.
        let looking = self.clone();
        spawn_local(async move { looking.look_for_koha().await });
        self.reload_records().await;
    }

    pub(crate) async fn reload_preferences(self: Rc<Self>) {
        if let Ok(preferences) = preferences::load().await {
            *self.preferences.borrow_mut() = preferences;
        }
        let commit_type = self.preferences.borrow().form.commit_type;
        self.commit_label.set_text_content(Some(&wording::commit_type(commit_type)));
        self.message.set_sounds(self.preferences.borrow().desk.sounds);
        let line = match self.settings() {
            Some(settings) => text_with("deskConfigured", &[&settings.branchcode, settings.server.as_str()]),
            None => text("deskNotConfigured"),
        };
        self.status_line.set_text_content(Some(&line));
        self.guide.show(&self.preferences.borrow());
        let notice = self.preferences.borrow().desk.notice.clone();
        self.notice.set_hidden(notice.is_empty());
        self.notice.set_text_content(Some(&notice));
        self.doubts.link_to(self.settings().as_ref().map(|settings| &settings.server));
        self.offer_desks().await;
    }

    /// Puts what an earlier window left in `Sending` in doubt, unless another window is sending right now.
    pub(crate) async fn recover(self: Rc<Self>) {
        let Some(_lock) = lock::lock().await else { return };
        match self.store.recover().await {
            Ok(entries) if !entries.is_empty() => {
                self.message.show(Tone::Doubt, &plural("recovered", entries.len(), &[]));
                self.apply(entries);
            }
            Ok(_) => {}
            Err(error) => self.failed(Topic::Change, "decideFailed", &error),
        }
    }

    /// Permission to change a transaction, for as long as it is held: nobody may be sending it meanwhile. `None` where
    /// somebody is, and then the message line says so.
    pub(crate) async fn may_change(&self, id: TransactionId) -> Option<Permit> {
        if self.sending.get() {
            // What was recorded since the commit began is not in its hands.
            if self.sends_up_to.get().is_some_and(|last| id > last) {
                return Some(Permit(None));
            }
            self.message.about(Topic::Change).show(Tone::Bad, &text("clearWhileCommitting"));
            return None;
        }
        let lock = lock::lock().await;
        if lock.is_none() {
            self.message.about(Topic::Change).show(Tone::Bad, &text("commitBusy"));
        }
        lock.map(|lock| Permit(Some(lock)))
    }
}
