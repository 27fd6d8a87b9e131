//! KOCT automation.
fn main() {}
