//! The part of the settings page that is about the desk itself.

use crate::{dom, i18n::text, sound::Player};
use koct_core::{desk::scanner::ScannerEnd, settings::habits::DeskSettings};
use wasm_bindgen::JsValue;
use web_sys::{Element, Event, HtmlInputElement, HtmlOptionElement, HtmlSelectElement};

pub(super) struct HabitFields {
    scanner_end: HtmlSelectElement,
    card_pattern: HtmlInputElement,
    sounds: HtmlInputElement,
    library_name: HtmlInputElement,
    loan_days: HtmlInputElement,
}

impl HabitFields {
    /// # Errors
    /// When the page lacks an element.
    pub(super) fn new() -> Result<Self, JsValue> {
        let fields = Self {
            scanner_end: dom::by_id("scanner-end")?,
            card_pattern: dom::by_id("card-pattern")?,
            sounds: dom::by_id("sounds")?,
            library_name: dom::by_id("library-name")?,
            loan_days: dom::by_id("loan-days")?,
        };
        let player = Player::default();
        dom::on::<Event>(dom::by_id::<Element>("try-sounds")?.as_ref(), "click", move |_| player.play_all());
        for end in ScannerEnd::ALL {
            let label = text(match end {
                ScannerEnd::Enter => "scannerEndEnter",
                ScannerEnd::Tab => "scannerEndTab",
                ScannerEnd::Nothing => "scannerEndNothing",
            });
            let option = HtmlOptionElement::new_with_text_and_value(&label, end.name())?;
            fields.scanner_end.append_with_node_1(&option)?;
        }
        Ok(fields)
    }

    pub(super) fn fill(&self, habits: &DeskSettings) {
        self.scanner_end.set_value(habits.scanner_end.name());
        self.card_pattern.set_value(&habits.card_pattern);
        self.sounds.set_checked(habits.sounds);
        self.library_name.set_value(&habits.library_name);
        self.loan_days.set_value(&habits.loan_days);
    }

    /// As they are in the page; what the page does not show stays as it was.
    pub(super) fn read(&self, before: DeskSettings) -> DeskSettings {
        DeskSettings {
            scanner_end: ScannerEnd::from_name(&self.scanner_end.value()).unwrap_or_default(),
            card_pattern: self.card_pattern.value().trim().to_owned(),
            sounds: self.sounds.checked(),
            library_name: self.library_name.value().trim().to_owned(),
            loan_days: self.loan_days.value().trim().to_owned(),
            ..before
        }
    }
}
