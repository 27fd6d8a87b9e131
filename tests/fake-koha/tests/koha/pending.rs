//! service.pl with transactions for the queue, before 24.05 (observed on 19.06).

use fake_koha::{Amount, Config, Era, FakeKoha};

use crate::client::*;

fn koha() -> FakeKoha {
    start(Era::Before2405)
}

#[test]
fn everything_is_added_and_nothing_checked() {
    let koha = koha();
    for (action, card, barcode, branch) in [
        ("issue", CARD, ITEM, "CPL"),
        ("issue", CARD, ITEM, "CPL"),
        ("issue", "nobody", "nothing", "ZZZ"),
        ("return", "", "", ""),
        ("renew", CARD, "😀", "CPL"),
    ] {
        let parameters = [
            ("pending", "true"),
            ("action", action),
            ("cardnumber", card),
            ("barcode", barcode),
            ("branchcode", branch),
        ];
        assert_eq!(transaction(&koha, &parameters).says(), (200, "Added."));
    }
    koha.library(|library| {
        assert_eq!(library.pending.len(), 5);
        assert!(library.loans.is_empty());
        let first = &library.pending[0];
        assert_eq!(
            (first.userid.as_str(), first.branch.as_str(), first.timestamp.as_str(), first.amount),
            ("koha", "CPL", "2026-11-23 11:00:00", Amount::ZERO)
        );
        assert_eq!(library.pending[4].barcode, "😀");
    });
}

#[test]
fn only_the_exact_word_true_queues() {
    let koha = koha();
    for pending in ["TRUE", "1", "yes", "undefined", ""] {
        let parameters = [("pending", pending), ("action", "return"), ("barcode", ITEM)];
        assert_eq!(transaction(&koha, &parameters).says(), (200, "Item not issued."), "{pending}");
    }
}

#[test]
fn long_values_are_cut_without_a_word() {
    let koha = koha();
    let card = "c".repeat(40);
    let parameters = [
        ("pending", "true"),
        ("action", "abcdefghijkl"),
        ("barcode", "LONG-BARCODE-OF-24-CHARS"),
        ("cardnumber", card.as_str()),
        ("branchcode", "BRANCHCODELONG"),
        ("amount", "3,50"),
    ];
    assert_eq!(transaction(&koha, &parameters).says(), (200, "Added."));
    koha.library(|library| {
        let row = &library.pending[0];
        assert_eq!(row.action, "abcdefghij");
        assert_eq!(row.barcode, "LONG-BARCODE-OF-24-C");
        assert_eq!(row.cardnumber.len(), 32);
        assert_eq!(row.branch, "BRANCHCODE");
        assert_eq!(row.amount, Amount::cents(300));
    });
}

#[test]
fn times_are_utc_stored_in_the_servers_zone() {
    let paris = Config { eu_summer_time: true, ..Config::default() };
    let koha = with(paris);
    for (sent, stored) in [
        ("2026-07-01 10:00:00", "2026-07-01 12:00:00"),
        ("2026-11-23T10:00:00.000Z", "2026-11-23 01:00:00"),
        ("1970-01-01 00:00:00", "0000-00-00 00:00:00"),
        ("9999-12-31 10:00:00", "0000-00-00 00:00:00"),
    ] {
        let parameters = [("pending", "true"), ("action", "issue"), ("timestamp", sent)];
        assert_eq!(transaction(&koha, &parameters).says(), (200, "Added."), "{sent}");
        koha.library(|library| assert_eq!(library.pending.last().unwrap().timestamp, stored, "{sent}"));
    }
}

#[test]
fn with_a_cookie_and_no_userid_the_row_has_no_userid() {
    let koha = koha();
    let session = session(&koha, "circ", "MPL");
    let parameters = [("pending", "true"), ("action", "return"), ("barcode", ITEM), ("branchcode", "CPL")];
    assert_eq!(post_with_session(&koha, SERVICE, &parameters, &session).says(), (200, "Added."));
    koha.library(|library| assert_eq!(library.pending[0].userid, ""));
}
