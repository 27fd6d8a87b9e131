//! What a scanner has typed, by the keys and not by what the computer makes of them.
//!
//! A scanner types keys of the keyboard that it is set to, mostly a US one. Where the computer is set to another, other signs come of
//! them: `&é"` on a French one for `123`. Which keys they were is the same everywhere.

use crate::desk::scanner::Burst;
use serde::{Deserialize, Serialize};

/// Which keyboard the scanners of a desk are set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScannerKeyboard {
    /// Nobody has said: it is asked about where it shows.
    #[default]
    Ask,
    /// A US one, whatever the computer is set to.
    Us,
    /// The one that the computer is set to.
    AsTyped,
}

impl ScannerKeyboard {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Ask, Self::Us, Self::AsTyped];

    /// The value in the page and in a policy.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Us => "us",
            Self::AsTyped => "as-typed",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|keyboard| keyboard.name() == name)
    }
}

/// A key that goes down, as the browser tells it.
#[expect(clippy::struct_excessive_bools, reason = "a browser tells them so")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Press<'a> {
    /// What it types, or its name.
    pub key: &'a str,
    /// Where it stands on the keyboard: `KeyA`, `Digit1`.
    pub code: &'a str,
    /// With Shift.
    pub shift: bool,
    /// With Control.
    pub control: bool,
    /// With Alt.
    pub alt: bool,
    /// With the Windows or Command key.
    pub meta: bool,
}

/// What is meant by a code that came into a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// What it holds.
    AsTyped,
    /// What its keys are on a US keyboard.
    Keys(String),
    /// A person must say whether that is meant.
    Ask(String),
}

/// The keys that have come into a field without silence between them. Times are milliseconds of any one clock.
///
/// ```
/// use koct_core::desk::keyboard::{Keys, Meaning, Press, ScannerKeyboard};
/// let mut keys = Keys::default();
/// for (time, (code, key)) in (0..).zip([("Digit6", "-"), ("Digit1", "&"), ("Digit3", "\""), ("Digit0", "à")]) {
///     keys.press(Press { key, code, ..Press::default() }, 5.0 * f64::from(time));
/// }
/// assert_eq!(keys.meaning("-&\"à", ScannerKeyboard::Ask), Meaning::Ask("6130".to_owned()));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Keys {
    burst: Burst,
    text: String,
    /// Some key is none that types something on a US keyboard.
    is_odd: bool,
    /// The digits of a sign that is typed by its number, with Alt held down.
    number: String,
}

impl Keys {
    /// A key went down.
    pub fn press(&mut self, press: Press<'_>, now: f64) {
        if matches!(press.key, "Shift" | "CapsLock" | "Control" | "Meta" | "Enter" | "Tab") {
            return;
        }
        if press.key == "Alt" {
            return self.end_number();
        }
        // A control character: it says how the code was read, and is no part of it.
        if press.control && !press.alt {
            return;
        }
        if !self.burst.goes_on(now) {
            *self = Self::default();
        }
        self.burst.key(now);
        let digit = press.code.strip_prefix("Numpad").filter(|digit| digit.len() == 1);
        match (digit, us_sign(press.code, press.shift)) {
            (Some(digit), _) if press.alt && !press.control => self.number.push_str(digit),
            (_, Some(sign)) if !(press.alt || press.control || press.meta) => {
                self.end_number();
                self.text.push(sign);
            }
            _ => self.is_odd = true,
        }
    }

    /// Whether Enter or another key, coming now, follows a code that a scanner has typed.
    pub fn is_code(&self, now: f64) -> bool {
        self.burst.goes_on(now) && self.burst.is_code()
    }

    fn end_number(&mut self) {
        if self.number.is_empty() {
            return;
        }
        match std::mem::take(&mut self.number).parse::<u8>() {
            Ok(number) if number.is_ascii_graphic() || number == b' ' => self.text.push(char::from(number)),
            // A separator between the parts of a code.
            Ok(number) if number.is_ascii_control() => {}
            _ => self.is_odd = true,
        }
    }

    /// What is meant by what the field holds, now that the code is over.
    pub fn meaning(mut self, held: &str, keyboard: ScannerKeyboard) -> Meaning {
        self.end_number();
        let (keys, held) = (self.text.trim(), held.trim());
        // What stood there before is of no key that is known.
        let is_all = held.chars().count() <= keys.chars().count();
        let is_other = self.burst.is_code() && !self.is_odd && is_all && !keys.is_empty() && keys != held;
        match keyboard {
            ScannerKeyboard::Us if is_other => Meaning::Keys(keys.to_owned()),
            // Koha does not tell small letters from capitals.
            ScannerKeyboard::Ask
                if is_other && !keys.eq_ignore_ascii_case(held) && keys.chars().all(can_be_scanned) =>
            {
                Meaning::Ask(keys.to_owned())
            }
            _ => Meaning::AsTyped,
        }
    }

    /// Whether a key with Control is kept from the browser: see [`is_of_scanner`].
    pub fn keeps(&self, press: Press<'_>, now: f64) -> bool {
        is_of_scanner(press, self.burst.goes_on(now))
    }
}

/// Whether a key with Control may be a scanner's, which types control characters so: none may reload, close or move the window, or leave the
/// field. What a person edits with stays, unless it comes in the middle of a code; so does what makes the page larger or smaller.
pub fn is_of_scanner(press: Press<'_>, is_in_code: bool) -> bool {
    const EDITS: &str = "acvxyz";
    const ZOOMS: &str = "+-=";
    let mut signs = press.key.chars().flat_map(char::to_lowercase);
    let (Some(sign), None) = (signs.next(), signs.next()) else { return false };
    let is_persons = sign.is_ascii_digit() || ZOOMS.contains(sign) || (EDITS.contains(sign) && !is_in_code);
    press.control && !press.alt && !press.meta && !is_persons
}

/// What Code 39 can hold, which is more than labels have.
fn can_be_scanned(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || "-. $/+%*]".contains(sign)
}

/// What this key types on a US keyboard, whatever Caps Lock says.
fn us_sign(code: &str, shift: bool) -> Option<char> {
    const DIGITS: &[u8; 10] = b")!@#$%^&*(";
    if let Some(letter) = one(code, "Key").filter(u8::is_ascii_uppercase) {
        return Some(char::from(if shift { letter } else { letter.to_ascii_lowercase() }));
    }
    if let Some(digit) = one(code, "Digit").filter(u8::is_ascii_digit) {
        return Some(char::from(if shift { DIGITS[usize::from(digit - b'0')] } else { digit }));
    }
    if let Some(digit) = one(code, "Numpad").filter(u8::is_ascii_digit) {
        return Some(char::from(digit));
    }
    let (plain, shifted) = match code {
        "Space" => (' ', ' '),
        "Minus" => ('-', '_'),
        "Equal" => ('=', '+'),
        "BracketLeft" => ('[', '{'),
        "BracketRight" => (']', '}'),
        "Backslash" => ('\\', '|'),
        "Semicolon" => (';', ':'),
        "Quote" => ('\'', '"'),
        "Backquote" => ('`', '~'),
        "Comma" => (',', '<'),
        "Period" => ('.', '>'),
        "Slash" => ('/', '?'),
        "NumpadDecimal" => ('.', '.'),
        "NumpadAdd" => ('+', '+'),
        "NumpadSubtract" => ('-', '-'),
        "NumpadMultiply" => ('*', '*'),
        "NumpadDivide" => ('/', '/'),
        _ => return None,
    };
    Some(if shift { shifted } else { plain })
}

/// What stands behind this in the name of a key, where that is one sign.
fn one(code: &str, before: &str) -> Option<u8> {
    match code.strip_prefix(before)?.as_bytes() {
        [sign] => Some(*sign),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
