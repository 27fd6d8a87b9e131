//! How much something matters to whoever stands at the desk.

/// The grades, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// To be read when there is time.
    Note,
    /// To be done, and nothing is wrong.
    Do,
    /// To be looked at.
    Careful,
    /// To be dealt with before anything else.
    Stop,
}

impl Grade {
    /// Its name in `data-grade`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Do => "do",
            Self::Careful => "careful",
            Self::Stop => "stop",
        }
    }
}
