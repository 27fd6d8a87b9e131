//! The help: what to do while Koha is down and after, in the window itself, since there may be no network.

use super::keys;
use crate::{
    dom::{self, elements},
    i18n::text,
    popup::window::two_tabs::TwoTabs,
    webext::{self, text_property},
};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlDialogElement, HtmlElement, KeyboardEvent};

elements! {
    struct Help {
        dialog: HtmlDialogElement = "help-dialog",
        ;
        tabs: TwoTabs = TwoTabs {
            first: (dom::by_id("help-tab-steps")?, dom::by_id("help-steps")?),
            second: (dom::by_id("help-tab-words")?, dom::by_id("help-words")?),
        },
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
    for (tab, is_words) in help.tabs.buttons().into_iter().zip([false, true]) {
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
            self.tabs.focus();
        }
    }

    fn show(&self, is_words: bool) {
        self.tabs.show(is_words);
        self.tabs.panel().set_scroll_top(0);
    }

    /// The keys of tabs; and those that scroll go to what is shown.
    fn pressed(&self, event: &KeyboardEvent) {
        let has_other = event.ctrl_key() || event.alt_key() || event.meta_key() || event.shift_key();
        if matches!(event.key().as_str(), "ArrowDown" | "PageDown") && !has_other {
            return drop(self.tabs.panel().focus());
        }
        if let Some(is_words) = self.tabs.led_to(event) {
            event.prevent_default();
            self.show(is_words);
            self.tabs.focus();
        }
    }
}
