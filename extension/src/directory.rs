//! What is known offline of Koha's patrons, items, loans and holds, in the browser.

pub mod borrowers;
