//! The lists of the REST API, as a program sees them that downloads a library.

use fake_koha::{Amount, Config, Era, FakeKoha, Fault, FaultKind, Flag, Found, Library, Size};
use serde_json::{Value, json};

use crate::client::*;

const ERAS: [Era; 2] = [Era::Before2405, Era::From2405];

/// A request as the account with this name; none is nobody.
fn ask_as(koha: &FakeKoha, userid: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let cookie = format!("CGISESSID={}", session(koha, userid, "CPL"));
    let mut all = headers.to_vec();
    if !userid.is_empty() {
        all.push(("Cookie", &cookie));
    }
    ask(koha, "GET", &format!("/api/v1/{path}"), &all, b"")
}

fn read(koha: &FakeKoha, path: &str) -> Answer {
    ask_as(koha, "koha", path, &[])
}

fn rows(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

/// A query parameter `q` and whatever follows.
fn q(path: &str, query: &Value) -> String {
    format!("{path}?{}", encode(&[("q", &query.to_string())]))
}

/// How many rows there are in all.
fn total(answer: &Answer) -> usize {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.header("x-total-count").unwrap().parse().unwrap()
}

const WENT_WRONG: (u16, &str) =
    (500, r#"{"error":"Something went wrong, check Koha logs for details.","error_code":"internal_server_error"}"#);

#[test]
fn who_may_read_what() {
    let before = [
        ("patrons", json!({"borrowers": "1"})),
        ("patrons/1", json!({"borrowers": "1"})),
        ("patrons/1/account", json!({"borrowers": "edit_borrowers", "updatecharges": "remaining_permissions"})),
        ("checkouts", json!({"circulate": "circulate_remaining_permissions"})),
        ("holds", json!({"borrowers": "edit_borrowers"})),
        ("libraries", json!({"catalogue": "1"})),
    ];
    let from = [
        (
            "patrons",
            json!([
                {"borrowers": "edit_borrowers"}, {"tools": "label_creator"}, {"serials": "routing"},
                {"acquisition": "order_manage"},
            ]),
        ),
        ("patrons/1", json!({"borrowers": "edit_borrowers"})),
        ("patrons/1/account", json!({"borrowers": "edit_borrowers", "updatecharges": "remaining_permissions"})),
        ("items", json!({"catalogue": "1"})),
        ("checkouts", json!([{"circulate": "circulate_remaining_permissions"}, {"circulate": "manage_bookings"}])),
        ("holds", json!({"reserveforothers": "place_holds"})),
    ];
    for (era, paths) in [(Era::Before2405, &before[..]), (Era::From2405, &from[..])] {
        let koha = start(era);
        koha.library(|library| {
            library.add_account("nothing", &[]);
            library.add_account("desk", &[Flag::Borrowers, Flag::Catalogue, Flag::Circulate, Flag::ReserveForOthers]);
        });
        for (path, needs) in paths {
            let refused = ask_as(&koha, "nothing", path, &[]);
            let error = "Authorization failure. Missing required permission(s).";
            let body: Value = serde_json::from_str(&refused.body).unwrap();
            assert_eq!(refused.status, 403, "{path}");
            assert_eq!(body, json!({ "error": error, "required_permissions": needs }), "{path}");
            assert_eq!(ask_as(&koha, "", path, &[]).says(), (401, r#"{"error":"Authentication failure."}"#), "{path}");
            // The account wants both of its permissions.
            let wanted = if path.ends_with("account") { 403 } else { 200 };
            assert_eq!(ask_as(&koha, "desk", path, &[]).status, wanted, "{path}");
        }
        koha.library(|library| library.preferences.maintenance = true);
        for (path, _) in paths {
            assert_eq!(read(&koha, path).says(), (503, r#"{"error":"System is under maintenance."}"#), "{path}");
        }
    }
}

#[test]
fn tokens_for_programs() {
    const TOKEN: &str = "/api/v1/oauth/token";
    let grant = ("grant_type", "client_credentials");
    let unimplemented = (400, r#"{"error":"Unimplemented grant type"}"#);
    for era in ERAS {
        let koha = start(era);
        koha.library(|library| library.add_api_key("circ", "desk", "secret"));
        let missing = post(&koha, TOKEN, &[("client_id", "desk"), ("client_secret", "secret")]);
        assert_eq!(missing.status, 400);
        assert!(missing.body.contains(r#""path":"\/grant_type""#), "{}", missing.body);
        let secret = ("client_secret", "secret");
        assert_eq!(
            post(&koha, TOKEN, &[("grant_type", "password"), ("client_id", "desk"), secret]).says(),
            unimplemented
        );
        let unknown = post(&koha, TOKEN, &[grant, ("client_id", "other"), secret]);
        assert_eq!(unknown.says(), (403, r#"{"error":"unauthorized_client"}"#));
        let wrong = post(&koha, TOKEN, &[grant, ("client_id", "desk"), ("client_secret", "x")]);
        assert_eq!(wrong.says(), (403, r#"{"error":"access_denied"}"#));

        let given = post(&koha, TOKEN, &[grant, ("client_id", "desk"), secret]);
        let given: Value = serde_json::from_str(&given.body).unwrap();
        assert_eq!((&given["token_type"], &given["expires_in"]), (&json!("Bearer"), &json!(3600)));
        let bearer = format!("Bearer {}", given["access_token"].as_str().unwrap());
        let with = |path, bearer: &str| ask_as(&koha, "", path, &[("Authorization", bearer)]);
        assert_eq!(with("libraries", &bearer).status, 200);
        assert_eq!(with("patrons", &bearer).status, 403, "the permissions are those of the account");
        let failure = (401, r#"{"error":"Authentication failure."}"#);
        assert_eq!(with("libraries", "Bearer other").says(), failure);
        let both = ask_as(&koha, "koha", "libraries", &[("Authorization", "Bearer other")]);
        assert_eq!(both.says(), failure, "the cookie does not help");
        koha.library(|library| library.clock_shift_seconds += 3601);
        assert_eq!(with("libraries", &bearer).says(), failure);
        koha.library(|library| library.api_keys[0].active = false);
        assert_eq!(post(&koha, TOKEN, &[grant, ("client_id", "desk"), secret]).status, 403);

        let off = with_oauth_off(era);
        assert_eq!(post(&off, TOKEN, &[grant, ("client_id", "desk"), secret]).says(), unimplemented);
    }
}

fn with_oauth_off(era: Era) -> FakeKoha {
    let koha = with(Config { era, rest_oauth2: false, ..Config::default() });
    koha.library(|library| library.add_api_key("circ", "desk", "secret"));
    koha
}

#[test]
fn pages_from_24_05() {
    let koha = start(Era::From2405);
    let first = read(&koha, "patrons");
    assert_eq!((rows(&first).len(), total(&first)), (20, 24), "twenty at once unless told otherwise");
    let second = read(&koha, "patrons?_page=2");
    assert_eq!(rows(&second).len(), 4);
    let other = with(Config { era: Era::From2405, rest_page_size: 7, ..Config::default() });
    assert_eq!(rows(&read(&other, "patrons")).len(), 7, "as the library has set it");

    let page = read(&koha, "patrons?library_id=CPL&_per_page=4&_page=2");
    assert_eq!((page.header("x-total-count"), page.header("x-base-total-count")), (Some("10"), Some("24")));
    let link = |page, rel| {
        let host = "http://127.0.0.1/api/v1/patrons";
        format!("<{host}?_page={page}&_per_page=4&library_id=CPL>; rel=\"{rel}\"")
    };
    let links = [link(1, "prev"), link(3, "next"), link(1, "first"), link(3, "last")];
    assert_eq!(page.headers("link"), links.join(", "));
    assert!(!read(&koha, "patrons?library_id=CPL&_per_page=4&_page=3").headers("link").contains("next"));

    let all = read(&koha, "items?_per_page=-1");
    assert_eq!((rows(&all).len(), total(&all)), (60, 60));
    let beyond = read(&koha, "items?_page=99&_per_page=10");
    assert_eq!((beyond.says(), total(&beyond)), ((200, "[]"), 60));
    assert_eq!(read(&koha, "items?_per_page=0").says(), WENT_WRONG);
    assert_eq!(read(&koha, "items?_per_page=-2").says(), WENT_WRONG);
    let none = read(&koha, "patrons?cardnumber=nobody");
    assert_eq!((none.says(), total(&none)), ((200, "[]"), 0));
}

#[test]
fn pages_before_24_05() {
    let koha = start(Era::Before2405);
    let with_page = read(&koha, "patrons?_page=1");
    assert_eq!((rows(&with_page).len(), total(&with_page)), (10, 24), "ten rows, and headers that count in twenties");
    assert!(with_page.headers("link").contains("_page=2&_per_page=20>; rel=\"next\""));
    let limited = read(&koha, "patrons?_per_page=5");
    assert_eq!((rows(&limited).len(), limited.header("x-total-count")), (5, None), "nothing tells that it was cut");
    let page = read(&koha, "patrons?_page=2&_per_page=20");
    assert_eq!((rows(&page).len(), total(&page), page.header("x-base-total-count")), (4, 24, None));
    let wrong = (500, r#"{"error":"Something went wrong, check Koha logs for details."}"#);
    assert_eq!(read(&koha, "patrons?_per_page=-1").says(), wrong);
    for path in ["holds?_page=1", "holds?_per_page=5", "holds?_order_by=priority", "patrons?q=%7B%7D"] {
        assert_eq!(read(&koha, path).status, 400, "{path}");
    }
    for path in ["items", "items/1"] {
        let answer = read(&koha, path);
        assert!(answer.status == 404 && answer.kind().starts_with("text/html"), "{path}");
    }
}

#[test]
fn what_does_not_fit_the_description() {
    let koha = start(Era::From2405);
    let unknown = |name: &str| format!(r#"[{{"message":"Malformed query string","path":"\/query\/{name}"}}]"#);
    for (path, name) in [
        ("patrons?foo=1", "foo"),
        ("patrons?expired=1", "expired"),
        ("items?title=x", "title"),
        ("checkouts?item_id=1", "item_id"),
        ("holds?foo=1", "foo"),
        ("patrons/1?_page=1", "_page"),
        ("patrons/1/account?q=%7B%7D", "q"),
    ] {
        assert_eq!(read(&koha, path).says(), (400, unknown(name).as_str()), "{path}");
    }
    for (path, message, at) in [
        ("patrons?_page=x", "Expected integer - got string.", "_page"),
        ("checkouts?patron_id=x", "Expected integer - got string.", "patron_id"),
        ("holds?suspended=x", "Expected boolean - got string.", "suspended"),
        ("items?_match=x", "Not in enum list: contains, exact, starts_with, ends_with.", "_match"),
    ] {
        let body = format!(r#"{{"errors":[{{"message":"{message}","path":"\/{at}"}}],"status":400}}"#);
        assert_eq!(read(&koha, path).says(), (400, body.as_str()), "{path}");
    }
    // Permissions come first.
    assert_eq!(ask_as(&koha, "noperm", "patrons?foo=1", &[]).status, 403);
    assert_eq!(ask(&koha, "POST", "/api/v1/patrons", &[], b"").status, 404, "only reading is modelled");
}

#[test]
fn parameters_are_looked_for_inside_unless_told() {
    for era in ERAS {
        let koha = start(era);
        let count = |path: &str| rows(&read(&koha, path)).len();
        assert_eq!(count("patrons?surname=aff"), 4);
        assert_eq!(count("patrons?surname=breton"), 2, "accents and case do not matter");
        assert_eq!(count("patrons?surname=aff&_match=exact"), 0);
        assert_eq!(count("patrons?surname=st&_match=starts_with"), 4);
        assert_eq!(count("patrons?cardnumber=01&_match=ends_with"), 1 + 1, "STAFF001 and …601");
        assert_eq!(count("patrons?surname=Staff&firstname=circ&_match=exact"), 1);
        assert_eq!(count("patrons?patron_card_lost=true&_match=exact"), 1);
    }
    // Even numbers: 1 is found in 10 to 19 too. 19.06 has its own search there.
    let loans = |era, query: &str| {
        let koha = start(era);
        let (one, other) = koha.library(|library| {
            let ids: Vec<u64> =
                library.patrons.iter().map(|patron| patron.id).filter(|id| [5, 15].contains(id)).collect();
            for (index, id) in ids.iter().enumerate() {
                let card = library.patron_by_id(*id).unwrap().cardnumber.clone();
                library.lend_before(&card, &format!("3999900000000{}", index + 1), TIME);
            }
            (ids[0], ids[1])
        });
        assert_eq!((one, other), (5, 15));
        rows(&read(&koha, &format!("checkouts?patron_id=5{query}"))).len()
    };
    assert_eq!(loans(Era::From2405, ""), 2);
    assert_eq!(loans(Era::From2405, "&_match=exact"), 1);
    assert_eq!(loans(Era::Before2405, ""), 1);
}

#[test]
fn queries() {
    let koha = start(Era::From2405);
    koha.library(|library| {
        library.patron_mut(CARD).unwrap().updated_on = "2026-11-20 10:00:00".into();
        library.patron_mut(OTHER_CARD).unwrap().updated_on = "2026-11-20 10:00:01".into();
    });
    for (query, count) in [
        (json!({}), 24),
        (json!({"cardnumber": CARD}), 1),
        (json!({"me.cardnumber": CARD}), 1),
        (json!({"userid": null}), 19),
        (json!({"library_id": ["CPL", "MPL"]}), 18),
        (json!({"patron_id": {">": 10, "<=": 12}}), 2),
        (json!({"updated_on": {">=": "2026-11-20T10:00:00+01:00"}}), 2),
        (json!({"updated_on": {">": "2026-11-20T09:00:00Z"}}), 1),
        (json!({"updated_on": {">": "2026-11-20 10:00:00"}}), 1),
        (json!({"-and": [{"surname": {"-like": "sta%"}}, {"firstname": {"!=": "koha"}}]}), 3),
        (json!([{"cardnumber": CARD}, {"cardnumber": OTHER_CARD}]), 2),
        (json!({"cardnumber": {"-in": [CARD, OTHER_CARD, "x"]}}), 2),
    ] {
        let answer = read(&koha, &format!("{}&_per_page=-1", q("patrons", &query)));
        assert_eq!((total(&answer), rows(&answer).len()), (count, count), "{query}");
    }
    // What comes after a number, by number, is found without looking through all: it must be the same.
    let after = |query: &Value| {
        rows(&read(&koha, &format!("{}&_order_by=%2Bme.item_id&_page=1&_per_page=7", q("items", query))))
    };
    for number in [0, 1, 30, 60, 75, 99, 10_000] {
        let condition = json!({"me.item_id": {">": number}});
        let looked_through = json!({"-and": [condition, {"me.item_id": {">": 0}}]});
        assert_eq!(after(&condition), after(&looked_through), "{number}");
    }
    // Several of them are joined, and so are parameters.
    let several =
        format!("{}&{}", q("patrons", &json!({"surname": "Staff"})), encode(&[("q", r#"{"library_id":"MPL"}"#)]));
    assert_eq!(total(&read(&koha, &several)), 1);
    assert_eq!(total(&read(&koha, &format!("{}&firstname=circ", q("patrons", &json!({"library_id": "CPL"}))))), 1);

    assert_eq!(read(&koha, "patrons?q=%7B").says(), WENT_WRONG);
    for query in
        [json!({"nonsense": 1}), json!({"restricted": true}), json!({"expired": true}), json!({"library.name": "x"})]
    {
        assert_eq!(read(&koha, &q("patrons", &query)).says(), WENT_WRONG, "{query}");
    }
    let operator = read(&koha, &q("patrons", &json!({"surname": {"drop": 1}})));
    assert_eq!(operator.says(), (400, r#"{"error":1,"error_code":"invalid_query"}"#));
    assert_eq!(read(&koha, &q("patrons", &json!({"surname": {"-regexp": "x"}}))).status, 501);
}

#[test]
fn what_belongs_to_a_row_can_be_asked_for_if_it_is_embedded() {
    let koha = start(Era::From2405);
    koha.library(|library| library.lend_before(CARD, ITEM, TIME));
    let by_barcode = q(
        "checkouts",
        &json!({"item.external_id": ITEM, "item.biblio.title": {"-like": "%garden"}, "patron.cardnumber": CARD}),
    );
    assert_eq!(read(&koha, &by_barcode).says(), WENT_WRONG);
    let found = ask_as(&koha, "koha", &by_barcode, &[("x-koha-embed", "patron,item.biblio,library")]);
    let found = rows(&found);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["patron"]["cardnumber"], CARD);
    assert_eq!(found[0]["item"]["external_id"], ITEM);
    assert_eq!(found[0]["item"]["biblio"]["title"], "The Secret Garden");
    assert_eq!(found[0]["library"]["name"], "Midway");

    let by_town = ask_as(
        &koha,
        "koha",
        &q("patrons", &json!({"library.name": "Midway"})),
        &[("x-koha-embed", "library, account_balance,checkouts+count,overdues+count,extended_attributes")],
    );
    assert_eq!(total(&by_town), 8);
    let borrower = rows(&by_town).into_iter().find(|row| row["cardnumber"] == CARD).unwrap();
    assert_eq!(borrower["checkouts_count"], 1);
    assert_eq!(borrower["account_balance"], 0);
    assert_eq!(borrower["extended_attributes"], json!([]));

    let items = rows(&ask_as(&koha, "koha", "items?_per_page=1", &[("x-koha-embed", "biblio")]));
    assert_eq!(items[0]["biblio"]["author"], "Burnett, Frances Hodgson");
    assert!(rows(&read(&koha, "items?_per_page=1"))[0].get("title").is_none(), "an item has no title of its own");
    let holds = rows(&ask_as(&koha, "koha", "holds", &[("x-koha-embed", "biblio,pickup_library")]));
    assert_eq!(
        (&holds[0]["biblio"]["title"], &holds[0]["pickup_library"]["name"]),
        (&json!("Kristin Lavransdatter"), &json!("Fairview"))
    );

    let bad = ask_as(&koha, "koha", "items", &[("x-koha-embed", "biblio,holds")]);
    assert_eq!(bad.status, 400);
    assert!(bad.body.contains(r#""path":"\/x-koha-embed\/1""#), "{}", bad.body);
    let nothing = ask_as(&koha, "", "patrons/1/account", &[("x-koha-embed", "library")]);
    assert_eq!(nothing.says(), (400, r#""Embedding objects is not allowed on this endpoint.""#));
    // 19.06 takes no notice.
    let koha = start(Era::Before2405);
    let ignored = rows(&ask_as(&koha, "koha", "patrons?_page=1&_per_page=1", &[("x-koha-embed", "library")]));
    assert!(ignored[0].get("library").is_none());
}

#[test]
fn in_the_order_that_is_wanted() {
    for era in ERAS {
        let koha = start(era);
        let cards = |order: &str| -> Vec<String> {
            let path = format!("patrons?surname=staff&_page=1&_per_page=9&_order_by={order}");
            rows(&read(&koha, &path)).iter().map(|row| row["userid"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(cards("firstname"), ["circ", "circonly", "koha", "noperm"]);
        assert_eq!(cards("-firstname"), ["noperm", "koha", "circonly", "circ"]);
        assert_eq!(cards("library_id,-me.patron_id"), ["noperm", "circ", "koha", "circonly"]);
        assert_eq!(cards("%2Bpatron_id")[0], "koha");
        assert_eq!(cards("library_id&_order_by=-firstname")[0], "noperm");
        assert_eq!(read(&koha, "patrons?_page=1&_order_by=nonsense").status, 500);
    }
}

#[test]
fn what_is_told_of_patrons() {
    for era in ERAS {
        let koha = start(era);
        koha.library(|library| {
            let patron = library.patron_mut("23529001223602").unwrap();
            patron.restricted_until = Some("2020-01-31".into());
            patron.restriction_comment = "never told".into();
            patron.staff_note = "A/B".into();
        });
        let patron = |number: usize| {
            rows(&read(&koha, &format!("patrons?cardnumber=235290012236{number:02}&_match=exact"))).remove(0)
        };
        let over = patron(2);
        assert_eq!((&over["restricted"], &over["staff_notes"]), (&json!(false), &json!("A/B")));
        assert_eq!(over["updated_on"], "2026-11-02T09:00:00+01:00");
        assert!(!over.to_string().contains("never told") && !over.to_string().contains("2020-01-31"));
        assert_eq!(patron(4)["restricted"], true);
        assert_eq!(patron(5)["patron_card_lost"], true);
        assert_eq!(patron(7)["incorrect_address"], true);
        let expired = if era == Era::Before2405 { Value::Null } else { json!(true) };
        assert_eq!((&patron(3)["expired"], &patron(3)["expiry_date"]), (&expired, &json!("2020-01-31")));
        let restricted = rows(&read(&koha, "patrons?restricted=true")).len();
        assert_eq!(restricted, 2, "the one that is over too");
        assert_eq!(rows(&read(&koha, "patrons?restricted=false")).len(), if era == Era::Before2405 { 24 } else { 20 });
    }
    let not_found = |era| read(&start(era), "patrons/9999").body;
    assert_eq!(not_found(Era::Before2405), r#"{"error":"Patron not found."}"#);
    assert_eq!(not_found(Era::From2405), r#"{"error":"Patron not found","error_code":"not_found"}"#);
}

#[test]
fn what_a_patron_owes() {
    for era in ERAS {
        let koha = start(era);
        let id = koha.library(|library| {
            library.owe("23529001223608", Amount::cents(-200));
            library.patron("23529001223608").unwrap().id
        });
        let account: Value = serde_json::from_str(&read(&koha, &format!("patrons/{id}/account")).body).unwrap();
        assert_eq!(account["balance"], json!(10.5));
        assert_eq!(account["outstanding_debits"]["total"], json!(12.5));
        assert_eq!(account["outstanding_credits"]["total"], json!(-2));
        let lines = account["outstanding_debits"]["lines"].as_array().unwrap();
        assert_eq!((lines.len(), &lines[0]["amount_outstanding"]), (2, &json!(3)));
        assert_eq!(read(&koha, "patrons/9999/account").status, 404);
    }
}

#[test]
fn where_items_and_holds_are() {
    let koha = start(Era::From2405);
    koha.library(|library| {
        library.lend_before(CARD, ITEM, TIME);
        let item = library.item_mut("39999000000002").unwrap();
        item.holding_branch = "FPL".into();
        item.materials = "1 CD".into();
        item.call_number = "823.9 ABC".into();
        let (item, biblio) = (item.id, item.biblio_id);
        let hold = &mut library.holds[0];
        (hold.found, hold.priority, hold.item_id, hold.biblio_id) = (Some(Found::Waiting), 0, Some(item), biblio);
        hold.waiting_since = Some("2026-11-20".into());
    });
    let item = |barcode: &str| rows(&read(&koha, &format!("items?external_id={barcode}&_match=exact"))).remove(0);
    assert_eq!(item(ITEM)["checked_out_date"], "2026-12-14", "the day on which it is due");
    let other = item("39999000000002");
    assert_eq!((&other["home_library_id"], &other["holding_library_id"]), (&json!("FPL"), &json!("FPL")));
    assert_eq!((&other["materials_notes"], &other["callnumber"]), (&json!("1 CD"), &json!("823.9 ABC")));
    assert_eq!(rows(&read(&koha, &format!("items/{}", other["item_id"])).wrapped())[0], other);
    assert_eq!(read(&koha, "items/0").says(), (404, r#"{"error":"Item not found","error_code":"not_found"}"#));

    let waiting = rows(&read(&koha, &q("holds", &json!({"status": "W"}))));
    assert_eq!(waiting.len(), 1);
    assert_eq!((&waiting[0]["priority"], &waiting[0]["item_id"]), (&json!(0), &other["item_id"]));
    assert_eq!((&waiting[0]["waiting_date"], &waiting[0]["item_level"]), (&json!("2026-11-20"), &json!(false)));
    let open = rows(&read(&koha, "holds?_order_by=-priority&_per_page=1"));
    assert_eq!((&open[0]["priority"], &open[0]["status"]), (&json!(2), &Value::Null));
    assert_eq!(read(&koha, "holds?old=true").says(), (200, "[]"));
}

#[test]
fn loans_with_the_offset_of_their_day() {
    let koha = with(Config { era: Era::From2405, eu_summer_time: true, ..Config::default() });
    koha.library(|library| library.lend_before(CARD, ITEM, "2026-10-20 10:00:00"));
    let loan = rows(&read(&koha, "checkouts")).remove(0);
    assert_eq!(loan["checkout_date"], "2026-10-20T10:00:00+02:00");
    assert_eq!(loan["due_date"], "2026-11-10T23:59:00+01:00");
    let path = format!("checkouts/{}", loan["checkout_id"]);
    assert_eq!(rows(&read(&koha, &path).wrapped()), [loan]);
    assert_eq!(read(&koha, "checkouts/0").status, 404);
    let before = read(&start(Era::Before2405), "checkouts/999");
    assert_eq!(before.says(), (404, r#"{"error":"Checkout doesn't exist"}"#));
}

/// Downloads a whole list, page by page.
fn download(koha: &FakeKoha, path: &str, per_page: usize) -> Result<Vec<Value>, usize> {
    let cookie = format!("CGISESSID={}", session(koha, "koha", "CPL"));
    let mut all = Vec::new();
    for page in 1.. {
        let path = format!("/api/v1/{path}?_page={page}&_per_page={per_page}");
        match Client::open(koha).send("GET", &path, &[("Cookie", &cookie)], b"") {
            Ok(answer) if answer.status == 200 => {
                let rows = rows(&answer);
                if rows.is_empty() {
                    return Ok(all);
                }
                all.extend(rows);
            }
            _ => return Err(page),
        }
    }
    Ok(all)
}

#[test]
fn a_big_library_comes_page_by_page_and_breaks_off_where_ordered() {
    let size = Size { patrons: 1000, items: 3000, loans: 300, holds: 100 };
    let koha = with(Config { era: Era::From2405, library: Library::generate_sized(3, &size), ..Config::default() });
    for (path, id, count) in [
        ("patrons", "patron_id", 1004),
        ("items", "item_id", 3000),
        ("checkouts", "checkout_id", 300),
        ("holds", "hold_id", 100),
    ] {
        let mut ids: Vec<u64> =
            download(&koha, path, 250).unwrap().iter().map(|row| row[id].as_u64().unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{path}");
        for kind in
            [FaultKind::CutAfter(5000), FaultKind::ResetBefore, FaultKind::Status(502), FaultKind::ExpireSession]
        {
            koha.fault(Fault::on(path, kind.clone()).skip(1).times(1));
            // One row is longer than what gets out.
            assert_eq!(download(&koha, path, 50), Err(2), "{path} {kind:?}");
            koha.clear_faults();
        }
    }
}
