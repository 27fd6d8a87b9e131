//! The scans that are not recorded and wait for somebody: where they are shown, and in what is left to do.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// What a person answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is meant, or tried again.
    Retry,
    /// It is corrected in its field.
    Edit,
    /// It is not to be recorded.
    Dismiss,
    /// It is meant, and so are all that are like it.
    Always,
    /// It is right as it was typed, and so are all that are like it.
    AsTyped,
    /// It is right, and so are all codes that are like it, from now on.
    Teach,
    /// Nobody answered it: it is looked at anew, since something was said of another.
    Ask,
}

impl Answer {
    /// All of them.
    const ALL: [Self; 7] =
        [Self::Retry, Self::Edit, Self::Dismiss, Self::Always, Self::AsTyped, Self::Teach, Self::Ask];

    /// The name of its button.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Edit => "edit",
            Self::Dismiss => "dismiss",
            Self::Always => "always",
            Self::AsTyped => "as-typed",
            Self::Teach => "teach",
            Self::Ask => "ask",
        }
    }

    /// The one whose button has this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|answer| answer.name() == name)
    }

    /// Whether it holds for all that are like it.
    fn is_for_all(self) -> bool {
        matches!(self, Self::Always | Self::AsTyped)
    }
}

/// One of them, in words, and what is done when a person has dealt with it.
pub(crate) struct OpenScan {
    id: u32,
    pub(crate) scan: String,
    pub(crate) reason: String,
    pub(crate) answers: Vec<(Answer, String)>,
    /// Whether nothing is wrong with it: tried again as it is, it may be recorded.
    pub(crate) is_as_it_was: bool,
    /// Whether it is asked what a code looks like.
    is_of_look: bool,
    done: Box<dyn Fn(Answer)>,
}

impl OpenScan {
    /// Whether this can be answered.
    fn has(&self, answer: Answer) -> bool {
        self.answers.iter().any(|(offered, _)| *offered == answer)
    }

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

    /// Adds one. `done` is called with what a person has answered. Returns its number.
    pub(crate) fn add(
        &self,
        words: [String; 2],
        answers: Vec<(Answer, String)>,
        is_as_it_was: bool,
        is_of_look: bool,
        done: impl Fn(Answer) + 'static,
    ) -> u32 {
        let id = self.last.get() + 1;
        self.last.set(id);
        let [scan, reason] = words;
        let done = Box::new(done);
        self.list.borrow_mut().push(Rc::new(OpenScan { id, scan, reason, answers, is_as_it_was, is_of_look, done }));
        self.tell();
        id
    }

    /// A person has dealt with it, wherever they saw it.
    pub(crate) fn answer(&self, id: u32, answer: Answer) {
        let Some(scan) = self.remove(id) else { return };
        (scan.done)(answer);
        let is_right = scan.is_of_look && matches!(answer, Answer::Retry | Answer::Teach);
        // They are asked about the same: it is answered once. Where a code was said to be right, the others are looked at anew.
        let is_asked_too =
            |other: &OpenScan| (answer.is_for_all() && other.has(answer)) || (is_right && other.is_of_look);
        let others: Vec<u32> =
            self.list.borrow().iter().filter(|other| is_asked_too(other)).map(|other| other.id).collect();
        for other in others.into_iter().filter_map(|id| self.remove(id)) {
            (other.done)(if is_right { Answer::Ask } else { answer });
        }
    }

    /// The newest that asks which keyboard a scanner is set to is as it is by its keys. Returns whether there was one.
    pub(crate) fn answer_newest_of_keyboard(&self) -> bool {
        let newest = self.list.borrow().iter().rev().find(|scan| scan.has(Answer::AsTyped)).map(|scan| scan.id);
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
