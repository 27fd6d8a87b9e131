//! The plugin of the desktop tool, as that tool's requests and answers show it.

use fake_koha::{Effect, Era, FakeKoha, Plugin};

use crate::client::*;

const PATH: &str = "/api/v1/contrib/offlinecirc/transactions";
const KOHA: (&str, &str) = ("Authorization", "Basic a29oYTprb2hh");
const NOPERM: (&str, &str) = ("Authorization", "Basic bm9wZXJtOm5vcGVybQ==");

fn give(koha: &FakeKoha, who: (&str, &str), body: &str) -> Answer {
    ask(koha, "POST", PATH, &[who, ("Content-Type", "application/json")], body.as_bytes())
}

#[test]
fn takes_many_and_remembers_each() {
    for era in [Era::Before2405, Era::From2405] {
        let koha = start(era);
        let nothing = r#"{"branchcode":"CPL","pending":false,"transactions":[]}"#;
        assert_eq!(give(&koha, KOHA, nothing).status, 404, "it is not installed");
        koha.library(|library| library.plugin = Some(Plugin::default()));
        assert_eq!(give(&koha, KOHA, nothing).says(), (200, r#"{"results":[]}"#));
        assert_eq!(give(&koha, NOPERM, nothing).status, 403);
        assert_eq!(give(&koha, ("X-Nothing", "1"), nothing).status, 401);
        assert_eq!(give(&koha, KOHA, "{}").status, 400);
        assert_eq!(ask(&koha, "GET", PATH, &[KOHA], b"").status, 404);
        let time = "2026-11-23T10:00:00.547Z";
        let issue = format!(r#"{{"timestamp":"{time}","action":"issue","cardnumber":"{CARD}","barcode":"{ITEM}"}}"#);
        let unknown = issue.replace(CARD, "nobody");
        let body =
            |pending: bool| format!(r#"{{"branchcode":"CPL","pending":{pending},"transactions":[{issue},{unknown}]}}"#);
        let refused = r#"{"message":"Borrower not found.","status":"error"}"#;
        let processed = format!(r#"{{"results":[{{"message":"Success.","status":"processed"}},{refused}]}}"#);
        assert_eq!(give(&koha, KOHA, &body(false)).says(), (200, processed.as_str()));
        koha.library(|library| {
            assert_eq!(library.loan_of(ITEM).unwrap().issued_at, "2026-11-23 11:00:00");
            assert_eq!(library.effects.len(), 1);
        });
        // Whatever it is asked for now, of what it did it says what it did.
        let again =
            format!(r#"{{"results":[{{"message":"Already processed: processed","status":"skipped"}},{refused}]}}"#);
        assert_eq!(give(&koha, KOHA, &body(false)).says(), (200, again.as_str()));
        let queued = "Added to the pending offline circulation queue";
        assert!(give(&koha, KOHA, &body(true).replace(ITEM, "other")).body.contains(queued));
        koha.library(|library| {
            let is_queued = |effect: &Effect| matches!(effect, Effect::Queued(row) if row.branch == "CPL");
            assert_eq!((library.count_effects(is_queued), library.pending_at("CPL").len()), (2, 2));
        });
    }
}
