//! The add-on's code in a page of a real Firefox. One program for all: to make a page of it takes longer than its tests do.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a failed unwrap is the failure report")]

mod borrowers;
mod directory;
mod odd_rows;
mod store;

use wasm_bindgen_test::wasm_bindgen_test_configure;

wasm_bindgen_test_configure!(run_in_browser);
