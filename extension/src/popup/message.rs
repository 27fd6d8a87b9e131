//! The message line: says what has just happened.

use crate::dom;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement};

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// All went well.
    Good,
    /// Something must be done.
    Bad,
    /// Something must be looked at.
    Doubt,
}

pub(crate) struct Message(Element);

impl Message {
    /// # Errors
    /// When the page has no message line.
    pub(crate) fn new() -> Result<Self, JsValue> {
        dom::by_id("message").map(Self)
    }

    /// Shows this text alone.
    pub(crate) fn show(&self, tone: Tone, text: &str) {
        self.0.set_text_content(Some(text));
        self.0.set_class_name(match tone {
            Tone::Good => "message-good",
            Tone::Bad => "message-bad",
            Tone::Doubt => "message-doubt",
        });
    }

    /// Adds a link that opens in a tab of its own.
    pub(crate) fn add_link(&self, text: &str, url: &str) {
        let Some(link) = dom::document().ok().and_then(|document| document.create_element("a").ok()) else { return };
        let link: HtmlAnchorElement = link.unchecked_into();
        link.set_href(url);
        link.set_target("_blank");
        link.set_rel("noreferrer noopener");
        link.set_text_content(Some(text));
        let _ = self.0.append_with_str_1(" ");
        let _ = self.0.append_with_node_1(&link);
    }
}
