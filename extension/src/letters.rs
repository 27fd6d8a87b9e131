//! Letters as Firefox knows them, for the rules about codes and names.

use js_sys::{JsString, RegExp};
use koct_core::desk::letters;
use wasm_bindgen::prelude::wasm_bindgen;

thread_local! {
    static MARKS: RegExp = RegExp::new(r"\p{M}", "gu");
}

/// The text in compatibility decomposition, without combining marks.
pub fn base_letters(text: &str) -> String {
    let decomposed = JsString::from(text).normalize("NFKD");
    MARKS.with(|marks| decomposed.replace_by_pattern(marks, "").into())
}

/// Runs when the module is there, before anything else of it.
#[wasm_bindgen(start)]
fn give_to_core() {
    letters::know_by(base_letters);
}
