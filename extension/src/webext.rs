//! The browser's APIs that web-extensions-sys and web-sys lack, in their style.

use js_sys::{Array, Function, Object, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["browser", "i18n"], js_name = getMessage)]
    pub(crate) fn get_message(name: &str, substitutions: &Array) -> String;

    #[wasm_bindgen(js_namespace = ["browser", "i18n"], js_name = getUILanguage)]
    pub(crate) fn get_ui_language() -> String;

    #[wasm_bindgen(js_namespace = ["browser", "runtime"], js_name = getURL)]
    pub(crate) fn get_url(path: &str) -> String;

    #[wasm_bindgen(catch, js_namespace = ["browser", "commands"], js_name = getAll)]
    pub(crate) async fn get_commands() -> Result<JsValue, JsValue>;

    /// Must be called within a user gesture, that is before anything is awaited.
    #[wasm_bindgen(catch, js_namespace = ["browser", "permissions"], js_name = request)]
    pub(crate) fn request_permissions(permissions: &Object) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["browser", "permissions"], js_name = contains)]
    async fn contains_permissions(permissions: &Object) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["browser", "permissions"], js_name = remove)]
    pub(crate) async fn remove_permissions(permissions: &Object) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["browser", "permissions"], js_name = getAll)]
    pub(crate) async fn get_permissions() -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["browser", "windows"], js_name = getCurrent)]
    async fn get_current_window() -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["browser", "tabs"], js_name = query)]
    async fn query_tabs(query: &Object) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["browser", "tabs"], js_name = create)]
    async fn create_tab(properties: &Object) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["browser", "runtime"], js_name = sendMessage)]
    pub(crate) async fn send_message(message: &Object) -> Result<JsValue, JsValue>;

    /// Only where it was allowed.
    #[wasm_bindgen(catch, js_namespace = ["browser", "notifications"], js_name = create)]
    pub(crate) async fn create_notification(id: &str, notification: &Object) -> Result<JsValue, JsValue>;

    /// Only where it was allowed.
    #[wasm_bindgen(catch, js_namespace = ["browser", "notifications"], js_name = clear)]
    pub(crate) async fn clear_notification(id: &str) -> Result<JsValue, JsValue>;

    /// Only where it was allowed, as the others of downloads.
    #[wasm_bindgen(catch, js_namespace = ["browser", "downloads"], js_name = download)]
    pub(crate) async fn download(options: &Object) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["browser", "downloads"], js_name = search)]
    pub(crate) async fn search_downloads(query: &Object) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["browser", "downloads"], js_name = cancel)]
    pub(crate) async fn cancel_download(id: &JsValue) -> Result<JsValue, JsValue>;

    /// The file of a download that is complete.
    #[wasm_bindgen(catch, js_namespace = ["browser", "downloads"], js_name = removeFile)]
    pub(crate) async fn remove_download(id: &JsValue) -> Result<JsValue, JsValue>;

    /// From the list; the files stay.
    #[wasm_bindgen(catch, js_namespace = ["browser", "downloads"], js_name = erase)]
    pub(crate) async fn erase_downloads(query: &Object) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = ["browser", "action"], js_name = setTitle)]
    pub(crate) fn set_title(details: &Object) -> Promise;

    #[wasm_bindgen(js_namespace = ["browser", "alarms"], js_name = create)]
    pub(crate) fn create_alarm(name: &str, info: &Object);

    #[wasm_bindgen(js_namespace = ["browser", "alarms"], js_name = clear)]
    pub(crate) fn clear_alarm(name: &str);

    #[wasm_bindgen(js_namespace = ["browser", "action"], js_name = setBadgeText)]
    pub(crate) fn set_badge_text(details: &Object) -> Promise;

    #[wasm_bindgen(js_namespace = ["browser", "action"], js_name = setBadgeBackgroundColor)]
    pub(crate) fn set_badge_background_color(details: &Object) -> Promise;

    #[wasm_bindgen(js_namespace = ["browser", "action"], js_name = setBadgeTextColor)]
    pub(crate) fn set_badge_text_color(details: &Object) -> Promise;

    pub(crate) type WebRequestEvent;

    #[wasm_bindgen(method, js_name = addListener)]
    pub(crate) fn add_listener(this: &WebRequestEvent, listener: &Function, filter: &Object, extra: &Array);

    #[wasm_bindgen(method, js_name = addListener)]
    pub(crate) fn add_plain_listener(this: &WebRequestEvent, listener: &Function, filter: &Object);

    #[wasm_bindgen(method, js_name = removeListener)]
    pub(crate) fn remove_listener(this: &WebRequestEvent, listener: &Function);

    #[wasm_bindgen(thread_local_v2, js_namespace = ["browser", "webRequest"], js_name = onBeforeSendHeaders)]
    pub(crate) static ON_BEFORE_SEND_HEADERS: WebRequestEvent;

    #[wasm_bindgen(thread_local_v2, js_namespace = ["browser", "webRequest"], js_name = onHeadersReceived)]
    pub(crate) static ON_HEADERS_RECEIVED: WebRequestEvent;

    #[wasm_bindgen(thread_local_v2, js_namespace = ["browser", "webRequest"], js_name = onAuthRequired)]
    pub(crate) static ON_AUTH_REQUIRED: WebRequestEvent;

    #[wasm_bindgen(thread_local_v2, js_namespace = ["browser", "webRequest"], js_name = onErrorOccurred)]
    pub(crate) static ON_ERROR_OCCURRED: WebRequestEvent;

    #[wasm_bindgen(js_namespace = ["browser", "permissions", "onAdded"], js_name = addListener)]
    fn hear_permissions(heard: &Function);

    /// The databases that there are.
    #[wasm_bindgen(catch, js_namespace = ["indexedDB"], js_name = databases)]
    pub(crate) async fn get_databases() -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["navigator", "locks"], js_name = query)]
    pub(crate) async fn query_locks() -> Result<JsValue, JsValue>;

    /// `navigator.locks.request`: `callback` gets the lock and holds it until its promise ends.
    #[wasm_bindgen(js_namespace = ["navigator", "locks"], js_name = request)]
    pub(crate) fn request_lock(name: &str, options: &Object, callback: &Function) -> Promise;
}

/// Calls this whenever Firefox permits something new.
pub(crate) fn on_permission(heard: impl Fn() + 'static) {
    let heard = Closure::<dyn Fn()>::new(heard).into_js_value();
    hear_permissions(heard.unchecked_ref());
}

/// Opens a page in a tab, and brings it to the front.
///
/// # Errors
/// When Firefox cannot open one.
pub(crate) async fn open_tab(url: &str) -> Result<JsValue, JsValue> {
    create_tab(&object([("url", url.into())])).await
}

/// The addresses of all tabs that KOCT may know.
///
/// # Errors
/// When Firefox does not say.
pub(crate) async fn tab_addresses() -> Result<Vec<String>, JsValue> {
    let tabs = query_tabs(&Object::new()).await?;
    Ok(Array::from(&tabs).iter().filter_map(|tab| text_property(&tab, "url")).collect())
}

/// Whether this page is in a private window.
pub(crate) fn in_private_window() -> bool {
    let browser = property(&js_sys::global(), "browser");
    property(&property(&browser, "extension"), "inIncognitoContext").is_truthy()
}

/// Whether this page is in a window of its own, and not in a tab.
pub(crate) async fn in_own_window() -> bool {
    get_current_window().await.is_ok_and(|window| text_property(&window, "type").as_deref() == Some("popup"))
}

/// Whether Firefox permits this now.
pub(crate) async fn is_permitted(permissions: &Object) -> bool {
    contains_permissions(permissions).await.is_ok_and(|permitted| permitted.is_truthy())
}

/// Whether what was asked, such as a permission, is answered with yes.
pub(crate) async fn is_yes(asked: Promise) -> bool {
    JsFuture::from(asked).await.is_ok_and(|answer| answer.is_truthy())
}

/// A plain object of these properties.
pub(crate) fn object<'a>(properties: impl IntoIterator<Item = (&'a str, JsValue)>) -> Object {
    let object = Object::new();
    for (key, value) in properties {
        // Setting a property of a plain object cannot fail.
        let _ = js_sys::Reflect::set(&object, &key.into(), &value);
    }
    object
}

/// A property of an object, `undefined` where it has none.
pub(crate) fn property(object: &JsValue, key: &str) -> JsValue {
    js_sys::Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED)
}

/// A property that is a text.
pub(crate) fn text_property(object: &JsValue, key: &str) -> Option<String> {
    property(object, key).as_string()
}
