//! A wall against bots, and two nodes behind a balancer.

use fake_koha::{Config, Era, FakeKoha, Fault, FaultKind, Wall};

use crate::client::*;

#[test]
fn a_wall_lets_pass_who_has_its_cookie_and_what_is_exempt() {
    let wall = Wall { status: 403, exempt: vec!["/api/".to_owned()], ..Wall::default() };
    for (wall, cookie, status) in [
        (Wall::default(), "KOHA_INIT", 200),
        (Wall { cookie: "anubis".to_owned(), ..wall.clone() }, "anubis", 403),
        (wall, "KOHA_INIT", 403),
    ] {
        let koha = with(Config { era: Era::From2405, wall: Some(wall), ..Config::default() });
        // Faults are behind the wall.
        koha.fault(Fault::on("authentication", FaultKind::Status(500)).times(1));
        let page = get(&koha, AUTHENTICATION, &[]);
        assert_eq!((page.status, page.session()), (status, None));
        assert!(page.kind().starts_with("text/html"));
        assert!(page.body.contains(&format!("document.cookie = \"{cookie}=1; path=/")));
        let with_cookie = |value: &str| {
            let header = format!("a=b; {cookie}={value}");
            ask(&koha, "GET", AUTHENTICATION, &[("Cookie", &header)], b"")
        };
        assert_eq!(with_cookie("2").body, page.body);
        assert_eq!(with_cookie("1").status, 500);
        assert!(with_cookie("1").body.contains("<status>failed</status>"));
        let libraries = get(&koha, "/api/v1/public/libraries", &[]);
        assert_eq!(libraries.kind().starts_with("application/json"), status == 403);
        assert_eq!(koha.requests().len(), 5, "what the wall answers is seen too");
        koha.set_wall(None);
        assert!(get(&koha, AUTHENTICATION, &[]).body.contains("<status>failed</status>"));
        koha.set_wall(Some(Wall::default()));
        assert!(get(&koha, AUTHENTICATION, &[]).body.contains("KOHA_INIT"));
    }
}

/// Asks svc/authentication with these cookies.
fn status(koha: &FakeKoha, cookies: &str) -> Answer {
    ask(koha, "GET", AUTHENTICATION, &[("Cookie", cookies)], b"")
}

#[test]
fn a_session_lives_on_one_of_two_nodes() {
    let koha = with(Config { two_nodes: true, ..Config::default() });
    let login = [("userid", "koha"), ("password", "koha")];
    let first = post(&koha, AUTHENTICATION, &login);
    let second = post(&koha, AUTHENTICATION, &login);
    assert!(first.headers("set-cookie").ends_with(", SERVERID=node1; path=/"));
    assert!(second.headers("set-cookie").ends_with(", SERVERID=node2; path=/"));
    let first = first.session().unwrap();
    let here = status(&koha, &format!("CGISESSID={first}; SERVERID=node1"));
    assert!(here.body.contains("<status>ok</status>") && !here.headers("set-cookie").contains("SERVERID"));
    assert!(status(&koha, &format!("SERVERID=node2; CGISESSID={first}")).body.contains("<status>expired</status>"));
    // Without the cookie, every other request reaches the session.
    let words = [0; 4].map(|_| status(&koha, &format!("CGISESSID={first}")).body.contains("<status>ok</status>"));
    assert_eq!(words, [true, false, true, false]);
    let nodes: Vec<u8> = koha.requests().iter().map(|request| request.node).collect();
    assert_eq!(nodes, [1, 2, 1, 2, 1, 2, 1, 2]);
    // One that a test made lives where it is seen first.
    let made = session(&koha, "koha", "CPL");
    for (node, word) in [("node2", "ok"), ("node1", "expired"), ("node2", "ok")] {
        let answer = status(&koha, &format!("CGISESSID={made}; SERVERID={node}"));
        assert!(answer.body.contains(&format!("<status>{word}</status>")), "{node}");
    }
}

#[test]
fn a_token_is_good_on_the_node_of_its_session() {
    let koha = with(Config { era: Era::From2405, two_nodes: true, ..Config::default() });
    let answer = get(&koha, AUTHENTICATION, &[]);
    let (session, token) = (answer.session().unwrap(), answer.header("csrf-token").unwrap().to_owned());
    let login = [("login_userid", "koha"), ("login_password", "koha")];
    for (cookies, expected) in [("SERVERID=node1; ", 200), ("SERVERID=node2; ", 403), ("", 403), ("", 200)] {
        let cookies = format!("{cookies}CGISESSID={session}");
        let headers = [("Content-Type", FORM), ("Cookie", &cookies), ("CSRF-TOKEN", &token)];
        let answer = ask(&koha, "POST", AUTHENTICATION, &headers, encode(&login).as_bytes());
        assert_eq!(answer.status, expected, "{cookies}");
    }
}
