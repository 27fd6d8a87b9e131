//! Who may ask the REST API: Basic authentication, tokens, the session cookie, and permissions.
//!
//! Koha: Koha/REST/V1/Auth.pm, Koha/REST/V1/OAuth.pm and Koha/OAuth.pm.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use crate::auth::Flag;
use crate::collation::same;
use crate::csrf::keyed_hash;
use crate::reply::{Reply, error_page, json as json_reply};
use crate::request::Request;
use crate::server::Shared;
use crate::state::{AccessToken, Era, Library, Patron};

/// How long a token is good.
const TOKEN_SECONDS: i64 = 3600;

/// Permissions that are wanted together: the flag (none for what only a superlibrarian has here), Koha's name of the
/// module and of the permission in it.
pub(crate) type Together = &'static [(Option<Flag>, &'static str, &'static str)];

/// Alternatives: one of them will do.
pub(crate) type Needs = &'static [Together];

/// As the body of a 403 tells them.
fn required(needs: Needs) -> Value {
    let object = |together: &Together| {
        let entries = together.iter().map(|(_, module, name)| ((*module).to_owned(), Value::from(*name)));
        Value::from(entries.collect::<Map<_, _>>())
    };
    match needs {
        [together] => object(together),
        several => several.iter().map(object).collect(),
    }
}

fn fulfils(patron: &Patron, needs: Needs) -> bool {
    let has = |flag: Option<Flag>| patron.may(flag.unwrap_or(Flag::Superlibrarian));
    needs.iter().any(|together| together.iter().all(|(flag, ..)| has(*flag)))
}

/// Lets the request pass if who asks has what is needed. 401 and 403 as observed.
pub(crate) fn authorize(shared: &Shared, library: &mut Library, request: &Request, needs: Needs) -> Result<(), Reply> {
    let refuse = |status, error: &str| Err(json_reply(status, &json!({ "error": error })));
    if library.preferences.maintenance {
        return refuse(503, "System is under maintenance.");
    }
    let header = request.header("authorization");
    let allowed = if let Some(token) = header.and_then(|text| text.strip_prefix("Bearer ")) {
        // A token that is no good is not followed by any other way in.
        match token_account(library, token.trim()) {
            Some(account) => fulfils(account, needs),
            None => return refuse(401, "Authentication failure."),
        }
    } else if let Some(basic) = header.and_then(|text| text.strip_prefix("Basic ")) {
        if !shared.config.rest_basic_auth {
            return refuse(401, "Basic authentication disabled");
        }
        let decoded = BASE64_STANDARD.decode(basic.trim()).unwrap_or_default();
        let decoded = String::from_utf8_lossy(&decoded).into_owned();
        let (login, password) = decoded.split_once(':').unwrap_or((&decoded, ""));
        let (era, newest) = (library.era, library.newest);
        // Bugs 43424 and 43470 (26.05.04): a wrong password counts, and no account with a second factor gets in.
        let Some(patron) = library.compare_password(login, password, newest) else {
            return Err(json_reply(403, &json!({ "error": "Invalid password", "required_permissions": null })));
        };
        // Before 24.05 the account was looked up by userid alone.
        if (era == Era::Before2405 && !same(&patron.userid, login)) || (newest && patron.second_factor) {
            return refuse(401, "Authentication failure.");
        }
        fulfils(patron, needs)
    } else if let Some(id) = request.cookie("CGISESSID") {
        match library.session_account(&id) {
            Some(account) => fulfils(account, needs),
            None if library.sessions.get(&id).is_some_and(|session| !session.expired) => {
                return refuse(401, "Authentication failure.");
            }
            None => return refuse(401, "Session has been expired."),
        }
    } else {
        return refuse(401, "Authentication failure.");
    };
    if allowed {
        return Ok(());
    }
    let error = "Authorization failure. Missing required permission(s).";
    Err(json_reply(403, &json!({ "error": error, "required_permissions": required(needs) })))
}

/// The account of the key that got the token. A token that has ended is deleted.
fn token_account<'a>(library: &'a mut Library, token: &str) -> Option<&'a Patron> {
    let now = library.now_utc().and_utc().timestamp();
    let found = library.access_tokens.get(token)?;
    if found.expires <= now {
        library.access_tokens.remove(token);
        return None;
    }
    let key = library.api_keys.iter().find(|key| key.client_id == found.client_id)?;
    library.patron_by_id(key.patron_id)
}

/// Gives a token to a program that has a key. That the preference is off is told as an unknown kind of grant.
pub(crate) fn token(shared: &Shared, request: &Request) -> Reply {
    let refuse = |status, error: &str| json_reply(status, &json!({ "error": error }));
    if request.method != "POST" {
        return error_page(404, None);
    }
    let parameter = |name| request.parameter(name).unwrap_or_default();
    let Some(grant) = request.parameter("grant_type") else {
        // In the words of JSON::Validator.
        let errors = json!([{ "message": "Missing property.", "path": "/grant_type" }]);
        return json_reply(400, &json!({ "errors": errors, "status": 400 }));
    };
    if grant != "client_credentials" || !shared.config.rest_oauth2 {
        return refuse(400, "Unimplemented grant type");
    }
    let mut library = shared.library();
    let client_id = parameter("client_id").to_owned();
    match library.api_keys.iter().find(|key| key.client_id == client_id && key.active) {
        None => return refuse(403, "unauthorized_client"),
        Some(key) if key.secret != parameter("client_secret") => return refuse(403, "access_denied"),
        Some(_) => {}
    }
    let number = library.next_id();
    let token = format!("{:016x}{:016x}", keyed_hash(&("token", number)), keyed_hash(&(number, "of the API")));
    let expires = library.now_utc().and_utc().timestamp() + TOKEN_SECONDS;
    library.access_tokens.insert(token.clone(), AccessToken { client_id, expires });
    json_reply(200, &json!({ "access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS }))
}
