//! What a person does at the desk, in a real Firefox against a stand-in Koha.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a failed unwrap is the failure report")]

mod committing;
mod scanning;
