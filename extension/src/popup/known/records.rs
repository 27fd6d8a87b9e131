//! The dialog of the records for look-up: what there is, downloading, the passphrase, deleting; and the line in the window that
//! says when something is to be done about them.

use crate::{
    clock,
    directory::{Access, DiskError, Known, RecordsError, Watcher, borrowers},
    dom::{self, elements},
    i18n::{plural, text, text_with},
    locale,
    popup::{
        Desk, Tone,
        window::question::{self, Question, Reply},
    },
    wording,
};
use koct_core::{
    directory::{Contents, Gap, record::Set},
    koha::download::DownloadError,
    settings::records::{PassphraseError, check_passphrase},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    Element, File, HtmlButtonElement, HtmlDialogElement, HtmlElement, HtmlInputElement, HtmlProgressElement,
};

/// What is being done with the records in this window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Connecting,
    Reading(Set, u32, Option<u32>),
    Preparing(Set),
    File(u16),
    Opening,
}

elements! {
    pub(crate) struct Records {
        open: HtmlElement = "open-records",
        line: HtmlElement = "records-line",
        line_text: Element = "records-line-text",
        dialog: HtmlDialogElement = "records-dialog",
        sets: Element = "records-sets",
        state: Element = "records-state",
        progress_row: HtmlElement = "records-progress-row",
        progress: HtmlProgressElement = "records-progress",
        unlock_row: HtmlElement = "records-unlock",
        passphrase: HtmlInputElement = "records-passphrase",
        choose_row: HtmlElement = "records-choose",
        new: HtmlInputElement = "records-new",
        again: HtmlInputElement = "records-again",
        file_row: HtmlElement = "records-file-row",
        go: HtmlButtonElement = "records-download",
        stop: HtmlButtonElement = "records-stop",
        delete: HtmlButtonElement = "records-delete",
        ;
        known: Known = Known::new()?,
        doing: Cell<Option<Doing>>,
        stopped: Cell<bool>,
        /// What was said last in the dialog, and how.
        said: RefCell<Option<(Tone, String)>>,
    }
}

impl Records {
    /// The records; `None` where they are not wanted, not there or locked.
    pub(crate) fn get(&self) -> Option<Rc<crate::directory::Records>> {
        self.known.get()
    }

    fn say(&self, said: Option<(Tone, String)>) {
        self.said.replace(said);
    }
}

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    dom::on_click("open-records", desk, Desk::open_records)?;
    dom::on_click("records-line-open", desk, Desk::open_records)?;
    dom::on_click("records-close", desk, |desk| desk.records.dialog.close())?;
    dom::on_click("records-stop", desk, |desk| desk.records.stopped.set(true))?;
    dom::on_click("records-delete", desk, |desk| spawn_local(desk.clone().delete_records()))?;
    dom::on_submit("records-form", desk, |desk| spawn_local(desk.clone().go_on_with_records()))?;
    let field: HtmlInputElement = dom::by_id("records-file")?;
    dom::bind(&field.clone(), "change", desk, move |desk| {
        let file = field.files().and_then(|files| files.get(0));
        // The same file can be chosen again.
        field.set_value("");
        if let Some(file) = file {
            spawn_local(desk.clone().import_records(file));
        }
    });
    dom::bind(&desk.records.dialog, "close", desk, |desk| {
        for field in [&desk.records.passphrase, &desk.records.new, &desk.records.again] {
            field.set_value("");
        }
    });
    let this = desk.clone();
    desk.records.known.on_change(move || spawn_local(this.clone().reload_records()));
    Ok(())
}

impl Desk {
    /// Looks anew at the records and shows how they stand. The window is ready long before.
    pub(crate) async fn reload_records(self: Rc<Self>) {
        let lookup = self.preferences.borrow().records.clone();
        match self.records.known.reload(&lookup).await {
            // Whichever window downloads stops, and looks again.
            Ok(_) | Err(DiskError::Busy) => {}
            Err(error) => self.message.show(Tone::Bad, &wording::disk(&error)),
        }
        self.show_records();
        self.records_changed().await;
    }

    fn open_records(self: &Rc<Self>) {
        self.records.say(None);
        self.show_records();
        if !self.records.dialog.open() {
            let _ = self.records.dialog.show_modal();
        }
        let records = &self.records;
        let first = [(&records.unlock_row, &records.passphrase), (&records.choose_row, &records.new)];
        if let Some((_, field)) = first.into_iter().find(|(row, _)| !row.hidden()) {
            let _ = field.focus();
        }
    }

    /// Shows how the records stand: in the dialog and in the line.
    fn show_records(&self) {
        let records = &self.records;
        let lookup = self.preferences.borrow().records.clone();
        let (access, contents) = (records.known.access(), records.known.contents());
        records.open.set_hidden(!lookup.enabled);
        let doing = records.doing.get();
        let line = if lookup.enabled { self.line_of_records(&contents) } else { None };
        records.line.set_hidden(line.is_none());
        records.line_text.set_text_content(line.as_deref());

        let has_report = matches!(lookup.restrictions_report(), Ok(Some(_)));
        // Only who has set up a report misses it.
        let is_expected = |set: &Set| *set != Set::Restrictions || has_report || contents.sets.contains_key(set);
        dom::fill_list(&records.sets, Set::ALL.into_iter().filter(is_expected), |set| {
            let held = contents.sets.get(&set);
            let row = dom::from_template("records-template")?;
            dom::set_field(&row, "set", &name_of(set));
            dom::set_field(&row, "number", &held.map_or_else(|| text("recordsNone"), |held| locale::number(held.rows)));
            dom::set_field(&row, "when", &held.map(|held| wording::millis(held.as_of)).unwrap_or_default());
            dom::set_field(&row, "note", &note(set, &contents));
            Ok(row)
        });
        let is_busy = doing.is_some();
        let is_locked = access == Access::Locked;
        records.unlock_row.set_hidden(!is_locked || is_busy);
        records.choose_row.set_hidden(!lookup.passphrase || is_locked || is_busy || records.known.is_protected());
        let label = match access {
            Access::Locked => "recordsUnlock",
            Access::Open => "recordsRefresh",
            _ => "recordsDownload",
        };
        records.go.set_text_content(Some(&text(label)));
        records.file_row.set_hidden(is_busy || is_locked);
        records.go.set_hidden(is_busy);
        records.stop.set_hidden(!is_busy);
        records.delete.set_hidden(contents.sets.is_empty());
        records.delete.set_disabled(is_busy);
        records.progress_row.set_hidden(!is_busy);
        let part = match doing {
            Some(Doing::File(thousandths)) => Some(f64::from(thousandths) / 1000.0),
            Some(Doing::Reading(_, read, Some(left))) if left > 0 => {
                Some(f64::from(read) / (f64::from(read) + f64::from(left)))
            }
            _ => None,
        };
        match part {
            Some(part) => records.progress.set_value(part),
            // Without a value it shows that something is done, but not how much.
            None => drop(records.progress.remove_attribute("value")),
        }
        let (tone, words) = match (doing, &*records.said.borrow()) {
            (Some(doing), _) => (None, words_of(doing)),
            (None, Some((tone, words))) => (Some(*tone), words.clone()),
            (None, None) => (None, String::new()),
        };
        records.state.set_text_content(Some(&words));
        records.state.set_class_name(match tone {
            Some(Tone::Good) => "message-good",
            Some(Tone::Bad) => "message-bad",
            Some(Tone::Doubt) => "message-doubt",
            None => "",
        });
    }

    /// What is to be done about the records, if anything.
    fn line_of_records(&self, contents: &Contents) -> Option<String> {
        if let Some(doing) = self.records.doing.get() {
            return Some(words_of(doing));
        }
        match self.records.known.access() {
            Access::Off => None,
            Access::Empty => Some(text("recordsLineNone")),
            Access::Lost => Some(text("recordsLineLost")),
            Access::Locked => Some(text("recordsLineLocked")),
            Access::Open => {
                let days = self.preferences.borrow().records.days_old(contents.as_of()?, clock::millis())?;
                Some(plural("recordsLineOld", days, &[]))
            }
        }
    }

    /// Unlocks or downloads, as the button says.
    async fn go_on_with_records(self: Rc<Self>) {
        let records = &self.records;
        if records.doing.get().is_some() {
            return;
        }
        records.say(None);
        self.show_records();
        if records.known.access() == Access::Locked {
            return self.unlock_records().await;
        }
        if !records.choose_row.hidden() {
            let (new, again) = (records.new.value(), records.again.value());
            if let Err(error) = check_passphrase(&new, &again) {
                let wrong = match error {
                    PassphraseError::Short(shortest) => text_with("passphraseShort", &[&locale::number(shortest)]),
                    PassphraseError::Differs => text("passphraseDiffers"),
                };
                records.say(Some((Tone::Bad, wrong)));
                let _ = records.new.focus();
                return self.show_records();
            }
            if let Err(error) = records.known.set_passphrase(Some(&new)).await {
                return self.records_failed(&error);
            }
            records.new.set_value("");
            records.again.set_value("");
        }
        self.download_records().await;
    }

    fn records_failed(&self, error: &DiskError) {
        self.records.say(Some((Tone::Bad, wording::disk(error))));
        self.show_records();
    }

    async fn unlock_records(self: Rc<Self>) {
        let records = &self.records;
        self.do_with_records(Some(Doing::Opening));
        let unlocked = records.known.unlock(&records.passphrase.value()).await;
        records.doing.set(None);
        match unlocked {
            Ok(true) => {
                records.passphrase.set_value("");
                records.say(Some((Tone::Good, text("recordsOpened"))));
                self.clone().reload_records().await;
            }
            Ok(false) => {
                records.say(Some((Tone::Bad, text("passphraseWrong"))));
                self.show_records();
                let _ = records.passphrase.focus();
                records.passphrase.select();
            }
            Err(error) => self.records_failed(&error),
        }
    }

    async fn download_records(self: Rc<Self>) {
        let Some(settings) = self.settings() else {
            self.records.say(Some((Tone::Bad, text("recordsNoSettings"))));
            return self.show_records();
        };
        let lookup = self.preferences.borrow().records.clone();
        self.records.stopped.set(false);
        self.records.say(None);
        self.do_with_records(Some(Doing::Connecting));
        let watcher = InWindow(self.clone());
        let result = self.records.known.download(settings, &lookup, &watcher).await;
        self.records.doing.set(None);
        self.clone().reload_records().await;
        let is_whole = self.records.known.contents().gaps.is_empty();
        self.records.say(Some(match result {
            Ok(()) if is_whole => (Tone::Good, text("recordsDone")),
            Ok(()) => (Tone::Doubt, text("recordsDoneInPart")),
            Err(error @ RecordsError::Download(DownloadError::Stopped)) => (Tone::Doubt, words_for(&error)),
            Err(error) => (Tone::Bad, words_for(&error)),
        }));
        self.show_records();
        if !self.records.dialog.open()
            && let Some((tone, words)) = &*self.records.said.borrow()
        {
            self.message.show(*tone, words);
        }
    }

    /// Reads the file that was chosen.
    async fn import_records(self: Rc<Self>, file: File) {
        let records = &self.records;
        if records.doing.get().is_some() {
            return;
        }
        if !records.choose_row.hidden() || records.known.access() == Access::Locked {
            records.say(Some((Tone::Doubt, text("recordsFilePassphrase"))));
            return self.show_records();
        }
        let lookup = self.preferences.borrow().records.clone();
        records.stopped.set(false);
        records.say(None);
        self.do_with_records(Some(Doing::File(0)));
        let result = records.known.import(&file, &lookup, &InWindow(self.clone())).await;
        records.doing.set(None);
        records.say(Some(match result {
            Ok(report) => {
                let mut said = vec![text("recordsFileDone")];
                said.extend(borrowers::notes(&report));
                (if said.len() > 1 { Tone::Doubt } else { Tone::Good }, said.join(" "))
            }
            // A file is read from its beginning each time.
            Err(RecordsError::Download(DownloadError::Stopped)) => (Tone::Doubt, text("recordsStopped")),
            Err(RecordsError::Download(DownloadError::Disk(error))) => (Tone::Bad, wording::disk(&error)),
            Err(error) => (Tone::Bad, words_for(&error)),
        }));
        self.reload_records().await;
    }

    fn do_with_records(&self, doing: Option<Doing>) {
        self.records.doing.set(doing);
        self.show_records();
    }

    async fn delete_records(self: Rc<Self>) {
        let (title, body, yes) = (text("recordsDeleteTitle"), text("recordsDeleteText"), text("recordsDeleteYes"));
        let question = Question { title: &title, text: &body, yes: &yes, ..Question::default() };
        if question::ask(question).await != Ok(Reply::Yes) {
            return;
        }
        match self.records.known.delete().await {
            Ok(()) => {
                self.records.say(Some((Tone::Good, text("recordsDeleted"))));
                // In place of what the line may say of a patron.
                self.message.show(Tone::Good, &text("recordsDeleted"));
                self.clone().reload_records().await;
            }
            Err(error) => self.records_failed(&error),
        }
    }
}

/// Shows in the window how far a download is.
struct InWindow(Rc<Desk>);

impl Watcher for InWindow {
    fn read(&self, set: Set, rows: u32, left: Option<u32>) {
        self.0.do_with_records(Some(Doing::Reading(set, rows, left)));
    }

    fn file(&self, thousandths: u16) {
        self.0.do_with_records(Some(Doing::File(thousandths)));
    }

    fn prepares(&self, set: Set) {
        self.0.do_with_records(Some(Doing::Preparing(set)));
    }

    fn is_stopped(&self) -> bool {
        self.0.records.stopped.get() || !self.0.preferences.borrow().records.enabled
    }
}

fn name_of(set: Set) -> String {
    text(match set {
        Set::Patrons => "setPatrons",
        Set::Items => "setItems",
        Set::Loans => "setLoans",
        Set::Holds => "setHolds",
        Set::Restrictions => "setRestrictions",
    })
}

fn words_of(doing: Doing) -> String {
    match doing {
        Doing::Connecting => text("recordsConnecting"),
        Doing::Opening => text("recordsOpening"),
        Doing::File(_) => text("recordsReadingFile"),
        Doing::Preparing(set) => text_with("recordsPreparing", &[&name_of(set)]),
        Doing::Reading(set, read, None | Some(0)) => {
            text_with("recordsReading", &[&name_of(set), &locale::number(read)])
        }
        Doing::Reading(set, read, Some(left)) => {
            let numbers = [read, read.saturating_add(left)].map(locale::number);
            text_with("recordsReadingOf", &[&name_of(set), &numbers[0], &numbers[1]])
        }
    }
}

/// What is missing in a set, and why.
fn note(set: Set, contents: &Contents) -> String {
    let mut notes = Vec::new();
    match contents.gaps.get(&set) {
        Some(Gap::Absent) if set == Set::Restrictions => notes.push(text("gapReportAbsent")),
        Some(Gap::Strange(_)) if set == Set::Restrictions => notes.push(text("gapReportUnlike")),
        Some(Gap::Refused(permissions)) if permissions.is_empty() => notes.push(text("gapNotLetIn")),
        Some(Gap::Refused(permissions)) => notes.push(text_with("gapRefused", &[permissions])),
        Some(Gap::Absent) => notes.push(text("gapAbsent")),
        Some(Gap::Strange(status)) => notes.push(text_with("gapStrange", &[&status.to_string()])),
        None => {}
    }
    if let Some(held) = contents.sets.get(&set) {
        if !held.has_extras && held.rows > 0 {
            match set {
                Set::Patrons => notes.push(text("gapDebts")),
                Set::Items => notes.push(text("gapTitles")),
                Set::Loans | Set::Holds | Set::Restrictions => {}
            }
        }
        if held.unreadable > 0 {
            notes.push(plural("gapUnreadable", held.unreadable, &[]));
        }
    }
    notes.join(" ")
}

fn words_for(error: &RecordsError) -> String {
    let why = match error {
        RecordsError::Busy => return text("recordsBusy"),
        RecordsError::Locked => return text("recordsLineLocked"),
        RecordsError::TooOld => return text("recordsFileOld"),
        RecordsError::File(words) => return words.clone(),
        RecordsError::Download(DownloadError::Stopped) => text("recordsStopped"),
        RecordsError::Download(DownloadError::KeyRefused) => text("recordsKeyRefused"),
        RecordsError::Download(DownloadError::Koha(error)) => wording::trouble(error),
        RecordsError::Download(DownloadError::Disk(error)) => wording::disk(error),
    };
    format!("{why} {}", text("recordsKept"))
}
