//! Carries the log over as a .koc file.

use crate::{
    clock,
    dom::{self, elements},
    i18n::{js_error, plural, text, text_with},
    later::seldom,
    popup::{Desk, Tone, Topic},
    slices,
    store::StoreError,
    wording::Explained as _,
};
use koct_core::{
    State,
    desks::{
        export::{self, Export, Part},
        koc,
    },
    log::order::{self, Ordered},
};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, HtmlDialogElement, HtmlElement, HtmlInputElement, Url};

elements! {
    pub(crate) struct Exporting(desk: Rc<Desk>) {
        dialog: HtmlDialogElement = "export-dialog",
        waiting: HtmlInputElement = "export-waiting",
        all: HtmlInputElement = "export-all",
        each: HtmlInputElement = "export-each",
        each_row: HtmlElement = "export-each-row",
    }
}

seldom! {
    async fn write(exporting: Rc<Exporting>, with_committed: bool, each_branch: bool) {
        exporting.export(with_committed, each_branch).await;
    }
}

impl Exporting {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::on_click("export-koc", self, Self::open)?;
        dom::on_click("export-cancel", self, |this| this.dialog.close())?;
        dom::on_submit("export-form", self, |this| {
            this.dialog.close();
            spawn_local(write(this.clone(), this.all.checked(), this.each.checked()));
        })
    }

    fn open(self: &Rc<Self>) {
        self.waiting.set_checked(true);
        self.each.set_checked(true);
        self.each_row.set_hidden(true);
        let this = self.clone();
        spawn_local(async move { this.each_row.set_hidden(!this.has_several_branches().await) });
        if !self.dialog.open() && self.dialog.show_modal().is_ok() {
            let _ = self.waiting.focus();
        }
    }

    async fn export(&self, with_committed: bool, each_branch: bool) {
        let message = self.desk.message.about(Topic::Export);
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

    /// Whether the log holds what was recorded at several libraries. Where that cannot be read, each gets a file of its own, unasked.
    async fn has_several_branches(&self) -> bool {
        let own = self.desk.preferences.borrow().form.branchcode.trim().to_owned();
        let entries = self.desk.store.in_states(&export::states(true)).await;
        entries.is_ok_and(|entries| export::branches(&entries, &own).len() > 1)
    }

    /// Downloads the file, or one for each library, where there is something to be in it. Returns their names and what they are.
    async fn write_koc(&self, with_committed: bool, each_branch: bool) -> Result<Vec<(String, Export)>, String> {
        let states = export::states(with_committed);
        let entries = self.distinct(&states).await?;
        let own = self.desk.preferences.borrow().desk_name();
        let branch = self.desk.preferences.borrow().form.branchcode.trim().to_owned();
        let mut written = Vec::new();
        for Part { in_name, branch, entries } in export::parts(entries, &branch, each_branch) {
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

    /// The entries of these states, those of one item in seconds of their own. That is kept in the log before it goes into a
    /// file: what comes back with another time than the log has would be taken for another scan, and come into Koha twice.
    ///
    /// # Errors
    /// When it cannot be kept, in words for the person.
    async fn distinct(&self, states: &[State]) -> Result<Ordered, String> {
        let words = |error: StoreError| error.explained();
        let entries = self.desk.store.in_states(states).await.map_err(words)?;
        if slices::through(order::separating(&entries)).await.is_empty() {
            return Ok(entries);
        }
        let permit = self.desk.may_change_log().await;
        let entries = self.desk.store.in_states(states).await.map_err(words)?;
        match permit {
            Ok(_permit) => self.desk.separate(entries).await.map_err(words),
            // Whoever commits keeps it before the first is sent. Whoever only asks, or imports, does not.
            Err(_) if slices::through(order::separating(&entries)).await.is_empty() => Ok(entries),
            Err(why) => Err(why),
        }
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
