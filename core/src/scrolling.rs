//! Which rows of a long list are seen, and where they stand: only those are drawn.
//!
//! A page can only be so high. A longer list is made that high, and each pixel of the scroll bar stands for more than one of
//! rows: the first row is at its beginning, the last at its end, and what is seen in between lies side by side as always.

use std::ops::Range;

/// Rows drawn above and below what is seen, so that scrolling by a line shows no gap.
const OVERSCAN: usize = 8;

/// A list as it is scrolled. All measures are in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scrolling {
    /// How many rows it has.
    pub rows: usize,
    /// How high each is.
    pub row_height: f64,
    /// How much of the rows is seen at once.
    pub seen: f64,
    /// How far the page is scrolled.
    pub top: f64,
    /// How high the page can be.
    pub tallest: f64,
}

/// What is to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// The places of the rows, counted from the top.
    pub rows: Range<usize>,
    /// The height of the space above them.
    pub above: f64,
    /// The height of the space below them.
    pub below: f64,
}

#[expect(clippy::cast_precision_loss, reason = "a log has far fewer rows than 2^52")]
fn float(number: usize) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a log has far fewer rows than 2^52")]
fn whole(number: f64) -> usize {
    number.max(0.0) as usize
}

impl Scrolling {
    /// How high all rows are together.
    fn all(&self) -> f64 {
        float(self.rows) * self.row_height
    }

    /// How high the page is.
    fn page(&self) -> f64 {
        self.all().min(self.tallest)
    }

    /// How many pixels of rows a pixel of the page stands for; 1 where all rows have room.
    pub fn scale(&self) -> f64 {
        let range = self.page() - self.seen;
        if self.all() > self.tallest && range > 0.0 { (self.all() - self.seen) / range } else { 1.0 }
    }

    /// How far the page is scrolled to bring this many pixels of rows further.
    pub fn by(&self, pixels: f64) -> f64 {
        pixels / self.scale()
    }

    /// Which row is the topmost that is seen, counted from the top.
    pub fn first_seen(&self) -> usize {
        whole(self.rows_top() / self.row_height).min(self.rows.saturating_sub(1))
    }

    /// How far the rows are scrolled.
    fn rows_top(&self) -> f64 {
        self.top.clamp(0.0, self.end()) * self.scale()
    }

    /// How far the page can be scrolled.
    fn end(&self) -> f64 {
        (self.page() - self.seen).max(0.0)
    }

    /// How far the page must be scrolled on so that what is seen stays where it is, after the list has this number of rows, and the
    /// topmost that was seen is in place `to` instead of `from`. Who is at an end stays there.
    pub fn on_after(&self, rows: usize, from: usize, to: usize) -> f64 {
        let after = Self { rows, ..*self };
        let top = self.top.min(self.end());
        if top <= 0.0 {
            return 0.0;
        }
        if top >= self.end() - 1.0 {
            return after.end() - top;
        }
        (self.rows_top() + (float(to) - float(from)) * self.row_height).max(0.0) / after.scale() - top
    }

    /// What is to be drawn.
    pub fn drawn(&self) -> Drawn {
        let rows_top = self.rows_top();
        // How far the rows are from where they would be if the page had room for all: what is seen stands where it is seen.
        let off = rows_top - self.top.clamp(0.0, self.end());
        let first = whole(rows_top / self.row_height);
        let end = (whole((rows_top + self.seen) / self.row_height) + 1).min(self.rows);
        // No row stands above the page's beginning or below its end, unless it is seen.
        let start = first.saturating_sub(OVERSCAN).max(whole((off / self.row_height).ceil())).min(first).min(end);
        let room = whole((off + self.page()) / self.row_height);
        let end = (end + 2 * OVERSCAN - (first.min(end) - start)).min(self.rows).min(room).max(end);
        let drawn = float(end - start) * self.row_height;
        let room_above = (self.page() - drawn).max(0.0);
        let above = (float(start) * self.row_height - off).clamp(0.0, room_above);
        let below = room_above - above;
        Drawn { rows: start..end, above, below }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TALLEST: f64 = 8_000_000.0;

    fn scrolled(rows: usize, top: f64) -> Scrolling {
        Scrolling { rows, row_height: 32.0, seen: 400.0, top, tallest: TALLEST }
    }

    /// Where the top of this row is seen, counted from the top of what is seen.
    fn place(scrolling: &Scrolling, drawn: &Drawn, row: usize) -> f64 {
        drawn.above + float(row - drawn.rows.start) * scrolling.row_height - scrolling.top
    }

    /// The rows that are seen, at least in part.
    fn seen(scrolling: &Scrolling) -> Vec<usize> {
        let drawn = scrolling.drawn();
        drawn
            .rows
            .clone()
            .filter(|row| {
                let top = place(scrolling, &drawn, *row);
                top + scrolling.row_height > 0.01 && top < scrolling.seen - 0.01
            })
            .collect()
    }

    #[test]
    fn a_short_list_is_drawn_as_far_as_it_goes() {
        assert_eq!(scrolled(0, 0.0).drawn(), Drawn { rows: 0..0, above: 0.0, below: 0.0 });
        assert_eq!(scrolled(0, 900.0).drawn(), Drawn { rows: 0..0, above: 0.0, below: 0.0 });
        assert_eq!(scrolled(100, 0.0).drawn().rows, 0..29, "as many as anywhere");
        assert_eq!(scrolled(3, 0.0).drawn(), Drawn { rows: 0..3, above: 0.0, below: 0.0 });
    }

    #[test]
    fn what_has_room_is_not_scaled() {
        let drawn = scrolled(1_000, 3_200.0).drawn();
        assert_eq!(drawn, Drawn { rows: 92..121, above: 92.0 * 32.0, below: 32_000.0 - 121.0 * 32.0 });
        assert!((scrolled(1_000, 0.0).by(32.0) - 32.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_ends_of_a_million_rows_are_reached() {
        let last = Scrolling { top: TALLEST - 400.0, ..scrolled(1_000_000, 0.0) };
        assert_eq!(seen(&scrolled(1_000_000, 0.0)), (0..13).collect::<Vec<_>>());
        assert_eq!(seen(&last), (999_987..1_000_000).collect::<Vec<_>>());
        let drawn = last.drawn();
        assert!((place(&last, &drawn, 999_999) + 32.0 - 400.0).abs() < 0.01, "the last ends where the list ends");
    }

    proptest! {
        #[test]
        fn what_is_seen_is_full_of_rows_side_by_side(
            rows in 1..5_000_000_usize,
            row_height in 20.0..90.0_f64,
            height in 50.0..2_000.0_f64,
            part in 0.0..=1.0_f64,
        ) {
            let at = |part: f64| {
                let list = Scrolling { rows, row_height, seen: height, top: 0.0, tallest: TALLEST };
                // A browser scrolls by whole pixels of the screen.
                Scrolling { top: (list.end() * part).floor(), ..list }
            };
            let list = at(part);
            let drawn = list.drawn();
            let (page, height_drawn) = (list.page(), float(drawn.rows.len()) * row_height);
            prop_assert!((drawn.above + height_drawn + drawn.below - page).abs() < 0.1, "the page stays as high");
            prop_assert!(place(&list, &drawn, drawn.rows.start) < 0.1, "no gap above");
            let covered = drawn.above + height_drawn - list.top;
            prop_assert!(covered > height.min(list.all()) - 0.1, "no gap below: {covered}");
            prop_assert!(drawn.rows.end <= rows);
            let (first, last) = (seen(&at(0.0)), seen(&Scrolling { top: list.end(), ..list }));
            prop_assert_eq!(first.first(), Some(&0));
            prop_assert_eq!(last.last(), Some(&(rows - 1)));
        }

        #[test]
        fn more_above_and_below_move_nothing(
            rows in 100..3_000_000_usize,
            part in 0.0..=1.0_f64,
            more_above in 0..40_usize,
            more_below in 0..40_usize,
        ) {
            let list = scrolled(rows, 0.0);
            let list = Scrolling { top: list.end() * part, ..list };
            let first = list.first_seen();
            let drawn = list.drawn();
            prop_assert!(drawn.rows.contains(&first));
            // Perhaps only a hair of it.
            let top = place(&list, &drawn, first);
            prop_assert!(top < 0.01 && top + list.row_height > -0.01, "{top}");
            let rows = rows + more_above + more_below;
            let more = Scrolling { rows, top: list.top + list.on_after(rows, first, first + more_above), ..list };
            prop_assert!(more.top <= more.end() + 0.01);
            let moved = more.rows_top() - list.rows_top() - float(more_above) * 32.0;
            if list.top <= 0.0 {
                prop_assert!(more.top.abs() < 0.01, "at the top it stays at the top");
            } else if list.top >= list.end() - 1.0 {
                prop_assert!(more.end() - more.top < 0.01, "the last row is still seen");
            } else {
                prop_assert!(moved.abs() < 0.01, "{moved}");
            }
        }

        #[test]
        fn scrolling_page_by_page_skips_no_row(rows in 450_000..3_000_000_usize, height in 100.0..900.0_f64, part in 0.0..=1.0_f64) {
            let list = Scrolling { rows, row_height: 32.0, seen: height, top: 0.0, tallest: TALLEST };
            let list = Scrolling { top: (list.end() * part).floor(), ..list };
            let next = Scrolling { top: (list.top + list.by(height - 32.0)).floor().min(list.end()), ..list };
            let (here, there) = (seen(&list), seen(&next));
            prop_assert!(there[0] <= here[here.len() - 1] + 1, "{:?} {:?}", here.last(), there[0]);
            prop_assert!(next.top >= list.top);
        }
    }
}
