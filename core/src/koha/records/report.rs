//! `svc/report`: until when patrons are restricted, and why. No list of the REST API says it.
//!
//! Koha gives the rows of a saved SQL report, but never more of them at once than its system preference `SvcMaxReportRows`
//! says (10 where nobody changed it), and it does not tell that there are more. So the report takes the number of the last
//! patron read and gives those after it, until it gives none.

use super::{
    loose::Loose,
    point::{MOST, Point},
    source::{ReadError, ReadStep, Source, Tries, in_order},
};
use crate::{
    directory::record::{Record, Restriction, end},
    koha::{Failure, Request, Response, authentication, rest::RestCredentials, size_of_rows},
    settings::form::Settings,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use url::form_urlencoded;

const PATH: &str = "/cgi-bin/koha/svc/report";

/// The SQL of the report. A restriction holds until the day in `debarred` begins (Koha: `Koha::Patron`, `is_debarred`).
pub const RESTRICTIONS_SQL: &str = "SELECT borrowernumber, debarred, debarredcomment
FROM borrowers
WHERE debarred > CURDATE() AND borrowernumber > <<After number>>
ORDER BY borrowernumber";

/// Reads a report on restrictions.
#[derive(Debug, Clone)]
pub struct Report {
    number: u32,
    point: Point,
    tries: Tries,
}

impl Report {
    /// Goes on from there with the saved report of this number.
    pub fn new(number: u32, point: Point) -> Self {
        Self { number, point, tries: Tries::default() }
    }

    fn read(&mut self, response: &Response) -> ReadStep<Restriction> {
        let Ok(raw) = serde_json::from_str::<Vec<&RawValue>>(&response.body) else {
            // An error of the database comes as an object, with 200.
            return if response.is_html() { self.tries.failed(ReadError::NotKoha(200)) } else { unlike() };
        };
        self.tries = Tries::default();
        if self.point.koha_began.is_none() {
            self.point.koha_began = response.date;
        }
        if raw.is_empty() {
            return ReadStep::Done(Vec::new());
        }
        let rows: Vec<Option<Restriction>> = raw.into_iter().map(restriction).collect();
        let ids: Vec<u32> = rows.iter().flatten().map(Record::id).collect();
        let unreadable = rows.iter().filter(|row| row.is_none()).count();
        let rows = in_order(rows, self.point.last);
        // Out of order, or the same again: what comes after the rows that Koha cuts off would never be seen.
        if rows.is_empty() || !ids.is_sorted() || ids.first() <= self.point.last.as_ref() {
            return unlike();
        }
        self.point.unreadable += u32::try_from(unreadable).unwrap_or(u32::MAX);
        self.point.last = rows.last().map(Record::id);
        ReadStep::Rows { rows, left: None }
    }
}

impl Source for Report {
    type Row = Restriction;

    fn point(&self) -> &Point {
        &self.point
    }

    /// A token of an API key is not taken here: whoever has one asks with the account of the desk.
    fn request(&self, settings: &Settings, credentials: &RestCredentials) -> Request {
        let url = settings.server.join(PATH);
        let query = [("id", self.number.to_string()), ("sql_params", self.point.last.unwrap_or_default().to_string())];
        let request = match credentials {
            RestCredentials::Session(session) | RestCredentials::Persons(session) => {
                let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
                Request::get(format!("{url}?{query}")).within(Some(session.clone()))
            }
            RestCredentials::Basic | RestCredentials::Token(_) => {
                Request::post(url, [authentication::credentials(settings), query.to_vec()].concat())
            }
        };
        Request { size_limit: size_of_rows(MOST as usize), ..request }
    }

    fn handle(&mut self, answer: Result<Response, Failure>) -> ReadStep<Restriction> {
        let response = match answer {
            Ok(response) => response,
            Err(failure) => return self.tries.no_answer(failure),
        };
        match response.status {
            200 => self.read(&response),
            401 if says_maintenance(&response) => ReadStep::Stopped(ReadError::Maintenance),
            401 => self.tries.not_let_in(ReadError::Refused("catalogue".to_owned())),
            403 => ReadStep::Stopped(ReadError::NotLetIn),
            404 => ReadStep::Stopped(ReadError::Absent),
            // The script dies where there is no report of this number.
            500 if self.tries.failures > 0 => ReadStep::Stopped(ReadError::Absent),
            status @ (408 | 429 | 500..) => self.tries.failed(ReadError::Strange(status)),
            status => ReadStep::Stopped(ReadError::Strange(status)),
        }
    }
}

/// Some other report, or one whose SQL is wrong.
fn unlike() -> ReadStep<Restriction> {
    ReadStep::Stopped(ReadError::Strange(200))
}

/// What Koha says in the body of a 401.
fn says_maintenance(response: &Response) -> bool {
    #[derive(Deserialize)]
    struct Refusal {
        auth_status: String,
    }
    serde_json::from_str::<Refusal>(&response.body).is_ok_and(|refusal| refusal.auth_status == "maintenance")
}

fn restriction(row: &RawValue) -> Option<Restriction> {
    let (patron, until, comment): (Loose, Loose, Loose) = serde_json::from_str(row.get()).ok()?;
    let until = until.day()?;
    Some(Restriction { patron: patron.id()?, until: end(until), comment: one_line(&comment.words()) })
}

/// Koha keeps one restriction in each line.
fn one_line(comment: &str) -> String {
    let lines = comment.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        koha::{NotSent, Session, records::tests::settings},
        settings::form::Secret,
    };
    use chrono::NaiveDate;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::time::Duration;

    fn report() -> Report {
        Report::new(7, Point::start(None))
    }

    fn answer(status: u16, body: &Value) -> Response {
        Response { status, content_type: "application/json".into(), body: body.to_string(), ..Response::default() }
    }

    fn rows(step: ReadStep<Restriction>) -> Vec<Restriction> {
        let ReadStep::Rows { rows, left: None } = step else { panic!("{step:?}") };
        rows
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_sql_stands_where_people_look_for_it() {
        assert!(include_str!("../../../../docs/deployment.md").contains(RESTRICTIONS_SQL));
    }

    #[test]
    fn the_next_rows_are_those_after_the_last() {
        let session = Session { cookie: Secret::new("abc"), csrf_token: None };
        let mut report = report();
        let request = report.request(&settings(), &RestCredentials::Session(session.clone()));
        assert_eq!(request.url, "https://koha.example.org/cgi-bin/koha/svc/report?id=7&sql_params=0");
        assert_eq!((request.body(), request.session), (None, Some(session.clone())));
        let page = json!([["3", "2026-12-24", "  Lost an atlas \n\n Broke the copier "], [12, "9999-12-31", null]]);
        let read = rows(report.handle(Ok(answer(200, &page))));
        assert_eq!(
            read,
            [
                Restriction {
                    patron: 3,
                    until: Some(day("2026-12-24")),
                    comment: "Lost an atlas; Broke the copier".into()
                },
                Restriction { patron: 12, until: None, comment: String::new() },
            ]
        );
        let request = report.request(&settings(), &RestCredentials::Session(session));
        assert_eq!(request.url, "https://koha.example.org/cgi-bin/koha/svc/report?id=7&sql_params=12");
        assert_eq!(report.handle(Ok(answer(200, &json!([])))), ReadStep::Done(Vec::new()));
    }

    #[test]
    fn no_secret_stands_in_an_address() {
        for credentials in [RestCredentials::Basic, RestCredentials::Token(Secret::new("token"))] {
            let request = report().request(&settings(), &credentials);
            assert_eq!(request.url, "https://koha.example.org/cgi-bin/koha/svc/report");
            let body = request.body().unwrap();
            assert!(body.contains("password=letmein") && body.ends_with("&id=7&sql_params=0"), "{body}");
        }
    }

    #[test]
    fn another_report_is_not_taken_for_this_one() {
        let none = json!([["CPL", 12], ["MPL", 9]]);
        let mixed = json!([[9, "2026-12-24", "x"], [4, "2026-12-24", "y"]]);
        let error = json!({"queryerr": "Missing SELECT"});
        for body in [none, mixed, error, json!("x")] {
            assert_eq!(report().handle(Ok(answer(200, &body))), unlike(), "{body}");
        }
        let same = json!([[3, "2026-12-24", "x"], [4, "2026-12-24", "y"]]);
        let mut report = report();
        rows(report.handle(Ok(answer(200, &same))));
        assert_eq!(report.handle(Ok(answer(200, &same))), unlike(), "it has no place for a number");
    }

    #[test]
    fn what_cannot_be_read_is_counted() {
        let mut report = report();
        let page = json!([[3, "soon", "x"], [4, "2026-12-24"], [5, "2026-12-24", "y"], 6, [0, "2026-12-24", "z"]]);
        assert_eq!(rows(report.handle(Ok(answer(200, &page)))).len(), 1);
        assert_eq!(report.point().unreadable, 4);
    }

    #[test]
    fn says_why_it_cannot_be_read() {
        let refusal = |status: &str| answer(401, &json!({ "auth_status": status }));
        let mut reading = report();
        assert_eq!(reading.handle(Ok(refusal("expired"))), ReadStep::CredentialsEnded);
        assert_eq!(reading.handle(Ok(refusal("failed"))), ReadStep::Stopped(ReadError::Refused("catalogue".into())));
        assert_eq!(report().handle(Ok(refusal("maintenance"))), ReadStep::Stopped(ReadError::Maintenance));
        let died = || Ok(answer(500, &json!("Internal Server Error")));
        let mut reading = report();
        assert!(
            matches!(reading.handle(died()), ReadStep::Again(time) if time > Duration::ZERO),
            "it may be a moment's trouble"
        );
        assert_eq!(reading.handle(died()), ReadStep::Stopped(ReadError::Absent));
        let mut reading = report();
        for _ in 1..5 {
            assert!(matches!(reading.handle(Err(Failure::Lost)), ReadStep::Again(time) if time > Duration::ZERO));
        }
        assert_eq!(reading.handle(Err(Failure::Lost)), ReadStep::Stopped(ReadError::NoAnswer(Failure::Lost)));
        let offline = Failure::NotSent(NotSent::Offline);
        assert_eq!(report().handle(Err(offline.clone())), ReadStep::Stopped(ReadError::NoAnswer(offline)));
    }

    proptest! {
        /// However few rows Koha gives at once, and wherever reading breaks off, each comes once.
        #[test]
        fn everything_comes_once(ids in prop::collection::btree_set(1_u32..500, 0..60), most in 1_usize..12, breaks in prop::collection::vec(any::<bool>(), 70)) {
            let mut reading = report();
            let mut came = Vec::new();
            let mut breaks = breaks.into_iter();
            loop {
                if breaks.next() == Some(true) {
                    let kept: Point = serde_json::from_str(&serde_json::to_string(reading.point()).unwrap()).unwrap();
                    reading = Report::new(7, kept);
                }
                let request = reading.request(&settings(), &RestCredentials::Basic);
                let after: u32 = request.form.last().unwrap().1.parse().unwrap();
                let page: Vec<Value> = ids.range(after + 1..).take(most).map(|id| json!([id, "2026-12-24", ""])).collect();
                match reading.handle(Ok(answer(200, &page.into()))) {
                    ReadStep::Rows { rows, .. } => came.extend(rows.iter().map(Record::id)),
                    ReadStep::Done(rows) => {
                        came.extend(rows.iter().map(Record::id));
                        break;
                    }
                    step => panic!("{step:?}"),
                }
            }
            prop_assert_eq!(came, ids.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn never_panics(status in 100_u16..600, body in r#"[\[\]{}",0-9a-z-]{0,60}"#) {
            let mut reading = report();
            for _ in 0..6 {
                let _ = reading.handle(Ok(Response { status, body: body.clone(), ..Response::default() }));
            }
        }
    }
}
