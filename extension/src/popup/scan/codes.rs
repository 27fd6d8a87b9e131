//! The fields that codes are scanned into: when a code is complete.
//!
//! Enter ends it always. Where the scanner types Tab, so does Tab in a field that holds something; where it types nothing,
//! silence does after characters that came faster than anybody types (`koct_core::desk::scanner`).

use crate::{
    dom,
    popup::{Desk, on_enter},
    timer::sleep,
};
use koct_core::desk::scanner::{Burst, SILENCE, ScannerEnd};
use std::{cell::Cell, rc::Rc, time::Duration};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, HtmlInputElement, KeyboardEvent};

/// Calls `handler` when a code in this field is complete.
pub(crate) fn on_code(desk: &Rc<Desk>, input: &HtmlInputElement, handler: impl Fn() + Clone + 'static) {
    let burst = Rc::new(Cell::new(Burst::default()));
    let (typed, complete) = (burst.clone(), handler.clone());
    on_enter(input, move || {
        // What Enter has ended is no code for the silence after it: a card stays in its field.
        typed.set(Burst::default());
        complete();
    });
    let ends_with = |desk: &Desk, end: ScannerEnd| desk.preferences.borrow().desk.scanner_end == end;

    let (this, field, complete) = (desk.clone(), input.clone(), handler.clone());
    dom::on::<KeyboardEvent>(input.unchecked_ref(), "keydown", move |event| {
        let is_tab = event.key() == "Tab" && !event.shift_key() && !event.is_composing();
        if is_tab && ends_with(&this, ScannerEnd::Tab) && !field.value().trim().is_empty() {
            event.prevent_default();
            complete();
        }
    });

    let (this, field) = (desk.clone(), input.clone());
    dom::on::<Event>(input.unchecked_ref(), "input", move |event| {
        if !ends_with(&this, ScannerEnd::Nothing) {
            return;
        }
        let mut keys = burst.get();
        keys.key(event.time_stamp());
        burst.set(keys);
        let (burst, field, complete) = (burst.clone(), field.clone(), handler.clone());
        spawn_local(async move {
            sleep(Duration::from_secs_f64(SILENCE / 1000.0)).await;
            // Something came since: that will look again. What was taken by Enter meanwhile is gone from the field.
            if burst.get() == keys && keys.is_code() && !field.value().trim().is_empty() {
                burst.set(Burst::default());
                complete();
            }
        });
    });
}
