//! Offers Koha's own rule for items' barcodes, where Koha tells it and it is not among the rules.

use super::fields;
use crate::{dom::elements, i18n::text_with};
use koct_core::{desk::rules::Kind, koha::filter};
use std::cell::Cell;
use web_sys::{HtmlElement, HtmlInputElement};

elements! {
    pub(super) struct KohaFilter {
        row: HtmlElement = "koha-filter",
        words: HtmlElement = "koha-filter-text",
        rules: HtmlInputElement = "item-rules",
        ;
        /// What Koha has told.
        told: Cell<Option<Kind>>,
    }
}

impl KohaFilter {
    /// Puts it among the rules. Returns whether it was not there yet.
    pub(super) fn take(&self) -> bool {
        self.hide();
        let rules = self.told.get().and_then(|kind| filter::with_filter(&self.rules.value(), kind));
        if let Some(rules) = &rules {
            self.rules.set_value(rules);
            fields::tell_changed(&self.rules);
        }
        rules.is_some()
    }

    /// What Koha has told, if anything.
    pub(super) fn set(&self, told: Option<Kind>) {
        self.told.set(told);
    }

    /// Offers it, where a person may take it.
    pub(super) fn offer(&self) {
        let is_new = |kind: &Kind| filter::with_filter(&self.rules.value(), *kind).is_some();
        let offered = self.told.get().filter(|kind| is_new(kind) && !self.rules.has_attribute("disabled"));
        if let Some(kind) = offered {
            self.words.set_text_content(Some(&text_with("kohaFilter", &[kind.name()])));
        }
        self.row.set_hidden(offered.is_none());
    }

    pub(super) fn hide(&self) {
        self.row.set_hidden(true);
    }
}
