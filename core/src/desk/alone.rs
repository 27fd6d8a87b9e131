//! Alt that is pressed and let go with nothing between opens the menu, as in other programs. Many a scanner holds Alt while it types
//! the number of a character, people hold it to go to another window, and `AltGr` is another key.

use crate::desk::scanner::Burst;

/// Follows the keys. Times are milliseconds of any one clock.
///
/// ```
/// use koct_core::desk::alone::Alone;
/// let mut alt = Alone::default();
/// alt.down(true, 1_000.0);
/// assert!(alt.up(true));
/// alt.down(true, 2_000.0);
/// alt.down(false, 2_050.0);
/// assert!(!alt.up(true));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Alone {
    is_down: bool,
    others: Burst,
}

impl Alone {
    /// A key went down. `is_alt`: it is Alt, and neither Control nor Shift nor Meta is held with it.
    pub fn down(&mut self, is_alt: bool, now: f64) {
        if is_alt {
            // Right after another key it is a scanner's, or of a chord.
            self.is_down = self.is_down || !self.others.goes_on(now);
        } else {
            self.others.key(now);
            self.is_down = false;
        }
    }

    /// A key was let go. Returns whether it was Alt, alone.
    pub fn up(&mut self, is_alt: bool) -> bool {
        is_alt && std::mem::take(&mut self.is_down)
    }

    /// The mouse was used, or the window left: Alt was held for that.
    pub fn disturb(&mut self) {
        self.is_down = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn held_down_it_is_alone_still() {
        let mut alt = Alone::default();
        for repeat in 0..20 {
            alt.down(true, 1_000.0 + 33.0 * f64::from(repeat));
        }
        assert!(alt.up(true));
        assert!(!alt.up(true), "once");
    }

    #[test]
    fn with_another_key_with_the_mouse_and_for_another_window_it_is_not() {
        let mut alt = Alone::default();
        alt.down(true, 1_000.0);
        alt.down(false, 1_200.0);
        assert!(!alt.up(false), "Alt and Left");
        assert!(!alt.up(true));
        alt.down(true, 3_000.0);
        alt.disturb();
        assert!(!alt.up(true), "Alt and Tab");
        alt.down(false, 5_000.0);
        alt.down(true, 5_001.0);
        assert!(!alt.up(true), "AltGr, as Control and Alt");
    }

    proptest! {
        /// However a scanner holds Alt, its codes open no menu.
        #[test]
        fn no_scan_opens_the_menu(
            keys in prop::collection::vec((any::<bool>(), 0.0..44.0_f64), 1..60),
            start in 0.0..1e9_f64,
        ) {
            let (mut alt, mut now) = (Alone::default(), start);
            alt.down(false, now);
            for (is_alt, gap) in keys {
                now += gap;
                alt.down(is_alt, now);
                if !is_alt {
                    prop_assert!(!alt.up(true));
                }
            }
        }
    }
}
