//! Where the settings are kept: `storage.local`, and the password in `storage.session` where it shall not stay on this
//! computer. What the library has preset comes from `storage.managed`.

use crate::webext::{object, property};
use js_sys::Array;
use koct_core::{
    DeskName, Secret,
    desk::pattern::CardPattern,
    settings::{form::Form, habits::DeskSettings, policy::Policy, records::RecordsSettings},
};
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_extensions_sys::browser;

const SETTINGS: &str = "settings";
const PASSWORD: &str = "password";
const DESK: &str = "desk";
const HABITS: &str = "habits";
const LOOKUP: &str = "lookup";
const CLIENT_SECRET: &str = "clientSecret";
const TESTED: &str = "tested";

/// The settings as they are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Preferences {
    /// As typed.
    pub(crate) form: Form,
    /// How this desk works.
    pub(crate) habits: DeskSettings,
    /// What it shall know of patrons and items.
    pub(crate) lookup: RecordsSettings,
    /// Whether somebody has saved the settings once.
    pub(crate) saved: bool,
    /// What was tested last with success: `koct_core::settings::guide::tested_as`.
    pub(crate) tested: Option<String>,
    /// Whether the password stays on this computer when Firefox is closed.
    pub(crate) keep_password: bool,
    /// What the library has preset; the fields above follow it already.
    pub(crate) policy: Policy,
}

impl Preferences {
    /// The name of this desk.
    pub(crate) fn desk(&self) -> DeskName {
        self.form.desk_name().unwrap_or_else(|_| DeskName::suggested(0))
    }

    /// What cardnumbers look like, where somebody has said.
    pub(crate) fn cards(&self) -> Option<CardPattern> {
        self.habits.cards().ok().flatten()
    }
}

/// What is to be used: what is stored, the library's presets, defaults where there is neither.
///
/// # Errors
/// When Firefox cannot read its storage.
pub(crate) async fn load() -> Result<Preferences, JsValue> {
    let storage = browser().storage();
    // All at once: each question to Firefox takes a millisecond or two, and a window asks at every change.
    let local = storage.local().get(&JsValue::NULL).await?;
    let session = storage.session().get(&JsValue::NULL).await?;
    let settings = property(&local, SETTINGS);
    let saved = !settings.is_undefined();
    let tested = property(&local, TESTED).as_string();
    let policy = policy().await;
    let stored: Option<Form> = read(settings);
    let is_kept = property(&local, PASSWORD).as_string().is_some();
    let keep_password = policy.keep_password(stored.is_some().then_some(is_kept));
    let mut form = policy.form(stored);
    form.password = secret(PASSWORD, &local, &session, keep_password).await?;
    form.desk = desk_name(&local).await?;
    let habits = policy.habits(read(property(&local, HABITS)));
    let mut lookup = policy.lookup(read(property(&local, LOOKUP)));
    lookup.client_secret = secret(CLIENT_SECRET, &local, &session, keep_password).await?;
    Ok(Preferences { form, habits, lookup, saved, tested, keep_password, policy })
}

/// What the library has preset.
async fn policy() -> Policy {
    // Firefox answers with an error where there is none.
    let Ok(managed) = browser().storage().managed().get(&JsValue::NULL).await else { return Policy::default() };
    js_sys::JSON::stringify(&managed).map_or_else(|_| Policy::default(), |json| Policy::parse(&String::from(json)))
}

/// What was stored. `None` where nothing was, or nothing that can be read.
fn read<T: DeserializeOwned>(stored: JsValue) -> Option<T> {
    if stored.is_undefined() { None } else { serde_wasm_bindgen::from_value(stored).ok() }
}

/// The name of this desk. The first time, one is made up: it must not be that of another desk.
async fn desk_name(local: &JsValue) -> Result<String, JsValue> {
    if let Some(name) = property(local, DESK).as_string() {
        return Ok(name);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a random number below 2^16")]
    let name = DeskName::suggested((js_sys::Math::random() * 65_536.0) as u32).to_string();
    save_desk_name(&name).await?;
    Ok(name)
}

/// Stores the name of this desk.
///
/// # Errors
/// When Firefox cannot write its storage.
pub(crate) async fn save_desk_name(name: &str) -> Result<(), JsValue> {
    browser().storage().local().set(&object([(DESK, name.into())])).await.map(|_| ())
}

/// Remembers that the connection works with these settings.
///
/// # Errors
/// When Firefox cannot write its storage.
pub(crate) async fn save_tested(tested: &str) -> Result<(), JsValue> {
    browser().storage().local().set(&object([(TESTED, tested.into())])).await.map(|_| ())
}

/// Stores what the settings page holds.
///
/// # Errors
/// When Firefox cannot write its storage.
pub(crate) async fn save(preferences: &Preferences) -> Result<(), JsValue> {
    let storage = browser().storage();
    let plain = serde_wasm_bindgen::Serializer::json_compatible();
    let (form, habits) = (preferences.form.serialize(&plain)?, preferences.habits.serialize(&plain)?);
    let lookup = preferences.lookup.serialize(&plain)?;
    // First of all: where there are settings, other windows leave a secret where it is put next.
    storage.local().set(&object([(SETTINGS, form), (HABITS, habits), (LOOKUP, lookup)])).await?;
    keep(PASSWORD, &preferences.form.password, preferences.keep_password).await?;
    keep(CLIENT_SECRET, &preferences.lookup.client_secret, preferences.keep_password).await?;
    save_desk_name(preferences.form.desk.trim()).await
}

/// Stores a secret on this computer, or for this session of Firefox only.
async fn keep(name: &str, secret: &Secret, on_this_computer: bool) -> Result<(), JsValue> {
    let (local, session) = (browser().storage().local(), browser().storage().session());
    let (keeps, forgets) = if on_this_computer { (local, session) } else { (session, local) };
    forgets.remove(&name.into()).await?;
    keeps.set(&object([(name, secret.reveal().into())])).await.map(|_| ())
}

/// A secret that was stored, empty where none was.
async fn secret(name: &str, local: &JsValue, session: &JsValue, on_this_computer: bool) -> Result<Secret, JsValue> {
    if let Some(kept) = property(local, name).as_string().map(Secret::new) {
        if !on_this_computer {
            // Forbidden since: it is forgotten when Firefox is closed, as if she had never ticked the box.
            keep(name, &kept, false).await?;
        }
        return Ok(kept);
    }
    Ok(Secret::new(property(session, name).as_string().unwrap_or_default()))
}

/// Calls `handler` whenever a page of KOCT has stored something.
pub(crate) fn on_change(handler: impl Fn() + 'static) {
    let closure = Closure::<dyn Fn()>::new(handler);
    browser().storage().on_changed().add_listener(closure.as_ref().unchecked_ref());
    closure.forget();
}

/// The argument of the permission calls for one server.
pub(crate) fn origins(pattern: &str) -> js_sys::Object {
    object([("origins", Array::of1(&pattern.into()).into())])
}
