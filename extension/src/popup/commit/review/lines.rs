//! Transactions as lines: by title and name as soon as these are looked up.

use super::ReviewPanel;
use crate::{dom, popup::known::labels, wording};
use koct_core::Entry;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlElement;

/// The lines that are drawn and whose names are not looked up yet.
#[derive(Default)]
pub(super) struct Lines {
    unnamed: RefCell<VecDeque<(Entry, HtmlElement)>>,
    naming: Cell<bool>,
}

impl Lines {
    /// They are not to be seen any more.
    pub(super) fn stop(&self) {
        self.unnamed.borrow_mut().clear();
    }
}

impl ReviewPanel {
    /// A line for this one. `when` is its time, in words.
    pub(super) fn line(&self, entry: &Entry, when: &str) -> Result<HtmlElement, JsValue> {
        let line = dom::from_template("review-entry-template")?;
        line.set_attribute("data-action", entry.transaction.action.word())?;
        line.set_title(&wording::transaction(&entry.transaction));
        let action = &entry.transaction.action;
        for (field, words) in [
            ("when", when),
            ("action", &wording::action(action)),
            ("barcode", &wording::item_or_amount(action)),
            ("cardnumber", &action.cardnumber().map(ToString::to_string).unwrap_or_default()),
            ("desk", &self.desk_name(entry.desk.as_ref())),
        ] {
            dom::set_field(&line, field, words);
        }
        match self.labels.of(entry) {
            Some(label) => labels::show(&line, &label),
            None => self.lines.unnamed.borrow_mut().push_back((entry.clone(), line.clone())),
        }
        Ok(line)
    }

    /// Looks up what the lines are called, the first that was drawn first.
    pub(super) fn name_lines(&self) {
        if self.lines.naming.replace(true) {
            return;
        }
        let (lines, labels) = (self.lines.clone(), self.labels.clone());
        spawn_local(async move {
            loop {
                let next = lines.unnamed.borrow_mut().pop_front();
                let Some((entry, line)) = next else { break };
                labels.look_up(&entry).await;
                labels::show(&line, &labels.of(&entry).unwrap_or_default());
            }
            lines.naming.set(false);
        });
    }
}
