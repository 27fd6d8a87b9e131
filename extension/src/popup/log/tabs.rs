//! The log and what is left to do stand in one place.

use super::table::Table;
use crate::{
    dom::{self, elements},
    popup::window::two_tabs::TwoTabs,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use web_sys::KeyboardEvent;

elements! {
    pub(crate) struct Tabs(table: Rc<Table>) {
        ;
        both: TwoTabs = TwoTabs {
            first: (dom::by_id("tab-log")?, dom::by_id("log-panel")?),
            second: (dom::by_id("tab-todo")?, dom::by_id("todo")?),
        },
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
        for (tab, todo) in self.both.buttons().into_iter().zip([false, true]) {
            dom::bind(tab, "click", self, move |this| this.choose(todo));
            dom::bind_event(tab, "keydown", self, |this, event: KeyboardEvent| {
                let Some(todo) = this.both.led_to(&event) else { return };
                event.prevent_default();
                this.choose(todo);
                this.both.focus();
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
        self.both.is_second()
    }

    /// Shows what is left to do, or the log.
    pub(crate) fn show(&self, todo: bool) {
        if todo == self.is_todo() {
            return;
        }
        self.both.show(todo);
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
