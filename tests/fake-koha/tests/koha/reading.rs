//! KOCT's own reading of whole lists against the stand-in, over real HTTP, in both eras.

use koct_core::desk::clock::KohaTime;
use std::collections::BTreeSet;

use fake_koha::{Config, Era, FakeKoha, Fault, FaultKind, Flag, Library, Size};
use koct_core::directory::record::{Hold, Item, Loan, Patron, Record, Restriction};
use koct_core::koha::records::{self, Listed, Point, ReadError, ReadStep, Reading, Report, RestCredentials, Source};
use koct_core::koha::{Failure, Method, Request, Response, Session, key};
use koct_core::{ApiKey, Secret, ServerUrl, Settings};

use crate::client::*;

const NOW: KohaTime = KohaTime::from_millis(1_795_600_000_000);

const ERAS: [Era; 2] = [Era::Before2405, Era::From2405];

fn big(era: Era) -> FakeKoha {
    let size = Size { patrons: 2_300, items: 3_100, loans: 300, holds: 150 };
    with(Config { era, library: Library::generate_sized(5, &size), ..Config::default() })
}

fn settings(koha: &FakeKoha) -> Settings {
    Settings::at(ServerUrl::parse(&koha.url()).unwrap(), "koha", "koha", "CPL")
}

/// As each era wants it.
fn pass(koha: &FakeKoha, era: Era, userid: &str) -> RestCredentials {
    match era {
        Era::Before2405 => RestCredentials::Basic,
        Era::From2405 => {
            RestCredentials::Session(Session { cookie: Secret::new(session(koha, userid, "CPL")), csrf_token: None })
        }
    }
}

/// Makes the request as the extension does.
fn send(koha: &FakeKoha, request: &Request) -> Result<Response, Failure> {
    let path = request.url.strip_prefix(&koha.url()).unwrap();
    let mut headers = Vec::new();
    if let Some(session) = &request.session {
        headers.push(("Cookie", format!("CGISESSID={}", session.cookie.reveal())));
    }
    if let Some((name, password)) = request.basic.as_deref() {
        assert_eq!((name.as_str(), password.reveal()), ("koha", "koha"));
        headers.push(("Authorization", "Basic a29oYTprb2hh".to_owned()));
    }
    if let Some(token) = &request.bearer {
        headers.push(("Authorization", format!("Bearer {}", token.reveal())));
    }
    if let Some(embed) = request.embed {
        headers.push(("x-koha-embed", embed.to_owned()));
    }
    let body = request.body().unwrap_or_default();
    if request.method == Method::Post {
        headers.push(("Content-Type", FORM.to_owned()));
    }
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let method = if request.method == Method::Get { "GET" } else { "POST" };
    let answer = Client::open(koha).send(method, path, &headers, body.as_bytes()).map_err(|_| Failure::Lost)?;
    Ok(Response {
        status: answer.status,
        content_type: answer.kind().to_owned(),
        total_count: answer.header("x-total-count").and_then(|count| count.parse().ok()),
        date: answer.header("date").map(|_| NOW),
        body: answer.body,
        ..Response::default()
    })
}

/// What was read of a list.
struct Read<R> {
    rows: Vec<R>,
    point: Point,
    requests: usize,
    breaks: usize,
}

/// Reads a list to its end. Before each request `meanwhile` happens; after a stop without an answer, it is gone on with from
/// the point that was stored with the last rows.
fn read<R: Listed>(
    koha: &FakeKoha,
    pass: &RestCredentials,
    since: Option<KohaTime>,
    meanwhile: impl Fn(usize),
) -> Result<Read<R>, ReadError> {
    read_from(koha, pass, Point::start(since), Reading::<R>::new, meanwhile)
}

fn read_from<S: Source>(
    koha: &FakeKoha,
    pass: &RestCredentials,
    start: Point,
    source: impl Fn(Point) -> S,
    meanwhile: impl Fn(usize),
) -> Result<Read<S::Row>, ReadError> {
    let settings = settings(koha);
    let mut read = Read { rows: Vec::new(), point: start, requests: 0, breaks: 0 };
    let mut reading = source(read.point.clone());
    while read.requests < 400 {
        meanwhile(read.requests);
        read.requests += 1;
        let (rows, ended) = match reading.handle(send(koha, &reading.request(&settings, pass))) {
            ReadStep::Rows { rows, .. } => (rows, false),
            ReadStep::Done(rows) => (rows, true),
            ReadStep::Again(_) => {
                if reading.point().is_start() {
                    read.rows.clear();
                }
                continue;
            }
            ReadStep::Stopped(ReadError::NoAnswer(_)) => {
                let stored = serde_json::to_string(&read.point).unwrap();
                reading = source(serde_json::from_str(&stored).unwrap());
                read.breaks += 1;
                continue;
            }
            ReadStep::Stopped(stop) => return Err(stop),
            ReadStep::CredentialsEnded => panic!("the session ended"),
        };
        read.rows.extend(rows);
        read.point = reading.point().clone();
        if ended {
            return Ok(read);
        }
    }
    panic!("{:?}: it does not end", S::Row::SET)
}

fn ids<R: Record>(rows: &[R]) -> Vec<u32> {
    rows.iter().map(R::id).collect()
}

fn rising<R: Record>(rows: &[R]) -> BTreeSet<u32> {
    assert!(ids(rows).is_sorted_by(|one, next| one < next), "{:?}: they rise", R::SET);
    ids(rows).into_iter().collect()
}

#[test]
fn every_list_comes_whole() {
    for era in ERAS {
        let koha = big(era);
        let pass = pass(&koha, era, "koha");
        let patrons = read::<Patron>(&koha, &pass, None, |_| {}).unwrap();
        let expected = koha.library(|library| {
            library.patrons.iter().map(|patron| u32::try_from(patron.id).unwrap()).collect::<BTreeSet<_>>()
        });
        assert_eq!(rising(&patrons.rows), expected, "{era:?}");
        assert!(patrons.point.koha_began().is_some(), "the server tells its time");
        // Only newer versions tell what somebody owes.
        assert_eq!(patrons.point.has_extras, era == Era::From2405);
        let (owing, mut owed) = (patrons.rows.iter().filter(|patron| patron.owes.is_some_and(|owes| owes > 0)), 0);
        for patron in owing {
            let balance = koha.library(|library| library.balance(&patron.cardnumber));
            assert_eq!(patron.owes, Some((balance.0 + 5_000) / 10_000), "{}", patron.cardnumber);
            owed += 1;
        }
        assert_eq!(owed > 0, era == Era::From2405);

        let items = read::<Item>(&koha, &pass, None, |_| {});
        match era {
            Era::Before2405 => assert_eq!(items.err(), Some(ReadError::Absent)),
            Era::From2405 => {
                let items = items.unwrap();
                assert_eq!((rising(&items.rows).len(), items.point.has_extras), (3_100, true));
                assert!(items.rows.iter().all(|item| !item.title.is_empty() && item.biblio > 0));
            }
        }
        let loans = read::<Loan>(&koha, &pass, None, |_| {}).unwrap();
        assert_eq!(rising(&loans.rows).len(), 300, "{era:?}");
        assert!(loans.rows.iter().all(|loan| loan.item.is_some() && loan.due.is_some() && loan.since.is_some()));
        let holds = read::<Hold>(&koha, &pass, None, |_| {}).unwrap();
        assert_eq!(rising(&holds.rows).len(), 150, "{era:?}");

        let libraries = send(&koha, &records::libraries(&settings(&koha), &pass)).unwrap();
        let libraries = koct_core::koha::rest::read_libraries(&libraries).unwrap();
        assert_eq!(libraries.knows("CPL"), Some(true));
    }
}

#[test]
fn what_comes_and_goes_meanwhile_hides_nothing() {
    for era in ERAS {
        let koha = big(era);
        let before = koha.library(|library| library.patrons.clone());
        let pass = pass(&koha, era, "koha");
        let read = read::<Patron>(&koha, &pass, None, |requests| {
            if requests == 0 {
                return;
            }
            koha.library(|library| {
                // Some of those that were read already go, and one comes.
                let gone = 100 + requests;
                library.patrons.drain(gone..gone + 15);
                let mut newcomer = library.patrons.last().unwrap().clone();
                newcomer.id += 1;
                library.patrons.push(newcomer);
            });
        })
        .unwrap();
        let there: BTreeSet<u32> = koha.library(|library| {
            let still = library.patrons.iter().filter(|patron| before.iter().any(|early| early.id == patron.id));
            still.map(|patron| u32::try_from(patron.id).unwrap()).collect()
        });
        let read_ids = rising(&read.rows);
        assert!(there.is_subset(&read_ids), "{era:?}: {:?}", there.difference(&read_ids));
        assert!(there.len() < before.len() && read.requests > 2);
    }
}

#[test]
fn a_break_is_gone_on_with_and_nothing_comes_twice() {
    for era in ERAS {
        let koha = big(era);
        let pass = pass(&koha, era, "koha");
        // One page, then answers break off until it stops; then again.
        let asked_in_vain = usize::from(era == Era::Before2405);
        koha.fault(Fault::on("/patrons", FaultKind::CutAfter(20_000)).skip(asked_in_vain + 1).times(5));
        koha.fault(Fault::on("/patrons", FaultKind::ResetBefore).skip(asked_in_vain + 7).times(5));
        let read = read::<Patron>(&koha, &pass, None, |_| {}).unwrap();
        assert_eq!(read.breaks, 2, "{era:?}");
        assert_eq!(rising(&read.rows).len(), koha.library(|library| library.patrons.len()), "{era:?}");
    }
}

#[test]
fn only_what_has_changed() {
    let koha = big(Era::From2405);
    koha.library(|library| {
        for patron in &mut library.patrons {
            patron.updated_on = "2026-11-02 09:00:00".into();
        }
        // An hour after the last download, by a clock an hour ahead of UTC; and a day before it.
        library.patrons[7].updated_on = "2026-11-25 11:46:40".into();
        library.patrons[9].updated_on = "2026-11-24 09:00:00".into();
    });
    let changed = koha.library(|library| u32::try_from(library.patrons[7].id).unwrap());
    let pass = pass(&koha, Era::From2405, "koha");
    let read = read::<Patron>(&koha, &pass, Some(NOW), |_| {}).unwrap();
    assert_eq!((ids(&read.rows), read.requests, read.point.is_changes()), (vec![changed], 1, true));
    // Koha before has no conditions: all of them come, and that is told.
    let koha = big(Era::Before2405);
    let all = self::read::<Patron>(&koha, &RestCredentials::Basic, Some(NOW), |_| {}).unwrap();
    assert!(all.rows.len() > 2_300 && !all.point.is_changes());
}

#[test]
fn an_api_key_opens_what_its_account_may_read() {
    let koha = big(Era::From2405);
    koha.library(|library| {
        library.add_account("desk", &[Flag::Catalogue]);
        library.add_api_key("desk", "the key", "s3cret");
    });
    let settings = settings(&koha);
    let ask = |secret: &str| {
        let request = key::request(&settings, &ApiKey { id: "the key".into(), secret: Secret::new(secret) });
        assert!(!request.url.contains('?') && !format!("{request:?}").contains(secret));
        records::read_token(&send(&koha, &request).unwrap())
    };
    assert_eq!(ask("wrong"), Err(records::TokenError::Refused));
    let pass = RestCredentials::Token(ask("s3cret").unwrap());
    assert_eq!(read::<Item>(&koha, &pass, None, |_| {}).unwrap().rows.len(), 3_100);
    let refused = |permission: &str| Some(ReadError::Refused(permission.to_owned()));
    assert_eq!(read::<Patron>(&koha, &pass, None, |_| {}).err(), refused("borrowers: edit_borrowers"));
    assert_eq!(read::<Loan>(&koha, &pass, None, |_| {}).err(), refused("circulate: circulate_remaining_permissions"));
    assert_eq!(read::<Hold>(&koha, &pass, None, |_| {}).err(), refused("reserveforothers: place_holds"));
    koha.library(|library| library.preferences.maintenance = true);
    assert_eq!(read::<Item>(&koha, &pass, None, |_| {}).err(), Some(ReadError::Maintenance));
}

#[test]
fn a_report_says_who_is_restricted_however_few_rows_come_at_once() {
    for era in ERAS {
        let mut library = Library::generate_sized(5, &Size { patrons: 2_000, ..Size::default() });
        for number in 2..=4 {
            let kinds = [
                fake_koha::Report::RestrictionsWithoutPlaceholder,
                fake_koha::Report::Branches,
                fake_koha::Report::Wrong,
            ];
            library.reports.insert(number, kinds[usize::try_from(number).unwrap() - 2]);
        }
        let koha = with(Config { era, library, ..Config::default() });
        let read = |number, meanwhile: &dyn Fn(usize)| {
            let source = |point| Report::new(number, point);
            read_from(&koha, &pass(&koha, era, "koha"), Point::start(None), source, meanwhile)
        };
        let restricted = read(1, &|request| {
            if request == 3 {
                koha.fault(Fault::on("/svc/report", FaultKind::ResetBefore).times(6));
            }
        });
        let restricted = restricted.unwrap();
        assert!(restricted.breaks > 0 && restricted.requests > 4, "{era:?}");
        rising(&restricted.rows);
        koha.library(|library| {
            let today = library.now_local()[..10].to_owned();
            let expected = library.patrons.iter().filter_map(|patron| {
                let until = patron.restricted_until.as_deref().filter(|until| **until > *today)?;
                let until = (!until.starts_with("9999")).then(|| until.parse().unwrap());
                let (patron, comment) = (u32::try_from(patron.id).unwrap(), patron.restriction_comment.to_string());
                Some(Restriction { patron, until, comment })
            });
            assert_eq!(restricted.rows, expected.collect::<Vec<_>>());
        });
        for (number, stop) in [
            (2, ReadError::Strange(200)),
            (3, ReadError::Strange(200)),
            (4, ReadError::Strange(200)),
            (9, ReadError::Absent),
        ] {
            assert_eq!(read(number, &|_| {}).err(), Some(stop), "{number}");
        }
    }
}

#[test]
fn a_pass_that_has_ended_is_told_once() {
    for era in ERAS {
        let koha = big(era);
        let ended = RestCredentials::Session(Session { cookie: Secret::new("gone"), csrf_token: None });
        let mut reading = Reading::<Loan>::new(Point::start(None));
        let settings = settings(&koha);
        assert_eq!(reading.handle(send(&koha, &reading.request(&settings, &ended))), ReadStep::CredentialsEnded);
        let renewed = pass(&koha, era, "koha");
        // Before 24.05 it is found out first that there are no conditions.
        let mut step = reading.handle(send(&koha, &reading.request(&settings, &renewed)));
        while matches!(step, ReadStep::Again(time) if time.is_zero()) {
            step = reading.handle(send(&koha, &reading.request(&settings, &renewed)));
        }
        assert!(matches!(step, ReadStep::Done(rows) if rows.len() == 300), "{era:?}");
    }
}
