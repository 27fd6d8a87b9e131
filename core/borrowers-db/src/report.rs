//! What is said of a file beside its rows.

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

/// What was found in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Report {
    /// The patrons given out.
    pub patrons: u32,
    /// The loans given out.
    pub loans: u32,
    /// Rows of patrons whose number came again further down: the last one counts.
    pub repeated_patrons: u32,
    /// Rows of patrons without a number.
    pub unnumbered_patrons: u32,
    /// Loans that do not say whose they are.
    pub unnumbered_loans: u32,
    /// Debts that are no amount, so not known.
    pub unclear_amounts: u32,
    /// Days and times that are none, so not known.
    pub unclear_dates: u32,
}

/// How many minutes the desk's clock is ahead of UTC when it shows this.
pub type Offset<'a> = &'a dyn Fn(NaiveDateTime) -> i16;
