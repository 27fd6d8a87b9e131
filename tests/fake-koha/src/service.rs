//! `offline_circ/service.pl`: one transaction per request, to be queued or processed at once.

use crate::amount::Amount;
use crate::auth::ApiAuth;
use crate::circulation::Died;
use crate::clock::{read_service_time, stamp};
use crate::reply::{self, Reply};
use crate::request::Request;
use crate::server::Shared;
use crate::state::{Era, Library, Operation};

/// Koha: `offline_circ/service.pl`. It looks at no permission and at no HTTP method.
pub(crate) fn service(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let Some(branch) = logged_in_at(shared, &mut library, request) else {
        return match library.era {
            // Before 18.05 (bug 19752) a failed login was told in the body alone.
            Era::Before2405 if shared.config.before_18_05 => reply::text("Authentication failed."),
            // From 24.05 the middleware puts its own page over the empty body.
            era => reply::own(era, &request.path, 401),
        };
    };
    match act(&mut library, request, &branch) {
        Ok(body) => reply::text(body),
        Err(_) => reply::died(library.era),
    }
}

/// The branch of the login: from the password, else from the cookie, else (unless `nocookie`) from a session id that
/// `CGI::Session` finds in the cookie or in the parameters, even after a wrong password.
fn logged_in_at(shared: &Shared, library: &mut Library, request: &Request) -> Option<String> {
    let mut auth = library.check_api_auth(request, None);
    // `nocookie` came with the 401 in 18.05.
    let no_cookie = !shared.config.before_18_05
        && request.parameter("nocookie").is_some_and(|value| !value.is_empty() && value != "0");
    if !matches!(auth, ApiAuth::Ok(_)) && !no_cookie {
        let id = request.cookie("CGISESSID").or_else(|| request.parameter("CGISESSID").map(str::to_owned));
        if let Some(id) = id {
            auth = library.check_session(&id, None);
        }
    }
    match auth {
        ApiAuth::Ok(id) => Some(library.session_branch(&id)),
        _ => None,
    }
}

fn act(library: &mut Library, request: &Request, branch: &str) -> Result<&'static str, Died> {
    let parameter = |name| request.parameter(name).unwrap_or_default();
    let time = read_service_time(library.era, library.zone, library.now_utc(), parameter("timestamp"))?;
    let operation = Operation {
        id: None,
        userid: parameter("userid").to_owned(),
        branch: parameter("branchcode").to_owned(),
        timestamp: stamp(time),
        action: parameter("action").to_owned(),
        barcode: parameter("barcode").trim().to_owned(),
        cardnumber: parameter("cardnumber").trim().to_owned(),
        amount: Amount::lenient(parameter("amount")),
    };
    if parameter("pending") == "true" {
        library.queue_operation(operation, parameter("amount"))
    } else {
        library.process_operation(&operation, branch)
    }
}
