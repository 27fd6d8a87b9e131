//! `offline_circ/service.pl`: takes one transaction at a time.

use super::{
    Era, Request, Response, Session, authentication,
    page::{self, LoggedIn},
};
use crate::{
    desk::transaction::Transaction,
    log::status::{NO_ITEM, NO_PATRON, NOT_ISSUED},
    settings::form::{CommitType, Settings},
};
use std::time::Duration;

const PATH: &str = "/cgi-bin/koha/offline_circ/service.pl";

/// How requests to service.pl show who sends them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// The desk's account, always by name and password in the body, so that every account can, and what is applied is booked at
    /// the desk's library: `branch` counts for every account here, while a session of Koha's login form stays at the
    /// account's own library, unless it has the permission `loggedinlibrary` (observed from 24.05). It costs Koha a look at
    /// the password and a row in its table of sessions for each transaction, as it always did before 24.05.
    Account {
        /// From 24.05: the session in which nobody is logged in, whose token lets a POST through.
        anonymous: Option<Session>,
    },
    /// A person, by the session of their own Koha tab. What is applied is booked where that session is.
    Person {
        /// Who, and where.
        who: LoggedIn,
        /// Their session.
        session: Session,
    },
}

impl Access {
    /// The era whose way this is.
    pub fn era(&self) -> Era {
        let has_token = self.session().is_some_and(|session| session.csrf_token.is_some());
        if has_token { Era::From2405 } else { Era::Before2405 }
    }

    /// The person in whose session this is.
    pub fn person(&self) -> Option<&LoggedIn> {
        match self {
            Self::Account { .. } => None,
            Self::Person { who, .. } => Some(who),
        }
    }

    fn session(&self) -> Option<&Session> {
        match self {
            Self::Account { anonymous } => anonymous.as_ref(),
            Self::Person { session, .. } => Some(session),
        }
    }
}

/// The request that brings this transaction into Koha: queued or applied, by the commit type of the settings, at the library with
/// this code.
pub fn commit(settings: &Settings, access: &Access, transaction: &Transaction, branch: &str) -> Request {
    let action = &transaction.action;
    let text = |value: Option<String>| value.unwrap_or_default();
    // `userid` among the credentials is also the account that the queue shows.
    let mut form = credentials(settings, access);
    form.extend([
        ("branchcode", branch.to_owned()),
        ("branch", branch.to_owned()),
        ("pending", settings.commit_type.pending().to_owned()),
        ("timestamp", transaction.moment.service_timestamp()),
        ("action", action.word().to_owned()),
        ("cardnumber", text(action.cardnumber().map(ToString::to_string))),
        ("barcode", text(action.barcode().map(ToString::to_string))),
    ]);
    if let Some(amount) = action.amount() {
        form.push(("amount", amount.to_string()));
    }
    Request::post(settings.server.join(PATH), form).within(access.session().cloned())
}

/// Whether service.pl takes this account: a request without an action. Koha looks at the credentials, finds nothing to do
/// and answers 200 with an empty body (observed on 19.06; by source the same in every version).
pub fn check_credentials(settings: &Settings, access: &Access) -> Request {
    let mut form = credentials(settings, access);
    form.push(("pending", CommitType::Apply.pending().to_owned()));
    Request::post(settings.server.join(PATH), form).within(access.session().cloned())
}

/// The longest name that Koha's queue keeps (the column `pending_offline_operations.userid`), in characters.
const QUEUED_USERID_LIMIT: usize = 30;

/// The account's name and password. `nocookie` keeps a wrong password from being made up for by the session of the cookie.
/// That session is what a person is known by, and before 24.05 only where no password comes with the name.
fn credentials(settings: &Settings, access: &Access) -> Vec<(&'static str, String)> {
    match access.person() {
        None => [authentication::credentials(settings), vec![("nocookie", "true".to_owned())]].concat(),
        Some(who) => vec![("userid", who.userid.chars().take(QUEUED_USERID_LIMIT).collect())],
    }
}

/// What service.pl answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Exactly `Added.`: it is in the queue.
    Added,
    /// Exactly `Success.`: it was processed.
    Success,
    /// Koha processed the request and said no, in these words: one of [`REFUSALS`].
    Rejected(&'static str),
    /// Koha's own 401, or the text that it used before 18.05: nothing was processed.
    AuthenticationFailed,
    /// Koha's own 403: the session or its CSRF token is not valid (any more). Nothing was processed.
    TokenRefused,
    /// 429 or 503, and after what time to ask again. Whoever said it, it does not tell what became of the request.
    Busy(Duration),
    /// 5xx: anything may have happened.
    ServerError(u16),
    /// 200 without a text: the action was unknown, or the answer was cut off.
    Empty,
    /// Not one of Koha's own answers, or not one that tells what became of the request.
    Strange,
}

/// Every word with which service.pl refuses (Koha: C4/Circulation.pm, `ProcessOfflineIssue` and its neighbours).
pub const REFUSALS: [&str; 4] = [NO_PATRON, NO_ITEM[0], NO_ITEM[1], NOT_ISSUED];

/// With what the CSRF middleware refuses (Koha: Koha/Middleware/CSRF.pm, and the error page that shows its words).
const TOKEN_WORDS: [&str; 3] = ["wrong_csrf_token", "Wrong CSRF token", "No CSRF token passed"];

/// Reads an answer. Only an exact `Added.` or `Success.` with status 200 counts as committed, and only what Koha alone says
/// counts as not processed: whoever stands in front of it may answer in its place after it has.
pub fn read(response: &Response) -> Answer {
    match response.status {
        200 => match response.body.as_str() {
            "Added." => Answer::Added,
            "Success." => Answer::Success,
            "Authentication failed." => Answer::AuthenticationFailed,
            text if text.trim().is_empty() => Answer::Empty,
            text => REFUSALS
                .into_iter()
                .find(|refusal| *refusal == text.trim() && !response.is_html())
                .map_or(Answer::Strange, Answer::Rejected),
        },
        429 | 503 if let Some(after) = response.retry_after => Answer::Busy(after),
        401 if is_authentication_failure(response) => Answer::AuthenticationFailed,
        403 if is_token_refusal(response) => Answer::TokenRefused,
        status @ 500..=599 => Answer::ServerError(status),
        _ => Answer::Strange,
    }
}

/// Koha's 401: its error page, or nothing at all as plain text (before 24.05, and without Plack).
fn is_authentication_failure(response: &Response) -> bool {
    let is_plain = response.body.is_empty() && response.content_type.starts_with("text/plain");
    !response.asks_for_password && (is_plain || page::is_error_page(response, 401))
}

/// Koha's 403. Its error page alone is not enough: Apache shows it for its own refusals too (`ErrorDocument`).
fn is_token_refusal(response: &Response) -> bool {
    if response.is_html() {
        page::is_error_page(response, 403) && TOKEN_WORDS.iter().any(|words| response.body.contains(words))
    } else {
        TOKEN_WORDS.contains(&response.body.trim())
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
        Settings { server: ServerUrl::parse("https://example.org/koha").unwrap(), ..Settings::for_tests(commit_type) }
    }

    fn issue() -> Transaction {
        let action =
            Action::Issue { cardnumber: Cardnumber::parse("P1").unwrap(), barcode: Barcode::parse("B1").unwrap() };
        Transaction { moment: Moment::new(1_795_428_000_547, 60).unwrap(), action }
    }

    const BEFORE_24_05: Access = Access::Account { anonymous: None };

    #[test]
    fn every_request_carries_the_credentials_in_its_body_and_no_cookie_of_a_person() {
        let request = commit(&settings(CommitType::Apply), &BEFORE_24_05, &issue(), "CPL");
        assert_eq!(request.url, "https://example.org/koha/cgi-bin/koha/offline_circ/service.pl");
        assert_eq!(
            request.body().unwrap(),
            "userid=desk&password=letmein&login_userid=desk&login_password=letmein&nocookie=true&branchcode=CPL&branch=CPL\
             &pending=false&timestamp=2026-11-23+10%3A00%3A00&action=issue&cardnumber=P1&barcode=B1"
        );
        assert_eq!(request.session, None);
    }

    #[test]
    fn from_24_05_it_goes_within_an_anonymous_session() {
        let session = Session { cookie: Secret::new("c"), csrf_token: Some(Secret::new("t")) };
        let access = Access::Account { anonymous: Some(session.clone()) };
        let request = commit(&settings(CommitType::Send), &access, &issue(), "CPL");
        assert!(request.form.contains(&("pending", "true".to_owned())));
        assert_eq!(request.session, Some(session));
        assert_eq!([BEFORE_24_05.era(), access.era()], [Era::Before2405, Era::From2405]);
    }

    #[test]
    fn a_persons_requests_go_within_their_session_and_without_a_password() {
        for csrf_token in [None, Some(Secret::new("t"))] {
            let session = Session { cookie: Secret::new("theirs"), csrf_token: csrf_token.clone() };
            let who = LoggedIn { userid: "anna".repeat(9), branchcode: Some("MPL".into()), csrf_token };
            let access = Access::Person { who, session: session.clone() };
            for request in [
                commit(&settings(CommitType::Apply), &access, &issue(), "CPL"),
                check_credentials(&settings(CommitType::Apply), &access),
            ] {
                assert_eq!(request.session.as_ref(), Some(&session));
                assert_eq!(request.form[0], ("userid", "annaannaannaannaannaannaannaan".to_owned()));
                // Each of these would make Koha look for a password, or not look at the session.
                for key in ["password", "login_userid", "login_password", "nocookie"] {
                    assert!(request.form.iter().all(|(other, _)| *other != key), "{key}");
                }
            }
        }
    }

    #[test]
    fn no_request_carries_a_parameter_op() {
        // Koha's CSRF middleware refuses POSTs whose `op` does not begin with `cud-`.
        for request in [
            commit(&settings(CommitType::Send), &BEFORE_24_05, &issue(), "CPL"),
            check_credentials(&settings(CommitType::Send), &BEFORE_24_05),
        ] {
            assert!(request.form.iter().all(|(key, _)| *key != "op"));
        }
    }

    #[test]
    fn checking_the_credentials_can_do_nothing_else() {
        let request = check_credentials(&settings(CommitType::Send), &BEFORE_24_05);
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
        for no in REFUSALS {
            assert_eq!(text(no), Answer::Rejected(no));
        }
        for near in [" Added.", "Added.\n", "Added. ", "\nSuccess.", "Success.\r\n", "\u{feff}Success.", "Success"] {
            assert_eq!(text(near), Answer::Strange, "{near:?}");
        }
        for foreign in ["Success. Not.", "success.", "Access denied by policy", "error code: 1015", "Item not found"] {
            assert_eq!(text(foreign), Answer::Strange, "{foreign}");
        }
        assert_eq!(text("Authentication failed."), Answer::AuthenticationFailed);
        assert_eq!(text(""), Answer::Empty);
        assert_eq!(text("<!DOCTYPE html><title>Log in to Koha</title>"), Answer::Strange);
        let status = |status| read(&Response { status, body: "Success.".into(), ..Response::default() });
        assert_eq!(status(500), Answer::ServerError(500));
        assert_eq!(status(503), Answer::ServerError(503), "it does not say for how long");
        assert_eq!([206, 302, 401, 403, 404, 413, 429].map(status), [const { Answer::Strange }; 7]);
    }

    #[test]
    fn only_kohas_own_words_say_that_nothing_was_processed() {
        let answer = |status, content_type: &str, body: &str| Response {
            status,
            content_type: content_type.into(),
            body: body.into(),
            ..Response::default()
        };
        let page = |status: u16, words: &str| {
            let body = format!("<html><title>Error {status} &rsaquo; Koha</title><body id=\"err_{status}\">{words}");
            answer(status, "text/html; charset=UTF-8", &body)
        };
        for ours in [answer(401, "text/plain; charset=utf-8", ""), page(401, "")] {
            assert_eq!(read(&ours), Answer::AuthenticationFailed, "{ours:?}");
        }
        for ours in [
            answer(403, "text/plain", "Wrong CSRF token"),
            page(403, "<div class=\"wrong_csrf_token\">"),
            page(403, "No CSRF token passed"),
        ] {
            assert_eq!(read(&ours), Answer::TokenRefused, "{ours:?}");
        }
        for foreign in [
            answer(401, "text/html", ""),
            answer(401, "text/plain", "Unauthorized"),
            answer(401, "text/html", "<html><title>401 Authorization Required</title>nginx"),
            Response { asks_for_password: true, ..answer(401, "text/plain", "") },
            answer(403, "text/plain", ""),
            answer(403, "text/html", "<html><title>403 Forbidden</title>wrong_csrf_token"),
            page(403, "Apache's own, in Koha's page"),
            page(404, ""),
        ] {
            assert_eq!(read(&foreign), Answer::Strange, "{foreign:?}");
        }
    }

    #[test]
    fn waits_only_where_it_is_told_for_how_long() {
        let told = |status| Response { status, retry_after: Some(Duration::from_secs(30)), ..Response::default() };
        for status in [429, 503] {
            assert_eq!(read(&told(status)), Answer::Busy(Duration::from_secs(30)));
        }
        assert_eq!(read(&told(500)), Answer::ServerError(500));
        assert_eq!(read(&Response { body: "Added.".into(), ..told(200) }), Answer::Added);
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
