//! The machine is run against a small model of Koha and a model of the store, with faults at chosen steps.

mod plugin;
mod together;

use super::{sending::QUEUED_AT_ONCE, *};
use crate::{
    desk::{
        amount::Amount,
        barcode::{Barcode, Cardnumber},
        clock::{ClockDifference, KohaTime},
        transaction::{Action, Moment, Transaction},
    },
    koha::{NotSent, Request, connection::ConnectionError, front::Front, inquiry::Unclear},
    log::{
        audited::{Audited, Oddity},
        status::Doubt,
    },
    settings::form::{CommitType, Login, Secret, ServerUrl},
};
use chrono::NaiveDate;
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

fn settings(commit_type: CommitType) -> Settings {
    Settings::for_tests(commit_type)
}

fn entry(id: u32, barcode: &str) -> Entry {
    let action =
        Action::Issue { cardnumber: Cardnumber::parse("P1").unwrap(), barcode: Barcode::parse(barcode).unwrap() };
    let moment = Moment::new(1_795_428_000_000 + i64::from(id) * 1000, 60).unwrap();
    Entry::recorded(TransactionId(id), Transaction { moment, action })
}

/// What the server's clock shows: 2026-11-23 10:30:00 UTC.
const NOW: KohaTime = KohaTime::from_millis(1_795_429_800_000);

/// What the desk's clock shows: it is a minute and a half behind.
const DESK_NOW: DeskTime = DeskTime::from_millis(1_795_429_710_000);

fn ahead() -> ClockDifference {
    ClockDifference::between(NOW, DESK_NOW)
}

fn attempt(commit_type: CommitType) -> Attempt {
    Attempt {
        over: Some(DESK_NOW.minus(SETTLED_AFTER)),
        ahead: Some(ahead()),
        ..Attempt::new(commit_type, &ServerUrl::parse("https://example.org").unwrap())
    }
}

fn in_doubt(commit_type: CommitType) -> Status {
    Status::InDoubt { reason: Doubt::ConnectionLost, attempt: attempt(commit_type) }
}

/// What happens to one request about a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Ok,
    No(&'static str),
    /// Koha's own words with this status; nothing is processed.
    Http(u16),
    /// Processed, then a server error.
    DoneThenHttp(u16),
    /// Somebody else's page with this status, in place of an answer.
    Foreign(u16),
    /// Processed, then somebody else's page.
    DoneThenForeign(u16),
    /// "Come back later", for this number of seconds.
    Busy(u64),
    Page,
    Empty,
    DoneThenLost,
    LostBefore,
    DoneThenTimedOut,
    NotSent,
    Redirected,
}

/// What happens to a checkin by Koha's own check-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Checkin {
    Done,
    /// It takes no date.
    NoDates,
    /// It asks for a confirmation.
    Confirm,
    /// Processed, then no answer.
    Lost,
    /// Processed, then a server error.
    Died,
    NotSent,
    /// Nobody is known there any more.
    Unknown,
}

struct Run {
    outbox: Outbox,
    era_from_2405: bool,
    commit_type: CommitType,
    fates: VecDeque<Fate>,
    /// What the store holds durably.
    store: BTreeMap<u32, Status>,
    /// How often Koha processed each transaction, by its second.
    effects: BTreeMap<String, u32>,
    requests: u32,
    connections: u32,
    /// The number of sessions of KOCT's that are alive.
    sessions: u32,
    /// How long it is to wait before it gets any answer, time after time.
    busy: VecDeque<u64>,
    /// It is being updated.
    is_maintenance: bool,
    pauses: Vec<Duration>,
    /// Who is in the person's own Koha tab, and where, time after time; the last stays. A session that is not the last is over.
    there: VecDeque<Option<(&'static str, &'static str)>>,
    /// The library of the person's session that was seen last.
    session_at: Option<&'static str>,
    /// What was said and asked of that.
    said: Vec<String>,
    /// Whether the person agrees when they are asked.
    agrees: bool,
    libraries: &'static str,
    /// The open loans of every item.
    loans: &'static str,
    /// The returned loans of every item.
    returned: &'static str,
    /// What the patron owes, time after time.
    balances: VecDeque<&'static str>,
    /// The queue, time after time: the last stays.
    queue: Vec<&'static str>,
    /// The plugin, where it is there.
    plugin: Option<plugin::Plugin>,
    /// Koha's own check-in, where it is there, and what happens to each.
    checkins: Option<VecDeque<Checkin>>,
    /// What it was asked for, in order.
    checked_in: Vec<String>,
    /// Where each second was booked or queued, in the order of what Koha did.
    booked: Vec<(String, String)>,
    fail_persist_at: Option<u32>,
    /// What is said then.
    not_persisted: Input,
    persists: u32,
    /// Requests that were given out and are not answered yet.
    under_way: Vec<(Ticket, Request)>,
    /// Which of several is answered first; without it, in the order in which they were given out.
    luck: Option<fastrand::Rng>,
    /// The libraries for which transactions were asked for, in their order.
    branches: Vec<String>,
    summary: Option<Summary>,
    /// What the desk's clock shows.
    desk_now: DeskTime,
    /// How much time has passed by Koha's clock.
    passed: Duration,
}

fn response(status: u16, content_type: &str, body: &str) -> Response {
    Response { status, content_type: content_type.into(), body: body.into(), date: Some(NOW), ..Response::default() }
}

fn busy(seconds: u64) -> Response {
    let page = response(429, "text/html", "<html><title>Slow down</title>");
    Response { retry_after: Some(Duration::from_secs(seconds)), ..page }
}

impl Run {
    fn new(entries: &[Entry], fates: Vec<Fate>) -> Self {
        Self::of(CommitType::Apply, false, entries, fates)
    }

    fn of(commit_type: CommitType, era_from_2405: bool, entries: &[Entry], fates: Vec<Fate>) -> Self {
        Self {
            outbox: Outbox::new(settings(commit_type), entries.to_vec().into()),
            era_from_2405,
            commit_type,
            fates: fates.into(),
            store: entries.iter().map(|entry| (entry.id.0, entry.status.clone())).collect(),
            effects: BTreeMap::new(),
            requests: 0,
            connections: 0,
            sessions: 0,
            busy: VecDeque::new(),
            is_maintenance: false,
            pauses: Vec::new(),
            there: VecDeque::new(),
            session_at: None,
            said: Vec::new(),
            agrees: true,
            libraries: r#"[{"library_id":"CPL","name":"Centerville"}]"#,
            loans: "[]",
            returned: "[]",
            balances: VecDeque::new(),
            queue: vec![""],
            plugin: None,
            checkins: None,
            checked_in: Vec::new(),
            booked: Vec::new(),
            fail_persist_at: None,
            not_persisted: Input::NotPersisted,
            persists: 0,
            under_way: Vec::new(),
            luck: None,
            branches: Vec::new(),
            summary: None,
            desk_now: DESK_NOW,
            passed: Duration::ZERO,
        }
    }

    /// One step; `false` when there is nothing more to do.
    fn step(&mut self) -> bool {
        // With luck, an answer comes before the next output is looked at.
        let early = !self.under_way.is_empty() && self.draw(2) == 1;
        match if early { None } else { self.outbox.poll() } {
            Some(Output::Finished(summary)) => {
                assert!(self.under_way.iter().all(|(_, request)| request.form.iter().all(|(key, _)| *key != "action")));
                self.summary = Some(summary);
            }
            Some(Output::Persist(statuses)) => {
                self.persists += 1;
                if self.fail_persist_at.is_some_and(|at| self.persists >= at) {
                    self.outbox.handle(self.not_persisted.clone(), self.desk_now);
                } else {
                    self.store.extend(statuses.into_iter().map(|(id, status)| (id.0, status)));
                    self.outbox.handle(Input::Persisted, self.desk_now);
                }
            }
            Some(Output::LogIn(ticket, _)) => {
                self.said.push("log in".to_owned());
                self.outbox.handle(Input::Waited(ticket), self.desk_now);
            }
            Some(Output::Person(who)) => self.said.push(format!("{} at {}", who.userid, who.branchcode.unwrap())),
            Some(Output::Elsewhere(ticket, library)) => {
                self.said.push(format!("{library}?"));
                let requests = self.requests;
                let reply = if self.agrees { Input::Agreed(ticket) } else { Input::Cancel };
                self.outbox.handle(reply, self.desk_now);
                assert_eq!(self.requests, requests);
            }
            Some(Output::Wait(ticket, time)) => {
                self.pauses.push(time);
                self.outbox.handle(Input::Waited(ticket), self.desk_now);
            }
            Some(Output::Request(ticket, request)) => self.under_way.push((ticket, request)),
            None if self.under_way.is_empty() => return false,
            None => {
                let place = self.draw(self.under_way.len());
                let (ticket, request) = self.under_way.remove(place);
                let mut answer = self.koha(&request);
                if let Ok(response) = &mut answer {
                    response.date = response.date.map(|date| date.plus(self.passed));
                }
                self.outbox.handle(Input::Answer(ticket, answer), self.desk_now);
            }
        }
        true
    }

    fn draw(&mut self, below: usize) -> usize {
        self.luck.as_mut().map_or(0, |luck| luck.usize(..below))
    }

    fn finish(mut self) -> Self {
        while self.step() {}
        self
    }

    /// The page in the person's own tab.
    fn main_page(&mut self) -> Response {
        let there = if self.there.len() > 1 { self.there.pop_front().unwrap() } else { self.there[0] };
        self.session_at = there.map(|(_, branch)| branch);
        let page = there.map_or("<input name=\"koha_login_context\">".to_owned(), |(name, branch)| {
            let token = if self.era_from_2405 { "<meta name=\"csrf-token\" content=\"t\">" } else { "" };
            format!("{token}<b class=\"loggedinusername\">{name}</b><b class=\"logged-in-branch-code\">{branch}</b>")
        });
        self.connections += 1;
        let persons_cookie = there.map(|_| Secret::new("theirs"));
        Response { persons_cookie, ..response(200, "text/html", &page) }
    }

    fn koha(&mut self, request: &Request) -> Result<Response, Failure> {
        let value = |key: &str| request.form.iter().find(|(k, _)| *k == key).map(|(_, value)| value.as_str());
        if request.in_persons_session {
            return Ok(self.main_page());
        }
        if !self.there.is_empty() {
            assert_eq!(request.session.as_ref().unwrap().cookie, Secret::new("theirs"), "{request:?}");
            assert!(!request.url.contains("authentication") && !request.url.contains("logout"), "{request:?}");
            assert_eq!(value("password").or(value("login_password")), None);
        }
        if request.url.ends_with("authentication") {
            if let Some(seconds) = self.busy.pop_front() {
                return Ok(busy(seconds));
            }
            self.connections += 1;
            let status = if self.is_maintenance { "maintenance" } else { "failed" };
            let session = self.era_from_2405.then(|| Secret::new(format!("anonymous {}", self.connections)));
            return Ok(Response {
                session_cookie: session.clone(),
                csrf_token: session,
                ..response(200, "text/xml", &format!("<response><status>{status}</status></response>"))
            });
        }
        if request.url.contains("logout.x") {
            self.sessions -= 1;
            return Ok(response(200, "text/html", "<title>Log in to Koha</title>"));
        }
        if request.url.ends_with("mainpage.pl") {
            if self.plugin.as_ref().is_some_and(plugin::Plugin::is_locked) {
                return Ok(response(200, "text/html", "<title>Log in to Koha</title>"));
            }
            self.sessions += 1;
            let session_cookie = Some(Secret::new(format!("session {}", self.connections)));
            let page = response(200, "text/html", "<span class=\"loggedinusername\">desk</span>");
            return Ok(Response { session_cookie, ..page });
        }
        if request.url.ends_with("/list.pl") {
            let rows = if self.queue.len() > 1 { self.queue.remove(0) } else { self.queue[0] };
            let page = format!("<body id=\"ocirc_list\"><b class=\"loggedinusername\">desk</b>{rows}");
            return Ok(response(200, "text/html", &page));
        }
        if request.url.contains("/libraries") {
            return Ok(response(200, "application/json", self.libraries));
        }
        if request.url.ends_with("/account") {
            let balance =
                self.balances.pop_front().map_or("{}".to_owned(), |balance| format!("{{\"balance\":{balance}}}"));
            return Ok(response(200, "application/json", &balance));
        }
        for (path, body) in [
            ("/items?", r#"[{"item_id":1,"external_id":"A"}]"#),
            ("checked_in", self.returned),
            ("/checkouts?", self.loans),
            ("cardnumber=unknown", "[]"),
            // A user name, which newer versions take for a card.
            ("cardnumber=anna", "[]"),
            ("userid=unknown", "[]"),
            ("/patrons?", r#"[{"patron_id":1,"cardnumber":"P1"}]"#),
        ] {
            if request.url.contains(path) {
                return Ok(response(200, "application/json", body));
            }
        }
        if let Some(answer) = self.posted_json(request) {
            return answer;
        }
        let Some(_) = value("action") else { return Ok(response(200, "text/plain", "")) };
        self.requests += 1;
        self.branches.push(value("branch").filter(|branch| value("branchcode") == Some(*branch)).unwrap().to_owned());
        let second = value("timestamp").unwrap().to_owned();
        let sending = self.store.values().filter(|status| matches!(status, Status::Sending { .. })).count();
        let at_once = if self.commit_type == CommitType::Send { QUEUED_AT_ONCE } else { 1 };
        assert!((1..=at_once).contains(&sending), "what is under way is durable as Sending: {sending}");
        let fate = self.fates.pop_front().unwrap_or(Fate::Ok);
        if matches!(
            fate,
            Fate::Ok | Fate::DoneThenHttp(_) | Fate::DoneThenForeign(_) | Fate::DoneThenLost | Fate::DoneThenTimedOut
        ) {
            // What is applied in a person's session is booked at its library.
            let of_session = self.session_at.filter(|_| self.commit_type == CommitType::Apply);
            let at = of_session.map_or_else(|| self.branches.last().unwrap().clone(), str::to_owned);
            self.booked.push((second.clone(), at));
            *self.effects.entry(second).or_default() += 1;
        }
        let yes = if self.commit_type == CommitType::Send { "Added." } else { "Success." };
        match fate {
            Fate::Ok => Ok(response(200, "text/plain", yes)),
            Fate::No(text) => Ok(response(200, "text/plain", text)),
            Fate::Http(403) => Ok(response(403, "text/plain", "Wrong CSRF token")),
            Fate::Http(status) | Fate::DoneThenHttp(status) => Ok(response(status, "text/plain", "")),
            Fate::Foreign(status) | Fate::DoneThenForeign(status) => {
                // Its clock is its own.
                let date = Some(KohaTime::from_millis(0));
                Ok(Response { date, ..response(status, "text/html", "<html><title>Blocked</title>") })
            }
            Fate::Busy(seconds) => Ok(busy(seconds)),
            Fate::Page => Ok(response(200, "text/html", "<!DOCTYPE html>Log in to Koha")),
            Fate::Empty => Ok(response(200, "text/plain", "")),
            Fate::DoneThenLost | Fate::LostBefore => Err(Failure::Lost),
            Fate::DoneThenTimedOut => Err(Failure::TimedOut),
            Fate::NotSent => Err(Failure::NotSent(NotSent::Refused)),
            Fate::Redirected => Err(Failure::Redirected { to: None }),
        }
    }

    fn posted_json(&mut self, request: &Request) -> Option<Result<Response, Failure>> {
        if request.url.contains("/checkins") {
            return Some(self.check_in(request));
        }
        request.url.contains("/contrib/").then(|| self.plugin(request))
    }

    fn check_in(&mut self, request: &Request) -> Result<Response, Failure> {
        let Some(fates) = &mut self.checkins else { return Ok(response(404, "text/html", "<html>Error 404")) };
        if request.url.ends_with("/availability") {
            return Ok(response(
                400,
                "application/json",
                r#"{"errors":[{"message":"Missing property.","path":"/item_id"}]}"#,
            ));
        }
        let body: serde_json::Value = serde_json::from_str(&request.body().unwrap()).unwrap();
        let (barcode, library) = (body["external_id"].as_str().unwrap(), body["library_id"].as_str().unwrap());
        self.checked_in.push(format!("{barcode} at {library}"));
        let confirm = r#"{"error_code":"confirmation_required","confirms":{"not_issued":1},"confirmation_token":"t"}"#;
        let fate = fates.pop_front().unwrap_or(Checkin::Done);
        match fate {
            Checkin::NoDates => {
                return Ok(response(
                    403,
                    "application/json",
                    r#"{"error":"x","error_code":"return_date_not_allowed"}"#,
                ));
            }
            Checkin::Confirm => return Ok(response(412, "application/json", confirm)),
            Checkin::NotSent => return Err(Failure::NotSent(NotSent::Refused)),
            Checkin::Unknown => {
                return Ok(response(401, "application/json", r#"{"error":"Session has been expired."}"#));
            }
            Checkin::Done | Checkin::Lost | Checkin::Died => {}
        }
        let is_under_way = |status: &&Status| matches!(status, Status::Sending { attempt } if attempt.own_checkin);
        assert_eq!(self.store.values().filter(is_under_way).count(), 1);
        let millis =
            chrono::DateTime::parse_from_rfc3339(body["return_date"].as_str().unwrap()).unwrap().timestamp_millis();
        let second = Moment::new(millis, 60).unwrap().service_timestamp();
        self.booked.push((second.clone(), library.to_owned()));
        *self.effects.entry(second).or_default() += 1;
        match fate {
            Checkin::Lost => Err(Failure::Lost),
            Checkin::Died => Ok(response(500, "application/json", "{}")),
            _ => Ok(response(200, "application/json", r#"{"checkin_id":1,"item_id":1,"checkout_id":3}"#)),
        }
    }

    fn summary(&self) -> &Summary {
        self.summary.as_ref().expect("the commit ends")
    }

    fn states(&self) -> Vec<&'static str> {
        self.store.values().map(|status| status.state().name()).collect()
    }

    fn stop(&self) -> Option<&CommitError> {
        self.summary().stop.as_ref()
    }
}

fn three() -> [Entry; 3] {
    [entry(1, "A"), entry(2, "B"), entry(3, "C")]
}

#[test]
fn sends_everything_in_order_and_logs_in_once() {
    for era in [false, true] {
        for (commit_type, state) in [(CommitType::Send, "added"), (CommitType::Apply, "success")] {
            let run = Run::of(commit_type, era, &three(), vec![]).finish();
            assert_eq!(run.states(), [state; 3]);
            assert_eq!(run.requests, 3);
            assert_eq!((run.connections, run.sessions), (1, 0), "nothing of it stays");
            assert_eq!((run.summary().added + run.summary().success, run.stop()), (3, None));
            assert!(run.summary().branch_checked);
            assert_eq!(run.outbox.progress(), (3, 3));
        }
    }
}

#[test]
fn what_came_from_other_desks_goes_in_the_order_of_the_merge() {
    let bus = crate::desk::name::DeskName::parse("Bus").unwrap();
    let imported = |id: u32, barcode, second: i64| {
        let moment = Moment::new(1_795_428_000_000 + second * 1000, 60).unwrap();
        let entry = entry(id, barcode);
        Entry { transaction: Transaction { moment, ..entry.transaction }, desk: Some(bus.clone()), ..entry }
    };
    // This desk's are of seconds 1 and 3; the bus's file came later, and is of seconds 0, 2 and 4.
    let entries = [entry(1, "A"), entry(3, "B"), imported(5, "C", 0), imported(6, "D", 2), imported(7, "E", 4)];
    let expected = [5, 1, 6, 3, 7].map(TransactionId);
    let settled = |fates| Run::new(&entries, fates).finish().summary().settled.clone();
    assert_eq!(settled(vec![]), expected);
    // Also when one has to be asked again after a pause.
    assert_eq!(settled(vec![Fate::Ok, Fate::NotSent, Fate::Ok, Fate::NotSent]), expected);
}

#[test]
fn a_refusal_is_kept_and_the_rest_goes_on() {
    let run = Run::new(&three(), vec![Fate::Ok, Fate::No("Borrower not found.")]).finish();
    assert_eq!(run.states(), ["success", "rejected", "success"]);
    assert_eq!(run.store[&2], Status::Rejected { message: "Borrower not found.".into() });
    assert_eq!((run.summary().success, run.summary().rejected, run.summary().left), (2, 1, 0));
}

#[test]
fn only_local_ones_are_sent() {
    let mut entries = [entry(1, "A"), entry(2, "B"), entry(3, "C"), entry(4, "D"), entry(5, "E")];
    entries[0].status = Status::Rejected { message: "Item not found.".into() };
    entries[1].status = in_doubt(CommitType::Send);
    entries[2].status = Status::Added;
    entries[3].status = Status::Success;
    let run = Run::new(&entries, vec![]).finish();
    assert_eq!(run.states(), ["rejected", "in-doubt", "added", "success", "success"]);
    assert_eq!(run.requests, 1);
}

#[test]
fn nothing_overtakes_an_item_in_doubt() {
    let mut entries = [entry(1, "A"), entry(2, "a"), entry(3, "B"), entry(4, "b"), entry(5, "C")];
    entries[0].status = in_doubt(CommitType::Send);
    let run = Run::new(&entries, vec![]).finish();
    assert_eq!(run.states(), ["in-doubt", "local", "success", "success", "success"]);
    assert_eq!((run.summary().waiting, run.summary().left, run.stop()), (1, 1, None));
}

#[test]
fn each_failure_stops_or_goes_on_as_it_should() {
    use Fate::*;
    let not_koha = |words: &str| Some(CommitError::NotKoha { front: Front::Other, words: words.into() });
    let blocked = |status: u16| not_koha(&format!("{status} Blocked"));
    for (fate, states, stop) in [
        (Http(401), ["success", "success", "success"], None),
        (No("Authentication failed."), ["success", "success", "success"], None),
        (Foreign(404), ["in-doubt", "local", "local"], blocked(404)),
        (DoneThenForeign(404), ["in-doubt", "local", "local"], blocked(404)),
        (Foreign(401), ["in-doubt", "local", "local"], blocked(401)),
        (DoneThenForeign(403), ["in-doubt", "local", "local"], blocked(403)),
        (No("error code: 1015"), ["in-doubt", "local", "local"], not_koha("200 error code: 1015")),
        (
            Redirected,
            ["in-doubt", "local", "local"],
            Some(CommitError::ConnectionLost(Failure::Redirected { to: None })),
        ),
        (DoneThenLost, ["in-doubt", "local", "local"], Some(CommitError::ConnectionLost(Failure::Lost))),
        (LostBefore, ["in-doubt", "local", "local"], Some(CommitError::ConnectionLost(Failure::Lost))),
        (DoneThenTimedOut, ["in-doubt", "local", "local"], Some(CommitError::ConnectionLost(Failure::TimedOut))),
        (Empty, ["in-doubt", "local", "local"], Some(CommitError::ConnectionLost(Failure::Lost))),
        (Page, ["in-doubt", "local", "local"], not_koha("200 Log in to Koha")),
        // All three are of one patron, about whom the error may be.
        (DoneThenHttp(500), ["in-doubt", "local", "local"], None),
    ] {
        let run = Run::new(&three(), vec![fate.clone()]).finish();
        assert_eq!(run.states(), states, "{fate:?}");
        assert_eq!(run.stop(), stop.as_ref(), "{fate:?}");
    }
}

#[test]
fn what_reached_no_server_is_tried_again_after_a_pause() {
    let run = Run::new(&three(), vec![Fate::Ok, Fate::NotSent, Fate::NotSent]).finish();
    assert_eq!((run.states(), run.pauses.len(), run.stop()), (vec!["success"; 3], 2, None));
    let always = vec![Fate::NotSent; 20];
    let run = Run::new(&three(), always.clone()).finish();
    let gone = CommitError::ConnectionLost(Failure::NotSent(NotSent::Refused));
    assert_eq!((run.states(), run.pauses.len(), run.stop()), (vec!["local"; 3], 4, Some(&gone)));
    assert_eq!(run.requests, 5);
    let entries: Vec<_> = (1..=6).map(|id| entry(id, &format!("B{id}"))).collect();
    let run = Run::of(CommitType::Send, true, &entries, always).finish();
    assert_eq!(
        (run.states(), run.pauses.len(), run.stop()),
        (vec!["local"; 6], 4, Some(&gone)),
        "several rest together"
    );
}

#[test]
fn cancelling_ends_a_pause() {
    let mut run = Run::new(&three(), vec![Fate::NotSent]);
    while run.pauses.is_empty() {
        if let Some(Output::Wait(..)) = run.outbox.outputs.front() {
            break;
        }
        run.step();
    }
    assert!(matches!(run.outbox.poll(), Some(Output::Wait(..))));
    run.outbox.handle(Input::Cancel, DESK_NOW);
    let run = run.finish();
    assert_eq!((run.states(), run.stop()), (vec!["local"; 3], Some(&CommitError::Cancelled)));
}

#[test]
fn those_in_doubt_are_asked_about_and_only_proof_counts() {
    use crate::koha::inquiry::{Gap, Trace};
    let doubtful = |commit_type| {
        let mut entries = [entry(1, "A"), entry(2, "A"), entry(3, "B")];
        entries[0].status = in_doubt(commit_type);
        entries
    };
    for (loans, states, finding) in [
        (
            r#"[{"patron_id":1,"item_id":1,"checkout_date":"2026-11-23T10:00:01Z"}]"#,
            ["success"; 3],
            Finding::Found(Trace::Loan),
        ),
        ("[]", ["success"; 3], Finding::Missing(Gap::NoSuchLoan)),
        (
            r#"[{"patron_id":1,"item_id":1,"checkout_date":"2026-11-23T09:00:00Z"}]"#,
            ["in-doubt", "local", "success"],
            Finding::Unclear(Unclear::Moved),
        ),
        ("<html>", ["in-doubt", "local", "success"], Finding::Unclear(Unclear::NotReadable)),
    ] {
        let mut run = Run::new(&doubtful(CommitType::Apply), vec![]);
        run.loans = loans;
        let run = run.finish();
        assert_eq!(run.states(), states, "{loans}");
        assert_eq!(run.summary().findings, [(TransactionId(1), finding)]);
        let sent_again = matches!(finding, Finding::Missing(_));
        assert_eq!(run.effects.contains_key("2026-11-23 10:00:01"), sent_again);
    }
    let run = Run::new(&doubtful(CommitType::Send), vec![]).finish();
    assert_eq!(run.states(), ["in-doubt", "local", "success"], "it is not in the queue, which proves nothing");
    assert_eq!(run.summary().findings, [(TransactionId(1), Finding::Unclear(Unclear::NotInQueue))]);
}

/// A row of the queue: a checkout to P1, this many seconds after ten.
fn queued(number: u64, second: u32, barcode: &str) -> String {
    format!(
        "<tr class=\"oc-issue\"><td><input name=\"operationid\" value=\"{number}\"></td><td>2026-11-23 11:00:{second:02}</td>\
         <td>{barcode}</td><td>P1</td><td>0</td></tr>"
    )
}

#[test]
fn the_queue_proves_what_was_to_be_queued() {
    use crate::koha::inquiry::{Gap, Trace};
    let other = queued(7, 0, "X");
    let (ours, next) = (|number| queued(number, 1, "A"), |number| queued(number, 2, "B"));
    let found = Finding::Found(Trace::Queued);
    let missing = Finding::Missing(Gap::NotQueued);
    let unclear = Finding::Unclear(Unclear::NotInQueue);
    let pages = |pages: &[&[&String]]| -> Vec<&'static str> {
        let page = |rows: &&[&String]| &*rows.iter().map(|row| row.as_str()).collect::<String>().leak();
        pages.iter().map(page).collect()
    };
    for (queue, last_in_queue, states, finding, sent) in [
        (pages(&[&[&other, &ours(8)], &[&other, &ours(8), &next(9)]]), Some(7), ["added"; 2], found, 1),
        // Without a gap since, nothing can have taken it away.
        (pages(&[&[&other], &[&other, &next(8)], &[&other, &next(8), &ours(9)]]), Some(7), ["added"; 2], missing, 2),
        (pages(&[&[&other], &[&other, &next(9)]]), Some(7), ["in-doubt", "added"], unclear, 1),
        (pages(&[&[&other], &[&next(8)]]), Some(6), ["in-doubt", "added"], unclear, 1),
        (pages(&[&[&other], &[&other, &next(8)]]), None, ["in-doubt", "added"], unclear, 1),
    ] {
        for era_from_2405 in [false, true] {
            let mut entries = [entry(1, "A"), entry(2, "B")];
            let attempt = Attempt { last_in_queue, ..attempt(CommitType::Send) };
            entries[0].status = Status::InDoubt { reason: Doubt::TimedOut, attempt };
            let mut run = Run::of(CommitType::Send, era_from_2405, &entries, vec![]);
            run.queue.clone_from(&queue);
            let run = run.finish();
            assert_eq!((run.states(), run.requests), (states.to_vec(), sent), "{queue:?}");
            assert_eq!(run.summary().findings, [(TransactionId(1), finding)], "{queue:?}");
            let number = |id| run.summary().queued.iter().find(|queued| queued.id.0 == id).map(|queued| queued.number);
            assert!(number(2).is_some(), "{queue:?}");
        }
    }
    // It is looked for also where nothing else is to be sent; and one like it, that was queued before, is not taken for it.
    let added = |id, barcode| Entry { status: Status::Added, ..entry(id, barcode) };
    let later = ours(8).replace("11:00", "12:00");
    for (known, rows, states, finding) in [
        (vec![added(3, "C")], [&ours(8), &queued(9, 3, "C")], ["added"], found),
        (vec![added(1, "A")], [&ours(8), &other], ["in-doubt"], unclear),
        // Which zone this server shows no other row tells: it may be one of another desk.
        (vec![], [&ours(8), &other], ["in-doubt"], unclear),
        // An hour later, to the second.
        (vec![added(3, "C")], [&later, &queued(9, 3, "C")], ["in-doubt"], unclear),
    ] {
        let mut entries = [entry(1, "A")];
        entries[0].id = TransactionId(2);
        entries[0].status = in_doubt(CommitType::Send);
        let mut run = Run::of(CommitType::Send, true, &entries, vec![]);
        run.outbox = run.outbox.knowing_queued(known);
        run.queue = pages(&[&rows]);
        let run = run.finish();
        assert_eq!(run.states(), states, "{rows:?}");
        assert_eq!(run.summary().findings, [(TransactionId(2), finding)]);
    }
}

#[test]
fn an_absence_that_is_too_fresh_proves_nothing() {
    let mut entries = [entry(1, "A"), entry(2, "B")];
    let attempt =
        Attempt { last_in_queue: Some(7), over: Some(DESK_NOW.minus(SETTLED_AFTER / 2)), ..attempt(CommitType::Send) };
    entries[0].status = Status::InDoubt { reason: Doubt::TimedOut, attempt };
    let mut run = Run::of(CommitType::Send, true, &entries, vec![]);
    run.queue = vec![queued(7, 0, "X").leak(), format!("{}{}", queued(7, 0, "X"), queued(8, 2, "B")).leak()];
    let run = run.finish();
    assert_eq!(run.states(), ["in-doubt", "added"]);
}

#[test]
fn another_server_is_not_asked_about_it() {
    let mut entries = three();
    let server = "https://other.example.org".to_owned();
    entries[0].status =
        Status::InDoubt { reason: Doubt::TimedOut, attempt: Attempt { server, ..attempt(CommitType::Apply) } };
    let run = Run::new(&entries, vec![]).finish();
    assert_eq!((run.states()[0], run.summary().findings.len()), ("in-doubt", 0));
}

#[test]
fn absence_proves_nothing_while_the_server_may_still_be_at_it() {
    let mut entries = three();
    let later = |at: DeskTime, millis| DeskTime::from_millis(at.millis() + millis);
    let (nearly, future) = (later(DESK_NOW.minus(SETTLED_AFTER), 1), later(DESK_NOW, 3_600_000));
    for over in [Some(nearly), Some(DESK_NOW), Some(future), None] {
        let attempt = Attempt { over, ..attempt(CommitType::Apply) };
        entries[0].status = Status::InDoubt { reason: Doubt::TimedOut, attempt: attempt.clone() };
        let run = Run::new(&entries, vec![]).finish();
        assert_eq!(run.states(), ["in-doubt", "success", "success"]);
        assert_eq!(run.summary().findings, [(TransactionId(1), Finding::Unclear(Unclear::TooEarly))]);
        // Where nothing told its end, it counts from now on.
        let attempt = Attempt { over: over.or(Some(DESK_NOW)), ..attempt };
        assert_eq!(run.store[&1], Status::InDoubt { reason: Doubt::TimedOut, attempt });
    }
}

#[test]
fn what_was_read_before_it_was_settled_proves_nothing_however_late_the_rest_comes() {
    let mut entries = three();
    let recent = Attempt { over: Some(DESK_NOW.minus(Duration::from_mins(1))), ..attempt(CommitType::Apply) };
    entries[0].status = Status::InDoubt { reason: Doubt::TimedOut, attempt: recent };
    let mut run = Run::new(&entries, vec![]);
    let asks_for = |run: &Run, list: &str| run.under_way.iter().any(|(_, request)| request.url.contains(list));
    while !asks_for(&run, "checked_in") {
        run.step();
    }
    // The open loans are read. The computer sleeps, the late request is processed, and the returned ones are read.
    run.passed = Duration::from_mins(20);
    run.desk_now = DESK_NOW.plus(run.passed);
    let run = run.finish();
    assert_eq!(run.summary().findings, [(TransactionId(1), Finding::Unclear(Unclear::TooEarly))]);
    assert_eq!(run.states()[0], "in-doubt");
}

#[test]
fn a_request_that_left_long_after_the_last_answer_is_not_settled_by_it() {
    // It is given out, the computer sleeps for an hour, and the request leaves and is lost.
    let mut run = Run::new(&three(), vec![Fate::DoneThenLost]);
    while run.requests == 0 {
        let asks = run.under_way.iter().any(|(_, request)| request.form.iter().any(|(key, _)| *key == "action"));
        run.desk_now = if asks { DeskTime::from_millis(DESK_NOW.millis() + 3_600_000) } else { DESK_NOW };
        run.step();
    }
    let over = Some(DeskTime::from_millis(DESK_NOW.millis() + 3_600_000));
    let expected = Attempt { over, ahead: Some(ahead()), ..attempt(CommitType::Apply) };
    assert_eq!(run.finish().store[&1], Status::InDoubt { reason: Doubt::ConnectionLost, attempt: expected });
}

#[test]
fn an_earlier_one_is_not_sent_behind_a_later_one_in_doubt() {
    let mut entries = [entry(1, "A"), entry(2, "A"), entry(3, "A")];
    entries[0].status = in_doubt(CommitType::Apply);
    entries[1].status = in_doubt(CommitType::Send);
    let run = Run::new(&entries, vec![]).finish();
    assert_eq!(run.states(), ["in-doubt", "in-doubt", "local"]);
    let unclear = |id, why| (TransactionId(id), Finding::Unclear(why));
    let expected = [unclear(1, Unclear::LaterInDoubt), unclear(2, Unclear::NotInQueue)];
    assert_eq!(run.summary().findings, expected);
    assert_eq!((run.summary().waiting, run.requests), (1, 0));
}

/// Each of a patron of its own.
fn entries_of_many(number: u32) -> Vec<Entry> {
    let entry = |id: u32| {
        let entry = entry(id, &format!("B{id}"));
        let cardnumber = Cardnumber::parse(&format!("P{id}")).unwrap();
        let barcode = Barcode::parse(&format!("B{id}")).unwrap();
        let action = Action::Issue { cardnumber, barcode };
        Entry { transaction: Transaction { action, ..entry.transaction }, ..entry }
    };
    (1..=number).map(entry).collect()
}

#[test]
fn server_errors_stop_it_only_where_nothing_else_comes() {
    let errors = |number| vec![Fate::Http(500); number];
    let run = Run::new(&entries_of_many(14), [errors(9), vec![Fate::Ok], errors(3)].concat()).finish();
    let of = |state| run.states().iter().filter(|other| **other == state).count();
    assert_eq!((of("in-doubt"), of("success"), run.stop()), (12, 2, None));
    let run = Run::new(&entries_of_many(14), errors(14)).finish();
    assert_eq!((run.requests, run.stop()), (10, Some(&CommitError::ServerErrors(500))));
    assert_eq!(run.states()[9..], ["in-doubt", "local", "local", "local", "local"]);
}

#[test]
fn after_a_server_error_nothing_more_of_that_patron_or_item_is_sent() {
    let mut entries = entries_of_many(5);
    // The third is of the first's patron, and the fourth brings back what the third lent.
    entries[2].transaction.action =
        Action::Issue { cardnumber: Cardnumber::parse("P1").unwrap(), barcode: Barcode::parse("B4").unwrap() };
    let run = Run::new(&entries, vec![Fate::DoneThenHttp(500)]).finish();
    assert_eq!(run.states(), ["in-doubt", "success", "local", "local", "success"]);
    assert_eq!((run.summary().waiting, run.stop()), (2, None));
    // Another day the patron's others go; only the item waits for the decision.
    let later: Vec<_> =
        entries.iter().map(|entry| Entry { status: run.store[&entry.id.0].clone(), ..entry.clone() }).collect();
    let run = Run::of(CommitType::Send, false, &later, vec![]).finish();
    assert_eq!(run.states(), ["in-doubt", "success", "added", "added", "success"]);
}

#[test]
fn what_answered_in_kohas_place_is_kept_to_be_read() {
    let answer = |run: &Run| match &run.store[&1] {
        Status::InDoubt { attempt, .. } => attempt.answer.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(answer(&Run::new(&three(), vec![Fate::Foreign(403)]).finish()).as_deref(), Some("403 Blocked"));
    let run = Run::new(&three(), vec![Fate::Foreign(403)]).finish();
    let Status::InDoubt { attempt, .. } = &run.store[&1] else { panic!() };
    assert_eq!(attempt.ahead, Some(ahead()), "what its clock shows says nothing of Koha's");
    assert_eq!(answer(&Run::new(&three(), vec![Fate::Http(500)]).finish()).as_deref(), Some("500"));
    assert_eq!(answer(&Run::new(&three(), vec![Fate::Empty]).finish()), None);
    assert_eq!(answer(&Run::new(&three(), vec![Fate::LostBefore]).finish()), None);
}

#[test]
fn waits_as_it_is_told_and_goes_on_each_once() {
    for era in [false, true] {
        let mut run = Run::of(CommitType::Apply, era, &three(), vec![Fate::Ok, Fate::Busy(120)]);
        while run.requests < 2 {
            run.step();
        }
        // The server is not ready yet when it is asked again: that meets a question, and no transaction.
        run.busy = VecDeque::from([60, 0]);
        let run = run.finish();
        assert_eq!(run.states(), ["success", "in-doubt", "success"], "nobody knows what became of it");
        assert_eq!(run.pauses, [120, 60, 1].map(Duration::from_secs));
        assert_eq!((run.requests, run.connections, run.sessions, run.stop()), (3, 2, 0, None));
    }
}

#[test]
fn waits_for_nothing_where_nothing_is_left_to_send() {
    for (commit_type, sent) in [(CommitType::Apply, "success"), (CommitType::Send, "added")] {
        // The last one is told to come back in ten minutes.
        let run = Run::of(commit_type, true, &three(), vec![Fate::Ok, Fate::Ok, Fate::Busy(600)]).finish();
        assert_eq!((run.states(), run.connections, run.stop()), (vec![sent, sent, "in-doubt"], 1, None));
        assert_eq!((run.pauses.len(), run.sessions), (0, 0), "{sent}");
    }
}

#[test]
fn does_not_wait_for_ever() {
    let run = Run::new(&three(), vec![Fate::Busy(901)]).finish();
    let busy = |seconds| CommitError::Busy(Duration::from_secs(seconds));
    assert_eq!((run.states(), run.pauses.len(), run.stop()), (vec!["in-doubt", "local", "local"], 0, Some(&busy(901))));
    let mut run = Run::new(&three(), vec![]);
    run.busy = VecDeque::from([5; 20]);
    let run = run.finish();
    assert_eq!((run.states(), run.pauses.len(), run.stop()), (vec!["local"; 3], 10, Some(&busy(5))));
}

#[test]
fn payments_of_unknown_cards_are_not_sent() {
    let payment = |id: u32, card: &str| {
        let amount = crate::desk::amount::Amount::parse("1.50").unwrap();
        let action = Action::Payment { cardnumber: Cardnumber::parse(card).unwrap(), amount };
        let entry = entry(id, "A");
        Entry { transaction: Transaction { action, ..entry.transaction }, ..entry }
    };
    let run = Run::new(&[payment(1, "anna")], vec![]).finish();
    assert_eq!((run.states(), run.requests), (vec!["success"], 1), "Koha may know whose it is");
    let entries = [payment(1, "unknown"), payment(2, "P1"), entry(3, "A"), payment(4, "unknown")];
    for era in [false, true] {
        let run = Run::of(CommitType::Apply, era, &entries, vec![]).finish();
        assert_eq!((run.states(), run.requests), (vec!["rejected", "success", "success", "rejected"], 2));
        assert_eq!(run.store[&4], Status::Rejected { message: "Borrower not found.".into() });
        assert_eq!((run.summary().rejected, run.outbox.progress()), (2, (4, 4)));
        let run = Run::of(CommitType::Send, era, &entries, vec![]).finish();
        assert_eq!((run.states(), run.requests), (vec!["added"; 4], 4), "the queue is for people to look at");
    }
}

#[test]
fn stops_where_the_first_checkout_is_booked_elsewhere() {
    let booked = |library: &str| {
        format!(r#"[{{"patron_id":1,"item_id":1,"library_id":"{library}","checkout_date":"2026-11-23T10:00:01Z"}}]"#)
    };
    for (loans, states, stop) in [
        (booked("CPL"), ["success", "success", "success"], None),
        (
            booked("MPL"),
            ["success", "local", "local"],
            Some(CommitError::BookedElsewhere { at: "MPL".into(), not_at: "CPL".into() }),
        ),
        ("[]".to_owned(), ["success", "success", "success"], None),
        ("<html>".to_owned(), ["success", "success", "success"], None),
    ] {
        let mut run = Run::of(CommitType::Apply, true, &three(), vec![]);
        run.loans = loans.clone().leak();
        let run = run.finish();
        assert_eq!((run.states(), run.stop()), (states.to_vec(), stop.as_ref()), "{loans}");
        let mut run = Run::of(CommitType::Send, true, &three(), vec![]);
        run.loans = loans.leak();
        assert_eq!(run.finish().states(), ["added"; 3], "what is queued is of the branch that it names");
    }
}

#[test]
fn a_session_that_ends_in_mid_run_is_renewed_once() {
    let refused = || Fate::Http(403);
    let run = Run::of(CommitType::Apply, true, &three(), vec![Fate::Ok, refused()]).finish();
    assert_eq!((run.states(), run.connections, run.requests, run.sessions), (vec!["success"; 3], 2, 4, 0));
    let run = Run::of(CommitType::Apply, true, &three(), vec![Fate::Ok, refused(), refused()]).finish();
    assert_eq!((run.states(), run.connections), (vec!["success", "local", "local"], 2));
    assert_eq!(run.stop(), Some(&CommitError::Connection(ConnectionError::TokenRefused)));
    // The account is looked at anew, too; and Koha may be closed meanwhile.
    for era in [false, true] {
        let refused = || Fate::Http(401);
        let run = Run::of(CommitType::Apply, era, &three(), vec![Fate::Ok, refused(), refused()]).finish();
        assert_eq!((run.states(), run.connections), (vec!["success", "local", "local"], 2));
        assert_eq!(run.stop(), Some(&CommitError::Connection(ConnectionError::WrongCredentials)));
        let mut run = Run::of(CommitType::Apply, era, &three(), vec![Fate::Ok, refused()]);
        while run.requests < 2 {
            run.step();
        }
        run.is_maintenance = true;
        let run = run.finish();
        assert_eq!((run.states(), run.requests), (vec!["success", "local", "local"], 2));
        assert_eq!(run.stop(), Some(&CommitError::Connection(ConnectionError::Maintenance)));
    }
}

/// A commit in the session of a person.
fn as_person(
    commit_type: CommitType,
    era_from_2405: bool,
    there: &[Option<(&'static str, &'static str)>],
    fates: Vec<Fate>,
) -> Run {
    let mut run = Run::of(commit_type, era_from_2405, &three(), fates);
    let settings = Settings {
        login: Login::OpenKoha,
        username: String::new(),
        password: Secret::default(),
        ..settings(commit_type)
    };
    run.outbox = Outbox::new(settings, three().to_vec().into());
    run.there = there.iter().copied().collect();
    run
}

#[test]
fn a_persons_session_is_waited_for_and_said_and_not_ended() {
    for era in [false, true] {
        for (commit_type, state) in [(CommitType::Send, "added"), (CommitType::Apply, "success")] {
            let run = as_person(commit_type, era, &[None, None, Some(("anna", "CPL"))], vec![]).finish();
            assert_eq!((run.states(), run.connections), (vec![state; 3], 3));
            assert_eq!(run.said, ["log in", "log in", "anna at CPL"]);
            assert!(run.pauses.is_empty() && run.summary().is_complete());
        }
    }
}

#[test]
fn another_library_than_the_desks_is_asked_about_before_anything_is_applied() {
    let at_mpl = [Some(("anna", "MPL"))];
    for era in [false, true] {
        let run = as_person(CommitType::Send, era, &at_mpl, vec![]).finish();
        assert_eq!(
            (run.states(), run.said),
            (vec!["added"; 3], vec!["anna at MPL".to_owned()]),
            "the queue is the desk's"
        );
        let mut run = as_person(CommitType::Apply, era, &at_mpl, vec![]);
        run.agrees = false;
        let run = run.finish();
        assert_eq!((run.states(), run.requests, run.stop()), (vec!["local"; 3], 0, Some(&CommitError::Cancelled)));
        let mut run = as_person(CommitType::Apply, era, &at_mpl, vec![Fate::Ok, Fate::Http(403)]);
        // That it is booked there is no surprise then, and neither is it after the session was renewed.
        run.loans = r#"[{"patron_id":1,"item_id":1,"library_id":"MPL","checkout_date":"2026-11-23T10:00:01+00:00"}]"#;
        let run = run.finish();
        assert_eq!((run.states(), run.stop()), (vec!["success"; 3], None));
        assert_eq!(run.said, ["anna at MPL", "MPL?", "anna at MPL"]);
    }
}

#[test]
fn a_person_who_logs_out_in_mid_run_is_waited_for() {
    let there = [Some(("anna", "CPL")), None, Some(("berta", "MPL"))];
    for status in [401, 403] {
        let run = as_person(CommitType::Apply, true, &there, vec![Fate::Ok, Fate::Http(status)]).finish();
        assert_eq!((run.states(), run.requests), (vec!["success"; 3], 4));
        assert_eq!(run.said, ["anna at CPL", "log in", "berta at MPL", "MPL?"]);
    }
    let mut run = as_person(CommitType::Apply, true, &there, vec![Fate::Ok, Fate::Http(401)]);
    run.agrees = false;
    let run = run.finish();
    assert_eq!((run.states(), run.stop()), (vec!["success", "local", "local"], Some(&CommitError::Cancelled)));
}

#[test]
fn waiting_for_a_login_can_be_stopped() {
    let mut run = as_person(CommitType::Apply, true, &[None], vec![]);
    while run.said.len() < 3 {
        assert!(run.step());
    }
    run.outbox.handle(Input::Cancel, DESK_NOW);
    let run = run.finish();
    assert_eq!((run.states(), run.stop()), (vec!["local"; 3], Some(&CommitError::Cancelled)));
}

#[test]
fn an_unknown_branch_stops_it_before_anything_is_sent() {
    let mut run = Run::new(&three(), vec![]);
    run.libraries = r#"[{"library_id":"MPL","name":"Midway"}]"#;
    let run = run.finish();
    assert_eq!((run.requests, run.persists), (0, 0));
    assert!(
        matches!(run.stop(), Some(CommitError::BranchUnknown { branch, libraries }) if branch == "CPL" && libraries[0].branchcode == "MPL")
    );
    assert_eq!(run.summary().left, 3);
}

/// The log of a desk at CPL with two rows of MPL: both of one item, of which the desk itself had a third.
fn of_two_libraries() -> Vec<Entry> {
    let mpl = crate::desk::branch::BranchCode::parse("MPL").ok();
    let mut log = three().to_vec();
    log.push(entry(4, "A"));
    log[0].branch.clone_from(&mpl);
    log[1].branch = crate::desk::branch::BranchCode::parse("CPL").ok();
    log
}

#[test]
fn each_is_sent_and_applied_by_the_account_for_its_own_library_in_the_order_of_all() {
    for commit_type in [CommitType::Send, CommitType::Apply] {
        let mut run = Run::of(commit_type, true, &of_two_libraries(), vec![]);
        run.libraries = r#"[{"library_id":"CPL","name":"Centerville"},{"library_id":"MPL","name":"Midway"}]"#;
        let run = run.finish();
        assert_eq!(run.stop(), None);
        assert!(run.summary().branch_checked && run.summary().elsewhere == 0);
        let mut branches = run.branches.clone();
        if commit_type == CommitType::Send {
            branches.sort();
            assert_eq!(branches, ["CPL", "CPL", "CPL", "MPL"]);
            let at: Vec<&str> = run.summary().queued_at.iter().map(String::as_str).collect();
            assert_eq!(at, ["CPL", "MPL"]);
        } else {
            assert_eq!(branches, ["MPL", "CPL", "CPL", "CPL"]);
        }
    }
}

#[test]
fn a_library_of_a_row_that_koha_does_not_have_stops_it_before_anything_is_sent() {
    let run = Run::new(&of_two_libraries(), vec![]).finish();
    assert_eq!((run.requests, run.persists), (0, 0));
    assert!(matches!(run.stop(), Some(CommitError::BranchUnknown { branch, .. }) if branch == "MPL"));
}

#[test]
fn in_a_persons_session_nothing_of_another_library_is_applied_and_nothing_of_its_item_overtakes_it() {
    let log = of_two_libraries();
    let list = r#"[{"library_id":"CPL","name":"Centerville"},{"library_id":"MPL","name":"Midway"}]"#;
    let finish = |commit_type, at: &'static str| {
        let mut run = as_person(commit_type, true, &[Some(("anna", at))], vec![]);
        run.outbox = Outbox::new(Settings { login: Login::OpenKoha, ..settings(commit_type) }, log.clone().into());
        run.store = log.iter().map(|entry| (entry.id.0, entry.status.clone())).collect();
        run.libraries = list;
        run.finish()
    };
    let run = finish(CommitType::Apply, "CPL");
    assert_eq!(run.states(), ["local", "success", "success", "local"]);
    assert_eq!(run.branches, ["CPL"; 2]);
    let summary = run.summary();
    assert_eq!((summary.elsewhere, summary.waiting, summary.left, summary.is_complete()), (2, 0, 2, false));
    // At the other one, where they agree to apply the desk's own there too.
    let run = finish(CommitType::Apply, "MPL");
    assert_eq!((run.states(), run.summary().elsewhere), (vec!["success"; 4], 0));
    // The queue is any library's.
    let run = finish(CommitType::Send, "CPL");
    let mut branches = run.branches.clone();
    branches.sort();
    assert_eq!((run.states(), branches), (vec!["added"; 4], ["CPL", "CPL", "CPL", "MPL"].map(String::from).to_vec()));
}

#[test]
fn a_list_that_koha_does_not_give_stops_nothing() {
    let mut run = Run::new(&three(), vec![]);
    run.libraries = "{}";
    let run = run.finish();
    assert_eq!(run.states(), ["success"; 3]);
    assert!(!run.summary().branch_checked);
}

#[test]
fn cancelling_waits_for_the_answer_under_way() {
    let mut run = Run::new(&three(), vec![]);
    while run.requests == 0 {
        run.step();
    }
    // The answer of the first is being made durable together with Sending of the second.
    run.outbox.handle(Input::Cancel, DESK_NOW);
    let run = run.finish();
    assert_eq!(run.states(), ["success", "local", "local"]);
    assert_eq!((run.stop(), run.summary().left, run.requests), (Some(&CommitError::Cancelled), 2, 1));
}

#[test]
fn cancelling_while_connecting_ends_at_once() {
    let mut run = Run::new(&three(), vec![]);
    run.outbox.handle(Input::Cancel, DESK_NOW);
    let run = run.finish();
    assert_eq!((run.states(), run.requests, run.stop()), (vec!["local"; 3], 0, Some(&CommitError::Cancelled)));
}

#[test]
fn a_log_that_cannot_be_written_sends_nothing_more() {
    let mut run = Run::new(&three(), vec![]);
    run.fail_persist_at = Some(1);
    let run = run.finish();
    assert_eq!((run.requests, run.states(), run.stop()), (0, vec!["local"; 3], Some(&CommitError::NotPersisted)));
    let mut run = Run::new(&three(), vec![]);
    run.fail_persist_at = Some(2);
    let run = run.finish();
    assert_eq!((run.requests, run.states()), (1, vec!["sending", "local", "local"]));
}

#[test]
fn what_was_changed_meanwhile_ends_it_in_words_of_its_own() {
    let mut run = Run::new(&three(), vec![]);
    run.fail_persist_at = Some(1);
    run.not_persisted = Input::Changed;
    let run = run.finish();
    assert_eq!((run.requests, run.states(), run.stop()), (0, vec!["local"; 3], Some(&CommitError::Changed)));
}

#[test]
fn an_answer_to_a_request_that_was_given_up_is_ignored() {
    let mut run = Run::new(&three(), vec![]);
    while run.requests == 0 {
        run.step();
    }
    run.outbox.handle(Input::Answer(Ticket(99), Ok(response(200, "text/plain", "Added."))), DESK_NOW);
    run.outbox.handle(Input::Answer(Ticket(0), Err(Failure::Lost)), DESK_NOW);
    assert_eq!(run.finish().states(), ["success"; 3]);
}

#[test]
fn knows_its_own_transactions_and_no_others() {
    let mut run = Run::new(&three(), vec![]);
    assert!(run.outbox.sends(&entry(1, "other")), "it has not begun with any");
    while run.persists == 0 {
        run.step();
    }
    let sends = |id, barcode| run.outbox.sends(&entry(id, barcode));
    assert_eq!([sends(1, "A"), sends(1, "other"), sends(2, "other")], [true, false, true]);
}

#[test]
fn nothing_to_send_ends_after_the_checks() {
    let run = Run::new(&[], vec![]).finish();
    assert_eq!(run.summary().left, 0);
    assert_eq!(run.stop(), None);
}

#[test]
fn several_are_queued_at_once_but_never_two_of_one_item() {
    let entries: Vec<_> = (1..=12).map(|id| entry(id, ["A", "a", "B", "C"][id as usize % 4])).collect();
    let mut run = Run::of(CommitType::Send, true, &entries, vec![]);
    let mut most = 0;
    while run.step() {
        let items: Vec<_> = run
            .under_way
            .iter()
            .filter_map(|(_, request)| request.form.iter().find(|(key, _)| *key == "barcode"))
            .map(|(_, barcode)| barcode.to_lowercase())
            .collect();
        let different: HashSet<_> = items.iter().collect();
        assert_eq!(different.len(), items.len(), "{items:?}");
        most = most.max(items.len());
    }
    assert_eq!((most, run.states()), (3, vec!["added"; 12]));
    let entries: Vec<_> = (1..=12).map(|id| entry(id, &format!("B{id}"))).collect();
    let mut run = Run::of(CommitType::Send, true, &entries, vec![]);
    let mut most = 0;
    while run.step() {
        most = most.max(run.under_way.len());
    }
    assert_eq!(most, QUEUED_AT_ONCE);
}

#[test]
fn a_lost_connection_stops_what_is_not_under_way() {
    let entries: Vec<_> = (1..=8).map(|id| entry(id, &format!("B{id}"))).collect();
    let run = Run::of(CommitType::Send, true, &entries, vec![Fate::Ok, Fate::DoneThenLost]).finish();
    // The first answer let a fifth go; the second stopped the rest; those under way were waited for.
    let states = run.states();
    assert_eq!(states[..4], ["added", "in-doubt", "added", "added"]);
    assert_eq!(states[5..], ["local"; 3]);
    assert_eq!(run.summary().left + run.summary().added + run.summary().in_doubt, 8);
}

#[test]
fn a_session_that_ends_while_several_are_under_way_is_renewed_once() {
    let entries: Vec<_> = (1..=8).map(|id| entry(id, &format!("B{id}"))).collect();
    let run = Run::of(CommitType::Send, true, &entries, vec![Fate::Http(403); 4]).finish();
    assert_eq!((run.states(), run.connections, run.sessions), (vec!["added"; 8], 2, 0));
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        8 => Just(Fate::Ok),
        2 => Just(Fate::No("Item not found.")),
        1 => prop_oneof![Just(401_u16), Just(403), Just(500), Just(503)].prop_map(Fate::Http),
        1 => prop_oneof![Just(401_u16), Just(403), Just(404), Just(413), Just(429)].prop_map(Fate::Foreign),
        1 => prop_oneof![Just(401_u16), Just(403), Just(404), Just(503)].prop_map(Fate::DoneThenForeign),
        1 => Just(Fate::Busy(30)),
        1 => Just(Fate::DoneThenHttp(500)),
        1 => Just(Fate::Page),
        1 => Just(Fate::Empty),
        1 => Just(Fate::DoneThenLost),
        1 => Just(Fate::LostBefore),
        1 => Just(Fate::DoneThenTimedOut),
        1 => Just(Fate::NotSent),
    ]
}

proptest! {
    /// Runs follow each other, each cut off by a crash after any number of steps, until everything has an end. Nobody
    /// decides anything in between, so nothing may happen twice.
    #[test]
    fn no_crash_and_no_fault_makes_anything_happen_twice(
        items in prop::collection::vec(0..5_u8, 1..12),
        era in any::<bool>(),
        luck in any::<u64>(),
        runs in prop::collection::vec((prop::collection::vec(fate(), 0..8), 0..60_u32, prop::option::weighted(0.2, 1..10_u32)), 1..6),
    ) {
        let mut entries: Vec<_> = (1..).zip(&items).map(|(id, item)| entry(id, &format!("B{item}"))).collect();
        let mut effects: BTreeMap<String, u32> = BTreeMap::new();
        for (fates, steps, fail_persist_at) in runs {
            let commit_type = if luck & 1 == 0 { CommitType::Apply } else { CommitType::Send };
            let mut run = Run::of(commit_type, era, &entries, fates);
            run.luck = Some(fastrand::Rng::with_seed(luck));
            run.effects = std::mem::take(&mut effects);
            run.fail_persist_at = fail_persist_at;
            for _ in 0..steps {
                if !run.step() {
                    break;
                }
            }
            // The crash: only what is durable is left.
            for entry in &mut entries {
                entry.status = run.store[&entry.id.0].clone().after_restart(Some(DESK_NOW));
            }
            effects = run.effects;
            check(&entries, &effects)?;
        }
    }
}

/// What is shown as committed happened once, what is shown as not sent did not, and nothing overtook what is of its item.
fn check(entries: &[Entry], effects: &BTreeMap<String, u32>) -> Result<(), TestCaseError> {
    check_effects(entries, effects)?;
    check_order(entries)
}

fn check_effects(entries: &[Entry], effects: &BTreeMap<String, u32>) -> Result<(), TestCaseError> {
    for entry in entries {
        let times = effects.get(&entry.transaction.moment.service_timestamp()).copied().unwrap_or(0);
        prop_assert!(times <= 1, "{entry:?} happened {times} times");
        match entry.status.state() {
            State::Success | State::Added => prop_assert_eq!(times, 1, "committed, but not in Koha: {:?}", entry),
            State::Local | State::Rejected | State::Deleted => {
                prop_assert_eq!(times, 0, "in Koha, but not known: {:?}", entry);
            }
            State::InDoubt | State::Sending => {}
        }
    }
    Ok(())
}

fn check_order(entries: &[Entry]) -> Result<(), TestCaseError> {
    // The order of an item: nothing is in Koha behind one that is in doubt or still here.
    for (i, later) in entries.iter().enumerate() {
        if !later.status.state().is_committed() {
            continue;
        }
        let item = later.transaction.action.item_key();
        for earlier in &entries[..i] {
            if earlier.transaction.action.item_key() == item {
                prop_assert!(
                    earlier.status.state().is_committed() || earlier.status.state() == State::Rejected,
                    "{later:?} overtook {earlier:?}"
                );
            }
        }
    }
    Ok(())
}

fn odd(run: &Run) -> Vec<(u32, Oddity)> {
    run.summary().audited.odd.iter().map(|odd| (odd.id.0, odd.oddity.clone())).collect()
}

/// The loan of `A` that [`entry`] makes as number 1, with this number of renewals in its own second.
fn loan_of_a(renewals: u32) -> String {
    let renewed = if renewals > 0 { "\"2026-11-23T10:00:01Z\"" } else { "null" };
    format!(
        r#"[{{"item_id":1,"checkout_date":"2026-11-23T10:00:01Z","due_date":"2026-12-14T23:59:00+01:00",
            "last_renewed_date":{renewed},"renewals_count":{renewals}}}]"#
    )
}

#[test]
fn a_checkout_that_koha_renewed_is_told_and_is_not_clean() {
    for (renewals, expected) in
        [(0, vec![]), (1, vec![(1, Oddity::Renewed { due: NaiveDate::from_ymd_opt(2026, 12, 14) })])]
    {
        let mut run = Run::new(&[entry(1, "A")], vec![]);
        run.loans = loan_of_a(renewals).leak();
        let run = run.finish();
        assert_eq!(odd(&run), expected);
        let summary = run.summary();
        assert!(summary.is_complete() && summary.is_audited);
        assert_eq!(summary.is_clean(), renewals == 0);
    }
}

#[test]
fn a_refused_checkin_whose_loan_ended_is_processed() {
    let action = Action::Return { barcode: Barcode::parse("A").unwrap() };
    let back = Entry { transaction: Transaction { action, ..entry(1, "A").transaction }, ..entry(1, "A") };
    let mut run = Run::new(std::slice::from_ref(&back), vec![Fate::No("Item not issued.")]);
    run.returned = r#"[{"item_id":1,"checkout_date":"2026-11-01T10:00:00Z","checkin_date":"2026-11-23T10:00:01Z"}]"#;
    let run = run.finish();
    assert_eq!(run.states(), ["success"]);
    assert_eq!((run.summary().rejected, run.summary().success), (0, 1));
    assert!(run.summary().is_clean());
    let run = Run::new(&[back], vec![Fate::No("Item not issued.")]).finish();
    assert_eq!((run.states(), run.summary().rejected), (vec!["rejected"], 1));
}

#[test]
fn what_was_paid_twice_shows_in_the_balance() {
    let payment = || {
        let action =
            Action::Payment { cardnumber: Cardnumber::parse("P1").unwrap(), amount: Amount::parse("1.50").unwrap() };
        Entry { transaction: Transaction { action, ..entry(1, "A").transaction }, ..entry(1, "A") }
    };
    for (balances, told, checked) in [
        (vec!["5.0", "3.5"], vec![], 1),
        (vec!["5", "2.0"], vec![(1, Oddity::Paid { cents: 150 })], 1),
        // A charge came meanwhile, or the account cannot be read.
        (vec!["5", "4"], vec![], 0),
        (vec!["5"], vec![], 0),
        (vec![], vec![], 0),
    ] {
        let mut run = Run::new(&[payment()], vec![]);
        run.balances = balances.clone().into();
        let run = run.finish();
        assert_eq!(odd(&run), told, "{balances:?}");
        let audited = &run.summary().audited;
        assert_eq!((audited.checked, audited.unread), (checked, 1 - checked), "{balances:?}");
        assert_eq!(run.states(), ["success"]);
    }
}

#[test]
fn what_stands_in_the_queue_twice_is_told() {
    const BEFORE: &str = r#"<tr class="oc-issue"><td><input name="operationid" value="7"></td><td>2026-11-23 11:00:01</td><td>A</td><td>P1</td><td>0</td></tr>"#;
    let row = |number| BEFORE.replace('7', number);
    for (after, told, checked) in [
        (format!("{BEFORE}{}", row("8")), vec![], 1),
        (format!("{BEFORE}{}{}", row("8"), row("9")), vec![(1, Oddity::Queued { times: 2 })], 1),
        // Somebody processes it already.
        (BEFORE.to_owned(), vec![], 0),
    ] {
        for era_from_2405 in [false, true] {
            let mut run = Run::of(CommitType::Send, era_from_2405, &[entry(1, "A")], vec![]);
            run.queue = vec![BEFORE, after.clone().leak()];
            let run = run.finish();
            assert_eq!(odd(&run), told, "{after}");
            assert_eq!((run.summary().audited.checked, run.summary().audited.unread), (checked, 1 - checked));
        }
    }
}

#[test]
fn what_was_not_read_back_is_left_to_the_next_commit() {
    let mut cancelled = Run::new(&[entry(1, "A"), entry(2, "B")], vec![Fate::Ok, Fate::NotSent]);
    while cancelled.pauses.is_empty() && cancelled.step() {}
    cancelled.outbox.handle(Input::Cancel, DESK_NOW);
    let cancelled = cancelled.finish();
    assert!(!cancelled.summary().is_audited && cancelled.summary().audited == Audited::default());
    let earlier = Entry { status: Status::Success, ..entry(1, "A") };
    let mut next = Run::new(&[entry(2, "B")], vec![]);
    next.outbox = next.outbox.auditing_too([earlier.clone(), earlier]);
    next.loans = loan_of_a(1).leak();
    let next = next.finish();
    assert_eq!(odd(&next).first().map(|(id, _)| *id), Some(1));
}
