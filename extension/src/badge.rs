//! The number on the toolbar button: how many transactions Koha does not have yet.

use crate::webext::{self, object};
use koct_core::log::Counts;

/// The accent of the pages in their light form; white on it can be read in every theme of the toolbar.
const BACKGROUND: &str = "#2f6b22";
const TEXT: &str = "#ffffff";
/// A badge has room for about four characters.
pub(crate) const MOST: u32 = 999;

/// Shows the number, and nothing where it is zero.
pub(crate) fn show(counts: Counts) {
    let number = match counts.uncommitted() {
        0 => String::new(),
        number @ 1..=MOST => number.to_string(),
        _ => format!("{MOST}+"),
    };
    // A badge that cannot be drawn is no reason to stop anything.
    let _ = webext::set_badge_text(&object([("text", number.into())]));
    let _ = webext::set_badge_background_color(&object([("color", BACKGROUND.into())]));
    let _ = webext::set_badge_text_color(&object([("color", TEXT.into())]));
}
