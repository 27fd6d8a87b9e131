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
    Settings, Status,
    koha::pending::{NotRead, Pending},
    log::{
        commit::Batch,
        event::LogEvent,
        handled::{Deed, Handled, Outcome},
    },
    processing::{
        Processing, ProcessingError, Report,
        choice::Choice,
        end::{End, Ends},
        known::Known,
        listed::{self, Caution, Line},
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
    Element, Event, HtmlButtonElement, HtmlDialogElement, HtmlElement, HtmlInputElement, HtmlProgressElement,
    HtmlSelectElement,
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
        choices: RefCell<Vec<Choice>>,
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
            this.check(if this.all.checked() { &Choice::All } else { &Choice::Nothing });
        });
        dom::bind(&self.which, "change", self, |this| {
            let which = this.which.value();
            this.which.set_value("");
            if let Some(choice) = this.choices.borrow().iter().find(|choice| choice.name() == which) {
                this.check(choice);
            }
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
        let turn = Turn::take(&self.desk).await;
        let words = |error: StoreError| error.explained();
        let known = self.known(&settings).await.map_err(words)?;
        let unended = known.settled_by_a_look(turn.is_some());
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
                self.show(Vec::new());
                return Err(stop.map(|stop| why(&stop, &settings)).unwrap_or_default());
            }
        };
        let lines = listed::list(&page.rows, &known.entries, &known.queued);
        let number = lines.len();
        self.ends.borrow_mut().clear();
        self.show(lines);
        Ok(if number == 0 { text("queueEmpty") } else { plural("queueCount", number, &[]) })
    }

    /// What the log knows of the queue.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn known(&self, settings: &Settings) -> Result<Known, StoreError> {
        let store = &self.desk.store;
        let entries = store.in_states_by_number(&Known::STATES).await?;
        let batches = store.batches_where(|batch| batch.server == settings.server.as_str()).await?;
        Ok(Known::new(entries, &batches, settings))
    }

    fn show(&self, lines: Vec<Line>) {
        self.table.set_hidden(lines.is_empty());
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
        let (grade, words) = match (end, line.caution()) {
            (Some(end), _) => (end.grade(), said_of(end)),
            (None, Some(caution)) => (Some(caution.grade()), said_before(caution)),
            (None, None) => (None, String::new()),
        };
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

    /// What can be checked at once.
    fn offer_choices(&self) {
        let choices = Choice::offered(&self.lines.borrow());
        let labels = choices.iter().map(|choice| (choice.name(), self.label(choice)));
        dom::fill_options(&self.which, [(String::new(), text("queueCheck"))].into_iter().chain(labels));
        self.which.set_value("");
        self.choices.replace(choices);
    }

    fn label(&self, choice: &Choice) -> String {
        match choice {
            Choice::All => text("queueEverything"),
            Choice::Nothing => text("queueNothing"),
            Choice::Doubles => text("queueDoubles"),
            Choice::Others => text("queueOthers"),
            Choice::Desk(name) if name.is_empty() => {
                text_with("findThisDesk", &[self.desk.preferences.borrow().desk_name().as_str()])
            }
            Choice::Desk(words) | Choice::Day(words) => wording::harmless(words),
        }
    }

    /// Checks those that are chosen by this, and no others.
    fn check(&self, choice: &Choice) {
        for line in &*self.lines.borrow() {
            if let Some(check) = self.element(line.row.number).as_ref().and_then(checkbox) {
                check.set_checked(!check.disabled() && choice.has(line));
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
        let all = self.lines.borrow().iter().filter(|line| Choice::All.has(line)).count();
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
        let processing = known.run(settings.clone(), number, deed, lines);
        let report = processor::run(settings, &self.desk.store, processing, self, &self.stops).await;
        for (number, end) in End::without_outcome(&report) {
            self.set_end(number, end);
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
        opened: None,
    })
    .await;
    matches!(reply, Ok(Reply::Yes))
}

fn checkbox(row: &Element) -> Option<HtmlInputElement> {
    dom::field(row, "check")?.dyn_into().ok()
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
fn said_before(caution: Caution) -> String {
    text(match caution {
        Caution::Double => "queueDouble",
        Caution::SeenSince => "queueSeenSince",
        Caution::Unsure => "queueUnsure",
        Caution::Unknown => "queueUnknown",
    })
}

fn said_of(end: &End) -> String {
    text(match end {
        End::Handled(Outcome::Success) => return wording::status(&Status::Success),
        End::Handled(Outcome::Refused { message }) => {
            return wording::status(&Status::Rejected { message: wording::harmless(message) });
        }
        End::Handled(Outcome::Deleted) => "queueDeleted",
        End::Handled(Outcome::Gone) => "queueGone",
        End::Handled(Outcome::Unseen) => "queueUnseen",
        End::Handled(Outcome::Left { .. }) => "queueLeft",
        End::Handled(Outcome::NotAsked) => "queueNotAsked",
        End::InDoubt => "queueInDoubt",
        End::Waits => "queueWaits",
        End::TooEarly => "queueTooEarly",
    })
}

/// What a row of an earlier run is about and what became of it, in one line.
pub(crate) fn handled(row: &Handled) -> String {
    let shown = &row.shown;
    let words = [&shown.time, &action_word(&shown.action), &shown.barcode, &shown.cardnumber, &shown.amount];
    let words = words.map(|words| wording::harmless(words));
    wording::joined(words.into_iter().chain([said_of(&End::of(row))]).filter(|words| !words.is_empty()))
}

fn why(error: &ProcessingError, settings: &Settings) -> String {
    match error {
        ProcessingError::Commit(error) => wording::commit_error(error, settings),
        ProcessingError::NotRead(NotRead::NotLetIn) => text("queueNotLetIn"),
        ProcessingError::NotRead(NotRead::Elsewhere(code)) => {
            text_with("queueElsewhere", &[code, &settings.branchcode])
        }
        ProcessingError::NotRead(NotRead::Nowhere) => text("queueNowhere"),
        ProcessingError::NotRead(NotRead::OtherPage) => text("queueOtherPage"),
        ProcessingError::NotRead(NotRead::Row(words)) => text_with("queueRow", &[words]),
    }
}

/// How a run went.
fn summary(report: &Report, chosen: usize, settings: &Settings) -> String {
    let ends = Ends::of(report, chosen);
    let counts = [
        (ends.processed, "queueProcessed"),
        (ends.deleted, "queueDeletedNumber"),
        (ends.refused, "countRefused"),
        (ends.to_look_at, "queueToLookAt"),
        (ends.left, "queueLeftNumber"),
    ];
    let counts = counts.into_iter().filter(|(number, _)| *number > 0);
    let counts = counts.map(|(number, key)| text_with(key, &[&locale::number(number)]));
    let reason = report.stop.as_ref().map(|stop| why(stop, settings));
    reason.into_iter().chain(counts).collect::<Vec<_>>().join(" ")
}
