//! The help, and the keys on the buttons.

use crate::{desk, pointing::keys_every};
use koct_tests::page::key::{self, F1, F4};
use serde_json::json;

#[test]
fn the_settings_lead_to_the_licences_of_all_that_is_in_the_add_on() {
    let desk = desk();
    let settings = desk.open_settings().unwrap();
    settings.click("#notices").unwrap();
    let notices = desk.firefox.wait_for_page("NOTICES.txt").unwrap();
    notices.wait_contains("body", "wasm-bindgen 0.2").unwrap();
    notices.wait_contains("body", "Permission is hereby granted, free of charge").unwrap();
}

#[test]
fn one_key_opens_the_help_and_another_gives_the_field_back() {
    let desk = desk();
    desk.page.press(&[F4]).unwrap();
    desk.page.wait_focused("checkin-item").unwrap();
    // What the driver presses goes to the page alone. At a real key, Firefox opens a page of its own unless the page says no.
    desk.page.eval("void addEventListener('keydown', event => window.pressed = event, true)").unwrap();
    desk.page.press(&[F1]).unwrap();
    desk.page.wait("document.getElementById('help-dialog').open").unwrap();
    assert_eq!(desk.page.eval("[window.pressed.key, window.pressed.defaultPrevented]").unwrap(), json!(["F1", true]));
    // It can be read to its end by keys, tab by tab, and nothing lacks its text.
    desk.page.wait_focused("help-tab-steps").unwrap();
    desk.page.press(&[key::RIGHT]).unwrap();
    desk.page.wait_focused("help-tab-words").unwrap();
    desk.page.press(&[key::DOWN]).unwrap();
    desk.page.wait_focused("help-words").unwrap();
    let texts = "[...document.querySelectorAll('#help-dialog [data-i18n]')].map(e => [e.dataset.i18n, e.textContent])";
    let texts = desk.page.eval(texts).unwrap();
    assert!(texts.as_array().unwrap().len() > 40, "{texts}");
    for text in texts.as_array().unwrap() {
        assert!(text[1] != "" && text[1] != text[0], "{text}");
    }
    desk.page.press(&[key::ESCAPE]).unwrap();
    desk.page
        .wait("!document.getElementById('help-dialog').open && document.activeElement.id === 'checkin-item'")
        .unwrap();
    // Alt alone opens the menu, and closes it; held for something else, or by a scanner, it does not.
    keys_every(&desk, 400);
    desk.page.press(&[key::ALT]).unwrap();
    desk.page.wait("document.getElementById('menu').contains(document.activeElement)").unwrap();
    desk.page.press(&[key::ALT]).unwrap();
    desk.page.wait_hidden("#menu").unwrap();
    desk.page.wait_focused("checkin-item").unwrap();
    for held_for in ['6', '5', key::DOWN] {
        desk.page.press(&[key::ALT, held_for]).unwrap();
    }
    keys_every(&desk, 5);
    desk.page.type_text(&format!("12{}", key::ALT)).unwrap();
    assert!(!desk.page.visible("#menu").unwrap());
    desk.page.press(&[key::CONTROL, 'a']).unwrap();
    desk.page.press(&[key::BACKSPACE]).unwrap();
    // The same by the button; the scanner's field gets the focus, and not the button.
    desk.page.click("#open-help").unwrap();
    desk.page.click("#help-close").unwrap();
    desk.page.wait("document.activeElement.id === 'checkin-item'").unwrap();
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn every_key_is_in_the_help_and_where_it_works() {
    let desk = desk();
    desk.page.wait("document.querySelectorAll('#help-keys kbd').length === 18").unwrap();
    let shown = desk.page.eval("[...document.querySelectorAll('#help-keys kbd')].map(key => key.textContent)").unwrap();
    assert_eq!(
        shown,
        json!([
            "Alt+Shift+K",
            "F1",
            "F2",
            "F3",
            "F4",
            "F6",
            "F7",
            "F8",
            "F9",
            "F10",
            "Ctrl+Enter",
            "Esc",
            "Esc",
            "Esc",
            "Esc",
            "Alt",
            "↑ ↓",
            "Del"
        ])
    );
    let targets = desk
        .page
        .eval("[...document.querySelectorAll('[aria-keyshortcuts]')].map(e => [e.getAttribute('aria-keyshortcuts'), e.id]).sort()")
        .unwrap();
    assert_eq!(
        targets,
        json!([
            ["Escape", "checkout-clear-patron"],
            ["Escape", "show-all"],
            ["F1", "open-help"],
            ["F10", "open-menu"],
            ["F2", "checkout-patron"],
            ["F3", "find-text"],
            ["F4", "checkin-item"],
            ["F6", "tall"],
            ["F7", "tab-todo"],
            ["F8", "undo"],
            ["F9", "commit"],
        ])
    );
    // Seen, but no part of the text: that is what a screen reader says, and a person looks for.
    for (id, text, key) in
        [("undo", "Undo", "F8"), ("commit", "Send data to Koha", "F9"), ("checkout-title", "Checkout", "F2")]
    {
        assert_eq!(desk.page.text(&format!("#{id}")).unwrap(), text);
        let chip = desk.page.eval(&format!(
            "(e => [e.dataset.key, e.ariaHidden, e.checkVisibility()])(document.querySelector('#{id} kbd'))"
        ));
        assert_eq!(chip.unwrap(), json!([key, "true", true]), "{id}");
    }
}
