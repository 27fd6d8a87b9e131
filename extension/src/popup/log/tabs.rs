//! The log and what is left to do stand in one place: two tabs. The keys are those of tabs everywhere.

use super::table::Table;
use crate::dom::{self, elements};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use web_sys::{HtmlElement, KeyboardEvent};

elements! {
    pub(crate) struct Tabs(table: Rc<Table>) {
        log: HtmlElement = "tab-log",
        todo: HtmlElement = "tab-todo",
        log_panel: HtmlElement = "log-panel",
        todo_panel: HtmlElement = "todo",
        ;
        /// Called when what is left to do comes to be seen.
        shown: RefCell<Option<Box<dyn Fn()>>>,
        /// Whether somebody has chosen a tab since [`Tabs::leave_the_choice`].
        chosen: Cell<bool>,
    }
}

impl Tabs {
    /// Binds the tabs. `shown` is called when what is left to do comes to be seen.
    pub(crate) fn bind(self: &Rc<Self>, shown: impl Fn() + 'static) {
        *self.shown.borrow_mut() = Some(Box::new(shown));
        dom::bind(&self.log, "click", self, |this| this.choose(false));
        dom::bind(&self.todo, "click", self, |this| this.choose(true));
        for tab in [&self.log, &self.todo] {
            dom::bind_event(tab, "keydown", self, |this, event: KeyboardEvent| {
                let has_other = event.ctrl_key() || event.alt_key() || event.meta_key() || event.shift_key();
                let todo = match event.key().as_str() {
                    // There are two: either way leads to the other.
                    "ArrowLeft" | "ArrowRight" => !this.is_todo(),
                    "Home" => false,
                    "End" => true,
                    _ => return,
                };
                if has_other {
                    return;
                }
                event.prevent_default();
                this.choose(todo);
                let _ = if todo { &this.todo } else { &this.log }.focus();
            });
        }
    }

    /// Somebody asks for what is left to do, or for the log.
    fn choose(&self, todo: bool) {
        self.chosen.set(true);
        self.show(todo);
    }

    /// From now on it is known whether somebody chooses.
    pub(crate) fn leave_the_choice(&self) {
        self.chosen.set(false);
    }

    /// Whether somebody has chosen since.
    pub(crate) fn is_chosen(&self) -> bool {
        self.chosen.get()
    }

    /// Whether what is left to do is seen.
    pub(crate) fn is_todo(&self) -> bool {
        !self.todo_panel.hidden()
    }

    /// Shows what is left to do, or the log.
    pub(crate) fn show(&self, todo: bool) {
        if todo == self.is_todo() {
            return;
        }
        for (tab, panel, is_shown) in [(&self.log, &self.log_panel, !todo), (&self.todo, &self.todo_panel, todo)] {
            let _ = tab.set_attribute("aria-selected", if is_shown { "true" } else { "false" });
            let _ = tab.set_attribute("tabindex", if is_shown { "0" } else { "-1" });
            panel.set_hidden(!is_shown);
        }
        if todo {
            if let Some(shown) = &*self.shown.borrow() {
                shown();
            }
        } else {
            // Nobody measures what is not seen.
            self.table.clone().ask_for_frame();
        }
    }
}
