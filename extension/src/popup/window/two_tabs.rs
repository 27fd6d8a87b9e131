//! Two tabs in one place. The keys are those of tabs everywhere.

use crate::dom;
use web_sys::{HtmlElement, KeyboardEvent};

/// The tabs, each with what it shows.
pub(crate) struct TwoTabs {
    pub(crate) first: (HtmlElement, HtmlElement),
    pub(crate) second: (HtmlElement, HtmlElement),
}

impl TwoTabs {
    /// The buttons.
    pub(crate) fn buttons(&self) -> [&HtmlElement; 2] {
        [&self.first.0, &self.second.0]
    }

    /// Whether the second is seen.
    pub(crate) fn is_second(&self) -> bool {
        !self.second.1.hidden()
    }

    /// What is seen.
    pub(crate) fn panel(&self) -> &HtmlElement {
        if self.is_second() { &self.second.1 } else { &self.first.1 }
    }

    /// Shows the second, or the first.
    pub(crate) fn show(&self, second: bool) {
        for ((tab, panel), is_shown) in [(&self.first, !second), (&self.second, second)] {
            dom::set_flag(tab, "aria-selected", is_shown);
            let _ = tab.set_attribute("tabindex", if is_shown { "0" } else { "-1" });
            panel.set_hidden(!is_shown);
        }
    }

    /// Gives the focus to the tab of what is seen.
    pub(crate) fn focus(&self) {
        let (tab, _) = if self.is_second() { &self.second } else { &self.first };
        let _ = tab.focus();
    }

    /// Whether a key in a tab leads to the second, or to the first; `None` where it leads nowhere.
    pub(crate) fn led_to(&self, event: &KeyboardEvent) -> Option<bool> {
        if event.ctrl_key() || event.alt_key() || event.meta_key() || event.shift_key() {
            return None;
        }
        match event.key().as_str() {
            // There are two: either way leads to the other.
            "ArrowLeft" | "ArrowRight" => Some(!self.is_second()),
            "Home" => Some(false),
            "End" => Some(true),
            _ => None,
        }
    }
}
