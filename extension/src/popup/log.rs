//! The log as it is shown: its table, and what can be done with what stands in it.

pub(crate) mod asking;
pub(crate) mod batches;
pub(crate) mod clear;
pub(crate) mod edit;
pub(crate) mod find;
pub(crate) mod named;
pub(crate) mod slip;
pub(crate) mod table;
pub(crate) mod tabs;
pub(crate) mod tall;
pub(crate) mod todo;
pub(crate) mod whose;
