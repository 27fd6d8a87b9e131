//! Scans that could not be recorded: shown with their values, on top of the list they would stand in, until somebody deals with
//! them.

use super::{
    describe, label,
    open::{Answer, OpenScans},
    reason,
};
use crate::{
    dom::{self, elements},
    popup::{log::tall, window::press::Presses},
};
use koct_core::{
    desk::unrecorded::{Problem, Unrecorded},
    log::warned::Grade,
};
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
    /// Adds a scan that was not recorded. `done` is called with what a person has answered.
    pub(crate) fn add(self: &Rc<Self>, unrecorded: &Unrecorded, done: impl Fn(Answer) + 'static) {
        // The page is checked at start; without the template the message line still tells.
        let Ok(row) = dom::from_template("attention-template") else { return };
        let words = [describe(unrecorded), reason(unrecorded)];
        for (field, words) in ["scan", "reason"].into_iter().zip(&words) {
            dom::set_field(&row, field, words);
        }
        let answers: Vec<(Answer, String)> =
            unrecorded.answers().iter().map(|answer| (*answer, label(unrecorded, *answer))).collect();
        let grade = if unrecorded.is_a_question() { Grade::Careful } else { Grade::Stop };
        let _ = row.set_attribute("data-grade", grade.name());
        let gone = row.clone();
        let id = self.open.add(unrecorded.clone(), words, answers.clone(), move |answer| {
            gone.remove();
            done(answer);
        });
        if matches!(unrecorded, Unrecorded::Scan(_, Problem::NextPatron(_))) {
            self.remove_card();
            self.next_patron.replace(Some((id, row.clone())));
        }
        let Some(place) = row.query_selector(".why").ok().flatten() else { return };
        for (answer, label) in answers {
            let Ok(button) = dom::from_template("answer-template") else { continue };
            let _ = button.set_attribute("data-field", answer.name());
            button.set_text_content(Some(&label));
            let _ = place.append_child(&button);
            dom::bind_event(&button, "click", self, move |this, event: MouseEvent| {
                if !this.presses.is_second_click(&event) {
                    this.open.answer(id, answer);
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
