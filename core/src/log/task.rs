//! What is done by hand after a transaction, and that it is done: it is a part of the entry that has it.

use crate::desk::transaction::Moment;
use serde::{Deserialize, Serialize};

/// Something that is done by hand, in Koha or at the shelf, and that Koha does not tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// To check the item in once more, so that its hold is caught.
    SetAside,
    /// To look at the patron.
    Patron,
    /// To charge what is due for a late return.
    Late,
    /// To look at what Koha has made of it.
    ReadBack,
    /// To look whether the payment is booked.
    Payment,
    /// To send the item to the library where it belongs.
    Transfer,
    /// To look at the loan: Koha would not have made it, or has ended another one for it.
    Loan,
}

impl Task {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::SetAside, Self::Patron, Self::Late, Self::ReadBack, Self::Payment, Self::Transfer, Self::Loan];
}

/// One that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tick {
    /// Which.
    pub task: Task,
    /// When a person said so.
    pub at: Moment,
}
