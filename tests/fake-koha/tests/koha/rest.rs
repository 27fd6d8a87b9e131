//! The REST API.

use fake_koha::{Config, Era, Library};

use crate::client::*;

const KOHA: (&str, &str) = ("Authorization", "Basic a29oYTprb2hh");
const KOHA_WRONG: (&str, &str) = ("Authorization", "Basic a29oYTp4");
const CIRCONLY: (&str, &str) = ("Authorization", "Basic Y2lyY29ubHk6Y2lyY29ubHk=");
const CIRC: (&str, &str) = ("Authorization", "Basic Y2lyYzpjaXJj");
const BY_CARD: (&str, &str) = ("Authorization", "Basic U1RBRkYwMDE6a29oYQ==");

#[test]
fn libraries_and_who_may_see_them() {
    for era in [Era::Before2405, Era::From2405] {
        let koha = start(era);
        let ask = |path: &str, header: (&str, &str)| ask(&koha, "GET", path, &[header], b"");
        let list = ask("/api/v1/libraries", CIRC);
        assert_eq!(list.status, 200);
        assert!(list.kind().starts_with("application/json"));
        assert!(list.body.contains("\"library_id\":\"CPL\"") && list.body.contains("\"name\":\"Midway\""));
        let cookie = format!("CGISESSID={}", session(&koha, "circ", "CPL"));
        assert_eq!(ask("/api/v1/libraries", ("Cookie", &cookie)).status, 200);
        assert_eq!(ask("/api/v1/libraries/CPL", KOHA).status, 200);
        assert_eq!(ask("/api/v1/libraries/ZZZ", KOHA).says(), (404, r#"{"error":"Library not found"}"#));
        assert_eq!(
            ask("/api/v1/libraries", KOHA_WRONG).says(),
            (403, r#"{"error":"Invalid password","required_permissions":null}"#)
        );
        let unauthorized = (401, r#"{"error":"Authentication failure."}"#);
        match era {
            Era::Before2405 => assert_eq!(ask("/api/v1/libraries", BY_CARD).says(), unauthorized),
            Era::From2405 => assert_eq!(ask("/api/v1/libraries", BY_CARD).status, 200),
        }
        assert_eq!(ask("/api/v1/libraries", ("X-Nothing", "1")).says(), unauthorized);
        assert_eq!(
            ask("/api/v1/libraries", ("Cookie", "CGISESSID=bogus")).says(),
            (401, r#"{"error":"Session has been expired."}"#)
        );
        assert_eq!(ask("/api/v1/libraries", CIRCONLY).status, 403);
        assert_eq!(
            ask("/api/v1/libraries?foo=bar", KOHA).says(),
            (400, r#"[{"message":"Malformed query string","path":"\/query\/foo"}]"#)
        );
        assert_eq!(ask("/api/v1/nothing", KOHA).status, 404);
    }
}

#[test]
fn basic_authentication_can_be_off() {
    let koha = with(Config { rest_basic_auth: false, ..Config::default() });
    let answer = ask(&koha, "GET", "/api/v1/libraries", &[KOHA], b"");
    assert_eq!(answer.says(), (401, r#"{"error":"Basic authentication disabled"}"#));
}

#[test]
fn the_newest_tells_system_preferences_to_who_may_manage_them() {
    let path = "/api/v1/sysprefs?variable=itemBarcodeInputFilter&_match=exact";
    let mut library = Library::standard();
    library.preferences.item_barcode_input_filter = "T-prefix";
    let koha = with(Config { era: Era::From2405, newest: true, library, ..Config::default() });
    let told = ask(&koha, "GET", path, &[KOHA], b"");
    assert_eq!(told.status, 200);
    let variable = r#""variable":"itemBarcodeInputFilter""#;
    assert!(told.body.contains(variable) && told.body.contains(r#""value":"T-prefix""#), "{}", told.body);
    assert!(!told.body.contains("marcflavour"), "{}", told.body);
    assert_eq!(ask(&koha, "GET", path, &[CIRC], b"").status, 403);
    assert_eq!(ask(&start(Era::From2405), "GET", path, &[KOHA], b"").status, 404);
}

#[test]
fn public_libraries_from_24_05_only() {
    assert_eq!(get(&start(Era::Before2405), "/api/v1/public/libraries", &[]).status, 404);
    assert_eq!(get(&start(Era::From2405), "/api/v1/public/libraries", &[]).status, 200);
    let koha = with(Config { era: Era::From2405, rest_public_api: false, ..Config::default() });
    assert_eq!(get(&koha, "/api/v1/public/libraries", &[]).status, 403);
}

#[test]
fn patrons_by_card_and_by_page() {
    let koha = start(Era::Before2405);
    let ask = |path: &str| ask(&koha, "GET", path, &[KOHA], b"");
    let one = ask("/api/v1/patrons?cardnumber=23529001223604&_match=exact");
    assert!(one.body.contains("\"restricted\":true") && one.body.matches("patron_id").count() == 1);
    assert_eq!(ask("/api/v1/patrons?cardnumber=nobody&_match=exact").says(), (200, "[]"));
    let page = ask("/api/v1/patrons?_page=1&_per_page=2");
    assert_eq!((page.header("x-total-count"), page.body.matches("patron_id").count()), (Some("24"), 2));
    assert!(page.header("link").unwrap().contains("rel=\"next\""));
    assert_eq!(ask("/api/v1/patrons?_page=99&_per_page=2").says(), (200, "[]"));
    let all = ask("/api/v1/patrons");
    assert_eq!((all.header("x-total-count"), all.body.matches("patron_id").count()), (None, 24));
    assert_eq!(ask("/api/v1/patrons?_per_page=-1").status, 500);
    assert_eq!(ask("/api/v1/patrons/9999").says(), (404, r#"{"error":"Patron not found."}"#));
    let refused = crate::client::ask(&koha, "GET", "/api/v1/patrons", &[CIRC], b"");
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains(r#""required_permissions":{"borrowers":"1"}"#));
}

#[test]
fn checkouts_items_and_holds() {
    let koha = start(Era::Before2405);
    issue(&koha, CARD, ITEM);
    let loans = ask(&koha, "GET", "/api/v1/checkouts", &[CIRCONLY], b"");
    assert!(loans.body.contains("\"checkout_date\":\"2026-11-23T11:00:00+01:00\""));
    assert_eq!(ask(&koha, "GET", "/api/v1/checkouts?patron_id=9999", &[KOHA], b"").says(), (200, "[]"));
    assert_eq!(ask(&koha, "GET", "/api/v1/items", &[KOHA], b"").status, 404);
    assert_eq!(ask(&koha, "GET", "/api/v1/holds", &[KOHA], b"").body.matches("hold_id").count(), 3);
    assert_eq!(ask(&koha, "GET", "/api/v1/holds?_page=1", &[KOHA], b"").status, 400);

    let koha = start(Era::From2405);
    let item = ask(&koha, "GET", "/api/v1/items?external_id=39999000000001&_match=exact", &[CIRC], b"");
    assert_eq!((item.status, item.header("x-total-count")), (200, Some("1")));
    let few = ask(&koha, "GET", "/api/v1/items", &[CIRC], b"");
    assert_eq!((few.body.matches("item_id").count(), few.header("x-total-count")), (20, Some("60")));
    let all = ask(&koha, "GET", "/api/v1/items?_per_page=-1", &[CIRC], b"");
    assert_eq!(all.body.matches("item_id").count(), 60);
}

#[test]
fn loans_of_an_item_open_and_returned() {
    let koha = start(Era::From2405);
    koha.library(|library| library.lend_before(CARD, ITEM, "2026-11-23 11:00:00"));
    let item_id = koha.library(|library| library.loans[0].item_id);
    let ask = |query: &str| ask(&koha, "GET", &format!("/api/v1/checkouts?{query}"), &[CIRCONLY], b"");
    let of_item = format!("q=%7B%22item_id%22%3A{item_id}%7D");
    let open = ask(&of_item);
    assert_eq!((open.header("x-total-count"), open.body.contains("\"checkin_date\":null")), (Some("1"), true));
    assert_eq!(ask("q=%7B%22item_id%22%3A0%7D").says(), (200, "[]"));
    assert_eq!(ask("q=nonsense").status, 500);
    assert_eq!(ask(&format!("checked_in=1&{of_item}")).says(), (200, "[]"));
    koha.library(|library| {
        let loan = library.loans.remove(0);
        let returned_at = "2026-11-23 12:30:00".to_owned();
        library.old_loans.push(fake_koha::OldLoan { loan, returned_at, checkin_branch: "CPL".into() });
    });
    assert_eq!(ask(&of_item).says(), (200, "[]"));
    let returned = ask(&format!("checked_in=1&{of_item}"));
    assert!(returned.body.contains("\"checkin_date\":\"2026-11-23T12:30:00+01:00\""), "{}", returned.body);
    // Before, the parameter was not known here.
    let koha = start(Era::Before2405);
    assert_eq!(crate::client::ask(&koha, "GET", &format!("/api/v1/checkouts?{of_item}"), &[KOHA], b"").status, 400);
}
