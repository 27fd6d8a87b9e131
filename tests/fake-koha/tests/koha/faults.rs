//! Accidents, the record of requests, stopping and starting.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use fake_koha::{Close, Config, Effect, Era, FakeKoha, Fault, FaultKind, Front, Library, RetryAfter};

use crate::client::*;

fn koha() -> FakeKoha {
    start(Era::Before2405)
}

fn body() -> String {
    encode(&[
        ("userid", "koha"),
        ("password", "koha"),
        ("action", "issue"),
        ("cardnumber", CARD),
        ("barcode", ITEM),
        ("timestamp", TIME),
    ])
}

fn send(client: &mut Client) -> std::io::Result<Answer> {
    client.send("POST", SERVICE, &[("Content-Type", FORM)], body().as_bytes())
}

fn effects(koha: &FakeKoha) -> usize {
    koha.library(|library| {
        library.count_effects(|effect| matches!(effect, Effect::Issued { .. } | Effect::Renewed { .. }))
    })
}

#[test]
fn connections_are_kept_open_and_requests_recorded() {
    let koha = koha();
    let mut client = Client::open(&koha);
    send(&mut client).unwrap();
    client.send("GET", &format!("{SERVICE}?a=1;b=2"), &[("Cookie", "a=b"), ("X-Y", "z")], b"").unwrap();
    get(&koha, MAIN, &[]);
    let seen = koha.requests();
    assert_eq!(seen.len(), 3);
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str(), seen[0].query.as_str()), ("POST", SERVICE, ""));
    assert_eq!(seen[0].parameter("password"), Some("koha"));
    assert_eq!(seen[0].content_type.as_deref(), Some(FORM));
    assert_eq!(seen[1].query, "a=1;b=2");
    assert_eq!(seen[1].parameter("b"), Some("2"));
    assert_eq!((seen[1].cookie.as_deref(), seen[1].header("x-y")), (Some("a=b"), Some("z")));
    assert_eq!(seen[0].connection, seen[1].connection);
    assert_ne!(seen[0].connection, seen[2].connection);
    koha.clear_requests();
    assert!(koha.requests().is_empty());
}

#[test]
fn a_reset_gives_no_byte_and_processes_or_not() {
    for (kind, processed) in [(FaultKind::ResetBefore, 0), (FaultKind::ResetAfter, 1)] {
        let koha = koha();
        koha.fault(Fault::on("service.pl", kind).times(1));
        let mut client = Client::open(&koha);
        let error = send(&mut client).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset), "{error}");
        assert_eq!(effects(&koha), processed);
        assert_eq!(koha.requests().len(), 1);
        assert_eq!(send(&mut Client::open(&koha)).unwrap().status, 200);
    }
}

#[test]
fn a_reset_on_a_reused_connection() {
    let koha = koha();
    koha.fault(Fault::on("", FaultKind::ResetAfter).skip(1).times(1));
    let mut client = Client::open(&koha);
    assert_eq!(send(&mut client).unwrap().status, 200);
    assert!(send(&mut client).is_err());
    assert_eq!(effects(&koha), 2);
}

#[test]
fn headers_can_be_cut() {
    let koha = koha();
    koha.fault(Fault::on("service.pl", FaultKind::CutHeaders).times(1));
    let error = send(&mut Client::open(&koha)).unwrap_err();
    assert!(error.to_string().starts_with("cut: "), "{error}");
    assert_eq!(effects(&koha), 1);
    assert_eq!(send(&mut Client::open(&koha)).unwrap().status, 200);
}

#[test]
fn strange_answers() {
    let koha = koha();
    for (kind, status, processed) in [
        (FaultKind::Status(503), 503, 0),
        (FaultKind::Status(401), 401, 0),
        (FaultKind::HtmlLogin, 200, 0),
        (FaultKind::Redirect("https://portal.example/".to_owned()), 302, 0),
        (FaultKind::Status500After, 500, 1),
    ] {
        koha.library(|library| library.effects.clear());
        koha.fault(Fault::on("service.pl", kind.clone()));
        let answer = send(&mut Client::open(&koha)).unwrap();
        assert_eq!((answer.status, effects(&koha)), (status, processed), "{kind:?}");
        // Koha's own 401 and 500 before 24.05 were text.
        let kind = if matches!(status, 401 | 500) { "text/plain" } else { "text/html" };
        assert!(answer.kind().starts_with(kind));
        koha.clear_faults();
    }
}

#[test]
fn fronts_answer_before_or_after_koha() {
    let busy = |status, retry_after| Front::Busy { status, retry_after };
    for era in [Era::Before2405, Era::From2405] {
        let koha = start(era);
        let session = session(&koha, "koha", "CPL");
        let token = koha.library(|library| library.csrf_token(&session));
        let parameters = [("action", "issue"), ("cardnumber", CARD), ("barcode", ITEM), ("timestamp", TIME)];
        for (front, status, says, header) in [
            (Front::Page(403), 403, "<h1>403 Forbidden</h1>", None),
            (Front::Page(404), 404, "<h1>404 Not Found</h1>", None),
            (Front::Page(413), 413, "413 Payload Too Large", None),
            (busy(429, RetryAfter::Missing), 429, "429 Too Many Requests", None),
            (busy(429, RetryAfter::Seconds(7)), 429, "nginx", Some(("retry-after", "7"))),
            (busy(503, RetryAfter::Seconds(120)), 503, "nginx", Some(("retry-after", "120"))),
            (Front::Text("Access denied by policy"), 200, "Access denied by policy", None),
            (Front::Text("error code: 1015"), 200, "error code: 1015", None),
            (Front::Basic, 401, "Unauthorized", Some(("www-authenticate", "Basic realm=\"Staff only\""))),
            (Front::LoginPage, 200, "guest network", None),
            (Front::KohaMaintenance, 401, if era == Era::Before2405 { "" } else { "Error 401" }, None),
            (Front::KohaDisabled, 200, "<title>Unavailable</title>", None),
            (Front::ApacheMaintenance, 503, "maintenance downtime", None),
        ] {
            for (kind, processed) in [(FaultKind::FrontBefore(front.clone()), 0), (FaultKind::FrontAfter(front), 1)] {
                koha.library(|library| library.effects.clear());
                koha.fault(Fault::on("service.pl", kind.clone()).times(1));
                let answer = post_with_token(&koha, SERVICE, &parameters, &session, &token);
                assert_eq!((answer.status, effects(&koha)), (status, processed), "{kind:?}");
                assert!(answer.body.contains(says), "{kind:?} {}", answer.body);
                assert!(!answer.body.contains("Koha &rsaquo;") && answer.session().is_none());
                if let Some((name, value)) = header {
                    assert_eq!(answer.header(name), Some(value));
                }
            }
        }
        // By the server's clock.
        koha.library(|library| library.clock_shift_seconds = 3600);
        koha.fault(Fault::on("service.pl", FaultKind::FrontBefore(busy(503, RetryAfter::Date(60)))));
        let before = koha.library(|library| library.now_utc());
        let answer = post_with_token(&koha, SERVICE, &parameters, &session, &token);
        let date = answer.header("retry-after").unwrap().strip_suffix(" GMT").unwrap();
        let date = chrono::NaiveDateTime::parse_from_str(date, "%a, %d %b %Y %H:%M:%S").unwrap();
        let after = koha.library(|library| library.now_utc());
        let minute = chrono::TimeDelta::seconds(60);
        assert!((before + minute..=after + minute).contains(&date), "{date}");
    }
}

#[test]
fn maintenance_is_told_by_each_path_in_its_own_way() {
    for era in [Era::Before2405, Era::From2405] {
        for ordered in [false, true] {
            let koha = start(era);
            if ordered {
                koha.fault(Fault::on("", FaultKind::FrontBefore(Front::KohaMaintenance)));
            } else {
                koha.library(|library| library.preferences.maintenance = true);
            }
            assert!(get(&koha, AUTHENTICATION, &[]).body.contains("<status>maintenance</status>"));
            assert_eq!(get(&koha, SERVICE, &[]).status, 401);
            let rest = get(&koha, "/api/v1/libraries", &[]);
            assert_eq!(rest.says(), (503, r#"{"error":"System is under maintenance."}"#));
            let page = get(&koha, MAIN, &[]);
            assert_eq!((page.status, page.header("location")), (302, Some("/cgi-bin/koha/installer/install.pl")));
        }
    }
}

/// The lines that go with a transaction, and whether the connection stays open after it.
fn stays_open(koha: &FakeKoha, lines: &[(&str, &str)]) -> bool {
    let mut client = Client::open(koha);
    let headers = [&[("Content-Type", FORM)], lines].concat();
    let mut send = || client.send("POST", SERVICE, &headers, body().as_bytes());
    send().expect("the first is answered");
    send().is_ok()
}

#[test]
fn starman_takes_the_connection_header_word_for_word() {
    for (lines, others, starman) in [
        (&[][..], true, true),
        (&[("Connection", "keep-alive")], true, true),
        (&[("Connection", "close")], false, false),
        (&[("connection", "Close")], false, false),
        (&[("Connection", "keep-alive, close")], false, true),
        (&[("Connection", "keep-alive"), ("Connection", "close")], false, true),
    ] {
        for (is_starman, expected) in [(false, others), (true, starman)] {
            let koha = with(Config { starman: is_starman, ..Config::default() });
            assert_eq!(stays_open(&koha, lines), expected, "{lines:?} {is_starman}");
            let seen = &koha.requests()[0];
            let sent: Vec<String> = lines.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            assert_eq!(seen.head_lines("connection"), sent, "on the wire");
            assert_eq!(seen.header("connection"), lines.first().map(|(_, value)| *value));
            let head = String::from_utf8(seen.head.clone()).unwrap();
            assert!(head.starts_with("POST /cgi-bin/koha/offline_circ/service.pl HTTP/1.1\r\n"));
            assert!(head.ends_with("\r\n\r\n") && !head.contains("barcode"));
        }
    }
}

#[test]
fn a_reused_connection_is_closed_after_the_work() {
    for (close, error) in [(Close::Fin, ErrorKind::UnexpectedEof), (Close::Rst, ErrorKind::ConnectionReset)] {
        let koha = with(Config { starman: true, ..Config::default() });
        koha.fault(Fault::on("service.pl", FaultKind::CloseReused(close)).times(1));
        send(&mut Client::open(&koha)).unwrap();
        let mut client = Client::open(&koha);
        send(&mut client).unwrap();
        assert_eq!(send(&mut client).unwrap_err().kind(), error);
        assert_eq!(effects(&koha), 3, "processed all the same");
        let mut client = Client::open(&koha);
        send(&mut client).unwrap();
        send(&mut client).unwrap();
    }
}

#[test]
fn a_delay_is_one() {
    for kind in [FaultKind::Delay(Duration::from_millis(100)), FaultKind::DelayAfter(Duration::from_millis(100))] {
        let koha = koha();
        koha.fault(Fault::on("service.pl", kind));
        let started = Instant::now();
        send(&mut Client::open(&koha)).unwrap();
        assert!(started.elapsed() >= Duration::from_millis(100));
    }
}

/// Waits for what comes at any speed.
fn until(what: &str, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_mins(1), "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn what_is_held_goes_on_when_faults_are_ended_though_its_client_is_gone() {
    for (kind, before) in [(FaultKind::Hold, 0), (FaultKind::HoldAfter, 1)] {
        let koha = koha();
        koha.fault(Fault::on("service.pl", kind.clone()));
        // One waits for its answer, one hangs up at once.
        let answer = std::thread::spawn({
            let mut client = Client::open(&koha);
            move || send(&mut client).unwrap()
        });
        until("it did not arrive", || koha.requests().len() == 1 && effects(&koha) == before);
        {
            use std::io::Write;
            let mut stream = std::net::TcpStream::connect(("127.0.0.1", koha.port())).unwrap();
            let body = body();
            write!(
                stream,
                "POST {SERVICE} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
            stream.flush().unwrap();
            until("it did not arrive", || koha.requests().len() == 2);
        }
        // Other requests pass meanwhile.
        assert_eq!(get(&koha, MAIN, &[]).status, 200);
        assert!(!answer.is_finished(), "{kind:?} has held nothing");
        koha.clear_faults();
        assert_eq!(answer.join().unwrap().status, 200);
        until("it was not processed", || effects(&koha) == 2);
    }
}

#[test]
fn a_session_can_expire_under_way() {
    let koha = koha();
    let session = session(&koha, "circ", "CPL");
    koha.fault(Fault::on("service.pl", FaultKind::ExpireSession).skip(1).times(1));
    let parameters = [("action", "return"), ("barcode", ITEM)];
    assert_eq!(post_with_session(&koha, SERVICE, &parameters, &session).status, 200);
    assert_eq!(post_with_session(&koha, SERVICE, &parameters, &session).status, 401);
}

#[test]
fn rules_count_by_themselves_and_add_up() {
    let koha = koha();
    koha.fault(Fault::on("service.pl", FaultKind::Delay(Duration::from_millis(60))));
    koha.fault(Fault::on("service.pl", FaultKind::Status(503)).skip(1).times(1));
    let started = Instant::now();
    let statuses: Vec<u16> = (0..3).map(|_| send(&mut Client::open(&koha)).unwrap().status).collect();
    assert_eq!(statuses, [200, 503, 200]);
    assert!(started.elapsed() >= Duration::from_millis(180));
}

#[test]
fn stopping_closes_the_port_and_keeps_the_data() {
    let koha = koha();
    let session = session(&koha, "circ", "CPL");
    let mut client = Client::open(&koha);
    send(&mut client).unwrap();
    let port = koha.port();
    let stopped = koha.stop();
    assert!(Client::to_port(port).is_err());
    assert!(send(&mut client).is_err(), "open connections are closed");
    assert_eq!(stopped.library(|library| library.loans.len()), 1);
    let koha = stopped.start().unwrap();
    assert_eq!(koha.port(), port);
    assert!(get_with_session(&koha, MAIN, &[], &session).body.contains("Logged in as"), "sessions are in the database");
    let koha = koha.restart().unwrap();
    assert_eq!(koha.port(), port);
    drop(koha);
    assert!(Client::to_port(port).is_err());
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let koha = koha();
    let second = FakeKoha::start(Config { port: koha.port(), ..Config::default() });
    assert_eq!(second.unwrap_err().kind(), ErrorKind::AddrInUse);
}

#[test]
fn a_big_library_is_the_same_for_the_same_seed() {
    let (one, two) = (Library::generate(7, 500, 2000), Library::generate(7, 500, 2000));
    assert_eq!((&one.patrons, &one.items, &one.loans), (&two.patrons, &two.items, &two.loans));
    assert_eq!((one.patrons.len(), one.items.len(), one.loans.len()), (504, 2000, 250));
    assert!(one.effects.is_empty());
    assert_ne!(one.patrons, Library::generate(8, 500, 2000).patrons);
}
