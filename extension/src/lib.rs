//! KOCT.
