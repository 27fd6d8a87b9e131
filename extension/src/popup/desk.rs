//! The ground that all panels stand on: the store, the message line, the focus, the settings, what is kept of the log, and what
//! the panels are told.

use super::{
    change::NotChanged,
    window::{
        focus::Focus,
        message::{Message, Tone, Topic},
        windows::Windows,
    },
};
use crate::{
    anew::Anew,
    clock,
    dom::{self, elements},
    i18n::{plural, text, text_with},
    later::{later, part},
    lock,
    preferences::{self, Preferences},
    slices,
    store::{Store, StoreError},
    wording::{self, Explained},
};
use futures_util::{
    future::{LocalBoxFuture, ready},
    lock::{Mutex, OwnedMutexGuard},
};
use koct_core::{
    Entry, Moment, Settings, TransactionId,
    desk::{
        branch::BranchCode,
        codes::{PlainCodes, Reads},
        signs,
        stray::Strays,
    },
    log::{
        Counts,
        event::{LogEvent, Reread},
        order::{self, Ordered},
        seen::NotTakenBack,
        sitting::Sitting,
    },
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::Arc,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement};

/// Makes what reads codes by a library's rules.
type ByRules = fn(&Preferences) -> Rc<dyn Reads>;

/// What a panel is told. Each says only what it does about that which concerns it.
pub(crate) trait Panel {
    /// The log has changed.
    fn follow(self: Rc<Self>, _event: &LogEvent) {}

    /// The entries that it keeps, and would not hear of by a reload.
    fn kept(&self) -> Vec<TransactionId> {
        Vec::new()
    }

    /// The numbers of transactions in the states have changed.
    fn show_counts(&self, _counts: Counts) {}

    /// What has changed is to be seen now.
    fn draw(self: Rc<Self>) {}

    /// The whole log is read anew.
    fn reread(self: Rc<Self>) -> LocalBoxFuture<'static, ()> {
        Box::pin(ready(()))
    }

    /// The settings were read.
    fn show_settings(self: Rc<Self>) {}

    /// Somebody has changed the settings.
    fn settings_changed(self: Rc<Self>) {}

    /// The records have changed, or are not there any more.
    fn records_changed(self: Rc<Self>, _are_there: bool) {}
}

elements! {
    /// The ground that all panels share.
    pub(crate) struct Desk(pub(crate) store: Rc<Store>, pub(crate) message: Rc<Message>, pub(crate) focus: Rc<Focus>) {
        pub(crate) count_unsent: Element = "count-unsent",
        pub(crate) count_label: Element = "count-label",
        pub(crate) count_total: Element = "count-total",
        status_line: HtmlElement = "desk",
        set_up: HtmlElement = "set-up",
        notice: HtmlElement = "notice",
        commit_label: Element = "commit-label",
        pub(crate) unreadable: HtmlElement = "unreadable",
        ;
        pub(crate) preferences: RefCell<Preferences>,
        /// Whether these are all of those that are stored; what a scan needs of them is read before.
        pub(crate) has_settings: Cell<bool>,
        /// How codes are read by these.
        codes: RefCell<Rc<dyn Reads>> = RefCell::new(Rc::new(PlainCodes::default())),
        /// What makes those of a library that has rules, once it is loaded.
        by_rules: Cell<Option<ByRules>>,
        following_settings: Anew,
        pub(crate) counts: Cell<Counts>,
        /// The number of rows with a state, where they have just been counted: whoever lists them takes it.
        pub(crate) counted: Cell<Option<u32>>,
        /// The keys that come while no field waits for them.
        pub(crate) strays: RefCell<Strays>,
        /// What was recorded in this window.
        pub(crate) sitting: RefCell<Sitting>,
        /// Whether that is not shown yet.
        pub(crate) sitting_changed: Cell<bool>,
        pub(crate) drawing_soon: Cell<bool>,
        /// From the press of the button to its end.
        pub(crate) committing: Cell<bool>,
        /// Whoever holds it asks for the sender's lock, or changes one transaction: that is waited for, and is no other window.
        changing: Arc<Mutex<()>>,
        /// While this window holds the sender's lock for a commit, and the last transaction that it may send.
        pub(crate) sending: Cell<bool>,
        pub(crate) sends_up_to: Cell<Option<TransactionId>>,
        /// The number of rows that cannot be read, as it is shown, and whether the log is looked through for them.
        pub(crate) shown_unreadable: Cell<usize>,
        pub(crate) looking_through: Cell<bool>,
        pub(crate) windows: Windows = Windows::new()?,
        /// Everybody who is told, in their order.
        panels: RefCell<Vec<Rc<dyn Panel>>>,
    }
}

/// See [`Desk::may_change`].
pub(crate) struct Permit(
    #[expect(dead_code, reason = "held, not read")] Option<(lock::Lock, Option<OwnedMutexGuard<()>>)>,
);

impl Desk {
    /// From now on these are told too, in this order, after those that are told already.
    pub(crate) fn tell(&self, panels: Vec<Rc<dyn Panel>>) {
        self.panels.borrow_mut().extend(panels);
    }

    /// These were told when the log was shown already: they begin with it as it is.
    pub(crate) async fn begin_late(&self, panels: Vec<Rc<dyn Panel>>) {
        for panel in panels {
            panel.clone().follow(&LogEvent::Reload(Reread::default()));
            panel.show_counts(self.counts.get());
            panel.reread().await;
        }
    }

    /// Everybody who is told.
    pub(crate) fn panels(&self) -> impl Iterator<Item = Rc<dyn Panel>> {
        self.panels.borrow().clone().into_iter()
    }

    /// Something did not work: the text of `key`, with the reason.
    pub(crate) fn failed(&self, topic: Topic, key: &str, reason: &(impl Explained + ?Sized)) {
        self.message.about(topic).show(Tone::Bad, &text_with(key, &[&reason.explained()]));
    }

    /// Follows the settings from now on.
    pub(crate) fn watch_settings(self: &Rc<Self>) {
        let desk = self.clone();
        preferences::on_change(move || {
            // Saving the settings is several changes: those that come while one is looked at are looked at together.
            if desk.following_settings.ask() {
                spawn_local(desk.clone().follow_settings());
            }
        });
    }

    /// The settings, where they are complete.
    pub(crate) fn settings(&self) -> Option<Settings> {
        self.preferences.borrow().settings().ok()
    }

    /// The latest settings, even if this window has missed a change, with which Koha may be asked.
    ///
    /// # Errors
    /// When they are not complete, or Firefox does not let KOCT ask, with the words for the person.
    pub(crate) async fn settings_to_ask(self: &Rc<Self>) -> Result<Settings, String> {
        self.clone().reload_preferences().await;
        let settings = self.settings().ok_or_else(|| text("commitNotConfigured"))?;
        if !preferences::may_ask(&settings.server).await {
            return Err(text_with("commitNotAllowed", &[settings.server.as_str()]));
        }
        Ok(settings)
    }

    /// Looks at the settings until they do not change any more.
    async fn follow_settings(self: Rc<Self>) {
        while self.following_settings.goes_on() {
            self.clone().reload_preferences().await;
        }
        self.panels().for_each(Panel::settings_changed);
    }

    /// These hold from now on. Returns whether they do: not where they have rules for codes, and those are not loaded. No scan is
    /// read without them.
    pub(crate) fn begin_with(&self, preferences: Preferences) -> bool {
        let codes: Rc<dyn Reads> = match (preferences.desk.plain_codes(), self.by_rules.get()) {
            (Some(plain), _) => Rc::new(plain),
            (None, Some(by_rules)) => by_rules(&preferences),
            (None, None) => return false,
        };
        self.store.be_at(BranchCode::parse(&preferences.form.branchcode).ok());
        self.codes.replace(codes);
        self.preferences.replace(preferences);
        true
    }

    /// Loads what reads codes by rules.
    pub(crate) async fn load_rules(&self) {
        self.by_rules.set(Some(by_rules().await));
    }

    /// How codes are read.
    pub(crate) fn codes(&self) -> Rc<dyn Reads> {
        self.codes.borrow().clone()
    }

    pub(crate) async fn reload_preferences(self: Rc<Self>) {
        while let Ok(preferences) = preferences::load().await {
            if self.begin_with(preferences) {
                self.has_settings.set(true);
                break;
            }
            // They may be others by then.
            self.load_rules().await;
        }
        let commit_type = self.preferences.borrow().form.commit_type;
        self.commit_label.set_text_content(Some(&wording::commit_type(commit_type)));
        self.message.set_sounds(self.preferences.borrow().desk.sounds);
        spawn_local(show_who(self.clone()));
        let notice = self.preferences.borrow().desk.notice.clone();
        self.notice.set_hidden(notice.is_empty());
        self.notice.set_text_content(Some(&notice));
        self.panels().for_each(Panel::show_settings);
    }

    /// Says whose desk this is. Nobody at a desk needs the server's address: it is there when it is looked for.
    fn show_who(&self) {
        let preferences = self.preferences.borrow();
        let library = [preferences.desk.library_name.trim(), preferences.form.branchcode.trim()];
        let library = library.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        let desk = preferences.desk_name();
        self.status_line.set_text_content(Some(&signs::harmless(library)));
        if let Ok(part) = dom::document().and_then(|page| page.create_element("span")) {
            let before = if library.is_empty() { "" } else { " · " };
            part.set_text_content(Some(&format!("{before}{}", signs::harmless(desk.as_str()))));
            let _ = self.status_line.append_with_node_1(&part);
        }
        let settings = preferences.settings().ok();
        self.status_line.set_title(settings.as_ref().map_or("", |settings| settings.server.as_str()));
        let is_set_up = settings.is_some() || (preferences.saved && !preferences.form.connects());
        self.set_up.set_hidden(is_set_up);
    }

    /// Puts what an earlier window left in `Sending` in doubt, unless another window is sending right now.
    pub(crate) async fn recover(self: Rc<Self>) {
        let Ok(_permit) = self.may_change_log().await else { return };
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
        // What was recorded since the commit began is not in its hands.
        if self.sending.get() && self.sends_up_to.get().is_some_and(|last| id > last) {
            return Some(Permit(None));
        }
        // Another change of one transaction takes a moment: it is waited for, and is no other window.
        let turn = self.changing.clone().lock_owned().await;
        let lock = self.ask_for_lock().await;
        let lock = lock.inspect_err(|why| self.message.about(Topic::Change).show(Tone::Bad, why)).ok()?;
        Some(Permit(Some((lock, Some(turn)))))
    }

    /// Permission to change whatever is in the log, which may take long: who asks for it meanwhile does not wait.
    ///
    /// # Errors
    /// With the words why not: somebody sends.
    pub(crate) async fn may_change_log(&self) -> Result<Permit, String> {
        let _asking = self.changing.lock().await;
        Ok(Permit(Some((self.ask_for_lock().await?, None))))
    }

    async fn ask_for_lock(&self) -> Result<lock::Lock, String> {
        if self.sending.get() {
            return Err(text("clearWhileCommitting"));
        }
        lock::lock().await.ok_or_else(|| text("commitBusy"))
    }

    /// Puts transactions of one item that share a second, as several desks or a correction left them, into seconds of their own,
    /// and keeps that. The caller holds the sender's lock since it read them.
    ///
    /// # Errors
    /// When it cannot be kept: then nothing is changed.
    pub(crate) async fn separate(self: &Rc<Self>, mut ordered: Ordered) -> Result<Ordered, StoreError> {
        let moved: HashMap<TransactionId, Moment> =
            slices::through(order::separating(&ordered)).await.into_iter().collect();
        if let (Some(now), false) = (clock::now(), moved.is_empty()) {
            let ids: Vec<TransactionId> = moved.keys().copied().collect();
            let changes = self.store.change(&ids, |entry| entry.separated(*moved.get(&entry.id)?, now)).await?;
            ordered.update(changes.iter().map(|change| change.entry.clone()));
            self.apply(changes);
        }
        Ok(ordered)
    }

    /// Takes back what was just recorded, as it is shown here. Returns what that was; `None` where it was not possible, and the
    /// message line says so.
    pub(crate) async fn take_back(self: Rc<Self>, shown: Entry) -> Option<Entry> {
        take_back(self, shown).await
    }
}

fn read_by_rules(preferences: &Preferences) -> Rc<dyn Reads> {
    Rc::new(preferences.codes())
}

part! {
    log,
    async fn by_rules() -> ByRules {
        read_by_rules as ByRules
    }
}

later! {
    async fn show_who(desk: Rc<Desk>) {
        desk.show_who();
    }

    async fn take_back(desk: Rc<Desk>, shown: Entry) -> Option<Entry> {
        let undone = match desk.change_seen(std::slice::from_ref(&shown), &Entry::deleted).await {
            Ok(entries) => entries.into_iter().next(),
            // Another window was faster, and was not heard yet.
            Err(NotChanged::Gone) => desk.not_taken_back(&shown).await,
            Err(error) => {
                desk.not_changed("editFailed", &error);
                None
            }
        };
        let entry = undone?;
        let words = text_with("undone", &[&wording::entry(&entry)]);
        desk.message.about(Topic::Change).show(Tone::Good, &words);
        Some(entry)
    }
}

impl Desk {
    /// Shows as it is now what could not be taken back as it was shown. Returns it where that was done elsewhere; else the message
    /// line says why it was not: the one before is not what is meant.
    async fn not_taken_back(self: &Rc<Self>, shown: &Entry) -> Option<Entry> {
        if !self.read_changed([shown.id].into()).await {
            self.clone().reread_log().await;
        }
        let why = NotTakenBack::new(shown, self.sitting.borrow().entry(shown.id));
        match why {
            NotTakenBack::Already(now) => return Some(*now),
            NotTakenBack::TooLate => self.message.answer(Tone::Doubt, &text("undoTooLate")),
            NotTakenBack::Changed(now) => self.message.answer(Tone::Doubt, &wording::changed(&now)),
            NotTakenBack::Gone | NotTakenBack::AsShown => self.not_changed("editFailed", &NotChanged::Gone),
        }
        None
    }
}
