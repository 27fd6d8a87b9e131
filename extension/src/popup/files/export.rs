//! Carries the log over as a .koc file.

use crate::{
    clock, dom,
    i18n::{js_error, plural, text, text_with},
    later::seldom,
    lock,
    popup::{Desk, Tone, Topic},
    slices,
    store::StoreError,
    wording::Explained as _,
};
use koct_core::{
    State,
    desks::{
        export::{self, Export},
        koc,
    },
    log::order::{self, Ordered},
};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, HtmlDialogElement, HtmlElement, HtmlInputElement, Url};

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let dialog: HtmlDialogElement = dom::by_id("export-dialog")?;
    let [waiting, all, each] = ["export-waiting", "export-all", "export-each"].map(dom::by_id::<HtmlInputElement>);
    let (waiting, all, each) = (waiting?, all?, each?);
    let each_row: HtmlElement = dom::by_id("export-each-row")?;
    let opened = dialog.clone();
    let shown = each.clone();
    dom::on_click("export-koc", desk, move |desk| {
        waiting.set_checked(true);
        shown.set_checked(true);
        each_row.set_hidden(true);
        let (desk, each_row) = (desk.clone(), each_row.clone());
        spawn_local(async move { each_row.set_hidden(!desk.has_several_branches().await) });
        if !opened.open() && opened.show_modal().is_ok() {
            let _ = waiting.focus();
        }
    })?;
    let closed = dialog.clone();
    dom::on_click("export-cancel", desk, move |_| closed.close())?;
    dom::on_submit("export-form", desk, move |desk| {
        dialog.close();
        spawn_local(write(desk.clone(), all.checked(), each.checked()));
    })
}

seldom! {
    async fn write(desk: Rc<Desk>, with_committed: bool, each_branch: bool) {
        desk.export(with_committed, each_branch).await;
    }
}

impl Desk {
    async fn export(self: Rc<Self>, with_committed: bool, each_branch: bool) {
        let message = self.message.about(Topic::Export);
        match self.write_koc(with_committed, each_branch).await {
            Ok(files) if !files.is_empty() => {
                let mut lines: Vec<String> =
                    files.iter().map(|(name, export)| plural("exported", export.number, &[name])).collect();
                lines.push(text("exportedNext"));
                if files.len() > 1 {
                    lines.push(text("exportedEach"));
                }
                let total = |number: fn(&Export) -> usize| files.iter().map(|(_, export)| number(export)).sum();
                let (in_doubt, out_of_order): (usize, usize) =
                    (total(|export| export.in_doubt), total(|export| export.out_of_order));
                if in_doubt > 0 {
                    lines.push(plural("exportedInDoubt", in_doubt, &[]));
                }
                if out_of_order > 0 {
                    lines.push(plural("exportedOutOfOrder", out_of_order, &[&text("showReview")]));
                }
                message.show(if in_doubt + out_of_order > 0 { Tone::Doubt } else { Tone::Good }, &lines.join("\n"));
            }
            Ok(_) => message.show(Tone::Good, &text("exportNothing")),
            Err(error) => message.show(Tone::Bad, &text_with("exportFailed", &[&error])),
        }
    }

    /// Whether the log holds what was recorded at several libraries.
    async fn has_several_branches(&self) -> bool {
        let own = self.preferences.borrow().form.branchcode.trim().to_owned();
        let entries = self.store.in_states(&export::states(true)).await;
        entries.is_ok_and(|entries| export::branches(&entries, &own).len() > 1)
    }

    /// Downloads the file, or one for each library, where there is something to be in it. Returns their names and what they are.
    async fn write_koc(
        self: &Rc<Self>,
        with_committed: bool,
        each_branch: bool,
    ) -> Result<Vec<(String, Export)>, String> {
        let states = export::states(with_committed);
        let entries = self.distinct(&states).await.map_err(|error| error.explained())?;
        let own = self.preferences.borrow().desk_name();
        let branch = self.preferences.borrow().form.branchcode.trim().to_owned();
        // A file that holds what is of several libraries is that of none.
        let parts = if each_branch || export::branches(&entries, &branch).len() == 1 {
            export::by_branch(entries, &branch)
                .into_iter()
                .map(|(branch, entries)| (branch.clone(), Some(branch), entries))
                .collect()
        } else {
            vec![(branch, None, entries)]
        };
        let mut written = Vec::new();
        for (in_name, branch, entries) in parts {
            let Some(export) = slices::through(export::exporting(entries, &own, branch.as_deref())).await else {
                continue;
            };
            let now = clock::now().ok_or_else(|| text("attentionClock"))?;
            let name = koc::file_name(&in_name, now);
            download(&name, std::slice::from_ref(&export.text)).map_err(|error| js_error(&error))?;
            written.push((name, export));
        }
        Ok(written)
    }
}

impl Desk {
    /// The entries of these states, those of one item in seconds of their own. That is kept in the log before it goes into a
    /// file: what comes back with another time than the log has would be taken for another scan, and come into Koha twice.
    async fn distinct(self: &Rc<Self>, states: &[State]) -> Result<Ordered, StoreError> {
        let entries = self.store.in_states(states).await?;
        if slices::through(order::separating(&entries)).await.is_empty() {
            return Ok(entries);
        }
        // Whoever commits has the lock, and has kept it already.
        let Some(_lock) = lock::lock().await else { return Ok(entries) };
        self.separate(self.store.in_states(states).await?).await
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
