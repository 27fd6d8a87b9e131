//! The field of the settings page in which a scanner is tried: it says what ends the code, and whether it looks like a card.

use super::Options;
use crate::{
    dom::{self, elements},
    i18n::{text, text_with},
    timer::sleep,
    wording,
};
use koct_core::desk::scanner::{Burst, SILENCE, ScannerEnd};
use std::{cell::Cell, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, HtmlElement, HtmlInputElement, KeyboardEvent};

elements! {
    struct TryScan(options: Rc<Options>) {
        field: HtmlInputElement = "try-scan",
        said: HtmlElement = "try-scan-said",
        ;
        burst: Cell<Burst>,
    }
}

/// Binds the field.
///
/// # Errors
/// When the page lacks it.
pub(super) fn bind(options: &Rc<Options>) -> Result<(), JsValue> {
    let this = Rc::new(TryScan::new(options.clone())?);
    dom::bind_event(&this.field, "keydown", &this, |this, event: KeyboardEvent| {
        let end = match event.key().as_str() {
            // Never does it save what is set.
            "Enter" => ScannerEnd::Enter,
            // A person's Tab goes on to the next field.
            "Tab" if this.burst.get().ends_with_it(event.time_stamp()) => ScannerEnd::Tab,
            _ => return,
        };
        event.prevent_default();
        this.ended(end);
    });
    dom::bind_event(&this.field, "input", &this, |this, event: Event| {
        // What is tried is nothing that is set.
        event.stop_propagation();
        let mut keys = this.burst.get();
        keys.key(event.time_stamp());
        this.burst.set(keys);
        let this = this.clone();
        spawn_local(async move {
            sleep(SILENCE).await;
            if this.burst.get() == keys && keys.is_code() {
                this.ended(ScannerEnd::Nothing);
            }
        });
    });
    Ok(())
}

impl TryScan {
    /// A code is over: it makes room for the next one.
    fn ended(&self, end: ScannerEnd) {
        let code = self.field.value();
        let code = code.trim();
        self.burst.set(Burst::default());
        if code.is_empty() {
            return;
        }
        self.field.set_value("");
        let set = self.options.read().desk;
        let is_taken = set.scanner_end.takes(end);
        let taken = if is_taken { "✓".to_owned() } else { text("tryScanChoose") };
        let card = set
            .cards()
            .ok()
            .flatten()
            .map(|cards| text(if cards.fits(code) { "tryScanCard" } else { "tryScanNoCard" }));
        let first = [text_with("tryScanEnds", &[code, &wording::scanner_end(end)]), taken].join(" ");
        self.said.set_text_content(Some(&wording::joined([Some(first), card].into_iter().flatten())));
        dom::set_flag(&self.said, "data-taken", is_taken);
    }
}
