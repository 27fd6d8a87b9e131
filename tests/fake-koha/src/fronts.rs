//! What stands in front of Koha and answers for it: proxies, firewalls, gateways, maintenance pages.

use chrono::{NaiveDateTime, TimeDelta};

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::json;

use crate::reply::{self, Reply};
use crate::state::Era;

/// Somebody else's answer in place of Koha's, or Koha's where it is out of service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Front {
    /// An error page with this status, in the words of a web server or a firewall.
    Page(u16),
    /// Too much at once, or not now: 429 or 503.
    Busy {
        /// The status.
        status: u16,
        /// When to come again.
        retry_after: RetryAfter,
    },
    /// 200 with a text as short as Koha's own, such as `Access denied by policy` or `error code: 1015`.
    Text(&'static str),
    /// 401 of HTTP Basic authentication in front of Koha, which itself never sends `WWW-Authenticate`.
    Basic,
    /// 200 with the login page of a captive portal or of a single sign-on.
    LoginPage,
    /// Koha whose database waits for an update, each path in its own way. [`crate::Preferences::maintenance`] has the same
    /// for all requests.
    KohaMaintenance,
    /// Koha that was switched off with Debian's `koha-disable`: Apache shows a page for everything, with 200.
    KohaDisabled,
    /// 503 in the words of Apache.
    ApacheMaintenance,
}

/// The `Retry-After` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// There is none.
    Missing,
    /// This number of seconds.
    Seconds(u32),
    /// The date this number of seconds from now, by the server's clock.
    Date(u32),
}

impl Front {
    /// The answer at this path, at this time.
    pub(crate) fn answer(&self, era: Era, path: &str, now: NaiveDateTime) -> Reply {
        match self {
            Self::Page(status) => web_server(*status),
            Self::Busy { status, retry_after } => {
                let reply = web_server(*status);
                match retry_after {
                    RetryAfter::Missing => reply,
                    RetryAfter::Seconds(seconds) => reply::with_header(reply, RETRY_AFTER, &seconds.to_string()),
                    RetryAfter::Date(seconds) => {
                        let then = now + TimeDelta::seconds(i64::from(*seconds));
                        reply::with_header(reply, RETRY_AFTER, &then.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
                    }
                }
            }
            Self::Text(text) => reply::text(*text),
            Self::Basic => {
                let reply = apache(401, "Unauthorized", "This server could not verify that you may access this.");
                reply::with_header(reply, WWW_AUTHENTICATE, "Basic realm=\"Staff only\"")
            }
            Self::LoginPage => crate::pages::captive_portal(),
            Self::KohaMaintenance if path.contains("/api/v1/") => {
                reply::json(503, &json!({ "error": "System is under maintenance." }))
            }
            Self::KohaMaintenance if path.ends_with("svc/authentication") => crate::authentication::says("maintenance"),
            Self::KohaMaintenance if path.ends_with("service.pl") => reply::own(era, path, 401),
            Self::KohaMaintenance => reply::redirect("/cgi-bin/koha/installer/install.pl"),
            Self::KohaDisabled => reply::html(
                200,
                "<!DOCTYPE html>\n<html><head><title>Unavailable</title></head>\n\
                 <body><h1>Sorry!</h1><p>The site is currently unavailable, probably because of maintenance.</p></body></html>\n",
            ),
            Self::ApacheMaintenance => {
                let why = "The server is temporarily unable to service your request due to maintenance downtime or \
                           capacity problems. Please try again later.";
                apache(503, "Service Unavailable", why)
            }
        }
    }
}

/// An error page as nginx and many firewalls write it.
fn web_server(status: u16) -> Reply {
    let words = axum::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let title = format!("{status} {}", words.unwrap_or("Error"));
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    reply::reply(status, "text/html", page)
}

/// An error page as Apache writes it.
fn apache(status: u16, title: &str, why: &str) -> Reply {
    let page = format!(
        "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>{status} {title}</title>\n</head><body>\n\
         <h1>{title}</h1>\n<p>{why}</p>\n</body></html>\n"
    );
    reply::reply(status, "text/html; charset=iso-8859-1", page)
}
