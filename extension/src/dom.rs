//! Binding to the elements of the pages.

use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Document, Element, Event, EventTarget, HtmlElement, HtmlTemplateElement, Window};

/// The page's window.
///
/// # Errors
/// Outside a page.
pub(crate) fn window() -> Result<Window, JsValue> {
    web_sys::window().ok_or_else(|| JsValue::from_str("there is no window"))
}

/// The page's document.
///
/// # Errors
/// Outside a page.
pub(crate) fn document() -> Result<Document, JsValue> {
    window()?.document().ok_or_else(|| JsValue::from_str("there is no document"))
}

/// The element with this id.
///
/// # Errors
/// When the page has none, or one of another kind.
pub(crate) fn by_id<T: JsCast>(id: &str) -> Result<T, JsValue> {
    document()?
        .get_element_by_id(id)
        .and_then(|element| element.dyn_into().ok())
        .ok_or_else(|| JsValue::from_str(&format!("the page has no element #{id} of the right kind")))
}

/// Calls `handler` at each such event, for as long as the page lives.
pub(crate) fn on<E: JsCast>(target: &EventTarget, name: &str, handler: impl Fn(E) + 'static) {
    let closure = Closure::<dyn Fn(Event)>::new(move |event: Event| handler(event.unchecked_into()));
    // Only fails for arguments of the wrong kind.
    let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
    closure.forget();
}

/// Calls `handler` at each such event before whoever it is for, also where such events do not bubble.
pub(crate) fn on_first<E: JsCast>(target: &EventTarget, name: &str, handler: impl Fn(E) + 'static) {
    let closure = Closure::<dyn Fn(Event)>::new(move |event: Event| handler(event.unchecked_into()));
    // Only fails for arguments of the wrong kind.
    let _ = target.add_event_listener_with_callback_and_bool(name, closure.as_ref().unchecked_ref(), true);
    closure.forget();
}

/// A copy of the only element in this template.
///
/// # Errors
/// When there is no such template or it is empty.
pub(crate) fn from_template(id: &str) -> Result<HtmlElement, JsValue> {
    let template: HtmlTemplateElement = by_id(id)?;
    let element = template.content().first_element_child().ok_or_else(|| JsValue::from_str("an empty template"))?;
    element.clone_node_with_deep(true)?.dyn_into().map_err(|_| JsValue::from_str("a template without an element"))
}

/// The element below `parent` that shows this field.
pub(crate) fn field(parent: &Element, name: &str) -> Option<HtmlElement> {
    parent.query_selector(&format!("[data-field={name}]")).ok()??.dyn_into().ok()
}

/// Writes text, and only text, into a field.
pub(crate) fn set_field(parent: &Element, name: &str, text: &str) {
    if let Some(field) = field(parent, name) {
        field.set_text_content(Some(text));
    }
}
