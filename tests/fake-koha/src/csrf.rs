//! CSRF tokens, from Koha 24.05.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::reply::{self, Reply};
use crate::request::Request;
use crate::state::Library;

/// Koha: Koha/Token.pm. A token is good for eight hours.
const MAX_AGE_SECONDS: i64 = 8 * 60 * 60;

/// A hash that nobody outside can compute; only as strong as a test needs.
pub(crate) fn keyed_hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    "the database password of a library that does not exist".hash(&mut hasher);
    value.hash(&mut hasher);
    hasher.finish()
}

impl Library {
    /// Makes all tokens given out so far invalid, as after eight hours. New ones can be fetched.
    pub fn expire_csrf_tokens(&mut self) {
        self.csrf_generation += 1;
    }

    /// A fresh token bound to the session.
    pub fn csrf_token(&self, session_id: &str) -> String {
        let issued = self.now_utc().and_utc().timestamp();
        self.sign(&format!("{}_{session_id}", self.session_owner(session_id)), issued)
    }

    /// A token that fits no session: what bug 38826 made of the token of a session that was there already.
    pub(crate) fn useless_csrf_token(&self) -> String {
        self.sign("CGI::Session=HASH", self.now_utc().and_utc().timestamp())
    }

    /// Koha: `Koha::Token->check_csrf`: the session's user, or else `anonymous`.
    pub(crate) fn csrf_token_fits(&self, session_id: &str, token: &str) -> bool {
        let Some(issued) = token.rsplit(',').next().and_then(|text| text.parse::<i64>().ok()) else { return false };
        let age = self.now_utc().and_utc().timestamp() - issued;
        age <= MAX_AGE_SECONDS
            && [self.session_owner(session_id), "anonymous"]
                .iter()
                .any(|owner| self.sign(&format!("{owner}_{session_id}"), issued) == token)
    }

    fn session_owner(&self, session_id: &str) -> &str {
        self.sessions.get(session_id).and_then(|session| session.userid.as_deref()).unwrap_or("anonymous")
    }

    fn sign(&self, bound_to: &str, issued: i64) -> String {
        let first = keyed_hash(&(bound_to, issued, self.csrf_generation));
        let second = keyed_hash(&(issued, bound_to, self.csrf_generation));
        format!("{first:016x}{second:016x},{second:08x},{issued}")
    }
}

/// Refuses a request as the middleware would, or lets it pass.
///
/// Koha: Koha/Middleware/CSRF.pm. A changing method needs a cookie and a token, and its `op`, if any, starts with
/// `cud-`; a reading method must not carry such an `op`. The newest treats the `login_op` of the login form likewise.
pub(crate) fn refuse(library: &Library, request: &Request) -> Option<Reply> {
    let ops = [request.any_parameter("op"), request.any_parameter("login_op").filter(|_| library.newest)];
    let mut ops = ops.into_iter().flatten();
    let changes = matches!(request.method.as_str(), "POST" | "PUT" | "DELETE" | "PATCH");
    let what = format!("for {} {} (referer: {})", request.method, request.path, "No referer");
    let error = if !changes {
        let op = ops.find(|op| op.starts_with("cud-"))?;
        format!("Programming error - op '{op}' must not start with 'cud-' {what}")
    } else if let Some(op) = ops.find(|op| !op.starts_with("cud-")) {
        format!("Programming error - op '{op}' must start with 'cud-' {what}")
    } else {
        let token = request.any_parameter("csrf_token").filter(|token| !token.is_empty());
        match token.or_else(|| request.header("csrf-token")).filter(|token| !token.is_empty()) {
            None => format!("Programming error - No CSRF token passed {what}"),
            Some(token) => {
                let fits = |id: String| library.csrf_token_fits(&id, token);
                if request.cookie("CGISESSID").is_some_and(fits) {
                    return None;
                }
                "wrong_csrf_token".to_owned()
            }
        }
    };
    Some(reply::csrf_refusal(&request.path, &error))
}
