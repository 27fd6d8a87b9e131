//! Files in Firefox's download folder, written without anybody being asked, and without a trace in the list of downloads.

use crate::{
    timer::sleep,
    webext::{self, object, property, text_property},
};
use js_sys::{Array, Object};
use koct_core::desks::copy::{kept::Problem, looks_again_after};
use wasm_bindgen::JsValue;
use web_sys::{Blob, BlobPropertyBag, Url};

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

/// What Firefox's list of downloads knows of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing.
    Not,
    /// It was begun since Firefox was started, and has failed.
    Failed,
    /// It was written since Firefox was started, and nobody has kept that.
    Whole,
}

/// What that list knows of the file whose name ends so.
pub(super) async fn known(ending: &str) -> Known {
    let found = Array::from(&webext::search_downloads(&named(ending)).await.unwrap_or_default());
    match found.iter().any(|file| text_property(&file, "state").as_deref() == Some("complete")) {
        true => Known::Whole,
        false if found.length() > 0 => Known::Failed,
        false => Known::Not,
    }
}

/// Writes a file where its name is free, or over one that is [known], as it [may](may_write). Returns when it is there, and whether it
/// is: else the name is taken. It stays in Firefox's list until it is [forgotten](forget).
pub(super) async fn write_new(name: &str, ending: &str, parts: &[String], known: Known) -> Result<bool, Problem> {
    let or_else = if known == Known::Not { "uniquify" } else { "overwrite" };
    let id = download(name, parts, or_else, Some(ending)).await?;
    // Where somebody has emptied the list in this very moment, nobody knows.
    let written = name_of(&id).await.ok_or(Problem::NotWritten)?;
    let is_free = written.ends_with(ending);
    if !is_free {
        // Where it cannot be removed, it is a file too many, of what is in the log; tried again, it would be one more each time.
        let _ = webext::remove_download(&id).await;
        erase(&id).await;
    }
    Ok(is_free)
}

/// Writes a file over the one that has its name, as it [may](may_write).
pub(super) async fn write_over(name: &str, parts: &[String]) -> Result<(), Problem> {
    let id = download(name, parts, "overwrite", None).await?;
    erase(&id).await;
    Ok(())
}

/// Writes a file over the one that has its name, as it [may](may_write), and removes it.
pub(super) async fn remove(name: &str, parts: &[String]) -> Result<(), Problem> {
    let id = download(name, parts, "overwrite", None).await?;
    let removed = webext::remove_download(&id).await;
    erase(&id).await;
    removed.map(|_| ()).map_err(|_| Problem::NotWritten)
}

/// Takes the files whose names end so off Firefox's list.
pub(super) async fn forget(ending: &str) {
    let _ = webext::erase_downloads(&named(ending)).await;
}

/// Takes all files of copies off Firefox's list.
pub(super) async fn forget_all() {
    let _ = webext::erase_downloads(&object([("filenameRegex", "koct_copy_[^/\\\\]*$".into())])).await;
}

/// The downloads whose files' names end so; in them, the dot is all that a pattern would take for something else.
fn named(ending: &str) -> Object {
    object([("filenameRegex", format!("{}$", ending.replace('.', "\\.")).into())])
}

async fn name_of(id: &JsValue) -> Option<String> {
    let found = webext::search_downloads(&object([("id", id.clone())])).await.ok()?;
    text_property(&property(&found, "0"), "filename")
}

/// `or_else` is what Firefox does where the name is taken. One that fails stays in its list where its name ends with `known`.
async fn download(name: &str, parts: &[String], or_else: &str, known: Option<&str>) -> Result<JsValue, Problem> {
    let options = BlobPropertyBag::new();
    options.set_type("application/octet-stream");
    let content: Array = parts.iter().map(|part| JsValue::from_str(part)).collect();
    let blob = Blob::new_with_str_sequence_and_options(&content, &options).map_err(|_| Problem::NotRead)?;
    let url = Url::create_object_url_with_blob(&blob).map_err(|_| Problem::NotRead)?;
    let written = download_url(name, &url, or_else, known).await;
    let _ = Url::revoke_object_url(&url);
    written
}

async fn download_url(name: &str, url: &str, or_else: &str, known: Option<&str>) -> Result<JsValue, Problem> {
    let wanted = object([
        ("url", url.into()),
        ("filename", name.into()),
        ("saveAs", false.into()),
        ("conflictAction", or_else.into()),
    ]);
    let id = webext::download(&wanted).await.map_err(|_| Problem::NotWritten)?;
    for look in 0.. {
        let found = webext::search_downloads(&object([("id", id.clone())])).await.unwrap_or_default();
        match text_property(&property(&found, "0"), "state").as_deref() {
            Some("complete") => return Ok(id),
            Some("in_progress") => match looks_again_after(look) {
                Some(wait) => sleep(wait).await,
                None => break,
            },
            // Interrupted, or gone from the list.
            _ => break,
        }
    }
    // What is there of it is removed.
    let _ = webext::cancel_download(&id).await;
    let name = name_of(&id).await.unwrap_or_default();
    match known.filter(|known| name.ends_with(*known)) {
        // The last try tells what all did: a night without room leaves no hundred of them in the list.
        Some(known) => erase_before(&id, known).await,
        None => erase(&id).await,
    }
    Err(Problem::NotWritten)
}

/// Takes all others that have failed, and whose names end so, off Firefox's list.
async fn erase_before(id: &JsValue, ending: &str) {
    let found = Array::from(&webext::search_downloads(&named(ending)).await.unwrap_or_default());
    let failed = found.iter().filter(|file| text_property(file, "state").as_deref() == Some("interrupted"));
    for other in failed.map(|file| property(&file, "id")).filter(|other| other != id) {
        erase(&other).await;
    }
}

async fn erase(id: &JsValue) {
    let _ = webext::erase_downloads(&object([("id", id.clone())])).await;
}
