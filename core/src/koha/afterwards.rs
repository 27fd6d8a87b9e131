//! Asks, any time after a commit, what is left to do about it: the questions that a commit asks at its end, in a session of its
//! own.
//!
//! After a day too many reasons for a renewal are there to tell which was ours, so of an older commit only what is to be done is
//! taken over.

use super::{
    Failure, Request, Response,
    audit::{self, Audit, Report, Terms},
    connection::{self, Connection, ConnectionError},
    login,
    rest::RestCredentials,
};
use crate::{
    log::{Entry, audited::Audited, fresh::Part},
    settings::form::Settings,
};
use std::ops::ControlFlow::{self, Break, Continue};

/// What follows an answer: the next request; or at the end what Koha tells, or why it cannot be asked.
pub type Next = ControlFlow<Result<Report, ConnectionError>, Request>;

#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
enum AfterwardsStage {
    Connecting { connection: Connection, entries: Vec<Entry> },
    Asking { audit: Box<Audit>, credentials: RestCredentials },
    LoggingOut(Report),
    Over,
}

/// The questions.
#[derive(Debug, Clone)]
pub struct Afterwards {
    settings: Settings,
    terms: Terms,
    stage: AfterwardsStage,
}

impl Afterwards {
    /// Begins to ask about these, which a commit has brought into Koha.
    pub fn start(settings: Settings, terms: Terms, entries: Vec<Entry>) -> (Self, Request) {
        let (connection, request) = Connection::start(settings.clone());
        (Self { settings, terms, stage: AfterwardsStage::Connecting { connection, entries } }, request)
    }

    /// Takes the answer to the request that was made last.
    pub fn handle(&mut self, answer: Result<Response, Failure>) -> Next {
        match std::mem::replace(&mut self.stage, AfterwardsStage::Over) {
            AfterwardsStage::Connecting { mut connection, entries } => match connection.handle(answer) {
                connection::ConnectionStep::Request(request) => {
                    self.stage = AfterwardsStage::Connecting { connection, entries };
                    Continue(request)
                }
                connection::ConnectionStep::Ready(connection::Ready { reading: Some(credentials), .. }) => {
                    self.ask(credentials, entries)
                }
                connection::ConnectionStep::Ready(_) => {
                    let audited = Audited { silent: Part::ALL.to_vec(), ..Audited::default() };
                    Break(Ok(Report { audited, ..Report::default() }))
                }
                connection::ConnectionStep::Failed(error) => Break(Err(error)),
            },
            AfterwardsStage::Asking { mut audit, credentials } => match audit.handle(answer) {
                audit::AuditStep::Request(request) => {
                    self.stage = AfterwardsStage::Asking { audit, credentials };
                    Continue(request)
                }
                audit::AuditStep::Done(report) => self.log_out(&credentials, report),
            },
            AfterwardsStage::LoggingOut(report) => Break(Ok(report)),
            AfterwardsStage::Over => Break(Ok(Report { is_broken_off: true, ..Report::default() })),
        }
    }

    fn ask(&mut self, credentials: RestCredentials, entries: Vec<Entry>) -> Next {
        let terms = self.terms.clone();
        match Audit::start(self.settings.clone(), credentials.clone(), terms, entries) {
            Some((audit, request)) => {
                self.stage = AfterwardsStage::Asking { audit: Box::new(audit), credentials };
                Continue(request)
            }
            None => self.log_out(&credentials, Report::default()),
        }
    }

    fn log_out(&mut self, credentials: &RestCredentials, report: Report) -> Next {
        if let RestCredentials::Session(session) = credentials {
            self.stage = AfterwardsStage::LoggingOut(report);
            return Continue(login::log_out(&self.settings, session));
        }
        Break(Ok(report))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::Barcode,
            transaction::{Action, Moment, Transaction, TransactionId},
        },
        koha::NotSent,
        log::status::Status,
        settings::form::CommitType,
    };

    fn start(status: Status) -> Afterwards {
        let action = Action::Return { barcode: Barcode::parse("B").unwrap() };
        let moment = Moment::new(1_795_428_000_000, 60).unwrap();
        let entry = Entry { status, ..Entry::recorded(TransactionId(1), Transaction { moment, action }) };
        let terms = Terms { with_queued: true, ..Terms::default() };
        Afterwards::start(Settings::for_tests(CommitType::Send), terms, vec![entry]).0
    }

    fn answer(status: u16, body: &str) -> Response {
        Response { status, content_type: "text/plain".into(), body: body.into(), ..Response::default() }
    }

    fn run(mut asks: Afterwards, reply: impl Fn(&str) -> Response) -> (Vec<String>, Next) {
        let mut next = asks.handle(Ok(answer(200, "<response><status>failed</status></response>")));
        let mut asked = Vec::new();
        while let Continue(request) = &next {
            let path = request.url.trim_start_matches("https://koha.example.org").to_owned();
            next = asks.handle(Ok(reply(&path)));
            asked.push(path);
        }
        (asked, next)
    }

    #[test]
    fn asks_what_a_commit_asks_at_its_end() {
        let reply = |path: &str| match path {
            path if path.contains("/libraries") => answer(200, "[]"),
            path if path.contains("/items") => {
                answer(200, r#"[{"item_id":7,"external_id":"B","biblio_id":5,"home_library_id":"MPL"}]"#)
            }
            path if path.contains("checked_in") => answer(
                200,
                r#"[{"item_id":7,"patron_id":3,"checkout_date":"2026-10-01T10:00:00Z","checkin_date":"2026-11-23T10:00:00Z","due_date":"2026-11-20T23:59:00+01:00"}]"#,
            ),
            path if path.contains("/checkouts") => answer(200, "[]"),
            path if path.contains("/holds") => answer(200, "[]"),
            _ => answer(200, ""),
        };
        let (_, next) = run(start(Status::Added), reply);
        let Break(Ok(report)) = next else { panic!("{next:?}") };
        let fresh = &report.audited.fresh[0];
        assert_eq!((fresh.home.as_deref(), fresh.late.map(|late| late.days)), (Some("MPL"), Some(3)));
        assert_eq!((fresh.numbers.patron, report.audited.silent.len()), (Some(3), 0));
    }

    #[test]
    fn says_where_koha_cannot_be_asked() {
        let gone = || Err(Failure::NotSent(NotSent::Refused));
        let mut asks = start(Status::Success);
        assert!(matches!(asks.handle(gone()), Break(Err(ConnectionError::NoAnswer(_)))));
        let (asked, next) = run(start(Status::Success), |path| match path {
            path if path.contains("/items") => answer(502, ""),
            path if path.contains("/libraries") => answer(200, "[]"),
            _ => answer(200, ""),
        });
        assert!(matches!(next, Break(Ok(Report { is_broken_off: true, .. }))), "{next:?}");
        assert!(asked.last().is_some_and(|path| path.contains("/items")));
    }
}
