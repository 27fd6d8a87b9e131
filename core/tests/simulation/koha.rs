//! A model of Koha: what it does with each request, odd parts included, and a count of every effect.

use crate::dice::Dice;
use chrono::DateTime;
use koct_core::{
    Secret,
    desk::clock::KohaTime,
    koha::{Failure, NotSent, Request, Response},
};
use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

/// What Koha can see of a transaction: who, what, when, which item and whose card. The simulation never records two that
/// look the same.
pub(crate) type Key = Rc<str>;

/// The most time that a request may lie in the server before it is processed: what the web server in front allows.
const SLOWEST: i64 = 300_000;

#[derive(Debug, Clone)]
struct Loan {
    item: usize,
    patron: usize,
    since: String,
    until: Option<String>,
}

/// What the network does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Fine,
    NotSent,
    LostBefore,
    LostAfter,
    TimedOut,
    /// The client gives up, and the server processes it later all the same.
    ProcessedLater,
    ErrorBefore,
    ErrorAfter,
    CutHeaders,
    Portal,
    Redirected,
    Forbidden,
    SessionEnds,
}

const FAULTS: [Fate; 12] = [
    Fate::NotSent,
    Fate::LostBefore,
    Fate::LostAfter,
    Fate::TimedOut,
    Fate::ProcessedLater,
    Fate::ErrorBefore,
    Fate::ErrorAfter,
    Fate::CutHeaders,
    Fate::Portal,
    Fate::Redirected,
    Fate::Forbidden,
    Fate::SessionEnds,
];

#[derive(Debug)]
pub(crate) struct Koha {
    pub(crate) now: i64,
    from_2405: bool,
    /// Whether accounts may read items, loans and patrons.
    readable: bool,
    /// Percent of the requests that meet a fault.
    pub(crate) trouble: usize,
    sessions: BTreeSet<String>,
    made: u32,
    loans: Vec<Loan>,
    later: Vec<(i64, Request)>,
    /// How often each transaction took effect.
    pub(crate) effects: HashMap<Key, u32>,
    /// The transactions applied to each item by each desk, in the order in which Koha applied them.
    pub(crate) applied: Vec<Key>,
}

pub(crate) const ITEMS: [&str; 4] = ["I1", "i2", "É3", "I4"];
pub(crate) const PATRONS: [&str; 3] = ["P1", "P2", "P3"];

fn value<'a>(request: &'a Request, key: &str) -> &'a str {
    request.form.iter().find(|(name, _)| *name == key).map_or("", |(_, value)| value)
}

pub(crate) fn key(request: &Request) -> Key {
    ["userid", "action", "timestamp", "barcode", "cardnumber"].map(|name| value(request, name)).join("\n").into()
}

impl Koha {
    pub(crate) fn new(dice: &mut Dice, now: i64) -> Self {
        Self {
            now,
            from_2405: dice.percent(60),
            readable: dice.percent(75),
            trouble: dice.pick(&[0, 5, 20, 40]),
            sessions: BTreeSet::new(),
            made: 0,
            loans: Vec::new(),
            later: Vec::new(),
            effects: HashMap::new(),
            applied: Vec::new(),
        }
    }

    /// Time goes on; what lay in the server is processed.
    pub(crate) fn pass(&mut self, millis: i64) {
        self.now += millis;
        let (due, later) = std::mem::take(&mut self.later).into_iter().partition(|(at, _)| *at <= self.now);
        self.later = later;
        let due: Vec<(i64, Request)> = due;
        for (_, request) in due {
            self.process(&request);
        }
    }

    /// Whether this transaction may still be processed, without anybody doing anything.
    pub(crate) fn is_under_way(&self, wanted: &Key) -> bool {
        self.later.iter().any(|(_, request)| key(request) == *wanted)
    }

    /// Somebody works in Koha itself, while the desks are offline.
    pub(crate) fn online(&mut self, dice: &mut Dice) {
        let (item, patron) = (dice.below(ITEMS.len()), dice.below(PATRONS.len()));
        let time = self.time();
        self.give_back(item, &time);
        if dice.percent(50) {
            self.loans.push(Loan { item, patron, since: time, until: None });
        }
    }

    fn time(&self) -> String {
        DateTime::from_timestamp_millis(self.now).unwrap().format("%Y-%m-%d %H:%M:%S").to_string()
    }

    fn give_back(&mut self, item: usize, time: &str) -> bool {
        let open = self.loans.iter_mut().find(|loan| loan.item == item && loan.until.is_none());
        open.map(|loan| loan.until = Some(time.to_owned())).is_some()
    }

    fn response(&self, status: u16, content_type: &str, body: &str) -> Response {
        Response {
            status,
            content_type: content_type.into(),
            body: body.into(),
            date: Some(KohaTime::from_millis(self.now)),
            ..Response::default()
        }
    }

    /// A request arrives, or not.
    pub(crate) fn answer(&mut self, request: &Request, dice: &mut Dice) -> Result<Response, Failure> {
        let fate = if dice.percent(self.trouble) { dice.pick(&FAULTS) } else { Fate::Fine };
        match fate {
            Fate::Fine => Ok(self.process(request)),
            Fate::NotSent => Err(Failure::NotSent(dice.pick(&[NotSent::Refused, NotSent::Offline, NotSent::Insecure]))),
            Fate::LostBefore => Err(Failure::Lost),
            Fate::LostAfter => {
                self.process(request);
                Err(Failure::Lost)
            }
            Fate::TimedOut => Err(Failure::TimedOut),
            Fate::ProcessedLater => {
                let delay = dice.millis(SLOWEST);
                self.later.push((self.now + delay, request.clone()));
                Err(Failure::TimedOut)
            }
            Fate::ErrorBefore => Ok(self.response(500, "text/html", "<h1>Software error:</h1>")),
            Fate::ErrorAfter => {
                self.process(request);
                Ok(self.response(500, "text/plain", "Internal Server Error"))
            }
            Fate::CutHeaders => {
                self.process(request);
                Ok(Response { date: None, ..self.response(200, "", "") })
            }
            Fate::Portal => {
                // Its clock is its own.
                Ok(Response {
                    date: Some(KohaTime::from_millis(0)),
                    ..self.response(200, "text/html", "<!DOCTYPE html>Free wifi")
                })
            }
            Fate::Redirected => Err(Failure::Redirected { to: None }),
            Fate::Forbidden => Ok(self.response(403, "text/html", "<html>403</html>")),
            Fate::SessionEnds => {
                self.sessions.clear();
                Ok(self.process(request))
            }
        }
    }

    fn process(&mut self, request: &Request) -> Response {
        if request.url.ends_with("svc/authentication") {
            return self.log_in(request);
        }
        if request.url.contains("/api/v1/") {
            return self.read(&request.url);
        }
        let allowed = match &request.session {
            Some(session) => self.sessions.contains(session.cookie.reveal()),
            None => !value(request, "password").is_empty() && !self.from_2405,
        };
        if !allowed {
            return self.response(401, "text/plain", "");
        }
        let body = match (value(request, "action"), value(request, "pending")) {
            ("", _) => "",
            (_, "true") => {
                *self.effects.entry(key(request)).or_default() += 1;
                "Added."
            }
            _ => self.apply(request),
        };
        self.response(200, "text/plain", body)
    }

    fn apply(&mut self, request: &Request) -> &'static str {
        let time = value(request, "timestamp").to_owned();
        let item = ITEMS.iter().position(|item| *item == value(request, "barcode"));
        let patron = PATRONS.iter().position(|card| *card == value(request, "cardnumber"));
        match (value(request, "action"), item, patron) {
            ("issue", _, None) => return "Borrower not found.",
            ("issue", None, _) => return "Barcode not found.",
            ("issue", Some(item), Some(patron)) => {
                let open = self.loans.iter().find(|loan| loan.item == item && loan.until.is_none());
                // The same patron again is silently a renewal.
                if open.is_none_or(|loan| loan.patron != patron) {
                    self.give_back(item, &time);
                    self.loans.push(Loan { item, patron, since: time, until: None });
                }
            }
            ("return", None, _) => return "Item not found.",
            ("return", Some(item), _) if !self.give_back(item, &time) => return "Item not issued.",
            _ => {}
        }
        *self.effects.entry(key(request)).or_default() += 1;
        self.applied.push(key(request));
        "Success."
    }

    fn log_in(&mut self, request: &Request) -> Response {
        let status = if request.form.is_empty() { "failed" } else { "ok" };
        let body = format!("<response><status>{status}</status></response>");
        let mut response = self.response(200, "text/xml", &body);
        if self.from_2405 {
            self.made += 1;
            let session = format!("s{}", self.made);
            if status == "ok" {
                self.sessions.insert(session.clone());
            }
            response.session_cookie = Some(Secret::new(session.clone()));
            response.csrf_token = Some(Secret::new(session));
        }
        response
    }

    fn read(&self, url: &str) -> Response {
        if url.contains("/libraries") {
            return self.response(200, "application/json", r#"[{"library_id":"CPL","name":"Centerville"}]"#);
        }
        if !self.readable {
            return self.response(403, "application/json", r#"{"error":"Authorization failure."}"#);
        }
        let rows: Vec<String> = if url.contains("/items?") {
            let wanted = parameter(url, "external_id");
            let number = ITEMS.iter().position(|item| *item == wanted);
            number.map(|id| format!(r#"{{"item_id":{id},"external_id":"{wanted}"}}"#)).into_iter().collect()
        } else if url.contains("/patrons?") {
            let wanted = parameter(url, "cardnumber");
            let number = PATRONS.iter().position(|card| *card == wanted);
            number.map(|id| format!(r#"{{"patron_id":{id},"cardnumber":"{wanted}"}}"#)).into_iter().collect()
        } else {
            let item = parameter(url, "q").bytes().find(u8::is_ascii_digit).map(|digit| usize::from(digit - b'0'));
            let returned = url.contains("checked_in=1");
            let time = |time: &String| format!("\"{}Z\"", time.replace(' ', "T"));
            let shown = |loan: &&Loan| Some(loan.item) == item && loan.until.is_some() == returned;
            let row = |loan: &Loan| {
                format!(
                    r#"{{"patron_id":{},"item_id":{},"checkout_date":{},"checkin_date":{}}}"#,
                    loan.patron,
                    loan.item,
                    time(&loan.since),
                    loan.until.as_ref().map_or("null".into(), time)
                )
            };
            self.loans.iter().filter(shown).map(row).collect()
        };
        let total = u32::try_from(rows.len()).unwrap();
        Response {
            total_count: Some(total),
            ..self.response(200, "application/json", &format!("[{}]", rows.join(",")))
        }
    }
}

fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let decoded = url::form_urlencoded::parse(query.as_bytes());
    decoded.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}
