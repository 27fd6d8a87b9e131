//! service.pl with transactions that are processed at once, before 24.05 (observed on 19.06).

use fake_koha::{Amount, Effect, Era, FakeKoha, HoldEnd};

use crate::client::*;

fn koha() -> FakeKoha {
    start(Era::Before2405)
}

fn due(koha: &FakeKoha, barcode: &str) -> String {
    koha.library(|library| library.loan_of(barcode).unwrap().due_at.clone())
}

#[test]
fn an_issue_makes_a_loan_in_server_time() {
    let koha = koha();
    let answer = issue(&koha, CARD, ITEM);
    assert_eq!(answer.says(), (200, "Success."));
    assert_eq!(answer.kind(), "text/plain; charset=utf-8");
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    koha.library(|library| {
        let loan = library.loan_of(ITEM).unwrap();
        assert_eq!(loan.issued_at, "2026-11-23 11:00:00");
        assert_eq!(loan.due_at, "2026-12-14 23:59:00");
        assert_eq!(loan.branch, "CPL");
        assert_eq!(library.holder_of(ITEM), Some(CARD));
        assert!(library.item(ITEM).unwrap().on_loan.is_some());
        assert_eq!(library.effects.len(), 1);
    });
}

#[test]
fn the_same_issue_again_is_silently_a_renewal_without_limit() {
    let koha = koha();
    for due_at in ["2026-12-14 23:59:00", "2027-01-04 23:59:00", "2027-01-25 23:59:00"] {
        assert_eq!(issue(&koha, CARD, ITEM).says(), (200, "Success."));
        assert_eq!(due(&koha, ITEM), due_at);
    }
    for _ in 0..3 {
        issue(&koha, CARD, ITEM);
    }
    assert_eq!(due(&koha, ITEM), "2027-03-29 23:59:00");
    koha.library(|library| {
        let loan = library.loan_of(ITEM).unwrap();
        assert_eq!((loan.renewals, loan.last_renewed_at.as_deref()), (5, Some("2026-11-23 11:00:00")));
        assert_eq!(library.count_effects(|effect| matches!(effect, Effect::Issued { .. })), 1);
        assert_eq!(library.count_effects(|effect| matches!(effect, Effect::Renewed { .. })), 5);
    });
}

#[test]
fn an_issue_to_another_patron_ends_the_first_loan() {
    let koha = koha();
    issue(&koha, CARD, ITEM);
    assert_eq!(issue(&koha, OTHER_CARD, ITEM).says(), (200, "Success."));
    koha.library(|library| {
        assert_eq!(library.holder_of(ITEM), Some(OTHER_CARD));
        assert_eq!(library.old_loans[0].returned_at, "2026-11-23 11:00:00");
    });
}

#[test]
fn a_return_ends_the_loan_once() {
    let koha = koha();
    issue(&koha, CARD, ITEM);
    let early = [("action", "return"), ("barcode", ITEM), ("timestamp", "2026-01-01 08:00:00")];
    assert_eq!(transaction(&koha, &early).says(), (200, "Success."));
    assert_eq!(give_back(&koha, ITEM).says(), (200, "Item not issued."));
    koha.library(|library| {
        assert!(library.loans.is_empty());
        assert_eq!(library.old_loans[0].returned_at, "2026-01-01 09:00:00", "before the issue, stored as it is");
        assert_eq!(library.item(ITEM).unwrap().on_loan, None);
    });
    // The issue replayed after its return puts the item on loan again.
    assert_eq!(issue(&koha, CARD, ITEM).says(), (200, "Success."));
    assert_eq!(koha.library(|library| library.holder_of(ITEM).map(str::to_owned)).as_deref(), Some(CARD));
}

#[test]
fn unknown_things_are_told_in_the_body() {
    let koha = koha();
    for (card, barcode, body) in [
        (CARD, "nothing", "Barcode not found."),
        (CARD, "", "Barcode not found."),
        ("nobody", ITEM, "Borrower not found."),
        ("", ITEM, "Borrower not found."),
        ("nobody", "nothing", "Borrower not found."),
        ("patron1", ITEM, "Borrower not found."),
    ] {
        assert_eq!(issue(&koha, card, barcode).says(), (200, body), "{card} {barcode}");
    }
    assert_eq!(transaction(&koha, &[("action", "issue")]).says(), (200, "Borrower not found."));
    assert_eq!(give_back(&koha, "nothing").says(), (200, "Item not found."));
    assert_eq!(transaction(&koha, &[("action", "return")]).says(), (200, "Item not found."));
    assert_eq!(give_back(&koha, ITEM).says(), (200, "Item not issued."));
    for action in ["", "ISSUE", "renew", "x"] {
        let parameters = [("action", action), ("cardnumber", CARD), ("barcode", ITEM)];
        assert_eq!(transaction(&koha, &parameters).says(), (200, ""), "{action}");
    }
    assert!(koha.library(|library| library.effects.is_empty()));
}

#[test]
fn nobody_asks_whether_the_patron_may_or_the_item_can() {
    let koha = koha();
    for (card, item) in [
        ("23529001223603", "39999000000020"),
        ("23529001223604", "39999000000021"),
        ("23529001223605", "39999000000022"),
        ("23529001223606", "39999000000023"),
        ("23529001223607", "39999000000024"),
        (CARD, "39999000000012"),
        (CARD, "39999000000013"),
    ] {
        assert_eq!(issue(&koha, card, item).says(), (200, "Success."), "{card} {item}");
    }
    koha.library(|library| {
        assert_eq!(library.loans.len(), 7);
        assert_eq!(library.item("39999000000012").unwrap().lost, 0);
        assert_eq!(library.item("39999000000013").unwrap().not_for_loan, 1);
    });
}

#[test]
fn an_issue_cancels_the_hold_of_another_and_fills_the_own() {
    let koha = koha();
    issue(&koha, CARD, "39999000000010");
    koha.library(|library| {
        assert_eq!(library.old_holds.len(), 1);
        assert_eq!(library.old_holds[0].end, HoldEnd::Cancelled);
        let second = library.patron("23529001223610").unwrap().id;
        let left = library.holds.iter().find(|hold| hold.patron_id == second).unwrap();
        assert_eq!(left.priority, 1);
    });
    issue(&koha, "23529001223611", "39999000000011");
    koha.library(|library| assert_eq!(library.old_holds[1].end, HoldEnd::Filled));
    // A renewal and a return leave holds alone.
    issue(&koha, CARD, "39999000000010");
    give_back(&koha, "39999000000010");
    koha.library(|library| assert_eq!(library.holds.len(), 1));
}

#[test]
fn values_are_trimmed_and_compared_without_case_and_accents() {
    let koha = koha();
    for barcode in ["BC WITH SPACE", "  bc with space ", "código-é60", "codigo-e60", "\tCODIGO-E60 "] {
        assert_eq!(issue(&koha, " 23529001223602 ", barcode).says(), (200, "Success."), "{barcode:?}");
    }
    assert_eq!(koha.library(|library| library.loans.len()), 2);
    let latin1 = "userid=koha&password=koha&action=return&barcode=c%F3digo-%E960";
    let answer = ask(&koha, "POST", SERVICE, &[("Content-Type", FORM)], latin1.as_bytes());
    assert_eq!(answer.says(), (200, "Item not found."));
}

#[test]
fn the_branch_of_a_loan_is_that_of_the_login() {
    let koha = koha();
    let base = [("action", "issue"), ("cardnumber", CARD)];
    let with = |more: &[(&'static str, &'static str)]| [&base[..], more].concat();
    transaction(&koha, &with(&[("barcode", "39999000000001"), ("branchcode", "MPL")]));
    transaction(&koha, &with(&[("barcode", "39999000000002"), ("branch", "MPL")]));
    transaction(&koha, &with(&[("barcode", "39999000000003"), ("branch", "ZZZ")]));
    transaction(&koha, &with(&[("barcode", "39999000000004"), ("userid", "circonly"), ("password", "circonly")]));
    koha.library(|library| {
        for (barcode, branch) in
            [("39999000000001", "CPL"), ("39999000000002", "MPL"), ("39999000000003", "ZZZ"), ("39999000000004", "MPL")]
        {
            assert_eq!(library.loan_of(barcode).unwrap().branch, branch, "{barcode}");
        }
        assert_eq!(library.item("39999000000003").unwrap().on_loan, None, "half applied");
    });
}

#[test]
fn get_and_multipart_work_and_other_bodies_do_not() {
    let koha = koha();
    let login = [("userid", "koha"), ("password", "koha"), ("action", "return"), ("barcode", ITEM)];
    assert_eq!(get(&koha, SERVICE, &login).says(), (200, "Item not issued."));
    let mut body = String::new();
    for (name, value) in login {
        body.push_str(&format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    body.push_str("--xyz--\r\n");
    let kind = [("Content-Type", "multipart/form-data; boundary=xyz")];
    assert_eq!(ask(&koha, "POST", SERVICE, &kind, body.as_bytes()).says(), (200, "Item not issued."));

    let form = encode(&login);
    for (method, kind, body) in [
        ("POST", "application/json", r#"{"userid":"koha","password":"koha"}"#),
        ("POST", "text/plain", form.as_str()),
        ("POST", FORM, ""),
        ("HEAD", FORM, form.as_str()),
        ("OPTIONS", FORM, ""),
    ] {
        let headers = [("Content-Type", kind), ("Authorization", "Basic a29oYTprb2hh")];
        let answer = ask(&koha, method, SERVICE, &headers, body.as_bytes());
        assert_eq!(answer.says(), (401, ""), "{method} {kind}");
    }
    // Of a POST only the body counts, and the first of two parameters.
    let answer = ask(&koha, "POST", &format!("{SERVICE}?{form}"), &[("Content-Type", FORM)], b"");
    assert_eq!(answer.status, 401);
    let twice = format!("{form}&barcode=nothing");
    let answer = ask(&koha, "POST", SERVICE, &[("Content-Type", FORM)], twice.as_bytes());
    assert_eq!(answer.says(), (200, "Item not issued."));
}

#[test]
fn a_payment_is_booked_as_often_as_it_is_sent() {
    let koha = koha();
    let card = "23529001223608";
    assert_eq!(pay(&koha, card, "5.00").says(), (200, "Success."));
    koha.library(|library| {
        assert_eq!(library.balance(card), Amount::cents(750));
        let open: Vec<_> = library.account_lines.iter().rev().take(3).map(|line| line.outstanding).collect();
        assert_eq!(open, [Amount::ZERO, Amount::cents(750), Amount::ZERO], "oldest first");
        assert!(!library.payments[0].booked_at.starts_with("2026-11-23 11:00:00"), "booked now");
    });
    assert_eq!(pay(&koha, card, "5.00").says(), (200, "Success."));
    assert_eq!(koha.library(|library| library.balance(card)), Amount::cents(250));
    assert_eq!(pay(&koha, card, "100").says(), (200, "Success."));
    assert_eq!(koha.library(|library| library.balance(card)), Amount::cents(-9750), "credit");
}

#[test]
fn amounts_are_read_as_perl_does() {
    for (amount, booked) in [("", 0), ("0", 0), ("abc", 0), ("3,50", 300), ("-5", -500)] {
        let koha = koha();
        assert_eq!(pay(&koha, CARD, amount).says(), (200, "Success."), "{amount}");
        koha.library(|library| {
            assert_eq!(library.payments[0].amount, Amount::cents(booked), "{amount}");
            assert_eq!(library.balance(CARD), Amount::cents(-booked), "{amount}");
        });
    }
}

#[test]
fn a_payment_that_dies_may_have_lowered_the_debt() {
    let koha = koha();
    let answer = pay(&koha, "nobody", "1");
    assert_eq!((answer.says(), answer.kind()), ((500, "Internal Server Error"), "text/plain"));
    assert!(koha.library(|library| library.effects.is_empty()));
    let card = "23529001223608";
    for (branch, balance) in [("", 1150), ("ZZZ", 1050)] {
        let parameters = [("action", "payment"), ("cardnumber", card), ("amount", "1"), ("branchcode", branch)];
        assert_eq!(transaction(&koha, &parameters).status, 500);
        koha.library(|library| assert_eq!(library.balance(card), Amount::cents(balance), "{branch}"));
    }
    assert!(koha.library(|library| library.payments.is_empty()));
}

#[test]
fn a_timestamp_that_koha_cannot_read_is_a_500_and_does_nothing() {
    let koha = koha();
    for pending in ["true", "false"] {
        let parameters =
            [("action", "issue"), ("cardnumber", CARD), ("barcode", ITEM), ("timestamp", "x"), ("pending", pending)];
        assert_eq!(transaction(&koha, &parameters).status, 500);
    }
    assert!(koha.library(|library| library.effects.is_empty()));
}
