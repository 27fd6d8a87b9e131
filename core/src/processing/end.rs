//! What became of the rows of a run, and what of it a person is shown.

use super::Report;
use crate::log::{
    handled::{Handled, Outcome},
    warned::Grade,
};

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It has an end.
    Handled(Outcome),
    /// It could not be found out: the next run does.
    InDoubt,
    /// It was not asked about, since an earlier one of the same item has no end.
    Waits,
    /// It was not asked about, since Koha may still be at it.
    TooEarly,
}

impl End {
    /// What became of a row of an earlier run.
    pub fn of(row: &Handled) -> Self {
        row.outcome.clone().map_or(Self::InDoubt, Self::Handled)
    }

    /// What is known at the end of a run of the rows that have no outcome, by their numbers.
    pub fn without_outcome(report: &Report) -> Vec<(u64, Self)> {
        let all =
            [(&report.waiting, Self::Waits), (&report.too_early, Self::TooEarly), (&report.in_doubt, Self::InDoubt)];
        all.into_iter().flat_map(|(rows, end)| rows.iter().map(move |row| (*row, end.clone()))).collect()
    }

    /// Whether the row may be chosen again.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Waits | Self::TooEarly => true,
            Self::Handled(outcome) => outcome.is_left(),
            Self::InDoubt => false,
        }
    }

    /// How much it asks of a person.
    pub fn grade(&self) -> Option<Grade> {
        match self {
            Self::Handled(Outcome::Refused { .. }) => Some(Grade::Stop),
            Self::Handled(Outcome::Gone | Outcome::Unseen | Outcome::Left { .. }) | Self::InDoubt | Self::TooEarly => {
                Some(Grade::Careful)
            }
            Self::Handled(Outcome::Success | Outcome::Deleted | Outcome::NotAsked) | Self::Waits => None,
        }
    }
}

/// How many rows of a run came to which end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ends {
    /// Koha processed them.
    pub processed: usize,
    /// Koha deleted them.
    pub deleted: usize,
    /// Koha said no.
    pub refused: usize,
    /// A person looks what Koha made of them.
    pub to_look_at: usize,
    /// They are in the queue still.
    pub left: usize,
}

impl Ends {
    /// Of a run for which this number of rows was chosen.
    pub fn of(report: &Report, chosen: usize) -> Self {
        let mut ends = Self { to_look_at: report.in_doubt.len(), ..Self::default() };
        for (_, outcome) in &report.ended {
            match outcome {
                Outcome::Success => ends.processed += 1,
                Outcome::Deleted => ends.deleted += 1,
                Outcome::Refused { .. } => ends.refused += 1,
                Outcome::Gone | Outcome::Unseen => ends.to_look_at += 1,
                Outcome::Left { .. } | Outcome::NotAsked => {}
            }
        }
        ends.left = usize::try_from(report.left(chosen)).unwrap_or(usize::MAX);
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::status::Doubt;

    fn report() -> Report {
        let refused = Outcome::Refused { message: "No".into() };
        let left = Outcome::Left { reason: Doubt::ServerError };
        let ended = [
            Outcome::Success,
            Outcome::Success,
            Outcome::Deleted,
            refused,
            Outcome::Gone,
            Outcome::Unseen,
            left,
            Outcome::NotAsked,
        ];
        Report {
            ended: (1..).zip(ended).collect(),
            in_doubt: vec![20],
            waiting: vec![21, 22],
            too_early: vec![23],
            ..Report::default()
        }
    }

    #[test]
    fn each_row_that_was_chosen_is_counted_once() {
        let ends = Ends::of(&report(), 12);
        assert_eq!(ends, Ends { processed: 2, deleted: 1, refused: 1, to_look_at: 3, left: 5 });
        assert_eq!(ends.processed + ends.deleted + ends.refused + ends.to_look_at + ends.left, 12);
    }

    #[test]
    fn what_koha_was_not_asked_about_or_has_still_may_be_chosen_again_and_nothing_else() {
        let report = report();
        let without = End::without_outcome(&report);
        assert_eq!(without, [(21, End::Waits), (22, End::Waits), (23, End::TooEarly), (20, End::InDoubt)]);
        let all = report.ended.iter().map(|(row, outcome)| (*row, End::Handled(outcome.clone()))).chain(without);
        let told: Vec<_> = all.map(|(row, end)| (row, end.is_open(), end.grade())).collect();
        let (stop, careful) = (Some(Grade::Stop), Some(Grade::Careful));
        assert_eq!(
            told,
            [
                (1, false, None),
                (2, false, None),
                (3, false, None),
                (4, false, stop),
                (5, false, careful),
                (6, false, careful),
                (7, true, careful),
                (8, true, None),
                (21, true, None),
                (22, true, None),
                (23, true, careful),
                (20, false, careful),
            ]
        );
    }
}
