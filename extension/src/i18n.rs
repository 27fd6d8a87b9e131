//! Every text that a person reads comes from `_locales`.

use crate::{locale, storage::StorageError, webext, wording::Explained as _};
use js_sys::Array;
use koct_core::desk::signs;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element};

/// The text of this key.
pub(crate) fn text(key: &str) -> String {
    text_with(key, &[])
}

/// The text of this key with `$1`, `$2` … filled in. The values stay text wherever the result is shown.
pub(crate) fn text_with(key: &str, values: &[&str]) -> String {
    let text = message(key, values);
    // A missing text must not leave a button without a name.
    if text.is_empty() { key.to_owned() } else { text }
}

/// The text of this key for a number, which is `$1`; the values are `$2`, `$3` … `_locales` has one text for each plural
/// category of its language, under the key with `_one`, `_other` … at its end.
pub(crate) fn plural(key: &str, number: impl TryInto<u32>, values: &[&str]) -> String {
    let number = number.try_into().unwrap_or(u32::MAX);
    let written = locale::number(number);
    let values: Vec<&str> = [written.as_str()].into_iter().chain(values.iter().copied()).collect();
    let text = message(&format!("{key}_{}", locale::plural_category(number)), &values);
    if text.is_empty() { key.to_owned() } else { text }
}

fn message(key: &str, values: &[&str]) -> String {
    let values: Array = values.iter().map(|value| JsValue::from_str(&isolated(&signs::harmless(value)))).collect();
    webext::get_message(key, &values)
}

/// An error of JavaScript's in words for a person: what they can do about it. Its own words are for Firefox's console.
pub(crate) fn js_error(error: &JsValue) -> String {
    StorageError::from(error).explained()
}

/// A value that keeps its own order within a text that may run the other way, and leaves it its: a barcode in Arabic, a name in
/// Hebrew letters beside a number.
pub(crate) fn isolated(value: &str) -> String {
    let may_turn = locale::is_right_to_left() || signs::runs_from_right_to_left(value);
    if value.is_empty() || !may_turn { value.to_owned() } else { format!("\u{2068}{value}\u{2069}") }
}

/// Fills in the page: `data-i18n` gives an element its text, `data-i18n-ATTRIBUTE` an attribute.
pub(crate) fn localise(document: &Document) {
    if let Some(root) = document.document_element() {
        let _ = root.set_attribute("lang", &locale::language());
        let _ = root.set_attribute("dir", if locale::is_right_to_left() { "rtl" } else { "ltr" });
    }
    let each = |selector: &str, apply: &dyn Fn(&Element, &str)| {
        let Ok(found) = document.query_selector_all(selector) else { return };
        for element in (0..found.length()).filter_map(|i| found.item(i)?.dyn_into::<Element>().ok()) {
            if let Some(key) = element.get_attribute(selector.trim_matches(['[', ']'])) {
                apply(&element, &key);
            }
        }
    };
    each("[data-i18n]", &|element, key| element.set_text_content(Some(&text(key))));
    for attribute in ["title", "placeholder", "aria-label"] {
        each(&format!("[data-i18n-{attribute}]"), &|element, key| {
            let _ = element.set_attribute(attribute, &text(key));
        });
    }
}
