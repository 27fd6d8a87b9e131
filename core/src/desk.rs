//! What a desk records: codes, amounts and times, what a scanner types, and the transaction that comes of it.

pub mod alone;
pub mod amount;
pub mod barcode;
pub mod branch;
pub mod clock;
pub mod codes;
pub mod digits;
pub mod drift;
pub mod guard;
pub mod jump;
pub mod keyboard;
pub mod kinds;
pub mod letters;
pub mod name;
pub mod pattern;
pub mod press;
pub mod rules;
pub mod scan;
pub mod scanner;
pub mod shape;
pub mod signs;
pub mod stray;
pub mod transaction;
pub mod typing;
pub mod visit;
pub mod zone;
