//! Nothing moves: whatever is said, asked, warned of or sent, each button and each field stays where it is.

use crate::knowing::{OTHER, ZOE, item, knowing, wait_for_text};
use fake_koha::{Fault, FaultKind};
use koct_tests::{desk::Desk, page::key};
use serde_json::json;

/// Looks at every button and field with each frame and whenever `look` is called, and notes those that stand elsewhere than before.
/// Those in lists, dialogs and the menu come and go with what they are about.
const WATCH: &str = "(() => { window.places = new Map(); window.moved = new Set(); window.looks = 0; const round = window.round = {}; \
    window.look = () => { looks++; \
    for (const element of document.querySelectorAll('.bar button, .pane > header button, .list > .head button, .pane form :is(input, button), #message-line button, #find input, [role=tab]')) { \
        if (!element.checkVisibility() || element.closest('dialog, #menu')) continue; \
        const { x, y, right, height } = element.getBoundingClientRect(); const place = [x, y, right, height].join(' '); \
        const before = places.get(element.id); places.set(element.id, before ?? place); \
        if (before !== undefined && before !== place) moved.add(`${element.id}: ${before} → ${place}`); \
    } }; const again = () => { if (window.round === round) { look(); requestAnimationFrame(again); } }; again(); })()";

/// Of what is watched, what every size has.
const WATCHED: [&str; 14] = [
    "commit",
    "open-menu",
    "checkout-patron",
    "checkout-item",
    "checkout-submit",
    "checkout-clear-patron",
    "checkout-pay-open",
    "patron-move",
    "checkin-item",
    "checkin-submit",
    "undo",
    "tab-log",
    "tab-todo",
    "find-text",
];

/// It was looked often enough, at everything that is there, and nothing has moved.
fn nothing_moved(desk: &Desk, case: &str) {
    let seen = desk.page.eval("[[...moved], window.looks, [...places.keys()]]").unwrap();
    assert_eq!(seen[0], json!([]), "{case}");
    assert!(seen[1].as_u64().unwrap() >= SCANS, "{case}: {seen}");
    let watched: Vec<String> = serde_json::from_value(seen[2].clone()).unwrap();
    for id in WATCHED {
        assert!(watched.iter().any(|watched| watched == id), "{case}: {id} is not in {watched:?}");
    }
}

/// How many of the scans of a round are looked at one by one.
const SCANS: u64 = 28;

/// Everything that can be said at a desk, in some thirty-five transactions.
fn work(desk: &Desk, round: usize) {
    let page = &desk.page;
    let scan = |field: &str, code: &str| {
        page.click(field).unwrap();
        page.type_text(&format!("{code}\n")).unwrap();
        page.eval("look()").unwrap();
    };
    // Patrons: usual, expired, restricted, lost, with debts, unknown; and what they take: usual, unknown, with another, on hold.
    for (patron, part) in [
        (ZOE, "Müller"),
        ("23529001223603", "Čermák"),
        ("23529001223604", "Dubois"),
        ("23529001223605", ""),
        ("23529001223606", ""),
        ("P-UNKNOWN", "P-UNKNOWN"),
    ] {
        scan("#checkout-patron", patron);
        wait_for_text(desk, "patron-name", part);
        scan("#checkout-item", &item(30 + round));
        scan("#checkout-item", &format!("{patron}-{round}"));
    }
    scan("#checkout-item", &item(20));
    scan("#checkout-item", &item(3));
    // A cart, as fast as a scanner is.
    page.click("#checkin-item").unwrap();
    let cart: Vec<String> = (0..22).map(|number| format!("CART-{round}-{number}\n")).collect();
    page.type_text(&cart.concat()).unwrap();
    // The same again, a card in the item's field, a code that is too long, nothing at all.
    scan("#checkout-item", &item(3));
    scan("#checkout-item", OTHER);
    scan("#checkout-item", "a-code-that-is-far-too-long-for-koha");
    scan("#checkout-item", "");
    for number in [10, 1, 22] {
        scan("#checkin-item", &item(number));
    }
    scan("#checkin-item", &format!("NOBODYS-{round}"));
    wait_for_text(desk, "returned-where", "Unknown");
    page.press(&[key::F8]).unwrap();
    wait_for_text(desk, "message", "Taken back");
    // An answer, a payment, a search, an error that stays, and the way back to the card.
    page.press(&[key::CONTROL, key::ENTER]).unwrap();
    desk.pay("23529001223606", "1.50").unwrap();
    page.fill("#find-text", "nothing like it").unwrap();
    desk.wait_for_total(0).unwrap();
    page.click("#show-all").unwrap();
    page.press(&[key::ESCAPE]).unwrap();
    // What is printed is what is shown.
    page.wait_visible("tr[data-seq]").unwrap();
    page.click("#print-log").unwrap();
    page.click("#slip-cancel").unwrap();
}

#[test]
fn in_a_hundred_scans_and_a_commit_no_button_and_no_field_moves() {
    let (koha, desk) = knowing();
    for (round, (width, height)) in (0_usize..).zip([(1060, 780), (800, 600), (1440, 900)]) {
        desk.page.set_viewport(width, height).unwrap();
        // A row of each kind of button is there before it is looked at.
        desk.page.eval(WATCH).unwrap();
        work(&desk, round);
        let scrolls = "document.documentElement.scrollHeight > innerHeight || document.body.scrollHeight > innerHeight";
        assert_eq!(desk.page.eval(scrolls).unwrap(), false, "{width} × {height}");
        nothing_moved(&desk, &format!("{width} × {height}"));
    }
    assert!(desk.total().unwrap() >= 100, "{}", desk.total().unwrap());
    // Koha comes back, and all is sent; once it breaks in the middle.
    koha.clear_faults();
    koha.fault(Fault::on("service.pl", FaultKind::ResetBefore).skip(crate::BEFORE_TRANSACTIONS + 5).times(1));
    // The same item was lent to several: that is looked at first.
    desk.page.click("#commit").unwrap();
    desk.page.wait("document.getElementById('review-dialog').open").unwrap();
    desk.page.eval("document.getElementById('message').textContent = ''").unwrap();
    desk.send_in_this_order().unwrap();
    desk.wait_for_commit().unwrap();
    nothing_moved(&desk, "after the commit");
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}
