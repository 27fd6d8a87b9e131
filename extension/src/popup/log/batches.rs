//! The record of past commits, and the transactions of one of them.

use crate::{
    anew::Anew,
    dom::{self, elements},
    i18n::{plural, text, text_with},
    later::seldom,
    popup::{
        Desk, Panel, Topic,
        commit::{audited, koha_queue},
        log::{asking, find::Find, tabs::Tabs, todo::TodoPanel},
        window::press::let_go,
    },
    store::StoreError,
    wording,
};
use koct_core::log::{commit::Batch, event::LogEvent};
use std::{cell::Cell, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlDialogElement, HtmlElement};

elements! {
    pub(crate) struct Batches(desk: Rc<Desk>, find: Rc<Find>, tabs: Rc<Tabs>, todo: Rc<TodoPanel>) {
        dialog: HtmlDialogElement = "batches-dialog",
        list: HtmlElement = "batches-list",
        empty: HtmlElement = "batches-empty",
        unreadable: HtmlElement = "batches-unreadable",
        close: HtmlElement = "batches-close",
        state: HtmlElement = "batches-state",
        ;
        asking: Cell<bool>,
        following: Anew,
    }
}

/// A commit with its number, and what is odd about it in words.
type Row = (u32, Batch, Vec<String>);

impl Panel for Batches {
    fn follow(self: Rc<Self>, event: &LogEvent) {
        let is_of_records = matches!(event, LogEvent::Committed | LogEvent::Reload(_));
        if is_of_records && self.dialog.open() && self.following.ask() {
            spawn_local(follow(self));
        }
    }
}

impl Batches {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::on_click("show-batches", self, |this| spawn_local(open(this.clone())))
    }

    async fn open(self: Rc<Self>) {
        match self.read().await {
            Ok((rows, unreadable)) => self.show(rows, unreadable),
            Err(error) => return self.desk.failed(Topic::Other, "readFailed", &error),
        }
        self.state.set_text_content(None);
        let _ = self.dialog.show_modal();
        // Not the list, which would have it as what can be scrolled.
        let _ = self.close.focus();
    }

    /// Shows them as they are now.
    async fn follow_log(self: Rc<Self>) {
        while self.following.goes_on() {
            let read = self.read().await;
            let_go(&self.dialog).await;
            match read {
                _ if !self.dialog.open() => {}
                Ok((rows, unreadable)) => {
                    self.show(rows, unreadable);
                    dom::keep_focus(&self.dialog, &self.close);
                }
                Err(error) => self.desk.failed(Topic::Other, "readFailed", &error),
            }
        }
    }

    /// Reads them, the newest first; and the number of those that cannot be read.
    async fn read(&self) -> Result<(Vec<Row>, usize), StoreError> {
        let batches = self.desk.store.batches_where(|_| true).await?;
        let unreadable = self.desk.store.raw_batches().await?.len();
        let mut rows = Vec::with_capacity(batches.len());
        for (number, batch) in batches.into_iter().rev() {
            let odd = batch.audit.as_ref().map(|audit| audit.odd.as_slice()).unwrap_or_default();
            let odd = audited::lines(&self.desk.store, odd, ODD_SHOWN).await;
            rows.push((number, batch, odd));
        }
        Ok((rows, unreadable))
    }

    fn show(self: &Rc<Self>, rows: Vec<Row>, unreadable: usize) {
        self.unreadable.set_hidden(unreadable == 0);
        self.unreadable.set_text_content(Some(&plural("batchesUnreadable", unreadable, &[])));
        self.list.set_hidden(rows.is_empty());
        self.empty.set_hidden(!rows.is_empty() || unreadable > 0);
        let settings = self.desk.settings();
        dom::fill_list(&self.list, rows, |(number, batch, odd)| {
            let row = row(&batch, &odd)?;
            if let Some(button) = dom::field(&row, "ask") {
                let may_ask = settings.as_ref().is_some_and(|settings| batch.may_be_asked_about(settings));
                button.set_hidden(!may_ask);
                button.set_text_content(Some(&text("batchAsk")));
                let batch = batch.clone();
                dom::bind(&button, "click", self, move |this| spawn_local(this.clone().ask(number, batch.clone())));
            }
            if let Some(button) = dom::field(&row, "show") {
                button.set_hidden(batch.transactions.is_empty());
                dom::bind(&button, "click", self, move |this| {
                    this.dialog.close();
                    this.tabs.show(false);
                    let label = text_with("filterBatch", &[&wording::moment(batch.started)]);
                    this.find.among(batch.transactions.iter().copied().collect(), label);
                    spawn_local(this.find.clone().show_found());
                });
            }
            Ok(row)
        });
    }
}

seldom! {
    async fn open(batches: Rc<Batches>) {
        batches.open().await;
    }

    async fn follow(batches: Rc<Batches>) {
        batches.follow_log().await;
    }
}

impl Batches {
    /// Asks Koha what is left to do about a commit, and shows it.
    async fn ask(self: Rc<Self>, number: u32, batch: Batch) {
        if self.asking.replace(true) {
            return;
        }
        self.state.set_text_content(Some(&text("batchAsking")));
        let asked = asking::ask(&self.desk, number, batch).await;
        self.asking.set(false);
        match asked {
            Ok(()) => {
                self.state.set_text_content(None);
                self.dialog.close();
                self.todo.show_what_was_told();
            }
            Err(words) => self.state.set_text_content(Some(&words)),
        }
    }
}

/// The number of transactions that are named of a commit: more to look at mean that something else is wrong.
const ODD_SHOWN: usize = 200;

fn row(batch: &Batch, odd: &[String]) -> Result<HtmlElement, JsValue> {
    let row = dom::from_template("batch-template")?;
    dom::set_field(&row, "when", &wording::moment(batch.started));
    let what = match batch.handled {
        None => wording::commit_type(batch.commit_type),
        Some(_) => text("queueTitle"),
    };
    let how = [&what, &batch.branchcode, &batch.server];
    dom::set_field(&row, "how", &text_with("batchHow", &how.map(String::as_str)));
    if let Some(end) = &batch.end {
        let numbers = [end.committed, end.rejected, end.in_doubt, end.left];
        // The message has them already, and nothing is said twice.
        let words = if end.message.is_empty() { wording::counts(numbers) } else { end.message.clone() };
        dom::set_field(&row, "message", &words);
    } else {
        dom::set_field(&row, "message", &text("batchInterrupted"));
    }
    let read_back = batch.audit.as_ref().map(wording::read_back).filter(|words| !words.is_empty());
    let rows = batch.to_look_at().take(ODD_SHOWN).map(koha_queue::handled);
    let audit: Vec<String> = rows.chain(odd.iter().cloned()).chain(read_back).collect();
    if let Some(field) = dom::field(&row, "audit") {
        field.set_hidden(audit.is_empty());
    }
    dom::set_field(&row, "audit", &audit.join("\n"));
    dom::set_field(&row, "show", &plural("batchShow", batch.transactions.len(), &[]));
    Ok(row)
}
