//! Where keys go that come while no field waits for them. A scanner types whatever has the focus; it must neither press a
//! button nor answer a dialog, and no code that it types may vanish without a word.

use crate::desk::{
    keyboard::{self, Press},
    scanner::Burst,
};

/// What has the focus when a key comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyTarget {
    /// A field that takes what is typed, codes too.
    Field,
    /// A list to choose from, or a menu: a letter goes to what begins with it, and Enter takes it.
    Choice,
    /// Anything else in the window: a button, a box to tick, nothing at all.
    Page,
    /// A field in a dialog that is not for codes: a date, a name.
    DialogField,
    /// A field for a passphrase: helpers type into it as fast as scanners.
    Passphrase,
    /// A list to choose from in a dialog.
    DialogChoice,
    /// Anything else in a dialog.
    Dialog,
}

/// A key, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// One that types this.
    Character(char),
    /// Enter or Tab: scanners end a code with it.
    End,
    /// Any other, also those above with Control, Alt or Meta, held down, or in the hands of an input method.
    Other,
}

impl Stroke {
    /// The key that the browser calls so. `is_plain`: without Control, Alt and Meta, not repeated, outside a composition.
    pub fn from_key(name: &str, is_plain: bool) -> Self {
        let mut characters = name.chars();
        match (name, characters.next(), characters.next()) {
            _ if !is_plain => Self::Other,
            ("Enter" | "Tab", ..) => Self::End,
            (_, Some(character), None) => Self::Character(character),
            _ => Self::Other,
        }
    }
}

/// What becomes of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// What always becomes of it.
    Leave,
    /// The scan field gets the focus, and then the key.
    ToField,
    /// Nobody gets it.
    Keep,
    /// Nobody gets it. A scanner was typing into a list: what it chose there is taken back, and what it typed belongs into the
    /// scan field.
    Retype {
        /// What came, this key included.
        text: String,
        /// That is the whole code: this key is the Enter behind it.
        is_ended: bool,
    },
    /// Nobody gets it. A scan has ended in a dialog, and this is the part of it that came there.
    Scanned(String),
}

/// Follows the keys. Times are milliseconds of any one clock.
///
/// ```
/// use koct_core::desk::stray::{KeyTarget, Strays, Stroke, Verdict};
/// let mut strays = Strays::default();
/// let key = |name| Stroke::from_key(name, true);
/// assert_eq!(strays.key(KeyTarget::Page, key("3"), 1_000.0), Verdict::ToField);
/// // A person presses a button; a scanner does not.
/// assert_eq!(strays.key(KeyTarget::Dialog, key("Enter"), 2_000.0), Verdict::Leave);
/// assert_eq!(strays.key(KeyTarget::Dialog, key("A"), 3_000.0), Verdict::Keep);
/// assert_eq!(strays.key(KeyTarget::Dialog, key("1"), 3_005.0), Verdict::Keep);
/// assert_eq!(strays.key(KeyTarget::Dialog, key("Enter"), 3_010.0), Verdict::Scanned("A1".to_owned()));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Strays {
    burst: Burst,
    /// What has come to a place that is not for it.
    text: String,
    /// The code is over: what comes right after it belongs to it still, as the second line end of CR and LF.
    is_over: bool,
    /// What is being typed into the field of a passphrase; kept to its Enter, or until the dialog is closed.
    passphrase: String,
    /// The end of the code that was entered as a passphrase.
    entered: Option<String>,
}

/// Fewer digits can be a number that somebody keeps to themselves, as a PIN.
const DIGITS: usize = 8;
/// This number of them tells whoever has scanned which code it was, and nobody else what it is.
const TOLD: usize = 3;

/// The end of a code, where it cannot be mistaken for a passphrase of words.
fn end_of_code(typed: &str) -> Option<String> {
    let is_code = typed.len() >= DIGITS && typed.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then(|| format!("…{}", &typed[typed.len() - TOLD..]))
}

impl Strays {
    /// Whether a key with Control may be a scanner's, and is kept from the browser, wherever it comes.
    pub fn keeps(&self, press: Press<'_>, now: f64) -> bool {
        keyboard::is_of_scanner(press, self.burst.goes_on(now))
    }

    /// A key came.
    pub fn key(&mut self, place: KeyTarget, stroke: Stroke, now: f64) -> Verdict {
        let goes_on = self.burst.goes_on(now);
        match (place, stroke) {
            (_, Stroke::Other) => Verdict::Leave,
            (KeyTarget::Page, Stroke::Character(character)) if character != ' ' => {
                self.forget();
                Verdict::ToField
            }
            // It presses a button, as Enter does, and opens a list.
            (KeyTarget::Dialog | KeyTarget::Choice | KeyTarget::DialogChoice, Stroke::Character(' ')) if !goes_on => {
                self.forget();
                Verdict::Leave
            }
            (_, Stroke::Character(character)) => self.character(place, character, now),
            (KeyTarget::Choice | KeyTarget::Dialog | KeyTarget::DialogField | KeyTarget::DialogChoice, Stroke::End)
                if goes_on =>
            {
                self.end(place, now)
            }
            (KeyTarget::Passphrase, Stroke::End) if goes_on => {
                self.enter_passphrase(now);
                Verdict::Leave
            }
            (_, Stroke::End) => {
                self.forget();
                Verdict::Leave
            }
        }
    }

    fn character(&mut self, place: KeyTarget, character: char, now: f64) -> Verdict {
        if self.is_over || !self.burst.goes_on(now) {
            self.forget();
        }
        self.burst.key(now);
        match place {
            // A dialog can open under a code that began here: whoever scans has not seen it.
            KeyTarget::Field | KeyTarget::Page => self.text.clear(),
            KeyTarget::Passphrase => self.passphrase.push(character),
            KeyTarget::Choice | KeyTarget::DialogField | KeyTarget::DialogChoice | KeyTarget::Dialog => {
                self.text.push(character);
            }
        }
        match place {
            KeyTarget::Dialog => Verdict::Keep,
            KeyTarget::Choice if self.burst.is_code() => self.retype(false),
            // In the middle of something it is a part of that.
            KeyTarget::Choice | KeyTarget::DialogChoice if character == ' ' => Verdict::Keep,
            KeyTarget::Choice
            | KeyTarget::DialogChoice
            | KeyTarget::DialogField
            | KeyTarget::Passphrase
            | KeyTarget::Field
            | KeyTarget::Page => Verdict::Leave,
        }
    }

    fn retype(&mut self, is_ended: bool) -> Verdict {
        self.burst = Burst::default();
        Verdict::Retype { text: std::mem::take(&mut self.text), is_ended }
    }

    fn end(&mut self, place: KeyTarget, now: f64) -> Verdict {
        // Of a field something is lost by that: of one key it is taken for a person's, as an amount of 5.
        let is_single = place == KeyTarget::DialogField && self.burst.is_single();
        let is_scan = self.burst.is_code() || (!is_single && self.burst.is_ended_by_scanner(now));
        if place == KeyTarget::DialogField && !is_scan && !self.is_over {
            // A person, who is done with the field.
            self.forget();
            return Verdict::Leave;
        }
        if place == KeyTarget::Choice && is_scan && !self.is_over {
            return self.retype(true);
        }
        self.burst.key(now);
        if std::mem::replace(&mut self.is_over, true) || !is_scan {
            return Verdict::Keep;
        }
        Verdict::Scanned(std::mem::take(&mut self.text))
    }

    /// It is tried in any case: only then it is known whether it was one.
    fn enter_passphrase(&mut self, now: f64) {
        let typed = std::mem::take(&mut self.passphrase);
        if !std::mem::replace(&mut self.is_over, true) {
            self.entered = if self.burst.is_code() { end_of_code(&typed) } else { None };
        }
        self.burst.key(now);
    }

    /// What was entered as a passphrase right now is none. Returns the end of the code, if it was one that a scanner typed. The whole is
    /// never told: it may be a passphrase of another desk.
    pub fn not_the_passphrase(&mut self) -> Option<String> {
        self.entered.take()
    }

    /// Whether the key that was told last is the first of something: what its target holds now is what it held before.
    pub fn has_begun(&self, stroke: Stroke) -> bool {
        matches!(stroke, Stroke::Character(_)) && self.text.chars().nth(1).is_none() && !self.text.is_empty()
    }

    /// Whether only silence can tell that what came here was a code, where scanners end theirs with nothing: no field shows it.
    pub fn waits_for_silence(&self, place: KeyTarget) -> bool {
        matches!(place, KeyTarget::Dialog | KeyTarget::DialogChoice) && !self.text.is_empty()
    }

    /// Nothing came for as long as nothing comes after a code, where scanners end theirs with nothing. Returns the code, if
    /// it was one that came to a dialog.
    pub fn silence(&mut self) -> Option<String> {
        let is_code = self.burst.is_code() && !self.text.is_empty();
        is_code.then(|| std::mem::take(self).text)
    }

    /// Nothing of a passphrase stays where its dialog is closed.
    pub fn forget_passphrase(&mut self) {
        self.passphrase.clear();
        self.entered = None;
    }

    /// A person did something else.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Types with the same gap before each key, the last included; `\n` is Enter. Returns what became of each.
    fn type_at(strays: &mut Strays, place: KeyTarget, text: &str, gap: f64, now: &mut f64) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for character in text.chars() {
            *now += gap;
            let stroke = if character == '\n' { Stroke::End } else { Stroke::Character(character) };
            verdicts.push(strays.key(place, stroke, *now));
        }
        verdicts
    }

    fn typed(place: KeyTarget, text: &str, gap: f64) -> Vec<Verdict> {
        type_at(&mut Strays::default(), place, text, gap, &mut 1_000.0)
    }

    const SCANNER: f64 = 5.0;
    const PERSON: f64 = 150.0;

    #[test]
    fn in_a_dialog_a_scan_is_kept_whole_and_told_once() {
        for code in ["39999000000002", "B1", "7", "BC WITH SPACE"] {
            let verdicts = typed(KeyTarget::Dialog, &format!("{code}\n\n"), SCANNER);
            let (ends, keys) = verdicts.split_last_chunk::<2>().map(|(keys, ends)| (ends, keys)).unwrap();
            assert!(keys.iter().all(|verdict| *verdict == Verdict::Keep), "{code}");
            assert_eq!(*ends, [Verdict::Scanned(code.to_owned()), Verdict::Keep], "{code}");
        }
    }

    #[test]
    fn two_scans_in_a_dialog_are_two() {
        let told: Vec<_> = typed(KeyTarget::Dialog, "A1\nB2\n", SCANNER)
            .into_iter()
            .filter(|verdict| matches!(verdict, Verdict::Scanned(_)))
            .collect();
        assert_eq!(told, [Verdict::Scanned("A1".to_owned()), Verdict::Scanned("B2".to_owned())]);
    }

    #[test]
    fn a_person_uses_a_dialog_by_keyboard() {
        assert_eq!(typed(KeyTarget::Dialog, "\n \n", PERSON), [const { Verdict::Leave }; 3]);
        assert_eq!(typed(KeyTarget::Dialog, "k\n", PERSON), [Verdict::Keep, Verdict::Leave], "a stray key, then Enter");
        assert_eq!(
            typed(KeyTarget::Dialog, "k\n", 100.0)[1],
            Verdict::Keep,
            "perhaps a slow scanner: nothing is answered"
        );
        assert!(typed(KeyTarget::DialogField, "2026-12-24\n", PERSON).iter().all(|verdict| *verdict == Verdict::Leave));
        assert!(typed(KeyTarget::DialogField, "+5\n", 60.0).iter().all(|verdict| *verdict == Verdict::Leave));
    }

    #[test]
    fn a_field_of_a_dialog_is_not_sent_by_a_scanner() {
        let verdicts = typed(KeyTarget::DialogField, "39999000000002\n", SCANNER);
        assert!(verdicts[..14].iter().all(|verdict| *verdict == Verdict::Leave));
        assert_eq!(verdicts[14], Verdict::Scanned("39999000000002".to_owned()));
        for code in ["B1", "12", "B12"] {
            let verdicts = typed(KeyTarget::DialogField, &format!("{code}\n\n"), SCANNER);
            assert_eq!(verdicts[code.len()..], [Verdict::Scanned(code.to_owned()), Verdict::Keep], "{code}, CR and LF");
        }
        // One key and Enter prove nothing: a person has typed an amount.
        assert!(typed(KeyTarget::DialogField, "5\n", SCANNER).iter().all(|verdict| *verdict == Verdict::Leave));
    }

    #[test]
    fn outside_of_dialogs_the_first_character_goes_to_the_field() {
        assert_eq!(typed(KeyTarget::Page, "3", SCANNER), [Verdict::ToField]);
        assert_eq!(typed(KeyTarget::Page, "3", PERSON), [Verdict::ToField]);
        assert_eq!(typed(KeyTarget::Page, " \n", PERSON), [const { Verdict::Leave }; 2], "a person presses a button");
    }

    #[test]
    fn a_list_is_chosen_from_by_a_person_and_not_by_a_scanner() {
        assert_eq!(typed(KeyTarget::Choice, "check", PERSON), [const { Verdict::Leave }; 5]);
        let verdicts = typed(KeyTarget::Choice, "3999", SCANNER);
        assert_eq!(verdicts[3], Verdict::Retype { text: "3999".to_owned(), is_ended: false });
    }

    #[test]
    fn a_short_scan_takes_nothing_of_a_list_or_menu_and_goes_to_the_scan_field() {
        for code in ["7", "B1", "B 1", "B12"] {
            let verdicts = typed(KeyTarget::Choice, &format!("{code}\n"), SCANNER);
            assert_eq!(verdicts.last(), Some(&Verdict::Retype { text: code.to_owned(), is_ended: true }), "{code}");
            // A dialog tells of it.
            let verdicts = typed(KeyTarget::DialogChoice, &format!("{code}\n\n"), SCANNER);
            assert_eq!(verdicts[code.len()..], [Verdict::Scanned(code.to_owned()), Verdict::Keep], "{code}");
        }
        assert_eq!(
            typed(KeyTarget::Choice, "B 1", SCANNER)[1],
            Verdict::Keep,
            "a space would press what it has come to"
        );
    }

    #[test]
    fn a_person_takes_from_a_list_or_menu_by_its_letter() {
        for place in [KeyTarget::Choice, KeyTarget::DialogChoice] {
            for keys in ["p\n", "pr\n", " \n", "p ", "\n"] {
                assert!(typed(place, keys, PERSON).iter().all(|verdict| *verdict == Verdict::Leave), "{keys:?}");
            }
            assert_eq!(typed(place, "p\n", 100.0)[1], Verdict::Keep, "perhaps a slow scanner: nothing is taken");
        }
    }

    #[test]
    fn a_dialog_that_opens_under_a_scan_is_not_answered_by_its_end() {
        for part in ["", "2", "0002"] {
            let (mut strays, mut now) = (Strays::default(), 1_000.0);
            type_at(&mut strays, KeyTarget::Field, "3999900", SCANNER, &mut now);
            let verdicts = type_at(&mut strays, KeyTarget::Dialog, &format!("{part}\n"), SCANNER, &mut now);
            assert_eq!(verdicts.last(), Some(&Verdict::Scanned(part.to_owned())));
        }
    }

    #[test]
    fn a_scanner_that_ends_with_nothing_is_told_by_silence() {
        let (mut strays, mut now) = (Strays::default(), 1_000.0);
        type_at(&mut strays, KeyTarget::Dialog, "39999", SCANNER, &mut now);
        assert_eq!(strays.silence().as_deref(), Some("39999"));
        assert_eq!(strays.silence(), None, "once");
        type_at(&mut strays, KeyTarget::Dialog, "399", SCANNER, &mut now);
        assert_eq!(strays.silence(), None, "three keys prove little");
        type_at(&mut strays, KeyTarget::Field, "39999", SCANNER, &mut now);
        assert_eq!(strays.silence(), None, "a field takes it itself");
        for (place, waits) in
            [(KeyTarget::Dialog, true), (KeyTarget::DialogChoice, true), (KeyTarget::DialogField, false)]
        {
            type_at(&mut strays, place, "39999", SCANNER, &mut now);
            assert_eq!(strays.waits_for_silence(place), waits, "{place:?}");
            assert_eq!(strays.silence().as_deref(), Some("39999"), "{place:?}");
            assert!(!strays.waits_for_silence(place), "{place:?}");
        }
    }

    #[test]
    fn a_code_that_was_entered_as_a_passphrase_is_told_by_its_end() {
        let entered = |text: &str, gap: f64| {
            let mut strays = Strays::default();
            let verdicts = type_at(&mut strays, KeyTarget::Passphrase, text, gap, &mut 1_000.0);
            assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Leave), "it is tried: {text:?}");
            (strays.not_the_passphrase(), strays.not_the_passphrase())
        };
        for end in ["\n", "\n\n"] {
            assert_eq!(entered(&format!("39999000000002{end}"), SCANNER), (Some("…002".to_owned()), None), "once");
        }
        // By hand, by a helper, a number that somebody keeps to themselves, and not entered.
        for (text, gap) in [
            ("39999000000002\n", PERSON),
            ("correct horse\n", SCANNER),
            ("correct 39999000000002\n", SCANNER),
            ("271828\n", SCANNER),
            ("39999000000002", SCANNER),
        ] {
            assert_eq!(entered(text, gap), (None, None), "{text:?}");
        }
        // Nothing of it stays where the dialog is closed.
        let mut strays = Strays::default();
        type_at(&mut strays, KeyTarget::Passphrase, "39999000000002\n39999", SCANNER, &mut 1_000.0);
        strays.forget_passphrase();
        assert!(strays.passphrase.is_empty() && strays.not_the_passphrase().is_none());
        // What came before is over with the next key.
        let mut now = 1_000.0;
        let mut strays = Strays::default();
        type_at(&mut strays, KeyTarget::Passphrase, "39999000000002\n", SCANNER, &mut now);
        type_at(&mut strays, KeyTarget::Passphrase, "c\n", PERSON, &mut now);
        assert_eq!(strays.not_the_passphrase(), None);
    }

    #[test]
    fn what_was_there_before_is_known_at_the_first_key() {
        let (mut strays, mut now) = (Strays::default(), 1_000.0);
        for (text, gap, begun) in [("a", PERSON, true), ("b", SCANNER, false), ("c", PERSON, true)] {
            type_at(&mut strays, KeyTarget::DialogField, text, gap, &mut now);
            assert_eq!(strays.has_begun(Stroke::Character('a')), begun, "{text}");
        }
        // Shift, for the next capital, comes when the first character stands in the field.
        strays.key(KeyTarget::DialogField, Stroke::Other, now);
        assert!(!strays.has_begun(Stroke::Other));
    }

    #[test]
    fn keys_with_others_and_of_input_methods_are_left_alone() {
        for (name, is_plain) in [("a", false), ("Enter", false), ("Dead", true), ("Shift", true), ("Process", true)] {
            let stroke = Stroke::from_key(name, is_plain);
            assert_eq!(stroke, Stroke::Other, "{name}");
            assert_eq!(Strays::default().key(KeyTarget::Page, stroke, 0.0), Verdict::Leave);
        }
        assert_eq!(Stroke::from_key("é", true), Stroke::Character('é'));
        // Capitals come with Shift between them.
        let mut strays = Strays::default();
        for (place, name) in ["Shift", "A", "Shift", "B", "Enter"].into_iter().enumerate() {
            let now = 5.0 * f64::from(u32::try_from(place).unwrap());
            let verdict = strays.key(KeyTarget::Dialog, Stroke::from_key(name, true), now);
            if name == "Enter" {
                assert_eq!(verdict, Verdict::Scanned("AB".to_owned()));
            }
        }
    }

    proptest! {
        /// Whatever it holds and whenever it comes, a scan neither answers a dialog nor is lost.
        #[test]
        fn no_scan_answers_a_dialog(
            code in "[!-~][ -~]{0,20}",
            gaps in prop::collection::vec(0.0..44.0_f64, 22),
            start in 0.0..1e9_f64,
            before in "[a-z\n]{0,5}",
        ) {
            let (mut strays, mut now) = (Strays::default(), start);
            type_at(&mut strays, KeyTarget::Dialog, &before, PERSON, &mut now);
            now += PERSON;
            for (character, gap) in code.chars().zip(&gaps) {
                now += gap;
                prop_assert_eq!(strays.key(KeyTarget::Dialog, Stroke::Character(character), now), Verdict::Keep);
            }
            prop_assert_eq!(strays.key(KeyTarget::Dialog, Stroke::End, now + gaps[21]), Verdict::Scanned(code));
        }

        /// However short it is and whenever its keys come, the end of a scan takes nothing of a list or menu, and nothing of the code is
        /// lost.
        #[test]
        fn no_scan_takes_anything_of_a_list(
            code in "[!-~][ -~]{0,20}",
            gaps in prop::collection::vec(0.0..44.0_f64, 22),
            start in 0.0..1e9_f64,
            before in "[a-z\n]{0,5}",
            in_dialog in any::<bool>(),
        ) {
            let place = if in_dialog { KeyTarget::DialogChoice } else { KeyTarget::Choice };
            let (mut strays, mut now) = (Strays::default(), start);
            type_at(&mut strays, place, &before, PERSON, &mut now);
            now += PERSON;
            let (mut place, mut arrived) = (place, String::new());
            let keys = code.chars().map(Stroke::Character).chain([Stroke::End]);
            for (stroke, gap) in keys.zip(&gaps) {
                now += gap;
                let verdict = strays.key(place, stroke, now);
                match (verdict, stroke) {
                    (Verdict::Retype { text, is_ended }, _) => {
                        prop_assert_eq!(is_ended, stroke == Stroke::End);
                        prop_assert!(arrived.is_empty());
                        (place, arrived) = (KeyTarget::Field, text);
                    }
                    (Verdict::Scanned(text), Stroke::End) => arrived = text,
                    (Verdict::Leave, Stroke::Character(character)) if place == KeyTarget::Field => arrived.push(character),
                    (Verdict::Leave, Stroke::End) => prop_assert_eq!(place, KeyTarget::Field),
                    (verdict, Stroke::Character(' ')) => prop_assert_eq!(verdict, Verdict::Keep),
                    (verdict, _) => prop_assert_eq!(verdict, Verdict::Leave),
                }
            }
            prop_assert_eq!(arrived, code);
        }

        /// Nor does it send what a field of a dialog holds, and all of it is told.
        #[test]
        fn no_scan_sends_a_field_of_a_dialog(
            code in "[ -~]{2,20}",
            gaps in prop::collection::vec(0.0..44.0_f64, 22),
            start in 0.0..1e9_f64,
            before in "[a-z\n]{0,5}",
        ) {
            let (mut strays, mut now) = (Strays::default(), start);
            type_at(&mut strays, KeyTarget::DialogField, &before, PERSON, &mut now);
            now += PERSON;
            for (character, gap) in code.chars().zip(&gaps) {
                now += gap;
                prop_assert_eq!(strays.key(KeyTarget::DialogField, Stroke::Character(character), now), Verdict::Leave);
            }
            prop_assert_eq!(strays.key(KeyTarget::DialogField, Stroke::End, now + gaps[21]), Verdict::Scanned(code));
        }

        /// What a person types into a field of a dialog is sent by Enter, if it comes later than a scanner's.
        #[test]
        fn a_person_sends_a_field_of_a_dialog(text in "[ -~]{1,3}", gap in 45.5..2_000.0_f64, first in any::<bool>()) {
            // Two fingers can fall on the first keys together.
            let fast = if first { 5.0 } else { gap };
            let (mut strays, mut now) = (Strays::default(), 1_000.0);
            type_at(&mut strays, KeyTarget::DialogField, &text, fast, &mut now);
            prop_assert_eq!(strays.key(KeyTarget::DialogField, Stroke::End, now + gap), Verdict::Leave);
        }

        /// Whatever is entered as a passphrase, at any speed: no more of it is told than the end of a number.
        #[test]
        fn no_passphrase_is_told(text in "[0-9]{1,20}|[ -~]{1,20}", gap in 0.0..200.0_f64) {
            let mut strays = Strays::default();
            type_at(&mut strays, KeyTarget::Passphrase, &format!("{text}\n"), gap, &mut 1_000.0);
            let is_number = text.len() >= 8 && text.chars().all(|character| character.is_ascii_digit());
            if let Some(told) = strays.not_the_passphrase() {
                prop_assert!(is_number && gap < 120.0, "{text:?}");
                prop_assert_eq!(told, format!("…{}", &text[text.len() - 3..]));
            } else {
                prop_assert!(!is_number || gap > 45.0, "{text:?} after {gap}");
            }
        }

        /// Keys as people type them do what they always did, in every place that is for them.
        #[test]
        fn a_persons_keys_do_what_they_always_did(text in "[ -~\n]{1,30}", gap in 120.0..2_000.0_f64) {
            for place in [
                KeyTarget::Field,
                KeyTarget::Choice,
                KeyTarget::DialogField,
                KeyTarget::Passphrase,
                KeyTarget::DialogChoice,
            ] {
                prop_assert!(typed(place, &text, gap).iter().all(|verdict| *verdict == Verdict::Leave));
            }
            for (character, verdict) in text.chars().zip(typed(KeyTarget::Dialog, &text, gap)) {
                let presses = matches!(character, ' ' | '\n');
                prop_assert_eq!(verdict, if presses { Verdict::Leave } else { Verdict::Keep });
            }
        }
    }

    #[test]
    fn control_characters_of_a_scanner_do_nothing_wherever_they_come() {
        let mut strays = Strays::default();
        let press = |key| Press { key, control: true, ..Press::default() };
        assert!(strays.keeps(press("r"), 0.0) && !strays.keeps(press("v"), 0.0));
        strays.key(KeyTarget::Dialog, Stroke::Character('3'), 1_000.0);
        assert!(strays.keeps(press("v"), 1_004.0), "in the middle of a code");
        assert!(!strays.keeps(press("v"), 2_000.0) && !strays.keeps(Press { key: "r", ..Press::default() }, 1_004.0));
    }
}
