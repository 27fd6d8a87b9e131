//! Which presses are the second of a double click, or of a key that is held: the rule is `core::desk::press`.

use koct_core::desk::press::Press;
use std::cell::Cell;
use wasm_bindgen::JsCast;
use web_sys::{Event, MouseEvent};

/// What was pressed last.
#[derive(Default)]
pub(crate) struct Presses(Cell<Press>);

impl Presses {
    /// Whether this comes right after another press, at the same place.
    pub(crate) fn is_second(&self, event: &Event) -> bool {
        let place = event.dyn_ref::<MouseEvent>().map(|mouse| (mouse.client_x(), mouse.client_y())).unwrap_or_default();
        let press = Press { at: event.time_stamp(), place };
        press.is_second_of(self.0.replace(press))
    }

    /// The same, of the mouse alone: a key goes to what has the focus, and that is no next row.
    pub(crate) fn is_second_click(&self, event: &MouseEvent) -> bool {
        event.detail() > 0 && self.is_second(event)
    }
}
