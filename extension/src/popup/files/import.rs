//! Brings files of other desks and of other programs into the log, many at once, and accounts for every line.

use super::{backup, export};
use crate::{
    clock::{self, DeskZone},
    dom,
    http::sleep,
    i18n::{plural, text, text_with},
    locale,
    popup::{Desk, Tone, Topic},
    sender,
    store::StoreError,
    wording,
};
use koct_core::{
    DeskName, Entry, Moment, TransactionId,
    desks::{
        import::{self, Known},
        koc::{self, Reading, Times, Warning},
    },
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    fmt::Write as _,
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    DragEvent, Element, Event, File, FileList, HtmlDialogElement, HtmlElement, HtmlInputElement, HtmlOptionElement,
    HtmlProgressElement, HtmlSelectElement,
};

/// So many refused lines are listed for a file; the report has all.
const LINES_LISTED: usize = 100;
/// So many transactions are written at once: a scan waits no longer than for these.
const CHUNK: usize = 250;
/// So many entries of the log are read at once.
const READ_AT_ONCE: u32 = 2_000;
/// The offsets offered where a file leaves its time zone open: all whole hours, and the halves and quarters that are in use.
const OFFSETS: [i16; 38] = [
    -720, -660, -600, -570, -540, -480, -420, -360, -300, -240, -210, -180, -120, -60, 0, 60, 120, 180, 210, 240, 270,
    300, 330, 345, 360, 390, 420, 480, 525, 540, 570, 600, 630, 660, 720, 765, 780, 840,
];

pub(crate) struct Import {
    dialog: HtmlDialogElement,
    files: HtmlInputElement,
    list: Element,
    progress_row: HtmlElement,
    progress: HtmlProgressElement,
    state: Element,
    report: HtmlElement,
    close: Element,
    go: HtmlElement,
    chosen: RefCell<Vec<Rc<Chosen>>>,
    running: Cell<bool>,
    done: Cell<bool>,
}

/// A file that was chosen.
struct Chosen {
    file: File,
    row: HtmlElement,
    /// What it is, once it was looked at.
    kind: RefCell<Option<Content>>,
    /// What became of it, once it was imported.
    outcome: RefCell<Option<Outcome>>,
    left_out: Cell<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Koc,
    Backup,
}

/// What became of a file.
#[derive(Default, Clone)]
pub(crate) struct Outcome {
    pub(crate) imported: usize,
    pub(crate) already_there: u32,
    /// Of those, the ones that were cleared from the log.
    pub(crate) cleared: u32,
    /// Line numbers and reasons.
    pub(crate) refused: Vec<(usize, String)>,
    pub(crate) notes: Vec<String>,
    pub(crate) failed: Option<String>,
}

/// What the log holds of each desk.
pub(crate) struct Knowledge {
    own: DeskName,
    desks: HashMap<DeskName, Known>,
}

impl Knowledge {
    /// Reads the log bit by bit.
    async fn of(desk: &Desk) -> Result<Self, StoreError> {
        let mut knowledge = Self { own: desk.preferences.borrow().desk_name(), desks: HashMap::new() };
        let mut last = TransactionId(0);
        loop {
            let entries = desk.store.after(last, READ_AT_ONCE).await?;
            let Some(newest) = entries.last() else { return Ok(knowledge) };
            last = newest.id;
            for entry in &entries {
                knowledge.take(entry);
            }
            sleep(Duration::ZERO).await;
        }
    }

    pub(crate) fn own(&self) -> &DeskName {
        &self.own
    }

    pub(crate) fn call_own(&mut self, own: DeskName) {
        self.own = own;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.desks.values().all(Known::is_empty)
    }

    pub(crate) fn take(&mut self, entry: &Entry) {
        let desk = entry.desk.as_ref().unwrap_or(&self.own).clone();
        self.desks.entry(desk).or_default().take(entry);
    }

    /// What the log holds of the desk of this entry.
    pub(crate) fn place(&self, entry: &Entry) -> Option<TransactionId> {
        self.desks.get(entry.desk.as_ref().unwrap_or(&self.own))?.place(entry.original())
    }

    fn of_desk(&mut self, desk: &DeskName) -> &Known {
        self.desks.entry(desk.clone()).or_default()
    }
}

impl Import {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn new() -> Result<Self, JsValue> {
        Ok(Self {
            dialog: dom::by_id("import-dialog")?,
            files: dom::by_id("import-files")?,
            list: dom::by_id("import-list")?,
            progress_row: dom::by_id("import-progress-row")?,
            progress: dom::by_id("import-progress")?,
            state: dom::by_id("import-state")?,
            report: dom::by_id("import-report")?,
            close: dom::by_id("import-close")?,
            go: dom::by_id("import-go")?,
            chosen: RefCell::default(),
            running: Cell::default(),
            done: Cell::default(),
        })
    }

    fn open(&self) {
        if self.dialog.open() {
            return;
        }
        self.chosen.borrow_mut().clear();
        self.list.set_text_content(None);
        self.files.set_value("");
        self.say("");
        self.report.set_hidden(true);
        self.done.set(false);
        self.show_buttons();
        let _ = self.dialog.show_modal();
        let _ = self.files.focus();
    }

    pub(crate) fn say(&self, text: &str) {
        self.state.set_text_content(Some(text));
    }

    fn show_buttons(&self) {
        let number = self.waiting().len();
        let label = if number == 0 { text("importGo") } else { text_with("importGoCount", &[&locale::number(number)]) };
        self.go.set_text_content(Some(&label));
        self.go.set_hidden(self.done.get());
        let _ = if number == 0 || self.running.get() {
            self.go.set_attribute("disabled", "")
        } else {
            self.go.remove_attribute("disabled")
        };
        self.files.set_disabled(self.running.get() || self.done.get());
        // What runs goes on behind a closed dialog.
        let closes = self.done.get() || self.running.get();
        self.close.set_text_content(Some(&text(if closes { "close" } else { "cancel" })));
        self.progress_row.set_hidden(!self.running.get());
    }

    fn show_progress(&self, done: usize, total: usize) {
        #[expect(clippy::cast_precision_loss, reason = "nobody chooses 2^52 files")]
        let [value, max] = [done, total].map(|number| number as f64);
        self.progress.set_max(max.max(1.0));
        self.progress.set_value(value);
        self.say(&text_with("importWorking", &[&locale::number(done), &locale::number(total)]));
    }

    /// Those that can be imported.
    fn waiting(&self) -> Vec<Rc<Chosen>> {
        let fits = |chosen: &&Rc<Chosen>| chosen.kind.borrow().is_some() && !chosen.left_out.get();
        self.chosen.borrow().iter().filter(fits).cloned().collect()
    }
}

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let this = desk.clone();
    dom::on::<Event>(dom::by_id::<Element>("import-koc")?.as_ref(), "click", move |_| this.import.open());
    let this = desk.clone();
    dom::on::<Event>(&desk.import.files, "change", move |_| {
        if let Some(files) = this.import.files.files() {
            spawn_local(this.clone().look_at(files));
        }
    });
    // Files may be dropped anywhere on the window.
    let document = dom::document()?;
    dom::on::<DragEvent>(document.as_ref(), "dragover", |event| {
        if event.data_transfer().is_some_and(|data| data.types().includes(&"Files".into(), 0)) {
            event.prevent_default();
        }
    });
    let this = desk.clone();
    dom::on::<DragEvent>(document.as_ref(), "drop", move |event| {
        let files = event.data_transfer().and_then(|data| data.files()).filter(|files| files.length() > 0);
        if let Some(files) = files {
            event.prevent_default();
            if !this.import.running.get() && !this.import.done.get() {
                this.import.open();
                spawn_local(this.clone().look_at(files));
            }
        }
    });
    let this = desk.clone();
    dom::on::<Event>(dom::by_id::<Element>("import-close")?.as_ref(), "click", move |_| this.import.dialog.close());
    let this = desk.clone();
    dom::on::<Event>(&desk.import.dialog, "cancel", move |event| {
        // Escape must not hide what is still being written.
        if this.import.running.get() {
            event.prevent_default();
        }
    });
    let this = desk.clone();
    dom::on::<Event>(&desk.import.dialog, "close", move |_| this.import.done.set(false));
    let this = desk.clone();
    dom::on::<Event>(dom::by_id::<Element>("import-form")?.as_ref(), "submit", move |event| {
        event.prevent_default();
        if !this.import.waiting().is_empty() && !this.import.done.get() && !this.import.running.replace(true) {
            spawn_local(this.clone().import_all());
        }
    });
    let this = desk.clone();
    dom::on::<Event>(&desk.import.report, "click", move |_| {
        let name = clock::now()
            .map_or_else(|| "koct_import.txt".to_owned(), |now| format!("koct_import_{}.txt", koc::time_in_names(now)));
        if let Err(error) = export::download(&name, &[this.import.report()]) {
            this.import.say(&format!("{error:?}"));
        }
    });
    Ok(())
}

async fn bytes_of(file: &File) -> Option<Vec<u8>> {
    let buffer = JsFuture::from(file.array_buffer()).await.ok()?;
    Some(js_sys::Uint8Array::new(&buffer).to_vec())
}

impl Chosen {
    fn new(file: File) -> Result<Self, JsValue> {
        let row = dom::from_template("import-template")?;
        dom::set_field(&row, "file", &file.name());
        dom::set_field(&row, "desk-label", &text("importDeskLabel"));
        dom::set_field(&row, "zone-label", &text("importZoneLabel"));
        dom::set_field(&row, "leave-out", &text("importLeaveOut"));
        Ok(Self { file, row, kind: RefCell::default(), outcome: RefCell::default(), left_out: Cell::default() })
    }

    fn input(&self, name: &str) -> Option<HtmlInputElement> {
        dom::field(&self.row, name).map(JsCast::unchecked_into)
    }

    fn select(&self) -> Option<HtmlSelectElement> {
        dom::field(&self.row, "zone").map(JsCast::unchecked_into)
    }

    fn hide(&self, name: &str) {
        if let Some(field) = dom::field(&self.row, name) {
            field.set_hidden(true);
        }
    }

    /// Shows what a .koc file holds, and asks what it leaves open.
    fn show_koc(&self, reading: &Reading) -> Result<(), JsValue> {
        let generator = reading.generator.clone().unwrap_or_else(|| text("importUnknownGenerator"));
        let moments = || reading.transactions.iter().map(|(_, transaction)| transaction.moment);
        let by_time = |moment: &Moment| moment.utc_millis();
        let about = match (moments().min_by_key(by_time), moments().max_by_key(by_time)) {
            (Some(first), Some(last)) => plural(
                "importAbout",
                reading.transactions.len(),
                &[&generator, &wording::moment(first), &wording::moment(last)],
            ),
            _ => text_with("importAboutEmpty", &[&generator]),
        };
        dom::set_field(&self.row, "about", &about);
        let name = reading.desk.clone().or_else(|| DeskName::from_file_name(&self.file.name()));
        if let (Some(input), Some(name)) = (self.input("desk"), name) {
            input.set_value(name.as_str());
        }
        let Some(select) = self.select() else { return Ok(()) };
        let option = |value: &str, label: &str| -> Result<(), JsValue> {
            select.append_with_node_1(HtmlOptionElement::new_with_text_and_value(label, value)?.as_ref())
        };
        match reading.declared {
            Some(Times::Offset(minutes)) => option("", &text_with("importZoneFile", &[&offset(minutes)]))?,
            Some(Times::Utc) => option("", &text("importZoneUtc"))?,
            Some(Times::Local) | None => {
                option("local", &text("importZoneLocal"))?;
                option("utc", &text("importZoneUtc"))?;
                for minutes in OFFSETS {
                    option(&minutes.to_string(), &text_with("importZoneOffset", &[&offset(minutes)]))?;
                }
            }
        }
        select.set_disabled(reading.declared.is_some());
        let refused: Vec<_> =
            reading.problems.iter().map(|problem| (problem.line, wording::koc_reason(&problem.reason))).collect();
        dom::set_field(&self.row, "result", &warnings(reading).join("\n"));
        self.show_refused(&refused)
    }

    fn times(&self) -> Option<Times> {
        match self.select()?.value().as_str() {
            "utc" => Some(Times::Utc),
            minutes => minutes.parse().ok().map(Times::Offset),
        }
    }

    fn show_refused(&self, refused: &[(usize, String)]) -> Result<(), JsValue> {
        let (Some(details), Some(lines)) = (dom::field(&self.row, "refused"), dom::field(&self.row, "refused-lines"))
        else {
            return Ok(());
        };
        details.set_hidden(refused.is_empty());
        dom::set_field(&self.row, "refused-count", &plural("importRefusedCount", refused.len(), &[]));
        lines.set_text_content(None);
        let add = |words: &str| -> Result<(), JsValue> {
            let item = dom::document()?.create_element("li")?;
            item.set_text_content(Some(words));
            lines.append_with_node_1(&item)
        };
        for (line, reason) in refused.iter().take(LINES_LISTED) {
            add(&text_with("importLine", &[&locale::number(*line), reason]))?;
        }
        if refused.len() > LINES_LISTED {
            add(&plural("importMoreLines", refused.len() - LINES_LISTED, &[]))?;
        }
        Ok(())
    }

    fn show_outcome(&self, outcome: Outcome) {
        self.hide("options");
        dom::set_field(&self.row, "result", &outcome.words());
        let _ = self.row.set_attribute("data-outcome", if outcome.failed.is_some() { "failed" } else { "done" });
        // The page has the template's fields, or it would not be shown.
        let _ = self.show_refused(&outcome.refused);
        *self.outcome.borrow_mut() = Some(outcome);
    }
}

fn warnings(reading: &Reading) -> Vec<String> {
    let words = |warning: &Warning| match warning {
        Warning::NoHeader => text("importNoHeader"),
        Warning::Version(version) => text_with("importVersion", &[version]),
    };
    reading.warnings.iter().map(words).collect()
}

/// Minutes ahead of UTC as `+01:00`.
fn offset(minutes: i16) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

impl Outcome {
    pub(crate) fn failed(reason: String) -> Self {
        Self { failed: Some(reason), ..Self::default() }
    }

    fn words(&self) -> String {
        let numbers =
            [locale::number(self.imported), locale::number(self.already_there), locale::number(self.refused.len())];
        let mut lines: Vec<String> = self.failed.iter().map(|reason| text_with("importFailed", &[reason])).collect();
        if self.failed.is_none() || self.imported > 0 {
            lines.push(text_with("importResult", &numbers.each_ref().map(String::as_str)));
        }
        if self.cleared > 0 {
            lines.push(plural("importCleared", self.cleared, &[]));
        }
        lines.extend(self.notes.iter().cloned());
        lines.join("\n")
    }
}

impl Import {
    /// What became of every file and of every line that was refused, as a text.
    fn report(&self) -> String {
        let now = clock::now().map(wording::moment).unwrap_or_default();
        let mut report = text_with("reportTitle", &[&now]);
        report.push('\n');
        for chosen in self.chosen.borrow().iter() {
            let Some(outcome) = chosen.outcome.borrow().clone() else { continue };
            let desk = chosen.input("desk").map(|input| input.value()).unwrap_or_default();
            // Writing into a String cannot fail.
            let _ = writeln!(report, "\n{} · {desk}\n{}", chosen.file.name(), outcome.words());
            for (line, reason) in &outcome.refused {
                let _ = writeln!(report, "{}", text_with("importLine", &[&locale::number(*line), reason]));
            }
        }
        report
    }
}

impl Desk {
    /// Looks at files that were chosen, one after the other.
    async fn look_at(self: Rc<Self>, files: FileList) {
        let files: Vec<File> = (0..files.length()).filter_map(|place| files.get(place)).collect();
        for file in files {
            self.import.say(&text_with("importReading", &[&file.name()]));
            let Ok(chosen) = Chosen::new(file).map(Rc::new) else { continue };
            let _ = self.import.list.append_with_node_1(&chosen.row);
            if let Some(button) = dom::field(&chosen.row, "leave-out") {
                let (desk, of) = (self.clone(), chosen.clone());
                dom::on::<Event>(&button, "click", move |_| {
                    of.left_out.set(true);
                    of.row.remove();
                    desk.import.show_buttons();
                });
            }
            let looked_at = match bytes_of(&chosen.file).await {
                None => Err(text("importNotReadable")),
                Some(bytes) if backup::is_one(&bytes) => {
                    chosen.hide("options");
                    backup::about(&bytes).map(|about| {
                        dom::set_field(&chosen.row, "about", &about);
                        Content::Backup
                    })
                }
                Some(bytes) => {
                    let reading = koc::read(&bytes, &DeskZone, None);
                    if reading.transactions.is_empty() && reading.generator.is_none() {
                        Err(text("importNotKoc"))
                    } else {
                        chosen.show_koc(&reading).map(|()| Content::Koc).map_err(|error| format!("{error:?}"))
                    }
                }
            };
            match looked_at {
                Ok(kind) => *chosen.kind.borrow_mut() = Some(kind),
                Err(reason) => chosen.show_outcome(Outcome::failed(reason)),
            }
            self.import.chosen.borrow_mut().push(chosen);
            self.import.show_buttons();
            sleep(Duration::ZERO).await;
        }
        self.import.say("");
    }

    async fn import_all(self: Rc<Self>) {
        self.import.show_buttons();
        match self.try_import_all().await {
            Ok(words) => self.import.say(&words),
            Err(error) => self.import.say(&error),
        }
        self.import.running.set(false);
        self.import.show_buttons();
        self.clone().reload_log().await;
        self.tell_others();
    }

    async fn try_import_all(self: &Rc<Self>) -> Result<String, String> {
        self.import.say(&text("importLoading"));
        // Two windows must not import the same file at once, nor what is being sent change its place.
        let _lock = sender::lock().await.ok_or_else(|| text("commitBusy"))?;
        let knowledge = Knowledge::of(self).await;
        let mut knowledge = knowledge.map_err(|error| text_with("importLogFailed", &[&error.to_string()]))?;
        let waiting = self.import.waiting();
        for (done, chosen) in waiting.iter().enumerate() {
            self.import.show_progress(done, waiting.len());
            let kind = *chosen.kind.borrow();
            let outcome = match (bytes_of(&chosen.file).await, kind) {
                (None, _) => Outcome::failed(text("importNotReadable")),
                (Some(bytes), Some(Content::Backup)) => self.import_backup(&bytes, &mut knowledge).await,
                (Some(bytes), _) => self.import_koc(chosen, &bytes, &mut knowledge).await,
            };
            chosen.show_outcome(outcome);
        }
        self.import.done.set(true);
        self.import.report.set_hidden(false);
        let chosen = self.import.chosen.borrow();
        let outcomes: Vec<Outcome> = chosen.iter().filter_map(|chosen| chosen.outcome.borrow().clone()).collect();
        let refused: usize = outcomes.iter().map(|outcome| outcome.refused.len()).sum();
        let imported: usize = outcomes.iter().map(|outcome| outcome.imported).sum();
        let already_there: u32 = outcomes.iter().map(|outcome| outcome.already_there).sum();
        let numbers = [
            locale::number(outcomes.len()),
            locale::number(imported),
            locale::number(already_there),
            locale::number(refused),
        ];
        let mut words = text_with("importTotal", &numbers.each_ref().map(String::as_str));
        let all_well = outcomes.iter().all(|outcome| outcome.failed.is_none());
        if !all_well {
            words = format!("{words}\n{}", text("importStopped"));
        }
        let tone = if all_well && refused == 0 { Tone::Good } else { Tone::Doubt };
        self.message.about(Topic::Import).show(tone, &words);
        Ok(words)
    }

    async fn import_koc(&self, chosen: &Chosen, bytes: &[u8], knowledge: &mut Knowledge) -> Outcome {
        let name = chosen.input("desk").map(|input| input.value()).unwrap_or_default();
        let Ok(desk) = DeskName::parse(&name) else { return Outcome::failed(text("importDeskName")) };
        let reading = koc::read(bytes, &DeskZone, chosen.times());
        let mut outcome = Outcome {
            refused: reading.problems.iter().map(|p| (p.line, wording::koc_reason(&p.reason))).collect(),
            notes: warnings(&reading),
            ..Outcome::default()
        };
        let lines = reading.transactions.into_iter().map(|(_, transaction)| transaction).collect();
        let cleared = match self.store.cleared_of(&desk).await {
            Ok(cleared) => cleared,
            Err(error) => return Outcome::failed(error.to_string()),
        };
        let plan = import::plan(&desk, lines, knowledge.of_desk(&desk), &cleared);
        outcome.already_there = plan.already_there + plan.cleared;
        outcome.cleared = plan.cleared;
        let entry = |transaction| Entry {
            desk: Some(desk.clone()),
            part: plan.part,
            ..Entry::recorded(TransactionId(0), transaction)
        };
        let mut new = plan.new.into_iter().map(entry);
        loop {
            let chunk: Vec<Entry> = new.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                return outcome;
            }
            match self.store.add(chunk).await {
                Ok(added) => {
                    outcome.imported += added.len();
                    for entry in &added {
                        knowledge.take(entry);
                    }
                }
                Err(error) => {
                    // What was written stays, and is known again when the file is imported again.
                    outcome.failed = Some(error.to_string());
                    return outcome;
                }
            }
        }
    }
}
