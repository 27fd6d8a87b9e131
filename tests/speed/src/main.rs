//! The native measurements, as JSON.

use std::time::Instant;

fn main() {
    let began = Instant::now();
    println!("{}", koct_speed::measure(&|| began.elapsed().as_secs_f64() * 1000.0));
}
