//! Slips and printed logs.

use crate::{configured, desk, koha, transactions};
use fake_koha::{Era, FakeKoha};
use koct_tests::{desk::Desk, page::key, settings_page};
use serde_json::json;

/// A desk whose slips name the library and, after three weeks, a date. Printers are only pretended.
fn printing(koha: &FakeKoha) -> Desk {
    let desk = configured(koha, "send");
    let settings = desk.open_settings().unwrap();
    settings_page::unfold(&settings, "library-name").unwrap();
    settings.fill("#library-name", "Midway Library").unwrap();
    settings.fill("#loan-days", "21").unwrap();
    assert!(settings_page::save(&settings).unwrap().starts_with("Saved"));
    desk.page.activate().unwrap();
    pretend(&desk);
    desk
}

pub(crate) fn pretend(desk: &Desk) {
    desk.page
        .eval(
            "void (window.print = () => { const paper = document.getElementById('print'); \
             window.printed = [...paper.children].flatMap(part => [...part.querySelectorAll('tr')].map(row => \
             [...row.cells].map(cell => cell.textContent).filter(text => text).join(' | ')).concat(part.matches('table') ? [] : [part.textContent])); \
             window.copy = paper.cloneNode(true); })",
        )
        .unwrap();
}

/// Presses Print in the dialog. Returns what was on the paper, line by line.
pub(crate) fn print(desk: &Desk) -> Vec<String> {
    desk.page.eval("void (window.printed = null)").unwrap();
    desk.page.click("#slip-print").unwrap();
    let printed = desk.page.wait("window.printed").unwrap();
    desk.page.wait_text("#print", "").unwrap();
    desk.page.wait_hidden("#slip-dialog").unwrap();
    printed.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

pub(crate) fn open(desk: &Desk, button: &str) {
    desk.page.click(button).unwrap();
    desk.page.wait("document.getElementById('slip-dialog').open").unwrap();
}

#[test]
fn a_slip_names_what_the_patron_takes_home_and_koha_hears_nothing_of_it() {
    let koha = koha(Era::From2405);
    let desk = printing(&koha);
    for item in ["39999000000001", "39999000000002", "39999000000003"] {
        desk.check_out("23529001223601", item).unwrap();
    }
    desk.check_in("39999000000002").unwrap();
    desk.check_out("23529001223602", "39999000000004").unwrap();
    desk.page.fill("#checkout-patron", "23529001223601\n").unwrap();
    open(&desk, "#print-slip");
    let about = desk.page.text("#slip-about").unwrap();
    assert!(about.contains("Patron 23529001223601") && about.contains(": 2.") && about.contains("Midway"), "{about}");
    let offered = desk.page.value("#slip-due").unwrap();
    let expected = desk
        .page
        .eval("(day => (day.setDate(day.getDate() + 21), [day.getFullYear(), day.getMonth() + 1, day.getDate()].map(part => String(part).padStart(2, '0')).join('-')))(new Date())")
        .unwrap();
    assert_eq!(expected, offered);
    let printed = print(&desk);
    assert_eq!(printed[..2], ["Midway Library", "Patron 23529001223601"]);
    assert!(printed[2].starts_with("Please return by ") && printed[2].ends_with(&offered[..4]), "{printed:?}");
    assert!(printed[3].starts_with("39999000000001 | ") && printed[4].starts_with("39999000000003 | "), "{printed:?}");
    assert_eq!(printed[5], "Items: 2.");
    desk.page.wait_focused("checkout-item").unwrap();
    // A date in the past is no due date; a typed one is printed; with none, none is named.
    open(&desk, "#print-slip");
    desk.page.eval("void (document.getElementById('slip-due').value = '2001-01-01')").unwrap();
    desk.page.click("#slip-print").unwrap();
    desk.page.wait("document.getElementById('slip-error').textContent.includes('later one')").unwrap();
    desk.page.eval("void (document.getElementById('slip-due').value = '2099-12-24')").unwrap();
    assert!(print(&desk)[2].contains("December 24, 2099"));
    open(&desk, "#print-slip");
    desk.page.eval("void (document.getElementById('slip-due').value = '')").unwrap();
    assert!(print(&desk)[2].starts_with("39999000000001 | "));
    // The patron of before, once the field was cleared.
    desk.page.click("#checkout-clear-patron").unwrap();
    open(&desk, "#menu-slip");
    desk.page.wait_contains("#slip-about", "23529001223602").unwrap();
    desk.page.press(&[key::ESCAPE]).unwrap();
    desk.page.wait("document.activeElement.id === 'checkout-patron'").unwrap();
    assert!(desk.commit().unwrap().starts_with("Done: 5"));
    assert_eq!(transactions(&koha).len(), 5);
    let requests = format!("{:?}", koha.requests());
    for never in ["due", "2099", "Midway", &offered] {
        assert!(!requests.contains(never), "{never}");
    }
}

#[test]
fn what_the_table_shows_is_printed() {
    let koha = koha(Era::From2405);
    let desk = printing(&koha);
    desk.check_out("23529001223601", "39999000000001").unwrap();
    desk.check_in("39999000000002").unwrap();
    desk.pay("23529001223602", "3.50").unwrap();
    open(&desk, "#print-log");
    let printed = print(&desk);
    assert_eq!(printed[1], "Transactions");
    assert!(printed[3].starts_with("39999000000001 | Checkout | 23529001223601 | "), "{printed:?}");
    assert!(printed[4].starts_with("39999000000002 | Checkin | "), "{printed:?}");
    assert!(
        printed[5].starts_with("3.50 | Payment | 23529001223602 | ") && printed[5].ends_with("Local."),
        "{printed:?}"
    );
    assert_eq!(printed[6], "Checkouts: 1. Checkins: 1. Payments: 1. Paid: 3.50.");
    // Found ones alone.
    desk.page.fill("#find-text", "39999000000002").unwrap();
    desk.wait_for_total(1).unwrap();
    open(&desk, "#print-log");
    let printed = print(&desk);
    assert!(printed[2].starts_with("39999000000002") && printed[3].starts_with("Checkouts: 0."), "{printed:?}");
    desk.page.wait_focused("find-text").unwrap();
    // On paper there is the slip, and nothing else. Restored by hand, since it is gone once it was printed.
    let shown =
        "[...document.body.children].filter(part => part.checkVisibility()).map(part => part.id || part.localName)";
    let medium = |name: &str| {
        let script = format!(
            "void [...Services.wm.getEnumerator('navigator:browser')].flatMap(window => window.gBrowser ? [...window.gBrowser.browsers] : []) \
             .forEach(browser => browser.browsingContext.mediumOverride = '{name}')"
        );
        desk.firefox.in_chrome(&script).unwrap();
    };
    medium("print");
    desk.page.wait("matchMedia('print').matches").unwrap();
    assert_eq!(desk.page.eval(shown).unwrap(), json!(["header", "main"]), "a page without a slip prints as it is");
    desk.page.eval("void document.getElementById('print').append(...window.copy.childNodes)").unwrap();
    assert_eq!(desk.page.eval(shown).unwrap(), json!(["print"]));
    medium("");
    desk.page.wait("!matchMedia('print').matches").unwrap();
    assert_eq!(desk.page.eval(shown).unwrap(), json!(["header", "main"]));
    for width in [8.0, 21.0] {
        let pdf = desk.page.print(width).unwrap();
        assert!(pdf.starts_with(b"%PDF") && pdf.len() > 1_000, "{width}: {}", pdf.len());
    }
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn a_long_log_is_cut_and_an_empty_one_is_not_printed() {
    let desk = desk();
    desk.page.click("#print-log").unwrap();
    desk.page.wait("document.getElementById('message').textContent === 'There is nothing to print.'").unwrap();
    desk.page.click("#menu-slip").unwrap();
    desk.page.wait("document.getElementById('message').textContent.startsWith('There is no slip')").unwrap();
    pretend(&desk);
    let folder = koct_tests::keeper::folder().unwrap();
    let file = folder.path().join("long.koc");
    let lines: Vec<String> = (1..=1_002).map(|n| format!("2026-11-23 10:00:00 000\treturn\tITEM{n}\n")).collect();
    std::fs::write(&file, format!("Version=1.0\tGenerator=test\tGeneratorVersion=1\n{}", lines.concat())).unwrap();
    desk.import(&[&file]).unwrap();
    desk.page.click("#import-close").unwrap();
    desk.wait_for_total(1_002).unwrap();
    open(&desk, "#print-log");
    desk.page.wait_contains("#slip-about", "Only the last 1,000 of 1,002").unwrap();
    let printed = print(&desk);
    assert_eq!(printed.iter().filter(|line| line.starts_with("ITEM")).count(), 1_000);
    assert!(
        printed.iter().any(|line| line.starts_with("ITEM3 |"))
            && !printed.iter().any(|line| line.starts_with("ITEM2 |"))
    );
    assert!(printed.iter().any(|line| line.contains("Only the last 1,000 of 1,002")));
}

#[test]
fn a_printer_that_fails_is_told_of_in_words_with_what_to_do() {
    let desk = desk();
    desk.check_out("P1", "B1").unwrap();
    for thrown in ["new Error('NS_ERROR_GFX_PRINTER_NO_PRINTER')", "{}"] {
        desk.page.eval(&format!("void (window.print = () => {{ throw {thrown}; }})")).unwrap();
        open(&desk, "#print-slip");
        desk.page.click("#slip-print").unwrap();
        desk.page.wait_contains("#message", "Check in Firefox’s own print window (Ctrl+P)").unwrap();
        assert!(!desk.page.text("#print").unwrap().contains("B1"), "nothing is left");
        let message = desk.message().unwrap();
        assert!(!message.contains("JsValue") && !message.contains("NS_ERROR"), "{message}");
        desk.page.eval("document.getElementById('message').textContent = ''").unwrap();
    }
}
