//! Who asks for records, and what Koha says to those it does not let read.

use crate::{
    koha::{Request, Response, connection::ConnectionError, front::Front, key, rest::RestCredentials, size_of_rows},
    settings::form::{Secret, Settings},
};
use serde_json::Value;

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
    match (response.status, key::read(response)) {
        (_, Some(token)) => Ok(token),
        (503, _) if is_maintenance(response) => Err(TokenError::ConnectionError(ConnectionError::Maintenance)),
        (status @ 500.., _) => Err(TokenError::ConnectionError(ConnectionError::ServerError { status })),
        (400 | 401 | 403, _) if !response.is_html() => Err(TokenError::Refused),
        (status, _) => {
            Err(TokenError::ConnectionError(ConnectionError::NotKoha { status, front: Front::of(response) }))
        }
    }
}

/// Asks for the names of the libraries, as [`super::rest::read_libraries`] reads them.
pub fn libraries(settings: &Settings, credentials: &RestCredentials) -> Request {
    let url = settings.server.join("/api/v1/libraries?_page=1&_per_page=1000");
    credentials.on(settings, Request { size_limit: size_of_rows(1_000), ..Request::get(url) })
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
