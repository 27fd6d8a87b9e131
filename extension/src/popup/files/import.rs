//! Brings files of other desks and of other programs into the log, many at once, and accounts for every line.

use super::{backup, export};
use crate::{
    clock::{self, DeskZone},
    dom::{self, elements},
    i18n::{js_error, text, text_with},
    later::seldom,
    locale,
    popup::{Desk, Tone, Topic, known::records::RecordsPanel},
    slices,
    store::StoreError,
    timer::sleep,
    wording::{self, Explained as _},
};
use chosen::{Chosen, Content, Order};
use gather::{Dropped, Found};
use koct_core::{
    DeskName, Entry, TransactionId,
    desk::branch::BranchCode,
    desks::{
        copy::together::{self, Piece},
        import::{again::Other, file, knowledge::Knowledge},
        koc::{self, Lines},
    },
    koha::ready::state,
};
use list::ListPreview;
use outcome::Outcome;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{DragEvent, Element, Event, File, HtmlDialogElement, HtmlElement, HtmlInputElement, HtmlProgressElement};

mod chosen;
mod copies;
mod gather;
mod list;
pub(super) mod outcome;

/// How many transactions are written at once: a scan waits no longer than for these.
const CHUNK: usize = 250;
/// How many lines of the report are put into words at once.
const LINES_AT_ONCE: usize = 100;
/// How many entries of the log are read at once.
const READ_AT_ONCE: u32 = 2_000;

elements! {
    pub(crate) struct Import(desk: Rc<Desk>, records: Rc<RecordsPanel>, preview: Rc<ListPreview>) {
        dialog: HtmlDialogElement = "import-dialog",
        files: HtmlInputElement = "import-files",
        folder: HtmlInputElement = "import-folder",
        list: Element = "import-list",
        progress_row: HtmlElement = "import-progress-row",
        progress: HtmlProgressElement = "import-progress",
        state: Element = "import-state",
        report: HtmlElement = "import-report",
        close: Element = "import-close",
        go: HtmlElement = "import-go",
        ;
        chosen: RefCell<Vec<Rc<Chosen>>>,
        /// What the log held when files were looked at. It is read anew before anything is written.
        knowledge: RefCell<Option<Rc<Knowledge>>>,
        running: Cell<bool>,
        done: Cell<bool>,
    }
}

seldom! {
    async fn bind_preview(preview: Rc<ListPreview>) {
        // The page is checked at start.
        let _ = preview.bind();
    }

    async fn look_at_chosen(import: Rc<Import>, files: Vec<File>) {
        import.look_at(gather::chosen(files).await).await;
    }

    async fn look_at_dropped(import: Rc<Import>, dropped: Vec<Dropped>) {
        import.look_at(gather::all(dropped).await).await;
    }

    async fn import_all(import: Rc<Import>) {
        let orders = import.waiting().into_iter().map(Order::new).collect();
        import.import_all(orders).await;
    }

    async fn save_report(import: Rc<Import>) {
        import.save_report().await;
    }
}

impl Import {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn start(desk: Rc<Desk>, records: Rc<RecordsPanel>) -> Result<(), JsValue> {
        let preview = Rc::new(ListPreview::new(desk.clone(), records.clone())?);
        Rc::new(Self::new(desk, records, preview)?).bind()
    }

    fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        spawn_local(bind_preview(self.preview.clone()));
        dom::on_click("import-koc", self, |this| this.open())?;
        for input in [&self.files, &self.folder] {
            let of = input.clone();
            // What failed may be chosen once more: Firefox tells of a choice only where it is another.
            dom::bind(input, "click", self, move |_| of.set_value(""));
            let of = input.clone();
            dom::bind(input, "change", self, move |this| {
                spawn_local(look_at_chosen(this.clone(), gather::files(&of)));
            });
        }
        // Files may be dropped anywhere on the window.
        let page = dom::document()?;
        dom::on::<DragEvent>(&page, "dragover", |event| {
            if event.data_transfer().is_some_and(|data| data.types().includes(&"Files".into(), 0)) {
                event.prevent_default();
            }
        });
        dom::bind_event(&page, "drop", self, |this, event: DragEvent| {
            let dropped: Vec<Dropped> = event.data_transfer().map(|data| gather::dropped(&data)).unwrap_or_default();
            if !dropped.is_empty() {
                event.prevent_default();
                if !this.running.get() && !this.done.get() {
                    this.open();
                    spawn_local(look_at_dropped(this.clone(), dropped));
                }
            }
        });
        dom::bind(&self.close, "click", self, |this| this.dialog.close());
        dom::bind_event(&self.dialog, "cancel", self, |this, event: Event| {
            // Escape must not hide what is still being written.
            if this.running.get() {
                event.prevent_default();
            }
        });
        dom::bind(&self.dialog, "close", self, |this| this.done.set(false));
        dom::on_submit("import-form", self, |this| {
            let waits = !this.waiting().is_empty() && !this.asks() && !this.done.get();
            if waits && !this.running.replace(true) {
                spawn_local(import_all(this.clone()));
            }
        })?;
        dom::bind(&self.report, "click", self, |this| spawn_local(save_report(this.clone())));
        Ok(())
    }

    fn open(&self) {
        if self.dialog.open() {
            return;
        }
        self.chosen.borrow_mut().clear();
        self.list.set_text_content(None);
        self.files.set_value("");
        self.folder.set_value("");
        self.knowledge.take();
        self.say("");
        self.report.set_hidden(true);
        self.done.set(false);
        self.show_buttons();
        let _ = self.dialog.show_modal();
        let _ = self.files.focus();
    }

    fn say(&self, text: &str) {
        self.state.set_text_content(Some(text));
    }

    fn show_buttons(&self) {
        let number = self.waiting().len();
        let label = if number == 0 { text("importGo") } else { text_with("importGoCount", &[&locale::number(number)]) };
        self.go.set_text_content(Some(&label));
        self.go.set_hidden(self.done.get());
        let _ = if number == 0 || self.asks() || self.running.get() {
            self.go.set_attribute("disabled", "")
        } else {
            self.go.remove_attribute("disabled")
        };
        for input in [&self.files, &self.folder] {
            input.set_disabled(self.running.get() || self.done.get());
        }
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
        let fits = |chosen: &&Rc<Chosen>| chosen.is_ready() && !chosen.left_out.get();
        self.chosen.borrow().iter().filter(fits).cloned().collect()
    }

    /// Whether a person must still say something of one of them.
    fn asks(&self) -> bool {
        self.waiting().iter().any(|chosen| chosen.asks.get())
    }

    /// Saves what became of every file and of every line that was refused, which may be a million.
    async fn save_report(self: Rc<Self>) {
        let now = clock::now().map(wording::moment).unwrap_or_default();
        let mut parts = vec![format!("{}\n", text_with("reportTitle", &[&now]))];
        let mut rests = slices::Rests::default();
        let chosen = self.chosen.borrow().clone();
        for chosen in chosen {
            // It does not change any more, but nothing is borrowed while others go on.
            let Some(outcome) = chosen.outcome.take() else { continue };
            parts.push(format!("\n{} · {}\n{}\n", chosen.path, chosen.desk(), outcome.words()));
            for lines in outcome.refused.chunks(LINES_AT_ONCE) {
                parts.push(lines.iter().map(|line| line.words() + "\n").collect());
                rests.rest().await;
            }
            chosen.outcome.replace(Some(outcome));
        }
        if let Err(error) = export::download(&file::report_name(clock::now()), &parts) {
            self.say(&js_error(&error));
        }
    }

    /// Looks at files that were chosen, one after the other.
    async fn look_at(self: Rc<Self>, files: Vec<Found>) {
        let number = files.len();
        self.say(&text("importLoading"));
        // Whose file it is cannot be asked without it.
        let knowledge = match self.known().await {
            Ok(knowledge) => knowledge,
            Err(error) => return self.say(&text_with("importLogFailed", &[&error.explained()])),
        };
        for found in files.into_iter().filter(|found| !state::is_passed_over(&found.path, number)) {
            self.say(&text_with("importReading", &[&found.path]));
            let Ok(chosen) = Chosen::new(found).map(Rc::new) else { continue };
            let _ = self.list.append_with_node_1(&chosen.row);
            if let Some(button) = dom::field(&chosen.row, "leave-out") {
                let of = chosen.clone();
                dom::bind(&button, "click", &self, move |this| {
                    of.left_out.set(true);
                    of.row.remove();
                    this.show_buttons();
                });
            }
            if let Some(button) = dom::field(&chosen.row, "look") {
                let of = chosen.clone();
                dom::bind(&button, "click", &self, move |this| {
                    let (this, of) = (this.clone(), of.clone());
                    spawn_local(async move { this.look_through(&of).await });
                });
            }
            let of = Rc::downgrade(&self);
            let place = self.chosen.borrow().len();
            chosen.bind_whose(place, move || {
                if let Some(this) = of.upgrade() {
                    this.show_buttons();
                }
            });
            // Before it is looked at: what is chosen anew meanwhile must not have it among its files, unseen.
            self.chosen.borrow_mut().push(chosen.clone());
            match chosen.look().await {
                Ok(()) => {
                    self.ask_whose(&chosen, &knowledge).await;
                    self.propose_branch(&chosen, &knowledge);
                    chosen.is_looked_at.set(true);
                }
                Err(reason) => chosen.show_outcome(Outcome::failed(reason)),
            }
            self.show_buttons();
            sleep(Duration::ZERO).await;
        }
        self.say("");
    }

    /// What the log holds, as it was when it was read for the first of these files.
    async fn known(&self) -> Result<Rc<Knowledge>, StoreError> {
        if let Some(known) = &*self.knowledge.borrow() {
            return Ok(known.clone());
        }
        let knowledge = Rc::new(self.knowledge().await?);
        self.knowledge.replace(Some(knowledge.clone()));
        Ok(knowledge)
    }

    /// Has a list looked through.
    async fn look_through(&self, chosen: &Chosen) {
        let Some(bytes) = chosen.bytes().await else { return self.say(&text("importNotReadable")) };
        let knowledge = match self.known().await {
            Ok(knowledge) => knowledge,
            Err(error) => return self.say(&text_with("readFailed", &[&error.explained()])),
        };
        let mut lengths = knowledge.lengths();
        lengths.extend(self.records.get().iter().flat_map(|records| records.contents().lengths_of_items()));
        if let Some(taken) = self.preview.look(&chosen.path, bytes, lengths, chosen.changed()).await {
            chosen.set_list(taken);
        }
        self.show_buttons();
        let _ = self.go.focus();
    }

    /// Proposes the library at which a file was recorded.
    fn propose_branch(&self, chosen: &Chosen, knowledge: &Knowledge) {
        let own = self.desk.preferences.borrow().form.branchcode.trim().to_owned();
        let records = self.records.get();
        let contents = records.as_ref().map(|records| records.contents());
        let libraries = contents.iter().flat_map(|contents| contents.libraries.keys().map(String::as_str));
        let known: Vec<&str> = libraries.collect();
        // The desk's own is no list of all.
        chosen.propose_branch(known, |desk| knowledge.branch_of(desk).cloned(), &own);
    }

    /// Asks whose file it is, where what it holds tells otherwise than what it is called.
    async fn ask_whose(&self, chosen: &Rc<Chosen>, knowledge: &Knowledge) {
        let before: Vec<Rc<Chosen>> = self.chosen.borrow().clone();
        let before = before.iter().take_while(|other| !Rc::ptr_eq(other, chosen));
        let before: Vec<_> =
            before.filter(|other| !other.left_out.get()).filter_map(|other| other.glance_with_desk()).collect();
        let others: Vec<Other<'_>> = before.iter().map(|(file, desk)| Other { file, desk }).collect();
        chosen.ask_whose(knowledge, &others).await;
    }

    async fn import_all(self: Rc<Self>, orders: Vec<Order>) {
        self.show_buttons();
        match self.try_import_all(&orders).await {
            Ok(words) => self.say(&words),
            Err(error) => self.say(&error),
        }
        self.running.set(false);
        self.show_buttons();
        self.desk.reload_log();
    }

    async fn try_import_all(self: &Rc<Self>, orders: &[Order]) -> Result<String, String> {
        self.say(&text("importLoading"));
        // Two windows must not import the same file at once, nor what is being sent change its place.
        let _permit = self.desk.may_change_log().await?;
        let knowledge = self.knowledge().await;
        let mut knowledge = knowledge.map_err(|error| text_with("importLogFailed", &[&error.explained()]))?;
        let orders: Vec<&Order> = orders.iter().filter(|order| !order.chosen.left_out.get()).collect();
        let pieces: Vec<Option<Piece>> = orders.iter().map(|order| order.chosen.piece()).collect();
        for set in together::sets(pieces.iter().map(Option::as_ref)) {
            let files: Vec<Rc<Chosen>> = set.files.iter().map(|place| orders[*place].chosen.clone()).collect();
            self.show_progress(0, orders.len());
            copies::import(&self.desk, &files, &set, &mut knowledge).await;
        }
        for (done, order) in orders.iter().enumerate().filter(|(place, _)| pieces[*place].is_none()) {
            let chosen = &order.chosen;
            self.show_progress(done, orders.len());
            let outcome = match (chosen.bytes().await, chosen.kind.get()) {
                (None, _) => Outcome::failed(text("importNotReadable")),
                (Some(bytes), Some(Content::Backup)) => backup::import(&self.desk, &bytes, &mut knowledge).await,
                (Some(_), Some(Content::List)) => self.import_list(order, &mut knowledge).await,
                (Some(bytes), _) => self.import_koc(order, &bytes, &mut knowledge).await,
            };
            chosen.show_outcome(outcome);
        }
        self.done.set(true);
        self.report.set_hidden(false);
        let chosen = self.chosen.borrow();
        let (mut files, mut imported, mut already_there, mut refused, mut all_well) = (0_usize, 0, 0, 0, true);
        for chosen in chosen.iter() {
            let Some(outcome) = &*chosen.outcome.borrow() else { continue };
            files += 1;
            imported += outcome.imported;
            already_there += outcome.already_there;
            refused += outcome.refused.len();
            all_well &= outcome.failed.is_none();
        }
        let numbers =
            [locale::number(files), locale::number(imported), locale::number(already_there), locale::number(refused)];
        let mut words = text_with("importTotal", &numbers.each_ref().map(String::as_str));
        if !all_well {
            words = format!("{words}\n{}", text("importStopped"));
        }
        let tone = if all_well && refused == 0 { Tone::Good } else { Tone::Doubt };
        self.desk.message.about(Topic::Import).show(tone, &words);
        Ok(words)
    }

    /// What the log holds, read bit by bit.
    async fn knowledge(&self) -> Result<Knowledge, StoreError> {
        let mut knowledge = Knowledge::new(self.desk.preferences.borrow().desk_name());
        for key in self.desk.store.cleared().await? {
            knowledge.take_cleared(key);
        }
        let mut last = TransactionId(0);
        loop {
            let entries = self.desk.store.after(last, READ_AT_ONCE).await?;
            let Some(newest) = entries.last() else { return Ok(knowledge) };
            last = newest.id;
            for entry in &entries {
                knowledge.take(entry);
            }
            sleep(Duration::ZERO).await;
        }
    }

    async fn import_koc(&self, order: &Order, bytes: &[u8], knowledge: &mut Knowledge) -> Outcome {
        let Ok(desk) = DeskName::parse(&order.desk) else { return Outcome::failed(text("importDeskName")) };
        let mut reading = slices::through(koc::reading(bytes, &DeskZone, order.times)).await;
        let outcome = Outcome::from_reading(&mut reading);
        self.write(order, &desk, reading.into_lines(), outcome, knowledge).await
    }

    async fn import_list(&self, order: &Order, knowledge: &mut Knowledge) -> Outcome {
        let Ok(desk) = DeskName::parse(&order.desk) else { return Outcome::failed(text("importDeskName")) };
        let lines = order.chosen.list().unwrap_or_default();
        self.write(order, &desk, lines.into(), Outcome::default(), knowledge).await
    }

    /// Writes what is new of these into the log, and where a person says another library than before, that too.
    async fn write(
        &self,
        order: &Order,
        desk: &DeskName,
        lines: Lines,
        mut outcome: Outcome,
        knowledge: &mut Knowledge,
    ) -> Outcome {
        let own = self.desk.preferences.borrow().form.branchcode.clone();
        let branch = order.branch.clone().or_else(|| BranchCode::parse(&own).ok());
        let plan = slices::through(knowledge.planning(desk, lines)).await;
        outcome.already_there = plan.already_there + plan.cleared;
        outcome.cleared = plan.cleared;
        if let Some(branch) = &order.branch {
            match self.set_branch(&plan.known, branch).await {
                Ok(moved) => outcome.moved = moved,
                Err(error) => outcome.failed = Some(error.explained()),
            }
        }
        let mut new = plan.into_entries(desk, branch.as_ref());
        loop {
            let chunk: Vec<Entry> = new.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                return outcome;
            }
            match self.desk.store.add(chunk).await {
                Ok(added) => {
                    outcome.imported += added.len();
                    for entry in &added {
                        knowledge.take(entry);
                    }
                }
                Err(error) => {
                    // What was written stays, and is known again when the file is imported again.
                    outcome.failed = Some(error.explained());
                    return outcome;
                }
            }
        }
    }
    /// Those of these that wait were recorded at this library: a person has said so now. Returns how many that is new of.
    async fn set_branch(&self, ids: &[TransactionId], branch: &BranchCode) -> Result<usize, StoreError> {
        let mut moved = 0;
        for ids in ids.chunks(CHUNK) {
            moved += self.desk.store.change_where(ids, |entry| entry.at_other_branch(branch)).await?.len();
        }
        Ok(moved)
    }
}
