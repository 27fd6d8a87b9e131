//! Koha's pages fail in a person's own tabs, and come again.

use crate::{configured, koha, wait};
use fake_koha::{Era, Fault, FaultKind};
use koct_tests::{
    desk::Desk,
    firefox::ADDON_ID,
    settings_page::{save, unfold},
};
use serde_json::{Value, json};

/// As Firefox ends it when it has nothing to do.
pub(crate) fn end_event_page(desk: &Desk) {
    let end = "(async id => { const { extension } = WebExtensionPolicy.getByID(id); \
        if (extension.backgroundState === 'running') await extension.terminateBackground({ disableResetIdleForTest: true }); })";
    desk.firefox.in_chrome(&format!("{end}({})", json!(ADDON_ID))).unwrap();
}

fn badge(desk: &Desk) -> Value {
    let shown = "Promise.all([browser.action.getBadgeText({}), browser.action.getBadgeBackgroundColor({}), browser.action.getTitle({})]) \
        .then(([text, colour, title]) => [text, colour.slice(0, 3), title])";
    desk.page.eval(shown).unwrap()
}

fn wait_for_badge(desk: &Desk, text: &str, colour: [u8; 3], title: &str) {
    let expected = json!([text, colour, title]);
    wait(&format!("the badge is not {expected}"), || (badge(desk) == expected).then_some(()));
}

/// How it stands, as Firefox keeps it.
fn wait_for_standing(desk: &Desk, part: &str) {
    let kept =
        format!("browser.storage.session.get('outage').then(({{ outage }}) => (outage ?? 'well').includes('{part}'))");
    desk.page.wait(&kept).unwrap();
}

const GREEN: [u8; 3] = [47, 107, 34];
const AMBER: [u8; 3] = [138, 82, 0];
const TITLE: &str = "Koha Offline Circulation Tool";

#[test]
fn an_outage_is_noticed_in_a_persons_tabs_and_ends_there() {
    let koha = koha(Era::From2405);
    let mut desk = configured(&koha, "send");
    desk.check_in("A1").unwrap();
    let wait_for_sign = |desk: &Desk, state: &str| {
        desk.page.wait(&format!("document.getElementById('reachable').dataset.state === '{state}'")).unwrap();
    };
    wait_for_sign(&desk, "online");
    desk.page.wait_hidden("#offline-now").unwrap();
    // They want to be told, and Firefox asks them when they tick the box.
    let settings = desk.open_settings().unwrap();
    unfold(&settings, "notify").unwrap();
    settings.click("#notify").unwrap();
    let allowed = "browser.permissions.contains({ permissions: ['notifications'] })";
    settings.wait(allowed).unwrap();
    assert!(save(&settings).unwrap().starts_with("Saved"));
    settings.wait_hidden("#notify-allow").unwrap();
    // Firefox takes a notification away by itself after a while, and at once where the system can show none: which were there is noted.
    settings
        .run(
            "window.shown = []; for (const event of ['onShown', 'onClosed']) \
             browser.notifications[event].addListener(id => window.shown.push(id))",
        )
        .unwrap();
    // The event page sleeps, and is not woken by what nobody has asked it.
    end_event_page(&desk);
    let tab = desk.firefox.open(&format!("{}/cgi-bin/koha/mainpage.pl", koha.url())).unwrap();
    let page = |path: &str| format!("{}/cgi-bin/koha/{path}", koha.url());
    let (main, none) = (page("mainpage.pl"), page("no-such-page.pl"));
    assert_eq!(badge(&desk), json!(["1", GREEN, TITLE]));

    // One page is an error of Koha's: that is no outage, but a person may say that it is one.
    koha.fault(Fault::on("mainpage.pl", FaultKind::Status(500)).times(1));
    tab.navigate(&main).unwrap();
    wait_for_sign(&desk, "poor");
    desk.page.wait_text("#reachable", "Koha answers badly").unwrap();
    // What the badge shows of that is shown before it shows the next scan.
    desk.page.activate().unwrap();
    desk.check_in("A2").unwrap();
    wait_for_badge(&desk, "2", GREEN, TITLE);
    desk.page.click("#offline-now").unwrap();
    wait_for_sign(&desk, "offline");
    desk.page.wait_contains("#reachable", "Offline since ").unwrap();
    wait_for_badge(&desk, "2", AMBER, "Koha does not answer. Go on here.");
    // What they have said lasts while Koha answers KOCT: the window has looked in between.
    desk.page.wait_text("#offline-now", "Koha works again").unwrap();
    desk.page.click("#offline-now").unwrap();
    wait_for_sign(&desk, "back");
    wait_for_badge(&desk, "2", GREEN, TITLE);
    desk.page.wait_hidden("#offline-now").unwrap();

    // An error, and an answer that there is no such page: Koha is there.
    koha.fault(Fault::on("mainpage.pl", FaultKind::Status(503)).times(1));
    tab.navigate(&main).unwrap();
    wait_for_standing(&desk, "suspected");
    tab.navigate(&none).unwrap();
    wait_for_standing(&desk, "well");

    // Koha goes. What the event page has seen outlives it.
    let stopped = koha.stop();
    assert!(tab.navigate(&main).is_err());
    wait_for_standing(&desk, "suspected");
    end_event_page(&desk);
    assert!(tab.navigate(&main).is_err());
    wait_for_standing(&desk, "out");
    wait_for_sign(&desk, "offline");
    desk.page.wait_text("#message", "Koha does not answer. Go on here.").unwrap();
    desk.page.wait_contains("#reachable", "Koha is down since ").unwrap();
    wait_for_badge(&desk, "2", AMBER, "Koha does not answer. Go on here.");
    settings.wait("window.shown.includes('koct-gone')").unwrap();
    desk.check_in("A3").unwrap();
    wait_for_badge(&desk, "3", AMBER, "Koha does not answer. Go on here.");
    // A window that is opened in the outage knows of it.
    crate::reopen(&mut desk);
    desk.page.wait_contains("#reachable", "Koha is down since ").unwrap();
    wait_for_badge(&desk, "3", AMBER, "Koha does not answer. Go on here.");

    // Somebody else answers at its address, as a captive portal does: KOCT asks Koha itself, and that is no answer of Koha's.
    let koha = stopped.start().unwrap();
    koha.fault(Fault::on("", FaultKind::HtmlLogin));
    tab.navigate(&main).unwrap();
    wait("KOCT does not ask", || {
        koha.requests().iter().any(|request| request.path.ends_with("/api/v1/libraries")).then_some(())
    });
    desk.page.wait_text("#reachable", "A page came: is Koha back?").unwrap();
    wait_for_standing(&desk, "out");
    desk.page.wait_text("#offline-now", "Koha works again").unwrap();

    // It is back: a page comes.
    koha.clear_faults();
    tab.navigate(&main).unwrap();
    wait_for_standing(&desk, "well");
    wait_for_sign(&desk, "back");
    desk.page.wait_text("#message", "Koha is back. 3 transactions wait.").unwrap();
    wait_for_badge(&desk, "3", GREEN, TITLE);
    settings.wait("window.shown.includes('koct-back')").unwrap();
    assert!(crate::transactions(&koha).is_empty(), "sending is a person's press");

    // They want no notifications any more: the permission is given back.
    settings.activate().unwrap();
    settings.click("#notify").unwrap();
    assert!(save(&settings).unwrap().starts_with("Saved"));
    settings.wait(&format!("{allowed}.then(allowed => !allowed)")).unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}
