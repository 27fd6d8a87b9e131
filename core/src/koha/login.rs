//! A session of KOCT's own, by Koha's own login form: from 24.05 the REST API is read with it.
//!
//! `svc/authentication` takes only accounts that may edit the catalogue; the form of a staff page takes every account that
//! may see the page (observed). The main page needs `catalogue`, the queue of pending operations `circulate`; KOCT tries both.
//! An account that may see neither, or that has a second factor, gets no session, and nothing is read with it.
//!
//! The same pages say who is logged in in a person's own Koha tab ([`WhoIsThere`]).

use super::{
    Request, Response, Session,
    front::Front,
    page::{self, LoggedIn},
};
use crate::settings::form::{ServerUrl, Settings};

/// The pages at which an account may log in, in the order in which they are tried.
const PAGES: &[&str] = &["/cgi-bin/koha/mainpage.pl", QUEUE[0]];

/// The page of the queue alone: an account that was refused at another page before has a session there, and gets none here.
const QUEUE: &[&str] = &["/cgi-bin/koha/offline_circ/list.pl"];

/// A login by form that is under way.
#[derive(Debug, Clone)]
pub struct FormLogin {
    anonymous: Session,
    pages: &'static [&'static str],
    tried: usize,
}

/// What follows an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginStep {
    /// Make this request.
    Request(Request),
    /// Logged in.
    Session(Session),
    /// Koha gives this account no session here.
    Refused,
}

impl FormLogin {
    /// Starts within the session in which nobody is logged in. The password is known to be right: a wrong one would count
    /// against the account at each page.
    pub fn start(settings: &Settings, anonymous: Session) -> (Self, Request) {
        Self::start_at(PAGES, settings, anonymous)
    }

    /// As [`FormLogin::start`], for whoever must see the queue.
    pub fn start_at_queue(settings: &Settings, anonymous: Session) -> (Self, Request) {
        Self::start_at(QUEUE, settings, anonymous)
    }

    fn start_at(pages: &'static [&'static str], settings: &Settings, anonymous: Session) -> (Self, Request) {
        let login = Self { anonymous, pages, tried: 0 };
        let request = login.request(settings, pages[0]);
        (login, request)
    }

    fn request(&self, settings: &Settings, page: &str) -> Request {
        let form = vec![
            // The newest source calls `op` `login_op`.
            ("op", "cud-login".to_owned()),
            ("login_op", "cud-login".to_owned()),
            ("koha_login_context", "intranet".to_owned()),
            ("login_userid", settings.username.clone()),
            ("login_password", settings.password.reveal().to_owned()),
            ("branch", settings.branchcode.clone()),
        ];
        Request::post(settings.server.join(page), form).within(Some(self.anonymous.clone()))
    }

    /// Takes the answer to the request that was made last.
    pub fn handle(&mut self, settings: &Settings, response: &Response) -> LoginStep {
        if let (Some(who), Some(cookie)) = (page::logged_in(response), response.session_cookie.clone()) {
            return LoginStep::Session(Session { cookie, csrf_token: who.csrf_token });
        }
        // A refused login brings a new anonymous session, with its own token.
        if let (Some(cookie), Some(token)) = (response.session_cookie.clone(), page::csrf_token(&response.body)) {
            self.anonymous = Session { cookie, csrf_token: Some(token) };
        }
        self.tried += 1;
        match self.pages.get(self.tried) {
            Some(page) if response.status == 200 => LoginStep::Request(self.request(settings, page)),
            _ => LoginStep::Refused,
        }
    }
}

/// The question who is logged in to Koha in this browser. It only looks at pages: Koha's login service would delete the session
/// of somebody without cataloguing rights.
#[derive(Debug, Clone, Default)]
pub struct WhoIsThere {
    tried: usize,
}

/// What follows an answer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Make this request.
    Request(Request),
    /// Somebody, with their session.
    Person {
        /// Who, and where.
        who: LoggedIn,
        /// Their session.
        session: Session,
        /// Whether they may see the catalogue.
        reads: bool,
    },
    /// Koha, or a single sign-on in front of it, asks who is there.
    Nobody,
    /// It is no page of Koha's.
    Foreign,
}

impl WhoIsThere {
    /// Starts.
    pub fn start(server: &ServerUrl) -> (Self, Request) {
        (Self::default(), Self::request(server, PAGES[0]))
    }

    fn request(server: &ServerUrl, page: &str) -> Request {
        Request { in_persons_session: true, ..Request::get(server.join(page)) }
    }

    /// Takes the answer to the request that was made last.
    pub fn handle(&mut self, server: &ServerUrl, response: &Response) -> Who {
        if let (Some(who), Some(cookie)) = (page::logged_in(response), response.persons_cookie.clone()) {
            let session = Session { cookie, csrf_token: who.csrf_token.clone() };
            return Who::Person { who, session, reads: self.tried == 0 };
        }
        if !page::is_login(response) {
            return if Front::of(response) == Front::LoginPage { Who::Nobody } else { Who::Foreign };
        }
        // Koha shows its login form also to somebody who may not see the page.
        self.tried += 1;
        match PAGES.get(self.tried) {
            Some(page) if response.persons_cookie.is_some() => Who::Request(Self::request(server, page)),
            _ => Who::Nobody,
        }
    }
}

/// Ends a session.
pub fn log_out(settings: &Settings, session: &Session) -> Request {
    Request::get(settings.server.join("/cgi-bin/koha/mainpage.pl?logout.x=1")).within(Some(session.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::form::{CommitType, Secret};

    fn settings() -> Settings {
        Settings::for_tests(CommitType::Send)
    }

    fn session(cookie: &str, token: &str) -> Session {
        Session { cookie: Secret::new(cookie), csrf_token: Some(Secret::new(token)) }
    }

    fn staff_page(cookie: Option<&str>) -> Response {
        let body =
            "<!DOCTYPE html><meta name=\"csrf-token\" content=\"t2\"><span class=\"loggedinusername\">desk</span>";
        Response {
            status: 200,
            content_type: "text/html".into(),
            body: body.into(),
            session_cookie: cookie.map(Secret::new),
            ..Response::default()
        }
    }

    fn login_page() -> Response {
        let body = "<!DOCTYPE html><title>Log in to Koha</title><meta name=\"csrf-token\" content=\"t1\">";
        Response { body: body.into(), ..staff_page(Some("anonymous 2")) }
    }

    #[test]
    fn logs_in_where_the_account_may_see_the_page() {
        let (mut login, first) = FormLogin::start(&settings(), session("anonymous", "t0"));
        assert!(first.url.ends_with("/mainpage.pl") && !first.url.contains("letmein"));
        assert_eq!(first.session, Some(session("anonymous", "t0")));
        let LoginStep::Request(second) = login.handle(&settings(), &login_page()) else { panic!() };
        assert!(second.url.ends_with("/offline_circ/list.pl"));
        assert_eq!(second.session, Some(session("anonymous 2", "t1")), "the new one, with its own token");
        assert_eq!(login.handle(&settings(), &staff_page(Some("ours"))), LoginStep::Session(session("ours", "t2")));
    }

    #[test]
    fn gives_up_where_koha_does() {
        let start = || FormLogin::start(&settings(), session("anonymous", "t0")).0;
        let mut refused = start();
        assert!(matches!(refused.handle(&settings(), &login_page()), LoginStep::Request(_)));
        assert_eq!(refused.handle(&settings(), &login_page()), LoginStep::Refused);
        let trouble = Response { status: 403, ..login_page() };
        assert_eq!(start().handle(&settings(), &trouble), LoginStep::Refused, "not asked in vain once more");
        let without_session = staff_page(None);
        assert!(matches!(start().handle(&settings(), &without_session), LoginStep::Request(_)), "not logged in by it");
    }

    #[test]
    fn ends_a_session_by_its_cookie() {
        let request = log_out(&settings(), &session("ours", "t2"));
        assert_eq!(request.session, Some(session("ours", "t2")));
        assert!(!request.url.contains("ours"));
    }
}
