//! Fuzzing of everything that KOCT reads from others, on stable Rust.
//!
//! Each target takes the seeds in `corpus/`, changes them and checks what must hold of any input at all. `cargo test -p
//! koct-fuzz` makes the same few thousand inputs each time. For a longer search, `KOCT_FUZZ_SECONDS` is how long each
//! target goes on and `KOCT_FUZZ_SEED` is where it starts:
//!
//! ```text
//! KOCT_FUZZ_SECONDS=600 KOCT_FUZZ_SEED=$RANDOM cargo test --release -p koct-fuzz
//! ```
//!
//! A failure names its seed and shows the smallest input found; saved as a file in the corpus, it is tried ever after.
//! The targets are plain functions of bytes, so `cargo-fuzz` can run them as well.

mod corpus;
mod fuzz;
mod mutate;
pub mod targets;

pub use corpus::{Seed, seeds};
pub use fuzz::{Plan, Target, fuzz};
