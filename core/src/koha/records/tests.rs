use super::*;
use crate::{
    directory::record::{Hold, HoldState, Item, Loan, Patron, Row},
    koha::NotSent,
    settings::{CommitType, ServerUrl},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn settings() -> Settings {
    Settings {
        server: ServerUrl::parse("https://koha.example.org").unwrap(),
        username: "desk".into(),
        password: Secret::new("letmein"),
        branchcode: "CPL".into(),
        commit_type: CommitType::Send,
        stale_hours: 24,
    }
}

fn answer(status: u16, body: &Value) -> Response {
    Response { status, content_type: "application/json".into(), body: body.to_string(), ..Response::default() }
}

fn page(total: u32, rows: &Value) -> Response {
    Response { total_count: Some(total), date: Some(1_795_600_000_000), ..answer(200, rows) }
}

fn query(request: &Request) -> BTreeMap<String, String> {
    let url = url::Url::parse(&request.url).unwrap();
    url.query_pairs().into_owned().collect()
}

#[test]
fn asks_for_what_comes_after_the_last() {
    let mut reading = Reading::<Item>::new(Point::start(None));
    let request = reading.request(&settings(), &Pass::Token(Secret::new("t")));
    assert!(request.url.starts_with("https://koha.example.org/api/v1/items?"));
    assert_eq!((request.embed, request.bearer, request.basic), (Some("biblio"), Some(Secret::new("t")), None));
    let asked = query(&reading.request(&settings(), &Pass::Basic));
    assert_eq!((asked["q"].as_str(), asked["_order_by"].as_str()), (r#"{"me.item_id":{">":0}}"#, "+me.item_id"));
    let rows = json!([
        {"item_id": 3, "external_id": "B3", "biblio_id": 7, "biblio": {"title": "T", "subtitle": "s", "author": null}},
        {"item_id": "9", "external_id": null, "callnumber": 12, "biblio": null, "more": [1]},
        {"external_id": "no number"},
    ]);
    let Step::Rows { rows, left } = reading.handle(Ok(page(5, &rows))) else { panic!() };
    let first = Item { id: 3, barcode: "B3".into(), biblio: 7, title: "T s".into(), ..Item::default() };
    assert_eq!(rows, [first, Item { id: 9, call_number: "12".into(), ..Item::default() }]);
    assert_eq!((left, reading.point().unreadable, reading.point().has_extras), (Some(2), 1, true));
    assert_eq!(reading.point().began(), Some(1_795_600_000_000));
    assert_eq!(query(&reading.request(&settings(), &Pass::Basic))["q"], r#"{"me.item_id":{">":9}}"#);
    assert_eq!(reading.handle(Ok(page(0, &json!([])))), Step::Done(vec![]));
}

#[test]
fn asks_for_changes_a_little_too_early_rather_than_too_late() {
    let reading = Reading::<Patron>::new(Point::start(Some(1_795_600_000_000)));
    let asked = query(&reading.request(&settings(), &Pass::Basic));
    let asked: Value = serde_json::from_str(&asked["q"]).unwrap();
    assert_eq!(asked, json!({"me.patron_id": {">": 0}, "me.updated_on": {">=": "2026-11-25T09:44:40Z"}}));
}

#[test]
fn reads_a_patron() {
    let row = json!([{
        "patron_id": 5, "cardnumber": "2001", "userid": "ann", "surname": "Meyer", "firstname": "Anna", "middle_name": "Zoë",
        "preferred_name": "Anna", "category_id": "PT", "library_id": "CPL", "expiry_date": "2027-01-31", "restricted": true,
        "patron_card_lost": 0, "incorrect_address": null, "account_balance": 12.345, "staff_notes": "a note",
        "address": "secret street", "date_of_birth": "1990-01-01",
    }]);
    let Step::Done(rows) = Reading::<Patron>::new(Point::start(None)).handle(Ok(page(1, &row))) else { panic!() };
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
    };
    assert_eq!(rows, [expected]);
}

#[test]
fn reads_loans_and_holds() {
    let loans = json!([{"checkout_id": 1, "patron_id": 2, "item_id": 3, "due_date": "2026-12-01T23:59:00+01:00", "checkout_date": "2026-11-01T10:00:00+01:00"}]);
    let Step::Done(loans) = Reading::<Loan>::new(Point::start(None)).handle(Ok(page(1, &loans))) else { panic!() };
    assert_eq!((loans[0].patron, loans[0].item), (2, Some(3)));
    assert_eq!(loans[0].due.unwrap().to_rfc3339(), "2026-12-01T22:59:00+00:00");
    let hold = |status: Value| json!([{"hold_id": 1, "patron_id": 2, "biblio_id": 3, "item_id": null, "pickup_library_id": "MPL", "priority": "2", "status": status, "suspended": false}]);
    for (status, state) in
        [(json!(null), HoldState::Placed), (json!("W"), HoldState::Waiting), (json!("T"), HoldState::InTransit)]
    {
        let Step::Done(holds) = Reading::<Hold>::new(Point::start(None)).handle(Ok(page(1, &hold(status)))) else {
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
            Stop::Refused("borrowers: edit_borrowers".into()),
        ),
        (json!({"required_permissions": {"catalogue": "1"}}), Stop::Refused("catalogue".into())),
        (
            json!({"required_permissions": [{"borrowers": "edit_borrowers"}, {"tools": "label_creator"}]}),
            Stop::Refused("borrowers: edit_borrowers".into()),
        ),
        (json!({"error": "Invalid password", "required_permissions": null}), Stop::NotLetIn),
        (json!([]), Stop::NotLetIn),
    ] {
        let mut reading = Reading::<Patron>::new(Point::start(None));
        assert_eq!(reading.handle(Ok(answer(403, &body))), Step::Stopped(told), "{body}");
    }
    for (status, told) in [(404, Stop::Absent), (503, Stop::Maintenance), (418, Stop::Strange(418))] {
        assert_eq!(
            Reading::<Item>::new(Point::start(None)).handle(Ok(answer(status, &json!({})))),
            Step::Stopped(told)
        );
    }
    let failure = Failure::NotSent(NotSent::Refused);
    let stopped = Step::Stopped(Stop::NoAnswer(failure.clone()));
    assert_eq!(Reading::<Item>::new(Point::start(None)).handle(Err(failure)), stopped);
}

#[test]
fn a_pass_is_renewed_once_between_two_pages() {
    let mut reading = Reading::<Hold>::new(Point::start(None));
    let refused = || Ok(answer(401, &json!({"error": "Session has been expired."})));
    assert_eq!(reading.handle(refused()), Step::PassEnded);
    assert_eq!(reading.handle(refused()), Step::Stopped(Stop::NotLetIn));
    let mut reading = Reading::<Hold>::new(Point::start(None));
    for id in 1..4 {
        let row = json!([{"hold_id": id, "patron_id": 2, "biblio_id": 3}]);
        assert_eq!(reading.handle(refused()), Step::PassEnded);
        assert!(matches!(reading.handle(Ok(page(9, &row))), Step::Rows { .. }));
    }
}

#[test]
fn goes_on_without_what_cannot_be_embedded_and_asks_in_older_ways() {
    let mut reading = Reading::<Patron>::new(Point::start(Some(1)));
    let again = Step::Again(0);
    let no_embed = json!({"errors": [{"message": "Not in enum list", "path": "/x-koha-embed/0"}], "status": 400});
    assert_eq!(reading.handle(Ok(answer(400, &no_embed))), again);
    assert_eq!(reading.request(&settings(), &Pass::Basic).embed, None);
    assert!(reading.point().is_changes());
    let unknown = json!([{"message": "Malformed query string", "path": "/query/q"}]);
    assert_eq!(reading.handle(Ok(answer(400, &unknown))), again);
    assert!(!reading.point().is_changes(), "all of them come now");
    assert!(!query(&reading.request(&settings(), &Pass::Basic)).contains_key("q"));
    assert_eq!(reading.handle(Ok(answer(400, &unknown))), again);
    assert!(!reading.request(&settings(), &Pass::Basic).url.contains('?'));
    let rows = json!([{"patron_id": 9}, {"patron_id": 2}, {"patron_id": 9}]);
    let Step::Done(rows) = reading.handle(Ok(answer(200, &rows))) else { panic!() };
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [2, 9]);
    assert_eq!(reading.handle(Ok(answer(400, &unknown))), Step::Stopped(Stop::Strange(400)));
}

#[test]
fn counts_pages_where_the_condition_is_not_looked_at() {
    let mut reading = Reading::<Hold>::new(Point::start(None));
    let rows = json!([{"hold_id": 1, "patron_id": 2, "biblio_id": 3}]);
    assert!(matches!(reading.handle(Ok(page(9, &rows))), Step::Rows { .. }));
    assert_eq!(reading.handle(Ok(page(9, &rows))), Step::Again(0));
    assert_eq!(query(&reading.request(&settings(), &Pass::Basic))["_page"], "1");
}

#[test]
fn asks_a_weak_server_for_less() {
    let mut reading = Reading::<Loan>::new(Point::start(None));
    let size = |reading: &Reading<Loan>| query(&reading.request(&settings(), &Pass::Basic))["_per_page"].clone();
    for expected in ["500", "250", "125"] {
        assert!(matches!(reading.handle(Err(Failure::TimedOut)), Step::Again(millis) if millis >= 1_000));
        assert_eq!(size(&reading), expected);
    }
    let mut next = 1;
    for _ in 0..CAUTION {
        next += 1;
        let row = json!([{"checkout_id": next, "patron_id": 1}]);
        assert!(matches!(reading.handle(Ok(page(500, &row))), Step::Rows { .. }));
    }
    assert_eq!(size(&reading), "250", "and for more when it goes well");
    for _ in 1..PATIENCE {
        assert!(matches!(reading.handle(Err(Failure::Lost)), Step::Again(_)));
    }
    assert_eq!(reading.handle(Err(Failure::Lost)), Step::Stopped(Stop::NoAnswer(Failure::Lost)));
}

#[test]
fn no_secret_is_in_an_address_or_in_words() {
    let secret = Secret::new("letmein");
    let request = token(&settings(), "key", &secret);
    assert!(!request.url.contains("letmein") && !format!("{request:?}").contains("letmein"));
    assert!(request.body().unwrap().contains("client_secret=letmein"));
    let reading = Reading::<Item>::new(Point::start(None));
    let request = reading.request(&settings(), &Pass::Token(secret.clone()));
    assert!(!request.url.contains("letmein") && !format!("{request:?}").contains("letmein"));
    assert_eq!(read_token(&answer(200, &json!({"access_token": "letmein", "expires_in": 3600}))), Some(secret));
    assert_eq!(read_token(&answer(403, &json!({"error": "access_denied"}))), None);
    assert_eq!(read_token(&answer(200, &json!({}))), None);
}

/// A list that answers as some version of Koha does.
struct Server {
    rows: BTreeSet<u32>,
    knows_q: bool,
    knows_pages: bool,
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
        let size = number("_per_page").unwrap_or(usize::MAX);
        let skipped = (number("_page").unwrap_or(1) - 1) * size.min(1_000);
        let shown = rows.iter().skip(skipped).take(size);
        let body: Value = shown.map(|id| json!({"hold_id": id, "patron_id": 1, "biblio_id": 1})).collect();
        let total = self.knows_pages.then(|| u32::try_from(rows.len()).unwrap());
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
    Goes(u32),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Answer),
        1 => Just(Event::Lost),
        1 => Just(Event::Closed),
        1 => (1..3_000_u32).prop_map(Event::Comes),
        1 => (1..3_000_u32).prop_map(Event::Goes),
    ]
}

proptest! {
    /// Whatever breaks and whatever comes and goes: what was there throughout is read, once, in rising order.
    #[test]
    fn reads_all_that_was_there_throughout(
        rows in prop::collection::btree_set(1..3_000_u32, 0..1_600),
        events in prop::collection::vec(event(), 0..40),
        knows_q in any::<bool>(),
        knows_pages in any::<bool>(),
    ) {
        let mut throughout = rows.clone();
        let mut server = Server { rows, knows_q: knows_q && knows_pages, knows_pages };
        let mut reading = Reading::<Hold>::new(Point::start(None));
        let mut stored = (Vec::new(), reading.point().clone());
        let mut read: Vec<u32> = Vec::new();
        let mut events = events.into_iter();
        for _ in 0..500 {
            let answer = match events.next().unwrap_or(Event::Answer) {
                Event::Answer => Ok(server.answer(&reading.request(&settings(), &Pass::Basic))),
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
                Event::Goes(id) => {
                    server.rows.remove(&id);
                    throughout.remove(&id);
                    continue;
                }
            };
            let way = reading.point().way;
            match reading.handle(answer) {
                Step::Rows { rows, .. } => read.extend(rows.iter().map(Hold::id)),
                Step::Done(rows) => {
                    read.extend(rows.iter().map(Hold::id));
                    prop_assert!(read.windows(2).all(|pair| pair[0] < pair[1]), "they rise");
                    // Pages that are counted can lose what moves from one to another; nothing can be done about it.
                    if way != Way::Pages {
                        let read: BTreeSet<u32> = read.iter().copied().collect();
                        prop_assert!(throughout.is_subset(&read));
                    }
                    return Ok(());
                }
                Step::Again(_) => {
                    if reading.point().last.is_none() {
                        read.clear();
                    }
                }
                Step::Stopped(Stop::NoAnswer(_)) => reading = Reading::new(reading.point().clone()),
                step => prop_assert!(false, "{step:?}"),
            }
            stored = (read.clone(), reading.point().clone());
        }
        prop_assert!(false, "it ends");
    }

    #[test]
    fn never_panics(body in any::<String>(), status in 100..600_u16) {
        let response = Response { status, body, ..Response::default() };
        let _ = Reading::<Patron>::new(Point::start(None)).handle(Ok(response.clone()));
        let _ = Reading::<Item>::new(Point::start(None)).handle(Ok(response.clone()));
        let _ = read_token(&response);
    }
}
