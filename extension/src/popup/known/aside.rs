//! What came back and is on hold: the list of items to set aside, on screen and on paper.

use crate::{
    dom::{self, elements},
    i18n::{plural, text},
    popup::{Desk, Panel, Topic, known::records::Records, log::slip::Print},
    wording,
};
use koct_core::{
    Action, Entry,
    directory::{aside, item_now},
    log::event::LogEvent,
};
use std::{cell::Cell, collections::BTreeSet, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlDialogElement, HtmlElement};

elements! {
    pub(crate) struct Aside(desk: Rc<Desk>, records: Rc<Records>, printer: Rc<Print>) {
        button: HtmlElement = "show-aside",
        dialog: HtmlDialogElement = "aside-dialog",
        about: Element = "aside-about",
        rows: Element = "aside-rows",
        ;
        counting: Cell<bool>,
        count_again: Cell<bool>,
    }
}

impl Panel for Aside {
    /// Counts anew where something may be set aside, or not any more.
    fn follow(self: Rc<Self>, event: &LogEvent) {
        // As far as was counted.
        let is_empty = self.button.hidden();
        let matters = |entry: &Entry| {
            entry.set_aside().is_some() || (!is_empty && matches!(entry.transaction.action, Action::Issue { .. }))
        };
        if matches!(event, LogEvent::Reload(_)) || event.entries().iter().any(matters) {
            self.count();
        }
    }

    fn records_changed(self: Rc<Self>, _are_there: bool) {
        self.count();
    }
}

impl Aside {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::bind(&self.button, "click", self, |this| spawn_local(this.clone().open()));
        dom::on_submit("aside-form", self, |this| spawn_local(this.clone().print()))?;
        dom::on_click("aside-close", self, |this| this.dialog.close())?;
        // No name stays in the page.
        dom::bind(&self.dialog, "close", self, |this| this.rows.set_text_content(None));
        Ok(())
    }

    /// The items that are set aside and that nobody has taken since, by library.
    async fn set_aside(&self) -> Vec<Entry> {
        let read = async {
            let entries = self.desk.store.set_aside().await?;
            let keys: BTreeSet<_> = entries.iter().filter_map(|entry| entry.transaction.action.item_key()).collect();
            self.desk.store.of_items(&keys.into_iter().collect::<Vec<_>>()).await
        };
        match read.await {
            Ok(entries) => aside::list(&aside::by_item(entries)),
            Err(error) => {
                self.desk.failed(Topic::Other, "readFailed", &error);
                Vec::new()
            }
        }
    }

    /// Shows how many items are to be set aside.
    fn count(self: &Rc<Self>) {
        self.count_again.set(true);
        if !self.counting.replace(true) {
            let this = self.clone();
            spawn_local(async move {
                while this.count_again.replace(false) {
                    let number = this.set_aside().await.len();
                    this.button.set_hidden(number == 0);
                    if number > 0 {
                        this.button.set_text_content(Some(&plural("asideButton", number, &[])));
                    }
                }
                this.counting.set(false);
            });
        }
    }

    /// Barcode, title, who waits, library of pickup and time, in words.
    async fn lines(&self) -> Vec<[String; 5]> {
        let lines = item_now::aside_lines(&self.set_aside().await, self.records.get().as_deref()).await;
        let words = lines.into_iter().map(|line| {
            let (pickup, time) = (self.records.library_name(&line.pickup), wording::moment(line.at));
            [line.barcode.to_string(), line.title, line.who, pickup, time]
        });
        words.collect()
    }

    async fn open(self: Rc<Self>) {
        let lines = self.lines().await;
        self.about.set_text_content(Some(&plural("asideAbout", lines.len(), &[])));
        dom::fill_list(&self.rows, &lines, |line| {
            let row = dom::from_template("aside-template")?;
            for (field, value) in ["barcode", "title", "who", "pickup", "time"].into_iter().zip(line) {
                dom::set_field(&row, field, value);
            }
            Ok(row)
        });
        let _ = self.dialog.show_modal();
    }

    async fn print(self: Rc<Self>) {
        let lines = self.lines().await;
        self.dialog.close();
        self.printer.print_list(&text("asideTitle"), &lines);
    }
}
