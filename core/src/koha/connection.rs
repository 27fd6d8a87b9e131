//! Getting ready to send: finds the era, checks the account, and finds out what can be read, one request at a time.
//!
//! ```text
//! probe ──► check credentials ──► a token for the API key, or else (from 24.05) log in for reading ──► libraries
//!       ──► (for a commit) is the plugin there? ──► Ready
//! ```
//! Sending needs no more than name and password. What is read besides (the libraries, what became of transactions in doubt)
//! is a convenience, and an account that may not read commits all the same.
//!
//! In the session of a person's own Koha tab it is shorter: `who is there ──► check the session ──► libraries ──► Ready`.

use super::{
    Failure, Request, Response, authentication,
    front::Front,
    key,
    login::{self, FormLogin, Who, WhoIsThere},
    plugin,
    rest::{self, Libraries, RestCredentials},
    service::{self, Access},
};
use crate::settings::form::{Login, Settings};
use std::time::Duration;

/// What follows an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionStep {
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
    /// How the REST API is read, where it can be.
    pub reading: Option<RestCredentials>,
    /// The libraries, where Koha gives them to this account.
    pub libraries: Option<Libraries>,
    /// Whether the [`plugin`] is there for whoever reads. Only where it was looked for.
    pub has_plugin: bool,
}

impl Ready {
    /// Ends the session that was made for reading, if one was.
    pub fn log_out(&self, settings: &Settings) -> Option<Request> {
        match &self.reading {
            Some(RestCredentials::Session(session)) => Some(login::log_out(settings, session)),
            // A person is never logged out.
            Some(RestCredentials::Persons(_) | RestCredentials::Basic | RestCredentials::Token(_)) | None => None,
        }
    }
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
        /// Who answers.
        front: Front,
    },
    /// Koha is being updated.
    Maintenance,
    /// User name or password are wrong, or the account is locked.
    WrongCredentials,
    /// Nobody is logged in to Koha in this browser.
    NobodyLoggedIn,
    /// Koha answered 403 although the token was fresh.
    TokenRefused,
    /// Koha, or a server in front of it, asks to come back after this time.
    Busy(Duration),
    /// Koha gives this account no session with which anything could be read.
    NotReadable,
    /// Koha answered with a server error.
    ServerError {
        /// The HTTP status.
        status: u16,
    },
}

#[derive(Debug, Clone)]
enum State {
    Probing,
    AskingWho(WhoIsThere),
    CheckingCredentials { access: Access, reading: Option<RestCredentials> },
    GettingToken { access: Access },
    LoggingIn { access: Access, login: FormLogin },
    ListingLibraries { access: Access, reading: RestCredentials, paged: bool },
    LookingForPlugin { access: Access, reading: RestCredentials, libraries: Option<Libraries> },
}

/// A connection being made.
#[derive(Debug, Clone)]
pub struct Connection {
    settings: Settings,
    state: State,
    /// It is for the queue: the account logs in there.
    to_queue: bool,
    /// Whether the plugin is to be looked for.
    looks_for_plugin: bool,
}

impl Connection {
    /// Starts.
    pub fn start(settings: Settings) -> (Self, Request) {
        let (state, request) = match settings.login {
            Login::Account => (State::Probing, authentication::probe(&settings)),
            Login::OpenKoha => {
                let (who, request) = WhoIsThere::start(&settings.server);
                (State::AskingWho(who), request)
            }
        };
        (Self { settings, state, to_queue: false, looks_for_plugin: false }, request)
    }

    /// As [`Connection::start`], to read and process the queue, which an API key cannot.
    pub fn start_to_queue(settings: Settings) -> (Self, Request) {
        let (connection, request) = Self::start(Settings { key: None, ..settings });
        (Self { to_queue: true, ..connection }, request)
    }

    /// As [`Connection::start`], to commit; with a look for the plugin unless it is known whether it is there.
    pub fn start_to_commit(settings: Settings, looks_for_plugin: bool) -> (Self, Request) {
        let (connection, request) = Self::start(settings);
        (Self { looks_for_plugin, ..connection }, request)
    }

    /// Takes the answer to the request that was made last.
    pub fn handle(&mut self, answer: Result<Response, Failure>) -> ConnectionStep {
        // What is only read for convenience is not there then.
        let reads = matches!(
            self.state,
            State::GettingToken { .. }
                | State::LoggingIn { .. }
                | State::ListingLibraries { .. }
                | State::LookingForPlugin { .. }
        );
        let response = match answer {
            Err(Failure::Redirected { to }) if matches!(self.state, State::AskingWho(_)) => {
                return ConnectionStep::Failed(redirected(to.as_deref()));
            }
            Err(failure) if !reads => return ConnectionStep::Failed(ConnectionError::NoAnswer(failure)),
            answer => answer.unwrap_or_default(),
        };
        match self.state.clone() {
            State::Probing => self.probed(&response),
            State::AskingWho(who) => self.told_who(who, &response),
            State::CheckingCredentials { access, reading } => match service::read(&response) {
                service::Answer::Empty => self.accepted(access, reading),
                // They have just logged out.
                service::Answer::AuthenticationFailed if access.person().is_some() => {
                    ConnectionStep::Failed(ConnectionError::NobodyLoggedIn)
                }
                service::Answer::AuthenticationFailed => ConnectionStep::Failed(ConnectionError::WrongCredentials),
                service::Answer::TokenRefused => ConnectionStep::Failed(ConnectionError::TokenRefused),
                _ => ConnectionStep::Failed(foreign(&response)),
            },
            State::GettingToken { access } => match key::read(&response) {
                Some(token) => self.list_libraries(access, RestCredentials::Token(token), true),
                None => self.read_as_account(access),
            },
            State::LoggingIn { access, mut login } => match login.handle(&self.settings, &response) {
                login::LoginStep::Request(request) => {
                    self.state = State::LoggingIn { access, login };
                    ConnectionStep::Request(request)
                }
                login::LoginStep::Session(session) => {
                    self.list_libraries(access, RestCredentials::Session(session), true)
                }
                login::LoginStep::Refused => ConnectionStep::Ready(ready(access, None, None)),
            },
            State::ListingLibraries { access, reading, paged: true } if response.status == 400 => {
                self.list_libraries(access, reading, false)
            }
            State::ListingLibraries { access, reading, .. } => {
                let libraries = rest::read_libraries(&response);
                // A person is who their tab says, and where, at each request; to the plugin only an account is known.
                if self.looks_for_plugin && access.person().is_none() {
                    let request = plugin::look_for(&self.settings, &reading);
                    self.state = State::LookingForPlugin { access, reading, libraries };
                    return ConnectionStep::Request(request);
                }
                ConnectionStep::Ready(ready(access, Some(reading), libraries))
            }
            State::LookingForPlugin { access, reading, libraries } => {
                let has_plugin = plugin::is_there(&response);
                ConnectionStep::Ready(Ready { has_plugin, ..ready(access, Some(reading), libraries) })
            }
        }
    }

    fn probed(&mut self, response: &Response) -> ConnectionStep {
        let Some(answer) = authentication::read(response) else {
            return ConnectionStep::Failed(foreign(response));
        };
        if answer.is_maintenance {
            return ConnectionStep::Failed(ConnectionError::Maintenance);
        }
        self.check_credentials(Access::Account { anonymous: answer.anonymous }, None)
    }

    fn told_who(&mut self, mut asked: WhoIsThere, response: &Response) -> ConnectionStep {
        match asked.handle(&self.settings.server, response) {
            Who::Request(request) => {
                self.state = State::AskingWho(asked);
                ConnectionStep::Request(request)
            }
            Who::Person { who, session, reads } => {
                let reading = reads.then(|| RestCredentials::Persons(session.clone()));
                self.check_credentials(Access::Person { who, session }, reading)
            }
            Who::Nobody => ConnectionStep::Failed(ConnectionError::NobodyLoggedIn),
            Who::Foreign => ConnectionStep::Failed(foreign(response)),
        }
    }

    fn check_credentials(&mut self, access: Access, reading: Option<RestCredentials>) -> ConnectionStep {
        let request = service::check_credentials(&self.settings, &access);
        self.state = State::CheckingCredentials { access, reading };
        ConnectionStep::Request(request)
    }

    fn accepted(&mut self, access: Access, reading: Option<RestCredentials>) -> ConnectionStep {
        match (reading, &self.settings.key) {
            (Some(reading), _) => self.list_libraries(access, reading, true),
            (None, Some(key)) => {
                let request = key::request(&self.settings, key);
                self.state = State::GettingToken { access };
                ConnectionStep::Request(request)
            }
            (None, None) => self.read_as_account(access),
        }
    }

    /// Reads as whoever sends. Where that cannot be, it is sent all the same.
    fn read_as_account(&mut self, access: Access) -> ConnectionStep {
        match &access {
            Access::Person { .. } => ConnectionStep::Ready(ready(access, None, None)),
            Access::Account { anonymous: None } => self.list_libraries(access, RestCredentials::Basic, true),
            Access::Account { anonymous: Some(anonymous) } => {
                let start = if self.to_queue { FormLogin::start_at_queue } else { FormLogin::start };
                let (login, request) = start(&self.settings, anonymous.clone());
                self.state = State::LoggingIn { access, login };
                ConnectionStep::Request(request)
            }
        }
    }

    fn list_libraries(&mut self, access: Access, reading: RestCredentials, paged: bool) -> ConnectionStep {
        let request = rest::libraries(&self.settings, &reading, paged);
        self.state = State::ListingLibraries { access, reading, paged };
        ConnectionStep::Request(request)
    }
}

fn ready(access: Access, reading: Option<RestCredentials>, libraries: Option<Libraries>) -> Ready {
    Ready { access, reading, libraries, has_plugin: false }
}

/// What it means that a staff page sends us elsewhere: Koha does so while it is updated, and else it is somebody who wants to
/// know first who is there.
fn redirected(to: Option<&str>) -> ConnectionError {
    let is_kohas = |to: &str| ["/installer/", "/maintenance.pl"].iter().any(|part| to.contains(part));
    if to.is_some_and(is_kohas) { ConnectionError::Maintenance } else { ConnectionError::NobodyLoggedIn }
}

/// An answer that no script of Koha gives.
fn foreign(response: &Response) -> ConnectionError {
    let front = Front::of(response);
    match (response.status, response.retry_after) {
        (429 | 503, Some(after)) => ConnectionError::Busy(after),
        (status @ 500..=599, _) if front != Front::BotWall => ConnectionError::ServerError { status },
        (status, _) => ConnectionError::NotKoha { status, front },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        koha::{Era, Method, NotSent, Session, page::LoggedIn},
        settings::form::{CommitType, Login, Secret},
    };

    fn settings() -> Settings {
        Settings::for_tests(CommitType::Send)
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

    fn html(status: u16, body: &str) -> Response {
        Response { content_type: "text/html".into(), ..answer(status, body) }
    }

    fn staff_page() -> Response {
        let body = "<!DOCTYPE html><span class=\"loggedinusername\">desk</span>";
        Response { session_cookie: Some(Secret::new("ours")), ..html(200, body) }
    }

    fn request(next: ConnectionStep) -> Request {
        match next {
            ConnectionStep::Request(request) => request,
            other => panic!("expected a request, got {other:?}"),
        }
    }

    fn ready(next: ConnectionStep) -> Ready {
        match next {
            ConnectionStep::Ready(ready) => ready,
            other => panic!("expected to be ready, got {other:?}"),
        }
    }

    #[test]
    fn reads_with_the_api_key_and_without_it_where_koha_refuses_it() {
        let key = Some(crate::ApiKey { id: "key".into(), secret: Secret::new("s3cret") });
        let token = r#"{"access_token": "a token", "expires_in": 3600}"#;
        for (session, then) in [(Some("anonymous"), Method::Post), (None, Method::Get)] {
            for given in [true, false] {
                let (mut connection, _) = Connection::start(Settings { key: key.clone(), ..settings() });
                request(connection.handle(Ok(auth("failed", session))));
                let asked = request(connection.handle(Ok(answer(200, ""))));
                assert!(asked.url.ends_with("/api/v1/oauth/token") && !asked.url.contains("s3cret"), "{}", asked.url);
                assert_eq!(asked.session, None);
                let next = connection.handle(if given { Ok(answer(200, token)) } else { Err(Failure::Lost) });
                let next = request(next);
                if given {
                    assert_eq!(next.bearer, Some(Secret::new("a token")));
                    let ready = ready(connection.handle(Ok(answer(200, "[]"))));
                    assert_eq!(ready.reading, Some(RestCredentials::Token(Secret::new("a token"))));
                    assert_eq!(ready.log_out(&settings()), None);
                } else {
                    // The form of a session of its own, or the list of libraries.
                    assert_eq!((next.method, next.bearer), (then, None));
                }
            }
        }
    }

    #[test]
    fn from_24_05_sends_without_a_login_and_reads_with_one() {
        let (mut connection, probe) = Connection::start(settings());
        assert_eq!((probe.method, probe.session), (Method::Get, None));
        let check = request(connection.handle(Ok(auth("failed", Some("anonymous")))));
        let anonymous = check.session.clone();
        assert_eq!(anonymous.clone().unwrap().cookie, Secret::new("anonymous"));
        let login = request(connection.handle(Ok(answer(200, ""))));
        assert_eq!(login.session, anonymous);
        let libraries = request(connection.handle(Ok(staff_page())));
        assert_eq!(libraries.session.clone().unwrap().cookie, Secret::new("ours"));
        let ready = ready(connection.handle(Ok(answer(200, r#"[{"library_id":"CPL","name":"x"}]"#))));
        assert_eq!(ready.libraries.as_ref().unwrap().knows("CPL"), Some(true));
        assert_eq!(ready.access, Access::Account { anonymous });
        assert_eq!(ready.log_out(&settings()).unwrap().session, libraries.session);
    }

    #[test]
    fn the_plugin_is_looked_for_where_it_is_wanted_and_its_absence_is_in_nobodys_way() {
        let there = Ok(answer(200, "{\"results\":[]}"));
        let absent =
            [Ok(html(404, "<h2>Error 404</h2>")), Ok(answer(403, "{}")), Err(Failure::Lost), Ok(answer(200, ""))];
        for (found, has_plugin) in absent.map(|absent| (absent, false)).into_iter().chain([(there, true)]) {
            let (mut connection, _) = Connection::start_to_commit(settings(), true);
            connection.handle(Ok(auth("failed", None)));
            connection.handle(Ok(answer(200, "")));
            let looks = request(connection.handle(Ok(answer(200, "[]"))));
            assert!(looks.json.is_some() && looks.basic.is_some(), "{looks:?}");
            let ready = ready(connection.handle(found));
            assert_eq!(
                (ready.has_plugin, ready.reading.is_some(), ready.libraries.is_some()),
                (has_plugin, true, true)
            );
        }
        let (mut connection, _) = Connection::start_to_commit(settings(), false);
        connection.handle(Ok(auth("failed", None)));
        connection.handle(Ok(answer(200, "")));
        assert!(!ready(connection.handle(Ok(answer(200, "[]")))).has_plugin);
    }

    #[test]
    fn an_account_that_koha_gives_no_session_commits_all_the_same() {
        for refusal in [Ok(html(200, "<title>Log in to Koha</title>")), Ok(answer(500, "")), Err(Failure::TimedOut)] {
            let (mut connection, _) = Connection::start(settings());
            connection.handle(Ok(auth("failed", Some("anonymous"))));
            request(connection.handle(Ok(answer(200, ""))));
            let mut next = connection.handle(refusal.clone());
            if let ConnectionStep::Request(_) = next {
                next = connection.handle(refusal);
            }
            let ready = ready(next);
            assert_eq!(ready.access.era(), Era::From2405);
            assert!(ready.reading.is_none() && ready.libraries.is_none());
            assert_eq!(ready.log_out(&settings()), None);
        }
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
        let ready = ready(connection.handle(Ok(answer(403, "{}"))));
        assert_eq!((ready.access.era(), ready.libraries.clone()), (Era::Before2405, None));
        assert_eq!(ready.log_out(&settings()), None, "there is no session");
    }

    #[test]
    fn no_secret_is_in_an_address() {
        let (mut connection, probe) = Connection::start(settings());
        let mut addresses = vec![probe.url];
        for response in [auth("failed", Some("a")), answer(200, ""), staff_page()] {
            addresses.push(request(connection.handle(Ok(response))).url);
        }
        assert!(addresses.iter().all(|address| !address.contains("letmein") && !address.contains("desk")));
    }

    #[test]
    fn says_what_is_in_the_way() {
        let not_koha = |status, front| ConnectionError::NotKoha { status, front };
        for (first, error) in [
            (Ok(html(200, "<!DOCTYPE html>Free wifi")), not_koha(200, Front::Other)),
            (Ok(html(200, "<!DOCTYPE html><script>KOHA_INIT")), not_koha(200, Front::BotWall)),
            (Ok(answer(404, "")), not_koha(404, Front::Other)),
            (Ok(answer(429, "")), not_koha(429, Front::TooManyRequests)),
            (Ok(Response { asks_for_password: true, ..answer(401, "") }), not_koha(401, Front::BasicLogin)),
            (Ok(Response { retry_after: Some(MINUTE), ..answer(429, "") }), ConnectionError::Busy(MINUTE)),
            (Ok(Response { retry_after: Some(MINUTE), ..answer(503, "") }), ConnectionError::Busy(MINUTE)),
            (Ok(answer(502, "")), ConnectionError::ServerError { status: 502 }),
            (Ok(html(503, "<!DOCTYPE html>Just a moment...")), not_koha(503, Front::BotWall)),
            (Ok(auth("maintenance", None)), ConnectionError::Maintenance),
            (Err(Failure::NotSent(NotSent::Refused)), ConnectionError::NoAnswer(Failure::NotSent(NotSent::Refused))),
            (Err(Failure::TimedOut), ConnectionError::NoAnswer(Failure::TimedOut)),
        ] {
            let (mut connection, _) = Connection::start(settings());
            assert_eq!(connection.handle(first), ConnectionStep::Failed(error));
        }
        for (check, error) in [
            (answer(401, ""), ConnectionError::WrongCredentials),
            (answer(403, "Wrong CSRF token"), ConnectionError::TokenRefused),
            (html(403, "<html>Forbidden"), not_koha(403, Front::Other)),
        ] {
            let (mut connection, _) = Connection::start(settings());
            connection.handle(Ok(auth("failed", None)));
            assert_eq!(connection.handle(Ok(check)), ConnectionStep::Failed(error));
        }
    }

    const MINUTE: Duration = Duration::from_mins(1);

    fn with_open_koha() -> (Connection, Request) {
        let settings =
            Settings { username: String::new(), password: Secret::default(), login: Login::OpenKoha, ..settings() };
        Connection::start_to_commit(settings, true)
    }

    fn persons_page(body: &str) -> Response {
        Response { persons_cookie: Some(Secret::new("theirs")), ..html(200, body) }
    }

    const LOGIN_PAGE: &str = "<!DOCTYPE html><input type=\"hidden\" name=\"koha_login_context\" value=\"intranet\">";

    #[test]
    fn a_persons_session_is_used_as_it_is_and_never_ended() {
        for (token, era) in [("", Era::Before2405), ("<meta name=\"csrf-token\" content=\"t\">", Era::From2405)] {
            let (mut connection, first) = with_open_koha();
            assert!(first.in_persons_session && first.method == Method::Get && first.url.ends_with("/mainpage.pl"));
            let page = format!(
                "<!DOCTYPE html>{token}<span class=\"loggedinusername\">anna</span><b class=\"logged-in-branch-code\">MPL</b>"
            );
            let check = request(connection.handle(Ok(persons_page(&page))));
            let csrf_token = (era == Era::From2405).then(|| Secret::new("t"));
            let session = Session { cookie: Secret::new("theirs"), csrf_token: csrf_token.clone() };
            assert_eq!(check.session.as_ref(), Some(&session));
            let libraries = request(connection.handle(Ok(answer(200, ""))));
            assert_eq!(libraries.session, Some(session));
            let ready = ready(connection.handle(Ok(answer(200, "[]"))));
            let who = LoggedIn { userid: "anna".into(), branchcode: Some("MPL".into()), csrf_token };
            assert_eq!((ready.access.person(), ready.access.era()), (Some(&who), era));
            assert_eq!(ready.log_out(&settings()), None);
        }
    }

    #[test]
    fn somebody_who_may_not_see_the_main_page_is_found_at_the_queue_and_nothing_is_read_as_them() {
        let (mut connection, _) = with_open_koha();
        let second = request(connection.handle(Ok(persons_page(LOGIN_PAGE))));
        assert!(second.in_persons_session && second.url.ends_with("/offline_circ/list.pl"));
        let queue = "<!DOCTYPE html><span class=\"loggedinusername\">anna</span>";
        request(connection.handle(Ok(persons_page(queue))));
        let ready = ready(connection.handle(Ok(answer(200, ""))));
        assert_eq!((ready.access.person().unwrap().branchcode.as_deref(), ready.reading), (None, None));
    }

    #[test]
    fn nobody_is_told_from_somebody_else_in_the_way() {
        let sign_on = Failure::Redirected { to: Some("https://idp.example.org/".into()) };
        let updating = Failure::Redirected { to: Some("/cgi-bin/koha/installer/install.pl".into()) };
        let not_koha = |status, front| ConnectionError::NotKoha { status, front };
        for (first, error) in [
            // Nobody has a session there: the queue is not asked in vain.
            (Ok(html(200, LOGIN_PAGE)), ConnectionError::NobodyLoggedIn),
            (Ok(html(200, "<html><input name=\"SAMLRequest\">")), ConnectionError::NobodyLoggedIn),
            (Err(sign_on), ConnectionError::NobodyLoggedIn),
            (Err(updating), ConnectionError::Maintenance),
            (Ok(html(200, "<!DOCTYPE html>Free wifi")), not_koha(200, Front::Other)),
            (Ok(html(200, "<!DOCTYPE html><script>KOHA_INIT")), not_koha(200, Front::BotWall)),
            (Ok(Response { retry_after: Some(MINUTE), ..html(503, "") }), ConnectionError::Busy(MINUTE)),
            (Err(Failure::TimedOut), ConnectionError::NoAnswer(Failure::TimedOut)),
        ] {
            assert_eq!(with_open_koha().0.handle(first), ConnectionStep::Failed(error));
        }
        let (mut connection, _) = with_open_koha();
        request(connection.handle(Ok(persons_page(LOGIN_PAGE))));
        assert_eq!(
            connection.handle(Ok(persons_page(LOGIN_PAGE))),
            ConnectionStep::Failed(ConnectionError::NobodyLoggedIn)
        );
        // They log out before they are asked for anything.
        let (mut connection, _) = with_open_koha();
        request(connection.handle(Ok(persons_page("<!DOCTYPE html><i class=\"loggedinusername\">anna</i>"))));
        let refused = Response { content_type: "text/plain".into(), ..answer(401, "") };
        assert_eq!(connection.handle(Ok(refused)), ConnectionStep::Failed(ConnectionError::NobodyLoggedIn));
    }
}
