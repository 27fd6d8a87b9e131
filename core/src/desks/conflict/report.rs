//! What is told of each desk.

use crate::{
    desk::{name::DeskName, transaction::Moment},
    desks::shift::{Shift, Span},
};

/// How a desk's clock seems to be off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockOff {
    /// The scans that it showed wrongly.
    pub span: Span,
    /// The number of them that may be moved.
    pub number: u32,
    /// What would set them right.
    pub shift: Shift,
    /// How many contradictions with other desks it would settle; 0 where the desk's own scans show it.
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
    /// How many of those may still be moved.
    pub movable: u32,
    /// Its earliest moment.
    pub first: Moment,
    /// Its latest moment.
    pub last: Moment,
    /// Whether its clock seems to be off, and by how much.
    pub clock: Option<ClockOff>,
}

impl DeskReport {
    /// What to offer where this is tried already: the moments that were looked at are moved by it. `None` where the next thing
    /// to be set right is about other scans: what is tried is to be stored first.
    pub fn suggested(&self, tried: Option<(Span, Shift)>) -> Option<(Span, Shift)> {
        let clock = self.clock?;
        match tried {
            None => Some((clock.span, clock.shift)),
            Some((span, Shift(by))) if span == clock.span => Some((span, Shift(by.checked_add(&clock.shift.0)?))),
            Some(_) => None,
        }
    }
}
