//! Getting ready to send: finds the era, logs in, and checks what can be checked, one request at a time.
//!
//! ```text
//! probe ──► (from 24.05) log in ──────────────► libraries ──► Ready
//!       └─► (before)     check credentials ──┘
//! ```

use super::{
    Failure, Request, Response, Session,
    authentication::{self, AuthStatus},
    rest::{self, Libraries},
    service::{self, Access},
};
use crate::settings::form::Settings;

/// What follows an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Make this request.
    Request(Request),
    /// Ready to send.
    Ready(Ready),
    /// It cannot be done, and why.
    Failed(ConnectionError),
}

/// A connection that works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// How requests show who sends them.
    pub access: Access,
    /// The libraries, where Koha gives them to this account.
    pub libraries: Option<Libraries>,
}

/// Why Koha cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionError {
    /// No answer.
    NoAnswer(Failure),
    /// Something answers, but not Koha.
    NotKoha {
        /// The HTTP status of the answer.
        status: u16,
    },
    /// Koha is being updated.
    Maintenance,
    /// User name or password are wrong, or the account is locked.
    WrongCredentials,
    /// The account may not log in this way: Koha from 24.05 asks for the permission to edit the catalogue.
    PermissionMissing,
    /// Koha refused the login without saying whether for the credentials or for the permission.
    LoginRefused,
    /// The account's password must be renewed in Koha first.
    PasswordExpired,
    /// The account has a second factor, which KOCT cannot give.
    SecondFactor,
    /// Koha answered 403 although the token was fresh.
    TokenRefused,
    /// Koha answered with a server error.
    ServerError {
        /// The HTTP status.
        status: u16,
    },
}

#[derive(Debug, Clone)]
enum State {
    Probing,
    LoggingIn { anonymous: Option<Session> },
    TellingApart,
    CheckingCredentials,
    ListingLibraries { access: Access, paged: bool },
}

/// A connection being made.
#[derive(Debug, Clone)]
pub struct Connection {
    settings: Settings,
    /// Whether a refused login is looked into. That costs a second attempt, and Koha may lock an account after a few, so
    /// only "Test connection" does it.
    thorough: bool,
    state: State,
}

impl Connection {
    /// Starts for a commit.
    pub fn start(settings: Settings) -> (Self, Request) {
        Self::new(settings, false)
    }

    /// Starts for "Test connection": a refused login is looked into.
    pub fn test(settings: Settings) -> (Self, Request) {
        Self::new(settings, true)
    }

    fn new(settings: Settings, thorough: bool) -> (Self, Request) {
        let request = authentication::probe(&settings);
        (Self { settings, thorough, state: State::Probing }, request)
    }

    /// Takes the answer to the request that was made last.
    pub fn handle(&mut self, answer: Result<Response, Failure>) -> Next {
        let response = match answer {
            Ok(response) => response,
            // Only a convenience: everything that matters is settled by now.
            Err(_) if matches!(self.state, State::ListingLibraries { .. }) => Response::default(),
            Err(failure) => return Next::Failed(ConnectionError::NoAnswer(failure)),
        };
        match self.state.clone() {
            State::Probing => self.probed(&response),
            State::LoggingIn { anonymous } => self.logged_in(&response, anonymous),
            State::TellingApart => Next::Failed(match service::read(&response) {
                service::Answer::Empty => ConnectionError::PermissionMissing,
                service::Answer::AuthenticationFailed => ConnectionError::WrongCredentials,
                _ => ConnectionError::LoginRefused,
            }),
            State::CheckingCredentials => match service::read(&response) {
                service::Answer::Empty => self.list_libraries(Access::Credentials, true),
                service::Answer::AuthenticationFailed => Next::Failed(ConnectionError::WrongCredentials),
                service::Answer::TokenRefused => Next::Failed(ConnectionError::TokenRefused),
                _ => Next::Failed(strange(&response)),
            },
            State::ListingLibraries { access, paged: true } if response.status == 400 => {
                self.list_libraries(access, false)
            }
            State::ListingLibraries { access, .. } => {
                Next::Ready(Ready { access, libraries: rest::read_libraries(&response) })
            }
        }
    }

    fn probed(&mut self, response: &Response) -> Next {
        let Some(answer) = authentication::read(response) else {
            return Next::Failed(strange(response));
        };
        if answer.status == AuthStatus::Maintenance {
            return Next::Failed(ConnectionError::Maintenance);
        }
        // Koha from 24.05 gives a token with every answer, and an anonymous session that the token belongs to.
        if response.csrf_token.is_some() {
            let request = authentication::login(&self.settings, answer.session.clone());
            self.state = State::LoggingIn { anonymous: answer.session };
            Next::Request(request)
        } else {
            self.state = State::CheckingCredentials;
            Next::Request(service::check_credentials(&self.settings, None))
        }
    }

    fn logged_in(&mut self, response: &Response, anonymous: Option<Session>) -> Next {
        if response.status == 403 {
            return Next::Failed(ConnectionError::TokenRefused);
        }
        let Some(answer) = authentication::read(response) else {
            return Next::Failed(strange(response));
        };
        match (answer.status, answer.session) {
            (AuthStatus::Ok, Some(session)) => self.list_libraries(Access::Session(session), true),
            (AuthStatus::Failed, session) if self.thorough => {
                // The refusal brought a new anonymous session, or left the old one as it was.
                let session = session.filter(|session| session.csrf_token.is_some()).or(anonymous);
                self.state = State::TellingApart;
                Next::Request(service::check_credentials(&self.settings, session))
            }
            (AuthStatus::Maintenance, _) => Next::Failed(ConnectionError::Maintenance),
            (AuthStatus::PasswordExpired, _) => Next::Failed(ConnectionError::PasswordExpired),
            (AuthStatus::SecondFactor, _) => Next::Failed(ConnectionError::SecondFactor),
            _ => Next::Failed(ConnectionError::LoginRefused),
        }
    }

    fn list_libraries(&mut self, access: Access, paged: bool) -> Next {
        let request = rest::libraries(&self.settings, &access, paged);
        self.state = State::ListingLibraries { access, paged };
        Next::Request(request)
    }
}

/// An answer that no script of Koha gives.
fn strange(response: &Response) -> ConnectionError {
    match response.status {
        status @ 500..=599 => ConnectionError::ServerError { status },
        status => ConnectionError::NotKoha { status },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        koha::{Method, NotSent},
        settings::form::{CommitType, Secret, ServerUrl},
    };

    fn settings() -> Settings {
        Settings {
            server: ServerUrl::parse("https://example.org").unwrap(),
            username: "desk".into(),
            password: Secret::new("letmein"),
            branchcode: "CPL".into(),
            commit_type: CommitType::Send,
            stale_hours: 24,
        }
    }

    fn auth(status: &str, session: Option<&str>) -> Response {
        Response {
            status: 200,
            content_type: "text/xml".into(),
            body: format!("<response><status>{status}</status></response>"),
            session_cookie: session.map(Secret::new),
            csrf_token: session.map(|session| Secret::new(format!("token of {session}"))),
            ..Response::default()
        }
    }

    fn answer(status: u16, body: &str) -> Response {
        Response { status, content_type: "text/plain".into(), body: body.into(), ..Response::default() }
    }

    fn request(next: Next) -> Request {
        match next {
            Next::Request(request) => request,
            other => panic!("expected a request, got {other:?}"),
        }
    }

    #[test]
    fn logs_in_once_from_24_05_and_uses_the_token_of_the_login() {
        let (mut connection, probe) = Connection::start(settings());
        assert_eq!((probe.method, probe.session), (Method::Get, None));
        let login = request(connection.handle(Ok(auth("failed", Some("anonymous")))));
        assert_eq!(login.session.clone().unwrap().cookie, Secret::new("anonymous"));
        assert!(login.form.contains(&("branch", "CPL".into())));
        let libraries = request(connection.handle(Ok(auth("ok", Some("ours")))));
        assert_eq!(libraries.session.clone().unwrap().cookie, Secret::new("ours"));
        let Next::Ready(ready) = connection.handle(Ok(answer(200, r#"[{"library_id":"CPL","name":"x"}]"#))) else {
            panic!()
        };
        assert_eq!(ready.libraries.unwrap().knows("CPL"), Some(true));
        assert_eq!(ready.access, Access::Session(libraries.session.unwrap()));
    }

    #[test]
    fn before_24_05_nothing_needs_a_cookie() {
        let (mut connection, _) = Connection::start(settings());
        let check = request(connection.handle(Ok(auth("failed", None))));
        assert_eq!(check.session, None);
        let libraries = request(connection.handle(Ok(answer(200, ""))));
        assert!(libraries.basic.is_some() && libraries.session.is_none());
        let plain = request(connection.handle(Ok(answer(400, "[]"))));
        assert!(!plain.url.contains('?'));
        let Next::Ready(ready) = connection.handle(Ok(answer(403, "{}"))) else { panic!() };
        assert_eq!((ready.access, ready.libraries), (Access::Credentials, None));
    }

    #[test]
    fn no_secret_is_in_an_address() {
        let (mut connection, probe) = Connection::test(settings());
        let mut addresses = vec![probe.url];
        for response in [auth("failed", Some("a")), auth("failed", Some("b"))] {
            addresses.push(request(connection.handle(Ok(response))).url);
        }
        assert!(addresses.iter().all(|address| !address.contains("letmein") && !address.contains("desk")));
    }

    #[test]
    fn a_test_tells_wrong_credentials_from_a_missing_permission() {
        for (told, trouble) in [
            (answer(200, ""), ConnectionError::PermissionMissing),
            (answer(401, ""), ConnectionError::WrongCredentials),
        ] {
            let (mut connection, _) = Connection::test(settings());
            connection.handle(Ok(auth("failed", Some("a"))));
            let check = request(connection.handle(Ok(auth("failed", Some("b")))));
            assert_eq!(check.session.clone().unwrap().cookie, Secret::new("b"));
            assert_eq!(connection.handle(Ok(told)), Next::Failed(trouble));
        }
    }

    #[test]
    fn a_commit_tries_a_refused_login_only_once() {
        let (mut connection, _) = Connection::start(settings());
        connection.handle(Ok(auth("failed", Some("a"))));
        assert_eq!(connection.handle(Ok(auth("failed", Some("b")))), Next::Failed(ConnectionError::LoginRefused));
    }

    #[test]
    fn says_what_is_in_the_way() {
        let page = Response { content_type: "text/html".into(), ..answer(200, "<!DOCTYPE html>Free wifi") };
        for (first, trouble) in [
            (Ok(page), ConnectionError::NotKoha { status: 200 }),
            (Ok(answer(404, "")), ConnectionError::NotKoha { status: 404 }),
            (Ok(answer(502, "")), ConnectionError::ServerError { status: 502 }),
            (Ok(auth("maintenance", None)), ConnectionError::Maintenance),
            (Err(Failure::NotSent(NotSent::Refused)), ConnectionError::NoAnswer(Failure::NotSent(NotSent::Refused))),
            (Err(Failure::TimedOut), ConnectionError::NoAnswer(Failure::TimedOut)),
        ] {
            let (mut connection, _) = Connection::start(settings());
            assert_eq!(connection.handle(first), Next::Failed(trouble));
        }
        let (mut connection, _) = Connection::start(settings());
        connection.handle(Ok(auth("failed", None)));
        assert_eq!(connection.handle(Ok(answer(401, ""))), Next::Failed(ConnectionError::WrongCredentials));
    }
}
