//! What belongs to the window as a whole.

pub(crate) mod alt;
pub(crate) mod early;
pub(crate) mod focus;
pub(crate) mod guide;
pub(crate) mod help;
pub(crate) mod keys;
pub(crate) mod menu;
pub(crate) mod message;
pub(crate) mod practice;
pub(crate) mod press;
pub(crate) mod question;
pub(crate) mod ready;
pub(crate) mod stray;
pub(crate) mod two_tabs;
pub(crate) mod windows;

use super::{Desk, scan::answers::Answers};
use std::rc::Rc;
use wasm_bindgen::JsValue;

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>, answers: &Rc<Answers>) -> Result<(), JsValue> {
    stray::bind(desk)?;
    keys::bind(answers)
}
