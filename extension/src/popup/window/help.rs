//! The help: what to do while Koha is down and after, in the window itself, since there may be no network.

use super::keys;
use crate::{
    dom,
    i18n::text,
    webext::{self, text_property},
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlDialogElement, HtmlElement};

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind() -> Result<(), JsValue> {
    let list: Element = dom::by_id("help-keys")?;
    dom::fill_list(&list, &keys::KEYS, |key| row(key.label(), &key.words()));
    spawn_local(async move {
        // A person can change or remove it; then the help says so, or nothing.
        if let Some(key) = opening_key().await
            && let Ok(row) = row(&key, &text("keyOpen"))
        {
            let _ = list.prepend_with_node_1(&row);
        }
    });
    dom::on::<Event>(dom::by_id::<Element>("open-help")?.as_ref(), "click", |_| open());
    Ok(())
}

fn row(key: &str, does: &str) -> Result<HtmlElement, JsValue> {
    let row = dom::from_template("help-key-template")?;
    dom::set_field(&row, "key", key);
    dom::set_field(&row, "does", does);
    Ok(row)
}

/// The key that opens KOCT's window, as Firefox has it.
async fn opening_key() -> Option<String> {
    let commands: js_sys::Array = webext::get_commands().await.ok()?.dyn_into().ok()?;
    commands.iter().find_map(|command| text_property(&command, "shortcut")).filter(|key| !key.is_empty())
}

/// Opens it, at its beginning.
fn open() {
    let (Ok(dialog), Ok(body)) =
        (dom::by_id::<HtmlDialogElement>("help-dialog"), dom::by_id::<HtmlElement>("help-body"))
    else {
        return;
    };
    if !dialog.open() && dialog.show_modal().is_ok() {
        // Ready to be scrolled by keys.
        let _ = body.focus();
        body.set_scroll_top(0);
    }
}
