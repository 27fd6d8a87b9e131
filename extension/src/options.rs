//! The settings page.

mod habits;
mod lookup;
mod policy;

use crate::{
    dom,
    http::Http,
    i18n::{self, text, text_with},
    preferences::{self, Preferences},
    webext, wording,
};
use habits::HabitFields;
use koct_core::{
    CommitType, Secret, ServerUrl, Settings,
    koha::{
        connection::{Connection, ConnectionError, Next, Ready},
        rest::Library,
    },
    settings::{
        form::{Field, FieldError, Form},
        guide,
        habits::DeskSettings,
    },
};
use lookup::LookupFields;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Element, Event, HtmlButtonElement, HtmlElement, HtmlInputElement, HtmlOptionElement, HtmlSelectElement,
    ScrollIntoViewOptions, ScrollLogicalPosition,
};

const FIELDS: [Field; 14] = [
    Field::Server,
    Field::Username,
    Field::Password,
    Field::Branchcode,
    Field::StaleHours,
    Field::Desk,
    Field::CardPattern,
    Field::LibraryName,
    Field::LoanDays,
    Field::DebtLimit,
    Field::RemindDays,
    Field::WipeDays,
    Field::RestrictionsReport,
    Field::ClientSecret,
];

struct Options {
    server: HtmlInputElement,
    username: HtmlInputElement,
    password: HtmlInputElement,
    keep_password: HtmlInputElement,
    branchcode: HtmlInputElement,
    branch_choice: HtmlSelectElement,
    branch_choice_row: HtmlElement,
    send: HtmlInputElement,
    apply: HtmlInputElement,
    stale_hours: HtmlInputElement,
    desk: HtmlInputElement,
    habits: HabitFields,
    lookup: LookupFields,
    /// As they were when the page was opened.
    loaded: RefCell<Preferences>,
    server_warning: HtmlElement,
    test: HtmlButtonElement,
    message: HtmlElement,
    testing: Cell<bool>,
}

/// Starts the page.
///
/// # Errors
/// When it lacks an element.
pub(crate) async fn start() -> Result<(), JsValue> {
    let document = dom::document()?;
    i18n::localise(&document);
    let radio = |value: &str| -> Result<HtmlInputElement, JsValue> {
        document
            .query_selector(&format!("input[name=commit-type][value={value}]"))?
            .and_then(|radio| radio.dyn_into().ok())
            .ok_or_else(|| JsValue::from_str("the page has no radio button for a commit type"))
    };
    let options = Rc::new(Options {
        server: dom::by_id("server")?,
        username: dom::by_id("username")?,
        password: dom::by_id("password")?,
        keep_password: dom::by_id("keep-password")?,
        branchcode: dom::by_id("branchcode")?,
        branch_choice: dom::by_id("branch-choice")?,
        branch_choice_row: dom::by_id("branch-choice-row")?,
        send: radio("send")?,
        apply: radio("apply")?,
        stale_hours: dom::by_id("stale-hours")?,
        desk: dom::by_id("desk-name")?,
        habits: HabitFields::new()?,
        lookup: LookupFields::new()?,
        loaded: RefCell::default(),
        server_warning: dom::by_id("server-warning")?,
        test: dom::by_id("test-connection")?,
        message: dom::by_id("settings-message")?,
        testing: Cell::new(false),
    });
    match preferences::load().await {
        Ok(preferences) => {
            options.fill(&preferences);
            policy::show(&preferences.policy)?;
            *options.loaded.borrow_mut() = preferences;
        }
        Err(error) => options.say("bad", &text_with("saveFailed", &[&format!("{error:?}")])),
    }
    let this = options.clone();
    dom::on::<Event>(dom::by_id::<Element>("settings-form")?.as_ref(), "submit", move |event| {
        event.prevent_default();
        this.save();
    });
    let this = options.clone();
    dom::on::<Event>(&options.test, "click", move |_| this.test());
    let this = options.clone();
    dom::on::<Event>(&options.server, "input", move |_| this.warn_of_http());
    let this = options.clone();
    dom::on::<Event>(&options.branch_choice, "change", move |_| {
        this.branchcode.set_value(&this.branch_choice.value());
        Options::mark(&[]);
    });
    document.body().ok_or("no body")?.set_attribute("data-ready", "")?;
    Ok(())
}

impl Options {
    fn fill(&self, preferences: &Preferences) {
        let form = &preferences.form;
        self.server.set_value(&form.server);
        self.username.set_value(&form.username);
        self.password.set_value(form.password.reveal());
        self.keep_password.set_checked(preferences.keep_password);
        self.branchcode.set_value(&form.branchcode);
        self.send.set_checked(form.commit_type == CommitType::Send);
        self.apply.set_checked(form.commit_type == CommitType::Apply);
        self.stale_hours.set_value(&form.stale_hours);
        self.desk.set_value(&form.desk);
        self.habits.fill(&preferences.habits);
        self.lookup.fill(&preferences.lookup);
        self.warn_of_http();
    }

    fn form(&self) -> Form {
        Form {
            server: self.server.value(),
            username: self.username.value(),
            password: Secret::new(self.password.value()),
            branchcode: self.branchcode.value(),
            commit_type: if self.apply.checked() { CommitType::Apply } else { CommitType::Send },
            stale_hours: self.stale_hours.value(),
            desk: self.desk.value(),
        }
    }

    fn habits(&self) -> DeskSettings {
        self.habits.read(self.loaded.borrow().habits.clone())
    }

    fn say(&self, tone: &str, text: &str) {
        self.message.set_text_content(Some(text));
        self.message.set_class_name(&format!("message-{tone}"));
    }

    fn warn_of_http(&self) {
        let readable = ServerUrl::parse(&self.server.value()).is_ok_and(|server| server.is_readable_on_the_way());
        self.server_warning.set_hidden(!readable);
    }

    /// Marks these fields, and unmarks the others.
    fn mark(errors: &[(Field, FieldError)]) {
        for field in FIELDS {
            let error = errors.iter().find(|(wrong, _)| *wrong == field).map(|(_, error)| wording::field_error(error));
            let (Ok(input), Ok(line)) = (
                dom::by_id::<HtmlInputElement>(field.id()),
                dom::by_id::<HtmlElement>(&format!("{}-error", field.id())),
            ) else {
                continue;
            };
            let _ = input.set_attribute("aria-invalid", if error.is_some() { "true" } else { "false" });
            line.set_hidden(error.is_none());
            line.set_text_content(error.as_deref());
        }
        if let Some((first, _)) = errors.first()
            && let Ok(input) = dom::by_id::<HtmlInputElement>(first.id())
        {
            let _ = input.focus();
            // What is wrong stands below the field, where the bar of buttons may cover it.
            if let Ok(line) = dom::by_id::<HtmlElement>(&format!("{}-error", first.id())) {
                let nearest = ScrollIntoViewOptions::new();
                nearest.set_block(ScrollLogicalPosition::Nearest);
                line.scroll_into_view_with_scroll_into_view_options(&nearest);
            }
        }
    }

    /// The checked settings and, asked for within the click, the permission to talk to their server.
    fn checked(&self) -> Option<(Settings, js_sys::Promise)> {
        // What was said of the last time must not be taken for this time's.
        self.say("good", "");
        let form = self.form();
        let mut wrong = self.habits().errors();
        wrong.extend(self.lookup.read().errors());
        let (settings, desk) = match (form.validate(), form.desk_name()) {
            (Ok(settings), Ok(desk)) if wrong.is_empty() => (settings, desk),
            (settings, desk) => {
                let mut errors = settings.err().unwrap_or_default();
                errors.extend(desk.err().map(|error| (Field::Desk, error)));
                errors.extend(wrong);
                Self::mark(&errors);
                self.say("bad", &text("settingsInvalid"));
                return None;
            }
        };
        Self::mark(&[]);
        // Shown as they will be used.
        self.server.set_value(settings.server.as_str());
        self.username.set_value(&settings.username);
        self.branchcode.set_value(&settings.branchcode);
        self.stale_hours.set_value(&settings.stale_hours.to_string());
        self.desk.set_value(desk.as_str());
        let origins = preferences::origins(&settings.server.permission_pattern());
        match webext::request_permissions(&origins) {
            Ok(asked) => Some((settings, asked)),
            Err(error) => {
                self.say("bad", &text_with("saveFailed", &[&format!("{error:?}")]));
                None
            }
        }
    }

    fn save(self: &Rc<Self>) {
        if !self.form().connects() {
            self.save_without_koha();
        } else if let Some((settings, asked)) = self.checked() {
            spawn_local(self.clone().store(settings, asked));
        }
    }

    /// Stores what the desk needs to record and to write files.
    fn save_without_koha(self: &Rc<Self>) {
        self.say("good", "");
        let mut wrong = self.habits().errors();
        wrong.extend(self.lookup.read().errors());
        wrong.extend(self.form().desk_name().err().map(|error| (Field::Desk, error)));
        Self::mark(&wrong);
        if !wrong.is_empty() {
            return self.say("bad", &text("settingsInvalid"));
        }
        let this = self.clone();
        spawn_local(async move {
            let preferences = this.preferences();
            match preferences::save(&preferences).await {
                Ok(()) => {
                    this.lookup.saved().await;
                    this.say("doubt", &text("savedWithoutKoha"));
                }
                Err(error) => this.say("bad", &text_with("saveFailed", &[&format!("{error:?}")])),
            }
        });
    }

    /// As they are in the page.
    fn preferences(&self) -> Preferences {
        Preferences {
            form: self.form(),
            habits: self.habits(),
            lookup: self.lookup.read(),
            keep_password: self.keep_password.checked(),
            ..self.loaded.borrow().clone()
        }
    }

    async fn store(self: Rc<Self>, settings: Settings, asked: js_sys::Promise) {
        let allowed = JsFuture::from(asked).await.is_ok_and(|allowed| allowed.is_truthy());
        let preferences = self.preferences();
        let before = preferences::load().await.ok().and_then(|before| ServerUrl::parse(&before.form.server).ok());
        if let Err(error) = preferences::save(&preferences).await {
            self.say("bad", &text_with("saveFailed", &[&format!("{error:?}")]));
            return;
        }
        self.lookup.saved().await;
        // KOCT may talk to the configured server and to no other.
        let pattern = settings.server.permission_pattern();
        if let Some(before) = before.map(|server| server.permission_pattern()).filter(|before| *before != pattern) {
            let _ = webext::remove_permissions(&preferences::origins(&before)).await;
        }
        if allowed {
            self.say("good", &text("saved"));
        } else {
            self.say("doubt", &text_with("savedNotAllowed", &[settings.server.as_str()]));
        }
    }

    fn test(self: &Rc<Self>) {
        if self.testing.get() {
            return;
        }
        if let Some((settings, asked)) = self.checked() {
            self.testing.set(true);
            self.test.set_disabled(true);
            self.say("doubt", &text("testing"));
            let this = self.clone();
            spawn_local(async move {
                this.run_test(settings, asked).await;
                this.testing.set(false);
                this.test.set_disabled(false);
            });
        }
    }

    async fn run_test(&self, settings: Settings, asked: js_sys::Promise) {
        if !JsFuture::from(asked).await.is_ok_and(|allowed| allowed.is_truthy()) {
            self.say("bad", &text_with("testNotAllowed", &[settings.server.as_str()]));
            return;
        }
        match connect(settings.clone()).await {
            Err(trouble) => self.say("bad", &wording::trouble(&trouble)),
            Ok(ready) => {
                let libraries = ready.libraries;
                let known = libraries.as_ref().and_then(|libraries| libraries.knows(&settings.branchcode));
                self.offer(&libraries.map(|libraries| libraries.list).unwrap_or_default());
                if known != Some(false) {
                    // The guide asks for the test again where this could not be remembered.
                    let _ = preferences::save_tested(&guide::tested_as(&settings)).await;
                }
                let (tone, key) = match known {
                    Some(true) => ("good", "testOk"),
                    Some(false) => ("bad", "testBranchUnknown"),
                    None => ("doubt", "testOkUnchecked"),
                };
                self.say(tone, &text_with(key, &[&settings.branchcode]));
            }
        }
    }

    /// Lists the libraries to choose from.
    fn offer(&self, libraries: &[Library]) {
        self.branch_choice_row.set_hidden(libraries.is_empty());
        self.branch_choice.set_length(0);
        let add = |label: &str, value: &str| {
            if let Ok(option) = HtmlOptionElement::new_with_text_and_value(label, value) {
                let _ = self.branch_choice.append_with_node_1(&option);
            }
        };
        add(&text("branchChoiceNone"), "");
        for library in libraries {
            add(&format!("{} · {}", library.branchcode, library.name), &library.branchcode);
        }
        let chosen = self.branchcode.value();
        let known = libraries.iter().any(|library| library.branchcode == chosen);
        self.branch_choice.set_value(if known { &chosen } else { "" });
    }
}

async fn connect(settings: Settings) -> Result<Ready, ConnectionError> {
    let http = Http::isolated(&settings.server.permission_pattern());
    let (mut connection, mut request) = Connection::test(settings);
    loop {
        match connection.handle(http.send(&request).await) {
            Next::Request(next) => request = next,
            Next::Ready(ready) => return Ok(ready),
            Next::Failed(trouble) => return Err(trouble),
        }
    }
}
