use super::*;
use crate::{
    desk::{
        barcode::{Barcode, Cardnumber},
        transaction::{Action, Moment, Transaction},
    },
    log::audited::Oddity,
    settings::form::CommitType,
};
use chrono::NaiveDate;

/// 2026-11-23 10:00:00 UTC and this number of seconds.
fn entry(id: u32, after: i64, action: Action, status: Status) -> Entry {
    let moment = Moment::new(1_795_428_000_000 + after * 1000, 60).unwrap();
    Entry { status, ..Entry::recorded(TransactionId(id), Transaction { moment, action }) }
}

fn checkout(id: u32, after: i64, card: &str) -> Entry {
    let (cardnumber, barcode) = (Cardnumber::parse(card).unwrap(), Barcode::parse("B 1").unwrap());
    entry(id, after, Action::Issue { cardnumber, barcode }, Status::Success)
}

fn checkin(id: u32, after: i64, status: Status) -> Entry {
    entry(id, after, Action::Return { barcode: Barcode::parse("B 1").unwrap() }, status)
}

fn refused() -> Status {
    Status::Rejected { message: NOT_ISSUED.into() }
}

/// A second behind the first, as the REST API writes it.
fn at(after: i64) -> String {
    let time = chrono::DateTime::from_timestamp(1_795_428_000 + after, 0).unwrap();
    format!("\"{}\"", time.with_timezone(&chrono::FixedOffset::east_opt(3600).unwrap()).to_rfc3339())
}

#[derive(Clone)]
struct Loan {
    from: i64,
    until: Option<i64>,
    renewals: u32,
    renewed: Option<i64>,
}

impl Loan {
    fn from(from: i64) -> Self {
        Self { from, until: None, renewals: 0, renewed: None }
    }

    fn until(self, until: i64) -> Self {
        Self { until: Some(until), ..self }
    }

    fn renewed(self, renewals: u32, last: i64) -> Self {
        Self { renewals, renewed: Some(last), ..self }
    }

    fn json(&self) -> String {
        let time = |time: Option<i64>| time.map_or("null".to_owned(), at);
        format!(
            r#"{{"patron_id":1,"item_id":7,"checkout_date":{},"checkin_date":{},"last_renewed_date":{},"renewals_count":{},
                "due_date":"2026-12-14T23:59:00+01:00"}}"#,
            at(self.from),
            time(self.until),
            time(self.renewed),
            self.renewals
        )
    }
}

fn json(rows: &[String]) -> Response {
    let total_count = Some(u32::try_from(rows.len()).unwrap());
    Response { status: 200, total_count, body: format!("[{}]", rows.join(",")), ..Response::default() }
}

fn start(entries: &[Entry]) -> (Audit, Request) {
    let settings = Settings::of_a_desk(CommitType::Apply);
    Audit::start(settings, RestCredentials::Basic, entries.to_vec()).expect("there is something to ask")
}

/// The audit of these transactions of an item that had these loans.
fn audit(entries: &[Entry], loans: &[Loan]) -> Report {
    let (mut audit, mut request) = start(entries);
    loop {
        let answer = if request.url.contains("/items?") {
            assert!(request.url.contains("q=%7B%22external_id%22%3A%5B%22B+1%22%5D%7D"), "{}", request.url);
            json(&[r#"{"item_id":7,"external_id":"b 1"}"#.into(), r#"{"item_id":8,"external_id":"B 1 a"}"#.into()])
        } else {
            assert!(request.url.contains("q=%7B%22item_id%22%3A%5B7%2C8%5D%7D"), "{}", request.url);
            let returned = request.url.contains("checked_in=1");
            let shown: Vec<_> = loans.iter().filter(|loan| loan.until.is_some() == returned).map(Loan::json).collect();
            json(&shown)
        };
        match audit.handle(Ok(answer)) {
            Next::Request(next) => request = next,
            Next::Done(report) => return report,
        }
    }
}

fn odd(entries: &[Entry], loans: &[Loan]) -> Vec<(u32, Oddity)> {
    let report = audit(entries, loans);
    assert!(report.processed.is_empty() && !report.is_broken_off);
    report.audited.odd.iter().map(|odd| (odd.id.0, odd.oddity)).collect()
}

fn due() -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(2026, 12, 14)
}

#[test]
fn what_is_as_it_should_be_is_no_news() {
    let rows = [checkout(1, 0, "P1"), checkin(2, 60, Status::Success), checkout(3, 90, "P2")];
    let loans = [Loan::from(-5000).until(0), Loan::from(0).until(60), Loan::from(90)];
    let report = audit(&rows, &loans);
    assert_eq!(report, Report { audited: Audited { checked: 3, unread: 0, odd: vec![] }, ..Report::default() });
}

#[test]
fn a_checkout_that_arrived_twice_shows_as_a_renewal() {
    let renewed = |due| vec![(1, Oddity::Renewed { due })];
    assert_eq!(odd(&[checkout(1, 0, "P1")], &[Loan::from(0).renewed(1, 0)]), renewed(due()));
    let returned = Loan::from(0).renewed(1, 0).until(500);
    assert_eq!(odd(&[checkout(1, 0, "P1")], &[returned]), renewed(None), "it is due no more");
    assert_eq!(odd(&[checkout(1, 0, "P1")], &[Loan::from(0).renewed(2, 9000)]), renewed(due()), "and again since");
}

#[test]
fn renewals_with_a_reason_are_no_doubles() {
    // The patron took it twice by the log, and somebody renewed it since.
    let twice = [checkout(1, 0, "P1"), checkout(2, 60, "p1")];
    assert_eq!(odd(&twice, &[Loan::from(0).renewed(1, 60)]), []);
    assert_eq!(odd(&[checkout(1, 0, "P1")], &[Loan::from(0).renewed(1, 9000)]), []);
    assert_eq!(odd(&twice, &[Loan::from(0).renewed(2, 9000)]), []);
    let told_twice = [twice.clone(), twice.clone()].concat();
    assert_eq!(odd(&told_twice, &[Loan::from(0).renewed(2, 60)]), [(1, Oddity::Renewed { due: due() })]);
    // One more than that.
    assert_eq!(odd(&twice, &[Loan::from(0).renewed(2, 60)]), [(1, Oddity::Renewed { due: due() })]);
}

#[test]
fn a_loan_that_was_there_before_is_told() {
    let before = Loan::from(-9000);
    assert_eq!(odd(&[checkout(1, 0, "P1")], &[before.clone().renewed(1, 0)]), [(1, Oddity::HadIt { due: due() })]);
    let report = audit(&[checkout(1, 0, "P1")], &[before.clone().renewed(2, 700)]);
    assert_eq!((report.audited.checked, report.audited.unread), (0, 1), "the trace is gone");
    assert_eq!(odd(&[checkout(1, 0, "P1")], &[before]), [(1, Oddity::NoTrace)]);
}

#[test]
fn a_checkin_leaves_the_end_of_its_loan() {
    assert_eq!(odd(&[checkin(1, 0, Status::Success)], &[Loan::from(-9000)]), [(1, Oddity::NoTrace)]);
    assert_eq!(odd(&[checkin(1, 0, Status::Success)], &[Loan::from(-9000).until(0)]), []);
}

#[test]
fn a_checkin_that_was_refused_the_second_time_was_processed() {
    let report = audit(&[checkin(1, 0, refused())], &[Loan::from(-9000).until(0)]);
    assert_eq!((report.processed, report.audited.checked), (vec![TransactionId(1)], 1));
    let by_checkout = [Loan::from(-9000).until(0), Loan::from(0).until(10)];
    assert_eq!(audit(&[checkin(1, 0, refused())], &by_checkout).processed, [], "a checkout ended the loan");
    // One loan of that second ends one other at most.
    let and_back = [Loan::from(-9000).until(0), Loan::from(0).until(0)];
    assert_eq!(audit(&[checkin(1, 0, refused())], &and_back).processed, [TransactionId(1)]);
    let stays = audit(&[checkin(1, 0, refused())], &[Loan::from(-9000).until(-60)]);
    assert_eq!((stays.processed, stays.audited.checked, stays.audited.unread), (vec![], 0, 0), "no news");
    let unknown = Status::Rejected { message: "Item not found.".into() };
    assert!(!can_tell(&checkin(1, 0, unknown)));
}

#[test]
fn the_hour_that_comes_twice_is_no_oddity() {
    let rows = [checkout(1, 0, "P1"), checkin(2, 60, Status::Success)];
    assert_eq!(odd(&rows, &[Loan::from(3600).until(3660)]), []);
    assert_eq!(odd(&rows, &[Loan::from(3600).renewed(1, 3600).until(3660)]), [(1, Oddity::Renewed { due: None })]);
}

#[test]
fn a_hundred_rows_take_six_requests_and_pages_are_followed() {
    let rows: Vec<_> = (0..100_u32)
        .map(|number| {
            let barcode = Barcode::parse(&format!("I{number}")).unwrap();
            let cardnumber = Cardnumber::parse("P1").unwrap();
            entry(number, i64::from(number), Action::Issue { cardnumber, barcode }, Status::Success)
        })
        .collect();
    let (mut audit, mut request) = start(&rows);
    let mut requests = 1;
    let mut is_paged = false;
    let report = loop {
        let query: String = url::form_urlencoded::parse(request.url.split_once('?').unwrap().1.as_bytes())
            .find_map(|(key, value)| (key == "q").then(|| value.into_owned()))
            .unwrap();
        let query: serde_json::Value = serde_json::from_str(&query).unwrap();
        let rows: Vec<String> = if let Some(barcodes) = query["external_id"].as_array() {
            let number = |barcode: &str| barcode[1..].parse::<u32>().unwrap();
            let item = |barcode: &serde_json::Value| {
                let barcode = barcode.as_str().unwrap();
                format!(r#"{{"item_id":{},"external_id":"{barcode}"}}"#, number(barcode))
            };
            barcodes.iter().map(item).collect()
        } else if request.url.contains("checked_in=1") {
            Vec::new()
        } else {
            let loan = |item: &serde_json::Value| {
                let id = item.as_i64().unwrap();
                format!(r#"{{"item_id":{id},"checkout_date":{}}}"#, at(id))
            };
            query["item_id"].as_array().unwrap().iter().map(loan).collect()
        };
        // The second list of loans comes in two pages.
        let cuts = rows.len() == 50 && requests == 5 || request.url.contains("_page=2");
        let mut answer = json(&rows);
        if cuts {
            let (first, second) = rows.split_at(30);
            answer = json(if request.url.contains("_page=2") { second } else { first });
            answer.total_count = Some(50);
            is_paged = true;
        }
        match audit.handle(Ok(answer)) {
            Next::Request(next) => request = next,
            Next::Done(report) => break report,
        }
        requests += 1;
    };
    assert!(is_paged);
    assert_eq!((report.audited.checked, report.audited.odd.len(), requests), (100, 0, 7));
}

#[test]
fn what_cannot_be_read_is_counted_once() {
    let rows = [checkout(1, 0, "P1"), checkin(2, 60, Status::Success)];
    let item = || json(&[r#"{"item_id":7,"external_id":"B 1"}"#.into()]);
    let forbidden = || Response { status: 403, body: "{}".into(), ..Response::default() };
    let error = || Response { status: 502, ..Response::default() };
    for (answers, is_broken_off) in [
        (vec![Ok(forbidden())], false),
        (vec![Ok(item()), Ok(forbidden())], false),
        (vec![Ok(item()), Ok(json(&[])), Ok(json(&[Loan::from(0).json()]))], false),
        (vec![Ok(item()), Ok(error())], true),
        (vec![Err(Failure::Lost)], true),
    ] {
        let (mut audit, _) = start(&rows);
        let last = answers.into_iter().map(|answer| audit.handle(answer)).last().unwrap();
        let Next::Done(report) = last else { panic!("{last:?}") };
        let audited = Audited { checked: 0, unread: 2, odd: vec![] };
        assert_eq!(report, Report { audited, processed: vec![], is_broken_off });
    }
    // An item that is gone, and a payment.
    let (mut gone, _) = start(&rows);
    let Next::Done(report) = gone.handle(Ok(json(&[]))) else { panic!() };
    assert_eq!(report.audited.unread, 2);
    let payment = Action::Payment {
        cardnumber: Cardnumber::parse("P1").unwrap(),
        amount: crate::desk::amount::Amount::parse("1.50").unwrap(),
    };
    let payment = entry(1, 0, payment, Status::Success);
    let settings = Settings::of_a_desk(CommitType::Apply);
    assert!(Audit::start(settings, RestCredentials::Basic, [payment]).is_none(), "it leaves no trace");
}

#[test]
fn where_koha_tells_of_no_items_it_goes_by_the_patrons() {
    let other = |id, after, card: &str| {
        let (cardnumber, barcode) = (Cardnumber::parse(card).unwrap(), Barcode::parse("other").unwrap());
        entry(id, after, Action::Issue { cardnumber, barcode }, Status::Success)
    };
    let rows = [checkout(1, 0, "P1"), checkin(2, 60, Status::Success), checkout(3, 90, "P2"), other(4, 5, "p2")];
    let (mut audit, _) = start(&rows);
    let missing = Response { status: 404, body: "<html>".into(), ..Response::default() };
    let mut next = audit.handle(Ok(missing));
    let mut asked = Vec::new();
    let report = loop {
        let request = match next {
            Next::Request(request) => request,
            Next::Done(report) => break report,
        };
        asked.push(request.url.split_once("/api/v1/").unwrap().1.split_once('&').unwrap().0.to_owned());
        let body = if request.url.contains("cardnumber=P1") {
            json(&[r#"{"patron_id":1,"cardnumber":"P1"}"#.into()])
        } else if request.url.contains("/patrons") {
            json(&[r#"{"patron_id":2,"cardnumber":"P2"}"#.into()])
        } else if request.url.contains("patron_id=1") {
            json(&[Loan::from(-700).renewed(1, -600).json(), Loan::from(0).renewed(1, 0).json()])
        } else {
            json(&[Loan::from(90).json()])
        };
        next = audit.handle(Ok(body));
    };
    let expected = ["patrons?cardnumber=P1", "checkouts?patron_id=1", "patrons?cardnumber=P2", "checkouts?patron_id=2"];
    assert_eq!(asked[..4], expected);
    assert_eq!(report.audited.odd, [Odd { id: TransactionId(1), oddity: Oddity::Renewed { due: due() } }]);
    // The checkin, and the checkout whose loan is not there any more.
    assert_eq!((report.audited.checked, report.audited.unread), (2, 2));
    let (mut broken, _) = start(&rows);
    let _ = broken.handle(Ok(Response { status: 404, ..Response::default() }));
    let Next::Done(report) = broken.handle(Err(Failure::Lost)) else { panic!() };
    assert!(report.is_broken_off && report.audited.unread == 4, "{report:?}");
    let (mut refused, _) = start(&rows);
    let _ = refused.handle(Ok(Response { status: 404, ..Response::default() }));
    let Next::Done(report) = refused.handle(Ok(Response { status: 403, ..Response::default() })) else { panic!() };
    assert_eq!(report.audited.unread, 4);
}
