//! The scans that are not recorded and wait for somebody: where they are shown, and in what is left to do.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// One of them, in words, and what is done when a person has dealt with it.
pub(crate) struct OpenScan {
    id: u32,
    pub(crate) scan: String,
    pub(crate) reason: String,
    pub(crate) retry: String,
    /// Whether nothing is wrong with it: tried again as it is, it may be recorded.
    pub(crate) is_as_it_was: bool,
    done: Box<dyn Fn(bool)>,
}

impl OpenScan {
    /// Its number in this window.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }
}

/// All of them, the oldest first.
#[derive(Default)]
pub(crate) struct OpenScans {
    list: RefCell<Vec<Rc<OpenScan>>>,
    last: Cell<u32>,
    changed: RefCell<Option<Box<dyn Fn()>>>,
}

impl OpenScans {
    /// Calls this at each change from now on.
    pub(crate) fn on_change(&self, changed: impl Fn() + 'static) {
        *self.changed.borrow_mut() = Some(Box::new(changed));
    }

    /// Adds one. `done` is called with whether it is to be tried again. Returns its number.
    pub(crate) fn add(&self, words: [String; 3], is_as_it_was: bool, done: impl Fn(bool) + 'static) -> u32 {
        let id = self.last.get() + 1;
        self.last.set(id);
        let [scan, reason, retry] = words;
        self.list.borrow_mut().push(Rc::new(OpenScan { id, scan, reason, retry, is_as_it_was, done: Box::new(done) }));
        self.tell();
        id
    }

    /// A person has dealt with it, wherever they saw it.
    pub(crate) fn answer(&self, id: u32, is_tried_again: bool) {
        if let Some(scan) = self.remove(id) {
            (scan.done)(is_tried_again);
        }
    }

    /// It is gone without an answer. Returns it.
    pub(crate) fn remove(&self, id: u32) -> Option<Rc<OpenScan>> {
        let place = self.list.borrow().iter().position(|scan| scan.id == id)?;
        let scan = self.list.borrow_mut().remove(place);
        self.tell();
        Some(scan)
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Rc<OpenScan>> {
        self.list.borrow().clone()
    }

    fn tell(&self) {
        if let Some(changed) = &*self.changed.borrow() {
            changed();
        }
    }
}
