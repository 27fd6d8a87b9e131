//! Work that is done anew whenever it is asked for, one at a time: what is asked for meanwhile is done in one more go.

use std::{cell::Cell, rc::Rc};
use wasm_bindgen_futures::spawn_local;

/// Whether it is being done, and whether it is to be done.
#[derive(Debug, Default)]
pub(crate) struct Anew {
    is_running: Cell<bool>,
    is_wanted: Cell<bool>,
}

impl Anew {
    /// It is asked for, and this is how it is done.
    pub(crate) fn go(self: &Rc<Self>, work: impl AsyncFn() + 'static) {
        if self.ask() {
            let this = self.clone();
            spawn_local(async move {
                while this.goes_on() {
                    work().await;
                }
            });
        }
    }

    /// It is asked for. Returns whether whoever asks is to begin it: else somebody is at it.
    pub(crate) fn ask(&self) -> bool {
        self.is_wanted.set(true);
        !self.is_running.replace(true)
    }

    /// Whether it is to be done now. Whoever began it asks so until it is not.
    pub(crate) fn goes_on(&self) -> bool {
        let is_wanted = self.is_wanted.replace(false);
        self.is_running.set(is_wanted);
        is_wanted
    }
}
