//! The short run of every target.

use koct_fuzz::{
    Plan, Target, fuzz, seeds,
    targets::{answers, borrowers, koc, list, settings, zip},
};

fn run(target: &Target) {
    let result = Plan::from_environment().and_then(|plan| fuzz(target, plan));
    let (is_ok, text) = (result.is_ok(), result.unwrap_or_else(|failure| failure));
    assert!(is_ok, "{text}");
    println!("{text}");
}

#[test]
fn koc_files() {
    run(&koc::TARGET);
}

#[test]
fn borrowers_dbs() {
    run(&borrowers::TARGET);
}

#[test]
fn koha_answers() {
    run(&answers::TARGET);
}

#[test]
fn stored_and_typed_settings() {
    run(&settings::TARGET);
}

#[test]
fn lists_without_times() {
    run(&list::TARGET);
}

#[test]
fn zip_files() {
    run(&zip::TARGET);
}

#[test]
fn every_known_writer_says_the_same() {
    let writers: Vec<_> = seeds("koc").unwrap().into_iter().filter(|seed| seed.name.starts_with("writer-")).collect();
    assert!(writers.len() >= 5);
    for writer in writers {
        let reading = koct_core::desks::koc::read(&writer.bytes, &koct_core::desk::zone::FixedZone(60), None);
        assert_eq!((&reading.problems, &reading.warnings), (&vec![], &vec![]), "{}", writer.name);
        let told: Vec<_> =
            reading.transactions.iter().map(|(_, t)| (t.moment.utc_seconds(), t.action.word())).collect();
        assert_eq!(told, [(1_795_428_000, "issue"), (1_795_428_130, "return")], "{}", writer.name);
    }
}
