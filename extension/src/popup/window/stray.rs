//! Keys that come while no field waits for them (`koct_core::desk::stray`): to the scan field, or kept from a dialog, a list or the menu.

use super::focus::{TYPED_INTO, is_dialog_open};
use crate::{
    dom,
    i18n::text_with,
    popup::{Desk, Tone, log::clear, scan::codes::press},
    timer::sleep,
};
use koct_core::desk::{
    scanner::{SILENCE, ScannerEnd},
    stray::{KeyTarget, Stroke, Verdict},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlDialogElement, HtmlInputElement, KeyboardEvent, KeyboardEventInit};

/// The fields of dialogs that codes are scanned into.
const FOR_CODES: &str = "#edit-cardnumber, #edit-barcode, #move-cardnumber, #whose-typed, #list-patron";
const FOR_PASSPHRASES: &str = "input[type=password]";

#[derive(Default)]
struct Keys {
    /// What the place of the last keys held before them.
    held: RefCell<Option<(Element, JsValue)>>,
    /// Whether the key that is down was kept.
    is_kept: Cell<bool>,
}

/// # Errors
/// Outside a page.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let page = dom::document()?;
    let keys = Rc::new(Keys::default());
    let (this, pressed) = (desk.clone(), keys.clone());
    dom::on_first::<KeyboardEvent>(&page, "keydown", move |event| pressed.pressed(&this, &event));
    let released = keys;
    dom::on_first::<KeyboardEvent>(&page, "keyup", move |event| {
        // Space presses a button when it is let go.
        if released.is_kept.take() && event.key() == " " {
            event.prevent_default();
        }
    });
    let this = desk.clone();
    dom::on_first::<Event>(&page, "mousedown", move |_| this.strays.borrow_mut().forget());
    let this = desk.clone();
    dom::on_first::<Event>(&page, "close", move |event| {
        this.strays.borrow_mut().forget_passphrase();
        // What was refused here is told in the message line still.
        if let Some(said) = dom::target(&event).and_then(|dialog| dom::field(&dialog, "scanned")) {
            said.remove();
        }
    });
    Ok(())
}

fn key_target(target: &Element) -> KeyTarget {
    let is = |selector: &str| target.matches(selector).unwrap_or(false);
    let is_choice = is("select, [role=menuitem]");
    match (is_dialog_open(), is_choice || is(TYPED_INTO)) {
        (true, true) if is(FOR_CODES) => KeyTarget::Field,
        (true, true) if is(FOR_PASSPHRASES) => KeyTarget::Passphrase,
        (true, true) if is_choice => KeyTarget::DialogChoice,
        (true, true) => KeyTarget::DialogField,
        (true, false) => KeyTarget::Dialog,
        (false, true) if is_choice => KeyTarget::Choice,
        (false, true) => KeyTarget::Field,
        (false, false) => KeyTarget::Page,
    }
}

fn value() -> JsValue {
    JsValue::from_str("value")
}

impl Keys {
    fn pressed(self: &Rc<Self>, desk: &Rc<Desk>, event: &KeyboardEvent) {
        let Some(target) = dom::target(event) else { return };
        let (key, code) = (event.key(), event.code());
        if desk.strays.borrow().keeps(press(event, &key, &code), event.time_stamp()) {
            return event.prevent_default();
        }
        let has_other = event.ctrl_key() || event.alt_key() || event.meta_key();
        let stroke = Stroke::from_key(&key, !(has_other || event.repeat() || event.is_composing()));
        let place = key_target(&target);
        let verdict = desk.strays.borrow_mut().key(place, stroke, event.time_stamp());
        if desk.strays.borrow().has_begun(stroke) {
            let held = js_sys::Reflect::get(&target, &value()).unwrap_or_default();
            self.held.replace(Some((target, held)));
        }
        if desk.strays.borrow().waits_for_silence(place) {
            self.wait_for_silence(desk);
        }
        match verdict {
            Verdict::Leave => return,
            // The browser types it into what has the focus by then.
            Verdict::ToField => return drop(desk.focus.to_scan_field()),
            Verdict::Keep => {}
            Verdict::Retype { text, is_ended } => {
                self.take_back();
                if let Some(field) = desk.focus.to_scan_field() {
                    append(&field, &text);
                    if is_ended {
                        enter(&field);
                    }
                }
            }
            Verdict::Scanned(code) => {
                self.take_back();
                scanned(desk, &code);
            }
        }
        self.is_kept.set(true);
        event.prevent_default();
        event.stop_immediate_propagation();
    }

    /// The place of the last keys holds again what it held before them.
    fn take_back(&self) {
        let Some((place, held)) = self.held.take() else { return };
        let is_changed = js_sys::Reflect::get(&place, &value()).is_ok_and(|now| now != held);
        // A date of which a part was typed has no value, and shows that part.
        if is_changed || place.is_instance_of::<HtmlInputElement>() {
            let _ = js_sys::Reflect::set(&place, &value(), &held);
        }
        if is_changed {
            dispatch(&place, Event::new("change"));
        }
    }

    fn wait_for_silence(self: &Rc<Self>, desk: &Rc<Desk>) {
        if desk.preferences.borrow().desk.scanner_end != ScannerEnd::Nothing {
            return;
        }
        let (this, desk, before) = (self.clone(), desk.clone(), desk.strays.borrow().clone());
        spawn_local(async move {
            sleep(SILENCE).await;
            if *desk.strays.borrow() != before {
                return;
            }
            let code = desk.strays.borrow_mut().silence();
            if let Some(code) = code {
                this.take_back();
                scanned(&desk, &code);
            }
        });
    }
}

fn dispatch(target: &Element, event: Result<impl AsRef<Event>, JsValue>) {
    if let Ok(event) = event {
        let _ = target.dispatch_event(event.as_ref());
    }
}

/// Types into a field, behind what it holds.
fn append(field: &HtmlInputElement, text: &str) {
    field.set_value(&format!("{}{text}", field.value()));
    dispatch(field, Event::new("input"));
}

/// Presses Enter in a field.
fn enter(field: &HtmlInputElement) {
    let enter = KeyboardEventInit::new();
    enter.set_key("Enter");
    enter.set_cancelable(true);
    dispatch(field, KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &enter));
}

/// A scan has come to a dialog.
fn scanned(desk: &Rc<Desk>, code: &str) {
    if clear::close_offer() {
        // Nobody had asked for that dialog.
        let Some(field) = desk.focus.to_scan_field() else { return };
        append(&field, code);
        enter(&field);
    } else if !code.is_empty() {
        say_scanned(desk, code);
    }
}

fn say_scanned(desk: &Desk, code: &str) {
    let words = text_with("scannedInDialog", &[code]);
    desk.message.answer(Tone::Bad, &words);
    let _ = say_in_dialog(&words);
}

/// What was entered as a passphrase right now is none: if a scanner has typed it, it is said that a code was scanned.
pub(crate) fn not_the_passphrase(desk: &Desk) {
    let code = desk.strays.borrow_mut().not_the_passphrase();
    if let Some(code) = code {
        say_scanned(desk, &code);
    }
}

/// Says it in the dialog that lies on top, too: it can hide the message line.
fn say_in_dialog(words: &str) -> Result<(), JsValue> {
    let open = dom::document()?.query_selector_all("dialog:modal")?;
    let focused = dom::active().and_then(|active| active.closest("dialog").ok()?);
    let last = open.get(open.length().saturating_sub(1)).map(wasm_bindgen::JsCast::unchecked_into::<HtmlDialogElement>);
    let Some(dialog) = focused.or_else(|| last.map(Into::into)) else { return Ok(()) };
    let said = match dom::field(&dialog, "scanned") {
        Some(said) => said,
        None => dom::from_template("scanned-template")?,
    };
    let buttons = dialog.query_selector(".dialog-buttons")?.ok_or("a dialog without buttons")?;
    buttons.before_with_node_1(&said)?;
    said.set_text_content(Some(words));
    Ok(())
}
