//! The stand-in against what is known of Koha, over real HTTP: one test or row of a table per documented fact.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::format_push_string,
    reason = "in tests a failed unwrap is the failure report"
)]

mod authentication;
mod client;
mod direct;
mod download;
mod faults;
mod form;
mod from_24_05;
mod gateway;
mod generated;
#[cfg(feature = "https")]
mod https;
mod login;
mod pages;
mod pending;
mod plugin;
mod reading;
mod report;
mod rest;
