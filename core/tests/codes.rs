//! What scanners give and what is meant, from Koha's own tests, manuals of scanners and reports of users: each case as it comes into a
//! field, by the rule that a library has set for it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a failed unwrap is the failure report")]

use koct_core::{
    Action, Barcode, Cardnumber,
    desk::{
        barcode::{CodeError, same_code},
        codes::Codes,
        guard::{Concern, concern},
        keyboard::{Keys, Meaning, Press, ScannerKeyboard},
        rules::{self, Kind, Rules},
        scan::{Entered, Meant, PatronText, TypedError, checkin, checkout},
        shape::{Oddity, Shape},
    },
};
use proptest::prelude::*;

fn codes(items: &str, cards: &str) -> Codes {
    Codes {
        item_rules: Rules::parse(items).unwrap(),
        card_rules: Rules::parse(cards).unwrap(),
        branch: "IMS".into(),
        ..Codes::default()
    }
}

fn meant(entered: Entered) -> Meant {
    let Entered::Scan(meant) = entered else { panic!("{entered:?}") };
    meant
}

#[test]
fn each_code_is_what_is_meant_and_what_was_scanned_is_kept() {
    for (rule, scanned, expected) in [
        ("whitespace", " 3 9990 00019 2148", "39990000192148"),
        ("whitespace", "BC WITH SPACE", "BCWITHSPACE"),
        ("", "BC WITH SPACE", "BC WITH SPACE"),
        ("T-prefix", "T32", "T0000002"),
        ("T-prefix", "T0031472", "T0031472"),
        ("libsuite8", "b000126", "IMS-b-126"),
        ("libsuite8", "B0126", "IMS-B-126"),
        ("libsuite8", "CD0000024", "IMS-CD-24"),
        ("libsuite8", "00123", "IMS-b-123"),
        ("libsuite8", "ims-b-126", "ims-b-126"),
        ("EAN13", "892685001928", "0892685001928"),
        ("EAN13", "695152", "0000000695152"),
        ("cuecat", ".C3nZC3nZC3nYD3b6ENnZCNnY.fHmc.C3D1Dxr2C3nZE3n7.", "046675000808"),
        ("start-stop", "*12345*", "12345"),
        ("start-stop", "a29934567a", "29934567"),
        ("aim", "]C139999000001310", "39999000001310"),
        ("plain-digits", "３９９９９０００００１３１１", "39999000001311"),
    ] {
        let meant = meant(checkin(scanned, &codes(rule, "")));
        assert_eq!(meant.action, Action::Return { barcode: Barcode::parse(expected).unwrap() }, "{rule}");
        let kept = (scanned.trim() != expected).then(|| scanned.trim().to_owned());
        assert_eq!(meant.scanned.barcode, kept, "{rule}");
    }
    let meant = meant(checkout(PatronText::Raw("A12345B"), "B1", &codes("", "start-stop")));
    assert_eq!(meant.action.cardnumber(), Some(&Cardnumber::parse("12345").unwrap()));
    assert_eq!(meant.scanned.cardnumber.as_deref(), Some("A12345B"));
}

#[test]
fn what_does_not_look_right_is_asked_about_and_a_spreadsheets_number_refused() {
    let odd = |lengths: &str, has_check_digit, scanned: &str| {
        let codes = Codes { items: Shape::parse(lengths, has_check_digit).unwrap(), ..Codes::default() };
        codes.oddity(&meant(checkin(scanned, &codes)).action, |_| false).map(|(_, oddity)| oddity)
    };
    assert_eq!(odd("", true, "39999000001311"), None);
    assert_eq!(odd("", true, "39999000001310"), Some(Oddity::CheckDigit));
    assert_eq!(odd("", true, "3999900000131"), Some(Oddity::CheckDigit));
    assert_eq!(odd("14", false, "3999900000"), Some(Oddity::Length(10)));
    let refused = checkin("2.3529E+13", &Codes::default());
    assert!(matches!(refused, Entered::Refused(_, TypedError::Barcode(CodeError::Spreadsheet))), "{refused:?}");
    // Without the rule, wide digits are asked about.
    let action = meant(checkin("３９９", &Codes::default())).action;
    assert_eq!(concern(&action, None, None, &Codes::default()), Some(Concern::Lookalike('３')));
}

/// Types keys as fast as a scanner: their places, what comes of them, and whether with Shift.
fn keys(typed: &[(&str, &str, bool)]) -> Keys {
    let mut keys = Keys::default();
    for (time, (code, key, shift)) in (0..).zip(typed) {
        keys.press(Press { key, code, shift: *shift, ..Press::default() }, 5.0 * f64::from(time));
    }
    keys
}

#[test]
fn a_us_scanner_on_another_computer_is_read_by_its_keys() {
    let codes_of = |text: &str| text.chars().map(|sign| format!("Digit{sign}")).collect::<Vec<_>>();
    let typed = "-&\"àè-ààà\"è-ç".chars().map(String::from).collect::<Vec<_>>();
    let places = codes_of("6130760003769");
    let pressed: Vec<_> = places.iter().zip(&typed).map(|(code, key)| (code.as_str(), key.as_str(), false)).collect();
    let held = typed.concat();
    assert_eq!(keys(&pressed).meaning(&held, ScannerKeyboard::Us), Meaning::Keys("6130760003769".into()));
    assert_eq!(keys(&pressed).meaning(&held, ScannerKeyboard::Ask), Meaning::Ask("6130760003769".into()));
    let pressed = [
        ("KeyH", "H", true),
        ("KeyA", "Q", true),
        ("Digit1", "&", false),
        ("Digit1", "&", false),
        ("Digit2", "é", false),
    ];
    assert_eq!(keys(&pressed).meaning("HQ&&é", ScannerKeyboard::Us), Meaning::Keys("HA112".into()));
    // Caps Lock is on: to Koha it is the same item, and by the keys it is as on the label.
    let digits = ["Digit0", "Digit0", "Digit0", "Digit1", "Digit2", "Digit6"].map(|code| (code, &code[5..], false));
    let pressed = [&[("KeyB", "B", false)], &digits[..]].concat();
    assert_eq!(keys(&pressed).meaning("B000126", ScannerKeyboard::Ask), Meaning::AsTyped);
    assert_eq!(keys(&pressed).meaning("B000126", ScannerKeyboard::Us), Meaning::Keys("b000126".into()));
    assert!(same_code("B000126", "b000126"), "the records know it as either");
}

proptest! {
    /// Whatever rules there are, no code becomes another one without being shown: what was scanned is kept beside it.
    #[test]
    fn no_code_becomes_another_in_silence(
        raw in "[0-9]{1,20}|[A-Da-d*]?[0-9 ]{1,14}[A-Da-d*]?|\\]C1[0-9]{3,14}|[T0-9]{2,12}",
        kinds in prop::collection::vec(prop::sample::select(Kind::ALL.to_vec()), 0..5),
    ) {
        let rules: Vec<String> = kinds.iter().map(|kind| rules::line(kind.name(), kind.details())).collect();
        let codes = codes(&rules.join("\n"), "");
        if let Entered::Scan(meant) = checkin(&raw, &codes) {
            let barcode = meant.action.barcode().unwrap().as_str();
            prop_assert_eq!(meant.scanned.barcode.as_deref().unwrap_or(barcode), raw.trim());
        }
    }
}
