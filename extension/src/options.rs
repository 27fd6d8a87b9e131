//! The settings page.

mod codes;
mod fields;
mod folds;
mod koha_filter;
mod open_koha;
mod permitted;
mod policy;
mod records;
mod try_scan;

use crate::{
    copy, dom,
    http::Http,
    i18n::{self, js_error, text, text_with},
    outage, preferences, ready,
    sound::Player,
    webext, wording,
};
use fields::Fields;
use folds::Folds;
use koct_core::{
    ServerUrl, Settings,
    desk::rules::Kind,
    koha::{
        connection::{Connection, ConnectionError, ConnectionStep, Ready},
        filter,
        rest::Library,
        trial::{Place, Trial},
    },
    settings::{
        form::{FieldError, Form, Login},
        guide,
        table::{Field, Preferences},
    },
};
use koha_filter::KohaFilter;
use open_koha::OpenKoha;
use permitted::Permitted;
use records::RecordsPart;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Element, Event, HtmlButtonElement, HtmlElement, HtmlInputElement, HtmlOptionElement, HtmlSelectElement};

struct Options {
    fields: Fields,
    folds: Folds,
    records: RecordsPart,
    notify: Rc<Permitted>,
    second_copy: Rc<Permitted>,
    server: HtmlInputElement,
    server_warning: HtmlElement,
    /// Matters only where no person's session is used.
    account: HtmlElement,
    keep_secrets: HtmlElement,
    /// Says that stored secrets are not used for another server.
    forgotten: HtmlElement,
    branchcode: HtmlInputElement,
    branch_choice: HtmlSelectElement,
    save: HtmlButtonElement,
    test: HtmlButtonElement,
    message: HtmlElement,
    /// Where to go when all is well.
    next: HtmlElement,
    to_lookup: HtmlElement,
    koha_filter: Rc<KohaFilter>,
    lookup: HtmlInputElement,
    /// As they are stored.
    loaded: RefCell<Preferences>,
    testing: Cell<bool>,
    /// From before this page stores something until it has taken that over.
    storing: Cell<bool>,
}

/// Starts the page.
///
/// # Errors
/// When it lacks an element.
pub(crate) async fn start() -> Result<(), JsValue> {
    let document = dom::document()?;
    i18n::localise(&document);
    let options = Rc::new(Options {
        fields: Fields::new()?,
        folds: Folds::new()?,
        records: RecordsPart::new()?,
        notify: Permitted::bind("notify", outage::notifications, "notifyNotAllowed")?,
        second_copy: Permitted::bind("second-copy", copy::files::permission, "copyNotAllowed")?,
        server: dom::by_id("server")?,
        server_warning: dom::by_id("server-warning")?,
        account: dom::by_id("account-fields")?,
        keep_secrets: dom::by_id("keep-password-row")?,
        forgotten: dom::by_id("secrets-forgotten")?,
        branchcode: dom::by_id("branchcode")?,
        branch_choice: dom::by_id("branch-choice")?,
        save: dom::by_id("save")?,
        test: dom::by_id("test-connection")?,
        message: dom::by_id("settings-message")?,
        next: dom::by_id("settings-next")?,
        to_lookup: dom::by_id("to-lookup")?,
        koha_filter: Rc::new(KohaFilter::new()?),
        lookup: dom::by_id("lookup")?,
        loaded: RefCell::default(),
        testing: Cell::new(false),
        storing: Cell::new(false),
    });
    match preferences::load().await {
        Ok(preferences) => {
            *options.loaded.borrow_mut() = preferences.clone();
            options.fill(&preferences);
            options.records.loaded(&preferences.records);
            options.notify.show().await;
            options.second_copy.show().await;
            options.folds.open_wrong(&errors_of(&preferences));
            let policy = preferences::policy().await;
            policy::show(&policy)?;
            options.folds.lock(&policy);
            if !preferences.saved {
                begin();
            }
        }
        Err(error) => options.say_failed(&error),
    }
    dom::on_submit("settings-form", &options, Options::save)?;
    dom::bind(&options.test, "click", &options, Options::test);
    dom::bind_event(&options.to_lookup, "click", &options, |this, event: Event| {
        event.prevent_default();
        folds::go_to(&this.lookup);
    });
    let this = options.clone();
    dom::on::<Event>(&options.server, "input", move |_| this.warn_of_http());
    for event in ["input", "change"] {
        let this = options.clone();
        dom::on::<Event>(dom::by_id::<Element>("settings-form")?.as_ref(), event, move |_| this.show_account());
    }
    let this = options.clone();
    options.fields.bind(move || this.show_account())?;
    let this = options.clone();
    dom::on::<Event>(&options.branch_choice, "change", move |_| {
        this.branchcode.set_value(&this.branch_choice.value());
        this.fields.mark(&[]);
    });
    let this = options.clone();
    options.koha_filter.bind(move |words| {
        this.say("doubt", words);
        if let Ok(rules) = dom::by_id::<HtmlElement>("item-rules-add") {
            folds::go_to(&rules);
        }
    })?;
    OpenKoha::bind()?;
    try_scan::bind(&options)?;
    codes::bind(&options)?;
    let this = options.clone();
    preferences::on_change(move || {
        let this = this.clone();
        spawn_local(async move { this.follow().await });
    });
    let player = Player::default();
    dom::on::<Event>(dom::by_id::<Element>("try-sounds")?.as_ref(), "click", move |_| player.play_all());
    document.body().ok_or("no body")?.set_attribute("data-ready", "")?;
    Ok(())
}

impl Options {
    fn fill(&self, preferences: &Preferences) {
        self.fields.fill(preferences);
        self.warn_of_http();
        self.show_account();
    }

    /// Shows what matters for the login that is chosen, what is stored for the server that is typed, and what is set in the
    /// folds.
    fn show_account(&self) {
        let (page, stored) = (self.read(), self.loaded.borrow());
        self.account.set_hidden(page.form.login == Login::OpenKoha);
        self.keep_secrets.set_hidden(!page.has_secret_to_keep());
        self.forgotten.set_hidden(!stored.forgets_secrets(&page.form.server));
        self.folds.show(&page, &errors_of(&page));
        if let Err(error) = self.fields.show_secrets(&page, &stored) {
            self.say_failed(&error);
        }
    }

    /// What the page holds is stored: of the secrets, nothing is in it any more.
    async fn saved(&self, pressed: &Preferences) {
        if let Ok(stored) = preferences::load().await {
            self.records.saved(&stored.records).await;
            let page = self.read();
            self.fields.follow(&page, &page.following(pressed, &stored));
            self.take_over(stored);
        }
        self.storing.set(false);
        self.fields.empty_secrets();
        self.show_account();
        self.notify.release();
        self.second_copy.release();
        // KOCT may talk to the configured server and to no other.
        preferences::give_back_permissions().await;
        self.notify.show().await;
        self.second_copy.show().await;
    }

    /// Something was stored: by another page, or by a window that has learned something. What the person has not touched on this page
    /// is as it is stored now; else saving it later would undo that.
    async fn follow(&self) {
        let Ok(stored) = preferences::stored().await else { return };
        // What this page stores, it takes over itself, with what follows from it.
        if self.storing.get() || *self.loaded.borrow() == stored {
            return;
        }
        let page = self.read();
        let followed = page.following(&self.loaded.borrow(), &stored);
        self.fields.follow(&page, &followed);
        self.records.loaded(&stored.records);
        self.take_over(stored);
        self.warn_of_http();
        self.show_account();
    }

    /// This is stored now.
    fn take_over(&self, stored: Preferences) {
        let before = self.loaded.replace(stored);
        if before.desk.second_copy != self.loaded.borrow().desk.second_copy {
            // What has changed while none was wanted is in none.
            copy::begin_anew();
        }
    }

    /// As they are in the page.
    fn read(&self) -> Preferences {
        self.fields.read(&self.loaded.borrow())
    }

    fn say(&self, tone: &str, text: &str) {
        self.next.set_hidden(true);
        self.koha_filter.hide();
        self.message.set_text_content(Some(text));
        self.message.set_class_name(&format!("message-{tone}"));
    }

    fn say_failed(&self, error: &JsValue) {
        self.say("bad", &text_with("saveFailed", &[&js_error(error)]));
    }

    fn warn_of_http(&self) {
        let readable = ServerUrl::parse(&self.server.value()).is_ok_and(|server| server.is_readable_on_the_way());
        self.server_warning.set_hidden(!readable);
    }

    /// What the page holds, where nothing is wrong with it. `connects` says whether a connection is wanted.
    fn checked(&self, connects: bool) -> Option<Preferences> {
        let preferences = self.read();
        let errors = preferences.errors(connects);
        let said: Vec<_> = errors.iter().map(|(field, error)| (*field, wording::field_error(error))).collect();
        self.fields.mark(&said);
        if !errors.is_empty() {
            self.say("bad", &text("settingsInvalid"));
            return None;
        }
        // What was said of the last time must not be taken for this time's.
        self.say("good", "");
        Some(preferences)
    }

    /// The checked settings and, asked for within the click, the permission to talk to their server. The library may be missing.
    fn connecting(&self) -> Option<(Preferences, Settings, js_sys::Promise)> {
        let page = self.read();
        let (mut preferences, settings) = if let Some(settings) = page.settings_without_library() {
            self.fields.mark(&[]);
            (page, settings)
        } else {
            let preferences = self.checked(true)?;
            let settings = preferences.settings().ok()?;
            (preferences, settings)
        };
        // Shown as they will be used.
        preferences.form = Form { desk_name: preferences.form.desk_name, ..Form::from(&settings) };
        self.fill(&preferences);
        match webext::request_permissions(&preferences::origins(&settings.server.permission_pattern())) {
            Ok(asked) => Some((preferences, settings, asked)),
            Err(error) => {
                self.say_failed(&error);
                None
            }
        }
    }

    fn save(self: &Rc<Self>) {
        if self.testing.get() {
            return;
        }
        let this = self.clone();
        if self.read().form.connects() {
            self.connect(true);
        } else if let Some(preferences) = self.checked(false) {
            let loaded = self.loaded.borrow().clone();
            spawn_local(async move { this.store_without_koha(preferences, &loaded).await });
        }
    }

    fn test(self: &Rc<Self>) {
        if !self.testing.get() {
            self.connect(false);
        }
    }

    /// Stores what the page holds, over what was stored since it was filled with `loaded`.
    async fn store(&self, page: &Preferences, loaded: &Preferences) -> Result<(), JsValue> {
        let stored = preferences::stored().await?;
        self.storing.set(true);
        let result = preferences::save(&page.over(loaded, &stored)).await;
        // Else [`Options::saved`] ends it.
        if result.is_err() {
            self.storing.set(false);
        }
        result
    }

    /// Stores what the desk needs to record and to write files.
    async fn store_without_koha(&self, preferences: Preferences, loaded: &Preferences) {
        if let Err(error) = self.store(&preferences, loaded).await {
            return self.say_failed(&error);
        }
        self.saved(&preferences).await;
        self.say("doubt", &text("savedWithoutKoha"));
        self.show_next();
    }

    /// Tries the settings, and stores them first where they are to be stored and whole.
    fn connect(self: &Rc<Self>, saves: bool) {
        let Some((preferences, settings, asked)) = self.connecting() else { return };
        self.set_testing(true);
        self.say("doubt", &text("testing"));
        let this = self.clone();
        let loaded = self.loaded.borrow().clone();
        spawn_local(async move {
            let lacks_library = settings.branchcode.is_empty();
            let press = match (saves, lacks_library) {
                (false, _) => Press::Tests,
                (true, false) => Press::Saves,
                (true, true) => Press::CannotSave,
            };
            let stores = press == Press::Saves;
            let outcome = this.run(stores.then_some(&loaded), &preferences, &settings, asked).await;
            // The server may not be saved, now or ever; but where the library is about to be chosen, nobody is asked twice.
            if !(stores || matches!(outcome, Ok(Outcome::Tried(Trial::BranchMissing { .. }, _)))) {
                preferences::give_back_permissions().await;
            }
            this.set_testing(false);
            match outcome {
                Ok(Outcome::Tried(trial, person)) => this.show_trial(&trial, press, &settings, person),
                Ok(Outcome::NotAllowed) if stores => {
                    this.say("doubt", &text_with("savedNotAllowed", &[settings.server.as_str()]));
                }
                Ok(Outcome::NotAllowed) => this.say("bad", &text_with("testNotAllowed", &[settings.server.as_str()])),
                Err(error) => this.say_failed(&error),
            }
        });
    }

    fn set_testing(&self, testing: bool) {
        self.testing.set(testing);
        for button in [&self.save, &self.test] {
            button.set_disabled(testing);
        }
    }

    async fn run(
        &self,
        saves_over: Option<&Preferences>,
        preferences: &Preferences,
        settings: &Settings,
        asked: js_sys::Promise,
    ) -> Result<Outcome, JsValue> {
        // Meanwhile nobody gives the permission back.
        let lock = preferences::keep_permissions().await;
        let allowed = JsFuture::from(asked).await.is_ok_and(|allowed| allowed.is_truthy());
        if let Some(loaded) = saves_over {
            self.store(preferences, loaded).await?;
            ready::keep_tested(settings, None).await;
            drop(lock);
            self.saved(preferences).await;
            // Who need not know more may go.
            self.say("doubt", &joined([text("saved"), text("testing")]));
        }
        if !allowed {
            return Ok(Outcome::NotAllowed);
        }
        let tried = connect(settings.clone()).await;
        let (tried, filter) = match tried {
            Ok((ready, filter)) => (Ok(ready), filter),
            Err(error) => (Err(error), None),
        };
        self.koha_filter.set(filter);
        let trial = Trial::of(tried.as_ref(), settings);
        if saves_over.is_some() || *preferences == *self.loaded.borrow() {
            ready::keep_tested(settings, Some(&trial)).await;
        }
        if trial.is_good() {
            let tested = guide::tested_as(settings);
            // The guide asks for the test again where this could not be remembered.
            let _ = preferences::save_tested(&tested).await;
            self.loaded.borrow_mut().tested = Some(tested);
        }
        let Ok(ready) = tried else { return Ok(Outcome::Tried(trial, None)) };
        let person = ready.access.person().map(wording::person);
        self.offer(&ready.libraries.map(|libraries| libraries.list).unwrap_or_default());
        Ok(Outcome::Tried(trial, person))
    }

    /// Says what trying the settings has shown: once, at the field that is wrong where one is.
    fn show_trial(&self, trial: &Trial, press: Press, settings: &Settings, person: Option<String>) {
        let worked = guide::have_worked(settings, self.loaded.borrow().tested.as_deref());
        let words = wording::trial(trial, settings);
        let tone = match trial {
            Trial::Works => "good",
            Trial::BranchUnchecked => "doubt",
            _ if press == Press::Saves => "doubt",
            _ => "bad",
        };
        let place = trial.place(worked);
        let mut marked = Vec::new();
        if let Place::Field(field) = place {
            marked.push((field, words.clone()));
        }
        if settings.branchcode.is_empty() && place != Place::Field(Field::Branchcode) {
            marked.push((Field::Branchcode, text("fieldMissing")));
        }
        self.fields.mark(&marked);
        if *trial == (Trial::BranchMissing { listed: true }) {
            let _ = self.branch_choice.focus();
        }
        let name = |field| fields::name(field).unwrap_or_default();
        let words = match (place, press) {
            (Place::Field(_), Press::CannotSave) => None,
            (Place::Field(field), Press::Saves) => Some(text_with("savedSee", &[&name(field)])),
            (Place::Field(field), Press::Tests) => Some(text_with("testSee", &[&name(field)])),
            (Place::Away, _) => Some(text("troubleAway")),
            (Place::Nowhere, _) => Some(words),
        };
        let first = match press {
            Press::CannotSave => Some(text("settingsInvalid")),
            Press::Saves if !matches!(place, Place::Field(_)) => Some(text("saved")),
            Press::Saves | Press::Tests => None,
        };
        self.say(tone, &joined([first, words, person].into_iter().flatten()));
        if trial.is_good() && press == Press::Saves {
            self.show_next();
        }
        self.koha_filter.offer();
    }

    /// Offers to go on: to the desk, and to what it may know offline where nobody has chosen that.
    fn show_next(&self) {
        self.to_lookup.set_hidden(self.lookup.checked() || self.lookup.disabled());
        self.next.set_hidden(false);
    }

    /// Lists the libraries to choose from.
    fn offer(&self, libraries: &[Library]) {
        self.branch_choice.set_length(0);
        // What the library has preset stays.
        self.branch_choice.set_disabled(libraries.is_empty() || self.branchcode.read_only());
        let add = |label: &str, value: &str| {
            if let Ok(option) = HtmlOptionElement::new_with_text_and_value(label, value) {
                let _ = self.branch_choice.append_with_node_1(&option);
            }
        };
        add(&text(if libraries.is_empty() { "branchChoiceLater" } else { "branchChoiceNone" }), "");
        for library in libraries {
            add(&format!("{} · {}", library.branchcode, library.name), &library.branchcode);
        }
        let chosen = self.branchcode.value();
        let known = libraries.iter().any(|library| library.branchcode == chosen);
        self.branch_choice.set_value(if known { &chosen } else { "" });
    }
}

/// Puts the person where there is something to say.
fn begin() {
    let asked = ["server", "username", "password", "branchcode"].into_iter();
    let mut fields = asked.filter_map(|id| dom::by_id::<HtmlInputElement>(id).ok());
    if let Some(first) = fields.find(|field| field.value().is_empty() && !field.read_only()) {
        let _ = first.focus();
    }
}

/// What a press of a button does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Press {
    /// It stores the settings, and tries them.
    Saves,
    /// It would, but the library is missing: which there are is asked all the same.
    CannotSave,
    /// It tries them, and stores nothing.
    Tests,
}

/// What became of a press of a button.
enum Outcome {
    /// Firefox was not allowed to talk to the server.
    NotAllowed,
    /// Koha was asked; and as whom, where that is to be said.
    Tried(Trial, Option<String>),
}

/// What is wrong with them, where it matters.
fn errors_of(preferences: &Preferences) -> Vec<(Field, FieldError)> {
    preferences.errors(preferences.form.connects())
}

/// Sentences, one after the other.
fn joined(sentences: impl IntoIterator<Item = String>) -> String {
    sentences.into_iter().collect::<Vec<_>>().join(" ")
}

/// Tries to connect as a commit does, asks Koha for its own rule for barcodes as far as it tells, and ends a session that it has
/// begun.
///
/// # Errors
/// Why it does not work.
pub(crate) async fn connect(settings: Settings) -> Result<(Ready, Option<Kind>), ConnectionError> {
    let http = Http::isolated(&settings.server.permission_pattern());
    let (mut connection, mut request) = Connection::start(settings.clone());
    loop {
        match connection.handle(http.send(&request).await) {
            ConnectionStep::Request(next) => request = next,
            ConnectionStep::Ready(ready) => {
                let asked = ready.reading.as_ref().and_then(|reading| filter::request(&settings, reading));
                let filter = match asked {
                    Some(asked) => http.send(&asked).await.ok().and_then(|answer| filter::read(&answer)),
                    None => None,
                };
                if let Some(log_out) = ready.log_out(&settings) {
                    let _ = http.send(&log_out).await;
                }
                return Ok((ready, filter));
            }
            ConnectionStep::Failed(trouble) => return Err(trouble),
        }
    }
}
