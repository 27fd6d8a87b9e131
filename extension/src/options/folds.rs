//! The folds of the settings page: each says in a line what is set in it, and opens by itself where something is wrong.

use super::fields;
use crate::{dom, i18n::text, wording};
use koct_core::settings::{
    fold::Locked,
    form::FieldError,
    policy::Policy,
    table::{Field, Fold, Preferences},
};
use wasm_bindgen::JsValue;
use web_sys::Element;

struct Shown {
    fold: Fold,
    element: Element,
    /// What is set in it.
    says: Element,
    /// Shown where the library sets it.
    lock: Element,
}

pub(super) struct Folds(Vec<Shown>);

impl Folds {
    /// # Errors
    /// When the page lacks one.
    pub(super) fn new() -> Result<Self, JsValue> {
        let shown = Fold::ALL.into_iter().map(|fold| {
            let element: Element = dom::by_id(fold.id())?;
            let part = |css| element.query_selector(css)?.ok_or_else(|| JsValue::from_str("a fold without its line"));
            Ok(Shown { fold, says: part("summary > .says")?, lock: part("summary > .icon-lock")?, element })
        });
        shown.collect::<Result<_, JsValue>>().map(Self)
    }

    /// Says what is set, as it is in the page. `errors` are what is wrong there.
    pub(super) fn show(&self, set: &Preferences, errors: &[(Field, FieldError)]) {
        for Shown { fold, element, says, .. } in &self.0 {
            let is_wrong = fold.is_wrong(errors);
            let words = if is_wrong { text("foldWrong") } else { wording::facts(&fold.facts(set)) };
            // The same words are not put there again: nobody shall hear them at each key.
            if says.text_content().as_deref() != Some(&words) {
                says.set_text_content(Some(&words));
            }
            let state = if is_wrong {
                "wrong"
            } else if fold.matters(set) {
                ""
            } else {
                "idle"
            };
            let _ = element.set_attribute("data-state", state);
        }
    }

    /// Opens those in which something is wrong.
    pub(super) fn open_wrong(&self, errors: &[(Field, FieldError)]) {
        for Shown { element, .. } in self.0.iter().filter(|shown| shown.fold.is_wrong(errors)) {
            let _ = element.set_attribute("open", "");
        }
    }

    /// Shows which of them the library sets.
    pub(super) fn lock(&self, policy: &Policy) {
        for Shown { fold, lock, .. } in &self.0 {
            let Some(locked) = fold.locked(policy) else { continue };
            let words = match locked {
                Locked::All => text("setByLibrary"),
                Locked::Part => text("setByLibraryInPart"),
            };
            let _ = lock.set_attribute("aria-label", &words);
            let _ = lock.set_attribute("title", &words);
            let _ = lock.remove_attribute("hidden");
        }
    }
}

/// Opens the fold with this element, and goes there.
pub(super) fn go_to(element: &web_sys::HtmlElement) {
    fields::unfold(element);
    let _ = element.focus();
}
