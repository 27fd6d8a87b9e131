//! What is done leaves its place to the next row: the second press of a double click, or a key that is held, is not meant for that.

use std::cell::Cell;
use wasm_bindgen::JsCast;
use web_sys::{Event, MouseEvent};

/// Two presses that are nearer to each other than this, in milliseconds and CSS pixels, are one.
const APART: f64 = 400.0;
const NEAR: i32 = 6;

/// When and where something was pressed last, by the page's clock.
#[derive(Default)]
pub(crate) struct Presses(Cell<(f64, i32, i32)>);

impl Presses {
    /// Whether this comes right after another press, at the same place.
    pub(crate) fn is_second(&self, event: &Event) -> bool {
        let (x, y) =
            event.dyn_ref::<MouseEvent>().map(|mouse| (mouse.client_x(), mouse.client_y())).unwrap_or_default();
        let (before, left, top) = self.0.replace((event.time_stamp(), x, y));
        event.time_stamp() - before < APART && (x - left).abs() < NEAR && (y - top).abs() < NEAR
    }

    /// The same, of the mouse alone: a key goes to what has the focus, and that is no next row.
    pub(crate) fn is_second_click(&self, event: &MouseEvent) -> bool {
        event.detail() > 0 && self.is_second(event)
    }
}
