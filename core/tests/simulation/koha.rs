//! A model of Koha: what it does with each request, odd parts included, and a count of every effect.

use crate::dice::Dice;
use chrono::DateTime;
use koct_core::{
    Secret,
    desk::barcode::same_code,
    desk::clock::KohaTime,
    koha::{Failure, Method, NotSent, Request, Response},
};
use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
    time::Duration,
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
    /// How often it was renewed, and when last.
    renewals: u32,
    renewed: Option<String>,
}

impl Loan {
    fn new(item: usize, patron: usize, since: String) -> Self {
        Self { item, patron, since, until: None, renewals: 0, renewed: None }
    }
}

/// What the plugin was given, and what became of it.
type Memory = HashMap<String, &'static str>;

/// A transaction as it is sent.
struct Sent {
    user: String,
    action: String,
    time: String,
    barcode: String,
    card: String,
    amount: String,
}

impl Sent {
    /// To Koha itself.
    fn by_form(request: &Request) -> Self {
        let [user, action, time, barcode, card, amount] =
            ["userid", "action", "timestamp", "barcode", "cardnumber", "amount"]
                .map(|name| value(request, name).to_owned());
        Self { user, action, time, barcode, card, amount }
    }

    /// To the plugin, by this user.
    fn by_json(row: &serde_json::Value, user: &str) -> Self {
        let [action, time, barcode, card, amount] = ["action", "timestamp", "barcode", "cardnumber", "amount"]
            .map(|name| row[name].as_str().unwrap_or_default().to_owned());
        // Koha keeps whole seconds.
        let time = time[..19].replace('T', " ");
        Self { user: user.to_owned(), action, time, barcode, card, amount }
    }

    fn key(&self) -> Key {
        [&self.user, &self.action, &self.time, &self.barcode, &self.card].map(String::as_str).join("\n").into()
    }
}

/// A row of the queue.
#[derive(Debug, Clone)]
struct Pending {
    time: String,
    action: String,
    barcode: String,
    card: String,
    amount: String,
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
    SessionEnds,
    /// Of several transactions in one request some are processed, then the answer is lost.
    HalfThenLost,
    /// The answer does not tell of the last one.
    OneUntold,
    /// The browser, or somebody in front of Koha, sends it again: Koha processes it twice, and the second answer is seen.
    SentAgain,
    /// Somebody in front of Koha answers in its place, before or after it has processed the request.
    Front {
        is_processed: bool,
        status: u16,
        body: &'static str,
        retry_after: Option<u64>,
    },
}

/// What those in front of Koha say.
const FRONTS: [(u16, &str, Option<u64>); 9] = [
    (200, "Access denied by policy", None),
    (200, "<!DOCTYPE html>Just a moment...", None),
    (401, "<html>Authorization Required", None),
    (403, "<html>Request blocked", None),
    (404, "<html>Not found", None),
    (413, "<html>Too large", None),
    (429, "<html>Slow down", Some(30)),
    (503, "<html>Back soon", Some(120)),
    (503, "<html>Maintenance", None),
];

const FAULTS: [Fate; 17] = [
    Fate::NotSent,
    Fate::LostBefore,
    Fate::LostAfter,
    Fate::TimedOut,
    // What comes late is the hardest, and the rarest in life.
    Fate::ProcessedLater,
    Fate::ProcessedLater,
    Fate::ProcessedLater,
    Fate::ErrorBefore,
    Fate::ErrorAfter,
    Fate::CutHeaders,
    Fate::Portal,
    Fate::Redirected,
    Fate::SessionEnds,
    Fate::SentAgain,
    Fate::SentAgain,
    Fate::HalfThenLost,
    Fate::OneUntold,
];

#[derive(Debug)]
pub(crate) struct Koha {
    pub(crate) now: i64,
    from_2405: bool,
    /// Whether accounts may read items, loans, patrons and the queue.
    pub(crate) readable: bool,
    /// Whether it has its own check-in for programs, and whether that asks before it takes what nobody has.
    pub(crate) own_checkin: Option<bool>,
    /// How many loans that has ended.
    pub(crate) ended_by_own: u32,
    /// Percent of the requests that meet a fault.
    pub(crate) trouble: usize,
    /// In how many of a hundred requests about a transaction the desk's computer sleeps.
    sleep: usize,
    sessions: BTreeSet<String>,
    made: u32,
    loans: Vec<Loan>,
    /// What lies in the server, until when, and what the plugin found in its memory when it came: the worst that it may do.
    later: Vec<(i64, Request, Memory)>,
    /// Whether the plugin is there now, where it ever is.
    plugin: Option<bool>,
    memory: Memory,
    queue: Vec<Pending>,
    /// How often each transaction took effect.
    pub(crate) effects: HashMap<Key, u32>,
    /// What each patron owes, in hundredths; less than nothing is what they have paid in advance.
    balances: [i64; PATRONS.len()],
    /// How often each was processed once more than it was sent.
    pub(crate) sent_again: HashMap<Key, u32>,
    /// The transactions applied to each item by each desk, in the order in which Koha applied them.
    pub(crate) applied: Vec<Key>,
}

pub(crate) const ITEMS: [&str; 4] = ["I1", "i2", "É3", "I4"];
pub(crate) const PATRONS: [&str; 3] = ["P1", "P2", "P3"];

fn value<'a>(request: &'a Request, key: &str) -> &'a str {
    request.form.iter().find(|(name, _)| *name == key).map_or("", |(_, value)| value)
}

/// A check-in that goes by Koha's own: whose, when in UTC, and of what.
fn own_checkin(request: &Request) -> Option<[String; 3]> {
    let is_checkin = request.method == Method::Post && request.url.contains("/api/v1/checkins");
    let body: serde_json::Value = serde_json::from_str(request.json.as_ref().filter(|_| is_checkin)?).unwrap();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    let user = request.session.as_ref()?.cookie.reveal().split(' ').nth(1)?.to_owned();
    let time = DateTime::parse_from_rfc3339(&text("return_date")).unwrap().to_utc();
    Some([user, time.format("%Y-%m-%d %H:%M:%S").to_string(), text("external_id")])
}

pub(crate) fn key(request: &Request) -> Key {
    if let Some([user, time, barcode]) = own_checkin(request) {
        return [user.as_str(), "return", &time, &barcode, ""].join("\n").into();
    }
    Sent::by_form(request).key()
}

fn is_for_plugin(request: &Request) -> bool {
    request.url.contains("/contrib/")
}

/// What is given to the plugin, in its own words.
fn rows(request: &Request) -> Vec<serde_json::Value> {
    let body: serde_json::Value = serde_json::from_str(request.json.as_deref().unwrap_or("{}")).unwrap();
    body["transactions"].as_array().cloned().unwrap_or_default()
}

impl Koha {
    pub(crate) fn new(dice: &mut Dice, now: i64) -> Self {
        let plugin = dice.percent(50).then_some(true);
        Self {
            plugin,
            memory: Memory::new(),
            now,
            from_2405: dice.percent(60),
            readable: dice.percent(75),
            own_checkin: None,
            ended_by_own: 0,
            trouble: dice.pick(&[0, 5, 20, 40]),
            sleep: dice.pick(&[0, 2, 2, 30]),
            sessions: BTreeSet::new(),
            made: 0,
            loans: Vec::new(),
            later: Vec::new(),
            queue: Vec::new(),
            balances: [0; PATRONS.len()],
            sent_again: HashMap::new(),
            effects: HashMap::new(),
            applied: Vec::new(),
        }
    }

    /// Time goes on; what lay in the server is processed.
    pub(crate) fn pass(&mut self, millis: i64) {
        self.now += millis;
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.later).into_iter().partition(|(at, ..)| *at <= self.now);
        self.later = later;
        for (_, request, memory) in due {
            if is_for_plugin(&request) {
                // Whoever made it was let in when it came.
                self.give(&request, &memory, usize::MAX);
            } else {
                self.process(&request);
            }
        }
    }

    /// Somebody installs the plugin, or takes it away; what it remembers stays.
    pub(crate) fn change_plugin(&mut self) {
        self.plugin = self.plugin.map(|is_there| !is_there);
    }

    /// Whether Koha holds just what this transaction was to do, whoever did it: a loan of that patron and item since that
    /// second, one of that item that was returned in it, or a row of the queue that says the same. No desk can tell such a trace
    /// from its own.
    pub(crate) fn holds_the_same(&self, wanted: &Key) -> bool {
        let [_, action, time, barcode, card] = wanted.split('\n').collect::<Vec<_>>()[..] else { return false };
        let says_the_same = |row: &Pending| {
            row.action == action && row.time == time && same_code(&row.barcode, barcode) && same_code(&row.card, card)
        };
        if self.queue.iter().any(says_the_same) {
            return true;
        }
        let item = ITEMS.iter().position(|item| *item == barcode);
        let patron = PATRONS.iter().position(|patron| *patron == card);
        self.loans.iter().filter(|loan| Some(loan.item) == item).any(|loan| match action {
            "issue" => Some(loan.patron) == patron && loan.since == time,
            "return" => loan.until.as_deref() == Some(time),
            _ => false,
        })
    }

    /// A desk's computer may sleep while it makes this request.
    pub(crate) fn sleep(&mut self, request: &Request, dice: &mut Dice) {
        let is_own = own_checkin(request).is_some();
        let often = !value(request, "action").is_empty() || is_own || !rows(request).is_empty();
        if dice.percent(if often { self.sleep } else { 1 }) {
            self.pass(dice.millis(1_500_000));
        }
    }

    /// Whether this transaction may still be processed, without anybody doing anything.
    pub(crate) fn is_under_way(&self, wanted: &Key) -> bool {
        self.later.iter().any(|(_, request, memory)| {
            let is_it = |row: &serde_json::Value| {
                let is_new = !memory.contains_key(&row.to_string());
                is_new && Sent::by_json(row, &Self::user(request)).key() == *wanted
            };
            key(request) == *wanted || rows(request).iter().any(is_it)
        })
    }

    /// Somebody works in Koha itself, while the desks are offline.
    pub(crate) fn online(&mut self, dice: &mut Dice) {
        let (item, patron) = (dice.below(ITEMS.len()), dice.below(PATRONS.len()));
        let time = self.time();
        self.give_back(item, &time);
        if dice.percent(50) {
            self.loans.push(Loan::new(item, patron, time));
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
        let fate = match dice.percent(self.trouble) {
            true if dice.percent(25) => {
                let (status, body, retry_after) = dice.pick(&FRONTS);
                Fate::Front { is_processed: dice.percent(50), status, body, retry_after }
            }
            true => dice.pick(&FAULTS),
            false => Fate::Fine,
        };
        match fate {
            Fate::Fine => Ok(self.process(request)),
            Fate::NotSent => Err(Failure::NotSent(dice.pick(&[NotSent::Refused, NotSent::Offline, NotSent::Insecure]))),
            Fate::LostBefore => Err(Failure::Lost),
            Fate::LostAfter => {
                self.process(request);
                Err(Failure::Lost)
            }
            // What takes long, as many at once may, goes on where nobody waits for it any more.
            Fate::TimedOut if !is_for_plugin(request) => Err(Failure::TimedOut),
            Fate::TimedOut | Fate::ProcessedLater => {
                let delay = dice.millis(SLOWEST);
                if !is_for_plugin(request) || self.refuse(request).is_none() {
                    self.later.push((self.now + delay, request.clone(), self.memory.clone()));
                }
                Err(Failure::TimedOut)
            }
            Fate::HalfThenLost => {
                if !is_for_plugin(request) {
                    self.process(request);
                } else if self.refuse(request).is_none() {
                    let memory = self.memory.clone();
                    let mut rest = rows(request);
                    let first = rest.drain(..dice.below(rest.len() + 1)).count();
                    self.give(request, &memory, first);
                    // It goes on with the others.
                    let mut body: serde_json::Value =
                        serde_json::from_str(request.json.as_deref().unwrap_or("{}")).unwrap();
                    body["transactions"] = rest.into();
                    let json = Some(body.to_string());
                    self.later.push((self.now + dice.millis(SLOWEST), Request { json, ..request.clone() }, memory));
                }
                Err(Failure::Lost)
            }
            Fate::OneUntold => {
                let answer = self.process(request);
                let body = answer.body.rsplit_once(",{").map(|(told, _)| format!("{told}]}}"));
                Ok(Response { body: body.unwrap_or_else(|| answer.body.clone()), ..answer })
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
            Fate::Front { is_processed, status, body, retry_after } => {
                if is_processed {
                    self.process(request);
                }
                let content_type = if body.starts_with('<') { "text/html" } else { "text/plain" };
                // Its clock is its own, too.
                Ok(Response {
                    date: Some(KohaTime::from_millis(dice.millis(2 * self.now))),
                    retry_after: retry_after.map(Duration::from_secs),
                    ..self.response(status, content_type, body)
                })
            }
            Fate::SentAgain if is_for_plugin(request) => {
                self.process(request);
                Ok(self.process(request))
            }
            Fate::SentAgain => {
                let key = key(request);
                let before = self.effects.get(&key).copied().unwrap_or_default();
                self.process(request);
                let answer = self.process(request);
                let after = self.effects.get(&key).copied().unwrap_or_default();
                *self.sent_again.entry(key).or_default() += (after - before).saturating_sub(1);
                Ok(answer)
            }
            Fate::SessionEnds => {
                self.sessions.clear();
                Ok(self.process(request))
            }
        }
    }

    fn process(&mut self, request: &Request) -> Response {
        if request.url.ends_with("svc/authentication") {
            let body = "<response><status>failed</status></response>";
            let session = self.from_2405.then(|| self.new_session("nobody"));
            let answer = self.response(200, "text/xml", body);
            return Response { session_cookie: session.clone(), csrf_token: session, ..answer };
        }
        if request.url.contains("/mainpage.pl") {
            return self.main_page(request);
        }
        if request.url.contains("/api/v1/checkins") {
            return self.check_in(request);
        }
        if is_for_plugin(request) {
            let memory = self.memory.clone();
            return self.refuse(request).unwrap_or_else(|| self.give(request, &memory, usize::MAX));
        }
        if request.url.contains("/api/v1/") {
            return self.read(&request.url);
        }
        if request.url.ends_with("/list.pl") {
            return self.list_page(request);
        }
        let token = request.session.as_ref().map_or("", |session| session.cookie.reveal());
        if self.from_2405 && !self.sessions.contains(token) {
            return self.response(403, "text/plain", "Wrong CSRF token");
        }
        let password = if self.from_2405 { "login_password" } else { "password" };
        if value(request, password).is_empty() {
            return self.response(401, "text/plain", "");
        }
        let body = match (value(request, "action"), value(request, "pending")) {
            ("", _) => "",
            (_, "true") => self.queue(&Sent::by_form(request)),
            _ => self.apply(&Sent::by_form(request)),
        };
        self.response(200, "text/plain", body)
    }

    /// Who makes this request to the plugin.
    fn user(request: &Request) -> String {
        let session = request.session.as_ref().map_or("", |session| session.cookie.reveal());
        let basic = request.basic.as_ref().map(|basic| basic.0.as_str());
        basic.or_else(|| session.split(' ').nth(1)).unwrap_or_default().to_owned()
    }

    /// What Koha answers in place of the plugin.
    fn refuse(&self, request: &Request) -> Option<Response> {
        let session = request.session.as_ref().map_or("", |session| session.cookie.reveal());
        if self.plugin != Some(true) {
            return Some(self.response(404, "text/html", "<h2>Error 404</h2>"));
        }
        let is_known = request.basic.is_some() || self.sessions.contains(session);
        (!is_known).then(|| self.response(401, "application/json", r#"{"error":"Session has been expired."}"#))
    }

    /// The plugin is given these, remembers that, and does this number of them.
    fn give(&mut self, request: &Request, memory: &Memory, most: usize) -> Response {
        let is_queued = request.json.as_deref().is_some_and(|json| json.contains("\"pending\":true"));
        let user = Self::user(request);
        let mut results = Vec::new();
        for row in rows(request).iter().take(most) {
            let words = row.to_string();
            let sent = Sent::by_json(row, &user);
            let (status, message) = if let Some(before) = memory.get(&words) {
                ("skipped", format!("Already processed: {before}"))
            } else {
                let answer = if is_queued { self.queue(&sent) } else { self.apply(&sent) };
                let status = match answer {
                    "Added." => "queued",
                    "Success." => "processed",
                    _ => "error",
                };
                if status != "error" {
                    self.memory.insert(words, status);
                }
                (status, answer.to_owned())
            };
            results.push(serde_json::json!({"status": status, "message": message}));
        }
        self.response(200, "application/json", &serde_json::json!({"results": results}).to_string())
    }

    fn queue(&mut self, sent: &Sent) -> &'static str {
        *self.effects.entry(sent.key()).or_default() += 1;
        let Sent { time, action, barcode, card, amount, .. } = sent;
        let [time, action, barcode, card, amount] = [time, action, barcode, card, amount].map(Clone::clone);
        self.queue.push(Pending { time, action, barcode, card, amount });
        "Added."
    }

    fn apply(&mut self, sent: &Sent) -> &'static str {
        let time = sent.time.clone();
        let item = ITEMS.iter().position(|item| *item == sent.barcode);
        let patron = PATRONS.iter().position(|card| *card == sent.card);
        match (sent.action.as_str(), item, patron) {
            ("issue", _, None) => return "Borrower not found.",
            ("issue", None, _) => return "Barcode not found.",
            ("issue", Some(item), Some(patron)) => {
                let open = self.loans.iter_mut().find(|loan| loan.item == item && loan.until.is_none());
                // The same patron again is silently a renewal.
                if let Some(loan) = open.filter(|loan| loan.patron == patron) {
                    loan.renewals += 1;
                    loan.renewed = Some(time);
                } else {
                    self.give_back(item, &time);
                    self.loans.push(Loan::new(item, patron, time));
                }
            }
            ("payment", _, Some(patron)) => self.balances[patron] -= 150,
            ("return", None, _) => return "Item not found.",
            ("return", Some(item), _) if !self.give_back(item, &time) => return "Item not issued.",
            _ => {}
        }
        *self.effects.entry(sent.key()).or_default() += 1;
        self.applied.push(sent.key());
        "Success."
    }

    /// Koha's own check-in, and the question whether it is there.
    fn check_in(&mut self, request: &Request) -> Response {
        let json = |status, body: &str| self.response(status, "application/json", body);
        let Some(asks) = self.own_checkin else { return json(404, "{}") };
        let session = request.session.as_ref().map_or("", |session| session.cookie.reveal());
        if !self.sessions.contains(session) {
            return json(401, r#"{"error":"Session has been expired."}"#);
        }
        let Some([_, time, barcode]) = own_checkin(request) else {
            return json(400, r#"{"errors":[{"message":"Missing property.","path":"/item_id"}]}"#);
        };
        let Some(item) = ITEMS.iter().position(|item| **item == barcode) else {
            return json(404, r#"{"error":"Item not found","error_code":"not_found"}"#);
        };
        let is_out = self.loans.iter().any(|loan| loan.item == item && loan.until.is_none());
        if !is_out && asks {
            let asked =
                r#"{"error_code":"confirmation_required","confirms":{"not_issued":"B"},"confirmation_token":"yes"}"#;
            return json(412, asked);
        }
        if !is_out {
            let said = r#"[{"message":"not_issued"}]"#;
            return json(200, &format!(r#"{{"checkin_id":1,"item_id":{item},"checkout_id":null,"messages":{said}}}"#));
        }
        self.give_back(item, &time);
        self.ended_by_own += 1;
        *self.effects.entry(key(request)).or_default() += 1;
        self.applied.push(key(request));
        let loan = format!(r#"{{"checkin_date":"{}Z"}}"#, time.replace(' ', "T"));
        let done = format!(r#"{{"checkin_id":1,"item_id":{item},"checkout_id":2,"checkout":{loan}}}"#);
        self.response(200, "application/json", &done)
    }

    fn new_session(&mut self, user: &str) -> Secret {
        self.made += 1;
        let session = format!("s{} {user}", self.made);
        self.sessions.insert(session.clone());
        Secret::new(session)
    }

    fn main_page(&mut self, request: &Request) -> Response {
        let session = request.session.as_ref().map_or("", |session| session.cookie.reveal());
        if request.form.is_empty() {
            self.sessions.remove(session);
            return self.response(200, "text/html", "<title>Log in to Koha</title>");
        }
        if !self.sessions.contains(session) {
            return self.response(403, "text/plain", "Wrong CSRF token");
        }
        let user = ["login_userid", "userid"].map(|name| value(request, name)).concat();
        let session_cookie = Some(self.new_session(&user));
        let page = self.response(200, "text/html", "<span class=\"loggedinusername\">desk</span>");
        Response { session_cookie, ..page }
    }

    /// The queue of the branch, for whoever is logged in. Before 24.05 a password with the request logs in.
    fn list_page(&self, request: &Request) -> Response {
        let session = request.session.as_ref().map_or("", |session| session.cookie.reveal());
        let knows = self.sessions.contains(session) || !value(request, "password").is_empty();
        if !knows || !self.readable {
            return self.response(200, "text/html", "<title>Log in to Koha</title>");
        }
        let row = |(number, row): (usize, &Pending)| {
            let Pending { time, action, barcode, card, amount } = row;
            format!(
                r#"<tr class="oc-{action}"><td><input name="operationid" value="{}"></td><td>{time}</td><td>{barcode}</td><td>{card}</td><td>{amount}</td></tr>"#,
                number + 1
            )
        };
        let rows: String = self.queue.iter().enumerate().map(row).collect();
        let page = format!(
            r#"<body id="ocirc_list"><b class="loggedinusername">desk</b><b class="logged-in-branch-code">CPL</b>{rows}"#
        );
        self.response(200, "text/html", &page)
    }

    fn read(&self, url: &str) -> Response {
        if url.contains("/libraries") {
            return self.response(200, "application/json", r#"[{"library_id":"CPL","name":"Centerville"}]"#);
        }
        if !self.readable {
            return self.response(403, "application/json", r#"{"error":"Authorization failure."}"#);
        }
        // Conditions are on one column, with one value or several.
        let query: serde_json::Value = serde_json::from_str(&parameter(url, "q")).unwrap_or_default();
        let condition = |column: &str| match &query[column] {
            serde_json::Value::Array(values) => values.clone(),
            serde_json::Value::Null => Vec::new(),
            value => vec![value.clone()],
        };
        if let Some(id) = url.strip_suffix("/account").and_then(|url| url.rsplit('/').next()) {
            let cents = self.balances[id.parse::<usize>().unwrap()];
            let balance = format!(r#"{{"balance":{}.{:02}}}"#, cents / 100, (cents % 100).abs());
            return self.response(200, "application/json", &balance);
        }
        let rows: Vec<String> = if url.contains("/items?") {
            let mut wanted = condition("external_id");
            wanted.push(parameter(url, "external_id").into());
            let items = ITEMS.iter().enumerate().filter(|(_, item)| wanted.iter().any(|wanted| wanted == *item));
            items.map(|(id, item)| format!(r#"{{"item_id":{id},"external_id":"{item}"}}"#)).collect()
        } else if url.contains("/patrons?") {
            let wanted = parameter(url, "cardnumber");
            let number = PATRONS.iter().position(|card| *card == wanted);
            number.map(|id| format!(r#"{{"patron_id":{id},"cardnumber":"{wanted}"}}"#)).into_iter().collect()
        } else {
            let items = condition("item_id");
            let returned = url.contains("checked_in=1");
            let time = |time: &String| format!("\"{}Z\"", time.replace(' ', "T"));
            let shown = |loan: &&Loan| items.iter().any(|item| *item == loan.item) && loan.until.is_some() == returned;
            let row = |loan: &Loan| {
                format!(
                    r#"{{"patron_id":{},"item_id":{},"library_id":"CPL","checkout_date":{},"checkin_date":{},
                        "last_renewed_date":{},"renewals_count":{}}}"#,
                    loan.patron,
                    loan.item,
                    time(&loan.since),
                    loan.until.as_ref().map_or("null".into(), time),
                    loan.renewed.as_ref().map_or("null".into(), time),
                    loan.renewals
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
