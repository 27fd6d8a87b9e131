//! What belongs to the window as a whole.

pub(crate) mod early;
pub(crate) mod focus;
pub(crate) mod guide;
pub(crate) mod help;
pub(crate) mod keys;
pub(crate) mod message;
pub(crate) mod question;
pub(crate) mod stray;
pub(crate) mod windows;
