//! What came back and is on hold: the list of items to set aside, on screen and on paper.

use crate::{
    dom::{self, elements},
    i18n::{plural, text},
    popup::{Desk, Topic},
    wording,
};
use koct_core::{Action, Entry, directory::aside, log::event::LogEvent};
use std::{cell::Cell, rc::Rc};
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

/// An item to set aside.
struct Line {
    time: String,
    barcode: String,
    title: String,
    /// Who waits; empty where the records are gone.
    who: String,
    pickup: String,
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
        desk.focus.back();
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
        let entries = match self.store.set_aside().await {
            Ok(entries) => entries,
            Err(error) => {
                self.failed(Topic::Other, "openFailed", &error);
                Vec::new()
            }
        };
        let keys = entries.iter().filter_map(|entry| entry.transaction.action.item_key()).collect();
        aside::list(&self.of_items(keys).await)
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

    async fn lines_aside(&self) -> Vec<Line> {
        let records = self.records.get();
        let mut lines = Vec::new();
        for entry in self.set_aside().await {
            let Some(((hold, pickup), barcode)) = entry.set_aside().zip(entry.transaction.action.barcode()) else {
                continue;
            };
            let mut line = Line {
                time: wording::moment(entry.transaction.moment),
                barcode: barcode.to_string(),
                title: String::new(),
                who: String::new(),
                pickup: self.library_name(pickup),
            };
            // Without records, the list is as good without names.
            if let Some(records) = &records
                && let Ok(Some(item)) = records.item_by_barcode(barcode.as_str()).await
            {
                let holds = records.holds_on(item.biblio).await.unwrap_or_default();
                if let Some(hold) = holds.iter().find(|other| other.id == hold)
                    && let Ok(Some(patron)) = records.patron(hold.patron).await
                {
                    line.who = patron.name();
                }
                line.title = item.title;
            }
            lines.push(line);
        }
        lines
    }

    async fn open_aside(self: Rc<Self>) {
        let lines = self.lines_aside().await;
        self.aside.about.set_text_content(Some(&plural("asideAbout", lines.len(), &[])));
        self.aside.rows.set_text_content(None);
        for line in &lines {
            let Ok(row) = dom::from_template("aside-template") else { continue };
            let fields = [
                ("time", &line.time),
                ("barcode", &line.barcode),
                ("title", &line.title),
                ("who", &line.who),
                ("pickup", &line.pickup),
            ];
            for (field, value) in fields {
                dom::set_field(&row, field, value);
            }
            let _ = self.aside.rows.append_with_node_1(&row);
        }
        let _ = self.aside.dialog.show_modal();
    }

    async fn print_aside(self: Rc<Self>) {
        let lines = self.lines_aside().await;
        let rows: Vec<[String; 5]> =
            lines.into_iter().map(|line| [line.barcode, line.title, line.who, line.pickup, line.time]).collect();
        self.aside.dialog.close();
        self.print_list(&text("asideTitle"), &rows);
    }
}
