//! The wire to Koha, without any I/O: typed requests out, typed answers in.
//!
//! Koha has two eras. Before 24.05 every request to service.pl carries the account's name and password in its body and
//! no cookie is needed. From 24.05 a login gives a session cookie and a CSRF token, and requests carry these.
//! [`Connection`](connection::Connection) finds out by itself.

pub mod afterwards;
pub mod audit;
pub mod authentication;
pub mod body;
pub mod checkins;
pub mod connection;
pub mod cookies;
pub mod download;
pub mod filter;
pub mod front;
pub mod inquiry;
pub mod key;
pub mod login;
pub mod movement;
pub mod outage;
pub mod own_rows;
pub mod page;
pub mod pending;
pub mod place;
pub mod plugin;
pub mod process;
pub mod ready;
pub mod records;
pub mod rest;
pub mod service;
pub mod shown_time;
pub mod sight;
pub mod trial;

use crate::{desk::clock::KohaTime, settings::form::Secret};
use std::{fmt, time::Duration};
use url::form_urlencoded;

/// How long most requests may take before their answer no longer counts.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The most bytes of most answers that are read. service.pl answers in a few words, but refuses a token with a whole staff page;
/// staff pages have some 100 KiB, a library's own scripts and styles among them, and say who is logged in near their beginning.
pub const SIZE_LIMIT: usize = 256 << 10;

/// The most bytes of an answer with this number of rows that are read: Koha's rows have 2 to 3 KiB, notes left aside.
pub(crate) const fn size_of_rows(rows: usize) -> usize {
    SIZE_LIMIT + rows * (8 << 10)
}

/// Which of Koha's two ways to log in and to send applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// Name and password in every request.
    Before2405,
    /// A session cookie and a CSRF token.
    From2405,
}

/// A session in Koha: KOCT's own, which never is, and never replaces, the session of a person's browser tab; or, only where the
/// person wants it so, that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The value of the cookie `CGISESSID`.
    pub cookie: Secret,
    /// The token for its POSTs.
    pub csrf_token: Option<Secret>,
}

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads only; carries no parameter that matters to anybody.
    Get,
    /// Its parameters travel in the body.
    Post,
}

/// A request to be made. Whoever makes it adds no cookie of the browser's, follows no redirect and uses no cache.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// GET or POST.
    pub method: Method,
    /// Where to. Never holds a secret.
    pub url: String,
    /// Parameters of the body, in order.
    pub form: Vec<(&'static str, String)>,
    /// The body where it is JSON, in place of parameters.
    pub json: Option<String>,
    /// The session to make it in.
    pub session: Option<Session>,
    /// Whether to make it in the session of the person's own Koha tab instead.
    pub in_persons_session: bool,
    /// Name and password for HTTP Basic; few requests have them.
    pub basic: Option<Box<(String, Secret)>>,
    /// A token of the REST API (`OAuth2`).
    pub bearer: Option<Secret>,
    /// What the REST API shall add to each row: the header `x-koha-embed`.
    pub embed: Option<&'static str>,
    /// How long the answer may take.
    pub time_limit: Duration,
    /// The most bytes of its body that are read: see [`body::Body`].
    pub size_limit: usize,
}

impl Request {
    fn new(method: Method, url: String, form: Vec<(&'static str, String)>) -> Self {
        Self {
            method,
            url,
            form,
            json: None,
            session: None,
            in_persons_session: false,
            basic: None,
            bearer: None,
            embed: None,
            time_limit: TIME_LIMIT,
            size_limit: SIZE_LIMIT,
        }
    }

    fn get(url: String) -> Self {
        Self::new(Method::Get, url, Vec::new())
    }

    fn post(url: String, form: Vec<(&'static str, String)>) -> Self {
        Self::new(Method::Post, url, form)
    }

    fn post_json(url: String, json: String) -> Self {
        Self { json: Some(json), ..Self::new(Method::Post, url, Vec::new()) }
    }

    fn within(self, session: Option<Session>) -> Self {
        Self { session, ..self }
    }

    /// The body, of the type [`Request::content_type`]; `None` for a GET.
    pub fn body(&self) -> Option<String> {
        let form = || form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.form).finish();
        (self.method == Method::Post).then(|| self.json.clone().unwrap_or_else(form))
    }

    /// The header Content-Type that goes with the body.
    pub fn content_type(&self) -> &'static str {
        if self.json.is_some() { "application/json" } else { "application/x-www-form-urlencoded; charset=UTF-8" }
    }
}

impl fmt::Debug for Request {
    /// Leaves out every value that could be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.form.iter().map(|(key, _)| *key).collect();
        write!(f, "{:?} {} {keys:?}", self.method, self.url)
    }
}

/// What came back, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The header Content-Type, or nothing.
    pub content_type: String,
    /// The header CSRF-TOKEN.
    pub csrf_token: Option<Secret>,
    /// The cookie CGISESSID that was set.
    pub session_cookie: Option<Secret>,
    /// The cookie CGISESSID of the browser, where the request was made with it.
    pub persons_cookie: Option<Secret>,
    /// The header Date: what the server's clock shows.
    pub date: Option<KohaTime>,
    /// The header X-Total-Count.
    pub total_count: Option<u32>,
    /// For how long the header Retry-After asks to wait: see [`front::retry_after`].
    pub retry_after: Option<Duration>,
    /// Whether the header WWW-Authenticate asks for a name and a password. Koha never does.
    pub asks_for_password: bool,
    /// The body as text.
    pub body: String,
}

impl Response {
    /// Whether it is a web page: a login page, an error page or a captive portal's.
    pub fn is_html(&self) -> bool {
        let start = self.body.trim_start();
        self.content_type.contains("html")
            || start.starts_with("<!")
            || start.get(..5).is_some_and(|tag| tag.eq_ignore_ascii_case("<html"))
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The request provably never reached a server.
    NotSent(NotSent),
    /// The server sent us elsewhere instead of answering. Koha's scripts never do, so none was run.
    Redirected {
        /// Where to, if known.
        to: Option<String>,
    },
    /// The connection broke; the request may have been processed.
    Lost,
    /// No answer within [`Request::time_limit`]; the request may have been processed.
    TimedOut,
    /// An answer longer than [`Request::size_limit`], which is none of Koha's; the request may have been processed.
    TooLong,
}

/// Why a request never reached a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// This computer has no network.
    Offline,
    /// No server of this name is known.
    UnknownHost,
    /// The computer is there, but nothing listens at that port.
    Refused,
    /// No secure connection could be made (certificate, protocol).
    Insecure,
    /// Firefox was not allowed to talk to this server.
    NotAllowed,
}

impl Failure {
    /// What Firefox's name for a network error proves. Everything that does not prove that no server was reached counts as
    /// [`Failure::Lost`]. Certificate and protocol errors come as `SEC_ERROR_…`, `SSL_ERROR_…` or `MOZILLA_PKIX_ERROR_…`.
    pub fn from_firefox(error: &str) -> Self {
        Self::NotSent(match error {
            "NS_ERROR_OFFLINE" => NotSent::Offline,
            "NS_ERROR_UNKNOWN_HOST" | "NS_ERROR_UNKNOWN_PROXY_HOST" => NotSent::UnknownHost,
            "NS_ERROR_PORT_ACCESS_NOT_ALLOWED" => NotSent::NotAllowed,
            "NS_ERROR_CONNECTION_REFUSED" | "NS_ERROR_PROXY_CONNECTION_REFUSED" => NotSent::Refused,
            _ if ["SEC_ERROR_", "SSL_ERROR_", "MOZILLA_PKIX_ERROR_"].iter().any(|start| error.starts_with(start)) => {
                NotSent::Insecure
            }
            _ => return Self::Lost,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_some_errors_prove_that_nothing_was_sent() {
        for (error, failure) in [
            ("NS_ERROR_CONNECTION_REFUSED", Failure::NotSent(NotSent::Refused)),
            ("NS_ERROR_UNKNOWN_HOST", Failure::NotSent(NotSent::UnknownHost)),
            ("SEC_ERROR_UNKNOWN_ISSUER", Failure::NotSent(NotSent::Insecure)),
            ("NS_ERROR_NET_RESET", Failure::Lost),
            ("NS_ERROR_NET_TIMEOUT", Failure::Lost),
            ("", Failure::Lost),
        ] {
            assert_eq!(Failure::from_firefox(error), failure, "{error}");
        }
    }

    #[test]
    fn a_body_is_utf8_and_escaped() {
        let request = Request::post(
            "https://koha.example.org/x".into(),
            vec![("barcode", "a&b=c é+📚".into()), ("empty", String::new())],
        );
        assert_eq!(request.body().as_deref(), Some("barcode=a%26b%3Dc+%C3%A9%2B%F0%9F%93%9A&empty="));
        assert_eq!(Request::get(request.url.clone()).body(), None);
        let json = Request::post_json(request.url.clone(), "{\"a\":1}".into());
        assert_eq!((json.body().as_deref(), json.content_type()), (Some("{\"a\":1}"), "application/json"));
        assert!(request.content_type().contains("urlencoded"));
    }

    #[test]
    fn printing_a_request_shows_no_value() {
        let request = Request::post("https://koha.example.org/x".into(), vec![("password", "letmein".into())]);
        let request = Request { basic: Some(Box::new(("desk".into(), Secret::new("letmein")))), ..request };
        assert!(!format!("{request:?}").contains("letmein"));
    }

    #[test]
    fn knows_a_web_page() {
        let page = |content_type: &str, body: &str| Response {
            content_type: content_type.into(),
            body: body.into(),
            ..Response::default()
        };
        assert!(page("text/html; charset=utf-8", "x").is_html());
        assert!(page("", "\n<!DOCTYPE html>").is_html());
        assert!(page("text/plain", "<HTML>").is_html());
        assert!(!page("text/plain; charset=utf-8", "Success.").is_html());
        assert!(!page("text/plain", "éé").is_html());
    }
}
