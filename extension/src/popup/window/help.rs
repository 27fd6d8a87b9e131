//! The help: what to do while Koha is down and after, in the window itself, since there may be no network.

use super::keys;
use crate::{
    dom::{self, elements},
    i18n::text,
    webext::{self, text_property},
};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlDialogElement, HtmlElement, KeyboardEvent};

elements! {
    struct Help {
        dialog: HtmlDialogElement = "help-dialog",
        steps_tab: HtmlElement = "help-tab-steps",
        words_tab: HtmlElement = "help-tab-words",
        steps: HtmlElement = "help-steps",
        words: HtmlElement = "help-words",
    }
}

/// The keys that are not the window's but a list's or a menu's, with the text of what they do.
const OTHER_KEYS: [(&str, &str); 3] = [("Alt", "keyAlt"), ("↑ ↓", "keyRows"), ("Del", "keyTakeBack")];

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind() -> Result<(), JsValue> {
    let list: Element = dom::by_id("help-keys")?;
    let of_window = keys::KEYS.iter().map(|key| (key.label(), key.words()));
    let others = OTHER_KEYS.map(|(key, words)| (key, text(words)));
    dom::fill_list(&list, of_window.chain(others), |(key, words)| row(key, &words));
    spawn_local(async move {
        // A person can change or remove it; then the help says so, or nothing.
        if let Some(key) = opening_key().await
            && let Ok(row) = row(&key, &text("keyOpen"))
        {
            let _ = list.prepend_with_node_1(&row);
        }
    });
    let help = Rc::new(Help::new()?);
    dom::on_click("open-help", &help, |help| help.open())?;
    for (tab, is_words) in [(&help.steps_tab, false), (&help.words_tab, true)] {
        dom::bind(tab, "click", &help, move |help| help.show(is_words));
        dom::bind_event(tab, "keydown", &help, |help, event: KeyboardEvent| help.pressed(&event));
    }
    Ok(())
}

fn row(key: &str, does: &str) -> Result<HtmlElement, JsValue> {
    let row = dom::from_template("help-key-template")?;
    dom::set_field(&row, "key", key);
    dom::set_field(&row, "does", does);
    Ok(row)
}

/// The key that opens KOCT's window, as Firefox has it.
async fn opening_key() -> Option<String> {
    let commands: js_sys::Array = webext::get_commands().await.ok()?.dyn_into().ok()?;
    commands.iter().find_map(|command| text_property(&command, "shortcut")).filter(|key| !key.is_empty())
}

impl Help {
    /// Opens it, at its beginning.
    fn open(&self) {
        self.show(false);
        if !self.dialog.open() && self.dialog.show_modal().is_ok() {
            let _ = self.steps_tab.focus();
        }
    }

    fn show(&self, is_words: bool) {
        for (tab, panel, is_shown) in
            [(&self.steps_tab, &self.steps, !is_words), (&self.words_tab, &self.words, is_words)]
        {
            let _ = tab.set_attribute("aria-selected", if is_shown { "true" } else { "false" });
            let _ = tab.set_attribute("tabindex", if is_shown { "0" } else { "-1" });
            panel.set_hidden(!is_shown);
            panel.set_scroll_top(0);
        }
    }

    /// The keys of tabs everywhere; and those that scroll go to what is shown.
    fn pressed(&self, event: &KeyboardEvent) {
        if event.ctrl_key() || event.alt_key() || event.meta_key() || event.shift_key() {
            return;
        }
        let is_words = !self.words.hidden();
        let to = match event.key().as_str() {
            // There are two: either way leads to the other.
            "ArrowLeft" | "ArrowRight" => !is_words,
            "Home" => false,
            "End" => true,
            "ArrowDown" | "PageDown" => return drop(if is_words { &self.words } else { &self.steps }.focus()),
            _ => return,
        };
        event.prevent_default();
        self.show(to);
        let _ = if to { &self.words_tab } else { &self.steps_tab }.focus();
    }
}
