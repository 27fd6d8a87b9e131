//! KOCT in the browser: the pages, the store and the network. Every rule is in `koct_core`.
//!
//! The loaders beside the pages call the entry points here.

pub mod clock;
pub mod directory;
pub mod http;
pub mod letters;
pub mod lock;
pub mod storage;
pub mod store;

mod anew;
mod background;
mod backup;
mod badge;
mod copy;
mod dom;
mod ground;
mod i18n;
mod isolation;
mod later;
mod latest;
mod locale;
mod options;
mod outage;
mod popup;
mod practice;
mod preferences;
mod processor;
mod ready;
mod ready_page;
mod sender;
mod slices;
mod sound;
mod timer;
mod webext;
mod wording;

use js_sys::Function;
use later::part;
use popup::Early;
use wasm_bindgen::prelude::*;

/// Starts popup/popup.html. `early` is what popup/early.js has kept. `borrowers_db` imports the module that reads borrowers.db: it is called when one is read.
///
/// # Errors
/// When the page lacks an element that the controllers bind to, or the log cannot be opened.
#[wasm_bindgen]
pub async fn start_popup(early: Early, borrowers_db: Function) -> Result<(), JsValue> {
    directory::borrowers::load_with(borrowers_db);
    popup::start(early).await
}

/// Starts options/options.html.
///
/// # Errors
/// When the page lacks an element that the controller binds to.
#[wasm_bindgen]
pub async fn start_options() -> Result<(), JsValue> {
    settings_page().await
}

part! {
    settings,
    async fn settings_page() -> Result<(), JsValue> {
        options::start().await
    }
}

/// Starts options/ready.html.
///
/// # Errors
/// When the page lacks an element that the controller binds to.
#[wasm_bindgen]
pub async fn start_ready() -> Result<(), JsValue> {
    page_of_lines().await
}

part! {
    settings,
    async fn page_of_lines() -> Result<(), JsValue> {
        ready_page::start().await
    }
}

/// The event page was loaded: Firefox has started, or an event came.
#[wasm_bindgen]
pub async fn background_woken() {
    event_page().await;
}

/// A page of Koha's has come, failed or is waited for; or a window says something of it: see popup/watch.js.
#[wasm_bindgen]
pub async fn koha_seen(load: JsValue) {
    outage_seen(load).await;
}

/// The alarm for the records has rung.
#[wasm_bindgen]
pub async fn records_alarm_rang() {
    records_due().await;
}

/// The alarm for the second copy has rung.
#[wasm_bindgen]
pub async fn copy_alarm_rang() {
    copy_due().await;
}

part! {
    copying,
    async fn copy_due() {
        copy::alarm::rang().await;
    }
}

part! {
    refresh,
    async fn records_due() {
        directory::refresh::rang().await;
    }
}

part! {
    background,
    async fn event_page() {
        background::woken().await;
    }
}

part! {
    background,
    async fn outage_seen(load: JsValue) {
        outage::seen(&load).await;
    }
}
