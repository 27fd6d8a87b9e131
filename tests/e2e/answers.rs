//! What is asked, and who is answered: nobody answers what they do not see, and nothing that one meant is taken for another's.

use crate::{
    configured, desk,
    knowing::{OTHER, ZOE, enter_patron, item, knowing, wait_for_kept, wait_for_text},
    koha,
    pointing::keys_every,
    records::{self, wait_for_records},
};
use fake_koha::{Era, Fault, FaultKind, Recorded};
use koct_tests::page::{Page, key};
use serde_json::{Value, json};

/// Where a name stands in the page, also where it is not seen.
fn where_named(page: &Page, name: &str) -> Value {
    let look = format!(
        "[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.value.includes('{name}')) || \
         [...e.childNodes].some(n => n.nodeType === 3 && n.data.includes('{name}'))).map(e => e.outerHTML.slice(0, 200))"
    );
    page.eval(&look).unwrap()
}

#[test]
fn a_visit_goes_to_a_card_never_to_an_item_and_the_next_item_is_for_whoever_is_shown() {
    let (_koha, desk) = knowing();
    wait_for_records(&desk);
    let third = "23529001223608";
    enter_patron(&desk, ZOE);
    // A card in the field of the item, as if it were the next patron's.
    desk.page.type_text(&format!("{}\n{OTHER}\n{}\n", item(5), item(6))).unwrap();
    desk.wait_for_total(2).unwrap();
    desk.page.wait(&format!("document.getElementById('checkout-patron').value === '{OTHER}'")).unwrap();
    desk.page.click("#patron-move").unwrap();
    desk.page.wait_focused("move-cardnumber").unwrap();
    desk.page.type_text(&format!("{third}\n")).unwrap();
    desk.page.wait(&format!("document.getElementById('checkout-patron').value === '{third}'")).unwrap();
    desk.page.click("#checkout-item").unwrap();
    desk.page.type_text(&format!("{}\n", item(7))).unwrap();
    desk.wait_for_total(3).unwrap();
    let to: Vec<[String; 2]> =
        desk.rows().unwrap().into_iter().rev().map(|row| [row.cardnumber, row.barcode]).collect();
    assert_eq!(to, [[ZOE.to_owned(), item(5)], [third.to_owned(), item(6)], [third.to_owned(), item(7)]]);

    // A visit goes to a card by user name too, and never to an item.
    desk.check_out(OTHER, &item(8)).unwrap();
    desk.page.click("#patron-move").unwrap();
    desk.page.wait_focused("move-cardnumber").unwrap();
    desk.page.type_text(&format!("{}\n", item(9))).unwrap();
    desk.page.wait_contains("#move-error", "an item’s barcode").unwrap();
    desk.page.type_text("PATRON1\n").unwrap();
    desk.page.wait("!document.getElementById('move-dialog').open").unwrap();
    desk.page
        .wait(&format!("document.querySelector('tr[data-seq] [data-field=cardnumber]').textContent === '{ZOE}'"))
        .unwrap();
    wait_for_text(&desk, "patron-items-list", &item(8));
}

#[test]
fn a_key_answers_what_is_seen_and_nothing_else() {
    let (_koha, desk) = knowing();
    enter_patron(&desk, ZOE);
    desk.page.type_text(&format!("{}\n", item(20))).unwrap();
    desk.page.wait("document.querySelector('#patron-items-list [data-grade=stop] [data-field=reason]')").unwrap();
    // Nobody answers, and the next patron's card was reported lost.
    desk.page.click("#checkout-clear-patron").unwrap();
    enter_patron(&desk, "23529001223605");
    wait_for_text(&desk, "message", "Card reported lost.");
    desk.page.press(&[key::CONTROL, key::ENTER]).unwrap();
    wait_for_text(&desk, "message", "nothing to answer");
    desk.page.type_text(&format!("{}\n", item(9))).unwrap();
    desk.wait_for_total(2).unwrap();
    wait_for_kept(&desk, &item(9), "lostCard");
    wait_for_kept(&desk, &item(20), "waiting");
    desk.page.press(&[key::CONTROL, key::ENTER]).unwrap();
    wait_for_kept(&desk, &item(9), "lostCard confirmed");
    wait_for_kept(&desk, &item(20), "waiting");
}

#[test]
fn what_asks_is_seen_while_the_log_has_the_room() {
    let (_koha, desk) = knowing();
    desk.page.press(&[key::F6]).unwrap();
    desk.page.wait("document.querySelector('main').hasAttribute('data-tall')").unwrap();
    enter_patron(&desk, ZOE);
    desk.page.type_text(&format!("{}\n{}\n", item(20), item(5))).unwrap();
    desk.wait_for_total(2).unwrap();
    desk.page
        .wait("document.querySelector('#patron-items-list [data-grade=stop] [data-answer=lend]')?.checkVisibility()")
        .unwrap();
    desk.page.wait_text("#tab-todo-count", "1").unwrap();
    // So is what was not recorded.
    desk.page.press(&[key::F6]).unwrap();
    desk.page.type_text("a-code-that-is-far-too-long-for-koha\n").unwrap();
    desk.page.wait("document.querySelector('#attention-checkout li')?.checkVisibility()").unwrap();
}

#[test]
fn an_amount_that_was_left_is_not_the_next_patrons() {
    let desk = desk();
    desk.page.type_text("P1\n").unwrap();
    desk.page.click("#checkout-pay-open").unwrap();
    desk.page.wait_focused("checkout-amount").unwrap();
    desk.page.type_text("12").unwrap();
    desk.page.press(&[key::ESCAPE]).unwrap();
    desk.page.wait_hidden("#checkout-payment").unwrap();
    desk.page.click("#checkout-clear-patron").unwrap();
    desk.page.type_text("P2\n").unwrap();
    desk.page.wait_focused("checkout-item").unwrap();
    desk.page.click("#checkout-pay-open").unwrap();
    desk.page.wait_focused("checkout-amount").unwrap();
    // A second Enter pays nothing.
    desk.page.type_text("5\n\n").unwrap();
    desk.wait_for_total(1).unwrap();
    desk.check_in("I1").unwrap();
    let rows = desk.rows().unwrap();
    assert_eq!((rows.len(), rows[1].cardnumber.as_str(), rows[1].barcode.as_str()), (2, "P2", "5.00"));
}

#[test]
fn one_answer_is_to_one_question() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    desk.check_out(ZOE, &item(1)).unwrap();
    crate::doubts::change(&desk, "if (entry.seq === 1) entry.moment.utc -= 25 * 3600000;");
    koha.fault(Fault::on("", FaultKind::Hold));
    // What of Koha's answers is not there yet.
    desk.page
        .eval(
            "void (window.asking = 0, window.fetch = (fetch => (...given) => { window.asking++; \
             return fetch(...given).finally(() => window.asking--); })(window.fetch.bind(window)))",
        )
        .unwrap();
    desk.page.press(&[key::F9]).unwrap();
    desk.page.click("#checkout-pay-open").unwrap();
    desk.page.type_text("4000\n").unwrap();
    desk.page.wait_contains("#question-title", "4000.00").unwrap();
    // The commit's own question comes while this one is open.
    desk.page.wait("window.asking > 0").unwrap();
    koha.clear_faults();
    let is_last =
        |request: &Recorded| request.query.contains("logout") || format!("{:?}", request.form).contains("logout");
    crate::wait("the commit has not asked all", || koha.requests().iter().any(is_last).then_some(()));
    desk.page.wait("window.asking === 0").unwrap();
    // What follows the last answer has had its time.
    desk.page
        .eval("fetch('/manifest.json').then(answer => answer.json()).then(() => new Promise(done => setTimeout(done)))")
        .unwrap();
    assert!(desk.page.text("#question-title").unwrap().contains("4000.00"));
    desk.page.click("#question-yes").unwrap();
    desk.wait_for_total(2).unwrap();
    desk.page.wait_contains("#question-title", "1 transaction").unwrap();
    assert_eq!(desk.states().unwrap(), ["local", "local"], "nobody said yes to the old one");
    desk.page.click("#question-cancel").unwrap();
    desk.page.wait("document.getElementById('commit').getAttribute('aria-disabled') === 'false'").unwrap();
    assert_eq!(desk.states().unwrap(), ["local", "local"]);
}

#[test]
fn a_second_click_decides_about_no_other_row() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    for number in 1..=4 {
        desk.check_in(&item(number)).unwrap();
    }
    desk.commit().unwrap();
    desk.page.wait_visible("#todo").unwrap();
    let left = |number: usize| {
        desk.page.wait(&format!("document.querySelectorAll('[data-group=refused] li').length === {number}")).unwrap();
    };
    left(4);
    desk.page.double_click("[data-group=refused] li [data-offer=settle]").unwrap();
    left(3);
    // Whatever a second click has begun is over before a later scan is recorded.
    desk.check_in(&item(9)).unwrap();
    left(3);
    assert_eq!(desk.states().unwrap().iter().filter(|state| *state == "deleted").count(), 1);
}

#[test]
fn no_name_stays_in_any_window_when_the_records_go() {
    let (_koha, desk) = knowing();
    desk.check_out("23529001223603", &item(3)).unwrap();
    wait_for_text(&desk, "message", "Smith, Anna");
    desk.check_out("23529001223603", &item(20)).unwrap();
    desk.page.wait("document.querySelector('#patron-items-list [data-grade=stop] [data-field=reason]')").unwrap();
    wait_for_text(&desk, "patron-name", "Čermák");
    desk.check_in(&item(10)).unwrap();
    wait_for_text(&desk, "returned-where", "Set aside: ");
    desk.check_in(&item(22)).unwrap();
    desk.page.wait("document.getElementById('checkin-panel').title.includes('Müller')").unwrap();
    enter_patron(&desk, ZOE);
    wait_for_text(&desk, "patron-name", "Müller");
    let other = desk.firefox.open(&desk.firefox.addon_url("popup/popup.html")).unwrap();
    other.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    other.activate().unwrap();
    other.wait("!document.getElementById('records-line').hidden").unwrap();
    other.click("#checkout-patron").unwrap();
    other.type_text(&format!("{ZOE}\n{}\n", item(5))).unwrap();
    other.wait("document.getElementById('message').textContent.includes('Müller')").unwrap();
    desk.page.activate().unwrap();
    // Names that are offered while one is typed.
    desk.page.fill("#checkout-patron", "smith").unwrap();
    desk.page.wait("!document.getElementById('patron-suggestions').hidden").unwrap();
    for name in ["Smith", "Čermák", "Müller"] {
        assert_ne!(where_named(&desk.page, name), json!([]), "{name}");
    }
    records::delete(&desk.page);
    for page in [&desk.page, &other] {
        page.wait("document.getElementById('patron-panel').hidden").unwrap();
        page.wait("!document.getElementById('message').textContent.includes('Müller')").unwrap();
        for name in ["Smith", "Čermák", "Müller"] {
            assert_eq!(where_named(page, name), json!([]), "{name}");
        }
    }
    // The warnings are there all the same.
    let warned =
        "document.querySelector(\"tr[data-seq='1'] [data-field=warned]\").title.includes('On loan to another patron')";
    desk.page.wait(warned).unwrap();
}

#[test]
fn names_that_were_found_go_with_the_records_also_from_an_open_dialog() {
    let koha = fake_koha::FakeKoha::start(fake_koha::Config {
        era: Era::From2405,
        library: crate::knowing::library(),
        ..fake_koha::Config::default()
    })
    .unwrap();
    let desk = crate::records::wanting(&koha, |preferences| {
        preferences.form.commit_type = koct_core::CommitType::Apply;
    });
    assert_eq!(crate::records::download(&desk), "All records are here.");
    desk.check_out("23529999999999", &item(5)).unwrap();
    desk.commit().unwrap();
    desk.page.click("[data-group=refused] [data-offer=find-patron]").unwrap();
    desk.page.wait_focused("whose-typed").unwrap();
    keys_every(&desk, 400);
    desk.page.type_text("smith").unwrap();
    desk.page.wait("document.querySelectorAll('#whose-list button').length > 0").unwrap();
    let other = desk.firefox.open(&desk.firefox.addon_url("popup/popup.html")).unwrap();
    other.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    other.activate().unwrap();
    other.wait("!document.getElementById('records-line').hidden").unwrap();
    records::delete(&other);
    desk.page.wait("document.querySelectorAll('#whose-list button').length === 0").unwrap();
    desk.page.wait("document.getElementById('records-line').dataset.grade === 'careful'").unwrap();
    assert_eq!(where_named(&desk.page, "Smith, Anna"), json!([]));
}
