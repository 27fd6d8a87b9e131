//! Nights in which a zone changes its offset: hours that come twice, and days that have no midnight. What was recorded in them is right
//! in the log, in files, on slips and in what Koha is given.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a failed unwrap is the failure report")]

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime};
use koct_core::{
    Action, Barcode, Cardnumber, Moment, Transaction, TransactionId,
    desk::zone::Zone,
    desks::koc,
    log::{
        Entry, order, record,
        slip::{Due, Slip},
    },
};

/// A zone that changes once, at this instant.
struct Changing {
    at: i64,
    before: i16,
    after: i16,
}

impl Zone for Changing {
    fn offset_at_utc(&self, utc_millis: i64) -> i16 {
        if utc_millis < self.at { self.before } else { self.after }
    }

    /// As browsers do: of an hour that comes twice the first, and of one that never comes what follows from the offset before.
    fn offset_at_local(&self, local: NaiveDateTime) -> i16 {
        let first = local.and_utc().timestamp_millis() - i64::from(self.before) * 60_000;
        self.offset_at_utc(first)
    }
}

/// Central Europe: at three it is two again.
fn autumn() -> Changing {
    Changing { at: utc("2026-10-25T01:00:00Z"), before: 120, after: 60 }
}

/// Brazil in 2018: a second before midnight it is an hour after it.
fn without_midnight() -> Changing {
    Changing { at: utc("2018-11-04T03:00:00Z"), before: -180, after: -120 }
}

fn utc(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
}

fn issue() -> Action {
    Action::Issue { cardnumber: Cardnumber::parse("P1").unwrap(), barcode: Barcode::parse("A1").unwrap() }
}

fn back() -> Action {
    Action::Return { barcode: Barcode::parse("A1").unwrap() }
}

/// One item goes and comes every twenty minutes, from an hour before the change to an hour after it.
fn night(zone: &Changing) -> Vec<Transaction> {
    let mut last = None;
    let minutes = (-60_i64..=60).step_by(20).zip([issue(), back()].into_iter().cycle());
    let scan = |(minutes, action): (i64, Action)| {
        let utc = zone.at + minutes * 60_000;
        let transaction = record(action, Moment::new(utc, zone.offset_at_utc(utc)).unwrap(), last);
        last = Some(transaction.moment);
        transaction
    };
    minutes.map(scan).collect()
}

fn entries(night: &[Transaction]) -> Vec<Entry> {
    (1..).zip(night).map(|(id, scan)| Entry::recorded(TransactionId(id), scan.clone())).collect()
}

fn shown(night: &[Transaction]) -> Vec<String> {
    night.iter().map(|scan| scan.moment.local().format("%d %H:%M").to_string()).collect()
}

#[test]
fn the_clock_on_the_wall_shows_what_it_showed_and_the_order_is_that_of_the_scans() {
    let times = ["25 02:00", "25 02:20", "25 02:40", "25 02:00", "25 02:20", "25 02:40", "25 03:00"];
    assert_eq!(shown(&night(&autumn())), times);
    let times = ["03 23:00", "03 23:20", "03 23:40", "04 01:00", "04 01:20", "04 01:40", "04 02:00"];
    assert_eq!(shown(&night(&without_midnight())), times);
    for zone in [autumn(), without_midnight()] {
        let night = night(&zone);
        let mut entries: Vec<Entry> = entries(&night);
        entries.reverse();
        order::sort(&mut entries);
        let ids: Vec<u32> = entries.iter().map(|entry| entry.id.0).collect();
        assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7]);
        // As it is stored, and read again.
        let json = serde_json::to_string(&night.iter().map(|scan| scan.moment).collect::<Vec<_>>()).unwrap();
        let read: Vec<Moment> = serde_json::from_str(&json).unwrap();
        assert!(read.iter().eq(night.iter().map(|scan| &scan.moment)));
    }
}

#[test]
fn a_file_of_such_a_night_holds_each_instant_wherever_it_is_read() {
    for zone in [autumn(), without_midnight()] {
        let night = night(&zone);
        let file = koc::write(&night, None);
        for reader in [autumn(), without_midnight()] {
            let read = koc::read(file.as_bytes(), &reader, None);
            assert!(read.problems.is_empty(), "{:?}", read.problems);
            let instants =
                |scans: Vec<Transaction>| scans.iter().map(|scan| scan.moment.utc_millis()).collect::<Vec<_>>();
            let read = read.transactions.into_iter().map(|(_, scan)| scan).collect();
            assert_eq!(instants(read), instants(night.clone()), "{file}");
        }
    }
}

#[test]
fn of_a_program_that_writes_local_times_the_hour_that_comes_again_is_the_second() {
    for zone in [autumn(), without_midnight()] {
        let night = night(&zone);
        let lines =
            night.iter().map(|scan| format!("{}\treturn\tA1\n", scan.moment.local().format("%Y-%m-%d %H:%M:%S")));
        let file: String = std::iter::once("Version=1.0\tGenerator=kolt\n".to_owned()).chain(lines).collect();
        let read = koc::read(file.as_bytes(), &zone, None);
        let read: Vec<Moment> = read.transactions.iter().map(|(_, scan)| scan.moment).collect();
        assert_eq!(read, night.iter().map(|scan| scan.moment).collect::<Vec<_>>(), "{file}");
    }
    // What is not in order for another reason stays as it is written.
    let file = "2026-10-25 08:00:00\treturn\tA1\n2026-10-25 07:30:00\treturn\tA2\n";
    let read = koc::read(file.as_bytes(), &autumn(), None);
    let times: Vec<_> = read.transactions.iter().map(|(_, scan)| scan.moment.utc_millis()).collect();
    assert_eq!(times, [utc("2026-10-25T07:00:00Z"), utc("2026-10-25T06:30:00Z")]);
}

#[test]
fn what_is_lent_in_such_a_night_is_due_by_the_days_of_the_wall() {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    for (zone, expected) in [
        (autumn(), ["2026-11-01"; 7]),
        (
            without_midnight(),
            ["2018-11-10", "2018-11-10", "2018-11-10", "2018-11-11", "2018-11-11", "2018-11-11", "2018-11-11"],
        ),
    ] {
        let due: Vec<Option<NaiveDate>> =
            Slip::new("", entries(&night(&zone)), Due::After(7)).unwrap().lines.iter().map(|line| line.due).collect();
        for (place, due) in due.iter().enumerate().step_by(2) {
            assert_eq!(*due, Some(day(expected[place])), "{place}");
        }
    }
}

#[test]
fn koha_is_given_the_instant_and_the_offset_of_that_time() {
    for zone in [autumn(), without_midnight()] {
        for scan in night(&zone) {
            let moment = scan.moment;
            let as_utc = NaiveDateTime::parse_from_str(&moment.service_timestamp(), "%Y-%m-%d %H:%M:%S").unwrap();
            assert_eq!(as_utc.and_utc().timestamp_millis(), moment.utc_millis());
            let local: DateTime<FixedOffset> = DateTime::parse_from_rfc3339(&moment.iso_local()).unwrap();
            assert_eq!(local.timestamp_millis(), moment.utc_millis());
            assert_eq!(local.naive_local(), moment.local());
        }
    }
}
