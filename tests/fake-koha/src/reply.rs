//! The answers, in the content types that Koha uses.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::circulation::Died;
use crate::state::Era;

pub(crate) type Reply = Response<Body>;

/// An answer of any kind.
pub(crate) fn reply(status: u16, content_type: &'static str, body: impl Into<Body>) -> Reply {
    let mut reply = Response::new(body.into());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// Plain text, as service.pl and process.pl answer.
pub(crate) fn text(body: impl Into<Body>) -> Reply {
    reply(200, "text/plain; charset=utf-8", body)
}

/// A page.
pub(crate) fn html(status: u16, body: impl Into<Body>) -> Reply {
    reply(status, "text/html; charset=UTF-8", body)
}

/// What the REST API answers. Koha's JSON writer escapes slashes.
pub(crate) fn json(status: u16, body: &serde_json::Value) -> Reply {
    reply(status, "application/json;charset=UTF-8", body.to_string().replace('/', "\\/"))
}

/// One of Koha's error pages.
pub(crate) fn error_page(status: u16, message: &str) -> Reply {
    html(
        status,
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Koha &rsaquo; Error {status}</title></head>\n\
             <body><h1>Error {status}</h1><p>{}</p></body></html>\n",
            escape(message)
        ),
    )
}

/// The script died. Plain text from Plack before 24.05 (observed), Koha's error page after.
pub(crate) fn died(era: Era, death: &Died) -> Reply {
    match era {
        Era::Before2405 => reply(500, "text/plain", "Internal Server Error"),
        Era::From2405 => error_page(500, &death.to_string()),
    }
}

/// Goes somewhere else.
pub(crate) fn redirect(location: &str) -> Reply {
    let reply = reply(302, "text/html; charset=UTF-8", "");
    with_header(reply, LOCATION, location)
}

/// Sets the session cookie. The attributes are those of the era; `Secure` only comes with https.
pub(crate) fn with_session(reply: Reply, era: Era, session_id: &str) -> Reply {
    let attributes = match era {
        Era::Before2405 => "path=/; HttpOnly",
        Era::From2405 => "path=/; HttpOnly; SameSite=Lax",
    };
    with_header(reply, SET_COOKIE, &format!("CGISESSID={session_id}; {attributes}"))
}

/// Adds the header that carries a CSRF token.
pub(crate) fn with_csrf_token(reply: Reply, token: &str) -> Reply {
    with_header(reply, HeaderName::from_static("csrf-token"), token)
}

pub(crate) fn with_header(mut reply: Reply, name: HeaderName, value: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
    reply
}

/// Text as it must stand in HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
