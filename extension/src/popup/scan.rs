//! What is scanned and typed: the fields, the queue to the log, and what could not be recorded.

pub(crate) mod attention;
pub(crate) mod checkin;
pub(crate) mod checkout;
pub(crate) mod codes;
pub(crate) mod scans;
pub(crate) mod sitting;
