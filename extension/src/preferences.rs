//! Where the settings are kept: `storage.local`, and the secrets in `storage.session` where they shall not stay on this
//! computer. What the library has preset comes from `storage.managed`.

use crate::{
    copy, ground,
    later::part,
    lock::{self, Lock},
    outage,
    webext::{self, object, property},
};
use js_sys::{Array, JSON};
pub(crate) use koct_core::settings::table::Preferences;
use koct_core::{
    DeskName, ServerUrl, practice,
    settings::{
        desk::DeskSettings,
        policy::Policy,
        stored::{Stored, TESTED, keys_without_secrets},
        table::DESK_NAME,
    },
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_extensions_sys::browser;

/// What is to be used: what is stored, the library's presets, defaults where there is neither.
///
/// # Errors
/// When Firefox cannot read its storage.
pub(crate) async fn load() -> Result<Preferences, JsValue> {
    if ground::is_practice() {
        return in_practice().await;
    }
    let (stored, mut preferences) = read().await?;
    if stored.keeps_too_much(&preferences) {
        keep_secrets(&preferences).await?;
    }
    if preferences.form.desk_name.is_empty() {
        // The first time, one is made up: it must not be that of another desk.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a random number below 2^16")]
        let name = DeskName::suggested((js_sys::Math::random() * 65_536.0) as u32).to_string();
        save_desk_name(&name).await?;
        preferences.form.desk_name = name;
    }
    Ok(preferences)
}

part! {
    practice,
    /// What is to be used in practice. Neither a password nor any other secret is read for it.
    async fn in_practice() -> Result<Preferences, JsValue> {
        let keys: Array = keys_without_secrets().map(JsValue::from).collect();
        let local = browser().storage().local().get(&keys).await?;
        let stored = Stored::parse(&json(&local)?, "");
        Ok(practice::settings::preferences(stored.preferences(&policy().await)))
    }
}

/// How the desk works, and the code of its library: all that scanning needs to know, read before the rest of what is stored and preset.
///
/// # Errors
/// When they are no JSON.
pub(crate) fn desk_settings(local: &JsValue, managed: &JsValue) -> Result<(DeskSettings, String), JsValue> {
    let policy = Policy::parse_unchecked(&json(managed)?);
    Ok(Stored::parse(&json(local)?, "").desk(&policy))
}

/// As [`load`], and nothing is written.
///
/// # Errors
/// When Firefox cannot read its storage.
pub(crate) async fn stored() -> Result<Preferences, JsValue> {
    read().await.map(|(_, preferences)| preferences)
}

async fn read() -> Result<(Stored, Preferences), JsValue> {
    let storage = browser().storage();
    // All at once: each question to Firefox takes a millisecond or two, and a window asks at every change.
    let local = storage.local().get(&JsValue::NULL).await?;
    let session = storage.session().get(&JsValue::NULL).await?;
    let stored = Stored::parse(&json(&local)?, &json(&session)?);
    let preferences = stored.preferences(&policy().await);
    Ok((stored, preferences))
}

fn json(stored: &JsValue) -> Result<String, JsValue> {
    JSON::stringify(stored).map(String::from)
}

/// What the library has preset.
pub(crate) async fn policy() -> Policy {
    // Firefox answers with an error where there is none.
    let Ok(managed) = browser().storage().managed().get(&JsValue::NULL).await else { return Policy::default() };
    json(&managed).map_or_else(|_| Policy::default(), |json| Policy::parse(&json))
}

/// Stores the name of this desk.
///
/// # Errors
/// When Firefox cannot write its storage.
pub(crate) async fn save_desk_name(name: &str) -> Result<(), JsValue> {
    ground::store(&browser().storage().local(), &object([(DESK_NAME, name.into())])).await
}

/// Stores a setting that is stored apart, and is answered in the window too.
///
/// # Errors
/// When Firefox cannot write its storage.
pub(crate) async fn save_apart(key: &str, value: &str) -> Result<(), JsValue> {
    ground::store(&browser().storage().local(), &object([(key, value.into())])).await
}

/// Remembers that the connection works with these settings.
///
/// # Errors
/// When Firefox cannot write its storage.
pub(crate) async fn save_tested(tested: &str) -> Result<(), JsValue> {
    ground::store(&browser().storage().local(), &object([(TESTED, tested.into())])).await
}

/// Stores what the settings page holds.
///
/// # Errors
/// When Firefox cannot write its storage.
pub(crate) async fn save(preferences: &Preferences) -> Result<(), JsValue> {
    let local = JSON::parse(&preferences.to_local())?;
    // Before there is another server: whoever reads in between, and whoever starts after a crash in between, must not find the one
    // server with the other's secrets.
    forget_other_secrets(preferences).await?;
    // Before the secrets: where there are settings, other windows leave a secret where it is put next.
    ground::store(&browser().storage().local(), local.unchecked_ref()).await?;
    keep_secrets(preferences).await
}

/// Removes the secrets that are stored and are not these.
async fn forget_other_secrets(preferences: &Preferences) -> Result<(), JsValue> {
    for area in [browser().storage().local(), browser().storage().session()] {
        for (key, secret) in preferences.secrets() {
            let stored = property(&area.get(&key.into()).await?, key).as_string();
            if stored.is_some_and(|stored| !stored.is_empty() && stored != secret.reveal()) {
                ground::remove(&area, key).await?;
            }
        }
    }
    Ok(())
}

/// Stores the secrets on this computer, or for this session of Firefox only.
async fn keep_secrets(preferences: &Preferences) -> Result<(), JsValue> {
    let (local, session) = (browser().storage().local(), browser().storage().session());
    let (keeps, forgets) = if preferences.keep_password { (local, session) } else { (session, local) };
    for (key, secret) in preferences.secrets() {
        ground::remove(&forgets, key).await?;
        ground::store(&keeps, &object([(key, secret.reveal().into())])).await?;
    }
    Ok(())
}

/// Calls `handler` whenever a page of KOCT has stored something.
pub(crate) fn on_change(handler: impl Fn() + 'static) {
    let closure = Closure::<dyn Fn()>::new(handler);
    browser().storage().on_changed().add_listener(closure.as_ref().unchecked_ref());
    closure.forget();
}

/// Whether Firefox lets KOCT ask this server.
pub(crate) async fn may_ask(server: &ServerUrl) -> bool {
    webext::is_permitted(&origins(&server.permission_pattern())).await
}

/// The argument of the permission calls for one server.
pub(crate) fn origins(pattern: &str) -> js_sys::Object {
    object([("origins", Array::of1(&pattern.into()).into())])
}

/// Whoever holds it gives permissions back, or needs one that is not in the settings yet.
const PERMISSIONS: &str = "koct-permissions";

/// Keeps what was granted until this is dropped, together with whoever else does. `None` where Firefox has no locks.
pub(crate) async fn keep_permissions() -> Option<Lock> {
    lock::share(PERMISSIONS).await
}

/// Gives back Firefox's permission for every server that is not in the settings: it was tried and not saved, or is not used
/// any more; and that for notifications, where none are wanted. Where that is not possible now, the next start does it.
pub(crate) async fn give_back_permissions() {
    let Some(_lock) = lock::lock_of(PERMISSIONS).await else { return };
    let (Ok((_, preferences)), Ok(granted)) = (read().await, webext::get_permissions().await) else { return };
    if !preferences.desk.notify {
        outage::give_back_notifications().await;
    }
    if !preferences.desk.second_copy {
        copy::files::give_back().await;
    }
    let granted = Array::from(&property(&granted, "origins")).iter().filter_map(|origin| origin.as_string()).collect();
    for pattern in preferences.origins_to_give_back(granted) {
        // One that a library has granted cannot be given back.
        let _ = webext::remove_permissions(&origins(&pattern)).await;
    }
}
