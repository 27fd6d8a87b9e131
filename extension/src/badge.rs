//! The number on the toolbar button: how many transactions Koha does not have yet; and where none is to be sent, how much is left
//! to do, in its colour.

use crate::{
    ground,
    webext::{self, object},
};
use koct_core::log::{Counts, warned::Grade};
use std::cell::{Cell, RefCell};

/// The accent of the pages in their light form; white on it can be read in every theme of the toolbar.
const BACKGROUND: &str = "#2f6b22";
const TEXT: &str = "#ffffff";
/// While Koha does not answer: amber, as the window has it; and what stands there when nothing waits.
const OUTAGE: &str = "#8a5200";
const OUTAGE_SIGN: &str = "!";
/// A badge has room for about four characters.
pub(crate) const MOST: u32 = 999;

/// Where it is remembered how much is left to do, for when no window is open.
const LEFT: &str = "koct-left";

/// Shows the number, and nothing where it is zero.
pub(crate) fn show(counts: Counts) {
    draw(counts.uncommitted(), BACKGROUND);
}

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

fn draw(number: u32, background: &str) {
    let is_out = IS_OUT.get();
    let (number, background) = match (is_out, background) {
        (false, other) => (number, other),
        (true, BACKGROUND) => (number, OUTAGE),
        // What is left to do can wait until Koha is back.
        (true, _) => (0, OUTAGE),
    };
    let number = match number {
        0 if is_out => OUTAGE_SIGN.to_owned(),
        0 => String::new(),
        number @ 1..=MOST => number.to_string(),
        _ => format!("{MOST}+"),
    };
    // It is the desk's.
    if ground::is_practice() {
        return;
    }
    // A badge that cannot be drawn is no reason to stop anything.
    let _ = webext::set_badge_text(&object([("text", number.into())]));
    let _ = webext::set_badge_background_color(&object([("color", background.into())]));
    let _ = webext::set_badge_text_color(&object([("color", TEXT.into())]));
}

/// As the pages have the grades in their light form.
fn colour(grade: &str) -> &'static str {
    match grade {
        "stop" => "#b3201a",
        "careful" => "#7a4b00",
        "do" => "#1d4f91",
        _ => "#4d584a",
    }
}

fn show_left_of(counts: Counts, number: u32, grade: &str) {
    if counts.waiting() == 0 && number > 0 {
        draw(number, colour(grade));
    } else {
        show(counts);
    }
}

/// Shows it where this much is left to do, the gravest of this grade, and nothing waits, which is drawn already; and remembers it.
pub(crate) fn show_left(counts: Counts, number: usize, grade: Option<Grade>) {
    let (number, grade) = (u32::try_from(number).unwrap_or(u32::MAX), grade.map_or("", Grade::name));
    if counts.waiting() == 0 {
        show_left_of(counts, number, grade);
    }
    let left = format!("{number} {grade}");
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
    let (number, grade) = left.split_once(' ').unwrap_or_default();
    show_left_of(counts, number.parse().unwrap_or_default(), grade);
}
