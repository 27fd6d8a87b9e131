//! The groups of what is left to do.

use crate::log::task::Task;

/// What belongs together, in the order in which it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Scans that are not in the log. The log knows nothing of them: whoever keeps them says how many there are.
    NotRecorded,
    /// What may or may not be in Koha.
    InDoubt,
    /// What Koha refused.
    Refused,
    /// What was set aside for holds.
    SetAside,
    /// What came back and belongs to another library.
    Transfers,
    /// Patrons of whom there was a grave warning.
    Patrons,
    /// Loans that Koha would not have made, or for which it has ended another.
    Loans,
    /// What came back late: Koha computes no fine for it.
    Late,
    /// What Koha said yes to, and shows otherwise.
    ReadBack,
    /// Payments that are in Koha.
    Payments,
}

impl Group {
    /// All of them, in order.
    pub const ALL: [Self; 10] = [
        Self::NotRecorded,
        Self::InDoubt,
        Self::Refused,
        Self::SetAside,
        Self::Transfers,
        Self::Patrons,
        Self::Loans,
        Self::Late,
        Self::ReadBack,
        Self::Payments,
    ];

    /// Its name in ids.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotRecorded => "not-recorded",
            Self::InDoubt => "in-doubt",
            Self::Refused => "refused",
            Self::SetAside => "set-aside",
            Self::Transfers => "transfers",
            Self::Patrons => "patrons",
            Self::Loans => "loans",
            Self::Late => "late",
            Self::ReadBack => "read-back",
            Self::Payments => "payments",
        }
    }

    /// The group of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name)
    }

    /// What is ticked off in it. `None` where something else is done about its rows, after which they are none.
    pub fn task(self) -> Option<Task> {
        match self {
            Self::NotRecorded | Self::InDoubt | Self::Refused => None,
            Self::SetAside => Some(Task::SetAside),
            Self::Transfers => Some(Task::Transfer),
            Self::Patrons => Some(Task::Patron),
            Self::Loans => Some(Task::Loan),
            Self::Late => Some(Task::Late),
            Self::ReadBack => Some(Task::ReadBack),
            Self::Payments => Some(Task::Payment),
        }
    }
}
