//! Writes the files of the tests anew; with `speed`, measures how fast a large one is read.

use koct_borrowers_db::{Reader, Step};
use koct_borrowers_tests::{desktop, koha, large, small};
use std::{error::Error, fs, path::Path, time::Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => write(),
        ["speed"] => speed(1_000_000),
        ["speed", patrons] => speed(patrons.parse()?),
        _ => Err("usage: koct-borrowers-tests [speed [PATRONS]]".into()),
    }
}

fn write() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::write(here.join("koha.db"), koha()?)?;
    fs::write(here.join("desktop.db"), desktop()?)?;
    let corpus = here.join("../fuzz/corpus/borrowers");
    fs::create_dir_all(&corpus)?;
    for (name, file) in small()? {
        fs::write(corpus.join(name), file)?;
    }
    Ok(())
}

/// How many rows are read in a second, and how long the longest step takes.
fn speed(patrons: u32) -> Result<(), Box<dyn Error>> {
    let file = large(patrons)?;
    let size = file.len();
    let (began, mut longest) = (Instant::now(), 0.0_f64);
    let mut reader = Reader::open(file)?;
    let report = loop {
        let step = Instant::now();
        let done = reader.step(1000, &|_| 60)?;
        longest = longest.max(step.elapsed().as_secs_f64());
        if let Step::Done(report) = done {
            break report;
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    let rows = f64::from(report.patrons) + f64::from(report.loans);
    println!(
        "{} patrons and {} loans, {} MB: {seconds:.2} s, {:.0} rows a second, the longest step of 1000 rows {:.1} ms",
        report.patrons,
        report.loans,
        size / 1_000_000,
        rows / seconds,
        longest * 1000.0
    );
    Ok(())
}
