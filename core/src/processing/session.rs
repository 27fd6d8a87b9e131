//! The session in which the queue is read and processed: one of our own that is ended, or a person's, which never is.

use crate::{
    koha::{
        self, Failure, Request, Response,
        connection::{self, Connection, ConnectionError, Ready},
        login,
        pending::{self, NotRead, Page, Visit},
        rest::RestCredentials,
        service::Access,
    },
    settings::form::Settings,
};

/// The way to it.
#[derive(Debug, Clone)]
pub(super) struct Way(Box<Connection>);

/// What follows an answer.
pub(super) enum SessionStep {
    /// Make this request.
    Request(Request),
    /// There it is.
    Ready(Box<QueueSession>),
    /// It cannot be had.
    Failed(ConnectionError),
}

/// A session that can be used, or will be with the first look at the queue.
#[derive(Debug, Clone)]
pub(super) struct QueueSession {
    /// How the queue is looked at.
    pub(super) visit: Visit,
    /// The session; absent before the first look, where that makes it.
    within: Option<koha::Session>,
    is_ours: bool,
    /// How Koha's loans are read, where they can be.
    pub(super) reading: Option<RestCredentials>,
}

impl Way {
    pub(super) fn start(settings: &Settings) -> (Self, Request) {
        let (connection, request) = Connection::start_to_queue(settings.clone());
        (Self(Box::new(connection)), request)
    }

    pub(super) fn handle(&mut self, answer: Result<Response, Failure>) -> SessionStep {
        match self.0.handle(answer) {
            connection::ConnectionStep::Request(request) => SessionStep::Request(request),
            connection::ConnectionStep::Failed(error) => SessionStep::Failed(error),
            connection::ConnectionStep::Ready(ready) => QueueSession::of(ready)
                .map_or(SessionStep::Failed(ConnectionError::NotReadable), |session| {
                    SessionStep::Ready(Box::new(session))
                }),
        }
    }
}

impl QueueSession {
    /// `None` where Koha gives this account none.
    fn of(ready: Ready) -> Option<Self> {
        let within = |credentials: RestCredentials| Visit::Within(credentials);
        match (ready.access, ready.reading) {
            (Access::Person { session, .. }, reading) => Some(Self {
                visit: within(RestCredentials::Persons(session.clone())),
                within: Some(session),
                is_ours: false,
                reading,
            }),
            (Access::Account { .. }, Some(RestCredentials::Session(session))) => {
                let credentials = RestCredentials::Session(session.clone());
                let visit = within(credentials.clone());
                Some(Self { visit, within: Some(session), is_ours: true, reading: Some(credentials) })
            }
            (Access::Account { .. }, reading @ Some(RestCredentials::Basic)) => {
                Some(Self { visit: Visit::Password, within: None, is_ours: true, reading })
            }
            (Access::Account { .. }, _) => None,
        }
    }

    /// Reads the queue.
    ///
    /// # Errors
    /// Where it is not that of this branch.
    pub(super) fn read(&mut self, response: &Response, branchcode: &str) -> Result<Page, NotRead> {
        let read = pending::read(response, branchcode);
        let token = read.as_ref().ok().and_then(|page| page.csrf_token.clone());
        if self.visit == Visit::Password {
            let cookie = response.session_cookie.clone().ok_or(NotRead::NotLetIn)?;
            // Also where it is the queue of another branch: it is ended all the same.
            let session = koha::Session { cookie, csrf_token: token };
            self.visit = Visit::Within(RestCredentials::Session(session.clone()));
            self.within = Some(session);
            // It was asked to work for this branch, and older pages do not say for which they do.
            return read;
        }
        let page = read?;
        if let Some(session) = &mut self.within {
            session.csrf_token = token.or(session.csrf_token.take());
        }
        if page.branchcode.is_none() { Err(NotRead::Nowhere) } else { Ok(page) }
    }

    /// The session, once there is one.
    pub(super) fn session(&self) -> Option<&koha::Session> {
        self.within.as_ref()
    }

    /// Ends it, where it is ours.
    pub(super) fn log_out(&self, settings: &Settings) -> Option<Request> {
        let session = self.within.as_ref().filter(|_| self.is_ours)?;
        Some(login::log_out(settings, session))
    }
}
