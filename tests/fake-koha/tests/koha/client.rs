//! A small blocking HTTP/1.1 client, so that nothing stands between the test and the wire.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use fake_koha::{Config, Era, FakeKoha};

pub(crate) const SERVICE: &str = "/cgi-bin/koha/offline_circ/service.pl";
pub(crate) const AUTHENTICATION: &str = "/cgi-bin/koha/svc/authentication";
pub(crate) const LIST: &str = "/cgi-bin/koha/offline_circ/list.pl";
pub(crate) const PROCESS: &str = "/cgi-bin/koha/offline_circ/process.pl";
pub(crate) const UPLOAD: &str = "/cgi-bin/koha/tools/upload-file.pl?temp=1";
pub(crate) const ENQUEUE: &str = "/cgi-bin/koha/offline_circ/enqueue_koc.pl";
pub(crate) const MAIN: &str = "/cgi-bin/koha/mainpage.pl";

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// A patron and an item without anything special.
pub(crate) const CARD: &str = "23529001223602";
pub(crate) const OTHER_CARD: &str = "23529001223609";
pub(crate) const ITEM: &str = "39999000000001";
pub(crate) const TIME: &str = "2026-11-23 10:00:00";

pub(crate) fn start(era: Era) -> FakeKoha {
    with(Config { era, ..Config::default() })
}

pub(crate) fn with(config: Config) -> FakeKoha {
    FakeKoha::start(config).expect("the server starts")
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All headers of this name, joined as a browser joins them.
    pub(crate) fn headers(&self, name: &str) -> String {
        let values = self.headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        values.collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn kind(&self) -> &str {
        self.header("content-type").unwrap_or_default()
    }

    /// One object as a list of one.
    pub(crate) fn wrapped(mut self) -> Self {
        self.body = format!("[{}]", self.body);
        self
    }

    /// Status and body.
    pub(crate) fn says(&self) -> (u16, &str) {
        (self.status, &self.body)
    }

    /// The session id of the cookie that the answer sets.
    pub(crate) fn session(&self) -> Option<String> {
        let cookie = self.header("set-cookie")?.strip_prefix("CGISESSID=")?;
        cookie.split(';').next().map(str::to_owned)
    }
}

/// One connection, kept open.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn open(koha: &FakeKoha) -> Self {
        Self::to_port(koha.port()).expect("the server listens")
    }

    pub(crate) fn to_port(port: u16) -> io::Result<Self> {
        Ok(Self { stream: BufReader::new(TcpStream::connect(("127.0.0.1", port))?) })
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        self.stream.get_mut().write_all(&bytes)?;
        self.read(method)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if !line.ends_with('\n') {
            return Err(io::Error::other(format!("cut: {line}")));
        }
        Ok(line.trim_end().to_owned())
    }

    fn read(&mut self, method: &str) -> io::Result<Answer> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(": ") else { break };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut answer = Answer { status, headers, body: String::new() };
        let length = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; if method == "HEAD" { 0 } else { length }];
        self.stream.read_exact(&mut body)?;
        answer.body = String::from_utf8(body).expect("UTF-8");
        Ok(answer)
    }
}

pub(crate) fn encode(parameters: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        if !text.is_empty() {
            text.push('&');
        }
        for (index, part) in [name, value].into_iter().enumerate() {
            if index == 1 {
                text.push('=');
            }
            for byte in part.bytes() {
                if byte.is_ascii_alphanumeric() {
                    text.push(char::from(byte));
                } else {
                    text.push_str(&format!("%{byte:02X}"));
                }
            }
        }
    }
    text
}

/// One request on a connection of its own.
pub(crate) fn ask(koha: &FakeKoha, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    Client::open(koha).send(method, path, headers, body).expect("an answer")
}

pub(crate) fn get(koha: &FakeKoha, path: &str, parameters: &[(&str, &str)]) -> Answer {
    ask(koha, "GET", &format!("{path}?{}", encode(parameters)), &[], b"")
}

pub(crate) fn post(koha: &FakeKoha, path: &str, parameters: &[(&str, &str)]) -> Answer {
    ask(koha, "POST", path, &[("Content-Type", FORM)], encode(parameters).as_bytes())
}

pub(crate) fn get_with_session(koha: &FakeKoha, path: &str, parameters: &[(&str, &str)], session: &str) -> Answer {
    let cookie = format!("CGISESSID={session}");
    ask(koha, "GET", &format!("{path}?{}", encode(parameters)), &[("Cookie", &cookie)], b"")
}

pub(crate) fn post_with_session(koha: &FakeKoha, path: &str, parameters: &[(&str, &str)], session: &str) -> Answer {
    let cookie = format!("lang=en; CGISESSID={session}");
    ask(koha, "POST", path, &[("Content-Type", FORM), ("Cookie", &cookie)], encode(parameters).as_bytes())
}

/// POST with cookie and token, as from 24.05.
pub(crate) fn post_with_token(
    koha: &FakeKoha,
    path: &str,
    parameters: &[(&str, &str)],
    session: &str,
    token: &str,
) -> Answer {
    let cookie = format!("CGISESSID={session}");
    let headers = [("Content-Type", FORM), ("Cookie", cookie.as_str()), ("CSRF-TOKEN", token)];
    ask(koha, "POST", path, &headers, encode(parameters).as_bytes())
}

/// A transaction with a login as before 24.05, at CPL, no cookie; the given parameters come first and so win.
pub(crate) fn transaction(koha: &FakeKoha, parameters: &[(&str, &str)]) -> Answer {
    let mut all = parameters.to_vec();
    for (name, value) in [
        ("userid", "koha"),
        ("password", "koha"),
        ("branchcode", "CPL"),
        ("pending", "false"),
        ("timestamp", TIME),
        ("nocookie", "true"),
    ] {
        if !parameters.iter().any(|(given, _)| *given == name) {
            all.push((name, value));
        }
    }
    post(koha, SERVICE, &all)
}

pub(crate) fn issue(koha: &FakeKoha, card: &str, barcode: &str) -> Answer {
    transaction(koha, &[("action", "issue"), ("cardnumber", card), ("barcode", barcode)])
}

pub(crate) fn give_back(koha: &FakeKoha, barcode: &str) -> Answer {
    transaction(koha, &[("action", "return"), ("barcode", barcode)])
}

pub(crate) fn pay(koha: &FakeKoha, card: &str, amount: &str) -> Answer {
    transaction(koha, &[("action", "payment"), ("cardnumber", card), ("amount", amount)])
}

/// A session made as by the staff client's login page.
pub(crate) fn session(koha: &FakeKoha, userid: &str, branch: &str) -> String {
    koha.library(|library| library.new_session(Some(userid), branch))
}
