//! The scans that are not recorded and wait for somebody: where they are shown, and in what is left to do.

pub(crate) use koct_core::desk::unrecorded::Answer;

use koct_core::desk::unrecorded::Unrecorded;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// One of them, in words, and what is done when a person has dealt with it.
pub(crate) struct OpenScan {
    id: u32,
    of: Unrecorded,
    pub(crate) scan: String,
    pub(crate) reason: String,
    pub(crate) answers: Vec<(Answer, String)>,
    /// Whether nothing is wrong with it: tried again as it is, it may be recorded.
    pub(crate) is_as_it_was: bool,
    done: Box<dyn Fn(Answer)>,
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

    /// Adds one, in these words. `done` is called with what a person has answered. Returns its number.
    pub(crate) fn add(
        &self,
        of: Unrecorded,
        [scan, reason]: [String; 2],
        answers: Vec<(Answer, String)>,
        done: impl Fn(Answer) + 'static,
    ) -> u32 {
        let id = self.last.get() + 1;
        self.last.set(id);
        let (is_as_it_was, done) = (of.is_as_it_was(), Box::new(done));
        self.list.borrow_mut().push(Rc::new(OpenScan { id, of, scan, reason, answers, is_as_it_was, done }));
        self.tell();
        id
    }

    /// A person has dealt with it, wherever they saw it.
    pub(crate) fn answer(&self, id: u32, answer: Answer) {
        let Some(scan) = self.remove(id) else { return };
        (scan.done)(answer);
        let settled = |other: &Rc<OpenScan>| scan.of.settles(answer, &other.of).map(|answer| (other.id, answer));
        let others: Vec<(u32, Answer)> = self.list.borrow().iter().filter_map(settled).collect();
        for (id, answer) in others {
            if let Some(other) = self.remove(id) {
                (other.done)(answer);
            }
        }
    }

    /// The newest that asks which keyboard a scanner is set to is as it is by its keys. Returns whether there was one.
    pub(crate) fn answer_newest_of_keyboard(&self) -> bool {
        let newest = self.list.borrow().iter().rev().find(|scan| scan.of.asks_keyboard()).map(|scan| scan.id);
        newest.inspect(|id| self.answer(*id, Answer::Retry)).is_some()
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
