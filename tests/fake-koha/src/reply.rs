//! The answers, in the content types that Koha uses.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use hyper::body::Frame;

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

/// This text again and again, without an end.
pub(crate) fn endless(text: &str) -> Reply {
    let body = Body::new(Endless(Bytes::from(text.repeat(PIECE.div_ceil(text.len().max(1))))));
    if text.starts_with('<') { html(200, body) } else { self::text(body) }
}

/// The number of bytes that come at once of what has no end.
const PIECE: usize = 64 << 10;

struct Endless(Bytes);

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(self.0.clone()))))
    }
}

/// A page.
pub(crate) fn html(status: u16, body: impl Into<Body>) -> Reply {
    reply(status, "text/html; charset=UTF-8", body)
}

/// What the REST API answers. Koha's JSON writer escapes slashes.
pub(crate) fn json(status: u16, body: &serde_json::Value) -> Reply {
    reply(status, "application/json;charset=UTF-8", body.to_string().replace('/', "\\/"))
}

/// One of Koha's error pages. Koha: errors/NNN.pl and errorpage.tt; only a refused token is told in it.
pub(crate) fn error_page(status: u16, csrf_error: Option<&str>) -> Reply {
    let reason = match csrf_error {
        Some(error) => format!("<div class=\"dialog alert\">{}</div>", escape(error)),
        None => "<h3>This message may have been caused by any of the following reasons:</h3>\n\
                 <ul><li>You followed an outdated link</li>\n<li>You tried to access a page that needs authentication</li></ul>"
            .to_owned(),
    };
    html(
        status,
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>Error {status} &rsaquo; Koha</title>\n<meta charset=\"utf-8\">\n\
             </head>\n<body id=\"err_{status}\" class=\"err\">\n<h1>An error has occurred!</h1>\n\
             <h2><em>Error {status}</em></h2>\n{reason}\n<h3>What's next?</h3>\n\
             <ul><li>To report a broken link or any other issue, please contact the Koha administrator.</li></ul>\n\
             </body>\n</html>\n"
        ),
    )
}

/// A refused token. Koha puts its page over the middleware's words, except for programs (svc/…).
pub(crate) fn csrf_refusal(path: &str, error: &str) -> Reply {
    if path.contains("/svc/") { reply(403, "text/plain", "Wrong CSRF token") } else { error_page(403, Some(error)) }
}

/// What Koha itself says with this status at this path, as far as it was observed; else its error page.
pub(crate) fn own(era: Era, path: &str, status: u16) -> Reply {
    match (era, status) {
        (Era::Before2405, 401) => reply(401, "text/plain; charset=utf-8", ""),
        (Era::Before2405, 500) => reply(500, "text/plain", "Internal Server Error"),
        (Era::From2405, 403) => csrf_refusal(path, "wrong_csrf_token"),
        _ => error_page(status, None),
    }
}

/// The script died. Why is only in the server's log.
pub(crate) fn died(era: Era) -> Reply {
    own(era, "", 500)
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

/// With https, the session cookie is for https alone.
pub(crate) fn secure(mut reply: Reply) -> Reply {
    if let Some(cookie) = reply.headers_mut().get_mut(SET_COOKIE)
        && let Ok(text) = cookie.to_str()
        && let Ok(value) = HeaderValue::from_str(&text.replace("path=/; HttpOnly", "path=/; secure; HttpOnly"))
    {
        *cookie = value;
    }
    reply
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
