//! What stands in front of Koha for good: a wall against bots, and a balancer before two nodes.

use std::collections::HashMap;

use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;

use crate::reply::{self, Reply};
use crate::request::Request;

/// A wall against bots in front of everything: who does not send its cookie gets its page, which sets the cookie by a
/// script and loads anew. Koha's own from 25.05 is like this (`KOHA_INIT`), so are Anubis and Cloudflare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wall {
    /// The cookie's name; its value is `1`.
    pub cookie: String,
    /// The status of the page: 200 or 403.
    pub status: u16,
    /// Paths that contain one of these pass.
    pub exempt: Vec<String>,
}

impl Default for Wall {
    fn default() -> Self {
        Self { cookie: "KOHA_INIT".to_owned(), status: 200, exempt: Vec::new() }
    }
}

impl Wall {
    pub(crate) fn lets_pass(&self, request: &Request, path: &str) -> bool {
        request.cookie(&self.cookie).is_some_and(|value| value == "1")
            || self.exempt.iter().any(|part| path.contains(part.as_str()))
    }

    /// The wall's page. Koha's own waits a while before it sets the cookie, ten seconds and more for a browser that is
    /// driven by a program.
    pub(crate) fn page(&self) -> Reply {
        let cookie = &self.cookie;
        reply::html(
            self.status,
            format!(
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>Verifying your browser</title>\n<script>\n\
                 document.cookie = \"{cookie}=1; path=/; SameSite=Lax\" + (location.protocol === \"https:\" ? \"; Secure\" : \"\");\n\
                 location.reload();\n</script>\n</head>\n<body>\n<p>Verifying your browser...</p>\n\
                 <noscript>JavaScript must be enabled.</noscript>\n</body>\n</html>\n"
            ),
        )
    }
}

/// The cookie that the balancer gives out: `node1` or `node2`.
pub(crate) const NODE_COOKIE: &str = "SERVERID";

/// A balancer before two nodes with one database, each with sessions of its own. Requests with its cookie go where the
/// cookie says; the others to one node and to the other in turn, and are given the cookie.
#[derive(Debug, Default)]
pub(crate) struct Balancer {
    /// The requests without a cookie so far.
    without_cookie: usize,
    /// Where each session lives. One that nobody has used yet lives where it is seen first.
    sessions: HashMap<String, u8>,
}

impl Balancer {
    /// The node for the request: 1 or 2. A session of the other node becomes one that nobody knows.
    pub(crate) fn choose(&mut self, request: &mut Request) -> u8 {
        let node = match request.cookie(NODE_COOKIE).as_deref() {
            Some("node1") => 1,
            Some("node2") => 2,
            _ => {
                self.without_cookie += 1;
                if self.without_cookie % 2 == 1 { 1 } else { 2 }
            }
        };
        if let Some(id) = request.cookie("CGISESSID")
            && *self.sessions.entry(id).or_insert(node) != node
        {
            request.forget_session();
        }
        node
    }

    /// Remembers where a new session was made, and gives out the cookie if the request had none.
    pub(crate) fn answered(&mut self, node: u8, had_cookie: bool, mut reply: Reply) -> Reply {
        for cookie in reply.headers().get_all(SET_COOKIE) {
            let id = cookie.to_str().ok().and_then(|text| text.strip_prefix("CGISESSID=")).unwrap_or_default();
            if let Some((id, _)) = id.split_once(';') {
                self.sessions.insert(id.to_owned(), node);
            }
        }
        if !had_cookie && let Ok(value) = HeaderValue::from_str(&format!("{NODE_COOKIE}=node{node}; path=/")) {
            reply.headers_mut().append(SET_COOKIE, value);
        }
        reply
    }
}
