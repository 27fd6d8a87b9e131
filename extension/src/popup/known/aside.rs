//! What came back and is on hold: the list of items to set aside, on screen and on paper.

use crate::{
    dom::{self, elements},
    i18n::{plural, text},
    popup::{Desk, Topic},
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
    pub(crate) struct Aside {
        button: HtmlElement = "show-aside",
        dialog: HtmlDialogElement = "aside-dialog",
        about: Element = "aside-about",
        rows: Element = "aside-rows",
        ;
        counting: Cell<bool>,
        count_again: Cell<bool>,
    }
}

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    dom::bind(&desk.aside.button, "click", desk, |desk| spawn_local(desk.clone().open_aside()));
    dom::on_submit("aside-form", desk, |desk| {
        spawn_local(desk.clone().print_aside());
    })?;
    dom::on_click("aside-close", desk, |desk| desk.aside.dialog.close())?;
    dom::bind(&desk.aside.dialog, "close", desk, |desk| {
        // No name stays in the page.
        desk.aside.rows.set_text_content(None);
    });
    Ok(())
}

/// Counts anew where something may be set aside, or not any more.
pub(crate) fn follow(desk: &Rc<Desk>, event: &LogEvent) {
    // As far as was counted.
    let is_empty = desk.aside.button.hidden();
    let matters = |entry: &Entry| {
        entry.set_aside().is_some() || (!is_empty && matches!(entry.transaction.action, Action::Issue { .. }))
    };
    if matches!(event, LogEvent::Reload(_)) || event.entries().iter().any(matters) {
        desk.count_aside();
    }
}

impl Desk {
    /// The items that are set aside and that nobody has taken since, by library.
    async fn set_aside(&self) -> Vec<Entry> {
        let read = async {
            let entries = self.store.set_aside().await?;
            let keys: BTreeSet<_> = entries.iter().filter_map(|entry| entry.transaction.action.item_key()).collect();
            self.store.of_items(&keys.into_iter().collect::<Vec<_>>()).await
        };
        match read.await {
            Ok(entries) => aside::list(&aside::by_item(entries)),
            Err(error) => {
                self.failed(Topic::Other, "openFailed", &error);
                Vec::new()
            }
        }
    }

    /// Shows how many items are to be set aside.
    pub(crate) fn count_aside(self: &Rc<Self>) {
        self.aside.count_again.set(true);
        if !self.aside.counting.replace(true) {
            let desk = self.clone();
            spawn_local(async move {
                while desk.aside.count_again.replace(false) {
                    let number = desk.set_aside().await.len();
                    desk.aside.button.set_hidden(number == 0);
                    if number > 0 {
                        desk.aside.button.set_text_content(Some(&plural("asideButton", number, &[])));
                    }
                }
                desk.aside.counting.set(false);
            });
        }
    }

    /// Barcode, title, who waits, library of pickup and time, in words.
    async fn lines_aside(&self) -> Vec<[String; 5]> {
        let lines = item_now::aside_lines(&self.set_aside().await, self.records.get().as_deref()).await;
        let words = lines.into_iter().map(|line| {
            let (pickup, time) = (self.library_name(&line.pickup), wording::moment(line.at));
            [line.barcode.to_string(), line.title, line.who, pickup, time]
        });
        words.collect()
    }

    async fn open_aside(self: Rc<Self>) {
        let lines = self.lines_aside().await;
        self.aside.about.set_text_content(Some(&plural("asideAbout", lines.len(), &[])));
        self.aside.rows.set_text_content(None);
        for line in &lines {
            let Ok(row) = dom::from_template("aside-template") else { continue };
            for (field, value) in ["barcode", "title", "who", "pickup", "time"].into_iter().zip(line) {
                dom::set_field(&row, field, value);
            }
            let _ = self.aside.rows.append_with_node_1(&row);
        }
        let _ = self.aside.dialog.show_modal();
    }

    async fn print_aside(self: Rc<Self>) {
        let lines = self.lines_aside().await;
        self.aside.dialog.close();
        self.print_list(&text("asideTitle"), &lines);
    }
}
