//! A stand-in Koha staff server for KOCT's demo and tests.
//!
//! It answers on 127.0.0.1 what a Koha server answers to offline circulation, odd parts included: a repeated issue is
//! silently a renewal, a payment sent twice is taken twice, only an exact `pending=true` goes to the queue, a session
//! without the cataloguing permission is deleted by a mere look at `svc/authentication`, and so on. There are two
//! eras, since Koha 24.05 changed the login parameters and asks for CSRF tokens.
//!
//! ```
//! use fake_koha::{Config, Effect, Era, FakeKoha};
//!
//! let koha = FakeKoha::start(Config { era: Era::Before2405, ..Config::default() })?;
//! assert!(koha.url().starts_with("http://127.0.0.1:"));
//! // … requests to `koha.url()` …
//! let issued = koha.library(|l| l.effects.iter().filter(|e| matches!(e, Effect::Issued { .. })).count());
//! assert_eq!(issued, 0);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Where to look: the library's data in `state`, what a transaction does to it in `circulation` and `queue`, who may
//! do it in `auth` and `csrf`; one module per page of Koha (`service`, `authentication`, `pages`, `koc`, `report`, `rest`, `plugin`); libraries to
//! start with in `sample` and `generate`; and
//! `server`, `tls`, `connection`, `faults`, `fronts`, `gateway` for HTTP, its accidents, and what stands before Koha.
//!
//! Not modelled: branch by IP address, expired passwords, circulation rules other than a loan of 21
//! days, fines, and races between requests (they are handled one at a time).

#![allow(clippy::result_large_err, reason = "a refusal is an answer like any other, and speed does not matter here")]

mod amount;
mod auth;
mod authentication;
mod circulation;
mod clock;
mod collation;
mod connection;
mod csrf;
mod faults;
mod fronts;
mod gateway;
mod generate;
mod koc;
mod names;
mod pages;
mod plugin;
mod queue;
mod reply;
mod report;
mod request;
mod rest;
mod sample;
mod server;
mod service;
mod state;
#[cfg_attr(not(feature = "https"), path = "no_tls.rs")]
mod tls;

pub use amount::Amount;
pub use auth::{Flag, SECOND_FACTOR, Session};
pub use circulation::Died;
pub use clock::Zone;
pub use faults::{Close, Fault, FaultKind, StreamReset};
pub use fronts::{Front, RetryAfter};
pub use gateway::Wall;
pub use generate::Size;
pub use plugin::Plugin;
pub use request::Recorded;
pub use rest::checkins::Checkins;
pub use server::{Config, FakeKoha, Https, Stopped};
pub use state::{
    AccessToken, AccountLine, ApiKey, Branch, DateFormat, Effect, Era, Found, Hold, HoldEnd, Item, Library, Loan,
    OldHold, OldLoan, Operation, Patron, Payment, Preferences, Report, Text, Upload,
};
