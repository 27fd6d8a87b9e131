//! The fields of the settings page, as the table of settings has them.

use crate::{dom, webext::property, wording};
use koct_core::settings::{
    form::FieldError,
    table::{Field, Kind, Preferences, Value},
};
use wasm_bindgen::prelude::*;
use web_sys::{HtmlElement, ScrollIntoViewOptions, ScrollLogicalPosition};

#[wasm_bindgen]
extern "C" {
    /// What a form has under an id or a name: a control, or all radio buttons of that name.
    type Control;

    #[wasm_bindgen(method, getter)]
    fn value(this: &Control) -> String;

    #[wasm_bindgen(method, setter)]
    fn set_value(this: &Control, value: &str);

    #[wasm_bindgen(method, getter)]
    fn checked(this: &Control) -> bool;

    #[wasm_bindgen(method, setter)]
    fn set_checked(this: &Control, checked: bool);
}

pub(super) struct Fields(Vec<(Field, Control)>);

impl Fields {
    /// # Errors
    /// When the page lacks one.
    pub(super) fn new() -> Result<Self, JsValue> {
        let controls = property(dom::by_id::<HtmlElement>("settings-form")?.as_ref(), "elements");
        let on_page = Field::ALL.iter().filter(|field| field.is_on_page());
        let found = on_page.map(|field| match property(&controls, field.id()) {
            control if control.is_object() => Ok((*field, control.unchecked_into())),
            _ => Err(JsValue::from_str(&format!("the page has no setting {}", field.id()))),
        });
        Ok(Self(found.collect::<Result<_, _>>()?))
    }

    pub(super) fn fill(&self, preferences: &Preferences) {
        for (field, control) in &self.0 {
            match field.get(preferences) {
                Value::Text(text) => control.set_value(&text),
                Value::Flag(flag) => control.set_checked(flag),
            }
        }
    }

    /// As they are in the page; what the page does not show stays as it was before.
    pub(super) fn read(&self, before: &Preferences) -> Preferences {
        let mut preferences = before.clone();
        for (field, control) in &self.0 {
            let value = match field.kind() {
                Kind::Flag => Value::Flag(control.checked()),
                _ => Value::Text(control.value()),
            };
            // The page offers nothing else than the table has.
            let _ = field.set(&mut preferences, value);
        }
        preferences
    }

    /// Marks these, and unmarks the others.
    pub(super) fn mark(&self, errors: &[(Field, FieldError)]) {
        for (field, _) in &self.0 {
            let error = errors.iter().find(|(wrong, _)| wrong == field).map(|(_, error)| wording::field_error(error));
            let Some((input, line)) = with_error_line(*field) else { continue };
            let _ = input.set_attribute("aria-invalid", if error.is_some() { "true" } else { "false" });
            line.set_hidden(error.is_none());
            line.set_text_content(error.as_deref());
        }
        if let Some((input, line)) = errors.first().and_then(|(first, _)| with_error_line(*first)) {
            let _ = input.focus();
            // What is wrong stands below the field, where the bar of buttons may cover it.
            let nearest = ScrollIntoViewOptions::new();
            nearest.set_block(ScrollLogicalPosition::Nearest);
            line.scroll_into_view_with_scroll_into_view_options(&nearest);
        }
    }
}

/// Its input, and the line that says what is wrong with it, where something can be.
fn with_error_line(field: Field) -> Option<(HtmlElement, HtmlElement)> {
    let by_id = |id: &str| dom::by_id::<HtmlElement>(id).ok();
    Some((by_id(field.id())?, by_id(&format!("{}-error", field.id()))?))
}
