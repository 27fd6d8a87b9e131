//! The number on the toolbar button, as core's `badge` says, in its colour.

use crate::{
    ground,
    webext::{self, object},
};
use koct_core::log::{
    Counts,
    badge::{Badge, Left, Tone},
    warned::Grade,
};
use std::cell::{Cell, RefCell};

const TEXT: &str = "#ffffff";

/// Where it is remembered how much is left to do, for when no window is open.
const LEFT: &str = "koct-left";

thread_local! {
    /// What this window has remembered last.
    static REMEMBERED: RefCell<String> = RefCell::default();
    /// Whether Koha does not answer.
    static IS_OUT: Cell<bool> = Cell::default();
}

/// From now on it says whether Koha does not answer. Draws nothing by itself.
pub(crate) fn set_outage(is_out: bool) {
    IS_OUT.set(is_out);
}

/// Shows the number, and nothing where it is zero.
pub(crate) fn show(counts: Counts) {
    draw(counts, Left::default());
}

fn draw(counts: Counts, left: Left) {
    let badge = Badge::new(&counts, left, IS_OUT.get());
    // It is the desk's.
    if ground::is_practice() {
        return;
    }
    // A badge that cannot be drawn is no reason to stop anything.
    let _ = webext::set_badge_text(&object([("text", badge.text.into())]));
    let _ = webext::set_badge_background_color(&object([("color", colour(badge.tone).into())]));
    let _ = webext::set_badge_text_color(&object([("color", TEXT.into())]));
}

/// As the pages have them in their light form; white on them can be read in every theme of the toolbar.
fn colour(tone: Tone) -> &'static str {
    match tone {
        Tone::Waiting => "#2f6b22",
        Tone::Outage => "#8a5200",
        Tone::Left(Some(Grade::Stop)) => "#b3201a",
        Tone::Left(Some(Grade::Careful)) => "#7a4b00",
        Tone::Left(Some(Grade::Do)) => "#1d4f91",
        Tone::Left(Some(Grade::Note) | None) => "#4d584a",
    }
}

/// Shows it where this much is left to do, the gravest of this grade, and nothing waits, which is drawn already; and remembers it.
pub(crate) fn show_left(counts: Counts, number: usize, grade: Option<Grade>) {
    let left = Left { number: u32::try_from(number).unwrap_or(u32::MAX), grade };
    if counts.waiting() == 0 {
        draw(counts, left);
    }
    let left = left.text();
    // Each scan comes by here, and what is written goes to the disk.
    if REMEMBERED.with_borrow(|remembered| *remembered == left) {
        return;
    }
    if let Some(storage) = ground::local_storage() {
        let _ = storage.set_item(LEFT, &left);
        REMEMBERED.set(left);
    }
}

/// Shows it with what was left to do when a window was open last.
pub(crate) fn show_remembered(counts: Counts) {
    let left = ground::local_storage().and_then(|storage| storage.get_item(LEFT).ok().flatten()).unwrap_or_default();
    draw(counts, Left::from_text(&left));
}
