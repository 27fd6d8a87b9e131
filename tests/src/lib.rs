//! KOCT in a real Firefox: the driver that the end-to-end tests, the demo and the benchmark share.
//!
//! It speaks WebDriver BiDi to Firefox itself, without a driver process in between.

pub mod accounts;
pub mod axe;
pub mod bidi;
#[cfg(test)]
mod checkins;
pub mod client;
pub mod copy;
pub mod desk;
pub mod firefox;
pub mod keeper;
mod kept;
pub mod matrix;
#[cfg(test)]
mod native;
pub mod page;
#[cfg(test)]
mod plugin;
#[cfg(test)]
mod processing;
pub mod pseudo;
pub mod records;
pub mod settings_page;
#[cfg(test)]
mod worklist;

/// What goes wrong with Firefox: a sentence for whoever reads the test's output.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
/// The result of driving Firefox.
pub type Result<T = ()> = std::result::Result<T, Error>;
