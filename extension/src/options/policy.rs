//! The part of the settings page that shows what the library has preset.

use crate::{
    dom,
    i18n::{text, text_with},
    wording,
};
use koct_core::settings::{
    policy::{Policy, Problem},
    table::{Field, Kind},
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement, HtmlInputElement};

/// Locks what is locked, and says what is wrong with the presets.
///
/// # Errors
/// When the page lacks an element.
pub(super) fn show(policy: &Policy) -> Result<(), JsValue> {
    for field in Field::ALL.iter().filter(|field| policy.is_locked(**field)) {
        // Its control, or its radio buttons, and what else sets it.
        let id = field.id();
        let controls = dom::document()?.query_selector_all(&format!("#{id}, [name={id}], [data-sets={id}]"))?;
        for place in 0..controls.length() {
            let Some(control) = controls.item(place).and_then(|node| node.dyn_into::<HtmlElement>().ok()) else {
                continue;
            };
            lock(&control)?;
            if place == 0 {
                explain(&control)?;
            }
        }
    }
    dom::by_id::<HtmlElement>("policy")?.set_hidden(policy.problems().is_empty());
    let list: Element = dom::by_id("policy-problems")?;
    dom::fill_list(&list, policy.problems(), |problem| dom::line(&sentence(problem)));
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

/// Puts the hint below the control, with what stands beside it, or below the choices where it is one of several.
fn explain(control: &HtmlElement) -> Result<(), JsValue> {
    let hint = dom::from_template("locked-template")?;
    hint.set_id(&format!("{}-locked", control.id()));
    hint.set_text_content(Some(&text("setByLibrary")));
    let beside = control.closest(".row, .choices")?;
    let place = beside.or(control.closest("label")?);
    place.as_ref().unwrap_or(control).insert_adjacent_element("afterend", &hint)?;
    let described = control.get_attribute("aria-describedby").unwrap_or_default();
    control.set_attribute("aria-describedby", format!("{described} {}", hint.id()).trim())
}

fn sentence(problem: &Problem) -> String {
    match problem {
        Problem::NotAnObject => text("policyNotAnObject"),
        Problem::Unknown(name) => text_with("policyUnknown", &[name]),
        Problem::Password => text("policyPassword"),
        Problem::Kind(name, kind) => text_with("policyKind", &[name, &text(kind_key(*kind))]),
        Problem::Value(name, error) => text_with("policyValue", &[name, &wording::field_error(error)]),
        Problem::Locked => text_with("policyKind", &["locked", &text("policyKindLocked")]),
        Problem::NotPreset(name) => text_with("policyNotPreset", &[name]),
    }
}

fn kind_key(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Secret => "policyKindText",
        Kind::Flag => "policyKindFlag",
        Kind::Number => "policyKindNumber",
        Kind::Amount => "policyKindAmount",
        Kind::Login => "policyKindLogin",
        Kind::CommitType => "policyKindCommitType",
        Kind::ScannerEnd => "policyKindScannerEnd",
        Kind::ScannerKeyboard => "policyKindScannerKeyboard",
        Kind::KeyKept => "policyKindKeyKept",
        Kind::Rules => "policyKindRules",
    }
}
