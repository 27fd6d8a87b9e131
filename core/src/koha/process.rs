//! `offline_circ/process.pl`: processes or deletes one row of the queue.
//!
//! Whatever Koha answers to a row that it processed, the row is gone; only where its code dies (a payment of an unknown card) it
//! stays. A number that is not in the queue is answered with nothing (observed).

use super::{Request, Response, Session, service};
use crate::{log::handled::Deed, settings::form::Settings};
use std::time::Duration;

const PATH: &str = "/cgi-bin/koha/offline_circ/process.pl";

/// Asks for it, within a session that works for the branch of the row: a loan is booked where the session is. From 24.05 a
/// session has a token, and the parameter is another.
pub fn request(settings: &Settings, session: &Session, deed: Deed, number: u64) -> Request {
    let (key, value) = match (session.csrf_token.is_some(), deed) {
        (true, Deed::Process) => ("op", "cud-process"),
        (true, Deed::Delete) => ("op", "cud-delete"),
        (false, Deed::Process) => ("action", "process"),
        (false, Deed::Delete) => ("action", "delete"),
    };
    let form = vec![(key, value.to_owned()), ("operationid", number.to_string())];
    Request::post(settings.server.join(PATH), form).within(Some(session.clone()))
}

/// What it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessAnswer {
    /// Exactly `Success.`
    Success,
    /// Koha processed it and said no, in these words. The row is gone.
    Refused(&'static str),
    /// Exactly `Deleted.`
    Deleted,
    /// Koha's own 403: nothing was done.
    TokenRefused,
    /// Somebody asks to come back after this time. It does not tell what became of the request.
    Busy(Duration),
    /// 5xx: anything may have happened.
    ServerError(u16),
    /// Nothing as plain text: there is no such row, or the answer was cut off.
    Empty,
    /// None of these.
    Strange,
}

/// Reads an answer.
pub fn read(response: &Response) -> ProcessAnswer {
    match service::read(response) {
        service::Answer::Success => ProcessAnswer::Success,
        service::Answer::Rejected(words) => ProcessAnswer::Refused(words),
        service::Answer::TokenRefused => ProcessAnswer::TokenRefused,
        service::Answer::Busy(after) => ProcessAnswer::Busy(after),
        service::Answer::ServerError(status) => ProcessAnswer::ServerError(status),
        service::Answer::Empty if response.content_type.starts_with("text/plain") => ProcessAnswer::Empty,
        _ if response.status == 200 && response.body == "Deleted." => ProcessAnswer::Deleted,
        _ => ProcessAnswer::Strange,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::form::{CommitType, Secret};

    #[test]
    fn asks_as_each_era_wants_it() {
        let settings = Settings::for_tests(CommitType::Send);
        let session = |token: Option<&str>| Session { cookie: Secret::new("c"), csrf_token: token.map(Secret::new) };
        for (token, deed, body) in [
            (None, Deed::Process, "action=process&operationid=7"),
            (None, Deed::Delete, "action=delete&operationid=7"),
            (Some("t"), Deed::Process, "op=cud-process&operationid=7"),
            (Some("t"), Deed::Delete, "op=cud-delete&operationid=7"),
        ] {
            let request = request(&settings, &session(token), deed, 7);
            assert_eq!(request.body().as_deref(), Some(body));
            assert_eq!(request.session, Some(session(token)));
            assert!(request.url.ends_with(PATH));
        }
    }

    #[test]
    fn only_kohas_words_count() {
        let text = |body: &str| {
            let content_type = "text/plain; charset=utf-8".to_owned();
            read(&Response { status: 200, content_type, body: body.into(), ..Response::default() })
        };
        assert_eq!(text("Success."), ProcessAnswer::Success);
        assert_eq!(text("Item not issued."), ProcessAnswer::Refused("Item not issued."));
        assert_eq!(text("Deleted."), ProcessAnswer::Deleted);
        assert_eq!(text(""), ProcessAnswer::Empty);
        for other in ["Added.", "Deleted", "Deleted.\n", "Authentication failed.", "<html>"] {
            assert_eq!(text(other), ProcessAnswer::Strange, "{other:?}");
        }
        assert_eq!(
            read(&Response { status: 200, ..Response::default() }),
            ProcessAnswer::Strange,
            "cut off within its head"
        );
        assert_eq!(read(&Response { status: 500, ..Response::default() }), ProcessAnswer::ServerError(500));
        assert_eq!(
            read(&Response { status: 403, body: "Deleted.".into(), ..Response::default() }),
            ProcessAnswer::Strange
        );
    }
}
