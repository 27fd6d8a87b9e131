//! What the toolbar button says while no window is open: how many transactions Koha does not have yet; and where none is to be
//! sent, how much is left to do.

use super::{Counts, warned::Grade};

/// The largest number that is shown: a badge has room for about four characters.
pub const MOST: u32 = 999;
/// While Koha does not answer, and nothing waits.
const OUTAGE: &str = "!";

/// How much is left to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// The number of rows.
    pub number: u32,
    /// That of the gravest of them.
    pub grade: Option<Grade>,
}

impl Left {
    /// As it is remembered.
    pub fn text(self) -> String {
        format!("{} {}", self.number, self.grade.map_or("", Grade::name))
    }

    /// As it was remembered; nothing where that cannot be read.
    pub fn from_text(text: &str) -> Self {
        let (number, grade) = text.split_once(' ').unwrap_or_default();
        let grade = Grade::ALL.into_iter().find(|known| known.name() == grade);
        Self { number: number.parse().unwrap_or_default(), grade }
    }
}

/// What the colour of a badge says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Transactions wait.
    Waiting,
    /// Koha does not answer.
    Outage,
    /// Something is left to do, the gravest of this grade.
    Left(Option<Grade>),
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Badge {
    /// Empty where there is nothing to say.
    pub text: String,
    /// In which colour.
    pub tone: Tone,
}

impl Badge {
    /// With these transactions in the log, this much left to do, and Koha away or not. What is left to do can wait until Koha is
    /// back, and until everything is sent.
    pub fn new(counts: &Counts, left: Left, is_out: bool) -> Self {
        let shows_left = counts.waiting() == 0 && left.number > 0;
        let (number, tone) = match (shows_left, is_out) {
            (false, false) => (counts.uncommitted(), Tone::Waiting),
            (false, true) => (counts.uncommitted(), Tone::Outage),
            (true, false) => (left.number, Tone::Left(left.grade)),
            (true, true) => (0, Tone::Outage),
        };
        let text = match number {
            0 if is_out => OUTAGE.to_owned(),
            0 => String::new(),
            1..=MOST => number.to_string(),
            _ => format!("{MOST}+"),
        };
        Self { text, tone }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::status::State::{InDoubt, Local, Success};

    const TWO: Left = Left { number: 2, grade: Some(Grade::Careful) };

    #[track_caller]
    fn shows(counts: &Counts, left: Left, is_out: bool, text: &str, tone: Tone) {
        assert_eq!(Badge::new(counts, left, is_out), Badge { text: text.to_owned(), tone });
    }

    #[test]
    fn what_waits_goes_before_what_is_left_to_do() {
        let counts = Counts::from_states([(Local, 3), (InDoubt, 1), (Success, 50)]);
        shows(&counts, TWO, false, "4", Tone::Waiting);
        let counts = Counts::from_states([(InDoubt, 1), (Success, 50)]);
        shows(&counts, TWO, false, "2", Tone::Left(Some(Grade::Careful)));
        shows(&counts, Left::default(), false, "1", Tone::Waiting);
        shows(&Counts::default(), Left::default(), false, "", Tone::Waiting);
    }

    #[test]
    fn while_koha_is_away_it_says_so_and_what_is_left_to_do_can_wait() {
        shows(&Counts::from_states([(Local, 3)]), TWO, true, "3", Tone::Outage);
        shows(&Counts::default(), Left::default(), true, "!", Tone::Outage);
        shows(&Counts::default(), TWO, true, "!", Tone::Outage);
        shows(&Counts::from_states([(InDoubt, 1)]), TWO, true, "!", Tone::Outage);
    }

    #[test]
    fn there_is_room_for_four_characters() {
        for (number, text) in [(999, "999"), (1_000, "999+"), (u32::MAX, "999+")] {
            shows(&Counts::from_states([(Local, number)]), Left::default(), false, text, Tone::Waiting);
            let left = Left { number, grade: None };
            shows(&Counts::default(), left, false, text, Tone::Left(None));
        }
    }

    #[test]
    fn what_is_remembered_is_read_again() {
        assert_eq!((TWO.text().as_str(), Left::default().text().as_str()), ("2 careful", "0 "));
        for grade in Grade::ALL.map(Some).into_iter().chain([None]) {
            let left = Left { number: 7, grade };
            assert_eq!(Left::from_text(&left.text()), left);
        }
        for text in ["", "7", "x careful", "-1 stop"] {
            assert_eq!(Left::from_text(text).number, 0, "{text}");
        }
    }
}
