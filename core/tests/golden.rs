//! Files as each known program writes them, byte for byte: tests/golden.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a failed unwrap is the failure report")]

use chrono::NaiveDateTime;
use koct_core::{
    DeskName, Entry, Moment, Transaction, TransactionId,
    desk::zone::FixedZone,
    desks::{
        import::{self, Known},
        koc::{self, Reading, Times},
    },
};
use std::{collections::HashSet, fs, path::PathBuf};

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

/// What was done, with the time in UTC and the minutes that local time was ahead of it.
fn scans(scans: [(&str, i16, &str); 3]) -> Vec<Transaction> {
    scans
        .into_iter()
        .map(|(utc, offset, line)| {
            let utc = NaiveDateTime::parse_from_str(utc, "%Y-%m-%d %H:%M:%S%.3f").unwrap();
            let moment = Moment::new(utc.and_utc().timestamp_millis(), offset).unwrap();
            // The action as a file has it.
            let file = format!("Version=1.0\tGenerator=x\n2026-01-01 00:00:00\t{line}\n");
            let reading = koc::read(file.as_bytes(), &ZONE, None);
            Transaction { moment, action: reading.transactions[0].1.action.clone() }
        })
        .collect()
}

const PARIS_25_OCTOBER: [(&str, i16, &str); 3] = [
    ("2026-10-25 00:50:00.547", 120, "issue\t23529001223601\t39999000000001"),
    ("2026-10-25 01:10:12.003", 60, "return\t39999000000001"),
    ("2026-10-25 01:30:05.120", 60, "payment\t23529001223601\t3.50"),
];

#[test]
fn days_with_two_offsets_are_written_at_the_last_one_byte_for_byte_and_come_back() {
    let zone_at_noon = [
        // New Zealand's zone, until somebody saw it.
        ("2026-07-22 09:40:00.547", 720, "issue\t23529001223601\t39999000000001"),
        ("2026-07-22 10:05:12.003", 120, "return\t39999000000001"),
        ("2026-07-22 10:06:05.120", 120, "payment\t23529001223601\t3.50"),
    ];
    let cairo_in_april = [
        ("2026-04-23 21:59:30.547", 120, "issue\t23529001223601\t39999000000001"),
        ("2026-04-23 22:00:12.003", 180, "return\t39999000000001"),
        ("2026-04-23 22:01:05.120", 180, "payment\t23529001223601\t3.50"),
    ];
    for (name, expected) in [
        ("koct-paris-25-october.koc", PARIS_25_OCTOBER),
        ("koct-zone-at-noon.koc", zone_at_noon),
        ("koct-cairo-in-april.koc", cairo_in_april),
    ] {
        let expected = scans(expected);
        let written = koc::write(&expected, DeskName::parse("Bus 2").ok().as_ref());
        assert_eq!(written.into_bytes(), bytes(name), "{name}");
        // Koha orders by what the lines begin with.
        let lines: Vec<String> =
            String::from_utf8(bytes(name)).unwrap().lines().skip(1).map(ToOwned::to_owned).collect();
        assert!(lines.is_sorted(), "{name}");
        let back = transactions(&read(name));
        assert_eq!(back.len(), expected.len());
        assert!(back.iter().zip(&expected).all(|(back, expected)| back.is_same_as(expected)), "{name}");
    }
}

/// Versions until 0.1.0 wrote local times at several offsets, and stated none.
#[test]
fn a_file_of_the_night_as_it_was_written_before_is_known_again() {
    let file = read("koct-0.1.0-two-offsets.koc");
    assert_eq!((file.declared, file.problems.len(), file.transactions.len()), (None, 0, 3));
    let bus = DeskName::parse("Bus 2").unwrap();
    let mut known = Known::default();
    for (id, transaction) in (1..).zip(scans(PARIS_25_OCTOBER)) {
        known.take(&Entry::recorded(TransactionId(id), transaction));
    }
    let plan = import::plan(&bus, file.into_lines(), &known, &HashSet::new());
    assert_eq!((plan.new, plan.already_there), (vec![], 3));
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
