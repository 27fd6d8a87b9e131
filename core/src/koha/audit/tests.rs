use super::*;
use crate::log::{fresh::HoldNow, warned::Warned};
use crate::{
    desk::{
        barcode::{Barcode, Cardnumber},
        transaction::{Action, Moment, Transaction},
    },
    log::{audited::Oddity, fresh::Numbers},
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
    let settings = Settings::for_tests(CommitType::Apply);
    Audit::start(settings, RestCredentials::Basic, Terms::default(), entries.to_vec())
        .expect("there is something to ask")
}

/// The audit of these transactions of an item that had these loans.
fn audit(entries: &[Entry], loans: &[Loan]) -> Report {
    let (mut audit, mut request) = start(entries);
    loop {
        let answer = if request.url.contains("/items?") {
            assert!(request.url.contains("q=%7B%22external_id%22%3A%5B%22B+1%22%5D%7D"), "{}", request.url);
            json(&[r#"{"item_id":7,"external_id":"b 1"}"#.into(), r#"{"item_id":8,"external_id":"B 1 a"}"#.into()])
        } else if request.url.contains("/patrons?") {
            json(&[])
        } else if request.url.contains("/availability?") {
            Response { status: 404, ..Response::default() }
        } else {
            assert!(request.url.contains("q=%7B%22item_id%22%3A%5B7%2C8%5D%7D"), "{}", request.url);
            let returned = request.url.contains("checked_in=1");
            let shown: Vec<_> = loans.iter().filter(|loan| loan.until.is_some() == returned).map(Loan::json).collect();
            json(&shown)
        };
        match audit.handle(Ok(answer)) {
            AuditStep::Request(next) => request = next,
            AuditStep::Done(report) => return report,
        }
    }
}

fn odd(entries: &[Entry], loans: &[Loan]) -> Vec<(u32, Oddity)> {
    let report = audit(entries, loans);
    assert!(report.processed.is_empty() && !report.is_broken_off);
    report.audited.odd.iter().map(|odd| (odd.id.0, odd.oddity.clone())).collect()
}

fn due() -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(2026, 12, 14)
}

#[test]
fn what_is_as_it_should_be_is_no_news() {
    let rows = [checkout(1, 0, "P1"), checkin(2, 60, Status::Success), checkout(3, 90, "P2")];
    let loans = [Loan::from(-5000).until(0), Loan::from(0).until(60), Loan::from(90)];
    let report = audit(&rows, &loans);
    assert_eq!(report, Report { audited: Audited { checked: 3, ..Audited::default() }, ..Report::default() });
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

/// The conditions that a request asks by.
fn asked(request: &Request) -> serde_json::Value {
    let (_, query) = request.url.split_once('?').unwrap();
    let q = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "q");
    q.map_or_else(Default::default, |(_, value)| serde_json::from_str(&value).unwrap())
}

#[test]
fn a_hundred_rows_take_ten_requests_at_most_and_pages_are_followed() {
    let rows: Vec<_> = (0..100_u32)
        .map(|number| {
            let barcode = Barcode::parse(&format!("399990000{number:05}")).unwrap();
            let cardnumber = Cardnumber::parse(&format!("235290000{:05}", number / 3)).unwrap();
            entry(number, i64::from(number), Action::Issue { cardnumber, barcode }, Status::Success)
        })
        .collect();
    let (mut audit, mut request) = start(&rows);
    let mut requests = Vec::new();
    let mut is_paged = false;
    let report = loop {
        let path = request.url.split_once("/api/v1/").unwrap().1.split_once('?').unwrap().0.to_owned();
        let query = asked(&request);
        let last = |code: &serde_json::Value| code.as_str().unwrap()[9..].parse::<u32>().unwrap();
        let of = |field: &str, row: &dyn Fn(&serde_json::Value) -> String| -> Vec<String> {
            query[field].as_array().unwrap().iter().map(row).collect()
        };
        let rows = match path.as_str() {
            "items" => of("external_id", &|code| {
                let number = last(code);
                format!(r#"{{"item_id":{number},"biblio_id":{number},"external_id":{code}}}"#)
            }),
            "checkouts" if request.url.contains("checked_in=1") => Vec::new(),
            "checkouts" => of("item_id", &|item| {
                let id = item.as_i64().unwrap();
                format!(r#"{{"item_id":{id},"patron_id":{},"checkout_date":{}}}"#, id / 3 + 1, at(id))
            }),
            "patrons" => of("cardnumber", &|card| format!(r#"{{"patron_id":{},"cardnumber":{card}}}"#, last(card) + 1)),
            _ => Vec::new(),
        };
        // The list of open loans comes in two pages.
        let mut answer = json(&rows);
        if path == "checkouts" && rows.len() == 100 {
            let (first, second) = rows.split_at(60);
            answer = json(if request.url.contains("_page=2") { second } else { first });
            answer.total_count = Some(100);
            is_paged = true;
        } else if path == "checkouts/availability" {
            let body = r#"{"blockers":{},"confirms":{"TOO_MANY":"TOO_MANY_CHECKOUTS","current_loan_count":3,"max_loans_allowed":2}}"#;
            answer = Response { status: 200, body: body.into(), ..Response::default() };
        }
        requests.push(path);
        match audit.handle(Ok(answer)) {
            AuditStep::Request(next) => request = next,
            AuditStep::Done(report) => break report,
        }
    };
    assert!(is_paged);
    assert_eq!((report.audited.checked, report.audited.odd.len()), (100, 0));
    let expected = ["items", "checkouts", "checkouts", "checkouts", "patrons", "holds"];
    assert_eq!(requests[..6], expected);
    assert_eq!(requests[6..], ["checkouts/availability"; 4], "those who took most");
    let over = |fresh: &Fresh| fresh.warnings == [Warning::OverLimit { loans: 3, limit: 2 }];
    assert_eq!(report.audited.fresh.iter().filter(|fresh| over(fresh)).count(), 4);
    // Long codes go in smaller parts.
    let long = |number: u32| Barcode::parse(&format!("código ñáéíóú {number:05}")).unwrap();
    let rows: Vec<_> = (0..200).map(|id| entry(id, 0, Action::Return { barcode: long(id) }, Status::Success)).collect();
    assert!(start(&rows).1.url.len() < 7_000);
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
        let AuditStep::Done(report) = last else { panic!("{last:?}") };
        let audited = Audited { unread: 2, silent: report.audited.silent.clone(), ..Audited::default() };
        assert_eq!(audited.silent.is_empty(), is_broken_off, "said once");
        assert_eq!(report, Report { audited, processed: vec![], is_broken_off });
    }
    // An item that is gone, and a payment.
    let (mut gone, _) = start(&rows);
    let AuditStep::Done(report) = gone.handle(Ok(json(&[]))) else { panic!() };
    assert_eq!(report.audited.unread, 2);
    let payment = Action::Payment {
        cardnumber: Cardnumber::parse("P1").unwrap(),
        amount: crate::desk::amount::Amount::parse("1.50").unwrap(),
    };
    let payment = entry(1, 0, payment, Status::Success);
    let settings = Settings::for_tests(CommitType::Apply);
    assert!(
        Audit::start(settings, RestCredentials::Basic, Terms::default(), [payment]).is_none(),
        "it leaves no trace"
    );
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
            AuditStep::Request(request) => request,
            AuditStep::Done(report) => break report,
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
    let AuditStep::Done(report) = broken.handle(Err(Failure::Lost)) else { panic!() };
    assert!(report.is_broken_off && report.audited.unread == 4, "{report:?}");
    let (mut refused, _) = start(&rows);
    let _ = refused.handle(Ok(Response { status: 404, ..Response::default() }));
    let AuditStep::Done(report) = refused.handle(Ok(Response { status: 403, ..Response::default() })) else { panic!() };
    assert_eq!(report.audited.unread, 4);
}

/// What Koha has of an item and of two patrons.
struct World {
    loans: Vec<String>,
    holds: Response,
    patrons: Response,
    item: &'static str,
}

impl World {
    fn new() -> Self {
        let patrons = json(&[
            r#"{"patron_id":1,"cardnumber":"P1","expiry_date":"2026-01-31","account_balance":7.5}"#.into(),
            r#"{"patron_id":2,"cardnumber":"other","userid":"p2","restricted":true,"account_balance":5}"#.into(),
        ]);
        let item = r#"{"item_id":7,"biblio_id":70,"external_id":"B 1","home_library_id":"CPL"}"#;
        Self { loans: Vec::new(), holds: json(&[]), patrons, item }
    }

    fn loan(mut self, patron: u32, from: i64, until: Option<i64>, more: &str) -> Self {
        let until = until.map_or("null".to_owned(), at);
        let times = format!(r#""checkout_date":{},"checkin_date":{until}"#, at(from));
        self.loans.push(format!(r#"{{"item_id":7,"patron_id":{patron},{times}{more}}}"#));
        self
    }

    fn holds(self, rows: &[&str]) -> Self {
        let rows: Vec<String> = rows.iter().map(|row| format!(r#"{{"biblio_id":70,"patron_id":9,{row}}}"#)).collect();
        Self { holds: json(&rows), ..self }
    }

    fn audit(&self, entries: &[Entry]) -> Report {
        let settings = Settings::for_tests(CommitType::Apply);
        let terms = Terms {
            debt_limit: Some(500),
            booked_at: Some("CPL".into()),
            booked_anywhere: [TransactionId(99)].into(),
            of_other_branch: std::collections::HashMap::new(),
            with_queued: true,
        };
        let (mut audit, mut request) = Audit::start(settings, RestCredentials::Basic, terms, entries.to_vec()).unwrap();
        loop {
            let url = &request.url;
            let answer = if url.contains("/items?") {
                json(&[self.item.into()])
            } else if url.contains("/patrons?") {
                let is_asked = |row: &&str| asked(&request).to_string().to_lowercase().contains(row);
                let all = self.patrons.body.clone();
                let by = if url.contains("userid") { "p2" } else { "p1" };
                let body = if is_asked(&by) { all } else { "[]".into() };
                Response { body, total_count: None, ..self.patrons.clone() }
            } else if url.contains("/holds?") {
                self.holds.clone()
            } else if url.contains("/availability") {
                Response { status: 404, ..Response::default() }
            } else {
                let open = |loan: &&String| loan.contains(r#""checkin_date":null"#) != url.contains("checked_in=1");
                json(&self.loans.iter().filter(open).cloned().collect::<Vec<_>>())
            };
            match audit.handle(Ok(answer)) {
                AuditStep::Request(next) => request = next,
                AuditStep::Done(report) => return report,
            }
        }
    }

    fn fresh(&self, entries: &[Entry]) -> Vec<Fresh> {
        self.audit(entries).audited.fresh
    }
}

#[test]
fn the_patron_and_the_library_of_a_loan_are_compared() {
    let odd = |world: World, row: Entry| {
        let report = world.audit(&[row]);
        report.audited.odd.into_iter().map(|odd| odd.oddity).collect::<Vec<_>>()
    };
    let at_library = |library: &str| format!(r#","library_id":"{library}""#);
    let elsewhere = Oddity::OtherLibrary { library: "MPL".into() };
    assert_eq!(odd(World::new().loan(1, 0, None, &at_library("cpl")), checkout(1, 0, "p1")), []);
    assert_eq!(odd(World::new().loan(1, 0, None, &at_library("MPL")), checkout(1, 0, "p1")), [elsewhere]);
    assert_eq!(odd(World::new().loan(1, 0, None, &at_library("MPL")), checkout(99, 0, "p1")), [], "of other settings");
    // Asked anew, at a desk that is set to another library than the commit was.
    let own = crate::desk::branch::BranchCode::parse("CPL").ok();
    let terms = Terms { booked_at: Some("MPL".into()), with_queued: true, ..Terms::default() };
    let row = Entry { branch: own, ..checkout(1, 0, "p1") };
    let mut noted = Terms { with_queued: false, ..terms.clone() };
    noted.note(&row, "CPL");
    assert_eq!(noted.booked_at(row.id), Some("MPL"), "where the session is");
    let mut noted = terms;
    noted.note(&row, "CPL");
    assert_eq!(noted.booked_at(row.id), Some("CPL"), "in the queue of its own");
    assert_eq!(odd(World::new().loan(2, 0, None, ""), checkout(1, 0, "p1")), [Oddity::OtherPatron]);
    assert_eq!(odd(World::new().loan(2, 0, None, ""), checkout(1, 0, "P2")), [], "by the user name");
    assert_eq!(odd(World::new().loan(5, 0, None, ""), checkout(1, 0, "P3")), [], "nobody is known by that");
}

#[test]
fn patrons_who_should_not_have_got_it_are_told() {
    let world = World::new().loan(1, 0, None, "");
    let fresh = world.fresh(&[checkout(1, 0, "P1")]);
    let on = NaiveDate::from_ymd_opt(2026, 1, 31).unwrap();
    assert_eq!(fresh[0].warnings, [Warning::Expired { on }, Warning::Debts { cents: 750 }]);
    assert_eq!(fresh[0].numbers, Numbers { patron: Some(1), item: Some(7), biblio: Some(70) });
    let by_name = World::new().loan(2, 0, None, "").fresh(&[checkout(1, 0, "P2")]);
    assert_eq!(by_name[0].warnings, [Warning::Restricted { until: None }], "the limit itself is fine");
    // What waits in the queue still is no loan.
    let queued = Entry { status: Status::Added, ..checkout(1, 0, "P1") };
    assert_eq!(World::new().fresh(std::slice::from_ref(&queued)), []);
    assert_eq!(world.audit(&[queued]).audited.checked, 1);
}

#[test]
fn loans_that_koha_would_not_have_made_are_told() {
    let mut world = World::new().loan(2, -900, Some(0), "").loan(2, 0, None, "").loan(3, -5000, Some(-900), "");
    world.item = r#"{"item_id":7,"biblio_id":70,"external_id":"B 1","not_for_loan_status":-1}"#;
    let world = world.holds(&[r#""hold_id":5,"item_id":7,"status":"W","priority":0"#]);
    let fresh = world.fresh(&[checkout(1, 0, "P2")]);
    assert_eq!(fresh[0].warnings[1..], [Warning::NotForLoan, Warning::Waiting]);
    assert_eq!(fresh[0].taken_over, None, "it was the same patron's");
    let world = World::new().loan(3, -900, Some(0), "").loan(2, 0, None, "");
    assert_eq!(
        world.fresh(&[checkout(1, 0, "P2")])[0].taken_over,
        Some(crate::log::fresh::TakenOver { from: Some(3) })
    );
}

#[test]
fn what_came_back_goes_to_whoever_waits_or_home_and_is_late() {
    let due = |day: &str| format!(r#","due_date":"{day}T23:59:00+01:00""#);
    let back = || vec![checkin(1, 0, Status::Success)];
    let one = |world: World| world.fresh(&back()).pop();
    let world = || World::new().loan(3, -90_000, Some(0), &due("2026-11-23"));
    assert_eq!(one(world()), None, "it came on the day");
    let late = one(World::new().loan(3, -90_000, Some(0), &due("2026-11-20"))).unwrap();
    assert_eq!(
        late.late,
        Some(crate::log::fresh::Late { days: 3, due: NaiveDate::from_ymd_opt(2026, 11, 20).unwrap() })
    );
    assert_eq!(late.numbers.patron, Some(3));
    let mut elsewhere = world();
    elsewhere.item = r#"{"item_id":7,"biblio_id":70,"external_id":"B 1","home_library_id":"MPL"}"#;
    let fresh = one(World { holds: json(&[]), ..elsewhere }).unwrap();
    assert_eq!((fresh.home.as_deref(), fresh.numbers.patron), (Some("MPL"), None), "nobody's number is kept in vain");
    // It goes home from where it was checked in, and where that is its home it stays.
    let mpl = crate::desk::branch::BranchCode::parse("MPL").ok();
    let at_mpl = Entry { branch: mpl, ..checkin(1, 0, Status::Success) };
    let item = r#"{"item_id":7,"biblio_id":70,"external_id":"B 1","home_library_id":"MPL"}"#;
    assert_eq!(World { item, ..world() }.fresh(std::slice::from_ref(&at_mpl)), []);
    assert_eq!(world().fresh(&[at_mpl])[0].home.as_deref(), Some("CPL"));
    let placed = r#""hold_id":5,"item_id":null,"priority":1,"pickup_library_id":"MPL""#;
    let other_copy = r#""hold_id":4,"item_id":8,"priority":1,"pickup_library_id":"MPL""#;
    let suspended = r#""hold_id":3,"item_id":null,"priority":1,"suspended":true"#;
    let fresh = one(world().holds(&[suspended, other_copy, placed])).unwrap();
    let waits = |hold, pickup: &str| Some(HoldNow::Waits { hold, patron: 9, pickup: pickup.into() });
    assert_eq!(fresh.hold, waits(5, "MPL"));
    assert_eq!(one(world().holds(&[suspended, other_copy])), None);
    // It was checked in there already; the log knows of the hold.
    let caught = r#""hold_id":5,"item_id":7,"priority":0,"status":"W""#;
    let hold = Warning::Hold { hold: 5, pickup: "MPL".into() };
    let known = back()[0].warned(&[Warned { warning: hold, confirmed: None, as_of: None }]);
    assert_eq!(world().holds(&[caught]).fresh(std::slice::from_ref(&known))[0].hold, Some(HoldNow::Nobody));
    // Of two, the one that the desk has set it aside for.
    let earlier = r#""hold_id":2,"item_id":null,"priority":1,"pickup_library_id":"CPL""#;
    let fresh = world().holds(&[earlier, placed]).fresh(&[known]);
    assert_eq!(fresh[0].hold, waits(5, "MPL"));
    // It is with somebody again, or it was not on loan at all.
    let again = world().loan(4, 60, None, "").holds(&[placed]);
    assert_eq!(again.fresh(&back()), []);
    let not_on_loan = World::new().holds(&[placed]).fresh(&[checkin(1, 0, refused())]);
    assert_eq!(not_on_loan[0].hold, waits(5, "MPL"), "a hold is caught by any checkin");
}

#[test]
fn what_koha_does_not_tell_is_said_once() {
    let forbidden = || Response { status: 403, body: "{}".into(), ..Response::default() };
    let mut world = World::new().loan(1, 0, None, "");
    world.patrons = forbidden();
    world.holds = forbidden();
    let report = world.audit(&[checkout(1, 0, "P1")]);
    assert_eq!((report.audited.silent, report.audited.checked), (vec![Part::Patrons, Part::Holds], 1));
    // A Koha that adds no debts is asked once more without.
    let (mut audit, _) = start(&[checkout(1, 0, "P1")]);
    let mut answers = vec![
        json(&[r#"{"item_id":7,"external_id":"B 1"}"#.into()]),
        json(&[Loan::from(0).json()]),
        json(&[]),
        Response { status: 400, body: "{}".into(), ..Response::default() },
        json(&[r#"{"patron_id":1,"cardnumber":"P1"}"#.into()]),
    ];
    let mut last = None;
    for answer in answers.drain(..) {
        last = Some(audit.handle(Ok(answer)));
    }
    let Some(AuditStep::Done(report)) = last else { panic!("{last:?}") };
    assert_eq!((report.audited.silent, report.audited.checked), (vec![Part::Debts], 1));
}
