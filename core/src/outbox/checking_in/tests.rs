//! Commits of checkins against a Koha that answers what a test says.

use super::*;
use crate::{
    desk::{
        barcode::{Barcode, Cardnumber},
        clock::{DeskTime, KohaTime},
        transaction::Moment,
    },
    koha::{Method, NotSent},
    log::{
        status::{Attempt, State},
        todo::{Group, Todo, Told},
    },
    outbox::{Input, Outbox, Output, summary::Summary},
    settings::form::Secret,
};
use std::collections::VecDeque;

/// 2026-11-23 10:30:00 UTC.
const NOW: i64 = 1_795_429_800_000;

fn back(id: u32) -> Entry {
    let action = Action::Return { barcode: Barcode::parse(&format!("B{id}")).unwrap() };
    let moment = Moment::new(1_795_428_000_000 + i64::from(id) * 1000, 60).unwrap();
    Entry::recorded(TransactionId(id), Transaction { moment, action })
}

fn lent(id: u32) -> Entry {
    let (cardnumber, barcode) = (Cardnumber::parse("P1").unwrap(), Barcode::parse(&format!("B{id}")).unwrap());
    let action = Action::Issue { cardnumber, barcode };
    Entry { transaction: Transaction { action, ..back(id).transaction }, ..back(id) }
}

fn response(status: u16, body: &str) -> Response {
    let date = Some(KohaTime::from_millis(NOW));
    Response { status, content_type: "application/json".into(), body: body.into(), date, ..Response::default() }
}

const THERE: &str = r#"{"errors":[{"message":"Missing property.","path":"/item_id"}],"status":400}"#;

/// A check-in that ended a loan, with these fields besides.
#[expect(clippy::unnecessary_wraps, reason = "it stands beside failures")]
fn done(more: &str) -> Result<Response, Failure> {
    Ok(response(200, &format!(r#"{{"checkin_id":1,"item_id":2,"checkout_id":3{more}}}"#)))
}

#[expect(clippy::unnecessary_wraps, reason = "it stands beside failures")]
fn confirm(confirms: &str) -> Result<Response, Failure> {
    let body = format!(
        r#"{{"error":"Confirmation required","error_code":"confirmation_required","confirms":{confirms},"confirmation_token":"t.o.k"}}"#
    );
    Ok(response(412, &body))
}

struct Run {
    settings: Settings,
    log: Vec<Entry>,
    /// What is answered to whoever looks for the check-in, and to each checkin.
    presence: Result<Response, Failure>,
    checkins: VecDeque<Result<Response, Failure>>,
    /// The account gets no session with which anything could be read.
    is_blind: bool,
    /// What left, in order: `look`, `rest B1`, `service B1`.
    sent: Vec<String>,
}

impl Run {
    fn new(log: &[Entry], checkins: impl IntoIterator<Item = Result<Response, Failure>>) -> Self {
        Self {
            settings: Settings { koha_checkin: true, ..Settings::for_tests(CommitType::Apply) },
            log: log.to_vec(),
            presence: Ok(response(400, THERE)),
            checkins: checkins.into_iter().collect(),
            is_blind: false,
            sent: Vec::new(),
        }
    }

    fn commit(&mut self) -> Summary {
        let open = |entry: &&Entry| State::TO_COMMIT.contains(&entry.status.state());
        let uncommitted: Vec<Entry> = self.log.iter().filter(open).cloned().collect();
        let mut outbox = Outbox::new(self.settings.clone(), uncommitted.into());
        loop {
            let input = match outbox.poll().unwrap() {
                Output::Persist(statuses) => {
                    for (id, status) in statuses {
                        let entry = self.log.iter_mut().find(|entry| entry.id == id).unwrap();
                        *entry = outbox.as_answered(Entry { status, ..entry.clone() });
                    }
                    Input::Persisted
                }
                Output::Request(ticket, request) => Input::Answer(ticket, self.koha(&request)),
                Output::Wait(ticket, _) => Input::Waited(ticket),
                Output::Finished(summary) => return summary,
                other => panic!("{other:?}"),
            };
            outbox.handle(input, DeskTime::from_millis(NOW));
        }
    }

    fn koha(&mut self, request: &Request) -> Result<Response, Failure> {
        let url = &request.url;
        if url.ends_with("/authentication") {
            let session = Some(Secret::new("anonymous"));
            let body = "<response><status>failed</status></response>";
            return Ok(Response { session_cookie: session.clone(), csrf_token: session, ..response(200, body) });
        }
        if url.contains("/mainpage.pl") {
            let page =
                if self.is_blind { "<title>Log in to Koha</title>" } else { "<b class=\"loggedinusername\">d</b>" };
            let html = Response { content_type: "text/html".into(), ..response(200, page) };
            return Ok(Response { session_cookie: Some(Secret::new("ours")), ..html });
        }
        if url.ends_with("/checkins/availability") {
            self.sent.push("look".into());
            return self.presence.clone();
        }
        if url.contains("/api/v1/checkins") {
            assert_eq!((request.method, request.session.as_ref().unwrap().cookie.reveal()), (Method::Post, "ours"));
            let body: serde_json::Value = serde_json::from_str(&request.body().unwrap()).unwrap();
            assert_eq!((&body["library_id"], &body["dropbox_mode"]), (&"CPL".into(), &false.into()));
            let barcode = body["external_id"].as_str().unwrap().to_owned();
            let sending = self.log.iter().find(|entry| entry.status.state() == State::Sending).unwrap();
            assert!(
                matches!(&sending.status, Status::Sending { attempt } if attempt.own_checkin),
                "it is durable first"
            );
            assert_eq!(sending.transaction.action.barcode().unwrap().as_str(), barcode);
            assert!(url.ends_with("/checkins"), "nothing is confirmed: {url}");
            self.sent.push(format!("rest {barcode}"));
            return self.checkins.pop_front().expect("it is asked no more often");
        }
        let value = |name: &str| request.form.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
        if let Some(barcode) = value("action").and_then(|_| value("barcode")) {
            self.sent.push(format!("service {barcode}"));
            return Ok(Response { content_type: "text/plain".into(), ..response(200, "Success.") });
        }
        if url.contains("/libraries") {
            return Ok(response(200, r#"[{"library_id":"CPL","name":"Centerville"}]"#));
        }
        Ok(if url.contains("/api/v1/") { response(403, "{}") } else { response(200, "") })
    }

    fn states(&self) -> Vec<State> {
        self.log.iter().map(|entry| entry.status.state()).collect()
    }
}

#[test]
fn checkins_go_by_it_in_their_order_and_everything_else_as_ever() {
    let mut run = Run::new(&[lent(1), back(2), lent(3), back(4)], [done(""), done("")]);
    let summary = run.commit();
    assert_eq!(run.sent, ["look", "service B1", "rest B2", "service B3", "rest B4"]);
    assert_eq!((summary.success, summary.no_own_checkin), (4, None));
    assert!(
        run.log
            .iter()
            .all(|entry| entry.checkin.is_some() == matches!(entry.transaction.action, Action::Return { .. }))
    );
    // Nobody looks for it who has nothing to check in, or does not want it.
    for settings in [
        Settings::for_tests(CommitType::Apply),
        Settings { koha_checkin: true, ..Settings::for_tests(CommitType::Send) },
    ] {
        let mut run = Run { settings, ..Run::new(&[back(1)], []) };
        assert_eq!(run.commit().no_own_checkin, None);
        assert_eq!(run.sent, ["service B1"]);
    }
    let mut run = Run::new(&[lent(1)], []);
    run.commit();
    assert_eq!(run.sent, ["service B1"]);
}

#[test]
fn where_it_is_not_there_all_goes_as_ever_and_that_is_found_out_once() {
    for (presence, absence) in [
        (Ok(response(404, "{}")), Absence::NotThere),
        (Ok(response(403, "{}")), Absence::NotAllowed),
        (Err(Failure::TimedOut), Absence::Unclear),
    ] {
        let mut run = Run { presence, ..Run::new(&[back(1), back(2)], []) };
        let summary = run.commit();
        assert_eq!(run.sent, ["look", "service B1", "service B2"]);
        assert_eq!((summary.no_own_checkin, summary.is_complete()), (Some(absence), true));
        assert!(run.log.iter().all(|entry| entry.checkin.is_none()));
    }
    let mut run = Run { is_blind: true, ..Run::new(&[back(1)], []) };
    assert_eq!(run.commit().no_own_checkin, Some(Absence::NotAllowed));
    assert_eq!(run.sent, ["service B1"]);
}

#[test]
fn what_koha_does_not_do_this_way_goes_the_other_way_at_once() {
    for (status, body, absence) in [
        (403, r#"{"error_code":"return_date_not_allowed"}"#, Absence::NoDates),
        (403, r#"{"error":"x","required_permissions":{"circulate":"1"}}"#, Absence::NotAllowed),
        (400, r#"{"errors":[]}"#, Absence::Unclear),
    ] {
        let mut run = Run::new(&[back(1), back(2)], [Ok(response(status, body))]);
        let summary = run.commit();
        assert_eq!(run.sent, ["look", "rest B1", "service B1", "service B2"]);
        assert_eq!((summary.no_own_checkin, summary.success, summary.settled.len()), (Some(absence), 2, 2));
    }
    // Another second than it was given: the rest is dated right.
    let late = r#","checkout":{"checkin_date":"2026-11-23T05:00:01+01:00"}"#;
    let mut run = Run::new(&[back(1), back(2)], [done(late)]);
    assert_eq!(run.commit().no_own_checkin, Some(Absence::OtherTime));
    assert_eq!((run.sent.join(" "), run.states()), ("look rest B1 service B2".into(), vec![State::Success; 2]));
    let right = r#","checkout":{"checkin_date":"2026-11-23T11:00:01+01:00"}"#;
    assert_eq!(Run::new(&[back(1)], [done(right)]).commit().no_own_checkin, None);
}

#[test]
fn what_is_not_on_loan_is_confirmed_by_nobody() {
    // Between the question and its answer somebody may have lent it.
    let mut run = Run::new(&[back(1)], [confirm(r#"{"not_issued":"B1"}"#)]);
    run.commit();
    assert_eq!(run.sent, ["look", "rest B1"]);
    assert!(run.log[0].was_not_on_loan());
}

#[test]
fn what_needs_a_person_is_refused_and_says_so() {
    let blocked = r#"{"error_code":"checkin_blocked","blockers":{"wrong_branch":{}}}"#;
    let answers = [confirm(r#"{"item_parts":"CD"}"#), Ok(response(403, blocked)), done("")];
    let mut run = Run::new(&[back(1), back(2), back(3)], answers);
    let summary = run.commit();
    assert_eq!((summary.rejected, summary.success), (2, 1));
    let mut todo = Todo::default();
    todo.load(run.log.clone(), Told::default());
    let rows = todo.first_rows(Group::Refused, 9);
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(row.what, crate::log::todo::What::Refused(crate::log::todo::Refusal::ByHand));
        assert_eq!(row.place(), Some(crate::log::todo::KohaPage::Checkin));
    }
}

#[test]
fn only_a_whole_check_in_commits_and_what_is_lost_is_in_doubt() {
    let strange = Doubt::StrangeAnswer;
    for (answer, reason, goes_on) in [
        (Err(Failure::Lost), Doubt::ConnectionLost, false),
        (Err(Failure::TimedOut), Doubt::TimedOut, false),
        (Err(Failure::TooLong), strange, false),
        (Ok(response(500, "{}")), Doubt::ServerError, true),
        (Ok(response(200, "")), strange, false),
        (Ok(response(200, "Success.")), strange, false),
        (Ok(response(200, r#"{"checkin_id":1,"item_id":2}"#)), strange, false),
        (Ok(response(404, "<html>nginx")), strange, false),
        (Ok(response(403, "<html>Forbidden")), strange, false),
        // Koha has ended no loan, and does not say why.
        (Ok(response(200, r#"{"checkin_id":1,"item_id":2,"checkout_id":null}"#)), strange, true),
    ] {
        let case = format!("{answer:?}");
        let mut run = Run::new(&[back(1), back(2)], [answer, done("")]);
        let summary = run.commit();
        assert_eq!(summary.stop.is_none(), goes_on, "{case}");
        let Status::InDoubt { reason: seen, attempt } = &run.log[0].status else { panic!("{case}: {:?}", run.log[0]) };
        assert!(*seen == reason && attempt.own_checkin && attempt.over.is_some(), "{case}");
        assert_eq!(run.states()[1], if goes_on { State::Success } else { State::Local }, "{case}");
        // It is not sent again before anything is proved; and here nothing can be read.
        run.sent.clear();
        run.checkins = VecDeque::from([done("")]);
        run.commit();
        assert!(!run.sent.iter().any(|sent| sent.contains("B1")), "{case}: {:?}", run.sent);
        assert_eq!(run.states()[0], State::InDoubt, "{case}");
    }
}

#[test]
fn what_reached_nobody_is_sent_again_and_a_session_that_ended_is_renewed() {
    let refused = || Err(Failure::NotSent(NotSent::Refused));
    let mut run = Run::new(&[back(1)], [refused(), done("")]);
    assert_eq!((run.commit().success, run.sent.len()), (1, 3));
    let expired = || Ok(response(401, r#"{"error":"Session has been expired."}"#));
    let mut run = Run::new(&[back(1)], [expired(), done("")]);
    assert_eq!(run.commit().success, 1);
    assert_eq!(run.sent, ["look", "rest B1", "rest B1"]);
    let mut run = Run::new(&[back(1)], [expired(), expired()]);
    assert!(run.commit().stop.is_some());
    assert_eq!(run.states(), [State::Local]);
}

#[test]
fn what_koha_said_is_kept_with_the_status_and_is_what_is_left_to_do() {
    let hold = r#","hold_id":5,"hold":{"hold_id":5,"pickup_library_id":"MPL"},"messages":[{"message":"hold_found"}]"#;
    let away = r#","messages":[{"message":"needs_transfer","payload":{"to_library":"FPL"}}]"#;
    let log = [Entry { late: Some(3), ..back(1) }, back(2)];
    let mut run = Run::new(&log, [done(hold), done(away)]);
    let summary = run.commit();
    assert_eq!(run.log[0].set_aside(), Some((5, "MPL")));
    assert_eq!(run.log[1].checkin.as_ref().unwrap().to.as_deref(), Some("FPL"));
    // The account may read nothing: what was said at the checkin is all that is known.
    let homes: Vec<_> = summary.audited.fresh.iter().map(|fresh| (fresh.id.0, fresh.home.as_deref())).collect();
    assert_eq!(homes, [(2, Some("FPL"))]);
    let batch = crate::log::commit::Batch::begin(
        &run.settings,
        back(1).transaction.moment,
        &crate::log::order::Ordered::default(),
    );
    let batch = crate::log::commit::Batch { audit: Some(summary.audited), ..batch };
    let mut todo = Todo::default();
    todo.load(run.log.clone(), Told::by(std::slice::from_ref(&batch), &batch.server));
    todo.set_aside(vec![TransactionId(1)]);
    assert_eq!((todo.open(Group::SetAside), todo.open(Group::Transfers)), (1, 1));
    assert_eq!(todo.open(Group::Late), 0, "Koha has computed the fine");
    assert_eq!(run.log[0].status, Status::Success);
}

#[test]
fn an_attempt_of_either_way_is_proved_alike() {
    // Nobody knows by which way it will go until it is about to: the proof is the loan, whoever ended it.
    let attempt = Attempt { own_checkin: true, ..Attempt::new(CommitType::Apply, &Run::new(&[], []).settings.server) };
    let doubtful = Entry { status: Status::InDoubt { reason: Doubt::TimedOut, attempt }, ..back(1) };
    let mut run = Run::new(&[doubtful, back(1)], []);
    run.log[1].id = TransactionId(2);
    let summary = run.commit();
    assert_eq!((summary.unclear(), summary.waiting), (1, 1), "nothing of its item goes before");
    assert!(run.sent.is_empty());
}
