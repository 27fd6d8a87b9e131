//! Logs in as records are asked for: with the API key where there is one, else with the account of the desk.

use crate::{
    koha::{
        Failure, Request, Response,
        connection::{Connection, ConnectionError, ConnectionStep, Ready},
        key,
        records::{self, RestCredentials, TokenError},
        rest::{self, Libraries},
    },
    settings::form::Settings,
};

/// A login that is under way.
#[derive(Debug, Clone)]
pub(super) enum Login {
    /// A token was asked for.
    Token,
    /// There is a token, and the libraries were asked for.
    Libraries(RestCredentials),
    /// The account logs in.
    Account(Box<Connection>),
}

/// What follows an answer.
#[derive(Debug)]
pub(super) enum LoginStep {
    /// Make this request.
    Request(Request),
    /// Logged in; with the libraries, where Koha gives them.
    Ready(RestCredentials, Option<Libraries>),
    /// It cannot be done, and why.
    Failed(TokenError),
}

impl Login {
    /// Starts with the API key, where there is one and what follows `takes_token`.
    pub(super) fn start(settings: &Settings, takes_token: bool) -> (Self, Request) {
        if let (Some(key), true) = (&settings.key, takes_token) {
            return (Self::Token, key::request(settings, key));
        }
        let (connection, request) = Connection::start(Settings { key: None, ..settings.clone() });
        (Self::Account(Box::new(connection)), request)
    }

    /// Takes the answer to the request that was made last.
    pub(super) fn handle(&mut self, settings: &Settings, answer: Result<Response, Failure>) -> LoginStep {
        match self {
            Self::Token => {
                let no_answer = |failure| TokenError::ConnectionError(ConnectionError::NoAnswer(failure));
                match answer.map_err(no_answer).and_then(|response| records::read_token(&response)) {
                    Ok(token) => {
                        let credentials = RestCredentials::Token(token);
                        let request = records::libraries(settings, &credentials);
                        *self = Self::Libraries(credentials);
                        LoginStep::Request(request)
                    }
                    Err(error) => LoginStep::Failed(error),
                }
            }
            // Only a convenience.
            Self::Libraries(credentials) => {
                LoginStep::Ready(credentials.clone(), answer.ok().and_then(|response| rest::read_libraries(&response)))
            }
            Self::Account(connection) => match connection.handle(answer) {
                ConnectionStep::Request(request) => LoginStep::Request(request),
                ConnectionStep::Failed(error) => LoginStep::Failed(TokenError::ConnectionError(error)),
                ConnectionStep::Ready(Ready { reading: Some(credentials), libraries, .. }) => {
                    LoginStep::Ready(credentials, libraries)
                }
                ConnectionStep::Ready(_) => {
                    LoginStep::Failed(TokenError::ConnectionError(ConnectionError::NotReadable))
                }
            },
        }
    }
}
