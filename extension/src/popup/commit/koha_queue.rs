//! The dialog with Koha's queue: what every desk of the library has sent, processed in true order or deleted.

use super::turn::Turn;
use crate::{
    clock,
    dom::{self, elements},
    i18n::{plural, text, text_with},
    later::seldom,
    locale,
    popup::{
        Desk,
        window::question::{self, Question, Reply},
    },
    processor::{self, Watcher},
    store::{Change, StoreError},
    wording::{self, Explained as _},
};
use koct_core::{
    Entry, Settings, State, Status, TransactionId,
    koha::pending::{NotRead, Pending},
    log::{
        commit::{Batch, Queued},
        event::LogEvent,
        handled::{Deed, Handled, Outcome},
        warned::Grade,
    },
    ordered::Gather,
    processing::{
        Chosen, Processing, Report, Stop, Unended,
        listed::{self, Line},
    },
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    Element, Event, HtmlButtonElement, HtmlDialogElement, HtmlElement, HtmlInputElement, HtmlOptionElement,
    HtmlProgressElement, HtmlSelectElement,
};

/// What the button opens, once it was opened.
type Opened = RefCell<Option<Rc<KohaQueue>>>;

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let given: Rc<(Rc<Desk>, Opened)> = Rc::new((desk.clone(), Opened::default()));
    dom::on_click("open-queue", &given, |given| spawn_local(open(given.clone())))
}

seldom! {
    async fn open(given: Rc<(Rc<Desk>, Opened)>) {
        let opened = given.1.borrow().clone();
        let dialog = match opened {
            Some(dialog) => dialog,
            // The page is checked by the tests: it lacks nothing.
            None => match KohaQueue::new(given.0.clone()).map(Rc::new) {
                Ok(dialog) => {
                    dialog.bind();
                    given.1.replace(Some(dialog.clone()));
                    dialog
                }
                Err(_) => return,
            },
        };
        dialog.open().await;
    }
}

/// The number of rows that a question names.
const NAMED: usize = 20;

/// What became of a row in this dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Handled(Outcome),
    InDoubt,
    Waits,
    TooEarly,
}

impl End {
    /// Whether it may be chosen again.
    fn is_open(&self) -> bool {
        match self {
            Self::Waits | Self::TooEarly => true,
            Self::Handled(outcome) => outcome.is_left(),
            Self::InDoubt => false,
        }
    }
}

/// What of the log is asked about and told of.
#[derive(Default)]
struct Known {
    entries: Vec<Entry>,
    queued: Vec<Queued>,
    unended: Vec<Unended>,
    left: Vec<Handled>,
}

elements! {
    struct KohaQueue(desk: Rc<Desk>) {
        dialog: HtmlDialogElement = "queue-dialog",
        all: HtmlInputElement = "queue-all",
        which: HtmlSelectElement = "queue-which",
        refresh: HtmlButtonElement = "queue-refresh",
        table: HtmlElement = "queue-table",
        rows: Element = "queue-rows",
        progress: HtmlProgressElement = "queue-progress",
        state: HtmlElement = "queue-state",
        delete: HtmlButtonElement = "queue-delete",
        close: HtmlButtonElement = "queue-close",
        stop: HtmlButtonElement = "queue-stop",
        process: HtmlButtonElement = "queue-process",
        ;
        lines: RefCell<Vec<Line>>,
        own: RefCell<HashMap<TransactionId, Entry>>,
        ends: RefCell<HashMap<u64, End>>,
        is_busy: Cell<bool>,
        stops: Cell<bool>,
    }
}

impl KohaQueue {
    fn bind(self: &Rc<Self>) {
        dom::bind(&self.refresh, "click", self, |this| spawn_local(this.clone().look()));
        dom::bind(&self.process, "click", self, |this| spawn_local(this.clone().run(Deed::Process)));
        dom::bind(&self.delete, "click", self, |this| spawn_local(this.clone().run(Deed::Delete)));
        dom::bind(&self.close, "click", self, |this| this.dialog.close());
        dom::bind(&self.stop, "click", self, |this| this.stop());
        // Escape does not hide what goes on.
        dom::bind_event(&self.dialog, "cancel", self, |this, event: Event| {
            if this.is_busy.get() {
                event.prevent_default();
                this.stop();
            }
        });
        dom::bind(&self.all, "change", self, |this| {
            let all = this.all.checked();
            this.check(|line| all && !line.is_double);
        });
        dom::bind(&self.which, "change", self, |this| {
            let which = this.which.value();
            this.which.set_value("");
            this.check(|line| this.is_of(line, &which));
        });
        dom::bind(&self.rows, "change", self, |this| this.show_choice());
    }

    fn stop(&self) {
        if self.is_busy.get() {
            self.stops.set(true);
            self.stop.set_disabled(true);
            self.say(&text("commitStopping"));
        }
    }

    fn say(&self, words: &str) {
        self.state.set_text_content(Some(words));
    }

    async fn open(self: Rc<Self>) {
        if !self.dialog.open() {
            let _ = self.dialog.show_modal();
        }
        let _ = self.close.focus();
        self.look().await;
    }

    fn set_busy(&self, is_busy: bool, is_run: bool) {
        self.is_busy.set(is_busy);
        self.stops.set(false);
        self.stop.set_disabled(false);
        self.stop.set_hidden(!is_busy || !is_run);
        self.close.set_hidden(is_busy && is_run);
        self.progress.set_hidden(!is_busy);
        let _ = self.progress.remove_attribute("value");
        self.show_choice();
        let _ = if is_busy && is_run { self.stop.focus() } else { self.close.focus() };
    }

    /// Reads the queue, and shows it.
    async fn look(self: Rc<Self>) {
        if self.is_busy.get() {
            return;
        }
        self.set_busy(true, false);
        self.say(&text("queueReading"));
        let words = self.read().await.unwrap_or_else(|words| words);
        self.set_busy(false, false);
        self.say(&words);
    }

    /// # Errors
    /// When it cannot be read, with the words why.
    async fn read(&self) -> Result<String, String> {
        let settings = self.desk.settings_to_ask().await?;
        // While somebody sends, nothing is noted; what has no end waits for the next time.
        let turn = Turn::take(&self.desk).await;
        let words = |error: StoreError| error.explained();
        let known = self.known(&settings).await.map_err(words)?;
        let unended = if turn.is_some() { known.unended } else { Vec::new() };
        let has_unended = !unended.is_empty();
        let processing = Processing::new(settings.clone(), u32::MAX, Deed::Process, [], unended, []);
        let report = processor::run(&settings, &self.desk.store, processing, self, &self.stops).await;
        drop(turn);
        if has_unended {
            self.desk.log_changed(&LogEvent::Committed);
        }
        let page = match (report.page, report.stop) {
            (Some(page), _) => page,
            (None, stop) => {
                self.show(Vec::new(), Vec::new());
                return Err(stop.map(|stop| why(&stop, &settings)).unwrap_or_default());
            }
        };
        let lines = listed::list(&page.rows, &known.entries, &known.queued);
        let number = lines.len();
        self.ends.borrow_mut().clear();
        self.show(lines, known.entries);
        Ok(if number == 0 { text("queueEmpty") } else { plural("queueCount", number, &[]) })
    }

    /// What the log knows of the queue.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn known(&self, settings: &Settings) -> Result<Known, StoreError> {
        let store = &self.desk.store;
        let mut entries = store.in_states(&[State::Added, State::InDoubt]).await?.into_entries();
        entries.retain(|entry| entry.may_be_queued_at(&settings.branchcode));
        let batches = store.batches_where(|batch| batch.server == settings.server.as_str()).await?;
        let queued = batches.iter().flat_map(|(_, batch)| batch.queued.clone()).collect();
        let left = batches.iter().flat_map(|(_, batch)| batch.left_in_queue(settings)).cloned().collect();
        let unended = batches.iter().flat_map(|(run, batch)| {
            let own = |row: &Handled| entries.iter().find(|entry| Some(entry.id) == row.own).cloned();
            batch.unended(settings).map(move |row| Unended { run: *run, handled: row.clone(), own: own(row) })
        });
        let unended = unended.collect();
        Ok(Known { entries, queued, unended, left })
    }

    fn show(&self, lines: Vec<Line>, entries: Vec<Entry>) {
        self.table.set_hidden(lines.is_empty());
        *self.own.borrow_mut() = entries.into_iter().map(|entry| (entry.id, entry)).collect();
        *self.lines.borrow_mut() = lines;
        dom::fill_list(&self.rows, self.lines.borrow().iter(), |line| self.row(line));
        self.offer_choices();
        self.show_choice();
    }

    fn row(&self, line: &Line) -> Result<HtmlElement, JsValue> {
        let row = dom::from_template("queue-template")?;
        let Pending { number, time, action, barcode, title, cardnumber, patron, amount, .. } = &line.row;
        row.set_attribute("data-number", &number.to_string())?;
        row.set_attribute("data-action", action)?;
        dom::set_field(&row, "time", &wording::harmless(time));
        dom::set_field(&row, "action", &action_word(action));
        let harmless = |words: &str| wording::harmless(words);
        dom::set_field(&row, "title", &harmless(title));
        dom::set_field(&row, "barcode", &harmless(if barcode.is_empty() { amount } else { barcode }));
        dom::set_field(&row, "patron", &harmless(patron));
        dom::set_field(&row, "cardnumber", &harmless(cardnumber));
        if let Some(check) = dom::field(&row, "check") {
            check.set_attribute("aria-label", &named(&line.row))?;
        }
        self.show_end(&row, line);
        Ok(row)
    }

    /// What became of a row, or what is to be said of it before.
    fn show_end(&self, row: &Element, line: &Line) {
        let ends = self.ends.borrow();
        let end = ends.get(&line.row.number);
        let (grade, words) = end.map_or_else(|| said_before(line), said_of);
        dom::set_field(row, "result", &words);
        let _ = match grade {
            Some(grade) => row.set_attribute("data-grade", grade.name()),
            None => row.remove_attribute("data-grade"),
        };
        let is_open = end.is_none_or(End::is_open);
        if let Some(check) = checkbox(row) {
            check.set_disabled(!is_open);
            if !is_open {
                check.set_checked(false);
            }
        }
    }

    fn element(&self, number: u64) -> Option<Element> {
        self.rows.query_selector(&format!("[data-number=\"{number}\"]")).ok().flatten()
    }

    fn set_end(&self, number: u64, end: End) {
        self.ends.borrow_mut().insert(number, end);
        let lines = self.lines.borrow();
        let line = lines.iter().find(|line| line.row.number == number);
        if let Some((line, row)) = line.zip(self.element(number)) {
            self.show_end(&row, line);
        }
    }

    /// What can be checked at once: everything, by desk, by day.
    fn offer_choices(&self) {
        let lines = self.lines.borrow();
        let mut choices = vec![
            (String::new(), text("queueCheck")),
            ("all".to_owned(), text("queueEverything")),
            ("none".to_owned(), text("queueNothing")),
        ];
        if lines.iter().any(|line| line.is_double) {
            choices.push(("double".to_owned(), text("queueDoubles")));
        }
        let desks = lines.iter().filter_map(|line| self.desk_of(line)).into_list();
        for desk in desks {
            let this = || text_with("findThisDesk", &[self.desk.preferences.borrow().desk_name().as_str()]);
            let name = if desk.is_empty() { this() } else { wording::harmless(&desk) };
            choices.push((format!("desk:{desk}"), name));
        }
        if lines.iter().any(|line| line.own.is_some()) && lines.iter().any(|line| line.own.is_none()) {
            choices.push(("others".to_owned(), text("queueOthers")));
        }
        let mut days: Vec<&str> = lines.iter().map(|line| day(&line.row)).collect();
        days.dedup();
        if days.len() > 1 {
            choices.extend(days.iter().map(|day| (format!("day:{day}"), wording::harmless(day))));
        }
        self.which.set_text_content(None);
        for (value, label) in choices {
            if let Ok(option) = HtmlOptionElement::new_with_text_and_value(&label, &value) {
                let _ = self.which.append_with_node_1(&option);
            }
        }
        self.which.set_value("");
    }

    /// The desk whose transaction it is, where this log has it: its name, or nothing for this one.
    fn desk_of(&self, line: &Line) -> Option<String> {
        let own = self.own.borrow();
        let entry = own.get(&line.own?)?;
        Some(entry.desk.as_ref().map(|desk| desk.as_str().to_owned()).unwrap_or_default())
    }

    fn is_of(&self, line: &Line, which: &str) -> bool {
        match which.split_once(':') {
            Some(("desk", name)) => self.desk_of(line).is_some_and(|desk| desk == name),
            Some(("day", wanted)) => day(&line.row) == wanted,
            _ => match which {
                "all" => !line.is_double,
                "double" => line.is_double,
                "others" => line.own.is_none(),
                _ => false,
            },
        }
    }

    /// Checks those of which this is true, and no others.
    fn check(&self, is_wanted: impl Fn(&Line) -> bool) {
        for line in &*self.lines.borrow() {
            if let Some(check) = self.element(line.row.number).as_ref().and_then(checkbox) {
                check.set_checked(!check.disabled() && is_wanted(line));
            }
        }
        self.show_choice();
    }

    /// Those that are checked, in true order.
    fn checked(&self) -> Vec<Line> {
        let is_checked = |line: &&Line| {
            self.element(line.row.number).as_ref().and_then(checkbox).is_some_and(|check| check.checked())
        };
        self.lines.borrow().iter().filter(is_checked).cloned().collect()
    }

    fn show_choice(&self) {
        let number = self.checked().len();
        let is_busy = self.is_busy.get();
        // What is there twice is checked by whoever wants just that.
        let all = self.lines.borrow().iter().filter(|line| !line.is_double).count();
        self.all.set_checked(number > 0 && number >= all);
        self.all.set_indeterminate(number > 0 && number < all);
        for (button, key) in [(&self.process, "queueProcess"), (&self.delete, "queueDelete")] {
            button.set_text_content(Some(&text_with(key, &[&locale::number(number)])));
            button.set_disabled(is_busy || number == 0);
        }
        self.refresh.set_disabled(is_busy);
        self.which.set_disabled(is_busy);
        self.all.set_disabled(is_busy);
    }

    async fn run(self: Rc<Self>, deed: Deed) {
        let lines = self.checked();
        if self.is_busy.get() || lines.is_empty() || (deed == Deed::Delete && !may_delete(&lines).await) {
            return;
        }
        self.set_busy(true, true);
        self.say(&text("commitConnecting"));
        let words = self.process(deed, &lines).await.unwrap_or_else(|words| words);
        self.set_busy(false, true);
        self.say(&words);
    }

    /// # Errors
    /// When it did not begin, with the words why.
    async fn process(&self, deed: Deed, lines: &[Line]) -> Result<String, String> {
        let settings = self.desk.settings_to_ask().await?;
        let turn = Turn::take(&self.desk).await.ok_or_else(|| text("commitBusy"))?;
        let done = self.process_with_lock(&settings, deed, lines).await;
        drop(turn);
        self.desk.draw_now();
        self.desk.log_changed(&LogEvent::Committed);
        done
    }

    async fn process_with_lock(&self, settings: &Settings, deed: Deed, lines: &[Line]) -> Result<String, String> {
        let words = |error: StoreError| error.explained();
        let started = clock::now().ok_or_else(|| text("attentionClock"))?;
        let known = self.known(settings).await.map_err(words)?;
        let number = self.desk.store.begin_batch(&Batch::begin_processing(settings, started)).await.map_err(words)?;
        let own = |line: &Line| known.entries.iter().find(|entry| Some(entry.id) == line.own).cloned();
        let chosen: Vec<_> = lines.iter().map(|line| Chosen { row: line.row.clone(), own: own(line) }).collect();
        let processing = Processing::new(settings.clone(), number, deed, chosen, known.unended, known.left);
        let report = processor::run(settings, &self.desk.store, processing, self, &self.stops).await;
        for (numbers, end) in
            [(&report.waiting, End::Waits), (&report.too_early, End::TooEarly), (&report.in_doubt, End::InDoubt)]
        {
            for number in numbers {
                self.set_end(*number, end.clone());
            }
        }
        let words = summary(&report, lines.len(), settings);
        let ended = clock::now().unwrap_or(started);
        let left = report.left(lines.len());
        let kept = words.clone();
        let stored = self.desk.store.change_batch(number, |batch| batch.processing_ended(ended, left, kept)).await;
        Ok(match stored {
            Ok(()) => words,
            Err(error) => [words, text_with("batchFailed", &[&error.explained()])].join("\n"),
        })
    }
}

impl Watcher for KohaQueue {
    fn noted(&self, rows: Vec<Handled>, changes: Vec<Change>) {
        for row in rows {
            if let Some(outcome) = row.outcome {
                self.set_end(row.number, End::Handled(outcome));
            }
        }
        if !changes.is_empty() {
            self.desk.apply(changes);
        }
    }

    fn progress(&self, done: usize, all: usize) {
        if all > 0 && done > 0 && !self.stop.disabled() {
            let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            self.progress.set_max(number(all).into());
            self.progress.set_value(number(done).into());
            self.say(&text_with("commitProgress", &[&locale::number(done), &locale::number(all)]));
        }
    }
}

/// Asks before rows are deleted.
async fn may_delete(lines: &[Line]) -> bool {
    let mut list: Vec<String> = lines.iter().take(NAMED).map(|line| named(&line.row)).collect();
    if lines.len() > NAMED {
        list.push(plural("staleAndOthers", lines.len() - NAMED, &[]));
    }
    let reply = question::ask(Question {
        title: &plural("queueDeleteTitle", lines.len(), &[]),
        text: &text("queueDeleteText"),
        list: &list,
        yes: &text("queueDeleteYes"),
        other: None,
        is_dangerous: true,
    })
    .await;
    matches!(reply, Ok(Reply::Yes))
}

fn checkbox(row: &Element) -> Option<HtmlInputElement> {
    dom::field(row, "check")?.dyn_into().ok()
}

/// The day of a row, as the page writes it.
fn day(row: &Pending) -> &str {
    row.time.split_whitespace().next().unwrap_or_default()
}

fn action_word(action: &str) -> String {
    match action {
        "issue" => text("checkout"),
        "return" => text("checkin"),
        "payment" => text("payment"),
        other => wording::harmless(other),
    }
}

/// A row in one line.
fn named(row: &Pending) -> String {
    let Pending { time, action, barcode, title, cardnumber, patron, amount, .. } = row;
    let item = if title.is_empty() { barcode } else { title };
    let who = if patron.is_empty() { cardnumber } else { patron };
    let words = [time, &action_word(action), item, who, amount].map(|words| wording::harmless(words));
    wording::joined(words.into_iter().filter(|words| !words.is_empty()))
}

/// What is to be looked at before a row is processed.
fn said_before(line: &Line) -> (Option<Grade>, String) {
    let (grade, key) = if line.is_double {
        (Grade::Stop, "queueDouble")
    } else if line.row.is_seen_since {
        (Grade::Careful, "queueSeenSince")
    } else if line.is_unsure {
        (Grade::Careful, "queueUnsure")
    } else if line.row.is_unknown {
        (Grade::Careful, "queueUnknown")
    } else {
        return (None, String::new());
    };
    (Some(grade), text(key))
}

fn said_of(end: &End) -> (Option<Grade>, String) {
    let (grade, key) = match end {
        End::Handled(Outcome::Success) => return (None, wording::status(&Status::Success)),
        End::Handled(Outcome::Refused { message }) => {
            let status = Status::Rejected { message: wording::harmless(message) };
            return (Some(Grade::Stop), wording::status(&status));
        }
        End::Handled(Outcome::Deleted) => (None, "queueDeleted"),
        End::Handled(Outcome::Gone) => (Some(Grade::Careful), "queueGone"),
        End::Handled(Outcome::Unseen) => (Some(Grade::Careful), "queueUnseen"),
        End::Handled(Outcome::Left { .. }) => (Some(Grade::Careful), "queueLeft"),
        End::Handled(Outcome::NotAsked) => (None, "queueNotAsked"),
        End::InDoubt => (Some(Grade::Careful), "queueInDoubt"),
        End::Waits => (None, "queueWaits"),
        End::TooEarly => (Some(Grade::Careful), "queueTooEarly"),
    };
    (grade, text(key))
}

/// What a row of an earlier run is about and what became of it, in one line.
pub(crate) fn handled(row: &Handled) -> String {
    let shown = &row.shown;
    let end = row.outcome.clone().map_or(End::InDoubt, End::Handled);
    let words = [&shown.time, &action_word(&shown.action), &shown.barcode, &shown.cardnumber, &shown.amount];
    let words = words.map(|words| wording::harmless(words));
    wording::joined(words.into_iter().chain([said_of(&end).1]).filter(|words| !words.is_empty()))
}

fn why(stop: &Stop, settings: &Settings) -> String {
    match stop {
        Stop::Commit(stop) => wording::stop(stop, settings),
        Stop::NotRead(NotRead::NotLetIn) => text("queueNotLetIn"),
        Stop::NotRead(NotRead::Elsewhere(code)) => text_with("queueElsewhere", &[code, &settings.branchcode]),
        Stop::NotRead(NotRead::Nowhere) => text("queueNowhere"),
        Stop::NotRead(NotRead::OtherPage) => text("queueOtherPage"),
        Stop::NotRead(NotRead::Row(words)) => text_with("queueRow", &[words]),
    }
}

/// How a run went.
fn summary(report: &Report, chosen: usize, settings: &Settings) -> String {
    let count = |is_it: fn(&Outcome) -> bool| report.ended.iter().filter(|(_, outcome)| is_it(outcome)).count();
    let to_look_at = count(|outcome| matches!(outcome, Outcome::Gone | Outcome::Unseen)) + report.in_doubt.len();
    let counts = [
        (count(|outcome| *outcome == Outcome::Success), "queueProcessed"),
        (count(|outcome| *outcome == Outcome::Deleted), "queueDeletedNumber"),
        (count(|outcome| matches!(outcome, Outcome::Refused { .. })), "countRefused"),
        (to_look_at, "queueToLookAt"),
        (usize::try_from(report.left(chosen)).unwrap_or(usize::MAX), "queueLeftNumber"),
    ];
    let counts = counts.into_iter().filter(|(number, _)| *number > 0);
    let counts = counts.map(|(number, key)| text_with(key, &[&locale::number(number)]));
    let reason = report.stop.as_ref().map(|stop| why(stop, settings));
    reason.into_iter().chain(counts).collect::<Vec<_>>().join(" ")
}
