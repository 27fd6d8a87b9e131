//! A key of Koha's REST API: it is exchanged for a token, which is good for an hour.

use super::{Request, Response};
use crate::settings::form::{ApiKey, Secret, Settings};
use serde::Deserialize;

/// Asks for a token. The key and its secret travel in the body.
pub fn request(settings: &Settings, key: &ApiKey) -> Request {
    let form = vec![
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", key.id.clone()),
        ("client_secret", key.secret.reveal().to_owned()),
    ];
    Request::post(settings.server.join("/api/v1/oauth/token"), form)
}

/// The token, where Koha gives one.
pub fn read(response: &Response) -> Option<Secret> {
    #[derive(Deserialize)]
    struct Token {
        access_token: String,
    }
    let token = serde_json::from_str::<Token>(&response.body).ok()?;
    (response.status == 200).then(|| Secret::new(token.access_token))
}
