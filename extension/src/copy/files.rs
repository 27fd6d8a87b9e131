//! Files in Firefox's download folder, written without anybody being asked, and without a trace in the list of downloads.

use crate::{
    timer::sleep,
    webext::{self, object, property, text_property},
};
use js_sys::{Array, Object};
use koct_core::desks::copy::kept::Problem;
use std::time::Duration;
use wasm_bindgen::JsValue;
use web_sys::{Blob, BlobPropertyBag, Url};

/// How long it is waited until it is looked again whether a file is there; and how long at most.
const LOOKS: [Duration; 4] =
    [Duration::from_millis(10), Duration::from_millis(30), Duration::from_millis(100), Duration::from_millis(500)];
const MOST_LOOKS: usize = 240;

/// The argument of the permission calls.
pub(crate) fn permission() -> Object {
    object([("permissions", Array::of1(&"downloads".into()).into())])
}

/// Whether Firefox lets KOCT write files.
pub(crate) async fn may_write() -> bool {
    webext::is_permitted(&permission()).await
}

/// Nobody wants files any more.
pub(crate) async fn give_back() {
    let _ = webext::remove_permissions(&permission()).await;
}

/// Writes a file over the one that has its name, as it [may](may_write). Returns when it is there.
pub(super) async fn write(name: &str, parts: &[String]) -> Result<(), Problem> {
    let id = download(name, parts).await?;
    erase(&id).await;
    Ok(())
}

/// Writes a file over the one that has its name, as it [may](may_write), and removes it.
pub(super) async fn remove(name: &str, parts: &[String]) -> Result<(), Problem> {
    let id = download(name, parts).await?;
    let removed = webext::remove_download(&id).await;
    erase(&id).await;
    removed.map(|_| ()).map_err(|_| Problem::NotWritten)
}

async fn download(name: &str, parts: &[String]) -> Result<JsValue, Problem> {
    let options = BlobPropertyBag::new();
    options.set_type("application/octet-stream");
    let content: Array = parts.iter().map(|part| JsValue::from_str(part)).collect();
    let blob = Blob::new_with_str_sequence_and_options(&content, &options).map_err(|_| Problem::NotRead)?;
    let url = Url::create_object_url_with_blob(&blob).map_err(|_| Problem::NotRead)?;
    let written = download_url(name, &url).await;
    let _ = Url::revoke_object_url(&url);
    written
}

async fn download_url(name: &str, url: &str) -> Result<JsValue, Problem> {
    let wanted = object([
        ("url", url.into()),
        ("filename", name.into()),
        ("saveAs", false.into()),
        ("conflictAction", "overwrite".into()),
    ]);
    let id = webext::download(&wanted).await.map_err(|_| Problem::NotWritten)?;
    for look in 0..MOST_LOOKS {
        let found = webext::search_downloads(&object([("id", id.clone())])).await.unwrap_or_default();
        match text_property(&property(&found, "0"), "state").as_deref() {
            Some("complete") => return Ok(id),
            Some("in_progress") => sleep(LOOKS[look.min(LOOKS.len() - 1)]).await,
            // Interrupted, or gone from the list.
            _ => break,
        }
    }
    // What is there of it is removed.
    let _ = webext::cancel_download(&id).await;
    erase(&id).await;
    Err(Problem::NotWritten)
}

async fn erase(id: &JsValue) {
    let _ = webext::erase_downloads(&object([("id", id.clone())])).await;
}
