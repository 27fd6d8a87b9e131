//! A request as a CGI script sees it, and as a test may look at it afterwards.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart};
use axum::http::request::Parts;

use crate::connection::HIDDEN_CONNECTION;

/// One request that reached the server, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// The path with the sub-path, without the query.
    pub path: String,
    /// The query string as it came; empty if there was none.
    pub query: String,
    /// The parameters in the query.
    pub query_parameters: Vec<(String, String)>,
    /// The parameters in the body, if it was a form.
    pub form: Vec<(String, String)>,
    /// The body, if it was JSON.
    pub json: Option<serde_json::Value>,
    /// The `Cookie` header.
    pub cookie: Option<String>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// All headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The client's port: the same number is the same connection.
    pub connection: u16,
    /// The node that the balancer chose: 1 or 2; 0 where there is no balancer, or a wall was in the way.
    pub node: u8,
    /// The bytes of the head as they came, from the request line to the empty line; empty for HTTP/2, which has none.
    pub head: Vec<u8>,
}

impl Recorded {
    /// The first parameter of this name in the form, or else in the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        first(&self.form, name).or_else(|| first(&self.query_parameters, name))
    }

    /// The header of this name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// The lines of the head that give this header, word for word as they were on the wire.
    pub fn head_lines(&self, name: &str) -> Vec<String> {
        let head = String::from_utf8_lossy(&self.head);
        let gives = |line: &&str| line.split_once(':').is_some_and(|(given, _)| given.eq_ignore_ascii_case(name));
        head.split("\r\n").filter(gives).map(str::to_owned).collect()
    }
}

/// Where a request came from.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) port: u16,
    pub(crate) head: Vec<u8>,
}

/// What the pages work with.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path below the sub-path; empty if the request is not for Koha at all.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    form: Vec<(String, String)>,
    pub(crate) json: Option<serde_json::Value>,
    headers: Vec<(String, String)>,
    /// Uploaded files: field, file name, contents.
    pub(crate) files: Vec<(String, String, Vec<u8>)>,
}

impl Request {
    /// Reads a request whose body is all there.
    pub(crate) async fn read(parts: &Parts, body: Bytes, sub_path: &str, from: Origin) -> (Self, Recorded) {
        let mut headers: Vec<(String, String)> = parts
            .headers
            .iter()
            .map(|(name, value)| {
                let name = if name == HIDDEN_CONNECTION { "connection" } else { name.as_str() };
                (name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        // HTTP/2 may send a cookie each; together they are one header.
        let cookies: Vec<String> =
            headers.extract_if(.., |(name, _)| name == "cookie").map(|(_, value)| value).collect();
        if !cookies.is_empty() {
            headers.push(("cookie".to_owned(), cookies.join("; ")));
        }
        let content_type = first(&headers, "content-type").map(str::to_owned);
        let kind = content_type.clone().unwrap_or_default().to_ascii_lowercase();
        let (mut form, mut files) = (Vec::new(), Vec::new());
        let json = kind.starts_with("application/json").then(|| serde_json::from_slice(&body).ok()).flatten();
        if kind.starts_with("application/x-www-form-urlencoded") {
            form = parameters(&body);
        } else if kind.starts_with("multipart/form-data") {
            let request = axum::http::Request::from_parts(parts.clone(), Body::from(body));
            if let Ok(multipart) = Multipart::from_request(request, &()).await {
                (form, files) = fields(multipart).await;
            }
        }
        let path = parts.uri.path();
        let query = parts.uri.query().unwrap_or_default();
        let recorded = Recorded {
            method: parts.method.to_string(),
            path: path.to_owned(),
            query: query.to_owned(),
            query_parameters: parameters(query.as_bytes()),
            form: form.clone(),
            json: json.clone(),
            cookie: first(&headers, "cookie").map(str::to_owned),
            content_type,
            headers: headers.clone(),
            connection: from.port,
            node: 0,
            head: from.head,
        };
        let request = Self {
            method: recorded.method.clone(),
            path: below(path, sub_path).to_owned(),
            query: recorded.query_parameters.clone(),
            form,
            json,
            headers,
            files,
        };
        (request, recorded)
    }

    /// A parameter as CGI.pm gives it: of a POST only from the body, else only from the query; the first of its name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        first(if self.method == "POST" { &self.form } else { &self.query }, name)
    }

    /// A parameter from anywhere, as the middleware sees it.
    pub(crate) fn any_parameter(&self, name: &str) -> Option<&str> {
        first(&self.form, name).or_else(|| first(&self.query, name))
    }

    /// The session is one that nobody knows.
    pub(crate) fn forget_session(&mut self) {
        for (name, text) in &mut self.headers {
            if name == "cookie" {
                *text = text.replace("CGISESSID=", "CGISESSID=elsewhere-");
            }
        }
    }

    /// A header, its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// A cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let pairs = self.headers.iter().filter(|(header, _)| header == "cookie").flat_map(|(_, text)| text.split(';'));
        pairs
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, value)| *key == name && !value.is_empty())
            .map(|(_, value)| value.to_owned())
    }
}

/// What of a path lies below the sub-path; nothing if it lies elsewhere.
fn below<'a>(path: &'a str, sub_path: &str) -> &'a str {
    match path.strip_prefix(sub_path) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => "",
    }
}

fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Parameters separated by `&` or `;`. Bytes that are not UTF-8 become replacement characters and match nothing.
fn parameters(text: &[u8]) -> Vec<(String, String)> {
    let text: Vec<u8> = text.iter().map(|&byte| if byte == b';' { b'&' } else { byte }).collect();
    form_urlencoded::parse(&text).into_owned().collect()
}

type Fields = (Vec<(String, String)>, Vec<(String, String, Vec<u8>)>);

async fn fields(mut multipart: Multipart) -> Fields {
    let (mut form, mut files) = (Vec::new(), Vec::new());
    while let Ok(Some(field)) = multipart.next_field().await {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        let Ok(bytes) = field.bytes().await else { break };
        match file {
            Some(file) => files.push((name, file, bytes.to_vec())),
            None => form.push((name, String::from_utf8_lossy(&bytes).into_owned())),
        }
    }
    (form, files)
}
