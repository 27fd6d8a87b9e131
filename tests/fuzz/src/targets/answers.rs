//! Koha's answers, or whatever else answered: nothing but Koha's exact words may count as committed.

use crate::fuzz::Target;
use koct_core::{
    Secret,
    directory::record::{Hold, Item, Loan, Patron, Record},
    koha::{
        Response, authentication,
        front::{self, Front},
        page,
        records::{Listed, Point, ReadStep, Reading, Report, Source},
        rest,
        service::{self, Answer},
    },
};
use serde_json::Value;
use std::fmt::Debug;

/// An HTTP answer: a line with the status, headers, a blank line, the body.
pub const TARGET: Target = Target {
    name: "answers",
    words: &[
        "\n",
        "\n\n",
        "\r\n",
        " ",
        "\u{feff}",
        "\0",
        "\u{a0}",
        "é",
        "Added.",
        "Success.",
        "Authentication failed.",
        "Borrower not found.",
        "Content-Type: text/html\n",
        "Content-Type: text/plain; charset=utf-8\n",
        "X-Total-Count: 1\n",
        "X-Total-Count: 4294967295\n",
        "CSRF-TOKEN: k0ctT0ken\n",
        "CGISESSID: k0ctC00kie\n",
        "200\n",
        "204\n",
        "206\n",
        "302\n",
        "401\n",
        "429\n",
        "Retry-After: 30\n",
        "<title>Error 401 &rsaquo; Koha</title>",
        "<body id=\"err_403\">",
        "Wrong CSRF token",
        "<span class=\"loggedinusername\">desk</span>",
        "403\n",
        "404\n",
        "500\n",
        "503\n",
        "<!DOCTYPE html>",
        "<html>",
        "<!--",
        "-->",
        "<status>",
        "</status>",
        "<status>ok</status>",
        "<status>failed</status>",
        "ok",
        "failed",
        "expired",
        "anon",
        "maintenance",
        "restricted",
        "password_expired",
        "additional-auth-needed",
        "[",
        "]",
        "{",
        "}",
        ",",
        "null",
        "\"library_id\":\"CPL\"",
        "\"name\":\"Centerville\"",
        "{\"library_id\":\"MPL\",\"name\":\"Midway\"}",
        "\"error\":\"Authentication failure.\"",
        "\\u0000",
        "\\ud83d",
    ],
    check,
};

/// # Panics
/// When something counts as an answer of Koha's that is none.
pub fn check(input: &[u8]) -> String {
    let response = response(input);
    let kinds = [
        service(&response),
        authentication(&response),
        libraries(&response),
        other_lists(&response),
        records::<Patron>(&response),
        records::<Item>(&response),
        records::<Loan>(&response),
        records::<Hold>(&response),
        rows(Report::new(1, Point::start(None)), &response),
    ];
    secrets_stay_hidden(&response);
    kinds.join(" ")
}

/// Takes any bytes for an answer, so that no change of a seed is wasted on making it one.
fn response(input: &[u8]) -> Response {
    let text = String::from_utf8_lossy(input);
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.trim().parse().ok()).unwrap_or_default();
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let header = |name: &str| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    Response {
        status,
        content_type: header("Content-Type").unwrap_or_default().to_owned(),
        csrf_token: header("CSRF-TOKEN").map(Secret::new),
        session_cookie: header("CGISESSID").map(Secret::new),
        persons_cookie: None,
        retry_after: header("Retry-After").and_then(|after| front::retry_after(after, None)),
        total_count: header("X-Total-Count").and_then(|count| count.parse().ok()),
        body: body.to_owned(),
        ..Response::default()
    }
}

/// A page by our own rule, so that a slip in the core's shows.
fn looks_like_a_page(response: &Response) -> bool {
    let body = response.body.trim_start().to_ascii_lowercase();
    response.content_type.contains("html") || body.starts_with("<!doctype") || body.starts_with("<html")
}

fn service(response: &Response) -> String {
    let answer = service::read(response);
    let (status, body) = (response.status, response.body.as_str());
    let exactly = |text: &str| status == 200 && body == text;
    assert_eq!(answer == Answer::Added, exactly("Added."), "queued, by anything but Koha's word");
    assert_eq!(answer == Answer::Success, exactly("Success."), "processed, by anything but Koha's word");
    let page = looks_like_a_page(response);
    match &answer {
        Answer::AuthenticationFailed => {
            let unsaid = body.is_empty() && !page;
            let ours = status == 401 && (unsaid || page && (body.contains("err_401") || body.contains("Error 401")));
            assert!(ours || exactly("Authentication failed."), "no authentication, by anything but Koha's word");
        }
        Answer::TokenRefused => {
            let words = body.to_lowercase().replace('_', " ");
            let ours = words.contains("wrong csrf token") || words.contains("no csrf token passed");
            assert!(status == 403 && ours, "a token is refused by Koha's word alone");
        }
        Answer::Rejected(text) => {
            assert!(status == 200 && !page, "a page is not Koha's no");
            assert_eq!(*text, body.trim(), "Koha's own text");
            assert!(text.ends_with("found.") || text.ends_with("issued."), "one that Koha has");
        }
        _ => {}
    }
    let is_busy = matches!(answer, Answer::Busy(_));
    assert!(!is_busy || status == 429 || status == 503, "asked to wait by what does not say so");
    assert_eq!(answer == Answer::ServerError(status), (500..600).contains(&status) && !is_busy, "5xx and nothing else");
    assert_eq!(answer == Answer::Empty, status == 200 && body.trim().is_empty(), "empty means empty");
    let shown = front::words(response);
    assert!(shown.chars().count() < 200 && !shown.chars().any(char::is_control), "words that can be shown");
    let who = format!("{:?} {:?}", Front::of(response), page::logged_in(response).is_some());
    format!("{answer:?} {who}").chars().filter(char::is_ascii_alphabetic).collect()
}

fn authentication(response: &Response) -> String {
    let Some(answer) = authentication::read(response) else { return "none".into() };
    assert!(response.status == 200 && !looks_like_a_page(response), "a page is not Koha's answer");
    let closed: String = response.body.chars().filter(|c| !c.is_whitespace()).collect();
    let maintenance = closed.contains("<status>maintenance</status>");
    assert!(!answer.is_maintenance || maintenance, "closed without Koha saying so");
    let words = closed.matches("<status>").count();
    assert!(words > 0, "a status out of nothing");
    assert!(words > 1 || !maintenance || answer.is_maintenance, "Koha said that it is closed");
    let session = answer.anonymous.as_ref();
    let both = response.session_cookie.as_ref().zip(response.csrf_token.as_ref());
    let ours = session.map(|session| (&session.cookie, session.csrf_token.as_ref()));
    assert_eq!(ours, both.map(|(cookie, token)| (cookie, Some(token))), "the session and the token that came");
    format!("{}{}", answer.is_maintenance, session.is_some())
}

fn libraries(response: &Response) -> String {
    // A list is a list whatever type a proxy gave it.
    let markup = response.body.trim_start().starts_with('<');
    assert!(!markup || !rest::is_koha(response), "a page passes for Koha");
    let Some(libraries) = rest::read_libraries(response) else { return rest::is_koha(response).to_string() };
    assert_eq!(response.status, 200, "a list comes with 200");
    assert!(rest::is_koha(response), "who gives libraries is Koha");
    // Another reading of the same text; it refuses a little more (depth, numbers), which proves nothing.
    if let Ok(value) = serde_json::from_str::<Value>(&response.body) {
        let rows = value.as_array().expect("a list");
        assert_eq!(rows.len(), libraries.list.len(), "a library was lost");
        for (row, library) in rows.iter().zip(&libraries.list) {
            assert_eq!(row["library_id"], library.branchcode.as_str());
            assert_eq!(row["name"], library.name.as_str());
        }
    }
    let length = libraries.list.len();
    if libraries.complete {
        let whole = match response.total_count {
            Some(total) => u64::from(total) <= u64::try_from(length).unwrap_or(u64::MAX),
            None => length != 20 && length != 1000,
        };
        assert!(whole, "a list that was cut passes for the whole");
    }
    for library in &libraries.list {
        assert_eq!(libraries.knows(&library.branchcode), Some(true));
    }
    let missing = "\u{1}no branch";
    if !libraries.list.iter().any(|library| library.branchcode == missing) {
        assert_eq!(
            libraries.knows(missing),
            libraries.complete.then_some(false),
            "missing proves nothing in a cut list"
        );
    }
    format!("{}{}", length.min(3), libraries.complete)
}

/// The other lists prove that something is *not* in Koha, so each must be whole.
fn other_lists(response: &Response) -> String {
    let lengths = [
        rest::read_items(response).map(|list| list.len()),
        rest::read_patrons(response).map(|list| list.len()),
        rest::read_checkouts(response).map(|list| list.len()),
    ];
    for length in lengths.into_iter().flatten() {
        assert_eq!(response.status, 200, "a list comes with 200");
        let total = response.total_count.map_or(0, u64::from);
        assert!(total <= u64::try_from(length).unwrap_or(u64::MAX), "a list that was cut passes for the whole");
    }
    format!("{:?}", lengths.map(|length| length.map(|length| length.min(2))))
}

/// Rows of a whole list, in each of the ways in which it can be asked for.
fn records<R: Listed + Debug>(response: &Response) -> String {
    let mut kinds = String::new();
    for refusals in 0..3 {
        let mut reading = Reading::<R>::new(Point::start(None));
        for _ in 0..refusals {
            let _ = reading.handle(Ok(Response { status: 400, ..Response::default() }));
        }
        kinds += &rows(reading, response);
    }
    kinds
}

/// The same answer, once or twice: rows rise, none comes twice, and none is lost unseen.
fn rows<S: Source<Row: Debug>>(mut reading: S, response: &Response) -> String {
    let elements = serde_json::from_str::<Vec<Value>>(&response.body).map(|list| list.len());
    let mut kinds = String::new();
    let (mut last, mut read) = (0, 0);
    for again in [false, true] {
        let step = reading.handle(Ok(response.clone()));
        kinds.extend(format!("{step:?}").chars().take(1));
        if reading.point().is_start() {
            // In another way, from the start.
            break;
        }
        let (rows, ended) = match step {
            ReadStep::Rows { rows, .. } => (rows, false),
            ReadStep::Done(rows) => (rows, true),
            _ => break,
        };
        assert_eq!(response.status, 200, "rows come with 200");
        for row in &rows {
            assert!(row.id() > last, "they do not rise");
            last = row.id();
        }
        read += rows.len();
        if let (false, true, Ok(elements)) = (again, ended, &elements) {
            let unreadable = usize::try_from(reading.point().unreadable).unwrap_or(usize::MAX);
            assert!(read + unreadable <= *elements, "more than came");
        }
        let stored = serde_json::to_string(reading.point()).expect("a point can be stored");
        let point: Point = serde_json::from_str(&stored).expect("and read");
        assert_eq!(&point, reading.point(), "as it was");
        if ended {
            break;
        }
    }
    kinds
}

/// Only what cannot stand elsewhere in an answer shows whether a secret was printed.
fn secrets_stay_hidden(response: &Response) {
    const HIDDEN: &str = "\u{1}hidden\u{1}";
    let secret = || Some(Secret::new(HIDDEN));
    let response = Response { csrf_token: secret(), session_cookie: secret(), ..response.clone() };
    let printed = format!("{response:?} {:?}", authentication::read(&response));
    // Debug escapes control characters, so only the word between them is looked for.
    let elsewhere = response.body.contains("hidden") || response.content_type.contains("hidden");
    assert!(elsewhere || !printed.contains("hidden"), "shows a cookie or a token: {printed}");
}
