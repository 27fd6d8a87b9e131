//! What came back and is on hold: the list of items to set aside, on screen and on paper.

use crate::{
    dom,
    i18n::{plural, text, text_with},
    popup::{Desk, Tone},
    wording,
};
use koct_core::{Entry, directory::aside};
use std::{cell::Cell, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlDialogElement, HtmlElement};

pub(crate) struct Aside {
    button: HtmlElement,
    dialog: HtmlDialogElement,
    about: Element,
    rows: Element,
    counting: Cell<bool>,
    count_again: Cell<bool>,
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

impl Aside {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn new() -> Result<Self, JsValue> {
        Ok(Self {
            button: dom::by_id("show-aside")?,
            dialog: dom::by_id("aside-dialog")?,
            about: dom::by_id("aside-about")?,
            rows: dom::by_id("aside-rows")?,
            counting: Cell::default(),
            count_again: Cell::default(),
        })
    }

    /// Whether nothing is set aside, as far as was counted.
    pub(crate) fn is_empty(&self) -> bool {
        self.button.hidden()
    }
}

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let this = desk.clone();
    dom::on::<Event>(&desk.aside.button, "click", move |_| spawn_local(this.clone().open_aside()));
    let this = desk.clone();
    dom::on::<Event>(dom::by_id::<Element>("aside-form")?.as_ref(), "submit", move |event| {
        event.prevent_default();
        spawn_local(this.clone().print_aside());
    });
    let this = desk.clone();
    dom::on::<Event>(dom::by_id::<Element>("aside-close")?.as_ref(), "click", move |_| this.aside.dialog.close());
    let this = desk.clone();
    dom::on::<Event>(&desk.aside.dialog, "close", move |_| {
        // No name stays in the page.
        this.aside.rows.set_text_content(None);
    });
    Ok(())
}

impl Desk {
    /// The items that are set aside and that nobody has taken since, by library.
    async fn set_aside(&self) -> Vec<Entry> {
        let entries = match self.store.set_aside().await {
            Ok(entries) => entries,
            Err(error) => {
                self.message.show(Tone::Bad, &text_with("openFailed", &[&error.to_string()]));
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
