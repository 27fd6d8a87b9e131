//! The fields that codes are scanned into: when a code is complete, and what is meant by its keys.
//!
//! Enter ends it always. Where the scanner types Tab, so does Tab in a field that holds something; where it types nothing,
//! silence does after characters that came faster than anybody types (`koct_core::desk::scanner`). The times are those of the keys: a page that
//! is busy hears of them late.

use crate::{
    dom,
    popup::{Desk, on_enter},
    timer::{now, sleep},
};
use koct_core::desk::{
    keyboard::{Keys, Meaning, Press},
    scanner::{Burst, SILENCE, ScannerEnd, is_in_time},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, HtmlInputElement, KeyboardEvent};

struct CodeField {
    desk: Rc<Desk>,
    input: HtmlInputElement,
    /// What came, by the characters in the field.
    burst: Cell<Burst>,
    /// What came, by the keys.
    keys: RefCell<Keys>,
    /// What the field held after the last of it.
    held: RefCell<String>,
    /// A scanner's Enter came while an input method composed: the code is over when that is done.
    is_composed: Cell<bool>,
    complete: Box<dyn Fn(Meaning)>,
    left: Box<dyn Fn(String)>,
}

/// Calls `complete` when a code in this field is complete, with what is meant by it; before that `left`, where something was left in the
/// field before it.
pub(crate) fn on_code(
    desk: &Rc<Desk>,
    input: &HtmlInputElement,
    complete: impl Fn(Meaning) + 'static,
    left: impl Fn(String) + 'static,
) {
    let field = Rc::new(CodeField {
        desk: desk.clone(),
        input: input.clone(),
        burst: Cell::default(),
        keys: RefCell::default(),
        held: RefCell::default(),
        is_composed: Cell::default(),
        complete: Box::new(complete),
        left: Box::new(left),
    });
    dom::bind_event(input, "keydown", &field, |this, event: KeyboardEvent| this.pressed(&event));
    let this = field.clone();
    on_enter(input, move || this.over());
    dom::bind_event(input, "input", &field, |this, event: Event| this.changed(&event));
    dom::bind(input, "compositionend", &field, |this| {
        if this.is_composed.take() {
            let this = this.clone();
            // The field holds it when this event is through.
            spawn_local(async move {
                sleep(Duration::ZERO).await;
                this.over_if_any();
            });
        }
    });
}

/// A key as the rules see it.
pub(crate) fn press<'a>(event: &KeyboardEvent, key: &'a str, code: &'a str) -> Press<'a> {
    Press {
        key,
        code,
        shift: event.shift_key(),
        control: event.ctrl_key(),
        alt: event.alt_key(),
        meta: event.meta_key(),
    }
}

impl CodeField {
    fn ends_with(&self, end: ScannerEnd) -> bool {
        self.desk.preferences.borrow().desk.scanner_end == end
    }

    fn pressed(&self, event: &KeyboardEvent) {
        let (key, code, time) = (event.key(), event.code(), event.time_stamp());
        let press = press(event, &key, &code);
        if self.keys.borrow().keeps(press, time) {
            return event.prevent_default();
        }
        let is_composing = event.is_composing();
        let types = key.chars().nth(1).is_none() || is_composing;
        if types && self.ends_with(ScannerEnd::Nothing) && self.burst.get().is_over(time) {
            // Before this key lands in the field.
            self.over_if_any();
        }
        let is_part_of_sign = is_composing || press.alt || press.control || press.meta;
        if types && !is_part_of_sign && self.is_typed_over() {
            // Whatever was typed before stands there no more: another code begins.
            self.keys.take();
        }
        self.is_composed.set(is_composing && key == "Enter" && self.keys.borrow().is_code(time));
        self.keys.borrow_mut().press(press, time);
        let is_tab = key == "Tab" && !event.shift_key() && !is_composing;
        if is_tab && self.ends_with(ScannerEnd::Tab) && !self.input.value().trim().is_empty() {
            event.prevent_default();
            self.over();
        }
    }

    /// Whether the next sign takes the place of all that the field holds.
    fn is_typed_over(&self) -> bool {
        let ends = [self.input.selection_start(), self.input.selection_end()].map(|end| end.ok().flatten());
        let length = u32::try_from(self.input.value().encode_utf16().count()).ok();
        ends == [Some(0), length]
    }

    fn changed(self: &Rc<Self>, event: &Event) {
        if !self.ends_with(ScannerEnd::Nothing) {
            return;
        }
        let time = event.time_stamp();
        if self.burst.get().is_over(time) {
            // It came without a key that was told before.
            let (held, value) = (self.held.take(), self.input.value());
            if let Some(next) = value.strip_prefix(&held) {
                self.input.set_value(&held);
                self.over_if_any();
                self.input.set_value(next);
            }
        }
        let mut burst = self.burst.get();
        burst.key(time);
        self.burst.set(burst);
        self.held.replace(self.input.value());
        spawn_local(self.clone().wait_for_silence(burst));
    }

    async fn wait_for_silence(self: Rc<Self>, burst: Burst) {
        loop {
            let asked = now();
            sleep(SILENCE).await;
            // Something came since: that will look again. What was taken meanwhile is gone from the field.
            if self.burst.get() != burst {
                return;
            }
            if is_in_time(asked, now()) {
                break;
            }
        }
        if burst.is_code() {
            self.over_if_any();
        }
    }

    fn over_if_any(&self) {
        if !self.input.value().trim().is_empty() {
            self.over();
        }
    }

    /// The code is over. What Enter has ended is no code for the silence after it: a card stays in its field.
    fn over(&self) {
        let (burst, keys) = (self.burst.take(), self.keys.take());
        if self.ends_with(ScannerEnd::Nothing) && burst.is_code() {
            let held = self.input.value();
            let (left, code) = burst.parts(&held);
            if !left.trim().is_empty() {
                self.input.set_value(code);
                (self.left)(left.to_owned());
            }
        }
        let keyboard = self.desk.preferences.borrow().desk.scanner_keyboard;
        (self.complete)(keys.meaning(&self.input.value(), keyboard));
    }
}
