use super::*;
use proptest::prelude::*;

/// What the keys in the order of [`KEYS`] type on computers of several countries, without Shift and with it.
const LAYOUTS: [(&str, &str, &str); 7] = [
    ("US", "1234567890-abcdefghijklmnopqrstuvwxyz", "!@#$%^&*()_ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("AZERTY", "&é\"'(-è_çà)qbcdefghijkl,noparstuvzxyw", "1234567890°QBCDEFGHIJKL?NOPARSTUVZXYW"),
    ("QWERTZ", "1234567890ßabcdefghijklmnopqrstuvwxzy", "!\"§$%&/()=?ABCDEFGHIJKLMNOPQRSTUVWXZY"),
    ("Italian", "1234567890'abcdefghijklmnopqrstuvwxyz", "!\"£$%&/()=?ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("Turkish", "1234567890*abcdefghıjklmnopqrstuvwxyz", "!'^+%&/()=?ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("Arabic", "١٢٣٤٥٦٧٨٩٠-شلاؤيثبلاهتنمةىخحضقسفعرصءغئ", "!@#$%^&*)(_ِلآ}ُ[لأأ÷ـ،/آ×؛َُ‎ٌٍ‎ٓ{ًْإ~"),
    ("Greek", "1234567890-αβψδεφγηιξκλμνοπ;ρστθωςχυζ", "!@#$%^&*()_ΑΒΨΔΕΦΓΗΙΞΚΛΜΝΟΠ:ΡΣΤΘΩ΅ΧΥΖ"),
];
/// The keys, by what they type on a US keyboard.
const KEYS: &str = "1234567890-abcdefghijklmnopqrstuvwxyz";

fn code_of(sign: char) -> String {
    match sign.to_ascii_uppercase() {
        '-' | '_' => "Minus".to_owned(),
        digit @ '0'..='9' => format!("Digit{digit}"),
        letter => format!("Key{letter}"),
    }
}

/// A scanner that is set to US types this on a computer of that country. Returns the keys, and what the field holds.
fn scanned(text: &str, layout: usize, caps_lock: bool) -> (Keys, String) {
    let (mut keys, mut held, mut now) = (Keys::default(), String::new(), 1_000.0);
    let (_, plain, shifted) = LAYOUTS[layout];
    for sign in text.chars() {
        let shift = sign.is_ascii_uppercase();
        let place = KEYS.chars().position(|key| key == sign.to_ascii_lowercase()).unwrap();
        let typed = if shift { shifted } else { plain }.chars().nth(place).unwrap_or(' ');
        let typed = match (caps_lock, typed.is_uppercase()) {
            (true, true) => typed.to_lowercase().next().unwrap(),
            (true, false) => typed.to_uppercase().next().unwrap(),
            (false, _) => typed,
        };
        now += 4.0;
        let (key, code) = (typed.to_string(), code_of(sign));
        if shift {
            keys.press(Press { key: "Shift", code: "ShiftLeft", shift, ..Press::default() }, now);
        }
        keys.press(Press { key: &key, code: &code, shift, ..Press::default() }, now);
        held.push(typed);
    }
    (keys, held)
}

proptest! {
    /// On any of the layouts the keys of what a scanner types give what stands on the label.
    #[test]
    fn the_keys_give_what_was_scanned(text in "[0-9]{4,20}|[0-9A-Za-z-]{4,20}", layout in 0..LAYOUTS.len(), caps_lock: bool) {
        let (keys, held) = scanned(&text, layout, caps_lock);
        let meant = match keys.clone().meaning(&held, ScannerKeyboard::Us) {
            Meaning::Keys(keys) => keys,
            Meaning::AsTyped => held.clone(),
            Meaning::Ask(_) => unreachable!(),
        };
        prop_assert_eq!(&meant, &text);
        prop_assert_eq!(keys.clone().meaning(&held, ScannerKeyboard::AsTyped), Meaning::AsTyped);
        let asked = match keys.meaning(&held, ScannerKeyboard::Ask) {
            Meaning::Ask(keys) => keys == text,
            Meaning::AsTyped => held.eq_ignore_ascii_case(&text),
            Meaning::Keys(_) => false,
        };
        prop_assert!(asked);
    }
}

#[test]
fn a_scanner_that_types_as_the_computer_is_set_is_not_asked_about() {
    // Digits are typed with Shift on a French keyboard.
    let mut keys = Keys::default();
    for (time, digit) in (0..).zip(["6", "1", "3", "0"]) {
        let code = format!("Digit{digit}");
        keys.press(Press { key: digit, code: &code, shift: true, ..Press::default() }, 5.0 * f64::from(time));
    }
    assert_eq!(keys.meaning("6130", ScannerKeyboard::Ask), Meaning::AsTyped);
}

#[test]
fn a_person_is_not_asked_about() {
    let mut keys = Keys::default();
    for (time, digit) in (0..).zip(["&", "é", "\"", "'"]) {
        keys.press(Press { key: digit, code: "Digit1", ..Press::default() }, 200.0 * f64::from(time));
    }
    for keyboard in ScannerKeyboard::ALL {
        assert_eq!(keys.clone().meaning("&é\"'", keyboard), Meaning::AsTyped);
    }
}

#[test]
fn what_stood_in_the_field_before_is_no_other_reading() {
    let (keys, held) = scanned("39999", 0, false);
    assert_eq!(keys.meaning(&format!("T{held}"), ScannerKeyboard::Us), Meaning::AsTyped);
}

fn pressed(presses: &[Press<'_>]) -> Keys {
    let mut keys = Keys::default();
    for (time, press) in (0..).zip(presses) {
        keys.press(*press, 5.0 * f64::from(time));
    }
    keys
}

#[test]
fn signs_typed_by_their_numbers_are_read_and_separators_left_out() {
    let alt = Press { key: "Alt", code: "AltLeft", alt: true, ..Press::default() };
    let digit = |code| Press { key: "0", code, alt: true, ..Press::default() };
    let plain = |code| Press { key: "1", code, ..Press::default() };
    // Alt+0 5 4 is 6; Alt+0 2 9 separates.
    let six = [alt, digit("Numpad0"), digit("Numpad5"), digit("Numpad4")];
    let separator = [alt, digit("Numpad0"), digit("Numpad2"), digit("Numpad9")];
    let keys = pressed(&[&six[..], &separator, &[plain("Digit1")], &six].concat());
    assert_eq!(keys.meaning("", ScannerKeyboard::Us), Meaning::Keys("616".to_owned()));
    let keys = pressed(&[&[alt, digit("Numpad2"), digit("Numpad3"), digit("Numpad3")], &six[..]].concat());
    assert_eq!(keys.meaning("é6", ScannerKeyboard::Us), Meaning::AsTyped, "no sign of a barcode");
}

#[test]
fn other_keys_say_that_it_was_no_scanner() {
    let plain = |code| Press { key: "1", code, ..Press::default() };
    let four = [plain("Digit1"), plain("Digit2"), plain("Digit3"), plain("Digit4")];
    for odd in [
        Press { key: "Backspace", code: "Backspace", ..Press::default() },
        Press { key: "@", code: "KeyQ", alt: true, control: true, ..Press::default() },
        Press { key: "1", code: "", ..Press::default() },
    ] {
        let keys = pressed(&[&four[..], &[odd]].concat());
        assert_eq!(keys.meaning("x", ScannerKeyboard::Us), Meaning::AsTyped, "{odd:?}");
    }
    let with_control = Press { key: "b", code: "KeyB", control: true, ..Press::default() };
    let keys = pressed(&[&[with_control], &four[..], &[with_control]].concat());
    assert_eq!(keys.meaning("x", ScannerKeyboard::Us), Meaning::Keys("1234".to_owned()));
}

#[test]
fn control_and_a_letter_do_nothing_to_the_window() {
    let press = |key| Press { key, control: true, ..Press::default() };
    let quiet = Keys::default();
    for key in ["r", "R", "w", "n", "p", "f", "b", "m", "j", "]", "[", "d"] {
        assert!(quiet.keeps(press(key), 0.0), "{key}");
    }
    for key in ["a", "c", "v", "x", "z", "V", "Enter", "ArrowLeft", "F5", "1", "+", "-", "="] {
        assert!(!quiet.keeps(press(key), 0.0), "{key}");
    }
    let in_a_code = pressed(&[Press { key: "1", code: "Digit1", ..Press::default() }]);
    assert!(in_a_code.keeps(press("v"), 5.0) && !in_a_code.keeps(press("v"), 500.0));
    assert!(!quiet.keeps(Press { key: "r", ..Press::default() }, 0.0));
    assert!(!quiet.keeps(Press { alt: true, ..press("q") }, 0.0), "a sign of some keyboards");
}

#[test]
fn names_lead_back() {
    for keyboard in ScannerKeyboard::ALL {
        assert_eq!(ScannerKeyboard::from_name(keyboard.name()), Some(keyboard));
        assert_eq!(serde_json::to_value(keyboard).unwrap(), keyboard.name());
    }
    assert_eq!(ScannerKeyboard::from_name("US"), None);
}
