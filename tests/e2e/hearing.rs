//! What is heard, and which messages stay.

use crate::{configured, desk, koha, pointing::keys_every};
use fake_koha::Era;
use koct_tests::{
    desk::Settings,
    page::{
        Page,
        key::{F4, F8, F9},
    },
    settings_page,
};
use serde_json::{Value, json};

/// Notes each tone that the page makes from now on. For sounds no time passes until it is [`later`].
fn listen(page: &Page) {
    page.eval(
        "(() => { const make = BaseAudioContext.prototype.createOscillator; [window.tones, window.time] = [[], 0]; \
         Object.defineProperty(BaseAudioContext.prototype, 'currentTime', { get: () => window.time }); \
         BaseAudioContext.prototype.createOscillator = function () { const tone = make.call(this); window.tones.push(tone.frequency); return tone; }; })()",
    )
    .unwrap();
}

fn heard(page: &Page) -> Value {
    page.eval("window.tones.splice(0).map(pitch => Math.round(pitch.value))").unwrap()
}

/// What was heard is over: the next sound is heard whatever it is.
fn later(page: &Page) {
    page.eval("void (window.time += 10)").unwrap();
}

#[test]
fn what_follows_a_scan_is_heard_and_nothing_else() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "send");
    listen(&desk.page);
    let settings = desk.open_settings().unwrap();
    settings_page::unfold(&settings, "sounds").unwrap();
    let switch = |commit_type: &str, button: &str| {
        settings.activate().unwrap();
        settings.click(&format!("#commit-{commit_type}")).unwrap();
        settings.click("#sounds").unwrap();
        settings_page::save(&settings).unwrap();
        desk.page.wait(&format!("document.getElementById('commit').textContent.startsWith('{button}')")).unwrap();
        desk.page.activate().unwrap();
    };
    let refused = |number: usize| {
        desk.page.type_text(&format!("{F4}123456789012345678901\n")).unwrap();
        desk.page.wait(&format!("document.querySelectorAll('.attention li').length === {number}")).unwrap();
    };
    // Switched off, and on again.
    switch("apply", "Apply");
    refused(1);
    desk.check_in("39999000000001").unwrap();
    switch("send", "Send");
    desk.page.click("#checkout-patron").unwrap();
    desk.check_out("23529001223601", "39999000000001").unwrap();
    assert_eq!(heard(&desk.page), json!([1175]), "neither what came while it was off nor the patron: the scan alone");
    later(&desk.page);
    for _ in 0..2 {
        desk.page.press(&[F8]).unwrap();
    }
    desk.page.wait("document.querySelectorAll('tr[data-status=deleted]').length === 2").unwrap();
    desk.page.click("#checkout-clear-patron").unwrap();
    desk.page.press(&[F8]).unwrap();
    desk.page.wait("document.getElementById('message').textContent.startsWith('Nothing was scanned')").unwrap();
    assert_eq!(heard(&desk.page), json!([659, 659]), "neither what was undone nor the field that was cleared");
    // A weightier sound is heard even while another is, and one that is not so no more.
    refused(2);
    desk.check_in("39999000000002").unwrap();
    assert_eq!(heard(&desk.page), json!([440, 330, 247]));
    later(&desk.page);
    // A scan that a dialog keeps is refused, as one that cannot be recorded.
    desk.page.click("#open-help").unwrap();
    desk.page.wait("document.getElementById('help-dialog').open").unwrap();
    keys_every(&desk, 5);
    desk.page.type_text("39999000000003\n").unwrap();
    desk.page.wait_contains("#help-dialog [data-field=scanned]", "Scanned 39999000000003.").unwrap();
    assert_eq!(heard(&desk.page), json!([440, 330, 247]));
}

#[test]
fn the_sounds_can_be_tried() {
    let desk = desk();
    let settings = desk.open_settings().unwrap();
    listen(&settings);
    settings_page::unfold(&settings, "sounds").unwrap();
    settings.click("#try-sounds").unwrap();
    assert_eq!(heard(&settings), json!([1175, 784, 1047, 659, 659, 440, 330, 247]));
}

#[test]
fn a_browser_without_sound_changes_nothing() {
    let desk = desk();
    desk.page
        .eval("void (BaseAudioContext.prototype.createOscillator = () => { throw new Error('no sound') })")
        .unwrap();
    desk.check_out("23529001223601", "39999000000001").unwrap();
    desk.page.wait_contains("#message", "Checked out").unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn errors_stay_until_they_are_closed_or_settled() {
    let koha = koha(Era::From2405);
    let desk = desk();
    let not_complete = "settings are not complete";
    let fail = || {
        desk.page.press(&[F9]).unwrap();
        desk.page.wait(&format!("document.getElementById('message').textContent.includes('{not_complete}')")).unwrap();
    };
    let kept = |number: usize| {
        desk.page.wait(&format!("document.querySelectorAll('#errors > div').length === {number}")).unwrap();
    };
    // Closed where it is shown first.
    fail();
    desk.page.click("#message-close").unwrap();
    assert_eq!((desk.message().unwrap().as_str(), desk.page.focused().unwrap().as_str()), ("", "checkout-patron"));
    desk.page.wait_hidden("#message-close").unwrap();
    // A scan says what it has to say; the error stays beside it, once.
    fail();
    desk.check_out("23529001223601", "39999000000001").unwrap();
    desk.page.wait_contains("#message", "Checked out 39999000000001").unwrap();
    kept(1);
    fail();
    kept(0);
    desk.check_out("23529001223601", "39999000000002").unwrap();
    kept(1);
    // Behind a button, over the page: nothing moves.
    desk.page.wait_text("#message-more", "+1 more").unwrap();
    desk.page.click("#message-more").unwrap();
    desk.page.wait_contains("#errors", not_complete).unwrap();
    desk.page.wait_visible("#errors").unwrap();
    desk.page.wait_focused("checkout-item").unwrap();
    desk.page.click("#errors [data-field=close]").unwrap();
    kept(0);
    desk.page.wait_hidden("#errors").unwrap();
    desk.page.wait_focused("checkout-item").unwrap();
    // What a scanner is told is over with the next scan.
    desk.page.type_text("\n").unwrap();
    assert_eq!(desk.message().unwrap(), "Scan an item.");
    desk.check_out("23529001223601", "39999000000003").unwrap();
    kept(0);
    // Another matter does not settle it; a commit that works does.
    fail();
    desk.page.press(&[F8]).unwrap();
    desk.page.wait("document.getElementById('message').textContent.startsWith('Taken back')").unwrap();
    kept(1);
    desk.set_up(&Settings::of(&koha.url(), "send")).unwrap();
    assert!(desk.commit().unwrap().starts_with("Done: 2"));
    kept(0);
}
