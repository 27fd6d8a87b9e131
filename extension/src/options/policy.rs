//! The part of the settings page that shows what the library has preset.

use crate::{
    dom,
    i18n::{text, text_with},
    wording,
};
use koct_core::settings::policy::{Key, Kind, Policy, Problem};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement, HtmlInputElement};

/// The controls that a locked preset takes out of the person's hands.
fn controls(key: Key) -> &'static [&'static str] {
    match key {
        Key::Server => &["server"],
        Key::Username => &["username"],
        Key::Branchcode => &["branchcode", "branch-choice"],
        Key::CommitType => &["commit-send", "commit-apply"],
        Key::StaleHours => &["stale-hours"],
        Key::KeepPassword => &["keep-password"],
        Key::ScannerEnd => &["scanner-end"],
        Key::CardPattern => &["card-pattern"],
        Key::Sounds => &["sounds"],
        Key::LibraryName => &["library-name"],
        Key::LoanDays => &["loan-days"],
        Key::RecordsSettings => &["lookup"],
        Key::LookupPassphrase => &["lookup-passphrase"],
        Key::LookupDebtLimit => &["debt-limit"],
        Key::LookupRemindDays => &["remind-days"],
        Key::LookupDays => &["wipe-days"],
        Key::LookupRestrictionsReport => &["restrictions-report"],
        Key::Notice => &[],
    }
}

/// Locks what is locked, and says what is wrong with the presets.
///
/// # Errors
/// When the page lacks an element.
pub(super) fn show(policy: &Policy) -> Result<(), JsValue> {
    for key in Key::ALL.into_iter().filter(|key| policy.is_locked(*key)) {
        for (place, id) in controls(key).iter().enumerate() {
            let control: HtmlElement = dom::by_id(id)?;
            lock(&control)?;
            if place == 0 {
                explain(&control, id)?;
            }
        }
    }
    dom::by_id::<HtmlElement>("policy")?.set_hidden(policy.problems().is_empty());
    let list: Element = dom::by_id("policy-problems")?;
    for problem in policy.problems() {
        let line = dom::document()?.create_element("li")?;
        line.set_text_content(Some(&sentence(problem)));
        list.append_child(&line)?;
    }
    Ok(())
}

/// A text stays readable for screen readers, and can be copied.
fn lock(control: &HtmlElement) -> Result<(), JsValue> {
    match control.dyn_ref::<HtmlInputElement>() {
        Some(input) if input.type_() == "text" => {
            input.set_read_only(true);
            Ok(())
        }
        _ => control.set_attribute("disabled", ""),
    }
}

/// Puts the hint below the control, or above the choices where it is one of several.
fn explain(control: &HtmlElement, id: &str) -> Result<(), JsValue> {
    let hint = dom::from_template("locked-template")?;
    hint.set_id(&format!("{id}-locked"));
    hint.set_text_content(Some(&text("setByLibrary")));
    let label = control.closest("label")?;
    let choice = label.as_ref().is_some_and(|label| label.class_name() == "choice");
    let place = label.as_ref().unwrap_or(control);
    place.insert_adjacent_element(if choice { "beforebegin" } else { "afterend" }, &hint)?;
    let described = control.get_attribute("aria-describedby").unwrap_or_default();
    control.set_attribute("aria-describedby", format!("{described} {}", hint.id()).trim())
}

fn sentence(problem: &Problem) -> String {
    match problem {
        Problem::NotAnObject => text("policyNotAnObject"),
        Problem::Unknown(name) => text_with("policyUnknown", &[name]),
        Problem::Password => text("policyPassword"),
        Problem::Kind(name, kind) => text_with("policyKind", &[name, &text(kind_key(*kind))]),
        Problem::Value(key, error) => text_with("policyValue", &[key.name(), &wording::field_error(error)]),
        Problem::NotPreset(name) => text_with("policyNotPreset", &[name]),
    }
}

fn kind_key(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "policyKindText",
        Kind::Flag => "policyKindFlag",
        Kind::Number => "policyKindNumber",
        Kind::Amount => "policyKindAmount",
        Kind::CommitType => "policyKindCommitType",
        Kind::ScannerEnd => "policyKindScannerEnd",
        Kind::Locked => "policyKindLocked",
    }
}
