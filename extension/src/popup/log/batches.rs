//! The record of past commits, and the transactions of one of them.

use crate::{
    dom,
    i18n::{plural, text, text_with},
    locale,
    popup::{Desk, Tone},
    wording,
};
use koct_core::log::commit::Batch;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlDialogElement, HtmlElement};

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let this = desk.clone();
    dom::on::<Event>(dom::by_id::<Element>("show-batches")?.as_ref(), "click", move |_| {
        let desk = this.clone();
        spawn_local(async move {
            if let Err(error) = open(&desk).await {
                desk.message.show(Tone::Bad, &text_with("openFailed", &[&format!("{error:?}")]));
            }
        });
    });
    Ok(())
}

async fn open(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let dialog: HtmlDialogElement = dom::by_id("batches-dialog")?;
    let list: HtmlElement = dom::by_id("batches-list")?;
    let batches = desk.store.batches().await.map_err(|error| JsValue::from_str(&error.to_string()))?;
    list.set_text_content(None);
    list.set_hidden(batches.is_empty());
    dom::by_id::<HtmlElement>("batches-empty")?.set_hidden(!batches.is_empty());
    for batch in batches {
        let row = row(&batch)?;
        if let Some(button) = dom::field(&row, "show") {
            let (desk, dialog) = (desk.clone(), dialog.clone());
            button.set_hidden(batch.transactions.is_empty());
            dom::on::<Event>(&button, "click", move |_| {
                dialog.close();
                spawn_local(desk.clone().show_batch(batch.clone()));
            });
        }
        list.append_with_node_1(&row)?;
    }
    dialog.show_modal()
}

fn row(batch: &Batch) -> Result<HtmlElement, JsValue> {
    let row = dom::from_template("batch-template")?;
    dom::set_field(&row, "when", &wording::moment(batch.started));
    let how = [&wording::commit_type(batch.commit_type), &batch.branchcode, &batch.server];
    dom::set_field(&row, "how", &text_with("batchHow", &how.map(String::as_str)));
    if let Some(end) = &batch.end {
        let numbers = [end.committed, end.rejected, end.in_doubt, end.left].map(locale::number);
        dom::set_field(&row, "counts", &text_with("batchCounts", &numbers.each_ref().map(String::as_str)));
        dom::set_field(&row, "message", &end.message);
    } else {
        dom::set_field(&row, "counts", &text("batchInterrupted"));
    }
    dom::set_field(&row, "show", &plural("batchShow", batch.transactions.len(), &[]));
    Ok(row)
}

impl Desk {
    async fn show_batch(self: Rc<Self>, batch: Batch) {
        self.find.clear();
        let label = text_with("filterBatch", &[&wording::moment(batch.started)]);
        self.find.among(batch.transactions.into_iter().collect(), label);
        self.show_found().await;
    }
}
