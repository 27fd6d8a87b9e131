//! What keys do to a line of text, where no browser does it: keys that came before the window was ready.

/// A line of text, and what is selected of it. Places are counted in UTF-16 units, as browsers count them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    units: Vec<u16>,
    /// Where the selection began.
    anchor: usize,
    /// Where it ends, and the caret is.
    caret: usize,
}

impl Line {
    /// This text, selected from the anchor to the caret. A place behind the text is its end.
    pub fn new(text: &str, anchor: usize, caret: usize) -> Self {
        let units: Vec<u16> = text.encode_utf16().collect();
        let end = units.len();
        Self { units, anchor: anchor.min(end), caret: caret.min(end) }
    }

    /// The text.
    pub fn text(&self) -> String {
        String::from_utf16_lossy(&self.units)
    }

    /// Where the selection began.
    pub fn anchor(&self) -> usize {
        self.anchor
    }

    /// Where the selection ends.
    pub fn caret(&self) -> usize {
        self.caret
    }

    /// The key that the browser calls so is pressed. Returns whether the text is another.
    pub fn press(&mut self, key: &str, with_shift: bool) -> bool {
        let (start, end) = (self.anchor.min(self.caret), self.anchor.max(self.caret));
        let is_selected = start < end;
        match key {
            "Backspace" | "Delete" if is_selected => self.replace(start, end, ""),
            "Backspace" => self.replace(self.before(start), start, ""),
            "Delete" => self.replace(start, self.behind(start), ""),
            // Without Shift, a selection is left at its end.
            "ArrowLeft" if is_selected && !with_shift => self.go(start, false),
            "ArrowLeft" => self.go(self.before(self.caret), with_shift),
            "ArrowRight" if is_selected && !with_shift => self.go(end, false),
            "ArrowRight" => self.go(self.behind(self.caret), with_shift),
            "Home" => self.go(0, with_shift),
            "End" => self.go(self.units.len(), with_shift),
            _ if key.chars().count() == 1 => self.replace(start, end, key),
            _ => false,
        }
    }

    fn replace(&mut self, start: usize, end: usize, text: &str) -> bool {
        let new: Vec<u16> = text.encode_utf16().collect();
        let is_changed = self.units.get(start..end).is_some_and(|old| old != new);
        self.anchor = start + new.len();
        self.caret = self.anchor;
        self.units.splice(start..end, new);
        is_changed
    }

    fn go(&mut self, to: usize, is_selecting: bool) -> bool {
        self.caret = to;
        if !is_selecting {
            self.anchor = to;
        }
        false
    }

    /// The place before the character that ends here.
    fn before(&self, place: usize) -> usize {
        let is_pair = place >= 2 && self.is_pair(place - 2);
        place.saturating_sub(if is_pair { 2 } else { 1 })
    }

    /// The place behind the character that begins here.
    fn behind(&self, place: usize) -> usize {
        (place + if self.is_pair(place) { 2 } else { 1 }).min(self.units.len())
    }

    /// Whether two units from here are one character.
    fn is_pair(&self, place: usize) -> bool {
        self.units.get(place..place + 2).is_some_and(|pair| char::decode_utf16(pair.iter().copied()).count() == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Types into an empty line. A key that begins with `+` is pressed with Shift.
    fn typed(keys: &[&str]) -> Line {
        let mut line = Line::new("", 0, 0);
        for key in keys {
            let plain = key.strip_prefix('+').unwrap_or(key);
            line.press(plain, plain != *key);
        }
        line
    }

    #[test]
    fn keys_edit() {
        let cases: [(&[&str], &str); 9] = [
            (&["P", "1", "2", "Backspace", "3"], "P13"),
            (&["Backspace", "P", "Delete"], "P"),
            (&["1", "Home", "P", "End", "2"], "P12"),
            (&["P", "2", "ArrowLeft", "1"], "P12"),
            (&["P", "1", "Home", "ArrowRight", "Delete"], "P"),
            (&["P", "1", "+Home", "Q"], "Q"),
            (&["P", "1", "+ArrowLeft", "+ArrowLeft", "ArrowRight", "2"], "P12"),
            (&["P", "1", "2", "Home", "+End", "ArrowLeft", "Q"], "QP12"),
            (&["P", "F8", "Escape", "1"], "P1"),
        ];
        for (keys, text) in cases {
            assert_eq!(typed(keys).text(), text, "{keys:?}");
        }
    }

    #[test]
    fn what_is_selected_is_typed_over() {
        let mut line = Line::new("P1", 0, 2);
        assert!(line.press("Q", false));
        assert_eq!(line, Line::new("Q", 1, 1));
        assert!(!line.press("Delete", false), "nothing is there");
    }

    proptest! {
        /// Whatever is pressed, no character is taken apart, and the places are in the text.
        #[test]
        fn characters_stay_whole(keys in prop::collection::vec(prop::sample::select(vec![
            "a", "ß", "😀", "Backspace", "Delete", "ArrowLeft", "ArrowRight", "Home", "End", "+ArrowLeft", "+ArrowRight",
        ]), 0..40)) {
            let line = typed(&keys);
            let is_whole = !line.text().contains(char::REPLACEMENT_CHARACTER);
            prop_assert!(is_whole);
            prop_assert!(line.anchor().max(line.caret()) <= line.text().encode_utf16().count());
        }
    }
}
