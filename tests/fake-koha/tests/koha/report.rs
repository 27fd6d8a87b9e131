//! Saved reports, for programs.

use fake_koha::{Config, Era, FakeKoha, Library, Report, Size};
use serde_json::{Value, json};

use crate::client::*;

const REPORT: &str = "/cgi-bin/koha/svc/report";

fn rows(koha: &FakeKoha, report: &str, after: u64) -> Value {
    let id = session(koha, "circ", "CPL");
    let answer = get_with_session(koha, REPORT, &[("id", report), ("sql_params", &after.to_string())], &id);
    assert_eq!((answer.status, answer.kind()), (200, "application/json;charset=UTF-8"));
    serde_json::from_str(&answer.body).unwrap()
}

#[test]
fn rows_are_cut_without_a_word() {
    let mut library = Library::generate_sized(5, &Size { patrons: 2_000, ..Size::default() });
    let restricted =
        library.patrons.iter().filter(|patron| patron.restricted_until.as_deref().is_some_and(|until| until > "2080"));
    let ids: Vec<u64> = restricted.map(|patron| patron.id).collect();
    library.reports.insert(2, Report::RestrictionsWithoutPlaceholder);
    let koha = FakeKoha::start(Config { era: Era::From2405, library, ..Config::default() }).unwrap();
    let mut came: Vec<u64> = Vec::new();
    loop {
        let page = rows(&koha, "1", came.last().copied().unwrap_or(0));
        let page = page.as_array().unwrap();
        assert!(page.len() <= 10);
        if page.is_empty() {
            break;
        }
        came.extend(page.iter().map(|row| row[0].as_u64().unwrap()));
    }
    assert!(ids.len() > 30 && came == ids);
    assert_eq!(rows(&koha, "2", 0), rows(&koha, "2", ids[20]), "it has no place for the number");
}

#[test]
fn restrictions_that_are_over_are_not_among_them() {
    let koha = start(Era::Before2405);
    let id = koha.library(|library| {
        library.patron_mut("23529001223602").unwrap().restricted_until = Some("2019-05-01".into());
        library.patron("23529001223604").unwrap().id
    });
    assert_eq!(rows(&koha, "1", 0), json!([[id.to_string(), "2099-12-31", "Lost an atlas"]]));
    assert_eq!(rows(&koha, "1", id), json!([]));
}

#[test]
fn who_asks_is_looked_at_after_what_is_asked_for() {
    for (era, died) in [(Era::Before2405, "Internal Server Error"), (Era::From2405, "Error 500")] {
        let koha = start(era);
        let unknown = get(&koha, REPORT, &[("id", "99")]);
        assert!(unknown.status == 500 && unknown.body.contains(died), "{}", unknown.body);
        assert_eq!(get(&koha, REPORT, &[("id", "1")]).says(), (401, r#"{"auth_status":"failed"}"#));
        let may_not = session(&koha, "circonly", "MPL");
        let refused = get_with_session(&koha, REPORT, &[("id", "1")], &may_not);
        assert_eq!(refused.says(), (401, r#"{"auth_status":"failed"}"#));
        koha.library(|library| library.preferences.maintenance = true);
        assert_eq!(get(&koha, REPORT, &[("id", "1")]).says(), (401, r#"{"auth_status":"maintenance"}"#));
    }
    let koha = start(Era::Before2405);
    let login = [("id", "1"), ("sql_params", "0"), ("userid", "circ"), ("password", "circ")];
    assert_eq!(post(&koha, REPORT, &login).status, 200, "name and password in the body");
}

#[test]
fn an_error_of_the_database_is_a_200() {
    let koha = start(Era::From2405);
    koha.library(|library| library.reports.insert(3, Report::Wrong));
    assert!(rows(&koha, "3", 0)["queryerr"].is_string());
}
