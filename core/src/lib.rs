//! The rules of KOCT, the Koha Offline Circulation Tool.
//!
//! Nothing here knows a browser, a clock or a network: time, answers and failures are arguments, and what is to be done
//! comes back as values. So every rule can be tested natively, and every crash, loss and reordering can be played
//! through.
//!
//! A scan becomes a [`Transaction`](transaction::Transaction); the desk's log keeps it as an
//! [`Entry`](log::Entry) with its [`Status`](status::Status); the [`Outbox`](outbox::Outbox) brings the uncommitted ones
//! into Koha through the requests and answers of [`koha`]; a [`koc`] file carries them by hand. What several desks recorded
//! is brought together by [`import`], put into one [`order`], looked through for [`conflict`]s and, where something was
//! mistyped, corrected ([`correction`]) before it is sent.

pub mod amount;
pub mod backup;
pub mod barcode;
pub mod batch;
pub mod borrowers_db;
pub mod conflict;
pub mod correction;
pub mod desk;
pub mod directory;
pub mod guard;
pub mod guide;
pub mod habits;
pub mod import;
pub mod koc;
pub mod koha;
pub mod log;
pub mod lookup;
pub mod order;
pub mod outbox;
pub mod pattern;
pub mod policy;
pub mod scanner;
pub mod scrolling;
pub mod search;
pub mod settings;
pub mod shift;
pub mod slices;
pub mod slip;
pub mod status;
pub mod transaction;
