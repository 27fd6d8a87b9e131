//! Koha's queue in KOCT: what several desks have sent, processed as it happened.

use crate::{configured, koha};
use fake_koha::{Effect, Era, FakeKoha, Fault, FaultKind, Operation};
use koct_tests::{
    axe::{axe, axe_of_colours},
    desk::{Desk, Settings},
    firefox::Options,
    keeper,
    matrix::BEFORE_TRANSACTIONS,
    page::key,
};
use serde_json::json;
use std::time::{Duration, Instant};

fn item(number: usize) -> String {
    format!("399990000000{number:02}")
}

fn patron(number: usize) -> String {
    format!("2352900122360{number}")
}

/// Another desk has sent this: a checkout to a patron, or a checkin.
fn sent_elsewhere(koha: &FakeKoha, time: &str, book: usize, who: Option<usize>) {
    koha.library(|library| {
        let operation = Operation {
            branch: "CPL".into(),
            timestamp: format!("2026-01-05 {time}"),
            action: if who.is_some() { "issue" } else { "return" }.into(),
            barcode: item(book),
            cardnumber: who.map(patron).unwrap_or_default(),
            ..Operation::default()
        };
        library.queue_operation(operation, "").unwrap();
    });
}

/// Opens the dialog, and waits until this number of rows is there.
fn open_queue(desk: &Desk, number: usize) {
    desk.page.click("#open-queue").unwrap();
    wait_for_rows(desk, number);
}

fn wait_for_rows(desk: &Desk, number: usize) {
    let read = "!document.getElementById('queue-refresh').disabled";
    let rows = format!("document.querySelectorAll('#queue-rows tr').length === {number}");
    desk.page.wait(&format!("{read} && {rows}")).unwrap();
}

fn results(desk: &Desk) -> Vec<String> {
    let script = "[...document.querySelectorAll('#queue-rows [data-field=result]')].map(cell => cell.textContent)";
    let results = desk.page.eval(script).unwrap();
    results.as_array().unwrap().iter().map(|words| words.as_str().unwrap().to_owned()).collect()
}

fn check(desk: &Desk, which: &str) {
    let script = format!(
        "(() => {{ const which = document.getElementById('queue-which'); which.value = '{which}'; \
         which.dispatchEvent(new Event('change')); }})()"
    );
    desk.page.eval(&script).unwrap();
}

fn wait_for_end(desk: &Desk) {
    desk.page
        .wait("document.getElementById('queue-stop').hidden && !document.getElementById('queue-refresh').disabled")
        .unwrap();
}

fn count(koha: &FakeKoha, is_it: fn(&Effect) -> bool) -> usize {
    koha.library(|library| library.count_effects(is_it))
}

/// What came twice, and the one that was on no loan, are told; the books are where they were in truth. Every Koha that shows its queue
/// differently is met without a browser in `tests/src/processing.rs`.
#[test]
fn three_desks_rows_are_processed_as_it_happened_and_a_double_is_deleted() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "send");
    // The bus sends its checkins first, and the main desk what happened before and after them. All of it within a minute or two.
    for (second, book) in [("10:00:20", 30), ("10:01:20", 31)] {
        sent_elsewhere(&koha, second, book, None);
    }
    for book in 40..43 {
        sent_elsewhere(&koha, "10:00:50", book, Some(2));
    }
    for (second, book, who) in [("10:00:05", 30, 1), ("10:00:40", 30, 2), ("10:01:05", 31, 1)] {
        sent_elsewhere(&koha, second, book, Some(who));
    }
    // One second, one item: last in, first shown.
    sent_elsewhere(&koha, "10:05:00", 32, Some(3));
    sent_elsewhere(&koha, "10:05:00", 32, None);
    sent_elsewhere(&koha, "10:05:00", 32, Some(1));
    desk.check_out(&patron(1), &item(20)).unwrap();
    koha.fault(Fault::on("service.pl", FaultKind::SentAgain).skip(BEFORE_TRANSACTIONS).times(1));
    desk.commit().unwrap();
    koha.clear_faults();
    desk.check_in(&item(21)).unwrap();
    desk.commit().unwrap();

    open_queue(&desk, 14);
    let title = koha.library(|library| library.item(&item(20)).unwrap().title.to_string());
    desk.page.wait_contains("#queue-rows", &title).unwrap();
    let doubles: Vec<_> = results(&desk).into_iter().filter(|words| words.starts_with("There twice")).collect();
    assert_eq!(doubles.len(), 1, "{:?}", results(&desk));
    let found = [axe(&desk.page).unwrap(), axe_of_colours(&desk.page).unwrap()].concat();
    assert_eq!(found, Vec::<String>::new());
    // Everything is all but that.
    check(&desk, "all");
    assert_eq!(desk.page.text("#queue-process").unwrap(), "Process (13)");
    check(&desk, "double");
    assert_eq!(desk.page.text("#queue-delete").unwrap(), "Delete (1)…");
    desk.page.click("#queue-delete").unwrap();
    desk.page.wait_visible("#question").unwrap();
    desk.page.wait_contains("#question-list", &title).unwrap();
    desk.page.click("#question-yes").unwrap();
    desk.page.wait_contains("#queue-state", "Deleted: 1.").unwrap();
    wait_for_end(&desk);
    desk.page.click("#queue-refresh").unwrap();
    wait_for_rows(&desk, 13);
    desk.page.click("#queue-all").unwrap();
    desk.page.click("#queue-process").unwrap();
    desk.page.wait_contains("#queue-state", "Processed: 12. Koha refused 1.").unwrap();
    wait_for_end(&desk);
    let ends = results(&desk);
    assert_eq!(ends.iter().filter(|words| *words == "Success.").count(), 12, "{ends:?}");
    // By keys alone it is left.
    desk.page.wait_focused("queue-close").unwrap();
    desk.page.press(&[key::ENTER]).unwrap();
    desk.page.wait("!document.getElementById('queue-dialog').open").unwrap();
    koha.library(|library| {
        let holder = |book| library.holder_of(&item(book)).map(str::to_owned);
        assert_eq!(holder(30), Some(patron(2)));
        assert_eq!((holder(31), holder(32), holder(20)), (None, Some(patron(1)), Some(patron(1))));
        assert!((40..43).all(|book| holder(book) == Some(patron(2))));
        assert!(library.pending.is_empty());
        let staff = |id: &&String| library.session_account(id).is_some_and(|who| who.userid == "koha");
        // Each session of ours at a page is ended. What service.pl makes for each password, nobody is told of.
        let asked = library.password_checks;
        assert!(library.sessions.keys().filter(staff).count() < asked);
    });
    assert_eq!(count(&koha, |effect| matches!(effect, Effect::Renewed { .. })), 0);
    // What this desk had sent has Koha's word in the log, and what was refused is in To do.
    assert_eq!(desk.states().unwrap(), ["success", "rejected"]);
    desk.page.click("#show-batches").unwrap();
    desk.page.wait_contains("#batches-list li:first-child", "Koha’s queue").unwrap();
    desk.page.wait_contains("#batches-list li:first-child", "Item not issued.").unwrap();
    desk.page.click("#batches-close").unwrap();
    desk.open_todo().unwrap();
    desk.page.wait_contains("[data-group=refused]", &item(21)).unwrap();
    desk.open_log().unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

/// Koha has processed a row, and Firefox is killed before it hears of it.
#[test]
fn killed_while_a_row_is_processed_nothing_is_processed_twice() {
    let koha = koha(Era::From2405);
    let profile = keeper::folder().unwrap();
    let start = || {
        let prefs = vec![
            ("toolkit.startup.max_resumed_crashes".to_owned(), json!(-1)),
            ("browser.sessionstore.resume_from_crash".to_owned(), json!(false)),
        ];
        Desk::open(&Options { profile: Some(profile.path().to_owned()), prefs, ..Options::default() }).unwrap()
    };
    let desk = start();
    desk.set_up_with(&Settings::of(&koha.url(), "send"), |preferences| preferences.keep_password = true).unwrap();
    for book in 20..24 {
        desk.check_out(&patron(1), &item(book)).unwrap();
    }
    desk.commit().unwrap();
    open_queue(&desk, 4);
    desk.page.click("#queue-all").unwrap();
    koha.fault(Fault::on("process.pl", FaultKind::HoldAfter).skip(1).times(1));
    desk.page.click("#queue-process").unwrap();
    let began = Instant::now();
    while count(&koha, |effect| matches!(effect, Effect::Processed { .. })) < 2 {
        assert!(began.elapsed() < Duration::from_mins(3), "the second row is not processed");
        std::thread::sleep(Duration::from_millis(10));
    }
    desk.firefox.killer().kill();
    desk.firefox.kill();
    koha.clear_faults();

    let desk = start();
    desk.firefox.allow(&koct_core::ServerUrl::parse(&koha.url()).unwrap().permission_pattern()).unwrap();
    // Several are queued at a time, and in Koha's list those of the same second stand as they came: any of them may be the first.
    let states = "[...document.querySelectorAll('#transactions-rows tr[data-seq]')].map(row => row.dataset.status).sort().join()";
    desk.page.wait(&format!("{states} === 'added,added,added,success'")).unwrap();
    // Its loan proves the one that was under way.
    open_queue(&desk, 2);
    desk.page.click("#queue-all").unwrap();
    desk.page.click("#queue-process").unwrap();
    desk.page.wait_contains("#queue-state", "Processed: 2.").unwrap();
    desk.page.click("#queue-close").unwrap();
    desk.wait_for_states(&["success"; 4]).unwrap();
    let effects = [
        count(&koha, |effect| matches!(effect, Effect::Issued { .. })),
        count(&koha, |effect| matches!(effect, Effect::Renewed { .. })),
    ];
    assert_eq!(effects, [4, 0]);
}
