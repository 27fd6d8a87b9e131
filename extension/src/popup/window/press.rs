//! Which presses are the second of a double click, or of a key that is held: the rule is `core::desk::press`.

use crate::timer::sleep;
use koct_core::desk::press::Press;
use std::{cell::Cell, time::Duration};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, MouseEvent};

/// How often it is looked whether something is let go.
const LOOKING: Duration = Duration::from_millis(50);

/// Waits until nothing in here is being pressed: what changes under a pointer is not what somebody wanted to press.
pub(crate) async fn let_go(element: &Element) {
    while element.matches(":active").unwrap_or(false) {
        sleep(LOOKING).await;
    }
}

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
