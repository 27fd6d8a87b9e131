//! The keys of the window: everything that is done all day is one key away, whatever has the focus.
//!
//! Function keys, since no scanner sends them and no keyboard layout moves them. Firefox asks the page first about those used here
//! (F11 and F12 are its own). One list has them all: what they do, the buttons that show them and the help are made from it.

use super::focus::is_dialog_open;
use crate::{dom, i18n::text, popup::scan::answers::Answers};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement, HtmlInputElement, KeyboardEvent};

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Help,
    Checkout,
    Search,
    Todo,
    Checkin,
    Undo,
    Commit,
    Answer,
    Tall,
    Menu,
    LeavePayment,
    ClearPatron,
    ShowAll,
    /// Firefox does this one.
    CloseDialog,
}

/// A key of the window.
pub(crate) struct Key {
    /// As the browser names it.
    name: &'static str,
    does: Does,
    /// Whether Control is held with it.
    with_control: bool,
    /// Where the focus must be; anywhere, if not said.
    within: Option<&'static str>,
    /// The text of what it does.
    words: &'static str,
    /// What it presses, or where it brings the focus.
    target: Option<&'static str>,
    /// Where it is shown, if not on its target.
    shown: Option<&'static str>,
}

const fn key(name: &'static str, does: Does, words: &'static str, target: &'static str) -> Key {
    Key { name, does, with_control: false, within: None, words, target: Some(target), shown: None }
}

/// All of them, in the order of the help.
pub(crate) const KEYS: [Key; 14] = [
    key("F1", Does::Help, "openHelp", "open-help"),
    Key { shown: Some("checkout-title"), ..key("F2", Does::Checkout, "checkout", "checkout-patron") },
    key("F3", Does::Search, "findText", "find-text"),
    Key { shown: Some("checkin-title"), ..key("F4", Does::Checkin, "checkin", "checkin-item") },
    key("F6", Does::Tall, "tallLog", "tall"),
    key("F7", Does::Todo, "todo", "tab-todo"),
    key("F8", Does::Undo, "undo", "undo"),
    key("F9", Does::Commit, "keyCommit", "commit"),
    key("F10", Does::Menu, "menu", "open-menu"),
    Key {
        name: "Enter",
        does: Does::Answer,
        with_control: true,
        within: None,
        words: "keyAnswer",
        target: None,
        shown: None,
    },
    Key {
        name: "Escape",
        does: Does::LeavePayment,
        with_control: false,
        within: Some("#checkout-payment"),
        words: "keyLeavePayment",
        target: None,
        shown: None,
    },
    Key { within: Some("#checkout"), ..key("Escape", Does::ClearPatron, "clearPatron", "checkout-clear-patron") },
    Key { within: Some("#find"), ..key("Escape", Does::ShowAll, "keyShowAll", "show-all") },
    Key {
        name: "Escape",
        does: Does::CloseDialog,
        with_control: false,
        within: Some("dialog"),
        words: "keyClose",
        target: None,
        shown: None,
    },
];

impl Key {
    /// As it stands on the keyboard.
    pub(crate) fn label(&self) -> &'static str {
        match (self.name, self.with_control) {
            ("Escape", _) => "Esc",
            ("Enter", true) => "Ctrl+Enter",
            (name, _) => name,
        }
    }

    /// What it does.
    pub(crate) fn words(&self) -> String {
        text(self.words)
    }

    /// Shows it where it works. Texts stay as they are, for eyes and for screen readers: these are told of the key by an
    /// attribute.
    fn show(&self) -> Result<(), JsValue> {
        let Some(target) = self.target else { return Ok(()) };
        let target: Element = dom::by_id(target)?;
        let name = if self.with_control { format!("Control+{}", self.name) } else { self.name.to_owned() };
        target.set_attribute("aria-keyshortcuts", &name)?;
        let shown = self.shown.map_or(Ok(target), dom::by_id)?;
        let chip = dom::document()?.create_element("kbd")?;
        chip.set_attribute("aria-hidden", "true")?;
        chip.set_attribute("data-key", self.label())?;
        // Nothing stands inside a field.
        if shown.is_instance_of::<HtmlInputElement>() {
            shown.before_with_node_1(&chip)
        } else {
            shown.append_with_node_1(&chip)
        }
    }
}

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(answers: &Rc<Answers>) -> Result<(), JsValue> {
    for key in &KEYS {
        key.show()?;
    }
    let page = dom::document()?;
    dom::bind_event(&page, "keydown", answers, |answers, event: KeyboardEvent| {
        let is_plain = !(event.alt_key() || event.meta_key() || event.shift_key());
        // A dialog is dealt with first; Escape closes it.
        if is_plain && !event.is_composing() && !is_dialog_open() && pressed(answers, &event) {
            event.prevent_default();
        }
    });
    Ok(())
}

/// Does what the key stands for. Returns whether it stands for anything.
fn pressed(answers: &Rc<Answers>, event: &KeyboardEvent) -> bool {
    let name = event.key();
    let is_here = |key: &&Key| {
        key.name == name
            && key.with_control == event.ctrl_key()
            && key.within.is_none_or(|place| is_within(event, place))
    };
    let Some(key) = KEYS.iter().find(is_here) else { return false };
    // A key that is held down repeats itself: what it does once is enough.
    let once = !event.repeat();
    match key.does {
        Does::Checkout | Does::Checkin => key.target.into_iter().for_each(focus),
        Does::Search => {
            click("tab-log");
            key.target.into_iter().for_each(focus);
        }
        Does::Todo => {
            key.target.into_iter().for_each(click);
            let _ = dom::by_id::<HtmlElement>("todo").and_then(|list| list.focus());
        }
        Does::Undo | Does::Commit | Does::Tall | Does::Menu | Does::Answer if !once => {}
        Does::Answer => answers.answer_newest(),
        Does::LeavePayment => click("checkout-pay-open"),
        Does::Help | Does::Undo | Does::Commit | Does::Tall | Does::Menu | Does::ClearPatron | Does::ShowAll => {
            key.target.into_iter().for_each(click);
        }
        Does::CloseDialog => return false,
    }
    true
}

fn focus(id: &str) {
    if let Ok(field) = dom::by_id::<HtmlInputElement>(id) {
        let _ = field.focus();
        field.select();
    }
}

fn click(id: &str) {
    if let Ok(button) = dom::by_id::<HtmlElement>(id) {
        button.click();
    }
}

fn is_within(event: &KeyboardEvent, selector: &str) -> bool {
    dom::target_in(event, selector).is_some()
}
