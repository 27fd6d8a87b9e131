//! Scans that could not be recorded: shown with their values, on top of the list they would stand in, until somebody deals with
//! them.

use super::{Problem, Unrecorded, open::OpenScans};
use crate::{
    dom::{self, elements},
    i18n::text,
    popup::{log::tall, window::press::Presses},
};
use koct_core::log::warned::Grade;
use std::{cell::RefCell, rc::Rc};
use web_sys::{HtmlElement, MouseEvent};

elements! {
    /// The list of them.
    pub(crate) struct Attention(open: Rc<OpenScans>) {
        checkouts: HtmlElement = "attention-checkout",
        checkins: HtmlElement = "attention-checkin",
        ;
        /// The row of the last card that was taken for the next patron's: there is one such row at most.
        next_patron: RefCell<Option<(u32, HtmlElement)>>,
        presses: Presses,
    }
}

impl Attention {
    /// Adds a scan that was not recorded. `done` is called when a person has dealt with it, and whether it is to be tried again.
    pub(crate) fn add(self: &Rc<Self>, unrecorded: &Unrecorded, done: impl Fn(bool) + 'static) {
        // The page is checked at start; without the template the message line still tells.
        let Ok(row) = dom::from_template("attention-template") else { return };
        let words = [unrecorded.describe(), unrecorded.reason(), unrecorded.retry_label()];
        for (field, words) in ["scan", "reason", "retry"].into_iter().zip(&words) {
            dom::set_field(&row, field, words);
        }
        dom::set_field(&row, "dismiss", &text("attentionDismiss"));
        let grade = if unrecorded.is_a_question() { Grade::Careful } else { Grade::Stop };
        let _ = row.set_attribute("data-grade", grade.name());
        let gone = row.clone();
        let id = self.open.add(words, unrecorded.is_as_it_was(), move |is_tried_again| {
            gone.remove();
            done(is_tried_again);
        });
        if matches!(unrecorded, Unrecorded::Scan(_, Problem::NextPatron(_))) {
            self.remove_card();
            self.next_patron.replace(Some((id, row.clone())));
        }
        for name in ["retry", "dismiss"] {
            let Some(button) = dom::field(&row, name) else { continue };
            dom::bind_event(&button, "click", self, move |this, event: MouseEvent| {
                if !this.presses.is_second_click(&event) {
                    this.open.answer(id, name == "retry");
                }
            });
        }
        let list = if unrecorded.is_checkin() { &self.checkins } else { &self.checkouts };
        let _ = list.prepend_with_node_1(&row);
        tall::give_room(false);
        // Whatever the list shows: this is seen.
        if let Some(scrolled) = list.parent_element() {
            scrolled.set_scroll_top(0);
        }
    }

    /// The last card that was taken for the next patron's was taken back.
    pub(crate) fn remove_card(&self) {
        if let Some((id, row)) = self.next_patron.take() {
            row.remove();
            self.open.remove(id);
        }
    }
}
