//! What a library and a person have chosen: as typed, checked, and preset by policy.

pub mod form;
pub mod guide;
pub mod habits;
pub mod policy;
pub mod records;
