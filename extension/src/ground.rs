//! The ground that a page stands on: the desk's own, or practice's, where everything is made up. It is decided here, by the page's
//! address, and all that a page shares with others goes by it: names of databases, locks and channels, what is stored, the badge, the
//! alarms. So a window of practice and the desk's own may be open beside each other and never touch.

use crate::dom;
use js_sys::Object;
use wasm_bindgen::JsValue;
use web_extensions_sys::StorageArea;
use web_sys::BroadcastChannel;

/// The page of practice; xtask makes it of popup/popup.html.
const PAGE: &str = "/practice.html";

thread_local! {
    static IS_PRACTICE: bool = dom::window()
        .and_then(|window| window.location().pathname())
        .is_ok_and(|path| path.ends_with(PAGE));
}

/// Whether this page is practice's.
pub(crate) fn is_practice() -> bool {
    IS_PRACTICE.with(|is| *is)
}

/// The name that something has on this ground: a database, a lock, a channel.
pub(crate) fn name(desk: &str) -> String {
    if is_practice() { format!("{desk}-practice") } else { desk.to_owned() }
}

/// The channel of this name on this ground.
///
/// # Errors
/// When Firefox has no channels.
pub(crate) fn channel(desk: &str) -> Result<BroadcastChannel, JsValue> {
    BroadcastChannel::new(&name(desk))
}

/// What a page remembers in passing. Practice remembers nothing.
pub(crate) fn local_storage() -> Option<web_sys::Storage> {
    if is_practice() { None } else { dom::window().ok()?.local_storage().ok()? }
}

/// Forgets what is stored under this key. Practice leaves it as it is.
///
/// # Errors
/// When Firefox cannot write its storage.
pub(crate) async fn remove(area: &StorageArea, key: &str) -> Result<(), JsValue> {
    if is_practice() { Ok(()) } else { area.remove(&key.into()).await.map(|_| ()) }
}

/// Stores these values. Practice stores nothing.
///
/// # Errors
/// When Firefox cannot write its storage.
pub(crate) async fn store(area: &StorageArea, values: &Object) -> Result<(), JsValue> {
    if is_practice() { Ok(()) } else { area.set(values).await.map(|_| ()) }
}
