//! The pages for people: login, queue, processing, .koc files.

use fake_koha::{Config, Era, FakeKoha};

use crate::client::*;

fn queue(koha: &FakeKoha, time: &str, parameters: &[(&str, &str)]) {
    let all = [parameters, &[("pending", "true"), ("timestamp", time)]].concat();
    assert_eq!(transaction(koha, &all).says(), (200, "Added."));
}

/// The row ids of the queue page, from top to bottom.
fn rows(page: &str) -> Vec<&str> {
    page.split("name=\"operationid\" id=\"operationid").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn the_login_form_makes_a_session() {
    for era in [Era::Before2405, Era::From2405] {
        let koha = start(era);
        let form = get(&koha, MAIN, &[]);
        assert_eq!(form.status, 200);
        assert!(form.kind().starts_with("text/html") && form.body.contains("Log in to Koha"));
        let anonymous = form.session().unwrap();
        let token = koha.library(|library| library.csrf_token(&anonymous));
        let (user, password) = match era {
            Era::Before2405 => ("userid", "password"),
            Era::From2405 => ("login_userid", "login_password"),
        };
        let send = |name| {
            let fields = [
                (user, "circ"),
                (password, name),
                ("branch", "FPL"),
                ("csrf_token", &token),
                ("login_op", "cud-login"),
            ];
            post_with_session(&koha, MAIN, &fields, &anonymous)
        };
        assert!(send("wrong").body.contains("Invalid username or password"));
        let page = send("circ");
        let session = page.session().unwrap();
        let page = get_with_session(&koha, MAIN, &[], &session).body;
        // From 24.05 an account chooses its library only with a permission for it, and is told nothing.
        let branch = if era == Era::Before2405 { ">FPL<" } else { ">CPL<" };
        assert!(page.contains(">circ<") && page.contains(branch));
        assert_eq!(page.contains("name=\"csrf-token\""), era == Era::From2405);
        get_with_session(&koha, MAIN, &[("logout.x", "1")], &session);
        assert!(get_with_session(&koha, MAIN, &[], &session).body.contains("Log in to Koha"));
    }
}

#[test]
fn the_queue_shows_the_branch_of_the_session_in_time_order() {
    let koha = start(Era::Before2405);
    for (time, barcode, branch) in [
        ("2026-11-23 10:00:05", "39999000000001", "CPL"),
        ("2026-11-23 10:00:01", "39999000000002", "CPL"),
        ("2026-11-23 10:00:01", "39999000000003", "CPL"),
        ("2026-11-23 10:00:00", "39999000000004", "MPL"),
        ("2026-11-23 10:00:09", "<b>nothing", "CPL"),
    ] {
        queue(&koha, time, &[("action", "issue"), ("cardnumber", CARD), ("barcode", barcode), ("branchcode", branch)]);
    }
    let page = get_with_session(&koha, LIST, &[], &session(&koha, "circonly", "CPL")).body;
    let expected: Vec<String> = koha.library(|library| {
        [2, 1, 0, 4].into_iter().map(|index: usize| library.pending[index].id.unwrap().to_string()).collect()
    });
    assert_eq!(rows(&page), expected, "the same second comes out in reverse");
    assert!(page.contains("2026-11-23 11:00:05"), "server-local");
    assert!(page.contains("<span class=\"error\">&lt;b&gt;nothing</span>"));
    for word in ["checkall", "id=\"process\"", "id=\"delete\""] {
        assert!(page.contains(word), "{word}");
    }
    let empty = get_with_session(&koha, LIST, &[], &session(&koha, "circ", "FPL")).body;
    assert!(empty.contains("no pending offline operations"));
    for answer in [
        get(&koha, LIST, &[]),
        get_with_session(&koha, LIST, &[], &session(&koha, "noperm", "CPL")),
        get_with_session(&koha, PROCESS, &[], "bogus"),
    ] {
        assert_eq!(answer.status, 200);
        assert!(answer.kind().starts_with("text/html") && answer.session().is_some());
    }
}

#[test]
fn processing_deletes_the_row_whatever_the_answer() {
    for era in [Era::Before2405, Era::From2405] {
        let koha = start(Era::Before2405);
        for (action, card, barcode) in [
            ("issue", CARD, ITEM),
            ("issue", "nobody", ITEM),
            ("issue", CARD, "nothing"),
            ("return", "", ITEM),
            ("return", "", ITEM),
            ("return", "", "nothing"),
            ("renew", CARD, ITEM),
            ("payment", "nobody", ""),
        ] {
            queue(&koha, TIME, &[("action", action), ("cardnumber", card), ("barcode", barcode)]);
        }
        let library = koha.library(|library| library.clone());
        let koha = with(Config { era, library, ..Config::default() });
        let session = session(&koha, "circ", "MPL");
        let token = koha.library(|library| library.csrf_token(&session));
        let run = |action: &str, id: &str| match era {
            Era::Before2405 => get_with_session(&koha, PROCESS, &[("action", action), ("operationid", id)], &session),
            Era::From2405 => {
                let op = format!("cud-{action}");
                post_with_token(&koha, PROCESS, &[("op", &op), ("operationid", id)], &session, &token)
            }
        };
        let ids: Vec<String> =
            koha.library(|library| library.pending.iter().map(|row| row.id.unwrap().to_string()).collect());
        assert_eq!(run("look", &ids[0]).says(), (200, ""));
        assert_eq!(koha.library(|library| library.pending.len()), 8);
        let answers = [
            "Success.",
            "Borrower not found.",
            "Barcode not found.",
            "Success.",
            "Item not issued.",
            "Item not found.",
            "",
        ];
        for (id, answer) in ids.iter().zip(answers) {
            assert_eq!(run("process", id).says(), (200, answer));
            assert_eq!(run("process", id).says(), (200, ""), "already gone");
        }
        koha.library(|library| {
            assert_eq!(library.old_loans[0].loan.branch, "MPL", "the branch of the session");
            assert_eq!(library.old_loans[0].loan.issued_at, "2026-11-23 11:00:00");
            assert_eq!(library.pending.len(), 1);
        });
        assert_eq!(run("process", &ids[7]).status, 500);
        assert_eq!(koha.library(|library| library.pending.len()), 1, "the row stays");
        assert_eq!(run("delete", &ids[7]).says(), (200, "Deleted."));
        assert_eq!(run("delete", &ids[7]).says(), (200, "Deleted."));
        assert!(koha.library(|library| library.pending.is_empty()));
    }
}

/// Uploads a file as the page does; gives the answer of the upload.
fn upload(koha: &FakeKoha, session: &str, file: &[u8]) -> Answer {
    let mut body = b"--xyz\r\nContent-Disposition: form-data; name=\"uploadfile\"; filename=\"a.koc\"\r\n\r\n".to_vec();
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--xyz--\r\n");
    let cookie = format!("CGISESSID={session}");
    let token = koha.library(|library| library.csrf_token(session));
    let headers = [
        ("Content-Type", "multipart/form-data; boundary=xyz"),
        ("Cookie", cookie.as_str()),
        ("CSRF-TOKEN", token.as_str()),
    ];
    ask(koha, "POST", UPLOAD, &headers, &body)
}

/// Uploads a file and queues it; gives the answer, and how many rows there are then.
fn enqueue(koha: &FakeKoha, file: &[u8]) -> (Answer, usize) {
    koha.library(|library| library.pending.clear());
    let session = session(koha, "circ", "MPL");
    let uploaded = upload(koha, &session, file);
    assert!(uploaded.body.contains("\"status\":\"done\""));
    assert!(uploaded.kind().starts_with("text/html"));
    let id = uploaded.body.split("\"fileid\":\"").nth(1).unwrap().split('"').next().unwrap();
    let token = koha.library(|library| library.csrf_token(&session));
    let fields = [("uploadedfileid", id), ("op", "cud-enqueue"), ("csrf_token", &token)];
    let answer = post_with_session(koha, ENQUEUE, &fields, &session);
    (answer, koha.library(|library| library.pending.len()))
}

const HEADER: &str = "Version=1.0\tGenerator=x\tGeneratorVersion=1\n";
const LINES: &str = "2026-11-23 10:00:00 5\tissue\t23529001223602\t39999000000001\r\n\
                     2026-11-23 10-00-07 000\treturn\t39999000000001\t\n\
                     2026-11-23T10:00:08Z\tpayment\t23529001223606\t2.50";

#[test]
fn a_koc_file_goes_into_the_queue_with_local_times() {
    for era in [Era::Before2405, Era::From2405] {
        let koha = start(era);
        let (answer, count) = enqueue(&koha, format!("{HEADER}{LINES}").as_bytes());
        assert!(answer.body.contains("Your file was uploaded") && !answer.body.contains("Warning"));
        assert_eq!(count, 3);
        koha.library(|library| {
            let times: Vec<_> = library.pending.iter().map(|row| row.timestamp.as_str()).collect();
            assert_eq!(times, ["2026-11-23 10:00:00", "2026-11-23 10:00:07", "2026-11-23 10:00:08"]);
            assert!(library.pending.iter().all(|row| row.branch == "MPL" && row.userid == "circ"));
            assert_eq!(library.pending[0].barcode, "39999000000001");
            assert_eq!(library.pending[2].amount.to_string(), "2.500000");
        });
        assert_eq!(enqueue(&koha, HEADER.as_bytes()).1, 0);
    }
}

#[test]
fn odd_koc_files() {
    let koha = start(Era::Before2405);
    for (file, status, warns, count) in [
        (format!("\u{feff}{HEADER}{LINES}"), 200, true, 3),
        (HEADER.replace("1.0", "1.1") + LINES, 200, true, 3),
        (String::new(), 200, true, 0),
        (LINES.to_owned(), 200, true, 2),
        (format!("{HEADER}{LINES}\n\n"), 500, false, 3),
        (format!("{HEADER}\n{LINES}"), 500, false, 0),
        (format!("{HEADER}{LINES}\n2026-11-23 10:00:09\trenew\tx\n{LINES}"), 500, false, 3),
        (format!("{HEADER}garbage\tissue\ta\tb\n"), 200, false, 1),
    ] {
        let (answer, rows) = enqueue(&koha, file.as_bytes());
        assert_eq!((answer.status, rows), (status, count), "{file:?}");
        assert_eq!(answer.body.contains("Warning: This file is version"), warns, "{file:?}");
    }
    koha.library(|library| assert_eq!(library.pending[0].timestamp, "0000-00-00 00:00:00"));
}

#[test]
fn an_upload_needs_a_session_and_a_permission() {
    let koha = start(Era::Before2405);
    let denied = upload(&koha, &session(&koha, "noperm", "CPL"), b"x");
    assert_eq!(denied.status, 200);
    assert!(denied.body.contains("\"status\":\"denied\"") && denied.body.contains("\"fileid\":null"));
    assert_eq!(upload(&koha, "bogus", b"x").status, 500);
}

#[test]
fn a_sub_path_and_unknown_pages() {
    let koha = with(Config { sub_path: "/koha/".to_owned(), ..Config::default() });
    assert!(koha.url().ends_with("/koha"));
    assert!(get(&koha, &format!("/koha{AUTHENTICATION}"), &[]).body.contains("failed"));
    for path in [AUTHENTICATION, "/koha/cgi-bin/koha/nothing.pl", "/", "/kohax", "/kohax/cgi-bin/koha/mainpage.pl"] {
        let answer = get(&koha, path, &[]);
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.kind().starts_with("text/html"));
    }
}
