//! Who asks for records, and what Koha says to those it does not let read.

use crate::{
    koha::{Request, Response, Session, connection::ConnectionError},
    settings::form::{Secret, Settings},
};
use serde::Deserialize;
use serde_json::Value;

/// How requests show who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestCredentials {
    /// KOCT's own session (Koha from 24.05).
    Session(Session),
    /// The account's name and password (HTTP Basic).
    Basic,
    /// A token of an API key (`OAuth2`).
    Token(Secret),
}

impl RestCredentials {
    pub(super) fn on(&self, settings: &Settings, request: Request) -> Request {
        match self {
            Self::Session(session) => request.within(Some(session.clone())),
            Self::Basic => {
                Request { basic: Some(Box::new((settings.username.clone(), settings.password.clone()))), ..request }
            }
            Self::Token(token) => Request { bearer: Some(token.clone()), ..request },
        }
    }
}

/// Asks for a token. The key and its secret travel in the body.
pub fn token(settings: &Settings, client_id: &str, client_secret: &Secret) -> Request {
    let form = vec![
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", client_id.to_owned()),
        ("client_secret", client_secret.reveal().to_owned()),
    ];
    Request::post(settings.server.join("/api/v1/oauth/token"), form)
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenError {
    /// An unknown key, a wrong secret, or the system preference `RESTOAuth2ClientCredentials` is off.
    Refused,
    /// Koha cannot be used.
    ConnectionError(ConnectionError),
}

/// The token that Koha gives.
///
/// # Errors
/// When it gives none.
pub fn read_token(response: &Response) -> Result<Secret, TokenError> {
    #[derive(Deserialize)]
    struct Token {
        access_token: String,
    }
    let token = serde_json::from_str::<Token>(&response.body);
    match (response.status, token) {
        (200, Ok(token)) => Ok(Secret::new(token.access_token)),
        (503, _) if is_maintenance(response) => Err(TokenError::ConnectionError(ConnectionError::Maintenance)),
        (status @ 500.., _) => Err(TokenError::ConnectionError(ConnectionError::ServerError { status })),
        (400 | 401 | 403, _) if !response.is_html() => Err(TokenError::Refused),
        (status, _) => Err(TokenError::ConnectionError(ConnectionError::NotKoha { status })),
    }
}

/// Asks for the names of the libraries, as [`super::rest::read_libraries`] reads them.
pub fn libraries(settings: &Settings, credentials: &RestCredentials) -> Request {
    let url = settings.server.join("/api/v1/libraries?_page=1&_per_page=1000");
    credentials.on(settings, Request::get(url))
}

/// Whether Koha says that it is being updated. A proxy in front of it answers 503 too, with a page.
pub(super) fn is_maintenance(response: &Response) -> bool {
    serde_json::from_str::<Value>(&response.body).is_ok_and(|body| body["error"].is_string())
}

/// The permissions that a refusal names: `borrowers: edit_borrowers`, several joined. `None` where it names none.
pub(super) fn permissions(body: &str) -> Option<String> {
    fn words(value: &Value) -> Option<String> {
        match value {
            Value::Object(modules) => {
                let one = |(module, name): (&String, &Value)| match name.as_str() {
                    Some("1") | None => module.clone(),
                    Some(name) => format!("{module}: {name}"),
                };
                (!modules.is_empty()).then(|| modules.iter().map(one).collect::<Vec<_>>().join(" + "))
            }
            // One of them will do: the first is the usual one.
            Value::Array(several) => several.iter().find_map(words),
            _ => None,
        }
    }
    words(serde_json::from_str::<Value>(body).ok()?.get("required_permissions")?)
}
