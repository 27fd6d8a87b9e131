//! `offline_circ/service.pl`: takes one transaction at a time.

use super::{Era, Request, Response, Session, authentication};
use crate::{
    desk::transaction::Transaction,
    settings::form::{CommitType, Settings},
};

const PATH: &str = "/cgi-bin/koha/offline_circ/service.pl";

/// How requests show who sends them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Name and password in every body; cookies are ignored.
    Credentials,
    /// Our own session.
    Session(Session),
}

impl Access {
    /// The era whose way this is.
    pub fn era(&self) -> Era {
        match self {
            Self::Credentials => Era::Before2405,
            Self::Session(_) => Era::From2405,
        }
    }
}

/// The request that brings this transaction into Koha: queued or applied, by the commit type of the settings.
pub fn commit(settings: &Settings, access: &Access, transaction: &Transaction) -> Request {
    let action = &transaction.action;
    let text = |value: Option<String>| value.unwrap_or_default();
    let mut form = vec![
        // The account that the queue shows; before 24.05 also the login.
        ("userid", settings.username.clone()),
        ("branchcode", settings.branchcode.clone()),
        ("pending", settings.commit_type.pending().to_owned()),
        ("timestamp", transaction.moment.service_timestamp()),
        ("action", action.word().to_owned()),
        ("cardnumber", text(action.cardnumber().map(ToString::to_string))),
        ("barcode", text(action.barcode().map(ToString::to_string))),
    ];
    if let Some(amount) = action.amount() {
        form.push(("amount", amount.to_string()));
    }
    let session = match access {
        Access::Session(session) => Some(session.clone()),
        Access::Credentials => {
            form.extend([
                ("password", settings.password.reveal().to_owned()),
                ("nocookie", "true".to_owned()),
                ("branch", settings.branchcode.clone()),
            ]);
            None
        }
    };
    Request::post(settings.server.join(PATH), form).within(session)
}

/// Whether service.pl takes this account: a request without an action. Koha looks at the credentials, finds nothing to do
/// and answers 200 with an empty body (observed on 19.06; by source the same in every version).
pub fn check_credentials(settings: &Settings, anonymous: Option<Session>) -> Request {
    let mut form = authentication::credentials(settings);
    form.extend([("nocookie", "true".to_owned()), ("pending", CommitType::Apply.pending().to_owned())]);
    Request::post(settings.server.join(PATH), form).within(anonymous)
}

/// What service.pl answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Exactly `Added.`: it is in the queue.
    Added,
    /// Exactly `Success.`: it was processed.
    Success,
    /// Koha processed the request and said no, in these words.
    Rejected(String),
    /// 401, or the text that Koha used before 18.05: nothing was processed.
    AuthenticationFailed,
    /// 403: the session or its CSRF token is not valid (any more). Nothing was processed.
    TokenRefused,
    /// Another 4xx: the request was refused before any script processed it.
    Refused(u16),
    /// 5xx: anything may have happened.
    ServerError(u16),
    /// 200 without a text: the action was unknown, or the answer was cut off.
    Empty,
    /// Not an answer of service.pl: a login page, or a captive portal's.
    Strange,
}

/// The longest text that is taken for Koha's own words.
const LONGEST_TEXT: usize = 200;

/// Reads an answer. Only an exact `Added.` or `Success.` with status 200 counts as committed.
pub fn read(response: &Response) -> Answer {
    match response.status {
        200 => match response.body.as_str() {
            "Added." => Answer::Added,
            "Success." => Answer::Success,
            "Authentication failed." => Answer::AuthenticationFailed,
            text if text.trim().is_empty() => Answer::Empty,
            text if response.is_html() || text.chars().count() > LONGEST_TEXT => Answer::Strange,
            text => Answer::Rejected(text.trim().to_owned()),
        },
        401 => Answer::AuthenticationFailed,
        403 => Answer::TokenRefused,
        status @ 400..=499 => Answer::Refused(status),
        status @ 500..=599 => Answer::ServerError(status),
        _ => Answer::Strange,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::{Barcode, Cardnumber},
            transaction::{Action, Moment},
        },
        settings::form::{Secret, ServerUrl},
    };
    use proptest::prelude::*;

    fn settings(commit_type: CommitType) -> Settings {
        Settings {
            server: ServerUrl::parse("https://example.org/koha").unwrap(),
            username: "desk".into(),
            password: Secret::new("letmein"),
            branchcode: "CPL".into(),
            commit_type,
            stale_hours: 24,
        }
    }

    fn issue() -> Transaction {
        let action =
            Action::Issue { cardnumber: Cardnumber::parse("P1").unwrap(), barcode: Barcode::parse("B1").unwrap() };
        Transaction { moment: Moment::new(1_795_428_000_547, 60).unwrap(), action }
    }

    #[test]
    fn before_24_05_every_request_carries_the_credentials_in_its_body() {
        let request = commit(&settings(CommitType::Apply), &Access::Credentials, &issue());
        assert_eq!(request.url, "https://example.org/koha/cgi-bin/koha/offline_circ/service.pl");
        assert_eq!(
            request.body().unwrap(),
            "userid=desk&branchcode=CPL&pending=false&timestamp=2026-11-23+10%3A00%3A00&action=issue&cardnumber=P1&barcode=B1\
             &password=letmein&nocookie=true&branch=CPL"
        );
        assert_eq!(request.session, None);
    }

    #[test]
    fn from_24_05_the_session_shows_who_sends() {
        let session = Session { cookie: Secret::new("c"), csrf_token: Some(Secret::new("t")) };
        let request = commit(&settings(CommitType::Send), &Access::Session(session.clone()), &issue());
        assert_eq!(
            request.body().unwrap(),
            "userid=desk&branchcode=CPL&pending=true&timestamp=2026-11-23+10%3A00%3A00&action=issue&cardnumber=P1&barcode=B1"
        );
        assert_eq!(request.session, Some(session));
    }

    #[test]
    fn no_request_carries_a_parameter_op() {
        // Koha's CSRF middleware refuses POSTs whose `op` does not begin with `cud-`.
        for request in [
            commit(&settings(CommitType::Send), &Access::Credentials, &issue()),
            check_credentials(&settings(CommitType::Send), None),
        ] {
            assert!(request.form.iter().all(|(key, _)| *key != "op"));
        }
    }

    #[test]
    fn checking_the_credentials_can_do_nothing_else() {
        let request = check_credentials(&settings(CommitType::Send), None);
        assert!(request.form.iter().all(|(key, _)| *key != "action"));
        assert!(request.form.contains(&("pending", "false".to_owned())));
    }

    #[test]
    fn only_the_exact_words_count() {
        let text = |body: &str| {
            read(&Response {
                status: 200,
                content_type: "text/plain; charset=utf-8".into(),
                body: body.into(),
                ..Response::default()
            })
        };
        assert_eq!(text("Added."), Answer::Added);
        assert_eq!(text("Success."), Answer::Success);
        for no in [
            "Borrower not found.",
            "Barcode not found.",
            "Item not found.",
            "Item not issued.",
            "Success. Not.",
            "success.",
        ] {
            assert_eq!(text(no), Answer::Rejected(no.into()));
        }
        assert_eq!(text("Authentication failed."), Answer::AuthenticationFailed);
        assert_eq!(text(""), Answer::Empty);
        assert_eq!(text("<!DOCTYPE html><title>Log in to Koha</title>"), Answer::Strange);
        assert_eq!(text(&"x".repeat(201)), Answer::Strange);
        let status = |status| read(&Response { status, body: "Success.".into(), ..Response::default() });
        assert_eq!(status(401), Answer::AuthenticationFailed);
        assert_eq!(status(403), Answer::TokenRefused);
        assert_eq!(status(404), Answer::Refused(404));
        assert_eq!(status(500), Answer::ServerError(500));
        assert_eq!(status(206), Answer::Strange);
    }

    proptest! {
        #[test]
        fn nothing_else_is_ever_committed(
            status in prop_oneof![Just(200), 0..1000_u16],
            content_type in ".{0,20}",
            body in "(Added|Success)\\.|[ \n]?(Added|added|Success|SUCCESS)[.!]{0,2}[ \nA-Z]{0,2}|\\PC*",
        ) {
            let exact = status == 200 && (body == "Added." || body == "Success.");
            let answer = read(&Response { status, content_type, body, ..Response::default() });
            prop_assert_eq!(matches!(answer, Answer::Added | Answer::Success), exact);
        }
    }
}
