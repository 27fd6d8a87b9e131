//! What came before the window was ready: keys from the first paint on, and clicks. `popup/early.js` keeps them, since the page is
//! seen before this is loaded; here they take effect, in their order, as if they came now.

use super::focus::{SCANNED_INTO, TYPED_INTO, target};
use crate::{dom, popup::Desk, preferences};
use js_sys::{Array, Promise};
use koct_core::settings::desk::DeskSettings;
use std::rc::Rc;
use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, Event, HtmlElement, HtmlInputElement, KeyboardEvent, KeyboardEventInit};

#[wasm_bindgen]
extern "C" {
    /// What is kept.
    pub type Early;

    /// The promise of what is stored of the settings, and of the presets.
    #[wasm_bindgen(method, getter)]
    fn stored(this: &Early) -> Promise;

    /// The keys; from now on they take their own way.
    #[wasm_bindgen(method, js_name = takeKeys)]
    fn take_keys(this: &Early) -> Array;

    /// The buttons that were clicked; from now on clicks take their own way.
    #[wasm_bindgen(method, js_name = takeClicks)]
    fn take_clicks(this: &Early) -> Array;
}

impl Early {
    /// How the desk works.
    ///
    /// # Errors
    /// When Firefox cannot read its storage.
    pub(crate) async fn settings(&self) -> Result<DeskSettings, JsValue> {
        let stored: Array = JsFuture::from(self.stored()).await?.unchecked_into();
        preferences::desk_settings(&stored.get(0), &stored.get(1))
    }

    /// Gives the keys to the fields. In one tick: nothing that is typed now comes in between.
    pub(crate) fn give_keys(&self, desk: &Rc<Desk>) {
        let mut was_for: Option<Element> = None;
        for event in self.take_keys().iter().filter_map(|event| event.dyn_into::<KeyboardEvent>().ok()) {
            // The keys of one field go where the focus goes from there; a person may have gone to another one in between.
            let field = target(&event).filter(|target| target.matches(TYPED_INTO).unwrap_or(false));
            if let Some(field) = field.filter(|field| was_for.as_ref() != Some(field)) {
                let _ = field.unchecked_ref::<HtmlElement>().focus();
                was_for = Some(field);
            }
            press(desk, &event.key());
        }
    }

    /// Nothing is kept any more, and no key takes effect: nothing can be recorded.
    pub(crate) fn drop_keys(&self) {
        self.take_keys();
    }

    /// Clicks the buttons.
    pub(crate) fn give_clicks(&self) {
        for button in self.take_clicks().iter().filter_map(|button| button.dyn_into::<HtmlElement>().ok()) {
            button.click();
        }
    }
}

/// Presses a key where the focus is.
fn press(desk: &Rc<Desk>, key: &str) {
    let focused = || dom::document().ok().and_then(|page| page.active_element());
    let init = KeyboardEventInit::new();
    init.set_key(key);
    init.set_bubbles(true);
    init.set_cancelable(true);
    let (Some(target), Ok(event)) = (focused(), KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &init))
    else {
        return;
    };
    let is_taken = !target.dispatch_event(&event).unwrap_or(false);
    if is_taken {
        return;
    }
    // What the browser does with a key that a person presses.
    if key == "Tab" {
        return focus_next(&target);
    }
    if key.chars().count() != 1 {
        return;
    }
    let field = focused()
        .and_then(|focused| focused.dyn_into::<HtmlInputElement>().ok())
        .or_else(|| desk.focus.to_scan_field());
    if let Some(field) = field {
        field.set_value(&format!("{}{key}", field.value()));
        if let Ok(event) = Event::new("input") {
            let _ = field.dispatch_event(&event);
        }
    }
}

/// Gives the focus to the field behind this one.
fn focus_next(field: &Element) {
    let Some(fields) = dom::document().ok().and_then(|page| page.query_selector_all(SCANNED_INTO).ok()) else { return };
    let fields: Vec<HtmlElement> =
        (0..fields.length()).filter_map(|place| fields.get(place)?.dyn_into().ok()).collect();
    if let Some(place) = fields.iter().position(|other| **other == *field)
        && let Some(next) = fields.get(place + 1)
    {
        let _ = next.focus();
    }
}
