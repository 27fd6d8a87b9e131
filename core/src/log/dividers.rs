//! Where the rows of a table stand that has a divider above some of them.
//!
//! Rows are counted from the bottom, so that one more on top moves none. Lines are rows and dividers together, counted from the
//! top, as a page draws them.

/// The rows that have a divider above them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dividers {
    /// Rising.
    below: Vec<usize>,
}

/// What stands in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The divider above this row.
    Divider(usize),
    /// This row.
    Row(usize),
}

impl Dividers {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.below.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.below.is_empty()
    }

    /// Whether this row is to have a divider above it.
    pub fn set(&mut self, row: usize, has_divider: bool) {
        match (self.below.binary_search(&row), has_divider) {
            (Err(place), true) => self.below.insert(place, row),
            (Ok(place), false) => {
                self.below.remove(place);
            }
            _ => {}
        }
    }

    /// A row came to this place: it has no divider yet, those of the rows above go with them.
    pub fn make_room(&mut self, row: usize) {
        let first = self.below.partition_point(|below| *below < row);
        self.below[first..].iter_mut().for_each(|below| *below += 1);
    }

    /// The line in which this row stands, of this number of rows.
    pub fn line_of(&self, row: usize, rows: usize) -> usize {
        let above = self.below.len() - self.below.partition_point(|below| *below < row);
        rows.saturating_sub(row + 1) + above
    }

    /// What stands in this line of a table with this number of rows, if it has as many lines.
    pub fn at(&self, line: usize, rows: usize) -> Option<Standing> {
        // How many dividers stand in this line or above it, by halves: their lines rise from the last to the first.
        let (mut above, mut end) = (0, self.below.len());
        while above < end {
            let middle = above.midpoint(end);
            if self.divider(middle, rows)?.1 <= line { above = middle + 1 } else { end = middle }
        }
        let last = above.checked_sub(1).and_then(|last| self.divider(last, rows));
        if let Some((row, at)) = last
            && at == line
        {
            return Some(Standing::Divider(row));
        }
        rows.checked_sub(1 + line - above).map(Standing::Row)
    }

    /// The row under this divider, counted from the top, and the line of the divider.
    fn divider(&self, number: usize, rows: usize) -> Option<(usize, usize)> {
        let row = *self.below.get(self.below.len().checked_sub(number + 1)?)?;
        Some((row, rows.checked_sub(row + 1)? + number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_row_that_comes_on_top_moves_no_divider() {
        use Standing::{Divider, Row};
        let mut dividers = Dividers::default();
        dividers.set(1, true);
        let at = |dividers: &Dividers, rows| (0..=rows + 1).map(|line| dividers.at(line, rows)).collect::<Vec<_>>();
        assert_eq!(at(&dividers, 3), [Some(Row(2)), Some(Divider(1)), Some(Row(1)), Some(Row(0)), None]);
        dividers.make_room(3);
        assert_eq!(at(&dividers, 4)[1..], [Some(Row(2)), Some(Divider(1)), Some(Row(1)), Some(Row(0)), None]);
        // What comes between them does.
        dividers.make_room(1);
        assert_eq!(dividers.at(2, 5), Some(Divider(2)));
    }

    proptest! {
        #[test]
        fn each_row_stands_once_and_under_its_divider(has_divider in prop::collection::vec(any::<bool>(), 0..60)) {
            let rows = has_divider.len();
            let mut dividers = Dividers::default();
            for (row, has_divider) in has_divider.iter().enumerate() {
                dividers.set(row, *has_divider);
                dividers.set(row, *has_divider);
            }
            let expected: Vec<Standing> = (0..rows)
                .rev()
                .flat_map(|row| [Standing::Divider(row), Standing::Row(row)].into_iter().skip(usize::from(!has_divider[row])))
                .collect();
            let lines = rows + dividers.len();
            let found: Vec<Standing> = (0..lines).filter_map(|line| dividers.at(line, rows)).collect();
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(dividers.at(lines, rows), None);
            for row in 0..rows {
                prop_assert_eq!(found[dividers.line_of(row, rows)], Standing::Row(row));
            }
        }

        #[test]
        fn dividers_go_with_their_rows(has_divider in prop::collection::vec(any::<bool>(), 0..40), at in 0..41_usize) {
            let of = |has_divider: &[bool]| {
                let mut dividers = Dividers::default();
                has_divider.iter().enumerate().for_each(|(row, has_divider)| dividers.set(row, *has_divider));
                dividers
            };
            let mut dividers = of(&has_divider);
            let mut more = has_divider;
            let at = at.min(more.len());
            more.insert(at, false);
            dividers.make_room(at);
            prop_assert_eq!(dividers, of(&more));
        }
    }
}
