//! What of Koha's queue can be chosen at once: everything, what stands in it twice, by desk, by day.

use super::listed::Line;
use crate::ordered::Gather;

/// Rows that are chosen together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// All. What is there twice is chosen by whoever wants just that.
    All,
    /// None.
    Nothing,
    /// What is there twice.
    Doubles,
    /// What a desk of this log has recorded: its name, or nothing for this one.
    Desk(String),
    /// What is none of this log.
    Others,
    /// What happened on this day, as the page writes it.
    Day(String),
}

impl Choice {
    /// What is offered for these rows, in that order: only what would choose some and leave some.
    pub fn offered(lines: &[Line]) -> Vec<Self> {
        let mut offered = vec![Self::All, Self::Nothing];
        if lines.iter().any(|line| line.is_double) {
            offered.push(Self::Doubles);
        }
        offered.extend(lines.iter().filter_map(|line| line.desk.clone()).into_list().into_iter().map(Self::Desk));
        if lines.iter().any(|line| line.own.is_some()) && lines.iter().any(|line| line.own.is_none()) {
            offered.push(Self::Others);
        }
        let mut days: Vec<&str> = lines.iter().map(|line| line.row.day()).collect();
        days.dedup();
        if days.len() > 1 {
            offered.extend(days.into_iter().map(|day| Self::Day(day.to_owned())));
        }
        offered
    }

    /// Whether a row is among those.
    pub fn has(&self, line: &Line) -> bool {
        match self {
            Self::All => !line.is_double,
            Self::Nothing => false,
            Self::Doubles => line.is_double,
            Self::Desk(name) => line.desk.as_ref() == Some(name),
            Self::Others => line.own.is_none(),
            Self::Day(day) => line.row.day() == day,
        }
    }

    /// As the page calls it.
    pub fn name(&self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Nothing => "none".to_owned(),
            Self::Doubles => "double".to_owned(),
            Self::Desk(name) => format!("desk:{name}"),
            Self::Others => "others".to_owned(),
            Self::Day(day) => format!("day:{day}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{desk::transaction::TransactionId, koha::pending::Pending};

    fn line(number: u64, day: &str, desk: Option<&str>) -> Line {
        Line {
            row: Pending { number, time: format!("{day} 10:00"), ..Pending::default() },
            own: desk.map(|_| TransactionId(1)),
            desk: desk.map(str::to_owned),
            ..Line::default()
        }
    }

    fn names(lines: &[Line]) -> Vec<String> {
        Choice::offered(lines).iter().map(Choice::name).collect()
    }

    fn has(choice: &Choice, lines: &[Line]) -> Vec<u64> {
        lines.iter().filter(|line| choice.has(line)).map(|line| line.row.number).collect()
    }

    #[test]
    fn only_what_chooses_some_and_leaves_some_is_offered() {
        assert_eq!(names(&[]), ["all", "none"]);
        assert_eq!(names(&[line(1, "Monday", None), line(2, "Monday", None)]), ["all", "none"]);
        assert_eq!(names(&[line(1, "Monday", Some(""))]), ["all", "none", "desk:"], "all is this log's");
        let mut lines = [line(1, "Monday", Some("Bus")), line(2, "Monday", None), line(3, "Tuesday", Some(""))];
        lines[1].is_double = true;
        let all = ["all", "none", "double", "desk:", "desk:Bus", "others", "day:Monday", "day:Tuesday"];
        assert_eq!(names(&lines), all);
    }

    #[test]
    fn a_choice_has_just_its_rows_and_everything_is_no_double() {
        let mut lines = [line(1, "Monday", Some("Bus")), line(2, "Monday", None), line(3, "Tuesday", Some(""))];
        lines[1].is_double = true;
        let has: Vec<_> = Choice::offered(&lines).iter().map(|choice| has(choice, &lines)).collect();
        assert_eq!(has, [vec![1, 3], vec![], vec![2], vec![3], vec![1], vec![2], vec![1, 2], vec![3]]);
    }
}
