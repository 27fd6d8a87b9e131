//! The rules of KOCT, the Koha Offline Circulation Tool.
//!
//! Nothing here knows a browser, a clock or a network: time, answers and failures are arguments, and what is to be done
//! comes back as values. So every rule can be tested natively, and every crash, loss and reordering can be played
//! through.
//!
//! The modules in the order of the story: none imports from one further down this list (a test holds that,
//! `tests/floors.rs`).
//!
//! | module | what it is |
//! | --- | --- |
//! | [`desk`] | what a desk records: a scan becomes a [`Transaction`] |
//! | [`settings`] | what a library and a person have chosen |
//! | [`log`] | the desk's log of [`Entry`]s, each with its [`Status`]; its order, corrections, search and slips; what is left to do |
//! | [`desks`] | what several desks recorded: `.koc` files, backups, the second copy, import, contradictions, clocks that were wrong |
//! | [`directory`] | what is known of patrons and items offline, who is warned of what, and when it is downloaded by itself |
//! | [`koha`] | the wire: typed requests out, typed answers in; the download of records; outages, and whether the desk is ready for one |
//! | [`outbox`] | brings the uncommitted transactions into Koha, each once |
//! | [`processing`] | processes what stands in Koha's queue, whichever desk sent it |
//! | [`practice`] | made-up records and a made-up Koha, for training |
//!
//! Beside them stand four that know nothing of circulation: [`slices`], long work a bit at a time, [`scrolling`], which rows
//! of a long table are drawn, [`ordered`], how all is sorted, and `stored`, what readers of stored data have in common.

pub mod ordered;
pub mod scrolling;
pub mod slices;
mod stored;

pub mod desk;
pub mod settings;

pub mod log;

pub mod desks;
pub mod directory;

pub mod koha;

pub mod outbox;

pub mod practice;
pub mod processing;

pub use desk::{
    amount::Amount,
    barcode::{Barcode, Cardnumber},
    name::DeskName,
    transaction::{Action, Moment, Transaction, TransactionId},
};
pub use log::{
    Entry,
    status::{State, Status},
};
pub use settings::form::{ApiKey, CommitType, Login, Secret, ServerUrl, Settings};
