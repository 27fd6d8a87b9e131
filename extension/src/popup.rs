//! KOCT's window: the ground that its panels share, and the panels, in folders by the story.
//!
//! One idiom for a panel:
//! - A struct made by `dom::elements!`: what it is given, which are the ground ([`Desk`]) and the panels that it calls, each
//!   element with its id, then what else it holds. [`start`] and the parts that it loads make them, each after those that it is
//!   given: none knows one that knows it.
//! - `bind` binds its events, by `dom::on_click`, `on_submit` and `bind`, which clone the `Rc`.
//! - What many hear is told by the ground: a panel that shows something of the log, the settings or the records is a [`Panel`],
//!   stands in the one list that is told, in its order, and hears of it in no other way. The list is filled here
//!   ([`Desk::tell`]), part by part as they come; a part that comes late begins with the log as it is then
//!   ([`Desk::begin_late`]). A change of the log is a [`LogEvent`](koct_core::log::event::LogEvent), see [`events`].
//! - Lists are filled by `dom::fill_list`. What fails is told by [`Desk::failed`], an error of JavaScript's in the words of
//!   `i18n::js_error`.

mod change;
mod commit;
mod desk;
mod events;
mod files;
mod known;
mod log;
mod scan;
mod window;

use crate::{
    dom, ground,
    i18n::{text, text_with},
    later::{self, later, part},
    practice,
    preferences::Preferences,
    store::{self, Store, StoreError},
    webext,
    wording::Explained as _,
};
use commit::{Commit, reach::Reach, review::ReviewPanel};
use desk::{Desk, Panel};
use files::{copying::Copying, export::Exporting, import::Import};
use futures_channel::oneshot;
use futures_util::future::join;
use js_sys::Array;
use known::{
    labels::Labels, lookup::Lookups, patron::PatronPanel, queue::LookupQueue, records::RecordsPanel,
    returned::Returned, suggest::Suggestions, warnings::Warnings,
};
use log::{
    batches::Batches,
    clear::Clear,
    edit::Edit,
    find::Find,
    named::Named,
    slip::Print,
    table::Table,
    tabs::Tabs,
    todo::{TodoPanel, names::Names},
    whose::Whose,
};
use scan::{
    answers::Answers, attention::Attention, checkin::Checkin, checkout::Checkout, moving::MoveVisit, open::OpenScans,
    scans::Scans, sitting::SittingLists,
};
use std::{rc::Rc, time::Duration};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_extensions_sys::browser;
use web_sys::Element;
pub(crate) use window::early::Early;
use window::{
    focus::Focus,
    guide::Guide,
    message::{Message, Tone, Topic},
    ready::ReadyLine,
};

/// How long statuses that change in a commit may wait to be shown.
pub(crate) const DRAWING_LAG: Duration = Duration::from_millis(100);

/// Starts the window.
///
/// # Errors
/// When the page lacks an element.
pub(crate) async fn start(early: Early) -> Result<(), JsValue> {
    mark("koct-runs")?;
    // Compiled while the log is opened.
    later::begin().await;
    let focus = Focus::new()?;
    let message = Rc::new(Message::new(focus.clone())?);
    message.bind();
    // Before the log is opened: what stands in the menu says so where that is not possible. And before keys that stray.
    window::menu::bind(&focus)?;
    let practised = if ground::is_practice() { practice::begin().await } else { None };
    let page = async {
        crate::i18n::localise(&dom::document()?);
        early.settings().await
    };
    let (store, settings) = join(open_log(&message), page).await;
    let Some(store) = store? else {
        early.whole();
        return Ok(());
    };
    let desk = Rc::new(Desk::new(store, message, focus)?);
    desk.hear_others();
    let newest = newest(desk.store.clone());
    // Where they cannot be read, the defaults hold: nothing keeps a desk from recording.
    let of_desk = settings.ok().map(|(settings, branchcode)| {
        let mut preferences = Preferences { desk: settings, ..Preferences::default() };
        preferences.form.branchcode = branchcode;
        preferences
    });
    if let Some(preferences) = practised.or(of_desk)
        && !desk.begin_with(preferences.clone())
    {
        // What comes meanwhile is kept: the rules hold for the first scan.
        desk.load_rules().await;
        desk.begin_with(preferences);
    }
    let records = Rc::new(RecordsPanel::new(desk.clone())?);
    let lookups = Rc::new(Lookups::new(desk.clone(), records.clone())?);
    let warnings = Rc::new(Warnings::new(desk.clone())?);
    let labels = Rc::new(Labels::new(desk.clone(), records.clone())?);
    let sitting = Rc::new(SittingLists::new(desk.clone(), labels.clone())?);
    let patron = Rc::new(PatronPanel::new(desk.clone(), records.clone(), lookups.clone(), sitting.clone())?);
    let returned = Rc::new(Returned::new(lookups.clone(), sitting.clone())?);
    let suggestions = Rc::new(Suggestions::new(desk.clone(), records.clone())?);
    let queue = LookupQueue::new(
        desk.clone(),
        records.clone(),
        lookups.clone(),
        warnings.clone(),
        patron.clone(),
        returned.clone(),
        sitting.clone(),
    );
    let queue = Rc::new(queue?);
    let open_scans = Rc::new(OpenScans::default());
    let attention = Rc::new(Attention::new(open_scans.clone())?);
    let answers = Answers::new(desk.clone(), labels.clone(), warnings.clone(), sitting.clone(), open_scans.clone());
    let answers = Rc::new(answers?);
    let scans = Scans::new(
        desk.clone(),
        attention,
        records.clone(),
        lookups.clone(),
        patron.clone(),
        queue.clone(),
        answers.clone(),
    );
    let scans = Rc::new(scans?);
    desk.tell(vec![
        labels.clone(),
        sitting.clone(),
        patron.clone(),
        warnings,
        returned,
        queue.clone(),
        suggestions.clone(),
        records.clone(),
    ]);
    // Ready to scan before anything is read: what is scanned meanwhile waits in the queue.
    let checkout = Checkout::new(desk.clone(), scans.clone(), patron.clone(), sitting, suggestions)?;
    Rc::new(checkout).bind()?;
    Rc::new(Checkin::new(desk.clone(), scans.clone())?).bind()?;
    scans.bind()?;
    window::bind(&desk, &answers)?;
    answers.bind();
    early.give(&desk).await;
    mark("koct-ready")?;
    let log = start_log(desk.clone(), queue.clone(), labels.clone(), records.clone(), newest).await?;
    start_others(Others { desk, records, lookups, labels, patron, queue, scans, open_scans, log }, early).await
}

/// How many rows of the log are shown before anybody knows how many there are: more than a window is high.
const NEWEST: u32 = 50;

/// Begins to read the newest rows, while the panels are made. Where that is not possible, whatever reads the whole says so.
fn newest(store: Rc<Store>) -> oneshot::Receiver<Array> {
    let (gives, newest) = oneshot::channel();
    spawn_local(async move {
        let _ = gives.send(store.newest(NEWEST).await.unwrap_or_default());
    });
    newest
}

/// The log as it is shown.
struct Log {
    edit: Rc<Edit>,
    table: Rc<Table>,
    find: Rc<Find>,
    /// Told when all of it is read.
    counted: oneshot::Receiver<()>,
}

part! {
    log,
    /// Shows the log.
    async fn start_log(
        desk: Rc<Desk>,
        queue: Rc<LookupQueue>,
        labels: Rc<Labels>,
        records: Rc<RecordsPanel>,
        newest: oneshot::Receiver<Array>,
    ) -> Result<Log, JsValue> {
        let edit = Rc::new(Edit::new(desk.clone(), queue, labels.clone(), records.clone())?);
        let table = Rc::new(Table::new(desk.clone(), edit.clone(), labels)?);
        let find = Rc::new(Find::new(desk.clone(), table.clone(), Named::new(records))?);
        desk.tell(vec![find.clone()]);
        table.bind()?;
        find.bind()?;
        // To count a long log takes longer than to show its end.
        table.show_newest(desk.store.entries_in(&newest.await.unwrap_or_default()));
        mark("koct-shown")?;
        let (tells, counted) = oneshot::channel();
        spawn_local(desk.read_log(|| {
            let _ = mark("koct-counted");
            let _ = tells.send(());
        }));
        Ok(Log { edit, table, find, counted })
    }
}

/// What all other panels are given.
struct Others {
    desk: Rc<Desk>,
    records: Rc<RecordsPanel>,
    lookups: Rc<Lookups>,
    labels: Rc<Labels>,
    patron: Rc<PatronPanel>,
    queue: Rc<LookupQueue>,
    scans: Rc<Scans>,
    open_scans: Rc<OpenScans>,
    log: Log,
}

later! {
    /// Starts all other panels.
    async fn start_others(others: Others, early: Early) -> Result<(), JsValue> {
        others.start(early).await
    }
}

impl Others {
    async fn start(self, early: Early) -> Result<(), JsValue> {
        let Self {
            desk,
            records,
            lookups,
            labels,
            patron,
            queue,
            scans,
            open_scans,
            log: Log { edit, table, find, counted },
        } = self;
        let moving = MoveVisit::new(desk.clone(), queue.clone(), patron.clone(), scans, records.clone())?;
        let moving = Rc::new(moving);
        desk.tell(vec![edit.clone(), moving.clone()]);
        edit.bind()?;
        moving.bind()?;
        let print = Rc::new(Print::new(desk.clone(), table.clone())?);
        let tabs = Rc::new(Tabs::new(table)?);
        let todo = TodoPanel::new(
            desk.clone(),
            Names::new(records.clone(), lookups, labels.clone()),
            edit.clone(),
            print.clone(),
            Rc::new(Whose::new(desk.clone(), records.clone(), queue)?),
            tabs.clone(),
            open_scans,
        );
        let todo = Rc::new(todo?);
        let reach = Rc::new(Reach::new(desk.clone())?);
        let guide = Rc::new(Guide::new(desk.clone())?);
        let ready_line = Rc::new(ReadyLine::new(desk.clone(), records.clone())?);
        let review = Rc::new(ReviewPanel::new(desk.clone(), edit, labels)?);
        window::help::bind()?;
        window::alt::bind()?;
        scan::rows::bind(&desk)?;
        Rc::new(Commit::new(desk.clone(), review.clone(), todo.clone())?).bind();
        // What leads to Koha or into files has no place in practice.
        if !ground::is_practice() {
            commit::koha_queue::bind(&desk)?;
            Rc::new(Exporting::new(desk.clone())?).bind()?;
            Import::start(desk.clone(), records.clone())?;
            files::backup::bind(&desk)?;
            let copying = Rc::new(Copying::new(desk.clone(), ready_line.clone())?);
            copying.bind()?;
            desk.tell(vec![copying]);
            window::practice::offer(&desk)?;
        }
        let clear = Rc::new(Clear::new(desk.clone())?);
        let batches = Rc::new(Batches::new(desk.clone(), find.clone(), tabs, todo.clone())?);
        clear.bind()?;
        log::tall::bind(&desk)?;
        batches.bind()?;
        review.bind()?;
        print.bind()?;
        records.bind()?;
        patron.bind();
        todo.bind()?;
        for id in ["open-settings", "guide-settings", "set-up"] {
            dom::on_click(id, &desk, |_| browser().runtime().open_options_page())?;
        }
        guide.bind()?;
        ready_line.bind()?;
        desk.watch_settings();
        // Who hears of the log from now on begins with it as it was read.
        let _ = counted.await;
        let late: Vec<Rc<dyn Panel>> =
            vec![todo, reach.clone(), guide, ready_line, review, clear.clone(), batches, print];
        desk.tell(late.clone());
        desk.clone().reload_preferences().await;
        desk.clone().recover().await;
        if ground::is_practice() {
            window::practice::bind(desk.clone()).await?;
        }
        // What is read for them keeps nobody waiting.
        early.whole();
        desk.begin_late(late).await;
        show(&records, &reach, &find, &clear).await
    }
}

/// Shows all else that is kept.
///
/// # Errors
/// Outside a page.
async fn show(records: &Rc<RecordsPanel>, reach: &Rc<Reach>, find: &Rc<Find>, clear: &Clear) -> Result<(), JsValue> {
    spawn_local(async {
        store::persist().await;
    });
    spawn_local(records.clone().reload());
    reach.bind();
    clear.offer().await;
    dom::document()?.body().ok_or("no body")?.set_attribute("data-ready", "")?;
    mark("koct-whole")?;
    find.prepare();
    Ok(())
}

/// Opens the log. `None` where that is not possible, and the page says why.
async fn open_log(message: &Rc<Message>) -> Result<Option<Rc<Store>>, JsValue> {
    let [waiting, gone] = [message.clone(), message.clone()];
    let waits = move || waiting.about(Topic::Log).show(Tone::Bad, &text("storageWaits"));
    let store = match Store::open_or_wait(&store::database(), waits).await {
        Ok(store) => Rc::new(store),
        Err(error) => return not_opened(message, &error).await.map(|()| None),
    };
    message.about(Topic::Log).show(Tone::Good, "");
    store.give_way(move || gone.about(Topic::Log).show(Tone::Bad, &text("storageClosed")));
    Ok(Some(store))
}

/// The buttons that need the log, besides those that record and send.
const LOG_BUTTONS: [&str; 9] = [
    "export-koc",
    "backup",
    "import-koc",
    "clear",
    "clear-committed",
    "open-queue",
    "show-batches",
    "show-review",
    "undo",
];

/// The log cannot be opened: nothing can be recorded.
async fn not_opened(message: &Rc<Message>, error: &StoreError) -> Result<(), JsValue> {
    let words = match (webext::in_private_window(), webext::in_own_window().await) {
        // The button asks for no private window. Where Firefox is set to never remember history, it is one all the same.
        (true, true) => text("logNoHistory"),
        (true, false) => text("logPrivate"),
        (false, _) => text_with("openFailed", &[&error.explained()]),
    };
    message.about(Topic::Log).show(Tone::Bad, &words);
    // Whatever else needs the log says the same.
    let told = Rc::new((message.clone(), words));
    for id in LOG_BUTTONS {
        dom::on_click(id, &told, |told| told.0.about(Topic::Log).show(Tone::Bad, &told.1))?;
    }
    for id in ["checkout-item", "checkout-patron", "checkin-item", "checkout-submit", "checkin-submit", "commit"] {
        dom::by_id::<Element>(id)?.set_attribute("disabled", "")?;
    }
    Ok(())
}

/// Marks how far the window has come, for whoever looks at how long it takes to open.
fn mark(name: &str) -> Result<(), JsValue> {
    if let Some(performance) = dom::window()?.performance() {
        performance.mark(name)?;
    }
    Ok(())
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
