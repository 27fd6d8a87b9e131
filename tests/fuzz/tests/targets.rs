//! The short run of every target.

use koct_fuzz::{
    Plan, fuzz, seeds,
    targets::{answers, koc, settings},
};

#[test]
fn koc_files() {
    fuzz(&koc::TARGET, Plan::from_environment());
}

#[test]
fn koha_answers() {
    fuzz(&answers::TARGET, Plan::from_environment());
}

#[test]
fn stored_and_typed_settings() {
    fuzz(&settings::TARGET, Plan::from_environment());
}

#[test]
fn every_known_writer_says_the_same() {
    let writers: Vec<_> =
        seeds("koc").unwrap().into_iter().filter(|seed| seed.name.starts_with("writer-")).collect();
    assert!(writers.len() >= 5);
    for writer in writers {
        let reading = koct_core::koc::read(&writer.bytes, &koct_core::koc::FixedZone(60));
        assert_eq!((&reading.problems, &reading.warnings), (&vec![], &vec![]), "{}", writer.name);
        let told: Vec<_> =
            reading.transactions.iter().map(|(_, t)| (t.moment.utc_seconds(), t.action.word())).collect();
        assert_eq!(told, [(1_795_428_000, "issue"), (1_795_428_130, "return")], "{}", writer.name);
    }
}
