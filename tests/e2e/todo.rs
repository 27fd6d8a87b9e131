//! What is left to do, beside the log.

use crate::{
    desk, downloaded,
    knowing::{OTHER, ZOE, item, knowing, library, lines, wait_for_text},
    library_at_home,
    pointing::keys_every,
    records::{download, want},
    transactions,
};
use fake_koha::{Checkins, Config, DateFormat, Effect, Era, FakeKoha, Found, Hold};
use koct_tests::{
    axe::axe,
    desk::{Desk, Settings},
    firefox::Options,
    keeper,
    page::key,
};
use std::fs;

fn rows(desk: &Desk, group: &str) -> Vec<String> {
    lines(desk, &format!("[data-group={group}] li"))
}

fn wait_for_rows(desk: &Desk, group: &str, number: usize) {
    let rows = format!("document.querySelectorAll('[data-group={group}] li').length === {number}");
    desk.page.wait(&rows).unwrap();
}

/// After an outage: the button, and four keys.
#[test]
fn thirteen_that_were_not_on_loan_are_settled_with_five_keys() {
    let mut library = library_at_home();
    library.items.iter_mut().for_each(|item| item.materials = "".into());
    // In whatever zone this runs.
    library.preferences.date_format = DateFormat::Iso;
    let checkins = Some(Checkins::default());
    let koha = FakeKoha::start(Config { era: Era::From2405, checkins, library, ..Config::default() }).unwrap();
    let desk = desk();
    desk.set_up_with(&Settings::of(&koha.url(), "apply"), |set| set.form.koha_checkin = true).unwrap();
    desk.page.click("#checkin-item").unwrap();
    for number in 1..=13 {
        desk.page.type_text(&format!("399990000000{number:02}\n")).unwrap();
    }
    desk.wait_for_total(13).unwrap();
    desk.page.press(&[key::F9]).unwrap();
    desk.page.wait_visible("#todo").unwrap();
    desk.page.wait_text("#settle-all", "All settled (13)").unwrap();
    assert_eq!(desk.page.text("#tab-todo-count").unwrap(), "13");
    let grade = "document.querySelector('#tab-todo-count').dataset.grade";
    assert_eq!(desk.page.eval(grade).unwrap(), "note");
    wait_for_rows(&desk, "refused", 13);
    // The scanner is where it was.
    desk.page.wait_focused("checkin-item").unwrap();
    keys_every(&desk, 400);
    desk.page.press(&[key::F7]).unwrap();
    desk.page.wait_focused("todo").unwrap();
    desk.page.press(&[key::TAB]).unwrap();
    desk.page.wait_focused("settle-all").unwrap();
    desk.page.press(&[key::ENTER]).unwrap();
    desk.wait_for_states(&["deleted"; 13]).unwrap();
    desk.page.wait_visible("#todo-empty").unwrap();
    desk.page.wait("document.getElementById('tab-todo-count').hidden").unwrap();
    // What leaves nothing opens nothing.
    desk.open_log().unwrap();
    desk.check_out(ZOE, "39999000000001").unwrap();
    desk.commit().unwrap();
    desk.page.wait("document.getElementById('count-unsent').textContent === '0'").unwrap();
    assert!(!desk.page.visible("#todo").unwrap());
    // All that by Koha's own check-in. What it says at once is to be done: one is waited for, one belongs elsewhere, and of one it
    // asks what only a person can answer.
    koha.library(|library| {
        for number in 15..=18 {
            library.lend_before(ZOE, &item(number), "2026-11-01 10:00:00");
        }
        let patron_id = library.patron(OTHER).unwrap().id;
        let (biblio_id, item_id) = library.item(&item(15)).map(|item| (item.biblio_id, Some(item.id))).unwrap();
        let (branch, placed_on) = ("MPL".to_owned(), "2026-10-01".into());
        let (priority, found, waiting_since) = (1, None, None);
        let hold = Hold { id: 9_100, patron_id, biblio_id, item_id, branch, priority, placed_on, found, waiting_since };
        library.holds.push(hold);
        library.item_mut(&item(16)).unwrap().branch = "MPL".into();
        library.item_mut(&item(17)).unwrap().materials = "1 CD".into();
    });
    for number in 15..=18 {
        desk.check_in(&item(number)).unwrap();
    }
    assert_eq!(desk.commit().unwrap().lines().count(), 1);
    let states = [&["deleted"; 13][..], &["success", "success", "success", "rejected", "success"]].concat();
    desk.wait_for_states(&states).unwrap();
    desk.page.wait_visible("#todo").unwrap();
    for (group, part) in [
        ("set-aside", "39999000000015"),
        ("transfers", "Belongs to MPL."),
        ("refused", "Confirmation required: item_parts Koha wants a person for this"),
    ] {
        wait_for_rows(&desk, group, 1);
        assert!(rows(&desk, group)[0].contains(part), "{:?}", rows(&desk, group));
    }
    assert_eq!(axe(&desk.page).unwrap(), Vec::<String>::new());
    desk.open_log().unwrap();
    desk.page.click("tr[data-seq='15'] [data-edit]").unwrap();
    desk.page.wait_contains("#edit-history", "Koha said: A hold was found.").unwrap();
    desk.page.press(&[key::ESCAPE]).unwrap();
    let requests = koha.requests();
    let own = requests.iter().filter(|request| request.method == "POST" && request.path.ends_with("/checkins"));
    assert_eq!(own.count(), 17);
    assert!(!requests.iter().any(|request| request.parameter("action") == Some("return")));
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn a_tick_sinks_and_is_kept_and_another_window_sees_it() {
    let (_koha, desk) = knowing();
    for number in [10, 11, 1] {
        desk.check_in(&item(number)).unwrap();
    }
    desk.page.wait_text("#tab-todo-count", "3").unwrap();
    let other = desk.firefox.open(&desk.firefox.addon_url("popup/popup.html")).unwrap();
    other.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    other.eval("document.getElementById('clear-dialog').close()").unwrap();
    other.click("#tab-todo").unwrap();
    other.wait_text("[data-group=set-aside] [data-field=count]", "2").unwrap();
    desk.page.activate().unwrap();
    desk.page.click("#show-aside").unwrap();
    wait_for_rows(&desk, "set-aside", 2);
    wait_for_text(&desk, "todo", "Kowalska, Zofia · ");
    let late = rows(&desk, "late");
    assert!(late[0].contains("The Secret Garden") && late[0].contains("Days late: "), "{late:?}");
    wait_for_text(&desk, "todo", &format!("Was with Müller-Őze, Zoë · {ZOE}"));
    let first = rows(&desk, "set-aside").remove(0);
    let code = if first.contains(&item(10)) { item(10) } else { item(11) };
    desk.page.click("[data-group=set-aside] li:first-child input").unwrap();
    let is_last = format!(
        "document.querySelector('[data-group=set-aside] li:last-child[data-ticked]')?.textContent.includes('{code}')"
    );
    for page in [&desk.page, &other] {
        page.wait(&is_last).unwrap();
        page.wait_text("[data-group=set-aside] [data-field=count]", "1").unwrap();
        page.wait_text("#tab-todo-count", "2").unwrap();
    }
    // The scanner is where it was.
    desk.page.wait_focused("checkin-item").unwrap();
    desk.page.reload().unwrap();
    desk.page.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    desk.page.eval("document.getElementById('clear-dialog').close()").unwrap();
    desk.page.wait_text("#tab-todo-count", "2").unwrap();
    desk.open_todo().unwrap();
    desk.page.wait(&is_last).unwrap();
    assert!(desk.page.eval("document.querySelector('li[data-ticked] input').checked").unwrap().as_bool().unwrap());
    // Not done after all; and all of it at once.
    desk.page.click("li[data-ticked] input").unwrap();
    desk.page.wait_text("#tab-todo-count", "3").unwrap();
    // What it does not know of yet is not meant there.
    other.wait_text("#tab-todo-count", "3").unwrap();
    other.activate().unwrap();
    other.click("[data-group=set-aside] [data-all=tick]").unwrap();
    desk.page.activate().unwrap();
    desk.page.wait_text("#tab-todo-count", "1").unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn the_list_goes_by_keys_alone_and_a_scan_presses_nothing_in_it() {
    let (_koha, desk) = knowing();
    for number in [10, 11, 1] {
        desk.check_in(&item(number)).unwrap();
    }
    desk.page.wait_text("#tab-todo-count", "3").unwrap();
    keys_every(&desk, 400);
    desk.page.press(&[key::F7]).unwrap();
    desk.page.press(&[key::DOWN]).unwrap();
    wait_for_rows(&desk, "set-aside", 2);
    let is_here = |group: &str| format!("document.activeElement.closest('[data-group={group}] li') !== null");
    desk.page.wait(&is_here("set-aside")).unwrap();
    let ticked = |number: usize| format!("document.querySelectorAll('li[data-ticked]').length === {number}");
    // What is done sinks, and the next has the focus.
    desk.page.press(&[key::SPACE]).unwrap();
    desk.page.wait(&ticked(1)).unwrap();
    desk.page.wait(&is_here("set-aside")).unwrap();
    desk.page.wait("!document.activeElement.closest('li').hasAttribute('data-ticked')").unwrap();
    desk.page.press(&[key::SPACE]).unwrap();
    desk.page.wait(&ticked(2)).unwrap();
    desk.page.press(&[key::DOWN]).unwrap();
    desk.page.press(&[key::DOWN]).unwrap();
    desk.page.wait(&is_here("late")).unwrap();
    // A scanner types: into its field, whatever has the focus.
    keys_every(&desk, 5);
    desk.page.type_text(&format!("{}\n", item(5))).unwrap();
    desk.wait_for_total(4).unwrap();
    desk.page.wait_focused("checkin-item").unwrap();
    assert!(desk.page.eval(&ticked(2)).unwrap().as_bool().unwrap());
    keys_every(&desk, 400);
    desk.page.press(&[key::F7]).unwrap();
    desk.page.wait_focused("todo").unwrap();
    desk.page.press(&[key::ESCAPE]).unwrap();
    desk.page.wait_focused("checkin-item").unwrap();
    // The search is the log's.
    desk.page.press(&[key::F3]).unwrap();
    desk.page.wait_focused("find-text").unwrap();
    assert!(!desk.page.visible("#todo").unwrap());
    // The tabs are tabs.
    desk.page.eval("document.getElementById('tab-log').focus()").unwrap();
    desk.page.press(&[key::RIGHT]).unwrap();
    desk.page.wait_focused("tab-todo").unwrap();
    desk.page.wait_visible("#todo").unwrap();
    assert_eq!(desk.page.eval("document.getElementById('tab-todo').ariaSelected").unwrap(), "true");
}

#[test]
fn whose_card_it_is_that_koha_does_not_know_is_answered_by_name_once_for_all() {
    let koha = FakeKoha::start(Config { era: Era::From2405, library: library(), ..Config::default() }).unwrap();
    let desk = desk();
    want(&desk, &Settings::of(&koha.url(), "apply"), |_| {});
    assert_eq!(download(&desk), "All records are here.");
    for number in [5, 6] {
        desk.check_out("23529999999999", &item(number)).unwrap();
    }
    desk.check_in("NOSUCH1").unwrap();
    desk.pay(OTHER, "2.50").unwrap();
    desk.commit().unwrap();
    desk.page.wait_visible("#todo").unwrap();
    wait_for_rows(&desk, "refused", 3);
    assert_eq!(desk.page.eval("document.querySelector('#tab-todo-count').dataset.grade").unwrap(), "stop");
    // What came of the payment is looked at too.
    wait_for_rows(&desk, "payments", 1);
    // A barcode that was misread is dropped.
    desk.page.click("[data-group=refused] li:last-child [data-offer=drop]").unwrap();
    wait_for_rows(&desk, "refused", 2);
    desk.page.click("[data-group=refused] li:first-child [data-offer=find-patron]").unwrap();
    desk.page.wait_focused("whose-typed").unwrap();
    desk.page.wait_contains("#whose-text", "23529999999999").unwrap();
    keys_every(&desk, 400);
    desk.page.type_text("nobody").unwrap();
    desk.page.wait_contains("#whose-state", "No such patron").unwrap();
    desk.page.fill("#whose-typed", "smith an").unwrap();
    desk.page.wait("document.querySelectorAll('#whose-list button').length === 1").unwrap();
    // A card that nobody has is scanned: whoever is listed still was not found by it.
    let scanned = "(field => { field.value = '23529001229999'; field.form.requestSubmit(); field.value })";
    desk.page.eval(&format!("{scanned}(document.getElementById('whose-typed'))")).unwrap();
    desk.page.wait_contains("#whose-state", "No such patron").unwrap();
    desk.page.fill("#whose-typed", "smith an").unwrap();
    desk.page.wait("document.getElementById('whose-state').textContent === ''").unwrap();
    desk.page.press(&[key::DOWN]).unwrap();
    desk.page.press(&[key::ENTER]).unwrap();
    desk.page.wait("!document.getElementById('whose-dialog').open").unwrap();
    wait_for_rows(&desk, "refused", 0);
    assert_eq!(desk.states().unwrap(), ["local", "local", "deleted", "success"]);
    desk.commit().unwrap();
    desk.wait_for_states(&["success", "success", "deleted", "success"]).unwrap();
    let lent = |effect: &&Effect| matches!(effect, Effect::Issued { .. });
    assert_eq!(koha.library(|library| library.effects.iter().filter(lent).count()), 2);
    desk.open_todo().unwrap();
    desk.page.click("[data-group=payments] input").unwrap();
    desk.page.wait("document.getElementById('tab-todo-count').hidden").unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn what_was_not_recorded_is_dealt_with_here_or_there() {
    let desk = desk();
    let long = "a-barcode-that-is-far-too-long-for-koha";
    for number in 1..=2 {
        desk.page.fill("#checkin-item", &format!("{long}-{number}\n")).unwrap();
        desk.page.wait(&format!("document.querySelectorAll('.attention li').length === {number}")).unwrap();
    }
    assert_eq!(desk.page.text("#tab-todo-count").unwrap(), "2");
    desk.open_todo().unwrap();
    wait_for_rows(&desk, "not-recorded", 2);
    desk.page.click("[data-group=not-recorded] li:first-child [data-offer=dismiss]").unwrap();
    wait_for_rows(&desk, "not-recorded", 1);
    desk.page.wait("document.querySelectorAll('.attention li').length === 1").unwrap();
    desk.page.click(".attention [data-field=retry]").unwrap();
    wait_for_rows(&desk, "not-recorded", 0);
    desk.page.wait_visible("#todo-empty").unwrap();
    assert_eq!(desk.page.value("#checkin-item").unwrap(), format!("{long}-2"), "to be corrected");
}

#[test]
fn patrons_who_took_something_in_spite_of_a_warning_are_looked_at_in_koha() {
    let (koha, desk) = knowing();
    for number in [5, 6] {
        desk.check_out("23529001223603", &item(number)).unwrap();
    }
    desk.check_out("23529999999999", &item(7)).unwrap();
    desk.page.wait_text("#tab-todo-count", "2").unwrap();
    desk.open_todo().unwrap();
    wait_for_rows(&desk, "patrons", 2);
    let of = rows(&desk, "patrons");
    assert!(of[0].contains("23529001223603") && of[0].contains("expired") && of[0].contains("Checkouts: 2."), "{of:?}");
    desk.page.click("[data-group=patrons] li:first-child input").unwrap();
    desk.page.wait_text("#tab-todo-count", "1").unwrap();
    // They take one more.
    desk.check_out("23529001223603", &item(8)).unwrap();
    desk.page.wait_text("#tab-todo-count", "2").unwrap();
    assert!(transactions(&koha).is_empty(), "nothing is sent by that");
}

/// After a commit: what Koha tells stands there with its page, goes into a spreadsheet that runs nothing, and is ticked off; a misread
/// barcode is found by its title; and Koha can be asked again.
#[test]
fn what_koha_tells_is_worked_through_saved_and_asked_again() {
    const FORMULA: &str = "=HYPERLINK(\"http://127.0.0.1/\",\"x\")";
    let mut library = library();
    library.items.iter_mut().for_each(|item| item.branch = "CPL".into());
    library.loans.clear();
    library.lend_until(ZOE, &item(1), "2020-01-01 23:59:00");
    let book = library.item_mut(&item(1)).unwrap();
    (book.title, book.branch) = (FORMULA.into(), "MPL".into());
    library.lend_until("23529001223612", &item(10), "2099-12-01 23:59:00");
    let zoe = library.patron(ZOE).unwrap().id;
    let koha = FakeKoha::start(Config { era: Era::From2405, library, ..Config::default() }).unwrap();
    let folder = keeper::folder().unwrap();
    let desk = Desk::open(&Options { downloads: Some(folder.path().to_owned()), ..Options::default() }).unwrap();
    want(&desk, &Settings::of(&koha.url(), "apply"), |_| {});
    assert_eq!(download(&desk), "All records are here.");
    for number in [1, 10] {
        desk.check_in(&item(number)).unwrap();
    }
    desk.check_out(OTHER, "39999000000999").unwrap();
    desk.commit().unwrap();
    desk.page.wait_visible("#todo").unwrap();
    for group in ["refused", "set-aside", "transfers", "late"] {
        wait_for_rows(&desk, group, 1);
    }
    wait_for_text(&desk, "todo", "Belongs to Midway.");
    wait_for_text(&desk, "todo", &format!("It was due on January 1, 2020. Was with Müller-Őze, Zoë · {ZOE}"));
    // Nothing waits: what is left to do is on the toolbar button.
    desk.page.wait("browser.action.getBadgeText({}).then(text => text === '4')").unwrap();
    let link = |group: &str| {
        let link = format!(
            "(link => [link.href, link.target, link.rel])(document.querySelector('[data-group={group}] a[data-field=link]'))"
        );
        desk.page.eval(&link).unwrap()
    };
    let page = |path: &str| {
        serde_json::json!([format!("{}/cgi-bin/koha/{path}", koha.url()), "_blank", "noreferrer noopener"])
    };
    assert_eq!(link("late"), page(&format!("members/boraccount.pl?borrowernumber={zoe}")));
    assert_eq!(link("transfers"), page("circ/returns.pl"));
    assert_eq!(axe(&desk.page).unwrap(), Vec::<String>::new());
    // The barcode is at hand where the item is checked in.
    desk.page.click("[data-group=set-aside] a[data-field=link]").unwrap();
    wait_for_text(&desk, "message", &format!("Copied: {}.", item(10)));
    desk.page.activate().unwrap();
    desk.page.click("#save-todo").unwrap();
    let file = fs::read_to_string(downloaded(folder.path(), "csv")).unwrap();
    assert!(file.starts_with("\u{feff}List,Title,"), "{file}");
    let cell = format!("\"'{}\"", FORMULA.replace('"', "\"\""));
    assert_eq!(file.matches(&cell).count(), 2, "{file}");
    assert!(!file.split(['\n', ',']).any(|cell| cell.trim_start_matches('"').starts_with('=')), "{file}");
    assert_eq!(file.lines().count(), 5, "{file}");
    // Done.
    desk.page.click("[data-group=transfers] input").unwrap();
    desk.page.wait("document.querySelector('[data-group=transfers] li[data-ticked]') !== null").unwrap();
    desk.page.wait("browser.action.getBadgeText({}).then(text => text === '3')").unwrap();
    // The item of which the barcode was misread.
    desk.page.click("[data-group=refused] [data-offer=find-item]").unwrap();
    desk.page.wait_focused("whose-typed").unwrap();
    desk.page.wait_text("#whose-title", "Which item is it?").unwrap();
    desk.page.fill("#whose-typed", "momo").unwrap();
    desk.page.wait("document.querySelectorAll('#whose-list button').length === 2").unwrap();
    desk.page.click("#whose-list li:first-child button").unwrap();
    wait_for_rows(&desk, "refused", 0);
    desk.commit().unwrap();
    desk.wait_for_states(&["success"; 3]).unwrap();
    let momo = item(24);
    let lent = |effect: &&Effect| matches!(effect, Effect::Issued { barcode, .. } if *barcode == momo);
    assert_eq!(koha.library(|library| library.effects.iter().filter(lent).count()), 1);
    // Somebody has checked it in in Koha since.
    koha.library(|library| {
        let book = library.item(&item(10)).unwrap().id;
        let hold = library.holds.iter_mut().min_by_key(|hold| hold.id).unwrap();
        (hold.found, hold.item_id, hold.priority) = (Some(Found::Waiting), Some(book), 0);
    });
    desk.page.click("#show-batches").unwrap();
    desk.page.click("#batches-list li:last-child [data-field=ask]").unwrap();
    desk.page.wait("!document.getElementById('batches-dialog').open").unwrap();
    wait_for_text(&desk, "todo", "nobody waits for it any more");
    assert!(
        desk.page.eval("document.querySelector('[data-group=transfers] li[data-ticked]') !== null").unwrap() == true
    );
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

/// Whom Koha names counts more than whom the records have, also in a row that was drawn before.
#[test]
fn a_row_that_was_there_before_the_commit_names_whom_koha_names() {
    let mut library = library();
    library.lend_until(ZOE, &item(4), "2020-01-01 23:59:00");
    library.lend_until("23529001223612", &item(10), "2099-12-01 23:59:00");
    let names = ["23529001223609", "23529001223610"].map(|card| library.patron(card).unwrap().surname.to_string());
    let koha = FakeKoha::start(Config { era: Era::From2405, library, ..Config::default() }).unwrap();
    let desk = desk();
    want(&desk, &Settings::of(&koha.url(), "apply"), |_| {});
    assert_eq!(download(&desk), "All records are here.");
    for number in [4, 10] {
        desk.check_in(&item(number)).unwrap();
    }
    desk.page.wait_text("#tab-todo-count", "2").unwrap();
    desk.page.click("#show-aside").unwrap();
    wait_for_text(&desk, "todo", &format!("Was with Müller-Őze, Zoë · {ZOE}"));
    wait_for_text(&desk, "todo", &names[0]);
    // Renewed by another patron in Koha since; and who waited first does not wait any more.
    koha.library(|library| {
        let other = library.patron(OTHER).unwrap().id;
        let item_id = library.item(&item(4)).unwrap().id;
        library.loans.iter_mut().find(|loan| loan.item_id == item_id).unwrap().patron_id = other;
        let first = library.patron("23529001223609").unwrap().id;
        library.holds.retain(|hold| hold.patron_id != first);
    });
    desk.commit().unwrap();
    desk.wait_for_states(&["success"; 2]).unwrap();
    wait_for_text(&desk, "todo", &format!("Was with Smith, Anna · {OTHER}"));
    wait_for_text(&desk, "todo", &names[1]);
    let shown = desk.page.text("#todo").unwrap();
    assert!(!shown.contains("Müller-Őze") && !shown.contains(&names[0]), "{shown}");
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}
