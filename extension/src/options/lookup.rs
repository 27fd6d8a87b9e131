//! The part of the settings page that is about records for look-up.

use crate::{directory::Known, dom};
use koct_core::{Secret, koha::records::RESTRICTIONS_SQL, settings::records::RecordsSettings};
use std::{cell::Cell, rc::Rc};
use wasm_bindgen::JsValue;
use web_sys::{Event, HtmlElement, HtmlInputElement};

#[derive(Clone)]
pub(super) struct LookupFields {
    enabled: HtmlInputElement,
    /// Says what turning it off does.
    off: HtmlElement,
    /// Whether records are wanted as long as nothing is saved.
    was_enabled: Rc<Cell<bool>>,
    /// All the others: they matter only where records are wanted.
    fields: HtmlElement,
    passphrase: HtmlInputElement,
    debt_limit: HtmlInputElement,
    remind_days: HtmlInputElement,
    wipe_days: HtmlInputElement,
    restrictions_report: HtmlInputElement,
    client_id: HtmlInputElement,
    client_secret: HtmlInputElement,
}

impl LookupFields {
    /// # Errors
    /// When the page lacks an element.
    pub(super) fn new() -> Result<Self, JsValue> {
        let fields = Self {
            enabled: dom::by_id("lookup")?,
            off: dom::by_id("lookup-off")?,
            was_enabled: Rc::default(),
            fields: dom::by_id("lookup-fields")?,
            passphrase: dom::by_id("lookup-passphrase")?,
            debt_limit: dom::by_id("debt-limit")?,
            remind_days: dom::by_id("remind-days")?,
            wipe_days: dom::by_id("wipe-days")?,
            restrictions_report: dom::by_id("restrictions-report")?,
            client_id: dom::by_id("client-id")?,
            client_secret: dom::by_id("client-secret")?,
        };
        dom::by_id::<HtmlElement>("restrictions-sql")?.set_text_content(Some(RESTRICTIONS_SQL));
        let this = fields.clone();
        dom::on::<Event>(&fields.enabled, "change", move |_| this.show());
        Ok(fields)
    }

    fn show(&self) {
        self.fields.set_hidden(!self.enabled.checked());
        self.off.set_hidden(self.enabled.checked() || !self.was_enabled.get());
    }

    /// What the page holds is stored. Records that nobody wants any more are deleted now: perhaps no window is open to do it.
    pub(super) async fn saved(&self) {
        let is_over = self.was_enabled.replace(self.enabled.checked()) && !self.enabled.checked();
        self.show();
        if is_over && let Ok(known) = Known::new() {
            // Where another window still downloads, that one stops, and deletes them.
            let _ = known.reload(&self.read()).await;
        }
    }

    pub(super) fn fill(&self, lookup: &RecordsSettings) {
        self.enabled.set_checked(lookup.enabled);
        self.passphrase.set_checked(lookup.passphrase);
        self.debt_limit.set_value(&lookup.debt_limit);
        self.remind_days.set_value(&lookup.remind_days);
        self.wipe_days.set_value(&lookup.wipe_days);
        self.restrictions_report.set_value(&lookup.restrictions_report);
        self.client_id.set_value(&lookup.client_id);
        self.client_secret.set_value(lookup.client_secret.reveal());
        self.was_enabled.set(lookup.enabled);
        self.show();
    }

    pub(super) fn read(&self) -> RecordsSettings {
        let text = |input: &HtmlInputElement| input.value().trim().to_owned();
        RecordsSettings {
            enabled: self.enabled.checked(),
            passphrase: self.passphrase.checked(),
            debt_limit: text(&self.debt_limit),
            remind_days: text(&self.remind_days),
            wipe_days: text(&self.wipe_days),
            restrictions_report: text(&self.restrictions_report),
            client_id: text(&self.client_id),
            client_secret: Secret::new(self.client_secret.value()),
        }
    }
}
