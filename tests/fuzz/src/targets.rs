//! What is fuzzed, and what must hold.

pub mod answers;
pub mod borrowers;
pub mod koc;
pub mod list;
pub mod settings;
pub mod zip;
