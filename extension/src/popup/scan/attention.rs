//! Scans that could not be recorded: shown with their values until somebody deals with them.

use super::{Problem, Unrecorded};
use crate::{
    dom::{self, elements},
    i18n::text,
};
use std::{cell::RefCell, rc::Rc};
use web_sys::HtmlElement;

elements! {
    /// The list of them.
    pub(crate) struct Attention {
        list: HtmlElement = "attention",
        ;
        /// The row of the last card that was taken for the next patron's: there is one such row at most.
        next_patron: RefCell<Option<HtmlElement>>,
    }
}

impl Attention {
    /// Adds a scan that was not recorded. `done` is called when a person has dealt with it, and whether it is to be tried again.
    pub(crate) fn add(self: &Rc<Self>, unrecorded: &Unrecorded, done: impl Fn(bool) + Clone + 'static) {
        // The page is checked at start; without the template the message line still tells.
        let Ok(row) = dom::from_template("attention-template") else { return };
        dom::set_field(&row, "scan", &unrecorded.describe());
        dom::set_field(&row, "reason", &unrecorded.reason());
        dom::set_field(&row, "retry", &unrecorded.retry_label());
        dom::set_field(&row, "dismiss", &text("attentionDismiss"));
        if unrecorded.is_a_question() {
            let _ = row.set_attribute("data-question", "");
        }
        if matches!(unrecorded, Unrecorded::Scan(_, Problem::NextPatron(_)))
            && let Some(before) = self.next_patron.replace(Some(row.clone()))
        {
            before.remove();
        }
        for name in ["retry", "dismiss"] {
            let Some(button) = dom::field(&row, name) else { continue };
            let (row, done) = (row.clone(), done.clone());
            dom::bind(&button, "click", self, move |this| {
                row.remove();
                this.hide_if_empty();
                done(name == "retry");
            });
        }
        let _ = self.list.append_with_node_1(&row);
        self.list.set_hidden(false);
    }

    /// The last card that was taken for the next patron's was taken back.
    pub(crate) fn remove_card(&self) {
        if let Some(row) = self.next_patron.take() {
            row.remove();
            self.hide_if_empty();
        }
    }

    fn hide_if_empty(&self) {
        self.list.set_hidden(self.list.child_element_count() == 0);
    }
}
