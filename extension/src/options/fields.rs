//! The fields of the settings page, as the table of settings has them.

use super::Options;
use crate::{dom, i18n::text, webext::property};
use koct_core::settings::{
    other_server::SecretTyped,
    table::{Field, Kind, Preferences, Value},
};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::prelude::*;
use web_sys::{Element, Event, EventInit, HtmlElement, HtmlInputElement, ScrollIntoViewOptions, ScrollLogicalPosition};

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

pub(super) struct Fields {
    controls: Vec<(Field, Control)>,
    /// The secrets that are stored and shall be no more. What is stored is never in the page.
    removed: RefCell<Vec<Field>>,
}

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
        Ok(Self { controls: found.collect::<Result<_, _>>()?, removed: RefCell::default() })
    }

    /// Shows these, but for the secrets: of them only what is being typed is here.
    pub(super) fn fill(&self, preferences: &Preferences) {
        for (field, control) in self.controls.iter().filter(|(field, _)| field.kind() != Kind::Secret) {
            match field.get(preferences) {
                Value::Text(text) => control.set_value(&text),
                Value::Flag(flag) => control.set_checked(flag),
            }
        }
    }

    /// Shows what is other than in the page: only there is anything touched, since somebody may be typing.
    pub(super) fn follow(&self, page: &Preferences, followed: &Preferences) {
        for (field, control) in self.controls.iter().filter(|(field, _)| field.get(page) != field.get(followed)) {
            match field.get(followed) {
                _ if field.kind() == Kind::Secret => {}
                Value::Text(text) => control.set_value(&text),
                Value::Flag(flag) => control.set_checked(flag),
            }
        }
    }

    fn secrets(&self) -> impl Iterator<Item = (Field, &Control)> {
        let secrets = self.controls.iter().filter(|(field, _)| field.kind() == Kind::Secret);
        secrets.map(|(field, control)| (*field, control))
    }

    /// What was typed is stored, or nothing was typed yet.
    pub(super) fn empty_secrets(&self) {
        self.removed.borrow_mut().clear();
        self.secrets().for_each(|(_, control)| control.set_value(""));
    }

    /// Says of each secret whether one is stored that is used for the server in the page. `used` are the settings as they are
    /// in the page, `stored` as they are stored.
    ///
    /// # Errors
    /// When the page lacks an element.
    pub(super) fn show_secrets(&self, used: &Preferences, stored: &Preferences) -> Result<(), JsValue> {
        for (field, control) in self.secrets() {
            let is_stored = |of: &Preferences| field.get(of) != Value::Text(String::new());
            let is_used = control.value().is_empty() && is_stored(used) && is_stored(stored);
            let placeholder = if is_used { text("secretStored") } else { String::new() };
            dom::by_id::<HtmlInputElement>(field.id())?.set_placeholder(&placeholder);
            dom::by_id::<HtmlElement>(&remove_id(field))?.set_hidden(!is_used);
        }
        Ok(())
    }

    /// As they are in the page; what the page does not show stays as it was before.
    pub(super) fn read(&self, before: &Preferences) -> Preferences {
        let mut preferences = before.clone();
        for (field, control) in &self.controls {
            let value = match field.kind() {
                Kind::Secret => continue,
                Kind::Flag => Value::Flag(control.checked()),
                _ => Value::Text(control.value()),
            };
            // The page offers nothing else than the table has.
            let _ = field.set(&mut preferences, value);
        }
        for (field, control) in self.secrets() {
            let typed = SecretTyped::from_page(control.value(), self.removed.borrow().contains(&field));
            preferences.take_secret(field, typed, before);
        }
        preferences
    }

    /// Marks these, each with what is wrong with it, and unmarks the others.
    pub(super) fn mark(&self, errors: &[(Field, String)]) {
        for (field, _) in &self.controls {
            let error = errors.iter().find(|(wrong, _)| wrong == field).map(|(_, error)| error.as_str());
            let Some((input, line)) = with_error_line(*field) else { continue };
            // A choice is never invalid: what is said of it stands below.
            if field.kind() != Kind::Login {
                dom::set_flag(&input, "aria-invalid", error.is_some());
            }
            line.set_hidden(error.is_none());
            line.set_text_content(error);
            if error.is_some() {
                unfold(&input);
            }
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

/// Binds the buttons that remove what is stored.
///
/// # Errors
/// When the page lacks one.
pub(super) fn bind(options: &Rc<Options>) -> Result<(), JsValue> {
    for (field, _) in options.fields.secrets() {
        dom::on_click(&remove_id(field), options, move |this| {
            this.fields.removed.borrow_mut().push(field);
            this.show_account();
            if let Ok(input) = dom::by_id::<HtmlElement>(field.id()) {
                let _ = input.focus();
            }
        })?;
    }
    Ok(())
}

/// The page follows what was set in this field.
pub(super) fn tell_changed(field: &HtmlInputElement) {
    let bubbles = EventInit::new();
    bubbles.set_bubbles(true);
    if let Ok(event) = Event::new_with_event_init_dict("input", &bubbles) {
        let _ = field.dispatch_event(&event);
    }
}

/// Opens what this is folded away in.
pub(super) fn unfold(element: &Element) {
    while let Ok(Some(folded)) = element.closest("details:not([open])") {
        if folded.set_attribute("open", "").is_err() {
            return;
        }
    }
}

/// What the page calls a setting.
pub(super) fn name(field: Field) -> Option<String> {
    let (input, _) = with_error_line(field)?;
    input.closest(".q").ok()??.query_selector(".name").ok()??.text_content()
}

/// The button that removes a secret that is stored.
fn remove_id(field: Field) -> String {
    format!("{}-remove", field.id())
}

/// Its input, or the button that is chosen of several, and the line that says what is wrong with it, where something can be.
fn with_error_line(field: Field) -> Option<(HtmlElement, HtmlElement)> {
    let id = field.id();
    let line = dom::by_id(&format!("{id}-error")).ok()?;
    let input = dom::document().ok()?.query_selector(&format!("#{id}, [name={id}]:checked")).ok()??;
    Some((input.dyn_into().ok()?, line))
}
