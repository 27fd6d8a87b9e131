//! Payments.

use crate::BEFORE_TRANSACTIONS;
use crate::{configured, koha, transactions};
use fake_koha::{Effect, Era, Fault, FaultKind};
use koct_tests::page::key;

#[test]
fn payments_are_exact_to_the_last_cent() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    for amount in ["0.10", "0,20", "3", "12.345"] {
        desk.pay("23529001223606", amount).unwrap();
    }
    let rows = desk.rows().unwrap();
    let shown: Vec<&str> = rows.iter().rev().map(|row| row.barcode.as_str()).collect();
    assert_eq!(shown, ["0.10", "0.20", "3.00", "12.345"]);
    assert!(rows.iter().all(|row| row.action == "payment" && row.cardnumber == "23529001223606"));
    let message = desk.commit().unwrap();
    assert!(message.starts_with("Done: 4"), "{message}");
    let sent: Vec<_> =
        transactions(&koha).iter().map(|request| request.parameter("amount").unwrap().to_owned()).collect();
    assert_eq!(sent, ["0.10", "0.20", "3.00", "12.345"]);
    let paid =
        koha.library(|library| library.effects.iter().filter(|effect| matches!(effect, Effect::Paid { .. })).count());
    assert_eq!(paid, 4);
}

#[test]
fn what_is_no_amount_is_refused_and_what_is_unusual_is_asked() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    assert!(!desk.page.visible("#checkout-pay-open").unwrap(), "nobody is there who could pay");
    desk.page.type_text("23529001223606\n").unwrap();
    desk.page.click("#checkout-pay-open").unwrap();
    desk.page.wait_focused("checkout-amount").unwrap();
    for (typed, said) in [("1.000,50", "digits"), ("39999000000001", "barcode"), ("0", "more than zero")] {
        desk.page.fill("#checkout-amount", &format!("{typed}\n")).unwrap();
        desk.page.wait(&format!("document.getElementById('message').textContent.includes('{said}')")).unwrap();
    }
    desk.page.fill("#checkout-amount", "4000\n").unwrap();
    desk.page.wait("document.getElementById('question').open").unwrap();
    // A scanner's Enter is a no.
    desk.page.press(&[key::ENTER]).unwrap();
    desk.page.wait("!document.getElementById('question').open").unwrap();
    assert_eq!((desk.total().unwrap(), desk.page.value("#checkout-amount").unwrap().as_str()), (0, "4000"));
    desk.page.press(&[key::ENTER]).unwrap();
    desk.page.wait("document.getElementById('question').open").unwrap();
    desk.page.click("#question-yes").unwrap();
    desk.wait_for_total(1).unwrap();
    assert_eq!(desk.rows().unwrap()[0].barcode, "4000.00");
    desk.page.wait_hidden("#checkout-payment").unwrap();
    desk.page.wait_focused("checkout-item").unwrap();
}

#[test]
fn a_payment_in_doubt_is_never_taken_twice_by_itself() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    desk.pay("23529001223606", "2.50").unwrap();
    koha.fault(Fault::on("service.pl", FaultKind::ResetAfter).skip(BEFORE_TRANSACTIONS).times(1));
    desk.commit().unwrap();
    desk.wait_for_states(&["in-doubt"]).unwrap();
    desk.commit().unwrap();
    desk.wait_for_states(&["in-doubt"]).unwrap();
    let paid =
        koha.library(|library| library.effects.iter().filter(|effect| matches!(effect, Effect::Paid { .. })).count());
    assert_eq!(paid, 1);
    desk.open_log().unwrap();
    desk.page.click("tr[data-seq='1'] [data-decision=is-in-koha]").unwrap();
    desk.page.wait("document.querySelector(\"tr[data-seq='1']\").dataset.status === 'success'").unwrap();
}
