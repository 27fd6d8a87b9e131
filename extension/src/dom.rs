//! Binding to the elements of the pages.

use js_sys::Promise;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{
    AddEventListenerOptions, Document, Element, Event, EventTarget, HtmlDialogElement, HtmlElement, HtmlOptionElement,
    HtmlSelectElement, HtmlTemplateElement, Window,
};

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

/// Makes a struct of what it is given, in parentheses, of a page's elements, each with its id, and after a semicolon of what else
/// it holds, which begins with its default where nothing is said. `new` takes what is given and finds the elements.
macro_rules! elements {
    (
        $(#[$about:meta])* $visible:vis struct $name:ident
        $(($($(#[$given_about:meta])* $given_seen:vis $given:ident: $given_kind:ty),* $(,)?))? {
            $($(#[$element_about:meta])* $seen:vis $element:ident: $kind:ty = $id:literal,)*
            $(; $($(#[$other_about:meta])* $other_seen:vis $other:ident: $other_kind:ty $(= $start:expr)?,)*)?
        }
    ) => {
        $(#[$about])*
        $visible struct $name {
            $($($(#[$given_about])* $given_seen $given: $given_kind,)*)?
            $($(#[$element_about])* $seen $element: $kind,)*
            $($($(#[$other_about])* $other_seen $other: $other_kind,)*)?
        }

        impl $name {
            /// # Errors
            /// When the page lacks an element.
            pub(crate) fn new($($($given: $given_kind),*)?) -> Result<Self, wasm_bindgen::JsValue> {
                #[allow(unused_mut, reason = "a struct without elements misses none")]
                let mut missing = Ok(());
                let made = Self {
                    $($($given,)*)?
                    $($element: $crate::dom::by_id_or($id, &mut missing),)*
                    $($($other: $crate::dom::elements!(@ $($start)?),)*)?
                };
                missing.map(|()| made)
            }
        }
    };
    (@) => { Default::default() };
    (@ $start:expr) => { $start };
}
pub(crate) use elements;

/// The element with this id.
///
/// # Errors
/// When the page has none, or one of another kind.
pub(crate) fn by_id<T: JsCast>(id: &str) -> Result<T, JsValue> {
    let mut missing = Ok(());
    let element = by_id_or(id, &mut missing);
    missing.map(|()| element)
}

/// The element with this id. Where the page has none of this kind, what stands for it is not to be used, and `missing` says so:
/// that is looked at once for many elements, and not after each.
pub(crate) fn by_id_or<T: JsCast>(id: &str, missing: &mut Result<(), JsValue>) -> T {
    element(id, T::instanceof, missing).unchecked_into()
}

fn element(id: &str, is_right: fn(&JsValue) -> bool, missing: &mut Result<(), JsValue>) -> JsValue {
    let found = document().ok().and_then(|page| page.get_element_by_id(id)).map(JsValue::from);
    found.filter(is_right).unwrap_or_else(|| {
        *missing = Err(JsValue::from_str(&format!("the page has no element #{id} of the right kind")));
        JsValue::UNDEFINED
    })
}

/// Calls `handler` at each such event, for as long as the page lives.
pub(crate) fn on<E: JsCast>(target: &EventTarget, name: &str, handler: impl Fn(E) + 'static) {
    listen(target, name, Box::new(move |event| handler(event.unchecked_into())));
}

// In one place: what is boxed here is not made again for each handler.
fn listen(target: &EventTarget, name: &str, handler: Box<dyn Fn(Event)>) {
    let closure = Closure::wrap(handler);
    // Only fails for arguments of the wrong kind.
    let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
    closure.forget();
}

/// Calls `handler` at each such event before whoever it is for, also where such events do not bubble.
pub(crate) fn on_first<E: JsCast>(target: &EventTarget, name: &str, handler: impl Fn(E) + 'static) {
    let handler: Box<dyn Fn(Event)> = Box::new(move |event| handler(event.unchecked_into()));
    let closure = Closure::wrap(handler);
    // Only fails for arguments of the wrong kind.
    let _ = target.add_event_listener_with_callback_and_bool(name, closure.as_ref().unchecked_ref(), true);
    closure.forget();
}

fn listen_at(id: &str, name: &str, handler: Box<dyn Fn(Event)>) -> Result<(), JsValue> {
    by_id::<EventTarget>(id).map(|target| listen(&target, name, handler))
}

/// Calls `handler` with `this` at each such event.
pub(crate) fn bind<T: 'static>(target: &EventTarget, name: &str, this: &Rc<T>, handler: impl Fn(&Rc<T>) + 'static) {
    let this = this.clone();
    listen(target, name, Box::new(move |_| handler(&this)));
}

/// The same, where the handler needs the event.
pub(crate) fn bind_event<E: JsCast, T: 'static>(
    target: &EventTarget,
    name: &str,
    this: &Rc<T>,
    handler: impl Fn(&Rc<T>, E) + 'static,
) {
    let this = this.clone();
    listen(target, name, Box::new(move |event| handler(&this, event.unchecked_into())));
}

/// Calls `handler` with `this` at each click on the element with this id.
///
/// # Errors
/// As [`by_id`].
pub(crate) fn on_click<T: 'static>(id: &str, this: &Rc<T>, handler: impl Fn(&Rc<T>) + 'static) -> Result<(), JsValue> {
    let this = this.clone();
    listen_at(id, "click", Box::new(move |_| handler(&this)))
}

/// Calls `handler` with `this` where the form with this id is to be submitted, which no page here does.
///
/// # Errors
/// As [`by_id`].
pub(crate) fn on_submit<T: 'static>(id: &str, this: &Rc<T>, handler: impl Fn(&Rc<T>) + 'static) -> Result<(), JsValue> {
    let this = this.clone();
    let submitted = move |event: Event| {
        event.prevent_default();
        handler(&this);
    };
    listen_at(id, "submit", Box::new(submitted))
}

/// The promise that this dialog is closed.
pub(crate) fn closing(dialog: &HtmlDialogElement) -> Promise {
    Promise::new(&mut |resolve, _| {
        let once = Closure::once_into_js(move || resolve.call0(&JsValue::UNDEFINED));
        let options = AddEventListenerOptions::new();
        options.set_once(true);
        let once = once.unchecked_ref();
        // Only fails for arguments of the wrong kind.
        let _ = dialog.add_event_listener_with_callback_and_add_event_listener_options("close", once, &options);
    })
}

/// The element that an event is for.
pub(crate) fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// The element with this selector that an event is for, or for something in it.
pub(crate) fn target_in(event: &Event, selector: &str) -> Option<Element> {
    target(event)?.closest(selector).ok()?
}

/// The element that has the focus.
pub(crate) fn active() -> Option<Element> {
    document().ok()?.active_element()
}

/// Sets an attribute that is `true` or `false`.
pub(crate) fn set_flag(element: &Element, name: &str, is_so: bool) {
    let _ = element.set_attribute(name, if is_so { "true" } else { "false" });
}

/// Gives the focus to `other` where what had it in here is gone or hidden, since it was drawn anew.
pub(crate) fn keep_focus(within: &Element, other: &HtmlElement) {
    let active = active();
    let is_hidden = active.as_ref().is_some_and(|active| active.matches("[hidden], [hidden] *").unwrap_or(false));
    if is_hidden || !within.contains(active.as_deref().map(AsRef::as_ref)) {
        let _ = other.focus();
    }
}

/// A line of a list, of text alone.
///
/// # Errors
/// Outside a page.
pub(crate) fn line(words: &str) -> Result<HtmlElement, JsValue> {
    let line = document()?.create_element("li")?;
    line.set_text_content(Some(words));
    Ok(line.unchecked_into())
}

/// Shows these in a list, in place of what it showed. The templates of rows are checked at start: a row that cannot be made is
/// left out.
pub(crate) fn fill_list<T>(
    list: &Element,
    items: impl IntoIterator<Item = T>,
    mut row: impl FnMut(T) -> Result<HtmlElement, JsValue>,
) {
    list.set_text_content(None);
    for row in items.into_iter().filter_map(|item| row(item).ok()) {
        let _ = list.append_with_node_1(&row);
    }
}

/// Offers these in a select, each by its value and what is read of it, in place of what it offered.
pub(crate) fn fill_options<V: AsRef<str>, W: AsRef<str>>(
    select: &HtmlSelectElement,
    options: impl IntoIterator<Item = (V, W)>,
) {
    select.set_text_content(None);
    for (value, words) in options {
        add_option(select, value.as_ref(), words.as_ref());
    }
}

fn add_option(select: &HtmlSelectElement, value: &str, words: &str) {
    // Only fails outside a page.
    if let Ok(option) = HtmlOptionElement::new_with_text_and_value(words, value) {
        let _ = select.append_with_node_1(&option);
    }
}

/// Gives an element these children, in place of what it has. Those that stand right already are left alone: a button in one may have
/// the focus, or a hand may be about to press it.
pub(crate) fn set_children<'a>(parent: &Element, wanted: impl IntoIterator<Item = &'a HtmlElement>) {
    let mut next = parent.first_element_child();
    for child in wanted {
        if next.as_ref().is_some_and(|next| next.is_same_node(Some(child))) {
            next = next.and_then(|next| next.next_element_sibling());
        } else {
            let _ = parent.insert_before(child, next.as_deref());
        }
    }
    while let Some(rest) = next {
        next = rest.next_element_sibling();
        rest.remove();
    }
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
