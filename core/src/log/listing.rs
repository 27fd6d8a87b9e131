//! Which entries a table shows, while the log goes on, and between which of them another day begins.

use crate::{
    desk::transaction::TransactionId,
    log::{
        Entry,
        dividers::{Dividers, Standing},
    },
};
use chrono::NaiveDate;
use std::collections::HashMap;

/// The numbers of the entries that a table shows, in rising order while it shows the whole log. The last is on top.
///
/// A long log is read only where it is seen, so the days of most entries are not known. A divider stands above an entry where its
/// day and that of the entry above it are known and are not the same, and above the first where it is not of today.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    ids: Vec<TransactionId>,
    /// While the log is read anew, what was recorded meanwhile: it may have been read before.
    since: Option<Vec<TransactionId>>,
    /// Where each entry stands in `ids`, where those do not rise.
    rows: Option<HashMap<TransactionId, usize>>,
    /// The days of all that was read so far, shown or not, by the clocks of their desks.
    days: HashMap<TransactionId, NaiveDate>,
    today: Option<NaiveDate>,
    dividers: Dividers,
}

/// What stands in a line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// The next entries are of this day.
    Day(NaiveDate),
    /// An entry.
    Entry(TransactionId),
}

impl Listing {
    /// The numbers that are shown.
    pub fn ids(&self) -> &[TransactionId] {
        &self.ids
    }

    /// How many lines there are, with those of the days.
    pub fn lines(&self) -> usize {
        self.ids.len() + self.dividers.len()
    }

    /// What stands in this line, counted from the top.
    pub fn at(&self, line: usize) -> Option<Line> {
        match self.dividers.at(line, self.ids.len())? {
            Standing::Divider(row) => self.days.get(self.ids.get(row)?).copied().map(Line::Day),
            Standing::Row(row) => self.ids.get(row).copied().map(Line::Entry),
        }
    }

    /// The entry in this line, or that under the day in it; with its own line.
    pub fn entry_from(&self, line: usize) -> Option<(TransactionId, usize)> {
        let entry = |line| if let Line::Entry(id) = self.at(line)? { Some((id, line)) } else { None };
        entry(line).or_else(|| entry(line + 1))
    }

    /// The line of this entry.
    pub fn line_of(&self, id: TransactionId) -> Option<usize> {
        Some(self.dividers.line_of(self.row(id)?, self.ids.len()))
    }

    /// It is this day now. Returns whether it was another.
    pub fn begin_day(&mut self, today: NaiveDate) -> bool {
        let is_other = self.today.replace(today) != Some(today);
        if is_other && let Some(top) = self.ids.len().checked_sub(1) {
            self.divide(top);
        }
        is_other
    }

    /// Of which days these are, read or recorded.
    pub fn learn(&mut self, entries: &[Entry]) {
        for entry in entries {
            let day = entry.transaction.moment.local().date();
            if self.days.insert(entry.id, day) == Some(day) {
                continue;
            }
            if let Some(row) = self.row(entry.id) {
                self.divide_around(row);
            }
        }
    }

    /// The whole log is being read, to be shown by [`Listing::show_log`].
    pub fn begin_reading(&mut self) {
        self.since = Some(Vec::new());
    }

    /// Shows the whole log as it was read, and what was recorded meanwhile.
    pub fn show_log(&mut self, ids: Vec<TransactionId>) {
        let since = self.since.take();
        self.show(ids);
        for id in since.unwrap_or_default() {
            self.insert(id);
        }
    }

    /// Shows these, whatever is in the log besides.
    pub fn show(&mut self, ids: Vec<TransactionId>) {
        self.ids = ids;
        self.since = None;
        self.divide_all();
    }

    /// Shows this one too, where the whole log is shown. Returns whether it is new.
    pub fn insert(&mut self, id: TransactionId) -> bool {
        self.since.iter_mut().for_each(|since| since.push(id));
        if self.row(id).is_some() {
            return false;
        }
        let place = if let Some(rows) = &mut self.rows {
            rows.insert(id, self.ids.len());
            self.ids.len()
        } else {
            // Another window's entries may have come in between.
            self.ids.partition_point(|shown| *shown < id)
        };
        self.ids.insert(place, id);
        self.dividers.make_room(place);
        self.divide_around(place);
        true
    }

    /// Keeps those of which this is true.
    pub fn retain(&mut self, is_kept: impl Fn(TransactionId) -> bool) {
        self.ids.retain(|id| is_kept(*id));
        self.divide_all();
    }

    /// Where this entry stands, counted from the bottom.
    fn row(&self, id: TransactionId) -> Option<usize> {
        self.rows.as_ref().map_or_else(|| self.ids.binary_search(&id).ok(), |rows| rows.get(&id).copied())
    }

    /// Divides anew. Of a long log, only what was read is looked at.
    fn divide_all(&mut self) {
        self.dividers = Dividers::default();
        self.rows = None;
        let rows: Vec<usize> = if self.ids.is_sorted() {
            self.days.keys().filter_map(|id| self.row(*id)).collect()
        } else {
            self.rows = Some(self.ids.iter().copied().zip(0..).collect());
            (0..self.ids.len()).collect()
        };
        for row in rows {
            self.divide(row);
        }
    }

    /// Divides anew at this row, and at the one below it, which is seen beside it.
    fn divide_around(&mut self, row: usize) {
        self.divide(row);
        if let Some(below) = row.checked_sub(1) {
            self.divide(below);
        }
    }

    fn divide(&mut self, row: usize) {
        let day = |row: usize| self.ids.get(row).and_then(|id| self.days.get(id)).copied();
        let above = if row + 1 < self.ids.len() { day(row + 1) } else { self.today };
        let is_other = day(row).zip(above).is_some_and(|(day, above)| day != above);
        self.dividers.set(row, is_other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::Barcode,
            transaction::{Action, Moment, Transaction},
        },
        ordered::Gather,
    };
    use chrono::{Days, NaiveTime};
    use proptest::prelude::*;

    /// This number of days after the first.
    fn day(number: u8) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 20).unwrap() + Days::new(number.into())
    }

    fn entry(number: u32, on: u8) -> Entry {
        let moment = Moment::from_local(day(on).and_time(NaiveTime::from_hms_opt(0, 20, 0).unwrap()), 60).unwrap();
        let action = Action::Return { barcode: Barcode::parse("A").unwrap() };
        Entry::recorded(TransactionId(number), Transaction { moment, action })
    }

    fn lines(listing: &Listing) -> Vec<Line> {
        (0..=listing.lines()).filter_map(|line| listing.at(line)).collect()
    }

    fn on(number: u8) -> Line {
        Line::Day(day(number))
    }

    fn row(number: u32) -> Line {
        Line::Entry(TransactionId(number))
    }

    fn ids(numbers: &[u32]) -> Vec<TransactionId> {
        numbers.iter().copied().map(TransactionId).collect()
    }

    #[test]
    fn what_is_recorded_while_the_log_is_read_is_shown() {
        let mut listing = Listing::default();
        listing.begin_reading();
        let read = ids(&[1, 2, 3]);
        // Recorded after that was read, and before it is shown; one of them was read already.
        assert!(
            listing.insert(TransactionId(3)) && listing.insert(TransactionId(5)) && listing.insert(TransactionId(4))
        );
        listing.show_log(read);
        assert_eq!(listing.ids(), ids(&[1, 2, 3, 4, 5]));
        // It is not kept for another time.
        listing.begin_reading();
        listing.show_log(ids(&[2]));
        assert_eq!(listing.ids(), ids(&[2]), "the others were cleared");
    }

    #[test]
    fn what_is_found_is_shown_alone() {
        let mut listing = Listing::default();
        listing.begin_reading();
        listing.insert(TransactionId(9));
        listing.show(ids(&[7, 3]));
        assert_eq!(listing.ids(), ids(&[7, 3]));
        listing.show_log(ids(&[1]));
        assert_eq!(listing.ids(), ids(&[1]), "what was recorded before it was read is in it");
    }

    #[test]
    fn each_is_shown_once_and_in_order() {
        let mut listing = Listing::default();
        assert_eq!([4, 2, 4].map(|id| listing.insert(TransactionId(id))), [true, true, false]);
        assert_eq!(listing.ids(), ids(&[2, 4]));
        listing.retain(|id| id.0 > 2);
        assert_eq!(listing.ids(), ids(&[4]));
    }

    #[test]
    fn a_log_of_today_has_no_days() {
        let mut listing = Listing::default();
        listing.begin_day(day(3));
        listing.show(ids(&[1, 2]));
        listing.learn(&[entry(1, 3), entry(2, 3)]);
        assert_eq!(lines(&listing), [row(2), row(1)]);
        // At midnight it is of yesterday.
        assert!(listing.begin_day(day(4)) && !listing.begin_day(day(4)));
        assert_eq!(lines(&listing), [on(3), row(2), row(1)]);
        listing.learn(&[entry(3, 4)]);
        listing.insert(TransactionId(3));
        assert_eq!(lines(&listing), [row(3), on(3), row(2), row(1)]);
    }

    #[test]
    fn days_of_several_desks_change_back_and_forth() {
        let mut listing = Listing::default();
        listing.show(ids(&[1, 2, 3, 4]));
        listing.begin_day(day(5));
        listing.learn(&[entry(1, 2), entry(2, 5), entry(3, 1), entry(4, 5)]);
        let all = [row(4), on(1), row(3), on(5), row(2), on(2), row(1)];
        assert_eq!(lines(&listing), all);
        // Where a day is seen first, what is under it says where the table stands.
        assert_eq!(
            [0, 1, 2].map(|line| listing.entry_from(line).map(|(id, line)| (id.0, line))),
            [Some((4, 0)), Some((3, 2)), Some((3, 2))]
        );
        assert_eq!(listing.entry_from(7), None);
        // A clock was wrong, and its times are moved.
        listing.learn(&[entry(3, 5)]);
        assert_eq!(lines(&listing), [row(4), row(3), row(2), on(2), row(1)]);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Learn(Vec<(u32, u8)>),
        Insert(u32),
        ShowLog(Vec<u32>),
        Show(Vec<u32>),
        Retain(u32),
        BeginDay(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        let numbers = || prop::collection::vec(1..30_u32, 0..20);
        prop_oneof![
            prop::collection::vec((1..30_u32, 0..3_u8), 0..10).prop_map(Step::Learn),
            (1..30_u32).prop_map(Step::Insert),
            numbers().prop_map(|numbers| Step::ShowLog(numbers.into_iter().into_set().into_iter().collect())),
            // In any order, as by time.
            numbers().prop_map(|numbers| {
                let mut seen = Vec::new();
                for number in numbers {
                    if !seen.contains(&number) {
                        seen.push(number);
                    }
                }
                Step::Show(seen)
            }),
            (1..30_u32).prop_map(Step::Retain),
            (0..3_u8).prop_map(Step::BeginDay),
        ]
    }

    proptest! {
        #[test]
        fn each_stands_once_and_under_its_day(steps in prop::collection::vec(step(), 0..30)) {
            let mut listing = Listing::default();
            let (mut known, mut today) = (HashMap::new(), None);
            for step in steps {
                match step {
                    Step::Learn(days) => {
                        let entries: Vec<Entry> = days.iter().map(|(number, on)| entry(*number, *on)).collect();
                        listing.learn(&entries);
                        known.extend(days.into_iter().map(|(number, on)| (TransactionId(number), day(on))));
                    }
                    Step::Insert(number) => {
                        listing.insert(TransactionId(number));
                    }
                    Step::ShowLog(numbers) => listing.show_log(ids(&numbers)),
                    Step::Show(numbers) => listing.show(ids(&numbers)),
                    Step::Retain(least) => listing.retain(|id| id.0 >= least),
                    Step::BeginDay(on) => {
                        listing.begin_day(day(on));
                        today = Some(day(on));
                    }
                }
                let mut expected = Vec::new();
                let mut above = today;
                for id in listing.ids().iter().rev() {
                    let own = known.get(id).copied();
                    expected.extend(own.filter(|own| above.is_some_and(|above| above != *own)).map(Line::Day));
                    expected.push(Line::Entry(*id));
                    above = own;
                }
                let found = lines(&listing);
                prop_assert_eq!(&found, &expected);
                prop_assert_eq!(listing.lines(), expected.len());
                for (line, stands) in found.into_iter().enumerate() {
                    if let Line::Entry(id) = stands {
                        prop_assert_eq!(listing.line_of(id), Some(line));
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_not_read_has_no_day_and_costs_nothing() {
        let mut listing = Listing::default();
        listing.begin_day(day(9));
        let count = 100_000;
        listing.show((1..=count).map(TransactionId).collect());
        // Read page by page down to the end, each of another day: seconds if each page looked at all rows.
        for page in (0..count / 100).rev() {
            let days: Vec<Entry> = (1..=100).map(|row| entry(page * 100 + row, u8::from(page % 2 == 0))).collect();
            listing.learn(&days);
        }
        assert_eq!(listing.lines(), 101_000);
        assert_eq!(listing.at(0), Some(on(0)));
        assert_eq!(listing.at(100_999), Some(row(1)));
        assert_eq!(listing.line_of(TransactionId(1)), Some(100_999));
    }
}
