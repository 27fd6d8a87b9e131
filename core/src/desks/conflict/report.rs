//! What is told of each desk.

use crate::{
    desk::{name::DeskName, transaction::Moment},
    desks::shift::Shift,
};

/// How a desk's clock seems to be off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockOff {
    /// What would set its transactions right.
    pub shift: Shift,
    /// How many contradictions it would settle; 0 where it is known by moments in the future alone.
    pub settles: u32,
    /// Of how many.
    pub of: u32,
}

/// A desk among those whose transactions are to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskReport {
    /// Which; `None` is this one.
    pub desk: Option<DeskName>,
    /// How many of its transactions are to be sent.
    pub number: u32,
    /// Its earliest moment.
    pub first: Moment,
    /// Its latest moment.
    pub last: Moment,
    /// Whether its clock seems to be off, and by how much.
    pub clock: Option<ClockOff>,
}

impl DeskReport {
    /// The shift to offer where this one is tried already: the moments that were looked at are moved by it.
    pub fn suggested(&self, tried: Shift) -> Option<Shift> {
        self.clock.map(|clock| Shift(tried.0 + clock.shift.0))
    }
}
