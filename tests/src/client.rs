//! Makes core's requests without a browser. What happened is told in the words of `extension/src/http.rs`, so that what core
//! makes of it can be tested over real connections without Firefox.

use chrono::DateTime;
use data_encoding::BASE64;
use koct_core::{
    Secret,
    desk::clock::KohaTime,
    koha::{Failure, Method, NotSent, Request, Response, body::Body, front},
};
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
};

/// Makes a request to a server without TLS, on a connection of its own, and reads until the server closes it.
///
/// # Errors
/// When no whole answer came, with what that proves.
pub fn send(request: &Request) -> Result<Response, Failure> {
    let (server, path) = request
        .url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .ok_or(Failure::NotSent(NotSent::NotAllowed))?;
    let mut stream = TcpStream::connect(server).map_err(|error| match error.kind() {
        ErrorKind::ConnectionRefused => Failure::NotSent(NotSent::Refused),
        _ => Failure::Lost,
    })?;
    stream.set_read_timeout(Some(request.time_limit)).map_err(|_| Failure::Lost)?;
    let mut bytes = Vec::new();
    // With room for any head; what is longer is cut all the same.
    let most = u64::try_from(request.size_limit + (64 << 10)).unwrap_or(u64::MAX);
    let ended = stream
        .write_all(message(request, server, path).as_bytes())
        .and_then(|()| (&stream).take(most).read_to_end(&mut bytes));
    if ended.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)) {
        return Err(Failure::TimedOut);
    }
    read(request, &bytes)
}

/// The request as it goes over the wire.
fn message(request: &Request, server: &str, path: &str) -> String {
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    let mut lines = vec![format!("{method} /{path} HTTP/1.1"), format!("Host: {server}"), "Connection: close".into()];
    if let Some(session) = &request.session {
        lines.push(format!("Cookie: CGISESSID={}", session.cookie.reveal()));
        lines.extend(session.csrf_token.as_ref().map(|token| format!("CSRF-TOKEN: {}", token.reveal())));
    }
    lines.extend(request.basic.as_deref().map(|(name, password)| {
        format!("Authorization: Basic {}", BASE64.encode(format!("{name}:{}", password.reveal()).as_bytes()))
    }));
    lines.extend(request.bearer.as_ref().map(|token| format!("Authorization: Bearer {}", token.reveal())));
    lines.extend(request.embed.map(|embed| format!("x-koha-embed: {embed}")));
    let body = request.body();
    if let Some(body) = &body {
        lines.push(format!("Content-Type: {}", request.content_type()));
        lines.push(format!("Content-Length: {}", body.len()));
    }
    format!("{}\r\n\r\n{}", lines.join("\r\n"), body.unwrap_or_default())
}

/// What was received until the connection ended.
fn read(request: &Request, bytes: &[u8]) -> Result<Response, Failure> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    // Firefox takes what ends within the headers for an answer without a body.
    let (head, body) = end.map_or((bytes, &[][..]), |end| (&bytes[..end], &bytes[end + 4..]));
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status: u16 =
        lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok()).ok_or(Failure::Lost)?;
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let header = |name: &str| {
        headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    if matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Err(Failure::Redirected { to: header("location") });
    }
    let cookies = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let session =
        cookies.filter_map(|(_, cookie)| cookie.trim().strip_prefix("CGISESSID=")?.split(';').next()).next_back();
    let mut whole = Body::of(request);
    whole.take(body);
    whole.into_answer(Response {
        status,
        content_type: header("content-type").unwrap_or_default(),
        csrf_token: header("csrf-token").map(Secret::new),
        session_cookie: session.map(Secret::new),
        persons_cookie: None,
        date: header("date").and_then(|date| DateTime::parse_from_rfc2822(&date).ok()).map(KohaTime::from_date),
        total_count: header("x-total-count").and_then(|count| count.parse().ok()),
        retry_after: header("retry-after").and_then(|after| front::retry_after(&after, header("date").as_deref())),
        asks_for_password: header("www-authenticate").is_some(),
        body: String::new(),
    })
}
