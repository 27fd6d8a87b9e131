//! svc/authentication: a login for programs.

use crate::auth::{ApiAuth, Flag};
use crate::reply::{self, Reply};
use crate::request::Request;
use crate::server::Shared;
use crate::state::Era;

/// Koha: svc/authentication. It demands `editcatalogue`, so it cannot tell a wrong password from a desk account; and
/// it deletes the session of a person who lacks it. Always 200.
pub(crate) fn authentication(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let era = library.era;
    let fresh = request.parameter(era.login_parameters().0).is_some_and(|login| !login.is_empty());
    let auth = library.check_api_auth(request, Some(Flag::EditCatalogue));
    let reply = says(auth.word());
    match (auth, era) {
        (ApiAuth::Ok(id), Era::Before2405) => reply::with_session(reply, era, &id),
        (_, Era::Before2405) => reply,
        (ApiAuth::Ok(id), Era::From2405) => {
            let spoilt = shared.config.bug_38826 && !fresh;
            let token = if spoilt { library.useless_csrf_token() } else { library.csrf_token(&id) };
            reply::with_csrf_token(reply::with_session(reply, era, &id), &token)
        }
        // Not logged in: a new anonymous session, and a token with which to log in.
        (_, Era::From2405) => {
            let id = library.new_session(None, "");
            let token = library.csrf_token(&id);
            reply::with_csrf_token(reply::with_session(reply, era, &id), &token)
        }
    }
}

/// The answer with this word.
pub(crate) fn says(status: &str) -> Reply {
    let body =
        format!("<?xml version='1.0' standalone='yes'?>\n<response>\n  <status>{status}</status>\n</response>\n");
    reply::reply(200, "text/xml; charset=ISO-8859-1", body)
}
