//! The part of the settings page that is about records for look-up.

use crate::{
    directory::{Known, Told, refresh},
    dom::{self, elements},
};
use koct_core::{koha::records::RESTRICTIONS_SQL, settings::records::RecordsSettings};
use std::{cell::Cell, rc::Rc};
use wasm_bindgen::JsValue;
use web_sys::{HtmlElement, HtmlInputElement};

elements! {
    pub(super) struct RecordsPart {
        enabled: HtmlInputElement = "lookup",
        /// Says what turning it off does.
        off: HtmlElement = "lookup-off",
        /// All the others: they matter only where records are wanted.
        fields: HtmlElement = "lookup-fields",
        restrictions_sql: HtmlElement = "restrictions-sql",
        ;
        /// Whether records are wanted as long as nothing is saved.
        was_enabled: Cell<bool>,
    }
}

impl RecordsPart {
    /// # Errors
    /// When the page lacks an element.
    pub(super) fn bind() -> Result<Rc<Self>, JsValue> {
        let part = Rc::new(Self::new()?);
        part.restrictions_sql.set_text_content(Some(RESTRICTIONS_SQL));
        dom::bind(&part.enabled, "change", &part, |this| this.show());
        Ok(part)
    }

    fn show(&self) {
        self.fields.set_hidden(!self.enabled.checked());
        self.off.set_hidden(self.enabled.checked() || !self.was_enabled.get());
    }

    /// The page holds what is stored.
    pub(super) fn loaded(&self, records: &RecordsSettings) {
        self.was_enabled.set(records.enabled);
        self.show();
    }

    /// What the page holds is stored. Records that nobody wants any more are deleted now: perhaps no window is open to do it.
    pub(super) async fn saved(&self, records: &RecordsSettings) {
        let is_over = self.was_enabled.replace(records.enabled) && !records.enabled;
        self.show();
        refresh::settings_changed();
        if is_over && let Ok(known) = Known::new() {
            known.tell(&Told::Stop);
            // Where another window still downloads, that one stops, and deletes them.
            let _ = known.reload(records, None).await;
        }
    }
}
