//! What a person is told of the records: how they stand, in a line; which sets are there to be expected, and what is missing in each.

use super::{Contents, Gap, access::Access, record::Set};
use crate::{desk::clock::DeskTime, settings::records::RecordsSettings};

/// How the records stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordsLine {
    /// There are none yet.
    Nothing,
    /// They cannot be read any more.
    Lost,
    /// A passphrase is needed first.
    Locked,
    /// They are of another server.
    Foreign,
    /// It cannot be read how they stand: nobody knows that there are none.
    Unreadable,
    /// They are older than they should be, by this number of days.
    Old(i64),
    /// They are of this time.
    AsOf(DeskTime),
}

impl RecordsLine {
    /// `None` where nobody wants any, or nothing is to be said of them.
    pub fn of(access: Access, contents: &Contents, wanted: &RecordsSettings, now: DeskTime) -> Option<Self> {
        Some(match access {
            Access::Off => return None,
            Access::Empty => Self::Nothing,
            Access::Lost => Self::Lost,
            Access::Locked => Self::Locked,
            Access::Foreign => Self::Foreign,
            Access::Unreadable => Self::Unreadable,
            Access::Open => {
                let as_of = contents.fresh_as_of()?;
                wanted.days_old(as_of, now).map_or(Self::AsOf(as_of), Self::Old)
            }
        })
    }

    /// Whether something is to be done about them.
    pub fn is_careful(self) -> bool {
        !matches!(self, Self::AsOf(_))
    }
}

/// What is missing in a set, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetNote<'a> {
    /// Koha has no report of the number that is set.
    NoReport,
    /// The report is not like the one that is wanted.
    OtherReport,
    /// Koha did not let in the account.
    NotLetIn,
    /// The account lacks these permissions.
    Refused(&'a str),
    /// This version of Koha has no such list.
    Absent,
    /// Koha's answer of this status could not be understood.
    Strange(u16),
    /// The same rows came again and again.
    SameRows,
    /// What patrons owe.
    Debts,
    /// The titles of items.
    Titles,
    /// So many rows, which had no number.
    Unreadable(u32),
}

/// What is missing in a set: first why it is not there, or not new, and then what its rows lack.
pub fn notes_on(set: Set, contents: &Contents) -> Vec<SetNote<'_>> {
    let gap = contents.gaps.get(&set).map(|gap| match gap {
        Gap::Absent if set == Set::Restrictions => SetNote::NoReport,
        Gap::Strange(_) if set == Set::Restrictions => SetNote::OtherReport,
        Gap::Refused(permissions) if permissions.is_empty() => SetNote::NotLetIn,
        Gap::Refused(permissions) => SetNote::Refused(permissions),
        Gap::Absent => SetNote::Absent,
        Gap::Strange(status) => SetNote::Strange(*status),
        Gap::SameRows => SetNote::SameRows,
    });
    let held = contents.sets.get(&set);
    let of_extras = match set {
        Set::Patrons => Some(SetNote::Debts),
        Set::Items => Some(SetNote::Titles),
        Set::Loans | Set::Holds | Set::Restrictions => None,
    };
    let extras = of_extras.filter(|_| held.is_some_and(|held| !held.has_extras && held.rows > 0));
    let unreadable = held.filter(|held| held.unreadable > 0).map(|held| SetNote::Unreadable(held.unreadable));
    gap.into_iter().chain(extras).chain(unreadable).collect()
}

/// The sets that are expected. Only who has set up a report misses what comes from it.
pub fn expected(wanted: &RecordsSettings, contents: &Contents) -> Vec<Set> {
    let has_report = matches!(wanted.restrictions_report(), Ok(Some(_)));
    let is_expected = |set: &Set| *set != Set::Restrictions || has_report || contents.sets.contains_key(set);
    Set::ALL.into_iter().filter(is_expected).collect()
}

/// As of when all is there that is expected, and nothing is missing in it. `None` where something is.
pub fn whole_as_of(expected: &[Set], contents: &Contents) -> Option<DeskTime> {
    let is_whole = |set: &Set| contents.sets.contains_key(set) && notes_on(*set, contents).is_empty();
    contents.as_of().filter(|_| expected.iter().all(is_whole))
}

#[cfg(test)]
mod tests {
    use super::{super::Held, *};

    fn at(day: i64) -> DeskTime {
        DeskTime::from_millis(1_795_428_000_000 + day * 86_400_000)
    }

    fn held(day: i64) -> Held {
        Held { rows: 3, as_of: at(day), has_extras: true, ..Held::default() }
    }

    fn contents(sets: &[Set]) -> Contents {
        let mut contents = Contents::default();
        for set in sets {
            contents.sets.insert(*set, held(0));
        }
        contents
    }

    const LISTS: [Set; 4] = [Set::Patrons, Set::Items, Set::Loans, Set::Holds];

    #[test]
    fn only_records_that_are_there_and_new_need_no_care() {
        let wanted = RecordsSettings::default();
        let line = |access, contents: &Contents, day| RecordsLine::of(access, contents, &wanted, at(day));
        assert_eq!(line(Access::Off, &contents(&LISTS), 0), None);
        assert_eq!(line(Access::Open, &Contents::default(), 0), None);
        for (access, told) in [
            (Access::Empty, RecordsLine::Nothing),
            (Access::Lost, RecordsLine::Lost),
            (Access::Locked, RecordsLine::Locked),
            (Access::Foreign, RecordsLine::Foreign),
            (Access::Unreadable, RecordsLine::Unreadable),
        ] {
            assert_eq!(line(access, &contents(&LISTS), 0), Some(told));
            assert!(told.is_careful());
        }
        let new = line(Access::Open, &contents(&LISTS), 0).unwrap();
        assert_eq!((new, new.is_careful()), (RecordsLine::AsOf(at(0)), false));
        let old = line(Access::Open, &contents(&LISTS), 40).unwrap();
        assert_eq!((old, old.is_careful()), (RecordsLine::Old(40), true));
    }

    #[test]
    fn what_a_report_gives_is_missed_only_by_who_has_set_one_up_or_has_had_it() {
        let wanted = RecordsSettings::default();
        let with_report = RecordsSettings { restrictions_report: "7".into(), ..wanted.clone() };
        assert_eq!(expected(&wanted, &contents(&LISTS)), LISTS);
        assert_eq!(expected(&with_report, &contents(&LISTS)), Set::ALL);
        assert_eq!(expected(&wanted, &contents(&Set::ALL)), Set::ALL);
    }

    #[test]
    fn each_gap_is_told_and_a_report_has_words_of_its_own() {
        let mut contents = contents(&LISTS);
        assert_eq!(whole_as_of(&LISTS, &contents), Some(at(0)));
        assert_eq!(whole_as_of(&Set::ALL, &contents), None, "one is not there");
        for (gap, of_list, of_report) in [
            (Gap::Absent, SetNote::Absent, SetNote::NoReport),
            (Gap::Strange(500), SetNote::Strange(500), SetNote::OtherReport),
            (Gap::Refused(String::new()), SetNote::NotLetIn, SetNote::NotLetIn),
            (Gap::Refused("borrowers".into()), SetNote::Refused("borrowers"), SetNote::Refused("borrowers")),
            (Gap::SameRows, SetNote::SameRows, SetNote::SameRows),
        ] {
            contents.gaps.insert(Set::Holds, gap.clone());
            contents.gaps.insert(Set::Restrictions, gap);
            assert_eq!(notes_on(Set::Holds, &contents), [of_list]);
            assert_eq!(notes_on(Set::Restrictions, &contents), [of_report]);
            assert_eq!(whole_as_of(&LISTS, &contents), None);
        }
    }

    #[test]
    fn what_the_rows_of_a_set_lack_is_told_too() {
        let mut contents = contents(&[]);
        let lacking = Held { has_extras: false, unreadable: 2, ..held(0) };
        for set in LISTS {
            contents.sets.insert(set, lacking.clone());
        }
        assert_eq!(notes_on(Set::Patrons, &contents), [SetNote::Debts, SetNote::Unreadable(2)]);
        assert_eq!(notes_on(Set::Items, &contents), [SetNote::Titles, SetNote::Unreadable(2)]);
        assert_eq!(notes_on(Set::Loans, &contents), [SetNote::Unreadable(2)]);
        contents.sets.insert(Set::Patrons, Held { rows: 0, unreadable: 0, ..lacking });
        assert_eq!(notes_on(Set::Patrons, &contents), [], "where there are no rows, nothing is missing in them");
    }
}
