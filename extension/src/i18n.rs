//! Every text that a person reads comes from `_locales`.

use crate::webext;
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element};

/// The text of this key.
pub(crate) fn text(key: &str) -> String {
    text_with(key, &[])
}

/// The text of this key with `$1`, `$2` … filled in. The values stay text wherever the result is shown.
pub(crate) fn text_with(key: &str, values: &[&str]) -> String {
    let values: Array = values.iter().map(|value| JsValue::from_str(value)).collect();
    let text = webext::get_message(key, &values);
    // A missing text must not leave a button without a name.
    if text.is_empty() { key.to_owned() } else { text }
}

/// Fills in the page: `data-i18n` gives an element its text, `data-i18n-ATTRIBUTE` an attribute.
pub(crate) fn localise(document: &Document) {
    if let Some(root) = document.document_element() {
        let _ = root.set_attribute("lang", &webext::get_ui_language());
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
