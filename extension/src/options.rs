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
    copy,
    dom::{self, elements},
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
        trial::{Press, Sentence, Tone, Trial},
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
    ops::ControlFlow::{Break, Continue},
    rc::Rc,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, HtmlButtonElement, HtmlElement, HtmlInputElement, HtmlSelectElement};

elements! {
    struct Options {
        form: HtmlElement = "settings-form",
        server: HtmlInputElement = "server",
        server_warning: HtmlElement = "server-warning",
        /// Matters only where no person's session is used.
        account: HtmlElement = "account-fields",
        keep_secrets: HtmlElement = "keep-password-row",
        /// Says that stored secrets are not used for another server.
        forgotten: HtmlElement = "secrets-forgotten",
        branchcode: HtmlInputElement = "branchcode",
        branch_choice: HtmlSelectElement = "branch-choice",
        item_rules_add: HtmlElement = "item-rules-add",
        save: HtmlButtonElement = "save",
        test: HtmlButtonElement = "test-connection",
        message: HtmlElement = "settings-message",
        /// Where to go when all is well.
        next: HtmlElement = "settings-next",
        to_lookup: HtmlElement = "to-lookup",
        lookup: HtmlInputElement = "lookup",
        ;
        fields: Fields = Fields::new()?,
        folds: Folds = Folds::new()?,
        records: Rc<RecordsPart> = RecordsPart::bind()?,
        notify: Rc<Permitted> = Permitted::bind("notify", outage::notifications, "notifyNotAllowed")?,
        second_copy: Rc<Permitted> = Permitted::bind("second-copy", copy::files::permission, "copyNotAllowed")?,
        koha_filter: KohaFilter = KohaFilter::new()?,
        /// As they are stored.
        loaded: RefCell<Preferences>,
        testing: Cell<bool>,
        /// From before this page stores something until it has taken that over.
        storing: Cell<bool>,
    }
}

/// Starts the page.
///
/// # Errors
/// When it lacks an element.
pub(crate) async fn start() -> Result<(), JsValue> {
    let document = dom::document()?;
    i18n::localise(&document);
    let options = Rc::new(Options::new()?);
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
    options.bind()?;
    OpenKoha::bind()?;
    try_scan::bind(&options)?;
    codes::bind(&options)?;
    preferences::on_change(move || spawn_local(follow(options.clone())));
    dom::on_click("try-sounds", &Rc::new(Player::default()), |player| player.play_all())?;
    document.body().ok_or("no body")?.set_attribute("data-ready", "")?;
    Ok(())
}

/// Something was stored: by another page, or by a window that has learned something. What the person has not touched on this page
/// is as it is stored now; else saving it later would undo that.
async fn follow(options: Rc<Options>) {
    let Ok(stored) = preferences::stored().await else { return };
    // What this page stores, it takes over itself, with what follows from it.
    if options.storing.get() || *options.loaded.borrow() == stored {
        return;
    }
    let page = options.read();
    let followed = page.following(&options.loaded.borrow(), &stored);
    options.fields.follow(&page, &followed);
    options.records.loaded(&stored.records);
    options.take_over(stored);
    options.warn_of_http();
    options.show_account();
}

impl Options {
    fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::on_submit("settings-form", self, Self::save)?;
        dom::bind(&self.test, "click", self, Self::test);
        dom::bind_event(&self.to_lookup, "click", self, |this, event: Event| {
            event.prevent_default();
            folds::go_to(&this.lookup);
        });
        dom::bind(&self.server, "input", self, |this| this.warn_of_http());
        for event in ["input", "change"] {
            dom::bind(&self.form, event, self, |this| this.show_account());
        }
        dom::bind(&self.branch_choice, "change", self, |this| {
            this.branchcode.set_value(&this.branch_choice.value());
            this.fields.mark(&[]);
        });
        dom::on_click("koha-filter-use", self, |this| {
            if this.koha_filter.take() {
                this.say(Tone::Doubt, &text("kohaFilterUsed"));
                folds::go_to(&this.item_rules_add);
            }
        })?;
        fields::bind(self)
    }

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

    fn say(&self, tone: Tone, text: &str) {
        self.next.set_hidden(true);
        self.koha_filter.hide();
        self.message.set_text_content(Some(text));
        self.message.set_class_name(&format!("message-{}", tone.name()));
    }

    fn say_failed(&self, error: &JsValue) {
        self.say(Tone::Bad, &text_with("saveFailed", &[&js_error(error)]));
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
            self.say(Tone::Bad, &text("settingsInvalid"));
            return None;
        }
        // What was said of the last time must not be taken for this time's.
        self.say(Tone::Good, "");
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
        self.say(Tone::Doubt, &text("savedWithoutKoha"));
        self.show_next();
    }

    /// Tries the settings, and stores them first where they are to be stored and whole.
    fn connect(self: &Rc<Self>, saves: bool) {
        let Some((preferences, settings, asked)) = self.connecting() else { return };
        self.set_testing(true);
        self.say(Tone::Doubt, &text("testing"));
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
                    this.say(Tone::Doubt, &text_with("savedNotAllowed", &[settings.server.as_str()]));
                }
                Ok(Outcome::NotAllowed) => {
                    this.say(Tone::Bad, &text_with("testNotAllowed", &[settings.server.as_str()]));
                }
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
        let allowed = webext::is_yes(asked).await;
        if let Some(loaded) = saves_over {
            self.store(preferences, loaded).await?;
            ready::keep_tested(settings, None).await;
            drop(lock);
            self.saved(preferences).await;
            // Who need not know more may go.
            self.say(Tone::Doubt, &joined([text("saved"), text("testing")]));
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
        let told = trial.told(press, settings, worked);
        let shown = wording::trial(trial, settings);
        let wrong = told.wrong.map(|field| (field, shown.clone()));
        let missing = told.lacks_library.then(|| (Field::Branchcode, text("fieldMissing")));
        self.fields.mark(&wrong.into_iter().chain(missing).collect::<Vec<_>>());
        if *trial == (Trial::BranchMissing { listed: true }) {
            let _ = self.branch_choice.focus();
        }
        let name = |field| fields::name(field).unwrap_or_default();
        let sentences = told.sentences.iter().map(|sentence| match *sentence {
            Sentence::Invalid => text("settingsInvalid"),
            Sentence::Saved => text("saved"),
            Sentence::SavedSee(field) => text_with("savedSee", &[&name(field)]),
            Sentence::TestSee(field) => text_with("testSee", &[&name(field)]),
            Sentence::Away => text("troubleAway"),
            Sentence::Shown => shown.clone(),
        });
        self.say(told.tone, &joined(sentences.chain(person)));
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
        // What the library has preset stays.
        self.branch_choice.set_disabled(libraries.is_empty() || self.branchcode.read_only());
        let none = text(if libraries.is_empty() { "branchChoiceLater" } else { "branchChoiceNone" });
        let named = |library: &Library| format!("{} · {}", library.branchcode, library.name);
        let libraries_named = libraries.iter().map(|library| (library.branchcode.as_str(), named(library)));
        dom::fill_options(&self.branch_choice, [("", none)].into_iter().chain(libraries_named));
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
    let (mut connection, request) = Connection::start(settings.clone());
    let handle = |answer| match connection.handle(answer) {
        ConnectionStep::Request(next) => Continue(next),
        ConnectionStep::Ready(ready) => Break(Ok(ready)),
        ConnectionStep::Failed(error) => Break(Err(error)),
    };
    let ready = http.ask(request, handle).await?;
    let asked = ready.reading.as_ref().and_then(|reading| filter::request(&settings, reading));
    let filter = match asked {
        Some(asked) => http.send(&asked).await.ok().and_then(|answer| filter::read(&answer)),
        None => None,
    };
    if let Some(log_out) = ready.log_out(&settings) {
        let _ = http.send(&log_out).await;
    }
    Ok((ready, filter))
}
