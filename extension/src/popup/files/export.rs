//! Carries the log over as a .koc file.

use crate::{
    clock, dom,
    i18n::{plural, text, text_with},
    popup::{Desk, Tone, Topic},
    slices,
    store::StoreError,
};
use koct_core::{Moment, State, TransactionId, desks::koc, log::order};
use std::{collections::HashMap, rc::Rc};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, BlobPropertyBag, Element, Event, HtmlAnchorElement, HtmlInputElement, Url};

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let all: HtmlInputElement = dom::by_id("export-all")?;
    let desk = desk.clone();
    dom::on::<Event>(dom::by_id::<Element>("export-koc")?.as_ref(), "click", move |_| {
        spawn_local(desk.clone().export(all.checked()));
    });
    Ok(())
}

impl Desk {
    async fn export(self: Rc<Self>, with_committed: bool) {
        let wanted = |state: &State| state.is_open() || (with_committed && state.is_committed());
        let states: Vec<State> = State::ALL.into_iter().filter(wanted).collect();
        match self.write_koc(&states).await {
            Ok(Some((name, count, in_doubt))) => {
                let mut lines = vec![plural("exported", count, &[&name]), text("exportedNext")];
                if in_doubt > 0 {
                    lines.push(plural("exportedInDoubt", in_doubt, &[]));
                }
                self.message
                    .about(Topic::Export)
                    .show(if in_doubt > 0 { Tone::Doubt } else { Tone::Good }, &lines.join("\n"));
            }
            Ok(None) => self.message.about(Topic::Export).show(Tone::Good, &text("exportNothing")),
            Err(error) => self.message.about(Topic::Export).show(Tone::Bad, &text_with("exportFailed", &[&error])),
        }
    }

    /// Downloads the file. Returns its name, how many transactions it holds and how many of them are in doubt.
    async fn write_koc(&self, states: &[State]) -> Result<Option<(String, usize, usize)>, String> {
        let mut entries = self.store.in_states(states).await.map_err(|error: StoreError| error.to_string())?;
        if entries.is_empty() {
            return Ok(None);
        }
        let in_doubt =
            entries.iter().filter(|entry| matches!(entry.status.state(), State::InDoubt | State::Sending)).count();
        let own = self.preferences.borrow().desk_name();
        // A file of several desks is that of none.
        let first = entries[0].desk.clone();
        let desk = entries.iter().all(|entry| entry.desk == first).then(|| first.unwrap_or(own));
        // Koha keeps whole seconds: so does the file, where two desks had one item.
        let moved: HashMap<TransactionId, Moment> =
            slices::through(order::separating(&entries)).await.into_iter().collect();
        for entry in &mut entries {
            entry.transaction.moment = moved.get(&entry.id).copied().unwrap_or(entry.transaction.moment);
        }
        let file = koc::write(entries.iter().map(|entry| &entry.transaction), desk.as_ref());
        let now = clock::now().ok_or_else(|| text("attentionClock"))?;
        let name = koc::file_name(self.preferences.borrow().form.branchcode.trim(), now);
        download(&name, &[file]).map_err(|error| format!("{error:?}"))?;
        Ok(Some((name, entries.len(), in_doubt)))
    }
}

/// Gives a file to the person.
///
/// # Errors
/// When the browser cannot make it.
pub(crate) fn download(name: &str, parts: &[String]) -> Result<(), JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type("application/octet-stream");
    let content: js_sys::Array = parts.iter().map(|part| JsValue::from_str(part)).collect();
    let blob = Blob::new_with_str_sequence_and_options(&content, &options)?;
    let url = Url::create_object_url_with_blob(&blob)?;
    let link: HtmlAnchorElement = dom::document()?.create_element("a")?.unchecked_into();
    link.set_href(&url);
    link.set_download(name);
    link.click();
    // Not revoked at once: Firefox reads it after the click. It goes with the window, or after a minute.
    let revoke = wasm_bindgen::closure::Closure::once_into_js(move || {
        let _ = Url::revoke_object_url(&url);
    });
    dom::window()?.set_timeout_with_callback_and_timeout_and_arguments_0(revoke.unchecked_ref(), 60_000)?;
    Ok(())
}
