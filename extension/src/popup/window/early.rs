//! What came before the window was ready: keys from the first paint on, and clicks. `popup/early.js` keeps them, since the page is
//! seen before this is loaded; here they take effect, in their order, as if they came at their time.

use super::focus::{SCANNED_INTO, TYPED_INTO};
use crate::{
    dom,
    popup::Desk,
    preferences,
    timer::{now, sleep},
};
use js_sys::{Array, Promise};
use koct_core::{
    desk::{
        scanner::{Burst, SILENCE, ScannerEnd},
        typing::Line,
    },
    settings::desk::DeskSettings,
};
use std::{rc::Rc, time::Duration};
use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, Event, HtmlElement, HtmlInputElement, KeyboardEvent};

#[wasm_bindgen]
extern "C" {
    /// What is kept.
    pub type Early;

    /// The promise of what is stored of the settings, and of the presets.
    #[wasm_bindgen(method, getter)]
    fn stored(this: &Early) -> Promise;

    /// The next key or click.
    #[wasm_bindgen(method)]
    fn next(this: &Early) -> Option<Event>;

    /// Presses a key there. Returns whether nothing has taken it.
    #[wasm_bindgen(method)]
    fn press(this: &Early, key: &KeyboardEvent, target: &Element) -> bool;

    /// Tells the field that the key has changed what it holds.
    #[wasm_bindgen(method)]
    fn input(this: &Early, key: &KeyboardEvent, field: &HtmlInputElement);

    /// Does a click. If its button does not work yet, it waits further.
    #[wasm_bindgen(method)]
    fn click(this: &Early, click: &Event);

    /// From now on keys take their own way, and so do clicks on what works by now.
    #[wasm_bindgen(method)]
    fn ready(this: &Early);

    /// Does the clicks that waited; keys that did are dropped. From now on nothing is kept.
    #[wasm_bindgen(method)]
    pub(crate) fn whole(this: &Early);
}

impl Early {
    /// How the desk works, and the code of its library.
    ///
    /// # Errors
    /// When Firefox cannot read its storage.
    pub(crate) async fn settings(&self) -> Result<(DeskSettings, String), JsValue> {
        let stored: Array = JsFuture::from(self.stored()).await?.unchecked_into();
        preferences::desk_settings(&stored.get(0), &stored.get(1))
    }

    /// The desk is ready: gives it what is kept. What comes meanwhile waits its turn.
    pub(crate) async fn give(&self, desk: &Rc<Desk>) {
        let is_ended_by_silence = desk.preferences.borrow().desk.scanner_end == ScannerEnd::Nothing;
        let mut was_for: Option<Element> = None;
        let mut burst = Burst::default();
        loop {
            let event = self.next();
            let time = event.as_ref().map_or_else(now, Event::time_stamp);
            // There was a silence before it: it ends the code in its field, before all that follows.
            if is_ended_by_silence && burst.is_code() && !burst.goes_on(time) {
                burst = Burst::default();
                silence().await;
                if event.is_none() {
                    continue;
                }
            }
            let Some(event) = event else { break };
            let Some(key) = event.dyn_ref::<KeyboardEvent>() else {
                self.click(&event);
                continue;
            };
            // The keys of one field go where the focus goes from there; a person may have gone to another one in between.
            let field = dom::target(key).filter(|target| target.matches(TYPED_INTO).unwrap_or(false));
            if let Some(field) = field.filter(|field| was_for.as_ref() != Some(field)) {
                let _ = field.unchecked_ref::<HtmlElement>().focus();
                was_for = Some(field);
            }
            if self.give_key(desk, key) {
                burst.key(time);
            } else if matches!(key.key().as_str(), "Enter" | "Tab") {
                burst = Burst::default();
            }
        }
        // In the tick in which nothing was left: no key comes in between.
        self.ready();
    }

    /// Presses a key where the focus is. Returns whether it has changed what a field holds.
    fn give_key(&self, desk: &Rc<Desk>, event: &KeyboardEvent) -> bool {
        let Some(target) = dom::active() else { return false };
        if !self.press(event, &target) {
            return false;
        }
        // What the browser does with a key that a person presses.
        let key = event.key();
        if key == "Tab" {
            go_on(&target, event.shift_key());
            return false;
        }
        let field = dom::active().and_then(|focused| focused.dyn_into::<HtmlInputElement>().ok());
        // A character that no field waits for is the scan field's; other keys are nobody's then.
        let field = field.or_else(|| desk.focus.to_scan_field().filter(|_| key.chars().count() == 1));
        let Some(field) = field else { return false };
        let is_changed = edit(&field, event).unwrap_or(false);
        if is_changed {
            self.input(event, &field);
        }
        is_changed
    }
}

/// Waits until the field has found that its code is over.
async fn silence() {
    // The field begins to wait when this tick is over.
    sleep(Duration::ZERO).await;
    sleep(SILENCE).await;
}

/// Lets the key edit what the field holds. Returns whether that is something else now.
fn edit(field: &HtmlInputElement, event: &KeyboardEvent) -> Result<bool, JsValue> {
    let text = field.value();
    let place = |place: Option<u32>| place.and_then(|place| usize::try_from(place).ok()).unwrap_or(usize::MAX);
    let (start, end) = (place(field.selection_start()?), place(field.selection_end()?));
    let is_backward = field.selection_direction()?.as_deref() == Some("backward");
    let (anchor, caret) = if is_backward { (end, start) } else { (start, end) };
    let mut line = Line::new(&text, anchor, caret);
    let is_changed = line.press(&event.key(), event.shift_key());
    if is_changed {
        field.set_value(&line.text());
    }
    let place = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    let (anchor, caret) = (place(line.anchor()), place(line.caret()));
    let direction = if caret < anchor { "backward" } else { "forward" };
    field.set_selection_range_with_direction(anchor.min(caret), anchor.max(caret), direction)?;
    Ok(is_changed)
}

/// Gives the focus to the field behind this one, or before it.
fn go_on(field: &Element, is_back: bool) {
    let Some(fields) = dom::document().ok().and_then(|page| page.query_selector_all(SCANNED_INTO).ok()) else { return };
    let fields = (0..fields.length()).filter_map(|place| fields.get(place)?.dyn_into::<HtmlElement>().ok());
    let mut fields: Vec<HtmlElement> =
        fields.filter(|field| field.closest("[hidden]").ok().flatten().is_none()).collect();
    if is_back {
        fields.reverse();
    }
    let to = fields.iter().skip_while(|other| ***other != *field).nth(1);
    if let Some(to) = to {
        let _ = to.focus();
    }
}
