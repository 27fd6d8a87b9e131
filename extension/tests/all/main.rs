//! The add-on's code in a page of a real Firefox. One program for all: to make a page of it takes longer than its tests do.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a failed unwrap is the failure report")]

mod borrowers;
mod directory;
mod lock;
mod odd_rows;
mod store;

use koct_core::{CommitType, Moment, TransactionId, log::commit::Batch};
use wasm_bindgen_test::wasm_bindgen_test_configure;

wasm_bindgen_test_configure!(run_in_browser);

/// A commit of one row that has begun.
fn batch(started: Moment) -> Batch {
    Batch {
        started,
        end: None,
        commit_type: CommitType::Send,
        server: "https://koha.example.org".into(),
        branchcode: "CPL".into(),
        transactions: vec![TransactionId(1)],
        audit: None,
        queued: Vec::new(),
        handled: None,
    }
}
