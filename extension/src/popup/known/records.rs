//! The dialog of the records for look-up: what there is, downloading, the passphrase, deleting; and the line in the window that
//! says when something is to be done about them.

use crate::{
    clock,
    directory::{Access, DiskError, Known, Manner, RecordsError, Told, Watcher, borrowers, refresh},
    dom::{self, elements},
    i18n::{plural, text, text_with},
    later::{later, seldom},
    locale,
    popup::{
        Desk, Panel, Tone,
        window::{
            question::{self, Question, Reply},
            stray,
        },
    },
    timer::sleep,
    wording,
};
use koct_core::{
    Cardnumber,
    desk::clock::DeskTime,
    directory::{
        Contents, TypedCard,
        notes::{self, RecordsLine, SetNote, notes_on},
        record::Set,
        refresh::{Ended, Last, SILENT_AFTER, Scope},
    },
    koha::download::DownloadError,
    log::warned::Grade,
    settings::{
        key_kept::KeyKept,
        passphrase::{self, PassphraseError, Strength},
        records::RecordsSettings,
    },
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
    pub(crate) struct RecordsPanel(desk: Rc<Desk>) {
        open: HtmlElement = "open-records",
        line: HtmlButtonElement = "records-line",
        line_text: Element = "records-line-text",
        dialog: HtmlDialogElement = "records-dialog",
        numbers: HtmlElement = "records-numbers",
        notes: HtmlElement = "records-notes",
        sets: Element = "records-sets",
        by_itself: HtmlElement = "records-by-itself",
        state: Element = "records-state",
        progress_row: HtmlElement = "records-progress-row",
        progress: HtmlProgressElement = "records-progress",
        unlock_row: HtmlElement = "records-unlock",
        passphrase: HtmlInputElement = "records-passphrase",
        choose_row: HtmlElement = "records-choose",
        new: HtmlInputElement = "records-new",
        again: HtmlInputElement = "records-again",
        strength: Element = "records-strength",
        more: HtmlElement = "records-more",
        file_row: HtmlElement = "records-file-row",
        close: HtmlElement = "records-close",
        go: HtmlButtonElement = "records-download",
        stop: HtmlButtonElement = "records-stop",
        delete: HtmlButtonElement = "records-delete",
        ;
        known: Known = Known::new()?,
        doing: Cell<Option<Doing>>,
        stopped: Cell<bool>,
        /// It was to be looked while the settings could not be read yet.
        is_owed: Cell<bool>,
        /// How often it was heard how far the event page is; nothing where it does nothing.
        heard: Cell<Option<u32>>,
        /// What was said last in the dialog, and how.
        said: RefCell<Option<(Tone, String)>>,
        /// Why they cannot be read, in words; empty where they can.
        unread: RefCell<String>,
    }
}

impl RecordsPanel {
    /// The card of whoever has this as card or user name, as far as anybody is known; `None` where it is an item. Where that cannot be
    /// read, it is what was typed, as where there are no records: that look-up says so.
    pub(crate) async fn card_of(&self, typed: Cardnumber) -> Option<Cardnumber> {
        let Some(records) = self.get() else { return Some(typed) };
        match records.typed_card(typed.as_str()).await {
            Ok(TypedCard::Card(card)) => Some(Cardnumber::parse(&card).unwrap_or(typed)),
            Ok(TypedCard::Item) => None,
            Err(_) => Some(typed),
        }
    }

    /// The records; `None` where they are not wanted, not there or locked.
    pub(crate) fn get(&self) -> Option<Rc<crate::directory::Records>> {
        self.known.get()
    }

    /// The name of a library, or its code where that is all that is known.
    pub(crate) fn library_name(&self, code: &str) -> String {
        let name = self.get().and_then(|records| records.contents().libraries.get(code).cloned());
        name.unwrap_or_else(|| code.to_owned())
    }

    /// Whether they can be looked up, and as of when they are.
    pub(crate) fn standing(&self) -> (Access, Option<DeskTime>) {
        (self.known.access(), self.known.contents().fresh_as_of())
    }

    /// As of when it is what is known of patrons and items.
    pub(crate) fn as_of(&self) -> String {
        let as_of = self.get().and_then(|records| records.contents().as_of());
        as_of.map(wording::as_of).unwrap_or_default()
    }

    fn say(&self, said: Option<(Tone, String)>) {
        self.said.replace(said);
    }
}

impl RecordsPanel {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::bind(&self.open, "click", self, Self::open_dialog);
        dom::bind(&self.line, "click", self, Self::open_dialog);
        dom::bind(&self.close, "click", self, |this| this.dialog.close());
        dom::bind(&self.stop, "click", self, |this| {
            this.stopped.set(true);
            if this.heard.get().is_some() {
                this.known.tell(&Told::Stop);
            }
        });
        dom::bind(&self.delete, "click", self, |this| spawn_local(delete_all(this.clone())));
        dom::on_submit("records-form", self, |this| spawn_local(go_on(this.clone())))?;
        let field: HtmlInputElement = dom::by_id("records-file")?;
        dom::bind(&field.clone(), "change", self, move |this| {
            let file = field.files().and_then(|files| files.get(0));
            // The same file can be chosen again.
            field.set_value("");
            if let Some(file) = file {
                spawn_local(import(this.clone(), file));
            }
        });
        dom::bind(&self.dialog, "close", self, |this| {
            for field in [&this.passphrase, &this.new, &this.again] {
                field.set_value("");
            }
            this.show_strength();
        });
        dom::bind(&self.new, "input", self, |this| this.show_strength());
        let this = self.clone();
        self.known.on_told(move |told| spawn_local(hear(this.clone(), told)));
        Ok(())
    }

    /// Looks anew at the records and shows how they stand. The window is ready long before.
    pub(crate) async fn reload(self: Rc<Self>) {
        reload(self).await;
    }

    async fn look_anew(self: Rc<Self>) {
        // What nobody wants is deleted: that is decided by settings that were read, not by those that hold until then.
        if !self.desk.has_settings.get() {
            return self.is_owed.set(true);
        }
        let (wanted, server) = {
            let preferences = self.desk.preferences.borrow();
            (preferences.records.clone(), preferences.form.server().ok())
        };
        let were_there = self.get().is_some();
        match self.known.reload(&wanted, server.as_ref()).await {
            // Whichever window downloads stops, and looks again.
            Ok(_) | Err(DiskError::Busy) => self.unread.borrow_mut().clear(),
            Err(error) => {
                let words = wording::disk(&error);
                self.desk.message.show(Tone::Bad, &words);
                self.unread.replace(words);
            }
        }
        self.show();
        let are_there = self.get().is_some();
        if were_there && !are_there {
            // What was said of a patron goes with them.
            self.desk.message.forget_said();
        }
        self.desk.panels().for_each(|panel| panel.records_changed(are_there));
    }

    fn open_dialog(self: &Rc<Self>) {
        self.say(None);
        let _ = self.more.remove_attribute("open");
        self.show();
        if !self.dialog.open() {
            let _ = self.dialog.show_modal();
        }
        let first = [(&self.unlock_row, &self.passphrase), (&self.choose_row, &self.new)];
        let _ = match first.into_iter().find(|(row, _)| !row.hidden()) {
            Some((_, field)) => field.focus(),
            // Not the table, which would have it as what can be scrolled.
            None => self.close.focus(),
        };
    }

    /// Shows how the records stand: in the dialog and in the line.
    fn show(&self) {
        let wanted = self.desk.preferences.borrow().records.clone();
        let (access, contents) = (self.known.access(), self.known.contents());
        self.open.set_hidden(!wanted.enabled);
        let doing = self.doing.get();
        let line = if wanted.enabled { self.words_of_line(&contents) } else { None };
        self.line.set_hidden(line.is_none());
        self.line_text.set_text_content(line.as_ref().map(|(_, words)| words.as_str()));
        self.line.set_title(line.as_ref().map_or("", |(_, words)| words.as_str()));
        let grade = line.filter(|(is_careful, _)| *is_careful).map_or(Grade::Note, |_| Grade::Careful);
        let _ = self.line.set_attribute("data-grade", grade.name());

        let expected = notes::expected(&wanted, &contents);
        self.show_numbers(&expected, &contents);
        dom::fill_list(&self.sets, expected, |set| {
            let held = contents.sets.get(&set);
            let row = dom::from_template("records-template")?;
            dom::set_field(&row, "set", &name_of(set));
            dom::set_field(&row, "number", &held.map_or_else(|| text("recordsNone"), |held| locale::number(held.rows)));
            dom::set_field(&row, "when", &held.map(|held| wording::day_and_time(held.as_of)).unwrap_or_default());
            dom::set_field(&row, "note", &note(set, &contents));
            Ok(row)
        });
        let by_itself = if doing.is_none() { self.words_by_itself(&wanted) } else { String::new() };
        self.by_itself.set_hidden(by_itself.is_empty());
        self.by_itself.set_text_content(Some(&by_itself));
        let is_busy = doing.is_some();
        let is_locked = access == Access::Locked;
        self.unlock_row.set_hidden(!is_locked || is_busy);
        self.choose_row
            .set_hidden(wanted.key_kept != KeyKept::Passphrase || is_locked || is_busy || self.known.is_protected());
        let label = match access {
            Access::Locked => "recordsUnlock",
            Access::Open => "recordsRefresh",
            _ => "recordsDownload",
        };
        self.go.set_text_content(Some(&text(label)));
        self.file_row.set_hidden(is_busy || is_locked);
        self.go.set_hidden(is_busy);
        self.stop.set_hidden(!is_busy);
        self.delete.set_hidden(contents.sets.is_empty());
        self.more.set_hidden(self.file_row.hidden() && self.delete.hidden());
        self.delete.set_disabled(is_busy);
        self.progress_row.set_hidden(!is_busy);
        let part = match doing {
            Some(Doing::File(thousandths)) => Some(f64::from(thousandths) / 1000.0),
            Some(Doing::Reading(_, read, Some(left))) if left > 0 => {
                Some(f64::from(read) / (f64::from(read) + f64::from(left)))
            }
            _ => None,
        };
        match part {
            Some(part) => self.progress.set_value(part),
            // Without a value it shows that something is done, but not how much.
            None => drop(self.progress.remove_attribute("value")),
        }
        let (tone, words) = match (doing, &*self.said.borrow()) {
            (Some(doing), _) => (None, words_of(doing)),
            (None, Some((tone, words))) => (Some(*tone), words.clone()),
            (None, None) if access == Access::Foreign => {
                let server = contents.server.clone().unwrap_or_default();
                (Some(Tone::Doubt), text_with("recordsForeign", &[&server]))
            }
            (None, None) => (Some(Tone::Bad), self.unread.borrow().clone()),
        };
        self.state.set_text_content(Some(&words));
        self.state.set_class_name(match tone {
            Some(Tone::Good) => "message-good",
            Some(Tone::Bad) => "message-bad",
            Some(Tone::Doubt | Tone::Do) => "message-doubt",
            None => "",
        });
    }

    /// What there is: in one line, where nothing is to be said of it; else as a table, with what is to be said.
    fn show_numbers(&self, expected: &[Set], contents: &Contents) {
        let as_of = notes::whole_as_of(expected, contents);
        self.numbers.set_hidden(as_of.is_none());
        self.notes.set_hidden(as_of.is_some() || contents.sets.is_empty() && contents.gaps.is_empty());
        let words = as_of.map(|as_of| {
            let numbers = expected.iter().filter_map(|set| Some(number_of(*set, contents.sets.get(set)?.rows)));
            wording::joined(numbers.chain([wording::as_of(as_of)]))
        });
        self.numbers.set_text_content(words.as_deref());
    }

    /// How the records stand, and whether something is to be done about them.
    fn words_of_line(&self, contents: &Contents) -> Option<(bool, String)> {
        if let Some(doing) = self.doing.get() {
            return Some((false, words_of(doing)));
        }
        let preferences = self.desk.preferences.borrow();
        let line = RecordsLine::of(self.known.access(), contents, &preferences.records, clock::time())?;
        let words = match line {
            RecordsLine::Nothing => text("recordsLineNone"),
            RecordsLine::Lost => text("recordsLineLost"),
            RecordsLine::Locked => text("recordsLineLocked"),
            RecordsLine::Foreign => text("recordsLineForeign"),
            RecordsLine::Unreadable => text("recordsLineUnread"),
            RecordsLine::Old(days) => plural("recordsLineOld", days, &[]),
            RecordsLine::AsOf(as_of) => text_with("recordsLineAsOf", &[&wording::row_time_of(as_of)]),
        };
        Some((line.is_careful(), words))
    }

    /// How the last download ended, and when the next comes without anybody's doing, or why none does.
    fn words_by_itself(&self, wanted: &RecordsSettings) -> String {
        let refreshes = refresh::remembered();
        let last = refreshes.last().map(|Last { at, how }| {
            let how = text(match how {
                Ended::Done => "recordsLastDone",
                Ended::InPart => "recordsLastInPart",
                Ended::Stopped => "recordsLastStopped",
                Ended::Refused => "recordsLastRefused",
                Ended::Failed => "recordsLastFailed",
                Ended::NotKept => "recordsLastNotKept",
            });
            text_with("recordsLast", &[&wording::row_time_of(at), &how])
        });
        let next = match (wanted.refreshed_every(), refreshes.planned()) {
            (Ok(Some(_)), _) if self.desk.settings().is_none() => Some(text("recordsCannotAsk")),
            (Ok(Some(_)), Some(planned)) => Some(text_with("recordsNext", &[&wording::row_time_of(planned)])),
            _ => None,
        };
        last.into_iter().chain(next).collect::<Vec<_>>().join(" ")
    }

    /// Says how good the passphrase is that is being typed.
    fn show_strength(&self) {
        let typed = self.new.value();
        let words = match passphrase::strength(&typed) {
            _ if typed.is_empty() => String::new(),
            Strength::Weak => text("passphraseWeak"),
            Strength::Fair => text("passphraseFair"),
            Strength::Strong => text("passphraseStrong"),
        };
        self.strength.set_text_content(Some(&words));
    }

    /// Unlocks or downloads, as the button says.
    async fn go_on(self: Rc<Self>) {
        if self.doing.get().is_some() {
            return;
        }
        self.say(None);
        self.show();
        if self.known.access() == Access::Locked {
            return self.unlock().await;
        }
        if !self.choose_row.hidden() {
            let (new, again) = (self.new.value(), self.again.value());
            if let Err(error) = passphrase::check(&new, &again) {
                let wrong = match error {
                    PassphraseError::Short(shortest) => text_with("passphraseShort", &[&locale::number(shortest)]),
                    PassphraseError::Common => text("passphraseCommon"),
                    PassphraseError::Differs => text("passphraseDiffers"),
                };
                self.say(Some((Tone::Bad, wrong)));
                let _ = self.new.focus();
                stray::not_the_passphrase(&self.desk);
                return self.show();
            }
            if let Err(error) = self.known.set_passphrase(Some(&new)).await {
                return self.failed(&error);
            }
            self.new.set_value("");
            self.again.set_value("");
            self.show_strength();
        }
        self.download().await;
    }

    fn failed(&self, error: &DiskError) {
        self.say(Some((Tone::Bad, wording::disk(error))));
        self.show();
    }

    async fn unlock(self: Rc<Self>) {
        self.do_now(Some(Doing::Opening));
        let unlocked = self.known.unlock(&self.passphrase.value()).await;
        self.doing.set(None);
        match unlocked {
            Ok(true) => {
                self.passphrase.set_value("");
                self.say(Some((Tone::Good, text("recordsOpened"))));
                self.clone().reload().await;
            }
            Ok(false) => {
                self.say(Some((Tone::Bad, text("passphraseWrong"))));
                self.show();
                let _ = self.passphrase.focus();
                self.passphrase.select();
                stray::not_the_passphrase(&self.desk);
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn download(self: Rc<Self>) {
        let Some(settings) = self.desk.settings() else {
            self.say(Some((Tone::Bad, text("recordsNoSettings"))));
            return self.show();
        };
        let wanted = self.desk.preferences.borrow().records.clone();
        self.stopped.set(false);
        self.say(None);
        self.do_now(Some(Doing::Connecting));
        let watcher = InWindow(self.clone());
        // A person who presses the button wants to know what is owed, too.
        let manner = Manner { scope: Scope { owing: true, everything: false }, is_gentle: false };
        let result = self.known.download(settings, &wanted, manner, &watcher).await;
        self.doing.set(None);
        self.clone().reload().await;
        self.say(Some(match result {
            Ok(Ended::Done) => (Tone::Good, text("recordsDone")),
            Ok(_) => (Tone::Doubt, text("recordsDoneInPart")),
            Err(error @ RecordsError::Download(DownloadError::Stopped)) => (Tone::Doubt, words_for(&error)),
            Err(error) => (Tone::Bad, words_for(&error)),
        }));
        self.show();
        if !self.dialog.open()
            && let Some((tone, words)) = &*self.said.borrow()
        {
            self.desk.message.show(*tone, words);
        }
    }

    /// Reads the file that was chosen.
    async fn import(self: Rc<Self>, file: File) {
        if self.doing.get().is_some() {
            return;
        }
        if !self.choose_row.hidden() || self.known.access() == Access::Locked {
            self.say(Some((Tone::Doubt, text("recordsFilePassphrase"))));
            return self.show();
        }
        let (wanted, server) = {
            let preferences = self.desk.preferences.borrow();
            (preferences.records.clone(), preferences.form.server().ok())
        };
        self.stopped.set(false);
        self.say(None);
        self.do_now(Some(Doing::File(0)));
        let result = self.known.import(&file, &wanted, server.as_ref(), &InWindow(self.clone())).await;
        self.doing.set(None);
        self.say(Some(match result {
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
        self.reload().await;
    }

    /// Takes what another page tells.
    async fn told(self: Rc<Self>, told: Told) {
        let doing = match told {
            Told::Changed => return self.look_anew().await,
            Told::Stop => return self.stopped.set(true),
            Told::Reading(set, rows, left) => Some(Doing::Reading(set, rows, left)),
            Told::Preparing(set) => Some(Doing::Preparing(set)),
            Told::Over => None,
        };
        if self.heard.get().is_none() && self.doing.get().is_some() {
            // This window does something itself.
            return;
        }
        let Some(doing) = doing else { return self.heard_nothing().await };
        let number = self.heard.get().unwrap_or_default().wrapping_add(1);
        self.heard.set(Some(number));
        self.do_now(Some(doing));
        sleep(SILENT_AFTER).await;
        if self.heard.get() == Some(number) {
            // Firefox has ended the event page.
            self.heard_nothing().await;
        }
    }

    /// The event page downloads no more.
    async fn heard_nothing(self: Rc<Self>) {
        self.heard.set(None);
        self.doing.set(None);
        self.look_anew().await;
    }

    fn do_now(&self, doing: Option<Doing>) {
        self.doing.set(doing);
        self.show();
    }

    async fn delete_all(self: Rc<Self>) {
        let (title, body, yes) = (text("recordsDeleteTitle"), text("recordsDeleteText"), text("recordsDeleteYes"));
        let question = Question { title: &title, text: &body, yes: &yes, is_dangerous: true, ..Question::default() };
        if question::ask(question).await != Ok(Reply::Yes) {
            return;
        }
        match self.known.delete().await {
            Ok(()) => {
                self.say(Some((Tone::Good, text("recordsDeleted"))));
                // In place of what the line may say of a patron.
                self.desk.message.show(Tone::Good, &text("recordsDeleted"));
                self.clone().reload().await;
            }
            Err(error) => self.failed(&error),
        }
    }
}

seldom! {
    async fn go_on(records: Rc<RecordsPanel>) {
        records.go_on().await;
    }

    async fn import(records: Rc<RecordsPanel>, file: File) {
        records.import(file).await;
    }

    async fn delete_all(records: Rc<RecordsPanel>) {
        records.delete_all().await;
    }
}

later! {
    async fn reload(records: Rc<RecordsPanel>) {
        records.look_anew().await;
    }

    async fn hear(records: Rc<RecordsPanel>, told: Told) {
        records.told(told).await;
    }
}

impl Panel for RecordsPanel {
    fn settings_changed(self: Rc<Self>) {
        spawn_local(self.reload());
    }

    fn show_settings(self: Rc<Self>) {
        if self.is_owed.take() {
            spawn_local(self.reload());
        }
    }
}

/// Shows in the window how far a download is.
struct InWindow(Rc<RecordsPanel>);

impl Watcher for InWindow {
    fn read(&self, set: Set, rows: u32, left: Option<u32>) {
        self.0.do_now(Some(Doing::Reading(set, rows, left)));
    }

    fn file(&self, thousandths: u16) {
        self.0.do_now(Some(Doing::File(thousandths)));
    }

    fn prepares(&self, set: Set) {
        self.0.do_now(Some(Doing::Preparing(set)));
    }

    fn is_stopped(&self) -> bool {
        self.0.stopped.get() || !self.0.desk.preferences.borrow().records.enabled
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

/// The number of a set, as `36 patrons`.
fn number_of(set: Set, number: u32) -> String {
    let key = match set {
        Set::Patrons => "numberOfPatrons",
        Set::Items => "numberOfItems",
        Set::Loans => "numberOfLoans",
        Set::Holds => "numberOfHolds",
        Set::Restrictions => "numberOfRestrictions",
    };
    plural(key, number, &[])
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
    let words = notes_on(set, contents).into_iter().map(|note| match note {
        SetNote::NoReport => text("gapReportAbsent"),
        SetNote::OtherReport => text("gapReportUnlike"),
        SetNote::NotLetIn => text("gapNotLetIn"),
        SetNote::Refused(permissions) => text_with("gapRefused", &[permissions]),
        SetNote::Absent => text("gapAbsent"),
        SetNote::Strange(status) => text_with("gapStrange", &[&status.to_string()]),
        SetNote::SameRows => text("gapSameRows"),
        SetNote::Debts => text("gapDebts"),
        SetNote::Titles => text("gapTitles"),
        SetNote::Unreadable(rows) => plural("gapUnreadable", rows, &[]),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn words_for(error: &RecordsError) -> String {
    let why = match error {
        RecordsError::Busy => return text("recordsBusy"),
        RecordsError::Locked => return text("recordsLineLocked"),
        RecordsError::TooOld => return text("recordsFileOld"),
        RecordsError::Download(DownloadError::Outdated) => return text("recordsOutdated"),
        RecordsError::File(words) => return words.clone(),
        RecordsError::Download(DownloadError::Stopped) => text("recordsStopped"),
        RecordsError::Download(DownloadError::KeyRefused) => text("recordsKeyRefused"),
        RecordsError::Download(DownloadError::Koha(error)) => wording::connection_error(error),
        RecordsError::Download(DownloadError::Disk(error)) => wording::disk(error),
    };
    format!("{why} {}", text("recordsKept"))
}
