//! The one menu, for what is rare.

use super::focus::{Focus, is_dialog_open};
use crate::dom::{self, elements};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, FocusEvent, HtmlElement, KeyboardEvent, MouseEvent, Node};

elements! {
    struct Menu(focus: Rc<Focus>) {
        button: HtmlElement = "open-menu",
        list: HtmlElement = "menu",
    }
}

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(focus: &Rc<Focus>) -> Result<(), JsValue> {
    let menu = Rc::new(Menu::new(focus.clone())?);
    dom::bind_event(&menu.button, "click", &menu, |menu, event: MouseEvent| {
        if menu.is_open() {
            menu.leave();
        } else {
            menu.open();
            // By a key, the first of them; whoever has a mouse points, and their scanner goes on typing into its field.
            if event.detail() == 0 {
                menu.go(|_, _| 0);
            }
        }
    });
    let this = menu.clone();
    // Before what was chosen does its work: a dialog that it opens gives the focus back to the scan field.
    dom::on_first::<Event>(&menu.list, "click", move |event| {
        if dom::target_in(&event, "[role=menuitem]").is_some() {
            this.leave();
        }
    });
    let page = dom::document()?;
    let this = menu.clone();
    dom::on_first::<KeyboardEvent>(&page, "keydown", move |event| {
        if this.is_open() && this.pressed(&event) {
            event.prevent_default();
            event.stop_immediate_propagation();
        }
    });
    let this = menu.clone();
    dom::on_first::<Event>(&page, "mousedown", move |event| {
        if !this.holds(dom::target(&event).as_ref()) {
            this.close();
        }
    });
    let this = menu.clone();
    dom::on::<FocusEvent>(&menu.list, "focusout", move |event| {
        let to = event.related_target().and_then(|to| to.dyn_into::<Element>().ok());
        if to.is_some() && !this.holds(to.as_ref()) {
            this.close();
        }
    });
    Ok(())
}

impl Menu {
    fn is_open(&self) -> bool {
        !self.list.hidden()
    }

    fn open(&self) {
        self.list.set_hidden(false);
        let _ = self.button.set_attribute("aria-expanded", "true");
    }

    fn close(&self) {
        self.list.set_hidden(true);
        let _ = self.button.set_attribute("aria-expanded", "false");
    }

    /// Closes it, and the scanner's field has the focus again.
    fn leave(&self) {
        self.close();
        if !is_dialog_open() {
            self.focus.back();
        }
    }

    fn holds(&self, element: Option<&Element>) -> bool {
        let node = element.map(AsRef::<Node>::as_ref);
        self.list.contains(node) || self.button.contains(node)
    }

    /// What can be chosen now.
    fn items(&self) -> Vec<HtmlElement> {
        let Ok(found) = self.list.query_selector_all("[role=menuitem]:not([hidden])") else { return Vec::new() };
        (0..found.length()).filter_map(|place| found.item(place)?.dyn_into().ok()).collect()
    }

    /// Goes to the item that this gives, from the number of them and the place of the one that has the focus.
    fn go(&self, place: impl Fn(usize, Option<usize>) -> usize) {
        let items = self.items();
        let active = dom::active();
        let now = items.iter().position(|item| active.as_ref().is_some_and(|active| item.is_same_node(Some(active))));
        if let Some(item) = items.get(place(items.len(), now)) {
            let _ = item.focus();
        }
    }

    /// A key while it is open. Returns whether it was for the menu.
    fn pressed(&self, event: &KeyboardEvent) -> bool {
        let is_inside = dom::target(event).is_some_and(|at| self.list.contains(Some(&at)));
        if event.ctrl_key() || event.alt_key() || event.meta_key() || event.is_composing() {
            return false;
        }
        match event.key().as_str() {
            "ArrowDown" => self.go(|number, now| now.map_or(0, |now| (now + 1) % number.max(1))),
            "ArrowUp" => self.go(|number, now| now.filter(|now| *now > 0).unwrap_or(number).saturating_sub(1)),
            "Home" if is_inside => self.go(|_, _| 0),
            "End" if is_inside => self.go(|number, _| number.saturating_sub(1)),
            "Escape" => self.leave(),
            "Enter" | " " if is_inside => return false,
            // Whoever scans or types has gone on.
            _ if !is_inside => {
                if !self.holds(dom::target(event).as_ref()) {
                    self.close();
                }
                return false;
            }
            "Tab" => {
                self.leave();
                return false;
            }
            letter => {
                self.jump(letter);
                // A scanner's further keys must come through.
                return false;
            }
        }
        true
    }

    /// To the next item that begins with this letter.
    fn jump(&self, letter: &str) {
        let letter = letter.to_lowercase();
        let begins = |item: &HtmlElement| item.text_content().unwrap_or_default().to_lowercase().starts_with(&letter);
        let items = self.items();
        self.go(|number, now| {
            let after = now.map_or(0, |now| now + 1);
            let places = (after..number).chain(0..after);
            places.into_iter().find(|place| begins(&items[*place])).or(now).unwrap_or(number)
        });
    }
}
