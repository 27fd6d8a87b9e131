//! Corrects, deletes or restores a transaction that is not in Koha, and shows what was changed before. Where it is changed elsewhere
//! meanwhile, it is shown as it is then: only what was seen is changed.

use crate::{
    anew::Anew,
    dom::{self, elements},
    i18n::{js_error, text, text_with},
    later::later,
    latest::Latest,
    popup::{
        Desk, Panel, Tone, Topic,
        change::NotChanged,
        known::{
            labels::{self, Labels},
            queue::LookupQueue,
            records::RecordsPanel,
            warnings,
        },
        window::press::let_go,
    },
    timer,
    wording::{self, Explained as _},
};
use koct_core::{
    Action, Entry, Moment, State, Status, TransactionId,
    desk::{
        codes::Codes,
        press::is_seen,
        scan::{Corrected, TypedError},
    },
    directory::labels::Label,
    log::{event::LogEvent, offers::Opens, revision::Revision, seen::is_as_seen, warned::Grade},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlDialogElement, HtmlElement, HtmlInputElement};

/// The fields, by the end of their ids.
const FIELDS: [&str; 3] = ["cardnumber", "barcode", "amount"];

elements! {
    pub(crate) struct Edit(desk: Rc<Desk>, lookups: Rc<LookupQueue>, labels: Rc<Labels>, records: Rc<RecordsPanel>) {
        dialog: HtmlDialogElement = "edit-dialog",
        title: HtmlElement = "edit-title",
        about: Element = "edit-about",
        error: Element = "edit-error",
        history_box: HtmlElement = "edit-history-box",
        history: Element = "edit-history",
        save: HtmlElement = "edit-save",
        delete: HtmlElement = "edit-delete",
        restore: HtmlElement = "edit-restore",
        cancel: HtmlElement = "edit-cancel",
        ;
        /// What is being changed, as it is shown.
        entry: RefCell<Option<Entry>>,
        following: Anew,
        /// When it came in place of what was shown before, by the page's clock.
        changed_at: Cell<Option<f64>>,
        /// Counts what was typed: only the last is named.
        typed: Latest,
    }
}

impl Panel for Edit {
    fn follow(self: Rc<Self>, event: &LogEvent) {
        let id = self.entry.borrow().as_ref().map(|entry| entry.id);
        let is_told = event.entries().iter().any(|entry| Some(entry.id) == id);
        if self.dialog.open() && (is_told || matches!(event, LogEvent::Reload(_))) {
            self.look_again();
        }
    }

    /// Without the records no name and no title stays.
    fn records_changed(self: Rc<Self>, _are_there: bool) {
        if self.dialog.open() {
            self.name();
        }
    }
}

later! {
    async fn follow(edit: Rc<Edit>) {
        while edit.following.goes_on() {
            edit.clone().show_again().await;
        }
    }
}

/// What stands in the fields of an entry that nobody has changed.
fn values(action: &Action) -> [Option<String>; 3] {
    [
        action.cardnumber().map(ToString::to_string),
        action.barcode().map(ToString::to_string),
        action.amount().map(|amount| amount.to_string()),
    ]
}

impl Edit {
    fn field(name: &str) -> Result<HtmlInputElement, JsValue> {
        dom::by_id(&format!("edit-{name}"))
    }

    fn open(self: &Rc<Self>, entry: Entry) -> Result<(), JsValue> {
        let opens = Opens::from_state(entry.status.state());
        self.changed_at.set(None);
        self.error.set_text_content(None);
        let mut focus = None;
        for (name, value) in FIELDS.into_iter().zip(values(&entry.transaction.action)) {
            dom::by_id::<HtmlElement>(&format!("edit-{name}-row"))?.set_hidden(value.is_none());
            if let Some(value) = value {
                let field = Self::field(name)?;
                field.set_value(&value);
                focus = Some(field);
            }
        }
        self.history_box.toggle_attribute_with_force("open", opens == Opens::History)?;
        self.show(entry)?;
        self.dialog.show_modal()?;
        if let Some(field) = focus {
            field.focus()?;
            field.select();
        }
        Ok(())
    }

    /// Shows where it stands, what can be done about it, and what was before.
    fn show(self: &Rc<Self>, entry: Entry) -> Result<(), JsValue> {
        let opens = Opens::from_state(entry.status.state());
        self.title.set_title(&wording::moment(entry.transaction.moment));
        let status = wording::status(&entry.status);
        let (tone, about) = match &entry.status {
            Status::Local => ("quiet", text("editAbout")),
            Status::Rejected { .. } => ("message-bad", text_with("editAboutRefused", &[&status])),
            Status::InDoubt { .. } | Status::Sending { .. } => ("message-doubt", status),
            Status::Added | Status::Success => ("message-good", status),
            Status::Deleted => ("quiet", status),
        };
        self.about.set_text_content(Some(&about));
        self.about.set_class_name(tone);
        for name in FIELDS {
            Self::field(name)?.set_read_only(opens != Opens::Correction);
        }
        self.save.set_hidden(opens != Opens::Correction);
        self.delete.set_hidden(opens != Opens::Correction);
        self.restore.set_hidden(opens != Opens::Restoration);
        let told = entry.checkin.as_ref().map(wording::told).filter(|told| !told.is_empty());
        let is_plain = entry.history.is_empty() && entry.warnings.is_empty() && entry.scanned.is_as_meant();
        self.history_box.set_hidden(is_plain && told.is_none());
        dom::fill_list(&self.history, &entry.history, |revision| dom::line(&words(revision)));
        for scanned in entry.scanned.all() {
            self.history.append_child(&*dom::line(&text_with("historyScanned", &[scanned]))?)?;
        }
        warnings::in_full(&self.history, &entry.warnings)?;
        if let Some(told) = told {
            self.history.append_with_node_1(&*dom::line(&told)?)?;
        }
        *self.entry.borrow_mut() = Some(entry);
        self.name();
        Ok(())
    }

    /// What is shown may stand otherwise by now.
    fn look_again(self: &Rc<Self>) {
        if self.following.ask() {
            spawn_local(follow(self.clone()));
        }
    }

    /// Reads it anew, and shows it as it is.
    async fn show_again(self: Rc<Self>) {
        let Some(shown) = self.entry.borrow().clone() else { return };
        let read = self.desk.store.get(&[shown.id]).await;
        let_go(&self.dialog).await;
        // Another one may be open by now.
        if !self.dialog.open() || self.entry.borrow().as_ref() != Some(&shown) {
            return;
        }
        match read.map(|mut entries| entries.pop()) {
            Ok(Some(now)) if now == shown => {}
            Ok(Some(now)) => {
                if let Err(error) = self.renew(&shown, now) {
                    self.desk.message.show(Tone::Bad, &js_error(&error));
                }
            }
            Ok(None) => {
                self.dialog.close();
                self.desk.not_changed("editFailed", &NotChanged::Gone);
            }
            Err(error) => self.desk.failed(Topic::Other, "readFailed", &error),
        }
    }

    /// Shows it as it is now. What somebody has typed stays where it can still be saved.
    fn renew(self: &Rc<Self>, shown: &Entry, now: Entry) -> Result<(), JsValue> {
        let keeps_typed = now.status.state().keeps_typed();
        let before_and_now = values(&shown.transaction.action).into_iter().zip(values(&now.transaction.action));
        for (name, values) in FIELDS.into_iter().zip(before_and_now) {
            let (Some(before), Some(now)) = values else { continue };
            let field = Self::field(name)?;
            if !keeps_typed || field.value() == before {
                field.set_value(&now);
            }
        }
        if !is_as_seen(shown, &now) {
            self.error.set_text_content(Some(&wording::changed(&now)));
            self.changed_at.set(Some(timer::now()));
        }
        if Opens::from_state(now.status.state()) == Opens::History {
            self.history_box.set_attribute("open", "")?;
        }
        self.show(now)?;
        dom::keep_focus(&self.dialog, &self.cancel);
        Ok(())
    }

    /// Whether what is shown was seen: it may have come just now in place of something else.
    fn is_seen(&self) -> bool {
        self.changed_at.get().is_none_or(|changed_at| is_seen(changed_at, timer::now()))
    }

    /// Says in the heading what it is, and beside each number whose it is.
    fn name(self: &Rc<Self>) {
        let Some(entry) = self.entry.borrow().clone() else { return };
        self.head(&entry, &self.labels.of(&entry).unwrap_or_default());
        self.name_typed();
        let this = self.clone();
        spawn_local(async move {
            this.labels.look_up(&entry).await;
            if this.entry.borrow().as_ref() == Some(&entry) {
                this.head(&entry, &this.labels.of(&entry).unwrap_or_default());
            }
        });
    }

    fn head(&self, entry: &Entry, label: &Label) {
        let action = &entry.transaction.action;
        let key = match action {
            Action::Issue { .. } => "editCheckout",
            Action::Return { .. } => "editCheckin",
            Action::Payment { .. } => "editPayment",
        };
        let item = wording::item_or_amount(action);
        let item = if label.title.is_empty() { &item } else { &label.title };
        let time = wording::row_time(entry.transaction.moment);
        self.title.set_text_content(Some(&text_with(key, &[item, &time])));
    }

    /// Says beside each number whose it is, as it is typed.
    fn name_typed(self: &Rc<Self>) {
        let typed = self.typed.ask();
        let this = self.clone();
        spawn_local(async move {
            let [card, barcode] =
                ["cardnumber", "barcode"].map(|name| Self::field(name).map(|field| field.value()).unwrap_or_default());
            let named = [
                ("cardnumber", labels::name_typed(this.labels.clone(), card.clone()).await, "shortUnknownCard", card),
                (
                    "barcode",
                    labels::title_typed(this.labels.clone(), barcode.clone()).await,
                    "shortUnknownItem",
                    barcode,
                ),
            ];
            if !this.typed.is(typed) {
                return;
            }
            for (name, known, unknown, code) in named {
                let Ok(shown) = dom::by_id::<HtmlElement>(&format!("edit-{name}-name")) else { continue };
                let is_unknown = known.as_deref() == Some("") && !code.trim().is_empty();
                let words = if is_unknown { text(unknown) } else { wording::harmless(&known.unwrap_or_default()) };
                shown.set_text_content(Some(&words));
                shown.set_title(&words);
                let grade = if is_unknown { Grade::Careful.name() } else { "" };
                let _ = shown.set_attribute("data-grade", grade);
            }
        });
    }

    /// The action as it stands in the fields, or what is wrong with it.
    fn action(of: &Action, codes: &Codes) -> Result<Action, String> {
        let [cardnumber, barcode, amount] =
            FIELDS.map(|name| Self::field(name).map(|field| field.value()).unwrap_or_default());
        let typed = Corrected { cardnumber: &cardnumber, barcode: &barcode, amount: &amount };
        typed.action(of, codes).map_err(|error| match error {
            TypedError::Cardnumber(error) => text_with("reasonCardnumber", &[&wording::code_error(&error)]),
            TypedError::Barcode(error) => text_with("reasonBarcode", &[&wording::code_error(&error)]),
            TypedError::Amount(error) => text_with("reasonAmount", &[&wording::amount_error(error)]),
            // No scan was read here.
            TypedError::Left | TypedError::Two(..) => String::new(),
        })
    }
}

fn words(revision: &Revision) -> String {
    let at = wording::moment(revision.at);
    let line =
        text_with("historyLine", &[&at, &wording::change(revision.change), &wording::transaction(&revision.was)]);
    match &revision.refused {
        Some(message) => format!("{line} · {}", text_with("historyRefused", &[message])),
        None => line,
    }
}

impl Edit {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::bind(&self.cancel, "click", self, |this| this.dialog.close());
        dom::on_submit("edit-form", self, Self::save_edited)?;
        for name in ["cardnumber", "barcode"] {
            dom::bind(Self::field(name)?.as_ref(), "input", self, Self::name_typed);
        }
        for (button, change, done) in [
            (&self.delete, Entry::deleted as fn(&Entry, Moment) -> Option<Entry>, "editDeleted"),
            (&self.restore, Entry::restored, "editRestored"),
        ] {
            dom::bind(button, "click", self, move |this| {
                if let Some(entry) = this.entry.borrow().clone().filter(|_| this.is_seen()) {
                    spawn_local(this.clone().change(entry, done, change));
                }
            });
        }
        Ok(())
    }

    /// Opens the dialog for a transaction, as it is now.
    pub(crate) async fn edit(self: Rc<Self>, id: TransactionId) {
        let entry = match self.desk.store.get(&[id]).await {
            Ok(mut entries) => entries.pop(),
            Err(error) => return self.desk.failed(Topic::Other, "readFailed", &error),
        };
        let opened = match entry {
            Some(entry) => self.open(entry),
            None => return self.desk.reload_log(),
        };
        if let Err(error) = opened {
            self.desk.message.show(Tone::Bad, &js_error(&error));
        }
    }

    fn save_edited(self: &Rc<Self>) {
        let Some(entry) = self.entry.borrow().clone() else { return };
        if !entry.status.state().is_correctable() || !self.is_seen() {
            return;
        }
        let codes = self.desk.preferences.borrow().codes();
        match Edit::action(&entry.transaction.action, &codes) {
            Ok(action) => spawn_local(self.clone().save(entry, action)),
            Err(wrong) => self.error.set_text_content(Some(&wrong)),
        }
    }

    /// Saves it as this action. A user name is as good as its card; an item's barcode is none.
    async fn save(self: Rc<Self>, entry: Entry, action: Action) {
        let action = match action.cardnumber().filter(|card| entry.transaction.action.cardnumber() != Some(*card)) {
            None => action,
            Some(card) => match self.records.card_of(card.clone()).await {
                Some(card) => action.by(card),
                None => return self.error.set_text_content(Some(&text("moveIsItem"))),
            },
        };
        // Another one may be open by now.
        let is_open = self.dialog.open()
            && self.entry.borrow().as_ref().is_some_and(|open| open.id == entry.id && is_as_seen(open, &entry));
        match action {
            _ if !is_open => {}
            action if entry.is_unchanged_by(&action) => {
                self.dialog.close();
                self.desk.message.about(Topic::Change).show(Tone::Good, &text("editUnchanged"));
            }
            action => {
                let rule = move |entry: &Entry, now| entry.edited(action.clone(), now);
                self.change(entry, "editSaved", rule).await;
            }
        }
    }

    /// Changes it, unless another window has changed it since it was shown: a decision is about what was seen.
    async fn change(
        self: Rc<Self>,
        shown: Entry,
        done: &'static str,
        rule: impl Fn(&Entry, Moment) -> Option<Entry> + 'static,
    ) {
        match self.desk.change_seen(&[shown], &rule).await {
            Ok(entries) => {
                self.dialog.close();
                for entry in entries {
                    let words = text_with(done, &[&wording::entry(&entry)]);
                    if entry.status.state() == State::Local {
                        // Another patron or another item: something else may be to be warned of.
                        self.lookups.look_up(entry);
                    }
                    self.desk.message.about(Topic::Change).show(Tone::Good, &words);
                }
            }
            Err(error) => {
                self.error.set_text_content(Some(&text_with("editFailed", &[&error.explained()])));
                // Who has changed it may not have been heard yet.
                self.look_again();
            }
        }
    }
}
