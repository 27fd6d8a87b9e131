//! The settings page.

mod fields;
mod open_koha;
mod policy;
mod records;

use crate::{
    dom,
    http::Http,
    i18n::{self, js_error, text, text_with},
    preferences,
    sound::Player,
    webext, wording,
};
use fields::Fields;
use koct_core::{
    ServerUrl, Settings,
    koha::{
        connection::{Connection, ConnectionError, Next, Ready},
        rest::Library,
    },
    settings::{
        form::{Form, Login},
        guide,
        table::Preferences,
    },
};
use open_koha::OpenKoha;
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
    records: RecordsPart,
    server: HtmlInputElement,
    server_warning: HtmlElement,
    /// Matters only where no person's session is used.
    account: HtmlElement,
    keep_secrets: HtmlElement,
    /// Says that stored secrets are not used for another server.
    forgotten: HtmlElement,
    branchcode: HtmlInputElement,
    branch_choice: HtmlSelectElement,
    branch_choice_row: HtmlElement,
    test: HtmlButtonElement,
    message: HtmlElement,
    /// As they are stored.
    loaded: RefCell<Preferences>,
    testing: Cell<bool>,
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
        records: RecordsPart::new()?,
        server: dom::by_id("server")?,
        server_warning: dom::by_id("server-warning")?,
        account: dom::by_id("account-fields")?,
        keep_secrets: dom::by_id("keep-password-row")?,
        forgotten: dom::by_id("secrets-forgotten")?,
        branchcode: dom::by_id("branchcode")?,
        branch_choice: dom::by_id("branch-choice")?,
        branch_choice_row: dom::by_id("branch-choice-row")?,
        test: dom::by_id("test-connection")?,
        message: dom::by_id("settings-message")?,
        loaded: RefCell::default(),
        testing: Cell::new(false),
    });
    match preferences::load().await {
        Ok(preferences) => {
            *options.loaded.borrow_mut() = preferences.clone();
            options.fill(&preferences);
            options.records.loaded();
            policy::show(&preferences::policy().await)?;
        }
        Err(error) => options.say_failed(&error),
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
    OpenKoha::bind()?;
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

    /// Shows what matters for the login that is chosen, and what is stored for the server that is typed.
    fn show_account(&self) {
        let (page, stored) = (self.read(), self.loaded.borrow());
        self.account.set_hidden(page.form.login == Login::OpenKoha);
        self.keep_secrets.set_hidden(!page.has_secret_to_keep());
        self.forgotten.set_hidden(!stored.forgets_secrets(&page.form.server));
        if let Err(error) = self.fields.show_secrets(&page, &stored) {
            self.say_failed(&error);
        }
    }

    /// What the page holds is stored: of the secrets, nothing is in it any more.
    async fn saved(&self) {
        if let Ok(stored) = preferences::load().await {
            self.records.saved(&stored.records).await;
            *self.loaded.borrow_mut() = stored;
        }
        self.fields.empty_secrets();
        self.show_account();
        // KOCT may talk to the configured server and to no other.
        preferences::give_back_permissions().await;
    }

    /// As they are in the page.
    fn read(&self) -> Preferences {
        self.fields.read(&self.loaded.borrow())
    }

    fn say(&self, tone: &str, text: &str) {
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
        self.fields.mark(&errors);
        if !errors.is_empty() {
            self.say("bad", &text("settingsInvalid"));
            return None;
        }
        // What was said of the last time must not be taken for this time's.
        self.say("good", "");
        Some(preferences)
    }

    /// The checked settings and, asked for within the click, the permission to talk to their server.
    fn connecting(&self) -> Option<(Preferences, Settings, js_sys::Promise)> {
        let mut preferences = self.checked(true)?;
        let settings = preferences.settings().ok()?;
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
        let this = self.clone();
        if !self.read().form.connects() {
            if let Some(preferences) = self.checked(false) {
                spawn_local(async move { this.store_without_koha(preferences).await });
            }
        } else if let Some((preferences, settings, asked)) = self.connecting() {
            spawn_local(async move { this.store(preferences, settings, asked).await });
        }
    }

    /// Stores what the desk needs to record and to write files.
    async fn store_without_koha(&self, preferences: Preferences) {
        if let Err(error) = preferences::save(&preferences).await {
            return self.say_failed(&error);
        }
        self.saved().await;
        self.say("doubt", &text("savedWithoutKoha"));
    }

    async fn store(&self, preferences: Preferences, settings: Settings, asked: js_sys::Promise) {
        // Meanwhile nobody gives the permission back.
        let lock = preferences::lock_permissions().await;
        let allowed = JsFuture::from(asked).await.is_ok_and(|allowed| allowed.is_truthy());
        if let Err(error) = preferences::save(&preferences).await {
            return self.say_failed(&error);
        }
        drop(lock);
        self.saved().await;
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
        if let Some((_, settings, asked)) = self.connecting() {
            self.testing.set(true);
            self.test.set_disabled(true);
            self.say("doubt", &text("testing"));
            let this = self.clone();
            spawn_local(async move {
                this.run_test(settings, asked).await;
                // The server may not be saved, now or ever.
                preferences::give_back_permissions().await;
                this.testing.set(false);
                this.test.set_disabled(false);
            });
        }
    }

    async fn run_test(&self, settings: Settings, asked: js_sys::Promise) {
        // Meanwhile nobody gives the permission back.
        let _lock = preferences::lock_permissions().await;
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
                let words = text_with(key, &[&settings.branchcode]);
                let person = ready.access.person().map(wording::person);
                self.say(tone, &[Some(words), person].into_iter().flatten().collect::<Vec<_>>().join(" "));
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
    let (mut connection, mut request) = Connection::start(settings.clone());
    loop {
        match connection.handle(http.send(&request).await) {
            Next::Request(next) => request = next,
            Next::Ready(ready) => {
                if let Some(log_out) = ready.log_out(&settings) {
                    let _ = http.send(&log_out).await;
                }
                return Ok(ready);
            }
            Next::Failed(trouble) => return Err(trouble),
        }
    }
}
