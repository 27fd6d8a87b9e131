//! Files as each known program writes them, byte for byte: tests/golden.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a failed unwrap is the failure report")]

use koct_core::{
    DeskName, Transaction,
    desk::zone::FixedZone,
    desks::koc::{self, Reading, Times},
};
use std::{fs, path::PathBuf};

/// Central European Summer Time, where all of them were written.
const ZONE: FixedZone = FixedZone(120);

fn bytes(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read(name: &str) -> Reading {
    koc::read(&bytes(name), &ZONE, None)
}

fn transactions(reading: &Reading) -> Vec<Transaction> {
    reading.transactions.iter().map(|(_, transaction)| transaction.clone()).collect()
}

/// What all of the files hold: time without milliseconds, word, codes.
fn content(reading: &Reading) -> Vec<String> {
    let line = |transaction: &Transaction| {
        let action = &transaction.action;
        let parts = [
            Some(transaction.moment.service_timestamp()),
            Some(action.word().to_owned()),
            action.cardnumber().map(ToString::to_string),
            action.barcode().map(ToString::to_string),
            action.amount().map(|amount| amount.to_string()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    transactions(reading).iter().map(line).collect()
}

const EXPECTED: [&str; 4] = [
    "2026-07-22 08:15:30 issue 23529001223601 39999000000001",
    "2026-07-22 08:15:42 issue 23529001223601 39999000000002",
    "2026-07-22 08:20:05 return 39999000000003",
    "2026-07-22 08:21:59 payment 23529001223602 3.50",
];

#[test]
fn every_known_writer_is_read_alike() {
    for (name, generator, declared, lines, millis) in [
        ("kocPHP.koc", "kocPHP", None, 4, 547),
        ("kocDesktop.koc", "kocDesktop", None, 4, 547),
        ("koct-firefox.koc", "koct-firefox", Some(Times::Utc), 3, 0),
        ("kolt.koc", "kolt", None, 3, 0),
        ("export_offline_circ_log.koc", "export_offline_circ_log.pl", None, 4, 0),
        ("koct.koc", "koct", Some(Times::Offset(120)), 4, 547),
    ] {
        let reading = read(name);
        assert_eq!(reading.generator.as_deref(), Some(generator));
        assert_eq!(reading.declared, declared, "{name}");
        assert_eq!((&reading.problems[..], &reading.warnings[..]), (&[][..], &[][..]), "{name}");
        assert_eq!(content(&reading), EXPECTED[..lines], "{name}");
        assert_eq!(reading.transactions[0].1.moment.utc_millis() % 1000, millis, "{name}");
        assert_eq!(reading.transactions[0].0, 2, "{name}: the header is line 1");
    }
}

#[test]
fn ours_is_written_byte_for_byte() {
    let reading = read("koct.koc");
    assert_eq!(reading.desk, DeskName::parse("Bus 2").ok());
    let transactions = transactions(&reading);
    let written = koc::write(&transactions, reading.desk.as_ref());
    assert_eq!(written.into_bytes(), bytes("koct.koc"));
}

#[test]
fn what_a_person_has_edited_loses_no_good_line() {
    let reading = read("by-hand.koc");
    assert_eq!(content(&reading), [EXPECTED[0], EXPECTED[2]]);
    let problems: Vec<_> = reading.problems.iter().map(|problem| (problem.line, problem.reason.to_string())).collect();
    let expected = [
        (4, "“# the next patron forgot her card” is not a time"),
        (5, "“renew” is not an action that KOCT knows"),
        (6, "cardnumber: it is empty"),
        (7, "amount: write it as digits with a dot, as in 3.50"),
        (8, "the line is not UTF-8 text"),
    ];
    assert_eq!(problems, expected.map(|(line, reason)| (line, reason.to_owned())));
}
