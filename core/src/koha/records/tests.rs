use super::{
    point::{DAY, WHOLE, Way},
    reading::CAUTION,
    source::MOST_TRIES,
    *,
};
use crate::{
    desk::clock::{DeskTime, KohaTime},
    directory::{
        Held,
        record::{Hold, HoldState, Item, Loan, Marks, Patron, Record},
    },
    koha::{Failure, NotSent, Request, Response, connection::ConnectionError, front::Front, key},
    settings::form::{ApiKey, CommitType, Secret, ServerUrl, Settings},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

pub(in crate::koha) fn settings() -> Settings {
    Settings { server: ServerUrl::parse("https://koha.example.org").unwrap(), ..Settings::for_tests(CommitType::Send) }
}

const NOW_OF_KOHA: KohaTime = KohaTime::from_millis(1_795_600_000_000);

pub(in crate::koha) fn answer(status: u16, body: &Value) -> Response {
    Response { status, content_type: "application/json".into(), body: body.to_string(), ..Response::default() }
}

fn page(total: u32, rows: &Value) -> Response {
    Response { total_count: Some(total), date: Some(NOW_OF_KOHA), ..answer(200, rows) }
}

fn query(request: &Request) -> BTreeMap<String, String> {
    let url = url::Url::parse(&request.url).unwrap();
    url.query_pairs().into_owned().collect()
}

#[test]
fn asks_for_what_comes_after_the_last() {
    let mut reading = Reading::<Item>::new(Point::start(None));
    let request = reading.request(&settings(), &RestCredentials::Token(Secret::new("t")));
    assert!(request.url.starts_with("https://koha.example.org/api/v1/items?"));
    assert_eq!((request.embed, request.bearer, request.basic), (Some("biblio"), Some(Secret::new("t")), None));
    let asked = query(&reading.request(&settings(), &RestCredentials::Basic));
    assert_eq!((asked["q"].as_str(), asked["_order_by"].as_str()), (r#"{"me.item_id":{">":0}}"#, "+me.item_id"));
    let rows = json!([
        {"item_id": 3, "external_id": "B3", "biblio_id": 7, "biblio": {"title": "T", "subtitle": "s", "author": null}},
        {"external_id": "no number"},
        {"item_id": "9", "external_id": null, "callnumber": 12, "biblio": null, "more": [1]},
    ]);
    let ReadStep::Rows { rows, left } = reading.handle(Ok(page(5, &rows))) else { panic!() };
    let first = Item { id: 3, barcode: "B3".into(), biblio: 7, title: "T s".into(), ..Item::default() };
    assert_eq!(rows, [first, Item { id: 9, call_number: "12".into(), ..Item::default() }]);
    assert_eq!((left, reading.point().unreadable, reading.point().has_extras), (Some(2), 1, true));
    assert_eq!(reading.point().koha_began(), Some(NOW_OF_KOHA));
    assert_eq!(query(&reading.request(&settings(), &RestCredentials::Basic))["q"], r#"{"me.item_id":{">":9}}"#);
    assert_eq!(reading.handle(Ok(page(0, &json!([])))), ReadStep::Done(vec![]));
}

#[test]
fn an_item_is_read_with_what_koha_has_marked_it_as() {
    let marks = |row: Value| {
        let ReadStep::Done(rows) = Reading::<Item>::new(Point::default()).handle(Ok(page(1, &json!([row])))) else {
            panic!()
        };
        let Marks { lost, withdrawn, not_for_loan } = rows[0].marks;
        (lost, withdrawn, not_for_loan)
    };
    let none = json!({"item_id": 1, "lost_status": 0, "withdrawn": 0, "not_for_loan_status": 0, "effective_not_for_loan_status": 0});
    assert_eq!((marks(none), marks(json!({"item_id": 1}))), ((false, false, false), (false, false, false)));
    assert_eq!(marks(json!({"item_id": 1, "lost_status": 4, "withdrawn": null})), (true, false, false));
    assert_eq!(marks(json!({"item_id": 1, "withdrawn": "1", "lost_status": "x"})), (false, true, false));
    let ordered = json!({"item_id": 1, "not_for_loan_status": -1});
    let by_type = json!({"item_id": 1, "not_for_loan_status": 0, "effective_not_for_loan_status": 1});
    assert_eq!((marks(ordered), marks(by_type)), ((false, false, true), (false, false, true)));
}

#[test]
fn asks_for_changes_a_little_too_early_rather_than_too_late() {
    let reading = Reading::<Patron>::new(Point::start(Some(NOW_OF_KOHA)));
    let asked = query(&reading.request(&settings(), &RestCredentials::Basic));
    let asked: Value = serde_json::from_str(&asked["q"]).unwrap();
    // 09:46:40 in UTC, and it can be taken for a time of any zone.
    assert_eq!(asked, json!({"me.patron_id": {">": 0}, "me.updated_on": {">=": "2026-11-24 21:44:40"}}));
}

#[test]
fn everything_is_read_once_in_a_while_and_where_changes_cannot_be_told() {
    let held = Held {
        whole_as_of: DeskTime::from_millis(1_000),
        koha_as_of: Some(KohaTime::from_millis(77)),
        ..Held::default()
    };
    let since = |now, held: Option<&Held>| Point::after::<Patron>(held, DeskTime::from_millis(now)).koha_since;
    assert_eq!(
        (since(1_000, Some(&held)), since(999 + WHOLE.num_milliseconds(), Some(&held))),
        (Some(KohaTime::from_millis(77)), Some(KohaTime::from_millis(77)))
    );
    assert_eq!(
        (since(1_000 + WHOLE.num_milliseconds(), Some(&held)), since(999, Some(&held)), since(1_000, None)),
        (None, None, None)
    );
    assert_eq!(since(1_000, Some(&Held { koha_as_of: None, ..held.clone() })), None, "Koha's clock is not known");
    assert!(
        !Point::after::<Loan>(Some(&held), DeskTime::from_millis(1_000)).is_changes(),
        "what ended would not be told"
    );
    let goes_on = |began, now| goes_on(DeskTime::from_millis(began), DeskTime::from_millis(now));
    let day = DAY.num_milliseconds();
    assert!(goes_on(0, day - 1) && !goes_on(0, day) && !goes_on(1, 0));
}

#[test]
fn reads_a_patron() {
    let row = json!([{
        "patron_id": 5, "cardnumber": "2001", "userid": "ann", "surname": "Meyer", "firstname": "Anna", "middle_name": "Zoë",
        "preferred_name": "Anna", "category_id": "PT", "library_id": "CPL", "expiry_date": "2027-01-31", "restricted": true,
        "patron_card_lost": 0, "incorrect_address": null, "account_balance": 12.345, "staff_notes": "a note",
        "address": "secret street", "date_of_birth": "1990-01-01",
    }]);
    let ReadStep::Done(rows) = Reading::<Patron>::new(Point::start(None)).handle(Ok(page(1, &row))) else { panic!() };
    let expected = Patron {
        id: 5,
        cardnumber: "2001".into(),
        userid: "ann".into(),
        surname: "Meyer".into(),
        firstname: "Anna".into(),
        other_names: "Zoë".into(),
        category: "PT".into(),
        library: "CPL".into(),
        expires: chrono::NaiveDate::from_ymd_opt(2027, 1, 31),
        restricted: Some(true),
        card_lost: Some(false),
        wrong_address: None,
        owes: Some(1_235),
        staff_note: "a note".into(),
        ..Patron::default()
    };
    assert_eq!(rows, [expected]);
}

#[test]
fn reads_loans_and_holds() {
    let loans = json!([{"checkout_id": 1, "patron_id": 2, "item_id": 3, "due_date": "2026-12-01T23:59:00+01:00", "checkout_date": "2026-11-01T10:00:00+01:00"}]);
    let ReadStep::Done(loans) = Reading::<Loan>::new(Point::start(None)).handle(Ok(page(1, &loans))) else { panic!() };
    assert_eq!((loans[0].patron, loans[0].item), (2, Some(3)));
    assert_eq!(loans[0].due.unwrap().to_rfc3339(), "2026-12-01T22:59:00+00:00");
    let hold = |status: Value| json!([{"hold_id": 1, "patron_id": 2, "biblio_id": 3, "item_id": null, "pickup_library_id": "MPL", "priority": "2", "status": status, "suspended": false}]);
    for (status, state) in
        [(json!(null), HoldState::Placed), (json!("W"), HoldState::Waiting), (json!("T"), HoldState::InTransit)]
    {
        let ReadStep::Done(holds) = Reading::<Hold>::new(Point::start(None)).handle(Ok(page(1, &hold(status)))) else {
            panic!()
        };
        assert_eq!((holds[0].state, holds[0].priority, holds[0].pickup.as_str()), (state, 2, "MPL"));
    }
}

#[test]
fn says_what_the_account_may_not_read() {
    for (body, told) in [
        (
            json!({"error": "x", "required_permissions": {"borrowers": "edit_borrowers"}}),
            ReadError::Refused("borrowers: edit_borrowers".into()),
        ),
        (json!({"required_permissions": {"catalogue": "1"}}), ReadError::Refused("catalogue".into())),
        (
            json!({"required_permissions": [{"borrowers": "edit_borrowers"}, {"tools": "label_creator"}]}),
            ReadError::Refused("borrowers: edit_borrowers".into()),
        ),
        (json!({"error": "Invalid password", "required_permissions": null}), ReadError::NotLetIn),
        (json!([]), ReadError::NotLetIn),
    ] {
        let mut reading = Reading::<Patron>::new(Point::start(None));
        assert_eq!(reading.handle(Ok(answer(403, &body))), ReadStep::Stopped(told), "{body}");
    }
    for (status, told) in [(404, ReadError::Absent), (503, ReadError::Maintenance), (418, ReadError::Strange(418))] {
        assert_eq!(
            Reading::<Item>::new(Point::start(None)).handle(Ok(answer(status, &json!({"error": "x"})))),
            ReadStep::Stopped(told)
        );
    }
    let failure = Failure::NotSent(NotSent::Refused);
    let stopped = ReadStep::Stopped(ReadError::NoAnswer(failure.clone()));
    assert_eq!(Reading::<Item>::new(Point::start(None)).handle(Err(failure)), stopped);
}

#[test]
fn a_session_is_renewed_once_between_two_pages() {
    let mut reading = Reading::<Hold>::new(Point::start(None));
    let refused = || Ok(answer(401, &json!({"error": "Session has been expired."})));
    assert_eq!(reading.handle(refused()), ReadStep::CredentialsEnded);
    assert_eq!(reading.handle(refused()), ReadStep::Stopped(ReadError::NotLetIn));
    let mut reading = Reading::<Hold>::new(Point::start(None));
    for id in 1..4 {
        let row = json!([{"hold_id": id, "patron_id": 2, "biblio_id": 3}]);
        assert_eq!(reading.handle(refused()), ReadStep::CredentialsEnded);
        assert!(matches!(reading.handle(Ok(page(9, &row))), ReadStep::Rows { .. }));
    }
}

#[test]
fn goes_on_without_what_cannot_be_embedded_and_asks_in_older_ways() {
    let mut reading = Reading::<Patron>::new(Point::start(Some(KohaTime::from_millis(1))));
    let again = ReadStep::Again(Duration::ZERO);
    let no_embed = json!({"errors": [{"message": "Not in enum list", "path": "/x-koha-embed/0"}], "status": 400});
    assert_eq!(reading.handle(Ok(answer(400, &no_embed))), again);
    assert_eq!(reading.request(&settings(), &RestCredentials::Basic).embed, None);
    assert!(reading.point().is_changes());
    for other in [json!("Embedding objects is not allowed on this endpoint."), json!({"error": "Embeding x"})] {
        let mut reading = Reading::<Patron>::new(Point::start(None));
        assert_eq!(reading.handle(Ok(answer(400, &other))), again, "{other}");
        let request = reading.request(&settings(), &RestCredentials::Basic);
        assert!(request.embed.is_none() && request.url.contains("?q="), "{other}");
    }
    let unknown = json!([{"message": "Malformed query string", "path": "/query/q"}]);
    assert_eq!(reading.handle(Ok(answer(400, &unknown))), again);
    assert!(!reading.point().is_changes(), "all of them come now");
    assert!(!query(&reading.request(&settings(), &RestCredentials::Basic)).contains_key("q"));
    assert_eq!(reading.handle(Ok(answer(400, &unknown))), again);
    let request = reading.request(&settings(), &RestCredentials::Basic);
    assert!(!request.url.contains('?') && request.time_limit > Request::get(String::new()).time_limit);
    let rows = json!([{"patron_id": 9}, {"patron_id": 2}, {"patron_id": 9}]);
    let ReadStep::Done(rows) = reading.handle(Ok(answer(200, &rows))) else { panic!() };
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [2, 9]);
    assert_eq!(reading.handle(Ok(answer(400, &unknown))), ReadStep::Stopped(ReadError::Strange(400)));
}

#[test]
fn tries_without_the_embed_before_it_gives_up() {
    let mut reading = Reading::<Item>::new(Point::start(None));
    let refused = || Ok(answer(400, &json!({"error": "no"})));
    for _ in 0..3 {
        assert!(reading.request(&settings(), &RestCredentials::Basic).embed.is_some());
        assert_eq!(reading.handle(refused()), ReadStep::Again(Duration::ZERO));
    }
    assert_eq!(reading.request(&settings(), &RestCredentials::Basic).embed, None);
    assert_eq!(reading.handle(refused()), ReadStep::Stopped(ReadError::Strange(400)));
}

#[test]
fn an_error_of_the_database_about_changes_means_all_of_them() {
    let mut reading = Reading::<Item>::new(Point::start(Some(NOW_OF_KOHA)));
    let died = || Ok(answer(500, &json!({"error": "Something went wrong"})));
    assert!(
        matches!(reading.handle(died()), ReadStep::Again(time) if time > Duration::ZERO),
        "perhaps it was only busy"
    );
    assert_eq!(reading.handle(died()), ReadStep::Again(Duration::ZERO));
    assert!(!reading.point().is_changes());
    assert!(query(&reading.request(&settings(), &RestCredentials::Basic)).contains_key("q"));
    assert_eq!(reading.handle(died()), ReadStep::Again(Duration::ZERO));
    assert!(!query(&reading.request(&settings(), &RestCredentials::Basic)).contains_key("q"));
}

#[test]
fn tells_koha_from_what_stands_in_front_of_it() {
    let page = |status| Response { content_type: "text/html".into(), ..answer(status, &json!("<html>")) };
    for (response, stop) in [
        (page(503), ReadError::Strange(503)),
        (page(200), ReadError::NotKoha(200)),
        (page(429), ReadError::Strange(429)),
        (answer(200, &json!({"rows": []})), ReadError::Strange(200)),
    ] {
        let mut reading = Reading::<Item>::new(Point::start(None));
        for _ in 1..MOST_TRIES {
            assert!(
                matches!(reading.handle(Ok(response.clone())), ReadStep::Again(time) if time > Duration::ZERO),
                "{stop:?}"
            );
        }
        assert_eq!(reading.handle(Ok(response)), ReadStep::Stopped(stop));
    }
    let elsewhere = Failure::Redirected { to: None };
    let stopped = ReadStep::Stopped(ReadError::NoAnswer(elsewhere.clone()));
    assert_eq!(Reading::<Item>::new(Point::start(None)).handle(Err(elsewhere)), stopped);
}

#[test]
fn a_row_that_cannot_be_read_is_counted_and_spoils_no_other() {
    let rows = r#"[{"patron_id": 1}, null, 7, "x", [], {}, {"patron_id": 0}, {"patron_id": 2, "patron_id": 3}, {"patron_id": 4}]"#;
    let answer = Response { status: 200, total_count: Some(9), body: rows.into(), ..Response::default() };
    let mut reading = Reading::<Patron>::new(Point::start(None));
    let ReadStep::Done(rows) = reading.handle(Ok(answer)) else { panic!() };
    assert_eq!(rows.iter().map(Patron::id).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(reading.point().unreadable, 7);
    let title = r#"[{"item_id": 5, "biblio": "none"}, {"item_id": 6, "biblio": {"title": ["x"]}}]"#;
    let answer = Response { status: 200, body: title.into(), ..Response::default() };
    let mut reading = Reading::<Item>::new(Point::start(None));
    let ReadStep::Rows { rows, left: None } = reading.handle(Ok(answer)) else { panic!() };
    assert_eq!((rows.len(), rows[0].title.as_str(), reading.point().unreadable), (1, "", 1));
}

#[test]
fn rows_without_a_number_are_counted_once_though_they_come_again() {
    let mut reading = Reading::<Hold>::new(Point::start(None));
    let hold = |id: u32| json!({"hold_id": id, "patron_id": 1, "biblio_id": 1});
    // Koha leaves out the numbers of what an account may not see.
    let redacted = json!({"hold_id": null, "pickup_library_id": "CPL"});
    let ReadStep::Rows { .. } = reading.handle(Ok(page(6, &json!([hold(1), redacted, hold(3), redacted])))) else {
        panic!()
    };
    let ReadStep::Done(rows) = reading.handle(Ok(page(2, &json!([redacted, hold(5)])))) else { panic!() };
    assert_eq!((rows.len(), reading.point().unreadable), (1, 2));
}

#[test]
fn counts_pages_where_the_condition_is_not_looked_at() {
    let mut reading = Reading::<Hold>::new(Point::start(None));
    let rows = json!([{"hold_id": 1, "patron_id": 2, "biblio_id": 3}]);
    assert!(matches!(reading.handle(Ok(page(9, &rows))), ReadStep::Rows { .. }));
    assert_eq!(reading.handle(Ok(page(9, &rows))), ReadStep::Again(Duration::ZERO));
    assert!(reading.point().is_start());
    assert_eq!(query(&reading.request(&settings(), &RestCredentials::Basic))["_page"], "1");
    // And everything at once where pages are not looked at either.
    assert!(matches!(reading.handle(Ok(page(9, &rows))), ReadStep::Rows { .. }));
    assert_eq!(reading.handle(Ok(page(9, &rows))), ReadStep::Again(Duration::ZERO));
    assert!(reading.point().is_start());
    assert!(!reading.request(&settings(), &RestCredentials::Basic).url.contains('?'));
}

/// Reads a list to its end, and counts the requests.
fn read_all(server: &Server, reading: &mut Reading<Hold>) -> (Vec<u32>, u32) {
    let mut read = Vec::new();
    for requests in 1..1_000 {
        match reading.handle(Ok(server.answer(&reading.request(&settings(), &RestCredentials::Basic)))) {
            ReadStep::Rows { rows, .. } => read.extend(rows.iter().map(Hold::id)),
            ReadStep::Done(rows) => {
                read.extend(rows.iter().map(Hold::id));
                return (read, requests);
            }
            ReadStep::Again(_) => {}
            step => panic!("{step:?}"),
        }
    }
    panic!("it does not end")
}

#[test]
fn counted_pages_cost_hardly_more_than_they_must() {
    let server = Server { rows: (1..=20_000).collect(), knows_q: false, ..Server::default() };
    let (read, requests) = read_all(&server, &mut Reading::new(Point::start(None)));
    assert_eq!(read, (1..=20_000).collect::<Vec<_>>());
    assert!(requests <= 23, "{requests}");
}

#[test]
fn a_counted_page_that_was_too_large_is_asked_for_in_parts() {
    let server = Server { rows: (1..=5_000).collect(), knows_q: false, ..Server::default() };
    let mut reading = Reading::<Hold>::new(Point { way: Way::Pages, ..Point::start(None) });
    let answer = server.answer(&reading.request(&settings(), &RestCredentials::Basic));
    let ReadStep::Rows { rows, .. } = reading.handle(Ok(answer)) else { panic!() };
    for _ in 0..MOST_TRIES - 1 {
        assert!(matches!(reading.handle(Err(Failure::TimedOut)), ReadStep::Again(time) if time > Duration::ZERO));
    }
    let (read, _) = read_all(&server, &mut reading);
    assert_eq!(reading.point().way, Way::Pages, "not all at once");
    assert_eq!((rows.len(), read), (1_000, (1_001..=5_000).collect::<Vec<_>>()));
}

#[test]
fn a_server_that_gives_fewer_rows_than_asked_for_loses_none() {
    for most in [1, 2, 3, 20, 100] {
        for knows_q in [true, false] {
            let server = Server { rows: (1..=400).collect(), most, knows_q, ..Server::default() };
            let (read, _) = read_all(&server, &mut Reading::new(Point::start(None)));
            assert_eq!(read, (1..=400).collect::<Vec<_>>(), "{most} {knows_q}");
        }
    }
}

#[test]
fn asks_a_weak_server_for_less() {
    let mut reading = Reading::<Loan>::new(Point::start(None));
    let size =
        |reading: &Reading<Loan>| query(&reading.request(&settings(), &RestCredentials::Basic))["_per_page"].clone();
    for expected in ["500", "250", "125"] {
        assert!(
            matches!(reading.handle(Err(Failure::TimedOut)), ReadStep::Again(time) if time >= Duration::from_secs(1))
        );
        assert_eq!(size(&reading), expected);
    }
    let mut next = 1;
    for _ in 0..CAUTION {
        next += 1;
        let row = json!([{"checkout_id": next, "patron_id": 1}]);
        assert!(matches!(reading.handle(Ok(page(500, &row))), ReadStep::Rows { .. }));
    }
    assert_eq!(size(&reading), "250", "and for more when it goes well");
    for _ in 1..MOST_TRIES {
        assert!(matches!(reading.handle(Err(Failure::Lost)), ReadStep::Again(_)));
    }
    assert_eq!(reading.handle(Err(Failure::Lost)), ReadStep::Stopped(ReadError::NoAnswer(Failure::Lost)));
}

#[test]
fn no_secret_is_in_an_address_or_in_words() {
    let secret = Secret::new("letmein");
    let request = key::request(&settings(), &ApiKey { id: "key".into(), secret: secret.clone() });
    assert!(!request.url.contains("letmein") && !format!("{request:?}").contains("letmein"));
    assert!(request.body().unwrap().contains("client_secret=letmein"));
    let reading = Reading::<Item>::new(Point::start(None));
    let request = reading.request(&settings(), &RestCredentials::Token(secret.clone()));
    assert!(!request.url.contains("letmein") && !format!("{request:?}").contains("letmein"));
    assert_eq!(read_token(&answer(200, &json!({"access_token": "letmein", "expires_in": 3600}))), Ok(secret));
}

#[test]
fn says_why_there_is_no_token() {
    let failed = |error| Err(TokenError::ConnectionError(error));
    for (status, body, told) in [
        (403, json!({"error": "access_denied"}), Err(TokenError::Refused)),
        (400, json!({"error": "Unimplemented grant type"}), Err(TokenError::Refused)),
        (503, json!({"error": "System is under maintenance."}), failed(ConnectionError::Maintenance)),
        (503, json!("<html>"), failed(ConnectionError::ServerError { status: 503 })),
        (404, json!("<html>"), failed(ConnectionError::NotKoha { status: 404, front: Front::Other })),
        (403, json!("<html>"), Err(TokenError::Refused)),
        (200, json!({}), failed(ConnectionError::NotKoha { status: 200, front: Front::Other })),
    ] {
        assert_eq!(read_token(&answer(status, &body)), told, "{status} {body}");
    }
    let portal = Response { content_type: "text/html".into(), ..answer(403, &json!("")) };
    assert_eq!(read_token(&portal), failed(ConnectionError::NotKoha { status: 403, front: Front::Other }));
}

/// A list that answers as some version of Koha does.
struct Server {
    rows: BTreeSet<u32>,
    knows_q: bool,
    knows_pages: bool,
    /// It gives no more rows at once.
    most: usize,
    /// It tells how many there are.
    counts: bool,
}

impl Default for Server {
    fn default() -> Self {
        Self { rows: BTreeSet::new(), knows_q: true, knows_pages: true, most: usize::MAX, counts: true }
    }
}

impl Server {
    fn answer(&self, request: &Request) -> Response {
        let asked = query(request);
        let unknown = |name: &str| asked.contains_key(name);
        if (!self.knows_q && unknown("q")) || (!self.knows_pages && unknown("_page")) {
            return answer(400, &json!([{"message": "Malformed query string"}]));
        }
        let after = asked
            .get("q")
            .map_or(0, |q| serde_json::from_str::<Value>(q).unwrap()["me.hold_id"][">"].as_u64().unwrap());
        let rows: Vec<u32> = self.rows.iter().copied().filter(|id| u64::from(*id) > after).collect();
        let number = |name: &str| asked.get(name).map(|number| number.parse::<usize>().unwrap());
        let size = number("_per_page").map_or(usize::MAX, |size| size.min(self.most));
        let skipped = (number("_page").unwrap_or(1) - 1) * size.min(1_000);
        let shown = rows.iter().skip(skipped).take(size);
        let body: Value = shown.map(|id| json!({"hold_id": id, "patron_id": 1, "biblio_id": 1})).collect();
        let total = (self.knows_pages && self.counts).then(|| u32::try_from(rows.len()).unwrap());
        Response { total_count: total, ..answer(200, &body) }
    }
}

#[derive(Debug, Clone)]
enum Event {
    Answer,
    Lost,
    /// The window is closed; reading goes on from the point that was stored with the last rows.
    Closed,
    Comes(u32),
    Newest,
    Goes(u32),
    ManyGo(u32, u32),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Answer),
        1 => Just(Event::Lost),
        1 => Just(Event::Closed),
        1 => (1..3_000_u32).prop_map(Event::Comes),
        // Koha counts its numbers up.
        1 => Just(Event::Newest),
        2 => (1..3_000_u32).prop_map(Event::Goes),
        1 => (1..3_000_u32, 1..600_u32).prop_map(|(from, many)| Event::ManyGo(from, from + many)),
    ]
}

proptest! {
    /// Whatever breaks and whatever comes and goes: what was there throughout is read, once, in rising order.
    #[test]
    fn reads_all_that_was_there_throughout(
        rows in prop::collection::btree_set(1..3_000_u32, 0..1_600),
        events in prop::collection::vec(event(), 0..120),
        (knows_q, knows_pages, counts) in any::<(bool, bool, bool)>(),
        most in prop_oneof![Just(usize::MAX), 20..400_usize],
    ) {
        let mut throughout = rows.clone();
        let mut server = Server { rows, knows_q: knows_q && knows_pages, knows_pages, most, counts };
        let mut reading = Reading::<Hold>::new(Point::start(None));
        let mut stored = (Vec::new(), reading.point().clone());
        let mut read: Vec<u32> = Vec::new();
        let mut events = events.into_iter();
        for _ in 0..500 {
            let answer = match events.next().unwrap_or(Event::Answer) {
                Event::Answer => Ok(server.answer(&reading.request(&settings(), &RestCredentials::Basic))),
                Event::Lost => Err(Failure::Lost),
                Event::Closed => {
                    read = stored.0.clone();
                    reading = Reading::new(stored.1.clone());
                    continue;
                }
                Event::Comes(id) => {
                    server.rows.insert(id);
                    continue;
                }
                Event::Newest => {
                    let newest = server.rows.last().map_or(1, |id| id + 1);
                    server.rows.insert(newest);
                    continue;
                }
                Event::Goes(id) => {
                    server.rows.remove(&id);
                    throughout.remove(&id);
                    continue;
                }
                Event::ManyGo(from, to) => {
                    server.rows.retain(|id| !(from..to).contains(id));
                    throughout.retain(|id| !(from..to).contains(id));
                    continue;
                }
            };
            match reading.handle(answer) {
                ReadStep::Rows { rows, .. } => read.extend(rows.iter().map(Hold::id)),
                ReadStep::Done(rows) => {
                    read.extend(rows.iter().map(Hold::id));
                    prop_assert!(read.windows(2).all(|pair| pair[0] < pair[1]), "they rise");
                    let read: BTreeSet<u32> = read.iter().copied().collect();
                    prop_assert!(throughout.is_subset(&read));
                    return Ok(());
                }
                ReadStep::Again(_) => {
                    if reading.point().is_start() {
                        read.clear();
                    }
                }
                ReadStep::Stopped(ReadError::NoAnswer(_)) => reading = Reading::new(reading.point().clone()),
                step => prop_assert!(false, "{step:?}"),
            }
            stored = (read.clone(), reading.point().clone());
        }
        prop_assert!(false, "it ends");
    }

    #[test]
    fn what_is_cut_off_gives_nothing(place in any::<prop::sample::Index>(), status in prop_oneof![Just(200), 100..600_u16]) {
        for body in [json!([{"patron_id": 5, "item_id": 5, "surname": "Meyer"}]), json!({"access_token": "a", "expires_in": 3600})] {
            let body = body.to_string();
            let response = Response { status, body: body[..place.index(body.len())].into(), ..Response::default() };
            let patrons = Reading::<Patron>::new(Point::start(None)).handle(Ok(response.clone()));
            prop_assert!(!matches!(patrons, ReadStep::Rows { .. } | ReadStep::Done(_)), "{patrons:?}");
            let items = Reading::<Item>::new(Point::start(None)).handle(Ok(response.clone()));
            prop_assert!(!matches!(items, ReadStep::Rows { .. } | ReadStep::Done(_)), "{items:?}");
            prop_assert!(read_token(&response).is_err());
        }
    }
}

/// A server that looks at nothing that it is asked: the same page for ever.
#[test]
fn the_same_rows_for_ever_are_noticed() {
    let page = json!((1..=20).map(|id| json!({ "patron_id": id })).collect::<Vec<_>>());
    for (total, end) in [(Some(5_000), ReadStep::Stopped(ReadError::SameRows)), (None, ReadStep::Done(Vec::new()))] {
        let mut reading = Reading::<Patron>::new(Point::start(None));
        let answer = Response { total_count: total, ..answer(200, &page) };
        let steps: Vec<_> = (0..10).map(|_| reading.handle(Ok(answer.clone()))).collect();
        let ended = steps.iter().find(|step| matches!(step, ReadStep::Stopped(_) | ReadStep::Done(_))).unwrap();
        assert_eq!(std::mem::discriminant(ended), std::mem::discriminant(&end), "{total:?}: {steps:?}");
    }
    // The first row is gone each time that somebody looks, and is there again.
    let mut reading = Reading::<Patron>::new(Point {
        way: Way::Pages,
        last: Some(40),
        read: 500_000,
        size: 20,
        ..Point::start(None)
    });
    let mut asked = 0;
    let end = loop {
        asked += 1;
        let rows: Vec<_> = (0..20).map(|row| json!({ "patron_id": 50 - (asked % 2) * 20 + row })).collect();
        let total_count = Some(1_000_000);
        match reading.handle(Ok(Response { total_count, ..answer(200, &json!(rows)) })) {
            ReadStep::Rows { .. } | ReadStep::Again(_) => assert!(asked < 10_000),
            end => break end,
        }
    };
    assert!(matches!(end, ReadStep::Stopped(_) | ReadStep::Done(_)), "{end:?}");
}

#[test]
fn an_answer_may_be_as_long_as_its_rows() {
    let limit = |point| Reading::<Patron>::new(point).request(&settings(), &RestCredentials::Basic).size_limit;
    let [few, many] = [50, 1_000].map(|size| limit(Point { size, ..Point::start(None) }));
    let all = limit(Point { way: Way::All, ..Point::start(None) });
    assert!(Request::get(String::new()).size_limit < few && few < many && many < all);
    let mut reading = Reading::<Patron>::new(Point::start(None));
    for _ in 1..MOST_TRIES {
        assert!(matches!(reading.handle(Err(Failure::TooLong)), ReadStep::Again(_)));
    }
    let stop = ReadError::NoAnswer(Failure::TooLong);
    assert_eq!(reading.handle(Err(Failure::TooLong)), ReadStep::Stopped(stop));
}
