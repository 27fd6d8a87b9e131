//! The native measurements, as JSON: of the rules, or of the directory with `directory`.

use koct_speed::directory::{self, LARGE};
use std::time::Instant;

fn main() {
    let began = Instant::now();
    let now = || began.elapsed().as_secs_f64() * 1000.0;
    let is_directory = std::env::args().nth(1).as_deref() == Some("directory");
    println!("{}", if is_directory { directory::measure(&now, LARGE) } else { koct_speed::measure(&now) });
}
