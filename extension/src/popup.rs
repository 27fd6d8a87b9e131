//! KOCT's window: a controller per section, and what they share.

mod commit;
mod desk;
mod files;
mod known;
mod log;
mod scan;
mod window;

use crate::{
    dom,
    i18n::{plural, text, text_with},
    lock,
    preferences::{self, Preferences},
    store::{self, Store},
    wording,
};
use commit::doubts::Doubts;
use commit::reach::Reach;
use commit::review::Review;
use files::import::Import;
use known::aside::Aside;
use known::lookup::Lookups;
use known::patron::PatronPanel;
use known::records::Records;
use known::returned::Returned;
use known::suggest::Suggestions;
use known::warnings::Warnings;
use koct_core::{
    Settings, TransactionId,
    log::{Counts, sitting::Sitting},
};
use log::edit::Edit;
use log::find::Find;
use log::slip::Print;
use log::table::Table;
use scan::attention::Attention;
use scan::scans::Scans;
use scan::sitting::SittingLists;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_extensions_sys::browser;
use web_sys::{Element, Event, HtmlElement};
use window::focus::Focus;
use window::guide::Guide;
use window::message::{Message, Tone, Topic};
use window::windows::Windows;

/// How long statuses that change in a commit may wait to be shown.
pub(crate) const DRAWING_LAG: Duration = Duration::from_millis(100);

/// What the controllers share.
pub(crate) struct Desk {
    store: Rc<Store>,
    message: Rc<Message>,
    focus: Rc<Focus>,
    attention: Attention,
    doubts: Doubts,
    table: Table,
    find: Find,
    edit: Edit,
    review: Review,
    import: Import,
    reach: Reach,
    records: Records,
    lookups: Lookups,
    patron: PatronPanel,
    suggestions: Suggestions,
    returned: Returned,
    warnings: Warnings,
    aside: Aside,
    sitting_lists: SittingLists,
    guide: Guide,
    scans: Scans,
    print: Print,
    counts: Cell<Counts>,
    /// What was recorded in this window.
    sitting: RefCell<Sitting>,
    /// Whether that is not shown yet.
    sitting_changed: Cell<bool>,
    preferences: RefCell<Preferences>,
    settings_changed: Cell<bool>,
    settings_reloading: Cell<bool>,
    /// From the press of the button to its end.
    committing: Cell<bool>,
    /// While this window holds the sender's lock for a commit, and the last transaction that it may send.
    sending: Cell<bool>,
    sends_up_to: Cell<Option<TransactionId>>,
    drawing_soon: Cell<bool>,
    windows: Windows,
    count_unsent: Element,
    count_total: Element,
    status_line: Element,
    notice: HtmlElement,
    commit_button: Element,
    commit_label: Element,
}

/// See [`Desk::may_change`].
struct Permit(#[expect(dead_code, reason = "held, not read")] Option<lock::Lock>);

/// Starts the window.
///
/// # Errors
/// When the page lacks an element.
pub(crate) async fn start() -> Result<(), JsValue> {
    crate::i18n::localise(&dom::document()?);
    let focus = Focus::new()?;
    let message = Message::new(focus.clone())?;
    let store = match Store::open(store::DATABASE).await {
        Ok(store) => Rc::new(store),
        Err(error) => {
            message.show(Tone::Bad, &text_with("openFailed", &[&error.to_string()]));
            for id in
                ["checkout-item", "checkout-patron", "checkin-item", "checkout-submit", "checkin-submit", "commit"]
            {
                dom::by_id::<Element>(id)?.set_attribute("disabled", "")?;
            }
            return Ok(());
        }
    };
    let desk = Rc::new(Desk::new(store, message, focus)?);
    // Ready to scan before anything is read: what is scanned meanwhile waits in the queue.
    scan::checkout::bind(&desk)?;
    scan::checkin::bind(&desk)?;
    scan::scans::bind(&desk)?;
    window::stray::bind(&desk)?;
    window::keys::bind(&desk)?;
    mark("koct-ready")?;
    window::help::bind()?;
    commit::bind(&desk)?;
    files::export::bind(&desk)?;
    log::clear::bind(&desk)?;
    commit::doubts::bind(&desk)?;
    log::batches::bind(&desk)?;
    log::table::bind(&desk)?;
    log::find::bind(&desk)?;
    log::edit::bind(&desk)?;
    commit::review::bind(&desk)?;
    files::import::bind(&desk)?;
    files::backup::bind(&desk)?;
    log::slip::bind(&desk)?;
    known::records::bind(&desk)?;
    known::patron::bind(&desk);
    known::aside::bind(&desk)?;
    for id in ["open-settings", "guide-settings"] {
        dom::on::<Event>(dom::by_id::<Element>(id)?.as_ref(), "click", |_| {
            browser().runtime().open_options_page();
        });
    }
    let this = desk.clone();
    dom::on::<Event>(dom::by_id::<Element>("guide-close")?.as_ref(), "click", move |_| this.guide.close());
    let watching = desk.clone();
    preferences::on_change(move || {
        // Saving the settings is several changes: those that come while one is looked at are looked at together.
        if !watching.settings_changed.replace(true) && !watching.settings_reloading.replace(true) {
            spawn_local(watching.clone().follow_settings());
        }
    });
    window::windows::bind(&desk);

    desk.clone().reload_preferences().await;
    desk.clone().recover().await;
    desk.clone().reread_log().await;
    mark("koct-shown")?;
    spawn_local(async {
        store::persist().await;
    });
    spawn_local(desk.clone().reload_records());
    commit::reach::bind(&desk);
    if desk.counts.get().total() > 0 {
        log::clear::offer(&desk);
    }
    dom::document()?.body().ok_or("no body")?.set_attribute("data-ready", "")?;
    log::find::prepare(&desk);
    Ok(())
}

/// Marks how far the window has come, for whoever looks at how long it takes to open.
fn mark(name: &str) -> Result<(), JsValue> {
    if let Some(performance) = dom::window()?.performance() {
        performance.mark(name)?;
    }
    Ok(())
}

impl Desk {
    fn new(store: Rc<Store>, message: Rc<Message>, focus: Rc<Focus>) -> Result<Self, JsValue> {
        Ok(Self {
            table: Table::new(store.clone())?,
            message,
            focus,
            attention: Attention::new()?,
            doubts: Doubts::new()?,
            find: Find::new()?,
            edit: Edit::new()?,
            review: Review::new()?,
            import: Import::new()?,
            reach: Reach::new()?,
            records: Records::new()?,
            lookups: Lookups::default(),
            patron: PatronPanel::new()?,
            suggestions: Suggestions::new()?,
            returned: Returned::new()?,
            warnings: Warnings::new()?,
            aside: Aside::new()?,
            sitting_lists: SittingLists::new()?,
            guide: Guide::new()?,
            scans: Scans::default(),
            print: Print::new()?,
            counts: Cell::default(),
            sitting: RefCell::default(),
            sitting_changed: Cell::default(),
            preferences: RefCell::default(),
            settings_changed: Cell::default(),
            settings_reloading: Cell::default(),
            committing: Cell::new(false),
            sending: Cell::new(false),
            sends_up_to: Cell::default(),
            drawing_soon: Cell::new(false),
            windows: Windows::new()?,
            count_unsent: dom::by_id("count-unsent")?,
            count_total: dom::by_id("count-total")?,
            status_line: dom::by_id("desk")?,
            notice: dom::by_id("notice")?,
            commit_button: dom::by_id("commit")?,
            commit_label: dom::by_id("commit-label")?,
            store,
        })
    }

    /// The settings, where they are complete.
    fn settings(&self) -> Option<Settings> {
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

    async fn reload_preferences(self: Rc<Self>) {
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
    async fn recover(self: Rc<Self>) {
        let Some(_lock) = lock::lock().await else { return };
        match self.store.recover().await {
            Ok(entries) if !entries.is_empty() => {
                self.message.show(Tone::Doubt, &plural("recovered", entries.len(), &[]));
                self.apply(entries);
            }
            Ok(_) => {}
            Err(error) => {
                self.message.about(Topic::Change).show(Tone::Bad, &text_with("decideFailed", &[&error.to_string()]));
            }
        }
    }

    /// Permission to change a transaction, for as long as it is held: nobody may be sending it meanwhile. `None` where
    /// somebody is, and then the message line says so.
    async fn may_change(&self, id: TransactionId) -> Option<Permit> {
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

/// Enter in this input, outside the composition of an input method. The page's own handling of it is stopped.
fn on_enter(input: &web_sys::HtmlInputElement, handler: impl Fn() + 'static) {
    dom::on::<web_sys::KeyboardEvent>(input.unchecked_ref(), "keydown", move |event| {
        // With Control it confirms what was warned of.
        if event.key() == "Enter" && !event.ctrl_key() && !event.is_composing() {
            event.prevent_default();
            handler();
        }
    });
}
