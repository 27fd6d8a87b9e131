//! The toolbar button: opens KOCT's window, or brings it to the front.

use crate::{
    badge, preferences,
    store::{self, Store, StoreError},
    webext::{self, object, property},
};
use koct_core::{State, log::Counts};
use std::cell::Cell;
use wasm_bindgen::{JsCast, JsValue};
use web_extensions_sys::{Window, browser};

/// Where the number of the open window is kept while Firefox runs.
const WINDOW_ID: &str = "windowId";
const WIDTH: u32 = 1060;
const HEIGHT: u32 = 780;

thread_local! {
    /// A second click while the window is being opened must not open another.
    static OPENING: Cell<bool> = const { Cell::new(false) };
}

/// The button was clicked.
///
/// # Errors
/// When Firefox cannot open a window.
pub(crate) async fn toolbar_clicked() -> Result<(), JsValue> {
    if OPENING.replace(true) {
        return Ok(());
    }
    let shown = show().await;
    OPENING.set(false);
    shown
}

/// Firefox has started, or woken this page: the badge is drawn from the log, and what was left over of permissions given back.
pub(crate) async fn woken() {
    // Where the log cannot be opened, the window says so. Permissions have nothing to do with it.
    if let Ok(store) = Store::open(store::DATABASE).await {
        if let Ok(counts) = open_counts(&store).await {
            badge::show(counts);
        }
        store.close();
    }
    preferences::give_back_permissions().await;
}

/// What the badge counts, without what cannot be read.
async fn open_counts(store: &Store) -> Result<Counts, StoreError> {
    let counts = store.counts().await?;
    if counts.uncommitted() > badge::MOST {
        return Ok(counts);
    }
    // What cannot be read is known once it was met.
    store.in_states(&State::which(State::is_open)).await?;
    store.counts().await
}

async fn show() -> Result<(), JsValue> {
    let (windows, session) = (browser().windows(), browser().storage().session());
    let stored = property(&session.get(&WINDOW_ID.into()).await?, WINDOW_ID);
    #[expect(clippy::cast_possible_truncation, reason = "window numbers are small and whole")]
    if let Some(id) = stored.as_f64().map(|id| id as i32) {
        let front = object([("focused", true.into())]);
        if windows.update(id, &front).await.is_ok() {
            return Ok(());
        }
        // The window is closed.
    }
    let window: Window = windows
        .create(&object([
            ("url", webext::get_url("popup/popup.html").into()),
            ("type", "popup".into()),
            ("width", WIDTH.into()),
            ("height", HEIGHT.into()),
        ]))
        .await?
        .unchecked_into();
    if let Some(id) = window.id() {
        session.set(&object([(WINDOW_ID, id.into())])).await?;
    }
    Ok(())
}
